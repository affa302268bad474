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

void weir__stream_free_extras(weir_stream *stream)
{
    weir__extras *extras = stream->extras;
    if (extras == NULL) {
        return;
    }
    stream->extras = NULL;
    weir_buf_release(extras->onread_view);
    weir__free(extras->decoder);
    weir__free(extras->attempted);
    weir__free(extras);
}
