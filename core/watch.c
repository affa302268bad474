/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the end of a stream. What has happened is noted as the events tell it, and not looked up in the stream: a
 * listener before this one may have begun the stream's next life already.
 */
#include "watch.h"

#include "stream_private.h"

static const weir_event_type types[] = {WEIR_EVENT_END, WEIR_EVENT_FINISH, WEIR_EVENT_ERROR, WEIR_EVENT_CLOSE};

#define TYPES (sizeof(types) / sizeof(types[0]))

static void note_error(weir__watch *watch, const weir_error *error)
{
    if (watch->error == NULL) {
        watch->error = weir_error_retain(error);
    }
}

static void on_event(const weir_event *event, void *arg)
{
    weir__watch *watch = arg;
    if (event->type == WEIR_EVENT_END) {
        watch->ended = 1;
    } else if (event->type == WEIR_EVENT_FINISH) {
        watch->finished = 1;
    } else if (event->type == WEIR_EVENT_ERROR) {
        note_error(watch, event->error);
    } else {
        watch->closed = 1;
    }
    watch->told(watch);
}

void weir__watch_begin(weir__watch *watch, weir_stream *stream)
{
    watch->stream = weir_stream_retain(stream);
    watch->ended = stream->end_emitted;
    watch->finished = stream->finish_emitted;
    watch->closed = stream->life == LIFE_CLOSED;
    note_error(watch, stream->errored);
}

static void stop_listening(weir__watch *watch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        weir__listeners_off(&watch->stream->listeners, types[i], on_event, watch);
    }
}

int weir__watch_listen(weir__watch *watch)
{
    weir_stream *stream = watch->stream;
    weir__extras *extras = weir__stream_extras(stream);
    if (extras == NULL) {
        return UV_ENOMEM;
    }
    for (size_t i = 0; i < TYPES; i++) {
        int status = weir__listeners_add(&stream->listeners, types[i], on_event, watch, WEIR__LISTENER_INTERNAL);
        if (status != 0) {
            stop_listening(watch, i);
            return status;
        }
    }
    extras->watches++;
    watch->listening = 1;
    return 0;
}

void weir__watch_stop(weir__watch *watch)
{
    weir_stream *stream = watch->stream;
    if (stream == NULL) {
        return;
    }
    if (watch->listening) {
        watch->listening = 0;
        stop_listening(watch, TYPES);
        stream->extras->watches--;
    }
    weir_error_release(watch->error);
    watch->error = NULL;
    watch->stream = NULL;
    weir_stream_release(stream);
}

int weir__watch_over(const weir__watch *watch, const weir_error **error)
{
    *error = weir_error_retain(watch->error);
    if (watch->error != NULL) {
        return 1;
    }
    if ((watch->reading && !watch->ended) || (watch->writing && !watch->finished)) {
        if (watch->closed) {
            *error = weir_error_new(WEIR_EPREMATURE_CLOSE, NULL, NULL, -1);
        }
        return watch->closed;
    }
    return watch->reading || watch->writing || watch->closed;
}
