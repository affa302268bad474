/* SPDX-License-Identifier: MIT */
/* Streams: a duplex byte stream with events, Node's net.Socket. */
#ifndef WEIR_STREAM_H
#define WEIR_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <weir/abort.h>
#include <weir/blocklist.h>
#include <weir/endpoint.h>
#include <weir/event.h>
#include <weir/lookup.h>
#include <weir/options.h>
#include <weir/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A stream's life. Two tracks, reading `(data | readable)* end?` and writing `drain* finish?`, run side by side, both
 * after 'connect' and 'ready', both before `error? close`. 'close' comes exactly once, always last, never inside
 * destroy(). No listener runs inside the call that caused its event, except 'data'. Every function below may be called
 * in any listener and in any state; what a state does not allow is an error code, never a crash.
 *
 * Ownership: weir_stream_new and weir_connect return a reference of the caller's; the runtime holds one more while the
 * stream is active (connecting, open, closing). A stream of a server's 'connection' is the runtime's: retain it to use
 * it after its 'close'.
 */

/*
 * Reading into memory of the application's own, past the stream's buffer: no 'data', no 'readable', nothing for read(),
 * no marks, no encoding, no pipe out of it; everything else as ever (rows SOCK-11 to SOCK-16, PIPE-18). Such a stream
 * flows as soon as it is open, without a listener. In options of a server it holds for every stream accepted.
 *
 * The memory is one block that is used again and again, or `block`, which is asked before each read (SOCK-12): it
 * returns the block and sets `*size`; NULL or size 0 fails the stream with UV_ENOBUFS. It may be asked for a read that
 * then gives nothing. The memory is lent until the callback has returned, the next block was asked for, or the stream
 * was destroyed. The transport reads straight into it; what comes through a layer may be copied.
 *
 * The callback may do whatever a listener may. WEIR_ONREAD_PAUSE stops the reading like pause(), but it is not one: there
 * is no 'pause', and weir_stream_is_paused stays 0 (SOCK-14). What a layer had ready already waits, in order; so does
 * what weir_stream_unshift puts back, which the callback gets next.
 */
typedef enum weir_onread_result {
    WEIR_ONREAD_PAUSE = 0, /* stop reading until resume() (SOCK-14) */
    WEIR_ONREAD_CONTINUE = 1
} weir_onread_result;

typedef struct weir_onread {
    void *buffer; /* one block of `size` bytes, at least 1; NULL: `block` is asked */
    size_t size;
    void *(*block)(weir_stream *stream, size_t *size, void *arg);
    /* `count` bytes, at least 1, stand at the beginning of `buffer` (SOCK-13). NULL: no onread at all. */
    weir_onread_result (*callback)(weir_stream *stream, size_t count, void *buffer, void *arg);
    void *arg;
} weir_onread;

/* What a stream is made with. Zero means the default everywhere; fill with weir_stream_options_init. */
typedef struct weir_stream_options {
    size_t size;                     /* sizeof(weir_stream_options): see weir/options.h */
    int allow_half_open;             /* SOCK-07, default 0 */
    int no_auto_destroy;             /* LIFE-12, default 0: destroyed after 'end' and 'finish' */
    size_t readable_high_water_mark; /* bytes; 0: the runtime's default (RD-15) */
    size_t writable_high_water_mark; /* bytes; 0: the runtime's default (WR-06) */
    size_t max_write_queue;          /* bytes; 0: no limit (BN-07); pipes bound themselves */
    uint64_t timeout;                /* idle, ms; 0: none (SOCM-41) */
    uint64_t connect_timeout;        /* the whole connect, ms; 0: none (BN-14) */
    uint64_t handshake_timeout;      /* all layers, ms; 0: 120000 (BN-14) */
    uint64_t half_close_timeout;     /* ms from our FIN to the peer's; 0: none (BN-04) */
    int discard_on_end;              /* after our end, read and drop (BN-04) */
    int pause_on_connect;            /* start explicitly paused (CSRV-04) */
    weir_onread onread;              /* the callback not NULL: read into memory of the application's (SOCK-11) */
    weir_abort *signal;              /* fired, it destroys the stream (SOCK-10, BN-18): see weir_stream_new; retained */
    weir_lookup_function lookup;     /* resolves names instead of the system (CONN-18) */
    void *lookup_arg;
    /* Addresses that are not connected to, nor those in an endpoint's own "blockList": WEIR_EIP_BLOCKED. Retained. */
    weir_blocklist *block_list;
    int no_delay;                      /* Nagle off, once connected (SOCK-18, CONN-22) */
    int keep_alive;                    /* probes on, once connected (SOCK-18, CONN-23) */
    uint64_t keep_alive_initial_delay; /* ms (CONN-24) */
} weir_stream_options;

static inline void weir_stream_options_init(weir_stream_options *options)
{
    weir_options_init(options, sizeof(*options));
}

/*
 * A stream that is not connected (row SOCK-02). `options` may be NULL. NULL: no memory, the runtime is ending, an
 * onread with a callback and neither `buffer` with a size nor `block`, or options that weir/options.h refuses. The
 * caller releases it.
 *
 * `signal` destroys the stream with weir_abort_error when it is fired: destroyed is true when weir_abort_fire returns,
 * 'error' and 'close' come on a later tick (PIPE-16). One that was fired before gives a stream that is destroyed
 * already: 'error' and 'close' come on the next tick, once; until then connect() returns 0 and nothing is started
 * (BN-18). A stream listens to its signal from the beginning until it is destroyed or goes (PIPE-17), and again when it
 * is connected again. Of a server's streams: fired, they all are destroyed, and so is whoever comes later, before
 * 'connection'.
 */
WEIR_EXPORT weir_stream *weir_stream_new(weir_runtime *runtime, const weir_stream_options *options);

WEIR_EXPORT weir_stream *weir_stream_retain(weir_stream *stream);
WEIR_EXPORT void weir_stream_release(weir_stream *stream);

/*
 * Connects to an endpoint given as text: a URL ("tcp://127.0.0.1:80", "ipc:/run/x.sock") or JSON. Returns at once; then
 * 'connect' and 'ready', or 'error' and 'close' (CONN-02, CONN-03). `listener`, which may be NULL, is a one-time
 * 'connect' listener (CONN-04). Options of the stream in the endpoint's text win over those it was made with. After
 * 'close' a stream may be connected again: listeners stay, counters begin at 0 (CONN-06).
 *
 * 0; with nothing done: UV_EISCONN, UV_EALREADY (connecting) (BN-21), WEIR_ESTREAM_DESTROYED (its 'close' is still to
 * come), UV_ECANCELED (the runtime is ending), WEIR_EINVALID_ENDPOINT, WEIR_EINVALID_CONFIG, WEIR_ENOPLUGIN, WEIR_EPLUGIN
 * (weir_endpoint_parse says why), UV_EINVAL, UV_ENOMEM.
 */
WEIR_EXPORT int weir_stream_connect(weir_stream *stream, const char *endpoint, weir_listener listener, void *arg);

/* The same with an endpoint parsed before; it is retained as long as needed. */
WEIR_EXPORT int weir_stream_connect_endpoint(weir_stream *stream, weir_endpoint *endpoint, weir_listener listener,
                                             void *arg);

/*
 * weir_stream_new and weir_stream_connect in one (CONN-36). NULL: `*error`, where not NULL, gets the code: connect's, or
 * UV_EINVAL (no runtime), UV_ECANCELED (it is ending), WEIR_EINVALIDARGVALUE (onread without memory), UV_ENOMEM, or as
 * weir/options.h says.
 */
WEIR_EXPORT weir_stream *weir_connect(weir_runtime *runtime, const char *endpoint, const weir_stream_options *options,
                                      weir_listener listener, void *arg, int *error);

/* Listeners: see weir/event.h. */
WEIR_EXPORT int weir_stream_on(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT int weir_stream_once(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT int weir_stream_prepend(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT int weir_stream_prepend_once(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT void weir_stream_off(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg);
WEIR_EXPORT void weir_stream_remove_all(weir_stream *stream, weir_event_type type);
WEIR_EXPORT size_t weir_stream_listener_count(const weir_stream *stream, weir_event_type type);

/* ---- Writing ---- */

/*
 * Called once for each write, in order, never inside the call that wrote: `status` 0 when the transport has taken all
 * of it, otherwise the code of why it never will (WR-08, WR-09, LIFE-03). Comes before 'error' and 'close'.
 */
typedef void (*weir_write_callback)(weir_stream *stream, int status, void *arg);

/*
 * Writes `size` bytes. What the kernel takes at once is sent from the caller's memory; the rest is copied (WR-02).
 * Before 'ready' all is queued and sent then (SOCM-55).
 *
 * Returns 1: go on; 0: writableLength has reached the high-water mark, wait for 'drain' (WR-03, SOCM-52); or below 0,
 * with nothing taken and no callback: UV_EINVAL (data NULL with size > 0: WEIR_ESTREAM_NULL_VALUES), UV_ENOMEM,
 * WEIR_EWRITEQUEUEFULL (BN-07), UV_ECANCELED (the runtime has ended, and there is a callback). After end() or destroy()
 * it returns 0 and the callback gets WEIR_EWRITE_AFTER_END (which is an 'error' of the stream too; UV_EPIPE behind
 * 'end', unless it is half open, SOCM-56) or WEIR_ESTREAM_DESTROYED (SOCM-57). On a stream that was never connected: 0,
 * and WEIR_ESOCKET_CLOSED in callback and 'error' (SOCM-55).
 */
WEIR_EXPORT int weir_stream_write(weir_stream *stream, const void *data, size_t size, weir_write_callback callback,
                                  void *arg);

/* The same with a reference to a buffer instead of a copy: never copies; the caller keeps its own reference. */
WEIR_EXPORT int weir_stream_write_buf(weir_stream *stream, weir_buf *buf, weir_write_callback callback, void *arg);

/*
 * The same with descriptors that travel with the first byte (SOCM-58, SOCM-59, BN-25), at most 253: over ipc without
 * layers only, at least 1 byte of data, which is copied. They are duplicated in the call: the caller's may be closed after
 * it. The peer, when it reads, gets 'fd' for each, no later than the 'data' that carries them; where it does not listen
 * for 'fd', or has layers, they are closed. As weir_stream_write, and, with nothing done: WEIR_EINVALIDHANDLETYPE (not
 * such a stream; one that was not connected yet is none, one that is connecting is), UV_EINVAL (no data, no or too many
 * descriptors), UV_EBADF (one is none), UV_EMFILE.
 */
WEIR_EXPORT int weir_stream_write_fd(weir_stream *stream, const void *data, size_t size, const int *fds,
                                     size_t fd_count, weir_write_callback callback, void *arg);

/* Holds writes back until the same number of uncork calls, then sends them in one go (WR-10, WR-11). */
WEIR_EXPORT void weir_stream_cork(weir_stream *stream);
WEIR_EXPORT void weir_stream_uncork(weir_stream *stream);

/*
 * No more writes: what is queued is sent, then our side is shut down and 'finish' comes (WR-15). `callback` (may be
 * NULL) runs once: before 'finish', or with the code of what prevented it (WR-17, WR-18); on a destroyed stream with
 * WEIR_ESTREAM_DESTROYED (SOCM-16). Uncorks (WR-12). 0; with nothing done UV_ENOMEM, UV_ECANCELED (as write).
 */
WEIR_EXPORT int weir_stream_end(weir_stream *stream, weir_write_callback callback, void *arg);

/* A write, then end(). Returns what the write returned; below 0: nothing done, not ended. */
WEIR_EXPORT int weir_stream_end_with(weir_stream *stream, const void *data, size_t size, weir_write_callback callback,
                                     void *arg);

/* ---- Reading ---- */

/*
 * A stream that nobody has asked for data (no listener for 'data' or 'readable', no pipe, no resume, no read) reads
 * nothing and loses nothing, until its peer has gone: then 'peerClose' comes, and what the peer left is read, up to the
 * high-water mark. So an end with no data before it, or a reset, needs no consumer (SOCK-31); data waits for one. A
 * stream that is paused explicitly, also by its 'peerClose' listener, leaves everything unread (BN-05).
 *
 * Explicit pause and resume (RD-02, RD-03, SOCM-19 to 21). On a destroyed stream nothing happens.
 */
WEIR_EXPORT void weir_stream_pause(weir_stream *stream);
WEIR_EXPORT void weir_stream_resume(weir_stream *stream);
WEIR_EXPORT int weir_stream_is_paused(const weir_stream *stream); /* RD-22 */

/*
 * Takes `size` bytes out of the buffer: exactly that many, or NULL; the rest when the end was received; with size 0 all
 * there is, or NULL when that is nothing (RD-10 to RD-13). The buffer is the caller's to release. NULL without memory
 * too, nothing is consumed then. 'data' listeners see it as well (RD-09). Asking for more than the high-water mark
 * raises it to the next power of two, up to 1 GiB (RD-13).
 */
WEIR_EXPORT weir_buf *weir_stream_read(weir_stream *stream, size_t size);

/* Consumes nothing, asks for more: Node's read(0) (RD-12). */
WEIR_EXPORT void weir_stream_refill(weir_stream *stream);

/* Puts bytes back to the front (RD-14). 0, UV_EINVAL, UV_ENOMEM, WEIR_EUNSHIFT_AFTER_END, WEIR_ESTREAM_DESTROYED. */
WEIR_EXPORT int weir_stream_unshift(weir_stream *stream, const void *data, size_t size);

/*
 * 'data' and read() give text from now on, as UTF-8 (SOCM-28, group ENC): the bytes that come in are decoded as
 * `encoding`, in any case of letters: "utf8" or NULL, "ascii", "latin1" ("binary"), "utf16le" ("ucs2"), with or without a
 * hyphen; or written in "base64", "base64url", "hex". Invalid UTF-8 and lone surrogates become U+FFFD (ENC-03, ENC-10);
 * a byte order mark stays (ENC-04). What is cut in two by a read is held back until the rest comes (ENC-01), or the end:
 * then it is the last 'data' before it (ENC-12). What is buffered already is decoded too (ENC-13).
 *
 * Sizes, marks and read(n) are bytes of that text (ENC-14), bytesRead counts what came over the wire. Pipes pass the text
 * on; unshift takes its bytes for text. Set again, the encoding holds for what comes from then on, beginning with what is
 * held back; what is text already stays text. A stream keeps its encoding when it is connected again, and nothing else of
 * it. Without memory to decode what a read gave, the stream fails with UV_ENOMEM.
 *
 * 0, UV_EINVAL (no stream), WEIR_EUNKNOWN_ENCODING, WEIR_EINVALIDARGVALUE (a stream with onread); UV_ENOMEM with nothing
 * changed. Bytes written are never encoded.
 */
WEIR_EXPORT int weir_stream_set_encoding(weir_stream *stream, const char *encoding);
WEIR_EXPORT const char *weir_stream_encoding(const weir_stream *stream); /* "utf8" ...; NULL: none. Static text */

/* ---- Pipe ---- */

typedef struct weir_pipe_options {
    size_t size; /* sizeof(weir_pipe_options): see weir/options.h */
    int no_end;  /* 1: the destination stays open after the source's end (PIPE-04) */
} weir_pipe_options;

/*
 * Sends all that `source` reads to `destination`, with back pressure (PIPE-01 to PIPE-10); also to itself. Several
 * destinations get every byte, the slowest governs. 0, UV_EINVAL (also for a source with onread, whose data is nobody
 * else's: PIPE-18), UV_ENOMEM, UV_EEXIST (they are piped already).
 */
WEIR_EXPORT int weir_stream_pipe(weir_stream *source, weir_stream *destination, const weir_pipe_options *options);

/* Detaches one destination, or all (NULL); with none left the source is paused (PIPE-08). */
WEIR_EXPORT void weir_stream_unpipe(weir_stream *source, weir_stream *destination);

/* ---- Layers ---- */

/*
 * Puts the layers of `endpoint` (its transport is not used; its role says which side of them this is) on an open stream:
 * STARTTLS (TLS-19); also from inside 'data'. Reading stops; what was written before goes out below them; what was received
 * and is not read, or was unshifted, before this call goes through them; so does all that is written from now on. Then
 * they open, within the handshake time-out. `callback` (may be NULL) runs once, not inside the call: with 0 when they are
 * open, or with why they will not be, before 'error' and 'close'. There is no second 'ready'.
 *
 * 0; nothing done: UV_EINVAL (no such layers, or the stream gives text: weir_stream_set_encoding), UV_ENOTCONN (not
 * open, or 'ready' or 'connection' has not come), UV_EALREADY (layers are being added), UV_EPIPE (ended, or a write has
 * failed), UV_EOF (the peer has ended), UV_EBUSY (piped, corked, or in a listener of 'fd': the data that the
 * descriptor came with is still to come), WEIR_ESTREAM_DESTROYED, WEIR_EPLUGIN, UV_ENOMEM.
 */
WEIR_EXPORT int weir_stream_add_layer(weir_stream *stream, weir_endpoint *endpoint, weir_write_callback callback,
                                      void *arg);

/* ---- Ending ---- */

/*
 * Ends everything at once: nothing is read or written any more, unsent data is dropped, the descriptor is closed.
 * `error` (may be NULL; retained) is emitted as 'error', then 'close' comes, on a later tick (LIFE-01, LIFE-02). A
 * second call does nothing.
 */
WEIR_EXPORT void weir_stream_destroy(weir_stream *stream, const weir_error *error);

/* Ends the writing side, and destroys after 'finish' (SOCM-10 to 12). */
WEIR_EXPORT void weir_stream_destroy_soon(weir_stream *stream);

/*
 * Sends RST instead of FIN and destroys (SOCM-24); while connecting, once connected (SOCM-25); without a connection
 * destroys with WEIR_ESOCKET_CLOSED (SOCM-26). 0, or WEIR_EINVALIDHANDLETYPE on a transport without resets: the stream
 * is left as it was (SOCM-27).
 */
WEIR_EXPORT int weir_stream_reset_and_destroy(weir_stream *stream);

/* ---- Timeouts, the loop, options of the transport ---- */

/*
 * 'timeout' after so many milliseconds without activity, 0: never (SOCM-41 to 47). `listener` (may be NULL) is a
 * one-time listener; with 0 it is removed. 0, UV_ENOMEM, or WEIR_EOUTOFRANGE (more than INT64_MAX, SOCM-48).
 */
WEIR_EXPORT int weir_stream_set_timeout(weir_stream *stream, uint64_t milliseconds, weir_listener listener, void *arg);
WEIR_EXPORT int64_t weir_stream_timeout(const weir_stream *stream); /* ms, or -1 when never set (SOCP-21) */

WEIR_EXPORT void weir_stream_ref(weir_stream *stream);   /* SOCM-22 */
WEIR_EXPORT void weir_stream_unref(weir_stream *stream); /* SOCM-23 */

/* Remembered before the connection is made, no effect on IPC (SOCM-32 to 40). 0, or what the system said. */
WEIR_EXPORT int weir_stream_set_no_delay(weir_stream *stream, int enable);
WEIR_EXPORT int weir_stream_set_keep_alive(weir_stream *stream, int enable, uint64_t initial_delay);

/*
 * A named fact of the stack, asked from the top layer downwards ("remoteAddress", "tls.alpn"; each plugin's README
 * lists its own). 0, UV_ENOENT (nobody knows it), UV_ENOTCONN, or the answer of who knows it. Text in the value is
 * valid until the next call into the stream. Of a stream that is destroyed the transport is not asked any more; layers
 * are, in 'error' too, and in 'close' nobody is.
 */
WEIR_EXPORT int weir_stream_get(weir_stream *stream, const char *name, weir_value *value);
WEIR_EXPORT int weir_stream_set(weir_stream *stream, const char *name, const weir_value *value);

/*
 * A duplicate of the descriptor that the stream stands on, close-on-exec, the caller's; what layers make of its bytes it
 * knows nothing of. At least 0, or UV_ENOTCONN, UV_ENOTSUP (a transport without descriptors), UV_EMFILE.
 */
WEIR_EXPORT int weir_stream_export_fd(const weir_stream *stream);

/* ---- Facts ---- */

typedef enum weir_ready_state {
    WEIR_READY_OPENING,    /* "opening" SOCP-22 */
    WEIR_READY_OPEN,       /* "open" SOCP-23 */
    WEIR_READY_READ_ONLY,  /* "readOnly" SOCP-24 */
    WEIR_READY_WRITE_ONLY, /* "writeOnly" SOCP-25 */
    WEIR_READY_CLOSED      /* "closed" SOCP-26 */
} weir_ready_state;

WEIR_EXPORT weir_runtime *weir_stream_runtime(const weir_stream *stream);
WEIR_EXPORT uint64_t weir_stream_id(const weir_stream *stream); /* unique in its runtime, from 1 */
WEIR_EXPORT void weir_stream_set_data(weir_stream *stream, void *data);
WEIR_EXPORT void *weir_stream_data(const weir_stream *stream);
WEIR_EXPORT weir_server *weir_stream_server(const weir_stream *stream); /* that accepted it, up to 'close'; or NULL */

WEIR_EXPORT weir_ready_state weir_stream_ready_state(const weir_stream *stream);
WEIR_EXPORT const char *weir_ready_state_name(weir_ready_state state);
WEIR_EXPORT int weir_stream_connecting(const weir_stream *stream);            /* SOCP-07 */
WEIR_EXPORT int weir_stream_pending(const weir_stream *stream);               /* SOCP-14 */
WEIR_EXPORT int weir_stream_destroyed(const weir_stream *stream);             /* LIFE-11 */
WEIR_EXPORT int weir_stream_closed(const weir_stream *stream);                /* LIFE-10 */
WEIR_EXPORT const weir_error *weir_stream_errored(const weir_stream *stream); /* LIFE-09; lives as the stream does */

WEIR_EXPORT uint64_t weir_stream_bytes_read(const weir_stream *stream);    /* SOCP-05 */
WEIR_EXPORT uint64_t weir_stream_bytes_written(const weir_stream *stream); /* SOCP-06 */

WEIR_EXPORT int weir_stream_readable(const weir_stream *stream);         /* RD-20 */
WEIR_EXPORT int weir_stream_readable_flowing(const weir_stream *stream); /* 1, 0, or -1 for Node's null (RD-22) */
WEIR_EXPORT int weir_stream_readable_ended(const weir_stream *stream);   /* RD-19 */
WEIR_EXPORT size_t weir_stream_readable_length(const weir_stream *stream);
WEIR_EXPORT size_t weir_stream_readable_high_water_mark(const weir_stream *stream);

WEIR_EXPORT int weir_stream_readable_aborted(const weir_stream *stream);  /* destroyed before 'end' (RD-21) */
WEIR_EXPORT int weir_stream_readable_did_read(const weir_stream *stream); /* some data has gone out (RD-21) */

WEIR_EXPORT int weir_stream_writable(const weir_stream *stream);          /* WR-21 */
WEIR_EXPORT int weir_stream_writable_ended(const weir_stream *stream);    /* WR-20 */
WEIR_EXPORT int weir_stream_writable_finished(const weir_stream *stream); /* WR-20 */
WEIR_EXPORT int weir_stream_writable_need_drain(const weir_stream *stream);
WEIR_EXPORT int weir_stream_writable_corked(const weir_stream *stream);
WEIR_EXPORT size_t weir_stream_writable_length(const weir_stream *stream); /* queue and what links still hold */
WEIR_EXPORT size_t weir_stream_writable_high_water_mark(const weir_stream *stream);

/*
 * 0, or UV_ENOTCONN / UV_ENOENT when there is none (SOCP-10 to 20, SOCM-01). A remote address that was asked for once
 * stays, also in 'close' and behind it, until the stream is connected again (SOCP-18).
 */
WEIR_EXPORT int weir_stream_local_address(weir_stream *stream, weir_address *address);
WEIR_EXPORT int weir_stream_remote_address(weir_stream *stream, weir_address *address);

/*
 * The addresses that were tried, in order, of a connect to a name with several; on success the last one is the peer's,
 * even if another one was tried after it (SOCP-01, SOCP-02, BN-01). How many; 0 otherwise, and without memory. They
 * live until the stream is connected again, or goes.
 */
WEIR_EXPORT size_t weir_stream_attempted_addresses(const weir_stream *stream, const weir_address **addresses);

/*
 * Runs the loop until the stream has ended and gives all that it sent: at most `limit` bytes (0: any number; more is
 * UV_ENOBUFS; what comes behind it is dropped). The buffer is the caller's. 0; UV_EBUSY inside a callback; UV_EINVAL (also
 * for a stream with onread); UV_ENOMEM; UV_ECANCELED when nothing can come any more though it has not ended;
 * WEIR_ESTREAM_DESTROYED; WEIR_EPREMATURE_CLOSE (closed before its end); or the stream's error.
 */
WEIR_EXPORT int weir_stream_read_all(weir_stream *stream, size_t limit, weir_buf **all);

#ifdef __cplusplus
}
#endif
#endif
