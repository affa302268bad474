/* SPDX-License-Identifier: MIT */
/* Addresses: IP addresses with ports, socket paths, and the isIP family. */
#ifndef WEIR_ADDRESS_H
#define WEIR_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include <weir/export.h>
#include <weir/options.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sockaddr;

typedef enum weir_family {
    WEIR_FAMILY_NONE = 0,
    WEIR_FAMILY_PATH = 1, /* a socket path or an abstract name */
    WEIR_FAMILY_IPV4 = 4,
    WEIR_FAMILY_IPV6 = 6
} weir_family;

#define WEIR_ADDRESS_TEXT_SIZE 512 /* enough for any weir_address_format */
#define WEIR_PATH_MAX          107 /* bytes of a socket path on Linux, without its NUL (row PATH-05) */

/*
 * A value: copy it as you like. For IP addresses `bytes` holds 4 or 16 bytes in network order. For paths it holds the
 * name: of a file, or (abstract true) of an abstract socket, without the leading NUL and with inner NULs (BN-13).
 */
typedef struct weir_address {
    weir_family family;
    uint16_t port;
    uint16_t length; /* of `bytes` */
    uint32_t flowlabel;
    uint32_t scope; /* IPv6 zone as an interface index, 0: none */
    unsigned abstract : 1;
    unsigned char bytes[108];
} weir_address;

/* 4, 6 or 0: the kind of IP address that `text` is. NULL gives 0. Rows MOD-03 to MOD-06. */
WEIR_EXPORT int weir_is_ip(const char *text);
/* 1 or 0. Rows MOD-07, MOD-08. */
WEIR_EXPORT int weir_is_ipv4(const char *text);
WEIR_EXPORT int weir_is_ipv6(const char *text);

/*
 * An IP address without a port ("127.0.0.1", "::1", "fe80::1%lo", zone by name or number), and the port to go with it.
 * 0, UV_EINVAL (NULL argument), WEIR_EINVALIDADDRESS (no address, or a zone that is no interface); `address` is then
 * left as it was.
 */
WEIR_EXPORT int weir_address_from_ip(weir_address *address, const char *text, uint16_t port);

/*
 * An address with or without a port, strictly: "1.2.3.4:80", "[::1]:80", "[fe80::1%lo]:80", "1.2.3.4", "::1", "[::1]";
 * anything else (leading zeros, blanks, user@, a path, port 65536) is WEIR_EINVALIDADDRESS (BN-19). Without a port it
 * is 0.
 */
WEIR_EXPORT int weir_address_parse(weir_address *address, const char *text);

/*
 * Node's net.SocketAddress: an address of options, each of which may be left as weir_address_options_init sets it
 * (ADDR-01). `family` is "ipv4" or "ipv6", in any case, and is never guessed (ADDR-04).
 */
typedef struct weir_address_options {
    size_t size;         /* sizeof(weir_address_options): see weir/options.h */
    const char *address; /* NULL: "127.0.0.1", or "::" where family is "ipv6" (ADDR-02, ADDR-03) */
    const char *family;  /* NULL: "ipv4" */
    int64_t flowlabel;   /* 0 to 2^32 - 1; of an IPv4 address it reads back as 0 (ADDR-05) */
    int64_t port;        /* 0 to 65535 (ADDR-06) */
} weir_address_options;

static inline void weir_address_options_init(weir_address_options *options)
{
    weir_options_init(options, sizeof(*options));
}

/*
 * `options` may be NULL. A zone behind the address ("%lo") is dropped, whether there is such an interface or not
 * (ADDR-07). 0; UV_EINVAL (no `address`), WEIR_EINVALIDARGVALUE (family), WEIR_ESOCKETBADPORT, WEIR_EOUTOFRANGE (the
 * flow label), WEIR_EINVALIDADDRESS (a text that is no address of that family, ADDR-11): `address` is then left as it
 * was.
 */
WEIR_EXPORT int weir_address_from_options(weir_address *address, const weir_address_options *options);

/*
 * A socket path of `length` bytes. `abstract`: a name in Linux's abstract namespace, given without its leading NUL;
 * inner NULs are part of it. 0, UV_EINVAL (empty path, NUL in a file's path), UV_ENAMETOOLONG (over WEIR_PATH_MAX
 * bytes).
 */
WEIR_EXPORT int weir_address_from_path(weir_address *address, const char *path, size_t length, int abstract);

/*
 * From and to the system's form. `size` is in bytes, as the system gave it (an unnamed unix socket gives a path of
 * length 0). from: 0 or WEIR_EINVALIDADDRESSFAMILY. to: `storage` has room for `*size` bytes; 0, UV_ENOBUFS or
 * UV_EINVAL.
 */
WEIR_EXPORT int weir_address_from_sockaddr(weir_address *address, const struct sockaddr *sockaddr, size_t size);
WEIR_EXPORT int weir_address_to_sockaddr(const weir_address *address, void *storage, size_t *size);

/*
 * The text without the port: "127.0.0.1", "fe80::1%lo", "/run/x.sock", "@name" (NULs in abstract names and bytes that
 * do not print as %XX). Writes at most `size` bytes, always ends with NUL when size > 0, and returns the length that
 * the whole text has. WEIR_ADDRESS_TEXT_SIZE is always enough.
 */
WEIR_EXPORT size_t weir_address_ip(const weir_address *address, char *text, size_t size);

/* The same with the port: "127.0.0.1:80", "[::1]:80", "/run/x.sock". */
WEIR_EXPORT size_t weir_address_format(const weir_address *address, char *text, size_t size);

/* "IPv4", "IPv6", "path" or "none": static text (rows SRV-16, SOCP-12). */
WEIR_EXPORT const char *weir_family_name(weir_family family);

/* The same as SocketAddress and block lists write it: "ipv4", "ipv6", "path" or "none" (ADDR-08). */
WEIR_EXPORT const char *weir_family_word(weir_family family);

/* 1 if both name the same address and port (and path), else 0. The flow label counts, as Node's does not. */
WEIR_EXPORT int weir_address_equal(const weir_address *a, const weir_address *b);

#ifdef __cplusplus
}
#endif
#endif
