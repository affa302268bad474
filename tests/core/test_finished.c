/* SPDX-License-Identifier: MIT */
/* The end of a stream, told once: of which sides, when, with which error, and not any more. */
#include <string.h>

#include "over.h"

/* What a callback was told. */
typedef struct verdict {
    int count;
    int code;
    const weir_error *error; /* only to be compared with */
    weir_finished *handle;
    recorder *recorder; /* NULL, or in whose text "over" or "over:CODE" is to stand */
    char text[256];
} verdict;

static void judge(const weir_error *error, void *arg)
{
    verdict *v = arg;
    v->count++;
    v->error = error;
    v->code = error == NULL ? 0 : error->code;
    if (v->recorder != NULL) {
        strncpy(v->text, v->recorder->text, sizeof(v->text) - 1);
    }
}

static weir_finished_options sides(int readable, int writable)
{
    weir_finished_options options;
    weir_finished_options_init(&options);
    options.readable = readable;
    options.writable = writable;
    return options;
}

static void watch(recorder *r, const weir_finished_options *options, verdict *v)
{
    assert_code(weir_stream_finished(r->stream, options, judge, v, &v->handle), 0);
    assert_int_equal(v->count, 0);
}

static void expect(fixture *f, const verdict *v, int code)
{
    over_until(f, &v->count);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(v->count, 1);
    assert_code(v->code, code);
}

static void PIPE_13_it_is_over_after_end_and_finish(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    verdict v = {.recorder = p.client};
    watch(p.client, NULL, &v);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(v.count, 0);
    recorder_end(p.client);
    over_wait_both_closed(p);
    expect(f, &v, 0);
    assert_null(v.error);
    assert_non_null(strstr(v.text, "finish end")); /* what the recorder had heard by then */
    assert_null(strstr(v.text, "close"));
}

static void PIPE_14_one_side_is_enough_when_only_one_is_asked_for(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_finished_options reading = sides(1, 0);
    weir_finished_options writing = sides(0, 1);
    weir_finished_options neither = sides(0, 0);
    verdict read = {.recorder = p.client};
    verdict written = {.recorder = p.client};
    verdict closed = {.recorder = p.client};
    watch(p.client, &reading, &read);
    watch(p.client, &writing, &written);
    watch(p.client, &neither, &closed);
    recorder_end(p.client);
    over_wait_both_closed(p);
    expect(f, &written, 0);
    expect(f, &read, 0);
    expect(f, &closed, 0);
    assert_null(strstr(written.text, " end"));
    assert_non_null(strstr(read.text, " end"));
    assert_non_null(strstr(closed.text, " close"));
}

static void PIPE_14_the_half_that_was_asked_for_may_go_well_and_the_rest_not(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    weir_finished_options reading = sides(1, 0);
    verdict read = {0};
    verdict both = {0};
    watch(p.client, &reading, &read);
    watch(p.client, NULL, &both);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    assert_int_equal(both.count, 0);
    over_destroy_with(p.client, UV_EPROTO);
    expect(f, &read, 0);
    expect(f, &both, UV_EPROTO);
}

static void PIPE_13_an_error_is_told_as_it_is(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    verdict v = {0};
    watch(p.client, NULL, &v);
    over_destroy_with(p.client, UV_EPROTO);
    assert_int_equal(v.count, 0);
    expect(f, &v, UV_EPROTO);
    assert_ptr_equal(v.error, weir_stream_errored(p.client->stream));
}

static void PIPE_13_closed_before_its_end(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    verdict client = {0};
    watch(p.client, NULL, &client);
    recorder_end(p.client);
    recorder_destroy(p.client, NULL);
    expect(f, &client, WEIR_EPREMATURE_CLOSE);
}

static void PIPE_13_a_refused_connect(void **state)
{
    fixture *f = *state;
    recorder *r = fixture_client(f, over_nowhere(f), NULL);
    verdict v = {0};
    watch(r, NULL, &v);
    over_wait_closed(r);
    expect(f, &v, weir_stream_errored(r->stream)->code);
}

static void PIPE_13_EMT_12_the_error_has_been_heard(void **state)
{
    fixture *f = *state;
    verdict v = {0};
    weir_stream *stream = weir_connect(f->runtime, over_nowhere(f), NULL, NULL, NULL, NULL);
    assert_code(weir_stream_finished(stream, NULL, judge, &v, NULL), 0);
    weir_stream_release(stream);
    over_until(f, &v.count);
    assert_true(v.code < 0);
    assert_string_equal(fixture_log(f), "");

    /* one that is on its way already */
    weir_abort *signal = weir_abort_new();
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.signal = signal;
    weir_abort_fire(signal, NULL);
    verdict late = {0};
    stream = weir_stream_new(f->runtime, &options);
    assert_code(weir_stream_finished(stream, NULL, judge, &late, NULL), 0);
    weir_stream_release(stream);
    assert_int_equal(late.count, 0);
    over_until(f, &late.count);
    assert_code(late.code, WEIR_EABORTED);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(late.count, 1);
    assert_string_equal(fixture_log(f), "");
    weir_abort_release(signal);
}

static void PIPE_13_EMT_06_EMT_08_remove_all_does_not_lose_it(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    int closed = 0;
    verdict v = {0};
    weir_stream *stream = weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, NULL);
    assert_code(weir_stream_on(stream, WEIR_EVENT_CLOSE, fixture_count, &closed), 0);
    assert_code(weir_stream_finished(stream, NULL, judge, &v, NULL), 0);
    assert_int_equal(weir_stream_listener_count(stream, WEIR_EVENT_CLOSE), 1); /* weir's own is not counted */
    assert_int_equal(weir_stream_listener_count(stream, WEIR_EVENT_ERROR), 0);
    weir_stream_remove_all(stream, WEIR_EVENT_CLOSE);
    weir_stream_remove_all(stream, WEIR_EVENT_COUNT);
    weir_stream_destroy(stream, NULL);
    weir_stream_release(stream);
    expect(f, &v, WEIR_EPREMATURE_CLOSE);
    assert_int_equal(closed, 0);
}

/* ---- streams that are over already ---- */

static void PIPE_13_of_a_stream_that_is_over(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_end(p.client);
    over_wait_both_closed(p);
    verdict well = {0};
    watch(p.client, NULL, &well);
    expect(f, &well, 0);

    p = over_pair(f, RECORD_DATA, 0);
    recorder_destroy(p.client, NULL);
    verdict closing = {0};
    watch(p.client, NULL, &closing); /* destroyed, 'close' is to come */
    over_wait_closed(p.client);
    verdict early = {0};
    watch(p.client, NULL, &early);
    expect(f, &closing, WEIR_EPREMATURE_CLOSE);
    expect(f, &early, WEIR_EPREMATURE_CLOSE);

    p = over_pair(f, RECORD_DATA, 0);
    over_destroy_with(p.client, UV_EPROTO);
    verdict failing = {0};
    watch(p.client, NULL, &failing);
    over_wait_closed(p.client);
    verdict failed = {0};
    watch(p.client, NULL, &failed);
    expect(f, &failing, UV_EPROTO);
    expect(f, &failed, UV_EPROTO);
}

static void PIPE_13_a_side_that_is_over_already(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    weir_finished_options reading = sides(1, 0);
    verdict read = {0};
    verdict both = {0};
    watch(p.client, &reading, &read);
    watch(p.client, NULL, &both);
    expect(f, &read, 0);
    assert_int_equal(both.count, 0);
    recorder_end(p.client);
    expect(f, &both, 0);
}

/* ---- lives ---- */

typedef struct reborn {
    const char *url;
    int done;
} reborn;

static void connect_again(const weir_event *event, void *arg)
{
    reborn *again = arg;
    if (again->done++ == 0) {
        assert_code(weir_stream_connect(event->target_stream, again->url, NULL, NULL), 0);
    }
}

static void PIPE_13_the_next_life_is_none_of_its_business(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    reborn again = {.url = fixture_url(f, server)};
    f->record = 0;
    weir_stream *stream = weir_connect(f->runtime, again.url, NULL, NULL, NULL, NULL);
    assert_code(weir_stream_on(stream, WEIR_EVENT_CLOSE, connect_again, &again), 0); /* before the one of finished */
    verdict v = {0};
    assert_code(weir_stream_finished(stream, NULL, judge, &v, NULL), 0);
    weir_stream_destroy(stream, NULL);
    expect(f, &v, WEIR_EPREMATURE_CLOSE);
    assert_int_equal(weir_stream_destroyed(stream), 0);
    weir_stream_destroy(stream, NULL);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(v.count, 1);
    weir_stream_release(stream);
}

static void PIPE_13_the_runtimes_end_is_told(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    verdict open = {0};
    verdict fresh = {0};
    verdict fired = {0};
    watch(p.client, NULL, &open);
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_finished(stream, NULL, judge, &fresh, NULL), 0);
    weir_finished_options options = sides(1, 1);
    options.signal = weir_abort_new();
    assert_code(weir_stream_finished(stream, &options, judge, &fired, NULL), 0);
    weir_stream_release(stream);
    weir_abort_fire(options.signal, NULL);
    weir_abort_release(options.signal);
    fixture_end(f);
    assert_int_equal(open.count, 1);
    assert_code(open.code, WEIR_EPREMATURE_CLOSE);
    assert_int_equal(fresh.count, 1); /* never connected, and held by nobody else */
    assert_code(fresh.code, WEIR_EPREMATURE_CLOSE);
    assert_int_equal(fired.count, 1);
    assert_code(fired.code, WEIR_EABORTED);
    assert_code(weir_stream_finished(p.client->stream, NULL, judge, &open, NULL), UV_ECANCELED);
}

/* ---- cancelling, signals ---- */

static void PIPE_13_cancelled_it_is_not_called(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_abort *signal = weir_abort_new();
    weir_finished_options options = sides(1, 1);
    options.signal = signal;
    verdict v = {0};
    watch(p.client, &options, &v);
    assert_int_equal(weir_abort_listener_count(signal), 1);
    weir_finished_cancel(v.handle);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    recorder_end(p.client);
    over_wait_both_closed(p);

    watch(p.client, NULL, &v); /* over: the callback is on its way */
    weir_finished_cancel(v.handle);
    weir_finished_cancel(NULL);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(v.count, 0);
    weir_abort_release(signal);
}

static void PIPE_14_a_signal_ends_the_waiting_and_not_the_stream(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_abort *signal = weir_abort_new();
    weir_finished_options options = sides(1, 1);
    options.signal = signal;
    verdict v = {0};
    verdict late = {0};
    watch(p.client, &options, &v);
    weir_abort_fire(signal, NULL);
    assert_int_equal(v.count, 0); /* on a tick */
    watch(p.client, &options, &late);
    expect(f, &v, WEIR_EABORTED);
    expect(f, &late, WEIR_EABORTED);
    assert_ptr_equal(v.error, weir_abort_error(signal));
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    recorder_write(p.client, "as before", 9);
    recorder_wait_data(p.accepted, 9);
    weir_abort_release(signal);
}

static void PIPE_14_the_signal_beats_what_comes_later(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_abort *signal = weir_abort_new();
    weir_finished_options options = sides(1, 1);
    options.signal = signal;
    verdict v = {0};
    verdict cancelled = {0};
    watch(p.client, &options, &v);
    watch(p.client, &options, &cancelled);
    over_destroy_with(p.client, UV_EPROTO);
    weir_abort_fire(signal, NULL);
    weir_finished_cancel(cancelled.handle);
    over_wait_closed(p.client);
    expect(f, &v, WEIR_EABORTED);
    assert_int_equal(cancelled.count, 0);
    weir_abort_release(signal);
}

static void PIPE_17_it_leaves_the_signal_when_it_is_over(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_abort *signal = weir_abort_new();
    weir_finished_options options = sides(1, 1);
    options.signal = signal;
    verdict v = {0};
    watch(p.client, &options, &v);
    recorder_destroy(p.client, NULL);
    expect(f, &v, WEIR_EPREMATURE_CLOSE);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_fire(signal, NULL);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(v.count, 1);
    weir_abort_release(signal);
}

/* ---- inside callbacks ---- */

typedef struct chained {
    weir_stream *stream;
    int count;
} chained;

static void wait_again(const weir_error *error, void *arg)
{
    chained *c = arg;
    (void)error;
    if (++c->count < 3) {
        assert_code(weir_stream_finished(c->stream, NULL, wait_again, c, NULL), 0);
    }
}

static void PIPE_13_waiting_again_inside_the_callback(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    chained c = {.stream = p.client->stream};
    assert_code(weir_stream_finished(c.stream, NULL, wait_again, &c, NULL), 0);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(c.count, 3);
}

static void destroy_with_error(const weir_error *error, void *arg)
{
    recorder *r = arg;
    assert_null(error);
    over_destroy_with(r, UV_EPROTO);
}

static void cancel_it(const weir_error *error, void *arg)
{
    verdict *other = arg;
    (void)error;
    weir_finished_cancel(other->handle);
}

static void LIFE_15_PIPE_13_destroying_and_cancelling_inside_the_callback(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, NULL);
    weir_finished_options reading = sides(1, 0);
    verdict other = {0};
    verdict both = {0};
    assert_code(weir_stream_finished(p.client->stream, &reading, cancel_it, &other, NULL), 0);
    watch(p.client, &reading, &other); /* behind the one that cancels it, in the same emit */
    watch(p.client, NULL, &both);
    assert_code(weir_stream_finished(p.client->stream, &reading, destroy_with_error, p.client, NULL), 0);
    recorder_end(p.accepted);
    over_wait_closed(p.client);
    expect(f, &both, UV_EPROTO);
    assert_int_equal(other.count, 0);
}

static void release_it(const weir_error *error, void *arg)
{
    weir_stream **stream = arg;
    (void)error;
    weir_stream_release(*stream);
    *stream = NULL;
}

static void EMT_15_PIPE_13_it_holds_the_stream(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    weir_stream *stream = weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, NULL);
    assert_code(weir_stream_finished(stream, NULL, release_it, (void *)&stream, NULL), 0);
    weir_stream_destroy(stream, NULL);
    fixture_turns(f, OVER_TURNS);
    assert_null(stream);
}

/* ---- what is refused, memory ---- */

static void PIPE_13_what_is_no_stream_or_no_callback_is_refused(void **state)
{
    fixture *f = *state;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_finished(NULL, NULL, judge, NULL, NULL), UV_EINVAL);
    assert_code(weir_stream_finished(stream, NULL, NULL, NULL, NULL), UV_EINVAL);
    weir_stream_release(stream);
}

static void live(void *arg)
{
    fixture *f = arg;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    weir_abort *signal = weir_abort_new();
    weir_finished_options options = sides(1, 1);
    options.signal = signal;
    verdict v = {0};
    if (stream != NULL && signal != NULL) {
        int status = weir_stream_finished(stream, &options, judge, &v, &v.handle);
        assert_true(status == 0 || (status == UV_ENOMEM && allocator_failures() > 0));
        assert_int_equal(weir_abort_listener_count(signal), status == 0);
        weir_stream_destroy(stream, NULL);
        while (uv_run(&f->loop, UV_RUN_NOWAIT) != 0) {
        }
        assert_int_equal(v.count, status == 0);
    }
    weir_stream_release(stream);
    weir_abort_release(signal);
}

static void PIPE_13_any_allocation_may_fail(void **state)
{
    fixture *f = *state;
    live(f);
    assert_true(allocator_fail_each(live, f) > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(PIPE_13_it_is_over_after_end_and_finish),
        OVER_ALL(PIPE_14_one_side_is_enough_when_only_one_is_asked_for),
        OVER_ALL(PIPE_14_the_half_that_was_asked_for_may_go_well_and_the_rest_not),
        OVER_ALL(PIPE_13_an_error_is_told_as_it_is),
        OVER_ALL(PIPE_13_closed_before_its_end),
        OVER_ALL(PIPE_13_a_refused_connect),
        OVER_ALL(PIPE_13_EMT_12_the_error_has_been_heard),
        OVER_ALL(PIPE_13_EMT_06_EMT_08_remove_all_does_not_lose_it),
        OVER_ALL(PIPE_13_of_a_stream_that_is_over),
        OVER_ALL(PIPE_13_a_side_that_is_over_already),
        OVER_ALL(PIPE_13_the_next_life_is_none_of_its_business),
        OVER_ALL(PIPE_13_the_runtimes_end_is_told),
        OVER_ALL(PIPE_13_cancelled_it_is_not_called),
        OVER_ALL(PIPE_14_a_signal_ends_the_waiting_and_not_the_stream),
        OVER_ALL(PIPE_14_the_signal_beats_what_comes_later),
        OVER_ALL(PIPE_17_it_leaves_the_signal_when_it_is_over),
        OVER_ALL(PIPE_13_waiting_again_inside_the_callback),
        OVER_ALL(LIFE_15_PIPE_13_destroying_and_cancelling_inside_the_callback),
        OVER_ALL(EMT_15_PIPE_13_it_holds_the_stream),
        FIXTURE_TEST(PIPE_13_what_is_no_stream_or_no_callback_is_refused),
        FIXTURE_TEST(PIPE_13_any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("finished", tests, NULL, NULL);
}
