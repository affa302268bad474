/* SPDX-License-Identifier: MIT */
/* The cache of sessions: a short list, the one that was used last in front. */
#include "sessions.h"

#include <string.h>

#include <weir/runtime.h>

#include "settings.h"

struct tls_kept {
    tls_kept *next;
    size_t size;
    size_t name_size; /* with its NUL */
    char bytes[];     /* the name, then the blob: secrets */
};

static void forget(tls_sessions *sessions, tls_kept *kept)
{
    sessions->count--;
    weir__tls_free_secret(kept, sizeof(*kept) + kept->name_size + kept->size);
}

/* Out of the list. NULL: there is none of that name. */
static tls_kept *take(tls_sessions *sessions, const char *name)
{
    tls_kept **at = &sessions->newest;
    tls_kept *kept;

    while (*at && strcmp((*at)->bytes, name) != 0)
        at = &(*at)->next;
    kept = *at;
    if (kept)
        *at = kept->next;
    return kept;
}

static void drop_oldest(tls_sessions *sessions)
{
    tls_kept **at = &sessions->newest;
    tls_kept *oldest;

    while ((*at)->next)
        at = &(*at)->next;
    oldest = *at;
    *at = NULL;
    forget(sessions, oldest);
}

void weir__tls_sessions_put(tls_sessions *sessions, const char *name, const void *blob, size_t size)
{
    size_t name_size = strlen(name) + 1;
    tls_kept *kept;

    if (size > TLS_SESSION_BLOB_MOST)
        return;
    kept = weir_malloc(sizeof(*kept) + name_size + size);
    if (!kept)
        return;
    weir__tls_sessions_drop(sessions, name);
    kept->size = size;
    kept->name_size = name_size;
    memcpy(kept->bytes, name, name_size);
    memcpy(kept->bytes + name_size, blob, size);
    kept->next = sessions->newest;
    sessions->newest = kept;
    if (++sessions->count > TLS_SESSIONS_MOST)
        drop_oldest(sessions);
}

const void *weir__tls_sessions_get(tls_sessions *sessions, const char *name, size_t *size)
{
    tls_kept *kept = take(sessions, name);

    if (!kept)
        return NULL;
    kept->next = sessions->newest;
    sessions->newest = kept;
    *size = kept->size;
    return kept->bytes + kept->name_size;
}

void weir__tls_sessions_drop(tls_sessions *sessions, const char *name)
{
    tls_kept *kept = take(sessions, name);

    if (kept)
        forget(sessions, kept);
}

void weir__tls_sessions_free(tls_sessions *sessions)
{
    while (sessions->newest) {
        tls_kept *kept = sessions->newest;

        sessions->newest = kept->next;
        forget(sessions, kept);
    }
}
