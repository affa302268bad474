/* SPDX-License-Identifier: MIT */
/* The discard handler: everything is taken, nothing comes back, and it is counted. */
#define _GNU_SOURCE

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* ---- without memory ---- */

static void any_allocation_of_its_options_may_fail(void **state)
{
    assert_true(served_load_each(*state, "{\"servers\": [{\"name\": \"sink\", \"listen\": \"tcp://127.0.0.1:0\", "
                                         "\"handler\": \"discard\"}]}") > 10);
}

/* A connection is counted and closes when its client ends, or is closed and not counted; the summary is true. */
static void any_allocation_of_a_connection_may_fail(void **state)
{
    fixture *f = *state;
    served *sink = start_discard(f);
    const char *url = served_url(sink, "sink");
    unsigned connections = 0;
    unsigned refused = 0;
    size_t failures = 1;
    for (size_t nth = 1; failures > 0; nth++) {
        size_t before = strlen(fixture_log(f));
        unsigned port = 0;
        assert_int_equal(sscanf(url, "tcp://127.0.0.1:%u", &port), 1);
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        allocator_fail(nth, 0);
        send(fd, "hello", 5, MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        char byte;
        while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN) {
            assert_false(f->expired);
            fixture_turns(f, 1);
        }
        wait_for_connections(f, sink, 0);
        failures = allocator_failures();
        allocator_fail(0, 0);
        close(fd);
        const char *told = fixture_log(f) + before;
        refused += strstr(told, "error: discard: connection ") != NULL;
        connections += strstr(told, "discard: connection ") != NULL;
        if (failures == 0)
            assert_non_null(strstr(told, " closed after 5 bytes\n"));
    }
    assert_true(refused > 0 && connections > refused);
    served_stop(sink, 0);
    assert_non_null(strstr(fixture_log(f), fixture_text(f, " bytes of %u connections dropped\n", connections)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(bytes_and_connections_are_counted),
        FIXTURE_TEST(summary_of_an_unused_server),
        FIXTURE_TEST(summary_waits_for_connections),
        FIXTURE_TEST(client_that_resets_is_counted_too),
        FIXTURE_TEST(options_are_refused),
        FIXTURE_TEST(any_allocation_of_its_options_may_fail),
        FIXTURE_TEST(any_allocation_of_a_connection_may_fail),
    };
    fixture_preload("discard");
    return cmocka_run_group_tests_name("discard", tests, NULL, NULL);
}
