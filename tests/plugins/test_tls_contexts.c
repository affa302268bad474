/* SPDX-License-Identifier: MIT */
/*
 * Contexts of the layer tls while they are in use: chosen by name and protocol, made and answered for by C programs, and what
 * is known of their connections.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls_contexts.h"

/* ---- which context ---- */

#define IDENTITY(name)                                                                                              \
    "\"cert\": \"-----BEGIN FAKE CERTIFICATE-----\\nsubject=" name "\\nissuer=ca\\nname=a.example\\nname=b.example" \
    "\\nname=c.b.example\\nname=x.example\\nname=d.c.b.example\\n\", \"key\": \"-----BEGIN FAKE "                   \
    "KEY-----\\nsubject=" name "\\n\""

static void TLS_10_an_exact_name_before_a_wildcard_before_the_default(void **state)
{
    static const char *const expected[][2] = {
        {ASKS("a.example"), "exact"}, {ASKS("A.Example."), "exact"}, {ASKS("c.b.example"), "inner"},
        {ASKS("b.example"), "wild"},  {ASKS("x.example"), "wild"},   {ASKS("d.c.b.example"), "default"},
    };
    fixture *f = *state;
    weir_server *server = polite_server(
        f, IDENTITY("default") ", \"SNI\": {\"*.example\": {" IDENTITY("wild") "}, \"A.example\": {" IDENTITY(
               "exact") "}, \"*.b.example\": {" IDENTITY("inner") "}}");
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_string_equal(ask(f, server, expected[i][0], "tls.peer.subject"), expected[i][1]);
    assert_string_equal(ask(f, server, TRUSTS ", \"rejectUnauthorized\": false", "tls.peer.subject"), "default");
}

static void TLS_10_the_whole_context_changes_with_the_name(void **state)
{
    fixture *f = *state;
    weir_server *server =
        polite_server(f, IDENTITY("default") ", \"ALPNProtocols\": [\"h2\"], \"SNI\": {"
                                             "\"a.example\": {\"ALPNProtocols\": [\"x\"], \"maxVersion\": \"TLSv1.2\"},"
                                             "\"b.example\": {\"requestCert\": true, \"ca\": \"" FAKE_CA "\"}}");
    assert_string_equal(ask(f, server, ASKS("x.example") ", \"ALPNProtocols\": [\"x\", \"h2\"]", "tls.alpn"), "h2");
    assert_string_equal(ask(f, server, ASKS("a.example") ", \"ALPNProtocols\": [\"x\", \"h2\"]", "tls.alpn"), "x");
    assert_string_equal(ask(f, server, ASKS("a.example"), "tls.version"), "TLSv1.2");
    assert_string_equal(ask(f, server, ASKS("x.example"), "tls.version"), "TLSv1.3");
    /* what is not said under a name is as around it */
    assert_string_equal(ask(f, server, ASKS("b.example") ", " SERVES ", \"ALPNProtocols\": [\"h2\"]", "tls.alpn"),
                        "h2");
    recorder *refused = tls_client(f, server, ASKS("b.example"));
    recorder_wait(refused, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(refused, "error:EPROTO"));
}

static void TLS_11_the_servers_order_decides_and_both_sides_can_read_it(void **state)
{
    fixture *f = *state;
    pair p = tls_pair(f, SERVES ", \"ALPNProtocols\": [\"h2\", \"http/1.1\"]",
                      TRUSTS ", \"servername\": \"localhost\", \"ALPNProtocols\": [\"x\", \"http/1.1\", \"h2\"]");
    assert_string_equal(fact_of(f, p.client, "tls.alpn"), "h2");
    assert_string_equal(fact_of(f, p.accepted, "tls.alpn"), "h2");
    assert_string_equal(fact_of(f, p.accepted, "tls.servername"), "localhost");
    assert_string_equal(fact_of(f, p.client, "tls.servername"), "localhost");
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

static void note_message(const weir_event *event, void *arg)
{
    snprintf(arg, 256, "%s", event->error->message);
}

static void TLS_11_no_overlap_is_a_fatal_alert(void **state)
{
    static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 120};
    fixture *f = *state;
    char message[256] = "";
    weir_server *server = tls_server(f, SERVES ", \"ALPNProtocols\": [\"h2\"]");
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, note_message, message), 0);
    recorder *raw = fixture_client(f, fixture_url(f, server), NULL);
    raw_hello(raw, NULL, "http/1.1");
    recorder_wait(raw, WEIR_EVENT_CLOSE);
    recorder_expect_data(raw, alert, sizeof(alert));
    assert_non_null(strstr(message, "ALPN"));
    /* and a client says which alert it was */
    recorder *client = tls_client(f, server, TRUSTS ", \"ALPNProtocols\": [\"http/1.1\"]");
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_non_null(strstr(weir_stream_errored(client->stream)->message, "alert 120"));
}

static void TLS_11_where_one_side_has_no_protocols_there_is_none(void **state)
{
    fixture *f = *state;
    weir_server *server = polite_server(f, SERVES ", \"ALPNProtocols\": [\"h2\"]");
    weir_server *silent = polite_server(f, SERVES);
    assert_string_equal(ask(f, server, TRUSTS, "tls.alpn"), "-");
    assert_string_equal(ask(f, silent, TRUSTS ", \"ALPNProtocols\": [\"h2\"]", "tls.alpn"), "-");
}

/* ---- verification, as far as the layer decides it ---- */

static void TLS_07_a_client_verifies_unless_told_otherwise(void **state)
{
    fixture *f = *state;
    weir_server *server = polite_server(f, SERVES);
    recorder *client = tls_client(f, server, "\"ca\": \"" OTHER_CERT "\"");
    recorder_write(client, "secret", 6);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    const char *message = weir_stream_errored(client->stream)->message;
    assert_non_null(strstr(message, "tls-fake: UNABLE_TO_VERIFY_LEAF_SIGNATURE: "));
    const char *careless = "\"ca\": \"" OTHER_CERT "\", \"rejectUnauthorized\": false";
    assert_string_equal(ask(f, server, careless, "tls.authorized"), "false");
    assert_string_equal(ask(f, server, careless, "tls.authorizationError"), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    assert_string_equal(ask(f, server, TRUSTS, "tls.authorized"), "true");
    assert_string_equal(ask(f, server, TRUSTS, "tls.authorizationError"), "-");
}

static void TLS_08_without_a_host_there_must_be_a_servername(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "nameless", 65536, SERVES), NULL);
    recorder *client = fixture_client(f, tls_mem_endpoint(f, "nameless", 65536, TRUSTS), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_non_null(strstr(weir_stream_errored(client->stream)->message, "servername"));
    pair p = fixture_connect(f, server, tls_mem_endpoint(f, "nameless", 65536, ASKS("localhost")), NULL);
    assert_string_equal(fact_of(f, p.client, "tls.authorized"), "true");
    recorder_destroy(p.client, NULL);
}

static void TLS_08_an_address_is_one_with_a_last_dot_too(void **state)
{
    static const char *const asked[][2] = {{"127.0.0.1", "127.0.0.1"},
                                           {"127.0.0.1.", "127.0.0.1"},
                                           {"::1", "::1"},
                                           {"FE80::1%lo", "fe80::1"},
                                           {"Example.ORG.", NULL}};
    fixture *f = *state;
    weir_server *server = tls_server(f, SERVES);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        recorder *client = tls_client(
            f, server, fixture_text(f, TRUSTS ", \"rejectUnauthorized\": false, \"servername\": \"%s\"", asked[i][0]));
        recorder *accepted = fixture_accepted(f, server, i);
        recorder_wait(client, WEIR_EVENT_READY);
        assert_string_equal(fact_of(f, client, "tls.servername"), asked[i][1] ? asked[i][1] : "example.org");
        assert_string_equal(fact_of(f, accepted, "tls.servername"), asked[i][1] ? "-" : "example.org");
        recorder_destroy(client, NULL);
    }
}

/* ---- for C programs ---- */

typedef struct choosing {
    weir_tls_context *other;
    char name[64];
    char alpn[64];
    weir_stream *destroy;
} choosing;

static weir_tls_context *choose(const weir_tls_hello *hello, void *arg)
{
    choosing *self = arg;
    snprintf(self->name, sizeof(self->name), "%s", hello->server_name ? hello->server_name : "-");
    self->alpn[0] = '\0';
    for (size_t i = 0; i < hello->alpn_count; i++) {
        strcat(self->alpn, hello->alpn[i]);
        strcat(self->alpn, " ");
    }
    return hello->server_name && strcmp(hello->server_name, "localhost") == 0 ? self->other : NULL;
}

static void contexts_have_names_and_owners(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    weir_tls_context *none = NULL;
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *one = make_context(f, tls, &options);
    weir_tls_context *other = make_context(f, tls, &options);
    assert_code(tls->context_register(one, "front"), 0);
    assert_code(tls->context_register(one, "front"), 0);
    assert_code(tls->context_register(other, "front"), UV_EEXIST);
    assert_code(tls->context_register(other, ""), UV_EINVAL);
    assert_code(tls->context_register(one, "back"), 0);
    assert_code(tls->context_register(other, "front"), 0);
    assert_code(tls->context_register(other, NULL), 0);
    assert_ptr_equal(tls->context_retain(one), one);
    tls->context_release(one);
    tls->context_release(other);
    weir_server *server = polite_server(f, "\"context\": \"back\"");
    tls->context_release(one); /* the server has it still */
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    options.options = "{\"context\": \"back\"}"; /* not in silence that one, without the callbacks given here */
    options.server_name = choose;
    assert_code(tls->context_new(f->runtime, &options, &none, &error), UV_EINVAL);
    assert_string_equal(error->message, "tls-fake: a new context cannot be one that is registered (\"context\")");
    weir_error_release(error);
    assert_code(tls->context_new(f->runtime, &options, &none, NULL), UV_EINVAL);
    assert_null(none);
    options.server_name = NULL;
    options.options = "[]";
    assert_code(tls->context_new(f->runtime, &options, &none, &error), WEIR_EINVALID_CONFIG);
    weir_error_release(error);
    options.options = "{";
    assert_code(tls->context_new(f->runtime, &options, &none, NULL), WEIR_EINVALID_CONFIG);
    options.size = 1;
    assert_code(tls->context_new(f->runtime, &options, &none, NULL), UV_EINVAL);
    assert_code(tls->context_reload(NULL, NULL, NULL), UV_EINVAL);
    tls->context_release(NULL);
}

static void a_named_context_stands_alone_and_has_its_role(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    const weir_tls_options options = options_of(WEIR_CLIENT, "{" TRUSTS "}");
    weir_tls_context *context = make_context(f, tls, &options);
    assert_code(tls->context_register(context, "mine"), 0);
    const char *text = tls_endpoint(f, NULL, "\"context\": \"mine\"");
    assert_code(weir_endpoint_parse(f->runtime, text, WEIR_SERVER, NULL, &endpoint, &error), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "is for connecting"));
    weir_error_release(error);
    text = tls_endpoint(f, NULL, "\"context\": \"mine\", \"ca\": \"" FAKE_CA "\"");
    assert_code(weir_endpoint_parse(f->runtime, text, WEIR_SERVER, NULL, &endpoint, &error), WEIR_EINVALID_CONFIG);
    weir_error_release(error);
    weir_server *server = polite_server(f, SERVES);
    assert_string_equal(ask(f, server, "\"context\": \"mine\"", "tls.authorized"), "true");
    tls->context_release(context);
}

/* What would be passed over in silence, client certificates that are asked for say, is refused. */
static void nothing_stands_beside_a_named_context(void **state)
{
    static const char *const beside[] = {"\"requestCert\": true",
                                         "\"rejectUnauthorized\": false",
                                         "\"pinSha256\": \"n5dWZ5SNxKHBbJyLFYqgv9jpNQ6YIBt0ecrF9dcmQjA=\"",
                                         "\"minVersion\": \"TLSv1.3\"",
                                         "\"maxVersion\": \"TLSv1.2\"",
                                         "\"tickets\": false",
                                         "\"ticketLifetime\": \"1h\"",
                                         "\"sessionTimeout\": 0",
                                         "\"watch\": true",
                                         "\"keylog\": \"keys.log\"",
                                         "\"allowTruncation\": true",
                                         "\"servername\": \"x\""};
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    weir_endpoint *endpoint = NULL;
    const weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    assert_code(tls->context_register(context, "mine"), 0);
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        const char *text = tls_endpoint(f, NULL, fixture_text(f, "\"context\": \"mine\", %s", beside[i]));
        int status = weir_endpoint_parse(f->runtime, text, WEIR_SERVER, NULL, &endpoint, &error);
        if (status != WEIR_EINVALID_CONFIG)
            fail_msg("%s stands beside a context", beside[i]);
        assert_non_null(strstr(error->message, fixture_text(f, "%.8s", beside[i])));
        weir_error_release(error);
    }
    tls->context_release(context);
}

static void TLS_10_a_callback_chooses_the_context(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    choosing chosen = {0};
    weir_tls_options options = options_of(WEIR_SERVER, "{\"cert\": \"" OTHER_CERT "\", \"key\": \"" OTHER_KEY "\"}");
    chosen.other = make_context(f, tls, &options);
    options.options = "{" SERVES "}";
    options.server_name = choose;
    options.arg = &chosen;
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    assert_string_equal(ask(f, server, ASKS("localhost") ", \"ALPNProtocols\": [\"h2\", \"x\"]", "tls.peer.subject"),
                        "other");
    assert_string_equal(chosen.name, "localhost");
    assert_string_equal(chosen.alpn, "h2 x ");
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    assert_string_equal(chosen.name, "-");
    tls->context_release(chosen.other);
    tls->context_release(context);
}

static void expect_counted(const weir_tls *tls, const weir_tls_context *context, uint64_t full, uint64_t resumed,
                           uint64_t failed)
{
    weir_tls_counters counters = {.size = sizeof(counters)};
    tls->context_counters(context, &counters);
    assert_int_equal(counters.handshakes_full, full);
    assert_int_equal(counters.handshakes_resumed, resumed);
    assert_int_equal(counters.handshakes_failed, failed);
}

static void TLS_10_TLS_12_the_context_that_serves_counts(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    choosing chosen = {0};
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    chosen.other = make_context(f, tls, &options);
    options.server_name = choose;
    options.arg = &chosen;
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    ask(f, server, ASKS("localhost"), "tls.resumed");
    ask(f, server, ASKS("localhost"), "tls.resumed");
    expect_counted(tls, chosen.other, 1, 1, 0);
    expect_counted(tls, context, 0, 0, 0);
    ask(f, server, TRUSTS, "tls.resumed");
    recorder *stranger = tls_client(f, server, "\"ca\": \"" OTHER_CERT "\", \"servername\": \"localhost\"");
    recorder_wait(stranger, WEIR_EVENT_CLOSE);
    fixture_turns(f, TURNS);
    expect_counted(tls, chosen.other, 1, 1, 1);
    expect_counted(tls, context, 1, 0, 0);
    /* one that is gone before anything could be chosen */
    recorder *silent = fixture_client(f, fixture_url(f, server), NULL);
    recorder_end(silent);
    recorder_wait(silent, WEIR_EVENT_CLOSE);
    fixture_turns(f, TURNS);
    expect_counted(tls, context, 1, 0, 1);
    tls->context_release(chosen.other);
    tls->context_release(context);
}

/* ---- facts ---- */

static void TLS_16_facts_of_a_connection(void **state)
{
    static const char *const names[] = {"tls.version", "tls.cipher",       "tls.resumed", "tls.authorized",
                                        "tls.engine",  "tls.peer.subject", "tls.alpn",    "tls.nonsense"};
    static const char *const client[] = {"TLSv1.3", "TLS_FAKE_WITH_NULL", "false", "true", "fake", "server", "-", "-"};
    static const char *const accepted[] = {"TLSv1.3", "TLS_FAKE_WITH_NULL", "false", "false", "fake", "-", "-", "-"};
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    const void *der = NULL;
    size_t size = 0;
    pair p = tls_pair(f, SERVES, TRUSTS);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_string_equal(fact_of(f, p.client, names[i]), client[i]);
        assert_string_equal(fact_of(f, p.accepted, names[i]), accepted[i]);
    }
    assert_non_null(strstr(fact_of(f, p.client, "tls.peer.pem"), "BEGIN FAKE CERTIFICATE"));
    assert_string_equal(fact_of(f, p.client, "remotePort"), fact_of(f, p.accepted, "localPort")); /* of below, too */
    assert_string_equal(fact_of(f, p.client, "host"), "127.0.0.1");
    assert_code(tls->stream_peer(p.client->stream, &der, &size), 0);
    assert_true(size > 0 && der);
    assert_code(tls->stream_peer(p.accepted->stream, &der, &size), UV_ENOENT);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

static void TLS_16_exported_keys_are_the_same_on_both_sides(void **state)
{
    unsigned char one[32], other[32], different[32];
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    pair p = tls_pair(f, SERVES, TRUSTS);
    assert_code(tls->stream_export(p.client->stream, "label", "context", 7, one, 32), 0);
    assert_code(tls->stream_export(p.accepted->stream, "label", "context", 7, other, 32), 0);
    assert_code(tls->stream_export(p.accepted->stream, "label", NULL, 0, different, 32), 0);
    assert_memory_equal(one, other, 32);
    assert_memory_not_equal(one, different, 32);
    assert_code(tls->stream_export(p.client->stream, NULL, NULL, 0, one, 32), UV_EINVAL);
    assert_code(tls->stream_export(p.client->stream, "label", NULL, 5, one, 32), UV_EINVAL);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

static void streams_without_the_layer_have_nothing_of_it(void **state)
{
    unsigned char out[8];
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    const void *der = NULL;
    void *session = NULL;
    size_t size = 0;
    pair p = fixture_connect(f, fixture_listen(f, "tcp://127.0.0.1:0", NULL), NULL, NULL);
    assert_null(tls->stream_context(p.client->stream));
    assert_null(tls->stream_context(NULL));
    assert_code(tls->stream_peer(p.client->stream, &der, &size), UV_ENOTCONN);
    assert_code(tls->stream_session(p.client->stream, &session, &size), UV_ENOTCONN);
    assert_code(tls->stream_set_session(p.client->stream, "x", 1), UV_ENOTCONN);
    assert_code(tls->stream_export(p.client->stream, "label", NULL, 0, out, 8), UV_ENOTCONN);
    recorder_destroy(p.client, NULL);
}

/* ---- the key log ---- */

static void TLS_16_key_logs_come_by_option_only(void **state)
{
    fixture *f = *state;
    char line[256] = "";
    const char *path = fixture_path(f, "keys.log");
    weir_server *server = polite_server(f, SERVES);
    recorder *silent = tls_client(f, server, TRUSTS);
    recorder *events = tls_client(f, server, TRUSTS ", \"keylog\": true");
    recorder *both = tls_client(f, server, fixture_text(f, TRUSTS ", \"keylog\": \"%s\"", path));
    recorder_wait(silent, WEIR_EVENT_READY);
    recorder_wait(events, WEIR_EVENT_READY);
    recorder_wait(both, WEIR_EVENT_READY);
    assert_false(recorder_saw(silent, "layer:tls-fake.keylog"));
    assert_true(recorder_saw(events, "layer:tls-fake.keylog") && recorder_saw(both, "layer:tls-fake.keylog"));
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600); /* whoever reads it reads the connection */
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    assert_int_equal(strncmp(line, "CLIENT_RANDOM ", 14), 0);
    assert_null(fgets(line, sizeof(line), file));
    fclose(file);
    recorder_destroy(silent, NULL);
    recorder_destroy(events, NULL);
    recorder_destroy(both, NULL);
}

static int count_lines(fixture *f, const char *words)
{
    int count = 0;
    for (const char *at = fixture_log(f); (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

static void TLS_16_a_key_log_that_fails_later_is_told_once_and_ends_nothing(void **state)
{
    static const char words[] = "warning: tls-fake: the key log ";
    fixture *f = *state;
    const char *folder = fixture_path(f, "logs"), *path = fixture_path(f, "logs/keys.log");
    assert_int_equal(mkdir(folder, 0700), 0);
    weir_server *server = polite_server(f, fixture_text(f, SERVES ", \"keylog\": \"%s\"", path));
    ask(f, server, TRUSTS, "tls.version");
    assert_string_equal(fixture_log(f), "");
    for (int times = 1; times <= 2; times++) {
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(folder), 0);
        ask(f, server, TRUSTS, "tls.version");
        ask(f, server, TRUSTS, "tls.version");
        assert_int_equal(count_lines(f, words), times);
        assert_non_null(strstr(fixture_log(f), "logs/keys.log cannot be written: no such file or directory (ENOENT)"));
        assert_int_equal(mkdir(folder, 0700), 0);
        ask(f, server, TRUSTS, "tls.version");
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(count_lines(f, words), times);
    }
}

/* ---- memory ---- */

static void use_without_memory(void *arg)
{
    uv_loop_t loop;
    const weir_plugin *plugin = NULL;
    weir_tls_context *context = NULL;
    weir_error *error = NULL;
    (void)arg;
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *runtime = fixture_new_runtime(&loop);
    if (runtime)
        weir_runtime_on_log(runtime, quiet, NULL);
    if (runtime && weir_runtime_load_plugin(runtime, "tls-fake", &plugin, NULL) == 0) {
        const weir_tls *tls = weir_tls_of(plugin);
        weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
        int status = tls->context_new(runtime, &options, &context, &error);
        weir_error_release(error);
        error = NULL;
        if (status == 0) {
            status = tls->context_register(context, "name");
            int reloaded = tls->context_reload(context, &options, &error);
            assert_true((reloaded == 0) == (error == NULL));
            weir_error_release(error);
            tls->context_release(context);
        }
        if (!allocator_failures())
            assert_code(status, 0);
    }
    weir_runtime_free(runtime);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void any_allocation_of_the_interface_may_fail(void **state)
{
    (void)state;
    assert_true(allocator_fail_each(use_without_memory, NULL) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_10_an_exact_name_before_a_wildcard_before_the_default),
        FIXTURE_TEST(TLS_10_the_whole_context_changes_with_the_name),
        FIXTURE_TEST(TLS_11_the_servers_order_decides_and_both_sides_can_read_it),
        FIXTURE_TEST(TLS_11_no_overlap_is_a_fatal_alert),
        FIXTURE_TEST(TLS_11_where_one_side_has_no_protocols_there_is_none),
        FIXTURE_TEST(TLS_07_a_client_verifies_unless_told_otherwise),
        FIXTURE_TEST(TLS_08_without_a_host_there_must_be_a_servername),
        FIXTURE_TEST(TLS_08_an_address_is_one_with_a_last_dot_too),
        FIXTURE_TEST(contexts_have_names_and_owners),
        FIXTURE_TEST(a_named_context_stands_alone_and_has_its_role),
        FIXTURE_TEST(nothing_stands_beside_a_named_context),
        FIXTURE_TEST(TLS_10_a_callback_chooses_the_context),
        FIXTURE_TEST(TLS_10_TLS_12_the_context_that_serves_counts),
        FIXTURE_TEST(TLS_16_facts_of_a_connection),
        FIXTURE_TEST(TLS_16_exported_keys_are_the_same_on_both_sides),
        FIXTURE_TEST(streams_without_the_layer_have_nothing_of_it),
        FIXTURE_TEST(TLS_16_key_logs_come_by_option_only),
        FIXTURE_TEST(TLS_16_a_key_log_that_fails_later_is_told_once_and_ends_nothing),
        FIXTURE_TEST(any_allocation_of_the_interface_may_fail),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_contexts", tests, NULL, NULL);
}
