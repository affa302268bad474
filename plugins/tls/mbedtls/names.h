/* SPDX-License-Identifier: MIT */
/* The names in a certificate. */
#ifndef WEIR_TLS_NAMES_H
#define WEIR_TLS_NAMES_H

#include "library.h"

/* Does the certificate name this host? An address is looked for among the iPAddress names alone. */
int weir__mbed_names(const mbedtls_x509_crt *certificate, const char *name, int is_address);

/* "DNS:a.example, IP Address:127.0.0.1" in new memory; NULL: none, or no memory. */
char *weir__mbed_san_text(const mbedtls_x509_crt *certificate);

/* "CN=a, O=b" in new memory; NULL: no memory. */
char *weir__mbed_subject(const mbedtls_x509_crt *certificate);

#endif
