/* SPDX-License-Identifier: MIT */
/*
 * What a stream of the soak reads, in every way there is: by 'data', by 'readable' and read(), as text, and into memory of
 * its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "soak.h"

#define BLOCK_MOST 70000

/* ---- what came ---- */

static void take_text(actor *self, const void *letters, size_t size)
{
    size_t taken;
    if (self->reader.lost)
        return;
    char *bytes = malloc(size + 1);
    if (!bytes)
        abort();
    if (decoder_take(&self->decoder, letters, size, bytes, &taken))
        soak_breach(self->world, self, "this is no %s", text_name(self->decoder.kind));
    const char *fault = reader_take(&self->reader, bytes, taken);
    free(bytes);
    if (fault)
        soak_breach(self->world, self, "%s", fault);
}

void actor_take(actor *self, const void *bytes, size_t size)
{
    atomic_fetch_add(&soak_total.bytes, size);
    if (self->decoder.kind) {
        take_text(self, bytes, size);
        return;
    }
    const char *fault = reader_take(&self->reader, bytes, size);
    if (fault)
        soak_breach(self->world, self, "%s", fault);
}

void actor_take_block(actor *self, const void *bytes, size_t size)
{
    char word[40];
    soak_acting = self;
    snprintf(word, sizeof(word), "data:%zu", size);
    actor_judge(self, word);
    actor_take(self, bytes, size);
    actor_after_event(self);
}

static void on_data(const weir_event *event, void *arg)
{
    actor *self = arg;
    self->data_events++;
    if (!event->buffer->size || self->onread)
        soak_breach(self->world, self, "'data' has bytes, and comes to listeners");
    actor_take_block(self, event->buffer->data, event->buffer->size);
}

/* What read() gives is heard by 'data' listeners too: it counts once. */
static int read_some(actor *self, size_t size)
{
    unsigned before = self->data_events;
    weir_buf *buf;
    ASK(self->world, buf, weir_stream_read(self->stream, size));
    actor_note(self, "[read %zu=%zu]", size, buf ? buf->size : 0);
    if (!buf)
        return 0;
    if (self->data_events == before)
        actor_take(self, buf->data, buf->size);
    weir_buf_release(buf);
    return 1;
}

static void on_readable(const weir_event *event, void *arg)
{
    actor *self = arg;
    soak_acting = self;
    actor_judge(self, "readable");
    actor_check_event(self, event, "readable");
    size_t size = dice_percent(&self->dice, 60) ? 0 : 1 + dice_below(&self->dice, 5000);
    int rounds = 20;
    while (self->stream && !weir_stream_destroyed(self->stream) && rounds-- && read_some(self, size)) {
    }
    if (size && self->stream && !weir_stream_destroyed(self->stream))
        read_some(self, 0); /* less than was asked for may be all that comes */
    actor_after_event(self);
}

void actor_set_mode(actor *self, unsigned mode)
{
    if (self->onread)
        return; /* it hears nothing, and its memory gets all */
    unsigned gone = self->mode & ~mode;
    unsigned fresh = mode & ~self->mode;
    if (gone)
        self->reader.lost = 1; /* what flows while nobody listens */
    self->mode = mode;
    actor_note(self, "[listen %u]", mode);
    if (gone & READ_DATA)
        actor_listen(self, WEIR_EVENT_DATA, on_data, 0);
    if (gone & READ_READABLE)
        actor_listen(self, WEIR_EVENT_READABLE, on_readable, 0);
    if (fresh & READ_READABLE)
        actor_listen(self, WEIR_EVENT_READABLE, on_readable, 1);
    if (fresh & READ_DATA)
        actor_listen(self, WEIR_EVENT_DATA, on_data, 1);
}

/* ---- text ---- */

/* Some get text. It is theirs in all their lives, and layers cannot be added to it. */
void actor_choose_encoding(actor *self, int upgrades)
{
    int status;
    if (self->onread || upgrades || !dice_percent(&self->dice, 12))
        return;
    self->decoder.kind = (text_kind)(1 + dice_below(&self->dice, TEXT_KINDS - 1));
    ASK(self->world, status, weir_stream_set_encoding(self->stream, text_name(self->decoder.kind)));
    actor_note(self, "[%s=%d]", text_name(self->decoder.kind), status);
    if (status)
        soak_breach(self->world, self, "an encoding: %s", weir_error_name(status));
}

/*
 * ---- memory ----
 *
 * Blocks are taken away as soon as they are not lent any more, so that whoever touches one later is seen by the address
 * sanitizer.
 */

static actor *find(const soak_world *world, const weir_stream *stream)
{
    for (size_t i = 0; i < world->actor_count; i++) {
        if (world->actors[i]->stream == stream)
            return world->actors[i];
    }
    soak_breach(world, NULL, "a stream that nobody knows reads into memory");
    return NULL;
}

void memory_take_back(actor *self)
{
    free(self->block);
    self->block = NULL;
}

/* Another block each time, of another size; now and then there is none. */
static void *on_block(weir_stream *stream, size_t *size, void *arg)
{
    soak_world *world = arg;
    actor *self = find(world, stream);
    memory_take_back(self);
    if (weir_stream_destroyed(stream))
        soak_breach(world, self, "a stream that is destroyed asks for no memory");
    *size = dice_percent(&self->dice, 30) ? 1 + dice_below(&self->dice, 100) : 1 + dice_below(&self->dice, BLOCK_MOST);
    if (!self->polite && dice_below(&self->dice, 2000) == 0) {
        actor_note(self, "[no block]");
        return NULL;
    }
    self->block = malloc(*size);
    self->block_size = *size;
    if (!self->block)
        abort();
    return self->block;
}

static weir_onread_result on_read(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    soak_world *world = arg;
    actor *self = find(world, stream);
    if (!count || buffer != self->block || count > self->block_size)
        soak_breach(world, self, "%zu bytes were read into memory that was not lent", count);
    actor_take_block(self, buffer, count);
    if (buffer == self->block)
        memory_take_back(self);
    return dice_percent(&self->dice, 15) ? WEIR_ONREAD_PAUSE : WEIR_ONREAD_CONTINUE;
}

void memory_options(soak_world *world, weir_onread *onread)
{
    *onread = (weir_onread){.block = on_block, .callback = on_read, .arg = world};
}
