/* SPDX-License-Identifier: MIT */
/* Credentials: one context's settings made ready, with everything that can be wrong with them told in one go. */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

/* ---- the own certificate ---- */

static void warn_time(const tls_credentials *credentials, tls_report *report)
{
    const mbedtls_x509_crt *own = &credentials->chain;
    const char *pointer = credentials->settings->cert.pointer;
    const char *name = weir__mbed_material_name(&credentials->settings->cert);

    if (mbedtls_x509_time_is_past(&own->valid_to))
        weir__tls_warning(report, pointer, "the certificate in %s expired on %04d-%02d-%02d", name, own->valid_to.year,
                          own->valid_to.mon, own->valid_to.day);
    else if (mbedtls_x509_time_is_future(&own->valid_from))
        weir__tls_warning(report, pointer, "the certificate in %s is not valid before %04d-%02d-%02d", name,
                          own->valid_from.year, own->valid_from.mon, own->valid_from.day);
}

/* The ones behind it have to lead to its root, each the issuer of the one before: peers may look for it nowhere else. */
static void warn_order(const tls_credentials *credentials, tls_report *report)
{
    const mbedtls_x509_crt *one = &credentials->chain;

    for (size_t number = 2; one->next; one = one->next, number++) {
        const mbedtls_x509_crt *issuer = one->next;
        if (one->issuer_raw.len != issuer->subject_raw.len ||
            memcmp(one->issuer_raw.p, issuer->subject_raw.p, issuer->subject_raw.len) != 0) {
            weir__tls_warning(report, credentials->settings->cert.pointer,
                              "certificate %zu of %s is not the issuer of the one before it: peers may find no way to "
                              "its root",
                              number, weir__mbed_material_name(&credentials->settings->cert));
            return;
        }
    }
}

enum { RSA_LEAST = 2048 /* bits: what mbedTLS itself, OpenSSL, and those who sign for the public ask for */ };

static void warn_keys(const tls_credentials *credentials, tls_report *report)
{
    const mbedtls_x509_crt *each = &credentials->chain;

    for (size_t number = 1; each; each = each->next, number++) {
        size_t bits = mbedtls_pk_get_bitlen(&each->pk);
        if (mbedtls_pk_can_do(&each->pk, MBEDTLS_PK_RSA) && bits < RSA_LEAST)
            weir__tls_warning(
                report, credentials->settings->cert.pointer,
                "certificate %zu of %s has an RSA key of %zu bits: peers refuse fewer than %d; make another "
                "key, and a certificate for it",
                number, weir__mbed_material_name(&credentials->settings->cert), bits, RSA_LEAST);
    }
}

/* The whole context of the name is meant: it may have the certificate from around it. */
static void warn_name(const tls_credentials *credentials, tls_report *report)
{
    const char *name = credentials->settings->served;

    if (!name || weir__mbed_names(&credentials->chain, name, 0))
        return;
    char *names = weir__mbed_san_text(&credentials->chain);
    weir__tls_warning(
        report, "",
        "the certificate in %s is not for %s%s%s: who verifies it refuses it; give \"cert\" and \"key\" of "
        "this name",
        weir__mbed_material_name(&credentials->settings->cert), name, names ? ", but for " : "", names ? names : "");
    weir_free(names);
}

/*
 * What a certificate says that it is for. A server's that is not for servers mbedTLS shows to nobody: each handshake would
 * fail, by words about cipher suites. What a client's is worth its servers decide.
 */
static int check_purpose(const tls_credentials *credentials, tls_report *report)
{
    const mbedtls_x509_crt *own = &credentials->chain;
    const char *name = weir__mbed_material_name(&credentials->settings->cert);
    const char *pointer = credentials->settings->cert.pointer;
    int server = credentials->settings->role == WEIR_SERVER;
    const char *oid = server ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;
    int rsa = mbedtls_pk_can_do(&credentials->key, MBEDTLS_PK_RSA);

    int extended = mbedtls_x509_crt_check_extended_key_usage(own, oid, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0;
    int signs = mbedtls_x509_crt_check_key_usage(own, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 ||
                (rsa && server && mbedtls_x509_crt_check_key_usage(own, MBEDTLS_X509_KU_KEY_ENCIPHERMENT) == 0);
    if (extended && signs)
        return 0;
    const char *lacks = !extended && server ? "extendedKeyUsage lacks serverAuth"
                        : !extended         ? "extendedKeyUsage lacks clientAuth"
                                            : "keyUsage lacks digitalSignature";
    if (!server) {
        weir__tls_warning(report, pointer, "the certificate in %s is not meant for clients, servers may refuse it: %s",
                          name, lacks);
        return 0;
    }
    weir__tls_fault(report, pointer, "the certificate in %s is not meant for servers, no client could be served: %s",
                    name, lacks);
    return WEIR_EINVALID_CONFIG;
}

/* Of texts; what is DER tells of itself when it is read. */
static int holds(const tls_material *material, const char *label)
{
    return material->data && strstr(material->data, label) != NULL;
}

static int is_swapped(const tls_settings *settings, tls_report *report)
{
    static const char certificate[] = "-----BEGIN CERTIFICATE-----";
    static const char key[] = "PRIVATE KEY-----";

    if (!holds(&settings->cert, key) || holds(&settings->cert, certificate) || !holds(&settings->key, certificate) ||
        holds(&settings->key, key))
        return 0;
    weir__tls_fault(report, settings->cert.pointer,
                    "%s holds a private key, and %s a certificate: \"cert\" and \"key\" are swapped",
                    weir__mbed_material_name(&settings->cert), weir__mbed_material_name(&settings->key));
    return 1;
}

/* Both, though the first be wrong: but what is no certificate is not searched for a key. */
static int read_pair(tls_credentials *credentials, tls_report *report)
{
    const tls_settings *settings = credentials->settings;
    size_t count = 0;
    int status = 0;

    if (settings->cert.data)
        status = weir__mbed_certificates(&settings->cert, MBED_OWN, report, &credentials->chain, &count);
    if (status == UV_ENOMEM || !settings->key.data || (status != 0 && settings->key.data == settings->cert.data))
        return status;
    int key = weir__mbed_key(credentials, report);
    if (key == 0 && status == 0 && settings->cert.data)
        key = weir__mbed_key_of_chain(credentials, report);
    return key == UV_ENOMEM || status == 0 ? key : status;
}

static int take_identity(tls_credentials *credentials, tls_report *report)
{
    const tls_settings *settings = credentials->settings;
    int status;

    /* What is wrong with what comes from around has been told there. */
    if (settings->incomplete && settings->cert_is_around)
        return WEIR_EINVALID_CONFIG;
    if (!settings->cert.data && !settings->incomplete) {
        if (settings->role != WEIR_SERVER || settings->psk || settings->psk_callback)
            return 0;
        weir__tls_fault(report, "/cert", "a server needs \"cert\" and \"key\", or a pre-shared key");
        return WEIR_EINVALID_CONFIG;
    }
    if (settings->cert.data && !settings->key.data && !settings->incomplete) {
        weir__tls_fault(report, "/key", "a certificate without its private key");
        return WEIR_EINVALID_CONFIG;
    }
    if (is_swapped(settings, report))
        return WEIR_EINVALID_CONFIG;
    status = read_pair(credentials, report);
    if (status)
        return status;
    if (!settings->cert.data || !settings->key.data)
        return WEIR_EINVALID_CONFIG;
    status = check_purpose(credentials, report);
    if (status)
        return status;
    credentials->has_chain = 1;
    if (!settings->cert_is_around) {
        warn_time(credentials, report);
        warn_order(credentials, report);
        warn_keys(credentials, report);
    }
    warn_name(credentials, report);
    return 0;
}

/* ---- the rest ---- */

static int take_alpn(tls_credentials *credentials)
{
    const tls_list *alpn = &credentials->settings->alpn;

    if (alpn->count == 0 || credentials->settings->role != WEIR_CLIENT)
        return 0;
    credentials->alpn = weir_calloc(alpn->count + 1, sizeof(*credentials->alpn));
    if (!credentials->alpn)
        return UV_ENOMEM;
    for (size_t i = 0; i < alpn->count; i++)
        credentials->alpn[i] = alpn->items[i];
    return 0;
}

static int check_psk(const tls_credentials *credentials, tls_report *report)
{
    if (credentials->settings->psk_size <= MBEDTLS_PSK_MAX_LEN)
        return 0;
    weir__tls_fault(report, "/psk", "%zu bytes: mbedTLS %s takes %d at most", credentials->settings->psk_size,
                    MBEDTLS_VERSION_STRING, MBEDTLS_PSK_MAX_LEN);
    return WEIR_EINVALID_CONFIG;
}

static size_t receive_nothing(void *arg, void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}

static int send_nowhere(void *arg, const void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}

/* Whatever else mbedTLS has against these settings it says when a session is made: then now rather than to the first peer. */
static int try_session(tls_credentials *credentials, tls_report *report)
{
    static const tls_host nobody = {.receive = receive_nothing, .send = send_nowhere};
    const tls_session_options options = {.name = NULL};
    tls_session trial = {.credentials = credentials, .host = &nobody};
    char text[160];

    mbedtls_ssl_config_init(&trial.config);
    mbedtls_ssl_init(&trial.ssl);
    int result = weir__mbed_configure(&trial, &options);
    mbedtls_ssl_free(&trial.ssl);
    mbedtls_ssl_config_free(&trial.config);
    if (result == 0)
        return 0;
    if (weir__mbed_is_no_memory(result))
        return UV_ENOMEM;
    weir__mbed_text(result, text, sizeof(text));
    weir__tls_fault(report, "", "mbedTLS refuses these options: %s", text);
    return WEIR_EINVALID_CONFIG;
}

static int fill(tls_credentials *credentials, tls_report *report)
{
    int (*const steps[])(tls_credentials *, tls_report *) = {take_identity, weir__mbed_suites, weir__mbed_groups};
    int status = weir__mbed_trust_get(credentials->instance, credentials->settings, report, &credentials->trust);

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && status != UV_ENOMEM; i++) {
        int one = steps[i](credentials, report);
        status = one ? one : status;
    }
    if (status != UV_ENOMEM && check_psk(credentials, report) != 0)
        status = WEIR_EINVALID_CONFIG;
    if (status == 0 && credentials->settings->incomplete)
        status = WEIR_EINVALID_CONFIG;
    if (status == 0)
        status = take_alpn(credentials);
    if (status == 0 && credentials->settings->role == WEIR_SERVER && credentials->settings->session_timeout > 0 &&
        credentials->settings->tickets) {
        credentials->cache = weir__mbed_cache_new();
        status = credentials->cache ? 0 : UV_ENOMEM;
    }
    return status == 0 ? try_session(credentials, report) : status;
}

int weir__mbed_credentials_new(void *instance, const tls_settings *settings, tls_report *report,
                               tls_credentials **credentials)
{
    tls_credentials *made = weir_calloc(1, sizeof(*made));

    if (!made)
        return UV_ENOMEM;
    made->instance = instance;
    made->settings = settings;
    mbedtls_x509_crt_init(&made->chain);
    mbedtls_pk_init(&made->key);
    int status = fill(made, report);
    if (status) {
        weir__mbed_credentials_free(made);
        return status;
    }
    *credentials = made;
    return 0;
}

void weir__mbed_credentials_free(tls_credentials *credentials)
{
    if (!credentials)
        return;
    weir__mbed_cache_free(credentials->cache);
    mbedtls_pk_free(&credentials->key);
    mbedtls_x509_crt_free(&credentials->chain);
    weir__mbed_trust_release(credentials->instance, credentials->trust);
    weir_free(credentials->suites);
    weir_free(credentials->groups);
    weir_free(credentials->alpn);
    weir_free(credentials);
}
