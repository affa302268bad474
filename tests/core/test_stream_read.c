/* SPDX-License-Identifier: MIT */
/* The reading track, row by row: modes, the buffer, 'readable', read(), unshift(), 'end'. */
#include <stdlib.h>
#include <string.h>

#include "over.h"

#define MEBIBYTE ((size_t)1024 * 1024)
#define SLAB     ((size_t)256 * 1024) /* the most that one read of a socket gives */

/* ---- modes ---- */

static void RD_01_nobody_has_asked_yet_and_nothing_is_lost(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    over_send_text(f, p.client, "hello");
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), -1);
    assert_int_equal(weir_stream_is_paused(p.accepted->stream), 0);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 0);
    recorder_expect(p.accepted, "");
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, 5);
    recorder_expect_data(p.accepted, "hello", 5);
}

static void RD_02_a_data_listener_starts_the_flow_on_a_later_tick(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_unshift(p.accepted->stream, "abc", 3), 0);
    recorder_add(p.accepted, RECORD_DATA);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 1);
    assert_int_equal(p.accepted->data_size, 0);
    recorder_wait_data(p.accepted, 3);
    recorder_expect(p.accepted, "resume data:3");
}

static void RD_02_resume_starts_the_flow_without_a_listener(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_resume(p.accepted);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 1);
    over_send_text(f, p.client, "lost");
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 4);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    recorder_add(p.accepted, RECORD_DATA);
    over_send_text(f, p.client, "seen");
    recorder_expect_data(p.accepted, "seen", 4);
}

static void RD_02_pipe_starts_the_flow(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    assert_code(weir_stream_pipe(p.accepted->stream, p.accepted->stream, NULL), 0);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 1);
    over_send_text(f, p.client, "echo");
    recorder_expect_data(p.client, "echo", 4);
}

static void RD_03_after_pause_a_listener_does_not_start_the_flow(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_pause(p.accepted);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 0);
    assert_int_equal(weir_stream_is_paused(p.accepted->stream), 1);
    recorder_add(p.accepted, RECORD_DATA);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 0);
    over_send_text(f, p.client, "hello");
    recorder_expect(p.accepted, "pause");
    recorder_resume(p.accepted);
    assert_int_equal(weir_stream_is_paused(p.accepted->stream), 0);
    recorder_wait_data(p.accepted, 5);
    recorder_expect(p.accepted, "pause resume data:5");
}

/* ---- chunks ---- */

static void note_largest(const weir_event *event, void *arg)
{
    size_t *largest = arg;
    if (event->buffer->size > *largest) {
        *largest = event->buffer->size;
    }
}

static void RD_04_chunks_are_no_messages(void **state)
{
    fixture *f = *state;
    size_t largest = 0;
    char *bytes = malloc(MEBIBYTE);
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_fill(bytes, MEBIBYTE, 4);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, note_largest, &largest);
    recorder_write(p.client, bytes, MEBIBYTE);
    recorder_wait_data(p.accepted, MEBIBYTE);
    recorder_expect_data(p.accepted, bytes, MEBIBYTE);
    assert_in_range(largest, 1, SLAB);
    assert_true(p.accepted->counts[WEIR_EVENT_DATA] >= MEBIBYTE / SLAB);
    free(bytes);
}

static void RD_04_two_writes_may_be_one_chunk(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    over_send_text(f, p.client, "one");
    over_send_text(f, p.client, "two");
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, 6);
    recorder_expect_data(p.accepted, "onetwo", 6);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_DATA], 1);
}

static void keep_first(const weir_event *event, void *arg)
{
    weir_buf **kept = arg;
    if (*kept == NULL) {
        *kept = weir_buf_retain(event->buffer);
    }
}

static void RD_05_a_retained_chunk_stays_as_it_was(void **state)
{
    fixture *f = *state;
    weir_buf *kept = NULL;
    char *bytes = malloc(MEBIBYTE);
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_fill(bytes, MEBIBYTE, 5);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, keep_first, &kept);
    over_send_text(f, p.client, "the first one");
    recorder_write(p.client, bytes, MEBIBYTE);
    recorder_wait_data(p.accepted, MEBIBYTE + 13);
    assert_non_null(kept);
    assert_int_equal(kept->size, 13);
    assert_memory_equal(kept->data, "the first one", 13);
    weir_buf_release(kept);
    free(bytes);
}

/* ---- pause() inside 'data' ---- */

static void pause_here(const weir_event *event, void *arg)
{
    (void)event;
    recorder_pause(arg);
}

static void RD_06_nothing_comes_after_the_data_that_paused(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_stream_unshift(p.accepted->stream, "c", 1);
    weir_stream_unshift(p.accepted->stream, "b", 1);
    weir_stream_unshift(p.accepted->stream, "a", 1);
    recorder_add(p.accepted, RECORD_DATA);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, pause_here, p.accepted);
    for (size_t i = 1; i <= 3; i++) {
        fixture_turns(f, OVER_TURNS);
        assert_int_equal(p.accepted->counts[WEIR_EVENT_DATA], i);
        assert_int_equal(weir_stream_readable_length(p.accepted->stream), 3 - i);
        recorder_resume(p.accepted);
    }
    recorder_expect_data(p.accepted, "abc", 3);
}

static void RD_06_what_arrives_while_pausing_stays_in_order(void **state)
{
    fixture *f = *state;
    char *bytes = malloc(MEBIBYTE);
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_fill(bytes, MEBIBYTE, 6);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, pause_here, p.accepted);
    recorder_write(p.client, bytes, MEBIBYTE);
    for (size_t before = 0; p.accepted->data_size < MEBIBYTE; before = p.accepted->counts[WEIR_EVENT_DATA]) {
        fixture_turns(f, 5);
        assert_in_range(p.accepted->counts[WEIR_EVENT_DATA], before, before + 1);
        recorder_resume(p.accepted);
    }
    recorder_expect_data(p.accepted, bytes, MEBIBYTE);
    free(bytes);
}

/* ---- listeners that go ---- */

static void RD_07_without_its_listener_the_flow_goes_on_and_drops(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    weir_stream_remove_all(p.accepted->stream, WEIR_EVENT_DATA);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 1);
    over_send_text(f, p.client, "lost");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 4);
    assert_int_equal(p.accepted->data_size, 0);
}

static void RD_07_a_readable_listener_left_keeps_it_from_flowing(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA | RECORD_READABLE);
    fixture_turns(f, OVER_TURNS);
    weir_stream_remove_all(p.accepted->stream, WEIR_EVENT_DATA);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 0);
    over_send_text(f, p.client, "kept");
    over_expect_read(p.accepted, 0, "kept");
}

static void RD_07_when_readable_goes_data_flows(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA | RECORD_READABLE);
    over_send_text(f, p.client, "kept");
    assert_int_equal(p.accepted->data_size, 0);
    weir_stream_remove_all(p.accepted->stream, WEIR_EVENT_READABLE);
    recorder_wait_data(p.accepted, 4);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 1);
    recorder_expect_data(p.accepted, "kept", 4);
}

/* ---- 'readable' ---- */

static void RD_08_readable_comes_with_new_data_and_not_again(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    fixture_turns(f, OVER_TURNS);
    recorder_expect(p.accepted, "");
    over_send_text(f, p.client, "abc");
    recorder_expect(p.accepted, "readable");
    fixture_turns(f, OVER_TURNS);
    recorder_expect(p.accepted, "readable");
    over_send_text(f, p.client, "def");
    recorder_expect(p.accepted, "readable readable");
    over_expect_read(p.accepted, 0, "abcdef");
    over_send_text(f, p.client, "ghi");
    recorder_expect(p.accepted, "readable readable readable");
    over_expect_read(p.accepted, 0, "ghi");
}

static void RD_08_readable_comes_for_what_is_there_already(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_stream_unshift(p.accepted->stream, "abc", 3);
    recorder_add(p.accepted, RECORD_READABLE);
    recorder_expect(p.accepted, "");
    recorder_wait(p.accepted, WEIR_EVENT_READABLE);
    over_expect_read(p.accepted, 0, "abc");
}

static void RD_08_the_last_readable_has_nothing_to_read(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_send_text(f, p.client, "abc");
    over_expect_read(p.accepted, 0, "abc");
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_READABLE);
    fixture_turns(f, OVER_TURNS);
    over_expect_read(p.accepted, 0, NULL);
    over_wait_closed(p.accepted);
    recorder_expect(p.accepted, "readable readable end finish close");
}

static void read_all_here(const weir_event *event, void *arg)
{
    (void)arg;
    weir_buf *buf;
    while ((buf = weir_stream_read(event->target_stream, 3)) != NULL) {
        weir_buf_release(buf);
    }
}

static void RD_08_a_readable_listener_that_reads_gets_everything(void **state)
{
    fixture *f = *state;
    char *bytes = malloc(MEBIBYTE);
    fixture_fill(bytes, MEBIBYTE, 8);
    pair p = over_pair(f, RECORD_DATA, RECORD_READABLE | RECORD_DATA);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_READABLE, read_all_here, NULL);
    recorder_write(p.client, bytes, MEBIBYTE);
    recorder_end(p.client);
    over_wait_both_closed(p);
    recorder_expect_data(p.accepted, bytes, MEBIBYTE);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
    free(bytes);
}

static void RD_09_with_a_readable_listener_data_moves_by_read_alone(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE | RECORD_DATA);
    over_send_text(f, p.client, "abcdef");
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 0);
    assert_int_equal(p.accepted->data_size, 0);
    over_expect_read(p.accepted, 2, "ab");
    recorder_expect_data(p.accepted, "ab", 2);
    over_expect_read(p.accepted, 0, "cdef");
    recorder_expect_data(p.accepted, "abcdef", 6);
}

static void RD_09_resume_does_not_beat_a_readable_listener(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE | RECORD_DATA);
    recorder_resume(p.accepted);
    over_send_text(f, p.client, "abc");
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 0);
    assert_int_equal(p.accepted->data_size, 0);
    over_expect_read(p.accepted, 0, "abc");
}

/* ---- read() ---- */

static void RD_10_read_gives_all_that_is_buffered_or_nothing(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_expect_read(p.accepted, 0, NULL);
    over_send_text(f, p.client, "abc");
    over_send_text(f, p.client, "def");
    weir_stream_unshift(p.accepted->stream, "xyz", 3);
    over_expect_read(p.accepted, 0, "xyzabcdef");
    over_expect_read(p.accepted, 0, NULL);
}

static void RD_11_read_gives_exactly_so_many(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_send_text(f, p.client, "abcd");
    over_send_text(f, p.client, "efgh");
    over_expect_read(p.accepted, 9, NULL);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 8);
    over_expect_read(p.accepted, 1, "a");
    over_expect_read(p.accepted, 5, "bcdef"); /* across two chunks */
    over_expect_read(p.accepted, 3, NULL);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 2);
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    over_expect_read(p.accepted, 3, "gh"); /* the rest, since no more will come */
    over_expect_read(p.accepted, 1, NULL);
}

static void RD_12_refill_asks_for_more_and_takes_nothing(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    over_send_text(f, p.client, "abc");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    weir_stream_refill(p.accepted->stream);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 3);
    weir_stream_refill(p.accepted->stream);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 3);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), -1);
}

static void RD_13_read_of_more_than_the_mark_raises_it(void **state)
{
    fixture *f = *state;
    static char bytes[50000];
    pair p = over_pair(f, 0, RECORD_READABLE);
    fixture_fill(bytes, sizeof(bytes), 13);
    assert_null(weir_stream_read(p.accepted->stream, 50000));
    assert_int_equal(weir_stream_readable_high_water_mark(p.accepted->stream), 65536);
    for (size_t sent = 0; sent < sizeof(bytes); sent += 10000) {
        assert_null(weir_stream_read(p.accepted->stream, 50000));
        recorder_write(p.client, bytes + sent, 10000);
        fixture_turns(f, OVER_TURNS);
    }
    weir_buf *buf = weir_stream_read(p.accepted->stream, 50000);
    assert_non_null(buf);
    assert_memory_equal(buf->data, bytes, sizeof(bytes));
    weir_buf_release(buf);
}

/* ---- unshift() ---- */

static void RD_14_unshift_puts_bytes_in_front(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_send_text(f, p.client, "world");
    assert_code(weir_stream_unshift(p.accepted->stream, "hello ", 6), 0);
    assert_code(weir_stream_unshift(p.accepted->stream, "", 0), 0);
    assert_code(weir_stream_unshift(p.accepted->stream, NULL, 1), UV_EINVAL);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 11);
    over_expect_read(p.accepted, 0, "hello world");
}

static void unshift_once(const weir_event *event, void *arg)
{
    int *done = arg;
    if (!*done) {
        *done = 1;
        assert_code(weir_stream_unshift(event->target_stream, event->buffer->data + 2, event->buffer->size - 2), 0);
    }
}

static void RD_14_unshift_in_a_data_listener_comes_again_before_what_follows(void **state)
{
    fixture *f = *state;
    int done = 0;
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, unshift_once, &done);
    recorder_write(p.client, "abcd", 4);
    recorder_wait_data(p.accepted, 6);
    over_send_text(f, p.client, "ef");
    recorder_expect_data(p.accepted, "abcdcdef", 8);
}

static void unshift_at_end(const weir_event *event, void *arg)
{
    int *code = arg;
    *code = weir_stream_unshift(event->target_stream, "x", 1);
}

static void RD_14_unshift_before_end_delays_it_and_after_end_is_an_error(void **state)
{
    fixture *f = *state;
    int code = 1;
    pair p = over_pair(f, 0, RECORD_READABLE);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_END, unshift_at_end, &code);
    over_send_text(f, p.client, "abc");
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    weir_runtime_enter(f->runtime); /* 'end' is due on the tick that the bracket's end brings */
    over_expect_read(p.accepted, 0, "abc");
    assert_code(weir_stream_unshift(p.accepted->stream, "c", 1), 0);
    weir_runtime_leave(f->runtime);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    over_expect_read(p.accepted, 0, "c");
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
    assert_code(code, WEIR_EUNSHIFT_AFTER_END);
    assert_code(weir_stream_unshift(p.accepted->stream, "x", 1), WEIR_ESTREAM_DESTROYED);
}

/* ---- the mark and the length ---- */

static void RD_15_the_mark_is_16384_unless_told_otherwise(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    weir_stream *plain = weir_stream_new(f->runtime, &options);
    assert_int_equal(weir_stream_readable_high_water_mark(plain), 16384);
    weir_stream_release(plain);
    assert_code(weir_runtime_set_default_high_water_mark(f->runtime, 100), 0);
    plain = weir_stream_new(f->runtime, NULL);
    assert_int_equal(weir_stream_readable_high_water_mark(plain), 100);
    weir_stream_release(plain);
    options.readable_high_water_mark = 7;
    plain = weir_stream_new(f->runtime, &options);
    assert_int_equal(weir_stream_readable_high_water_mark(plain), 7);
    assert_int_equal(weir_stream_writable_high_water_mark(plain), 100);
    weir_stream_release(plain);
}

static void RD_15_the_mark_is_a_threshold_and_no_limit(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.readable_high_water_mark = 10;
    pair p = over_pair_with(f, 0, NULL, RECORD_READABLE, &options);
    over_send_text(f, p.client, "123456789");
    over_send_text(f, p.client, "0123456789"); /* below the mark: read, and so above it */
    over_send_text(f, p.client, "later");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 19);
    over_expect_read(p.accepted, 9, "123456789");
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 10); /* still at the mark */
    over_expect_read(p.accepted, 1, "0");
    fixture_turns(f, OVER_TURNS);
    over_expect_read(p.accepted, 0, "123456789later");
}

static void RD_16_the_length_is_what_is_unread(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    over_send_text(f, p.client, "abcdef");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 6);
    over_expect_read(p.accepted, 4, "abcd");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 2);
    recorder_destroy(p.accepted, NULL);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
}

static void RD_17_a_paused_reader_stalls_the_writer(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    recorder_pause(p.accepted);
    size_t size = over_stall(f, p.client);
    assert_true(weir_stream_bytes_read(p.accepted->stream) <= 2 * SLAB);
    size_t held = weir_stream_writable_length(p.client->stream);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_writable_length(p.client->stream), held);
    recorder_resume(p.accepted);
    recorder_wait_data(p.accepted, size);
    over_expect_stalled_data(p.accepted, size);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
}

static void RD_17_a_reader_that_does_not_read_stalls_the_writer(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    size_t size = over_stall(f, p.client);
    assert_in_range(weir_stream_readable_length(p.accepted->stream), 16384, 16383 + SLAB);
    recorder_add(p.accepted, RECORD_DATA);
    weir_stream_remove_all(p.accepted->stream, WEIR_EVENT_READABLE);
    recorder_wait_data(p.accepted, size);
    over_expect_stalled_data(p.accepted, size);
}

/* ---- 'end' ---- */

static void RD_18_end_waits_for_the_last_byte(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_send_text(f, p.client, "abc");
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    over_expect_read(p.accepted, 2, "ab");
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    assert_int_equal(weir_stream_readable_ended(p.accepted->stream), 0);
    over_expect_read(p.accepted, 1, "c");
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0); /* on a tick */
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

static void RD_18_end_waits_for_resume(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_pause(p.accepted);
    recorder_write(p.client, "abc", 3);
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    recorder_resume(p.accepted);
    over_wait_both_closed(p);
    recorder_expect_data(p.accepted, "abc", 3);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

static void destroy_here(const weir_event *event, void *arg)
{
    (void)event;
    recorder_destroy(arg, NULL);
}

static void RD_18_no_end_after_destroy(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    over_send_text(f, p.client, "abc");
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, destroy_here, p.accepted);
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    assert_int_equal(weir_stream_readable_ended(p.accepted->stream), 0);
}

static void RD_18_no_end_after_an_error(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    weir_error *error = weir_error_new(UV_EPROTO, "test", NULL, -1);
    recorder_end(p.client);
    weir_runtime_enter(f->runtime);
    recorder_destroy(p.accepted, error);
    weir_runtime_leave(f->runtime);
    weir_error_release(error);
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    assert_true(recorder_saw(p.accepted, "error:EPROTO"));
}

static void note_ended(const weir_event *event, void *arg)
{
    int *seen = arg;
    *seen = weir_stream_readable_ended(event->target_stream) * 2 + weir_stream_readable(event->target_stream);
}

static void RD_19_RD_20_ended_and_readable_change_with_end(void **state)
{
    fixture *f = *state;
    int seen = 0;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_int_equal(weir_stream_readable(p.accepted->stream), 1);
    assert_int_equal(weir_stream_readable_ended(p.accepted->stream), 0);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_END, note_ended, &seen);
    recorder_end(p.client);
    over_wait_both_closed(p);
    assert_int_equal(seen, 2); /* ended, and not readable any more */
    assert_int_equal(weir_stream_readable_ended(p.accepted->stream), 1);
}

static void RD_20_a_destroyed_stream_is_not_readable(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_destroy(p.client, NULL);
    assert_int_equal(weir_stream_readable(p.client->stream), 0);
    over_wait_closed(p.client);
    assert_int_equal(weir_stream_readable(p.client->stream), 0);
    assert_int_equal(weir_stream_readable_ended(p.client->stream), 0);
}

static void RD_22_flowing_and_paused_in_every_mode(void **state)
{
    fixture *f = *state;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    recorder *r = record_stream(f, stream, 0);
    weir_stream_release(stream);
    assert_int_equal(weir_stream_readable_flowing(stream), -1);
    assert_int_equal(weir_stream_is_paused(stream), 0);
    recorder_pause(r);
    assert_int_equal(weir_stream_readable_flowing(stream), 0);
    assert_int_equal(weir_stream_is_paused(stream), 1);
    recorder_resume(r);
    assert_int_equal(weir_stream_readable_flowing(stream), 1);
    assert_int_equal(weir_stream_is_paused(stream), 0);
    recorder_add(r, RECORD_READABLE);
    assert_int_equal(weir_stream_readable_flowing(stream), 0);
    assert_int_equal(weir_stream_is_paused(stream), 1);
    weir_stream_destroy(stream, NULL);
    over_wait_closed(r);
}

static void RD_23_pause_and_resume_are_told_when_the_state_changes(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    recorder_expect(p.accepted, "resume");
    recorder_pause(p.accepted);
    recorder_pause(p.accepted);
    fixture_turns(f, OVER_TURNS);
    recorder_expect(p.accepted, "resume pause");
    recorder_resume(p.accepted);
    recorder_resume(p.accepted);
    fixture_turns(f, OVER_TURNS);
    recorder_expect(p.accepted, "resume pause resume");
}

static void RD_25_nothing_is_read_after_destroy(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE | RECORD_DATA);
    over_send_text(f, p.client, "abc");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 3);
    recorder_destroy(p.accepted, NULL);
    over_expect_read(p.accepted, 0, NULL);
    over_expect_read(p.accepted, 1, NULL);
    weir_stream_refill(p.accepted->stream);
    recorder_resume(p.accepted);
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->data_size, 0);
}

static void RD_25_no_data_after_destroy_in_a_data_listener(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_stream_unshift(p.accepted->stream, "b", 1);
    weir_stream_unshift(p.accepted->stream, "a", 1);
    over_send_text(f, p.client, "c");
    recorder_add(p.accepted, RECORD_DATA);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, destroy_here, p.accepted);
    over_wait_closed(p.accepted);
    recorder_expect_data(p.accepted, "a", 1);
}

static void RD_08_RD_19_no_readable_comes_behind_the_end(void **state)
{
    fixture *f = *state;
    int told = 0;
    pair p = over_pair(f, RECORD_READABLE, 0);
    recorder_write(p.accepted, "x", 1);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_READABLE);
    fixture_turns(f, OVER_TURNS);
    weir_buf_release(weir_stream_read(p.client->stream, 0)); /* the last there is: 'end' is due */
    assert_code(weir_stream_on(p.client->stream, WEIR_EVENT_READABLE, fixture_count, &told), 0);
    recorder_wait(p.client, WEIR_EVENT_END);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(RD_01_nobody_has_asked_yet_and_nothing_is_lost),
        OVER_ALL(RD_02_a_data_listener_starts_the_flow_on_a_later_tick),
        OVER_ALL(RD_02_resume_starts_the_flow_without_a_listener),
        OVER_ALL(RD_02_pipe_starts_the_flow),
        OVER_ALL(RD_03_after_pause_a_listener_does_not_start_the_flow),
        OVER_ALL(RD_04_chunks_are_no_messages),
        OVER_ALL(RD_04_two_writes_may_be_one_chunk),
        OVER_ALL(RD_05_a_retained_chunk_stays_as_it_was),
        OVER_ALL(RD_06_nothing_comes_after_the_data_that_paused),
        OVER_ALL(RD_06_what_arrives_while_pausing_stays_in_order),
        OVER_ALL(RD_07_without_its_listener_the_flow_goes_on_and_drops),
        OVER_ALL(RD_07_a_readable_listener_left_keeps_it_from_flowing),
        OVER_ALL(RD_07_when_readable_goes_data_flows),
        OVER_ALL(RD_08_readable_comes_with_new_data_and_not_again),
        OVER_ALL(RD_08_readable_comes_for_what_is_there_already),
        OVER_ALL(RD_08_the_last_readable_has_nothing_to_read),
        OVER_ALL(RD_08_a_readable_listener_that_reads_gets_everything),
        OVER_ALL(RD_09_with_a_readable_listener_data_moves_by_read_alone),
        OVER_ALL(RD_09_resume_does_not_beat_a_readable_listener),
        OVER_ALL(RD_10_read_gives_all_that_is_buffered_or_nothing),
        OVER_ALL(RD_11_read_gives_exactly_so_many),
        OVER_ALL(RD_12_refill_asks_for_more_and_takes_nothing),
        OVER_ALL(RD_13_read_of_more_than_the_mark_raises_it),
        OVER_ALL(RD_14_unshift_puts_bytes_in_front),
        OVER_ALL(RD_14_unshift_in_a_data_listener_comes_again_before_what_follows),
        OVER_ALL(RD_14_unshift_before_end_delays_it_and_after_end_is_an_error),
        FIXTURE_TEST(RD_15_the_mark_is_16384_unless_told_otherwise),
        OVER_ALL(RD_15_the_mark_is_a_threshold_and_no_limit),
        OVER_ALL(RD_16_the_length_is_what_is_unread),
        OVER_ALL(RD_17_a_paused_reader_stalls_the_writer),
        OVER_ALL(RD_17_a_reader_that_does_not_read_stalls_the_writer),
        OVER_ALL(RD_18_end_waits_for_the_last_byte),
        OVER_ALL(RD_18_end_waits_for_resume),
        OVER_ALL(RD_18_no_end_after_destroy),
        OVER_ALL(RD_18_no_end_after_an_error),
        OVER_ALL(RD_19_RD_20_ended_and_readable_change_with_end),
        OVER_ALL(RD_20_a_destroyed_stream_is_not_readable),
        FIXTURE_TEST(RD_22_flowing_and_paused_in_every_mode),
        OVER_ALL(RD_23_pause_and_resume_are_told_when_the_state_changes),
        OVER_ALL(RD_25_nothing_is_read_after_destroy),
        OVER_ALL(RD_25_no_data_after_destroy_in_a_data_listener),
        OVER_ALL(RD_08_RD_19_no_readable_comes_behind_the_end),
    };
    return cmocka_run_group_tests_name("stream_read", tests, NULL, NULL);
}
