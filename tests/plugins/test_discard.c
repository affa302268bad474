/* SPDX-License-Identifier: MIT */
/* The discard handler: everything is taken, nothing comes back, and it is counted. */
#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "served.h"

#define MIB ((size_t)1024 * 1024)

static served *start_discard(fixture *f)
{
    return served_start(f, "{\"servers\": [{\"name\": \"sink\", \"listen\": \"tcp://127.0.0.1:0\", "
                           "\"handler\": \"discard\"}]}");
}

static void wait_for_connections(fixture *f, const served *sink, size_t count)
{
    while (!f->expired && weir_service_connections(sink->service) != count)
        fixture_turns(f, 1);
    assert_false(f->expired);
}

static void bytes_and_connections_are_counted(void **state)
{
    fixture *f = *state;
    char *bytes = calloc(1, MIB);
    assert_non_null(bytes);
    served *sink = start_discard(f);
    for (int i = 0; i < 3; i++) {
        recorder *client = fixture_client(f, served_url(sink, "sink"), NULL);
        recorder_write(client, bytes, MIB);
        recorder_end(client);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_int_equal(client->data_size, 0);
        assert_true(recorder_saw(client, "end"));
        assert_false(recorder_saw(client, "close:error"));
    }
    served_stop(sink, 0);
    assert_non_null(strstr(fixture_log(f), "debug: discard: connection "));
    assert_non_null(strstr(fixture_log(f), " closed after 1048576 bytes\n"));
    assert_non_null(strstr(fixture_log(f), "info: discard: 3145728 bytes of 3 connections dropped\n"));
    free(bytes);
}

static void summary_of_an_unused_server(void **state)
{
    fixture *f = *state;
    served_stop(start_discard(f), 0);
    assert_non_null(strstr(fixture_log(f), "info: discard: 0 bytes of 0 connections dropped\n"));
}

/* The summary is not told before the last connection is counted. */
static void summary_waits_for_connections(void **state)
{
    fixture *f = *state;
    served *sink = start_discard(f);
    recorder *client = fixture_client(f, served_url(sink, "sink"), NULL);
    recorder_write(client, "12345", 5);
    recorder_wait_writes(client, 1);
    wait_for_connections(f, sink, 1);
    assert_code(weir_service_stop(sink->service, 0), 0);
    fixture_until(f, &sink->stopping);
    assert_null(strstr(fixture_log(f), "connections dropped"));
    recorder_write(client, "678", 3);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    fixture_until(f, &sink->stopped);
    assert_int_equal(served_stop(sink, 0), 0);
    assert_non_null(strstr(fixture_log(f), "info: discard: 8 bytes of 1 connections dropped\n"));
}

static void client_that_resets_is_counted_too(void **state)
{
    fixture *f = *state;
    served *sink = start_discard(f);
    recorder *client = fixture_client(f, served_url(sink, "sink"), NULL);
    recorder_write(client, "hello", 5);
    recorder_wait_writes(client, 1);
    wait_for_connections(f, sink, 1);
    recorder_reset(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    wait_for_connections(f, sink, 0);
    served_stop(sink, 0);
    assert_non_null(strstr(fixture_log(f), " bytes of 1 connections dropped\n"));
    assert_null(strstr(fixture_log(f), "warning: "));
    assert_null(strstr(fixture_log(f), "error: "));
}

static void options_are_refused(void **state)
{
    fixture *f = *state;
    served *sink = served_load(f, "{\"servers\": [{\"name\": \"s\", \"listen\": \"tcp://127.0.0.1:0\",\n"
                                  "\"handler\": {\"discard\": {\"count\": true}}}]}");
    assert_null(sink->service);
    assert_non_null(strstr(sink->faults, "/servers/0/handler/discard/count: "));
    served_stop(sink, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(bytes_and_connections_are_counted),
        FIXTURE_TEST(summary_of_an_unused_server),
        FIXTURE_TEST(summary_waits_for_connections),
        FIXTURE_TEST(client_that_resets_is_counted_too),
        FIXTURE_TEST(options_are_refused),
    };
    fixture_preload("discard");
    return cmocka_run_group_tests_name("discard", tests, NULL, NULL);
}
