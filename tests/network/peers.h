/* SPDX-License-Identifier: MIT */
/* Servers and bare sockets on the far host (netns.h). */
#ifndef WEIR_TEST_NETWORK_PEERS_H
#define WEIR_TEST_NETWORK_PEERS_H

#include "netns.h"

/* The file of tests/transports, for what it says of sockets. */
#include "transports/raw_peer.h"

/* A server of weir's on the far host, at all of its addresses; `options` may be NULL. */
weir_server *far_server(fixture *f, const weir_server_options *options);

/* A bare listener on the far host's IPv4 address; `*port` is filled in. */
int far_listen(uint16_t *port);

/* A client that waits for 'ready', and the bare socket at its other end. `query`: "" or "?option=value&...". */
recorder *far_client(fixture *f, const weir_stream_options *options, const char *query, int *peer);

/* Runs the loop for so long: for what must not happen meanwhile, and to let the network do what it does. */
void let_pass(fixture *f, unsigned milliseconds);

#endif
