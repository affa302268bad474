/* SPDX-License-Identifier: MIT */
/* One runtime in its loop: what happens in a turn, and how all of it comes to rest. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "soak.h"

#define TICK_MS  1
#define GRACE_MS 300   /* at rest: that long after the farewell what is left is destroyed */
#define STUCK_MS 20000 /* and that long after that there must be nothing left */

/* ---- a run ---- */

/* Short, because paths of unix sockets are made below it: not where TMPDIR is long, which tests/run-one's never is. */
static void make_folder(soak_world *world)
{
    static const char made[] = "/XXXXXX";
    const char *base = getenv("TMPDIR");
    if (!base || !*base || strlen(base) + sizeof(made) > sizeof(world->folder))
        base = "/tmp";
    snprintf(world->folder, sizeof(world->folder), "%s%s", base, made);
    if (!mkdtemp(world->folder)) {
        fprintf(stderr, "soak: no folder can be made in %s\n", base);
        exit(2);
    }
}

void world_begin_run(soak_world *world, const soak_options *options, unsigned number)
{
    *world = (soak_world){.number = number, .seed = options->seed};
    world->dice = dice_new(options->seed * 31 + number);
    world->book.first = (uint64_t)number << 40;
    world->scratch = malloc(SCRATCH_SIZE);
    make_folder(world);
    world->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (!world->scratch || world->fd < 0 || uv_loop_init(&world->loop))
        abort();
    world->loopback = weir_blocklist_new();
    if (weir_blocklist_add_subnet(world->loopback, "127.0.0.0", 8, "ipv4") ||
        weir_blocklist_add_address(world->loopback, "::1", "ipv6"))
        abort();
    for (size_t i = 0; i < SCRATCH_SIZE; i++)
        world->scratch[i] = (char)i;
    uv_timer_init(&world->loop, &world->tick);
    world->tick.data = world;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void world_end_run(soak_world *world)
{
    uv_close((uv_handle_t *)&world->tick, NULL);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&world->loop))
        soak_breach(world, NULL, "something is left in the loop");
    nftw(world->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    flow_book_clear(&world->book);
    weir_blocklist_release(world->loopback);
    close(world->fd);
    free(world->actors);
    free(world->scratch);
}

/* ---- the runtime ---- */

static void on_log(weir_log_level level, const char *message, void *arg)
{
    const soak_world *world = arg;
    if (level == WEIR_LOG_ERROR)
        soak_breach(world, soak_acting, "%s", message);
}

static void on_unhandled(const weir_event *event, void *arg)
{
    const soak_world *world = arg;
    soak_breach(world, soak_acting, "an 'error' that nobody listened for: %s", event->error->message);
}

/* With all its plugins, so that none is first used after memory was counted. */
void world_make_runtime(soak_world *world)
{
    world->runtime = fixture_new_runtime(&world->loop);
    if (!world->runtime)
        abort();
    world->old_tls = dice_percent(&world->dice, 30);
    weir_runtime_on_log(world->runtime, on_log, world);
    weir_runtime_on_unhandled(world->runtime, on_unhandled, world);
    for (size_t i = 0; soak_plugins[i]; i++) {
        if (weir_runtime_load_plugin(world->runtime, soak_plugins[i], NULL, NULL))
            soak_breach(world, NULL, "the plugin %s cannot be loaded", soak_plugins[i]);
    }
}

void world_free_runtime(soak_world *world)
{
    int status = weir_runtime_free(world->runtime);
    if (status)
        soak_breach(world, NULL, "the runtime's end: %s", weir_error_name(status));
    world->runtime = NULL;
}

/* ---- a turn ---- */

static void make_client(soak_world *world)
{
    route to;
    if (world->open >= ACTORS_MOST)
        return;
    site_route(world->sites[dice_below(&world->dice, SITES)], &world->dice, &to);
    actor_connect(world, &to, 1);
}

static void new_signal(soak_world *world)
{
    weir_abort_release(world->signal);
    world->signal = weir_abort_new();
    if (!world->signal)
        abort();
}

static void on_tick(uv_timer_t *timer)
{
    soak_world *world = timer->data;
    int bracket = dice_percent(&world->dice, 50);
    if (bracket)
        weir_runtime_enter(world->runtime);
    if (dice_percent(&world->dice, 40))
        make_client(world);
    if (dice_percent(&world->dice, 1)) {
        CALL(world, weir_abort_fire(world->signal, NULL));
        new_signal(world);
    }
    if (dice_percent(&world->dice, 1))
        site_act(world->sites[dice_below(&world->dice, SITES)]);
    for (unsigned times = dice_below(&world->dice, 24); times && world->actor_count; times--)
        actor_act(world->actors[dice_below(&world->dice, (uint32_t)world->actor_count)]);
    if (bracket)
        weir_runtime_leave(world->runtime);
    actors_sweep(world, 0);
    soak_report(world);
    if (uv_hrtime() >= world->round_ends)
        uv_stop(&world->loop);
}

void world_round(soak_world *world, unsigned milliseconds)
{
    world->resting = 0;
    world->round++;
    new_signal(world);
    for (size_t i = 0; i < SITES; i++) {
        world->sites[i] = site_new(world);
        site_listen(world->sites[i]);
    }
    world->round_ends = uv_hrtime() + milliseconds * (uint64_t)1000000;
    uv_timer_start(&world->tick, on_tick, TICK_MS, TICK_MS);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    uv_timer_stop(&world->tick);
}

/* ---- rest ---- */

typedef struct rest {
    soak_world *world;
    uint64_t begun;
} rest;

static int is_at_rest(const soak_world *world)
{
    int sites_open = 0;
    for (size_t i = 0; i < SITES; i++)
        sites_open |= world->sites[i]->open;
    return world->open == 0 && !sites_open;
}

/* The first of whatever will not end. */
static void tell_stuck(const soak_world *world)
{
    for (size_t i = 0; i < world->actor_count; i++) {
        if (world->actors[i]->live)
            soak_breach(world, world->actors[i], "destroyed, and never closed");
    }
    soak_breach(world, NULL, "a server was closed and says nothing, or its callbacks do not come");
}

static void close_sites(soak_world *world)
{
    for (size_t i = 0; i < SITES; i++) {
        int status;
        ASK(world, status, weir_server_close(world->sites[i]->server, NULL, NULL));
        if (status)
            soak_breach(world, NULL, "closing a server: %s", weir_error_name(status));
    }
}

static void farewell_to_all(soak_world *world, unsigned step)
{
    for (size_t i = 0; i < world->actor_count; i++) {
        actor *each = world->actors[i];
        if (each->live && each->stream) {
            each->farewell = step > each->farewell ? step : each->farewell;
            actor_say_farewell(each);
        }
    }
}

static void destroy_all(soak_world *world)
{
    for (size_t i = 0; i < world->actor_count; i++) {
        if (world->actors[i]->live)
            CALL(world, weir_stream_destroy(world->actors[i]->stream, NULL));
    }
}

/* Everything ends by itself, or is helped to. */
static void on_rest(uv_timer_t *timer)
{
    rest *now = timer->data;
    soak_world *world = now->world;
    uint64_t passed = uv_now(&world->loop) - now->begun;
    if (passed < GRACE_MS)
        farewell_to_all(world, 2);
    else
        destroy_all(world);
    if (passed > GRACE_MS + STUCK_MS)
        tell_stuck(world);
    actors_sweep(world, 0);
}

static void wait_for_rest(soak_world *world)
{
    rest now = {world, uv_now(&world->loop)};
    world->tick.data = &now;
    uv_timer_start(&world->tick, on_rest, 5, 5);
    while (!is_at_rest(world))
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->tick);
    world->tick.data = world;
}

static void on_stuck(uv_timer_t *timer)
{
    tell_stuck(timer->data);
}

/* Nothing of weir may keep the loop alive any more; what is late may come: callbacks, answers of the resolver. */
static void run_dry(soak_world *world)
{
    uv_timer_start(&world->tick, on_stuck, STUCK_MS, 0);
    uv_unref((uv_handle_t *)&world->tick);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    uv_ref((uv_handle_t *)&world->tick);
    uv_timer_stop(&world->tick);
}

/* Whether all that a round has begun is over: callbacks too. */
static void forget_round(soak_world *world)
{
    actors_sweep(world, 1);
    if (world->actor_count)
        soak_breach(world, world->actors[0], "%s",
                    world->actors[0]->live ? "its 'close' never came" : "it waits for callbacks that never came");
    for (size_t i = 0; i < SITES; i++) {
        if (world->sites[i]->open)
            soak_breach(world, NULL, "a server was closed and says nothing");
        site_free(world->sites[i]);
        world->sites[i] = NULL;
    }
    weir_abort_release(world->signal);
    world->signal = NULL;
    flow_book_clear(&world->book);
}

void world_rest(soak_world *world)
{
    world->resting = 1;
    switch (dice_below(&world->dice, 4)) {
    case 0: /* all say farewell */
        close_sites(world);
        wait_for_rest(world);
        break;
    case 1: /* the servers say it, with a grace or without */
        for (size_t i = 0; i < SITES; i++) {
            if (site_close_all(world->sites[i], dice_below(&world->dice, 20)))
                soak_breach(world, NULL, "closing all of a server");
        }
        wait_for_rest(world);
        break;
    case 2: /* nobody says anything */
        close_sites(world);
        destroy_all(world);
        wait_for_rest(world);
        break;
    default: /* the runtime ends with all that is in it */
        world_free_runtime(world);
        break;
    }
    run_dry(world);
    forget_round(world);
}

static void count_handle(uv_handle_t *handle, void *arg)
{
    size_t *count = arg;
    (void)handle;
    ++*count;
}

size_t world_handles(soak_world *world)
{
    size_t count = 0;
    uv_walk(&world->loop, count_handle, &count);
    return count;
}
