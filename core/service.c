/* SPDX-License-Identifier: MIT */
/* Services: their life from start to STOPPED, over all of their generations. */
#define _GNU_SOURCE

#include <string.h>

#include "memory.h"
#include "service_private.h"

#define WHERE_SIZE 1024 /* of an endpoint's text */

/* ---- events ---- */

void weir__service_emit(weir_service *service, weir_service_event_type type, const weir__site_server *server,
                        const weir_error *error)
{
    char where[WHERE_SIZE] = "";
    weir_service_event event = {.type = type, .service = service, .error = error};
    if (server) {
        if (server->server && weir_server_listening(server->server))
            weir_server_format(server->server, where, sizeof(where));
        else
            weir_endpoint_format(server->endpoint, where, sizeof(where));
        event.server = server->name;
        event.handler = server->handler.plugin->name;
        event.endpoint = where;
    }
    if (type == WEIR_SERVICE_STOPPED)
        event.connections_destroyed = service->destroyed;
    if (service->function)
        service->function(&event, service->arg);
}

/* ---- stopping ---- */

/* Nothing of the service is touched after this when it was the last thing that was waited for. */
static void finish_if_all_gone(weir_service *service)
{
    if (service->state != WEIR__SERVICE_STOPPING || service->current->state != WEIR__GENERATION_IDLE ||
        service->fresh || service->old)
        return;
    weir__runtime_hold(service->runtime, 0);
    weir_runtime_cancel(service->runtime, &service->task);
    service->state = WEIR__SERVICE_IDLE;
    weir__service_emit(service, WEIR_SERVICE_STOPPED, NULL, NULL);
}

static void forget_old(weir_service *service, weir__generation *generation)
{
    weir__generation **place = &service->old;
    while (*place != generation)
        place = &(*place)->next;
    *place = generation->next;
    weir__generation_free(generation);
}

void weir__service_generation_gone(weir__generation *generation)
{
    weir_service *service = generation->service;
    service->destroyed += generation->destroyed;
    if (generation == service->fresh)
        weir__reload_gone(generation);
    else if (generation == service->current)
        weir__generation_forget_failures(generation);
    else
        forget_old(service, generation);
    finish_if_all_gone(service);
}

void weir__service_generation_closed(weir__generation *generation)
{
    weir_service *service = generation->service;
    if (service->leaving == generation)
        weir__reload_closed(service);
}

static void stop_everything(weir_service *service)
{
    weir__stop how = service->stop_now ? WEIR__STOP_NOW : WEIR__STOP_GRACE;
    uint64_t grace = service->current->plan.grace;
    bool first = service->state != WEIR__SERVICE_STOPPING;
    service->state = WEIR__SERVICE_STOPPING;
    service->leaving = NULL; /* what a reload came to is not told any more */
    if (first && service->stop_asked)
        weir__service_emit(service, WEIR_SERVICE_STOPPING, NULL, NULL);
    if (service->fresh)
        weir__generation_stop(service->fresh, WEIR__STOP_NOW, 0); /* it serves nobody yet */
    weir__generation_stop(service->current, how, grace);
    for (weir__generation *old = service->old; old; old = old->next)
        weir__generation_stop(old, how, grace);
}

static void on_stop_asked(weir_task *task)
{
    stop_everything((weir_service *)((char *)task - offsetof(weir_service, task)));
}

int weir_service_stop(weir_service *service, int now)
{
    if (!service)
        return UV_EINVAL;
    if (service->state == WEIR__SERVICE_IDLE)
        return UV_ENOTCONN;
    if (service->stop_asked && (!now || service->stop_now))
        return 0;
    service->stop_asked = true;
    service->stop_now |= now != 0;
    weir_runtime_defer(service->runtime, &service->task);
    return 0;
}

/* ---- starting ---- */

static void run(weir_service *service)
{
    weir__site *site = service->current->site;
    service->state = WEIR__SERVICE_RUNNING;
    weir__generation_accept(service->current);
    for (size_t i = 0; i < site->of_file; i++)
        weir__service_emit(service, WEIR_SERVICE_LISTENING, &site->servers[i], NULL);
    weir__service_emit(service, WEIR_SERVICE_RUNNING, NULL, NULL);
}

/* There is nobody to serve those who would come: all of it is over at once. */
static void give_up(weir_service *service)
{
    const weir__generation *generation = service->current;
    for (size_t i = 0; i < generation->site->of_file; i++)
        if (generation->failures[i])
            weir__service_emit(service, WEIR_SERVICE_FAILED, &generation->site->servers[i], generation->failures[i]);
    service->stop_now = true;
    stop_everything(service);
}

void weir__service_generation_bound(weir__generation *generation)
{
    weir_service *service = generation->service;
    if (generation == service->fresh)
        weir__reload_bound(generation);
    else if (generation->failed)
        give_up(service);
    else
        run(service);
}

int weir_service_start(weir_service *service, weir_service_function function, void *arg)
{
    if (!service)
        return UV_EINVAL;
    if (service->state != WEIR__SERVICE_IDLE)
        return UV_EALREADY;
    service->stop_asked = false;
    service->stop_now = false;
    service->destroyed = 0;
    service->function = function;
    service->arg = arg;
    service->task.run = on_stop_asked;
    int status = weir__generation_bind(service->current);
    if (status != 0)
        return status;
    weir__runtime_hold(service->runtime, 1);
    service->state = WEIR__SERVICE_BINDING;
    return 0;
}

size_t weir_service_connections(const weir_service *service)
{
    return atomic_load(&service->connections);
}
