/* SPDX-License-Identifier: MIT */
/* The events of a stream, one by one: when each comes, how often, with what, and what comes next to it. */
#include <string.h>

#include "over.h"

static void turns(fixture *f)
{
    fixture_turns(f, OVER_TURNS);
}

/* ---- what a stream is ---- */

static void SOCK_02_a_new_stream_is_not_connected(void **state)
{
    fixture *f = *state;
    weir_address address;
    int descriptors = fixture_descriptors();
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_int_equal(fixture_descriptors(), descriptors);
    assert_int_equal(weir_stream_ready_state(stream), WEIR_READY_OPEN);
    assert_int_equal(weir_stream_pending(stream), 1);
    assert_int_equal(weir_stream_connecting(stream), 0);
    assert_int_equal(weir_stream_destroyed(stream), 0);
    assert_int_equal(weir_stream_closed(stream), 0);
    assert_int_equal(weir_stream_bytes_read(stream), 0);
    assert_int_equal(weir_stream_bytes_written(stream), 0);
    assert_int_equal(weir_stream_timeout(stream), -1);
    assert_code(weir_stream_local_address(stream, &address), UV_ENOTCONN);
    assert_code(weir_stream_remote_address(stream, &address), UV_ENOTCONN);
    assert_null(weir_stream_server(stream));
    assert_null(weir_stream_errored(stream));
    weir_stream_release(stream);
}

static void SOCK_01_SOCK_02_one_stream_over_any_transport(void **state)
{
    static const char *const transports[] = {"tcp", "ipc", "mem"};
    fixture *f = *state;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    recorder *r = record_stream(f, stream, 0);
    weir_stream_release(stream);
    f->record = RECORD_DATA;
    for (size_t i = 0; i < 3; i++) {
        f->data = transports[i];
        weir_server *server = over_listen(f, NULL);
        assert_code(recorder_connect(r, fixture_url(f, server)), 0);
        recorder *accepted = fixture_accepted(f, server, 0);
        if (i == 0) {
            recorder_add(r, RECORD_DATA);
        }
        recorder_write(r, "out", 3);
        recorder_write(accepted, "in", 2);
        recorder_wait_data(accepted, 3);
        recorder_wait_data(r, 2 * (i + 1));
        recorder_end(accepted);
        recorder_wait(accepted, WEIR_EVENT_CLOSE);
        while (!weir_stream_closed(stream)) {
            fixture_turns(f, 1);
        }
    }
    assert_int_equal(r->counts[WEIR_EVENT_CLOSE], 3);
}

static void SOCK_01_both_ends_read_and_write_alike(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_null(weir_stream_server(p.client->stream)); /* made by the program */
    assert_non_null(weir_stream_server(p.accepted->stream));
    recorder_write(p.client, "question", 8);
    recorder_write(p.accepted, "answer", 6);
    recorder_wait_data(p.accepted, 8);
    recorder_wait_data(p.client, 6);
    recorder_expect_data(p.accepted, "question", 8);
    recorder_expect_data(p.client, "answer", 6);
}

/* ---- 'connect', 'ready' ---- */

typedef struct order {
    weir_task task;
    fixture *f;
    char text[16];
} order;

static void note(order *self, char name)
{
    size_t length = strlen(self->text);
    assert_true(length + 1 < sizeof(self->text));
    self->text[length] = name;
}

static void note_task(weir_task *task)
{
    note((order *)(void *)task, 't');
}

static void note_connect(const weir_event *event, void *arg)
{
    order *self = arg;
    note(self, 'c');
    assert_int_equal(weir_stream_connecting(event->stream), 0);
    weir_runtime_defer(self->f->runtime, &self->task); /* the next tick */
}

static void note_ready(const weir_event *event, void *arg)
{
    note(arg, 'r');
    assert_int_equal(weir_stream_ready_state(event->stream), WEIR_READY_OPEN);
    assert_true(weir_stream_write(event->stream, "usable", 6, NULL, NULL) >= 0);
}

static void SOCK_42_SOCK_21_ready_comes_immediately_behind_connect(void **state)
{
    fixture *f = *state;
    f->record = RECORD_DATA;
    weir_server *server = over_listen(f, NULL);
    order self = {.task = {.run = note_task}, .f = f};
    recorder *client = over_connecting(f, server, NULL);
    f->record = RECORD_DATA;
    weir_stream_on(client->stream, WEIR_EVENT_READY, note_ready, &self);
    weir_stream_on(client->stream, WEIR_EVENT_CONNECT, note_connect, &self);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait_data(accepted, 6);
    assert_string_equal(self.text, "crt");
    over_expect(client, "connect ready");
}

static void SOCK_21_connect_is_for_clients_alone(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_write(p.client, "x", 1);
    recorder_end(p.client);
    over_wait_both_closed(p);
    assert_int_equal(p.client->counts[WEIR_EVENT_CONNECT], 1);
    assert_int_equal(p.client->counts[WEIR_EVENT_READY], 1);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_CONNECT], 0);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_READY], 0);
}

/* ---- 'drain' ---- */

static void SOCK_27_drain_follows_a_write_that_returned_false(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_int_equal(recorder_write(p.client, "little", 6), 1);
    recorder_wait_writes(p.client, 1);
    turns(f);
    assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], 0); /* nobody was told to wait */
    over_stall(f, p.client);
    assert_int_equal(weir_stream_writable_need_drain(p.client->stream), 1);
    turns(f);
    size_t drains = p.client->counts[WEIR_EVENT_DRAIN]; /* of writes that the transport took later */
    recorder_add(p.accepted, RECORD_DATA);
    while (weir_stream_writable_need_drain(p.client->stream)) {
        assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], drains);
        fixture_turns(f, 1);
    }
    turns(f);
    assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], drains + 1);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
}

/* ---- 'timeout' ---- */

static void SOCK_43_timeout_leaves_the_connection_alone(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_code(weir_stream_set_timeout(p.accepted->stream, 5, NULL, NULL), 0);
    over_wait_alive(f, p.accepted, WEIR_EVENT_TIMEOUT);
    turns(f);
    assert_int_equal(weir_stream_ready_state(p.accepted->stream), WEIR_READY_OPEN);
    assert_code(weir_stream_set_timeout(p.accepted->stream, 0, NULL, NULL), 0);
    recorder_write(p.client, "still there?", 12);
    recorder_wait_data(p.accepted, 12);
    recorder_end(p.client); /* it is the program that ends it */
    over_wait_both_closed(p);
    over_expect_tail(p.accepted, "data:12 end finish close");
}

/* ---- 'error', 'close' ---- */

typedef struct seen {
    int errors;
    int code;
    int closes;
    int had_error;
    int behind; /* events other than 'close' behind 'error' */
} seen;

static void look(const weir_event *event, void *arg)
{
    seen *s = arg;
    if (event->type == WEIR_EVENT_ERROR) {
        s->errors++;
        s->code = event->error->code;
        assert_non_null(event->error->message);
    } else if (event->type == WEIR_EVENT_CLOSE) {
        s->closes++;
        s->had_error = event->had_error;
    } else {
        s->behind += s->errors;
    }
}

static void watch(recorder *r, seen *s)
{
    memset(s, 0, sizeof(*s));
    for (int type = 0; type < WEIR_EVENT_COUNT; type++) {
        if (type != WEIR_EVENT_DATA && type != WEIR_EVENT_READABLE && type != WEIR_EVENT_FD) {
            assert_code(weir_stream_on(r->stream, (weir_event_type)type, look, s), 0);
        }
    }
}

static void SOCK_33_SOCK_34_SOCK_20_error_once_and_close_directly_behind_it(void **state)
{
    fixture *f = *state;
    seen s;
    pair p = over_pair(f, RECORD_DATA, 0);
    watch(p.client, &s);
    over_stall(f, p.client); /* 'drain', callbacks and the peer's bytes could all come between */
    recorder_write(p.accepted, "late", 4);
    weir_stream_pause(p.client->stream);
    over_destroy_with(p.client, UV_EPROTO);
    over_destroy_with(p.client, UV_EIO);
    over_wait_closed(p.client);
    turns(f);
    assert_int_equal(s.errors, 1);
    assert_code(s.code, UV_EPROTO);
    assert_int_equal(s.closes, 1);
    assert_int_equal(s.had_error, 1);
    assert_int_equal(s.behind, 0);
    over_expect_tail(p.client, " error:EPROTO close:error");
}

static void SOCK_19_SOCK_20_close_comes_once_and_last_however_it_ends(void **state)
{
    fixture *f = *state;
    for (int way = 0; way < 4; way++) {
        seen s;
        pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
        watch(p.client, &s);
        switch (way) {
        case 0:
            recorder_end(p.client);
            break;
        case 1:
            recorder_end(p.accepted);
            break;
        case 2:
            recorder_destroy(p.client, NULL);
            break;
        default:
            over_destroy_with(p.client, UV_EPROTO);
            break;
        }
        over_wait_both_closed(p);
        turns(f);
        assert_int_equal(s.closes, 1);
        assert_int_equal(s.had_error, way == 3);
        assert_int_equal(s.errors, way == 3);
        over_expect_tail(p.client, way == 3 ? " close:error" : " close");
        assert_int_equal(weir_stream_closed(p.client->stream), 1);
    }
}

static void SOCK_19_SOCK_20_SOCK_46_a_connect_that_fails(void **state)
{
    fixture *f = *state;
    seen s;
    recorder *client = over_fresh(f, NULL);
    watch(client, &s);
    assert_code(recorder_connect(client, over_nowhere(f)), 0);
    assert_int_equal(s.errors + s.closes, 0); /* SOCK-47 */
    over_wait_closed(client);
    turns(f);
    assert_int_equal(s.errors, 1);
    assert_int_equal(s.closes, 1);
    assert_int_equal(s.had_error, 1);
    assert_int_equal(s.behind, 0);
    assert_int_equal(client->counts[WEIR_EVENT_CONNECT] + client->counts[WEIR_EVENT_READY] +
                         client->counts[WEIR_EVENT_END] + client->counts[WEIR_EVENT_FINISH],
                     0);
}

/* ---- nothing comes inside of a call ---- */

typedef struct calls {
    int inside;
    int broken; /* events inside of a call */
    int events;
} calls;

static void inside(const weir_event *event, void *arg)
{
    calls *c = arg;
    (void)event;
    c->events++;
    c->broken += c->inside;
}

static void inside_callback(weir_stream *stream, int status, void *arg)
{
    calls *c = arg;
    (void)stream;
    (void)status;
    c->events++;
    c->broken += c->inside;
}

static void inside_server_callback(weir_server *server, int status, void *arg)
{
    calls *c = arg;
    (void)server;
    (void)status;
    c->events++;
    c->broken += c->inside;
}

static void SOCK_47_no_event_comes_inside_the_call_that_causes_it(void **state)
{
    fixture *f = *state;
    calls c = {.inside = 1};
    weir_stream_options options = over_half_open();
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_stream *stream = weir_stream_new(f->runtime, &options);
    for (int type = 0; type < WEIR_EVENT_COUNT; type++) {
        if (type != WEIR_EVENT_READABLE) {
            assert_code(weir_server_on(server, (weir_event_type)type, inside, &c), 0);
            assert_code(weir_stream_on(stream, (weir_event_type)type, inside, &c), 0);
        }
    }
    assert_code(weir_server_listen(server, over_here(f), inside, &c), 0);
    c.inside = 0;
    turns(f);
    c.inside = 1;
    assert_code(weir_stream_connect(stream, fixture_url(f, server), inside, &c), 0);
    assert_true(weir_stream_write(stream, "early", 5, inside_callback, &c) >= 0);
    c.inside = 0;
    turns(f);
    c.inside = 1;
    assert_true(weir_stream_write(stream, "late", 4, inside_callback, &c) >= 0);
    assert_true(weir_stream_write(stream, "", 0, inside_callback, &c) >= 0);
    weir_stream_pause(stream);
    weir_stream_resume(stream);
    assert_code(weir_stream_end(stream, inside_callback, &c), 0);
    c.inside = 0;
    turns(f);
    c.inside = 1;
    weir_stream_destroy(stream, NULL);
    assert_code(weir_server_get_connections(server, inside_server_callback, &c), 0);
    assert_code(weir_server_close_all(server, 0, inside_server_callback, &c), 0);
    c.inside = 0;
    turns(f);
    assert_int_equal(weir_stream_closed(stream), 1);
    assert_int_equal(c.broken, 0);
    assert_true(c.events >= 12);
    weir_stream_release(stream);
    weir_server_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(SOCK_02_a_new_stream_is_not_connected),
        FIXTURE_TEST(SOCK_01_SOCK_02_one_stream_over_any_transport),
        OVER_ALL(SOCK_01_both_ends_read_and_write_alike),
        OVER_ALL(SOCK_42_SOCK_21_ready_comes_immediately_behind_connect),
        OVER_ALL(SOCK_21_connect_is_for_clients_alone),
        OVER_ALL(SOCK_27_drain_follows_a_write_that_returned_false),
        OVER_ALL(SOCK_43_timeout_leaves_the_connection_alone),
        OVER_ALL(SOCK_33_SOCK_34_SOCK_20_error_once_and_close_directly_behind_it),
        OVER_ALL(SOCK_19_SOCK_20_close_comes_once_and_last_however_it_ends),
        OVER_ALL(SOCK_19_SOCK_20_SOCK_46_a_connect_that_fails),
        OVER_ALL(SOCK_47_no_event_comes_inside_the_call_that_causes_it),
    };
    return cmocka_run_group_tests_name("stream_story", tests, NULL, NULL);
}
