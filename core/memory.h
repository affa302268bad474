/* SPDX-License-Identifier: MIT */
/*
 * The library's one source of memory: the table that weir_set_allocator (runtime.h) sets. Everything in the core
 * allocates here, so that a test can let any single allocation fail.
 */
#ifndef WEIR_CORE_MEMORY_H
#define WEIR_CORE_MEMORY_H

#include <stddef.h>

#include <weir/runtime.h>

/* As malloc, but a size of 0 gives a block that can be freed. NULL without memory. */
void *weir__malloc(size_t size);

/* Zeroed; NULL without memory or when count * size does not fit a size_t. */
void *weir__calloc(size_t count, size_t size);

/* As realloc, but a size of 0 keeps a block. NULL without memory: the old block is still the caller's. */
void *weir__realloc(void *memory, size_t size);

/* Copies, ended by NUL; weir__strndup reads at most length bytes and stops at a NUL. NULL without memory. */
char *weir__strdup(const char *text);
char *weir__strndup(const char *text, size_t length);

/* NULL passes. */
void weir__free(void *memory);

/*
 * Makes room for one more element behind count in the growing array *items (NULL at first) of elements of size bytes.
 * 0, or UV_ENOMEM with the array as it was.
 */
int weir__array_reserve(void **items, size_t count, size_t *capacity, size_t size);

#endif
