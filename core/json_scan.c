/* SPDX-License-Identifier: MIT */
/* A scan of JSON text for its faults: all that reading can go on after, each with line, column and JSON pointer. */
#define _GNU_SOURCE

#include "json_scan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

typedef struct {
    uint32_t offset, length; /* between the quotes */
} name;

/* An array or object that is open, and where in it the scan is: what a fault's pointer is made of. */
typedef struct {
    size_t opened;
    size_t index;
    name member;
    bool is_object, inside;
} level;

typedef struct {
    const char *file, *text;
    size_t length, at;
    weir__faults *faults;
    level levels[WEIR__DOCUMENT_DEPTH];
    unsigned depth;
    name *names; /* of the members of all open objects, the innermost last */
    size_t name_count, name_capacity;
    bool faulty, stopped;
    int status;
} scan;

static void scan_value(scan *s);

/* ---- reporting ---- */

/* A name with its escapes resolved, for people; NULL when there are none, when they are wrong, or without memory. */
static json_t *decode_name(const scan *s, name member)
{
    const char *raw = s->text + member.offset;
    if (!memchr(raw, '\\', member.length))
        return NULL;
    return json_loadb(raw - 1, member.length + 2, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

/* Adds the place in a level to a pointer. */
static void add_level(const scan *s, weir__pointer *pointer, const level *at)
{
    if (!at->inside)
        return;
    if (!at->is_object) {
        weir__pointer_add_index(pointer, at->index);
        return;
    }
    json_t *decoded = decode_name(s, at->member);
    if (decoded)
        weir__pointer_add_name(pointer, json_string_value(decoded), json_string_length(decoded));
    else
        weir__pointer_add_name(pointer, s->text + at->member.offset, at->member.length);
    json_decref(decoded);
}

static void report(scan *s, size_t offset, const weir__message *message)
{
    s->faulty = true;
    if (weir__faults_full(s->faults)) {
        weir__faults_add(s->faults, s->file, 0, 0, "", message->text);
        return;
    }
    weir__pointer pointer = {0};
    unsigned line, column;
    for (unsigned i = 0; i < s->depth; i++)
        add_level(s, &pointer, &s->levels[i]);
    weir__json_place(s->text, offset, &line, &column);
    weir__faults_add(s->faults, s->file, line, column, pointer.text, message->text);
    s->faults->out_of_memory |= pointer.failed;
    weir__free(pointer.text);
}

static void report_text(scan *s, size_t offset, const char *text)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "%s", text);
    report(s, offset, &message);
}

static bool at_end(const scan *s)
{
    return s->at >= s->length;
}

/* What can be part of a word or number, taken together when one of them is wrong. */
static bool is_word(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           byte == '_' || byte == '$' || byte == '+' || byte == '-' || byte == '.' || (byte & 0x80);
}

static size_t word_length(const scan *s)
{
    size_t end = s->at;
    while (end < s->length && is_word(s->text[end]))
        end++;
    return end - s->at;
}

static void add_found(scan *s, weir__message *message)
{
    weir__message_add(message, ", found ");
    unsigned char byte = at_end(s) ? 0 : (unsigned char)s->text[s->at];
    if (at_end(s))
        weir__message_add(message, "the end of the text");
    else if (byte == '"')
        weir__message_add(message, "a string");
    else if (word_length(s))
        weir__message_quote(message, s->text + s->at, word_length(s));
    else if (byte > 0x20 && byte < 0x7F)
        weir__message_add(message, "'%c'", byte);
    else
        weir__message_add(message, "the byte 0x%02x", byte);
}

/* "expected WHAT, found ..." at the place where the scan is. */
static void report_expected(scan *s, const char *what)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "expected %s", what);
    add_found(s, &message);
    report(s, s->at, &message);
}

/* ---- space ---- */

static void skip_comment(scan *s)
{
    size_t start = s->at;
    if (s->text[start + 1] == '*') {
        const char *end = memmem(s->text + start + 2, s->length - start - 2, "*/", 2);
        s->at = end ? (size_t)(end - s->text) + 2 : s->length;
    } else {
        const char *end = memchr(s->text + start, '\n', s->length - start);
        s->at = end ? (size_t)(end - s->text) : s->length;
    }
    report_text(s, start, "JSON has no comments; take it out");
}

static void skip_space(scan *s)
{
    while (!at_end(s)) {
        char byte = s->text[s->at];
        if (byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r')
            s->at++;
        else if (byte == '/' && (s->text[s->at + 1] == '/' || s->text[s->at + 1] == '*'))
            skip_comment(s);
        else
            return;
    }
}

/* ---- strings ---- */

/* The four hexadecimal digits of a \u escape whose backslash stands at offset; -1 when they are not there. */
static long read_unicode(const scan *s, size_t offset)
{
    long value = 0;
    if (offset + 6 > s->length || s->text[offset] != '\\' || s->text[offset + 1] != 'u')
        return -1;
    for (size_t i = offset + 2; i < offset + 6; i++) {
        char digit = s->text[i];
        if (digit >= '0' && digit <= '9')
            value = value << 4 | (digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            value = value << 4 | ((digit | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static void scan_unicode_escape(scan *s)
{
    size_t start = s->at;
    long code = read_unicode(s, start);
    s->at += code < 0 ? 2 : 6;
    if (code < 0) {
        report_text(s, start, "\\u needs four hexadecimal digits");
    } else if (code == 0) {
        report_text(s, start, "a NUL (\\u0000) may not stand in a string");
    } else if (code >= 0xD800 && code < 0xDC00) {
        long low = read_unicode(s, s->at);
        if (low >= 0xDC00 && low < 0xE000)
            s->at += 6;
        else
            report_text(s, start, "half of a surrogate pair: a \\uDC00 to \\uDFFF must follow");
    } else if (code >= 0xDC00 && code < 0xE000) {
        report_text(s, start, "half of a surrogate pair: a \\uD800 to \\uDBFF must stand before it");
    }
}

static void scan_escape(scan *s)
{
    weir__message message;
    char letter = s->at + 1 < s->length ? s->text[s->at + 1] : '\0';
    if (letter == 'u') {
        scan_unicode_escape(s);
        return;
    }
    if (!letter || !strchr("\"\\/bfnrt", letter)) {
        weir__message_start(&message);
        weir__message_add(&message, "an escape that JSON does not have; write a backslash as \\\\");
        report(s, s->at, &message);
        s->at += 1;
        return;
    }
    s->at += 2;
}

static void scan_odd_byte(scan *s)
{
    weir__message message;
    weir__message_start(&message);
    unsigned char byte = (unsigned char)s->text[s->at];
    size_t size = weir__utf8_sequence(s->text + s->at, s->length - s->at);
    if (byte == 0)
        weir__message_add(&message, "a NUL may not stand in a string");
    else if (byte < 0x20)
        weir__message_add(&message, "the control character 0x%02x must be written as \\u%04x", byte, byte);
    else if (size == 0)
        weir__message_add(&message, "the byte 0x%02x is not UTF-8", byte);
    if (message.length)
        report(s, s->at, &message);
    s->at += size ? size : 1;
}

/* From one quote to behind the other. A string that does not end on its line ends the scan: what follows is guesswork.
 */
static name scan_string(scan *s)
{
    size_t start = s->at++;
    while (!at_end(s)) {
        char byte = s->text[s->at];
        if (byte == '"') {
            name found = {(uint32_t)(start + 1), (uint32_t)(s->at - start - 1)};
            s->at++;
            return found;
        }
        if (byte == '\n')
            break;
        if (byte == '\\')
            scan_escape(s);
        else if ((unsigned char)byte >= 0x20 && (unsigned char)byte < 0x80)
            s->at++;
        else
            scan_odd_byte(s);
    }
    report_text(s, start, "the string that begins here is not closed on its line");
    s->stopped = true;
    return (name){(uint32_t)(start + 1), (uint32_t)(s->at - start - 1)};
}

/* A 'string' in the wrong quotes: reported by the caller, and passed over. */
static void skip_single_quoted(scan *s)
{
    for (s->at++; !at_end(s) && s->text[s->at] != '\n'; s->at++)
        if (s->text[s->at] == '\'') {
            s->at++;
            return;
        }
}

/* ---- words and numbers ---- */

static size_t digits_at(const char *text, size_t length, size_t at)
{
    size_t end = at;
    while (end < length && text[end] >= '0' && text[end] <= '9')
        end++;
    return end - at;
}

const char *weir__json_number_fault(const char *text, size_t length)
{
    size_t at = text[0] == '-' ? 1 : 0;
    size_t whole = digits_at(text, length, at);
    bool real = false;
    if (text[0] == '+')
        return "a number has no plus sign in JSON";
    if (whole == 0)
        return "a number begins with a digit in JSON";
    if (whole > 1 && text[at] == '0')
        return "a number has no leading zeros in JSON";
    at += whole;
    if (at < length && text[at] == '.') {
        size_t fraction = digits_at(text, length, ++at);
        if (fraction == 0)
            return "digits must follow the decimal point";
        at += fraction;
        real = true;
    }
    if (at < length && (text[at] | 0x20) == 'e') {
        at++;
        at += at < length && (text[at] == '+' || text[at] == '-');
        size_t exponent = digits_at(text, length, at);
        if (exponent == 0)
            return "digits must follow the e of a number";
        at += exponent;
        real = true;
    }
    if (at < length)
        return "not a number in JSON";
    errno = 0;
    if (!real && (strtoll(text, NULL, 10), errno == ERANGE))
        return "the integer does not fit 64 bits";
    return NULL;
}

static bool word_is(const scan *s, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(s->text + s->at, word, length) == 0;
}

static void scan_word(scan *s)
{
    size_t length = word_length(s);
    const char *word = s->text + s->at;
    const char *fault = NULL;
    if (word_is(s, length, "true") || word_is(s, length, "false") || word_is(s, length, "null")) {
        s->at += length;
        return;
    }
    if (*word == '-' || *word == '+' || *word == '.' || (*word >= '0' && *word <= '9'))
        fault = weir__json_number_fault(word, length);
    else
        fault = "not a value; text must stand in double quotes";
    if (fault) {
        weir__message message;
        weir__message_start(&message);
        weir__message_quote(&message, word, length);
        weir__message_add(&message, ": %s", fault);
        report(s, s->at, &message);
    }
    s->at += length;
}

/* ---- arrays and objects ---- */

static void stop_at_opened(scan *s, size_t opened, const char *what)
{
    weir__message message;
    unsigned line, column;
    weir__json_place(s->text, opened, &line, &column);
    weir__message_start(&message);
    weir__message_add(&message, "expected %s (opened at line %u, column %u)", what, line, column);
    add_found(s, &message);
    report(s, s->at, &message);
    s->stopped = true;
}

/* Opens a level; false when there are too many. */
static bool open_level(scan *s, bool is_object)
{
    if (s->depth == WEIR__DOCUMENT_DEPTH) {
        weir__message message;
        weir__message_start(&message);
        weir__message_add(&message, "arrays and objects are nested more than %d levels deep", WEIR__DOCUMENT_DEPTH);
        report(s, s->at, &message);
        s->stopped = true;
        return false;
    }
    s->levels[s->depth++] = (level){.opened = s->at, .is_object = is_object};
    s->at++;
    return true;
}

/* Behind a value in a container: true when another element follows. Stands behind the comma, or behind the closer. */
static bool scan_separator(scan *s, char closer)
{
    level *here = &s->levels[s->depth - 1];
    here->inside = false;
    skip_space(s);
    char byte = at_end(s) ? '\0' : s->text[s->at];
    if (byte == closer) {
        s->at++;
        return false;
    }
    if (byte == ',') {
        size_t comma = s->at++;
        skip_space(s);
        if (at_end(s) || s->text[s->at] != closer)
            return true;
        report_text(s, comma, "a comma may not stand before the end of an array or object; take it out");
        s->at++;
        return false;
    }
    const char *what = closer == '}' ? "',' or '}' after a member" : "',' or ']' after an element";
    if (byte && (byte == '"' || byte == '\'' || is_word(byte) || (closer == ']' && (byte == '{' || byte == '[')))) {
        report_expected(s, what);
        return true;
    }
    stop_at_opened(s, here->opened, what);
    return false;
}

static void scan_array(scan *s)
{
    if (!open_level(s, false))
        return;
    level *here = &s->levels[s->depth - 1];
    skip_space(s);
    bool more = at_end(s) || s->text[s->at] != ']';
    if (!more)
        s->at++;
    while (more && !s->stopped) {
        here->inside = true;
        scan_value(s);
        if (s->stopped)
            break;
        more = scan_separator(s, ']');
        here->index++;
    }
    s->depth--;
}

static int by_name(const void *left, const void *right, void *text)
{
    const name *a = left, *b = right;
    const char *base = text;
    int order = weir__json_compare_names(base + a->offset, a->length, base + b->offset, b->length, false);
    if (order == 0)
        order = a->offset < b->offset ? -1 : a->offset > b->offset;
    return order;
}

static void report_duplicate(scan *s, name first, name again)
{
    weir__message message;
    unsigned line, column;
    level *here = &s->levels[s->depth - 1];
    weir__message_start(&message);
    if (!weir__faults_full(s->faults)) {
        json_t *decoded = decode_name(s, again);
        weir__json_place(s->text, first.offset - 1, &line, &column);
        weir__message_add(&message, "the member ");
        if (decoded)
            weir__message_quote(&message, json_string_value(decoded), json_string_length(decoded));
        else
            weir__message_quote(&message, s->text + again.offset, again.length);
        weir__message_add(&message, " is there already, at line %u, column %u", line, column);
        json_decref(decoded);
    }
    here->member = again;
    here->inside = true;
    report(s, again.offset - 1, &message);
    here->inside = false;
}

/* The members of an object that ends are sorted, so that equals lie together: no pair of names is compared twice. */
static void close_names(scan *s, size_t first)
{
    name *names = s->names + first;
    size_t count = s->name_count - first;
    s->name_count = first;
    if (count < 2)
        return;
    qsort_r(names, count, sizeof(*names), by_name, (void *)(uintptr_t)s->text);
    size_t original = 0;
    for (size_t i = 1; i < count; i++) {
        if (weir__json_compare_names(s->text + names[original].offset, names[original].length,
                                     s->text + names[i].offset, names[i].length, false) == 0)
            report_duplicate(s, names[original], names[i]);
        else
            original = i;
    }
}

static void note_name(scan *s, name member)
{
    void *names = s->names;
    if (weir__array_reserve(&names, s->name_count, &s->name_capacity, sizeof(name)) != 0) {
        s->faults->out_of_memory = true;
        s->status = -ENOMEM;
        s->stopped = true;
    } else {
        s->names = names;
        s->names[s->name_count++] = member;
    }
    s->names = names;
}

/* A member's name and its colon; false when no value follows. */
static bool scan_name(scan *s)
{
    level *here = &s->levels[s->depth - 1];
    char byte = at_end(s) ? '\0' : s->text[s->at];
    if (byte == '"') {
        here->member = scan_string(s);
        if (!s->stopped)
            note_name(s, here->member);
    } else if (byte && (is_word(byte) || byte == '\'')) {
        report_expected(s, "a member's name in double quotes");
        size_t start = s->at;
        if (byte == '\'')
            skip_single_quoted(s);
        else
            s->at += word_length(s);
        here->member = (name){(uint32_t)start, (uint32_t)(s->at - start)};
    } else {
        stop_at_opened(s, here->opened, "a member's name in double quotes");
    }
    if (s->stopped)
        return false;
    here->inside = true;
    skip_space(s);
    byte = at_end(s) ? '\0' : s->text[s->at];
    if (byte == ':') {
        s->at++;
        return true;
    }
    report_expected(s, "':' and a value after the member's name");
    if (byte == '=')
        s->at++;
    else
        s->stopped = byte == '\0' || byte == ']' || byte == ':';
    return byte != ',' && byte != '}' && !s->stopped;
}

static void scan_object(scan *s)
{
    size_t first = s->name_count;
    if (!open_level(s, true))
        return;
    skip_space(s);
    bool more = at_end(s) || s->text[s->at] != '}';
    if (!more)
        s->at++;
    while (more && !s->stopped) {
        if (scan_name(s))
            scan_value(s);
        if (s->stopped)
            break;
        more = scan_separator(s, '}');
    }
    s->levels[s->depth - 1].inside = false;
    close_names(s, first);
    s->depth--;
}

/* One value. What is missing is reported without moving on, for whoever called to find its comma or end. */
static void scan_value(scan *s)
{
    skip_space(s);
    char byte = at_end(s) ? '\0' : s->text[s->at];
    if (byte == '{') {
        scan_object(s);
    } else if (byte == '[') {
        scan_array(s);
    } else if (byte == '"') {
        scan_string(s);
    } else if (byte == '\'') {
        report_text(s, s->at, "a string stands in double quotes in JSON, not in single ones");
        skip_single_quoted(s);
    } else if (byte && is_word(byte)) {
        scan_word(s);
    } else {
        report_expected(s, "a value");
        s->stopped = byte != ',' && byte != '}' && byte != ']';
    }
}

int weir__json_scan(const char *file, const char *text, size_t length, weir__faults *faults)
{
    scan s = {.file = file, .text = text, .length = length, .faults = faults};
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        report_text(&s, 0, "the text begins with a byte order mark; save it without one");
        s.at = 3;
    }
    skip_space(&s);
    if (at_end(&s) && !s.faulty)
        report_text(&s, 0, "there is nothing here; expected a JSON value");
    else
        scan_value(&s);
    if (!s.stopped)
        skip_space(&s);
    if (!s.stopped && !at_end(&s))
        report_expected(&s, "the end of the text after its value");
    weir__free(s.names);
    if (s.status == 0 && s.faulty)
        s.status = -EINVAL;
    return s.status;
}
