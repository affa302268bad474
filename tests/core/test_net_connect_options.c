/* SPDX-License-Identifier: MIT */
/* What the options of Node's forms of connect do, and a runtime's defaults: hosts, local ends, attempts, sockets. */
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "../transports/raw_peer.h"
#include "net_connect.h"

/* Answers 127.0.0.2, where nobody listens, and then 127.0.0.1; notes the host it was asked for. */
static void resolve(weir_lookup *lookup, const char *host, const weir_lookup_options *options, void *arg)
{
    weir_address addresses[2];
    (void)options;
    snprintf(arg, 64, "%s", host);
    assert_code(weir_address_from_ip(&addresses[0], "127.0.0.2", 0), 0);
    assert_code(weir_address_from_ip(&addresses[1], "127.0.0.1", 0), 0);
    weir_lookup_answer(lookup, addresses, 2);
}

static weir_stream_options resolving(char *host)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.lookup = resolve;
    options.lookup_arg = host;
    return options;
}

static void CONN_12_without_a_host_it_is_localhost(void **state)
{
    fixture *f = *state;
    int port = raw_port_of(at_port(f));
    static const char *const hosts[] = {NULL, "", "else.test"};
    static const char *const expected[] = {"localhost", "localhost", "else.test"};
    for (size_t i = 0; i < 3; i++) {
        char asked[64] = "";
        weir_stream_options stream_options = resolving(asked);
        weir_connect_options options = to_port(port);
        options.host = hosts[i];
        recorder *client = created(f, &options, &stream_options);
        recorder_wait(client, WEIR_EVENT_READY);
        assert_string_equal(asked, expected[i]);
    }
}

static void CONN_13_CONN_14_the_local_end_is_chosen(void **state)
{
    fixture *f = *state;
    weir_connect_options options = to_port(raw_port_of(at_port(f)));
    weir_address local;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    options.local_address = "127.0.0.3";
    options.local_port = fixture_port(f);
    recorder *client = created(f, &options, NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_code(weir_stream_local_address(client->stream, &local), 0);
    weir_address_format(&local, text, sizeof(text));
    assert_string_equal(text, fixture_text(f, "127.0.0.3:%d", options.local_port));
}

static void SOCK_35_CONN_14_an_error_names_the_local_end_that_was_chosen(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    static const struct {
        const char *host;
        const char *local_address;
        const char *expected;
        const char *message;
    } ends[] = {{"127.0.0.1", "127.0.0.3", "127.0.0.3", "127.0.0.3"},
                {"127.0.0.1", NULL, "0.0.0.0", "0.0.0.0"},
                {"::1", "::1", "::1", "[::1]"},
                {"::1", NULL, "::", "[::]"}};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        weir_connect_options options = to_port(fixture_port(f));
        options.host = ends[i].host;
        options.local_address = ends[i].local_address;
        options.local_port = fixture_port(f);
        recorder *client = created(f, &options, NULL);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        const weir_error *error = weir_stream_errored(client->stream);
        assert_code(error->code, UV_ECONNREFUSED);
        assert_string_equal(error->syscall, "connect");
        assert_int_equal(error->port, options.port);
        assert_string_equal(error->local_address, ends[i].expected);
        assert_int_equal(error->local_port, options.local_port);
        assert_non_null(strstr(error->message, fixture_text(f, "; from %s:%d", ends[i].message, options.local_port)));
    }
}

static void SOCK_35_CONN_13_an_error_names_the_local_address_alone(void **state)
{
    fixture *f = *state;
    weir_connect_options options = to_port(fixture_port(f));
    options.host = "127.0.0.1";
    options.local_address = "127.0.0.3";
    recorder *client = created(f, &options, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_string_equal(weir_stream_errored(client->stream)->local_address, "127.0.0.3");
    assert_int_equal(weir_stream_errored(client->stream)->local_port, -1);
}

/* 192.0.2.1 is for documentation: no machine has it. */
static void CONN_13_a_local_address_of_nobodys(void **state)
{
    fixture *f = *state;
    weir_connect_options options = to_port(raw_port_of(at_port(f)));
    options.local_address = "192.0.2.1";
    recorder *client = created(f, &options, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    const weir_error *error = weir_stream_errored(client->stream);
    assert_code(error->code, UV_EADDRNOTAVAIL);
    assert_string_equal(error->syscall, "bind");
}

static void CONN_15_CONN_17_family_and_hints_are_taken(void **state)
{
    fixture *f = *state;
    char asked[64] = "";
    weir_stream_options stream_options = resolving(asked);
    weir_connect_options options = to_port(raw_port_of(at_port(f)));
    options.host = "some.test";
    options.family = 6;
    options.hints = AI_ALL | AI_V4MAPPED | AI_ADDRCONFIG;
    recorder *client = created(f, &options, &stream_options);
    recorder_wait(client, WEIR_EVENT_CLOSE); /* the answer is of the other family */
    assert_code(weir_stream_errored(client->stream)->code, WEIR_EINVALIDADDRESSFAMILY);
}

static void set_default(weir_runtime *runtime, int on)
{
    weir_set_default_auto_select_family(runtime, on);
}

/* Of the two addresses only the second one is any good. */
static void CONN_25_MOD_09_MOD_10_auto_selection_by_option_and_by_default(void **state)
{
    fixture *f = *state;
    static const struct {
        int by_default;
        int option;
        int selects;
    } cases[] = {{1, -1, 1}, {1, 0, 0}, {0, -1, 0}, {0, 1, 1}, {1, 1, 1}};
    int port = raw_port_of(at_port(f));
    assert_int_equal(weir_default_auto_select_family(f->runtime), 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char asked[64] = "";
        weir_stream_options stream_options = resolving(asked);
        weir_connect_options options = to_port(port);
        options.host = "some.test";
        options.auto_select_family = cases[i].option;
        set_default(f->runtime, cases[i].by_default);
        assert_int_equal(weir_default_auto_select_family(f->runtime), cases[i].by_default);
        recorder *client = created(f, &options, &stream_options);
        recorder_wait(client, cases[i].selects ? WEIR_EVENT_READY : WEIR_EVENT_CLOSE);
        assert_int_equal(client->counts[WEIR_EVENT_CONNECTION_ATTEMPT], cases[i].selects ? 2 : 1);
        assert_int_equal(client->counts[WEIR_EVENT_CONNECT], cases[i].selects);
    }
}

/* An endpoint is parsed once and used often: what counts is the default when it is used. */
static void MOD_10_MOD_13_the_default_counts_when_it_connects(void **state)
{
    fixture *f = *state;
    char asked[64] = "";
    weir_stream_options stream_options = resolving(asked);
    weir_endpoint *endpoint = NULL;
    const char *url = fixture_text(f, "tcp://some.test:%d", raw_port_of(at_port(f)));
    assert_code(weir_endpoint_parse(f->runtime, url, WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    for (int on = 0; on < 2; on++) {
        weir_stream *stream = weir_stream_new(f->runtime, &stream_options);
        recorder *client = record_stream(f, stream, RECORD_DATA);
        weir_stream_release(stream);
        set_default(f->runtime, on);
        assert_code(weir_stream_connect_endpoint(stream, endpoint, NULL, NULL), 0);
        recorder_wait(client, on ? WEIR_EVENT_READY : WEIR_EVENT_CLOSE);
    }
    weir_endpoint_release(endpoint);
}

static void MOD_11_MOD_12_MOD_13_the_default_attempt_timeout(void **state)
{
    fixture *f = *state;
    weir_runtime *other = fixture_new_runtime(&f->loop);
    static const int64_t refused_values[] = {0, -1, (int64_t)INT_MAX + 1, INT64_MIN, INT64_MAX};
    assert_int_equal(weir_default_auto_select_family_attempt_timeout(f->runtime), 250);
    assert_code(weir_set_default_auto_select_family_attempt_timeout(f->runtime, 1), 0);
    assert_int_equal(weir_default_auto_select_family_attempt_timeout(f->runtime), 10);
    assert_code(weir_set_default_auto_select_family_attempt_timeout(f->runtime, 9), 0);
    assert_int_equal(weir_default_auto_select_family_attempt_timeout(f->runtime), 10);
    assert_code(weir_set_default_auto_select_family_attempt_timeout(f->runtime, 11), 0);
    for (size_t i = 0; i < sizeof(refused_values) / sizeof(refused_values[0]); i++) {
        assert_code(weir_set_default_auto_select_family_attempt_timeout(f->runtime, refused_values[i]),
                    WEIR_EOUTOFRANGE);
        assert_int_equal(weir_default_auto_select_family_attempt_timeout(f->runtime), 11);
    }
    assert_int_equal(weir_default_auto_select_family_attempt_timeout(other), 250); /* each has its own */
    weir_runtime_free(other);
}

/* A day by default, then by its own; a day by its own would never end, nor would the default's. */
static void CONN_28_CONN_32_SOCK_24_MOD_12_the_attempt_timeout(void **state)
{
    fixture *f = *state;
    static const int64_t day = 24 * 60 * 60 * 1000;
    uint16_t port = raw_port_of(at_port(f));
    raw_silent first = raw_silence("127.0.0.2", port);
    for (int by_option = 0; by_option < 2; by_option++) {
        char asked[64] = "";
        weir_stream_options stream_options = resolving(asked);
        weir_connect_options options = to_port(port);
        options.host = "some.test";
        options.auto_select_family_attempt_timeout = by_option ? 1 : 0;
        assert_code(weir_set_default_auto_select_family_attempt_timeout(f->runtime, by_option ? day : 1), 0);
        recorder *client = created(f, &options, &stream_options);
        recorder_wait(client, WEIR_EVENT_READY);
        recorder_expect(client, "lookup:ok lookup:ok connectionAttempt connectionAttemptTimeout "
                                "connectionAttempt connect ready");
    }
    raw_end_silence(&first);
}

/* 'timeout' is told and nothing more: connecting goes on, as long as the system has patience. */
static void CONN_35_CONN_39_the_idle_timeout_covers_connecting(void **state)
{
    fixture *f = *state;
    uint16_t port = fixture_port(f);
    raw_silent only = raw_silence("127.0.0.2", port);
    weir_stream_options stream_options;
    weir_stream_options_init(&stream_options);
    stream_options.timeout = 10;
    weir_connect_options options = to_port(port);
    options.host = "127.0.0.2";
    recorder *client = created(f, &options, &stream_options);
    assert_int_equal(weir_stream_timeout(client->stream), 10); /* at once */
    over_wait_alive(f, client, WEIR_EVENT_TIMEOUT);
    recorder_expect(client, "connectionAttempt timeout");
    assert_int_equal(weir_stream_connecting(client->stream), 1);
    raw_end_silence(&only);
}

typedef struct socket_state {
    int no_delay;
    int keep_alive;
    int idle;
    int seen;
} socket_state;

static void look_at_socket(const weir_event *event, void *arg)
{
    socket_state *s = arg;
    int fd = raw_fd_of(event->stream);
    s->no_delay = raw_option(fd, IPPROTO_TCP, TCP_NODELAY);
    s->keep_alive = raw_option(fd, SOL_SOCKET, SO_KEEPALIVE);
    s->idle = raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE);
    s->seen = 1;
}

static weir_stream_options with_socket_options(void)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.no_delay = 1;
    options.keep_alive = 1;
    options.keep_alive_initial_delay = 12000;
    return options;
}

static void SOCK_18_CONN_22_CONN_23_CONN_24_options_of_a_stream(void **state)
{
    fixture *f = *state;
    weir_stream_options stream_options = with_socket_options();
    weir_connect_options options = to_port(raw_port_of(at_port(f)));
    for (int on = 0; on < 2; on++) {
        socket_state seen = {0};
        recorder *client = created(f, &options, on ? &stream_options : NULL);
        weir_stream_on(client->stream, WEIR_EVENT_CONNECT, look_at_socket, &seen);
        fixture_until(f, &seen.seen);
        assert_int_equal(seen.no_delay, on);
        assert_int_equal(seen.keep_alive, on);
        assert_int_equal(seen.idle == 12, on);
    }
}

static void SOCK_18_what_is_set_later_wins(void **state)
{
    fixture *f = *state;
    weir_stream_options stream_options = with_socket_options();
    socket_state seen = {0};
    weir_stream *stream = weir_stream_new(f->runtime, &stream_options);
    assert_code(weir_stream_set_no_delay(stream, 0), 0);
    assert_code(weir_stream_set_keep_alive(stream, 1, 15000), 0);
    weir_stream_on(stream, WEIR_EVENT_CONNECT, look_at_socket, &seen);
    assert_code(weir_stream_connect_port(stream, raw_port_of(at_port(f)), "127.0.0.1", NULL, NULL), 0);
    fixture_until(f, &seen.seen);
    assert_int_equal(seen.no_delay, 0);
    assert_int_equal(seen.idle, 15);
    weir_stream_release(stream);
}

static void SOCK_18_options_of_accepted_streams(void **state)
{
    fixture *f = *state;
    socket_state seen = {0};
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream = with_socket_options();
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", &options);
    weir_server_on(server, WEIR_EVENT_CONNECTION, look_at_socket, &seen);
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    fixture_until(f, &seen.seen);
    assert_int_equal(seen.no_delay, 1);
    assert_int_equal(seen.keep_alive, 1);
    assert_int_equal(seen.idle, 12);
}

typedef struct block {
    char bytes[4096];
    size_t count;
    int full; /* all that was sent is there */
} block;

static weir_onread_result take_block(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    block *b = arg;
    (void)stream;
    assert_ptr_equal(buffer, b->bytes);
    b->count += count;
    b->full = b->count == 10000;
    return WEIR_ONREAD_CONTINUE;
}

static void send_10000(const weir_event *event, void *arg)
{
    static const char bytes[10000];
    (void)arg;
    weir_stream_end_with(event->stream, bytes, sizeof(bytes), NULL, NULL);
}

/* The example's block has 4 KiB. */
static void CONN_34_CONN_42_create_connection_with_onread(void **state)
{
    fixture *f = *state;
    block into = {.count = 0};
    weir_server *server = at_port(f);
    weir_server_on(server, WEIR_EVENT_CONNECTION, send_10000, NULL);
    weir_stream_options stream_options;
    weir_stream_options_init(&stream_options);
    stream_options.onread =
        (weir_onread){.buffer = into.bytes, .size = sizeof(into.bytes), .callback = take_block, .arg = &into};
    weir_connect_options options = to_port(raw_port_of(server));
    recorder *client = created(f, &options, &stream_options);
    fixture_until(f, &into.full);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(client->counts[WEIR_EVENT_DATA], 0);
    assert_int_equal(weir_stream_bytes_read(client->stream), 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(CONN_12_without_a_host_it_is_localhost),
        FIXTURE_TEST(CONN_13_CONN_14_the_local_end_is_chosen),
        FIXTURE_TEST(SOCK_35_CONN_14_an_error_names_the_local_end_that_was_chosen),
        FIXTURE_TEST(SOCK_35_CONN_13_an_error_names_the_local_address_alone),
        FIXTURE_TEST(CONN_13_a_local_address_of_nobodys),
        FIXTURE_TEST(CONN_15_CONN_17_family_and_hints_are_taken),
        FIXTURE_TEST(CONN_25_MOD_09_MOD_10_auto_selection_by_option_and_by_default),
        FIXTURE_TEST(MOD_10_MOD_13_the_default_counts_when_it_connects),
        FIXTURE_TEST(MOD_11_MOD_12_MOD_13_the_default_attempt_timeout),
        FIXTURE_TEST(CONN_28_CONN_32_SOCK_24_MOD_12_the_attempt_timeout),
        FIXTURE_TEST(CONN_35_CONN_39_the_idle_timeout_covers_connecting),
        FIXTURE_TEST(SOCK_18_CONN_22_CONN_23_CONN_24_options_of_a_stream),
        FIXTURE_TEST(SOCK_18_what_is_set_later_wins),
        FIXTURE_TEST(SOCK_18_options_of_accepted_streams),
        FIXTURE_TEST(CONN_34_CONN_42_create_connection_with_onread),
    };
    return cmocka_run_group_tests_name("net_connect_options", tests, NULL, NULL);
}
