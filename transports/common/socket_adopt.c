/* SPDX-License-Identifier: MIT */
/* Sockets that somebody else made: what they are, and a link on one that is connected. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "socket_link.h"

int weir__socket_domain(int fd)
{
    int type = 0;
    int domain = -1;
    socklen_t size = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_STREAM)
        return -1;
    size = sizeof(domain);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) ? -1 : domain;
}

/* One that listens has no peer either. */
static int find_peer(int fd, weir_address *remote)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);

    memset(remote, 0, sizeof(*remote));
    if (getpeername(fd, (struct sockaddr *)&storage, &size))
        return uv_translate_sys_error(errno);
    (void)weir_address_from_sockaddr(remote, (struct sockaddr *)&storage, size); /* of a socketpair: no name */
    return 0;
}

int weir__socket_link_adopt(const socket_context *context, weir_runtime *runtime, int fd, weir_link **link)
{
    int status_flags = fcntl(fd, F_GETFL);
    int descriptor_flags = fcntl(fd, F_GETFD);
    weir_address remote;
    int status;

    if (status_flags < 0 || descriptor_flags < 0)
        return uv_translate_sys_error(errno);
    status = find_peer(fd, &remote);
    if (status)
        return status;
    if (fcntl(fd, F_SETFL, status_flags | O_NONBLOCK) || fcntl(fd, F_SETFD, descriptor_flags | FD_CLOEXEC))
        status = uv_translate_sys_error(errno);
    else
        status = weir__socket_link_take(context, runtime, fd, &remote, link);
    if (!status)
        return 0;
    (void)fcntl(fd, F_SETFL, status_flags);
    (void)fcntl(fd, F_SETFD, descriptor_flags);
    return status;
}
