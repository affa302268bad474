/* SPDX-License-Identifier: MIT */
/* Services: all or none at the start, the order of their events, the grace at the end, and what their options do. */
#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spied_service.h"

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
    assert_code(weir_service_start(s.service, subject_event, &s), 0);
    assert_code(weir_service_start(s.service, subject_event, &s), UV_EALREADY);
    assert_code(weir_service_free(s.service), UV_EBUSY);
    fixture_until(s.f, &s.settled);
    assert_code(weir_service_start(s.service, subject_event, &s), UV_EALREADY);
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
        assert_code(weir_service_start(s.service, subject_event, &s), 0);
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

static void EMT_12_errors_of_clients_that_a_handler_does_not_hear_are_bounded(void **state)
{
    subject s;
    subject_run(&s, *state,
                "{\"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": {\"spy\": "
                "{\"deaf\": true}}}]}");
    /* Of those that are told five come first; how many follow depends on the time that this takes. */
    size_t clients = 0, counted = 0;
    for (; clients < 100 && counted < 2; clients++) {
        recorder_reset(greeted_client(&s, 0));
        while (!s.f->expired && weir_service_connections(s.service) > 0)
            fixture_turns(s.f, 1);
        fixture_turns(s.f, 2);
        counted = fixture_times(fixture_log(s.f), "debug: stream ");
    }
    assert_int_equal(counted, 2);
    assert_true(clients >= 7);
    assert_int_equal(fixture_times(fixture_log(s.f), "error: stream "), clients - counted);
    assert_int_equal(fixture_times(fixture_log(s.f), ": nobody listens for this error: "), clients);
    subject_stop(&s, 0);
    subject_end(&s);
    assert_true(fixture_times(fixture_log(s.f), "error: a: nobody listens for ") > 0);
    assert_int_equal(fixture_sum_more(fixture_log(s.f)), counted);
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

static void running_survives_every_failing_allocation(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state,
                             "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\"}, "
                             "{\"name\": \"b\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"spy\"}]}"),
                0);
    subject_run_once(&s);
    assert_string_equal(s.told, "listening:a listening:b running stopping stopped:0");
    assert_true(allocator_fail_each(subject_run_once, &s) > 4);
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
        SERVICE_TEST(EMT_12_errors_of_clients_that_a_handler_does_not_hear_are_bounded),
        SERVICE_TEST(one_connection_too_many_is_dropped_and_logged),
        SERVICE_TEST(warning_leaves_the_file_valid),
        SERVICE_TEST(files_are_relative_to_the_service_file),
        SERVICE_TEST(loading_survives_every_failing_allocation),
        SERVICE_TEST(running_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
