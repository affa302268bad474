/* SPDX-License-Identifier: MIT */
/* Services while memory or the system fails: what is loaded, who is served, and what is told. */
#define _GNU_SOURCE

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/layer.h>

#include "fixture.h"
#include "served.h"
#include "syscalls.h"

/* ---- a layer with a secret, references and a long name's neighbour: never opened ---- */

static int take_options(weir_configure *configure, void **context)
{
    *context = json_incref(configure->options);
    return 0;
}

static void leave_options(void *context)
{
    json_decref(context);
}

static weir_link *no_link(void *context, weir_runtime *runtime, weir_role role)
{
    (void)context;
    (void)role;
    (void)runtime;
    return NULL;
}

static const weir_layer veil_layer = {
    .size = sizeof(weir_layer), .configure = take_options, .context_free = leave_options, .create = no_link};

static const weir_plugin veil = {
    WEIR_PLUGIN_HEADER,
    .name = "veil",
    .version = "1.0.0",
    .description = "a layer with a secret",
    .schema =
        "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"key\": {\"type\": \"string\", "
        "\"writeOnly\": true}, \"wait\": {\"$ref\": \"#time\"}, \"deep\": {\"$ref\": \"#/$defs/deep\"}}, \"$defs\": "
        "{\"time\": {\"$anchor\": \"time\", \"type\": [\"integer\", \"string\"], \"format\": \"weir-duration\"}, "
        "\"deep\": {\"default\": {\"$ref\": \"no schema\"}}}}",
    .layer = &veil_layer};

static int set_up(void **state)
{
    int status = fixture_setup(state);
    fixture *f = *state;
    assert_code(weir_runtime_register_plugin(f->runtime, &veil, NULL), 0);
    return status;
}

static int tear_down(void **state)
{
    syscalls_restore();
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static const char *const values[] = {"json_array",
                                     "json_array_append_new",
                                     "json_array_set_new",
                                     "json_copy",
                                     "json_deep_copy",
                                     "json_dumps",
                                     "json_integer",
                                     "json_loadb",
                                     "json_loads",
                                     "json_object",
                                     "json_object_set_new",
                                     "json_pack",
                                     "json_sprintf",
                                     "json_string",
                                     "json_string_nocheck",
                                     "json_stringn_nocheck",
                                     "json_object_iter_set_new"};

/* ---- loading ---- */

static void write_service(const fixture *f, const char *path, const char *format)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (const char *at = format; *at; at++) {
        if (at[0] == '%' && at[1] == 's')
            fputs(f->folder, file), at++;
        else
            fputc(*at, file);
    }
    assert_int_equal(fclose(file), 0);
}

static void load_once(void *arg)
{
    fixture *f = arg;
    weir_service *service = NULL;
    int status = weir_service_load(f->runtime, fixture_path(f, "service.json"), NULL, NULL, &service);
    if (status != 0)
        assert_true(syscalls_failures() > 0);
    assert_int_equal(service == NULL, status != 0);
    assert_code(weir_service_free(service), 0);
}

static void every_value_of_a_service_may_be_missing(void **state)
{
    fixture *f = *state;
    setenv("WEIR_TEST_KEY", "k", 1);
    write_service(
        f, fixture_path(f, "service.json"),
        "{\"plugins\": {\"path\": [\".\", \"%s\"]}, \"workers\": 2, \"servers\": [{\"name\": \"a\", \"listen\": "
        "{\"tcp\": {\"port\": 0}, \"layers\": [{\"veil\": {\"key\": {\"env\": \"WEIR_TEST_KEY\"}}}]}, "
        "\"handler\": {\"forward\": {\"to\": [\"ipc:x\"]}}}, {\"name\": \"b\", \"listen\": \"ipc:%s/b\", "
        "\"handler\": \"echo\", \"timeout\": \"1s\"}]}");
    load_once(f);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        syscalls_fail_each(values[i], ENOMEM, load_once, f);
    unsetenv("WEIR_TEST_KEY");
}

static void ignore_fault(const weir_fault *fault, void *arg)
{
    ++*(int *)arg;
    assert_non_null(fault->text);
}

static void load_without_memory(void *arg)
{
    fixture *f = arg;
    int faults = 0;
    weir_service *service = NULL;
    int status = weir_service_load(f->runtime, fixture_path(f, "service.json"), ignore_fault, &faults, &service);
    if (status != UV_ENOMEM) {
        assert_code(status, WEIR_EINVALID_CONFIG);
        assert_true(faults > 0);
    }
    assert_null(service);
}

static void every_allocation_of_a_faulty_load_may_fail(void **state)
{
    fixture *f = *state;
    write_service(
        f, fixture_path(f, "service.json"),
        "{\"plugins\": {\"path\": [\"%s\", \".\"]}, \"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/b\", "
        "\"handler\": \"echo\", \"timeout\": -1}]}");
    load_without_memory(f);
    assert_true(allocator_fail_each(load_without_memory, f) > 20);
}

static void print_once(void *arg)
{
    fixture *f = arg;
    char *text = weir_service_schema(f->runtime);
    assert_true(text != NULL || syscalls_failures() > 0);
    weir_free(text);
}

static void every_value_of_the_schema_may_be_missing(void **state)
{
    fixture *f = *state;
    print_once(f);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_true(syscalls_fail_each(values[i], ENOMEM, print_once, f) >= 1);
}

static void references_that_stay_are_left_alone(void **state)
{
    fixture *f = *state;
    char *text = weir_service_schema(f->runtime);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"#time\""));
    assert_non_null(strstr(text, "\"#/$defs/plugin-veil/$defs/deep\""));
    assert_non_null(strstr(text, "\"no schema\""));
    weir_free(text);
}

static void a_folder_of_plugins_that_cannot_be_looked_at(void **state)
{
    fixture *f = *state;
    const char *folder = fixture_path(f, "plugins");
    syscalls_fail(&(syscall_fault){.call = "stat", .error = EIO, .path = folder});
    served *s = served_load(f, fixture_text(f,
                                            "{\"plugins\": {\"path\": [\"%s\"]}, \"servers\": [{\"name\": \"a\", "
                                            "\"listen\": \"ipc:a\", \"handler\": \"echo\"}]}",
                                            folder));
    assert_null(s->service);
    assert_non_null(strstr(s->faults, "/plugins/path/0: the folder cannot be used: i/o error (EIO)"));
    served_stop(s, 0);
}

/* ---- serving ---- */

static int raw_client(served *s, const char *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)atoi(strrchr(served_url(s, server), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int is_closed(const void *arg)
{
    char byte;
    return recv(*(const int *)arg, &byte, 1, MSG_DONTWAIT) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

/* A connection that a timer cannot be had for is closed, and the next one is served. */
static void a_connection_without_memory_is_closed(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, "{\"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": "
                                "\"echo\", \"timeout\": \"1h\"}]}");
    int served_whole = 0;
    for (size_t nth = 1; nth < 200 && !served_whole; nth++) {
        char byte = 'x';
        int fd = raw_client(s, "a");
        allocator_fail(nth, 0);
        while (weir_service_connections(s->service) == 0 && !is_closed(&fd) && !allocator_failures())
            fixture_turns(f, 1);
        fixture_turns(f, 2);
        served_whole = allocator_failures() == 0;
        allocator_fail(0, 0);
        assert_int_equal(write(fd, &byte, 1), 1);
        shutdown(fd, SHUT_WR);
        while (!is_closed(&fd))
            fixture_turns(f, 1);
        close(fd);
    }
    assert_true(served_whole);
    served_stop(s, 1);
}

static void a_client_whose_layer_fails_is_told_of(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, "{\"servers\": [{\"name\": \"a\", \"listen\": {\"tcp\": {\"host\": \"127.0.0.1\"}, "
                                "\"layers\": [{\"chaos\": {\"failAt\": \"open:1\"}}]}, \"handler\": \"echo\"}]}");
    /* Of those that are told five come first; how many follow depends on the time that this takes. */
    size_t clients = 0, counted = 0;
    while (clients < 100 && counted < 2) {
        int fd = raw_client(s, "a");
        clients++;
        while (!f->expired && fixture_times(fixture_log(f), " could not be served: ") < clients)
            fixture_turns(f, 1);
        close(fd);
        counted = fixture_times(fixture_log(f), "debug: a: a client from 127.0.0.1:");
    }
    assert_int_equal(counted, 2);
    assert_true(clients >= 7);
    assert_int_equal(fixture_times(fixture_log(f), "info: a: a client from 127.0.0.1:"), clients - counted);
    served_stop(s, 1);
    assert_true(fixture_times(fixture_log(f), " could not be served, the last one from 127.0.0.1:") > 0);
    assert_int_equal(fixture_sum_more(fixture_log(f)), counted);
}

/* ---- workers ---- */

static void assert_does_not_start(fixture *f, const syscall_fault *fault, const char *expected)
{
    served *s =
        served_load(f, "{\"workers\": 2, \"servers\": [{\"name\": \"a\", \"listen\": \"ipc:a.sock\", \"handler\": "
                       "\"echo\"}]}");
    assert_non_null(s->service);
    syscalls_fail(fault);
    served_begin(s);
    fixture_until(f, &s->stopped);
    assert_true(syscalls_failures() > 0);
    syscalls_restore();
    if (!strstr(s->failures, expected))
        fail_msg("%s", s->failures);
    served_stop(s, 1);
}

static void a_worker_that_cannot_be_made_stops_all(void **state)
{
    fixture *f = *state;
    assert_does_not_start(f, &(syscall_fault){.call = "fcntl", .error = EMFILE, .concerns = syscalls_listener},
                          "the socket of a cannot be shared with a worker: too many open files (EMFILE)");
    assert_does_not_start(f, &(syscall_fault){.call = "uv_loop_init", .error = UV_EMFILE}, "too many open files");
    assert_does_not_start(f, &(syscall_fault){.call = "uv_thread_create", .error = UV_EAGAIN},
                          "resource temporarily unavailable");
}

/* Of a server's failures in several workers one is told. */
static void a_place_that_two_workers_cannot_have_is_told_once(void **state)
{
    served *s = served_load(*state, "{\"workers\": 3, \"servers\": [{\"name\": \"a\", \"listen\": "
                                    "\"tcp://127.0.0.1:0\", \"handler\": \"echo\"}]}");
    assert_non_null(s->service);
    syscalls_fail(&(syscall_fault){.call = "listen", .error = EADDRINUSE, .after = 1, .any_thread = 1});
    served_begin(s);
    fixture_until(s->fixture, &s->stopped);
    assert_int_equal(syscalls_failures(), 2);
    syscalls_restore();
    assert_int_equal(fixture_times(s->failures, "EADDRINUSE"), 1);
    served_stop(s, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_value_of_a_service_may_be_missing),
        TEST(every_allocation_of_a_faulty_load_may_fail),
        TEST(every_value_of_the_schema_may_be_missing),
        TEST(references_that_stay_are_left_alone),
        TEST(a_folder_of_plugins_that_cannot_be_looked_at),
        TEST(a_connection_without_memory_is_closed),
        TEST(a_client_whose_layer_fails_is_told_of),
        TEST(a_worker_that_cannot_be_made_stops_all),
        TEST(a_place_that_two_workers_cannot_have_is_told_once),
    };
    return cmocka_run_group_tests_name("service_failures", tests, NULL, NULL);
}
