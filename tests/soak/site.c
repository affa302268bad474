/* SPDX-License-Identifier: MIT */
/* A server of the soak: it closes, listens again, and lets in more or fewer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soak.h"

static void on_server_event(const weir_event *event, void *arg);

/* ---- endpoints ---- */

/* A transport and a place on it; of tcp the port is not known yet. */
static void choose_endpoint(site *self, unsigned number)
{
    soak_world *world = self->world;
    char layers[SOAK_LAYERS_MOST];
    char place[200];
    self->is_tcp = number % 4 == 0 || number % 4 == 3;
    switch (number % 4) {
    case 0:
        snprintf(place, sizeof(place), "\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}");
        break;
    case 1:
        snprintf(place, sizeof(place), "\"ipc\": {\"path\": \"%s/s%u\"}", world->folder, number);
        break;
    case 2:
        snprintf(place, sizeof(place), "\"mem\": {\"path\": \"s%u\", \"pipeSize\": %u, \"canReset\": %s}", number,
                 1 + dice_below(&world->dice, 70000), dice_percent(&world->dice, 50) ? "true" : "false");
        break;
    default:
        snprintf(place, sizeof(place), "\"tcp\": {\"host\": \"localhost\", \"port\": 0, \"sendBufferSize\": 8192}");
        break;
    }
    self->need = soak_need(world);
    self->upgrades = self->need != NEED_NOTHING && dice_percent(&world->dice, 35);
    soak_layers(&world->dice, self->upgrades ? NEED_NOTHING : self->need, WEIR_SERVER, 0, layers, sizeof(layers));
    snprintf(self->endpoint, sizeof(self->endpoint), "{%s, \"layers\": %s}", place, layers);
}

/* Where nobody is: refused, or not even a way there. */
static void nowhere(const site *self, soak_dice *dice, char *text, size_t size)
{
    switch (dice_below(dice, 3)) {
    case 0:
        snprintf(text, size, "\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 1}");
        break;
    case 1:
        snprintf(text, size, "\"ipc\": {\"path\": \"%s/nobody\"}", self->world->folder);
        break;
    default:
        snprintf(text, size, "\"mem\": {\"path\": \"nobody\"}");
        break;
    }
}

/* The transport's part of it. */
static void place_of(const site *self, soak_dice *dice, char *text, size_t size)
{
    char url[256];
    weir_server_format(self->server, url, sizeof(url));
    const char *scheme = url;
    for (const char *at = url; *at && *at != ':'; at++) {
        if (*at == '+')
            scheme = at + 1;
    }
    const char *where = scheme + 4; /* all of them have three letters and a colon */
    const char *port = strrchr(where, ':');
    if (strncmp(scheme, "tcp", 3) == 0)
        snprintf(text, size, "\"tcp\": {\"host\": \"%s\", \"port\": %s}",
                 strchr(where, '[') || dice_percent(dice, 15) ? "localhost" : "127.0.0.1", port + 1);
    else
        snprintf(text, size, "\"%.3s\": {\"path\": \"%s\"}", scheme, where);
}

void site_route(const site *self, soak_dice *dice, route *to)
{
    char place[256];
    char layers[SOAK_LAYERS_MOST];
    to->need = self->need;
    to->upgrades = self->upgrades;
    if (!self->listening || dice_percent(dice, 3))
        nowhere(self, dice, place, sizeof(place));
    else
        place_of(self, dice, place, sizeof(place));
    to->is_tcp = strncmp(place, "\"tcp\"", 5) == 0;
    soak_layers(dice, to->upgrades ? NEED_NOTHING : to->need, WEIR_CLIENT, 1, layers, sizeof(layers));
    snprintf(to->endpoint, sizeof(to->endpoint), "{%s, \"layers\": %s}", place, layers);
}

/* ---- life ---- */

static void choose_options(soak_dice *dice, weir_server_options *options)
{
    static const size_t marks[] = {0, 1, 1000, 100000};
    options->max_connections = dice_percent(dice, 30) ? 1 + dice_below(dice, 12) : 0;
    options->no_delay = dice_percent(dice, 30);
    options->stream.allow_half_open = dice_percent(dice, 50);
    options->stream.readable_high_water_mark = marks[dice_below(dice, 4)];
    options->stream.writable_high_water_mark = marks[dice_below(dice, 4)];
    options->stream.discard_on_end = dice_percent(dice, 15);
    options->stream.half_close_timeout = dice_percent(dice, 15) ? 20 : 0;
    options->stream.timeout = dice_percent(dice, 10) ? 20 : 0;
    options->stream.handshake_timeout = 2000; /* the other end may have been dropped, or say nothing */
    options->stream.pause_on_connect = dice_percent(dice, 10);
}

site *site_new(soak_world *world)
{
    static const weir_event_type types[] = {WEIR_EVENT_LISTENING, WEIR_EVENT_CONNECTION, WEIR_EVENT_CLIENT_ERROR,
                                            WEIR_EVENT_DROP,      WEIR_EVENT_ERROR,      WEIR_EVENT_CLOSE};
    static atomic_uint last;
    weir_server_options options;
    site *self = calloc(1, sizeof(*self));
    if (!self)
        abort();
    self->world = world;
    weir_server_options_init(&options);
    choose_endpoint(self, atomic_fetch_add(&last, 1));
    choose_options(&world->dice, &options);
    self->onread = !self->upgrades && dice_percent(&world->dice, 12);
    self->blocks = dice_percent(&world->dice, 8);
    options.block_list = self->blocks ? world->loopback : NULL;
    if (self->onread)
        memory_options(world, &options.stream.onread);
    self->discards = options.stream.discard_on_end;
    self->server = weir_server_new(world->runtime, &options);
    if (!self->server)
        soak_breach(world, NULL, "no server");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (weir_server_on(self->server, types[i], on_server_event, self))
            soak_breach(world, NULL, "a server's listener");
    }
    return self;
}

void site_listen(site *self)
{
    int status;
    ASK(self->world, status, weir_server_listen(self->server, self->endpoint, NULL, NULL));
    if (status)
        soak_breach(self->world, NULL, "listen %s: %s", self->endpoint, weir_error_name(status));
    self->open = 1;
}

void site_free(site *self)
{
    weir_server_release(self->server);
    free(self);
}

/* ---- events ---- */

static void on_closed(site *self)
{
    if (weir_server_connections(self->server))
        soak_breach(self->world, NULL, "a server's 'close' comes after its last connection's");
    self->listening = 0;
    self->open = 0;
    if (!self->world->resting)
        site_listen(self);
}

static void on_server_event(const weir_event *event, void *arg)
{
    site *self = arg;
    soak_world *world = self->world;
    const char *name = weir_event_name(event->type);
    atomic_fetch_add(&soak_total.judged, 1);
    if (world->inside)
        soak_breach(world, NULL, "no listener runs inside a call (at a server's '%s')", name);
    if (!self->open)
        soak_breach(world, NULL, "a server that has closed tells nothing more (at '%s')", name);
    if (event->target_server != self->server || event->target_stream)
        soak_breach(world, NULL, "a server's event is its own (at '%s')", name);
    switch (event->type) {
    case WEIR_EVENT_LISTENING:
        if (self->listening)
            soak_breach(world, NULL, "'listening' comes once");
        self->listening = 1;
        break;
    case WEIR_EVENT_CONNECTION:
        if (!self->listening)
            soak_breach(world, NULL, "'connection' comes after 'listening'");
        if (self->blocks && self->is_tcp)
            soak_breach(world, NULL, "whom the block list names does not get in");
        actor_accept(self, event->stream);
        break;
    case WEIR_EVENT_DROP:
        if (event->drop->reason == WEIR_DROP_BLOCK_LIST && !(self->blocks && self->is_tcp))
            soak_breach(world, NULL, "nobody is on a list here");
        break;
    case WEIR_EVENT_ERROR:
        soak_breach(world, NULL, "a server's error: %s", event->error->message);
        break;
    case WEIR_EVENT_CLOSE:
        on_closed(self);
        break;
    default:
        break;
    }
}

static void on_done(weir_server *server, int status, void *arg)
{
    const site *self = arg;
    if (server != self->server || self->world->inside)
        soak_breach(self->world, NULL, "a server's callback is its own, and in no call");
    (void)status;
}

int site_close_all(site *self, uint64_t grace)
{
    soak_world *world = self->world;
    int status;
    actors_cut_all(world);
    ASK(world, status, weir_server_close_all(self->server, grace, on_done, self));
    return status;
}

void site_act(site *self)
{
    soak_world *world = self->world;
    int status = 0;
    switch (dice_below(&world->dice, 8)) {
    case 0:
        ASK(world, status, weir_server_close(self->server, on_done, self));
        break;
    case 1:
        status = site_close_all(self, dice_below(&world->dice, 30));
        break;
    case 2:
        CALL(world, weir_server_unref(self->server));
        break;
    case 3:
        CALL(world, weir_server_ref(self->server));
        break;
    case 4:
        ASK(world, status, weir_server_get_connections(self->server, on_done, self));
        break;
    default:
        CALL(world, weir_server_set_max_connections(
                        self->server, dice_percent(&world->dice, 60) ? 0 : 1 + dice_below(&world->dice, 12)));
        break;
    }
    if (status)
        soak_breach(world, NULL, "a server's call: %s", weir_error_name(status));
}
