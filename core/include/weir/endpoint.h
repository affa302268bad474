/* SPDX-License-Identifier: MIT */
/* Endpoints: where and how. A transport with its options, and the layers above it. */
#ifndef WEIR_ENDPOINT_H
#define WEIR_ENDPOINT_H

#include <stddef.h>
#include <stdint.h>

#include <weir/address.h>
#include <weir/error.h>
#include <weir/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A named fact or option of a link ("remoteAddress", "noDelay"). */
typedef enum weir_value_type {
    WEIR_VALUE_NONE,
    WEIR_VALUE_BOOLEAN, /* number: 0 or 1 */
    WEIR_VALUE_NUMBER,
    WEIR_VALUE_TEXT,
    WEIR_VALUE_ADDRESS
} weir_value_type;

typedef struct weir_value {
    weir_value_type type;
    int64_t number;
    const char *text; /* valid until the next call into the stream */
    weir_address address;
} weir_value;

/*
 * Parsed once, used often, immutable, counted, of one runtime, before whose end it must be released. Three spellings, one
 * parser:
 *
 *   a URL           "tcp://127.0.0.1:80?noDelay=true", "ipc:/run/x.sock", "tls+tcp://[::]:443?cert=a.pem&key=a.key"
 *   a JSON object   {"tcp": {"port": 80}, "layers": ["proxy-protocol"], "stream": {"allowHalfOpen": true}}
 *   a JSON string   with a URL in it
 *
 * A component's schema is the only authority on its options.
 */
typedef struct weir_endpoint weir_endpoint;

typedef enum weir_role { WEIR_CLIENT, WEIR_SERVER } weir_role;

/*
 * Parses an endpoint, loads the plugins it names and lets them read and check everything it refers to. `folder` is what
 * relative files are relative to (NULL: the working folder). 0, or below 0 with `*error` (where error is not NULL; the
 * caller's) saying what and where: WEIR_EINVALID_ENDPOINT (the text), WEIR_EINVALID_CONFIG (an option), WEIR_ENOPLUGIN,
 * WEIR_EPLUGIN, UV_EINVAL, UV_ENOMEM.
 */
WEIR_EXPORT int weir_endpoint_parse(weir_runtime *runtime, const char *text, weir_role role, const char *folder,
                                    weir_endpoint **endpoint, weir_error **error);

WEIR_EXPORT weir_endpoint *weir_endpoint_retain(weir_endpoint *endpoint);
WEIR_EXPORT void weir_endpoint_release(weir_endpoint *endpoint);

/*
 * The endpoint as a URL with its layers, without options and secrets: "tls+tcp://[::]:443". Writes at most `size`
 * bytes, ends with NUL when size > 0, returns the length that the whole has.
 */
WEIR_EXPORT size_t weir_endpoint_format(const weir_endpoint *endpoint, char *text, size_t size);

/* "tcp"; lives as the endpoint does. */
WEIR_EXPORT const char *weir_endpoint_transport(const weir_endpoint *endpoint);

#ifdef __cplusplus
}
#endif
#endif
