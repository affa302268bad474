/* SPDX-License-Identifier: MIT */
/*
 * The seam between the two halves of a TLS plugin: what any TLS layer does stands above it (queues, opening and closing,
 * choosing a context, tickets' life, options), the protocol and its cryptography stand below it, in one table.
 *
 * Everything is called in the thread of the instance's runtime. An engine makes no system call for the network, knows no
 * link, starts no timer, and never waits: its ciphertext comes from tls_host.receive and goes to tls_host.send, during
 * its calls only. Memory comes from weir_malloc and its like; secrets are wiped before they are freed.
 */
/*
 * Its folder has an engine.cmake, which plugins/tls/CMakeLists.txt includes (-DWEIR_TLS_ENGINE=FOLDER; all *.c of the folder
 * are compiled into the plugin). It looks for what the engine stands on, and sets
 *
 *     WEIR_TLS_LIBS    the targets to link the plugin with. Of a library without a package of its own: an INTERFACE target
 *                      that it makes, with its headers in BUILD_INTERFACE, and installs into the export set weirTargets,
 *                      since weir's static archive of the plugin needs it. Empty: it is not there, and the plugin is not built
 *     WEIR_TLS_NEEDS   what is not there then, for people: "mbedTLS (libmbedtls-dev)"
 */
#ifndef WEIR_TLS_ENGINE_H
#define WEIR_TLS_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include <weir/endpoint.h>
#include <weir/error.h>

#include "settings.h"

typedef struct tls_credentials tls_credentials; /* the engine's: one context's keys, chains, rules; immutable */
typedef struct tls_session tls_session;         /* the engine's: one connection */

#define TLS_RECORD_MOST 16384 /* bytes of plaintext in one record, and in one call of write */

/* What a call came to. */
typedef enum tls_result {
    TLS_DONE,
    TLS_WANT_READ, /* receive gave 0, and more is needed. There is no "want write": send takes everything. */
    TLS_CLOSED,    /* read: the peer's close_notify. From then on every read says so. */
    TLS_FAILED     /* for good; `*error` says why, and is the caller's */
} tls_result;

/*
 * Resumption (TLS-12). With `tickets` off there is none of any kind. Tickets are sealed with the layer's keys, below; the
 * cache of TLS 1.2 sessions by their ids, for clients without tickets, is the engine's own: one of each credentials, for
 * `session_timeout` seconds (0: none), bounded. Whatever is resumed by
 *
 *   - is gone a week after the full handshake it goes back to, however often it was renewed, and with the end of the
 *     certificate that authorized the peer then. A ticket is announced with what is left, if that is less than its lifetime;
 *   - brings the first handshake's facts of the peer, and its verdict, and counts only where these settings would let that in;
 *   - is not made of a session by PSK: who has a key proves it anew, and nothing outlives the key.
 */

/*
 * What seals and opens session tickets (AEAD, 256 bits). `binding` goes into what is authenticated beside the ticket (with
 * `name`), so that a ticket is good only where the same clients are let in (TLS-12); so do the protocol's version and the
 * cipher suite, by the session that is sealed in it.
 */
typedef struct tls_ticket_key {
    unsigned char name[16];
    unsigned char key[32];
    unsigned char binding[TLS_DIGEST_SIZE];
    uint32_t lifetime; /* seconds: what a ticket sealed now is to be announced with */
} tls_ticket_key;

/*
 * What an engine asks of the layer, during its calls; `arg` is what session_new was given. What belongs to a context and
 * not to a session in the engine's library (callbacks for tickets, PSK and key logs) has to find the session that is in a
 * call now: there is at most one a thread.
 */
typedef struct tls_host {
    /* Ciphertext that came in, at most `size` bytes of it; 0: none now. The peer's end is not told here: the layer knows. */
    size_t (*receive)(void *arg, void *data, size_t size);

    /* Ciphertext to go out: takes all, always. 0, or UV_ENOMEM: the session is then broken and the layer knows it. */
    int (*send)(void *arg, const void *data, size_t size);

    /* Client: something to resume by came (at the handshake's end, or later with TLS 1.3): what session_new takes. */
    void (*new_session)(void *arg, const void *blob, size_t size);

    /* One line of an NSS key log, without its end; only when the settings say `keylog`. */
    void (*keylog)(void *arg, const char *line);

    /*
     * Server: the key of a client's PSK identity, at most `room` bytes: its length, or 0: unknown (the handshake then
     * fails with the protocol's alert). Answers for the option psk as well as for the application's callback.
     */
    size_t (*psk)(void *arg, const void *identity, size_t length, void *key, size_t room);

    /*
     * Server: name NULL: the key to seal with. Otherwise the one of that name (16 bytes), to open with: 0, or UV_ENOENT:
     * too old or not ours, then a full handshake follows. With `tickets` off it is never asked. The caller wipes `*key`.
     */
    int (*ticket_key)(void *arg, const unsigned char *name, tls_ticket_key *key);
} tls_host;

/* One connection, beside its context. Valid during session_new; the engine copies what it keeps. */
typedef struct tls_session_options {
    /*
     * Client: whom the certificate must name; a DNS name in lower case without the last dot, or an IP address
     * (name_is_address) which is never sent as SNI and is checked against iPAddress SANs.
     *
     * NULL: there is no name that a certificate could bear. Then of all certificates only one whose key is pinned authorizes
     * the peer; any other is, for the engine, one for another name (ERR_TLS_CERT_ALTNAME_INVALID), however good its chain.
     * With rejectUnauthorized the layer begins without a name only where there is a PSK or a pin, and where there is no pin
     * it takes nobody but who has proven the PSK: it asks for the fact tls.psk when the handshake is over. An engine that
     * refuses before that can tell the peer by an alert.
     */
    const char *name;
    int name_is_address;

    /*
     * Client: a blob to resume by, or NULL: none; with `tickets` off there is none. It may be any that the application has
     * (stream_set_session): of another name, of settings with another `binding`, of another version of the engine, out of
     * its time, cut or changed. The engine puts into its blobs what tells, and ignores what is not of this very name and
     * binding: a full handshake follows. Who believed it would take the peer of another connection for this one.
     */
    const void *resume;
    size_t resume_size;

    /* Client: the identity and key that go instead of the settings' (TLS-17, by callback). NULL: the settings'. */
    const char *psk_identity;
    const void *psk;
    size_t psk_size;

    /* Server: what the layer's own reading of the ClientHello chose (TLS-11); the engine announces this one alone. NULL: no
     * ALPN is spoken. A client offers the settings' alpn. */
    const char *alpn;

    /* Server: the ClientHello offers early data, which is never taken: what comes of it is skipped (TLS-20). */
    int early_data;
} tls_session_options;

/*
 * The facts an engine answers (weir_stream_get's names, TLS-16), once the handshake is over unless it says otherwise:
 *
 *   tls.version              text "TLSv1.2", "TLSv1.3"
 *   tls.cipher               text, its IANA name: "TLS_AES_128_GCM_SHA256"
 *   tls.alpn                 text; UV_ENOENT when none was agreed on
 *   tls.resumed              boolean
 *   tls.authorized           boolean: the peer's certificate (or PSK) was verified, names and pins included. On a server that
 *                            asks for no certificate: 0. A resumed session says what its first handshake said.
 *   tls.psk                  boolean: the peer has proven a pre-shared key, in this handshake, and not by a certificate or by
 *                            resumption: the layer relies on it. Not known is taken for 0.
 *   tls.authorizationError   text: the X509 code name; UV_ENOENT when there is none. Known from the failure on, also when
 *                            the handshake failed by it, and in a resumed session that of its first handshake. Where the layer
 *                            refuses whom the engine let pass, it answers this and tls.authorized itself.
 *   tls.peer.subject         text "CN=..., O=..."; like all tls.peer facts UV_ENOENT where the peer showed no certificate
 *   tls.peer.san             text "DNS:a.example, IP Address:127.0.0.1"
 *   tls.peer.fingerprint256  text "AB:CD:..." (SHA-256 of the DER)
 *   tls.peer.pem             text: the peer's own certificate
 */

/*
 * The engine. Texts of errors: a failed verification begins with its X509 code name ("CERT_HAS_EXPIRED: the certificate
 * of ... expired on ..."), its code is UV_EPROTO like that of any other fault of the protocol; UV_ENOMEM where memory ran
 * out. An alert that the engine owes the peer is given to send before TLS_FAILED is returned; the layer sends it.
 *
 * Owed are the code names of the README's table that speak of a certificate, a chain, a list of revocations or a pin, from
 * CERT_HAS_EXPIRED to CRL_SIGNATURE_FAILURE, and ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE; the rest of the table is the
 * layer's own. Everything else (a peer's alert, nothing in common, a wrong key) has words alone.
 */
typedef struct tls_engine {
    const char *name; /* "mbedtls 2.28.3": static text */
    int newest;       /* version of TLS that it speaks: TLS_VERSION_13, say */

    /* Of one runtime. 0, or below 0 with a message in `*error` (may be left NULL): the plugin is then refused. */
    int (*init)(void **instance, weir_error **error);
    void (*exit)(void *instance);

    /* Bytes nobody can guess: 0 or a code below 0. May be called by several threads, each with its own instance. */
    int (*random)(void *instance, void *data, size_t size);

    /* SHA-256 of the pieces one behind the other: 0 or a code below 0. A piece may be empty, and `out` may be one of them. */
    int (*digest)(void *instance, const tls_bytes *pieces, size_t count, unsigned char out[TLS_DIGEST_SIZE]);

    /*
     * What can be wrong with the settings' material and lists is found here (TLS-13, TLS-14) and told to the report, each
     * at its pointer ("/cert", "/ciphers"; weir__tls_fault, weir__tls_warning), all of it in one go. What peers may refuse
     * is a warning: a certificate that has expired, one that does not bear the name it is `served` for, a key that is too
     * small. 0 with `*credentials`; WEIR_EINVALID_CONFIG after at least one fault; UV_ENOMEM. `settings` outlives the
     * credentials. Settings that are `incomplete` are only looked through for more faults, of which what is missing is none,
     * and come to WEIR_EINVALID_CONFIG always.
     */
    int (*credentials_new)(void *instance, const tls_settings *settings, tls_report *report,
                           tls_credentials **credentials);
    void (*credentials_free)(tls_credentials *credentials); /* NULL is let pass */

    /* One connection. `host`'s table is static; the credentials live longer than the session. NULL: no memory. */
    tls_session *(*session_new)(tls_credentials *credentials, const tls_session_options *options, const tls_host *host,
                                void *arg);
    void (*session_free)(tls_session *session); /* NULL is let pass */

    /* DONE: over, and the peer is what the settings want it to be; its last flight has been given to send. WANT_READ, or
     * FAILED (also: the peer closed by close_notify). Renegotiation that is asked for later is refused by read (TLS-20). */
    tls_result (*handshake)(tls_session *session, weir_error **error);

    /*
     * At most `size` (at least 1) bytes of what the peer sent: DONE with `*done` at least 1, WANT_READ, CLOSED, FAILED.
     * Messages that are no data (tickets, key updates) are worked off inside. Bytes that came before a close_notify are
     * given before CLOSED.
     */
    tls_result (*read)(tls_session *session, void *data, size_t size, size_t *done, weir_error **error);

    /* At most TLS_RECORD_MOST bytes: DONE with `*done` = size (all of it goes to send), or FAILED. Not after close_notify. */
    tls_result (*write)(tls_session *session, const void *data, size_t size, size_t *done, weir_error **error);

    /* Says close_notify, once: DONE or FAILED. Reading goes on after it. */
    tls_result (*close_notify)(tls_session *session, weir_error **error);

    /* Bytes that read would give without asking receive: decoded plaintext. */
    size_t (*pending)(const tls_session *session);

    /* 0 with `*value`, whose text is valid until the session's next call; UV_ENOENT: not one of the engine's, or not known. */
    int (*fact)(tls_session *session, const char *name, weir_value *value);

    /* Exported keying material (RFC 5705, RFC 8446 7.5): 0; UV_ENOTCONN before the handshake is over; UV_EINVAL; UV_ENOTSUP.
     * context NULL: none, which in TLS 1.2 is not the same as an empty one. */
    int (*export_keys)(tls_session *session, const char *label, const void *context, size_t context_size, void *out,
                       size_t size);

    /* Client: a blob to resume by, in new memory, made from what the session has now; UV_ENOENT: nothing. TLS 1.2 has one
     * once the handshake is over; TLS 1.3 has none until new_session told one. */
    int (*session_get)(tls_session *session, void **blob, size_t *size);

    /* The peer's own certificate in DER, valid as long as the session: 0 or UV_ENOENT. */
    int (*peer_der)(tls_session *session, const void **der, size_t *size);

    /* What it offers beyond TLS: the plugin's `interface` asks here for names it does not know itself. `weir cert` asks for
     * "tls-cert" (weir/tls_cert.h), and can do nothing without. NULL: nothing. */
    const void *(*interface)(const char *name, unsigned version);
} tls_engine;

/* The engine this plugin is linked with. */
extern const tls_engine weir__tls_engine;

#endif
