/* SPDX-License-Identifier: MIT */
/* Who takes part in bench_tls, and how each is started. */
#ifndef WEIR_BENCH_TLS_SIDES_H
#define WEIR_BENCH_TLS_SIDES_H

#include "process.h"
#include "run.h"

#include <stdbool.h>

enum tls_side {
    /* Servers that echo themselves. */
    TLS_WEIR,
    TLS_NODE,
    /* The two halves of the limit: weir without TLS, mbedTLS without weir. */
    TLS_PLAIN,
    TLS_MBEDTLS,
    /* Terminators in front of a plain echo server. */
    TLS_FORWARD,
    TLS_NGINX,
    TLS_HAPROXY,
    TLS_STUNNEL,
    TLS_SIDES
};

struct tls_kind {
    const char *name;     /* the heading of its column */
    const char *packages; /* of Debian, to have it; NULL: it is ours */
    bool terminates;
};

extern const struct tls_kind tls_kinds[TLS_SIDES];

/* The server that is measured, and what stands behind it. */
struct tls_server {
    struct bench_process server;
    struct bench_process backend;
    char address[32];
};

/* Is it installed? */
bool tls_is_there(enum tls_side side);

/* Make the certificate and the key in the run's folder; -1 after saying why. */
int tls_make_certificate(struct bench_run *run);

/* Start it and what stands behind it, and wait until it listens; -1 after saying why. In any case tls_stop ends it. */
int tls_start(struct bench_run *run, enum tls_side side, struct tls_server *server);

/* `result`, or -1 when the server did not end as it should. */
int tls_stop(enum tls_side side, struct tls_server *server, int result);

/* Ask mbedTLS alone for a row; -1 after saying why. */
int tls_ask_mbedtls(struct bench_run *run, const struct bench_workload *workload, struct bench_sample *sample,
                    double *buffers);

/* Remove the files that the others made. */
void tls_clean(const struct bench_run *run);

#endif
