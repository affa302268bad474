/* SPDX-License-Identifier: MIT */
/* Flows and their readers; and what is given as text, turned back into the bytes it was made of. */
#include "content.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char magic[8] = {0xc5, 'w', 'e', 'i', 'r', 0x9a, 's', 0x01};

static _Thread_local char fault[256];

flow *flow_new(flow_book *book)
{
    flow *made = calloc(1, sizeof(*made));
    if (made && book->count == book->capacity) {
        book->capacity = book->capacity * 2 + 64;
        book->flows = realloc(book->flows, book->capacity * sizeof(flow *));
    }
    if (!made || !book->flows)
        abort();
    made->number = book->first + book->count;
    book->flows[book->count++] = made;
    return made;
}

void flow_book_clear(flow_book *book)
{
    for (size_t i = 0; i < book->count; i++)
        free(book->flows[i]);
    free(book->flows);
    *book = (flow_book){.first = book->first + book->count};
}

void flow_header(const flow *self, unsigned char *header)
{
    memcpy(header, magic, sizeof(magic));
    for (size_t i = 0; i < 8; i++)
        header[8 + i] = (unsigned char)(self->number >> (8 * i));
}

static flow *find(const flow_book *book, const unsigned char *header)
{
    uint64_t number = 0;
    if (memcmp(header, magic, sizeof(magic)) != 0)
        return NULL;
    for (size_t i = 0; i < 8; i++)
        number |= (uint64_t)header[8 + i] << (8 * i);
    return number >= book->first && number - book->first < book->count ? book->flows[number - book->first] : NULL;
}

static unsigned char byte_at(const flow *self, uint64_t position)
{
    return (unsigned char)(position * 167 + (position >> 8) * 13 + (position >> 16) * 7 + self->number * 31);
}

void flow_fill(const flow *self, uint64_t position, void *bytes, size_t size)
{
    unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        at[i] = byte_at(self, position + i);
}

/* ---- reading ---- */

void reader_begin(reader *self, const flow_book *book, int secure)
{
    *self = (reader){.book = book, .secure = secure};
}

static flow *innermost(const reader *self)
{
    return self->depth ? self->flows[self->depth - 1] : NULL;
}

/* What somebody has mixed with other bytes is not followed. */
static int is_lost(reader *self)
{
    for (int i = 0; i < self->depth; i++) {
        if (self->flows[i]->kind == FLOW_OPAQUE)
            self->lost = 1;
    }
    return self->lost;
}

static const char *take_header(reader *self, const unsigned char *bytes, size_t size, size_t *used)
{
    *used = FLOW_HEADER - self->header_size < size ? FLOW_HEADER - self->header_size : size;
    memcpy(self->header + self->header_size, bytes, *used);
    self->header_size += (unsigned)*used;
    if (self->header_size < FLOW_HEADER)
        return NULL;
    flow *found = find(self->book, self->header);
    self->header_size = 0;
    if (!found) {
        snprintf(fault, sizeof(fault), "byte %" PRIu64 ": here a flow should begin (the %dth in another)",
                 self->received - FLOW_HEADER, self->depth);
        return fault;
    }
    if (self->depth == FLOWS_DEEP)
        self->lost = 1;
    else
        self->flows[self->depth++] = found;
    self->position = 0;
    return NULL;
}

static const char *take_pattern(reader *self, const unsigned char *bytes, size_t size)
{
    const flow *from = innermost(self);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == byte_at(from, self->position + i))
            continue;
        snprintf(fault, sizeof(fault), "byte %" PRIu64 " of flow %" PRIu64 " is %02x and not %02x", self->position + i,
                 from->number, bytes[i], byte_at(from, self->position + i));
        return fault;
    }
    self->position += size;
    if (self->position + FLOW_HEADER <= from->written)
        return NULL;
    snprintf(fault, sizeof(fault), "%" PRIu64 " bytes of flow %" PRIu64 " came, of which %" PRIu64 " were written",
             self->position + FLOW_HEADER, from->number, from->written);
    return fault;
}

const char *reader_take(reader *self, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    const char *found = NULL;
    while (size > 0 && !found && !is_lost(self)) {
        const flow *from = innermost(self);
        size_t used = size;
        self->received += size;
        if (!from || from->kind == FLOW_NESTED) {
            found = take_header(self, at, size, &used);
            self->received -= size - used;
        } else {
            found = take_pattern(self, at, size);
        }
        at += used;
        size -= used;
    }
    self->received += size;
    return found;
}

size_t reader_may_return(const reader *self)
{
    const flow *from = innermost(self);
    return from && from->kind == FLOW_PATTERN && !self->lost && self->position <= SIZE_MAX ? (size_t)self->position : 0;
}

void reader_return(reader *self, void *bytes, size_t size)
{
    self->position -= size;
    self->received -= size;
    flow_fill(innermost(self), self->position, bytes, size);
}

int reader_settled(const reader *self)
{
    for (int i = 0; i < self->depth; i++) {
        if (!self->flows[i]->over)
            return 0;
    }
    return 1;
}

/* What the end says of the outermost flow, whose writer is at the other end. */
static const char *judge_end(const reader *self)
{
    const flow *from = self->flows[0];
    if (self->truncated && from->finished && !from->reset)
        snprintf(fault, sizeof(fault), "flow %" PRIu64 " is said to be cut short, and it was finished", from->number);
    else if (self->ended && from->reset)
        snprintf(fault, sizeof(fault), "an 'end' came of flow %" PRIu64 ", which was reset before its end",
                 from->number);
    else if (self->ended && self->secure && !from->ended)
        snprintf(fault, sizeof(fault), "an 'end' came of flow %" PRIu64 ", which its writer never ended", from->number);
    else
        return NULL;
    return fault;
}

/* Is all of it to be there? Over TLS an end says so; otherwise only its writer knows. */
static int must_be_whole(const reader *self)
{
    const flow *from = innermost(self);
    for (int i = 0; i < self->depth; i++) {
        const flow *each = self->flows[i];
        if (each->kind == FLOW_OPAQUE || each->cut || (!each->finished && !(i == 0 && self->secure)))
            return 0;
    }
    return !self->lost && from->kind == FLOW_PATTERN;
}

/* What a pipe passes on has lost its descriptors. */
static const char *judge_fds(const reader *self, int whole)
{
    const flow *from = self->flows[0];
    if (self->fds <= from->fds && (!whole || !self->takes_fds || self->fds == from->fds))
        return NULL;
    snprintf(fault, sizeof(fault), "%" PRIu64 " descriptors came of flow %" PRIu64 ", with which %" PRIu64 " went",
             self->fds, from->number, from->fds);
    return fault;
}

/* A header that is there in part says nothing of whose it is. */
const char *reader_judge(const reader *self, int *whole)
{
    const flow *from = innermost(self);
    *whole = 0;
    if (!from)
        return NULL;
    const char *found = judge_end(self);
    if (!found)
        found = judge_fds(self, 0);
    if (found || !self->ended || !must_be_whole(self))
        return found;
    *whole = self->position + FLOW_HEADER == from->written;
    if (*whole)
        return judge_fds(self, 1);
    snprintf(fault, sizeof(fault), "flow %" PRIu64 " ended with %" PRIu64 " of its %" PRIu64 " bytes", from->number,
             self->position + FLOW_HEADER, from->written);
    return fault;
}

/* ---- text ---- */

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
