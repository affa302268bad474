/* SPDX-License-Identifier: MIT */
/* A private network namespace and pinned CPUs for the processes of a benchmark. */
#include "isolation.h"

#include "complain.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return bench_complain("open %s: %s", path, strerror(errno));
    }
    ssize_t written = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    return written >= 0 ? 0 : bench_complain("write \"%s\" to %s: %s", text, path, strerror(error));
}

/* Who is not root may have a network namespace of his own inside a user namespace. He stays who he is in it: the
 * owner of his files, which weir looks at before it loads a plugin. */
static int enter_as_user(void)
{
    char map[64];
    unsigned user = geteuid();
    unsigned group = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return bench_complain("no private network: unshare: %s (become root, or allow user namespaces)",
                              strerror(errno));
    }
    snprintf(map, sizeof map, "%u %u 1", user, user);
    if (write_file("/proc/self/uid_map", map) < 0 || write_file("/proc/self/setgroups", "deny") < 0) {
        return -1;
    }
    snprintf(map, sizeof map, "%u %u 1", group, group);
    return write_file("/proc/self/gid_map", map);
}

static int bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return bench_complain("socket: %s", strerror(errno));
    }
    int result = ioctl(fd, SIOCGIFFLAGS, &request);
    if (result == 0) {
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
        result = ioctl(fd, SIOCSIFFLAGS, &request);
    }
    int error = errno;
    close(fd);
    return result == 0 ? 0 : bench_complain("loopback cannot be brought up: %s", strerror(error));
}

static int congestion_in_force(const char *wanted)
{
    char name[32] = "";
    socklen_t length = sizeof name - 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return bench_complain("socket: %s", strerror(errno));
    }
    int result = getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length);
    int error = errno;
    close(fd);
    if (result != 0) {
        return bench_complain("TCP_CONGESTION: %s", strerror(error));
    }
    return strcmp(name, wanted) == 0 ? 0 : bench_complain("congestion control is %s, not %s", name, wanted);
}

int bench_private_network(const char *congestion)
{
    if (unshare(CLONE_NEWNET) != 0) {
        if (errno != EPERM) {
            return bench_complain("no private network: unshare: %s", strerror(errno));
        }
        if (enter_as_user() < 0) {
            return -1;
        }
    }
    if (bring_loopback_up() < 0 || write_file("/proc/sys/net/ipv4/tcp_congestion_control", congestion) < 0) {
        return -1;
    }
    return congestion_in_force(congestion);
}

int bench_two_cpus(int *server, int *load)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return bench_complain("sched_getaffinity: %s", strerror(errno));
    }
    int *const places[] = {server, load};
    size_t found = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
        if (CPU_ISSET(cpu, &allowed)) {
            *places[found++] = (int)cpu;
        }
    }
    return found == 2 ? 0 : bench_complain("the server and the load need a CPU each, and there is only one");
}

int bench_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0
               ? 0
               : bench_complain("cannot be pinned to CPU %d: %s", cpu, strerror(errno));
}
