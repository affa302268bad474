/* SPDX-License-Identifier: MIT */
/* Listening on a unix socket: bound, its file made ours, and on to the shared listener. */
#define _GNU_SOURCE

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "ipc.h"
#include "socket_error.h"
#include "socket_listener.h"

typedef struct ipc_listener {
    socket_listener socket;
    const ipc_context *ipc;
    ipc_file file;
} ipc_listener;

static int admits(const socket_listener *listener, int fd)
{
    return weir__ipc_admits((const ipc_context *)listener->context, fd);
}

weir_acceptor *weir__ipc_acceptor_create(void *context, weir_runtime *runtime)
{
    ipc_listener *listener = weir_calloc(1, sizeof(*listener));

    if (!listener)
        return NULL;
    listener->ipc = context;
    weir__socket_listener_init(&listener->socket, &listener->ipc->socket, runtime);
    listener->socket.admits = admits;
    return &listener->socket.acceptor;
}

/* Of a unix socket's options its arrivals inherit none. */
weir_link *weir__ipc_accept(weir_acceptor *acceptor, const weir_arrival *arrival)
{
    const ipc_listener *listener = (const ipc_listener *)acceptor;
    const char *failed;

    (void)weir__socket_settings_apply(&listener->ipc->socket.settings, arrival->fd, SOCKET_IPC, &failed);
    return weir__socket_listener_accept(acceptor, arrival);
}

/* A missing folder is what a folder without permission is, as in Node (PATH-15); the message tells which. */
static void fail(ipc_listener *listener, int code, const char *syscall)
{
    const ipc_context *ipc = listener->ipc;
    weir_error *error;

    if (code == UV_ENOENT)
        error = weir__socket_error_hint(UV_EACCES, syscall, IPC_SCHEME, &ipc->address, "the folder does not exist");
    else
        error = weir__socket_error(code, syscall, IPC_SCHEME, &ipc->address);
    weir__socket_listener_fail(&listener->socket, error);
}

static int bind_once(const ipc_context *ipc, int fd)
{
    struct sockaddr_storage storage;
    size_t size = sizeof(storage);
    int status = weir_address_to_sockaddr(&ipc->address, &storage, &size);

    if (!status && bind(fd, (struct sockaddr *)&storage, (socklen_t)size))
        status = uv_translate_sys_error(errno);
    return status;
}

static int bind_socket(ipc_listener *listener, int fd, const char **syscall)
{
    const ipc_context *ipc = listener->ipc;
    int status;

    *syscall = "listen"; /* SRV-11 */
    /* Linux makes the file with the socket's own mode: it is never open wider than it shall be. */
    if (ipc->path && ipc->mode >= 0)
        (void)fchmod(fd, (mode_t)ipc->mode);
    status = bind_once(ipc, fd);
    if (status == UV_EADDRINUSE && ipc->unlink_stale && weir__ipc_file_remove_stale(ipc))
        status = bind_once(ipc, fd);
    if (status || !ipc->path)
        return status;
    return weir__ipc_file_take(&listener->file, ipc, syscall);
}

static void listen_new(ipc_listener *listener)
{
    const ipc_context *ipc = listener->ipc;
    const char *syscall;
    int fd = weir__ipc_socket(&ipc->socket.settings, &syscall);
    int status = fd < 0 ? fd : bind_socket(listener, fd, &syscall);

    if (!status)
        status = weir__socket_listener_start(&listener->socket, fd, ipc->backlog, &syscall);
    if (!status)
        return;
    weir__ipc_file_remove(&listener->file);
    if (fd >= 0)
        close(fd);
    fail(listener, status, syscall);
}

/* A file that was there before us is not ours to remove (PATH-08). */
static void adopt(ipc_listener *listener, int fd)
{
    weir_address none = {.family = WEIR_FAMILY_NONE};
    const char *syscall = "listen";
    int status = weir__socket_listener_adopt(fd, AF_UNIX, AF_UNIX);

    if (!status)
        status = weir__socket_listener_start(&listener->socket, fd, listener->ipc->backlog, &syscall);
    if (!status)
        return;
    close(fd);
    weir__socket_listener_fail(
        &listener->socket,
        weir__socket_error_hint(status, syscall, IPC_SCHEME, &none, "the descriptor must be a bound unix socket"));
}

void weir__ipc_listen(weir_acceptor *acceptor, int fd)
{
    ipc_listener *listener = (ipc_listener *)acceptor;

    if (fd >= 0)
        adopt(listener, fd);
    else
        listen_new(listener);
}

void weir__ipc_describe(const weir_acceptor *acceptor, const weir_arrival *arrival, weir_drop *drop)
{
    (void)weir__socket_listener_address(acceptor, &drop->local);
    (void)weir__ipc_peer(arrival->fd, &drop->peer_pid, &drop->peer_uid, &drop->peer_gid);
}

int weir__ipc_succeed(weir_acceptor *acceptor, weir_acceptor *predecessor)
{
    ipc_listener *listener = (ipc_listener *)acceptor;
    const char *syscall;

    return weir__ipc_file_succeed(&listener->file, listener->ipc, &((ipc_listener *)predecessor)->file, &syscall);
}

/* Unless a successor is to have it. */
static void give_file_up(ipc_listener *listener)
{
    if (listener->ipc->unlink_on_close)
        weir__ipc_file_remove(&listener->file);
    else
        weir__ipc_file_leave(&listener->file);
}

/* PATH-07: the file goes in the call itself. */
void weir__ipc_acceptor_close(weir_acceptor *acceptor)
{
    give_file_up((ipc_listener *)acceptor);
    weir__socket_listener_close(acceptor);
}

void weir__ipc_acceptor_free(weir_acceptor *acceptor)
{
    give_file_up((ipc_listener *)acceptor);
    weir__socket_listener_free(acceptor);
}
