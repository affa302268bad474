/* SPDX-License-Identifier: MIT */
/*
 * Services whose handler, `spy`, tells what it saw, and whose events are written down: for the tests that look at the service
 * itself, at each of its calls. (Who only wants a service has served.h.)
 */
#ifndef WEIR_TEST_SPIED_SERVICE_H
#define WEIR_TEST_SPIED_SERVICE_H

#include <stdatomic.h>

#include "fixture.h"

/* ---- the handler ---- */

extern atomic_int spy_contexts, spy_connections, spy_stopping;
extern atomic_int spy_configures_left;   /* the configure after so many fails; below 0: none does */
extern weir_stream_options spy_prepared; /* what its prepare was given */

/* In how many runtimes it had connections. */
size_t spy_runtimes_seen(void);

/* cmocka's setup and teardown: *state is a fixture whose runtime has the spy. */
int spy_setup(void **state);
int spy_teardown(void **state);

#define SERVICE_TEST(function) cmocka_unit_test_setup_teardown(function, spy_setup, spy_teardown)

/* ---- a service ---- */

typedef struct subject {
    fixture *f;
    weir_service *service;
    char told[4096];   /* "listening:a running stopping stopped:2" */
    char faults[2048]; /* a line each */
    char errors[2048]; /* "server: message\n" of the FAILED ones */
    char urls[8][256]; /* of the servers that listen, in order */
    size_t url_count;
    size_t destroyed;
    int settled; /* running or stopped */
    int stopped;
    int inside;  /* a call into the service is on the stack */
    int stop_in; /* stop in the event with this number, plus 1 */
} subject;

#define ONE_IPC                                                                                                   \
    "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s/a.sock\", \"handler\": \"spy\"}], \"shutdownGrace\": " \
    "\"1h\"}"

/* Loads a service file of this text, in which `%s` is the test's folder. Its status; the faults are written down. */
int subject_load(subject *s, fixture *f, const char *json);

/* The same, which must succeed, and starts it; and waits until it runs. */
void subject_begin(subject *s, fixture *f, const char *json);
void subject_run(subject *s, fixture *f, const char *json);

/* weir_service_stop. */
void subject_stop(subject *s, int now);

/* Waits for STOPPED, and frees it. */
void subject_end(subject *s);

/* What writes its events down, for who starts it himself; the argument is the subject. */
void subject_event(const weir_service_event *event, void *arg);

/* Starts what was loaded, lets it run and stops it; where it cannot start, for lack of memory, it leaves it. The argument
 * is the subject. */
void subject_run_once(void *arg);

/* A client that has got the spy's first bytes; and one that sends something and gets it back. */
recorder *greeted_client(subject *s, size_t server);
void echo_once(recorder *client);

#endif
