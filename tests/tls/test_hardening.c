/* SPDX-License-Identifier: MIT */
/* What the engine's library would still do, or take, and the engine does not. */
#define _GNU_SOURCE

#include "engine_world.h"
#include "plain_client.h"

#include <stdlib.h>
#include <string.h>

/* ---- SHA-1 ---- */

/* The pairs of hash and signature (TLS 1.2), or the schemes, that a client's first message offers. */
static const unsigned char *signatures_of(const talk_end *server, size_t *size)
{
    for (size_t at = 0; at + 6 < server->in_size; at++) {
        const unsigned char *bytes = server->in + at;
        size_t whole = (size_t)bytes[2] << 8 | bytes[3];
        *size = (size_t)bytes[4] << 8 | bytes[5];
        if (bytes[0] == 0 && bytes[1] == 13 && whole == *size + 2 && *size % 2 == 0 && *size > 0 &&
            at + 4 + whole <= server->in_size)
            return bytes + 6;
    }
    return NULL;
}

static void TLS_13_a_client_takes_no_signature_by_an_old_hash(void **state)
{
    enum { SHA256 = 4, SHA512 = 6, NEWER = 8 };
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        weir_error *error = NULL;
        size_t size = 0;
        assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_WANT_READ);
        const unsigned char *offered = signatures_of(&t->server, &size);
        assert_non_null(offered);
        for (size_t i = 0; i < size; i += 2)
            if ((offered[i] < SHA256 || offered[i] > SHA512) && offered[i] != NEWER)
                fail_msg("%02x%02x is offered", offered[i], offered[i + 1]);
    }
}

#if !MBED_3
/* A client that knows nothing else gets no connection instead. */
static void TLS_13_a_server_does_not_sign_with_an_old_hash(void **state)
{
    static const int old[] = {MBEDTLS_MD_SHA1, MBEDTLS_MD_NONE};
    static const int usual[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE};
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    const mbed_cert *identity = world_issue(w, &(wish){.subject = "CN=client"});
    for (int is_old = 0; is_old < 2; is_old++) {
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        weir_error *error = NULL;
        plain_client plain;
        plain_begin(&plain, t, identity);
        mbedtls_ssl_conf_sig_hashes(&plain.config, is_old ? old : usual);
        assert_int_equal(mbedtls_ssl_handshake(&plain.ssl), MBEDTLS_ERR_SSL_WANT_READ);
        tls_result result = weir__tls_engine.handshake(t->server.session, &error);
        assert_int_equal(result, is_old ? TLS_FAILED : TLS_WANT_READ);
        weir_error_release(error);
        plain_end(&plain);
    }
}
#endif

/* ---- Diffie-Hellman with small numbers ---- */

static const unsigned char key[32] = "0123456789abcdef0123456789abcde";
static char identity[] = "somebody";

typedef struct plain_server {
    talk_end end;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
} plain_server;

/* Its modulus has so many bits. That it is no prime nobody asks, and both sides come to the same all the same. */
static void serve(plain_server *self, talk *t, size_t bits)
{
    static const unsigned char two = 2;
    unsigned char modulus[256];
    memset(modulus, 0xFF, sizeof(modulus));
    *self = (plain_server){.end = {.talk = t, .other = &t->client}};
    t->client.other = &self->end;
    mbedtls_ssl_config_init(&self->config);
    mbedtls_ssl_init(&self->ssl);
    assert_int_equal(mbedtls_ssl_config_defaults(&self->config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(&self->config, plain_random, t->w->instance);
#if MBED_3
    mbedtls_ssl_conf_max_tls_version(&self->config, MBEDTLS_SSL_VERSION_TLS1_2);
#endif
    assert_int_equal(
        mbedtls_ssl_conf_psk(&self->config, key, sizeof(key), (const unsigned char *)identity, sizeof(identity) - 1),
        0);
    assert_int_equal(mbedtls_ssl_conf_dh_param_bin(&self->config, modulus, bits / 8, &two, 1), 0);
    assert_int_equal(mbedtls_ssl_setup(&self->ssl, &self->config), 0);
    mbedtls_ssl_set_bio(&self->ssl, &self->end, plain_send, plain_receive, NULL);
}

static tls_result meet(talk *t, plain_server *server)
{
    tls_result result = TLS_WANT_READ;
    for (int i = 0; i < 10 && result == TLS_WANT_READ; i++) {
        weir_error *error = NULL;
        result = weir__tls_engine.handshake(t->client.session, &error);
        mbedtls_ssl_handshake(&server->ssl);
        if (error) {
            weir_error_release(t->client.error);
            t->client.error = error;
        }
    }
    return result;
}

static void TLS_13_a_client_takes_no_small_modulus(void **state)
{
    static char suite[] = "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256";
    static char *suites[] = {suite};
    static const size_t bits[] = {2048, 1024, 1536};
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        const tls_session_options unnamed = {.name = NULL};
        unsigned char own[sizeof(key)];
        tls_settings nobody = world_server(w, "localhost");
        tls_settings client = world_client(w);
        memcpy(own, key, sizeof(key));
        client.psk_identity = identity;
        client.psk = own;
        client.psk_size = sizeof(own);
        client.ciphers = (tls_list){.items = suites, .count = 1};
        talk *t = world_talk(w, &client, &nobody, &unnamed, NULL);
        plain_server server;
        serve(&server, t, bits[i]);
        assert_int_equal(meet(t, &server), i == 0 ? TLS_DONE : TLS_FAILED);
        t->client.other = &t->server;
        mbedtls_ssl_free(&server.ssl);
        mbedtls_ssl_config_free(&server.config);
        free(server.end.in);
    }
}

/* ---- a long list of authorities ---- */

/* What a server asks a client for in the clear: does it name this authority? */
static int names(world *w, const mbed_cert *trusted, size_t times, const char *subject)
{
    size_t length = strlen(trusted->cert);
    char all[40 * 1024] = "";
    tls_settings server = world_asking_server(w, 0);
    tls_settings client = world_client(w);
    weir_error *error = NULL;
    assert_true(times * length < sizeof(all));
    for (size_t i = 0; i < times; i++)
        memcpy(all + i * length, trusted->cert, length + 1);
    server.ca = world_materials(w, all, "/ca");
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_WANT_READ);
    assert_int_equal(weir__tls_engine.handshake(t->server.session, &error), TLS_WANT_READ);
    int named = memmem(t->client.in, t->client.in_size, subject, strlen(subject)) != NULL;
    t->client.result = t->server.result = TLS_WANT_READ;
    talk_handshake(t);
    return named;
}

/* Of many authorities none is named: the list may be larger than the message it stands in. */
static void TLS_09_a_long_list_of_authorities_is_not_sent(void **state)
{
    static const char subject[] = "somebody to be trusted";
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12; /* later it is not in the clear */
    const mbed_cert *trusted =
        world_issue(w, &(wish){.subject = "CN=somebody to be trusted", .self_signed = 1, .is_authority = 1});
    assert_int_equal(names(w, trusted, 1, subject), 1);
    assert_int_equal(names(w, trusted, 32, subject), 1);
    assert_int_equal(names(w, trusted, 33, subject), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_13_a_client_takes_no_signature_by_an_old_hash),
#if !MBED_3
        WORLD_TEST(TLS_13_a_server_does_not_sign_with_an_old_hash),
#endif
        WORLD_TEST(TLS_13_a_client_takes_no_small_modulus),
        WORLD_TEST(TLS_09_a_long_list_of_authorities_is_not_sent),
    };
    return cmocka_run_group_tests_name("hardening", tests, NULL, NULL);
}
