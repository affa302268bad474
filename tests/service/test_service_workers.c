/* SPDX-License-Identifier: MIT */
/* Services with workers: what they share, and that they start, stop and log as one. */
#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spied_service.h"

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
    assert_true(spy_runtimes_seen() > 1);
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
    assert_code(weir_service_start(s.service, subject_event, &s), 0);
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

static void workers_survive_every_failing_allocation(void **state)
{
    subject s;
    assert_code(subject_load(&s, *state,
                             "{\"workers\": 2, \"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", "
                             "\"handler\": \"spy\"}, {\"name\": \"b\", \"listen\": \"tcp://127.0.0.1:0\", "
                             "\"handler\": \"spy\"}]}"),
                0);
    subject_run_once(&s);
    assert_string_equal(s.told, "listening:a listening:b running stopping stopped:0");
    assert_true(allocator_fail_each(subject_run_once, &s) > 20);
    assert_code(weir_service_free(s.service), 0);
}

/* What the threads have to tell each other for that needs none. */
static void workers_stop_without_any_memory(void **state)
{
    for (int now = 0; now < 2; now++) {
        subject s;
        subject_run(&s, *state,
                    "{\"workers\": 4, \"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", "
                    "\"handler\": \"spy\"}]}");
        allocator_fail(1, 1);
        subject_stop(&s, now);
        fixture_until(s.f, &s.stopped);
        allocator_fail(0, 0);
        subject_end(&s);
        assert_int_equal(s.destroyed, 0);
        assert_non_null(strstr(s.told, "stopping stopped:0"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(workers_share_a_port),
        SERVICE_TEST(workers_share_a_socket_where_they_cannot_share_a_port),
        SERVICE_TEST(worker_that_cannot_be_made_stops_all),
        SERVICE_TEST(workers_stop_while_they_start),
        SERVICE_TEST(workers_log_in_the_service_s_thread),
        SERVICE_TEST(transport_that_cannot_be_shared_takes_one_worker),
        SERVICE_TEST(workers_survive_every_failing_allocation),
        SERVICE_TEST(workers_stop_without_any_memory),
    };
    return cmocka_run_group_tests_name("service_workers", tests, NULL, NULL);
}
