/* SPDX-License-Identifier: MIT */
/* Endpoints in all their spellings: which options reach whom, how long they live, and how they read. */
#include "endpoint_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/endpoint_private.h"

static void url_options_reach_the_component_that_declares_them(void **state)
{
    static const example examples[] = {
        {"net://127.0.0.1:80", "net://127.0.0.1:80 net={\"host\":\"127.0.0.1\",\"noDelay\":false,\"port\":80}"},
        {"net://[::1]:80?noDelay=true", "net://[::1]:80 net={\"host\":\"::1\",\"noDelay\":true,\"port\":80}"},
        {"net://?port=80&host=a", "net://a:80 net={\"host\":\"a\",\"noDelay\":false,\"port\":80}"},
        {"net://h:1?tags=a,b", "net://h:1 net={\"host\":\"h\",\"noDelay\":false,\"port\":1,\"tags\":[\"a\",\"b\"]}"},
        {"net://h:1?limit=64KiB", "net://h:1 net={\"host\":\"h\",\"limit\":\"64KiB\",\"noDelay\":false,\"port\":1}"},
        {"wrap+net://h:1?mood=good", "wrap+net://h:1 net={\"host\":\"h\",\"noDelay\":false,\"port\":1} "
                                     "wrap={\"mood\":\"good\"}"},
        {"wrap+count+net://h:1?wrap.noDelay=false&net.noDelay=true",
         "wrap+count+net://h:1 net={\"host\":\"h\",\"noDelay\":true,\"port\":1} count={} wrap={\"noDelay\":false}"},
        {"file:/a?allowHalfOpen=true&timeout=5s",
         "file:/a file={\"path\":\"/a\"} stream={\"allowHalfOpen\":true,\"timeout\":\"5s\"}"},
        {"wrap+file:a?stream.timeout=1&wrap.timeout=2",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"timeout\":2} stream={\"timeout\":1}"},
        {"file:./@x", "file:./@x file={\"path\":\"./@x\"}"},
        {"file:///a", "file:/a file={\"path\":\"/a\"}"},
        {"file:@a%00b", "file:@a%00b file={\"path\":\"@a%00b\"}"},
        {"bare:", "bare: bare={}"},
    };
    CHECK(*state, examples);
}

static void spellings_of_one_endpoint_meet(void **state)
{
    static const char *const spellings[] = {
        "wrap+count+net://[::]:5433?net.noDelay=true&mood=good&allowHalfOpen=true",
        "\"wrap+count+net://[::]:5433?net.noDelay=true&mood=good&allowHalfOpen=true\"",
        " \n{\"net\": {\"host\": \"::\", \"port\": 5433, \"noDelay\": true}, \"layers\": [\"count\", {\"wrap\": "
        "{\"mood\": \"good\"}}], \"stream\": {\"allowHalfOpen\": true}}",
        "{\"stream\": {\"allowHalfOpen\": true}, \"layers\": [{\"count\": {}}, {\"wrap\": {\"mood\": \"good\"}}], "
        "\"net\": {\"host\": \"::\", \"port\": 5433, \"noDelay\": true}}",
    };
    char line[4096];
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        describe_in(*state, spellings[i], WEIR_SERVER, line, sizeof(line));
        assert_string_equal(line, "wrap+count+net://[::]:5433 net={\"host\":\"::\",\"noDelay\":true,\"port\":5433} "
                                  "count={} wrap={\"mood\":\"good\"} stream={\"allowHalfOpen\":true}");
    }
}

static void json_form_takes_equal_layers(void **state)
{
    static const example examples[] = {
        {"{\"layers\": [{\"wrap\": {\"mood\": \"a\"}}, {\"wrap\": {\"mood\": \"b\"}}], \"file\": {\"path\": \"x\"}}",
         "wrap+wrap+file:x file={\"path\":\"x\"} wrap={\"mood\":\"a\"} wrap={\"mood\":\"b\"}"},
    };
    CHECK(*state, examples);
}

static void role_and_folder_reach_the_plugin(void **state)
{
    const world *w = *state;
    char expected[128], *here = getcwd(NULL, 0);
    weir_endpoint *endpoint = NULL;
    for (weir_role role = WEIR_CLIENT; role <= WEIR_SERVER; role++) {
        assert_int_equal(weir_endpoint_parse(w->runtime, "net://h:1", role, w->folder, &endpoint, NULL), 0);
        const seen *given = endpoint->transport.context;
        snprintf(expected, sizeof(expected), "%s/x", w->folder);
        assert_int_equal(given->role, role);
        assert_string_equal(given->folder, expected);
        assert_string_equal(weir_endpoint_transport(endpoint), "net");
        weir_endpoint_release(endpoint);
    }
    assert_int_equal(weir_endpoint_parse(w->runtime, "net://h:1", WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    const seen *given = endpoint->transport.context;
    assert_non_null(here);
    assert_memory_equal(given->folder, here, strlen(here));
    assert_string_equal(given->folder + strlen(here), "/x");
    weir_endpoint_release(endpoint);
    free(here);
}

static void endpoint_lives_until_its_last_reference(void **state)
{
    const world *w = *state;
    weir_endpoint *endpoint = NULL;
    assert_int_equal(weir_endpoint_parse(w->runtime, "wrap+net://h:1", WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    assert_int_equal(contexts_alive, 2);
    assert_ptr_equal(weir_endpoint_retain(endpoint), endpoint);
    weir_endpoint_release(endpoint);
    assert_int_equal(contexts_alive, 2);
    weir_endpoint_release(endpoint);
    assert_int_equal(contexts_alive, 0);
    weir_endpoint_release(NULL);
    assert_null(weir_endpoint_retain(NULL));
}

static void format_counts_what_does_not_fit(void **state)
{
    const world *w = *state;
    static const char whole[] = "wrap+count+net://[::1]:5433";
    weir_endpoint *endpoint = NULL;
    assert_int_equal(weir_endpoint_parse(w->runtime, "wrap+count+net://[::1]:5433", WEIR_CLIENT, NULL, &endpoint, NULL),
                     0);
    for (size_t size = 0; size <= sizeof(whole) + 2; size++) {
        char text[64];
        memset(text, 'x', sizeof(text));
        assert_int_equal(weir_endpoint_format(endpoint, text, size), sizeof(whole) - 1);
        size_t kept = size == 0 ? 0 : size - 1 < sizeof(whole) - 1 ? size - 1 : sizeof(whole) - 1;
        assert_memory_equal(text, whole, kept);
        if (size > 0)
            assert_int_equal(text[kept], '\0');
        assert_int_equal(text[size], 'x');
    }
    assert_int_equal(weir_endpoint_format(endpoint, NULL, 0), sizeof(whole) - 1);
    weir_endpoint_release(endpoint);
}

static void stream_options_win_over_those_that_were_there(void **state)
{
    const world *w = *state;
    weir_endpoint *endpoint = NULL;
    weir_stream_options options, untouched;
    weir_stream_options_init(&options);
    options.timeout = 7;
    options.connect_timeout = 8;
    untouched = options;
    assert_int_equal(weir_endpoint_parse(w->runtime, "file:a", WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    weir__endpoint_apply(endpoint, &options);
    assert_memory_equal(&options, &untouched, sizeof(options));
    weir_endpoint_release(endpoint);
    static const char text[] =
        "{\"file\": {\"path\": \"a\"}, \"stream\": {\"allowHalfOpen\": true, \"autoDestroy\": false, "
        "\"readableHighWaterMark\": 5, \"highWaterMark\": \"1KiB\", \"maxWriteQueue\": \"16MiB\", \"timeout\": \"5m\", "
        "\"handshakeTimeout\": 10, \"halfCloseTimeout\": \"1s\", \"discardOnEnd\": true, \"pauseOnConnect\": true, "
        "\"blockList\": [\"10.0.0.0/8\", \"::1\"]}}";
    assert_int_equal(weir_endpoint_parse(w->runtime, text, WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    assert_int_equal(weir_blocklist_rule_count(endpoint->block_list), 2);
    assert_null(options.block_list); /* the stream's own stays beside it */
    weir__endpoint_apply(endpoint, &options);
    assert_int_equal(options.allow_half_open, 1);
    assert_int_equal(options.no_auto_destroy, 1);
    assert_int_equal(options.readable_high_water_mark, 5);
    assert_int_equal(options.writable_high_water_mark, 1024);
    assert_int_equal(options.max_write_queue, 16 << 20);
    assert_int_equal(options.timeout, 300000);
    assert_int_equal(options.connect_timeout, 8);
    assert_int_equal(options.handshake_timeout, 10);
    assert_int_equal(options.half_close_timeout, 1000);
    assert_int_equal(options.discard_on_end, 1);
    assert_int_equal(options.pause_on_connect, 1);
    weir_endpoint_release(endpoint);
}

static json_t *load_schema(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/schemas/%s.schema.json", WEIR_TEST_SOURCE, name);
    json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(schema);
    return schema;
}

/* Those of a stream that a service's server has no use for: it accepts, and its handlers decide over the stream's life. */
static int is_for_makers_of_streams(const char *name)
{
    return strcmp(name, "connectTimeout") == 0 || strcmp(name, "autoDestroy") == 0 ||
           strcmp(name, "pauseOnConnect") == 0;
}

/* No plain value: whoever reads a configuration makes a list of it, once. */
static int is_a_list(const char *name)
{
    return strcmp(name, "blockList") == 0;
}

/* Every option that stream.schema.json knows is described, does something, and all but those above may stand in a
 * service's server too. */
static void every_stream_option_is_known_everywhere(void **state)
{
    (void)state;
    json_t *stream = load_schema("stream"), *service = load_schema("service"), *option;
    json_t *server = json_object_get(json_object_get(json_object_get(service, "$defs"), "server"), "properties");
    const char *name;
    size_t count = 0;
    json_object_foreach(json_object_get(stream, "properties"), name, option)
    {
        weir_stream_options before, after;
        char reference[128];
        weir_stream_options_init(&before);
        after = before;
        assert_non_null(json_string_value(json_object_get(option, "description")));
        const char *type = json_string_value(json_object_get(option, "type"));
        int is_switch = type && strcmp(type, "boolean") == 0;
        int standard = json_is_true(json_object_get(option, "default"));
        json_t *given = json_pack("{s:o}", name, is_switch ? json_boolean(!standard) : json_integer(12345));
        weir__stream_options_from_json(given, &after);
        json_decref(given);
        if (!is_a_list(name) && memcmp(&before, &after, sizeof(before)) == 0)
            fail_msg("%s changes nothing", name);
        snprintf(reference, sizeof(reference), "stream.schema.json#/properties/%s", name);
        const char *there = json_string_value(json_object_get(json_object_get(server, name), "$ref"));
        if (is_for_makers_of_streams(name) ? there != NULL : !there || strcmp(there, reference) != 0)
            fail_msg("%s: not what service.schema.json should have", name);
        count++;
    }
    assert_true(count >= 12);
    json_decref(stream);
    json_decref(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(url_options_reach_the_component_that_declares_them),
        TEST(spellings_of_one_endpoint_meet),
        TEST(json_form_takes_equal_layers),
        TEST(role_and_folder_reach_the_plugin),
        TEST(endpoint_lives_until_its_last_reference),
        TEST(format_counts_what_does_not_fit),
        TEST(stream_options_win_over_those_that_were_there),
        TEST(every_stream_option_is_known_everywhere),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
