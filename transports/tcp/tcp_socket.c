/* SPDX-License-Identifier: MIT */
/* TCP sockets: made, given their options and bound, for connecting and for listening. */
#define _GNU_SOURCE

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "tcp.h"

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif

#define FAST_OPEN_QUEUE 256

static int last_error(void)
{
    return uv_translate_sys_error(errno);
}

static int turn_on(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) ? last_error() : 0;
}

static int open_socket(const tcp_context *tcp, int domain)
{
    int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = -1;

    /* A kernel without MPTCP, or with it switched off, says so in several ways; plain TCP then decides. */
    if (tcp->mptcp)
        fd = socket(domain, type, IPPROTO_MPTCP);
    if (fd < 0)
        fd = socket(domain, type, IPPROTO_TCP);
    return fd < 0 ? last_error() : fd;
}

/* What has to be said before bind(2). */
static int prepare_binding(const tcp_context *tcp, int fd, int domain, const char **syscall)
{
    int status = 0;

    *syscall = "setsockopt freeBind";
    if (tcp->free_bind)
        status =
            domain == AF_INET6 ? turn_on(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) : turn_on(fd, IPPROTO_IP, IP_FREEBIND, 1);
    if (status)
        return status;
    *syscall = "setsockopt bindToDevice";
    if (tcp->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, tcp->device, (socklen_t)strlen(tcp->device)))
        return last_error();
    return 0;
}

static int bind_to(int fd, const weir_address *at, const char **syscall)
{
    struct sockaddr_storage storage;
    size_t size = sizeof(storage);
    int status = weir_address_to_sockaddr(at, &storage, &size);

    *syscall = "bind";
    if (!status && bind(fd, (struct sockaddr *)&storage, (socklen_t)size))
        status = last_error();
    return status;
}

static int apply_settings(const socket_settings *settings, int fd, const char **syscall)
{
    const char *failed;

    *syscall = "setsockopt";
    return weir__socket_settings_apply(settings, fd, SOCKET_TCP, &failed);
}

void weir__tcp_local(const socket_context *context, const weir_address *to, weir_address *local)
{
    *local = ((const tcp_context *)context)->local;
    if (local->family == WEIR_FAMILY_NONE && local->port != 0)
        (void)weir_address_from_ip(local, to->family == WEIR_FAMILY_IPV6 ? "::" : "0.0.0.0", local->port);
}

/* CONN-13, CONN-14. A bound client may take a port that is in TIME_WAIT. */
static int bind_client(const tcp_context *tcp, int fd, const weir_address *to, const char **syscall,
                       weir_address *where)
{
    weir_address local;
    int status;

    weir__tcp_local(&tcp->socket, to, &local);
    if (local.family == WEIR_FAMILY_NONE)
        return 0;
    if (local.port)
        (void)turn_on(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else /* a port that is chosen when the peer is known need only differ for the same peer: there are more of them */
        (void)turn_on(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    status = bind_to(fd, &local, syscall);
    if (status)
        *where = local;
    return status;
}

int weir__tcp_make(const socket_context *context, const socket_settings *settings, const weir_address *to,
                   const char **syscall, weir_address *where)
{
    const tcp_context *tcp = (const tcp_context *)context;
    int domain = to->family == WEIR_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    int status;
    int fd;

    *syscall = "socket";
    fd = open_socket(tcp, domain);
    if (fd < 0)
        return fd;
    status = apply_settings(settings, fd, syscall);
    if (!status)
        status = prepare_binding(tcp, fd, domain, syscall);
    if (!status)
        status = bind_client(tcp, fd, to, syscall, where);
    if (!status && tcp->fast_open)
        (void)turn_on(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1); /* only faster: never a reason to fail */
    if (status) {
        close(fd);
        return status;
    }
    *syscall = "connect";
    return fd;
}

int weir__tcp_prepare_listening(const tcp_context *tcp, int fd, const char **syscall)
{
    if (tcp->fast_open)
        (void)turn_on(fd, IPPROTO_TCP, TCP_FASTOPEN, FAST_OPEN_QUEUE);
    /* What the listener has, the sockets it accepts have from their beginning. */
    return apply_settings(&tcp->socket.settings, fd, syscall);
}

int weir__tcp_make_listening(const tcp_context *tcp, const weir_address *at, const char **syscall)
{
    int domain = at->family == WEIR_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    int status;
    int fd;

    *syscall = "socket";
    fd = open_socket(tcp, domain);
    if (fd < 0)
        return fd;
    *syscall = "setsockopt";
    status = turn_on(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!status && domain == AF_INET6)
        status = turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, tcp->ipv6_only); /* whatever the system's default is */
    if (!status && tcp->reuse_port)
        status = turn_on(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (!status)
        status = prepare_binding(tcp, fd, domain, syscall);
    if (!status)
        status = weir__tcp_prepare_listening(tcp, fd, syscall);
    if (!status) {
        status = bind_to(fd, at, syscall);
        *syscall = "listen"; /* SRV-11: of a server, a failing bind is listen's */
    }
    if (status) {
        close(fd);
        return status;
    }
    return fd;
}
