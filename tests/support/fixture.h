/* SPDX-License-Identifier: MIT */
/*
 * What nearly every test stands on: a loop and a runtime of its own, a folder, servers and connections, and the check
 * that nothing is left of them. A whole test:
 *
 *     static void tcp_SRV_08_close_waits(void **state)
 *     {
 *         fixture *f = *state;
 *         weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
 *         pair p = fixture_connect(f, server, NULL, NULL);
 *         recorder_write(p.client, "hello", 5);
 *         recorder_wait_data(p.accepted, 5);
 *         recorder_end(p.client);
 *         recorder_wait(p.client, WEIR_EVENT_CLOSE);
 *         recorder_expect(p.client, "connect ready w1 e1 finish end close");
 *     }
 *
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = {FIXTURE_TEST(tcp_SRV_08_close_waits)};
 *         return cmocka_run_group_tests_name("server", tests, NULL, NULL);
 *     }
 *
 * Teardown frees the runtime, checks every recorder's events against the two tracks (recorder.h), and fails the test
 * when a probe (plugins/probe) has seen a law of links broken, or when descriptors, handles of the loop, or memory of
 * weir are not back to where they were.
 */
#ifndef WEIR_TEST_FIXTURE_H
#define WEIR_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <uv.h>

#include <weir/weir.h>

#include "allocator.h"
#include "recorder.h"

struct weir_plugin;

typedef struct fixture {
    uv_loop_t loop;
    weir_runtime *runtime;
    const char *folder; /* of this test, empty at first, removed with all that is in it */
    unsigned record;    /* RECORD_... of the recorders that the functions below make; RECORD_DATA at first */
    int expired;        /* the watchdog has run out */
    const void *data;   /* the test's own */

    /* the fixture's own */
    struct fixture_state *own;
} fixture;

/* cmocka's setup and teardown: *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define FIXTURE_TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

/* ---- The loop: all of these fail the test when the watchdog (a minute) runs out ---- */

/*
 * One turn of the loop, for a test that waits for a condition of its own: it waits for something to happen unless `ready`
 * says that it has. As uv_run: 0 when nothing is left to do. (UV_RUN_ONCE alone waits even when one of its own timers
 * brought it about.) This one looks at no watchdog: do so, at `expired`.
 */
int fixture_turn(fixture *f, int (*ready)(const void *arg), const void *arg);

/* Runs the loop until `*done` is not 0; fails the test when the loop has nothing left to do before that. */
void fixture_until(fixture *f, const int *done);

/* Runs the loop until nothing is left to do. */
void fixture_run(fixture *f);

/*
 * Lets the loop turn `count` times without waiting: what would happen by itself within this process has happened then,
 * also over sockets (arrivals.h). What takes another thread, process or host, or time, may not have.
 */
void fixture_turns(fixture *f, int count);

/* The same for a loop of the test's own: what was sent to this host itself has arrived then (arrivals.h). */
void fixture_arrive(fixture *f);

/* Another runtime, which finds the plugins too; the caller's to free. NULL: no memory. */
weir_runtime *fixture_new_runtime(uv_loop_t *loop);

/* Frees the runtime now instead of in the teardown. */
void fixture_end(fixture *f);

/* ---- The surroundings ---- */

/* FOLDER/NAME; the text lives as the fixture does. */
const char *fixture_path(fixture *f, const char *name);

/* A text like printf's that lives as the fixture does: for URLs. */
const char *fixture_text(fixture *f, const char *format, ...) WEIR_PRINTF(2, 3);

/* Everything weir has logged in this test, one line an entry: "warn: text\n". */
const char *fixture_log(const fixture *f);

/* How often `part` stands in a text; and the sum of N in its "N more ...", which is what lines of a log count. */
size_t fixture_times(const char *text, const char *part);
size_t fixture_sum_more(const char *text);

/* Skips a test that is about IPv6 where this machine has none, and says so. Before the test opens anything. */
void fixture_skip_without_ipv6(void);

/* Open descriptors of the process, now. */
int fixture_descriptors(void);

/*
 * Loads a plugin once for the process, before the test's own count of memory begins: what the process keeps of a plugin
 * is no leak of a test. Call it in main; tcp, ipc, mem, chaos and probe are loaded anyway.
 */
void fixture_preload(const char *plugin);

/* ---- Servers and connections ---- */

/*
 * A server that listens; fails the test when it cannot. `options` may be NULL. The fixture holds the reference, and
 * records every stream of its 'connection'.
 */
weir_server *fixture_listen(fixture *f, const char *endpoint, const weir_server_options *options);

/*
 * A TCP port on which nobody listens, at any address of this machine, and which no other program gets, until the test
 * ends: a connect to it is refused. Sockets with SO_REUSEADDR (weir's all have it) may be bound to it by its number.
 */
uint16_t fixture_port(fixture *f);

/* As fixture_listen, over tcp at `host` alone, a port of fixture_port: at other addresses a connect to it is refused. */
weir_server *fixture_listen_alone(fixture *f, const char *host);

/* The URL that reaches it, without its layers: "tcp://127.0.0.1:41237". */
const char *fixture_url(fixture *f, const weir_server *server);

/* The `index`th connection that a server of fixture_listen has had, from 0; runs the loop until it is there. */
recorder *fixture_accepted(fixture *f, weir_server *server, size_t index);

/* Both ends of one connection, open. */
typedef struct pair {
    recorder *client;
    recorder *accepted;
} pair;

/*
 * Connects to a server of fixture_listen and waits for 'ready' and 'connection'. `endpoint` NULL: fixture_url's; with
 * layers: fixture_text(f, "chaos+%s?seed=1", fixture_url(f, server)). `options` may be NULL.
 */
pair fixture_connect(fixture *f, weir_server *server, const char *endpoint, const weir_stream_options *options);

/* A recorder of a new stream that begins to connect to `endpoint`; does not wait. */
recorder *fixture_client(fixture *f, const char *endpoint, const weir_stream_options *options);

/* ---- Small things ---- */

/* Fails the test, saying both codes by name, unless they are the same. */
#define assert_code(actual, expected) fixture_assert_code((actual), (expected), #actual, __FILE__, __LINE__)
void fixture_assert_code(long actual, long expected, const char *what, const char *file, int line);

/* A listener that counts: its argument is an int. */
void fixture_count(const weir_event *event, void *arg);

/* `size` bytes that are the same for the same seed, and differ from their neighbours: for content checks. */
void fixture_fill(void *bytes, size_t size, unsigned seed);

#endif
