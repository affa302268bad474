/* SPDX-License-Identifier: MIT */
/* Where Node's forms of connect go to, and streams that they make: for the tests of the forms and those of their options. */
#ifndef WEIR_TEST_NET_CONNECT_H
#define WEIR_TEST_NET_CONNECT_H

#include "over.h"

/* Options as they are at first; and those that name a port of 127.0.0.1, or a path. */
weir_connect_options nothing(void);
weir_connect_options to_port(int port);
weir_connect_options to_path(const char *path);

/* A server at a port of 127.0.0.1 alone. */
weir_server *at_port(fixture *f);

/* A stream that weir_create_connection made, recorded; the runtime keeps it. */
recorder *created(fixture *f, const weir_connect_options *options, const weir_stream_options *stream_options);

#endif
