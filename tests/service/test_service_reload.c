/* SPDX-License-Identifier: MIT */
/* A service that is reloaded: what of the new file holds for whom, which sockets are kept, and what a fault leaves. */
#define _GNU_SOURCE

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "marked.h"
#include "served.h"

#define TEST(function) cmocka_unit_test_setup_teardown(function, marked_setup, marked_teardown)

#define SERVER(name, listen, mark) \
    "{\"name\": \"" name "\", \"listen\": \"" listen "\", \"handler\": {\"mark\": {\"say\": \"" mark "\"}}}"
#define SERVICE(servers) "{\"shutdownGrace\": \"1h\", \"servers\": [" servers "]}"
#define TCP(mark)        SERVICE(SERVER("a", "tcp://127.0.0.1:0", mark))
#define IPC(mark)        SERVICE(SERVER("a", "ipc:a.sock", mark))

static const char *ipc_url(fixture *f, const char *name)
{
    return fixture_text(f, "ipc:%s/%s", f->folder, name);
}

static void expect_refused(fixture *f, const char *url)
{
    recorder *client = fixture_client(f, url, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "close:error"));
    assert_int_equal(client->data_size, 0);
}

/* ---- what holds for whom ---- */

static void new_options_hold_for_new_connections_and_old_ones_go_on(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, TCP("one"));
    const char *url = served_url(s, "a");
    recorder *first = marked_client(f, url, "one");
    served_reload(s, TCP("two"));
    recorder *second = marked_client(f, url, "two");
    marked_echo(first);
    marked_echo(second);
    assert_int_equal(weir_service_connections(s->service), 2);
    served_reload(s, TCP("three"));
    recorder *third = marked_client(f, url, "three");
    marked_echo(first);
    marked_echo(second);
    marked_echo(third);
    recorder_end(first);
    recorder_wait(first, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(first, "end"));
    assert_string_equal(s->told, "listening:a running reloaded reloaded");
    assert_int_equal(served_stop(s, 1), 2); /* also those of older generations */
    recorder_wait(second, WEIR_EVENT_CLOSE);
    recorder_wait(third, WEIR_EVENT_CLOSE);
}

static void what_a_generation_has_is_freed_with_its_last_connection(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, IPC("one"));
    recorder *first = marked_client(f, served_url(s, "a"), "one");
    served_reload(s, IPC("two"));
    served_reload(s, IPC("three"));
    while (marked_contexts() != 2) /* the second one served nobody */
        fixture_turns(f, 1);
    marked_echo(first);
    assert_int_equal(marked_stopping(), 1);
    recorder_end(first);
    recorder_wait(first, WEIR_EVENT_CLOSE);
    while (marked_contexts() != 1)
        fixture_turns(f, 1);
    assert_int_equal(marked_stopping(), 2); /* it was told when nobody was left to be ended */
    assert_int_equal(served_stop(s, 0), 0);
    assert_int_equal(marked_stopping(), 3);
}

static void a_stop_ends_all_generations_within_the_grace(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, IPC("one"));
    recorder *first = marked_client(f, served_url(s, "a"), "one");
    served_reload(s, "{\"shutdownGrace\": 1, \"servers\": [" SERVER("a", "ipc:a.sock", "two") "]}");
    recorder *second = marked_client(f, served_url(s, "a"), "two");
    assert_int_equal(served_stop(s, 0), 2); /* the grace is that of the file as it is now */
    assert_int_equal(marked_stopping(), 2);
    recorder_wait(first, WEIR_EVENT_CLOSE);
    recorder_wait(second, WEIR_EVENT_CLOSE);

    s = served_start(f, IPC("one"));
    first = marked_client(f, served_url(s, "a"), "one");
    served_reload(s, IPC("two"));
    assert_code(weir_service_stop(s->service, 0), 0);
    fixture_until(f, &s->stopping);
    marked_echo(first);
    assert_int_equal(s->stopped, 0);
    recorder_end(first);
    fixture_until(f, &s->stopped);
    assert_int_equal(served_stop(s, 0), 0);
}

static void it_starts_again_as_it_was_reloaded(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, IPC("one"));
    served_reload(s, IPC("two"));
    assert_code(weir_service_stop(s->service, 0), 0);
    fixture_until(f, &s->stopped);
    assert_int_equal(access(fixture_path(f, "a.sock"), F_OK), -1);
    s->running = s->stopped = 0;
    served_begin(s);
    fixture_until(f, &s->running);
    recorder *client = marked_client(f, served_url(s, "a"), "two");
    served_reload(s, IPC("three"));
    recorder_end(client);
    marked_client(f, served_url(s, "a"), "three");
    served_stop(s, 1);
}

/* ---- faults ---- */

static void a_bad_file_leaves_the_running_service_as_it_was(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, TCP("one"));
    recorder *first = marked_client(f, served_url(s, "a"), "one");
    static const struct {
        const char *json;
        const char *faults[2];
    } cases[] = {
        {"{", {"service.json:1:2: ", ""}},
        {"{\"servers\": []}", {"/servers: ", ""}},
        {SERVICE(SERVER("a", "tcp://127.0.0.1:0", "bad") ", " SERVER("b", "ipc:b", "bad")),
         {"/servers/0/handler/mark/say: not this", "/servers/1/handler/mark/say: not this"}},
        {SERVICE(SERVER("a", "tcp://127.0.0.1:70000", "two") ", " SERVER("a", "ipc:b", "two")), {"70000", "\"a\" is"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_code(served_reload_begin(s, cases[i].json), WEIR_EINVALID_CONFIG);
        for (int k = 0; k < 2; k++)
            if (!strstr(s->faults, cases[i].faults[k]))
                fail_msg("expected %s, found %s", cases[i].faults[k], s->faults);
    }
    assert_int_equal(unlink(fixture_path(f, "service.json")), 0);
    assert_code(served_reload_begin(s, NULL), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(s->faults, "service.json: cannot be opened: no such file"));
    fixture_turns(f, 3);
    assert_int_equal(access(fixture_path(f, "b"), F_OK), -1);
    assert_string_equal(s->told, "listening:a running");
    assert_int_equal(marked_contexts(), 1);
    marked_echo(first);
    marked_client(f, served_url(s, "a"), "one");
    served_reload(s, TCP("two"));
    marked_client(f, served_url(s, "a"), "two");
    served_stop(s, 1);
}

static void an_address_that_is_taken_fails_as_a_whole(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, TCP("one"));
    fixture_listen(f, ipc_url(f, "taken.sock"), NULL);
    recorder *first = marked_client(f, served_url(s, "a"), "one");
    served_reload(s, SERVICE(SERVER("a", "tcp://127.0.0.1:0", "two") ", " SERVER("b", "ipc:b.sock", "two") ", " SERVER(
                         "c", "ipc:taken.sock", "two") ", " SERVER("d", "ipc:none/d.sock", "two")));
    assert_string_equal(s->told, "listening:a running reloadFailed:c reloadFailed:d");
    assert_non_null(strstr(s->failures, "c listen "));
    assert_non_null(strstr(s->failures, "EADDRINUSE"));
    assert_non_null(strstr(s->failures, "d listen "));
    assert_int_equal(access(fixture_path(f, "b.sock"), F_OK), -1);
    assert_int_equal(marked_contexts(), 1);
    marked_echo(first);
    marked_client(f, served_url(s, "a"), "one");
    served_reload(s, TCP("three"));
    marked_client(f, served_url(s, "a"), "three");
    marked_echo(first);
    served_stop(s, 1);
}

/* ---- where it may be called ---- */

static void reload_from_a_fault(const weir_fault *fault, void *arg)
{
    served *s = arg;
    (void)fault;
    assert_code(weir_service_reload(s->service, NULL, NULL), UV_EALREADY);
}

static void reload_is_guarded(void **state)
{
    fixture *f = *state;
    served *s = served_load(f, IPC("one"));
    assert_code(weir_service_reload(NULL, NULL, NULL), UV_EINVAL);
    assert_code(served_reload_begin(s, NULL), UV_ENOTCONN);
    served_begin(s);
    assert_code(served_reload_begin(s, NULL), UV_EALREADY);
    fixture_until(f, &s->running);
    assert_code(weir_service_reload(s->service, NULL, NULL), 0);
    assert_code(weir_service_reload(s->service, NULL, NULL), UV_EALREADY);
    assert_code(weir_service_free(s->service), UV_EBUSY);
    fixture_until(f, &s->settled);
    assert_code(weir_service_reload(s->service, NULL, NULL), 0);
    s->settled = 0;
    fixture_until(f, &s->settled);
    assert_int_equal(truncate(fixture_path(f, "service.json"), 1), 0);
    assert_code(weir_service_reload(s->service, reload_from_a_fault, s), WEIR_EINVALID_CONFIG);
    assert_code(weir_service_reload(s->service, NULL, NULL), WEIR_EINVALID_CONFIG);
    assert_code(weir_service_stop(s->service, 0), 0);
    assert_code(served_reload_begin(s, IPC("two")), UV_ENOTCONN);
    fixture_until(f, &s->stopping);
    assert_code(served_reload_begin(s, NULL), UV_ENOTCONN);
    fixture_until(f, &s->stopped);
    assert_code(served_reload_begin(s, NULL), UV_ENOTCONN);
    served_stop(s, 0);
}

static void it_may_be_reloaded_in_its_own_events(void **state)
{
    fixture *f = *state;
    static const struct {
        weir_service_event_type type;
        const char *told;
    } cases[] = {
        {WEIR_SERVICE_RUNNING, "listening:a running reloaded"},
        {WEIR_SERVICE_RELOADED, "listening:a running reloaded reloaded reloaded reloaded"},
    };
    for (size_t i = 0; i < 2; i++) {
        served *s = served_load(f, IPC("one"));
        s->reload_in = (int)cases[i].type + 1;
        s->reload_times = i == 0 ? 1 : 3;
        served_begin(s);
        fixture_until(f, &s->running);
        if (i == 1)
            served_reload(s, IPC("two"));
        while (s->reloading)
            fixture_turns(f, 1);
        assert_string_equal(s->told, cases[i].told);
        marked_client(f, served_url(s, "a"), i == 0 ? "one" : "two");
        served_stop(s, 1);
    }
    served *s = served_start(f, IPC("one"));
    fixture_listen(f, ipc_url(f, "taken.sock"), NULL);
    s->reload_in = WEIR_SERVICE_RELOAD_FAILED + 1;
    s->reload_times = 3;
    served_reload(s, SERVICE(SERVER("b", "ipc:taken.sock", "two")));
    while (s->reloading)
        fixture_turns(f, 1);
    assert_string_equal(s->told, "listening:a running reloadFailed:b reloadFailed:b reloadFailed:b reloadFailed:b");
    marked_client(f, served_url(s, "a"), "one");
    served_stop(s, 1);
}

static void a_stop_overtakes_a_reload(void **state)
{
    fixture *f = *state;
    for (int now = 0; now < 2; now++) {
        for (int turns = 0; turns < 5; turns++) {
            served *s = served_start(f, IPC("one"));
            /* A name takes a thread of its own to look up: the reload does not end at once. */
            assert_code(
                served_reload_begin(s, SERVICE(SERVER("a", "ipc:a.sock", "two") ", " SERVER(
                                           "b", "tcp://localhost:0", "two") ", " SERVER("c", "ipc:c.sock", "two"))),
                0);
            fixture_turns(f, turns);
            assert_code(weir_service_stop(s->service, now), 0);
            fixture_until(f, &s->stopped);
            assert_string_equal(s->told + strlen(s->told) - 16, "stopping stopped");
            assert_int_equal(access(fixture_path(f, "a.sock"), F_OK), -1);
            assert_int_equal(access(fixture_path(f, "c.sock"), F_OK), -1);
            served_stop(s, 0);
            assert_int_equal(marked_contexts(), 0);
        }
    }
    static const weir_service_event_type types[] = {WEIR_SERVICE_LISTENING, WEIR_SERVICE_RELOADED};
    for (size_t i = 0; i < 2; i++) {
        served *s = served_start(f, IPC("one"));
        s->stop_in = (int)types[i] + 1;
        served_reload(s, SERVICE(SERVER("a", "ipc:a.sock", "two") ", " SERVER("b", "ipc:b.sock", "two")));
        fixture_until(f, &s->stopped);
        assert_string_equal(s->told, "listening:a running listening:b reloaded stopping stopped");
        served_stop(s, 0);
    }
}

static void it_may_be_freed_in_its_last_event_while_generations_drain(const weir_service_event *event, void *arg)
{
    if (event->type == WEIR_SERVICE_RUNNING)
        assert_code(weir_service_reload(event->service, NULL, NULL), 0);
    if (event->type == WEIR_SERVICE_RELOADED)
        assert_code(weir_service_stop(event->service, 0), 0);
    if (event->type == WEIR_SERVICE_STOPPED) {
        assert_code(weir_service_free(event->service), 0);
        *(int *)arg = 1;
    }
}

static void it_may_be_freed_in_its_last_event(void **state)
{
    fixture *f = *state;
    int stopped = 0;
    served *s = served_load(f, IPC("one"));
    assert_code(weir_service_start(s->service, it_may_be_freed_in_its_last_event_while_generations_drain, &stopped), 0);
    fixture_until(f, &stopped);
    s->service = NULL;
    served_stop(s, 0);
}

/* ---- sockets ---- */

static void a_port_is_kept_where_the_place_is_the_same(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    served *s = served_start(f, SERVICE(SERVER("a", "tcp://127.0.0.1:0", "one") ", " SERVER(
                                    "b", "tcp://127.0.0.1:0", "one") ", " SERVER("c", "tcp://[::1]:0", "one")));
    const char *a = served_url(s, "a"), *b = served_url(s, "b"), *c = served_url(s, "c");
    /* The order does not matter where the names are the same, and layers are no part of the place. */
    served_reload(s, SERVICE(SERVER("c", "tcp://[::1]:0", "two") ", " SERVER(
                         "b", "probe+tcp://127.0.0.1:0", "two") ", " SERVER("a", "tcp://127.0.0.1:0", "two")));
    assert_string_equal(s->told, "listening:a listening:b listening:c running reloaded");
    marked_client(f, a, "two");
    marked_client(f, b, "two");
    marked_client(f, c, "two");
    /* A name of its own has a port of its own, unless it names that of another one. */
    const char *text = fixture_text(f, SERVICE(SERVER("x", "tcp://127.0.0.1:0", "x") ", " SERVER("y", "%s", "y")), a);
    served_reload(s, text);
    marked_client(f, a, "y");
    assert_string_not_equal(served_url(s, "x"), a);
    assert_string_not_equal(served_url(s, "x"), b);
    marked_client(f, served_url(s, "x"), "x");
    expect_refused(f, b);
    expect_refused(f, c);
    assert_string_equal(s->told, "listening:a listening:b listening:c running reloaded listening:x reloaded");
    served_stop(s, 1);
}

static void servers_come_and_go(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, SERVICE(SERVER("a", "ipc:a.sock", "one") ", " SERVER(
                                    "b", "ipc:b.sock", "one") ", " SERVER("t", "tcp://127.0.0.1:0", "one")));
    const char *t = served_url(s, "t");
    recorder *at_b = marked_client(f, ipc_url(f, "b.sock"), "one"), *at_t = marked_client(f, t, "one");
    served_reload(s, SERVICE(SERVER("c", "ipc:c.sock", "two") ", " SERVER("a", "ipc:a.sock", "two")));
    assert_int_equal(access(fixture_path(f, "b.sock"), F_OK), -1);
    expect_refused(f, t);
    marked_client(f, ipc_url(f, "a.sock"), "two");
    marked_client(f, ipc_url(f, "c.sock"), "two");
    marked_echo(at_b);
    marked_echo(at_t);
    /* And back, while the old connections still go on. */
    served_reload(s, SERVICE(SERVER("b", "ipc:b.sock", "three")));
    marked_client(f, ipc_url(f, "b.sock"), "three");
    marked_echo(at_b);
    assert_string_equal(s->told,
                        "listening:a listening:b listening:t running listening:c reloaded listening:b reloaded");
    served_stop(s, 1);
    assert_int_equal(access(fixture_path(f, "b.sock"), F_OK), -1);
}

static void the_file_of_a_socket_stays_and_goes_with_the_last(void **state)
{
    fixture *f = *state;
    struct stat before, after;
    const char *path = fixture_path(f, "a.sock");
    served *s = served_start(f, IPC("one"));
    assert_int_equal(stat(path, &before), 0);
    recorder *first = marked_client(f, ipc_url(f, "a.sock"), "one");
    served_reload(s, IPC("two"));
    served_reload(s, SERVICE(SERVER("a", "ipc:a.sock?mode=0600", "three")));
    recorder_end(first);
    recorder_wait(first, WEIR_EVENT_CLOSE);
    fixture_turns(f, 3);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_mode & 0777, 0600);
    marked_client(f, ipc_url(f, "a.sock"), "three");
    /* A reload that fails removes nothing either. */
    served_reload(s, SERVICE(SERVER("a", "ipc:a.sock", "four") ", " SERVER("b", "ipc:none/b", "four")));
    assert_int_equal(access(path, F_OK), 0);
    marked_client(f, ipc_url(f, "a.sock"), "three");
    served_stop(s, 1);
    assert_int_equal(access(path, F_OK), -1);
}

/* It has no file that could be handed over. */
static void an_abstract_name_is_kept(void **state)
{
    fixture *f = *state;
    const char *one = fixture_text(f, SERVICE(SERVER("a", "ipc:@weir-reload-%d", "one")), (int)getpid());
    const char *two = fixture_text(f, SERVICE(SERVER("a", "ipc:@weir-reload-%d", "two")), (int)getpid());
    served *s = served_start(f, one);
    const char *url = fixture_text(f, "ipc:@weir-reload-%d", (int)getpid());
    recorder *first = marked_client(f, url, "one");
    served_reload(s, two);
    marked_client(f, url, "two");
    marked_echo(first);
    assert_string_equal(s->failures, "");
    assert_null(strstr(fixture_log(f), "warning: "));
    served_stop(s, 1);
    expect_refused(f, url);
}

static int waiting_client(const served *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *line = strstr(s->endpoints, "tcp://127.0.0.1:");
    assert_non_null(line);
    address.sin_port = htons((uint16_t)atoi(line + strlen("tcp://127.0.0.1:")));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* What waits in the kernel when one generation stops to accept is for the next one. */
static void who_waits_to_be_accepted_is_served(void **state)
{
    fixture *f = *state;
    int fds[16];
    served *s = served_start(f, TCP("one"));
    for (int i = 0; i < 16; i++) {
        if (i % 4 == 0) {
            s->settled = 0;
            assert_code(served_reload_begin(s, TCP("one")), 0);
        }
        fds[i] = waiting_client(s);
        if (i % 4 == 3)
            fixture_until(f, &s->settled);
    }
    for (int i = 0; i < 16; i++) {
        char text[8] = "";
        while (recv(fds[i], text, sizeof(text), MSG_DONTWAIT) < 0)
            fixture_turns(f, 1);
        assert_string_equal(text, "one.");
        close(fds[i]);
    }
    served_stop(s, 1);
}

static void the_file_is_found_from_any_working_folder(void **state)
{
    fixture *f = *state;
    char *here = getcwd(NULL, 0);
    assert_non_null(here);
    served *s = served_load(f, IPC("one"));
    assert_code(weir_service_free(s->service), 0);
    assert_int_equal(chdir(f->folder), 0);
    assert_code(weir_service_load(f->runtime, "service.json", NULL, NULL, &s->service), 0);
    served_begin(s);
    fixture_until(f, &s->running);
    assert_int_equal(chdir("/"), 0);
    served_reload(s, IPC("two"));
    marked_client(f, ipc_url(f, "a.sock"), "two");
    assert_code(served_reload_begin(s, "{}"), WEIR_EINVALID_CONFIG);
    assert_memory_equal(s->faults, "service.json:1:", 15); /* called as it always was */
    served_stop(s, 1);
    assert_int_equal(chdir(here), 0);
    free(here);
}

/* ---- without memory ---- */

static void reload_once(void *arg)
{
    served *s = arg;
    fixture *f = s->fixture;
    s->settled = 0;
    s->told[0] = '\0';
    int status = weir_service_reload(s->service, NULL, NULL);
    if (status != 0)
        assert_code(status, UV_ENOMEM);
    else
        fixture_until(f, &s->settled);
    assert_true(status != 0 || strncmp(s->told, "reload", 6) == 0 || strncmp(s->told, "listening", 9) == 0);
    fixture_turns(f, 4);
}

static void every_allocation_of_a_reload_may_fail(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, SERVICE(SERVER("a", "ipc:a.sock", "one") ", " SERVER("b", "tcp://127.0.0.1:0", "one")));
    recorder *first = marked_client(f, served_url(s, "b"), "one");
    reload_once(s);
    assert_true(allocator_fail_each(reload_once, s) > 40);
    marked_echo(first);
    marked_client(f, served_url(s, "a"), "one");
    marked_client(f, served_url(s, "b"), "one");
    assert_int_equal(access(fixture_path(f, "a.sock"), F_OK), 0);
    served_stop(s, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_options_hold_for_new_connections_and_old_ones_go_on),
        TEST(what_a_generation_has_is_freed_with_its_last_connection),
        TEST(a_stop_ends_all_generations_within_the_grace),
        TEST(it_starts_again_as_it_was_reloaded),
        TEST(a_bad_file_leaves_the_running_service_as_it_was),
        TEST(an_address_that_is_taken_fails_as_a_whole),
        TEST(reload_is_guarded),
        TEST(it_may_be_reloaded_in_its_own_events),
        TEST(a_stop_overtakes_a_reload),
        TEST(it_may_be_freed_in_its_last_event),
        TEST(a_port_is_kept_where_the_place_is_the_same),
        TEST(servers_come_and_go),
        TEST(the_file_of_a_socket_stays_and_goes_with_the_last),
        TEST(an_abstract_name_is_kept),
        TEST(who_waits_to_be_accepted_is_served),
        TEST(the_file_is_found_from_any_working_folder),
        TEST(every_allocation_of_a_reload_may_fail),
    };
    return cmocka_run_group_tests_name("service reload", tests, NULL, NULL);
}
