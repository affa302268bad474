/* SPDX-License-Identifier: MIT */
/*
 * The official JSON Schema test suite, draft 2020-12, as Debian's libtest-json-schema-acceptance-perl brings it: every
 * required case of the keywords that schema.h names passes. What is not run is in the two tables below, with its
 * reason; an entry that matches nothing fails the test, unless it belongs to another release of the suite.
 */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "memory.h"
#include "schema.h"

#define SUITE_FOLDER "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/draft2020-12"

/* Files of keywords that are not ours. content.json and format.json are run: what is an annotation asserts nothing. */
static struct {
    const char *file, *reason;
    bool seen;
} skipped_files[] = {
    {"dynamicRef.json", "$dynamicRef is refused when a schema is compiled", false},
    {"refRemote.json", "a $ref that leaves the schema is refused", false},
    {"unevaluatedItems.json", "unevaluatedItems is refused when a schema is compiled", false},
    {"unevaluatedProperties.json", "unevaluatedProperties is refused when a schema is compiled", false},
    {"vocabulary.json", "$vocabulary and meta-schemas of one's own are not available", false},
};

#define IN_OLD        1 /* release 1.019 (Debian 12); the later one has these cases among the optional ones */
#define IN_BOTH       3 /* that one and release 1.029 (Debian 13) */
#define UNICODE_CLASS "\\p is not available in patterns"
#define METASCHEMA    "its $ref leads to the meta-schema, which lies outside of the schema (and which needs $dynamicRef)"

/* Groups of the files that are run; with a case, only that case. */
static struct {
    const char *file, *group, *only, *reason;
    int releases;
    bool seen;
} skipped_groups[] = {
    {"anchor.json", "invalid anchors", NULL, METASCHEMA, IN_OLD, false},
    {"id.json", "Invalid use of fragments in location-independent $id", NULL, METASCHEMA, IN_OLD, false},
    {"id.json", "Valid use of empty fragments in location-independent $id", NULL, METASCHEMA, IN_OLD, false},
    {"id.json", "Unnormalized $ids are allowed but discouraged", NULL, METASCHEMA, IN_OLD, false},
    {"ref.json", "URN base URI with f-component", NULL, METASCHEMA, IN_OLD, false},
    {"defs.json", "validate definition against metaschema", NULL, METASCHEMA, IN_BOTH, false},
    {"ref.json", "remote ref, containing refs itself", NULL, METASCHEMA, IN_BOTH, false},
    {"ref.json", "ref creates new scope when adjacent to keywords", NULL,
     "unevaluatedProperties is refused when a schema is compiled", IN_BOTH, false},
    {"optional/ecmascript-regex.json", "\\a is not an ECMA 262 control escape", NULL, METASCHEMA, IN_OLD, false},
    {"optional/ecmascript-regex.json", "patterns always use unicode semantics with pattern", NULL, UNICODE_CLASS,
     IN_BOTH, false},
    {"optional/ecmascript-regex.json", "pattern with non-ASCII digits", NULL, UNICODE_CLASS, IN_BOTH, false},
    {"optional/ecmascript-regex.json", "patterns always use unicode semantics with patternProperties", NULL,
     UNICODE_CLASS, IN_BOTH, false},
    {"optional/ecmascript-regex.json", "patternProperties with non-ASCII digits", NULL, UNICODE_CLASS, IN_BOTH, false},
    {"not.json", "collect annotations inside a 'not', even if collection is disabled", NULL,
     "unevaluatedProperties is refused when a schema is compiled", IN_BOTH, false},
};

/* Optional files that hold as well, without exception. */
static const char *const optional_files[] = {"optional/ecmascript-regex.json", "optional/float-overflow.json",
                                             "optional/no-schema.json", "optional/non-bmp-regex.json",
                                             "optional/refOfUnknownKeyword.json"};

typedef struct {
    char **names;
    size_t count;
} file_list;

typedef struct {
    size_t groups, passed, failed, skipped;
} tally;

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int is_json(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end && strcmp(end, ".json") == 0;
}

static const char *suite_folder(void)
{
    const char *given = getenv("WEIR_TEST_SCHEMA_SUITE");
    return given && *given ? given : SUITE_FOLDER;
}

static file_list find_files(void)
{
    file_list files = {NULL, 0};
    struct dirent **entries;
    int count = scandir(suite_folder(), &entries, is_json, NULL);
    if (count <= 0)
        return files;
    files.names = calloc((size_t)count, sizeof(char *));
    assert_non_null(files.names);
    for (int i = 0; i < count; i++) {
        files.names[files.count++] = strdup(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    qsort(files.names, files.count, sizeof(char *), by_name);
    return files;
}

static void free_files(file_list *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->names[i]);
    free(files->names);
}

static json_t *read_suite_file(const char *file)
{
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof(path), "%s/%s", suite_folder(), file);
    json_t *groups = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!groups)
        fail_msg("%s: %s", path, error.text);
    return groups;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static const char *skipped_file_reason(const char *file)
{
    for (size_t i = 0; i < sizeof(skipped_files) / sizeof(skipped_files[0]); i++)
        if (strcmp(skipped_files[i].file, file) == 0) {
            skipped_files[i].seen = true;
            return skipped_files[i].reason;
        }
    return NULL;
}

static const char *skip_reason(const char *file, const char *group, const char *only)
{
    for (size_t i = 0; i < sizeof(skipped_groups) / sizeof(skipped_groups[0]); i++) {
        if (strcmp(skipped_groups[i].file, file) != 0 || strcmp(skipped_groups[i].group, group) != 0)
            continue;
        if (skipped_groups[i].only && strcmp(skipped_groups[i].only, only) != 0)
            continue;
        skipped_groups[i].seen = true;
        return skipped_groups[i].reason;
    }
    return NULL;
}

static int print_fault(const weir__schema_fault *fault, void *arg)
{
    (void)arg;
    print_error("    %s: %s\n", fault->pointer, fault->message);
    return 0;
}

static int count_fault(const weir__schema_fault *fault, void *arg)
{
    assert_non_null(fault->message);
    assert_true(fault->message[0] != '\0');
    ++*(size_t *)arg;
    return 0;
}

static void run_case(const weir__schema *schema, const char *file, const json_t *group, const json_t *one, tally *count)
{
    json_t *data = json_object_get(one, "data");
    bool valid = json_is_true(json_object_get(one, "valid"));
    size_t told = 0;
    int found = weir__schema_check(schema, data, NULL, NULL);
    int told_count = weir__schema_check(schema, data, count_fault, &told);
    if ((found == 0) == valid && (told_count == 0) == valid && told == (size_t)told_count) {
        count->passed++;
        return;
    }
    count->failed++;
    print_error("%s: %s: %s: expected %s, found %d, told %d (%zu)\n", file, text_of(group, "description"),
                text_of(one, "description"), valid ? "valid" : "invalid", found, told_count, told);
    weir__schema_check(schema, data, print_fault, NULL);
}

static void run_group(const char *file, const json_t *group, tally *count)
{
    const char *name = text_of(group, "description");
    const json_t *tests = json_object_get(group, "tests");
    weir__faults faults = {0};
    size_t to_run = 0;
    for (size_t i = 0; i < json_array_size(tests); i++)
        to_run += skip_reason(file, name, text_of(json_array_get(tests, i), "description")) == NULL;
    count->skipped += json_array_size(tests) - to_run;
    if (to_run == 0)
        return;
    count->groups++;
    weir__schema *schema = weir__schema_compile(json_object_get(group, "schema"), name, &faults);
    if (!schema) {
        char *text = weir__faults_text(&faults);
        print_error("%s: %s: the schema is refused:\n%s", file, name, text ? text : "out of memory\n");
        weir__free(text);
        count->failed += to_run;
    }
    for (size_t i = 0; schema && i < json_array_size(tests); i++) {
        const json_t *one = json_array_get(tests, i);
        if (!skip_reason(file, name, text_of(one, "description")))
            run_case(schema, file, group, one, count);
    }
    weir__schema_free(schema);
    weir__faults_free(&faults);
}

static void run_file(const char *file, tally *count)
{
    json_t *groups = read_suite_file(file);
    for (size_t i = 0; i < json_array_size(groups); i++)
        run_group(file, json_array_get(groups, i), count);
    json_decref(groups);
}

static void list_skipped(void)
{
    for (size_t i = 0; i < sizeof(skipped_files) / sizeof(skipped_files[0]); i++)
        if (skipped_files[i].seen)
            print_message("skipped: %s: %s\n", skipped_files[i].file, skipped_files[i].reason);
    for (size_t i = 0; i < sizeof(skipped_groups) / sizeof(skipped_groups[0]); i++)
        if (skipped_groups[i].seen)
            print_message("skipped: %s: %s: %s\n", skipped_groups[i].file, skipped_groups[i].group,
                          skipped_groups[i].reason);
}

static size_t unused_entries(void)
{
    size_t unused = 0;
    for (size_t i = 0; i < sizeof(skipped_files) / sizeof(skipped_files[0]); i++)
        if (!skipped_files[i].seen) {
            print_error("no such file in the suite: %s\n", skipped_files[i].file);
            unused++;
        }
    for (size_t i = 0; i < sizeof(skipped_groups) / sizeof(skipped_groups[0]); i++)
        if (!skipped_groups[i].seen && skipped_groups[i].releases == IN_BOTH) {
            print_error("no such group in the suite: %s: %s\n", skipped_groups[i].file, skipped_groups[i].group);
            unused++;
        }
    return unused;
}

static void print_tally(const tally *count)
{
    print_message("%zu groups, %zu cases passed, %zu failed, %zu skipped by group\n", count->groups, count->passed,
                  count->failed, count->skipped);
}

static void schema_suite_required_cases(void **state)
{
    tally count = {0};
    (void)state;
    file_list files = find_files();
    if (files.count == 0) {
        print_message("skipped: no suite at %s (Debian: libtest-json-schema-acceptance-perl)\n", suite_folder());
        skip();
    }
    for (size_t i = 0; i < files.count; i++)
        if (!skipped_file_reason(files.names[i]))
            run_file(files.names[i], &count);
    free_files(&files);
    print_tally(&count);
    assert_int_equal(count.failed, 0);
    /* Both releases have more; a suite that cannot be read must not look like one that passes. */
    assert_true(count.passed > 900);
}

static void schema_suite_optional_cases(void **state)
{
    tally count = {0};
    (void)state;
    file_list files = find_files();
    if (files.count == 0)
        skip();
    free_files(&files);
    for (size_t i = 0; i < sizeof(optional_files) / sizeof(optional_files[0]); i++)
        run_file(optional_files[i], &count);
    print_tally(&count);
    assert_int_equal(count.failed, 0);
    assert_true(count.passed > 60);
}

/* After the two above: what is left out of them is said, and nothing is left out that is not there. */
static void schema_suite_skips_nothing_unnamed(void **state)
{
    (void)state;
    file_list files = find_files();
    if (files.count == 0)
        skip();
    free_files(&files);
    list_skipped();
    assert_int_equal(unused_entries(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_suite_required_cases),
        cmocka_unit_test(schema_suite_optional_cases),
        cmocka_unit_test(schema_suite_skips_nothing_unnamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
