/* SPDX-License-Identifier: MIT */
/* The counting and failing allocator of the tests. */
#define _GNU_SOURCE

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdatomic.h>

#include <weir/runtime.h>

#include "allocator.h"

static atomic_size_t live;
static atomic_size_t bytes;
static atomic_size_t peak; /* of `bytes`, since allocator_peak_begin */
static atomic_size_t calls;
static atomic_size_t failures;
static atomic_size_t fail_from; /* the number of the call that fails; 0: none */
static atomic_int fail_lasting;

static int fails(void)
{
    size_t number = atomic_fetch_add(&calls, 1) + 1;
    size_t from = atomic_load(&fail_from);
    if (!from || number < from || (number > from && !atomic_load(&fail_lasting)))
        return 0;
    atomic_fetch_add(&failures, 1);
    return 1;
}

/* What the C library calls a block's size, when it is given and when it is taken back. */
static void grown_by(size_t size)
{
    size_t now = atomic_fetch_add(&bytes, size) + size;
    size_t most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        ;
}

static void *counted(void *memory)
{
    if (memory) {
        atomic_fetch_add(&live, 1);
        grown_by(malloc_usable_size(memory));
    }
    return memory;
}

static void *counting_malloc(size_t size)
{
    return fails() ? NULL : counted(malloc(size));
}

static void *counting_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(calloc(count, size));
}

static void *counting_realloc(void *memory, size_t size)
{
    if (!memory)
        return counting_malloc(size);
    if (fails())
        return NULL;
    size_t before = malloc_usable_size(memory);
    void *moved = realloc(memory, size);
    if (moved) {
        atomic_fetch_sub(&bytes, before);
        grown_by(malloc_usable_size(moved));
    }
    return moved;
}

static void counting_free(void *memory)
{
    if (memory) {
        atomic_fetch_sub(&live, 1);
        atomic_fetch_sub(&bytes, malloc_usable_size(memory));
    }
    free(memory);
}

void allocator_install(void)
{
    static const weir_allocator table = {counting_malloc, counting_realloc, counting_calloc, counting_free};
    static int installed;
    if (!installed)
        weir_set_allocator(&table);
    installed = 1;
}

int allocator_setup(void **state)
{
    (void)state;
    allocator_install();
    return 0;
}

size_t allocator_live(void)
{
    return atomic_load(&live);
}

size_t allocator_bytes(void)
{
    return atomic_load(&bytes);
}

void allocator_peak_begin(void)
{
    atomic_store(&peak, atomic_load(&bytes));
}

size_t allocator_peak(void)
{
    return atomic_load(&peak);
}

size_t allocator_calls(void)
{
    return atomic_load(&calls);
}

void allocator_fail(size_t nth, int lasting)
{
    allocator_install();
    atomic_store(&failures, 0);
    atomic_store(&fail_lasting, lasting);
    atomic_store(&fail_from, nth ? atomic_load(&calls) + nth : 0);
}

size_t allocator_failures(void)
{
    return atomic_load(&failures);
}

size_t allocator_fail_each(void (*body)(void *arg), void *arg)
{
    /* Far more than any body allocates: one that never runs through must not run for ever. */
    enum { MOST = 10000 };
    for (size_t run = 1; run <= MOST; run++) {
        size_t before = allocator_live();
        allocator_fail(run, 0);
        body(arg);
        size_t failed = allocator_failures();
        allocator_fail(0, 0);
        if (allocator_live() != before)
            fail_msg("with allocation %zu failing, %zu blocks were held before and %zu after", run, before,
                     allocator_live());
        if (!failed)
            return run;
    }
    fail_msg("after %d runs there is still an allocation left to fail", MOST);
    return 0;
}
