/* SPDX-License-Identifier: MIT */
/* The schema engine: its patterns and formats, secrets, defaults, members, text to values, want of memory. */
#define _GNU_SOURCE

#include <errno.h>

#include "allocator.h"
#include "memory.h"
#include "schema_support.h"

/* ---- patterns ---- */

static void schema_pattern_dialect(void **state)
{
    static const struct {
        const char *pattern, *yes, *no;
    } cases[] = {
        {"", "", NULL},
        {"^\\d+$", "0123", "\u0664"},
        {"^\\D$", "x", "5"},
        {"^[\\w.-]+$", "a_Z.9-", "a b"},
        {"^\\W\\S\\s$", "- \t", NULL},
        {"^\\W\\S\\s$", "-x ", "-xx"},
        {"^[\\s\\S]$", "\n", "ab"},
        {"^(?:ab)+?c??$", "ababc", "aab"},
        {"^a{2,3}?$", "aaa", "aaaa"},
        {"^[]", NULL, NULL},
        {"^[\\]\\-\\^x]+$", "]-^x", "["},
        {"^[\\^]$", "^", "x"},
        {"^[\\^-]+$", "^-", "x"},
        {"^[-]$", "-", "x"},
        {"^[^\\]-]$", "x", "]"},
        {"^[^^]$", "x", "^"},
        {"^[a[.]$", "[", "b"},
        {"^[a\\\\]$", "\\", "b"},
        {"^[[:upper:]\\d]$", "Q", "q"},
        {"^\\/\\.\\-\\*$", "/.-*", "/x-*"},
        {"^\\x41\\u00e9\\cI$", "A\u00e9\t", "A"},
        {"^\\u002a$", "*", ""},
        {"^.$", "\u00e9", "ab"},
        {"^[\u00e9\u00f6]$", "\u00f6", "\u00c3"},
        {"\\bcat\\b", "a cat!", "concat"},
        {"^\\{\\}$", "{}", ""},
        {"x|^y$", "axb", "ay"},
        {"\\n", "a\nb", "ab"},
        /* What must be refused, with a reason. */
        {"(a)\\1", NULL, NULL},
        {"a(?=b)", NULL, NULL},
        {"a(?<n>b)", NULL, NULL},
        {"\\p{L}", NULL, NULL},
        {"\\0", NULL, NULL},
        {"\\", NULL, NULL},
        {"[\\", NULL, NULL},
        {"[a", NULL, NULL},
        {"[a\\Wb]", NULL, NULL},
        {"[\u00e0-\u00ff]", NULL, NULL},
        {"[z-a]", NULL, NULL},
        {"a{", NULL, NULL},
        {"a{,3}", NULL, NULL},
        {"a{99999}", NULL, NULL},
        {"(", NULL, NULL},
        {"\\u12", NULL, NULL},
        {"\\c1", NULL, NULL},
        {"[[:x", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir__faults faults = {0};
        json_t *source = json_pack("{s:s}", "pattern", cases[i].pattern);
        assert_non_null(source);
        weir__schema *schema = weir__schema_compile(source, "s", &faults);
        json_decref(source);
        if (!cases[i].yes && !cases[i].no) {
            assert_null(schema);
            assert_int_equal(faults.count, 1);
            assert_non_null(strstr(faults.items[0].message, "cannot be used: "));
            assert_true(faults.items[0].message[strlen(faults.items[0].message) - 1] != ' ');
            weir__faults_free(&faults);
            continue;
        }
        assert_non_null(schema);
        json_t *yes = json_string(cases[i].yes ? cases[i].yes : "");
        json_t *no = json_string(cases[i].no ? cases[i].no : "");
        int yes_faults = weir__schema_check(schema, yes, NULL, NULL);
        int no_faults = weir__schema_check(schema, no, NULL, NULL);
        json_decref(yes);
        json_decref(no);
        weir__schema_free(schema);
        if (cases[i].no && (yes_faults != 0 || no_faults != 1))
            fail_msg("%s: %d faults where none is due, %d where one is", cases[i].pattern, yes_faults, no_faults);
    }
}

static void schema_pattern_sees_behind_a_nul(void **state)
{
    static const check_case cases[] = {
        {"{\"pattern\":\"b$\"}", "\"a\\u0000b\"", ""},
        {"{\"pattern\":\"^a$\"}", "\"a\\u0000\"", ": \"a\\u0000\" does not match the pattern \"^a$\"\n"},
        {"{\"maxLength\":2}", "\"a\\u0000b\"", ": has 3 characters, more than the maximum of 2\n"},
        {"{\"const\":\"a\"}", "\"a\\u0000\"", ": expected \"a\", found \"a\\u0000\"\n"},
    };
    (void)state;
    ASSERT_CHECKS(cases);
}

/* ---- formats ---- */

static void schema_formats(void **state)
{
    static const check_case cases[] = {
        {"{\"format\":\"weir-port\"}", "65535", ""},
        {"{\"format\":\"weir-port\"}", "\"0\"", ""},
        {"{\"format\":\"weir-port\"}", "true", ""},
        {"{\"format\":\"weir-port\"}", "65536", ": expected a port from 0 to 65535, found 65536\n"},
        {"{\"format\":\"weir-port\"}", "-1", ": expected a port from 0 to 65535, found -1\n"},
        {"{\"format\":\"weir-port\"}", "1.5", ": expected a port from 0 to 65535, found 1.5\n"},
        {"{\"format\":\"weir-port\"}", "\"http\"", ": expected a port from 0 to 65535, found \"http\"\n"},
        {"{\"format\":\"weir-duration\"}", "\"1h\"", ""},
        {"{\"format\":\"weir-duration\"}", "5000.0", ""},
        {"{\"format\":\"weir-duration\"}", "\"10 s\"",
         ": expected milliseconds, or a duration such as \"250ms\", \"10s\", \"5m\" or \"1h\", found \"10 s\"\n"},
        {"{\"format\":\"weir-duration\",\"minimum\":2000,\"maximum\":3600000}", "\"1h\"", ""},
        {"{\"format\":\"weir-duration\",\"minimum\":2000}", "\"1s\"", ": \"1s\" is less than the minimum of 2000\n"},
        {"{\"format\":\"weir-duration\",\"maximum\":3600000}", "\"5124095576030h\"",
         ": \"5124095576030h\" is more than the maximum of 3600000\n"},
        {"{\"format\":\"weir-size\",\"exclusiveMaximum\":65536}", "\"64KiB\"", ": \"64KiB\" is not less than 65536\n"},
        {"{\"format\":\"weir-size\",\"multipleOf\":4096}", "\"5kB\"", ": \"5kB\" is not a multiple of 4096\n"},
        {"{\"format\":\"weir-port\",\"maximum\":5}", "\"80\"", ""},
        {"{\"format\":\"weir-size\"}", "\"64KiB\"", ""},
        {"{\"format\":\"weir-size\"}", "\"64kib\"",
         ": expected bytes, or a size such as \"4kB\", \"64KiB\", \"16MiB\" or \"1GiB\", found \"64kib\"\n"},
        {"{\"format\":\"weir-block-rule\"}", "\"10.0.0.0/8\"", ""},
        {"{\"format\":\"weir-block-rule\"}", "7", ""},
        {"{\"format\":\"weir-block-rule\"}", "\"10.0.0.0/33\"",
         ": expected a prefix length of at most 32 for IPv4, 128 for IPv6, found \"10.0.0.0/33\"\n"},
        {"{\"format\":\"weir-block-rule\"}", "\"10.0.0.1\\u0000\"",
         ": expected an IP address, a range \"10.0.0.1-10.0.0.9\" or a subnet \"10.0.0.0/8\" or \"2001:db8::/32\", "
         "found \"10.0.0.1\\u0000\"\n"},
        {"{\"format\":\"weir-path\"}", "\"/run/x\"", ""},
        {"{\"format\":\"weir-path\"}", "\"\"", ": expected a path, not empty and without a NUL, found \"\"\n"},
        {"{\"format\":\"weir-path\"}", "\"a\\u0000b\"",
         ": expected a path, not empty and without a NUL, found \"a\\u0000b\"\n"},
        {"{\"format\":\"email\"}", "\"no address\"", ""},
    };
    (void)state;
    ASSERT_CHECKS(cases);
}

static void schema_durations_and_sizes_are_parsed(void **state)
{
    static const struct {
        const char *text;
        bool fine;
        uint64_t value;
    } durations[] =
        {
            {"0", true, 0},
            {"250", true, 250},
            {"250ms", true, 250},
            {"10s", true, 10000},
            {"5m", true, 300000},
            {"1h", true, 3600000},
            {"", false, 0},
            {"ms", false, 0},
            {"-1s", false, 0},
            {"1.5s", false, 0},
            {"10S", false, 0},
            {"1d", false, 0},
            {" 1s", false, 0},
            {"18446744073709551615", true, UINT64_MAX},
            {"18446744073709551616", false, 0},
            {"18446744073709551615s", false, 0},
        },
      sizes[] = {
          {"1", true, 1},
          {"512B", true, 512},
          {"4kB", true, 4000},
          {"2MB", true, 2000000},
          {"1GB", true, 1000000000},
          {"64KiB", true, 65536},
          {"16MiB", true, 16777216},
          {"1GiB", true, 1073741824},
          {"1TiB", true, 1099511627776},
          {"1TB", true, 1000000000000},
          {"1K", false, 0},
          {"1KB", false, 0},
          {"KiB", false, 0},
          {"99999999TiB", false, 0},
      };
    uint64_t found;
    (void)state;
    for (size_t i = 0; i < COUNT(durations); i++) {
        found = 77;
        assert_int_equal(weir__parse_duration(durations[i].text, &found), durations[i].fine ? 0 : -EINVAL);
        assert_int_equal(found, durations[i].fine ? durations[i].value : 77);
    }
    for (size_t i = 0; i < COUNT(sizes); i++) {
        found = 77;
        assert_int_equal(weir__parse_size(sizes[i].text, &found), sizes[i].fine ? 0 : -EINVAL);
        assert_int_equal(found, sizes[i].fine ? sizes[i].value : 77);
    }
    json_t *text = json_string("2s");
    json_t *number = json_real(1024);
    assert_int_equal(weir__duration_of(text, &found), 0);
    assert_int_equal(found, 2000);
    assert_int_equal(weir__size_of(number, &found), 0);
    assert_int_equal(found, 1024);
    assert_int_equal(weir__size_of(json_null(), &found), -EINVAL);
    json_decref(text);
    json_decref(number);
}

/* ---- secrets ---- */

#define SECRET "\"hunter2hunter2\""

static void schema_secrets_are_never_quoted(void **state)
{
    static const struct {
        const char *schema, *instance;
    } cases[] = {
        {"{\"properties\":{\"k\":{\"writeOnly\":true,\"type\":\"integer\"}}}", "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"writeOnly\":true,\"enum\":[\"hunter2hunter\"]}}}", "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"writeOnly\":true,\"const\":1}}}", "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"writeOnly\":true,\"pattern\":\"^x\"}}}", "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"writeOnly\":true,\"format\":\"weir-port\"}}}", "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"writeOnly\":true,\"not\":{\"const\":" SECRET "}}}}", "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"writeOnly\":true,\"not\":{\"minLength\":1}}}}", "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"integer\",\"writeOnly\":true}]}}}",
         "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"$ref\":\"#/$defs/s\",\"pattern\":\"^x\"}},\"$defs\":{\"s\":{\"writeOnly\":true}}}",
         "{\"k\":" SECRET "}"},
        /* Marked in one place, judged in another. */
        {"{\"allOf\":[{\"properties\":{\"k\":{\"writeOnly\":true}}},{\"additionalProperties\":{\"type\":\"null\"}}]}",
         "{\"k\":" SECRET "}"},
        {"{\"properties\":{\"k\":{\"writeOnly\":true,\"items\":{\"type\":\"null\"},\"uniqueItems\":true}}}",
         "{\"k\":[" SECRET "," SECRET "]}"},
        {"{\"patternProperties\":{\"^k\":{\"writeOnly\":true,\"type\":\"null\"}}}", "{\"key\":" SECRET "}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        collected found = {.length = 0};
        weir__schema *schema = compile(cases[i].schema);
        json_t *instance = value(cases[i].instance);
        assert_true(weir__schema_check(schema, instance, collect, &found) > 0);
        if (strstr(found.text, "hunter2hunter2") || strstr(found.text, "did you mean"))
            fail_msg("%s: %s", cases[i].schema, found.text);
        json_decref(instance);
        weir__schema_free(schema);
    }
}

static void schema_tells_what_is_secret(void **state)
{
    (void)state;
    weir__schema *schema =
        compile("{\"properties\":{\"key\":{\"writeOnly\":true},\"a/b\":{\"$ref\":\"#/$defs/s\"},\"open\":{},"
                "\"list\":{\"items\":{\"properties\":{\"pass\":{\"writeOnly\":true}}}}},"
                "\"if\":{\"properties\":{\"open\":{\"writeOnly\":true}}},"
                "\"$defs\":{\"s\":{\"allOf\":[{\"writeOnly\":true}]}}}");
    assert_true(weir__schema_is_secret(schema, "/key"));
    assert_true(weir__schema_is_secret(schema, "/key/inside"));
    assert_true(weir__schema_is_secret(schema, "/a~1b"));
    assert_true(weir__schema_is_secret(schema, "/list/17/pass"));
    assert_false(weir__schema_is_secret(schema, "/list/17/other"));
    assert_false(weir__schema_is_secret(schema, "/list/x/pass"));
    assert_false(weir__schema_is_secret(schema, "/open"));
    assert_false(weir__schema_is_secret(schema, "/unknown"));
    assert_false(weir__schema_is_secret(schema, ""));
    weir__schema_free(schema);
}

/* ---- defaults, members, text ---- */

static void schema_fills_defaults(void **state)
{
    static const struct {
        const char *schema, *instance, *expected;
    } cases[] = {
        {"{\"properties\":{\"a\":{\"default\":1},\"b\":{\"default\":{\"c\":[2]}}}}", "{\"a\":5}",
         "{\"a\":5,\"b\":{\"c\":[2]}}"},
        {"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"default\":1}}}}}", "{}", "{}"},
        {"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"default\":1}}}}}", "{\"a\":{}}", "{\"a\":{\"b\":1}}"},
        {"{\"properties\":{\"a\":{\"default\":{},\"properties\":{\"b\":{\"default\":1}}}}}", "{}", "{\"a\":{\"b\":1}}"},
        {"{\"allOf\":[{\"$ref\":\"#/$defs/x\"}],\"$defs\":{\"x\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/y\"}}},"
         "\"y\":{\"default\":true}}}",
         "{}", "{\"a\":true}"},
        {"{\"items\":{\"properties\":{\"a\":{\"default\":null}}}}", "[{},3,{\"a\":1}]", "[{\"a\":null},3,{\"a\":1}]"},
        {"{\"additionalProperties\":{\"properties\":{\"a\":{\"default\":1}}}}", "{\"x\":{}}", "{\"x\":{\"a\":1}}"},
        {"{\"patternProperties\":{\"^x\":{\"properties\":{\"a\":{\"default\":1}}}}}", "{\"x1\":{},\"y\":{}}",
         "{\"x1\":{\"a\":1},\"y\":{}}"},
        {"{\"anyOf\":[{\"required\":[\"p\"],\"properties\":{\"a\":{\"default\":1}}},{\"properties\":{\"b\":"
         "{\"default\":2}}}]}",
         "{}", "{\"b\":2}"},
        {"{\"if\":{\"required\":[\"p\"]},\"then\":{\"properties\":{\"a\":{\"default\":1}}},\"else\":{\"properties\":"
         "{\"b\":{\"default\":2}}}}",
         "{\"p\":0}", "{\"p\":0,\"a\":1}"},
        {"{\"default\":3}", "\"x\"", "\"x\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir__schema *schema = compile(cases[i].schema);
        json_t *instance = value(cases[i].instance), *expected = value(cases[i].expected);
        assert_int_equal(weir__schema_fill_defaults(schema, instance), 0);
        if (!json_equal(instance, expected))
            fail_msg("%s on %s: found %s", cases[i].schema, cases[i].instance, json_dumps(instance, JSON_ENCODE_ANY));
        json_decref(instance);
        json_decref(expected);
        weir__schema_free(schema);
    }
}

/* A default that was handed out and changed does not change the schema. */
static void schema_defaults_are_copies(void **state)
{
    (void)state;
    weir__schema *schema = compile("{\"properties\":{\"a\":{\"default\":[1]}}}");
    json_t *first = json_object(), *second = json_object();
    assert_int_equal(weir__schema_fill_defaults(schema, first), 0);
    json_array_append_new(json_object_get(first, "a"), json_integer(2));
    assert_int_equal(weir__schema_fill_defaults(schema, second), 0);
    assert_int_equal(json_array_size(json_object_get(second, "a")), 1);
    json_decref(first);
    json_decref(second);
    weir__schema_free(schema);
}

static const char options_schema[] =
    "{\"$ref\":\"#/$defs/base\",\"required\":[\"port\"],\"properties\":{"
    "\"port\":{\"type\":\"integer\",\"maximum\":65535,\"description\":\"where\"},"
    "\"ratio\":{\"type\":\"number\"},\"on\":{\"type\":\"boolean\"},"
    "\"name\":{\"type\":\"string\"},\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},"
    "\"hosts\":{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}},"
    "\"any\":{},\"mode\":{\"enum\":[\"fast\",3,true]},\"wait\":{\"$ref\":\"#/$defs/duration\"},"
    "\"key\":{\"writeOnly\":true,\"type\":\"integer\"},\"deep\":{\"type\":\"object\"},"
    "\"either\":{\"anyOf\":[{\"type\":\"integer\",\"maximum\":9},{\"type\":\"string\",\"pattern\":\"^[0-9]+$\"}]}},"
    "\"anyOf\":[{\"properties\":{\"extra\":{\"type\":\"null\"},\"port\":{}}},true],"
    "\"$defs\":{\"base\":{\"properties\":{\"base\":{\"default\":7,\"type\":\"integer\"}}},"
    "\"duration\":{\"type\":[\"integer\",\"string\"],\"format\":\"weir-duration\"}}}";

static void schema_tells_its_members(void **state)
{
    weir__schema_member member;
    const char *names[32];
    (void)state;
    weir__schema *schema = compile(options_schema);
    assert_int_equal(weir__schema_property(schema, "port", &member), 0);
    assert_int_equal(member.kinds, WEIR__KIND_INTEGER);
    assert_true(member.required);
    assert_false(member.secret);
    assert_string_equal(member.description, "where");
    assert_null(member.default_value);
    assert_int_equal(weir__schema_property(schema, "base", &member), 0);
    assert_int_equal(json_integer_value(member.default_value), 7);
    assert_false(member.required);
    assert_int_equal(weir__schema_property(schema, "wait", &member), 0);
    assert_string_equal(member.format, "weir-duration");
    assert_int_equal(weir__schema_property(schema, "key", &member), 0);
    assert_true(member.secret);
    assert_int_equal(weir__schema_property(schema, "mode", &member), 0);
    assert_int_equal(member.kinds, WEIR__KIND_STRING | WEIR__KIND_INTEGER | WEIR__KIND_BOOLEAN);
    assert_int_equal(weir__schema_property(schema, "extra", &member), 0);
    assert_int_equal(member.kinds, WEIR__KIND_NULL);
    assert_int_equal(weir__schema_property(schema, "nothing", &member), -ENOENT);
    size_t count = weir__schema_property_names(schema, names, 32);
    assert_int_equal(count, 14);
    assert_string_equal(names[0], "port");
    assert_string_equal(names[13], "base");
    assert_int_equal(weir__schema_property_names(schema, names, 2), 14);
    weir__schema_free(schema);
}

static void schema_coerces_text(void **state)
{
    static const struct {
        const char *name, *text, *expected; /* JSON, or "!" and the message */
    } cases[] = {
        {"port", "80", "80"},
        {"port", "70000", "70000"}, /* the check says it better */
        {"port", "8o", "!\"port\": expected an integer, found \"8o\""},
        {"port", "1.5", "!\"port\": expected an integer, found \"1.5\""},
        {"port", "99999999999999999999", "!\"port\": expected an integer, found \"99999999999999999999\""},
        {"ratio", "-1.5e3", "-1500.0"},
        {"ratio", "2", "2"},
        {"ratio", "1e999", "!\"ratio\": expected a number, found \"1e999\""},
        {"ratio", "nan", "!\"ratio\": expected a number, found \"nan\""},
        {"on", "true", "true"},
        {"on", "false", "false"},
        {"on", "maybe", "!\"on\": expected true or false, found \"maybe\""},
        {"name", "42", "\"42\""},
        {"name", "true", "\"true\""},
        {"name", "\xFF", "!\"name\": expected a string, found \"\\xff\""},
        {"list", "1,2,3", "[1,2,3]"},
        {"list", "7", "[7]"},
        {"list", "", "[]"},
        {"list", "1,x", "!\"list\": expected an array, found \"1,x\""},
        {"list", "[1,2]", "!\"list\": an array is written as A,B here, without brackets and quotes"},
        {"hosts", "[\"a\"]", "!\"hosts\": an array is written as A,B here, without brackets and quotes"},
        {"hosts", "[a]", "\"[a]\""},
        {"hosts", "a", "\"a\""},
        {"hosts", "a,b,", "[\"a\",\"b\",\"\"]"},
        {"any", "1", "1"},
        {"any", "1.5", "1.5"},
        {"any", "true", "true"},
        {"any", "10.0.0.1", "\"10.0.0.1\""},
        {"any", "010", "\"010\""},
        {"mode", "3", "3"},
        {"mode", "fast", "\"fast\""},
        {"mode", "true", "true"},
        {"wait", "10s", "\"10s\""},
        {"wait", "500", "500"},
        {"either", "5", "5"},
        {"either", "50", "\"50\""},
        {"base", "1", "1"},
        {"key", "hunter2", "!\"key\": expected an integer, found a secret that is not shown"},
        {"deep", "{}", "!\"deep\" cannot be written as text; use the JSON form"},
        {"extra", "null", "!\"extra\" cannot be written as text; use the JSON form"},
        {"prot", "1", "!unknown option \"prot\"; did you mean \"port\"?"},
    };
    weir__message message;
    (void)state;
    weir__schema *schema = compile(options_schema);
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *out = NULL;
        int status = weir__schema_coerce(schema, cases[i].name, cases[i].text, &out, &message);
        if (cases[i].expected[0] == '!') {
            assert_string_equal(message.text, cases[i].expected + 1);
            assert_int_equal(status, strcmp(cases[i].name, "prot") == 0 ? -ENOENT : -EINVAL);
            assert_null(out);
            continue;
        }
        assert_int_equal(status, 0);
        char *printed = json_dumps(out, JSON_ENCODE_ANY | JSON_COMPACT);
        assert_string_equal(printed, cases[i].expected);
        free(printed);
        json_decref(out);
    }
    assert_int_equal(weir__schema_coerce(schema, "zzz", "1", &(json_t *){NULL}, NULL), -ENOENT);
    weir__schema_free(schema);
}

/* ---- want of memory ---- */

static const char hard_schema[] =
    "{\"$id\":\"http://x/y\",\"$ref\":\"#/$defs/a\",\"properties\":{\"n\":{\"maximum\":1,\"default\":[1,{\"a\":2}]},"
    "\"s\":{\"pattern\":\"^[\\\\w]+$\",\"writeOnly\":true}},\"patternProperties\":{\"^p\":{\"type\":\"null\"}},"
    "\"propertyNames\":{\"maxLength\":2},\"additionalProperties\":false,\"dependentRequired\":{\"n\":[\"s\"]},"
    "\"dependentSchemas\":{\"n\":{\"$ref\":\"z#b\"}},\"anyOf\":[{\"required\":[\"q\"]},{\"required\":[\"r\"]}],"
    "\"$defs\":{\"a\":{\"properties\":{\"u\":{\"uniqueItems\":true,\"prefixItems\":[{\"type\":\"string\"}]}}},"
    "\"z\":{\"$id\":\"z\",\"$anchor\":\"b\",\"not\":{\"required\":[\"n\"]},\"oneOf\":[true,{\"type\":\"array\"}]}}}";
static const char hard_instance[] = "{\"s\":\"-\",\"u\":[1,2,1,{\"a\":1},{\"a\":1.0}],\"pq\":3,\"long\":\"name\"}";

static void work_without_memory(void *arg)
{
    weir__faults faults = {0};
    weir__message message;
    (void)arg;
    weir__document *document = weir__document_parse("i", hard_instance, strlen(hard_instance), &faults);
    weir__schema *schema = document ? weir__schema_parse(hard_schema, strlen(hard_schema), "s", &faults) : NULL;
    if (!schema) {
        assert_true(faults.out_of_memory);
        assert_true(allocator_failures() > 0);
    } else {
        int found = weir__schema_check_document(schema, document, "", document->root, &faults);
        assert_true(found > 5 || (found == -ENOMEM && allocator_failures()));
        int filled = weir__schema_fill_defaults(schema, document->root);
        assert_true(filled == 0 || (filled == -ENOMEM && allocator_failures()));
        assert_true(filled != 0 || json_object_get(document->root, "n"));
        json_t *out = NULL;
        int status = weir__schema_coerce(schema, "u", "a,b,3", &out, &message);
        assert_true(status == 0 || (status == -ENOMEM && allocator_failures()));
        json_decref(out);
        assert_true(weir__schema_is_secret(schema, "/s"));
    }
    weir__schema_free(schema);
    weir__document_free(document);
    weir__faults_free(&faults);
}

static void schema_without_memory_is_an_error(void **state)
{
    (void)state;
    json_set_alloc_funcs(weir_malloc, weir_free);
    assert_true(allocator_fail_each(work_without_memory, NULL) > 200);
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_pattern_dialect),
        cmocka_unit_test(schema_pattern_sees_behind_a_nul),
        cmocka_unit_test(schema_formats),
        cmocka_unit_test(schema_durations_and_sizes_are_parsed),
        cmocka_unit_test(schema_secrets_are_never_quoted),
        cmocka_unit_test(schema_tells_what_is_secret),
        cmocka_unit_test(schema_fills_defaults),
        cmocka_unit_test(schema_defaults_are_copies),
        cmocka_unit_test(schema_tells_its_members),
        cmocka_unit_test(schema_coerces_text),
        cmocka_unit_test(schema_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
