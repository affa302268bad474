/* SPDX-License-Identifier: MIT */
/* Patterns: what ECMAScript writes is translated to POSIX extended regular expressions, or refused with a reason. */
#define _GNU_SOURCE

#include <errno.h>
#include <string.h>

#include "memory.h"
#include "schema_node.h"

#define PATTERN_MOST 4096 /* bytes; regcomp's memory grows much faster than a pattern */

typedef struct {
    const char *at, *end;
    char *out; /* large enough for the longest translation of what is left */
    size_t length;
    weir__message *why;
} translation;

/* The longest: \S, 2 bytes, becomes about 65. */
#define GROWTH 40

static bool refuse(translation *t, const char *why)
{
    weir__message_add(t->why, "%s", why);
    return false;
}

static void put(translation *t, const char *text)
{
    size_t length = strlen(text);
    memcpy(t->out + t->length, text, length);
    t->length += length;
}

static void put_byte(translation *t, char byte)
{
    t->out[t->length++] = byte;
}

/* What \d and its kind mean, inside of brackets. NULL for other letters. */
static const char *class_of(char letter)
{
    switch (letter) {
    case 'd':
    case 'D':
        return "0-9";
    case 'w':
    case 'W':
        return "A-Za-z0-9_";
    case 's':
    case 'S':
        /* Unicode's spaces, as ECMAScript counts them. */
        return " \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
               "\u202f\u205f\u3000\ufeff";
    default:
        return NULL;
    }
}

static long hex_digits(const char *text, const char *end, int count)
{
    long value = 0;
    if (end - text < count)
        return -1;
    for (int i = 0; i < count; i++) {
        char digit = text[i];
        if (digit >= '0' && digit <= '9')
            value = value * 16 + (digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            value = value * 16 + ((digit | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static size_t put_utf8(char *out, long code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
}

/*
 * The character that an escape means, behind its backslash; its bytes go to character, their number is returned, 0
 * after a refusal. Escapes that are no single character are not for here.
 */
static size_t read_escape(translation *t, char character[4])
{
    static const char letters[] = "tnrfv", meant[] = "\t\n\r\f\v";
    char letter = *t->at++;
    long code = -1;
    const char *known = strchr(letters, letter);
    if (known && letter) {
        character[0] = meant[known - letters];
        return 1;
    }
    if (letter == 'x' || letter == 'u') {
        int digits = letter == 'x' ? 2 : 4;
        code = hex_digits(t->at, t->end, digits);
        t->at += code < 0 ? 0 : digits;
    } else if (letter == 'c' && t->at < t->end && (*t->at | 0x20) >= 'a' && (*t->at | 0x20) <= 'z') {
        code = *t->at++ & 0x1F;
    } else if (letter && strchr("^$\\.*+?()[]{}|/-", letter)) {
        character[0] = letter;
        return 1;
    }
    if (code > 0 && (code < 0xD800 || code > 0xDFFF))
        return put_utf8(character, code);
    weir__message_add(t->why, "the escape \\");
    weir__message_plain(t->why, &letter, 1);
    weir__message_add(t->why, " is not available in patterns");
    return 0;
}

/*
 * A set of characters, which POSIX writes without escapes: ']' must come first, '-' last, '^' not first, and '[' not
 * before a '.', '=' or ':'. So these four wait until the set closes.
 */
typedef struct {
    bool negated, closing, opening, caret, dash;
    size_t start; /* of what stands in it */
} bracket;

static bool put_set_character(translation *t, bracket *set, const char *character, size_t size, bool in_range)
{
    char byte = size == 1 ? character[0] : '\0';
    bool *later = byte == ']'   ? &set->closing
                  : byte == '[' ? &set->opening
                  : byte == '^' ? &set->caret
                  : byte == '-' ? &set->dash
                                : NULL;
    /* glibc has no order for other characters where the locale's collation is that of C. */
    if (in_range && (later || size > 1))
        return refuse(t, "a range in a set goes from one ASCII character to another, but for [ ] ^ and -");
    if (later) {
        *later = true;
        return true;
    }
    memcpy(t->out + t->length, character, size);
    t->length += size;
    return true;
}

/* One character of a set, escaped or not. 0 after a refusal. */
static size_t read_set_character(translation *t, char character[4])
{
    if (*t->at == '\\') {
        if (++t->at == t->end) {
            refuse(t, "ends in a backslash");
            return 0;
        }
        return read_escape(t, character);
    }
    size_t size = weir__utf8_sequence(t->at, (size_t)(t->end - t->at));
    if (size == 0)
        refuse(t, "a pattern must be UTF-8");
    memcpy(character, t->at, size);
    t->at += size;
    return size;
}

static bool put_set_item(translation *t, bracket *set)
{
    char first[4], last[4];
    if (*t->at == '[' && t->end - t->at > 3 && t->at[1] == ':') {
        const char *end = memmem(t->at + 2, (size_t)(t->end - t->at - 2), ":]", 2);
        for (; end && t->at < end + 2; t->at++)
            put_byte(t, *t->at);
        return end ? true : refuse(t, "[: without :] in a set");
    }
    size_t size = read_set_character(t, first);
    if (size == 0)
        return false;
    if (t->end - t->at < 2 || t->at[0] != '-' || t->at[1] == ']')
        return put_set_character(t, set, first, size, false);
    t->at++;
    if (!put_set_character(t, set, first, size, true))
        return false;
    put_byte(t, '-');
    size = read_set_character(t, last);
    return size > 0 && put_set_character(t, set, last, size, true);
}

static void close_set(translation *t, const bracket *set)
{
    bool bare = t->length == set->start && !set->closing && !set->opening && !set->negated;
    if (bare && set->caret) {
        t->length--;
        put(t, set->dash ? "[-^]" : "\\^");
        return;
    }
    if (set->closing) {
        memmove(t->out + set->start + 1, t->out + set->start, t->length - set->start);
        t->out[set->start] = ']';
        t->length++;
    }
    if (set->opening)
        put_byte(t, '[');
    if (set->caret)
        put_byte(t, '^');
    if (set->dash)
        put_byte(t, '-');
    put_byte(t, ']');
}

/* \d and its kind at the start of what is left of a set; which of the three, as a bit, or 0. */
static unsigned read_set_class(translation *t, bool *capital)
{
    const char *class = *t->at == '\\' && t->at + 1 < t->end ? class_of(t->at[1]) : NULL;
    if (!class)
        return 0;
    *capital = t->at[1] < 'a';
    t->at += 2;
    if (!*capital)
        put(t, class);
    return *class == '0' ? 1 : *class == 'A' ? 2 : 4;
}

static bool translate_set(translation *t)
{
    bracket set = {.negated = t->end - t->at > 1 && t->at[1] == '^'};
    size_t opened = t->length;
    unsigned seen[2] = {0, 0};
    put(t, set.negated ? "[^" : "[");
    set.start = t->length;
    t->at += set.negated ? 2 : 1;
    if (t->at < t->end && *t->at == ']')
        return refuse(t, "a set of characters is empty");
    while (t->at < t->end && *t->at != ']') {
        bool capital = false;
        unsigned class = read_set_class(t, &capital);
        seen[capital] |= class;
        if (!class && !put_set_item(t, &set))
            return false;
    }
    if (t->at == t->end)
        return refuse(t, "a set of characters is not closed with ']'");
    t->at++;
    if (seen[1] == 0) {
        close_set(t, &set);
        return true;
    }
    if ((seen[0] & seen[1]) == 0 || set.negated)
        return refuse(t, "\\D, \\W and \\S are not available inside of a set, but for [\\s\\S]");
    t->length = opened;
    put_byte(t, '.');
    return true;
}

static bool translate_escape(translation *t)
{
    char character[4];
    if (++t->at == t->end)
        return refuse(t, "ends in a backslash");
    char letter = *t->at;
    const char *class = class_of(letter);
    if (class) {
        put(t, letter < 'a' ? "[^" : "[");
        put(t, class);
        put_byte(t, ']');
        t->at++;
        return true;
    }
    if (letter == 'b' || letter == 'B') {
        put_byte(t, '\\');
        put_byte(t, letter);
        t->at++;
        return true;
    }
    if (letter >= '1' && letter <= '9')
        return refuse(t, "back references are not available in patterns");
    size_t size = read_escape(t, character);
    if (size == 0)
        return false;
    if (size == 1 && strchr("^$\\.*+?()[]{}|", character[0]))
        put_byte(t, '\\');
    memcpy(t->out + t->length, character, size);
    t->length += size;
    return true;
}

/* {2}, {2,} or {2,5}; anything else would mean something else to regcomp. */
static bool translate_repeat(translation *t)
{
    const char *at = t->at + 1;
    size_t digits = strspn(at, "0123456789");
    at += digits;
    if (digits && *at == ',')
        at += 1 + strspn(at + 1, "0123456789");
    if (!digits || *at != '}')
        return refuse(t, "'{' must begin a number of repeats, as in {2,5}; write \\{ for the character");
    for (at++; t->at < at; t->at++)
        put_byte(t, *t->at);
    return true;
}

static bool translate(translation *t)
{
    while (t->at < t->end) {
        char byte = *t->at;
        bool fine = true;
        if (byte == '\\')
            fine = translate_escape(t);
        else if (byte == '[')
            fine = translate_set(t);
        else if (byte == '{')
            fine = translate_repeat(t);
        else {
            put_byte(t, byte);
            t->at++;
        }
        if (!fine)
            return false;
        if (byte == '(' && t->at < t->end && *t->at == '?') {
            if (t->end - t->at < 2 || t->at[1] != ':')
                return refuse(t, "groups that begin with (? are not available, but for (?:");
            t->at += 2;
        }
        /* A lazy quantifier finds a match exactly where a greedy one does. */
        if ((byte == '*' || byte == '+' || byte == '?' || byte == '{') && t->at < t->end && *t->at == '?')
            t->at++;
    }
    t->out[t->length] = '\0';
    return true;
}

static int compile_translated(weir__pattern *pattern, const char *text, weir__message *why)
{
    locale_t before = uselocale(pattern->locale);
    int status = regcomp(&pattern->regex, text, REG_EXTENDED | REG_NOSUB);
    if (status == REG_ESPACE) {
        status = -ENOMEM;
    } else if (status != 0) {
        char reason[120];
        regerror(status, &pattern->regex, reason, sizeof(reason));
        weir__message_add(why, "%s", reason);
        status = -EINVAL;
    }
    uselocale(before);
    return status;
}

int weir__pattern_compile(const char *text, size_t length, locale_t locale, weir__pattern **result, weir__message *why)
{
    int status = -EINVAL;
    if (length > PATTERN_MOST || memchr(text, '\0', length)) {
        weir__message_add(why, "a pattern has at most %d bytes and no NUL", PATTERN_MOST);
        return status;
    }
    weir__pattern *pattern = weir__calloc(1, sizeof(*pattern));
    translation t = {.at = text, .end = text + length, .why = why};
    t.out = weir__malloc(length * GROWTH + 16);
    if (!pattern || !t.out) {
        status = -ENOMEM;
    } else if (translate(&t)) {
        pattern->text = text;
        pattern->locale = locale;
        pattern->anchored = text[0] == '^' && !memchr(text, '|', length);
        status = compile_translated(pattern, t.out, why);
    }
    weir__free(t.out);
    if (status != 0) {
        weir__free(pattern);
        return status;
    }
    *result = pattern;
    return 0;
}

void weir__pattern_free(weir__pattern *pattern)
{
    if (!pattern)
        return;
    regfree(&pattern->regex);
    weir__free(pattern);
}

int weir__pattern_match(const weir__pattern *pattern, const char *text, size_t length)
{
    /* REG_STARTEND takes a length, so a NUL is a character like others. */
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)length};
    locale_t before = uselocale(pattern->locale);
    int status = regexec(&pattern->regex, text, 1, &range, REG_STARTEND);
    uselocale(before);
    return status == 0 ? 1 : status == REG_NOMATCH ? 0 : -ENOMEM;
}

size_t weir__pattern_cost(const weir__pattern *pattern, size_t length)
{
    /* An unanchored one is tried from every character on, and each try may read to the end. */
    return pattern->anchored ? length / 8 + 1 : length / 8 * (length / 8) + 1;
}
