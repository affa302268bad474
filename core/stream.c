/* SPDX-License-Identifier: MIT */
/*
 * The state machine of a stream.
 *
 *              connect()          opened (transport)      opened (layers)
 *      NEW ---------------> CONNECTING ----------> OPENING ----------> OPEN
 *       |  arrival: OPENING or OPEN                                     |
 *       |                        |                    |                 |
 *       +------------------------+------ destroy() ---+-----------------+
 *                                           |
 *                                        CLOSING ---- all links closed: callbacks, 'error', 'close' ---> CLOSED
 *                                                                       connect() again: CONNECTING <------+
 *
 * In OPEN two tracks run side by side: reading (stream_read.c: data, then eof, then 'end') and writing (stream_write.c:
 * the queue; stream_end.c: end(), then shut, then 'finish'). When both are over the stream destroys itself. Whatever is
 * to be told to the application goes through steps, on the next tick; only 'data' is told at once.
 */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "memory.h"
#include "server_private.h"
#include "stream_private.h"

#ifdef WEIR_DEBUG
#include <assert.h>
#define EXPECT(condition) assert(condition)
#else
#define EXPECT(condition) ((void)(0 && (condition)))
#endif

#define DEFAULT_HANDSHAKE_TIMEOUT 120000

#define BIT(life) (1u << (life))

/* What may follow a phase. */
static const unsigned follows[] = {
    [LIFE_NEW] = BIT(LIFE_CONNECTING) | BIT(LIFE_OPENING) | BIT(LIFE_OPEN) | BIT(LIFE_CLOSING), /* OPEN: adopted */
    [LIFE_CONNECTING] = BIT(LIFE_OPENING) | BIT(LIFE_OPEN) | BIT(LIFE_CLOSING),
    [LIFE_OPENING] = BIT(LIFE_OPEN) | BIT(LIFE_CLOSING),
    [LIFE_OPEN] = BIT(LIFE_CLOSING) | BIT(LIFE_OPENING),
    [LIFE_CLOSING] = BIT(LIFE_CLOSED),
    [LIFE_CLOSED] = BIT(LIFE_CONNECTING),
};

static void set_life(weir_stream *stream, weir__life life)
{
    EXPECT((follows[stream->life] & BIT(life)) != 0);
    stream->life = (uint8_t)life;
}

/* ---- events ---- */

size_t weir__stream_emit_event(weir_stream *stream, weir_event *event)
{
    if (stream->listeners == NULL) {
        return 0;
    }
    event->target_stream = stream;
    if (event->stream == NULL) {
        event->stream = stream;
    }
    weir_runtime *runtime = stream->runtime;
    weir_stream_retain(stream);
    weir__runtime_call_begin(runtime);
    size_t count = weir__listeners_emit(&stream->listeners, event);
    weir__runtime_call_end(runtime);
    weir_stream_release(stream);
    return count;
}

size_t weir__stream_emit(weir_stream *stream, weir_event_type type)
{
    weir_event event = {.type = type};
    return weir__stream_emit_event(stream, &event);
}

/* ---- steps ---- */

static void step_open(weir_stream *stream);
static void step_connect(weir_stream *stream);
static void step_ready(weir_stream *stream);
static void step_peer_close(weir_stream *stream);
static void step_fail(weir_stream *stream);
static void step_close(weir_stream *stream);

static void (*const step_functions[STEP_COUNT])(weir_stream *stream) = {
    [STEP_OPEN] = step_open,
    [STEP_CONNECT] = step_connect,
    [STEP_READY] = step_ready,
    [STEP_RESUME] = weir__step_resume,
    [STEP_FLOW] = weir__step_flow,
    [STEP_PAUSE] = weir__step_pause,
    [STEP_READABLE] = weir__step_readable,
    [STEP_MODE] = weir__step_mode,
    [STEP_END] = weir__step_end,
    [STEP_AUTO_END] = weir__step_auto_end,
    [STEP_WRITTEN] = weir__step_written,
    [STEP_DRAIN] = weir__step_drain,
    [STEP_SHUT] = weir__step_shut,
    [STEP_PIPE] = weir__step_pipe,
    [STEP_PEER_CLOSE] = step_peer_close,
    [STEP_HANGUP] = weir__step_hangup,
    [STEP_LAYER] = weir__step_layer,
    [STEP_FAIL] = step_fail,
    [STEP_CLOSE] = step_close,
};

static weir__step take_step(weir_stream *stream)
{
    weir__step step = (weir__step)stream->steps[0];
    stream->step_count--;
    memmove(stream->steps, stream->steps + 1, stream->step_count);
    return step;
}

/* Works off the steps that are there now; those that come in meanwhile have to wait behind other streams' ticks. */
static void run_steps(weir_task *task)
{
    weir_stream *stream = (weir_stream *)(void *)((char *)task - offsetof(weir_stream, task));
    weir_stream_retain(stream);
    for (unsigned count = stream->step_count; count > 0 && stream->step_count > 0; count--) {
        step_functions[take_step(stream)](stream);
    }
    if (stream->step_count > 0 && stream->runtime != NULL) {
        weir_runtime_defer(stream->runtime, &stream->task);
    }
    if (stream->owes && stream->done.last == NULL && stream->end_done.last == NULL) {
        stream->owes = 0;
        weir_stream_release(stream);
    }
    weir_stream_release(stream);
}

void weir__stream_step(weir_stream *stream, weir__step step)
{
    if (stream->runtime == NULL || weir__stream_has_step(stream, step)) {
        return;
    }
    stream->steps[stream->step_count++] = (uint8_t)step;
    weir_runtime_defer(stream->runtime, &stream->task);
}

void weir__stream_drop_step(weir_stream *stream, weir__step step)
{
    uint8_t *found = memchr(stream->steps, (int)step, stream->step_count);
    if (found != NULL) {
        size_t behind = (size_t)(stream->steps + stream->step_count - found) - 1;
        memmove(found, found + 1, behind);
        stream->step_count--;
    }
}

/* ---- making and freeing ---- */

/* 0 or UV_ENOMEM. */
static int take_options(weir_stream *stream, const weir_stream_options *options)
{
    size_t mark = weir_runtime_default_high_water_mark(stream->runtime);
    stream->allow_half_open = options->allow_half_open != 0;
    stream->auto_destroy = options->no_auto_destroy == 0;
    stream->discard_on_end = options->discard_on_end != 0;
    stream->readable_high_water_mark =
        options->readable_high_water_mark != 0 ? options->readable_high_water_mark : mark;
    stream->writable_high_water_mark =
        options->writable_high_water_mark != 0 ? options->writable_high_water_mark : mark;
    stream->max_write_queue = options->max_write_queue;
    stream->connect_timeout = weir__at_most_32(options->connect_timeout);
    stream->handshake_timeout =
        options->handshake_timeout != 0 ? weir__at_most_32(options->handshake_timeout) : DEFAULT_HANDSHAKE_TIMEOUT;
    stream->half_close_timeout = weir__at_most_32(options->half_close_timeout);
    if (options->pause_on_connect) {
        stream->explicitly_paused = 1;
        stream->flowing = 0;
    }
    if (options->no_delay) {
        stream->no_delay = 2;
    }
    if (options->keep_alive) {
        stream->keep_alive = 2;
        stream->keep_alive_delay = weir__at_most_32(options->keep_alive_initial_delay);
    }
    uint64_t timeout = options->timeout > INT64_MAX ? INT64_MAX : options->timeout; /* as good as any longer one */
    int status = weir__stream_take_lookup(stream, options);
    if (status == 0) {
        status = weir__stream_keep_block_list(stream, options->block_list);
    }
    if (status == 0 && timeout != 0) {
        status = weir_stream_set_timeout(stream, timeout, NULL, NULL);
    }
    return status;
}

/* The stream's options as they are, for an endpoint's own to be laid over them. */
static void give_options(const weir_stream *stream, weir_stream_options *options)
{
    weir_stream_options_init(options);
    options->allow_half_open = stream->allow_half_open;
    options->no_auto_destroy = !stream->auto_destroy;
    options->discard_on_end = stream->discard_on_end;
    options->readable_high_water_mark = stream->readable_high_water_mark;
    options->writable_high_water_mark = stream->writable_high_water_mark;
    options->max_write_queue = stream->max_write_queue;
    options->connect_timeout = stream->connect_timeout;
    options->handshake_timeout = stream->handshake_timeout;
    options->half_close_timeout = stream->half_close_timeout;
    options->block_list = stream->extras != NULL ? stream->extras->block_list : NULL;
}

weir_stream *weir__stream_make(weir_runtime *runtime, const weir_stream_options *options)
{
    weir_stream_options known;
    weir_stream_options_init(&known);
    if (runtime == NULL || runtime->ending ||
        (options != NULL && weir_options_take(&known, sizeof(known), options) != 0)) {
        return NULL;
    }
    weir_stream *stream = weir__calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return NULL;
    }
    stream->refs = 1;
    stream->runtime = runtime;
    stream->id = ++runtime->next_id;
    stream->task.run = run_steps;
    stream->flowing = -1;
    stream->next = runtime->streams;
    if (runtime->streams != NULL) {
        runtime->streams->previous = stream;
    }
    runtime->streams = stream;

    if (take_options(stream, &known) != 0 || weir__onread_take(stream, &known.onread) != 0 ||
        weir__stream_take_signal(stream, &known) != 0) {
        weir_stream_release(stream);
        return NULL;
    }
    return stream;
}

weir_stream *weir_stream_new(weir_runtime *runtime, const weir_stream_options *options)
{
    weir_stream *stream = weir__stream_make(runtime, options);
    if (stream != NULL) {
        weir__stream_heed_signal(stream);
    }
    return stream;
}

weir_stream *weir_stream_retain(weir_stream *stream)
{
    if (stream != NULL) {
        stream->refs++;
    }
    return stream;
}

static void unlist(weir_stream *stream)
{
    weir_runtime *runtime = stream->runtime;
    if (runtime == NULL) {
        return;
    }
    weir_runtime_cancel(runtime, &stream->task);
    weir__clock_free(stream);
    if (stream->previous != NULL) {
        stream->previous->next = stream->next;
    } else {
        runtime->streams = stream->next;
    }
    if (stream->next != NULL) {
        stream->next->previous = stream->previous;
    }
    stream->runtime = NULL;
}

void weir_stream_release(weir_stream *stream)
{
    if (stream == NULL || --stream->refs > 0) {
        return;
    }
    /* nobody can see it any more, and it is not active: never connected, or closed */
    stream->refs = 1;
    weir__pipe_detach_all(stream);
    if (--stream->refs > 0) {
        return; /* an 'unpipe' that is still to come names it */
    }
    weir__stream_drop_input(stream);
    unlist(stream);
    weir__stream_free_extras(stream);
    weir__listeners_free(&stream->listeners);
    weir_endpoint_release(stream->endpoint);
    weir_error_release(stream->errored);
    weir_error_release(stream->pending_error);
    weir__free(stream);
}

void weir__stream_activate(weir_stream *stream)
{
    if (!stream->active) {
        stream->active = 1;
        weir_stream_retain(stream);
    }
}

static void deactivate(weir_stream *stream)
{
    if (stream->active) {
        stream->active = 0;
        weir_stream_release(stream);
    }
}

/* ---- opening ---- */

/* Both tracks at their beginning: a stream that is connected again starts anew (CONN-06). */
static void reset_tracks(weir_stream *stream)
{
    /* an end() that nothing was done about yet waits for the connection, like one while connecting (WR-19) */
    int ends = stream->life == LIFE_NEW && stream->ending && !stream->finish_emitted;
    weir__stream_drop_step(stream, STEP_SHUT);
    weir_error_release(stream->errored);
    weir_error_release(stream->pending_error);
    stream->errored = NULL;
    stream->pending_error = NULL;
    stream->server = NULL;
    stream->bytes_read = 0;
    stream->bytes_written = 0;
    stream->may_read = 0;
    stream->reading = 0;
    stream->eof = 0;
    stream->end_queued = 0;
    stream->end_emitted = 0;
    stream->emitted_readable = 0;
    stream->discarding = 0;
    stream->did_read = 0;
    stream->onread_stopped = 0;
    stream->ending = ends != 0;
    stream->ended_by_peer = 0;
    stream->shutting = 0;
    stream->finish_emitted = 0;
    stream->need_drain = 0;
    stream->peer_close_seen = 0;
    stream->destroy_when_finished = 0;
    stream->reset_when_connected = 0;
    weir__attempts_forget(stream);
    weir__stream_forget_peer(stream);
}

void weir__stream_begin_connecting(weir_stream *stream)
{
    weir_stream_options options;
    reset_tracks(stream);
    give_options(stream, &options);
    weir__endpoint_apply(stream->endpoint, &options);
    set_life(stream, LIFE_CONNECTING);
    weir__stream_activate(stream);
    weir__stream_mode_begins(stream);
    int status = take_options(stream, &options);
    if (status == 0 && stream->timeout != 0) {
        status = weir_stream_set_timeout(stream, stream->timeout, NULL, NULL); /* it covers connecting (CONN-39) */
    }
    if (status != 0) {
        weir__stream_destroy_code(stream, status, "connect");
        return;
    }
    weir__stream_apply_remembered(stream);
    weir__stream_step(stream, STEP_OPEN);
    weir__stream_heed_signal(stream);
}

static void on_set_up_timeout(weir_stream *stream)
{
    int connecting = stream->life == LIFE_CONNECTING;
    char where[WEIR_ADDRESS_TEXT_SIZE] = "";
    if (stream->endpoint != NULL) {
        weir_endpoint_format(stream->endpoint, where, sizeof(where));
    }
    weir_error *error = weir_error_newf(
        UV_ETIMEDOUT, connecting ? "connect" : "open", NULL, -1, "%s%s%s: not %s within %llu ms (ETIMEDOUT)",
        connecting ? "connect" : "open layers", *where ? " " : "", where, connecting ? "connected" : "open",
        (unsigned long long)(connecting ? stream->connect_timeout : stream->handshake_timeout));
    if (connecting) {
        weir__stream_link_failed(stream, error);
    } else {
        weir__links_open_failed(stream, error);
    }
    weir_error_release(error);
}

/* `timeout` 0: as long as it takes. */
static void limit_set_up(weir_stream *stream, uint64_t timeout)
{
    if (weir__clock_phase(stream, timeout, on_set_up_timeout) != 0) {
        weir__stream_destroy_code(stream, UV_ENOMEM, "timer");
    }
}

static void step_open(weir_stream *stream)
{
    limit_set_up(stream, stream->connect_timeout);
    if (stream->life == LIFE_CONNECTING) {
        weir__links_open(stream);
    }
}

void weir__stream_link_opened(weir_stream *stream, weir_link *link)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    if (link == stream->bottom) {
        set_life(stream, link == stream->top ? LIFE_OPEN : LIFE_OPENING);
        weir__stream_touch(stream);
        if (stream->server == NULL) {
            weir__attempts_won(stream);
            weir__stream_step(stream, STEP_CONNECT);
        }
        limit_set_up(stream, link == stream->top ? 0 : stream->handshake_timeout);
    }
    if (link == stream->top && !weir__stream_is_destroyed(stream)) {
        weir__clock_end_phase(stream);
        if (stream->life == LIFE_OPENING) {
            set_life(stream, LIFE_OPEN);
        }
        weir__stream_step(stream, stream->adding ? STEP_LAYER : STEP_READY);
    }
}

/* A side that is not wanted is over from the start, without an event (SOCK-08, SOCK-09). */
void weir__stream_adopted(weir_stream *stream, int readable, int writable)
{
    set_life(stream, LIFE_OPEN);
    weir__stream_activate(stream);
    weir__links_adopted(stream);
    stream->may_read = 1;
    if (!readable) {
        stream->eof = 1;
        stream->end_queued = 1;
        stream->end_emitted = 1;
    }
    if (!writable) {
        stream->ending = 1;
        stream->shutting = 1;
        stream->finish_emitted = 1;
    }
    weir__stream_apply_remembered(stream);
    weir__stream_touch(stream);
    weir__stream_update_reading(stream); /* onread waits for no listener */
}

void weir__stream_opens_again(weir_stream *stream)
{
    set_life(stream, LIFE_OPENING);
    limit_set_up(stream, stream->handshake_timeout);
}

static void step_connect(weir_stream *stream)
{
    weir__stream_emit(stream, WEIR_EVENT_CONNECT);
}

void weir__stream_goes_on(weir_stream *stream)
{
    if (stream->life != LIFE_OPEN) {
        return;
    }
    if (stream->reset_when_connected) {
        weir_stream_reset_and_destroy(stream);
        return;
    }
    weir__stream_flush(stream);
    weir__stream_reading_begins(stream);
}

static void step_ready(weir_stream *stream)
{
    stream->may_read = 1; /* from here on listeners may write and ask for data */
    if (stream->server != NULL && !stream->announced) {
        stream->announced = 1;
        weir__server_connection_ready(stream->server, stream);
    } else {
        weir__stream_emit(stream, WEIR_EVENT_READY);
    }
    weir__stream_goes_on(stream);
}

/* ---- failing, ending, destroying ---- */

/* What came before a failure is somebody's: data that flows, and all that a peer sent which then ended in order. */
static int must_deliver(const weir_stream *stream)
{
    return stream->eof ? !stream->end_emitted : stream->flowing == 1 && stream->readable_length > 0;
}

void weir__stream_link_failed(weir_stream *stream, const weir_error *error)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    if (stream->server != NULL && !stream->announced) {
        weir__server_client_error(stream->server, stream, error); /* nobody else will hear of it */
    } else if (stream->life == LIFE_OPEN && must_deliver(stream)) {
        weir_error_release(stream->pending_error); /* a write that failed: this is why */
        stream->pending_error = weir_error_retain(error);
        if (!stream->eof) { /* otherwise 'end' is still to come, and the failure is told behind it */
            weir__stream_step(stream, STEP_FAIL);
        }
        return;
    }
    weir_stream_destroy(stream, error);
}

/* The data that came before the failure goes to whoever listens (BN-06). */
static void step_fail(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    weir__stream_flow(stream);
    weir_stream_destroy(stream, stream->pending_error);
}

static void step_peer_close(weir_stream *stream)
{
    if (!weir__stream_is_destroyed(stream)) {
        weir__stream_emit(stream, WEIR_EVENT_PEER_CLOSE);
        weir__stream_update_reading(stream); /* the listener may have paused it */
    }
}

static void do_destroy(weir_stream *stream, const weir_error *error, weir_close_mode mode)
{
    int never_connected = stream->life == LIFE_CONNECTING;
    const weir_error *kept = weir_error_retain(error); /* may be the pending one, which goes below */
    set_life(stream, LIFE_CLOSING);
    weir__stream_activate(stream);
    weir__server_connection_destroyed(stream);
    weir_error_release(stream->errored);
    stream->errored = kept;
    stream->step_count = 0;
    weir__stream_leave_signal(stream);
    stream->corked = 0; /* here, and not when connecting: a stream may be corked before it is connected */
    weir__clock_stop(stream);
    weir__stream_drop_input(stream);
    weir__pipe_detach_all(stream);
    int status = WEIR_ESTREAM_DESTROYED;
    if (kept != NULL) {
        status = kept->code;
    } else if (never_connected) {
        status = WEIR_ECLOSED_BEFORE_CONNECTION;
    }
    weir__stream_fail_queue(stream, status);
    weir__stream_fail_ends(stream, status);
    weir__links_close(stream, mode);
    weir__stream_links_closed(stream); /* there may be none, or none that has to wait */
}

/* A link reported closed: is it the last one? */
void weir__stream_links_closed(weir_stream *stream)
{
    if (weir__links_all_closed(stream)) {
        weir__stream_step(stream, STEP_CLOSE);
    }
}

void weir_stream_destroy(weir_stream *stream, const weir_error *error)
{
    if (stream == NULL || stream->runtime == NULL || weir__stream_is_destroyed(stream)) {
        return;
    }
    do_destroy(stream, error, WEIR_CLOSE_ORDERLY);
}

void weir__stream_destroy_code(weir_stream *stream, int code, const char *call)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    char where[WEIR_ADDRESS_TEXT_SIZE];
    weir_address remote;
    const char *address = NULL;
    int port = -1;
    if (stream->top != NULL && weir__stream_peer(stream, &remote) == 0) {
        weir_address_ip(&remote, where, sizeof(where));
        address = where;
        port = remote.family == WEIR_FAMILY_PATH ? -1 : remote.port;
    }
    weir_error *error = weir_error_new(code, call, address, port);
    weir_stream_destroy(stream, error);
    weir_error_release(error);
}

void weir_stream_destroy_soon(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    if (stream->finish_emitted) {
        weir_stream_destroy(stream, NULL);
        return;
    }
    stream->destroy_when_finished = 1;
    if (!stream->ending) {
        weir_stream_end(stream, NULL, NULL);
    }
}

static int can_reset(const weir_stream *stream)
{
    weir_value value;
    return weir__links_get(stream, "canReset", &value) != 0 || value.number != 0;
}

int weir_stream_reset_and_destroy(weir_stream *stream)
{
    if (stream->top != NULL && !can_reset(stream)) {
        return WEIR_EINVALIDHANDLETYPE;
    }
    if (weir__stream_is_destroyed(stream)) {
        return 0;
    }
    if (stream->life == LIFE_NEW) {
        weir__stream_destroy_code(stream, WEIR_ESOCKET_CLOSED, NULL);
    } else if (stream->life != LIFE_OPEN) {
        stream->reset_when_connected = 1;
    } else {
        do_destroy(stream, NULL, WEIR_CLOSE_RESET);
    }
    return 0;
}

void weir__stream_maybe_auto_destroy(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream) || !stream->finish_emitted) {
        return;
    }
    if (stream->destroy_when_finished || (stream->auto_destroy && stream->end_emitted)) {
        weir_stream_destroy(stream, NULL);
    }
}

static void emit_error(weir_stream *stream)
{
    weir_event event = {.type = WEIR_EVENT_ERROR, .error = stream->errored};
    if (stream->server != NULL && !stream->announced) {
        return; /* nobody has seen this stream: the server has told of it */
    }
    if (weir__stream_emit_event(stream, &event) == 0) {
        event.target_stream = stream;
        event.stream = stream;
        weir__unhandled(stream->runtime, &event);
    }
}

static void step_close(weir_stream *stream)
{
    stream->links_hold = 0; /* they are closed, and only kept so that layers can be asked in 'error' */
    weir__stream_abandon_queue(stream, stream->errored != NULL ? stream->errored->code : WEIR_ESTREAM_DESTROYED);
    weir__stream_run_callbacks(stream, &stream->done);
    weir__stream_run_callbacks(stream, &stream->end_done);
    weir__stream_end_layering(stream, stream->errored != NULL ? stream->errored->code : WEIR_ESTREAM_DESTROYED);
    if (stream->errored != NULL) {
        emit_error(stream);
    }
    weir__links_free(stream);
    weir_server *server = weir_server_retain(stream->server);
    if (server != NULL) {
        weir__server_connection_closed(server, stream);
    }
    set_life(stream, LIFE_CLOSED);
    weir_event event = {.type = WEIR_EVENT_CLOSE, .had_error = stream->errored != NULL};
    weir__stream_emit_event(stream, &event);
    stream->server = NULL; /* which may go before a stream that the application keeps */
    weir_server_release(server);
    if (stream->life == LIFE_CLOSED) { /* otherwise a listener has connected it again */
        deactivate(stream);
    }
}

/* ---- the runtime's end ---- */

/* Whoever waits for the end of a stream that was never connected is told as well. */
static int is_awaited(const weir_stream *stream)
{
    return stream->active || (stream->extras != NULL && stream->extras->watches > 0);
}

void weir__streams_end(weir_runtime *runtime)
{
    weir_stream *stream = runtime->streams;
    while (stream != NULL) {
        weir_stream *next = stream->next;
        if (is_awaited(stream)) {
            weir_stream_destroy(stream, NULL);
        }
        stream = next;
    }
}

int weir__streams_active(const weir_runtime *runtime)
{
    for (const weir_stream *stream = runtime->streams; stream != NULL; stream = stream->next) {
        if (is_awaited(stream)) {
            return 1;
        }
    }
    return 0;
}

/* What the application still holds references of: it can be asked and released, and nothing else. */
void weir__streams_orphan(weir_runtime *runtime)
{
    while (runtime->streams != NULL) {
        weir_stream *stream = runtime->streams;
        weir_stream_retain(stream);
        stream->life = LIFE_CLOSED;
        weir__stream_leave_signal(stream);
        weir__pipe_detach_all(stream);
        weir__stream_drop_input(stream);
        weir_endpoint_release(stream->endpoint);
        stream->endpoint = NULL;
        unlist(stream);
        weir_stream_release(stream);
    }
}
