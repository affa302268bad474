/* SPDX-License-Identifier: MIT */
/*
 * The acceptor that tcp and ipc share: a listening socket, polled. It takes a bounded number of arrivals a turn, leaves
 * them in the kernel's queue while it is told to, and keeps one descriptor in reserve: when the process or the system
 * has none left, it sheds one connection by it, tells so, and lets go of the queue for a while (BN-08).
 */
#ifndef WEIR_SOCKET_LISTENER_H
#define WEIR_SOCKET_LISTENER_H

#include <weir/transport.h>

#include "socket_link.h"

typedef struct socket_listener socket_listener;

struct socket_listener {
    weir_acceptor acceptor;
    const socket_context *context;
    weir_runtime *runtime;
    socket_poll *poll;                                      /* the listening socket, or NULL */
    weir_timer pause;                                       /* while descriptors are short */
    weir_task later;                                        /* closed, where there is no poll to wait for */
    uint64_t told_at;                                       /* when the last drop was told, by the loop's clock */
    unsigned delay;                                         /* ms, of the next pause */
    int reserve;                                            /* a descriptor of no use but to be closed; -1: none */
    int (*admits)(const socket_listener *listener, int fd); /* NULL: everybody; a transport sets it */
    unsigned accepting : 1;
    unsigned paused : 1;
    unsigned told : 1;
    unsigned closing : 1;
    unsigned unref : 1;
};

/* Of zeroed memory, makes a listener that does not listen. */
void weir__socket_listener_init(socket_listener *listener, const socket_context *context, weir_runtime *runtime);

/*
 * Listens on a bound socket, which then is the listener's, and reports listening. 0; below 0: nothing was done, the
 * descriptor is the caller's, and `*syscall` says what was refused.
 */
int weir__socket_listener_start(socket_listener *listener, int fd, int backlog, const char **syscall);

/*
 * Makes a descriptor from elsewhere fit to be listened on: non-blocking, close-on-exec. 0, or UV_EINVAL: it is no
 * stream socket of one of the two domains (SRV-46); it is left open then.
 */
int weir__socket_listener_adopt(int fd, int domain, int other_domain);

/* Reports failed, and releases the error. */
void weir__socket_listener_fail(socket_listener *listener, weir_error *error);

/* -- for the tables of the transports -- */

void weir__socket_listener_accepting(weir_acceptor *acceptor, int on);
int weir__socket_listener_address(const weir_acceptor *acceptor, weir_address *address);
int weir__socket_listener_export(const weir_acceptor *acceptor);
weir_link *weir__socket_listener_accept(weir_acceptor *acceptor, const weir_arrival *arrival);
void weir__socket_listener_ref(weir_acceptor *acceptor, int on);
void weir__socket_listener_close(weir_acceptor *acceptor);
void weir__socket_listener_free(weir_acceptor *acceptor);

#endif
