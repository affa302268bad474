/* SPDX-License-Identifier: MIT */
/* What the fixture and its recorders know of each other. */
#ifndef WEIR_TEST_FIXTURE_PRIVATE_H
#define WEIR_TEST_FIXTURE_PRIVATE_H

#include "fixture.h"

/* Runs the loop until `ready` says so, or fails the test; `what` and `detail` tell what was waited for. */
void fixture_wait(fixture *f, int (*ready)(const void *arg), const void *arg, const char *what,
                  const char *(*detail)(const void *arg));

/* A new recorder's place in the fixture's list. */
void fixture_adopt(fixture *f, recorder *r);

recorder *recorder_next(const recorder *r);
void recorder_link(recorder *r, recorder *next);

/* Gives the stream back. */
void recorder_free(recorder *r);

#endif
