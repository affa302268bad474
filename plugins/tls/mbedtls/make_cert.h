/* SPDX-License-Identifier: MIT */
/* Making certificates: behind the table of weir/tls_cert.h, and with every odd wish that a test has. */
#ifndef WEIR_TLS_MAKE_CERT_H
#define WEIR_TLS_MAKE_CERT_H

#include <stdint.h>

#include <weir/tls_cert.h>

enum { MBED_FOR_SERVER = 1, MBED_FOR_CLIENT = 2 };

typedef struct mbed_cert_request {
    const char *subject;      /* "CN=localhost,O=weir" */
    const char *const *hosts; /* alternative names; none: the extension is left out */
    size_t host_count;
    int64_t from; /* seconds since 1970 */
    int64_t until;
    int is_authority;
    int uses;                  /* MBED_FOR_...; 0: any */
    const char *issuer_cert;   /* PEM; NULL: it signs itself */
    const char *issuer_key;    /* PEM */
    const char *issuer_folder; /* where both stand, for messages */
} mbed_cert_request;

/* PEM, in new memory. */
typedef struct mbed_cert {
    char *cert;
    char *key;
} mbed_cert;

/* What is wrong with it as something that a certificate is for: a name without a last dot ("*.example.org" too), or an
 * address. Static text that goes on after it, or NULL. */
const char *weir__mbed_cert_host_fault(const char *host);

/* 0, or below 0 with `*error`: UV_EINVAL, UV_ENOMEM, UV_EIO. */
int weir__mbed_cert_make(const mbed_cert_request *request, mbed_cert *made, weir_error **error);

/* Has the authority signed it, whatever else may be wrong with it? Both in PEM. An authority that cannot be read has signed
 * anything: it will sign nothing more, and that is what is to be told. */
int weir__mbed_cert_is_of(const char *cert, const char *authority);

/* Wipes the key. */
void weir__mbed_cert_clear(mbed_cert *made);

extern const weir_tls_cert weir__mbed_cert;

#endif
