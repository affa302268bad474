/* SPDX-License-Identifier: MIT */
/*
 * Layers that do not come to be open: the peer ends before, or `handshakeTimeout` runs out. A layer says it in its own
 * words, or the core does; in every case it is one 'clientError' with the address.
 */
#include <stdio.h>
#include <string.h>

#include <weir/layer.h>

#include "fixture.h"

/* ---- a layer that waits for ever; what it does with the news, its options say ---- */

typedef enum manner {
    SILENT,    /* it has no function for it */
    PASSES_ON, /* as layers do that think of nothing */
    SPEAKS
} manner;

typedef struct shy_link {
    weir_link link;
    weir_task closing;
} shy_link;

static void tell_closed(weir_task *task)
{
    weir_up_closed(&((shy_link *)(void *)((char *)task - offsetof(shy_link, closing)))->link);
}

static void shy_open(weir_link *link)
{
    weir_down_read_start(link);
}

static void shy_close(weir_link *link, weir_close_mode mode)
{
    (void)mode;
    weir_runtime_defer(weir_link_runtime(link), &((shy_link *)(void *)link)->closing);
}

static void shy_free(weir_link *link)
{
    weir_free(link);
}

static void swallow(weir_link *link, weir_buf *buf)
{
    (void)link;
    (void)buf;
}

static void pass_on_end(weir_link *link)
{
    weir_up_end(link);
}

static void pass_on_failed(weir_link *link, const weir_error *error)
{
    weir_up_failed(link, error);
}

static void speak(weir_link *link, int code, const char *words)
{
    weir_error *error = weir_error_newf(code, "open", NULL, -1, "shy: %s", words);
    weir_up_failed(link, error);
    weir_error_release(error);
}

static void speak_of_end(weir_link *link)
{
    speak(link, UV_EOF, "it left before I was ready");
}

static void speak_of_failure(weir_link *link, const weir_error *error)
{
    speak(link, error->code, "I was too slow");
}

#define SHY_OPS                                                                                           \
    .size = sizeof(weir_link_ops), .name = "shy", .open = shy_open, .close = shy_close, .free = shy_free, \
    .on_data = swallow

static const weir_link_ops ops[] = {
    [SILENT] = {SHY_OPS},
    [PASSES_ON] = {SHY_OPS, .on_end = pass_on_end, .on_failed = pass_on_failed},
    [SPEAKS] = {SHY_OPS, .on_end = speak_of_end, .on_failed = speak_of_failure},
};

static int configure(weir_configure *configure, void **context)
{
    size_t *at = weir_malloc(sizeof(*at));
    if (at == NULL) {
        return UV_ENOMEM;
    }
    *at = (size_t)json_integer_value(json_object_get(configure->options, "manner"));
    *context = at;
    return 0;
}

static weir_link *create(void *context, weir_runtime *runtime, weir_role role)
{
    const size_t *at = context;
    shy_link *self = weir_calloc(1, sizeof(*self));
    (void)runtime;
    (void)role;
    if (self == NULL) {
        return NULL;
    }
    self->link.ops = &ops[*at];
    self->closing.run = tell_closed;
    return &self->link;
}

static const weir_layer layer = {
    .size = sizeof(weir_layer), .configure = configure, .context_free = weir_free, .create = create};

static const weir_plugin plugin = {
    WEIR_PLUGIN_HEADER,
    .name = "shy",
    .version = "1.0.0",
    .description = "never opens, for tests",
    .schema = "{\"type\":\"object\",\"properties\":{\"manner\":{\"type\":\"integer\"}}}",
    .layer = &layer,
};

/* ---- servers ---- */

typedef struct told {
    int errors;
    int code;
    int connections;
    char message[256];
} told;

static void on_client_error(const weir_event *event, void *arg)
{
    told *self = arg;
    self->errors++;
    self->code = event->error->code;
    snprintf(self->message, sizeof(self->message), "%s", event->error->message);
    assert_non_null(event->address);
    assert_null(event->target_stream);
    /* It can be asked still. */
    weir_value port;
    assert_code(weir_stream_get(event->stream, "remotePort", &port), 0);
    assert_int_equal(port.number, event->address->port);
}

static void on_connection(const weir_event *event, void *arg)
{
    (void)event;
    ((told *)arg)->connections++;
}

/* Two such layers: it is the lower one that speaks, and the upper one that has nothing to say. */
static weir_server *listen_shyly(fixture *f, told *self, manner how, const char *stream)
{
    memset(self, 0, sizeof(*self));
    weir_server *server =
        fixture_listen(f,
                       fixture_text(f,
                                    "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"stream\": {%s},"
                                    " \"layers\": [{\"shy\": {\"manner\": %d}}, {\"shy\": {\"manner\": %d}}]}",
                                    stream, how, SILENT),
                       NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, on_client_error, self), 0);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, on_connection, self), 0);
    return server;
}

static void expect_told(fixture *f, weir_server *server, const told *self, int code, const char *words)
{
    fixture_until(f, &self->errors);
    fixture_turns(f, 10);
    assert_int_equal(self->errors, 1);
    assert_int_equal(self->connections, 0);
    assert_code(self->code, code);
    if (strstr(self->message, words) == NULL) {
        fail_msg("%s", self->message);
    }
    assert_int_equal(weir_server_connections(server), 0);
}

static void end_early(fixture *f, manner how, int code, const char *words)
{
    told all;
    weir_server *server = listen_shyly(f, &all, how, "");
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_write(client, "some", 4);
    recorder_end(client);
    expect_told(f, server, &all, code, words);
    recorder_wait(client, WEIR_EVENT_CLOSE);
}

static void fall_silent(fixture *f, manner how, const char *words)
{
    told all;
    weir_server *server = listen_shyly(f, &all, how, "\"handshakeTimeout\": 20");
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    expect_told(f, server, &all, UV_ETIMEDOUT, words);
    recorder_wait(client, WEIR_EVENT_CLOSE);
}

/* ---- the tests ---- */

static void TLS_05_an_early_end_in_the_layers_own_words(void **state)
{
    end_early(*state, SPEAKS, UV_EOF, "shy: it left before I was ready");
}

static void TLS_05_an_early_end_in_the_words_of_the_core(void **state)
{
    static const char words[] = "shy: the peer ended the connection before the layer was open";
    end_early(*state, SILENT, UV_ECONNRESET, words);
    end_early(*state, PASSES_ON, UV_ECONNRESET, words);
}

static void BN_14_a_handshake_that_takes_too_long_in_the_layers_own_words(void **state)
{
    fall_silent(*state, SPEAKS, "shy: I was too slow");
}

static void BN_14_a_handshake_that_takes_too_long_in_the_words_of_the_core(void **state)
{
    fall_silent(*state, SILENT, "open layers: not open within 20 ms (ETIMEDOUT)");
    fall_silent(*state, PASSES_ON, "open layers: not open within 20 ms (ETIMEDOUT)");
}

static int begin(void **state)
{
    int status = fixture_setup(state);
    fixture *f = *state;
    return status != 0 ? status : weir_runtime_register_plugin(f->runtime, &plugin, NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(TLS_05_an_early_end_in_the_layers_own_words),
        TEST(TLS_05_an_early_end_in_the_words_of_the_core),
        TEST(BN_14_a_handshake_that_takes_too_long_in_the_layers_own_words),
        TEST(BN_14_a_handshake_that_takes_too_long_in_the_words_of_the_core),
    };
    return cmocka_run_group_tests_name("early_end", tests, NULL, NULL);
}
