/* SPDX-License-Identifier: MIT */
/* Peers on another host that reset, leave or vanish: what was sent arrives, and no end is told that was none. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "peers.h"

static weir_stream_options half_open(void)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    return options;
}

/* Without the loop, so that both the data and the reset are here before it looks. */
static void wait_for_reset(weir_stream *stream)
{
    struct pollfd arrival = {.fd = raw_fd_of(stream)};
    assert_int_equal(poll(&arrival, 1, 60000), 1);
    assert_true(arrival.revents & POLLERR);
}

static void net_BN_06_data_and_a_reset_from_another_host(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *client = far_client(f, NULL, "", &peer);
    raw_send(peer, "last words");
    raw_reset(peer);
    wait_for_reset(client->stream);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume connectionAttempt connect ready data:10 error:ECONNRESET close:error");
}

/* More than one read's worth stands before the reset: all of it is read. */
static void net_BN_06_much_data_before_a_reset_is_read_to_its_end(void **state)
{
    static char bytes[600000];
    fixture *f = *state;
    int peer;
    recorder *client = far_client(f, NULL, "?recvBufferSize=2097152", &peer);
    fixture_fill(bytes, sizeof(bytes), 6);
    recorder_pause(client);
    fixture_turns(f, 2);
    assert_int_equal(send(peer, bytes, sizeof(bytes), MSG_NOSIGNAL), sizeof(bytes));
    raw_reset(peer);
    recorder_wait(client, WEIR_EVENT_PEER_CLOSE);
    recorder_resume(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_false(recorder_saw(client, "end"));
    assert_true(recorder_saw(client, "error:ECONNRESET"));
    assert_true(client->data_size > 0);
    recorder_expect_data(client, bytes, client->data_size);
}

/* A firewall that answers for the peer. */
static void net_BN_06_a_router_that_resets_a_connection(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *client = far_client(f, NULL, "", &peer);
    raw_send(peer, "hello");
    recorder_wait_data(client, 5);
    netns_go(NETNS_FAR);
    netns_filter("in", "meta l4proto tcp reject with tcp reset");
    netns_go(NETNS_NEAR);
    recorder_write(client, "anybody there?", 14);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume connectionAttempt connect ready data:5 w1 error:ECONNRESET close:error");
    close(peer);
}

static void net_BN_05_a_paused_stream_is_told_that_its_peer_left(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *client = far_client(f, NULL, "", &peer);
    recorder_pause(client);
    raw_send(peer, "kept");
    close(peer);
    recorder_wait(client, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, 20);
    recorder_expect(client, "resume connectionAttempt connect ready pause peerClose");
    recorder_resume(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume connectionAttempt connect ready pause peerClose resume data:4 end finish close");
}

static void net_BN_05_BN_06_a_paused_stream_whose_peer_resets(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *client = far_client(f, NULL, "", &peer);
    recorder_pause(client);
    fixture_turns(f, 2);
    raw_send(peer, "kept");
    raw_reset(peer);
    recorder_wait(client, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, 20);
    recorder_expect(client, "resume connectionAttempt connect ready pause peerClose");
    recorder_resume(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume connectionAttempt connect ready pause peerClose resume data:4 error:ECONNRESET "
                            "close:error");
}

/* ---- writes and a peer that ends or goes ---- */

#define BIG ((size_t)4 * 1024 * 1024)

static char *big_bytes(void)
{
    char *bytes = malloc(BIG);
    assert_non_null(bytes);
    fixture_fill(bytes, BIG, 23);
    return bytes;
}

/* Reads what is there without waiting. */
static size_t take(int peer, char *into, size_t size)
{
    ssize_t got = recv(peer, into, size, MSG_DONTWAIT);
    return got > 0 ? (size_t)got : 0;
}

static void net_BN_23_a_peers_half_close_fails_no_pending_write(void **state)
{
    fixture *f = *state;
    weir_stream_options options = half_open();
    char *bytes = big_bytes();
    char *got = malloc(BIG);
    size_t size = 0;
    int peer;
    recorder *client = far_client(f, &options, "", &peer);
    recorder_write(client, bytes, BIG);
    recorder_write(client, "x", 1);
    assert_int_equal(shutdown(peer, SHUT_WR), 0);
    recorder_wait(client, WEIR_EVENT_END);
    assert_int_equal(client->writes_done, 0);
    recorder_end(client);
    while (size < BIG) {
        size += take(peer, got + size, BIG - size);
        fixture_turns(f, 1);
    }
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume connectionAttempt connect ready end w1 w2 e1 finish close");
    assert_memory_equal(got, bytes, BIG);
    close(peer);
    free(got);
    free(bytes);
}

static void net_BN_23_callbacks_come_once_when_the_peer_leaves_with_writes_pending(void **state)
{
    fixture *f = *state;
    char *bytes = big_bytes();
    int peer;
    recorder *client = far_client(f, NULL, "", &peer);
    recorder_write(client, bytes, BIG);
    recorder_write(client, "x", 1);
    recorder_end(client);
    raw_reset(peer);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(client->writes_done, 2);
    assert_int_equal(client->ends_done, 1);
    assert_true(recorder_saw(client, "w1:ECONNRESET"));
    assert_true(recorder_saw(client, "w2:ECONNRESET"));
    assert_true(recorder_saw(client, "e1:ECONNRESET"));
    free(bytes);
}

/* ---- a peer that vanishes ---- */

static void net_BN_04_half_close_timeout_when_the_peer_vanishes(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.half_close_timeout = 50;
    int peer;
    recorder *client = far_client(f, &options, "", &peer);
    netns_filter("in", "meta l4proto tcp drop");
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume connectionAttempt connect ready e1 finish close");
    close(peer);
}

/* The peer is there, but never ends: without the time-out this would be FIN_WAIT2 for ever. */
static void net_BN_04_half_close_timeout_leaves_nothing_of_a_silent_peer(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.half_close_timeout = 50;
    int peer;
    recorder *client = far_client(f, &options, "", &peer);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_FINISH);
    assert_int_equal(client->counts[WEIR_EVENT_CLOSE], 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_false(recorder_saw(client, "end"));
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NETNS_TEST(net_BN_06_data_and_a_reset_from_another_host),
        NETNS_TEST(net_BN_06_much_data_before_a_reset_is_read_to_its_end),
        NETNS_TEST(net_BN_06_a_router_that_resets_a_connection),
        NETNS_TEST(net_BN_05_a_paused_stream_is_told_that_its_peer_left),
        NETNS_TEST(net_BN_05_BN_06_a_paused_stream_whose_peer_resets),
        NETNS_TEST(net_BN_23_a_peers_half_close_fails_no_pending_write),
        NETNS_TEST(net_BN_23_callbacks_come_once_when_the_peer_leaves_with_writes_pending),
        NETNS_TEST(net_BN_04_half_close_timeout_when_the_peer_vanishes),
        NETNS_TEST(net_BN_04_half_close_timeout_leaves_nothing_of_a_silent_peer),
    };
    return NETNS_RUN_TESTS("resets", tests);
}
