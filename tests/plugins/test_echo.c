/* SPDX-License-Identifier: MIT */
/* The echo handler: every byte comes back, whatever the client does. */
#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "served.h"

#define MIB ((size_t)1024 * 1024)

static const char *const transports[] = {"tcp://127.0.0.1:0", "ipc:%s"};

static served *start_echo(fixture *f, const char *transport)
{
    const char *listen = strstr(transport, "%s") ? fixture_text(f, "ipc:%s/echo.sock", f->folder) : transport;
    return served_start(
        f, fixture_text(f, "{\"servers\": [{\"name\": \"echo\", \"listen\": \"%s\", \"handler\": \"echo\"}]}", listen));
}

static weir_stream_options half_open(void)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    return options;
}

static void every_byte_comes_back(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
        served *echo = start_echo(f, transports[i]);
        recorder *client = fixture_client(f, served_url(echo, "echo"), NULL);
        recorder_write(client, "hello ", 6);
        recorder_wait_data(client, 6);
        recorder_write(client, "world", 5);
        recorder_wait_data(client, 11);
        recorder_end(client);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        recorder_expect_data(client, "hello world", 11);
        assert_true(recorder_saw(client, "end"));
        assert_int_equal(served_stop(echo, 0), 0);
    }
}

/* The client ends before it has read anything: what is on its way still comes back, then the end. */
static void client_that_half_closes_gets_all(void **state)
{
    fixture *f = *state;
    const size_t size = 8 * MIB;
    char *bytes = malloc(size);
    weir_stream_options options = half_open();
    assert_non_null(bytes);
    fixture_fill(bytes, size, 1);
    for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
        served *echo = start_echo(f, transports[i]);
        recorder *client = fixture_client(f, served_url(echo, "echo"), &options);
        recorder_write(client, bytes, size);
        recorder_end(client);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        recorder_expect_data(client, bytes, size);
        assert_true(recorder_saw(client, "end"));
        served_stop(echo, 0);
    }
    free(bytes);
}

/* Nothing is read for a client that does not read: it cannot get rid of more than what the kernel holds. */
static void client_that_does_not_read_is_held_back(void **state)
{
    fixture *f = *state;
    const size_t size = 16 * MIB;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    fixture_fill(bytes, size, 2);
    served *echo = start_echo(f, transports[1]);
    recorder *client = fixture_client(f, served_url(echo, "echo"), NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_pause(client);
    recorder_write(client, bytes, size);
    fixture_turns(f, 2000);
    assert_int_equal(client->writes_done, 0);
    assert_true(weir_stream_writable_length(client->stream) > 8 * MIB);
    recorder_resume(client);
    recorder_wait_data(client, size);
    recorder_expect_data(client, bytes, size);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    served_stop(echo, 0);
    free(bytes);
}

static void client_that_resets_is_no_warning(void **state)
{
    fixture *f = *state;
    served *echo = start_echo(f, transports[0]);
    recorder *first = fixture_client(f, served_url(echo, "echo"), NULL);
    recorder_write(first, "hello", 5);
    recorder_wait_data(first, 5);
    recorder_reset(first);
    recorder_wait(first, WEIR_EVENT_CLOSE);
    recorder *second = fixture_client(f, served_url(echo, "echo"), NULL);
    recorder_write(second, "again", 5);
    recorder_wait_data(second, 5);
    recorder_end(second);
    recorder_wait(second, WEIR_EVENT_CLOSE);
    assert_int_equal(served_stop(echo, 0), 0);
    assert_non_null(strstr(fixture_log(f), "debug: echo: connection "));
    assert_non_null(strstr(fixture_log(f), "ECONNRESET"));
    assert_null(strstr(fixture_log(f), "warning: "));
    assert_null(strstr(fixture_log(f), "error: "));
}

static void stop_waits_for_a_client_and_then_cuts(void **state)
{
    fixture *f = *state;
    served *echo = served_start(f, "{\"shutdownGrace\": 0, \"servers\": [{\"name\": \"echo\", \"listen\": "
                                   "\"tcp://127.0.0.1:0\", \"handler\": \"echo\"}]}");
    recorder *client = fixture_client(f, served_url(echo, "echo"), NULL);
    recorder_write(client, "hello", 5);
    recorder_wait_data(client, 5);
    assert_int_equal(served_stop(echo, 0), 1);
    recorder_wait(client, WEIR_EVENT_CLOSE);
}

static void options_are_refused(void **state)
{
    fixture *f = *state;
    served *echo = served_load(f, "{\"servers\": [{\"name\": \"e\", \"listen\": \"tcp://127.0.0.1:0\",\n"
                                  "\"handler\": {\"echo\": {\"loud\": true}}}]}");
    assert_null(echo->service);
    assert_non_null(strstr(echo->faults, "service.json:2:22: /servers/0/handler/echo/loud: "));
    served_stop(echo, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_byte_comes_back),
        FIXTURE_TEST(client_that_half_closes_gets_all),
        FIXTURE_TEST(client_that_does_not_read_is_held_back),
        FIXTURE_TEST(client_that_resets_is_no_warning),
        FIXTURE_TEST(stop_waits_for_a_client_and_then_cuts),
        FIXTURE_TEST(options_are_refused),
    };
    fixture_preload("echo");
    return cmocka_run_group_tests_name("echo", tests, NULL, NULL);
}
