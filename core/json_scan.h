/* SPDX-License-Identifier: MIT */
/*
 * JSON texts with positions. Jansson keeps no position of a value and stops at the first fault and at the first
 * duplicate member, so a scan of our own reads the text first and reports everything; only what scanned clean is given
 * to Jansson.
 */
#ifndef WEIR_CORE_JSON_SCAN_H
#define WEIR_CORE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "faults.h"

/* Jansson takes about twenty times a text's size, so the text is what is bounded. */
#define WEIR__DOCUMENT_MOST  ((size_t)4 * 1024 * 1024) /* bytes */
#define WEIR__DOCUMENT_DEPTH 64                        /* arrays and objects within each other */

typedef struct weir__document {
    char *file;    /* the label that faults carry */
    char *text;    /* ended by NUL */
    size_t length; /* bytes */
    json_t *root;
} weir__document;

/*
 * Checks the syntax of a text, and reports to faults: every fault that reading can go on after (a forgotten or surplus
 * comma, a missing colon, a name without quotes, a comment, a bad number or word, a bad escape, bytes that are no
 * UTF-8, a NUL in a string, a lone surrogate, an integer beyond 64 bits, every duplicate member with the place of the
 * first), and the first after which it cannot. 0, UV_EINVAL (faults were added) or UV_ENOMEM (and faults says so). The
 * text must be followed by a NUL.
 */
int weir__json_scan(const char *file, const char *text, size_t length, weir__faults *faults);

/*
 * Parses length bytes of text, which are copied; file_label names them in faults. NULL when anything is wrong, and then
 * faults holds why. Any kind of value may stand at the root. Free with weir__document_free.
 */
weir__document *weir__document_parse(const char *file_label, const char *text, size_t length, weir__faults *faults);

/*
 * Reads and parses a file, whose path is the label. Refused with a fault: a file that cannot be opened or read, that is
 * no regular file, or that is larger than WEIR__DOCUMENT_MOST (before it is read).
 */
weir__document *weir__document_load(const char *path, weir__faults *faults);

/* The same, called differently in faults. */
weir__document *weir__document_load_as(const char *path, const char *label, weir__faults *faults);

void weir__document_free(weir__document *document); /* NULL passes */

/*
 * Where the value at a JSON pointer begins, or the name of the member that the pointer ends in. Lines count from 1;
 * columns from 1 in characters (code points), not bytes. When the text has no such place (a value that a default filled
 * in) the nearest one around it is given, and false returned. Nothing is stored for this: the text is walked again,
 * which takes time in proportion to its length.
 */
bool weir__document_position(const weir__document *document, const char *pointer, unsigned *line, unsigned *column);
bool weir__document_name_position(const weir__document *document, const char *pointer, unsigned *line,
                                  unsigned *column);

/* Adds a fault at a pointer's value, or with on_name at its member's name. */
void weir__document_fault(const weir__document *document, weir__faults *faults, const char *pointer, bool on_name,
                          const char *message);

/* ---- pieces that others need too ---- */

/*
 * What keeps a text of at least one byte from being a JSON number ("a number has no leading zeros in JSON"), or NULL.
 * Behind it must stand a byte that cannot belong to a number.
 */
const char *weir__json_number_fault(const char *text, size_t length);

/* The line and column of a byte of a text. */
void weir__json_place(const char *text, size_t offset, unsigned *line, unsigned *column);

/*
 * The order of two member names as they stand between their quotes, escapes and all, by the bytes they mean: below 0,
 * 0 or above 0. With a plain right side (right_is_plain) that one is taken as it is.
 */
int weir__json_compare_names(const char *left, size_t left_length, const char *right, size_t right_length,
                             bool right_is_plain);

/*
 * A JSON pointer, as it is built from the outside inwards. Free text with weir__free; failed says that memory ran out.
 */
typedef struct weir__pointer {
    char *text; /* NULL while empty */
    size_t length, capacity;
    bool failed;
} weir__pointer;

void weir__pointer_add_name(weir__pointer *pointer, const char *name, size_t length);
void weir__pointer_add_index(weir__pointer *pointer, size_t index);

#endif
