/* SPDX-License-Identifier: MIT */
/* The fixture itself: a test that leaves something behind, or waits for what cannot come, must fail. */
#define _GNU_SOURCE

#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void leaves_nothing(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "mem:name", NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_write(p.client, "hello", 5);
    recorder_wait_data(p.accepted, 5);
    recorder_expect_data(p.accepted, "hello", 5);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect(p.client, "resume connect ready w1 e1 finish end close");
}

static void leaves_a_handle(void **state)
{
    fixture *f = *state;
    static uv_timer_t timer;
    uv_timer_init(&f->loop, &timer);
}

static void leaves_a_descriptor(void **state)
{
    (void)state;
    assert_true(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

static void leaves_memory(void **state)
{
    (void)state;
    assert_non_null(weir_buf_new(1));
}

static void leaves_a_stream(void **state)
{
    fixture *f = *state;
    assert_non_null(weir_stream_new(f->runtime, NULL));
}

static void sees_a_law_broken(void **state)
{
    fixture *f = *state;
    weir_log(f->runtime, WEIR_LOG_ERROR, "probe low: law 3: end comes once");
}

static void waits_for_what_cannot_come(void **state)
{
    static const int never;
    fixture *f = *state;
    fixture_until(f, &never);
}

static void waits_for_an_event_that_cannot_come(void **state)
{
    fixture *f = *state;
    recorder *client = fixture_client(f, "mem:nobody", NULL);
    recorder_wait(client, WEIR_EVENT_CONNECT);
}

static void expects_something_else(void **state)
{
    fixture *f = *state;
    recorder *client = fixture_client(f, "mem:nobody", NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "connect ready close");
}

static void records_what_is_no_life(void **state)
{
    static const char wrong[] = "connect ready end data:1 close";
    fixture *f = *state;
    recorder *client = fixture_client(f, "mem:nobody", NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    client->text = realloc(client->text, sizeof(wrong));
    assert_non_null(client->text);
    memcpy(client->text, wrong, sizeof(wrong));
}

/* Runs one test in a process of its own; how many failed, 0 or more. */
static int run_apart(const char *name, void (*test)(void **state))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct CMUnitTest one = {name, test, fixture_setup, fixture_teardown, NULL};
        int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(sink, STDOUT_FILENO);
        dup2(sink, STDERR_FILENO);
        close(sink);
        unsetenv("CMOCKA_MESSAGE_OUTPUT"); /* its report is not this program's */
        unsetenv("CMOCKA_XML_FILE");
        _exit(_cmocka_run_group_tests(name, &one, 1, NULL, NULL));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void what_is_in_order_passes(void **state)
{
    (void)state;
    assert_int_equal(run_apart("leaves nothing", leaves_nothing), 0);
}

static void what_is_not_fails(void **state)
{
    static const struct {
        const char *name;
        void (*test)(void **state);
    } wrong[] = {
        {"a handle", leaves_a_handle},
        {"a descriptor", leaves_a_descriptor},
        {"memory", leaves_memory},
        {"a stream", leaves_a_stream},
        {"a law", sees_a_law_broken},
        {"a condition", waits_for_what_cannot_come},
        {"an event", waits_for_an_event_that_cannot_come},
        {"a text", expects_something_else},
        {"a life", records_what_is_no_life},
    };
    (void)state;
    /* What they leave on purpose is all that valgrind would see. */
    if (getenv("WEIR_TEST_VALGRIND"))
        skip();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (!run_apart(wrong[i].name, wrong[i].test))
            fail_msg("a test that is wrong about %s passed", wrong[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_order_passes),
        cmocka_unit_test(what_is_not_fails),
    };
    return cmocka_run_group_tests_name("fixture", tests, NULL, NULL);
}
