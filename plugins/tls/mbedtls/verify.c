/* SPDX-License-Identifier: MIT */
/*
 * Whether the peer is who it should be: mbedTLS's findings under the names that Node and OpenSSL give them, with our own
 * about names and pins beside them; and the final word, which for a resumed session is that of its first handshake.
 */
#define _GNU_SOURCE

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/runtime.h>

#include "mbed.h"

typedef enum form {
    PLAIN,   /* "the certificate of A is revoked" */
    BEFORE,  /* ... with the time from which it is valid */
    AFTER,   /* ... with the time until which it was */
    UNKNOWN, /* nobody who is trusted stands behind it: the code depends on where it stands */
    NAMED    /* it bears other names */
} form;

typedef struct finding {
    uint32_t flag;
    form form;
    const char *code;
    const char *text;
} finding;

/* In the order of their gravity: the first that is found is the one that is told. */
static const finding findings[] = {
    {MBEDTLS_X509_BADCERT_REVOKED, PLAIN, "CERT_REVOKED", "was revoked by its issuer"},
    {MBEDTLS_X509_BADCERT_EXPIRED, AFTER, "CERT_HAS_EXPIRED", "expired on"},
    {MBEDTLS_X509_BADCERT_FUTURE, BEFORE, "CERT_NOT_YET_VALID", "is not valid before"},
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED, UNKNOWN, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", ""},
    {MBEDTLS_X509_BADCERT_BAD_MD, PLAIN, "CA_MD_TOO_WEAK", "is signed with a hash that is too weak"},
    {MBEDTLS_X509_BADCERT_BAD_PK, PLAIN, "CERT_REJECTED", "is signed with a kind of key that is not allowed"},
    {MBEDTLS_X509_BADCERT_BAD_KEY, PLAIN, "EE_KEY_TOO_SMALL",
     "has a key that is too small, or of a curve that is not among \"groups\""},
    {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_NS_CERT_TYPE, PLAIN,
     "INVALID_PURPOSE", "is not meant for this use (key usage)"},
    {MBEDTLS_X509_BADCRL_EXPIRED, PLAIN, "CRL_HAS_EXPIRED", "is checked against a list of revocations that is too old"},
    {MBEDTLS_X509_BADCRL_FUTURE, PLAIN, "CRL_NOT_YET_VALID",
     "is checked against a list of revocations that is not yet valid"},
    {MBEDTLS_X509_BADCRL_NOT_TRUSTED | MBEDTLS_X509_BADCRL_BAD_MD | MBEDTLS_X509_BADCRL_BAD_PK |
         MBEDTLS_X509_BADCRL_BAD_KEY,
     PLAIN, "CRL_SIGNATURE_FAILURE", "is checked against a list of revocations whose signature is wrong"},
    {MBEDTLS_X509_BADCERT_CN_MISMATCH, NAMED, "ERR_TLS_CERT_ALTNAME_INVALID", ""},
    {MBEDTLS_X509_BADCERT_OTHER, PLAIN, "ERR_TLS_CERT_PIN_MISMATCH",
     "has a key that is none of those in \"pinSha256\""},
};

#define FINDINGS (sizeof(findings) / sizeof(findings[0]))

static const char missing[] = "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE";
static const char odd[] = "CERT_REJECTED";

/* Those of UNKNOWN. */
static const char lone_self_signed[] = "DEPTH_ZERO_SELF_SIGNED_CERT";
static const char self_signed[] = "SELF_SIGNED_CERT_IN_CHAIN";
static const char lone[] = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
static const char forged[] = "CERT_SIGNATURE_FAILURE";
static const char no_authority[] = "INVALID_CA";
static const char too_long[] = "PATH_LENGTH_EXCEEDED";

const char *weir__mbed_code(const char *name, size_t length)
{
    static const char *const others[] = {missing, odd,    lone_self_signed, self_signed,
                                         lone,    forged, no_authority,     too_long};

    for (size_t i = 0; i < FINDINGS; i++) {
        if (strlen(findings[i].code) == length && memcmp(findings[i].code, name, length) == 0)
            return findings[i].code;
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strlen(others[i]) == length && memcmp(others[i], name, length) == 0)
            return others[i];
    }
    return NULL;
}

int64_t weir__mbed_seconds(const mbedtls_x509_time *at)
{
    struct tm parts = {.tm_year = at->year - 1900,
                       .tm_mon = at->mon - 1,
                       .tm_mday = at->day,
                       .tm_hour = at->hour,
                       .tm_min = at->min,
                       .tm_sec = at->sec};

    return (int64_t)timegm(&parts);
}

/* ---- words ---- */

static char *compose(const char *format, ...) WEIR_PRINTF(1, 2);
static char *compose(const char *format, ...)
{
    char text[1024];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    size_t size = strlen(text) + 1;
    char *copy = weir_malloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static char *compose_time(const finding *found, const char *subject, const mbedtls_x509_time *at)
{
    return compose("%s: the certificate of %s %s %04d-%02d-%02d %02d:%02d:%02d UTC", found->code, subject, found->text,
                   at->year, at->mon, at->day, at->hour, at->min, at->sec);
}

static char *compose_names(const tls_session *session, const finding *found, const mbedtls_x509_crt *certificate,
                           const char *subject)
{
    char *names = weir__mbed_san_text(certificate);
    char *text;

    if (session->name)
        text = compose("%s: the certificate is not for %s, but for %s", found->code, session->name,
                       names ? names : subject);
    else
        text = compose("%s: there is no name to look for in the certificate (servername)", found->code);
    weir_free(names);
    return text;
}

static int same_name(const mbedtls_x509_buf *one, const mbedtls_x509_buf *other)
{
    return one->len == other->len && memcmp(one->p, other->p, one->len) == 0;
}

static const mbedtls_x509_crt *find_subject(const mbedtls_x509_crt *all, const mbedtls_x509_buf *name)
{
    while (all && !same_name(&all->subject_raw, name))
        all = all->next;
    return all;
}

/* Whom mbedTLS has looked at for its issuer, and not taken: one that was sent along behind it, or one that is trusted. */
static const mbedtls_x509_crt *find_issuer(const tls_session *session, const mbedtls_x509_crt *certificate,
                                           int *is_trusted)
{
    const mbed_trust *trust = session->credentials->trust;
    const mbedtls_x509_crt *sent = find_subject(certificate->next, &certificate->issuer_raw);

    *is_trusted = !sent;
    if (sent)
        return sent;
    return trust->certificates > 0 ? find_subject(&trust->ca, &certificate->issuer_raw) : NULL;
}

/* Why that one was not taken. */
static char *compose_refused(const mbedtls_x509_crt *issuer, int is_trusted, int depth, const char *subject,
                             const char *name, const char **code)
{
    int old = is_trusted && issuer->version < 3; /* knows no extensions */

    if (!old && (!issuer->ca_istrue || mbedtls_x509_crt_check_key_usage(issuer, MBEDTLS_X509_KU_KEY_CERT_SIGN) != 0)) {
        *code = no_authority;
        return compose("%s: the certificate of %s was issued by %s, which is no authority (CA:FALSE, or key usage)",
                       *code, subject, name);
    }
    /* mbedTLS keeps one more than the certificate says, and 0 where it says nothing. */
    if (issuer->max_pathlen > 0 && issuer->max_pathlen < 1 + depth) {
        *code = too_long;
        return compose("%s: the certificate of %s was issued by %s, which may not stand so far up (pathlen)", *code,
                       subject, name);
    }
    *code = forged;
    return compose("%s: the certificate of %s is not signed by the %s that is %s", *code, subject, name,
                   is_trusted ? "trusted" : "sent along");
}

static char *compose_unknown(const tls_session *session, const mbedtls_x509_crt *certificate, int depth,
                             const char *subject, const char **code)
{
    char issuer[512];
    int is_trusted;

    if (same_name(&certificate->issuer_raw, &certificate->subject_raw)) {
        *code = depth == 0 ? lone_self_signed : self_signed;
        return compose("%s: the certificate of %s is signed by itself, and is not among those that are trusted (ca)",
                       *code, subject);
    }
    if (mbedtls_x509_dn_gets(issuer, sizeof(issuer), &certificate->issuer) < 0)
        snprintf(issuer, sizeof(issuer), "its issuer");
    const mbedtls_x509_crt *found = find_issuer(session, certificate, &is_trusted);
    if (found)
        return compose_refused(found, is_trusted, depth, subject, issuer, code);
    *code = depth == 0 ? lone : findings[3].code;
    return compose("%s: the certificate of %s was issued by %s, which is neither sent along nor trusted (ca)", *code,
                   subject, issuer);
}

/* The gravest of all findings about all certificates is kept. */
static void note(tls_session *session, const mbedtls_x509_crt *certificate, int depth, size_t rank)
{
    const finding *found = &findings[rank];
    mbed_verdict *verdict = &session->verdict;
    char *subject;

    if (verdict->code && verdict->rank <= rank)
        return;
    subject = certificate ? weir__mbed_subject(certificate) : NULL;
    weir_free(verdict->text);
    verdict->rank = rank;
    verdict->code = found->code;
    const char *shown = subject && *subject ? subject : "the peer";
    if (found->form == PLAIN || !certificate)
        verdict->text = compose("%s: the certificate of %s %s", found->code, shown, found->text);
    else if (found->form == AFTER)
        verdict->text = compose_time(found, shown, &certificate->valid_to);
    else if (found->form == BEFORE)
        verdict->text = compose_time(found, shown, &certificate->valid_from);
    else if (found->form == NAMED)
        verdict->text = compose_names(session, found, certificate, shown);
    else
        verdict->text = compose_unknown(session, certificate, depth, shown, &verdict->code);
    weir_free(subject);
}

static void note_all(tls_session *session, const mbedtls_x509_crt *certificate, int depth, uint32_t flags)
{
    for (size_t i = 0; i < FINDINGS; i++) {
        if (flags & findings[i].flag)
            note(session, certificate, depth, i);
    }
}

/* ---- names and pins ---- */

static int is_pinned(const tls_settings *settings, const mbedtls_x509_crt *certificate)
{
    unsigned char digest[TLS_DIGEST_SIZE];

    if (weir__mbed_sha256(certificate->pk_raw.p, certificate->pk_raw.len, digest) != 0)
        return 0;
    for (size_t i = 0; i < settings->pin_count; i++) {
        if (memcmp(settings->pins[i], digest, sizeof(digest)) == 0)
            return 1;
    }
    return 0;
}

/* What is wrong with the peer's own certificate besides what mbedTLS has found, in its terms. */
static uint32_t check_leaf(const tls_session *session, const mbedtls_x509_crt *certificate)
{
    const tls_settings *settings = session->credentials->settings;
    uint32_t flags = 0;

    if (settings->pin_count > 0 && !is_pinned(settings, certificate))
        flags |= MBEDTLS_X509_BADCERT_OTHER;
    if (settings->role == WEIR_SERVER)
        return flags;
    /* Somebody whom any certificate will do for is nobody: only a pin stands in for a name. */
    if (session->name ? !weir__mbed_names(certificate, session->name, session->name_is_address)
                      : settings->pin_count == 0)
        flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    return flags;
}

static void keep_refused(tls_session *session, const mbedtls_x509_crt *certificate)
{
    weir_free(session->refused);
    session->refused_size = 0;
    session->refused = weir_malloc(certificate->raw.len);
    if (!session->refused)
        return;
    memcpy(session->refused, certificate->raw.p, certificate->raw.len);
    session->refused_size = certificate->raw.len;
}

int weir__mbed_verify(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    tls_session *session = arg;
    const tls_settings *settings = session->credentials->settings;

    if (depth == 0) {
        /* What mbedTLS says of names is not asked for: 2.28 knows no addresses, 3.6 takes the name that is sent. */
        *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
        *flags |= check_leaf(session, certificate);
    }
    note_all(session, certificate, depth, *flags);
    if (depth > 0 || !session->verdict.code)
        return 0;
    int pin = (*flags & MBEDTLS_X509_BADCERT_OTHER) != 0;
    if (settings->reject_unauthorized || pin) {
        keep_refused(session, certificate);
        weir__mbed_seal_alerts(session);
    }
    /* A pin that were only warned of would protect nobody. */
    return pin && !settings->reject_unauthorized ? MBEDTLS_ERR_X509_FATAL_ERROR : 0;
}

/* ---- the final word ---- */

void weir__mbed_judge_state(tls_session *session, const mbedtls_ssl_session *state, int *authorized, const char **code)
{
    const tls_settings *settings = session->credentials->settings;

    *authorized = 0;
    *code = NULL;
    if (weir__mbed_is_resumed(session)) {
        *authorized = session->origin.authorized;
        *code = session->origin.code;
    } else if (weir__mbed_is_by_psk(session, mbedtls_ssl_get_ciphersuite_name(state->ciphersuite))) {
        *authorized = 1;
    } else if (state->peer_cert) {
        /* What mbedTLS found when the chain had been gone through: curve and key usage. */
        if (state->verify_result != 0 && !session->verdict.code)
            note_all(session, state->peer_cert, 0, state->verify_result);
        *code = state->verify_result != 0 && !session->verdict.code ? odd : session->verdict.code;
        *authorized = !*code;
    } else if (settings->role == WEIR_CLIENT || settings->request_cert) {
        *code = missing;
    }
}

/* Of a handshake that failed: mbedTLS has dropped the certificate by then. */
static void judge_failed(tls_session *session)
{
    uint32_t flags = session->ssl.session_negotiate ? session->ssl.session_negotiate->verify_result : 0;

    if (!session->verdict.code && flags == MBEDTLS_X509_BADCERT_MISSING) {
        session->verdict.code = missing;
        session->verdict.text = compose("%s: the client showed no certificate", missing);
    } else if (!session->verdict.code && flags != 0 && flags != UINT32_MAX) {
        note_all(session, NULL, 0, flags);
    }
    session->code = session->verdict.code;
}

void weir__mbed_judge(tls_session *session)
{
    if (session->over && session->ssl.session)
        weir__mbed_judge_state(session, session->ssl.session, &session->authorized, &session->code);
    else
        judge_failed(session);
}
