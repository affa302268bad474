/* SPDX-License-Identifier: MIT */
/*
 * Session tickets: sealed with AES-256-GCM by keys of the layer, which rotates them, and good only where the same clients are
 * let in: that binding is authenticated along with each (TLS-12). A ticket is
 *
 *     the key's name (16)   nonce (12)   sealed envelope   tag (16)
 */
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

enum {
    NAME = 16,
    NONCE = 12,
    TAG = 16,
    TICKET_MOST = 8192 /* a client has to send it in its first message, which is 16 KiB at most */
};

static void associate(const tls_ticket_key *key, unsigned char data[NAME + TLS_DIGEST_SIZE])
{
    memcpy(data, key->name, NAME);
    memcpy(data + NAME, key->binding, TLS_DIGEST_SIZE);
}

static int seal(mbed_instance *instance, const tls_ticket_key *key, const unsigned char *plain, size_t size,
                unsigned char *ticket)
{
    unsigned char associated[NAME + TLS_DIGEST_SIZE];
    unsigned char *sealed = ticket + NAME + NONCE;
    mbedtls_gcm_context context;

    associate(key, associated);
    memcpy(ticket, key->name, NAME);
    int result = weir__mbed_random(instance, ticket + NAME, NONCE);
    if (result != 0)
        return result;
    mbedtls_gcm_init(&context);
    result = mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, key->key, 256);
    if (result == 0)
        result = mbedtls_gcm_crypt_and_tag(&context, MBEDTLS_GCM_ENCRYPT, size, ticket + NAME, NONCE, associated,
                                           sizeof(associated), plain, sealed, TAG, sealed + size);
    mbedtls_gcm_free(&context);
    return result;
}

/* No ticket: of no length in TLS 1.2; in 1.3, where a ticket has to have one, of no life. */
static int give_none(const tls_session *session, unsigned char *start, size_t *size, uint32_t *lifetime)
{
    int none = strcmp(mbedtls_ssl_get_version(&session->ssl), "TLSv1.3") == 0 ? NAME : 0;

    memset(start, 0, (size_t)none);
    *size = (size_t)none;
    *lifetime = 0;
    return 0;
}

int weir__mbed_ticket_write(void *arg, const mbedtls_ssl_session *state, unsigned char *start, const unsigned char *end,
                            size_t *size, uint32_t *lifetime)
{
    tls_session *session = arg;
    size_t room = (size_t)(end - start);
    size_t plain_size = 0;
    tls_ticket_key key;

    if (room < NAME)
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    if (session->host->ticket_key(session->arg, NULL, &key) != 0)
        return give_none(session, start, size, lifetime);
    *lifetime = key.lifetime < MBED_SESSION_LIFE ? key.lifetime : MBED_SESSION_LIFE;
    unsigned char *plain = weir__mbed_pack(session, state, lifetime, &plain_size);
    size_t whole = NAME + NONCE + plain_size + TAG;
    int sealed = plain && whole <= room && whole <= TICKET_MOST &&
                 seal(session->credentials->instance, &key, plain, plain_size, start) == 0;
    mbedtls_platform_zeroize(&key, sizeof(key));
    weir__mbed_free_secret(plain, plain_size);
    if (!sealed)
        return give_none(session, start, size, lifetime);
    *size = whole;
    return 0;
}

static int unseal(const tls_ticket_key *key, const unsigned char *ticket, size_t plain_size, unsigned char *plain)
{
    unsigned char associated[NAME + TLS_DIGEST_SIZE];
    const unsigned char *sealed = ticket + NAME + NONCE;
    mbedtls_gcm_context context;

    associate(key, associated);
    mbedtls_gcm_init(&context);
    int result = mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, key->key, 256);
    if (result == 0)
        result = mbedtls_gcm_auth_decrypt(&context, plain_size, ticket + NAME, NONCE, associated, sizeof(associated),
                                          sealed + plain_size, TAG, sealed, plain);
    mbedtls_gcm_free(&context);
    return result;
}

/* A session of another version of TLS would be taken by mbedTLS 3.6 on 1.2. */
static int is_of_this_version(const tls_session *session, const mbedtls_ssl_session *state)
{
#if MBED_3
    return state->tls_version == session->ssl.tls_version;
#else
    (void)session;
    (void)state;
    return 1;
#endif
}

int weir__mbed_ticket_parse(void *arg, mbedtls_ssl_session *state, unsigned char *data, size_t size)
{
    tls_session *session = arg;
    tls_ticket_key key;

    if (size <= NAME + NONCE + TAG || size > TICKET_MOST)
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    if (session->host->ticket_key(session->arg, data, &key) != 0)
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    size_t plain_size = size - NAME - NONCE - TAG;
    unsigned char *plain = weir_malloc(plain_size);
    int result = plain ? unseal(&key, data, plain_size, plain) : MBEDTLS_ERR_SSL_ALLOC_FAILED;
    mbedtls_platform_zeroize(&key, sizeof(key));
    if (result != 0)
        result = MBEDTLS_ERR_SSL_INVALID_MAC;
    else if (weir__mbed_unpack(session, plain, plain_size, state) != 0 || !is_of_this_version(session, state))
        result = MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
    else
        session->proven = MBED_BY_SESSION;
    weir__mbed_free_secret(plain, plain_size);
    return result;
}
