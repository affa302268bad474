/* SPDX-License-Identifier: MIT */
/* A handler that tells what it saw, and services whose events are written down. */
#define _GNU_SOURCE

#include "spied_service.h"

#include <stdio.h>
#include <string.h>

#include <weir/handler.h>

/* ---- a handler that tells what it saw ---- */

atomic_int spy_contexts, spy_connections, spy_stopping;
atomic_int spy_configures_left;
weir_stream_options spy_prepared;

static _Atomic(weir_runtime *) spy_runtimes[4];

static void spy_reset(void)
{
    atomic_store(&spy_connections, 0);
    atomic_store(&spy_stopping, 0);
    atomic_store(&spy_configures_left, -1);
    for (size_t i = 0; i < 4; i++)
        atomic_store(&spy_runtimes[i], NULL);
}

static int spy_configure(weir_configure *configure, void **context)
{
    if (atomic_load(&spy_configures_left) >= 0 && atomic_fetch_sub(&spy_configures_left, 1) == 0) {
        weir_configure_fault(configure, "", "not this time");
        return WEIR_EINVALID_CONFIG;
    }
    if (json_is_true(json_object_get(configure->options, "warn")))
        weir_configure_warning(configure, "/warn", "as you wish");
    *context = json_incref(configure->options);
    atomic_fetch_add(&spy_contexts, 1);
    return 0;
}

static void spy_free(void *context)
{
    json_decref(context);
    atomic_fetch_sub(&spy_contexts, 1);
}

static void spy_on_timeout(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_write(event->stream, "idle", 4, NULL, NULL);
}

static void spy_on_error(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

/* Echoes; the first bytes a client gets are the stream's marks, so that it knows with which options it was made. */
static void spy_connection(void *context, weir_stream *stream)
{
    weir_runtime *runtime = weir_stream_runtime(stream);
    atomic_fetch_add(&spy_connections, 1);
    for (size_t i = 0; i < 4; i++) {
        weir_runtime *nobody = NULL;
        if (atomic_compare_exchange_strong(&spy_runtimes[i], &nobody, runtime) || nobody == runtime)
            break;
    }
    char hello[64];
    int length = snprintf(hello, sizeof(hello), "%zu %zu %lld.", weir_stream_readable_high_water_mark(stream),
                          weir_stream_writable_high_water_mark(stream), (long long)weir_stream_timeout(stream));
    if (!json_is_true(json_object_get(context, "deaf")))
        weir_stream_on(stream, WEIR_EVENT_ERROR, spy_on_error, NULL);
    if (json_is_true(json_object_get(context, "keepIdle")))
        weir_stream_on(stream, WEIR_EVENT_TIMEOUT, spy_on_timeout, NULL);
    weir_stream_write(stream, hello, (size_t)length, NULL, NULL);
    weir_stream_pipe(stream, stream, NULL);
}

static void spy_prepare(void *context, weir_server_options *options)
{
    (void)context;
    spy_prepared = options->stream;
    options->stream.readable_high_water_mark = 5;
    options->stream.writable_high_water_mark = 6;
}

static void end_one(weir_stream *stream, void *arg)
{
    (void)arg;
    /* Piped to itself it would read no more, not even the peer's end. */
    weir_stream_unpipe(stream, NULL);
    weir_stream_resume(stream);
    weir_stream_end(stream, NULL, NULL);
}

static void spy_stop(void *context, weir_server *server)
{
    atomic_fetch_add(&spy_stopping, 1);
    if (json_is_true(json_object_get(context, "endThem")))
        weir_server_each(server, end_one, NULL);
}

static const weir_handler spy_handler = {.size = sizeof(weir_handler),
                                         .configure = spy_configure,
                                         .context_free = spy_free,
                                         .connection = spy_connection,
                                         .prepare = spy_prepare,
                                         .stopping = spy_stop};

static const weir_plugin spy = {
    WEIR_PLUGIN_HEADER,
    .name = "spy",
    .version = "1.0.0",
    .description = "tells what it saw",
    .schema = "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"keepIdle\": {\"type\": "
              "\"boolean\"}, \"endThem\": {\"type\": \"boolean\"}, \"deaf\": {\"type\": \"boolean\"}, \"warn\": "
              "{\"type\": \"boolean\"}}}",
    .handler = &spy_handler};

size_t spy_runtimes_seen(void)
{
    size_t count = 0;
    while (count < 4 && atomic_load(&spy_runtimes[count]))
        count++;
    return count;
}

/* ---- a service under test, and what it told ---- */

static void add_fault(const weir_fault *fault, void *arg)
{
    subject *s = arg;
    snprintf(s->faults + strlen(s->faults), sizeof(s->faults) - strlen(s->faults), "%s%s\n", fault->warning ? "W " : "",
             fault->text + strlen(s->f->folder) + 1);
}

static void tell(subject *s, const char *format, const char *detail)
{
    size_t length = strlen(s->told);
    length += (size_t)snprintf(s->told + length, sizeof(s->told) - length, "%s", length ? " " : "");
    snprintf(s->told + length, sizeof(s->told) - length, "%s%s", format, detail);
}

void subject_event(const weir_service_event *event, void *arg)
{
    subject *s = arg;
    char number[32];
    assert_int_equal(s->inside, 0);
    assert_ptr_equal(event->service, s->service);
    switch (event->type) {
    case WEIR_SERVICE_LISTENING:
        assert_non_null(event->handler);
        tell(s, "listening:", event->server);
        if (s->url_count < 8)
            snprintf(s->urls[s->url_count++], sizeof(s->urls[0]), "%s", event->endpoint);
        break;
    case WEIR_SERVICE_RUNNING:
        tell(s, "running", "");
        s->settled = 1;
        break;
    case WEIR_SERVICE_FAILED:
        tell(s, "failed:", event->server);
        snprintf(s->errors + strlen(s->errors), sizeof(s->errors) - strlen(s->errors), "%s: %s\n", event->endpoint,
                 event->error->message);
        break;
    case WEIR_SERVICE_STOPPING:
        tell(s, "stopping", "");
        break;
    case WEIR_SERVICE_STOPPED:
        snprintf(number, sizeof(number), "%zu", event->connections_destroyed);
        tell(s, "stopped:", number);
        s->destroyed = event->connections_destroyed;
        s->settled = 1;
        s->stopped = 1;
        break;
    case WEIR_SERVICE_RELOADED:
    case WEIR_SERVICE_RELOAD_FAILED:
        fail_msg("nobody has reloaded it");
    }
    if (s->stop_in == (int)event->type + 1)
        assert_code(weir_service_stop(s->service, 1), 0);
}

int subject_load(subject *s, fixture *f, const char *json)
{
    memset(s, 0, sizeof(*s));
    s->f = f;
    const char *path = fixture_path(f, "service.json");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (const char *at = json; *at; at++) {
        if (at[0] == '%' && at[1] == 's')
            fputs(f->folder, file), at++;
        else
            fputc(*at, file);
    }
    assert_int_equal(fclose(file), 0);
    return weir_service_load(f->runtime, path, add_fault, s, &s->service);
}

void subject_begin(subject *s, fixture *f, const char *json)
{
    if (subject_load(s, f, json) != 0)
        fail_msg("%s", s->faults);
    s->inside = 1;
    assert_code(weir_service_start(s->service, subject_event, s), 0);
    s->inside = 0;
}

void subject_run(subject *s, fixture *f, const char *json)
{
    subject_begin(s, f, json);
    fixture_until(f, &s->settled);
    if (s->stopped)
        fail_msg("%s", s->errors);
}

void subject_stop(subject *s, int now)
{
    s->inside = 1;
    assert_code(weir_service_stop(s->service, now), 0);
    s->inside = 0;
}

void subject_end(subject *s)
{
    fixture_until(s->f, &s->stopped);
    assert_int_equal(weir_service_connections(s->service), 0);
    assert_code(weir_service_free(s->service), 0);
}

recorder *greeted_client(subject *s, size_t server)
{
    recorder *client = fixture_client(s->f, s->urls[server], NULL);
    recorder_wait_data(client, 1);
    return client;
}

void echo_once(recorder *client)
{
    size_t before = client->data_size;
    recorder_write(client, "hello", 5);
    recorder_wait_data(client, before + 5);
}

void subject_run_once(void *arg)
{
    subject *s = arg;
    s->stopped = s->settled = 0;
    s->told[0] = s->errors[0] = '\0';
    s->url_count = 0;
    int status = weir_service_start(s->service, subject_event, s);
    if (status != 0) {
        assert_code(status, UV_ENOMEM);
        return;
    }
    fixture_until(s->f, &s->settled);
    if (!s->stopped)
        assert_code(weir_service_stop(s->service, 1), 0);
    fixture_until(s->f, &s->stopped);
    fixture_turns(s->f, 2);
}

int spy_setup(void **state)
{
    int status = fixture_setup(state);
    fixture *f = *state;
    spy_reset();
    assert_code(weir_runtime_register_plugin(f->runtime, &spy, NULL), 0);
    return status;
}

int spy_teardown(void **state)
{
    int status = fixture_teardown(state);
    assert_int_equal(atomic_load(&spy_contexts), 0);
    return status;
}
