/* SPDX-License-Identifier: MIT */
/*
 * Whom to trust, and what is revoked. A system's bundle is some 140 certificates, and many contexts trust it: what comes of
 * the same material is parsed once a runtime.
 */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

static int is_of(const mbed_trust *trust, const tls_settings *settings)
{
    if (trust->ca_count != settings->ca_count || trust->crl_count != settings->crl_count)
        return 0;
    for (size_t i = 0; i < settings->ca_count; i++) {
        if (trust->origins[i] != settings->ca[i].data)
            return 0;
    }
    for (size_t i = 0; i < settings->crl_count; i++) {
        if (trust->origins[settings->ca_count + i] != settings->crl[i].data)
            return 0;
    }
    return 1;
}

static int read_crl(mbed_trust *trust, const tls_material *material, tls_report *report)
{
    const unsigned char *data = (const unsigned char *)material->data;
    int is_der = material->size > 0 && data[0] == 0x30;
    char text[160];

    if (!is_der && !strstr(material->data, "-----BEGIN X509 CRL-----")) {
        weir__tls_fault(report, material->pointer, "%s holds no list of revoked certificates: there is no line %s",
                        weir__mbed_material_name(material), "-----BEGIN X509 CRL-----");
        return WEIR_EINVALID_CONFIG;
    }
    int result = mbedtls_x509_crl_parse(&trust->crl, data, material->size + (is_der ? 0 : 1));
    if (result == 0) {
        trust->has_crl = 1;
        return 0;
    }
    if (weir__mbed_is_no_memory(result))
        return UV_ENOMEM;
    weir__mbed_text(result, text, sizeof(text));
    weir__tls_fault(report, material->pointer, "%s is no list of revoked certificates that can be read: %s",
                    weir__mbed_material_name(material), text);
    return WEIR_EINVALID_CONFIG;
}

static int is_trusted(const mbed_trust *trust, const mbedtls_x509_buf *name)
{
    for (const mbedtls_x509_crt *each = &trust->ca; each && trust->certificates > 0; each = each->next) {
        if (each->subject_raw.len == name->len && memcmp(each->subject_raw.p, name->p, name->len) == 0)
            return 1;
    }
    return 0;
}

/*
 * A list that is out of date refuses everybody whom its authority has signed, one of an authority that nobody asks for refuses
 * nobody: that had better be known at once.
 */
static void check_crl(const mbed_trust *trust, const tls_settings *settings, tls_report *report)
{
    char issuer[512];

    for (const mbedtls_x509_crl *each = &trust->crl; trust->has_crl && each; each = each->next) {
        if (each->raw.p && each->next_update.year != 0 && mbedtls_x509_time_is_past(&each->next_update))
            weir__tls_warning(report, settings->crl[0].pointer,
                              "a list of revoked certificates was to be renewed on %04d-%02d-%02d: until then its "
                              "authority's certificates are refused",
                              each->next_update.year, each->next_update.mon, each->next_update.day);
        if (!each->raw.p || is_trusted(trust, &each->issuer_raw))
            continue;
        if (mbedtls_x509_dn_gets(issuer, sizeof(issuer), &each->issuer) < 0)
            snprintf(issuer, sizeof(issuer), "its issuer");
        weir__tls_warning(report, settings->crl[0].pointer,
                          "the list of revoked certificates of %s is in force only where a peer sends that authority "
                          "along: it is not in \"ca\"",
                          issuer);
    }
}

static int read_all(mbed_trust *trust, const tls_settings *settings, tls_report *report)
{
    int status = 0;

    for (size_t i = 0; i < settings->ca_count && status != UV_ENOMEM; i++) {
        int one = weir__mbed_certificates(&settings->ca[i], settings->ca_is_system ? MBED_SYSTEM : MBED_TRUSTED, report,
                                          &trust->ca, &trust->certificates);
        status = one ? one : status;
        trust->origins[i] = settings->ca[i].data;
    }
    for (size_t i = 0; i < settings->crl_count && status != UV_ENOMEM; i++) {
        int one = read_crl(trust, &settings->crl[i], report);
        status = one ? one : status;
        trust->origins[settings->ca_count + i] = settings->crl[i].data;
    }
    if (status == 0 && !settings->incomplete)
        check_crl(trust, settings, report);
    return status;
}

static void free_trust(mbed_trust *trust)
{
    mbedtls_x509_crt_free(&trust->ca);
    mbedtls_x509_crl_free(&trust->crl);
    weir_free(trust->origins);
    weir_free(trust);
}

int weir__mbed_trust_get(mbed_instance *instance, const tls_settings *settings, tls_report *report, mbed_trust **trust)
{
    mbed_trust *made;

    for (made = instance->trusts; made; made = made->next) {
        if (is_of(made, settings)) {
            made->users++;
            *trust = made;
            return 0;
        }
    }
    made = weir_calloc(1, sizeof(*made));
    if (!made)
        return UV_ENOMEM;
    mbedtls_x509_crt_init(&made->ca);
    mbedtls_x509_crl_init(&made->crl);
    made->users = 1;
    made->ca_count = settings->ca_count;
    made->crl_count = settings->crl_count;
    made->origins = weir_calloc(settings->ca_count + settings->crl_count + 1, sizeof(*made->origins));
    int status = made->origins ? read_all(made, settings, report) : UV_ENOMEM;
    if (status) {
        free_trust(made);
        return status;
    }
    made->next = instance->trusts;
    instance->trusts = made;
    *trust = made;
    return 0;
}

void weir__mbed_trust_release(mbed_instance *instance, mbed_trust *trust)
{
    mbed_trust **link = &instance->trusts;

    if (!trust || --trust->users > 0)
        return;
    while (*link != trust)
        link = &(*link)->next;
    *link = trust->next;
    free_trust(trust);
}
