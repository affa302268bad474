/* SPDX-License-Identifier: MIT */
/* Node's own forms of connect: ports, hosts, paths and their options; what is refused at once; a runtime's defaults. */
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../transports/raw_peer.h"
#include "over.h"

static weir_connect_options nothing(void)
{
    weir_connect_options options;
    memset(&options, 0xff, sizeof(options));
    weir_connect_options_init(&options);
    return options;
}

static weir_connect_options to_port(int port)
{
    weir_connect_options options = nothing();
    options.port = port;
    options.host = "127.0.0.1";
    return options;
}

static weir_connect_options to_path(const char *path)
{
    weir_connect_options options = nothing();
    options.path = path;
    return options;
}

static weir_server *at_port(fixture *f)
{
    return fixture_listen_alone(f, "127.0.0.1");
}

/* A stream that weir_create_connection made, recorded; the runtime keeps it. */
static recorder *created(fixture *f, const weir_connect_options *options, const weir_stream_options *stream_options)
{
    int error = 1;
    weir_stream *stream = weir_create_connection(f->runtime, options, stream_options, NULL, NULL, &error);
    assert_code(error, 0);
    assert_non_null(stream);
    recorder *client = record_stream(f, stream, 0);
    weir_stream_release(stream);
    return client;
}

/* ---- the forms ---- */

typedef struct one_connect {
    weir_stream *stream;
    int connected;
} one_connect;

static void expect_connected(fixture *f, one_connect *c, int status)
{
    assert_code(status, 0);
    assert_int_equal(weir_stream_connecting(c->stream), 1);
    assert_int_equal(c->connected, 0); /* CONN-02 */
    fixture_until(f, &c->connected);
    assert_int_equal(c->connected, 1);
    weir_stream_destroy(c->stream, NULL);
    weir_stream_release(c->stream);
}

static void CONN_01_CONN_05_CONN_07_CONN_08_SOCM_04_every_form_of_connect(void **state)
{
    fixture *f = *state;
    int port = raw_port_of(at_port(f));
    const char *path = fixture_path(f, "sock");
    weir_connect_options by_port = to_port(port);
    weir_connect_options by_path = to_path(path);
    fixture_listen(f, fixture_text(f, "ipc:%s", path), NULL);

    one_connect c[4] = {{NULL, 0}};
    for (size_t i = 0; i < 4; i++) {
        c[i].stream = weir_stream_new(f->runtime, NULL);
    }
    expect_connected(f, &c[0], weir_stream_connect_port(c[0].stream, port, "127.0.0.1", over_count, &c[0].connected));
    expect_connected(f, &c[1], weir_stream_connect_path(c[1].stream, path, over_count, &c[1].connected));
    expect_connected(f, &c[2], weir_stream_connect_with(c[2].stream, &by_port, over_count, &c[2].connected));
    expect_connected(f, &c[3], weir_stream_connect_with(c[3].stream, &by_path, over_count, &c[3].connected));
}

static void CONN_36_CONN_37_CONN_38_CONN_40_CONN_41_CONN_44_create_connection(void **state)
{
    fixture *f = *state;
    int port = raw_port_of(at_port(f));
    const char *path = fixture_path(f, "sock");
    weir_connect_options ways[] = {to_port(port), to_path(path)};
    weir_stream_options stream_options;
    weir_stream_options_init(&stream_options);
    stream_options.readable_high_water_mark = 12345;
    fixture_listen(f, fixture_text(f, "ipc:%s", path), NULL);
    for (size_t i = 0; i < 4; i++) {
        int error = 1;
        one_connect c = {NULL, 0};
        c.stream = weir_create_connection(f->runtime, &ways[i % 2], i < 2 ? NULL : &stream_options, over_count,
                                          &c.connected, &error);
        assert_non_null(c.stream);
        assert_int_equal(weir_stream_readable_high_water_mark(c.stream), i < 2 ? 16384 : 12345);
        expect_connected(f, &c, error);
    }
}

static void CONN_36_CONN_38_create_connection_refuses(void **state)
{
    fixture *f = *state;
    weir_connect_options good = to_port(1);
    weir_connect_options none = nothing();
    weir_connect_options bad = to_port(65536);
    int error = 0;
    assert_null(weir_create_connection(f->runtime, NULL, NULL, NULL, NULL, &error));
    assert_code(error, UV_EINVAL);
    assert_null(weir_create_connection(NULL, &good, NULL, NULL, NULL, &error));
    assert_code(error, UV_EINVAL);
    assert_null(weir_create_connection(f->runtime, &none, NULL, NULL, NULL, &error));
    assert_code(error, WEIR_EMISSINGARGS);
    assert_null(weir_create_connection(f->runtime, &bad, NULL, NULL, NULL, NULL));
}

static void CONN_09_a_path_of_digits_is_a_path(void **state)
{
    fixture *f = *state;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    recorder *client = record_stream(f, stream, RECORD_DATA);
    weir_stream_release(stream);
    assert_code(weir_stream_connect_path(stream, "8124", NULL, NULL), 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume error:ENOENT close:error"); /* no 'connectionAttempt': it is no port */
    assert_string_equal(weir_stream_errored(stream)->address, "8124");
}

/* Names that mean something in a URL are a file's like any other. */
static void CONN_07_CONN_33_paths_are_taken_to_the_byte(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"%41", "@a", "a b?c=d#e", "\xc3\xa9", "\xff\xfe", "a\n\"\\"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *path = fixture_path(f, names[i]);
        int listener = raw_bind_path(path);
        assert_int_equal(listen(listener, 1), 0);
        weir_connect_options options = to_path(path);
        recorder *client = created(f, &options, NULL);
        recorder_wait(client, WEIR_EVENT_READY);
        close(listener);
    }
}

static void CONN_33_PATH_11_an_abstract_name_by_its_length(void **state)
{
    fixture *f = *state;
    char name[64] = "";
    int length = snprintf(name + 1, sizeof(name) - 1, "weir-test-%ld", (long)getpid()) + 1;
    name[length++] = '\0'; /* a NUL within it is of the name too */
    name[length++] = 'x';
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, (size_t)length);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length)),
                     0);
    assert_int_equal(listen(listener, 1), 0);
    weir_connect_options options = to_path(name);
    options.path_length = (size_t)length;
    recorder *client = created(f, &options, NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    close(listener);
}

/* ---- what is refused at once ---- */

typedef struct refused {
    const char *what;
    weir_connect_options options;
    int code;
} refused;

static void expect_refused(fixture *f, const refused *cases, size_t count)
{
    recorder *r = over_fresh(f, NULL);
    for (size_t i = 0; i < count; i++) {
        int status = weir_stream_connect_with(r->stream, &cases[i].options, over_count, NULL);
        if (status != cases[i].code) {
            fail_msg("%s: %s instead of %s", cases[i].what, weir_error_name(status), weir_error_name(cases[i].code));
        }
    }
    fixture_turns(f, OVER_TURNS);
    recorder_expect(r, "");
    assert_int_equal(weir_stream_destroyed(r->stream), 0);
    assert_int_equal(weir_stream_connecting(r->stream), 0);
    assert_int_equal(weir_stream_listener_count(r->stream, WEIR_EVENT_CONNECT), 1); /* the recorder's own */
}

#define REFUSED(expected, member, value)                             \
    {                                                                \
        .what = #member " " #value, .code = (expected), .options = { \
            .size = sizeof(weir_connect_options),                    \
            .port = 80,                                              \
            .host = "127.0.0.1",                                     \
            .auto_select_family = -1,                                \
            .member = (value)                                        \
        }                                                            \
    }

static void CONN_10_CONN_13_CONN_14_CONN_15_CONN_17_CONN_32_bad_options_are_refused(void **state)
{
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
    static const refused cases[] = {
        REFUSED(WEIR_ESOCKETBADPORT, port, 65536),
        REFUSED(WEIR_ESOCKETBADPORT, port, -2),
        REFUSED(WEIR_EMISSINGARGS, port, -1),
        REFUSED(WEIR_ESOCKETBADPORT, local_port, 65536),
        REFUSED(WEIR_ESOCKETBADPORT, local_port, -1),
        REFUSED(WEIR_EINVALIDIPADDRESS, local_address, "localhost"),
        REFUSED(WEIR_EINVALIDIPADDRESS, local_address, "127.0.0.256"),
        REFUSED(WEIR_EINVALIDIPADDRESS, local_address, "127.0.0.1:80"),
        REFUSED(WEIR_EINVALIDARGVALUE, family, 5),
        REFUSED(WEIR_EINVALIDARGVALUE, family, -1),
        REFUSED(WEIR_EINVALIDARGVALUE, hints, 1 << 20),
        REFUSED(WEIR_EINVALIDARGVALUE, hints, AI_NUMERICHOST),
        REFUSED(WEIR_EINVALIDARGVALUE, host, "\xff"),
        REFUSED(WEIR_EOUTOFRANGE, auto_select_family_attempt_timeout, -1),
        REFUSED(WEIR_EOUTOFRANGE, auto_select_family_attempt_timeout, (int64_t)INT_MAX + 1),
        REFUSED(UV_EINVAL, size, 0),
    };
#if defined(__clang__)
#pragma clang diagnostic pop
#else
#pragma GCC diagnostic pop
#endif
    expect_refused(*state, cases, sizeof(cases) / sizeof(cases[0]));
}

static void CONN_11_neither_port_nor_path(void **state)
{
    fixture *f = *state;
    refused cases[] = {{"nothing", nothing(), WEIR_EMISSINGARGS}, {"a host", nothing(), WEIR_EMISSINGARGS}};
    cases[1].options.host = "127.0.0.1";
    expect_refused(f, cases, 2);
    recorder *r = over_fresh(f, NULL);
    assert_code(weir_stream_connect_path(r->stream, NULL, NULL, NULL), WEIR_EMISSINGARGS);
    assert_code(weir_stream_connect_port(r->stream, -1, NULL, NULL, NULL), WEIR_ESOCKETBADPORT);
    assert_code(weir_stream_connect_with(r->stream, NULL, NULL, NULL), UV_EINVAL);
    assert_code(weir_stream_connect_with(NULL, &cases[0].options, NULL, NULL), UV_EINVAL);
}

static void CONN_33_BN_12_bad_paths_are_refused(void **state)
{
    fixture *f = *state;
    char too_long[WEIR_PATH_MAX + 2];
    memset(too_long, 'a', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    refused cases[] = {
        {"empty", to_path(""), WEIR_EINVALIDARGVALUE},
        {"too long", to_path(too_long), UV_ENAMETOOLONG},
        {"a NUL within", to_path("a\0b"), WEIR_EINVALIDARGVALUE},
        {"an abstract name of nothing", to_path(""), WEIR_EINVALIDARGVALUE},
        {"an abstract name too long", to_path(NULL), UV_ENAMETOOLONG},
    };
    char abstract[WEIR_PATH_MAX + 2] = "";
    memset(abstract + 1, 'a', WEIR_PATH_MAX + 1);
    cases[2].options.path_length = 3;
    cases[3].options.path_length = 1;
    cases[4].options.path = abstract;
    cases[4].options.path_length = sizeof(abstract);
    expect_refused(f, cases, sizeof(cases) / sizeof(cases[0]));
}

static void CONN_33_with_a_path_the_rest_is_not_looked_at(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    fixture_listen(f, fixture_text(f, "ipc:%s", path), NULL);
    weir_connect_options options = to_path(path);
    options.port = 70000;
    options.host = "\xff";
    options.local_address = "nonsense";
    options.local_port = -7;
    options.family = 5;
    options.hints = -1;
    options.auto_select_family_attempt_timeout = -1;
    recorder *client = created(f, &options, NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_int_equal(client->counts[WEIR_EVENT_CONNECTION_ATTEMPT], 0);
    assert_int_equal(client->counts[WEIR_EVENT_LOOKUP], 0);
}

static void BN_21_CONN_06_a_connect_while_another_is_under_way(void **state)
{
    fixture *f = *state;
    weir_connect_options options = to_port(raw_port_of(at_port(f)));
    recorder *client = created(f, &options, NULL);
    assert_code(weir_stream_connect_with(client->stream, &options, NULL, NULL), UV_EALREADY);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_code(weir_stream_connect_port(client->stream, options.port, NULL, NULL, NULL), UV_EISCONN);
    recorder_expect(client, "connectionAttempt connect ready");
    weir_stream *kept = weir_stream_retain(client->stream);
    fixture_end(f);
    assert_code(weir_stream_connect_with(kept, &options, NULL, NULL), UV_ECANCELED);
    weir_stream_release(kept);
}

/* ---- what the options do ---- */

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

/* ---- failing ---- */

/* Sees that the attempt's words are the event's (SOCK-22, SOCK-23). */
static void note_attempt(const weir_event *event, void *arg)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    char *seen = arg;
    size_t length = strlen(seen);
    weir_address_format(event->address, text, sizeof(text));
    snprintf(seen + length, 256 - length, "%s %s %d %s;", weir_event_name(event->type), text,
             (int)event->address->family, event->error != NULL ? event->error->name : "-");
}

static void CONN_03_CONN_45_SOCK_22_SOCK_23_SOCK_46_nobody_listens(void **state)
{
    fixture *f = *state;
    int ports[] = {fixture_port(f), 0};
    for (size_t i = 0; i < 2; i++) {
        char seen[256] = "";
        int connected = 0;
        weir_connect_options options = to_port(ports[i]);
        recorder *client = created(f, &options, NULL);
        weir_stream_once(client->stream, WEIR_EVENT_CONNECT, over_count, &connected);
        weir_stream_on(client->stream, WEIR_EVENT_CONNECTION_ATTEMPT, note_attempt, seen);
        weir_stream_on(client->stream, WEIR_EVENT_CONNECTION_ATTEMPT_FAILED, note_attempt, seen);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        recorder_expect(client, "connectionAttempt connectionAttemptFailed:ECONNREFUSED error:ECONNREFUSED "
                                "close:error");
        assert_int_equal(connected, 0);
        assert_string_equal(seen, fixture_text(f,
                                               "connectionAttempt 127.0.0.1:%d 4 -;"
                                               "connectionAttemptFailed 127.0.0.1:%d 4 ECONNREFUSED;",
                                               ports[i], ports[i]));
    }
}

/* Nobody can be connected to at an address of many; the system says so at once, and sends nothing. */
static void CONN_45_an_address_that_cannot_be_reached(void **state)
{
    fixture *f = *state;
    weir_connect_options options = to_port(9);
    options.host = "224.0.0.1";
    recorder *client = created(f, &options, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    const weir_error *error = weir_stream_errored(client->stream);
    assert_code(error->code, UV_ENETUNREACH);
    assert_string_equal(error->syscall, "connect");
}

/* The system's own patience, which the endpoint makes short. */
static void CONN_45_CONN_35_nobody_answers(void **state)
{
    fixture *f = *state;
    uint16_t port = fixture_port(f);
    raw_silent only = raw_silence("127.0.0.2", port);
    recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.2:%d?userTimeout=1ms", port), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    const weir_error *error = weir_stream_errored(client->stream);
    assert_code(error->code, UV_ETIMEDOUT);
    assert_string_equal(error->syscall, "connect");
    raw_end_silence(&only);
}

typedef struct sweep {
    fixture *f;
    weir_connect_options options;
} sweep;

static void create_or_fail(void *arg)
{
    const sweep *s = arg;
    int error = 0;
    weir_stream *stream = weir_create_connection(s->f->runtime, &s->options, NULL, over_count, NULL, &error);
    if (stream == NULL) {
        assert_code(error, UV_ENOMEM);
        return;
    }
    weir_stream_destroy(stream, NULL);
    while (!weir_stream_closed(stream)) {
        fixture_turns(s->f, 1);
    }
    weir_stream_release(stream);
}

static void CONN_36_every_allocation_of_a_form_may_fail(void **state)
{
    fixture *f = *state;
    sweep by_port = {f, to_port(1)};
    sweep by_path = {f, to_path("nowhere")};
    by_port.options.local_address = "127.0.0.1";
    by_port.options.auto_select_family = 1;
    by_port.options.auto_select_family_attempt_timeout = 20;
    create_or_fail(&by_port);
    create_or_fail(&by_path);
    assert_true(allocator_fail_each(create_or_fail, &by_port) > 10);
    assert_true(allocator_fail_each(create_or_fail, &by_path) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(CONN_01_CONN_05_CONN_07_CONN_08_SOCM_04_every_form_of_connect),
        FIXTURE_TEST(CONN_36_CONN_37_CONN_38_CONN_40_CONN_41_CONN_44_create_connection),
        FIXTURE_TEST(CONN_36_CONN_38_create_connection_refuses),
        FIXTURE_TEST(CONN_09_a_path_of_digits_is_a_path),
        FIXTURE_TEST(CONN_07_CONN_33_paths_are_taken_to_the_byte),
        FIXTURE_TEST(CONN_33_PATH_11_an_abstract_name_by_its_length),
        FIXTURE_TEST(CONN_10_CONN_13_CONN_14_CONN_15_CONN_17_CONN_32_bad_options_are_refused),
        FIXTURE_TEST(CONN_11_neither_port_nor_path),
        FIXTURE_TEST(CONN_33_BN_12_bad_paths_are_refused),
        FIXTURE_TEST(CONN_33_with_a_path_the_rest_is_not_looked_at),
        FIXTURE_TEST(BN_21_CONN_06_a_connect_while_another_is_under_way),
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
        FIXTURE_TEST(CONN_03_CONN_45_SOCK_22_SOCK_23_SOCK_46_nobody_listens),
        FIXTURE_TEST(CONN_45_an_address_that_cannot_be_reached),
        FIXTURE_TEST(CONN_45_CONN_35_nobody_answers),
        FIXTURE_TEST(CONN_36_every_allocation_of_a_form_may_fail),
    };
    return cmocka_run_group_tests_name("net_connect", tests, NULL, NULL);
}
