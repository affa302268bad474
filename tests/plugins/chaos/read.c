/* SPDX-License-Identifier: MIT */
/* The reading way of chaos: data is held, joined, cut, and goes up some turns later. */
#include <string.h>

#include <uv.h>

#include "chaos.h"

static chaos_link *self_of(weir_link *link)
{
    return (chaos_link *)(void *)link;
}

void chaos_ask_below(chaos_link *self)
{
    int wanted = self->is_open ? weir_link_reading(&self->link) && self->held_size < CHAOS_HELD_MOST
                               : self->context->handshake && self->sent_hello && !self->got_hello;
    wanted = wanted && !self->below_ended && !self->failed && !self->fault;
    if (wanted == self->below_reads)
        return;
    self->below_reads = wanted;
    if (wanted)
        weir_down_read_start(&self->link);
    else
        weir_down_read_stop(&self->link);
}

/* What the next turn could report, as things are. */
typedef enum next { NOTHING, DATA, FAULT, END, HANGUP } next;

static next what_is_next(chaos_link *self)
{
    int reading = weir_link_reading(&self->link);
    if (self->held_size && reading)
        return DATA;
    if (self->fault && !self->held_size)
        return FAULT;
    if (self->below_ended && !self->ended && !self->held_size && reading)
        return END;
    if (self->below_hung_up && !self->hung_up && !self->ended && !reading && self->is_open)
        return HANGUP;
    return NOTHING;
}

void chaos_read_more(chaos_link *self)
{
    if (what_is_next(self) != NOTHING)
        chaos_plan(self, &self->deliver);
}

void chaos_read_start(weir_link *link)
{
    chaos_link *self = self_of(link);
    chaos_ask_below(self);
    chaos_read_more(self);
}

void chaos_read_stop(weir_link *link)
{
    chaos_link *self = self_of(link);
    chaos_ask_below(self);
    chaos_read_more(self);
}

weir_buf *chaos_on_buffer(weir_link *link, size_t suggested)
{
    chaos_link *self = self_of(link);
    (void)suggested;
    /* It was kept by somebody who should not have: leave it to them. */
    if (self->room && self->room->refs > 1) {
        weir_buf_release(self->room);
        self->room = NULL;
    }
    if (!self->room)
        self->room = weir_buf_new(CHAOS_BUFFER);
    if (self->room)
        self->room->size = self->context->cut ? 1 + chaos_roll(self, CHAOS_BUFFER - 1) : CHAOS_BUFFER;
    return self->room;
}

static int hold(chaos_link *self, const char *bytes, size_t size)
{
    if (self->held_first) {
        memmove(self->held, self->held + self->held_first, self->held_size);
        self->held_first = 0;
    }
    char *grown = weir_realloc(self->held, self->held_size + size);
    if (!grown)
        return UV_ENOMEM;
    memcpy(grown + self->held_size, bytes, size);
    self->held = grown;
    self->held_size += size;
    return 0;
}

void chaos_on_data(weir_link *link, weir_buf *buf)
{
    chaos_link *self = self_of(link);
    const char *bytes = buf->data;
    size_t size = buf->size;
    if (!self->is_open) {
        self->got_hello = 1;
        bytes++;
        size--;
        chaos_plan(self, &self->opened);
    } else if (chaos_fails(self, CHAOS_READ)) {
        chaos_break(self, self->context->fail_code, "read");
        return;
    }
    if (size && hold(self, bytes, size)) {
        chaos_break(self, UV_ENOMEM, "read");
        return;
    }
    chaos_ask_below(self);
    chaos_read_more(self);
}

void chaos_on_end(weir_link *link)
{
    chaos_link *self = self_of(link);
    self->below_ended = 1;
    chaos_ask_below(self);
    chaos_read_more(self);
}

void chaos_on_hangup(weir_link *link)
{
    chaos_link *self = self_of(link);
    self->below_hung_up = 1;
    chaos_read_more(self);
}

/* The next piece, out of the queue before it goes up: the receiver may do anything, close included. */
static weir_buf *next_piece(chaos_link *self)
{
    size_t size = self->held_size;
    if (self->context->cut && chaos_roll(self, 3))
        size = 1 + chaos_roll(self, (unsigned)size - 1);
    weir_buf *piece = weir_buf_copy(self->held + self->held_first, size);
    if (!piece)
        return NULL;
    self->held_first += size;
    self->held_size -= size;
    return piece;
}

static void deliver_data(chaos_link *self)
{
    unsigned pieces = self->context->cut ? 1 + chaos_roll(self, 3) : 1;
    while (pieces-- > 0 && self->held_size && weir_link_reading(&self->link)) {
        weir_buf *piece = next_piece(self);
        if (!piece)
            return;
        weir_up_data(&self->link, piece);
        weir_buf_release(piece);
        if (weir_link_closing(&self->link))
            return;
    }
}

void chaos_turn_read(chaos_link *self)
{
    if (!chaos_comes(self, &self->deliver))
        return;
    switch (what_is_next(self)) {
    case DATA:
        deliver_data(self);
        break;
    case FAULT:
        self->failed = 1;
        weir_up_failed(&self->link, self->fault);
        break;
    case END:
        self->ended = 1;
        weir_up_end(&self->link);
        break;
    case HANGUP:
        self->hung_up = 1;
        weir_up_hangup(&self->link);
        break;
    case NOTHING:
        break;
    }
    if (weir_link_closing(&self->link) || self->failed)
        return;
    chaos_ask_below(self);
    chaos_read_more(self);
}
