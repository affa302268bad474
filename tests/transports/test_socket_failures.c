/* SPDX-License-Identifier: MIT */
/* What a stream over tcp or ipc makes of system calls that fail: which 'error' comes, and what stays as it was. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include <weir/net.h>

#include "raw_peer.h"
#include "syscalls.h"

#define LOCAL "tcp://127.0.0.1:0"

static int tear_down(void **state)
{
    syscalls_restore();
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, tear_down)

/* ---- which calls are meant ---- */

static int is_getfl(int command, int second, int third)
{
    (void)second;
    (void)third;
    return command == F_GETFL;
}

static int is_setfl(int command, int second, int third)
{
    (void)second;
    (void)third;
    return command == F_SETFL;
}

static int is_setfd(int command, int second, int third)
{
    (void)second;
    (void)third;
    return command == F_SETFD;
}

static int is_error(int level, int option, int third)
{
    (void)third;
    return level == SOL_SOCKET && option == SO_ERROR;
}

static int is_receive_buffer(int level, int option, int third)
{
    (void)third;
    return level == SOL_SOCKET && option == SO_RCVBUF;
}

static int is_peer(int level, int option, int third)
{
    (void)third;
    return level == SOL_SOCKET && option == SO_PEERCRED;
}

/* ---- connecting ---- */

/* Nobody hears of it but by 'error' and 'close', and the stream can be connected again. */
static void expect_refused(fixture *f, recorder *r, int code, const char *syscall)
{
    const weir_error *error;

    recorder_wait(r, WEIR_EVENT_CLOSE);
    error = weir_stream_errored(r->stream);
    assert_non_null(error);
    assert_code(error->code, code);
    assert_string_equal(error->syscall, syscall);
    assert_true(recorder_saw(r, fixture_text(f, "error:%s", weir_error_name(code))));
    assert_true(recorder_saw(r, "close:error"));
    assert_false(recorder_saw(r, "connect"));
}

static void expect_refused_then_served(fixture *f, const char *query, const char *call, int error, const char *syscall)
{
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    const char *endpoint = fixture_text(f, "%s%s", fixture_url(f, server), query);
    recorder *r;

    syscalls_fail_next(call, error);
    r = fixture_client(f, endpoint, NULL);
    expect_refused(f, r, uv_translate_sys_error(error), syscall);
    syscalls_restore();
    assert_code(recorder_connect(r, endpoint), 0);
    recorder_wait(r, WEIR_EVENT_READY);
    assert_null(weir_stream_errored(r->stream));
}

static void net_CONN_03_each_call_of_a_connect_over_tcp_fails(void **state)
{
    fixture *f = *state;

    expect_refused_then_served(f, "", "socket", EMFILE, "socket");
    expect_refused_then_served(f, "?noDelay=true", "setsockopt", ENOBUFS, "setsockopt");
    expect_refused_then_served(f, "?localAddress=127.0.0.1", "bind", EADDRINUSE, "bind");
    expect_refused_then_served(f, "", "connect", ENETUNREACH, "connect");
    expect_refused_then_served(f, "?freeBind=true", "setsockopt", EPERM, "setsockopt freeBind");
}

static void net_CONN_03_a_connect_that_libuv_cannot_poll(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    recorder *r;

    syscalls_fail_next("uv_poll_init", UV_ENOMEM);
    r = fixture_client(f, fixture_url(f, server), NULL);
    expect_refused(f, r, UV_ENOMEM, "connect");
}

static void net_CONN_03_each_call_of_a_connect_over_ipc_fails(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s", path), NULL);
    recorder *r;

    syscalls_fail_next("socket", EMFILE);
    r = fixture_client(f, fixture_url(f, server), NULL);
    expect_refused(f, r, UV_EMFILE, "socket");
    syscalls_restore();
    syscalls_fail(&(syscall_fault){.call = "setsockopt", .error = ENOBUFS, .of = is_receive_buffer});
    r = fixture_client(f, fixture_text(f, "ipc:%s?recvBufferSize=8192", path), NULL);
    expect_refused(f, r, UV_ENOBUFS, "setsockopt");
    syscalls_restore();
    assert_code(recorder_connect(r, fixture_url(f, server)), 0);
    recorder_wait(r, WEIR_EVENT_READY);
}

static void net_CONN_03_an_answer_that_cannot_be_asked_for(void **state)
{
    fixture *f = *state;
    recorder *r;

    syscalls_fail(&(syscall_fault){.call = "getsockopt", .error = EBADF, .of = is_error, .times = 1});
    r = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", fixture_port(f)), NULL);
    expect_refused(f, r, UV_EBADF, "connect");
    assert_int_equal(syscalls_failures(), 1);
}

static void net_CONN_13_a_zone_that_no_interface_has(void **state)
{
    fixture *f = *state;
    recorder *r = fixture_client(f, "{\"tcp\": {\"host\": \"fe80::1%nope\", \"port\": 1}}", NULL);

    expect_refused(f, r, WEIR_EINVALIDADDRESS, "getaddrinfo");
    assert_true(recorder_saw(r, "lookup:ERR_INVALID_ADDRESS"));
}

static void net_CONN_19_a_lookup_that_cannot_begin(void **state)
{
    fixture *f = *state;
    recorder *r;

    syscalls_fail_next("uv_getaddrinfo", UV_ENOMEM);
    r = fixture_client(f, "tcp://localhost:1", NULL);
    expect_refused(f, r, UV_ENOMEM, "getaddrinfo");
    assert_true(recorder_saw(r, "lookup:ENOMEM"));
}

/* ---- memory ---- */

typedef struct refusal {
    fixture *f;
    const char *endpoint;
    int closed;
    int code;
    size_t errors; /* of an aggregate */
} refusal;

static void answer_twice(weir_lookup *lookup, const char *host, const weir_lookup_options *options, void *arg)
{
    weir_address both[2];

    (void)host;
    (void)options;
    (void)arg;
    assert_code(weir_address_from_ip(&both[0], "127.0.0.1", 0), 0);
    assert_code(weir_address_from_ip(&both[1], "127.0.0.1", 0), 0);
    weir_lookup_answer(lookup, both, 2);
}

static void on_event(const weir_event *event, void *arg)
{
    refusal *seen = arg;

    if (event->type == WEIR_EVENT_CLOSE) {
        seen->closed = 1;
    } else {
        seen->code = event->error->code;
        seen->errors = event->error->error_count;
    }
}

static void be_refused_twice(void *arg)
{
    refusal *seen = arg;
    weir_stream_options options;
    weir_stream *stream;
    int connecting;

    seen->closed = seen->code = 0;
    seen->errors = 0;
    weir_stream_options_init(&options);
    options.lookup = answer_twice;
    stream = weir_stream_new(seen->f->runtime, &options);
    connecting = stream && weir_stream_on(stream, WEIR_EVENT_CLOSE, on_event, seen) == 0 &&
                 weir_stream_on(stream, WEIR_EVENT_ERROR, on_event, seen) == 0 &&
                 weir_stream_connect(stream, seen->endpoint, NULL, NULL) == 0;
    if (connecting) {
        fixture_until(seen->f, &seen->closed);
        assert_true(seen->code == UV_ECONNREFUSED || (seen->code == UV_ENOMEM && allocator_failures() > 0));
        assert_true(seen->errors == 2 || allocator_failures() > 0);
    } else {
        assert_true(allocator_failures() > 0);
    }
    weir_stream_release(stream);
    fixture_turns(seen->f, 5);
}

static void net_CONN_31_every_allocation_of_a_connect_to_several_addresses_fails(void **state)
{
    fixture *f = *state;
    refusal seen = {.f = f, .endpoint = fixture_text(f, "tcp://depot.test:%d", fixture_port(f))};

    be_refused_twice(&seen);
    assert_true(allocator_fail_each(be_refused_twice, &seen) > 10);
}

/* ---- adopting ---- */

static int adopt_refused(fixture *f, int fd)
{
    int code = 0;

    assert_null(weir_stream_adopt(f->runtime, fd, NULL, NULL, &code));
    return code;
}

static void expect_adopting_fails(fixture *f, const char *call, int (*of)(int, int, int))
{
    int fds[2];
    int status;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    syscalls_fail(&(syscall_fault){.call = call, .error = EACCES, .of = of, .times = 1});
    status = adopt_refused(f, fds[0]);
    assert_int_equal(syscalls_failures(), 1);
    syscalls_restore();
    assert_code(status, UV_EACCES);
    assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0); /* as it was */
    assert_int_equal(fcntl(fds[0], F_GETFD), 0);
    close(fds[0]);
    close(fds[1]);
}

static void net_SOCK_04_a_descriptor_that_cannot_be_adopted_stays_as_it_was(void **state)
{
    expect_adopting_fails(*state, "fcntl", is_getfl);
    expect_adopting_fails(*state, "fcntl", is_setfl);
    expect_adopting_fails(*state, "fcntl", is_setfd);
    expect_adopting_fails(*state, "getpeername", NULL);
}

/* ---- reading ---- */

/* The peer resets while nobody reads: the kernel signals it, and the writer asks why. */
static void net_BN_06_a_writer_learns_why_when_sending_says_again(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int listener = raw_listen(&port, 1);
    recorder *r;
    int peer;
    static char bytes[1 << 20];

    f->record = 0;
    r = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", port), NULL);
    recorder_wait(r, WEIR_EVENT_READY);
    peer = accept(listener, NULL, NULL);
    while (weir_stream_writable_length(r->stream) == 0) {
        recorder_write(r, bytes, sizeof(bytes));
        fixture_turns(f, 5);
    }
    syscalls_fail(&(syscall_fault){.call = "send", .error = EAGAIN});
    syscalls_fail(&(syscall_fault){.call = "sendmsg", .error = EAGAIN});
    raw_reset(peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(r, "error:ECONNRESET"));
    close(listener);
}

static void net_BN_06_a_reader_learns_why_when_receiving_says_again(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *r = fixture_accepted(f, server, 0);

    raw_send(peer, "before");
    recorder_wait_data(r, 6);
    syscalls_fail(&(syscall_fault){.call = "recv", .error = EAGAIN});
    raw_reset(peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(r, "error:ECONNRESET"));
    assert_string_equal(weir_stream_errored(r->stream)->syscall, "read");
    recorder_expect_data(r, "before", 6);
}

static void net_BN_06_a_read_that_fails_is_the_streams_error(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *r = fixture_accepted(f, server, 0);

    syscalls_fail_next("recv", EIO);
    raw_send(peer, "never");
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(r, "error:EIO"));
    assert_int_equal(r->data_size, 0);
    close(peer);
}

/* What comes with the bytes and is no descriptor is none of ours. */
static void net_SOCK_44_credentials_beside_descriptors_are_passed_over(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s", path), NULL);
    int on = 1;
    int peer;
    int descriptor;
    recorder *r;

    f->record = RECORD_DATA | RECORD_FD;
    peer = raw_connect_path(path);
    r = fixture_accepted(f, server, 0);
    assert_int_equal(setsockopt(raw_fd_of(r->stream), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    raw_send_descriptors(peer, "x", &descriptor, 1);
    recorder_wait_data(r, 1);
    assert_int_equal(r->counts[WEIR_EVENT_FD], 1);
    close(descriptor);
    close(peer);
}

/* ---- ending ---- */

static void net_WR_18_a_shutdown_that_fails_is_the_streams_error(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);

    syscalls_fail_next("shutdown", ENOBUFS);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.client, "e1:ENOBUFS"));
    assert_true(recorder_saw(p.client, "error:ENOBUFS"));
    assert_string_equal(weir_stream_errored(p.client->stream)->syscall, "shutdown");
    assert_false(recorder_saw(p.client, "finish"));
}

static void net_LIFE_02_a_close_that_fails_closes_all_the_same(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);

    syscalls_fail(&(syscall_fault){.call = "close", .error = EIO});
    recorder_destroy(p.client, NULL);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_true(syscalls_failures() >= 2);
    assert_true(recorder_saw(p.client, "close"));
}

/* ---- options and facts ---- */

static int get(weir_stream *stream, const char *name, int64_t *number)
{
    weir_value value = {0};
    int status = weir_stream_get(stream, name, &value);

    if (number)
        *number = value.number;
    return status;
}

static int set_number(weir_stream *stream, const char *name, int64_t number)
{
    return weir_stream_set(stream, name, &(weir_value){.type = WEIR_VALUE_NUMBER, .number = number});
}

static void net_SOCM_36_options_before_there_is_a_connection(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    recorder *r = fixture_client(f, fixture_text(f, "%s?noDelay=true", fixture_url(f, server)), NULL);
    weir_stream *stream = r->stream;
    int64_t number = 0;

    assert_code(get(stream, "noDelay", &number), 0);
    assert_int_equal(number, 1);
    assert_code(get(stream, "linger", &number), 0);
    assert_int_equal(number, -1);
    assert_code(get(stream, "userTimeout", NULL), UV_ENOTCONN); /* the system's, which is not known yet */
    assert_code(get(stream, "nonsense", NULL), UV_ENOENT);
    assert_code(get(stream, "localAddress", NULL), UV_ENOTCONN);
    assert_code(get(stream, "remoteAddress", NULL), UV_ENOTCONN);
    assert_code(get(stream, "fd", NULL), UV_ENOTCONN);
    assert_code(set_number(stream, "nonsense", 1), UV_ENOENT);
    assert_code(set_number(stream, "noDelay", 1), WEIR_EINVALIDARGTYPE);
    assert_code(set_number(stream, "tos", 256), WEIR_EOUTOFRANGE);
    assert_code(set_number(stream, "tos", 16), 0);
    assert_code(get(stream, "tos", &number), 0);
    assert_int_equal(number, 16);
    recorder_wait(r, WEIR_EVENT_READY);
    assert_int_equal(raw_option(raw_fd_of(stream), IPPROTO_IP, IP_TOS), 16);
    assert_code(get(stream, "tos", &number), 0);
    assert_int_equal(number, 16);
}

/* A socket of IPv6 carries both: peers may have mapped addresses. */
static void net_the_class_of_a_stream_over_IPv6(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://[::1]:0", NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    int fd = raw_fd_of(p.client->stream);
    int64_t number = 0;

    assert_code(set_number(p.client->stream, "tos", 32), 0);
    assert_int_equal(raw_option(fd, IPPROTO_IPV6, IPV6_TCLASS), 32);
    assert_int_equal(raw_option(fd, IPPROTO_IP, IP_TOS), 32);
    assert_code(get(p.client->stream, "tos", &number), 0);
    assert_int_equal(number, 32);
}

static void net_CONN_24_SOCM_34_a_delay_below_0_is_none(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    int fd = raw_fd_of(p.client->stream);
    int before = raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE);

    assert_code(set_number(p.client->stream, "keepAliveInitialDelay", -5), 0);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), before);
    assert_code(set_number(p.client->stream, "keepAliveInterval", -5), WEIR_EOUTOFRANGE);
}

/* SOCM-35's own values come only where nothing else was asked for. */
static void net_SOCM_35_what_was_set_survives_keep_alive(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    int fd = raw_fd_of(p.client->stream);

    assert_code(set_number(p.client->stream, "keepAliveCount", 3), 0);
    assert_code(set_number(p.client->stream, "keepAliveInterval", 7000), 0);
    assert_code(weir_stream_set_keep_alive(p.client->stream, 1, 0), 0);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 7);
}

static void net_SOCM_36_an_option_that_the_system_refuses(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_stream *stream = p.client->stream;
    int64_t number;

    syscalls_fail(&(syscall_fault){.call = "setsockopt", .error = ENOBUFS});
    assert_code(weir_stream_set_no_delay(stream, 1), UV_ENOBUFS);
    assert_code(weir_stream_set_keep_alive(stream, 1, 5000), UV_ENOBUFS);
    assert_code(set_number(stream, "linger", 0), UV_ENOBUFS);
    syscalls_restore();
    syscalls_fail(&(syscall_fault){.call = "getsockopt", .error = ENOBUFS});
    assert_code(get(stream, "noDelay", NULL), UV_ENOBUFS);
    assert_code(get(stream, "linger", NULL), UV_ENOBUFS);
    assert_code(get(stream, "recvBufferSize", NULL), UV_ENOBUFS);
    syscalls_restore();
    assert_code(get(stream, "linger", &number), 0);
    assert_int_equal(number, -1);
    assert_code(set_number(stream, "linger", 0), 0);
    assert_code(get(stream, "linger", &number), 0);
    assert_int_equal(number, 0);
    assert_code(set_number(stream, "linger", -1), 0); /* or closing would be a reset */
    recorder_write(p.client, "still there", 11);
    recorder_wait_data(p.accepted, 11);
}

static void net_SOCP_10_SOCP_15_addresses_that_the_system_does_not_tell(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_address address;

    syscalls_fail_next("getsockname", ENOBUFS);
    assert_code(weir_stream_local_address(p.client->stream, &address), UV_ENOTCONN);
    syscalls_restore();
    assert_code(weir_stream_local_address(p.client->stream, &address), 0);
}

static void net_BN_24_facts_of_an_ipc_stream_that_are_not_known(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s", fixture_path(f, "sock")), NULL);
    recorder *r = fixture_client(f, fixture_url(f, server), NULL);
    int64_t pid = 0;

    assert_code(get(r->stream, "peerPid", NULL), UV_ENOTCONN);
    assert_code(get(r->stream, "remotePath", NULL), UV_ENOTCONN);
    recorder_wait(r, WEIR_EVENT_READY);
    syscalls_fail(&(syscall_fault){.call = "getsockopt", .error = ENOBUFS, .of = is_peer});
    syscalls_fail(&(syscall_fault){.call = "getpeername", .error = ENOBUFS});
    syscalls_fail(&(syscall_fault){.call = "getsockname", .error = ENOBUFS});
    assert_code(get(r->stream, "peerUid", NULL), UV_ENOBUFS);
    assert_code(get(r->stream, "remotePath", NULL), UV_ENOBUFS);
    assert_code(get(r->stream, "localPath", NULL), UV_ENOBUFS);
    syscalls_restore();
    assert_code(get(r->stream, "peerPid", &pid), 0);
    assert_int_equal(pid, getpid());
}

static int unix_ends(int *peer)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    *peer = fds[1];
    return fds[0];
}

/* A read that fails without an address to name: the message has none. */
static void net_BN_06_a_nameless_socket_fails_without_a_name(void **state)
{
    fixture *f = *state;
    int peer;
    int fd = unix_ends(&peer);
    weir_stream *stream = weir_stream_adopt(f->runtime, fd, NULL, NULL, NULL);
    recorder *r = record_stream(f, stream, RECORD_DATA);

    weir_stream_release(stream);
    syscalls_fail(&(syscall_fault){.call = "recvmsg", .error = EIO});
    syscalls_fail(&(syscall_fault){.call = "recv", .error = EIO});
    raw_send(peer, "never");
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(r, "error:EIO"));
    assert_string_equal(weir_stream_errored(r->stream)->message, "read ipc: i/o error (EIO)");
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(net_CONN_03_each_call_of_a_connect_over_tcp_fails),
        TEST(net_CONN_03_a_connect_that_libuv_cannot_poll),
        TEST(net_CONN_03_each_call_of_a_connect_over_ipc_fails),
        TEST(net_CONN_03_an_answer_that_cannot_be_asked_for),
        TEST(net_CONN_13_a_zone_that_no_interface_has),
        TEST(net_CONN_19_a_lookup_that_cannot_begin),
        TEST(net_CONN_31_every_allocation_of_a_connect_to_several_addresses_fails),
        TEST(net_SOCK_04_a_descriptor_that_cannot_be_adopted_stays_as_it_was),
        TEST(net_BN_06_a_writer_learns_why_when_sending_says_again),
        TEST(net_BN_06_a_reader_learns_why_when_receiving_says_again),
        TEST(net_BN_06_a_read_that_fails_is_the_streams_error),
        TEST(net_SOCK_44_credentials_beside_descriptors_are_passed_over),
        TEST(net_WR_18_a_shutdown_that_fails_is_the_streams_error),
        TEST(net_LIFE_02_a_close_that_fails_closes_all_the_same),
        TEST(net_SOCM_36_options_before_there_is_a_connection),
        TEST(net_the_class_of_a_stream_over_IPv6),
        TEST(net_CONN_24_SOCM_34_a_delay_below_0_is_none),
        TEST(net_SOCM_35_what_was_set_survives_keep_alive),
        TEST(net_SOCM_36_an_option_that_the_system_refuses),
        TEST(net_SOCP_10_SOCP_15_addresses_that_the_system_does_not_tell),
        TEST(net_BN_24_facts_of_an_ipc_stream_that_are_not_known),
        TEST(net_BN_06_a_nameless_socket_fails_without_a_name),
    };

    return cmocka_run_group_tests_name("socket_failures", tests, NULL, NULL);
}
