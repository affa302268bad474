/* SPDX-License-Identifier: MIT */
/* Streams that nobody has asked for data: what they notice of their peer all the same, and what they keep. */
#include "over.h"

static void wait_for_hangup(fixture *f, recorder *r)
{
    recorder_wait(r, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, OVER_TURNS);
}

static void SOCK_31_SOCK_29_an_end_with_nothing_before_it_needs_no_consumer(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_end(p.client);
    over_wait_both_closed(p);
    recorder_expect(p.accepted, "peerClose end finish close");
    over_expect(p.client, "connect ready e1 finish peerClose end close");
}

static void SOCK_31_RD_01_what_came_before_the_end_waits_for_a_consumer(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_write(p.client, "unread", 6);
    recorder_end(p.client);
    wait_for_hangup(f, p.accepted);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), -1);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 6);
    recorder_expect(p.accepted, "peerClose");
    recorder_add(p.accepted, RECORD_DATA);
    over_wait_both_closed(p);
    recorder_expect(p.accepted, "peerClose resume data:6 end finish close");
}

static void RD_15_of_much_that_came_before_the_end_little_is_taken_in(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    size_t size = over_stall(f, p.client);
    weir_stream_destroy_soon(p.client->stream);
    fixture_turns(f, OVER_TURNS);
    assert_true(weir_stream_bytes_read(p.accepted->stream) < size);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    recorder_add(p.accepted, RECORD_DATA);
    over_wait_both_closed(p);
    assert_int_equal(p.accepted->data_size, size);
    over_expect_stalled_data(p.accepted, size);
    over_expect_tail(p.accepted, "end finish close");
}

static void SOCK_30_a_half_open_stream_is_told_of_the_end_and_stays(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream = over_half_open();
    pair p = over_pair_with(f, RECORD_DATA, NULL, 0, &options);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_ready_state(p.accepted->stream), WEIR_READY_WRITE_ONLY);
    recorder_write(p.accepted, "answer", 6);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
    recorder_expect_data(p.client, "answer", 6);
}

typedef struct late_reader {
    weir_task task;
    recorder *r;
} late_reader;

static void ask_for_it(weir_task *task)
{
    recorder_add(((late_reader *)(void *)task)->r, RECORD_READABLE);
}

static void ask_for_it_next(const weir_event *event, void *arg)
{
    weir_runtime_defer(weir_stream_runtime(event->target_stream), &((late_reader *)arg)->task);
}

/* The time-out runs already when somebody comes, with the peer's end behind what there is to read. */
static void BN_04_who_asks_for_it_late_may_read_it_in_his_own_time(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.half_close_timeout = 10;
    pair p = over_pair_with(f, 0, &options, RECORD_DATA, NULL);
    recorder_write(p.accepted, "unread", 6);
    recorder_end(p.accepted);
    late_reader reader = {.task.run = ask_for_it, .r = p.client};
    wait_for_hangup(f, p.client);
    weir_stream_on(p.client->stream, WEIR_EVENT_FINISH, ask_for_it_next, &reader);
    recorder_end(p.client);
    over_wait_for(f, 30);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    weir_buf_release(weir_stream_read(p.client->stream, 0));
    over_wait_both_closed(p);
    over_expect_tail(p.client, "end close");
}

static void BN_05_who_is_paused_when_the_peer_goes_reads_nothing(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_pause(p.accepted);
    recorder_write(p.client, "unread", 6);
    recorder_end(p.client);
    wait_for_hangup(f, p.accepted);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 0);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
}

static void pause_it(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_pause(event->target_stream);
}

static void BN_05_the_listener_decides_to_leave_it_unread(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_PEER_CLOSE, pause_it, NULL);
    recorder_write(p.client, "unread", 6);
    recorder_end(p.client);
    wait_for_hangup(f, p.accepted);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 0);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_resume(p.accepted);
    over_wait_both_closed(p);
    recorder_expect_data(p.accepted, "unread", 6);
}

static void SOCM_24_LIFE_07_a_reset_needs_no_consumer(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_code(recorder_reset(p.client), 0);
    over_wait_both_closed(p);
    over_expect_tail(p.accepted, "error:ECONNRESET close:error");
}

static void BN_22_a_server_without_listeners_closes_when_its_clients_have_gone(void **state)
{
    fixture *f = *state;
    f->record = 0;
    weir_server *server = over_listen(f, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_end(p.client);
    assert_code(weir_server_close_wait(server), 0);
    over_wait_both_closed(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(SOCK_31_SOCK_29_an_end_with_nothing_before_it_needs_no_consumer),
        OVER_ALL(SOCK_31_RD_01_what_came_before_the_end_waits_for_a_consumer),
        OVER_ALL(RD_15_of_much_that_came_before_the_end_little_is_taken_in),
        OVER_ALL(SOCK_30_a_half_open_stream_is_told_of_the_end_and_stays),
        OVER_ALL(BN_04_who_asks_for_it_late_may_read_it_in_his_own_time),
        OVER_ALL(BN_05_who_is_paused_when_the_peer_goes_reads_nothing),
        OVER_ALL(BN_05_the_listener_decides_to_leave_it_unread),
        OVER_TCP(SOCM_24_LIFE_07_a_reset_needs_no_consumer),
        OVER_ALL(BN_22_a_server_without_listeners_closes_when_its_clients_have_gone),
    };
    return cmocka_run_group_tests_name("stream unasked", tests, NULL, NULL);
}
