/* SPDX-License-Identifier: MIT */
/* Name resolution of the application's own, instead of the system's: Node's option `lookup`. */
#ifndef WEIR_LOOKUP_H
#define WEIR_LOOKUP_H

#include <stddef.h>

#include <weir/address.h>
#include <weir/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A question: which addresses has this name? The application's until it has answered. */
typedef struct weir_lookup weir_lookup;

typedef struct weir_lookup_options {
    int family; /* 4, 6, or 0: both (CONN-15) */
    int hints;  /* flags of getaddrinfo; AI_ADDRCONFIG where neither they nor a family were given (CONN-17) */
    int all;    /* 1: every address is wanted (CONN-20); 0: the first one is enough */
} weir_lookup_options;

/*
 * Asked once for each connect to a host that is no IP address (CONN-18, CONN-19), in the runtime's thread. It answers by
 * weir_lookup_answer or weir_lookup_fail, once, inside the call or later; `host` and `options` are valid while the
 * question is. Until then, or until nobody waits any more, the loop is kept alive.
 */
typedef void (*weir_lookup_function)(weir_lookup *lookup, const char *host, const weir_lookup_options *options,
                                     void *arg);

/*
 * The addresses, which are copied; their ports do not count. The question is gone after the call, which does nothing
 * when the stream was closed meanwhile; no listener runs inside it. Where only the first one is wanted the others are
 * not looked at. One that is no IP address fails the stream with WEIR_EINVALIDIPADDRESS, one of a family that was not
 * asked for with WEIR_EINVALIDADDRESSFAMILY (CONN-21; syscall "lookup"); none at all, as with the system's resolver, with
 * ENOTFOUND (UV_EAI_NONAME; syscall "getaddrinfo"). 'lookup' tells of a failure too.
 */
WEIR_EXPORT void weir_lookup_answer(weir_lookup *lookup, const weir_address *addresses, size_t count);

/* No address: the stream fails with this error (retained; NULL: ENOTFOUND, as above). The question is gone after the
 * call. */
WEIR_EXPORT void weir_lookup_fail(weir_lookup *lookup, const weir_error *error);

/* 1 when nobody waits for the answer any more; it has to be given all the same. */
WEIR_EXPORT int weir_lookup_cancelled(const weir_lookup *lookup);

#ifdef __cplusplus
}
#endif
#endif
