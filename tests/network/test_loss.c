/* SPDX-License-Identifier: MIT */
/* A network that loses packets: everything arrives all the same, or the stream says that the peer has gone. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>

#include "peers.h"

#define SIZE ((size_t)8 * 1024 * 1024)

/*
 * Of a hundred packets, each way, where they arrive: dropped where they leave, the sender is told. Segments are small,
 * or a few losses would be all; and are sent again soon, because the way is short.
 */
static void lose(unsigned percent)
{
    for (netns_host host = NETNS_NEAR; host <= NETNS_FAR; host++) {
        netns_go(host);
        NETNS_IP("link", "set", host == NETNS_NEAR ? "near" : "far", "gso_max_segs", "4");
        NETNS_IP("route", "replace", "10.77.0.0/24", "dev", host == NETNS_NEAR ? "near" : "far", "rto_min", "5ms");
        netns_filter("in", "meta l4proto tcp numgen random mod 100 < %u drop", percent);
    }
    netns_go(NETNS_NEAR);
}

/* Segments that this host has sent once more. */
static unsigned long retransmitted(void)
{
    char line[1024];
    unsigned long count = 0;
    FILE *file = fopen("/proc/thread-self/net/snmp", "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        (void)sscanf(line, "Tcp: %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %lu", &count);
    fclose(file);
    return count;
}

/* Both ends send 8 MiB at once and end; both get all of it, and then the end. */
static void converse(fixture *f, unsigned percent)
{
    weir_stream_options options;
    weir_server_options server_options;
    char *there = malloc(SIZE);
    char *back = malloc(SIZE);
    assert_non_null(there);
    assert_non_null(back);
    fixture_fill(there, SIZE, percent + 1);
    fixture_fill(back, SIZE, percent + 2);
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    weir_server_options_init(&server_options);
    server_options.stream.allow_half_open = 1;
    weir_server *server = far_server(f, &server_options);
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://" NETNS_FAR_IPV4 ":%u", raw_port_of(server)), &options);
    unsigned long before = retransmitted();
    lose(percent);
    recorder_write(p.client, there, SIZE);
    recorder_write(p.accepted, back, SIZE);
    recorder_end(p.client);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, there, SIZE);
    recorder_expect_data(p.client, back, SIZE);
    assert_true(retransmitted() > before);
    assert_true(recorder_saw(p.client, "w1") && recorder_saw(p.client, "e1") && recorder_saw(p.client, "close"));
    assert_true(recorder_saw(p.accepted, "w1") && recorder_saw(p.accepted, "e1") && recorder_saw(p.accepted, "close"));
    free(there);
    free(back);
}

static void net_eight_mebibytes_each_way_with_one_percent_lost(void **state)
{
    converse(*state, 1);
}

static void net_eight_mebibytes_each_way_with_five_percent_lost(void **state)
{
    converse(*state, 5);
}

static void net_eight_mebibytes_each_way_with_ten_percent_lost(void **state)
{
    converse(*state, 10);
}

/* ---- a peer that vanishes ---- */

static void vanish(void)
{
    netns_filter("in", "meta l4proto tcp drop");
}

static void net_BN_15_user_timeout_tells_that_sent_data_is_not_taken(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *client = far_client(f, NULL, "?userTimeout=100", &peer);
    vanish();
    recorder_write(client, "hello", 5);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume connectionAttempt connect ready w1 error:ETIMEDOUT close:error");
    assert_string_equal(weir_stream_errored(client->stream)->address, NETNS_FAR_IPV4);
    close(peer);
}

static void net_BN_15_keep_alive_tells_that_a_silent_peer_has_gone(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *client =
        far_client(f, NULL, "?keepAlive=true&keepAliveInitialDelay=1s&keepAliveInterval=1s&keepAliveCount=1", &peer);
    vanish();
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume connectionAttempt connect ready error:ETIMEDOUT close:error");
    close(peer);
}

/* One that is paused is not told by reading; it learns of it, and the error comes when it reads. */
static void net_BN_15_BN_05_a_paused_stream_whose_peer_vanishes(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *client = far_client(f, NULL, "?userTimeout=100", &peer);
    recorder_write(client, "hello", 5);
    recorder_wait_writes(client, 1);
    recorder_pause(client);
    fixture_turns(f, 2);
    vanish();
    recorder_write(client, "hello", 5);
    recorder_wait(client, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, 10);
    recorder_expect(client, "resume connectionAttempt connect ready w1 pause w2 peerClose");
    recorder_resume(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "error:ETIMEDOUT"));
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NETNS_TEST(net_eight_mebibytes_each_way_with_one_percent_lost),
        NETNS_TEST(net_eight_mebibytes_each_way_with_five_percent_lost),
        NETNS_TEST(net_eight_mebibytes_each_way_with_ten_percent_lost),
        NETNS_TEST(net_BN_15_user_timeout_tells_that_sent_data_is_not_taken),
        NETNS_TEST(net_BN_15_keep_alive_tells_that_a_silent_peer_has_gone),
        NETNS_TEST(net_BN_15_BN_05_a_paused_stream_whose_peer_vanishes),
    };
    return NETNS_RUN_TESTS("loss", tests);
}
