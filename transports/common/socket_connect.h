/* SPDX-License-Identifier: MIT */
/*
 * From a list of addresses to one connected socket. Attempts run beside each other: the next address is tried when the
 * newest attempt has failed, or when it has not succeeded within the attempt delay (RFC 8305, BN-01); the
 * first that connects wins and the others are closed. Every attempt owns its descriptor (BN-03).
 */
#ifndef WEIR_SOCKET_CONNECT_H
#define WEIR_SOCKET_CONNECT_H

#include "socket_link.h"

/* The state of a link that is not connected yet, with a copy of its context's settings. NULL: no memory. */
socket_connect *weir__socket_connect_new(socket_link *socket);

/* What the sockets to come are given; changes count for attempts made later. */
socket_settings *weir__socket_connect_settings(socket_connect *connect);

void weir__socket_connect_ref(socket_connect *connect, int on);

/*
 * Begins with `count` (at least 1) addresses, which are copied. After `delay` milliseconds the next one is tried beside
 * those before; 0: only after them. `what` is what the application asked for ("connect tcp://localhost:80"), for the
 * error when several addresses failed; copied. The link then reports opened or failed, in this call or later.
 */
void weir__socket_connect_start(socket_link *socket, const weir_address *addresses, size_t count, unsigned delay,
                                const char *what);

/* Ends the attempts and frees the state: socket->connect is NULL afterwards. */
void weir__socket_connect_free(socket_link *socket);

#endif
