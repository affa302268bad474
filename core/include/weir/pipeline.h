/* SPDX-License-Identifier: MIT */
/* The end of a stream, and chains of streams that end together: Node's stream.finished and stream.pipeline. */
#ifndef WEIR_PIPELINE_H
#define WEIR_PIPELINE_H

#include <stddef.h>

#include <weir/abort.h>
#include <weir/options.h>
#include <weir/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NULL: it went well. The error is valid during the call. */
typedef void (*weir_finished_callback)(const weir_error *error, void *arg);

/* What to wait for (PIPE-14). Fill with weir_finished_options_init, which asks for both sides. */
typedef struct weir_finished_options {
    size_t size;        /* sizeof(weir_finished_options): see weir/options.h */
    int readable;       /* wait for 'end' */
    int writable;       /* wait for 'finish'; neither of the two: for 'close' */
    weir_abort *signal; /* NULL: none. Fired, the callback gets its error; the stream stays as it is */
} weir_finished_options;

static inline void weir_finished_options_init(weir_finished_options *options)
{
    weir_options_init(options, sizeof(*options));
    options->readable = 1;
    options->writable = 1;
}

typedef struct weir_finished weir_finished;

/*
 * Calls `callback` once, never inside the call, when the stream is over (PIPE-13): without an error after 'end' and
 * 'finish' of the sides that are asked for and open; with the stream's error if it has one; with
 * WEIR_EPREMATURE_CLOSE if it closed before. Also of a stream that is over already. Holds the stream until then; at the
 * runtime's end it closes, even if it was never connected. Its 'error' has been heard by that (EMT-12). `options` may be
 * NULL. `*finished` (where not NULL) is what weir_finished_cancel takes; it goes before the callback is called. 0,
 * UV_EINVAL, UV_ENOMEM, UV_ECANCELED (the runtime has ended).
 */
WEIR_EXPORT int weir_stream_finished(weir_stream *stream, const weir_finished_options *options,
                                     weir_finished_callback callback, void *arg, weir_finished **finished);

/* The callback does not come any more; what listened to the stream and the signal is removed. NULL is let pass. */
WEIR_EXPORT void weir_finished_cancel(weir_finished *finished);

typedef struct weir_pipeline_options {
    size_t size;        /* sizeof(weir_pipeline_options): see weir/options.h */
    int no_end;         /* 1: the last stream is not ended after the end of the one before it */
    weir_abort *signal; /* NULL: none. Fired, all streams are destroyed with its error (PIPE-12) */
} weir_pipeline_options;

/*
 * Pipes each stream to the next, at least two, all of one runtime (PIPE-11); one stream may stand in it twice, as in
 * (client, upstream, client), or (client, client) for an echo. `callback` (may be NULL) is called once, never inside the
 * call, on a tick: without an error when every stream but the last has ended and every one but the first has finished
 * (the last one's 'end' is not waited for; with no_end, not its 'finish' either); or with the first error, or
 * WEIR_EPREMATURE_CLOSE where one closed before, or finished before the one that it gets its data from had ended. Then
 * every stream of the chain is destroyed already, with that error, and their 'error' events have been heard (EMT-12).
 * Streams that are over already count like those that end later. Holds the streams until then. `options` may be NULL. 0;
 * UV_EINVAL (also where any but the last has onread), UV_ENOMEM, UV_EEXIST (two of them are piped already, or would be
 * twice), UV_ECANCELED (the runtime has ended): nothing was done then.
 */
WEIR_EXPORT int weir_pipeline(weir_stream *const *streams, size_t count, const weir_pipeline_options *options,
                              weir_finished_callback callback, void *arg);

#ifdef __cplusplus
}
#endif
#endif
