/* SPDX-License-Identifier: MIT */
/* Laws 9 and 10: anything inside any report, and plugins without anything in common between runtimes. */
#include "suite.h"

#include <string.h>

/* ---- law 9 ---- */

typedef struct actor {
    void (*act)(weir_stream *stream);
    weir_event_type at;
    int done;
} actor;

static void on_act(const weir_event *event, void *arg)
{
    actor *self = arg;
    if (self->done)
        return;
    self->done = 1;
    self->act(event->target_stream);
}

static void act_destroy(weir_stream *stream)
{
    weir_stream_destroy(stream, NULL);
}

static void act_destroy_with_error(weir_stream *stream)
{
    weir_error *error = weir_error_new(UV_EIO, "test", NULL, -1);
    weir_stream_destroy(stream, error);
    weir_error_release(error);
}

static void act_end(weir_stream *stream)
{
    weir_stream_end(stream, NULL, NULL);
}

static void act_destroy_soon(weir_stream *stream)
{
    weir_stream_destroy_soon(stream);
}

static void act_write_and_end(weir_stream *stream)
{
    weir_stream_write(stream, suite_bytes, 70000, NULL, NULL);
    weir_stream_end(stream, NULL, NULL);
}

static void act_pause_resume(weir_stream *stream)
{
    weir_stream_pause(stream);
    weir_stream_resume(stream);
    weir_stream_pause(stream);
    weir_stream_resume(stream);
}

static void act_cork_uncork(weir_stream *stream)
{
    weir_stream_cork(stream);
    weir_stream_write(stream, suite_bytes, 1, NULL, NULL);
    weir_stream_uncork(stream);
}

static void (*const acts[])(weir_stream *stream) = {
    act_destroy,       act_destroy_with_error, act_end,         act_destroy_soon,
    act_write_and_end, act_pause_resume,       act_cork_uncork,
};

static const weir_event_type moments[] = {
    WEIR_EVENT_CONNECT, WEIR_EVENT_READY,  WEIR_EVENT_DATA,  WEIR_EVENT_END,
    WEIR_EVENT_DRAIN,   WEIR_EVENT_FINISH, WEIR_EVENT_CLOSE,
};

#define TALK_BYTES 100000

static void end_on_drain(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_end(event->target_stream, NULL, NULL);
}

/* One side of a conversation: more than fits the mark, and the end when that has gone out. */
static void begin_to_talk(weir_stream *stream)
{
    weir_stream_once(stream, WEIR_EVENT_DRAIN, end_on_drain, NULL);
    if (weir_stream_write(stream, suite_bytes, TALK_BYTES, NULL, NULL) != 0)
        weir_stream_end(stream, NULL, NULL);
}

static void on_talk(const weir_event *event, void *arg)
{
    actor *at_the_server = arg;
    if (at_the_server->act)
        weir_stream_on(event->stream, at_the_server->at, on_act, at_the_server);
    begin_to_talk(event->stream);
}

static int nobody_is_left(const void *server)
{
    return !weir_server_connections(server);
}

static void until_nobody_is_left(fixture *f, const weir_server *server)
{
    fixture_turns(f, 10);
    while (!nobody_is_left(server)) {
        assert_false(f->expired);
        fixture_turn(f, nobody_is_left, server);
    }
}

/* Every moment, every act: the recorders judge what comes of it. */
static void act_inside_everything(fixture *f, int at_the_server)
{
    actor acting = {0};
    weir_server *server = suite_server(f, 1);
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, on_talk, &acting), 0);
    for (size_t moment = 0; moment < sizeof(moments) / sizeof(moments[0]); moment++) {
        for (size_t act = 0; act < sizeof(acts) / sizeof(acts[0]); act++) {
            actor at_the_client = {.act = acts[act], .at = moments[moment]};
            recorder *client = fixture_client(f, suite_connect_text(f, server, NULL), &options);
            acting = (actor){.act = at_the_server ? acts[act] : NULL, .at = moments[moment]};
            if (!at_the_server)
                assert_code(weir_stream_on(client->stream, moments[moment], on_act, &at_the_client), 0);
            begin_to_talk(client->stream);
            recorder_wait(client, WEIR_EVENT_CLOSE);
            until_nobody_is_left(f, server);
            assert_int_equal(client->counts[WEIR_EVENT_CLOSE], 1);
            if (!at_the_server)
                weir_stream_off(client->stream, moments[moment], on_act, &at_the_client);
        }
    }
}

static void law_09_anything_inside_any_event_of_the_client(void **state)
{
    act_inside_everything(*state, 0);
}

static void law_09_anything_inside_any_event_of_the_server(void **state)
{
    act_inside_everything(*state, 1);
}

static void echo_data(const weir_event *event, void *arg)
{
    weir_stream *stream = event->target_stream;
    (void)arg;
    if (weir_stream_write_buf(stream, event->buffer, NULL, NULL) == 0)
        weir_stream_pause(stream);
}

static void echo_drain(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_resume(event->target_stream);
}

static void echo_end(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_end(event->target_stream, NULL, NULL);
}

static void law_09_echo_inside_data_with_pause_and_resume(void **state)
{
    fixture *f = *state;
    f->record = 0;
    pair p = suite_pair(f, 1);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_DRAIN, echo_drain, NULL), 0);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_END, echo_end, NULL), 0);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, echo_data, NULL), 0);
    recorder_write(p.client, suite_bytes, SUITE_BYTES);
    recorder_end(p.client);
    fixture_turns(f, 100); /* the client reads nothing yet: the server has to pause */
    recorder_add(p.client, RECORD_DATA);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, suite_bytes, SUITE_BYTES);
}

typedef struct chain {
    size_t sent;
    size_t pieces;
} chain;

static void next_of_chain(weir_stream *stream, int status, void *arg)
{
    chain *self = arg;
    size_t size = 1 + self->pieces * 104729 % 30000;
    if (status || self->sent == SUITE_BYTES) {
        weir_stream_end(stream, NULL, NULL);
        return;
    }
    if (size > SUITE_BYTES - self->sent)
        size = SUITE_BYTES - self->sent;
    self->sent += size;
    self->pieces++;
    weir_stream_write(stream, suite_bytes + self->sent - size, size, next_of_chain, self);
}

static void law_09_writes_inside_the_callbacks_of_writes(void **state)
{
    fixture *f = *state;
    chain pieces = {0};
    pair p = suite_pair(f, 0);
    next_of_chain(p.client->stream, 0, &pieces);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    recorder_expect_data(p.accepted, suite_bytes, SUITE_BYTES);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_true(pieces.pieces > 20);
}

/* ---- law 10 ---- */

static void law_10_runtimes_in_threads_share_nothing(void **state)
{
    enum { THREADS = 3 };
    fixture *f = *state;
    suite_conversation talks[THREADS] = {0};
    uv_thread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        talks[i].listen = suite_listen_text(f, NULL, i);
        talks[i].query = suite_query(f);
        suite_conversation_open(&talks[i]);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(uv_thread_create(&threads[i], suite_conversation_run, &talks[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        suite_conversation_close(&talks[i]);
        assert_int_equal(talks[i].left_behind, 0);
        assert_code(talks[i].status, 0);
        assert_int_equal(talks[i].received, SUITE_BYTES);
        assert_int_equal(talks[i].wrong, 0);
        assert_int_equal(talks[i].closed, 1);
    }
}

const suite_test suite_inside_tests[] = {
    SUITE_TEST(law_09_anything_inside_any_event_of_the_client),
    SUITE_TEST(law_09_anything_inside_any_event_of_the_server),
    SUITE_TEST(law_09_echo_inside_data_with_pause_and_resume),
    SUITE_TEST(law_09_writes_inside_the_callbacks_of_writes),
    SUITE_TEST(law_10_runtimes_in_threads_share_nothing),
    {0},
};
