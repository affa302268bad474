/* SPDX-License-Identifier: MIT */
/* Lines: for people on a terminal, one JSON object each otherwise. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

void output_init(output *self, int fd, output_form form)
{
    self->fd = fd;
    self->json = form == OUTPUT_JSON || (form == OUTPUT_AUTO && !isatty(fd));
    self->error = 0;
}

void output_text(output *self, const char *text, size_t size)
{
    while (size > 0 && self->error == 0) {
        ssize_t written = write(self->fd, text, size);
        if (written >= 0) {
            text += written;
            size -= (size_t)written;
        } else if (errno == EAGAIN) {
            /* Whoever shares the descriptor made it non-blocking. */
            struct pollfd ready = {.fd = self->fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            self->error = errno;
        }
    }
}

/* What would move the cursor or worse is shown as \xNN; bytes above ASCII are left to the terminal. */
static size_t escape(char *to, const char *text)
{
    size_t length = 0;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x20 && byte != 0x7f) {
            to[length++] = *text;
        } else {
            length += (size_t)sprintf(to + length, "\\x%02x", byte);
        }
    }
    to[length] = '\n';
    return length + 1;
}

static void people_line(output *self, const char *text)
{
    char *line = malloc(4 * strlen(text) + 1);
    if (line == NULL) {
        output_text(self, text, strlen(text));
        output_text(self, "\n", 1);
        return;
    }
    output_text(self, line, escape(line, text));
    free(line);
}

void output_line(output *self, const char *people, json_t *record)
{
    char *line = NULL;
    if (self->json && record != NULL) {
        line = json_dumps(record, JSON_COMPACT);
    }
    if (line != NULL) {
        size_t length = strlen(line);
        line[length] = '\n';
        output_text(self, line, length + 1);
        free(line);
    } else {
        people_line(self, people);
    }
    json_decref(record);
}

void output_problem(output_form form, const char *format, ...)
{
    output err;
    char people[4096] = "weir: ";
    const size_t prefix = strlen(people);
    va_list values;
    va_start(values, format);
    vsnprintf(people + prefix, sizeof(people) - prefix, format, values);
    va_end(values);
    output_init(&err, STDERR_FILENO, form);
    json_t *record = record_event("log");
    record_text(record, "level", "error");
    record_text(record, "message", people + prefix);
    output_line(&err, people, record);
}

json_t *record_new(void)
{
    return json_object();
}

json_t *record_event(const char *event)
{
    struct timespec now;
    struct tm date;
    char text[64];
    json_t *record = record_new();
    clock_gettime(CLOCK_REALTIME, &now);
    size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &date));
    snprintf(text + length, sizeof(text) - length, ".%03ldZ", now.tv_nsec / 1000000);
    record_text(record, "time", text);
    record_text(record, "event", event);
    return record;
}

/* A file's name may hold any byte, JSON may not: what is no ASCII becomes "?" in a text that is no UTF-8. */
static json_t *lenient_string(const char *text)
{
    json_t *string = json_string(text);
    char *copy = string == NULL ? strdup(text) : NULL;
    if (copy != NULL) {
        for (char *byte = copy; *byte != '\0'; byte++) {
            *byte = (unsigned char)*byte < 0x80 ? *byte : '?';
        }
        string = json_string(copy);
        free(copy);
    }
    return string;
}

void record_json(json_t *record, const char *name, json_t *value)
{
    if (record == NULL) {
        json_decref(value);
    } else if (value != NULL) {
        json_object_set_new(record, name, value);
    }
}

void record_text(json_t *record, const char *name, const char *text)
{
    if (text != NULL) {
        record_json(record, name, lenient_string(text));
    }
}

void record_number(json_t *record, const char *name, json_int_t number)
{
    record_json(record, name, json_integer(number));
}
