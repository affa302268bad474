/* SPDX-License-Identifier: MIT */
/* The end of the writing track, row by row: end(), its callbacks, 'finish', and what comes in between. */
#include <string.h>

#include "over.h"

static void WR_15_WR_20_WR_21_end_flushes_then_finishes(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    assert_int_equal(weir_stream_writable(p.client->stream), 1);
    size_t size = over_stall(f, p.client);
    recorder_end(p.client);
    assert_int_equal(weir_stream_writable_ended(p.client->stream), 1);
    assert_int_equal(weir_stream_writable_finished(p.client->stream), 0);
    assert_int_equal(weir_stream_writable(p.client->stream), 0);
    assert_int_equal(weir_stream_ready_state(p.client->stream), WEIR_READY_READ_ONLY);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->counts[WEIR_EVENT_FINISH], 0);
    recorder_add(p.accepted, RECORD_DATA);
    over_wait_both_closed(p);
    assert_int_equal(weir_stream_writable_finished(p.client->stream), 1);
    assert_int_equal(p.accepted->data_size, size);
    assert_int_equal(p.client->counts[WEIR_EVENT_FINISH], 1);
}

static void WR_16_no_finish_when_destroyed_before(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_write(p.client, "x", 1);
    recorder_end(p.client);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    assert_int_equal(p.client->counts[WEIR_EVENT_FINISH], 0);
    assert_int_equal(weir_stream_writable_finished(p.client->stream), 0);
    over_expect(p.client, "connect ready w1 e1:ERR_STREAM_DESTROYED close");
}

static void WR_17_the_end_callback_comes_just_before_finish(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    recorder_write(p.client, "x", 1);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    over_expect(p.client, "connect ready w1 e1 finish");
}

static void WR_17_the_end_callback_gets_what_prevented_finish(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_error *error = weir_error_new(UV_EPROTO, "test", NULL, -1);
    over_stall(f, p.client);
    size_t writes = p.client->writes_done;
    recorder_end(p.client);
    recorder_destroy(p.client, error);
    weir_error_release(error);
    over_wait_closed(p.client);
    const char *tail = fixture_text(f, "w%zu:EPROTO e1:EPROTO error:EPROTO close:error", writes + 1);
    assert_true(strlen(p.client->text) > strlen(tail));
    assert_string_equal(p.client->text + strlen(p.client->text) - strlen(tail), tail);
}

static void WR_18_end_twice_is_harmless(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    recorder_pause(p.client); /* the peer's end does not close it */
    recorder_end(p.client);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->ends_done, 3);
    assert_true(recorder_saw(p.client, "e2"));
    assert_true(recorder_saw(p.client, "e3:ERR_STREAM_ALREADY_FINISHED"));
    assert_int_equal(p.client->counts[WEIR_EVENT_FINISH], 1);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
}

static void note_status(weir_stream *stream, int status, void *arg)
{
    int *seen = arg;
    (void)stream;
    *seen = status;
}

static void WR_18_end_with_data_after_end_is_a_write_after_end(void **state)
{
    fixture *f = *state;
    int seen = 1;
    pair p = over_pair(f, 0, 0);
    recorder_end(p.client);
    assert_code(weir_stream_end_with(p.client->stream, "x", 1, note_status, &seen), 0);
    over_wait_closed(p.client);
    assert_code(seen, WEIR_EWRITE_AFTER_END);
    assert_true(recorder_saw(p.client, "error:ERR_STREAM_WRITE_AFTER_END"));
}

typedef struct order {
    const recorder *client;
    size_t ends_before;
} order;

static void note_order(weir_stream *stream, int status, void *arg)
{
    order *seen = arg;
    (void)stream;
    assert_code(status, WEIR_EWRITE_AFTER_END);
    seen->ends_before = seen->client->ends_done;
}

static void WR_18_the_callbacks_of_two_ends_come_in_order(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    order seen = {p.client, 0};
    recorder_end(p.client);
    assert_code(weir_stream_end_with(p.client->stream, "x", 1, note_order, &seen), 0);
    over_wait_closed(p.client);
    assert_int_equal(seen.ends_before, 1);
}

/* The writing side has failed, and the stream waits for what it can still read. */
static void WR_18_law_7_the_callbacks_of_ends_come_in_order_on_a_failed_stream(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "mem:failing", NULL);
    pair p = fixture_connect(f, server, "chaos+mem:failing?failAt=write:1&delay=0", NULL);
    weir_stream_cork(p.client->stream); /* the write is not tried before the end is called */
    recorder_write(p.client, "x", 1);
    recorder_end(p.client);
    recorder_wait_writes(p.client, 1);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    recorder_end(p.accepted); /* nothing more will come */
    over_wait_closed(p.client);
    over_expect_tail(p.client, "w1:EIO e1:EIO e2:EIO error:EIO close:error");
}

static void WR_19_end_before_connect_waits_for_it(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_FINISH);
    over_expect(client, "connect ready e1 finish");
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(accepted, RECORD_DATA);
    recorder_wait(accepted, WEIR_EVENT_END);
}

/* ---- inside callbacks ---- */

typedef struct caller {
    fixture *f;
    recorder *recorder;
    int calls;
    int left;     /* how often it may call again */
    int at_close; /* how often it had called when 'close' came */
} caller;

static void destroy_in_callback(weir_stream *stream, int status, void *arg)
{
    caller *c = arg;
    c->calls++;
    assert_code(status, 0);
    assert_int_equal(weir_stream_writable_finished(stream), 1); /* WR-20: 'finish' is due */
    recorder_destroy(c->recorder, NULL);
}

static void WR_17_LIFE_06_destroyed_in_an_end_callback(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    caller c = {.recorder = p.client};
    recorder_end(p.client);
    assert_code(weir_stream_end(p.client->stream, destroy_in_callback, &c), 0);
    recorder_end(p.client);
    over_wait_closed(p.client);
    assert_int_equal(c.calls, 1);
    assert_int_equal(weir_stream_writable_finished(p.client->stream), 0); /* it never came */
    over_expect(p.client, "connect ready e1 e2:ERR_STREAM_DESTROYED close");
}

static void destroy_other(const weir_event *event, void *arg)
{
    (void)event;
    recorder_destroy(arg, NULL);
}

/* Our side is shut down already, and 'finish' only waits for its tick. */
static void WR_17_LIFE_03_destroyed_just_before_finish(void **state)
{
    fixture *f = *state;
    weir_stream *first = weir_stream_new(f->runtime, NULL);
    recorder *second = over_fresh(f, NULL);
    weir_stream_on(first, WEIR_EVENT_FINISH, destroy_other, second);
    assert_code(weir_stream_end(first, NULL, NULL), 0);
    recorder_end(second);
    over_wait_closed(second);
    recorder_expect(second, "e1:ERR_STREAM_DESTROYED close");
    weir_stream_release(first);
}

static void end_again(weir_stream *stream, int status, void *arg)
{
    caller *c = arg;
    (void)stream;
    c->calls++;
    assert_code(status, 0);
    recorder_end(c->recorder);
}

static void WR_18_end_inside_an_end_callback_is_too_late(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    caller c = {.recorder = p.client};
    assert_code(weir_stream_end(p.client->stream, end_again, &c), 0);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(c.calls, 1);
    assert_non_null(strstr(p.client->text, "connect ready e1 finish e2:ERR_STREAM_ALREADY_FINISHED"));
}

static void write_again(weir_stream *stream, int status, void *arg)
{
    caller *c = arg;
    (void)status;
    c->calls++;
    if (c->left-- > 0) {
        assert_true(weir_stream_write(stream, "x", 1, write_again, c) >= 0);
        assert_code(weir_stream_end(stream, NULL, NULL), 0);
    }
}

static void note_calls(const weir_event *event, void *arg)
{
    caller *c = arg;
    (void)event;
    c->at_close = c->calls;
}

/* Whatever its status says it writes again: on a stream that is destroyed, and on one that ends. */
static void WR_08_LIFE_04_who_always_writes_again_does_not_hold_up_close(void **state)
{
    enum { AGAIN = 100 };
    fixture *f = *state;
    for (int ends = 0; ends < 2; ends++) {
        pair p = over_pair(f, 0, RECORD_DATA);
        caller c = {.left = AGAIN};
        weir_stream_on(p.client->stream, WEIR_EVENT_CLOSE, note_calls, &c);
        assert_int_equal(weir_stream_write(p.client->stream, "x", 1, write_again, &c), 1);
        if (ends) {
            recorder_end(p.client);
        } else {
            recorder_destroy(p.client, NULL);
        }
        over_wait_closed(p.client);
        fixture_turns(f, OVER_TURNS);
        assert_int_equal(c.calls, AGAIN + 1); /* each was told all the same */
        assert_in_range(c.at_close, 1, AGAIN / 2);
    }
}

typedef struct outside {
    int inside; /* a call of the test's */
    int count;
} outside;

static void note_outside(weir_stream *stream, int status, void *arg)
{
    outside *o = arg;
    (void)stream;
    (void)status;
    assert_int_equal(o->inside, 0);
    o->count++;
}

/* Every call that could complete a write; outside of every callback, where no tick is waited for. */
static void call_everything(weir_stream *stream, weir_stream *other, outside *o)
{
    weir_buf *buf = weir_buf_copy("buffer", 6);
    o->inside = 1;
    weir_stream_cork(stream);
    weir_stream_write(stream, "corked", 6, note_outside, o);
    weir_stream_write(stream, "", 0, note_outside, o);
    weir_stream_uncork(stream);
    weir_stream_write(stream, "at once", 7, note_outside, o);
    weir_stream_write_buf(stream, buf, note_outside, o);
    weir_stream_resume(stream);
    weir_buf_release(weir_stream_read(stream, 0));
    weir_stream_refill(stream);
    weir_stream_pause(stream);
    weir_stream_pipe(stream, other, NULL);
    weir_stream_unpipe(stream, other);
    weir_stream_end_with(stream, "last", 4, note_outside, o);
    weir_stream_end(stream, note_outside, o);
    weir_stream_write(stream, "late", 4, note_outside, o);
    weir_stream_destroy(stream, NULL);
    weir_stream_write(stream, "later", 5, note_outside, o);
    weir_stream_end(stream, note_outside, o);
    o->inside = 0;
    weir_buf_release(buf);
}

static void WR_08_no_callback_comes_inside_any_call(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    enum { FRESH, CONNECTING, OPEN, STALLED, CLOSED, SCENES };
    for (int scene = 0; scene < SCENES; scene++) {
        outside o = {0};
        f->record = 0;
        recorder *r = over_fresh(f, NULL);
        pair other = fixture_connect(f, server, NULL, NULL);
        if (scene == OPEN || scene == STALLED || scene == CLOSED) {
            r = fixture_connect(f, server, NULL, NULL).client;
        } else if (scene == CONNECTING) {
            assert_code(recorder_connect(r, fixture_url(f, server)), 0);
        }
        if (scene == STALLED) {
            over_stall(f, r);
        } else if (scene == CLOSED) {
            recorder_destroy(r, NULL);
            over_wait_closed(r);
        }
        call_everything(r->stream, other.client->stream, &o);
        over_wait_closed(r);
        fixture_turns(f, OVER_TURNS);
        assert_int_equal(o.count, 9);
    }
}

static void SOCM_16_a_fresh_stream_that_is_released_still_calls_back(void **state)
{
    fixture *f = *state;
    int ended = 1;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_int_equal(weir_stream_end(stream, note_status, &ended), 0);
    weir_stream_release(stream);
    fixture_turns(f, OVER_TURNS);
    assert_code(ended, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(WR_15_WR_20_WR_21_end_flushes_then_finishes),
        OVER_ALL(WR_16_no_finish_when_destroyed_before),
        OVER_ALL(WR_17_the_end_callback_comes_just_before_finish),
        OVER_ALL(WR_17_the_end_callback_gets_what_prevented_finish),
        OVER_ALL(WR_18_end_twice_is_harmless),
        OVER_ALL(WR_18_end_with_data_after_end_is_a_write_after_end),
        OVER_ALL(WR_18_the_callbacks_of_two_ends_come_in_order),
        FIXTURE_TEST(WR_18_law_7_the_callbacks_of_ends_come_in_order_on_a_failed_stream),
        OVER_ALL(WR_19_end_before_connect_waits_for_it),
        OVER_ALL(WR_17_LIFE_06_destroyed_in_an_end_callback),
        FIXTURE_TEST(WR_17_LIFE_03_destroyed_just_before_finish),
        OVER_ALL(WR_18_end_inside_an_end_callback_is_too_late),
        OVER_ALL(WR_08_LIFE_04_who_always_writes_again_does_not_hold_up_close),
        OVER_ALL(WR_08_no_callback_comes_inside_any_call),
        FIXTURE_TEST(SOCM_16_a_fresh_stream_that_is_released_still_calls_back),
    };
    return cmocka_run_group_tests_name("stream_end", tests, NULL, NULL);
}
