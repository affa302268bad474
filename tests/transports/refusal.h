/* SPDX-License-Identifier: MIT */
/* What a server tells that cannot listen. */
#ifndef WEIR_TEST_REFUSAL_H
#define WEIR_TEST_REFUSAL_H

#include <stdio.h>

#include "fixture.h"

/* Why a server does not listen. */
typedef struct refusal {
    int done;
    int code;
    char syscall[32];
    char message[1024];
} refusal;

static inline void refusal_on_error(const weir_event *event, void *arg)
{
    refusal *refused = arg;

    refused->done = 1;
    refused->code = event->error->code;
    snprintf(refused->syscall, sizeof(refused->syscall), "%s", event->error->syscall);
    snprintf(refused->message, sizeof(refused->message), "%s", event->error->message);
}

#endif
