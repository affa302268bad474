/* SPDX-License-Identifier: MIT */
/* What a service makes of servers that break, of workers that cannot say what they want, and of plugins it cannot use. */
#define _GNU_SOURCE

#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/handler.h>

#include "gate.h"
#include "plain_plugin.h"
#include "served.h"

/* ---- a handler that logs while memory fails, in whatever thread it runs ---- */

static atomic_int handled_by_worker;
static weir_runtime *home;

static void chatter_connection(void *context, weir_stream *stream)
{
    weir_runtime *runtime = weir_stream_runtime(stream);
    (void)context;
    if (runtime != home && !atomic_load(&handled_by_worker)) {
        allocator_fail(1, 0); /* the line */
        weir_log(runtime, WEIR_LOG_WARN, "lost");
        allocator_fail(2, 0); /* its message to the other thread */
        weir_log(runtime, WEIR_LOG_WARN, "lost on its way");
        allocator_fail(0, 0);
        weir_log(runtime, WEIR_LOG_WARN, "kept");
        atomic_store(&handled_by_worker, 1);
    }
    weir_stream_destroy(stream, NULL);
}

static const weir_handler chatter_handler = {.size = sizeof(weir_handler),
                                             .configure = plain_configure,
                                             .context_free = weir_free,
                                             .connection = chatter_connection};

static const weir_plugin chatter_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "chatter",           .version = "1.0.0", .description = "logs, for tests",
    .schema = NO_OPTIONS, .handler = &chatter_handler,
};

static int set_up(void **state)
{
    int status = fixture_setup(state);
    fixture *f = *state;
    home = f->runtime;
    gate_holds = 0;
    assert_code(weir_runtime_register_plugin(f->runtime, &gate_plugin, NULL), 0);
    assert_code(weir_runtime_register_plugin(f->runtime, &chatter_plugin, NULL), 0);
    return status;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, fixture_teardown)

/* ---- servers ---- */

#define TWO_GATES                                                                                                    \
    "{\"servers\": [{\"name\": \"a\", \"listen\": \"gate:\", \"handler\": \"echo\"}, {\"name\": \"b\", \"listen\": " \
    "\"gate:\", \"handler\": \"echo\"}]}"

/* The other one goes on, and the service with it. */
static void a_server_that_breaks_while_it_serves_is_told_of(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, TWO_GATES);
    gate_fail(0);
    fixture_turns(f, 5);
    assert_null(gate_acceptors[0]);
    assert_non_null(gate_acceptors[1]);
    assert_non_null(strstr(fixture_log(f), "error: a: "));
    assert_non_null(strstr(fixture_log(f), "(EIO)"));
    assert_int_equal(s->stopped, 0);
    assert_int_equal(served_stop(s, 0), 0);
    assert_null(gate_acceptors[1]);
}

/* One listens, and breaks before the other one listens: nobody is served then. */
static void a_server_that_breaks_while_others_still_begin_stops_all(void **state)
{
    fixture *f = *state;
    served *s = served_load(f, TWO_GATES);
    assert_non_null(s->service);
    gate_holds = 1;
    served_begin(s);
    fixture_turns(f, 3);
    weir_acceptor_listening(gate_acceptors[0]);
    fixture_turns(f, 3);
    gate_fail(0);
    fixture_turns(f, 3);
    assert_int_equal(s->running, 0);
    weir_acceptor_listening(gate_acceptors[1]);
    fixture_until(f, &s->stopped);
    assert_non_null(strstr(s->failures, "a "));
    assert_non_null(strstr(s->failures, "(EIO)"));
    served_stop(s, 0);
}

/* ---- workers ---- */

static int has_kept(const void *arg)
{
    return strstr(fixture_log(arg), "warning: kept\n") != NULL;
}

enum { CLIENTS = 64 };

/* So many that some are the worker's. This thread does not run its loop, so that only a worker can close one. */
static void lines_of_a_worker_without_memory_are_lost(void **state)
{
    fixture *f = *state;
    served *s = served_start(f, "{\"workers\": 2, \"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", "
                                "\"handler\": \"chatter\"}]}");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd clients[CLIENTS];
    address.sin_port = htons((uint16_t)atoi(strrchr(served_url(s, "a"), ':') + 1));
    atomic_store(&handled_by_worker, 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN};
        assert_int_equal(connect(clients[i].fd, (struct sockaddr *)&address, sizeof(address)), 0);
    }
    assert_true(poll(clients, CLIENTS, -1) > 0);
    assert_int_equal(atomic_load(&handled_by_worker), 1);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i].fd);
    while (!has_kept(f))
        fixture_turn(f, has_kept, f);
    served_stop(s, 1);
    assert_null(strstr(fixture_log(f), "lost"));
}

/* ---- the schema ---- */

static void a_plugin_that_cannot_be_used_is_not_in_the_schema(void **state)
{
    fixture *f = *state;
    assert_code(weir_runtime_add_plugin_path(f->runtime, WEIR_TEST_ODD_PLUGINS "/broken"), 0);
    char *text = weir_service_schema(f->runtime);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"plugin-sound\""));
    assert_null(strstr(text, "abi-major"));
    assert_null(strstr(text, "\"plugin-no-symbol\""));
    weir_free(text);
}

int main(void)
{
    fixture_preload("echo");
    const struct CMUnitTest tests[] = {
        TEST(a_server_that_breaks_while_it_serves_is_told_of),
        TEST(a_server_that_breaks_while_others_still_begin_stops_all),
        TEST(lines_of_a_worker_without_memory_are_lost),
        TEST(a_plugin_that_cannot_be_used_is_not_in_the_schema),
    };
    return cmocka_run_group_tests_name("service_servers", tests, NULL, NULL);
}
