/* SPDX-License-Identifier: MIT */
/*
 * One end of a connection in memory. All that an end does it does in its turn, once a loop iteration: an operation only
 * notes what is wanted, and an end that changes the wire gives the other one its turn.
 */
#include <stddef.h>
#include <string.h>

#include <uv.h>

#include "mem.h"

typedef struct mem_link {
    weir_link link;
    mem_context *context;
    weir_runtime *runtime;
    mem_wire *wire; /* NULL once this end has left it */
    int side;
    weir_task turn;
    weir_task closing;
    int opening;
    int shutting;
    int latched; /* the error of a write, for all that follow */
    int ended;
    int hung_up;
    int failed;
    const struct iovec *bufs; /* the outstanding write; NULL: there is none */
    size_t count;
    size_t size;
    size_t written;
} mem_link;

static mem_link *self_of(weir_link *link)
{
    return (mem_link *)(void *)link;
}

static void want_turn(mem_link *self)
{
    if (self && !weir_link_closing(&self->link))
        weir_runtime_next_turn(self->runtime, &self->turn);
}

static mem_way *way_out(const mem_link *self)
{
    return &self->wire->ways[self->side];
}

static mem_way *way_in(const mem_link *self)
{
    return &self->wire->ways[!self->side];
}

static void wake_peer(const mem_link *self)
{
    want_turn(self->wire->ends[!self->side]);
}

void mem_leave(mem_wire *wire, int side, int reset)
{
    mem_link *peer = wire->ends[!side];
    mem_wire_leave(wire, side, reset);
    want_turn(peer);
}

static void fail(mem_link *self, int code, const char *call)
{
    char name[WEIR_ADDRESS_TEXT_SIZE];
    weir_address_ip(&self->wire->name, name, sizeof(name));
    weir_error *error = weir_error_new(code, call, name, -1);
    self->failed = 1;
    weir_up_failed(&self->link, error);
    weir_error_release(error);
}

/* ---- the turn ---- */

static void turn_open(mem_link *self)
{
    self->opening = 0;
    int status = mem_acceptor_offer(self->context->instance, self->wire);
    if (status)
        fail(self, status, "connect");
    else
        weir_up_opened(&self->link);
}

static void turn_write(mem_link *self)
{
    mem_way *out = way_out(self);
    if (!self->bufs)
        return;
    int status = out->refused;
    if (!status) {
        size_t taken = mem_way_put(out, self->bufs, self->count, self->written);
        self->written += taken;
        if (taken)
            wake_peer(self);
        if (self->written < self->size)
            return;
    }
    self->bufs = NULL;
    self->latched = status;
    weir_up_written(&self->link, status);
}

static void turn_shutdown(mem_link *self)
{
    if (!self->shutting)
        return;
    self->shutting = 0;
    way_out(self)->ended = 1;
    wake_peer(self);
    weir_up_shut(&self->link, 0);
}

static void read_bytes(mem_link *self)
{
    mem_way *in = way_in(self);
    want_turn(self); /* for more of them, for the end behind them, or because there was no memory */
    weir_buf *buf = weir_up_buffer(&self->link, in->used);
    if (!buf)
        return;
    buf->size = mem_way_take(in, buf->data, buf->size);
    wake_peer(self);
    weir_up_data(&self->link, buf);
}

static void turn_read(mem_link *self)
{
    mem_way *in = way_in(self);
    if (!weir_link_reading(&self->link)) {
        if (in->ended && !self->ended && !self->hung_up) {
            self->hung_up = 1;
            weir_up_hangup(&self->link);
        }
    } else if (in->used) {
        read_bytes(self);
    } else if (in->reset) {
        fail(self, UV_ECONNRESET, "read");
    } else if (in->ended && !self->ended) {
        self->ended = 1;
        weir_up_end(&self->link);
    }
}

static void run_turn(weir_task *task)
{
    static void (*const steps[])(mem_link *) = {turn_write, turn_shutdown, turn_read};
    mem_link *self = (mem_link *)(void *)((char *)task - offsetof(mem_link, turn));
    if (self->opening) {
        turn_open(self);
        return;
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (weir_link_closing(&self->link) || self->failed)
            return;
        steps[i](self);
    }
}

/* ---- operations ---- */

static void link_open(weir_link *link)
{
    mem_link *self = self_of(link);
    self->opening = 1;
    want_turn(self);
}

static void link_read_start(weir_link *link)
{
    want_turn(self_of(link));
}

static void link_read_stop(weir_link *link)
{
    want_turn(self_of(link)); /* the peer may have gone */
}

static ssize_t link_try_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    mem_link *self = self_of(link);
    if (self->latched)
        return self->latched;
    if (way_out(self)->refused)
        return way_out(self)->refused;
    size_t taken = mem_way_put(way_out(self), bufs, count, 0);
    if (!taken)
        return UV_EAGAIN;
    wake_peer(self);
    return (ssize_t)taken;
}

static int link_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    mem_link *self = self_of(link);
    if (self->latched)
        return self->latched;
    self->bufs = bufs;
    self->count = count;
    self->size = 0;
    self->written = 0;
    for (size_t i = 0; i < count; i++)
        self->size += bufs[i].iov_len;
    want_turn(self);
    return 0;
}

static int link_shutdown(weir_link *link)
{
    mem_link *self = self_of(link);
    self->shutting = 1;
    want_turn(self);
    return 0;
}

static void run_closing(weir_task *task)
{
    mem_link *self = (mem_link *)(void *)((char *)task - offsetof(mem_link, closing));
    if (self->bufs) {
        self->bufs = NULL;
        weir_up_written(&self->link, UV_ECANCELED);
    }
    weir_up_closed(&self->link);
}

static void leave(mem_link *self, int reset)
{
    mem_wire *wire = self->wire;
    self->wire = NULL;
    weir_runtime_cancel(self->runtime, &self->turn);
    if (wire)
        mem_leave(wire, self->side, reset);
}

static void link_close(weir_link *link, weir_close_mode mode)
{
    mem_link *self = self_of(link);
    leave(self, mode == WEIR_CLOSE_RESET);
    weir_runtime_defer(self->runtime, &self->closing);
}

static void link_free(weir_link *link)
{
    mem_link *self = self_of(link);
    leave(self, 0);
    weir_free(self);
}

/* The side that connected has no name of its own. */
static void set_address(weir_value *value, const mem_link *self, int side)
{
    value->type = WEIR_VALUE_ADDRESS;
    value->address = (weir_address){.family = WEIR_FAMILY_PATH};
    if (side == 1)
        value->address = self->wire->name;
}

static int link_get(weir_link *link, const char *name, weir_value *value)
{
    mem_link *self = self_of(link);
    if (strcmp(name, "canReset") == 0) {
        value->type = WEIR_VALUE_BOOLEAN;
        value->number = self->context->can_reset;
        return 0;
    }
    int local = strcmp(name, "localAddress") == 0;
    if (!local && strcmp(name, "remoteAddress") != 0)
        return UV_ENOENT;
    if (!self->wire)
        return UV_ENOTCONN;
    set_address(value, self, local ? self->side : !self->side);
    return 0;
}

static const weir_link_ops ops = {
    .size = sizeof(weir_link_ops),
    .name = "mem",
    .open = link_open,
    .read_start = link_read_start,
    .read_stop = link_read_stop,
    .try_write = link_try_write,
    .write = link_write,
    .shutdown = link_shutdown,
    .close = link_close,
    .get = link_get,
    .free = link_free,
};

static mem_link *make(mem_context *context, weir_runtime *runtime, mem_wire *wire, int side)
{
    mem_link *self = weir_calloc(1, sizeof(*self));
    if (!self)
        return NULL;
    self->link.ops = &ops;
    self->context = context;
    self->runtime = runtime;
    self->turn.run = run_turn;
    self->closing.run = run_closing;
    self->wire = wire;
    self->side = side;
    wire->ends[side] = self;
    return self;
}

weir_link *mem_link_connecting(mem_context *context, weir_runtime *runtime)
{
    mem_wire *wire = mem_wire_new(&context->name, context->pipe_size);
    if (!wire)
        return NULL;
    mem_link *self = make(context, runtime, wire, 0);
    if (!self) {
        mem_wire_release(wire);
        return NULL;
    }
    return &self->link;
}

weir_link *mem_link_accepted(mem_context *context, weir_runtime *runtime, mem_wire *wire)
{
    mem_link *self = make(context, runtime, wire, 1);
    return self ? &self->link : NULL;
}
