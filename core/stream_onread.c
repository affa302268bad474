/* SPDX-License-Identifier: MIT */
/*
 * Reading into memory of the application's own (SOCK-11 to SOCK-16). A link whose data comes straight to the stream
 * reads into the application's block itself. What arrives in other memory, or at a stopped stream, waits in the read
 * buffer and is copied out of it, a block at a time.
 */
#include <string.h>

#include "stream_private.h"

int weir__onread_check(const weir_onread *onread)
{
    if (onread->callback == NULL || (onread->buffer != NULL ? onread->size > 0 : onread->block != NULL)) {
        return 0;
    }
    return WEIR_EINVALIDARGVALUE;
}

int weir__onread_take(weir_stream *stream, const weir_onread *onread)
{
    if (onread->callback == NULL) {
        return 0;
    }
    if (weir__onread_check(onread) != 0) {
        return WEIR_EINVALIDARGVALUE;
    }
    weir__extras *extras = weir__stream_extras(stream);
    if (extras == NULL) {
        return UV_ENOMEM;
    }
    extras->onread_view = weir_buf_wrap(NULL, 0, NULL, NULL);
    if (extras->onread_view == NULL) {
        return UV_ENOMEM;
    }
    extras->onread = *onread;
    stream->onread = 1;
    if (!stream->explicitly_paused) {
        stream->flowing = 1; /* the callback is the reader that others have to add */
    }
    return 0;
}

/* The block for the next piece. NULL: the application gave none, and the stream is destroyed, or destroyed it itself. */
static void *ask_block(weir_stream *stream, size_t *size)
{
    const weir_onread *onread = &stream->extras->onread;
    if (onread->buffer != NULL) {
        *size = onread->size;
        return onread->buffer;
    }
    *size = 0;
    unsigned outer = stream->emitting_data;
    stream->emitting_data = 1; /* what comes in meanwhile waits */
    weir__runtime_call_begin(stream->runtime);
    void *block = onread->block(stream, size, onread->arg);
    weir__runtime_call_end(stream->runtime);
    stream->emitting_data = outer & 1;
    if (weir__stream_is_destroyed(stream)) {
        return NULL;
    }
    if (block == NULL || *size == 0) {
        weir__stream_destroy_code(stream, UV_ENOBUFS, "read");
        return NULL;
    }
    return block;
}

static void call_back(weir_stream *stream, void *block, size_t size)
{
    const weir_onread *onread = &stream->extras->onread;
    unsigned outer = stream->emitting_data;
    stream->emitting_data = 1;
    stream->did_read = 1;
    weir__runtime_call_begin(stream->runtime);
    weir_onread_result result = onread->callback(stream, size, block, onread->arg);
    weir__runtime_call_end(stream->runtime);
    stream->emitting_data = outer & 1;
    if (weir__stream_is_destroyed(stream)) {
        return;
    }
    if (result == WEIR_ONREAD_PAUSE) {
        stream->onread_stopped = 1;
    }
    weir__stream_update_reading(stream);
}

/* The application has been called: it may have put something back. */
static void flow_later(weir_stream *stream)
{
    if (stream->readable_length > 0 && !weir__stream_is_destroyed(stream)) {
        weir__stream_step(stream, STEP_FLOW);
    }
}

weir_buf *weir__onread_buffer(weir_stream *stream)
{
    size_t size;
    if (stream->discarding || !weir__stream_flows_now(stream)) {
        return weir__slab_view(stream->runtime);
    }
    void *block = ask_block(stream, &size);
    if (block == NULL || !stream->reading || !weir__stream_flows_now(stream)) {
        flow_later(stream);
        return NULL;
    }
    weir_buf *view = stream->extras->onread_view;
    view->data = block;
    view->size = size;
    view->capacity = size;
    return view;
}

/* Memory that stays; the application's block does not, whoever made a part of it. */
static weir_buf *keep(const weir_stream *stream, weir_buf *buf)
{
    const weir_buf *memory = buf;
    while (memory->parent != NULL) {
        memory = memory->parent;
    }
    return memory == stream->extras->onread_view ? weir_buf_copy(buf->data, buf->size) : weir__buf_keep(buf);
}

void weir__onread_data(weir_stream *stream, weir_buf *buf)
{
    int now = weir__stream_flows_now(stream);
    if (now && buf == stream->extras->onread_view) {
        call_back(stream, buf->data, buf->size);
        flow_later(stream);
        return;
    }
    weir_buf *kept = keep(stream, buf);
    if (kept == NULL || weir__input_put(stream, kept, 0) != 0) {
        weir_buf_release(kept);
        weir__stream_destroy_code(stream, UV_ENOMEM, "read");
        return;
    }
    if (now) {
        weir__onread_flow(stream);
    }
    weir__stream_update_reading(stream);
}

static int may_flow(const weir_stream *stream)
{
    return stream->may_read && stream->flowing == 1 && !stream->onread_stopped && stream->readable_length > 0 &&
           !weir__stream_is_destroyed(stream);
}

void weir__onread_flow(weir_stream *stream)
{
    while (may_flow(stream)) {
        size_t size;
        void *block = ask_block(stream, &size);
        if (block == NULL || !may_flow(stream)) {
            return;
        }
        size = size < stream->readable_length ? size : stream->readable_length;
        weir__input_copy_out(stream, block, size);
        call_back(stream, block, size);
    }
}
