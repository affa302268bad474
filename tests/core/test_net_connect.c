/* SPDX-License-Identifier: MIT */
/* Node's own forms of connect: ports, hosts, paths; what is refused at once, and how connecting fails. */
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "../transports/raw_peer.h"
#include "net_connect.h"

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
    expect_connected(f, &c[0],
                     weir_stream_connect_port(c[0].stream, port, "127.0.0.1", fixture_count, &c[0].connected));
    expect_connected(f, &c[1], weir_stream_connect_path(c[1].stream, path, fixture_count, &c[1].connected));
    expect_connected(f, &c[2], weir_stream_connect_with(c[2].stream, &by_port, fixture_count, &c[2].connected));
    expect_connected(f, &c[3], weir_stream_connect_with(c[3].stream, &by_path, fixture_count, &c[3].connected));
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
        c.stream = weir_create_connection(f->runtime, &ways[i % 2], i < 2 ? NULL : &stream_options, fixture_count,
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
        int status = weir_stream_connect_with(r->stream, &cases[i].options, fixture_count, NULL);
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
        weir_stream_once(client->stream, WEIR_EVENT_CONNECT, fixture_count, &connected);
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
    weir_stream *stream = weir_create_connection(s->f->runtime, &s->options, NULL, fixture_count, NULL, &error);
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
        FIXTURE_TEST(CONN_03_CONN_45_SOCK_22_SOCK_23_SOCK_46_nobody_listens),
        FIXTURE_TEST(CONN_45_an_address_that_cannot_be_reached),
        FIXTURE_TEST(CONN_45_CONN_35_nobody_answers),
        FIXTURE_TEST(CONN_36_every_allocation_of_a_form_may_fail),
    };
    return cmocka_run_group_tests_name("net_connect", tests, NULL, NULL);
}
