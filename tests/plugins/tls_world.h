/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tls-fake stand on: its certificates and keys, endpoints, and a peer that speaks the fake's protocol
 * without the layer, to say and to see what a well-behaved one would not.
 */
#ifndef WEIR_TEST_TLS_WORLD_H
#define WEIR_TEST_TLS_WORLD_H

#include "fixture.h"

#include "tls_wire.h"

/* As they stand in JSON. */
#define FAKE_CA "-----BEGIN FAKE CERTIFICATE-----\\nsubject=ca\\nissuer=ca\\n"
#define FAKE_CERT \
    "-----BEGIN FAKE CERTIFICATE-----\\nsubject=server\\nissuer=ca\\nname=localhost\\naddress=127.0.0.1\\n"
#define FAKE_KEY   "-----BEGIN FAKE KEY-----\\nsubject=server\\n"
#define OTHER_CERT "-----BEGIN FAKE CERTIFICATE-----\\nsubject=other\\nissuer=ca\\nname=localhost\\n"
#define OTHER_KEY  "-----BEGIN FAKE KEY-----\\nsubject=other\\n"

/* Members of the options of tls-fake. */
#define SERVES "\"cert\": \"" FAKE_CERT "\", \"key\": \"" FAKE_KEY "\""
#define TRUSTS "\"ca\": \"" FAKE_CA "\""

/* What happens by itself within a process has happened after so many turns of the loop. */
#define TURNS 40

/* An endpoint on tcp with tls-fake of these options; `server` NULL: to listen on. */
const char *tls_endpoint(fixture *f, const weir_server *server, const char *options);

/* The same on mem, whose pipes hold so much; `name` tells servers apart. */
const char *tls_mem_endpoint(fixture *f, const char *name, unsigned pipe_size, const char *options);
const char *plain_mem_endpoint(fixture *f, const char *name, unsigned pipe_size);

/* A server with these options; half open. */
weir_server *tls_server(fixture *f, const char *options);

/* A client of it with these, which begins to connect; half open. */
recorder *tls_client(fixture *f, const weir_server *server, const char *options);

/* Both, open. */
pair tls_pair(fixture *f, const char *server_options, const char *client_options);

/* A fact of a stream as text: "true", "12", "h2"; "-" where there is none. The text lives as the fixture does. */
const char *fact_of(fixture *f, const recorder *r, const char *name);

/* ---- options ---- */

/* Why an endpoint with these options of tls-fake is refused; NULL: it is not. Files are relative to the test's folder. */
weir_error *tls_refusal(fixture *f, const char *options, weir_role role);

/* It is not; or it is, and all of `says`, separated by '|', stand in the message. */
void expect_good(fixture *f, const char *options, weir_role role);
void expect_fault(fixture *f, const char *options, weir_role role, const char *says);

/* ---- a raw peer ---- */

/* Writes what was put together, and empties it. */
void raw_send(recorder *raw, wire *what);

/* As a client: the ClientHello, version 3; with a name and protocols where not NULL. */
void raw_hello(recorder *raw, const char *name, const char *protocol);

/* As a client: Finished. */
void raw_finished(wire *to);

/* As a server: ServerHello with the certificate of FAKE_CERT. */
void raw_put_server_hello(wire *to, char version);

/* The same, version 3, sent: a client that trusts it is open after it. */
void raw_server_hello(recorder *raw);

/* The handshake of a raw client with a server of tls_server: afterwards both are open. `seen` gets how much of the raw
 * one's data that was. */
pair raw_client(fixture *f, weir_server *server, size_t *seen);

/* The other way around: a client of tls-fake with a plain server. */
pair raw_server(fixture *f, const char *client_options, size_t *seen);

/* The next record of what a raw peer received: its type, or 0: it has not come. `*at` moves behind it. Data is turned back
 * into `data`, which may be NULL. */
int raw_record(const recorder *raw, size_t *at, unsigned char *data, size_t *size);

/* Waits until it has come; `*at` moves behind it. */
void raw_wait_record(recorder *raw, size_t *at);

#endif
