/* SPDX-License-Identifier: MIT */
/* The layer `chaos`: does everything a link may do to its neighbours, by dice that begin at a seed. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "chaos.h"
#include "chaos_schema.h"

static chaos_link *self_of(weir_link *link)
{
    return (chaos_link *)(void *)link;
}

unsigned chaos_roll(chaos_link *self, unsigned most)
{
    self->dice ^= self->dice << 13;
    self->dice ^= self->dice >> 17;
    self->dice ^= self->dice << 5;
    return (unsigned)((uint64_t)self->dice * ((uint64_t)most + 1) >> 32);
}

int chaos_fails(chaos_link *self, chaos_point point)
{
    return ++self->seen[point] == self->context->fail_count && self->context->fail_at == point;
}

void chaos_plan(chaos_link *self, chaos_due *due)
{
    if (due->wanted)
        return;
    due->wanted = 1;
    due->turns = self->context->delay ? chaos_roll(self, self->context->delay) : 0;
    weir_runtime_next_turn(self->runtime, &self->turn);
}

int chaos_comes(chaos_link *self, chaos_due *due)
{
    if (!due->wanted)
        return 0;
    if (due->turns) {
        due->turns--;
        weir_runtime_next_turn(self->runtime, &self->turn);
        return 0;
    }
    due->wanted = 0;
    return 1;
}

void chaos_break_with(chaos_link *self, const weir_error *error)
{
    if (self->fault || self->failed)
        return;
    self->fault = weir_error_retain(error);
    chaos_ask_below(self);
    chaos_read_more(self);
}

void chaos_break(chaos_link *self, int code, const char *call)
{
    weir_error *error = weir_error_newf(code, call, NULL, -1, "%s: chaos fails here (%s)", call, weir_error_name(code));
    chaos_break_with(self, error);
    weir_error_release(error);
}

/* ---- opening and ending ---- */

static void open_link(weir_link *link)
{
    chaos_link *self = self_of(link);
    if (!self->context->handshake) {
        chaos_plan(self, &self->opened);
        return;
    }
    self->hello = '\n';
    self->hello_out = (struct iovec){.iov_base = &self->hello, .iov_len = 1};
    int status = weir_down_write(link, &self->hello_out, 1);
    if (status == 0)
        self->below = 1;
    else
        chaos_break(self, status, "open");
}

static void turn_open(chaos_link *self)
{
    if (!chaos_comes(self, &self->opened))
        return;
    if (chaos_fails(self, CHAOS_OPEN)) {
        chaos_break(self, self->context->fail_code, "open");
        return;
    }
    self->is_open = 1;
    weir_up_opened(&self->link);
    if (weir_link_closing(&self->link))
        return;
    chaos_ask_below(self);
    chaos_read_more(self);
}

/*
 * The bytes of the write above are with the link below until it says so, which it does before it is closed itself: only
 * then may the write above be answered, and the end reported.
 */
static void turn_close(chaos_link *self)
{
    if (self->below || self->closed)
        return;
    self->closed = 1;
    if (self->writing) {
        self->writing = 0;
        weir_up_written(&self->link, UV_ECANCELED);
    }
    weir_up_closed(&self->link);
}

static void run_turn(weir_task *task)
{
    static void (*const steps[])(chaos_link *) = {turn_open, chaos_turn_write, chaos_turn_read};
    chaos_link *self = (chaos_link *)(void *)((char *)task - offsetof(chaos_link, turn));
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !self->closing && !self->failed; i++)
        steps[i](self);
    if (self->closing)
        turn_close(self);
}

static void close_link(weir_link *link, weir_close_mode mode)
{
    chaos_link *self = self_of(link);
    (void)mode;
    self->closing = 1;
    weir_runtime_cancel(self->runtime, &self->turn);
    weir_runtime_defer(self->runtime, &self->turn);
}

static void on_failed(weir_link *link, const weir_error *error)
{
    chaos_break_with(self_of(link), error);
}

static void held(const weir_link *link, size_t *to_write, size_t *to_read)
{
    const chaos_link *self = (const chaos_link *)(const void *)link;
    *to_write = 0;
    *to_read = self->held_size;
}

static void free_link(weir_link *link)
{
    chaos_link *self = self_of(link);
    weir_runtime_cancel(self->runtime, &self->turn);
    weir_error_release(self->fault);
    weir_buf_release(self->room);
    weir_free(self->held);
    weir_free(self);
}

const weir_link_ops chaos_ops = {
    .size = sizeof(weir_link_ops),
    .name = "chaos",
    .open = open_link,
    .read_start = chaos_read_start,
    .read_stop = chaos_read_stop,
    .try_write = chaos_try_write,
    .write = chaos_write,
    .shutdown = chaos_shutdown,
    .close = close_link,
    .held = held,
    .free = free_link,
    .on_buffer = chaos_on_buffer,
    .on_data = chaos_on_data,
    .on_end = chaos_on_end,
    .on_hangup = chaos_on_hangup,
    .on_written = chaos_on_written,
    .on_shut = chaos_on_shut,
    .on_failed = on_failed,
};

/* ---- the plugin ---- */

static void take_fail_at(chaos_context *context, const char *text)
{
    static const char *const points[] = {"", "open:", "read:", "write:", "shutdown:"};
    for (size_t i = 1; i < sizeof(points) / sizeof(points[0]); i++) {
        size_t length = strlen(points[i]);
        if (strncmp(text, points[i], length) == 0) {
            context->fail_at = (chaos_point)i;
            context->fail_count = (unsigned)strtoul(text + length, NULL, 10);
        }
    }
}

static int code_of(const char *name)
{
    static const int codes[] = {UV_EIO, UV_ECONNRESET, UV_EPIPE, UV_ETIMEDOUT};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(weir_error_name(codes[i]), name) == 0)
            return codes[i];
    }
    return UV_EIO;
}

static int configure(weir_configure *configure, void **context)
{
    json_t *options = configure->options;
    const char *fail_at = json_string_value(json_object_get(options, "failAt"));
    chaos_context *made = weir_calloc(1, sizeof(*made));
    if (!made)
        return UV_ENOMEM;
    made->seed = (uint32_t)json_integer_value(json_object_get(options, "seed"));
    made->delay = (unsigned)json_integer_value(json_object_get(options, "delay"));
    made->cut = json_is_true(json_object_get(options, "cut"));
    made->again = (unsigned)json_integer_value(json_object_get(options, "again"));
    made->handshake = json_is_true(json_object_get(options, "handshake"));
    made->fail_code = code_of(json_string_value(json_object_get(options, "failCode")));
    if (fail_at)
        take_fail_at(made, fail_at);
    *context = made;
    return 0;
}

static void context_free(void *context)
{
    weir_free(context);
}

static weir_link *create(void *context, weir_runtime *runtime, weir_role role)
{
    chaos_link *self = weir_calloc(1, sizeof(*self));
    if (!self)
        return NULL;
    self->link.ops = &chaos_ops;
    self->context = context;
    self->runtime = runtime;
    self->turn.run = run_turn;
    /* The two sides must not roll the same; 0 would roll 0 for ever. */
    self->dice = (self->context->seed + 1) * 2654435761u ^ (role == WEIR_SERVER ? 0x5bd1e995u : 0);
    self->dice |= self->dice ? 0 : 1;
    return &self->link;
}

static const weir_layer layer = {
    .size = sizeof(weir_layer), .configure = configure, .context_free = context_free, .create = create};

WEIR_PLUGIN(chaos) = {
    WEIR_PLUGIN_HEADER,     .name = "chaos",
    .version = "1.0.0",     .description = "does everything a link may do to its neighbours, for tests",
    .schema = chaos_schema, .layer = &layer,
};
