/* SPDX-License-Identifier: MIT */
/* Sets of IP addresses of one family, made of ranges and asked for single addresses: path-compressed prefix trees. */
#ifndef WEIR_CORE_BLOCKLIST_TREE_H
#define WEIR_CORE_BLOCKLIST_TREE_H

#include <stddef.h>
#include <stdint.h>

/* An address with its first bit as the highest one of `high`; one of 32 bits fills the upper half of `high`. */
typedef struct weir__ip {
    uint64_t high;
    uint64_t low;
} weir__ip;

typedef struct weir__tree_node weir__tree_node;

#define WEIR__TREE_FAN 16 /* children of a branch, at most */

/*
 * Zeroed but for `width` it is empty. The prefixes in it are disjoint: one that lies in another is left out, and two
 * halves become one. About 12 bytes a prefix, or 28 where width is 128.
 */
typedef struct weir__tree {
    unsigned width;      /* bits of an address: 32 or 128 */
    uint32_t node_count; /* in use or on a free list; the first one is the root */
    uint32_t node_room;
    uint32_t runs_free[WEIR__TREE_FAN + 1]; /* nodes side by side that nobody uses, by their number; 0: none */
    uint32_t key_count;                     /* likewise: keys are kept apart where a node has no room for them */
    uint32_t key_room;
    uint32_t keys_free; /* on the list that begins at key_free */
    uint32_t key_free;
    weir__tree_node *nodes;
    weir__ip *keys;
} weir__tree;

/* The first and the last of the addresses, of so many bits, that begin with the first `length` bits of `*first`. */
void weir__tree_bounds(unsigned width, unsigned length, weir__ip *first, weir__ip *last);

/* Of how many prefixes the addresses from `first` to `last` (not behind one another) consist: 1 to 2 * width - 2. */
size_t weir__tree_prefixes(const weir__tree *tree, weir__ip first, weir__ip last);

/* Makes room for so many more prefixes. 0, or UV_ENOMEM with the set as it was. */
int weir__tree_reserve(weir__tree *tree, size_t prefixes);

/* Adds the addresses from `first` to `last`; there is room for their prefixes. */
void weir__tree_add(weir__tree *tree, weir__ip first, weir__ip last);

/* 1 or 0. Changes nothing: any number of threads may ask. */
int weir__tree_has(const weir__tree *tree, weir__ip address);

void weir__tree_clear(weir__tree *tree);

#endif
