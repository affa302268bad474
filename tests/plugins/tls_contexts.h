/* SPDX-License-Identifier: MIT */
/* What tests of the contexts of tls-fake share: contexts by the interface, servers of them, and clients that ask. */
#ifndef WEIR_TEST_TLS_CONTEXTS_H
#define WEIR_TEST_TLS_CONTEXTS_H

#include "tls_world.h"

#include "plugins/tls/include/weir/tls.h"

/* Members of the options of tls-fake, beside those of tls_world.h. */
#define PSK        "\"pskIdentity\": \"me\", \"psk\": \"00112233445566778899aabbccddeeff\""
#define ASKS(name) TRUSTS ", \"servername\": \"" name "\""

const weir_tls *interface_of(fixture *f);

/* Of options (JSON; may be NULL) and without callbacks. */
weir_tls_options options_of(weir_role role, const char *options);

/* Fails the test where there can be none. The caller's to release. */
weir_tls_context *make_context(fixture *f, const weir_tls *tls, const weir_tls_options *options);

/* A server with these options, which ends every connection when its client does. */
weir_server *polite_server(fixture *f, const char *options);

/* The same of a context, which is registered as "front". */
weir_server *named_server(fixture *f, const weir_tls *tls, weir_tls_context *context);

/* A connection that is closed again: the fact that the client knew of it. */
const char *ask(fixture *f, weir_server *server, const char *options, const char *fact);

/* For weir_runtime_on_log: where the log is not to be kept. */
void quiet(weir_log_level level, const char *message, void *arg);

#endif
