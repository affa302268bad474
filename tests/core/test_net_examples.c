/* SPDX-License-Identifier: MIT */
/* The examples of Node's documentation, in C: the echo server over a port and over a socket file, and its client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../transports/raw_peer.h"
#include "over.h"

/* ---- the echo server ---- */

typedef struct log {
    char text[256];
    int server_saw_end;
} log;

static void note(log *l, const char *what)
{
    size_t length = strlen(l->text);
    snprintf(l->text + length, sizeof(l->text) - length, "%s%s", length > 0 ? "; " : "", what);
}

static void on_client_gone(const weir_event *event, void *arg)
{
    log *l = arg;
    (void)event;
    l->server_saw_end++;
}

static void on_client(const weir_event *event, void *arg)
{
    weir_stream *client = event->stream;
    weir_stream_on(client, WEIR_EVENT_END, on_client_gone, arg);
    weir_stream_write(client, "hello\r\n", 7, NULL, NULL);
    weir_stream_pipe(client, client, NULL);
}

/* ---- its client ---- */

static void on_connected(const weir_event *event, void *arg)
{
    note(arg, "connected");
    weir_stream_write(event->stream, "world!\r\n", 8, NULL, NULL);
}

/* Prints what it gets, and ends when all of it is there: it may come in any portions. */
static void on_data(const weir_event *event, void *arg)
{
    log *l = arg;
    size_t length = strlen(l->text);
    if (weir_stream_bytes_read(event->stream) == event->buffer->size) {
        note(l, "");
        length = strlen(l->text);
    }
    snprintf(l->text + length, sizeof(l->text) - length, "%.*s", (int)event->buffer->size,
             (const char *)event->buffer->data);
    if (strstr(l->text, "hello\r\nworld!\r\n") != NULL) {
        weir_stream_end(event->stream, NULL, NULL);
    }
}

static void on_end(const weir_event *event, void *arg)
{
    (void)event;
    note(arg, "disconnected");
}

static void say_hello(fixture *f, const weir_connect_options *where, log *l)
{
    int closed = 0;
    int error = 1;
    weir_stream *client = weir_create_connection(f->runtime, where, NULL, on_connected, l, &error);
    assert_code(error, 0);
    weir_stream_on(client, WEIR_EVENT_DATA, on_data, l);
    weir_stream_on(client, WEIR_EVENT_END, on_end, l);
    weir_stream_on(client, WEIR_EVENT_CLOSE, fixture_count, &closed);
    weir_stream_release(client);
    fixture_until(f, &closed);
    assert_string_equal(l->text, "connected; hello\r\nworld!\r\n; disconnected");
}

static void CSRV_11_the_echo_server_over_a_port(void **state)
{
    fixture *f = *state;
    int listening = 0;
    log l = {.text = ""};
    weir_server *server = weir_create_server(f->runtime, NULL, on_client, &l);
    /* the example has port 8124, which another program may have */
    assert_code(weir_server_listen_port(server, 0, NULL, 0, fixture_count, &listening), 0);
    fixture_until(f, &listening);
    weir_connect_options where;
    weir_connect_options_init(&where);
    where.port = raw_port_of(server);
    say_hello(f, &where, &l); /* to localhost, by name */
    assert_code(weir_server_close_wait(server), 0);
    assert_int_equal(l.server_saw_end, 1);
    weir_server_release(server);
}

static void CSRV_11_the_echo_server_over_a_socket_file(void **state)
{
    fixture *f = *state;
    int listening = 0;
    log l = {.text = ""};
    const char *path = fixture_path(f, "echo.sock");
    weir_server *server = weir_create_server(f->runtime, NULL, on_client, &l);
    assert_code(weir_server_listen_path(server, path, 0, fixture_count, &listening), 0);
    fixture_until(f, &listening);
    weir_connect_options where;
    weir_connect_options_init(&where);
    where.path = path;
    say_hello(f, &where, &l);
    assert_code(weir_server_close_wait(server), 0);
    assert_int_equal(l.server_saw_end, 1);
    assert_int_not_equal(access(path, F_OK), 0);
    weir_server_release(server);
}

/* ---- a port that is taken: try again elsewhere (the documentation waits a second, and tries the same one) ---- */

typedef struct second_try {
    weir_server *server;
    int retries;
    int listening;
} second_try;

static void on_taken(const weir_event *event, void *arg)
{
    second_try *t = arg;
    assert_code(event->error->code, UV_EADDRINUSE);
    t->retries++;
    weir_server_close(t->server, NULL, NULL);
    assert_code(weir_server_listen_port(t->server, 0, "127.0.0.1", 0, fixture_count, &t->listening), 0);
}

static void SRV_43_SRV_39_a_taken_port_and_a_second_try(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int taken = raw_listen(&port, 1);
    second_try t = {.server = weir_create_server(f->runtime, NULL, NULL, NULL)};
    weir_server_on(t.server, WEIR_EVENT_ERROR, on_taken, &t);
    assert_code(weir_server_listen_port(t.server, port, "127.0.0.1", 0, NULL, NULL), 0);
    fixture_until(f, &t.listening);
    assert_int_equal(t.retries, 1);
    assert_code(weir_server_close_wait(t.server), 0);
    weir_server_release(t.server);
    close(taken);
}

/* ---- any free port, asked for when it is known ---- */

static void SRV_62_SRV_16_the_port_is_asked_for_after_listening(void **state)
{
    fixture *f = *state;
    int listening = 0;
    weir_address address;
    weir_server *server = weir_create_server(f->runtime, NULL, NULL, NULL);
    assert_code(weir_server_listen_with(server, NULL, fixture_count, &listening), 0);
    assert_code(weir_server_address(server, &address), UV_ENOTCONN);
    fixture_until(f, &listening);
    assert_code(weir_server_address(server, &address), 0);
    assert_int_not_equal(address.port, 0);
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(CSRV_11_the_echo_server_over_a_port),
        FIXTURE_TEST(CSRV_11_the_echo_server_over_a_socket_file),
        FIXTURE_TEST(SRV_43_SRV_39_a_taken_port_and_a_second_try),
        FIXTURE_TEST(SRV_62_SRV_16_the_port_is_asked_for_after_listening),
    };
    return cmocka_run_group_tests_name("net_examples", tests, NULL, NULL);
}
