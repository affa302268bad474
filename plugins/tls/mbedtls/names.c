/* SPDX-License-Identifier: MIT */
/*
 * The names in a certificate, and whether one of them is the peer's (RFC 6125, RFC 9525): the subject's alternative names are
 * read here, since mbedTLS 2.28 knows no addresses among them. The common name counts only where there are none.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <weir/runtime.h>

#include "mbed.h"

enum { SAN_EMAIL = 1, SAN_DNS = 2, SAN_URI = 6, SAN_ADDRESS = 7 };

/* ---- reading ---- */

/* A run of DER that is read from front to back. */
typedef struct window {
    unsigned char *at;
    const unsigned char *end;
} window;

/* The content of the next element, if it has this tag. */
static int enter(window *from, int tag, window *content)
{
    size_t size;

    if (mbedtls_asn1_get_tag(&from->at, from->end, &size, tag) != 0)
        return 0;
    content->at = from->at;
    content->end = from->at + size;
    from->at += size;
    return 1;
}

typedef enum finding { NONE, FOUND, MALFORMED } finding;

/* The GeneralNames of the extension subjectAltName. */
static finding find_names(const mbedtls_x509_crt *certificate, window *names)
{
    static const unsigned char oid[] = {0x55, 0x1D, 0x11};
    window all = {certificate->v3_ext.p, certificate->v3_ext.p + certificate->v3_ext.len};
    window list;
    window extension;
    window field;

    if (!certificate->v3_ext.p || certificate->v3_ext.len == 0)
        return NONE;
    if (!enter(&all, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, &list))
        return MALFORMED;
    while (list.at < list.end) {
        if (!enter(&list, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, &extension) ||
            !enter(&extension, MBEDTLS_ASN1_OID, &field))
            return MALFORMED;
        if ((size_t)(field.end - field.at) != sizeof(oid) || memcmp(field.at, oid, sizeof(oid)) != 0)
            continue;
        enter(&extension, MBEDTLS_ASN1_BOOLEAN, &field);
        return enter(&extension, MBEDTLS_ASN1_OCTET_STRING, &field) &&
                       enter(&field, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, names)
                   ? FOUND
                   : MALFORMED;
    }
    return NONE;
}

/* The next name; 0 at the end. `kind` is the number of its choice. */
static int next_name(window *names, int *kind, window *value)
{
    size_t size;

    if (names->at >= names->end)
        return 0;
    int tag = *names->at++;
    if (mbedtls_asn1_get_len(&names->at, names->end, &size) != 0)
        return 0;
    *kind = tag & 0x1F;
    value->at = names->at;
    value->end = names->at + size;
    names->at += size;
    return (tag & MBEDTLS_ASN1_TAG_CLASS_MASK) == MBEDTLS_ASN1_CONTEXT_SPECIFIC;
}

/* ---- comparing ---- */

static size_t without_last_dot(const char *name, size_t length)
{
    return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

/*
 * "*.example.org" stands for one label before what follows, which has at least two labels itself. No other form of a
 * wildcard counts. Lengths count, so that a NUL inside a name ends nothing.
 */
static int matches_name(const char *pattern, size_t length, const char *host)
{
    size_t host_length = without_last_dot(host, strlen(host));

    length = without_last_dot(pattern, length);
    if (length == host_length && length > 0 && memchr(pattern, '\0', length) == NULL &&
        memchr(pattern, '*', length) == NULL)
        return strncasecmp(pattern, host, length) == 0;
    if (length < 3 || pattern[0] != '*' || pattern[1] != '.')
        return 0;
    const char *dot = memchr(host, '.', host_length);
    const char *rest = pattern + 1;
    size_t rest_length = length - 1;
    if (!dot || dot == host || memchr(rest + 1, '.', rest_length - 1) == NULL ||
        memchr(rest, '\0', rest_length) != NULL || memchr(rest, '*', rest_length) != NULL)
        return 0;
    return (size_t)(host + host_length - dot) == rest_length && strncasecmp(rest, dot, rest_length) == 0;
}

static size_t parse_address(const char *text, unsigned char bytes[16])
{
    char plain[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "%");

    if (inet_pton(AF_INET, text, bytes) == 1)
        return 4;
    if (length >= sizeof(plain))
        return 0;
    memcpy(plain, text, length);
    plain[length] = '\0';
    return inet_pton(AF_INET6, plain, bytes) == 1 ? 16 : 0;
}

static int common_name_matches(const mbedtls_x509_crt *certificate, const char *name)
{
    const mbedtls_x509_name *part;

    for (part = &certificate->subject; part; part = part->next) {
        int is_text = part->val.tag == MBEDTLS_ASN1_UTF8_STRING || part->val.tag == MBEDTLS_ASN1_PRINTABLE_STRING ||
                      part->val.tag == MBEDTLS_ASN1_IA5_STRING;
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &part->oid) == 0 && is_text &&
            matches_name((const char *)part->val.p, part->val.len, name))
            return 1;
    }
    return 0;
}

int weir__mbed_names(const mbedtls_x509_crt *certificate, const char *name, int is_address)
{
    unsigned char address[16];
    size_t address_size = is_address ? parse_address(name, address) : 0;
    window names;
    window value;
    int kind;

    finding found = find_names(certificate, &names);
    if (found != FOUND)
        return found == NONE && !is_address && common_name_matches(certificate, name);
    while (next_name(&names, &kind, &value)) {
        size_t size = (size_t)(value.end - value.at);
        if (!is_address && kind == SAN_DNS && matches_name((const char *)value.at, size, name))
            return 1;
        if (address_size && kind == SAN_ADDRESS && size == address_size && memcmp(value.at, address, size) == 0)
            return 1;
    }
    return 0;
}

/* ---- telling ---- */

/* A text that grows; `failed` when memory ran out. */
typedef struct text {
    char *data;
    size_t size;
    size_t room;
    int failed;
} text;

static void append(text *to, const char *data, size_t size)
{
    if (to->failed)
        return;
    if (to->size + size + 1 > to->room) {
        size_t room = 2 * (to->size + size) + 64;
        char *grown = weir_realloc(to->data, room);
        to->failed = !grown;
        if (!grown)
            return;
        to->data = grown;
        to->room = room;
    }
    memcpy(to->data + to->size, data, size);
    to->size += size;
    to->data[to->size] = '\0';
}

/* As it stands; in quotes, with escapes, when it could be taken for the list's own words or control a terminal. */
static void append_value(text *to, const window *value)
{
    const unsigned char *at;
    char escape[8];
    int plain = value->at < value->end;

    for (at = value->at; at < value->end; at++)
        plain &= *at > ' ' && *at < 0x7F && !strchr(",\"'\\", *at);
    if (plain) {
        append(to, (const char *)value->at, (size_t)(value->end - value->at));
        return;
    }
    append(to, "\"", 1);
    for (at = value->at; at < value->end; at++) {
        if (*at < ' ' || *at >= 0x7F || *at == '"' || *at == '\\')
            snprintf(escape, sizeof(escape), "\\u%04x", *at);
        else
            snprintf(escape, sizeof(escape), "%c", *at);
        append(to, escape, strlen(escape));
    }
    append(to, "\"", 1);
}

static void append_address(text *to, const window *value)
{
    size_t size = (size_t)(value->end - value->at);
    char address[INET6_ADDRSTRLEN];

    if ((size == 4 || size == 16) && inet_ntop(size == 4 ? AF_INET : AF_INET6, value->at, address, sizeof(address)))
        append(to, address, strlen(address));
    else
        append(to, "<invalid>", 9);
}

char *weir__mbed_san_text(const mbedtls_x509_crt *certificate)
{
    text all = {0};
    window names;
    window value;
    int kind;

    if (find_names(certificate, &names) != FOUND)
        return NULL;
    while (next_name(&names, &kind, &value)) {
        const char *prefix = kind == SAN_DNS       ? "DNS:"
                             : kind == SAN_ADDRESS ? "IP Address:"
                             : kind == SAN_EMAIL   ? "email:"
                             : kind == SAN_URI     ? "URI:"
                                                   : "othername:<unsupported>";
        if (all.size > 0)
            append(&all, ", ", 2);
        append(&all, prefix, strlen(prefix));
        if (kind == SAN_ADDRESS)
            append_address(&all, &value);
        else if (kind == SAN_DNS || kind == SAN_EMAIL || kind == SAN_URI)
            append_value(&all, &value);
    }
    if (all.failed) {
        weir_free(all.data);
        return NULL;
    }
    return all.data;
}

char *weir__mbed_subject(const mbedtls_x509_crt *certificate)
{
    char name[1024];
    int length = mbedtls_x509_dn_gets(name, sizeof(name), &certificate->subject);
    const char *shown = length > 0 ? name : "";
    size_t size = strlen(shown) + 1;
    char *copy = weir_malloc(size);

    if (copy)
        memcpy(copy, shown, size);
    return copy;
}
