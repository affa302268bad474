/* SPDX-License-Identifier: MIT */
/* The life of a TLS link: made, broken, closed, freed; and the layer's table. */
#include "layer.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "watch.h"

static tls_link *of(weir_link *link)
{
    return (tls_link *)(void *)link;
}

int weir__tls_gone(const tls_link *self)
{
    return self->closing || self->state == TLS_BROKEN || weir_link_failed(&self->link);
}

weir_tls_context *weir__tls_serving(const tls_link *self)
{
    return self->chosen ? self->chosen : self->holder;
}

/* ---- what comes later ---- */

/* What was encrypted is copied: whatever the link below still does, the write above can be answered. */
static void finish_closing(tls_link *self)
{
    if (self->writing) {
        self->writing = 0;
        weir_up_written(&self->link, UV_ECANCELED);
    }
    weir_up_closed(&self->link);
}

/* Asked for by an open link, and taken back when it fails or closes. */
static void go_on(tls_link *self)
{
    weir__tls_write_turn(self);
    if (!weir__tls_gone(self))
        weir__tls_read_turn(self);
}

static void run_later(weir_task *task)
{
    tls_link *self = (tls_link *)(void *)((char *)task - offsetof(tls_link, later));

    if (self->closing)
        finish_closing(self);
    else
        go_on(self);
}

static void run_turn(weir_task *task)
{
    tls_link *self = (tls_link *)(void *)((char *)task - offsetof(tls_link, turn));

    if (self->state == TLS_UNSENT)
        weir__tls_open_turn(self);
    else
        go_on(self);
}

/* ---- the end ---- */

/*
 * Protocol faults have a code of their own, in letters, where the layer's name ends in the message: "tls: CERT_HAS_EXPIRED:
 * the certificate ...". Others have that of the error.
 */
void weir__tls_name_failure(tls_link *self, const weir_error *error)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *word = error->message;
    size_t length = strlen(weir__tls_name);

    if (strncmp(word, weir__tls_name, length) == 0 && strncmp(word + length, ": ", 2) == 0)
        word += length + 2;
    length = strspn(word, letters);
    if (length < 4 || word[length] != ':' || length >= sizeof(self->failure)) {
        word = error->name;
        length = strlen(word);
    }
    snprintf(self->failure, sizeof(self->failure), "%.*s", (int)length, word);
}

void weir__tls_fail(tls_link *self, weir_error *error)
{
    if (!weir__tls_gone(self)) {
        weir__tls_name_failure(self, error);
        self->state = TLS_BROKEN;
        weir_runtime_cancel(self->runtime, &self->turn);
        weir_runtime_cancel(self->runtime, &self->later);
        weir_down_read_stop(&self->link);
        weir__tls_send(self);
        weir_up_failed(&self->link, error);
    }
    weir_error_release(error);
}

static void on_failed(weir_link *link, const weir_error *error)
{
    tls_link *self = of(link);

    if (weir__tls_gone(self))
        return;
    weir__tls_latch(self, error->code);
    if (self->state != TLS_OPEN) {
        weir__tls_open_failed(self, error);
        return;
    }
    if (!self->below_error)
        self->below_error = weir_error_retain(error);
    weir_runtime_defer(self->runtime, &self->later);
}

/* A session that may be the reason is not tried again: some servers just end the connection over one they cannot use. */
static void count_failure(const tls_link *self)
{
    weir__tls_serving(self)->counters.handshakes_failed++;
    if (self->kept_name)
        weir__tls_sessions_drop(&self->holder->instance->sessions, self->kept_name);
}

static void close_link(weir_link *link, weir_close_mode mode)
{
    tls_link *self = of(link);

    (void)mode;
    if (self->began && !self->was_open)
        count_failure(self);
    self->closing = 1;
    weir_runtime_cancel(self->runtime, &self->turn);
    weir_runtime_cancel(self->runtime, &self->later);
    weir_runtime_defer(self->runtime, &self->later);
}

static void held(const weir_link *link, size_t *to_write, size_t *to_read)
{
    const tls_link *self = (const tls_link *)(const void *)link;

    *to_write = self->held;
    *to_read = self->session && self->state == TLS_OPEN ? weir__tls_engine.pending(self->session) : 0;
}

static void free_link(weir_link *link)
{
    tls_link *self = of(link);

    weir_runtime_cancel(self->runtime, &self->turn);
    weir_runtime_cancel(self->runtime, &self->later);
    weir__tls_engine.session_free(self->session);
    weir__tls_in_clear(&self->in);
    weir__tls_out_drop(&self->out, &self->holder->instance->pool, self->out.size);
    weir_error_release(self->below_error);
    weir__tls_given_free(self->given);
    weir__tls_given_free(self->fresh);
    weir__tls_free_secret(self->offered, self->offered_size);
    weir__tls_free_secret(self->keylog, self->keylog_size);
    weir_free(self->name);
    weir_free(self->kept_name);
    weir__tls_context_release(self->context);
    weir__tls_holder_release(self->chosen);
    weir__tls_holder_release(self->holder);
    weir_free(self);
}

/* ---- tables ---- */

static const weir_link_ops ops = {
    .size = sizeof(weir_link_ops),
    .name = weir__tls_name,
    .open = weir__tls_open,
    .read_start = weir__tls_read_start,
    .read_stop = weir__tls_read_stop,
    .try_write = weir__tls_try_write,
    .write = weir__tls_write,
    .shutdown = weir__tls_shutdown,
    .close = close_link,
    .get = weir__tls_get,
    .held = held,
    .free = free_link,
    .on_buffer = weir__tls_on_buffer,
    .on_data = weir__tls_on_data,
    .on_end = weir__tls_on_end,
    .on_written = weir__tls_on_written,
    .on_failed = on_failed,
};

static weir_link *create(void *context, weir_runtime *runtime, weir_role role)
{
    tls_link *self = weir_calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->link.ops = &ops;
    self->runtime = runtime;
    self->holder = weir__tls_holder_retain(context);
    self->role = role;
    self->later.run = run_later;
    self->turn.run = run_turn;
    weir__tls_watch_start(self->holder);
    return &self->link;
}

const weir_layer weir__tls_layer = {
    .size = sizeof(weir_layer),
    .configure = weir__tls_configure,
    .context_free = weir__tls_context_free,
    .create = create,
};
