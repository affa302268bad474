/* SPDX-License-Identifier: MIT */
/* A wire: what lies between the two ends of a connection in memory. Two bounded ways, one for each direction. */
#ifndef MEM_WIRE_H
#define MEM_WIRE_H

#include <stddef.h>
#include <sys/uio.h>

#include <weir/address.h>

typedef struct mem_way {
    char *bytes; /* a ring */
    size_t capacity;
    size_t first;
    size_t used;
    int ended;   /* nothing more will come: the writer has ended or left */
    int reset;   /* the writer has left by a reset: an error behind the bytes */
    int refused; /* the reader has left: what a write gets, 0 while it is there */
} mem_way;

struct mem_link;

typedef struct mem_wire {
    size_t refs;     /* one for each end, a backlog being one */
    mem_way ways[2]; /* ways[i] is what side i writes; 0 is the side that connected */
    struct mem_link *ends[2];
    struct mem_wire *next; /* in a backlog */
    weir_address name;     /* that it was connected to */
} mem_wire;

/* With one reference, the connecting side's. NULL: no memory. */
mem_wire *mem_wire_new(const weir_address *name, size_t capacity);
void mem_wire_release(mem_wire *wire);

/* As much as fits of what begins `offset` bytes into the buffers; how much that was. */
size_t mem_way_put(mem_way *way, const struct iovec *bufs, size_t count, size_t offset);

/* At most `size` bytes; how many there were. */
size_t mem_way_take(mem_way *way, char *bytes, size_t size);

/* A side leaves. The other one still reads what is there, then the end, or after a reset the error. */
void mem_wire_leave(mem_wire *wire, int side, int reset);

#endif
