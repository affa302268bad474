/* SPDX-License-Identifier: MIT */
/* Services: all or none at the start, the order of their events, the grace at the end, and workers. */
#define _GNU_SOURCE

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/handler.h>

#include "fixture.h"

/* ---- a handler that tells what it saw ---- */

static atomic_int spy_contexts, spy_connections, spy_stopping;
static atomic_int spy_configures_left; /* the configure after so many fails; below 0: none does */
static _Atomic(weir_runtime *) spy_runtimes[4];
static weir_stream_options spy_prepared;

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
              "\"boolean\"}, \"endThem\": {\"type\": \"boolean\"}, \"warn\": {\"type\": \"boolean\"}}}",
    .handler = &spy_handler};

/* ---- a service under test, and what it told ---- */

typedef struct {
    fixture *f;
    weir_service *service;
    char told[4096];   /* "listening:a running stopping stopped:2" */
    char faults[2048]; /* a line each */
    char errors[2048]; /* "server: message\n" of the FAILED ones */
    char urls[8][256]; /* of the servers that listen, in order */
    size_t url_count;
    size_t destroyed;
    int settled; /* running or stopped */
    int stopped;
    int inside;  /* a call into the service is on the stack */
    int stop_in; /* stop in the event with this number, plus 1 */
} subject;

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

static void on_event(const weir_service_event *event, void *arg)
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

/* `%s` in the text is the test's folder. */
static int subject_load(subject *s, fixture *f, const char *json)
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

static void subject_begin(subject *s, fixture *f, const char *json)
{
    if (subject_load(s, f, json) != 0)
        fail_msg("%s", s->faults);
    s->inside = 1;
    assert_code(weir_service_start(s->service, on_event, s), 0);
    s->inside = 0;
}

static void subject_run(subject *s, fixture *f, const char *json)
{
    subject_begin(s, f, json);
    fixture_until(f, &s->settled);
    if (s->stopped)
        fail_msg("%s", s->errors);
}

static void subject_stop(subject *s, int now)
{
    s->inside = 1;
    assert_code(weir_service_stop(s->service, now), 0);
    s->inside = 0;
}

/* Waits for STOPPED, and frees it. */
static void subject_end(subject *s)
{
    fixture_until(s->f, &s->stopped);
    assert_int_equal(weir_service_connections(s->service), 0);
    assert_code(weir_service_free(s->service), 0);
}

/* A client that has got the spy's first bytes. */
static recorder *greeted_client(subject *s, size_t server)
{
    recorder *client = fixture_client(s->f, s->urls[server], NULL);
    recorder_wait_data(client, 1);
    return client;
}

static void echo_once(recorder *client)
{
    size_t before = client->data_size;
    recorder_write(client, "hello", 5);
    recorder_wait_data(client, before + 5);
}

static int spy_setup(void **state)
{
    int status = fixture_setup(state);
    fixture *f = *state;
    spy_reset();
    assert_code(weir_runtime_register_plugin(f->runtime, &spy, NULL), 0);
    return status;
}

static int spy_teardown(void **state)
{
    int status = fixture_teardown(state);
    assert_int_equal(atomic_load(&spy_contexts), 0);
    return status;
}

#define SERVICE_TEST(function) cmocka_unit_test_setup_teardown(function, spy_setup, spy_teardown)

#define ONE_IPC                                                                                                   \
    "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\"}], \"shutdownGrace\": " \
    "\"1h\"}"

/* ---- life ---- */

static void events_come_in_order_and_never_inside_a_call(void **state)
{
    subject s;
    subject_run(&s, *state,
                "{\"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"spy\"},"
                "{\"name\": \"b\", \"listen\": \"ipc:%s/b.sock\", \"handler\": {\"spy\": {}}}]}");
    assert_string_equal(s.told, "listening:a listening:b running");
    assert_memory_equal(s.urls[0], "tcp://127.0.0.1:", 16);
    assert_true(atoi(s.urls[0] + 16) > 0);
    assert_string_equal(s.urls[1], fixture_text(s.f, "ipc:%s/b.sock", s.f->folder));
    subject_stop(&s, 0);
    subject_end(&s);
    assert_string_equal(s.told, "listening:a listening:b running stopping stopped:0");
    assert_int_equal(atomic_load(&spy_stopping), 2);
}

static void state_is_guarded(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state, ONE_IPC), 0);
    assert_code(weir_service_stop(s.service, 0), UV_ENOTCONN);
    assert_code(weir_service_start(s.service, on_event, &s), 0);
    assert_code(weir_service_start(s.service, on_event, &s), UV_EALREADY);
    assert_code(weir_service_free(s.service), UV_EBUSY);
    fixture_until(s.f, &s.settled);
    assert_code(weir_service_start(s.service, on_event, &s), UV_EALREADY);
    assert_code(weir_service_free(s.service), UV_EBUSY);
    subject_stop(&s, 0);
    assert_code(weir_service_free(s.service), UV_EBUSY);
    subject_end(&s);
    assert_code(weir_service_free(NULL), 0);
    assert_code(weir_service_start(NULL, NULL, NULL), UV_EINVAL);
    assert_code(weir_service_stop(NULL, 0), UV_EINVAL);
}

static void loading_alone_makes_no_socket(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state, ONE_IPC), 0);
    assert_int_equal(access(fixture_path(s.f, "a.sock"), F_OK), -1);
    assert_int_equal(atomic_load(&spy_contexts), 1);
    assert_code(weir_service_free(s.service), 0);
    assert_int_equal(atomic_load(&spy_contexts), 0);
}

static void service_may_run_again(void **state)
{
    subject s;
    subject_run(&s, *state, ONE_IPC);
    for (int i = 0; i < 3; i++) {
        recorder *client = greeted_client(&s, 0);
        echo_once(client);
        subject_stop(&s, 1);
        fixture_until(s.f, &s.stopped);
        assert_int_equal(s.destroyed, 1);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        s.stopped = s.settled = 0;
        s.url_count = 0;
        s.told[0] = '\0';
        assert_code(weir_service_start(s.service, on_event, &s), 0);
        fixture_until(s.f, &s.settled);
        assert_string_equal(s.told, "listening:a running");
    }
    subject_stop(&s, 1);
    subject_end(&s);
}

static void stop_before_it_listens_and_from_its_events(void **state)
{
    subject s;
    subject_begin(&s, *state, ONE_IPC);
    subject_stop(&s, 0);
    subject_end(&s);
    assert_string_equal(s.told, "stopping stopped:0");
    assert_int_equal(access(fixture_path(s.f, "a.sock"), F_OK), -1);

    static const struct {
        weir_service_event_type type;
        const char *told;
    } cases[] = {{WEIR_SERVICE_LISTENING, "listening:a running stopping stopped:0"},
                 {WEIR_SERVICE_RUNNING, "listening:a running stopping stopped:0"},
                 {WEIR_SERVICE_STOPPING, "listening:a running stopping stopped:0"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        subject_begin(&s, *state, ONE_IPC);
        s.stop_in = (int)cases[i].type + 1;
        fixture_until(s.f, &s.settled);
        if (cases[i].type == WEIR_SERVICE_STOPPING)
            subject_stop(&s, 0);
        subject_end(&s);
        assert_string_equal(s.told, cases[i].told);
    }
}

static void free_in_its_last_event(const weir_service_event *event, void *arg)
{
    subject *s = arg;
    if (event->type == WEIR_SERVICE_RUNNING)
        assert_code(weir_service_stop(event->service, 0), 0);
    if (event->type == WEIR_SERVICE_STOPPED) {
        assert_code(weir_service_free(event->service), 0);
        s->stopped = 1;
    }
}

static void service_may_be_freed_in_its_last_event(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state, ONE_IPC), 0);
    assert_code(weir_service_start(s.service, free_in_its_last_event, &s), 0);
    fixture_until(s.f, &s.stopped);
    assert_code(subject_load(&s, *state,
                             "{\"workers\": 2, \"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", "
                             "\"handler\": \"spy\"}]}"),
                0);
    assert_code(weir_service_start(s.service, free_in_its_last_event, &s), 0);
    fixture_until(s.f, &s.stopped);
}

/* For a service that tells nobody when it listens: tries until the spy answers. */
static recorder *patient_client(fixture *f, const char *url)
{
    for (;;) {
        recorder *client = fixture_client(f, url, NULL);
        while (!client->data_size && !client->counts[WEIR_EVENT_CLOSE])
            fixture_turns(f, 1);
        if (client->data_size)
            return client;
    }
}

static void nobody_has_to_listen_to_its_events(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state, ONE_IPC), 0);
    assert_code(weir_service_start(s.service, NULL, NULL), 0);
    recorder *client = patient_client(s.f, fixture_text(s.f, "ipc:%s/a.sock", s.f->folder));
    assert_code(weir_service_stop(s.service, 1), 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    while (weir_service_free(s.service) == UV_EBUSY)
        fixture_turns(s.f, 1);
}

/* ---- all or none ---- */

static void one_that_cannot_listen_keeps_all_from_serving(void **state)
{
    fixture *f = *state;
    subject s;
    fixture_listen(f, fixture_text(f, "ipc:%s/taken.sock", f->folder), NULL);
    subject_begin(&s, f,
                  "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\"},"
                  "{\"name\": \"b\", \"listen\": \"ipc:%s/taken.sock\", \"handler\": \"spy\"},"
                  "{\"name\": \"c\", \"listen\": \"ipc:%s/none/c.sock\", \"handler\": \"spy\"}]}");
    subject_end(&s);
    assert_string_equal(s.told, "failed:b failed:c stopped:0");
    assert_non_null(strstr(s.errors, "/taken.sock: listen "));
    assert_non_null(strstr(s.errors, "EADDRINUSE"));
    assert_non_null(strstr(s.errors, "/none/c.sock: listen "));
    assert_int_equal(access(fixture_path(f, "a.sock"), F_OK), -1);
    assert_int_equal(atomic_load(&spy_connections), 0);
    assert_int_equal(atomic_load(&spy_stopping), 1);
}

static void nobody_is_served_before_all_listen(void **state)
{
    fixture *f = *state;
    subject s;
    fixture_listen(f, fixture_text(f, "ipc:%s/taken.sock", f->folder), NULL);
    subject_begin(&s, f,
                  "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\"},"
                  "{\"name\": \"b\", \"listen\": \"tcp://localhost:0\", \"handler\": \"spy\"},"
                  "{\"name\": \"c\", \"listen\": \"ipc:%s/taken.sock\", \"handler\": \"spy\"}]}");
    /* A name takes a thread of its own to look up, so that a listens for a while before b does. */
    recorder *client = fixture_client(f, fixture_text(f, "ipc:%s/a.sock", f->folder), NULL);
    subject_end(&s);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(client->data_size, 0);
    assert_int_equal(atomic_load(&spy_connections), 0);
    assert_string_equal(s.told, "failed:c stopped:0");
}

/* ---- stopping ---- */

static void stop_lets_connections_end(void **state)
{
    subject s;
    subject_run(&s, *state, ONE_IPC);
    recorder *client = greeted_client(&s, 0);
    assert_int_equal(weir_service_connections(s.service), 1);
    subject_stop(&s, 0);
    /* Its socket has gone, its connection goes on. */
    recorder *late = fixture_client(s.f, s.urls[0], NULL);
    recorder_wait(late, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(late, "close:error"));
    echo_once(client);
    assert_string_equal(s.told, "listening:a running stopping");
    recorder_end(client);
    subject_end(&s);
    assert_string_equal(s.told, "listening:a running stopping stopped:0");
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "end"));
}

static void handler_may_end_its_connections_at_the_stop(void **state)
{
    subject s;
    subject_run(&s, *state,
                "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": {\"spy\": {\"endThem\": "
                "true}}}], \"shutdownGrace\": \"1h\"}");
    recorder *client = greeted_client(&s, 0);
    subject_stop(&s, 0);
    subject_end(&s);
    assert_int_equal(s.destroyed, 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
}

static void grace_that_is_over_cuts_and_counts(void **state)
{
    subject s;
    subject_run(&s, *state,
                "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\"},"
                "{\"name\": \"b\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"spy\"}], \"shutdownGrace\": 1}");
    recorder *first = greeted_client(&s, 0), *second = greeted_client(&s, 1), *third = greeted_client(&s, 1);
    recorder_end(third);
    recorder_wait(third, WEIR_EVENT_CLOSE);
    assert_int_equal(weir_service_connections(s.service), 2);
    subject_stop(&s, 0);
    subject_end(&s);
    assert_int_equal(s.destroyed, 2);
    recorder_wait(first, WEIR_EVENT_CLOSE);
    recorder_wait(second, WEIR_EVENT_CLOSE);
}

static void second_stop_cuts_the_grace_short(void **state)
{
    subject s;
    subject_run(&s, *state, ONE_IPC);
    recorder *client = greeted_client(&s, 0);
    subject_stop(&s, 0);
    echo_once(client);
    subject_stop(&s, 0); /* this one changes nothing */
    echo_once(client);
    subject_stop(&s, 1);
    subject_end(&s);
    assert_string_equal(s.told, "listening:a running stopping stopped:1");
    assert_int_equal(atomic_load(&spy_stopping), 1);
    recorder_wait(client, WEIR_EVENT_CLOSE);
}

/* ---- options ---- */

/* BN-04, BN-07: in services both have a limit unless the file says otherwise. */
static void net_BN_04_BN_07_defaults_of_services(void **state)
{
    subject s;
    subject_run(&s, *state, ONE_IPC);
    assert_int_equal(spy_prepared.half_close_timeout, 30000);
    assert_int_equal(spy_prepared.max_write_queue, 16 * 1024 * 1024);
    recorder *client = greeted_client(&s, 0);
    assert_memory_equal(client->data, "5 6 ", 4);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    subject_stop(&s, 0);
    subject_end(&s);
    /* The file wins over the handler, the endpoint over the server. */
    subject_run(
        &s, *state,
        "{\"servers\": [{\"name\": \"a\", \"listen\": {\"ipc\": {\"path\": \"%s/a.sock\"}, \"stream\": "
        "{\"writableHighWaterMark\": 8, \"timeout\": \"1h\"}}, \"handler\": \"spy\", \"readableHighWaterMark\": "
        "\"7B\", \"writableHighWaterMark\": 7}]}");
    client = greeted_client(&s, 0);
    assert_int_equal(client->data_size, 12);
    assert_memory_equal(client->data, "7 8 3600000.", 12);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    subject_stop(&s, 0);
    subject_end(&s);
}

static void idle_connection_is_closed(void **state)
{
    subject s;
    subject_run(&s, *state,
                "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\", \"timeout\": 1},"
                "{\"name\": \"b\", \"listen\": \"ipc:%s/b.sock\", \"handler\": {\"spy\": {\"keepIdle\": true}}, "
                "\"timeout\": 1}]}");
    recorder *client = greeted_client(&s, 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    /* A handler that looks after idle connections itself is not interfered with. */
    recorder *kept = fixture_client(s.f, s.urls[1], NULL);
    while (!kept->data || !memmem(kept->data, kept->data_size, "idle", 4))
        recorder_wait_data(kept, kept->data_size + 1);
    assert_int_equal(kept->counts[WEIR_EVENT_CLOSE], 0);
    subject_stop(&s, 1);
    subject_end(&s);
    recorder_wait(kept, WEIR_EVENT_CLOSE);
}

static void one_connection_too_many_is_dropped_and_logged(void **state)
{
    subject s;
    subject_run(&s, *state,
                "{\"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"spy\", "
                "\"maxConnections\": 1}]}");
    recorder *first = greeted_client(&s, 0), *second = fixture_client(s.f, s.urls[0], NULL);
    recorder_wait(second, WEIR_EVENT_CLOSE);
    assert_int_equal(second->data_size, 0);
    assert_non_null(strstr(fixture_log(s.f), "info: a: a connection from 127.0.0.1:"));
    assert_non_null(strstr(fixture_log(s.f), " was dropped (maxConnections)\n"));
    echo_once(first);
    subject_stop(&s, 1);
    subject_end(&s);
    recorder_wait(first, WEIR_EVENT_CLOSE);
}

static void warning_leaves_the_file_valid(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state,
                             "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": {\"spy\": "
                             "{\"warn\": true}}}]}"),
                0);
    assert_non_null(strstr(s.faults, "W service.json:1:"));
    assert_non_null(strstr(s.faults, ": warning: /servers/0/handler/spy/warn: as you wish\n"));
    assert_code(weir_service_free(s.service), 0);
}

static void files_are_relative_to_the_service_file(void **state)
{
    fixture *f = *state;
    subject s;
    const char *link = fixture_path(f, "elsewhere");
    assert_int_equal(symlink(WEIR_TEST_PLUGINS, link), 0);
    char *here = getcwd(NULL, 0);
    assert_non_null(here);
    assert_code(subject_load(&s, f,
                             "{\"plugins\": {\"path\": [\"elsewhere\"]}, \"servers\": [{\"name\": \"a\", \"listen\": "
                             "\"ipc:a.sock\", \"handler\": \"spy\"}]}"),
                0);
    assert_code(weir_service_free(s.service), 0);
    /* By a relative path, too: it is the file's folder that counts, not the working folder. */
    assert_int_equal(chdir("/"), 0);
    weir_service *service = NULL;
    assert_code(weir_service_load(f->runtime, fixture_text(f, ".%s/service.json", f->folder), NULL, NULL, &service), 0);
    assert_code(weir_service_start(service, NULL, NULL), 0);
    recorder *client = patient_client(f, fixture_text(f, "ipc:%s/a.sock", f->folder));
    assert_code(weir_service_stop(service, 1), 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    while (weir_service_free(service) == UV_EBUSY)
        fixture_turns(f, 1);
    assert_int_equal(chdir(here), 0);
    free(here);
}

/* ---- workers ---- */

static size_t runtimes_seen(void)
{
    size_t count = 0;
    while (count < 4 && atomic_load(&spy_runtimes[count]))
        count++;
    return count;
}

#define MANY 48

static void workers_share_a_port(void **state)
{
    fixture *f = *state;
    subject s;
    recorder *clients[MANY];
    subject_run(&s, f,
                "{\"workers\": 3, \"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": "
                "\"spy\"}], \"shutdownGrace\": \"1h\"}");
    assert_string_equal(s.told, "listening:a running");
    assert_int_equal(atomic_load(&spy_contexts), 3);
    for (size_t i = 0; i < MANY; i++)
        clients[i] = fixture_client(f, s.urls[0], NULL);
    for (size_t i = 0; i < MANY; i++) {
        recorder_wait_data(clients[i], 1);
        echo_once(clients[i]);
    }
    assert_int_equal(atomic_load(&spy_connections), MANY);
    assert_int_equal(weir_service_connections(s.service), MANY);
    /* That the kernel gives all to one has a chance of one in 3 to the power of 47. */
    assert_true(runtimes_seen() > 1);
    for (size_t i = 0; i < MANY / 2; i++)
        recorder_end(clients[i]);
    for (size_t i = 0; i < MANY / 2; i++)
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
    subject_stop(&s, 0);
    echo_once(clients[MANY - 1]);
    subject_stop(&s, 1);
    subject_end(&s);
    assert_int_equal(s.destroyed, MANY - MANY / 2);
    assert_int_equal(atomic_load(&spy_stopping), 3);
    for (size_t i = MANY / 2; i < MANY; i++)
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
}

static void workers_share_a_socket_where_they_cannot_share_a_port(void **state)
{
    fixture *f = *state;
    subject s;
    recorder *clients[MANY];
    subject_run(&s, f,
                "{\"workers\": 2, \"servers\": ["
                "{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\"},"
                "{\"name\": \"b\", \"listen\": \"tcp://127.0.0.1:0?reusePort=false\", \"handler\": \"spy\"}]}");
    for (size_t i = 0; i < MANY; i++)
        clients[i] = fixture_client(f, s.urls[i % 2], NULL);
    for (size_t i = 0; i < MANY; i++) {
        recorder_wait_data(clients[i], 1);
        echo_once(clients[i]);
        recorder_end(clients[i]);
    }
    for (size_t i = 0; i < MANY; i++)
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
    subject_stop(&s, 0);
    subject_end(&s);
    assert_int_equal(s.destroyed, 0);
    assert_int_equal(access(fixture_path(f, "a.sock"), F_OK), -1);
}

static void worker_that_cannot_be_made_stops_all(void **state)
{
    fixture *f = *state;
    subject s;
    assert_code(subject_load(&s, f,
                             "{\"workers\": 4, \"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", "
                             "\"handler\": \"spy\"}]}"),
                0);
    atomic_store(&spy_configures_left, 1); /* worker 1 gets one, worker 2 does not */
    assert_code(weir_service_start(s.service, on_event, &s), 0);
    subject_end(&s);
    assert_string_equal(s.told, "failed:a stopped:0");
    assert_non_null(strstr(s.errors, "what the file names has changed: "));
    assert_non_null(strstr(s.errors, "/servers/0/handler: not this time"));
    assert_int_equal(access(fixture_path(f, "a.sock"), F_OK), -1);
}

static void workers_stop_while_they_start(void **state)
{
    for (int now = 0; now < 2; now++) {
        for (int turns = 0; turns < 6; turns++) {
            subject s;
            subject_begin(&s, *state,
                          "{\"workers\": 3, \"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", "
                          "\"handler\": \"spy\"}]}");
            fixture_turns(s.f, turns);
            subject_stop(&s, now);
            subject_end(&s);
            assert_non_null(strstr(s.told, "stopping stopped:0"));
        }
    }
}

static void workers_log_in_the_service_s_thread(void **state)
{
    fixture *f = *state;
    subject s;
    recorder *clients[MANY];
    size_t served = 0, dropped = 0;
    subject_run(&s, f,
                "{\"workers\": 2, \"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": "
                "\"spy\", \"maxConnections\": 1}]}");
    for (size_t i = 0; i < MANY; i++)
        clients[i] = fixture_client(f, s.urls[0], NULL);
    for (size_t i = 0; i < MANY; i++) {
        while (!clients[i]->data_size && !clients[i]->counts[WEIR_EVENT_CLOSE])
            fixture_turns(f, 1);
        *(clients[i]->data_size ? &served : &dropped) += 1;
    }
    assert_true(served >= 1 && served <= 2);
    subject_stop(&s, 1);
    subject_end(&s);
    /* Each worker tells of the first one, and how many more there were. */
    size_t told = 0;
    for (const char *at = fixture_log(f); (at = strstr(at, "info: a: ")); at++)
        told += at[9] == 'a' ? 1 : strtoul(at + 9, NULL, 10);
    assert_non_null(strstr(fixture_log(f), " was dropped (maxConnections)\n"));
    assert_int_equal(told, dropped);
    for (size_t i = 0; i < MANY; i++)
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
}

static void transport_that_cannot_be_shared_takes_one_worker(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state,
                             "{\"workers\": 2, \"servers\": [{\"name\": \"a\", \"listen\": \"mem:x\", \"handler\": "
                             "\"spy\"}]}"),
                WEIR_EINVALID_CONFIG);
    assert_string_equal(s.faults, "service.json:1:52: /servers/0/listen: the transport mem cannot be shared by several "
                                  "workers; use one worker\n");
}

/* ---- without memory ---- */

static void load_once(void *arg)
{
    fixture *f = arg;
    weir_service *service = NULL;
    int status = weir_service_load(f->runtime, fixture_path(f, "service.json"), NULL, NULL, &service);
    if (status != 0)
        assert_code(status, UV_ENOMEM);
    assert_int_equal(service == NULL, status != 0);
    assert_int_equal(status != 0, allocator_failures() > 0 && !service);
    assert_code(weir_service_free(service), 0);
}

static void loading_survives_every_failing_allocation(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state, ONE_IPC), 0);
    assert_code(weir_service_free(s.service), 0);
    assert_true(allocator_fail_each(load_once, *state) > 10);
}

static void run_once(void *arg)
{
    subject *s = arg;
    s->stopped = s->settled = 0;
    s->told[0] = s->errors[0] = '\0';
    s->url_count = 0;
    int status = weir_service_start(s->service, on_event, s);
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

static void running_survives_every_failing_allocation(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state,
                             "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\"}, "
                             "{\"name\": \"b\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"spy\"}]}"),
                0);
    run_once(&s);
    assert_string_equal(s.told, "listening:a listening:b running stopping stopped:0");
    assert_true(allocator_fail_each(run_once, &s) > 4);
    assert_code(weir_service_free(s.service), 0);
}

static void workers_survive_every_failing_allocation(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state,
                             "{\"workers\": 2, \"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", "
                             "\"handler\": \"spy\"}, {\"name\": \"b\", \"listen\": \"tcp://127.0.0.1:0\", "
                             "\"handler\": \"spy\"}]}"),
                0);
    run_once(&s);
    assert_string_equal(s.told, "listening:a listening:b running stopping stopped:0");
    assert_true(allocator_fail_each(run_once, &s) > 20);
    assert_code(weir_service_free(s.service), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(events_come_in_order_and_never_inside_a_call),
        SERVICE_TEST(state_is_guarded),
        SERVICE_TEST(loading_alone_makes_no_socket),
        SERVICE_TEST(service_may_run_again),
        SERVICE_TEST(stop_before_it_listens_and_from_its_events),
        SERVICE_TEST(service_may_be_freed_in_its_last_event),
        SERVICE_TEST(nobody_has_to_listen_to_its_events),
        SERVICE_TEST(one_that_cannot_listen_keeps_all_from_serving),
        SERVICE_TEST(nobody_is_served_before_all_listen),
        SERVICE_TEST(stop_lets_connections_end),
        SERVICE_TEST(handler_may_end_its_connections_at_the_stop),
        SERVICE_TEST(grace_that_is_over_cuts_and_counts),
        SERVICE_TEST(second_stop_cuts_the_grace_short),
        SERVICE_TEST(net_BN_04_BN_07_defaults_of_services),
        SERVICE_TEST(idle_connection_is_closed),
        SERVICE_TEST(one_connection_too_many_is_dropped_and_logged),
        SERVICE_TEST(warning_leaves_the_file_valid),
        SERVICE_TEST(files_are_relative_to_the_service_file),
        SERVICE_TEST(workers_share_a_port),
        SERVICE_TEST(workers_share_a_socket_where_they_cannot_share_a_port),
        SERVICE_TEST(worker_that_cannot_be_made_stops_all),
        SERVICE_TEST(workers_stop_while_they_start),
        SERVICE_TEST(workers_log_in_the_service_s_thread),
        SERVICE_TEST(transport_that_cannot_be_shared_takes_one_worker),
        SERVICE_TEST(loading_survives_every_failing_allocation),
        SERVICE_TEST(running_survives_every_failing_allocation),
        SERVICE_TEST(workers_survive_every_failing_allocation),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
