/* SPDX-License-Identifier: MIT */
/* Whether there are other users is tried, by a child: it does not become who it was again. */
#define _GNU_SOURCE

#include "users.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
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

/* Of no name. */
static int new_file(void)
{
    const char *folder = getenv("TMPDIR");
    char path[PATH_MAX];
    int file;

    snprintf(path, sizeof(path), "%s/weir-XXXXXX", folder && *folder ? folder : "/tmp");
    file = mkstemp(path);
    if (file < 0)
        fail_msg("%s: %s", path, strerror(errno));
    unlink(path);
    return file;
}

/* Gives the file away and becomes its owner. 0, or why that cannot be done. */
static int become(int file, unsigned user, gid_t group)
{
    return fchown(file, user, group) || setgroups(1, &group) || setgid(group) || setuid(user) ? errno : 0;
}

void users_skip_without(unsigned user, unsigned group)
{
    int status = -1;
    int file = new_file();
    pid_t forked = fork();

    assert_true(forked >= 0);
    if (forked == 0)
        _exit(become(file, user, group));
    close(file);
    assert_int_equal(waitpid(forked, &status, 0), forked);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0) {
        print_message("there is no user %u with group %u here to give files to and to act as: %s\n", user, group,
                      strerror(WEXITSTATUS(status)));
        skip();
    }
}
