/* SPDX-License-Identifier: MIT */
/* How a plugin under test tells the test that it ran: plugins have no globals, so it is the runtime's data. */
#ifndef RECORD_H
#define RECORD_H

typedef struct record {
    int inits, exits;
    int instances;        /* started and not ended */
    const char *order[8]; /* the names, as their exits came */
} record;

#endif
