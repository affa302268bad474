/* SPDX-License-Identifier: MIT */
/* Chains of streams that end together: going through, failing, aborted, over before they began. */
#include <stdlib.h>
#include <string.h>

#include "over.h"

#define MEBIBYTE ((size_t)1024 * 1024)

/* What a pipeline's callback was told. */
typedef struct verdict {
    int count;
    int code;
    const weir_error *error; /* only to be compared with */
    weir_stream *streams[3]; /* of these, how many were destroyed by then */
    size_t destroyed;
} verdict;

static void judge(const weir_error *error, void *arg)
{
    verdict *v = arg;
    v->count++;
    v->error = error;
    v->code = error == NULL ? 0 : error->code;
    for (size_t i = 0; i < 3; i++) {
        v->destroyed += v->streams[i] != NULL && weir_stream_destroyed(v->streams[i]);
    }
}

static void expect(fixture *f, const verdict *v, int code)
{
    over_until(f, &v->count);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(v->count, 1);
    assert_code(v->code, code);
}

/* `from` writes, `first` is piped to `last`, `to` reads; with a middle one between them that echoes. */
typedef struct line {
    recorder *from;
    recorder *first;
    recorder *middle;
    recorder *echo; /* the other end of the middle one */
    recorder *last;
    recorder *to;
    weir_stream *streams[3];
    verdict v;
} line;

static line lay(fixture *f, int with_middle)
{
    weir_stream_options half_open = over_half_open(); /* its peer's end is not its own */
    pair in = over_pair(f, 0, 0);
    pair out = over_pair(f, 0, 0);
    line l = {.from = in.client, .first = in.accepted, .last = out.client, .to = out.accepted};
    if (with_middle) {
        pair middle = over_pair_with(f, 0, &half_open, 0, NULL);
        l.middle = middle.client;
        l.echo = middle.accepted;
        assert_code(weir_stream_pipe(l.echo->stream, l.echo->stream, NULL), 0);
    }
    size_t count = 0;
    l.streams[count++] = l.first->stream;
    if (with_middle) {
        l.streams[count++] = l.middle->stream;
    }
    l.streams[count] = l.last->stream;
    memcpy((void *)l.v.streams, (const void *)l.streams, sizeof(l.streams));
    return l;
}

static size_t length(const line *l)
{
    return l->middle == NULL ? 2 : 3;
}

static void start(line *l, const weir_pipeline_options *options)
{
    recorder_add(l->to, RECORD_DATA);
    recorder_add(l->from, RECORD_DATA);
    assert_code(weir_pipeline(l->streams, length(l), options, judge, &l->v), 0);
    assert_int_equal(l->v.count, 0);
}

/* After a failure: all are destroyed when the callback comes, and close with that code. */
static void expect_failure(fixture *f, line *l, int code)
{
    expect(f, &l->v, code);
    assert_int_equal(l->v.destroyed, length(l));
    for (size_t i = 0; i < length(l); i++) {
        assert_int_equal(weir_stream_closed(l->streams[i]), 1);
    }
    assert_string_equal(fixture_log(f), "");
}

/* ---- going through ---- */

static void PIPE_11_two_streams_and_all_their_bytes(void **state)
{
    fixture *f = *state;
    char *bytes = malloc(MEBIBYTE);
    fixture_fill(bytes, MEBIBYTE, 7);
    line l = lay(f, 0);
    start(&l, NULL);
    recorder_write(l.from, bytes, MEBIBYTE);
    recorder_end(l.from);
    expect(f, &l.v, 0);
    assert_null(l.v.error);
    recorder_wait(l.to, WEIR_EVENT_END);
    recorder_expect_data(l.to, bytes, MEBIBYTE);
    assert_true(recorder_saw(l.last, "finish"));
    free(bytes);
}

static void PIPE_11_a_socket_in_the_middle(void **state)
{
    fixture *f = *state;
    char *bytes = malloc(MEBIBYTE);
    fixture_fill(bytes, MEBIBYTE, 8);
    line l = lay(f, 1);
    start(&l, NULL);
    recorder_write(l.from, bytes, MEBIBYTE);
    recorder_end(l.from);
    expect(f, &l.v, 0);
    recorder_wait(l.to, WEIR_EVENT_END);
    recorder_expect_data(l.to, bytes, MEBIBYTE);
    assert_true(recorder_saw(l.middle, "finish"));
    assert_true(recorder_saw(l.middle, "end"));
    free(bytes);
}

static void PIPE_07_PIPE_11_a_stream_into_itself(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, 0);
    weir_stream *echo[2] = {p.accepted->stream, p.accepted->stream};
    verdict v = {0};
    assert_code(weir_pipeline(echo, 2, NULL, judge, &v), 0);
    recorder_write(p.client, "hello", 5);
    recorder_end(p.client);
    expect(f, &v, 0);
    over_wait_both_closed(p);
    recorder_expect_data(p.client, "hello", 5);
}

static void PIPE_11_there_and_back(void **state)
{
    fixture *f = *state;
    pair client = over_pair(f, RECORD_DATA, 0);
    weir_stream_options half_open = over_half_open();
    pair upstream = over_pair_with(f, 0, &half_open, 0, NULL);
    assert_code(weir_stream_pipe(upstream.accepted->stream, upstream.accepted->stream, NULL), 0);
    weir_stream *bridge[3] = {client.accepted->stream, upstream.client->stream, client.accepted->stream};
    verdict v = {0};
    assert_code(weir_pipeline(bridge, 3, NULL, judge, &v), 0);
    recorder_write(client.client, "there and back", 14);
    recorder_wait_data(client.client, 14);
    assert_int_equal(v.count, 0);
    recorder_destroy(client.client, NULL); /* without an end of its own, or with: nothing of the bridge may stay */
    over_until(f, &v.count);
    over_wait_both_closed(upstream);
    over_wait_closed(client.accepted);
    assert_int_equal(v.count, 1);
}

static void PIPE_11_without_an_end_for_the_last(void **state)
{
    fixture *f = *state;
    line l = lay(f, 0);
    weir_pipeline_options options = {.size = sizeof(options), .no_end = 1};
    start(&l, &options);
    recorder_write(l.from, "one", 3);
    recorder_end(l.from);
    expect(f, &l.v, 0);
    assert_int_equal(weir_stream_writable(l.last->stream), 1);
    recorder_write(l.last, "two", 3);
    recorder_wait_data(l.to, 6);
    recorder_expect_data(l.to, "onetwo", 6);
}

static void PIPE_11_nobody_needs_to_be_told(void **state)
{
    fixture *f = *state;
    line l = lay(f, 0);
    recorder_add(l.to, RECORD_DATA);
    assert_code(weir_pipeline(l.streams, 2, NULL, NULL, NULL), 0);
    over_destroy_with(l.first, UV_EPROTO);
    over_wait_closed(l.last);
    over_expect_tail(l.last, "error:EPROTO close:error");
}

/* ---- failing ---- */

static void PIPE_11_any_error_destroys_all(void **state)
{
    fixture *f = *state;
    for (int victim = 0; victim < 3; victim++) {
        line l = lay(f, 1);
        recorder *streams[3] = {l.first, l.middle, l.last};
        start(&l, NULL);
        recorder_write(l.from, "some", 4);
        recorder_wait_data(l.to, 4);
        over_destroy_with(streams[victim], UV_EPROTO);
        expect_failure(f, &l, UV_EPROTO);
        assert_ptr_equal(l.v.error, weir_stream_errored(l.streams[0]));
        for (int i = 0; i < 3; i++) {
            over_expect_tail(streams[i], "error:EPROTO close:error");
        }
    }
}

static void PIPE_11_any_early_close_destroys_all(void **state)
{
    fixture *f = *state;
    for (int victim = 0; victim < 3; victim++) {
        line l = lay(f, 1);
        recorder *streams[3] = {l.first, l.middle, l.last};
        start(&l, NULL);
        recorder_write(l.from, "some", 4);
        recorder_wait_data(l.to, 4);
        recorder_destroy(streams[victim], NULL);
        expect_failure(f, &l, WEIR_EPREMATURE_CLOSE);
        over_expect_tail(streams[victim], " close");
        over_expect_tail(streams[(victim + 1) % 3], "error:ERR_STREAM_PREMATURE_CLOSE close:error");
    }
}

static void PIPE_11_the_last_one_finishes_too_early(void **state)
{
    fixture *f = *state;
    line l = lay(f, 0);
    start(&l, NULL);
    recorder_write(l.from, "some", 4);
    recorder_wait_data(l.to, 4);
    recorder_end(l.last); /* what the first one still brings has nowhere to go */
    expect_failure(f, &l, WEIR_EPREMATURE_CLOSE);
}

static void PIPE_11_EMT_12_a_peer_that_has_gone(void **state)
{
    fixture *f = *state;
    line l = lay(f, 0);
    verdict *v = &l.v;
    recorder_add(l.from, RECORD_DATA);
    assert_code(weir_pipeline(l.streams, 2, NULL, judge, v), 0);
    over_stall(f, l.from);
    recorder_destroy(l.to, NULL);
    over_until(f, &v->count);
    over_wait_closed(l.first);
    over_wait_closed(l.last);
    assert_true(v->code < 0);
    assert_int_equal(v->destroyed, 2);
    assert_string_equal(fixture_log(f), "");
}

static void PIPE_11_EMT_12_errors_nobody_listens_for_have_been_heard(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    verdict v = {0};
    f->record = 0;
    weir_stream *streams[2] = {weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, NULL),
                               weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, NULL)};
    assert_code(weir_pipeline(streams, 2, NULL, judge, &v), 0);
    weir_error *error = weir_error_new(UV_EPROTO, NULL, NULL, -1);
    weir_stream_destroy(streams[0], error);
    weir_error_release(error);
    weir_stream_release(streams[0]);
    weir_stream_release(streams[1]);
    expect(f, &v, UV_EPROTO);
    assert_string_equal(fixture_log(f), "");
}

/* ---- over before ---- */

static void PIPE_11_streams_that_are_over_already(void **state)
{
    fixture *f = *state;
    for (int closed = 0; closed < 2; closed++) {
        for (int victim = 0; victim < 2; victim++) {
            for (int failed = 0; failed < 2; failed++) {
                line l = lay(f, 0);
                recorder *streams[2] = {l.first, l.last};
                if (failed) {
                    over_destroy_with(streams[victim], UV_EPROTO);
                } else {
                    recorder_destroy(streams[victim], NULL);
                }
                if (closed) {
                    over_wait_closed(streams[victim]);
                }
                start(&l, NULL);
                expect_failure(f, &l, failed ? UV_EPROTO : WEIR_EPREMATURE_CLOSE);
            }
        }
    }
}

static void PIPE_11_a_source_that_has_ended_already(void **state)
{
    fixture *f = *state;
    for (int closed = 0; closed < 2; closed++) {
        weir_server_options options;
        weir_server_options_init(&options);
        options.stream.allow_half_open = !closed;
        pair in = over_pair_with(f, RECORD_DATA, NULL, RECORD_DATA, &options);
        pair out = over_pair(f, 0, RECORD_DATA);
        verdict v = {0};
        recorder_end(in.client);
        recorder_wait(in.accepted, closed ? WEIR_EVENT_CLOSE : WEIR_EVENT_END);
        weir_stream *streams[2] = {in.accepted->stream, out.client->stream};
        assert_code(weir_pipeline(streams, 2, NULL, judge, &v), 0);
        assert_int_equal(v.count, 0);
        expect(f, &v, 0);
        recorder_wait(out.accepted, WEIR_EVENT_END);
    }
}

static void PIPE_11_a_destination_that_has_closed_takes_nothing(void **state)
{
    fixture *f = *state;
    line l = lay(f, 0);
    recorder_add(l.last, RECORD_DATA);
    recorder_add(l.to, RECORD_DATA);
    recorder_end(l.last);
    over_wait_closed(l.last); /* well, but it is over */
    start(&l, NULL);
    expect_failure(f, &l, WEIR_EPREMATURE_CLOSE);
}

/* ---- signals ---- */

static void PIPE_12_a_signal_destroys_all(void **state)
{
    fixture *f = *state;
    line l = lay(f, 1);
    weir_pipeline_options options = {.size = sizeof(options), .signal = weir_abort_new()};
    start(&l, &options);
    assert_int_equal(weir_abort_listener_count(options.signal), 1);
    weir_abort_fire(options.signal, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(weir_stream_destroyed(l.streams[i]), 1);
    }
    assert_int_equal(l.v.count, 0);
    expect_failure(f, &l, WEIR_EABORTED);
    assert_ptr_equal(l.v.error, weir_abort_error(options.signal));
    over_expect_tail(l.middle, "error:ABORT_ERR close:error");
    weir_abort_release(options.signal);
}

static void PIPE_12_a_signal_fired_before(void **state)
{
    fixture *f = *state;
    line l = lay(f, 0);
    weir_pipeline_options options = {.size = sizeof(options), .signal = weir_abort_new()};
    weir_abort_fire(options.signal, NULL);
    start(&l, &options);
    expect_failure(f, &l, WEIR_EABORTED);
    assert_false(recorder_saw(l.last, "pipe"));
    weir_abort_release(options.signal);
}

static void PIPE_12_PIPE_17_after_the_end_the_signal_means_nothing(void **state)
{
    fixture *f = *state;
    line l = lay(f, 0);
    weir_pipeline_options options = {.size = sizeof(options), .signal = weir_abort_new()};
    start(&l, &options);
    recorder_end(l.from);
    expect(f, &l.v, 0);
    assert_int_equal(weir_abort_listener_count(options.signal), 0);
    weir_abort_fire(options.signal, NULL);
    recorder_add(l.last, RECORD_DATA); /* to see the end */
    over_wait_closed(l.last);
    over_expect_tail(l.last, " close");
    assert_int_equal(l.v.count, 1);
    weir_abort_release(options.signal);
}

static void PIPE_12_streams_with_the_same_signal(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_stream_options stream = over_half_open();
    stream.signal = signal;
    pair p = over_pair_with(f, 0, &stream, 0, NULL);
    weir_stream *echo[2] = {p.client->stream, p.client->stream};
    weir_pipeline_options options = {.size = sizeof(options), .signal = signal};
    verdict v = {0};
    assert_code(weir_pipeline(echo, 2, &options, judge, &v), 0);
    weir_abort_fire(signal, NULL);
    weir_abort_release(signal);
    expect(f, &v, WEIR_EABORTED);
    over_wait_closed(p.client);
    over_expect_tail(p.client, "error:ABORT_ERR close:error");
}

/* ---- the runtime's end, lives, listeners ---- */

static void PIPE_11_the_runtimes_end_is_told(void **state)
{
    fixture *f = *state;
    line l = lay(f, 1);
    verdict fresh = {0};
    start(&l, NULL);
    weir_stream *streams[2] = {weir_stream_new(f->runtime, NULL), weir_stream_new(f->runtime, NULL)};
    assert_code(weir_pipeline(streams, 2, NULL, judge, &fresh), 0);
    weir_stream_release(streams[0]);
    weir_stream_release(streams[1]);
    fixture_end(f);
    assert_int_equal(l.v.count, 1);
    assert_code(l.v.code, WEIR_EPREMATURE_CLOSE);
    assert_int_equal(fresh.count, 1);
    assert_code(fresh.code, WEIR_EPREMATURE_CLOSE);
    assert_code(weir_pipeline(l.streams, 3, NULL, judge, &fresh), UV_ECANCELED);
}

static void PIPE_11_EMT_06_remove_all_does_not_lose_it(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    verdict v = {0};
    f->record = 0;
    weir_stream *streams[2] = {weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, NULL),
                               weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, NULL)};
    assert_code(weir_pipeline(streams, 2, NULL, judge, &v), 0);
    weir_stream_remove_all(streams[0], WEIR_EVENT_COUNT);
    weir_stream_remove_all(streams[1], WEIR_EVENT_COUNT);
    weir_stream_destroy(streams[1], NULL);
    expect(f, &v, WEIR_EPREMATURE_CLOSE);
    assert_int_equal(weir_stream_closed(streams[0]), 1);
    weir_stream_release(streams[0]);
    weir_stream_release(streams[1]);
}

static void connect_again(const weir_event *event, void *arg)
{
    const char **url = arg;
    if (*url != NULL) {
        assert_code(weir_stream_connect(event->target_stream, *url, NULL, NULL), 0);
        *url = NULL;
    }
}

static void PIPE_11_CONN_06_the_next_life_is_none_of_its_business(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    verdict v = {0};
    f->record = 0;
    weir_stream *streams[2] = {weir_connect(f->runtime, url, NULL, NULL, NULL, NULL),
                               weir_connect(f->runtime, url, NULL, NULL, NULL, NULL)};
    assert_code(weir_stream_on(streams[0], WEIR_EVENT_CLOSE, connect_again, (void *)&url), 0);
    assert_code(weir_pipeline(streams, 2, NULL, judge, &v), 0);
    weir_stream_destroy(streams[0], NULL);
    expect(f, &v, WEIR_EPREMATURE_CLOSE);
    assert_int_equal(weir_stream_destroyed(streams[0]), 0); /* it had begun anew before the pipeline was told */
    assert_int_equal(weir_stream_closed(streams[1]), 1);
    weir_stream_destroy(streams[0], NULL);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(v.count, 1);
    weir_stream_release(streams[0]);
    weir_stream_release(streams[1]);
}

/* ---- inside ---- */

typedef struct again {
    weir_stream **streams;
    int count;
} again;

static void pipe_again(const weir_error *error, void *arg)
{
    again *a = arg;
    (void)error;
    if (++a->count < 3) {
        assert_code(weir_pipeline(a->streams, 2, NULL, pipe_again, a), 0);
    }
}

static void LIFE_15_PIPE_11_a_pipeline_inside_the_callback(void **state)
{
    fixture *f = *state;
    line l = lay(f, 0);
    again a = {.streams = l.streams};
    assert_code(weir_pipeline(l.streams, 2, NULL, pipe_again, &a), 0);
    recorder_destroy(l.first, NULL);
    over_wait_closed(l.last);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(a.count, 3);
}

static void destroy_all(const weir_event *event, void *arg)
{
    const line *l = arg;
    (void)event;
    for (size_t i = 0; i < length(l); i++) {
        weir_stream_destroy(l->streams[i], NULL);
    }
}

static void LIFE_15_PIPE_11_all_destroyed_inside_a_listener(void **state)
{
    static const weir_event_type types[] = {WEIR_EVENT_PIPE, WEIR_EVENT_DATA, WEIR_EVENT_END, WEIR_EVENT_FINISH,
                                            WEIR_EVENT_UNPIPE};
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        line l = lay(f, 1);
        for (size_t each = 0; each < 3; each++) {
            assert_code(weir_stream_prepend_once(l.streams[each], types[i], destroy_all, &l), 0);
        }
        start(&l, NULL);
        recorder_write(l.from, "some", 4);
        recorder_end(l.from);
        expect(f, &l.v, WEIR_EPREMATURE_CLOSE);
        for (size_t each = 0; each < 3; each++) {
            weir_stream_remove_all(l.streams[each], types[i]);
        }
    }
}

/* ---- what is refused, memory ---- */

static void PIPE_11_what_is_no_chain_is_refused(void **state)
{
    fixture *f = *state;
    line l = lay(f, 1);
    weir_stream *twice[5] = {l.streams[0], l.streams[1], l.streams[0], l.streams[1], l.streams[2]};
    weir_stream *hole[2] = {l.streams[0], NULL};
    weir_runtime *other = fixture_new_runtime(&f->loop);
    weir_stream *strange[2] = {l.streams[0], weir_stream_new(other, NULL)};
    assert_code(weir_pipeline(NULL, 2, NULL, judge, &l.v), UV_EINVAL);
    assert_code(weir_pipeline(l.streams, 1, NULL, judge, &l.v), UV_EINVAL);
    assert_code(weir_pipeline(hole, 2, NULL, judge, &l.v), UV_EINVAL);
    assert_code(weir_pipeline(strange, 2, NULL, judge, &l.v), UV_EINVAL);
    assert_code(weir_pipeline(twice, 5, NULL, judge, &l.v), UV_EEXIST);
    assert_code(weir_stream_pipe(l.streams[1], l.streams[2], NULL), 0);
    assert_code(weir_pipeline(l.streams, 3, NULL, judge, &l.v), UV_EEXIST);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(l.v.count, 0);
    over_expect(l.middle, "connect ready resume"); /* of the pipe that there is */
    assert_false(recorder_saw(l.first, "resume"));
    weir_stream_release(strange[1]);
    assert_code(weir_runtime_free(other), 0);
}

static void live(void *arg)
{
    fixture *f = arg;
    weir_stream *streams[2] = {weir_stream_new(f->runtime, NULL), weir_stream_new(f->runtime, NULL)};
    weir_abort *signal = weir_abort_new();
    weir_pipeline_options options = {.size = sizeof(options), .signal = signal};
    verdict v = {0};
    if (streams[0] != NULL && streams[1] != NULL && signal != NULL) {
        int status = weir_pipeline(streams, 2, &options, judge, &v);
        assert_true(status == 0 || (status == UV_ENOMEM && allocator_failures() > 0));
        assert_int_equal(weir_abort_listener_count(signal), status == 0);
        assert_int_equal(weir_stream_readable_flowing(streams[0]), status == 0 ? 1 : -1);
        weir_stream_destroy(streams[0], NULL);
        weir_stream_destroy(streams[1], NULL);
        while (uv_run(&f->loop, UV_RUN_NOWAIT) != 0) {
        }
        assert_int_equal(v.count, status == 0);
    }
    weir_stream_release(streams[0]);
    weir_stream_release(streams[1]);
    weir_abort_release(signal);
}

static void PIPE_11_without_memory_nothing_is_done(void **state)
{
    fixture *f = *state;
    live(f);
    assert_true(allocator_fail_each(live, f) > 10);
}

/* Both are open, and neither has anything more to do with the other. */
static void PIPE_11_streams_of_which_the_sides_are_over_already(void **state)
{
    fixture *f = *state;
    weir_stream_options half_open = over_half_open();
    weir_server_options server_options;
    weir_server_options_init(&server_options);
    server_options.stream = half_open;
    pair in = over_pair_with(f, 0, NULL, RECORD_DATA, &server_options);
    pair out = over_pair_with(f, 0, &half_open, 0, &server_options);
    weir_stream *streams[2] = {in.accepted->stream, out.client->stream};
    verdict v = {0};
    recorder_end(in.client);
    recorder_wait(in.accepted, WEIR_EVENT_END);
    recorder_end(out.client);
    recorder_wait(out.client, WEIR_EVENT_FINISH);
    assert_code(weir_pipeline(streams, 2, NULL, judge, &v), 0);
    assert_int_equal(v.count, 0); /* not inside the call */
    expect(f, &v, 0);
    assert_int_equal(weir_stream_destroyed(streams[0]), 0);
    assert_int_equal(weir_stream_destroyed(streams[1]), 0);
    recorder_destroy(in.accepted, NULL);
    recorder_destroy(out.client, NULL);
    over_wait_closed(out.client);
    over_wait_closed(in.accepted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(PIPE_11_two_streams_and_all_their_bytes),
        OVER_ALL(PIPE_11_a_socket_in_the_middle),
        OVER_ALL(PIPE_07_PIPE_11_a_stream_into_itself),
        OVER_ALL(PIPE_11_there_and_back),
        OVER_ALL(PIPE_11_without_an_end_for_the_last),
        OVER_ALL(PIPE_11_nobody_needs_to_be_told),
        OVER_ALL(PIPE_11_any_error_destroys_all),
        OVER_ALL(PIPE_11_any_early_close_destroys_all),
        OVER_ALL(PIPE_11_the_last_one_finishes_too_early),
        OVER_ALL(PIPE_11_EMT_12_a_peer_that_has_gone),
        OVER_ALL(PIPE_11_EMT_12_errors_nobody_listens_for_have_been_heard),
        OVER_ALL(PIPE_11_streams_that_are_over_already),
        OVER_ALL(PIPE_11_streams_of_which_the_sides_are_over_already),
        OVER_ALL(PIPE_11_a_source_that_has_ended_already),
        OVER_ALL(PIPE_11_a_destination_that_has_closed_takes_nothing),
        OVER_ALL(PIPE_12_a_signal_destroys_all),
        OVER_ALL(PIPE_12_a_signal_fired_before),
        OVER_ALL(PIPE_12_PIPE_17_after_the_end_the_signal_means_nothing),
        OVER_ALL(PIPE_12_streams_with_the_same_signal),
        OVER_ALL(PIPE_11_the_runtimes_end_is_told),
        OVER_ALL(PIPE_11_EMT_06_remove_all_does_not_lose_it),
        OVER_ALL(PIPE_11_CONN_06_the_next_life_is_none_of_its_business),
        OVER_ALL(LIFE_15_PIPE_11_a_pipeline_inside_the_callback),
        OVER_ALL(LIFE_15_PIPE_11_all_destroyed_inside_a_listener),
        OVER_ALL(PIPE_11_what_is_no_chain_is_refused),
        FIXTURE_TEST(PIPE_11_without_memory_nothing_is_done),
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
