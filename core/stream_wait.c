/* SPDX-License-Identifier: MIT */
/* Helpers that wait: they run the loop until what was asked for has happened. Not for use inside callbacks. */
#include <string.h>

#include "memory.h"
#include "server_private.h"
#include "stream_private.h"

typedef struct collector {
    char *data;
    size_t size;
    size_t capacity;
    size_t limit;
    int done;
    int status;
} collector;

static int reserve(collector *all, size_t more)
{
    if (all->limit != 0 && (more > all->limit || all->size > all->limit - more)) {
        return UV_ENOBUFS;
    }
    if (all->capacity - all->size >= more) {
        return 0;
    }
    size_t capacity = all->capacity == 0 ? 4096 : all->capacity;
    while (capacity - all->size < more) {
        capacity *= 2;
    }
    char *data = weir__realloc(all->data, capacity);
    if (data == NULL) {
        return UV_ENOMEM;
    }
    all->data = data;
    all->capacity = capacity;
    return 0;
}

static void on_data(const weir_event *event, void *arg)
{
    collector *all = arg;
    if (all->status != 0) {
        return;
    }
    all->status = reserve(all, event->buffer->size);
    if (all->status != 0) {
        all->done = 1;
        return;
    }
    memcpy(all->data + all->size, event->buffer->data, event->buffer->size);
    all->size += event->buffer->size;
}

static void on_over(const weir_event *event, void *arg)
{
    collector *all = arg;
    if (event->type == WEIR_EVENT_ERROR && all->status == 0) {
        all->status = event->error->code;
    } else if (event->type == WEIR_EVENT_CLOSE && all->status == 0 &&
               !weir_stream_readable_ended(event->target_stream)) {
        all->status = WEIR_EPREMATURE_CLOSE;
    }
    all->done = 1;
}

static const struct {
    weir_event_type type;
    weir_listener listener;
} listeners[] = {
    {WEIR_EVENT_ERROR, on_over}, {WEIR_EVENT_END, on_over}, {WEIR_EVENT_CLOSE, on_over}, {WEIR_EVENT_DATA, on_data}};

#define LISTENERS (sizeof(listeners) / sizeof(listeners[0]))

/* Internal ones: what the application removes meanwhile must not make this wait for ever, or lose a part (EMT-06). */
static int listen_to_all(weir_stream *stream, collector *all)
{
    for (size_t i = 0; i < LISTENERS; i++) {
        int status = weir__listeners_add(&stream->listeners, listeners[i].type, listeners[i].listener, all,
                                         WEIR__LISTENER_INTERNAL);
        if (status != 0) {
            return status;
        }
    }
    weir_stream_resume(stream);
    return 0;
}

int weir_stream_read_all(weir_stream *stream, size_t limit, weir_buf **result)
{
    if (stream == NULL || result == NULL || stream->onread) {
        return UV_EINVAL;
    }
    *result = NULL;
    if (stream->runtime == NULL || weir__stream_is_destroyed(stream)) {
        return stream->errored != NULL ? stream->errored->code : WEIR_ESTREAM_DESTROYED;
    }
    if (weir_runtime_inside(stream->runtime)) {
        return UV_EBUSY;
    }
    collector all = {.limit = limit};
    weir_stream_retain(stream);
    int status = listen_to_all(stream, &all);
    if (status == 0) {
        status = stream->end_emitted ? 0 : weir_runtime_run_until(stream->runtime, &all.done);
    }
    for (size_t i = 0; i < LISTENERS; i++) {
        weir__listeners_off(&stream->listeners, listeners[i].type, listeners[i].listener, &all);
    }
    if (status == 0) {
        status = all.status;
    }
    if (status == 0) {
        *result = weir_buf_copy(all.data, all.size);
        status = *result == NULL ? UV_ENOMEM : 0;
    }
    weir__free(all.data);
    weir_stream_release(stream);
    return status;
}

static void on_server_closed(weir_server *server, int status, void *arg)
{
    int *outcome = arg;
    (void)server;
    outcome[0] = 1;
    outcome[1] = status;
}

int weir_server_close_wait(weir_server *server)
{
    int outcome[2] = {0, 0};
    if (server == NULL || server->runtime == NULL) {
        return WEIR_ESERVER_NOT_RUNNING;
    }
    if (weir_runtime_inside(server->runtime)) {
        return UV_EBUSY;
    }
    int status = weir_server_close(server, on_server_closed, outcome);
    if (status == 0) {
        status = weir_runtime_run_until(server->runtime, &outcome[0]);
        weir__server_forget(server, outcome); /* it may come after this call otherwise */
    }
    return status != 0 ? status : outcome[1];
}
