/* SPDX-License-Identifier: MIT */
/* What a plugin's configure reads of its options: sizes and durations, as numbers and as texts. */
#include <stdio.h>
#include <string.h>

#include <weir/layer.h>

#include "fixture.h"

/* What the layer below has read, which it finds as the runtime's data. */
typedef struct reading {
    uint64_t size;
    uint64_t duration;
    int calls;
    const void *extra;
    weir_role role;
    char secret[32]; /* as it was in the options */
    int indirect;    /* as it was written: not as text */
    int partial;
    char members[128]; /* of the options, in their order */
    json_t *kept;      /* the options, against the rule that they are borrowed; NULL: nobody wants them */
} reading;

#define OTHERWISE 4711

static int configure(weir_configure *configure, void **context)
{
    reading *seen = weir_runtime_data(configure->runtime);
    seen->size = weir_configure_size(configure, "size", OTHERWISE);
    seen->duration = weir_configure_duration(configure, "duration", OTHERWISE);
    seen->calls++;
    seen->extra = configure->extra;
    seen->role = configure->role;
    seen->partial = configure->partial;
    const char *name;
    json_t *member;
    json_object_foreach(configure->options, name, member)
    {
        size_t at = strlen(seen->members);
        snprintf(seen->members + at, sizeof(seen->members) - at, " %s", name);
    }
    if (json_object_get(configure->options, "list"))
        weir_configure_fault(configure, "/list/0", "no element is liked here");
    const char *secret = json_string_value(json_object_get(configure->options, "secret"));
    snprintf(seen->secret, sizeof(seen->secret), "%s", secret ? secret : "");
    seen->indirect = json_is_object(json_object_get(configure->given, "secret"));
    if (seen->kept)
        json_object_set(seen->kept, "options", configure->options);
    *context = weir_malloc(1);
    return *context ? 0 : UV_ENOMEM;
}

static weir_link *create(void *context, weir_runtime *runtime, weir_role role)
{
    (void)context;
    (void)runtime;
    (void)role;
    return NULL;
}

static const weir_layer layer = {
    .size = sizeof(weir_layer), .configure = configure, .context_free = weir_free, .create = create};

static const char schema[] = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
                             "\"size\":{\"type\":[\"integer\",\"string\"],\"format\":\"weir-size\"},"
                             "\"secret\":{\"type\":\"string\",\"writeOnly\":true},"
                             "\"plain\":{\"type\":\"string\",\"default\":\"shown\"},"
                             "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
                             "\"inner\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"a\"],"
                             "\"properties\":{\"a\":{\"type\":\"integer\"},\"b/c\":{\"type\":\"integer\"}}},"
                             "\"duration\":{\"type\":[\"integer\",\"string\"],\"format\":\"weir-duration\"}},"
                             "\"dependentRequired\":{\"inner\":[\"size\"]}}";

static const weir_plugin plugin = {
    WEIR_PLUGIN_HEADER, .name = "amounts", .version = "1.0.0", .description = "reads amounts, for tests",
    .schema = schema,   .layer = &layer,
};

static int parse(fixture *f, reading *seen, const char *options)
{
    weir_endpoint *endpoint = NULL;
    const char *text =
        fixture_text(f, "{\"tcp\":{\"host\":\"127.0.0.1\",\"port\":9},\"layers\":[{\"amounts\":%s}]}", options);
    memset(seen, 0, sizeof(*seen));
    int status = weir_endpoint_parse(f->runtime, text, WEIR_CLIENT, NULL, &endpoint, NULL);
    weir_endpoint_release(endpoint);
    return status;
}

static int begin(void **state)
{
    int status = fixture_setup(state);
    fixture *f = *state;
    return status ? status : weir_runtime_register_plugin(f->runtime, &plugin, NULL);
}

#define AMOUNTS_TEST(function) cmocka_unit_test_setup_teardown(function, begin, fixture_teardown)

static void a_size_is_a_number_or_a_text_with_a_unit(void **state)
{
    static const struct {
        const char *options;
        uint64_t expected;
    } cases[] = {
        {"{\"size\":0}", 0},
        {"{\"size\":1500}", 1500},
        {"{\"size\":65536.0}", 65536}, /* as JSON Schema has it, this is an integer */
        {"{\"size\":9223372036854775807}", INT64_MAX},
        {"{\"size\":\"12\"}", 12},
        {"{\"size\":\"64KiB\"}", 65536},
        {"{\"size\":\"3MiB\"}", UINT64_C(3) << 20},
        {"{\"size\":\"2GiB\"}", UINT64_C(2) << 30},
        {"{}", OTHERWISE},
    };
    fixture *f = *state;
    reading seen;
    weir_runtime_set_data(f->runtime, &seen);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_code(parse(f, &seen, cases[i].options), 0);
        assert_int_equal(seen.calls, 1);
        assert_int_equal(seen.size, cases[i].expected);
        assert_int_equal(seen.duration, OTHERWISE);
    }
}

static void a_duration_is_milliseconds_or_a_text_with_a_unit(void **state)
{
    static const struct {
        const char *options;
        uint64_t expected;
    } cases[] = {
        {"{\"duration\":0}", 0},           {"{\"duration\":250}", 250},        {"{\"duration\":250.0}", 250},
        {"{\"duration\":\"250\"}", 250},   {"{\"duration\":\"250ms\"}", 250},  {"{\"duration\":\"10s\"}", 10000},
        {"{\"duration\":\"5m\"}", 300000}, {"{\"duration\":\"2h\"}", 7200000}, {"{}", OTHERWISE},
    };
    fixture *f = *state;
    reading seen;
    weir_runtime_set_data(f->runtime, &seen);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_code(parse(f, &seen, cases[i].options), 0);
        assert_int_equal(seen.calls, 1);
        assert_int_equal(seen.duration, cases[i].expected);
        assert_int_equal(seen.size, OTHERWISE);
    }
}

static void what_is_no_amount_never_comes_to_a_configure(void **state)
{
    static const char *const bad[] = {"{\"size\":-1}",          "{\"size\":\"\"}",    "{\"size\":\"64 KiB\"}",
                                      "{\"size\":\"10s\"}",     "{\"duration\":-1}",  "{\"duration\":\"1KiB\"}",
                                      "{\"duration\":\"-1s\"}", "{\"duration\":1.5}", "{\"duration\":true}"};
    fixture *f = *state;
    reading seen;
    weir_runtime_set_data(f->runtime, &seen);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_code(parse(f, &seen, bad[i]), WEIR_EINVALID_CONFIG);
        assert_int_equal(seen.calls, 0);
    }
}

/* A schema that lets everything pass leaves it to the configure, which gets its own value then. */
static void what_a_loose_schema_lets_pass_is_as_if_absent(void **state)
{
    static const weir_plugin loose = {
        WEIR_PLUGIN_HEADER, .name = "loose", .version = "1.0.0", .description = "reads amounts, for tests",
        .schema = "{}",     .layer = &layer,
    };
    static const char *const odd[] = {"true", "-1", "1.5", "\"1x\"", "null", "[1]", "{}"};
    fixture *f = *state;
    reading seen = {0};
    weir_runtime_set_data(f->runtime, &seen);
    assert_code(weir_runtime_register_plugin(f->runtime, &loose, NULL), 0);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        weir_endpoint *endpoint = NULL;
        const char *text = fixture_text(f,
                                        "{\"tcp\":{\"host\":\"127.0.0.1\",\"port\":9},"
                                        "\"layers\":[{\"loose\":{\"size\":%s,\"duration\":%s}}]}",
                                        odd[i], odd[i]);
        assert_code(weir_endpoint_parse(f->runtime, text, WEIR_CLIENT, NULL, &endpoint, NULL), 0);
        weir_endpoint_release(endpoint);
        assert_int_equal(seen.size, OTHERWISE);
        assert_int_equal(seen.duration, OTHERWISE);
    }
}

/* As an endpoint's would be, but for what the program gives beside the options. */
static void a_layer_is_configured_outside_of_an_endpoint(void **state)
{
    fixture *f = *state;
    reading seen = {0};
    void *context = NULL;
    weir_error *error = NULL;
    weir_runtime_set_data(f->runtime, &seen);
    assert_code(
        weir_layer_configure(f->runtime, "amounts", "{\"size\": \"1KiB\"}", NULL, WEIR_SERVER, &seen, &context, &error),
        0);
    assert_null(error);
    assert_non_null(context);
    assert_int_equal(seen.size, 1024);
    assert_int_equal(seen.duration, OTHERWISE);
    assert_int_equal(seen.role, WEIR_SERVER);
    assert_ptr_equal(seen.extra, &seen);
    weir_free(context);
    assert_code(parse(f, &seen, "{}"), 0);
    assert_null(seen.extra);
}

static void a_layer_that_cannot_be_configured_says_why(void **state)
{
    static const struct {
        const char *layer;
        const char *options;
        int code;
        const char *says;
    } cases[] = {
        {"amounts", "{\"size\": \"much\", \"sice\": 1}", WEIR_EINVALID_CONFIG, "options:1:10: /size"},
        {"amounts", "{\"sice\": 1}", WEIR_EINVALID_CONFIG, "did you mean"},
        {"amounts", "[]", WEIR_EINVALID_CONFIG, "an object"},
        {"amounts", "{", WEIR_EINVALID_CONFIG, "options:1:"},
        {"nothing-like-it", "{}", WEIR_ENOPLUGIN, "nothing-like-it"},
        {"tcp", "{}", WEIR_EINVALID_ENDPOINT, "tcp"},
    };
    fixture *f = *state;
    reading seen = {0};
    void *context = &seen;
    weir_error *error = NULL;
    weir_runtime_set_data(f->runtime, &seen);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_code(weir_layer_configure(f->runtime, cases[i].layer, cases[i].options, NULL, WEIR_CLIENT, NULL,
                                         &context, &error),
                    cases[i].code);
        if (!strstr(error->message, cases[i].says))
            fail_msg("'%s' is not in '%s'", cases[i].says, error->message);
        weir_error_release(error);
    }
    assert_int_equal(seen.calls, 0);
    assert_code(weir_layer_configure(NULL, "amounts", "{}", NULL, WEIR_CLIENT, NULL, &context, NULL), UV_EINVAL);
    assert_code(weir_layer_configure(f->runtime, "amounts", NULL, NULL, WEIR_CLIENT, NULL, &context, NULL), UV_EINVAL);
}

/* What is faulty is taken out, and what goes with it, and the plugin looks at the rest. */
static void a_fault_of_the_schema_hides_none_of_the_plugins(void **state)
{
    static const struct {
        const char *options, *left; /* "": it is not asked */
        size_t faults;
    } cases[] = {
        {"{\"sice\": 1, \"duration\": 1}", " duration plain", 1},
        {"{\"size\": \"much\", \"inner\": {\"a\": 1}, \"duration\": 1}", " duration plain", 1},
        {"{\"size\": 1, \"inner\": {\"a\": 1, \"b/c\": \"\"}}", " size inner plain", 1},
        {"{\"size\": 1, \"inner\": {\"a\": \"\", \"b/c\": 1}}", " size plain", 1},
        {"{\"list\": [{}, 1], \"duration\": 1}", " duration plain", 1},
        {"{\"list\": [{}], \"sice\": 1}", " list plain", 2},
        {"{\"secret\": {\"file\": \"missing\"}, \"duration\": 1}", " duration plain", 1},
        {"{\"secret\": {\"file\": \"missing\"}}", "", 1},
        {"{\"inner\": {\"a\": 1}}", "", 1},
        {"{\"sice\": 1}", "", 1},
    };
    fixture *f = *state;
    weir_error *error = NULL;
    void *context = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading seen = {0};
        size_t faults = 1;
        weir_runtime_set_data(f->runtime, &seen);
        assert_code(weir_layer_configure(f->runtime, "amounts", cases[i].options, f->folder, WEIR_CLIENT, NULL,
                                         &context, &error),
                    WEIR_EINVALID_CONFIG);
        for (const char *at = error->message; (at = strstr(at, "; options:")) != NULL; at++)
            faults++;
        if (faults != cases[i].faults)
            fail_msg("%s: %s", cases[i].options, error->message);
        assert_string_equal(seen.members, cases[i].left);
        assert_int_equal(seen.partial, *cases[i].left != '\0');
        assert_string_equal(seen.secret, "");
        weir_error_release(error);
    }
}

/* ---- secrets ---- */

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_secret_is_overwritten_after_the_call(void **state)
{
    fixture *f = *state;
    reading seen = {.kept = json_object()};
    weir_endpoint *endpoint = NULL;
    weir_runtime_set_data(f->runtime, &seen);
    assert_code(weir_endpoint_parse(f->runtime,
                                    "{\"tcp\":{\"port\":9},\"layers\":[{\"amounts\":{\"secret\":\"abc\"}}]}",
                                    WEIR_CLIENT, NULL, &endpoint, NULL),
                0);
    weir_endpoint_release(endpoint);
    assert_string_equal(seen.secret, "abc");
    assert_int_equal(seen.indirect, 0);
    const json_t *options = json_object_get(seen.kept, "options");
    const json_t *secret = json_object_get(options, "secret");
    assert_int_equal(json_string_length(secret), 3);
    assert_memory_equal(json_string_value(secret), "\0\0\0", 3);
    assert_string_equal(json_string_value(json_object_get(options, "plain")), "shown");
    json_decref(seen.kept);
}

static void the_options_as_written_are_configured_again(void **state)
{
    fixture *f = *state;
    reading seen = {0};
    weir_error *error = NULL;
    void *context = NULL;
    const char *path = fixture_path(f, "secret");
    int extra = 1;
    weir_runtime_set_data(f->runtime, &seen);
    json_t *given = json_pack("{s:{s:s}}", "secret", "file", "secret");
    assert_non_null(given);
    put(path, "one\n");
    assert_code(
        weir_layer_configure_again(f->runtime, "amounts", given, f->folder, WEIR_SERVER, &extra, &context, &error), 0);
    weir_free(context);
    assert_string_equal(seen.secret, "one");
    assert_int_equal(seen.indirect, 1);
    assert_ptr_equal(seen.extra, &extra);
    assert_int_equal(seen.role, WEIR_SERVER);
    put(path, "two\n");
    assert_code(
        weir_layer_configure_again(f->runtime, "amounts", given, f->folder, WEIR_SERVER, NULL, &context, &error), 0);
    weir_free(context);
    assert_string_equal(seen.secret, "two");
    assert_true(json_is_object(json_object_get(given, "secret")));
    json_decref(given);
    assert_code(weir_layer_configure_again(f->runtime, "amounts", NULL, NULL, WEIR_CLIENT, NULL, &context, &error), 0);
    weir_free(context);
    assert_string_equal(seen.secret, "");
}

static void what_cannot_be_configured_again_says_why(void **state)
{
    fixture *f = *state;
    reading seen = {0};
    weir_error *error = NULL;
    void *context = NULL;
    weir_runtime_set_data(f->runtime, &seen);
    json_t *given = json_pack("{s:{s:s}}", "secret", "file", "missing");
    assert_code(
        weir_layer_configure_again(f->runtime, "amounts", given, f->folder, WEIR_SERVER, NULL, &context, &error),
        WEIR_EINVALID_CONFIG);
    assert_string_equal(error->message,
                        "invalid options: amounts: /secret: the secret's file \"missing\" does not exist");
    weir_error_release(error);
    assert_code(weir_layer_configure_again(f->runtime, "amounts", given, f->folder, WEIR_SERVER, NULL, &context, NULL),
                WEIR_EINVALID_CONFIG);
    json_decref(given);
    given = json_array();
    assert_code(
        weir_layer_configure_again(f->runtime, "amounts", given, f->folder, WEIR_SERVER, NULL, &context, &error),
        UV_EINVAL);
    weir_error_release(error);
    json_decref(given);
    assert_int_equal(seen.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AMOUNTS_TEST(a_size_is_a_number_or_a_text_with_a_unit),
        AMOUNTS_TEST(a_duration_is_milliseconds_or_a_text_with_a_unit),
        AMOUNTS_TEST(what_is_no_amount_never_comes_to_a_configure),
        AMOUNTS_TEST(what_a_loose_schema_lets_pass_is_as_if_absent),
        AMOUNTS_TEST(a_layer_is_configured_outside_of_an_endpoint),
        AMOUNTS_TEST(a_fault_of_the_schema_hides_none_of_the_plugins),
        AMOUNTS_TEST(a_layer_that_cannot_be_configured_says_why),
        AMOUNTS_TEST(a_secret_is_overwritten_after_the_call),
        AMOUNTS_TEST(the_options_as_written_are_configured_again),
        AMOUNTS_TEST(what_cannot_be_configured_again_says_why),
    };
    return cmocka_run_group_tests_name("api of configure", tests, NULL, NULL);
}
