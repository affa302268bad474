/* SPDX-License-Identifier: MIT */
/*
 * The idle time-out (SOCM-41 to SOCM-47): every activity notes the loop's time; the timer, when it expires, looks
 * whether anything happened since and goes on for the rest of the time, so that a byte costs no timer.
 */
#include "stream_private.h"

static void on_idle_time(weir_timer *timer);

static void arm(weir_stream *stream, uint64_t after)
{
    stream->idle_timer.run = on_idle_time;
    stream->idle_timer.unref = 1; /* SOCM-47 */
    if (weir_timer_start(stream->runtime, &stream->idle_timer, after) != 0) {
        weir__stream_destroy_code(stream, UV_ENOMEM, "timer");
    }
}

static void on_idle_time(weir_timer *timer)
{
    weir_stream *stream = (weir_stream *)(void *)((char *)timer - offsetof(weir_stream, idle_timer));
    uint64_t idle = uv_now(stream->runtime->loop) - stream->last_activity;
    if (idle < stream->timeout) {
        arm(stream, stream->timeout - idle);
        return;
    }
    stream->timed_out = 1; /* once an idle period: the next activity arms it again (SOCM-46) */
    weir__stream_emit(stream, WEIR_EVENT_TIMEOUT);
}

void weir__stream_touch(weir_stream *stream)
{
    if (stream->timeout == 0) {
        return;
    }
    stream->last_activity = uv_now(stream->runtime->loop);
    if (stream->timed_out) {
        stream->timed_out = 0;
        arm(stream, stream->timeout);
    }
}

void weir__stream_idle_stop(weir_stream *stream)
{
    weir_timer_stop(stream->runtime, &stream->idle_timer);
}

int weir_stream_set_timeout(weir_stream *stream, uint64_t milliseconds, weir_listener listener, void *arg)
{
    if (milliseconds == 0) {
        if (listener != NULL) {
            weir_stream_off(stream, WEIR_EVENT_TIMEOUT, listener, arg);
        }
    } else if (listener != NULL) {
        int status = weir_stream_once(stream, WEIR_EVENT_TIMEOUT, listener, arg);
        if (status != 0) {
            return status;
        }
    }
    stream->timeout_set = 1;
    stream->timeout = milliseconds;
    stream->timed_out = 0;
    if (stream->runtime == NULL || weir__stream_is_destroyed(stream)) {
        return 0;
    }
    weir_timer_stop(stream->runtime, &stream->idle_timer);
    if (milliseconds != 0) {
        stream->last_activity = uv_now(stream->runtime->loop);
        stream->idle_timer.run = on_idle_time;
        stream->idle_timer.unref = 1;
        return weir_timer_start(stream->runtime, &stream->idle_timer, milliseconds);
    }
    return 0;
}

int64_t weir_stream_timeout(const weir_stream *stream)
{
    return stream->timeout_set ? (int64_t)stream->timeout : -1;
}
