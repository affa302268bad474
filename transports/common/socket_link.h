/* SPDX-License-Identifier: MIT */
/*
 * The link that tcp and ipc share: one connected stream socket, polled. Reading, try-first writing, half-close, reset,
 * hang-up. A transport adds how an endpoint becomes addresses, how a socket is made for one, and its named facts.
 *
 * What the kernel says, and what is reported (BN-05, BN-06):
 * - recv gives 0: end; unless send returned an error before: then failed with that one, since send takes the socket's
 *   error away and leaves a 0 in its place.
 * - recv gives an error: failed, after all the data before it.
 * - EPOLLERR while reading: it reads on until the 0 or the error comes.
 * - EPOLLERR or EPOLLRDHUP while reading is stopped: hangup, once; nothing is consumed.
 * - send gives an error: written(error), latched; reading goes on.
 */
#ifndef WEIR_SOCKET_LINK_H
#define WEIR_SOCKET_LINK_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <weir/link.h>

#include "socket_options.h"
#include "socket_poll.h"

typedef struct socket_link socket_link;
typedef struct socket_context socket_context;
typedef struct socket_connect socket_connect;

/* What a transport is to the files of this folder. */
typedef struct socket_kind {
    const char *scheme;
    socket_family family;
    const weir_link_ops *ops;
    unsigned attempts : 1;    /* tells of its attempts to connect */
    unsigned descriptors : 1; /* passes descriptors (SOCK-44) */
    unsigned resets : 1;      /* can end with a reset (SOCM-27) */

    /*
     * A non-blocking socket ready to connect to an address: bound, options set. Or an error with the call that failed,
     * and in `*where` the address that call was about.
     */
    int (*make)(const socket_context *context, const socket_settings *settings, const weir_address *to,
                const char **syscall, weir_address *where);

    /* The local end that was asked for, for connecting to an address; family NONE: none was. NULL: never is. */
    void (*local)(const socket_context *context, const weir_address *to, weir_address *local);

    /* A fact of the transport's own: as weir_link_ops get. `fd` is open. */
    int (*fact)(const socket_link *link, int fd, const char *name, weir_value *value);
} socket_kind;

/* The first member of a transport's context. */
struct socket_context {
    const socket_kind *kind;
    socket_settings settings;
};

struct socket_link {
    weir_link link;
    const socket_context *context;
    weir_runtime *runtime;
    socket_poll *poll;       /* the open socket, or NULL */
    socket_connect *connect; /* while not connected yet, or NULL */

    /* the outstanding write: `done` bytes of the first of `count` are sent */
    const struct iovec *bufs;
    size_t count;
    size_t done;
    const int *fds;
    size_t fd_count;

    weir_task later;  /* reports that must not come inside the call that earned them */
    unsigned handles; /* socket_polls that have not closed yet: closed waits for them */
    int broken;       /* the error that send returned */
    int write_status; /* of a write that is done and not reported */
    unsigned reading : 1;
    unsigned ended : 1; /* end was reported */
    unsigned hung_up : 1;
    unsigned over : 1;    /* a reset behind the end would be no news, or was looked for */
    unsigned writing : 1; /* a write is outstanding */
    unsigned written : 1; /* it is done, to be reported */
    unsigned blocked : 1; /* the kernel takes nothing before it is writable again */
    unsigned shut : 1;    /* to be reported */
    unsigned failed : 1;
    unsigned closing : 1;
    unsigned closed : 1; /* reported */
    unsigned unref : 1;
    unsigned interval_set : 1; /* keepAliveInterval, keepAliveCount were set on the live socket */
    unsigned count_set : 1;

    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } remote; /* family AF_UNSPEC: not known, or not an IP address */
};

/* The domain (AF_UNIX ...) of a stream socket, or -1: the descriptor is none. */
int weir__socket_domain(int fd);

/* A link that will connect, of `size` zeroed bytes that begin with a socket_link, or NULL: no memory. */
weir_link *weir__socket_link_new(const socket_context *context, weir_runtime *runtime, size_t size);

/* An open link on a connected, non-blocking socket: 0, or an error with the descriptor still the caller's. */
int weir__socket_link_take(const socket_context *context, weir_runtime *runtime, int fd, const weir_address *remote,
                           weir_link **link);

/*
 * The same on a connected socket that was made elsewhere, which becomes non-blocking and close-on-exec. 0 with `*link`;
 * UV_ENOTCONN (a listening one, too), UV_ENOMEM, or what the system says, with the descriptor as it was.
 */
int weir__socket_link_adopt(const socket_context *context, weir_runtime *runtime, int fd, weir_link **link);

/* Takes a connected socket_poll: opened is reported. For socket_connect.c. */
void weir__socket_link_opened(socket_link *socket, socket_poll *poll, const weir_address *remote);

/* Reports failed, once, and releases the error. */
void weir__socket_link_fail(socket_link *socket, weir_error *error);

/* One of the link's socket_polls was made, or has closed. */
void weir__socket_link_handle(socket_link *socket, int delta);

/* Gives the link's socket_poll up for closing; counted until it has closed. */
void weir__socket_link_drop_poll(socket_link *socket, socket_poll *poll);

/* Tells the poll which events the link's state calls for. */
void weir__socket_link_watch(socket_link *socket);

/* -- operations, for the tables of the transports -- */

void weir__socket_read_start(weir_link *link);
void weir__socket_read_stop(weir_link *link);
ssize_t weir__socket_try_write(weir_link *link, const struct iovec *bufs, size_t count);
int weir__socket_write(weir_link *link, const struct iovec *bufs, size_t count);
int weir__socket_write_fds(weir_link *link, const struct iovec *bufs, size_t count, const int *fds, size_t fd_count);
int weir__socket_shutdown(weir_link *link);
void weir__socket_close(weir_link *link, weir_close_mode mode);
int weir__socket_get(weir_link *link, const char *name, weir_value *value);
int weir__socket_set(weir_link *link, const char *name, const weir_value *value);
void weir__socket_ref(weir_link *link, int on);
void weir__socket_free(weir_link *link);

/* -- socket_transfer.c: bytes in and out -- */

/* Reads and reports within the bounds of one callback. `hung_up`: until 0, EAGAIN or an error. */
void weir__socket_receive(socket_link *socket, int hung_up, int error);

/* Reports failed: reading has met this error. */
void weir__socket_fail_reading(socket_link *socket, int code, const char *syscall);

/* Sends of the outstanding write what goes now: 1 done, 0 blocked, below 0 an error. */
int weir__socket_send(socket_link *socket);

/* One sendmsg of at most IOV_MAX buffers: bytes, or an error. */
ssize_t weir__socket_send_some(int fd, const struct iovec *bufs, size_t count);

#endif
