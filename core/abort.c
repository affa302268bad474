/* SPDX-License-Identifier: MIT */
/*
 * Abort signals: a ring of listeners that is emptied when the signal is fired. A listener leaves the ring before it
 * runs, so that it may fire again, remove others, or give up the signal or itself.
 */
#include <weir/abort.h>

#include <uv.h>

#include "abort_private.h"
#include "error_private.h"
#include "memory.h"

struct weir_abort {
    size_t refs;
    int fired;
    const weir_error *error; /* made with the signal: firing needs no memory but for the reason */
    weir__abort_wait ring;   /* .next is the first */
};

weir_abort *weir_abort_new(void)
{
    weir_abort *signal = weir__calloc(1, sizeof(*signal));
    if (signal == NULL) {
        return NULL;
    }
    signal->refs = 1;
    signal->ring.next = &signal->ring;
    signal->ring.previous = &signal->ring;
    signal->error = weir_error_newf(WEIR_EABORTED, NULL, NULL, -1, "%s", weir_error_text(WEIR_EABORTED));
    if (signal->error->code != WEIR_EABORTED) { /* there was no memory for it */
        weir__free(signal);
        return NULL;
    }
    return signal;
}

weir_abort *weir_abort_retain(weir_abort *signal)
{
    if (signal != NULL) {
        signal->refs++;
    }
    return signal;
}

void weir_abort_release(weir_abort *signal)
{
    if (signal == NULL || --signal->refs > 0) {
        return;
    }
    while (signal->ring.next != &signal->ring) {
        weir__abort_wait *wait = signal->ring.next;
        int owned = wait->owned;
        weir__abort_leave(wait);
        if (owned) {
            weir__free(wait);
        }
    }
    weir_error_release(signal->error);
    weir__free(signal);
}

/* ---- firing ---- */

/* Without memory the error does without the reason. */
static void take_reason(weir_abort *signal, const weir_error *reason)
{
    const weir_error *told = weir__error_new_caused(WEIR_EABORTED, signal->error->message, reason);
    if (told->code == WEIR_EABORTED) {
        weir_error_release(signal->error);
        signal->error = told;
    } else {
        weir_error_release(told);
    }
}

void weir_abort_fire(weir_abort *signal, const weir_error *reason)
{
    if (signal == NULL || signal->fired) {
        return;
    }
    signal->fired = 1; /* from here on nobody joins */
    if (reason != NULL) {
        take_reason(signal, reason);
    }
    weir_abort_retain(signal);
    while (signal->ring.next != &signal->ring) {
        weir__abort_wait *wait = signal->ring.next;
        weir_abort_listener run = wait->run;
        void *arg = wait->arg;
        int owned = wait->owned;
        weir__abort_leave(wait);
        if (owned) {
            weir__free(wait);
        }
        run(signal, arg);
    }
    weir_abort_release(signal);
}

int weir_abort_fired(const weir_abort *signal)
{
    return signal != NULL && signal->fired;
}

const weir_error *weir_abort_error(const weir_abort *signal)
{
    return weir_abort_fired(signal) ? signal->error : NULL;
}

/* ---- listeners ---- */

void weir__abort_join(weir_abort *signal, weir__abort_wait *wait)
{
    wait->signal = signal;
    wait->previous = signal->ring.previous;
    wait->next = &signal->ring;
    wait->previous->next = wait;
    signal->ring.previous = wait;
}

void weir__abort_leave(weir__abort_wait *wait)
{
    if (wait->signal != NULL) {
        wait->signal = NULL;
        wait->previous->next = wait->next;
        wait->next->previous = wait->previous;
    }
}

int weir_abort_on(weir_abort *signal, weir_abort_listener listener, void *arg)
{
    if (signal == NULL || listener == NULL) {
        return UV_EINVAL;
    }
    if (signal->fired) {
        return WEIR_EABORTED;
    }
    weir__abort_wait *wait = weir__calloc(1, sizeof(*wait));
    if (wait == NULL) {
        return UV_ENOMEM;
    }
    wait->run = listener;
    wait->arg = arg;
    wait->owned = 1;
    weir__abort_join(signal, wait);
    return 0;
}

void weir_abort_off(weir_abort *signal, weir_abort_listener listener, void *arg)
{
    if (signal == NULL) {
        return;
    }
    for (weir__abort_wait *wait = signal->ring.previous; wait != &signal->ring; wait = wait->previous) {
        if (wait->owned && wait->run == listener && wait->arg == arg) {
            weir__abort_leave(wait);
            weir__free(wait);
            return;
        }
    }
}

size_t weir_abort_listener_count(const weir_abort *signal)
{
    size_t count = 0;
    if (signal == NULL) {
        return 0;
    }
    for (const weir__abort_wait *wait = signal->ring.next; wait != &signal->ring; wait = wait->next) {
        count++;
    }
    return count;
}
