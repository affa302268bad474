/* SPDX-License-Identifier: MIT */
/* What a service logs of connections that its servers drop: of a flood a few lines, and every one of it counted. */
#ifndef WEIR_CORE_SERVICE_DROPS_H
#define WEIR_CORE_SERVICE_DROPS_H

#include <stdint.h>

#include <weir/event.h>
#include <weir/runtime.h>

#define WEIR__DROP_REASONS 3

/* Zeroed to begin with. */
typedef struct weir__drops {
    weir_runtime *runtime; /* NULL: nothing was dropped yet */
    const char *server;    /* its name, which lives as long */
    weir_timer timer;      /* until lines may follow again */
    struct weir__drop_count {
        unsigned told;     /* a line was logged since the timer began */
        uint64_t more;     /* that were not told of */
        weir_address last; /* of whom this was the last one */
    } counts[WEIR__DROP_REASONS];
} weir__drops;

void weir__drops_note(weir__drops *drops, weir_runtime *runtime, const char *server, const weir_drop *drop);

/* Tells what has not been told; the timer does not run any more. */
void weir__drops_end(weir__drops *drops);

#endif
