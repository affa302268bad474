/* SPDX-License-Identifier: MIT */
/* PBES2 (RFC 8018): PBKDF2 with HMAC, then a block cipher in CBC mode. */
#include "pbes2.h"

#include <string.h>

#include <weir/runtime.h>

#include "library.h"
#include "mbed.h"

#define SEQUENCE        (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define ITERATIONS_MOST 100000000 /* a minute: more is no key's file but a mistake */

typedef struct scheme {
    mbedtls_asn1_buf salt;
    int iterations;
    mbedtls_md_type_t hash;
    mbedtls_cipher_type_t cipher;
    mbedtls_asn1_buf iv;
    mbedtls_asn1_buf encrypted;
} scheme;

/* ---- names ---- */

typedef struct named {
    const char *oid;
    size_t size;
    int value;
} named;

#define OID(bytes, value)                      \
    {                                          \
        bytes, sizeof(bytes) - 1, (int)(value) \
    }

static const named hashes[] = {
    OID("\x2A\x86\x48\x86\xF7\x0D\x02\x07", MBEDTLS_MD_SHA1),
    OID("\x2A\x86\x48\x86\xF7\x0D\x02\x08", MBEDTLS_MD_SHA224),
    OID("\x2A\x86\x48\x86\xF7\x0D\x02\x09", MBEDTLS_MD_SHA256),
    OID("\x2A\x86\x48\x86\xF7\x0D\x02\x0A", MBEDTLS_MD_SHA384),
    OID("\x2A\x86\x48\x86\xF7\x0D\x02\x0B", MBEDTLS_MD_SHA512),
    {NULL, 0, 0},
};

static const named ciphers[] = {
    OID("\x60\x86\x48\x01\x65\x03\x04\x01\x02", MBEDTLS_CIPHER_AES_128_CBC),
    OID("\x60\x86\x48\x01\x65\x03\x04\x01\x16", MBEDTLS_CIPHER_AES_192_CBC),
    OID("\x60\x86\x48\x01\x65\x03\x04\x01\x2A", MBEDTLS_CIPHER_AES_256_CBC),
    OID("\x2A\x86\x48\x86\xF7\x0D\x03\x07", MBEDTLS_CIPHER_DES_EDE3_CBC),
    {NULL, 0, 0},
};

static const named schemes[] = {OID("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D", 1), {NULL, 0, 0}};
static const named derivations[] = {OID("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C", 1), {NULL, 0, 0}};

static int value_of(const named *table, const mbedtls_asn1_buf *oid)
{
    for (; table->oid; table++) {
        if (table->size == oid->len && memcmp(table->oid, oid->p, oid->len) == 0)
            return table->value;
    }
    return 0;
}

/* ---- reading ---- */

/* An element's content, behind which `*at` goes on. */
static int take(unsigned char **at, const unsigned char *end, int tag, mbedtls_asn1_buf *content)
{
    if (mbedtls_asn1_get_tag(at, end, &content->len, tag) != 0)
        return 0;
    content->tag = tag;
    content->p = *at;
    *at += content->len;
    return 1;
}

static int read_derivation(const mbedtls_asn1_buf *parameters, scheme *into)
{
    unsigned char *at = parameters->p;
    const unsigned char *end = at + parameters->len;
    mbedtls_asn1_buf algorithm;
    mbedtls_asn1_buf hash;
    int ignored;

    if (!take(&at, end, MBEDTLS_ASN1_OCTET_STRING, &into->salt) ||
        mbedtls_asn1_get_int(&at, end, &into->iterations) != 0)
        return 0;
    into->hash = MBEDTLS_MD_SHA1;
    if (at < end && *at == MBEDTLS_ASN1_INTEGER && mbedtls_asn1_get_int(&at, end, &ignored) != 0)
        return 0;
    if (at == end)
        return 1;
    if (!take(&at, end, SEQUENCE, &algorithm))
        return 0;
    unsigned char *inner = algorithm.p;
    if (!take(&inner, algorithm.p + algorithm.len, MBEDTLS_ASN1_OID, &hash))
        return 0;
    into->hash = (mbedtls_md_type_t)value_of(hashes, &hash);
    return into->hash != MBEDTLS_MD_NONE;
}

static mbed_pbes2 read_scheme(unsigned char *der, size_t size, scheme *into)
{
    const unsigned char *end = der + size;
    mbedtls_asn1_buf whole;
    mbedtls_asn1_buf part;
    mbedtls_asn1_buf name;
    mbedtls_asn1_buf derivation;
    mbedtls_asn1_buf parameters;

    if (!take(&der, end, SEQUENCE, &whole))
        return MBED_PBES2_OTHER;
    der = whole.p;
    end = whole.p + whole.len;
    if (!take(&der, end, SEQUENCE, &part) || !take(&der, end, MBEDTLS_ASN1_OCTET_STRING, &into->encrypted))
        return MBED_PBES2_OTHER;
    der = part.p;
    end = part.p + part.len;
    if (!take(&der, end, MBEDTLS_ASN1_OID, &name) || !value_of(schemes, &name))
        return MBED_PBES2_OTHER;
    if (!take(&der, end, SEQUENCE, &part))
        return MBED_PBES2_UNKNOWN;
    der = part.p;
    end = part.p + part.len;
    if (!take(&der, end, SEQUENCE, &derivation) || !take(&der, end, SEQUENCE, &part))
        return MBED_PBES2_UNKNOWN;
    der = derivation.p;
    end = derivation.p + derivation.len;
    if (!take(&der, end, MBEDTLS_ASN1_OID, &name) || !value_of(derivations, &name) ||
        !take(&der, end, SEQUENCE, &parameters) || !read_derivation(&parameters, into))
        return MBED_PBES2_UNKNOWN;
    der = part.p;
    end = part.p + part.len;
    if (!take(&der, end, MBEDTLS_ASN1_OID, &name) || !take(&der, end, MBEDTLS_ASN1_OCTET_STRING, &into->iv))
        return MBED_PBES2_UNKNOWN;
    into->cipher = (mbedtls_cipher_type_t)value_of(ciphers, &name);
    size_t block = into->cipher == MBEDTLS_CIPHER_DES_EDE3_CBC ? 8 : 16;
    if (into->cipher == MBEDTLS_CIPHER_NONE || into->iv.len != block || into->iterations < 1 ||
        into->iterations > ITERATIONS_MOST)
        return MBED_PBES2_UNKNOWN;
    return MBED_PBES2_DONE;
}

/* ---- opening ---- */

static int derive(const scheme *from, const char *passphrase, unsigned char *key, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)passphrase;
    size_t length = strlen(passphrase);

#if MBED_3
    return mbedtls_pkcs5_pbkdf2_hmac_ext(from->hash, bytes, length, from->salt.p, from->salt.len,
                                         (unsigned)from->iterations, (uint32_t)size, key);
#else
    mbedtls_md_context_t context;
    mbedtls_md_init(&context);
    int result = mbedtls_md_setup(&context, mbedtls_md_info_from_type(from->hash), 1);
    if (result == 0)
        result = mbedtls_pkcs5_pbkdf2_hmac(&context, bytes, length, from->salt.p, from->salt.len,
                                           (unsigned)from->iterations, (uint32_t)size, key);
    mbedtls_md_free(&context);
    return result;
#endif
}

static int decrypt(const scheme *from, const char *passphrase, unsigned char *plain, size_t *size)
{
    const mbedtls_cipher_info_t *info = mbedtls_cipher_info_from_type(from->cipher);
    unsigned char key[MBEDTLS_MAX_KEY_LENGTH];
    mbedtls_cipher_context_t context;

    mbedtls_cipher_init(&context);
    int result = mbedtls_cipher_setup(&context, info);
    /* What 2.28 does by itself, and 3.6 does not. */
    if (result == 0)
        result = mbedtls_cipher_set_padding_mode(&context, MBEDTLS_PADDING_PKCS7);
    if (result == 0)
        result = derive(from, passphrase, key, (size_t)mbedtls_cipher_get_key_bitlen(&context) / 8);
    if (result == 0)
        result = mbedtls_cipher_setkey(&context, key, mbedtls_cipher_get_key_bitlen(&context), MBEDTLS_DECRYPT);
    if (result == 0)
        result = mbedtls_cipher_crypt(&context, from->iv.p, from->iv.len, from->encrypted.p, from->encrypted.len, plain,
                                      size);
    mbedtls_platform_zeroize(key, sizeof(key));
    mbedtls_cipher_free(&context);
    return result;
}

mbed_pbes2 weir__mbed_pbes2(const unsigned char *der, size_t size, const char *passphrase, unsigned char **plain,
                            size_t *plain_size)
{
    union {
        const unsigned char *borrowed;
        unsigned char *der;
    } whole = {.borrowed = der}; /* it is only read, through an interface that knows no const */
    scheme found;

    *plain = NULL;
    mbed_pbes2 verdict = read_scheme(whole.der, size, &found);
    if (verdict != MBED_PBES2_DONE || !passphrase)
        return verdict;
    /* What one more block of the cipher may need. */
    size_t room = found.encrypted.len + 32;
    *plain = weir_malloc(room);
    if (!*plain)
        return MBED_PBES2_NO_MEMORY;
    int result = decrypt(&found, passphrase, *plain, plain_size);
    if (result == 0)
        return MBED_PBES2_DONE;
    mbedtls_platform_zeroize(*plain, room);
    weir_free(*plain);
    *plain = NULL;
    return weir__mbed_is_no_memory(result) ? MBED_PBES2_NO_MEMORY : MBED_PBES2_WRONG;
}
