/* SPDX-License-Identifier: MIT */
/* What can be asked of a stream, row by row, in every state of its life. */
#include <stdlib.h>
#include <string.h>

#include "over.h"

/* ---- what waits to be written ---- */

static void SOCP_03_SOCP_04_what_is_buffered_grows_and_goes(void **state)
{
    fixture *f = *state;
    recorder *fresh = over_fresh(f, NULL);
    assert_int_equal(weir_stream_writable_length(fresh->stream), 0);
    pair p = over_pair(f, 0, 0);
    size_t size = over_stall(f, p.client);
    size_t length = weir_stream_writable_length(p.client->stream);
    for (size_t i = 1; i <= 10; i++) { /* always accepted, and the sender is told to wait */
        assert_int_equal(recorder_write(p.client, "0123456789", 10), 0);
        assert_int_equal(weir_stream_writable_length(p.client->stream), length + 10 * i);
    }
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, size + 100);
    recorder_wait(p.client, WEIR_EVENT_DRAIN);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
}

/* ---- counters ---- */

static void SOCP_05_bytes_read_counts_what_came_buffered_or_not(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_READABLE, 0);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 0);
    recorder_write(p.accepted, "unread", 6);
    recorder_wait(p.client, WEIR_EVENT_READABLE);
    assert_int_equal(weir_stream_readable_length(p.client->stream), 6);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 6);
    assert_code(weir_stream_unshift(p.client->stream, "mine", 4), 0); /* did not come from the peer */
    weir_buf_release(weir_stream_read(p.client->stream, 0));
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 6);
    recorder_destroy(p.client, NULL);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 6);
    over_wait_closed(p.client);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 6);
}

static void SOCP_06_bytes_written_counts_what_is_queued_too(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
    recorder_write(client, "before", 6);
    assert_int_equal(weir_stream_bytes_written(client->stream), 6);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_write(client, "at once", 7);
    assert_int_equal(weir_stream_bytes_written(client->stream), 13);
    size_t size = over_stall(f, client);
    recorder_write(client, "queued", 6);
    assert_int_equal(weir_stream_bytes_written(client->stream), 19 + size);
    recorder_destroy(client, NULL);
    recorder_write(client, "too late", 8);
    over_wait_closed(client);
    assert_int_equal(weir_stream_bytes_written(client->stream), 19 + size);
}

/* ---- connecting, pending, destroyed ---- */

/* What a listener saw, and how often it ran. */
typedef struct seen {
    int count;
    int connecting;
    int pending;
    int destroyed;
    weir_ready_state ready;
} seen;

static void look(const weir_event *event, void *arg)
{
    const weir_stream *stream = event->target_stream;
    seen *s = arg;
    s->count++;
    s->connecting = weir_stream_connecting(stream);
    s->pending = weir_stream_pending(stream);
    s->destroyed = weir_stream_destroyed(stream);
    s->ready = weir_stream_ready_state(stream);
}

static void SOCP_07_SOCP_09_SOCP_14_from_connect_to_close(void **state)
{
    fixture *f = *state;
    seen before = {0};
    seen callback = {0};
    weir_server *server = over_listen(f, NULL);
    recorder *r = over_fresh(f, NULL);
    weir_stream *stream = r->stream;
    assert_int_equal(weir_stream_connecting(stream), 0);
    assert_int_equal(weir_stream_pending(stream), 1);
    assert_int_equal(weir_stream_destroyed(stream), 0);
    weir_stream_on(stream, WEIR_EVENT_CONNECT, look, &before);
    assert_code(weir_stream_connect(stream, fixture_url(f, server), look, &callback), 0);
    assert_int_equal(weir_stream_connecting(stream), 1);
    assert_int_equal(weir_stream_pending(stream), 1);
    recorder_wait(r, WEIR_EVENT_READY);
    assert_int_equal(before.count, 1);
    assert_int_equal(before.connecting, 0);
    assert_int_equal(before.pending, 0);
    assert_int_equal(callback.count, 1);
    assert_int_equal(callback.connecting, 0);
    assert_int_equal(weir_stream_destroyed(stream), 0);
    recorder_destroy(r, NULL);
    assert_int_equal(weir_stream_destroyed(stream), 1);
    over_wait_closed(r);
    assert_int_equal(weir_stream_destroyed(stream), 1);
}

static void SOCP_08_SOCP_15_after_a_failure_and_after_destroy(void **state)
{
    fixture *f = *state;
    seen failed = {.connecting = 1};
    recorder *refused = fixture_client(f, over_nowhere(f), NULL);
    weir_stream_on(refused->stream, WEIR_EVENT_ERROR, look, &failed);
    over_wait_closed(refused);
    assert_int_equal(failed.count, 1);
    assert_int_equal(failed.connecting, 0);
    assert_int_equal(failed.pending, 1);
    assert_int_equal(failed.destroyed, 1);

    weir_server *server = over_listen(f, NULL);
    recorder *r = over_connecting(f, server, NULL);
    recorder_destroy(r, NULL);
    assert_int_equal(weir_stream_connecting(r->stream), 0);
    assert_int_equal(weir_stream_pending(r->stream), 1);
    over_wait_closed(r);

    pair p = fixture_connect(f, server, NULL, NULL);
    assert_int_equal(weir_stream_pending(p.client->stream), 0);
    assert_int_equal(weir_stream_pending(p.accepted->stream), 0);
    recorder_destroy(p.client, NULL);
    assert_int_equal(weir_stream_pending(p.client->stream), 1);
    over_wait_closed(p.client);
    assert_int_equal(weir_stream_pending(p.client->stream), 1);
}

/* ---- addresses ---- */

static void expect_address(const weir_address *address, const char *ip, uint16_t port, const char *family)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address_ip(address, text, sizeof(text));
    assert_string_equal(text, ip);
    assert_int_equal(address->port, port);
    assert_string_equal(weir_family_name(address->family), family);
}

/* The server listens on every address; the client comes to one of them. */
static void expect_addresses(fixture *f, const char *any, const char *host, const char *ip, const char *family)
{
    weir_address listening;
    weir_address address;
    weir_address own;
    weir_server *server = fixture_listen(f, any, NULL);
    assert_code(weir_server_address(server, &listening), 0);
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://%s:%u", host, listening.port), NULL);
    assert_code(weir_stream_local_address(p.accepted->stream, &address), 0);
    expect_address(&address, ip, listening.port, family);
    assert_code(weir_stream_remote_address(p.client->stream, &address), 0);
    expect_address(&address, ip, listening.port, family);
    assert_code(weir_stream_local_address(p.client->stream, &own), 0);
    assert_int_not_equal(own.port, listening.port);
    assert_code(weir_stream_remote_address(p.accepted->stream, &address), 0); /* both sides have it: SOCP-17 */
    assert_true(weir_address_equal(&address, &own));
    assert_string_equal(weir_family_name(address.family), family);
}

static void SOCM_01_SOCM_02_SOCP_10_SOCP_11_SOCP_12_SOCP_16_SOCP_17_SOCP_19_SOCP_20_both_ends_know_both(void **state)
{
    fixture_skip_without_ipv6();
    expect_addresses(*state, "tcp://0.0.0.0:0", "127.0.0.2", "127.0.0.2", "IPv4");
    expect_addresses(*state, "tcp://[::]:0", "[::1]", "::1", "IPv6");
}

static void expect_none(weir_stream *stream, int code)
{
    weir_address address;
    assert_code(weir_stream_local_address(stream, &address), code);
    assert_code(weir_stream_remote_address(stream, &address), code);
}

static void SOCM_03_SOCP_13_SOCP_16_no_address_before_and_after(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *r = over_fresh(f, NULL);
    expect_none(r->stream, UV_ENOTCONN);
    assert_code(recorder_connect(r, fixture_url(f, server)), 0);
    expect_none(r->stream, UV_ENOTCONN);
    recorder_wait(r, WEIR_EVENT_READY);
    weir_address address;
    int code = over_is(f, "ipc") ? UV_ENOENT : 0; /* a path is no address of a host */
    assert_code(weir_stream_local_address(r->stream, &address), code);
    if (code != 0) {
        assert_code(weir_stream_remote_address(r->stream, &address), code);
    }
    recorder_destroy(r, NULL);
    expect_none(r->stream, UV_ENOTCONN);
    over_wait_closed(r);
    expect_none(r->stream, UV_ENOTCONN);
}

typedef struct peer_seen {
    int status; /* in 'close' */
    weir_address address;
} peer_seen;

static void ask_for_peer(const weir_event *event, void *arg)
{
    peer_seen *peer = arg;
    peer->status = weir_stream_remote_address(event->stream, &peer->address);
}

static void SOCP_18_a_peer_that_was_asked_for_is_known_in_close(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_address address;
    static peer_seen asked; /* the client's second life ends in the teardown */
    static peer_seen not_asked;
    weir_stream_on(p.client->stream, WEIR_EVENT_CLOSE, ask_for_peer, &asked);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_CLOSE, ask_for_peer, &not_asked);
    assert_code(weir_stream_remote_address(p.client->stream, &address), 0);
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    assert_code(asked.status, 0);
    assert_true(weir_address_equal(&asked.address, &address));
    assert_code(not_asked.status, UV_ENOTCONN);

    weir_address other;
    weir_server *second = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    assert_code(recorder_connect(p.client, fixture_url(f, second)), 0);
    expect_none(p.client->stream, UV_ENOTCONN); /* a new life knows nothing of the old one's peer */
    fixture_accepted(f, second, 0);
    while (p.client->counts[WEIR_EVENT_READY] < 2) {
        fixture_turns(f, 1);
    }
    assert_code(weir_stream_remote_address(p.client->stream, &other), 0);
    assert_int_not_equal(other.port, address.port);
}

static void SOCP_18_without_memory_it_is_told_and_not_kept(void **state)
{
    fixture *f = *state;
    for (size_t nth = 1; nth <= 2; nth++) {
        pair p = fixture_connect(f, fixture_listen(f, "tcp://127.0.0.1:0", NULL), NULL, NULL);
        weir_address address;
        allocator_fail(nth, 0);
        assert_code(weir_stream_remote_address(p.client->stream, &address), 0);
        assert_int_equal(allocator_failures(), 1);
        allocator_fail(0, 0);
        assert_true(address.port != 0);
        recorder_destroy(p.client, NULL);
        assert_code(weir_stream_remote_address(p.client->stream, &address), UV_ENOTCONN);
        over_wait_both_closed(p);
    }
}

/* ---- the time-out ---- */

static void SOCP_21_the_time_out_that_was_set(void **state)
{
    fixture *f = *state;
    recorder *r = over_fresh(f, NULL);
    assert_int_equal(weir_stream_timeout(r->stream), -1);
    assert_code(weir_stream_set_timeout(r->stream, 60000, NULL, NULL), 0);
    assert_int_equal(weir_stream_timeout(r->stream), 60000);
    assert_code(weir_stream_set_timeout(r->stream, 0, NULL, NULL), 0);
    assert_int_equal(weir_stream_timeout(r->stream), 0);
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.timeout = 250;
    r = over_fresh(f, &options);
    assert_int_equal(weir_stream_timeout(r->stream), 250);
}

static void SOCM_48_SOCP_21_a_time_out_out_of_range(void **state)
{
    fixture *f = *state;
    int heard = 0;
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_set_timeout(p.client->stream, 60000, NULL, NULL), 0);
    assert_code(weir_stream_set_timeout(p.client->stream, (uint64_t)INT64_MAX + 1, fixture_count, &heard),
                WEIR_EOUTOFRANGE);
    assert_code(weir_stream_set_timeout(p.client->stream, UINT64_MAX, fixture_count, &heard), WEIR_EOUTOFRANGE);
    assert_int_equal(weir_stream_listener_count(p.client->stream, WEIR_EVENT_TIMEOUT), 1); /* the recorder's own */
    assert_int_equal(weir_stream_timeout(p.client->stream), 60000);
    assert_code(weir_stream_set_timeout(p.client->stream, INT64_MAX, NULL, NULL), 0); /* long, and never sooner */
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->counts[WEIR_EVENT_TIMEOUT], 0);
    assert_true(weir_stream_timeout(p.client->stream) == INT64_MAX);
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.timeout = UINT64_MAX;
    recorder *r = over_fresh(f, &options);
    assert_true(weir_stream_timeout(r->stream) == INT64_MAX);
}

/* ---- readyState, writable ---- */

static void expect_state(const weir_stream *stream, weir_ready_state ready, int writable)
{
    assert_string_equal(weir_ready_state_name(weir_stream_ready_state(stream)), weir_ready_state_name(ready));
    assert_int_equal(weir_stream_writable(stream), writable);
}

static void SOCP_22_SOCP_23_SOCP_24_SOCP_26_WR_21_our_end_first(void **state)
{
    fixture *f = *state;
    weir_server_options still_open;
    weir_server_options_init(&still_open);
    still_open.stream.allow_half_open = 1;
    weir_server *server = over_listen(f, &still_open);
    recorder *r = over_fresh(f, NULL);
    expect_state(r->stream, WEIR_READY_OPEN, 1);
    assert_code(recorder_connect(r, fixture_url(f, server)), 0);
    expect_state(r->stream, WEIR_READY_OPENING, 1);
    recorder_wait(r, WEIR_EVENT_READY);
    expect_state(r->stream, WEIR_READY_OPEN, 1);
    recorder_add(r, RECORD_DATA);
    recorder_end(r);
    expect_state(r->stream, WEIR_READY_READ_ONLY, 0);
    recorder_wait(r, WEIR_EVENT_FINISH);
    expect_state(r->stream, WEIR_READY_READ_ONLY, 0);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(accepted, RECORD_DATA);
    recorder_end(accepted);
    over_wait_closed(r);
    expect_state(r->stream, WEIR_READY_CLOSED, 0);
}

static void SOCP_25_SOCP_26_WR_21_the_peers_end_first(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    expect_state(p.client->stream, WEIR_READY_WRITE_ONLY, 1);
    over_destroy_with(p.client, UV_EPROTO);
    expect_state(p.client->stream, WEIR_READY_CLOSED, 0);
    over_wait_closed(p.client);
    expect_state(p.client->stream, WEIR_READY_CLOSED, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(SOCP_03_SOCP_04_what_is_buffered_grows_and_goes),
        OVER_ALL(SOCP_05_bytes_read_counts_what_came_buffered_or_not),
        OVER_ALL(SOCP_06_bytes_written_counts_what_is_queued_too),
        OVER_ALL(SOCP_07_SOCP_09_SOCP_14_from_connect_to_close),
        OVER_ALL(SOCP_08_SOCP_15_after_a_failure_and_after_destroy),
        FIXTURE_TEST(SOCM_01_SOCM_02_SOCP_10_SOCP_11_SOCP_12_SOCP_16_SOCP_17_SOCP_19_SOCP_20_both_ends_know_both),
        OVER_ALL(SOCM_03_SOCP_13_SOCP_16_no_address_before_and_after),
        FIXTURE_TEST(SOCP_18_a_peer_that_was_asked_for_is_known_in_close),
        FIXTURE_TEST(SOCP_18_without_memory_it_is_told_and_not_kept),
        FIXTURE_TEST(SOCP_21_the_time_out_that_was_set),
        OVER_ALL(SOCM_48_SOCP_21_a_time_out_out_of_range),
        OVER_ALL(SOCP_22_SOCP_23_SOCP_24_SOCP_26_WR_21_our_end_first),
        OVER_ALL(SOCP_25_SOCP_26_WR_21_the_peers_end_first),
    };
    return cmocka_run_group_tests_name("stream_facts", tests, NULL, NULL);
}
