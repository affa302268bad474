/* SPDX-License-Identifier: MIT */
/* The configuration of one session, made of its credentials: nothing of mbedTLS's own defaults is left to chance. */
#include <stdio.h>
#include <string.h>

#include "mbed.h"

enum { CA_NAMES_MOST = 32 /* with more, the list of those whom we trust is not sent along: it may not fit */ };

/* ---- ciphertext ---- */

/*
 * An alert, in the clear or as TLS 1.3 hides one: level, description and type, filled up, behind a head and before a tag. Data
 * may be as long; then a session that fails in the same call says nothing, which harms nobody.
 */
static int is_alert(const unsigned char *data, size_t size)
{
    if (size > 0 && data[0] == MBEDTLS_SSL_MSG_ALERT)
        return 1;
#if MBED_TLS13
    size_t unit = MBEDTLS_SSL_CID_TLS1_3_PADDING_GRANULARITY;
    size_t sealed = 5 + (3 + unit - 1) / unit * unit;
    return size > 0 && data[0] == MBEDTLS_SSL_MSG_APPLICATION_DATA && (size == sealed + 16 || size == sealed + 8);
#else
    return 0;
#endif
}

static int send_bytes(void *arg, const unsigned char *data, size_t size)
{
    tls_session *session = arg;

    session->alerted = is_alert(data, size);
    if (session->host->send(session->arg, data, size) == 0)
        return (int)size;
    session->no_memory = 1;
    return MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

static int receive_bytes(void *arg, unsigned char *data, size_t size)
{
    tls_session *session = arg;
    size_t done;

#if MBED_EARLY
    if (session->early)
        done = weir__mbed_early_receive(session, data, size);
    else
#endif
        done = session->host->receive(session->arg, data, size);
    session->starved = done == 0;
    return done == 0 ? MBEDTLS_ERR_SSL_WANT_READ : (int)done;
}

/* ---- keys that both know ---- */

/* An identity is no secret, but may be anything: a ticket of another server, what controls a terminal. */
static void note_stranger(tls_session *session, const unsigned char *identity, size_t length)
{
    size_t most = sizeof(session->stranger) - 6;
    size_t plain = 0;

    while (plain < length && identity[plain] >= ' ' && identity[plain] <= '~' && identity[plain] != '"')
        plain++;
    if (plain < length)
        snprintf(session->stranger, sizeof(session->stranger), "of %zu bytes that are no plain text", length);
    else
        snprintf(session->stranger, sizeof(session->stranger), "\"%.*s%s\"", (int)(length < most ? length : most),
                 (const char *)identity, length > most ? "..." : "");
}

static int answer_psk(void *arg, mbedtls_ssl_context *ssl, const unsigned char *identity, size_t length)
{
    tls_session *session = arg;
    unsigned char key[TLS_PSK_MOST];
    size_t size = session->host->psk(session->arg, identity, length, key, sizeof(key));
    int result = MBEDTLS_ERR_SSL_UNKNOWN_IDENTITY;

    if (size > 0 && size <= sizeof(key))
        result = mbedtls_ssl_set_hs_psk(ssl, key, size);
    else
        note_stranger(session, identity, length);
    if (result == 0) {
        session->proven = MBED_BY_PSK;
        session->stranger[0] = '\0'; /* one of those before it */
    }
    mbedtls_platform_zeroize(key, sizeof(key));
    return result;
}

static int use_psk(tls_session *session, const tls_session_options *options)
{
    const tls_settings *settings = session->credentials->settings;
    const char *identity = options->psk ? options->psk_identity : settings->psk_identity;
    const unsigned char *key = options->psk ? options->psk : settings->psk;
    size_t size = options->psk ? options->psk_size : settings->psk_size;

    if (settings->role == WEIR_SERVER) {
        if (settings->psk || settings->psk_callback)
            mbedtls_ssl_conf_psk_cb(&session->config, answer_psk, session);
        return 0;
    }
    if (!key || !identity)
        return 0;
    session->proven = MBED_BY_PSK; /* whether it was is seen in the end */
    return mbedtls_ssl_conf_psk(&session->config, key, size, (const unsigned char *)identity, strlen(identity));
}

/* ---- parts ---- */

static void use_versions(tls_session *session)
{
    const tls_credentials *credentials = session->credentials;
    mbedtls_ssl_config *config = &session->config;

#if MBED_3
    mbedtls_ssl_conf_min_tls_version(config, (mbedtls_ssl_protocol_version)credentials->min_version);
    mbedtls_ssl_conf_max_tls_version(config, (mbedtls_ssl_protocol_version)credentials->max_version);
    mbedtls_ssl_conf_groups(config, credentials->groups);
#if MBED_TLS13
    /* Never without an exchange whose keys are gone afterwards. */
    mbedtls_ssl_conf_tls13_key_exchange_modes(config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
#endif
#else
    /* 2.28 would sign with SHA-1 still. */
    static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512, MBEDTLS_MD_NONE};
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(config, credentials->groups);
    mbedtls_ssl_conf_sig_hashes(config, hashes);
#endif
    mbedtls_ssl_conf_ciphersuites(config, credentials->suites);
#if defined(MBEDTLS_DHM_C)
    mbedtls_ssl_conf_dhm_min_bitlen(config, 2048);
#endif
}

static void use_trust(tls_session *session)
{
    const tls_settings *settings = session->credentials->settings;
    mbed_trust *trust = session->credentials->trust;
    int mode = MBEDTLS_SSL_VERIFY_NONE;

    if (settings->role == WEIR_CLIENT || settings->request_cert)
        mode = settings->reject_unauthorized ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_OPTIONAL;
    mbedtls_ssl_conf_authmode(&session->config, mode);
    mbedtls_ssl_conf_verify(&session->config, weir__mbed_verify, session);
    if (mode == MBEDTLS_SSL_VERIFY_NONE)
        return;
    mbedtls_ssl_conf_ca_chain(&session->config, &trust->ca, trust->has_crl ? &trust->crl : NULL);
    if (settings->role == WEIR_SERVER && trust->certificates > CA_NAMES_MOST)
        mbedtls_ssl_conf_cert_req_ca_list(&session->config, MBEDTLS_SSL_CERT_REQ_CA_LIST_DISABLED);
}

static void use_tickets(tls_session *session)
{
    const tls_settings *settings = session->credentials->settings;
    mbedtls_ssl_config *config = &session->config;

    if (settings->role == WEIR_SERVER) {
        if (settings->tickets)
            mbedtls_ssl_conf_session_tickets_cb(config, weir__mbed_ticket_write, weir__mbed_ticket_parse, session);
        weir__mbed_cache_use(session);
        return;
    }
    mbedtls_ssl_conf_session_tickets(config, settings->tickets ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                                               : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#if MBED_TLS13
    if (settings->tickets)
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(config,
                                                                 MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
}

/* The protocols in the order of preference, or the one that the server's layer has chosen. */
static int use_alpn(tls_session *session)
{
    if (session->credentials->alpn)
        return mbedtls_ssl_conf_alpn_protocols(&session->config, session->credentials->alpn);
    if (!session->own_alpn)
        return 0;
    session->alpn[0] = session->own_alpn;
    return mbedtls_ssl_conf_alpn_protocols(&session->config, session->alpn);
}

int weir__mbed_configure(tls_session *session, const tls_session_options *options)
{
    tls_credentials *credentials = session->credentials;
    int client = credentials->settings->role == WEIR_CLIENT;
    mbedtls_ssl_config *config = &session->config;

    int result = mbedtls_ssl_config_defaults(config, client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
                                             MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (result != 0)
        return result;
    mbedtls_ssl_conf_rng(config, weir__mbed_random, credentials->instance);
    mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    use_versions(session);
    use_trust(session);
    use_tickets(session);
    result = use_alpn(session);
    if (result == 0 && credentials->has_chain)
        result = mbedtls_ssl_conf_own_cert(config, &credentials->chain, &credentials->key);
    if (result == 0)
        result = use_psk(session, options);
    if (result == 0)
        result = mbedtls_ssl_setup(&session->ssl, config);
    /* Said also when there is none: 3.6 wants to be told that nobody forgot it. An address is never sent. */
    if (result == 0 && client)
        result = mbedtls_ssl_set_hostname(&session->ssl, session->name_is_address ? NULL : session->name);
    if (result == 0)
        mbedtls_ssl_set_bio(&session->ssl, session, send_bytes, receive_bytes, NULL);
#if MBED_EARLY
    if (result == 0 && !client && options->early_data && credentials->max_version == TLS_VERSION_13)
        result = weir__mbed_early_begin(session);
#endif
    if (result == 0)
        weir__mbed_export_use(session);
    return result;
}
