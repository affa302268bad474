/* SPDX-License-Identifier: MIT */
/* A signal's listeners, for what of weir listens for as long as it lives: the place is in the listener's own memory. */
#ifndef WEIR_CORE_ABORT_PRIVATE_H
#define WEIR_CORE_ABORT_PRIVATE_H

#include <weir/abort.h>

/* Zero it first. It stays in place while it waits; it has left before it runs. */
typedef struct weir__abort_wait weir__abort_wait;
struct weir__abort_wait {
    weir__abort_wait *next;
    weir__abort_wait *previous;
    weir_abort *signal; /* NULL: it does not wait */
    weir_abort_listener run;
    void *arg;
    int owned; /* made by weir_abort_on */
};

/* Waits for a signal that was not fired, with `run` and `arg` set. Takes no reference: the caller has one. */
void weir__abort_join(weir_abort *signal, weir__abort_wait *wait);

/* Waits no more, if it did. */
void weir__abort_leave(weir__abort_wait *wait);

#endif
