/* SPDX-License-Identifier: MIT */
/* The transport over unix domain sockets: its tables, and links that connect to a path or an abstract name. */
#define _GNU_SOURCE

#include "ipc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "ipc_schema.h"
#include "socket_connect.h"
#include "socket_error.h"
#include "socket_listener.h"

size_t weir__ipc_format(const void *context, char *text, size_t size)
{
    const ipc_context *ipc = context;

    return weir_address_format(&ipc->address, text, size);
}

int weir__ipc_socket(const socket_settings *settings, const char **syscall)
{
    const char *failed;
    int status;
    int fd;

    *syscall = "socket";
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return uv_translate_sys_error(errno);
    *syscall = "setsockopt";
    status = weir__socket_settings_apply(settings, fd, SOCKET_IPC, &failed);
    if (status) {
        close(fd);
        return status;
    }
    return fd;
}

static int make(const socket_context *context, const socket_settings *settings, const weir_address *to,
                const char **syscall, weir_address *where)
{
    int fd = weir__ipc_socket(settings, syscall);

    (void)context;
    (void)to;
    (void)where;
    if (fd >= 0)
        *syscall = "connect";
    return fd;
}

static void open_link(weir_link *link)
{
    socket_link *socket = (socket_link *)link;
    const ipc_context *ipc = (const ipc_context *)socket->context;

    weir__socket_connect_start(socket, &ipc->address, 1, 0, "connect");
}

/* ---- facts ---- */

int weir__ipc_peer(int fd, int64_t *pid, int64_t *uid, int64_t *gid)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);

    if (fd < 0)
        return UV_ENOTCONN;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size))
        return uv_translate_sys_error(errno);
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

static int peer_fact(int fd, const char *which, weir_value *value)
{
    int64_t pid = -1;
    int64_t uid = -1;
    int64_t gid = -1;
    int status = weir__ipc_peer(fd, &pid, &uid, &gid);

    if (status)
        return status;
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_NUMBER;
    value->number = *which == 'P' ? pid : *which == 'U' ? uid : gid;
    return 0;
}

/* UV_ENOENT: this end has no name, as that of a client usually has not. */
static int path_fact(int fd, int local, weir_value *value)
{
    struct sockaddr_storage storage;
    struct sockaddr *name = (struct sockaddr *)&storage;
    socklen_t size = sizeof(storage);
    int status;

    if (fd < 0)
        return UV_ENOTCONN;
    if (local ? getsockname(fd, name, &size) : getpeername(fd, name, &size))
        return uv_translate_sys_error(errno);
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_ADDRESS;
    status = weir_address_from_sockaddr(&value->address, name, size);
    return status ? status : value->address.length ? 0 : UV_ENOENT;
}

/* No addresses and ports: those of an IPC stream are undefined (SOCP-13, SOCP-16). */
static int fact(const socket_link *socket, int fd, const char *name, weir_value *value)
{
    (void)socket;
    if (strcmp(name, "peerPid") == 0 || strcmp(name, "peerUid") == 0 || strcmp(name, "peerGid") == 0)
        return peer_fact(fd, name + 4, value);
    if (strcmp(name, "localPath") == 0 || strcmp(name, "remotePath") == 0)
        return path_fact(fd, *name == 'l', value);
    return UV_ENOENT;
}

/* ---- descriptors made elsewhere ---- */

static const char *recognizes(int fd)
{
    return weir__socket_domain(fd) == AF_UNIX ? "unix" : NULL;
}

static int adopt(void *context, weir_runtime *runtime, int fd, weir_link **link)
{
    const ipc_context *ipc = context;

    return weir__socket_link_adopt(&ipc->socket, runtime, fd, link);
}

/* ---- tables ---- */

static const weir_link_ops link_ops = {
    .size = sizeof(weir_link_ops),
    .name = IPC_SCHEME,
    .open = open_link,
    .read_start = weir__socket_read_start,
    .read_stop = weir__socket_read_stop,
    .try_write = weir__socket_try_write,
    .write = weir__socket_write,
    .write_fds = weir__socket_write_fds,
    .shutdown = weir__socket_shutdown,
    .close = weir__socket_close,
    .get = weir__socket_get,
    .set = weir__socket_set,
    .ref = weir__socket_ref,
    .free = weir__socket_free,
};

const socket_kind weir__ipc_kind = {
    .scheme = IPC_SCHEME,
    .family = SOCKET_IPC,
    .ops = &link_ops,
    .descriptors = 1,
    .make = make,
    .fact = fact,
};

static weir_link *create(void *context, weir_runtime *runtime)
{
    const ipc_context *ipc = context;

    return weir__socket_link_new(&ipc->socket, runtime, sizeof(socket_link));
}

static const weir_transport transport = {
    .size = sizeof(weir_transport),
    .body = WEIR_BODY_PATH,
    .configure = weir__ipc_configure,
    .context_free = weir__ipc_context_free,
    .format = weir__ipc_format,
    .create = create,
    .acceptor_create = weir__ipc_acceptor_create,
    .listen = weir__ipc_listen,
    .accepting = weir__socket_listener_accepting,
    .address = weir__socket_listener_address,
    .export_fd = weir__socket_listener_export,
    .describe = weir__ipc_describe,
    .accept = weir__ipc_accept,
    .acceptor_ref = weir__socket_listener_ref,
    .acceptor_close = weir__ipc_acceptor_close,
    .acceptor_free = weir__ipc_acceptor_free,
    .recognizes = recognizes,
    .adopt = adopt,
    .succeed = weir__ipc_succeed,
};

WEIR_PLUGIN(ipc) = {
    WEIR_PLUGIN_HEADER,      .name = IPC_SCHEME,
    .version = WEIR_VERSION, .description = "Unix domain sockets: paths and abstract names",
    .schema = ipc_schema,    .transport = &transport,
};
