/* SPDX-License-Identifier: MIT */
/* A service inside of a test's own runtime: how handlers are tested, as `weir run` runs them. */
#ifndef WEIR_TEST_SERVED_H
#define WEIR_TEST_SERVED_H

#include "fixture.h"

typedef struct served {
    fixture *fixture;
    weir_service *service; /* NULL: it could not be loaded, or is stopped and freed */
    char *faults;          /* one line each, "" for none */
    char *failures;        /* messages of servers that could not listen, one line each */
    char *told; /* events, one word each: "listening:NAME running reloaded reloadFailed:NAME stopping stopped" */
    int running;
    int stopping;
    int stopped;
    int reloading; /* served_reload has returned 0, and it has not been told what came of that */
    int settled;   /* it has been */
    int inside;    /* a call into the service is on the stack */
    int reload_in; /* reload in the events of this number, plus 1, so many times: */
    int reload_times;
    int stop_in;      /* stop at once in the event of this number, plus 1 */
    size_t destroyed; /* connections that were cut by the stop */
    char *endpoints;  /* "NAME URL\n" of every server that listens */
} served;

/* Loads a service file of this text; faults are for the test to judge. Give it back with served_stop. */
served *served_load(fixture *f, const char *json);

/* Starts what was loaded; does not wait. */
void served_begin(served *self);

/* served_load, start, and wait until it runs; fails the test when it does not. */
served *served_start(fixture *f, const char *json);

/* Writes the service's file anew (NULL: leaves it), and reloads it; does not wait. Its status; `faults` are those of this
 * one. */
int served_reload_begin(served *self, const char *json);

/* The same, and waits until it was reloaded or has failed; fails the test when it was refused. */
void served_reload(served *self, const char *json);

/* The URL that reaches the server of that name. The text lives as the fixture does. */
const char *served_url(served *self, const char *server);

/* Stops it (`now`: at once) if it runs, waits for the end, frees all; `destroyed` is returned. */
size_t served_stop(served *self, int now);

/*
 * Reads the file again and again, in a runtime of its own, each time with another allocation failing: it is refused and all
 * memory comes back, or it goes well all the same. Returns the number of runs.
 */
size_t served_load_each(fixture *f, const char *json);

#endif
