/* SPDX-License-Identifier: MIT */
/* What the files of the engine share: its objects, and what each file is asked for. */
#ifndef WEIR_TLS_MBED_H
#define WEIR_TLS_MBED_H

#include <stdint.h>

#include "engine.h"
#include "library.h"
#include "names.h"

typedef struct mbed_trust mbed_trust;
typedef struct mbed_cache mbed_cache;
typedef struct mbed_early mbed_early;

/* Of one runtime. */
typedef struct mbed_instance {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbed_trust *trusts; /* that credentials use now: many contexts trust the same bundle */
} mbed_instance;

/* Whom to trust, parsed once for all credentials of the same material. */
struct mbed_trust {
    mbed_trust *next;
    size_t users;
    const char **origins; /* the materials' data: ca first, then crl */
    size_t ca_count;
    size_t crl_count;
    mbedtls_x509_crt ca;
    mbedtls_x509_crl crl;
    size_t certificates;
    int has_crl;
};

struct tls_credentials {
    mbed_instance *instance;
    const tls_settings *settings;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    int has_chain;
    mbed_trust *trust;
    int min_version; /* TLS_VERSION_... */
    int max_version;
    int *suites; /* ended by 0 */
    unsigned char suites_sum[TLS_DIGEST_SIZE];
    mbed_group *groups; /* ended by MBED_GROUP_END */
    const char **alpn;  /* a client's offer, ended by NULL; NULL: none */
    mbed_cache *cache;  /* a server's, of TLS 1.2; NULL: none */
};

/* Why a peer is not what it should be: the gravest of what was found. */
typedef struct mbed_verdict {
    const char *code; /* an X509 code name, static; NULL: nothing was found */
    size_t rank;      /* the lower, the graver */
    char *text;       /* "CODE: what is wrong with whose certificate"; NULL: none, or no memory */
} mbed_verdict;

/* What is known of a peer from the handshake that a session goes back to. */
typedef struct mbed_origin {
    const char *code; /* why the peer was not authorized, static; NULL: nothing was wrong */
    int authorized;
    int64_t verified;   /* when it was, in seconds of the real-time clock */
    int64_t certified;  /* until when the certificate is valid; 0: none */
    unsigned char *der; /* the peer's certificate, where the library's own session does not keep it; NULL: none */
    size_t der_size;
} mbed_origin;

struct tls_session {
    tls_credentials *credentials;
    const tls_host *host;
    void *arg;

    /* One configuration a session: callbacks find their session by it, and ALPN and PSK are the session's own. It costs
     * half a kilobyte beside the 34 of the record buffers. */
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;

    char *name; /* client: whom the certificate must name; NULL: nobody */
    int name_is_address;
    char *own_alpn;      /* server: the one that is announced */
    const char *alpn[2]; /* the same as a list */

    int over;          /* the handshake is */
    int resumed;       /* known once it is */
    int starved;       /* receive had nothing in this call */
    int no_memory;     /* send had none */
    int said_end;      /* close_notify was sent */
    int heard_end;     /* close_notify came */
    int alerted;       /* the last record that was sent is an alert */
    int full;          /* the handshake has a place for certificates: it is no resumption, nor by a key of TLS 1.3 */
    int has_session;   /* client: something to resume by has come */
    int proven;        /* the last identity that was accepted, or that a client has offered: MBED_BY_... */
    char stranger[80]; /* server: the identity of a pre-shared key that is not known, for people; "": none */
    weir_error *why;   /* it has failed */

    mbed_verdict verdict; /* of the certificate that was shown in this handshake */
    mbed_origin origin;   /* of the session that is offered or accepted for resumption */
    int authorized;       /* the final word, once the handshake is over */
    const char *code;     /* and why not; also when the handshake failed by it */

    mbedtls_x509_crt *peer; /* parsed from the origin's or the refused certificate; NULL: not yet, or none */
    unsigned char *refused; /* the certificate that was refused, in DER: the library forgets it */
    size_t refused_size;
    char *text; /* of the last fact */

#if MBED_EARLY
    mbed_early *early; /* server: while early data may come that is to be skipped; NULL: none */
#endif
#if !MBED_3
    unsigned char secret[48]; /* for exported keys */
    unsigned char randoms[64];
    mbedtls_tls_prf_types prf;
#endif
};

enum { MBED_BY_NOTHING, MBED_BY_SESSION, MBED_BY_PSK };

/* ---- engine.c ---- */

/* As mbedTLS wants random bytes; `instance` is a mbed_instance. */
int weir__mbed_random(void *instance, unsigned char *data, size_t size);
int weir__mbed_sha256(const void *data, size_t size, unsigned char out[TLS_DIGEST_SIZE]);

/* ---- errors.c ---- */

/* Does this result of mbedTLS mean that memory ran out? */
int weir__mbed_is_no_memory(int result);

/* A text for a result. At most `size` bytes with the NUL. */
void weir__mbed_text(int result, char *text, size_t size);

/* The error of a session that failed with `result`; what `what` names was going on. Never NULL. */
weir_error *weir__mbed_error(tls_session *session, int result, const char *what);

/* The alert that is owed to the peer for `result`. */
unsigned char weir__mbed_alert(int result);

/* ---- credentials.c, trust.c, keys.c, suites.c, groups.c, nearest.c ---- */

int weir__mbed_credentials_new(void *instance, const tls_settings *settings, tls_report *report,
                               tls_credentials **credentials);
void weir__mbed_credentials_free(tls_credentials *credentials);

/* "FILE", or words for material without one. */
const char *weir__mbed_material_name(const tls_material *material);

/* Tells a fault and gives 1 where the material is a PKCS #12 container, which is neither a certificate nor a key. */
int weir__mbed_refuse_container(const tls_material *material, tls_report *report);

/* The kind of key ("an Ed25519 key") that mbedTLS does not know and this DER names; NULL: none. */
const char *weir__mbed_foreign(const unsigned char *der, size_t size);

/* What is said to who has a key that mbedTLS cannot use. */
#define MBED_NEW_KEY                                                                                                \
    "; make another key, and a certificate for it: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 " \
    "-out NEW.key"

/* Whose certificates they are: one's own, those that are trusted, or the system's bundle. */
typedef enum mbed_whose { MBED_OWN, MBED_TRUSTED, MBED_SYSTEM } mbed_whose;

/*
 * Reads all certificates of a material, PEM (whatever else stands in it) or DER, to the end of `chain`; adds to `*count`.
 * Of the system's those that cannot be read are passed over. 0, WEIR_EINVALID_CONFIG after a fault was told, UV_ENOMEM.
 */
int weir__mbed_certificates(const tls_material *material, mbed_whose whose, tls_report *report, mbedtls_x509_crt *chain,
                            size_t *count);

/* 0 with `*trust`, WEIR_EINVALID_CONFIG, UV_ENOMEM. */
int weir__mbed_trust_get(mbed_instance *instance, const tls_settings *settings, tls_report *report, mbed_trust **trust);
void weir__mbed_trust_release(mbed_instance *instance, mbed_trust *trust);

/* The private key of the settings, and that it is the one of the chain: 0, WEIR_EINVALID_CONFIG after a fault was told,
 * UV_ENOMEM. */
int weir__mbed_key(tls_credentials *credentials, tls_report *report);
int weir__mbed_key_of_chain(tls_credentials *credentials, tls_report *report);

/* The cipher suites and the versions: 0, WEIR_EINVALID_CONFIG, UV_ENOMEM. */
int weir__mbed_suites(tls_credentials *credentials, tls_report *report);

/* The name that IANA has given a suite, by mbedTLS's; "" for one that is not in the table. */
const char *weir__mbed_suite_name(const char *library_name);

/* Does a suite (by mbedTLS's name) prove the peer by a pre-shared key? */
int weir__mbed_suite_is_psk(const char *library_name);

/* The curves: 0, WEIR_EINVALID_CONFIG, UV_ENOMEM. */
int weir__mbed_groups(tls_credentials *credentials, tls_report *report);

/*
 * Writes to `text` which known names are near to an unknown one: "; did you mean A or B?", or "" where none is (0 then).
 * `names` gives the i-th one that is known, or NULL.
 */
int weir__mbed_nearest(const char *name, const char *(*names)(size_t i), char *text, size_t size);

/* ---- verify.c ---- */

/* mbedTLS's callback, once for each certificate of the chain, the leaf last. */
int weir__mbed_verify(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);

/* After the handshake, or when it failed: the session's authorized and code. */
void weir__mbed_judge(tls_session *session);

/* The same of a session that the library is making, while the handshake goes on. */
void weir__mbed_judge_state(tls_session *session, const mbedtls_ssl_session *state, int *authorized, const char **code);

/* The static text that is equal to a code name, or NULL: how a name that was stored is found again. */
const char *weir__mbed_code(const char *name, size_t length);

/* Seconds since 1970 of a certificate's time. */
int64_t weir__mbed_seconds(const mbedtls_x509_time *at);

/* ---- envelope.c ---- */

#define MBED_SESSION_LIFE 604800 /* seconds: no resumption goes back to a handshake that is older */

/*
 * A session with what was found of the peer, in new memory that is to be wiped: what goes into tickets, into the cache and
 * to clients. `lifetime` in seconds, which becomes what is left of it. NULL: it is not to be resumed, or no memory.
 */
unsigned char *weir__mbed_pack(tls_session *session, const mbedtls_ssl_session *state, uint32_t *lifetime,
                               size_t *size);

/*
 * The way back, into `state` (initialised, and to be freed in any case) and the session's origin: 0, or UV_ENOENT where it
 * must not be resumed: of another release, too old, of a peer that the settings do not let in, cut off.
 */
int weir__mbed_unpack(tls_session *session, const unsigned char *data, size_t size, mbedtls_ssl_session *state);

void weir__mbed_origin_clear(mbed_origin *origin);

/* Frees memory that held secrets. NULL is let pass. */
void weir__mbed_free_secret(void *data, size_t size);

/* ---- tickets.c, cache.c ---- */

/* mbedTLS's callbacks; the first argument is the tls_session. */
int weir__mbed_ticket_write(void *arg, const mbedtls_ssl_session *state, unsigned char *start, const unsigned char *end,
                            size_t *size, uint32_t *lifetime);
int weir__mbed_ticket_parse(void *arg, mbedtls_ssl_session *state, unsigned char *data, size_t size);

#define MBED_CACHE_MOST 1024 /* sessions */

mbed_cache *weir__mbed_cache_new(void);
void weir__mbed_cache_free(mbed_cache *cache);

/* Puts the cache of the session's credentials into its configuration. */
void weir__mbed_cache_use(tls_session *session);

/* ---- session.c ---- */

/* Does the handshake go back to an earlier one? Known from the first flight on. */
int weir__mbed_is_resumed(const tls_session *session);

/* The next record that is sent will be an alert that ends the handshake: it is to be one that the peer can read. */
void weir__mbed_seal_alerts(tls_session *session);

/* Is the peer proven by a pre-shared key? `suite` by mbedTLS's name. */
int weir__mbed_is_by_psk(const tls_session *session, const char *suite);

tls_session *weir__mbed_session_new(tls_credentials *credentials, const tls_session_options *options,
                                    const tls_host *host, void *arg);
void weir__mbed_session_free(tls_session *session);
tls_result weir__mbed_handshake(tls_session *session, weir_error **error);
tls_result weir__mbed_read(tls_session *session, void *data, size_t size, size_t *done, weir_error **error);
tls_result weir__mbed_write(tls_session *session, const void *data, size_t size, size_t *done, weir_error **error);
tls_result weir__mbed_close_notify(tls_session *session, weir_error **error);
size_t weir__mbed_pending(const tls_session *session);
int weir__mbed_session_get(tls_session *session, void **blob, size_t *size);

/* ---- configure.c ---- */

/*
 * The configuration of one session, from its credentials: 0, or what mbedTLS says. The session's other members are set.
 */
int weir__mbed_configure(tls_session *session, const tls_session_options *options);

/* ---- early.c ---- */

#if MBED_EARLY

/* A server's session, whose client offers early data: 0, or what mbedTLS calls no memory. */
int weir__mbed_early_begin(tls_session *session);
void weir__mbed_early_end(tls_session *session);

/* The client's secret of the handshake has come about. */
void weir__mbed_early_secret(tls_session *session, const unsigned char *secret, size_t size);

/* The host's receive, without the records that are skipped. Ends by itself. */
size_t weir__mbed_early_receive(tls_session *session, unsigned char *data, size_t size);

#endif

/* ---- facts.c, export.c ---- */

int weir__mbed_fact(tls_session *session, const char *name, weir_value *value);
int weir__mbed_peer_der(tls_session *session, const void **der, size_t *size);

/* The peer's own certificate, or NULL. */
const mbedtls_x509_crt *weir__mbed_peer(tls_session *session);

int weir__mbed_export(tls_session *session, const char *label, const void *context, size_t context_size, void *out,
                      size_t size);

/* Asks the library for the secrets of a session, for exported keys and key logs. */
void weir__mbed_export_use(tls_session *session);

#endif
