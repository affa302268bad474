/* SPDX-License-Identifier: MIT */
/* The writing track, row by row: the queue, 'drain', callbacks, cork, and what is refused. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "over.h"

#define MEBIBYTE ((size_t)1024 * 1024)

static void resume_accepted(fixture *f, weir_server *server, size_t size)
{
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(accepted, RECORD_DATA);
    recorder_wait_data(accepted, size);
}

/* ---- the queue ---- */

static void WR_01_writes_before_connect_are_queued_in_order(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
    char text[5 * 200];
    for (int i = 0; i < 200; i++) {
        char part[6];
        snprintf(part, sizeof(part), "%04d ", i);
        memcpy(text + 5 * i, part, 5);
        assert_true(recorder_write(client, part, 5) >= 0);
        memset(part, 'x', sizeof(part));
    }
    assert_int_equal(weir_stream_writable_length(client->stream), sizeof(text));
    assert_int_equal(weir_stream_bytes_written(client->stream), sizeof(text));
    resume_accepted(f, server, sizeof(text));
    recorder_expect_data(fixture_accepted(f, server, 0), text, sizeof(text));
    recorder_wait_writes(client, 200);
}

static void WR_02_write_copies_what_the_kernel_did_not_take(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    size_t before = over_stall(f, p.client);
    char *bytes = malloc(MEBIBYTE);
    memset(bytes, 'a', MEBIBYTE);
    recorder_write(p.client, bytes, MEBIBYTE);
    memset(bytes, 'b', MEBIBYTE);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, before + MEBIBYTE);
    memset(bytes, 'a', MEBIBYTE);
    assert_memory_equal(p.accepted->data + before, bytes, MEBIBYTE);
    free(bytes);
}

static void WR_02_write_buf_holds_a_reference_until_the_callback(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    size_t before = over_stall(f, p.client);
    size_t writes = p.client->writes_done;
    weir_buf *buf = weir_buf_copy("by reference", 12);
    size_t blocks = allocator_live();
    recorder_write_buf(p.client, buf);
    assert_int_equal(buf->refs, 2);
    assert_int_equal(allocator_live(), blocks + 1); /* the place in the queue, and no bytes */
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_writes(p.client, writes + 2);
    assert_int_equal(buf->refs, 1);
    weir_buf_release(buf);
    recorder_wait_data(p.accepted, before + 12);
    assert_memory_equal(p.accepted->data + before, "by reference", 12);
}

static void WR_03_write_says_whether_to_go_on(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    static char bytes[20000]; /* more than the mark, which the kernel takes */
    assert_int_equal(recorder_write(p.client, "x", 1), 1);
    assert_int_equal(recorder_write(p.client, bytes, sizeof(bytes)), 1);
    over_stall(f, p.client);
    assert_true(weir_stream_writable_length(p.client->stream) >= 16384);
    assert_int_equal(recorder_write(p.client, "x", 1), 0);
    recorder_destroy(p.client, NULL);
    assert_int_equal(weir_stream_write(p.client->stream, "x", 1, NULL, NULL), 0);
}

static void WR_03_before_connect_the_mark_decides(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    static char bytes[16384];
    recorder *client = over_connecting(f, server, NULL);
    assert_int_equal(recorder_write(client, bytes, 16383), 1);
    assert_int_equal(weir_stream_writable_need_drain(client->stream), 0);
    assert_int_equal(recorder_write(client, bytes, 1), 0);
    assert_int_equal(weir_stream_writable_need_drain(client->stream), 1);
    recorder_wait(client, WEIR_EVENT_DRAIN);
    assert_int_equal(weir_stream_writable_need_drain(client->stream), 0);
}

/* ---- 'drain' ---- */

static void note_length(const weir_event *event, void *arg)
{
    size_t *length = arg;
    *length = weir_stream_writable_length(event->target_stream) + 1;
}

static void WR_04_WR_05_drain_comes_once_when_all_is_flushed(void **state)
{
    fixture *f = *state;
    size_t length = 0;
    pair p = over_pair(f, 0, 0);
    weir_stream_on(p.client->stream, WEIR_EVENT_DRAIN, note_length, &length);
    size_t size = over_stall(f, p.client);
    assert_int_equal(weir_stream_writable_need_drain(p.client->stream), 1);
    assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait(p.client, WEIR_EVENT_DRAIN);
    assert_int_equal(length, 0 + 1);
    assert_int_equal(weir_stream_writable_need_drain(p.client->stream), 0);
    recorder_wait_data(p.accepted, size);
    recorder_write(p.client, "more", 4);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], 1);
}

static void WR_04_no_drain_after_end(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    size_t size = over_stall(f, p.client);
    recorder_end(p.client);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, size);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], 0);
}

static void write_and_count(const weir_event *event, void *arg)
{
    static char bytes[65536];
    size_t *left = arg;
    while (*left > 0) {
        --*left;
        if (weir_stream_write(event->target_stream, bytes, sizeof(bytes), NULL, NULL) == 0) {
            return;
        }
    }
}

static void WR_04_a_writer_that_waits_for_drain_holds_little(void **state)
{
    fixture *f = *state;
    size_t left = 512;
    size_t length = 0;
    pair p = over_pair(f, 0, RECORD_DATA);
    weir_stream_on(p.client->stream, WEIR_EVENT_DRAIN, write_and_count, &left);
    weir_event begin = {.type = WEIR_EVENT_DRAIN, .target_stream = p.client->stream};
    write_and_count(&begin, &left);
    length = weir_stream_writable_length(p.client->stream);
    assert_true(length <= 65536);
    recorder_wait_data(p.accepted, (size_t)512 * 65536);
    assert_int_equal(left, 0);
}

/* ---- marks and lengths ---- */

static void WR_06_the_mark_is_16384_unless_told_otherwise(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_int_equal(weir_stream_writable_high_water_mark(stream), 16384);
    weir_stream_release(stream);
    options.writable_high_water_mark = 3;
    stream = weir_stream_new(f->runtime, &options);
    assert_int_equal(weir_stream_writable_high_water_mark(stream), 3);
    assert_int_equal(weir_stream_readable_high_water_mark(stream), 16384);
    weir_stream_release(stream);
}

static void WR_07_the_length_is_what_the_kernel_has_not_taken(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_write(p.client, "taken", 5);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
    over_stall(f, p.client);
    size_t length = weir_stream_writable_length(p.client->stream);
    recorder_write(p.client, "queued", 6);
    assert_int_equal(weir_stream_writable_length(p.client->stream), length + 6);
    recorder_destroy(p.client, NULL);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
}

/* ---- callbacks ---- */

static void WR_08_callbacks_come_in_order_and_never_inside_the_call(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    recorder_write(p.client, "a", 1);
    recorder_write(p.client, "", 0);
    recorder_write(p.client, "b", 1);
    assert_int_equal(p.client->writes_done, 0);
    recorder_wait_writes(p.client, 3);
    over_expect(p.client, "connect ready w1 w2 w3");
}

static void WR_08_callbacks_of_a_stalled_queue_come_in_order(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    size_t size = over_stall(f, p.client);
    size_t writes = p.client->writes_done;
    recorder_write(p.client, "a", 1);
    recorder_write(p.client, "", 0);
    recorder_write(p.client, "b", 1);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->writes_done, writes);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, size + 2);
    recorder_wait_writes(p.client, writes + 4); /* the recorder judges their order */
}

static void write_again(weir_stream *stream, int status, void *arg)
{
    recorder *r = arg;
    assert_code(status, 0);
    assert_ptr_equal(stream, r->stream);
    recorder_write(r, "second", 6);
}

static void WR_08_a_callback_may_write(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    weir_stream_write(p.client->stream, "first", 5, write_again, p.client);
    recorder_wait_data(p.accepted, 11);
    recorder_expect_data(p.accepted, "firstsecond", 11);
    recorder_wait_writes(p.client, 1);
}

static void WR_09_a_failing_write_fails_all_behind_it(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    over_stall(f, p.client);
    size_t writes = p.client->writes_done;
    recorder_write(p.client, "a", 1);
    recorder_write(p.client, "b", 1);
    recorder_destroy(p.accepted, NULL);
    over_wait_both_closed(p);
    assert_int_equal(p.client->writes_done, writes + 3);
    const weir_error *error = weir_stream_errored(p.client->stream);
    assert_non_null(error);
    assert_true(error->code == UV_EPIPE || error->code == UV_ECONNRESET);
    assert_true(recorder_saw(p.client, fixture_text(f, "w%zu:%s", writes + 1, error->name)));
    assert_true(recorder_saw(p.client, fixture_text(f, "w%zu:%s", writes + 3, error->name)));
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 1);
}

/* ---- cork ---- */

static void WR_10_cork_counts_and_holds_back(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    weir_stream_cork(p.client->stream);
    weir_stream_cork(p.client->stream);
    assert_int_equal(weir_stream_writable_corked(p.client->stream), 2);
    recorder_write(p.client, "abc", 3);
    recorder_write(p.client, "def", 3);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 6);
    weir_stream_uncork(p.client->stream);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->data_size, 0);
    assert_int_equal(p.client->writes_done, 0);
    weir_stream_uncork(p.client->stream);
    recorder_wait_data(p.accepted, 6);
    recorder_wait_writes(p.client, 2);
    assert_int_equal(weir_stream_writable_corked(p.client->stream), 0);
}

static void WR_10_cork_before_connect_holds_back_after_it(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_fresh(f, NULL);
    weir_stream_cork(client->stream);
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    recorder_write(client, "abc", 3);
    recorder *accepted = fixture_accepted(f, server, 0);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(client->writes_done, 0);
    weir_stream_uncork(client->stream);
    recorder_add(accepted, RECORD_DATA);
    recorder_wait_data(accepted, 3);
}

static void WR_11_uncork_sends_the_queue_in_one_go(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    weir_stream_cork(p.client->stream);
    for (int i = 0; i < 10; i++) {
        recorder_write(p.client, "0123456789", 10);
    }
    weir_stream_uncork(p.client->stream);
    recorder_wait_data(p.accepted, 100);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_DATA], 1);
    weir_stream_uncork(p.client->stream); /* one too many */
    assert_int_equal(weir_stream_writable_corked(p.client->stream), 0);
    recorder_write(p.client, "x", 1);
    recorder_wait_data(p.accepted, 101);
}

static void WR_12_end_uncorks_completely(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_stream_cork(p.client->stream);
    weir_stream_cork(p.client->stream);
    recorder_write(p.client, "abc", 3);
    recorder_end(p.client);
    assert_int_equal(weir_stream_writable_corked(p.client->stream), 0);
    over_wait_both_closed(p);
    recorder_expect_data(p.accepted, "abc", 3);
    assert_true(recorder_saw(p.accepted, "end"));
}

static void WR_13_more_chunks_than_one_vectored_call_takes(void **state)
{
    fixture *f = *state;
    enum { CHUNKS = 3000 };
    static char text[CHUNKS * 5 + 1];
    pair p = over_pair(f, 0, RECORD_DATA);
    weir_stream_cork(p.client->stream);
    for (int i = 0; i < CHUNKS; i++) {
        snprintf(text + 5 * i, 6, "%04d\n", i);
        recorder_write(p.client, text + 5 * i, 5);
        recorder_write(p.client, "", 0);
    }
    weir_stream_uncork(p.client->stream);
    recorder_wait_data(p.accepted, 5 * CHUNKS);
    recorder_expect_data(p.accepted, text, 5 * CHUNKS);
    recorder_wait_writes(p.client, (size_t)2 * CHUNKS);
}

/* ---- partial writes ---- */

static void WR_14_what_the_kernel_takes_in_parts_arrives_whole(void **state)
{
    fixture *f = *state;
    size_t size = 8 * MEBIBYTE;
    char *bytes = malloc(size);
    fixture_fill(bytes, size, 14);
    pair p = over_pair(f, 0, RECORD_DATA);
    size_t at = 0;
    for (size_t part = 1; at < size; part = part * 3 + 1) {
        size_t now = part < size - at ? part : size - at;
        recorder_write(p.client, bytes + at, now);
        at += now;
    }
    recorder_wait_data(p.accepted, size);
    recorder_expect_data(p.accepted, bytes, size);
    free(bytes);
}

static void WR_14_a_pipe_of_seven_bytes(void **state)
{
    fixture *f = *state;
    char bytes[5000];
    fixture_fill(bytes, sizeof(bytes), 15);
    f->record = RECORD_DATA;
    weir_server *server = fixture_listen(f, "mem:small", NULL);
    pair p = fixture_connect(f, server, "mem:small?pipeSize=7", NULL);
    weir_stream_cork(p.client->stream);
    for (size_t at = 0; at < sizeof(bytes); at += 50) {
        recorder_write(p.client, bytes + at, 50);
    }
    weir_stream_uncork(p.client->stream);
    recorder_wait_data(p.accepted, sizeof(bytes));
    recorder_expect_data(p.accepted, bytes, sizeof(bytes));
}

static void WR_24_SOCM_50_empty_writes_have_callbacks_and_send_nothing(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
    assert_int_equal(recorder_write(client, "", 0), 1);
    assert_int_equal(recorder_write(client, NULL, 0), 1);
    assert_int_equal(weir_stream_writable_length(client->stream), 0);
    recorder_wait_writes(client, 2);
    assert_int_equal(recorder_write(client, "", 0), 1);
    recorder_wait_writes(client, 3);
    assert_int_equal(weir_stream_bytes_written(client->stream), 0);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(accepted, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_bytes_read(accepted->stream), 0);
    over_expect(client, "connect ready w1 w2 w3");
}

/* ---- write(): the rows of net.Socket ---- */

static void SOCM_49_everything_is_accepted_whatever_the_kernel_takes(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    size_t size = over_stall(f, p.client);
    char *bytes = calloc(1, 16 * MEBIBYTE);
    assert_int_equal(recorder_write(p.client, bytes, 16 * MEBIBYTE), 0);
    assert_true(weir_stream_writable_length(p.client->stream) >= 16 * MEBIBYTE);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, size + 16 * MEBIBYTE);
    over_expect_stalled_data(p.accepted, size);
    assert_memory_equal(p.accepted->data + size, bytes, 16 * MEBIBYTE);
    free(bytes);
}

static void SOCM_50_nothing_is_taken_of_no_data(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_code(recorder_write(p.client, NULL, 1), WEIR_ESTREAM_NULL_VALUES);
    assert_code(weir_stream_write_buf(p.client->stream, NULL, NULL, NULL), WEIR_ESTREAM_NULL_VALUES);
    assert_code(weir_stream_write(NULL, "x", 1, NULL, NULL), UV_EINVAL);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_writable(p.client->stream), 1);
    over_expect(p.client, "connect ready");
}

static void SOCM_51_SOCM_53_true_means_the_kernel_has_it(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_int_equal(recorder_write(p.client, "abc", 3), 1);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
    recorder_wait_writes(p.client, 1);
    assert_true(recorder_saw(p.client, "w1"));
    recorder_wait_data(p.accepted, 3);
}

static void SOCM_52_false_promises_drain(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    over_stall(f, p.client);
    assert_int_equal(recorder_write(p.client, "x", 1), 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait(p.client, WEIR_EVENT_DRAIN);
}

static void SOCM_54_order_is_kept_through_cork_and_queue(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
    recorder_write(client, "1", 1); /* queued */
    fixture_accepted(f, server, 0);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_write(client, "2", 1); /* at once */
    weir_stream_cork(client->stream);
    recorder_write(client, "3", 1);
    weir_buf *four = weir_buf_copy("4", 1);
    recorder_write_buf(client, four);
    weir_buf_release(four);
    weir_stream_uncork(client->stream);
    recorder_write(client, "5", 1);
    weir_stream_end_with(client->stream, "6", 1, NULL, NULL);
    resume_accepted(f, server, 6);
    recorder_expect_data(fixture_accepted(f, server, 0), "123456", 6);
}

static void SOCM_55_a_write_before_connect_is_sent_after_it(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
    assert_int_equal(recorder_write(client, "early", 5), 1);
    recorder_wait_writes(client, 1);
    over_expect(client, "connect ready w1");
    resume_accepted(f, server, 5);
}

static void SOCM_55_a_write_without_connect_is_an_error(void **state)
{
    fixture *f = *state;
    recorder *r = over_fresh(f, NULL);
    assert_int_equal(recorder_write(r, "x", 1), 0);
    assert_int_equal(weir_stream_destroyed(r->stream), 1);
    over_wait_closed(r);
    recorder_expect(r, "w1:ERR_SOCKET_CLOSED error:ERR_SOCKET_CLOSED close:error");
}

static void SOCM_56_a_write_after_end_is_an_error(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_end(p.client);
    assert_int_equal(recorder_write(p.client, "x", 1), 0);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 1);
    over_wait_closed(p.client);
    assert_true(recorder_saw(p.client, "w1:ERR_STREAM_WRITE_AFTER_END"));
    assert_true(recorder_saw(p.client, "e1:ERR_STREAM_WRITE_AFTER_END"));
    assert_true(recorder_saw(p.client, "error:ERR_STREAM_WRITE_AFTER_END"));
    assert_true(recorder_saw(p.client, "close:error"));
}

static void SOCM_56_SOCK_32_after_the_peers_end_it_is_a_broken_pipe(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    over_stall(f, p.accepted); /* so that its side is ended, and not closed yet */
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_writable_ended(p.accepted->stream), 1);
    assert_int_equal(recorder_write(p.accepted, "x", 1), 0);
    over_wait_closed(p.accepted);
    assert_true(recorder_saw(p.accepted, "error:EPIPE"));
}

static void write_here(const weir_event *event, void *arg)
{
    (void)event;
    recorder_write(arg, "bye", 3);
}

static void SOCK_32_LIFE_13_a_write_inside_an_end_listener_is_sent(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_END, write_here, p.accepted);
    recorder_end(p.client);
    over_wait_both_closed(p);
    recorder_expect_data(p.client, "bye", 3);
    recorder_expect(p.accepted, "resume end w1 finish close");
}

static void SOCM_56_behind_both_ends_it_is_a_broken_pipe(void **state)
{
    fixture *f = *state;
    weir_stream_options half_open = over_half_open();
    const weir_stream_options *options[] = {NULL, &half_open};
    for (size_t i = 0; i < 2; i++) {
        pair p = over_pair_with(f, RECORD_DATA, options[i], RECORD_DATA, NULL);
        weir_stream_on(p.client->stream, WEIR_EVENT_END, write_here, p.client);
        recorder_end(p.client);
        over_wait_both_closed(p);
        const char *code = i == 0 ? "EPIPE" : "ERR_STREAM_WRITE_AFTER_END"; /* half open, its own end is why */
        over_expect_tail(p.client, fixture_text(f, "e1 finish end w1:%s error:%s close:error", code, code));
    }
}

static void SOCM_57_a_write_after_destroy_has_a_callback_and_no_error(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_destroy(p.client, NULL);
    assert_int_equal(recorder_write(p.client, "x", 1), 0);
    over_wait_closed(p.client);
    recorder_write(p.client, "y", 1);
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    over_expect(p.client, "connect ready ~w1:ERR_STREAM_DESTROYED close ~w2:ERR_STREAM_DESTROYED "
                          "~e1:ERR_STREAM_DESTROYED");
}

static void note_status(weir_stream *stream, int status, void *arg)
{
    int *seen = arg;
    (void)stream;
    *seen = status;
}

static void SOCM_57_a_closed_stream_that_is_released_still_calls_back(void **state)
{
    fixture *f = *state;
    int written = 1;
    int ended = 1;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    weir_stream_destroy(stream, NULL);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_closed(stream), 1);
    assert_int_equal(weir_stream_write(stream, "x", 1, note_status, &written), 0);
    assert_int_equal(weir_stream_end(stream, note_status, &ended), 0);
    weir_stream_release(stream);
    fixture_turns(f, OVER_TURNS);
    assert_code(written, WEIR_ESTREAM_DESTROYED);
    assert_code(ended, WEIR_ESTREAM_DESTROYED);
}

static volatile sig_atomic_t broken_pipes;

static void note_signal(int number)
{
    (void)number;
    broken_pipes++;
}

static void SOCM_60_writing_to_who_has_gone_is_an_error_and_no_signal(void **state)
{
    fixture *f = *state;
    void (*before)(int) = signal(SIGPIPE, note_signal);
    pair p = over_pair(f, 0, 0);
    recorder_pause(p.client); /* it learns of it by writing only */
    recorder_destroy(p.accepted, NULL);
    over_wait_closed(p.accepted);
    for (int i = 0; i < 100 && !weir_stream_destroyed(p.client->stream); i++) {
        recorder_write(p.client, "into the void", 13);
        fixture_turns(f, 2);
    }
    over_wait_closed(p.client);
    const weir_error *error = weir_stream_errored(p.client->stream);
    assert_non_null(error);
    assert_true(error->code == UV_EPIPE || error->code == UV_ECONNRESET);
    signal(SIGPIPE, before);
    assert_int_equal(broken_pipes, 0);
}

/* ---- beyond Node ---- */

static void BN_07_a_write_that_would_pass_the_limit_is_refused(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.max_write_queue = 10;
    f->record = 0;
    recorder *client = fixture_client(f, fixture_url(f, server), &options);
    assert_true(recorder_write(client, "123456", 6) >= 0);
    assert_code(recorder_write(client, "78901", 5), WEIR_EWRITEQUEUEFULL);
    assert_int_equal(weir_stream_writable_length(client->stream), 6);
    assert_true(recorder_write(client, "7890", 4) >= 0);
    assert_code(recorder_write(client, "x", 1), WEIR_EWRITEQUEUEFULL);
    assert_code(weir_stream_end_with(client->stream, "x", 1, NULL, NULL), WEIR_EWRITEQUEUEFULL);
    assert_int_equal(weir_stream_writable_ended(client->stream), 0);
    resume_accepted(f, server, 10);
    assert_true(recorder_write(client, "after", 5) >= 0);
    resume_accepted(f, server, 15);
    recorder_expect_data(fixture_accepted(f, server, 0), "1234567890after", 15);
    over_expect(client, "connect ready w1 w2 w3");
}

static void BN_07_destroy_releases_the_queue_at_once(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    over_stall(f, p.client);
    weir_buf *buf = weir_buf_copy("queued", 6);
    recorder_write_buf(p.client, buf);
    assert_int_equal(buf->refs, 2);
    recorder_destroy(p.client, NULL);
    assert_int_equal(buf->refs, 1);
    weir_buf_release(buf);
    over_wait_closed(p.client);
}

static void BN_23_the_peers_half_close_fails_no_pending_write(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    pair p = over_pair_with(f, RECORD_DATA, &options, 0, NULL);
    size_t size = over_stall(f, p.client);
    size_t writes = p.client->writes_done;
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    assert_int_equal(p.client->writes_done, writes);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_end(p.client);
    over_wait_both_closed(p);
    over_expect_stalled_data(p.accepted, size);
    assert_int_equal(p.client->writes_done, writes + 1);
    assert_true(recorder_saw(p.client, fixture_text(f, "w%zu", writes + 1)));
}

static void BN_23_every_callback_comes_once_when_the_peer_goes(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    over_stall(f, p.client);
    for (int i = 0; i < 50; i++) {
        recorder_write(p.client, "x", 1);
    }
    recorder_end(p.client);
    recorder_destroy(p.accepted, NULL);
    over_wait_both_closed(p); /* the recorder judges that each callback came once and before 'close' */
    assert_int_equal(p.client->ends_done, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(WR_01_writes_before_connect_are_queued_in_order),
        OVER_ALL(WR_02_write_copies_what_the_kernel_did_not_take),
        OVER_ALL(WR_02_write_buf_holds_a_reference_until_the_callback),
        OVER_ALL(WR_03_write_says_whether_to_go_on),
        OVER_ALL(WR_03_before_connect_the_mark_decides),
        OVER_ALL(WR_04_WR_05_drain_comes_once_when_all_is_flushed),
        OVER_ALL(WR_04_no_drain_after_end),
        OVER_ALL(WR_04_a_writer_that_waits_for_drain_holds_little),
        FIXTURE_TEST(WR_06_the_mark_is_16384_unless_told_otherwise),
        OVER_ALL(WR_07_the_length_is_what_the_kernel_has_not_taken),
        OVER_ALL(WR_08_callbacks_come_in_order_and_never_inside_the_call),
        OVER_ALL(WR_08_callbacks_of_a_stalled_queue_come_in_order),
        OVER_ALL(WR_08_a_callback_may_write),
        OVER_ALL(WR_09_a_failing_write_fails_all_behind_it),
        OVER_ALL(WR_10_cork_counts_and_holds_back),
        OVER_ALL(WR_10_cork_before_connect_holds_back_after_it),
        OVER_ALL(WR_11_uncork_sends_the_queue_in_one_go),
        OVER_ALL(WR_12_end_uncorks_completely),
        OVER_ALL(WR_13_more_chunks_than_one_vectored_call_takes),
        OVER_ALL(WR_14_what_the_kernel_takes_in_parts_arrives_whole),
        FIXTURE_TEST(WR_14_a_pipe_of_seven_bytes),
        OVER_ALL(WR_24_SOCM_50_empty_writes_have_callbacks_and_send_nothing),
        OVER_ALL(SOCM_49_everything_is_accepted_whatever_the_kernel_takes),
        OVER_ALL(SOCM_50_nothing_is_taken_of_no_data),
        OVER_ALL(SOCM_51_SOCM_53_true_means_the_kernel_has_it),
        OVER_ALL(SOCM_52_false_promises_drain),
        OVER_ALL(SOCM_54_order_is_kept_through_cork_and_queue),
        OVER_ALL(SOCM_55_a_write_before_connect_is_sent_after_it),
        FIXTURE_TEST(SOCM_55_a_write_without_connect_is_an_error),
        OVER_ALL(SOCM_56_a_write_after_end_is_an_error),
        OVER_ALL(SOCM_56_SOCK_32_after_the_peers_end_it_is_a_broken_pipe),
        OVER_ALL(SOCK_32_LIFE_13_a_write_inside_an_end_listener_is_sent),
        OVER_ALL(SOCM_56_behind_both_ends_it_is_a_broken_pipe),
        OVER_ALL(SOCM_57_a_write_after_destroy_has_a_callback_and_no_error),
        FIXTURE_TEST(SOCM_57_a_closed_stream_that_is_released_still_calls_back),
        OVER_ALL(SOCM_60_writing_to_who_has_gone_is_an_error_and_no_signal),
        OVER_ALL(BN_07_a_write_that_would_pass_the_limit_is_refused),
        OVER_ALL(BN_07_destroy_releases_the_queue_at_once),
        OVER_ALL(BN_23_the_peers_half_close_fails_no_pending_write),
        OVER_ALL(BN_23_every_callback_comes_once_when_the_peer_goes),
    };
    return cmocka_run_group_tests_name("stream_write", tests, NULL, NULL);
}
