/* SPDX-License-Identifier: MIT */
/* Lines: for people on a terminal, one JSON object each otherwise. */
#ifndef WEIR_CLI_OUTPUT_H
#define WEIR_CLI_OUTPUT_H

#include <stddef.h>

#include <jansson.h>

typedef enum output_form {
    OUTPUT_AUTO,   /* by what the descriptor is */
    OUTPUT_PEOPLE, /* --human */
    OUTPUT_JSON    /* --json */
} output_form;

typedef struct output {
    int fd;
    int json;
    int error; /* the first one of writing (an errno), or 0; nothing more is written then */
} output;

void output_init(output *self, int fd, output_form form);

/*
 * One line: `people` on a terminal, otherwise `record`, whose reference it takes (NULL, for want of memory: `people`).
 * Control characters in `people` are escaped. It leaves in one write, so that lines of several threads stay whole.
 */
void output_line(output *self, const char *people, json_t *record);

/* An error of the program's own, as a line of the log's form on stderr: "weir: MESSAGE", or a JSON object. */
void output_problem(output_form form, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text as it is. */
void output_text(output *self, const char *text, size_t size);

/* An object with "time" (now, UTC) for what happens, or empty for what is. NULL: no memory. */
json_t *record_event(const char *event);
json_t *record_new(void);

/* One more member; text NULL: none. Bytes that are no UTF-8 are replaced. A record of NULL stays that. */
void record_text(json_t *record, const char *name, const char *text);
void record_number(json_t *record, const char *name, json_int_t number);
void record_json(json_t *record, const char *name, json_t *value); /* takes the value's reference */

#endif
