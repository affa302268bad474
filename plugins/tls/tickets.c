/* SPDX-License-Identifier: MIT */
/*
 * Ticket keys: rings of three behind the store's lock, turned by whoever asks when it is time; a ring that has no more use is
 * dropped by whoever comes for another one.
 */
#include "tickets.h"

#include <string.h>

#include <uv.h>

#include <weir/runtime.h>

typedef struct ring_key {
    unsigned char name[16];
    unsigned char key[32];
    uint64_t since; /* it seals from then on; 0: there is none */
} ring_key;

typedef struct rings rings;

struct tls_tickets {
    tls_tickets *next;
    rings *all;
    weir_shared *shared; /* whose lock guards the rest */
    size_t users;        /* contexts */
    unsigned char certificate[TLS_DIGEST_SIZE];
    uint32_t lifetime;
    ring_key keys[TLS_TICKET_KEYS]; /* the newest first */
};

/* The store's object. */
struct rings {
    tls_tickets *first;
};

uint64_t weir__tls_tickets_now(void)
{
    return uv_hrtime() / 1000000;
}

/* ---- time ---- */

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

/* Nobody uses it, and nobody can hold a ticket of it: what was sealed last was sealed with the newest key. */
static int is_over(const tls_tickets *tickets, uint64_t now)
{
    return tickets->users == 0 && !opens(tickets, &tickets->keys[0], now);
}

/* ---- rings ---- */

static void *make_rings(void *arg)
{
    (void)arg;
    return weir_calloc(1, sizeof(rings));
}

static void free_each(tls_tickets *first)
{
    while (first) {
        tls_tickets *tickets = first;

        first = tickets->next;
        weir__tls_wipe(tickets, sizeof(*tickets));
        weir_free(tickets);
    }
}

static void free_rings(void *object)
{
    rings *all = object;

    free_each(all->first);
    weir_free(all);
}

/* Out of the list, behind the lock; to be freed in front of it. */
static tls_tickets *take_over(rings *all, uint64_t now)
{
    tls_tickets **at = &all->first;
    tls_tickets *taken = NULL;

    while (*at) {
        tls_tickets *tickets = *at;

        if (!is_over(tickets, now)) {
            at = &tickets->next;
            continue;
        }
        *at = tickets->next;
        tickets->next = taken;
        taken = tickets;
    }
    return taken;
}

static tls_tickets *find_ring(const rings *all, const unsigned char certificate[TLS_DIGEST_SIZE], uint32_t lifetime)
{
    tls_tickets *at = all->first;

    while (at && (at->lifetime != lifetime || memcmp(at->certificate, certificate, TLS_DIGEST_SIZE) != 0))
        at = at->next;
    return at;
}

tls_tickets *weir__tls_tickets_get(weir_shared *shared, const unsigned char certificate[TLS_DIGEST_SIZE],
                                   uint32_t lifetime, uint64_t now)
{
    rings *all = weir_shared_get(shared, "tls.tickets", make_rings, free_rings, NULL);
    tls_tickets *fresh = all ? weir_calloc(1, sizeof(*fresh)) : NULL; /* in front of the lock, which is held shortly */
    tls_tickets *found;
    tls_tickets *unused;

    if (!fresh)
        return NULL;
    fresh->all = all;
    fresh->shared = shared;
    fresh->lifetime = lifetime;
    memcpy(fresh->certificate, certificate, sizeof(fresh->certificate));
    weir_shared_lock(shared);
    unused = take_over(all, now);
    found = find_ring(all, certificate, lifetime);
    if (found) {
        fresh->next = unused;
        unused = fresh;
    } else {
        found = fresh;
        found->next = all->first;
        all->first = found;
    }
    found->users++;
    weir_shared_unlock(shared);
    free_each(unused);
    return found;
}

void weir__tls_tickets_release(tls_tickets *tickets, uint64_t now)
{
    tls_tickets *unused;
    weir_shared *shared;

    if (!tickets)
        return;
    shared = tickets->shared;
    weir_shared_lock(shared);
    tickets->users--;
    unused = take_over(tickets->all, now);
    weir_shared_unlock(shared);
    free_each(unused);
}

/* ---- keys ---- */

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
