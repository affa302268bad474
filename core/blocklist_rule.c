/* SPDX-License-Identifier: MIT */
/* Rules of block lists: made of addresses or of text, checked, and told as text. */
#define _GNU_SOURCE

#include "blocklist_rule.h"

#include <stdio.h>
#include <string.h>

#include <uv.h>

/* ---- making ---- */

static int is_ip(const weir_address *address)
{
    return address->family == WEIR_FAMILY_IPV4 || address->family == WEIR_FAMILY_IPV6;
}

static size_t size_of(weir_family family)
{
    return family == WEIR_FAMILY_IPV4 ? 4 : 16;
}

int weir__rule_make(weir__rule *rule, weir__rule_kind kind, const weir_address *first, const weir_address *last,
                    int prefix)
{
    if (!first || (kind == WEIR__RULE_RANGE && !last))
        return UV_EINVAL;
    if (!is_ip(first) || (kind == WEIR__RULE_RANGE && !is_ip(last)))
        return WEIR_EINVALIDADDRESS;
    size_t size = size_of(first->family);
    if (kind == WEIR__RULE_RANGE && (first->family != last->family || memcmp(first->bytes, last->bytes, size) > 0))
        return WEIR_EINVALIDARGVALUE;
    if (kind == WEIR__RULE_SUBNET && (prefix < 0 || (size_t)prefix > size * 8))
        return WEIR_EOUTOFRANGE;
    *rule = (weir__rule){.kind = kind, .family = first->family};
    memcpy(rule->first, first->bytes, size);
    if (kind == WEIR__RULE_RANGE)
        memcpy(rule->last, last->bytes, size);
    if (kind == WEIR__RULE_SUBNET)
        rule->prefix = (unsigned)prefix;
    return 0;
}

/* ---- from text ---- */

/* The first `length` bytes are an address of whichever family. */
static int read_address(weir_address *address, const char *text, size_t length)
{
    char alone[80]; /* more than the longest address with a zone has */
    if (length >= sizeof(alone))
        return WEIR_EINVALIDADDRESS;
    memcpy(alone, text, length);
    alone[length] = '\0';
    weir_address_options options;
    weir_address_options_init(&options);
    options.address = alone;
    options.family = strchr(alone, ':') ? "ipv6" : "ipv4";
    return weir_address_from_options(address, &options);
}

/* Digits alone, without leading zeros; more than an int holds is out of range like any other large number. */
static int read_prefix(const char *text, int *prefix)
{
    size_t length = strspn(text, "0123456789");
    if (!length || text[length] || (text[0] == '0' && length > 1))
        return WEIR_EINVALIDARGVALUE;
    *prefix = 0;
    for (size_t i = 0; i < length && *prefix < 1000; i++)
        *prefix = *prefix * 10 + (text[i] - '0');
    return 0;
}

int weir__rule_read(weir__rule *rule, const char *text)
{
    weir_address first, last;
    int prefix;
    if (!text)
        return UV_EINVAL;
    if (read_address(&first, text, strlen(text)) == 0) /* at first: a zone's name may have a - in it */
        return weir__rule_make(rule, WEIR__RULE_ADDRESS, &first, NULL, 0);
    const char *sign = strpbrk(text, "/-");
    if (!sign || read_address(&first, text, (size_t)(sign - text)) != 0)
        return WEIR_EINVALIDADDRESS;
    if (*sign == '/') {
        int status = read_prefix(sign + 1, &prefix);
        return status ? status : weir__rule_make(rule, WEIR__RULE_SUBNET, &first, NULL, prefix);
    }
    int status = read_address(&last, sign + 1, strlen(sign + 1));
    return status ? status : weir__rule_make(rule, WEIR__RULE_RANGE, &first, &last, 0);
}

const char *weir__rule_expected(const char *text, size_t length)
{
    weir__rule rule;
    int status = strlen(text) == length ? weir__rule_read(&rule, text) : WEIR_EINVALIDADDRESS;
    if (status == 0)
        return NULL;
    if (status == WEIR_EOUTOFRANGE)
        return "a prefix length of at most 32 for IPv4, 128 for IPv6";
    if (status == WEIR_EINVALIDARGVALUE && strchr(text, '/'))
        return "a plain number behind the /, as in \"10.0.0.0/8\"";
    if (status == WEIR_EINVALIDARGVALUE)
        return "a range of one family whose start is not behind its end";
    return "an IP address, a range \"10.0.0.1-10.0.0.9\" or a subnet \"10.0.0.0/8\" or \"2001:db8::/32\"";
}

/* ---- as text ---- */

static const char *ip_text(weir_family family, const unsigned char *bytes, char text[WEIR_ADDRESS_TEXT_SIZE])
{
    weir_address address = {.family = family, .length = (uint16_t)size_of(family)};
    memcpy(address.bytes, bytes, size_of(family));
    weir_address_ip(&address, text, WEIR_ADDRESS_TEXT_SIZE);
    return text;
}

size_t weir__rule_text(const weir__rule *rule, char *text, size_t size)
{
    char first[WEIR_ADDRESS_TEXT_SIZE], last[WEIR_ADDRESS_TEXT_SIZE];
    const char *family = weir_family_name(rule->family);
    int length = 0;
    ip_text(rule->family, rule->first, first);
    switch (rule->kind) {
    case WEIR__RULE_ADDRESS:
        length = snprintf(text, size, "Address: %s %s", family, first);
        break;
    case WEIR__RULE_RANGE:
        length = snprintf(text, size, "Range: %s %s-%s", family, first, ip_text(rule->family, rule->last, last));
        break;
    case WEIR__RULE_SUBNET:
        length = snprintf(text, size, "Subnet: %s %s/%u", family, first, rule->prefix);
        break;
    }
    return length < 0 ? 0 : (size_t)length;
}
