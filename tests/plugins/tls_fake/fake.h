/* SPDX-License-Identifier: MIT */
/*
 * A test engine behind the seam of plugins/tls: the layer half, and no cryptography. What goes over the wire stands in
 * tests/plugins/tls_wire.h. What is to go wrong is said in the option ciphers, by names that begin with FAKE_ and end in a
 * number where they need one:
 *
 *   FAKE_HANDSHAKE_FAILS     the handshake fails when it is to answer the peer's first message, with an alert
 *   FAKE_READ_FAILS=N        the Nth record of data cannot be read
 *   FAKE_WRITE_FAILS=N       the Nth write fails
 *   FAKE_RECORD=N            no record holds more than N bytes
 *   FAKE_LAST_FLIGHT=N       N bytes more are in the last flight of a server
 *   FAKE_CREDULOUS           a client without a name to look for lets every certificate of a trusted issuer pass, which no
 *                            engine may do
 *   FAKE_CHATTY=N            every record of data is answered by a message of N bytes that says nothing
 *
 * A certificate is a text of lines: "-----BEGIN FAKE CERTIFICATE-----", "subject=server", "issuer=ca", any number of
 * "name=localhost" and "address=127.0.0.1", perhaps "expired=1", an end. A key has the line "subject=server".
 */
#ifndef TLS_FAKE_FAKE_H
#define TLS_FAKE_FAKE_H

#include "engine.h"
#include "tls_wire.h"

typedef struct fake_faults {
    size_t handshake_fails;
    size_t read_fails;
    size_t write_fails;
    size_t record;
    size_t last_flight;
    size_t chatty;
    size_t credulous;
} fake_faults;

struct tls_credentials {
    const tls_settings *settings;
    fake_faults faults;
};

typedef enum fake_step { BEGIN, SAID_HELLO, SAID_FINISHED, SAID_ALL, READY, DEAD } fake_step;

struct tls_session {
    tls_credentials *credentials;
    const tls_settings *settings;
    const tls_host *host;
    void *arg;
    weir_role role;
    fake_step step;

    /* of the options */
    char *name;
    int name_is_address;
    char *identity;
    unsigned char proof[TLS_DIGEST_SIZE]; /* of the key */
    char *alpn;
    unsigned char *resume;
    size_t resume_size;

    /* the record that comes in, and the message that its payload goes on with */
    unsigned char record[WIRE_HEADER + WIRE_RECORD_MOST];
    size_t have;
    wire message;
    size_t plain_at; /* of data: what was not read yet */
    size_t plain_left;
    size_t records; /* of data so far */
    size_t writes;
    int closed;
    int notified;

    /* what was found out */
    unsigned char random[WIRE_RANDOM];
    int version;
    int resumed;
    int authorized;
    int by_psk;
    const char *authorization_error;
    char judgement[64]; /* of the first handshake, in a resumed session */
    char *peer;         /* its certificate, ended by NUL; NULL: none */
    size_t peer_size;
    wire blob; /* client: to resume by */
    char text[256];
};

/* ---- credentials.c ---- */

int fake_credentials_new(void *instance, const tls_settings *settings, tls_report *report,
                         tls_credentials **credentials);
void fake_credentials_free(tls_credentials *credentials);

/* The value of the `index`th line "key=...", NUL-terminated in `value`: 1, or 0: there is none. */
int fake_line(const char *text, size_t size, const char *key, size_t index, char *value, size_t room);

/* Why a peer's certificate is not to be believed: an X509 code name; NULL: it is. */
const char *fake_verify(const tls_credentials *credentials, const char *cert, size_t size, const char *name,
                        int is_address);

/* ---- session.c ---- */

tls_session *fake_session_new(tls_credentials *credentials, const tls_session_options *options, const tls_host *host,
                              void *arg);
void fake_session_free(tls_session *session);
tls_result fake_handshake(tls_session *session, weir_error **error);
tls_result fake_read(tls_session *session, void *data, size_t size, size_t *done, weir_error **error);
tls_result fake_write(tls_session *session, const void *data, size_t size, size_t *done, weir_error **error);
tls_result fake_close_notify(tls_session *session, weir_error **error);
size_t fake_pending(const tls_session *session);
int fake_session_get(tls_session *session, void **blob, size_t *size);

/* ---- facts.c ---- */

int fake_fact(tls_session *session, const char *name, weir_value *value);
int fake_export_keys(tls_session *session, const char *label, const void *context, size_t context_size, void *out,
                     size_t size);
int fake_peer_der(tls_session *session, const void **der, size_t *size);

/* ---- engine.c ---- */

/* No digest that anybody should trust: 32 bytes that are the same for the same pieces. */
void fake_digest(const tls_bytes *pieces, size_t count, unsigned char out[TLS_DIGEST_SIZE]);

#endif
