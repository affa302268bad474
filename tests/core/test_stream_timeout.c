/* SPDX-License-Identifier: MIT */
/* The idle time-out and the loop, row by row: what is activity, and who keeps the loop alive. */
#include <stdlib.h>
#include <string.h>

#include "../transports/raw_peer.h"
#include "over.h"

/* ---- the idle time-out ---- */

static void SOCM_41_SOCM_42_SOCM_43_timeout_is_a_notice(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_int_equal(weir_stream_timeout(p.client->stream), -1);
    assert_code(weir_stream_set_timeout(p.client->stream, 5, NULL, NULL), 0);
    assert_int_equal(weir_stream_timeout(p.client->stream), 5);
    over_wait_alive(f, p.client, WEIR_EVENT_TIMEOUT);
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
    assert_code(weir_stream_set_timeout(p.client->stream, 5, fixture_count, &heard), 0);
    assert_int_equal(weir_stream_listener_count(p.client->stream, WEIR_EVENT_TIMEOUT), 2);
    assert_code(weir_stream_set_timeout(p.client->stream, 0, fixture_count, &heard), 0);
    assert_int_equal(weir_stream_listener_count(p.client->stream, WEIR_EVENT_TIMEOUT), 1);
    assert_int_equal(weir_stream_timeout(p.client->stream), 0); /* SOCP-21 */
    over_wait_for(f, 20);
    assert_int_equal(p.client->counts[WEIR_EVENT_TIMEOUT], 0);
    assert_int_equal(heard, 0);
}

static void SOCM_45_SOCM_46_the_listener_runs_once_and_the_event_once_a_period(void **state)
{
    fixture *f = *state;
    int heard = 0;
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_set_timeout(p.client->stream, 2, fixture_count, &heard), 0);
    over_wait_for(f, 30);
    assert_int_equal(p.client->counts[WEIR_EVENT_TIMEOUT], 1);
    assert_int_equal(heard, 1);
    recorder_write(p.client, "activity", 8);
    over_wait_for(f, 30);
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

/* How long after the activity 'timeout' came. */
static uint64_t heard_after(fixture *f, recorder *idle, recorder *active)
{
    watch self = {.timer = {.run = act_now}, .active = active, .f = f};
    weir_stream_on(idle->stream, WEIR_EVENT_TIMEOUT, note_heard, &self);
    assert_code(weir_timer_start(f->runtime, &self.timer, 20), 0);
    assert_code(weir_stream_set_timeout(idle->stream, 40, NULL, NULL), 0);
    over_until(f, &self.heard);
    weir_timer_stop(f->runtime, &self.timer);
    weir_stream_off(idle->stream, WEIR_EVENT_TIMEOUT, note_heard, &self);
    assert_true(self.acted_at > 0);
    return self.heard_after;
}

/* A loop that is late may find both due at once, which shows nothing: then again. Without the postponing it is never so. */
static void expect_postponed(fixture *f, recorder *idle, recorder *active)
{
    int tries = 0;
    while (heard_after(f, idle, active) < 40) {
        assert_true(++tries < 50);
    }
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

/* 0: 'timeout' came sooner after the last movement of a long write than it may. */
static int moving_postpones(fixture *f)
{
    pair p = over_pair(f, 0, 0);
    over_stall(f, p.client);
    char *bytes = calloc(1, (size_t)64 * 1024 * 1024);
    recorder_write(p.client, bytes, (size_t)64 * 1024 * 1024);
    free(bytes);
    watch self = {.f = f};
    weir_stream_on(p.client->stream, WEIR_EVENT_TIMEOUT, note_heard, &self);
    assert_code(weir_stream_set_timeout(p.client->stream, 150, NULL, NULL), 0);
    for (int i = 0; i < 4 && !self.heard; i++) {
        over_wait_for(f, 75);
        self.acted_at = uv_now(&f->loop);
        uint64_t more = weir_stream_bytes_read(p.accepted->stream) + (size_t)4 * 1024 * 1024;
        weir_stream_resume(p.accepted->stream);
        while (weir_stream_bytes_read(p.accepted->stream) < more) {
            uv_run(&f->loop, UV_RUN_ONCE);
        }
        weir_stream_pause(p.accepted->stream);
    }
    weir_stream_off(p.client->stream, WEIR_EVENT_TIMEOUT, note_heard, &self);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
    return !self.heard || self.heard_after >= 150;
}

/*
 * The kernel goes on taking bytes of one long write: that is activity, though no callback has come. A loop that is held
 * up before it moves them shows nothing: then again. Without the postponing it is never so.
 */
static void SOCM_46_a_write_that_moves_is_activity(void **state)
{
    int tries = 0;
    while (!moving_postpones(*state)) {
        assert_true(++tries < 20);
    }
}

static void SOCM_47_the_idle_timer_keeps_no_loop_alive(void **state)
{
    fixture *f = *state;
    recorder *r = over_fresh(f, NULL);
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
    over_wait_alive(f, p.client, WEIR_EVENT_TIMEOUT);
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
    over_wait_alive(f, p.client, WEIR_EVENT_CLOSE);
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
    recorder *client = over_fresh(f, NULL);
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
    return cmocka_run_group_tests_name("stream_timeout", tests, NULL, NULL);
}
