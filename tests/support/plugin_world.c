/* SPDX-License-Identifier: MIT */
/* A runtime, a folder and the broken plugins, for the tests of the loader. */
#define _GNU_SOURCE

#include "plugin_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "allocator.h"

static void keep_log(weir_log_level level, const char *message, void *arg)
{
    world *w = arg;
    size_t used = strlen(w->log);
    (void)level;
    snprintf(w->log + used, sizeof(w->log) - used, "%s\n", message);
}

void world_begin(world *w)
{
    w->runtime = weir_runtime_new(&w->loop);
    assert_non_null(w->runtime);
    weir_runtime_set_data(w->runtime, &w->seen);
    weir_runtime_on_log(w->runtime, keep_log, w);
}

int world_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    world *w = calloc(1, sizeof(*w));
    allocator_install();
    unsetenv("WEIR_PLUGIN_PATH");
    unsetenv("WEIR_TEST_LOADED");
    snprintf(w->folder, sizeof(w->folder), "%s/loader.XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(w->folder));
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->live = allocator_live();
    world_begin(w);
    *state = w;
    return 0;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *walk)
{
    (void)found;
    (void)kind;
    (void)walk;
    return remove(path);
}

int world_teardown(void **state)
{
    world *w = *state;
    assert_int_equal(weir_runtime_free(w->runtime), 0);
    assert_int_equal(w->seen.instances, 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    assert_int_equal(allocator_live(), w->live);
    nftw(w->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

void world_join(char *path, const char *folder, const char *name)
{
    assert_true(snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX);
}

unsigned char *world_read(const char *path, size_t *size)
{
    struct stat found;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &found), 0);
    *size = (size_t)found.st_size;
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, *size), (ssize_t)*size);
    close(fd);
    return bytes;
}

void world_write(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

void world_copy(const char *folder, const char *built, const char *name, char *path)
{
    char from[PATH_MAX];
    size_t size;
    snprintf(from, sizeof(from), BROKEN_PLUGINS "/%s.so", built);
    unsigned char *bytes = world_read(from, &size);
    assert_true(snprintf(path, PATH_MAX, "%s/%s.so", folder, name) < PATH_MAX);
    world_write(path, bytes, size);
    free(bytes);
}

/* By this code and this one line, "NAME: ...", and nothing of the plugin was started. */
void assert_refused(world *w, const char *name, int code, const char *format, ...)
{
    char text[2048];
    weir_error *error = NULL;
    const weir_plugin *plugin = (const weir_plugin *)(const void *)"not touched";
    int used = snprintf(text, sizeof(text), "%s: ", name);
    va_list values;
    va_start(values, format);
    vsnprintf(text + used, sizeof(text) - (size_t)used, format, values);
    va_end(values);
    int inits = w->seen.inits;
    int status = weir_runtime_load_plugin(w->runtime, name, &plugin, &error);
    assert_non_null(error);
    assert_string_equal(error->message, text);
    assert_int_equal(status, code);
    assert_int_equal(error->code, code);
    assert_string_equal(error->address, name);
    assert_null(strchr(error->message, '\n'));
    assert_null(plugin);
    assert_int_equal(w->seen.inits, inits);
    weir_error_release(error);
    /* The error is optional. */
    assert_int_equal(weir_runtime_load_plugin(w->runtime, name, NULL, NULL), code);
}

const weir_plugin *world_load(world *w, const char *name)
{
    weir_error *error = NULL;
    const weir_plugin *plugin = NULL;
    int status = weir_runtime_load_plugin(w->runtime, name, &plugin, &error);
    if (error)
        fail_msg("%s", error->message);
    assert_int_equal(status, 0);
    assert_non_null(plugin);
    return plugin;
}
