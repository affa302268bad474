/* SPDX-License-Identifier: MIT */
/* The two bounded ways of a connection in memory. */
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "wire.h"

mem_wire *mem_wire_new(const weir_address *name, size_t capacity)
{
    mem_wire *wire = weir_calloc(1, sizeof(*wire));
    if (!wire)
        return NULL;
    wire->refs = 1;
    wire->name = *name;
    for (int side = 0; side < 2; side++) {
        wire->ways[side].capacity = capacity;
        wire->ways[side].bytes = weir_malloc(capacity);
        if (!wire->ways[side].bytes) {
            mem_wire_release(wire);
            return NULL;
        }
    }
    return wire;
}

void mem_wire_release(mem_wire *wire)
{
    if (--wire->refs)
        return;
    weir_free(wire->ways[0].bytes);
    weir_free(wire->ways[1].bytes);
    weir_free(wire);
}

static size_t put_run(mem_way *way, const char *bytes, size_t size)
{
    size_t free_bytes = way->capacity - way->used;
    size_t taken = size < free_bytes ? size : free_bytes;
    size_t end = (way->first + way->used) % way->capacity;
    size_t before_wrap = way->capacity - end;
    size_t head = taken < before_wrap ? taken : before_wrap;
    memcpy(way->bytes + end, bytes, head);
    memcpy(way->bytes, bytes + head, taken - head);
    way->used += taken;
    return taken;
}

size_t mem_way_put(mem_way *way, const struct iovec *bufs, size_t count, size_t offset)
{
    size_t taken = 0;
    for (size_t i = 0; i < count && way->used < way->capacity; i++) {
        if (offset >= bufs[i].iov_len) {
            offset -= bufs[i].iov_len;
            continue;
        }
        taken += put_run(way, (const char *)bufs[i].iov_base + offset, bufs[i].iov_len - offset);
        offset = 0;
    }
    return taken;
}

size_t mem_way_take(mem_way *way, char *bytes, size_t size)
{
    size_t taken = size < way->used ? size : way->used;
    size_t before_wrap = way->capacity - way->first;
    size_t head = taken < before_wrap ? taken : before_wrap;
    memcpy(bytes, way->bytes + way->first, head);
    memcpy(bytes + head, way->bytes, taken - head);
    way->first = (way->first + taken) % way->capacity;
    way->used -= taken;
    return taken;
}

void mem_wire_leave(mem_wire *wire, int side, int reset)
{
    mem_way *out = &wire->ways[side];
    mem_way *in = &wire->ways[!side];
    out->ended = 1;
    if (reset)
        out->reset = 1;
    if (!in->refused)
        in->refused = reset ? UV_ECONNRESET : UV_EPIPE;
    wire->ends[side] = NULL;
    mem_wire_release(wire);
}
