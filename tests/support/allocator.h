/* SPDX-License-Identifier: MIT */
/*
 * The allocator of the tests: counts what weir holds, and fails where it is told to. The first call of any function
 * here puts it in place; fixture_setup does. All threads may allocate; failing is set by one.
 */
#ifndef WEIR_TEST_ALLOCATOR_H
#define WEIR_TEST_ALLOCATOR_H

#include <stddef.h>

/* Puts it in place, before anything of weir allocates. Again: nothing happens. */
void allocator_install(void);

/* The same as the setup of a group of tests. */
int allocator_setup(void **state);

/* Blocks that are allocated now. */
size_t allocator_live(void);

/* Bytes in them, as the C library counts them: for blocks of one size not always the same. */
size_t allocator_bytes(void);

/* The most that allocator_bytes has been since the last allocator_peak_begin. */
void allocator_peak_begin(void);
size_t allocator_peak(void);

/* Allocations (growing reallocations too) since the process began, failed ones included. */
size_t allocator_calls(void);

/* The `nth` allocation from now fails (1: the next one), and with `lasting` all after it. 0: none fails any more. */
void allocator_fail(size_t nth, int lasting);

/* How many have failed since the last allocator_fail. */
size_t allocator_failures(void);

/*
 * Runs `body` again and again: the first time its first allocation fails, then its second ... until it runs through
 * without meeting the one that fails. Each run must give all memory back (checked; the test fails otherwise). `body`
 * judges for itself what a failure must look like; it may look at allocator_failures. Returns the number of runs.
 */
size_t allocator_fail_each(void (*body)(void *arg), void *arg);

#endif
