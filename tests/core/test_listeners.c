/* SPDX-License-Identifier: MIT */
/* The list of listeners: order, one-time listeners, and changes in the middle of an emit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "allocator.h"
#include "core/listeners.h"

#define DATA WEIR_EVENT_DATA
#define END  WEIR_EVENT_END

/* An object with listeners, and what they did. */
typedef struct object {
    weir__listeners *listeners;
    char text[256];
    struct named *act_on; /* what the listeners below change */
} object;

/* A listener's argument: writes its name. */
typedef struct named {
    object *object;
    const char *name;
    int depth;
} named;

static void say(const weir_event *event, void *arg)
{
    named *self = arg;
    size_t length = strlen(self->object->text);
    (void)event;
    snprintf(self->object->text + length, sizeof(self->object->text) - length, "%s ", self->name);
}

static size_t emit(object *o, weir_event_type type)
{
    weir_event event = {.type = type};
    return weir__listeners_emit(&o->listeners, &event);
}

static void on(object *o, weir_listener listener, named *arg)
{
    assert_int_equal(weir__listeners_add(&o->listeners, DATA, listener, arg, 0), 0);
}

static void expect(object *o, const char *text)
{
    assert_string_equal(o->text, text);
    o->text[0] = '\0';
}

static void over(object *o)
{
    weir__listeners_remove_all(&o->listeners, WEIR_EVENT_COUNT);
    assert_null(o->listeners);
}

static void net_EMT_01_EMT_02_run_in_order_as_often_as_added(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    (void)state;
    on(&o, say, &a);
    on(&o, say, &b);
    on(&o, say, &a);
    assert_int_equal(emit(&o, DATA), 3);
    expect(&o, "a b a ");
    over(&o);
}

static void net_EMT_03_emit_tells_how_many_ran(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    (void)state;
    assert_int_equal(emit(&o, DATA), 0);
    on(&o, say, &a);
    assert_int_equal(emit(&o, END), 0);
    assert_int_equal(emit(&o, DATA), 1);
    over(&o);
}

static void listeners_cost_nothing_when_there_are_none(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    (void)state;
    size_t live = allocator_live();
    on(&o, say, &a);
    assert_true(allocator_live() > live);
    weir__listeners_off(&o.listeners, DATA, say, &a);
    assert_null(o.listeners);
    assert_int_equal(allocator_live(), live);
    weir__listeners_off(&o.listeners, DATA, say, &a);
    weir__listeners_remove_all(&o.listeners, DATA);
    assert_int_equal(weir__listeners_count(o.listeners, DATA), 0);
}

static void add_refuses(void **state)
{
    object o = {0};
    (void)state;
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, NULL, NULL, 0), UV_EINVAL);
    assert_int_equal(weir__listeners_add(&o.listeners, WEIR_EVENT_COUNT, say, NULL, 0), UV_EINVAL);
    assert_int_equal(weir__listeners_add(&o.listeners, (weir_event_type)-1, say, NULL, 0), UV_EINVAL);
    assert_null(o.listeners);
    assert_int_equal(emit(&o, WEIR_EVENT_COUNT), 0);
}

static void emit_once_more(const weir_event *event, void *arg)
{
    named *self = arg;
    say(event, arg);
    assert_int_equal(weir__listeners_emit(&self->object->listeners, event), self->depth);
}

static void net_EMT_04_once_is_removed_before_it_runs(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 1};
    (void)state;
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, emit_once_more, &a, WEIR__LISTENER_ONCE), 0);
    assert_int_equal(emit(&o, DATA), 1);
    expect(&o, "a ");
    assert_null(o.listeners);
    on(&o, say, &a);
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, emit_once_more, &b, WEIR__LISTENER_ONCE), 0);
    assert_int_equal(emit(&o, DATA), 2);
    expect(&o, "a b a ");
    assert_int_equal(emit(&o, DATA), 1);
    over(&o);
}

static void net_EMT_05_off_removes_the_most_recently_added(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    (void)state;
    on(&o, say, &a);
    on(&o, say, &b);
    on(&o, say, &a);
    weir__listeners_off(&o.listeners, DATA, say, &a);
    emit(&o, DATA);
    expect(&o, "a b ");
    weir__listeners_off(&o.listeners, END, say, &a);
    weir__listeners_off(&o.listeners, DATA, emit_once_more, &a);
    emit(&o, DATA);
    expect(&o, "a b ");
    over(&o);
}

static void net_EMT_05_EMT_07_off_goes_by_the_time_and_not_by_the_place(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    (void)state;
    on(&o, say, &a);
    on(&o, say, &b);
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, say, &a, WEIR__LISTENER_PREPEND), 0);
    weir__listeners_off(&o.listeners, DATA, say, &a);
    emit(&o, DATA);
    expect(&o, "a b ");
    over(&o);
}

static void net_EMT_05_off_finds_a_once_listener(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    (void)state;
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, say, &a, WEIR__LISTENER_ONCE), 0);
    weir__listeners_off(&o.listeners, DATA, say, &a);
    assert_int_equal(emit(&o, DATA), 0);
    assert_null(o.listeners);
}

static void net_EMT_06_remove_all_of_one_event_and_of_all(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    (void)state;
    on(&o, say, &a);
    on(&o, say, &a);
    assert_int_equal(weir__listeners_add(&o.listeners, END, say, &a, 0), 0);
    weir__listeners_remove_all(&o.listeners, DATA);
    assert_int_equal(weir__listeners_count(o.listeners, DATA), 0);
    assert_int_equal(weir__listeners_count(o.listeners, END), 1);
    on(&o, say, &a);
    over(&o);
}

static void net_EMT_06_remove_all_leaves_what_is_internal(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named own = {&o, "own", 0};
    (void)state;
    on(&o, say, &a);
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, say, &own, WEIR__LISTENER_INTERNAL), 0);
    assert_int_equal(weir__listeners_add(&o.listeners, END, say, &own, WEIR__LISTENER_INTERNAL | WEIR__LISTENER_ONCE),
                     0);
    assert_int_equal(weir__listeners_count(o.listeners, DATA), 1);
    assert_int_equal(emit(&o, DATA), 2);
    expect(&o, "a own ");
    weir__listeners_remove_all(&o.listeners, DATA);
    weir__listeners_remove_all(&o.listeners, WEIR_EVENT_COUNT);
    assert_int_equal(weir__listeners_count(o.listeners, DATA), 0);
    assert_int_equal(emit(&o, DATA), 1);
    assert_int_equal(emit(&o, END), 1);
    assert_int_equal(emit(&o, END), 0);
    expect(&o, "own own ");
    weir__listeners_off(&o.listeners, DATA, say, &own);
    assert_null(o.listeners);
}

static void listeners_of_a_freed_object_are_gone(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    size_t live = allocator_live();
    (void)state;
    weir__listeners_free(&o.listeners);
    on(&o, say, &a);
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, say, &a, WEIR__LISTENER_INTERNAL), 0);
    weir__listeners_free(&o.listeners);
    assert_null(o.listeners);
    assert_int_equal(allocator_live(), live);
}

static void net_EMT_07_prepend_goes_to_the_front(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    named c = {&o, "c", 0};
    (void)state;
    on(&o, say, &a);
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, say, &b, WEIR__LISTENER_PREPEND), 0);
    assert_int_equal(weir__listeners_add(&o.listeners, DATA, say, &c, WEIR__LISTENER_PREPEND | WEIR__LISTENER_ONCE), 0);
    emit(&o, DATA);
    expect(&o, "c b a ");
    emit(&o, DATA);
    expect(&o, "b a ");
    over(&o);
}

static void net_EMT_08_count(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    (void)state;
    assert_int_equal(weir__listeners_count(NULL, DATA), 0);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(weir__listeners_count(o.listeners, DATA), i);
        on(&o, say, &a);
    }
    assert_int_equal(weir__listeners_count(o.listeners, END), 0);
    assert_int_equal(weir__listeners_count(o.listeners, WEIR_EVENT_COUNT), 0);
    assert_int_equal(emit(&o, DATA), 100);
    over(&o);
}

static void remove_other(const weir_event *event, void *arg)
{
    named *self = arg;
    say(event, arg);
    weir__listeners_off(&self->object->listeners, DATA, say, self->object->act_on);
}

static void net_EMT_09_removed_during_emit_does_not_run_any_more(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    named c = {&o, "c", 0};
    (void)state;
    o.act_on = &b;
    on(&o, remove_other, &a);
    on(&o, say, &b);
    on(&o, say, &c);
    assert_int_equal(emit(&o, DATA), 2);
    expect(&o, "a c ");
    assert_int_equal(weir__listeners_count(o.listeners, DATA), 2);
    over(&o);
}

static void net_EMT_09_one_that_ran_already_may_be_removed(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    named c = {&o, "c", 0};
    (void)state;
    o.act_on = &a;
    on(&o, say, &a);
    on(&o, remove_other, &b);
    on(&o, say, &c);
    emit(&o, DATA);
    expect(&o, "a b c ");
    emit(&o, DATA);
    expect(&o, "b c ");
    over(&o);
}

static void add_other(const weir_event *event, void *arg)
{
    named *self = arg;
    say(event, arg);
    on(self->object, say, self->object->act_on);
}

static void net_EMT_10_added_during_emit_runs_in_the_next(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    (void)state;
    o.act_on = &b;
    on(&o, add_other, &a);
    assert_int_equal(emit(&o, DATA), 1);
    expect(&o, "a ");
    assert_int_equal(emit(&o, DATA), 2);
    expect(&o, "a b ");
    over(&o);
}

static void add_many(const weir_event *event, void *arg)
{
    named *self = arg;
    say(event, arg);
    for (int i = 0; i < 50; i++) {
        unsigned flags = i % 2 ? WEIR__LISTENER_PREPEND : 0;
        assert_int_equal(weir__listeners_add(&self->object->listeners, DATA, say, self->object->act_on, flags), 0);
    }
}

static void net_EMT_10_prepended_and_moved_during_emit(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    named c = {&o, "c", 0};
    (void)state;
    o.act_on = &c;
    on(&o, add_many, &a);
    on(&o, say, &b);
    assert_int_equal(emit(&o, DATA), 2);
    expect(&o, "a b ");
    assert_int_equal(weir__listeners_count(o.listeners, DATA), 52);
    over(&o);
}

static void remove_self_and_add_again(const weir_event *event, void *arg)
{
    named *self = arg;
    say(event, arg);
    weir__listeners_off(&self->object->listeners, DATA, remove_self_and_add_again, self);
    on(self->object, remove_self_and_add_again, self);
}

static void net_EMT_09_EMT_10_removed_and_added_again_runs_in_the_next(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    (void)state;
    on(&o, remove_self_and_add_again, &a);
    on(&o, say, &b);
    assert_int_equal(emit(&o, DATA), 2);
    expect(&o, "a b ");
    assert_int_equal(emit(&o, DATA), 2);
    expect(&o, "b a ");
    over(&o);
}

static void remove_everything(const weir_event *event, void *arg)
{
    named *self = arg;
    say(event, arg);
    weir__listeners_remove_all(&self->object->listeners, WEIR_EVENT_COUNT);
    assert_int_equal(weir__listeners_count(self->object->listeners, DATA), 0);
}

static void net_EMT_06_EMT_15_everything_removed_inside(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    (void)state;
    size_t live = allocator_live();
    on(&o, remove_everything, &a);
    on(&o, say, &b);
    assert_int_equal(emit(&o, DATA), 1);
    expect(&o, "a ");
    assert_null(o.listeners);
    assert_int_equal(allocator_live(), live);
}

/* Emits once more the first time, and removes everything in the inner emit. */
static void nest(const weir_event *event, void *arg)
{
    named *self = arg;
    say(event, arg);
    if (self->depth++ == 0) {
        weir__listeners_emit(&self->object->listeners, event);
    } else {
        weir__listeners_remove_all(&self->object->listeners, WEIR_EVENT_COUNT);
        on(self->object, say, self->object->act_on);
    }
}

static void net_EMT_04_EMT_06_nested_emit_that_removes_everything(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    named c = {&o, "c", 0};
    (void)state;
    o.act_on = &c;
    on(&o, nest, &a);
    on(&o, say, &b);
    assert_int_equal(emit(&o, DATA), 1);
    expect(&o, "a a ");
    assert_int_equal(emit(&o, DATA), 1);
    expect(&o, "c ");
    over(&o);
}

/* In the inner emit: prepends, so that the places of both emits move. */
static void nest_and_prepend(const weir_event *event, void *arg)
{
    named *self = arg;
    say(event, arg);
    if (self->depth++ == 0)
        weir__listeners_emit(&self->object->listeners, event);
    else
        assert_int_equal(
            weir__listeners_add(&self->object->listeners, DATA, say, self->object->act_on, WEIR__LISTENER_PREPEND), 0);
}

static void net_EMT_07_EMT_10_nested_emit_that_prepends(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    named c = {&o, "c", 0};
    (void)state;
    o.act_on = &c;
    on(&o, nest_and_prepend, &a);
    on(&o, say, &b);
    assert_int_equal(emit(&o, DATA), 2);
    expect(&o, "a a b b ");
    over(&o);
}

static void listeners_of_other_events_run_inside_an_emit(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    named b = {&o, "b", 0};
    (void)state;
    o.act_on = &b;
    on(&o, add_other, &a);
    assert_int_equal(weir__listeners_add(&o.listeners, END, say, &b, WEIR__LISTENER_ONCE), 0);
    assert_int_equal(emit(&o, END), 1);
    assert_int_equal(emit(&o, END), 0);
    expect(&o, "b ");
    assert_int_equal(emit(&o, DATA), 1);
    over(&o);
}

static void emit_allocates_nothing(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    (void)state;
    for (int i = 0; i < 20; i++)
        on(&o, say, &a);
    size_t calls = allocator_calls();
    assert_int_equal(emit(&o, DATA), 20);
    assert_int_equal(allocator_calls(), calls);
    over(&o);
}

static void add_some(void *arg)
{
    named *self = arg;
    object *o = self->object;
    size_t added = 0;
    for (int i = 0; i < 20; i++) {
        int status = weir__listeners_add(&o->listeners, DATA, say, self, i % 2 ? WEIR__LISTENER_PREPEND : 0);
        if (status)
            assert_int_equal(status, UV_ENOMEM);
        else
            added++;
        assert_int_equal(weir__listeners_count(o->listeners, DATA), added);
    }
    assert_int_equal(added + allocator_failures(), 20);
    over(o);
}

static void add_without_memory_leaves_the_list_as_it_was(void **state)
{
    object o = {0};
    named a = {&o, "a", 0};
    (void)state;
    assert_true(allocator_fail_each(add_some, &a) > 2);
}

static void names_of_events(void **state)
{
    (void)state;
    assert_string_equal(weir_event_name(WEIR_EVENT_DATA), "data");
    assert_string_equal(weir_event_name(WEIR_EVENT_CONNECTION_ATTEMPT), "connectionAttempt");
    assert_string_equal(weir_event_name(WEIR_EVENT_DROP), "drop");
    assert_null(weir_event_name(WEIR_EVENT_COUNT));
    assert_null(weir_event_name((weir_event_type)-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_EMT_01_EMT_02_run_in_order_as_often_as_added),
        cmocka_unit_test(net_EMT_03_emit_tells_how_many_ran),
        cmocka_unit_test(listeners_cost_nothing_when_there_are_none),
        cmocka_unit_test(add_refuses),
        cmocka_unit_test(net_EMT_04_once_is_removed_before_it_runs),
        cmocka_unit_test(net_EMT_05_off_removes_the_most_recently_added),
        cmocka_unit_test(net_EMT_05_EMT_07_off_goes_by_the_time_and_not_by_the_place),
        cmocka_unit_test(net_EMT_05_off_finds_a_once_listener),
        cmocka_unit_test(net_EMT_06_remove_all_of_one_event_and_of_all),
        cmocka_unit_test(net_EMT_06_remove_all_leaves_what_is_internal),
        cmocka_unit_test(listeners_of_a_freed_object_are_gone),
        cmocka_unit_test(net_EMT_07_prepend_goes_to_the_front),
        cmocka_unit_test(net_EMT_08_count),
        cmocka_unit_test(net_EMT_09_removed_during_emit_does_not_run_any_more),
        cmocka_unit_test(net_EMT_09_one_that_ran_already_may_be_removed),
        cmocka_unit_test(net_EMT_10_added_during_emit_runs_in_the_next),
        cmocka_unit_test(net_EMT_10_prepended_and_moved_during_emit),
        cmocka_unit_test(net_EMT_09_EMT_10_removed_and_added_again_runs_in_the_next),
        cmocka_unit_test(net_EMT_06_EMT_15_everything_removed_inside),
        cmocka_unit_test(net_EMT_04_EMT_06_nested_emit_that_removes_everything),
        cmocka_unit_test(net_EMT_07_EMT_10_nested_emit_that_prepends),
        cmocka_unit_test(listeners_of_other_events_run_inside_an_emit),
        cmocka_unit_test(emit_allocates_nothing),
        cmocka_unit_test(add_without_memory_leaves_the_list_as_it_was),
        cmocka_unit_test(names_of_events),
    };
    return cmocka_run_group_tests_name("listeners", tests, allocator_setup, NULL);
}
