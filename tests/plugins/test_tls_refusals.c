/* SPDX-License-Identifier: MIT */
/*
 * Handshakes that come to nothing: what a server is sent before it is open is one clientError and leaves nothing behind, and
 * a client hears why.
 */
#include <stdio.h>
#include <string.h>

#include "tls_world.h"

typedef struct refusals {
    int count;
    char last[512];
} refusals;

static void note_refusal(const weir_event *event, void *arg)
{
    refusals *all = arg;
    all->count++;
    snprintf(all->last, sizeof(all->last), "%s: %s", event->error->name, event->error->message);
    assert_non_null(event->address);
}

/* One clear clientError, the descriptor closed, nobody told of a connection. */
static void refuse(fixture *f, weir_server *server, refusals *all, const void *bytes, size_t size, int ends,
                   const char *code, const char *says)
{
    int before = all->count;
    recorder *raw = fixture_client(f, fixture_url(f, server), NULL);
    if (size)
        recorder_write(raw, bytes, size);
    if (ends)
        recorder_end(raw);
    recorder_wait(raw, WEIR_EVENT_CLOSE);
    while (all->count == before) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    fixture_turns(f, TURNS);
    assert_int_equal(all->count, before + 1);
    if (strncmp(all->last, code, strlen(code)) != 0 || !strstr(all->last, says))
        fail_msg("expected %s with '%s', got '%s'", code, says, all->last);
    assert_non_null(strstr(all->last, "tls-fake: "));
    assert_int_equal(weir_server_connections(server), 0);
}

static void TLS_05_whatever_fails_before_the_handshake_is_over_is_one_clientError(void **state)
{
    static const unsigned char malformed[] = {22, 3, 1, 0, 4, 2, 0, 0, 0};
    fixture *f = *state;
    refusals all = {0};
    int connections = 0;
    wire out = {0};
    wire_hello hello = {.name = "www.example.org"};
    weir_server *server = tls_server(f, SERVES);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, note_refusal, &all), 0);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, fixture_count, &connections), 0);
    wire_client_hello(&out, &hello, 0);
    refuse(f, server, &all, "GET / HTTP/1.1\r\n\r\n", 18, 0, "EPROTO", "plain HTTP");
    refuse(f, server, &all, "\0\1\2\3\4\5\6\7", 8, 0, "EPROTO", "does not speak TLS");
    refuse(f, server, &all, malformed, sizeof(malformed), 0, "EPROTO", "no ClientHello");
    refuse(f, server, &all, NULL, 0, 1, "ECONNRESET", "ERR_TLS_EARLY_END: the client left without a word");
    refuse(f, server, &all, out.data, out.size / 2, 1, "ECONNRESET",
           "ERR_TLS_EARLY_END: the client left in the middle of its ClientHello");
    /* a whole one, that the engine does not like: what was asked for is told */
    refuse(f, server, &all, out.data, out.size, 0, "EPROTO", "the client asked for www.example.org");
    wire_free(&out);
    assert_int_equal(connections, 0);
}

static void TLS_05_an_early_reset_is_one_clientError(void **state)
{
    fixture *f = *state;
    refusals all = {0};
    weir_server *server = tls_server(f, SERVES);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, note_refusal, &all), 0);
    recorder *raw = fixture_client(f, fixture_url(f, server), NULL);
    recorder_write(raw, "\26\3\1", 3);
    recorder_wait(raw, WEIR_EVENT_READY);
    fixture_turns(f, TURNS);
    assert_code(recorder_reset(raw), 0);
    recorder_wait(raw, WEIR_EVENT_CLOSE);
    fixture_until(f, &all.count);
    assert_ptr_equal(strstr(all.last, "ECONNRESET: tls-fake: "), all.last);
    fixture_turns(f, TURNS);
    assert_int_equal(all.count, 1);
    assert_int_equal(weir_server_connections(server), 0);
}

static void TLS_05_a_clients_failing_handshake_is_its_error(void **state)
{
    fixture *f = *state;
    weir_server *server = tls_server(f, SERVES ", \"ciphers\": [\"FAKE_HANDSHAKE_FAILS\"]");
    recorder *client = tls_client(f, server, TRUSTS ", \"servername\": \"LocalHost.\"");
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "error:EPROTO"));
    assert_int_equal(client->counts[WEIR_EVENT_READY], 0);
    const char *message = weir_stream_errored(client->stream)->message;
    assert_non_null(strstr(message, "alert 40"));
    assert_non_null(strstr(message, "connecting to localhost"));
}

/* The server leaves where a client waits for its answer. */
static void TLS_05_an_early_end_of_the_server_is_the_clients_error(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    recorder *client = tls_client(f, server, TRUSTS ", \"servername\": \"localhost\"");
    recorder *raw = fixture_accepted(f, server, 0);
    recorder_wait_data(raw, WIRE_HEADER);
    recorder_end(raw);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "error:ECONNRESET"));
    const char *message = weir_stream_errored(client->stream)->message;
    assert_non_null(strstr(message, "ERR_TLS_EARLY_END: the server left in the middle of the handshake"));
    assert_non_null(strstr(message, "; connecting to localhost"));
}

static void TLS_05_a_thousand_scanners_leave_nothing_behind(void **state)
{
    fixture *f = *state;
    refusals all = {0};
    weir_server *server = tls_server(f, SERVES);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, note_refusal, &all), 0);
    int descriptors = fixture_descriptors();
    for (int i = 0; i < 1000; i++) {
        weir_stream *raw = weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, NULL);
        assert_non_null(raw);
        weir_stream_write(raw, i % 2 ? "HELO\r\n" : "GET / HTTP/1.0\r\n", 6, NULL, NULL);
        weir_stream_resume(raw);
        weir_stream_release(raw);
        while (all.count <= i) {
            assert_false(f->expired);
            fixture_turns(f, 1);
        }
    }
    fixture_turns(f, TURNS);
    assert_int_equal(all.count, 1000);
    assert_int_equal(weir_server_connections(server), 0);
    assert_int_equal(fixture_descriptors(), descriptors);
}

static void TLS_06_a_silent_client_is_closed_by_handshakeTimeout(void **state)
{
    fixture *f = *state;
    refusals all = {0};
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.handshake_timeout = 30;
    weir_server *server = fixture_listen(f, tls_endpoint(f, NULL, SERVES), &options);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, note_refusal, &all), 0);
    recorder *raw = fixture_client(f, fixture_url(f, server), NULL);
    recorder_write(raw, "\26\3", 2);
    recorder_wait(raw, WEIR_EVENT_CLOSE);
    fixture_until(f, &all.count);
    assert_int_equal(strncmp(all.last, "ETIMEDOUT", 9), 0);
}

/* On version 3 a client is through before the server has looked at it. */
static void TLS_09_a_refused_client_sees_the_error_after_its_secureConnect(void **state)
{
    fixture *f = *state;
    int errors = 0;
    weir_server *server = tls_server(f, SERVES ", \"requestCert\": true, \"ca\": \"" FAKE_CA "\"");
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, fixture_count, &errors), 0);
    recorder *client = tls_client(f, server, TRUSTS);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "layer:tls-fake.secureConnect"));
    assert_true(recorder_saw(client, "error:EPROTO"));
    fixture_until(f, &errors);
    recorder *older = tls_client(f, server, TRUSTS ", \"maxVersion\": \"TLSv1.2\"");
    recorder_wait(older, WEIR_EVENT_CLOSE);
    assert_false(recorder_saw(older, "layer:tls-fake.secureConnect"));
    assert_true(recorder_saw(older, "error:EPROTO"));
    fixture_turns(f, TURNS);
    assert_int_equal(errors, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_09_a_refused_client_sees_the_error_after_its_secureConnect),
        FIXTURE_TEST(TLS_05_whatever_fails_before_the_handshake_is_over_is_one_clientError),
        FIXTURE_TEST(TLS_05_an_early_reset_is_one_clientError),
        FIXTURE_TEST(TLS_05_a_clients_failing_handshake_is_its_error),
        FIXTURE_TEST(TLS_05_an_early_end_of_the_server_is_the_clients_error),
        FIXTURE_TEST(TLS_05_a_thousand_scanners_leave_nothing_behind),
        FIXTURE_TEST(TLS_06_a_silent_client_is_closed_by_handshakeTimeout),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_refusals", tests, NULL, NULL);
}
