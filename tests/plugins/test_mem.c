/* SPDX-License-Identifier: MIT */
/* The transport of the tests, mem: what the conformance suite does not ask of every transport. */
#include "fixture.h"

#include <string.h>
#include <sys/socket.h>

static void nobody_listens(void **state)
{
    fixture *f = *state;
    recorder *client = fixture_client(f, "mem:nobody", NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume error:ECONNREFUSED close:error");
    assert_string_equal(weir_stream_errored(client->stream)->message,
                        "connect nobody: connection refused (ECONNREFUSED)");
}

typedef struct server_error {
    int seen;
    int code;
} server_error;

static void on_error(const weir_event *event, void *arg)
{
    server_error *self = arg;
    self->seen = 1;
    self->code = event->error->code;
}

static void a_name_is_taken_once(void **state)
{
    fixture *f = *state;
    server_error error = {0};
    fixture_listen(f, "mem:name", NULL);
    weir_server *second = weir_server_new(f->runtime, NULL);
    assert_code(weir_server_on(second, WEIR_EVENT_ERROR, on_error, &error), 0);
    assert_code(weir_server_listen(second, "mem:name", NULL, NULL), 0);
    fixture_until(f, &error.seen);
    assert_code(error.code, UV_EADDRINUSE);
    weir_server_release(second);
}

static void a_name_is_free_again_after_close(void **state)
{
    fixture *f = *state;
    weir_server *first = fixture_listen(f, "mem:name", NULL);
    assert_code(weir_server_close_wait(first), 0);
    weir_server *second = fixture_listen(f, "mem:name", NULL);
    pair p = fixture_connect(f, second, NULL, NULL);
    recorder_write(p.client, "x", 1);
    recorder_wait_data(p.accepted, 1);
}

static void a_descriptor_cannot_be_adopted(void **state)
{
    fixture *f = *state;
    server_error error = {0};
    weir_endpoint *endpoint = NULL;
    assert_code(weir_endpoint_parse(f->runtime, "mem:name", WEIR_SERVER, NULL, &endpoint, NULL), 0);
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_ERROR, on_error, &error), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_code(weir_server_listen_fd(server, endpoint, fd, NULL, NULL), 0);
    fixture_until(f, &error.seen);
    assert_code(error.code, UV_ENOTSUP);
    weir_server_release(server);
    weir_endpoint_release(endpoint);
}

static void addresses(void **state)
{
    fixture *f = *state;
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_server *server = fixture_listen(f, "mem:name", NULL);
    assert_string_equal(fixture_url(f, server), "mem:name");
    pair p = fixture_connect(f, server, NULL, NULL);
    assert_code(weir_stream_remote_address(p.client->stream, &address), 0);
    weir_address_ip(&address, text, sizeof(text));
    assert_string_equal(text, "name");
    assert_code(weir_stream_local_address(p.accepted->stream, &address), 0);
    weir_address_ip(&address, text, sizeof(text));
    assert_string_equal(text, "name");
    assert_code(weir_stream_remote_address(p.accepted->stream, &address), 0);
    assert_int_equal(address.family, WEIR_FAMILY_PATH);
    assert_int_equal(address.length, 0);
}

static void without_resets_it_is_like_ipc(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "mem:name?canReset=false", NULL);
    pair p = fixture_connect(f, server, "mem:name?canReset=false", NULL);
    assert_code(recorder_reset(p.client), WEIR_EINVALIDHANDLETYPE);
    recorder_write(p.client, "x", 1);
    recorder_wait_data(p.accepted, 1);
}

/* Connected before it is accepted, as with TCP; and never accepted. */
static void a_server_that_closes_resets_its_backlog(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "mem:name", NULL);
    recorder *client = fixture_client(f, "mem:name", NULL);
    while (!client->counts[WEIR_EVENT_CONNECT])
        fixture_turns(f, 1);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(client->counts[WEIR_EVENT_CLOSE], 1);
}

static void the_size_of_the_pipe_governs_the_writer(void **state)
{
    static const char bytes[1000];
    fixture *f = *state;
    f->record = 0;
    weir_server *server = fixture_listen(f, "mem:name", NULL);
    pair p = fixture_connect(f, server, "mem:name?pipeSize=100", NULL);
    recorder_write(p.client, bytes, sizeof(bytes));
    fixture_turns(f, 50);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 900);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, sizeof(bytes));
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(nobody_listens),
        FIXTURE_TEST(a_name_is_taken_once),
        FIXTURE_TEST(a_name_is_free_again_after_close),
        FIXTURE_TEST(a_descriptor_cannot_be_adopted),
        FIXTURE_TEST(addresses),
        FIXTURE_TEST(without_resets_it_is_like_ipc),
        FIXTURE_TEST(a_server_that_closes_resets_its_backlog),
        FIXTURE_TEST(the_size_of_the_pipe_governs_the_writer),
    };
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
