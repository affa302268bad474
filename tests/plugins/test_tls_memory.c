/* SPDX-License-Identifier: MIT */
/* Connections of the layer tls whose every allocation fails once: they end with an error, or go on; the others go on anyway. */
#define _GNU_SOURCE

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "heap.h"
#include "tls_world.h"

#include "plugins/tls/include/weir/tls.h"
#include "plugins/tls/settings.h"
#include "plugins/tls/transfer.h"

enum { SIZE = 40000 };

static char bytes[SIZE];

static void write_file(fixture *f, const char *name, const char *text)
{
    FILE *file = fopen(fixture_path(f, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(fixture_path(f, name), 0600), 0);
}

/* ---- a server that sends everything back, and minds no failure ---- */

static void echo(const weir_event *event, void *arg)
{
    (void)arg;
    if (weir_stream_write_buf(event->target_stream, event->buffer, NULL, NULL) < 0)
        weir_stream_destroy(event->target_stream, NULL);
}

static void end(const weir_event *event, void *arg)
{
    (void)arg;
    if (weir_stream_end(event->target_stream, NULL, NULL) < 0)
        weir_stream_destroy(event->target_stream, NULL);
}

static void ignore(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

static void serve(const weir_event *event, void *arg)
{
    (void)arg;
    if (weir_stream_on(event->stream, WEIR_EVENT_ERROR, ignore, NULL) != 0 ||
        weir_stream_on(event->stream, WEIR_EVENT_END, end, NULL) != 0 ||
        weir_stream_on(event->stream, WEIR_EVENT_DATA, echo, NULL) != 0)
        weir_stream_destroy(event->stream, NULL);
}

typedef struct refusal {
    unsigned count;
    int code;
} refusal;

static void refused(const weir_event *event, void *arg)
{
    refusal *last = arg;
    last->count++;
    last->code = event->error->code;
}

typedef struct echoing {
    weir_server *server;
    unsigned port;
    refusal last; /* clientError */
} echoing;

static void begin_echoing(fixture *f, const char *options, echoing *made)
{
    weir_server_options half_open;
    weir_address address;
    weir_server_options_init(&half_open);
    half_open.stream.allow_half_open = 1;
    made->server = weir_server_new(f->runtime, &half_open);
    assert_non_null(made->server);
    assert_code(weir_server_on(made->server, WEIR_EVENT_CONNECTION, serve, NULL), 0);
    assert_code(weir_server_on(made->server, WEIR_EVENT_CLIENT_ERROR, refused, &made->last), 0);
    const char *text = fixture_text(
        f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"tls-fake\": {%s}}]}", options);
    assert_code(weir_server_listen(made->server, text, NULL, NULL), 0);
    while (weir_server_address(made->server, &address) != 0)
        fixture_turns(f, 1);
    made->port = address.port;
}

static void finish_echoing(fixture *f, echoing *made)
{
    assert_code(weir_server_close(made->server, NULL, NULL), 0);
    fixture_turns(f, 10);
    weir_server_release(made->server);
}

/* ---- a client ---- */

typedef struct visit {
    size_t got;
    int closed;
    int code; /* of its error */
} visit;

static void on_data(const weir_event *event, void *arg)
{
    visit *v = arg;
    if (v->got + event->buffer->size > SIZE || memcmp(bytes + v->got, event->buffer->data, event->buffer->size) != 0)
        v->code = UV_EILSEQ;
    v->got += event->buffer->size;
    if (v->got == SIZE && weir_stream_end(event->target_stream, NULL, NULL) < 0)
        weir_stream_destroy(event->target_stream, NULL);
}

static void on_ready(const weir_event *event, void *arg)
{
    (void)arg;
    if (weir_stream_write(event->target_stream, bytes, SIZE, NULL, NULL) < 0)
        weir_stream_destroy(event->target_stream, NULL);
}

static void on_error(const weir_event *event, void *arg)
{
    visit *v = arg;
    v->code = event->error->code;
}

static void on_close(const weir_event *event, void *arg)
{
    visit *v = arg;
    (void)event;
    v->closed = 1;
}

/* Connects, sends, gets all of it back, ends: or not. */
static visit call_on(fixture *f, weir_endpoint *endpoint)
{
    visit v = {0};
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    if (!stream)
        return (visit){.closed = 1, .code = UV_ENOMEM};
    int status = weir_stream_on(stream, WEIR_EVENT_CLOSE, on_close, &v);
    v.closed = status != 0;
    if (status == 0)
        status = weir_stream_on(stream, WEIR_EVENT_ERROR, on_error, &v);
    if (status == 0)
        status = weir_stream_on(stream, WEIR_EVENT_DATA, on_data, &v);
    if (status == 0)
        status = weir_stream_on(stream, WEIR_EVENT_READY, on_ready, &v);
    if (status == 0)
        status = weir_stream_connect_endpoint(stream, endpoint, NULL, NULL);
    if (status != 0) {
        assert_code(status, UV_ENOMEM);
        weir_stream_destroy(stream, NULL);
        v.code = status;
    }
    while (!v.closed) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    weir_stream_release(stream);
    return v;
}

static weir_endpoint *client_endpoint(fixture *f, const echoing *server, const char *options)
{
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    const char *text =
        fixture_text(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}, \"layers\": [{\"tls-fake\": {%s}}]}",
                     server->port, options);
    if (weir_endpoint_parse(f->runtime, text, WEIR_CLIENT, f->folder, &endpoint, &error) != 0)
        fail_msg("%s", error->message);
    return endpoint;
}

/* What a failed allocation at one end may look like at that end, and at the other. */
static int may_be(int code)
{
    return code == UV_ENOMEM || code == UV_EPROTO || code == UV_ECONNRESET || code == UV_EPIPE ||
           code == WEIR_ETLSTRUNCATED || code == 0;
}

static void TLS_18_any_allocation_of_a_connection_may_fail(void **state)
{
    fixture *f = *state;
    echoing server = {0};
    size_t whole = 0;
    size_t broken = 0;
    size_t failures = 1;
    write_file(f, "ca.pem", "-----BEGIN FAKE CERTIFICATE-----\nsubject=ca\nissuer=ca\n");
    begin_echoing(f, SERVES ", \"keylog\": true, \"ALPNProtocols\": [\"h2\"], \"ciphers\": [\"FAKE_RECORD=3000\"]",
                  &server);
    recorder *other = fixture_client(f,
                                     fixture_text(f,
                                                  "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}, \"layers\": "
                                                  "[{\"tls-fake\": {" TRUSTS "}}]}",
                                                  server.port),
                                     NULL);
    recorder_wait(other, WEIR_EVENT_READY);
    for (size_t nth = 1; failures > 0; nth++) {
        weir_endpoint *endpoint = client_endpoint(
            f, &server, "\"ca\": \"ca.pem\", \"watch\": true, \"keylog\": true, \"ALPNProtocols\": [\"h2\"]");
        allocator_fail(nth, 0);
        visit v = call_on(f, endpoint);
        while (weir_server_connections(server.server) > 1) {
            assert_false(f->expired);
            fixture_turns(f, 1);
        }
        failures = allocator_failures();
        allocator_fail(0, 0);
        weir_endpoint_release(endpoint);
        if (!may_be(v.code))
            fail_msg("allocation %zu: %s", nth, weir_error_name(v.code));
        whole += v.got == SIZE;
        broken += v.got < SIZE;
        if (failures == 0)
            assert_true(v.got == SIZE && v.code == 0);
    }
    assert_true(whole > 1 && broken > 10);
    recorder_write(other, "unharmed", 8);
    recorder_wait_data(other, 8);
    recorder_expect_data(other, "unharmed", 8);
    recorder_destroy(other, NULL);
    finish_echoing(f, &server);
}

/* ---- a first message in pieces ---- */

static int plain_client(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Runs the loop until the server has closed it. */
static void wait_closed(fixture *f, int fd)
{
    char answer[64];
    ssize_t got;
    while ((got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0 || (got < 0 && errno == EAGAIN)) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    close(fd);
}

/* As one record, or as several of so many bytes. */
static void hello_without_memory(fixture *f, size_t cut)
{
    enum { PIECE = 40 };
    echoing server = {0};
    wire hello = {0};
    unsigned without_memory = 0;
    size_t failures = 1;
    begin_echoing(f, SERVES, &server);
    wire_client_hello(&hello, &(wire_hello){.name = "localhost"}, cut);
    assert_true(hello.size > 2 * PIECE);
    for (size_t nth = 1; failures > 0; nth++) {
        int fd = plain_client(server.port);
        while (weir_server_connections(server.server) == 0)
            fixture_turns(f, 1);
        server.last = (refusal){0};
        allocator_fail(nth, 0);
        for (size_t at = 0; at < hello.size; at += PIECE) {
            send(fd, hello.data + at, hello.size - at < PIECE ? hello.size - at : PIECE, MSG_NOSIGNAL);
            fixture_turns(f, 3);
        }
        wait_closed(f, fd); /* a whole hello of no version that is spoken here is refused, too */
        while (weir_server_connections(server.server) > 0)
            fixture_turns(f, 1);
        failures = allocator_failures();
        allocator_fail(0, 0);
        assert_int_equal(server.last.count, 1);
        assert_true(server.last.code == UV_EPROTO || (failures > 0 && may_be(server.last.code)));
        without_memory += server.last.code == UV_ENOMEM;
    }
    assert_true(without_memory > 0);
    wire_free(&hello);
    finish_echoing(f, &server);
}

static void TLS_05_any_allocation_of_a_hello_in_pieces_may_fail(void **state)
{
    hello_without_memory(*state, 0);
    hello_without_memory(*state, 30);
}

/* ---- parts ---- */

static void bytes_that_cannot_be_joined_stay_as_they_were(void **state)
{
    tls_in in = {0};
    char taken[8] = "";
    (void)state;
    weir_buf *one = weir_buf_copy("abc", 3);
    weir_buf *other = weir_buf_copy("defg", 4);
    assert_code(weir__tls_in_add(&in, one), 0);
    allocator_fail(1, 0);
    assert_code(weir__tls_in_add(&in, other), UV_ENOMEM);
    allocator_fail(1, 0);
    weir__tls_in_settle(&in); /* keeps the buffer it has */
    allocator_fail(0, 0);
    assert_ptr_equal(in.buf, one);
    assert_int_equal(weir__tls_in_take(&in, taken, sizeof(taken)), 3);
    assert_string_equal(taken, "abc");
    weir__tls_in_clear(&in);
    weir_buf_release(one);
    weir_buf_release(other);
}

/* ---- what is left ---- */

/* Two small writes go out as one record, for which they are put together: in memory that is kept for the next ones. */
static void TLS_18_plaintext_put_together_does_not_stay(void **state)
{
    enum { HALF = 24 };
    static char whole[2 * HALF];
    fixture *f = *state;
    unsigned char data[WIRE_RECORD_MOST];
    size_t at = 0, size = 0;
    pair p = raw_server(f, TRUSTS, &at);
    for (size_t i = 0; i < sizeof(whole); i++)
        whole[i] = (char)('A' + (i * 11 + 7) % 26);
    weir_stream_cork(p.client->stream);
    recorder_write(p.client, whole, HALF);
    recorder_write(p.client, whole + HALF, HALF);
    size_t seen = heap_holds(whole, HALF); /* in the queue; nothing where it cannot be seen at all */
    weir_stream_uncork(p.client->stream);
    while (raw_record(p.accepted, &at, data, &size) == 0)
        recorder_wait_data(p.accepted, p.accepted->data_size + 1);
    assert_int_equal(size, sizeof(whole));
    assert_memory_equal(data, whole, sizeof(whole));
    assert_int_equal(heap_holds(whole, sizeof(whole)), 0);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
    if (seen == 0)
        skip();
}

static int set_up(void **state)
{
    fixture_fill(bytes, SIZE, 5);
    return fixture_setup(state);
}

static int tear_down(void **state)
{
    allocator_fail(0, 0);
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(TLS_18_any_allocation_of_a_connection_may_fail),
        TEST(TLS_05_any_allocation_of_a_hello_in_pieces_may_fail),
        TEST(bytes_that_cannot_be_joined_stay_as_they_were),
        TEST(TLS_18_plaintext_put_together_does_not_stay),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_memory", tests, NULL, NULL);
}
