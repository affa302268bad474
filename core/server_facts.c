/* SPDX-License-Identifier: MIT */
/* A server's listeners, and what can be asked of it. */
#include <stdio.h>
#include <string.h>

#include "endpoint_private.h"
#include "server_private.h"
#include "stream_private.h"

/* ---- listeners ---- */

static int add_listener(weir_server *server, weir_event_type type, weir_listener listener, void *arg, unsigned flags)
{
    return server == NULL ? UV_EINVAL : weir__listeners_add(&server->listeners, type, listener, arg, flags);
}

int weir_server_on(weir_server *server, weir_event_type type, weir_listener listener, void *arg)
{
    return add_listener(server, type, listener, arg, 0);
}

int weir_server_once(weir_server *server, weir_event_type type, weir_listener listener, void *arg)
{
    return add_listener(server, type, listener, arg, WEIR__LISTENER_ONCE);
}

int weir_server_prepend(weir_server *server, weir_event_type type, weir_listener listener, void *arg)
{
    return add_listener(server, type, listener, arg, WEIR__LISTENER_PREPEND);
}

int weir_server_prepend_once(weir_server *server, weir_event_type type, weir_listener listener, void *arg)
{
    return add_listener(server, type, listener, arg, WEIR__LISTENER_PREPEND | WEIR__LISTENER_ONCE);
}

void weir_server_off(weir_server *server, weir_event_type type, weir_listener listener, void *arg)
{
    weir__listeners_off(&server->listeners, type, listener, arg);
}

void weir_server_remove_all(weir_server *server, weir_event_type type)
{
    weir__listeners_remove_all(&server->listeners, type);
}

size_t weir_server_listener_count(const weir_server *server, weir_event_type type)
{
    return weir__listeners_count(server->listeners, type);
}

/* ---- facts ---- */

static int address_of(const weir__cycle *cycle, weir_address *address)
{
    return cycle->acceptor->transport->address(cycle->acceptor, address);
}

int weir_server_address(const weir_server *server, weir_address *address)
{
    if (!weir_server_listening(server) || !server->current->announced) {
        return UV_ENOTCONN;
    }
    return address_of(server->current, address);
}

size_t weir_server_format(const weir_server *server, char *text, size_t size)
{
    weir_address address;
    if (size > 0) {
        text[0] = '\0'; /* of a server that never listened nothing can be said */
    }
    if (server->current == NULL || address_of(server->current, &address) != 0 || address.family == WEIR_FAMILY_PATH ||
        address.family == WEIR_FAMILY_NONE) {
        return server->endpoint == NULL ? 0 : weir_endpoint_format(server->endpoint, text, size);
    }
    char scheme[WEIR_ADDRESS_TEXT_SIZE];
    char where[WEIR_ADDRESS_TEXT_SIZE];
    weir_endpoint_format(server->endpoint, scheme, sizeof(scheme));
    weir_address_format(&address, where, sizeof(where));
    const char *end = strstr(scheme, "://");
    int length = snprintf(text, size, "%.*s://%s", end == NULL ? 0 : (int)(end - scheme), scheme, where);
    return length < 0 ? 0 : (size_t)length;
}

int weir_server_listening(const weir_server *server)
{
    return server->current != NULL && server->current->listening;
}

size_t weir_server_connections(const weir_server *server)
{
    return server->connection_count;
}

int weir_server_get_connections(weir_server *server, weir_server_callback callback, void *arg)
{
    if (callback == NULL) {
        return UV_EINVAL;
    }
    if (server->runtime == NULL) {
        return UV_ECANCELED;
    }
    weir__server_callback *entry = weir__server_callback_new(callback, arg, 0);
    if (entry == NULL) {
        return UV_ENOMEM;
    }
    entry->counts = 1;
    weir__server_call_back(server, entry);
    return 0;
}

int64_t weir_server_max_connections(const weir_server *server)
{
    return server->made_with.max_connections;
}

void weir_server_set_max_connections(weir_server *server, int64_t count)
{
    server->made_with.max_connections = count;
}

weir_blocklist *weir_server_block_list(const weir_server *server)
{
    return server->made_with.block_list;
}

void weir_server_set_block_list(weir_server *server, weir_blocklist *list)
{
    weir_blocklist *before = server->made_with.block_list;
    server->made_with.block_list = weir_blocklist_retain(list);
    weir_blocklist_release(before);
}

void weir_server_each(weir_server *server, void (*visit)(weir_stream *stream, void *arg), void *arg)
{
    weir_stream *stream = server->connections;
    weir_stream_retain(stream);
    while (stream != NULL) {
        weir_stream *next = weir_stream_retain(stream->next_of_server);
        visit(stream, arg);
        weir_stream_release(stream);
        stream = next;
    }
}

weir_runtime *weir_server_runtime(const weir_server *server)
{
    return server->runtime;
}

void weir_server_set_data(weir_server *server, void *data)
{
    server->data = data;
}

void *weir_server_data(const weir_server *server)
{
    return server->data;
}
