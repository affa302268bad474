/* SPDX-License-Identifier: MIT */
/* What the forward handler's files share. */
#ifndef FORWARD_H
#define FORWARD_H

#include <weir/handler.h>

/* The handler's context: where to. Counted, because an upstream may close later than the server that it was made for.
 */
typedef struct forward {
    size_t refs;
    weir_endpoint *endpoint;
    char *where; /* the endpoint as text */
    uint64_t connect_timeout;
    weir_log_bound failures; /* to couple a client: while the upstream is down each would be a line */
    weir_error *last;        /* of those that are only counted */
} forward;

forward *forward_retain(forward *self);
void forward_release(forward *self);

/* Connects to the endpoint for this client and couples the two until both are closed. */
void pair_start(forward *context, weir_stream *client);

#endif
