/* SPDX-License-Identifier: MIT */
/* A handler "mark" that tells every client by which options it is served: {"mark": {"say": "one"}} says "one." and then
 * echoes. */
#ifndef WEIR_TEST_MARKED_H
#define WEIR_TEST_MARKED_H

#include "fixture.h"

/* fixture_setup with the handler registered; the teardown also checks that no context of it is left. */
int marked_setup(void **state);
int marked_teardown(void **state);

/* Contexts that are configured and not freed; calls of `stopping` in this test. In all threads. */
int marked_contexts(void);
int marked_stopping(void);

/* The configure after so many fails; below 0: none does. To say "bad" fails always. */
void marked_fail_after(int configures);

/* A client that has got the mark; fails the test when it is another one. */
recorder *marked_client(fixture *f, const char *url, const char *mark);

/* Sends five bytes, waits until they are back. */
void marked_echo(recorder *client);

#endif
