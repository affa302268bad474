/* SPDX-License-Identifier: MIT */
/* A service that is reloaded while clients come without a pause: nobody is refused or cut; with workers, of any number. */
#define _GNU_SOURCE

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "marked.h"
#include "served.h"
#include "visitors.h"

#define TEST(function) cmocka_unit_test_setup_teardown(function, marked_setup, marked_teardown)

/* A service of two servers, tcp and ipc, that say this number. */
static const char *numbered(fixture *f, int workers, int number)
{
    return fixture_text(f,
                        "{\"workers\": %d, \"shutdownGrace\": \"1h\", \"servers\": [{\"name\": \"t\", \"listen\": "
                        "\"tcp://127.0.0.1:0\", \"handler\": {\"mark\": {\"say\": \"%d\"}}}, {\"name\": \"i\", "
                        "\"listen\": \"ipc:i.sock\", \"handler\": {\"mark\": {\"say\": \"%d\"}}}]}",
                        workers, number, number);
}

static void wait_for_contexts(fixture *f, int count)
{
    while (marked_contexts() != count)
        fixture_turns(f, 1);
}

/* ---- clients who come all the time ---- */

static void nobody_is_refused_or_cut(fixture *f, const int *workers, int reloads)
{
    served *s = served_start(f, numbered(f, workers[0], 0));
    visitors *t = visitors_start(f, served_url(s, "t"));
    visitors *i = visitors_start(f, served_url(s, "i"));
    recorder *first = marked_client(f, served_url(s, "t"), "0");
    for (int n = 1; n <= reloads; n++) {
        visitors_wait(t, 3);
        visitors_wait(i, 3);
        served_reload(s, numbered(f, workers[n % 4], n));
        assert_string_equal(s->failures, "");
    }
    visitors_wait(t, 3);
    visitors_wait(i, 3);
    assert_true(visitors_end(t) > 3 * (size_t)reloads);
    assert_true(visitors_end(i) > 3 * (size_t)reloads);
    marked_echo(first);
    recorder_end(first);
    recorder_wait(first, WEIR_EVENT_CLOSE);
    wait_for_contexts(f, 2 * workers[reloads % 4]);
    assert_int_equal(served_stop(s, 0), 0);
    assert_int_equal(access(fixture_path(f, "i.sock"), F_OK), -1);
}

static void nobody_is_refused_or_cut_while_it_is_reloaded(void **state)
{
    nobody_is_refused_or_cut(*state, (const int[]){1, 1, 1, 1}, 20);
}

static void nobody_is_refused_or_cut_by_workers(void **state)
{
    nobody_is_refused_or_cut(*state, (const int[]){3, 3, 3, 3}, 20);
}

/* Those of a worker that is no more are served by the others: its socket has a queue of its own. */
static void nobody_is_refused_or_cut_by_fewer_or_more_workers(void **state)
{
    nobody_is_refused_or_cut(*state, (const int[]){3, 1, 4, 2}, 20);
    nobody_is_refused_or_cut(*state, (const int[]){1, 3, 2, 1}, 20);
}

/* ---- workers ---- */

enum { MANY = 48 };

static void expect_marks(fixture *f, const char *url, const char *mark)
{
    recorder *clients[MANY];
    for (size_t i = 0; i < MANY; i++)
        clients[i] = marked_client(f, url, mark);
    for (size_t i = 0; i < MANY; i++) {
        marked_echo(clients[i]);
        recorder_end(clients[i]);
    }
    for (size_t i = 0; i < MANY; i++)
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
}

static void the_number_of_workers_may_change(void **state)
{
    fixture *f = *state;
    static const int workers[] = {1, 3, 2, 1, 3};
    served *s = served_start(f, numbered(f, 1, 1));
    const char *t = served_url(s, "t"), *i = served_url(s, "i");
    recorder *old = marked_client(f, t, "1");
    for (int n = 1; n < 5; n++) {
        const char *mark = fixture_text(f, "%d", workers[n]);
        served_reload(s, numbered(f, workers[n], workers[n]));
        expect_marks(f, t, mark);
        expect_marks(f, i, mark);
        wait_for_contexts(f, 2 + 2 * workers[n]); /* the first generation has its connection, the one before has gone */
        marked_echo(old);
    }
    assert_string_equal(s->told, "listening:t listening:i running reloaded reloaded reloaded reloaded");
    assert_int_equal(served_stop(s, 1), 1);
    recorder_wait(old, WEIR_EVENT_CLOSE);
}

static void connections_of_old_workers_go_on_until_the_stop(void **state)
{
    fixture *f = *state;
    recorder *clients[MANY];
    served *s = served_start(f, numbered(f, 3, 1));
    for (size_t i = 0; i < MANY; i++)
        clients[i] = marked_client(f, served_url(s, i % 2 ? "t" : "i"), "1");
    served_reload(s, numbered(f, 2, 2));
    served_reload(s, numbered(f, 2, 3));
    for (size_t i = 0; i < MANY; i++)
        marked_echo(clients[i]);
    assert_int_equal(weir_service_connections(s->service), MANY);
    for (size_t i = 0; i < MANY / 2; i++)
        recorder_end(clients[i]);
    for (size_t i = 0; i < MANY / 2; i++)
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
    assert_code(weir_service_stop(s->service, 0), 0);
    fixture_until(f, &s->stopping);
    marked_echo(clients[MANY - 1]);
    assert_int_equal(served_stop(s, 1), MANY - MANY / 2);
    for (size_t i = MANY / 2; i < MANY; i++)
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
}

static void the_place_of_a_server_that_goes_is_free(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, numbered(f, 3, 1));
    const char *t = served_url(s, "t");
    served_reload(s, "{\"workers\": 3, \"servers\": [{\"name\": \"i\", \"listen\": \"ipc:i.sock\", \"handler\": "
                     "{\"mark\": {\"say\": \"2\"}}}]}");
    recorder *client = fixture_client(f, t, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "close:error"));
    expect_marks(f, served_url(s, "i"), "2");
    served_stop(s, 1);
}

static void a_worker_that_cannot_be_made_leaves_the_old_ones(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, numbered(f, 2, 1));
    marked_fail_after(5); /* two for each worker: the third worker gets one of its own */
    served_reload(s, numbered(f, 4, 2));
    assert_string_equal(s->told, "listening:t listening:i running reloadFailed:t reloadFailed:i");
    assert_non_null(strstr(s->failures, "what the file names has changed: "));
    assert_int_equal(marked_contexts(), 4);
    expect_marks(f, served_url(s, "t"), "1");
    expect_marks(f, served_url(s, "i"), "1");
    marked_fail_after(-1);
    served_reload(s, numbered(f, 4, 3));
    expect_marks(f, served_url(s, "t"), "3");
    wait_for_contexts(f, 8);
    served_stop(s, 1);
}

static void a_stop_overtakes_a_reload_of_workers(void **state)
{
    fixture *f = *state;
    for (int now = 0; now < 2; now++) {
        for (int turns = 0; turns < 6; turns++) {
            served *s = served_start(f, numbered(f, 2, 1));
            assert_code(served_reload_begin(s, numbered(f, 3, 2)), 0);
            fixture_turns(f, turns);
            assert_code(weir_service_stop(s->service, now), 0);
            fixture_until(f, &s->stopped);
            assert_string_equal(s->told + strlen(s->told) - 16, "stopping stopped");
            served_stop(s, 0);
            assert_int_equal(marked_contexts(), 0);
        }
    }
}

static int threads(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* Blocks that a service at rest holds; 0: nobody knows yet. */
static size_t at_rest;

static void reload_once(void *arg)
{
    served *s = arg;
    int before = threads();
    s->settled = 0;
    int status = weir_service_reload(s->service, NULL, NULL);
    if (status != 0)
        assert_code(status, UV_ENOMEM);
    else
        fixture_until(s->fixture, &s->settled);
    /* All is over when the workers of one generation have ended: the last thing they do is to say so. */
    while (threads() != before)
        fixture_turns(s->fixture, 1);
    fixture_turns(s->fixture, 4);
    /* The new workers are told to accept and do not answer: that message may still be on its way. */
    while (at_rest && allocator_live() > at_rest && !s->fixture->expired)
        fixture_turns(s->fixture, 1);
    assert_int_equal(marked_contexts(), 4);
}

/* The least of several: hardly ever is a message on its way in every one of them. */
static size_t live_at_rest(served *s)
{
    size_t least = SIZE_MAX;
    for (int i = 0; i < 10; i++) {
        reload_once(s);
        if (allocator_live() < least)
            least = allocator_live();
    }
    return least;
}

static void every_allocation_of_a_reload_of_workers_may_fail(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, numbered(f, 2, 1));
    at_rest = live_at_rest(s);
    reload_once(s);
    assert_true(allocator_fail_each(reload_once, s) > 60);
    at_rest = 0;
    expect_marks(f, served_url(s, "t"), "1");
    expect_marks(f, served_url(s, "i"), "1");
    served_stop(s, 1);
}

/* One worker gets the sockets of three. What fails leaves all three of them. */
static void any_allocation_may_fail_when_there_are_fewer_workers(void **state)
{
    fixture *f = *state;
    const char *three = numbered(f, 3, 3), *one = numbered(f, 1, 1);
    served *s = served_start(f, three);
    size_t failed = 1;
    for (size_t nth = 1; failed; nth++) {
        allocator_fail(nth, 0);
        s->told[0] = '\0';
        s->settled = 0;
        int status = served_reload_begin(s, one);
        if (status == 0)
            fixture_until(f, &s->settled);
        failed = allocator_failures();
        allocator_fail(0, 0);
        int done = strstr(s->told, "reloaded") != NULL;
        assert_true(done || failed);
        recorder *client = marked_client(f, served_url(s, "t"), done ? "1" : "3");
        recorder_end(client);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        wait_for_contexts(f, done ? 2 : 6);
        if (done && failed)
            served_reload(s, three);
    }
    served_stop(s, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_refused_or_cut_while_it_is_reloaded),
        TEST(nobody_is_refused_or_cut_by_workers),
        TEST(nobody_is_refused_or_cut_by_fewer_or_more_workers),
        TEST(the_number_of_workers_may_change),
        TEST(connections_of_old_workers_go_on_until_the_stop),
        TEST(the_place_of_a_server_that_goes_is_free),
        TEST(a_worker_that_cannot_be_made_leaves_the_old_ones),
        TEST(a_stop_overtakes_a_reload_of_workers),
        TEST(every_allocation_of_a_reload_of_workers_may_fail),
        TEST(any_allocation_may_fail_when_there_are_fewer_workers),
    };
    return cmocka_run_group_tests_name("service reload workers", tests, NULL, NULL);
}
