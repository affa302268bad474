/* SPDX-License-Identifier: MIT */
/* The wording of what a socket refuses: what was attempted, on what, why not, and what can be done. */
#include "socket_error.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#define NAME_SIZE (WEIR_ADDRESS_TEXT_SIZE + 16)

/* What helps against a refusal, where that can be known from outside. */
typedef struct hint_row {
    int code;
    weir_family family; /* NONE: any IP address */
    const char *syscall;
    int low_port; /* only for ports 1 to 1023 */
    int abstract; /* of paths: only for abstract names (1) or only for files (0) */
    const char *hint;
} hint_row;

static const hint_row hints[] = {
    {UV_EACCES, WEIR_FAMILY_NONE, "listen", 1, 0, "ports below 1024 need CAP_NET_BIND_SERVICE"},
    {UV_EACCES, WEIR_FAMILY_NONE, "bind", 1, 0, "ports below 1024 need CAP_NET_BIND_SERVICE"},
    {UV_EADDRINUSE, WEIR_FAMILY_NONE, "listen", 0, 0, "another socket listens there already"},
    {UV_EADDRINUSE, WEIR_FAMILY_NONE, "bind", 0, 0, "another socket uses this local port"},
    {UV_EADDRNOTAVAIL, WEIR_FAMILY_NONE, "listen", 0, 0, "no interface of this host has this address"},
    {UV_EADDRNOTAVAIL, WEIR_FAMILY_NONE, "bind", 0, 0, "no interface of this host has this address"},
    {UV_EADDRNOTAVAIL, WEIR_FAMILY_NONE, "connect", 0, 0, "no local port or no local address is left for it"},
    {UV_EADDRINUSE, WEIR_FAMILY_PATH, "listen", 0, 0,
     "the name is taken; a socket file that nobody listens on is removed with unlinkStale"},
    {UV_EADDRINUSE, WEIR_FAMILY_PATH, "listen", 0, 1, "another socket has this name already"},
    {UV_ECONNREFUSED, WEIR_FAMILY_PATH, "connect", 0, 1, "nobody listens on it"},
    {UV_ECONNREFUSED, WEIR_FAMILY_PATH, "connect", 0, 0, "nobody listens on it"},
    {UV_EACCES, WEIR_FAMILY_PATH, "connect", 0, 0, "connecting needs write permission on the socket"},
};

static const char *hint_for(int code, const char *syscall, const weir_address *address)
{
    size_t i;

    if (!address || address->family == WEIR_FAMILY_NONE)
        return NULL;
    for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        const hint_row *row = &hints[i];
        int path = address->family == WEIR_FAMILY_PATH;

        if (row->code != code || strcmp(row->syscall, syscall) != 0 || (row->family == WEIR_FAMILY_PATH) != path)
            continue;
        if (path && !row->abstract != !address->abstract)
            continue;
        if (row->low_port && (address->port == 0 || address->port >= 1024))
            continue;
        return row->hint;
    }
    return NULL;
}

size_t weir__socket_name(const char *scheme, const weir_address *address, char *text, size_t size)
{
    char where[WEIR_ADDRESS_TEXT_SIZE];
    int length;

    weir_address_format(address, where, sizeof(where));
    length = snprintf(text, size, "%s:%s%s", scheme, address->family == WEIR_FAMILY_PATH ? "" : "//", where);
    return length < 0 ? 0 : (size_t)length;
}

weir_error *weir__socket_error_hint(int code, const char *syscall, const char *scheme, const weir_address *address,
                                    const char *hint)
{
    const char *text = weir_error_text(code);
    const char *name = weir_error_name(code);
    char where[NAME_SIZE];
    char ip[WEIR_ADDRESS_TEXT_SIZE];

    if (!hint)
        hint = "";
    if (!address || address->family == WEIR_FAMILY_NONE)
        return weir_error_newf(code, syscall, NULL, -1, "%s %s: %s (%s)%s%s", syscall, scheme, text, name,
                               *hint ? "; " : "", hint);
    weir__socket_name(scheme, address, where, sizeof(where));
    weir_address_ip(address, ip, sizeof(ip));
    return weir_error_newf(code, syscall, ip, address->family == WEIR_FAMILY_PATH ? -1 : address->port,
                           "%s %s: %s (%s)%s%s", syscall, where, text, name, *hint ? "; " : "", hint);
}

weir_error *weir__socket_error(int code, const char *syscall, const char *scheme, const weir_address *address)
{
    return weir__socket_error_hint(code, syscall, scheme, address, hint_for(code, syscall, address));
}

int weir__socket_take_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
        return UV_EBADF;
    return uv_translate_sys_error(error);
}
