/* SPDX-License-Identifier: MIT */
/*
 * Prefix trees. A branch knows only which bit it looks at, since all prefixes below it agree in the bits before; the
 * address that is asked for is compared once, with the one prefix that its bits lead to.
 */
#define _GNU_SOURCE

#include "blocklist_tree.h"

#include <string.h>

#include <uv.h>

#include "memory.h"

typedef enum node_kind { EMPTY, BRANCH, LEAF } node_kind; /* EMPTY: a root without prefixes */

struct weir__tree_node {
    uint32_t value; /* BRANCH: its pair of children; LEAF: the address, or where it is among the keys; free: the next */
    uint8_t bit;    /* BRANCH: the one looked at; LEAF: the length of the prefix */
    uint8_t kind;
};

#define DEPTH_MOST 128 /* branches above a leaf: each looks at a bit of its own */

/* ---- bits ---- */

static unsigned bit_of(weir__ip address, unsigned bit)
{
    return (unsigned)((bit < 64 ? address.high >> (63 - bit) : address.low >> (127 - bit)) & 1);
}

/* How many bits at the front are the same. */
static unsigned agreement(weir__ip a, weir__ip b)
{
    if (a.high != b.high)
        return (unsigned)__builtin_clzll(a.high ^ b.high);
    return a.low == b.low ? 128 : 64 + (unsigned)__builtin_clzll(a.low ^ b.low);
}

static int is_behind(weir__ip a, weir__ip b)
{
    return a.high != b.high ? a.high > b.high : a.low > b.low;
}

/* The last address, of so many bits, that begins with the first `length` bits of this one. */
static weir__ip last_of(weir__ip address, unsigned length, unsigned width)
{
    uint64_t high = length >= 64 ? 0 : UINT64_MAX >> length;
    uint64_t low = length <= 64 ? UINT64_MAX : length == 128 ? 0 : UINT64_MAX >> (length - 64);
    weir__ip last = {address.high | high, address.low | low};
    if (width == 32) {
        last.high &= UINT64_MAX << 32;
        last.low = 0;
    }
    return last;
}

void weir__tree_bounds(unsigned width, unsigned length, weir__ip *first, weir__ip *last)
{
    *last = last_of(*first, length, width);
    const weir__ip zero = {0, 0};
    const weir__ip host = last_of(zero, length, width);
    first->high &= ~host.high;
    first->low &= ~host.low;
}

/* The address behind the last one of a prefix. */
static weir__ip behind(weir__ip first, unsigned length)
{
    uint64_t low = length > 64 ? (uint64_t)1 << (128 - length) : 0;
    uint64_t high = length > 64 ? 0 : (uint64_t)1 << (64 - length);
    weir__ip next = {first.high + high, first.low + low};
    if (next.low < low)
        next.high++;
    return next;
}

/* ---- ranges ---- */

/* The length of the largest prefix that begins at `first` and does not go beyond `last`. */
static unsigned largest(const weir__tree *tree, weir__ip first, weir__ip last)
{
    unsigned length = tree->width;
    while (length > 0 && bit_of(first, length - 1) == 0 && !is_behind(last_of(first, length - 1, tree->width), last))
        length--;
    return length;
}

/* From a range's first prefix to its next one. 0: there is none. */
static int advance(const weir__tree *tree, weir__ip *first, unsigned length, weir__ip last)
{
    if (!is_behind(last, last_of(*first, length, tree->width)))
        return 0;
    *first = behind(*first, length);
    return 1;
}

size_t weir__tree_prefixes(const weir__tree *tree, weir__ip first, weir__ip last)
{
    size_t count = 0;
    unsigned length;
    do {
        length = largest(tree, first, last);
        count++;
    } while (advance(tree, &first, length, last));
    return count;
}

/* ---- memory ---- */

/* The room that an array of `room` elements should have for `count` in use and so many more. 0: it has it. */
static uint32_t room_for(uint32_t count, uint32_t room, uint32_t unused, size_t more, int *status)
{
    size_t wanted = count + (more > unused ? more - unused : 0);
    size_t grown = (size_t)room + room / 2;
    if (wanted > UINT32_MAX / 2)
        *status = UV_ENOMEM;
    if (wanted <= room || *status != 0)
        return 0;
    if (grown < wanted)
        grown = wanted;
    return grown > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)grown;
}

static int reserve_keys(weir__tree *tree, size_t prefixes)
{
    int status = 0;
    uint32_t room = room_for(tree->key_count, tree->key_room, tree->keys_free, prefixes, &status);
    if (room == 0)
        return status;
    weir__ip *keys = weir__realloc(tree->keys, room * sizeof(*keys));
    if (keys == NULL)
        return UV_ENOMEM;
    tree->keys = keys;
    tree->key_room = room;
    return 0;
}

static int reserve_pairs(weir__tree *tree, size_t prefixes)
{
    int status = 0;
    size_t pairs = prefixes + (tree->nodes == NULL ? 1 : 0);
    uint32_t room = room_for(tree->pair_count, tree->pair_room, tree->pairs_free, pairs, &status);
    if (room == 0)
        return status;
    weir__tree_node *nodes = weir__realloc(tree->nodes, (size_t)room * 2 * sizeof(*nodes));
    if (nodes == NULL)
        return UV_ENOMEM;
    if (tree->nodes == NULL) {
        memset(nodes, 0, 2 * sizeof(*nodes));
        tree->pair_count = 1;
    }
    tree->nodes = nodes;
    tree->pair_room = room;
    return 0;
}

int weir__tree_reserve(weir__tree *tree, size_t prefixes)
{
    int status = reserve_pairs(tree, prefixes);
    return status == 0 && tree->width == 128 ? reserve_keys(tree, prefixes) : status;
}

void weir__tree_clear(weir__tree *tree)
{
    unsigned width = tree->width;
    weir__free(tree->nodes);
    weir__free(tree->keys);
    memset(tree, 0, sizeof(*tree));
    tree->width = width;
}

static uint32_t take_pair(weir__tree *tree)
{
    uint32_t pair = tree->pair_free;
    if (tree->pairs_free == 0)
        return tree->pair_count++;
    tree->pairs_free--;
    tree->pair_free = tree->nodes[(size_t)pair * 2].value;
    return pair;
}

static void give_pair(weir__tree *tree, uint32_t pair)
{
    tree->nodes[(size_t)pair * 2].value = tree->pair_free;
    tree->pair_free = pair;
    tree->pairs_free++;
}

static uint32_t take_key(weir__tree *tree)
{
    uint32_t key = tree->key_free;
    if (tree->keys_free == 0)
        return tree->key_count++;
    tree->keys_free--;
    tree->key_free = (uint32_t)tree->keys[key].low;
    return key;
}

static void give_key(weir__tree *tree, uint32_t key)
{
    if (tree->width == 32)
        return; /* it stands in the node */
    tree->keys[key].low = tree->key_free;
    tree->key_free = key;
    tree->keys_free++;
}

/* ---- nodes ---- */

static weir__ip key_of(const weir__tree *tree, const weir__tree_node *leaf)
{
    if (tree->width == 32)
        return (weir__ip){(uint64_t)leaf->value << 32, 0};
    return tree->keys[leaf->value];
}

static void set_leaf(weir__tree *tree, size_t at, weir__ip address, unsigned length)
{
    weir__tree_node *leaf = &tree->nodes[at];
    leaf->kind = LEAF;
    leaf->bit = (uint8_t)length;
    if (tree->width == 32) {
        leaf->value = (uint32_t)(address.high >> 32);
    } else {
        leaf->value = take_key(tree);
        tree->keys[leaf->value] = address;
    }
}

static size_t child_of(const weir__tree_node *branch, unsigned which)
{
    return (size_t)branch->value * 2 + which;
}

/* Gives up what a node refers to. */
static void prune(weir__tree *tree, size_t at)
{
    const weir__tree_node node = tree->nodes[at];
    if (node.kind == LEAF) {
        give_key(tree, node.value);
    } else if (node.kind == BRANCH) {
        prune(tree, child_of(&node, 0));
        prune(tree, child_of(&node, 1));
        give_pair(tree, node.value);
    }
}

/* Where a prefix would be if it were there: behind the prefix's end any leaf says as much about it as another. */
static size_t nearest_leaf(const weir__tree *tree, weir__ip address, unsigned length)
{
    size_t at = 0;
    while (tree->nodes[at].kind == BRANCH) {
        const weir__tree_node *branch = &tree->nodes[at];
        at = child_of(branch, branch->bit < length ? bit_of(address, branch->bit) : 0);
    }
    return at;
}

/* Two leaves that are the halves of one prefix become that one, and so on upwards. */
static void merge(weir__tree *tree, const size_t *path, size_t depth, size_t at)
{
    while (depth > 0) {
        size_t parent = path[--depth];
        const weir__tree_node own = tree->nodes[at], other = tree->nodes[at ^ 1];
        if (other.kind != LEAF || other.bit != own.bit || tree->nodes[parent].bit + 1 != own.bit)
            return;
        give_key(tree, other.value);
        give_pair(tree, tree->nodes[parent].value);
        tree->nodes[parent] = own;
        tree->nodes[parent].bit--;
        at = parent;
    }
}

/* The node becomes a branch on a bit; what it was is one child, and the other one, which is returned, is to be set. */
static size_t split(weir__tree *tree, size_t at, unsigned bit, unsigned which)
{
    uint32_t pair = take_pair(tree);
    weir__tree_node *node = &tree->nodes[at];
    size_t made = (size_t)pair * 2 + which;
    tree->nodes[made ^ 1] = *node;
    *node = (weir__tree_node){.value = pair, .bit = (uint8_t)bit, .kind = BRANCH};
    return made;
}

static void add_prefix(weir__tree *tree, weir__ip address, unsigned length)
{
    size_t path[DEPTH_MOST];
    size_t depth = 0, at = 0;
    size_t leaf = nearest_leaf(tree, address, length);
    if (tree->nodes[leaf].kind == EMPTY) {
        set_leaf(tree, leaf, address, length);
        return;
    }
    unsigned shared = agreement(address, key_of(tree, &tree->nodes[leaf]));
    if (shared > length)
        shared = length;
    if (tree->nodes[leaf].bit <= shared)
        return; /* it lies in that one */
    while (tree->nodes[at].kind == BRANCH && tree->nodes[at].bit < shared) {
        path[depth++] = at;
        at = child_of(&tree->nodes[at], bit_of(address, tree->nodes[at].bit));
    }
    if (shared == length) {
        prune(tree, at); /* all below lie in the new one */
    } else {
        path[depth++] = at;
        at = split(tree, at, shared, bit_of(address, shared));
    }
    set_leaf(tree, at, address, length);
    merge(tree, path, depth, at);
}

void weir__tree_add(weir__tree *tree, weir__ip first, weir__ip last)
{
    unsigned length;
    do {
        length = largest(tree, first, last);
        add_prefix(tree, first, length);
    } while (advance(tree, &first, length, last));
}

int weir__tree_has(const weir__tree *tree, weir__ip address)
{
    if (tree->nodes == NULL)
        return 0;
    const weir__tree_node *node = &tree->nodes[nearest_leaf(tree, address, 128)];
    return node->kind == LEAF && agreement(address, key_of(tree, node)) >= node->bit;
}
