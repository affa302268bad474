/* SPDX-License-Identifier: MIT */
/* The file of a listening unix socket: who owns it, who may use it, and when it may be removed. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "ipc.h"

static int last_error(void)
{
    return uv_translate_sys_error(errno);
}

/* The path from the root, so that it names the same file wherever we are when it is removed. */
static char *absolute(const char *path)
{
    char here[PATH_MAX] = "";
    size_t size;
    char *made;

    if (*path != '/' && !getcwd(here, sizeof(here)))
        here[0] = '\0';
    size = strlen(here) + strlen(path) + 2;
    made = weir_malloc(size);
    if (made)
        snprintf(made, size, "%s%s%s", here, *here ? "/" : "", path);
    return made;
}

/* ---- mode and owner ---- */

static mode_t wanted_mode(const ipc_context *ipc, mode_t mode)
{
    if (ipc->mode >= 0)
        mode = (mode_t)ipc->mode;
    if (ipc->readable_all)
        mode |= S_IRUSR | S_IRGRP | S_IROTH; /* SRV-56 */
    if (ipc->writable_all)
        mode |= S_IWUSR | S_IWGRP | S_IWOTH; /* SRV-57 */
    return mode & 0777;
}

/* By the descriptor of the very file: a name could meanwhile be another one's. */
static int change_mode(int node, const char *path, mode_t mode)
{
    char link[64];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", node);
    if (chmod(link, mode) == 0)
        return 0;
    /* Without /proc there is only the name. */
    if (errno == ENOENT && chmod(path, mode) == 0)
        return 0;
    return last_error();
}

static int set_permissions(const ipc_file *file, int node, const ipc_context *ipc, const char **syscall)
{
    struct stat found;
    mode_t mode;

    if (fstat(node, &found))
        return last_error();
    if (found.st_dev != file->device || found.st_ino != file->inode)
        return UV_EADDRINUSE; /* somebody has replaced it already */
    if (ipc->user >= 0 || ipc->group >= 0) {
        *syscall = "chown";
        if (fchownat(node, "", (uid_t)ipc->user, (gid_t)ipc->group, AT_EMPTY_PATH))
            return last_error();
    }
    *syscall = "chmod";
    mode = wanted_mode(ipc, found.st_mode);
    return mode == (found.st_mode & 07777) ? 0 : change_mode(node, file->path, mode);
}

static int wants_permissions(const ipc_context *ipc)
{
    return ipc->mode >= 0 || ipc->user >= 0 || ipc->group >= 0 || ipc->readable_all || ipc->writable_all;
}

static int note(ipc_file *file, char *path)
{
    struct stat found;

    if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode) && found.st_uid == geteuid()) {
        file->path = path;
        file->device = found.st_dev;
        file->inode = found.st_ino;
        return 0;
    }
    weir_free(path);
    return UV_EADDRINUSE; /* somebody has replaced it already */
}

static int give_permissions(const ipc_file *file, const ipc_context *ipc, const char **syscall)
{
    int status;
    int node;

    if (!wants_permissions(ipc))
        return 0;
    node = open(file->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (node < 0)
        return last_error();
    status = set_permissions(file, node, ipc, syscall);
    close(node);
    return status;
}

int weir__ipc_file_take(ipc_file *file, const ipc_context *ipc, const char **syscall)
{
    char *path = absolute(ipc->path);
    int status;

    *syscall = "listen";
    if (!path) {
        (void)unlink(ipc->path); /* bound a moment ago, and nobody could remove it later */
        return UV_ENOMEM;
    }
    status = note(file, path);
    return status ? status : give_permissions(file, ipc, syscall);
}

int weir__ipc_file_succeed(ipc_file *file, const ipc_context *ipc, ipc_file *predecessor, const char **syscall)
{
    if (!predecessor->path)
        return 0; /* it was not the predecessor's either */
    weir__ipc_file_leave(file);
    *file = *predecessor;
    predecessor->path = NULL;
    return give_permissions(file, ipc, syscall);
}

/* ---- removing ---- */

static int is_same(const char *path, dev_t device, ino_t inode)
{
    struct stat found;

    return lstat(path, &found) == 0 && found.st_dev == device && found.st_ino == inode;
}

void weir__ipc_file_leave(ipc_file *file)
{
    weir_free(file->path);
    file->path = NULL;
}

void weir__ipc_file_remove(ipc_file *file)
{
    if (!file->path)
        return;
    if (is_same(file->path, file->device, file->inode))
        (void)unlink(file->path);
    weir__ipc_file_leave(file);
}

/* Only a refusal says that nobody is there: a full queue, a missing permission or another kind of socket do not. */
static int is_refused(const ipc_context *ipc)
{
    struct sockaddr_storage storage;
    size_t size = sizeof(storage);
    const char *syscall;
    int refused;
    int fd = weir__ipc_socket(&ipc->socket.settings, &syscall);

    if (fd < 0)
        return 0;
    refused = !weir_address_to_sockaddr(&ipc->address, &storage, &size) &&
              connect(fd, (struct sockaddr *)&storage, (socklen_t)size) && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

int weir__ipc_file_remove_stale(const ipc_context *ipc)
{
    uid_t us = geteuid();
    struct stat found;

    if (!ipc->path || lstat(ipc->path, &found) || !S_ISSOCK(found.st_mode) || (us != 0 && found.st_uid != us))
        return 0;
    if (!is_refused(ipc) || !is_same(ipc->path, found.st_dev, found.st_ino))
        return 0;
    return unlink(ipc->path) == 0;
}
