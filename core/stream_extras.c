/* SPDX-License-Identifier: MIT */
/* What few streams have: settings that an idle connection must not pay for. */
#include "memory.h"
#include "stream_private.h"

weir__extras *weir__stream_extras(weir_stream *stream)
{
    if (stream->extras == NULL) {
        stream->extras = weir__calloc(1, sizeof(*stream->extras));
    }
    return stream->extras;
}

int weir__stream_keep_block_list(weir_stream *stream, weir_blocklist *list)
{
    if (list == NULL && stream->extras == NULL) {
        return 0;
    }
    weir__extras *extras = weir__stream_extras(stream);
    if (extras == NULL) {
        return UV_ENOMEM;
    }
    weir_blocklist *before = extras->block_list;
    extras->block_list = weir_blocklist_retain(list);
    weir_blocklist_release(before);
    return 0;
}

void weir__stream_free_extras(weir_stream *stream)
{
    weir__extras *extras = stream->extras;
    if (extras == NULL) {
        return;
    }
    weir__stream_leave_signal(stream);
    stream->extras = NULL;
    weir_buf_release(extras->onread_view);
    weir__free(extras->decoder);
    weir_blocklist_release(extras->block_list);
    weir_abort_release(extras->signal);
    weir__free(extras->attempted);
    weir__free(extras->peer);
    weir__free(extras);
}

int weir__stream_take_signal(weir_stream *stream, const weir_stream_options *options)
{
    if (options->signal == NULL) {
        return 0;
    }
    weir__extras *extras = weir__stream_extras(stream);
    if (extras == NULL) {
        return UV_ENOMEM;
    }
    extras->signal = weir_abort_retain(options->signal);
    return 0;
}

/* ---- the signal ---- */

static void on_abort(weir_abort *signal, void *arg)
{
    weir_stream_destroy(arg, weir_abort_error(signal));
}

int weir__stream_is_aborted(const weir_stream *stream)
{
    return stream->extras != NULL && weir_abort_fired(stream->extras->signal);
}

void weir__stream_heed_signal(weir_stream *stream)
{
    weir__extras *extras = stream->extras;
    if (extras == NULL || extras->signal == NULL || weir__stream_is_destroyed(stream)) {
        return;
    }
    if (weir_abort_fired(extras->signal)) {
        weir_stream_destroy(stream, weir_abort_error(extras->signal));
    } else if (extras->abort_wait.signal == NULL) { /* a stream that is connected waits since it was made */
        extras->abort_wait.run = on_abort;
        extras->abort_wait.arg = stream;
        weir__abort_join(extras->signal, &extras->abort_wait);
    }
}

void weir__stream_leave_signal(weir_stream *stream)
{
    if (stream->extras != NULL) {
        weir__abort_leave(&stream->extras->abort_wait);
    }
}
