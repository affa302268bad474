/* SPDX-License-Identifier: MIT */
/* A server listens: how a cycle gets its acceptor, and what acceptors report of it. */
#include "endpoint_private.h"
#include "memory.h"
#include "runtime_private.h"
#include "server_private.h"

static int may_listen(const weir_server *server)
{
    if (server->runtime == NULL || server->runtime->ending) {
        return UV_ECANCELED;
    }
    return server->current == NULL ? 0 : WEIR_ESERVER_ALREADY_LISTEN;
}

/* ---- beginning ---- */

static weir_acceptor *make_acceptor(weir_server *server, weir_endpoint *endpoint)
{
    const weir__component *component = &endpoint->transport;
    weir_acceptor *acceptor = component->plugin->transport->acceptor_create(component->context, server->runtime);
    if (acceptor != NULL) {
        acceptor->transport = component->plugin->transport;
        acceptor->server = server;
    }
    return acceptor;
}

/* A new current cycle, whose acceptor has not been told to listen. NULL: no memory. */
static weir__cycle *begin(weir_server *server, weir_endpoint *endpoint)
{
    weir__cycle *cycle = weir__calloc(1, sizeof(*cycle));
    if (cycle == NULL) {
        return NULL;
    }
    cycle->acceptor = make_acceptor(server, endpoint);
    if (cycle->acceptor == NULL) {
        weir__free(cycle);
        return NULL;
    }
    cycle->endpoint = weir_endpoint_retain(endpoint);
    cycle->options = server->made_with.stream;
    weir__endpoint_apply(endpoint, &cycle->options);
    weir__server_add_cycle(server, cycle);
    weir_endpoint_retain(endpoint);
    weir_endpoint_release(server->endpoint);
    server->endpoint = endpoint;
    server->current = cycle;
    return cycle;
}

int weir_server_listen_fd(weir_server *server, weir_endpoint *endpoint, int fd, weir_listener listener, void *arg)
{
    if (server == NULL || endpoint == NULL || endpoint->runtime != server->runtime || endpoint->role != WEIR_SERVER) {
        return UV_EINVAL;
    }
    int status = may_listen(server);
    if (status != 0) {
        return status;
    }
    if (listener != NULL) {
        status = weir_server_once(server, WEIR_EVENT_LISTENING, listener, arg);
        if (status != 0) {
            return status;
        }
    }
    const weir__cycle *cycle = begin(server, endpoint);
    if (cycle == NULL) {
        if (listener != NULL) {
            weir_server_off(server, WEIR_EVENT_LISTENING, listener, arg);
        }
        return UV_ENOMEM;
    }
    if (server->unref) {
        cycle->acceptor->transport->acceptor_ref(cycle->acceptor, 0);
    }
    cycle->acceptor->transport->listen(cycle->acceptor, fd);
    return 0;
}

int weir_server_listen_endpoint(weir_server *server, weir_endpoint *endpoint, weir_listener listener, void *arg)
{
    return weir_server_listen_fd(server, endpoint, -1, listener, arg);
}

int weir_server_listen(weir_server *server, const char *text, weir_listener listener, void *arg)
{
    if (server == NULL || text == NULL) {
        return UV_EINVAL;
    }
    int status = may_listen(server);
    if (status != 0) {
        return status;
    }
    weir_endpoint *endpoint = NULL;
    status = weir_endpoint_parse(server->runtime, text, WEIR_SERVER, NULL, &endpoint, NULL);
    if (status == 0) {
        status = weir_server_listen_endpoint(server, endpoint, listener, arg);
        weir_endpoint_release(endpoint);
    }
    return status;
}

/* ---- signals ---- */

static void drop_signal(weir_server *server)
{
    weir__abort_leave(&server->wait);
    weir_abort_release(server->signal);
    server->signal = NULL;
}

void weir__server_leave_current(weir_server *server)
{
    server->current = NULL;
    drop_signal(server);
}

static void on_abort(weir_abort *signal, void *arg)
{
    (void)signal;
    weir_server_close(arg, NULL, NULL);
}

/* A cycle that ends before it has begun. */
static int begin_closed(weir_server *server)
{
    weir__cycle *cycle = weir__calloc(1, sizeof(*cycle));
    if (cycle == NULL) {
        return UV_ENOMEM;
    }
    cycle->closing = 1;
    weir__server_add_cycle(server, cycle);
    weir__server_tick(server);
    return WEIR_EABORTED;
}

int weir__server_set_signal(weir_server *server, weir_abort *signal)
{
    int status = may_listen(server);
    if (status != 0) {
        return status;
    }
    drop_signal(server);
    if (signal == NULL) {
        return 0;
    }
    if (weir_abort_fired(signal)) {
        return begin_closed(server);
    }
    server->signal = weir_abort_retain(signal);
    server->wait.run = on_abort;
    server->wait.arg = server;
    weir__abort_join(signal, &server->wait);
    return 0;
}

/* ---- what acceptors report ---- */

weir__cycle *weir__cycle_of(const weir_acceptor *acceptor)
{
    weir__cycle *cycle = acceptor->server->cycles;
    while (cycle != NULL && cycle->acceptor != acceptor) {
        cycle = cycle->next;
    }
    return cycle;
}

weir_runtime *weir_acceptor_runtime(const weir_acceptor *acceptor)
{
    return acceptor->server->runtime;
}

void weir_acceptor_listening(weir_acceptor *acceptor)
{
    weir__cycle *cycle = weir__cycle_of(acceptor);
    if (cycle == NULL || cycle->acceptor_closing || cycle->listening) {
        return;
    }
    cycle->listening = 1;
    cycle->listening_due = 1;
    weir__server_tick(acceptor->server);
}

void weir_acceptor_failed(weir_acceptor *acceptor, const weir_error *error)
{
    weir__cycle *cycle = weir__cycle_of(acceptor);
    if (cycle == NULL || cycle->acceptor_closing) {
        return;
    }
    cycle->failure = weir_error_retain(error);
    weir__cycle_close_acceptor(cycle);
}

void weir_acceptor_closed(weir_acceptor *acceptor)
{
    weir__cycle *cycle = weir__cycle_of(acceptor);
    if (cycle != NULL && cycle->acceptor_closing) {
        cycle->acceptor_closed = 1;
        weir__server_tick(acceptor->server);
    }
}

/* ---- the acceptor's other uses ---- */

int weir_server_export_fd(const weir_server *server)
{
    if (!weir_server_listening(server)) {
        return UV_ENOTCONN;
    }
    const weir_acceptor *acceptor = server->current->acceptor;
    return acceptor->transport->export_fd == NULL ? UV_ENOTSUP : acceptor->transport->export_fd(acceptor);
}

int weir__server_succeed(const weir_server *server, const weir_server *predecessor)
{
    if (!weir_server_listening(server) || !weir_server_listening(predecessor)) {
        return UV_ENOTCONN;
    }
    weir_acceptor *acceptor = server->current->acceptor, *other = predecessor->current->acceptor;
    const weir_transport *transport = acceptor->transport;
    if (transport->size < sizeof(weir_transport) || transport->succeed == NULL) { /* it may be of an earlier minor */
        return 0;
    }
    return transport->succeed(acceptor, other);
}

static void set_reference(weir_server *server, int on)
{
    server->unref = !on;
    const weir__cycle *cycle = server->current;
    if (cycle != NULL && !cycle->acceptor_closing) {
        cycle->acceptor->transport->acceptor_ref(cycle->acceptor, on);
    }
}

void weir_server_ref(weir_server *server)
{
    set_reference(server, 1);
}

void weir_server_unref(weir_server *server)
{
    set_reference(server, 0);
}
