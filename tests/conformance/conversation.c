/* SPDX-License-Identifier: MIT */
/* A whole life of a runtime with one echo conversation in it, that copes with whatever fails. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#define WATCHDOG_MS 30000

static void note(suite_conversation *self, int status)
{
    if (status < 0 && self->status == 0)
        self->status = status;
}

static void quiet(weir_log_level level, const char *message, void *arg)
{
    (void)level;
    (void)message;
    (void)arg;
}

static void on_connection(const weir_event *event, void *arg)
{
    int status = weir_stream_pipe(event->stream, event->stream, NULL);
    note(arg, status);
    if (status)
        weir_stream_destroy(event->stream, NULL);
}

static void on_data(const weir_event *event, void *arg)
{
    suite_conversation *self = arg;
    const weir_buf *buf = event->buffer;
    if (buf->size > SUITE_BYTES - self->received || memcmp(buf->data, suite_bytes + self->received, buf->size) != 0)
        self->wrong++;
    self->received += buf->size;
    if (self->received != SUITE_BYTES)
        return;
    int status = weir_stream_end(self->client, NULL, NULL);
    note(self, status);
    if (status)
        weir_stream_destroy(self->client, NULL);
}

static void on_error(const weir_event *event, void *arg)
{
    note(arg, event->error->code);
}

static void on_close(const weir_event *event, void *arg)
{
    suite_conversation *self = arg;
    (void)event;
    self->closed++;
    note(self, weir_server_close(self->server, NULL, NULL));
}

/* The layers of the suite change nothing on the wire: the client does without. */
static const char *skip_layers(const char *url)
{
    static const char *const layers[] = {"probe+", "chaos+"};
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        if (strncmp(url, layers[i], strlen(layers[i])) == 0)
            return skip_layers(url + strlen(layers[i]));
    }
    return url;
}

static void on_listening(const weir_event *event, void *arg)
{
    suite_conversation *self = arg;
    char text[4 * WEIR_ADDRESS_TEXT_SIZE];
    (void)event;
    size_t length = weir_server_format(self->server, text, sizeof(text));
    if (self->query && length < sizeof(text))
        snprintf(text + length, sizeof(text) - length, "%s", self->query);
    int status = weir_stream_connect(self->client, skip_layers(text), NULL, NULL);
    note(self, status);
    self->connected = status == 0;
    if (status) {
        weir_server_close(self->server, NULL, NULL);
        return;
    }
    status = weir_stream_write(self->client, suite_bytes, SUITE_BYTES, NULL, NULL);
    note(self, status);
    if (status < 0)
        weir_stream_destroy(self->client, NULL);
}

static int prepare(suite_conversation *self)
{
    self->server = weir_server_new(self->runtime, NULL);
    self->client = weir_stream_new(self->runtime, NULL);
    if (!self->server || !self->client)
        return UV_ENOMEM;
    int status = weir_server_on(self->server, WEIR_EVENT_CONNECTION, on_connection, self);
    if (!status)
        status = weir_server_on(self->server, WEIR_EVENT_ERROR, on_error, self);
    if (!status)
        status = weir_stream_on(self->client, WEIR_EVENT_DATA, on_data, self);
    if (!status)
        status = weir_stream_on(self->client, WEIR_EVENT_ERROR, on_error, self);
    if (!status)
        status = weir_stream_on(self->client, WEIR_EVENT_CLOSE, on_close, self);
    if (!status)
        status = weir_server_listen(self->server, self->listen, on_listening, self);
    return status;
}

static void on_watchdog(uv_timer_t *timer)
{
    suite_conversation *self = timer->data;
    self->left_behind = 1;
    uv_stop(timer->loop);
}

static void talk(suite_conversation *self)
{
    uv_timer_t watchdog;
    uv_timer_init(&self->loop, &watchdog);
    watchdog.data = self;
    uv_timer_start(&watchdog, on_watchdog, WATCHDOG_MS, 0);
    uv_unref((uv_handle_t *)&watchdog);
    int status = prepare(self);
    note(self, status);
    if (!status)
        uv_run(&self->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&watchdog, NULL);
    uv_run(&self->loop, UV_RUN_NOWAIT);
}

void suite_conversation_open(suite_conversation *self)
{
    assert_int_equal(uv_loop_init(&self->loop), 0);
}

void suite_conversation_run(void *conversation)
{
    suite_conversation *self = conversation;
    self->runtime = fixture_new_runtime(&self->loop);
    if (!self->runtime) {
        note(self, UV_ENOMEM);
        return;
    }
    weir_runtime_on_log(self->runtime, quiet, NULL);
    talk(self);
    weir_stream_release(self->client);
    weir_server_release(self->server);
    note(self, weir_runtime_free(self->runtime));
}

void suite_conversation_close(suite_conversation *self)
{
    uv_run(&self->loop, UV_RUN_NOWAIT);
    if (uv_loop_close(&self->loop))
        self->left_behind = 1;
}
