/* SPDX-License-Identifier: MIT */
/* What a stream gives as text is turned back into the bytes it was made of, however the text is cut. */
#include <string.h>

#include "content.h"

static const char *const names[] = {NULL, "hex", "base64", "latin1"};

const char *text_name(text_kind kind)
{
    return names[kind];
}

void decoder_begin(decoder *self, text_kind kind)
{
    *self = (decoder){.kind = kind};
}

static int digit(const char *digits, char letter)
{
    const char *at = letter ? strchr(digits, letter) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Two digits are a byte. */
static int take_hex(decoder *self, char letter, char *byte)
{
    int value = digit("0123456789abcdef", letter);
    if (value < 0)
        return -1;
    self->bits = self->bits << 4 | (unsigned)value;
    *byte = (char)self->bits;
    self->count = !self->count;
    return !self->count;
}

/* Each letter is six bits; behind the last are as many '=' as are missing to four letters. */
static int take_base64(decoder *self, char letter, char *byte)
{
    int value = digit("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", letter);
    if (letter == '=')
        return ++self->padding * 2 <= self->count && self->count < 6 ? 0 : -1;
    if (value < 0 || self->padding)
        return -1;
    self->bits = self->bits << 6 | (unsigned)value;
    self->count += 6;
    if (self->count < 8)
        return 0;
    self->count -= 8;
    *byte = (char)(self->bits >> self->count);
    return 1;
}

/* UTF-8 of the first 256 characters. */
static int take_latin1(decoder *self, char letter, char *byte)
{
    unsigned value = (unsigned char)letter;
    if (self->count) {
        *byte = (char)(self->bits << 6 | (value & 0x3f));
        self->count = 0;
        return (value & 0xc0) == 0x80 ? 1 : -1;
    }
    if (value == 0xc2 || value == 0xc3) {
        self->bits = value & 3;
        self->count = 1;
        return 0;
    }
    *byte = letter;
    return value < 0x80 ? 1 : -1;
}

int decoder_take(decoder *self, const char *letters, size_t size, char *bytes, size_t *taken)
{
    static int (*const takes[])(decoder * self, char letter, char *byte) = {NULL, take_hex, take_base64, take_latin1};
    *taken = 0;
    for (size_t i = 0; i < size; i++) {
        char byte = 0;
        int got = takes[self->kind](self, letters[i], &byte);
        if (got < 0)
            return -1;
        if (got)
            bytes[(*taken)++] = byte;
    }
    return 0;
}

int decoder_is_whole(const decoder *self)
{
    return self->count == self->padding * 2;
}
