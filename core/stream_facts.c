/* SPDX-License-Identifier: MIT */
/* A stream's listeners, what can be asked of it, and the settings that its links carry out. */
#include <string.h>

#include "memory.h"
#include "stream_private.h"

/* ---- listeners ---- */

static int is_reader(weir_event_type type)
{
    return type == WEIR_EVENT_DATA || type == WEIR_EVENT_READABLE;
}

static int add_listener(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg, unsigned flags)
{
    if (stream == NULL) {
        return UV_EINVAL;
    }
    int status = weir__listeners_add(&stream->listeners, type, listener, arg, flags);
    if (status == 0 && is_reader(type)) {
        weir__stream_reader_added(stream, type);
    }
    return status;
}

int weir_stream_on(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg)
{
    return add_listener(stream, type, listener, arg, 0);
}

int weir_stream_once(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg)
{
    return add_listener(stream, type, listener, arg, WEIR__LISTENER_ONCE);
}

int weir_stream_prepend(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg)
{
    return add_listener(stream, type, listener, arg, WEIR__LISTENER_PREPEND);
}

int weir_stream_prepend_once(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg)
{
    return add_listener(stream, type, listener, arg, WEIR__LISTENER_PREPEND | WEIR__LISTENER_ONCE);
}

void weir_stream_off(weir_stream *stream, weir_event_type type, weir_listener listener, void *arg)
{
    weir__listeners_off(&stream->listeners, type, listener, arg);
    weir__stream_reader_removed(stream, type);
}

void weir_stream_remove_all(weir_stream *stream, weir_event_type type)
{
    weir__listeners_remove_all(&stream->listeners, type);
    weir__stream_reader_removed(stream, type == WEIR_EVENT_COUNT ? WEIR_EVENT_READABLE : type);
}

size_t weir_stream_listener_count(const weir_stream *stream, weir_event_type type)
{
    return weir__listeners_count(stream->listeners, type);
}

/* ---- plain facts ---- */

weir_runtime *weir_stream_runtime(const weir_stream *stream)
{
    return stream->runtime;
}

uint64_t weir_stream_id(const weir_stream *stream)
{
    return stream->id;
}

void weir_stream_set_data(weir_stream *stream, void *data)
{
    stream->data = data;
}

void *weir_stream_data(const weir_stream *stream)
{
    return stream->data;
}

weir_server *weir_stream_server(const weir_stream *stream)
{
    return stream->server;
}

int weir_stream_connecting(const weir_stream *stream)
{
    return stream->life == LIFE_CONNECTING;
}

int weir_stream_pending(const weir_stream *stream)
{
    return stream->life != LIFE_OPENING && stream->life != LIFE_OPEN;
}

int weir_stream_destroyed(const weir_stream *stream)
{
    return weir__stream_is_destroyed(stream);
}

int weir_stream_closed(const weir_stream *stream)
{
    return stream->life == LIFE_CLOSED;
}

const weir_error *weir_stream_errored(const weir_stream *stream)
{
    return stream->errored;
}

uint64_t weir_stream_bytes_read(const weir_stream *stream)
{
    return stream->bytes_read;
}

uint64_t weir_stream_bytes_written(const weir_stream *stream)
{
    return stream->bytes_written;
}

int weir_stream_readable(const weir_stream *stream)
{
    return !weir__stream_is_destroyed(stream) && !stream->end_emitted;
}

int weir_stream_readable_flowing(const weir_stream *stream)
{
    return stream->flowing;
}

int weir_stream_readable_ended(const weir_stream *stream)
{
    return stream->end_emitted;
}

int weir_stream_readable_aborted(const weir_stream *stream)
{
    return weir__stream_is_destroyed(stream) && !stream->end_emitted;
}

int weir_stream_readable_did_read(const weir_stream *stream)
{
    return stream->did_read;
}

size_t weir_stream_readable_length(const weir_stream *stream)
{
    return stream->readable_length;
}

size_t weir_stream_readable_high_water_mark(const weir_stream *stream)
{
    return stream->readable_high_water_mark;
}

int weir_stream_writable(const weir_stream *stream)
{
    return !weir__stream_is_destroyed(stream) && !stream->ending && stream->pending_error == NULL;
}

int weir_stream_writable_ended(const weir_stream *stream)
{
    return stream->ending;
}

int weir_stream_writable_finished(const weir_stream *stream)
{
    return stream->finish_emitted || stream->finishing;
}

int weir_stream_writable_need_drain(const weir_stream *stream)
{
    return stream->need_drain;
}

int weir_stream_writable_corked(const weir_stream *stream)
{
    return stream->corked > (uint32_t)INT32_MAX ? INT32_MAX : (int)stream->corked;
}

size_t weir_stream_writable_length(const weir_stream *stream)
{
    return stream->writable_length + (stream->links_hold ? weir__links_held(stream) : 0);
}

size_t weir_stream_writable_high_water_mark(const weir_stream *stream)
{
    return stream->writable_high_water_mark;
}

/* Rows SOCP-22 to SOCP-26. */
weir_ready_state weir_stream_ready_state(const weir_stream *stream)
{
    if (stream->life == LIFE_CONNECTING || stream->life == LIFE_OPENING) {
        return WEIR_READY_OPENING;
    }
    int readable = weir_stream_readable(stream);
    int writable = weir_stream_writable(stream);
    if (readable && writable) {
        return WEIR_READY_OPEN;
    }
    if (readable) {
        return WEIR_READY_READ_ONLY;
    }
    return writable ? WEIR_READY_WRITE_ONLY : WEIR_READY_CLOSED;
}

const char *weir_ready_state_name(weir_ready_state state)
{
    static const char *const names[] = {"opening", "open", "readOnly", "writeOnly", "closed"};
    return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* ---- what links know and do ---- */

int weir_stream_get(weir_stream *stream, const char *name, weir_value *value)
{
    if (stream == NULL || name == NULL || value == NULL) {
        return UV_EINVAL;
    }
    memset(value, 0, sizeof(*value));
    if (stream->top == NULL) {
        return UV_ENOTCONN;
    }
    return weir__links_get(stream, name, value);
}

int weir_stream_set(weir_stream *stream, const char *name, const weir_value *value)
{
    if (stream == NULL || name == NULL || value == NULL) {
        return UV_EINVAL;
    }
    if (stream->top == NULL || weir__stream_is_destroyed(stream)) {
        return UV_ENOTCONN;
    }
    return weir__links_set(stream, name, value);
}

static int get_address(weir_stream *stream, const char *name, weir_address *address)
{
    weir_value value;
    if (stream != NULL && stream->life == LIFE_CONNECTING) {
        return UV_ENOTCONN; /* whatever the transport knows already (SOCP-13) */
    }
    int status = weir_stream_get(stream, name, &value);
    if (status == 0 && value.type != WEIR_VALUE_ADDRESS) {
        status = UV_ENOENT;
    }
    if (status == 0) {
        *address = value.address;
    }
    return status;
}

int weir_stream_local_address(weir_stream *stream, weir_address *address)
{
    return get_address(stream, "localAddress", address);
}

int weir__stream_peer(weir_stream *stream, weir_address *address)
{
    return get_address(stream, "remoteAddress", address);
}

/* Without memory it is not kept. */
static void keep_peer(weir_stream *stream, const weir_address *address)
{
    weir__extras *extras = weir__stream_extras(stream);
    if (extras == NULL) {
        return;
    }
    if (extras->peer == NULL) {
        extras->peer = weir__malloc(sizeof(*extras->peer));
    }
    if (extras->peer != NULL) {
        *extras->peer = *address;
    }
}

/* Row SOCP-18: what was asked for once can be asked for in 'close' too. An idle connection does not pay for it. */
int weir_stream_remote_address(weir_stream *stream, weir_address *address)
{
    int status = weir__stream_peer(stream, address);
    if (status == 0) {
        keep_peer(stream, address);
    } else if (stream != NULL && weir__stream_is_destroyed(stream) && stream->extras != NULL &&
               stream->extras->peer != NULL) {
        *address = *stream->extras->peer;
        status = 0;
    }
    return status;
}

void weir__stream_forget_peer(weir_stream *stream)
{
    if (stream->extras != NULL) {
        weir__free(stream->extras->peer);
        stream->extras->peer = NULL;
    }
}

/* A setting of the transport: what no link knows has no effect (IPC, SOCM-36, SOCM-40). */
static int set_on_links(weir_stream *stream, const char *name, weir_value_type type, int64_t number)
{
    if (stream->top == NULL || weir__stream_is_destroyed(stream)) {
        return 0;
    }
    weir_value value = {.type = type, .number = number};
    int status = weir__links_set(stream, name, &value);
    return status == UV_ENOENT ? 0 : status;
}

int weir_stream_set_no_delay(weir_stream *stream, int enable)
{
    stream->no_delay = enable ? 2 : 1;
    return set_on_links(stream, "noDelay", WEIR_VALUE_BOOLEAN, enable != 0);
}

int weir_stream_set_keep_alive(weir_stream *stream, int enable, uint64_t initial_delay)
{
    stream->keep_alive = enable ? 2 : 1;
    stream->keep_alive_delay = weir__at_most_32(initial_delay);
    int status = set_on_links(stream, "keepAliveInitialDelay", WEIR_VALUE_NUMBER, (int64_t)initial_delay);
    return status != 0 ? status : set_on_links(stream, "keepAlive", WEIR_VALUE_BOOLEAN, enable != 0);
}

static void set_reference(weir_stream *stream, int on)
{
    stream->unref = !on;
    weir__clock_ref(stream, on);
    weir__links_ref(stream, on);
}

void weir_stream_ref(weir_stream *stream)
{
    set_reference(stream, 1);
}

void weir_stream_unref(weir_stream *stream)
{
    set_reference(stream, 0);
}
