/* SPDX-License-Identifier: MIT */
/* Reference-counted bytes. */
#ifndef WEIR_BUFFER_H
#define WEIR_BUFFER_H

#include <stddef.h>

#include <weir/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A run of bytes with a count of its owners. What a 'data' listener receives is valid while the listener runs; to keep
 * it, retain it (the whole read buffer of 256 KiB may stay pinned by that) or copy it (row RD-05). A buffer belongs to
 * the thread of its runtime: the count is not atomic.
 */
typedef struct weir_buf weir_buf;
struct weir_buf {
    char *data;
    size_t size;

    /* the core's own */
    size_t refs;
    size_t capacity;
    weir_buf *parent;
    void (*release)(void *data, size_t size, void *arg);
    void *release_arg;
};

/* A buffer of `size` bytes, not initialised, with one reference. NULL: no memory. `size` may be 0. */
WEIR_EXPORT weir_buf *weir_buf_new(size_t size);

/* A buffer with a copy of `size` bytes. NULL: no memory. */
WEIR_EXPORT weir_buf *weir_buf_copy(const void *data, size_t size);

/*
 * A buffer over memory of the caller's, which stays as it is until `release` is called (with `arg`, when the last
 * reference goes; NULL for static memory). NULL: no memory, `release` is not called then.
 */
WEIR_EXPORT weir_buf *weir_buf_wrap(void *data, size_t size, void (*release)(void *data, size_t size, void *arg),
                                    void *arg);

/*
 * A part of a buffer, which it keeps alive. `offset` + `size` must lie inside it, otherwise NULL; NULL also without
 * memory.
 */
WEIR_EXPORT weir_buf *weir_buf_slice(weir_buf *buf, size_t offset, size_t size);

/* One more reference. Returns its argument; NULL is let pass. */
WEIR_EXPORT weir_buf *weir_buf_retain(weir_buf *buf);

/* One reference less; the last one frees. NULL is let pass. */
WEIR_EXPORT void weir_buf_release(weir_buf *buf);

#ifdef __cplusplus
}
#endif
#endif
