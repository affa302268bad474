/* SPDX-License-Identifier: MIT */
/* Listening in memory: a runtime's listeners by name, each with a backlog of wires. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "mem.h"

#define BACKLOG_MOST 511

struct mem_acceptor {
    weir_acceptor acceptor;
    mem_context *context;
    weir_runtime *runtime;
    mem_acceptor *next; /* of the runtime's */
    mem_wire *backlog;  /* oldest first */
    size_t waiting;
    int listening;
    int accepting;
    weir_task turn;
    weir_task closing;
};

typedef struct mem_arrival {
    weir_arrival arrival;
    mem_wire *wire;
} mem_arrival;

static mem_acceptor *self_of(weir_acceptor *acceptor)
{
    return (mem_acceptor *)(void *)acceptor;
}

static mem_acceptor *find(const mem_instance *instance, const weir_address *name)
{
    mem_acceptor *each = instance->acceptors;
    while (each && !weir_address_equal(&each->context->name, name))
        each = each->next;
    return each;
}

static void want_turn(mem_acceptor *self)
{
    if (self->accepting && self->backlog)
        weir_runtime_next_turn(self->runtime, &self->turn);
}

int mem_acceptor_offer(mem_instance *instance, mem_wire *wire)
{
    mem_acceptor *self = find(instance, &wire->name);
    if (!self || self->waiting >= BACKLOG_MOST)
        return UV_ECONNREFUSED;
    mem_wire **end = &self->backlog;
    while (*end)
        end = &(*end)->next;
    *end = wire;
    wire->refs++;
    self->waiting++;
    want_turn(self);
    return 0;
}

static mem_wire *take_first(mem_acceptor *self)
{
    mem_wire *wire = self->backlog;
    self->backlog = wire->next;
    self->waiting--;
    wire->next = NULL;
    return wire;
}

/* One arrival a turn: accepting must never starve the connections that are open. */
static void run_turn(weir_task *task)
{
    mem_acceptor *self = (mem_acceptor *)(void *)((char *)task - offsetof(mem_acceptor, turn));
    if (!self->accepting || !self->backlog)
        return;
    mem_arrival arrival = {.arrival = {.remote = {.family = WEIR_FAMILY_PATH}, .fd = -1}, .wire = take_first(self)};
    if (weir_acceptor_arrival(&self->acceptor, &arrival.arrival) < 0)
        mem_leave(arrival.wire, 1, 1);
    want_turn(self);
}

static void run_closing(weir_task *task)
{
    mem_acceptor *self = (mem_acceptor *)(void *)((char *)task - offsetof(mem_acceptor, closing));
    weir_acceptor_closed(&self->acceptor);
}

weir_acceptor *mem_acceptor_create(void *context, weir_runtime *runtime)
{
    mem_acceptor *self = weir_calloc(1, sizeof(*self));
    if (!self)
        return NULL;
    self->context = context;
    self->runtime = runtime;
    self->turn.run = run_turn;
    self->closing.run = run_closing;
    return &self->acceptor;
}

static void refuse(mem_acceptor *self, int code)
{
    char name[WEIR_ADDRESS_TEXT_SIZE];
    weir_address_ip(&self->context->name, name, sizeof(name));
    weir_error *error = weir_error_new(code, "listen", name, -1);
    weir_acceptor_failed(&self->acceptor, error);
    weir_error_release(error);
}

void mem_acceptor_listen(weir_acceptor *acceptor, int fd)
{
    mem_acceptor *self = self_of(acceptor);
    mem_instance *instance = self->context->instance;
    if (fd >= 0) {
        close(fd); /* it was given to us, and it cannot be of ours */
        refuse(self, UV_ENOTSUP);
    } else if (find(instance, &self->context->name)) {
        refuse(self, UV_EADDRINUSE);
    } else {
        self->listening = 1;
        self->next = instance->acceptors;
        instance->acceptors = self;
        weir_acceptor_listening(acceptor);
    }
}

void mem_acceptor_accepting(weir_acceptor *acceptor, int on)
{
    mem_acceptor *self = self_of(acceptor);
    self->accepting = on;
    want_turn(self);
}

int mem_acceptor_address(const weir_acceptor *acceptor, weir_address *address)
{
    const mem_acceptor *self = (const mem_acceptor *)(const void *)acceptor;
    if (!self->listening)
        return UV_ENOTCONN;
    *address = self->context->name;
    return 0;
}

weir_link *mem_acceptor_accept(weir_acceptor *acceptor, const weir_arrival *arrival)
{
    mem_acceptor *self = self_of(acceptor);
    return mem_link_accepted(self->context, self->runtime, ((const mem_arrival *)(const void *)arrival)->wire);
}

/* Nothing here keeps a loop alive. */
void mem_acceptor_ref(weir_acceptor *acceptor, int on)
{
    (void)acceptor;
    (void)on;
}

static void unlist(mem_acceptor *self)
{
    if (!self->listening)
        return;
    mem_acceptor **link = &self->context->instance->acceptors;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    self->listening = 0;
}

void mem_acceptor_close(weir_acceptor *acceptor)
{
    mem_acceptor *self = self_of(acceptor);
    unlist(self);
    self->accepting = 0;
    while (self->backlog)
        mem_leave(take_first(self), 1, 1);
    weir_runtime_cancel(self->runtime, &self->turn);
    weir_runtime_defer(self->runtime, &self->closing);
}

void mem_acceptor_free(weir_acceptor *acceptor)
{
    weir_free(acceptor);
}
