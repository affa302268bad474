/* SPDX-License-Identifier: MIT */
/* A transport that listens nowhere, in whose name a test reports. */
#include <stddef.h>

#include <uv.h>

#include "gate.h"
#include "plain_plugin.h"

typedef struct gate {
    weir_acceptor acceptor;
    weir_task closing;
    int index;
    int holds;
} gate;

weir_acceptor *gate_acceptors[GATES_MOST];
int gate_holds;
int gate_links_freed;

void gate_fail(int index)
{
    weir_error *error = weir_error_new(UV_EIO, "listen", NULL, -1);
    weir_acceptor_failed(gate_acceptors[index], error);
    weir_error_release(error);
}

static gate *self_of(weir_acceptor *acceptor)
{
    return (gate *)(void *)acceptor;
}

static size_t format(const void *context, char *text, size_t size)
{
    (void)context;
    if (size > 0)
        text[0] = '\0';
    return 0;
}

static weir_link *create(void *context, weir_runtime *runtime)
{
    (void)context;
    (void)runtime;
    return NULL;
}

static void tell_closed(weir_task *task)
{
    weir_acceptor_closed(&((gate *)(void *)((char *)task - offsetof(gate, closing)))->acceptor);
}

static weir_acceptor *acceptor_create(void *context, weir_runtime *runtime)
{
    gate *self = weir_calloc(1, sizeof(*self));
    (void)context;
    (void)runtime;
    if (!self)
        return NULL;
    self->closing.run = tell_closed;
    self->holds = gate_holds;
    while (self->index + 1 < GATES_MOST && gate_acceptors[self->index])
        self->index++;
    gate_acceptors[self->index] = &self->acceptor;
    return &self->acceptor;
}

static void listen_nowhere(weir_acceptor *acceptor, int fd)
{
    (void)fd;
    if (!self_of(acceptor)->holds)
        weir_acceptor_listening(acceptor);
}

static void do_nothing(weir_acceptor *acceptor, int on)
{
    (void)acceptor;
    (void)on;
}

static int address(const weir_acceptor *acceptor, weir_address *address)
{
    (void)acceptor;
    (void)address;
    return UV_ENOTCONN;
}

static void free_link(weir_link *link)
{
    gate_links_freed++;
    weir_free(link);
}

static weir_link *accept_one(weir_acceptor *acceptor, const weir_arrival *arrival)
{
    static const weir_link_ops idle = {.size = sizeof(weir_link_ops), .name = "gate", .free = free_link};
    weir_link *link = weir_calloc(1, sizeof(*link));
    (void)acceptor;
    (void)arrival;
    if (link)
        link->ops = &idle;
    return link;
}

static void acceptor_close(weir_acceptor *acceptor)
{
    weir_runtime_defer(weir_acceptor_runtime(acceptor), &self_of(acceptor)->closing);
}

static void acceptor_free(weir_acceptor *acceptor)
{
    gate_acceptors[self_of(acceptor)->index] = NULL;
    weir_free(acceptor);
}

static const weir_transport transport = {
    .size = sizeof(weir_transport),
    .body = WEIR_BODY_NONE,
    .configure = plain_configure,
    .context_free = weir_free,
    .format = format,
    .create = create,
    .acceptor_create = acceptor_create,
    .listen = listen_nowhere,
    .accepting = do_nothing,
    .address = address,
    .accept = accept_one,
    .acceptor_ref = do_nothing,
    .acceptor_close = acceptor_close,
    .acceptor_free = acceptor_free,
};

const weir_plugin gate_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "gate",          .version = "1.0.0", .description = "listens nowhere, for tests",
    .schema = NO_OPTIONS, .transport = &transport,
};
