/* SPDX-License-Identifier: MIT */
/*
 * Node's own forms: ports, hosts, paths and descriptors where the rest of weir takes an endpoint. Each makes the endpoint
 * of tcp or ipc that its arguments describe, and goes the same way on.
 */
#ifndef WEIR_NET_H
#define WEIR_NET_H

#include <stddef.h>
#include <stdint.h>

#include <weir/abort.h>
#include <weir/options.h>
#include <weir/server.h>
#include <weir/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Connecting (group CONN) ---- */

/* Where to connect to. Fill with weir_connect_options_init: nothing given. The texts are read in the call. */
typedef struct weir_connect_options {
    size_t size;               /* sizeof(weir_connect_options): see weir/options.h */
    int port;                  /* 0 to 65535, tcp; -1: not given (CONN-10) */
    const char *host;          /* a name or an address; NULL or "": "localhost" (CONN-12) */
    const char *path;          /* ipc: then what belongs to tcp is not even looked at (CONN-33) */
    size_t path_length;        /* 0: up to its NUL; a path that begins with a NUL is abstract (PATH-11) */
    const char *local_address; /* NULL: any (CONN-13) */
    int local_port;            /* 0: any (CONN-14) */
    int family;                /* 0, 4, 6 (CONN-15) */
    int hints;                 /* AI_ADDRCONFIG, AI_V4MAPPED, AI_ALL (CONN-17) */
    int auto_select_family;    /* 1, 0; -1: the runtime's default (CONN-25) */
    int64_t auto_select_family_attempt_timeout; /* ms, under 10 is 10; 0: the runtime's default (CONN-32) */
} weir_connect_options;

static inline void weir_connect_options_init(weir_connect_options *options)
{
    weir_options_init(options, sizeof(*options));
    options->port = -1;
    options->auto_select_family = -1;
}

/*
 * As weir_stream_connect (CONN-01). What Node throws is returned, with the stream as it was: WEIR_EMISSINGARGS (neither
 * port nor path, CONN-11), WEIR_ESOCKETBADPORT (CONN-10, local_port too), WEIR_EINVALIDIPADDRESS (local_address,
 * CONN-13), WEIR_EINVALIDARGVALUE (family, hints, an empty path, a NUL in a file's path, a host that is no UTF-8),
 * WEIR_EOUTOFRANGE (attempt time-out, CONN-32), UV_ENAMETOOLONG (path, BN-12); UV_EINVAL (no options, or no size); and
 * what weir_stream_connect returns. -1 as _port's port is none (WEIR_ESOCKETBADPORT), NULL as _path's path is missing.
 */
WEIR_EXPORT int weir_stream_connect_with(weir_stream *stream, const weir_connect_options *options,
                                         weir_listener listener, void *arg);
WEIR_EXPORT int weir_stream_connect_port(weir_stream *stream, int port, const char *host, weir_listener listener,
                                         void *arg); /* CONN-08 */
WEIR_EXPORT int weir_stream_connect_path(weir_stream *stream, const char *path, weir_listener listener,
                                         void *arg); /* CONN-07 */

/* Node's createConnection (CONN-36 to CONN-44): a new stream that connects. As weir_connect. */
WEIR_EXPORT weir_stream *weir_create_connection(weir_runtime *runtime, const weir_connect_options *options,
                                                const weir_stream_options *stream_options, weir_listener listener,
                                                void *arg, int *error);

/* ---- Listening (group SRV) ---- */

/*
 * Where to listen (SRV-49). Fill with weir_listen_options_init: nothing given. The first of these that is given counts:
 * server, stream, fd, port, path (SRV-50). None of them is WEIR_EINVALIDARGVALUE (SRV-52).
 */
typedef struct weir_listen_options {
    size_t size;               /* sizeof(weir_listen_options): see weir/options.h */
    const weir_server *server; /* listens: its socket is shared, by a duplicate of its own (SRV-45) */
    const weir_stream *stream; /* likewise the socket that a stream stands on (SRV-45) */
    int fd;                    /* a bound socket, the server's after a return of 0 (SRV-46); -1: not given */
    int port;                  /* 0: a free one; -1: not given */
    const char *host;          /* NULL: all addresses (SRV-63) */
    const char *path;          /* ipc */
    size_t path_length;        /* as in weir_connect_options */
    int backlog;               /* 0: 511 (SRV-36) */
    int exclusive;             /* taken, means nothing (SRV-54) */
    int readable_all;          /* ipc (SRV-56) */
    int writable_all;          /* ipc (SRV-57) */
    int ipv6_only;             /* tcp (SRV-59) */
    weir_abort *signal;        /* fired: the server closes (SRV-60); fired before: 'close', and never 'listening' */
} weir_listen_options;

static inline void weir_listen_options_init(weir_listen_options *options)
{
    weir_options_init(options, sizeof(*options));
    options->fd = -1;
    options->port = -1;
}

/*
 * As weir_server_listen (SRV-33); `options` NULL: at any free port (SRV-62). Returned with the server as it was:
 * UV_EINVAL (no size), WEIR_ESOCKETBADPORT (SRV-53), WEIR_EINVALIDARGVALUE (SRV-52: also an empty path; PATH-13;
 * backlog below 0; host is no UTF-8), UV_ENAMETOOLONG; UV_ENOTCONN (the other server does not listen, or the stream is
 * not connected), UV_EBADF (fd below -1), WEIR_EINVALIDFDTYPE (the stream stands on no socket that a transport knows);
 * and what weir_server_listen returns. An `fd` that is not open, or no socket, comes as 'error' UV_EINVAL, as what the
 * system refuses (SRV-46).
 */
WEIR_EXPORT int weir_server_listen_with(weir_server *server, const weir_listen_options *options, weir_listener listener,
                                        void *arg);
WEIR_EXPORT int weir_server_listen_port(weir_server *server, int port, const char *host, int backlog,
                                        weir_listener listener, void *arg);
WEIR_EXPORT int weir_server_listen_path(weir_server *server, const char *path, int backlog, weir_listener listener,
                                        void *arg); /* SRV-61 */

/* Node's createServer (CSRV-01): a server with a 'connection' listener (may be NULL). As weir_server_new. */
WEIR_EXPORT weir_server *weir_create_server(weir_runtime *runtime, const weir_server_options *options,
                                            weir_listener listener, void *arg);

/* ---- Descriptors (SOCK-04 to SOCK-09) ---- */

typedef struct weir_adopt_options {
    size_t size;      /* sizeof(weir_adopt_options): see weir/options.h */
    const char *type; /* "tcp4", "tcp6", "unix": it must be such a one (SOCK-06); NULL: any */
    int readable;     /* with writable 0: it is not written to, and the other way round; */
    int writable;     /* both 0 or both 1: both ways */
} weir_adopt_options;

/*
 * A stream around a connected socket, which is the stream's from now on: open at once, without 'connect' and 'ready'
 * (SOCK-04); made non-blocking and close-on-exec, its options left as they are. A side that is not wanted is over from the
 * start, without 'end' or 'finish', and nothing is sent to say so: not readable, it is destroyed after 'finish'; not
 * writable, after 'end', and a write is one after the end. A socket file behind it is never removed (PATH-08). `options`
 * and `adopt` may be NULL. The stream is the caller's to release.
 *
 * NULL with `*error`, and the descriptor is the caller's still, as it was: UV_EBADF, WEIR_EOUTOFRANGE (negative,
 * SOCK-05), WEIR_EINVALIDFDTYPE (not a stream socket that a transport knows, or not of this type), UV_ENOTCONN (also a
 * listening socket), UV_EEXIST (the loop watches it already), UV_EINVAL (no runtime), UV_ECANCELED (it is ending),
 * WEIR_EINVALIDARGVALUE (onread without memory), UV_EINVAL and UV_E2BIG (`adopt` or `options`, as weir/options.h says),
 * WEIR_ENOPLUGIN, WEIR_EPLUGIN, UV_ENOMEM.
 */
WEIR_EXPORT weir_stream *weir_stream_adopt(weir_runtime *runtime, int fd, const weir_adopt_options *adopt,
                                           const weir_stream_options *options, int *error);

/* ---- Defaults of a runtime (MOD-09 to MOD-13) ---- */

WEIR_EXPORT int weir_default_auto_select_family(const weir_runtime *runtime); /* 1 at first */
WEIR_EXPORT void weir_set_default_auto_select_family(weir_runtime *runtime, int on);
WEIR_EXPORT int64_t weir_default_auto_select_family_attempt_timeout(const weir_runtime *runtime); /* ms, 250 at first */
/* 1 to 9 become 10. 0; WEIR_EOUTOFRANGE (below 1, or more than 2147483647): unchanged. */
WEIR_EXPORT int weir_set_default_auto_select_family_attempt_timeout(weir_runtime *runtime, int64_t milliseconds);

#ifdef __cplusplus
}
#endif
#endif
