/* SPDX-License-Identifier: MIT */
/* Pieces of JSON texts: member names with their escapes, lines and columns, JSON pointers. */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>

#include "json_scan.h"
#include "memory.h"

/* Gives the bytes that a string's text means, one at a time, so that names compare without being copied. */
typedef struct {
    const char *at, *end;
    bool plain;
    char pending[4];
    unsigned pending_at, pending_count;
} decoder;

static unsigned hex4(const char *text)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char digit = (unsigned char)text[i];
        value = value << 4 | (digit <= '9' ? digit - 48U : (digit | 0x20U) - 87U);
    }
    return value;
}

static void put_code_point(decoder *reader, unsigned code)
{
    unsigned char *byte = (unsigned char *)reader->pending;
    unsigned count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (unsigned i = count - 1; i > 0; i--) {
        byte[i] = (unsigned char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    byte[0] = (unsigned char)(lead[count] | code);
    reader->pending_at = 0;
    reader->pending_count = count;
}

/* An escape that is wrong has been reported already; here it means its own bytes. */
static int decode_escape(decoder *reader)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (reader->end - reader->at < 2)
        return (unsigned char)*reader->at++;
    char letter = reader->at[1];
    const char *known = letter ? strchr(letters, letter) : NULL;
    if (known) {
        reader->at += 2;
        return (unsigned char)meant[known - letters];
    }
    if (letter != 'u' || reader->end - reader->at < 6)
        return (unsigned char)*reader->at++;
    unsigned code = hex4(reader->at + 2);
    reader->at += 6;
    if (code >= 0xD800 && code < 0xDC00 && reader->end - reader->at >= 6 && reader->at[0] == '\\' &&
        reader->at[1] == 'u') {
        code = 0x10000 + ((code - 0xD800) << 10) + ((hex4(reader->at + 2) - 0xDC00) & 0x3FF);
        reader->at += 6;
    }
    put_code_point(reader, code & 0x1FFFFF);
    return (unsigned char)reader->pending[reader->pending_at++];
}

/* The next byte, or -1 at the end. */
static int next_byte(decoder *reader)
{
    if (reader->pending_at < reader->pending_count)
        return (unsigned char)reader->pending[reader->pending_at++];
    if (reader->at == reader->end)
        return -1;
    if (!reader->plain && *reader->at == '\\')
        return decode_escape(reader);
    return (unsigned char)*reader->at++;
}

int weir__json_compare_names(const char *left, size_t left_length, const char *right, size_t right_length,
                             bool right_is_plain)
{
    decoder a = {.at = left, .end = left + left_length};
    decoder b = {.at = right, .end = right + right_length, .plain = right_is_plain};
    for (;;) {
        int x = next_byte(&a), y = next_byte(&b);
        if (x != y || x < 0)
            return x - y;
    }
}

void weir__json_place(const char *text, size_t offset, unsigned *line, unsigned *column)
{
    const char *start = text, *end = text + offset;
    *line = 1;
    *column = 1;
    for (const char *newline; (newline = memchr(start, '\n', (size_t)(end - start))); start = newline + 1)
        ++*line;
    for (; start < end; start++)
        *column += ((unsigned char)*start & 0xC0) != 0x80;
}

static void pointer_add(weir__pointer *pointer, const char *text, size_t length)
{
    if (pointer->failed)
        return;
    if (pointer->length + length + 1 > pointer->capacity) {
        size_t capacity = (pointer->length + length + 1) * 2;
        char *grown = weir__realloc(pointer->text, capacity);
        if (!grown) {
            pointer->failed = true;
            return;
        }
        pointer->text = grown;
        pointer->capacity = capacity;
    }
    memcpy(pointer->text + pointer->length, text, length);
    pointer->length += length;
    pointer->text[pointer->length] = '\0';
}

void weir__pointer_add_name(weir__pointer *pointer, const char *name, size_t length)
{
    pointer_add(pointer, "/", 1);
    const char *end = name + length;
    while (name < end) {
        const char *stop = name;
        while (stop < end && *stop != '~' && *stop != '/')
            stop++;
        pointer_add(pointer, name, (size_t)(stop - name));
        if (stop < end)
            pointer_add(pointer, *stop == '~' ? "~0" : "~1", 2);
        name = stop < end ? stop + 1 : end;
    }
}

void weir__pointer_add_index(weir__pointer *pointer, size_t index)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%zu", index);
    weir__pointer_add_name(pointer, digits, strlen(digits));
}
