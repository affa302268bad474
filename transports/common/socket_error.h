/* SPDX-License-Identifier: MIT */
/* The wording of what a socket refuses. */
#ifndef WEIR_SOCKET_ERROR_H
#define WEIR_SOCKET_ERROR_H

#include <weir/address.h>
#include <weir/error.h>

/*
 * "listen tcp://127.0.0.1:80: permission denied (EACCES); ports below 1024 need CAP_NET_BIND_SERVICE". `address` may be
 * NULL or of family NONE. Never NULL, one reference.
 */
weir_error *weir__socket_error(int code, const char *syscall, const char *scheme, const weir_address *address);

/* The same with a hint of the caller's (NULL: none). */
weir_error *weir__socket_error_hint(int code, const char *syscall, const char *scheme, const weir_address *address,
                                    const char *hint);

/* "tcp://127.0.0.1:80", "ipc:/run/x.sock"; as snprintf counts. */
size_t weir__socket_name(const char *scheme, const weir_address *address, char *text, size_t size);

/* The error that the system keeps for the socket, as libuv's code, which takes it away; 0: none. */
int weir__socket_take_error(int fd);

#endif
