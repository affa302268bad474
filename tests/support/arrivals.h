/* SPDX-License-Identifier: MIT */
/*
 * What was sent to this host itself has arrived. The kernel puts such packets into queues of its processors, and nearly
 * always has emptied them when the call that sent them returns; but when it has much to do they may stay there for
 * milliseconds. Datagrams of our own take their places behind them: when these have come, the others have too.
 */
#ifndef WEIR_TEST_ARRIVALS_H
#define WEIR_TEST_ARRIVALS_H

#include <stdint.h>

#define ARRIVALS_WAYS 4 /* which queue a packet goes into may depend on its ports */

typedef struct arrivals {
    int fds[ARRIVALS_WAYS];  /* each sends to itself; -1: it cannot */
    int lost[ARRIVALS_WAYS]; /* nothing comes on it any more */
    uint32_t last;
} arrivals;

void arrivals_open(arrivals *self);
void arrivals_wait(arrivals *self);
void arrivals_close(arrivals *self);

#endif
