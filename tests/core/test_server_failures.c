/* SPDX-License-Identifier: MIT */
/* Servers whose acceptor says what it should not, or for which there is no memory. */
#define _GNU_SOURCE

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <weir/net.h>
#include <weir/transport.h>

#include "../transports/raw_peer.h"
#include "diary.h"
#include "gate.h"
#include "plain_plugin.h"
#include "syscalls.h"

/* ---- a transport that only connects, and knows every socket ---- */

static size_t format(const void *context, char *text, size_t size)
{
    (void)context;
    if (size > 0) {
        text[0] = '\0';
    }
    return 0;
}

static weir_link *create(void *context, weir_runtime *runtime)
{
    (void)context;
    (void)runtime;
    return NULL;
}

static const char *know_it(int fd)
{
    (void)fd;
    return "exit";
}

static int adopt_none(void *context, weir_runtime *runtime, int fd, weir_link **link)
{
    (void)context;
    (void)runtime;
    (void)fd;
    (void)link;
    return UV_ENOTCONN;
}

static const weir_transport exit_transport = {
    .size = sizeof(weir_transport),
    .body = WEIR_BODY_NONE,
    .configure = plain_configure,
    .context_free = weir_free,
    .format = format,
    .create = create,
    .recognizes = know_it,
    .adopt = adopt_none,
};

static const weir_plugin exit_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "exit",
    .version = "1.0.0",   .description = "knows every socket, for tests",
    .schema = NO_OPTIONS, .transport = &exit_transport,
};

static int begin(void **state)
{
    int status = over_tcp(state);
    fixture *f = *state;
    return status != 0 ? status : weir_runtime_register_plugin(f->runtime, &gate_plugin, NULL);
}

static int end(void **state)
{
    syscalls_restore();
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

static weir_server *at_the_gate(fixture *f, diary *d)
{
    weir_server *server = diary_fresh(f, d, NULL);
    assert_code(weir_server_listen(server, "gate:", NULL, NULL), 0);
    fixture_turns(f, 3);
    diary_expect(d, "listening");
    return server;
}

/* ---- what an acceptor says ---- */

static void an_acceptor_that_says_everything_twice(void **state)
{
    static diary d;
    fixture *f = *state;
    weir_server *server = at_the_gate(f, &d);
    weir_arrival arrival = {.fd = -1};
    weir_acceptor_listening(gate_acceptors[0]);
    fixture_turns(f, 3);
    diary_expect(&d, "listening");
    weir_runtime_enter(f->runtime);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    weir_acceptor_listening(gate_acceptors[0]);
    gate_fail(0);
    assert_code(weir_acceptor_arrival(gate_acceptors[0], &arrival), UV_ECANCELED);
    weir_runtime_leave(f->runtime);
    diary_wait_closed(&d);
    diary_expect(&d, "listening close");
    assert_null(gate_acceptors[0]);
    weir_server_release(server);
}

static void SRV_10_an_acceptor_that_breaks_while_it_listens(void **state)
{
    static diary d;
    fixture *f = *state;
    weir_server *server = at_the_gate(f, &d);
    gate_fail(0);
    fixture_turns(f, 3);
    diary_expect(&d, "listening error:EIO");
    assert_null(gate_acceptors[0]);
    assert_int_equal(weir_server_listening(server), 0);
    assert_code(weir_server_listen(server, "gate:", NULL, NULL), 0);
    fixture_turns(f, 3);
    diary_expect(&d, "listening error:EIO listening");
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

static void an_arrival_whose_table_is_not_whole_is_none(void **state)
{
    static diary d;
    fixture *f = *state;
    weir_server *server = at_the_gate(f, &d);
    weir_arrival arrival = {.fd = -1};
    gate_links_freed = 0;
    assert_code(weir_acceptor_arrival(gate_acceptors[0], &arrival), 0); /* it was taken, and is gone */
    assert_int_equal(gate_links_freed, 1);
    assert_int_equal(weir_server_connections(server), 0);
    diary_expect(&d, "listening");
    assert_non_null(strstr(fixture_log(f), "error: plugin gate: its link cannot be used: the table lacks "));
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

/* A layer fails while it opens, and nobody listens for 'clientError'. */
static void a_client_that_cannot_be_served_is_logged(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "chaos+tcp://127.0.0.1:0?failAt=open:1", NULL);
    weir_address address;
    assert_code(weir_server_address(server, &address), 0);
    recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", address.port), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_string_equal(fixture_log(f), "info: a client could not be served: open: chaos fails here (EIO)\n");
    assert_int_equal(weir_server_connections(server), 0);
}

/* ---- without memory, and after the end ---- */

static void SRV_24_SRV_25_closing_without_memory_closes_nothing(void **state)
{
    static diary d;
    fixture *f = *state;
    weir_server *server = diary_listening(f, &d, NULL);
    int status = UV_ENOMEM;
    fixture_connect(f, server, NULL, NULL);
    for (size_t nth = 1; status != 0; nth++) {
        allocator_fail(nth, 0);
        status = weir_server_get_connections(server, diary_counted, &d);
        assert_code(status, allocator_failures() > 0 ? UV_ENOMEM : 0);
        allocator_fail(0, 0);
    }
    status = UV_ENOMEM;
    for (size_t nth = 1; status != 0; nth++) {
        allocator_fail(nth, 0);
        status = weir_server_close_all(server, 3600000, diary_closed, &d);
        assert_code(status, allocator_failures() > 0 ? UV_ENOMEM : 0);
        allocator_fail(0, 0);
        assert_int_equal(weir_server_listening(server), status != 0);
    }
    fixture_turns(f, OVER_TURNS);
    assert_code(weir_server_close_all(server, 0, NULL, NULL), 0);
    while (strstr(d.text, "closed") == NULL) {
        fixture_turns(f, 1);
    }
    diary_expect(&d, "connection counted close closed");
    assert_code(weir_server_close_all(NULL, 0, NULL, NULL), UV_EINVAL);
}

/* Nobody listens for anything yet, so that the callback's own place has to be made. */
static void SRV_25_a_callback_for_which_there_is_no_memory(void **state)
{
    static diary d;
    fixture *f = *state;
    int status = UV_ENOMEM;
    weir_server *server = weir_server_new(f->runtime, NULL);
    memset(&d, 0, sizeof(d));
    d.f = f;
    d.server = server;
    assert_code(weir_server_listen(server, "gate:", NULL, NULL), 0);
    for (size_t nth = 1; status != 0; nth++) {
        allocator_fail(nth, 0);
        status = weir_server_close(server, diary_closed, &d);
        assert_code(status, allocator_failures() > 0 ? UV_ENOMEM : 0);
        allocator_fail(0, 0);
        assert_int_equal(weir_server_listening(server), status != 0);
        assert_true(nth < 10);
    }
    fixture_turns(f, 3);
    diary_expect(&d, "closed");
    weir_server_release(server);
}

static void SRV_24_a_server_whose_runtime_has_gone_calls_nobody_back(void **state)
{
    static diary d;
    fixture *f = *state;
    weir_server *server = diary_fresh(f, &d, NULL);
    fixture_end(f);
    assert_code(weir_server_close(server, diary_closed, &d), UV_ECANCELED);
    assert_code(weir_server_close_all(server, 1, diary_closed, &d), UV_ECANCELED);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_get_connections(server, diary_counted, &d), UV_ECANCELED);
    diary_expect(&d, "");
    weir_server_release(server);
}

/* ---- descriptors ---- */

static void SRV_46_a_transport_that_only_connects_cannot_listen_on_one(void **state)
{
    fixture *f = *state;
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_listen_options options;
    uint16_t port = 0;
    assert_code(weir_runtime_register_plugin(f->runtime, &exit_plugin, NULL), 0);
    weir_listen_options_init(&options);
    options.fd = raw_listen(&port, 1);
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), UV_ENOTSUP);
    assert_int_equal(weir_server_listening(server), 0);
    assert_int_equal(close(options.fd), 0); /* still the caller's */
    weir_server_release(server);
}

static int adopt_code(fixture *f, int fd)
{
    int code = 0;
    weir_stream *stream = weir_stream_adopt(f->runtime, fd, NULL, NULL, &code);
    if (stream != NULL) {
        weir_stream_destroy(stream, NULL);
        weir_stream_release(stream);
    }
    return code;
}

/* Nothing is loaded yet, and one of the two that are asked cannot be. */
static void SOCK_04_a_socket_whose_transport_may_be_missing(void **state)
{
    fixture *f = *state;
    int fds[2];
    uint16_t port = 0;
    int listener = raw_listen(&port, 1);
    int tcp = raw_connect(port);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    syscalls_fail(&(syscall_fault){.call = "open", .error = EACCES, .path = "tcp.so"});
    assert_code(adopt_code(f, tcp), WEIR_EPLUGIN); /* it might have been that one's */
    assert_code(adopt_code(f, fds[0]), 0);         /* it is not */
    assert_true(syscalls_failures() > 0);
    syscalls_restore();
    assert_code(adopt_code(f, tcp), 0);
    close(fds[1]);
    close(listener);
}

static void SOCK_04_a_socket_without_memory_for_its_options(void **state)
{
    fixture *f = *state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_code(weir_runtime_load_plugin(f->runtime, "ipc", NULL, NULL), 0);
    syscalls_fail_next("json_object", ENOMEM);
    assert_code(adopt_code(f, fds[0]), UV_ENOMEM);
    syscalls_restore();
    assert_code(adopt_code(f, fds[0]), 0);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_acceptor_that_says_everything_twice),
        TEST(SRV_10_an_acceptor_that_breaks_while_it_listens),
        TEST(an_arrival_whose_table_is_not_whole_is_none),
        TEST(a_client_that_cannot_be_served_is_logged),
        TEST(SRV_24_SRV_25_closing_without_memory_closes_nothing),
        TEST(SRV_25_a_callback_for_which_there_is_no_memory),
        TEST(SRV_24_a_server_whose_runtime_has_gone_calls_nobody_back),
        TEST(SRV_46_a_transport_that_only_connects_cannot_listen_on_one),
        TEST(SOCK_04_a_socket_whose_transport_may_be_missing),
        TEST(SOCK_04_a_socket_without_memory_for_its_options),
    };
    return cmocka_run_group_tests_name("server failures", tests, NULL, NULL);
}
