/* SPDX-License-Identifier: MIT */
/* Parts of a service by themselves: what is told of dropped connections as time passes, and a site with nothing to stop. */
#include <stdlib.h>
#include <string.h>

#include "core/server_private.h"
#include "core/service_private.h"

#include "fixture.h"
#include "linked.h"

static void drop_some(fixture *f, weir__drops *drops, int count, const char *from)
{
    weir_drop drop = {.reason = WEIR_DROP_MAX_CONNECTIONS};
    if (from != NULL) {
        assert_code(weir_address_parse(&drop.remote, from), 0);
    }
    for (int i = 0; i < count; i++) {
        weir__drops_note(drops, f->runtime, "a", &drop);
    }
}

/* The time has come: it is not waited for. */
static void pass_time(fixture *f, weir__drops *drops)
{
    weir_runtime_enter(f->runtime);
    weir_timer_stop(f->runtime, &drops->timer);
    drops->timer.run(&drops->timer);
    weir_runtime_leave(f->runtime);
}

#define FIRST "info: a: a connection from 192.0.2.1:7 was dropped (maxConnections)\n"

static void BN_09_a_flood_is_a_line_now_and_then(void **state)
{
    fixture *f = *state;
    weir__drops drops = {0};
    drop_some(f, &drops, 3, "192.0.2.1:7");
    drop_some(f, &drops, 1, "192.0.2.2:8");
    assert_string_equal(fixture_log(f), FIRST);
    pass_time(f, &drops);
    assert_string_equal(fixture_log(f), FIRST
                        "info: a: 3 more connections were dropped (maxConnections), the last one from 192.0.2.2:8\n");
    assert_int_equal(weir_timer_active(&drops.timer), 1); /* they may go on */
    drop_some(f, &drops, 1, NULL);
    pass_time(f, &drops);
    assert_non_null(strstr(fixture_log(f), "info: a: 1 more connection was dropped (maxConnections)\n"));
    pass_time(f, &drops); /* none since then */
    assert_int_equal(weir_timer_active(&drops.timer), 0);
    drop_some(f, &drops, 1, "192.0.2.1:7");
    assert_non_null(strstr(strstr(fixture_log(f), "1 more"), FIRST)); /* told at once again */
    weir__drops_end(&drops);
    assert_int_equal(weir_timer_active(&drops.timer), 0);
}

enum { DUMMIES = 100000 };

static void do_nothing(weir_timer *timer)
{
    (void)timer;
}

/* All the room for timers is taken, and there is no more memory. */
static weir_timer *use_up_timers(fixture *f)
{
    weir_timer *dummies = calloc(DUMMIES, sizeof(*dummies));
    assert_non_null(dummies);
    allocator_fail(1, 1);
    for (size_t i = 0; i < DUMMIES; i++) {
        dummies[i].run = do_nothing;
        if (weir_timer_start(f->runtime, &dummies[i], 3600000) != 0) {
            return dummies;
        }
    }
    fail_msg("there is always room for a timer");
    return NULL;
}

static void BN_09_without_a_timer_each_is_told_of(void **state)
{
    fixture *f = *state;
    weir__drops drops = {0};
    drop_some(f, &drops, 2, "192.0.2.1:7");
    weir_runtime_enter(f->runtime);
    weir_timer_stop(f->runtime, &drops.timer);
    weir_timer *dummies = use_up_timers(f);
    drops.timer.run(&drops.timer);
    assert_non_null(strstr(fixture_log(f), "1 more connection was dropped"));
    drop_some(f, &drops, 2, "192.0.2.1:7");
    allocator_fail(0, 0);
    weir_runtime_leave(f->runtime);
    assert_int_equal(weir_timer_active(&drops.timer), 0);
    assert_int_equal(drops.counts[WEIR_DROP_MAX_CONNECTIONS].more, 0);
    assert_non_null(strstr(fixture_log(f), FIRST FIRST));
    for (size_t i = 0; i < DUMMIES; i++) {
        weir_timer_stop(f->runtime, &dummies[i]);
    }
    free(dummies);
    weir__drops_end(&drops);
}

static void a_site_that_is_not_bound_has_nothing_to_stop(void **state)
{
    fixture *f = *state;
    weir__site site = {.runtime = f->runtime};
    weir__site_stop(&site, 1000);
    assert_int_equal(site.state, WEIR__SITE_IDLE);
    assert_int_equal(weir_timer_active(&site.grace), 0);
}

/* Either may have been closed before it comes to that. */
static void who_does_not_listen_takes_nothing_over(void **state)
{
    fixture *f = *state;
    weir_server *listens = fixture_listen(f, over_here(f), NULL);
    weir_server *silent = weir_server_new(f->runtime, NULL);
    assert_non_null(silent);
    assert_code(weir__server_succeed(silent, listens), UV_ENOTCONN);
    assert_code(weir__server_succeed(listens, silent), UV_ENOTCONN);
    assert_int_equal(weir_server_listening(listens), 1);
    weir_server_release(silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(BN_09_a_flood_is_a_line_now_and_then),
        FIXTURE_TEST(BN_09_without_a_timer_each_is_told_of),
        FIXTURE_TEST(a_site_that_is_not_bound_has_nothing_to_stop),
        ON(who_does_not_listen_takes_nothing_over, mem),
    };
    return cmocka_run_group_tests_name("service parts", tests, NULL, NULL);
}
