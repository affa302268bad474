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
    WEIR_SERVICE_STOPPED,   /* the last event; connections_destroyed */
    WEIR_SERVICE_RELOADED, /* the file as it is now serves, and the one before nobody new; LISTENING came for new places */
    WEIR_SERVICE_RELOAD_FAILED /* server, endpoint, error: one of them could not listen; all serve on as before */
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
 * Starts all servers, of the file as it was last loaded or reloaded. None accepts before all are bound; if one cannot
 * be, none serves (FAILED, then STOPPED). Events never come inside the call. 0, UV_EALREADY, UV_ENOMEM.
 */
WEIR_EXPORT int weir_service_start(weir_service *service, weir_service_function function, void *arg);

/*
 * Stops accepting, lets connections end for the file's `shutdownGrace` (`now` 0), or destroys them at once (`now` 1);
 * then STOPPED. A second call with `now` 1 cuts the grace short. 0, or UV_ENOTCONN when it does not run.
 */
WEIR_EXPORT int weir_service_stop(weir_service *service, int now);

/*
 * Reads the file anew and serves what it says now, without letting go of anybody: what is described there is checked and
 * read as weir_service_load does it (certificates, lists, whatever the components refer to), and all its servers listen
 * before the first of them accepts. Then it is they who accept, in place of those before. Connections that were open go
 * on with what they were opened with, for as long as they like or until the service is stopped, and their handlers are
 * told nothing before that. Whatever goes wrong, now or later, leaves the running service as it was.
 *
 * A server keeps its listening sockets, with all who wait there, where one of the same transport listens at the same
 * place: at the same host and port, or path, as they are written. At port 0 it has to have the same name, too. Who keeps
 * a socket keeps what cannot be changed of one (tcp: ipv6Only, reusePort, mptcp, freeBind, bindToDevice); other workers
 * than before share or divide the sockets there are. Where no server listens any more, its socket is closed.
 *
 * 0: RELOADED, or one RELOAD_FAILED for each server that cannot listen, comes later, never inside the call; none of them
 * when the service is stopped before. In each of these it may be reloaded again. Otherwise nothing has begun:
 * WEIR_EINVALID_CONFIG (faults were reported), UV_EALREADY (it is starting, or being reloaded), UV_ENOTCONN (it does not
 * run, or is stopping), UV_ENOMEM, UV_EINVAL, UV_EMFILE and the like (a socket could not be duplicated).
 */
WEIR_EXPORT int weir_service_reload(weir_service *service, weir_fault_function fault, void *arg);

/* Frees one that is stopped or never started. UV_EBUSY: it runs. NULL is let pass. */
WEIR_EXPORT int weir_service_free(weir_service *service);

/*
 * The JSON Schema of service files (draft 2020-12) with the options of every plugin that the runtime has or finds, for
 * editors: weir itself checks component by component. Loads plugins as weir_runtime_each_plugin does. The text is the
 * caller's (weir_free). NULL: no memory.
 */
WEIR_EXPORT char *weir_service_schema(weir_runtime *runtime);

/*
 * Connections open now, over all servers and all workers, those of before a reload too. Other workers' threads change it
 * meanwhile: with more than one it is the number of a moment. 0 for one that does not run.
 */
WEIR_EXPORT size_t weir_service_connections(const weir_service *service);

#ifdef __cplusplus
}
#endif
#endif
