/* SPDX-License-Identifier: MIT */
/* Certificates out of files: PEM or DER, one by one, so that what is wrong with which of them can be told. */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "mbed.h"

static const char header[] = "-----BEGIN CERTIFICATE-----";
static const char footer[] = "-----END CERTIFICATE-----";

const char *weir__mbed_material_name(const tls_material *material)
{
    return material->path ? material->path : "the text";
}

/* PFX is a sequence that begins with the version 3. */
int weir__mbed_refuse_container(const tls_material *material, tls_report *report)
{
    static const unsigned char version[] = {0x02, 0x01, 0x03};
    const unsigned char *at = (const unsigned char *)material->data;
    size_t skip = material->size > 2 && at[1] >= 0x80 ? 2 + (size_t)(at[1] & 0x7F) : 2;

    if (material->size < skip + sizeof(version) || memcmp(at + skip, version, sizeof(version)) != 0)
        return 0;
    weir__tls_fault(report, material->pointer,
                    "%s is a PKCS #12 container; convert it: openssl pkcs12 -nodes -in FILE -out NEW.pem",
                    weir__mbed_material_name(material));
    return 1;
}

/* What is read of one material. */
typedef struct reading {
    const tls_material *material;
    tls_report *report;
    mbedtls_x509_crt *chain;
    size_t number; /* of the one that is read now */
    size_t taken;
    mbed_whose whose;
} reading;

static int tell(const reading *state, const unsigned char *der, size_t size, int result)
{
    const char *name = weir__mbed_material_name(state->material);
    const char *foreign = der ? weir__mbed_foreign(der, size) : NULL;
    char text[160];

    if (weir__mbed_is_no_memory(result))
        return UV_ENOMEM;
    if (state->whose == MBED_SYSTEM)
        return 0;
    weir__mbed_text(result, text, sizeof(text));
    if (foreign)
        weir__tls_fault(state->report, state->material->pointer,
                        "certificate %zu of %s has %s, which mbedTLS cannot use; it has to be one with an elliptic "
                        "curve's key (P-256) or an RSA key%s",
                        state->number, name, foreign,
                        state->whose == MBED_OWN && state->number == 1 ? MBED_NEW_KEY : "");
    else
        weir__tls_fault(state->report, state->material->pointer, "certificate %zu of %s cannot be read: %s",
                        state->number, name, text);
    return WEIR_EINVALID_CONFIG;
}

static int take(reading *state, const unsigned char *der, size_t size)
{
    int result = mbedtls_x509_crt_parse_der(state->chain, der, size);

    state->number++;
    if (result != 0)
        return tell(state, der, size, result);
    state->taken++;
    return 0;
}

static int take_pem(reading *state)
{
    const char *at = strstr(state->material->data, header);
    mbedtls_pem_context pem;
    int status = 0;

    for (; at && status == 0; at = strstr(at + 1, header)) {
        size_t used;
        mbedtls_pem_init(&pem);
        int result = mbedtls_pem_read_buffer(&pem, header, footer, (const unsigned char *)at, NULL, 0, &used);
        if (result == 0) {
            status = take(state, pem.buf, pem.buflen);
        } else {
            state->number++;
            status = tell(state, NULL, 0, result);
        }
        mbedtls_pem_free(&pem);
    }
    return status;
}

int weir__mbed_certificates(const tls_material *material, mbed_whose whose, tls_report *report, mbedtls_x509_crt *chain,
                            size_t *count)
{
    reading state = {.material = material, .report = report, .chain = chain, .whose = whose};
    const unsigned char *data = (const unsigned char *)material->data;
    int status;

    if (material->size > 0 && data[0] == 0x30)
        status =
            weir__mbed_refuse_container(material, report) ? WEIR_EINVALID_CONFIG : take(&state, data, material->size);
    else
        status = take_pem(&state);
    if (status == 0 && state.number == 0 && whose != MBED_SYSTEM) {
        weir__tls_fault(
            report, material->pointer, "%s holds %s: there is no line %s", weir__mbed_material_name(material),
            strstr(material->data, "PRIVATE KEY-----") ? "a private key and no certificate" : "no certificate", header);
        status = WEIR_EINVALID_CONFIG;
    }
    *count += state.taken;
    return status;
}
