/* SPDX-License-Identifier: MIT */
/* The store that the runtimes of a service share: a short list of named objects, made by the first who asks. */
#include "shared.h"

#include <stdatomic.h>
#include <string.h>

#include <uv.h>

#include "memory.h"
#include "runtime_private.h"

typedef struct entry {
    struct entry *next;
    void *object;
    void (*destroy)(void *object);
    char name[];
} entry;

struct weir_shared {
    atomic_size_t refs;
    uv_mutex_t mutex;
    entry *entries;
};

static weir_shared *shared_new(void)
{
    weir_shared *shared = weir__calloc(1, sizeof(*shared));
    if (shared == NULL) {
        return NULL;
    }
    if (uv_mutex_init(&shared->mutex) != 0) {
        weir__free(shared);
        return NULL;
    }
    atomic_init(&shared->refs, 1);
    return shared;
}

void weir__shared_release(weir_shared *shared)
{
    if (shared == NULL || atomic_fetch_sub(&shared->refs, 1) > 1) {
        return;
    }
    while (shared->entries != NULL) {
        entry *first = shared->entries;
        shared->entries = first->next;
        if (first->destroy != NULL) {
            first->destroy(first->object);
        }
        weir__free(first);
    }
    uv_mutex_destroy(&shared->mutex);
    weir__free(shared);
}

weir_shared *weir_runtime_shared(weir_runtime *runtime)
{
    if (runtime->shared == NULL) {
        runtime->shared = shared_new();
    }
    return runtime->shared;
}

int weir__runtime_share(weir_runtime *runtime, weir_runtime *other)
{
    weir_shared *shared = weir_runtime_shared(other);
    if (shared == NULL) {
        return UV_ENOMEM;
    }
    atomic_fetch_add(&shared->refs, 1);
    runtime->shared = shared;
    return 0;
}

static entry *find(const weir_shared *shared, const char *name)
{
    for (entry *at = shared->entries; at != NULL; at = at->next) {
        if (strcmp(at->name, name) == 0) {
            return at;
        }
    }
    return NULL;
}

/* Room first: an object that was made must be kept. */
static entry *make(const char *name, void *(*create)(void *arg), void (*destroy)(void *object), void *arg)
{
    size_t size = strlen(name) + 1;
    entry *made = weir__malloc(sizeof(*made) + size);
    if (made == NULL) {
        return NULL;
    }
    made->object = create(arg);
    if (made->object == NULL) {
        weir__free(made);
        return NULL;
    }
    made->destroy = destroy;
    memcpy(made->name, name, size);
    return made;
}

void *weir_shared_get(weir_shared *shared, const char *name, void *(*create)(void *arg), void (*destroy)(void *object),
                      void *arg)
{
    uv_mutex_lock(&shared->mutex);
    entry *found = find(shared, name);
    if (found == NULL) {
        found = make(name, create, destroy, arg);
        if (found != NULL) {
            found->next = shared->entries;
            shared->entries = found;
        }
    }
    uv_mutex_unlock(&shared->mutex);
    return found == NULL ? NULL : found->object;
}

void weir_shared_lock(weir_shared *shared)
{
    uv_mutex_lock(&shared->mutex);
}

void weir_shared_unlock(weir_shared *shared)
{
    uv_mutex_unlock(&shared->mutex);
}
