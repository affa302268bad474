/* SPDX-License-Identifier: MIT */
/* Endpoints that are refused: with which code and which words, in a URL and in JSON; and what is only warned of. */
#include "endpoint_world.h"

#include <string.h>

static void url_faults_say_what_and_what_to_do(void **state)
{
    static const example examples[] = {
        {"", "ERR_INVALID_ENDPOINT: invalid endpoint: the endpoint is empty; expected \"TRANSPORT://HOST:PORT\" or "
             "\"TRANSPORT:PATH\""},
        {"net://h:99999",
         "ERR_INVALID_CONFIG: invalid endpoint: net://h:99999: the option \"port\": 99999 is more than the maximum "
         "of 65535"},
        {"net://h:http",
         "ERR_INVALID_CONFIG: invalid endpoint: net://h:http: the option \"port\": expected an integer, "
         "found \"http\""},
        {"net://h", "ERR_INVALID_CONFIG: invalid endpoint: net://h: the member \"port\" is missing"},
        {"net:h:1", "ERR_INVALID_ENDPOINT: invalid endpoint: net:h:1: the part \"h:1\": expected \"//HOST:PORT\" after "
                    "the first colon"},
        {"wrap+net://h:1?noDelay=true",
         "ERR_INVALID_CONFIG: invalid endpoint: wrap+net://h:1: the option \"noDelay\" could belong to several parts; "
         "write \"wrap.noDelay=\" or \"net.noDelay=\""},
        {"wrap+file:a?timeout=1", "ERR_INVALID_CONFIG: invalid endpoint: wrap+file:a: the option \"timeout\" could "
                                  "belong to several parts; write \"wrap.timeout=\" or \"stream.timeout=\""},
        {"net://h:1?nodelay=true",
         "ERR_INVALID_CONFIG: invalid endpoint: net://h:1: the option \"nodelay\" is not known "
         "to net or stream; did you mean \"noDelay\"?"},
        {"count+net://h:1?xyzzy=true", "ERR_INVALID_CONFIG: invalid endpoint: count+net://h:1: the option \"xyzzy\" is "
                                       "not known to count, net or stream"},
        {"wrap+net://h:1?wrap.moood=x", "ERR_INVALID_CONFIG: invalid endpoint: wrap+net://h:1: the option "
                                        "\"wrap.moood\" is not known to wrap; did you mean \"mood\"?"},
        {"net://h:1?wrap.mood=x", "ERR_INVALID_CONFIG: invalid endpoint: net://h:1: the option \"wrap.mood\" is not "
                                  "known to net or stream"},
        {"net://h:1?port=2", "ERR_INVALID_ENDPOINT: invalid endpoint: net://h:1: the option \"port\" is given twice"},
        {"net://h:1?noDelay=1&noDelay=0", "ERR_INVALID_CONFIG: invalid endpoint: net://h:1: the option \"noDelay\": "
                                          "expected true or false, found \"1\"; "
                                          "net://h:1: the option \"noDelay\" is given twice"},
        {"net://h:1?limit=x",
         "ERR_INVALID_CONFIG: invalid endpoint: net://h:1: the option \"limit\": expected bytes, or a size such as "
         "\"4kB\", \"64KiB\", \"16MiB\" or \"1GiB\", found \"x\""},
        {"file:a?highWaterMark=-1", "ERR_INVALID_CONFIG: invalid endpoint: file:a: the option \"highWaterMark\": "
                                    "expected bytes, or a size such as \"4kB\", "
                                    "\"64KiB\", \"16MiB\" or \"1GiB\", found -1"},
        {"bare:x", "ERR_INVALID_ENDPOINT: invalid endpoint: bare:x: the part \"x\": this transport takes nothing after "
                   "its colon but \"?\" and options"},
        {"net+file:a", "ERR_INVALID_ENDPOINT: invalid endpoint: net+file:a: \"net\" is a transport, not a layer"},
        {"wrap:a", "ERR_INVALID_ENDPOINT: invalid endpoint: wrap:a: \"wrap\" is a layer, not a transport"},
        {"stream+file:a", "ERR_INVALID_ENDPOINT: invalid endpoint: stream+file:a: \"stream\" is a reserved word and no "
                          "name of a component"},
        {"layers:a", "ERR_INVALID_ENDPOINT: invalid endpoint: layers:a: \"layers\" is a reserved word and no name of a "
                     "component"},
        {"wrap+file:a?mood=fault",
         "ERR_INVALID_CONFIG: invalid endpoint: wrap+file:a: the option \"mood\": is bad today"},
        {"wrap+file:a?mood=silent",
         "ERR_INVALID_CONFIG: invalid endpoint: wrap+file:a: wrap cannot use these options: permission denied"},
        {"wrap+file:a?mood=careless",
         "ERR_INVALID_CONFIG: invalid endpoint: wrap+file:a: the option \"mood\": is bad, but who cares"},
    };
    CHECK(*state, examples);
}

static void missing_plugin_is_named_with_a_suggestion(void **state)
{
    char line[4096];
    describe_in(*state, "nett://h:1", WEIR_CLIENT, line, sizeof(line));
    assert_memory_equal(line, "ERR_NO_PLUGIN: invalid endpoint: nett://h:1: ", 45);
    assert_non_null(strstr(line, "did you mean \"net\"?"));
    /* Both are told. */
    describe_in(*state, "odd+none:x", WEIR_CLIENT, line, sizeof(line));
    assert_non_null(strstr(line, "odd: "));
    assert_non_null(strstr(line, "none: "));
}

static void json_faults_have_their_places(void **state)
{
    static const example examples[] = {
        {"{", "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:2: expected a member's name in double quotes (opened "
              "at line 1, column 1), found the end of the text"},
        {"{}",
         "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:1: no transport; expected {\"TRANSPORT\": {options}} "
         "or a URL"},
        {"{\"layers\": []}", "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:1: no transport; expected "
                             "{\"TRANSPORT\": {options}} or a URL"},
        {"{\"net\": {\"port\": 70000,\n \"nodelay\": true}}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:18: /net/port: 70000 is more than the maximum of 65535; "
         "endpoint:2:2: /net/nodelay: unknown member \"nodelay\"; did you mean \"noDelay\"?"},
        {"{\"net\": 5}",
         "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:9: /net: the options of a transport are an "
         "object; expected {...} (or {} for none)"},
        {"{\"file\": {\"path\": \"a\"}, \"net\": {\"port\": 1}}",
         "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:25: /net: an endpoint has one transport, and that is "
         "\"file\" already; layers stand in \"layers\", options of the stream in \"stream\""},
        {"{\"work\": {}}", "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:2: /work: \"work\" is a handler, not a "
                           "transport"},
        {"{\"Net\": {}}", "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:2: /Net: \"Net\" is no name of a "
                          "transport; names begin with a lower-case letter and go on with lower-case letters, digits "
                          "and dashes"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": \"wrap\"}",
         "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:35: /layers: expected an array of layers, from the wire "
         "inwards"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [1, {}, {\"wrap\": 2}, {\"wrap\": {}, \"count\": {}}]}",
         "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:36: /layers/0: expected a layer: \"NAME\" or {\"NAME\": "
         "{options}}, found neither text nor an object; endpoint:1:39: /layers/1: expected a layer: \"NAME\" or "
         "{\"NAME\": {options}}, found an empty object; endpoint:1:52: /layers/2/wrap: the options of \"wrap\" are an "
         "object; expected {...} (or {} for none); endpoint:1:56: /layers/3: expected a layer: \"NAME\" or {\"NAME\": "
         "{options}}, found an object of several members"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [\"file\", {\"net\": {}}]}",
         "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:36: /layers/0: \"file\" is a transport, not a layer; "
         "endpoint:1:45: /layers/1/net: \"net\" is a transport, not a layer"},
        {"{\"file\": {\"path\": \"a\"}, \"stream\": {\"timeout\": -1, \"timeot\": 1}}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:47: /stream/timeout: expected milliseconds, or a duration "
         "such "
         "as \"250ms\", \"10s\", \"5m\" or \"1h\", found -1; endpoint:1:51: /stream/timeot: unknown member \"timeot\"; "
         "did you mean \"timeout\"?"},
        {"\"net://h:70000\"",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:1: the option \"port\": 70000 is more than the maximum "
         "of 65535"},
        {"\"nothing\"", "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:1: the text \"nothing\": not an endpoint; "
                        "expected \"TRANSPORT://HOST:PORT\" or \"TRANSPORT:PATH\", with layers as "
                        "\"LAYER+TRANSPORT:...\""},
    };
    CHECK(*state, examples);
}

static void every_component_of_an_endpoint_is_heard(void **state)
{
    static const example examples[] = {
        {"{\"net\": {\"port\": -1}, \"layers\": [{\"wrap\": {\"mood\": \"fault\"}}, {\"count\": {\"x\": 1}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:18: /net/port: -1 is less than the minimum of 0; "
         "endpoint:1:52: /layers/0/wrap/mood: is bad today; "
         "endpoint:1:74: /layers/1/count/x: unknown member \"x\"; there are none here"},
        {"{\"net\": {\"port\": -1}, \"layers\": [{\"wrap\": {\"mood\": \"fault\"}}, {\"count\": 1}]}",
         "ERR_INVALID_ENDPOINT: invalid endpoint: endpoint:1:18: /net/port: -1 is less than the minimum of 0; "
         "endpoint:1:52: /layers/0/wrap/mood: is bad today; "
         "endpoint:1:73: /layers/1/count: the options of \"count\" are an object; expected {...} (or {} for none)"},
    };
    CHECK(*state, examples);
}

static void transport_that_only_connects_does_not_listen(void **state)
{
    char line[1024];
    describe_in(*state, "bare:", WEIR_SERVER, line, sizeof(line));
    assert_string_equal(line, "ERR_INVALID_ENDPOINT: invalid endpoint: bare:: the transport bare can only connect, not "
                              "listen");
}

static void too_many_layers_are_refused(void **state)
{
    char text[1024] = "{\"file\": {\"path\": \"a\"}, \"layers\": [\"count\"", line[4096];
    for (int i = 1; i < 31; i++)
        strcat(text, ",\"count\"");
    size_t length = strlen(text);
    strcpy(text + length, "]}");
    describe_in(*state, text, WEIR_CLIENT, line, sizeof(line));
    assert_memory_equal(line, "count+count+", 12);
    strcpy(text + length, ",\"count\",\"count\"]}");
    describe_in(*state, text, WEIR_CLIENT, line, sizeof(line));
    assert_memory_equal(line, "ERR_INVALID_ENDPOINT: ", 22);
    assert_non_null(strstr(line, "/layers/31: more than 31 layers"));
    assert_null(strstr(line, "/layers/32"));
}

static void wrong_arguments_are_refused(void **state)
{
    const world *w = *state;
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    assert_int_equal(weir_endpoint_parse(NULL, "file:a", WEIR_CLIENT, NULL, &endpoint, NULL), UV_EINVAL);
    assert_int_equal(weir_endpoint_parse(w->runtime, NULL, WEIR_CLIENT, NULL, &endpoint, NULL), UV_EINVAL);
    assert_int_equal(weir_endpoint_parse(w->runtime, "file:a", WEIR_CLIENT, NULL, NULL, NULL), UV_EINVAL);
    assert_int_equal(weir_endpoint_parse(w->runtime, "file:a", (weir_role)7, NULL, &endpoint, &error), UV_EINVAL);
    assert_non_null(error);
    assert_int_equal(error->code, UV_EINVAL);
    weir_error_release(error);
    /* Without a place for the error nothing is different. */
    assert_int_equal(weir_endpoint_parse(w->runtime, "file:", WEIR_CLIENT, NULL, &endpoint, NULL),
                     WEIR_EINVALID_CONFIG);
    assert_null(endpoint);
}

static void warnings_go_to_the_log(void **state)
{
    world *w = *state;
    char line[1024];
    describe_in(w, "{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"mood\": \"warning\"}}]}", WEIR_CLIENT,
                line, sizeof(line));
    assert_memory_equal(line, "wrap+file:a ", 12);
    assert_string_equal(w->log, "warning: endpoint:1:54: /layers/0/wrap/mood: could be better\n");
}

static void endpoint_inside_of_options_has_its_place(void **state)
{
    static const example examples[] = {
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"chain\": {\"next\": \"net://h:1\"}}]}",
         "chain+file:a file={\"path\":\"a\"} chain={\"next\":\"net://h:1\"}"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"chain\": {\"next\": {\"net\": {\"port\": \"x\"}}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:72: /layers/0/chain/next/net/port: expected an integer, "
         "found "
         "a string (\"x\")"},
        {"chain+file:a?next=bare:x", "ERR_INVALID_CONFIG: invalid endpoint: chain+file:a: /next: the part \"x\": this "
                                     "transport takes nothing after its colon but \"?\" and options"},
    };
    CHECK(*state, examples);
}

static void endpoint_inside_of_options_that_is_none(void **state)
{
    const world *w = *state;
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    assert_int_equal(weir_endpoint_parse(w->runtime, "{\"bare\": {}, \"layers\": [{\"chain\": {\"next\": 5}}]}",
                                         WEIR_CLIENT, w->folder, &endpoint, &error),
                     WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "/layers/0/chain/next: expected an endpoint: a URL as text, or "));
    weir_error_release(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(url_faults_say_what_and_what_to_do),
        TEST(missing_plugin_is_named_with_a_suggestion),
        TEST(json_faults_have_their_places),
        TEST(every_component_of_an_endpoint_is_heard),
        TEST(transport_that_only_connects_does_not_listen),
        TEST(too_many_layers_are_refused),
        TEST(wrong_arguments_are_refused),
        TEST(warnings_go_to_the_log),
        TEST(endpoint_inside_of_options_has_its_place),
        TEST(endpoint_inside_of_options_that_is_none),
    };
    return cmocka_run_group_tests_name("endpoint_faults", tests, NULL, NULL);
}
