/* SPDX-License-Identifier: MIT */
/* Nagle's algorithm and keep-alive of a stream, as the kernel has them (rows SOCM-32 to SOCM-40), and resets. */
#define _GNU_SOURCE

#include <netinet/tcp.h>

#include "raw_peer.h"

typedef struct subject {
    weir_stream *stream;
    int fd;
} subject;

static subject connected(fixture *f)
{
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    weir_stream *stream = fixture_connect(f, server, NULL, NULL).client->stream;

    return (subject){stream, raw_fd_of(stream)};
}

static void net_SOCM_32_keep_alive_is_switched_on_and_off(void **state)
{
    subject s = connected(*state);

    assert_int_equal(raw_option(s.fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_code(weir_stream_set_keep_alive(s.stream, 1, 0), 0);
    assert_int_equal(raw_option(s.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_code(weir_stream_set_keep_alive(s.stream, 0, 0), 0);
    assert_int_equal(raw_option(s.fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

static void net_SOCM_33_SOCM_35_the_delay_is_cut_to_whole_seconds(void **state)
{
    subject s = connected(*state);

    assert_code(weir_stream_set_keep_alive(s.stream, 1, 5500), 0);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_KEEPIDLE), 5);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_KEEPCNT), 10);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
    assert_code(weir_stream_set_keep_alive(s.stream, 0, 0), 0); /* clears SO_KEEPALIVE only */
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_KEEPIDLE), 5);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_KEEPCNT), 10);
}

static void net_SOCM_34_no_delay_leaves_the_default_or_the_earlier_one(void **state)
{
    subject s = connected(*state);
    int idle = raw_option(s.fd, IPPROTO_TCP, TCP_KEEPIDLE);

    assert_code(weir_stream_set_keep_alive(s.stream, 1, 0), 0);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_KEEPIDLE), idle);
    assert_code(weir_stream_set_keep_alive(s.stream, 1, 7000), 0);
    assert_code(weir_stream_set_keep_alive(s.stream, 1, 0), 0);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_KEEPIDLE), 7);
}

static void net_SOCM_37_SOCM_38_SOCM_39_nagle_is_on_until_it_is_switched_off(void **state)
{
    subject s = connected(*state);

    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_code(weir_stream_set_no_delay(s.stream, 1), 0);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_code(weir_stream_set_no_delay(s.stream, 1), 0);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_code(weir_stream_set_no_delay(s.stream, 0), 0);
    assert_int_equal(raw_option(s.fd, IPPROTO_TCP, TCP_NODELAY), 0);
}

static void net_SOCM_36_SOCM_40_what_was_said_last_before_connecting_counts(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    recorder *client = record_stream(f, weir_stream_new(f->runtime, NULL), RECORD_DATA);
    int fd;

    assert_code(weir_stream_set_no_delay(client->stream, 0), 0);
    assert_code(weir_stream_set_keep_alive(client->stream, 1, 3000), 0);
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    assert_code(weir_stream_set_no_delay(client->stream, 1), 0); /* while it connects */
    assert_code(weir_stream_set_keep_alive(client->stream, 1, 9000), 0);
    recorder_wait(client, WEIR_EVENT_CONNECT);
    fd = raw_fd_of(client->stream);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(raw_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 9);
    weir_stream_release(client->stream);
}

/* As through the bare transport; the probe is a layer that lets all pass. */
static void net_SOCM_32_SOCM_37_through_a_layer(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    pair p = fixture_connect(f, server, fixture_text(f, "probe+%s", fixture_url(f, server)), NULL);
    int fd = raw_fd_of(p.client->stream);

    assert_code(weir_stream_set_no_delay(p.client->stream, 1), 0);
    assert_code(weir_stream_set_keep_alive(p.client->stream, 1, 4000), 0);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(raw_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 4);
}

/* ---- resets ---- */

static void expect_reset(fixture *f, weir_server *server, const char *endpoint)
{
    pair p = fixture_connect(f, server, endpoint, NULL);

    assert_code(recorder_reset(p.client), 0);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_false(recorder_saw(p.client, "close:error"));
    assert_true(recorder_saw(p.accepted, "error:ECONNRESET"));
}

static void net_BN_16_SOCM_24_a_reset_goes_through_layers(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    const char *url = fixture_url(f, server);

    expect_reset(f, server, fixture_text(f, "probe+%s", url));
    expect_reset(f, server, fixture_text(f, "chaos+%s?seed=7", url));
    expect_reset(f, server, fixture_text(f, "probe+chaos+%s?seed=8", url));
}

static void net_BN_16_SOCM_25_a_reset_while_layers_open(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    recorder *client = fixture_client(f, fixture_text(f, "chaos+%s?seed=9", fixture_url(f, server)), NULL);
    recorder *accepted;

    assert_code(recorder_reset(client), 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "ready"));
    accepted = fixture_accepted(f, server, 0);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(accepted, "error:ECONNRESET"));
}

/* The stream is left as it was, whatever stands above the socket. */
static void net_BN_16_SOCM_27_there_is_no_reset_over_ipc(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s", fixture_path(f, "sock")), NULL);
    pair bare = fixture_connect(f, server, NULL, NULL);
    pair layered = fixture_connect(f, server, fixture_text(f, "probe+%s", fixture_url(f, server)), NULL);
    recorder *connecting = fixture_client(f, fixture_url(f, server), NULL);

    assert_code(recorder_reset(connecting), WEIR_EINVALIDHANDLETYPE);
    assert_code(recorder_reset(bare.client), WEIR_EINVALIDHANDLETYPE);
    assert_code(recorder_reset(layered.client), WEIR_EINVALIDHANDLETYPE);
    recorder_write(bare.client, "bare", 4);
    recorder_wait_data(bare.accepted, 4);
    recorder_write(layered.client, "layered", 7);
    recorder_wait_data(layered.accepted, 7);
    recorder_wait(connecting, WEIR_EVENT_READY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_SOCM_32_keep_alive_is_switched_on_and_off),
        FIXTURE_TEST(net_SOCM_33_SOCM_35_the_delay_is_cut_to_whole_seconds),
        FIXTURE_TEST(net_SOCM_34_no_delay_leaves_the_default_or_the_earlier_one),
        FIXTURE_TEST(net_SOCM_37_SOCM_38_SOCM_39_nagle_is_on_until_it_is_switched_off),
        FIXTURE_TEST(net_SOCM_36_SOCM_40_what_was_said_last_before_connecting_counts),
        FIXTURE_TEST(net_SOCM_32_SOCM_37_through_a_layer),
        FIXTURE_TEST(net_BN_16_SOCM_24_a_reset_goes_through_layers),
        FIXTURE_TEST(net_BN_16_SOCM_25_a_reset_while_layers_open),
        FIXTURE_TEST(net_BN_16_SOCM_27_there_is_no_reset_over_ipc),
    };

    return cmocka_run_group_tests_name("socket_settings", tests, NULL, NULL);
}
