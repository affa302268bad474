/* SPDX-License-Identifier: MIT */
/*
 * A server's insides. Which file does what:
 *
 * server.c           life, listen cycles and their ticks, counting, the loop, the runtime's end
 * server_listen.c    listening, and what acceptors report of it
 * server_arrivals.c  which arrivals become connections
 * server_close.c     closing, with and without the connections, and its callbacks
 * server_facts.c     listeners, and what can be asked
 */
#ifndef WEIR_SERVER_PRIVATE_H
#define WEIR_SERVER_PRIVATE_H

#include <stdatomic.h>

#include <weir/server.h>
#include <weir/transport.h>

#include "abort_private.h"
#include "listeners.h"

typedef struct weir__server_callback weir__server_callback;

/*
 * From a listen() to its end: 'error', or 'close' when the acceptor and all connections that came by it are gone. A
 * server may listen again as soon as it was closed (SRV-39), so that an earlier cycle may still have connections.
 */
typedef struct weir__cycle weir__cycle;
struct weir__cycle {
    weir__cycle *next; /* the one that began after it */
    weir_server *server;
    weir_endpoint *endpoint;     /* NULL: it was closed before it began */
    weir_stream_options options; /* the server's, as the endpoint's own changed them */
    weir_acceptor *acceptor;     /* NULL: gone */
    const weir_error *failure;   /* of the acceptor, until 'error' is out */
    size_t connections;          /* accepted, not closed */
    unsigned listening : 1;
    unsigned listening_due : 1; /* 'listening' is to be emitted */
    unsigned announced : 1;     /* and was */
    unsigned closing : 1;       /* close() was called, 'close' has not been emitted */
    unsigned acceptor_closing : 1;
    unsigned acceptor_closed : 1; /* it may be freed on the next tick */
    unsigned cut : 1;             /* close_all() was called: its connections end with the grace */
};

struct weir__server_callback {
    weir__server_callback *next;
    weir_server_callback run;
    void *arg;
    const weir__cycle *cycle; /* whose 'close' it waits for; NULL: it is called on the next tick */
    int value;                /* a status, or a count of connections where `counts` */
    int counts;
};

struct weir_server {
    size_t refs;
    weir_runtime *runtime; /* NULL: the runtime has ended */
    weir_server *next;     /* all servers of the runtime */
    weir_server *previous;
    void *data;

    weir_server_options made_with;
    weir__listeners *listeners;
    weir_endpoint *endpoint; /* of the latest listen() */

    weir__cycle *cycles;        /* oldest first */
    weir__cycle *current;       /* the one that close() would close; the latest, or NULL */
    weir_abort *signal;         /* that closes it; NULL: none */
    weir__abort_wait wait;      /* for the signal */
    const weir__cycle *telling; /* whose 'close' is being emitted */

    weir_task task;
    weir_timer grace;

    unsigned active : 1; /* the runtime holds a reference */
    unsigned held : 1;   /* weir__server_hold */
    unsigned unref : 1;

    weir_stream *connections; /* of all cycles: accepted, not closed */
    size_t connection_count;
    struct weir__client_errors *unheard; /* bounds the lines of errors nobody listens for; NULL: each is one */
    atomic_size_t *total;                /* counts them too, with those of other servers in any thread; NULL: none */

    weir__server_callback *close_callbacks; /* that wait for a 'close' */
    weir__server_callback *other_callbacks; /* to run on the next tick, in this order */
};

/* ---- server.c ---- */
void weir__server_activate(weir_server *server);
/* Something has changed: the next tick looks what is to be told. */
void weir__server_tick(weir_server *server);
/* Returns how many listeners ran. */
size_t weir__server_emit(weir_server *server, weir_event *event);
/* Puts a new cycle behind all others. */
void weir__server_add_cycle(weir_server *server, weir__cycle *cycle);
void weir__cycle_close_acceptor(weir__cycle *cycle);
/* The acceptor is told whether to accept. */
void weir__server_update_accepting(weir_server *server);
/* Listens, but leaves arrivals in the kernel's queue (1), until told otherwise (0). */
void weir__server_hold(weir_server *server, int on);
/* Runtime's end. */
void weir__servers_end(weir_runtime *runtime);
int weir__servers_active(const weir_runtime *runtime);
void weir__servers_orphan(weir_runtime *runtime);

/* ---- server_listen.c ---- */
/*
 * Before a listen(): the server closes when the signal is fired, as long as that listen() is neither closed nor failed
 * (SRV-60). NULL: none, also after a listen() that was refused. 0; WEIR_EABORTED when it was fired already: then nothing
 * is to listen, 'close' comes, and never 'listening'; and with nothing done UV_ENOMEM, or what listen() would return:
 * WEIR_ESERVER_ALREADY_LISTEN, UV_ECANCELED.
 */
int weir__server_set_signal(weir_server *server, weir_abort *signal);
/* No cycle is the current one any more. */
void weir__server_leave_current(weir_server *server);
/*
 * The server listens on a duplicate of the predecessor's descriptor, by the same transport in the same runtime, and the
 * predecessor is about to be closed: what else belongs to the place is handed over. 0, or why not all of it could be.
 */
int weir__server_succeed(const weir_server *server, const weir_server *predecessor);
/* The cycle of an acceptor, which has one until it was freed. */
weir__cycle *weir__cycle_of(const weir_acceptor *acceptor);

/* ---- server_arrivals.c ---- */
/* A stream was destroyed: where it is a connection, it does not count any more. */
void weir__server_connection_destroyed(weir_stream *stream);
/* A connection of the server has closed; called just before its 'close'. */
void weir__server_connection_closed(weir_server *server, weir_stream *stream);
/* The topmost link of an arrival is open: 'connection'. */
void weir__server_connection_ready(weir_server *server, weir_stream *stream);
/* Opening an arrival's layers failed: 'clientError'. */
void weir__server_client_error(weir_server *server, weir_stream *stream, const weir_error *error);

/* ---- server_close.c ---- */
weir__server_callback *weir__server_callback_new(weir_server_callback run, void *arg, int value);
/* Called on the next tick, also when the caller gives the server up now. */
void weir__server_call_back(weir_server *server, weir__server_callback *callback);
void weir__server_run_callbacks(weir_server *server);
void weir__server_free_callbacks(weir_server *server);
/* Callbacks of close() that are to come with this argument do not come any more. */
void weir__server_forget(weir_server *server, const void *arg);
/* Every connection of this cycle has gone, and so has its acceptor: its callbacks, 'close'. */
void weir__server_tell_closed(weir_server *server, weir__cycle *cycle);
/* Of one that listens no more, because it failed: its connections are followed by 'close'. 0: it is gone, or listens. */
int weir__server_await_close(weir_server *server);
/* Stops the timer of a grace that nothing waits for any more. */
void weir__server_end_grace(weir_server *server);
void weir__server_on_grace_over(weir_timer *timer);

#endif
