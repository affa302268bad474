/* SPDX-License-Identifier: MIT */
/* Making an endpoint out of JSON: for services, which have wishes of their own, and for Node's own forms. */
#ifndef WEIR_CORE_ENDPOINT_BUILD_H
#define WEIR_CORE_ENDPOINT_BUILD_H

#include "component.h"

/* The option by which a transport says that several sockets may listen in one place. */
#define WEIR__REUSE_PORT "reusePort"

/* What the workers of a service need of a listening endpoint. */
typedef struct weir__wishes {
    bool reuse_port;  /* in: switch that option on, where the transport has it and the text does not give it */
    int port;         /* in: above 0: listen on this one, whatever the text says */
    bool reuses_port; /* out: the option is on */
} weir__wishes;

/*
 * `value` stands at `pointer` of the place's document. `wishes` may be NULL. 0, or a code with faults noted.
 */
int weir__endpoint_build(weir__place *place, json_t *value, weir_role role, const char *pointer, weir__wishes *wishes,
                         weir_endpoint **endpoint);

/* Of a value that stands in no text, relative files being relative to the working folder. 0, or a code as above. */
int weir__endpoint_of(weir_runtime *runtime, json_t *value, weir_role role, weir_endpoint **endpoint);

#endif
