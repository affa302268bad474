/* SPDX-License-Identifier: MIT */
/*
 * What the tests of endpoints stand on: a runtime with plugins of the test's own, which keep what they were given (net, file
 * and bare are transports, wrap, count and chain are layers, work is a handler), and endpoints as a line of text.
 */
#ifndef WEIR_TEST_ENDPOINT_WORLD_H
#define WEIR_TEST_ENDPOINT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <uv.h>

#include <weir/plugin.h>
#include <weir/weir.h>

/* What a configure was given; the context of every component here. */
typedef struct {
    json_t *options;
    weir_role role;
    char *folder;
} seen;

/* How many of them there are. */
extern int contexts_alive;

typedef struct world {
    uv_loop_t loop;
    weir_runtime *runtime;
    char folder[64];
    char log[1024];
    size_t memory;
} world;

/* cmocka's setup and teardown: *state is the world. The teardown fails when a context or memory is left. */
int endpoint_setup(void **state);
int endpoint_teardown(void **state);

#define TEST(function) cmocka_unit_test_setup_teardown(function, endpoint_setup, endpoint_teardown)

/* The file "secret" in the test's folder. */
void write_secret(const world *w, const char *text, size_t length);

/* URL, components from the wire inwards with their options, the stream's options; or "ERR_NAME: message". */
void describe_in(const world *w, const char *text, weir_role role, char *line, size_t size);

typedef struct example {
    const char *text, *expected;
} example;

/* Fails the test unless each is described as expected. */
void check_in(const world *w, const example *examples, size_t count, weir_role role);

#define CHECK(world, examples) check_in((world), (examples), sizeof(examples) / sizeof((examples)[0]), WEIR_CLIENT)

#endif
