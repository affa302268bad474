/* SPDX-License-Identifier: MIT */
/*
 * The server: its life, and that of its listen cycles. A cycle:
 *
 *   listen() --> binding -- listening --> open -- close() --> closing -- acceptor and connections gone --> 'close'
 *                   |                      |                     ^
 *                   |                      |                     +-- also from binding (SRV-27)
 *                   +------ failed --------+--> 'error'
 *
 * The cycle that listens, or is about to, is the current one; there is none after close() or 'error', and then a new one
 * may begin while earlier ones close. Their events are told in the order in which they began: a cycle says nothing
 * before the acceptors of those before it are gone.
 */
#include <string.h>

#include "blocklist_use.h"
#include "endpoint_private.h"
#include "log.h"
#include "memory.h"
#include "options.h"
#include "runtime_private.h"
#include "server_private.h"
#include "stream_private.h"

static void run_tick(weir_task *task);

/* ---- making and freeing ---- */

/*
 * Two structs that grow each by itself: what is behind that of the streams stands where the caller's ends. 0, UV_EINVAL,
 * UV_E2BIG; `known` is then of no use.
 */
static int take_options(weir_server_options *known, const weir_server_options *given)
{
    const size_t head = offsetof(weir_server_options, stream);
    const size_t known_tail = head + sizeof(known->stream);
    size_t size;
    memcpy(&size, given, sizeof(size));
    if (size <= head) {
        return size == head ? 0 : UV_EINVAL;
    }
    size_t stream_size;
    memcpy(&stream_size, &given->stream, sizeof(stream_size));
    if (stream_size > size - head) {
        return UV_EINVAL;
    }
    int status = weir_options_take(&known->stream, sizeof(known->stream), &given->stream);
    return status != 0 ? status
                       : weir__options_lay((char *)known + known_tail, sizeof(*known) - known_tail,
                                           (const char *)given + head + stream_size, size - head - stream_size);
}

weir_server *weir_server_new(weir_runtime *runtime, const weir_server_options *options)
{
    weir_server_options known;
    weir_server_options_init(&known);
    if (runtime == NULL || runtime->ending || (options != NULL && take_options(&known, options) != 0) ||
        weir__onread_check(&known.stream.onread) != 0) {
        return NULL;
    }
    weir_server *server = weir__calloc(1, sizeof(*server));
    if (server == NULL) {
        return NULL;
    }
    server->refs = 1;
    server->runtime = runtime;
    server->task.run = run_tick;
    server->grace.run = weir__server_on_grace_over;
    server->made_with = known;
    weir_blocklist_retain(server->made_with.block_list);
    weir_blocklist_retain(server->made_with.stream.block_list);
    weir_abort_retain(server->made_with.stream.signal); /* streams that come later listen to it too */
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
    weir__server_leave_current(server);
    weir__listeners_free(&server->listeners);
    weir__server_free_callbacks(server);
    weir_endpoint_release(server->endpoint);
    weir_blocklist_release(server->made_with.block_list);
    weir_blocklist_release(server->made_with.stream.block_list);
    weir_abort_release(server->made_with.stream.signal);
    weir__free(server);
}

void weir__server_activate(weir_server *server)
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

size_t weir__server_emit(weir_server *server, weir_event *event)
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
    if (weir__server_emit(server, &event) == 0) {
        weir__unhandled(server->runtime, &event);
    }
}

void weir__server_tick(weir_server *server)
{
    if (server->runtime != NULL) {
        weir_runtime_defer(server->runtime, &server->task);
    }
}

/* ---- cycles ---- */

void weir__server_add_cycle(weir_server *server, weir__cycle *cycle)
{
    weir__cycle **place = &server->cycles;
    while (*place != NULL) {
        place = &(*place)->next;
    }
    *place = cycle;
    cycle->server = server;
    weir__server_activate(server);
}

static void cycle_free(weir__cycle *cycle)
{
    weir_endpoint_release(cycle->endpoint);
    weir__free(cycle);
}

void weir__cycle_close_acceptor(weir__cycle *cycle)
{
    cycle->listening = 0;
    cycle->listening_due = 0;
    if (cycle->acceptor != NULL && !cycle->acceptor_closing) {
        cycle->acceptor_closing = 1;
        cycle->acceptor->transport->acceptor_close(cycle->acceptor);
    }
}

static void free_acceptor(weir__cycle *cycle)
{
    weir_acceptor *acceptor = cycle->acceptor;
    cycle->acceptor = NULL;
    cycle->acceptor_closed = 0;
    acceptor->transport->acceptor_free(acceptor);
}

static int is_over(const weir__cycle *cycle)
{
    return cycle->acceptor == NULL && cycle->failure == NULL && !cycle->closing && cycle->connections == 0;
}

void weir__server_update_accepting(weir_server *server)
{
    const weir__cycle *cycle = server->current;
    if (cycle != NULL && cycle->listening) {
        cycle->acceptor->transport->accepting(cycle->acceptor, cycle->announced && !server->held);
    }
}

void weir__server_hold(weir_server *server, int on)
{
    server->held = on != 0;
    weir__server_update_accepting(server);
}

/* ---- ticks ---- */

static void tell_listening(weir_server *server, weir__cycle *cycle)
{
    cycle->listening_due = 0;
    cycle->announced = 1;
    weir_event event = {.type = WEIR_EVENT_LISTENING};
    weir__server_emit(server, &event);
    weir__server_update_accepting(server);
}

/* SRV-10: 'error' alone, and the server may listen again, in its listener too. */
static void tell_failed(weir_server *server, weir__cycle *cycle)
{
    const weir_error *failure = cycle->failure;
    cycle->failure = NULL;
    if (server->current == cycle) {
        weir__server_leave_current(server);
    }
    emit_error(server, failure);
    weir_error_release(failure);
}

/* Tells what is due of a cycle; returns whether those after it have to wait, as its acceptor is still closing. */
static int advance(weir_server *server, weir__cycle *cycle)
{
    if (cycle->acceptor_closed) {
        free_acceptor(cycle);
    }
    if (cycle->listening_due) {
        tell_listening(server, cycle);
    }
    if (cycle->acceptor == NULL && cycle->failure != NULL) {
        tell_failed(server, cycle);
    }
    if (cycle->acceptor == NULL && cycle->closing && cycle->connections == 0) {
        weir__server_tell_closed(server, cycle);
    }
    return cycle->acceptor != NULL;
}

/* Not those that begin meanwhile: their turn comes behind what others have to do on this tick. */
static void advance_cycles(weir_server *server)
{
    const weir__cycle *last = server->cycles;
    while (last != NULL && last->next != NULL) {
        last = last->next;
    }
    weir__cycle **place = &server->cycles;
    for (int more = last != NULL; more;) {
        weir__cycle *cycle = *place;
        more = !advance(server, cycle) && cycle != last;
        if (is_over(cycle)) {
            *place = cycle->next;
            cycle_free(cycle);
        } else {
            place = &cycle->next;
        }
    }
}

static void run_tick(weir_task *task)
{
    weir_server *server = (weir_server *)(void *)((char *)task - offsetof(weir_server, task));
    weir_server_retain(server);
    advance_cycles(server);
    weir__server_end_grace(server);
    weir__server_run_callbacks(server);
    if (server->cycles == NULL && server->other_callbacks == NULL) {
        deactivate(server);
    }
    weir_server_release(server);
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
