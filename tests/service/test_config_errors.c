/* SPDX-License-Identifier: MIT */
/*
 * Faults of service files, word for word: every tests/golden/config-errors/NAME.json gives the lines of NAME.expected.
 * An expected line that ends in " ..." stands for any line that begins so (where the rest names this machine's
 * folders).
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

#define GOLDEN WEIR_TEST_SOURCE "/tests/golden/config-errors"

typedef struct {
    char text[65536];
    size_t length;
    size_t count;
    unsigned line, column; /* of the last one */
    int unsorted;
} report;

static void add_fault(const weir_fault *fault, void *arg)
{
    report *r = arg;
    assert_int_equal(fault->warning, 0);
    assert_non_null(fault->file);
    assert_non_null(fault->pointer);
    if (fault->line < r->line || (fault->line == r->line && fault->column < r->column))
        r->unsorted = 1;
    r->line = fault->line;
    r->column = fault->column;
    r->length += (size_t)snprintf(r->text + r->length, sizeof(r->text) - r->length, "%s\n", fault->text);
    r->count++;
}

static char *read_expected(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.expected", GOLDEN, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s is missing", path);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    size_t length = fread(text, 1, 65535, file);
    assert_true(length > 0);
    fclose(file);
    return text;
}

static int line_matches(const char *line, size_t length, const char *expected, size_t expected_length)
{
    if (expected_length > 4 && memcmp(expected + expected_length - 4, " ...", 4) == 0)
        return length > expected_length - 4 && memcmp(line, expected, expected_length - 4) == 0;
    return length == expected_length && memcmp(line, expected, length) == 0;
}

static void compare(const char *name, const char *text, const char *expected)
{
    const char *at = text, *wanted = expected;
    while (*at || *wanted) {
        size_t length = strcspn(at, "\n"), wanted_length = strcspn(wanted, "\n");
        if (!line_matches(at, length, wanted, wanted_length))
            fail_msg("%s.json:\n  gives:    %.*s\n  expected: %.*s\nall of it:\n%s", name, (int)length, at,
                     (int)wanted_length, wanted, text);
        at += length + (at[length] == '\n');
        wanted += wanted_length + (wanted[wanted_length] == '\n');
    }
}

static void check_file(fixture *f, const char *file)
{
    report r = {.count = 0};
    weir_service *service = NULL;
    char name[256];
    snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - 5), file);
    assert_code(weir_service_load(f->runtime, file, add_fault, &r, &service), WEIR_EINVALID_CONFIG);
    assert_null(service);
    assert_true(r.count > 0);
    assert_int_equal(r.unsorted, 0);
    char *expected = read_expected(name);
    compare(name, r.text, expected);
    free(expected);
}

static int is_json(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static void every_fault_is_told_at_its_place(void **state)
{
    fixture *f = *state;
    struct dirent **entries;
    assert_int_equal(chdir(GOLDEN), 0);
    int count = scandir(".", &entries, is_json, alphasort);
    assert_true(count >= 14);
    for (int i = 0; i < count; i++) {
        check_file(f, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* ---- files that are none ---- */

static void load_refused(fixture *f, const char *path, const char *expected)
{
    report r = {.count = 0};
    weir_service *service = NULL;
    assert_code(weir_service_load(f->runtime, path, add_fault, &r, &service), WEIR_EINVALID_CONFIG);
    assert_null(service);
    assert_string_equal(r.text, fixture_text(f, "%s: %s\n", path, expected));
}

static void file_that_cannot_be_read_is_a_fault_without_a_place(void **state)
{
    fixture *f = *state;
    load_refused(f, fixture_path(f, "none.json"), "cannot be opened: no such file or directory (ENOENT)");
    load_refused(f, f->folder, "not a regular file");
    const char *large = fixture_path(f, "large.json");
    FILE *file = fopen(large, "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 4 * 1024 * 1024 + 1), 0);
    fclose(file);
    load_refused(f, large, "larger than 4194304 bytes (4 MiB), the most that is read");
}

static void wrong_arguments_are_refused(void **state)
{
    fixture *f = *state;
    weir_service *service = NULL;
    assert_code(weir_service_load(NULL, "x", NULL, NULL, &service), UV_EINVAL);
    assert_code(weir_service_load(f->runtime, NULL, NULL, NULL, &service), UV_EINVAL);
    assert_code(weir_service_load(f->runtime, "", NULL, NULL, &service), UV_EINVAL);
    assert_code(weir_service_load(f->runtime, "x", NULL, NULL, NULL), UV_EINVAL);
    /* Nobody has to listen to the faults. */
    assert_code(weir_service_load(f->runtime, GOLDEN "/syntax.json", NULL, NULL, &service), WEIR_EINVALID_CONFIG);
}

static void more_faults_than_are_kept_are_counted(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "many.json");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"servers\": [", file);
    for (int i = 0; i < 150; i++)
        fprintf(file, "%s{\"name\": \"n%d\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"echo\", \"x\": 1}",
                i ? ",\n" : "", i);
    fputs("]}", file);
    fclose(file);
    report *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    weir_service *service = NULL;
    assert_code(weir_service_load(f->runtime, path, add_fault, r, &service), WEIR_EINVALID_CONFIG);
    assert_int_equal(r->count, 101);
    assert_non_null(strstr(r->text, "and 50 more faults\n"));
    free(r);
}

static void servers_beyond_the_limit_are_not_looked_at(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "crowd.json");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"servers\": [0", file);
    for (int i = 1; i < 20000; i++)
        fputs(",0", file);
    fputs("]}", file);
    fclose(file);
    report *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    weir_service *service = NULL;
    assert_code(weir_service_load(f->runtime, path, add_fault, r, &service), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(r->text, "/servers: has 20000 items, more than the maximum of 10000\n"));
    assert_non_null(strstr(r->text, "and 9901 more faults\n"));
    free(r);
}

/* Each name is looked up, not compared with all before it: 10000 servers would be 50 million comparisons. */
static void names_are_told_from_each_other_in_a_large_file(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "names.json");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"servers\": [{\"name\": \"s7\"}", file);
    for (int i = 1; i < 9000; i++)
        fprintf(file, ",\n{\"name\": \"s%d\"}", i);
    fputs("]}", file);
    fclose(file);
    report *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    weir_service *service = NULL;
    assert_code(weir_service_load(f->runtime, path, add_fault, r, &service), WEIR_EINVALID_CONFIG);
    /* Two members are missing of each, and one name is there twice; the first hundred faults are kept. */
    assert_non_null(strstr(r->text, "and 17901 more faults\n"));
    free(r);
}

/* ---- the examples are valid ---- */

static void examples_are_valid(void **state)
{
    fixture *f = *state;
    static const char *const files[] = {"quickstart.json", "bridge.json"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        report r = {.count = 0};
        weir_service *service = NULL;
        int status = weir_service_load(f->runtime, fixture_text(f, "%s/examples/%s", WEIR_TEST_SOURCE, files[i]),
                                       add_fault, &r, &service);
        if (status != 0)
            fail_msg("%s", r.text);
        assert_code(weir_service_free(service), 0);
    }
}

int main(void)
{
    fixture_preload("echo");
    fixture_preload("forward");
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_fault_is_told_at_its_place),
        FIXTURE_TEST(file_that_cannot_be_read_is_a_fault_without_a_place),
        FIXTURE_TEST(wrong_arguments_are_refused),
        FIXTURE_TEST(more_faults_than_are_kept_are_counted),
        FIXTURE_TEST(servers_beyond_the_limit_are_not_looked_at),
        FIXTURE_TEST(names_are_told_from_each_other_in_a_large_file),
        FIXTURE_TEST(examples_are_valid),
    };
    return cmocka_run_group_tests_name("config_errors", tests, NULL, NULL);
}
