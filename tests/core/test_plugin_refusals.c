/* SPDX-License-Identifier: MIT */
/* Every reason to refuse a plugin, with its exact line, and nothing started. */
#define _GNU_SOURCE

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/handler.h>
#include <weir/layer.h>
#include <weir/transport.h>

#include "plugin_world.h"
#include "users.h"

/* ---- the file ---- */

static void refuses_what_is_no_regular_file(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_join(path, w->folder, "folder.so");
    assert_int_equal(mkdir(path, 0755), 0);
    assert_refused(w, path, WEIR_EPLUGIN, "is a folder, not a plugin's file");
    world_join(path, w->folder, "fifo.so");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(w, path, WEIR_EPLUGIN, "is a FIFO, not a plugin's file");
    world_join(path, w->folder, "device.so");
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_refused(w, path, WEIR_EPLUGIN, "is a device, not a plugin's file");
}

static void refuses_what_everybody_can_write_to(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_copy(w->folder, "sound", "sound", path);
    assert_int_equal(chmod(path, 0646), 0);
    assert_refused(w, path, WEIR_EPLUGIN, "can be written to by everybody (mode 0646): run chmod o-w %s", path);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chmod(w->folder, 0757), 0);
    assert_refused(w, path, WEIR_EPLUGIN, "its folder %s can be written to by everybody (mode 0757): run chmod o-w %s",
                   w->folder, w->folder);
    assert_int_equal(chmod(w->folder, 01777), 0);
    assert_refused(w, path, WEIR_EPLUGIN,
                   "everybody may put files into its folder %s (mode 1777): put the plugin into a folder of its own",
                   w->folder);
    assert_int_equal(chmod(w->folder, 0755), 0);
    world_load(w, path);
}

static void refuses_a_link_in_a_folder_that_everybody_can_write_to(void **state)
{
    world *w = *state;
    char path[PATH_MAX], real[PATH_MAX], safe[PATH_MAX];
    world_join(safe, w->folder, "safe");
    assert_int_equal(mkdir(safe, 0755), 0);
    world_copy(safe, "sound", "sound", real);
    world_join(path, w->folder, "sound.so");
    assert_int_equal(symlink(real, path), 0);
    assert_int_equal(chmod(w->folder, 0757), 0);
    assert_refused(w, path, WEIR_EPLUGIN, "its folder %s can be written to by everybody (mode 0757): run chmod o-w %s",
                   w->folder, w->folder);
    assert_int_equal(chmod(w->folder, 0755), 0);
}

static void refuses_files_of_strangers(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    users_skip_without(54321, 54321);
    world_copy(w->folder, "sound", "sound", path);
    assert_int_equal(chown(path, 54321, 0), 0);
    assert_refused(w, path, WEIR_EPLUGIN,
                   "belongs to user 54321, and must belong to root, to the user this program runs as (0) or to the "
                   "program's owner: run chown on %s",
                   path);
    assert_int_equal(chown(path, 0, 54321), 0);
    assert_int_equal(chmod(path, 0664), 0);
    assert_refused(w, path, WEIR_EPLUGIN, "can be written to by group 54321 (mode 0664): run chmod g-w %s", path);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chown(w->folder, 54321, 54321), 0);
    assert_refused(w, path, WEIR_EPLUGIN,
                   "its folder %s belongs to user 54321, and must belong to root, to the user this program runs as (0) "
                   "or to the program's owner: run chown on %s",
                   w->folder, w->folder);
    assert_int_equal(chown(w->folder, 0, 0), 0);
    world_load(w, path); /* a strange group that may only read is no harm */
}

static void takes_files_that_the_users_own_group_can_write_to(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_copy(w->folder, "sound", "sound", path); /* a clone that was made under umask 002 */
    assert_int_equal(chown(path, geteuid(), getegid()), 0);
    assert_int_equal(chown(w->folder, geteuid(), getegid()), 0);
    assert_int_equal(chmod(path, 0775), 0);
    assert_int_equal(chmod(w->folder, 0775), 0);
    world_load(w, path);
}

/*
 * This program again, as another file with another owner: it loads the plugin that WEIR_TEST_LOAD names, and says how
 * that went by its exit status.
 */
enum { CHILD_LOADED, CHILD_REFUSED, CHILD_MISSING, CHILD_OTHER, CHILD_NOT_SECURE };

static int be_child(const char *plugin)
{
    uv_loop_t loop;
    if (getenv("WEIR_TEST_SECURE") && !getauxval(AT_SECURE))
        return CHILD_NOT_SECURE;
    if (uv_loop_init(&loop) != 0)
        return CHILD_OTHER;
    weir_runtime *runtime = weir_runtime_new(&loop);
    int status = runtime ? weir_runtime_load_plugin(runtime, plugin, NULL, NULL) : UV_ENOMEM;
    weir_runtime_free(runtime);
    if (uv_loop_close(&loop) != 0)
        return CHILD_OTHER;
    return status == 0                ? CHILD_LOADED
           : status == WEIR_EPLUGIN   ? CHILD_REFUSED
           : status == WEIR_ENOPLUGIN ? CHILD_MISSING
                                      : CHILD_OTHER;
}

static int run_child(char *program, const char *plugin)
{
    int status;
    char *const arguments[] = {program, NULL};
    pid_t child = fork();
    if (child == 0) {
        setenv("WEIR_TEST_LOAD", plugin, 1);
        execv(program, arguments);
        _exit(CHILD_OTHER);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void copy_program(world *w, const char *name, char *path)
{
    size_t size;
    unsigned char *bytes = world_read("/proc/self/exe", &size);
    world_join(path, w->folder, name);
    world_write(path, bytes, size);
    assert_int_equal(chmod(path, 0755), 0);
    free(bytes);
}

/* sudo in a user's own clone: root runs the user's program with the user's plugins. */
static void takes_files_of_the_programs_owner(void **state)
{
    world *w = *state;
    char theirs[PATH_MAX], ours[PATH_MAX], plugin[PATH_MAX], apart[PATH_MAX];
    users_skip_without(54321, 54321);
    world_join(apart, w->folder, "apart");
    assert_int_equal(mkdir(apart, 0775), 0);
    assert_int_equal(chmod(apart, 0775), 0);
    world_copy(apart, "sound", "sound", plugin);
    assert_int_equal(chown(plugin, 54321, 54321), 0);
    assert_int_equal(chown(apart, 54321, 54321), 0);
    copy_program(w, "ours", ours);
    copy_program(w, "theirs", theirs);
    assert_int_equal(run_child(ours, plugin), CHILD_REFUSED);
    assert_int_equal(chown(theirs, 54321, 54321), 0);
    assert_int_equal(run_child(theirs, plugin), CHILD_REFUSED); /* their group cannot write to the program */
    assert_int_equal(chmod(theirs, 0775), 0);
    assert_int_equal(run_child(theirs, plugin), CHILD_LOADED);
    assert_int_equal(run_child(ours, plugin), CHILD_REFUSED);
    /* Root has built the program anew in their folder. */
    assert_int_equal(chown(w->folder, 54321, 54321), 0);
    assert_int_equal(chmod(w->folder, 0775), 0);
    assert_int_equal(run_child(ours, plugin), CHILD_LOADED);
}

static void a_set_group_id_program_does_not_heed_the_environment(void **state)
{
    world *w = *state;
    char program[PATH_MAX];
    if (getenv("WEIR_TEST_VALGRIND") != NULL)
        skip(); /* it heeds no such bit */
    users_skip_without(54321, 54321);
    setenv("WEIR_PLUGIN_PATH", BROKEN_PLUGINS, 1);
    copy_program(w, "program", program);
    assert_int_equal(run_child(program, "sound"), CHILD_LOADED);
    assert_int_equal(chown(program, 0, 54321), 0);
    assert_int_equal(chmod(program, 02755), 0);
    setenv("WEIR_TEST_SECURE", "1", 1);
    int result = run_child(program, "sound");
    unsetenv("WEIR_TEST_SECURE");
    unsetenv("WEIR_PLUGIN_PATH");
    if (result == CHILD_NOT_SECURE)
        skip(); /* the folder's file system knows no such bit */
    assert_int_equal(result, CHILD_MISSING);
}

static void refuses_what_it_cannot_read(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    uid_t user = geteuid();
    if (user == 0)
        users_skip_without(54321, 54321);
    world_copy(w->folder, "sound", "sound", path);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(w->folder, 0755), 0);
    if (user == 0)
        assert_int_equal(seteuid(54321), 0); /* root would read it */
    weir_error *error = NULL;
    int status = weir_runtime_load_plugin(w->runtime, path, NULL, &error);
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(status, WEIR_EPLUGIN);
    assert_non_null(strstr(error->message, "sound.so: cannot be opened: permission denied (EACCES)"));
    weir_error_release(error);
}

/* ---- its insides ---- */

static void refuses_what_is_no_shared_object(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    static const char script[] = "#!/bin/sh\nexit 0\n# and some more, so that it is longer than a header of 64 bytes\n";
    world_join(path, w->folder, "sound.so");
    world_write(path, script, sizeof(script));
    assert_refused(w, path, WEIR_EPLUGIN, "is no shared object: it is no ELF file");
    world_write(path, "", 0);
    assert_refused(w, path, WEIR_EPLUGIN, "is empty");
    world_write(path, "\177E", 2);
    assert_refused(w, path, WEIR_EPLUGIN, "is no shared object: it is no ELF file");
    assert_null(getenv("WEIR_TEST_LOADED"));
    assert_refused(w, BROKEN_PLUGINS "/symbol-is-cut.so", WEIR_EPLUGIN,
                   "is no weir plugin: its weir_plugin_main is shorter than it says");
    unsetenv("WEIR_TEST_LOADED");
    assert_refused(w, BROKEN_PLUGINS "/no-symbol.so", WEIR_EPLUGIN,
                   "is no weir plugin: it exports no weir_plugin_main (see WEIR_PLUGIN in weir/plugin.h)");
    assert_refused(w, BROKEN_PLUGINS "/symbol-is-function.so", WEIR_EPLUGIN,
                   "is no weir plugin: its weir_plugin_main is no weir_plugin");
    assert_refused(w, BROKEN_PLUGINS "/symbol-is-short.so", WEIR_EPLUGIN,
                   "is no weir plugin: its weir_plugin_main is no weir_plugin");
    assert_null(getenv("WEIR_TEST_LOADED")); /* found out without running a constructor of theirs */
}

static void refuses_a_file_that_is_cut_off_anywhere(void **state)
{
    world *w = *state;
    char path[PATH_MAX], start[PATH_MAX + 64];
    size_t size;
    unsigned char *bytes = world_read(BROKEN_PLUGINS "/sound.so", &size);
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(const void *)bytes;
    world_join(path, w->folder, "sound.so");
    snprintf(start, sizeof(start), "%s: is cut off: its ", path);
    assert_true(size > 4096);
    /* In the header, in the program headers, by parts of a page, and where only the section headers suffer. */
    const size_t near[] = {EI_NIDENT,
                           sizeof(*header) - 1,
                           sizeof(*header),
                           header->e_phoff + 1,
                           header->e_phoff + (size_t)header->e_phnum * header->e_phentsize - 1,
                           header->e_shoff - 1,
                           header->e_shoff,
                           size - 1};
    enum { NEAR = sizeof(near) / sizeof(near[0]), STEPS = 48 };
    for (size_t i = 0; i < NEAR + STEPS; i++) {
        size_t length = i < NEAR ? near[i] : 512 + (i - NEAR) * (size - 512) / STEPS;
        weir_error *error = NULL;
        world_write(path, bytes, length);
        assert_int_equal(weir_runtime_load_plugin(w->runtime, path, NULL, &error), WEIR_EPLUGIN);
        assert_memory_equal(error->message, start, strlen(start));
        weir_error_release(error);
    }
    world_write(path, bytes, 20);
    assert_refused(w, path, WEIR_EPLUGIN,
                   "is cut off: its headers reach to byte %zu and it has 20 bytes; copy or build it again",
                   sizeof(*header));
    world_write(path, bytes, size - 1);
    assert_refused(w, path, WEIR_EPLUGIN,
                   "is cut off: its section headers reach to byte %zu and it has %zu bytes; copy or build it again",
                   size, size - 1);
    world_write(path, bytes, size);
    world_load(w, path);
    free(bytes);
}

/* The same where no table at the file's end gives it away: the segments alone, or a section that lies elsewhere. */
static void refuses_a_cut_off_file_by_its_segments_and_sections(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    size_t size, end = 0;
    unsigned char *bytes = world_read(BROKEN_PLUGINS "/sound.so", &size);
    ElfW(Ehdr) *header = (ElfW(Ehdr) *)(void *)bytes;
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(const void *)(bytes + header->e_phoff);
    ElfW(Shdr) *sections = (ElfW(Shdr) *)(void *)(bytes + header->e_shoff);
    world_join(path, w->folder, "sound.so");
    for (size_t i = 0; i < header->e_phnum; i++)
        if (segments[i].p_offset + segments[i].p_filesz > end)
            end = segments[i].p_offset + segments[i].p_filesz;
    sections[header->e_shnum - 1].sh_offset = size;
    world_write(path, bytes, size);
    assert_refused(w, path, WEIR_EPLUGIN,
                   "is cut off: its sections reach to byte %zu and it has %zu bytes; copy or build it again",
                   size + sections[header->e_shnum - 1].sh_size, size);
    header->e_shoff = 0;
    header->e_shnum = 0;
    for (size_t length = end - 1; length > end / 2; length -= end / 16) {
        world_write(path, bytes, length);
        assert_refused(w, path, WEIR_EPLUGIN,
                       "is cut off: its segments reach to byte %zu and it has %zu bytes; copy or build it again", end,
                       length);
    }
    world_write(path, bytes, end);
    world_load(w, path);
    free(bytes);
}

/* Nothing that a damaged header says ends the process: every byte of it is turned, one at a time. */
static void a_damaged_header_is_refused_or_harmless(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    size_t size;
    unsigned char *bytes = world_read(BROKEN_PLUGINS "/names-another.so", &size);
    world_join(path, w->folder, "damaged.so");
    for (size_t at = 0; at < sizeof(ElfW(Ehdr)); at++) {
        weir_error *error = NULL;
        bytes[at] ^= 0xFF;
        world_write(path, bytes, size);
        bytes[at] ^= 0xFF;
        /* Where the byte means nothing, the name is still wrong. */
        assert_int_equal(weir_runtime_load_plugin(w->runtime, path, NULL, &error), WEIR_EPLUGIN);
        weir_error_release(error);
        assert_int_equal(remove(path), 0);
    }
    free(bytes);
}

static void refuses_another_machines_file(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    size_t size;
    unsigned char *bytes = world_read(BROKEN_PLUGINS "/sound.so", &size);
    ElfW(Ehdr) *header = (ElfW(Ehdr) *)(void *)bytes;
    unsigned own = header->e_machine;
    world_join(path, w->folder, "sound.so");
    header->e_machine = 2; /* SPARC */
    world_write(path, bytes, size);
    if (own == EM_X86_64)
        assert_refused(w, path, WEIR_EPLUGIN,
                       "is built for another machine: an unknown machine (2), this program is for x86-64 (62)");
    header->e_machine = (uint16_t)(own == EM_AARCH64 ? EM_X86_64 : EM_AARCH64);
    world_write(path, bytes, size);
    if (own == EM_X86_64)
        assert_refused(w, path, WEIR_EPLUGIN,
                       "is built for another machine: AArch64 (183), this program is for x86-64 (62)");
    else
        assert_int_equal(weir_runtime_load_plugin(w->runtime, path, NULL, NULL), WEIR_EPLUGIN);
    header->e_machine = (uint16_t)own;
    header->e_ident[EI_DATA] ^= 3;
    world_write(path, bytes, size);
    assert_refused(w, path, WEIR_EPLUGIN, "is built for the other byte order");
    header->e_ident[EI_DATA] ^= 3;
    header->e_ident[EI_CLASS] ^= 3;
    world_write(path, bytes, size);
    assert_refused(w, path, WEIR_EPLUGIN, "is built for %d bits, this program has %d", sizeof(void *) == 8 ? 32 : 64,
                   (int)sizeof(void *) * 8);
    header->e_ident[EI_CLASS] ^= 3;
    header->e_type = ET_REL;
    world_write(path, bytes, size);
    assert_refused(w, path, WEIR_EPLUGIN, "is an object file: link it with -shared");
    free(bytes);
}

/* Without section headers nothing is known before it is loaded, and all is found out afterwards. */
static void strip(world *w, const char *built, char *path)
{
    size_t size;
    world_copy(w->folder, built, built, path);
    unsigned char *bytes = world_read(path, &size);
    ElfW(Ehdr) *header = (ElfW(Ehdr) *)(void *)bytes;
    header->e_shoff = 0;
    header->e_shnum = 0;
    header->e_shstrndx = 0;
    world_write(path, bytes, size);
    free(bytes);
}

static void a_file_without_section_headers_is_checked_too(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    strip(w, "abi-major", path);
    assert_refused(w, path, WEIR_EPLUGIN, "built for plugin ABI 2, this weir speaks 1");
    strip(w, "abi-size", path);
    assert_refused(w, path, WEIR_EPLUGIN,
                   "its weir_plugin has a size of %zu, plugin ABI 1.0 has %zu: begin it with WEIR_PLUGIN_HEADER and "
                   "build it anew",
                   sizeof(weir_plugin) - 8, sizeof(weir_plugin));
    strip(w, "no-symbol", path);
    assert_refused(w, path, WEIR_EPLUGIN,
                   "is no weir plugin: it exports no weir_plugin_main (see WEIR_PLUGIN in weir/plugin.h)");
    strip(w, "symbol-is-short", path);
    assert_refused(w, path, WEIR_EPLUGIN, "is no weir plugin: its weir_plugin_main is no weir_plugin");
    unsetenv("WEIR_TEST_LOADED");
    strip(w, "sound", path);
    world_load(w, path);
}

static void a_file_that_changes_while_it_is_loaded_is_refused(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    weir_error *error = NULL;
    world_copy(w->folder, "changes-itself", "changes-itself", path);
    setenv("WEIR_TEST_CHANGE", path, 1);
    int status = weir_runtime_load_plugin(w->runtime, path, NULL, &error);
    unsetenv("WEIR_TEST_CHANGE");
    assert_int_equal(status, WEIR_EPLUGIN);
    assert_non_null(strstr(error->message, "/changes-itself.so: was changed while it was loaded; try again"));
    weir_error_release(error);
    assert_int_equal(w->seen.inits, 0);
    world_load(w, path); /* now it is left alone */
}

/* ---- the plugin's own words ---- */

typedef struct refusal {
    const char *name;
    const char *reason; /* with %S, %T, %L, %H: the sizes of weir_plugin, weir_transport, weir_layer, weir_handler */
} refusal;

static const refusal refusals[] = {
    {"abi-major", "built for plugin ABI 2, this weir speaks 1"},
    {"abi-minor", "built for plugin ABI 1.1, this weir speaks 1.0: update weir, or build the plugin with this weir's "
                  "headers"},
    {"undefined", "cannot be loaded: undefined symbol: weir_of_the_future; it was built for another weir "
                  "than " WEIR_VERSION},
    {"names-another", "holds the plugin \"another\": the file must be called another.so"},
    {"names-badly", "its name \"Bad_Name\" is none: a plugin's name is [a-z][a-z0-9-]*, at most 64 characters"},
    {"layers", "its name \"layers\" is a reserved word of endpoints: call it something else"},
    {"no-description", "its weir_plugin has no description"},
    {"second-weir", "brings a second libweir into the process: link the plugin to the shared libweir that this program "
                    "uses"},
    {"two-weirs", "brings a second libweir into the process: link the plugin to the shared libweir that this program "
                  "uses"},
    {"second-uv", "brings a second libuv into the process: link the plugin to the shared libuv that this program uses"},
    {"second-jansson", "brings a second Jansson into the process: link the plugin to the shared Jansson that this "
                       "program uses"},
    {"newer-weir", "built with libweir 0.255.0, this process has only " WEIR_VERSION ": update libweir, or build the "
                   "plugin here"},
    {"schema-text", "its schema is invalid: line 1, column 10: /type: expected a value, found '}'"},
    {"schema-true", "its schema is invalid: it must be a JSON object"},
    {"transport-body", "its weir_transport has no body of that number: 7"},
    {"transport-format", "its weir_transport has no format"},
    {"transport-listens", "its weir_transport has listen but no acceptor_create: one that listens needs both, one that "
                          "only connects neither"},
    {"layer-create", "its weir_layer has no create"},
    {"handler-connection", "its weir_handler has no connection"},
};

static void refuses_a_plugin_that_does_not_fit(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), BROKEN_PLUGINS "/%s.so", refusals[i].name);
        assert_refused(w, path, WEIR_EPLUGIN, "%s", refusals[i].reason);
    }
}

static void refuses_other_sizes(void **state)
{
    world *w = *state;
    static const struct {
        const char *name, *kind;
        size_t size;
    } tables[] = {{"transport-size", "transport", sizeof(weir_transport)},
                  {"layer-size", "layer", sizeof(weir_layer)},
                  {"handler-size", "handler", sizeof(weir_handler)}};
    assert_refused(w, BROKEN_PLUGINS "/abi-size.so", WEIR_EPLUGIN,
                   "its weir_plugin has a size of %zu, plugin ABI 1.0 has %zu: begin it with WEIR_PLUGIN_HEADER and "
                   "build it anew",
                   sizeof(weir_plugin) - 8, sizeof(weir_plugin));
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), BROKEN_PLUGINS "/%s.so", tables[i].name);
        assert_refused(w, path, WEIR_EPLUGIN,
                       "its weir_%s has a size of 8, plugin ABI 1.0 has %zu: set .size = sizeof(weir_%s) and build it "
                       "anew",
                       tables[i].kind, tables[i].size, tables[i].kind);
    }
}

static void refuses_libraries_that_are_too_old_for_it(void **state)
{
    world *w = *state;
    unsigned major = 0, minor = 0, micro = 0;
    assert_refused(w, BROKEN_PLUGINS "/newer-uv.so", WEIR_EPLUGIN,
                   "built with libuv 1.255.2, this process has only %s: update libuv, or build the plugin here",
                   uv_version_string());
    assert_refused(w, BROKEN_PLUGINS "/older-uv.so", WEIR_EPLUGIN,
                   "built with libuv 0.10.36, this process has %s: build the plugin anew", uv_version_string());
    assert_true(sscanf(jansson_version_str(), "%u.%u.%u", &major, &minor, &micro) >= 2);
    assert_refused(w, BROKEN_PLUGINS "/newer-jansson.so", WEIR_EPLUGIN,
                   "built with Jansson 2.255.1, this process has only %u.%u.%u: update Jansson, or build the plugin "
                   "here",
                   major, minor, micro);
}

static void a_failing_init_leaves_nothing_behind(void **state)
{
    world *w = *state;
    weir_error *error = NULL;
    assert_int_equal(weir_runtime_load_plugin(w->runtime, BROKEN_PLUGINS "/init-says.so", NULL, &error), WEIR_EPLUGIN);
    assert_string_equal(error->message, BROKEN_PLUGINS "/init-says.so: cannot start: its licence has ended");
    weir_error_release(error);
    assert_int_equal(weir_runtime_load_plugin(w->runtime, BROKEN_PLUGINS "/init-silent.so", NULL, &error),
                     WEIR_EPLUGIN);
    assert_string_equal(error->message, BROKEN_PLUGINS "/init-silent.so: cannot start: permission denied (EACCES)");
    weir_error_release(error);
    assert_int_equal(w->seen.inits, 2);
    assert_int_equal(weir_runtime_load_plugin(w->runtime, BROKEN_PLUGINS "/init-says.so", NULL, NULL), WEIR_EPLUGIN);
    assert_int_equal(w->seen.inits, 3); /* it was not taken for one that runs */
    assert_int_equal(weir_runtime_free(w->runtime), 0);
    assert_int_equal(w->seen.exits, 0);
    world_begin(w);
}

static void an_init_that_asks_for_itself_is_refused(void **state)
{
    world *w = *state;
    assert_int_equal(weir_runtime_add_plugin_path(w->runtime, BROKEN_PLUGINS), 0);
    assert_refused(w, BROKEN_PLUGINS "/needs-itself.so", WEIR_EPLUGIN,
                   "cannot start: " BROKEN_PLUGINS "/needs-itself.so: its init asks for the plugin itself");
}

static void two_files_of_one_name_are_refused(void **state)
{
    world *w = *state;
    char path[PATH_MAX];
    world_copy(w->folder, "sound", "sound", path);
    world_load(w, BROKEN_PLUGINS "/sound.so");
    assert_refused(w, path, WEIR_EPLUGIN,
                   "there is a plugin called \"sound\" already, from " BROKEN_PLUGINS "/sound.so");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(refuses_what_is_no_regular_file),
        WORLD_TEST(refuses_what_everybody_can_write_to),
        WORLD_TEST(refuses_a_link_in_a_folder_that_everybody_can_write_to),
        WORLD_TEST(refuses_files_of_strangers),
        WORLD_TEST(takes_files_that_the_users_own_group_can_write_to),
        WORLD_TEST(takes_files_of_the_programs_owner),
        WORLD_TEST(a_set_group_id_program_does_not_heed_the_environment),
        WORLD_TEST(refuses_what_it_cannot_read),
        WORLD_TEST(refuses_what_is_no_shared_object),
        WORLD_TEST(refuses_a_file_that_is_cut_off_anywhere),
        WORLD_TEST(refuses_a_cut_off_file_by_its_segments_and_sections),
        WORLD_TEST(a_damaged_header_is_refused_or_harmless),
        WORLD_TEST(refuses_another_machines_file),
        WORLD_TEST(a_file_without_section_headers_is_checked_too),
        WORLD_TEST(a_file_that_changes_while_it_is_loaded_is_refused),
        WORLD_TEST(refuses_a_plugin_that_does_not_fit),
        WORLD_TEST(refuses_other_sizes),
        WORLD_TEST(refuses_libraries_that_are_too_old_for_it),
        WORLD_TEST(a_failing_init_leaves_nothing_behind),
        WORLD_TEST(an_init_that_asks_for_itself_is_refused),
        WORLD_TEST(two_files_of_one_name_are_refused),
    };
    const char *plugin = getenv("WEIR_TEST_LOAD");
    if (plugin)
        return be_child(plugin);
    umask(022);
    return cmocka_run_group_tests_name("plugin_refusals", tests, NULL, NULL);
}
