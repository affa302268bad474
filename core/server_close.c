/* SPDX-License-Identifier: MIT */
/* Closing a server: without its connections, with them, and who is called back when that is done. */
#include "memory.h"
#include "runtime_private.h"
#include "server_private.h"
#include "stream_private.h"

/* ---- callbacks ---- */

weir__server_callback *weir__server_callback_new(weir_server_callback run, void *arg, int value)
{
    weir__server_callback *callback = weir__calloc(1, sizeof(*callback));
    if (callback != NULL) {
        callback->run = run;
        callback->arg = arg;
        callback->value = value;
    }
    return callback;
}

static void put(weir__server_callback **list, weir__server_callback *callback)
{
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = callback;
}

static void take(weir__server_callback **list, const weir__server_callback *callback)
{
    while (*list != callback) {
        list = &(*list)->next;
    }
    *list = callback->next;
}

void weir__server_call_back(weir_server *server, weir__server_callback *callback)
{
    put(&server->other_callbacks, callback);
    weir__server_activate(server); /* it is called even when the caller gives the server up now */
    weir__server_tick(server);
}

void weir__server_run_callbacks(weir_server *server)
{
    weir__server_callback *list = server->other_callbacks;
    server->other_callbacks = NULL;
    while (list != NULL) {
        weir__server_callback *callback = list;
        list = callback->next;
        int value = callback->counts ? (int)server->connection_count : callback->value;
        callback->run(server, value, callback->arg);
        weir__free(callback);
    }
}

/*
 * SRV-25: a callback of close() stands among the listeners of 'close' as if it were a one-time one. It is weir's own
 * all the same, so that removing all listeners does not lose it, and waits for the 'close' of its own cycle.
 */
static void on_close(const weir_event *event, void *arg)
{
    weir__server_callback *callback = arg;
    weir_server *server = event->target_server;
    if (callback->cycle != server->telling) {
        return;
    }
    weir__listeners_off(&server->listeners, WEIR_EVENT_CLOSE, on_close, callback);
    take(&server->close_callbacks, callback);
    callback->run(server, callback->value, callback->arg);
    weir__free(callback);
}

static void forget_all(weir_server *server, weir__server_callback **list, const void *arg)
{
    while (*list != NULL) {
        weir__server_callback *callback = *list;
        if (callback->arg == arg) {
            *list = callback->next;
            weir__listeners_off(&server->listeners, WEIR_EVENT_CLOSE, on_close, callback);
            weir__free(callback);
        } else {
            list = &callback->next;
        }
    }
}

void weir__server_forget(weir_server *server, const void *arg)
{
    forget_all(server, &server->close_callbacks, arg);
    forget_all(server, &server->other_callbacks, arg);
}

static void free_list(weir__server_callback *list)
{
    while (list != NULL) {
        weir__server_callback *next = list->next;
        weir__free(list);
        list = next;
    }
}

void weir__server_free_callbacks(weir_server *server)
{
    free_list(server->other_callbacks);
    free_list(server->close_callbacks);
}

/* ---- close() ---- */

/* Something can be closed: it listens, or is about to. One that has failed is closed already, but for its 'error'. */
static int is_open(const weir_server *server)
{
    return server->current != NULL && server->current->failure == NULL;
}

/* The callback that a close() now would call; it is not listed yet. 0 with NULL for none, UV_ENOMEM, UV_ECANCELED. */
static int make_callback(weir_server *server, weir_server_callback run, void *arg, weir__server_callback **callback)
{
    *callback = NULL;
    if (run == NULL) {
        return 0;
    }
    if (server->runtime == NULL) {
        return UV_ECANCELED;
    }
    *callback = weir__server_callback_new(run, arg, is_open(server) ? 0 : WEIR_ESERVER_NOT_RUNNING);
    if (*callback == NULL) {
        return UV_ENOMEM;
    }
    if (!is_open(server)) {
        return 0;
    }
    int status =
        weir__listeners_add(&server->listeners, WEIR_EVENT_CLOSE, on_close, *callback, WEIR__LISTENER_INTERNAL);
    if (status != 0) {
        weir__free(*callback);
        *callback = NULL;
    }
    return status;
}

static void unmake_callback(weir_server *server, weir__server_callback *callback)
{
    if (callback != NULL) {
        weir__listeners_off(&server->listeners, WEIR_EVENT_CLOSE, on_close, callback);
        weir__free(callback);
    }
}

/* Nothing of it can fail. */
static void close_now(weir_server *server, weir__server_callback *callback)
{
    weir__cycle *cycle = server->current;
    int open = is_open(server);
    weir__server_leave_current(server);
    if (callback != NULL && open) {
        callback->cycle = cycle;
        put(&server->close_callbacks, callback);
    } else if (callback != NULL) {
        weir__server_call_back(server, callback);
    }
    if (open) {
        cycle->closing = 1;
        weir__cycle_close_acceptor(cycle);
    }
    weir__server_tick(server);
}

int weir_server_close(weir_server *server, weir_server_callback callback, void *arg)
{
    if (server == NULL) {
        return UV_EINVAL;
    }
    weir__server_callback *entry = NULL;
    int status = make_callback(server, callback, arg, &entry);
    if (status == 0) {
        close_now(server, entry);
    }
    return status;
}

void weir__server_tell_closed(weir_server *server, weir__cycle *cycle)
{
    cycle->closing = 0;
    server->telling = cycle;
    weir_event event = {.type = WEIR_EVENT_CLOSE};
    weir__server_emit(server, &event);
    server->telling = NULL;
}

int weir__server_await_close(weir_server *server)
{
    if (weir_server_listening(server)) {
        return 0;
    }
    for (weir__cycle *cycle = server->cycles; cycle != NULL; cycle = cycle->next) {
        cycle->closing = 1;
    }
    return server->cycles != NULL;
}

/* ---- close_all() ---- */

static int grace_is_awaited(const weir_server *server)
{
    for (const weir__cycle *cycle = server->cycles; cycle != NULL; cycle = cycle->next) {
        if (cycle->cut && cycle->connections > 0) {
            return 1;
        }
    }
    return 0;
}

void weir__server_end_grace(weir_server *server)
{
    if (server->runtime != NULL && !grace_is_awaited(server)) {
        weir_timer_stop(server->runtime, &server->grace);
    }
}

void weir__server_on_grace_over(weir_timer *timer)
{
    weir_server *server = (weir_server *)(void *)((char *)timer - offsetof(weir_server, grace));
    weir_stream *next;
    for (weir_stream *stream = server->connections; stream != NULL; stream = next) {
        next = stream->next_of_server;
        if (stream->cycle->cut) {
            weir_stream_destroy(stream, NULL);
        }
    }
}

static void end_all(weir_server *server, uint64_t grace)
{
    for (weir__cycle *cycle = server->cycles; cycle != NULL; cycle = cycle->next) {
        cycle->cut = 1;
    }
    weir_stream *next;
    for (weir_stream *stream = server->connections; stream != NULL; stream = next) {
        next = stream->next_of_server;
        if (grace == 0 || weir_stream_end(stream, NULL, NULL) != 0) {
            weir_stream_destroy(stream, NULL);
        }
    }
}

int weir_server_close_all(weir_server *server, uint64_t grace, weir_server_callback callback, void *arg)
{
    if (server == NULL) {
        return UV_EINVAL;
    }
    weir__server_callback *entry = NULL;
    int status = make_callback(server, callback, arg, &entry);
    if (status == 0 && grace > 0 && server->connection_count > 0) {
        status = weir_timer_start(server->runtime, &server->grace, grace); /* first: without memory nothing is done */
        if (status != 0) {
            unmake_callback(server, entry);
        }
    }
    if (status == 0) {
        close_now(server, entry);
        end_all(server, grace);
    }
    return status;
}
