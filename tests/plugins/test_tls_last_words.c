/* SPDX-License-Identifier: MIT */
/* Why a connection of the layer tls fails: what the peer said at last comes before a write that could not be sent. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_world.h"

#include "plugins/tls/include/weir/tls.h"

enum { ALERT = 49 };

/* ---- a peer that is a socket: all it says is there before the loop runs, and so is its reset ---- */

static int listen_plainly(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int connect_plainly(const weir_server *server)
{
    weir_address listening;
    assert_code(weir_server_address(server, &listening), 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)listening.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Until something has come; what it is does not matter. */
static void wait_for_bytes(fixture *f, int fd)
{
    static char bytes[65536];
    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
}

static void say(int fd, wire *what)
{
    assert_false(what->failed);
    assert_int_equal(send(fd, what->data, what->size, MSG_NOSIGNAL), what->size);
    wire_free(what);
}

static void leave_by_reset(fixture *f, int fd)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    fixture_arrive(f);
}

/* Nothing, in messages of more bytes than one read takes: what is behind them is in the kernel when it is answered. */
static void put_padding(wire *to)
{
    static const unsigned char nothing[15000];
    for (int i = 0; i < 3; i++)
        wire_message(to, WIRE_PADDING, nothing, sizeof(nothing));
}

/* A client of tls-fake, and its server's socket, which has got the ClientHello. */
typedef struct meeting {
    recorder *client;
    int listener;
    int peer;
} meeting;

static meeting meet(fixture *f, const char *options)
{
    int port;
    meeting m = {.listener = listen_plainly(&port)};
    weir_stream_options stream;
    weir_stream_options_init(&stream);
    stream.allow_half_open = 1;
    m.client = fixture_client(f,
                              fixture_text(f,
                                           "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %d}, \"layers\": "
                                           "[{\"tls-fake\": {%s}}]}",
                                           port, options),
                              &stream);
    recorder_wait(m.client, WEIR_EVENT_CONNECT);
    m.peer = accept4(m.listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(m.peer >= 0);
    wait_for_bytes(f, m.peer);
    return m;
}

static void expect_alert(const char *code, const char *message)
{
    assert_string_equal(code, "EPROTO");
    if (!strstr(message, "the peer sent the alert 49"))
        fail_msg("'%s'", message);
}

static void part(meeting *m)
{
    recorder_wait(m->client, WEIR_EVENT_CLOSE);
    close(m->listener);
}

/* ---- before it is open ---- */

/* Version 2 waits for the server's Finished, version 3 is over with its own: neither can be sent any more. */
static void TLS_05_a_server_that_gives_up_is_heard_though_the_answer_cannot_be_sent(void **state)
{
    fixture *f = *state;
    for (char version = 2; version <= 3; version++) {
        wire out = {0};
        meeting m = meet(f, TRUSTS);
        raw_put_server_hello(&out, version);
        put_padding(&out);
        wire_alert(&out, 2, ALERT);
        say(m.peer, &out);
        leave_by_reset(f, m.peer);
        part(&m);
        assert_int_equal(m.client->counts[WEIR_EVENT_READY], 0);
        const weir_error *error = weir_stream_errored(m.client->stream);
        expect_alert(error->name, error->message);
    }
}

/* It has said nothing but that it is not there any more. */
static void TLS_05_a_server_that_says_nothing_is_a_failed_write(void **state)
{
    fixture *f = *state;
    wire out = {0};
    meeting m = meet(f, TRUSTS);
    raw_put_server_hello(&out, 2);
    put_padding(&out);
    say(m.peer, &out);
    leave_by_reset(f, m.peer);
    part(&m);
    const weir_error *error = weir_stream_errored(m.client->stream);
    assert_true(error->code == UV_ECONNRESET || error->code == UV_EPIPE);
    assert_non_null(strstr(error->message, "tls-fake: "));
    assert_non_null(strstr(error->message, "; connecting to 127.0.0.1"));
}

typedef struct refusal {
    int count;
    char code[32];
    char message[256];
} refusal;

static void note_refusal(const weir_event *event, void *arg)
{
    refusal *self = arg;
    self->count++;
    snprintf(self->code, sizeof(self->code), "%s", event->error->name);
    snprintf(self->message, sizeof(self->message), "%s", event->error->message);
}

static void TLS_05_a_client_that_gives_up_is_heard_though_the_answer_cannot_be_sent(void **state)
{
    fixture *f = *state;
    wire fields = {0}, out = {0};
    refusal seen = {0};
    weir_server *server = tls_server(f, SERVES);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, note_refusal, &seen), 0);
    int peer = connect_plainly(server);
    wire_field(&fields, WIRE_VERSION, "\2", 1);
    wire_client_hello(&out, &(wire_hello){.fields = &fields}, 0);
    say(peer, &out);
    wire_free(&fields);
    wait_for_bytes(f, peer);
    raw_finished(&out);
    put_padding(&out);
    wire_alert(&out, 2, ALERT);
    say(peer, &out);
    leave_by_reset(f, peer);
    fixture_until(f, &seen.count);
    expect_alert(seen.code, seen.message);
    fixture_turns(f, 20);
    assert_int_equal(seen.count, 1);
    assert_int_equal(weir_server_connections(server), 0);
}

/*
 * What cannot be sent is said by the call or afterwards, as the dice fall; the alert is here already, and the peer, who has
 * not left, is not waited for.
 */
static void TLS_05_an_alert_that_is_here_is_read_before_a_failed_write_is_told(void **state)
{
    fixture *f = *state;
    for (unsigned i = 0; i < 16; i++) {
        wire out = {0};
        weir_address address;
        weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
        assert_code(weir_server_address(server, &address), 0);
        recorder *client = fixture_client(
            f,
            fixture_text(f,
                         "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}, \"layers\": [{\"chaos\": {\"seed\": %u, "
                         "\"cut\": false, \"again\": 50, \"failAt\": \"write:2\", \"failCode\": \"EPIPE\"}}, "
                         "{\"tls-fake\": {" TRUSTS "}}]}",
                         address.port, i / 2 * 2654435761u),
            NULL);
        recorder *raw = fixture_accepted(f, server, 0);
        recorder_wait_data(raw, WIRE_HEADER);
        raw_put_server_hello(&out, 3);
        if (i % 2)
            wire_alert(&out, 2, ALERT);
        raw_send(raw, &out);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_int_equal(client->counts[WEIR_EVENT_READY], 0);
        const weir_error *error = weir_stream_errored(client->stream);
        if (i % 2)
            expect_alert(error->name, error->message);
        else
            assert_string_equal(error->name, "EPIPE");
        recorder_destroy(raw, NULL);
    }
}

/* ---- afterwards ---- */

/* The write's own callback says what became of it; the stream's error is what the peer said, behind its data. */
static void TLS_09_an_open_connection_hears_the_alert_behind_a_failed_write(void **state)
{
    fixture *f = *state;
    wire out = {0};
    meeting m = meet(f, TRUSTS);
    raw_put_server_hello(&out, 3);
    say(m.peer, &out);
    recorder_wait(m.client, WEIR_EVENT_READY);
    wire_data(&out, "data", 4);
    wire_alert(&out, 2, ALERT);
    say(m.peer, &out);
    leave_by_reset(f, m.peer);
    recorder_write(m.client, "too late", 8);
    recorder_write(m.client, "as well", 7);
    part(&m);
    recorder_expect_data(m.client, "data", 4);
    assert_true(recorder_saw(m.client, "w1:ECONNRESET") || recorder_saw(m.client, "w1:EPIPE"));
    assert_int_equal(m.client->counts[WEIR_EVENT_ERROR], 1);
    const weir_error *error = weir_stream_errored(m.client->stream);
    expect_alert(error->name, error->message);
}

/* ---- the same as a fact ---- */

/* What a listener of 'error' or of 'close' can learn. */
typedef struct told {
    fixture *f;
    const weir_tls *tls;
    const char *code;
    const char *verdict;
    size_t certificate; /* bytes of it in DER */
    int address;        /* what the transport knows: it is closed */
} told;

static void ask(const weir_event *event, void *arg)
{
    told *self = arg;
    weir_address address;
    const void *der;
    const recorder of = {.stream = event->stream};
    self->code = fact_of(self->f, &of, "tls.error");
    self->verdict = fact_of(self->f, &of, "tls.authorizationError");
    self->address = weir_stream_remote_address(event->stream, &address);
    if (self->tls->stream_peer(event->stream, &der, &self->certificate) != 0)
        self->certificate = 0;
}

static void ask_in(fixture *f, recorder *r, weir_event_type type, told *self)
{
    const weir_plugin *plugin = NULL;
    assert_code(weir_runtime_load_plugin(f->runtime, "tls-fake", &plugin, NULL), 0);
    *self = (told){.f = f, .tls = weir_tls_of(plugin)};
    assert_code(weir_stream_on(r->stream, type, ask, self), 0);
}

static void TLS_07_TLS_16_a_client_can_ask_for_the_code_in_error(void **state)
{
    fixture *f = *state;
    told in_error, in_close;
    weir_server *server = tls_server(f, SERVES);
    recorder *client = tls_client(f, server, "\"ca\": \"" OTHER_CERT "\"");
    ask_in(f, client, WEIR_EVENT_ERROR, &in_error);
    ask_in(f, client, WEIR_EVENT_CLOSE, &in_close);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_string_equal(in_error.code, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    assert_string_equal(in_error.verdict, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    assert_true(in_error.certificate > 0);
    assert_code(in_error.address, UV_ENOTCONN);
    assert_string_equal(in_close.code, "-");
    assert_int_equal(in_close.certificate, 0);
}

/* By the peer, by nobody's word, by the transport, by a write: that one in the words of the engine. */
static void TLS_16_an_open_stream_can_ask_for_the_code_in_error(void **state)
{
    static const char *const codes[] = {"EPROTO", "ERR_TLS_TRUNCATED", "ECONNRESET", "FAKE_FAILURE"};
    fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        wire out = {0};
        told in_error;
        size_t at = 0;
        pair p = raw_server(f, i == 3 ? TRUSTS ", \"ciphers\": [\"FAKE_WRITE_FAILS=1\"]" : TRUSTS, &at);
        ask_in(f, p.client, WEIR_EVENT_ERROR, &in_error);
        wire_alert(&out, 2, ALERT);
        if (i == 0)
            raw_send(p.accepted, &out);
        else if (i == 1)
            recorder_end(p.accepted);
        else if (i == 2)
            recorder_reset(p.accepted);
        else
            recorder_write(p.client, "data", 4);
        recorder_wait(p.client, WEIR_EVENT_CLOSE);
        assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 1);
        assert_string_equal(in_error.code, codes[i]);
        wire_free(&out);
        recorder_destroy(p.accepted, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_05_a_server_that_gives_up_is_heard_though_the_answer_cannot_be_sent),
        FIXTURE_TEST(TLS_05_a_server_that_says_nothing_is_a_failed_write),
        FIXTURE_TEST(TLS_05_a_client_that_gives_up_is_heard_though_the_answer_cannot_be_sent),
        FIXTURE_TEST(TLS_05_an_alert_that_is_here_is_read_before_a_failed_write_is_told),
        FIXTURE_TEST(TLS_09_an_open_connection_hears_the_alert_behind_a_failed_write),
        FIXTURE_TEST(TLS_07_TLS_16_a_client_can_ask_for_the_code_in_error),
        FIXTURE_TEST(TLS_16_an_open_stream_can_ask_for_the_code_in_error),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_last_words", tests, NULL, NULL);
}
