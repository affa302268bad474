/* SPDX-License-Identifier: MIT */
/*
 * The reading way: ciphertext is taken as it comes and decoded straight into the memory of the link above, only while
 * that one wants data. While it does not, nothing is read below; what is here already waits, bounded, and comes by itself
 * after the next read_start.
 */
#include <string.h>

#include <uv.h>

#include "layer.h"

#define REPORT_COST ((size_t)1024) /* of the turn's bytes, at least: into small memory there are many reports */

static tls_link *of(weir_link *link)
{
    return (tls_link *)(void *)link;
}

/* What the engine itself has to say (to a peer that asks and asks) has a bound like everything else. */
static int is_choked(const tls_link *self)
{
    return self->out.size >= 2 * TLS_OUT_MARK;
}

static int may_decode(const tls_link *self)
{
    return self->state == TLS_OPEN && !self->closing && weir_link_reading(&self->link) && !self->notified &&
           !self->dry && !is_choked(self);
}

static int wants_below(const tls_link *self)
{
    if (self->closing || self->end_below || self->below_error)
        return 0;
    if (self->state == TLS_HELLO || self->state == TLS_HANDSHAKE || self->state == TLS_UNSENT)
        return 1;
    if (self->state != TLS_OPEN)
        return 0;
    /* Behind the peer's close_notify nothing counts, but what lies unread in the kernel turns our close into a reset. */
    if (self->ended)
        return 1;
    return weir_link_reading(&self->link) && self->dry && !self->notified && !is_choked(self);
}

void weir__tls_ask_below(tls_link *self)
{
    if (wants_below(self))
        weir_down_read_start(&self->link);
    else
        weir_down_read_stop(&self->link);
}

/* ---- decoding ---- */

/* As much as there is and fits. */
static tls_result fill(tls_link *self, weir_buf *buf, size_t *done, weir_error **error)
{
    tls_result result = TLS_DONE;

    *done = 0;
    while (result == TLS_DONE && *done < buf->size && *done < TLS_TURN_BYTES / 4 && !is_choked(self)) {
        size_t part = 0;

        result = weir__tls_engine.read(self->session, buf->data + *done, buf->size - *done, &part, error);
        if (result == TLS_DONE)
            *done += part;
    }
    return result;
}

/* One report of data. What else the engine said is told behind it. 1: there may be more. */
static int deliver(tls_link *self, size_t *budget)
{
    weir_buf *buf = weir_up_buffer(&self->link, TLS_RECORD_MOST);
    weir_error *error = NULL;
    tls_result result;
    size_t done;
    size_t cost;

    if (!buf) {
        weir_runtime_next_turn(self->runtime, &self->turn);
        return 0;
    }
    result = fill(self, buf, &done, &error);
    self->dry = result == TLS_WANT_READ;
    self->notified |= result == TLS_CLOSED;
    cost = done > REPORT_COST ? done : REPORT_COST;
    *budget -= cost < *budget ? cost : *budget;
    if (done) {
        buf->size = done;
        weir_up_data(&self->link, buf);
    }
    if (result == TLS_FAILED) {
        weir__tls_fail(self, error);
        return 0;
    }
    weir__tls_tell(self);
    if (weir__tls_gone(self))
        return 0;
    weir__tls_send(self);
    return 1;
}

/* All that came has been reported, though perhaps nobody has asked the engine since. */
static int is_drained(const tls_link *self)
{
    return self->dry || (self->in.left == 0 && weir__tls_engine.pending(self->session) == 0);
}

static void report_truncation(tls_link *self)
{
    weir__tls_fail(self, weir_error_newf(WEIR_ETLSTRUNCATED, "read", NULL, -1,
                                         "%s: %s: the peer ended the connection without close_notify: what it sent "
                                         "may have been cut short",
                                         weir__tls_name, weir_error_name(WEIR_ETLSTRUNCATED)));
}

/* Nothing more will come: how it came to that. A failure below needs no reader, an end does. */
static void report_end(tls_link *self)
{
    int fails = self->below_error && (self->ended || (!self->notified && is_drained(self)));

    if (fails) {
        weir__tls_fail(self, weir_error_retain(self->below_error));
        return;
    }
    if (self->ended || !weir_link_reading(&self->link) || !(self->notified || (self->dry && self->end_below)))
        return;
    if (!self->notified && !self->context->settings->allow_truncation) {
        report_truncation(self);
        return;
    }
    self->ended = 1;
    weir__tls_in_clear(&self->in);
    weir_up_end(&self->link);
    if (self->below_error && !weir__tls_gone(self))      /* which waited for that */
        weir_runtime_defer(self->runtime, &self->later); /* COVERAGE: no link of ours fails while nobody reads */
}

void weir__tls_read_turn(tls_link *self)
{
    size_t budget = TLS_TURN_BYTES;

    if (self->pumping)
        return;
    self->pumping = 1;
    while (budget > 0 && may_decode(self) && deliver(self, &budget))
        ;
    self->pumping = 0;
    if (weir__tls_gone(self))
        return;
    report_end(self);
    if (weir__tls_gone(self))
        return;
    if (budget == 0 && may_decode(self))
        weir_runtime_next_turn(self->runtime, &self->turn);
    weir__tls_ask_below(self);
}

/* ---- operations ---- */

void weir__tls_read_start(weir_link *link)
{
    tls_link *self = of(link);

    if (self->dry && !self->end_below && !self->below_error)
        weir__tls_ask_below(self);
    else
        weir_runtime_defer(self->runtime, &self->later);
}

void weir__tls_read_stop(weir_link *link)
{
    tls_link *self = of(link);

    if (self->state == TLS_OPEN)
        weir__tls_ask_below(self);
}

/* ---- reports from below ---- */

weir_buf *weir__tls_on_buffer(weir_link *link, size_t suggested)
{
    (void)suggested;
    return weir__tls_pool_room(&of(link)->holder->instance->pool);
}

static weir_error *no_memory(void)
{
    return weir_error_new(UV_ENOMEM, "read", NULL, -1);
}

void weir__tls_on_data(weir_link *link, weir_buf *buf)
{
    tls_link *self = of(link);

    if (weir__tls_gone(self) || self->ended)
        return;
    if (weir__tls_in_add(&self->in, buf)) {
        weir__tls_fail(self, no_memory());
        return;
    }
    self->dry = 0;
    if (self->state == TLS_OPEN)
        weir__tls_read_turn(self);
    else
        weir__tls_open_data(self);
    weir__tls_in_settle(&self->in);
}

void weir__tls_on_end(weir_link *link)
{
    tls_link *self = of(link);

    self->end_below = 1;
    if (weir__tls_gone(self))
        return;
    if (self->state != TLS_OPEN)
        weir__tls_open_ended(self);
    else if (!self->ended)
        weir__tls_read_turn(self);
}
