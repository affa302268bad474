/* SPDX-License-Identifier: MIT */
/* Certificates made by `weir cert`, an echo service over TLS, and 64 MiB through programs: for the tests of TLS with
 * programs. */
#ifndef WEIR_TEST_TLS_SERVICE_H
#define WEIR_TEST_TLS_SERVICE_H

#include <stddef.h>

#include "child.h"

/* Skips the test where there is no plugin tls: it is built where mbedTLS is. */
void tls_need(void);

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

/* Stops it and waits for its end; its texts are the caller's to look at, and to child_free. */
child *tls_stop(tls_service *self);

/* Bytes that go into a program and come out of it, or of another one, at the same time. Input stays open. */
void tls_exchange(child *into, child *from, const char *bytes, size_t size);

/* The next lines of standard output, until one has this text in it. */
const char *tls_line_with(child *from, const char *text);

#endif
