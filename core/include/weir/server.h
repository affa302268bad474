/* SPDX-License-Identifier: MIT */
/* Servers: listen, accept, count, drop. Node's net.Server. */
#ifndef WEIR_SERVER_H
#define WEIR_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include <weir/endpoint.h>
#include <weir/event.h>
#include <weir/options.h>
#include <weir/runtime.h>
#include <weir/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a server is made with (group CSRV). Fill with weir_server_options_init. `stream` has a size of its own, and what is
 * behind it stands where it ends by that.
 */
typedef struct weir_server_options {
    size_t size;                       /* sizeof(weir_server_options): see weir/options.h */
    weir_stream_options stream;        /* of every accepted stream */
    int64_t max_connections;           /* below 1: no limit (SRV-68, A-12) */
    int no_delay;                      /* CSRV-07 */
    int keep_alive;                    /* CSRV-08 */
    uint64_t keep_alive_initial_delay; /* ms (CSRV-09) */
    weir_blocklist *block_list;        /* arrivals that are dropped (BN-09); retained, like stream.block_list */
} weir_server_options;

static inline void weir_server_options_init(weir_server_options *options)
{
    weir_options_init(options, sizeof(*options));
    weir_stream_options_init(&options->stream);
}

/*
 * A server that does not listen yet (SRV-02). `options` may be NULL. NULL: no memory, the runtime is ending, an
 * onread that has no memory (weir_onread), or options that weir/options.h refuses. The caller releases it.
 */
WEIR_EXPORT weir_server *weir_server_new(weir_runtime *runtime, const weir_server_options *options);
WEIR_EXPORT weir_server *weir_server_retain(weir_server *server);
WEIR_EXPORT void weir_server_release(weir_server *server);

/*
 * Listeners: see weir/event.h. 'clientError' is told of an arrival whose layers could not be opened, instead of 'connection'
 * and of an 'error' that nobody could hear: `stream` is that arrival, still there for weir_stream_get (what the client asked
 * for, why it failed: each layer's README lists its facts) and destroyed when the listeners have run; `address` is the
 * client's, NULL where it is not known.
 */
WEIR_EXPORT int weir_server_on(weir_server *server, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT int weir_server_once(weir_server *server, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT int weir_server_prepend(weir_server *server, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT int weir_server_prepend_once(weir_server *server, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT void weir_server_off(weir_server *server, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT void weir_server_remove_all(weir_server *server, weir_event_type type);
WEIR_EXPORT size_t weir_server_listener_count(const weir_server *server, weir_event_type type);

/*
 * Listens at an endpoint given as text (URL or JSON). Returns at once; then 'listening' or 'error', never both, on a
 * later tick (SRV-04, SRV-34). `listener` (may be NULL) is a one-time 'listening' listener (SRV-35).
 *
 * After 'error', and as soon as close() was called, a server may listen again, also from its listeners (SRV-39). Each
 * listen() begins a cycle with an end of its own: 'error', or 'close' once after close(), when the connections that came
 * since that listen() have closed. Those of earlier cycles may last longer than the next cycle takes to begin; 'close'
 * of one says nothing about another (weir_server_listening tells whether the server listens), and what cycles have to
 * tell of beginning and failing comes in their order. Limits and counts are those of the server, over all cycles.
 *
 * 0; WEIR_ESERVER_ALREADY_LISTEN (SRV-40); WEIR_EINVALID_ENDPOINT, WEIR_EINVALID_CONFIG, WEIR_ENOPLUGIN, WEIR_EPLUGIN
 * (weir_endpoint_parse says why); UV_ENOTSUP (a transport that does not listen); UV_ECANCELED (the runtime is ending);
 * UV_EINVAL; UV_ENOMEM. What the system refuses comes as 'error' (SRV-11).
 */
WEIR_EXPORT int weir_server_listen(weir_server *server, const char *endpoint, weir_listener listener, void *arg);
WEIR_EXPORT int weir_server_listen_endpoint(weir_server *server, weir_endpoint *endpoint, weir_listener listener,
                                            void *arg);

/*
 * The same on a socket that is bound already: `fd` is the server's from a return of 0 on (SRV-46). The endpoint's
 * transport must be able to adopt it, otherwise UV_ENOTSUP.
 */
WEIR_EXPORT int weir_server_listen_fd(weir_server *server, weir_endpoint *endpoint, int fd, weir_listener listener,
                                      void *arg);

/* A duplicate of the listening socket, close-on-exec, the caller's. Below 0: UV_ENOTCONN (does not listen), UV_ENOTSUP.
 */
WEIR_EXPORT int weir_server_export_fd(const weir_server *server);

/*
 * Stops accepting at once and keeps the connections; 'close' comes when the last one has closed, after its own 'close'
 * (SRV-07, SRV-08, SRV-21, BN-22). `callback` (may be NULL) runs once: with 0 at that 'close', in the place among its
 * listeners that a one-time listener added now would have, though removing all listeners does not remove it (SRV-25); or
 * with WEIR_ESERVER_NOT_RUNNING on a later tick when the server was not open (SRV-24; no 'close' event then, A-14).
 * 0; with nothing done: UV_ENOMEM, UV_ECANCELED (the runtime has ended, and there is a callback).
 */
typedef void (*weir_server_callback)(weir_server *server, int status, void *arg);
WEIR_EXPORT int weir_server_close(weir_server *server, weir_server_callback callback, void *arg);

/*
 * close(), then end() for every connection there is, and destroy() for those of them that are left after `grace`
 * milliseconds (BN-26); called again, also on a server that is closing, the later grace counts. As weir_server_close.
 */
WEIR_EXPORT int weir_server_close_all(weir_server *server, uint64_t grace, weir_server_callback callback, void *arg);

/*
 * close() and run the loop until 'close' (SRV-28). 0, UV_EBUSY inside a callback, UV_ENOMEM, UV_ECANCELED when the loop
 * has nothing left to do before (the server and its connections do not hold it: weir_server_unref),
 * WEIR_ESERVER_NOT_RUNNING (also for NULL, and when the runtime has ended).
 */
WEIR_EXPORT int weir_server_close_wait(weir_server *server);

/* Where it listens (SRV-16 to 20). 0, or UV_ENOTCONN: it does not. */
WEIR_EXPORT int weir_server_address(const weir_server *server, weir_address *address);

/* The endpoint's text with the address it really has ("tcp://127.0.0.1:41237"). Like weir_endpoint_format. */
WEIR_EXPORT size_t weir_server_format(const weir_server *server, char *text, size_t size);

WEIR_EXPORT int weir_server_listening(const weir_server *server);      /* SRV-67 */
WEIR_EXPORT size_t weir_server_connections(const weir_server *server); /* SRV-29 */
/* Asynchronous: callback(server, count, arg) on a later tick (SRV-31). 0, UV_EINVAL (none), UV_ENOMEM, UV_ECANCELED (the
 * runtime has ended). */
WEIR_EXPORT int weir_server_get_connections(weir_server *server, weir_server_callback callback, void *arg);
WEIR_EXPORT int64_t weir_server_max_connections(const weir_server *server);
WEIR_EXPORT void weir_server_set_max_connections(weir_server *server, int64_t count); /* SRV-69 */

/*
 * Whose connections are dropped on arrival, before they are counted, with the reason WEIR_DROP_BLOCK_LIST (BN-09). Set
 * for those that come later, and retained; NULL: nobody's. What the endpoint's own "blockList" names is dropped as well.
 * Paths are never on a list. The list that is given back is the server's.
 */
WEIR_EXPORT weir_blocklist *weir_server_block_list(const weir_server *server);
WEIR_EXPORT void weir_server_set_block_list(weir_server *server, weir_blocklist *list);

/* Calls `visit` for every connection, also opening ones; it may destroy any of them. */
WEIR_EXPORT void weir_server_each(weir_server *server, void (*visit)(weir_stream *stream, void *arg), void *arg);

WEIR_EXPORT void weir_server_ref(weir_server *server);   /* SRV-71 */
WEIR_EXPORT void weir_server_unref(weir_server *server); /* SRV-73 */

WEIR_EXPORT weir_runtime *weir_server_runtime(const weir_server *server);
WEIR_EXPORT void weir_server_set_data(weir_server *server, void *data);
WEIR_EXPORT void *weir_server_data(const weir_server *server);

#ifdef __cplusplus
}
#endif
#endif
