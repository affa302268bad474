/* SPDX-License-Identifier: MIT */
/* What a server's options make of the streams that it accepts, and servers over every transport. */
#include <string.h>
#include <sys/ioctl.h>

#include "../transports/raw_peer.h"
#include "diary.h"

static void turns(fixture *f)
{
    fixture_turns(f, OVER_TURNS);
}

static weir_server_options fresh_options(void)
{
    weir_server_options options;
    weir_server_options_init(&options);
    return options;
}

/* ---- the server itself ---- */

static void SRV_01_one_server_over_any_transport(void **state)
{
    static const char *const transports[] = {"tcp", "ipc", "mem"};
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    for (size_t i = 0; i < 3; i++) {
        f->data = transports[i];
        assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
        turns(f);
        recorder *client = fixture_client(f, fixture_url(f, server), NULL);
        recorder_wait(client, WEIR_EVENT_READY);
        turns(f);
        assert_code(weir_server_close_all(server, 0, NULL, NULL), 0);
        turns(f);
    }
    diary_expect(&d, "listening connection close listening connection close listening connection close");
    weir_server_release(server);
}

static void SRV_29_SRV_31_SRV_32_its_own_connections_are_what_counts(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *other = over_listen(f, NULL);
    weir_server *server = diary_listening(f, &d, NULL);
    fixture_connect(f, other, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_get_connections(server, diary_counted, &d), 0);
    turns(f);
    assert_int_equal(d.count, 2);
    assert_int_equal(weir_server_connections(server), 2);
    assert_int_equal(weir_server_connections(other), 1);
}

/* ---- allowHalfOpen ---- */

static void CSRV_02_an_accepted_stream_ends_when_its_peer_does(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_write(p.client, "hello", 5);
    recorder_end(p.client);
    over_wait_both_closed(p);
    recorder_expect(p.accepted, "resume data:5 end finish close");
    assert_true(recorder_saw(p.client, "end"));
}

static void CSRV_03_half_open_it_ends_when_it_is_told_to(void **state)
{
    fixture *f = *state;
    weir_server_options options = fresh_options();
    options.stream.allow_half_open = 1;
    pair p = over_pair_with(f, RECORD_DATA, NULL, RECORD_DATA, &options);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    turns(f);
    assert_int_equal(weir_stream_readable(p.accepted->stream), 0);
    assert_int_equal(weir_stream_writable(p.accepted->stream), 1);
    assert_int_equal(weir_stream_ready_state(p.accepted->stream), WEIR_READY_WRITE_ONLY);
    recorder_write(p.accepted, "an answer", 9);
    recorder_wait_data(p.client, 9);
    turns(f);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 0);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
    recorder_expect(p.accepted, "resume end w1 e1 finish close");
}

/* ---- pauseOnConnect ---- */

typedef struct first_look {
    int seen;
    int paused;
    int flowing;
} first_look;

static void look_and_listen(const weir_event *event, void *arg)
{
    first_look *look = arg;
    static int heard;
    look->seen = 1;
    look->paused = weir_stream_is_paused(event->stream);
    look->flowing = weir_stream_readable_flowing(event->stream);
    weir_stream_on(event->stream, WEIR_EVENT_DATA, fixture_count, &heard); /* CSRV-06: it starts nothing */
}

static void CSRV_04_CSRV_05_CSRV_06_paused_from_the_beginning(void **state)
{
    fixture *f = *state;
    first_look look = {0};
    weir_server_options options = fresh_options();
    options.stream.pause_on_connect = 1;
    f->record = 0;
    weir_server *server = over_listen(f, &options);
    weir_server_on(server, WEIR_EVENT_CONNECTION, look_and_listen, &look);
    pair p = fixture_connect(f, server, NULL, NULL);
    assert_int_equal(look.seen, 1);
    assert_int_equal(look.paused, 1);
    assert_int_equal(look.flowing, 0);
    recorder_write(p.client, "hello", 5);
    recorder_add(p.accepted, RECORD_DATA);
    turns(f);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 0);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    if (!over_is(f, "mem")) { /* untouched, for whoever gets the descriptor */
        int waiting = 0;
        assert_int_equal(ioctl(raw_fd_of(p.accepted->stream), FIONREAD, &waiting), 0);
        assert_int_equal(waiting, 5);
    }
    recorder_expect(p.accepted, "");
    recorder_resume(p.accepted);
    recorder_wait_data(p.accepted, 5);
    recorder_expect(p.accepted, "resume data:5");
}

static void CSRV_04_it_is_not_paused_unless_told(void **state)
{
    fixture *f = *state;
    first_look look = {0};
    f->record = 0;
    weir_server *server = over_listen(f, NULL);
    weir_server_on(server, WEIR_EVENT_CONNECTION, look_and_listen, &look);
    pair p = fixture_connect(f, server, NULL, NULL);
    assert_int_equal(look.paused, 0);
    recorder_write(p.client, "hello", 5);
    while (weir_stream_bytes_read(p.accepted->stream) < 5) {
        fixture_turns(f, 1);
    }
}

/* ---- highWaterMark ---- */

static void CSRV_10_the_marks_are_those_of_every_accepted_stream(void **state)
{
    fixture *f = *state;
    weir_server_options options = fresh_options();
    options.stream.readable_high_water_mark = 1000;
    options.stream.writable_high_water_mark = 10;
    weir_server *server = over_listen(f, &options);
    for (int i = 0; i < 2; i++) {
        pair p = fixture_connect(f, server, NULL, NULL);
        assert_int_equal(weir_stream_readable_high_water_mark(p.accepted->stream), 1000);
        assert_int_equal(weir_stream_writable_high_water_mark(p.accepted->stream), 10);
        assert_int_equal(weir_stream_readable_high_water_mark(p.client->stream), 16384);
    }
    pair plain = over_pair(f, 0, 0);
    assert_int_equal(weir_stream_readable_high_water_mark(plain.accepted->stream), 16384);
    assert_int_equal(weir_stream_writable_high_water_mark(plain.accepted->stream), 16384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(SRV_01_one_server_over_any_transport),
        OVER_ALL(SRV_29_SRV_31_SRV_32_its_own_connections_are_what_counts),
        OVER_ALL(CSRV_02_an_accepted_stream_ends_when_its_peer_does),
        OVER_ALL(CSRV_03_half_open_it_ends_when_it_is_told_to),
        OVER_ALL(CSRV_04_CSRV_05_CSRV_06_paused_from_the_beginning),
        OVER_ALL(CSRV_04_it_is_not_paused_unless_told),
        OVER_ALL(CSRV_10_the_marks_are_those_of_every_accepted_stream),
    };
    return cmocka_run_group_tests_name("server_streams", tests, NULL, NULL);
}
