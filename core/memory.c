/* SPDX-License-Identifier: MIT */
/* The allocator table of the process, and the few forms in which the library asks it for memory. */
#define _GNU_SOURCE

#include "memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static weir_allocator current = {malloc, realloc, calloc, free};

int weir_set_allocator(const weir_allocator *allocator)
{
    static const weir_allocator libc = {malloc, realloc, calloc, free};
    if (!allocator)
        allocator = &libc;
    if (!allocator->malloc || !allocator->realloc || !allocator->calloc || !allocator->free)
        return -EINVAL;
    current = *allocator;
    return 0;
}

void *weir__malloc(size_t size)
{
    return current.malloc(size ? size : 1);
}

void *weir__calloc(size_t count, size_t size)
{
    /* A foreign calloc may not check the product. */
    if (size && count > SIZE_MAX / size)
        return NULL;
    return count && size ? current.calloc(count, size) : current.calloc(1, 1);
}

void *weir__realloc(void *memory, size_t size)
{
    return current.realloc(memory, size ? size : 1);
}

void weir__free(void *memory)
{
    if (memory)
        current.free(memory);
}

char *weir__strndup(const char *text, size_t length)
{
    size_t used = strnlen(text, length);
    char *copy = weir__malloc(used + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, used);
    copy[used] = '\0';
    return copy;
}

char *weir__strdup(const char *text)
{
    return weir__strndup(text, strlen(text));
}

int weir__array_reserve(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    if (wanted > SIZE_MAX / 2 / size)
        return -ENOMEM;
    void *grown = weir__realloc(*items, wanted * size);
    if (!grown)
        return -ENOMEM;
    *items = grown;
    *capacity = wanted;
    return 0;
}

void *weir_malloc(size_t size)
{
    return weir__malloc(size);
}

void *weir_calloc(size_t count, size_t size)
{
    return weir__calloc(count, size);
}

void *weir_realloc(void *memory, size_t size)
{
    return weir__realloc(memory, size);
}

void weir_free(void *memory)
{
    weir__free(memory);
}
