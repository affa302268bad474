/* SPDX-License-Identifier: MIT */
/* A stream's life, row by row: destroying, ending, resetting, half-close, and what comes in which order. */
#include <stdlib.h>
#include <string.h>

#include "over.h"

/* ---- destroy ---- */

static void LIFE_01_LIFE_11_SOCM_08_destroy_is_at_once_and_close_later(void **state)
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
    over_destroy_with(p.client, UV_EPROTO);
    over_destroy_with(p.client, UV_EINVAL);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    over_destroy_with(p.client, UV_EINVAL);
    fixture_turns(f, OVER_TURNS);
    over_expect(p.client, "connect ready error:EPROTO close:error");
}

static void LIFE_02_LIFE_09_SOCM_07_error_then_close(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_null(weir_stream_errored(p.client->stream));
    over_destroy_with(p.client, UV_EPROTO);
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
    over_expect_tail(p.accepted, "close");
}

static void SOCM_05_SOCM_06_what_was_not_sent_is_dropped_and_nothing_is_read(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    size_t size = over_stall(f, p.client);
    recorder_write(p.accepted, "unread", 6); /* there, or under way, when the stream is destroyed: healthy as it is */
    int descriptors = fixture_descriptors();
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 0);
    assert_int_equal(p.client->data_size, 0);
    recorder_add(p.accepted, RECORD_DATA);
    over_wait_closed(p.accepted);
    assert_true(p.accepted->data_size < size);
    assert_true(over_is(f, "mem") || fixture_descriptors() == descriptors - 2);
    over_expect_tail(p.client, " close");
    assert_null(weir_stream_errored(p.client->stream));
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
    over_expect_tail(p.client, "close");
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
    over_destroy_with(p.client, UV_EPROTO);
    over_wait_closed(p.client);
    over_expect(p.client, "connect ready w1:EPROTO w2:EPROTO error:EPROTO close:error");
}

static void LIFE_03_SOCM_09_destroyed_while_connecting(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
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
    recorder *client = over_connecting(f, server, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT); /* connect() may have been called, or have succeeded */
    if (!weir_stream_pending(client->stream)) {
        recorder_destroy(client, NULL);
    } else {
        recorder_destroy(client, NULL);
        over_wait_closed(client);
        assert_int_equal(client->counts[WEIR_EVENT_CONNECT], 0);
    }
    over_wait_closed(client);
    over_expect_tail(client, "close");
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
                over_destroy_with(p.client, UV_EPROTO);
            } else {
                recorder_destroy(p.accepted, NULL);
            }
        }
        weir_stream_on(client->stream, WEIR_EVENT_CLOSE, fixture_count, &count);
        over_wait_closed(client);
        fixture_turns(f, OVER_TURNS);
        assert_int_equal(count, ending + 1);
        assert_int_equal(client->counts[WEIR_EVENT_CLOSE], 1);
    }
}

static void destroy_error_here(const weir_event *event, void *arg)
{
    (void)event;
    over_destroy_with(arg, UV_EINVAL);
}

static void LIFE_05_the_first_error_wins(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_stream_on(p.client->stream, WEIR_EVENT_ERROR, destroy_error_here, p.client);
    over_destroy_with(p.client, UV_EPROTO);
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
    weir_stream_options options = over_half_open();
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

static void LIFE_13_SOCK_07_the_peers_end_ends_our_side(void **state)
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
    over_expect_tail(p.client, "e1 finish end close");
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
        recorder *client = over_connecting(f, server, NULL);
        weir_stream_on(client->stream, types[i], destroy_here, client);
        if (types[i] >= WEIR_EVENT_DATA) {
            recorder *accepted = fixture_accepted(f, server, i);
            recorder_add(client, RECORD_DATA);
            recorder_write(accepted, "data", 4);
            recorder_end(accepted);
        }
        over_wait_closed(client);
        over_expect_tail(client, types[i] == WEIR_EVENT_DATA ? "data:4 close"
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
    over_expect_tail(client, fixture_text(f, "w1:%s error:%s close:error", error->name, error->name));
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
    weir_stream_on(stream, WEIR_EVENT_CONNECT, fixture_count, &connected);
    fixture_until(f, &connected);
    weir_stream_destroy(stream, NULL);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, fixture_count, &closed);
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
    over_expect_tail(p.client, "finish close"); /* the readable side is not waited for */
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
    recorder *client = over_connecting(f, server, NULL);
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
    recorder *client = over_connecting(f, server, NULL);
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
    over_expect_tail(p.accepted, "error:ECONNRESET close:error");
}

static void SOCM_25_reset_while_connecting_waits_for_ready(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
    assert_code(recorder_reset(client), 0);
    assert_int_equal(weir_stream_destroyed(client->stream), 0);
    over_wait_closed(client);
    over_expect(client, "connect ready close");
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(accepted, RECORD_DATA);
    over_wait_closed(accepted);
    over_expect_tail(accepted, "error:ECONNRESET close:error");
}

static void SOCM_26_reset_without_a_connection(void **state)
{
    fixture *f = *state;
    recorder *r = over_fresh(f, NULL);
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
    over_expect_tail(p.accepted, "data:5 error:ECONNRESET close:error");
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
    over_wait_alive(f, p.client, WEIR_EVENT_CLOSE);
    over_expect(p.client, "connect ready resume e1 finish close");
}

static void BN_04_half_close_timeout_ends_with_the_peers_end(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    options.half_close_timeout = 1;
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    recorder_end(p.client);
    over_wait_both_closed(p);
    over_expect_tail(p.client, "close");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(LIFE_01_LIFE_11_SOCM_08_destroy_is_at_once_and_close_later),
        OVER_ALL(LIFE_01_SOCM_08_a_second_destroy_does_nothing),
        OVER_ALL(LIFE_02_LIFE_09_SOCM_07_error_then_close),
        OVER_ALL(SOCM_05_SOCM_07_destroy_without_an_error),
        OVER_ALL(SOCM_05_SOCM_06_what_was_not_sent_is_dropped_and_nothing_is_read),
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
        OVER_ALL(LIFE_13_SOCK_07_the_peers_end_ends_our_side),
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
        OVER_ALL(BN_04_half_close_timeout_frees_what_nobody_ends),
        OVER_ALL(BN_04_half_close_timeout_ends_with_the_peers_end),
        OVER_ALL(BN_04_discard_on_end_reads_and_drops),
        OVER_ALL(BN_05_a_paused_stream_is_told_once_that_its_peer_left),
    };
    return cmocka_run_group_tests_name("stream_life", tests, NULL, NULL);
}
