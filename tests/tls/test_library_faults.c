/* SPDX-License-Identifier: MIT */
/* Calls of the engine's library that fail, each once and where it is told to: what comes of it is an error, and nothing stays. */
#define _GNU_SOURCE

#include "engine_world.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/tls/mbedtls/mbed.h"

/* ---- which one fails ---- */

static struct {
    const char *call; /* NULL: none */
    int result;
    unsigned after; /* so many go through first */
    unsigned met;
} fault;

static void fail_call(const char *call, int result, unsigned after)
{
    fault.call = call;
    fault.result = result;
    fault.after = after;
    fault.met = 0;
}

/* How often it came to that. */
static unsigned fail_none(void)
{
    fault.call = NULL;
    return fault.met;
}

static int fails(const char *call)
{
    if (!fault.call || strcmp(fault.call, call) != 0)
        return 0;
    if (fault.after > 0) {
        fault.after--;
        return 0;
    }
    fault.met++;
    fault.call = NULL;
    return 1;
}

/*
 * In the place of the library's own: the engine is part of this program, which finds these first. They are spelled so for the
 * linker alone.
 */
/* NOLINTBEGIN(bugprone-macro-parentheses): `params` brings its own */
#define FAILING(name, params, args)                     \
    int call_##name params __asm__(#name);              \
    WEIR_EXPORT int call_##name params                  \
    {                                                   \
        static int(*real) params;                       \
        if (!real)                                      \
            *(void **)&real = dlsym(RTLD_NEXT, #name);  \
        return fails(#name) ? fault.result : real args; \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

#if MBED_3
typedef const mbedtls_pk_context key_to_write;
#else
typedef mbedtls_pk_context key_to_write;
#endif

FAILING(mbedtls_ctr_drbg_random, (void *drbg, unsigned char *data, size_t size), (drbg, data, size))
FAILING(mbedtls_ctr_drbg_seed,
        (mbedtls_ctr_drbg_context * drbg, int (*entropy)(void *, unsigned char *, size_t), void *arg,
         const unsigned char *custom, size_t size),
        (drbg, entropy, arg, custom, size))
FAILING(mbedtls_md, (const mbedtls_md_info_t *info, const unsigned char *data, size_t size, unsigned char *out),
        (info, data, size, out))
FAILING(mbedtls_md_setup, (mbedtls_md_context_t * context, const mbedtls_md_info_t *info, int hmac),
        (context, info, hmac))
FAILING(mbedtls_pem_write_buffer,
        (const char *header, const char *footer, const unsigned char *der, size_t size, unsigned char *out, size_t room,
         size_t *written),
        (header, footer, der, size, out, room, written))
FAILING(mbedtls_pk_write_key_pem, (key_to_write * key, unsigned char *out, size_t room), (key, out, room))
FAILING(mbedtls_ssl_config_defaults, (mbedtls_ssl_config * config, int endpoint, int transport, int preset),
        (config, endpoint, transport, preset))
FAILING(mbedtls_ssl_session_save, (const mbedtls_ssl_session *state, unsigned char *out, size_t room, size_t *written),
        (state, out, room, written))
FAILING(mbedtls_ssl_setup, (mbedtls_ssl_context * ssl, const mbedtls_ssl_config *config), (ssl, config))
FAILING(mbedtls_ssl_tls_prf,
        (mbedtls_tls_prf_types prf, const unsigned char *secret, size_t size, const char *label,
         const unsigned char *random, size_t random_size, unsigned char *out, size_t out_size),
        (prf, secret, size, label, random, random_size, out, out_size))
FAILING(mbedtls_x509_crl_parse, (mbedtls_x509_crl * list, const unsigned char *data, size_t size), (list, data, size))
FAILING(mbedtls_x509_crt_parse_der, (mbedtls_x509_crt * chain, const unsigned char *der, size_t size),
        (chain, der, size))

/* Another release than that of the headers, while it is not 0. */
static unsigned pretended;

WEIR_EXPORT unsigned int mbedtls_version_get_number(void)
{
    return pretended ? pretended : MBEDTLS_VERSION_NUMBER;
}

/* What the library was built with, while it is not NULL. */
static const int *built;

WEIR_EXPORT const int *mbedtls_ssl_list_ciphersuites(void)
{
    static const int *(*real)(void);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "mbedtls_ssl_list_ciphersuites");
    return built ? built : real();
}

/* ---- an engine ---- */

static void no_engine(int code, const char *says)
{
    weir_error *error = NULL;
    void *instance = NULL;
    assert_code(weir__tls_engine.init(&instance, &error), code);
    assert_non_null(error);
    assert_code(error->code, code);
    if (!strstr(error->message, says))
        fail_msg("%s", error->message);
    weir_error_release(error);
    assert_null(instance);
}

static void an_engine_without_random_bytes_is_none(void **state)
{
    (void)state;
    fail_call("mbedtls_ctr_drbg_seed", MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED, 0);
    no_engine(UV_EIO, "mbedTLS finds no random bytes: ");
    fail_call("mbedtls_ctr_drbg_seed", MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED, 0);
    void *instance = NULL;
    assert_code(weir__tls_engine.init(&instance, NULL), UV_EIO); /* nobody asks why */
    assert_null(instance);
}

static void an_engine_of_another_release_is_refused(void **state)
{
    (void)state;
    pretended = MBEDTLS_VERSION_NUMBER + 0x10000;
    no_engine(UV_ENOSYS, "built for mbedTLS " MBEDTLS_VERSION_STRING ", but mbedTLS ");
    no_engine(UV_ENOSYS, " is what the system loads: build the plugin anew");
    pretended = MBEDTLS_VERSION_NUMBER + 0x100; /* a patch is the same release */
    void *instance = NULL;
    assert_code(weir__tls_engine.init(&instance, NULL), 0);
    weir__tls_engine.exit(instance);
    pretended = 0;
}

static void random_bytes_and_digests_that_fail(void **state)
{
    world *w = world_of(*state);
    unsigned char bytes[TLS_DIGEST_SIZE];
    const tls_bytes piece = {"a", 1};
    fail_call("mbedtls_ctr_drbg_random", MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED, 0);
    assert_code(weir__tls_engine.random(w->instance, bytes, sizeof(bytes)), UV_EIO);
    assert_code(weir__tls_engine.random(w->instance, bytes, sizeof(bytes)), 0);
    fail_call("mbedtls_md_setup", MBEDTLS_ERR_MD_ALLOC_FAILED, 0);
    assert_code(weir__tls_engine.digest(w->instance, &piece, 1, bytes), UV_ENOMEM);
    fail_call("mbedtls_md_setup", MBEDTLS_ERR_MD_BAD_INPUT_DATA, 0);
    assert_code(weir__tls_engine.digest(w->instance, &piece, 1, bytes), UV_EIO);
    assert_code(weir__tls_engine.digest(w->instance, &piece, 1, bytes), 0);
}

/* ---- credentials ---- */

static int credentials_status(world *w, const tls_settings *settings)
{
    tls_report report = world_report(w);
    tls_credentials *made = NULL;
    size_t before = allocator_live();
    int status = weir__tls_engine.credentials_new(w->instance, settings, &report, &made);
    assert_int_equal(report.faults, 0);
    weir__tls_engine.credentials_free(made);
    weir__tls_report_end(&report);
    assert_int_equal(allocator_live(), before);
    return status;
}

/* What the library has against a configuration is told when it is made, not to the first peer. */
static void TLS_14_options_that_the_library_refuses(void **state)
{
    static const char *const calls[] = {"mbedtls_ssl_config_defaults", "mbedtls_ssl_setup"};
    world *w = world_of(*state);
    const tls_settings server = world_server(w, "localhost");
    for (size_t i = 0; i < 2; i++) {
        fail_call(calls[i], MBEDTLS_ERR_SSL_BAD_CONFIG, 0);
        const char *says = world_refusal(w, &server);
        assert_int_equal(fail_none(), 1);
        if (strncmp(says, "mbedTLS refuses these options: ", 31) != 0)
            fail_msg("%s", says);
        fail_call(calls[i], MBEDTLS_ERR_SSL_ALLOC_FAILED, 0);
        assert_code(credentials_status(w, &server), UV_ENOMEM);
        assert_int_equal(fail_none(), 1);
    }
    assert_code(credentials_status(w, &server), 0);
}

static void TLS_09_a_list_of_revocations_without_memory(void **state)
{
    static const char list[] = "-----BEGIN X509 CRL-----\nMAAA\n-----END X509 CRL-----\n";
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    server.crl = world_materials(w, list, "/crl");
    server.crl_count = 1;
    fail_call("mbedtls_x509_crl_parse", MBEDTLS_ERR_X509_ALLOC_FAILED, 0);
    assert_code(credentials_status(w, &server), UV_ENOMEM);
    assert_int_equal(fail_none(), 1);
}

static void TLS_13_suites_that_the_library_was_built_without(void **state)
{
    static const int one[] = {0xC02B, 0}; /* TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 */
    static const int none[] = {0};
    static char listed[] = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    char *names[] = {listed};
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    tls_settings server = world_server(w, "localhost");
    built = one;
    assert_code(credentials_status(w, &server), 0);
    server.ciphers = (tls_list){.items = names, .count = 1};
    assert_string_equal(world_refusal(w, &server),
                        "/ciphers: TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 is not in mbedTLS " MBEDTLS_VERSION_STRING
                        " as it was built here");
    server.ciphers = (tls_list){.items = NULL};
    built = none;
    assert_string_equal(world_refusal(w, &server), "/ciphers: none of these cipher suites is left");
    built = NULL;
}

/* Headers without TLS 1.3, and a library with its suites: no version is left for them. */
static void TLS_13_suites_of_a_version_that_is_not_allowed(void **state)
{
    static const int newer[] = {0x1301, 0xC02B, 0};
    static char listed[] = "TLS_AES_128_GCM_SHA256";
    char *names[] = {listed};
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    tls_settings server = world_server(w, "localhost");
    server.ciphers = (tls_list){.items = names, .count = 1};
    built = newer;
    assert_string_equal(world_refusal(w, &server),
                        "/ciphers: none of these cipher suites is of TLS 1.2, which alone is allowed");
    built = NULL;
}

/* ---- sessions ---- */

static void a_session_that_cannot_be_configured_says_so(void **state)
{
    static const tls_session_options localhost = {.name = "localhost"};
    world *w = world_of(*state);
    const tls_settings client = world_client(w);
    tls_credentials *credentials = world_credentials(w, &client);
    fail_call("mbedtls_ssl_config_defaults", MBEDTLS_ERR_SSL_ALLOC_FAILED, 0);
    assert_null(weir__tls_engine.session_new(credentials, &localhost, &world_host, NULL));
    fail_call("mbedtls_ssl_config_defaults", MBEDTLS_ERR_SSL_BAD_INPUT_DATA, 0);
    tls_session *session = weir__tls_engine.session_new(credentials, &localhost, &world_host, NULL);
    assert_non_null(session);
    for (int i = 0; i < 2; i++) { /* for good */
        weir_error *error = NULL;
        assert_int_equal(weir__tls_engine.handshake(session, &error), TLS_FAILED);
        assert_code(error->code, UV_EPROTO);
        assert_int_equal(strncmp(error->message, "the TLS handshake failed: ", 26), 0);
        weir_error_release(error);
    }
    weir__tls_engine.session_free(session);
}

static talk *talk_of(world *w)
{
    static tls_settings client;
    static tls_settings server;
    client = world_client(w);
    server = world_server(w, "localhost");
    return world_talk(w, &client, &server, NULL, NULL);
}

static int key_and_no_random(void *arg, const unsigned char *name, tls_ticket_key *key)
{
    int status = world_host.ticket_key(arg, name, key);
    fail_call("mbedtls_ctr_drbg_random", MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED, 0);
    return status;
}

/* Without a ticket there is no second handshake that is shorter; the first one is as good. */
static void TLS_12_a_ticket_that_cannot_be_made_is_not_given(void **state)
{
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    for (unsigned i = 0; i < 3; i++) {
        const tls_settings client = world_client(w);
        const tls_settings server = world_server(w, "localhost");
        tls_credentials *of_client = world_credentials(w, &client);
        tls_credentials *of_server = world_credentials(w, &server);
        talk *t = world_talk_with(w, of_client, &client, of_server, &server, NULL, NULL);
        tls_host host = world_host;
        host.ticket_key = key_and_no_random;
        /* Its size is asked for, it is saved, and sealed with a nonce. */
        if (i < 2)
            fail_call("mbedtls_ssl_session_save", MBEDTLS_ERR_SSL_BAD_INPUT_DATA, i);
        else
            t->server.session->host = &host;
        talk_handshake(t);
        assert_int_equal(fail_none(), 1);
        assert_int_equal(t->client.blobs, 0);
        end_says(&t->client, "hello", 5);
        end_says(&t->server, "hello", 5);
    }
}

static void TLS_16_keys_that_cannot_be_exported(void **state)
{
    unsigned char out[32];
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    talk *t = talk_of(w);
    talk_handshake(t);
#if !MBED_3
    fail_call("mbedtls_ssl_tls_prf", MBEDTLS_ERR_MD_ALLOC_FAILED, 0);
    assert_code(weir__tls_engine.export_keys(t->client.session, "EXPORTER-a", NULL, 0, out, sizeof(out)), UV_ENOMEM);
    fail_call("mbedtls_ssl_tls_prf", MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE, 0);
    assert_code(weir__tls_engine.export_keys(t->client.session, "EXPORTER-a", NULL, 0, out, sizeof(out)), UV_EINVAL);
    allocator_fail(1, 0);
    assert_code(weir__tls_engine.export_keys(t->client.session, "EXPORTER-a", NULL, 0, out, sizeof(out)), UV_ENOMEM);
    allocator_fail(0, 0);
#endif
    assert_code(weir__tls_engine.export_keys(t->client.session, "EXPORTER-a", NULL, 0, out, sizeof(out)), 0);
}

static void TLS_16_facts_that_cannot_be_made_are_not_known(void **state)
{
    world *w = world_of(*state);
    talk *t = talk_of(w);
    talk_handshake(t);
    fail_call("mbedtls_pem_write_buffer", MBEDTLS_ERR_PEM_ALLOC_FAILED, 0);
    assert_string_equal(end_text(&t->client, "tls.peer.pem"), "");
    assert_int_equal(fail_none(), 1);
    fail_call("mbedtls_md", MBEDTLS_ERR_MD_BAD_INPUT_DATA, 0);
    assert_string_equal(end_text(&t->client, "tls.peer.fingerprint256"), "");
    assert_int_equal(fail_none(), 1);
    assert_int_equal(strlen(end_text(&t->client, "tls.peer.fingerprint256")), 95);
    assert_int_equal(strncmp(end_text(&t->client, "tls.peer.pem"), "-----BEGIN CERTIFICATE-----\n", 28), 0);
}

/* ---- verification ---- */

/* A digest that is not there is not the one that is expected. */
static void TLS_21_a_pin_that_cannot_be_compared_lets_nobody_in(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        const tls_settings server = world_server(w, "localhost");
        unsigned char pins[1][TLS_DIGEST_SIZE];
        mbedtls_x509_crt parsed;
        mbedtls_x509_crt_init(&parsed);
        assert_int_equal(mbedtls_x509_crt_parse(&parsed, (const unsigned char *)server.cert.data, server.cert.size + 1),
                         0);
        assert_int_equal(weir__mbed_sha256(parsed.pk_raw.p, parsed.pk_raw.len, pins[0]), 0);
        mbedtls_x509_crt_free(&parsed);
        client.pins = pins;
        client.pin_count = 1;
        talk_handshake(world_talk(w, &client, &server, NULL, NULL));
        int refused = 0;
        for (unsigned after = 0; !refused; after++) {
            /* The library itself asks for digests too; the pin's is among the first. */
            talk *t = world_talk(w, &client, &server, NULL, NULL);
            fail_call("mbedtls_md", MBEDTLS_ERR_MD_BAD_INPUT_DATA, after);
            talk_run(t);
            assert_int_equal(fail_none(), 1);
            assert_int_equal(t->client.result, TLS_FAILED);
            refused = strcmp(end_text(&t->client, "tls.authorizationError"), "ERR_TLS_CERT_PIN_MISMATCH") == 0;
        }
    }
}

/* The refused certificate is a fact, unless there is no memory for it: refused it is all the same. */
static void TLS_16_a_refused_certificate_that_cannot_be_kept(void **state)
{
    world *w = world_of(*state);
    const tls_settings client = world_client(w);
    tls_settings server = world_server(w, "localhost");
    world_identify(w, &server, &(wish){.host = "localhost", .subject = "CN=alone", .self_signed = 1});
    tls_credentials *of_client = world_credentials(w, &client);
    tls_credentials *of_server = world_credentials(w, &server);
    unsigned lost = 0;
    size_t failures = 1;
    for (size_t nth = 1; failures > 0 && w->talk_count < 60; nth++) {
        talk *t = world_talk_with(w, of_client, &client, of_server, &server, NULL, NULL);
        allocator_fail(nth, 0);
        talk_run(t);
        failures = allocator_failures();
        allocator_fail(0, 0);
        assert_int_equal(t->client.result, TLS_FAILED);
        assert_true(t->client.error->code == UV_EPROTO || t->client.error->code == UV_ENOMEM);
        if (strcmp(end_text(&t->client, "tls.authorizationError"), "DEPTH_ZERO_SELF_SIGNED_CERT") != 0)
            continue;
        const char *subject = end_text(&t->client, "tls.peer.subject");
        lost += *subject == '\0';
        if (*subject)
            assert_string_equal(subject, "CN=alone");
    }
    assert_int_equal(failures, 0);
    assert_true(lost > 0);
    talk *t = world_talk_with(w, of_client, &client, of_server, &server, NULL, NULL);
    talk_run(t);
    allocator_fail(1, 0); /* it is parsed when it is asked for */
    assert_string_equal(end_text(&t->client, "tls.peer.subject"), "");
    allocator_fail(0, 0);
    fail_call("mbedtls_x509_crt_parse_der", MBEDTLS_ERR_X509_ALLOC_FAILED, 0);
    assert_string_equal(end_text(&t->client, "tls.peer.subject"), "");
    assert_int_equal(fail_none(), 1);
    assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=alone");
}

/* ---- the maker ---- */

static void a_certificate_that_cannot_be_made(void **state)
{
    static const char *const calls[] = {"mbedtls_ctr_drbg_random", "mbedtls_pk_write_key_pem"};
    world *w = world_of(*state);
    const mbed_cert_request request = {.subject = "CN=a", .from = 0, .until = 86400};
    (void)w;
    for (size_t i = 0; i < 2; i++) {
        unsigned met = 1;
        for (unsigned after = 0; met > 0; after++) {
            weir_error *error = NULL;
            mbed_cert made;
            fail_call(calls[i], MBEDTLS_ERR_PK_BAD_INPUT_DATA, after);
            int status = weir__mbed_cert_make(&request, &made, &error);
            met = fail_none();
            assert_code(status, met ? UV_EINVAL : 0);
            assert_int_equal(met > 0, error && !strncmp(error->message, "the certificate cannot be made: ", 32));
            assert_int_equal(met == 0, made.cert && made.key);
            weir_error_release(error);
            weir__mbed_cert_clear(&made);
            assert_true(after < 100);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_engine_without_random_bytes_is_none),
        WORLD_TEST(an_engine_of_another_release_is_refused),
        WORLD_TEST(random_bytes_and_digests_that_fail),
        WORLD_TEST(TLS_14_options_that_the_library_refuses),
        WORLD_TEST(TLS_09_a_list_of_revocations_without_memory),
        WORLD_TEST(TLS_13_suites_that_the_library_was_built_without),
        WORLD_TEST(TLS_13_suites_of_a_version_that_is_not_allowed),
        WORLD_TEST(a_session_that_cannot_be_configured_says_so),
        WORLD_TEST(TLS_12_a_ticket_that_cannot_be_made_is_not_given),
        WORLD_TEST(TLS_16_keys_that_cannot_be_exported),
        WORLD_TEST(TLS_16_facts_that_cannot_be_made_are_not_known),
        WORLD_TEST(TLS_21_a_pin_that_cannot_be_compared_lets_nobody_in),
        WORLD_TEST(TLS_16_a_refused_certificate_that_cannot_be_kept),
        WORLD_TEST(a_certificate_that_cannot_be_made),
    };
    return cmocka_run_group_tests_name("library faults", tests, NULL, NULL);
}
