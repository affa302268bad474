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

/* "/cert: cannot read ...; /key: ..." grows; without memory what was there stays. */
static void collect(tls_report *report, const char *pointer, const char *message)
{
    size_t before = report->text ? strlen(report->text) : 0;
    size_t size = before + strlen(pointer) + strlen(message) + 5;
    char *grown = weir_realloc(report->text, size);

    if (!grown)
        return;
    snprintf(grown + before, size - before, "%s%s%s%s", before ? "; " : "", pointer, *pointer ? ": " : "", message);
    report->text = grown;
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
    if (report->configure)
        weir_configure_fault(report->configure, joined, "%s", message);
    else
        collect(report, joined, message);
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
    if (report->configure)
        weir_configure_warning(report->configure, joined, "%s", message);
    else if (report->runtime)
        weir_log(report->runtime, WEIR_LOG_WARN, "tls: %s: %s", joined, message);
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
    report->text = NULL;
}
