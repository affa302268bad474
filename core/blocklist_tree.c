/* SPDX-License-Identifier: MIT */
/*
 * Prefix trees. A branch looks at four bits, its digit, and knows only where they are, since all prefixes below it agree
 * in the bits before; the address that is asked for is compared once, with the one prefix that its digits lead to. So
 * a check of a million rules looks at half a dozen places in memory. Children stand side by side, without gaps; a prefix
 * that ends within a branch's digit is the child of each digit that begins like it.
 */
#define _GNU_SOURCE

#include "blocklist_tree.h"

#include <string.h>

#include <uv.h>

#include "memory.h"

typedef enum node_kind { EMPTY, BRANCH, LEAF } node_kind; /* EMPTY: a root without prefixes */

struct weir__tree_node {
    uint32_t value;  /* BRANCH: its first child; LEAF: the address, or where it is among the keys; free: the next run */
    uint16_t digits; /* BRANCH: which ones it has children for, as bits */
    uint8_t bit;     /* BRANCH: the first one of its digit; LEAF: the length of the prefix */
    uint8_t kind;
};

#define DIGIT      4u /* bits */
#define DEPTH_MOST 32 /* branches above a leaf: each has a digit of its own */

/* Digits that begin alike: those of one prefix in one branch. */
typedef struct digits {
    unsigned first;
    unsigned last;
} digits;

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

/* The address behind the last one of a prefix, which is not all there are. */
static weir__ip behind(weir__ip first, unsigned length)
{
    uint64_t low = length > 64 ? (uint64_t)1 << (128 - length) : 0;
    uint64_t high = length > 64 || length == 0 ? 0 : (uint64_t)1 << (64 - length);
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
static uint32_t room_for(uint32_t count, uint32_t room, size_t more, int *status)
{
    size_t grown = (size_t)room + room / 4;
    if (more > UINT32_MAX / 2 || count + more > UINT32_MAX / 2)
        *status = UV_ENOMEM;
    if (*status != 0 || count + more <= room)
        return 0;
    if (grown < count + more)
        grown = count + more;
    return grown > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)grown;
}

static int reserve_keys(weir__tree *tree, size_t prefixes)
{
    int status = 0;
    size_t more = prefixes > tree->keys_free ? prefixes - tree->keys_free : 0;
    uint32_t room = room_for(tree->key_count, tree->key_room, more, &status);
    if (room == 0)
        return status;
    weir__ip *keys = weir__realloc(tree->keys, room * sizeof(*keys));
    if (keys == NULL)
        return UV_ENOMEM;
    tree->keys = keys;
    tree->key_room = room;
    return 0;
}

/* A prefix needs one run at most. Which of the free ones will do is not known beforehand, so none is counted on. */
static int reserve_nodes(weir__tree *tree, size_t prefixes)
{
    int status = 0;
    size_t more = prefixes > UINT32_MAX ? UINT32_MAX : prefixes * WEIR__TREE_FAN + 1;
    uint32_t room = room_for(tree->node_count, tree->node_room, more, &status);
    if (room == 0)
        return status;
    weir__tree_node *nodes = weir__realloc(tree->nodes, room * sizeof(*nodes));
    if (nodes == NULL)
        return UV_ENOMEM;
    if (tree->nodes == NULL) {
        memset(nodes, 0, sizeof(*nodes));
        tree->node_count = 1;
    }
    tree->nodes = nodes;
    tree->node_room = room;
    return 0;
}

int weir__tree_reserve(weir__tree *tree, size_t prefixes)
{
    int status = reserve_nodes(tree, prefixes);
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

static uint32_t take_run(weir__tree *tree, unsigned count)
{
    uint32_t run = tree->runs_free[count];
    if (run != 0) {
        tree->runs_free[count] = tree->nodes[run].value;
        return run;
    }
    run = tree->node_count;
    tree->node_count += count;
    return run;
}

static void give_run(weir__tree *tree, uint32_t run, unsigned count)
{
    tree->nodes[run].value = tree->runs_free[count];
    tree->runs_free[count] = run;
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

static weir__tree_node new_leaf(weir__tree *tree, weir__ip address, unsigned length)
{
    weir__tree_node leaf = {.bit = (uint8_t)length, .kind = LEAF};
    if (tree->width == 32) {
        leaf.value = (uint32_t)(address.high >> 32);
    } else {
        leaf.value = take_key(tree);
        tree->keys[leaf.value] = address;
    }
    return leaf;
}

/* How many of 16 bits are set. */
static unsigned count_of(unsigned bits)
{
    bits -= bits >> 1 & 0x5555;
    bits = (bits & 0x3333) + (bits >> 2 & 0x3333);
    bits = (bits + (bits >> 4)) & 0x0f0f;
    return (bits + (bits >> 8)) & 0x1f;
}

static int has_child(const weir__tree_node *branch, unsigned digit)
{
    return branch->digits >> digit & 1;
}

/* Where a digit's child is, or would be. */
static uint32_t child_of(const weir__tree_node *branch, unsigned digit)
{
    return branch->value + count_of(branch->digits & ((1u << digit) - 1));
}

static unsigned digit_at(weir__ip address, unsigned bit)
{
    return (unsigned)((bit < 64 ? address.high >> (60 - bit) : address.low >> (124 - bit)) & 15);
}

/* Those of a prefix that reaches into the digit at `bit`, or beyond it. */
static digits digits_of(weir__ip address, unsigned length, unsigned bit)
{
    unsigned free_bits = length >= bit + DIGIT ? 0 : bit + DIGIT - length;
    unsigned first = digit_at(address, bit) >> free_bits << free_bits;
    return (digits){first, first + (1u << free_bits) - 1};
}

static unsigned mask_of(digits range)
{
    return (2u << range.last) - (1u << range.first);
}

/* ---- adding ---- */

static void prune(weir__tree *tree, const weir__tree_node *node);

/* Gives up what children of a branch refer to. Those of one prefix, which stand side by side, share one key. */
static void prune_children(weir__tree *tree, const weir__tree_node *branch, unsigned mask)
{
    const weir__tree_node *before = NULL;
    for (unsigned digit = 0; digit < WEIR__TREE_FAN; digit++) {
        if (!(branch->digits & mask & 1u << digit))
            continue;
        const weir__tree_node *child = &tree->nodes[child_of(branch, digit)];
        if (before == NULL || before->kind != LEAF || child->kind != LEAF || before->value != child->value)
            prune(tree, child);
        before = child;
    }
}

static void prune(weir__tree *tree, const weir__tree_node *node)
{
    const weir__tree_node own = *node;
    if (own.kind == LEAF) {
        give_key(tree, own.value);
    } else if (own.kind == BRANCH) {
        prune_children(tree, &own, 0xffff);
        give_run(tree, own.value, count_of(own.digits));
    }
}

/* A branch's children for these digits are all this one from now on; what was there lies in it, and goes. */
static void set_children(weir__tree *tree, uint32_t at, digits range, weir__tree_node child)
{
    const weir__tree_node old = tree->nodes[at];
    weir__tree_node *branch = &tree->nodes[at];
    branch->digits |= (uint16_t)mask_of(range);
    unsigned count = count_of(branch->digits), old_count = count_of(old.digits);
    if (count != old_count)
        branch->value = take_run(tree, count);
    for (unsigned digit = 0; digit < WEIR__TREE_FAN; digit++) {
        if (digit >= range.first && digit <= range.last)
            tree->nodes[child_of(branch, digit)] = child;
        else if (has_child(&old, digit))
            tree->nodes[child_of(branch, digit)] = tree->nodes[child_of(&old, digit)];
    }
    if (count != old_count)
        give_run(tree, old.value, old_count);
}

/* The leaf that has most in common with a prefix, in particular the one that it lies in; or an empty root. */
static uint32_t nearest_leaf(const weir__tree *tree, weir__ip address, unsigned length)
{
    uint32_t at = 0;
    while (tree->nodes[at].kind == BRANCH) {
        const weir__tree_node *branch = &tree->nodes[at];
        unsigned digit = digit_at(address, branch->bit);
        /* elsewhere any child says as much as another: all differ from the prefix here, or lie in it */
        at = branch->bit < length && has_child(branch, digit) ? child_of(branch, digit) : branch->value;
    }
    return at;
}

/*
 * Two prefixes that are the halves of one become that one, and so on upwards: `path` are the branches above the prefix
 * that was added.
 */
static void merge(weir__tree *tree, const uint32_t *path, size_t depth, weir__ip address, unsigned length)
{
    while (depth > 0) {
        weir__tree_node *branch = &tree->nodes[path[depth - 1]];
        if (branch->bit + DIGIT < length)
            return; /* its other half would have made a branch there */
        digits own = digits_of(address, length, branch->bit), both = digits_of(address, length - 1, branch->bit);
        unsigned other = own.first == both.first ? both.last : both.first;
        if (!has_child(branch, other))
            return;
        const weir__tree_node kept = tree->nodes[child_of(branch, own.first)];
        const weir__tree_node half = tree->nodes[child_of(branch, other)];
        if (half.kind != LEAF || half.bit != length)
            return;
        give_key(tree, half.value);
        length--;
        const weir__tree_node whole = {.value = kept.value, .bit = (uint8_t)length, .kind = LEAF};
        set_children(tree, path[depth - 1], both, whole);
        if (length == branch->bit) {
            give_run(tree, branch->value, WEIR__TREE_FAN);
            *branch = whole;
            depth--;
        }
    }
}

/*
 * A branch in the place of a node, which is a child of it now, and so is a leaf that has these digits. `address` is one
 * that the node is on the way to.
 */
static void split(weir__tree *tree, uint32_t at, weir__ip address, unsigned bit, digits range, weir__tree_node leaf)
{
    const weir__tree_node node = tree->nodes[at];
    digits own = digits_of(address, node.kind == LEAF ? node.bit : 128, bit);
    weir__tree_node branch = {.digits = (uint16_t)(mask_of(own) | mask_of(range)), .bit = (uint8_t)bit, .kind = BRANCH};
    branch.value = take_run(tree, count_of(branch.digits));
    for (unsigned digit = 0; digit < WEIR__TREE_FAN; digit++)
        if (has_child(&branch, digit))
            tree->nodes[child_of(&branch, digit)] = digit >= own.first && digit <= own.last ? node : leaf;
    tree->nodes[at] = branch;
}

static void add_prefix(weir__tree *tree, weir__ip address, unsigned length)
{
    uint32_t path[DEPTH_MOST];
    size_t depth = 0;
    uint32_t at = nearest_leaf(tree, address, length);
    if (tree->nodes[at].kind == EMPTY) {
        tree->nodes[at] = new_leaf(tree, address, length);
        return;
    }
    const weir__ip nearest = key_of(tree, &tree->nodes[at]);
    unsigned shared = agreement(address, nearest);
    if (shared > length)
        shared = length;
    if (tree->nodes[at].bit <= shared)
        return; /* it lies in that one */
    for (at = 0; tree->nodes[at].kind == BRANCH && tree->nodes[at].bit + DIGIT <= shared;
         at = child_of(&tree->nodes[at], digit_at(address, tree->nodes[at].bit)))
        path[depth++] = at;
    int is_branch = tree->nodes[at].kind == BRANCH;
    if (shared == length && (!is_branch || tree->nodes[at].bit >= length)) {
        prune(tree, &tree->nodes[at]); /* all of it lies in the new one */
        tree->nodes[at] = new_leaf(tree, address, length);
    } else if (!is_branch || tree->nodes[at].bit > shared) {
        unsigned bit = shared / DIGIT * DIGIT;
        split(tree, at, nearest, bit, digits_of(address, length, bit), new_leaf(tree, address, length));
        path[depth++] = at;
    } else {
        digits range = digits_of(address, length, tree->nodes[at].bit);
        prune_children(tree, &tree->nodes[at], mask_of(range));
        set_children(tree, at, range, new_leaf(tree, address, length));
        path[depth++] = at;
    }
    merge(tree, path, depth, address, length);
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
    const weir__tree_node *node = tree->nodes;
    while (node->kind == BRANCH) {
        unsigned digit = digit_at(address, node->bit);
        if (!has_child(node, digit))
            return 0;
        node = &tree->nodes[child_of(node, digit)];
    }
    return node->kind == LEAF && agreement(address, key_of(tree, node)) >= node->bit;
}
