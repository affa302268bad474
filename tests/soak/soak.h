/* SPDX-License-Identifier: MIT */
/*
 * The soak: many streams of all transports, on several runtimes (each in a thread), to which everything happens at
 * random, and which are watched all the time.
 *
 *   soak.c     the run: threads, rounds, lines of report, baselines
 *   world.c    one runtime: its servers, what it does in a turn, how it comes to rest
 *   site.c     a server that closes and listens again
 *   layers.c   what stands between a stream and its transport
 *   actor.c    a stream that is watched: its events, its callbacks
 *   reading.c  what it reads
 *   action.c   what is done to a stream
 *   content.c  what streams send each other
 */
#ifndef WEIR_SOAK_SOAK_H
#define WEIR_SOAK_SOAK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>
#include <weir/weir.h>

#include "content.h"
#include "recogniser.h"

/* ---- dice ---- */

typedef struct soak_dice {
    uint64_t state;
} soak_dice;

soak_dice dice_new(uint64_t seed);
uint32_t dice_below(soak_dice *self, uint32_t below); /* 0 to below - 1 */
int dice_percent(soak_dice *self, unsigned percent);

/* ---- the run ---- */

typedef struct soak_options {
    unsigned seconds;
    uint64_t seed;
    unsigned worlds; /* 1 to 8 */
} soak_options;

/* Runs the soak, prints its lines. 0; what breaks a rule ends the process with 1, after it was told. */
int soak_run(const soak_options *options);

/* What all worlds have done, for the lines of report. */
typedef struct soak_totals {
    atomic_uint_fast64_t streams;
    atomic_uint_fast64_t bytes; /* that were read; of text its letters */
    atomic_uint_fast64_t whole; /* flows of which every byte was seen to arrive, and then the end */
    /* Those, by what both ends have, and by how they were read. */
    atomic_uint_fast64_t whole_plain;
    atomic_uint_fast64_t whole_fake;
    atomic_uint_fast64_t whole_tls;
    atomic_uint_fast64_t whole_text;
    atomic_uint_fast64_t whole_onread;
    atomic_uint_fast64_t fds;    /* descriptors that came */
    atomic_uint_fast64_t judged; /* events and callbacks */
    atomic_long open;
} soak_totals;
extern soak_totals soak_total;

/* What runtimes stand on; NULL behind the last. */
#define SOAK_PLUGINS_MOST 7
extern const char *soak_plugins[SOAK_PLUGINS_MOST + 1];
/* Before the first of them is loaded: those that are not built everywhere. */
void soak_find_plugins(void);

/* ---- a world ---- */

#define SITES        8
#define ACTORS_MOST  96
#define SCRATCH_SIZE ((size_t)1024 * 1024)

typedef struct actor actor;
typedef struct site site;

typedef struct soak_world {
    unsigned number;
    uint64_t seed; /* of the run */
    soak_dice dice;
    uv_loop_t loop;
    weir_runtime *runtime;
    int old_tls;        /* this runtime's servers speak nothing newer than TLS 1.2 */
    weir_abort *signal; /* of some of the streams; another one when it was fired */
    char folder[64];
    int fd;                   /* what is sent as a descriptor */
    weir_blocklist *loopback; /* names all that tcp can reach here */
    flow_book book;
    site *sites[SITES];
    actor **actors; /* all that are not freed */
    size_t actor_count;
    size_t actor_capacity;
    unsigned next_actor;
    long open;  /* actors whose life goes on */
    int inside; /* calls of weir's that are on the stack */
    int depth;  /* actions inside of events */
    int resting;
    unsigned round;
    uv_timer_t tick;
    uint64_t round_ends;
    char *scratch;
} soak_world;

/* 0, or -1: no memory. */
void world_begin_run(soak_world *world, const soak_options *options, unsigned number);
void world_end_run(soak_world *world);

void world_make_runtime(soak_world *world);
void world_free_runtime(soak_world *world); /* with all that lives in it, if that is so */

/* Some seconds of everything, then the end of all of it: nothing is left but the runtime, or not even that. */
void world_round(soak_world *world, unsigned milliseconds);
void world_rest(soak_world *world);

/* Handles of the loop that are not closed, in the run's own count. */
size_t world_handles(soak_world *world);

/* A line of report, when it is time. */
void soak_report(const soak_world *world);

/* Something has broken a rule: tells what, of whom (NULL: of nobody), and ends the process. */
void soak_breach(const soak_world *world, const actor *who, const char *format, ...) WEIR_PRINTF(3, 4);

/* Around every call of weir's: no listener but one of 'data' may run inside. */
#define CALL(world, call)        ((world)->inside++, (call), (void)(world)->inside--)
#define ASK(world, result, call) ((world)->inside++, (result) = (call), (void)(world)->inside--)

/* ---- layers ---- */

#define SOAK_LAYERS_MOST   4096
#define SOAK_ENDPOINT_MOST (SOAK_LAYERS_MOST + 512)

/* A layer that both ends of a connection have. */
typedef enum need { NEED_NOTHING, NEED_HELLO, NEED_TLS_FAKE, NEED_TLS, NEED_TLS_1_2 } need;

/* Of a server in this world. */
need soak_need(soak_world *world);
/* It tells an end from one that was cut short. */
int soak_is_secure(need what);
/* JSON: what is needed, and at random others that change no byte; `faults`: which may fail. */
void soak_layers(soak_dice *dice, need what, weir_role role, int faults, char *text, size_t size);
/* At least one, to be added to a stream. */
weir_endpoint *soak_added_layers(actor *who, need what);

/* ---- sites ---- */

struct site {
    soak_world *world;
    weir_server *server;
    char endpoint[SOAK_ENDPOINT_MOST]; /* where it listens */
    need need;
    int upgrades; /* what is needed is added later, before anything else is said */
    int discards; /* its connections drop what comes after their own end */
    int onread;   /* they read into memory of their own */
    int is_tcp;
    int blocks; /* whoever comes over tcp is dropped */
    int listening;
    int open; /* 'listening' has come and 'close' has not, or listen() was called */
};

/* The JSON of an endpoint, and what is said there. */
typedef struct route {
    char endpoint[SOAK_ENDPOINT_MOST];
    need need;
    int upgrades;
    int is_tcp;
} route;

site *site_new(soak_world *world);
void site_listen(site *self);
void site_free(site *self);
/* How it is reached, or how nobody is, with layers of the dice's choice. */
void site_route(const site *self, soak_dice *dice, route *to);
/* Ends all its connections too, whatever they have still to say. What the call returned. */
int site_close_all(site *self, uint64_t grace);
/* Now and then it closes, or changes its limit. */
void site_act(site *self);

/* ---- actors ---- */

#define ACTOR_TEXT 3000

typedef enum actor_mode { READ_NOTHING = 0, READ_DATA = 1, READ_READABLE = 2 } actor_mode;

struct actor {
    soak_world *world;
    size_t place; /* in the world's list */
    unsigned number;
    soak_dice dice;
    weir_stream *stream; /* NULL: gone */
    int held;            /* a reference of ours */
    int accepted;
    int polite; /* does nothing that loses bytes */
    int discards;
    int passes;      /* a pipe writes for it: it writes nothing itself */
    unsigned mode;   /* actor_mode */
    int takes_fds;   /* listens for descriptors */
    int bare;        /* no layer is under it, but for those that are added */
    int blocks;      /* connects to nobody over tcp */
    int is_tcp;      /* and wants to, in this life */
    int onread;      /* reads into memory of its own */
    decoder decoder; /* of what it reads, where that is text */
    void *block;     /* what is lent for that; NULL: nothing */
    size_t block_size;
    unsigned data_events;
    unsigned budget; /* actions until it says farewell */
    unsigned farewell;
    unsigned lives;
    int live;     /* connecting, open, or closing */
    need need;    /* what both ends have, in this life */
    need upgrade; /* layers that it needs before it says or hears anything */
    int deaf;     /* and then listens to nothing */
    int corks;
    recogniser rules;
    reader reader;
    flow *flow;
    int piped;      /* it has been a source: what is unshifted would go twice */
    actor *partner; /* at the other end of a pipe of ours */
    unsigned long writes;
    unsigned long ends;
    unsigned long layers; /* how often some were to be added, in this life */
    unsigned waiting;     /* callbacks of calls made before the stream was destroyed */
    unsigned late;        /* the others */
    unsigned failures;    /* callbacks that told of one, in this life */
    char text[ACTOR_TEXT];
    size_t text_size;
};

/* A stream that begins to connect; `reads`: listens for what comes. */
actor *actor_connect(soak_world *world, const route *to, int reads);
/* A server's new connection. */
void actor_accept(const site *from, weir_stream *stream);
/* Another life of one that has closed. */
void actor_connect_again(actor *self);

/* Frees those that are over for good; with `all` those too whose peers are not over yet. */
void actors_sweep(soak_world *world, int all);

/* Something at random. */
void actor_act(actor *self);
/* Towards its end, a step at each call. */
void actor_say_farewell(actor *self);
void actor_set_mode(actor *self, unsigned mode);
/* Bytes that have come, to a listener or into memory. */
void actor_take_block(actor *self, const void *bytes, size_t size);
/* The bytes, without anything that they bring about. */
void actor_take(actor *self, const void *bytes, size_t size);
/* May it be piped, so that what it read can be known? */
int actor_is_source(const actor *self);
/* What arrived at `from` goes to `to`, from now on. */
void actor_pipe(actor *from, actor *to);
/* It ends in a way that the flow it passes on does not. */
void actor_cuts(actor *self);
/* Nobody knows whom it concerns. */
void actors_cut_all(soak_world *world);
int actor_write(actor *self, size_t size, unsigned how);
void actor_write_fds(actor *self, size_t size);
void actor_end(actor *self, size_t last_bytes);
int actor_add_layers(actor *self, need what);
/* A step towards the layers that it needs. */
void actor_upgrade(actor *self);

/* Some get text. It is theirs in all their lives, and layers cannot be added to it. */
void actor_choose_encoding(actor *self, int upgrades);

/* A word of its life, which ends the process when it must not come now. */
void actor_judge(actor *self, const char *word);
/* What holds for every event but 'data'. */
void actor_check_event(actor *self, const weir_event *event, const char *word);
/* The last thing in a listener: anything may be called there. */
void actor_after_event(actor *self);
void actor_listen(actor *self, weir_event_type type, weir_listener listener, int on);

/* A word of its text that is no event. */
void actor_note(actor *self, const char *format, ...) WEIR_PRINTF(2, 3);

/* Whose turn it was last, in this thread, for whoever has to tell of the end of the process. */
extern _Thread_local const actor *soak_acting;

/* ---- memory of the application's own ---- */

/* Of a stream in this world. */
void memory_options(soak_world *world, weir_onread *onread);
/* It is not lent any more. */
void memory_take_back(actor *self);

#endif
