/* SPDX-License-Identifier: MIT */
/*
 * A client of another make, on the engine's library alone: it knows no tickets, keeps sessions by their ids, shows a
 * certificate, trusts everybody, and may ask for what ours never do.
 */
#ifndef WEIR_TEST_PLAIN_CLIENT_H
#define WEIR_TEST_PLAIN_CLIENT_H

#include "engine_world.h"
#include "plugins/tls/mbedtls/library.h"

typedef struct plain_client {
    talk *t;
    talk_end end; /* in the place of the talk's client, as long as it lives */
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
} plain_client;

/* What the library asks for: the random bytes of an engine's instance, and the bytes of a talk_end. */
int plain_random(void *instance, unsigned char *data, size_t size);
int plain_send(void *arg, const unsigned char *data, size_t size);
int plain_receive(void *arg, unsigned char *data, size_t size);

void plain_begin(plain_client *client, talk *t, const mbed_cert *identity);
void plain_handshake(plain_client *client);
void plain_end(plain_client *client);

#endif
