/* SPDX-License-Identifier: MIT */
/* The file of a key log. It is opened for every line: whoever reads it may take it away meanwhile. */
#define _GNU_SOURCE

#include "keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "settings.h"

/* A pipe that nobody reads does not stop the loop. */
#define APPEND (O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static int check_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    return access(folder, W_OK | X_OK) == 0 ? 0 : -errno;
}

int weir__tls_keylog_check(const char *path)
{
    int file = open(path, APPEND);

    if (file >= 0) {
        close(file);
        return 0;
    }
    return errno == ENOENT ? check_folder(path) : -errno;
}

static int write_line(int file, const char *text, size_t size)
{
    ssize_t written;

    do
        written = write(file, text, size);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return -errno;
    return (size_t)written == size ? 0 : UV_ENOSPC;
}

int weir__tls_keylog_append(const char *path, const char *line)
{
    size_t length = strlen(line);
    char text[1024];
    int file;
    int status;

    if (length + 1 > sizeof(text))
        return UV_E2BIG;
    file = open(path, APPEND | O_CREAT, 0600);
    if (file < 0)
        return -errno;
    memcpy(text, line, length);
    text[length] = '\n';
    status = write_line(file, text, length + 1);
    close(file);
    weir__tls_wipe(text, sizeof(text));
    return status;
}
