/* SPDX-License-Identifier: MIT */
/*
 * Certificates for tests and for networks of one's own: an authority, and what it signs. The plugin tls gives the table:
 *
 *     const weir_plugin *plugin;
 *     weir_runtime_load_plugin(runtime, "tls", &plugin, NULL);
 *     const weir_tls_cert *maker = plugin->interface("tls-cert", WEIR_TLS_CERT_VERSION);
 *
 *     const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
 *     weir_tls_cert_options options = {.size = sizeof(options), .folder = "certs", .hosts = hosts, .host_count = 3};
 *     maker->make(&options, &error);
 */
#ifndef WEIR_TLS_CERT_H
#define WEIR_TLS_CERT_H

#include <stddef.h>

#include <weir/error.h>
#include <weir/options.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_TLS_CERT_VERSION 1

/* What is to be made. Fill with weir_options_init, then set what is wanted. */
typedef struct weir_tls_cert_options {
    size_t size;              /* sizeof(weir_tls_cert_options): see weir/options.h */
    const char *folder;       /* where the files go; made where it is not there */
    const char *name;         /* of the files: NAME.pem and NAME.key; NULL: "server", with `client` "client" */
    const char *const *hosts; /* names (a wildcard may stand first: "*.example.org") and addresses; at least one */
    size_t host_count;
    unsigned days; /* how long it is valid; 0: 397 */
    int client;    /* for a client that proves who it is; otherwise for a server, which may be a client too */
} weir_tls_cert_options;

typedef struct weir_tls_cert {
    size_t size; /* sizeof(weir_tls_cert) */

    /*
     * Writes NAME.pem and NAME.key (P-256; others cannot read the key), signed by the authority in ca.pem and ca.key of the
     * same folder, which is made when neither of them is there (valid for ten years). What this authority has signed before
     * is replaced, and nothing else. 0, or below 0 with `*error` (where error is not NULL; the caller's): UV_EINVAL (an
     * option: a host that is no name as DNS has them and no address, a NAME without a letter or a digit, with '/' or quotes,
     * or "ca"; or a ca.pem that is no authority), UV_EEXIST (at NAME stands what others have made), UV_ENOMEM, or what the
     * file system says.
     */
    int (*make)(const weir_tls_cert_options *options, weir_error **error);
} weir_tls_cert;

#ifdef __cplusplus
}
#endif
#endif
