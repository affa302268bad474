/* SPDX-License-Identifier: MIT */
/*
 * A service's insides. It has a generation, one more while it is reloaded, and older ones whose connections go on. A
 * generation is the file as it was read at one time, with a site (all servers) in each of its workers.
 */
#ifndef WEIR_SERVICE_PRIVATE_H
#define WEIR_SERVICE_PRIVATE_H

#include <stdatomic.h>

#include <uv.h>

#include <weir/service.h>

#include "client_errors.h"
#include "component.h"
#include "service_drops.h"

typedef struct weir__generation weir__generation;

/* ---- sites: all servers of the file, in one runtime (service_site.c) ---- */

typedef struct weir__site weir__site;

typedef enum weir__site_state {
    WEIR__SITE_IDLE,
    WEIR__SITE_BINDING,
    WEIR__SITE_BOUND, /* each of its servers listens (holding arrivals back at first) or has failed */
    WEIR__SITE_STOPPING
} weir__site_state;

/*
 * A server of the file; or, behind those, one that listens beside it on another socket of the same place, which is left
 * of a generation with more workers: it has the first one's endpoint, handler and options.
 */
typedef struct weir__site_server weir__site_server;
struct weir__site_server {
    weir__site *site;
    size_t original; /* the number of the server in the file */
    size_t lane;     /* which of the descriptors that the server inherits is this one's */
    char *name;
    weir_endpoint *endpoint;
    weir__component handler;
    weir_server_options options;
    weir_blocklist *block_list;           /* in the options; NULL: the file has none */
    bool reuses_port;                     /* by its options several sockets may listen in its place */
    bool socket_reuses_port;              /* and they may beside the one it has */
    bool keeps_socket;                    /* that of a predecessor */
    const weir__site_server *predecessor; /* of the generation before, until this one accepts; NULL: none */

    weir_server *server; /* from bind to the end of stop */
    bool waited_for;     /* for 'listening' or 'error', or for 'close' */
    bool stopping_due;   /* its handler has not been told that it stops */
    weir_error *failure; /* why it does not listen */
    weir__drops drops;
    weir__client_errors refused; /* clients that could not be served */
    weir__client_errors unheard; /* errors of connections that the handler does not listen for */
};

/* What a server has of another one that listens in the same place: a port, or duplicates of sockets. */
typedef struct weir__inherited {
    int port;     /* above 0: listen on it as well */
    bool shared;  /* the socket is that of the same server of worker 0 */
    size_t count; /* of descriptors: the first is the server's, each of the others one's beside it */
    int *fds;     /* -1: was taken over */
} weir__inherited;

struct weir__site {
    weir_runtime *runtime;
    size_t of_file; /* how many servers the file has: they come first */
    size_t count;
    weir__site_server *servers;

    /* Both come later than the call that led to them; set by the owner. */
    void (*bound)(weir__site *site);   /* every server listens or has its failure */
    void (*stopped)(weir__site *site); /* all are closed; the site may be bound again, or freed */
    void *owner;
    atomic_size_t *connections; /* the service's count; set by the owner */

    weir__site_state state;
    weir__inherited *inherited; /* while it is bound; the owner's */
    bool takes_over;            /* what it inherits is still to be taken over */
    size_t waiting;             /* servers waited for */
    size_t destroyed;           /* connections that were cut by the last stop */
    weir_task task;             /* tells the owner */
    weir_timer grace;
};

/* For each of so many servers; NULL: no memory. */
weir__inherited *weir__inherited_new(size_t count);

/* One more descriptor, which is taken. 0 or UV_ENOMEM; then it was closed. */
int weir__inherited_add(weir__inherited *inherited, int fd);

/* Closes what was not taken over. NULL passes. */
void weir__inherited_free(weir__inherited *inherited, size_t count);

/*
 * Begins to listen everywhere: first where a socket is to be made, then, unless one of those failed, on the descriptors
 * in `inherited` (of each server of the file; NULL: none), which loses those that are taken over and has to stay until
 * the owner is told. 0 or UV_ENOMEM: nothing has begun.
 */
int weir__site_bind(weir__site *site, weir__inherited *inherited);

/* Lets them accept; what belongs to the places of the predecessors is handed over before. */
void weir__site_accept(weir__site *site);

/*
 * Stops accepting, lets connections end for `grace` milliseconds, cuts the rest. Again with another grace, or with 0: cuts
 * now. WEIR__SITE_DRAIN: connections go on as long as they like, and no handler is told before the last has gone.
 */
#define WEIR__SITE_DRAIN UINT64_MAX
void weir__site_stop(weir__site *site, uint64_t grace);

void weir__site_free(weir__site *site); /* NULL passes */

/* ---- loading (service_load.c) ---- */

typedef struct weir__service_plan {
    unsigned workers;
    uint64_t grace; /* ms */
} weir__service_plan;

/*
 * Checks a file's document and makes its site in a runtime. `inherited` as for bind, for the ports. Faults go to the
 * place. 0 with *site, a code with faults noted, UV_ENOMEM.
 */
int weir__site_load(weir__place *place, const weir__inherited *inherited, weir__service_plan *plan, weir__site **made);

/* Reads and checks a service's file. 0 with *made, which is idle; WEIR_EINVALID_CONFIG (told), UV_ENOMEM. */
int weir__generation_load(weir_service *service, const char *path, weir_fault_function fault, void *arg,
                          weir__generation **made);

/* ---- generations: what was made of the file at one time, in all workers (service_generation.c) ---- */

typedef struct weir__worker weir__worker;

typedef enum weir__generation_state {
    WEIR__GENERATION_IDLE, /* never bound, or gone */
    WEIR__GENERATION_BINDING,
    WEIR__GENERATION_BOUND, /* it may accept, or has failed */
    WEIR__GENERATION_STOPPING
} weir__generation_state;

/* How it stops; a later one only to a higher degree. */
typedef enum weir__stop { WEIR__STOP_NOT, WEIR__STOP_DRAIN, WEIR__STOP_GRACE, WEIR__STOP_NOW } weir__stop;

struct weir__generation {
    weir__generation *next; /* of the service's older ones */
    weir_service *service;
    weir__document *document;
    weir__service_plan plan;
    weir__site *site;            /* worker 0 is the runtime's own thread */
    weir__worker **workers;      /* the others, while they exist: plan.workers - 1 of them */
    size_t workers_waited_for;   /* that have not told yet whether they listen */
    size_t workers_running;      /* threads that have not ended */
    size_t workers_accepting;    /* that were told to drain, and may still accept */
    weir__inherited **inherited; /* by each worker, of the generation before; NULL: nothing */
    const weir_error **failures; /* of each server of the file why it does not listen, or NULL */

    weir__generation_state state;
    bool failed; /* one of them is there */
    bool site_stopped;
    weir__stop stop;
    uint64_t grace; /* of a stop with grace */
    size_t destroyed;
};

/* Begins to listen everywhere; then weir__service_generation_bound, unless it is stopped before. 0 or UV_ENOMEM. */
int weir__generation_bind(weir__generation *generation);

/* Lets all of its workers accept. */
void weir__generation_accept(weir__generation *generation);

/* `grace` for a stop with one. Then weir__service_generation_gone, later than the call. Nothing of it can fail. */
void weir__generation_stop(weir__generation *generation, weir__stop how, uint64_t grace);

void weir__generation_forget_inherited(weir__generation *generation);
void weir__generation_forget_failures(weir__generation *generation);
void weir__generation_free(weir__generation *generation); /* one that is idle; NULL passes */

/* Told by its workers, in the service's thread. `site`: theirs, whose failures are taken. */
void weir__generation_worker_bound(weir__generation *generation, weir__site *site);
void weir__generation_worker_closed(weir__generation *generation);
void weir__generation_worker_ended(weir__generation *generation, size_t destroyed);

/* ---- the service (service.c) ---- */

typedef enum weir__service_state {
    WEIR__SERVICE_IDLE, /* never started, or stopped */
    WEIR__SERVICE_BINDING,
    WEIR__SERVICE_RUNNING,
    WEIR__SERVICE_STOPPING
} weir__service_state;

struct weir_service {
    weir_runtime *runtime;
    char *file;                /* as it was given, for faults */
    char *folder;              /* of the file, absolute */
    weir__generation *current; /* serves, or will when it is started */
    weir__generation *fresh;   /* of a reload that goes on; NULL: none does */
    weir__generation *old;     /* those before, whose connections go on */
    weir__generation *leaving; /* the one of them that may still accept; NULL: none does */

    weir__service_state state;
    bool loading;    /* a reload reads the file */
    bool stop_asked; /* by the application */
    bool stop_now;
    size_t destroyed;
    atomic_size_t connections; /* open now, in all workers: the one thing that their threads share without messages */
    weir_task task;            /* goes on with a stop outside of the call that asked for it */
    weir_service_function function;
    void *arg;
};

/* `server` NULL: the event is of none. */
void weir__service_emit(weir_service *service, weir_service_event_type type, const weir__site_server *server,
                        const weir_error *error);

/* Told by generations, outside of any call into the service. One that is gone is idle, and the service's to free. */
void weir__service_generation_bound(weir__generation *generation);
void weir__service_generation_gone(weir__generation *generation);
/* Its last worker has stopped to accept. */
void weir__service_generation_closed(weir__generation *generation);

/* ---- reloading (service_reload.c) ---- */

/* The same of the one that a reload made, and of the one before. */
void weir__reload_bound(weir__generation *fresh);
void weir__reload_gone(weir__generation *fresh);
void weir__reload_closed(weir_service *service);

/* ---- workers (service_workers.c); called in the service's thread ---- */

/*
 * Starts the threads, which listen where the generation's own site does. Each then tells weir__generation_worker_bound,
 * when it drains weir__generation_worker_closed, and after a stop weir__generation_worker_ended. 0, or a code with *error: none was started.
 */
int weir__workers_start(weir__generation *generation, weir_error **error);

/* Lets all accept. */
void weir__workers_accept(weir__generation *generation);

/* Stops them as the generation does; again to a higher degree. One that has not bound yet stops when it has. */
void weir__workers_stop(weir__generation *generation);

/*
 * Gives every socket that workers other than 0 have of their own for a server of the file, until `take` returns other than
 * 0: a descriptor that stays theirs, or below 0 why it is not to be had. The generation serves.
 */
int weir__workers_sockets(const weir__generation *generation, size_t server, int (*take)(int fd, void *arg), void *arg);

/* Frees what is left when all have ended. */
void weir__workers_free(weir__generation *generation);

#endif
