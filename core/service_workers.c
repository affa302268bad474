/* SPDX-License-Identifier: MIT */
/* The other threads of a service: each has a loop, a runtime and the service's servers of its own. */
#define _GNU_SOURCE

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "runtime_private.h"
#include "service_private.h"
#include "shared.h"

/* What the threads tell each other. */
typedef enum word {
    /* to the worker */
    ACCEPT,
    DRAIN,
    STOP_IN_TIME,
    STOP_NOW,
    LEAVE,
    /* to the service */
    BOUND,
    CLOSED,
    DRAINED,
    ENDED,
    MESSAGES
} word;

/*
 * All is made in the service's thread; then the worker's thread has loop, runtime and site to itself, until it has
 * ended them. The threads talk by posts only, one of each kind, so that there is always memory for them, and what a
 * message is about stands in this struct: whoever sent it does not touch that until it gets an answer. A worker's runtime
 * lives until the worker was told to leave, which is the last that is posted to it.
 */
struct weir__worker {
    weir__generation *generation;
    uv_thread_t thread;
    uv_loop_t loop;
    weir_runtime *runtime;
    weir__site *site;
    weir__inherited *inherited;
    weir__post posts[MESSAGES];

    /* the worker's, told by messages */
    int bind_status;
    int *sockets; /* of each of its servers, a duplicate for the next generation; NO_SOCKET, or an error */
    size_t destroyed;
    int leave;

    /* the service's */
    bool has_loop, started, bound, drained;
};

/* Worker 0 has it too. */
#define NO_SOCKET INT_MIN

/* ---- messages ---- */

static void post(weir__worker *worker, word which)
{
    weir_runtime *to = which < BOUND ? worker->runtime : worker->generation->service->runtime;
    (void)weir__runtime_post(to, &worker->posts[which]);
}

typedef struct {
    weir_runtime *runtime;
    weir_log_level level;
    char text[];
} log_line;

static void write_line(void *arg)
{
    log_line *line = arg;
    weir_log(line->runtime, line->level, "%s", line->text);
    weir__free(line);
}

/* A worker's log is the service's, and that may be used in the service's thread only. A line there is no memory for is
 * lost. */
static void on_log(weir_log_level level, const char *message, void *arg)
{
    weir__worker *worker = arg;
    size_t length = strlen(message);
    log_line *line = weir__malloc(sizeof(*line) + length + 1);
    if (!line)
        return;
    line->runtime = worker->generation->service->runtime;
    line->level = level;
    memcpy(line->text, message, length + 1);
    if (weir_runtime_post(line->runtime, write_line, line) != 0)
        weir__free(line);
}

/* ---- in the service's thread, told by the worker ---- */

static void send_stop(weir__worker *worker);

static void told_bound(void *arg)
{
    weir__worker *worker = arg;
    worker->bound = true;
    for (size_t i = 0; worker->bind_status != 0 && i < worker->site->count; i++)
        if (!worker->site->servers[i].failure)
            worker->site->servers[i].failure = weir_error_new(worker->bind_status, "listen", NULL, -1);
    bool stops = worker->generation->state == WEIR__GENERATION_STOPPING;
    weir__generation_worker_bound(worker->generation, worker->site);
    if (stops) /* from here on the site is the worker's again */
        send_stop(worker);
}

static void told_closed(void *arg)
{
    const weir__worker *worker = arg;
    weir__generation_worker_closed(worker->generation);
}

static void told_drained(void *arg)
{
    weir__worker *worker = arg;
    worker->drained = true;
    post(worker, LEAVE);
}

static void told_ended(void *arg)
{
    weir__worker *worker = arg;
    uv_thread_join(&worker->thread);
    worker->started = false;
    weir__generation_worker_ended(worker->generation, worker->destroyed);
}

/* ---- in the worker's thread ---- */

static void on_site_bound(weir__site *site)
{
    weir__worker *worker = site->owner;
    for (size_t i = 0; i < site->count; i++) {
        const weir__site_server *server = &site->servers[i];
        if (!worker->inherited[server->original].shared)
            worker->sockets[i] = weir_server_export_fd(server->server);
    }
    post(worker, BOUND);
}

static void on_site_stopped(weir__site *site)
{
    weir__worker *worker = site->owner;
    worker->destroyed = site->destroyed;
    post(worker, DRAINED);
}

static void accept_now(void *arg)
{
    weir__worker *worker = arg;
    if (worker->site->state == WEIR__SITE_BOUND)
        weir__site_accept(worker->site);
}

/* A place is free only when nobody has its socket any more. */
static void close_sockets(weir__worker *worker)
{
    for (size_t i = 0; worker->sockets && i < worker->site->count; i++) {
        if (worker->sockets[i] >= 0)
            close(worker->sockets[i]);
        worker->sockets[i] = NO_SOCKET;
    }
}

static void stop_with(weir__worker *worker, uint64_t grace)
{
    close_sockets(worker);
    /* One that could not even begin to listen has nothing to stop. */
    if (worker->bind_status != 0) {
        worker->bind_status = 0;
        on_site_stopped(worker->site);
    } else {
        weir__site_stop(worker->site, grace);
    }
}

static void drain(void *arg)
{
    weir__worker *worker = arg;
    stop_with(worker, WEIR__SITE_DRAIN);
    post(worker, CLOSED);
}

static void stop_in_time(void *arg)
{
    weir__worker *worker = arg;
    stop_with(worker, worker->generation->grace);
}

static void stop_now(void *arg)
{
    stop_with(arg, 0);
}

static void leave(void *arg)
{
    weir__worker *worker = arg;
    worker->leave = 1;
}

static void end_runtime(weir__worker *worker)
{
    weir__site_free(worker->site);
    worker->site = NULL;
    if (worker->runtime)
        weir_runtime_free(worker->runtime);
    worker->runtime = NULL;
    if (worker->has_loop) {
        uv_run(&worker->loop, UV_RUN_DEFAULT);
        uv_loop_close(&worker->loop);
    }
    worker->has_loop = false;
}

static void work(void *arg)
{
    weir__worker *worker = arg;
    worker->bind_status = weir__site_bind(worker->site, worker->inherited);
    if (worker->bind_status != 0)
        post(worker, BOUND);
    weir_runtime_run_until(worker->runtime, &worker->leave);
    weir__runtime_hold(worker->runtime, 0);
    end_runtime(worker);
    post(worker, ENDED);
}

/* ---- making them, in the service's thread ---- */

static void make_posts(weir__worker *worker)
{
    static void (*const runs[MESSAGES])(void *arg) = {
        [ACCEPT] = accept_now,  [DRAIN] = drain,          [STOP_IN_TIME] = stop_in_time,
        [STOP_NOW] = stop_now,  [LEAVE] = leave,          [BOUND] = told_bound,
        [CLOSED] = told_closed, [DRAINED] = told_drained, [ENDED] = told_ended};
    for (int i = 0; i < MESSAGES; i++)
        worker->posts[i] = (weir__post){.run = runs[i], .arg = worker, .owned = 1};
}

/* What the server of worker 0 has for the same one of another worker. */
static int inherit(const weir__site_server *server, weir__inherited *inherited)
{
    weir_address address;
    if (server->reuses_port && server->socket_reuses_port && weir_server_address(server->server, &address) == 0 &&
        address.port > 0) {
        inherited->port = address.port;
        return 0;
    }
    int fd = weir_server_export_fd(server->server);
    inherited->shared = true;
    return fd < 0 ? fd : weir__inherited_add(inherited, fd);
}

/* Takes what the generation before has left for this worker, and what is missing from worker 0. */
static int inherit_all(weir__worker *worker, unsigned number, weir_error **error)
{
    weir__generation *generation = worker->generation;
    const weir__site *site = generation->site;
    if (generation->inherited) {
        worker->inherited = generation->inherited[number];
        generation->inherited[number] = NULL;
    } else {
        worker->inherited = weir__inherited_new(site->of_file);
    }
    for (size_t i = 0; worker->inherited && i < site->of_file; i++) {
        int status = worker->inherited[i].count > 0 ? 0 : inherit(&site->servers[i], &worker->inherited[i]);
        if (status < 0) {
            *error = weir_error_newf(status, NULL, NULL, -1, "the socket of %s cannot be shared with a worker: %s (%s)",
                                     site->servers[i].name, weir_error_text(status), weir_error_name(status));
            return status;
        }
    }
    return worker->inherited ? 0 : UV_ENOMEM;
}

/* Room for one of each server, those beside them too. */
static int make_room_for_sockets(weir__worker *worker)
{
    size_t count = 0;
    for (size_t i = 0; i < worker->site->of_file; i++)
        count += worker->inherited[i].count > 1 ? worker->inherited[i].count : 1;
    worker->sockets = weir__malloc(count * sizeof(*worker->sockets));
    for (size_t i = 0; worker->sockets && i < count; i++)
        worker->sockets[i] = NO_SOCKET;
    return worker->sockets ? 0 : UV_ENOMEM;
}

/* Loads the text again, for the worker's own runtime. What the file names may have changed since. */
static int load_site(weir__worker *worker, weir_error **error)
{
    const weir__generation *generation = worker->generation;
    weir__faults faults = {0}, warnings = {0};
    weir__service_plan plan;
    weir__place place = {.runtime = worker->runtime,
                         .folder = generation->service->folder,
                         .document = generation->document,
                         .faults = &faults,
                         .warnings = &warnings};
    int status = weir__site_load(&place, worker->inherited, &plan, &worker->site);
    char *text = status && status != UV_ENOMEM ? weir__faults_text(&faults) : NULL;
    if (text) {
        text[strcspn(text, "\n")] = '\0';
        *error = weir_error_newf(WEIR_EINVALID_CONFIG, NULL, NULL, -1, "what the file names has changed: %s", text);
    }
    weir__free(text);
    weir__faults_free(&faults);
    weir__faults_free(&warnings);
    return status;
}

static int make(weir__worker *worker, unsigned number, weir_error **error)
{
    weir_service *service = worker->generation->service;
    int status = uv_loop_init(&worker->loop);
    if (status != 0)
        return status;
    worker->has_loop = true;
    worker->runtime = weir_runtime_new(&worker->loop);
    if (!worker->runtime)
        return UV_ENOMEM;
    weir_runtime_on_log(worker->runtime, on_log, worker);
    weir_runtime_set_default_high_water_mark(worker->runtime, weir_runtime_default_high_water_mark(service->runtime));
    status = weir__runtime_share(worker->runtime, service->runtime);
    if (status == 0)
        status = weir__registry_inherit(worker->runtime, service->runtime, error);
    if (status == 0)
        status = inherit_all(worker, number, error);
    if (status == 0)
        status = load_site(worker, error);
    if (status == 0)
        status = make_room_for_sockets(worker);
    if (status != 0)
        return status;
    weir__runtime_hold(worker->runtime, 1);
    worker->site->owner = worker;
    worker->site->connections = &service->connections;
    worker->site->bound = on_site_bound;
    worker->site->stopped = on_site_stopped;
    return 0;
}

static void free_worker(weir__worker *worker)
{
    if (!worker)
        return;
    weir__inherited_free(worker->inherited, worker->generation->site->of_file);
    end_runtime(worker);
    weir__free(worker->sockets);
    weir__free(worker);
}

void weir__workers_free(weir__generation *generation)
{
    for (unsigned i = 0; generation->workers && i + 1 < generation->plan.workers; i++)
        free_worker(generation->workers[i]);
    weir__free(generation->workers);
    generation->workers = NULL;
}

/* Signals are for the application's own thread. */
static int start_thread(weir__worker *worker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = uv_thread_create(&worker->thread, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0)
        return status;
    worker->started = true;
    worker->generation->workers_running++;
    worker->generation->workers_waited_for++;
    return 0;
}

static int make_all(weir__generation *generation, weir_error **error)
{
    unsigned count = generation->plan.workers - 1;
    generation->workers = weir__calloc(count, sizeof(weir__worker *));
    if (!generation->workers)
        return UV_ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        generation->workers[i] = weir__calloc(1, sizeof(weir__worker));
        if (!generation->workers[i])
            return UV_ENOMEM;
        generation->workers[i]->generation = generation;
        make_posts(generation->workers[i]);
        int status = make(generation->workers[i], i + 1, error);
        if (status != 0)
            return status;
    }
    return 0;
}

int weir__workers_start(weir__generation *generation, weir_error **error)
{
    /* Jansson's hash seed is set on first use, which must not happen in two threads at once. */
    json_object_seed(0);
    generation->workers_running = 0;
    generation->workers_waited_for = 0;
    int status = make_all(generation, error);
    for (unsigned i = 0; status == 0 && i + 1 < generation->plan.workers; i++)
        status = start_thread(generation->workers[i]);
    if (status == 0)
        return 0;
    if (!*error)
        *error = weir_error_newf(status, NULL, NULL, -1, "the workers cannot be started: %s (%s)",
                                 weir_error_text(status), weir_error_name(status));
    /* Those that run are stopped like any other, and freed when they have ended. */
    if (generation->workers_running == 0)
        weir__workers_free(generation);
    return status;
}

/* ---- telling them, in the service's thread ---- */

static void send_stop(weir__worker *worker)
{
    static const word stops[] = {
        [WEIR__STOP_DRAIN] = DRAIN, [WEIR__STOP_GRACE] = STOP_IN_TIME, [WEIR__STOP_NOW] = STOP_NOW};
    post(worker, stops[worker->generation->stop]);
}

void weir__workers_accept(weir__generation *generation)
{
    for (unsigned i = 0; generation->workers && i + 1 < generation->plan.workers; i++)
        post(generation->workers[i], ACCEPT);
}

void weir__workers_stop(weir__generation *generation)
{
    for (unsigned i = 0; generation->workers && i + 1 < generation->plan.workers; i++) {
        weir__worker *worker = generation->workers[i];
        if (worker && worker->started && worker->bound && !worker->drained)
            send_stop(worker);
    }
}

/* ---- what they have, in the service's thread ---- */

static int give(const weir__worker *worker, size_t index, int (*take)(int fd, void *arg), void *arg)
{
    return worker->sockets[index] == NO_SOCKET ? 0 : take(worker->sockets[index], arg);
}

int weir__workers_sockets(const weir__generation *generation, size_t server, int (*take)(int fd, void *arg), void *arg)
{
    int status = 0;
    for (unsigned i = 0; generation->workers && i + 1 < generation->plan.workers && status == 0; i++) {
        const weir__worker *worker = generation->workers[i];
        status = give(worker, server, take, arg);
        for (size_t k = worker->site->of_file; k < worker->site->count && status == 0; k++)
            if (worker->site->servers[k].original == server)
                status = give(worker, k, take, arg);
    }
    return status;
}
