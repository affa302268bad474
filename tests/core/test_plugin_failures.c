/* SPDX-License-Identifier: MIT */
/* Loading a plugin while the system fails: each call once, and the reasons that are told. */
#define _GNU_SOURCE

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_world.h"
#include "syscalls.h"

enum { COPIES = 40 };

typedef struct sweep {
    char folders[COPIES][PATH_MAX]; /* with a copy in each: one that is loaded is not looked at again */
    unsigned next;
    unsigned loaded, refused;
} sweep;

static void load_next(void *arg)
{
    sweep *s = arg;
    weir_error *error = NULL;
    uv_loop_t loop;
    record seen = {0};
    assert_true(s->next < COPIES);
    const char *folder = s->folders[s->next++];
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *runtime = weir_runtime_new(&loop);
    assert_non_null(runtime);
    weir_runtime_set_data(runtime, &seen);
    int status = weir_runtime_add_plugin_path(runtime, folder);
    if (status == 0)
        status = weir_runtime_load_plugin(runtime, "sound", NULL, &error);
    if (status == 0) {
        s->loaded++;
    } else {
        assert_true(syscalls_failures() > 0);
        s->refused++;
        assert_int_equal(seen.inits, 0);
    }
    if (error) {
        assert_int_equal(error->code, status);
        assert_null(strchr(error->message, '\n'));
    }
    weir_error_release(error);
    assert_int_equal(weir_runtime_free(runtime), 0);
    assert_int_equal(seen.instances, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void every_call_of_a_load_may_fail(void **state)
{
    static const struct {
        const char *call;
        int error;
    } calls[] = {{"realpath", EACCES}, {"stat", EACCES}, {"open", EMFILE},  {"fstat", EIO},
                 {"pread", EIO},       {"pread", EINTR}, {"readlink", EIO}, {"dlopen", ENOMEM},
                 {"dlinfo", EIO},      {"dladdr1", EIO}, {"mmap", ENOMEM},  {"opendir", EMFILE}};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        world *w = *state;
        static sweep s;
        char path[PATH_MAX], name[16];
        s.next = s.loaded = s.refused = 0;
        for (unsigned copy = 0; copy < COPIES; copy++) {
            snprintf(name, sizeof(name), "%zu-%u", i, copy);
            world_join(s.folders[copy], w->folder, name);
            assert_int_equal(mkdir(s.folders[copy], 0755), 0);
            world_copy(s.folders[copy], "sound", "sound", path);
        }
        unsigned runs = syscalls_fail_each(calls[i].call, calls[i].error, load_next, &s);
        assert_true(runs < COPIES);
        assert_true(s.loaded > 0);
    }
}

static void assert_refused_once(world *w, const char *path, const char *expected)
{
    weir_error *error = NULL;
    assert_int_equal(weir_runtime_load_plugin(w->runtime, path, NULL, &error), WEIR_EPLUGIN);
    assert_true(syscalls_failures() > 0);
    syscalls_restore();
    if (!strstr(error->message, expected))
        fail_msg("expected \"%s\": %s", expected, error->message);
    weir_error_release(error);
}

static void what_failed_is_told(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_copy(w->folder, "sound", "sound", path);
    syscalls_fail(&(syscall_fault){.call = "open", .error = ENFILE, .path = path});
    assert_refused_once(w, path, "cannot be opened: file table overflow (ENFILE)");
    syscalls_fail_next("pread", EIO);
    assert_refused_once(w, path, "i/o error (EIO)");
    syscalls_fail(&(syscall_fault){.call = "pread", .nothing = 1, .times = 1});
    assert_refused_once(w, path, "became shorter while it was read; try again");
    syscalls_fail_next("dlinfo", ENOMEM);
    assert_refused_once(w, path, "cannot be loaded: the dynamic linker does not say why");
    syscalls_fail_next("dladdr1", ENOMEM);
    assert_refused_once(w, path, "is no weir plugin");
    world_load(w, path);
}

static void without_knowing_its_program_it_trusts_root_and_the_user(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_copy(w->folder, "sound", "sound", path);
    syscalls_fail_next("readlink", ENOENT);
    world_load(w, path);
    assert_int_equal(syscalls_failures(), 1);
    syscalls_restore();
}

static void a_relative_folder_without_a_working_folder_is_refused(void **state)
{
    world *w = *state;
    char long_name[PATH_MAX + 8];
    syscalls_fail_next("getcwd", ENOENT);
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, "plugins"), UV_EINVAL);
    syscalls_restore();
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, long_name), UV_EINVAL);
}

static void note_reason(const weir_plugin_info *info, void *arg)
{
    if (info->reason)
        snprintf(arg, 256, "%s", info->reason);
}

static void a_listing_tells_of_folders_that_cannot_be_read(void **state)
{
    world *w = *state;
    char reason[256] = "", expected[PATH_MAX + 64];
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, w->folder), 0);
    syscalls_fail(&(syscall_fault){.call = "opendir", .error = EACCES, .path = w->folder});
    assert_int_equal(weir_runtime_each_plugin(w->runtime, note_reason, reason), 0);
    syscalls_restore();
    snprintf(expected, sizeof(expected), "%s: cannot be read: permission denied (EACCES)", w->folder);
    assert_string_equal(reason, expected);
}

/* ---- files that are damaged inside ---- */

static unsigned char *begin_damage(size_t *size)
{
    return world_read(BROKEN_PLUGINS "/sound.so", size);
}

static void assert_damaged(world *w, unsigned char *bytes, size_t size, const char *expected)
{
    char path[PATH_MAX];
    weir_error *error = NULL;
    world_join(path, w->folder, "sound.so");
    unlink(path);
    world_write(path, bytes, size);
    free(bytes);
    int status = weir_runtime_load_plugin(w->runtime, path, NULL, &error);
    if (!expected) {
        if (error)
            fail_msg("%s", error->message);
        assert_int_equal(status, 0);
        return;
    }
    assert_int_equal(status, WEIR_EPLUGIN);
    if (!strstr(error->message, expected))
        fail_msg("expected \"%s\": %s", expected, error->message);
    weir_error_release(error);
}

static ElfW(Phdr) * segment_of(unsigned char *bytes, unsigned type)
{
    const ElfW(Ehdr) *header = (const void *)bytes;
    ElfW(Phdr) *segments = (void *)(bytes + header->e_phoff);
    for (size_t i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == type)
            return &segments[i];
    fail_msg("no segment of type %u", type);
    return NULL;
}

static void headers_that_make_no_sense_are_refused(void **state)
{
    world *w = *state;
    size_t size;
    unsigned char *bytes = begin_damage(&size);
    ((ElfW(Ehdr) *)(void *)bytes)->e_phentsize = 1;
    assert_damaged(w, bytes, size, "is damaged: its program headers make no sense");

    bytes = begin_damage(&size);
    ((ElfW(Ehdr) *)(void *)bytes)->e_phnum = 0;
    assert_damaged(w, bytes, size, "is damaged: its program headers make no sense");

    bytes = begin_damage(&size);
    segment_of(bytes, PT_LOAD)->p_filesz = UINT64_MAX;
    assert_damaged(w, bytes, size, "is damaged: its program headers make no sense");

    bytes = begin_damage(&size);
    segment_of(bytes, PT_DYNAMIC)->p_vaddr = 0x7ffffffff000;
    assert_damaged(w, bytes, size, "is damaged: it has no dynamic section to load it by");

    bytes = begin_damage(&size);
    segment_of(bytes, PT_DYNAMIC)->p_type = PT_NULL;
    assert_damaged(w, bytes, size, "is damaged: it has no dynamic section to load it by");

    bytes = begin_damage(&size);
    ((ElfW(Ehdr) *)(void *)bytes)->e_shentsize = 1;
    assert_damaged(w, bytes, size, "is damaged: its section headers make no sense");
}

static void a_table_of_symbols_without_names_is_left_to_the_linker(void **state)
{
    world *w = *state;
    size_t size;
    unsigned char *bytes = begin_damage(&size);
    const ElfW(Ehdr) *header = (const void *)bytes;
    ElfW(Shdr) *sections = (void *)(bytes + header->e_shoff);
    for (size_t i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_DYNSYM)
            sections[i].sh_link = header->e_shnum;
    assert_damaged(w, bytes, size, NULL);
}

/* A test that failed in the middle must not fail the next ones. */
static int tear_down(void **state)
{
    syscalls_restore();
    return world_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, world_setup, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_call_of_a_load_may_fail),
        TEST(what_failed_is_told),
        TEST(without_knowing_its_program_it_trusts_root_and_the_user),
        TEST(a_relative_folder_without_a_working_folder_is_refused),
        TEST(a_listing_tells_of_folders_that_cannot_be_read),
        TEST(headers_that_make_no_sense_are_refused),
        TEST(a_table_of_symbols_without_names_is_left_to_the_linker),
    };
    umask(022);
    return cmocka_run_group_tests_name("plugin_failures", tests, NULL, NULL);
}
