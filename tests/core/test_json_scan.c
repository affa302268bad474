/* SPDX-License-Identifier: MIT */
/* JSON texts with positions: every fault with its place, limits, and where a value stands. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "allocator.h"
#include "json_scan.h"
#include "memory.h"

/* The faults of a text, as they are printed; the caller frees it with weir__free. "" when it parses. */
static char *faults_of(const char *text, size_t length)
{
    weir__faults faults = {0};
    weir__document *document = weir__document_parse("t", text, length, &faults);
    assert_int_equal(document == NULL, weir__faults_any(&faults));
    char *printed = weir__faults_text(&faults);
    assert_non_null(printed);
    weir__faults_free(&faults);
    weir__document_free(document);
    return printed;
}

static void assert_faults(const char *text, const char *expected)
{
    char *printed = faults_of(text, strlen(text));
    assert_string_equal(printed, expected);
    weir__free(printed);
}

static void json_scan_each_fault_has_its_words_and_place(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "t:1:1: there is nothing here; expected a JSON value\n"},
        {" \n ", "t:1:1: there is nothing here; expected a JSON value\n"},
        {"\xEF\xBB\xBF{}", "t:1:1: the text begins with a byte order mark; save it without one\n"},
        {"{} x", "t:1:4: expected the end of the text after its value, found \"x\"\n"},
        {"yes", "t:1:1: \"yes\": not a value; text must stand in double quotes\n"},
        {"[1,]", "t:1:3: a comma may not stand before the end of an array or object; take it out\n"},
        {"[1 2]", "t:1:4: expected ',' or ']' after an element, found \"2\"\n"},
        {"[,1]", "t:1:2: /0: expected a value, found ','\n"},
        {"{\"a\" 1}", "t:1:6: /a: expected ':' and a value after the member's name, found \"1\"\n"},
        {"{\"a\": }", "t:1:7: /a: expected a value, found '}'\n"},
        {"{\"a\"}", "t:1:5: /a: expected ':' and a value after the member's name, found '}'\n"},
        {"{a: 1}", "t:1:2: expected a member's name in double quotes, found \"a\"\n"},
        {"{'a': 1}", "t:1:2: expected a member's name in double quotes, found '''\n"},
        {"['a']", "t:1:2: /0: a string stands in double quotes in JSON, not in single ones\n"},
        {"[1] // end", "t:1:5: JSON has no comments; take it out\n"},
        {"[1 /* x */, 2]", "t:1:4: JSON has no comments; take it out\n"},
        {"[/", "t:1:2: /0: expected a value, found '/'\n"},
        {"[\"a", "t:1:2: /0: the string that begins here is not closed on its line\n"},
        {"[\"a\n\"]", "t:1:2: /0: the string that begins here is not closed on its line\n"},
        {"[\"\\x\"]", "t:1:3: /0: an escape that JSON does not have; write a backslash as \\\\\n"},
        {"[\"\\u12\"]", "t:1:3: /0: \\u needs four hexadecimal digits\n"},
        {"[\"\\u0000\"]", "t:1:3: /0: a NUL (\\u0000) may not stand in a string\n"},
        {"[\"\\ud800\"]", "t:1:3: /0: half of a surrogate pair: a \\uDC00 to \\uDFFF must follow\n"},
        {"[\"\\udc00\"]", "t:1:3: /0: half of a surrogate pair: a \\uD800 to \\uDBFF must stand before it\n"},
        {"[\"\t\"]", "t:1:3: /0: the control character 0x09 must be written as \\u0009\n"},
        {"[\"\xC3\x28\"]", "t:1:3: /0: the byte 0xc3 is not UTF-8\n"},
        {"[\"\xED\xA0\x80\"]", "t:1:3: /0: the byte 0xed is not UTF-8\n"
                               "t:1:4: /0: the byte 0xa0 is not UTF-8\n"
                               "t:1:4: /0: the byte 0x80 is not UTF-8\n"},
        {"[01]", "t:1:2: /0: \"01\": a number has no leading zeros in JSON\n"},
        {"[+1]", "t:1:2: /0: \"+1\": a number has no plus sign in JSON\n"},
        {"[.5]", "t:1:2: /0: \".5\": a number begins with a digit in JSON\n"},
        {"[1.]", "t:1:2: /0: \"1.\": digits must follow the decimal point\n"},
        {"[1e]", "t:1:2: /0: \"1e\": digits must follow the e of a number\n"},
        {"[0x10]", "t:1:2: /0: \"0x10\": not a number in JSON\n"},
        {"[9223372036854775808]", "t:1:2: /0: \"9223372036854775808\": the integer does not fit 64 bits\n"},
        {"[-9223372036854775809]", "t:1:2: /0: \"-9223372036854775809\": the integer does not fit 64 bits\n"},
        {"[1}", "t:1:3: expected ',' or ']' after an element (opened at line 1, column 1), found '}'\n"},
        {"{\"a\": [1", "t:1:9: /a: expected ',' or ']' after an element (opened at line 1, column 7), found the end of "
                       "the text\n"},
        {"{", "t:1:2: expected a member's name in double quotes (opened at line 1, column 1), found the end of the "
              "text\n"},
        {"[\x01]", "t:1:2: /0: expected a value, found the byte 0x01\n"},
        {"{\"a/b~c\": x}", "t:1:11: /a~1b~0c: \"x\": not a value; text must stand in double quotes\n"},
        {"{\"\xC3\xA4\xC3\xB6\": x}",
         "t:1:8: /\xC3\xA4\xC3\xB6: \"x\": not a value; text must stand in double quotes\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_faults(cases[i].text, cases[i].expected);
}

static void json_scan_clean_texts_parse(void **state)
{
    static const char *const texts[] = {
        "null",
        " true ",
        "-0",
        "1.5e-3",
        "\"\\u00e9\\ud83d\\ude00\\/\"",
        "[]",
        "{}",
        "[[],{}]",
        "{\"a\":{\"b\":[1,\"x\",null]},\"\":0}",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\xF0\x9F\x98\x80\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_faults(texts[i], "");
}

static void json_scan_a_nul_byte_is_no_end(void **state)
{
    static const char text[] = "[1]\0[2]";
    (void)state;
    char *printed = faults_of(text, sizeof(text) - 1);
    assert_string_equal(printed, "t:1:4: expected the end of the text after its value, found the byte 0x00\n");
    weir__free(printed);
    static const char string[] = "[\"a\0b\"]";
    printed = faults_of(string, sizeof(string) - 1);
    assert_string_equal(printed, "t:1:4: /0: a NUL may not stand in a string\n");
    weir__free(printed);
}

static void json_scan_real_beyond_a_double_has_a_place(void **state)
{
    (void)state;
    char *printed = faults_of("[\n 1e999]", 9);
    assert_non_null(strstr(printed, "t:2:"));
    assert_non_null(strstr(printed, "overflow"));
    weir__free(printed);
}

static void json_scan_every_duplicate_names_the_first(void **state)
{
    (void)state;
    assert_faults("{\"a\":1,\n\"b\":2,\"\\u0061\":3,\n \"a\":4,\"b\":5}",
                  "t:2:7: /a: the member \"a\" is there already, at line 1, column 2\n"
                  "t:3:2: /a: the member \"a\" is there already, at line 1, column 2\n"
                  "t:3:8: /b: the member \"b\" is there already, at line 2, column 1\n");
    /* Equal names in different objects are none. */
    assert_faults("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}", "");
    /* Escapes that mean the same, beyond ASCII and beyond the BMP. */
    assert_faults("{\"\xC3\xA9\":1,\"\\u00e9\":2}",
                  "t:1:8: /\xC3\xA9: the member \"\xC3\xA9\" is there already, at line 1, column 2\n");
    assert_faults("{\"\xF0\x9F\x98\x80\":1,\"\\ud83d\\uDE00\":2}",
                  "t:1:8: /\xF0\x9F\x98\x80: the member \"\xF0\x9F\x98\x80\" is there already, at line 1, column 2\n");
}

static void json_scan_goes_on_after_faults(void **state)
{
    (void)state;
    assert_faults("{\"a\": tru, \"b\": [1 2,], c: 'x', \"d\" = 5 \"e\": 01}",
                  "t:1:7: /a: \"tru\": not a value; text must stand in double quotes\n"
                  "t:1:20: /b: expected ',' or ']' after an element, found \"2\"\n"
                  "t:1:21: /b: a comma may not stand before the end of an array or object; take it out\n"
                  "t:1:25: expected a member's name in double quotes, found \"c\"\n"
                  "t:1:28: /c: a string stands in double quotes in JSON, not in single ones\n"
                  "t:1:37: /d: expected ':' and a value after the member's name, found '='\n"
                  "t:1:41: expected ',' or '}' after a member, found a string\n"
                  "t:1:46: /e: \"01\": a number has no leading zeros in JSON\n");
}

static char *repeat(const char *piece, size_t count, const char *tail)
{
    size_t length = strlen(piece);
    char *text = malloc(length * count + strlen(tail) + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * length, piece, length);
    strcpy(text + length * count, tail);
    return text;
}

static void json_scan_deep_nesting_is_one_clear_fault(void **state)
{
    (void)state;
    char *deep = repeat("[", 10000, "");
    char *printed = faults_of(deep, strlen(deep));
    assert_non_null(strstr(printed, "t:1:65: "));
    assert_non_null(strstr(printed, ": arrays and objects are nested more than 64 levels deep\n"));
    assert_ptr_equal(strchr(printed, '\n')[1], '\0');
    weir__free(printed);
    free(deep);
    deep = repeat("{\"a\":", 10000, "");
    printed = faults_of(deep, strlen(deep));
    assert_non_null(strstr(printed, "nested more than 64 levels deep"));
    weir__free(printed);
    free(deep);
    char *fits = repeat("[", 64, "");
    char *closed = repeat("]", 64, "");
    char *both = NULL;
    assert_true(asprintf(&both, "%s%s", fits, closed) > 0);
    assert_faults(both, "");
    free(both);
    free(closed);
    free(fits);
}

static void json_scan_a_thousand_faults_are_a_hundred_and_a_count(void **state)
{
    (void)state;
    char *text = repeat("x,", 1000, "1]");
    text[0] = '[';
    char *printed = faults_of(text, strlen(text));
    size_t lines = 0;
    for (const char *at = printed; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 101);
    assert_non_null(strstr(printed, "\nand 900 more faults\n"));
    weir__free(printed);
    free(text);
}

/* A hundred thousand names that are all the same but for their end: no pair is compared twice. */
static void json_scan_many_members_and_duplicates_stay_bounded(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    for (int i = 0; i < 100000; i++)
        fprintf(stream, "%s\"member-with-a-long-name-%d\":1", i ? "," : "{", i);
    fprintf(stream, ",\"member-with-a-long-name-7\":2}");
    fclose(stream);
    char *printed = faults_of(text, size);
    assert_non_null(strstr(printed, "\"member-with-a-long-name-7\" is there already, at line 1, column "));
    weir__free(printed);
    free(text);
    text = repeat("\"a\":1,", 600000, "\"a\":1}");
    memmove(text + 1, text, strlen(text) - 1);
    text[0] = '{';
    text[strlen(text) - 1] = '}';
    printed = faults_of(text, strlen(text));
    assert_non_null(strstr(printed, "more faults"));
    weir__free(printed);
    free(text);
}

static void assert_position(const weir__document *document, const char *pointer, bool found, unsigned line,
                            unsigned column)
{
    unsigned at_line = 0, at_column = 0;
    bool exact = weir__document_position(document, pointer, &at_line, &at_column);
    if (exact != found || at_line != line || at_column != column)
        fail_msg("%s: expected %u:%u, found %u:%u (%sexact)", pointer, line, column, at_line, at_column,
                 exact ? "" : "not ");
}

static void json_document_positions_of_values_and_names(void **state)
{
    static const char text[] = "{\n"
                               "  \"\xC3\xA4\": 1, \"b\": [true, {\"c/d\": \"]},\\\"\"}, [],  3],\n"
                               "\t\"a~b\": {\"\": null, \"\\u0065\": -1.5e3}, \"0\": {} , \"l\":\n"
                               "   [ ]\n"
                               "}";
    weir__faults faults = {0};
    unsigned line, column;
    (void)state;
    weir__document *document = weir__document_parse("t", text, sizeof(text) - 1, &faults);
    assert_non_null(document);
    assert_position(document, "", true, 1, 1);
    assert_position(document, "/\xC3\xA4", true, 2, 8);
    assert_position(document, "/b", true, 2, 16);
    assert_position(document, "/b/0", true, 2, 17);
    assert_position(document, "/b/1/c~1d", true, 2, 31);
    assert_position(document, "/b/2", true, 2, 41);
    assert_position(document, "/b/3", true, 2, 46);
    assert_position(document, "/a~0b/", true, 3, 14);
    assert_position(document, "/a~0b/e", true, 3, 30);
    assert_position(document, "/0", true, 3, 44);
    assert_position(document, "/l", true, 4, 4);
    /* The nearest around what is not there. */
    assert_position(document, "/b/4", false, 2, 16);
    assert_position(document, "/b/01", false, 2, 16);
    assert_position(document, "/b/1/zz/y", false, 2, 23);
    assert_position(document, "/nothing", false, 1, 1);
    assert_true(weir__document_name_position(document, "/a~0b/e", &line, &column));
    assert_int_equal(line, 3);
    assert_int_equal(column, 20);
    assert_true(weir__document_name_position(document, "/b/1/c~1d", &line, &column));
    assert_int_equal(column, 24);
    weir__document_free(document);
    weir__faults_free(&faults);
}

/* ---- files ---- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    const char *under = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/weir-json-XXXXXX", under && strlen(under) < 40 ? under : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void assert_load_fault(const char *path, const char *expected)
{
    weir__faults faults = {0};
    char whole[256];
    assert_null(weir__document_load(path, &faults));
    char *printed = weir__faults_text(&faults);
    snprintf(whole, sizeof(whole), "%s: %s\n", path, expected);
    assert_string_equal(printed, whole);
    weir__free(printed);
    weir__faults_free(&faults);
}

static void json_document_files_that_cannot_be_are_refused(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof(path), "%s/missing", folder);
    assert_load_fault(path, "cannot be opened: no such file or directory (ENOENT)");
    assert_load_fault(folder, "not a regular file");
    snprintf(path, sizeof(path), "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_load_fault(path, "not a regular file");
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/large", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)WEIR__DOCUMENT_MOST + 1), 0);
    fclose(file);
    assert_load_fault(path, "larger than 4194304 bytes (4 MiB), the most that is read");
    assert_int_equal(unlink(path), 0);
}

static void json_document_a_file_is_read_whole(void **state)
{
    char path[128];
    weir__faults faults = {0};
    (void)state;
    snprintf(path, sizeof(path), "%s/file", folder);
    char *text = repeat("1,\n", 100000, "1]");
    text[0] = '[';
    text[1] = ' ';
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
    weir__document *document = weir__document_load(path, &faults);
    assert_non_null(document);
    assert_string_equal(document->file, path);
    assert_int_equal(json_array_size(document->root), 100000);
    assert_position(document, "/99999", true, 100001, 1);
    weir__document_free(document);
    weir__faults_free(&faults);
    free(text);
    assert_int_equal(unlink(path), 0);
}

static void json_document_text_too_large_is_not_parsed(void **state)
{
    weir__faults faults = {0};
    (void)state;
    char *text = repeat(" ", WEIR__DOCUMENT_MOST + 1, "");
    assert_null(weir__document_parse("t", text, strlen(text), &faults));
    assert_int_equal(faults.count, 1);
    weir__faults_free(&faults);
    free(text);
}

/* ---- golden files: NAME.json and what is printed of it ---- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 65536);
    assert_non_null(text);
    if (!file)
        fail_msg("cannot open %s", path);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

static int is_golden(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return strncmp(entry->d_name, "json-", 5) == 0 && end && strcmp(end, ".json") == 0;
}

static void json_document_golden_faults(void **state)
{
    struct dirent **entries;
    char path[4096];
    (void)state;
    int count = scandir(WEIR_TEST_SOURCE "/tests/golden/config-errors", &entries, is_golden, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        weir__faults faults = {0};
        snprintf(path, sizeof(path), "%s/tests/golden/config-errors/%s", WEIR_TEST_SOURCE, name);
        char *text = read_file(path);
        assert_null(weir__document_parse(name, text, strlen(text), &faults));
        free(text);
        snprintf(path, sizeof(path), "%s/tests/golden/config-errors/%.*s.expected", WEIR_TEST_SOURCE,
                 (int)(strlen(name) - 5), name);
        char *expected = read_file(path);
        char *printed = weir__faults_text(&faults);
        assert_string_equal(printed, expected);
        weir__free(printed);
        free(expected);
        weir__faults_free(&faults);
        free(entries[i]);
    }
    free(entries);
}

/* ---- faults and wording ---- */

static void faults_sort_by_place_and_keep_each_once(void **state)
{
    weir__faults faults = {0};
    (void)state;
    assert_false(weir__faults_any(&faults));
    weir__faults_add(&faults, "b", 9, 1, "/x", "late");
    weir__faults_add(&faults, "a", 1, 1, "", "other file");
    weir__faults_add(&faults, "b", 2, 5, "/y", "early");
    weir__faults_add(&faults, "b", 2, 5, "/y", "early");
    weir__faults_addf(&faults, "b", 2, 4, "/n\ne\x1Bw", "%d columns", 4);
    weir__faults_add(&faults, "b", 0, 0, NULL, "the file as a whole");
    char *printed = weir__faults_text(&faults);
    assert_string_equal(printed, "b: the file as a whole\n"
                                 "b:2:4: /n\\ne\\u001bw: 4 columns\n"
                                 "b:2:5: /y: early\n"
                                 "b:9:1: /x: late\n"
                                 "a:1:1: other file\n");
    weir__free(printed);
    weir__faults_free(&faults);
}

static void faults_a_long_pointer_is_cut(void **state)
{
    weir__faults faults = {0};
    (void)state;
    char *pointer = repeat("/\xC3\xA9", 100000, "");
    weir__faults_add(&faults, "a", 1, 1, pointer, "x");
    assert_true(strlen(faults.items[0].pointer) < 500);
    assert_non_null(strstr(faults.items[0].pointer, "..."));
    weir__faults_free(&faults);
    free(pointer);
}

static void message_quotes_one_line_of_bounded_length(void **state)
{
    weir__message message;
    (void)state;
    weir__message_start(&message);
    weir__message_quote(&message, "a\"\\\n\x7F\xC2\x85\xFF", 8);
    assert_string_equal(message.text, "\"a\\\"\\\\\\n\\u007f\\u0085\\xff\"");
    char *text = repeat("\xE2\x82\xAC", 1000, "");
    weir__message_start(&message);
    weir__message_quote(&message, text, 3000);
    assert_true(strlen(message.text) < 200);
    assert_string_equal(message.text + message.length - 4, "...\"");
    weir__message_start(&message);
    weir__message_plain(&message, text, 3000);
    assert_true(message.cut);
    assert_true(message.length < WEIR__MESSAGE_SIZE);
    assert_string_equal(message.text + message.length - 6, "\xE2\x82\xAC...");
    free(text);
}

static void nearest_name_finds_slips_and_nothing_else(void **state)
{
    static const char *const names[] = {"port", "host", "path", "allowHalfOpen", "noDelay", "keepAlive"};
    static const struct {
        const char *word, *expected;
    } cases[] = {
        {"prot", "port"},
        {"prt", "port"},
        {"Port", "port"},
        {"allowhalfopen", "allowHalfOpen"},
        {"nodelay", "noDelay"},
        {"hots", "host"},
        {"zebra", NULL},
        {"", NULL},
        {"keepalives", "keepAlive"},
        {"x", NULL},
        {"ports", "port"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *found = weir__nearest_name(cases[i].word, names, sizeof(names) / sizeof(names[0]));
        if (cases[i].expected)
            assert_string_equal(found, cases[i].expected);
        else
            assert_null(found);
    }
}

/* ---- want of memory ---- */

static void parse_without_memory(void *arg)
{
    static const char text[] = "{\"a\":[1,2,{\"b\":\"c\"}],\"d\":true,\"e\":{\"f\":null}}";
    static const char faulty[] = "{\"a\":x,\"b\\n\":[01,'x'],\"a\":1}";
    weir__faults faults = {0};
    (void)arg;
    weir__document *document = weir__document_parse("t", text, sizeof(text) - 1, &faults);
    if (allocator_failures())
        assert_true(document ? !weir__faults_any(&faults) : faults.out_of_memory);
    else
        assert_non_null(document);
    weir__document_free(document);
    assert_null(weir__document_parse("t", faulty, sizeof(faulty) - 1, &faults));
    char *printed = weir__faults_text(&faults);
    assert_true(printed || allocator_failures());
    assert_true(weir__faults_any(&faults));
    weir__free(printed);
    weir__faults_free(&faults);
}

static void json_document_whole_reals_are_integers(void **state)
{
    (void)state;
    static const char text[] = "{\"a\": 8124.0, \"b\": [-1e2, 0.5, {\"c\": 2.0}], \"d\": 1e300}";
    weir__faults faults = {0};
    weir__document *document = weir__document_parse("t", text, sizeof(text) - 1, &faults);
    assert_non_null(document);
    json_t *b = json_object_get(document->root, "b");
    assert_int_equal(json_integer_value(json_object_get(document->root, "a")), 8124);
    assert_int_equal(json_integer_value(json_array_get(b, 0)), -100);
    assert_true(json_is_real(json_array_get(b, 1)));
    assert_int_equal(json_integer_value(json_object_get(json_array_get(b, 2), "c")), 2);
    assert_true(json_is_real(json_object_get(document->root, "d")));
    weir__document_free(document);
    weir__faults_free(&faults);
}

static void json_document_without_memory_is_an_error(void **state)
{
    (void)state;
    json_set_alloc_funcs(weir_malloc, weir_free);
    assert_true(allocator_fail_each(parse_without_memory, NULL) > 10);
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_scan_each_fault_has_its_words_and_place),
        cmocka_unit_test(json_scan_clean_texts_parse),
        cmocka_unit_test(json_scan_a_nul_byte_is_no_end),
        cmocka_unit_test(json_scan_real_beyond_a_double_has_a_place),
        cmocka_unit_test(json_scan_every_duplicate_names_the_first),
        cmocka_unit_test(json_scan_goes_on_after_faults),
        cmocka_unit_test(json_scan_deep_nesting_is_one_clear_fault),
        cmocka_unit_test(json_scan_a_thousand_faults_are_a_hundred_and_a_count),
        cmocka_unit_test(json_scan_many_members_and_duplicates_stay_bounded),
        cmocka_unit_test(json_document_positions_of_values_and_names),
        cmocka_unit_test_setup_teardown(json_document_files_that_cannot_be_are_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(json_document_a_file_is_read_whole, make_folder, remove_folder),
        cmocka_unit_test(json_document_text_too_large_is_not_parsed),
        cmocka_unit_test(json_document_golden_faults),
        cmocka_unit_test(faults_sort_by_place_and_keep_each_once),
        cmocka_unit_test(faults_a_long_pointer_is_cut),
        cmocka_unit_test(message_quotes_one_line_of_bounded_length),
        cmocka_unit_test(nearest_name_finds_slips_and_nothing_else),
        cmocka_unit_test(json_document_whole_reals_are_integers),
        cmocka_unit_test(json_document_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
