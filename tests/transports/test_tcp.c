/* SPDX-License-Identifier: MIT */
/* TCP: listening, connecting, options, and what the kernel reports of a peer that ends, resets or vanishes. */
#define _GNU_SOURCE

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#include "raw_peer.h"
#include "refusal.h"

#define LOCAL "tcp://127.0.0.1:0"

static void on_done(const weir_event *event, void *arg)
{
    (void)event;
    *(int *)arg = 1;
}

static refusal refused_listen(fixture *f, const char *endpoint)
{
    refusal refused = {0};
    weir_server *server = weir_server_new(f->runtime, NULL);

    weir_server_on(server, WEIR_EVENT_ERROR, refusal_on_error, &refused);
    assert_code(weir_server_listen(server, endpoint, NULL, NULL), 0);
    fixture_until(f, &refused.done);
    assert_int_equal(weir_server_listening(server), 0);
    weir_server_release(server);
    return refused;
}

/* ---- listening ---- */

static void net_SRV_62_SRV_16_port_0_is_chosen_by_the_system(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    weir_address address;

    assert_code(weir_server_address(server, &address), 0);
    assert_int_equal(address.family, WEIR_FAMILY_IPV4);
    assert_true(address.port > 0);
}

static void net_SRV_63_SRV_65_without_a_host_both_families_are_served(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "{\"tcp\": {}}", NULL);
    uint16_t port = raw_port_of(server);
    pair ipv4 = fixture_connect(f, server, fixture_text(f, "tcp://127.0.0.1:%d", port), NULL);
    pair ipv6 = fixture_connect(f, server, fixture_text(f, "tcp://[::1]:%d", port), NULL);
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];

    assert_code(weir_server_address(server, &address), 0);
    assert_int_equal(address.family, WEIR_FAMILY_IPV6);
    assert_code(weir_stream_remote_address(ipv4.accepted->stream, &address), 0);
    weir_address_ip(&address, text, sizeof(text));
    assert_string_equal(text, "::ffff:127.0.0.1");
    assert_code(weir_stream_remote_address(ipv6.accepted->stream, &address), 0);
    weir_address_ip(&address, text, sizeof(text));
    assert_string_equal(text, "::1");
}

static void net_SRV_59_A_22_ipv6_only_leaves_ipv4_alone(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    uint16_t port = fixture_port(f);
    weir_server *server =
        fixture_listen(f, fixture_text(f, "{\"tcp\": {\"ipv6Only\": true, \"port\": %d}}", port), NULL);
    recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", port), NULL);

    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "error:ECONNREFUSED"));
    fixture_connect(f, server, fixture_text(f, "tcp://[::1]:%d", port), NULL);
}

static void net_SRV_42_SRV_11_a_taken_port_is_refused(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    const char *url = fixture_text(f, "tcp://127.0.0.1:%d", raw_port_of(server));
    refusal refused = refused_listen(f, url);

    assert_code(refused.code, UV_EADDRINUSE);
    assert_string_equal(refused.syscall, "listen");
    assert_string_equal(refused.message, fixture_text(f,
                                                      "listen %s: address already in use (EADDRINUSE); another "
                                                      "socket listens there already",
                                                      url));
}

static void net_A_06_a_taken_port_is_no_reason_for_ipv4(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "{\"tcp\": {\"ipv6Only\": true}}", NULL);
    refusal refused = refused_listen(f, fixture_text(f, "{\"tcp\": {\"port\": %d}}", raw_port_of(server)));

    assert_code(refused.code, UV_EADDRINUSE);
}

static void net_SRV_66_an_address_of_nobodys_is_refused(void **state)
{
    refusal refused = refused_listen(*state, "tcp://203.0.113.1:0");

    assert_code(refused.code, UV_EADDRNOTAVAIL);
    assert_non_null(strstr(refused.message, "no interface of this host has this address"));
}

static void net_BN_15_free_bind_takes_an_address_of_nobodys(void **state)
{
    weir_server *server = fixture_listen(*state, "tcp://203.0.113.1:0?freeBind=true", NULL);

    assert_true(raw_port_of(server) > 0);
}

static void net_BN_15_reuse_port_shares_a_port(void **state)
{
    fixture *f = *state;
    weir_server *first = fixture_listen(f, LOCAL "?reusePort=true", NULL);
    const char *url = fixture_text(f, "tcp://127.0.0.1:%d?reusePort=true", raw_port_of(first));
    weir_server *second = fixture_listen(f, url, NULL);

    assert_int_equal(raw_port_of(first), raw_port_of(second));
}

static void net_SRV_38_a_port_in_TIME_WAIT_can_be_listened_on(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    uint16_t port = raw_port_of(server);
    pair p = fixture_connect(f, server, NULL, NULL);

    /* the side that ends first keeps the port in TIME_WAIT */
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_code(weir_server_close_wait(server), 0);
    fixture_listen(f, fixture_text(f, "tcp://127.0.0.1:%d", port), NULL);
}

static void net_SRV_22_after_close_connects_are_refused(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    const char *url = fixture_url(f, server);
    recorder *client;

    assert_code(weir_server_close(server, NULL, NULL), 0);
    client = fixture_client(f, url, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "error:ECONNREFUSED"));
}

static int parse(fixture *f, const char *text, weir_endpoint **endpoint, char *message, size_t size)
{
    weir_error *error = NULL;
    int status = weir_endpoint_parse(f->runtime, text, WEIR_CLIENT, NULL, endpoint, &error);

    snprintf(message, size, "%s", error ? error->message : "");
    weir_error_release(error);
    return status;
}

static void net_SRV_46_a_bound_descriptor_is_adopted(void **state)
{
    fixture *f = *state;
    weir_server *server = weir_server_new(f->runtime, NULL);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = raw_loopback(0);
    weir_endpoint *endpoint = NULL;
    int done = 0;

    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_code(weir_endpoint_parse(f->runtime, "{\"tcp\": {}}", WEIR_SERVER, NULL, &endpoint, NULL), 0);
    assert_code(weir_server_listen_fd(server, endpoint, fd, on_done, &done), 0);
    weir_endpoint_release(endpoint);
    fixture_until(f, &done);
    close(raw_connect(raw_port_of(server)));
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

static void net_SRV_46_a_descriptor_that_is_no_socket_is_EINVAL(void **state)
{
    fixture *f = *state;
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_endpoint *endpoint = NULL;
    refusal refused = {0};
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    weir_server_on(server, WEIR_EVENT_ERROR, refusal_on_error, &refused);
    assert_code(weir_endpoint_parse(f->runtime, "{\"tcp\": {}}", WEIR_SERVER, NULL, &endpoint, NULL), 0);
    assert_code(weir_server_listen_fd(server, endpoint, pipes[0], NULL, NULL), 0);
    weir_endpoint_release(endpoint);
    fixture_until(f, &refused.done);
    assert_code(refused.code, UV_EINVAL);
    assert_string_equal(refused.syscall, "listen");
    close(pipes[1]);
    weir_server_release(server);
}

/* ---- connecting ---- */

static void net_CONN_45_SOCK_46_SOCK_23_a_refused_connect(void **state)
{
    fixture *f = *state;
    uint16_t port = fixture_port(f);
    recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", port), NULL);
    const weir_error *error;

    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client,
                    "resume connectionAttempt connectionAttemptFailed:ECONNREFUSED error:ECONNREFUSED close:error");
    error = weir_stream_errored(client->stream);
    assert_string_equal(error->syscall, "connect");
    assert_string_equal(error->address, "127.0.0.1");
    assert_int_equal(error->port, port);
    assert_string_equal(error->message,
                        fixture_text(f, "connect tcp://127.0.0.1:%d: connection refused (ECONNREFUSED)", port));
}

static void net_BN_03_refused_connects_leave_no_descriptor(void **state)
{
    fixture *f = *state;
    uint16_t port = fixture_port(f);
    int before = fixture_descriptors();
    int i;

    for (i = 0; i < 200; i++) {
        recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", port), NULL);

        recorder_wait(client, WEIR_EVENT_CLOSE);
    }
    assert_int_equal(fixture_descriptors(), before);
}

static void net_CONN_11_connecting_needs_a_port(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;
    char message[256];

    assert_code(parse(f, "{\"tcp\": {\"host\": \"127.0.0.1\"}}", &endpoint, message, sizeof(message)),
                WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(message, "a port is missing"));
}

static void net_CONN_13_a_local_address_is_an_ip_address(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;
    char message[256];

    assert_code(parse(f, "tcp://127.0.0.1:80?localAddress=lo", &endpoint, message, sizeof(message)),
                WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(message, "\"lo\" is not an IP address"));
}

static void net_CONN_13_CONN_14_the_local_end_is_bound(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    uint16_t port = fixture_port(f);
    pair p;
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];

    p = fixture_connect(f, server,
                        fixture_text(f, "%s?localAddress=127.0.0.2&localPort=%d", fixture_url(f, server), port), NULL);
    assert_code(weir_stream_remote_address(p.accepted->stream, &address), 0);
    weir_address_format(&address, text, sizeof(text));
    assert_string_equal(text, fixture_text(f, "127.0.0.2:%d", port));
    assert_code(weir_stream_local_address(p.client->stream, &address), 0);
    assert_int_equal(address.port, port);
}

static void net_CONN_14_a_taken_local_port_fails_the_bind(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    uint16_t port = 0;
    int taken = raw_listen(&port, 1);
    recorder *client = fixture_client(f, fixture_text(f, "%s?localPort=%d", fixture_url(f, server), port), NULL);
    const weir_error *error;

    recorder_wait(client, WEIR_EVENT_CLOSE);
    error = weir_stream_errored(client->stream);
    assert_code(error->code, UV_EADDRINUSE);
    assert_string_equal(error->syscall, "bind");
    assert_string_equal(error->address, "0.0.0.0");
    assert_int_equal(error->port, port);
    close(taken);
}

static void net_SOCM_09_destroyed_while_connecting(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int listener = raw_listen(&port, 1);
    recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", port), NULL);

    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_false(recorder_saw(client, "connect"));
    close(listener);
}

/* ---- options ---- */

static int64_t number(weir_stream *stream, const char *name)
{
    weir_value value;

    assert_code(weir_stream_get(stream, name, &value), 0);
    return value.number;
}

static int set_number(weir_stream *stream, const char *name, weir_value_type type, int64_t to)
{
    weir_value value = {.type = type, .number = to};

    return weir_stream_set(stream, name, &value);
}

static void net_CONN_22_CONN_23_BN_15_options_of_a_client(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server,
                             fixture_text(f,
                                          "%s?noDelay=true&keepAlive=true&keepAliveInitialDelay=5500&"
                                          "keepAliveInterval=7s&keepAliveCount=3&userTimeout=9000&tos=16",
                                          fixture_url(f, server)),
                             NULL);
    int fd = raw_fd_of(p.client->stream);

    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 5);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 7);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 9000);
    assert_int_equal(raw_option(fd, IPPROTO_IP, IP_TOS), 16);
    assert_int_equal(number(p.client->stream, "keepAliveInterval"), 7000);
    assert_int_equal(number(p.client->stream, "noDelay"), 1);
}

static void net_BN_15_accepted_sockets_have_the_listeners_options(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL "?noDelay=true&keepAlive=true&keepAliveCount=4&tos=8", NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    int fd = raw_fd_of(p.accepted->stream);

    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 4);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
    assert_int_equal(raw_option(fd, IPPROTO_IP, IP_TOS), 8);
}

static void net_SOCM_35_A_19_keep_alive_on_a_live_socket(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_stream *stream = p.client->stream;
    int fd = raw_fd_of(stream);
    int idle = raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE);

    assert_code(weir_stream_set_keep_alive(stream, 1, 0), 0);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), idle); /* SOCM-34 */
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 10);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
    assert_code(weir_stream_set_keep_alive(stream, 0, 0), 0);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    /* what was asked for explicitly stays */
    assert_code(set_number(stream, "keepAliveInterval", WEIR_VALUE_NUMBER, 20000), 0);
    assert_code(weir_stream_set_keep_alive(stream, 1, 500), 0);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 20);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 1); /* */
}

static void net_SOCM_36_SOCM_40_options_set_before_connecting_are_remembered(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    recorder *client = record_stream(f, weir_stream_new(f->runtime, NULL), RECORD_DATA);

    assert_code(weir_stream_set_no_delay(client->stream, 1), 0);
    assert_code(weir_stream_set_keep_alive(client->stream, 1, 3000), 0);
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    recorder_wait(client, WEIR_EVENT_CONNECT);
    assert_int_equal(raw_option(raw_fd_of(client->stream), IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(raw_option(raw_fd_of(client->stream), IPPROTO_TCP, TCP_KEEPIDLE), 3);
    weir_stream_release(client->stream);
}

static void net_BN_15_options_refuse_wrong_types_and_values(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    weir_stream *stream = fixture_connect(f, server, NULL, NULL).client->stream;
    weir_value value;

    assert_code(set_number(stream, "noDelay", WEIR_VALUE_NUMBER, 1), WEIR_EINVALIDARGTYPE);
    assert_code(set_number(stream, "tos", WEIR_VALUE_NUMBER, 256), WEIR_EOUTOFRANGE);
    assert_code(set_number(stream, "nothing", WEIR_VALUE_NUMBER, 1), UV_ENOENT);
    assert_code(weir_stream_get(stream, "nothing", &value), UV_ENOENT);
    assert_code(weir_stream_get(stream, "peerPid", &value), UV_ENOENT);
}

static void net_BN_15_durations_too_long_for_the_kernel_are_faults(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;
    char message[256];

    assert_code(parse(f, "tcp://127.0.0.1:80?keepAliveInterval=10h", &endpoint, message, sizeof(message)),
                WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(message, "is more than the maximum of 32767999"));
}

static void net_SOCP_10_to_20_addresses_of_both_ends(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_address local;
    weir_address remote;
    weir_value value;

    assert_code(weir_stream_local_address(p.client->stream, &local), 0);
    assert_code(weir_stream_remote_address(p.accepted->stream, &remote), 0);
    assert_true(weir_address_equal(&local, &remote));
    assert_int_equal(number(p.client->stream, "remotePort"), raw_port_of(server));
    assert_int_equal(number(p.accepted->stream, "localPort"), raw_port_of(server));
    assert_code(weir_stream_get(p.client->stream, "remoteFamily", &value), 0);
    assert_string_equal(value.text, "IPv4");
}

/* ---- resets ---- */

static void net_SOCM_24_reset_and_destroy_sends_a_reset(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);

    assert_code(recorder_reset(p.client), 0);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_false(recorder_saw(p.client, "close:error"));
    assert_true(recorder_saw(p.accepted, "error:ECONNRESET"));
}

static void net_BN_15_linger_0_resets_on_every_close(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, fixture_text(f, "%s?linger=0", fixture_url(f, server)), NULL);

    recorder_destroy(p.client, NULL);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.accepted, "error:ECONNRESET"));
}

/* ---- bytes ---- */

#define MANY ((size_t)6 * 1024 * 1024)

static void transfer(fixture *f, recorder *from, recorder *to, size_t chunk, unsigned seed)
{
    char *bytes = malloc(MANY);
    size_t sent;

    assert_non_null(bytes);
    fixture_fill(bytes, MANY, seed);
    for (sent = 0; sent < MANY; sent += chunk)
        assert_true(recorder_write(from, bytes + sent, MANY - sent < chunk ? MANY - sent : chunk) >= 0);
    recorder_end(from);
    recorder_wait_data(to, MANY);
    recorder_expect_data(to, bytes, MANY);
    recorder_wait(to, WEIR_EVENT_END);
    free(bytes);
    (void)f;
}

static void net_WR_02_a_lot_of_bytes_in_one_write(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);

    transfer(f, p.client, p.accepted, MANY, 1);
}

/* More buffers than one sendmsg takes (IOV_MAX), and partial writes in the middle of them. */
static void net_WR_02_thousands_of_small_writes(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);

    transfer(f, p.accepted, p.client, 1021, 2);
}

static void net_SOCK_30_half_open_both_ways(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server *server;
    pair p;

    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    server = fixture_listen(f, LOCAL, &options);
    p = fixture_connect(f, server, NULL, NULL);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    transfer(f, p.accepted, p.client, 65536, 3);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_false(recorder_saw(p.accepted, "close:error"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_SRV_62_SRV_16_port_0_is_chosen_by_the_system),
        FIXTURE_TEST(net_SRV_63_SRV_65_without_a_host_both_families_are_served),
        FIXTURE_TEST(net_SRV_59_A_22_ipv6_only_leaves_ipv4_alone),
        FIXTURE_TEST(net_SRV_42_SRV_11_a_taken_port_is_refused),
        FIXTURE_TEST(net_A_06_a_taken_port_is_no_reason_for_ipv4),
        FIXTURE_TEST(net_SRV_66_an_address_of_nobodys_is_refused),
        FIXTURE_TEST(net_BN_15_free_bind_takes_an_address_of_nobodys),
        FIXTURE_TEST(net_BN_15_reuse_port_shares_a_port),
        FIXTURE_TEST(net_SRV_38_a_port_in_TIME_WAIT_can_be_listened_on),
        FIXTURE_TEST(net_SRV_22_after_close_connects_are_refused),
        FIXTURE_TEST(net_SRV_46_a_bound_descriptor_is_adopted),
        FIXTURE_TEST(net_SRV_46_a_descriptor_that_is_no_socket_is_EINVAL),
        FIXTURE_TEST(net_CONN_45_SOCK_46_SOCK_23_a_refused_connect),
        FIXTURE_TEST(net_BN_03_refused_connects_leave_no_descriptor),
        FIXTURE_TEST(net_CONN_11_connecting_needs_a_port),
        FIXTURE_TEST(net_CONN_13_a_local_address_is_an_ip_address),
        FIXTURE_TEST(net_CONN_13_CONN_14_the_local_end_is_bound),
        FIXTURE_TEST(net_CONN_14_a_taken_local_port_fails_the_bind),
        FIXTURE_TEST(net_SOCM_09_destroyed_while_connecting),
        FIXTURE_TEST(net_CONN_22_CONN_23_BN_15_options_of_a_client),
        FIXTURE_TEST(net_BN_15_accepted_sockets_have_the_listeners_options),
        FIXTURE_TEST(net_SOCM_35_A_19_keep_alive_on_a_live_socket),
        FIXTURE_TEST(net_SOCM_36_SOCM_40_options_set_before_connecting_are_remembered),
        FIXTURE_TEST(net_BN_15_options_refuse_wrong_types_and_values),
        FIXTURE_TEST(net_BN_15_durations_too_long_for_the_kernel_are_faults),
        FIXTURE_TEST(net_SOCP_10_to_20_addresses_of_both_ends),
        FIXTURE_TEST(net_SOCM_24_reset_and_destroy_sends_a_reset),
        FIXTURE_TEST(net_BN_15_linger_0_resets_on_every_close),
        FIXTURE_TEST(net_WR_02_a_lot_of_bytes_in_one_write),
        FIXTURE_TEST(net_WR_02_thousands_of_small_writes),
        FIXTURE_TEST(net_SOCK_30_half_open_both_ways),
    };

    return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
