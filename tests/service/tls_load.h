/* SPDX-License-Identifier: MIT */
/* Clients of a TLS server that come all the time, in the test's own loop, and tell which certificate they met. */
#ifndef WEIR_TEST_TLS_LOAD_H
#define WEIR_TEST_TLS_LOAD_H

#include "fixture.h"

enum { TLS_LOAD_CLIENTS = 4 };

typedef struct tls_load {
    fixture *f;
    const char *url;
    weir_stream *streams[TLS_LOAD_CLIENTS];
    int mark; /* whoever began to connect before it was changed does not count */
    int marks[TLS_LOAD_CLIENTS];
    size_t handshakes;
    size_t failures;
    char failure[512];
    char now[4096]; /* the certificate that the last one that counts met, in PEM */
    size_t others;  /* how many met another one than the one before did */
    int stop;
    size_t running;
} tls_load;

/* Under valgrind, where a handshake takes a tenth of a second, `few`. */
size_t tls_fewer(size_t many, size_t few);

/* Clients of localhost, at this port of 127.0.0.1, who trust this authority and want no tickets. */
void tls_load_start(tls_load *self, fixture *f, unsigned port, const char *ca);

/* So many more handshakes that count; fails the test when one has failed. */
void tls_load_turns(tls_load *self, size_t handshakes);

/* Waits for the last ones; none may have failed. */
void tls_load_end(tls_load *self);

#endif
