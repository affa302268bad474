/* SPDX-License-Identifier: MIT */
/* What a server over tcp makes of system calls that fail, while it begins to listen and while it listens. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <weir/net.h>

#include "failing_listen.h"
#include "raw_peer.h"
#include "syscalls.h"

#define LOCAL "tcp://127.0.0.1:0"

static int tear_down(void **state)
{
    syscalls_restore();
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, tear_down)

/* ---- beginning to listen ---- */

static void expect_refused(fixture *f, const char *endpoint, int code, const char *syscall)
{
    failing_listen(f, endpoint, code, syscall, LOCAL);
}

static void net_SRV_10_SRV_11_each_call_of_a_listen_fails(void **state)
{
    fixture *f = *state;

    syscalls_fail_next("socket", EMFILE);
    expect_refused(f, LOCAL, UV_EMFILE, "socket");
    syscalls_fail_next("setsockopt", ENOBUFS);
    expect_refused(f, LOCAL, UV_ENOBUFS, "setsockopt");
    syscalls_fail_next("bind", EADDRINUSE);
    expect_refused(f, LOCAL, UV_EADDRINUSE, "listen");
    syscalls_fail_next("listen", EADDRINUSE);
    expect_refused(f, LOCAL, UV_EADDRINUSE, "listen");
    syscalls_fail_next("uv_poll_init", UV_ENOMEM);
    expect_refused(f, LOCAL, UV_ENOMEM, "epoll");
    syscalls_fail_next("uv_getaddrinfo", UV_ENOMEM);
    expect_refused(f, "tcp://localhost:0", UV_ENOMEM, "getaddrinfo");
    syscalls_fail_next("if_nametoindex", ENODEV);
    expect_refused(f, "{\"tcp\": {\"host\": \"fe80::1%nope\", \"port\": 0}}", WEIR_EINVALIDADDRESS, "getaddrinfo");
}

static int is_freebind(int level, int option, int third)
{
    (void)third;
    return level == IPPROTO_IP && option == IP_FREEBIND;
}

static int is_device(int level, int option, int third)
{
    (void)third;
    return level == SOL_SOCKET && option == SO_BINDTODEVICE;
}

static void net_SRV_10_options_of_a_listener_that_the_system_refuses(void **state)
{
    fixture *f = *state;

    syscalls_fail(&(syscall_fault){.call = "setsockopt", .error = EPERM, .of = is_freebind});
    expect_refused(f, LOCAL "?freeBind=true", UV_EPERM, "setsockopt freeBind");
    syscalls_fail(&(syscall_fault){.call = "setsockopt", .error = EPERM, .of = is_device});
    expect_refused(f, LOCAL "?bindToDevice=lo", UV_EPERM, "setsockopt bindToDevice");
}

/* ---- all addresses ---- */

static int is_ipv6(int domain, int second, int third)
{
    (void)second;
    (void)third;
    return domain == AF_INET6;
}

static void expect_ipv4(fixture *f, const char *endpoint)
{
    weir_server *server = fixture_listen(f, endpoint, NULL);
    weir_address address;

    assert_code(weir_server_address(server, &address), 0);
    assert_int_equal(address.family, WEIR_FAMILY_IPV4);
    assert_int_equal(address.bytes[0], 0);
    fixture_connect(f, server, fixture_text(f, "tcp://127.0.0.1:%d", address.port), NULL);
}

static void net_SRV_63_A_06_without_IPv6_a_server_listens_on_all_of_IPv4(void **state)
{
    fixture *f = *state;

    expect_ipv4(f, "{\"tcp\": {\"port\": 0, \"family\": 4}}");
    syscalls_fail(&(syscall_fault){.call = "socket", .error = EAFNOSUPPORT, .of = is_ipv6});
    expect_ipv4(f, "{\"tcp\": {\"port\": 0}}");
    assert_true(syscalls_failures() > 0);
    expect_refused(f, "{\"tcp\": {\"port\": 0, \"family\": 6}}", UV_EAFNOSUPPORT, "socket");
}

/* ---- a descriptor of somebody else ---- */

static int is_setfl(int command, int second, int third)
{
    (void)second;
    (void)third;
    return command == F_SETFL;
}

static void net_SRV_46_a_descriptor_that_cannot_be_made_fit(void **state)
{
    fixture *f = *state;
    refusal refused = {0};
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_listen_options options;
    uint16_t port = 0;

    weir_listen_options_init(&options);
    options.fd = raw_listen(&port, 5);
    assert_code(weir_server_on(server, WEIR_EVENT_ERROR, refusal_on_error, &refused), 0);
    syscalls_fail(&(syscall_fault){.call = "fcntl", .error = EPERM, .of = is_setfl, .times = 1});
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), 0);
    fixture_until(f, &refused.done);
    assert_int_equal(syscalls_failures(), 1);
    assert_code(refused.code, UV_EINVAL);
    assert_int_equal(fcntl(options.fd, F_GETFD), -1); /* it was the server's */
    weir_server_release(server);
}

/* ---- while it listens ---- */

static void net_SRV_16_an_address_that_the_system_does_not_tell(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    weir_address address;

    syscalls_fail_next("getsockname", ENOBUFS);
    assert_code(weir_server_address(server, &address), UV_ENOTCONN);
    syscalls_restore();
    assert_code(weir_server_address(server, &address), 0);
}

static void net_SRV_44_a_socket_that_cannot_be_duplicated(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int fd;

    syscalls_fail_next("fcntl", EMFILE);
    assert_code(weir_server_export_fd(server), UV_EMFILE);
    syscalls_restore();
    fd = weir_server_export_fd(server);
    assert_true(fd >= 0);
    close(fd);
}

static void find_listener(uv_handle_t *handle, void *arg)
{
    uv_os_fd_t fd;

    if (handle->type == UV_POLL && uv_fileno(handle, &fd) == 0 && syscalls_listener(fd))
        *(uv_poll_t **)arg = (uv_poll_t *)(void *)handle;
}

/* As libuv tells of EPOLLERR: it has stopped the handle, and says no more. */
static void net_SRV_75_an_error_signalled_on_the_listening_socket(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    uv_poll_t *poll = NULL;

    uv_walk(&f->loop, find_listener, &poll);
    assert_non_null(poll);
    assert_code(uv_poll_stop(poll), 0);
    poll->poll_cb(poll, UV_EBADF, 0);
    assert_int_equal(weir_server_listening(server), 1);
    fixture_connect(f, server, NULL, NULL);
}

static void on_drop(const weir_event *event, void *arg)
{
    assert_int_equal(event->drop->reason, WEIR_DROP_DESCRIPTORS);
    ++*(int *)arg;
}

/* The descriptor in reserve is spent, and there is none to take its place. */
static void net_BN_08_without_a_reserve_nobody_is_shed(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int drops = 0;
    int first = raw_connect(raw_port_of(server));
    int second = raw_connect(raw_port_of(server));
    char byte;

    assert_code(weir_server_on(server, WEIR_EVENT_DROP, on_drop, &drops), 0);
    syscalls_fail(&(syscall_fault){.call = "open", .error = EMFILE, .path = "/dev/null", .times = 2});
    syscalls_fail(&(syscall_fault){.call = "accept4", .error = EMFILE, .times = 1});             /* then one is shed */
    syscalls_fail(&(syscall_fault){.call = "accept4", .error = EMFILE, .after = 1, .times = 1}); /* then none can be */
    fixture_turns(f, 3);
    weir_server_unref(server); /* also while it waits */
    weir_server_ref(server);
    fixture_accepted(f, server, 0);
    assert_int_equal(drops, 1);
    assert_int_equal(syscalls_failures(), 4);
    assert_int_equal(recv(first, &byte, 1, 0), 0);
    assert_int_equal(recv(second, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(weir_server_connections(server), 1);
    close(first);
    close(second);
    fixture_turns(f, 3);
    weir_server_off(server, WEIR_EVENT_DROP, on_drop, &drops);
}

static void net_SRV_75_an_arrival_that_libuv_cannot_poll_is_closed(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    char byte;

    syscalls_fail_next("uv_poll_init", UV_ENOMEM);
    while (syscalls_failures() == 0)
        fixture_turns(f, 1);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    assert_int_equal(weir_server_connections(server), 0);
    close(peer);
    fixture_connect(f, server, NULL, NULL);
}

/* ---- endpoints ---- */

static void expect_fault(fixture *f, const char *text, const char *fault)
{
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;

    assert_code(weir_endpoint_parse(f->runtime, text, WEIR_CLIENT, NULL, &endpoint, &error), WEIR_EINVALID_CONFIG);
    assert_null(endpoint);
    assert_non_null(strstr(error->message, fault));
    weir_error_release(error);
}

static void net_CONN_13_what_only_tcp_itself_can_refuse(void **state)
{
    fixture *f = *state;

    expect_fault(f, "tcp://127.0.0.1:1?family=4&localAddress=::1", "\"::1\" is not of the family that is asked for, 4");
    /* fifteen signs, and more bytes than an interface's name has */
    expect_fault(f,
                 "{\"tcp\": {\"port\": 1, \"bindToDevice\": "
                 "\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"}}",
                 "is too long for the name of an interface");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(net_SRV_10_SRV_11_each_call_of_a_listen_fails),
        TEST(net_SRV_10_options_of_a_listener_that_the_system_refuses),
        TEST(net_SRV_63_A_06_without_IPv6_a_server_listens_on_all_of_IPv4),
        TEST(net_SRV_46_a_descriptor_that_cannot_be_made_fit),
        TEST(net_SRV_16_an_address_that_the_system_does_not_tell),
        TEST(net_SRV_44_a_socket_that_cannot_be_duplicated),
        TEST(net_SRV_75_an_error_signalled_on_the_listening_socket),
        TEST(net_BN_08_without_a_reserve_nobody_is_shed),
        TEST(net_SRV_75_an_arrival_that_libuv_cannot_poll_is_closed),
        TEST(net_CONN_13_what_only_tcp_itself_can_refuse),
    };

    return cmocka_run_group_tests_name("listen_failures", tests, NULL, NULL);
}
