/* SPDX-License-Identifier: MIT */
/* What the runtimes of one service share: named objects behind one lock. For authors of plugins. */
#ifndef WEIR_SHARED_H
#define WEIR_SHARED_H

#include <weir/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A runtime has a store of its own, and the workers of a service have the store of the service's runtime: the one place
 * where what each of them configures for itself can meet (keys for session tickets, counters). It lives as long as the
 * longest of its runtimes.
 */
typedef struct weir_shared weir_shared;

/* The runtime's store; borrowed. NULL: no memory for it. In the runtime's thread. */
WEIR_EXPORT weir_shared *weir_runtime_shared(weir_runtime *runtime);

/*
 * The object of this name. The first who asks for it makes it: `create(arg)` runs under the store's lock, and must not
 * call the store; `destroy` (may be NULL) frees it with the store, in the thread that gives the store up last. Names
 * begin with the plugin's own ("tls.tickets./etc/x.pem"). NULL: no memory, or `create` gave NULL; the next one who asks
 * tries again. In any thread whose runtime has the store.
 */
WEIR_EXPORT void *weir_shared_get(weir_shared *shared, const char *name, void *(*create)(void *arg),
                                  void (*destroy)(void *object), void *arg);

/* The store's lock, for objects that have none of their own; held for a few instructions only, never twice at once. */
WEIR_EXPORT void weir_shared_lock(weir_shared *shared);
WEIR_EXPORT void weir_shared_unlock(weir_shared *shared);

#ifdef __cplusplus
}
#endif
#endif
