/* SPDX-License-Identifier: MIT */
/*
 * A stream's insides.
 *
 * stream.c         the state machine: life, steps (ticks), opening, ending, destroying
 * stream_open.c    how it gets its links: connect(), arrivals
 * stream_read.c    the reading track: flowing, paused and 'readable' modes
 * stream_input.c   its buffer
 * stream_encoding.c  its bytes as text
 * stream_onread.c  its bytes into the application's own memory
 * stream_write.c   the writing track: queue, cork, try-first writes
 * stream_end.c     its end: end(), shutdown, 'finish'
 * stream_fds.c     descriptors that go with a write
 * stream_pipe.c    pipes
 * stream_clock.c   the idle time-out and the limits of phases
 * stream_facts.c   what can be asked
 * adopt.c          streams around descriptors made elsewhere
 * stream_extras.c  what few streams have; the signal
 * stream_layer.c   layers put on an open stream
 * link.c           the calls between links, and their laws
 * lookup.c         names resolved by the application
 * attempts.c       the addresses that a connect has tried
 */
#ifndef WEIR_STREAM_PRIVATE_H
#define WEIR_STREAM_PRIVATE_H

#include <string.h>

#include <weir/link.h>
#include <weir/stream.h>

#include "abort_private.h"
#include "endpoint_private.h"
#include "listeners.h"
#include "runtime_private.h"
#include "write_list.h"

/* The phases of a stream's life; stream.c has the table of what may follow what. */
typedef enum weir__life {
    LIFE_NEW,        /* made, never connected */
    LIFE_CONNECTING, /* the transport is opening */
    LIFE_OPENING,    /* the transport is open, layers are opening */
    LIFE_OPEN,
    LIFE_CLOSING, /* destroyed; links are closing, 'close' has not been emitted */
    LIFE_CLOSED   /* 'close' was emitted (or is being emitted) */
} weir__life;

/*
 * What a stream has to do on the next tick. A step stands once in a stream's list; the list is worked off in the order
 * in which the steps came in.
 */
typedef enum weir__step {
    STEP_OPEN,       /* begin to connect */
    STEP_CONNECT,    /* 'connect' */
    STEP_READY,      /* 'ready' (or the server's 'connection'); queued writes go out, reading begins */
    STEP_RESUME,     /* 'resume', and what is buffered flows */
    STEP_FLOW,       /* back pressure is gone, or something was unshifted: what is buffered flows */
    STEP_PAUSE,      /* 'pause' */
    STEP_READABLE,   /* 'readable' */
    STEP_MODE,       /* a 'readable' listener came or went */
    STEP_END,        /* 'end' */
    STEP_AUTO_END,   /* the peer ended and half-open is not allowed: end() */
    STEP_WRITTEN,    /* write callbacks */
    STEP_DRAIN,      /* 'drain' */
    STEP_SHUT,       /* callbacks of end(), 'finish' */
    STEP_PIPE,       /* 'pipe' and 'unpipe' */
    STEP_PEER_CLOSE, /* 'peerClose' */
    STEP_HANGUP,     /* a link keeps a hang-up that may be told now */
    STEP_LAYER,      /* layers that were added are to be opened, or are open */
    STEP_FAIL,       /* a failure that waits for the data before it */
    STEP_CLOSE,      /* outstanding callbacks, 'error', 'close' */
    STEP_COUNT
} weir__step;

/* A chunk in the read buffer. */
typedef struct weir__chunk {
    struct weir__chunk *next;
    weir_buf *buf;
    size_t offset; /* of its first byte not read yet */
} weir__chunk;

typedef struct weir__delivery weir__delivery;

/* One source and one destination. It is in both streams' lists until it is detached, and goes when its events are out.
 */
typedef struct weir__pipe {
    weir_stream *source;
    weir_stream *destination;
    struct weir__pipe *next_of_source;
    struct weir__pipe *next_of_destination;
    struct weir__pipe *next_event; /* in the destination's list of 'pipe' and 'unpipe' to come */
    weir__delivery *not_for_it;    /* the source's when it was attached, and those around that; NULL: none is left */
    unsigned no_end : 1;
    unsigned waiting : 1;      /* for the destination's 'drain' */
    unsigned attached : 1;     /* in the source's and the destination's lists */
    unsigned event_pipe : 1;   /* 'pipe' is to be emitted */
    unsigned event_unpipe : 1; /* 'unpipe' is to be emitted */
    unsigned event_queued : 1; /* in the destination's list of events */
} weir__pipe;

/*
 * One 'data' on its way to listeners and pipes, on the stack; or the end on its way to pipes. Listeners may call read(),
 * which makes another one within, and what is done to one destination may detach any pipe.
 */
struct weir__delivery {
    weir__delivery *outer;
    weir_buf *buf;    /* NULL: the end */
    weir__pipe *at;   /* the pipe whose turn it is; NULL: it was detached meanwhile, and may be gone */
    weir__pipe *next; /* the one behind it */
    int piped;        /* the pipes have got it, or are getting it */
};

typedef struct weir__clock weir__clock;
typedef struct weir__decoder weir__decoder;
typedef struct weir__layering weir__layering;

/* What few streams have, in an allocation of its own. */
typedef struct weir__extras {
    weir_abort *signal;
    weir__abort_wait abort_wait; /* in the signal's list while the stream lives */
    weir_blocklist *block_list;
    weir_lookup_function lookup;
    void *lookup_arg;
    weir_lookup *question; /* asked and not answered */
    weir_onread onread;
    weir_buf *onread_view;    /* what links read into: wraps the application's block of the moment */
    weir__decoder *decoder;   /* NULL: bytes */
    weir__layering *layering; /* while `adding` */
    weir_address *peer;       /* once asked for; NULL: not yet */
    weir_address *attempted;  /* of a connect to a name with several addresses */
    size_t attempted_count;
    size_t attempted_capacity;
    size_t watches; /* that wait for its end (watch.h) */
} weir__extras;

struct weir_stream {
    size_t refs;
    weir_runtime *runtime; /* NULL: the runtime has ended */
    weir_stream *next;     /* all streams of the runtime */
    weir_stream *previous;
    uint64_t id;
    void *data;

    weir_link *top;
    weir_link *bottom;
    weir_endpoint *endpoint; /* where it connects to; NULL for arrivals */
    weir__listeners *listeners;
    const weir_error *errored;

    weir_server *server;
    struct weir__cycle *cycle; /* of the server's, by which it came; NULL: it is not counted */
    weir_stream *next_of_server;
    weir_stream *previous_of_server;

    /* steps */
    weir_task task;
    uint8_t steps[STEP_COUNT];
    uint8_t step_count;

    uint8_t life;        /* weir__life */
    signed char flowing; /* 1, 0, or -1: Node's null */

    /* life */
    unsigned active : 1;    /* the runtime holds a reference */
    unsigned announced : 1; /* the server's 'connection' was emitted */
    unsigned counted : 1;   /* among the connections of its server */
    unsigned allow_half_open : 1;
    unsigned auto_destroy : 1;
    unsigned discard_on_end : 1;
    unsigned unref : 1;
    unsigned destroy_when_finished : 1;
    unsigned reset_when_connected : 1;
    unsigned peer_close_seen : 1;
    unsigned adding : 1;     /* layers are being added: stream_layer.c */
    unsigned links_hold : 1; /* some link may hold bytes that it reported as written */
    unsigned lookups : 2;    /* addresses that its name turned out to have: none, one, or more */
    unsigned owes : 1;       /* a reference is held for callbacks that the runtime's own may not last for */

    /* reading */
    unsigned explicitly_paused : 1;
    unsigned pulling : 1;  /* not flowing, but somebody asked for data by read() */
    unsigned reading : 1;  /* what the links were told */
    unsigned may_read : 1; /* set-up is over: 'ready' or 'connection' has come */
    unsigned eof : 1;
    unsigned end_queued : 1;
    unsigned end_emitted : 1;
    unsigned need_readable : 1;
    unsigned emitted_readable : 1;
    unsigned discarding : 1;
    unsigned emitting_data : 1;
    unsigned did_read : 1;       /* data was taken */
    unsigned onread : 1;         /* the extras' onread takes it */
    unsigned onread_stopped : 1; /* its callback has said so: until resume() */

    /* writing */
    unsigned ending : 1;        /* end() was called */
    unsigned ended_by_peer : 1; /* 'end' was emitted, and ends our side too */
    unsigned shutting : 1;      /* the links were told */
    unsigned finishing : 1;     /* the callbacks of end() are running */
    unsigned finish_emitted : 1;
    unsigned need_drain : 1;
    unsigned writing : 1; /* a write is with the links */
    unsigned batch_allocated : 1;
    unsigned timed_out : 1; /* 'timeout' was emitted for this idle period */
    unsigned timeout_set : 1;
    unsigned no_delay : 2;   /* 0: never set, 1: off, 2: on */
    unsigned keep_alive : 2; /* likewise */

    uint32_t corked;
    uint32_t writes_before_layer; /* while `adding`: of the queue, those that go out below the layers */
    uint32_t pipes_waiting;       /* of pipes_out: back pressure */
    uint32_t in_flight;           /* writes of the queue that are with the links */

    weir__chunk *chunks;
    weir__chunk *last_chunk;
    size_t readable_length;
    size_t readable_high_water_mark;
    uint64_t bytes_read;
    weir__pipe *pipes_out; /* where this stream is the source */
    weir__pipe *pipes_in;  /* where it is the destination */
    weir__pipe *pipe_events;
    weir__delivery *delivery; /* innermost first; NULL: there is none */

    weir__write_list queue;    /* the first `in_flight` of them are with the links */
    weir__write_list done;     /* callbacks to come */
    weir__write_list end_done; /* callbacks of end() to come */
    size_t writable_length;    /* bytes in the queue */
    size_t writable_high_water_mark;
    size_t max_write_queue;
    uint64_t bytes_written;
    struct iovec *batch;             /* what is with the links; NULL: nothing */
    const weir_error *pending_error; /* the stream has failed, and only waits for the data before it (STEP_FAIL) */

    /* time */
    uint64_t last_activity;
    uint64_t timeout;         /* idle, ms */
    weir__clock *clock;       /* NULL: no timer was needed yet */
    weir__extras *extras;     /* NULL: none of them was needed yet */
    uint32_t connect_timeout; /* this and the following in ms; more than fits is as long as fits: 49 days */
    uint32_t handshake_timeout;
    uint32_t half_close_timeout;
    uint32_t keep_alive_delay;
};

static inline uint32_t weir__at_most_32(uint64_t number)
{
    return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

/* ---- stream.c ---- */
void weir__stream_step(weir_stream *stream, weir__step step);
void weir__stream_drop_step(weir_stream *stream, weir__step step);
static inline int weir__stream_has_step(const weir_stream *stream, weir__step step)
{
    return stream->step_count != 0 && memchr(stream->steps, (int)step, stream->step_count) != NULL;
}
static inline int weir__stream_is_destroyed(const weir_stream *stream)
{
    return stream->life >= LIFE_CLOSING;
}
/* Emits an event that carries nothing; returns how many listeners ran. */
size_t weir__stream_emit(weir_stream *stream, weir_event_type type);
size_t weir__stream_emit_event(weir_stream *stream, weir_event *event);
/* Destroys with an error of that code and call, at the stream's address. */
void weir__stream_destroy_code(weir_stream *stream, int code, const char *call);
/* weir_stream_new, but for the signal. */
weir_stream *weir__stream_make(weir_runtime *runtime, const weir_stream_options *options);
/* Both tracks are over: destroy, if that is wanted. */
void weir__stream_maybe_auto_destroy(weir_stream *stream);
/* The runtime holds a reference from now on, until 'close'. */
void weir__stream_activate(weir_stream *stream);
/* Its links are made: a new life begins, on the next tick. */
void weir__stream_begin_connecting(weir_stream *stream);
/* Its one link is made and open already, around a descriptor (adopt.c): so is the stream. */
void weir__stream_adopted(weir_stream *stream, int readable, int writable);
/* It is open and was said to be: what waited for that goes on, unless a listener has ended it. */
void weir__stream_goes_on(weir_stream *stream);
/* Links were put on an open stream: it is opening again, for as long as its handshake time-out allows. */
void weir__stream_opens_again(weir_stream *stream);
/* Runtime's end. */
void weir__streams_end(weir_runtime *runtime);
int weir__streams_active(const weir_runtime *runtime);
void weir__streams_orphan(weir_runtime *runtime);

/* reports of the top link */
void weir__stream_link_opened(weir_stream *stream, weir_link *link);
void weir__stream_link_failed(weir_stream *stream, const weir_error *error);
void weir__stream_links_closed(weir_stream *stream);

/* ---- stream_extras.c ---- */
/* Makes them where there are none. NULL: no memory. */
weir__extras *weir__stream_extras(weir_stream *stream);
/* weir_stream_remote_address, but that it is not kept for later; and what was kept goes. */
int weir__stream_peer(weir_stream *stream, weir_address *address);
void weir__stream_forget_peer(weir_stream *stream);
/* What the stream was made with, retained; NULL: none. 0 or UV_ENOMEM. */
int weir__stream_keep_block_list(weir_stream *stream, weir_blocklist *list);
/* Gives up all that they hold. */
void weir__stream_free_extras(weir_stream *stream);
/* The signal of a new stream's options. 0 or UV_ENOMEM. */
int weir__stream_take_signal(weir_stream *stream, const weir_stream_options *options);
/* A life begins: listens to the signal; one that was fired before ends it at once (BN-18). */
void weir__stream_heed_signal(weir_stream *stream);
/* It is over (PIPE-17). */
void weir__stream_leave_signal(weir_stream *stream);
int weir__stream_is_aborted(const weir_stream *stream);

/* ---- stream_layer.c ---- */
/* Nothing that was written before is queued any more: the layers' turn has come. */
void weir__stream_layer_when_due(weir_stream *stream);
/* The callback of weir_stream_add_layer, if one is due. */
void weir__stream_end_layering(weir_stream *stream, int status);
void weir__step_layer(weir_stream *stream);

/* ---- stream_open.c ---- */
/* A stream for an arrival; its bottom link is `link`, open, which it takes. NULL: no memory, the link stays the
 * caller's. */
weir_stream *weir__stream_accept(weir_runtime *runtime, weir_server *server, const weir_stream_options *options,
                                 const weir_endpoint *endpoint, weir_link *link);
/* Why weir_stream_new with these gave no stream. */
int weir__stream_refusal(const weir_runtime *runtime, const weir_stream_options *options);
/* Settings that were asked for before there were links. */
void weir__stream_apply_remembered(weir_stream *stream);

/* ---- stream_read.c ---- */
void weir__stream_on_data(weir_stream *stream, weir_buf *buf);
void weir__stream_on_end(weir_stream *stream);
int weir__stream_awaits_end(const weir_stream *stream);
void weir__stream_update_reading(weir_stream *stream);
void weir__stream_flow(weir_stream *stream);
/* Nothing older waits for its turn: what comes in may go straight to the listener. Asked at every read. */
static inline int weir__stream_flows_now(const weir_stream *stream)
{
    return stream->flowing == 1 && stream->readable_length == 0 && stream->pipes_waiting == 0 &&
           !stream->emitting_data && !stream->onread_stopped && !weir__stream_has_step(stream, STEP_RESUME) &&
           !weir__stream_has_step(stream, STEP_FLOW);
}
/* The buffer has changed, and not by what came in. */
void weir__stream_input_changed(weir_stream *stream);
void weir__stream_reading_begins(weir_stream *stream);
/* A life begins: the mode is what the listeners ask for that are there. */
void weir__stream_mode_begins(weir_stream *stream);
void weir__stream_reader_added(weir_stream *stream, weir_event_type type);
void weir__stream_reader_removed(weir_stream *stream, weir_event_type type);
/* Does the application listen for data? */
int weir__stream_has_reader(const weir_stream *stream);
void weir__step_resume(weir_stream *stream);
void weir__step_flow(weir_stream *stream);
void weir__step_pause(weir_stream *stream);
void weir__step_readable(weir_stream *stream);
void weir__step_mode(weir_stream *stream);
void weir__step_end(weir_stream *stream);
void weir__step_auto_end(weir_stream *stream);

/* ---- stream_input.c ---- */
/* At the end or (`front`) the beginning; takes the caller's reference. 0, or UV_ENOMEM with nothing taken. */
int weir__input_put(weir_stream *stream, weir_buf *buf, int front);
/* Takes the first of these chunks out: its buffer, whose reference goes to the caller, beginning at the first unread
 * byte. NULL: no memory, nothing taken. */
weir_buf *weir__chunks_take(weir__chunk **chunks);
void weir__chunks_free(weir__chunk *chunks);
/* The same with the first chunk of the read buffer. */
weir_buf *weir__input_take_chunk(weir_stream *stream);
/* Takes `size` bytes, all of which are there, out of the buffer as one. NULL: no memory, nothing taken. */
weir_buf *weir__input_take(weir_stream *stream, size_t size);
/* The same into memory of the caller's. */
void weir__input_copy_out(weir_stream *stream, char *memory, size_t size);
/* With what a decoder holds back of it. */
void weir__stream_drop_input(weir_stream *stream);

/* ---- stream_encoding.c ---- */
/* Is an encoding set? The others are for streams that have one. */
static inline int weir__stream_gives_text(const weir_stream *stream)
{
    return stream->extras != NULL && stream->extras->decoder != NULL;
}
/* What a read gave, as text: as weir__decoder_take. */
int weir__stream_decode(const weir_stream *stream, weir_buf *bytes, weir_buf **text);
/* What is held back at the end: as weir__decoder_finish. */
int weir__stream_decode_end(const weir_stream *stream, weir_buf **text);

/* ---- stream_onread.c ---- */
/* 0, or WEIR_EINVALIDARGVALUE: a callback without memory. */
int weir__onread_check(const weir_onread *onread);
/* The stream's option, of a stream that is being made. 0, WEIR_EINVALIDARGVALUE or UV_ENOMEM. */
int weir__onread_take(weir_stream *stream, const weir_onread *onread);
/* For a link to read into whose data goes straight to the stream. NULL: the stream is destroyed, or reads no more. */
weir_buf *weir__onread_buffer(weir_stream *stream);
void weir__onread_data(weir_stream *stream, weir_buf *buf);
/* Hands out what is buffered for as long as the stream flows. */
void weir__onread_flow(weir_stream *stream);

/* ---- stream_write.c ---- */
/* Nothing is to be sent with it: it is for its callback. NULL: no memory. */
weir__write *weir__write_new(weir_write_callback callback, void *arg, int status);
void weir__write_free(weir__write *write);
void weir__stream_flush(weir_stream *stream);
uint32_t weir__stream_queued_writes(const weir_stream *stream);
/* As weir_stream_write, for pipes. */
int weir__stream_write_piped(weir_stream *stream, const weir_buf *buf);
void weir__stream_on_written(weir_stream *stream, int status);
void weir__stream_check_drain(weir_stream *stream);
/* Everything queued will never be written: `status` is what its callbacks get. What is with the links stays. */
void weir__stream_fail_queue(weir_stream *stream, int status);
/* All links are closed: what is in the queue still is over, whoever left it there. */
void weir__stream_abandon_queue(weir_stream *stream, int status);
/*
 * A callback is due: whoever holds the last reference may give it up before it ran; the runtime does so after 'close', in
 * whose listeners calls are made too.
 */
void weir__stream_owe(weir_stream *stream);
/* A callback that is due, with its status, on the next tick. */
void weir__stream_tell_later(weir_stream *stream, weir__write *write);
/* A write or an end that cannot be: its callback gets the code, on the next tick. 0, UV_ENOMEM or UV_ECANCELED. */
int weir__stream_refuse(weir_stream *stream, int code, weir_write_callback callback, void *arg);
/* Those of calls that a callback makes come later: who calls again and again must not keep others from their turn. */
void weir__stream_run_callbacks(weir_stream *stream, weir__write_list *list);
void weir__step_written(weir_stream *stream);
void weir__step_drain(weir_stream *stream);

/* ---- stream_end.c ---- */
void weir__stream_on_shut(weir_stream *stream, int status);
/* The callbacks of end() get `status`, when their turn comes. */
void weir__stream_fail_ends(weir_stream *stream, int status);
void weir__step_shut(weir_stream *stream);

/* ---- stream_fds.c ---- */
/* 0 with close-on-exec duplicates; UV_EBADF, UV_EMFILE, UV_ENOMEM. */
int weir__fds_duplicate(const int *fds, size_t count, weir__fds **made);
/* NULL passes. */
void weir__fds_close(weir__fds *fds);

/* ---- stream_pipe.c ---- */
/* A pipe that is not attached yet, for who cannot do without. NULL: no memory. */
weir__pipe *weir__pipe_new(weir_stream *source, weir_stream *destination, int no_end);
int weir__pipe_exists(const weir_stream *source, const weir_stream *destination);
/* Both are alive, and not piped yet. */
void weir__pipe_attach(weir__pipe *pipe);
/* To the pipes that were there when it began. */
void weir__pipe_data(weir_stream *source, weir__delivery *delivery);
void weir__delivery_begin(weir_stream *source, weir__delivery *delivery);
void weir__delivery_end(weir_stream *source, weir__delivery *delivery);
void weir__pipe_end(weir_stream *source);
void weir__pipe_drained(weir_stream *destination);
void weir__pipe_finished(weir_stream *destination);
void weir__pipe_detach_all(weir_stream *stream);
void weir__step_pipe(weir_stream *destination);

/* ---- stream_clock.c ---- */
/* Something happened: the idle time begins anew. */
void weir__stream_touch(weir_stream *stream);
/* Runs `run` after so many ms instead of what the phase timer was started for; 0 ms: not at all. 0 or UV_ENOMEM. */
int weir__clock_phase(weir_stream *stream, uint64_t timeout, void (*run)(weir_stream *stream));
void weir__clock_end_phase(weir_stream *stream);
/* Both timers. */
void weir__clock_stop(weir_stream *stream);
void weir__clock_ref(const weir_stream *stream, int on);
void weir__clock_free(weir_stream *stream);

/* ---- link.c ---- */
/*
 * A link that a plugin has just made (NULL: it had no memory): 0 when its table is whole, otherwise the code; one that
 * is not whole is logged, and freed if it says how. `bottom`: it is a transport's.
 */
int weir__link_check(weir_runtime *runtime, const weir_plugin *plugin, weir_link *link, int bottom);
void weir__link_attach(weir_stream *stream, weir_link *link);
void weir__links_open(weir_stream *stream);
/* The link below is open: this one and those above it open. */
void weir__links_open_from(weir_link *link);
void weir__links_arrived(weir_stream *stream, weir_link *link);
/* The only link of a stream, which is open from its beginning. */
void weir__links_adopted(weir_stream *stream);
void weir__links_read(weir_stream *stream, int on);
ssize_t weir__links_try_write(weir_stream *stream, const struct iovec *bufs, size_t count);
int weir__links_write(weir_stream *stream, const struct iovec *bufs, size_t count);
/* Is the stack the bare transport, and one that passes descriptors? */
int weir__links_pass_fds(const weir_stream *stream);
/* Have descriptors come, and the data that they came with not yet? */
int weir__links_owe_data(const weir_stream *stream);
int weir__links_write_fds(weir_stream *stream, const struct iovec *bufs, size_t count, const weir__fds *fds);
int weir__links_shutdown(weir_stream *stream);
void weir__links_flush(weir_stream *stream);
int weir__links_get(const weir_stream *stream, const char *name, weir_value *value);
int weir__links_set(const weir_stream *stream, const char *name, const weir_value *value);
size_t weir__links_held(const weir_stream *stream);
void weir__links_ref(const weir_stream *stream, int on);
void weir__links_open_failed(weir_stream *stream, const weir_error *error);
void weir__links_close(weir_stream *stream, weir_close_mode mode);
void weir__links_free(weir_stream *stream);
int weir__links_all_closed(const weir_stream *stream);
void weir__step_hangup(weir_stream *stream);

/* ---- lookup.c ---- */
/* The resolver of a stream's options. 0 or UV_ENOMEM. */
int weir__stream_take_lookup(weir_stream *stream, const weir_stream_options *options);
/* Nobody waits for the answer any more. */
void weir__lookup_cancel(weir_stream *stream);

/* ---- attempts.c ---- */
/* A name has (one more) address; an address is tried; the connection stands; a new life begins. */
void weir__attempts_found(weir_stream *stream);
void weir__attempts_add(weir_stream *stream, const weir_address *address);
void weir__attempts_won(weir_stream *stream);
void weir__attempts_forget(weir_stream *stream);

#endif
