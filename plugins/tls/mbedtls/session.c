/* SPDX-License-Identifier: MIT */
/* One connection: handshake, reading, writing, the end, and what a client keeps to come back. */
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

/* ---- what kind of a handshake it is ---- */

int weir__mbed_is_resumed(const tls_session *session)
{
    return !session->full && session->proven == MBED_BY_SESSION;
}

static int is_tls13(const tls_session *session)
{
#if MBED_TLS13
    return session->ssl.tls_version == MBEDTLS_SSL_VERSION_TLS1_3;
#else
    (void)session;
    return 0;
#endif
}

int weir__mbed_is_by_psk(const tls_session *session, const char *suite)
{
    if (is_tls13(session))
        return !session->full && session->proven == MBED_BY_PSK;
    return weir__mbed_suite_is_psk(suite);
}

/* ---- life ---- */

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = weir_malloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

/* What cannot be resumed is forgotten: a full handshake follows. */
static void offer(tls_session *session, const tls_session_options *options)
{
    mbedtls_ssl_session state;

    /* Whoever has a key to prove proves that. */
    if (!options->resume || !session->credentials->settings->tickets || options->psk ||
        session->credentials->settings->psk)
        return;
    mbedtls_ssl_session_init(&state);
    if (weir__mbed_unpack(session, options->resume, options->resume_size, &state) == 0) {
#if MBED_3
        int version = (int)state.tls_version;
#else
        int version = TLS_VERSION_12;
#endif
        if (version >= session->credentials->min_version && version <= session->credentials->max_version &&
            mbedtls_ssl_set_session(&session->ssl, &state) == 0)
            session->proven = MBED_BY_SESSION;
    }
    mbedtls_ssl_session_free(&state);
}

tls_session *weir__mbed_session_new(tls_credentials *credentials, const tls_session_options *options,
                                    const tls_host *host, void *arg)
{
    tls_session *made = weir_calloc(1, sizeof(*made));
    int client = credentials->settings->role == WEIR_CLIENT;

    if (!made)
        return NULL;
    made->credentials = credentials;
    made->host = host;
    made->arg = arg;
    made->name_is_address = options->name_is_address;
    mbedtls_ssl_config_init(&made->config);
    mbedtls_ssl_init(&made->ssl);
    if (client && options->name)
        made->name = copy_text(options->name);
    if (!client && options->alpn)
        made->own_alpn = copy_text(options->alpn);
    int result = MBEDTLS_ERR_SSL_ALLOC_FAILED;
    if ((!client || !options->name || made->name) && (client || !options->alpn || made->own_alpn))
        result = weir__mbed_configure(made, options);
    if (weir__mbed_is_no_memory(result)) {
        weir__mbed_session_free(made);
        return NULL;
    }
    /* What is wrong with this connection alone (a key that is too long) the handshake says. */
    if (result != 0)
        made->why = weir__mbed_error(made, result, "the TLS handshake");
    else if (client)
        offer(made, options);
    return made;
}

void weir__mbed_session_free(tls_session *session)
{
    if (!session)
        return;
    mbedtls_ssl_free(&session->ssl);
    mbedtls_ssl_config_free(&session->config);
    if (session->peer) {
        mbedtls_x509_crt_free(session->peer);
        weir_free(session->peer);
    }
#if MBED_EARLY
    weir__mbed_early_end(session);
#endif
    weir__mbed_origin_clear(&session->origin);
    weir_error_release(session->why);
    weir_free(session->verdict.text);
    weir_free(session->refused);
    weir_free(session->name);
    weir_free(session->own_alpn);
    weir_free(session->text);
    weir__mbed_free_secret(session, sizeof(*session));
}

/* ---- failing ---- */

static tls_result again(const tls_session *session, weir_error **error)
{
    *error = weir_error_retain(session->why);
    return TLS_FAILED;
}

/* The peer is told why, unless mbedTLS has done so, or it was the peer who said it. */
static tls_result fail(tls_session *session, int result, const char *what, weir_error **error)
{
    if (!session->alerted && !session->no_memory && !session->said_end &&
        result != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && result != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        mbedtls_ssl_send_alert_message(&session->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, weir__mbed_alert(result));
    if (!session->over)
        weir__mbed_judge(session);
    session->why = weir__mbed_error(session, result, what);
    return again(session, error);
}

/* ---- the handshake ---- */

/* What there is to resume by, for the client. */
static void tell_session(tls_session *session)
{
    const mbedtls_ssl_session *state = session->ssl.session;
    uint32_t lifetime = MBED_SESSION_LIFE;
    size_t size = 0;

    if (!state || (is_tls13(session) ? state->ticket_lifetime == 0 : state->id_len == 0 && state->ticket_len == 0))
        return;
    unsigned char *blob = weir__mbed_pack(session, state, &lifetime, &size);
    if (!blob)
        return;
    session->has_session = 1;
    session->host->new_session(session->arg, blob, size);
    weir__mbed_free_secret(blob, size);
}

/*
 * An alert is sealed by the keys of the state its sender is in (RFC 8446, 6). mbedTLS 3.6 changes its keys only with the next
 * message it has to send, so that a refusal before that could be read by no peer: a server's of a client's certificate, and
 * a client's of the server's.
 */
void weir__mbed_seal_alerts(tls_session *session)
{
#if MBED_TLS13
    mbedtls_ssl_context *ssl = &session->ssl;
    int server = session->credentials->settings->role == WEIR_SERVER;
    mbedtls_ssl_transform *keys = server ? ssl->transform_application : ssl->transform_in;

    if (session->over || !is_tls13(session) || !keys || ssl->transform_out == keys || (!server && ssl->transform_out))
        return;
    ssl->transform_out = keys;
    memset(ssl->cur_out_ctr, 0, sizeof(ssl->cur_out_ctr));
#else
    (void)session;
#endif
}

/* Before each step: what passes by is not to be seen afterwards. */
static void watch(tls_session *session)
{
    if (session->ssl.state == MBEDTLS_SSL_SERVER_CERTIFICATE)
        session->full = 1;
#if MBED_TLS13
    /* From its Finished on, a server has nothing more to say by the handshake's keys. */
    if (session->credentials->settings->role == WEIR_SERVER &&
        (session->ssl.state == MBEDTLS_SSL_CLIENT_CERTIFICATE || session->ssl.state == MBEDTLS_SSL_CLIENT_FINISHED))
        weir__mbed_seal_alerts(session);
    /* None is promised to who is not to come back by one. */
    if (session->ssl.state == MBEDTLS_SSL_TLS1_3_NEW_SESSION_TICKET &&
        weir__mbed_is_by_psk(session, mbedtls_ssl_get_ciphersuite(&session->ssl)))
        mbedtls_ssl_conf_new_session_tickets(&session->config, 0);
#endif
}

/* A pin asks for a certificate also where rejectUnauthorized does not. */
static int lacks_pin(const tls_session *session)
{
    const tls_settings *settings = session->credentials->settings;

    return settings->pin_count > 0 && (settings->role == WEIR_CLIENT || settings->request_cert) &&
           !weir__mbed_is_resumed(session) && !mbedtls_ssl_get_peer_cert(&session->ssl) &&
           !weir__mbed_is_by_psk(session, mbedtls_ssl_get_ciphersuite(&session->ssl));
}

static tls_result finish(tls_session *session, weir_error **error)
{
    const tls_settings *settings = session->credentials->settings;

    session->over = 1;
    session->resumed = weir__mbed_is_resumed(session);
    weir__mbed_judge(session);
    /* mbedTLS has seen to it; but that a peer is let in hangs on this one line too. */
    int demanded = settings->reject_unauthorized && (settings->role == WEIR_CLIENT || settings->request_cert);
    if ((demanded && !session->authorized) || lacks_pin(session)) {
        session->alerted = 0;
        return fail(session, MBED_BAD_CERTIFICATE, "the TLS handshake", error);
    }
    if (settings->role == WEIR_CLIENT && !is_tls13(session))
        tell_session(session);
    return TLS_DONE;
}

tls_result weir__mbed_handshake(tls_session *session, weir_error **error)
{
    if (session->why)
        return again(session, error);
    session->alerted = 0;
    while (session->ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER) {
        session->starved = 0;
        watch(session);
        int result = mbedtls_ssl_handshake_step(&session->ssl);
        if (result == MBEDTLS_ERR_SSL_WANT_READ && session->starved)
            return TLS_WANT_READ;
        if (result != 0 && result != MBEDTLS_ERR_SSL_WANT_READ)
            return fail(session, result, "the TLS handshake", error);
    }
    return session->over ? TLS_DONE : finish(session, error);
}

/* ---- bytes ---- */

tls_result weir__mbed_read(tls_session *session, void *data, size_t size, size_t *done, weir_error **error)
{
    *done = 0;
    if (session->why)
        return again(session, error);
    if (session->heard_end)
        return TLS_CLOSED;
    session->alerted = 0;
    for (;;) {
        session->starved = 0;
        int result = mbedtls_ssl_read(&session->ssl, data, size);
        if (result > 0) {
            *done = (size_t)result;
            return TLS_DONE;
        }
        if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
            session->heard_end = 1;
            return TLS_CLOSED;
        }
        if (result == MBEDTLS_ERR_SSL_WANT_READ && session->starved)
            return TLS_WANT_READ;
#if MBED_TLS13
        if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
            tell_session(session);
            continue;
        }
#endif
        /* 0 is a record without any byte: receive never tells an end. */
        if (result != 0 && result != MBEDTLS_ERR_SSL_WANT_READ)
            return fail(session, result, "reading", error);
    }
}

tls_result weir__mbed_write(tls_session *session, const void *data, size_t size, size_t *done, weir_error **error)
{
    const unsigned char *at = data;

    *done = 0;
    if (session->why)
        return again(session, error);
    if (session->said_end || !session->over) {
        *error = weir_error_new(session->said_end ? UV_EPIPE : UV_ENOTCONN, "write", NULL, -1);
        return TLS_FAILED;
    }
    /* A peer may have asked for smaller records. */
    while (*done < size) {
        int result = mbedtls_ssl_write(&session->ssl, at + *done, size - *done);
        if (result <= 0)
            return fail(session, result, "writing", error);
        *done += (size_t)result;
    }
    return TLS_DONE;
}

tls_result weir__mbed_close_notify(tls_session *session, weir_error **error)
{
    if (session->why)
        return again(session, error);
    if (session->said_end)
        return TLS_DONE;
    session->said_end = 1;
    int result = mbedtls_ssl_close_notify(&session->ssl);
    return result == 0 ? TLS_DONE : fail(session, result, "saying the end", error);
}

size_t weir__mbed_pending(const tls_session *session)
{
    return session->over ? mbedtls_ssl_get_bytes_avail(&session->ssl) : 0;
}

int weir__mbed_session_get(tls_session *session, void **blob, size_t *size)
{
    uint32_t lifetime = MBED_SESSION_LIFE;

    if (!session->over || session->why || session->credentials->settings->role != WEIR_CLIENT || !session->has_session)
        return UV_ENOENT;
    *blob = weir__mbed_pack(session, session->ssl.session, &lifetime, size);
    return *blob ? 0 : UV_ENOENT;
}
