/* SPDX-License-Identifier: MIT */
/*
 * Two sessions of a TLS engine back to back: what one sends the other receives, through memory. No link, no stream, no
 * socket. A test:
 *
 *     world *w = world_of(*state);
 *     tls_settings server = world_server(w, "localhost");
 *     tls_settings client = world_client(w);
 *     talk *t = world_talk(w, &client, &server, NULL, NULL);
 *     talk_handshake(t);
 */
#ifndef WEIR_TEST_ENGINE_WORLD_H
#define WEIR_TEST_ENGINE_WORLD_H

#include "fixture.h"

#include "plugins/tls/engine.h"
#include "plugins/tls/mbedtls/make_cert.h"

enum { WORLD_TICKETS = 4, WORLD_TEXT = 65536 };

typedef struct world {
    fixture *f;
    void *instance;  /* of the engine */
    int newest;      /* TLS_VERSION_... */
    int now_version; /* that both ends are held to; 0: none */
    tls_ticket_key keys[WORLD_TICKETS];
    size_t key_count; /* the last one seals */
    void *kept[512];  /* freed in the end */
    size_t kept_count;
    tls_credentials *credentials[64];
    size_t credentials_count;
    struct talk *talks[64];
    size_t talk_count;
    char told[4096]; /* the faults of the last report: "/cert: ...; /key: ..." */
} world;

/* cmocka's setup and teardown: a fixture, and a world beside it. */
int world_setup(void **state);
int world_teardown(void **state);
world *world_of(void *state);

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

/* Runs the rest of a test once for each version of TLS that the engine has. */
#define WORLD_VERSIONS(w) for ((w)->now_version = TLS_VERSION_12; (w)->now_version <= (w)->newest; (w)->now_version++)

/* ---- certificates ---- */

/* What is to be signed, by the world's authority unless it is said otherwise. */
typedef struct wish {
    const char *host;   /* one alternative name; NULL: none */
    const char *second; /* another one */
    const char *subject;
    int64_t from; /* seconds from now; both 0: an hour ago, for a day */
    int64_t until;
    int uses;
    int self_signed;
    int is_authority;
    const mbed_cert *issuer;
} wish;

const mbed_cert *world_authority(void);
mbed_cert *world_issue(world *w, const wish *what);

/* Text as material of an option. */
tls_material world_material(world *w, const char *text, const char *pointer);
tls_material world_bytes(world *w, const void *data, size_t size, const char *pointer);
tls_material *world_materials(world *w, const char *text, const char *pointer);

/* Runs openssl, in the test's folder; skips the test where there is none. Fails it when openssl does. */
#define world_openssl(w, ...) world_run((w), (const char *const[]){"openssl", __VA_ARGS__, NULL})
void world_run(world *w, const char *const *arguments);

/* A file of the test's folder: writes it, or reads it, ended by NUL. */
void world_write(world *w, const char *name, const char *text);
char *world_read(world *w, const char *name, size_t *size);

/* ---- settings ---- */

/* One whose faults come to world.told; its warnings are lines of the log. */
tls_report world_report(world *w);

/* A server with a certificate for this host. */
tls_settings world_server(world *w, const char *host);

/* One of localhost that asks its clients for certificates of the world's authority; `reject`: those without are sent away. */
tls_settings world_asking_server(world *w, int reject);

/* A client that trusts the world's authority. */
tls_settings world_client(world *w);

/* The client's certificate. */
void world_identify(world *w, tls_settings *settings, const wish *what);

/* Credentials that live as long as the test; fails the test when they cannot be made. */
tls_credentials *world_credentials(world *w, const tls_settings *settings);

/* What the report says of settings that must be refused. */
const char *world_refusal(world *w, const tls_settings *settings);

/* What it says by way of warnings: they are lines of the log. */
const char *world_warning(world *w, const tls_settings *settings);

/* ---- conversations ---- */

/* What a session of the world asks: its `arg` is a talk_end. */
extern const tls_host world_host;

typedef struct talk_end {
    struct talk *talk;
    struct talk_end *other;
    const tls_settings *settings;
    tls_session *session;
    unsigned char *in; /* that came, and was not yet received */
    size_t in_size;
    size_t in_room;
    size_t in_at;
    size_t received; /* in all */
    size_t sent;
    size_t piece; /* at most so much at once; 0: any */
    int send_fails;
    unsigned char *blob; /* of the last new_session */
    size_t blob_size;
    unsigned blobs;
    unsigned keys_asked;
    unsigned psk_asked;
    char log[8192];    /* of keys */
    tls_result result; /* of the handshake */
    weir_error *error; /* of the last call that failed */
} talk_end;

typedef struct talk {
    world *w;
    talk_end client;
    talk_end server;
} talk;

/* Two sessions, which have not said anything. `for_client`, `for_server` may be NULL: the client looks for "localhost". */
talk *world_talk(world *w, const tls_settings *client, const tls_settings *server,
                 const tls_session_options *for_client, const tls_session_options *for_server);
talk *world_talk_with(world *w, tls_credentials *client, const tls_settings *client_settings, tls_credentials *server,
                      const tls_settings *server_settings, const tls_session_options *for_client,
                      const tls_session_options *for_server);

/* Until both are done or nothing moves any more. */
void talk_run(talk *t);

/* And fails the test when it does not succeed, or when it does. */
void talk_handshake(talk *t);
void talk_refused(talk *t);

/* What the end says of its failure. */
const char *end_error(const talk_end *end);

/* Writes all and reads it at the other end. */
void end_says(talk_end *end, const void *data, size_t size);

/* Reads once: the result. Bytes go to a buffer of the talk's. */
tls_result end_reads(talk_end *end, void *data, size_t size, size_t *done);

/* Facts: "" where there is none, and -1. */
const char *end_text(talk_end *end, const char *name);
int end_flag(talk_end *end, const char *name);

/* What the end has to resume by: fails the test when there is nothing. */
tls_session_options end_resume(talk_end *end, const char *name);

/* A whole conversation with credentials of its own, of which anything may fail for want of memory. */
typedef struct world_attempt {
    world *w;
    tls_settings client;
    tls_settings server;
    tls_session_options resume;
} world_attempt;

/* Did the handshake succeed at both ends, with everything told that is to be told? Nothing stays. */
int world_try(const world_attempt *attempt);

#endif
