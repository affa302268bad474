/* SPDX-License-Identifier: MIT */
/* What an endpoint's text says, in any spelling: its components by name, each with its options, not yet configured. */
#ifndef WEIR_CORE_ENDPOINT_PLAN_H
#define WEIR_CORE_ENDPOINT_PLAN_H

#include "component.h"

#define WEIR__PARTS_MOST 32 /* the transport and its layers */

typedef struct weir__part {
    weir__component_kind kind;
    char *name;
    char *pointer;             /* of its options */
    json_t *options;           /* an object of its own, or NULL: none */
    const weir__loaded *found; /* NULL: a fault */
} weir__part;

typedef struct weir__plan {
    char *label;    /* of a URL: what its faults are labelled with where there is no document */
    bool is_object; /* each component has its own object, so that a fault of one says nothing of the others */
    size_t count;
    weir__part parts[WEIR__PARTS_MOST]; /* the transport, then the layers from the wire inwards */
    weir__schema *stream_schema;        /* while the stream's options are of interest */
    json_t *stream;                     /* its options, or NULL */
} weir__plan;

/*
 * Reads a URL, which stands at `pointer`, or a JSON value: finds the components and gives each its options. Every fault
 * is noted. 0, or the code of the first fault; the plan is to be freed in any case, and a place without a label may
 * have the plan's until then.
 */
int weir__plan_from_url(weir__place *place, const char *text, const char *pointer, weir__plan *plan);
int weir__plan_from_json(weir__place *place, json_t *value, const char *pointer, weir__plan *plan);
void weir__plan_free(weir__plan *plan);

#endif
