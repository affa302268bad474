/* SPDX-License-Identifier: MIT */
/* What keeps a stream from lasting or growing for ever: half-closed peers, unread input, full queues, peers that go. */
#include <stdlib.h>
#include <string.h>

#include "over.h"

static void turns(fixture *f)
{
    fixture_turns(f, OVER_TURNS);
}

/* ---- halfCloseTimeout ---- */

static void count_timer(uv_handle_t *handle, void *arg)
{
    int *count = arg;
    *count += handle->type == UV_TIMER && uv_is_active(handle);
}

/* Timers of the loop that run; the fixture has one. */
static int timers(fixture *f)
{
    int count = 0;
    uv_walk(&f->loop, count_timer, &count);
    return count - 1;
}

static pair pair_with_timeout(fixture *f, uint64_t timeout, unsigned client, unsigned accepted)
{
    weir_stream_options options = over_half_open();
    options.half_close_timeout = timeout;
    options.no_auto_destroy = 1;
    weir_server_options still_open;
    weir_server_options_init(&still_open);
    still_open.stream.allow_half_open = 1;
    return over_pair_with(f, client, &options, accepted, &still_open);
}

static void BN_04_half_close_timeout_is_off_unless_set(void **state)
{
    fixture *f = *state;
    pair p = pair_with_timeout(f, 0, RECORD_DATA, RECORD_DATA);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    turns(f);
    assert_int_equal(p.client->counts[WEIR_EVENT_FINISH], 1);
    assert_int_equal(timers(f), 0);
}

/* From our end on the wire, not from end(): what is queued may take as long as it takes. */
static void BN_04_half_close_timeout_counts_from_finish(void **state)
{
    fixture *f = *state;
    pair p = pair_with_timeout(f, 3600000, RECORD_DATA, 0);
    over_stall(f, p.client);
    recorder_end(p.client);
    turns(f);
    assert_int_equal(timers(f), 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    assert_int_equal(timers(f), 1);
}

static void BN_04_half_close_timeout_ends_with_the_peers_end(void **state)
{
    fixture *f = *state;
    pair p = pair_with_timeout(f, 3600000, RECORD_DATA, RECORD_DATA);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    assert_int_equal(timers(f), 1);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    assert_int_equal(timers(f), 0);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0); /* it was told not to by itself */
}

static void BN_04_the_peers_end_may_come_first(void **state)
{
    fixture *f = *state;
    pair p = pair_with_timeout(f, 3600000, RECORD_DATA, RECORD_DATA);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    turns(f);
    assert_int_equal(timers(f), 0);
}

/* The peer has sent and ended, and nobody reads: without the time-out this would last for ever. */
static void BN_04_nobody_reads_behind_our_end(void **state)
{
    fixture *f = *state;
    pair p = pair_with_timeout(f, 20, 0, RECORD_DATA);
    recorder_write(p.accepted, "unread", 6);
    recorder_end(p.accepted);
    recorder_end(p.client);
    over_wait_closed(p.client);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 0);
    assert_null(weir_stream_errored(p.client->stream));
}

/* ---- discardOnEnd ---- */

static pair pair_that_discards(fixture *f, unsigned client)
{
    weir_stream_options options = over_half_open();
    options.discard_on_end = 1;
    weir_server_options still_open;
    weir_server_options_init(&still_open);
    still_open.stream.allow_half_open = 1;
    return over_pair_with(f, client, &options, RECORD_DATA, &still_open);
}

/* What is in the stream's own buffer already, and the peer's end behind it. */
static void BN_04_discard_on_end_drops_what_is_buffered(void **state)
{
    fixture *f = *state;
    pair p = pair_that_discards(f, 0);
    recorder_write(p.accepted, "unread", 6);
    recorder_end(p.accepted);
    recorder_wait(p.accepted, WEIR_EVENT_FINISH);
    weir_stream_refill(p.client->stream);
    turns(f);
    assert_int_equal(weir_stream_readable_length(p.client->stream), 6);
    recorder_end(p.client);
    over_wait_both_closed(p);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 1);
    assert_int_equal(p.client->data_size, 0);
}

static void BN_04_discard_on_end_of_a_paused_stream(void **state)
{
    fixture *f = *state;
    pair p = pair_that_discards(f, RECORD_DATA);
    recorder_pause(p.client);
    recorder_write(p.accepted, "unread", 6);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 6);
    assert_int_equal(p.client->data_size, 0);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 1);
}

static void BN_04_discard_on_end_with_a_readable_listener(void **state)
{
    fixture *f = *state;
    pair p = pair_that_discards(f, RECORD_READABLE);
    recorder_write(p.accepted, "unread", 6);
    turns(f);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 1);
}

/* ---- peerClose ---- */

static void BN_05_peer_close_consumes_nothing(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    recorder_pause(p.client);
    recorder_write(p.accepted, "unread", 6);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_PEER_CLOSE);
    turns(f);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 1);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 0);
    assert_int_equal(weir_stream_ready_state(p.client->stream), WEIR_READY_OPEN);
    recorder_write(p.client, "the peer reads still", 20);
    recorder_wait_data(p.accepted, 20);
    recorder_add(p.client, RECORD_DATA);
    recorder_resume(p.client);
    over_wait_both_closed(p);
    recorder_expect_data(p.client, "unread", 6);
    over_expect_tail(p.client, "peerClose w1 resume data:6 end finish close");
}

static void BN_05_pause_and_resume_tell_it_once(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    recorder_pause(p.client);
    turns(f);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_PEER_CLOSE);
    recorder_resume(p.client);
    recorder_wait(p.client, WEIR_EVENT_END);
    recorder_pause(p.client);
    turns(f);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 1);
}

static void BN_05_an_end_that_was_read_is_no_news(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    recorder_pause(p.client);
    turns(f);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 0);
}

/* ---- maxWriteQueue ---- */

#define LIMIT ((size_t)256 * 1024)

/* On an open connection whose peer does not read: memory stays below the limit whoever ignores write()'s false. */
static void BN_07_memory_stays_bounded_when_false_is_ignored(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.max_write_queue = LIMIT;
    pair p = over_pair_with(f, 0, &options, 0, NULL);
    char chunk[16 * 1024];
    size_t taken = 0;
    int status = 0;
    fixture_fill(chunk, sizeof(chunk), 3);
    for (int i = 0; i < 100000 && status >= 0; i++) {
        status = recorder_write(p.client, chunk, sizeof(chunk));
        taken += status >= 0 ? sizeof(chunk) : 0;
        assert_true(weir_stream_writable_length(p.client->stream) <= LIMIT);
    }
    assert_code(status, WEIR_EWRITEQUEUEFULL);
    assert_true(weir_stream_writable_length(p.client->stream) > LIMIT - sizeof(chunk));
    assert_code(recorder_write(p.client, chunk, sizeof(chunk)), WEIR_EWRITEQUEUEFULL);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait(p.client, WEIR_EVENT_DRAIN); /* it stays usable */
    assert_true(recorder_write(p.client, "behind it", 9) >= 0);
    recorder_end(p.client);
    recorder_add(p.client, RECORD_DATA);
    over_wait_both_closed(p);
    assert_int_equal(p.accepted->data_size, taken + 9); /* nothing of what was refused */
    for (size_t at = 0; at < taken; at += sizeof(chunk)) {
        assert_memory_equal(p.accepted->data + at, chunk, sizeof(chunk));
    }
    assert_int_equal(p.client->writes_done, taken / sizeof(chunk) + 1);
}

/* ---- callbacks when the peer goes ---- */

/* Half-open is not allowed here, and still the peer's end lets what is queued out first. */
static void BN_23_the_peers_end_lets_the_queue_out_first(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    size_t size = over_stall(f, p.client);
    size_t pending = p.client->writes_done;
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    turns(f);
    assert_int_equal(p.client->writes_done, pending);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_add(p.accepted, RECORD_DATA);
    over_wait_both_closed(p);
    over_expect_stalled_data(p.accepted, size);
    assert_int_equal(p.accepted->data_size, size);
    assert_true(p.client->writes_done > pending);
    assert_null(strstr(p.client->text, "w1:"));
    assert_null(weir_stream_errored(p.client->stream));
}

static void BN_23_every_callback_comes_once_when_the_peer_resets(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    over_stall(f, p.client);
    size_t before = p.client->writes_done;
    for (int i = 0; i < 50; i++) {
        recorder_write(p.client, "x", 1);
    }
    recorder_end(p.client);
    assert_code(recorder_reset(p.accepted), 0);
    over_wait_both_closed(p);
    assert_true(p.client->writes_done >= before + 51); /* those 50, and the one that stalled */
    assert_int_equal(p.client->ends_done, 1);
    assert_true(recorder_saw(p.client, "close:error"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(BN_04_half_close_timeout_is_off_unless_set),
        OVER_ALL(BN_04_half_close_timeout_counts_from_finish),
        OVER_ALL(BN_04_half_close_timeout_ends_with_the_peers_end),
        OVER_ALL(BN_04_the_peers_end_may_come_first),
        OVER_ALL(BN_04_nobody_reads_behind_our_end),
        OVER_ALL(BN_04_discard_on_end_drops_what_is_buffered),
        OVER_ALL(BN_04_discard_on_end_of_a_paused_stream),
        OVER_ALL(BN_04_discard_on_end_with_a_readable_listener),
        OVER_ALL(BN_05_peer_close_consumes_nothing),
        OVER_ALL(BN_05_pause_and_resume_tell_it_once),
        OVER_ALL(BN_05_an_end_that_was_read_is_no_news),
        OVER_ALL(BN_07_memory_stays_bounded_when_false_is_ignored),
        OVER_ALL(BN_23_the_peers_end_lets_the_queue_out_first),
        OVER_TCP(BN_23_every_callback_comes_once_when_the_peer_resets),
        OVER_MEM(BN_23_every_callback_comes_once_when_the_peer_resets),
    };
    return cmocka_run_group_tests_name("stream_limits", tests, NULL, NULL);
}
