/* SPDX-License-Identifier: MIT */
/* The loader of plugins: where they are found, what runtimes share, and when instances start and end. */
#define _GNU_SOURCE

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/transport.h>

#include "allocator.h"
#include "plugin_world.h"

/* ---- what is loaded ---- */

static void loads_by_path_and_starts_once(void **state)
{
    world *w = *state;
    const weir_plugin *plugin = world_load(w, BROKEN_PLUGINS "/sound.so");
    assert_string_equal(plugin->name, "sound");
    assert_int_equal(w->seen.inits, 1);
    assert_ptr_equal(world_load(w, BROKEN_PLUGINS "/sound.so"), plugin);
    assert_ptr_equal(world_load(w, BROKEN_PLUGINS "/../broken/sound.so"), plugin);
    assert_ptr_equal(world_load(w, "sound"), plugin);
    assert_int_equal(w->seen.inits, 1);
    assert_int_equal(w->seen.exits, 0);
}

static void loads_by_name_from_a_configured_folder(void **state)
{
    world *w = *state;
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, "/nowhere/at/all"), 0);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, BROKEN_PLUGINS "/"), 0);
    assert_string_equal(world_load(w, "sounds-alike")->name, "sounds-alike");
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, ""), UV_EINVAL);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, NULL), UV_EINVAL);
}

static void a_relative_folder_is_that_of_the_call(void **state)
{
    world *w = *state;
    char here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(WEIR_TEST_ODD_PLUGINS), 0);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, "broken"), 0);
    assert_int_equal(chdir("/"), 0);
    world_load(w, "sound");
    assert_int_equal(chdir(here), 0);
}

static void instances_end_with_the_runtime_in_reverse(void **state)
{
    world *w = *state;
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, BROKEN_PLUGINS), 0);
    world_load(w, "sounds-alike");
    world_load(w, "needs-sound"); /* its init loads "sound" */
    assert_int_equal(w->seen.inits, 3);
    assert_int_equal(weir_runtime_free(w->runtime), 0);
    assert_int_equal(w->seen.exits, 3);
    assert_string_equal(w->seen.order[0], "needs-sound");
    assert_string_equal(w->seen.order[1], "sound");
    assert_string_equal(w->seen.order[2], "sounds-alike");
    world_begin(w);
}

static void two_runtimes_share_a_plugin_and_not_its_instance(void **state)
{
    world *w = *state;
    const weir_plugin *plugin = world_load(w, BROKEN_PLUGINS "/sound.so");
    weir_runtime *first = w->runtime;
    world_begin(w);
    assert_ptr_equal(world_load(w, BROKEN_PLUGINS "/sound.so"), plugin);
    assert_int_equal(w->seen.inits, 2);
    assert_int_equal(weir_runtime_free(first), 0);
    assert_int_equal(w->seen.exits, 1);
    assert_int_equal(w->seen.instances, 1);
}

typedef struct thread_world {
    pthread_barrier_t *together;
    char path[PATH_MAX];
    const weir_plugin *plugin;
    record seen;
    int status;
} thread_world;

static void *load_in_thread(void *arg)
{
    thread_world *t = arg;
    uv_loop_t loop;
    t->status = uv_loop_init(&loop);
    weir_runtime *runtime = weir_runtime_new(&loop);
    weir_runtime_set_data(runtime, &t->seen);
    pthread_barrier_wait(t->together);
    if (t->status == 0)
        t->status = weir_runtime_load_plugin(runtime, t->path, &t->plugin, NULL);
    weir_runtime_free(runtime);
    if (t->status == 0)
        t->status = uv_loop_close(&loop);
    return NULL;
}

static void runtimes_of_several_threads_load_one_plugin_at_once(void **state)
{
    world *w = *state;
    enum { THREADS = 4 };
    static thread_world threads[THREADS];
    pthread_t ids[THREADS];
    pthread_barrier_t together;
    assert_int_equal(pthread_barrier_init(&together, NULL, THREADS), 0);
    memset(threads, 0, sizeof(threads));
    for (size_t i = 0; i < THREADS; i++) {
        threads[i].together = &together;
        world_copy(w->folder, "sound", "sound", threads[i].path);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, load_in_thread, &threads[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
    pthread_barrier_destroy(&together);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(threads[i].status, 0);
        assert_ptr_equal(threads[i].plugin, threads[0].plugin);
        assert_int_equal(threads[i].seen.inits, 1);
        assert_int_equal(threads[i].seen.exits, 1);
    }
}

static void a_replaced_file_leaves_the_loaded_plugin_in_use(void **state)
{
    world *w = *state;
    char path[PATH_MAX], fresh[PATH_MAX], expected[PATH_MAX + 128];
    world_copy(w->folder, "sound", "sound", path);
    const weir_plugin *plugin = world_load(w, path);
    world_copy(w->folder, "sound", "fresh", fresh);
    assert_int_equal(rename(fresh, path), 0);
    assert_int_equal(weir_runtime_free(w->runtime), 0);
    world_begin(w);
    assert_ptr_equal(world_load(w, path), plugin);
    snprintf(expected, sizeof(expected),
             "%s: was replaced after this process had loaded it; the one that is loaded serves until a restart\n",
             path);
    assert_string_equal(w->log, expected);
}

static void a_symbolic_link_is_followed_and_gives_the_name(void **state)
{
    world *w = *state;
    char good[PATH_MAX], bad[PATH_MAX], dangling[PATH_MAX];
    world_join(good, w->folder, "sound.so");
    world_join(bad, w->folder, "louder.so");
    world_join(dangling, w->folder, "gone.so");
    assert_int_equal(symlink(BROKEN_PLUGINS "/sound.so", good), 0);
    assert_int_equal(symlink(BROKEN_PLUGINS "/sound.so", bad), 0);
    assert_int_equal(symlink("nothing.so", dangling), 0);
    assert_refused(w, bad, WEIR_EPLUGIN, "holds the plugin \"sound\": the file must be called sound.so");
    assert_refused(w, dangling, WEIR_ENOPLUGIN, "cannot be opened: no such file or directory (ENOENT)");
    world_load(w, good);
}

/* ---- the search ---- */

typedef struct list {
    char text[16384];
} list;

static void visit(const weir_plugin_info *info, void *arg)
{
    list *all = arg;
    size_t used = strlen(all->text);
    assert_true((info->plugin != NULL) == (info->reason == NULL));
    snprintf(all->text + used, sizeof(all->text) - used, "%s|%s|%s|%s\n", info->name ? info->name : "-",
             info->path ? info->path : "-", info->kinds, info->reason ? info->reason : "-");
}

static void the_environments_folders_come_behind_the_configured(void **state)
{
    world *w = *state;
    char configured[PATH_MAX], environment[PATH_MAX], path[PATH_MAX], value[3 * PATH_MAX], expected[6 * PATH_MAX];
    list all = {""};
    world_join(configured, w->folder, "configured");
    world_join(environment, w->folder, "environment");
    assert_int_equal(mkdir(configured, 0755), 0);
    assert_int_equal(mkdir(environment, 0755), 0);
    world_copy(environment, "sounds-alike", "sounds-alike", path);
    world_copy(environment, "sound", "sound", path);
    world_copy(configured, "sound", "sound", path);
    snprintf(value, sizeof(value), ":/nowhere/at/all::%s/:", environment);
    setenv("WEIR_PLUGIN_PATH", value, 1);
    assert_int_equal(weir_runtime_free(w->runtime), 0);
    world_begin(w);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, configured), 0);
    world_load(w, "sound");
    world_load(w, "sounds-alike");
    assert_int_equal(weir_runtime_each_plugin(w->runtime, visit, &all), 0);
    snprintf(expected, sizeof(expected),
             "sound|%s/sound.so|transport, layer, handler|-\n"
             "sounds-alike|%s/sounds-alike.so|transport, layer, handler|-\n"
             "sound|%s/sound.so||%s/sound.so: there is a plugin called \"sound\" already, from %s/sound.so\n",
             configured, environment, environment, environment, configured);
    assert_string_equal(all.text, expected);
}

static void a_missing_plugin_says_where_it_was_looked_for_and_what_is_near(void **state)
{
    world *w = *state;
    char expected[2 * PATH_MAX];
    weir_error *error = NULL;
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, w->folder), 0);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, BROKEN_PLUGINS), 0);
    assert_int_equal(weir_runtime_load_plugin(w->runtime, "sonud", NULL, &error), WEIR_ENOPLUGIN);
    snprintf(expected, sizeof(expected),
             "sonud: there is no such plugin (did you mean \"sound\"?); looked for sonud.so in %s, %s and /", w->folder,
             BROKEN_PLUGINS);
    assert_memory_equal(error->message, expected, strlen(expected));
    assert_non_null(strstr(error->message, " (WEIR_PLUGIN_PATH can name more)"));
    weir_error_release(error);
    assert_int_equal(weir_runtime_load_plugin(w->runtime, "entirely-different", NULL, &error), WEIR_ENOPLUGIN);
    snprintf(expected, sizeof(expected),
             "entirely-different: there is no such plugin; looked for entirely-different.so in %s, %s and /", w->folder,
             BROKEN_PLUGINS);
    assert_memory_equal(error->message, expected, strlen(expected));
    weir_error_release(error);
    assert_refused(w, "Sound", WEIR_ENOPLUGIN,
                   "there is no such plugin (did you mean \"sound\"?); a name is [a-z][a-z0-9-]*, and a path has a "
                   "slash in it");
    assert_refused(w, "/nowhere/tcp.so", WEIR_ENOPLUGIN, "cannot be opened: no such file or directory (ENOENT)");
    assert_int_equal(weir_runtime_load_plugin(w->runtime, "", NULL, NULL), UV_EINVAL);
    assert_int_equal(weir_runtime_load_plugin(w->runtime, NULL, NULL, NULL), UV_EINVAL);
    assert_int_equal(weir_runtime_load_plugin(NULL, "sound", NULL, NULL), UV_EINVAL);
}

static void a_bad_file_is_not_passed_over_for_a_later_one(void **state)
{
    world *w = *state;
    char path[PATH_MAX], expected[2 * PATH_MAX];
    weir_error *error = NULL;
    world_join(path, w->folder, "sound.so");
    world_write(path, "", 0);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, w->folder), 0);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, BROKEN_PLUGINS), 0);
    assert_int_equal(weir_runtime_load_plugin(w->runtime, "sound", NULL, &error), WEIR_EPLUGIN);
    snprintf(expected, sizeof(expected), "%s: is empty", path);
    assert_string_equal(error->message, expected);
    weir_error_release(error);
}

static void a_listing_shows_all_files_and_starts_none(void **state)
{
    world *w = *state;
    char path[PATH_MAX], later[PATH_MAX], expected[8 * PATH_MAX];
    list all = {""};
    world_join(later, w->folder, "later");
    assert_int_equal(mkdir(later, 0755), 0);
    world_copy(w->folder, "sound", "sound", path);
    world_copy(w->folder, "abi-major", "abi-major", path);
    world_copy(w->folder, "schema-type", "schema-type", path);
    world_copy(w->folder, "sounds-alike", "Alike", path);
    world_copy(w->folder, "sound", "sound", path);
    world_copy(later, "sound", "sound", path);
    world_join(path, w->folder, "notes.txt");
    world_write(path, "no", 2);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, w->folder), 0);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, later), 0);
    assert_int_equal(weir_runtime_each_plugin(w->runtime, visit, &all), 0);
    const char *f = w->folder;
    snprintf(expected, sizeof(expected),
             "Alike|%s/Alike.so||%s/Alike.so: cannot be found by name: a plugin's is [a-z][a-z0-9-]*\n"
             "abi-major|%s/abi-major.so||%s/abi-major.so: built for plugin ABI 2, this weir speaks 1\n"
             "schema-type|%s/schema-type.so||%s/schema-type.so: its schema is invalid: line 1, column 10: /type: ",
             f, f, f, f, f, f);
    assert_memory_equal(all.text, expected, strlen(expected));
    snprintf(expected, sizeof(expected),
             "\nsound|%s/sound.so|transport, layer, handler|-\n"
             "sound|%s/sound.so||%s/sound.so: is hidden by %s/sound.so, which is found first\n",
             f, later, later, f);
    assert_non_null(strstr(all.text, expected));
    assert_int_equal(w->seen.inits, 0);
    assert_int_equal(weir_runtime_each_plugin(w->runtime, NULL, NULL), UV_EINVAL);
    /* The same folder by another name has nothing new. */
    char again[PATH_MAX];
    list same = {""};
    world_join(again, w->folder, "again");
    assert_int_equal(symlink(w->folder, again), 0);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, again), 0);
    assert_int_equal(weir_runtime_each_plugin(w->runtime, visit, &same), 0);
    assert_null(strstr(same.text, "/again/sound.so"));
}

/* ---- plugins that are linked into the program ---- */

static int linked_init(weir_runtime *runtime, void **instance, weir_error **error)
{
    record *seen = weir_runtime_data(runtime);
    (void)error;
    seen->inits++;
    seen->instances++;
    *instance = seen;
    return 0;
}

static void linked_exit(weir_runtime *runtime, void *instance)
{
    record *seen = instance;
    /* The runtime has no plugins any more, and says so. */
    if (weir_runtime_load_plugin(runtime, "sound", NULL, NULL) == UV_ECANCELED)
        seen->order[seen->exits++] = "linked";
    seen->instances--;
}

#define LINKED                                                                                       \
    WEIR_PLUGIN_HEADER, .name = "linked", .version = "1.0.0", .description = "linked into the test", \
                        .schema = "{\"type\": \"object\"}"

static const weir_plugin linked = {LINKED, .init = linked_init, .exit = linked_exit};

static void assert_not_registered(world *w, const weir_plugin *plugin, int code, const char *text)
{
    weir_error *error = NULL;
    int inits = w->seen.inits;
    int status = weir_runtime_register_plugin(w->runtime, plugin, &error);
    assert_non_null(error);
    assert_string_equal(error->message, text);
    assert_int_equal(status, code);
    assert_int_equal(error->code, code);
    weir_error_release(error);
    assert_int_equal(weir_runtime_register_plugin(w->runtime, plugin, NULL), code);
    assert_int_equal(w->seen.inits, inits);
}

static void a_registered_plugin_is_found_before_any_file(void **state)
{
    world *w = *state;
    list all = {""};
    char path[PATH_MAX], expected[3 * PATH_MAX];
    world_copy(w->folder, "sound", "linked", path);
    assert_int_equal(weir_runtime_register_plugin(w->runtime, &linked, NULL), 0);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, w->folder), 0);
    assert_ptr_equal(world_load(w, "linked"), &linked);
    assert_int_equal(w->seen.inits, 1);
    assert_not_registered(w, &linked, UV_EEXIST,
                          "linked: there is a plugin called \"linked\" already, linked into the program");
    assert_int_equal(weir_runtime_each_plugin(w->runtime, visit, &all), 0);
    snprintf(expected, sizeof(expected),
             "linked|-||-\nlinked|%s||%s: there is a plugin called \"linked\" already, linked into the program\n", path,
             path);
    assert_string_equal(all.text, expected);
    assert_int_equal(weir_runtime_free(w->runtime), 0);
    assert_int_equal(w->seen.exits, 1);
    world_begin(w);
}

static void a_registered_plugin_is_checked_like_a_file(void **state)
{
    world *w = *state;
    static const weir_transport bare = {.size = sizeof(weir_transport)};
    weir_plugin plugin = linked;
    assert_not_registered(w, NULL, UV_EINVAL, "a registered plugin: there is no plugin");
    assert_int_equal(weir_runtime_register_plugin(NULL, &linked, NULL), UV_EINVAL);
    plugin.abi_major = 2;
    assert_not_registered(w, &plugin, WEIR_EPLUGIN, "a registered plugin: built for plugin ABI 2, this weir speaks 1");
    plugin = linked;
    plugin.name = NULL;
    assert_not_registered(w, &plugin, WEIR_EPLUGIN, "a registered plugin: its weir_plugin has no name");
    plugin = linked;
    plugin.name = "two\nlines";
    assert_not_registered(w, &plugin, WEIR_EPLUGIN,
                          "a registered plugin: its name \"two\\nlines\" is none: a plugin's name is [a-z][a-z0-9-]*, "
                          "at most 64 characters");
    plugin = linked;
    plugin.name = "stream";
    assert_not_registered(w, &plugin, WEIR_EPLUGIN,
                          "stream: its name \"stream\" is a reserved word of endpoints: call it something else");
    plugin = linked;
    plugin.schema = "[]";
    assert_int_equal(weir_runtime_register_plugin(w->runtime, &plugin, NULL), WEIR_EPLUGIN);
    plugin = linked;
    plugin.transport = &bare;
    assert_not_registered(w, &plugin, WEIR_EPLUGIN, "linked: its weir_transport has no configure");
    assert_int_equal(weir_runtime_register_plugin(w->runtime, &linked, NULL), 0);
}

/* ---- want of memory ---- */

typedef struct sweep {
    world *w;
    const char *path;
    int expected;
} sweep;

/* Success without a failure; with one UV_ENOMEM or the same result, and the same plugin can be had afterwards. */
static void load_without_memory(void *arg)
{
    const sweep *s = arg;
    uv_loop_t loop;
    weir_error *error = NULL;
    record seen = {0};
    size_t before = allocator_failures();
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *runtime = weir_runtime_new(&loop);
    if (runtime) {
        weir_runtime_set_data(runtime, &seen);
        int status = weir_runtime_add_plugin_path(runtime, s->w->folder);
        if (status == 0)
            status = weir_runtime_load_plugin(runtime, s->path, NULL, &error);
        if (allocator_failures() == before)
            assert_int_equal(status, s->expected);
        else if (status != s->expected || s->expected == 0)
            assert_int_equal(status, UV_ENOMEM); /* what is refused anyway may be refused for its own reason */
        if (error)
            assert_int_equal(error->code, status);
        weir_error_release(error);
        assert_int_equal(weir_runtime_free(runtime), 0);
    } else {
        assert_true(allocator_failures() > before);
    }
    assert_int_equal(seen.instances, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void every_allocation_of_a_load_may_fail(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_copy(w->folder, "sound", "sound", path); /* not loaded yet: the first runs fail before it is */
    sweep by_name = {w, "sound", 0};
    assert_true(allocator_fail_each(load_without_memory, &by_name) > 10);
    sweep by_path = {w, path, 0};
    assert_true(allocator_fail_each(load_without_memory, &by_path) > 10);
}

static void every_allocation_of_a_refusal_may_fail(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_copy(w->folder, "schema-type", "schema-type", path);
    sweep schema = {w, "schema-type", WEIR_EPLUGIN};
    assert_true(allocator_fail_each(load_without_memory, &schema) > 5);
    sweep missing = {w, "schema-tpye", WEIR_ENOPLUGIN};
    assert_true(allocator_fail_each(load_without_memory, &missing) > 5);
}

static void count_plugin(const weir_plugin_info *info, void *arg)
{
    (void)info;
    ++*(int *)arg;
}

static void list_without_memory(void *arg)
{
    const sweep *s = arg;
    int count = 0;
    size_t before = allocator_failures();
    int status = weir_runtime_each_plugin(s->w->runtime, count_plugin, &count);
    assert_int_equal(status, allocator_failures() == before ? 0 : UV_ENOMEM);
    if (status == 0)
        assert_int_equal(count, 2);
}

static void every_allocation_of_a_listing_may_fail(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_copy(w->folder, "sound", "sound", path);
    world_copy(w->folder, "abi-major", "abi-major", path);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, w->folder), 0);
    sweep all = {w, NULL, 0};
    assert_true(allocator_fail_each(list_without_memory, &all) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(loads_by_path_and_starts_once),
        WORLD_TEST(loads_by_name_from_a_configured_folder),
        WORLD_TEST(a_relative_folder_is_that_of_the_call),
        WORLD_TEST(instances_end_with_the_runtime_in_reverse),
        WORLD_TEST(two_runtimes_share_a_plugin_and_not_its_instance),
        WORLD_TEST(runtimes_of_several_threads_load_one_plugin_at_once),
        WORLD_TEST(a_replaced_file_leaves_the_loaded_plugin_in_use),
        WORLD_TEST(a_symbolic_link_is_followed_and_gives_the_name),
        WORLD_TEST(the_environments_folders_come_behind_the_configured),
        WORLD_TEST(a_missing_plugin_says_where_it_was_looked_for_and_what_is_near),
        WORLD_TEST(a_bad_file_is_not_passed_over_for_a_later_one),
        WORLD_TEST(a_listing_shows_all_files_and_starts_none),
        WORLD_TEST(a_registered_plugin_is_found_before_any_file),
        WORLD_TEST(a_registered_plugin_is_checked_like_a_file),
        WORLD_TEST(every_allocation_of_a_load_may_fail),
        WORLD_TEST(every_allocation_of_a_refusal_may_fail),
        WORLD_TEST(every_allocation_of_a_listing_may_fail),
    };
    umask(022);
    return cmocka_run_group_tests_name("plugin_loader", tests, NULL, NULL);
}
