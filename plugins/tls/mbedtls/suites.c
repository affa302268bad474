/* SPDX-License-Identifier: MIT */
/* Cipher suites by the names IANA has given them, and which versions of TLS they leave. */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

enum {
    TLS13 = 1,    /* of TLS 1.3, where certificates and pre-shared keys go with each */
    BY_PSK = 2,   /* the peer is proven by a pre-shared key */
    BY_ECDSA = 4, /* ... by a certificate with an elliptic curve's key */
    BY_RSA = 8,   /* ... by one with an RSA key */
    USUAL = 16    /* used where nothing is said */
};

typedef struct suite {
    int id;
    int traits;
    const char *name;
} suite;

/*
 * In the order of preference: the usual ones keep past secrets (an ephemeral exchange) and authenticate what they encrypt; but
 * for the last ones with a pre-shared key, which are all that small devices have.
 */
static const suite suites[] = {
    {0x1301, TLS13 | USUAL, "TLS_AES_128_GCM_SHA256"},
    {0x1302, TLS13 | USUAL, "TLS_AES_256_GCM_SHA384"},
    {0x1303, TLS13 | USUAL, "TLS_CHACHA20_POLY1305_SHA256"},
    {0xC02B, BY_ECDSA | USUAL, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xC02F, BY_RSA | USUAL, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xC02C, BY_ECDSA | USUAL, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xC030, BY_RSA | USUAL, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xCCA9, BY_ECDSA | USUAL, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xCCA8, BY_RSA | USUAL, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xCCAC, BY_PSK | USUAL, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"},
    {0xC037, BY_PSK | USUAL, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"},
    {0x00A8, BY_PSK | USUAL, "TLS_PSK_WITH_AES_128_GCM_SHA256"},
    {0x00A9, BY_PSK | USUAL, "TLS_PSK_WITH_AES_256_GCM_SHA384"},
    {0x1304, TLS13, "TLS_AES_128_CCM_SHA256"},
    {0x1305, TLS13, "TLS_AES_128_CCM_8_SHA256"},
    {0xC0AC, BY_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"},
    {0xC0AD, BY_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"},
    {0xC023, BY_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {0xC024, BY_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
    {0xC009, BY_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xC00A, BY_ECDSA, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    {0xC027, BY_RSA, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0xC028, BY_RSA, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
    {0xC013, BY_RSA, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    {0xC014, BY_RSA, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    {0x009E, BY_RSA, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009F, BY_RSA, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xCCAA, BY_RSA, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0x009C, BY_RSA, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009D, BY_RSA, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {0x003C, BY_RSA, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
    {0x003D, BY_RSA, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    {0x002F, BY_RSA, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {0x0035, BY_RSA, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    {0xC038, BY_PSK, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384"},
    {0x00AA, BY_PSK, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256"},
    {0x00AB, BY_PSK, "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384"},
    {0xCCAD, BY_PSK, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256"},
    {0xCCAB, BY_PSK, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256"},
    {0x00AE, BY_PSK, "TLS_PSK_WITH_AES_128_CBC_SHA256"},
    {0x00AF, BY_PSK, "TLS_PSK_WITH_AES_256_CBC_SHA384"},
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))

static const char *name_at(size_t i)
{
    return i < SUITES ? suites[i].name : NULL;
}

static const suite *suite_of(const char *library_name)
{
    int id = library_name ? mbedtls_ssl_get_ciphersuite_id(library_name) : 0;

    for (size_t i = 0; i < SUITES && id != 0; i++) {
        if (suites[i].id == id)
            return &suites[i];
    }
    return NULL;
}

const char *weir__mbed_suite_name(const char *library_name)
{
    const suite *found = suite_of(library_name);

    return found ? found->name : "";
}

int weir__mbed_suite_is_psk(const char *library_name)
{
    const suite *found = suite_of(library_name);

    return found && (found->traits & BY_PSK) != 0;
}

/* ---- a list of them ---- */

typedef struct choice {
    tls_credentials *credentials;
    tls_report *report;
    size_t count;
    int traits; /* all of the chosen ones' together */
    int before13;
    int faults;
} choice;

static int in_library(int id)
{
    for (const int *each = mbedtls_ssl_list_ciphersuites(); *each; each++) {
        if (*each == id)
            return 1;
    }
    return 0;
}

static void add(choice *to, const suite *one)
{
    for (size_t i = 0; i < to->count; i++) {
        if (to->credentials->suites[i] == one->id)
            return;
    }
    to->credentials->suites[to->count++] = one->id;
    to->traits |= one->traits;
    to->before13 |= !(one->traits & TLS13);
}

static void add_named(choice *to, size_t index)
{
    static const char usual[] = "; usual are TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and "
                                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, and the README of tls lists all";
    const tls_list *named = &to->credentials->settings->ciphers;
    const char *name = named->items[index];
    char room[TLS_POINTER_MOST];
    const char *pointer = weir__tls_item(named, index, "ciphers", room);
    char nearest[160];
    const suite *found = NULL;

    for (size_t i = 0; i < SUITES && !found; i++) {
        if (strcmp(suites[i].name, name) == 0)
            found = &suites[i];
    }
    if (!found) {
        int near = weir__mbed_nearest(name, name_at, nearest, sizeof(nearest));
        weir__tls_fault(to->report, pointer, "%s is no cipher suite that is known by this IANA name%s", name,
                        near ? nearest : usual);
        to->faults = 1;
    } else if (in_library(found->id)) {
        add(to, found);
    } else if (found->traits & TLS13 && !MBED_TLS13) {
        /* One list serves both releases. */
        weir__tls_warning(to->report, pointer, "%s is passed over: mbedTLS %s has no TLS 1.3", name,
                          MBEDTLS_VERSION_STRING);
    } else {
        weir__tls_fault(to->report, pointer, "%s is not in mbedTLS %s as it was built here", name,
                        MBEDTLS_VERSION_STRING);
        to->faults = 1;
    }
}

/* Which of the usual ones can be meant. A client's are left out by mbedTLS itself as long as it has no pre-shared key. */
static void add_usual(choice *to)
{
    const tls_credentials *credentials = to->credentials;
    const tls_settings *settings = credentials->settings;
    int server = settings->role == WEIR_SERVER;
    int psk = server ? settings->psk != NULL || settings->psk_callback : 1;
    int certificates = server ? settings->cert.data != NULL || settings->incomplete : 1;
    int first;

    /* With both, the key goes first: who has one and is asked for it means it. */
    for (first = 1; first >= 0; first--) {
        for (size_t i = 0; i < SUITES; i++) {
            int by_psk = (suites[i].traits & BY_PSK) != 0;
            if (!(suites[i].traits & USUAL) || !in_library(suites[i].id) ||
                (!(suites[i].traits & TLS13) && by_psk != first))
                continue;
            if (suites[i].traits & TLS13 || (by_psk ? psk : certificates))
                add(to, &suites[i]);
        }
    }
}

/* ---- versions ---- */

/* As Node does: a list without suites of a version leaves that version out. */
static void fit_versions(choice *to)
{
    tls_credentials *credentials = to->credentials;

#if MBED_TLS13
    if (!(to->traits & TLS13) && credentials->max_version == TLS_VERSION_13)
        credentials->max_version = TLS_VERSION_12;
#endif
    if (!to->before13 && credentials->min_version == TLS_VERSION_12)
        credentials->min_version = TLS_VERSION_13;
    if (credentials->min_version <= credentials->max_version)
        return;
    to->faults = 1;
    weir__tls_fault(to->report, "/ciphers", "none of these cipher suites is of %s, which alone is allowed",
                    to->before13 ? "TLS 1.3" : "TLS 1.2");
}

static int take_versions(tls_credentials *credentials, tls_report *report)
{
    const tls_settings *settings = credentials->settings;
    int newest = weir__tls_engine.newest;

    credentials->min_version = settings->min_version > TLS_VERSION_12 ? settings->min_version : TLS_VERSION_12;
    credentials->max_version = settings->max_version ? settings->max_version : newest;
    if (credentials->max_version > newest)
        credentials->max_version = newest;
    if (credentials->min_version > newest) {
        weir__tls_fault(report, "/minVersion", "TLS 1.3 is not in mbedTLS %s: it came with 3.6",
                        MBEDTLS_VERSION_STRING);
        return WEIR_EINVALID_CONFIG;
    }
    if (credentials->min_version > credentials->max_version) {
        if (!settings->incomplete) /* otherwise that has been told */
            weir__tls_fault(report, "/maxVersion", "this is below minVersion");
        return WEIR_EINVALID_CONFIG;
    }
    return 0;
}

/* ---- what goes with the key ---- */

static void check_key(choice *to)
{
    const tls_credentials *credentials = to->credentials;
    int rsa = credentials->has_chain && mbedtls_pk_can_do(&credentials->key, MBEDTLS_PK_RSA);
    int psk = credentials->settings->psk != NULL || credentials->settings->psk_callback;

    if (credentials->settings->role != WEIR_SERVER || credentials->max_version == TLS_VERSION_13 || to->faults)
        return;
    /* What is wrong with the certificate itself has been told. */
    if ((credentials->settings->cert.data || credentials->settings->incomplete) && !credentials->has_chain)
        return;
    if ((credentials->has_chain && to->traits & (rsa ? BY_RSA : BY_ECDSA)) || (psk && to->traits & BY_PSK))
        return;
    to->faults = 1;
    weir__tls_fault(to->report, "/ciphers", "none of these cipher suites goes with %s",
                    !credentials->has_chain ? "a pre-shared key"
                    : rsa                   ? "the certificate, which has an RSA key"
                                            : "the certificate, which has an elliptic curve's key");
}

int weir__mbed_suites(tls_credentials *credentials, tls_report *report)
{
    const tls_list *named = &credentials->settings->ciphers;
    choice made = {.credentials = credentials, .report = report};
    int status = take_versions(credentials, report);

    if (status)
        return status;
    credentials->suites = weir_calloc((named->count > SUITES ? named->count : SUITES) + 1, sizeof(int));
    if (!credentials->suites)
        return UV_ENOMEM;
    for (size_t i = 0; i < named->count; i++)
        add_named(&made, i);
    if (named->count == 0)
        add_usual(&made);
    if (made.count == 0 && !made.faults) {
        weir__tls_fault(report, "/ciphers", "none of these cipher suites is left");
        made.faults = 1;
    }
    if (!made.faults)
        fit_versions(&made);
    check_key(&made);
    if (made.faults)
        return WEIR_EINVALID_CONFIG;
    return weir__mbed_sha256(credentials->suites, made.count * sizeof(int), credentials->suites_sum) == 0 ? 0
                                                                                                          : UV_ENOMEM;
}
