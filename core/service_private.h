/* SPDX-License-Identifier: MIT */
/* A service's insides: its sites (the servers of one worker), its workers, and where it is in its life. */
#ifndef WEIR_SERVICE_PRIVATE_H
#define WEIR_SERVICE_PRIVATE_H

#include <stdatomic.h>

#include <uv.h>

#include <weir/service.h>

#include "component.h"
#include "service_drops.h"

/* ---- sites: all servers of the file, in one runtime (service_site.c) ---- */

typedef struct weir__site weir__site;

typedef enum weir__site_state {
    WEIR__SITE_IDLE,
    WEIR__SITE_BINDING,
    WEIR__SITE_BOUND, /* each of its servers listens (holding arrivals back at first) or has failed */
    WEIR__SITE_STOPPING
} weir__site_state;

typedef struct weir__site_server {
    weir__site *site;
    char *name;
    weir_endpoint *endpoint;
    weir__component handler;
    weir_server_options options;
    weir_blocklist *block_list; /* in the options; NULL: the file has none */
    bool reuses_port;           /* several sockets may listen in its place */

    weir_server *server; /* from bind to the end of stop */
    bool waited_for;     /* for 'listening' or 'error', or for 'close' */
    weir_error *failure; /* why it does not listen */
    weir__drops drops;
} weir__site_server;

struct weir__site {
    weir_runtime *runtime;
    size_t count;
    weir__site_server *servers;

    /* Both come later than the call that led to them; set by the owner. */
    void (*bound)(weir__site *site);   /* every server listens or has its failure */
    void (*stopped)(weir__site *site); /* all are closed; the site may be bound again, or freed */
    void *owner;
    atomic_size_t *connections; /* the service's count; set by the owner */

    weir__site_state state;
    size_t waiting;   /* servers waited for */
    size_t destroyed; /* connections that were cut by the last stop */
    weir_task task;   /* tells the owner */
    weir_timer grace;
};

/* What worker 0's server has, for the same server in another worker: a port, or a duplicate of its socket. */
typedef struct weir__inherited {
    int port; /* above 0: listen on it as well */
    int fd;   /* at least 0: adopt it; then port is 0 */
} weir__inherited;

/* Begins to listen everywhere. `inherited` (of each server; NULL: none) loses the descriptors that are taken over. 0 or
 * UV_ENOMEM: nothing has begun. */
int weir__site_bind(weir__site *site, weir__inherited *inherited);

/* Lets them accept. */
void weir__site_accept(weir__site *site);

/* Stops accepting, lets connections end for `grace` milliseconds, cuts the rest. Again with 0: cuts now. */
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

/* ---- the service (service.c) ---- */

typedef struct weir__worker weir__worker;

typedef enum weir__service_state {
    WEIR__SERVICE_IDLE, /* never started, or stopped */
    WEIR__SERVICE_BINDING,
    WEIR__SERVICE_RUNNING,
    WEIR__SERVICE_STOPPING
} weir__service_state;

struct weir_service {
    weir_runtime *runtime;
    weir__document *document;
    char *folder;
    weir__service_plan plan;
    weir__site *site;          /* worker 0 is the runtime's own thread */
    weir__worker **workers;    /* the others, while they exist: plan.workers - 1 of them */
    size_t workers_waited_for; /* that have not told yet whether they listen */
    size_t workers_running;    /* threads that have not ended */

    weir__service_state state;
    bool failed;     /* a server does not listen */
    bool stop_asked; /* by the application */
    bool stop_now;
    bool site_stopped;
    size_t destroyed;
    atomic_size_t connections; /* open now, in all workers: the one thing that their threads share without messages */
    weir_task task;            /* goes on with a stop outside of the call that asked for it */
    weir_service_function function;
    void *arg;
};

/* ---- workers (service_workers.c); called in the service's thread ---- */

/*
 * Starts the threads, which listen where the service's own site does. Each then tells weir__service_worker_bound, and
 * after a stop weir__service_worker_ended. 0, or a code with *error: none was started.
 */
int weir__workers_start(weir_service *service, weir_error **error);

/* Lets all accept. */
void weir__workers_accept(weir_service *service);

/* Stops them by the service's `stop_now`; again to cut a grace short. One that has not bound yet stops when it has. */
void weir__workers_stop(weir_service *service);

/* Frees what is left when all have ended. */
void weir__workers_free(weir_service *service);

/* Told by them, in the service's thread. `failed`: for each server its failure or NULL; NULL: all listen. */
void weir__service_worker_bound(weir_service *service, const weir__site *failed);
void weir__service_worker_ended(weir_service *service, size_t destroyed);

#endif
