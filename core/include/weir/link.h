/* SPDX-License-Identifier: MIT */
/*
 * Links: the one contract between a stream and what moves or transforms its bytes. For authors of transports and
 * layers.
 *
 * A stream stands on a stack of links: layers (tls ...) and, at the bottom, a transport (tcp, ipc ...). A link is
 * mechanics only: it never decides to half-close, never times out, never queues without bound, never calls the
 * application.
 *
 * Downwards come operations (weir_link_ops), upwards go reports (weir_up_*). Links never call each other: a link calls
 * weir_down_* to reach the link below it and weir_up_* to report upwards; the core stands between any two, knows who is
 * open and who is closing, and in debug builds asserts laws 1 to 9 (the tenth is for the reader):
 *
 *  1. Open goes from the bottom up: `open` is called when the link below has reported opened. An end from below before
 * a layer reported opened is that layer's failure: its `on_end` says what was cut short, by weir_up_failed, or else the
 * core does. So does its `on_failed` when `handshakeTimeout` runs out.
 *  2. data and end come only between read_start and read_stop, a hang-up only outside. read_stop holds at once, even
 * when it is called from inside data. What a layer has already decoded it keeps (bounded) and delivers after the next
 * read_start without waiting for new bytes from below.
 *  3. end comes once, and no data after it.
 *  4. Writes complete once each, in order, including those that close cancels (UV_ECANCELED, before closed).
 *  5. A link holds a bounded number of bytes. `held` tells those that are completed upwards and still only here.
 *  6. shutdown runs after the writes before it. Reading goes on after it.
 *  7. A write that fails is written(error), and the link latches it. After failed only close is called, and only
 * written and closed are reported.
 *  8. closed comes exactly once, later than the close call, from every state, without waiting for a peer, for
 *     writability or for a resolver.
 *  9. Any report may re-enter any operation, close included. A link touches itself after a report only while it is
 * still open (weir_link_closing() is 0); its memory stays valid until its `free` is called, at depth 0.
 * 10. A plugin has no mutable globals.
 *
 * All calls are made in the runtime's thread. A link's own callbacks from libuv begin with weir_runtime_enter and end
 * with weir_runtime_leave. An operation that returns a code below 0 has done nothing and reports nothing;
 * one that returns 0 reports exactly once, never inside the call.
 */
#ifndef WEIR_LINK_H
#define WEIR_LINK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <weir/endpoint.h>
#include <weir/lookup.h>
#include <weir/runtime.h>
#include <weir/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_link weir_link;

typedef enum weir_close_mode {
    WEIR_CLOSE_ORDERLY, /* what the kernel has taken is still sent */
    WEIR_CLOSE_RESET    /* the peer sees a reset where the transport can do that (SOCM-24) */
} weir_close_mode;

/*
 * A link's table. A NULL member means "pass it through" to the link below (operations) or above (on_...): a layer that
 * only counts bytes has two functions. A transport, having nothing below, must fill those marked T.
 */
typedef struct weir_link_ops {
    size_t size;      /* sizeof(weir_link_ops): tables grow by appending */
    const char *name; /* of the plugin: "tcp" */

    /* -- operations, called from above -- */

    /* T  Begin: connect, or (a layer) the handshake; the link below is open. Then weir_up_opened or weir_up_failed,
     * which may come inside the call. Not called on links that a listener made: those are open when they arrive. */
    void (*open)(weir_link *link);

    /* T  Report what comes in / nothing any more. Never called twice in a row without the other. After read_stop a
     * transport that can tell reports a peer that has gone by weir_up_hangup. */
    void (*read_start)(weir_link *link);
    void (*read_stop)(weir_link *link);

    /* As much as goes now, from the caller's memory: bytes taken (at least 1), or UV_EAGAIN, or an error, which is not
     * latched. The rest of a try that took something is offered again before any other byte, or the link is closed. NULL
     * in a layer that cannot: the core then uses write. Never while a write is outstanding. */
    ssize_t (*try_write)(weir_link *link, const struct iovec *bufs, size_t count);

    /* T  All of it or an error, later: weir_up_written. `bufs` and the bytes stay as they are until then; count is at
     * least 1 and any number. One is outstanding at a time. */
    int (*write)(weir_link *link, const struct iovec *bufs, size_t count);

    /* Nothing more is queued above: send what you hold back. */
    void (*flush)(weir_link *link);

    /* Like write, with descriptors that travel with the first byte; only when this link is the whole stack. */
    int (*write_fds)(weir_link *link, const struct iovec *bufs, size_t count, const int *fds, size_t fd_count);

    /* T  End of our writing, in this link's own terms; then weir_up_shut. Called once, with no write outstanding. */
    int (*shutdown)(weir_link *link);

    /* T  End now, from any state, without waiting for anybody; then weir_up_closed, later than this call. A layer closes
     * only itself: the core calls close from the top link to the bottom one, in one go. Called once. An outstanding write
     * is reported (UV_ECANCELED) before closed. */
    void (*close)(weir_link *link, weir_close_mode mode);

    /* A named fact or option: 0, UV_ENOENT (not mine: ask below), or another error, which is the answer. A layer is
     * asked for facts after closed too, until its `free`; a transport is not. */
    int (*get)(weir_link *link, const char *name, weir_value *value);
    int (*set)(weir_link *link, const char *name, const weir_value *value);

    /* Bytes that only this link holds: of writes already completed upwards, and of decoded data not yet reported. */
    void (*held)(const weir_link *link, size_t *to_write, size_t *to_read);

    /* The link's handles keep the loop alive (1, the state at first) or do not (0). */
    void (*ref)(weir_link *link, int on);

    /* T  The last call: after closed, at depth 0, or instead of everything when a stack could not be made. */
    void (*free)(weir_link *link);

    /* -- reports of the link below, layers only -- */

    weir_buf *(*on_buffer)(weir_link *link, size_t suggested);
    void (*on_data)(weir_link *link, weir_buf *buf);
    void (*on_end)(weir_link *link);
    void (*on_hangup)(weir_link *link);
    void (*on_written)(weir_link *link, int status);
    void (*on_shut)(weir_link *link, int status);
    void (*on_failed)(weir_link *link, const weir_error *error);
} weir_link_ops;

/*
 * One stage of a stream. A plugin embeds it as the first member of its own struct, zeroed, with `ops` set; the core
 * fills in the rest when it takes the link.
 */
struct weir_link {
    const weir_link_ops *ops;
    weir_stream *stream; /* whose stage this is */
    weir_link *upper;    /* towards the application; NULL: the stream itself */
    weir_link *lower;    /* towards the wire; NULL for a transport */
    uint32_t state;      /* the core's: what it has been told and has reported */
    uint32_t reserved;
};

/* The runtime of the link's stream. */
WEIR_EXPORT weir_runtime *weir_link_runtime(const weir_link *link);

/* 1 from the close call on. After any report: do not touch your own state any more when this is 1 (law 9). */
WEIR_EXPORT int weir_link_closing(const weir_link *link);

/* 1 once the link has failed: by its own report, or because the link below ended before it was open (law 1). It reports
 * nothing more then but written and closed. */
WEIR_EXPORT int weir_link_failed(const weir_link *link);

/* 1 while the link above wants data: between read_start and read_stop. */
WEIR_EXPORT int weir_link_reading(const weir_link *link);

/*
 * 1 while somebody listens for 'fd', and the link is the whole stack: descriptors that arrive are worth being received.
 * Otherwise let the kernel drop them.
 */
WEIR_EXPORT int weir_link_wants_fds(const weir_link *link);

/*
 * For transports that connect to IP addresses: 0, or WEIR_EIP_BLOCKED where the stream's block list or its endpoint's
 * names this one, which then is a failed attempt without any packet sent. Paths are on no list.
 */
WEIR_EXPORT int weir_link_permits(const weir_link *link, const weir_address *address);

/* ---- Reports upwards, by the link that reports ---- */

/* Now usable. */
WEIR_EXPORT void weir_up_opened(weir_link *link);

/*
 * Memory to read into: `data` and `size` (room, at least 1). It is the core's (or the layer's above, or the user's),
 * valid until this link's next weir_up_data or return to the loop. Nobody asks for a size: the runtime's slab of 256
 * KiB. NULL: no memory, or the user who was asked for it has stopped or closed the stream in that call: stop, and, where
 * the link is still open and reading, try again on the next turn.
 */
WEIR_EXPORT weir_buf *weir_up_buffer(weir_link *link, size_t suggested);

/*
 * Bytes: `buf` is what weir_up_buffer gave, with `size` set to what was read (at least 1), or a buffer of the link's
 * own. The reporter keeps its reference; whoever keeps the bytes retains.
 */
WEIR_EXPORT void weir_up_data(weir_link *link, weir_buf *buf);

/*
 * Descriptors (fd_count of them, close-on-exec) that belong to the data that follows, even when a listener stops the
 * reading in between. They are the receiver's; below a layer they are closed.
 */
WEIR_EXPORT void weir_up_fds(weir_link *link, const int *fds, size_t fd_count);

/* The peer has ended its writing, and all its data was reported. */
WEIR_EXPORT void weir_up_end(weir_link *link);

/*
 * The peer has gone, seen while reading was stopped; no data consumed. At most once, and not behind the end (BN-05). A
 * layer without on_hangup passes it on when it is open and nobody above reads: the core keeps it until then.
 */
WEIR_EXPORT void weir_up_hangup(weir_link *link);

/* The outstanding write: 0, or why not. */
WEIR_EXPORT void weir_up_written(weir_link *link, int status);

/* The shutdown: 0, or why not. */
WEIR_EXPORT void weir_up_shut(weir_link *link, int status);

/* Broken, for good; at most once. The core retains the error. */
WEIR_EXPORT void weir_up_failed(weir_link *link, const weir_error *error);

/*
 * Closed; the last report ever. Not inside the close call: weir_runtime_defer a task for it. The link is freed before the
 * running bracket ends: after this touch it no more, and nothing of it after weir_runtime_leave.
 */
WEIR_EXPORT void weir_up_closed(weir_link *link);

/* An event of this layer for the application (WEIR_EVENT_LAYER). The payload is read before the call returns. */
WEIR_EXPORT void weir_up_notify(weir_link *link, const char *event, const void *payload, size_t size);

/*
 * For transports that resolve and try addresses: WEIR_EVENT_LOOKUP (error or address, and the host) and the three
 * WEIR_EVENT_CONNECTION_ATTEMPT... (address; FAILED with its error). Before opened.
 */
WEIR_EXPORT void weir_up_attempt(weir_link *link, weir_event_type type, const weir_address *address,
                                 const weir_error *error, const char *host);

/*
 * For transports that resolve: asks the application's own resolver, where the stream has one (CONN-18). While opening,
 * one question at a time. 0: there is none, resolve yourself. 1: `done` comes once, never inside this call, unless the
 * link is closed before: with an error (CONN-21), or with at least one address, all of them IP addresses of the family
 * that was asked for; they are valid during the call, their ports mean nothing. Below 0, and no `done`: UV_ENOMEM,
 * UV_EALREADY (it was asked already), UV_ECANCELED (the link is closing).
 */
typedef void (*weir_link_lookup_callback)(weir_link *link, const weir_error *error, const weir_address *addresses,
                                          size_t count);
WEIR_EXPORT int weir_link_lookup(weir_link *link, const char *host, const weir_lookup_options *options,
                                 weir_link_lookup_callback done);

/*
 * Bytes went through to the peer or came from it though nothing else was reported, or `held` has fallen: the idle timer
 * begins anew, and 'drain' is looked at again.
 */
WEIR_EXPORT void weir_up_activity(weir_link *link);

/* ---- Operations downwards, by a layer on the link below it: `link` is the caller ---- */

WEIR_EXPORT void weir_down_read_start(weir_link *link);
WEIR_EXPORT void weir_down_read_stop(weir_link *link);
WEIR_EXPORT ssize_t weir_down_try_write(weir_link *link, const struct iovec *bufs, size_t count);
WEIR_EXPORT int weir_down_write(weir_link *link, const struct iovec *bufs, size_t count);
WEIR_EXPORT void weir_down_flush(weir_link *link);
WEIR_EXPORT int weir_down_shutdown(weir_link *link);
WEIR_EXPORT int weir_down_get(weir_link *link, const char *name, weir_value *value);
WEIR_EXPORT int weir_down_set(weir_link *link, const char *name, const weir_value *value);

/*
 * Runs `settle->run` once when the outermost bracket ends, after the deferred tasks: where a socket link compares the
 * events it wants with those it has armed. Queued twice it runs once. weir_runtime_cancel takes it out.
 */
WEIR_EXPORT void weir_runtime_settle(weir_runtime *runtime, weir_task *settle);

#ifdef __cplusplus
}
#endif
#endif
