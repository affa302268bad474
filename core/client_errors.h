/* SPDX-License-Identifier: MIT */
/* What a service logs of clients that fail: the first ones in full, of a flood a few lines, every one of it counted. */
#ifndef WEIR_CORE_CLIENT_ERRORS_H
#define WEIR_CORE_CLIENT_ERRORS_H

#include <weir/event.h>
#include <weir/runtime.h>

/* Lines of one kind in a period of weir_log_bound. */
#define WEIR__CLIENT_ERRORS_SHOWN 5

/* Errors of one kind of one server's clients. Zeroed to begin with, but for the name. */
typedef struct weir__client_errors {
    weir_log_bound bound;
    const char *server;     /* its name, which lives as long; set by the owner */
    const weir_error *last; /* of those that are counted, and where it came from */
    weir_address from;
    unsigned long long stream;
} weir__client_errors;

/* A client that could not be served: its layers did not open. `address`: may be NULL. */
void weir__client_errors_refused(weir__client_errors *errors, weir_runtime *runtime, const weir_address *address,
                                 const weir_error *error);

/* An 'error' of a connection, for which nobody listens. */
void weir__client_errors_unheard(weir__client_errors *errors, const weir_stream *stream, const weir_error *error);

/* Tells what has not been told. */
void weir__client_errors_end(weir__client_errors *errors);

#endif
