/* SPDX-License-Identifier: MIT */
/* The wording of faults: messages of bounded size, quoted values, and the nearest known name. */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "faults.h"

#define QUOTED_MOST 60 /* characters of a value that a message shows */
#define NAME_MOST   48 /* longer words are not compared: nobody mistypes those */

size_t weir__utf8_sequence(const char *text, size_t length)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (length == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    size_t size = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || length < size)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if ((byte[0] == 0xE0 && byte[1] < 0xA0) || (byte[0] == 0xED && byte[1] > 0x9F) ||
        (byte[0] == 0xF0 && byte[1] < 0x90) || (byte[0] == 0xF4 && byte[1] > 0x8F))
        return 0;
    return size;
}

void weir__message_start(weir__message *message)
{
    message->text[0] = '\0';
    message->length = 0;
    message->cut = false;
}

/* Appends whole characters while they fit, and leaves room for the dots that say that something is missing. */
static void append(weir__message *message, const char *text, size_t length)
{
    size_t room = sizeof(message->text) - 4 - message->length;
    if (message->cut)
        return;
    if (length > room) {
        message->cut = true;
        length = room;
        while (length && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    memcpy(message->text + message->length, text, length);
    message->length += length;
    if (message->cut) {
        memcpy(message->text + message->length, "...", 3);
        message->length += 3;
    }
    message->text[message->length] = '\0';
}

void weir__message_add(weir__message *message, const char *format, ...)
{
    char text[WEIR__MESSAGE_SIZE + 1];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    if (length > 0)
        append(message, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

/* One character as it may stand in a line of text: nothing in it can move the cursor or end the line. */
static size_t append_character(weir__message *message, const char *text, size_t length, bool quoted)
{
    unsigned char first = (unsigned char)text[0];
    size_t size = weir__utf8_sequence(text, length);
    char escaped[8];
    static const char named[] = "\bb\tt\nn\ff\rr";
    const char *name = first ? strchr(named, first) : NULL;
    if (name && (name - named) % 2 == 0 && first < 0x20)
        snprintf(escaped, sizeof(escaped), "\\%c", name[1]);
    else if (first < 0x20 || first == 0x7F)
        snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)first);
    else if (size == 2 && first == 0xC2 && (unsigned char)text[1] < 0xA0)
        snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)(unsigned char)text[1]);
    else if (quoted && (first == '"' || first == '\\'))
        snprintf(escaped, sizeof(escaped), "\\%c", first);
    else if (size == 0)
        snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned)first);
    else {
        append(message, text, size);
        return size;
    }
    append(message, escaped, strlen(escaped));
    return size ? size : 1;
}

void weir__message_quote(weir__message *message, const char *text, size_t length)
{
    append(message, "\"", 1);
    size_t shown = 0;
    for (size_t at = 0; at < length; shown++) {
        if (shown == QUOTED_MOST) {
            append(message, "...", 3);
            break;
        }
        at += append_character(message, text + at, length - at, true);
    }
    append(message, "\"", 1);
}

void weir__message_plain(weir__message *message, const char *text, size_t length)
{
    for (size_t at = 0; at < length && !message->cut;)
        at += append_character(message, text + at, length - at, false);
}

static unsigned lowest(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* The optimal string alignment distance: insertions, deletions, changes and swaps of neighbours. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][NAME_MOST + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned change = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = lowest(lowest(above[j], row[j - 1]) + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = lowest(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_length];
}

const char *weir__nearest_name(const char *word, const char *const *names, size_t count)
{
    size_t length = strlen(word);
    const char *best = NULL;
    unsigned least = 0;
    if (length == 0 || length > NAME_MOST)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t name_length = strlen(names[i]);
        if (name_length == 0 || name_length > NAME_MOST)
            continue;
        unsigned steps = distance(word, length, names[i], name_length);
        size_t longer = name_length > length ? name_length : length;
        if (steps * 3 <= (longer < 3 ? 3 : longer) && steps < longer && (!best || steps < least)) {
            best = names[i];
            least = steps;
        }
    }
    return best;
}
