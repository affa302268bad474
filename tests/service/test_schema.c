/* SPDX-License-Identifier: MIT */
/* The merged schema that `weir schema` prints: it is one, it fits what is valid, and refuses what is not. */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <weir/handler.h>
#include <weir/plugin.h>
#include <weir/transport.h>

#include "core/schema.h"
#include "fixture.h"

extern const weir_plugin weir_plugin_tcp, weir_plugin_ipc, weir_plugin_echo, weir_plugin_forward;

/* A handler with what merging has to look after: a reference of its own, a secret, and an example that looks like one.
 */
static const char keeper_schema[] =
    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"$id\": \"keeper\", \"type\": \"object\","
    " \"additionalProperties\": false, \"required\": [\"key\"],"
    " \"properties\": {\"key\": {\"type\": \"string\", \"writeOnly\": true},"
    "   \"hours\": {\"$ref\": \"#/$defs/hours\", \"examples\": [{\"$ref\": \"#/left/alone\"}]}},"
    " \"$defs\": {\"hours\": {\"type\": \"integer\", \"maximum\": 24}}}";

static int keeper_configure(weir_configure *configure, void **context)
{
    (void)configure;
    *context = NULL;
    return 0;
}

static void keeper_context_free(void *context)
{
    (void)context;
}

static void keeper_connection(void *context, weir_stream *stream)
{
    (void)context;
    weir_stream_destroy(stream, NULL);
}

static const weir_handler keeper_handler = {
    .size = sizeof(weir_handler),
    .configure = keeper_configure,
    .context_free = keeper_context_free,
    .connection = keeper_connection,
};

static const weir_plugin keeper = {
    WEIR_PLUGIN_HEADER,          .name = "keeper",        .version = "1",
    .description = "for a test", .schema = keeper_schema, .handler = &keeper_handler,
};

static void add_plugins(fixture *f)
{
    const weir_plugin *const plugins[] = {&weir_plugin_tcp, &weir_plugin_ipc, &weir_plugin_echo, &weir_plugin_forward,
                                          &keeper};
    for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++)
        assert_code(weir_runtime_register_plugin(f->runtime, plugins[i], NULL), 0);
}

static weir__schema *merged(fixture *f)
{
    weir__faults faults = {0};
    char *text = weir_service_schema(f->runtime);
    assert_non_null(text);
    weir__schema *schema = weir__schema_parse(text, strlen(text), "merged", &faults);
    if (schema == NULL)
        fail_msg("%s", weir__faults_text(&faults));
    weir__faults_free(&faults);
    weir_free(text);
    return schema;
}

/* How many faults a service with one server of these two members has. */
static int faults_of(const weir__schema *schema, const char *listen, const char *handler)
{
    char text[1024];
    snprintf(text, sizeof(text), "{\"servers\": [{\"name\": \"a\", \"listen\": %s, \"handler\": %s}]}", listen,
             handler);
    json_t *service = json_loads(text, 0, NULL);
    assert_non_null(service);
    int faults = weir__schema_check(schema, service, NULL, NULL);
    assert_true(faults >= 0);
    json_decref(service);
    return faults;
}

static void fits_what_is_valid(void **state)
{
    fixture *f = *state;
    add_plugins(f);
    weir__schema *schema = merged(f);
    static const char *const listens[] = {
        "\"tcp://127.0.0.1:80\"",
        "\"ipc:@name\"",
        "{\"tcp\": {\"port\": 80, \"host\": \"::\"}}",
        "{\"tcp\": {\"port\": 80}, \"layers\": [], \"stream\": {\"timeout\": \"5s\"}}",
    };
    static const char *const handlers[] = {
        "\"echo\"",
        "{\"echo\": {}}",
        "{\"forward\": {\"to\": \"tcp://127.0.0.1:1\"}}",
        "{\"forward\": {\"to\": [\"tcp://127.0.0.1:1\"], \"connectTimeout\": 5}}",
        "{\"keeper\": {\"key\": \"k\", \"hours\": 24}}",
        "{\"keeper\": {\"key\": {\"file\": \"k\"}}}",
        "{\"keeper\": {\"key\": {\"env\": \"K\"}}}",
    };
    for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++)
        assert_int_equal(faults_of(schema, listens[i], "\"echo\""), 0);
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        assert_int_equal(faults_of(schema, "\"tcp://127.0.0.1:80\"", handlers[i]), 0);
    weir__schema_free(schema);
}

static void refuses_what_is_not(void **state)
{
    fixture *f = *state;
    add_plugins(f);
    weir__schema *schema = merged(f);
    static const char *const listens[] = {
        "\"tcp\"",
        "{}",
        "{\"tcp\": {\"port\": 70000}}",
        "{\"tcp\": {\"port\": 1}, \"ipc\": {\"path\": \"x\"}}",
        "{\"tcp\": {\"port\": 1}, \"layer\": []}",
        "{\"echo\": {}}",
    };
    static const char *const handlers[] = {
        "\"tcp\"",
        "\"discard\"",
        "{\"echo\": {\"x\": 1}}",
        "{\"forward\": {}}",
        "{\"echo\": {}, \"forward\": {\"to\": \"tcp://a:1\"}}",
        "{\"keeper\": {\"key\": {\"command\": \"k\"}}}",
        "{\"keeper\": {\"key\": 5}}",
        "{\"keeper\": {\"key\": \"k\", \"hours\": 25}}",
    };
    for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++)
        assert_true(faults_of(schema, listens[i], "\"echo\"") > 0);
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        assert_true(faults_of(schema, "\"tcp://127.0.0.1:80\"", handlers[i]) > 0);
    weir__schema_free(schema);
}

static void references_follow_and_values_stay(void **state)
{
    fixture *f = *state;
    add_plugins(f);
    char *text = weir_service_schema(f->runtime);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"#/$defs/plugin-keeper/$defs/hours\""));
    assert_non_null(strstr(text, "\"#/left/alone\""));
    assert_null(strstr(text, "\"$id\""));
    assert_null(strstr(text, "stream.schema.json#"));
    weir_free(text);
}

/* For editors, which do not know weir-duration. */
static void formats_are_patterns_too(void **state)
{
    fixture *f = *state;
    add_plugins(f);
    char *text = weir_service_schema(f->runtime);
    json_t *schema = json_loads(text, 0, NULL);
    assert_non_null(schema);
    json_t *stream = json_object_get(json_object_get(schema, "$defs"), "stream");
    json_t *properties = json_object_get(stream, "properties");
    assert_string_equal(json_string_value(json_object_get(json_object_get(properties, "timeout"), "pattern")),
                        "^[0-9]+(ms|s|m|h)?$");
    assert_non_null(json_object_get(json_object_get(properties, "highWaterMark"), "pattern"));
    assert_null(json_object_get(json_object_get(properties, "allowHalfOpen"), "pattern"));
    json_decref(schema);
    weir_free(text);
}

/* Without a plugin of a kind nothing is refused for that. */
static void without_plugins(void **state)
{
    fixture *f = *state;
    weir__schema *schema = merged(f);
    assert_int_equal(faults_of(schema, "\"tcp://127.0.0.1:80\"", "\"echo\""), 0);
    assert_true(faults_of(schema, "5", "\"echo\"") > 0);
    weir__schema_free(schema);
}

static void print_once(void *arg)
{
    fixture *f = arg;
    char *text = weir_service_schema(f->runtime);
    assert_true(text != NULL || allocator_failures() > 0);
    weir_free(text);
}

static void any_allocation_may_fail(void **state)
{
    fixture *f = *state;
    add_plugins(f);
    print_once(f);
    assert_true(allocator_fail_each(print_once, f) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(fits_what_is_valid),
        FIXTURE_TEST(refuses_what_is_not),
        FIXTURE_TEST(references_follow_and_values_stay),
        FIXTURE_TEST(formats_are_patterns_too),
        FIXTURE_TEST(without_plugins),
        FIXTURE_TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
