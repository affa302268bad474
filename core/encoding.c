/* SPDX-License-Identifier: MIT */
/*
 * Decoders, one row of a table each. A decoder's function runs twice over its input: first it only counts, so that the
 * text gets a buffer of exactly its size however strange the bytes are, then it writes.
 */
#include <stdint.h>
#include <string.h>

#include <uv.h>

#include "encoding.h"

/* Where text goes; `data` NULL: it is only counted. */
typedef struct sink {
    char *data;
    size_t size;
} sink;

typedef struct weir__encoding {
    const char *names[4]; /* the first is the name, the others are aliases */

    void (*decode)(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text);

    /* What is held when no more comes. NULL: nothing comes of it. */
    void (*finish)(weir__decoder *decoder, sink *text);

    /* How many bytes from the first on are their own text. NULL: none. */
    size_t (*plain)(const unsigned char *bytes, size_t size);
} weir__encoding;

static void put(sink *text, const void *bytes, size_t size)
{
    if (text->data != NULL) {
        memcpy(text->data + text->size, bytes, size);
    }
    text->size += size;
}

static void put_replacement(sink *text)
{
    put(text, "\xef\xbf\xbd", 3); /* U+FFFD */
}

/* `point` is no surrogate. */
static void put_point(sink *text, uint32_t point)
{
    unsigned char bytes[4];
    if (point < 0x80) {
        bytes[0] = (unsigned char)point;
        put(text, bytes, 1);
    } else if (point < 0x800) {
        bytes[0] = (unsigned char)(0xc0 | point >> 6);
        bytes[1] = (unsigned char)(0x80 | (point & 0x3f));
        put(text, bytes, 2);
    } else if (point < 0x10000) {
        bytes[0] = (unsigned char)(0xe0 | point >> 12);
        bytes[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
        bytes[2] = (unsigned char)(0x80 | (point & 0x3f));
        put(text, bytes, 3);
    } else {
        bytes[0] = (unsigned char)(0xf0 | point >> 18);
        bytes[1] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
        bytes[2] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
        bytes[3] = (unsigned char)(0x80 | (point & 0x3f));
        put(text, bytes, 4);
    }
}

/* ---- one byte, one character ---- */

static size_t ascii_run(const unsigned char *bytes, size_t size)
{
    size_t run = 0;
    uint64_t eight;
    for (; size - run >= sizeof(eight); run += sizeof(eight)) {
        memcpy(&eight, bytes + run, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    while (run < size && bytes[run] < 0x80) {
        run++;
    }
    return run;
}

static void decode_ascii(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text)
{
    (void)decoder;
    for (size_t i = 0; i < size; i++) {
        unsigned char low = bytes[i] & 0x7f;
        put(text, &low, 1);
    }
}

static void decode_latin1(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text)
{
    (void)decoder;
    for (size_t i = 0; i < size; i++) {
        put_point(text, bytes[i]);
    }
}

/* ---- UTF-8 ---- */

/* How long the sequence is that this byte begins; 0: no sequence begins so. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* May `next` stand at `place` (1 to 3) of a sequence that begins with `first`? No overlong form, no surrogate. */
static int utf8_continues(unsigned char first, size_t place, unsigned char next)
{
    unsigned char least = 0x80;
    unsigned char most = 0xbf;
    if (place == 1) {
        least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    }
    return next >= least && next <= most;
}

/* How many bytes from the first on are whole and valid sequences. */
static size_t utf8_run(const unsigned char *bytes, size_t size)
{
    size_t run = 0;
    for (;;) {
        run += ascii_run(bytes + run, size - run);
        size_t length = run < size ? utf8_length(bytes[run]) : 0;
        if (length == 0 || length > size - run) {
            return run;
        }
        for (size_t place = 1; place < length; place++) {
            if (!utf8_continues(bytes[run], place, bytes[run + place])) {
                return run;
            }
        }
        run += length;
    }
}

/*
 * What cannot become a sequence any more is one U+FFFD up to the byte that shows it, which begins anew: the maximal
 * subparts of WHATWG's decoder (ENC-03).
 */
static void utf8_byte(weir__decoder *decoder, unsigned char byte, sink *text)
{
    unsigned char *held = decoder->held;
    if (decoder->held_size > 0 && !utf8_continues(held[0], decoder->held_size, byte)) {
        decoder->held_size = 0;
        put_replacement(text);
    }
    if (decoder->held_size == 0 && utf8_length(byte) == 0) {
        put_replacement(text);
        return;
    }
    held[decoder->held_size++] = byte;
    if (decoder->held_size == utf8_length(held[0])) {
        put(text, held, decoder->held_size);
        decoder->held_size = 0;
    }
}

static void decode_utf8(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text)
{
    for (size_t i = 0; i < size; i++) {
        if (decoder->held_size == 0) {
            size_t run = utf8_run(bytes + i, size - i);
            put(text, bytes + i, run);
            i += run;
            if (i == size) {
                return;
            }
        }
        utf8_byte(decoder, bytes[i], text);
    }
}

static void finish_utf8(weir__decoder *decoder, sink *text)
{
    if (decoder->held_size > 0) {
        put_replacement(text);
    }
}

/* ---- UTF-16, the lower byte first ---- */

static int is_lead(uint32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static int is_trail(uint32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static uint32_t unit_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

/* Two bytes are held: a lead stays and waits for its partner. */
static void utf16_unit(weir__decoder *decoder, sink *text)
{
    uint32_t unit = unit_at(decoder->held);
    if (is_lead(unit)) {
        return;
    }
    decoder->held_size = 0;
    if (is_trail(unit)) {
        put_replacement(text);
    } else {
        put_point(text, unit);
    }
}

/* Four bytes are held, a lead and what came behind it. */
static void utf16_pair(weir__decoder *decoder, sink *text)
{
    uint32_t lead = unit_at(decoder->held);
    uint32_t next = unit_at(decoder->held + 2);
    if (is_trail(next)) {
        decoder->held_size = 0;
        put_point(text, 0x10000 + ((lead - 0xd800) << 10) + (next - 0xdc00));
        return;
    }
    put_replacement(text);
    memcpy(decoder->held, decoder->held + 2, 2);
    decoder->held_size = 2;
    utf16_unit(decoder, text);
}

static void decode_utf16(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text)
{
    for (size_t i = 0; i < size; i++) {
        decoder->held[decoder->held_size++] = bytes[i];
        if (decoder->held_size == 2) {
            utf16_unit(decoder, text);
        } else if (decoder->held_size == 4) {
            utf16_pair(decoder, text);
        }
    }
}

/* A lead without its partner; half a unit is nothing (ENC-10). */
static void finish_utf16(weir__decoder *decoder, sink *text)
{
    if (decoder->held_size >= 2) {
        put_replacement(text);
    }
}

/* ---- bytes written as digits ---- */

static const char standard_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The digits of up to three bytes, one more than there are bytes. */
static void put_base64(sink *text, const unsigned char *bytes, size_t count, const char *digits)
{
    uint32_t group = 0;
    char four[4];
    for (size_t i = 0; i < 3; i++) {
        group = group << 8 | (i < count ? bytes[i] : 0u);
    }
    for (size_t i = 0; i < 4; i++) {
        four[i] = digits[group >> (18 - 6 * i) & 0x3f];
    }
    put(text, four, count + 1);
}

static void decode_groups(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text,
                          const char *digits)
{
    for (size_t i = 0; i < size; i++) {
        decoder->held[decoder->held_size++] = bytes[i];
        if (decoder->held_size == 3) {
            put_base64(text, decoder->held, 3, digits);
            decoder->held_size = 0;
        }
    }
}

static void decode_base64(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text)
{
    decode_groups(decoder, bytes, size, text, standard_digits);
}

static void decode_base64url(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text)
{
    decode_groups(decoder, bytes, size, text, url_digits);
}

static void finish_base64(weir__decoder *decoder, sink *text)
{
    if (decoder->held_size > 0) {
        put_base64(text, decoder->held, decoder->held_size, standard_digits);
        put(text, "==", 3 - decoder->held_size);
    }
}

static void finish_base64url(weir__decoder *decoder, sink *text)
{
    if (decoder->held_size > 0) {
        put_base64(text, decoder->held, decoder->held_size, url_digits);
    }
}

static void decode_hex(weir__decoder *decoder, const unsigned char *bytes, size_t size, sink *text)
{
    static const char digits[] = "0123456789abcdef";
    (void)decoder;
    for (size_t i = 0; i < size; i++) {
        char two[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 0xf]};
        put(text, two, sizeof(two));
    }
}

/* ---- the table ---- */

static const weir__encoding encodings[] = {
    {{"utf8", "utf-8"}, decode_utf8, finish_utf8, utf8_run},
    {{"ascii"}, decode_ascii, NULL, ascii_run},
    {{"latin1", "binary"}, decode_latin1, NULL, ascii_run},
    {{"utf16le", "utf-16le", "ucs2", "ucs-2"}, decode_utf16, finish_utf16, NULL},
    {{"base64"}, decode_base64, finish_base64, NULL},
    {{"base64url"}, decode_base64url, finish_base64url, NULL},
    {{"hex"}, decode_hex, NULL, NULL},
};

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* In any case of letters, whatever the locale makes of them. */
static int is_same(const char *name, const char *other)
{
    while (*name != 0 && lower(*name) == lower(*other)) {
        name++;
        other++;
    }
    return *name == *other;
}

static int has_name(const weir__encoding *encoding, const char *name)
{
    for (size_t i = 0; i < sizeof(encoding->names) / sizeof(encoding->names[0]); i++) {
        if (encoding->names[i] != NULL && is_same(encoding->names[i], name)) {
            return 1;
        }
    }
    return 0;
}

const weir__encoding *weir__encoding_find(const char *name)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        if (name == NULL || has_name(&encodings[i], name)) {
            return &encodings[i];
        }
    }
    return NULL;
}

const char *weir__encoding_name(const weir__encoding *encoding)
{
    return encoding->names[0];
}

/* ---- decoding ---- */

void weir__decoder_begin(weir__decoder *decoder, const weir__encoding *encoding)
{
    decoder->encoding = encoding;
    decoder->held_size = 0;
}

void weir__decoder_forget(weir__decoder *decoder)
{
    decoder->held_size = 0;
}

int weir__decoder_take(weir__decoder *decoder, weir_buf *bytes, weir_buf **text)
{
    const weir__encoding *encoding = decoder->encoding;
    const unsigned char *data = (const unsigned char *)bytes->data;
    weir__decoder trial = *decoder;
    sink written = {.data = NULL};
    *text = NULL;
    if (decoder->held_size == 0 && bytes->size > 0 && encoding->plain != NULL &&
        encoding->plain(data, bytes->size) == bytes->size) {
        *text = weir_buf_retain(bytes);
        return 0;
    }
    encoding->decode(&trial, data, bytes->size, &written);
    if (written.size > 0) {
        *text = weir_buf_new(written.size);
        if (*text == NULL) {
            return UV_ENOMEM;
        }
        trial = *decoder;
        written = (sink){.data = (*text)->data};
        encoding->decode(&trial, data, bytes->size, &written);
    }
    *decoder = trial;
    return 0;
}

int weir__decoder_finish(weir__decoder *decoder, weir_buf **text)
{
    char rest[WEIR__DECODER_HELD];
    sink written = {.data = rest};
    *text = NULL;
    if (decoder->encoding->finish != NULL) {
        decoder->encoding->finish(decoder, &written);
    }
    if (written.size > 0) {
        *text = weir_buf_copy(rest, written.size);
        if (*text == NULL) {
            return UV_ENOMEM;
        }
    }
    decoder->held_size = 0;
    return 0;
}
