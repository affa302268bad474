/* SPDX-License-Identifier: MIT */
/*
 * Readiness of one descriptor. A socket_poll owns its descriptor and a uv_poll_t; its owner says which events it wants
 * as often as it likes, and libuv is told once, when the outermost bracket ends, and only when there is a difference.
 */
#ifndef WEIR_SOCKET_POLL_H
#define WEIR_SOCKET_POLL_H

#include <uv.h>

#include <weir/link.h>

typedef struct socket_poll socket_poll;

typedef struct socket_poll_ops {
    /*
     * Inside a bracket. `events` are those of the wanted ones that are ready (UV_READABLE ...). `error`: the kernel
     * signals an error, which is only told by the next system call on the descriptor; polling goes on when events are
     * still wanted after this call.
     */
    void (*ready)(void *owner, int events, int error);

    /* The last call, inside a bracket: libuv has let go, the socket_poll is freed when this returns. */
    void (*closed)(void *owner);
} socket_poll_ops;

struct socket_poll {
    uv_poll_t handle;
    weir_task settle;
    weir_runtime *runtime;
    const socket_poll_ops *ops;
    void *owner;
    int fd;
    unsigned char wanted;
    unsigned char armed;
    unsigned char shut_due; /* weir__socket_poll_shut_soon */
};

/* Takes `fd` (non-blocking) and wants nothing yet. 0, or an error: the descriptor is still the caller's then. */
int weir__socket_poll_new(weir_runtime *runtime, int fd, const socket_poll_ops *ops, void *owner, socket_poll **poll);

/* Events go to another owner from now on. */
void weir__socket_poll_give(socket_poll *poll, const socket_poll_ops *ops, void *owner);

/* The events to be told of: UV_READABLE, UV_WRITABLE, UV_DISCONNECT; 0: none. */
void weir__socket_poll_want(socket_poll *poll, int events);

/*
 * Shuts the writing side down when the outermost bracket ends; a close before that makes it needless, since closing says
 * the same to the peer. For connections whose other side is over: most of them are closed at once.
 */
void weir__socket_poll_shut_soon(socket_poll *poll);

/* Keep the loop alive (1, the state at first) or not. */
void weir__socket_poll_ref(socket_poll *poll, int on);

/* Closes the descriptor now; `closed` follows, later than the call. */
void weir__socket_poll_close(socket_poll *poll);

#endif
