/* SPDX-License-Identifier: MIT */
/*
 * A stream's encoding: bytes become text before they reach the read buffer or a listener, so that all behind that point
 * (sizes, marks, pipes, unshift) deals with text only.
 */
#include "encoding.h"
#include "memory.h"
#include "stream_private.h"

int weir__stream_decode(const weir_stream *stream, weir_buf *bytes, weir_buf **text)
{
    return weir__decoder_take(stream->extras->decoder, bytes, text);
}

int weir__stream_decode_end(const weir_stream *stream, weir_buf **text)
{
    return weir__decoder_finish(stream->extras->decoder, text);
}

/* Puts what a decoder made behind the buffer; NULL: it made nothing. */
static int put_text(weir_stream *stream, weir_buf *text)
{
    int status = text == NULL ? 0 : weir__input_put(stream, text, 0);
    if (status != 0) {
        weir_buf_release(text);
    }
    return status;
}

static int decode_chunk(weir_stream *stream, weir__decoder *decoder, const weir__chunk *chunk)
{
    weir_buf *text;
    weir_buf *rest = weir_buf_slice(chunk->buf, chunk->offset, chunk->buf->size - chunk->offset);
    if (rest == NULL) {
        return UV_ENOMEM;
    }
    int status = weir__decoder_take(decoder, rest, &text);
    weir_buf_release(rest);
    return status != 0 ? status : put_text(stream, text);
}

static int decode_chunks(weir_stream *stream, weir__decoder *decoder, const weir__chunk *first)
{
    weir_buf *text;
    for (const weir__chunk *chunk = first; chunk != NULL; chunk = chunk->next) {
        int status = decode_chunk(stream, decoder, chunk);
        if (status != 0) {
            return status;
        }
    }
    if (!stream->eof) {
        return 0;
    }
    int status = weir__decoder_finish(decoder, &text); /* no more bytes will come to bring it out */
    return status != 0 ? status : put_text(stream, text);
}

typedef struct contents {
    weir__chunk *chunks;
    weir__chunk *last_chunk;
    size_t readable_length;
} contents;

static contents take_contents(weir_stream *stream)
{
    contents taken = {stream->chunks, stream->last_chunk, stream->readable_length};
    stream->chunks = NULL;
    stream->last_chunk = NULL;
    stream->readable_length = 0;
    return taken;
}

static void drop_and_set_contents(weir_stream *stream, contents set)
{
    weir__stream_drop_input(stream);
    stream->chunks = set.chunks;
    stream->last_chunk = set.last_chunk;
    stream->readable_length = set.readable_length;
}

/* Row ENC-13: what is in the buffer becomes text. 0, or UV_ENOMEM with the buffer as it was. */
static int decode_buffer(weir_stream *stream, weir__decoder *decoder)
{
    contents bytes = take_contents(stream);
    int status = decode_chunks(stream, decoder, bytes.chunks);
    if (status != 0) {
        drop_and_set_contents(stream, bytes);
        return status;
    }
    contents text = take_contents(stream);
    drop_and_set_contents(stream, bytes);
    drop_and_set_contents(stream, text);
    return 0;
}

static int begin(weir_stream *stream, weir__extras *extras, const weir__encoding *encoding)
{
    weir__decoder *decoder = weir__malloc(sizeof(*decoder));
    if (decoder == NULL) {
        return UV_ENOMEM;
    }
    weir__decoder_begin(decoder, encoding);
    int status = decode_buffer(stream, decoder);
    if (status != 0) {
        weir__free(decoder);
        return status;
    }
    extras->decoder = decoder;
    return 0;
}

/* What is text stays text; what the old decoder holds is no text yet, and becomes that of the new one. */
static int change(weir_stream *stream, weir__decoder *decoder, const weir__encoding *encoding)
{
    weir__decoder next;
    weir_buf *text = NULL;
    weir__decoder_begin(&next, encoding);
    if (decoder->held_size > 0) {
        weir_buf *held = weir_buf_copy(decoder->held, decoder->held_size);
        int status = held == NULL ? UV_ENOMEM : weir__decoder_take(&next, held, &text);
        weir_buf_release(held);
        if (status == 0) {
            status = put_text(stream, text);
        }
        if (status != 0) {
            return status;
        }
    }
    *decoder = next;
    return 0;
}

int weir_stream_set_encoding(weir_stream *stream, const char *name)
{
    if (stream == NULL) {
        return UV_EINVAL;
    }
    const weir__encoding *encoding = weir__encoding_find(name);
    if (encoding == NULL) {
        return WEIR_EUNKNOWN_ENCODING;
    }
    if (stream->onread) {
        return WEIR_EINVALIDARGVALUE;
    }
    weir__extras *extras = weir__stream_extras(stream);
    if (extras == NULL) {
        return UV_ENOMEM;
    }
    int status = extras->decoder != NULL ? change(stream, extras->decoder, encoding) : begin(stream, extras, encoding);
    if (status == 0) {
        weir__stream_input_changed(stream);
    }
    return status;
}

const char *weir_stream_encoding(const weir_stream *stream)
{
    return weir__stream_gives_text(stream) ? weir__encoding_name(stream->extras->decoder->encoding) : NULL;
}
