/* SPDX-License-Identifier: MIT */
/*
 * Endpoints in all their spellings, over plugins of the test's own that keep what they were given: which options reach
 * whom, what is refused and with which words, and that nothing is left behind, without memory either.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "core/endpoint_private.h"
#include "core/memory.h"
#include "support/allocator.h"
#include "support/syscalls.h"

/* ---- plugins that remember ---- */

/* What a configure was given; the context of every component here. */
typedef struct {
    json_t *options;
    weir_role role;
    char *folder;
} seen;

static int contexts_alive;

static int remember(weir_configure *configure, void **context)
{
    seen *given = weir_calloc(1, sizeof(*given));
    if (!given)
        return UV_ENOMEM;
    given->options = json_deep_copy(configure->options);
    given->folder = weir_configure_path(configure, "x");
    given->role = configure->role;
    if (!given->options || !given->folder) {
        json_decref(given->options);
        weir_free(given->folder);
        weir_free(given);
        return UV_ENOMEM;
    }
    contexts_alive++;
    *context = given;
    return 0;
}

static void forget(void *context)
{
    seen *given = context;
    contexts_alive--;
    json_decref(given->options);
    weir_free(given->folder);
    weir_free(given);
}

/* "bad" for its plugin's own sake: a fault, a failure without a word, a fault that it then makes light of, a warning.
 */
static int wrap_configure(weir_configure *configure, void **context)
{
    const char *mood = json_string_value(json_object_get(configure->options, "mood"));
    if (mood && strcmp(mood, "fault") == 0) {
        weir_configure_fault(configure, "/mood", "is %s today", "bad");
        return WEIR_EINVALID_CONFIG;
    }
    if (mood && strcmp(mood, "silent") == 0)
        return UV_EACCES;
    if (mood && strcmp(mood, "warning") == 0)
        weir_configure_warning(configure, "/mood", "could be better");
    int status = remember(configure, context);
    if (mood && strcmp(mood, "careless") == 0)
        weir_configure_fault(configure, "/mood", "is bad, but who cares");
    return status;
}

/* A handler with an endpoint of its own in its options. */
static int chain_configure(weir_configure *configure, void **context)
{
    json_t *to = json_object_get(configure->options, "next");
    weir_endpoint *next = to ? weir_configure_endpoint(configure, "/next", to, WEIR_CLIENT) : NULL;
    weir_endpoint_release(next);
    return to && !next ? WEIR_EINVALID_CONFIG : remember(configure, context);
}

static const char *text_of(const void *context, const char *name)
{
    const char *text = json_string_value(json_object_get(((const seen *)context)->options, name));
    return text ? text : "";
}

static size_t net_format(const void *context, char *text, size_t size)
{
    const seen *given = context;
    const char *host = text_of(context, "host");
    int length = snprintf(text, size, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host,
                          (int)json_integer_value(json_object_get(given->options, "port")));
    return (size_t)length;
}

static size_t path_format(const void *context, char *text, size_t size)
{
    return (size_t)snprintf(text, size, "%s", text_of(context, "path"));
}

static weir_link *no_link(void *context, weir_runtime *runtime)
{
    (void)context;
    (void)runtime;
    return NULL;
}

static weir_link *no_layer(void *context, weir_runtime *runtime, weir_role role)
{
    (void)role;
    return no_link(context, runtime);
}

static weir_acceptor *no_acceptor(void *context, weir_runtime *runtime)
{
    (void)context;
    (void)runtime;
    return NULL;
}

static void ignore_int(weir_acceptor *acceptor, int value)
{
    (void)acceptor;
    (void)value;
}

static void ignore(weir_acceptor *acceptor)
{
    (void)acceptor;
}

static int no_address(const weir_acceptor *acceptor, weir_address *address)
{
    (void)acceptor;
    (void)address;
    return UV_ENOTCONN;
}

static weir_link *no_accept(weir_acceptor *acceptor, const weir_arrival *arrival)
{
    (void)acceptor;
    (void)arrival;
    return NULL;
}

static void no_connection(void *context, weir_stream *stream)
{
    (void)context;
    (void)stream;
}

#define LISTENS                                                                                           \
    .acceptor_create = no_acceptor, .listen = ignore_int, .accepting = ignore_int, .address = no_address, \
    .accept = no_accept, .acceptor_ref = ignore_int, .acceptor_close = ignore, .acceptor_free = ignore

static const weir_transport net_transport = {.size = sizeof(weir_transport),
                                             .body = WEIR_BODY_HOST_PORT,
                                             .configure = remember,
                                             .context_free = forget,
                                             .format = net_format,
                                             .create = no_link,
                                             LISTENS};
static const weir_transport file_transport = {.size = sizeof(weir_transport),
                                              .body = WEIR_BODY_PATH,
                                              .configure = remember,
                                              .context_free = forget,
                                              .format = path_format,
                                              .create = no_link,
                                              LISTENS};
static const weir_transport bare_transport = {.size = sizeof(weir_transport),
                                              .body = WEIR_BODY_NONE,
                                              .configure = remember,
                                              .context_free = forget,
                                              .format = path_format,
                                              .create = no_link};
static const weir_layer wrap_layer = {
    .size = sizeof(weir_layer), .configure = wrap_configure, .context_free = forget, .create = no_layer};
static const weir_layer count_layer = {
    .size = sizeof(weir_layer), .configure = remember, .context_free = forget, .create = no_layer};
static const weir_handler work_handler = {
    .size = sizeof(weir_handler), .configure = remember, .context_free = forget, .connection = no_connection};
static const weir_layer chain_layer = {
    .size = sizeof(weir_layer), .configure = chain_configure, .context_free = forget, .create = no_layer};

static const weir_plugin plugins[] = {
    {WEIR_PLUGIN_HEADER, .name = "net", .version = "1.0.0", .description = "a transport of hosts and ports",
     .schema =
         "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"port\"], \"properties\": {"
         "\"host\": {\"type\": \"string\"}, \"port\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 65535},"
         "\"noDelay\": {\"type\": \"boolean\", \"default\": false}, \"tags\": {\"type\": \"array\", \"items\":"
         "{\"type\": \"string\"}}, \"limit\": {\"type\": [\"integer\", \"string\"], \"format\": \"weir-size\"}}}",
     .transport = &net_transport},
    {WEIR_PLUGIN_HEADER, .name = "file", .version = "1.0.0", .description = "a transport of paths",
     .schema = "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"path\"], \"properties\": {"
               "\"path\": {\"type\": \"string\"}, \"mode\": {\"type\": \"string\"}}}",
     .transport = &file_transport},
    {WEIR_PLUGIN_HEADER, .name = "bare", .version = "1.0.0", .description = "a transport that only connects",
     .schema = "{\"type\": \"object\", \"additionalProperties\": false}", .transport = &bare_transport},
    {WEIR_PLUGIN_HEADER, .name = "wrap", .version = "1.0.0", .description = "a layer with secrets",
     .schema =
         "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
         "\"timeout\": {\"type\": [\"integer\", \"string\"], \"format\": \"weir-duration\"},"
         "\"noDelay\": {\"type\": \"boolean\"}, \"mood\": {\"type\": \"string\"},"
         "\"phrase\": {\"type\": \"string\", \"writeOnly\": true, \"maxLength\": 20},"
         "\"words\": {\"type\": \"array\", \"items\": {\"type\": \"string\", \"writeOnly\": true}},"
         "\"keys\": {\"type\": \"array\", \"items\": {\"type\": \"object\", \"additionalProperties\": false,"
         "\"properties\": {\"id\": {\"type\": \"string\"}, \"key\": {\"type\": \"string\", \"writeOnly\": true}}}}}}",
     .layer = &wrap_layer},
    {WEIR_PLUGIN_HEADER, .name = "count", .version = "1.0.0", .description = "a layer without options",
     .schema = "{\"type\": \"object\", \"additionalProperties\": false}", .layer = &count_layer},
    {WEIR_PLUGIN_HEADER, .name = "chain", .version = "1.0.0", .description = "a layer with an endpoint in its options",
     .schema = "{\"type\": \"object\", \"properties\": {\"next\": {}}}", .layer = &chain_layer},
    {WEIR_PLUGIN_HEADER, .name = "work", .version = "1.0.0", .description = "a handler",
     .schema = "{\"type\": \"object\", \"additionalProperties\": false}", .handler = &work_handler},
};

/* ---- the surroundings ---- */

typedef struct {
    uv_loop_t loop;
    weir_runtime *runtime;
    char folder[64];
    char log[1024];
    size_t memory;
} world;

static void keep_log(weir_log_level level, const char *message, void *arg)
{
    world *w = arg;
    size_t length = strlen(w->log);
    snprintf(w->log + length, sizeof(w->log) - length, "%s: %s\n", weir_log_level_name(level), message);
}

static int set_up(void **state)
{
    allocator_install();
    world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->memory = allocator_live();
    contexts_alive = 0;
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->runtime = weir_runtime_new(&w->loop);
    assert_non_null(w->runtime);
    weir_runtime_on_log(w->runtime, keep_log, w);
    for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++) {
        weir_error *error = NULL;
        if (weir_runtime_register_plugin(w->runtime, &plugins[i], &error) != 0)
            fail_msg("%s", error->message);
    }
    strcpy(w->folder, "/tmp/weir-endpoint-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/secret", w->folder);
    unlink(path);
    assert_int_equal(rmdir(w->folder), 0);
    assert_int_equal(contexts_alive, 0);
    assert_int_equal(weir_runtime_free(w->runtime), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    assert_int_equal(allocator_live(), w->memory);
    free(w);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static void write_secret(const world *w, const char *text, size_t length)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/secret", w->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static size_t print_component(char *text, size_t size, const weir__component *component)
{
    char *options = json_dumps(((const seen *)component->context)->options, JSON_SORT_KEYS | JSON_COMPACT);
    assert_non_null(options);
    int length = snprintf(text, size, " %s=%s", component->plugin->name, options);
    free(options);
    return (size_t)length;
}

/* URL, components from the wire inwards with their options, the stream's options; or "ERR_NAME: message". */
static void describe_in(const world *w, const char *text, weir_role role, char *line, size_t size)
{
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    int status = weir_endpoint_parse(w->runtime, text, role, w->folder, &endpoint, &error);
    if (status != 0) {
        assert_null(endpoint);
        assert_non_null(error);
        assert_int_equal(error->code, status);
        snprintf(line, size, "%s: %s", error->name, error->message);
        weir_error_release(error);
        return;
    }
    assert_null(error);
    size_t length = weir_endpoint_format(endpoint, line, size);
    length += print_component(line + length, size - length, &endpoint->transport);
    for (size_t i = 0; i < endpoint->layer_count; i++)
        length += print_component(line + length, size - length, &endpoint->layers[i]);
    if (endpoint->stream_options) {
        char *options = json_dumps(endpoint->stream_options, JSON_SORT_KEYS | JSON_COMPACT);
        snprintf(line + length, size - length, " stream=%s", options);
        free(options);
    }
    weir_endpoint_release(endpoint);
}

typedef struct {
    const char *text, *expected;
} example;

static void check_in(const world *w, const example *examples, size_t count, weir_role role)
{
    char line[4096];
    for (size_t i = 0; i < count; i++) {
        describe_in(w, examples[i].text, role, line, sizeof(line));
        if (strcmp(line, examples[i].expected) != 0)
            fail_msg("%s\n  gives:    %s\n  expected: %s", examples[i].text, line, examples[i].expected);
    }
}

#define CHECK(world, examples) check_in((world), (examples), sizeof(examples) / sizeof((examples)[0]), WEIR_CLIENT)

/* ---- what is understood ---- */

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

/* ---- what is refused ---- */

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

/* ---- secrets ---- */

static void secrets_come_from_text_file_and_environment(void **state)
{
    const world *w = *state;
    static const example examples[] = {
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"phrase\": \"hunter2\"}}]}",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"phrase\":\"hunter2\"}"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"phrase\":\"from file\"}"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"phrase\": {\"env\": \"WEIR_TEST_SECRET\"}}}]}",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"phrase\":\"from env\"}"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"keys\": [{\"id\": \"1\", \"key\": {\"file\": "
         "\"./secret\"}}, {\"key\": {\"env\": \"WEIR_TEST_SECRET\"}}]}}]}",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"keys\":[{\"id\":\"1\",\"key\":\"from file\"},"
         "{\"key\":\"from env\"}]}"},
    };
    write_secret(w, "from file\r\n", 11);
    setenv("WEIR_TEST_SECRET", "from env", 1);
    CHECK(w, examples);
    unsetenv("WEIR_TEST_SECRET");
    /* Only the end of its last line is taken off. */
    char line[1024];
    write_secret(w, " a \n\n", 5);
    describe_in(w, "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}", WEIR_CLIENT, line,
                sizeof(line));
    assert_string_equal(line, "wrap+bare: bare={} wrap={\"phrase\":\" a \\n\"}");
}

static void secret_by_absolute_path(void **state)
{
    const world *w = *state;
    char text[512], line[1024];
    write_secret(w, "x", 1);
    snprintf(text, sizeof(text), "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"%s/secret\"}}}]}",
             w->folder);
    describe_in(w, text, WEIR_CLIENT, line, sizeof(line));
    assert_string_equal(line, "wrap+bare: bare={} wrap={\"phrase\":\"x\"}");
}

static void secret_that_cannot_be_had_is_a_fault(void **state)
{
    static const example examples[] = {
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"nowhere\"}, \"x\": 1}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: the secret's file \"nowhere\" "
         "does "
         "not exist; endpoint:1:66: /layers/0/wrap/x: unknown member \"x\"; known are \"timeout\", "
         "\"noDelay\", \"mood\", \"phrase\", \"words\", \"keys\""},
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \".\"}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: the secret's file \".\" is not a "
         "regular file"},
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"env\": \"WEIR_TEST_UNSET\"}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: the secret's environment "
         "variable "
         "\"WEIR_TEST_UNSET\" is not set"},
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"mood\": {\"env\": \"HOME\"}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:43: /layers/0/wrap/mood: expected a string, found an "
         "object"},
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"fil\": \"x\"}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: expected a string, found an "
         "object"},
    };
    CHECK(*state, examples);
    const world *w = *state;
    static const struct {
        const char *text;
        size_t length;
        const char *why;
    } contents[] = {
        {"", 0, "is empty"}, {"\n", 1, "is empty"}, {"a\0b", 3, "holds a NUL"}, {"\xFF", 1, "is not UTF-8"}};
    char line[1024], expected[1024];
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        write_secret(w, contents[i].text, contents[i].length);
        describe_in(w, "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}", WEIR_CLIENT,
                    line, sizeof(line));
        snprintf(expected, sizeof(expected),
                 "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: the secret's file "
                 "\"secret\" %s",
                 contents[i].why);
        assert_string_equal(line, expected);
    }
    char *large = calloc(1, 65538);
    assert_non_null(large);
    memset(large, 'x', 65537);
    write_secret(w, large, 65537);
    free(large);
    describe_in(w, "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}", WEIR_CLIENT, line,
                sizeof(line));
    assert_non_null(strstr(line, "is larger than 64 KiB"));
}

static void secret_never_stands_in_a_url_or_a_fault(void **state)
{
    const world *w = *state;
    static const char *const texts[] = {
        "wrap+bare:?phrase=hunter2",
        "wrap+bare:?wrap.phrase=hunter2",
        "wrap+bare:?phrasee=hunter2",
        "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": \"hunter2 hunter2 hunter2\"}}]}",
        "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": [\"hunter2\"]}}]}",
        "{\"bare\": {}, \"layers\": [{\"wrap\": {\"keys\": [{\"key\": {\"x\": \"hunter2\"}}]}}]}",
        "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}",
    };
    char line[4096];
    write_secret(w, "hunter2 hunter2 hunter2", 23);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        describe_in(w, texts[i], WEIR_CLIENT, line, sizeof(line));
        assert_memory_equal(line, "ERR_INVALID_CONFIG: ", 20);
        if (strstr(line, "hunter2"))
            fail_msg("%s\n  gives: %s", texts[i], line);
    }
    describe_in(w, texts[0], WEIR_CLIENT, line, sizeof(line));
    assert_string_equal(line,
                        "ERR_INVALID_CONFIG: invalid endpoint: wrap+bare:: the option \"phrase\" is a secret, and "
                        "those may not stand in a URL; write the endpoint as a JSON object, with \"phrase\": "
                        "{\"file\": ...} or {\"env\": ...}");
    /* Nor does an endpoint that holds one print it. */
    weir_endpoint *endpoint = NULL;
    assert_int_equal(weir_endpoint_parse(w->runtime,
                                         "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": \"hunter2\"}}]}",
                                         WEIR_CLIENT, NULL, &endpoint, NULL),
                     0);
    weir_endpoint_format(endpoint, line, sizeof(line));
    assert_string_equal(line, "wrap+bare:");
    weir_endpoint_release(endpoint);
}

/* ---- without memory ---- */

typedef struct {
    const world *w;
    const char *text;
    int expected;
} attempt;

static void parse_once(void *arg)
{
    const attempt *a = arg;
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    int status = weir_endpoint_parse(a->w->runtime, a->text, WEIR_CLIENT, a->w->folder, &endpoint, &error);
    if (status != a->expected) {
        if (allocator_failures() + syscalls_failures() == 0)
            fail_msg("%s: %s", a->text, weir_error_name(status));
        assert_int_equal(status, UV_ENOMEM);
    }
    assert_int_equal(endpoint == NULL, status != 0);
    assert_int_equal(error == NULL, status == 0);
    weir_error_release(error);
    weir_endpoint_release(endpoint);
    assert_int_equal(contexts_alive, 0);
}

static void every_failing_allocation_leaves_nothing_behind(void **state)
{
    const world *w = *state;
    write_secret(w, "s", 1);
    const attempt attempts[] = {
        {w, "wrap+count+net://[fe80::1%25lo]:5433?net.noDelay=true&mood=good&allowHalfOpen=true&tags=a,b", 0},
        {w,
         "{\"net\": {\"port\": 1}, \"layers\": [\"count\", {\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}, "
         "{\"chain\": {\"next\": \"file:a\"}}], \"stream\": {\"timeout\": 1}}",
         0},
        {w, "{\"net\": {\"port\": -1}, \"layers\": [{\"wrap\": {\"mood\": \"fault\"}}, {\"x\": 1}]}",
         WEIR_EINVALID_ENDPOINT},
        {w, "wrap+file:a?timeout=1&moood=x", WEIR_EINVALID_CONFIG},
        {w, "{\"net\": {\"port\": 1}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"nowhere\"}}}]}",
         WEIR_EINVALID_CONFIG},
        {w, "net://h", WEIR_EINVALID_CONFIG},
    };
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        attempt now = attempts[i];
        assert_true(allocator_fail_each(parse_once, &now) > 10);
    }
}

static void every_value_that_cannot_be_made_leaves_nothing_behind(void **state)
{
    static const char *const calls[] = {
        "json_array",           "json_array_append_new", "json_array_set_new",  "json_deep_copy",
        "json_integer",         "json_object",           "json_object_set_new", "json_string",
        "json_stringn_nocheck", "json_stringn",          "json_string_nocheck", "json_loadb",
    };
    const world *w = *state;
    write_secret(w, "s", 1);
    assert_int_equal(setenv("WEIR_TEST_PHRASE", "p", 1), 0);
    const attempt attempts[] = {
        {w, "wrap+count+net://[fe80::1%25lo]:5433?net.noDelay=true&mood=good&allowHalfOpen=true&tags=a,b", 0},
        {w,
         "{\"net\": {\"port\": 1}, \"layers\": [\"count\", {\"wrap\": {\"phrase\": {\"env\": \"WEIR_TEST_PHRASE\"}, "
         "\"words\": [{\"file\": \"secret\"}, \"w\"]}}], \"stream\": {\"timeout\": 1}}",
         0},
        {w, "wrap+file:a?timeout=1&moood=x", WEIR_EINVALID_CONFIG},
        {w, "net://h:1?limit=x&limit=y", WEIR_EINVALID_ENDPOINT},
        {w, "wrap+file:a?timeout=abc", WEIR_EINVALID_CONFIG},
        {w, "wrap+file:a?noDelay=maybe", WEIR_EINVALID_CONFIG},
    };
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        attempt now = attempts[i];
        parse_once(&now);
        for (size_t j = 0; j < sizeof(calls) / sizeof(calls[0]); j++)
            syscalls_fail_each(calls[j], ENOMEM, parse_once, &now);
    }
    unsetenv("WEIR_TEST_PHRASE");
}

static void assert_secret_fault(const world *w, const char *phrase, const char *expected)
{
    char text[200];
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    snprintf(text, sizeof(text), "{\"net\": {\"port\": 1}, \"layers\": [{\"wrap\": {\"phrase\": %s}}]}", phrase);
    int status = weir_endpoint_parse(w->runtime, text, WEIR_CLIENT, w->folder, &endpoint, &error);
    syscalls_restore();
    assert_int_equal(status, expected ? WEIR_EINVALID_CONFIG : 0);
    if (expected && !strstr(error->message, expected))
        fail_msg("%s", error->message);
    weir_error_release(error);
    weir_endpoint_release(endpoint);
}

static void secret_file_that_the_system_does_not_give(void **state)
{
    const world *w = *state;
    write_secret(w, "s", 1);
    syscalls_fail(&(syscall_fault){.call = "open", .error = EMFILE, .path = "secret"});
    assert_secret_fault(w, "{\"file\": \"secret\"}", "cannot be opened");
    syscalls_fail(&(syscall_fault){.call = "open", .error = EACCES, .path = "secret"});
    assert_secret_fault(w, "{\"file\": \"secret\"}", "may not be read: permission denied (EACCES)");
    syscalls_fail_next("fstat", EIO);
    assert_secret_fault(w, "{\"file\": \"secret\"}", "is not a regular file");
    syscalls_fail_next("read", EIO);
    assert_secret_fault(w, "{\"file\": \"secret\"}", "cannot be read");
    syscalls_fail(&(syscall_fault){.call = "read", .error = EINTR, .times = 2});
    assert_secret_fault(w, "{\"file\": \"secret\"}", NULL);
    setenv("WEIR_TEST_PHRASE", "a\xff", 1);
    assert_secret_fault(w, "{\"env\": \"WEIR_TEST_PHRASE\"}", "is not UTF-8");
    unsetenv("WEIR_TEST_PHRASE");
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

/* Where the working folder has no name, relative names stay relative. */
static void working_folder_without_a_name(void **state)
{
    const world *w = *state;
    weir_endpoint *endpoint = NULL;
    syscalls_fail(&(syscall_fault){.call = "getcwd", .error = ENOENT});
    assert_int_equal(weir_endpoint_parse(w->runtime, "file:a", WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    weir_endpoint_release(endpoint);
    assert_int_equal(weir_endpoint_parse(w->runtime, "file:a", WEIR_CLIENT, "b", &endpoint, NULL), 0);
    weir_endpoint_release(endpoint);
    assert_true(syscalls_failures() >= 2);
    syscalls_restore();
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
        TEST(url_faults_say_what_and_what_to_do),
        TEST(missing_plugin_is_named_with_a_suggestion),
        TEST(json_faults_have_their_places),
        TEST(every_component_of_an_endpoint_is_heard),
        TEST(transport_that_only_connects_does_not_listen),
        TEST(too_many_layers_are_refused),
        TEST(wrong_arguments_are_refused),
        TEST(warnings_go_to_the_log),
        TEST(endpoint_inside_of_options_has_its_place),
        TEST(secrets_come_from_text_file_and_environment),
        TEST(secret_by_absolute_path),
        TEST(secret_that_cannot_be_had_is_a_fault),
        TEST(secret_never_stands_in_a_url_or_a_fault),
        TEST(every_failing_allocation_leaves_nothing_behind),
        TEST(every_value_that_cannot_be_made_leaves_nothing_behind),
        TEST(secret_file_that_the_system_does_not_give),
        TEST(endpoint_inside_of_options_that_is_none),
        TEST(working_folder_without_a_name),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
