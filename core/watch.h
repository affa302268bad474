/* SPDX-License-Identifier: MIT */
/* Waiting for the end of a stream's life, or of one of its tracks: what finished and pipeline have in common. */
#ifndef WEIR_CORE_WATCH_H
#define WEIR_CORE_WATCH_H

#include <weir/stream.h>

/* Zero it, set `reading` and `writing` (which tracks are waited for) and `told`. */
typedef struct weir__watch weir__watch;
struct weir__watch {
    weir_stream *stream; /* NULL: over; otherwise it holds a reference */
    const weir_error *error;
    /* After each event of the stream's end has been noted here. It may stop the watch and free it. */
    void (*told)(weir__watch *watch);
    unsigned reading : 1;
    unsigned writing : 1;
    unsigned ended : 1; /* 'end' has come, and so on */
    unsigned finished : 1;
    unsigned closed : 1;
    unsigned listening : 1;
};

/* Notes how the stream stands. */
void weir__watch_begin(weir__watch *watch, weir_stream *stream);

/*
 * Listens for what comes; also to 'error', which has been heard then. The runtime's end closes the stream even if it was
 * never connected. 0, or UV_ENOMEM: it does not listen.
 */
int weir__watch_listen(weir__watch *watch);

/* Lets go of the stream. Again: nothing happens. */
void weir__watch_stop(weir__watch *watch);

/*
 * 1 when what is waited for has come, or cannot come any more: then `*error` is why not, the caller's to release, or NULL.
 * Who waits for no track waits for 'close'.
 */
int weir__watch_over(const weir__watch *watch, const weir_error **error);

#endif
