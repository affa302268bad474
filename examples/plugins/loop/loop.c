/* SPDX-License-Identifier: MIT */
/* A transport: connects a stream to itself. What is written comes back, after it the end. It only connects. */
#include <stddef.h>
#include <string.h>

#include <uv.h>

#include <weir/transport.h>

#include "loop_schema.h"

/*
 * It holds no byte: a write stays outstanding until its bytes are read, so that back pressure comes by itself. An
 * operation only notes what is wanted; all reports are made in a turn of the loop, so that none falls into an
 * operation.
 */
typedef struct loop {
    weir_link link; /* the first member */
    weir_runtime *runtime;
    weir_task turn;
    weir_task closing;
    const struct iovec *bufs; /* the outstanding write, or NULL; they are the writer's */
    size_t count;
    size_t taken; /* bytes of the first of them that were read */
    int opening;
    int shutting;
    int shut;
    int ended;
} loop;

static loop *loop_of(weir_link *link)
{
    return (loop *)(void *)link;
}

static void want_turn(loop *self)
{
    weir_runtime_next_turn(self->runtime, &self->turn);
}

/* ---- the turn: reports ---- */

/* Moves what fits into the reader's memory. */
static size_t take(loop *self, char *data, size_t room)
{
    size_t size = 0;
    while (self->count > 0 && size < room) {
        size_t left = self->bufs->iov_len - self->taken;
        size_t part = left < room - size ? left : room - size;
        memcpy(data + size, (const char *)self->bufs->iov_base + self->taken, part);
        size += part;
        self->taken += part;
        if (self->taken == self->bufs->iov_len) {
            self->bufs++;
            self->count--;
            self->taken = 0;
        }
    }
    return size;
}

static void turn_data(loop *self)
{
    if (self->bufs == NULL || !weir_link_reading(&self->link))
        return;
    want_turn(self); /* for more, or because there is no memory now */
    weir_buf *buf = weir_up_buffer(&self->link, 0);
    if (buf == NULL)
        return;
    buf->size = take(self, buf->data, buf->size);
    weir_up_data(&self->link, buf);
    /* Whoever got the data may have closed us in that call; then `closing` reports the write. */
    if (self->count > 0 || weir_link_closing(&self->link))
        return;
    self->bufs = NULL;
    weir_up_written(&self->link, 0);
}

static void turn_shutdown(loop *self)
{
    if (!self->shutting)
        return;
    self->shutting = 0;
    self->shut = 1;
    weir_up_shut(&self->link, 0);
}

static void turn_end(loop *self)
{
    if (!self->shut || self->ended || !weir_link_reading(&self->link))
        return;
    self->ended = 1;
    weir_up_end(&self->link);
}

static void run_turn(weir_task *task)
{
    static void (*const steps[])(loop *) = {turn_data, turn_shutdown, turn_end};
    loop *self = (loop *)(void *)((char *)task - offsetof(loop, turn));
    if (self->opening) {
        self->opening = 0;
        weir_up_opened(&self->link);
        return;
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !weir_link_closing(&self->link); i++)
        steps[i](self);
}

/* ---- operations ---- */

static void loop_open(weir_link *link)
{
    loop_of(link)->opening = 1;
    want_turn(loop_of(link));
}

static void loop_read_start(weir_link *link)
{
    want_turn(loop_of(link));
}

/* The turn looks whether it may report. */
static void loop_read_stop(weir_link *link)
{
    (void)link;
}

static int loop_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    loop *self = loop_of(link);
    self->bufs = bufs;
    self->count = count;
    self->taken = 0;
    want_turn(self);
    return 0;
}

static int loop_shutdown(weir_link *link)
{
    loop_of(link)->shutting = 1;
    want_turn(loop_of(link));
    return 0;
}

static void run_closing(weir_task *task)
{
    loop *self = (loop *)(void *)((char *)task - offsetof(loop, closing));
    if (self->bufs != NULL) {
        self->bufs = NULL;
        weir_up_written(&self->link, UV_ECANCELED);
    }
    weir_up_closed(&self->link); /* the last report: from here on the link may be freed */
}

static void loop_close(weir_link *link, weir_close_mode mode)
{
    loop *self = loop_of(link);
    (void)mode;
    weir_runtime_cancel(self->runtime, &self->turn);
    weir_runtime_defer(self->runtime, &self->closing);
}

static void loop_free(weir_link *link)
{
    weir_free(loop_of(link));
}

static const weir_link_ops ops = {
    .size = sizeof(weir_link_ops),
    .name = "loop",
    .open = loop_open,
    .read_start = loop_read_start,
    .read_stop = loop_read_stop,
    .write = loop_write,
    .shutdown = loop_shutdown,
    .close = loop_close,
    .free = loop_free,
};

/* ---- the transport ---- */

static weir_link *loop_create(void *context, weir_runtime *runtime)
{
    (void)context;
    loop *self = weir_calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->link.ops = &ops;
    self->runtime = runtime;
    self->turn.run = run_turn;
    self->closing.run = run_closing;
    return &self->link;
}

/* "loop:" has nothing after its colon. */
static size_t loop_format(const void *context, char *text, size_t size)
{
    (void)context;
    if (size > 0)
        text[0] = '\0';
    return 0;
}

static int loop_configure(weir_configure *configure, void **context)
{
    (void)configure;
    *context = NULL;
    return 0;
}

static void loop_context_free(void *context)
{
    (void)context;
}

static const weir_transport loop_transport = {
    .size = sizeof(weir_transport),
    .body = WEIR_BODY_NONE,
    .configure = loop_configure,
    .context_free = loop_context_free,
    .format = loop_format,
    .create = loop_create,
};

WEIR_PLUGIN(loop) = {
    WEIR_PLUGIN_HEADER,    .name = "loop",
    .version = "1.0.0",    .description = "connects a stream to itself",
    .schema = loop_schema, .transport = &loop_transport,
};
