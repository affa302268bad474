/* SPDX-License-Identifier: MIT */
/*
 * Early data is not taken, but a client that another server has promised it may send some (RFC 8446, 4.2.10): the records
 * that cannot be opened are skipped, up to the first that can be. mbedTLS does that only where it takes early data itself,
 * which Debian's does not; so records pass through here until the client's second flight has begun.
 */
#include <string.h>

#include <weir/runtime.h>

#include "mbed.h"

#if MBED_EARLY

#include <mbedtls/hkdf.h>

enum {
    HEADER = 5,
    CIPHERTEXT_MOST = 16384 + 256,
    SKIP_MOST = 65536, /* servers that take early data promise 16 KiB, as a rule */
    NONCE = 12,
    KEY_MOST = 32
};

struct mbed_early {
    unsigned char record[HEADER + CIPHERTEXT_MOST];
    unsigned char plain[CIPHERTEXT_MOST]; /* of a record that was tried */
    size_t have;
    size_t given; /* of a record that was judged */
    int judged;
    int done; /* nothing more is judged */
    size_t skipped;
    unsigned char secret[64];
    size_t secret_size; /* 0: the client's keys are not known yet */
};

static const struct {
    int suite;
    mbedtls_cipher_type_t cipher;
    mbedtls_md_type_t hash;
    size_t key;
    size_t tag;
} openers[] = {
    {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_CIPHER_AES_128_GCM, MBEDTLS_MD_SHA256, 16, 16},
    {MBEDTLS_TLS1_3_AES_256_GCM_SHA384, MBEDTLS_CIPHER_AES_256_GCM, MBEDTLS_MD_SHA384, 32, 16},
    {MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, MBEDTLS_CIPHER_CHACHA20_POLY1305, MBEDTLS_MD_SHA256, 32, 16},
    {MBEDTLS_TLS1_3_AES_128_CCM_SHA256, MBEDTLS_CIPHER_AES_128_CCM, MBEDTLS_MD_SHA256, 16, 16},
    {MBEDTLS_TLS1_3_AES_128_CCM_8_SHA256, MBEDTLS_CIPHER_AES_128_CCM, MBEDTLS_MD_SHA256, 16, 8},
};

#define OPENERS (sizeof(openers) / sizeof(openers[0]))

int weir__mbed_early_begin(tls_session *session)
{
    session->early = weir_calloc(1, sizeof(*session->early));
    return session->early ? 0 : MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

void weir__mbed_early_end(tls_session *session)
{
    if (session->early)
        mbedtls_platform_zeroize(session->early, sizeof(*session->early));
    weir_free(session->early);
    session->early = NULL;
}

void weir__mbed_early_secret(tls_session *session, const unsigned char *secret, size_t size)
{
    if (!session->early || size > sizeof(session->early->secret))
        return;
    memcpy(session->early->secret, secret, size);
    session->early->secret_size = size;
}

/* ---- opening ---- */

/* HKDF-Expand-Label without a context; `label` with its prefix. */
static int expand(const mbed_early *early, mbedtls_md_type_t hash, const char *label, unsigned char *out, size_t size)
{
    unsigned char info[32];
    size_t length = strlen(label);

    info[0] = 0;
    info[1] = (unsigned char)size;
    info[2] = (unsigned char)length;
    memcpy(info + 3, label, length);
    info[3 + length] = 0;
    return mbedtls_hkdf_expand(mbedtls_md_info_from_type(hash), early->secret, early->secret_size, info, length + 4,
                               out, size);
}

static int decrypt(mbed_early *early, size_t i, const unsigned char *key, const unsigned char *nonce)
{
    mbedtls_cipher_context_t context;
    size_t size = early->have - HEADER;
    size_t done = 0;

    mbedtls_cipher_init(&context);
    int result = mbedtls_cipher_setup(&context, mbedtls_cipher_info_from_type(openers[i].cipher));
    if (result == 0)
        result = mbedtls_cipher_setkey(&context, key, (int)(openers[i].key * 8), MBEDTLS_DECRYPT);
    if (result == 0)
        result = mbedtls_cipher_auth_decrypt_ext(&context, nonce, NONCE, early->record, HEADER, early->record + HEADER,
                                                 size, early->plain, sizeof(early->plain), &done, openers[i].tag);
    mbedtls_cipher_free(&context);
    return result;
}

/* Is this the first record by the client's keys of the handshake? Where that cannot be told mbedTLS is to see it. */
static int opens(tls_session *session)
{
    mbed_early *early = session->early;
    unsigned char key[KEY_MOST];
    unsigned char nonce[NONCE]; /* of number 0 it is the secret's own */
    size_t i = 0;

    while (i < OPENERS && openers[i].suite != session->ssl.session_negotiate->ciphersuite)
        i++;
    if (i == OPENERS)
        return 1;
    if (early->have - HEADER <= openers[i].tag)
        return 0;
    int result = expand(early, openers[i].hash, "tls13 key", key, openers[i].key);
    if (result == 0)
        result = expand(early, openers[i].hash, "tls13 iv", nonce, NONCE);
    int good = result != 0 || decrypt(early, i, key, nonce) == 0;
    mbedtls_platform_zeroize(key, sizeof(key));
    return good;
}

/* ---- records ---- */

/* 1: a whole record is there, or the head of one that is too long for any. */
static int fetch(tls_session *session)
{
    mbed_early *early = session->early;

    for (;;) {
        size_t wanted = HEADER;
        if (early->have >= HEADER) {
            wanted += (size_t)early->record[3] << 8 | early->record[4];
            if (wanted > sizeof(early->record) || early->have == wanted)
                return 1;
        }
        size_t got = session->host->receive(session->arg, early->record + early->have, wanted - early->have);
        if (got == 0)
            return 0;
        early->have += got;
    }
}

/* 1: mbedTLS gets it. */
static int judge(tls_session *session)
{
    mbed_early *early = session->early;

    if (early->have < HEADER + 1 || early->record[0] != MBEDTLS_SSL_MSG_APPLICATION_DATA)
        return 1;
    /* Without keys another ClientHello is waited for. */
    early->done = early->secret_size > 0 && opens(session);
    early->skipped += early->have;
    if (!early->done && early->skipped <= SKIP_MOST)
        return 0;
    early->done = 1;
    return 1;
}

size_t weir__mbed_early_receive(tls_session *session, unsigned char *data, size_t size)
{
    mbed_early *early = session->early;

    while (!early->judged) {
        if (!fetch(session))
            return 0;
        early->judged = judge(session);
        if (!early->judged)
            early->have = 0;
    }
    if (size > early->have - early->given)
        size = early->have - early->given;
    memcpy(data, early->record + early->given, size);
    early->given += size;
    if (early->given < early->have)
        return size;
    early->have = early->given = 0;
    early->judged = 0;
    if (early->done)
        weir__mbed_early_end(session);
    return size;
}

#endif
