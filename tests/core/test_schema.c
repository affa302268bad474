/* SPDX-License-Identifier: MIT */
/* The schema engine beyond the official suite: what it says, what it refuses, and the bounds of its work. */
#define _GNU_SOURCE

#include <errno.h>

#include "schema.h"
#include "schema_support.h"

/* ---- wording ---- */

static void schema_words_of_values(void **state)
{
    static const check_case cases[] = {
        {"{\"maximum\":65535}", "70000", ": 70000 is more than the maximum of 65535\n"},
        {"{\"minimum\":0}", "-1.5", ": -1.5 is less than the minimum of 0\n"},
        {"{\"exclusiveMaximum\":5}", "5", ": 5 is not less than 5\n"},
        {"{\"exclusiveMinimum\":5}", "5.0", ": 5 is not more than 5\n"},
        {"{\"multipleOf\":0.01}", "0.075", ": 0.075 is not a multiple of 0.01\n"},
        {"{\"type\":\"string\"}", "42", ": expected a string, found a number (42)\n"},
        {"{\"type\":\"integer\"}", "1.5", ": expected an integer, found a number (1.5)\n"},
        {"{\"type\":[\"string\",\"number\",\"null\"]}", "true", ": expected a string, a number or null, found true\n"},
        {"{\"type\":\"object\"}", "[]", ": expected an object, found an array\n"},
        {"{\"type\":\"boolean\"}", "\"yes\"", ": expected true or false, found a string (\"yes\")\n"},
        {"{\"enum\":[\"tcp\",\"ipc\",7]}", "\"foo\"", ": \"foo\" is not one of \"tcp\", \"ipc\", 7\n"},
        {"{\"enum\":[\"tcp\",\"ipc\"]}", "\"tpc\"",
         ": \"tpc\" is not one of \"tcp\", \"ipc\"; did you mean \"tcp\"?\n"},
        {"{\"enum\":[\"tcp\"]}", "{}", ": an object is not \"tcp\"\n"},
        {"{\"const\":true}", "1", ": expected true, found 1\n"},
        {"{\"minLength\":1}", "\"\"", ": must not be empty\n"},
        {"{\"minLength\":3}", "\"\\u00e9\\u00e9\"", ": has 2 characters, fewer than the minimum of 3\n"},
        {"{\"maxLength\":1}", "\"ab\"", ": has 2 characters, more than the maximum of 1\n"},
        {"{\"pattern\":\"^[a-z]+$\"}", "\"A\\n\"", ": \"A\\n\" does not match the pattern \"^[a-z]+$\"\n"},
        {"{\"pattern\":\"^[a-z]+$\",\"patternErrorMessage\":\"expected letters, 100%s\"}", "\"A\"",
         ": \"A\": expected letters, 100%s\n"},
        {"{\"minItems\":2}", "[1]", ": has 1 item, fewer than the minimum of 2\n"},
        {"{\"prefixItems\":[true],\"items\":false}", "[1,2,3]", ": has 3 items, more than the maximum of 1\n"},
        {"{\"uniqueItems\":true}", "[1,\"a\",1.0,[2],[2]]",
         "/4: an array is there already, as item 3; items must differ\n"
         "/2: 1 is there already, as item 0; items must differ\n"},
        {"{\"contains\":{\"type\":\"string\",\"title\":\"names\"},\"minContains\":2}", "[\"a\",1]",
         ": 1 item is names, fewer than the minimum of 2\n"},
        {"{\"contains\":{\"type\":\"string\"},\"maxContains\":1}", "[\"a\",\"b\"]",
         ": 2 items are of the kind that this array must contain, more than the maximum of 1\n"},
        {"{\"maxProperties\":1}", "{\"a\":1,\"b\":2}", ": has 2 members, more than the maximum of 1\n"},
        {"{\"required\":[\"host\",\"port\"]}", "{\"port\":1}", ": the member \"host\" is missing\n"},
        {"{\"dependentRequired\":{\"cert\":[\"key\"]}}", "{\"cert\":1}",
         ": the member \"key\" is missing; \"cert\" needs it beside it\n"},
        {"{\"propertyNames\":{\"maxLength\":2}}", "{\"abc\":1}",
         "name /abc: the member's name: has 3 characters, more than the maximum of 2\n"},
        {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "name /a: not allowed here\n"},
        {"false", "1", ": not allowed here\n"},
        {"{\"not\":{\"type\":\"string\"}}", "\"x\"", ": must not be a string\n"},
        {"{\"not\":{\"required\":[\"a\",\"b\"]}}", "{\"a\":1,\"b\":2}",
         ": must not have the members \"a\" and \"b\" together\n"},
        {"{\"not\":{\"const\":3}}", "3", ": 3 is not allowed here\n"},
        {"{\"not\":{\"maximum\":3}}", "3", ": 3 is what the schema excludes at /not\n"},
        {"{\"not\":{\"maximum\":3,\"title\":\"a small number\"}}", "3", ": must not be: a small number\n"},
        {"{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":1},\"else\":{\"minimum\":5}}", "3",
         ": 3 is less than the minimum of 5\n"},
    };
    (void)state;
    ASSERT_CHECKS(cases);
}

static void schema_words_of_unknown_members(void **state)
{
    static const char schema[] =
        "{\"properties\":{\"host\":{},\"port\":{\"maximum\":9}},\"additionalProperties\":false}";
    static const check_case cases[] = {
        {schema, "{\"prot\":1}", "name /prot: unknown member \"prot\"; did you mean \"port\"?\n"},
        {schema, "{\"xyzzy\":1}", "name /xyzzy: unknown member \"xyzzy\"; known are \"host\", \"port\"\n"},
        {"{\"additionalProperties\":false}", "{\"a/b\":1}",
         "name /a~1b: unknown member \"a/b\"; there are none here\n"},
        /* All of them, in the order of the text. */
        {schema, "{\"hots\":1,\"port\":10,\"zz\":2}",
         "name /hots: unknown member \"hots\"; did you mean \"host\"?\n"
         "/port: 10 is more than the maximum of 9\n"
         "name /zz: unknown member \"zz\"; known are \"host\", \"port\"\n"},
    };
    (void)state;
    ASSERT_CHECKS(cases);
}

static void schema_words_of_alternatives(void **state)
{
    /* A component: a name, or an object with one member named after it. */
    static const char component[] =
        "{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"},"
        "{\"type\":\"object\",\"properties\":{\"tcp\":{\"properties\":{\"port\":{\"maximum\":65535}}}},"
        "\"required\":[\"tcp\"],\"additionalProperties\":false},"
        "{\"type\":\"object\",\"properties\":{\"ipc\":{\"properties\":{\"path\":{\"type\":\"string\"}}}},"
        "\"required\":[\"ipc\"],\"additionalProperties\":false}]}";
    static const char tagged[] =
        "{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"},\"size\":{\"type\":\"integer\"}}},"
        "{\"properties\":{\"kind\":{\"const\":\"b\"},\"size\":{\"type\":\"string\"},\"n\":{\"maximum\":1}}}]}";
    static const check_case cases[] = {
        {component, "5", ": expected a string or an object, found a number (5)\n"},
        {component, "\"T\"", ": \"T\" does not match the pattern \"^[a-z]+$\"\n"},
        {component, "{\"ipc\":{\"path\":7}}", "/ipc/path: expected a string, found a number (7)\n"},
        {component, "{\"tcp\":{\"port\":70000}}", "/tcp/port: 70000 is more than the maximum of 65535\n"},
        {tagged, "{\"kind\":\"b\",\"size\":1,\"n\":2}",
         "/size: expected a string, found a number (1)\n/n: 2 is more than the maximum of 1\n"},
        {"{\"anyOf\":[{\"const\":\"a\"},{\"enum\":[\"b\",3]}]}", "\"c\"", ": \"c\" is not one of \"a\", \"b\", 3\n"},
        {"{\"anyOf\":[{\"type\":\"integer\",\"maximum\":9},{\"type\":\"integer\",\"multipleOf\":100}]}", "50",
         ": 50 is more than the maximum of 9; or 50 is not a multiple of 100\n"},
        {"{\"oneOf\":[{\"minimum\":1,\"title\":\"one\"},{\"minimum\":2}]}", "5",
         ": fits both \"one\" and alternative 2; it must fit one alone\n"},
        {"{\"anyOf\":[false,false]}", "5", ": not allowed here\n"},
        /* Alternatives within alternatives go on to the innermost. */
        {"{\"$defs\":{\"tree\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"array\",\"items\":{\"$ref\":"
         "\"#/$defs/tree\"}}]}},\"$ref\":\"#/$defs/tree\"}",
         "[1,[2,[\"x\"]]]", "/1/1/0: expected an integer or an array, found a string (\"x\")\n"},
    };
    (void)state;
    ASSERT_CHECKS(cases);
}

static void schema_faults_have_lines(void **state)
{
    static const char text[] = "{ \"servers\": [\n"
                               "    { \"listen\": { \"tcp\": { \"prot\": 1,\n"
                               "        \"port\": 70000 } } } ] }";
    weir__faults faults = {0};
    (void)state;
    weir__schema *schema = compile("{\"properties\":{\"port\":{\"maximum\":65535}},\"additionalProperties\":false,"
                                   "\"required\":[\"host\"]}");
    weir__document *document = weir__document_parse("service.json", text, strlen(text), &faults);
    assert_non_null(document);
    json_t *server = json_array_get(json_object_get(document->root, "servers"), 0);
    json_t *options = json_object_get(json_object_get(server, "listen"), "tcp");
    assert_int_equal(weir__schema_check_document(schema, document, "/servers/0/listen/tcp", options, &faults), 3);
    char *printed = weir__faults_text(&faults);
    assert_string_equal(
        printed, "service.json:2:26: /servers/0/listen/tcp: the member \"host\" is missing\n"
                 "service.json:2:28: /servers/0/listen/tcp/prot: unknown member \"prot\"; did you mean \"port\"?\n"
                 "service.json:3:17: /servers/0/listen/tcp/port: 70000 is more than the maximum of 65535\n");
    weir__free(printed);
    weir__faults_free(&faults);
    weir__document_free(document);
    weir__schema_free(schema);
}

/* ---- schemas that are refused ---- */

static void schema_malformed_schemas_are_refused(void **state)
{
    static const struct {
        const char *schema, *expected;
    } cases[] = {
        {"[]", "s:1:1: expected a schema (an object, true or false), found an array\n"},
        {"{\"type\":\"strng\"}", "s:1:9: /type: expected a type (null, boolean, integer, number, string, array or "
                                 "object) or an array of them, found \"strng\"\n"},
        {"{\"type\":[]}", "s:1:9: /type: expected a type (null, boolean, integer, number, string, array or "
                          "object) or an array of them, found an array\n"},
        {"{\"maximum\":\"5\"}", "s:1:12: /maximum: expected a number, found \"5\"\n"},
        {"{\"multipleOf\":0}", "s:1:15: /multipleOf: expected a number above 0, found 0\n"},
        {"{\"maxLength\":-1}", "s:1:14: /maxLength: expected an integer that is not negative, found -1\n"},
        {"{\"minItems\":1.5}", "s:1:13: /minItems: expected an integer that is not negative, found 1.5\n"},
        {"{\"required\":[1]}", "s:1:13: /required: expected an array of member names, found an array\n"},
        {"{\"dependentRequired\":{\"a\":\"b\"}}",
         "s:1:27: /dependentRequired/a: expected an array of member names, found \"b\"\n"},
        {"{\"allOf\":[]}", "s:1:10: /allOf: expected an array with at least one schema, found an array\n"},
        {"{\"items\":[{}]}", "s:1:10: /items: expected a schema (an object, true or false), found an array\n"},
        {"{\"properties\":{\"a\":{\"not\":1}}}",
         "s:1:27: /properties/a/not: expected a schema (an object, true or false), found 1\n"},
        {"{\"properties\":3}", "s:1:15: /properties: expected an object of schemas, found 3\n"},
        {"{\"uniqueItems\":1}", "s:1:16: /uniqueItems: expected true or false, found 1\n"},
        {"{\"enum\":1}", "s:1:9: /enum: expected an array of values, found 1\n"},
        {"{\"format\":\"weir-prot\"}", "s:1:11: /format: unknown format \"weir-prot\"; did you mean \"weir-port\"?\n"},
        {"{\"pattern\":\"(a\"}", "s:1:12: /pattern: the pattern \"(a\" cannot be used: Unmatched ( or \\(\n"},
        {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
         "s:1:12: /$schema: expected \"https://json-schema.org/draft/2020-12/schema\", the only dialect here, found "
         "\"http://json-schema.org/draft-07/schema#\"\n"},
        {"{\"$anchor\":\"1\"}",
         "s:1:12: /$anchor: expected a name of letters, digits, '-', '_' and '.', found \"1\"\n"},
        {"{\"unevaluatedProperties\":false}",
         "s:1:26: /unevaluatedProperties: the keyword \"unevaluatedProperties\" is not available here\n"},
        {"{\"$ref\":\"#/$defs/a\"}", "s:1:1: $ref \"#/$defs/a\" leads to no schema\n"},
        {"{\"$ref\":\"#a\"}", "s:1:1: $ref \"#a\" leads to no schema\n"},
        {"{\"$ref\":\"http://other/\"}",
         "s:1:1: $ref \"http://other/\" leads out of this schema, which is not followed\n"},
        {"{\"$id\":\"#x\"}", "s:1:1: $id: expected a URI without a fragment, found \"#x\"\n"},
        {"{\"$ref\":\"#\"}", "s:1:1: refers to itself for the same value: checking it would never end\n"},
        {"{\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"not\":{\"$ref\":\"#/$defs/a\"}}}}",
         "s:1:15: /$defs/a: refers to itself for the same value: checking it would never end\n"},
        /* Every fault, not only the first. */
        {"{\"minLength\":-1,\"maxLength\":\"x\"}",
         "s:1:14: /minLength: expected an integer that is not negative, found -1\n"
         "s:1:29: /maxLength: expected an integer that is not negative, found \"x\"\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir__faults faults = {0};
        assert_null(weir__schema_parse(cases[i].schema, strlen(cases[i].schema), "s", &faults));
        char *printed = weir__faults_text(&faults);
        assert_string_equal(printed, cases[i].expected);
        weir__free(printed);
        weir__faults_free(&faults);
    }
}

/* A chain of n schemas, each leading to the next one for the same value. */
static char *chain(int count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    fprintf(stream, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < count; i++)
        fprintf(stream, "\"%d\":{\"$ref\":\"#/$defs/%d\"},", i, i + 1);
    fprintf(stream, "\"%d\":{\"type\":\"null\"}}}", count);
    fclose(stream);
    return text;
}

static void schema_long_chains_of_references_are_refused(void **state)
{
    weir__faults faults = {0};
    (void)state;
    char *text = chain(60);
    assert_check(text, "1", ": expected null, found a number (1)\n");
    free(text);
    text = chain(30000);
    assert_null(weir__schema_parse(text, strlen(text), "s", &faults));
    assert_int_equal(faults.count, 1);
    assert_non_null(strstr(faults.items[0].message, "more than 64 schemas apply to the same value"));
    weir__faults_free(&faults);
    free(text);
}

/* ---- bounds ---- */

static void schema_deep_values_are_refused_not_overflown(void **state)
{
    (void)state;
    weir__schema *schema = compile("{\"items\":{\"$ref\":\"#\"}}");
    json_t *deep = json_array();
    for (int i = 0; i < 100000; i++) {
        json_t *outer = json_array();
        assert_int_equal(json_array_append_new(outer, deep), 0);
        deep = outer;
        if (i == 100) {
            assert_int_equal(weir__schema_check(schema, deep, NULL, NULL), 0);
            assert_int_equal(weir__schema_fill_defaults(schema, deep), 0);
        }
    }
    collected found = {.length = 0};
    assert_int_equal(weir__schema_check(schema, deep, collect, &found), 1);
    assert_string_equal(found.text, ": nested too deep to be checked\n");
    assert_int_equal(weir__schema_fill_defaults(schema, deep), 0);
    /* Jansson frees by recursion. */
    while (json_array_size(deep)) {
        json_t *inner = json_incref(json_array_get(deep, 0));
        json_decref(deep);
        deep = inner;
    }
    json_decref(deep);
    weir__schema_free(schema);
}

static void schema_intricate_checks_give_up(void **state)
{
    collected found = {.length = 0};
    (void)state;
    /* Each level asks the next one twice: two to the sixtieth. */
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    fprintf(stream, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < 29; i++)
        fprintf(stream, "\"%d\":{\"allOf\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":\"#/$defs/%d\"}]},", i, i + 1, i + 1);
    fprintf(stream, "\"29\":{\"properties\":{\"a\":{\"default\":1}}}}}");
    fclose(stream);
    weir__schema *schema = compile(text);
    json_t *instance = json_object();
    weir__schema_member member;
    assert_int_equal(weir__schema_check(schema, instance, collect, &found), 1);
    assert_string_equal(found.text, ": too large or too intricate: checking it would take too long\n");
    assert_true(weir__schema_is_secret(schema, "/b"));
    assert_int_equal(weir__schema_property(schema, "b", &member), -ENOENT);
    json_decref(instance);
    weir__schema_free(schema);
    free(text);
}

static void schema_unanchored_pattern_on_a_long_string_gives_up(void **state)
{
    collected found = {.length = 0};
    (void)state;
    size_t length = 1024 * 1024;
    char *text = malloc(length + 1);
    assert_non_null(text);
    memset(text, 'a', length);
    text[length] = '\0';
    json_t *instance = json_string(text);
    weir__schema *schema = compile("{\"pattern\":\"a*b\"}");
    assert_int_equal(weir__schema_check(schema, instance, collect, &found), 1);
    assert_string_equal(found.text, ": too large or too intricate: checking it would take too long\n");
    weir__schema_free(schema);
    schema = compile("{\"pattern\":\"^a*$\"}");
    assert_int_equal(weir__schema_check(schema, instance, NULL, NULL), 0);
    weir__schema_free(schema);
    json_decref(instance);
    free(text);
}

static void schema_unique_items_of_large_arrays(void **state)
{
    (void)state;
    weir__schema *schema = compile("{\"uniqueItems\":true}");
    json_t *array = json_array();
    for (int i = 0; i < 100000; i++) {
        json_array_append_new(array, json_integer(i));
        json_array_append_new(array, json_pack("[i]", i));
        json_array_append_new(array, json_pack("{s:i}", "a", i));
        json_array_append_new(array, json_sprintf("%d", i));
        json_array_append_new(array, json_real(i + 0.5));
    }
    assert_int_equal(json_array_size(array), 500000);
    assert_int_equal(weir__schema_check(schema, array, NULL, NULL), 0);
    json_array_append_new(array, json_pack("{s:f}", "a", 77.0));
    json_array_append_new(array, json_real(42));
    collected found = {.length = 0};
    assert_int_equal(weir__schema_check(schema, array, collect, &found), 2);
    assert_non_null(strstr(found.text, "/500000: an object is there already, as item 387;"));
    assert_non_null(strstr(found.text, "/500001: 42 is there already, as item 210;"));
    json_decref(array);
    weir__schema_free(schema);
}

static void schema_faults_beyond_a_thousand_are_counted(void **state)
{
    collected found = {.length = 0};
    weir__faults faults = {0};
    (void)state;
    weir__schema *schema = compile("{\"items\":{\"type\":\"string\"}}");
    json_t *array = json_array();
    for (int i = 0; i < 5000; i++)
        json_array_append_new(array, json_integer(i));
    assert_int_equal(weir__schema_check(schema, array, collect, &found), 5000);
    assert_int_equal(found.count, WEIR__SCHEMA_FAULTS_MOST);
    char *text = json_dumps(array, 0);
    weir__document *document = weir__document_parse("t", text, strlen(text), &faults);
    assert_non_null(document);
    assert_int_equal(weir__schema_check_document(schema, document, "", array, &faults), 5000);
    assert_int_equal(faults.count, WEIR__FAULTS_MOST);
    assert_int_equal(faults.count + faults.more, 5000);
    weir__faults_free(&faults);
    weir__document_free(document);
    free(text);
    json_decref(array);
    weir__schema_free(schema);
}

static int refuse_second(const weir__schema_fault *fault, void *arg)
{
    (void)fault;
    return ++*(int *)arg == 2 ? -ECANCELED : 0;
}

static void schema_a_sink_ends_the_check(void **state)
{
    int told = 0;
    (void)state;
    weir__schema *schema = compile("{\"items\":false,\"minItems\":9,\"maxItems\":0}");
    json_t *instance = value("[1,2]");
    assert_int_equal(weir__schema_check(schema, instance, refuse_second, &told), -ECANCELED);
    assert_int_equal(told, 2);
    json_decref(instance);
    weir__schema_free(schema);
}

/* ---- numbers ---- */

static void schema_numbers_are_exact(void **state)
{
    static const struct {
        const char *schema, *instance;
        bool valid;
    } cases[] = {
        {"{\"maximum\":9007199254740992.0}", "9007199254740993", false},
        {"{\"maximum\":9007199254740993}", "9007199254740992.0", true},
        {"{\"minimum\":9223372036854775807}", "9223372036854775808.0", true},
        {"{\"maximum\":9223372036854775807}", "9223372036854775808.0", false},
        {"{\"minimum\":-9223372036854775808}", "-9223372036854775808.0", true},
        {"{\"exclusiveMinimum\":-9223372036854775808}", "-9223372036854775808.0", false},
        {"{\"minimum\":-9223372036854775808}", "-1e300", false},
        {"{\"maximum\":0.5}", "1", false},
        {"{\"minimum\":-0.5}", "-1", false},
        {"{\"const\":9007199254740993}", "9007199254740992.0", false},
        {"{\"const\":1.0}", "1", true},
        {"{\"multipleOf\":0.01}", "19.99", true},
        {"{\"multipleOf\":0.01}", "0.29", true},
        {"{\"multipleOf\":0.01}", "4.35", true},
        {"{\"multipleOf\":0.01}", "4.355", false},
        {"{\"multipleOf\":0.3}", "9.3", true},
        {"{\"multipleOf\":1e-300}", "1", true},
        {"{\"multipleOf\":7}", "1e300", false},
        {"{\"multipleOf\":3}", "-9223372036854775808", false},
        {"{\"multipleOf\":2}", "-9223372036854775808", true},
        {"{\"multipleOf\":9223372036854775807}", "9223372036854775807", true},
        {"{\"multipleOf\":1e300}", "0", true},
        {"{\"multipleOf\":1e300}", "5", false},
        {"{\"type\":\"integer\"}", "1e300", true},
        {"{\"type\":\"integer\"}", "-0.5", false},
        {"{\"maxLength\":2.0}", "\"\\ud83d\\ude00\\ud83d\\ude00\"", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir__schema *schema = compile(cases[i].schema);
        json_t *instance = value(cases[i].instance);
        if ((weir__schema_check(schema, instance, NULL, NULL) == 0) != cases[i].valid)
            fail_msg("%s on %s", cases[i].schema, cases[i].instance);
        json_decref(instance);
        weir__schema_free(schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_words_of_values),
        cmocka_unit_test(schema_words_of_unknown_members),
        cmocka_unit_test(schema_words_of_alternatives),
        cmocka_unit_test(schema_faults_have_lines),
        cmocka_unit_test(schema_malformed_schemas_are_refused),
        cmocka_unit_test(schema_long_chains_of_references_are_refused),
        cmocka_unit_test(schema_deep_values_are_refused_not_overflown),
        cmocka_unit_test(schema_intricate_checks_give_up),
        cmocka_unit_test(schema_unanchored_pattern_on_a_long_string_gives_up),
        cmocka_unit_test(schema_unique_items_of_large_arrays),
        cmocka_unit_test(schema_faults_beyond_a_thousand_are_counted),
        cmocka_unit_test(schema_a_sink_ends_the_check),
        cmocka_unit_test(schema_numbers_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
