/* SPDX-License-Identifier: MIT */
/* A runtime's insides, for the core. */
#ifndef WEIR_RUNTIME_PRIVATE_H
#define WEIR_RUNTIME_PRIVATE_H

#include <uv.h>

#include <weir/link.h>
#include <weir/runtime.h>

typedef struct weir__registry weir__registry;

typedef struct weir__task_queue {
    weir_task head; /* a ring; head.next is the first */
} weir__task_queue;

/* A call that one thread leaves with the runtime of another. */
typedef struct weir__post {
    struct weir__post *next;
    void (*run)(void *arg);
    void *arg;
    int owned;  /* it is part of something, whose it stays; otherwise freed */
    int queued; /* guarded by the runtime's mutex */
} weir__post;

typedef struct weir__timer_place {
    weir_timer *timer;
    uint64_t sequence; /* of its start */
} weir__timer_place;

struct weir_runtime {
    uv_loop_t *loop;
    void *data;
    weir__registry *registry;   /* the plugins; plugin_registry.c */
    struct weir_shared *shared; /* NULL: not asked for yet; shared.c */

    /* ticks */
    unsigned depth;
    int ending;
    weir__task_queue deferred;
    weir__task_queue next_turn;
    weir__task_queue settling;
    uv_idle_t idle;
    uv_async_t async;
    uv_prepare_t prepare;
    int (*over)(const weir_runtime *runtime); /* what a turn_until waits for */
    const int *until;                         /* of weir_runtime_run_until */
    unsigned holds;
    uv_mutex_t post_mutex;
    weir__post *posts;
    weir__post *posts_tail;
    int handles; /* libuv handles of the runtime's that are not closed yet */

    /* timers: a binary heap over one handle */
    uv_timer_t timer;
    uint64_t timer_due; /* what the handle is armed for */
    weir__timer_place *timers;
    uint64_t timer_sequence;
    size_t timer_count;
    size_t timer_capacity;
    size_t timers_referenced;

    /* the read slab */
    weir_buf *slab;
    weir_buf *view;
    size_t slab_used;

    /* live objects */
    weir_stream *streams;
    weir_server *servers;
    uint64_t next_id;

    size_t default_high_water_mark;
    int auto_select_family; /* the defaults of weir/net.h */
    int64_t auto_select_family_attempt_timeout;
    weir_log_function log;
    void *log_arg;
    weir_unhandled_function unhandled;
    void *unhandled_arg;
};

/* The slab's next free part, at least 64 KiB of it; NULL without memory. The core's own reference stays with the
 * runtime. */
weir_buf *weir__slab_view(weir_runtime *runtime);

/* What is kept of a buffer that was read: the bytes themselves when they are a small part of what they would pin. */
weir_buf *weir__buf_keep(weir_buf *buf);

/*
 * Around a listener of the application, which may be called from outside of every bracket (a read() of its own hands out
 * data): it is inside, and what it defers waits for the bracket around it or, where there is none, for the loop.
 */
void weir__runtime_call_begin(weir_runtime *runtime);
void weir__runtime_call_end(weir_runtime *runtime);

/*
 * As weir_runtime_post, with a post of the caller's, so that no memory can be missing: `run`, `arg` and `owned` are set, the
 * rest is 0 at first. It lives until it has begun to run; one that still waits for that is not queued again. 0,
 * UV_ECANCELED (the runtime is ending).
 */
int weir__runtime_post(weir_runtime *runtime, weir__post *post);

/*
 * Keeps the loop turning (1) while there is nothing in it but the wait for another thread, until as many calls (0) have
 * taken that back. The handle for posts does it: a timer would cost every wait of the loop a time-out.
 */
void weir__runtime_hold(weir_runtime *runtime, int on);

/* Changes whether a timer keeps the loop alive; it may run. */
void weir__timer_set_reference(weir_runtime *runtime, weir_timer *timer, int on);

/* Stops all timers: the runtime ends. */
void weir__timers_forget(weir_runtime *runtime);

#endif
