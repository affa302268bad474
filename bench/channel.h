/* SPDX-License-Identifier: MIT */
/* What the load generator sends and receives over: bench_load is linked with channel_plain.c, bench_tls_load with
 * channel_tls.c. */
#ifndef WEIR_BENCH_CHANNEL_H
#define WEIR_BENCH_CHANNEL_H

#include <stdbool.h>
#include <sys/types.h>

struct channel {
    int fd;    /* connected; the channel's from channel_begin on */
    bool open; /* bytes may be sent */
    bool more; /* receive has something left that epoll does not know of */
    void *tls;
};

enum { CHANNEL_AGAIN = -1, CHANNEL_FAILED = -2 };

/* Once, before all others. `resume`: connections come back with the session of the first one, and all have to be taken
 * back by it from the end of the warming up on. 0, or -1 after saying why. */
int channel_prepare(bool resume);

/* Begins to open it: 0, or -1 after saying why. */
int channel_begin(struct channel *channel);

/* Goes on with that when the descriptor is readable: 0, or -1 after saying why. */
int channel_go_on(struct channel *channel);

/* How many bytes were taken, CHANNEL_AGAIN, or CHANNEL_FAILED after saying why. */
ssize_t channel_send(struct channel *channel, const void *bytes, size_t size);

/* How many bytes came, 0 at the end, CHANNEL_AGAIN, or CHANNEL_FAILED after saying why. */
ssize_t channel_receive(struct channel *channel, void *bytes, size_t size);

/* Nothing more will be sent: 0, or -1 after saying why. */
int channel_end(struct channel *channel);

void channel_close(struct channel *channel);

#endif
