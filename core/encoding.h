/* SPDX-License-Identifier: MIT */
/*
 * Decoders: bytes that come in pieces become UTF-8 text, or are written in base64 or hex (group ENC). What is cut in
 * two between pieces is held back until the rest is there.
 */
#ifndef WEIR_CORE_ENCODING_H
#define WEIR_CORE_ENCODING_H

#include <stddef.h>

#include <weir/buffer.h>

typedef struct weir__encoding weir__encoding;

#define WEIR__DECODER_HELD 4 /* the longest of what is one to its encoding: four bytes of UTF-8, two units of UTF-16 */

typedef struct weir__decoder {
    const weir__encoding *encoding;
    unsigned char held[WEIR__DECODER_HELD];
    size_t held_size; /* less than would be a whole one, between calls */
} weir__decoder;

/* In any case of letters; NULL is UTF-8. NULL: unknown. */
const weir__encoding *weir__encoding_find(const char *name);

/* The one name of all that it has: "utf8" for "UTF-8". */
const char *weir__encoding_name(const weir__encoding *encoding);

void weir__decoder_begin(weir__decoder *decoder, const weir__encoding *encoding);

/* Forgets what is held back. */
void weir__decoder_forget(weir__decoder *decoder);

/*
 * The text of `bytes` with what was held back before it: `*text` is the caller's to release, and `bytes` itself where
 * they are text as they stand; NULL when not even one character is whole. 0, or UV_ENOMEM with nothing taken.
 */
int weir__decoder_take(weir__decoder *decoder, weir_buf *bytes, weir_buf **text);

/* The same of what is held back when no more comes. */
int weir__decoder_finish(weir__decoder *decoder, weir_buf **text);

#endif
