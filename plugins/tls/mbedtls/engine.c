/* SPDX-License-Identifier: MIT */
/* The engine's table, and what it has in one runtime: a generator of random bytes, and the trust that contexts share. */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "make_cert.h"
#include "mbed.h"

int weir__mbed_random(void *instance, unsigned char *data, size_t size)
{
    mbed_instance *own = instance;

    while (size > 0) {
        size_t part = size < MBEDTLS_CTR_DRBG_MAX_REQUEST ? size : MBEDTLS_CTR_DRBG_MAX_REQUEST;
        int result = mbedtls_ctr_drbg_random(&own->drbg, data, part);
        if (result != 0)
            return result;
        data += part;
        size -= part;
    }
    return 0;
}

int weir__mbed_sha256(const void *data, size_t size, unsigned char out[TLS_DIGEST_SIZE])
{
    return mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), data, size, out);
}

/* The headers' structs are what the library's functions work on: another release would work on other ones. */
static int check_release(weir_error **error)
{
    char running[18];

    if (mbedtls_version_get_number() >> 16 == MBEDTLS_VERSION_NUMBER >> 16)
        return 0;
    mbedtls_version_get_string(running);
    *error = weir_error_newf(UV_ENOSYS, NULL, NULL, -1,
                             "built for mbedTLS %s, but mbedTLS %s is what the system loads: build the plugin anew",
                             MBEDTLS_VERSION_STRING, running);
    return UV_ENOSYS;
}

static int start(mbed_instance *own, weir_error **error)
{
    static const unsigned char personal[] = "weir tls";
    int result = 0;

#if MBED_3
    /* Of the process: counts nothing, may be called by each runtime, and is never undone, for others may use it. */
    if (psa_crypto_init() != PSA_SUCCESS) {
        *error = weir_error_newf(UV_EIO, NULL, NULL, -1, "mbedTLS cannot be started: psa_crypto_init failed");
        return UV_EIO;
    }
#endif
    result = mbedtls_ctr_drbg_seed(&own->drbg, mbedtls_entropy_func, &own->entropy, personal, sizeof(personal) - 1);
    if (result != 0) {
        char text[128];
        weir__mbed_text(result, text, sizeof(text));
        *error = weir_error_newf(UV_EIO, NULL, NULL, -1, "mbedTLS finds no random bytes: %s", text);
        return UV_EIO;
    }
    return 0;
}

static void engine_exit(void *instance)
{
    mbed_instance *own = instance;

    mbedtls_ctr_drbg_free(&own->drbg);
    mbedtls_entropy_free(&own->entropy);
    weir_free(own);
}

static int engine_init(void **instance, weir_error **error)
{
    weir_error *why = NULL;
    int status = check_release(&why);
    mbed_instance *own = NULL;

    if (status == 0) {
        own = weir_calloc(1, sizeof(*own));
        if (!own)
            return UV_ENOMEM;
        mbedtls_entropy_init(&own->entropy);
        mbedtls_ctr_drbg_init(&own->drbg);
        status = start(own, &why);
    }
    if (status == 0) {
        *instance = own;
        return 0;
    }
    if (own)
        engine_exit(own);
    if (error)
        *error = why;
    else
        weir_error_release(why);
    return status;
}

static int engine_random(void *instance, void *data, size_t size)
{
    return weir__mbed_random(instance, data, size) == 0 ? 0 : UV_EIO;
}

static int engine_digest(void *instance, const tls_bytes *pieces, size_t count, unsigned char out[TLS_DIGEST_SIZE])
{
    mbedtls_md_context_t context;
    (void)instance;

    mbedtls_md_init(&context);
    int result = mbedtls_md_setup(&context, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0);
    if (result == 0)
        result = mbedtls_md_starts(&context);
    for (size_t i = 0; i < count && result == 0; i++)
        result = mbedtls_md_update(&context, pieces[i].data, pieces[i].size);
    if (result == 0)
        result = mbedtls_md_finish(&context, out);
    mbedtls_md_free(&context);
    if (result == 0)
        return 0;
    return weir__mbed_is_no_memory(result) ? UV_ENOMEM : UV_EIO;
}

static const void *engine_interface(const char *name, unsigned version)
{
    return strcmp(name, "tls-cert") == 0 && version == 1 ? &weir__mbed_cert : NULL;
}

const tls_engine weir__tls_engine = {
    .name = "mbedtls " MBEDTLS_VERSION_STRING,
    .newest = MBED_TLS13 ? TLS_VERSION_13 : TLS_VERSION_12,
    .init = engine_init,
    .exit = engine_exit,
    .random = engine_random,
    .digest = engine_digest,
    .credentials_new = weir__mbed_credentials_new,
    .credentials_free = weir__mbed_credentials_free,
    .session_new = weir__mbed_session_new,
    .session_free = weir__mbed_session_free,
    .handshake = weir__mbed_handshake,
    .read = weir__mbed_read,
    .write = weir__mbed_write,
    .close_notify = weir__mbed_close_notify,
    .pending = weir__mbed_pending,
    .fact = weir__mbed_fact,
    .export_keys = weir__mbed_export,
    .session_get = weir__mbed_session_get,
    .peer_der = weir__mbed_peer_der,
    .interface = engine_interface,
};
