/* SPDX-License-Identifier: MIT */
/* Ticket keys: a ring of three behind the store's lock, turned by whoever asks when it is time. */
#include "tickets.h"

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

typedef struct ring_key {
    unsigned char name[16];
    unsigned char key[32];
    uint64_t since; /* it seals from then on; 0: there is none */
} ring_key;

struct tls_tickets {
    weir_shared *shared; /* whose lock guards the rest */
    uint32_t lifetime;
    ring_key keys[TLS_TICKET_KEYS]; /* the newest first */
};

typedef struct making {
    weir_shared *shared;
    uint32_t lifetime;
} making;

static void *make(void *arg)
{
    const making *wanted = arg;
    tls_tickets *tickets = weir_calloc(1, sizeof(*tickets));

    if (tickets) {
        tickets->shared = wanted->shared;
        tickets->lifetime = wanted->lifetime;
    }
    return tickets;
}

static void destroy(void *object)
{
    weir__tls_wipe(object, sizeof(tls_tickets));
    weir_free(object);
}

tls_tickets *weir__tls_tickets_get(weir_shared *shared, const unsigned char certificate[TLS_DIGEST_SIZE],
                                   uint32_t lifetime)
{
    char name[sizeof("tls.tickets.") + 2 * TLS_DIGEST_SIZE];
    making wanted = {shared, lifetime};
    size_t length = (size_t)snprintf(name, sizeof(name), "tls.tickets.");
    size_t i;

    for (i = 0; i < TLS_DIGEST_SIZE; i++)
        length += (size_t)snprintf(name + length, sizeof(name) - length, "%02x", certificate[i]);
    return weir_shared_get(shared, name, make, destroy, &wanted);
}

static uint64_t half_life(const tls_tickets *tickets)
{
    return (uint64_t)tickets->lifetime * 1000 / 2;
}

/* Threads read the clock a little before they come here: a key may be younger than now. */
static uint64_t age(const ring_key *key, uint64_t now)
{
    return now > key->since ? now - key->since : 0;
}

/* Something may be sealed with the newest one still. */
static int seals(const tls_tickets *tickets, uint64_t now)
{
    return tickets->keys[0].since && age(&tickets->keys[0], now) < half_life(tickets);
}

/* What it sealed last, half a lifetime after it began, is no older than a lifetime. */
static int opens(const tls_tickets *tickets, const ring_key *key, uint64_t now)
{
    return key->since && age(key, now) < half_life(tickets) + (uint64_t)tickets->lifetime * 1000;
}

/* Puts a key in front, unless another thread was faster. Bytes are made outside of the lock, which is held shortly. */
static void turn(tls_tickets *tickets, const ring_key *fresh, uint64_t now)
{
    weir_shared_lock(tickets->shared);
    if (!seals(tickets, now)) {
        memmove(&tickets->keys[1], &tickets->keys[0], (TLS_TICKET_KEYS - 1) * sizeof(ring_key));
        tickets->keys[0] = *fresh;
    }
    weir_shared_unlock(tickets->shared);
}

static void copy_key(const tls_tickets *tickets, const ring_key *from, tls_ticket_key *key)
{
    memcpy(key->name, from->name, sizeof(key->name));
    memcpy(key->key, from->key, sizeof(key->key));
    key->lifetime = tickets->lifetime;
}

static int find(tls_tickets *tickets, const unsigned char *name, uint64_t now, tls_ticket_key *key)
{
    int status = UV_ENOENT;
    size_t i;

    weir_shared_lock(tickets->shared);
    for (i = 0; i < TLS_TICKET_KEYS && status; i++) {
        const ring_key *at = &tickets->keys[i];

        if (name ? opens(tickets, at, now) && memcmp(at->name, name, sizeof(at->name)) == 0
                 : i == 0 && seals(tickets, now)) {
            copy_key(tickets, at, key);
            status = 0;
        }
    }
    weir_shared_unlock(tickets->shared);
    return status;
}

int weir__tls_tickets_key(tls_tickets *tickets, const unsigned char *name, uint64_t now,
                          int (*random)(void *arg, void *data, size_t size), void *arg, tls_ticket_key *key)
{
    ring_key fresh;
    int status = find(tickets, name, now, key);

    if (status == 0 || name)
        return status;
    status = random(arg, fresh.name, sizeof(fresh.name));
    if (status == 0)
        status = random(arg, fresh.key, sizeof(fresh.key));
    fresh.since = now ? now : 1;
    if (status == 0) {
        turn(tickets, &fresh, now);
        status = find(tickets, NULL, now, key);
    }
    weir__tls_wipe(&fresh, sizeof(fresh));
    return status;
}
