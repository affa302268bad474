/* SPDX-License-Identifier: MIT */
/*
 * How a stream with a TLS layer ends: ends that are true and ends that are cut off, resets, and what fails later; the data that
 * came before it is told first.
 */
#include <string.h>

#include "tls_world.h"

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

/* The same while our side goes on writing: not a byte of it stays where a close would find it. */
static void TLS_03_what_keeps_coming_behind_close_notify_is_read(void **state)
{
    enum { PIPE = 4000 };
    static char rest[25 * PIPE];
    fixture *f = *state;
    wire out = {0};
    size_t at = 0;
    weir_stream_options half_open;
    weir_stream_options_init(&half_open);
    half_open.allow_half_open = 1;
    weir_server_options server_options;
    weir_server_options_init(&server_options);
    server_options.stream.allow_half_open = 1;
    weir_server *server = fixture_listen(f, plain_mem_endpoint(f, "behind", PIPE), &server_options);
    recorder *client =
        fixture_client(f, tls_mem_endpoint(f, "behind", PIPE, TRUSTS ", \"servername\": \"localhost\""), &half_open);
    recorder *raw = fixture_accepted(f, server, 0);
    raw_wait_record(raw, &at);
    raw_server_hello(raw);
    recorder_wait(client, WEIR_EVENT_READY);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(raw, &out);
    recorder_wait(client, WEIR_EVENT_END);
    wire_put(&out, rest, sizeof(rest));
    raw_send(raw, &out);
    recorder_wait_writes(raw, 3);
    recorder_pause(client); /* nobody reads any more: that makes no difference */
    wire_put(&out, rest, sizeof(rest));
    raw_send(raw, &out);
    recorder_wait_writes(raw, 4);
    assert_int_equal(client->data_size, 0);
    assert_int_equal(client->counts[WEIR_EVENT_ERROR], 0);
    recorder_end(client);
    recorder_end(raw);
    recorder_wait(raw, WEIR_EVENT_CLOSE);
    recorder_wait(client, WEIR_EVENT_CLOSE);
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

/* A server that has ended its writing, over a probe, and a raw client that goes on. */
static pair ended_pair(fixture *f, const char *options, size_t *at)
{
    weir_server_options half_open;
    weir_server_options_init(&half_open);
    half_open.stream.allow_half_open = 1;
    weir_server *server = fixture_listen(f,
                                         fixture_text(f,
                                                      "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": "
                                                      "[{\"probe\": {}}, {\"tls-fake\": {%s}}]}",
                                                      options),
                                         &half_open);
    pair p = raw_client(f, server, at);
    recorder_end(p.accepted);
    recorder_wait(p.accepted, WEIR_EVENT_FINISH);
    recorder_wait(p.client, WEIR_EVENT_END);
    assert_int_equal(raw_record(p.client, at, NULL, NULL), WIRE_ALERT); /* close_notify */
    return p;
}

/* The link below has been shut down: the probe says so of every write behind that (law 6). */
static void TLS_03_an_alert_behind_our_end_is_not_sent(void **state)
{
    fixture *f = *state;
    wire out = {0};
    size_t at = 0;
    pair p = ended_pair(f, SERVES, &at);
    wire_record(&out, 99, "?", 1);
    raw_send(p.client, &out);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.accepted, "error:EPROTO"));
    assert_int_equal(p.client->data_size, at);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
}

/* Nor heaped up: with more of them than may wait, reading goes on. */
static void TLS_03_answers_of_the_engine_behind_our_end_are_dropped(void **state)
{
    enum { RECORDS = 20 };
    fixture *f = *state;
    wire out = {0};
    size_t at = 0;
    pair p = ended_pair(f, SERVES ", \"ciphers\": [\"FAKE_CHATTY=16000\"]", &at);
    for (int i = 0; i < RECORDS; i++)
        wire_data(&out, "?", 1);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(p.client, &out);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    assert_int_equal(p.accepted->data_size, RECORDS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_ERROR], 0);
    assert_int_equal(p.client->data_size, at);
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

/* Also where the name that a client asks for chooses another context: it is said around that one. */
static void TLS_10_BN_17_allowTruncation_is_that_of_the_listener_under_SNI(void **state)
{
    static const char *const said[] = {"true", "false"};
    fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        const char *options = fixture_text(f,
                                           "\"cert\": \"" OTHER_CERT "\", \"key\": \"" OTHER_KEY
                                           "\", \"allowTruncation\": %s, \"SNI\": {\"localhost\": {" SERVES "}}",
                                           said[i]);
        weir_server *server = tls_server(f, options);
        size_t at = 0;
        pair p = raw_client(f, server, &at);
        assert_string_equal(fact_of(f, p.accepted, "tls.servername"), "localhost");
        recorder_end(p.client);
        recorder_end(p.accepted);
        recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
        assert_int_equal(recorder_saw(p.accepted, "error:ERR_TLS_TRUNCATED"), i);
        assert_int_equal(recorder_saw(p.accepted, "end"), 1 - i);
        recorder_wait(p.client, WEIR_EVENT_CLOSE);
        recorder *named = tls_client(f, server, TRUSTS ", \"servername\": \"localhost\"");
        recorder_wait(named, WEIR_EVENT_READY);
        assert_string_equal(fact_of(f, named, "tls.peer.subject"), "server"); /* it is another one */
        recorder_destroy(named, NULL);
    }
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
    assert_ptr_equal(strstr(error->message, "tls-fake: ERR_TLS_TRUNCATED: the peer ended the connection without"),
                     error->message); /* the code stands first, as all others do */
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

/* Behind a true end too, with nothing written that would meet it. */
static void TLS_03_BN_16_a_reset_behind_close_notify_is_told(void **state)
{
    fixture *f = *state;
    wire out = {0};
    size_t at = 0;
    pair p = raw_server(f, TRUSTS, &at);
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    raw_send(p.accepted, &out);
    recorder_wait(p.client, WEIR_EVENT_END);
    assert_code(recorder_reset(p.accepted), 0);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.client, "error:ECONNRESET"));
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 1);
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
        raw_wait_record(raw, &at);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_03_end_says_close_notify_and_then_ends_below),
        FIXTURE_TEST(TLS_03_close_notify_alone_is_the_end),
        FIXTURE_TEST(TLS_03_what_comes_behind_close_notify_is_dropped),
        FIXTURE_TEST(TLS_03_what_keeps_coming_behind_close_notify_is_read),
        FIXTURE_TEST(TLS_03_half_open_works_both_ways),
        FIXTURE_TEST(TLS_03_data_and_close_notify_in_one_segment_come_in_order_after_resume),
        FIXTURE_TEST(TLS_03_paused_inside_data_the_rest_and_the_end_wait),
        FIXTURE_TEST(TLS_03_an_alert_behind_our_end_is_not_sent),
        FIXTURE_TEST(TLS_03_answers_of_the_engine_behind_our_end_are_dropped),
        FIXTURE_TEST(TLS_04_BN_17_an_end_without_close_notify_is_an_error_behind_the_data),
        FIXTURE_TEST(TLS_04_BN_17_allowTruncation_takes_it_for_an_end),
        FIXTURE_TEST(TLS_10_BN_17_allowTruncation_is_that_of_the_listener_under_SNI),
        FIXTURE_TEST(TLS_04_BN_17_a_record_cut_in_two_is_truncation),
        FIXTURE_TEST(BN_16_a_reset_goes_through_the_layer),
        FIXTURE_TEST(TLS_03_BN_16_a_reset_behind_close_notify_is_told),
        FIXTURE_TEST(a_record_that_cannot_be_read_fails_behind_the_data_with_an_alert),
        FIXTURE_TEST(what_is_readable_comes_before_a_failure_below),
        FIXTURE_TEST(an_alert_of_the_peer_says_which),
        FIXTURE_TEST(a_failing_write_is_told_and_latched),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_ends", tests, NULL, NULL);
}
