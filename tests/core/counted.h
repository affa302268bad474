/* SPDX-License-Identifier: MIT */
/* Listeners and callbacks that count, and keep the code they were told last. */
#ifndef WEIR_TEST_COUNTED_H
#define WEIR_TEST_COUNTED_H

#include "over.h"

typedef struct counted {
    int calls;
    int status; /* of the last callback, or of the last event's error */
    int other;  /* the test's own */
} counted;

/* Their argument is a counted. */
void counted_event(const weir_event *event, void *arg);
void counted_callback(weir_stream *stream, int status, void *arg);

#endif
