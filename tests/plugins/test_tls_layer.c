/* SPDX-License-Identifier: MIT */
/*
 * What any TLS layer has to get right, shown with an engine without cryptography: the order of opening, ends that are true
 * and ends that are cut off, data that waits, what is said last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator.h"
#include "tls_world.h"

#define TURNS 40

static void count_event(const weir_event *event, void *arg)
{
    int *count = arg;
    (void)event;
    ++*count;
}

/* ---- opening ---- */

static void TLS_01_connect_secureConnect_ready(void **state)
{
    fixture *f = *state;
    pair p = tls_pair(f, SERVES, TRUSTS);
    recorder_write(p.client, "hello", 5);
    recorder_wait_data(p.accepted, 5);
    recorder_end(p.client);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    const char *text = strstr(p.client->text, " connect ");
    const char *begins = " connect layer:tls-fake.secureConnect ready";
    assert_non_null(text);
    assert_int_equal(strncmp(text, begins, strlen(begins)), 0);
    recorder_expect_data(p.accepted, "hello", 5);
}

static void TLS_01_connection_comes_after_the_handshake_and_counts_before(void **state)
{
    fixture *f = *state;
    int connections = 0;
    size_t seen = 0;
    wire out = {0};
    weir_server *server = tls_server(f, SERVES);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, count_event, &connections), 0);
    recorder *raw = fixture_client(f, fixture_url(f, server), NULL);
    raw_hello(raw, NULL, NULL);
    recorder_wait_data(raw, WIRE_HEADER);
    assert_int_equal(raw_record(raw, &seen, NULL, NULL), WIRE_HANDSHAKE);
    fixture_turns(f, TURNS);
    assert_int_equal(connections, 0);
    assert_int_equal(weir_server_connections(server), 1);
    raw_finished(&out);
    raw_send(raw, &out);
    fixture_until(f, &connections);
    assert_int_equal(weir_server_connections(server), 1);
    recorder_destroy(raw, NULL);
}

static void on_server_closed(weir_server *server, int status, void *arg)
{
    int *done = arg;
    (void)server;
    *done = status == 0 ? 1 : -1;
}

static void TLS_01_close_lets_an_opening_connection_finish(void **state)
{
    fixture *f = *state;
    int connections = 0, closed = 0;
    size_t seen = 0;
    wire out = {0};
    weir_server *server = tls_server(f, SERVES);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, count_event, &connections), 0);
    recorder *raw = fixture_client(f, fixture_url(f, server), NULL);
    raw_hello(raw, NULL, NULL);
    while (raw_record(raw, &seen, NULL, NULL) == 0)
        recorder_wait_data(raw, raw->data_size + 1);
    assert_code(weir_server_close(server, on_server_closed, &closed), 0);
    fixture_turns(f, TURNS);
    assert_int_equal(closed, 0);
    raw_finished(&out);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(raw, &out);
    fixture_until(f, &connections);
    recorder_end(fixture_accepted(f, server, 0));
    fixture_until(f, &closed);
    assert_int_equal(closed, 1);
}

static void TLS_02_what_is_written_before_the_handshake_is_sent_after_it(void **state)
{
    fixture *f = *state;
    weir_server *server = tls_server(f, SERVES);
    recorder *client = tls_client(f, server, TRUSTS);
    recorder_write(client, "early", 5);
    recorder_write(client, " bird", 5);
    recorder_end(client);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait(accepted, WEIR_EVENT_END);
    recorder_expect_data(accepted, "early bird", 10);
    recorder_end(accepted);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "w1") && recorder_saw(client, "w2") && recorder_saw(client, "e1"));
}

static void TLS_02_nothing_is_sent_when_the_handshake_fails(void **state)
{
    fixture *f = *state;
    size_t at = 0;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    recorder *client = tls_client(f, server, "\"ca\": \"" OTHER_CERT "\"");
    recorder_write(client, "secret", 6);
    recorder *raw = fixture_accepted(f, server, 0);
    while (raw_record(raw, &at, NULL, NULL) == 0)
        recorder_wait_data(raw, raw->data_size + 1);
    raw_server_hello(raw);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_wait(raw, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "w1:EPROTO"));
    assert_true(recorder_saw(client, "error:EPROTO"));
    assert_int_equal(raw_record(raw, &at, NULL, NULL), WIRE_ALERT); /* and it is told why */
    assert_int_equal(at, raw->data_size);
}

/* The trap: the engine is done, but what it said last has not left. */
static void TLS_01_it_is_not_open_before_its_last_flight_has_left(void **state)
{
    fixture *f = *state;
    int connections = 0;
    size_t seen = 0;
    wire out = {0};
    const char *options = SERVES ", \"ciphers\": [\"FAKE_LAST_FLIGHT=50000\"]";
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "last", 4096, options), NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, count_event, &connections), 0);
    recorder *raw = fixture_client(f, plain_mem_endpoint(f, "last", 4096), NULL);
    raw_hello(raw, NULL, NULL);
    while (raw_record(raw, &seen, NULL, NULL) == 0)
        recorder_wait_data(raw, raw->data_size + 1);
    recorder_pause(raw);
    /* all at once, and the end behind it: none of it came before the layer was open */
    raw_finished(&out);
    wire_data(&out, "hello", 5);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(raw, &out);
    recorder_end(raw);
    fixture_turns(f, TURNS);
    assert_int_equal(connections, 0);
    recorder_resume(raw);
    fixture_until(f, &connections);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(accepted, "hello", 5);
    assert_int_equal(accepted->counts[WEIR_EVENT_END], 1);
    assert_int_equal(accepted->counts[WEIR_EVENT_ERROR], 0);
}

/* ---- ends ---- */

static void TLS_03_end_says_close_notify_and_then_ends_below(void **state)
{
    fixture *f = *state;
    unsigned char data[16];
    size_t at = 0, size = 0;
    pair p = raw_server(f, TRUSTS, &at);
    recorder_write(p.client, "bye", 3);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    assert_int_equal(raw_record(p.accepted, &at, data, &size), WIRE_DATA);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "bye", 3);
    assert_int_equal(raw_record(p.accepted, &at, data, &size), WIRE_ALERT);
    assert_int_equal(data[1], WIRE_CLOSE_NOTIFY);
    assert_int_equal(at, p.accepted->data_size);
    /* and still reads */
    wire out = {0};
    wire_data(&out, "and", 3);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(p.accepted, &out);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, "and", 3);
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0);
    recorder_end(p.accepted);
}

static void TLS_03_close_notify_alone_is_the_end(void **state)
{
    fixture *f = *state;
    unsigned char data[16];
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, TRUSTS, &at);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(p.accepted, &out);
    recorder_wait(p.client, WEIR_EVENT_END);
    recorder_write(p.client, "still", 5);
    while (raw_record(p.accepted, &at, data, NULL) == 0)
        recorder_wait_data(p.accepted, p.accepted->data_size + 1);
    assert_memory_equal(data, "still", 5);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0);
    recorder_end(p.accepted);
}

/* What comes behind it is nobody's data, and is read all the same: unread, it would make our close a reset. */
static void TLS_03_what_comes_behind_close_notify_is_dropped(void **state)
{
    static char rest[300000];
    fixture *f = *state;
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, TRUSTS, &at);
    wire_data(&out, "all", 3);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    wire_put(&out, rest, sizeof(rest));
    raw_send(p.accepted, &out);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    recorder_wait(p.accepted, WEIR_EVENT_FINISH);
    fixture_turns(f, TURNS);
    recorder_write(p.client, "bye", 3);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, "all", 3);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_ERROR], 0);
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0);
}

static void TLS_03_half_open_works_both_ways(void **state)
{
    fixture *f = *state;
    pair p = tls_pair(f, SERVES, TRUSTS);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    recorder_write(p.accepted, "one way", 7);
    recorder_wait_data(p.client, 7);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, "one way", 7);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 1);
}

static void TLS_03_data_and_close_notify_in_one_segment_come_in_order_after_resume(void **state)
{
    fixture *f = *state;
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, TRUSTS, &at);
    recorder_pause(p.client);
    fixture_turns(f, TURNS);
    wire_data(&out, "one", 3);
    wire_data(&out, "two", 3);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(p.accepted, &out);
    recorder_end(p.accepted);
    fixture_turns(f, TURNS);
    assert_int_equal(p.client->data_size, 0);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 0);
    recorder_resume(p.client);
    recorder_wait(p.client, WEIR_EVENT_END);
    recorder_expect_data(p.client, "onetwo", 6);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0);
}

static void pause_on_data(const weir_event *event, void *arg)
{
    int *paused = arg;
    weir_stream_pause(event->target_stream);
    *paused = 1;
}

/* All of it is here when the first record has been reported: the rest needs no byte from the peer. */
static void TLS_03_paused_inside_data_the_rest_and_the_end_wait(void **state)
{
    fixture *f = *state;
    static char bytes[16000];
    int paused = 0;
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, TRUSTS, &at);
    fixture_fill(bytes, sizeof(bytes), 5);
    assert_code(weir_stream_on(p.client->stream, WEIR_EVENT_DATA, pause_on_data, &paused), 0);
    for (int i = 0; i < 6; i++)
        wire_data(&out, bytes, sizeof(bytes));
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(p.accepted, &out);
    recorder_end(p.accepted);
    recorder_wait(p.accepted, WEIR_EVENT_FINISH);
    while (p.client->data_size < 6 * sizeof(bytes)) {
        fixture_until(f, &paused);
        size_t before = p.client->data_size;
        fixture_turns(f, TURNS);
        assert_int_equal(p.client->data_size, before);
        assert_int_equal(p.client->counts[WEIR_EVENT_END], 0);
        paused = 0;
        recorder_resume(p.client);
    }
    recorder_wait(p.client, WEIR_EVENT_END);
    for (size_t i = 0; i < 6; i++)
        assert_memory_equal(p.client->data + i * sizeof(bytes), bytes, sizeof(bytes));
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
}

/* ---- truncation ---- */

static void cut_off(fixture *f, const char *options, const char *word)
{
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, options, &at);
    recorder_pause(p.client);
    wire_data(&out, "half a", 6);
    raw_send(p.accepted, &out);
    recorder_end(p.accepted);
    recorder_wait(p.accepted, WEIR_EVENT_FINISH);
    fixture_turns(f, TURNS);
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0); /* behind the data, which nobody has read yet */
    recorder_resume(p.client);
    recorder_wait_data(p.client, 6);
    recorder_expect_data(p.client, "half a", 6);
    if (strcmp(word, "end") == 0) {
        recorder_wait(p.client, WEIR_EVENT_END);
        recorder_end(p.client);
    }
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.client, word));
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR] + p.client->counts[WEIR_EVENT_END], 1);
}

static void TLS_04_BN_17_an_end_without_close_notify_is_an_error_behind_the_data(void **state)
{
    cut_off(*state, TRUSTS, "error:ERR_TLS_TRUNCATED");
}

static void TLS_04_BN_17_allowTruncation_takes_it_for_an_end(void **state)
{
    cut_off(*state, TRUSTS ", \"allowTruncation\": true", "end");
}

/* In the middle of a record, too: what came of that one is not data. */
static void TLS_04_BN_17_a_record_cut_in_two_is_truncation(void **state)
{
    fixture *f = *state;
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, TRUSTS ", \"allowTruncation\": false", &at);
    wire_data(&out, "whole", 5);
    wire_data(&out, "broken", 6);
    out.size -= 2;
    raw_send(p.accepted, &out);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, "whole", 5);
    assert_true(recorder_saw(p.client, "error:ERR_TLS_TRUNCATED"));
    const weir_error *error = weir_stream_errored(p.client->stream);
    assert_non_null(strstr(error->message, "close_notify"));
}

/* ---- resets ---- */

static void BN_16_a_reset_goes_through_the_layer(void **state)
{
    fixture *f = *state;
    pair p = tls_pair(f, SERVES, TRUSTS);
    recorder_write(p.client, "x", 1);
    recorder_wait_data(p.accepted, 1);
    assert_code(recorder_reset(p.client), 0);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.accepted, "error:ECONNRESET"));
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
}

/* ---- what fails later ---- */

static void a_record_that_cannot_be_read_fails_behind_the_data_with_an_alert(void **state)
{
    fixture *f = *state;
    unsigned char data[16];
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, TRUSTS ", \"ciphers\": [\"FAKE_READ_FAILS=3\"]", &at);
    wire_data(&out, "one", 3);
    wire_data(&out, "two", 3);
    wire_data(&out, "three", 5);
    raw_send(p.accepted, &out);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, "onetwo", 6);
    assert_true(recorder_saw(p.client, "error:EPROTO"));
    recorder_wait(p.accepted, WEIR_EVENT_END);
    assert_int_equal(raw_record(p.accepted, &at, data, NULL), WIRE_ALERT);
    assert_int_equal(data[0], 2);
    recorder_end(p.accepted);
}

/* Takes 100 bytes at a time, and pauses after each. */
typedef struct cautious {
    char block[100], all[3000];
    size_t count;
    int paused;
} cautious;

static weir_onread_result take_one(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    cautious *self = arg;
    (void)stream;
    assert_true(self->count + count <= sizeof(self->all));
    memcpy(self->all + self->count, buffer, count);
    self->count += count;
    self->paused = 1;
    return WEIR_ONREAD_PAUSE;
}

/*
 * What has arrived comes in small blocks, the first one pauses the stream, and then what is below fails: the rest is in the
 * engine, and comes before the error. When chaos lets the data through before it fails there is nothing to be hidden, so
 * it is tried with several of its dice.
 */
static void what_is_readable_comes_before_a_failure_below(void **state)
{
    fixture *f = *state;
    static char bytes[3000];
    fixture_fill(bytes, sizeof(bytes), 7);
    for (unsigned seed = 1; seed <= 12; seed++) {
        wire out = {0};
        size_t at = 0;
        cautious self = {.count = 0};
        weir_stream_options options;
        weir_stream_options_init(&options);
        options.onread.callback = take_one;
        options.onread.buffer = self.block;
        options.onread.size = sizeof(self.block);
        options.onread.arg = &self;
        weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
        weir_address address;
        assert_code(weir_server_address(server, &address), 0);
        const char *endpoint = fixture_text(
            f,
            "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}, \"layers\": [{\"chaos\": {\"seed\": %u, "
            "\"delay\": 200, \"cut\": false, \"again\": 0, \"failAt\": \"read:3\"}}, {\"tls-fake\": {%s}}]}",
            address.port, seed, TRUSTS);
        recorder *client = fixture_client(f, endpoint, &options);
        recorder *raw = fixture_accepted(f, server, 0);
        assert_code(weir_stream_set_no_delay(raw->stream, 1), 0); /* the second write does not wait for the first */
        while (raw_record(raw, &at, NULL, NULL) == 0)
            recorder_wait_data(raw, raw->data_size + 1);
        raw_server_hello(raw);
        recorder_wait(client, WEIR_EVENT_READY);
        wire_data(&out, bytes, sizeof(bytes));
        raw_send(raw, &out);
        fixture_turns(f, 4);
        wire_data(&out, "", 0); /* what chaos fails at */
        raw_send(raw, &out);
        fixture_until(f, &self.paused);
        fixture_turns(f, 1000);
        assert_int_equal(self.count, sizeof(self.block));
        assert_int_equal(client->counts[WEIR_EVENT_ERROR], 0);
        while (client->counts[WEIR_EVENT_CLOSE] == 0) {
            assert_false(f->expired);
            recorder_resume(client);
            fixture_turns(f, 1);
        }
        assert_true(recorder_saw(client, "error:EIO"));
        assert_int_equal(self.count, sizeof(bytes));
        assert_memory_equal(self.all, bytes, sizeof(bytes));
        recorder_destroy(raw, NULL);
    }
}

static void an_alert_of_the_peer_says_which(void **state)
{
    fixture *f = *state;
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, TRUSTS, &at);
    wire_data(&out, "x", 1);
    wire_alert(&out, 2, 51);
    raw_send(p.accepted, &out);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, "x", 1);
    assert_non_null(strstr(weir_stream_errored(p.client->stream)->message, "alert 51"));
    recorder_end(p.accepted);
}

/* On version 3 a client is through before the server has looked at it. */
static void TLS_09_a_refused_client_sees_the_error_after_its_secureConnect(void **state)
{
    fixture *f = *state;
    int errors = 0;
    weir_server *server = tls_server(f, SERVES ", \"requestCert\": true, \"ca\": \"" FAKE_CA "\"");
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, count_event, &errors), 0);
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

static void a_failing_write_is_told_and_latched(void **state)
{
    fixture *f = *state;
    pair p = tls_pair(f, SERVES, TRUSTS ", \"ciphers\": [\"FAKE_WRITE_FAILS=2\"]");
    recorder_write(p.client, "one", 3);
    recorder_wait_data(p.accepted, 3);
    recorder_write(p.client, "two", 3);
    recorder_write(p.client, "three", 5);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.client, "w1"));
    assert_true(recorder_saw(p.client, "w2:EPROTO") && recorder_saw(p.client, "w3:EPROTO"));
    assert_true(recorder_saw(p.client, "error:EPROTO"));
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, "one", 3);
    assert_true(recorder_saw(p.accepted, "error:ERR_TLS_TRUNCATED"));
}

/* ---- a server and what it is sent before it is open ---- */

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
    while (all->count == before)
        fixture_turns(f, 1);
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
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, count_event, &connections), 0);
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
    assert_int_equal(strncmp(all.last, "ECONNRESET: tls-fake: ", 22), 0);
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
        while (all.count <= i)
            fixture_turns(f, 1);
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

/* ---- flow ---- */

static void TLS_18_counters_are_of_the_plaintext(void **state)
{
    fixture *f = *state;
    static char bytes[100000];
    pair p = tls_pair(f, SERVES, TRUSTS ", \"ciphers\": [\"FAKE_RECORD=100\"]");
    fixture_fill(bytes, sizeof(bytes), 1);
    recorder_write(p.client, bytes, sizeof(bytes));
    recorder_wait_data(p.accepted, sizeof(bytes));
    recorder_expect_data(p.accepted, bytes, sizeof(bytes));
    recorder_wait_writes(p.client, 1);
    assert_int_equal(weir_stream_bytes_written(p.client->stream), sizeof(bytes));
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), sizeof(bytes));
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

/* A write is only done when the kernel has it: what is written before a destroy and was called done arrives. */
static void TLS_18_a_write_is_done_when_it_has_left(void **state)
{
    fixture *f = *state;
    static char bytes[60000];
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "done", 9000, SERVES), NULL);
    pair p =
        fixture_connect(f, server, tls_mem_endpoint(f, "done", 9000, TRUSTS ", \"servername\": \"localhost\""), NULL);
    recorder_pause(p.accepted);
    fixture_turns(f, TURNS);
    recorder_write(p.client, bytes, sizeof(bytes));
    fixture_turns(f, TURNS);
    assert_false(recorder_saw(p.client, "w1"));
    size_t length = weir_stream_writable_length(p.client->stream);
    assert_true(length > sizeof(bytes) - 9000 && length < sizeof(bytes) + 1000);
    recorder_resume(p.accepted);
    recorder_wait_writes(p.client, 1);
    recorder_destroy(p.client, NULL);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, bytes, sizeof(bytes));
}

static void TLS_18_both_ways_at_once_through_a_slow_reader_memory_is_bounded(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    fixture *f = *state;
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    fixture_fill(bytes, SIZE, 9);
    weir_stream_options slow;
    weir_stream_options_init(&slow);
    slow.readable_high_water_mark = 4096;
    slow.allow_half_open = 1;
    f->record = 0;
    weir_server *server = tls_server(f, SERVES);
    pair p = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), &slow);
    assert_code(weir_stream_pipe(p.accepted->stream, p.accepted->stream, NULL), 0);
    recorder_write(p.client, bytes, SIZE);
    recorder_end(p.client);
    size_t got = 0;
    while (got < SIZE) {
        fixture_turns(f, 1);
        assert_false(f->expired);
        /* what waits at the server is what a pipe lets wait: the mark and a few records */
        assert_true(weir_stream_writable_length(p.accepted->stream) < (size_t)512 * 1024);
        weir_buf *buf = weir_stream_read(p.client->stream, 0);
        if (!buf)
            continue;
        assert_true(buf->size <= SIZE - got);
        assert_memory_equal(buf->data, bytes + got, buf->size);
        got += buf->size;
        weir_buf_release(buf);
    }
    recorder_add(p.client, RECORD_DATA);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    free(bytes);
}

/* Of one large write no more is encrypted than may wait in the queue: the rest waits as it was given. */
static void TLS_18_a_large_write_is_not_encrypted_ahead(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    fixture *f = *state;
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    f->record = 0;
    weir_server *server = tls_server(f, SERVES);
    pair p = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), NULL);
    weir_stream_pause(p.accepted->stream);
    size_t before = allocator_bytes();
    allocator_peak_begin();
    recorder_write(p.client, bytes, SIZE);
    fixture_turns(f, 20);
    assert_true(weir_stream_writable_length(p.client->stream) > SIZE / 4); /* it does wait */
    assert_true(allocator_peak() - before < (size_t)SIZE + 1024 * 1024);
    recorder_end(p.client);
    recorder_end(p.accepted);
    weir_stream_resume(p.accepted->stream);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    free(bytes);
}

/* The peer asks and asks, and does not read what it is answered: answers are not heaped up for it. */
static void TLS_18_answers_of_the_engine_have_a_bound_too(void **state)
{
    enum { RECORDS = 200 };
    fixture *f = *state;
    size_t seen = 0;
    wire out = {0};
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    const char *chatty = SERVES ", \"ciphers\": [\"FAKE_CHATTY=10000\"], \"tickets\": false";
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "chat", 4096, chatty), &options);
    recorder *raw = fixture_client(f, plain_mem_endpoint(f, "chat", 4096), NULL);
    raw_hello(raw, NULL, NULL);
    while (raw_record(raw, &seen, NULL, NULL) == 0)
        recorder_wait_data(raw, raw->data_size + 1);
    raw_finished(&out);
    raw_send(raw, &out);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_pause(raw);
    for (int i = 0; i < RECORDS; i++)
        wire_data(&out, "?", 1);
    raw_send(raw, &out);
    fixture_turns(f, 4 * RECORDS);
    if (accepted->data_size <= 5 || accepted->data_size >= 40)
        fail_msg("%zu records were read", accepted->data_size);
    recorder_resume(raw);
    recorder_wait_data(accepted, RECORDS);
    recorder_destroy(raw, NULL);
    recorder_destroy(accepted, NULL);
}

/* What asked for them has no data behind it, so that nothing but their leaving makes reading go on. */
static void TLS_18_answers_that_have_left_let_reading_go_on(void **state)
{
    fixture *f = *state;
    size_t seen = 0;
    wire out = {0};
    const char *chatty = SERVES ", \"ciphers\": [\"FAKE_CHATTY=10000\"], \"tickets\": false";
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "chat", 4096, chatty), NULL);
    recorder *raw = fixture_client(f, plain_mem_endpoint(f, "chat", 4096), NULL);
    raw_hello(raw, NULL, NULL);
    while (raw_record(raw, &seen, NULL, NULL) == 0)
        recorder_wait_data(raw, raw->data_size + 1);
    raw_finished(&out);
    raw_send(raw, &out);
    recorder *accepted = fixture_accepted(f, server, 0);
    fixture_turns(f, TURNS);
    recorder_pause(raw);
    for (int i = 0; i < 20; i++)
        wire_data(&out, "", 0);
    raw_send(raw, &out);
    fixture_turns(f, TURNS);
    recorder_resume(raw);
    wire_data(&out, "data", 4);
    raw_send(raw, &out);
    recorder_wait_data(accepted, 4);
    recorder_destroy(raw, NULL);
    recorder_destroy(accepted, NULL);
}

typedef struct sipping {
    char byte;
    size_t count;
} sipping;

static weir_onread_result sip(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    sipping *self = arg;
    (void)stream;
    (void)buffer;
    self->count += count;
    return WEIR_ONREAD_CONTINUE;
}

/* A reader of single bytes, who is called once for each, does not hold up the others for thousands of them. */
static void TLS_18_reports_have_a_bound_in_a_turn(void **state)
{
    static char bytes[30000];
    fixture *f = *state;
    sipping self = {0};
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.onread.callback = sip;
    options.onread.buffer = &self.byte;
    options.onread.size = 1;
    options.onread.arg = &self;
    f->record = 0;
    weir_server *server = tls_server(f, SERVES);
    pair p = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), &options);
    recorder_write(p.accepted, bytes, sizeof(bytes));
    while (self.count < sizeof(bytes)) {
        size_t before = self.count;
        fixture_turns(f, 1);
        assert_false(f->expired);
        if (self.count - before > 2000)
            fail_msg("%zu in one turn", self.count - before);
    }
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

/* ---- on a live stream ---- */

static weir_endpoint *layer(fixture *f, const char *options, weir_role role)
{
    weir_endpoint *endpoint = NULL;
    const char *text = fixture_text(f, "{\"tcp\": {\"port\": 1}, \"layers\": [{\"tls-fake\": {%s}}]}", options);
    assert_code(weir_endpoint_parse(f->runtime, text, role, NULL, &endpoint, NULL), 0);
    return endpoint;
}

static void added(weir_stream *stream, int status, void *arg)
{
    int *done = arg;
    (void)stream;
    *done = status == 0 ? 1 : -1;
}

/* The client's first bytes come in one go with the word that it begins: they are unread when the server adds its layer. */
static void TLS_19_the_layer_goes_on_a_live_stream_with_what_has_arrived(void **state)
{
    fixture *f = *state;
    int client_done = 0, server_done = 0;
    weir_endpoint *client = layer(f, TRUSTS, WEIR_CLIENT);
    weir_endpoint *serving = layer(f, SERVES, WEIR_SERVER);
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    f->record = 0;
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_write(p.client, "STARTTLS\n", 9);
    assert_code(weir_stream_add_layer(p.client->stream, client, added, &client_done), 0);
    recorder_write(p.client, "through", 7);
    recorder_add(p.accepted, RECORD_READABLE);
    while (weir_stream_readable_length(p.accepted->stream) <= 9)
        fixture_turns(f, 1);
    weir_buf *word = weir_stream_read(p.accepted->stream, 9);
    assert_memory_equal(word->data, "STARTTLS\n", 9);
    weir_buf_release(word);
    assert_true(weir_stream_readable_length(p.accepted->stream) > 0);
    assert_code(weir_stream_add_layer(p.accepted->stream, serving, added, &server_done), 0);
    fixture_until(f, &client_done);
    fixture_until(f, &server_done);
    assert_int_equal(client_done + server_done, 2);
    while ((word = weir_stream_read(p.accepted->stream, 7)) == NULL) {
        fixture_turns(f, 1);
        assert_false(f->expired);
    }
    assert_memory_equal(word->data, "through", 7);
    weir_buf_release(word);
    assert_string_equal(fact_of(f, p.client, "tls.version"), "TLSv1.3");
    recorder_add(p.client, RECORD_DATA);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    weir_stream_destroy(p.accepted->stream, NULL);
    weir_endpoint_release(client);
    weir_endpoint_release(serving);
}

/* ---- whatever a listener does ---- */

typedef struct doing {
    const char *event; /* of the layer */
    int reset;
    int done;
} doing;

static void end_all(const weir_event *event, void *arg)
{
    doing *self = arg;
    if (event->type == WEIR_EVENT_LAYER && strcmp(event->layer->name, self->event) != 0)
        return;
    self->done++;
    if (self->reset)
        weir_stream_reset_and_destroy(event->target_stream);
    else
        weir_stream_destroy(event->target_stream, NULL);
}

/* In each event of a connection's life, with bytes of both ways under way. */
static void TLS_01_a_stream_may_be_destroyed_in_any_event(void **state)
{
    static const char *const events[] = {"secureConnect", "session", "keylog"};
    static const weir_event_type types[] = {WEIR_EVENT_CONNECT, WEIR_EVENT_READY, WEIR_EVENT_DATA, WEIR_EVENT_END,
                                            WEIR_EVENT_DRAIN};
    static char bytes[100000];
    fixture *f = *state;
    for (size_t i = 0; i < 2 * (3 + sizeof(types) / sizeof(types[0])); i++) {
        size_t which = i / 2;
        doing self = {.event = which < 3 ? events[which] : "", .reset = i % 2};
        weir_server *server = tls_server(f, SERVES);
        recorder *client = tls_client(f, server, TRUSTS ", \"keylog\": true");
        assert_code(weir_stream_on(client->stream, which < 3 ? WEIR_EVENT_LAYER : types[which - 3], end_all, &self), 0);
        recorder_write(client, bytes, sizeof(bytes));
        if (which == 1 || which == 5 || which == 6) { /* those that need a word of the peer */
            recorder *accepted = fixture_accepted(f, server, 0);
            recorder_write(accepted, bytes, sizeof(bytes));
            recorder_end(accepted);
        }
        recorder_wait(client, WEIR_EVENT_CLOSE);
        if (self.done != 1)
            fail_msg("%zu: the event came %d times", i, self.done);
    }
}

/* The peer's first bytes are in the data that says that it begins, and the layer goes onto a TLS layer. */
typedef struct starting {
    weir_endpoint *layer;
    int done;
} starting;

static void start_in_data(const weir_event *event, void *arg)
{
    starting *self = arg;
    size_t rest = event->buffer->size - 9;
    weir_stream_off(event->target_stream, WEIR_EVENT_DATA, start_in_data, arg);
    assert_true(event->buffer->size >= 9 && memcmp(event->buffer->data, "STARTTLS\n", 9) == 0);
    if (rest)
        assert_code(weir_stream_unshift(event->target_stream, event->buffer->data + 9, rest), 0);
    assert_code(weir_stream_add_layer(event->target_stream, self->layer, added, &self->done), 0);
}

static void TLS_19_a_layer_goes_on_a_layer_from_within_data(void **state)
{
    fixture *f = *state;
    int client_done = 0;
    starting self = {.layer = layer(f, SERVES, WEIR_SERVER)};
    weir_endpoint *client = layer(f, TRUSTS ", \"servername\": \"localhost\"", WEIR_CLIENT);
    f->record = 0;
    pair p = tls_pair(f, SERVES, TRUSTS);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, start_in_data, &self), 0);
    recorder_write(p.client, "STARTTLS\n", 9);
    assert_code(weir_stream_add_layer(p.client->stream, client, added, &client_done), 0);
    recorder_write(p.client, "through", 7);
    fixture_until(f, &client_done);
    fixture_until(f, &self.done);
    assert_int_equal(client_done + self.done, 2);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, 7);
    recorder_expect_data(p.accepted, "through", 7);
    recorder_add(p.client, RECORD_DATA);
    recorder_end(p.client);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    weir_endpoint_release(client);
    weir_endpoint_release(self.layer);
}

/* With handshakes in every state; the fixture looks at what is left. */
static void TLS_01_the_runtime_may_end_in_the_middle_of_handshakes(void **state)
{
    fixture *f = *state;
    weir_server *server = tls_server(f, SERVES);
    weir_server *silent = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    for (int turns = 0; turns < 12; turns++) {
        tls_client(f, server, TRUSTS);
        tls_client(f, silent, TRUSTS);
        recorder *raw = fixture_client(f, fixture_url(f, server), NULL);
        recorder_write(raw, "\26\3\1", (size_t)(turns % 3));
        fixture_turns(f, turns);
    }
    fixture_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_01_connect_secureConnect_ready),
        FIXTURE_TEST(TLS_01_connection_comes_after_the_handshake_and_counts_before),
        FIXTURE_TEST(TLS_01_close_lets_an_opening_connection_finish),
        FIXTURE_TEST(TLS_02_what_is_written_before_the_handshake_is_sent_after_it),
        FIXTURE_TEST(TLS_02_nothing_is_sent_when_the_handshake_fails),
        FIXTURE_TEST(TLS_01_it_is_not_open_before_its_last_flight_has_left),
        FIXTURE_TEST(TLS_03_end_says_close_notify_and_then_ends_below),
        FIXTURE_TEST(TLS_03_close_notify_alone_is_the_end),
        FIXTURE_TEST(TLS_03_what_comes_behind_close_notify_is_dropped),
        FIXTURE_TEST(TLS_03_half_open_works_both_ways),
        FIXTURE_TEST(TLS_03_data_and_close_notify_in_one_segment_come_in_order_after_resume),
        FIXTURE_TEST(TLS_03_paused_inside_data_the_rest_and_the_end_wait),
        FIXTURE_TEST(TLS_04_BN_17_an_end_without_close_notify_is_an_error_behind_the_data),
        FIXTURE_TEST(TLS_04_BN_17_allowTruncation_takes_it_for_an_end),
        FIXTURE_TEST(TLS_04_BN_17_a_record_cut_in_two_is_truncation),
        FIXTURE_TEST(BN_16_a_reset_goes_through_the_layer),
        FIXTURE_TEST(a_record_that_cannot_be_read_fails_behind_the_data_with_an_alert),
        FIXTURE_TEST(what_is_readable_comes_before_a_failure_below),
        FIXTURE_TEST(an_alert_of_the_peer_says_which),
        FIXTURE_TEST(TLS_09_a_refused_client_sees_the_error_after_its_secureConnect),
        FIXTURE_TEST(a_failing_write_is_told_and_latched),
        FIXTURE_TEST(TLS_05_whatever_fails_before_the_handshake_is_over_is_one_clientError),
        FIXTURE_TEST(TLS_05_an_early_reset_is_one_clientError),
        FIXTURE_TEST(TLS_05_a_clients_failing_handshake_is_its_error),
        FIXTURE_TEST(TLS_05_an_early_end_of_the_server_is_the_clients_error),
        FIXTURE_TEST(TLS_05_a_thousand_scanners_leave_nothing_behind),
        FIXTURE_TEST(TLS_06_a_silent_client_is_closed_by_handshakeTimeout),
        FIXTURE_TEST(TLS_18_counters_are_of_the_plaintext),
        FIXTURE_TEST(TLS_18_a_write_is_done_when_it_has_left),
        FIXTURE_TEST(TLS_18_both_ways_at_once_through_a_slow_reader_memory_is_bounded),
        FIXTURE_TEST(TLS_18_a_large_write_is_not_encrypted_ahead),
        FIXTURE_TEST(TLS_18_answers_of_the_engine_have_a_bound_too),
        FIXTURE_TEST(TLS_18_answers_that_have_left_let_reading_go_on),
        FIXTURE_TEST(TLS_18_reports_have_a_bound_in_a_turn),
        FIXTURE_TEST(TLS_19_the_layer_goes_on_a_live_stream_with_what_has_arrived),
        FIXTURE_TEST(TLS_01_a_stream_may_be_destroyed_in_any_event),
        FIXTURE_TEST(TLS_19_a_layer_goes_on_a_layer_from_within_data),
        FIXTURE_TEST(TLS_01_the_runtime_may_end_in_the_middle_of_handshakes),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_layer", tests, NULL, NULL);
}
