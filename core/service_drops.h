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
    struct weir__drop_count {
        weir_log_bound bound;
        const char *server;      /* its name, which lives as long */
        weir_drop_reason reason; /* why these were dropped */
        weir_address last;       /* of whom the last one was that is counted */
    } counts[WEIR__DROP_REASONS];
} weir__drops;

void weir__drops_note(weir__drops *drops, weir_runtime *runtime, const char *server, const weir_drop *drop);

/* Tells what has not been told; no timer runs any more. */
void weir__drops_end(weir__drops *drops);

#endif
