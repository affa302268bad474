/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the plugin loader stand on. Not fixture.h: that one loads plugins itself, and here it is the
 * loading that is looked at.
 */
#ifndef WEIR_TEST_PLUGIN_WORLD_H
#define WEIR_TEST_PLUGIN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <uv.h>

#include <weir/plugin.h>
#include <weir/weir.h>

#include "../plugins/broken/record.h"

/* Where the plugins of tests/plugins/broken are built. */
#define BROKEN_PLUGINS WEIR_TEST_ODD_PLUGINS "/broken"

typedef struct world {
    uv_loop_t loop;
    weir_runtime *runtime;
    record seen;           /* what the plugins of this runtime did */
    char folder[PATH_MAX]; /* of this test, empty at first */
    char log[4096];        /* what the runtimes logged, a line each */
    size_t live;
} world;

/* cmocka's setup and teardown: *state is the world. The teardown fails when an instance or memory is left. */
int world_setup(void **state);
int world_teardown(void **state);

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

/* A new runtime instead of the one that was there, which the test has freed or goes on with. */
void world_begin(world *w);

/* path[PATH_MAX] becomes FOLDER/NAME. */
void world_join(char *path, const char *folder, const char *name);

/* A file's bytes; the caller frees them. */
unsigned char *world_read(const char *path, size_t *size);
void world_write(const char *path, const void *bytes, size_t size);

/* A copy of a built plugin as NAME.so in a folder; path[PATH_MAX] gets its name. */
void world_copy(const char *folder, const char *built, const char *name, char *path);

/* Loads a plugin, which must succeed. */
const weir_plugin *world_load(world *w, const char *name);

/* Loading it is refused with this code and this one line, "NAME: ...", and nothing of the plugin is started. */
void assert_refused(world *w, const char *name, int code, const char *format, ...) WEIR_PRINTF(4, 5);

#endif
