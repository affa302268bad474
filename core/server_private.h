/* SPDX-License-Identifier: MIT */
/* A server's insides. */
#ifndef WEIR_SERVER_PRIVATE_H
#define WEIR_SERVER_PRIVATE_H

#include <stdatomic.h>

#include <weir/server.h>
#include <weir/transport.h>

#include "listeners.h"

typedef struct weir__server_callback weir__server_callback;

struct weir_server {
    size_t refs;
    weir_runtime *runtime; /* NULL: the runtime has ended */
    weir_server *next;     /* all servers of the runtime */
    weir_server *previous;
    void *data;

    weir_server_options options; /* as the endpoint's own options changed them for this listen cycle */
    weir_server_options made_with;
    weir_endpoint *endpoint;
    weir_acceptor *acceptor;
    weir__listeners *listeners;
    const weir_error *failure; /* of listen, until 'error' is out */

    weir_task task;
    weir_timer grace;

    unsigned active : 1; /* the runtime holds a reference */
    unsigned listening : 1;
    unsigned announced : 1; /* 'listening' was emitted in this cycle */
    unsigned closing : 1;   /* close() was called, 'close' has not been emitted */
    unsigned acceptor_closing : 1;
    unsigned acceptor_closed : 1; /* it may be freed on the next tick */
    unsigned held : 1;            /* weir__server_hold */
    unsigned unref : 1;
    unsigned step_listening : 1;

    weir_stream *connections; /* accepted, not closed */
    size_t connection_count;
    atomic_size_t *total; /* counts them too, with those of other servers in any thread; NULL: none */

    weir__server_callback *close_callbacks; /* of this cycle's close() */
    weir__server_callback *other_callbacks; /* to run on the next tick */
};

/* Listens, but leaves arrivals in the kernel's queue (1), until told otherwise (0). */
void weir__server_hold(weir_server *server, int on);

/* Callbacks of close() that are to come with this argument do not come any more. */
void weir__server_forget(weir_server *server, const void *arg);

/* A connection of the server has closed; called just before its 'close'. */
void weir__server_connection_closed(weir_server *server, weir_stream *stream);

/* The topmost link of an arrival is open: 'connection'. */
void weir__server_connection_ready(weir_server *server, weir_stream *stream);

/* Opening an arrival's layers failed: 'clientError'. */
void weir__server_client_error(weir_server *server, weir_stream *stream, const weir_error *error);

/* Runtime's end. */
void weir__servers_end(weir_runtime *runtime);
int weir__servers_active(const weir_runtime *runtime);
void weir__servers_orphan(weir_runtime *runtime);

#endif
