/* SPDX-License-Identifier: MIT */
/* Services: their life from start to STOPPED, over the servers of this thread and the workers' threads. */
#define _GNU_SOURCE

#include <string.h>

#include "memory.h"
#include "service_private.h"

#define WHERE_SIZE 1024 /* of an endpoint's text */

/* ---- events ---- */

static void emit(weir_service *service, weir_service_event_type type, const weir__site_server *server,
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

/* Tells of the servers of a site that do not listen, under the names of our own. */
static void tell_failures(weir_service *service, const weir__site *site)
{
    for (size_t i = 0; i < site->count; i++) {
        if (!site->servers[i].failure)
            continue;
        service->failed = true;
        emit(service, WEIR_SERVICE_FAILED, &service->site->servers[i], site->servers[i].failure);
    }
}

/* ---- stopping ---- */

/* Nothing of the service is touched after this when it was the last thing that was waited for. */
static void finish_if_all_stopped(weir_service *service)
{
    if (!service->site_stopped || service->workers_running > 0)
        return;
    weir__workers_free(service);
    weir__runtime_hold(service->runtime, 0);
    weir_runtime_cancel(service->runtime, &service->task);
    service->state = WEIR__SERVICE_IDLE;
    emit(service, WEIR_SERVICE_STOPPED, NULL, NULL);
}

static void stop_everything(weir_service *service)
{
    bool first = service->state != WEIR__SERVICE_STOPPING;
    service->state = WEIR__SERVICE_STOPPING;
    if (first && service->stop_asked)
        emit(service, WEIR_SERVICE_STOPPING, NULL, NULL);
    if (first || service->stop_now) {
        weir__site_stop(service->site, service->stop_now ? 0 : service->plan.grace);
        weir__workers_stop(service);
    }
}

static void on_site_stopped(weir__site *site)
{
    weir_service *service = site->owner;
    service->site_stopped = true;
    service->destroyed += site->destroyed;
    finish_if_all_stopped(service);
}

void weir__service_worker_ended(weir_service *service, size_t destroyed)
{
    service->destroyed += destroyed;
    service->workers_running--;
    finish_if_all_stopped(service);
}

static void on_stop_asked(weir_task *task)
{
    weir_service *service = (weir_service *)((char *)task - offsetof(weir_service, task));
    /* While this thread's servers still begin to listen, on_site_bound goes on with it. */
    if (service->site->state != WEIR__SITE_BINDING)
        stop_everything(service);
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
    service->state = WEIR__SERVICE_RUNNING;
    weir__site_accept(service->site);
    weir__workers_accept(service);
    for (size_t i = 0; i < service->site->count; i++)
        emit(service, WEIR_SERVICE_LISTENING, &service->site->servers[i], NULL);
    emit(service, WEIR_SERVICE_RUNNING, NULL, NULL);
}

/* There is nobody to serve those who would come: all of it is over at once. */
static void give_up(weir_service *service)
{
    service->stop_now = true;
    stop_everything(service);
}

static void start_workers(weir_service *service)
{
    weir_error *error = NULL;
    int status = weir__workers_start(service, &error);
    if (status == 0)
        return;
    service->failed = true;
    for (size_t i = 0; i < service->site->count; i++)
        emit(service, WEIR_SERVICE_FAILED, &service->site->servers[i], error);
    weir_error_release(error);
    give_up(service);
}

static void on_site_bound(weir__site *site)
{
    weir_service *service = site->owner;
    tell_failures(service, site);
    if (service->failed)
        give_up(service);
    else if (service->stop_asked)
        stop_everything(service);
    else if (service->plan.workers > 1)
        start_workers(service);
    else
        run(service);
}

void weir__service_worker_bound(weir_service *service, const weir__site *failed)
{
    service->workers_waited_for--;
    /* One that comes too late to matter: it is stopped by whoever asked for the stop. */
    if (service->state != WEIR__SERVICE_BINDING)
        return;
    if (failed)
        tell_failures(service, failed);
    if (service->workers_waited_for > 0)
        return;
    if (service->failed)
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
    weir__runtime_hold(service->runtime, 1);
    service->failed = false;
    service->stop_asked = false;
    service->stop_now = false;
    service->site_stopped = false;
    service->destroyed = 0;
    service->function = function;
    service->arg = arg;
    service->task.run = on_stop_asked;
    service->site->owner = service;
    service->site->connections = &service->connections;
    service->site->bound = on_site_bound;
    service->site->stopped = on_site_stopped;
    int status = weir__site_bind(service->site, NULL);
    if (status != 0)
        weir__runtime_hold(service->runtime, 0);
    else
        service->state = WEIR__SERVICE_BINDING;
    return status;
}

size_t weir_service_connections(const weir_service *service)
{
    return atomic_load(&service->connections);
}
