/* SPDX-License-Identifier: MIT */
/*
 * The forward handler: connects every client to another endpoint. Here are its options and its plugin; what becomes of
 * one client stands in pair.c.
 */
#include <inttypes.h>

#include <uv.h>

#include "forward.h"
#include "forward_schema.h"

/* Lines of failed upstreams in ten seconds. */
#define FAILURES_SHOWN 5

forward *forward_retain(forward *self)
{
    self->refs++;
    return self;
}

void forward_release(forward *self)
{
    if (--self->refs > 0) {
        return;
    }
    weir_log_bound_end(&self->failures);
    weir_endpoint_release(self->endpoint);
    weir_free(self->where);
    weir_free(self);
}

/* The endpoint as it stands in log lines, made once. */
static char *endpoint_text(const weir_endpoint *endpoint)
{
    size_t size = weir_endpoint_format(endpoint, NULL, 0) + 1;
    char *text = weir_malloc(size);
    if (text != NULL) {
        weir_endpoint_format(endpoint, text, size);
    }
    return text;
}

/* `to` is one endpoint, alone or in an array: the form that has room for several. The schema saw to the rest. */
static weir_endpoint *read_endpoint(weir_configure *configure)
{
    json_t *to = json_object_get(configure->options, "to");
    if (json_is_array(to)) {
        return weir_configure_endpoint(configure, "/to/0", json_array_get(to, 0), WEIR_CLIENT);
    }
    return weir_configure_endpoint(configure, "/to", to, WEIR_CLIENT);
}

static void tell_failures(weir_log_bound *bound, uint64_t more)
{
    forward *self = (forward *)(void *)((char *)bound - offsetof(forward, failures));
    weir_error *last = self->last;
    self->last = NULL;
    weir_log(bound->runtime, WEIR_LOG_WARN, "forward to %s: %" PRIu64 " more connection%s failed, the last one: %s",
             self->where, more, more == 1 ? "" : "s", last->message);
    weir_error_release(last);
}

static int forward_configure(weir_configure *configure, void **context)
{
    forward *self = weir_calloc(1, sizeof(*self));
    if (self == NULL) {
        return UV_ENOMEM;
    }
    self->refs = 1;
    self->failures.most = FAILURES_SHOWN;
    self->failures.tell = tell_failures;
    self->connect_timeout = weir_configure_duration(configure, "connectTimeout", 10000);
    self->endpoint = read_endpoint(configure);
    if (self->endpoint == NULL) {
        forward_release(self);
        return WEIR_EINVALID_CONFIG;
    }
    self->where = endpoint_text(self->endpoint);
    if (self->where == NULL) {
        forward_release(self);
        return UV_ENOMEM;
    }
    *context = self;
    return 0;
}

static void forward_context_free(void *context)
{
    forward_release(context);
}

/*
 * Half-close is kept each way. The client stays until its upstream has taken all (pair.c closes it), so that a server
 * that stops waits for both halves of a connection.
 */
static void forward_prepare(void *context, weir_server_options *options)
{
    (void)context;
    options->stream.allow_half_open = 1;
    options->stream.no_auto_destroy = 1;
}

static void forward_connection(void *context, weir_stream *client)
{
    pair_start(context, client);
}

static const weir_handler forward_handler = {
    .size = sizeof(weir_handler),
    .configure = forward_configure,
    .context_free = forward_context_free,
    .connection = forward_connection,
    .prepare = forward_prepare,
};

/* clang-format off */
WEIR_PLUGIN(forward) = {
    WEIR_PLUGIN_HEADER,
    .name = "forward",
    .version = WEIR_VERSION,
    .description = "connects every client to another endpoint",
    .schema = forward_schema,
    .handler = &forward_handler,
};
/* clang-format on */
