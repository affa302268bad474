/* SPDX-License-Identifier: MIT */
/*
 * What a listener or a callback may do at the worst moment: calls inside 'close', releases before events that name the
 * released, calls that are refused half-way.
 */
#include <string.h>
#include <unistd.h>

#include "../transports/raw_peer.h"
#include "counted.h"
#include "linked.h"
#include "runtime_private.h"
#include "server_private.h"
#include "stream_private.h"

/* ---- reading ---- */

static void RD_08_a_one_time_readable_listener_gives_the_flow_back(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_once(p.accepted->stream, WEIR_EVENT_READABLE, counted_event, &noted), 0);
    over_send_text(f, p.client, "a");
    assert_int_equal(noted.calls, 1);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), -1);
    recorder_add(p.accepted, RECORD_DATA);
    over_send_text(f, p.client, "bc");
    recorder_expect_data(p.accepted, "abc", 3);
}

static void RD_07_data_flows_on_when_a_one_time_readable_listener_has_run(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_once(p.accepted->stream, WEIR_EVENT_READABLE, counted_event, &noted), 0);
    over_send_text(f, p.client, "abc");
    assert_int_equal(noted.calls, 1);
    recorder_expect_data(p.accepted, "abc", 3);
}

static void RD_09_PIPE_01_a_pipe_gets_what_read_takes(void **state)
{
    fixture *f = *state;
    pair in = over_pair(f, 0, RECORD_READABLE);
    pair out = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_pipe(in.accepted->stream, out.client->stream, NULL), 0);
    over_send_text(f, in.client, "hello");
    assert_int_equal(out.accepted->data_size, 0);
    weir_buf_release(weir_stream_read(in.accepted->stream, 0));
    fixture_turns(f, OVER_TURNS);
    recorder_expect_data(out.accepted, "hello", 5);
}

typedef struct inside {
    fixture *f;
    weir_task task;
    int was_inside;
    int freeing;
    int ran;
} inside;

static void run_inside_task(weir_task *task)
{
    inside *self = (inside *)(void *)((char *)task - offsetof(inside, task));
    self->ran = 1;
}

static void look_inside(const weir_event *event, void *arg)
{
    inside *self = arg;
    (void)event;
    self->was_inside = weir_runtime_inside(self->f->runtime);
    self->freeing = weir_runtime_free(self->f->runtime);
    weir_runtime_defer(self->f->runtime, &self->task);
}

static void EMT_16_a_data_listener_under_read_is_inside_too(void **state)
{
    fixture *f = *state;
    inside self = {.f = f, .task = {.run = run_inside_task}};
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    weir_stream_pause(stream);
    assert_code(weir_stream_on(stream, WEIR_EVENT_DATA, look_inside, &self), 0);
    assert_code(weir_stream_unshift(stream, "abc", 3), 0);
    fixture_turns(f, OVER_TURNS);
    weir_buf_release(weir_stream_read(stream, 0));
    assert_int_equal(self.was_inside, 1);
    assert_code(self.freeing, UV_EBUSY);
    assert_int_equal(self.ran, 0);
    assert_int_equal(weir_runtime_inside(f->runtime), 0);
    fixture_until(f, &self.ran);
    weir_stream_release(stream);
}

static void close_and_pause(const weir_event *event, void *arg)
{
    counted *noted = arg;
    noted->calls++;
    close(event->fd);
    weir_stream_pause(event->target_stream);
}

static void close_and_destroy(const weir_event *event, void *arg)
{
    counted *noted = arg;
    noted->calls++;
    close(event->fd);
    weir_stream_destroy(event->target_stream, NULL);
}

static recorder *receive_a_descriptor(fixture *f, weir_listener listener, counted *noted, int *peer)
{
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    *peer = raw_connect_path(fixture_url(f, server) + strlen("ipc:"));
    raw_send_descriptors(*peer, "x", peer, 1);
    recorder *r = fixture_accepted(f, server, 0);
    assert_code(weir_stream_on(r->stream, WEIR_EVENT_FD, listener, noted), 0);
    recorder_add(r, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    return r;
}

static void SOCM_59_pause_inside_fd_holds_at_once(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    int peer;
    recorder *r = receive_a_descriptor(f, close_and_pause, &noted, &peer);
    assert_int_equal(noted.calls, 1);
    assert_int_equal(r->data_size, 0);
    recorder_resume(r);
    recorder_wait_data(r, 1);
    close(peer);
}

static void SOCM_59_destroy_inside_fd(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    int peer;
    recorder *r = receive_a_descriptor(f, close_and_destroy, &noted, &peer);
    over_wait_closed(r);
    assert_int_equal(noted.calls, 1);
    assert_int_equal(r->data_size, 0);
    close(peer);
}

/* ---- callbacks ---- */

static void write_in_it(const weir_event *event, void *arg)
{
    counted *noted = arg;
    const int fd = 2;
    noted->other++;
    assert_code(weir_stream_write(event->target_stream, "x", 1, counted_callback, noted), 0);
    assert_code(weir_stream_write_fd(event->target_stream, "x", 1, &fd, 1, counted_callback, noted), 0);
    assert_code(weir_stream_end(event->target_stream, counted_callback, noted), 0);
}

static void SOCM_57_callbacks_of_calls_inside_error_and_close_come(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    int status = 0;
    weir_stream *stream = weir_connect(f->runtime, over_nowhere(f), NULL, NULL, NULL, &status);
    assert_code(status, 0);
    assert_code(weir_stream_on(stream, WEIR_EVENT_ERROR, write_in_it, &noted), 0);
    assert_code(weir_stream_on(stream, WEIR_EVENT_CLOSE, write_in_it, &noted), 0);
    weir_stream_release(stream);
    fixture_run(f);
    assert_int_equal(noted.other, 2);
    assert_int_equal(noted.calls, 6);
    assert_code(noted.status, WEIR_ESTREAM_DESTROYED);
}

typedef struct eager {
    char *order;
    char name;
    int more;
} eager;

static void write_more(weir_stream *stream, int status, void *arg)
{
    eager *self = arg;
    (void)status;
    size_t length = strlen(self->order);
    self->order[length] = self->name;
    self->order[length + 1] = '\0';
    if (self->more-- > 0) {
        weir_stream_write(stream, "x", 1, write_more, self);
    }
}

static void WR_08_who_writes_in_its_callbacks_lets_others_have_theirs(void **state)
{
    fixture *f = *state;
    char order[16] = "";
    eager many = {order, 'a', 3};
    eager one = {order, 'b', 0};
    pair first = over_pair(f, 0, 0);
    pair second = over_pair(f, 0, 0);
    weir_stream_write(first.client->stream, "x", 1, write_more, &many);
    weir_stream_write(second.client->stream, "x", 1, write_more, &one);
    fixture_turns(f, OVER_TURNS);
    assert_string_equal(order, "abaaa");
}

/* ---- life ---- */

static void WR_19_end_before_connect_in_one_tick_waits_for_it(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    weir_server *server = over_listen(f, NULL);
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    recorder *r = record_stream(f, stream, 0);
    weir_stream_release(stream);
    assert_code(weir_stream_end(stream, counted_callback, &noted), 0);
    assert_code(weir_stream_connect(stream, fixture_url(f, server), NULL, NULL), 0);
    recorder_add(r, RECORD_DATA);
    over_wait_closed(r);
    over_expect(r, "resume connect ready finish end close");
    assert_int_equal(noted.calls, 1);
    assert_code(noted.status, 0);
}

static void PIPE_05_nobody_is_told_inside_release(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    weir_stream *source = weir_stream_new(f->runtime, NULL);
    weir_stream *destination = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_on(destination, WEIR_EVENT_PIPE, counted_event, &noted), 0);
    assert_code(weir_stream_pipe(source, destination, NULL), 0);
    weir_stream_release(destination);
    assert_int_equal(noted.calls, 0);
    weir_stream_release(source);
    fixture_run(f);
    assert_int_equal(noted.calls, 0);
}

/* A destination that goes takes with it the last that held the next one. */
static void PIPE_09_a_destination_that_fails_may_take_the_next_one_along(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    weir_stream *source = p.accepted->stream;
    weir_stream *first = weir_stream_new(f->runtime, NULL);
    weir_stream *second = weir_stream_new(f->runtime, NULL);
    counted noted = {0};
    assert_code(weir_stream_on(first, WEIR_EVENT_ERROR, counted_event, &noted), 0);
    over_send_text(f, p.client, "hello");
    assert_code(weir_stream_pipe(source, first, NULL), 0);
    assert_code(weir_stream_pipe(second, first, NULL), 0);
    assert_code(weir_stream_pipe(source, second, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    weir_stream_unpipe(second, first); /* 'unpipe' names it, and has not come yet */
    weir_stream_release(second);
    weir_buf_release(weir_stream_read(source, 0));
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(noted.calls, 1);
    assert_code(noted.status, WEIR_ESOCKET_CLOSED);
    weir_stream_release(first);
}

static void SOCM_41_a_time_out_that_was_refused_does_not_run(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    size_t refused = 0;
    for (size_t nth = 1;; nth++) {
        weir_stream *stream = weir_stream_new(f->runtime, NULL);
        allocator_fail(nth, 0);
        int status = weir_stream_set_timeout(stream, 1000, counted_event, &noted);
        size_t failures = allocator_failures();
        allocator_fail(0, 0);
        if (failures > 0) {
            assert_code(status, UV_ENOMEM);
            assert_int_equal(f->runtime->timer_count, 0);
            assert_int_equal(weir_stream_timeout(stream), -1);
            assert_int_equal(weir_stream_listener_count(stream, WEIR_EVENT_TIMEOUT), 0);
            refused++;
        }
        weir_stream_release(stream);
        if (failures == 0) {
            break;
        }
    }
    assert_true(refused >= 2);
}

/* ---- servers ---- */

static void SRV_08_close_wait_leaves_nothing_behind_when_it_gives_up(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_server *server = weir_stream_server(p.accepted->stream);
    weir_stream_unref(p.client->stream);
    weir_stream_unref(p.accepted->stream);
    assert_code(weir_server_close_wait(server), UV_ECANCELED);
    assert_null(server->close_callbacks);
    assert_null(server->other_callbacks);
}

static void SRV_10_a_server_that_fails_with_connections_is_let_go(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_server *server = weir_stream_server(p.accepted->stream);
    assert_code(weir_server_on(server, WEIR_EVENT_ERROR, counted_event, &noted), 0);
    weir_error *error = weir_error_new(UV_EIO, "accept", NULL, -1);
    weir_runtime_enter(f->runtime);
    weir_acceptor_failed(server->current->acceptor, error);
    weir_runtime_leave(f->runtime);
    weir_error_release(error);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(noted.calls, 1);
    recorder_end(p.client);
    over_wait_both_closed(p);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(server->active, 0);
}

static void count_server_callback(weir_server *server, int status, void *arg)
{
    counted *noted = arg;
    (void)server;
    noted->calls++;
    noted->status = status;
}

static void BN_26_close_all_without_memory_does_nothing(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_server *server = weir_stream_server(p.accepted->stream);
    for (size_t nth = 1;; nth++) {
        allocator_fail(nth, 0);
        int status = weir_server_close_all(server, 1000, count_server_callback, &noted);
        size_t failures = allocator_failures();
        allocator_fail(0, 0);
        if (failures == 0) {
            assert_code(status, 0);
            break;
        }
        assert_code(status, UV_ENOMEM);
        assert_int_equal(weir_server_listening(server), 1);
        assert_int_equal(weir_stream_writable(p.accepted->stream), 1);
        assert_int_equal(f->runtime->timer_count, 0);
    }
    over_wait_both_closed(p);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(noted.calls, 1);
    assert_code(noted.status, 0);
}

/* ---- the runtime ---- */

typedef struct again {
    weir_timer timer;
    weir_runtime *runtime;
    int fired;
} again;

static void start_again(weir_timer *timer)
{
    again *self = (again *)(void *)timer;
    if (++self->fired < 1000) {
        weir_timer_start(self->runtime, timer, 0);
    }
}

static void runtime_a_timer_of_no_time_lets_the_loop_turn(void **state)
{
    fixture *f = *state;
    again self = {.timer = {.run = start_again}, .runtime = f->runtime};
    assert_code(weir_timer_start(f->runtime, &self.timer, 0), 0);
    fixture_until(f, &self.fired);
    assert_true(self.fired < 1000);
    weir_timer_stop(f->runtime, &self.timer);
}

typedef struct visitor {
    uv_prepare_t handle;
    weir_runtime *runtime;
    weir_task task;
    int visits;
    int freed;
    int made;
} visitor;

static void run_nothing(weir_task *task)
{
    (void)task;
}

/* The application's own handle, which the loop calls while the runtime ends. */
static void visit(uv_prepare_t *handle)
{
    visitor *self = handle->data;
    self->visits++;
    self->freed = weir_runtime_free(self->runtime);
    weir_stream *stream = weir_stream_new(self->runtime, NULL);
    weir_server *server = weir_server_new(self->runtime, NULL);
    self->made += stream != NULL || server != NULL;
    weir_stream_release(stream);
    weir_server_release(server);
    weir_runtime_defer(self->runtime, &self->task);
    weir_runtime_cancel(self->runtime, &self->task);
}

static void runtime_the_end_is_not_disturbed_by_who_comes_meanwhile(void **state)
{
    fixture *f = *state;
    visitor self = {.task = {.run = run_nothing}, .runtime = fixture_new_runtime(&f->loop)};
    assert_non_null(self.runtime);
    uv_prepare_init(&f->loop, &self.handle);
    self.handle.data = &self;
    uv_prepare_start(&self.handle, visit);
    assert_code(weir_runtime_free(self.runtime), 0);
    assert_true(self.visits > 0);
    assert_code(self.freed, UV_EBUSY);
    assert_int_equal(self.made, 0);
    uv_prepare_stop(&self.handle);
    uv_close((uv_handle_t *)&self.handle, NULL);
    fixture_run(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ALL(RD_08_a_one_time_readable_listener_gives_the_flow_back),
        ON_ALL(RD_07_data_flows_on_when_a_one_time_readable_listener_has_run),
        ON_ALL(RD_09_PIPE_01_a_pipe_gets_what_read_takes),
        ON_ALL(SOCM_57_callbacks_of_calls_inside_error_and_close_come),
        ON(SOCM_59_pause_inside_fd_holds_at_once, ipc),
        ON(SOCM_59_destroy_inside_fd, ipc),
        ON_ALL(WR_08_who_writes_in_its_callbacks_lets_others_have_theirs),
        ON_ALL(WR_19_end_before_connect_in_one_tick_waits_for_it),
        FIXTURE_TEST(PIPE_05_nobody_is_told_inside_release),
        ON_ALL(PIPE_09_a_destination_that_fails_may_take_the_next_one_along),
        FIXTURE_TEST(SOCM_41_a_time_out_that_was_refused_does_not_run),
        ON_ALL(SRV_08_close_wait_leaves_nothing_behind_when_it_gives_up),
        ON_ALL(SRV_10_a_server_that_fails_with_connections_is_let_go),
        ON_ALL(BN_26_close_all_without_memory_does_nothing),
        FIXTURE_TEST(runtime_a_timer_of_no_time_lets_the_loop_turn),
        FIXTURE_TEST(EMT_16_a_data_listener_under_read_is_inside_too),
        FIXTURE_TEST(runtime_the_end_is_not_disturbed_by_who_comes_meanwhile),
    };
    return cmocka_run_group_tests_name("stream_reentrancy", tests, NULL, NULL);
}
