/* SPDX-License-Identifier: MIT */
/*
 * mbedTLS: its headers, and what its releases 2.28 and 3.x call differently, so that the other files speak one language.
 */
#ifndef WEIR_TLS_LIBRARY_H
#define WEIR_TLS_LIBRARY_H

/* A session is saved where it lies, and a state is watched: 3.x hides both, and keeps them in place in a long-term release. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include <mbedtls/version.h>

#include <mbedtls/asn1.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/cipher.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03060000
#define MBED_3 1
#include <psa/crypto.h>
#elif MBEDTLS_VERSION_NUMBER >= 0x021C0000 && MBEDTLS_VERSION_NUMBER < 0x03000000
#define MBED_3 0
#else
#error "mbedTLS 2.28 or 3.6 is wanted"
#endif

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define MBED_TLS13 1
#else
#define MBED_TLS13 0
#endif

/* Without these it would build, and certificates never expire, lists of revocations count for nothing, peers have no facts. */
#if !defined(MBEDTLS_HAVE_TIME_DATE) || !defined(MBEDTLS_X509_CRL_PARSE_C) || \
    !defined(MBEDTLS_SSL_KEEP_PEER_CERTIFICATE)
#error "an mbedTLS with MBEDTLS_HAVE_TIME_DATE, X509_CRL_PARSE_C and SSL_KEEP_PEER_CERTIFICATE is wanted"
#endif

/* 2.28 shares nothing between runtimes; 3.x has the keys of PSA in one place for all threads. */
#if MBED_3 && !defined(MBEDTLS_THREADING_C)
#error "an mbedTLS 3.6 with MBEDTLS_THREADING_C is wanted: workers are threads"
#endif

/* Whether clients' early data is to be skipped: a library that could take it does so itself. */
#if MBED_TLS13 && defined(MBEDTLS_HKDF_C) && !defined(MBEDTLS_SSL_EARLY_DATA)
#define MBED_EARLY 1
#else
#define MBED_EARLY 0
#endif

/* Curves: 3.x takes them by their numbers in the protocol, 2.28 by its own. */
#if MBED_3
typedef uint16_t mbed_group;
#define MBED_GROUP(number, id) (number)
#define MBED_GROUP_END         MBEDTLS_SSL_IANA_TLS_GROUP_NONE
#else
typedef mbedtls_ecp_group_id mbed_group;
#define MBED_GROUP(number, id) (id)
#define MBED_GROUP_END         MBEDTLS_ECP_DP_NONE
#endif

/* What mbedTLS calls a certificate that it does not take, in a handshake. */
#if MBED_3
#define MBED_BAD_CERTIFICATE MBEDTLS_ERR_SSL_BAD_CERTIFICATE
#define MBED_BAD_VERSION     MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION
#else
#define MBED_BAD_CERTIFICATE MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE
#define MBED_BAD_VERSION     MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION
#endif

#endif
