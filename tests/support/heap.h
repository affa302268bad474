/* SPDX-License-Identifier: MIT */
/* Looking for what should not be in memory any more. */
#ifndef WEIR_TEST_HEAP_H
#define WEIR_TEST_HEAP_H

#include <stddef.h>

/*
 * How many pages of the memory that malloc gives hold these bytes (at most 64), freed memory among it. Nothing is found where
 * malloc's memory is somewhere else (valgrind, sanitizers): look for something that must be there as well.
 */
size_t heap_holds(const void *wanted, size_t size);

#endif
