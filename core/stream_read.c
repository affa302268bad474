/* SPDX-License-Identifier: MIT */
/*
 * The reading track: what comes in goes to listeners and pipes at once while the stream flows, into the buffer
 * otherwise; then 'end'.
 *
 * Modes (RD-01, RD-02, RD-22): flowing 1 ('data' listener, resume, pipe), 0 (pause, or a 'readable' listener), -1
 * (nobody has asked yet). Links are told to read while somebody wants data and the buffer is below its mark; pause()
 * tells them to stop at once, so that the peer feels it and a peer that leaves is seen (SOCM-20, BN-05). When the peer
 * has gone and nobody has asked yet, what it left is read all the same, up to the mark: an end with nothing before it,
 * or a reset, needs no consumer (SOCK-31).
 */
#include "stream_private.h"

/* ---- telling the links ---- */

/* Somebody waits for data; or nobody has asked, and the peer has left something to find (RD-01). */
static int is_asked(const weir_stream *stream)
{
    return stream->flowing == 1 || stream->pulling || (stream->flowing == -1 && stream->peer_close_seen);
}

static int wants_data(const weir_stream *stream)
{
    if (stream->life != LIFE_OPEN || !stream->may_read || stream->eof || stream->pipes_waiting > 0 || stream->adding) {
        return 0;
    }
    if (stream->onread) { /* what has waited comes first; there is no mark */
        return stream->flowing == 1 && !stream->onread_stopped && stream->readable_length == 0;
    }
    return is_asked(stream) && stream->readable_length < stream->readable_high_water_mark;
}

void weir__stream_update_reading(weir_stream *stream)
{
    int wanted = wants_data(stream);
    if (stream->reading != (unsigned)wanted && !weir__stream_is_destroyed(stream) && stream->top != NULL) {
        stream->reading = wanted != 0;
        weir__links_read(stream, wanted);
    }
}

/* ---- delivering ---- */

/* The pipes get it too, once. */
static void pipe_on(weir_stream *stream, weir__delivery *delivery)
{
    if (stream->pipes_out != NULL && !delivery->piped) { /* a later pipe would not get this delivery anyway */
        delivery->piped = 1;
        weir__pipe_data(stream, delivery);
    }
}

/* Listeners come first, then pipes. What a listener takes by read() is behind what it is just being told of. */
static void deliver(weir_stream *stream, weir_buf *buf)
{
    weir_event event = {.type = WEIR_EVENT_DATA, .buffer = buf};
    weir__delivery delivery = {.buf = buf};
    unsigned outer = stream->emitting_data;
    if (stream->delivery != NULL) {
        pipe_on(stream, stream->delivery);
    }
    weir__delivery_begin(stream, &delivery);
    stream->emitting_data = 1; /* what comes in meanwhile waits behind it */
    stream->did_read = 1;
    weir__stream_emit_event(stream, &event);
    pipe_on(stream, &delivery);
    stream->emitting_data = outer & 1;
    weir__delivery_end(stream, &delivery);
}

/* 'end' may come: all was consumed, and the peer has ended. */
static void maybe_end(weir_stream *stream)
{
    if (stream->eof && stream->readable_length == 0 && !stream->end_queued && !weir__stream_is_destroyed(stream)) {
        stream->end_queued = 1;
        weir__stream_step(stream, STEP_END);
    }
}

static void flow_to_listeners(weir_stream *stream)
{
    while (stream->may_read && stream->flowing == 1 && stream->pipes_waiting == 0 && stream->readable_length > 0 &&
           !weir__stream_is_destroyed(stream)) {
        weir_buf *buf = weir__input_take_chunk(stream);
        if (buf == NULL) {
            weir__stream_destroy_code(stream, UV_ENOMEM, "read");
            return;
        }
        deliver(stream, buf);
        weir_buf_release(buf);
    }
}

/* Hands out what is buffered for as long as the stream flows. */
void weir__stream_flow(weir_stream *stream)
{
    if (stream->onread) {
        weir__onread_flow(stream);
    } else {
        flow_to_listeners(stream);
    }
    maybe_end(stream);
    weir__stream_update_reading(stream);
}

static void emit_readable_later(weir_stream *stream)
{
    if (!stream->may_read) {
        return; /* weir__stream_reading_begins looks again */
    }
    stream->need_readable = 0;
    if (!stream->emitted_readable && !stream->onread && weir_stream_listener_count(stream, WEIR_EVENT_READABLE) > 0) {
        stream->emitted_readable = 1;
        weir__stream_step(stream, STEP_READABLE);
    }
}

void weir__stream_input_changed(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    if (stream->readable_length > 0 && stream->flowing == 1) {
        weir__stream_step(stream, STEP_FLOW);
    } else if (stream->readable_length > 0 && stream->need_readable) {
        emit_readable_later(stream);
    }
    maybe_end(stream);
    weir__stream_update_reading(stream);
}

/* Set-up is over: what was unshifted before may go out, and links may be asked for more. */
void weir__stream_reading_begins(weir_stream *stream)
{
    if (stream->readable_length > 0 && stream->need_readable) {
        emit_readable_later(stream);
    }
    weir__stream_flow(stream);
}

/* What came in, as listeners are to get it. */
static void take_in(weir_stream *stream, weir_buf *buf)
{
    if (stream->onread) {
        weir__onread_data(stream, buf);
        return;
    }
    if (weir__stream_flows_now(stream)) {
        deliver(stream, buf);
        if (stream->readable_length > 0) {
            weir__stream_step(stream, STEP_FLOW);
        }
        return;
    }
    weir_buf *kept = weir__buf_keep(buf);
    if (kept == NULL || weir__input_put(stream, kept, 0) != 0) {
        weir_buf_release(kept);
        weir__stream_destroy_code(stream, UV_ENOMEM, "read");
        return;
    }
    if (stream->need_readable) {
        emit_readable_later(stream);
    }
    weir__stream_update_reading(stream);
}

/* `status`: of the decoding that made it. NULL: nothing came of it (ENC-11). */
static void take_text(weir_stream *stream, int status, weir_buf *text)
{
    if (status != 0) {
        weir__stream_destroy_code(stream, status, "read");
    } else if (text != NULL) {
        take_in(stream, text);
        weir_buf_release(text);
    }
}

void weir__stream_on_data(weir_stream *stream, weir_buf *buf)
{
    if (weir__stream_is_destroyed(stream) || stream->eof) { /* RD-24 */
        return;
    }
    stream->bytes_read += buf->size;
    weir__stream_touch(stream);
    if (stream->discarding || weir__stream_is_destroyed(stream)) { /* without memory for its timer */
        return;
    }
    if (weir__stream_gives_text(stream)) {
        weir_buf *text;
        int status = weir__stream_decode(stream, buf, &text);
        take_text(stream, status, text);
    } else {
        take_in(stream, buf);
    }
}

/* Row ENC-12: what the decoder holds is data before the end. */
static void take_last_text(weir_stream *stream)
{
    if (weir__stream_gives_text(stream) && !weir__stream_is_destroyed(stream) && !stream->discarding) {
        weir_buf *text;
        int status = weir__stream_decode_end(stream, &text);
        take_text(stream, status, text);
    }
}

/* The peer's end is out, or behind data that nobody has asked for: that may last for ever (BN-04). */
int weir__stream_awaits_end(const weir_stream *stream)
{
    return !stream->eof || (stream->flowing == -1 && stream->readable_length > 0);
}

void weir__stream_on_end(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    stream->eof = 1;
    stream->peer_close_seen = 1; /* an end that was read is no news any more */
    weir__stream_touch(stream);
    weir__stream_update_reading(stream);
    take_last_text(stream);
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    if (!weir__stream_awaits_end(stream)) {
        weir__clock_end_phase(stream);
    }
    if (stream->pending_error != NULL) { /* law 7: nothing more will come, so the failed write is told now */
        weir__stream_step(stream, STEP_FAIL);
        return;
    }
    emit_readable_later(stream);
    maybe_end(stream);
}

/* ---- steps ---- */

void weir__step_resume(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    weir__stream_emit(stream, WEIR_EVENT_RESUME);
    weir__stream_flow(stream);
}

void weir__step_flow(weir_stream *stream)
{
    if (!weir__stream_is_destroyed(stream)) {
        weir__stream_flow(stream);
    }
}

void weir__step_pause(weir_stream *stream)
{
    if (!weir__stream_is_destroyed(stream)) {
        weir__stream_emit(stream, WEIR_EVENT_PAUSE);
    }
}

void weir__step_readable(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    /* 'end' may have come since: a listener was added when it was due already */
    if ((stream->readable_length > 0 || stream->eof) && !stream->end_emitted) {
        stream->emitted_readable = 0;
        weir__stream_emit(stream, WEIR_EVENT_READABLE);
        weir__stream_reader_removed(stream, WEIR_EVENT_READABLE); /* one-time listeners have gone */
    } else {
        stream->emitted_readable = 0;
    }
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    stream->need_readable =
        stream->flowing != 1 && !stream->eof && stream->readable_length <= stream->readable_high_water_mark;
    weir__stream_flow(stream);
}

void weir__step_end(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream) || stream->end_emitted) {
        return;
    }
    if (stream->readable_length > 0) { /* unshifted meanwhile: 'end' waits again */
        stream->end_queued = 0;
        return;
    }
    stream->end_emitted = 1;
    stream->ended_by_peer = !stream->allow_half_open;
    weir__clock_end_phase(stream);
    weir__stream_emit(stream, WEIR_EVENT_END);
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    weir__pipe_end(stream);
    if (stream->pending_error != NULL) { /* the peer reset what it had ended */
        weir_stream_destroy(stream, stream->pending_error);
        return;
    }
    if (!stream->allow_half_open && !stream->ending) {
        weir__stream_step(stream, STEP_AUTO_END); /* LIFE-13: listeners' own tick may still write */
    }
    weir__stream_maybe_auto_destroy(stream);
}

void weir__step_auto_end(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream) || stream->ending) {
        return;
    }
    weir_stream_end(stream, NULL, NULL); /* without a callback it needs no memory */
}

/* ---- modes ---- */

static void resume_later(weir_stream *stream)
{
    weir__stream_drop_step(stream, STEP_PAUSE);
    weir__stream_step(stream, STEP_RESUME);
}

/* Row RD-02: resume() starts the flow, unless a 'readable' listener keeps it from that (RD-09). */
void weir_stream_resume(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    stream->explicitly_paused = 0;
    stream->onread_stopped = 0;
    if (stream->flowing != 1) {
        stream->flowing = stream->onread || weir_stream_listener_count(stream, WEIR_EVENT_READABLE) == 0 ? 1 : 0;
        resume_later(stream);
    } else if (stream->onread && stream->readable_length > 0) {
        weir__stream_step(stream, STEP_FLOW);
    }
    weir__stream_update_reading(stream);
}

void weir_stream_pause(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    if (stream->flowing != 0) {
        stream->flowing = 0;
        weir__stream_drop_step(stream, STEP_RESUME);
        weir__stream_step(stream, STEP_PAUSE);
    }
    stream->explicitly_paused = 1;
    if (weir_stream_listener_count(stream, WEIR_EVENT_READABLE) == 0) {
        stream->pulling = 0;
    }
    weir__stream_update_reading(stream);
}

int weir_stream_is_paused(const weir_stream *stream)
{
    return stream->explicitly_paused || stream->flowing == 0;
}

void weir__stream_reader_added(weir_stream *stream, weir_event_type type)
{
    if (weir__stream_is_destroyed(stream) || stream->onread) { /* SOCK-15: it will hear nothing */
        return;
    }
    if (type == WEIR_EVENT_DATA) {
        if (stream->flowing != 0) {
            weir_stream_resume(stream);
        }
        return;
    }
    stream->flowing = 0;
    stream->emitted_readable = 0;
    stream->need_readable = 1;
    stream->pulling = 1;
    weir__stream_drop_step(stream, STEP_RESUME);
    if (stream->readable_length > 0 || (stream->eof && !stream->end_emitted)) {
        emit_readable_later(stream);
    }
    weir__stream_update_reading(stream);
}

int weir__stream_has_reader(const weir_stream *stream)
{
    return stream->onread || weir__listeners_any(stream->listeners, WEIR_EVENT_DATA) ||
           weir__listeners_any(stream->listeners, WEIR_EVENT_READABLE);
}

void weir__stream_reader_removed(weir_stream *stream, weir_event_type type)
{
    if (type == WEIR_EVENT_READABLE && weir_stream_listener_count(stream, WEIR_EVENT_READABLE) == 0 &&
        !stream->onread && !weir__stream_is_destroyed(stream)) {
        weir__stream_step(stream, STEP_MODE);
    }
}

/* Without a 'readable' listener it is the other consumers that decide whether the stream flows. */
static void settle_mode(weir_stream *stream)
{
    if (stream->explicitly_paused) {
        return;
    }
    if (stream->pipes_out != NULL || stream->onread || weir__listeners_any(stream->listeners, WEIR_EVENT_DATA)) {
        weir_stream_resume(stream);
    } else if (stream->flowing == 0) {
        stream->flowing = -1;
    }
}

/* The last 'readable' listener has gone. */
void weir__step_mode(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream) || weir_stream_listener_count(stream, WEIR_EVENT_READABLE) > 0) {
        return;
    }
    stream->pulling = 0;
    settle_mode(stream);
    weir__stream_update_reading(stream);
}

/* Listeners stay from life to life (CONN-06), and may have come and gone between two. */
void weir__stream_mode_begins(weir_stream *stream)
{
    int has_reader = weir_stream_listener_count(stream, WEIR_EVENT_READABLE) > 0;
    stream->pulling = has_reader != 0;
    stream->need_readable = has_reader != 0;
    if (has_reader) {
        stream->flowing = 0;
    } else {
        settle_mode(stream);
    }
}

/* ---- read(), unshift() ---- */

#define RAISED_MOST ((size_t)1024 * 1024 * 1024)

/* Row RD-13: the next power of two, so that `size` bytes can be collected; a mark that is higher stays. */
static void raise_mark(weir_stream *stream, size_t size)
{
    size_t mark = 1;
    while (mark < size && mark < RAISED_MOST) {
        mark *= 2;
    }
    if (mark > stream->readable_high_water_mark) {
        stream->readable_high_water_mark = mark;
    }
}

static size_t amount(const weir_stream *stream, size_t size)
{
    size_t length = stream->readable_length;
    if (size == 0) {
        if (stream->flowing == 1 && length > 0) {
            return stream->chunks->buf->size - stream->chunks->offset;
        }
        return length;
    }
    if (size <= length) {
        return size;
    }
    return stream->eof ? length : 0;
}

weir_buf *weir_stream_read(weir_stream *stream, size_t size)
{
    if (weir__stream_is_destroyed(stream) || stream->onread) {
        return NULL;
    }
    if (size > stream->readable_high_water_mark) {
        raise_mark(stream, size);
    }
    stream->emitted_readable = 0;
    stream->pulling = 1;
    size_t take = amount(stream, size);
    weir_buf *buf = take > 0 ? weir__input_take(stream, take) : NULL;
    if (stream->readable_length == 0 || buf == NULL) {
        stream->need_readable = !stream->eof;
    }
    if (buf != NULL) {
        deliver(stream, buf);
        if (stream->flowing == 1 && stream->readable_length > 0) {
            weir__stream_step(stream, STEP_FLOW);
        }
    }
    maybe_end(stream);
    weir__stream_update_reading(stream);
    return buf;
}

void weir_stream_refill(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream) || stream->onread) {
        return;
    }
    stream->pulling = 1;
    if (stream->need_readable &&
        (stream->readable_length >= stream->readable_high_water_mark || (stream->eof && stream->readable_length > 0))) {
        emit_readable_later(stream);
    }
    maybe_end(stream);
    weir__stream_update_reading(stream);
}

int weir_stream_unshift(weir_stream *stream, const void *data, size_t size)
{
    if (weir__stream_is_destroyed(stream)) {
        return WEIR_ESTREAM_DESTROYED;
    }
    if (data == NULL && size > 0) {
        return UV_EINVAL;
    }
    if (stream->end_emitted) {
        return WEIR_EUNSHIFT_AFTER_END;
    }
    if (size == 0) {
        return 0;
    }
    weir_buf *buf = weir_buf_copy(data, size);
    if (buf == NULL) {
        return UV_ENOMEM;
    }
    if (weir__input_put(stream, buf, 1) != 0) {
        weir_buf_release(buf);
        return UV_ENOMEM;
    }
    weir__stream_input_changed(stream);
    return 0;
}
