/* SPDX-License-Identifier: MIT */
/* Memory that a stream with onread reads into: what came in it, and what its callbacks are to do. */
#ifndef WEIR_TEST_BLOCKS_H
#define WEIR_TEST_BLOCKS_H

#include "over.h"

/* Where it reads to. The stream may not outlive it, so tests have it in static memory. */
typedef struct blocks {
    char blocks[2][4096];
    size_t size; /* of a block */
    char *data;  /* all that came */
    size_t data_size;
    size_t largest;
    size_t calls;
    size_t asked;
    char *lent;                                         /* the block that was given last */
    weir_onread_result result;                          /* of the callback */
    void (*act)(weir_stream *stream, struct blocks *r); /* in the callback; NULL: nothing */
    void (*act_asked)(weir_stream *stream, struct blocks *r);
    int empty; /* give no block */
} blocks;

/* Begins anew, with blocks of so many bytes. */
void blocks_begin(blocks *r, size_t size);

/* One block for ever; or two in turn, of which one is given whenever a block is asked for. */
weir_onread blocks_one(blocks *r);
weir_onread blocks_two(blocks *r);

/* Runs the loop until so many bytes have come. */
void blocks_wait(fixture *f, const blocks *r, size_t size);

/* Fails the test unless all that came is this. */
void blocks_expect(const blocks *r, const char *bytes, size_t size);

/* The client writes so many bytes; waits until they have come. */
void blocks_transfer(fixture *f, pair p, const blocks *r, size_t size);

#endif
