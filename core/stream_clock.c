/* SPDX-License-Identifier: MIT */
/*
 * A stream's two timers, made when the first of them is needed, since most streams never need one.
 *
 * The idle time-out (SOCM-41 to SOCM-47): every activity notes the loop's time; the timer, when it expires, looks
 * whether anything happened since and goes on for the rest of the time, so that a byte costs no timer.
 *
 * The phase timer: set-up, then a failed write that waits for readable data, or our side ended and the peer's not.
 * Never two of them at once.
 */
#include "memory.h"
#include "stream_private.h"

struct weir__clock {
    weir_timer idle;
    weir_timer phase;
    weir_stream *stream;
    void (*on_phase)(weir_stream *stream);
};

static void on_idle(weir_timer *timer)
{
    const weir__clock *clock = (const weir__clock *)(void *)((char *)timer - offsetof(weir__clock, idle));
    weir_stream *stream = clock->stream;
    uint64_t idle = uv_now(stream->runtime->loop) - stream->last_activity;
    if (idle < stream->timeout) {
        weir_timer_start(stream->runtime, timer, stream->timeout - idle); /* its place has just become free */
        return;
    }
    stream->timed_out = 1; /* once an idle period: the next activity arms it again (SOCM-46) */
    weir__stream_emit(stream, WEIR_EVENT_TIMEOUT);
}

static void on_phase(weir_timer *timer)
{
    const weir__clock *clock = (const weir__clock *)(void *)((char *)timer - offsetof(weir__clock, phase));
    clock->on_phase(clock->stream);
}

static weir__clock *clock_of(weir_stream *stream)
{
    if (stream->clock == NULL) {
        weir__clock *clock = weir__calloc(1, sizeof(*clock));
        if (clock != NULL) {
            clock->stream = stream;
            clock->idle.run = on_idle;
            clock->idle.unref = 1; /* SOCM-47 */
            clock->phase.run = on_phase;
        }
        stream->clock = clock;
    }
    return stream->clock;
}

void weir__clock_free(weir_stream *stream)
{
    if (stream->clock != NULL) {
        weir__clock_stop(stream);
        weir__free(stream->clock);
        stream->clock = NULL;
    }
}

void weir__clock_stop(weir_stream *stream)
{
    if (stream->clock != NULL) {
        weir_timer_stop(stream->runtime, &stream->clock->idle);
        weir_timer_stop(stream->runtime, &stream->clock->phase);
    }
}

/* ---- phases ---- */

void weir__clock_end_phase(weir_stream *stream)
{
    if (stream->clock != NULL) {
        weir_timer_stop(stream->runtime, &stream->clock->phase);
    }
}

int weir__clock_phase(weir_stream *stream, uint64_t timeout, void (*run)(weir_stream *stream))
{
    weir__clock_end_phase(stream);
    if (timeout == 0) {
        return 0;
    }
    weir__clock *clock = clock_of(stream);
    if (clock == NULL) {
        return UV_ENOMEM;
    }
    clock->on_phase = run;
    clock->phase.unref = stream->unref;
    return weir_timer_start(stream->runtime, &clock->phase, timeout);
}

void weir__clock_ref(const weir_stream *stream, int on)
{
    if (stream->clock != NULL && stream->runtime != NULL) {
        weir__timer_set_reference(stream->runtime, &stream->clock->phase, on);
    }
}

/* ---- the idle time-out ---- */

void weir__stream_touch(weir_stream *stream)
{
    if (stream->timeout == 0) {
        return;
    }
    stream->last_activity = uv_now(stream->runtime->loop);
    if (stream->timed_out) {
        stream->timed_out = 0;
        if (weir_timer_start(stream->runtime, &stream->clock->idle, stream->timeout) != 0) {
            weir__stream_destroy_code(stream, UV_ENOMEM, "timer");
        }
    }
}

static int start_idle(weir_stream *stream, uint64_t milliseconds)
{
    weir__clock *clock = clock_of(stream);
    if (clock == NULL) {
        return UV_ENOMEM;
    }
    stream->last_activity = uv_now(stream->runtime->loop);
    return weir_timer_start(stream->runtime, &clock->idle, milliseconds);
}

int weir_stream_set_timeout(weir_stream *stream, uint64_t milliseconds, weir_listener listener, void *arg)
{
    int live = stream->runtime != NULL && !weir__stream_is_destroyed(stream);
    int status = 0;
    if (milliseconds > INT64_MAX) { /* it could not be told by weir_stream_timeout */
        return WEIR_EOUTOFRANGE;
    }
    if (milliseconds != 0 && listener != NULL) {
        status = weir_stream_once(stream, WEIR_EVENT_TIMEOUT, listener, arg);
    }
    if (status != 0) {
        return status;
    }
    if (milliseconds != 0 && live) {
        status = start_idle(stream, milliseconds);
    } else if (live && stream->clock != NULL) {
        weir_timer_stop(stream->runtime, &stream->clock->idle);
    }
    if (listener != NULL && (milliseconds == 0 || status != 0)) {
        weir_stream_off(stream, WEIR_EVENT_TIMEOUT, listener, arg);
    }
    if (status != 0) {
        return status;
    }
    stream->timeout_set = 1;
    stream->timeout = milliseconds;
    stream->timed_out = 0;
    return 0;
}

int64_t weir_stream_timeout(const weir_stream *stream)
{
    return stream->timeout_set ? (int64_t)stream->timeout : -1;
}
