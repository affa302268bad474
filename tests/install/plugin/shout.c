/* SPDX-License-Identifier: MIT */
/* A handler of somebody else: sends every client its own bytes back in capitals. Built against an installed weir. */
#include <ctype.h>
#include <string.h>

#include <uv.h>

#include <weir/handler.h>

#include "shout_schema.h"

static int shout_configure(weir_configure *configure, void **context)
{
    const char *suffix = json_string_value(json_object_get(configure->options, "suffix"));
    size_t size = strlen(suffix) + 1;
    char *copy = weir_malloc(size);
    if (copy == NULL)
        return UV_ENOMEM;
    memcpy(copy, suffix, size);
    *context = copy;
    return 0;
}

static void shout_context_free(void *context)
{
    weir_free(context);
}

static void on_data(const weir_event *event, void *arg)
{
    const char *suffix = arg;
    weir_buf *loud = weir_buf_copy(event->buffer->data, event->buffer->size);
    if (loud == NULL) {
        weir_stream_destroy(event->target_stream, NULL);
        return;
    }
    unsigned char *bytes = (unsigned char *)loud->data;
    for (size_t i = 0; i < loud->size; i++)
        bytes[i] = (unsigned char)toupper(bytes[i]);
    weir_stream_write_buf(event->target_stream, loud, NULL, NULL);
    weir_stream_write(event->target_stream, suffix, strlen(suffix), NULL, NULL);
    weir_buf_release(loud);
}

static void shout_connection(void *context, weir_stream *stream)
{
    if (weir_stream_on(stream, WEIR_EVENT_DATA, on_data, context) < 0)
        weir_stream_destroy(stream, NULL);
}

static const weir_handler shout_handler = {
    .size = sizeof(weir_handler),
    .configure = shout_configure,
    .context_free = shout_context_free,
    .connection = shout_connection,
};

WEIR_PLUGIN(shout) = {
    WEIR_PLUGIN_HEADER,     .name = "shout",
    .version = "1.0.0",     .description = "sends every client its own bytes back in capitals",
    .schema = shout_schema, .handler = &shout_handler,
};
