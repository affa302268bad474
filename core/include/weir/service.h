/* SPDX-License-Identifier: MIT */
/* Services: servers with handlers, described by one JSON file. */
#ifndef WEIR_SERVICE_H
#define WEIR_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include <weir/runtime.h>
#include <weir/server.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_service weir_service;

/*
 * One fault of a configuration, "file:line:column: /json/pointer: message", or a warning, "file:line:column: warning:
 * /json/pointer: message". Texts are valid during the call. `line` and `column` count from 1; 0 where there is no place.
 */
typedef struct weir_fault {
    const char *file;
    unsigned line;
    unsigned column;
    const char *pointer;
    const char *message;
    int warning;
    const char *text; /* all of it in one line */
} weir_fault;
typedef void (*weir_fault_function)(const weir_fault *fault, void *arg);

/*
 * Reads and checks a file: the service's schema, every component's, and everything the components refer to. No socket
 * is made. Every fault is reported, not only the first. 0 with `*service` (the caller's), WEIR_EINVALID_CONFIG (faults
 * were reported), UV_ENOMEM, UV_EINVAL. `check` is this and then weir_service_free. A service is to be stopped and freed
 * before its runtime ends.
 */
WEIR_EXPORT int weir_service_load(weir_runtime *runtime, const char *file, weir_fault_function fault, void *arg,
                                  weir_service **service);

/* What a service tells while it runs; in the thread of the runtime it was loaded in. */
typedef enum weir_service_event_type {
    WEIR_SERVICE_LISTENING, /* server, endpoint: one server listens */
    WEIR_SERVICE_RUNNING,   /* all do */
    WEIR_SERVICE_FAILED,    /* server, endpoint, error: one could not; nothing serves, STOPPED follows */
    WEIR_SERVICE_STOPPING,  /* stop was called */
    WEIR_SERVICE_STOPPED    /* the last event; connections_destroyed */
} weir_service_event_type;

typedef struct weir_service_event {
    weir_service_event_type type;
    weir_service *service;
    const char *server;   /* its name */
    const char *handler;  /* its handler's name */
    const char *endpoint; /* where it listens, with the port it got */
    const weir_error *error;
    size_t connections_destroyed; /* that were cut when the grace ended */
} weir_service_event;
typedef void (*weir_service_function)(const weir_service_event *event, void *arg);

/*
 * Starts all servers. None accepts before all are bound; if one cannot be, none serves (FAILED, then STOPPED). Events
 * never come inside the call. 0, UV_EALREADY, UV_ENOMEM.
 */
WEIR_EXPORT int weir_service_start(weir_service *service, weir_service_function function, void *arg);

/*
 * Stops accepting, lets connections end for the file's `shutdownGrace` (`now` 0), or destroys them at once (`now` 1);
 * then STOPPED. A second call with `now` 1 cuts the grace short. 0, or UV_ENOTCONN when it does not run.
 */
WEIR_EXPORT int weir_service_stop(weir_service *service, int now);

/* Frees one that is stopped or never started. UV_EBUSY: it runs. NULL is let pass. */
WEIR_EXPORT int weir_service_free(weir_service *service);

/*
 * The JSON Schema of service files (draft 2020-12) with the options of every plugin that the runtime has or finds, for
 * editors: weir itself checks component by component. Loads plugins as weir_runtime_each_plugin does. The text is the
 * caller's (weir_free). NULL: no memory.
 */
WEIR_EXPORT char *weir_service_schema(weir_runtime *runtime);

/*
 * Connections open now, over all servers and all workers. Other workers' threads change it meanwhile: with more than one
 * it is the number of a moment. 0 for one that does not run.
 */
WEIR_EXPORT size_t weir_service_connections(const weir_service *service);

#ifdef __cplusplus
}
#endif
#endif
