/* SPDX-License-Identifier: MIT */
/* A bounded list of faults with their places: kept once each, sorted, printed a line each. */
#define _GNU_SOURCE

#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* A member's name may be as long as the file; a hundred faults under it must not take a hundred times that. */
#define POINTER_MOST 400

void weir__faults_init(weir__faults *faults)
{
    memset(faults, 0, sizeof(*faults));
}

void weir__faults_free(weir__faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        weir__free(faults->items[i].file);
        weir__free(faults->items[i].pointer);
        weir__free(faults->items[i].message);
    }
    weir__free(faults->items);
    weir__faults_init(faults);
}

bool weir__faults_any(const weir__faults *faults)
{
    return faults->count > 0 || faults->more > 0 || faults->out_of_memory;
}

bool weir__faults_full(const weir__faults *faults)
{
    return faults->count >= WEIR__FAULTS_MOST;
}

static char *copy_pointer(const char *pointer)
{
    size_t length = strlen(pointer);
    if (length <= POINTER_MOST)
        return weir__strdup(pointer);
    length = POINTER_MOST;
    while (length && ((unsigned char)pointer[length] & 0xC0) == 0x80)
        length--;
    char *copy = weir__malloc(length + 4);
    if (!copy)
        return NULL;
    memcpy(copy, pointer, length);
    memcpy(copy + length, "...", 4);
    return copy;
}

static bool is_noted(const weir__faults *faults, const weir__fault *fault)
{
    for (size_t i = 0; i < faults->count; i++) {
        const weir__fault *other = &faults->items[i];
        if (other->line == fault->line && other->column == fault->column &&
            strcmp(other->message, fault->message) == 0 && strcmp(other->pointer, fault->pointer) == 0 &&
            strcmp(other->file, fault->file) == 0)
            return true;
    }
    return false;
}

/*
 * In a URL an option has no place of its own in the document: the fault's pointer ends at the member that holds the URL,
 * and the message names the option instead. Gives the message, which may be in `text`.
 */
static const char *name_option(const weir__faults *faults, const char **pointer, const char *message,
                               weir__message *text)
{
    size_t url = faults->url && *pointer ? strlen(faults->url) : 0;
    if (!faults->url || !*pointer || strncmp(*pointer, faults->url, url) != 0 || (*pointer)[url] != '/')
        return message;
    const char *option = *pointer + url + 1;
    weir__message_start(text);
    weir__message_add(text, "the option ");
    weir__message_quote(text, option, strcspn(option, "/"));
    weir__message_add(text, ": %s", message);
    *pointer = faults->url;
    return text->text;
}

void weir__faults_add(weir__faults *faults, const char *file, unsigned line, unsigned column, const char *pointer,
                      const char *message)
{
    if (weir__faults_full(faults)) {
        faults->more++;
        return;
    }
    weir__message text;
    message = name_option(faults, &pointer, message, &text);
    weir__fault fault = {.line = line, .column = column, .sequence = faults->count};
    void *items = faults->items;
    int status = weir__array_reserve(&items, faults->count, &faults->capacity, sizeof(weir__fault));
    faults->items = items;
    if (status == 0) {
        fault.file = weir__strdup(file ? file : "");
        fault.pointer = copy_pointer(pointer ? pointer : "");
        fault.message = weir__strdup(message);
    }
    if (fault.file && fault.pointer && fault.message && !is_noted(faults, &fault)) {
        faults->items[faults->count++] = fault;
        return;
    }
    if (!fault.file || !fault.pointer || !fault.message)
        faults->out_of_memory = true;
    weir__free(fault.file);
    weir__free(fault.pointer);
    weir__free(fault.message);
}

bool weir__faults_know(const weir__faults *faults, const char *pointer)
{
    for (size_t i = faults->known_from; i < faults->known_to; i++)
        if (strcmp(faults->items[i].pointer, pointer) == 0)
            return true;
    return false;
}

void weir__faults_addf(weir__faults *faults, const char *file, unsigned line, unsigned column, const char *pointer,
                       const char *format, ...)
{
    char text[WEIR__MESSAGE_SIZE];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    weir__faults_add(faults, file, line, column, pointer, text);
}

/* The place in the list where a file was first named: files keep the order in which they were read. */
static size_t first_of_file(const weir__faults *faults, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(faults->items[i].file, faults->items[at].file) == 0)
            return i;
    return at;
}

typedef struct {
    size_t file;
    weir__fault fault;
} sortable;

static int by_place(const void *left, const void *right)
{
    const sortable *a = left, *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->fault.line != b->fault.line)
        return a->fault.line < b->fault.line ? -1 : 1;
    if (a->fault.column != b->fault.column)
        return a->fault.column < b->fault.column ? -1 : 1;
    return a->fault.sequence < b->fault.sequence ? -1 : 1;
}

void weir__faults_sort(weir__faults *faults)
{
    sortable places[WEIR__FAULTS_MOST];
    if (faults->count < 2)
        return;
    for (size_t i = 0; i < faults->count; i++)
        places[i] = (sortable){.file = first_of_file(faults, i), .fault = faults->items[i]};
    qsort(places, faults->count, sizeof(places[0]), by_place);
    for (size_t i = 0; i < faults->count; i++)
        faults->items[i] = places[i].fault;
}

static int print_fault(FILE *stream, const weir__fault *fault)
{
    weir__message place;
    weir__message_start(&place);
    weir__message_plain(&place, fault->pointer, strlen(fault->pointer));
    int status = 0;
    if (fault->line)
        status |= fprintf(stream, "%s:%u:%u: ", fault->file, fault->line, fault->column) < 0;
    else if (fault->file[0])
        status |= fprintf(stream, "%s: ", fault->file) < 0;
    if (place.length)
        status |= fprintf(stream, "%s: ", place.text) < 0;
    return status | (fprintf(stream, "%s\n", fault->message) < 0);
}

char *weir__faults_text(weir__faults *faults)
{
    /* A stream of libc's own memory: the text is copied out of it, so that it is freed like everything else. */
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    int status = 0;
    weir__faults_sort(faults);
    for (size_t i = 0; i < faults->count; i++)
        status |= print_fault(stream, &faults->items[i]);
    if (faults->more)
        status |= fprintf(stream, "and %zu more fault%s\n", faults->more, faults->more == 1 ? "" : "s") < 0;
    if (faults->out_of_memory)
        status |= fputs("out of memory\n", stream) < 0;
    status |= fclose(stream);
    char *copy = text && !status ? weir__strdup(text) : NULL;
    free(text);
    return copy;
}
