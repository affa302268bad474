/* SPDX-License-Identifier: MIT */
/* Listening on TCP: a host or none to one address, a bound socket, and on to the shared listener. */
#define _GNU_SOURCE

#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "socket_error.h"
#include "socket_listener.h"
#include "tcp.h"

typedef struct tcp_listener {
    socket_listener socket;
    const tcp_context *tcp;
    tcp_resolve *resolve;
} tcp_listener;

weir_acceptor *weir__tcp_acceptor_create(void *context, weir_runtime *runtime)
{
    tcp_listener *listener = weir_calloc(1, sizeof(*listener));

    if (!listener)
        return NULL;
    listener->tcp = context;
    weir__socket_listener_init(&listener->socket, &listener->tcp->socket, runtime);
    return &listener->socket.acceptor;
}

static void fail(tcp_listener *listener, int code, const char *syscall, const weir_address *at)
{
    weir__socket_listener_fail(&listener->socket, weir__socket_error(code, syscall, TCP_SCHEME, at));
}

/* Listens on a socket that is bound, or reports why not and closes it. */
static void start(tcp_listener *listener, int fd, const weir_address *at)
{
    const char *syscall;
    int status = weir__socket_listener_start(&listener->socket, fd, listener->tcp->backlog, &syscall);

    if (!status)
        return;
    close(fd);
    fail(listener, status, syscall, at);
}

static void listen_at(tcp_listener *listener, const weir_address *at)
{
    const char *syscall;
    int fd = weir__tcp_make_listening(listener->tcp, at, &syscall);

    if (fd < 0)
        fail(listener, fd, syscall, at);
    else
        start(listener, fd, at);
}

/*
 * No host: all addresses, by one socket that takes both families (SRV-63). Where there is no IPv6, all of IPv4;
 * a port that is taken or forbidden is an answer, not a lack of IPv6.
 */
static void listen_anywhere(tcp_listener *listener)
{
    const tcp_context *tcp = listener->tcp;
    uint16_t port = (uint16_t)tcp->port;
    weir_address at;
    const char *syscall;
    int fd;

    if (tcp->family == 4) {
        (void)weir_address_from_ip(&at, "0.0.0.0", port);
        listen_at(listener, &at);
        return;
    }
    (void)weir_address_from_ip(&at, "::", port);
    fd = weir__tcp_make_listening(tcp, &at, &syscall);
    if (fd >= 0) {
        start(listener, fd, &at);
        return;
    }
    if (fd == UV_EADDRINUSE || fd == UV_EACCES || tcp->family == 6 || tcp->ipv6_only) {
        fail(listener, fd, syscall, &at);
        return;
    }
    (void)weir_address_from_ip(&at, "0.0.0.0", port);
    listen_at(listener, &at);
}

/* SRV-66: the first result is used. */
static void on_resolved(void *owner, int status, const struct addrinfo *list)
{
    tcp_listener *listener = owner;
    weir_address at;

    listener->resolve = NULL;
    if (!status)
        status = weir_address_from_sockaddr(&at, list->ai_addr, list->ai_addrlen);
    if (status) {
        weir__socket_listener_fail(&listener->socket, weir__tcp_resolve_error(status, listener->tcp->host));
        return;
    }
    at.port = (uint16_t)listener->tcp->port;
    listen_at(listener, &at);
}

/* SRV-46: what is no socket of ours is EINVAL, whatever it is. */
static void adopt(tcp_listener *listener, int fd)
{
    const char *syscall = "listen";
    weir_address none = {.family = WEIR_FAMILY_NONE};
    int status = weir__socket_listener_adopt(fd, AF_INET, AF_INET6);

    if (!status)
        status = weir__tcp_prepare_listening(listener->tcp, fd, &syscall);
    if (!status) {
        start(listener, fd, &none);
        return;
    }
    close(fd);
    weir__socket_listener_fail(&listener->socket, weir__socket_error_hint(status, syscall, TCP_SCHEME, &none,
                                                                          "the descriptor must be a bound TCP socket"));
}

void weir__tcp_listen(weir_acceptor *acceptor, int fd)
{
    tcp_listener *listener = (tcp_listener *)acceptor;
    const tcp_context *tcp = listener->tcp;
    weir_address at;
    int status;

    if (fd >= 0) {
        adopt(listener, fd);
        return;
    }
    if (!tcp->host) {
        listen_anywhere(listener);
        return;
    }
    if (weir_is_ip(tcp->host)) {
        status = weir_address_from_ip(&at, tcp->host, (uint16_t)tcp->port);
        if (!status) {
            listen_at(listener, &at);
            return;
        }
    } else {
        status = weir__tcp_resolve_start(listener->socket.runtime, tcp->host, tcp->family, tcp->hints, on_resolved,
                                         listener, &listener->resolve);
    }
    if (status)
        weir__socket_listener_fail(&listener->socket, weir__tcp_resolve_error(status, tcp->host));
}

void weir__tcp_describe(const weir_acceptor *acceptor, const weir_arrival *arrival, weir_drop *drop)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);

    (void)acceptor;
    if (getsockname(arrival->fd, (struct sockaddr *)&storage, &size) == 0)
        (void)weir_address_from_sockaddr(&drop->local, (struct sockaddr *)&storage, size);
}

/* SRV-27: a name that is still being looked up opens nothing any more. */
void weir__tcp_acceptor_close(weir_acceptor *acceptor)
{
    tcp_listener *listener = (tcp_listener *)acceptor;

    if (listener->resolve)
        weir__tcp_resolve_cancel(listener->resolve);
    listener->resolve = NULL;
    weir__socket_listener_close(acceptor);
}
