/* SPDX-License-Identifier: MIT */
/*
 * What streams of the soak send each other, so that a byte that is lost, doubled or misplaced is seen. A flow is what one
 * end writes in one life: a header with its number, then bytes that tell their position, or (a pipe writes it) another
 * flow, header and all. A reader takes apart what arrives at the other end.
 */
#ifndef WEIR_SOAK_CONTENT_H
#define WEIR_SOAK_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#define FLOW_HEADER 16
#define FLOWS_DEEP  6 /* flows in flows that are followed */

typedef enum flow_kind {
    FLOW_PATTERN, /* bytes that tell their position */
    FLOW_NESTED,  /* another flow */
    FLOW_OPAQUE   /* nobody knows any more */
} flow_kind;

typedef struct flow {
    uint64_t number;
    uint64_t written; /* bytes that write() took, the header among them */
    uint64_t fds;     /* descriptors that went with them */
    flow_kind kind;
    int finished; /* 'finish' has come: all of it is on its way */
    int ended;    /* its writer had ended when it closed */
    int cut;      /* its writer ended before what it passes on had */
    int reset;    /* its writer has reset the connection before it ended: nobody may be told of an end */
    int over;     /* its writer has closed: none of this changes any more */
} flow;

/* All flows of a while; readers refer to them. */
typedef struct flow_book {
    flow **flows;
    size_t count;
    size_t capacity;
    uint64_t first; /* number of the first one */
} flow_book;

flow *flow_new(flow_book *book);
void flow_book_clear(flow_book *book);

void flow_header(const flow *self, unsigned char *header);

/* The bytes of a pattern from a position on, which begins behind the header. */
void flow_fill(const flow *self, uint64_t position, void *bytes, size_t size);

typedef struct reader {
    const flow_book *book;
    flow *flows[FLOWS_DEEP]; /* outermost first */
    int depth;
    int lost;      /* not followed any more */
    int ended;     /* 'end' has come */
    uint64_t fds;  /* descriptors that came */
    int takes_fds; /* and it listens for them */
    int secure;    /* it is told when an end was cut short */
    int truncated; /* and it was */
    uint64_t received;
    uint64_t position; /* in the innermost */
    unsigned char header[FLOW_HEADER];
    unsigned header_size; /* of the next header, what is there */
} reader;

void reader_begin(reader *self, const flow_book *book, int secure);

/* The next bytes: NULL, or what is wrong with them (valid until the next call in this thread). */
const char *reader_take(reader *self, const void *bytes, size_t size);

/* How many of the last bytes may be given back, to be taken once more; and gives them. */
size_t reader_may_return(const reader *self);
void reader_return(reader *self, void *bytes, size_t size);

/* 1 once nothing can change any more of what it read. */
int reader_settled(const reader *self);

/* After an 'end', settled: NULL, or what is missing. `*whole` is 1 when all of the flow was asked for, and is there. */
const char *reader_judge(const reader *self, int *whole);

/* ---- text ---- */

typedef enum text_kind { TEXT_NONE, TEXT_HEX, TEXT_BASE64, TEXT_LATIN1, TEXT_KINDS } text_kind;

/* The encoding's name; NULL: bytes stay bytes. */
const char *text_name(text_kind kind);

/* What is left over between two pieces. */
typedef struct decoder {
    text_kind kind;
    unsigned bits;
    unsigned count;   /* of them that belong to a byte that is not whole; of hex: digits, of UTF-8: letters */
    unsigned padding; /* '=' */
} decoder;

void decoder_begin(decoder *self, text_kind kind);

/* The bytes that these letters stand for, at most as many: 0, or -1: they stand for none. */
int decoder_take(decoder *self, const char *letters, size_t size, char *bytes, size_t *taken);

/* 1 when the text may end here. */
int decoder_is_whole(const decoder *self);

#endif
