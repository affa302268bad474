/* SPDX-License-Identifier: MIT */
/* Laws 7 and 8: what fails, and closing from every state. */
#include "suite.h"

#include <string.h>

/* ---- law 7 ---- */

static void fail_two_writes(fixture *f, int peer_ends)
{
    pair p = suite_connect(f, suite_server(f, 0), 0, suite_fail_at(f, "write:1"));
    recorder_write(p.accepted, "hello", 5);
    recorder_wait_data(p.client, 5);
    recorder_write(p.client, suite_bytes, 1000);
    recorder_write(p.client, suite_bytes, 1000);
    if (peer_ends)
        recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.client, "w1:EIO"));
    assert_true(recorder_saw(p.client, "w2:EIO"));
    assert_true(recorder_saw(p.client, "error:EIO"));
    assert_true(recorder_saw(p.client, "close:error"));
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_int_equal(p.accepted->data_size, 0);
}

static void law_07_a_failing_write_is_told_once(void **state)
{
    fail_two_writes(*state, 1);
}

/* Nothing comes that could be waited for: not for ever. */
static void law_07_a_failing_write_is_told_though_the_peer_is_silent(void **state)
{
    fail_two_writes(*state, 0);
}

/* The peer has sent all and ended; our write fails: what it sent still comes first. */
static void law_07_a_write_error_does_not_hide_readable_data(void **state)
{
    fixture *f = *state;
    weir_server *server = suite_server(f, 1);
    recorder *client = fixture_client(f, suite_connect_text(f, server, suite_fail_at(f, "write:1")), NULL);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_write(accepted, suite_bytes, 20000);
    recorder_end(accepted);
    recorder_write(client, "x", 1);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect_data(client, suite_bytes, 20000);
    assert_true(recorder_saw(client, "error:EIO"));
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
}

static void law_07_a_failing_read_comes_behind_the_data(void **state)
{
    fixture *f = *state;
    pair p = suite_connect(f, suite_server(f, 0), 0, suite_fail_at(f, "read:2"));
    recorder_write(p.accepted, "1", 1); /* what cannot be cut comes as one */
    recorder_wait_data(p.client, 1);
    recorder_write(p.accepted, "2", 1);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, "1", 1);
    assert_true(recorder_saw(p.client, "error:EIO"));
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
}

static void law_07_failing_to_open_is_the_clients_error(void **state)
{
    fixture *f = *state;
    weir_server *server = suite_server(f, 0);
    recorder *client = fixture_client(f, suite_connect_text(f, server, suite_fail_at(f, "open:1")), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(client->counts[WEIR_EVENT_CONNECT], 1);
    assert_int_equal(client->counts[WEIR_EVENT_READY], 0);
    assert_true(recorder_saw(client, "error:EIO"));
}

static void law_07_failing_to_open_an_arrival_is_clientError(void **state)
{
    fixture *f = *state;
    int errors = 0;
    weir_server *server = fixture_listen(f, suite_listen_text(f, suite_fail_at(f, "open:1"), 0), NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, fixture_count, &errors), 0);
    recorder *client = fixture_client(f, suite_bare_connect_text(f, server), NULL);
    fixture_until(f, &errors);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(errors, 1);
    assert_int_equal(weir_server_connections(server), 0);
}

static void law_07_a_failing_shutdown_is_no_finish(void **state)
{
    fixture *f = *state;
    pair p = suite_connect(f, suite_server(f, 0), 0, suite_fail_at(f, "shutdown:1"));
    recorder_write(p.client, suite_bytes, 1000);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.client, "w1"));
    assert_true(recorder_saw(p.client, "e1:EIO"));
    assert_true(recorder_saw(p.client, "error:EIO"));
    assert_int_equal(p.client->counts[WEIR_EVENT_FINISH], 0);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, suite_bytes, 1000);
}

/* ---- law 8 ---- */

/* What a connection is brought to before it is closed. */
static void nothing_more(fixture *f, pair *p)
{
    (void)f;
    (void)p;
}

static void writes_waiting(fixture *f, pair *p)
{
    size_t total = suite_variant_of(f)->transport->holds_at_most + 2 * SUITE_BYTES;
    weir_buf *buf = weir_buf_copy(suite_bytes, SUITE_BYTES);
    recorder_pause(p->accepted);
    for (size_t size = 0; size < total; size += SUITE_BYTES)
        assert_true(recorder_write_buf(p->client, buf) >= 0);
    weir_buf_release(buf);
    fixture_turns(f, 30);
}

static void end_waiting_behind_writes(fixture *f, pair *p)
{
    writes_waiting(f, p);
    recorder_end(p->client);
    fixture_turns(f, 5);
}

static void shut(fixture *f, pair *p)
{
    (void)f;
    recorder_end(p->client);
    recorder_wait(p->client, WEIR_EVENT_FINISH);
}

static void shutting(fixture *f, pair *p)
{
    recorder_write(p->client, suite_bytes, 100);
    recorder_end(p->client);
    fixture_turns(f, 1);
}

static void ended_by_the_peer(fixture *f, pair *p)
{
    (void)f;
    recorder_end(p->accepted);
    recorder_wait(p->client, WEIR_EVENT_END);
}

static void data_waiting(fixture *f, pair *p)
{
    recorder_pause(p->client);
    recorder_write(p->accepted, suite_bytes, SUITE_BYTES);
    fixture_turns(f, 30);
}

static void data_and_end_waiting(fixture *f, pair *p)
{
    recorder_pause(p->client);
    recorder_write(p->accepted, suite_bytes, 1000);
    recorder_end(p->accepted);
    fixture_turns(f, 30);
}

static void peer_has_left(fixture *f, pair *p)
{
    recorder_pause(p->client);
    fixture_turns(f, 5);
    recorder_destroy(p->accepted, NULL);
    recorder_wait(p->accepted, WEIR_EVENT_CLOSE);
    fixture_turns(f, 30);
}

static void busy_both_ways(fixture *f, pair *p)
{
    recorder_write(p->client, suite_bytes, SUITE_BYTES);
    recorder_write(p->accepted, suite_bytes, SUITE_BYTES);
    fixture_turns(f, 8);
}

static void (*const brought_to[])(fixture *f, pair *p) = {
    nothing_more,      writes_waiting, end_waiting_behind_writes, shut,          shutting,
    ended_by_the_peer, data_waiting,   data_and_end_waiting,      peer_has_left, busy_both_ways,
};

#define STATES (sizeof(brought_to) / sizeof(brought_to[0]))

/* The peer does nothing for it: its 'close' need not come before ours. */
static void close_from_every_state(fixture *f, void (*finish)(recorder *r))
{
    weir_server *server = suite_server(f, 1);
    for (size_t i = 0; i < STATES; i++) {
        pair p = suite_connect(f, server, 1, NULL);
        brought_to[i](f, &p);
        finish(p.client);
        assert_int_equal(p.client->counts[WEIR_EVENT_CLOSE], 0);
        recorder_wait(p.client, WEIR_EVENT_CLOSE);
        fixture_turns(f, 5);
        assert_int_equal(p.client->counts[WEIR_EVENT_CLOSE], 1);
        assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0);
        recorder_destroy(p.accepted, NULL);
        recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    }
}

static void destroy(recorder *r)
{
    recorder_destroy(r, NULL);
}

static void reset(recorder *r)
{
    assert_code(recorder_reset(r), 0);
}

static void law_08_closed_once_from_every_state(void **state)
{
    close_from_every_state(*state, destroy);
}

static void law_08_reset_once_from_every_state(void **state)
{
    fixture *f = *state;
    if (!suite_variant_of(f)->transport->can_reset)
        skip();
    close_from_every_state(f, reset);
}

static void destroy_inside(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_destroy(event->target_stream, NULL);
}

static void law_08_closed_while_it_opens(void **state)
{
    enum { TURNS = 12 };
    fixture *f = *state;
    weir_server *server = suite_server(f, 0);
    for (int turns = 0; turns < TURNS; turns++) {
        recorder *client = fixture_client(f, suite_connect_text(f, server, NULL), NULL);
        fixture_turns(f, turns);
        recorder_destroy(client, NULL);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_int_equal(client->counts[WEIR_EVENT_CLOSE], 1);
    }
}

static void law_08_closed_inside_connect_and_ready(void **state)
{
    static const weir_event_type types[] = {WEIR_EVENT_CONNECT, WEIR_EVENT_READY};
    fixture *f = *state;
    weir_server *server = suite_server(f, 0);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        recorder *client = fixture_client(f, suite_connect_text(f, server, NULL), NULL);
        assert_code(weir_stream_on(client->stream, types[i], destroy_inside, NULL), 0);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_int_equal(client->counts[types[i]], 1);
        assert_int_equal(client->counts[WEIR_EVENT_CLOSE], 1);
    }
}

static void destroy_arrival(const weir_event *event, void *arg)
{
    int *count = arg;
    ++*count;
    weir_stream_destroy(event->stream, NULL);
}

static void law_08_closed_inside_connection(void **state)
{
    fixture *f = *state;
    int count = 0;
    weir_server *server = suite_server(f, 0);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, destroy_arrival, &count), 0);
    recorder *client = fixture_client(f, suite_connect_text(f, server, NULL), NULL);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(count, 1);
    assert_int_equal(weir_server_connections(server), 0);
}

static void law_08_BN_16_SOCM_24_a_reset_reaches_the_peer_behind_its_data(void **state)
{
    fixture *f = *state;
    if (!suite_variant_of(f)->transport->can_reset)
        skip();
    pair p = suite_pair(f, 0);
    recorder_write(p.client, "hello", 5);
    recorder_wait_data(p.accepted, 5);
    assert_code(recorder_reset(p.client), 0);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(p.client, "close"));
    assert_true(recorder_saw(p.accepted, "error:ECONNRESET"));
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    recorder_expect_data(p.accepted, "hello", 5);
}

static void law_08_BN_16_where_there_is_no_reset_the_stream_stays_as_it_was(void **state)
{
    fixture *f = *state;
    if (suite_variant_of(f)->transport->can_reset)
        skip();
    pair p = suite_pair(f, 0);
    assert_code(recorder_reset(p.client), WEIR_EINVALIDHANDLETYPE);
    recorder_write(p.client, "hello", 5);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, "hello", 5);
}

/* The runtime ends while everything is on its way. */
static void law_08_closed_by_the_runtimes_end(void **state)
{
    fixture *f = *state;
    weir_server *server = suite_server(f, 1);
    for (size_t i = 0; i < STATES; i++) {
        pair p = suite_connect(f, server, 1, NULL);
        brought_to[i](f, &p);
    }
    fixture_client(f, suite_connect_text(f, server, NULL), NULL);
    fixture_end(f);
}

const suite_test suite_end_tests[] = {
    SUITE_TEST(law_07_a_failing_write_is_told_once),
    SUITE_TEST_BARE(law_07_a_failing_write_is_told_though_the_peer_is_silent),
    SUITE_TEST(law_07_a_write_error_does_not_hide_readable_data),
    SUITE_TEST(law_07_a_failing_read_comes_behind_the_data),
    SUITE_TEST(law_07_failing_to_open_is_the_clients_error),
    SUITE_TEST_BARE(law_07_failing_to_open_an_arrival_is_clientError),
    SUITE_TEST(law_07_a_failing_shutdown_is_no_finish),
    SUITE_TEST(law_08_closed_once_from_every_state),
    SUITE_TEST(law_08_reset_once_from_every_state),
    SUITE_TEST(law_08_closed_while_it_opens),
    SUITE_TEST(law_08_closed_inside_connect_and_ready),
    SUITE_TEST(law_08_closed_inside_connection),
    SUITE_TEST(law_08_BN_16_SOCM_24_a_reset_reaches_the_peer_behind_its_data),
    SUITE_TEST(law_08_BN_16_where_there_is_no_reset_the_stream_stays_as_it_was),
    SUITE_TEST(law_08_closed_by_the_runtimes_end),
    {0},
};
