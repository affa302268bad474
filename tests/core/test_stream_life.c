/* SPDX-License-Identifier: MIT */
/* A stream's life, row by row: connecting, destroying, resetting, half-close, time-outs, what comes in which order. */
#include <stdlib.h>
#include <string.h>

#include "../transports/raw_peer.h"
#include "over.h"

/* ---- helpers ---- */

static recorder *fresh(fixture *f, const weir_stream_options *options)
{
    weir_stream *stream = weir_stream_new(f->runtime, options);
    recorder *r = record_stream(f, stream, 0);
    weir_stream_release(stream);
    return r;
}

static recorder *connecting(fixture *f, weir_server *server, const weir_stream_options *options)
{
    f->record = 0;
    return fixture_client(f, fixture_url(f, server), options);
}

static weir_stream_options half_open(void)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    return options;
}

static void destroy_with(recorder *r, int code)
{
    weir_error *error = weir_error_new(code, "test", NULL, -1);
    recorder_destroy(r, error);
    weir_error_release(error);
}

/* Ends with this text? */
static void expect_tail(const recorder *r, const char *tail)
{
    size_t length = strlen(r->text);
    size_t wanted = strlen(tail);
    if (length < wanted || strcmp(r->text + length - wanted, tail) != 0) {
        fail_msg("the events end with '%s' and not with '%s'", r->text, tail);
    }
}

/* A clock that keeps the loop alive, and says so when it has run out. */
typedef struct clock_of {
    weir_timer timer;
    int over;
} clock_of;

static void on_clock(weir_timer *timer)
{
    clock_of *clock = (clock_of *)(void *)timer;
    clock->over = 1;
}

static void wait_for(fixture *f, uint64_t milliseconds)
{
    clock_of clock = {.timer = {.run = on_clock}};
    assert_code(weir_timer_start(f->runtime, &clock.timer, milliseconds), 0);
    fixture_until(f, &clock.over);
}

/* The loop must have something to stay for while an event is waited for. */
static void wait_alive(fixture *f, recorder *r, weir_event_type type)
{
    clock_of clock = {.timer = {.run = on_clock}};
    assert_code(weir_timer_start(f->runtime, &clock.timer, 3600000), 0);
    recorder_wait(r, type);
    weir_timer_stop(f->runtime, &clock.timer);
}

/* ---- destroy ---- */

static void LIFE_01_LIFE_11_destroy_is_at_once_and_close_later(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    over_stall(f, p.client);
    assert_code(weir_stream_unshift(p.client->stream, "unread", 6), 0);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_destroy(p.client, NULL);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 1);
    assert_int_equal(weir_stream_ready_state(p.client->stream), WEIR_READY_CLOSED);
    assert_int_equal(weir_stream_readable_length(p.client->stream), 0);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
    assert_int_equal(p.client->counts[WEIR_EVENT_CLOSE], 0);
    over_wait_closed(p.client);
    assert_int_equal(p.client->data_size, 0);
}

static void LIFE_01_SOCM_08_a_second_destroy_does_nothing(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    destroy_with(p.client, UV_EPROTO);
    destroy_with(p.client, UV_EINVAL);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    destroy_with(p.client, UV_EINVAL);
    fixture_turns(f, OVER_TURNS);
    over_expect(p.client, "connect ready error:EPROTO close:error");
}

static void LIFE_02_LIFE_09_SOCM_07_error_then_close(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_null(weir_stream_errored(p.client->stream));
    destroy_with(p.client, UV_EPROTO);
    assert_non_null(weir_stream_errored(p.client->stream));
    assert_code(weir_stream_errored(p.client->stream)->code, UV_EPROTO);
    over_wait_closed(p.client);
    over_expect(p.client, "connect ready error:EPROTO close:error");
    assert_code(weir_stream_errored(p.client->stream)->code, UV_EPROTO);
}

static void SOCM_05_SOCM_07_destroy_without_an_error(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    over_expect(p.client, "connect ready close");
    expect_tail(p.accepted, "close");
}

static void LIFE_03_outstanding_callbacks_come_before_error_and_close(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_write(p.client, "taken", 5);
    fixture_turns(f, OVER_TURNS);
    recorder_write(p.client, "taken too", 9); /* by the kernel, though nobody was told yet */
    weir_stream_cork(p.client->stream);
    recorder_write(p.client, "held back", 9);
    recorder_end(p.client);
    weir_stream_destroy(p.client->stream, NULL);
    over_wait_closed(p.client);
    assert_true(recorder_saw(p.client, "w1"));
    assert_true(recorder_saw(p.client, "w2"));
    expect_tail(p.client, "close");
    assert_int_equal(p.client->writes_done, 3);
    assert_int_equal(p.client->ends_done, 1);
}

static void LIFE_03_the_callbacks_get_the_error(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_stream_cork(p.client->stream);
    recorder_write(p.client, "a", 1);
    recorder_write(p.client, "b", 1);
    destroy_with(p.client, UV_EPROTO);
    over_wait_closed(p.client);
    over_expect(p.client, "connect ready w1:EPROTO w2:EPROTO error:EPROTO close:error");
}

static void LIFE_03_SOCM_09_destroyed_while_connecting(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = connecting(f, server, NULL);
    recorder_write(client, "never", 5);
    recorder_end(client);
    recorder_destroy(client, NULL);
    assert_int_equal(weir_stream_connecting(client->stream), 0);
    over_wait_closed(client);
    fixture_turns(f, OVER_TURNS);
    over_expect(client, "w1:ERR_SOCKET_CLOSED_BEFORE_CONNECTION e1:ERR_SOCKET_CLOSED_BEFORE_CONNECTION close");
}

static void SOCM_09_destroyed_in_the_middle_of_connecting(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = connecting(f, server, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT); /* connect() may have been called, or have succeeded */
    if (!weir_stream_pending(client->stream)) {
        recorder_destroy(client, NULL);
    } else {
        recorder_destroy(client, NULL);
        over_wait_closed(client);
        assert_int_equal(client->counts[WEIR_EVENT_CONNECT], 0);
    }
    over_wait_closed(client);
    expect_tail(client, "close");
}

static void close_count_here(const weir_event *event, void *arg)
{
    int *count = arg;
    (void)event;
    ++*count;
}

static void LIFE_04_close_comes_once_in_every_ending(void **state)
{
    fixture *f = *state;
    int count = 0;
    weir_server *server = over_listen(f, NULL);
    for (int ending = 0; ending < 6; ending++) {
        recorder *client;
        f->record = RECORD_DATA;
        if (ending == 0) {
            client = fixture_client(f, over_nowhere(f), NULL);
        } else {
            pair p = fixture_connect(f, server, NULL, NULL);
            client = p.client;
            if (ending == 1) {
                recorder_end(p.client);
            } else if (ending == 2) {
                recorder_end(p.accepted);
            } else if (ending == 3) {
                recorder_destroy(p.client, NULL);
            } else if (ending == 4) {
                destroy_with(p.client, UV_EPROTO);
            } else {
                recorder_destroy(p.accepted, NULL);
            }
        }
        weir_stream_on(client->stream, WEIR_EVENT_CLOSE, close_count_here, &count);
        over_wait_closed(client);
        fixture_turns(f, OVER_TURNS);
        assert_int_equal(count, ending + 1);
        assert_int_equal(client->counts[WEIR_EVENT_CLOSE], 1);
    }
}

static void destroy_error_here(const weir_event *event, void *arg)
{
    (void)event;
    destroy_with(arg, UV_EINVAL);
}

static void LIFE_05_the_first_error_wins(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_stream_on(p.client->stream, WEIR_EVENT_ERROR, destroy_error_here, p.client);
    destroy_with(p.client, UV_EPROTO);
    over_wait_closed(p.client);
    over_expect(p.client, "connect ready error:EPROTO close:error");
}

static void LIFE_06_no_end_and_no_finish_after_destroy(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_end(p.client);
    recorder_end(p.accepted);
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 0);
    assert_int_equal(p.client->counts[WEIR_EVENT_FINISH], 0);
}

static void LIFE_07_LIFE_08_a_failing_read_destroys_and_drops_what_was_unread(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_READABLE, RECORD_DATA);
    recorder_write(p.accepted, "unread", 6);
    recorder_wait(p.client, WEIR_EVENT_READABLE);
    assert_int_equal(weir_stream_readable_length(p.client->stream), 6);
    recorder_reset(p.accepted);
    over_wait_closed(p.client);
    assert_int_equal(weir_stream_readable_length(p.client->stream), 0);
    assert_null(weir_stream_read(p.client->stream, 0));
    over_expect(p.client, "connect ready readable error:ECONNRESET close:error");
}

static void note_closed(const weir_event *event, void *arg)
{
    int *seen = arg;
    *seen = weir_stream_closed(event->target_stream) * 2 + weir_stream_destroyed(event->target_stream);
}

static void LIFE_10_closed_is_true_in_close(void **state)
{
    fixture *f = *state;
    int seen = 0;
    pair p = over_pair(f, 0, 0);
    weir_stream_on(p.client->stream, WEIR_EVENT_CLOSE, note_closed, &seen);
    assert_int_equal(weir_stream_closed(p.client->stream), 0);
    recorder_destroy(p.client, NULL);
    assert_int_equal(weir_stream_closed(p.client->stream), 0);
    over_wait_closed(p.client);
    assert_int_equal(seen, 3);
}

/* ---- ending by itself ---- */

static void LIFE_12_a_half_open_stream_closes_after_end_and_finish(void **state)
{
    fixture *f = *state;
    weir_stream_options options = half_open();
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    assert_int_equal(weir_stream_ready_state(p.client->stream), WEIR_READY_WRITE_ONLY);
    recorder_write(p.client, "still", 5);
    recorder_wait_data(p.accepted, 5);
    recorder_end(p.client);
    over_wait_both_closed(p);
    over_expect(p.client, "connect ready resume end w1 e1 finish close");
}

static void LIFE_12_without_auto_destroy_it_stays(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.no_auto_destroy = 1;
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    recorder_end(p.client);
    over_wait_closed(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
}

static void LIFE_13_the_peers_end_ends_our_side(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_end(p.client);
    over_wait_both_closed(p);
    recorder_expect(p.accepted, "resume end finish close");
}

static void LIFE_14_SOCM_18_SOCK_45_a_normal_life(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_write(p.client, "hello", 5);
    recorder_end(p.client);
    over_wait_both_closed(p);
    assert_true(recorder_saw(p.client, "w1"));
    expect_tail(p.client, "e1 finish end close");
    recorder_expect(p.accepted, "resume data:5 end finish close");
    assert_null(weir_stream_errored(p.client->stream));
}

static void destroy_here(const weir_event *event, void *arg)
{
    (void)event;
    recorder_destroy(arg, NULL);
}

static void LIFE_15_destroy_inside_a_listener(void **state)
{
    static const weir_event_type types[] = {WEIR_EVENT_CONNECT, WEIR_EVENT_READY, WEIR_EVENT_DATA, WEIR_EVENT_END,
                                            WEIR_EVENT_FINISH};
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        recorder *client = connecting(f, server, NULL);
        weir_stream_on(client->stream, types[i], destroy_here, client);
        if (types[i] >= WEIR_EVENT_DATA) {
            recorder *accepted = fixture_accepted(f, server, i);
            recorder_add(client, RECORD_DATA);
            recorder_write(accepted, "data", 4);
            recorder_end(accepted);
        }
        over_wait_closed(client);
        expect_tail(client, types[i] == WEIR_EVENT_DATA ? "data:4 close"
                                                        : fixture_text(f, "%s close", weir_event_name(types[i])));
    }
}

static void note_connections(const weir_event *event, void *arg)
{
    size_t *seen = arg;
    (void)event;
    seen[0] = weir_server_connections((weir_server *)(void *)seen[1]) + 1;
}

static void LIFE_16_destroy_gives_everything_back_before_close(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    fixture_turns(f, OVER_TURNS);
    int descriptors = fixture_descriptors();
    f->record = 0;
    pair p = fixture_connect(f, server, NULL, NULL);
    size_t seen[2] = {0, (size_t)(void *)server};
    weir_stream_on(p.accepted->stream, WEIR_EVENT_CLOSE, note_connections, seen);
    weir_stream_set_timeout(p.accepted->stream, 1000, NULL, NULL);
    assert_int_equal(weir_server_connections(server), 1);
    recorder_destroy(p.accepted, NULL);
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    assert_int_equal(seen[0], 0 + 1);
    assert_int_equal(fixture_descriptors(), descriptors);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_TIMEOUT], 0);
}

static void LIFE_17_codes_have_their_names(void **state)
{
    static const struct {
        int code;
        const char *name;
    } codes[] = {
        {WEIR_ESTREAM_DESTROYED, "ERR_STREAM_DESTROYED"},
        {WEIR_EWRITE_AFTER_END, "ERR_STREAM_WRITE_AFTER_END"},
        {WEIR_EALREADY_FINISHED, "ERR_STREAM_ALREADY_FINISHED"},
        {WEIR_EPREMATURE_CLOSE, "ERR_STREAM_PREMATURE_CLOSE"},
        {WEIR_ESTREAM_NULL_VALUES, "ERR_STREAM_NULL_VALUES"},
        {WEIR_ESOCKET_CLOSED, "ERR_SOCKET_CLOSED"},
        {WEIR_ECLOSED_BEFORE_CONNECTION, "ERR_SOCKET_CLOSED_BEFORE_CONNECTION"},
        {WEIR_EABORTED, "ABORT_ERR"},
        {UV_ECONNRESET, "ECONNRESET"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_string_equal(weir_error_name(codes[i].code), codes[i].name);
    }
}

static void LIFE_18_a_closed_stream_can_be_asked_and_told_anything(void **state)
{
    fixture *f = *state;
    weir_address address;
    weir_value value;
    pair p = over_pair(f, 0, RECORD_DATA);
    weir_stream *stream = p.client->stream;
    recorder_write(p.client, "12345", 5);
    recorder_wait_data(p.accepted, 5);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    assert_int_equal(weir_stream_bytes_written(stream), 5);
    assert_int_equal(weir_stream_closed(stream), 1);
    assert_int_equal(weir_stream_pending(stream), 1);
    assert_code(weir_stream_local_address(stream, &address), UV_ENOTCONN);
    assert_code(weir_stream_get(stream, "anything", &value), UV_ENOTCONN);
    weir_stream_pause(stream);
    weir_stream_resume(stream);
    weir_stream_cork(stream);
    weir_stream_uncork(stream);
    weir_stream_ref(stream);
    weir_stream_unref(stream);
    weir_stream_destroy_soon(stream);
    weir_stream_unpipe(stream, NULL);
    assert_code(weir_stream_pipe(stream, stream, NULL), UV_EINVAL);
    assert_code(weir_stream_set_timeout(stream, 10, NULL, NULL), 0);
    assert_code(weir_stream_set_no_delay(stream, 1), 0);
    assert_code(weir_stream_set_keep_alive(stream, 1, 1000), 0);
    fixture_turns(f, OVER_TURNS);
    over_expect(p.client, "connect ready w1 close");
}

static void LIFE_18_a_stream_may_outlive_its_runtime(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    recorder_write(p.accepted, "hello", 5);
    recorder_wait_data(p.client, 5);
    weir_stream *stream = weir_stream_retain(p.client->stream);
    fixture_end(f);
    assert_int_equal(weir_stream_closed(stream), 1);
    assert_int_equal(weir_stream_bytes_read(stream), 5);
    assert_null(weir_stream_runtime(stream));
    assert_int_equal(weir_stream_write(stream, "x", 1, NULL, NULL), 0);
    assert_code(weir_stream_connect(stream, "tcp://127.0.0.1:1", NULL, NULL), UV_ECANCELED);
    weir_stream_release(stream);
}

/* ---- the order of events ---- */

static void SOCK_46_CONN_03_a_refused_connect(void **state)
{
    fixture *f = *state;
    recorder *client = fixture_client(f, over_nowhere(f), NULL);
    recorder_write(client, "never", 5);
    over_wait_closed(client);
    assert_int_equal(client->counts[WEIR_EVENT_CONNECT], 0);
    const weir_error *error = weir_stream_errored(client->stream);
    assert_non_null(error);
    assert_code(error->code, over_is(f, "ipc") ? UV_ENOENT : UV_ECONNREFUSED);
    assert_string_equal(error->syscall, "connect");
    expect_tail(client, fixture_text(f, "w1:%s error:%s close:error", error->name, error->name));
    assert_int_equal(weir_stream_connecting(client->stream), 0);
}

static void SOCK_47_a_listener_attached_after_the_call_sees_everything(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    int connected = 0;
    int closed = 0;
    int error = 1;
    weir_stream *stream = weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, &error);
    assert_code(error, 0);
    assert_int_equal(connected, 0);
    weir_stream_on(stream, WEIR_EVENT_CONNECT, close_count_here, &connected);
    fixture_until(f, &connected);
    weir_stream_destroy(stream, NULL);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, close_count_here, &closed);
    fixture_until(f, &closed);
    assert_int_equal(connected, 1);
    weir_stream_release(stream);
}

/* ---- destroySoon, end ---- */

static void SOCM_10_SOCM_12_destroy_soon_ends_and_then_destroys(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    size_t size = over_stall(f, p.client);
    weir_stream_destroy_soon(p.client->stream);
    assert_int_equal(weir_stream_writable_ended(p.client->stream), 1);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_add(p.accepted, RECORD_DATA);
    over_wait_both_closed(p);
    assert_int_equal(p.accepted->data_size, size);
    expect_tail(p.client, "finish close"); /* the readable side is not waited for */
}

static void SOCM_11_destroy_soon_after_finish_is_at_once(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    weir_stream_destroy_soon(p.client->stream);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 1);
    over_wait_closed(p.client);
}

static void SOCM_12_destroy_soon_while_connecting_waits(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = connecting(f, server, NULL);
    recorder_write(client, "early", 5);
    weir_stream_destroy_soon(client->stream);
    over_wait_closed(client);
    over_expect(client, "connect ready w1 finish close");
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(accepted, RECORD_DATA);
    recorder_wait_data(accepted, 5);
}

static void SOCM_13_SOCM_14_after_end_the_peer_may_still_send(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    pair p = over_pair_with(f, RECORD_DATA, NULL, RECORD_DATA, &options);
    assert_int_equal(weir_stream_end_with(p.client->stream, "last", 4, NULL, NULL), 1);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    recorder_expect_data(p.accepted, "last", 4);
    recorder_write(p.accepted, "answer", 6);
    recorder_wait_data(p.client, 6);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
}

static void SOCM_16_end_on_a_destroyed_stream_calls_back(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_destroy(p.client, NULL);
    recorder_end(p.client);
    over_wait_closed(p.client);
    over_expect(p.client, "connect ready ~e1:ERR_STREAM_DESTROYED close");
}

static void SOCM_17_end_before_connect(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = connecting(f, server, NULL);
    weir_stream_end_with(client->stream, "all", 3, NULL, NULL);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(accepted, RECORD_DATA);
    recorder_add(client, RECORD_DATA);
    over_wait_closed(client);
    over_wait_closed(accepted);
    recorder_expect_data(accepted, "all", 3);
}

static void SOCK_31_end_waits_while_there_is_unread_data(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_READABLE);
    recorder_write(p.client, "unread", 6);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_READABLE);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    assert_int_equal(weir_stream_writable(p.accepted->stream), 1);
    weir_buf_release(weir_stream_read(p.accepted->stream, 0));
    over_wait_both_closed(p);
}

/* ---- reset ---- */

static void SOCM_24_reset_and_destroy(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(recorder_reset(p.client), 0);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 1);
    over_wait_both_closed(p);
    over_expect(p.client, "connect ready close");
    expect_tail(p.accepted, "error:ECONNRESET close:error");
}

static void SOCM_25_reset_while_connecting_waits_for_ready(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = connecting(f, server, NULL);
    assert_code(recorder_reset(client), 0);
    assert_int_equal(weir_stream_destroyed(client->stream), 0);
    over_wait_closed(client);
    over_expect(client, "connect ready close");
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(accepted, RECORD_DATA);
    over_wait_closed(accepted);
    expect_tail(accepted, "error:ECONNRESET close:error");
}

static void SOCM_26_reset_without_a_connection(void **state)
{
    fixture *f = *state;
    recorder *r = fresh(f, NULL);
    assert_code(recorder_reset(r), 0);
    over_wait_closed(r);
    recorder_expect(r, "error:ERR_SOCKET_CLOSED close:error");
}

static void SOCM_27_ipc_cannot_be_reset(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_code(recorder_reset(p.client), WEIR_EINVALIDHANDLETYPE);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_write(p.client, "as before", 9);
    recorder_wait_data(p.accepted, 9);
}

static void BN_06_data_then_a_reset_is_no_end(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    recorder_write(p.client, "hello", 5);
    assert_code(recorder_reset(p.client), 0);
    over_wait_both_closed(p);
    recorder_expect_data(p.accepted, "hello", 5);
    expect_tail(p.accepted, "data:5 error:ECONNRESET close:error");
}

/* ---- connect ---- */

static void CONN_01_CONN_07_every_form_connects(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    weir_endpoint *endpoint = NULL;
    int connected = 0;
    int error = 1;
    assert_code(weir_endpoint_parse(f->runtime, url, WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    weir_stream *first = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_connect_endpoint(first, endpoint, close_count_here, &connected), 0);
    weir_endpoint_release(endpoint);
    weir_stream *second = weir_connect(f->runtime, url, NULL, close_count_here, &connected, &error);
    assert_code(error, 0);
    weir_stream *third = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_connect(third, url, close_count_here, &connected), 0);
    assert_int_equal(connected, 0); /* CONN-02 */
    fixture_accepted(f, server, 2);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(connected, 3);
    weir_stream_release(first);
    weir_stream_release(second);
    weir_stream_release(third);
}

static void CONN_02_bad_endpoints_leave_the_stream_as_it_was(void **state)
{
    fixture *f = *state;
    int error = 0;
    recorder *r = fresh(f, NULL);
    assert_code(recorder_connect(r, "nonsense"), WEIR_EINVALID_ENDPOINT);
    assert_code(recorder_connect(r, "nosuchtransport://127.0.0.1:1"), WEIR_ENOPLUGIN);
    assert_code(recorder_connect(r, "tcp://127.0.0.1:1?noSuchOption=1"), WEIR_EINVALID_CONFIG);
    assert_code(weir_stream_connect(NULL, "tcp://127.0.0.1:1", NULL, NULL), UV_EINVAL);
    assert_null(weir_connect(f->runtime, "nonsense", NULL, NULL, NULL, &error));
    assert_code(error, WEIR_EINVALID_ENDPOINT);
    fixture_turns(f, OVER_TURNS);
    recorder_expect(r, "");
    assert_int_equal(weir_stream_destroyed(r->stream), 0);
    assert_int_equal(weir_stream_listener_count(r->stream, WEIR_EVENT_CONNECT), 1); /* the recorder's own */
}

static void CONN_04_the_connect_listener_runs_once_and_not_on_failure(void **state)
{
    fixture *f = *state;
    int connected = 0;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    recorder *failing = fresh(f, NULL);
    assert_code(weir_stream_connect(failing->stream, over_nowhere(f), close_count_here, &connected), 0);
    over_wait_closed(failing);
    assert_int_equal(connected, 0);
    recorder *r = fresh(f, NULL);
    assert_code(weir_stream_connect(r->stream, url, close_count_here, &connected), 0);
    recorder_wait(r, WEIR_EVENT_READY);
    assert_int_equal(connected, 1);
    recorder_destroy(r, NULL);
    over_wait_closed(r);
    assert_code(recorder_connect(r, url), 0);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(r->counts[WEIR_EVENT_CONNECT], 2);
    assert_int_equal(connected, 1);
}

static void note_connecting(const weir_event *event, void *arg)
{
    int *seen = arg;
    *seen = 10 + weir_stream_connecting(event->target_stream) * 2 + weir_stream_pending(event->target_stream);
}

static void SOCP_07_SOCP_14_SOCP_22_connecting_is_over_before_connect(void **state)
{
    fixture *f = *state;
    int seen = 0;
    weir_server *server = over_listen(f, NULL);
    recorder *fresh_one = fresh(f, NULL);
    assert_int_equal(weir_stream_pending(fresh_one->stream), 1);
    assert_int_equal(weir_stream_ready_state(fresh_one->stream), WEIR_READY_OPEN);
    recorder *client = connecting(f, server, NULL);
    assert_int_equal(weir_stream_connecting(client->stream), 1);
    assert_int_equal(weir_stream_pending(client->stream), 1);
    assert_int_equal(weir_stream_ready_state(client->stream), WEIR_READY_OPENING);
    weir_stream_prepend(client->stream, WEIR_EVENT_CONNECT, note_connecting, &seen);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_int_equal(seen, 10);
}

static void CONN_06_a_closed_stream_connects_again(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    f->record = RECORD_DATA;
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_write(p.client, "one", 3);
    recorder_wait_data(p.accepted, 3);
    destroy_with(p.client, UV_EPROTO);
    assert_code(recorder_connect(p.client, url), WEIR_ESTREAM_DESTROYED); /* not closed yet */
    over_wait_closed(p.client);
    assert_code(recorder_connect(p.client, url), 0);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    assert_null(weir_stream_errored(p.client->stream));
    assert_int_equal(weir_stream_bytes_written(p.client->stream), 0);
    recorder *again = fixture_accepted(f, server, 1);
    recorder_write(again, "hello", 5);
    recorder_wait_data(p.client, 5);
    recorder_end(p.client);
    over_wait_closed(again);
}

static void CONN_06_a_readable_listener_works_in_the_second_life(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_add(p.client, RECORD_READABLE);
    recorder_end(p.accepted);
    over_wait_closed(p.client);
    size_t before = p.client->counts[WEIR_EVENT_READABLE];
    assert_code(recorder_connect(p.client, fixture_url(f, server)), 0);
    recorder *again = fixture_accepted(f, server, 1);
    recorder_write(again, "hello", 5);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->counts[WEIR_EVENT_READABLE], before + 1);
    weir_buf *buf = weir_stream_read(p.client->stream, 0);
    assert_non_null(buf);
    assert_int_equal(buf->size, 5);
    weir_buf_release(buf);
}

typedef struct lives {
    recorder *client;
    const char *url;
    int left;
} lives;

static void connect_here(const weir_event *event, void *arg)
{
    lives *more = arg;
    (void)event;
    if (more->left > 0) {
        more->left--;
        assert_code(recorder_connect(more->client, more->url), 0);
    }
}

static void CONN_06_a_stream_connects_again_from_its_close_listener(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    f->record = RECORD_DATA;
    pair p = fixture_connect(f, server, NULL, NULL);
    lives more = {.client = p.client, .url = fixture_url(f, server), .left = 3};
    weir_stream_on(p.client->stream, WEIR_EVENT_CLOSE, connect_here, &more);
    for (size_t i = 0; i < 4; i++) {
        recorder *accepted = fixture_accepted(f, server, i);
        recorder_write(accepted, "x", 1);
        recorder_wait_data(p.client, i + 1);
        recorder_end(accepted);
        over_wait_closed(accepted);
    }
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->counts[WEIR_EVENT_CLOSE], 4);
    assert_int_equal(p.client->counts[WEIR_EVENT_CONNECT], 4);
}

static void BN_21_connect_twice_is_an_error_and_changes_nothing(void **state)
{
    fixture *f = *state;
    int connected = 0;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    recorder *client = connecting(f, server, NULL);
    assert_code(weir_stream_connect(client->stream, url, close_count_here, &connected), UV_EALREADY);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_code(weir_stream_connect(client->stream, url, close_count_here, &connected), UV_EISCONN);
    recorder *accepted = fixture_accepted(f, server, 0);
    assert_code(recorder_connect(accepted, url), UV_EISCONN);
    recorder_add(client, RECORD_DATA);
    recorder_write(accepted, "x", 1);
    recorder_wait_data(client, 1);
    assert_int_equal(connected, 0);
    over_expect(client, "connect ready resume data:1");
}

/* ---- half-closed for ever, peers that leave ---- */

static void BN_04_half_close_timeout_frees_what_nobody_ends(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.half_close_timeout = 20;
    weir_server_options still_open;
    weir_server_options_init(&still_open);
    still_open.stream.allow_half_open = 1;
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, &still_open);
    recorder_end(p.client);
    wait_alive(f, p.client, WEIR_EVENT_CLOSE);
    over_expect(p.client, "connect ready resume e1 finish close");
}

static void BN_04_half_close_timeout_ends_with_the_peers_end(void **state)
{
    fixture *f = *state;
    weir_stream_options options = half_open();
    options.half_close_timeout = 1;
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    recorder_end(p.client);
    over_wait_both_closed(p);
    expect_tail(p.client, "close");
    assert_null(weir_stream_errored(p.client->stream));
}

static void BN_04_discard_on_end_reads_and_drops(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.discard_on_end = 1;
    weir_server_options still_open;
    weir_server_options_init(&still_open);
    still_open.stream.allow_half_open = 1;
    pair p = over_pair_with(f, 0, &options, RECORD_DATA, &still_open);
    size_t size = over_stall(f, p.accepted);
    recorder_end(p.accepted);
    recorder_end(p.client);
    over_wait_both_closed(p);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), size);
    assert_int_equal(p.client->data_size, 0);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 1);
}

static void BN_05_a_paused_stream_is_told_once_that_its_peer_left(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_pause(p.accepted);
    recorder_write(p.client, "unread", 6);
    fixture_turns(f, OVER_TURNS);
    recorder_destroy(p.client, NULL);
    recorder_wait(p.accepted, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_PEER_CLOSE], 1);
    assert_int_equal(p.accepted->data_size, 0);
    assert_int_equal(weir_stream_destroyed(p.accepted->stream), 0);
    recorder_resume(p.accepted);
    over_wait_closed(p.accepted);
    recorder_expect_data(p.accepted, "unread", 6);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_PEER_CLOSE], 1);
}

/* ---- time-outs of setting up ---- */

static void BN_14_connect_timeout(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int silent = raw_listen(&port, 0);
    int waiting = raw_connect(port); /* fills the queue: the next one is not answered */
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.connect_timeout = 20;
    recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%u", port), &options);
    recorder_write(client, "never", 5);
    over_wait_closed(client);
    assert_int_equal(client->counts[WEIR_EVENT_CONNECT], 0);
    expect_tail(client, "w1:ETIMEDOUT error:ETIMEDOUT close:error");
    assert_non_null(strstr(weir_stream_errored(client->stream)->message, "20 ms"));
    close(waiting);
    close(silent);
}

static void BN_14_handshake_timeout(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.handshake_timeout = 20;
    f->record = 0;
    recorder *client = fixture_client(f, fixture_text(f, "chaos+%s?handshake=true", fixture_url(f, server)), &options);
    wait_alive(f, client, WEIR_EVENT_CLOSE);
    over_expect(client, "connect error:ETIMEDOUT close:error");
}

/* ---- the idle time-out ---- */

static void SOCM_41_SOCM_42_SOCM_43_timeout_is_a_notice(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_int_equal(weir_stream_timeout(p.client->stream), -1);
    assert_code(weir_stream_set_timeout(p.client->stream, 5, NULL, NULL), 0);
    assert_int_equal(weir_stream_timeout(p.client->stream), 5);
    wait_alive(f, p.client, WEIR_EVENT_TIMEOUT);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_write(p.client, "alive", 5);
    recorder_wait_data(p.accepted, 5);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_TIMEOUT], 0);
}

static void SOCM_44_zero_switches_it_off_and_removes_the_listener(void **state)
{
    fixture *f = *state;
    int heard = 0;
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_set_timeout(p.client->stream, 5, close_count_here, &heard), 0);
    assert_int_equal(weir_stream_listener_count(p.client->stream, WEIR_EVENT_TIMEOUT), 2);
    assert_code(weir_stream_set_timeout(p.client->stream, 0, close_count_here, &heard), 0);
    assert_int_equal(weir_stream_listener_count(p.client->stream, WEIR_EVENT_TIMEOUT), 1);
    assert_int_equal(weir_stream_timeout(p.client->stream), 0); /* SOCP-21 */
    wait_for(f, 20);
    assert_int_equal(p.client->counts[WEIR_EVENT_TIMEOUT], 0);
    assert_int_equal(heard, 0);
}

static void SOCM_45_SOCM_46_the_listener_runs_once_and_the_event_once_a_period(void **state)
{
    fixture *f = *state;
    int heard = 0;
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_set_timeout(p.client->stream, 2, close_count_here, &heard), 0);
    wait_for(f, 30);
    assert_int_equal(p.client->counts[WEIR_EVENT_TIMEOUT], 1);
    assert_int_equal(heard, 1);
    recorder_write(p.client, "activity", 8);
    wait_for(f, 30);
    assert_in_range(p.client->counts[WEIR_EVENT_TIMEOUT], 2, 3); /* the write, and perhaps its completion */
    assert_int_equal(heard, 1);
}

/* What must not be: an event sooner than the time-out after the last activity. */
typedef struct watch {
    weir_timer timer;
    recorder *active;
    fixture *f;
    uint64_t acted_at;
    uint64_t heard_after;
    int heard;
} watch;

static void act_now(weir_timer *timer)
{
    watch *self = (watch *)(void *)timer;
    self->acted_at = uv_now(&self->f->loop);
    recorder_write(self->active, "x", 1);
}

static void note_heard(const weir_event *event, void *arg)
{
    watch *self = arg;
    (void)event;
    self->heard_after = uv_now(&self->f->loop) - self->acted_at;
    self->heard = 1;
}

static void expect_postponed(fixture *f, recorder *idle, recorder *active)
{
    watch self = {.timer = {.run = act_now}, .active = active, .f = f};
    weir_stream_on(idle->stream, WEIR_EVENT_TIMEOUT, note_heard, &self);
    assert_code(weir_timer_start(f->runtime, &self.timer, 20), 0);
    assert_code(weir_stream_set_timeout(idle->stream, 40, NULL, NULL), 0);
    clock_of clock = {.timer = {.run = on_clock}};
    assert_code(weir_timer_start(f->runtime, &clock.timer, 3600000), 0);
    fixture_until(f, &self.heard);
    weir_timer_stop(f->runtime, &clock.timer);
    weir_timer_stop(f->runtime, &self.timer);
    weir_stream_off(idle->stream, WEIR_EVENT_TIMEOUT, note_heard, &self);
    assert_true(self.acted_at > 0);
    assert_true(self.heard_after >= 40);
}

static void SOCM_46_writing_is_activity(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    expect_postponed(f, p.client, p.client);
}

static void SOCM_46_data_is_activity(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    expect_postponed(f, p.client, p.accepted);
}

static void SOCM_46_it_runs_while_connecting(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int silent = raw_listen(&port, 0);
    int waiting = raw_connect(port);
    recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%u", port), NULL);
    assert_code(weir_stream_set_timeout(client->stream, 5, NULL, NULL), 0);
    recorder_wait(client, WEIR_EVENT_TIMEOUT);
    assert_int_equal(weir_stream_connecting(client->stream), 1);
    recorder_destroy(client, NULL);
    over_wait_closed(client);
    close(waiting);
    close(silent);
}

/* The kernel goes on taking bytes of one long write: that is activity, though no callback has come. */
static void SOCM_46_a_write_that_moves_is_activity(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    over_stall(f, p.client);
    char *bytes = calloc(1, (size_t)64 * 1024 * 1024);
    recorder_write(p.client, bytes, (size_t)64 * 1024 * 1024);
    free(bytes);
    watch self = {.f = f};
    weir_stream_on(p.client->stream, WEIR_EVENT_TIMEOUT, note_heard, &self);
    assert_code(weir_stream_set_timeout(p.client->stream, 150, NULL, NULL), 0);
    for (int i = 0; i < 4 && !self.heard; i++) {
        wait_for(f, 75);
        self.acted_at = uv_now(&f->loop);
        uint64_t more = weir_stream_bytes_read(p.accepted->stream) + (size_t)4 * 1024 * 1024;
        weir_stream_resume(p.accepted->stream);
        while (weir_stream_bytes_read(p.accepted->stream) < more) {
            uv_run(&f->loop, UV_RUN_ONCE);
        }
        weir_stream_pause(p.accepted->stream);
    }
    assert_true(!self.heard || self.heard_after >= 150);
    weir_stream_off(p.client->stream, WEIR_EVENT_TIMEOUT, note_heard, &self);
}

static void SOCM_47_the_idle_timer_keeps_no_loop_alive(void **state)
{
    fixture *f = *state;
    recorder *r = fresh(f, NULL);
    assert_code(weir_stream_set_timeout(r->stream, 3600000, NULL, NULL), 0);
    fixture_run(f);
    assert_int_equal(weir_stream_timeout(r->stream), 3600000);
}

static void SOCM_23_CONN_39_the_options_time_out_counts_from_connect(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.timeout = 5;
    pair p = over_pair_with(f, 0, &options, 0, NULL);
    assert_int_equal(weir_stream_timeout(p.client->stream), 5);
    wait_alive(f, p.client, WEIR_EVENT_TIMEOUT);
}

static void destroy_in_timeout(const weir_event *event, void *arg)
{
    (void)event;
    recorder_destroy(arg, NULL);
}

static void SOCM_43_destroy_inside_timeout(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_set_timeout(p.client->stream, 5, destroy_in_timeout, p.client), 0);
    wait_alive(f, p.client, WEIR_EVENT_CLOSE);
    over_expect(p.client, "connect ready timeout close");
}

/* ---- the loop ---- */

static void SOCM_22_SOCM_23_an_unreferenced_stream_lets_the_loop_end(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    weir_server_unref(server);
    f->record = RECORD_DATA;
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_stream_unref(p.client->stream);
    weir_stream_unref(p.client->stream);
    weir_stream_unref(p.accepted->stream);
    fixture_run(f);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    weir_stream_ref(p.client->stream);
    weir_stream_ref(p.client->stream);
    assert_true(uv_loop_alive(&f->loop));
    weir_stream_unref(p.client->stream);
    fixture_run(f);
}

static void SOCM_23_unref_before_connect_is_remembered(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = fresh(f, NULL);
    weir_stream_unref(client->stream);
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    recorder *accepted = fixture_accepted(f, server, 0);
    weir_stream_unref(accepted->stream);
    recorder_wait(client, WEIR_EVENT_READY);
    weir_server_unref(server);
    fixture_run(f);
    assert_int_equal(weir_stream_destroyed(client->stream), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(LIFE_01_LIFE_11_destroy_is_at_once_and_close_later),
        OVER_ALL(LIFE_01_SOCM_08_a_second_destroy_does_nothing),
        OVER_ALL(LIFE_02_LIFE_09_SOCM_07_error_then_close),
        OVER_ALL(SOCM_05_SOCM_07_destroy_without_an_error),
        OVER_ALL(LIFE_03_outstanding_callbacks_come_before_error_and_close),
        OVER_ALL(LIFE_03_the_callbacks_get_the_error),
        OVER_ALL(LIFE_03_SOCM_09_destroyed_while_connecting),
        OVER_ALL(SOCM_09_destroyed_in_the_middle_of_connecting),
        OVER_ALL(LIFE_04_close_comes_once_in_every_ending),
        OVER_ALL(LIFE_05_the_first_error_wins),
        OVER_ALL(LIFE_06_no_end_and_no_finish_after_destroy),
        OVER_TCP(LIFE_07_LIFE_08_a_failing_read_destroys_and_drops_what_was_unread),
        OVER_MEM(LIFE_07_LIFE_08_a_failing_read_destroys_and_drops_what_was_unread),
        OVER_ALL(LIFE_10_closed_is_true_in_close),
        OVER_ALL(LIFE_12_a_half_open_stream_closes_after_end_and_finish),
        OVER_ALL(LIFE_12_without_auto_destroy_it_stays),
        OVER_ALL(LIFE_13_the_peers_end_ends_our_side),
        OVER_ALL(LIFE_14_SOCM_18_SOCK_45_a_normal_life),
        OVER_ALL(LIFE_15_destroy_inside_a_listener),
        OVER_ALL(LIFE_16_destroy_gives_everything_back_before_close),
        cmocka_unit_test(LIFE_17_codes_have_their_names),
        OVER_ALL(LIFE_18_a_closed_stream_can_be_asked_and_told_anything),
        OVER_ALL(LIFE_18_a_stream_may_outlive_its_runtime),
        OVER_ALL(SOCK_46_CONN_03_a_refused_connect),
        OVER_ALL(SOCK_47_a_listener_attached_after_the_call_sees_everything),
        OVER_ALL(SOCM_10_SOCM_12_destroy_soon_ends_and_then_destroys),
        OVER_ALL(SOCM_11_destroy_soon_after_finish_is_at_once),
        OVER_ALL(SOCM_12_destroy_soon_while_connecting_waits),
        OVER_ALL(SOCM_13_SOCM_14_after_end_the_peer_may_still_send),
        OVER_ALL(SOCM_16_end_on_a_destroyed_stream_calls_back),
        OVER_ALL(SOCM_17_end_before_connect),
        OVER_ALL(SOCK_31_end_waits_while_there_is_unread_data),
        OVER_TCP(SOCM_24_reset_and_destroy),
        OVER_MEM(SOCM_24_reset_and_destroy),
        OVER_TCP(SOCM_25_reset_while_connecting_waits_for_ready),
        OVER_MEM(SOCM_25_reset_while_connecting_waits_for_ready),
        FIXTURE_TEST(SOCM_26_reset_without_a_connection),
        OVER_IPC(SOCM_27_ipc_cannot_be_reset),
        OVER_TCP(BN_06_data_then_a_reset_is_no_end),
        OVER_MEM(BN_06_data_then_a_reset_is_no_end),
        OVER_ALL(CONN_01_CONN_07_every_form_connects),
        FIXTURE_TEST(CONN_02_bad_endpoints_leave_the_stream_as_it_was),
        OVER_ALL(CONN_04_the_connect_listener_runs_once_and_not_on_failure),
        OVER_ALL(SOCP_07_SOCP_14_SOCP_22_connecting_is_over_before_connect),
        OVER_ALL(CONN_06_a_closed_stream_connects_again),
        OVER_ALL(CONN_06_a_readable_listener_works_in_the_second_life),
        OVER_ALL(CONN_06_a_stream_connects_again_from_its_close_listener),
        OVER_ALL(BN_21_connect_twice_is_an_error_and_changes_nothing),
        OVER_ALL(BN_04_half_close_timeout_frees_what_nobody_ends),
        OVER_ALL(BN_04_half_close_timeout_ends_with_the_peers_end),
        OVER_ALL(BN_04_discard_on_end_reads_and_drops),
        OVER_ALL(BN_05_a_paused_stream_is_told_once_that_its_peer_left),
        FIXTURE_TEST(BN_14_connect_timeout),
        OVER_ALL(BN_14_handshake_timeout),
        OVER_ALL(SOCM_41_SOCM_42_SOCM_43_timeout_is_a_notice),
        OVER_ALL(SOCM_44_zero_switches_it_off_and_removes_the_listener),
        OVER_ALL(SOCM_45_SOCM_46_the_listener_runs_once_and_the_event_once_a_period),
        OVER_ALL(SOCM_46_writing_is_activity),
        OVER_ALL(SOCM_46_data_is_activity),
        FIXTURE_TEST(SOCM_46_it_runs_while_connecting),
        OVER_SOCKETS(SOCM_46_a_write_that_moves_is_activity),
        FIXTURE_TEST(SOCM_47_the_idle_timer_keeps_no_loop_alive),
        OVER_ALL(SOCM_23_CONN_39_the_options_time_out_counts_from_connect),
        OVER_ALL(SOCM_43_destroy_inside_timeout),
        OVER_SOCKETS(SOCM_22_SOCM_23_an_unreferenced_stream_lets_the_loop_end),
        OVER_SOCKETS(SOCM_23_unref_before_connect_is_remembered),
    };
    return cmocka_run_group_tests_name("stream_life", tests, NULL, NULL);
}
