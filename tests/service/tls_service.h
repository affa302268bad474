/* SPDX-License-Identifier: MIT */
/* Certificates made by `weir cert`, an echo service over TLS, and 64 MiB through programs: for the tests of TLS with
 * programs. */
#ifndef WEIR_TEST_TLS_SERVICE_H
#define WEIR_TEST_TLS_SERVICE_H

#include <stddef.h>

#include "child.h"

/* Skips the test where there is no plugin tls: it is built where mbedTLS is. */
void tls_need(void);

/* The setup of a group of tests: what the process keeps of the plugin tls is no leak of a test (fixture_preload). */
int tls_group_setup(void **state);

/* The plugin's engine speaks TLS 1.3. */
int tls_has_13(void);

/* A folder for `weir cert`, beside the files of child_file. Returns `at`. */
const char *tls_folder(char *at, size_t size, const char *name);

/*
 * The path of a file of the test program's certificates, which are made when the first one is asked for: ca.pem,
 * server.pem (localhost, 127.0.0.1, ::1), other.pem (other.example, *.wild.example), client.pem, each with its .key; and
 * stranger.pem, stranger-ca.pem of an authority that nobody knows. It lives as the process does.
 */
const char *tls_cert(const char *file);

typedef struct tls_service {
    child *weir;
    char port[8];
} tls_service;

/* `weir run` of an echo at tls+tcp, with these further options (members of a JSON object, or ""). */
tls_service *tls_serve(const char *options);

/* The same with another handler (JSON) and cert and key among the options. */
tls_service *tls_serve_with(const char *options, const char *handler);

/* SIGHUP to one of tls_serve, whose file has these options by then; waits until it has reloaded. */
void tls_reload(tls_service *self, const char *options);

/* Stops it and waits for its end; its texts are the caller's to look at, and to child_free. */
child *tls_stop(tls_service *self);

/* tls_stop, and nothing went wrong while it served: an end without close_notify would be told. */
void tls_stop_quietly(tls_service *self);

/* "127.0.0.1:PORT". The text is the next call's too. */
const char *tls_where(const tls_service *self);

/* For each version that the engine speaks; `i` is that of these names. */
extern const char *const tls_versions[2];
extern const char *const tls_openssl_versions[2];
#define TLS_EACH_VERSION for (int i = 0; i < 2 && i <= tls_has_13(); i++)

/* ---- other programs ---- */

/* openssl s_client speaks plainly: what it prints is what came, and the end of its input is its close_notify. */
#define S_CLIENT(service, ...)                                                                      \
    OTHER(CHILD_PIPE, CHILD_PIPE, "openssl", "s_client", "-connect", tls_where(service), "-CAfile", \
          tls_cert("ca.pem"), "-verify_return_error", "-nocommands", "-nbio", __VA_ARGS__)

/*
 * openssl s_server with server.pem; `version` and `more` are words for a shell, `port` gets where it listens. It stands in
 * the folder of child_file, of which -WWW gives files.
 */
child *tls_s_server(const char *version, const char *more, char *port, size_t size);

/* child_finish, but its input stays open until it has ended. */
int tls_finish_open(child *self);

/* A listener without TLS on a port of its own, for a service that takes the TLS off; `url` gets how it is reached. */
int tls_listen_plainly(char *url, size_t size);

/* ---- texts ---- */

/* Fails the test unless `text` is in it. */
void tls_expect(const char *where, const char *text);

/* How often `what` is in it. */
int tls_count(const char *text, const char *what);

/* The child ends by itself, well. Frees it. */
void tls_good_end(child *self);

/* ---- bytes ---- */

/* 64 MiB; under valgrind, which takes minutes for that, fewer. */
#define TLS_MUCH tls_much()
size_t tls_much(void);

/* So many bytes, the same ones each time; the caller's to free. */
char *tls_payload(size_t size);

/* Bytes that go into a program and come out of it, or of another one, at the same time. Input stays open. */
void tls_exchange(child *into, child *from, const char *bytes, size_t size);

/* The next lines of standard output, until one has this text in it. */
const char *tls_line_with(child *from, const char *text);

#endif
