/* SPDX-License-Identifier: MIT */
/* Sessions of the layer tls: resumed, kept by programs, good only where the same clients are let in. */
#include <stdio.h>
#include <string.h>

#include "tls_contexts.h"

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

/* Where there is no port, the path says which server it is. */
static void TLS_12_servers_at_other_paths_do_not_share_sessions(void **state)
{
    static const struct {
        const char *path;
        const char *resumed;
    } asked[] = {{"one", "false"}, {"two", "false"}, {"one", "true"}, {"two", "true"}};
    fixture *f = *state;
    for (size_t i = 0; i < 4; i++) {
        const char *path = fixture_path(f, asked[i].path);
        if (i < 2)
            fixture_listen(
                f, fixture_text(f, "{\"ipc\": {\"path\": \"%s\"}, \"layers\": [{\"tls-fake\": {%s}}]}", path, SERVES),
                NULL);
        recorder *client = fixture_client(
            f,
            fixture_text(
                f, "{\"ipc\": {\"path\": \"%s\"}, \"layers\": [{\"tls-fake\": {\"servername\": \"localhost\", %s}}]}",
                path, TRUSTS),
            NULL);
        recorder_wait(client, WEIR_EVENT_READY);
        while (!recorder_saw(client, "layer:tls-fake.session")) {
            assert_false(f->expired);
            fixture_turns(f, 1);
        }
        assert_string_equal(fact_of(f, client, "tls.resumed"), asked[i].resumed);
        recorder_destroy(client, NULL);
        recorder_wait(client, WEIR_EVENT_CLOSE);
    }
}

/* What ends one list does not begin the next. */
static void TLS_12_settings_differ_by_which_list_a_name_stands_in(void **state)
{
    static const char *const options[] = {
        TRUSTS ", \"ALPNProtocols\": [\"x\"], \"groups\": [\"y\"]",
        TRUSTS ", \"ALPNProtocols\": [\"x\", \"y\"]",
        TRUSTS ", \"groups\": [\"x\", \"y\"]",
        TRUSTS ", \"ciphers\": [\"FAKE_RECORD=9000\"], \"groups\": [\"FAKE_CHATTY=0\"]",
        TRUSTS ", \"ciphers\": [\"FAKE_RECORD=9000\", \"FAKE_CHATTY=0\"]",
        TRUSTS ", \"ALPNProtocols\": [\"FAKE_RECORD=9000\"], \"ciphers\": [\"FAKE_CHATTY=0\"]",
    };
    fixture *f = *state;
    weir_server *server = polite_server(f, SERVES);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        assert_string_equal(ask(f, server, options[i], "tls.resumed"), "false");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        assert_string_equal(ask(f, server, options[i], "tls.resumed"), "true");
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
    assert_string_equal(ask_with(f, tls, server, TRUSTS ", \"tickets\": false", session, size), "false");
    assert_string_equal(ask_with(f, tls, server, TRUSTS, session, size), "true");
    assert_string_equal(ask_with(f, tls, server, TRUSTS, NULL, 0), "false"); /* not by what the layer has, either */
    ((char *)session)[20] ^= 1;
    assert_string_equal(ask_with(f, tls, server, TRUSTS, session, size), "false");
    weir_free(session);
}

typedef struct told {
    unsigned char tickets[64]; /* the letter of each session's */
    size_t count;
} told;

static void note_session(const weir_event *event, void *arg)
{
    told *self = arg;
    size_t size;
    if (strcmp(event->layer->name, "session") != 0)
        return;
    assert_true(self->count < sizeof(self->tickets));
    self->tickets[self->count++] = *wire_find(event->layer->payload, event->layer->size, WIRE_OLD, &size);
}

/* The engine tells all that came in one go; how many that are the peer decides. */
static void TLS_12_of_many_sessions_at_once_the_newest_are_told(void **state)
{
    enum { SENT = 50, TOLD = 16 };
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    size_t seen = 0, size = 0;
    void *session = NULL;
    told self = {.count = 0};
    wire out = {0};
    pair p = raw_server(f, TRUSTS, &seen);
    assert_code(weir_stream_on(p.client->stream, WEIR_EVENT_LAYER, note_session, &self), 0);
    for (unsigned i = 0; i < SENT; i++) {
        unsigned char age = (unsigned char)i;
        wire fields = {0};
        wire_field(&fields, WIRE_OLD, &age, 1);
        wire_message(&out, WIRE_TICKET, fields.data, fields.size);
        wire_free(&fields);
    }
    wire_data(&out, "!", 1);
    raw_send(p.accepted, &out);
    recorder_wait_data(p.client, 1);
    assert_int_equal(self.count, TOLD);
    for (size_t i = 0; i < TOLD; i++)
        assert_int_equal(self.tickets[i], SENT - TOLD + i);
    assert_code(tls->stream_session(p.client->stream, &session, &size), 0);
    assert_int_equal(*wire_find(session, size, WIRE_OLD, &size), SENT - 1);
    weir_free(session);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

/* Whatever the application takes it for. */
static void TLS_12_a_session_is_for_the_name_and_the_settings_it_was_made_with(void **state)
{
    static const char *const others[] = {
        TRUSTS ", \"servername\": \"localhost\"",
        TRUSTS ", \"rejectUnauthorized\": false",
        "\"ca\": [\"" FAKE_CA "\", \"" FAKE_CERT "\"]",
    };
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    size_t size = 0;
    weir_server *server = polite_server(f, SERVES);
    void *session = take_session(f, tls, server, TRUSTS, &size);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_string_equal(ask_with(f, tls, server, others[i], session, size), "false");
    assert_string_equal(ask_with(f, tls, server, TRUSTS, session, size), "true");
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
    raw_wait_record(accepted, &at);
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

/* On either side, whoever it was that did not like the other one. */
static void TLS_12_handshakes_that_fail_are_counted(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_counters ours = {.size = sizeof(ours)}, theirs = {.size = sizeof(theirs)};
    int refused = 0;
    const weir_tls_options serves = options_of(WEIR_SERVER, "{" SERVES "}");
    const weir_tls_options doubts = options_of(WEIR_CLIENT, "{\"ca\": \"" OTHER_CERT "\"}");
    weir_tls_context *front = make_context(f, tls, &serves);
    weir_tls_context *mine = make_context(f, tls, &doubts);
    assert_code(tls->context_register(mine, "mine"), 0);
    weir_server *server = named_server(f, tls, front);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, fixture_count, &refused), 0);
    assert_string_equal(ask(f, server, TRUSTS, "tls.resumed"), "false");
    recorder *client = tls_client(f, server, "\"context\": \"mine\"");
    recorder_wait(client, WEIR_EVENT_CLOSE);
    fixture_until(f, &refused);
    recorder *rubbish = fixture_client(f, fixture_url(f, server), NULL);
    recorder_write(rubbish, "\0\1\2\3\4\5\6\7", 8);
    recorder_wait(rubbish, WEIR_EVENT_CLOSE);
    while (refused < 2) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    fixture_turns(f, TURNS);
    tls->context_counters(front, &ours);
    tls->context_counters(mine, &theirs);
    assert_int_equal(ours.handshakes_failed, 2);
    assert_int_equal(ours.handshakes_full, 1);
    assert_int_equal(theirs.handshakes_failed, 1);
    assert_int_equal(theirs.handshakes_full + theirs.handshakes_resumed, 0);
    tls->context_release(front);
    tls->context_release(mine);
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

/* Each of the settings by itself. */
static void TLS_12_tickets_are_bound_to_each_of_the_settings(void **state)
{
#define ASKING    ", \"requestCert\": true, \"ca\": \"" FAKE_CA "\""
#define UNREFUSED ", \"rejectUnauthorized\": false"
    static const char *const pairs[][2] = {
        {UNREFUSED, UNREFUSED ", \"requestCert\": true"},
        {ASKING UNREFUSED, ASKING},
        {ASKING UNREFUSED, ASKING UNREFUSED ", \"pinSha256\": \"n5dWZ5SNxKHBbJyLFYqgv9jpNQ6YIBt0ecrF9dcmQjA=\""},
    };
    static const char client[] = TRUSTS ", " SERVES;
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    size_t size = 0;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const char *one = fixture_text(f, SERVES "%s", pairs[i][0]), *other = fixture_text(f, SERVES "%s", pairs[i][1]);
        void *session = take_session(f, tls, polite_server(f, one), client, &size);
        assert_string_equal(ask_with(f, tls, polite_server(f, one), client, session, size), "true");
        assert_string_equal(ask_with(f, tls, polite_server(f, other), client, session, size), "false");
        weir_free(session);
    }
#undef ASKING
#undef UNREFUSED
}

static size_t know_nobody(const void *identity, size_t length, void *key, size_t room, void *arg)
{
    (void)identity;
    (void)length;
    (void)key;
    (void)room;
    (void)arg;
    return 0;
}

static void TLS_12_TLS_17_tickets_are_bound_to_whether_an_application_answers_for_keys(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    size_t size = 0;
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    options.psk = know_nobody;
    weir_tls_context *answers = make_context(f, tls, &options);
    void *session = take_session(f, tls, polite_server(f, SERVES), TRUSTS, &size);
    assert_string_equal(ask_with(f, tls, named_server(f, tls, answers), TRUSTS, session, size), "false");
    weir_free(session);
    tls->context_release(answers);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_12_the_second_connection_is_resumed),
        FIXTURE_TEST(TLS_12_other_settings_do_not_share_sessions),
        FIXTURE_TEST(TLS_12_servers_at_other_paths_do_not_share_sessions),
        FIXTURE_TEST(TLS_12_settings_differ_by_which_list_a_name_stands_in),
        FIXTURE_TEST(TLS_12_without_tickets_nothing_is_resumed),
        FIXTURE_TEST(TLS_12_an_application_keeps_sessions_itself),
        FIXTURE_TEST(TLS_12_of_many_sessions_at_once_the_newest_are_told),
        FIXTURE_TEST(TLS_12_a_session_is_for_the_name_and_the_settings_it_was_made_with),
        FIXTURE_TEST(TLS_12_a_session_is_given_up_with_the_handshake_it_failed_in),
        FIXTURE_TEST(a_connection_that_was_never_made_is_no_handshake),
        FIXTURE_TEST(TLS_12_handshakes_that_fail_are_counted),
        FIXTURE_TEST(TLS_12_tickets_are_bound_to_the_settings_of_client_authentication),
        FIXTURE_TEST(TLS_12_tickets_are_bound_to_each_of_the_settings),
        FIXTURE_TEST(TLS_12_TLS_17_tickets_are_bound_to_whether_an_application_answers_for_keys),
        FIXTURE_TEST(TLS_12_a_resumed_session_is_never_more_authorized),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_resumption", tests, NULL, NULL);
}
