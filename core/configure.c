/* SPDX-License-Identifier: MIT */
/* What a plugin's configure calls: faults and warnings with their places, and paths beside the configuration. */
#define _GNU_SOURCE

#include "configure_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/limits.h>

#include "memory.h"
#include "schema.h"

weir__configure *weir__configure_of(weir_configure *configure)
{
    return (weir__configure *)configure;
}

char *weir__configure_pointer(const weir__configure *configure, const char *inner)
{
    size_t length = strlen(configure->pointer);
    size_t inner_length = inner ? strlen(inner) : 0;
    /* "port" can only mean "/port". */
    size_t slash = inner_length > 0 && inner[0] != '/' ? 1 : 0;
    char *pointer = weir__malloc(length + slash + inner_length + 1);
    if (!pointer)
        return NULL;
    memcpy(pointer, configure->pointer, length);
    if (slash)
        pointer[length] = '/';
    if (inner_length)
        memcpy(pointer + length + slash, inner, inner_length);
    pointer[length + slash + inner_length] = '\0';
    return pointer;
}

static void note(const weir__configure *configure, weir__faults *faults, const char *inner, const char *message)
{
    char *pointer = weir__configure_pointer(configure, inner);
    if (!pointer)
        faults->out_of_memory = true;
    else if (configure->document)
        weir__document_fault(configure->document, faults, pointer, false, message);
    else
        weir__faults_add(faults, configure->label ? configure->label : "", 0, 0, pointer, message);
    weir__free(pointer);
}

WEIR_PRINTF(2, 0) static void compose(weir__message *message, const char *format, va_list values)
{
    char text[2 * WEIR__MESSAGE_SIZE];
    vsnprintf(text, sizeof(text), format, values);
    weir__message_start(message);
    weir__message_plain(message, text, strlen(text));
}

void weir_configure_fault(weir_configure *configure, const char *pointer, const char *format, ...)
{
    weir__configure *whole = weir__configure_of(configure);
    weir__message message;
    va_list values;
    va_start(values, format);
    compose(&message, format, values);
    va_end(values);
    note(whole, whole->faults, pointer, message.text);
}

/* Nobody collects warnings: they become lines of the log, with their place if there is memory for it. */
static void log_warning(const weir__configure *whole, const char *pointer, const char *message)
{
    weir__faults faults = {0};
    note(whole, &faults, pointer, message);
    char *text = faults.out_of_memory ? NULL : weir__faults_text(&faults);
    if (text)
        text[strcspn(text, "\n")] = '\0';
    weir_log(whole->public.runtime, WEIR_LOG_WARN, "%s", text ? text : message);
    weir__free(text);
    weir__faults_free(&faults);
}

void weir_configure_warning(weir_configure *configure, const char *pointer, const char *format, ...)
{
    weir__configure *whole = weir__configure_of(configure);
    weir__message message;
    va_list values;
    va_start(values, format);
    compose(&message, format, values);
    va_end(values);
    if (whole->warnings)
        note(whole, whole->warnings, pointer, message.text);
    else
        log_warning(whole, pointer, message.text);
}

char *weir_configure_path(const weir_configure *configure, const char *path)
{
    char here[PATH_MAX] = "";
    const char *folder = configure->folder;
    if (path[0] == '/')
        return weir__strdup(path);
    /* The folder is as the configuration's own path was: perhaps relative. Where even the working folder has no name,
     * the relative path is still right. */
    if (folder[0] != '/' && !getcwd(here, sizeof(here)))
        here[0] = '\0';
    size_t size = strlen(here) + 1 + strlen(folder) + 1 + strlen(path) + 1;
    char *joined = weir__malloc(size);
    if (joined)
        snprintf(joined, size, "%s%s%s%s%s", here, here[0] ? "/" : "", folder,
                 folder[0] && folder[strlen(folder) - 1] != '/' ? "/" : "", path);
    return joined;
}

static uint64_t amount(const weir_configure *configure, const char *name, uint64_t otherwise,
                       int (*read)(const json_t *value, uint64_t *amount))
{
    const json_t *value = json_object_get(configure->options, name);
    uint64_t given;
    return value && read(value, &given) == 0 ? given : otherwise;
}

uint64_t weir_configure_duration(const weir_configure *configure, const char *name, uint64_t otherwise)
{
    return amount(configure, name, otherwise, weir__duration_of);
}

uint64_t weir_configure_size(const weir_configure *configure, const char *name, uint64_t otherwise)
{
    return amount(configure, name, otherwise, weir__size_of);
}
