/* SPDX-License-Identifier: MIT */
/* The file of a key log. It is opened for every line: whoever reads it may take it away meanwhile. */
#define _GNU_SOURCE

#include "keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

/* A pipe that nobody reads does not stop the loop. */
#define APPEND (O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static int check_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    return access(folder, W_OK | X_OK) == 0 ? 0 : -errno;
}

static int check_file(const char *path, int *is_public)
{
    int file = open(path, APPEND);
    struct stat about;

    if (file < 0)
        return errno == ENOENT ? check_folder(path) : -errno;
    /* What goes to a device is kept nowhere. */
    *is_public = fstat(file, &about) == 0 && !S_ISCHR(about.st_mode) && (about.st_mode & S_IROTH);
    close(file);
    return 0;
}

void weir__tls_keylog_check(const char *path, tls_report *report)
{
    int is_public = 0;
    int status = check_file(path, &is_public);

    if (status)
        weir__tls_warning(report, "/keylog", "the key log %s cannot be written: %s (%s)", path, weir_error_text(status),
                          weir_error_name(status));
    if (is_public)
        weir__tls_warning(report, "/keylog",
                          "everybody may read the key log %s, and with it all that is sent: let nobody but its owner "
                          "(chmod 600)",
                          path);
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
