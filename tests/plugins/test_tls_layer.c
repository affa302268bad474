/* SPDX-License-Identifier: MIT */
/*
 * The life of a TLS layer, shown with an engine without cryptography: the order of opening, layers put on a live stream, and
 * whatever a listener does meanwhile.
 */
#include <string.h>

#include "tls_world.h"

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
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, fixture_count, &connections), 0);
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
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, fixture_count, &connections), 0);
    recorder *raw = fixture_client(f, fixture_url(f, server), NULL);
    raw_hello(raw, NULL, NULL);
    raw_wait_record(raw, &seen);
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
    raw_wait_record(raw, &at);
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
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, fixture_count, &connections), 0);
    recorder *raw = fixture_client(f, plain_mem_endpoint(f, "last", 4096), NULL);
    raw_hello(raw, NULL, NULL);
    raw_wait_record(raw, &seen);
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
    weir_stream_pause(event->target_stream); /* what comes with the end of the handshake waits for who listens then */
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
    recorder_resume(p.accepted);
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

/* Base64 in which both of its signs stand: they are two. */
static void TLS_21_a_pin_has_the_digits_of_base64(void **state)
{
#define PINNED "subject=pinned6\\n"
    static const char server_options[] =
        "\"cert\": \"-----BEGIN FAKE CERTIFICATE-----\\n" PINNED "issuer=ca\\naddress=127.0.0.1\\n\", "
        "\"key\": \"-----BEGIN FAKE KEY-----\\n" PINNED "\"";
    static const char *const pins[] = {
        "2+adC0KowfeGEqqobsh0B/XM8lLMQHO4fyo2Ioc685Q=", /* of this subject, in the fake's way */
        "2+adC0KowfeGEqqobsh0B+XM8lLMQHO4fyo2Ioc685Q=",
        "2/adC0KowfeGEqqobsh0B/XM8lLMQHO4fyo2Ioc685Q=",
    };
    fixture *f = *state;
    weir_server *server = tls_server(f, server_options);
    for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
        recorder *client = tls_client(f, server, fixture_text(f, TRUSTS ", \"pinSha256\": \"%s\"", pins[i]));
        recorder_wait(client, i == 0 ? WEIR_EVENT_READY : WEIR_EVENT_CLOSE);
        assert_int_equal(client->counts[WEIR_EVENT_ERROR], i > 0);
        if (i == 0)
            assert_string_equal(fact_of(f, client, "tls.authorized"), "true");
        else
            assert_non_null(strstr(weir_stream_errored(client->stream)->message, "PIN_MISMATCH"));
        recorder_destroy(client, NULL);
    }
#undef PINNED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_21_a_pin_has_the_digits_of_base64),
        FIXTURE_TEST(TLS_01_connect_secureConnect_ready),
        FIXTURE_TEST(TLS_01_connection_comes_after_the_handshake_and_counts_before),
        FIXTURE_TEST(TLS_01_close_lets_an_opening_connection_finish),
        FIXTURE_TEST(TLS_02_what_is_written_before_the_handshake_is_sent_after_it),
        FIXTURE_TEST(TLS_02_nothing_is_sent_when_the_handshake_fails),
        FIXTURE_TEST(TLS_01_it_is_not_open_before_its_last_flight_has_left),
        FIXTURE_TEST(TLS_19_the_layer_goes_on_a_live_stream_with_what_has_arrived),
        FIXTURE_TEST(TLS_01_a_stream_may_be_destroyed_in_any_event),
        FIXTURE_TEST(TLS_19_a_layer_goes_on_a_layer_from_within_data),
        FIXTURE_TEST(TLS_01_the_runtime_may_end_in_the_middle_of_handshakes),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_layer", tests, NULL, NULL);
}
