/* SPDX-License-Identifier: MIT */
/* Whether there are other users is tried, by a child: it does not become who it was again. */
#define _GNU_SOURCE

#include "users.h"

#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Gives a file away and becomes its owner. 0, or why that cannot be done. */
static int become(unsigned user, gid_t group)
{
    char path[] = "/tmp/weir-XXXXXX";
    int file = mkstemp(path);

    if (file < 0)
        return errno;
    unlink(path);
    return fchown(file, user, group) || setgroups(1, &group) || setgid(group) || setuid(user) ? errno : 0;
}

void users_skip_without(unsigned user, unsigned group)
{
    int status = -1;
    pid_t forked = fork();

    assert_true(forked >= 0);
    if (forked == 0)
        _exit(become(user, group));
    assert_int_equal(waitpid(forked, &status, 0), forked);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0) {
        print_message("there is no user %u with group %u here to give files to and to act as: %s\n", user, group,
                      strerror(WEXITSTATUS(status)));
        skip();
    }
}
