/* SPDX-License-Identifier: MIT */
/* What is done to a stream: a table of everything that may be called, and how often it is. */
#include <stdio.h>
#include <string.h>

#include "soak.h"

#define QUEUE_MOST ((size_t)512 * 1024) /* more than this in its queue, and an actor writes no more */

typedef struct action {
    void (*run)(actor *self);
    unsigned polite; /* how often, for those that lose no bytes */
    unsigned wild;
} action;

/* ---- writing ---- */

static size_t some_size(soak_dice *dice)
{
    unsigned roll = dice_below(dice, 100);
    if (roll < 3)
        return 0;
    if (roll < 50)
        return 1 + dice_below(dice, 100);
    if (roll < 80)
        return 1 + dice_below(dice, 5000);
    if (roll < 98)
        return 1 + dice_below(dice, 70000);
    return 1 + dice_below(dice, (uint32_t)SCRATCH_SIZE);
}

static void act_write(actor *self)
{
    /* What a pipe writes for is left alone, or nobody could tell what arrives; so is an end that has been called. */
    int sane = !self->passes && !weir_stream_writable_ended(self->stream);
    if ((!sane && (self->polite || !dice_percent(&self->dice, 5))) ||
        weir_stream_writable_length(self->stream) > QUEUE_MOST)
        return;
    for (unsigned times = dice_percent(&self->dice, 20) ? 5 : 1; times; times--)
        actor_write(self, some_size(&self->dice), dice_below(&self->dice, 4));
}

static void act_write_fds(actor *self)
{
    if (!self->passes && weir_stream_writable_length(self->stream) <= QUEUE_MOST)
        actor_write_fds(self, 1 + some_size(&self->dice));
}

static void act_cork(actor *self)
{
    CALL(self->world, weir_stream_cork(self->stream));
    self->corks++;
    actor_note(self, "[cork]");
    act_write(self);
}

static void act_uncork(actor *self)
{
    CALL(self->world, weir_stream_uncork(self->stream));
    actor_note(self, "[uncork]");
    self->corks -= self->corks > 0;
}

static void act_end(actor *self)
{
    if (self->passes && self->polite)
        return;
    if (weir_stream_writable_ended(self->stream) && dice_percent(&self->dice, 90))
        return;
    actor_end(self, dice_percent(&self->dice, 30) ? some_size(&self->dice) : 0);
}

/* ---- reading ---- */

static void act_pause(actor *self)
{
    CALL(self->world, weir_stream_pause(self->stream));
    actor_note(self, "[pause]");
}

static void act_resume(actor *self)
{
    if (!self->mode && !self->passes && self->polite)
        actor_set_mode(self, READ_DATA);
    if ((!self->mode && !self->onread) || self->upgrade)
        self->reader.lost = 1; /* nobody listens to what flows, or it is of layers that never came */
    CALL(self->world, weir_stream_resume(self->stream));
    actor_note(self, "[resume]");
}

static void act_mode(actor *self)
{
    unsigned mode = dice_below(&self->dice, 4);
    actor_set_mode(self, self->polite ? self->mode | mode : mode);
}

static void act_read(actor *self)
{
    weir_buf *buf;
    unsigned before = self->data_events;
    size_t size = dice_percent(&self->dice, 50) ? 0 : some_size(&self->dice);
    ASK(self->world, buf, weir_stream_read(self->stream, size));
    actor_note(self, "[read %zu=%zu]", size, buf ? buf->size : 0);
    if (buf && self->data_events == before)
        actor_take(self, buf->data, buf->size);
    weir_buf_release(buf);
}

static void act_refill(actor *self)
{
    CALL(self->world, weir_stream_refill(self->stream));
    actor_note(self, "[refill]");
}

static void act_unshift(actor *self)
{
    char bytes[300];
    size_t most = reader_may_return(&self->reader);
    if (!most || self->piped || self->decoder.kind || self->reader.ended || !self->live ||
        weir_stream_destroyed(self->stream))
        return;
    size_t size = 1 + dice_below(&self->dice, most < sizeof(bytes) ? (uint32_t)most : (uint32_t)sizeof(bytes));
    int status;
    reader_return(&self->reader, bytes, size);
    ASK(self->world, status, weir_stream_unshift(self->stream, bytes, size));
    actor_note(self, "[unshift %zu=%d]", size, status);
    if (status)
        soak_breach(self->world, self, "unshift: %s", weir_error_name(status));
}

/* ---- pipes ---- */

static void act_pipe(actor *self)
{
    soak_world *world = self->world;
    actor *to = self;
    if (dice_percent(&self->dice, 70))
        to = world->actors[dice_below(&self->dice, (uint32_t)world->actor_count)];
    if (to->stream && to->live && self->live && !to->polite && !to->upgrade && actor_is_source(self))
        actor_pipe(self, to);
}

static void act_unpipe(actor *self)
{
    actors_cut_all(self->world);
    CALL(self->world, weir_stream_unpipe(self->stream, NULL));
    actor_note(self, "[unpipe]");
}

/* ---- the end ---- */

static void act_reset(actor *self)
{
    int ended = weir_stream_writable_ended(self->stream);
    int destroyed = weir_stream_destroyed(self->stream);
    int open = weir_stream_ready_state(self->stream) != WEIR_READY_OPENING;
    int status;
    ASK(self->world, status, weir_stream_reset_and_destroy(self->stream));
    actor_note(self, "[reset=%d]", status);
    if (status == 0 && self->live && !ended && !destroyed && open)
        self->flow->reset = 1;
}

static void act_destroy(actor *self)
{
    CALL(self->world, weir_stream_destroy(self->stream, NULL));
    actor_note(self, "[destroy]");
}

static void act_destroy_with_error(actor *self)
{
    weir_error *error = weir_error_new(UV_ECANCELED, "soak", NULL, -1);
    CALL(self->world, weir_stream_destroy(self->stream, error));
    weir_error_release(error);
    actor_note(self, "[destroy ECANCELED]");
}

static void act_destroy_soon(actor *self)
{
    actor_cuts(self);
    CALL(self->world, weir_stream_destroy_soon(self->stream));
    actor_note(self, "[destroy_soon]");
}

static void act_connect(actor *self)
{
    route to;
    soak_world *world = self->world;
    int status;
    if (!self->live) {
        if (self->lives && !world->resting)
            actor_connect_again(self);
        return;
    }
    site_route(world->sites[dice_below(&self->dice, SITES)], &self->dice, &to);
    ASK(world, status, weir_stream_connect(self->stream, to.endpoint, NULL, NULL));
    actor_note(self, "[connect=%s]", weir_error_name(status));
    if (status != UV_EISCONN && status != UV_EALREADY && status != WEIR_ESTREAM_DESTROYED)
        soak_breach(world, self, "a connect of a stream that lives: %d", status);
}

/* ---- layers ---- */

#define LAYERS_MOST 3

/* One that changes no byte, so that the other end needs none. */
static void act_add_layer(actor *self)
{
    if (self->layers < LAYERS_MOST)
        actor_add_layers(self, NEED_NOTHING);
}

/* ---- settings and facts ---- */

static void act_timeout(actor *self)
{
    int status;
    uint64_t time = dice_percent(&self->dice, 30) ? 0 : 1 + dice_below(&self->dice, 60);
    ASK(self->world, status, weir_stream_set_timeout(self->stream, time, NULL, NULL));
    actor_note(self, "[timeout %u=%d]", (unsigned)time, status);
}

static void act_settings(actor *self)
{
    weir_stream *stream = self->stream;
    int on = dice_percent(&self->dice, 50);
    int status = 0;
    switch (dice_below(&self->dice, 4)) {
    case 0:
        ASK(self->world, status, weir_stream_set_no_delay(stream, on));
        break;
    case 1:
        ASK(self->world, status, weir_stream_set_keep_alive(stream, on, 1000));
        break;
    case 2:
        CALL(self->world, weir_stream_unref(stream));
        break;
    default:
        CALL(self->world, weir_stream_ref(stream));
        break;
    }
    actor_note(self, "[settings=%d]", status);
}

static void act_facts(actor *self)
{
    const weir_stream *stream = self->stream;
    weir_address address;
    weir_value value;
    CALL(self->world, weir_stream_local_address(self->stream, &address));
    CALL(self->world, weir_stream_remote_address(self->stream, &address));
    CALL(self->world, weir_stream_get(self->stream, "probe.record", &value));
    if (weir_stream_closed(stream) && !weir_stream_destroyed(stream))
        soak_breach(self->world, self, "what is closed is destroyed");
    if (weir_stream_destroyed(stream) &&
        (weir_stream_readable(stream) || weir_stream_writable(stream) || weir_stream_readable_length(stream)))
        soak_breach(self->world, self, "what is destroyed is neither readable nor writable");
    if (weir_stream_writable_finished(stream) && !weir_stream_writable_ended(stream))
        soak_breach(self->world, self, "what is finished has ended");
    if (!self->live && weir_stream_writable_length(stream))
        soak_breach(self->world, self, "what is closed has nothing to write");
}

static const action actions[] = {
    {act_write, 40, 30},   {act_cork, 3, 3},      {act_uncork, 6, 4},  {act_end, 2, 3},
    {act_pause, 4, 5},     {act_resume, 10, 8},   {act_mode, 2, 3},    {act_read, 3, 3},
    {act_refill, 2, 2},    {act_unshift, 4, 4},   {act_pipe, 0, 3},    {act_unpipe, 0, 1},
    {act_reset, 0, 1},     {act_destroy, 0, 1},   {act_connect, 2, 2}, {act_destroy_with_error, 0, 1},
    {act_timeout, 1, 3},   {act_settings, 3, 3},  {act_facts, 5, 5},   {act_destroy_soon, 0, 1},
    {act_add_layer, 6, 8}, {act_write_fds, 3, 3},
};

static const action *choose(actor *self)
{
    unsigned total = 0;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        total += self->polite ? actions[i].polite : actions[i].wild;
    unsigned roll = dice_below(&self->dice, total);
    for (size_t i = 0;; i++) {
        unsigned weight = self->polite ? actions[i].polite : actions[i].wild;
        if (roll < weight)
            return &actions[i];
        roll -= weight;
    }
}

void actor_act(actor *self)
{
    if (!self->stream || !self->flow)
        return;
    soak_acting = self;
    if (self->live && !self->budget) {
        actor_say_farewell(self);
        return;
    }
    self->budget -= self->live ? 1 : 0;
    if (self->live && self->upgrade)
        actor_upgrade(self);
    else
        choose(self)->run(self);
}

/* It is resumed and ended, and, when that is of no help, destroyed. */
void actor_say_farewell(actor *self)
{
    unsigned step = self->farewell++;
    if (!self->live || !self->stream)
        return;
    soak_acting = self;
    while (self->corks > 0)
        act_uncork(self);
    if (step < 20)
        act_resume(self);
    if (step == 2 && !weir_stream_writable_ended(self->stream) && !self->passes)
        actor_end(self, 0);
    if (step == 10 && !weir_stream_writable_ended(self->stream))
        actor_end(self, 0);
    if (step > 40)
        act_destroy(self);
}
