/* SPDX-License-Identifier: MIT */
/*
 * The server: listens through a transport's acceptor, decides which arrivals become connections, counts them, and
 * closes when the last of them has closed.
 *
 *   idle -- listen() --> binding -- listening --> open -- close() --> closing -- all closed --> idle
 *                           |                                            ^
 *                           +-- failed: 'error' ----> idle               +-- also from binding (SRV-27)
 */
#include <string.h>

#include "blocklist_use.h"
#include "endpoint_private.h"
#include "log.h"
#include "memory.h"
#include "runtime_private.h"
#include "server_private.h"
#include "stream_private.h"

struct weir__server_callback {
    weir__server_callback *next;
    weir_server_callback run;
    void *arg;
    int value; /* a status, or a count of connections where `counts` */
    int counts;
};

static void run_tick(weir_task *task);
static void on_grace_over(weir_timer *timer);

/* ---- making and freeing ---- */

void weir_server_options_init(weir_server_options *options)
{
    memset(options, 0, sizeof(*options));
    options->size = sizeof(*options);
    weir_stream_options_init(&options->stream);
}

weir_server *weir_server_new(weir_runtime *runtime, const weir_server_options *options)
{
    if (runtime == NULL || runtime->ending || (options != NULL && weir__onread_check(&options->stream.onread) != 0)) {
        return NULL;
    }
    weir_server *server = weir__calloc(1, sizeof(*server));
    if (server == NULL) {
        return NULL;
    }
    server->refs = 1;
    server->runtime = runtime;
    server->task.run = run_tick;
    server->grace.run = on_grace_over;
    weir_server_options_init(&server->made_with);
    if (options != NULL) {
        server->made_with = *options;
    }
    weir_blocklist_retain(server->made_with.block_list);
    weir_blocklist_retain(server->made_with.stream.block_list);
    weir_abort_retain(server->made_with.stream.signal); /* streams that come later listen to it too */
    server->options = server->made_with;
    server->next = runtime->servers;
    if (runtime->servers != NULL) {
        runtime->servers->previous = server;
    }
    runtime->servers = server;
    return server;
}

weir_server *weir_server_retain(weir_server *server)
{
    if (server != NULL) {
        server->refs++;
    }
    return server;
}

static void free_callbacks(weir__server_callback *list)
{
    while (list != NULL) {
        weir__server_callback *next = list->next;
        weir__free(list);
        list = next;
    }
}

static void unlist(weir_server *server)
{
    weir_runtime *runtime = server->runtime;
    if (runtime == NULL) {
        return;
    }
    weir_runtime_cancel(runtime, &server->task);
    weir_timer_stop(runtime, &server->grace);
    if (server->previous != NULL) {
        server->previous->next = server->next;
    } else {
        runtime->servers = server->next;
    }
    if (server->next != NULL) {
        server->next->previous = server->previous;
    }
    server->runtime = NULL;
}

void weir_server_release(weir_server *server)
{
    if (server == NULL || --server->refs > 0) {
        return;
    }
    unlist(server);
    weir__listeners_free(&server->listeners);
    free_callbacks(server->other_callbacks);
    free_callbacks(server->close_callbacks);
    weir_endpoint_release(server->endpoint);
    weir_error_release(server->failure);
    weir_blocklist_release(server->made_with.block_list);
    weir_blocklist_release(server->made_with.stream.block_list);
    weir_abort_release(server->made_with.stream.signal);
    weir__free(server);
}

static void activate(weir_server *server)
{
    if (!server->active) {
        server->active = 1;
        weir_server_retain(server);
    }
}

static void deactivate(weir_server *server)
{
    if (server->active) {
        server->active = 0;
        weir_server_release(server);
    }
}

/* ---- events ---- */

static size_t emit(weir_server *server, weir_event *event)
{
    weir_runtime *runtime = server->runtime;
    event->target_server = server;
    weir_server_retain(server);
    weir__runtime_call_begin(runtime);
    size_t count = weir__listeners_emit(&server->listeners, event);
    weir__runtime_call_end(runtime);
    weir_server_release(server);
    return count;
}

static void emit_error(weir_server *server, const weir_error *error)
{
    weir_event event = {.type = WEIR_EVENT_ERROR, .error = error};
    if (emit(server, &event) == 0) {
        weir__unhandled(server->runtime, &event);
    }
}

static weir__server_callback *callback_new(weir_server_callback run, void *arg, int value)
{
    weir__server_callback *callback = weir__calloc(1, sizeof(*callback));
    if (callback != NULL) {
        callback->run = run;
        callback->arg = arg;
        callback->value = value;
    }
    return callback;
}

static void callback_put(weir__server_callback **list, weir__server_callback *callback)
{
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = callback;
}

static void forget_callbacks(weir__server_callback **list, const void *arg)
{
    while (*list != NULL) {
        weir__server_callback *callback = *list;
        if (callback->arg == arg) {
            *list = callback->next;
            weir__free(callback);
        } else {
            list = &callback->next;
        }
    }
}

void weir__server_forget(weir_server *server, const void *arg)
{
    forget_callbacks(&server->close_callbacks, arg);
    forget_callbacks(&server->other_callbacks, arg);
}

static void run_callbacks(weir_server *server, weir__server_callback *list)
{
    while (list != NULL) {
        weir__server_callback *callback = list;
        list = callback->next;
        int value = callback->counts ? (int)server->connection_count : callback->value;
        callback->run(server, value, callback->arg);
        weir__free(callback);
    }
}

static void tick(weir_server *server)
{
    if (server->runtime != NULL) {
        weir_runtime_defer(server->runtime, &server->task);
    }
}

/* ---- listening ---- */

static const weir_transport *transport_of(const weir_server *server)
{
    return server->acceptor->transport;
}

static void update_accepting(weir_server *server)
{
    if (server->acceptor != NULL && server->listening && !server->acceptor_closing) {
        transport_of(server)->accepting(server->acceptor, server->announced && !server->held);
    }
}

static int may_listen(const weir_server *server)
{
    if (server->runtime == NULL || server->runtime->ending) {
        return UV_ECANCELED;
    }
    if (server->acceptor != NULL || server->closing || server->failure != NULL) {
        return WEIR_ESERVER_ALREADY_LISTEN;
    }
    return 0;
}

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

int weir_server_listen_fd(weir_server *server, weir_endpoint *endpoint, int fd, weir_listener listener, void *arg)
{
    if (server == NULL || endpoint == NULL || endpoint->runtime != server->runtime || endpoint->role != WEIR_SERVER) {
        return UV_EINVAL;
    }
    int status = may_listen(server);
    if (status != 0) {
        return status;
    }
    if (endpoint->transport.plugin->transport->acceptor_create == NULL) {
        return UV_ENOTSUP;
    }
    if (listener != NULL) {
        status = weir_server_once(server, WEIR_EVENT_LISTENING, listener, arg);
        if (status != 0) {
            return status;
        }
    }
    weir_acceptor *acceptor = make_acceptor(server, endpoint);
    if (acceptor == NULL) {
        if (listener != NULL) {
            weir_server_off(server, WEIR_EVENT_LISTENING, listener, arg);
        }
        return UV_ENOMEM;
    }
    weir_endpoint_retain(endpoint);
    weir_endpoint_release(server->endpoint);
    server->endpoint = endpoint;
    server->acceptor = acceptor;
    server->options.stream = server->made_with.stream;
    weir__endpoint_apply(endpoint, &server->options.stream);
    activate(server);
    if (server->unref) {
        transport_of(server)->acceptor_ref(acceptor, 0);
    }
    acceptor->transport->listen(acceptor, fd);
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

int weir_server_export_fd(const weir_server *server)
{
    if (server->acceptor == NULL || !server->listening) {
        return UV_ENOTCONN;
    }
    return transport_of(server)->export_fd == NULL ? UV_ENOTSUP : transport_of(server)->export_fd(server->acceptor);
}

weir_runtime *weir_acceptor_runtime(const weir_acceptor *acceptor)
{
    return acceptor->server->runtime;
}

void weir_acceptor_listening(weir_acceptor *acceptor)
{
    weir_server *server = acceptor->server;
    if (server->closing || server->acceptor_closing || server->listening) {
        return;
    }
    server->listening = 1;
    server->step_listening = 1;
    tick(server);
}

static void close_acceptor(weir_server *server)
{
    server->listening = 0;
    server->step_listening = 0;
    if (server->acceptor != NULL && !server->acceptor_closing) {
        server->acceptor_closing = 1;
        transport_of(server)->acceptor_close(server->acceptor);
    }
}

void weir_acceptor_failed(weir_acceptor *acceptor, const weir_error *error)
{
    weir_server *server = acceptor->server;
    if (server->acceptor_closing || server->failure != NULL) {
        return;
    }
    server->failure = weir_error_retain(error);
    close_acceptor(server);
}

void weir_acceptor_closed(weir_acceptor *acceptor)
{
    weir_server *server = acceptor->server;
    if (server->acceptor == acceptor && server->acceptor_closing) {
        server->acceptor_closed = 1;
        tick(server);
    }
}

void weir__server_hold(weir_server *server, int on)
{
    server->held = on != 0;
    update_accepting(server);
}

/* ---- arrivals ---- */

static int is_full(const weir_server *server)
{
    return server->made_with.max_connections > 0 &&
           server->connection_count >= (uint64_t)server->made_with.max_connections;
}

static int is_blocked(const weir_server *server, const weir_address *remote)
{
    return weir__blocklist_names(server->made_with.block_list, remote) ||
           weir__blocklist_names(server->endpoint->block_list, remote);
}

static void emit_drop(weir_server *server, const weir_drop *drop)
{
    weir_event event = {.type = WEIR_EVENT_DROP, .drop = drop};
    emit(server, &event);
}

static void refuse(weir_server *server, const weir_acceptor *acceptor, const weir_arrival *arrival,
                   weir_drop_reason reason)
{
    weir_drop drop = {.reason = reason, .remote = arrival->remote, .peer_pid = -1, .peer_uid = -1, .peer_gid = -1};
    if (acceptor->transport->describe != NULL) {
        acceptor->transport->describe(acceptor, arrival, &drop);
    }
    emit_drop(server, &drop);
}

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

static void count_in(weir_server *server, weir_stream *stream)
{
    stream->counted = 1;
    stream->next_of_server = server->connections;
    if (server->connections != NULL) {
        server->connections->previous_of_server = stream;
    }
    server->connections = stream;
    server->connection_count++;
    if (server->total != NULL) {
        atomic_fetch_add(server->total, 1);
    }
}

int weir_acceptor_arrival(weir_acceptor *acceptor, const weir_arrival *arrival)
{
    weir_server *server = acceptor->server;
    if (!server->listening || server->acceptor_closing) {
        return UV_ECANCELED;
    }
    if (is_blocked(server, &arrival->remote)) {
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
    if (weir__link_check(server->runtime, server->endpoint->transport.plugin, link, 1) != 0) {
        return 0; /* it has the descriptor */
    }
    weir_stream *stream = weir__stream_accept(server->runtime, server, &server->options.stream, server->endpoint, link);
    if (stream == NULL) {
        link->ops->free(link); /* closes the descriptor, which it has taken */
        return 0;
    }
    count_in(server, stream);
    set_up(server, stream);
    weir__links_arrived(stream, link);
    return 0;
}

void weir_acceptor_dropped(weir_acceptor *acceptor, const weir_drop *drop)
{
    if (!acceptor->server->acceptor_closing) {
        emit_drop(acceptor->server, drop);
    }
}

void weir__server_connection_ready(weir_server *server, weir_stream *stream)
{
    weir_event event = {.type = WEIR_EVENT_CONNECTION, .stream = stream};
    emit(server, &event);
}

void weir__server_client_error(weir_server *server, weir_stream *stream, const weir_error *error)
{
    weir_address remote;
    int known = weir_stream_remote_address(stream, &remote) == 0;
    weir_event event = {
        .type = WEIR_EVENT_CLIENT_ERROR, .stream = stream, .error = error, .address = known ? &remote : NULL};
    if (emit(server, &event) == 0) {
        weir_log(server->runtime, WEIR_LOG_INFO, "a client could not be served: %s", error->message);
    }
}

void weir__server_connection_closed(weir_server *server, weir_stream *stream)
{
    if (stream->counted) {
        stream->counted = 0;
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
        server->connection_count--;
        if (server->total != NULL) {
            atomic_fetch_sub(server->total, 1);
        }
    }
    if ((server->closing || server->acceptor == NULL) && server->connection_count == 0) {
        tick(server); /* the stream's own 'close' comes first (BN-22) */
    }
}

/* ---- closing ---- */

int weir_server_close(weir_server *server, weir_server_callback callback, void *arg)
{
    if (server == NULL) {
        return UV_EINVAL;
    }
    int open = server->acceptor != NULL && !server->closing && server->failure == NULL;
    weir__server_callback *entry = NULL;
    if (callback != NULL) {
        if (!open && server->runtime == NULL) {
            return UV_ECANCELED;
        }
        entry = callback_new(callback, arg, open ? 0 : WEIR_ESERVER_NOT_RUNNING);
        if (entry == NULL) {
            return UV_ENOMEM;
        }
        callback_put(open ? &server->close_callbacks : &server->other_callbacks, entry);
        activate(server); /* it is called even when the caller gives the server up now */
    }
    if (open) {
        server->closing = 1;
        close_acceptor(server);
    }
    tick(server);
    return 0;
}

static void on_grace_over(weir_timer *timer)
{
    weir_server *server = (weir_server *)(void *)((char *)timer - offsetof(weir_server, grace));
    weir_stream *next;
    for (weir_stream *stream = server->connections; stream != NULL; stream = next) {
        next = stream->next_of_server;
        weir_stream_destroy(stream, NULL);
    }
}

int weir_server_close_all(weir_server *server, uint64_t grace, weir_server_callback callback, void *arg)
{
    if (server == NULL) {
        return UV_EINVAL;
    }
    int waits = weir_timer_active(&server->grace);
    int status = 0;
    if (grace > 0 && server->runtime != NULL) {
        status = weir_timer_start(server->runtime, &server->grace, grace); /* first: without memory nothing is done */
    }
    if (status == 0) {
        status = weir_server_close(server, callback, arg);
    }
    if (server->runtime == NULL) {
        return status;
    }
    if (!waits && (status != 0 || server->connection_count == 0)) {
        weir_timer_stop(server->runtime, &server->grace);
    }
    if (status != 0) {
        return status;
    }
    weir_stream *next;
    for (weir_stream *stream = server->connections; stream != NULL; stream = next) {
        next = stream->next_of_server;
        if (grace == 0 || weir_stream_end(stream, NULL, NULL) != 0) {
            weir_stream_destroy(stream, NULL);
        }
    }
    return 0;
}

/* ---- ticks ---- */

static void free_acceptor(weir_server *server)
{
    weir_acceptor *acceptor = server->acceptor;
    const weir_transport *transport = acceptor->transport;
    server->acceptor = NULL;
    server->acceptor_closing = 0;
    server->acceptor_closed = 0;
    server->announced = 0;
    transport->acceptor_free(acceptor);
}

static void tick_listening(weir_server *server)
{
    if (!server->step_listening) {
        return;
    }
    server->step_listening = 0;
    server->announced = 1;
    weir_event event = {.type = WEIR_EVENT_LISTENING};
    emit(server, &event);
    update_accepting(server);
}

/* SRV-10: 'error' alone, and the server may listen again, in its listener too. */
static void tick_failed(weir_server *server)
{
    if (server->failure == NULL || server->acceptor != NULL) {
        return;
    }
    const weir_error *failure = server->failure;
    server->failure = NULL;
    emit_error(server, failure);
    weir_error_release(failure);
}

static void tick_closed(weir_server *server)
{
    if (!server->closing || server->acceptor != NULL || server->connection_count > 0) {
        return;
    }
    server->closing = 0;
    weir_timer_stop(server->runtime, &server->grace);
    weir__server_callback *callbacks = server->close_callbacks;
    server->close_callbacks = NULL;
    run_callbacks(server, callbacks);
    weir_event event = {.type = WEIR_EVENT_CLOSE};
    emit(server, &event);
}

static int is_idle(const weir_server *server)
{
    return server->acceptor == NULL && !server->closing && server->failure == NULL && server->connection_count == 0;
}

static void run_tick(weir_task *task)
{
    weir_server *server = (weir_server *)(void *)((char *)task - offsetof(weir_server, task));
    weir_server_retain(server);
    if (server->acceptor_closed) {
        free_acceptor(server);
    }
    tick_listening(server);
    tick_failed(server);
    tick_closed(server);
    weir__server_callback *callbacks = server->other_callbacks;
    server->other_callbacks = NULL;
    run_callbacks(server, callbacks);
    if (is_idle(server)) {
        deactivate(server);
    }
    weir_server_release(server);
}

/* ---- counting, the loop ---- */

int weir_server_get_connections(weir_server *server, weir_server_callback callback, void *arg)
{
    if (callback == NULL || server->runtime == NULL) {
        return UV_EINVAL;
    }
    weir__server_callback *entry = callback_new(callback, arg, 0);
    if (entry == NULL) {
        return UV_ENOMEM;
    }
    entry->counts = 1;
    callback_put(&server->other_callbacks, entry);
    activate(server); /* as in weir_server_close */
    tick(server);
    return 0;
}

static void set_reference(weir_server *server, int on)
{
    server->unref = !on;
    if (server->acceptor != NULL && !server->acceptor_closing) {
        transport_of(server)->acceptor_ref(server->acceptor, on);
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

/* ---- the runtime's end ---- */

void weir__servers_end(weir_runtime *runtime)
{
    for (weir_server *server = runtime->servers; server != NULL; server = server->next) {
        if (server->active) {
            weir_server_close(server, NULL, NULL);
        }
    }
}

int weir__servers_active(const weir_runtime *runtime)
{
    for (const weir_server *server = runtime->servers; server != NULL; server = server->next) {
        if (server->active) {
            return 1;
        }
    }
    return 0;
}

void weir__servers_orphan(weir_runtime *runtime)
{
    while (runtime->servers != NULL) {
        weir_server *server = runtime->servers;
        weir_endpoint_release(server->endpoint);
        server->endpoint = NULL;
        unlist(server);
    }
}
