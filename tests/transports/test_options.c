/* SPDX-License-Identifier: MIT */
/*
 * Options of sockets, as the kernel has them in the end, on both sides of a connection; and the time after which a
 * connect tries the next address too. The resolver is the test's own: libuv calls getaddrinfo, and finds the one below.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "raw_peer.h"
#include "resolver.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif

#define LOCAL "tcp://127.0.0.1:0"

/* ---- buffers of the kernel ---- */

static void assert_number(weir_stream *stream, const char *name, int64_t expected)
{
    weir_value value;

    assert_code(weir_stream_get(stream, name, &value), 0);
    assert_int_equal(value.type, WEIR_VALUE_NUMBER);
    assert_int_equal(value.number, expected);
}

/* Linux gives back the double of what it was told. */
static void assert_buffers(weir_stream *stream, int receive, int send)
{
    int fd = raw_fd_of(stream);

    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_RCVBUF), 2 * receive);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_SNDBUF), 2 * send);
    assert_number(stream, "recvBufferSize", receive);
    assert_number(stream, "sendBufferSize", send);
}

static void buffers_of_both_ends(fixture *f, const char *endpoint)
{
    weir_server *server = fixture_listen(f, endpoint, NULL);
    const char *url = fixture_text(f, "%s?recvBufferSize=40000&sendBufferSize=50000", fixture_url(f, server));
    pair p = fixture_connect(f, server, url, NULL);
    weir_value value = {.type = WEIR_VALUE_NUMBER, .number = 20000};

    assert_buffers(p.client->stream, 40000, 50000);
    assert_code(weir_stream_set(p.client->stream, "recvBufferSize", &value), 0);
    assert_buffers(p.client->stream, 20000, 50000);
    value.number = 0;
    assert_code(weir_stream_set(p.client->stream, "sendBufferSize", &value), WEIR_EOUTOFRANGE);
    assert_buffers(p.accepted->stream, 30000, 60000);
}

static void net_BN_15_buffer_sizes_over_tcp(void **state)
{
    buffers_of_both_ends(*state, LOCAL "?recvBufferSize=30000&sendBufferSize=60000");
}

static void net_BN_15_buffer_sizes_over_ipc(void **state)
{
    fixture *f = *state;

    buffers_of_both_ends(f,
                         fixture_text(f, "ipc:%s?recvBufferSize=30000&sendBufferSize=60000", fixture_path(f, "sock")));
}

/* ---- options of servers ---- */

static pair served_with(fixture *f, const char *endpoint, int no_delay, int keep_alive, uint64_t delay)
{
    weir_server_options options;

    weir_server_options_init(&options);
    options.no_delay = no_delay;
    options.keep_alive = keep_alive;
    options.keep_alive_initial_delay = delay;
    return fixture_connect(f, fixture_listen(f, endpoint, &options), NULL, NULL);
}

static void net_CSRV_07_no_delay_of_a_server_is_its_connections(void **state)
{
    pair p = served_with(*state, LOCAL, 1, 0, 0);

    assert_int_equal(raw_option(raw_fd_of(p.accepted->stream), IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(raw_option(raw_fd_of(p.accepted->stream), SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(raw_option(raw_fd_of(p.client->stream), IPPROTO_TCP, TCP_NODELAY), 0);
}

static void net_CSRV_08_CSRV_09_keep_alive_of_a_server_is_its_connections(void **state)
{
    pair p = served_with(*state, LOCAL, 0, 1, 5500);
    int fd = raw_fd_of(p.accepted->stream);

    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 5);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_equal(raw_option(raw_fd_of(p.client->stream), SOL_SOCKET, SO_KEEPALIVE), 0);
}

static void net_CSRV_09_without_a_delay_the_systems_stays(void **state)
{
    pair p = served_with(*state, LOCAL, 0, 1, 0);
    int fd = raw_fd_of(p.accepted->stream);

    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE),
                     raw_option(raw_fd_of(p.client->stream), IPPROTO_TCP, TCP_KEEPIDLE));
}

static void net_CSRV_07_to_09_are_off_at_first(void **state)
{
    pair p = served_with(*state, LOCAL, 0, 0, 5500);
    int fd = raw_fd_of(p.accepted->stream);

    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_not_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 5);
}

static void net_CSRV_07_to_09_mean_nothing_over_ipc(void **state)
{
    fixture *f = *state;
    pair p = served_with(f, fixture_text(f, "ipc:%s", fixture_path(f, "sock")), 1, 1, 5500);

    recorder_write(p.client, "hello", 5);
    recorder_wait_data(p.accepted, 5);
}

/* ---- the interface ---- */

/* Older kernels leave it to root. */
static void skip_without_the_right_to_bind_to_a_device(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int refused = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) != 0;
    int code = errno;

    close(fd);
    if (refused && code == EPERM)
        skip();
}

static void assert_device(int fd, const char *expected)
{
    char device[IFNAMSIZ] = "?";
    socklen_t size = sizeof(device);

    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &size), 0);
    assert_string_equal(size ? device : "", expected);
}

static void net_BN_15_bind_to_device(void **state)
{
    fixture *f = *state;
    weir_server *server;
    pair p;
    int fd;

    skip_without_the_right_to_bind_to_a_device();
    server = fixture_listen(f, LOCAL "?bindToDevice=lo", NULL);
    p = fixture_connect(f, server, NULL, NULL);
    assert_device(raw_fd_of(p.client->stream), "");
    p = fixture_connect(f, server, fixture_text(f, "%s?bindToDevice=lo", fixture_url(f, server)), NULL);
    assert_device(raw_fd_of(p.client->stream), "lo");
    assert_device(raw_fd_of(p.accepted->stream), "lo");
    fd = weir_server_export_fd(server);
    assert_true(fd >= 0);
    assert_device(fd, "lo");
    close(fd);
}

static void keep_error(const weir_event *event, void *arg)
{
    weir_error **kept = arg;

    weir_error_release(*kept);
    *kept = weir_error_retain(event->error);
}

static int is_kept(const void *arg)
{
    return *(weir_error *const *)arg != NULL;
}

static void wait_for_error(fixture *f, weir_error *const *error)
{
    while (!*error && fixture_turn(f, is_kept, error))
        assert_int_equal(f->expired, 0);
    assert_non_null(*error);
}

static void net_BN_15_a_device_that_is_not_there(void **state)
{
    fixture *f = *state;
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_error *error = NULL;
    recorder *client;

    skip_without_the_right_to_bind_to_a_device();
    client = fixture_client(f, "tcp://127.0.0.1:9?bindToDevice=nosuch0", NULL);
    weir_stream_on(client->stream, WEIR_EVENT_ERROR, keep_error, &error);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_non_null(error);
    assert_code(error->code, UV_ENODEV);
    assert_string_equal(error->syscall, "setsockopt bindToDevice");
    weir_server_on(server, WEIR_EVENT_ERROR, keep_error, &error);
    weir_error_release(error);
    error = NULL;
    assert_code(weir_server_listen(server, LOCAL "?bindToDevice=nosuch0", NULL, NULL), 0);
    wait_for_error(f, &error);
    assert_code(error->code, UV_ENODEV);
    assert_int_equal(weir_server_listening(server), 0);
    weir_error_release(error);
    weir_server_release(server);
}

static void net_BN_15_the_name_of_a_device_is_short(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;

    assert_code(weir_endpoint_parse(f->runtime, "tcp://127.0.0.1:9?bindToDevice=abcdefghijklmnop", WEIR_CLIENT, NULL,
                                    &endpoint, NULL),
                WEIR_EINVALID_CONFIG);
    assert_code(weir_endpoint_parse(f->runtime, "tcp://127.0.0.1:9?bindToDevice=abcdefghijklmno", WEIR_CLIENT, NULL,
                                    &endpoint, NULL),
                0);
    weir_endpoint_release(endpoint);
}

/* ---- what the protocol can do ---- */

static void converse(pair p)
{
    recorder_write(p.client, "hello", 5);
    recorder_wait_data(p.accepted, 5);
    recorder_write(p.accepted, "you too", 7);
    recorder_wait_data(p.client, 7);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, "hello", 5);
    recorder_expect_data(p.client, "you too", 7);
}

static void net_BN_15_fast_open(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL "?fastOpen=true", NULL);
    weir_server *plain = fixture_listen(f, LOCAL, NULL);
    int fd = weir_server_export_fd(server);
    int other = weir_server_export_fd(plain);
    int round;

    assert_true(raw_option(fd, IPPROTO_TCP, TCP_FASTOPEN) > 0); /* how many may wait without a handshake */
    assert_int_equal(raw_option(other, IPPROTO_TCP, TCP_FASTOPEN), 0);
    close(fd);
    close(other);
    /* The first time it asks for a cookie, the second time it may have one. */
    for (round = 0; round < 2; round++) {
        recorder *client = fixture_client(f, fixture_text(f, "%s?fastOpen=true", fixture_url(f, server)), NULL);

        recorder_write(client, "hello", 5);
        recorder_wait(client, WEIR_EVENT_CONNECT);
        assert_int_equal(raw_option(raw_fd_of(client->stream), IPPROTO_TCP, TCP_FASTOPEN_CONNECT), 1);
        recorder_wait_data(fixture_accepted(f, server, (size_t)round), 5);
        recorder_end(client);
        recorder_wait(client, WEIR_EVENT_CLOSE);
    }
}

/* What a kernel with or without MPTCP gives. */
static int best_protocol(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

    if (fd < 0)
        return IPPROTO_TCP;
    close(fd);
    return IPPROTO_MPTCP;
}

static void net_BN_15_mptcp_where_the_kernel_has_it(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL "?mptcp=true", NULL);
    pair p = fixture_connect(f, server, fixture_text(f, "%s?mptcp=true", fixture_url(f, server)), NULL);
    int fd = weir_server_export_fd(server);

    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_PROTOCOL), best_protocol());
    close(fd);
    assert_int_equal(raw_option(raw_fd_of(p.client->stream), SOL_SOCKET, SO_PROTOCOL), best_protocol());
    converse(p);
    /* and with a client that knows nothing of it */
    p = fixture_connect(f, server, NULL, NULL);
    assert_int_equal(raw_option(raw_fd_of(p.client->stream), SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    converse(p);
}

/* Documented as without effect: neither does it share a port, nor does it keep a server from listening. */
static void net_SRV_54_exclusive_is_accepted_and_means_nothing(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL "?exclusive=true", NULL);
    weir_server *second = weir_server_new(f->runtime, NULL);
    weir_error *error = NULL;
    int fd = weir_server_export_fd(server);

    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_REUSEPORT), 0);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    close(fd);
    converse(fixture_connect(f, server, NULL, NULL));
    weir_server_on(second, WEIR_EVENT_ERROR, keep_error, &error);
    assert_code(weir_server_listen(second, fixture_text(f, "%s?exclusive=false", fixture_url(f, server)), NULL, NULL),
                0);
    wait_for_error(f, &error);
    assert_code(error->code, UV_EADDRINUSE);
    weir_error_release(error);
    weir_server_release(second);
}

/* ---- the time of an attempt ---- */

static const char *answers[3]; /* of the resolver, to every question; NULL after the last */

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the names in the C library are reserved ones */
WEIR_EXPORT int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                            struct addrinfo **result)
{
    size_t i;

    (void)node;
    (void)service;
    (void)hints;
    *result = NULL;
    for (i = 0; i < sizeof(answers) / sizeof(answers[0]) && answers[i]; i++)
        resolver_answer(result, answers[i], AF_INET);
    return *result ? 0 : EAI_NONAME;
}

static void resolver_says(const char *first, const char *second)
{
    answers[0] = first;
    answers[1] = second;
    answers[2] = NULL;
}

/* Those that filled the queue leave it; accepting them makes room for who still knocks: until the client is in. */
static void break_silence(fixture *f, raw_silent *of, const recorder *client)
{
    struct pollfd more = {.fd = of->fd, .events = POLLIN};
    int kept[8];
    size_t count = 0;
    size_t i;

    for (i = 0; i < sizeof(of->fillers) / sizeof(of->fillers[0]); i++)
        close(of->fillers[i]);
    while (!client->counts[WEIR_EVENT_READY]) {
        if (poll(&more, 1, 10) == 1) {
            assert_true(count < sizeof(kept) / sizeof(kept[0]));
            kept[count] = accept4(of->fd, NULL, NULL, SOCK_CLOEXEC);
            assert_true(kept[count++] >= 0);
        }
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    while (count > 0)
        close(kept[--count]);
}

typedef struct timeouts {
    size_t count;
    weir_address last;
    int odd; /* one that carried what is not its */
} timeouts;

static void on_attempt_timeout(const weir_event *event, void *arg)
{
    timeouts *seen = arg;

    seen->count++;
    seen->last = *event->address;
    seen->odd |= event->error != NULL || event->host != NULL || event->stream != event->target_stream;
}

static recorder *attempt(fixture *f, const char *endpoint, timeouts *seen)
{
    recorder *client = fixture_client(f, endpoint, NULL);

    weir_stream_on(client->stream, WEIR_EVENT_CONNECTION_ATTEMPT_TIMEOUT, on_attempt_timeout, seen);
    return client;
}

static void net_SOCK_24_BN_01_an_attempt_that_takes_long_is_told(void **state)
{
    fixture *f = *state;
    uint16_t port = raw_port_of(fixture_listen_alone(f, "127.0.0.1"));
    raw_silent first = raw_silence("127.0.0.2", port);
    timeouts seen = {0};
    char text[WEIR_ADDRESS_TEXT_SIZE];
    recorder *client;

    resolver_says("127.0.0.2", "127.0.0.1");
    client = attempt(f, fixture_text(f, "tcp://two.test:%d?autoSelectFamilyAttemptTimeout=1", port), &seen);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_expect(client, "resume lookup:ok lookup:ok connectionAttempt connectionAttemptTimeout connectionAttempt "
                            "connect ready");
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.odd, 0);
    weir_address_ip(&seen.last, text, sizeof(text));
    assert_string_equal(text, "127.0.0.2");
    assert_int_equal(seen.last.port, port);
    raw_end_silence(&first);
}

/* With no other address to try there is nothing to tell: the whole connect has a time of its own. */
static void net_SOCK_24_the_last_address_has_no_timeout(void **state)
{
    fixture *f = *state;
    uint16_t port = fixture_port(f);
    raw_silent only = raw_silence("127.0.0.2", port);
    timeouts seen = {0};
    recorder *client;

    resolver_says("127.0.0.2", NULL);
    client = attempt(f, fixture_text(f, "tcp://one.test:%d?autoSelectFamilyAttemptTimeout=10", port), &seen);
    recorder_wait(client, WEIR_EVENT_CONNECTION_ATTEMPT);
    assert_code(weir_stream_set_timeout(client->stream, 50, NULL, NULL), 0); /* it would come first, however late */
    recorder_wait(client, WEIR_EVENT_TIMEOUT);
    recorder_expect(client, "resume lookup:ok connectionAttempt timeout");
    assert_int_equal(seen.count, 0);
    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    raw_end_silence(&only);
}

/* It goes on: refused at the second address, the connect still ends well at the first. */
static void net_BN_01_SOCP_02_an_address_that_took_long_can_still_win(void **state)
{
    fixture *f = *state;
    uint16_t port = fixture_port(f);
    raw_silent first = raw_silence("127.0.0.2", port);
    timeouts seen = {0};
    const weir_address *tried = NULL;
    weir_address peer;
    recorder *client;

    resolver_says("127.0.0.2", "127.0.0.1");
    client = attempt(f, fixture_text(f, "tcp://two.test:%d?autoSelectFamilyAttemptTimeout=10", port), &seen);
    recorder_wait(client, WEIR_EVENT_CONNECTION_ATTEMPT_FAILED);
    break_silence(f, &first, client);
    recorder_expect(client, "resume lookup:ok lookup:ok connectionAttempt connectionAttemptTimeout connectionAttempt "
                            "connectionAttemptFailed:ECONNREFUSED connect ready");
    assert_int_equal(seen.count, 1);
    assert_int_equal(weir_stream_attempted_addresses(client->stream, &tried), 2);
    assert_code(weir_stream_remote_address(client->stream, &peer), 0);
    assert_true(weir_address_equal(&tried[1], &peer)); /* the last one, though the other was tried after it */
    assert_false(weir_address_equal(&tried[0], &peer));
    close(first.fd);
}

static void net_CONN_32_the_time_of_an_attempt_is_at_least_one(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;

    assert_code(weir_endpoint_parse(f->runtime, "tcp://localhost:9?autoSelectFamilyAttemptTimeout=0", WEIR_CLIENT, NULL,
                                    &endpoint, NULL),
                WEIR_EINVALID_CONFIG);
    assert_code(weir_endpoint_parse(f->runtime, "tcp://localhost:9?autoSelectFamilyAttemptTimeout=1", WEIR_CLIENT, NULL,
                                    &endpoint, NULL),
                0);
    weir_endpoint_release(endpoint);
}

/* ---- descriptors ---- */

static void keep_fd(const weir_event *event, void *arg)
{
    *(int *)arg = event->fd;
}

/* Whether anybody wants them is asked anew for every message (weir_link_wants_fds). */
static void net_SOCK_44_BN_25_descriptors_come_while_somebody_listens(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s", path), NULL);
    int peer = raw_connect_path(path);
    recorder *accepted = fixture_accepted(f, server, 0);
    int before = fixture_descriptors();
    int ways[2];
    int got = -1;

    assert_int_equal(pipe(ways), 0);
    raw_send_descriptors(peer, "x", &ways[1], 1);
    recorder_wait_data(accepted, 1);
    assert_int_equal(fixture_descriptors(), before + 2); /* nobody listened: only the pipe's own */
    weir_stream_on(accepted->stream, WEIR_EVENT_FD, keep_fd, &got);
    raw_send_descriptors(peer, "x", &ways[1], 1);
    recorder_wait_data(accepted, 2);
    assert_true(got >= 0);
    assert_int_equal(fixture_descriptors(), before + 3);
    assert_int_equal(write(got, "y", 1), 1);
    close(got);
    got = -1;
    weir_stream_off(accepted->stream, WEIR_EVENT_FD, keep_fd, &got);
    raw_send_descriptors(peer, "x", &ways[1], 1);
    recorder_wait_data(accepted, 3);
    assert_int_equal(got, -1);
    assert_int_equal(fixture_descriptors(), before + 2);
    close(ways[0]);
    close(ways[1]);
    close(peer);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_BN_15_buffer_sizes_over_tcp),
        FIXTURE_TEST(net_BN_15_buffer_sizes_over_ipc),
        FIXTURE_TEST(net_CSRV_07_no_delay_of_a_server_is_its_connections),
        FIXTURE_TEST(net_CSRV_08_CSRV_09_keep_alive_of_a_server_is_its_connections),
        FIXTURE_TEST(net_CSRV_09_without_a_delay_the_systems_stays),
        FIXTURE_TEST(net_CSRV_07_to_09_are_off_at_first),
        FIXTURE_TEST(net_CSRV_07_to_09_mean_nothing_over_ipc),
        FIXTURE_TEST(net_BN_15_bind_to_device),
        FIXTURE_TEST(net_BN_15_a_device_that_is_not_there),
        FIXTURE_TEST(net_BN_15_the_name_of_a_device_is_short),
        FIXTURE_TEST(net_BN_15_fast_open),
        FIXTURE_TEST(net_BN_15_mptcp_where_the_kernel_has_it),
        FIXTURE_TEST(net_SRV_54_exclusive_is_accepted_and_means_nothing),
        FIXTURE_TEST(net_SOCK_24_BN_01_an_attempt_that_takes_long_is_told),
        FIXTURE_TEST(net_SOCK_24_the_last_address_has_no_timeout),
        FIXTURE_TEST(net_BN_01_SOCP_02_an_address_that_took_long_can_still_win),
        FIXTURE_TEST(net_CONN_32_the_time_of_an_attempt_is_at_least_one),
        FIXTURE_TEST(net_SOCK_44_BN_25_descriptors_come_while_somebody_listens),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
