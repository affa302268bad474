/* SPDX-License-Identifier: MIT */
/* What is known of a session and of its peer (TLS-16). */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

/* ---- the peer's certificate ---- */

/* Parsed from the DER that was kept where the library keeps none. */
static const mbedtls_x509_crt *parse_kept(tls_session *session, const unsigned char *der, size_t size)
{
    mbedtls_x509_crt *made = weir_malloc(sizeof(*made));

    if (!made)
        return NULL;
    mbedtls_x509_crt_init(made);
    if (mbedtls_x509_crt_parse_der(made, der, size) != 0) {
        mbedtls_x509_crt_free(made);
        weir_free(made);
        return NULL;
    }
    session->peer = made;
    return made;
}

const mbedtls_x509_crt *weir__mbed_peer(tls_session *session)
{
    if (session->peer)
        return session->peer;
    if (session->refused)
        return parse_kept(session, session->refused, session->refused_size);
    if (!session->over)
        return NULL;
    const mbedtls_x509_crt *own = mbedtls_ssl_get_peer_cert(&session->ssl);
    if (own)
        return own;
    if (session->resumed && session->origin.der)
        return parse_kept(session, session->origin.der, session->origin.der_size);
    return NULL;
}

int weir__mbed_peer_der(tls_session *session, const void **der, size_t *size)
{
    const mbedtls_x509_crt *peer = weir__mbed_peer(session);

    if (!peer)
        return UV_ENOENT;
    *der = peer->raw.p;
    *size = peer->raw.len;
    return 0;
}

/* ---- texts ---- */

static int give_text(const char *text, weir_value *value)
{
    if (!text || !*text)
        return UV_ENOENT;
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_TEXT;
    value->text = text;
    return 0;
}

static int give_boolean(int is, weir_value *value)
{
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_BOOLEAN;
    value->number = is != 0;
    return 0;
}

static char *fingerprint(const mbedtls_x509_crt *peer)
{
    unsigned char digest[TLS_DIGEST_SIZE];
    char *text = weir_malloc(3 * sizeof(digest));

    if (!text || weir__mbed_sha256(peer->raw.p, peer->raw.len, digest) != 0) {
        weir_free(text);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(text + 3 * i, 4, "%02X%s", digest[i], i + 1 < sizeof(digest) ? ":" : "");
    return text;
}

static char *pem(const mbedtls_x509_crt *peer)
{
    static const char header[] = "-----BEGIN CERTIFICATE-----\n";
    static const char footer[] = "-----END CERTIFICATE-----\n";
    size_t room = peer->raw.len / 3 * 4 + peer->raw.len / 32 + sizeof(header) + sizeof(footer) + 64;
    char *text = weir_malloc(room);
    size_t size;

    if (text &&
        mbedtls_pem_write_buffer(header, footer, peer->raw.p, peer->raw.len, (unsigned char *)text, room, &size) != 0) {
        weir_free(text);
        return NULL;
    }
    return text;
}

static int give_peer(tls_session *session, char *(*make)(const mbedtls_x509_crt *peer), weir_value *value)
{
    const mbedtls_x509_crt *peer = weir__mbed_peer(session);

    weir_free(session->text);
    session->text = peer ? make(peer) : NULL;
    return give_text(session->text, value);
}

/* ---- by name ---- */

static const struct {
    const char *name;
    char *(*make)(const mbedtls_x509_crt *peer);
} peer_facts[] = {
    {"tls.peer.subject", weir__mbed_subject},
    {"tls.peer.san", weir__mbed_san_text},
    {"tls.peer.fingerprint256", fingerprint},
    {"tls.peer.pem", pem},
};

int weir__mbed_fact(tls_session *session, const char *name, weir_value *value)
{
    if (strcmp(name, "tls.authorizationError") == 0)
        return give_text(session->code, value);
    for (size_t i = 0; i < sizeof(peer_facts) / sizeof(peer_facts[0]); i++) {
        if (strcmp(name, peer_facts[i].name) == 0)
            return give_peer(session, peer_facts[i].make, value);
    }
    if (!session->over)
        return UV_ENOENT;
    if (strcmp(name, "tls.version") == 0)
        return give_text(mbedtls_ssl_get_version(&session->ssl), value);
    if (strcmp(name, "tls.cipher") == 0)
        return give_text(weir__mbed_suite_name(mbedtls_ssl_get_ciphersuite(&session->ssl)), value);
    if (strcmp(name, "tls.alpn") == 0)
        return give_text(mbedtls_ssl_get_alpn_protocol(&session->ssl), value);
    if (strcmp(name, "tls.resumed") == 0)
        return give_boolean(session->resumed, value);
    if (strcmp(name, "tls.authorized") == 0)
        return give_boolean(session->authorized, value);
    if (strcmp(name, "tls.psk") == 0)
        return give_boolean(weir__mbed_is_by_psk(session, mbedtls_ssl_get_ciphersuite(&session->ssl)), value);
    return UV_ENOENT;
}
