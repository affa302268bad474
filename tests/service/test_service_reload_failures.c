/* SPDX-License-Identifier: MIT */
/* Reloads of a service while the system fails: whatever it is, the service serves on, and the next reload is a good one. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "served.h"
#include "syscalls.h"

static int tear_down(void **state)
{
    syscalls_restore();
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, tear_down)

#define WORKERS(count)                                                                                          \
    "{\"workers\": " count ", \"servers\": [{\"name\": \"t\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": " \
    "\"echo\"}, {\"name\": \"i\", \"listen\": \"ipc:i.sock\", \"handler\": \"echo\"}]}"

static void expect_echo(served *s)
{
    static const char *const names[] = {"t", "i"};
    for (size_t i = 0; i < 2; i++) {
        recorder *client = fixture_client(s->fixture, served_url(s, names[i]), NULL);
        recorder_write(client, "hello", 5);
        recorder_wait_data(client, 5);
        recorder_end(client);
        recorder_wait(client, WEIR_EVENT_CLOSE);
    }
}

static int duplicates(int command, int second, int third)
{
    (void)second;
    (void)third;
    return command == F_DUPFD_CLOEXEC;
}

static void reload_once(void *arg)
{
    served *s = arg;
    s->settled = 0;
    s->failures[0] = '\0';
    int status = served_reload_begin(s, NULL);
    if (status == 0)
        fixture_until(s->fixture, &s->settled);
    else
        assert_code(status, UV_EMFILE);
    assert_int_equal(status == 0 && !s->failures[0], syscalls_failures() == 0);
    if (s->failures[0])
        assert_non_null(strstr(s->failures, "cannot be shared with a worker: too many open files (EMFILE)"));
    expect_echo(s);
}

static void every_duplicate_of_a_socket_may_be_refused(void **state)
{
    served *s = served_start(*state, WORKERS("3"));
    unsigned runs = 1;
    for (unsigned failed = 1; failed > 0; runs++) {
        syscalls_fail(&(syscall_fault){.call = "fcntl",
                                       .error = EMFILE,
                                       .after = runs - 1,
                                       .times = 1,
                                       .concerns = syscalls_listener,
                                       .of = duplicates});
        reload_once(s);
        failed = syscalls_failures();
        syscalls_restore();
    }
    assert_true(runs > 6); /* three of tcp, one of ipc, and two of that for the others */
    served_stop(s, 1);
}

/* What a worker could not keep ready for a reload is told when there is one. */
static void a_worker_without_a_duplicate(void **state)
{
    served *s = served_load(*state, WORKERS("2"));
    assert_non_null(s->service);
    syscalls_fail(&(syscall_fault){.call = "fcntl",
                                   .error = EMFILE,
                                   .after = 1, /* that of ipc's for the worker */
                                   .times = 1,
                                   .any_thread = 1,
                                   .concerns = syscalls_listener,
                                   .of = duplicates});
    served_begin(s);
    fixture_until(s->fixture, &s->running);
    assert_int_equal(syscalls_failures(), 1);
    syscalls_restore();
    assert_code(served_reload_begin(s, NULL), UV_EMFILE);
    expect_echo(s);
    served_stop(s, 1);
}

static void a_worker_that_cannot_be_started(void **state)
{
    static const struct {
        const char *call;
        int error;
        const char *expected;
    } cases[] = {{"uv_loop_init", UV_EMFILE, "the workers cannot be started: too many open files"},
                 {"uv_thread_create", UV_EAGAIN, "the workers cannot be started: resource temporarily unavailable"}};
    served *s = served_start(*state, WORKERS("3"));
    for (size_t i = 0; i < 2; i++) {
        for (unsigned after = 0; after < 2; after++) {
            syscalls_fail(&(syscall_fault){.call = cases[i].call, .error = cases[i].error, .after = after});
            served_reload(s, NULL);
            syscalls_restore();
            assert_non_null(strstr(s->failures, cases[i].expected));
            s->failures[0] = '\0';
            expect_echo(s);
        }
    }
    served_reload(s, NULL);
    assert_string_equal(s->failures, "");
    expect_echo(s);
    served_stop(s, 1);
}

static int turns_private(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return (found.st_mode & 0777) == 0600;
}

/* The socket is kept; what its file could not get is told, and does not undo the reload. */
static void a_file_that_cannot_be_changed_is_warned_of(void **state)
{
    fixture *f = *state;
    static const char json[] = "{\"servers\": [{\"name\": \"t\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": "
                               "\"echo\"}, {\"name\": \"i\", \"listen\": \"ipc:i.sock?mode=0600\", \"handler\": "
                               "\"echo\"}]}";
    static const char *const calls[] = {"open", "chmod"};
    for (size_t i = 0; i < 2; i++) {
        served *s = served_start(f, WORKERS("1"));
        syscalls_fail(&(syscall_fault){.call = calls[i], .error = EPERM, .path = i == 0 ? "i.sock" : NULL});
        served_reload(s, json);
        assert_int_equal(syscalls_failures(), 1);
        syscalls_restore();
        assert_string_equal(s->failures, "");
        assert_non_null(strstr(fixture_log(f), "i: what the new file says of the place it listens at could not be "
                                               "done: operation not permitted (EPERM)"));
        assert_false(turns_private(fixture_path(f, "i.sock")));
        expect_echo(s);
        served_reload(s, NULL);
        assert_true(turns_private(fixture_path(f, "i.sock")));
        expect_echo(s);
        served_stop(s, 1);
        assert_int_equal(access(fixture_path(f, "i.sock"), F_OK), -1);
    }
}

/* A transport that hands no sockets over finds its places taken. */
static void a_transport_without_descriptors_cannot_stay(void **state)
{
    served *s =
        served_start(*state, "{\"servers\": [{\"name\": \"m\", \"listen\": \"mem:m\", \"handler\": \"echo\"}]}");
    served_reload(s, NULL);
    assert_non_null(strstr(s->failures, "EADDRINUSE"));
    served_reload(s, "{\"servers\": [{\"name\": \"m\", \"listen\": \"mem:n\", \"handler\": \"echo\"}]}");
    assert_string_equal(s->told, "listening:m running reloadFailed:m listening:m reloaded");
    served_stop(s, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_duplicate_of_a_socket_may_be_refused),
        TEST(a_worker_without_a_duplicate),
        TEST(a_worker_that_cannot_be_started),
        TEST(a_file_that_cannot_be_changed_is_warned_of),
        TEST(a_transport_without_descriptors_cannot_stay),
    };
    return cmocka_run_group_tests_name("service reload failures", tests, NULL, NULL);
}
