/* SPDX-License-Identifier: MIT */
/* Transports: what moves bytes. For authors of transports. Read weir/link.h first. */
#ifndef WEIR_TRANSPORT_H
#define WEIR_TRANSPORT_H

#include <weir/link.h>
#include <weir/plugin.h>
#include <weir/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What stands behind the scheme in a URL, and which options it fills. */
typedef enum weir_body {
    WEIR_BODY_NONE,      /* nothing: "mem:" */
    WEIR_BODY_HOST_PORT, /* "//host:port" -> host, port */
    WEIR_BODY_PATH       /* "/a", "//host-less///a", "rel", "@abstract" -> path */
} weir_body;

typedef struct weir_acceptor weir_acceptor;

/* A new connection, as the transport found it; on the transport's stack. A transport may embed it in a struct of its
 * own. */
typedef struct weir_arrival {
    weir_address remote;
    int fd; /* -1 where there is none */
} weir_arrival;

struct weir_transport {
    size_t size; /* sizeof(weir_transport) */
    weir_body body;

    /* See weir_configure. 0 with `*context`, WEIR_EINVALID_CONFIG after faults were reported, UV_ENOMEM. */
    int (*configure)(weir_configure *configure, void **context);
    void (*context_free)(void *context);

    /* The address part of the endpoint's text ("127.0.0.1:80", "/run/x.sock"); as weir_endpoint_format counts. */
    size_t (*format)(const void *context, char *text, size_t size);

    /* A link that will connect (ops->open). NULL: no memory. The context lives longer than the link. */
    weir_link *(*create)(void *context, weir_runtime *runtime);

    /* ---- The other half: listening. All NULL in a transport that only connects. ---- */

    /* An acceptor that does not listen yet. NULL: no memory. */
    weir_acceptor *(*acceptor_create)(void *context, weir_runtime *runtime);

    /*
     * Bind and listen, or (fd >= 0) adopt a bound descriptor, which is the acceptor's from the call on. Then
     * weir_acceptor_listening or weir_acceptor_failed, in the call or later (a name has to be resolved).
     */
    void (*listen)(weir_acceptor *acceptor, int fd);

    /* Take arrivals (1) or leave them in the kernel's queue (0, the state at first). */
    void (*accepting)(weir_acceptor *acceptor, int on);

    /* Where it listens: 0 or UV_ENOTCONN. */
    int (*address)(const weir_acceptor *acceptor, weir_address *address);

    /* A duplicate of the listening descriptor, close-on-exec: at least 0, or an error. May be NULL. */
    int (*export_fd)(const weir_acceptor *acceptor);

    /* Fills a drop's local address and peer credentials; `remote` and `reason` are set, and the reason stays. May be
     * NULL. */
    void (*describe)(const weir_acceptor *acceptor, const weir_arrival *arrival, weir_drop *drop);

    /* The arrival as an open link, which takes the descriptor. NULL: no memory; the descriptor stays the acceptor's. */
    weir_link *(*accept)(weir_acceptor *acceptor, const weir_arrival *arrival);

    void (*acceptor_ref)(weir_acceptor *acceptor, int on);

    /*
     * Stop for good, at once; removes a socket file that is ours. When the call returns the place is free: another
     * acceptor may listen there before this one has reported weir_acceptor_closed, later than the call (SRV-39).
     */
    void (*acceptor_close)(weir_acceptor *acceptor);

    /* The last call, after closed, at depth 0. */
    void (*acceptor_free)(weir_acceptor *acceptor);

    /*
     * ---- Descriptors made elsewhere. NULL in a transport that has none. ----
     * A transport that recognizes some is configured without any option for them: see weir_configure's `adopts`.
     */

    /* The type of a descriptor that is this transport's kind, as weir_adopt_options calls it ("tcp4"), static text; NULL:
     * it is none. Changes nothing about it. */
    const char *(*recognizes)(int fd);

    /* An open link on a connected socket, which takes the descriptor and makes it non-blocking and close-on-exec: 0, or
     * UV_ENOTCONN, UV_ENOMEM, or another error with the descriptor as it was, the caller's. */
    int (*adopt)(void *context, weir_runtime *runtime, int fd, weir_link **link);

    /*
     * ---- Handing a place over. NULL where a descriptor is all there is to hand over. ----
     * `acceptor` listens on a duplicate of the predecessor's descriptor (export_fd, listen), which is about to be closed,
     * and is of the same transport and runtime: what acceptor_close removes is the successor's to remove from now on (a
     * socket's file), and has what the successor's options say of it (its mode). 0, or why it could not have that; the
     * rest is handed over all the same.
     */
    int (*succeed)(weir_acceptor *acceptor, weir_acceptor *predecessor);
};

/* A listener of a transport: first member of the transport's own struct, zeroed; the core fills it in. */
struct weir_acceptor {
    const weir_transport *transport;
    weir_server *server;
};

WEIR_EXPORT weir_runtime *weir_acceptor_runtime(const weir_acceptor *acceptor);

/* Bound and listening. */
WEIR_EXPORT void weir_acceptor_listening(weir_acceptor *acceptor);

/* It could not listen. The core then closes the acceptor. */
WEIR_EXPORT void weir_acceptor_failed(weir_acceptor *acceptor, const weir_error *error);

/*
 * A new connection: the core decides, and calls `accept` for it. 0: taken. Below 0: refused, the acceptor closes the
 * descriptor (the 'drop' event is the core's). After the call, look whether you are still accepting. Between two
 * arrivals let deferred work run (weir_runtime_leave, weir_runtime_enter): it tells of the first (SRV-12).
 */
WEIR_EXPORT int weir_acceptor_arrival(weir_acceptor *acceptor, const weir_arrival *arrival);

/*
 * Connections were closed unseen, because descriptors ran out (BN-08) or by a rule of the transport's own: `drop` says
 * what is known. A reason that is none of weir_drop_reason's is told as WEIR_DROP_DESCRIPTORS.
 */
WEIR_EXPORT void weir_acceptor_dropped(weir_acceptor *acceptor, const weir_drop *drop);

/* Closed; the last report. Not inside the close call. */
WEIR_EXPORT void weir_acceptor_closed(weir_acceptor *acceptor);

#ifdef __cplusplus
}
#endif
#endif
