/* SPDX-License-Identifier: MIT */
/*
 * Contexts of the layer tls while they are in use: chosen by name and protocol, resumed, reloaded, watched, made and
 * answered for by C programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls_world.h"

#include "plugins/tls/include/weir/tls.h"

#define TURNS 40

static const weir_tls *interface_of(fixture *f)
{
    const weir_plugin *plugin = NULL;
    assert_code(weir_runtime_load_plugin(f->runtime, "tls-fake", &plugin, NULL), 0);
    const weir_tls *tls = weir_tls_of(plugin);
    assert_non_null(tls);
    assert_int_equal(tls->size, sizeof(weir_tls));
    assert_null(plugin->interface("tls", WEIR_TLS_VERSION + 1));
    return tls;
}

static void write_file(fixture *f, const char *name, const char *text)
{
    FILE *file = fopen(fixture_path(f, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* A certificate and its key in two files. */
static void write_pair_in(fixture *f, const char *folder, const char *subject)
{
    write_file(
        f, fixture_text(f, "%scert.pem", folder),
        fixture_text(f, "-----BEGIN FAKE CERTIFICATE-----\nsubject=%s\nissuer=ca\naddress=127.0.0.1\n", subject));
    write_file(f, fixture_text(f, "%skey.pem", folder),
               fixture_text(f, "-----BEGIN FAKE KEY-----\nsubject=%s\n", subject));
}

static void write_pair(fixture *f, const char *subject)
{
    write_pair_in(f, "", subject);
}

#define FILES_IN(f, in) \
    fixture_text(f, "\"cert\": \"%s/%scert.pem\", \"key\": \"%s/%skey.pem\"", (f)->folder, in, (f)->folder, in)
#define FILES(f) FILES_IN(f, "")

static void quiet(weir_log_level level, const char *message, void *arg)
{
    (void)level;
    (void)message;
    (void)arg;
}

/* A connection that is closed again: the fact that the client knew of it. */
static const char *ask(fixture *f, weir_server *server, const char *options, const char *fact)
{
    recorder *client = tls_client(f, server, options);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_write(client, "?", 1);
    const char *answer = fact_of(f, client, fact);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    return answer;
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

/* Ends every connection when its client does. */
static weir_server *polite_server(fixture *f, const char *options)
{
    weir_server *server = tls_server(f, options);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, answer_end, NULL), 0);
    return server;
}

#define PSK "\"pskIdentity\": \"me\", \"psk\": \"00112233445566778899aabbccddeeff\""

static weir_tls_context *make_context(fixture *f, const weir_tls *tls, const weir_tls_options *options)
{
    weir_tls_context *context = NULL;
    weir_error *error = NULL;
    if (tls->context_new(f->runtime, options, &context, &error) != 0)
        fail_msg("%s", error->message);
    return context;
}

static weir_tls_options options_of(weir_role role, const char *options)
{
    weir_tls_options made = {.size = sizeof(made), .role = role, .options = options};
    return made;
}

/* ---- which context ---- */

#define IDENTITY(name)                                                                                              \
    "\"cert\": \"-----BEGIN FAKE CERTIFICATE-----\\nsubject=" name "\\nissuer=ca\\nname=a.example\\nname=b.example" \
    "\\nname=c.b.example\\nname=x.example\\nname=d.c.b.example\\n\", \"key\": \"-----BEGIN FAKE "                   \
    "KEY-----\\nsubject=" name "\\n\""

#define ASKS(name) TRUSTS ", \"servername\": \"" name "\""

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

/* ---- resumption ---- */

static void TLS_12_the_second_connection_is_resumed(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_server *server = polite_server(f, SERVES);
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "false");
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "true");
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    recorder *client = tls_client(f, server, TRUSTS);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder *accepted = fixture_accepted(f, server, 3);
    assert_string_equal(fact_of(f, accepted, "tls.resumed"), "true");
    weir_tls_counters counters = {.size = sizeof(counters)};
    tls->context_counters(tls->stream_context(accepted->stream), &counters);
    assert_int_equal(counters.handshakes_full, 1);
    assert_int_equal(counters.handshakes_resumed, 3);
    assert_int_equal(counters.handshakes_failed, 0);
    recorder_destroy(client, NULL);
}

static void TLS_12_other_settings_do_not_share_sessions(void **state)
{
    fixture *f = *state;
    weir_server *server = polite_server(f, SERVES);
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "false");
    assert_string_equal(ask(f, server, TRUSTS ", \"ALPNProtocols\": [\"h2\"]", "tls.resumed"), "false");
    assert_string_equal(ask(f, server, TRUSTS ", \"servername\": \"localhost\"", "tls.resumed"), "false");
    assert_string_equal(ask(f, server, "\"ca\": [\"" FAKE_CA "\", \"" FAKE_CERT "\"]", "tls.resumed"), "false");
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.resumed"), "false");
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "true");
}

static void TLS_12_without_tickets_nothing_is_resumed(void **state)
{
    fixture *f = *state;
    weir_server *server = polite_server(f, SERVES ", \"tickets\": false");
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "false");
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "false");
}

/* A session of one server, by the interface. */
static void *take_session(fixture *f, const weir_tls *tls, weir_server *server, const char *options, size_t *size)
{
    void *session = NULL;
    recorder *client = tls_client(f, server, options);
    recorder_wait(client, WEIR_EVENT_READY);
    while (!recorder_saw(client, "layer:tls-fake.session")) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    assert_code(tls->stream_session(client->stream, &session, size), 0);
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    return session;
}

static const char *ask_with(fixture *f, const weir_tls *tls, weir_server *server, const char *options,
                            const void *session, size_t size)
{
    recorder *client = tls_client(f, server, options);
    assert_code(tls->stream_set_session(client->stream, session, size), 0);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_code(tls->stream_set_session(client->stream, session, size), UV_EALREADY);
    const char *answer = fact_of(f, client, "tls.resumed");
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    return answer;
}

static void TLS_12_an_application_keeps_sessions_itself(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    size_t size = 0;
    weir_server *server = polite_server(f, SERVES);
    void *session = take_session(f, tls, server, TRUSTS, &size);
    assert_string_equal(ask_with(f, tls, server, TRUSTS ", \"tickets\": false", session, size), "true");
    assert_string_equal(ask_with(f, tls, server, TRUSTS, NULL, 0), "false"); /* not by what the layer has, either */
    ((char *)session)[20] ^= 1;
    assert_string_equal(ask_with(f, tls, server, TRUSTS, session, size), "false");
    weir_free(session);
}

/* A server that ends the connection over a session it cannot use is not asked by it again. */
static const char *resumed_on(fixture *f, weir_server *server, const char *name)
{
    pair p = fixture_connect(f, server, tls_mem_endpoint(f, name, 65536, ASKS("localhost")), NULL);
    const char *answer = fact_of(f, p.client, "tls.resumed");
    fixture_turns(f, TURNS);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    return answer;
}

static void TLS_12_a_session_is_given_up_with_the_handshake_it_failed_in(void **state)
{
    fixture *f = *state;
    size_t at = 0;
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "polite", 65536, SERVES), NULL);
    weir_server *rude = fixture_listen(f, plain_mem_endpoint(f, "rude", 65536), NULL);
    assert_string_equal(resumed_on(f, server, "polite"), "false");
    assert_string_equal(resumed_on(f, server, "polite"), "true");
    recorder *client = fixture_client(f, tls_mem_endpoint(f, "rude", 65536, ASKS("localhost")), NULL);
    recorder *accepted = fixture_accepted(f, rude, 0);
    while (raw_record(accepted, &at, NULL, NULL) == 0)
        recorder_wait_data(accepted, accepted->data_size + 1);
    recorder_end(accepted);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_string_equal(resumed_on(f, server, "polite"), "false");
}

/* What is not the layer's is told as it is, and is no handshake. */
static void a_connection_that_was_never_made_is_no_handshake(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_counters counters = {.size = sizeof(counters)};
    const weir_tls_options options = options_of(WEIR_CLIENT, "{" TRUSTS "}");
    weir_tls_context *context = make_context(f, tls, &options);
    assert_code(tls->context_register(context, "mine"), 0);
    recorder *client = fixture_client(f, tls_mem_endpoint(f, "nobody", 65536, "\"context\": \"mine\""), NULL);
    recorder *bare = fixture_client(f, plain_mem_endpoint(f, "nobody", 65536), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_wait(bare, WEIR_EVENT_CLOSE);
    assert_string_equal(weir_stream_errored(client->stream)->message, weir_stream_errored(bare->stream)->message);
    tls->context_counters(context, &counters);
    assert_int_equal(counters.handshakes_failed, 0);
    tls->context_release(context);
}

/* The trap: a ticket of a context without client authentication is good for nothing where it is required. */
static void TLS_12_tickets_are_bound_to_the_settings_of_client_authentication(void **state)
{
    static const char *const others[] = {
        ", \"requestCert\": true, \"rejectUnauthorized\": false",
        ", \"requestCert\": true, \"rejectUnauthorized\": false, \"ca\": \"" FAKE_CA "\"",
        ", \"ca\": \"" FAKE_CA "\"",
        ", \"crl\": \"" OTHER_CERT "\"",
        (", \"requestCert\": true, \"rejectUnauthorized\": false, "
         "\"pinSha256\": \"n5dWZ5SNxKHBbJyLFYqgv9jpNQ6YIBt0ecrF9dcmQjA=\""),
        ", \"pskIdentity\": \"\u00fc\", \"psk\": \"00112233445566778899aabbccddeeff\"",
    };
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    size_t size = 0;
    weir_server *server = polite_server(f, SERVES);
    void *session = take_session(f, tls, server, TRUSTS, &size);
    /* another context of the same certificate and the same settings takes it: what workers have */
    assert_string_equal(ask_with(f, tls, polite_server(f, SERVES), TRUSTS, session, size), "true");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        weir_server *other = polite_server(f, fixture_text(f, SERVES "%s", others[i]));
        assert_string_equal(ask_with(f, tls, other, TRUSTS, session, size), "false");
    }
    /* nor where other keys are known by the same name */
    weir_free(session);
    session = take_session(f, tls, polite_server(f, SERVES ", " PSK), TRUSTS, &size);
    weir_server *same = polite_server(f, SERVES ", " PSK);
    weir_server *keyed =
        polite_server(f, SERVES ", \"pskIdentity\": \"me\", \"psk\": \"ff112233445566778899aabbccddeeff\"");
    assert_string_equal(ask_with(f, tls, same, TRUSTS, session, size), "true");
    assert_string_equal(ask_with(f, tls, keyed, TRUSTS, session, size), "false");
    weir_server *strict = tls_server(f, SERVES ", \"requestCert\": true, \"ca\": \"" FAKE_CA "\"");
    recorder *client = tls_client(f, strict, TRUSTS);
    assert_code(tls->stream_set_session(client->stream, session, size), 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "error:EPROTO"));
    weir_free(session);
}

/* What was not verified at first is not verified after a resumption. */
static void TLS_12_a_resumed_session_is_never_more_authorized(void **state)
{
    fixture *f = *state;
    const char *options = SERVES ", \"requestCert\": true, \"rejectUnauthorized\": false, \"ca\": \"" FAKE_CA "\"";
    weir_server *server = polite_server(f, options);
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "false");
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "true");
    assert_string_equal(ask(f, server, TRUSTS ", " SERVES, "tls.resumed"), "false");
    assert_string_equal(ask(f, server, TRUSTS ", " SERVES, "tls.resumed"), "true");
    recorder *client = tls_client(f, server, TRUSTS);
    recorder *trusted = tls_client(f, server, TRUSTS ", " SERVES);
    for (size_t i = 4; i < 6; i++) {
        recorder *accepted = fixture_accepted(f, server, i);
        assert_string_equal(fact_of(f, accepted, "tls.resumed"), "true");
        int known = strcmp(fact_of(f, accepted, "tls.peer.subject"), "server") == 0;
        assert_string_equal(fact_of(f, accepted, "tls.authorized"), known ? "true" : "false");
    }
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_wait(trusted, WEIR_EVENT_READY);
    recorder_destroy(client, NULL);
    recorder_destroy(trusted, NULL);
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

/* ---- reloading ---- */

static weir_server *named_server(fixture *f, const weir_tls *tls, weir_tls_context *context)
{
    assert_code(tls->context_register(context, "front"), 0);
    return polite_server(f, "\"context\": \"front\"");
}

static void TLS_15_a_reload_is_for_new_handshakes_only(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    write_pair(f, "first");
    const weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    recorder *before = tls_client(f, server, TRUSTS);
    recorder_wait(before, WEIR_EVENT_READY);
    write_pair(f, "second");
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.peer.subject"), "first");
    assert_code(tls->context_reload(context, NULL, &error), 0);
    assert_null(error);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
    assert_string_equal(fact_of(f, before, "tls.peer.subject"), "first");
    recorder_write(before, "still there", 11);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait_data(accepted, 11);
    recorder_end(before);
    recorder_wait(before, WEIR_EVENT_CLOSE);
    tls->context_release(context);
}

static void TLS_15_a_bad_pair_is_refused_and_the_old_one_serves_on(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    weir_tls_counters counters = {.size = sizeof(counters)};
    write_pair(f, "first");
    const weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    write_file(f, "key.pem", "-----BEGIN FAKE KEY-----\nsubject=second\n");
    assert_code(tls->context_reload(context, NULL, &error), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "/key: it is not the key of the certificate"));
    weir_error_release(error);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    assert_int_equal(unlink(fixture_path(f, "cert.pem")), 0);
    assert_code(tls->context_reload(context, NULL, &error), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "cert.pem"));
    weir_error_release(error);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    tls->context_counters(context, &counters);
    assert_int_equal(counters.reloads, 0);
    assert_int_equal(counters.reloads_refused, 2);
    tls->context_release(context);
}

static void TLS_15_a_reload_may_bring_other_options(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    options.options = "{\"cert\": \"" FAKE_CERT "\", \"keys\": 1}";
    assert_code(tls->context_reload(context, &options, &error), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "keys"));
    weir_error_release(error);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    options.options = "{\"cert\": \"" OTHER_CERT "address=127.0.0.1\\n\", \"key\": \"" OTHER_KEY "\"}";
    assert_code(tls->context_reload(context, &options, &error), 0);
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.peer.subject"), "other");
    assert_code(tls->context_reload(context, NULL, NULL), 0);
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.peer.subject"), "other");
    tls->context_release(context);
}

/* Also by options that name the context itself. */
static void TLS_15_a_reload_by_its_own_name_changes_nothing(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    options.options = "{\"context\": \"front\"}";
    assert_code(tls->context_reload(context, &options, NULL), 0);
    assert_code(tls->context_reload(context, NULL, NULL), 0);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    tls->context_release(context);
}

static void TLS_15_a_context_does_not_become_another_one(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    weir_tls_counters counters = {.size = sizeof(counters)};
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    weir_tls_context *other = make_context(f, tls, &options);
    assert_code(tls->context_register(other, "other"), 0);
    options.options = "{\"context\": \"other\"}";
    assert_code(tls->context_reload(context, &options, &error), UV_EINVAL);
    assert_non_null(strstr(error->message, "cannot become another one"));
    weir_error_release(error);
    tls->context_counters(context, &counters);
    assert_int_equal(counters.reloads_refused, 1);
    tls->context_release(other);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    tls->context_release(context);
}

typedef struct letting_go {
    const weir_tls *tls;
    weir_tls_context *context;
} letting_go;

static void let_go(weir_log_level level, const char *message, void *arg)
{
    letting_go *self = arg;
    weir_tls_context *context = self->context;
    (void)level;
    (void)message;
    self->context = NULL;
    self->tls->context_release(context);
}

static void TLS_15_a_context_may_be_given_up_in_a_line_of_the_log(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    for (int with = 0; with < 2; with++) {
        write_pair(f, "first");
        letting_go self = {tls, make_context(f, tls, &options)};
        assert_int_equal(chmod(fixture_path(f, "key.pem"), 0644), 0); /* is warned about */
        weir_runtime_on_log(f->runtime, let_go, &self);
        assert_code(tls->context_reload(self.context, with ? &options : NULL, NULL), 0);
        assert_null(self.context);
        weir_runtime_on_log(f->runtime, quiet, NULL);
        assert_int_equal(chmod(fixture_path(f, "key.pem"), 0600), 0);
    }
}

static int log_has(const void *arg)
{
    const char *const *what = arg;
    return strstr(fixture_log((const fixture *)(const void *)what[0]), what[1]) != NULL;
}

static void wait_log(fixture *f, const char *line)
{
    const char *const what[] = {(const char *)(const void *)f, line};
    while (!log_has(what)) {
        assert_false(f->expired);
        fixture_turn(f, log_has, what);
    }
}

static void until_served(fixture *f, weir_server *server, const char *subject)
{
    while (strcmp(ask(f, server, TRUSTS, "tls.peer.subject"), subject) != 0)
        assert_false(f->expired);
}

static void TLS_15_files_that_change_are_read_again(void **state)
{
    fixture *f = *state;
    write_pair(f, "first");
    weir_server *server = polite_server(f, fixture_text(f, "%s, \"watch\": true", FILES(f)));
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    write_pair(f, "second");
    wait_log(f, fixture_text(
                    f, "info: tls-fake: the files have changed and were read again; the certificate is that in %s\n",
                    fixture_path(f, "cert.pem")));
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
    /* replaced by a rename, and first by half of a pair */
    write_file(f, "new.pem", "-----BEGIN FAKE CERTIFICATE-----\nsubject=third\nissuer=ca\naddress=127.0.0.1\n");
    assert_int_equal(rename(fixture_path(f, "new.pem"), fixture_path(f, "cert.pem")), 0);
    wait_log(f, "cannot be used; what was read before serves on: invalid options: tls-fake: /key: it is not the key");
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
    write_file(f, "key.pem", "-----BEGIN FAKE KEY-----\nsubject=third\n");
    until_served(f, server, "third");
}

/* Before the first connection nothing is watched: what has changed until then is seen then. */
static void TLS_15_what_changed_before_the_first_connection_is_seen(void **state)
{
    fixture *f = *state;
    write_pair(f, "first");
    weir_server *server = polite_server(f, fixture_text(f, "%s, \"watch\": true", FILES(f)));
    write_pair(f, "newer");
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "newer");
}

/* Folders that are links, turned over; links to files elsewhere; a folder that goes and comes again: what stands at the path
 * counts, however it got there. */
static void TLS_15_watched_files_may_be_reached_by_links(void **state)
{
    fixture *f = *state;
    const char *now = fixture_path(f, "now");
    const char *next = fixture_path(f, "next");
    assert_int_equal(mkdir(fixture_path(f, "one"), 0700), 0);
    assert_int_equal(mkdir(fixture_path(f, "two"), 0700), 0);
    write_pair_in(f, "one/", "first");
    write_pair_in(f, "two/", "second");
    assert_int_equal(symlink("one", now), 0);
    weir_server *server = polite_server(
        f, fixture_text(f, "\"cert\": \"%s/cert.pem\", \"key\": \"%s/key.pem\", \"watch\": true", now, now));
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    assert_int_equal(symlink("two", next), 0);
    assert_int_equal(rename(next, now), 0);
    until_served(f, server, "second");
    /* the folder itself, away and back */
    assert_int_equal(rename(fixture_path(f, "two"), fixture_path(f, "away")), 0);
    wait_log(f, "cannot be used; what was read before serves on");
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
    assert_int_equal(mkdir(fixture_path(f, "two"), 0700), 0);
    write_pair_in(f, "two/", "third");
    until_served(f, server, "third");
}

/* A reload in a line of the log, while what is watched is looked at. */
typedef struct reloading {
    const weir_tls *tls;
    weir_tls_context *context;
    weir_tls_options options;
    int done;
} reloading;

static void reload_in_log(weir_log_level level, const char *message, void *arg)
{
    reloading *self = arg;
    (void)level;
    if (self->done || !strstr(message, "cannot be used"))
        return;
    self->done = 1;
    assert_code(self->tls->context_reload(self->context, &self->options, NULL), 0);
}

static void TLS_15_other_files_are_watched_after_a_reload(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    reloading self = {.tls = tls};
    assert_int_equal(mkdir(fixture_path(f, "one"), 0700), 0);
    assert_int_equal(mkdir(fixture_path(f, "two"), 0700), 0);
    write_pair_in(f, "one/", "first");
    write_pair_in(f, "two/", "second");
    weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s, \"watch\": true}", FILES_IN(f, "one/")));
    self.context = make_context(f, tls, &options);
    self.options = options_of(WEIR_SERVER, fixture_text(f, "{%s, \"watch\": true}", FILES_IN(f, "two/")));
    weir_server *server = named_server(f, tls, self.context);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    /* nothing there any more, which is a line of the log */
    weir_runtime_on_log(f->runtime, reload_in_log, &self);
    assert_int_equal(rename(fixture_path(f, "one"), fixture_path(f, "away")), 0);
    fixture_until(f, &self.done);
    weir_runtime_on_log(f->runtime, quiet, NULL);
    until_served(f, server, "second");
    write_pair_in(f, "two/", "third");
    until_served(f, server, "third");
    tls->context_release(self.context);
}

static void TLS_15_a_pair_replaced_under_load_fails_no_handshake(void **state)
{
    enum { CLIENTS = 60 };
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    recorder *clients[CLIENTS];
    write_pair(f, "first");
    const weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = tls_client(f, server, TRUSTS ", \"tickets\": false");
        fixture_turns(f, (int)(i % 4));
        if (i % 10 == 5) {
            write_pair(f, i % 20 == 5 ? "second" : "first");
            assert_code(tls->context_reload(context, NULL, NULL), 0);
        }
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        recorder_wait(clients[i], WEIR_EVENT_READY);
        recorder_end(clients[i]);
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
        assert_int_equal(clients[i]->counts[WEIR_EVENT_ERROR], 0);
    }
    tls->context_release(context);
}

/* ---- for C programs ---- */

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

/* ---- keys that are agreed on ---- */

static void TLS_17_a_psk_by_option_on_both_sides(void **state)
{
    fixture *f = *state;
    weir_server *server = polite_server(f, PSK);
    assert_string_equal(ask(f, server, PSK, "tls.authorized"), "true");
    recorder *stranger =
        tls_client(f, server, "\"pskIdentity\": \"you\", \"psk\": \"00112233445566778899aabbccddeeff\"");
    recorder *wrong = tls_client(f, server, "\"pskIdentity\": \"me\", \"psk\": \"ff112233445566778899aabbccddeeff\"");
    recorder_wait(stranger, WEIR_EVENT_CLOSE);
    recorder_wait(wrong, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(stranger, "error:EPROTO") && recorder_saw(wrong, "error:EPROTO"));
}

static const char agreed[] = "0123456789abcdef";

static size_t answer_psk(const void *identity, size_t length, void *key, size_t room, void *arg)
{
    int *asked = arg;
    ++*asked;
    if (length != 3 || memcmp(identity, "you", 3) != 0 || room < 16)
        return 0;
    memcpy(key, agreed, 16);
    return 16;
}

static int give_psk(const char *server_name, weir_tls_psk *psk, void *arg)
{
    const char *identity = arg;
    assert_string_equal(server_name, "127.0.0.1");
    psk->identity = identity;
    psk->key = agreed;
    psk->key_size = 16;
    return 1;
}

static void TLS_17_a_psk_by_callback_on_both_sides(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    int asked = 0;
    char identity[] = "you";
    weir_tls_options options = options_of(WEIR_SERVER, NULL);
    options.psk = answer_psk;
    options.arg = &asked;
    weir_tls_context *serving = make_context(f, tls, &options);
    options = options_of(WEIR_CLIENT, NULL);
    options.client_psk = give_psk;
    options.arg = identity;
    weir_tls_context *connecting = make_context(f, tls, &options);
    assert_code(tls->context_register(connecting, "mine"), 0);
    weir_server *server = named_server(f, tls, serving);
    assert_string_equal(ask(f, server, "\"context\": \"mine\"", "tls.authorized"), "true");
    assert_int_equal(asked, 1);
    identity[0] = 'Y';
    recorder *refused = tls_client(f, server, "\"context\": \"mine\"");
    recorder_wait(refused, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(refused, "error:EPROTO"));
    tls->context_release(serving);
    tls->context_release(connecting);
}

typedef struct giving {
    weir_tls_psk psk;
    recorder *destroy;
} giving;

static int give_that(const char *server_name, weir_tls_psk *psk, void *arg)
{
    const giving *self = arg;
    (void)server_name;
    *psk = self->psk;
    if (self->destroy)
        recorder_destroy(self->destroy, NULL);
    return 1;
}

/* What was to go by a key does not go by certificates because the key will not do. */
static void TLS_17_a_key_that_will_not_do_is_not_passed_over(void **state)
{
    static const weir_tls_psk bad[] = {
        {sizeof(weir_tls_psk), NULL, agreed, 16},  {sizeof(weir_tls_psk), "", agreed, 16},
        {sizeof(weir_tls_psk), "you", NULL, 16},   {sizeof(weir_tls_psk), "you", agreed, 15},
        {sizeof(weir_tls_psk), "you", agreed, 65},
    };
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    giving given = {0};
    weir_tls_options options = options_of(WEIR_CLIENT, "{" TRUSTS "}");
    options.client_psk = give_that;
    options.arg = &given;
    weir_tls_context *connecting = make_context(f, tls, &options);
    assert_code(tls->context_register(connecting, "mine"), 0);
    weir_server *server = polite_server(f, SERVES);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        given.psk = bad[i];
        recorder *client = tls_client(f, server, "\"context\": \"mine\"");
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_true(recorder_saw(client, "error:EINVAL"));
        assert_non_null(strstr(weir_stream_errored(client->stream)->message, "client_psk"));
    }
    /* and it may end the stream it is asked for */
    given.psk.key_size = 16;
    given.destroy = tls_client(f, server, "\"context\": \"mine\"");
    recorder_wait(given.destroy, WEIR_EVENT_CLOSE);
    assert_int_equal(given.destroy->counts[WEIR_EVENT_ERROR], 0);
    tls->context_release(connecting);
}

typedef struct closing {
    weir_server *server;
    int asked;
} closing;

static size_t answer_and_close(const void *identity, size_t length, void *key, size_t room, void *arg)
{
    closing *self = arg;
    (void)identity;
    (void)length;
    assert_true(room >= 16);
    self->asked++;
    assert_code(weir_server_close_all(self->server, 0, NULL, NULL), 0);
    memcpy(key, agreed, 16);
    return 16;
}

static void TLS_17_the_server_may_be_closed_while_it_is_asked_for_a_key(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    closing self = {0};
    char identity[] = "you";
    weir_tls_options options = options_of(WEIR_SERVER, NULL);
    options.psk = answer_and_close;
    options.arg = &self;
    weir_tls_context *serving = make_context(f, tls, &options);
    options = options_of(WEIR_CLIENT, NULL);
    options.client_psk = give_psk;
    options.arg = identity;
    weir_tls_context *connecting = make_context(f, tls, &options);
    assert_code(tls->context_register(connecting, "mine"), 0);
    self.server = named_server(f, tls, serving);
    recorder *client = tls_client(f, self.server, "\"context\": \"mine\"");
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(self.asked, 1);
    assert_false(recorder_saw(client, "ready"));
    tls->context_release(serving);
    tls->context_release(connecting);
}

static weir_tls_context *choose_it(const weir_tls_hello *hello, void *arg)
{
    (void)hello;
    return arg;
}

/* The whole context changes with the name (TLS-10): who answers for identities, too. */
static void TLS_10_TLS_17_a_chosen_context_answers_for_its_identities(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    int asked = 0;
    char identity[] = "you";
    weir_tls_options options = options_of(WEIR_SERVER, NULL);
    options.psk = answer_psk;
    options.arg = &asked;
    weir_tls_context *other = make_context(f, tls, &options);
    options = options_of(WEIR_SERVER, "{" SERVES "}");
    options.server_name = choose_it;
    options.arg = other;
    weir_tls_context *front = make_context(f, tls, &options);
    options = options_of(WEIR_CLIENT, NULL);
    options.client_psk = give_psk;
    options.arg = identity;
    weir_tls_context *connecting = make_context(f, tls, &options);
    assert_code(tls->context_register(connecting, "mine"), 0);
    weir_server *server = named_server(f, tls, front);
    recorder *client = tls_client(f, server, "\"context\": \"mine\"");
    recorder_wait(client, WEIR_EVENT_READY);
    assert_int_equal(asked, 1);
    recorder_destroy(client, NULL);
    tls->context_release(front);
    tls->context_release(other);
    tls->context_release(connecting);
}

/* Whose callback is for the other side has none. */
static void TLS_17_a_callback_counts_on_its_own_side_only(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_context *context = NULL;
    weir_error *error = NULL;
    weir_tls_options options = options_of(WEIR_SERVER, NULL);
    options.client_psk = give_psk;
    assert_code(tls->context_new(f->runtime, &options, &context, &error), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "listening needs a certificate"));
    weir_error_release(error);
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
        FIXTURE_TEST(TLS_12_the_second_connection_is_resumed),
        FIXTURE_TEST(TLS_12_other_settings_do_not_share_sessions),
        FIXTURE_TEST(TLS_12_without_tickets_nothing_is_resumed),
        FIXTURE_TEST(TLS_12_an_application_keeps_sessions_itself),
        FIXTURE_TEST(TLS_12_a_session_is_given_up_with_the_handshake_it_failed_in),
        FIXTURE_TEST(a_connection_that_was_never_made_is_no_handshake),
        FIXTURE_TEST(TLS_12_tickets_are_bound_to_the_settings_of_client_authentication),
        FIXTURE_TEST(TLS_12_a_resumed_session_is_never_more_authorized),
        FIXTURE_TEST(TLS_07_a_client_verifies_unless_told_otherwise),
        FIXTURE_TEST(TLS_08_without_a_host_there_must_be_a_servername),
        FIXTURE_TEST(TLS_08_an_address_is_one_with_a_last_dot_too),
        FIXTURE_TEST(TLS_15_a_reload_is_for_new_handshakes_only),
        FIXTURE_TEST(TLS_15_a_bad_pair_is_refused_and_the_old_one_serves_on),
        FIXTURE_TEST(TLS_15_a_reload_may_bring_other_options),
        FIXTURE_TEST(TLS_15_a_reload_by_its_own_name_changes_nothing),
        FIXTURE_TEST(TLS_15_a_context_does_not_become_another_one),
        FIXTURE_TEST(TLS_15_a_context_may_be_given_up_in_a_line_of_the_log),
        FIXTURE_TEST(TLS_15_files_that_change_are_read_again),
        FIXTURE_TEST(TLS_15_what_changed_before_the_first_connection_is_seen),
        FIXTURE_TEST(TLS_15_watched_files_may_be_reached_by_links),
        FIXTURE_TEST(TLS_15_other_files_are_watched_after_a_reload),
        FIXTURE_TEST(TLS_15_a_pair_replaced_under_load_fails_no_handshake),
        FIXTURE_TEST(contexts_have_names_and_owners),
        FIXTURE_TEST(a_named_context_stands_alone_and_has_its_role),
        FIXTURE_TEST(nothing_stands_beside_a_named_context),
        FIXTURE_TEST(TLS_10_a_callback_chooses_the_context),
        FIXTURE_TEST(TLS_17_a_psk_by_option_on_both_sides),
        FIXTURE_TEST(TLS_17_a_psk_by_callback_on_both_sides),
        FIXTURE_TEST(TLS_17_a_key_that_will_not_do_is_not_passed_over),
        FIXTURE_TEST(TLS_17_the_server_may_be_closed_while_it_is_asked_for_a_key),
        FIXTURE_TEST(TLS_10_TLS_17_a_chosen_context_answers_for_its_identities),
        FIXTURE_TEST(TLS_17_a_callback_counts_on_its_own_side_only),
        FIXTURE_TEST(TLS_16_facts_of_a_connection),
        FIXTURE_TEST(TLS_16_exported_keys_are_the_same_on_both_sides),
        FIXTURE_TEST(streams_without_the_layer_have_nothing_of_it),
        FIXTURE_TEST(TLS_16_key_logs_come_by_option_only),
        FIXTURE_TEST(any_allocation_of_the_interface_may_fail),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_contexts", tests, NULL, NULL);
}
