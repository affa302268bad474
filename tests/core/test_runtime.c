/* SPDX-License-Identifier: MIT */
/* The runtime: brackets and ticks, turns, posts of other threads, timers, the read slab, its end. */
#include <string.h>

#include "fixture.h"
#include "runtime_private.h"

/* ---- ticks ---- */

typedef struct noted {
    weir_task task;
    fixture *f;
    char name;
    char *text; /* where names are collected */
    struct noted *then_defer;
    struct noted *then_next_turn;
} noted;

static void note(char *text, char name)
{
    size_t length = strlen(text);
    text[length] = name;
    text[length + 1] = '\0';
}

static void run_noted(weir_task *task)
{
    noted *self = (noted *)(void *)task;
    note(self->text, self->name);
    if (self->then_defer != NULL) {
        weir_runtime_defer(self->f->runtime, &self->then_defer->task);
    }
    if (self->then_next_turn != NULL) {
        weir_runtime_next_turn(self->f->runtime, &self->then_next_turn->task);
    }
}

static noted make(fixture *f, char *text, char name)
{
    return (noted){.task = {.run = run_noted}, .f = f, .name = name, .text = text};
}

static void runtime_EMT_16_ticks_run_in_order_when_the_outermost_bracket_ends(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    noted c = make(f, text, 'c');
    noted a = make(f, text, 'a');
    noted b = make(f, text, 'b');
    a.then_defer = &c;
    weir_runtime_enter(f->runtime);
    weir_runtime_enter(f->runtime);
    weir_runtime_defer(f->runtime, &a.task);
    weir_runtime_defer(f->runtime, &b.task);
    weir_runtime_defer(f->runtime, &a.task); /* waits already: stays where it is */
    weir_runtime_leave(f->runtime);
    assert_string_equal(text, "");
    assert_int_equal(weir_runtime_inside(f->runtime), 1);
    weir_runtime_leave(f->runtime);
    assert_string_equal(text, "abc");
    assert_int_equal(weir_runtime_inside(f->runtime), 0);
}

static void runtime_tick_deferred_outside_of_a_bracket_keeps_the_loop_alive(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    noted a = make(f, text, 'a');
    weir_runtime_defer(f->runtime, &a.task);
    assert_string_equal(text, "");
    fixture_run(f);
    assert_string_equal(text, "a");
}

static void runtime_next_turn_waits_for_another_iteration(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    noted b = make(f, text, 'b');
    noted a = make(f, text, 'a');
    noted t = make(f, text, 't');
    a.then_next_turn = &b;
    a.then_defer = &t;
    weir_runtime_next_turn(f->runtime, &a.task);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_string_equal(text, "at");
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_string_equal(text, "atb");
}

static void runtime_cancelled_task_does_not_run(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    noted a = make(f, text, 'a');
    noted b = make(f, text, 'b');
    weir_runtime_defer(f->runtime, &a.task);
    weir_runtime_next_turn(f->runtime, &b.task);
    weir_runtime_cancel(f->runtime, &a.task);
    weir_runtime_cancel(f->runtime, &b.task);
    weir_runtime_cancel(f->runtime, &b.task);
    fixture_run(f);
    assert_string_equal(text, "");
}

static void runtime_settling_comes_behind_the_ticks_and_once(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    noted s = make(f, text, 's');
    noted a = make(f, text, 'a');
    noted b = make(f, text, 'b');
    a.then_defer = &b;
    weir_runtime_enter(f->runtime);
    weir_runtime_settle(f->runtime, &s.task);
    weir_runtime_settle(f->runtime, &s.task);
    weir_runtime_defer(f->runtime, &a.task);
    weir_runtime_leave(f->runtime);
    assert_string_equal(text, "abs");
}

/* ---- posts ---- */

#define POSTS 1000

typedef struct poster {
    weir_runtime *runtime;
    int count;
    int last;
    int out_of_order;
} poster;

typedef struct posted {
    poster *from;
    int number;
} posted;

static posted posts[2][POSTS];

static void on_post(void *arg)
{
    posted *post = arg;
    post->from->out_of_order += post->number != post->from->last + 1;
    post->from->last = post->number;
    post->from->count++;
}

static void post_all(void *arg)
{
    posted *mine = arg;
    for (int i = 0; i < POSTS; i++) {
        if (weir_runtime_post(mine[i].from->runtime, on_post, &mine[i]) != 0) {
            return;
        }
    }
}

static void runtime_posts_of_two_threads_all_arrive_in_their_order(void **state)
{
    fixture *f = *state;
    static poster from[2];
    uv_thread_t threads[2];
    memset(from, 0, sizeof(from));
    for (int t = 0; t < 2; t++) {
        from[t].runtime = f->runtime;
        for (int i = 0; i < POSTS; i++) {
            posts[t][i] = (posted){.from = &from[t], .number = i + 1};
        }
        assert_int_equal(uv_thread_create(&threads[t], post_all, posts[t]), 0);
    }
    uv_ref((uv_handle_t *)&f->runtime->async); /* nothing else keeps this loop alive */
    while (from[0].count < POSTS || from[1].count < POSTS) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    uv_unref((uv_handle_t *)&f->runtime->async);
    for (int t = 0; t < 2; t++) {
        uv_thread_join(&threads[t]);
        assert_int_equal(from[t].out_of_order, 0);
    }
}

static void runtime_work_posted_before_its_end_is_run_by_the_end(void **state)
{
    fixture *f = *state;
    static poster from;
    static posted post;
    memset(&from, 0, sizeof(from));
    post = (posted){.from = &from, .number = 1};
    assert_int_equal(weir_runtime_post(f->runtime, on_post, &post), 0);
    fixture_end(f);
    assert_int_equal(from.count, 1);
}

typedef struct own {
    weir__post post;
    weir_runtime *runtime;
    int count;
} own;

/* Asks for itself once more: from here on it may be queued again. */
static void on_own(void *arg)
{
    own *self = arg;
    if (++self->count == 1) {
        assert_int_equal(weir__runtime_post(self->runtime, &self->post), 0);
    }
}

static void runtime_a_post_of_ones_own_waits_once_and_needs_no_memory(void **state)
{
    fixture *f = *state;
    own self = {.runtime = f->runtime};
    self.post = (weir__post){.run = on_own, .arg = &self, .owned = 1};
    allocator_fail(1, 1);
    assert_int_equal(weir__runtime_post(f->runtime, &self.post), 0);
    assert_int_equal(weir__runtime_post(f->runtime, &self.post), 0);
    assert_int_equal(weir_runtime_post(f->runtime, on_own, &self), UV_ENOMEM);
    weir__runtime_hold(f->runtime, 1);
    fixture_turns(f, 4);
    weir__runtime_hold(f->runtime, 0);
    allocator_fail(0, 0);
    assert_int_equal(self.count, 2);
}

/* ---- timers ---- */

typedef struct alarm {
    weir_timer timer;
    fixture *f;
    char name;
    char *text;
    struct alarm *stops;
} alarm;

static void on_alarm(weir_timer *timer)
{
    alarm *self = (alarm *)(void *)timer;
    note(self->text, self->name);
    if (self->stops != NULL) {
        weir_timer_stop(self->f->runtime, &self->stops->timer);
    }
}

static alarm make_alarm(fixture *f, char *text, char name)
{
    return (alarm){.timer = {.run = on_alarm}, .f = f, .name = name, .text = text};
}

static void runtime_timers_fire_in_the_order_of_their_times(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    alarm late = make_alarm(f, text, 'c');
    alarm middle = make_alarm(f, text, 'b');
    alarm early = make_alarm(f, text, 'a');
    assert_int_equal(weir_timer_start(f->runtime, &late.timer, 30), 0);
    assert_int_equal(weir_timer_start(f->runtime, &early.timer, 1), 0);
    assert_int_equal(weir_timer_start(f->runtime, &middle.timer, 15), 0);
    fixture_run(f);
    assert_string_equal(text, "abc");
    assert_int_equal(weir_timer_active(&late.timer), 0);
}

static void runtime_timer_stopped_by_another_of_the_same_moment_does_not_fire(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    alarm a = make_alarm(f, text, 'a');
    alarm b = make_alarm(f, text, 'b');
    a.stops = &b;
    b.stops = &a;
    weir_runtime_enter(f->runtime); /* one moment for both */
    assert_int_equal(weir_timer_start(f->runtime, &a.timer, 1), 0);
    assert_int_equal(weir_timer_start(f->runtime, &b.timer, 1), 0);
    weir_runtime_leave(f->runtime);
    fixture_run(f);
    assert_string_equal(text, "a");
}

static void EMT_16_timers_of_one_moment_fire_in_the_order_of_their_starts(void **state)
{
    enum { ALARMS = 26 };
    fixture *f = *state;
    char text[ALARMS + 1] = "";
    alarm alarms[ALARMS];
    weir_runtime_enter(f->runtime); /* one moment for all */
    for (int i = 0; i < ALARMS; i++) {
        alarms[i] = make_alarm(f, text, (char)('a' + i));
        assert_int_equal(weir_timer_start(f->runtime, &alarms[i].timer, 2), 0);
    }
    for (int i = 0; i < ALARMS; i += 2) { /* the heap is stirred */
        weir_timer_stop(f->runtime, &alarms[i].timer);
    }
    for (int i = 0; i < ALARMS; i += 2) {
        assert_int_equal(weir_timer_start(f->runtime, &alarms[i].timer, 2), 0);
    }
    assert_int_equal(weir_timer_start(f->runtime, &alarms[1].timer, 2), 0); /* moves behind them all */
    weir_runtime_leave(f->runtime);
    fixture_run(f);
    assert_string_equal(text, "dfhjlnprtvxzacegikmoqsuwyb");
}

typedef struct deferring {
    alarm alarm;
    weir_task task;
} deferring;

static void note_tick(weir_task *task)
{
    deferring *self = (deferring *)(void *)((char *)task - offsetof(deferring, task));
    note(self->alarm.text, '.');
}

static void defer_a_tick(weir_timer *timer)
{
    deferring *self = (deferring *)(void *)timer;
    note(self->alarm.text, self->alarm.name);
    weir_runtime_defer(self->alarm.f->runtime, &self->task);
}

static void EMT_16_a_tick_of_one_timer_comes_before_the_next_timer(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    deferring both[2];
    weir_runtime_enter(f->runtime);
    for (int i = 0; i < 2; i++) {
        both[i] = (deferring){.alarm = make_alarm(f, text, (char)('a' + i)), .task = {.run = note_tick}};
        both[i].alarm.timer.run = defer_a_tick;
        assert_int_equal(weir_timer_start(f->runtime, &both[i].alarm.timer, 1), 0);
    }
    weir_runtime_leave(f->runtime);
    fixture_run(f);
    assert_string_equal(text, "a.b.");
}

static void post_a_tick(void *arg)
{
    deferring *self = arg;
    defer_a_tick(&self->alarm.timer);
}

static void EMT_16_a_tick_of_one_post_comes_before_the_next_post(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    deferring both[2];
    for (int i = 0; i < 2; i++) {
        both[i] = (deferring){.alarm = make_alarm(f, text, (char)('a' + i)), .task = {.run = note_tick}};
        assert_int_equal(weir_runtime_post(f->runtime, post_a_tick, &both[i]), 0);
    }
    uv_ref((uv_handle_t *)&f->runtime->async); /* nothing else keeps this loop alive */
    uv_run(&f->loop, UV_RUN_ONCE);
    uv_unref((uv_handle_t *)&f->runtime->async);
    assert_string_equal(text, "a.b.");
}

static void runtime_timer_without_reference_does_not_keep_the_loop(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    alarm a = make_alarm(f, text, 'a');
    a.timer.unref = 1;
    assert_int_equal(weir_timer_start(f->runtime, &a.timer, 3600000), 0);
    fixture_run(f);
    assert_string_equal(text, "");
    weir_timer_stop(f->runtime, &a.timer);
}

#define MANY 1000

static void count_alarm(weir_timer *timer)
{
    alarm *self = (alarm *)(void *)timer;
    self->f = NULL;
}

static void runtime_many_timers_started_moved_and_stopped_at_random(void **state)
{
    fixture *f = *state;
    static alarm alarms[MANY];
    unsigned seed = 7;
    for (int i = 0; i < MANY; i++) {
        alarms[i] = (alarm){.timer = {.run = count_alarm}, .f = f};
    }
    for (int i = 0; i < 10 * MANY; i++) {
        seed = seed * 1103515245u + 12345u;
        alarm *one = &alarms[(seed >> 8) % MANY];
        if ((seed >> 20) % 4 == 0) {
            weir_timer_stop(f->runtime, &one->timer);
        } else {
            assert_int_equal(weir_timer_start(f->runtime, &one->timer, (seed >> 12) % 50), 0);
        }
        assert_true(i % 100 != 0 || f->runtime->timer_count <= MANY);
    }
    size_t running = 0;
    for (int i = 0; i < MANY; i++) {
        running += (size_t)weir_timer_active(&alarms[i].timer);
    }
    assert_int_equal(running, f->runtime->timer_count);
    fixture_run(f);
    size_t fired = 0;
    for (int i = 0; i < MANY; i++) {
        fired += alarms[i].f == NULL;
    }
    assert_int_equal(fired, running);
}

/* ---- the slab ---- */

static void runtime_slab_is_read_into_again_when_nobody_keeps_it(void **state)
{
    fixture *f = *state;
    weir_buf *first = weir__slab_view(f->runtime);
    assert_non_null(first);
    char *at = first->data;
    assert_int_equal(first->size, 256 * 1024);
    first->size = 10;
    weir_buf *second = weir__slab_view(f->runtime);
    assert_ptr_equal(second->data, at);
    assert_int_equal(second->size, 256 * 1024);
}

static void runtime_slab_RD_05_next_read_goes_behind_what_is_kept(void **state)
{
    fixture *f = *state;
    weir_buf *first = weir__slab_view(f->runtime);
    assert_non_null(first);
    memcpy(first->data, "kept", 4);
    first->size = 4;
    weir_buf *kept = weir_buf_retain(first);
    weir_buf *second = weir__slab_view(f->runtime);
    assert_non_null(second);
    assert_true(second->data >= kept->data + 4);
    memset(second->data, 'x', second->size);
    assert_memory_equal(kept->data, "kept", 4);
    weir_buf_release(kept);
    assert_int_equal(weir__slab_view(f->runtime)->size, 256 * 1024);
}

static void runtime_slab_is_replaced_when_little_is_left_of_it(void **state)
{
    fixture *f = *state;
    weir_buf *first = weir__slab_view(f->runtime);
    assert_non_null(first);
    first->size = 250 * 1024;
    first->data[0] = 'k';
    weir_buf *kept = weir_buf_retain(first);
    weir_buf *second = weir__slab_view(f->runtime);
    assert_non_null(second);
    assert_int_equal(second->size, 256 * 1024);
    memset(second->data, 'x', second->size);
    assert_int_equal(kept->data[0], 'k');
    weir_buf_release(kept);
}

static void runtime_slab_small_pieces_are_copied_and_large_ones_kept(void **state)
{
    fixture *f = *state;
    weir_buf *view = weir__slab_view(f->runtime);
    assert_non_null(view);
    view->size = 1;
    weir_buf *small = weir__buf_keep(view);
    assert_ptr_not_equal(small, view);
    assert_null(small->parent);
    view->size = 128 * 1024;
    weir_buf *large = weir__buf_keep(view);
    assert_ptr_equal(large, view);
    weir_buf_release(small);
    weir_buf_release(large);
}

/* ---- the end ---- */

static void end_inside(weir_task *task)
{
    noted *self = (noted *)(void *)task;
    assert_code(weir_runtime_free(self->f->runtime), UV_EBUSY);
    note(self->text, 'e');
}

static void runtime_cannot_end_inside_a_callback(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    noted a = make(f, text, 'a');
    a.task.run = end_inside;
    weir_runtime_defer(f->runtime, &a.task);
    fixture_run(f);
    assert_string_equal(text, "e");
}

typedef struct over_soon {
    weir_timer timer;
    weir_task task;
    int over;
} over_soon;

static void timer_is_over(weir_timer *timer)
{
    ((over_soon *)(void *)((char *)timer - offsetof(over_soon, timer)))->over = 1;
}

static void task_is_over(weir_task *task)
{
    ((over_soon *)(void *)((char *)task - offsetof(over_soon, task)))->over = 1;
}

/* The loop runs timers and tasks before it waits, in one turn; and there is more to wait for, for an hour. */
static void runtime_run_until_does_not_wait_on_when_a_timer_or_a_task_was_it(void **state)
{
    fixture *f = *state;
    over_soon by_timer = {.timer.run = timer_is_over};
    over_soon by_task = {.task.run = task_is_over};
    over_soon later = {.timer.run = timer_is_over};
    weir_timer_start(f->runtime, &later.timer, 3600000);
    weir_timer_start(f->runtime, &by_timer.timer, 1);
    uint64_t now = uv_hrtime();
    while (uv_hrtime() - now < 3000000) {
    }
    assert_code(weir_runtime_run_until(f->runtime, &by_timer.over), 0);
    weir_runtime_next_turn(f->runtime, &by_task.task);
    assert_code(weir_runtime_run_until(f->runtime, &by_task.over), 0);
    weir_timer_stop(f->runtime, &later.timer);
    assert_int_equal(later.over, 0);
    assert_int_equal(f->expired, 0);
}

static void runtime_run_until_says_when_nothing_is_left_to_do(void **state)
{
    fixture *f = *state;
    int done = 0;
    assert_code(weir_runtime_run_until(f->runtime, &done), UV_ECANCELED);
    done = 1;
    assert_code(weir_runtime_run_until(f->runtime, &done), 0);
    weir_runtime_enter(f->runtime);
    assert_code(weir_runtime_run_until(f->runtime, &done), UV_EBUSY);
    weir_runtime_leave(f->runtime);
}

static void runtime_A_28_default_high_water_mark_is_settable(void **state)
{
    fixture *f = *state;
    assert_int_equal(weir_runtime_default_high_water_mark(f->runtime), 16384);
    assert_code(weir_runtime_set_default_high_water_mark(f->runtime, 0), UV_EINVAL);
    assert_code(weir_runtime_set_default_high_water_mark(f->runtime, 1000), 0);
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_int_equal(weir_stream_readable_high_water_mark(stream), 1000);
    assert_int_equal(weir_stream_writable_high_water_mark(stream), 1000);
    weir_stream_release(stream);
}

static void runtime_streams_that_outlive_it_can_be_asked_and_released(void **state)
{
    fixture *f = *state;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    weir_server *server = weir_server_new(f->runtime, NULL);
    fixture_end(f);
    assert_int_equal(weir_stream_destroyed(stream), 1);
    assert_code(weir_stream_connect(stream, "tcp://127.0.0.1:1", NULL, NULL), UV_ECANCELED);
    assert_code(weir_server_listen(server, "tcp://127.0.0.1:0", NULL, NULL), UV_ECANCELED);
    weir_stream_destroy(stream, NULL);
    weir_stream_release(stream);
    weir_server_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(runtime_EMT_16_ticks_run_in_order_when_the_outermost_bracket_ends),
        FIXTURE_TEST(runtime_tick_deferred_outside_of_a_bracket_keeps_the_loop_alive),
        FIXTURE_TEST(runtime_next_turn_waits_for_another_iteration),
        FIXTURE_TEST(runtime_cancelled_task_does_not_run),
        FIXTURE_TEST(runtime_settling_comes_behind_the_ticks_and_once),
        FIXTURE_TEST(runtime_posts_of_two_threads_all_arrive_in_their_order),
        FIXTURE_TEST(runtime_a_post_of_ones_own_waits_once_and_needs_no_memory),
        FIXTURE_TEST(runtime_work_posted_before_its_end_is_run_by_the_end),
        FIXTURE_TEST(runtime_timers_fire_in_the_order_of_their_times),
        FIXTURE_TEST(EMT_16_timers_of_one_moment_fire_in_the_order_of_their_starts),
        FIXTURE_TEST(EMT_16_a_tick_of_one_timer_comes_before_the_next_timer),
        FIXTURE_TEST(EMT_16_a_tick_of_one_post_comes_before_the_next_post),
        FIXTURE_TEST(runtime_timer_stopped_by_another_of_the_same_moment_does_not_fire),
        FIXTURE_TEST(runtime_timer_without_reference_does_not_keep_the_loop),
        FIXTURE_TEST(runtime_many_timers_started_moved_and_stopped_at_random),
        FIXTURE_TEST(runtime_slab_is_read_into_again_when_nobody_keeps_it),
        FIXTURE_TEST(runtime_slab_RD_05_next_read_goes_behind_what_is_kept),
        FIXTURE_TEST(runtime_slab_is_replaced_when_little_is_left_of_it),
        FIXTURE_TEST(runtime_slab_small_pieces_are_copied_and_large_ones_kept),
        FIXTURE_TEST(runtime_cannot_end_inside_a_callback),
        FIXTURE_TEST(runtime_run_until_does_not_wait_on_when_a_timer_or_a_task_was_it),
        FIXTURE_TEST(runtime_run_until_says_when_nothing_is_left_to_do),
        FIXTURE_TEST(runtime_A_28_default_high_water_mark_is_settable),
        FIXTURE_TEST(runtime_streams_that_outlive_it_can_be_asked_and_released),
    };
    return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
