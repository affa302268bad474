/* SPDX-License-Identifier: MIT */
/* Queues of ciphertext: nothing is copied that is used up at once, nothing is kept that nobody waits for. */
#include "transfer.h"

#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "engine.h"

#define POOL_MOST 32 /* chunks that are kept for the next one who wants some */

/* ---- the pool ---- */

weir_buf *weir__tls_pool_room(tls_pool *pool)
{
    if (pool->room && pool->room->refs > 1) {
        weir_buf_release(pool->room);
        pool->room = NULL;
    }
    if (!pool->room)
        pool->room = weir_buf_new(TLS_ROOM);
    if (pool->room)
        pool->room->size = TLS_ROOM;
    return pool->room;
}

tls_chunk *weir__tls_pool_take(tls_pool *pool)
{
    tls_chunk *chunk = pool->chunks;

    if (chunk) {
        pool->chunks = chunk->next;
        pool->count--;
    } else {
        chunk = weir_malloc(sizeof(*chunk));
    }
    if (chunk) {
        chunk->next = NULL;
        chunk->from = 0;
        chunk->to = 0;
    }
    return chunk;
}

void weir__tls_pool_give(tls_pool *pool, tls_chunk *chunk)
{
    if (pool->count >= POOL_MOST) {
        weir_free(chunk);
        return;
    }
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->count++;
}

void weir__tls_pool_free(tls_pool *pool)
{
    while (pool->chunks) {
        tls_chunk *chunk = pool->chunks;

        pool->chunks = chunk->next;
        weir_free(chunk);
    }
    weir_buf_release(pool->room);
    memset(pool, 0, sizeof(*pool));
}

/* ---- in ---- */

int weir__tls_in_add(tls_in *in, weir_buf *buf)
{
    weir_buf *joined;

    if (in->left == 0) {
        weir__tls_in_clear(in);
        in->buf = weir_buf_retain(buf);
        in->at = (const unsigned char *)buf->data;
        in->left = buf->size;
        return 0;
    }
    joined = weir_buf_new(in->left + buf->size);
    if (!joined)
        return UV_ENOMEM;
    memcpy(joined->data, in->at, in->left);
    memcpy(joined->data + in->left, buf->data, buf->size);
    weir_buf_release(in->buf);
    in->buf = joined;
    in->own = 1;
    in->at = (const unsigned char *)joined->data;
    in->left = joined->size;
    return 0;
}

size_t weir__tls_in_take(tls_in *in, void *data, size_t size)
{
    if (size > in->left)
        size = in->left;
    if (size)
        memcpy(data, in->at, size);
    in->at += size;
    in->left -= size;
    return size;
}

/* Little in a large buffer does not keep that one; without memory it does. */
void weir__tls_in_settle(tls_in *in)
{
    weir_buf *copy;

    if (in->left == 0) {
        weir__tls_in_clear(in);
        return;
    }
    if (in->own || in->left > TLS_ROOM / 4)
        return;
    copy = weir_buf_copy(in->at, in->left);
    if (!copy)
        return;
    weir_buf_release(in->buf);
    in->buf = copy;
    in->own = 1;
    in->at = (const unsigned char *)copy->data;
}

void weir__tls_in_clear(tls_in *in)
{
    weir_buf_release(in->buf);
    memset(in, 0, sizeof(*in));
}

/* ---- out ---- */

int weir__tls_out_put(tls_out *out, tls_pool *pool, const void *data, size_t size)
{
    const unsigned char *from = data;

    while (size > 0) {
        size_t room = out->last ? TLS_CHUNK - out->last->to : 0;

        if (room == 0) {
            tls_chunk *chunk = weir__tls_pool_take(pool);

            if (!chunk)
                return UV_ENOMEM;
            if (out->last)
                out->last->next = chunk;
            else
                out->first = chunk;
            out->last = chunk;
            continue;
        }
        if (room > size)
            room = size;
        memcpy(out->last->bytes + out->last->to, from, room);
        out->last->to += room;
        out->size += room;
        from += room;
        size -= room;
    }
    return 0;
}

size_t weir__tls_out_parts(tls_out *out, size_t *size)
{
    tls_chunk *chunk = out->first;
    size_t count = 0;

    *size = 0;
    for (; chunk && count < TLS_OUT_PARTS; chunk = chunk->next, count++) {
        out->parts[count].iov_base = chunk->bytes + chunk->from;
        out->parts[count].iov_len = chunk->to - chunk->from;
        *size += out->parts[count].iov_len;
    }
    return count;
}

void weir__tls_out_drop(tls_out *out, tls_pool *pool, size_t size)
{
    out->size -= size;
    while (out->first && (size > 0 || out->first->from == out->first->to)) {
        tls_chunk *chunk = out->first;
        size_t there = chunk->to - chunk->from;

        if (size < there) {
            chunk->from += size;
            return;
        }
        size -= there;
        out->first = chunk->next;
        if (!out->first)
            out->last = NULL;
        weir__tls_pool_give(pool, chunk);
    }
}

/* ---- plaintext ---- */

void weir__tls_cursor_set(tls_cursor *cursor, const struct iovec *bufs, size_t count)
{
    cursor->bufs = bufs;
    cursor->count = count;
    cursor->offset = 0;
}

static void move_on(tls_cursor *cursor, size_t size)
{
    cursor->offset += size;
    while (cursor->count > 0 && cursor->offset == cursor->bufs->iov_len) {
        cursor->bufs++;
        cursor->count--;
        cursor->offset = 0;
    }
}

size_t weir__tls_cursor_skip(tls_cursor *cursor, size_t size)
{
    size_t skipped = 0;

    move_on(cursor, 0);
    while (skipped < size && cursor->count > 0) {
        size_t part = cursor->bufs->iov_len - cursor->offset;

        if (part > size - skipped)
            part = size - skipped;
        move_on(cursor, part);
        skipped += part;
    }
    return skipped;
}

size_t weir__tls_cursor_next(tls_cursor *cursor, unsigned char *scratch, const void **data)
{
    size_t size = 0;

    move_on(cursor, 0);
    if (cursor->count == 0)
        return 0;
    if (cursor->count == 1 || !scratch || cursor->bufs->iov_len - cursor->offset >= TLS_RECORD_MOST) {
        size = cursor->bufs->iov_len - cursor->offset;
        if (size > TLS_RECORD_MOST)
            size = TLS_RECORD_MOST;
        *data = (const char *)cursor->bufs->iov_base + cursor->offset;
        move_on(cursor, size);
        return size;
    }
    while (cursor->count > 0 && size < TLS_RECORD_MOST) {
        size_t part = cursor->bufs->iov_len - cursor->offset;

        if (part > TLS_RECORD_MOST - size)
            part = TLS_RECORD_MOST - size;
        memcpy(scratch + size, (const char *)cursor->bufs->iov_base + cursor->offset, part);
        size += part;
        move_on(cursor, part);
    }
    *data = scratch;
    return size;
}
