/* SPDX-License-Identifier: MIT */
/*
 * The protocol of the fake engine: TLS's records and a true ClientHello, everything else made up. No cryptography: bytes
 * of data are turned over with one key, so that tests can write what a peer says, and look at what was sent.
 *
 *   client: ClientHello                     server: ServerHello
 *   client: Finished                        server: Finished (version 2 alone), Ticket
 *
 * With "version" 3 a client is done when it has sent Finished, with 2 when it has got it. The body of every message but
 * the ClientHello's, whose fields stand in an extension, is a list of fields: a letter, two bytes of length, bytes.
 */
#ifndef WEIR_TEST_TLS_WIRE_H
#define WEIR_TEST_TLS_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { WIRE_ALERT = 21, WIRE_HANDSHAKE = 22, WIRE_DATA = 23 }; /* records */
enum { WIRE_CLIENT_HELLO = 1, WIRE_SERVER_HELLO = 2, WIRE_TICKET = 4, WIRE_FINISHED = 20, WIRE_PADDING = 99 };
enum { WIRE_HEADER = 5, WIRE_RECORD_MOST = 16384 + 256, WIRE_RANDOM = 32, WIRE_TURN = 0x5a };
enum { WIRE_CLOSE_NOTIFY = 0, WIRE_HANDSHAKE_FAILURE = 40, WIRE_UNEXPECTED = 10, WIRE_BAD_CERTIFICATE = 42 };

/* Fields: */
enum {
    WIRE_VERSION = 'V',
    WIRE_ALPN = 'A',
    WIRE_CERT = 'C',
    WIRE_ASKS = 'Q', /* for a certificate */
    WIRE_OLD = 'T',  /* a ticket */
    WIRE_RESUMED = 'R',
    WIRE_IDENTITY = 'I',
    WIRE_PROOF = 'K',
    WIRE_STATE = 'S',
    WIRE_WHOM = 'W', /* of a session: for which name, */
    WIRE_BOUND = 'B' /* and by which settings */
};

/* Bytes that grow; `failed` once there was no memory. */
typedef struct wire {
    unsigned char *data;
    size_t size;
    size_t room;
    int failed;
} wire;

void wire_put(wire *to, const void *data, size_t size);
void wire_number(wire *to, size_t value, size_t bytes);
void wire_free(wire *of);

void wire_field(wire *to, char letter, const void *data, size_t size);
/* The field's bytes, or NULL. */
const unsigned char *wire_find(const unsigned char *fields, size_t size, char letter, size_t *found);

void wire_record(wire *to, int type, const void *payload, size_t size);
void wire_message(wire *to, int type, const void *fields, size_t size);
void wire_data(wire *to, const void *data, size_t size); /* one record */
void wire_alert(wire *to, int level, int description);

typedef struct wire_hello {
    unsigned char random[WIRE_RANDOM];
    const char *name; /* NULL: none */
    const char *const *alpn;
    size_t alpn_count;
    const wire *fields; /* NULL: none */
} wire_hello;

/* As one record; with `cut` above 0 as records of that many bytes each. */
void wire_client_hello(wire *to, const wire_hello *hello, size_t cut);

/* The message in a ClientHello's record: its fields, and where its random begins. NULL: none. */
const unsigned char *wire_hello_fields(const unsigned char *message, size_t size, size_t *found);

#endif
