/* SPDX-License-Identifier: MIT */
/* Streams with a signal: fired at any time of their lives, before them, and after them. */
#define _GNU_SOURCE

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "diary.h"

static weir_stream_options with_signal(weir_abort *signal)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.signal = signal;
    return options;
}

static weir_abort *fired(void)
{
    weir_abort *signal = weir_abort_new();
    weir_abort_fire(signal, NULL);
    return signal;
}

/* ---- fired during a life ---- */

static void PIPE_16_SOCK_10_a_fired_signal_destroys_the_stream(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    weir_error *reason = weir_error_newf(UV_EIO, NULL, NULL, -1, "enough");
    fixture_turns(f, OVER_TURNS);

    weir_abort_fire(signal, reason);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 1); /* at once, the events later */
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0);
    over_wait_both_closed(p);
    over_expect(p.client, "connect ready resume error:ABORT_ERR close:error");
    assert_ptr_equal(weir_stream_errored(p.client->stream), weir_abort_error(signal));
    assert_string_equal(weir_stream_errored(p.client->stream)->message, "the operation was aborted: enough");
    weir_error_release(reason);
    weir_abort_release(signal);
}

static void SOCK_10_outstanding_callbacks_get_the_code(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    pair p = over_pair_with(f, 0, &options, 0, NULL);
    over_stall(f, p.client);
    size_t done = p.client->writes_done;
    recorder_write(p.client, "behind", 6);
    recorder_end(p.client);
    weir_abort_fire(signal, NULL);
    over_wait_closed(p.client);
    assert_true(p.client->writes_done > done);
    over_expect_tail(p.client, "e1:ABORT_ERR error:ABORT_ERR close:error");
    weir_abort_release(signal);
}

static void SOCK_10_fired_while_connecting(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    weir_server *server = over_listen(f, NULL);
    recorder *r = over_connecting(f, server, &options);
    recorder_write(r, "never", 5);
    weir_abort_fire(signal, NULL);
    assert_int_equal(weir_stream_connecting(r->stream), 0);
    over_wait_closed(r);
    recorder_expect(r, "w1:ABORT_ERR error:ABORT_ERR close:error");
    weir_abort_release(signal);
}

static void PIPE_15_one_signal_ends_many(void **state)
{
    enum { MANY = 5 };
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    weir_server *server = over_listen(f, NULL);
    recorder *clients[MANY];
    for (size_t i = 0; i < MANY; i++) {
        clients[i] = fixture_connect(f, server, NULL, &options).client;
    }
    assert_int_equal(weir_abort_listener_count(signal), MANY);
    weir_abort_fire(signal, NULL);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(weir_stream_destroyed(clients[i]->stream), 1);
        over_wait_closed(clients[i]);
        over_expect_tail(clients[i], "error:ABORT_ERR close:error");
    }
    weir_abort_release(signal);
}

/* ---- fired before ---- */

static void BN_18_SOCK_10_nothing_is_started(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_abort *signal = fired();
    weir_stream_options options = with_signal(signal);
    options.no_delay = 1;
    options.keep_alive = 1;
    options.timeout = 60000;
    weir_server *server = diary_listening(f, &d, NULL);
    int descriptors = fixture_descriptors();
    int error = -1;
    weir_stream *stream = weir_connect(f->runtime, fixture_url(f, server), &options, fixture_count, NULL, &error);
    assert_non_null(stream);
    assert_code(error, 0);
    recorder *r = record_stream(f, stream, 0);
    weir_stream_release(stream);
    assert_int_equal(weir_stream_destroyed(r->stream), 1);
    assert_int_equal(weir_stream_connecting(r->stream), 0);
    assert_int_equal(fixture_descriptors(), descriptors);
    recorder_expect(r, "");
    over_wait_closed(r);
    fixture_turns(f, OVER_TURNS);
    recorder_expect(r, "error:ABORT_ERR close:error");
    diary_expect(&d, "");
    assert_int_equal(fixture_descriptors(), descriptors);
    weir_abort_release(signal);
}

static void BN_18_no_name_is_looked_up(void **state)
{
    fixture *f = *state;
    weir_abort *signal = fired();
    weir_stream_options options = with_signal(signal);
    recorder *r = fixture_client(f, "tcp://localhost:1", &options);
    over_wait_closed(r);
    recorder_expect(r, "error:ABORT_ERR close:error");
    weir_abort_release(signal);
}

static void BN_18_a_mistake_in_the_endpoint_is_told_all_the_same(void **state)
{
    fixture *f = *state;
    weir_abort *signal = fired();
    weir_stream_options options = with_signal(signal);
    recorder *r = over_fresh(f, &options);
    assert_code(recorder_connect(r, "no endpoint"), WEIR_EINVALID_ENDPOINT);
    int error = 0;
    assert_null(weir_connect(f->runtime, "no endpoint", &options, NULL, NULL, &error));
    assert_code(error, WEIR_EINVALID_ENDPOINT);
    weir_connect_options connect;
    weir_connect_options_init(&connect);
    assert_null(weir_create_connection(f->runtime, &connect, &options, NULL, NULL, &error));
    assert_true(error < 0);
    over_wait_closed(r);
    recorder_expect(r, "error:ABORT_ERR close:error");
    assert_string_equal(fixture_log(f), ""); /* those that there never were have no error */
    weir_abort_release(signal);
}

static void SOCK_10_a_stream_that_is_never_connected(void **state)
{
    fixture *f = *state;
    weir_abort *before = fired();
    weir_abort *later = weir_abort_new();
    weir_stream_options options = with_signal(before);
    recorder *r = over_fresh(f, &options);
    assert_int_equal(weir_stream_destroyed(r->stream), 1);
    assert_int_equal(recorder_write(r, "x", 1), 0);
    over_wait_closed(r);
    recorder_expect(r, "~w1:ERR_STREAM_DESTROYED error:ABORT_ERR close:error");

    options = with_signal(later);
    r = over_fresh(f, &options);
    fixture_turns(f, OVER_TURNS);
    recorder_expect(r, "");
    weir_abort_fire(later, NULL);
    assert_int_equal(weir_stream_destroyed(r->stream), 1);
    over_wait_closed(r);
    recorder_expect(r, "error:ABORT_ERR close:error");
    weir_abort_release(before);
    weir_abort_release(later);
}

static void BN_18_fired_between_new_and_connect(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    weir_server *server = over_listen(f, NULL);
    recorder *r = over_fresh(f, &options);
    weir_abort_fire(signal, NULL);
    assert_code(recorder_connect(r, fixture_url(f, server)), 0);
    over_wait_closed(r);
    recorder_expect(r, "| error:ABORT_ERR close:error");
    weir_abort_release(signal);
}

static void BN_18_a_stream_nobody_keeps_still_tells(void **state)
{
    fixture *f = *state;
    int closed = 0;
    weir_abort *signal = fired();
    weir_stream_options options = with_signal(signal);
    weir_stream *stream = weir_stream_new(f->runtime, &options);
    assert_code(weir_stream_on(stream, WEIR_EVENT_ERROR, fixture_count, &closed), 0);
    assert_code(weir_stream_on(stream, WEIR_EVENT_CLOSE, fixture_count, &closed), 0);
    weir_stream_release(stream);
    weir_abort_release(signal);
    fixture_run(f);
    assert_int_equal(closed, 2);
}

/* ---- leaving the signal ---- */

static void PIPE_17_a_stream_leaves_its_signal_when_its_life_is_over(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    assert_int_equal(weir_abort_listener_count(signal), 1);
    recorder_end(p.client);
    over_wait_both_closed(p);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_fire(signal, NULL);
    fixture_turns(f, OVER_TURNS);
    over_expect_tail(p.client, " close");
    assert_null(weir_stream_errored(p.client->stream));
    weir_abort_release(signal);
}

static void PIPE_17_a_stream_that_goes_unconnected(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    weir_stream *stream = weir_stream_new(f->runtime, &options);
    assert_int_equal(weir_abort_listener_count(signal), 1);
    weir_stream_release(stream);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_fire(signal, NULL);
    weir_abort_release(signal);
}

static void PIPE_17_the_stream_holds_its_signal(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    recorder *r = over_fresh(f, &options);
    weir_abort_release(signal); /* lives on in the stream */
    assert_int_equal(weir_abort_listener_count(signal), 1);
    weir_abort_fire(signal, NULL);
    over_wait_closed(r);
    recorder_expect(r, "error:ABORT_ERR close:error");
}

static void PIPE_17_a_signal_outlives_the_runtime(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    recorder *fresh = over_fresh(f, &options);
    pair p = over_pair_with(f, 0, &options, 0, NULL);
    assert_int_equal(weir_abort_listener_count(signal), 2);
    fixture_end(f);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_fire(signal, NULL);
    recorder_expect(fresh, "");
    assert_null(weir_stream_errored(p.client->stream));
    weir_abort_release(signal);
}

static void PIPE_17_CONN_06_a_second_life_listens_again(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    recorder *r = fixture_client(f, fixture_url(f, server), &options);
    recorder_wait(r, WEIR_EVENT_READY);
    recorder_destroy(r, NULL);
    over_wait_closed(r);
    assert_int_equal(weir_abort_listener_count(signal), 0);

    assert_code(recorder_connect(r, fixture_url(f, server)), 0);
    assert_int_equal(weir_abort_listener_count(signal), 1);
    while (r->counts[WEIR_EVENT_READY] < 2) {
        assert_true(fixture_turn(f, NULL, NULL));
    }
    weir_abort_fire(signal, NULL);
    fixture_turns(f, OVER_TURNS);
    over_expect_tail(r, "connect ready error:ABORT_ERR close:error");

    assert_code(recorder_connect(r, fixture_url(f, server)), 0); /* and a third one never begins */
    assert_int_equal(weir_stream_destroyed(r->stream), 1);
    fixture_turns(f, OVER_TURNS);
    over_expect_tail(r, "| error:ABORT_ERR close:error");
    weir_abort_release(signal);
}

/* ---- streams of a server ---- */

static void SOCK_10_a_servers_streams_die_with_its_signal(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_abort *signal = weir_abort_new();
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.signal = signal;
    weir_server *server = diary_listening(f, &d, &options);
    pair first = fixture_connect(f, server, NULL, NULL);
    pair second = fixture_connect(f, server, NULL, NULL);
    assert_int_equal(weir_abort_listener_count(signal), 2);
    weir_abort_fire(signal, NULL);
    assert_int_equal(weir_stream_destroyed(first.accepted->stream), 1);
    recorder_resume(first.client); /* to see the end */
    recorder_resume(second.client);
    over_wait_both_closed(first);
    over_wait_both_closed(second);
    over_expect_tail(second.accepted, "error:ABORT_ERR close:error");
    diary_expect(&d, "connection connection");

    recorder *late = fixture_client(f, fixture_url(f, server), NULL); /* who comes now is closed at once */
    recorder_resume(late);
    over_wait_closed(late);
    diary_expect(&d, "connection connection");
    assert_int_equal(weir_server_connections(server), 0);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_release(signal);
}

static void SOCK_10_a_server_holds_the_signal_of_its_streams(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.signal = signal;
    weir_server *server = over_listen(f, &options);
    weir_abort_release(signal);
    f->record = 0;
    pair p = fixture_connect(f, server, NULL, NULL);
    assert_int_equal(weir_stream_destroyed(p.accepted->stream), 0);
    assert_int_equal(weir_abort_listener_count(signal), 1);
}

/* ---- streams around descriptors ---- */

static void SOCK_04_SOCK_10_an_adopted_stream(void **state)
{
    fixture *f = *state;
    for (int before = 0; before < 2; before++) {
        int ends[2];
        int error = -1;
        weir_abort *signal = before ? fired() : weir_abort_new();
        weir_stream_options options = with_signal(signal);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        weir_stream *stream = weir_stream_adopt(f->runtime, ends[0], NULL, &options, &error);
        assert_code(error, 0);
        recorder *r = record_stream(f, stream, 0);
        weir_stream_release(stream);
        assert_int_equal(weir_abort_listener_count(signal), before ? 0 : 1);
        weir_abort_fire(signal, NULL);
        assert_int_equal(weir_stream_destroyed(r->stream), 1);
        over_wait_closed(r);
        recorder_expect(r, "error:ABORT_ERR close:error");
        char byte;
        assert_int_equal(read(ends[1], &byte, 1), 0); /* the descriptor is closed */
        close(ends[1]);
        weir_abort_release(signal);
    }
}

/* ---- inside listeners ---- */

typedef struct trigger {
    weir_abort *signal;
    int count;
} trigger;

static void fire_here(const weir_event *event, void *arg)
{
    trigger *t = arg;
    t->count++;
    weir_abort_fire(t->signal, NULL);
    assert_int_equal(weir_stream_destroyed(event->target_stream), 1);
}

static void greet(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_write(event->stream, "world", 5, NULL, NULL);
}

static void LIFE_15_SOCK_10_fired_inside_any_listener(void **state)
{
    static const weir_event_type types[] = {WEIR_EVENT_CONNECT, WEIR_EVENT_READY,  WEIR_EVENT_RESUME, WEIR_EVENT_DATA,
                                            WEIR_EVENT_DRAIN,   WEIR_EVENT_FINISH, WEIR_EVENT_END,    WEIR_EVENT_CLOSE};
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, greet, NULL), 0);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        trigger t = {.signal = weir_abort_new()};
        weir_stream_options options = with_signal(t.signal);
        options.writable_high_water_mark = 1;
        recorder *r = fixture_client(f, fixture_url(f, server), &options);
        assert_code(weir_stream_prepend(r->stream, types[i], fire_here, &t), 0);
        recorder_write(r, "hello", 5);
        recorder_wait_writes(r, 1);
        if (!weir_stream_destroyed(r->stream) && types[i] != WEIR_EVENT_DRAIN) {
            recorder_end(r);
        }
        over_wait_closed(r);
        assert_int_equal(t.count, 1);
        assert_int_equal(recorder_saw(r, "error:ABORT_ERR"), types[i] != WEIR_EVENT_CLOSE);
        assert_int_equal(weir_abort_listener_count(t.signal), 0);
        weir_stream_off(r->stream, types[i], fire_here, &t);
        weir_abort_release(t.signal);
    }
}

static void release_it(weir_abort *signal, void *arg)
{
    weir_stream **stream = arg;
    (void)signal;
    weir_stream_release(*stream);
    *stream = NULL;
}

static void EMT_15_a_listener_of_the_signal_that_gives_up_the_stream(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options options = with_signal(signal);
    weir_stream *before;
    weir_stream *after;
    assert_code(weir_abort_on(signal, release_it, (void *)&before), 0);
    before = weir_stream_new(f->runtime, &options);
    after = weir_stream_new(f->runtime, &options);
    assert_code(weir_abort_on(signal, release_it, (void *)&after), 0);
    weir_abort_fire(signal, NULL);
    assert_null(before);
    assert_null(after);
    fixture_run(f);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_release(signal);
}

/* ---- memory ---- */

static void live(void *arg)
{
    fixture *f = arg;
    weir_abort *signal = weir_abort_new();
    if (signal == NULL) {
        return;
    }
    weir_stream_options options = with_signal(signal);
    int error = 0;
    weir_stream *stream = weir_connect(f->runtime, "mem:nobody", &options, NULL, NULL, &error);
    if (stream == NULL) {
        assert_code(error, UV_ENOMEM);
    } else {
        weir_stream_on(stream, WEIR_EVENT_ERROR, fixture_count, &error);
    }
    weir_abort_fire(signal, NULL);
    if (stream != NULL) {
        assert_int_equal(weir_stream_destroyed(stream), 1);
    }
    weir_stream_release(stream);
    weir_abort_release(signal);
    while (uv_run(&f->loop, UV_RUN_NOWAIT) != 0) {
    }
}

static void SOCK_10_any_allocation_may_fail(void **state)
{
    fixture *f = *state;
    live(f); /* what is allocated once for all */
    assert_true(allocator_fail_each(live, f) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(PIPE_16_SOCK_10_a_fired_signal_destroys_the_stream),
        OVER_ALL(SOCK_10_outstanding_callbacks_get_the_code),
        OVER_ALL(SOCK_10_fired_while_connecting),
        OVER_ALL(PIPE_15_one_signal_ends_many),
        OVER_ALL(BN_18_SOCK_10_nothing_is_started),
        FIXTURE_TEST(BN_18_no_name_is_looked_up),
        FIXTURE_TEST(BN_18_a_mistake_in_the_endpoint_is_told_all_the_same),
        FIXTURE_TEST(SOCK_10_a_stream_that_is_never_connected),
        OVER_ALL(BN_18_fired_between_new_and_connect),
        FIXTURE_TEST(BN_18_a_stream_nobody_keeps_still_tells),
        OVER_ALL(PIPE_17_a_stream_leaves_its_signal_when_its_life_is_over),
        FIXTURE_TEST(PIPE_17_a_stream_that_goes_unconnected),
        FIXTURE_TEST(PIPE_17_the_stream_holds_its_signal),
        OVER_ALL(PIPE_17_a_signal_outlives_the_runtime),
        OVER_ALL(PIPE_17_CONN_06_a_second_life_listens_again),
        OVER_ALL(SOCK_10_a_servers_streams_die_with_its_signal),
        OVER_ALL(SOCK_10_a_server_holds_the_signal_of_its_streams),
        FIXTURE_TEST(SOCK_04_SOCK_10_an_adopted_stream),
        OVER_ALL(LIFE_15_SOCK_10_fired_inside_any_listener),
        FIXTURE_TEST(EMT_15_a_listener_of_the_signal_that_gives_up_the_stream),
        FIXTURE_TEST(SOCK_10_any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("abort_stream", tests, NULL, NULL);
}
