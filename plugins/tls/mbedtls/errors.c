/* SPDX-License-Identifier: MIT */
/* What mbedTLS's results mean to people, and to the peer. */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "mbed.h"

enum { KEY_UPDATE = 24 /* a message of TLS 1.3 that mbedTLS has no name for */ };

/* ---- results ---- */

int weir__mbed_is_no_memory(int result)
{
    /* A result is the sum of what a high and a low level of the library say. */
    static const int high[] = {MBEDTLS_ERR_SSL_ALLOC_FAILED,    MBEDTLS_ERR_X509_ALLOC_FAILED,
                               MBEDTLS_ERR_PK_ALLOC_FAILED,     MBEDTLS_ERR_PEM_ALLOC_FAILED,
                               MBEDTLS_ERR_MD_ALLOC_FAILED,     MBEDTLS_ERR_ECP_ALLOC_FAILED,
                               MBEDTLS_ERR_CIPHER_ALLOC_FAILED, MBEDTLS_ERR_DHM_ALLOC_FAILED};
    static const int low[] = {MBEDTLS_ERR_MPI_ALLOC_FAILED, MBEDTLS_ERR_ASN1_ALLOC_FAILED};
    int value = -result;

    if (result >= 0)
        return 0;
    for (size_t i = 0; i < sizeof(high) / sizeof(high[0]); i++) {
        if ((value & 0x7F80) == -high[i])
            return 1;
    }
    for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
        if ((value & 0x7F) == -low[i])
            return 1;
    }
    return 0;
}

typedef struct meaning {
    int result;
    unsigned char alert; /* 0: internal_error */
    const char *text;
} meaning;

static const meaning meanings[] = {
    {MBEDTLS_ERR_SSL_INVALID_RECORD, MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, "what the peer sent is no TLS"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC,
     "a record cannot be decrypted: it was changed on its way, or the keys differ"},
    {MBED_BAD_VERSION, MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION,
     "the peer speaks no version of TLS that is allowed here (minVersion, maxVersion)"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE,
     "the peer sent a message that has no place here"},
    {MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, 0, "the peer said its end by close_notify"},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, "the client has no certificate"},
    {MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_PSK_IDENTITY,
     "the client's pre-shared key is not known here"},
    {MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "no pre-shared key is set for this"},
    {MBEDTLS_ERR_X509_FATAL_ERROR, MBEDTLS_SSL_ALERT_MSG_BAD_CERT,
     "the peer's certificates cannot be verified: the chain is too long, or broken"},
    {MBED_BAD_CERTIFICATE, MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "the peer's certificate cannot be read"},
#if MBED_3
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the two ends have no cipher suite, group or signature in common, or a key is wrong"},
    {MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL,
     "the two ends have no application protocol in common (ALPNProtocols)"},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, "a message of the peer cannot be read"},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER,
     "a message of the peer contradicts itself or what was said before"},
    {MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION, MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_EXT,
     "the peer uses an extension that was not offered"},
#else
    {MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the two ends have no cipher suite in common (ciphers, groups, the kind of the certificate's key)"},
    {MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the cipher suites in common do not go with the certificate"},
    {MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the client's first message cannot be read, or agreed with"},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_HELLO, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
     "the server's first message cannot be read, or agreed with"},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_KEY_EXCHANGE, MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR,
     "the server's part of the key exchange is wrong"},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE_VERIFY, MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR,
     "the client does not have the key of its certificate"},
    {MBEDTLS_ERR_SSL_BAD_HS_FINISHED, MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR, "the two ends do not have the same keys"},
#endif
};

static const meaning *meaning_of(int result)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].result == result)
            return &meanings[i];
    }
    return NULL;
}

void weir__mbed_text(int result, char *text, size_t size)
{
    const meaning *found = meaning_of(result);
    char library[128];

    if (found) {
        snprintf(text, size, "%s", found->text);
        return;
    }
    mbedtls_strerror(result, library, sizeof(library));
    snprintf(text, size, "%s (mbedTLS -0x%04X)", library, (unsigned)-result);
}

unsigned char weir__mbed_alert(int result)
{
    const meaning *found = meaning_of(result);

    return found && found->alert ? found->alert : MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR;
}

/* ---- alerts that come ---- */

static const struct {
    unsigned char number;
    const char *name;
} alerts[] = {
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {22, "record_overflow"},
    {40, "handshake_failure"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
};

/* One alert says several things. A server that finds nothing in common says so before anything else. */
static const char *meant_by(const tls_session *session, unsigned char number)
{
    if (number != MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE || session->over ||
        session->credentials->settings->role != WEIR_CLIENT)
        return "";
    if (session->ssl.state <= MBEDTLS_SSL_SERVER_HELLO)
        return "; perhaps the two ends have no cipher suite or group in common";
    return session->credentials->has_chain ? "" : "; perhaps it wants a certificate (\"cert\" and \"key\")";
}

static weir_error *alert_error(const tls_session *session, unsigned char number, const char *what)
{
    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
        if (alerts[i].number == number)
            return weir_error_newf(UV_EPROTO, NULL, NULL, -1, "%s failed: the peer refused by the alert %s (%u)%s",
                                   what, alerts[i].name, number, meant_by(session, number));
    }
    return weir_error_newf(UV_EPROTO, NULL, NULL, -1, "%s failed: the peer refused by the alert %u", what, number);
}

/* Is it the peer's certificate that ended it? One that was let in all the same is not what is wrong with a later record. */
static int is_verdict(int result)
{
    return result == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || result == MBEDTLS_ERR_X509_FATAL_ERROR ||
           result == MBED_BAD_CERTIFICATE || result == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE;
}

/*
 * A client that refuses the server's certificate may say so in the clear on TLS 1.3, before it has changed its keys
 * (OpenSSL does), which mbedTLS then fails to decrypt. Nobody vouches for it, but the connection is over either way.
 */
static int is_plain_alert(const tls_session *session, int result)
{
    const unsigned char *record = session->ssl.in_hdr;

    return result == MBEDTLS_ERR_SSL_INVALID_MAC && !session->over && record &&
           session->credentials->settings->role == WEIR_SERVER && record[0] == MBEDTLS_SSL_MSG_ALERT &&
           record[3] == 0 && record[4] == 2;
}

#if MBED_TLS13
static int is_key_update(const tls_session *session, int result)
{
    const mbedtls_ssl_context *ssl = &session->ssl;

    return result == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE && session->over &&
           ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3 && ssl->in_msgtype == MBEDTLS_SSL_MSG_HANDSHAKE &&
           ssl->in_msg[0] == KEY_UPDATE;
}
#endif

/*
 * TLS 1.3 goes on without the key, and fails where there is nothing else to go by: at the latest for want of a certificate.
 * After that something was found, and what was not known may be a ticket: one that cannot be opened is asked for, too.
 */
static int is_of_stranger(const tls_session *session, int result)
{
    if (!session->stranger[0] || session->over)
        return 0;
#if MBED_TLS13
    if (result == MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE)
        return session->ssl.state == MBEDTLS_SSL_CLIENT_HELLO || session->ssl.state == MBEDTLS_SSL_SERVER_CERTIFICATE;
#endif
    return result == MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY;
}

weir_error *weir__mbed_error(tls_session *session, int result, const char *what)
{
    const mbedtls_ssl_context *ssl = &session->ssl;
    char text[160];

    if (session->no_memory || weir__mbed_is_no_memory(result))
        return weir_error_new(UV_ENOMEM, NULL, NULL, -1);
    if (is_verdict(result) && session->verdict.code && session->verdict.text)
        return weir_error_newf(UV_EPROTO, NULL, NULL, -1, "%s", session->verdict.text);
    if (is_verdict(result) && session->code)
        return weir_error_newf(UV_EPROTO, NULL, NULL, -1, "%s: %s failed", session->code, what);
    if (result == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
        return alert_error(session, ssl->in_msgtype == MBEDTLS_SSL_MSG_ALERT ? ssl->in_msg[1] : 0, what);
    if (is_plain_alert(session, result))
        return alert_error(session, ssl->in_hdr[6], what);
#if MBED_TLS13
    if (is_key_update(session, result))
        return weir_error_newf(UV_EPROTO, NULL, NULL, -1,
                               "%s failed: the peer goes over to new keys (KeyUpdate), which mbedTLS cannot", what);
#endif
    weir__mbed_text(result, text, sizeof(text));
    if (is_of_stranger(session, result))
        return weir_error_newf(UV_EPROTO, NULL, NULL, -1,
                               "%s failed: %s: no pre-shared key is known for the identity %s", what, text,
                               session->stranger);
    return weir_error_newf(UV_EPROTO, NULL, NULL, -1, "%s failed: %s", what, text);
}
