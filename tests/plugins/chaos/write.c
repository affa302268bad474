/* SPDX-License-Identifier: MIT */
/* The writing way of chaos: short and refused tries, writes in pieces, answers some turns later. */
#include <string.h>

#include <uv.h>

#include "chaos.h"

#define PARTS (sizeof(((chaos_link *)0)->part) / sizeof(((chaos_link *)0)->part[0]))

static chaos_link *self_of(weir_link *link)
{
    return (chaos_link *)(void *)link;
}

/*
 * At most PARTS buffers of what begins `offset` bytes in, and at most `most` bytes of those: into `part`; how many
 * bytes that is, and in `*count` how many buffers.
 */
static size_t cut_part(chaos_link *self, const struct iovec *bufs, size_t of, size_t offset, size_t most, size_t *count)
{
    size_t total = 0;
    *count = 0;
    for (size_t i = 0; i < of && *count < PARTS && total < most; i++) {
        if (offset >= bufs[i].iov_len) {
            offset -= bufs[i].iov_len;
            continue;
        }
        size_t length = bufs[i].iov_len - offset;
        if (length > most - total)
            length = most - total;
        self->part[*count] = (struct iovec){.iov_base = (char *)bufs[i].iov_base + offset, .iov_len = length};
        ++*count;
        total += length;
        offset = 0;
    }
    return total;
}

static size_t size_of(const struct iovec *bufs, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += bufs[i].iov_len;
    return size;
}

/* A number of bytes to cut from `size`: seldom all, often few. */
static size_t cut_size(chaos_link *self, size_t size)
{
    if (!self->context->cut || !chaos_roll(self, 3) || size > UINT32_MAX)
        return size;
    unsigned most = chaos_roll(self, 1) ? (unsigned)size : 16;
    size_t cut = 1 + chaos_roll(self, most - 1);
    return cut < size ? cut : size;
}

ssize_t chaos_try_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    chaos_link *self = self_of(link);
    size_t size = size_of(bufs, count);
    size_t parts;
    if (chaos_roll(self, 99) < self->context->again)
        return UV_EAGAIN;
    if (!self->latched && chaos_fails(self, CHAOS_WRITE))
        self->latched = self->context->fail_code;
    if (self->latched)
        return self->latched;
    cut_part(self, bufs, count, 0, cut_size(self, size), &parts);
    return parts ? weir_down_try_write(link, self->part, parts) : UV_EAGAIN;
}

int chaos_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    chaos_link *self = self_of(link);
    /* Both are allowed: an error from the call, and one from its completion. */
    if (self->latched && chaos_roll(self, 1))
        return self->latched;
    self->writing = 1;
    self->bufs = bufs;
    self->count = count;
    self->written = 0;
    self->size = size_of(bufs, count);
    self->status = self->latched;
    if (!self->latched && chaos_fails(self, CHAOS_WRITE))
        self->status = self->context->fail_code;
    chaos_plan(self, &self->send);
    return 0;
}

static void answer(chaos_link *self, int status)
{
    self->status = status;
    chaos_plan(self, &self->answer);
}

static void send_some(chaos_link *self)
{
    size_t parts;
    size_t rest = self->size - self->written;
    if (self->status || !rest) {
        answer(self, self->status);
        return;
    }
    size_t size = cut_part(self, self->bufs, self->count, self->written, cut_size(self, rest), &parts);
    int status = weir_down_write(&self->link, self->part, parts);
    if (status)
        answer(self, status);
    else
        self->below = size;
}

void chaos_on_written(weir_link *link, int status)
{
    chaos_link *self = self_of(link);
    size_t size = self->below;
    self->below = 0;
    if (!self->is_open && !self->closing) {
        self->sent_hello = 1;
        if (status)
            chaos_break(self, status, "open");
        else
            chaos_ask_below(self);
        return;
    }
    if (self->closing) {
        weir_runtime_defer(self->runtime, &self->turn);
        return;
    }
    self->written += size;
    if (status)
        answer(self, status);
    else
        chaos_plan(self, &self->send);
}

int chaos_shutdown(weir_link *link)
{
    chaos_link *self = self_of(link);
    chaos_plan(self, &self->shut);
    return 0;
}

void chaos_on_shut(weir_link *link, int status)
{
    chaos_link *self = self_of(link);
    self->shut_status = status;
    chaos_plan(self, &self->shut_answer);
}

static void shut_now(chaos_link *self)
{
    int status = chaos_fails(self, CHAOS_SHUTDOWN) ? self->context->fail_code : weir_down_shutdown(&self->link);
    if (status)
        chaos_on_shut(&self->link, status);
}

void chaos_turn_write(chaos_link *self)
{
    if (chaos_comes(self, &self->send))
        send_some(self);
    if (chaos_comes(self, &self->answer)) {
        self->writing = 0;
        self->latched = self->status;
        weir_up_written(&self->link, self->status);
    }
    if (!weir_link_closing(&self->link) && chaos_comes(self, &self->shut))
        shut_now(self);
    if (!weir_link_closing(&self->link) && chaos_comes(self, &self->shut_answer))
        weir_up_shut(&self->link, self->shut_status);
}
