/* SPDX-License-Identifier: MIT */
/* A handler: sends every client a text, or what a file holds, and ends the connection. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/handler.h>

#include "greet_schema.h"

#define FILE_MOST 65536

static int read_content(weir_configure *configure, FILE *file, weir_buf **text)
{
    weir_buf *buffer = weir_buf_new(FILE_MOST + 1);
    if (buffer == NULL)
        return UV_ENOMEM;
    buffer->size = fread(buffer->data, 1, FILE_MOST + 1, file);
    const char *why = ferror(file)               ? "cannot be read"
                      : buffer->size == 0        ? "is empty"
                      : buffer->size > FILE_MOST ? "is larger than 64 KiB"
                                                 : NULL;
    if (why == NULL) {
        *text = buffer;
        return 0;
    }
    weir_configure_fault(configure, "/file", "the file %s", why);
    weir_buf_release(buffer);
    return WEIR_EINVALID_CONFIG;
}

static int read_file(weir_configure *configure, const char *name, weir_buf **text)
{
    char *path = weir_configure_path(configure, name);
    if (path == NULL)
        return UV_ENOMEM;
    FILE *file = fopen(path, "re");
    weir_free(path);
    if (file == NULL) {
        weir_configure_fault(configure, "/file", "the file cannot be opened: %s", strerror(errno));
        return WEIR_EINVALID_CONFIG;
    }
    int status = read_content(configure, file, text);
    fclose(file);
    return status;
}

/* The text is all there is to keep, so it is the context: read once, and shared by every connection. */
static int greet_configure(weir_configure *configure, void **context)
{
    json_t *file = json_object_get(configure->options, "file");
    json_t *text = json_object_get(configure->options, "text");
    weir_buf *buffer = NULL;
    int status = 0;
    if (file != NULL) {
        status = read_file(configure, json_string_value(file), &buffer);
    } else {
        buffer = weir_buf_copy(json_string_value(text), json_string_length(text));
        status = buffer == NULL ? UV_ENOMEM : 0;
    }
    *context = buffer;
    return status;
}

static void greet_context_free(void *context)
{
    weir_buf_release(context);
}

/* A client that goes away early is everyday life: a line for who looks for it. */
static void on_error(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream *client = event->target_stream;
    weir_log(weir_stream_runtime(client), WEIR_LOG_DEBUG, "greet: connection %llu: %s",
             (unsigned long long)weir_stream_id(client), event->error->message);
}

static void greet_connection(void *context, weir_stream *client)
{
    weir_buf *text = context;
    if (weir_stream_on(client, WEIR_EVENT_ERROR, on_error, NULL) < 0 ||
        weir_stream_write_buf(client, text, NULL, NULL) < 0 || weir_stream_end(client, NULL, NULL) < 0) {
        weir_stream_destroy(client, NULL);
        return;
    }
    /* What it sends is read and dropped: only who reads sees the client's end, and the stream closes on both ends. */
    weir_stream_resume(client);
}

static const weir_handler greet_handler = {
    .size = sizeof(weir_handler),
    .configure = greet_configure,
    .context_free = greet_context_free,
    .connection = greet_connection,
};

WEIR_PLUGIN(greet) = {
    WEIR_PLUGIN_HEADER,     .name = "greet",
    .version = "1.0.0",     .description = "sends every client a text and ends the connection",
    .schema = greet_schema, .handler = &greet_handler,
};
