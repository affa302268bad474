/* SPDX-License-Identifier: MIT */
/* Which transport a descriptor is for, and the endpoint that is made for it. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>

#include <jansson.h>

#include <weir/plugin.h>

#include "adopt.h"
#include "fixture.h"
#include "syscalls.h"
#include "transports/raw_peer.h"

/* This program opens no plugins: it has libweir.a in it. */
extern const weir_plugin weir_plugin_tcp, weir_plugin_ipc;

static int adopt_setup(void **state)
{
    int status = fixture_setup(state);
    if (status == 0) {
        weir_runtime *runtime = ((fixture *)*state)->runtime;
        assert_code(weir_runtime_register_plugin(runtime, &weir_plugin_tcp, NULL), 0);
        assert_code(weir_runtime_register_plugin(runtime, &weir_plugin_ipc, NULL), 0);
    }
    return status;
}

#define ADOPT_TEST(function) cmocka_unit_test_setup_teardown(function, adopt_setup, fixture_teardown)

static void on_done(const weir_event *event, void *arg)
{
    (void)event;
    *(int *)arg = 1;
}

static weir_endpoint *endpoint_of(fixture *f, int fd, const json_t *options)
{
    weir_endpoint *endpoint = NULL;
    const char *type = NULL;
    assert_code(weir__endpoint_of_descriptor(f->runtime, fd, WEIR_SERVER, options, &endpoint, &type), 0);
    assert_non_null(endpoint);
    assert_non_null(type);
    return endpoint;
}

/* A server listens on the descriptor by the endpoint that was found. */
static void expect_listening(fixture *f, int fd, const char *transport)
{
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_endpoint *endpoint = endpoint_of(f, fd, NULL);
    int done = 0;
    char text[64];
    weir_endpoint_format(endpoint, text, sizeof(text));
    assert_string_equal(weir_endpoint_transport(endpoint), transport);
    assert_string_equal(text, strcmp(transport, "tcp") == 0 ? "tcp://:0" : "ipc:");
    assert_code(weir_server_listen_fd(server, endpoint, fd, on_done, &done), 0);
    weir_endpoint_release(endpoint);
    fixture_until(f, &done);
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

static void SRV_44_SRV_45_an_endpoint_for_a_bound_socket(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    expect_listening(f, raw_listen(&port, 1), "tcp");
    expect_listening(f, raw_bind_path(fixture_path(f, "sock")), "ipc");
}

/* What is given counts, what is not leaves the socket as it is. */
static void SRV_36_options_for_a_descriptor(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int fd = raw_listen(&port, 1);
    int on = 1;
    json_t *options = json_pack("{s:i}", "backlog", 7);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
    weir_endpoint *endpoint = endpoint_of(f, fd, options);
    json_decref(options);
    weir_server *server = weir_server_new(f->runtime, NULL);
    int done = 0;
    assert_code(weir_server_listen_fd(server, endpoint, fd, on_done, &done), 0);
    weir_endpoint_release(endpoint);
    fixture_until(f, &done);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

static void SRV_46_descriptors_of_no_transport(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_code(weir__endpoint_of_descriptor(f->runtime, file, WEIR_SERVER, NULL, &endpoint, NULL),
                WEIR_EINVALIDFDTYPE);
    assert_code(weir__endpoint_of_descriptor(f->runtime, udp, WEIR_SERVER, NULL, &endpoint, NULL), WEIR_EINVALIDFDTYPE);
    assert_null(endpoint);
    close(file);
    close(udp);
    assert_code(weir__endpoint_of_descriptor(f->runtime, file, WEIR_SERVER, NULL, &endpoint, NULL), UV_EBADF);
    assert_code(weir__endpoint_of_descriptor(f->runtime, -1, WEIR_SERVER, NULL, &endpoint, NULL), UV_EBADF);
    assert_null(endpoint);
}

typedef struct attempt {
    fixture *f;
    int fd;
} attempt;

static void make_one(void *arg)
{
    const attempt *one = arg;
    weir_endpoint *endpoint = NULL;
    int status = weir__endpoint_of_descriptor(one->f->runtime, one->fd, WEIR_SERVER, NULL, &endpoint, NULL);
    assert_code(status, allocator_failures() + syscalls_failures() > 0 ? UV_ENOMEM : 0);
    assert_int_equal(endpoint != NULL, status == 0);
    weir_endpoint_release(endpoint);
}

static void SRV_44_without_memory_there_is_no_endpoint(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    attempt one = {f, raw_listen(&port, 1)};
    assert_true(allocator_fail_each(make_one, &one) > 2);
    assert_int_equal(syscalls_fail_each("json_object", ENOMEM, make_one, &one), 2);
    close(one.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADOPT_TEST(SRV_44_SRV_45_an_endpoint_for_a_bound_socket),
        ADOPT_TEST(SRV_36_options_for_a_descriptor),
        ADOPT_TEST(SRV_46_descriptors_of_no_transport),
        ADOPT_TEST(SRV_44_without_memory_there_is_no_endpoint),
    };
    return cmocka_run_group_tests_name("core.adopt", tests, NULL, NULL);
}
