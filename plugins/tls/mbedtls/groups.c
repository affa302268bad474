/* SPDX-License-Identifier: MIT */
/* The groups of the key exchange by their names. On TLS 1.2 the same list says which curves certificates may have. */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

typedef struct curve {
    mbed_group group;
    mbedtls_ecp_group_id id;
    int usual;
    const char *name;
} curve;

#define CURVE(number, id, usual, name)          \
    {                                           \
        MBED_GROUP(number, id), id, usual, name \
    }

/* In the order of preference: mbedTLS 2.28's own order costs twice the time. */
static const curve curves[] = {
    CURVE(29, MBEDTLS_ECP_DP_CURVE25519, 1, "x25519"),       CURVE(23, MBEDTLS_ECP_DP_SECP256R1, 1, "secp256r1"),
    CURVE(24, MBEDTLS_ECP_DP_SECP384R1, 1, "secp384r1"),     CURVE(25, MBEDTLS_ECP_DP_SECP521R1, 1, "secp521r1"),
#if MBED_3
    CURVE(30, MBEDTLS_ECP_DP_CURVE448, 0, "x448"),
#endif
    CURVE(26, MBEDTLS_ECP_DP_BP256R1, 0, "brainpoolP256r1"), CURVE(27, MBEDTLS_ECP_DP_BP384R1, 0, "brainpoolP384r1"),
    CURVE(28, MBEDTLS_ECP_DP_BP512R1, 0, "brainpoolP512r1"), CURVE(22, MBEDTLS_ECP_DP_SECP256K1, 0, "secp256k1"),
};

#define CURVES (sizeof(curves) / sizeof(curves[0]))

/* What others call them. */
static const char *const aliases[][2] = {
#if MBED_3
    {"X448", "x448"},
#endif
    {"X25519", "x25519"},   {"P-256", "secp256r1"},      {"P-384", "secp384r1"},
    {"P-521", "secp521r1"}, {"prime256v1", "secp256r1"},
};

#define ALIASES (sizeof(aliases) / sizeof(aliases[0]))

static const char *name_at(size_t i)
{
    return i < CURVES ? curves[i].name : i < CURVES + ALIASES ? aliases[i - CURVES][0] : NULL;
}

/* They are few, their other names with them: "x25519 (X25519), secp256r1 (P-256, prime256v1)". */
static void list_all(char *text, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < CURVES; i++) {
        int others = 0;
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", curves[i].name);
        for (size_t j = 0; j < ALIASES && at < size; j++) {
            if (strcmp(aliases[j][1], curves[i].name) == 0)
                at += (size_t)snprintf(text + at, size - at, "%s%s", others++ ? ", " : " (", aliases[j][0]);
        }
        if (others && at < size)
            at += (size_t)snprintf(text + at, size - at, ")");
        if (at >= size)
            return;
    }
}

static const curve *find(const char *name)
{
    for (size_t i = 0; i < ALIASES; i++) {
        if (strcmp(aliases[i][0], name) == 0)
            name = aliases[i][1];
    }
    for (size_t i = 0; i < CURVES; i++) {
        if (strcmp(curves[i].name, name) == 0)
            return &curves[i];
    }
    return NULL;
}

static void add(tls_credentials *credentials, size_t *count, const curve *one)
{
    for (size_t i = 0; i < *count; i++) {
        if (credentials->groups[i] == one->group)
            return;
    }
    credentials->groups[(*count)++] = one->group;
}

static int has(const tls_credentials *credentials, size_t count, mbedtls_ecp_group_id id)
{
    for (size_t i = 0; i < CURVES; i++) {
        for (size_t j = 0; j < count && curves[i].id == id; j++) {
            if (credentials->groups[j] == curves[i].group)
                return 1;
        }
    }
    return 0;
}

/*
 * TLS 1.2 has one list for exchanges and for certificates: a client that names no curve of signatures takes no certificate
 * with such a key, a server whose own curve is not in its list is at odds with itself.
 */
static void check_curves(const tls_credentials *credentials, size_t count, tls_report *report)
{
    static const mbedtls_ecp_group_id exchange_only[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_CURVE448};
    size_t useless = 0;

    if (credentials->min_version == TLS_VERSION_13)
        return;
    if (credentials->has_chain && mbedtls_pk_can_do(&credentials->key, MBEDTLS_PK_ECKEY)) {
        mbedtls_ecp_group_id own = mbedtls_pk_ec(credentials->key)->grp.id;
        const mbedtls_ecp_curve_info *info = mbedtls_ecp_curve_info_from_grp_id(own);
        if (!has(credentials, count, own))
            weir__tls_warning(report, "/groups",
                              "the certificate's own curve, %s, is not among these: with TLS 1.2 it may not be taken",
                              info ? info->name : "unknown");
        return;
    }
    for (size_t i = 0; i < sizeof(exchange_only) / sizeof(exchange_only[0]); i++)
        useless += (size_t)has(credentials, count, exchange_only[i]);
    if (credentials->settings->role == WEIR_CLIENT && useless == count)
        weir__tls_warning(
            report, "/groups",
            "none of these is a curve of certificates: with TLS 1.2, servers that have a certificate with "
            "an elliptic curve's key cannot be connected to; secp256r1 is what most have");
}

static void tell_unknown(const tls_list *named, size_t index, tls_report *report)
{
    char pointer[TLS_POINTER_MOST];
    char nearest[160];
    char all[400];

    list_all(all, sizeof(all));
    weir__mbed_nearest(named->items[index], name_at, nearest, sizeof(nearest));
    weir__tls_fault(report, weir__tls_item(named, index, "groups", pointer),
                    "%s is no group that mbedTLS %s knows; known are %s%s", named->items[index], MBEDTLS_VERSION_STRING,
                    all, nearest);
}

int weir__mbed_groups(tls_credentials *credentials, tls_report *report)
{
    const tls_list *named = &credentials->settings->groups;
    size_t count = 0;
    int faults = 0;

    credentials->groups = weir_calloc((named->count > CURVES ? named->count : CURVES) + 1, sizeof(mbed_group));
    if (!credentials->groups)
        return UV_ENOMEM;
    for (size_t i = 0; i < named->count; i++) {
        const curve *found = find(named->items[i]);
        if (found) {
            add(credentials, &count, found);
            continue;
        }
        tell_unknown(named, i, report);
        faults = 1;
    }
    for (size_t i = 0; i < CURVES && named->count == 0; i++) {
        if (curves[i].usual)
            add(credentials, &count, &curves[i]);
    }
    credentials->groups[count] = MBED_GROUP_END;
    if (!faults)
        check_curves(credentials, count, report);
    return faults ? WEIR_EINVALID_CONFIG : 0;
}
