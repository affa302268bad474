/* SPDX-License-Identifier: MIT */
/* A handler that tells every client by which options it is served. */
#define _GNU_SOURCE

#include "marked.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <weir/handler.h>

static atomic_int contexts, stops, configures_left;

static int configure(weir_configure *configure, void **context)
{
    const char *say = json_string_value(json_object_get(configure->options, "say"));
    if (strcmp(say, "bad") == 0 || (atomic_load(&configures_left) >= 0 && atomic_fetch_sub(&configures_left, 1) == 0)) {
        weir_configure_fault(configure, "/say", "not this");
        return WEIR_EINVALID_CONFIG;
    }
    char *mark = weir_malloc(strlen(say) + 2);
    if (!mark)
        return UV_ENOMEM;
    strcat(strcpy(mark, say), ".");
    *context = mark;
    atomic_fetch_add(&contexts, 1);
    return 0;
}

static void context_free(void *context)
{
    weir_free(context);
    atomic_fetch_sub(&contexts, 1);
}

static void on_error(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

static void connection(void *context, weir_stream *stream)
{
    weir_stream_on(stream, WEIR_EVENT_ERROR, on_error, NULL);
    weir_stream_write(stream, context, strlen(context), NULL, NULL);
    weir_stream_pipe(stream, stream, NULL);
}

static void stopping(void *context, weir_server *server)
{
    (void)context;
    (void)server;
    atomic_fetch_add(&stops, 1);
}

static const weir_handler handler = {.size = sizeof(weir_handler),
                                     .configure = configure,
                                     .context_free = context_free,
                                     .connection = connection,
                                     .stopping = stopping};

static const weir_plugin plugin = {
    WEIR_PLUGIN_HEADER,
    .name = "mark",
    .version = "1.0.0",
    .description = "tells by which options it serves",
    .schema = "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"say\"], \"properties\": "
              "{\"say\": {\"type\": \"string\"}}}",
    .handler = &handler};

int marked_setup(void **state)
{
    int status = fixture_setup(state);
    fixture *f = *state;
    atomic_store(&stops, 0);
    atomic_store(&configures_left, -1);
    assert_code(weir_runtime_register_plugin(f->runtime, &plugin, NULL), 0);
    return status;
}

int marked_teardown(void **state)
{
    int status = fixture_teardown(state);
    assert_int_equal(atomic_load(&contexts), 0);
    return status;
}

int marked_contexts(void)
{
    return atomic_load(&contexts);
}

int marked_stopping(void)
{
    return atomic_load(&stops);
}

void marked_fail_after(int configures)
{
    atomic_store(&configures_left, configures);
}

recorder *marked_client(fixture *f, const char *url, const char *mark)
{
    recorder *client = fixture_client(f, url, NULL);
    size_t length = strlen(mark) + 1;
    recorder_wait_data(client, length);
    if (client->data_size != length || memcmp(client->data, mark, length - 1) != 0 || client->data[length - 1] != '.')
        fail_msg("%s says %.*s, not %s", url, (int)client->data_size, client->data, mark);
    return client;
}

void marked_echo(recorder *client)
{
    size_t before = client->data_size;
    recorder_write(client, "hello", 5);
    recorder_wait_data(client, before + 5);
}
