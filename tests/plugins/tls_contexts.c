/* SPDX-License-Identifier: MIT */
/* Contexts of tls-fake by the interface, and connections that tell of them. */
#include "tls_contexts.h"

const weir_tls *interface_of(fixture *f)
{
    const weir_plugin *plugin = NULL;
    assert_code(weir_runtime_load_plugin(f->runtime, "tls-fake", &plugin, NULL), 0);
    const weir_tls *tls = weir_tls_of(plugin);
    assert_non_null(tls);
    assert_int_equal(tls->size, sizeof(weir_tls));
    assert_null(plugin->interface("tls", WEIR_TLS_VERSION + 1));
    return tls;
}

weir_tls_context *make_context(fixture *f, const weir_tls *tls, const weir_tls_options *options)
{
    weir_tls_context *context = NULL;
    weir_error *error = NULL;
    if (tls->context_new(f->runtime, options, &context, &error) != 0)
        fail_msg("%s", error->message);
    return context;
}

weir_tls_options options_of(weir_role role, const char *options)
{
    weir_tls_options made = {.size = sizeof(made), .role = role, .options = options};
    return made;
}

static void end_with_client(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_end(event->target_stream, NULL, NULL);
}

static void answer_end(const weir_event *event, void *arg)
{
    (void)arg;
    assert_code(weir_stream_on(event->stream, WEIR_EVENT_END, end_with_client, NULL), 0);
}

weir_server *polite_server(fixture *f, const char *options)
{
    weir_server *server = tls_server(f, options);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, answer_end, NULL), 0);
    return server;
}

weir_server *named_server(fixture *f, const weir_tls *tls, weir_tls_context *context)
{
    assert_code(tls->context_register(context, "front"), 0);
    return polite_server(f, "\"context\": \"front\"");
}

const char *ask(fixture *f, weir_server *server, const char *options, const char *fact)
{
    recorder *client = tls_client(f, server, options);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_write(client, "?", 1);
    const char *answer = fact_of(f, client, fact);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    return answer;
}

void quiet(weir_log_level level, const char *message, void *arg)
{
    (void)level;
    (void)message;
    (void)arg;
}
