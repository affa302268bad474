/* SPDX-License-Identifier: MIT */
/*
 * The end of the writing track: end(), its callbacks, the shutdown when all is written, 'finish'; and how long our side's
 * end waits for the peer's.
 */
#include "memory.h"
#include "stream_private.h"

/* Why end() is too late, or 0. */
static int end_is_late(const weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return WEIR_ESTREAM_DESTROYED;
    }
    if (stream->finish_emitted || stream->finishing) {
        return WEIR_EALREADY_FINISHED;
    }
    return stream->pending_error != NULL ? stream->pending_error->code : 0;
}

/* `entry` is the callback's, or NULL. */
static void begin_end(weir_stream *stream, weir__write *entry)
{
    if (entry != NULL) {
        weir__writes_put(&stream->end_done, entry);
        weir__stream_owe(stream);
    }
    stream->ending = 1;
    stream->corked = 0;
    stream->need_drain = 0;
    weir__stream_drop_step(stream, STEP_DRAIN);
    if (stream->life == LIFE_NEW) { /* there is nothing to shut down */
        weir__stream_on_shut(stream, 0);
    }
    weir__stream_flush(stream);
}

/* Of a stream that has failed, the callbacks of earlier ends may wait for its last data (law 7): this one is behind them. */
static int refuse_end(weir_stream *stream, int code, weir_write_callback callback, void *arg)
{
    int waits = stream->pending_error != NULL && stream->end_done.last != NULL && !weir__stream_is_destroyed(stream);
    if (callback == NULL || !waits) {
        return weir__stream_refuse(stream, code, callback, arg);
    }
    weir__write *entry = weir__write_new(callback, arg, code);
    if (entry == NULL) {
        return UV_ENOMEM;
    }
    weir__writes_put(&stream->end_done, entry);
    return 0;
}

int weir_stream_end(weir_stream *stream, weir_write_callback callback, void *arg)
{
    int late = end_is_late(stream);
    if (late != 0) {
        return refuse_end(stream, late, callback, arg);
    }
    weir__write *entry = NULL;
    if (callback != NULL && (entry = weir__write_new(callback, arg, 0)) == NULL) {
        return UV_ENOMEM;
    }
    begin_end(stream, entry);
    return 0;
}

/* A write that fails, and with it the stream: the callback gets why, behind those of earlier ends (WR-18). */
static int end_with_in_vain(weir_stream *stream, const void *data, size_t size, weir__write *entry)
{
    int written = weir_stream_write(stream, data, size, NULL, NULL);
    if (written < 0) {
        weir__free(entry);
    } else if (entry != NULL) {
        entry->status = stream->errored != NULL ? stream->errored->code : WEIR_ESTREAM_DESTROYED;
        weir__writes_put(&stream->end_done, entry);
        weir__stream_owe(stream);
    }
    return written;
}

int weir_stream_end_with(weir_stream *stream, const void *data, size_t size, weir_write_callback callback, void *arg)
{
    weir__write *entry = NULL;
    if (callback != NULL && (entry = weir__write_new(callback, arg, 0)) == NULL) {
        return UV_ENOMEM;
    }
    if (!weir__stream_is_destroyed(stream) && (stream->ending || stream->life == LIFE_NEW)) {
        return end_with_in_vain(stream, data, size, entry);
    }
    int written = weir_stream_write(stream, data, size, NULL, NULL);
    int late = end_is_late(stream); /* by a write that failed at once */
    if (written < 0) {
        weir__free(entry);
    } else if (late == 0) {
        begin_end(stream, entry);
    } else if (entry != NULL) {
        entry->status = late;
        weir__stream_tell_later(stream, entry);
    }
    return written;
}

static void on_half_close_time(weir_stream *stream)
{
    if (weir__stream_awaits_end(stream)) { /* else somebody reads what came before it, in his own time */
        weir_stream_destroy(stream, NULL);
    }
}

/* Our side is over; the peer's may take its time, or (BN-04) not for ever. */
static void watch_half_closed(weir_stream *stream)
{
    if (weir__stream_awaits_end(stream) &&
        weir__clock_phase(stream, stream->half_close_timeout, on_half_close_time) != 0) {
        weir__stream_destroy_code(stream, UV_ENOMEM, "timer");
        return;
    }
    if (stream->discard_on_end && !stream->end_emitted) {
        stream->discarding = 1;
        weir__stream_drop_input(stream);
        weir_stream_resume(stream);
        weir__stream_step(stream, STEP_FLOW); /* the peer's end may be there already, behind what was dropped */
    }
}

void weir__stream_on_shut(weir_stream *stream, int status)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    if (status != 0) {
        weir__stream_destroy_code(stream, status, "shutdown");
        return;
    }
    weir__stream_step(stream, STEP_SHUT);
}

void weir__stream_fail_ends(weir_stream *stream, int status)
{
    for (weir__write *write = weir__writes_first(&stream->end_done); write != NULL;
         write = weir__writes_next(&stream->end_done, write)) {
        write->status = status;
    }
}

/* Destroyed in one of them, the others get what prevented 'finish'; an end() in one of them is too late (WR-18). */
static void run_end_callbacks(weir_stream *stream)
{
    weir__write *write;
    stream->finishing = 1;
    while ((write = weir__writes_take(&stream->end_done)) != NULL) {
        write->callback(stream, write->status, write->arg);
        weir__write_free(write);
    }
    stream->finishing = 0;
}

/* Write callbacks, then those of end() (WR-17), then 'finish'. */
void weir__step_shut(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    weir__stream_run_callbacks(stream, &stream->done);
    if (!weir__stream_is_destroyed(stream)) {
        run_end_callbacks(stream);
    }
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    stream->finish_emitted = 1;
    weir__stream_emit(stream, WEIR_EVENT_FINISH);
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    weir__pipe_finished(stream);
    watch_half_closed(stream);
    weir__stream_maybe_auto_destroy(stream);
}
