/* SPDX-License-Identifier: MIT */
/* What becomes of a runtime, its log and its memory when the system, or whoever calls, does what it should not. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "core/memory.h"
#include <weir/plugin.h>

#include "core/plugin_check.h"
#include "core/runtime_private.h"
#include "support/fixture.h"
#include "support/syscalls.h"

/* ---- the runtime ---- */

static void no_runtime_without_what_it_stands_on(void **state)
{
    fixture *f = *state;
    static const char *const calls[] = {"uv_mutex_init", "uv_async_init"};
    uv_loop_t loop;
    (void)f;
    assert_null(weir_runtime_new(NULL));
    assert_int_equal(uv_loop_init(&loop), 0);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        size_t before = allocator_live();
        syscalls_fail_next(calls[i], UV_ENOMEM);
        assert_null(weir_runtime_new(&loop));
        assert_int_equal(syscalls_failures(), 1);
        syscalls_restore();
        assert_int_equal(allocator_live(), before);
    }
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void never(void *arg)
{
    *(int *)arg = 1;
}

typedef struct ending {
    weir_runtime *runtime;
    int posted, ran, closed;
} ending;

static void post_while_it_ends(const weir_event *event, void *arg)
{
    ending *self = arg;
    (void)event;
    self->closed = 1;
    self->posted = weir_runtime_post(self->runtime, never, &self->ran);
}

static void nothing_can_be_posted_to_a_runtime_that_ends(void **state)
{
    fixture *f = *state;
    ending self = {.runtime = f->runtime};
    assert_code(weir_runtime_post(NULL, never, &self), UV_EINVAL);
    assert_code(weir_runtime_post(f->runtime, NULL, &self), UV_EINVAL);
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_on(stream, WEIR_EVENT_CLOSE, post_while_it_ends, &self), 0);
    weir_stream_destroy(stream, NULL);
    assert_int_equal(self.closed, 0);
    fixture_end(f);
    assert_int_equal(self.closed, 1);
    assert_code(self.posted, UV_ECANCELED);
    assert_int_equal(self.ran, 0);
    weir_stream_release(stream);
}

static void see_nothing(const weir_plugin_info *info, void *arg)
{
    (void)info;
    (void)arg;
}

static int listed_at_the_end;

static void list_at_the_end(weir_runtime *runtime, void *instance)
{
    (void)instance;
    listed_at_the_end = weir_runtime_each_plugin(runtime, see_nothing, NULL);
}

static void plugins_are_not_listed_by_one_that_ends(void **state)
{
    static const weir_plugin last = {WEIR_PLUGIN_HEADER, .name = "last",
                                     .version = "1.0.0", .description = "asks at its end",
                                     .schema = "{}",     .exit = list_at_the_end};
    fixture *f = *state;
    assert_code(weir_runtime_register_plugin(f->runtime, &last, NULL), 0);
    assert_code(weir_runtime_each_plugin(f->runtime, see_nothing, NULL), 0);
    fixture_end(f);
    assert_code(listed_at_the_end, UV_ECANCELED);
}

static void count_run(weir_timer *timer)
{
    (void)timer;
}

static void timers_that_run_are_forgotten_with_the_runtime(void **state)
{
    fixture *f = *state;
    weir_timer first = {.run = count_run}, second = {.run = count_run};
    assert_code(weir_timer_start(f->runtime, &first, 100000), 0);
    assert_code(weir_timer_start(f->runtime, &second, 200000), 0);
    weir__timer_set_reference(f->runtime, &first, 0);
    weir__timer_set_reference(f->runtime, &second, 0);
    fixture_run(f); /* neither keeps the loop any more */
    weir__timer_set_reference(f->runtime, &first, 1);
    assert_int_equal(uv_loop_alive(&f->loop), 1);
    fixture_end(f);
    assert_int_equal(weir_timer_active(&first), 0);
    assert_int_equal(weir_timer_active(&second), 0);
}

/* ---- the log ---- */

static void without_a_function_warnings_go_to_the_standard_error(void **state)
{
    fixture *f = *state;
    char text[256] = "";
    int both[2];
    weir_runtime_on_log(f->runtime, NULL, NULL);
    assert_int_equal(pipe(both), 0);
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    assert_true(before >= 0);
    dup2(both[1], STDERR_FILENO);
    weir_log(f->runtime, WEIR_LOG_INFO, "not this %d", 1);
    weir_log(f->runtime, WEIR_LOG_WARN, "but %s", "this");
    weir_log(NULL, WEIR_LOG_ERROR, "and that");
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    close(both[1]);
    assert_true(read(both[0], text, sizeof(text) - 1) > 0);
    close(both[0]);
    assert_string_equal(text, "weir: warning: but this\nweir: error: and that\n");
    assert_string_equal(weir_log_level_name((weir_log_level)77), "unknown");
}

/* ---- memory ---- */

static void sizes_that_do_not_fit_are_no_memory(void **state)
{
    void *items = NULL;
    size_t capacity = SIZE_MAX / 2;
    (void)state;
    assert_null(weir_calloc(SIZE_MAX / 2, 3));
    assert_code(weir__array_reserve(&items, SIZE_MAX / 2, &capacity, 16), UV_ENOMEM);
    assert_null(items);
    allocator_fail(1, 0);
    assert_null(weir__strdup("text"));
    allocator_fail(0, 0);
}

static void a_message_that_cannot_be_made_leaves_the_error(void **state)
{
    static const wchar_t broken[] = {(wchar_t)0x7fffffff, 0};
    (void)state;
    weir_error *error = weir_error_newf(UV_EPIPE, "write", NULL, -1, "%ls", broken);
    assert_code(error->code, UV_EPIPE);
    assert_string_equal(error->message, "write: broken pipe (EPIPE)");
    weir_error_release(error);
}

static void a_link_without_a_table_lacks_it(void **state)
{
    (void)state;
    assert_string_equal(weir__link_ops_missing(NULL, true), "ops");
}

static void the_allocator_is_replaced_as_a_whole(void **state)
{
    const weir_allocator whole = {malloc, realloc, calloc, free};
    (void)state;
    for (int i = 0; i < 4; i++) {
        weir_allocator part = whole;
        if (i == 0)
            part.malloc = NULL;
        if (i == 1)
            part.realloc = NULL;
        if (i == 2)
            part.calloc = NULL;
        if (i == 3)
            part.free = NULL;
        assert_code(weir_set_allocator(&part), UV_EINVAL);
    }
    size_t calls = allocator_calls();
    assert_code(weir_set_allocator(NULL), 0);
    weir_free(weir_malloc(1));
    assert_int_equal(allocator_calls(), calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(no_runtime_without_what_it_stands_on),
        FIXTURE_TEST(nothing_can_be_posted_to_a_runtime_that_ends),
        FIXTURE_TEST(plugins_are_not_listed_by_one_that_ends),
        FIXTURE_TEST(timers_that_run_are_forgotten_with_the_runtime),
        FIXTURE_TEST(without_a_function_warnings_go_to_the_standard_error),
        cmocka_unit_test(sizes_that_do_not_fit_are_no_memory),
        cmocka_unit_test(a_message_that_cannot_be_made_leaves_the_error),
        cmocka_unit_test(a_link_without_a_table_lacks_it),
        /* The last one: nothing is counted after it. */
        cmocka_unit_test(the_allocator_is_replaced_as_a_whole),
    };
    return cmocka_run_group_tests_name("failures", tests, NULL, NULL);
}
