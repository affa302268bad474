/* SPDX-License-Identifier: MIT */
/* The report: a fault goes to its place in the configuration or, where there is none, into one text. */
#define _GNU_SOURCE

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "settings.h"

enum { POINTER_MOST = 512, MESSAGE_MOST = 2048 };

static void join_pointer(const tls_report *report, const char *pointer, char *joined)
{
    snprintf(joined, POINTER_MOST, "%s%s", report->base ? report->base : "", pointer);
}

/* The text grows; without memory what was there stays. */
static void append(char **text, const char *separator, const char *pointer, const char *message)
{
    size_t before = *text ? strlen(*text) : 0;
    size_t size = before + strlen(separator) + strlen(pointer) + strlen(message) + 3;
    char *grown = weir_realloc(*text, size);

    if (!grown)
        return;
    snprintf(grown + before, size - before, "%s%s%s%s", before ? separator : "", pointer, *pointer ? ": " : "",
             message);
    *text = grown;
}

/* What is told around names is kept for them. Without memory they tell it again. */
static void remember(tls_report *report, const char *pointer, const char *message)
{
    if (!report->own)
        append(&report->told, "\n", pointer, message);
}

/* Told around a name already, of an option that the name has from there? */
static int was_told(const tls_report *report, const char *pointer, const char *message)
{
    char option[TLS_POINTER_MOST];
    char line[POINTER_MOST + MESSAGE_MOST];

    if (!report->own || !report->told)
        return 0;
    snprintf(option, sizeof(option), "%.*s", *pointer ? (int)strcspn(pointer + 1, "/") : 0,
             *pointer ? pointer + 1 : "");
    snprintf(line, sizeof(line), "%s%s%s", pointer, *pointer ? ": " : "", message);
    return !json_object_get(report->own, option) && strstr(report->told, line) != NULL;
}

void weir__tls_fault(tls_report *report, const char *pointer, const char *format, ...)
{
    char joined[POINTER_MOST];
    char message[MESSAGE_MOST];
    va_list values;

    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    join_pointer(report, pointer, joined);
    report->faults++;
    if (was_told(report, pointer, message))
        return;
    if (report->configure)
        weir_configure_fault(report->configure, joined, "%s", message);
    else
        append(&report->text, "; ", joined, message);
    remember(report, pointer, message);
}

void weir__tls_warning(tls_report *report, const char *pointer, const char *format, ...)
{
    char joined[POINTER_MOST];
    char message[MESSAGE_MOST];
    va_list values;

    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    join_pointer(report, pointer, joined);
    if (was_told(report, pointer, message))
        return;
    if (report->configure)
        weir_configure_warning(report->configure, joined, "%s", message);
    else if (report->runtime)
        weir_log(report->runtime, WEIR_LOG_WARN, "tls: %s: %s", joined, message);
    remember(report, pointer, message);
}

const char *weir__tls_item(const tls_list *list, size_t index, const char *name, char room[TLS_POINTER_MOST])
{
    if (list->is_array)
        snprintf(room, TLS_POINTER_MOST, "/%s/%zu", name, index);
    else
        snprintf(room, TLS_POINTER_MOST, "/%s", name);
    return room;
}

weir_error *weir__tls_report_error(tls_report *report, const char *what)
{
    if (report->faults == 0)
        return NULL;
    return weir_error_newf(WEIR_EINVALID_CONFIG, NULL, NULL, -1, "%s: %s", what,
                           report->text ? report->text : weir_error_text(UV_ENOMEM));
}

void weir__tls_report_end(tls_report *report)
{
    weir_free(report->text);
    weir_free(report->told);
    report->text = NULL;
    report->told = NULL;
}
