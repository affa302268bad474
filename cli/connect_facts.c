/* SPDX-License-Identifier: MIT */
/* What `weir connect` asks of an endpoint's layers (--ca), and what it tells of them (--verbose). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect.h"

/* ---- asking ---- */

int endpoint_is_object(const char *text)
{
    text += strspn(text, " \t\r\n");
    return *text == '{' || *text == '"';
}

char *endpoint_with_ca(const char *url, const char *ca)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    size_t size = strlen(url) + strlen("?ca=") + 3 * strlen(ca) + 1;
    char *text = malloc(size);
    if (text == NULL) {
        return NULL;
    }
    int length = snprintf(text, size, "%s%cca=", url, strchr(url, '?') != NULL ? '&' : '?');
    char *end = text + length;
    for (; *ca != '\0'; ca++) {
        if (strchr(plain, *ca) != NULL) {
            *end++ = *ca;
        } else {
            end += snprintf(end, 4, "%%%02X", (unsigned char)*ca);
        }
    }
    *end = '\0';
    return text;
}

/* ---- telling ---- */

/* The facts that are told, where a layer knows them, and what introduces them in a line for people. */
static const struct {
    const char *fact;
    const char *member;
    const char *people;
} told[] = {
    {"tls.version", "version", ""},
    {"tls.cipher", "cipher", ""},
    {"tls.alpn", "alpn", "ALPN "},
    {"tls.servername", "servername", NULL},
    {"tls.resumed", "resumed", NULL},
    {"tls.peer.subject", "peer", NULL},
    {"tls.peer.fingerprint256", "fingerprint256", NULL},
};

static void add_people(char *people, size_t size, const char *before, const char *text)
{
    size_t length = strlen(people);
    snprintf(people + length, size - length, "  %s%s", before, text);
}

/* Whether the peer is who it should be: the facts' last word. */
static void add_verdict(weir_stream *stream, json_t *record, char *people, size_t size)
{
    weir_value value;
    char text[512];
    if (weir_stream_get(stream, "tls.authorized", &value) != 0) {
        return; /* no layer that would know */
    }
    int authorized = value.number != 0;
    record_json(record, "authorized", json_boolean(authorized));
    if (weir_stream_get(stream, "tls.authorizationError", &value) == 0 && value.type == WEIR_VALUE_TEXT) {
        record_text(record, "authorizationError", value.text);
        snprintf(text, sizeof(text), "%s", value.text);
    } else if (weir_stream_get(stream, "tls.peer.subject", &value) == 0 && value.type == WEIR_VALUE_TEXT) {
        snprintf(text, sizeof(text), "%s", value.text);
    } else {
        snprintf(text, sizeof(text), "without a certificate");
    }
    add_people(people, size, authorized ? "verified: " : "NOT verified: ", text);
}

void facts_print(cli_session *session, weir_stream *stream, const weir_endpoint *endpoint)
{
    char people[4096] = "connected";
    char url[1024];
    json_t *record = record_event("connected");
    weir_endpoint_format(endpoint, url, sizeof(url));
    record_text(record, "endpoint", url);
    add_people(people, sizeof(people), "", url);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        weir_value value;
        if (weir_stream_get(stream, told[i].fact, &value) != 0) {
            continue;
        }
        if (value.type == WEIR_VALUE_TEXT) {
            record_text(record, told[i].member, value.text);
        } else if (value.type == WEIR_VALUE_BOOLEAN) {
            record_json(record, told[i].member, json_boolean(value.number != 0));
        }
        if (told[i].people != NULL && value.type == WEIR_VALUE_TEXT) {
            add_people(people, sizeof(people), told[i].people, value.text);
        }
    }
    add_verdict(stream, record, people, sizeof(people));
    output_line(&session->err, people, record);
}
