/* SPDX-License-Identifier: MIT */
/* Abort signals by themselves: fired once, listeners once, in order, whatever they do meanwhile. */
#include <stdio.h>
#include <string.h>

#include "fixture.h"

/* A signal, and what its listeners noted. */
typedef struct subject {
    weir_abort *signal;
    char text[64];
} subject;

static void note(subject *s, char name)
{
    size_t length = strlen(s->text);
    s->text[length] = name;
    s->text[length + 1] = '\0';
}

static void note_a(weir_abort *signal, void *arg)
{
    subject *s = arg;
    assert_ptr_equal(signal, s->signal);
    assert_true(weir_abort_fired(signal));
    note(s, 'a');
}

static void note_b(weir_abort *signal, void *arg)
{
    (void)signal;
    note(arg, 'b');
}

static void on(subject *s, weir_abort_listener listener)
{
    assert_code(weir_abort_on(s->signal, listener, s), 0);
}

static subject begin(void)
{
    subject s = {.signal = weir_abort_new()};
    assert_non_null(s.signal);
    return s;
}

static void PIPE_15_a_signal_is_fired_once(void **state)
{
    subject s = begin();
    (void)state;
    on(&s, note_a);
    on(&s, note_b);
    on(&s, note_a);
    assert_int_equal(weir_abort_listener_count(s.signal), 3);
    assert_int_equal(weir_abort_fired(s.signal), 0);
    assert_null(weir_abort_error(s.signal));

    weir_abort_fire(s.signal, NULL);
    assert_string_equal(s.text, "aba"); /* inside the call */
    assert_int_equal(weir_abort_fired(s.signal), 1);
    assert_int_equal(weir_abort_listener_count(s.signal), 0);

    weir_error *late = weir_error_new(UV_EIO, NULL, NULL, -1);
    weir_abort_fire(s.signal, late);
    assert_string_equal(s.text, "aba");
    assert_int_equal(weir_abort_error(s.signal)->error_count, 0); /* the first one's reason counts, it had none */
    assert_code(weir_abort_on(s.signal, note_a, &s), WEIR_EABORTED);
    assert_int_equal(weir_abort_listener_count(s.signal), 0);
    weir_error_release(late);
    weir_abort_release(s.signal);
}

static void PIPE_16_its_error_tells_the_reason(void **state)
{
    weir_abort *plain = weir_abort_new();
    weir_abort *told = weir_abort_new();
    weir_error *reason = weir_error_newf(UV_ETIMEDOUT, NULL, NULL, -1, "the user went home");
    (void)state;
    weir_abort_fire(plain, NULL);
    const weir_error *error = weir_abort_error(plain);
    assert_code(error->code, WEIR_EABORTED);
    assert_string_equal(error->name, "ABORT_ERR");
    assert_string_equal(error->message, "the operation was aborted");
    assert_int_equal(error->error_count, 0);

    weir_abort_fire(told, reason);
    error = weir_abort_error(told);
    assert_code(error->code, WEIR_EABORTED);
    assert_string_equal(error->name, "ABORT_ERR");
    assert_string_equal(error->message, "the operation was aborted: the user went home");
    assert_int_equal(error->error_count, 1);
    assert_ptr_equal(error->errors[0], reason);

    weir_error_retain(error);
    weir_error_release(reason);
    weir_abort_release(plain);
    weir_abort_release(told);
    assert_code(error->errors[0]->code, UV_ETIMEDOUT); /* the error holds it */
    weir_error_release(error);
}

static void PIPE_15_off_removes_the_most_recently_added(void **state)
{
    subject s = begin();
    (void)state;
    on(&s, note_a);
    on(&s, note_b);
    on(&s, note_a);
    weir_abort_off(s.signal, note_a, &s);
    weir_abort_off(s.signal, note_a, NULL); /* none such */
    assert_int_equal(weir_abort_listener_count(s.signal), 2);
    weir_abort_fire(s.signal, NULL);
    assert_string_equal(s.text, "ab");
    weir_abort_off(s.signal, note_a, &s);
    weir_abort_release(s.signal);
}

static void PIPE_15_nothing_is_let_pass_or_refused(void **state)
{
    weir_abort *signal = weir_abort_new();
    (void)state;
    weir_abort_fire(NULL, NULL);
    weir_abort_release(NULL);
    weir_abort_off(NULL, note_a, NULL);
    assert_null(weir_abort_retain(NULL));
    assert_int_equal(weir_abort_fired(NULL), 0);
    assert_null(weir_abort_error(NULL));
    assert_int_equal(weir_abort_listener_count(NULL), 0);
    assert_code(weir_abort_on(NULL, note_a, NULL), UV_EINVAL);
    assert_code(weir_abort_on(signal, NULL, NULL), UV_EINVAL);
    weir_abort_release(signal);
}

/* ---- inside a listener ---- */

static void fire_again(weir_abort *signal, void *arg)
{
    note(arg, 'f');
    weir_abort_fire(signal, NULL);
    note(arg, 'F');
}

static void remove_a(weir_abort *signal, void *arg)
{
    note(arg, 'r');
    weir_abort_off(signal, note_a, arg);
}

static void add_a(weir_abort *signal, void *arg)
{
    note(arg, '+');
    assert_code(weir_abort_on(signal, note_a, arg), WEIR_EABORTED);
}

static void give_up(weir_abort *signal, void *arg)
{
    note(arg, 'g');
    weir_abort_release(signal);
}

static void PIPE_15_a_listener_that_fires_again(void **state)
{
    subject s = begin();
    (void)state;
    on(&s, fire_again);
    on(&s, note_a);
    weir_abort_fire(s.signal, NULL);
    assert_string_equal(s.text, "fFa");
    weir_abort_release(s.signal);
}

static void PIPE_15_a_listener_that_removes_and_adds_others(void **state)
{
    subject s = begin();
    (void)state;
    on(&s, note_a);
    on(&s, remove_a); /* takes the later a */
    on(&s, note_a);
    on(&s, add_a);
    on(&s, note_b);
    weir_abort_fire(s.signal, NULL);
    assert_string_equal(s.text, "ar+b");
    weir_abort_release(s.signal);
}

static void PIPE_15_a_listener_that_gives_up_the_signal(void **state)
{
    subject s = begin();
    (void)state;
    on(&s, give_up);
    on(&s, note_a);
    on(&s, note_b);
    weir_abort_fire(s.signal, NULL); /* its last reference goes inside */
    assert_string_equal(s.text, "gab");
}

static void PIPE_17_a_signal_that_goes_takes_its_listeners_along(void **state)
{
    subject s = begin();
    (void)state;
    on(&s, note_a);
    on(&s, note_b);
    weir_abort_release(s.signal); /* memory: the fixture counts it */
    assert_string_equal(s.text, "");
}

/* ---- memory ---- */

static void live(void *arg)
{
    weir_error *reason = arg;
    subject s = {.signal = weir_abort_new()};
    if (s.signal == NULL) {
        assert_true(allocator_failures() > 0);
        return;
    }
    int added = weir_abort_on(s.signal, note_a, &s);
    assert_true(added == 0 || (added == UV_ENOMEM && allocator_failures() > 0));
    size_t failures = allocator_failures();
    weir_abort_fire(s.signal, reason);
    assert_string_equal(s.text, added == 0 ? "a" : "");
    const weir_error *error = weir_abort_error(s.signal);
    assert_code(error->code, WEIR_EABORTED);
    assert_int_equal(error->error_count, allocator_failures() > failures ? 0 : 1);
    weir_abort_release(s.signal);
}

static void PIPE_15_a_signal_fires_without_memory(void **state)
{
    weir_error *reason = weir_error_new(UV_EIO, NULL, NULL, -1);
    (void)state;
    assert_true(allocator_fail_each(live, reason) > 4);
    weir_error_release(reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(PIPE_15_a_signal_is_fired_once),
        FIXTURE_TEST(PIPE_16_its_error_tells_the_reason),
        FIXTURE_TEST(PIPE_15_off_removes_the_most_recently_added),
        FIXTURE_TEST(PIPE_15_nothing_is_let_pass_or_refused),
        FIXTURE_TEST(PIPE_15_a_listener_that_fires_again),
        FIXTURE_TEST(PIPE_15_a_listener_that_removes_and_adds_others),
        FIXTURE_TEST(PIPE_15_a_listener_that_gives_up_the_signal),
        FIXTURE_TEST(PIPE_17_a_signal_that_goes_takes_its_listeners_along),
        FIXTURE_TEST(PIPE_15_a_signal_fires_without_memory),
    };
    return cmocka_run_group_tests_name("abort", tests, NULL, NULL);
}
