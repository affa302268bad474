/* SPDX-License-Identifier: MIT */
/* Keys that both ends of the layer tls know: by option and by callback. */
#include <stdio.h>
#include <string.h>

#include "tls_contexts.h"

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

static void TLS_17_digits_of_a_psk_have_any_case(void **state)
{
    static const char *const keys[] = {"f0e1d2c3b4a596877869fAeBdCcDbEaF", "F0E1D2C3B4A596877869FAEBDCCDBEAF"};
    fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        weir_server *server = polite_server(f, fixture_text(f, "\"pskIdentity\": \"me\", \"psk\": \"%s\"", keys[i]));
        assert_string_equal(
            ask(f, server, "\"pskIdentity\": \"me\", \"psk\": \"f0e1d2c3b4a596877869faebdccdbeaf\"", "tls.authorized"),
            "true");
    }
}

static void TLS_17_a_part_of_an_identity_is_another_one(void **state)
{
    static const char *const identities[] = {"m", "mee", "mE", "e"};
    fixture *f = *state;
    weir_server *server = polite_server(f, PSK);
    for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
        recorder *stranger = tls_client(
            f, server,
            fixture_text(f, "\"pskIdentity\": \"%s\", \"psk\": \"00112233445566778899aabbccddeeff\"", identities[i]));
        recorder_wait(stranger, WEIR_EVENT_CLOSE);
        assert_true(recorder_saw(stranger, "error:EPROTO"));
    }
    assert_string_equal(ask(f, server, PSK, "tls.authorized"), "true");
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

static weir_tls_context *answering_context(fixture *f, weir_tls_psk_function psk, void *arg)
{
    weir_tls_options options = options_of(WEIR_SERVER, NULL);
    options.psk = psk;
    options.arg = arg;
    return make_context(f, interface_of(f), &options);
}

/* Registered as "mine". */
static weir_tls_context *giving_context(fixture *f, const char *json, weir_tls_client_psk_function psk, void *arg)
{
    const weir_tls *tls = interface_of(f);
    weir_tls_options options = options_of(WEIR_CLIENT, json);
    options.client_psk = psk;
    options.arg = arg;
    weir_tls_context *made = make_context(f, tls, &options);
    assert_code(tls->context_register(made, "mine"), 0);
    return made;
}

static void TLS_17_a_psk_by_callback_on_both_sides(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    int asked = 0;
    char identity[] = "you";
    weir_tls_context *serving = answering_context(f, answer_psk, &asked);
    weir_tls_context *connecting = giving_context(f, NULL, give_psk, identity);
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

/* Where there is no host's name, and none of the options. */
static const char *nameless_endpoint(fixture *f, const char *path, const char *options)
{
    return fixture_text(f, "{\"ipc\": {\"path\": \"%s\"}, \"layers\": [{\"tls-fake\": {%s}}]}", fixture_path(f, path),
                        options);
}

static recorder *nameless_client(fixture *f, const char *path, const char *options)
{
    return fixture_client(f, nameless_endpoint(f, path, options), NULL);
}

#define RELIES     TRUSTS ", " PSK
#define SERVER_PIN "0t6BsX3XlHIlksistwkdTZjf4uzdQPZ2DNAhOlvC7lg=" /* of FAKE_CERT */

static void count_connection(const weir_event *event, void *arg)
{
    unsigned *accepted = arg;
    (void)event;
    ++*accepted;
}

/* What a listener of 'error' can learn. */
typedef struct told {
    fixture *f;
    const char *authorized;
    const char *verdict;
    const char *error;
} told;

static void ask_in_error(const weir_event *event, void *arg)
{
    told *self = arg;
    const recorder of = {.stream = event->stream};
    self->authorized = fact_of(self->f, &of, "tls.authorized");
    self->verdict = fact_of(self->f, &of, "tls.authorizationError");
    self->error = fact_of(self->f, &of, "tls.error");
}

/* Whoever relies on the key alone is not to be talked out of it by an engine that takes any chain that verifies. */
static void TLS_17_no_engine_takes_a_certificate_for_the_key(void **state)
{
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
    fixture *f = *state;
    unsigned accepted = 0;
    weir_server *server = fixture_listen(f, nameless_endpoint(f, "cert", SERVES ", \"tickets\": false"), NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, count_connection, &accepted), 0);
    for (size_t i = 0; i < 2; i++) {
        recorder *client = nameless_client(
            f, "cert",
            fixture_text(f, RELIES ", \"ciphers\": [\"FAKE_CREDULOUS\"], \"maxVersion\": \"%s\"", versions[i]));
        told in_error = {.f = f};
        assert_code(weir_stream_on(client->stream, WEIR_EVENT_ERROR, ask_in_error, &in_error), 0);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_true(recorder_saw(client, "error:EPROTO"));
        assert_string_equal(in_error.error, "ERR_TLS_CERT_ALTNAME_INVALID");
        assert_string_equal(in_error.verdict, "ERR_TLS_CERT_ALTNAME_INVALID");
        assert_string_equal(in_error.authorized, "false");
        assert_non_null(strstr(weir_stream_errored(client->stream)->message,
                               "ERR_TLS_CERT_ALTNAME_INVALID: the server has not proven the pre-shared key"));
        assert_false(recorder_saw(client, "ready") || recorder_saw(client, "layer"));
        /* and an engine as it should be refuses before that */
        client = nameless_client(f, "cert", RELIES);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        const char *why = weir_stream_errored(client->stream)->message;
        assert_non_null(strstr(why, "ERR_TLS_CERT_ALTNAME_INVALID: "));
        assert_null(strstr(why, "the server has not proven the pre-shared key"));
    }
    fixture_turns(f, TURNS);
    assert_int_equal(accepted, 1); /* with TLS 1.2 the server is done first */
}

/* What would do instead: a name, a pin, or that nobody is to be refused, which authorizes nobody. */
static void TLS_17_a_certificate_that_is_checked_stands_beside_the_key(void **state)
{
    fixture *f = *state;
    fixture_listen(f, nameless_endpoint(f, "both", SERVES), NULL);
    const struct {
        const char *options;
        const char *authorized;
    } cases[] = {
        {"\"servername\": \"localhost\"", "true"},
        {"\"pinSha256\": \"" SERVER_PIN "\"", "true"},
        {"\"rejectUnauthorized\": false", "false"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        recorder *client = nameless_client(f, "both", fixture_text(f, RELIES ", %s", cases[i].options));
        recorder_wait(client, WEIR_EVENT_READY);
        assert_string_equal(fact_of(f, client, "tls.psk"), "false");
        assert_string_equal(fact_of(f, client, "tls.authorized"), cases[i].authorized);
        recorder_destroy(client, NULL);
        recorder_wait(client, WEIR_EVENT_CLOSE);
    }
}

static void TLS_17_a_key_is_enough_without_a_name(void **state)
{
    fixture *f = *state;
    fixture_listen(f, nameless_endpoint(f, "key", PSK), NULL);
    recorder *client = nameless_client(f, "key", RELIES);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_string_equal(fact_of(f, client, "tls.psk"), "true");
    assert_string_equal(fact_of(f, client, "tls.authorized"), "true");
    recorder_destroy(client, NULL);
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
    weir_tls_context *connecting = giving_context(f, "{" TRUSTS "}", give_that, &given);
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
    weir_tls_context *serving = answering_context(f, answer_and_close, &self);
    weir_tls_context *connecting = giving_context(f, NULL, give_psk, identity);
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
    weir_tls_context *other = answering_context(f, answer_psk, &asked);
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    options.server_name = choose_it;
    options.arg = other;
    weir_tls_context *front = make_context(f, tls, &options);
    weir_tls_context *connecting = giving_context(f, NULL, give_psk, identity);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_17_a_psk_by_option_on_both_sides),
        FIXTURE_TEST(TLS_17_digits_of_a_psk_have_any_case),
        FIXTURE_TEST(TLS_17_a_part_of_an_identity_is_another_one),
        FIXTURE_TEST(TLS_17_a_psk_by_callback_on_both_sides),
        FIXTURE_TEST(TLS_17_no_engine_takes_a_certificate_for_the_key),
        FIXTURE_TEST(TLS_17_a_certificate_that_is_checked_stands_beside_the_key),
        FIXTURE_TEST(TLS_17_a_key_is_enough_without_a_name),
        FIXTURE_TEST(TLS_17_a_key_that_will_not_do_is_not_passed_over),
        FIXTURE_TEST(TLS_17_the_server_may_be_closed_while_it_is_asked_for_a_key),
        FIXTURE_TEST(TLS_10_TLS_17_a_chosen_context_answers_for_its_identities),
        FIXTURE_TEST(TLS_17_a_callback_counts_on_its_own_side_only),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_psk", tests, NULL, NULL);
}
