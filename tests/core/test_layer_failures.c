/* SPDX-License-Identifier: MIT */
/* Layers put on an open stream without memory, too late, or while it ends: what becomes of the bytes and the callback. */
#include <string.h>

#include "over.h"

static int tear_down(void **state)
{
    allocator_fail(0, 0);
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, over_tcp, tear_down)

/* The layer lets all pass, so that only one side needs it. */
static weir_endpoint *probe_endpoint(fixture *f)
{
    weir_endpoint *endpoint = NULL;
    assert_code(weir_endpoint_parse(f->runtime, "probe+tcp://127.0.0.1:1", WEIR_SERVER, NULL, &endpoint, NULL), 0);
    return endpoint;
}

typedef struct outcome {
    int done;
    int status;
    int destroy; /* in the callback */
} outcome;

static void on_added(weir_stream *stream, int status, void *arg)
{
    outcome *o = arg;
    o->done++;
    o->status = status;
    if (o->destroy) {
        weir_stream_destroy(stream, NULL);
    }
}

/* Unread bytes at the accepted side, of which two are read already. */
static pair unread_pair(fixture *f, const char *text)
{
    pair p = over_pair(f, RECORD_DATA, 0);
    weir_stream_refill(p.accepted->stream);
    recorder_write(p.client, text, strlen(text));
    fixture_turns(f, OVER_TURNS);
    weir_buf *first = weir_stream_read(p.accepted->stream, 2);
    assert_non_null(first);
    assert_memory_equal(first->data, text, 2);
    weir_buf_release(first);
    return p;
}

/* ---- memory ---- */

/* Adds the layer, and lets the `nth` allocation after the call fail. Returns whether it did. */
static int hand_out_failing(fixture *f, weir_endpoint *endpoint, size_t nth, size_t *broken)
{
    pair p = unread_pair(f, "unread");
    outcome o = {0};
    assert_code(weir_stream_add_layer(p.accepted->stream, endpoint, on_added, &o), 0);
    recorder_add(p.accepted, RECORD_DATA);
    allocator_fail(nth, 0);
    fixture_turns(f, OVER_TURNS);
    int failed = allocator_failures() > 0;
    allocator_fail(0, 0);
    assert_int_equal(o.done, 1);
    if (weir_stream_destroyed(p.accepted->stream)) {
        assert_int_equal(failed, 1);
        assert_true(o.status == 0 || o.status == UV_ENOMEM);
        over_expect_tail(p.accepted, "error:ENOMEM close:error");
        ++*broken;
    } else {
        assert_code(o.status, 0);
        recorder_write(p.client, " and new", 8); /* through the same layer */
        recorder_wait_data(p.accepted, 12);
        recorder_expect_data(p.accepted, "read and new", 12);
    }
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    return failed;
}

static void what_was_unread_is_handed_out_or_the_stream_fails(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = probe_endpoint(f);
    size_t broken = 0;
    assert_int_equal(hand_out_failing(f, endpoint, 1000, &broken), 0); /* what the runtime keeps, it has then */
    for (size_t nth = 1; hand_out_failing(f, endpoint, nth, &broken); nth++) {
        assert_true(nth < 50);
    }
    assert_true(broken > 1);
    weir_endpoint_release(endpoint);
}

static int add_failing(weir_stream *stream, weir_endpoint *endpoint, size_t nth, outcome *o)
{
    allocator_fail(nth, 0);
    int status = weir_stream_add_layer(stream, endpoint, on_added, o);
    assert_code(status, allocator_failures() > 0 ? UV_ENOMEM : 0);
    allocator_fail(0, 0);
    assert_int_equal(weir_stream_readable_length(stream), status != 0 ? 4 : 0);
    return status;
}

static void a_layer_for_which_there_is_no_memory_changes_nothing(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = probe_endpoint(f);
    pair p = unread_pair(f, "unread");
    outcome o = {0};
    assert_code(add_failing(p.accepted->stream, endpoint, 1, &o), UV_ENOMEM);
    assert_code(add_failing(p.accepted->stream, endpoint, 2, &o), UV_ENOMEM); /* what is made first, it keeps */
    size_t nth = 1;
    while (add_failing(p.accepted->stream, endpoint, nth, &o) != 0) {
        nth++;
    }
    assert_true(nth > 3);
    fixture_until(f, &o.done);
    assert_code(o.status, 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, 4);
    recorder_expect_data(p.accepted, "read", 4);
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    weir_endpoint_release(endpoint);
}

/* ---- too late ---- */

static void a_stream_that_has_been_read_to_its_end_takes_no_layer(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = probe_endpoint(f);
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream = over_half_open();
    pair p = over_pair_with(f, 0, NULL, RECORD_DATA, &options);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    assert_code(weir_stream_add_layer(p.accepted->stream, endpoint, NULL, NULL), UV_EOF);
    assert_code(weir_stream_add_layer(NULL, endpoint, NULL, NULL), UV_EINVAL);
    recorder_write(p.accepted, "still", 5);
    recorder_add(p.client, RECORD_DATA);
    recorder_wait_data(p.client, 5);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
    weir_endpoint_release(endpoint);
}

/* ---- while it ends ---- */

static void a_callback_that_destroys_the_stream(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = probe_endpoint(f);
    pair p = unread_pair(f, "unread");
    outcome o = {.destroy = 1};
    assert_code(weir_stream_add_layer(p.accepted->stream, endpoint, on_added, &o), 0);
    assert_int_equal(weir_stream_write(p.accepted->stream, "never", 5, NULL, NULL), 1);
    fixture_until(f, &o.done);
    over_wait_both_closed(p);
    assert_int_equal(o.done, 1);
    assert_code(o.status, 0);
    assert_int_equal(p.client->data_size, 0);
    weir_endpoint_release(endpoint);
}

static void a_reset_asked_for_while_the_layer_opens(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;
    assert_code(
        weir_endpoint_parse(f->runtime, "chaos+tcp://127.0.0.1:1?chaos.delay=5", WEIR_SERVER, NULL, &endpoint, NULL),
        0);
    pair p = unread_pair(f, "unread");
    outcome o = {0};
    assert_code(weir_stream_add_layer(p.accepted->stream, endpoint, on_added, &o), 0);
    fixture_turns(f, 1);
    assert_int_equal(o.done, 0);
    assert_code(recorder_reset(p.accepted), 0);
    over_wait_both_closed(p);
    assert_int_equal(o.done, 1);
    assert_code(o.status, 0);
    assert_true(recorder_saw(p.client, "error:ECONNRESET"));
    weir_endpoint_release(endpoint);
}

static void bytes_that_nobody_reads_go_with_the_stream(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = probe_endpoint(f);
    pair p = unread_pair(f, "unread");
    weir_stream_pause(p.accepted->stream);
    assert_code(weir_stream_add_layer(p.accepted->stream, endpoint, NULL, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    recorder_destroy(p.accepted, NULL);
    over_wait_both_closed(p);
    weir_endpoint_release(endpoint);
}

/* ---- the loop, and the queue ---- */

static void SOCM_23_a_layer_on_a_stream_that_does_not_hold_the_loop(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = probe_endpoint(f);
    weir_server *server = over_listen(f, NULL);
    f->record = RECORD_DATA;
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_server_unref(server);
    weir_stream_unref(p.client->stream);
    weir_stream_unref(p.accepted->stream);
    assert_code(weir_stream_add_layer(p.accepted->stream, endpoint, NULL, NULL), 0);
    fixture_run(f);
    assert_int_equal(uv_loop_alive(&f->loop), 0);
    weir_stream_ref(p.client->stream);
    recorder_write(p.client, "x", 1);
    recorder_wait_data(p.accepted, 1);
    weir_endpoint_release(endpoint);
}

/* The empty write is the last that goes out below the layer, and has nothing to send. */
static void WR_24_an_empty_write_before_the_layer(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = probe_endpoint(f);
    pair p = over_pair(f, 0, RECORD_DATA);
    outcome o = {0};
    recorder_pause(p.client);
    size_t size = over_stall(f, p.accepted);
    recorder_write(p.accepted, "", 0);
    assert_code(weir_stream_add_layer(p.accepted->stream, endpoint, on_added, &o), 0);
    recorder_write(p.accepted, "through", 7);
    assert_int_equal(o.done, 0);
    recorder_add(p.client, RECORD_DATA);
    recorder_resume(p.client);
    recorder_wait_data(p.client, size + 7);
    over_expect_stalled_data(p.client, size);
    assert_memory_equal(p.client->data + size, "through", 7);
    assert_int_equal(o.done, 1);
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    weir_endpoint_release(endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_unread_is_handed_out_or_the_stream_fails),
        TEST(a_layer_for_which_there_is_no_memory_changes_nothing),
        TEST(a_stream_that_has_been_read_to_its_end_takes_no_layer),
        TEST(a_callback_that_destroys_the_stream),
        TEST(a_reset_asked_for_while_the_layer_opens),
        TEST(bytes_that_nobody_reads_go_with_the_stream),
        TEST(SOCM_23_a_layer_on_a_stream_that_does_not_hold_the_loop),
        TEST(WR_24_an_empty_write_before_the_layer),
    };
    return cmocka_run_group_tests_name("layer failures", tests, NULL, NULL);
}
