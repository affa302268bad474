/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a configuration: a bounded list of faults, each with its place, and the wording helpers that every
 * message is built with.
 */
#ifndef WEIR_CORE_FAULTS_H
#define WEIR_CORE_FAULTS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <weir/export.h>

/* ---- one message, in a buffer of fixed size: it never fails, what does not fit is cut with "..." ---- */

#define WEIR__MESSAGE_SIZE 640

typedef struct weir__message {
    char text[WEIR__MESSAGE_SIZE]; /* UTF-8, ended by NUL */
    size_t length;
    bool cut;
} weir__message;

void weir__message_start(weir__message *message);
void weir__message_add(weir__message *message, const char *format, ...) WEIR_PRINTF(2, 3);

/*
 * Adds text as a JSON string: in double quotes, control characters escaped, bytes that are not UTF-8 as \xNN, and not
 * more than about 60 characters of it ("..." before the closing quote says so).
 */
void weir__message_quote(weir__message *message, const char *text, size_t length);

/* Adds text without quotes; control characters are escaped the same way, so that a fault stays one line. */
void weir__message_plain(weir__message *message, const char *text, size_t length);

/*
 * Whichever of names is nearest to word (at most a third of its letters differ; swapped neighbours count once; case
 * counts little), or NULL. Ties go to the first.
 */
const char *weir__nearest_name(const char *word, const char *const *names, size_t count);

/* The length of the UTF-8 sequence at text, of at most length bytes; 0 when it is not well formed. */
size_t weir__utf8_sequence(const char *text, size_t length);

/* ---- the list ---- */

#define WEIR__FAULTS_MOST 100 /* kept; the ones after these are counted */

typedef struct weir__fault {
    char *file;      /* the label, owned */
    unsigned line;   /* from 1; 0: the fault is not at a line (a file that cannot be read, a plugin's schema) */
    unsigned column; /* from 1, in characters (code points, a tab is one), not bytes; 0 with line 0 */
    char *pointer;   /* JSON pointer, "" for the whole document; cut when it is very long; owned */
    char *message;   /* owned */
    size_t sequence; /* the order of arrival, which sorts equals */
} weir__fault;

typedef struct weir__faults {
    weir__fault *items;
    size_t count, capacity;
    size_t more;                 /* faults beyond WEIR__FAULTS_MOST */
    size_t known_from, known_to; /* of secrets that could not be read: a check of what stands in for them is silent */
    const char *url;    /* pointer of the URL that is being read; faults of its options stand there. NULL: none */
    bool out_of_memory; /* something could not be done or noted for want of memory; also a fault */
} weir__faults;

void weir__faults_init(weir__faults *faults); /* or = {0} */
void weir__faults_free(weir__faults *faults); /* leaves it empty, for use again */

/* True when there is any fault, want of memory included. */
bool weir__faults_any(const weir__faults *faults);

/* True when the next one would only be counted: whoever has to work for a fault's place can spare it. */
bool weir__faults_full(const weir__faults *faults);

/*
 * Notes a fault; one that is there already (same place, same message) is not noted again. file is copied, pointer too
 * (NULL is ""). Without memory out_of_memory is set.
 */
void weir__faults_add(weir__faults *faults, const char *file, unsigned line, unsigned column, const char *pointer,
                      const char *message);
void weir__faults_addf(weir__faults *faults, const char *file, unsigned line, unsigned column, const char *pointer,
                       const char *format, ...) WEIR_PRINTF(6, 7);

/* Does one of the faults known_from to known_to stand at this pointer? */
bool weir__faults_know(const weir__faults *faults, const char *pointer);

/* By file in order of first arrival, then line and column. */
void weir__faults_sort(weir__faults *faults);

/*
 * Sorts, and gives one line a fault: "file:line:column: /json/pointer: message". A pointer to the whole document is
 * left out with its colon, and so are line and column when there are none; the last line may be "and 17 more faults".
 * The caller frees it with weir__free; NULL without memory.
 */
char *weir__faults_text(weir__faults *faults);

#endif
