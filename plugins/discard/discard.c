/* SPDX-License-Identifier: MIT */
/* The discard handler: takes whatever clients send, drops it, and counts. */
#include <uv.h>

#include <weir/handler.h>

#include "discard_schema.h"

/* What one server has taken; of one runtime, so plain numbers do. */
typedef struct discard {
    weir_runtime *runtime;
    uint64_t connections; /* all there were */
    uint64_t open;        /* of them, still there */
    uint64_t bytes;       /* of those that are closed */
    int stopping;
} discard;

static int discard_configure(weir_configure *configure, void **context)
{
    discard *self = weir_calloc(1, sizeof(*self));
    if (self == NULL) {
        return UV_ENOMEM;
    }
    self->runtime = configure->runtime;
    *context = self;
    return 0;
}

static void discard_context_free(void *context)
{
    weir_free(context);
}

static void log_summary(const discard *self)
{
    weir_log(self->runtime, WEIR_LOG_INFO, "discard: %llu bytes of %llu connections dropped",
             (unsigned long long)self->bytes, (unsigned long long)self->connections);
}

static void on_error(const weir_event *event, void *arg)
{
    discard *self = arg;
    weir_log(self->runtime, WEIR_LOG_DEBUG, "discard: connection %llu: %s",
             (unsigned long long)weir_stream_id(event->target_stream), event->error->message);
}

static void on_close(const weir_event *event, void *arg)
{
    discard *self = arg;
    uint64_t bytes = weir_stream_bytes_read(event->target_stream);
    self->bytes += bytes;
    self->open--;
    weir_log(self->runtime, WEIR_LOG_DEBUG, "discard: connection %llu closed after %llu bytes",
             (unsigned long long)weir_stream_id(event->target_stream), (unsigned long long)bytes);
    if (self->stopping && self->open == 0) {
        log_summary(self);
    }
}

static void discard_connection(void *context, weir_stream *client)
{
    discard *self = context;
    self->connections++;
    int status = weir_stream_on(client, WEIR_EVENT_CLOSE, on_close, self);
    if (status == 0) {
        self->open++;
        status = weir_stream_on(client, WEIR_EVENT_ERROR, on_error, self);
    }
    if (status < 0) {
        weir_log(self->runtime, WEIR_LOG_ERROR, "discard: connection %llu: closed: %s (%s)",
                 (unsigned long long)weir_stream_id(client), weir_error_text(status), weir_error_name(status));
        weir_stream_destroy(client, NULL);
        return;
    }
    /* Flowing without a listener: the bytes are read, counted by the stream, and gone. */
    weir_stream_resume(client);
}

/* The summary is to be true, so it waits for the last connection. */
static void discard_stopping(void *context, weir_server *server)
{
    (void)server;
    discard *self = context;
    self->stopping = 1;
    if (self->open == 0) {
        log_summary(self);
    }
}

static const weir_handler discard_handler = {
    .size = sizeof(weir_handler),
    .configure = discard_configure,
    .context_free = discard_context_free,
    .connection = discard_connection,
    .stopping = discard_stopping,
};

/* clang-format off */
WEIR_PLUGIN(discard) = {
    WEIR_PLUGIN_HEADER,
    .name = "discard",
    .version = WEIR_VERSION,
    .description = "drops what clients send, and counts it",
    .schema = discard_schema,
    .handler = &discard_handler,
};
/* clang-format on */
