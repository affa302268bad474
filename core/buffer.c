/* SPDX-License-Identifier: MIT */
/* Reference-counted bytes: buffers of their own, over foreign memory, and parts of others. */
#include <stdint.h>
#include <string.h>

#include <weir/buffer.h>

#include "memory.h"

/* The bytes stand behind the header, in the same block. */
weir_buf *weir_buf_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(weir_buf))
        return NULL;
    weir_buf *buf = weir__malloc(sizeof(*buf) + size);
    if (!buf)
        return NULL;
    *buf = (weir_buf){.data = (char *)(buf + 1), .size = size, .capacity = size, .refs = 1};
    return buf;
}

weir_buf *weir_buf_copy(const void *data, size_t size)
{
    weir_buf *buf = weir_buf_new(size);
    if (buf && size)
        memcpy(buf->data, data, size);
    return buf;
}

weir_buf *weir_buf_wrap(void *data, size_t size, void (*release)(void *data, size_t size, void *arg), void *arg)
{
    weir_buf *buf = weir__malloc(sizeof(*buf));
    if (!buf)
        return NULL;
    *buf = (weir_buf){.data = data, .size = size, .capacity = size, .refs = 1, .release = release, .release_arg = arg};
    return buf;
}

weir_buf *weir_buf_slice(weir_buf *buf, size_t offset, size_t size)
{
    if (!buf || offset > buf->size || size > buf->size - offset)
        return NULL;
    weir_buf *slice = weir__malloc(sizeof(*slice));
    if (!slice)
        return NULL;
    /*
     * Of a chain of slices one step is kept, so that chains stay short: the one next to the root, and not the root
     * itself. That step may be the view of the read slab that the runtime hands out again as soon as nobody holds it.
     */
    weir_buf *kept = buf;
    while (kept->parent && kept->parent->parent)
        kept = kept->parent;
    *slice = (weir_buf){
        .data = size ? buf->data + offset : buf->data, .size = size, .capacity = size, .refs = 1, .parent = kept};
    weir_buf_retain(kept);
    return slice;
}

weir_buf *weir_buf_retain(weir_buf *buf)
{
    if (buf)
        buf->refs++;
    return buf;
}

void weir_buf_release(weir_buf *buf)
{
    if (!buf || --buf->refs)
        return;
    weir_buf last = *buf;
    weir__free(buf);
    /* `capacity`, as a reader may have shortened `size`. Called last: it may do anything. */
    if (last.release)
        last.release(last.data, last.capacity, last.release_arg);
    weir_buf_release(last.parent);
}
