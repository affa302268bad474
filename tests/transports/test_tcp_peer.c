/* SPDX-License-Identifier: MIT */
/* TCP and the peer's going: what the kernel reports of it, in which order, and what a stream makes of it. */
#define _GNU_SOURCE

#include <errno.h>

#include "raw_peer.h"

#define LOCAL "tcp://127.0.0.1:0"

/* The peer's bytes and its reset are both there before the accepted stream reads for the first time. */
static void net_BN_06_a_reset_after_data_is_no_end(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *accepted;

    raw_send(peer, "hello");
    raw_reset(peer);
    accepted = fixture_accepted(f, server, 0);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect(accepted, "resume data:5 error:ECONNRESET close:error");
}

/* The same on a stream that waits for data: both arrive as one event. */
static void net_BN_06_data_before_a_reset_is_delivered(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *accepted = fixture_accepted(f, server, 0);

    fixture_turns(f, 2);
    raw_send(peer, "hello");
    raw_reset(peer);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect(accepted, "resume data:5 error:ECONNRESET close:error");
}

/* send takes the socket's error away and leaves a clean 0 behind: still no end. */
static void net_BN_06_a_failed_write_before_the_read_is_no_end(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *accepted = fixture_accepted(f, server, 0);

    fixture_turns(f, 2);
    raw_send(peer, "hello");
    raw_reset(peer);
    recorder_write(accepted, "x", 1);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(accepted, "hello", 5);
    assert_false(recorder_saw(accepted, "end"));
    assert_true(recorder_saw(accepted, "w1:ECONNRESET"));
    assert_true(recorder_saw(accepted, "error:ECONNRESET"));
}

static void net_law_7_a_failed_write_does_not_hide_data(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *accepted = fixture_accepted(f, server, 0);
    char byte = 'x';

    raw_send(peer, "last words");
    close(peer); /* an end: what comes from us is answered by a reset */
    recorder_write(accepted, &byte, 1);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(accepted, "last words", 10);
}

static void net_SOCK_28_SOCK_29_an_end_is_an_end(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *accepted = fixture_accepted(f, server, 0);

    raw_send(peer, "hello");
    shutdown(peer, SHUT_WR);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect(accepted, "resume data:5 end finish close");
    close(peer);
}

static void net_BN_05_a_paused_stream_learns_that_its_peer_has_gone(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *accepted = fixture_accepted(f, server, 0);

    recorder_pause(accepted);
    raw_send(peer, "kept");
    shutdown(peer, SHUT_WR);
    recorder_wait(accepted, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, 20);
    assert_int_equal(accepted->counts[WEIR_EVENT_PEER_CLOSE], 1);
    assert_int_equal(accepted->data_size, 0);
    recorder_resume(accepted);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(accepted, "kept", 4);
    assert_true(recorder_saw(accepted, "end"));
    close(peer);
}

static void net_BN_05_BN_06_a_reset_while_paused(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *accepted = fixture_accepted(f, server, 0);

    recorder_pause(accepted);
    fixture_turns(f, 2);
    raw_reset(peer);
    recorder_wait(accepted, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, 20);
    assert_false(recorder_saw(accepted, "error:ECONNRESET"));
    recorder_resume(accepted);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(accepted, "error:ECONNRESET"));
}

/* Paused with the kernel's queue full of bytes, and a reset behind them: all of them, then the reset. */
static void net_BN_05_BN_06_much_data_and_a_reset_while_paused(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peer = raw_connect(raw_port_of(server));
    recorder *accepted = fixture_accepted(f, server, 0);
    char bytes[32 * 1024];

    recorder_pause(accepted);
    fixture_turns(f, 2);
    fixture_fill(bytes, sizeof(bytes), 7);
    assert_int_equal(send(peer, bytes, sizeof(bytes), MSG_NOSIGNAL), sizeof(bytes));
    raw_reset(peer);
    recorder_wait(accepted, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, 20);
    assert_int_equal(weir_stream_bytes_read(accepted->stream), 0);
    recorder_resume(accepted);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(accepted, bytes, sizeof(bytes));
    recorder_expect(accepted, "resume pause peerClose resume data:32768 error:ECONNRESET close:error");
}

static int turns_of;

static void count_turn(uv_prepare_t *handle)
{
    (void)handle;
    turns_of++;
}

static void on_timer(uv_timer_t *timer)
{
    *(int *)timer->data = 1;
}

/* Half-open and idle, the peer's end read, then its reset: nobody has to write to learn of it. */
static void net_BN_06_a_reset_after_the_end_is_told(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server *server;
    recorder *accepted;
    int peer;

    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    server = fixture_listen(f, LOCAL, &options);
    peer = raw_connect(raw_port_of(server));
    accepted = fixture_accepted(f, server, 0);
    raw_send(peer, "hello");
    shutdown(peer, SHUT_WR);
    recorder_wait(accepted, WEIR_EVENT_END);
    fixture_turns(f, 2);
    raw_reset(peer);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect(accepted, "resume data:5 end error:ECONNRESET close:error");
    assert_string_equal(weir_stream_errored(accepted->stream)->syscall, "read");
}

/* The same when the application has not read so far: nothing is lost of what the peer had sent and ended in order. */
static void net_BN_06_a_reset_after_an_end_that_waits_loses_nothing(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server *server;
    recorder *accepted;
    weir_buf *data;
    int peer;

    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    f->record = 0;
    server = fixture_listen(f, LOCAL, &options);
    peer = raw_connect(raw_port_of(server));
    accepted = fixture_accepted(f, server, 0);
    raw_send(peer, "hello");
    shutdown(peer, SHUT_WR);
    weir_stream_refill(accepted->stream);
    fixture_turns(f, 20);
    assert_int_equal(weir_stream_readable_length(accepted->stream), 5);
    raw_reset(peer);
    fixture_turns(f, 20);
    recorder_expect(accepted, "");
    data = weir_stream_read(accepted->stream, 0);
    assert_int_equal(data->size, 5);
    weir_buf_release(data);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect(accepted, "end error:ECONNRESET close:error");
}

/* What waits for the reset must not spin: on urgent bytes from before the end, on the reset, on both having ended. */
static void net_BN_06_what_waits_behind_the_end_does_not_spin(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server *server;
    recorder *accepted[3];
    uv_prepare_t prepare;
    uv_timer_t timer;
    int peers[3];
    int over = 0;
    size_t i;

    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    options.stream.no_auto_destroy = 1;
    server = fixture_listen(f, LOCAL, &options);
    for (i = 0; i < 3; i++) {
        peers[i] = raw_connect(raw_port_of(server));
        accepted[i] = fixture_accepted(f, server, i);
        if (i == 0)
            assert_int_equal(send(peers[i], "!", 1, MSG_OOB), 1);
        shutdown(peers[i], SHUT_WR);
        recorder_wait(accepted[i], WEIR_EVENT_END);
    }
    raw_reset(peers[1]);
    recorder_end(accepted[2]);
    recorder_wait(accepted[2], WEIR_EVENT_FINISH);
    uv_prepare_init(&f->loop, &prepare);
    uv_timer_init(&f->loop, &timer);
    timer.data = &over;
    turns_of = 0;
    uv_prepare_start(&prepare, count_turn);
    uv_timer_start(&timer, on_timer, 100, 0);
    fixture_until(f, &over);
    assert_true(turns_of < 20);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    fixture_turns(f, 2);
    assert_int_equal(weir_stream_destroyed(accepted[0]->stream), 0);
    assert_int_equal(weir_stream_destroyed(accepted[2]->stream), 0);
    recorder_destroy(accepted[0], NULL);
    recorder_destroy(accepted[2], NULL);
    for (i = 0; i < 3; i++)
        recorder_wait(accepted[i], WEIR_EVENT_CLOSE);
    close(peers[0]);
    close(peers[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_BN_06_a_reset_after_data_is_no_end),
        FIXTURE_TEST(net_BN_06_data_before_a_reset_is_delivered),
        FIXTURE_TEST(net_BN_06_a_failed_write_before_the_read_is_no_end),
        FIXTURE_TEST(net_law_7_a_failed_write_does_not_hide_data),
        FIXTURE_TEST(net_SOCK_28_SOCK_29_an_end_is_an_end),
        FIXTURE_TEST(net_BN_05_a_paused_stream_learns_that_its_peer_has_gone),
        FIXTURE_TEST(net_BN_05_BN_06_a_reset_while_paused),
        FIXTURE_TEST(net_BN_05_BN_06_much_data_and_a_reset_while_paused),
        FIXTURE_TEST(net_BN_06_a_reset_after_the_end_is_told),
        FIXTURE_TEST(net_BN_06_a_reset_after_an_end_that_waits_loses_nothing),
        FIXTURE_TEST(net_BN_06_what_waits_behind_the_end_does_not_spin),
    };

    return cmocka_run_group_tests_name("tcp_peer", tests, NULL, NULL);
}
