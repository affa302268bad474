/* SPDX-License-Identifier: MIT */
/* The corners of JSON and schemas: what is malformed, what the system refuses, where the work is bounded. */
#define _GNU_SOURCE

#include <errno.h>
#include <locale.h>
#include <regex.h>
#include <unistd.h>

#include "allocator.h"
#include "core/schema_node.h"
#include "schema_support.h"
#include "support/syscalls.h"

static void assert_faults(weir__faults *faults, const char *expected)
{
    char *text = weir__faults_text(faults);
    assert_non_null(text);
    if (!strstr(text, expected))
        fail_msg("expected \"%s\" in:\n%s", expected, text);
    weir__free(text);
    weir__faults_free(faults);
}

/* ---- schemas that are refused ---- */

static void members_of_the_wrong_kind_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"{\"$defs\": 5}", "an object of schemas"},
        {"{\"patternProperties\": 5}", "an object of schemas"},
        {"{\"pattern\": 5}", "a pattern"},
        {"{\"title\": 5}", "a string"},
        {"{\"dependentRequired\": 5}", "an object of arrays of member names"},
        {"{\"pattern\": \"\\\\u12\"}", "the pattern"},
        {"{\"pattern\": \"\\\\x1\"}", "the pattern"},
        {"{\"pattern\": \"\\\\u12zz\"}", "the pattern"},
        {"{\"allOf\": [true], \"$ref\": \"#/allOf/x\"}", "#/allOf/x"},
        {"{\"allOf\": [true], \"$ref\": \"#/allOf/00\"}", "#/allOf/00"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir__faults faults = {0};
        assert_null(weir__schema_parse(cases[i][0], strlen(cases[i][0]), "s", &faults));
        assert_faults(&faults, cases[i][1]);
    }
}

static void schemas_nested_too_deep_are_refused(void **state)
{
    weir__faults faults = {0};
    json_t *schema = json_true();
    (void)state;
    for (int i = 0; i < 200; i++)
        schema = json_pack("{s:o}", "not", schema);
    assert_null(weir__schema_compile(schema, "deep", &faults));
    assert_faults(&faults, "schemas are nested more than 128 levels deep");
    json_decref(schema);
}

static void references_are_resolved_against_their_base(void **state)
{
    static const char *const schemas[] = {
        "{\"$id\": \"http://x/a/b/c\", \"$ref\": \"../d\", \"$defs\": {\"d\": {\"$id\": \"http://x/a/d\", \"type\": "
        "\"null\"}}}",
        "{\"$id\": \"http://x/a/b\", \"$ref\": \"/e/./\", \"$defs\": {\"d\": {\"$id\": \"http://x/e/\", \"type\": "
        "\"null\"}}}",
        "{\"$id\": \"http://x/a/b\", \"$ref\": \"../../e/..\", \"$defs\": {\"d\": {\"$id\": \"http://x/\", \"type\": "
        "\"null\"}}}",
        "{\"$id\": \"http://x\", \"$ref\": \"b\", \"$defs\": {\"d\": {\"$id\": \"http://x/b\", \"type\": \"null\"}}}",
        "{\"$ref\": \"#/$defs/%c3%A9%7e1\", \"$defs\": {\"\xc3\xa9/\": {\"type\": \"null\"}}}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(schemas); i++)
        assert_check(schemas[i], "1", ": expected null, found a number (1)\n");
}

/* ---- patterns ---- */

static void assert_pattern_refused(const char *text, size_t length, int status, const char *expected)
{
    weir__message why;
    weir__pattern *pattern = NULL;
    locale_t locale = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
    assert_true(locale != (locale_t)0);
    weir__message_start(&why);
    assert_int_equal(weir__pattern_compile(text, length, locale, &pattern, &why), status);
    assert_string_equal(why.text, expected);
    assert_null(pattern);
    freelocale(locale);
}

static void patterns_that_cannot_be_read_are_refused(void **state)
{
    (void)state;
    assert_pattern_refused("a\0b", 3, -EINVAL, "a pattern has at most 4096 bytes and no NUL");
    assert_pattern_refused("[a\xff]", 4, -EINVAL, "a pattern must be UTF-8");
}

static void patterns_know_all_of_unicode(void **state)
{
    (void)state;
    assert_check("{\"pattern\": \"^\\\\u20ac$\"}", "\"\xe2\x82\xac\"", "");
    assert_check("{\"pattern\": \"^\\\\u00e9\\\\x41$\"}",
                 "\"\xc3\xa9"
                 "A\"",
                 "");
}

static void patterns_that_the_system_refuses(void **state)
{
    static const char text[] = "{\"properties\": {\"a\": {\"pattern\": \"x\"}}, \"patternProperties\": {\"b\": {}}}";
    weir__faults faults = {0};
    (void)state;
    syscalls_fail(&(syscall_fault){.call = "newlocale", .error = ENOENT});
    assert_null(weir__schema_parse(text, strlen(text), "s", &faults));
    syscalls_restore();
    assert_faults(&faults, "the pattern \"x\" cannot be used: this system has no locale C.UTF-8");

    syscalls_fail(&(syscall_fault){.call = "regcomp", .error = REG_ESPACE});
    assert_null(weir__schema_parse(text, strlen(text), "s", &faults));
    syscalls_restore();
    assert_true(faults.out_of_memory);
    weir__faults_free(&faults);

    weir__schema *schema = compile(text);
    json_t *instance = value("{\"a\": \"x\", \"b\": {}}");
    for (int i = 0; i < 2; i++) {
        syscalls_fail(&(syscall_fault){.call = "regexec", .error = REG_ESPACE, .after = (unsigned)i});
        assert_int_equal(weir__schema_check(schema, instance, NULL, NULL), -ENOMEM);
        syscalls_restore();
    }
    syscalls_fail_next("regexec", REG_ESPACE);
    assert_int_equal(weir__schema_fill_defaults(schema, instance), -ENOMEM);
    syscalls_restore();
    json_decref(instance);
    weir__schema_free(schema);
}

/* ---- numbers and equality ---- */

static void multiples_of_powers_of_ten(void **state)
{
    (void)state;
    assert_check("{\"multipleOf\": 0.5}", "7.25", ": 7.25 is not a multiple of 0.5\n");
    assert_check("{\"multipleOf\": 1e20}", "100", ": 100 is not a multiple of 1e+20\n");
    assert_check("{\"multipleOf\": 1e20}", "0", "");
}

static void equal_hashes_are_not_equal_values(void **state)
{
    /* An integer whose hash is that of 1.5. */
    assert_check("{\"uniqueItems\": true}", "[[4609434218613702657], [1.5], [1.5]]",
                 "/2: an array is there already, as item 1; items must differ\n");
    assert_check("{\"uniqueItems\": true}", "[[1.5]]", "");
    (void)state;
}

static void ignore_repeated(void *arg, const json_t *repeated, size_t first, size_t again)
{
    (void)repeated;
    (void)first;
    (void)again;
    ++*(size_t *)arg;
}

static void equality_takes_a_bounded_number_of_steps(void **state)
{
    json_t *array = value("[[[1, 2], [3]], [[1, 2], [3]], 5]");
    size_t found = 0;
    (void)state;
    for (size_t least = 0;; least++) {
        size_t steps = least;
        found = 0;
        assert_int_equal(weir__find_repeated(array, &steps, ignore_repeated, &found), 0);
        if (found == 1)
            break;
        assert_int_equal(steps, 0);
        assert_true(least < 100);
    }
    size_t steps = 3;
    assert_false(weir__json_equals(json_array_get(array, 0), json_array_get(array, 1), &steps));
    assert_int_equal(steps, 0);
    json_decref(array);
}

/* ---- bounds of the work ---- */

/* Each level asks the next one twice; `leaf` is the last. The caller frees it. */
static char *doubling(const char *first, int levels, const char *leaf)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    fprintf(stream, "{%s,\"$defs\":{", first);
    for (int i = 0; i < levels; i++)
        fprintf(stream, "\"%d\":{\"allOf\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":\"#/$defs/%d\"}]},", i, i + 1, i + 1);
    fprintf(stream, "\"%d\":%s}}", levels, leaf);
    fclose(stream);
    return text;
}

/* A pattern that is tried everywhere in a long string costs more than a check may. */
static void assert_gives_up(const char *schema_text)
{
    static char text[1024 * 1024];
    collected found = {.length = 0};
    memset(text, 'a', sizeof(text) - 1);
    weir__schema *schema = compile(schema_text);
    json_t *instance = json_string(text);
    assert_int_equal(weir__schema_check(schema, instance, collect, &found), 1);
    assert_string_equal(found.text, ": too large or too intricate: checking it would take too long\n");
    json_decref(instance);
    weir__schema_free(schema);
}

static void costly_alternatives_give_up(void **state)
{
    (void)state;
    assert_gives_up("{\"anyOf\": [{\"pattern\": \"b\"}]}");
    assert_gives_up("{\"oneOf\": [{\"pattern\": \"b\"}]}");
    /* Found not to fit at once; which one is nearest costs too much to tell. */
    assert_gives_up("{\"anyOf\": [{\"maxLength\": 1, \"pattern\": \"b\"}, {\"maxLength\": 2}]}");
}

static void asking_an_intricate_schema_gives_up(void **state)
{
    const char *names[4];
    weir__schema_member member;
    (void)state;
    char *text = doubling("\"$ref\":\"#/$defs/0\",\"properties\":{\"a\":{}}", 29, "{\"properties\":{\"b\":{}}}");
    weir__schema *schema = compile(text);
    assert_int_equal(weir__schema_property(schema, "a", &member), 0);
    assert_false(member.required);
    assert_int_equal(weir__schema_property_names(schema, names, COUNT(names)), 2);
    weir__schema_free(schema);
    free(text);
    schema = compile("{\"allOf\": [{\"required\": [\"a\"]}], \"properties\": {\"a\": {}}}");
    assert_int_equal(weir__schema_property(schema, "a", &member), 0);
    assert_true(member.required);
    weir__schema_free(schema);
}

static void what_may_be_a_secret_is_one(void **state)
{
    char pointer[1024] = "";
    collected found = {.length = 0};
    (void)state;
    for (int i = 0; i < 300; i++)
        strcat(pointer, "/a");
    weir__schema *schema = compile("{\"additionalProperties\": {\"writeOnly\": true}}");
    assert_true(weir__schema_is_secret(schema, "/x"));
    weir__schema_free(schema);
    schema = compile("{\"additionalProperties\": {\"$ref\": \"#\"}, \"maximum\": 5}");
    assert_false(weir__schema_is_secret(schema, "/a/a"));
    assert_true(weir__schema_is_secret(schema, pointer));
    allocator_fail(1, 0);
    assert_true(weir__schema_is_secret(schema, "/a"));
    allocator_fail(0, 0);
    /* Too deep to be sure that it is none: its value is not told. */
    json_t *instance = json_integer(7654321);
    for (int i = 0; i < 300; i++)
        instance = json_pack("{s:o}", "a", instance);
    assert_int_equal(weir__schema_check(schema, instance, collect, &found), 1);
    assert_null(strstr(found.text, "7654321"));
    json_decref(instance);
    weir__schema_free(schema);
}

/* ---- texts, faults, documents ---- */

static void names_are_compared_by_what_their_escapes_mean(void **state)
{
    (void)state;
    assert_int_equal(weir__json_compare_names("a\\n\\/", 5, "a\n/", 3, true), 0);
    assert_int_equal(weir__json_compare_names("\\u00e9", 6, "\xc3\xa9", 2, true), 0);
    assert_int_equal(weir__json_compare_names("\\ud83d\\ude00", 12, "\xf0\x9f\x98\x80", 4, false), 0);
    /* Escapes that are wrong mean themselves. */
    assert_int_equal(weir__json_compare_names("a\\", 2, "a\\", 2, true), 0);
    assert_int_equal(weir__json_compare_names("\\x", 2, "\\x", 2, true), 0);
    assert_int_equal(weir__json_compare_names("\\u12", 4, "\\u12", 4, true), 0);
    assert_true(weir__json_compare_names("a", 1, "b", 1, true) < 0);
    assert_true(weir__json_compare_names("ab", 2, "a", 1, true) > 0);
}

static void pointers_that_lead_nowhere_have_no_position(void **state)
{
    static const char text[] = "{\"a\": [1, 2]}";
    static const char *const nowhere[] = {"/a/x", "/a/01", "/a/2", "/a/1234567890", "/a/", "/b", "/a/0/c"};
    weir__faults faults = {0};
    unsigned line, column;
    (void)state;
    weir__document *document = weir__document_parse("d", text, strlen(text), &faults);
    assert_non_null(document);
    assert_true(weir__document_position(document, "/a/1", &line, &column));
    assert_int_equal(column, 11);
    for (size_t i = 0; i < COUNT(nowhere); i++)
        assert_false(weir__document_position(document, nowhere[i], &line, &column));
    weir__document_free(document);
}

static void long_texts_are_cut_between_characters(void **state)
{
    static char long_text[4096];
    weir__message message;
    weir__faults faults = {0};
    (void)state;
    for (size_t at = 1; at + 2 < sizeof(long_text); at += 2)
        memcpy(long_text + at, "\xc3\xa9", 2);
    for (size_t shift = 0; shift < 2; shift++) {
        long_text[0] = '/';
        weir__message_start(&message);
        weir__message_add(&message, "%s", long_text + shift);
        weir__message_add(&message, "%s", "more");
        assert_string_equal(message.text + message.length - 3, "...");
        for (size_t at = 0, size; at < message.length; at += size)
            assert_true((size = weir__utf8_sequence(message.text + at, message.length - at)) > 0);
        weir__faults_add(&faults, "f", 1, 1, long_text + shift, "m");
        const char *pointer = faults.items[shift].pointer;
        assert_string_equal(pointer + strlen(pointer) - 3, "...");
        for (size_t at = 0, size; at < strlen(pointer); at += size)
            assert_true((size = weir__utf8_sequence(pointer + at, strlen(pointer) - at)) > 0);
    }
    weir__faults_free(&faults);
    assert_int_equal(weir__utf8_sequence("", 0), 0);
    for (size_t nth = 1; nth <= 4; nth++) {
        allocator_fail(nth, 0);
        weir__faults_add(&faults, "f", 1, 1, long_text, "m");
        size_t failed = allocator_failures();
        allocator_fail(0, 0);
        assert_int_equal(faults.out_of_memory, failed > 0);
        weir__faults_free(&faults);
    }
    weir__faults_add(&faults, "f", 1, 1, "", "m");
    syscalls_fail_next("open_memstream", ENOMEM);
    assert_null(weir__faults_text(&faults));
    syscalls_restore();
    weir__faults_free(&faults);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_load_fails(const char *path, const char *expected)
{
    weir__faults faults = {0};
    assert_null(weir__document_load(path, &faults));
    assert_true(syscalls_failures() > 0);
    syscalls_restore();
    assert_faults(&faults, expected);
}

static void files_that_the_system_does_not_give(void **state)
{
    char path[] = "/tmp/weir-corners-XXXXXX";
    weir__faults faults = {0};
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "{}");
    syscalls_fail(&(syscall_fault){.call = "open", .error = EMFILE, .path = path});
    assert_load_fails(path, "too many open files");
    syscalls_fail_next("fstat", EIO);
    assert_load_fails(path, "examined");
    syscalls_fail_next("read", EIO);
    assert_load_fails(path, "read");
    syscalls_fail(&(syscall_fault){.call = "read", .error = EINTR, .times = 3});
    weir__document *document = weir__document_load(path, &faults);
    assert_non_null(document);
    assert_int_equal(syscalls_failures(), 3);
    syscalls_restore();
    weir__document_free(document);
    unlink(path);
}

/* A file of the kernel says that it is empty, and is not: it is read all the same, up to the limit. */
static void files_longer_than_they_say(void **state)
{
    weir__faults faults = {0};
    (void)state;
    assert_null(weir__document_load("/proc/self/maps", &faults));
    assert_true(weir__faults_any(&faults));
    assert_false(faults.out_of_memory);
    weir__faults_free(&faults);
    for (size_t nth = 1; nth < 6; nth++) {
        allocator_fail(nth, 0);
        assert_null(weir__document_load("/proc/self/maps", &faults));
        size_t failed = allocator_failures();
        allocator_fail(0, 0);
        assert_true(!failed || weir__faults_any(&faults));
        weir__faults_free(&faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_the_wrong_kind_are_refused),
        cmocka_unit_test(schemas_nested_too_deep_are_refused),
        cmocka_unit_test(references_are_resolved_against_their_base),
        cmocka_unit_test(patterns_that_cannot_be_read_are_refused),
        cmocka_unit_test(patterns_know_all_of_unicode),
        cmocka_unit_test(patterns_that_the_system_refuses),
        cmocka_unit_test(multiples_of_powers_of_ten),
        cmocka_unit_test(equal_hashes_are_not_equal_values),
        cmocka_unit_test(equality_takes_a_bounded_number_of_steps),
        cmocka_unit_test(costly_alternatives_give_up),
        cmocka_unit_test(asking_an_intricate_schema_gives_up),
        cmocka_unit_test(what_may_be_a_secret_is_one),
        cmocka_unit_test(names_are_compared_by_what_their_escapes_mean),
        cmocka_unit_test(pointers_that_lead_nowhere_have_no_position),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(files_that_the_system_does_not_give),
        cmocka_unit_test(files_longer_than_they_say),
    };
    return cmocka_run_group_tests_name("schema_corners", tests, allocator_setup, NULL);
}
