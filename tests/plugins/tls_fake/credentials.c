/* SPDX-License-Identifier: MIT */
/* Certificates that are texts: read, matched with keys, verified. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "fake.h"

#define BEGINS "-----BEGIN FAKE"

int fake_line(const char *text, size_t size, const char *key, size_t index, char *value, size_t room)
{
    size_t length = strlen(key);
    for (size_t at = 0; at < size;) {
        const char *line = text + at;
        const char *end = memchr(line, '\n', size - at);
        size_t line_size = end ? (size_t)(end - line) : size - at;
        at += line_size + 1;
        if (line_size <= length || strncmp(line, key, length) != 0 || line[length] != '=' || index-- > 0)
            continue;
        snprintf(value, room, "%.*s", (int)(line_size - length - 1), line + length + 1);
        return 1;
    }
    return 0;
}

static int same_line(const tls_material *one, const char *one_key, const char *other, size_t other_size,
                     const char *other_key)
{
    char left[128], right[128];
    return fake_line(one->data, one->size, one_key, 0, left, sizeof(left)) &&
           fake_line(other, other_size, other_key, 0, right, sizeof(right)) && strcmp(left, right) == 0;
}

static int bears(const char *cert, size_t size, const char *name, int is_address)
{
    char line[128];
    for (size_t i = 0; fake_line(cert, size, is_address ? "address" : "name", i, line, sizeof(line)); i++) {
        const char *rest = strchr(name, '.');
        if (strcmp(line, name) == 0 || (line[0] == '*' && rest && strcmp(line + 1, rest) == 0))
            return 1;
    }
    return 0;
}

/* ---- making ---- */

static void check_form(const tls_material *material, tls_report *report)
{
    if (material->data && !strstr(material->data, BEGINS))
        weir__tls_fault(report, material->pointer, "%s holds nothing that can be read", material->path);
}

static void check_material(const tls_settings *settings, tls_report *report)
{
    char line[128];
    if (!settings->cert_is_around) {
        check_form(&settings->cert, report);
        check_form(&settings->key, report);
    }
    for (size_t i = 0; i < settings->ca_count && !settings->ca_is_system; i++)
        check_form(&settings->ca[i], report);
    if (settings->cert.data && settings->key.data &&
        !same_line(&settings->cert, "subject", settings->key.data, settings->key.size, "subject"))
        weir__tls_fault(report, "/key", "it is not the key of the certificate");
    if (settings->cert.data && !settings->cert_is_around &&
        fake_line(settings->cert.data, settings->cert.size, "expired", 0, line, sizeof(line)))
        weir__tls_warning(report, "/cert", "the certificate has expired");
    if (settings->cert.data && settings->served &&
        !bears(settings->cert.data, settings->cert.size, settings->served, 0))
        weir__tls_warning(report, "", "the certificate is not for %s", settings->served);
}

static void take_fault(const tls_list *list, size_t index, fake_faults *faults, tls_report *report)
{
    const char *text = list->items[index];
    char pointer[TLS_POINTER_MOST];
    const struct {
        const char *name;
        size_t *value;
    } known[] = {
        {"FAKE_HANDSHAKE_FAILS", &faults->handshake_fails},
        {"FAKE_READ_FAILS", &faults->read_fails},
        {"FAKE_WRITE_FAILS", &faults->write_fails},
        {"FAKE_RECORD", &faults->record},
        {"FAKE_LAST_FLIGHT", &faults->last_flight},
        {"FAKE_CHATTY", &faults->chatty},
        {"FAKE_CREDULOUS", &faults->credulous},
    };
    size_t length = strcspn(text, "=");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strlen(known[i].name) == length && strncmp(known[i].name, text, length) == 0) {
            *known[i].value = text[length] ? strtoul(text + length + 1, NULL, 10) : 1;
            return;
        }
    }
    weir__tls_fault(report, weir__tls_item(list, index, "ciphers", pointer), "unknown cipher suite %s", text);
}

int fake_credentials_new(void *instance, const tls_settings *settings, tls_report *report,
                         tls_credentials **credentials)
{
    size_t faults = report->faults;
    tls_credentials *made = weir_calloc(1, sizeof(*made));
    (void)instance;
    if (!made)
        return UV_ENOMEM;
    made->settings = settings;
    check_material(settings, report);
    for (size_t i = 0; i < settings->ciphers.count; i++)
        take_fault(&settings->ciphers, i, &made->faults, report);
    if (report->faults != faults || settings->incomplete) {
        weir_free(made);
        return WEIR_EINVALID_CONFIG;
    }
    *credentials = made;
    return 0;
}

void fake_credentials_free(tls_credentials *credentials)
{
    weir_free(credentials);
}

/* ---- verifying ---- */

static int is_listed(const tls_material *all, size_t count, const char *key, const char *cert, size_t size,
                     const char *cert_key)
{
    for (size_t i = 0; i < count; i++)
        if (same_line(&all[i], key, cert, size, cert_key))
            return 1;
    return 0;
}

static int is_pinned(const tls_settings *settings, const char *cert, size_t size)
{
    char line[128];
    unsigned char sum[TLS_DIGEST_SIZE];
    if (!fake_line(cert, size, "subject", 0, line, sizeof(line)))
        return 0;
    const tls_bytes subject = {line, strlen(line)};
    fake_digest(&subject, 1, sum);
    for (size_t i = 0; i < settings->pin_count; i++)
        if (memcmp(settings->pins[i], sum, sizeof(sum)) == 0)
            return 1;
    return settings->pin_count == 0;
}

/* Without a name only a pin will do. */
static int is_whom(const tls_credentials *credentials, const char *cert, size_t size, const char *name, int is_address)
{
    const tls_settings *settings = credentials->settings;
    if (settings->role == WEIR_SERVER)
        return 1;
    return name ? bears(cert, size, name, is_address) : settings->pin_count > 0 || credentials->faults.credulous;
}

const char *fake_verify(const tls_credentials *credentials, const char *cert, size_t size, const char *name,
                        int is_address)
{
    const tls_settings *settings = credentials->settings;
    char line[128];
    if (size == 0)
        return "UNABLE_TO_GET_ISSUER_CERT";
    if (!is_listed(settings->ca, settings->ca_count, "subject", cert, size, "issuer"))
        return "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
    if (fake_line(cert, size, "expired", 0, line, sizeof(line)))
        return "CERT_HAS_EXPIRED";
    if (is_listed(settings->crl, settings->crl_count, "subject", cert, size, "subject"))
        return "CERT_REVOKED";
    if (!is_whom(credentials, cert, size, name, is_address))
        return "ERR_TLS_CERT_ALTNAME_INVALID";
    return is_pinned(settings, cert, size) ? NULL : "PIN_MISMATCH";
}
