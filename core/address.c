/* SPDX-License-Identifier: MIT */
/* Addresses: reading and writing their texts, the isIP family, and the system's form. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <weir/address.h>
#include <weir/error.h>

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

_Static_assert(WEIR_PATH_MAX == sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1, "what the system says (PATH-06)");

/* ---- IP texts ---- */

/*
 * What may stand behind the %. No colon, which the system would cut the name at: "fe80::1%lo:80" would be "lo", with a
 * port that was lost on the way.
 */
static int is_zone(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    return length && length < IF_NAMESIZE && !text[length];
}

/* The address alone, zone not looked up; `*zone` is the text behind the %, or NULL. 4, 6 or 0. */
static int scan_ip(const char *text, unsigned char bytes[16], const char **zone)
{
    char plain[INET6_ADDRSTRLEN];
    *zone = NULL;
    if (!text)
        return 0;
    if (inet_pton(AF_INET, text, bytes) == 1)
        return 4;
    const char *percent = strchrnul(text, '%');
    size_t length = (size_t)(percent - text);
    if (length >= sizeof(plain))
        return 0;
    memcpy(plain, text, length);
    plain[length] = '\0';
    if (inet_pton(AF_INET6, plain, bytes) != 1)
        return 0;
    if (*percent) {
        if (!is_zone(percent + 1))
            return 0;
        *zone = percent + 1;
    }
    return 6;
}

int weir_is_ip(const char *text)
{
    unsigned char bytes[16];
    const char *zone;
    return scan_ip(text, bytes, &zone);
}

int weir_is_ipv4(const char *text)
{
    return weir_is_ip(text) == 4;
}

int weir_is_ipv6(const char *text)
{
    return weir_is_ip(text) == 6;
}

/* Digits alone, no leading zero, at most `most`; 0 or -1. */
static int scan_number(const char *text, uint32_t most, uint32_t *number)
{
    uint64_t value = 0;
    size_t length = strspn(text, "0123456789");
    if (!length || length > 10 || text[length] || (text[0] == '0' && length > 1))
        return -1;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    if (value > most)
        return -1;
    *number = (uint32_t)value;
    return 0;
}

/* An interface's index by its name or number, 0: there is none. */
static uint32_t zone_index(const char *zone)
{
    char name[IF_NAMESIZE];
    uint32_t index = if_nametoindex(zone);
    if (!index && (scan_number(zone, UINT32_MAX, &index) || !if_indextoname(index, name)))
        index = 0;
    return index;
}

int weir_address_from_ip(weir_address *address, const char *text, uint16_t port)
{
    if (!address || !text)
        return -EINVAL;
    weir_address made = {.port = port};
    const char *zone;
    int family = scan_ip(text, made.bytes, &zone);
    if (!family)
        return WEIR_EINVALIDADDRESS;
    if (zone) {
        made.scope = zone_index(zone);
        if (!made.scope)
            return WEIR_EINVALIDADDRESS;
    }
    made.family = family == 4 ? WEIR_FAMILY_IPV4 : WEIR_FAMILY_IPV6;
    made.length = family == 4 ? 4 : 16;
    *address = made;
    return 0;
}

int weir_address_parse(weir_address *address, const char *text)
{
    /* Room for the longest address with its zone; what is longer is none. */
    char host[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
    if (!address || !text)
        return -EINVAL;
    const char *begin = text;
    const char *end = strchrnul(text, ':');
    const char *rest;
    if (text[0] == '[') {
        begin = text + 1;
        end = strchr(begin, ']');
        rest = end ? end + 1 : NULL;
    } else if (*end && strchr(end + 1, ':')) {
        end = text + strlen(text); /* two colons: IPv6, which takes a port only behind brackets */
        rest = end;
    } else {
        rest = end;
    }
    uint32_t port = 0;
    if (!rest || (*rest && (*rest != ':' || scan_number(rest + 1, UINT16_MAX, &port))))
        return WEIR_EINVALIDADDRESS;
    size_t length = (size_t)(end - begin);
    if (length >= sizeof(host))
        return WEIR_EINVALIDADDRESS;
    memcpy(host, begin, length);
    host[length] = '\0';
    if (begin != text && !weir_is_ipv6(host))
        return WEIR_EINVALIDADDRESS;
    return weir_address_from_ip(address, host, (uint16_t)port);
}

/* ---- From options ---- */

/* WEIR_FAMILY_NONE: neither. */
static weir_family family_of_word(const char *word)
{
    if (!word || strcasecmp(word, "ipv4") == 0)
        return WEIR_FAMILY_IPV4;
    return strcasecmp(word, "ipv6") == 0 ? WEIR_FAMILY_IPV6 : WEIR_FAMILY_NONE;
}

int weir_address_from_options(weir_address *address, const weir_address_options *options)
{
    weir_address_options known;
    const char *zone;
    if (!address)
        return -EINVAL;
    weir_address_options_init(&known);
    int status = options ? weir_options_take(&known, sizeof(known), options) : 0;
    if (status != 0)
        return status;
    weir_address made = {.family = family_of_word(known.family)};
    if (made.family == WEIR_FAMILY_NONE)
        return WEIR_EINVALIDARGVALUE;
    if (known.port < 0 || known.port > UINT16_MAX)
        return WEIR_ESOCKETBADPORT;
    if (known.flowlabel < 0 || known.flowlabel > UINT32_MAX)
        return WEIR_EOUTOFRANGE;
    int ipv6 = made.family == WEIR_FAMILY_IPV6;
    const char *text = known.address ? known.address : ipv6 ? "::" : "127.0.0.1";
    if (scan_ip(text, made.bytes, &zone) != (ipv6 ? 6 : 4))
        return WEIR_EINVALIDADDRESS;
    made.length = ipv6 ? 16 : 4;
    made.port = (uint16_t)known.port;
    made.flowlabel = ipv6 ? (uint32_t)known.flowlabel : 0;
    *address = made;
    return 0;
}

/* ---- Paths and the system's form ---- */

int weir_address_from_path(weir_address *address, const char *path, size_t length, int abstract)
{
    if (!address || !path || !length || (!abstract && memchr(path, '\0', length)))
        return -EINVAL;
    if (length > WEIR_PATH_MAX)
        return -ENAMETOOLONG;
    *address = (weir_address){.family = WEIR_FAMILY_PATH, .length = (uint16_t)length, .abstract = abstract ? 1 : 0};
    memcpy(address->bytes, path, length);
    return 0;
}

static void from_unix(weir_address *address, const struct sockaddr_un *from, size_t size)
{
    size_t length = size - PATH_OFFSET;
    const char *path = from->sun_path;
    address->family = WEIR_FAMILY_PATH;
    if (!length)
        return;
    address->abstract = path[0] == '\0';
    if (address->abstract) {
        path++;
        length--;
    } else {
        /* A path of 108 bytes, which others may bind, has no NUL. */
        length = strnlen(path, length);
    }
    address->length = (uint16_t)length;
    memcpy(address->bytes, path, length);
}

int weir_address_from_sockaddr(weir_address *address, const struct sockaddr *sockaddr, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } from;
    weir_address made = {.family = WEIR_FAMILY_NONE};
    if (!address || !sockaddr || size < sizeof(from.any.sa_family))
        return WEIR_EINVALIDADDRESSFAMILY;
    memset(&from, 0, sizeof(from));
    memcpy(&from, sockaddr, sizeof(from.any.sa_family));
    /* For a path that fills its field the system counts one more, a NUL that is not there: never read that far. */
    size_t room = from.any.sa_family == AF_UNIX ? sizeof(from.un) : sizeof(from.in6);
    size = size < room ? size : room;
    memcpy(&from, sockaddr, size);
    if (from.any.sa_family == AF_INET && size >= sizeof(from.in)) {
        made.family = WEIR_FAMILY_IPV4;
        made.port = ntohs(from.in.sin_port);
        made.length = 4;
        memcpy(made.bytes, &from.in.sin_addr, 4);
    } else if (from.any.sa_family == AF_INET6 && size >= sizeof(from.in6)) {
        made.family = WEIR_FAMILY_IPV6;
        made.port = ntohs(from.in6.sin6_port);
        made.flowlabel = ntohl(from.in6.sin6_flowinfo);
        made.scope = from.in6.sin6_scope_id;
        made.length = 16;
        memcpy(made.bytes, &from.in6.sin6_addr, 16);
    } else if (from.any.sa_family == AF_UNIX) {
        from_unix(&made, &from.un, size);
    } else {
        return WEIR_EINVALIDADDRESSFAMILY;
    }
    *address = made;
    return 0;
}

static size_t to_unix(const weir_address *address, struct sockaddr_un *to)
{
    to->sun_family = AF_UNIX;
    if (!address->length && !address->abstract)
        return PATH_OFFSET;
    memcpy(to->sun_path + (address->abstract ? 1 : 0), address->bytes, address->length);
    size_t used = PATH_OFFSET + address->length + 1u; /* the NUL before an abstract name, or behind a path */
    return used < sizeof(*to) ? used : sizeof(*to);
}

int weir_address_to_sockaddr(const weir_address *address, void *storage, size_t *size)
{
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } to;
    size_t used;
    if (!address || !storage || !size)
        return -EINVAL;
    memset(&to, 0, sizeof(to));
    if (address->family == WEIR_FAMILY_IPV4) {
        to.in.sin_family = AF_INET;
        to.in.sin_port = htons(address->port);
        memcpy(&to.in.sin_addr, address->bytes, 4);
        used = sizeof(to.in);
    } else if (address->family == WEIR_FAMILY_IPV6) {
        to.in6.sin6_family = AF_INET6;
        to.in6.sin6_port = htons(address->port);
        to.in6.sin6_flowinfo = htonl(address->flowlabel);
        to.in6.sin6_scope_id = address->scope;
        memcpy(&to.in6.sin6_addr, address->bytes, 16);
        used = sizeof(to.in6);
    } else if (address->family == WEIR_FAMILY_PATH &&
               address->length + (address->abstract ? 1u : 0u) <= sizeof(to.un.sun_path)) {
        used = to_unix(address, &to.un);
    } else {
        return -EINVAL;
    }
    if (*size < used)
        return -ENOBUFS;
    memcpy(storage, &to, used);
    *size = used;
    return 0;
}

/* ---- Texts out ---- */

/* Keeps what fits, counts all. */
typedef struct writer {
    char *text;
    size_t size;
    size_t length;
} writer;

static void put(writer *out, const char *text, size_t length)
{
    if (out->length < out->size) {
        size_t room = out->size - out->length;
        memcpy(out->text + out->length, text, length < room ? length : room);
    }
    out->length += length;
}

static size_t finish(const writer *out)
{
    if (out->size)
        out->text[out->length < out->size ? out->length : out->size - 1] = '\0';
    return out->length;
}

/* The % too is written as %25, and a file whose name begins with @ as ./@name, so that no two names have one text. */
static void put_path(writer *out, const weir_address *address)
{
    if (address->abstract)
        put(out, "@", 1);
    else if (address->length && address->bytes[0] == '@')
        put(out, "./", 2);
    size_t length = address->length <= sizeof(address->bytes) ? address->length : sizeof(address->bytes);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = address->bytes[i];
        char escaped[4] = {(char)byte};
        if (byte < ' ' || byte >= 0x7f || byte == '%')
            put(out, escaped, (size_t)snprintf(escaped, sizeof(escaped), "%%%02X", byte));
        else
            put(out, escaped, 1);
    }
}

static void put_ip(writer *out, const weir_address *address)
{
    char text[INET6_ADDRSTRLEN];
    char zone[IF_NAMESIZE + 1] = "%";
    int ipv6 = address->family == WEIR_FAMILY_IPV6;
    if (!inet_ntop(ipv6 ? AF_INET6 : AF_INET, address->bytes, text, sizeof(text)))
        return;
    put(out, text, strlen(text));
    if (!ipv6 || !address->scope)
        return;
    if (!if_indextoname(address->scope, zone + 1))
        snprintf(zone + 1, sizeof(zone) - 1, "%u", address->scope);
    put(out, zone, strlen(zone));
}

static void put_address(writer *out, const weir_address *address)
{
    if (address->family == WEIR_FAMILY_PATH)
        put_path(out, address);
    else if (address->family == WEIR_FAMILY_IPV4 || address->family == WEIR_FAMILY_IPV6)
        put_ip(out, address);
}

size_t weir_address_ip(const weir_address *address, char *text, size_t size)
{
    writer out = {.text = text, .size = size};
    put_address(&out, address);
    return finish(&out);
}

size_t weir_address_format(const weir_address *address, char *text, size_t size)
{
    writer out = {.text = text, .size = size};
    int ipv6 = address->family == WEIR_FAMILY_IPV6;
    if (ipv6)
        put(&out, "[", 1);
    put_address(&out, address);
    if (ipv6)
        put(&out, "]", 1);
    if (ipv6 || address->family == WEIR_FAMILY_IPV4) {
        char port[8];
        put(&out, port, (size_t)snprintf(port, sizeof(port), ":%u", address->port));
    }
    return finish(&out);
}

const char *weir_family_name(weir_family family)
{
    switch (family) {
    case WEIR_FAMILY_IPV4:
        return "IPv4";
    case WEIR_FAMILY_IPV6:
        return "IPv6";
    case WEIR_FAMILY_PATH:
        return "path";
    case WEIR_FAMILY_NONE:
        break;
    }
    return "none";
}

const char *weir_family_word(weir_family family)
{
    if (family == WEIR_FAMILY_IPV4)
        return "ipv4";
    return family == WEIR_FAMILY_IPV6 ? "ipv6" : weir_family_name(family);
}

int weir_address_equal(const weir_address *a, const weir_address *b)
{
    return a->family == b->family && a->port == b->port && a->length == b->length && a->scope == b->scope &&
           a->flowlabel == b->flowlabel && a->abstract == b->abstract && !memcmp(a->bytes, b->bytes, a->length);
}
