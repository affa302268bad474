/* SPDX-License-Identifier: MIT */
/*
 * A client and its upstream, coupled until both are closed.
 *
 * Bytes, back pressure and half-close are the business of two pipes. What is decided here is what one side's end means
 * for the other:
 *
 *   the upstream cannot be reached      the client is closed
 *   the upstream dies before its end    the client is reset, so that what it got cannot pass for all there was
 *   the upstream dies after its end     the client gets all of it; what it still sends is dropped
 *   the client dies                     the upstream is reset, for the same reason
 *   both have ended                     the upstream closes by itself, then the client
 */
#include <stdio.h>

#include <uv.h>

#include "forward.h"

typedef struct pair {
    forward *forward;
    weir_stream *client;
    weir_stream *upstream;
    unsigned open; /* how many of the two have not closed yet */
    unsigned ready : 1;
    unsigned client_closed : 1;
    unsigned upstream_closed : 1;
} pair;

/* "client 127.0.0.1:5000 (connection 7)" */
static void describe_client(const pair *self, char *text, size_t size)
{
    weir_address address;
    char remote[WEIR_ADDRESS_TEXT_SIZE] = "";
    if (weir_stream_remote_address(self->client, &address) == 0 && address.family != WEIR_FAMILY_PATH) {
        weir_address_format(&address, remote, sizeof(remote));
    }
    snprintf(text, size, "client %s%s(connection %llu)", remote, remote[0] == '\0' ? "" : " ",
             (unsigned long long)weir_stream_id(self->client));
}

/* One line that says which upstream, why, and what became of the client. */
static void log_upstream(const pair *self, weir_log_level level, const char *why, const char *consequence)
{
    char client[WEIR_ADDRESS_TEXT_SIZE + 64];
    describe_client(self, client, sizeof(client));
    weir_log(weir_stream_runtime(self->client), level, "forward to %s: %s; %s %s", self->forward->where, why, client,
             consequence);
}

/* A line at this level now and then; the others are counted. */
static weir_log_level bounded(forward *context, weir_runtime *runtime, weir_log_level level, const weir_error *error)
{
    if (weir_log_bound_pass(runtime, &context->failures)) {
        return level;
    }
    weir_error_release(context->last);
    context->last = weir_error_retain(error);
    return WEIR_LOG_DEBUG;
}

static void log_failure(const pair *self, const char *what, int status)
{
    weir_error *error = weir_error_new(status, what, NULL, -1);
    weir_log_level level = bounded(self->forward, weir_stream_runtime(self->client), WEIR_LOG_ERROR, error);
    log_upstream(self, level, error->message, "closed");
    weir_error_release(error);
}

static void log_no_memory(forward *context, const weir_stream *client)
{
    weir_runtime *runtime = weir_stream_runtime(client);
    weir_error *error = weir_error_new(UV_ENOMEM, NULL, NULL, -1);
    weir_log(runtime, bounded(context, runtime, WEIR_LOG_ERROR, error),
             "forward to %s: no memory; connection %llu closed", context->where,
             (unsigned long long)weir_stream_id(client));
    weir_error_release(error);
}

/* Not one that is not open yet: that would be reset when it is, which may be never. */
static int can_reset(weir_stream *stream)
{
    weir_value value;
    return weir_stream_ready_state(stream) != WEIR_READY_OPENING &&
           (weir_stream_get(stream, "canReset", &value) != 0 || value.number != 0);
}

/* So that the peer can tell it from an orderly end; transports without resets have only the one way to close. */
static void cut(weir_stream *stream)
{
    if (!can_reset(stream) || weir_stream_reset_and_destroy(stream) < 0) {
        weir_stream_destroy(stream, NULL);
    }
}

static const char *cut_word(weir_stream *stream)
{
    return can_reset(stream) ? "reset" : "closed";
}

static void closed(pair *self)
{
    if (--self->open > 0) {
        return;
    }
    weir_stream_release(self->client);
    weir_stream_release(self->upstream);
    forward_release(self->forward);
    weir_free(self);
}

/* ---- the client ---- */

/*
 * With autoDestroy switched on again by the configuration a client closes by itself once both sides have ended; the
 * upstream then still has bytes to take.
 */
static int upstream_goes_on(const pair *self)
{
    return self->upstream_closed ||
           (weir_stream_readable_ended(self->client) && weir_stream_readable_ended(self->upstream) &&
            weir_stream_writable_finished(self->client));
}

static void on_client_error(const weir_event *event, void *arg)
{
    const pair *self = arg;
    int goes_on = upstream_goes_on(self) || weir_stream_destroyed(self->upstream);
    char client[WEIR_ADDRESS_TEXT_SIZE + 64];
    describe_client(self, client, sizeof(client));
    weir_log(weir_stream_runtime(self->client), WEIR_LOG_DEBUG, "forward to %s: %s: %s%s%s", self->forward->where,
             client, event->error->message, goes_on ? "" : "; upstream ", goes_on ? "" : cut_word(self->upstream));
}

static void on_client_end(const weir_event *event, void *arg)
{
    const pair *self = arg;
    (void)event;
    if (self->upstream_closed) {
        weir_stream_destroy_soon(self->client);
    }
}

static void on_client_close(const weir_event *event, void *arg)
{
    pair *self = arg;
    (void)event;
    self->client_closed = 1;
    if (!upstream_goes_on(self)) {
        cut(self->upstream);
    }
    closed(self);
}

/* ---- the upstream ---- */

static void on_upstream_ready(const weir_event *event, void *arg)
{
    pair *self = arg;
    (void)event;
    self->ready = 1;
    if (weir_stream_destroyed(self->client)) {
        return;
    }
    /* Only now is there a consumer, so only now is the client read: until here its bytes wait in the kernel. */
    int status = weir_stream_pipe(self->client, self->upstream, NULL);
    if (status == 0) {
        status = weir_stream_pipe(self->upstream, self->client, NULL);
    }
    if (status < 0) {
        log_failure(self, "pipe", status);
        weir_stream_destroy(self->upstream, NULL);
    }
}

static void on_upstream_error(const weir_event *event, void *arg)
{
    const pair *self = arg;
    const char *consequence;
    if (self->client_closed || weir_stream_destroyed(self->client)) {
        return;
    }
    consequence = cut_word(self->client);
    if (!self->ready) {
        consequence = "closed";
    } else if (weir_stream_readable_ended(self->upstream)) {
        consequence = "gets what had arrived";
    }
    weir_log_level level = bounded(self->forward, weir_stream_runtime(self->client), WEIR_LOG_WARN, event->error);
    log_upstream(self, level, event->error->message, consequence);
}

/* Only where the endpoint's own options ask for it: {"stream": {"timeout": ...}}. */
static void on_upstream_timeout(const weir_event *event, void *arg)
{
    const pair *self = arg;
    (void)event;
    weir_error *error = weir_error_newf(UV_ETIMEDOUT, NULL, NULL, -1, "no bytes for %lld ms (ETIMEDOUT)",
                                        (long long)weir_stream_timeout(self->upstream));
    weir_stream_destroy(self->upstream, error);
    weir_error_release(error);
}

/*
 * All of the upstream's bytes are in the client's queue or sent, and its end behind them, by the pipe; they must not be
 * lost to a reset of our making.
 */
static void finish_client(pair *self)
{
    weir_stream_unpipe(self->client, self->upstream);
    if (weir_stream_readable_ended(self->client)) {
        weir_stream_destroy_soon(self->client);
        return;
    }
    weir_stream_resume(self->client);
}

static void on_upstream_close(const weir_event *event, void *arg)
{
    pair *self = arg;
    (void)event;
    self->upstream_closed = 1;
    if (!self->client_closed && !weir_stream_destroyed(self->client)) {
        if (!self->ready) {
            weir_stream_destroy(self->client, NULL);
        } else if (weir_stream_readable_ended(self->upstream)) {
            finish_client(self);
        } else {
            cut(self->client);
        }
    }
    closed(self);
}

/* ---- the beginning ---- */

typedef struct listening {
    weir_event_type type;
    weir_listener listener;
} listening;

/* 'close' first: once it is there, the pair ends by it whatever fails after. */
static const listening client_listeners[] = {
    {WEIR_EVENT_CLOSE, on_client_close},
    {WEIR_EVENT_ERROR, on_client_error},
    {WEIR_EVENT_END, on_client_end},
};

static const listening upstream_listeners[] = {
    {WEIR_EVENT_CLOSE, on_upstream_close},
    {WEIR_EVENT_ERROR, on_upstream_error},
    {WEIR_EVENT_READY, on_upstream_ready},
    {WEIR_EVENT_TIMEOUT, on_upstream_timeout},
};

/* Listens to all of them. How many it managed; fewer than `count`: no memory. */
static size_t listen_to(weir_stream *stream, const listening *listeners, size_t count, pair *self)
{
    size_t done = 0;
    while (done < count && weir_stream_on(stream, listeners[done].type, listeners[done].listener, self) == 0) {
        done++;
    }
    return done;
}

static weir_stream *make_upstream(const pair *self)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    options.connect_timeout = self->forward->connect_timeout;
    return weir_stream_new(weir_stream_runtime(self->client), &options);
}

static pair *pair_new(forward *context, weir_stream *client)
{
    pair *self = weir_calloc(1, sizeof(*self));
    if (self == NULL) {
        return NULL;
    }
    self->client = client;
    self->forward = context;
    self->upstream = make_upstream(self);
    if (self->upstream == NULL) {
        weir_free(self);
        return NULL;
    }
    weir_stream_retain(client);
    forward_retain(context);
    return self;
}

void pair_start(forward *context, weir_stream *client)
{
    const size_t client_count = sizeof(client_listeners) / sizeof(client_listeners[0]);
    const size_t upstream_count = sizeof(upstream_listeners) / sizeof(upstream_listeners[0]);
    pair *self = pair_new(context, client);
    if (self == NULL) {
        log_no_memory(context, client);
        weir_stream_destroy(client, NULL);
        return;
    }
    /* One more than there are listeners: this function, until all is settled. */
    self->open = 1;
    size_t client_done = listen_to(client, client_listeners, client_count, self);
    size_t upstream_done = listen_to(self->upstream, upstream_listeners, upstream_count, self);
    self->open += (client_done > 0 ? 1U : 0U) + (upstream_done > 0 ? 1U : 0U);
    self->client_closed = client_done == 0;
    self->upstream_closed = upstream_done == 0;

    int status = UV_ENOMEM;
    if (client_done == client_count && upstream_done == upstream_count) {
        status = weir_stream_connect_endpoint(self->upstream, context->endpoint, NULL, NULL);
    }
    if (status < 0) {
        log_failure(self, "connect", status);
        weir_stream_destroy(self->upstream, NULL);
        weir_stream_destroy(client, NULL);
    }
    closed(self);
}
