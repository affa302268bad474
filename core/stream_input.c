/* SPDX-License-Identifier: MIT */
/* The read buffer: what came in and nobody has taken yet, in the chunks in which it came. */
#include "encoding.h"
#include "memory.h"
#include "stream_private.h"

int weir__input_put(weir_stream *stream, weir_buf *buf, int front)
{
    weir__chunk *chunk = weir__malloc(sizeof(*chunk));
    if (chunk == NULL) {
        return UV_ENOMEM;
    }
    chunk->buf = buf;
    chunk->offset = 0;
    if (front) {
        chunk->next = stream->chunks;
        stream->chunks = chunk;
        if (stream->last_chunk == NULL) {
            stream->last_chunk = chunk;
        }
    } else {
        chunk->next = NULL;
        if (stream->last_chunk != NULL) {
            stream->last_chunk->next = chunk;
        } else {
            stream->chunks = chunk;
        }
        stream->last_chunk = chunk;
    }
    stream->readable_length += buf->size;
    return 0;
}

weir_buf *weir__chunks_take(weir__chunk **chunks)
{
    weir__chunk *chunk = *chunks;
    weir_buf *buf = chunk->buf;
    if (chunk->offset > 0) {
        buf = weir_buf_slice(chunk->buf, chunk->offset, chunk->buf->size - chunk->offset);
        if (buf == NULL) {
            return NULL;
        }
        weir_buf_release(chunk->buf);
    }
    *chunks = chunk->next;
    weir__free(chunk);
    return buf;
}

void weir__chunks_free(weir__chunk *chunks)
{
    while (chunks != NULL) {
        weir__chunk *chunk = chunks;
        chunks = chunk->next;
        weir_buf_release(chunk->buf);
        weir__free(chunk);
    }
}

weir_buf *weir__input_take_chunk(weir_stream *stream)
{
    weir_buf *buf = weir__chunks_take(&stream->chunks);
    if (buf == NULL) {
        return NULL;
    }
    if (stream->chunks == NULL) {
        stream->last_chunk = NULL;
    }
    stream->readable_length -= buf->size;
    return buf;
}

void weir__input_copy_out(weir_stream *stream, char *memory, size_t size)
{
    for (size_t done = 0; done < size;) {
        weir__chunk *chunk = stream->chunks;
        size_t part = chunk->buf->size - chunk->offset;
        if (part > size - done) {
            part = size - done;
        }
        memcpy(memory + done, chunk->buf->data + chunk->offset, part);
        done += part;
        chunk->offset += part;
        if (chunk->offset == chunk->buf->size) {
            stream->chunks = chunk->next;
            weir_buf_release(chunk->buf);
            weir__free(chunk);
        }
    }
    if (stream->chunks == NULL) {
        stream->last_chunk = NULL;
    }
    stream->readable_length -= size;
}

weir_buf *weir__input_take(weir_stream *stream, size_t size)
{
    weir__chunk *chunk = stream->chunks;
    size_t first = chunk->buf->size - chunk->offset;
    if (first == size) {
        return weir__input_take_chunk(stream);
    }
    if (first > size) {
        weir_buf *part = weir_buf_slice(chunk->buf, chunk->offset, size);
        if (part != NULL) {
            chunk->offset += size;
            stream->readable_length -= size;
        }
        return part;
    }
    weir_buf *all = weir_buf_new(size);
    if (all != NULL) {
        weir__input_copy_out(stream, all->data, size);
    }
    return all;
}

void weir__stream_drop_input(weir_stream *stream)
{
    weir__chunks_free(stream->chunks);
    stream->chunks = NULL;
    stream->last_chunk = NULL;
    stream->readable_length = 0;
    if (weir__stream_gives_text(stream)) {
        weir__decoder_forget(stream->extras->decoder); /* it is the end of what was dropped */
    }
}
