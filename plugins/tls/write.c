/* SPDX-License-Identifier: MIT */
/*
 * The writing way: plaintext is encrypted into the queue until that has reached its mark, the queue goes below as that
 * takes it, and so on. The engine is never refused room, so it never has to be asked twice for the same bytes.
 */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "layer.h"

static tls_link *of(weir_link *link)
{
    return (tls_link *)(void *)link;
}

int weir__tls_sent_all(const tls_link *self)
{
    return self->out.size == 0 && self->below == 0;
}

/* ---- the queue ---- */

static void drop(tls_link *self, size_t size)
{
    weir__tls_out_drop(&self->out, &self->holder->instance->pool, size);
    self->held -= size < self->held ? size : self->held;
}

/* What the link below is writing stays in place until it says so. */
void weir__tls_latch(tls_link *self, int status)
{
    if (self->write_error == 0)
        self->write_error = status;
    if (!*self->failure)
        snprintf(self->failure, sizeof(self->failure), "%s", weir_error_name(status));
    if (self->below == 0)
        drop(self, self->out.size);
}

void weir__tls_send(tls_link *self)
{
    size_t size;
    size_t count;
    ssize_t taken;
    int status;

    if (self->shut_below && self->below == 0)
        drop(self, self->out.size); /* an alert, an answer to a key update: too late */
    while (self->out.size > 0 && self->below == 0 && !self->write_error && !self->closing) {
        count = weir__tls_out_parts(&self->out, &size);
        taken = weir_down_try_write(&self->link, self->out.parts, count);
        if (taken > 0)
            drop(self, (size_t)taken);
        if (taken == (ssize_t)size)
            continue;
        count = weir__tls_out_parts(&self->out, &size);
        self->below = size;
        status = weir_down_write(&self->link, self->out.parts, count);
        if (status) {
            self->below = 0;
            weir__tls_latch(self, status);
        }
    }
}

/* ---- encrypting ---- */

/* The engine cannot go on: its error, which is released, as a code. */
static int latch_engine(tls_link *self, weir_error *error)
{
    int status = error ? error->code : UV_EPROTO;

    if (error)
        weir__tls_name_failure(self, error);
    weir_error_release(error);
    weir__tls_latch(self, status);
    return status;
}

/*
 * Fills the queue up to its mark: how many bytes of plaintext went in. An engine that fails is latched. `scratch` (may be
 * NULL) is where small buffers are put together; its `to` is how much of it has been plaintext.
 */
static size_t encrypt(tls_link *self, tls_cursor *cursor, tls_chunk *scratch)
{
    unsigned char *room = scratch ? scratch->bytes : NULL;
    const void *data;
    size_t taken = 0;
    size_t size;

    while (self->out.size < TLS_OUT_MARK && !self->write_error &&
           (size = weir__tls_cursor_next(cursor, room, &data)) > 0) {
        weir_error *error = NULL;
        size_t done = 0;

        if (scratch && data == room && scratch->to < size)
            scratch->to = size;
        if (weir__tls_engine.write(self->session, data, size, &done, &error) != TLS_DONE)
            latch_engine(self, error);
        taken += done;
    }
    return taken;
}

/* Several rounds of filling the queue and emptying it, as long as the link below takes all: how many bytes of plaintext. */
static size_t work(tls_link *self, tls_cursor *cursor)
{
    tls_pool *pool = &self->holder->instance->pool;
    tls_chunk *scratch = cursor->count > 1 ? weir__tls_pool_take(pool) : NULL;
    size_t taken = 0;
    int rounds = TLS_TURN_ROUNDS;

    do {
        taken += encrypt(self, cursor, scratch);
        weir__tls_send(self);
    } while (--rounds > 0 && cursor->count > 0 && weir__tls_sent_all(self) && !self->write_error);
    if (scratch) {
        weir__tls_wipe(scratch->bytes, scratch->to);
        weir__tls_pool_give(pool, scratch);
    }
    return taken;
}

/* ---- operations ---- */

static size_t size_of(const struct iovec *bufs, size_t count)
{
    size_t size = 0;
    size_t i;

    for (i = 0; i < count; i++)
        size += bufs[i].iov_len;
    return size;
}

/* What was encrypted by a try, and not called taken, has gone out already, or will. Returns how much of the write that is. */
static size_t skip_ahead(tls_link *self, tls_cursor *cursor)
{
    size_t skipped = weir__tls_cursor_skip(cursor, self->ahead);

    self->ahead -= skipped;
    return skipped;
}

/*
 * A write is only said to be done when the link below has taken all of it: as long as something of it is here, its last
 * byte counts as not taken, though it is on its way too. The core offers it again, and it is passed over. (A write of one
 * byte cannot be shortened by one.)
 */
ssize_t weir__tls_try_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    tls_link *self = of(link);
    size_t size = size_of(bufs, count);
    tls_cursor cursor;
    size_t taken;

    if (self->write_error)
        return self->write_error;
    if (self->writing || !weir__tls_sent_all(self) || size < 2)
        return UV_EAGAIN;
    weir__tls_cursor_set(&cursor, bufs, count);
    taken = skip_ahead(self, &cursor);
    taken += work(self, &cursor);
    if (self->write_error) /* what was encrypted is lost with it */
        return self->write_error;
    self->held = self->out.size;
    if (taken == size && !weir__tls_sent_all(self)) {
        self->ahead = 1;
        taken--;
    }
    return (ssize_t)taken;
}

/* 1: nothing more is to be done for the write but to say so. */
static int is_written(const tls_link *self)
{
    return self->write_error || (self->cursor.count == 0 && weir__tls_sent_all(self));
}

/* Goes on with the write above. What has to wait for a turn of its own waits. */
static void advance(tls_link *self)
{
    work(self, &self->cursor);
    if (!is_written(self) && self->below == 0)
        weir_runtime_next_turn(self->runtime, &self->turn);
}

int weir__tls_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    tls_link *self = of(link);

    if (self->write_error)
        return self->write_error;
    self->writing = 1;
    weir__tls_cursor_set(&self->cursor, bufs, count);
    skip_ahead(self, &self->cursor);
    advance(self);
    if (is_written(self))
        weir_runtime_defer(self->runtime, &self->later);
    return 0;
}

static void report_written(tls_link *self)
{
    int status = self->write_error;

    self->writing = 0;
    weir_up_written(&self->link, status);
}

void weir__tls_write_turn(tls_link *self)
{
    if (!self->writing)
        return;
    if (!is_written(self) && self->below == 0)
        advance(self);
    if (is_written(self))
        report_written(self);
}

/* ---- the end of writing ---- */

int weir__tls_shutdown(weir_link *link)
{
    tls_link *self = of(link);
    weir_error *error = NULL;
    int status;

    if (self->write_error)
        return self->write_error;
    if (weir__tls_engine.close_notify(self->session, &error) != TLS_DONE)
        return latch_engine(self, error);
    weir__tls_send(self);
    if (self->write_error)
        return self->write_error;
    if (!weir__tls_sent_all(self)) {
        self->shutting = 1;
        return 0;
    }
    status = weir_down_shutdown(link);
    self->shut_below = status == 0;
    return status;
}

static void shut_now(tls_link *self)
{
    int status = self->write_error;

    self->shutting = 0;
    if (!status)
        status = weir_down_shutdown(&self->link);
    self->shut_below = status == 0;
    if (status)
        weir_up_shut(&self->link, status);
}

/* ---- the report from below ---- */

static void went_on(tls_link *self)
{
    weir__tls_write_turn(self);
    if (weir__tls_gone(self))
        return;
    if (!self->writing)
        weir__tls_send(self);
    if (self->shutting && (self->write_error || weir__tls_sent_all(self)))
        shut_now(self);
    if (!weir__tls_gone(self))
        weir_up_activity(&self->link);
    if (weir__tls_gone(self))
        return;
    /* What the engine has to say may have kept it from reading: here, or below. */
    if (self->dry)
        weir__tls_ask_below(self);
    else
        weir__tls_read_turn(self);
}

void weir__tls_on_written(weir_link *link, int status)
{
    tls_link *self = of(link);
    size_t size = self->below;

    self->below = 0;
    drop(self, size);
    if (status)
        weir__tls_latch(self, status);
    if (weir__tls_gone(self))
        return;
    if (self->state == TLS_OPEN)
        went_on(self);
    else
        weir__tls_open_written(self);
}
