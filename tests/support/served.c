/* SPDX-License-Identifier: MIT */
/* A service inside of a test's own runtime. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "served.h"

static void add_line(char **text, const char *first, const char *second)
{
    char *longer;
    if (asprintf(&longer, "%s%s%s%s\n", *text, first, second[0] ? " " : "", second) < 0)
        abort();
    free(*text);
    *text = longer;
}

static void on_fault(const weir_fault *fault, void *arg)
{
    served *self = arg;
    add_line(&self->faults, fault->text, "");
}

static void tell(served *self, const weir_service_event *event)
{
    static const char *const names[] = {"listening", "running",  "failed",      "stopping",
                                        "stopped",   "reloaded", "reloadFailed"};
    char *longer;
    if (asprintf(&longer, "%s%s%s%s%s", self->told, self->told[0] ? " " : "", names[event->type],
                 event->server ? ":" : "", event->server ? event->server : "") < 0)
        abort();
    free(self->told);
    self->told = longer;
}

static void act(served *self, const weir_service_event *event)
{
    if (self->reload_in == (int)event->type + 1 && self->reload_times > 0) {
        self->reload_times--;
        assert_code(served_reload_begin(self, NULL), 0);
    }
    if (self->stop_in == (int)event->type + 1)
        assert_code(weir_service_stop(self->service, 1), 0);
}

static void on_service(const weir_service_event *event, void *arg)
{
    served *self = arg;
    assert_int_equal(self->inside, 0);
    tell(self, event);
    switch (event->type) {
    case WEIR_SERVICE_LISTENING:
        add_line(&self->endpoints, event->server, event->endpoint);
        break;
    case WEIR_SERVICE_RUNNING:
        self->running = 1;
        break;
    case WEIR_SERVICE_FAILED:
        add_line(&self->failures, event->server, event->error->message);
        break;
    case WEIR_SERVICE_STOPPING:
        self->stopping = 1;
        break;
    case WEIR_SERVICE_STOPPED:
        self->stopped = 1;
        self->running = 1; /* whoever waits for it need not any more */
        self->settled = 1;
        self->destroyed = event->connections_destroyed;
        break;
    case WEIR_SERVICE_RELOAD_FAILED:
        add_line(&self->failures, event->server, event->error->message);
        self->settled = 1;
        self->reloading = 0;
        break;
    case WEIR_SERVICE_RELOADED:
        self->settled = 1;
        self->reloading = 0;
        break;
    }
    act(self, event);
}

static void write_file(fixture *f, const char *json)
{
    FILE *out = fopen(fixture_path(f, "service.json"), "w");
    if (!out || fputs(json, out) < 0 || fclose(out))
        abort();
}

int served_reload_begin(served *self, const char *json)
{
    if (json)
        write_file(self->fixture, json);
    self->faults[0] = '\0';
    int was_inside = self->inside;
    self->inside = 1;
    int status = weir_service_reload(self->service, on_fault, self);
    self->inside = was_inside;
    self->reloading |= status == 0;
    return status;
}

void served_reload(served *self, const char *json)
{
    self->settled = 0;
    int status = served_reload_begin(self, json);
    if (status != 0)
        fail_msg("%s: %s", weir_error_name(status), self->faults);
    fixture_until(self->fixture, &self->settled);
}

served *served_load(fixture *f, const char *json)
{
    served *self = calloc(1, sizeof(*self));
    if (!self)
        abort();
    write_file(f, json);
    self->fixture = f;
    self->faults = strdup("");
    self->failures = strdup("");
    self->endpoints = strdup("");
    self->told = strdup("");
    int status = weir_service_load(f->runtime, fixture_path(f, "service.json"), on_fault, self, &self->service);
    assert_int_equal(status == 0, self->service != NULL);
    return self;
}

void served_begin(served *self)
{
    assert_code(weir_service_start(self->service, on_service, self), 0);
}

served *served_start(fixture *f, const char *json)
{
    served *self = served_load(f, json);
    if (!self->service)
        fail_msg("%s", self->faults);
    served_begin(self);
    fixture_until(f, &self->running);
    if (self->stopped)
        fail_msg("%s", self->failures);
    return self;
}

const char *served_url(served *self, const char *server)
{
    size_t length = strlen(server);
    const char *found = NULL;
    for (const char *line = self->endpoints; *line; line = strchr(line, '\n') + 1) {
        if (!strncmp(line, server, length) && line[length] == ' ')
            found = line + length + 1; /* the last one: it may have moved */
    }
    if (!found) {
        fail_msg("no server %s in: %s", server, self->endpoints);
        return NULL;
    }
    return fixture_text(self->fixture, "%.*s", (int)strcspn(found, "\n"), found);
}

size_t served_stop(served *self, int now)
{
    if (self->running && !self->stopped) {
        assert_code(weir_service_stop(self->service, now), 0);
        fixture_until(self->fixture, &self->stopped);
    }
    size_t destroyed = self->destroyed;
    assert_code(weir_service_free(self->service), 0);
    free(self->faults);
    free(self->failures);
    free(self->endpoints);
    free(self->told);
    free(self);
    return destroyed;
}

/* ---- without memory ---- */

static void quiet(weir_log_level level, const char *message, void *arg)
{
    (void)level;
    (void)message;
    (void)arg;
}

static void no_fault(const weir_fault *fault, void *arg)
{
    (void)fault;
    (void)arg;
}

static void load_failing(void *file)
{
    uv_loop_t loop;
    weir_service *service = NULL;
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *runtime = fixture_new_runtime(&loop);
    if (runtime) {
        weir_runtime_on_log(runtime, quiet, NULL);
        int status = weir_service_load(runtime, file, no_fault, NULL, &service);
        assert_int_equal(status == 0, service != NULL);
        assert_true(status == 0 || allocator_failures() > 0);
        /* The runtime may have missed a folder of plugins, too. */
        assert_true(status == 0 || status == UV_ENOMEM || status == WEIR_EINVALID_CONFIG);
        if (service)
            assert_code(weir_service_free(service), 0);
        weir_runtime_free(runtime);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

size_t served_load_each(fixture *f, const char *json)
{
    char *path = strdup(fixture_path(f, "service.json"));
    FILE *out = path ? fopen(path, "w") : NULL;
    if (!out || fputs(json, out) < 0 || fclose(out))
        abort();
    size_t runs = allocator_fail_each(load_failing, path);
    free(path);
    return runs;
}
