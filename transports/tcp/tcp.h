/* SPDX-License-Identifier: MIT */
/* The parts of the TCP transport: options, names, sockets, links, listeners. */
#ifndef WEIR_TCP_H
#define WEIR_TCP_H

#include <netdb.h>
#include <stdbool.h>

#include <weir/transport.h>

#include "socket_link.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define TCP_SCHEME "tcp"

/* What the options of an endpoint came to. */
typedef struct tcp_context {
    socket_context socket;
    char *host; /* NULL: none was given */
    int port;
    int family; /* 0, 4, 6 */
    int hints;
    int backlog;
    weir_address local;    /* family NONE: none was given; the port counts all the same */
    char *device;          /* NULL: any */
    int auto_select;       /* all addresses of a name are tried: 1, 0, or -1: as the runtime has it when it connects */
    int64_t attempt_delay; /* ms; 0: likewise */
    bool connects;         /* to the host, that is */
    bool ipv6_only;
    bool reuse_port;
    bool free_bind;
    bool fast_open;
    bool mptcp;
} tcp_context;

/* -- tcp.c -- */

extern const socket_kind weir__tcp_kind;

/* Where the endpoint is, as its text has it: "localhost:80", "[::1]:80". As snprintf counts. */
size_t weir__tcp_format(const void *context, char *text, size_t size);

/* -- tcp_options.c -- */

int weir__tcp_configure(weir_configure *configure, void **context);
void weir__tcp_context_free(void *context);

/* -- tcp_socket.c -- */

/* See socket_kind. */
int weir__tcp_make(const socket_context *context, const socket_settings *settings, const weir_address *to,
                   const char **syscall, weir_address *where);
void weir__tcp_local(const socket_context *context, const weir_address *to, weir_address *local);

/* A socket bound to `at` for a listener. Below 0: why not; `*syscall` says what was refused. */
int weir__tcp_make_listening(const tcp_context *tcp, const weir_address *at, const char **syscall);

/* What every listening socket is given, also one that was made elsewhere. 0, or an error with `*syscall`. */
int weir__tcp_prepare_listening(const tcp_context *tcp, int fd, const char **syscall);

/* -- tcp_resolve.c -- */

typedef struct tcp_resolve tcp_resolve;

/*
 * `list` is valid during the call; NULL with a status below 0. The tcp_resolve is gone when this is called. Inside a
 * bracket.
 */
typedef void (*tcp_resolved)(void *owner, int status, const struct addrinfo *list);

/* Looks up a host's stream addresses. 0, or an error and no call. */
int weir__tcp_resolve_start(weir_runtime *runtime, const char *host, int family, int hints, tcp_resolved done,
                            void *owner, tcp_resolve **resolve);

/* There will be no call, and nothing of the caller's is touched any more, whenever the answer comes. */
void weir__tcp_resolve_cancel(tcp_resolve *resolve);

/* The error of a look-up that failed (row SRV-66, SOCK-37). */
weir_error *weir__tcp_resolve_error(int code, const char *host);

/* -- tcp_listen.c -- */

weir_acceptor *weir__tcp_acceptor_create(void *context, weir_runtime *runtime);
void weir__tcp_listen(weir_acceptor *acceptor, int fd);
void weir__tcp_describe(const weir_acceptor *acceptor, const weir_arrival *arrival, weir_drop *drop);
void weir__tcp_acceptor_close(weir_acceptor *acceptor);

#endif
