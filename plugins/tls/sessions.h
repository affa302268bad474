/* SPDX-License-Identifier: MIT */
/*
 * What clients keep of their sessions, to resume by: the newest of each server, as the same settings know it (TLS-12).
 * One cache a runtime, bounded; what was not used longest goes first.
 */
#ifndef WEIR_TLS_SESSIONS_H
#define WEIR_TLS_SESSIONS_H

#include <stddef.h>

#define TLS_SESSIONS_MOST     256
#define TLS_SESSION_BLOB_MOST 65536

typedef struct tls_kept tls_kept;

typedef struct tls_sessions {
    tls_kept *newest; /* used or put last */
    size_t count;
} tls_sessions;

/* Keeps a copy under `name` (which says whose it is and by which settings), instead of what was there. Without memory
 * nothing is kept. */
void weir__tls_sessions_put(tls_sessions *sessions, const char *name, const void *blob, size_t size);

/* What is kept under `name`, valid until the next call; NULL: nothing. */
const void *weir__tls_sessions_get(tls_sessions *sessions, const char *name, size_t *size);

void weir__tls_sessions_drop(tls_sessions *sessions, const char *name);

void weir__tls_sessions_free(tls_sessions *sessions);

#endif
