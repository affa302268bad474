/* SPDX-License-Identifier: MIT */
/* Plugins that keep what they were given, and what they were given as text. */
#define _GNU_SOURCE

#include "endpoint_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/endpoint_private.h"
#include "support/allocator.h"

/* ---- plugins that remember ---- */

int contexts_alive;

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

static void keep_log(weir_log_level level, const char *message, void *arg)
{
    world *w = arg;
    size_t length = strlen(w->log);
    snprintf(w->log + length, sizeof(w->log) - length, "%s: %s\n", weir_log_level_name(level), message);
}

int endpoint_setup(void **state)
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

int endpoint_teardown(void **state)
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

void write_secret(const world *w, const char *text, size_t length)
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

void describe_in(const world *w, const char *text, weir_role role, char *line, size_t size)
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

void check_in(const world *w, const example *examples, size_t count, weir_role role)
{
    char line[4096];
    for (size_t i = 0; i < count; i++) {
        describe_in(w, examples[i].text, role, line, sizeof(line));
        if (strcmp(line, examples[i].expected) != 0)
            fail_msg("%s\n  gives:    %s\n  expected: %s", examples[i].text, line, examples[i].expected);
    }
}
