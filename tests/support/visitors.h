/* SPDX-License-Identifier: MIT */
/*
 * A thread of clients of the handler "mark" (marked.h), one after the other without a pause: each connects, reads the
 * mark, sends five bytes, ends, and wants them back before the end. Whatever else happens is a failure.
 */
#ifndef WEIR_TEST_VISITORS_H
#define WEIR_TEST_VISITORS_H

#include "fixture.h"

typedef struct visitors visitors;

/* Begins to come to a URL, tcp://127.0.0.1:PORT or ipc:/PATH. */
visitors *visitors_start(fixture *f, const char *url);

/* Lets the loop turn until so many more have been there; fails the test when one was refused, reset or cut. */
void visitors_wait(visitors *self, size_t more);

/* The same for the last one, and frees it. Returns how many there were. */
size_t visitors_end(visitors *self);

#endif
