/* SPDX-License-Identifier: MIT */
/* The two queues of ciphertext, in pooled memory: what came and was not taken yet, what is to go out. */
#ifndef WEIR_TLS_TRANSFER_H
#define WEIR_TLS_TRANSFER_H

#include <stddef.h>
#include <sys/uio.h>

#include <weir/buffer.h>

/* What the link below is given to read into: two records. */
#define TLS_ROOM 32768

/* One record of any size fits, with its header and what ciphers add. */
#define TLS_CHUNK ((size_t)16384 + 512)

/* From so much ciphertext on, no more plaintext is taken; what is there is at most this and one record. */
#define TLS_OUT_MARK ((size_t)65536)

#define TLS_OUT_PARTS 8

typedef struct tls_chunk {
    struct tls_chunk *next;
    size_t from;
    size_t to;
    unsigned char bytes[TLS_CHUNK];
} tls_chunk;

/* Memory of all connections of a runtime that is not in use: an idle connection has none. */
typedef struct tls_pool {
    tls_chunk *chunks;
    size_t count;
    weir_buf *room; /* what links below read into; whoever is still busy with it has a reference of his own */
} tls_pool;

/* For links below to read into. NULL: no memory. */
weir_buf *weir__tls_pool_room(tls_pool *pool);

/* A chunk with nothing in it, and back. NULL: no memory. */
tls_chunk *weir__tls_pool_take(tls_pool *pool);
void weir__tls_pool_give(tls_pool *pool, tls_chunk *chunk);

void weir__tls_pool_free(tls_pool *pool);

/* ---- in ---- */

typedef struct tls_in {
    const unsigned char *at;
    size_t left;
    weir_buf *buf; /* what holds those bytes; NULL: nothing is left */
    int own;       /* a copy that is no larger than it has to be */
} tls_in;

/* What came, behind what is there. 0 or UV_ENOMEM. */
int weir__tls_in_add(tls_in *in, weir_buf *buf);

/* Takes at most `size` bytes: how many. */
size_t weir__tls_in_take(tls_in *in, void *data, size_t size);

/* At the end of a report from below: lets go of a buffer that others want to use, and of one that is read. */
void weir__tls_in_settle(tls_in *in);

void weir__tls_in_clear(tls_in *in);

/* ---- out ---- */

typedef struct tls_out {
    tls_chunk *first;
    tls_chunk *last;
    size_t size;
    struct iovec parts[TLS_OUT_PARTS];
} tls_out;

/* Takes all of it. 0, or UV_ENOMEM: a part may be in. */
int weir__tls_out_put(tls_out *out, tls_pool *pool, const void *data, size_t size);

/* The first bytes as vectors (out->parts), which stay in place until they are dropped: how many vectors, and bytes. */
size_t weir__tls_out_parts(tls_out *out, size_t *size);

/* The first `size` bytes have gone. */
void weir__tls_out_drop(tls_out *out, tls_pool *pool, size_t size);

/* ---- the plaintext of one write ---- */

/* Where a write of many buffers stands. */
typedef struct tls_cursor {
    const struct iovec *bufs;
    size_t count;  /* buffers left, the first one in part */
    size_t offset; /* in the first one */
} tls_cursor;

void weir__tls_cursor_set(tls_cursor *cursor, const struct iovec *bufs, size_t count);

/* Passes over at most `size` bytes: how many. */
size_t weir__tls_cursor_skip(tls_cursor *cursor, size_t size);

/*
 * The next bytes for one record, at most TLS_RECORD_MOST, and moves on: small buffers are put together in `scratch`, so
 * that a record is not spent on each (NULL: it is). 0: there is nothing left.
 */
size_t weir__tls_cursor_next(tls_cursor *cursor, unsigned char *scratch, const void **data);

#endif
