/* SPDX-License-Identifier: MIT */
/* Events: what a listener receives, and how listeners are added and removed. */
#ifndef WEIR_EVENT_H
#define WEIR_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include <weir/address.h>
#include <weir/buffer.h>
#include <weir/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_runtime weir_runtime;
typedef struct weir_stream weir_stream;
typedef struct weir_server weir_server;

/*
 * Every event: identifier, Node's name, and what of weir_event it fills. Of a stream unless it says server. No listener
 * runs inside the call that caused its event, except 'data' (row SOCK-47).
 */
/* clang-format off */
#define WEIR_EVENT_MAP(X)                                                                                             \
    X(CONNECTION_ATTEMPT,         "connectionAttempt")        /* address                            SOCK-22 */       \
    X(CONNECTION_ATTEMPT_FAILED,  "connectionAttemptFailed")  /* address, error                     SOCK-23 */       \
    X(CONNECTION_ATTEMPT_TIMEOUT, "connectionAttemptTimeout") /* address                            SOCK-24 */       \
    X(LOOKUP,                     "lookup")                   /* error or address; host             SOCK-36 */       \
    X(CONNECT,                    "connect")                  /* the transport is open              SOCK-21 */       \
    X(READY,                      "ready")                    /* all layers are open                SOCK-42 */       \
    X(DATA,                       "data")                     /* buffer                             SOCK-25 */       \
    X(READABLE,                   "readable")                 /*                                    RD-08   */       \
    X(END,                        "end")                      /*                                    SOCK-28 */       \
    X(DRAIN,                      "drain")                    /*                                    SOCK-27 */       \
    X(FINISH,                     "finish")                   /*                                    WR-16   */       \
    X(PAUSE,                      "pause")                    /*                                    RD-23   */       \
    X(RESUME,                     "resume")                   /*                                    RD-23   */       \
    X(PIPE,                       "pipe")                     /* stream: the source                 PIPE-05 */       \
    X(UNPIPE,                     "unpipe")                   /* stream: the source                 PIPE-05 */       \
    X(TIMEOUT,                    "timeout")                  /*                                    SOCK-43 */       \
    X(PEER_CLOSE,                 "peerClose")                /* the peer has gone, unread          BN-05   */       \
    X(FD,                         "fd")                       /* fd                                 SOCK-44 */       \
    X(LAYER,                      "layer")                    /* layer                                      */       \
    X(ERROR,                      "error")                    /* error; stream and server           SOCK-33 */       \
    X(CLOSE,                      "close")                    /* had_error; stream and server       SOCK-19 */       \
    X(LISTENING,                  "listening")                /* server                             SRV-04  */       \
    X(CONNECTION,                 "connection")               /* server; stream                     SRV-05  */       \
    X(CLIENT_ERROR,               "clientError")              /* server; stream, error, address     TLS-05  */       \
    X(DROP,                       "drop")                     /* server; drop                       SRV-12  */
/* clang-format on */

typedef enum weir_event_type {
#define WEIR_EVENT_TYPE(id, name) WEIR_EVENT_##id,
    WEIR_EVENT_MAP(WEIR_EVENT_TYPE)
#undef WEIR_EVENT_TYPE
        WEIR_EVENT_COUNT
} weir_event_type;

/* Why a server closed an arrival at once (BN-09). */
typedef enum weir_drop_reason {
    WEIR_DROP_MAX_CONNECTIONS, /* "maxConnections" */
    WEIR_DROP_BLOCK_LIST,      /* "blockList" */
    WEIR_DROP_DESCRIPTORS      /* "descriptors": the process or the system has none left */
} weir_drop_reason;

typedef struct weir_drop {
    weir_drop_reason reason;
    weir_address local;  /* family NONE where it is not known */
    weir_address remote; /* for IPC both are of family PATH or NONE (row SRV-14) */
    int64_t peer_pid;    /* IPC only, otherwise -1 (BN-09) */
    int64_t peer_uid;
    int64_t peer_gid;
} weir_drop;

/* An event of a layer, which the core does not know: tls's "secureConnect", say. */
typedef struct weir_layer_event {
    const char *layer; /* the layer's name */
    const char *name;  /* the event's name */
    const void *payload;
    size_t size;
} weir_layer_event;

/* Valid while the listener runs, with all that it points to; retain what is to stay. */
typedef struct weir_event {
    weir_event_type type;
    weir_stream *target_stream; /* whose event it is: a stream ... */
    weir_server *target_server; /* ... or a server; the other one is NULL */
    weir_stream *stream; /* 'connection': the new stream; 'clientError': the one that came to nothing; 'pipe', 'unpipe':
                          * the source; otherwise target_stream */
    union {
        weir_buf *buffer;        /* 'data' */
        const weir_error *error; /* 'error', 'clientError', 'connectionAttemptFailed', 'lookup' (NULL: it went well) */
        const weir_drop *drop;   /* 'drop' */
        const weir_layer_event *layer; /* 'layer' */
        int had_error;                 /* 'close' */
        int fd;                        /* 'fd': the listener's from now on */
    };
    const weir_address *address; /* 'connectionAttempt...', 'lookup', 'clientError'; otherwise NULL */
    const char *host;            /* 'lookup': the name that was looked up; otherwise NULL */
} weir_event;

typedef void (*weir_listener)(const weir_event *event, void *arg);

/* "data", "connectionAttempt" ...; NULL for a number that is no event. Static text. */
WEIR_EXPORT const char *weir_event_name(weir_event_type type);

/*
 * Streams and servers have the same functions for listeners (rows EMT-01 to EMT-10):
 *
 *   weir_stream_on / weir_server_on             add to the end of the event's list; the same (function, argument) may
 *                                               be added several times and then runs several times (EMT-01, EMT-02)
 *   ..._once                                    removed before it runs the first time (EMT-04)
 *   ..._prepend, ..._prepend_once               to the front of the list (EMT-07)
 *   ..._off                                     removes the most recently added one with this function and argument;
 *                                               none such: nothing happens (EMT-05)
 *   ..._remove_all                              of one event, or (WEIR_EVENT_COUNT) of all; what weir itself relies on
 *                                               is kept elsewhere and stays (EMT-06)
 *   ..._listener_count                          how many (EMT-08)
 *
 * A listener added while its event is emitted does not run in that emit (EMT-10); one removed then does not run any
 * more (unlike Node, EMT-09: its argument may be freed at once). The object cannot go while a listener runs (EMT-15).
 * on, once and prepend return 0, UV_EINVAL (NULL listener, no such event) or UV_ENOMEM; the others return nothing.
 */

#ifdef __cplusplus
}
#endif
#endif
