/* SPDX-License-Identifier: MIT */
/* What stands behind the weir_configure that a plugin is given: where its options stand, and where its faults go. */
#ifndef WEIR_CONFIGURE_PRIVATE_H
#define WEIR_CONFIGURE_PRIVATE_H

#include <weir/plugin.h>

#include "json_scan.h"

/*
 * Whoever calls a plugin's configure makes one of these on its stack, zeroed, fills it in and hands over `&public`. All
 * it points at is borrowed for the call.
 */
typedef struct weir__configure {
    weir_configure public;          /* first, so that the plugin's pointer is one to the whole */
    const weir__document *document; /* the text the options stand in; NULL: none (an endpoint as URL) */
    const char *pointer;            /* of the options in it, "" the whole; never NULL */
    weir__faults *faults;           /* never NULL */
    weir__faults *warnings;         /* NULL: they become lines of the runtime's log */
    const char *label; /* without a document: what a fault begins with ("tls+tcp://...: "); NULL: nothing */
} weir__configure;

/* The public part's whole. */
weir__configure *weir__configure_of(weir_configure *configure);

/*
 * The pointer of what stands at `inner` (a JSON pointer inside the options; NULL is "") in the whole document, in new
 * memory (weir__free). NULL: no memory.
 */
char *weir__configure_pointer(const weir__configure *configure, const char *inner);

#endif
