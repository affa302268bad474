/* SPDX-License-Identifier: MIT */
/* The private key of a context: which of the many forms it has, what is done about each, and that it is the certificate's. */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"
#include "pbes2.h"

typedef struct reading {
    tls_credentials *credentials;
    const tls_material *material;
    const char *passphrase; /* NULL: none */
    const char *name;       /* of the file */
    tls_report *report;
} reading;

#define fault(state, ...) weir__tls_fault((state)->report, (state)->material->pointer, __VA_ARGS__)

/* ---- kinds of keys that mbedTLS does not know ---- */

static const struct {
    const char *oid;
    size_t size;
    const char *name;
} foreign[] = {
    {"\x06\x03\x2B\x65\x70", 5, "an Ed25519 key"},
    {"\x06\x03\x2B\x65\x71", 5, "an Ed448 key"},
    {"\x06\x03\x2B\x65\x6E", 5, "an X25519 key, which signs nothing"},
    {"\x06\x03\x2B\x65\x6F", 5, "an X448 key, which signs nothing"},
    {"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A", 11, "a key for RSA-PSS alone"},
};

const char *weir__mbed_foreign(const unsigned char *der, size_t size)
{
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (memmem(der, size, foreign[i].oid, foreign[i].size))
            return foreign[i].name;
    }
    return NULL;
}

/* Where the algorithm stands in a key: in the first bytes. */
static const char *foreign_key(const unsigned char *der, size_t size)
{
    return weir__mbed_foreign(der, size < 32 ? size : 32);
}

/* ---- one form after the other ---- */

static int tell(const reading *state, int result)
{
    char text[160];

    if (weir__mbed_is_no_memory(result))
        return UV_ENOMEM;
    if (result == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || result == MBEDTLS_ERR_PEM_PASSWORD_REQUIRED) {
        if (!state->credentials->settings->partial)
            fault(state, "the private key in %s is encrypted: \"passphrase\" is missing", state->name);
    } else if (result == MBEDTLS_ERR_PK_PASSWORD_MISMATCH || result == MBEDTLS_ERR_PEM_PASSWORD_MISMATCH) {
        fault(state, "the passphrase does not open the private key in %s", state->name);
    } else {
        weir__mbed_text(result, text, sizeof(text));
        fault(state, "%s holds no private key that can be read: %s", state->name, text);
    }
    return WEIR_EINVALID_CONFIG;
}

static int parse(const reading *state, const unsigned char *data, size_t size)
{
    const unsigned char *passphrase = (const unsigned char *)state->passphrase;
    size_t length = passphrase ? strlen(state->passphrase) : 0;

#if MBED_3
    return mbedtls_pk_parse_key(&state->credentials->key, data, size, passphrase, length, weir__mbed_random,
                                state->credentials->instance);
#else
    return mbedtls_pk_parse_key(&state->credentials->key, data, size, passphrase, length);
#endif
}

static int parse_plain(const reading *state, const unsigned char *der, size_t size, int was_encrypted)
{
    const char *other = foreign_key(der, size);

    if (other) {
        fault(state, "%s holds %s, which mbedTLS cannot use" MBED_NEW_KEY, state->name, other);
        return WEIR_EINVALID_CONFIG;
    }
    int result = parse(state, der, size);
    if (result == 0)
        return 0;
    /* What a wrong passphrase gives may end like a right one by chance; then it is no key. */
    if (was_encrypted && !weir__mbed_is_no_memory(result))
        result = MBEDTLS_ERR_PK_PASSWORD_MISMATCH;
    return tell(state, result);
}

static int parse_der(const reading *state, const unsigned char *der, size_t size)
{
    unsigned char *plain = NULL;
    size_t plain_size = 0;
    int status;

    switch (weir__mbed_pbes2(der, size, state->passphrase, &plain, &plain_size)) {
    case MBED_PBES2_DONE:
        if (!plain)
            return tell(state, MBEDTLS_ERR_PK_PASSWORD_REQUIRED);
        status = parse_plain(state, plain, plain_size, 1);
        weir__mbed_free_secret(plain, plain_size);
        return status;
    case MBED_PBES2_UNKNOWN:
        fault(
            state,
            "the private key in %s is encrypted in a way that cannot be undone here; convert it: openssl pkcs8 -topk8 "
            "-v2 aes-256-cbc -in OLD.key -out NEW.key",
            state->name);
        return WEIR_EINVALID_CONFIG;
    case MBED_PBES2_WRONG:
        return tell(state, MBEDTLS_ERR_PK_PASSWORD_MISMATCH);
    case MBED_PBES2_NO_MEMORY:
        return UV_ENOMEM;
    case MBED_PBES2_OTHER:
        break;
    }
    return parse_plain(state, der, size, 0);
}

/* PKCS #8 in PEM, whose DER is looked at first. */
static int parse_pkcs8(const reading *state, const char *header, const char *footer)
{
    mbedtls_pem_context pem;
    size_t used;

    mbedtls_pem_init(&pem);
    int result =
        mbedtls_pem_read_buffer(&pem, header, footer, (const unsigned char *)state->material->data, NULL, 0, &used);
    int status = result == 0 ? parse_der(state, pem.buf, pem.buflen) : tell(state, result);
    mbedtls_pem_free(&pem);
    return status;
}

static int parse_pem(const reading *state)
{
    const char *text = state->material->data;

    if (strstr(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        return parse_pkcs8(state, "-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----");
    if (strstr(text, "-----BEGIN PRIVATE KEY-----"))
        return parse_pkcs8(state, "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    if (strstr(text, "-----BEGIN RSA PRIVATE KEY-----") || strstr(text, "-----BEGIN EC PRIVATE KEY-----")) {
        int result = parse(state, (const unsigned char *)text, state->material->size + 1);
        return result == 0 ? 0 : tell(state, result);
    }
    if (strstr(text, "-----BEGIN OPENSSH PRIVATE KEY-----"))
        fault(state, "the private key in %s is in OpenSSH's own form; convert it: ssh-keygen -p -m PEM -f FILE",
              state->name);
    else if (strstr(text, "PRIVATE KEY-----"))
        fault(state, "%s holds a private key of a kind that mbedTLS cannot use" MBED_NEW_KEY, state->name);
    else if (text == state->credentials->settings->cert.data)
        fault(state, "\"key\" is missing, and %s holds no private key: there is no line -----BEGIN PRIVATE KEY-----",
              state->name);
    else if (strstr(text, "-----BEGIN CERTIFICATE-----"))
        fault(state, "%s holds a certificate and no private key: there is no line -----BEGIN PRIVATE KEY-----",
              state->name);
    else
        fault(state, "%s holds no private key: there is no line -----BEGIN PRIVATE KEY-----", state->name);
    return WEIR_EINVALID_CONFIG;
}

/* ---- the certificate's ---- */

int weir__mbed_key_of_chain(tls_credentials *credentials, tls_report *report)
{
    const tls_settings *settings = credentials->settings;

#if MBED_3
    int result =
        mbedtls_pk_check_pair(&credentials->chain.pk, &credentials->key, weir__mbed_random, credentials->instance);
#else
    int result = mbedtls_pk_check_pair(&credentials->chain.pk, &credentials->key);
#endif
    if (result == 0)
        return 0;
    if (weir__mbed_is_no_memory(result))
        return UV_ENOMEM;
    weir__tls_fault(report, settings->key.pointer, "the private key in %s is not that of the certificate in %s",
                    weir__mbed_material_name(&settings->key), weir__mbed_material_name(&settings->cert));
    return WEIR_EINVALID_CONFIG;
}

int weir__mbed_key(tls_credentials *credentials, tls_report *report)
{
    const tls_settings *settings = credentials->settings;
    const reading state = {.credentials = credentials,
                           .material = &settings->key,
                           .passphrase = settings->passphrase && *settings->passphrase ? settings->passphrase : NULL,
                           .name = weir__mbed_material_name(&settings->key),
                           .report = report};
    const unsigned char *data = (const unsigned char *)settings->key.data;
    int status = WEIR_EINVALID_CONFIG;

    if (settings->key.size == 0 || data[0] != 0x30)
        status = parse_pem(&state);
    else if (!weir__mbed_refuse_container(&settings->key, report))
        status = parse_der(&state, data, settings->key.size);
    return status;
}
