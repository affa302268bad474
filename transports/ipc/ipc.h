/* SPDX-License-Identifier: MIT */
/* The parts of the transport over unix domain sockets: options, links, listeners, socket files. */
#ifndef WEIR_IPC_H
#define WEIR_IPC_H

#include <stdbool.h>
#include <sys/stat.h>

#include <weir/transport.h>

#include "socket_link.h"

#define IPC_SCHEME "ipc"

/* Numbers of users or groups. */
typedef struct ipc_ids {
    long *ids;
    size_t count;
} ipc_ids;

/* What the options of an endpoint came to. */
typedef struct ipc_context {
    socket_context socket;
    weir_address address;
    char *path; /* a file's, with its NUL; NULL for an abstract name */
    int backlog;
    int mode;  /* -1: what the umask leaves */
    long user; /* -1: ours */
    long group;
    ipc_ids users; /* who is admitted; both empty: everybody */
    ipc_ids groups;
    bool readable_all;
    bool writable_all;
    bool unlink_stale;
    bool unlink_on_close;
} ipc_context;

/* -- ipc.c -- */

extern const socket_kind weir__ipc_kind;

size_t weir__ipc_format(const void *context, char *text, size_t size);

/* Who is at the other end, as the kernel noted it (BN-24). 0 or an error. */
int weir__ipc_peer(int fd, int64_t *pid, int64_t *uid, int64_t *gid);

/* A non-blocking socket with its options set. Below 0: why not; `*syscall` says what was refused. */
int weir__ipc_socket(const socket_settings *settings, const char **syscall);

/* -- ipc_options.c -- */

int weir__ipc_configure(weir_configure *configure, void **context);
void weir__ipc_context_free(void *context);

/* -- ipc_identity.c -- */

/* The option "user" or "group" as a number, -1 without one; "allowUsers" or "allowGroups". 0 or an error. */
int weir__ipc_read_owner(weir_configure *configure, bool group, long *id);
int weir__ipc_read_list(weir_configure *configure, bool group, ipc_ids *list);

/* May the peer of this socket come in? */
bool weir__ipc_admits(const ipc_context *ipc, int fd);

/* -- ipc_file.c -- */

/* The file of a socket of ours: known by device and inode, not by its name (BN-11). */
typedef struct ipc_file {
    char *path; /* absolute; NULL: there is none, or it is not ours */
    dev_t device;
    ino_t inode;
} ipc_file;

/*
 * Takes note of the file at `path`, which a socket has just been bound to, and gives it mode and owner; before
 * listen(2) nobody can connect to it (BN-10). 0, or an error with `*syscall`; the file is noted all the same if it
 * could be.
 */
int weir__ipc_file_take(ipc_file *file, const ipc_context *ipc, const char **syscall);

/* Removes the file if it is still the same one. Call it before the socket is closed, which keeps the inode its own. */
void weir__ipc_file_remove(ipc_file *file);

/* The file stays, and is ours no more. */
void weir__ipc_file_leave(ipc_file *file);

/* Another listener's file becomes this one's, with the mode and the owner that its options say. 0, or an error of these
 * with `*syscall`. */
int weir__ipc_file_succeed(ipc_file *file, const ipc_context *ipc, ipc_file *predecessor, const char **syscall);

/* Removes a socket that nobody listens on and that is ours, or anybody's if we are root. 1: it is gone. */
int weir__ipc_file_remove_stale(const ipc_context *ipc);

/* -- ipc_listen.c -- */

weir_acceptor *weir__ipc_acceptor_create(void *context, weir_runtime *runtime);
weir_link *weir__ipc_accept(weir_acceptor *acceptor, const weir_arrival *arrival);
void weir__ipc_listen(weir_acceptor *acceptor, int fd);
void weir__ipc_describe(const weir_acceptor *acceptor, const weir_arrival *arrival, weir_drop *drop);
int weir__ipc_succeed(weir_acceptor *acceptor, weir_acceptor *predecessor);
void weir__ipc_acceptor_close(weir_acceptor *acceptor);
void weir__ipc_acceptor_free(weir_acceptor *acceptor);

#endif
