/* SPDX-License-Identifier: MIT */
/* Abort signals: one object that ends many operations at once. Node's AbortController and AbortSignal in one. */
#ifndef WEIR_ABORT_H
#define WEIR_ABORT_H

#include <stddef.h>

#include <weir/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A signal is fired once, and stays so (row PIPE-15). One signal may serve many streams, servers, pipelines. It belongs
 * to one thread, that of the runtime whose objects use it: from another one, fire it through weir_runtime_post. Counted:
 * whoever was given a signal holds a reference of its own for as long as it listens.
 */
typedef struct weir_abort weir_abort;

/* A signal that has not been fired, with one reference. NULL: no memory. */
WEIR_EXPORT weir_abort *weir_abort_new(void);
WEIR_EXPORT weir_abort *weir_abort_retain(weir_abort *signal); /* returns its argument; NULL is let pass */
WEIR_EXPORT void weir_abort_release(weir_abort *signal);       /* the last one frees; NULL is let pass */

/*
 * Fires it: listeners run once each, inside the call, in the order in which they came; later calls do nothing. `reason`
 * (may be NULL; retained) is told in the message of what the signal ends, and stands in its `errors`. A listener added
 * meanwhile does not run, one removed does not run any more. NULL is let pass.
 */
WEIR_EXPORT void weir_abort_fire(weir_abort *signal, const weir_error *reason);

/* 1 once it was fired, else 0. */
WEIR_EXPORT int weir_abort_fired(const weir_abort *signal);

/* What it ends gets this error: code WEIR_EABORTED, name "ABORT_ERR" (PIPE-16). NULL before it was fired. Lives as the
 * signal does. */
WEIR_EXPORT const weir_error *weir_abort_error(const weir_abort *signal);

/*
 * Calls `listener(signal, arg)` when it is fired; then the listener is gone. 0, UV_EINVAL (NULL), UV_ENOMEM, or
 * WEIR_EABORTED: it was fired already, and the listener is not called.
 */
typedef void (*weir_abort_listener)(weir_abort *signal, void *arg);
WEIR_EXPORT int weir_abort_on(weir_abort *signal, weir_abort_listener listener, void *arg);

/* Removes the most recently added one with this function and argument; none such: nothing happens. */
WEIR_EXPORT void weir_abort_off(weir_abort *signal, weir_abort_listener listener, void *arg);

/* How many wait for it, weir's own (of streams, servers ...) among them (PIPE-17). */
WEIR_EXPORT size_t weir_abort_listener_count(const weir_abort *signal);

#ifdef __cplusplus
}
#endif
#endif
