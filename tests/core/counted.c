/* SPDX-License-Identifier: MIT */
/* Listeners and callbacks that count. */
#include "counted.h"

void counted_event(const weir_event *event, void *arg)
{
    counted *noted = arg;
    noted->calls++;
    if (event->error != NULL) {
        noted->status = event->error->code;
    }
}

void counted_callback(weir_stream *stream, int status, void *arg)
{
    counted *noted = arg;
    (void)stream;
    noted->calls++;
    noted->status = status;
}
