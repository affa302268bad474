/* SPDX-License-Identifier: MIT */
/*
 * Reading into memory of the application's own: blocks that are taken away as soon as they are not lent any more, so that
 * whoever touches one later is seen by the address sanitizer.
 */
#include <stdlib.h>
#include <string.h>

#include "soak.h"

#define BLOCK_MOST 70000

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
