/* SPDX-License-Identifier: MIT */
/* Arrivals: which of them become connections of a server, and how those are counted. */
#include "blocklist_use.h"
#include "endpoint_private.h"
#include "log.h"
#include "runtime_private.h"
#include "server_private.h"
#include "stream_private.h"

/* ---- refusing ---- */

static int is_full(const weir_server *server)
{
    return server->made_with.max_connections > 0 &&
           server->connection_count >= (uint64_t)server->made_with.max_connections;
}

static int is_blocked(const weir_server *server, const weir_endpoint *endpoint, const weir_address *remote)
{
    return weir__blocklist_names(server->made_with.block_list, remote) ||
           weir__blocklist_names(endpoint->block_list, remote);
}

static void emit_drop(weir_server *server, const weir_drop *drop)
{
    weir_event event = {.type = WEIR_EVENT_DROP, .drop = drop};
    weir__server_emit(server, &event);
}

static void refuse(weir_server *server, const weir_acceptor *acceptor, const weir_arrival *arrival,
                   weir_drop_reason reason)
{
    weir_drop drop = {.reason = reason, .remote = arrival->remote, .peer_pid = -1, .peer_uid = -1, .peer_gid = -1};
    if (acceptor->transport->describe != NULL) {
        acceptor->transport->describe(acceptor, arrival, &drop);
        drop.reason = reason; /* a transport describes who it was, not why */
    }
    emit_drop(server, &drop);
}

void weir_acceptor_dropped(weir_acceptor *acceptor, const weir_drop *drop)
{
    const weir__cycle *cycle = weir__cycle_of(acceptor);
    if (cycle != NULL && !cycle->acceptor_closing) {
        weir_drop known = *drop;
        if ((unsigned)known.reason > WEIR_DROP_DESCRIPTORS) {
            known.reason = WEIR_DROP_DESCRIPTORS; /* who hears of it has a place for each that there is, no others */
        }
        emit_drop(acceptor->server, &known);
    }
}

/* ---- taking ---- */

/* Options of the transport that the server was made with rather than the endpoint. */
static void set_up(const weir_server *server, weir_stream *stream)
{
    if (server->made_with.no_delay) {
        weir_stream_set_no_delay(stream, 1);
    }
    if (server->made_with.keep_alive) {
        weir_stream_set_keep_alive(stream, 1, server->made_with.keep_alive_initial_delay);
    }
}

static void count_in(weir__cycle *cycle, weir_stream *stream)
{
    weir_server *server = cycle->server;
    stream->cycle = cycle;
    stream->next_of_server = server->connections;
    if (server->connections != NULL) {
        server->connections->previous_of_server = stream;
    }
    server->connections = stream;
    cycle->connections++;
    if (weir__stream_is_destroyed(stream)) { /* by its signal */
        return;
    }
    stream->counted = 1;
    server->connection_count++;
    if (server->total != NULL) {
        atomic_fetch_add(server->total, 1);
    }
}

static void count_out(weir__cycle *cycle, weir_stream *stream)
{
    weir_server *server = cycle->server;
    if (stream->previous_of_server != NULL) {
        stream->previous_of_server->next_of_server = stream->next_of_server;
    } else {
        server->connections = stream->next_of_server;
    }
    if (stream->next_of_server != NULL) {
        stream->next_of_server->previous_of_server = stream->previous_of_server;
    }
    stream->next_of_server = NULL;
    stream->previous_of_server = NULL;
    stream->cycle = NULL;
    cycle->connections--;
}

/* A destroyed stream is no connection any more (SRV-08), though its cycle waits for its 'close' (BN-22). */
void weir__server_connection_destroyed(weir_stream *stream)
{
    if (stream->cycle == NULL || !stream->counted) {
        return;
    }
    weir_server *server = stream->cycle->server;
    stream->counted = 0;
    server->connection_count--;
    if (server->total != NULL) {
        atomic_fetch_sub(server->total, 1);
    }
}

int weir_acceptor_arrival(weir_acceptor *acceptor, const weir_arrival *arrival)
{
    weir_server *server = acceptor->server;
    weir__cycle *cycle = weir__cycle_of(acceptor);
    if (cycle == NULL || !cycle->listening) {
        return UV_ECANCELED;
    }
    if (is_blocked(server, cycle->endpoint, &arrival->remote)) {
        refuse(server, acceptor, arrival, WEIR_DROP_BLOCK_LIST);
        return WEIR_EIP_BLOCKED;
    }
    if (is_full(server)) {
        refuse(server, acceptor, arrival, WEIR_DROP_MAX_CONNECTIONS);
        return UV_EBUSY;
    }
    weir_link *link = acceptor->transport->accept(acceptor, arrival);
    if (link == NULL) {
        return UV_ENOMEM;
    }
    if (weir__link_check(server->runtime, cycle->endpoint->transport.plugin, link, 1) != 0) {
        return 0; /* it has the descriptor */
    }
    weir_stream *stream = weir__stream_accept(server->runtime, server, &cycle->options, cycle->endpoint, link);
    if (stream == NULL) {
        link->ops->free(link); /* closes the descriptor, which it has taken */
        return 0;
    }
    count_in(cycle, stream);
    set_up(server, stream);
    weir__links_arrived(stream, link);
    return 0;
}

/* ---- what becomes of them ---- */

void weir__server_connection_ready(weir_server *server, weir_stream *stream)
{
    weir_event event = {.type = WEIR_EVENT_CONNECTION, .stream = stream};
    weir__server_emit(server, &event);
}

void weir__server_client_error(weir_server *server, weir_stream *stream, const weir_error *error)
{
    weir_address remote;
    int known = weir__stream_peer(stream, &remote) == 0;
    weir_event event = {
        .type = WEIR_EVENT_CLIENT_ERROR, .stream = stream, .error = error, .address = known ? &remote : NULL};
    if (weir__server_emit(server, &event) == 0) {
        weir_log(server->runtime, WEIR_LOG_INFO, "a client could not be served: %s", error->message);
    }
}

void weir__server_connection_closed(weir_server *server, weir_stream *stream)
{
    const weir__cycle *cycle = stream->cycle;
    count_out(stream->cycle, stream);
    if (cycle->connections == 0 && cycle->acceptor == NULL) {
        weir__server_tick(server); /* the stream's own 'close' comes first (BN-22) */
    }
}
