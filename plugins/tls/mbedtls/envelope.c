/* SPDX-License-Identifier: MIT */
/*
 * What a session is kept in: mbedTLS's own form of it, and around that what our settings found of the peer, for whom, and until
 * when. So that a resumed session is never more authorized than the handshake it goes back to (TLS-12). And which suites
 * were to choose from: among others mbedTLS would choose another one than the session's, and then nothing works.
 */
#include <string.h>
#include <time.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

#define FORMAT 0x77655402u /* "weT", and the number of this form */

/* ---- numbers ---- */

/* Writes, or where `at` is NULL only counts. */
typedef struct writer {
    unsigned char *at;
    size_t size;
} writer;

static void put(writer *to, const void *data, size_t size)
{
    if (to->at && size > 0)
        memcpy(to->at + to->size, data, size);
    to->size += size;
}

static void put_number(writer *to, uint64_t number)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(number >> (56 - 8 * i));
    put(to, bytes, sizeof(bytes));
}

static void put_field(writer *to, const void *data, size_t size)
{
    put_number(to, size);
    put(to, data, size);
}

typedef struct reader {
    const unsigned char *at;
    size_t left;
    int failed;
} reader;

static const unsigned char *get(reader *from, size_t size)
{
    const unsigned char *at = from->at;

    if (size > from->left) {
        from->failed = 1;
        from->left = 0;
        return at;
    }
    from->at += size;
    from->left -= size;
    return at;
}

static uint64_t get_number(reader *from)
{
    const unsigned char *bytes = get(from, 8);
    uint64_t number = 0;

    for (size_t i = 0; i < 8 && !from->failed; i++)
        number = number << 8 | bytes[i];
    return number;
}

static const unsigned char *get_field(reader *from, size_t *size)
{
    uint64_t number = get_number(from);

    *size = number <= from->left ? (size_t)number : from->left + 1;
    const unsigned char *field = get(from, *size);
    if (from->failed)
        *size = 0;
    return field;
}

/* ---- what is inside ---- */

typedef struct envelope {
    int64_t verified;
    int64_t expires;
    int64_t certified; /* until when the peer's certificate is valid; 0: there is none that counts */
    int authorized;
    const char *code;
    const unsigned char *der;
    size_t der_size;
} envelope;

static int is_tls13(const mbedtls_ssl_session *state)
{
#if MBED_TLS13
    return state->tls_version == MBEDTLS_SSL_VERSION_TLS1_3;
#else
    (void)state;
    return 0;
#endif
}

/* A session of TLS 1.2 keeps the peer's certificate itself; one of 1.3 does not. */
static void fill(tls_session *session, const mbedtls_ssl_session *state, uint32_t lifetime, envelope *into)
{
    int64_t now = (int64_t)time(NULL);
    const mbedtls_x509_crt *peer = state->peer_cert;
    const mbed_origin *origin = weir__mbed_is_resumed(session) ? &session->origin : NULL;

    weir__mbed_judge_state(session, state, &into->authorized, &into->code);
    into->verified = origin ? origin->verified : now;
    if (into->authorized)
        into->certified = origin ? origin->certified : peer ? weir__mbed_seconds(&peer->valid_to) : 0;
    into->expires = now + lifetime;
    if (into->expires > into->verified + MBED_SESSION_LIFE)
        into->expires = into->verified + MBED_SESSION_LIFE;
    /* A certificate lets nobody in when its time is over; neither does what goes back to it. */
    if (into->certified && into->expires > into->certified)
        into->expires = into->certified;
    if (!is_tls13(state))
        return;
    if (peer) {
        into->der = peer->raw.p;
        into->der_size = peer->raw.len;
    } else if (origin) {
        into->der = origin->der;
        into->der_size = origin->der_size;
    }
}

static void write_envelope(const tls_session *session, const envelope *from, writer *to)
{
    put_number(to, FORMAT);
    put_number(to, mbedtls_version_get_number());
    put_number(to, (uint64_t)from->verified);
    put_number(to, (uint64_t)from->expires);
    put_number(to, (uint64_t)from->certified);
    put_number(to, (uint64_t)from->authorized);
    put(to, session->credentials->settings->binding, TLS_DIGEST_SIZE);
    put(to, session->credentials->suites_sum, TLS_DIGEST_SIZE);
    put_field(to, session->name, session->name ? strlen(session->name) : 0);
    put_field(to, from->code, from->code ? strlen(from->code) : 0);
    put_field(to, from->der, from->der_size);
}

unsigned char *weir__mbed_pack(tls_session *session, const mbedtls_ssl_session *state, uint32_t *lifetime, size_t *size)
{
    envelope inside = {0};
    writer to = {0};
    size_t state_size = 0;
    int64_t now = (int64_t)time(NULL);

    /* Who proves a key does it anew each time: that costs little, and no ticket then outlives the key. */
    if (!session->credentials->settings->tickets ||
        weir__mbed_is_by_psk(session, mbedtls_ssl_get_ciphersuite_name(state->ciphersuite)))
        return NULL;
    fill(session, state, *lifetime, &inside);
    if (inside.expires <= now ||
        mbedtls_ssl_session_save(state, NULL, 0, &state_size) != MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL)
        return NULL;
    *lifetime = (uint32_t)(inside.expires - now);
    write_envelope(session, &inside, &to);
    *size = to.size + state_size;
    unsigned char *packed = weir_malloc(*size);
    if (!packed)
        return NULL;
    to = (writer){.at = packed};
    write_envelope(session, &inside, &to);
    if (mbedtls_ssl_session_save(state, packed + to.size, state_size, &state_size) == 0)
        return packed;
    weir__mbed_free_secret(packed, *size);
    return NULL;
}

/* ---- the way back ---- */

/* Only what these settings would let in today. */
static int is_usable(const tls_session *session, const envelope *found)
{
    const tls_settings *settings = session->credentials->settings;
    int demanded = settings->reject_unauthorized && (settings->role == WEIR_CLIENT || settings->request_cert);
    int64_t now = (int64_t)time(NULL);

    return found->expires > now && found->verified <= now && (!demanded || found->authorized);
}

static int keep_origin(tls_session *session, const envelope *found)
{
    mbed_origin *origin = &session->origin;

    weir__mbed_origin_clear(origin);
    if (found->der_size > 0) {
        origin->der = weir_malloc(found->der_size);
        if (!origin->der)
            return UV_ENOENT;
        memcpy(origin->der, found->der, found->der_size);
        origin->der_size = found->der_size;
    }
    origin->code = found->code;
    origin->authorized = found->authorized;
    origin->verified = found->verified;
    origin->certified = found->certified;
    return 0;
}

int weir__mbed_unpack(tls_session *session, const unsigned char *data, size_t size, mbedtls_ssl_session *state)
{
    reader from = {.at = data, .left = size};
    envelope found = {0};
    size_t name_size;
    size_t code_size;

    if (get_number(&from) != FORMAT || get_number(&from) != mbedtls_version_get_number())
        return UV_ENOENT;
    found.verified = (int64_t)get_number(&from);
    found.expires = (int64_t)get_number(&from);
    found.certified = (int64_t)get_number(&from);
    found.authorized = get_number(&from) == 1;
    const unsigned char *binding = get(&from, TLS_DIGEST_SIZE);
    const unsigned char *suites = get(&from, TLS_DIGEST_SIZE);
    const unsigned char *name = get_field(&from, &name_size);
    const unsigned char *code = get_field(&from, &code_size);
    found.der = get_field(&from, &found.der_size);
    if (from.failed || memcmp(binding, session->credentials->settings->binding, TLS_DIGEST_SIZE) != 0 ||
        memcmp(suites, session->credentials->suites_sum, TLS_DIGEST_SIZE) != 0)
        return UV_ENOENT;
    if (name_size != (session->name ? strlen(session->name) : 0) ||
        (name_size > 0 && memcmp(name, session->name, name_size) != 0))
        return UV_ENOENT;
    found.code = weir__mbed_code((const char *)code, code_size);
    if ((code_size > 0) != (found.code != NULL) || (found.code && found.authorized) || !is_usable(session, &found))
        return UV_ENOENT;
    if (mbedtls_ssl_session_load(state, from.at, from.left) != 0)
        return UV_ENOENT;
    return keep_origin(session, &found);
}

void weir__mbed_origin_clear(mbed_origin *origin)
{
    weir_free(origin->der);
    *origin = (mbed_origin){0};
}

void weir__mbed_free_secret(void *data, size_t size)
{
    if (data)
        mbedtls_platform_zeroize(data, size);
    weir_free(data);
}
