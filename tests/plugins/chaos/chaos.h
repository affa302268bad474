/* SPDX-License-Identifier: MIT */
/* The layer `chaos`: its settings and one link of it. */
#ifndef CHAOS_CHAOS_H
#define CHAOS_CHAOS_H

#include <weir/layer.h>

typedef enum chaos_point { CHAOS_NEVER, CHAOS_OPEN, CHAOS_READ, CHAOS_WRITE, CHAOS_SHUTDOWN } chaos_point;

typedef struct chaos_context {
    uint32_t seed;
    unsigned delay; /* turns, at most */
    int cut;
    unsigned again; /* of a hundred */
    int handshake;
    chaos_point fail_at;
    unsigned fail_count;
    int fail_code;
} chaos_context;

/* Something that is to happen some turns from now. */
typedef struct chaos_due {
    int wanted;
    unsigned turns;
} chaos_due;

/* Data below this much is asked for; what comes on top is at most one CHAOS_BUFFER (law 5). */
#define CHAOS_HELD_MOST 32768
#define CHAOS_BUFFER    16384

typedef struct chaos_link {
    weir_link link;
    const chaos_context *context;
    weir_runtime *runtime;
    weir_task turn;
    uint32_t dice;
    unsigned seen[CHAOS_SHUTDOWN + 1]; /* of each kind of operation */

    /* opening */
    chaos_due opened;
    int is_open;
    int sent_hello;
    int got_hello;
    char hello;
    struct iovec hello_out;

    /* reading: what came from below and has not gone up yet */
    char *held;
    size_t held_first;
    size_t held_size;
    weir_buf *room; /* for the link below to read into */
    chaos_due deliver;
    int below_reads; /* what the link below was told */
    int below_ended;
    int ended;
    int below_hung_up;
    int hung_up;
    weir_error *fault; /* stands behind the data held */
    int failed;

    /* writing */
    int writing; /* a write of the link above is outstanding */
    const struct iovec *bufs;
    size_t count;
    size_t written; /* of it, taken by the link below */
    size_t size;    /* of all of it */
    size_t below;   /* bytes of the write that is outstanding below; 0: there is none */
    int status;     /* of the write above, when `answer` is due */
    int latched;
    struct iovec part[4];
    chaos_due send;
    chaos_due answer;

    /* ending */
    chaos_due shut;
    chaos_due shut_answer;
    int shut_status;
    int closing;
    int closed;
} chaos_link;

extern const weir_link_ops chaos_ops;

/* A number from 0 to `most`. */
unsigned chaos_roll(chaos_link *self, unsigned most);

/* 1 when this operation is the one that is to fail. Counts it. */
int chaos_fails(chaos_link *self, chaos_point point);

/* It happens after some turns. */
void chaos_plan(chaos_link *self, chaos_due *due);

/* 1 when its time has come, once; called once a turn. */
int chaos_comes(chaos_link *self, chaos_due *due);

/* Broken, once all that is held has gone up. */
void chaos_break(chaos_link *self, int code, const char *call);
void chaos_break_with(chaos_link *self, const weir_error *error);

/* ---- read.c ---- */

void chaos_read_start(weir_link *link);
void chaos_read_stop(weir_link *link);
weir_buf *chaos_on_buffer(weir_link *link, size_t suggested);
void chaos_on_data(weir_link *link, weir_buf *buf);
void chaos_on_end(weir_link *link);
void chaos_on_hangup(weir_link *link);
void chaos_turn_read(chaos_link *self);
/* Asks the link below for data, or no more, as is right now. */
void chaos_ask_below(chaos_link *self);
/* Data stands in the queue, or an end, or a hang-up: it goes up in some turn. */
void chaos_read_more(chaos_link *self);

/* ---- write.c ---- */

ssize_t chaos_try_write(weir_link *link, const struct iovec *bufs, size_t count);
int chaos_write(weir_link *link, const struct iovec *bufs, size_t count);
void chaos_on_written(weir_link *link, int status);
int chaos_shutdown(weir_link *link);
void chaos_on_shut(weir_link *link, int status);
void chaos_turn_write(chaos_link *self);

#endif
