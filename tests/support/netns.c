/* SPDX-License-Identifier: MIT */
/* Two network namespaces in one process, a pair of veth interfaces between them, and rules of nftables in each. */
#define _GNU_SOURCE

#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "mounts.h"

#define TESTS_MOST 64

static int hosts[2] = {-1, -1}; /* the namespaces */
static netns_host here;
static char why_not[512]; /* there is no network */
static char hosts_path[256];
static char names_path[256];

/* 0, or -1 with the reason noted. */
static WEIR_PRINTF(1, 2) int failed(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    if (!why_not[0])
        vsnprintf(why_not, sizeof(why_not), format, values);
    va_end(values);
    return -1;
}

/* ---- programs ---- */

/* Runs one; its standard error, without the last line feed, is what went wrong. */
static int try_run(const char *const *arguments)
{
    child *self = child_start_other(CHILD_PIPE, CHILD_PIPE, arguments);
    int code = child_finish(self);
    if (code) {
        self->err_text[strcspn(self->err_text, "\n")] = '\0';
        failed("%s %s: %s", arguments[0], arguments[1], self->err_text);
    }
    child_free(self);
    return code ? -1 : 0;
}

#define TRY(...) try_run((const char *const[]){__VA_ARGS__, NULL})

static void run(const char *const *arguments)
{
    why_not[0] = '\0';
    if (try_run(arguments))
        fail_msg("%s", why_not);
}

/* ---- making the network ---- */

static int open_namespace(void)
{
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? failed("/proc/thread-self/ns/net: %s", strerror(errno)) : fd;
}

/* This process is on the far host in the end. */
static int make_hosts(void)
{
    for (int host = NETNS_NEAR; host <= NETNS_FAR; host++) {
        if (unshare(CLONE_NEWNET))
            return failed("a network namespace: %s", strerror(errno));
        hosts[host] = open_namespace();
        if (hosts[host] < 0 || TRY("ip", "link", "set", "lo", "up"))
            return -1;
    }
    return 0;
}

static int make_end(const char *interface, const char *ipv4, const char *ipv6)
{
    return TRY("ip", "address", "add", ipv4, "dev", interface) ||
           TRY("ip", "address", "add", ipv6, "dev", interface, "nodad") || TRY("ip", "link", "set", interface, "up") ||
           TRY("nft", "add table inet weir") ||
           TRY("nft", "add chain inet weir in { type filter hook input priority 0; }") ||
           TRY("nft", "add chain inet weir out { type filter hook output priority 0; }");
}

static int make_cable(void)
{
    char near[64];
    snprintf(near, sizeof(near), "/proc/%d/fd/%d", (int)getpid(), hosts[NETNS_NEAR]);
    return TRY("ip", "link", "add", "far", "type", "veth", "peer", "name", "near", "netns", near) ||
           make_end("far", NETNS_FAR_IPV4 "/24", NETNS_FAR_IPV6 "/64") || setns(hosts[NETNS_NEAR], CLONE_NEWNET) ||
           make_end("near", NETNS_NEAR_IPV4 "/24", NETNS_NEAR_IPV6 "/64");
}

/* An empty file of the program's own in the place of one of the system's. */
static int replace(const char *system, char *path, size_t size, const char *name)
{
    const char *base = getenv("TMPDIR");
    snprintf(path, size, "%s/%s.%d", base && *base ? base : "/tmp", name, (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return failed("%s: %s", path, strerror(errno));
    close(fd);
    return mounts_put(path, system) ? failed("%s", mounts_why_not()) : 0;
}

/* Names are what /etc/hosts says, and nobody else is asked. */
static int replace_names(void)
{
    return replace("/etc/hosts", hosts_path, sizeof(hosts_path), "hosts") ||
           replace("/etc/nsswitch.conf", names_path, sizeof(names_path), "nsswitch") ||
           (mounts_write(names_path, "hosts: files\n") && failed("%s", mounts_why_not()));
}

static int enter(void)
{
    char path[4096];
    const char *before = getenv("PATH");
    snprintf(path, sizeof(path), "%s:/usr/sbin:/sbin", before ? before : "/usr/bin:/bin");
    setenv("PATH", path, 1);
    if (!child_is_there("ip") || !child_is_there("nft"))
        return failed("`ip` and `nft` (iproute2, nftables) are not both installed");
    return (mounts_enter() && failed("%s", mounts_why_not())) || replace_names() || make_hosts() || make_cable();
}

/* ---- the test program ---- */

static void skipped(void **state)
{
    (void)state;
    skip();
}

int netns_run_tests(const char *name, const struct CMUnitTest *tests, size_t count)
{
    struct CMUnitTest run[TESTS_MOST];
    if (count > TESTS_MOST)
        abort();
    memcpy(run, tests, count * sizeof(*tests));
    child_setup(NULL);
    if (enter()) {
        print_message("no network of the tests' own can be made here: %s\n", why_not);
        for (size_t i = 0; i < count; i++)
            run[i] = (struct CMUnitTest){tests[i].name, skipped, NULL, NULL, NULL};
    }
    int failures = _cmocka_run_group_tests(name, run, count, NULL, NULL);
    unlink(hosts_path);
    unlink(names_path);
    return failures;
}

int netns_setup(void **state)
{
    netns_go(NETNS_FAR);
    netns_unfilter();
    netns_go(NETNS_NEAR);
    netns_unfilter();
    return fixture_setup(state);
}

int netns_teardown(void **state)
{
    netns_go(NETNS_NEAR);
    return fixture_teardown(state);
}

/* ---- what tests do to it ---- */

void netns_go(netns_host host)
{
    if (setns(hosts[host], CLONE_NEWNET))
        fail_msg("setns: %s", strerror(errno));
    here = host;
}

void netns_filter(const char *chain, const char *format, ...)
{
    char rule[256];
    char text[320];
    va_list values;
    va_start(values, format);
    vsnprintf(rule, sizeof(rule), format, values);
    va_end(values);
    snprintf(text, sizeof(text), "add rule inet weir %s %s", chain, rule);
    run((const char *const[]){"nft", text, NULL});
}

void netns_unfilter(void)
{
    run((const char *const[]){"nft", "flush table inet weir", NULL});
}

void netns_ip(const char *const *arguments)
{
    run(arguments);
}

void netns_set(const char *name, const char *value)
{
    char path[160];
    snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
    if (access(path, F_OK))
        return;
    if (mounts_write(path, value))
        fail_msg("%s", mounts_why_not());
}

void netns_hosts(const char *text)
{
    if (mounts_write(hosts_path, text))
        fail_msg("%s", mounts_why_not());
}

/* An address as /proc/net/tcp and tcp6 write it: words in the host's order of bytes. */
static void kernel_form(const char *address, char *text, size_t size)
{
    uint32_t words[4];
    int ipv6 = strchr(address, ':') != NULL;
    assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, address, words), 1);
    if (ipv6)
        snprintf(text, size, "%08" PRIX32 "%08" PRIX32 "%08" PRIX32 "%08" PRIX32, words[0], words[1], words[2],
                 words[3]);
    else
        snprintf(text, size, "%08" PRIX32, words[0]);
}

size_t netns_count(int state, const char *address)
{
    char wanted[40];
    char remote[40];
    char line[512];
    unsigned has;
    size_t count = 0;
    netns_host back = here;
    kernel_form(address, wanted, sizeof(wanted));
    netns_go(NETNS_NEAR);
    FILE *file = fopen(strchr(address, ':') ? "/proc/thread-self/net/tcp6" : "/proc/thread-self/net/tcp", "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, " %*d: %*[0-9A-F]:%*x %39[0-9A-F]:%*x %x", remote, &has) == 2 && strcmp(remote, wanted) == 0 &&
            has == (unsigned)state)
            count++;
    }
    fclose(file);
    netns_go(back);
    return count;
}
