/* SPDX-License-Identifier: MIT */
/* Clients of a TLS server that come all the time. */
#define _GNU_SOURCE

#include "tls_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void begin(tls_load *self, size_t i);

static size_t index_of(const tls_load *self, const weir_stream *stream)
{
    size_t i = 0;
    while (self->streams[i] != stream)
        i++;
    return i;
}

static void on_ready(const weir_event *event, void *arg)
{
    tls_load *self = arg;
    weir_value value;
    if (self->marks[index_of(self, event->stream)] == self->mark) {
        self->handshakes++;
        assert_int_equal(weir_stream_get(event->stream, "tls.peer.pem", &value), 0);
        assert_true(strlen(value.text) < sizeof(self->now));
        self->others += self->now[0] && strcmp(self->now, value.text) != 0;
        snprintf(self->now, sizeof(self->now), "%s", value.text);
    }
    weir_stream_destroy(event->stream, NULL);
}

static void on_error(const weir_event *event, void *arg)
{
    tls_load *self = arg;
    self->failures++;
    snprintf(self->failure, sizeof(self->failure), "%s", event->error->message);
}

static void on_close(const weir_event *event, void *arg)
{
    tls_load *self = arg;
    size_t i = index_of(self, event->stream);
    weir_stream_release(event->stream);
    self->streams[i] = NULL;
    self->running--;
    if (!self->stop)
        begin(self, i);
}

static void begin(tls_load *self, size_t i)
{
    weir_stream *stream = weir_stream_new(self->f->runtime, NULL);
    assert_non_null(stream);
    self->streams[i] = stream;
    self->marks[i] = self->mark;
    self->running++;
    weir_stream_on(stream, WEIR_EVENT_READY, on_ready, self);
    weir_stream_on(stream, WEIR_EVENT_ERROR, on_error, self);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, on_close, self);
    assert_int_equal(weir_stream_connect(stream, self->url, NULL, NULL), 0);
}

static void turn(tls_load *self)
{
    fixture_turns(self->f, 1);
    if (self->failures > 0)
        fail_msg("a handshake failed: %s", self->failure);
    if (self->f->expired)
        fail_msg("after %zu handshakes nothing more came; the log:\n%s", self->handshakes, fixture_log(self->f));
}

void tls_load_turns(tls_load *self, size_t handshakes)
{
    size_t wanted = self->handshakes + handshakes;
    while (self->handshakes < wanted)
        turn(self);
}

size_t tls_fewer(size_t many, size_t few)
{
    return getenv("WEIR_TEST_VALGRIND") ? few : many;
}

void tls_load_start(tls_load *self, fixture *f, unsigned port, const char *ca)
{
    memset(self, 0, sizeof(*self));
    self->f = f;
    self->url = fixture_text(f, "tls+tcp://127.0.0.1:%u?servername=localhost&tickets=false&ca=%s", port, ca);
    for (size_t i = 0; i < tls_fewer(TLS_LOAD_CLIENTS, 2); i++)
        begin(self, i);
}

void tls_load_end(tls_load *self)
{
    self->stop = 1;
    while (self->running > 0)
        turn(self);
    assert_int_equal(self->failures, 0);
}
