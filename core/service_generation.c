/* SPDX-License-Identifier: MIT */
/* One generation of a service: bound in all its workers, accepting, and stopped until nothing is left of it. */
#define _GNU_SOURCE

#include "memory.h"
#include "service_private.h"

/* ---- failures ---- */

static void note_failure(weir__generation *generation, size_t server, const weir_error *failure)
{
    generation->failed = true;
    if (generation->failures[server])
        weir_error_release(failure);
    else
        generation->failures[server] = failure;
}

/* The first one of each server, taken from those who had it: they may end in another thread. */
static void take_failures(weir__generation *generation, weir__site *site)
{
    for (size_t i = 0; i < site->count; i++) {
        if (site->servers[i].failure)
            note_failure(generation, site->servers[i].original, site->servers[i].failure);
        site->servers[i].failure = NULL;
    }
}

void weir__generation_forget_failures(weir__generation *generation)
{
    for (size_t i = 0; i < generation->site->of_file; i++) {
        weir_error_release(generation->failures[i]);
        generation->failures[i] = NULL;
    }
    generation->failed = false;
}

/* ---- stopping ---- */

/* Nothing of the generation is touched after this when it was the last thing that was waited for. */
static void finish_if_gone(weir__generation *generation)
{
    if (!generation->site_stopped || generation->workers_running > 0)
        return;
    weir__workers_free(generation);
    weir__generation_forget_inherited(generation);
    generation->state = WEIR__GENERATION_IDLE;
    weir__service_generation_gone(generation);
}

static void on_site_stopped(weir__site *site)
{
    weir__generation *generation = site->owner;
    generation->site_stopped = true;
    generation->destroyed += site->destroyed;
    finish_if_gone(generation);
}

void weir__generation_worker_closed(weir__generation *generation)
{
    if (--generation->workers_accepting == 0)
        weir__service_generation_closed(generation);
}

void weir__generation_worker_ended(weir__generation *generation, size_t destroyed)
{
    generation->destroyed += destroyed;
    generation->workers_running--;
    finish_if_gone(generation);
}

static void stop_everywhere(weir__generation *generation)
{
    const uint64_t graces[] = {
        [WEIR__STOP_DRAIN] = WEIR__SITE_DRAIN, [WEIR__STOP_GRACE] = generation->grace, [WEIR__STOP_NOW] = 0};
    generation->state = WEIR__GENERATION_STOPPING;
    weir__site_stop(generation->site, graces[generation->stop]);
    weir__workers_stop(generation);
}

void weir__generation_stop(weir__generation *generation, weir__stop how, uint64_t grace)
{
    if (how <= generation->stop || generation->state == WEIR__GENERATION_IDLE)
        return;
    generation->stop = how;
    if (how == WEIR__STOP_DRAIN)
        generation->workers_accepting = generation->workers_running;
    if (how == WEIR__STOP_GRACE)
        generation->grace = grace;
    /* While this thread's servers still begin to listen, on_site_bound goes on with it. */
    if (generation->site->state != WEIR__SITE_BINDING)
        stop_everywhere(generation);
}

/* ---- beginning ---- */

static void bound(weir__generation *generation)
{
    generation->state = WEIR__GENERATION_BOUND;
    weir__generation_forget_inherited(generation);
    weir__service_generation_bound(generation);
}

static void start_workers(weir__generation *generation)
{
    weir_error *error = NULL;
    if (weir__workers_start(generation, &error) == 0)
        return;
    for (size_t i = 0; i < generation->site->of_file; i++)
        note_failure(generation, i, weir_error_retain(error));
    weir_error_release(error);
    bound(generation);
}

static void on_site_bound(weir__site *site)
{
    weir__generation *generation = site->owner;
    take_failures(generation, site);
    if (generation->stop != WEIR__STOP_NOT)
        stop_everywhere(generation);
    else if (generation->failed || generation->plan.workers == 1)
        bound(generation);
    else
        start_workers(generation);
}

void weir__generation_worker_bound(weir__generation *generation, weir__site *site)
{
    generation->workers_waited_for--;
    take_failures(generation, site);
    /* One that comes too late to matter: it is stopped by whoever asked for the stop. */
    if (generation->state == WEIR__GENERATION_BINDING && generation->workers_waited_for == 0)
        bound(generation);
}

int weir__generation_bind(weir__generation *generation)
{
    weir__site *site = generation->site;
    generation->site_stopped = false;
    generation->destroyed = 0;
    generation->stop = WEIR__STOP_NOT;
    weir__generation_forget_failures(generation);
    site->owner = generation;
    site->connections = &generation->service->connections;
    site->bound = on_site_bound;
    site->stopped = on_site_stopped;
    int status = weir__site_bind(site, generation->inherited ? generation->inherited[0] : NULL);
    if (status == 0)
        generation->state = WEIR__GENERATION_BINDING;
    return status;
}

void weir__generation_accept(weir__generation *generation)
{
    weir__site_accept(generation->site);
    weir__workers_accept(generation);
}

/* ---- life ---- */

void weir__generation_forget_inherited(weir__generation *generation)
{
    for (unsigned i = 0; generation->inherited && i < generation->plan.workers; i++)
        weir__inherited_free(generation->inherited[i], generation->site->of_file);
    weir__free(generation->inherited);
    generation->inherited = NULL;
}

void weir__generation_free(weir__generation *generation)
{
    if (!generation)
        return;
    weir__generation_forget_inherited(generation);
    if (generation->failures)
        weir__generation_forget_failures(generation);
    weir__free(generation->failures);
    weir__site_free(generation->site);
    weir__document_free(generation->document);
    weir__free(generation);
}
