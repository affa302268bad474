/* SPDX-License-Identifier: MIT */
/* A client on the engine's library alone. */
#define _GNU_SOURCE

#include "plain_client.h"

#include <stdlib.h>
#include <string.h>

int plain_random(void *instance, unsigned char *data, size_t size)
{
    return weir__tls_engine.random(instance, data, size);
}

int plain_send(void *arg, const unsigned char *data, size_t size)
{
    return world_host.send(arg, data, size) == 0 ? (int)size : -1;
}

int plain_receive(void *arg, unsigned char *data, size_t size)
{
    size_t got = world_host.receive(arg, data, size);
    return got > 0 ? (int)got : MBEDTLS_ERR_SSL_WANT_READ;
}

static void identify(plain_client *client, const mbed_cert *identity)
{
    const unsigned char *cert = (const unsigned char *)identity->cert;
    const unsigned char *key = (const unsigned char *)identity->key;
    size_t size = strlen(identity->key) + 1;
    assert_int_equal(mbedtls_x509_crt_parse(&client->cert, cert, strlen(identity->cert) + 1), 0);
#if MBED_3
    assert_int_equal(mbedtls_pk_parse_key(&client->key, key, size, NULL, 0, plain_random, client->t->w->instance), 0);
#else
    assert_int_equal(mbedtls_pk_parse_key(&client->key, key, size, NULL, 0), 0);
#endif
    assert_int_equal(mbedtls_ssl_conf_own_cert(&client->config, &client->cert, &client->key), 0);
}

void plain_begin(plain_client *client, talk *t, const mbed_cert *identity)
{
    *client = (plain_client){.t = t, .end = {.talk = t, .other = &t->server}};
    t->server.other = &client->end;
    mbedtls_ssl_config_init(&client->config);
    mbedtls_ssl_init(&client->ssl);
    mbedtls_x509_crt_init(&client->cert);
    mbedtls_pk_init(&client->key);
    assert_int_equal(mbedtls_ssl_config_defaults(&client->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(&client->config, plain_random, t->w->instance);
    mbedtls_ssl_conf_authmode(&client->config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_session_tickets(&client->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    mbedtls_ssl_conf_renegotiation(&client->config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    identify(client, identity);
    assert_int_equal(mbedtls_ssl_setup(&client->ssl, &client->config), 0);
    mbedtls_ssl_set_bio(&client->ssl, &client->end, plain_send, plain_receive, NULL);
}

void plain_handshake(plain_client *client)
{
    talk_end *server = &client->t->server;
    int result = MBEDTLS_ERR_SSL_WANT_READ;
    for (int i = 0; i < 10 && (result == MBEDTLS_ERR_SSL_WANT_READ || server->result == TLS_WANT_READ); i++) {
        weir_error *error = NULL;
        if (result == MBEDTLS_ERR_SSL_WANT_READ)
            result = mbedtls_ssl_handshake(&client->ssl);
        if (server->result == TLS_WANT_READ)
            server->result = weir__tls_engine.handshake(server->session, &error);
        weir_error_release(error);
    }
    assert_int_equal(result, 0);
    assert_int_equal(server->result, TLS_DONE);
}

void plain_end(plain_client *client)
{
    mbedtls_ssl_free(&client->ssl);
    mbedtls_ssl_config_free(&client->config);
    mbedtls_x509_crt_free(&client->cert);
    mbedtls_pk_free(&client->key);
    client->t->server.other = &client->t->client;
    free(client->end.in);
}
