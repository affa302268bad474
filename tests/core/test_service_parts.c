/* SPDX-License-Identifier: MIT */
/*
 * Parts of a service by themselves: what is told of dropped connections and of failing clients as time passes, and a site
 * with nothing to stop.
 */
#include <stdlib.h>
#include <string.h>

#include "core/server_private.h"
#include "core/service_private.h"

#include "fixture.h"
#include "linked.h"
#include "served.h"

extern const weir_plugin weir_plugin_echo;

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
static void pass_time_of(fixture *f, weir_timer *timer)
{
    assert_int_equal(weir_timer_active(timer), 1);
    weir_runtime_enter(f->runtime);
    weir_timer_stop(f->runtime, timer);
    timer->run(timer);
    weir_runtime_leave(f->runtime);
}

static void pass_time(fixture *f, weir__drops *drops)
{
    pass_time_of(f, &drops->counts[WEIR_DROP_MAX_CONNECTIONS].bound.timer);
}

#define FIRST "info: a: a connection from 192.0.2.1:7 was dropped (maxConnections)\n"

static void BN_09_a_flood_is_a_line_now_and_then(void **state)
{
    fixture *f = *state;
    weir__drops drops = {0};
    weir_timer *timer = &drops.counts[WEIR_DROP_MAX_CONNECTIONS].bound.timer;
    drop_some(f, &drops, 3, "192.0.2.1:7");
    drop_some(f, &drops, 1, "192.0.2.2:8");
    assert_string_equal(fixture_log(f), FIRST);
    pass_time(f, &drops);
    assert_string_equal(fixture_log(f), FIRST
                        "info: a: 3 more connections were dropped (maxConnections), the last one from 192.0.2.2:8\n");
    assert_int_equal(weir_timer_active(timer), 1); /* they may go on */
    drop_some(f, &drops, 1, NULL);
    pass_time(f, &drops);
    assert_non_null(strstr(fixture_log(f), "info: a: 1 more connection was dropped (maxConnections)\n"));
    pass_time(f, &drops); /* none since then */
    assert_int_equal(weir_timer_active(timer), 0);
    drop_some(f, &drops, 1, "192.0.2.1:7");
    assert_non_null(strstr(strstr(fixture_log(f), "1 more"), FIRST)); /* told at once again */
    weir__drops_end(&drops);
    assert_int_equal(weir_timer_active(timer), 0);
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
    weir_timer *timer = &drops.counts[WEIR_DROP_MAX_CONNECTIONS].bound.timer;
    drop_some(f, &drops, 2, "192.0.2.1:7");
    weir_runtime_enter(f->runtime);
    weir_timer_stop(f->runtime, timer);
    weir_timer *dummies = use_up_timers(f);
    timer->run(timer);
    assert_non_null(strstr(fixture_log(f), "1 more connection was dropped"));
    drop_some(f, &drops, 2, "192.0.2.1:7");
    allocator_fail(0, 0);
    weir_runtime_leave(f->runtime);
    assert_int_equal(weir_timer_active(timer), 0);
    assert_int_equal(drops.counts[WEIR_DROP_MAX_CONNECTIONS].bound.more, 0);
    assert_non_null(strstr(fixture_log(f), FIRST FIRST));
    for (size_t i = 0; i < DUMMIES; i++) {
        weir_timer_stop(f->runtime, &dummies[i]);
    }
    free(dummies);
    weir__drops_end(&drops);
}

static void refuse_some(fixture *f, weir__client_errors *errors, int count, const char *from, const char *why)
{
    weir_address address;
    weir_error *error = weir_error_new(UV_EPROTO, "open", NULL, -1);
    weir_error *last = weir_error_newf(UV_EPROTO, "open", NULL, -1, "%s", why);
    assert_non_null(error);
    assert_non_null(last);
    assert_code(weir_address_parse(&address, from), 0);
    for (int i = 1; i <= count; i++)
        weir__client_errors_refused(errors, f->runtime, &address, i < count ? error : last);
    weir_error_release(error);
    weir_error_release(last);
}

static void TLS_05_a_scanner_is_a_few_lines_now_and_then(void **state)
{
    fixture *f = *state;
    weir__client_errors errors = {.server = "a"};
    refuse_some(f, &errors, 4, "192.0.2.1:7", "tls: nonsense");
    refuse_some(f, &errors, 1, "192.0.2.2:8", "tls: another");
    assert_int_equal(fixture_times(fixture_log(f), "info: a: a client from 192.0.2.1:7 could not be served: "), 4);
    assert_non_null(strstr(fixture_log(f), "info: a: a client from 192.0.2.2:8 could not be served: tls: another\n"));
    refuse_some(f, &errors, 100, "192.0.2.3:9", "tls: the last straw");
    assert_int_equal(fixture_times(fixture_log(f), "info: "), 5);
    assert_int_equal(fixture_times(fixture_log(f), "debug: a: a client from 192.0.2.3:9 could not be served: "), 100);
    pass_time_of(f, &errors.bound.timer);
    assert_non_null(strstr(fixture_log(f), "info: a: 100 more clients could not be served, the last one from "
                                           "192.0.2.3:9: tls: the last straw\n"));
    assert_int_equal(fixture_times(fixture_log(f), "info: "), 6);
    refuse_some(f, &errors, 5, "192.0.2.1:7", "tls: the next"); /* with the count five lines again */
    assert_int_equal(fixture_times(fixture_log(f), "info: "), 10);
    pass_time_of(f, &errors.bound.timer);
    assert_non_null(strstr(fixture_log(f), "info: a: 1 more client could not be served, the last one from "
                                           "192.0.2.1:7: tls: the next\n"));
    pass_time_of(f, &errors.bound.timer);
    assert_int_equal(fixture_times(fixture_log(f), "info: "), 11);
    assert_int_equal(weir_timer_active(&errors.bound.timer), 0);
    refuse_some(f, &errors, 5, "192.0.2.1:7", "tls: all of them");
    assert_int_equal(fixture_times(fixture_log(f), "info: "), 16);
    pass_time_of(f, &errors.bound.timer); /* five and no more: nothing is left to say */
    assert_int_equal(fixture_times(fixture_log(f), "info: "), 16);
    weir__client_errors_end(&errors);
}

static void TLS_05_a_count_is_told_when_there_is_an_end(void **state)
{
    fixture *f = *state;
    weir__client_errors errors = {.server = "a"}, none = {.server = "b"};
    weir_error *error = weir_error_new(UV_EPROTO, "open", NULL, -1);
    assert_non_null(error);
    for (int i = 0; i < 7; i++)
        weir__client_errors_refused(&errors, f->runtime, NULL, error);
    weir__client_errors_end(&errors);
    assert_int_equal(fixture_times(fixture_log(f), "info: a: a client could not be served: "), 5);
    assert_int_equal(fixture_times(fixture_log(f), "info: a: 2 more clients could not be served, the last one: "), 1);
    assert_int_equal(weir_timer_active(&errors.bound.timer), 0);
    weir__client_errors_end(&errors);
    weir__client_errors_end(&none);
    assert_int_equal(fixture_times(fixture_log(f), "info: "), 6);
    weir_error_release(error);
}

static void a_site_that_is_not_bound_has_nothing_to_stop(void **state)
{
    fixture *f = *state;
    weir__site site = {.runtime = f->runtime};
    weir__site_stop(&site, 1000);
    assert_int_equal(site.state, WEIR__SITE_IDLE);
    assert_int_equal(weir_timer_active(&site.grace), 0);
}

/* One whose acceptor failed has connections still, which end within the grace like any others. */
static void SRV_08_a_stop_waits_for_the_clients_of_a_server_that_failed(void **state)
{
    fixture *f = *state;
    assert_code(weir_runtime_register_plugin(f->runtime, &weir_plugin_echo, NULL), 0);
    served *s = served_start(f, fixture_text(f,
                                             "{\"shutdownGrace\": \"1h\", \"servers\": [{\"name\": \"a\", "
                                             "\"listen\": \"%s\", \"handler\": \"echo\"}]}",
                                             over_here(f)));
    recorder *client = fixture_client(f, served_url(s, "a"), NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    while (!f->expired && weir_service_connections(s->service) == 0)
        fixture_turns(f, 1);
    weir_server *server = weir_server_retain(s->service->current->site->servers[0].server);
    weir_error *error = weir_error_new(UV_EMFILE, "accept", NULL, -1);
    weir_acceptor_failed(server->current->acceptor, error);
    while (!f->expired && !strstr(fixture_log(f), "error: a: accept: too many open files (EMFILE)\n"))
        fixture_turns(f, 1);
    assert_code(weir_service_stop(s->service, 0), 0);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(s->stopped, 0);
    assert_int_equal(weir_service_connections(s->service), 1);
    assert_code(weir_stream_end(client->stream, NULL, NULL), 0);
    fixture_until(f, &s->stopped);
    assert_int_equal(served_stop(s, 0), 0);
    /* Who holds it hears of it alone. */
    weir__server_client_error(server, client->stream, error);
    assert_non_null(strstr(fixture_log(f), "info: a client could not be served: accept: "));
    weir_error_release(error);
    weir_server_release(server);
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
        FIXTURE_TEST(TLS_05_a_scanner_is_a_few_lines_now_and_then),
        FIXTURE_TEST(TLS_05_a_count_is_told_when_there_is_an_end),
        FIXTURE_TEST(a_site_that_is_not_bound_has_nothing_to_stop),
        ON(SRV_08_a_stop_waits_for_the_clients_of_a_server_that_failed, mem),
        ON(who_does_not_listen_takes_nothing_over, mem),
    };
    return cmocka_run_group_tests_name("service parts", tests, NULL, NULL);
}
