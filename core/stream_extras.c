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
    stream->extras = NULL;
    weir_buf_release(extras->onread_view);
    weir__free(extras->decoder);
    weir_blocklist_release(extras->block_list);
    weir__free(extras->attempted);
    weir__free(extras);
}
