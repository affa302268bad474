/* SPDX-License-Identifier: MIT */
/* What a connection of the fake engine knows in the end: its facts, its keys, the peer's certificate. */
#include <string.h>

#include <uv.h>

#include "fake.h"

static int text_fact(const char *text, weir_value *value)
{
    if (!text)
        return UV_ENOENT;
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_TEXT;
    value->text = text;
    return 0;
}

static int flag_fact(int flag, weir_value *value)
{
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_BOOLEAN;
    value->number = flag;
    return 0;
}

static const char *subject(tls_session *session)
{
    if (!session->peer ||
        !fake_line(session->peer, session->peer_size, "subject", 0, session->text, sizeof(session->text)))
        return NULL;
    return session->text;
}

int fake_fact(tls_session *session, const char *name, weir_value *value)
{
    if (strcmp(name, "tls.authorizationError") == 0)
        return text_fact(session->authorization_error, value);
    if (session->step != READY)
        return UV_ENOENT;
    if (strcmp(name, "tls.version") == 0)
        return text_fact(session->version == 3 ? "TLSv1.3" : "TLSv1.2", value);
    if (strcmp(name, "tls.cipher") == 0)
        return text_fact("TLS_FAKE_WITH_NULL", value);
    if (strcmp(name, "tls.alpn") == 0)
        return text_fact(session->alpn, value);
    if (strcmp(name, "tls.resumed") == 0)
        return flag_fact(session->resumed, value);
    if (strcmp(name, "tls.authorized") == 0)
        return flag_fact(session->authorized, value);
    if (strcmp(name, "tls.psk") == 0)
        return flag_fact(session->by_psk, value);
    if (strcmp(name, "tls.peer.subject") == 0)
        return text_fact(subject(session), value);
    return strcmp(name, "tls.peer.pem") == 0 ? text_fact(session->peer, value) : UV_ENOENT;
}

int fake_export_keys(tls_session *session, const char *label, const void *context, size_t context_size, void *out,
                     size_t size)
{
    unsigned char sum[TLS_DIGEST_SIZE];
    const char with = (char)(context != NULL);
    const tls_bytes pieces[] = {
        {session->random, sizeof(session->random)}, {label, strlen(label) + 1}, {&with, 1}, {context, context_size}};
    if (session->step != READY)
        return UV_ENOTCONN;
    if (size > sizeof(sum))
        return UV_EINVAL;
    fake_digest(pieces, 4, sum);
    memcpy(out, sum, size);
    return 0;
}

int fake_peer_der(tls_session *session, const void **der, size_t *size)
{
    if (!session->peer)
        return UV_ENOENT;
    *der = session->peer;
    *size = session->peer_size;
    return 0;
}
