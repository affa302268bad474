/* SPDX-License-Identifier: MIT */
/* Endpoints written as URLs: layers+transport:body?options, split strictly, every refusal naming its part. */
#define _GNU_SOURCE

#include "endpoint_url.h"

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "memory.h"

/* ---- refusals ---- */

static int refuse(weir__message *fault, const char *part, const char *text, size_t length, const char *why)
{
    weir__message_start(fault);
    if (part) {
        weir__message_add(fault, "%s ", part);
        weir__message_quote(fault, text, length);
        weir__message_add(fault, ": ");
    }
    weir__message_add(fault, "%s", why);
    return UV_EINVAL;
}

/* ---- characters ---- */

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The byte that a "%XX" at text means, or -1. */
static int escape_at(const char *text, size_t length)
{
    if (length < 3 || text[0] != '%')
        return -1;
    int high = hex_digit(text[1]), low = hex_digit(text[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool is_utf8(const char *text, size_t length)
{
    while (length > 0) {
        size_t size = weir__utf8_sequence(text, length);
        if (size == 0)
            return false;
        text += size;
        length -= size;
    }
    return true;
}

/* Decodes into new memory. `part` names the text in a refusal; show 0 keeps the text itself out of it. */
static int decode(const char *text, size_t length, const char *part, bool show, char **decoded, weir__message *fault)
{
    size_t filled = 0;
    const char *why = NULL;
    char *copy = weir__malloc(length + 1);
    if (!copy)
        return UV_ENOMEM;
    for (size_t at = 0; at < length && !why; at++) {
        int byte = (unsigned char)text[at];
        if (text[at] == '%') {
            byte = escape_at(text + at, length - at);
            at += 2;
            if (byte < 0)
                why = "two hexadecimal digits must follow a %; the sign itself is written %25";
            else if (byte == 0)
                why = "%00 may stand in abstract names only";
        }
        copy[filled++] = (char)byte;
    }
    copy[filled] = '\0';
    if (!why && !is_utf8(copy, filled))
        why = "what it decodes to is not UTF-8";
    if (!why) {
        *decoded = copy;
        return 0;
    }
    weir__free(copy);
    if (show)
        return refuse(fault, part, text, length, why);
    weir__message_start(fault);
    weir__message_add(fault, "%s: %s", part, why);
    return UV_EINVAL;
}

bool weir__component_name_valid(const char *name, size_t length)
{
    if (length == 0 || name[0] < 'a' || name[0] > 'z')
        return false;
    for (size_t i = 1; i < length; i++) {
        char letter = name[i];
        if (!((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-'))
            return false;
    }
    return true;
}

/* ---- names ---- */

static int add_name(weir__url *url, const char *name, size_t length, weir__message *fault)
{
    if (length == 0)
        return refuse(fault, NULL, NULL, 0, "a name is missing before the colon: expected \"layer+transport:...\"");
    if (!weir__component_name_valid(name, length))
        return refuse(fault, "the name", name, length,
                      "the names before the colon begin with a lower-case letter and go on with lower-case letters, "
                      "digits and dashes");
    if (url->name_count == WEIR__URL_NAMES_MOST)
        return refuse(fault, "the name", name, length, "there are more than 31 layers");
    char *copy = weir__strndup(name, length);
    if (!copy)
        return UV_ENOMEM;
    for (size_t i = 0; i < url->name_count; i++) {
        if (strcmp(url->names[i], copy) != 0)
            continue;
        weir__free(copy);
        weir__message_start(fault);
        weir__message_add(fault, "the layer ");
        weir__message_quote(fault, name, length);
        weir__message_add(fault,
                          " stands here twice, and their options could not be told apart; write the endpoint as a "
                          "JSON object with \"layers\"");
        return UV_EINVAL;
    }
    url->names[url->name_count++] = copy;
    return 0;
}

static int split_names(weir__url *url, const char *text, size_t length, weir__message *fault)
{
    size_t start = 0;
    for (size_t at = 0; at <= length; at++) {
        if (at < length && text[at] != '+')
            continue;
        int status = add_name(url, text + start, at - start, fault);
        if (status != 0)
            return status;
        start = at + 1;
    }
    return 0;
}

/* ---- options ---- */

static int add_option(weir__url *url, const char *text, size_t length, weir__message *fault)
{
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals ? (size_t)(equals - text) : length;
    if (length == 0)
        return refuse(fault, NULL, NULL, 0, "an option is missing between \"?\" or \"&\" and what follows");
    if (name_length == 0)
        return refuse(fault, NULL, NULL, 0, "an option has no name before its \"=\"");
    if (!equals)
        return refuse(fault, "the option", text, name_length,
                      "has no value; write NAME=VALUE (NAME=true for a switch)");
    void *options = url->options;
    int status = weir__array_reserve(&options, url->option_count, &url->option_capacity, sizeof(weir__url_option));
    url->options = options;
    if (status != 0)
        return status;
    /* What a value says is not shown: it may be a secret, which is refused later. */
    weir__url_option option = {0};
    status = decode(text, name_length, "the option's name", true, &option.name, fault);
    if (status != 0)
        return status;
    char part[80];
    snprintf(part, sizeof(part), "the value of the option %.40s", option.name);
    status = decode(equals + 1, length - name_length - 1, part, false, &option.value, fault);
    if (status != 0) {
        weir__free(option.name);
        return status;
    }
    url->options[url->option_count++] = option;
    return 0;
}

static int split_options(weir__url *url, const char *text, weir__message *fault)
{
    for (;;) {
        size_t length = strcspn(text, "&");
        int status = add_option(url, text, length, fault);
        if (status != 0 || text[length] == '\0')
            return status;
        text += length + 1;
    }
}

/* ---- the whole ---- */

static const char *control_character(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return text;
    return NULL;
}

/*
 * Names and body, without what stands before an @ in the authority: that may be a password. A slash in it would end the
 * authority, but whoever wrote one into a password meant it otherwise.
 */
static char *showable(const char *text, size_t length)
{
    char *shown = weir__strndup(text, length);
    char *authority = shown ? strstr(shown, "://") : NULL;
    char *at = authority && authority[3] != '/' ? strrchr(authority, '@') : NULL;
    if (at)
        memmove(authority + 3, at, strlen(at) + 1);
    return shown;
}

/* A colon is what makes a text a URL; whoever left it out gets the form. */
static int refuse_without_colon(const char *text, size_t length, weir__message *fault)
{
    return refuse(fault, "the text", text, length,
                  "not an endpoint; expected \"TRANSPORT://HOST:PORT\" or \"TRANSPORT:PATH\", with layers as "
                  "\"LAYER+TRANSPORT:...\"");
}

int weir__url_split(const char *text, weir__url *url, weir__message *fault)
{
    memset(url, 0, sizeof(*url));
    size_t length = strcspn(text, "?");
    const char *control = control_character(text);
    if (*text == '\0')
        return refuse(fault, NULL, NULL, 0,
                      "the endpoint is empty; expected \"TRANSPORT://HOST:PORT\" or "
                      "\"TRANSPORT:PATH\"");
    url->shown = showable(text, length);
    if (!url->shown)
        return UV_ENOMEM;
    if (control)
        return refuse(fault, "the text", url->shown, strlen(url->shown),
                      "a control character may not stand in an endpoint; write it as %XX");
    if (!is_utf8(text, strlen(text)))
        return refuse(fault, "the text", url->shown, strlen(url->shown), "not UTF-8; write other bytes as %XX");
    if (strchr(text, '#'))
        return refuse(fault, "the text", url->shown, strcspn(url->shown, "#"),
                      "an endpoint has no fragment; write a # as %23");
    const char *colon = memchr(text, ':', length);
    if (!colon)
        return refuse_without_colon(url->shown, strlen(url->shown), fault);
    int status = split_names(url, text, (size_t)(colon - text), fault);
    if (status != 0)
        return status;
    url->body = weir__strndup(colon + 1, length - (size_t)(colon + 1 - text));
    if (!url->body)
        return UV_ENOMEM;
    return text[length] == '?' ? split_options(url, text + length + 1, fault) : 0;
}

void weir__url_free(weir__url *url)
{
    for (size_t i = 0; i < url->name_count; i++)
        weir__free(url->names[i]);
    for (size_t i = 0; i < url->option_count; i++) {
        weir__free(url->options[i].name);
        weir__free(url->options[i].value);
    }
    weir__free(url->options);
    weir__free(url->body);
    weir__free(url->shown);
    memset(url, 0, sizeof(*url));
}

/* ---- host and port ---- */

/* An address in brackets: as it is, but a zone may follow one "%" or, as in URLs proper, "%25". */
static int read_bracketed(const char *text, size_t length, char **host, weir__message *fault)
{
    const char *zone = memchr(text, '%', length);
    size_t address_length = zone ? (size_t)(zone - text) : length;
    if (address_length == 0)
        return refuse(fault, "the host", text, length, "expected an IPv6 address between the brackets");
    for (size_t i = 0; i < address_length; i++)
        if (hex_digit(text[i]) < 0 && text[i] != ':' && text[i] != '.')
            return refuse(fault, "the host", text, length, "not an IPv6 address; a name stands without brackets");
    if (!memchr(text, ':', address_length))
        return refuse(fault, "the host", text, length, "not an IPv6 address; an IPv4 address stands without brackets");
    char *copy = weir__strndup(text, length);
    if (!copy)
        return UV_ENOMEM;
    if (zone) {
        size_t skipped = length - address_length > 3 && memcmp(zone, "%25", 3) == 0 ? 3 : 1;
        memmove(copy + address_length + 1, zone + skipped, length - address_length - skipped);
        copy[length - skipped + 1] = '\0';
        if (length - address_length == skipped) {
            weir__free(copy);
            return refuse(fault, "the host", text, length, "an interface's name or number must follow the %");
        }
    }
    *host = copy;
    return 0;
}

static int read_port(const char *text, size_t length, char **port, weir__message *fault)
{
    if (length == 0)
        return refuse(fault, NULL, NULL, 0, "the port after the colon is missing; leave out the colon for no port");
    return decode(text, length, "the port", true, port, fault);
}

static int read_authority(const char *text, size_t length, weir__url_body *body, weir__message *fault)
{
    const char *end = text + length;
    if (length > 0 && text[0] == '[') {
        const char *bracket = memchr(text, ']', length);
        if (!bracket)
            return refuse(fault, "the host", text, length, "the closing bracket is missing");
        int status = read_bracketed(text + 1, (size_t)(bracket - text - 1), &body->host, fault);
        if (status != 0 || bracket + 1 == end)
            return status;
        if (bracket[1] != ':')
            return refuse(fault, "the part", bracket + 1, (size_t)(end - bracket - 1),
                          "expected \":PORT\" after the bracket");
        return read_port(bracket + 2, (size_t)(end - bracket - 2), &body->port, fault);
    }
    const char *colon = memchr(text, ':', length);
    size_t host_length = colon ? (size_t)(colon - text) : length;
    if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
        return refuse(fault, "the address", text, length,
                      "more than one colon; an IPv6 address stands in brackets, as in \"[::1]:80\"");
    int status = host_length ? decode(text, host_length, "the host", true, &body->host, fault) : 0;
    if (status != 0 || !colon)
        return status;
    return read_port(colon + 1, (size_t)(end - colon - 1), &body->port, fault);
}

static int read_host_port(const weir__url *url, weir__url_body *body, weir__message *fault)
{
    const char *text = url->body;
    /* First, and without showing it: it may hold a password. */
    if (strchr(text, '@'))
        return refuse(fault, NULL, NULL, 0, "user information (before an @) is no part of an endpoint; take it out");
    if (strncmp(text, "//", 2) != 0)
        return refuse(fault, "the part", text, strlen(text), "expected \"//HOST:PORT\" after the first colon");
    text += 2;
    size_t length = strcspn(text, "/");
    if (text[length] == '/')
        return refuse(fault, "the part", text + length, strlen(text + length),
                      "nothing may follow the port but \"?\" and options; this transport takes no path");
    return read_authority(text, length, body, fault);
}

/* ---- paths ---- */

static int read_path(const weir__url *url, weir__url_body *body, weir__message *fault)
{
    const char *text = url->body;
    if (strncmp(text, "//", 2) == 0) {
        if (text[2] != '/' && text[2] != '\0')
            return refuse(fault, "the part", text, strlen(text),
                          "a path has no host; write \"TRANSPORT:/absolute\", \"TRANSPORT:///absolute\" or "
                          "\"TRANSPORT:relative\"");
        text += 2;
    }
    size_t length = strlen(text);
    if (length == 0)
        return 0;
    if (text[0] == '@' && length == 1)
        return refuse(fault, "the path", text, length, "the abstract name after the @ is empty");
    for (size_t at = 0; at < length; at++) {
        int byte = text[at] == '%' ? escape_at(text + at, length - at) : 1;
        if (byte < 0)
            return refuse(fault, "the path", text, length,
                          "two hexadecimal digits must follow a %; the sign itself is written %25");
        if (byte == 0 && text[0] != '@')
            return refuse(fault, "the path", text, length, "%00 may stand in abstract names only, which begin with @");
    }
    body->path = weir__strdup(text);
    return body->path ? 0 : UV_ENOMEM;
}

int weir__url_read_body(const weir__url *url, weir_body kind, weir__url_body *body, weir__message *fault)
{
    int status = 0;
    memset(body, 0, sizeof(*body));
    if (kind == WEIR_BODY_HOST_PORT)
        status = read_host_port(url, body, fault);
    else if (kind == WEIR_BODY_PATH)
        status = read_path(url, body, fault);
    else if (url->body[0] != '\0')
        status = refuse(fault, "the part", url->body, strlen(url->body),
                        "this transport takes nothing after its colon but \"?\" and options");
    if (status != 0)
        weir__url_body_free(body);
    return status;
}

void weir__url_body_free(weir__url_body *body)
{
    weir__free(body->host);
    weir__free(body->port);
    weir__free(body->path);
    memset(body, 0, sizeof(*body));
}
