/* SPDX-License-Identifier: MIT */
/* The report: faults and warnings go to their places, and what names under SNI have taken over is told once. */
#define _GNU_SOURCE

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "settings.h"

enum { POINTER_MOST = 512, MESSAGE_MOST = 2048 };

/* What is told around names is kept for them. Without memory they tell it again. */
static void remember(tls_report *report, const char *pointer, const char *message)
{
    size_t before = report->told ? strlen(report->told) : 0;
    size_t size = before + strlen(pointer) + strlen(message) + 4;
    char *grown = report->own ? NULL : weir_realloc(report->told, size);

    if (!grown)
        return;
    snprintf(grown + before, size - before, "%s%s%s%s", before ? "\n" : "", pointer, *pointer ? ": " : "", message);
    report->told = grown;
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

static void tell(tls_report *report, int warning, const char *pointer, const char *message)
{
    char joined[POINTER_MOST];

    if (was_told(report, pointer, message))
        return;
    snprintf(joined, sizeof(joined), "%s%s", report->base ? report->base : "", pointer);
    report->tell(report, warning, joined, message);
    remember(report, pointer, message);
}

void weir__tls_fault(tls_report *report, const char *pointer, const char *format, ...)
{
    char message[MESSAGE_MOST];
    va_list values;

    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    report->faults++;
    tell(report, 0, pointer, message);
}

void weir__tls_warning(tls_report *report, const char *pointer, const char *format, ...)
{
    char message[MESSAGE_MOST];
    va_list values;

    va_start(values, format);
    vsnprintf(message, sizeof(message), format, values);
    va_end(values);
    tell(report, 1, pointer, message);
}

const char *weir__tls_item(const tls_list *list, size_t index, const char *name, char room[TLS_POINTER_MOST])
{
    if (list->is_array)
        snprintf(room, TLS_POINTER_MOST, "/%s/%zu", name, index);
    else
        snprintf(room, TLS_POINTER_MOST, "/%s", name);
    return room;
}

void weir__tls_report_end(tls_report *report)
{
    weir_free(report->told);
    report->told = NULL;
}
