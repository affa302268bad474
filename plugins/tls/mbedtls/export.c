/* SPDX-License-Identifier: MIT */
/* Secrets that leave the library: exported keying material (RFC 5705, RFC 8446 7.5), and lines of an NSS key log. */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

enum {
    LABEL_MOST = 249,    /* of TLS 1.3 */
    SECRET_MOST = 64,    /* SHA-512's */
    OUT_MOST = 8160,     /* 255 blocks of SHA-256 */
    CONTEXT_MOST = 65535 /* its length has two bytes in TLS 1.2 */
};

/* ---- key logs ---- */

static size_t put_hex(char *line, size_t at, const unsigned char *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        line[at++] = digits[data[i] >> 4];
        line[at++] = digits[data[i] & 15];
    }
    return at;
}

/* "CLIENT_RANDOM <the client's random> <the secret>"; no secret is longer than a hash. */
static void log_secret(const tls_session *session, const char *label, const unsigned char random[32],
                       const unsigned char *secret, size_t size)
{
    char line[320];
    size_t length = strlen(label);

    memcpy(line, label, length);
    line[length++] = ' ';
    length = put_hex(line, length, random, 32);
    line[length++] = ' ';
    length = put_hex(line, length, secret, size);
    line[length] = '\0';
    session->host->keylog(session->arg, line);
    mbedtls_platform_zeroize(line, sizeof(line));
}

#if MBED_3

static const char *label_of(mbedtls_ssl_key_export_type type)
{
    switch (type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET:
        return "CLIENT_RANDOM";
#if MBED_TLS13
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET:
        return "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET:
        return "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET:
        return "CLIENT_TRAFFIC_SECRET_0";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET:
        return "SERVER_TRAFFIC_SECRET_0";
#endif
    default:
        return "";
    }
}

static void take_secret(void *arg, mbedtls_ssl_key_export_type type, const unsigned char *secret, size_t size,
                        const unsigned char client_random[32], const unsigned char server_random[32],
                        mbedtls_tls_prf_types prf)
{
    tls_session *session = arg;
    const char *label = label_of(type);
    (void)server_random;
    (void)prf;
#if MBED_EARLY
    if (type == MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET)
        weir__mbed_early_secret(session, secret, size);
#endif
    if (session->credentials->settings->keylog && *label && size <= SECRET_MOST)
        log_secret(session, label, client_random, secret, size);
}

void weir__mbed_export_use(tls_session *session)
{
    int wanted = session->credentials->settings->keylog;

#if MBED_EARLY
    wanted |= session->early != NULL;
#endif
    if (wanted)
        mbedtls_ssl_set_export_keys_cb(&session->ssl, take_secret, session);
}

static int derive(tls_session *session, const char *label, const void *context, size_t context_size, void *out,
                  size_t size)
{
#if defined(MBEDTLS_SSL_KEYING_MATERIAL_EXPORT)
    int result = mbedtls_ssl_export_keying_material(&session->ssl, out, size, label, strlen(label), context,
                                                    context_size, context != NULL);
    if (result == 0)
        return 0;
    return weir__mbed_is_no_memory(result) ? UV_ENOMEM : UV_EINVAL;
#else
    (void)session;
    (void)label;
    (void)context;
    (void)context_size;
    (void)out;
    (void)size;
    return UV_ENOTSUP;
#endif
}

#else

/* 2.28 gives the master secret once, and leaves the rest to us. */
static int take_secret(void *arg, const unsigned char *master, const unsigned char *keys, size_t mac_size,
                       size_t key_size, size_t iv_size, const unsigned char client_random[32],
                       const unsigned char server_random[32], mbedtls_tls_prf_types prf)
{
    tls_session *session = arg;

    (void)keys;
    (void)mac_size;
    (void)key_size;
    (void)iv_size;
    memcpy(session->secret, master, sizeof(session->secret));
    memcpy(session->randoms, client_random, 32);
    memcpy(session->randoms + 32, server_random, 32);
    session->prf = prf;
    if (session->credentials->settings->keylog)
        log_secret(session, "CLIENT_RANDOM", client_random, master, sizeof(session->secret));
    return 0;
}

void weir__mbed_export_use(tls_session *session)
{
    mbedtls_ssl_conf_export_keys_ext_cb(&session->config, take_secret, session);
}

static int derive(tls_session *session, const char *label, const void *context, size_t context_size, void *out,
                  size_t size)
{
    size_t seed_size = sizeof(session->randoms) + (context ? 2 + context_size : 0);

    unsigned char *seed = weir_malloc(seed_size);
    if (!seed)
        return UV_ENOMEM;
    memcpy(seed, session->randoms, sizeof(session->randoms));
    if (context) {
        unsigned char *at = seed + sizeof(session->randoms);
        at[0] = (unsigned char)(context_size >> 8);
        at[1] = (unsigned char)context_size;
        memcpy(at + 2, context, context_size);
    }
    /* Where the callback never came, prf is NONE, which is refused. */
    int result =
        mbedtls_ssl_tls_prf(session->prf, session->secret, sizeof(session->secret), label, seed, seed_size, out, size);
    weir__mbed_free_secret(seed, seed_size);
    if (result == 0)
        return 0;
    return weir__mbed_is_no_memory(result) ? UV_ENOMEM : UV_EINVAL;
}

#endif

int weir__mbed_export(tls_session *session, const char *label, const void *context, size_t context_size, void *out,
                      size_t size)
{
    if (!label || !*label || strlen(label) > LABEL_MOST || !out || size == 0 || size > OUT_MOST ||
        context_size > CONTEXT_MOST)
        return UV_EINVAL;
    if (!session->over || session->why)
        return UV_ENOTCONN;
    return derive(session, label, context, context_size, out, size);
}
