/* SPDX-License-Identifier: MIT */
/*
 * A server's sessions of TLS 1.2 by their ids, for clients without tickets. It belongs to the credentials: whom they let in has
 * not changed as long as they live. Bounded; the oldest goes first.
 */
#include <string.h>
#include <time.h>

#include <weir/runtime.h>

#include "mbed.h"

enum { BUCKETS = 256, ID_MOST = 32, ENTRY_MOST = 16384 };

typedef struct entry {
    struct entry *next;  /* in the bucket */
    struct entry *newer; /* by the time they were put in */
    time_t until;
    unsigned char *data;
    size_t size;
    size_t id_size;
    unsigned char id[ID_MOST];
} entry;

struct mbed_cache {
    entry *buckets[BUCKETS];
    entry *oldest;
    entry *newest;
    size_t count;
};

/* The ids are the library's, and random. */
static entry **bucket(mbed_cache *cache, const unsigned char *id)
{
    return &cache->buckets[id[0]];
}

static entry *find(mbed_cache *cache, const unsigned char *id, size_t size)
{
    entry *each = *bucket(cache, id);

    while (each && (each->id_size != size || memcmp(each->id, id, size) != 0))
        each = each->next;
    return each;
}

static void drop_oldest(mbed_cache *cache)
{
    entry *old = cache->oldest;
    entry **link = bucket(cache, old->id);

    while (*link != old)
        link = &(*link)->next;
    *link = old->next;
    cache->oldest = old->newer;
    if (!cache->oldest)
        cache->newest = NULL;
    cache->count--;
    weir__mbed_free_secret(old->data, old->size);
    weir_free(old);
}

mbed_cache *weir__mbed_cache_new(void)
{
    return weir_calloc(1, sizeof(mbed_cache));
}

void weir__mbed_cache_free(mbed_cache *cache)
{
    while (cache && cache->oldest)
        drop_oldest(cache);
    weir_free(cache);
}

/* Without memory nothing is kept: a full handshake follows then. */
static int keep(tls_session *session, const unsigned char *id, size_t id_size, const mbedtls_ssl_session *state)
{
    mbed_cache *cache = session->credentials->cache;
    uint32_t lifetime = session->credentials->settings->session_timeout;
    time_t now = time(NULL);
    size_t size = 0;

    while (cache->oldest && cache->oldest->until <= now)
        drop_oldest(cache);
    if (id_size == 0 || id_size > ID_MOST || find(cache, id, id_size))
        return 1;
    unsigned char *data = weir__mbed_pack(session, state, &lifetime, &size);
    entry *made = data && size <= ENTRY_MOST ? weir_calloc(1, sizeof(*made)) : NULL;
    if (!made) {
        weir__mbed_free_secret(data, size);
        return 1;
    }
    made->until = now + (time_t)session->credentials->settings->session_timeout;
    made->data = data;
    made->size = size;
    made->id_size = id_size;
    memcpy(made->id, id, id_size);
    made->next = *bucket(cache, id);
    *bucket(cache, id) = made;
    if (cache->newest)
        cache->newest->newer = made;
    else
        cache->oldest = made;
    cache->newest = made;
    if (++cache->count > MBED_CACHE_MOST)
        drop_oldest(cache);
    return 0;
}

static int look_up(tls_session *session, const unsigned char *id, size_t id_size, mbedtls_ssl_session *state)
{
    const entry *found = id_size > 0 ? find(session->credentials->cache, id, id_size) : NULL;

    if (!found || weir__mbed_unpack(session, found->data, found->size, state) != 0)
        return 1;
    session->proven = MBED_BY_SESSION;
    return 0;
}

#if MBED_3
static int put_in(void *session, const unsigned char *id, size_t size, const mbedtls_ssl_session *state)
{
    return keep(session, id, size, state);
}

static int take_out(void *session, const unsigned char *id, size_t size, mbedtls_ssl_session *state)
{
    return look_up(session, id, size, state);
}
#else
static int put_in(void *session, const mbedtls_ssl_session *state)
{
    return keep(session, state->id, state->id_len, state);
}

/* The id asked for stands in what is to be filled. */
static int take_out(void *session, mbedtls_ssl_session *state)
{
    unsigned char id[ID_MOST];
    size_t size = state->id_len;

    if (size > sizeof(id))
        return 1;
    memcpy(id, state->id, size);
    return look_up(session, id, size, state);
}
#endif

void weir__mbed_cache_use(tls_session *session)
{
    if (session->credentials->cache)
        mbedtls_ssl_conf_session_cache(&session->config, session, take_out, put_in);
}
