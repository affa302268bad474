/* SPDX-License-Identifier: MIT */
/* Bind mounts in a namespace that nobody else sees. */
#define _GNU_SOURCE

#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static char why_not[512];

static __attribute__((format(printf, 1, 2))) int failed(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(why_not, sizeof(why_not), format, values);
    va_end(values);
    return -1;
}

const char *mounts_why_not(void)
{
    return why_not;
}

int mounts_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));
    int code = errno;
    if (fd >= 0)
        close(fd);
    return written == (ssize_t)strlen(text) ? 0 : failed("%s: %s", path, strerror(code));
}

static int become_root(void)
{
    char map[64];
    unsigned uid = geteuid();
    unsigned gid = getegid();
    if (unshare(CLONE_NEWUSER))
        return failed("a user namespace: %s", strerror(errno));
    snprintf(map, sizeof(map), "0 %u 1", uid);
    if (mounts_write("/proc/self/setgroups", "deny") || mounts_write("/proc/self/uid_map", map))
        return -1;
    snprintf(map, sizeof(map), "0 %u 1", gid);
    return mounts_write("/proc/self/gid_map", map);
}

int mounts_enter(void)
{
    if (geteuid() != 0 && become_root())
        return -1;
    if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL))
        return failed("a mount namespace: %s", strerror(errno));
    return 0;
}

int mounts_put(const char *path, const char *system)
{
    return mount(path, system, "none", MS_BIND, NULL)
               ? failed("%s in the place of %s: %s", path, system, strerror(errno))
               : 0;
}

int mounts_take_away(const char *system)
{
    return umount2(system, MNT_DETACH) ? failed("%s: %s", system, strerror(errno)) : 0;
}
