/* SPDX-License-Identifier: MIT */
/* What a probe has seen, as one line of words. */
#include <stdio.h>
#include <string.h>

#include <weir/runtime.h>

#include "record.h"

#define WORD_MOST 64

/* Without memory a record is cut short: it must not change what it watches. */
static int reserve(probe_record *record)
{
    if (record->length + WORD_MOST < record->capacity)
        return 0;
    size_t capacity = record->capacity * 2 + 4 * WORD_MOST;
    char *grown = weir_realloc(record->text, capacity);
    if (!grown)
        return -1;
    record->text = grown;
    record->capacity = capacity;
    return 0;
}

void probe_note(probe_record *record, const char *word, size_t number)
{
    char times[24] = "";
    char sum[24] = "";
    if (reserve(record))
        return;
    if (record->last && strcmp(record->last, word) == 0) {
        record->times++;
    } else {
        record->last = word;
        record->last_begins = record->length;
        record->times = 1;
        record->sum = 0;
    }
    if (record->times > 1)
        snprintf(times, sizeof(times), "*%zu", record->times);
    if (number != (size_t)-1) {
        record->sum += number;
        snprintf(sum, sizeof(sum), ":%zu", record->sum);
    }
    char *place = record->text + record->last_begins;
    int length = snprintf(place, WORD_MOST, "%s%s%s%s", record->last_begins ? " " : "", word, times, sum);
    record->length = record->last_begins + (size_t)length;
}

void probe_note_plain(probe_record *record, const char *word)
{
    probe_note(record, word, (size_t)-1);
}

const char *probe_text(const probe_record *record)
{
    return record->text ? record->text : "";
}

void probe_record_free(probe_record *record)
{
    weir_free(record->text);
    *record = (probe_record){0};
}
