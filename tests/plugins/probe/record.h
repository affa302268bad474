/* SPDX-License-Identifier: MIT */
/* What a probe has seen, as one line of words: neighbours that repeat are counted. */
#ifndef PROBE_RECORD_H
#define PROBE_RECORD_H

#include <stddef.h>

typedef struct probe_record {
    char *text; /* NULL: nothing yet */
    size_t length;
    size_t capacity;
    const char *last; /* the last word, and how often, and the sum of its numbers */
    size_t last_begins;
    size_t times;
    size_t sum;
} probe_record;

/* "word", "word*3"; with `number` not (size_t)-1 "word:12", and "word*3:36" when it repeats. `word` is static. */
void probe_note(probe_record *record, const char *word, size_t number);
void probe_note_plain(probe_record *record, const char *word);

/* Never NULL. */
const char *probe_text(const probe_record *record);
void probe_record_free(probe_record *record);

#endif
