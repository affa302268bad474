/* SPDX-License-Identifier: MIT */
/*
 * Keys for session tickets, one set for all workers that serve the same certificate (TLS-12). A key seals for half of a
 * ticket's lifetime; then the next one does, and it opens until what it sealed last is too old: three keys are enough. A set
 * that no context uses stays as long as somebody may hold a ticket of its keys: a certificate may come back.
 */
#ifndef WEIR_TLS_TICKETS_H
#define WEIR_TLS_TICKETS_H

#include <stdint.h>

#include <weir/shared.h>

#include "engine.h"

#define TLS_TICKET_KEYS 3

typedef struct tls_tickets tls_tickets;

/* Milliseconds of the steady clock that all threads share: what `now` is below. */
uint64_t weir__tls_tickets_now(void);

/*
 * The keys of a certificate and of a lifetime (seconds), which the store keeps; made by the first who asks. To be released by
 * each who has asked. NULL: no memory.
 */
tls_tickets *weir__tls_tickets_get(weir_shared *shared, const unsigned char certificate[TLS_DIGEST_SIZE],
                                   uint32_t lifetime, uint64_t now);

/* NULL is let pass. */
void weir__tls_tickets_release(tls_tickets *tickets, uint64_t now);

/*
 * name NULL: the key to seal with at `now`, made and changed as due with bytes of `random`. Otherwise the one of that name: UV_ENOENT when it is unknown or too old. `key->binding` is
 * left alone. 0, UV_ENOENT, or what `random` says.
 */
int weir__tls_tickets_key(tls_tickets *tickets, const unsigned char *name, uint64_t now,
                          int (*random)(void *arg, void *data, size_t size), void *arg, tls_ticket_key *key);

#endif
