/* SPDX-License-Identifier: MIT */
/* The echo handler: sends every client its own bytes back. The smallest handler there is, to begin one's own from. */
#include <weir/handler.h>

#include "echo_schema.h"

/* Nothing to configure, so nothing to keep. */
static int echo_configure(weir_configure *configure, void **context)
{
    (void)configure;
    *context = NULL;
    return 0;
}

static void echo_context_free(void *context)
{
    (void)context;
}

/* A client that has sent all and ended its side still gets back what is on its way. */
static void echo_prepare(void *context, weir_server_options *options)
{
    (void)context;
    options->stream.allow_half_open = 1;
}

/* Clients that go away by a reset are everyday life for a service: no warning, but to be found when looked for. */
static void on_error(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream *client = event->target_stream;
    weir_log(weir_stream_runtime(client), WEIR_LOG_DEBUG, "echo: connection %llu: %s",
             (unsigned long long)weir_stream_id(client), event->error->message);
}

static void echo_connection(void *context, weir_stream *client)
{
    (void)context;
    int status = weir_stream_on(client, WEIR_EVENT_ERROR, on_error, NULL);
    if (status == 0) {
        status = weir_stream_pipe(client, client, NULL);
    }
    if (status < 0) {
        weir_log(weir_stream_runtime(client), WEIR_LOG_ERROR, "echo: connection %llu: closed: %s (%s)",
                 (unsigned long long)weir_stream_id(client), weir_error_text(status), weir_error_name(status));
        weir_stream_destroy(client, NULL);
    }
}

static const weir_handler echo_handler = {
    .size = sizeof(weir_handler),
    .configure = echo_configure,
    .context_free = echo_context_free,
    .connection = echo_connection,
    .prepare = echo_prepare,
};

/* clang-format off */
WEIR_PLUGIN(echo) = {
    WEIR_PLUGIN_HEADER,
    .name = "echo",
    .version = WEIR_VERSION,
    .description = "sends every client its own bytes back",
    .schema = echo_schema,
    .handler = &echo_handler,
};
/* clang-format on */
