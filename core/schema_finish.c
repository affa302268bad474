/* SPDX-License-Identifier: MIT */
/* What follows from a schema as a whole: references that never come to a value, the kinds that can pass, secrets. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema_node.h"

/* Schemas that apply to one value within each other. A check keeps a frame of the stack for each. */
#define HEIGHT_MOST 64

weir__node *weir__members_find(const weir__members *members, const char *name)
{
    size_t low = 0, high = members->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, members->items[middle].name);
        if (order == 0)
            return members->items[middle].node;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

weir__node *weir__node_in_place(const weir__node *node, size_t index, weir__edge *edge)
{
    const weir__nodes *lists[] = {&node->all_of, &node->any_of, &node->one_of};
    weir__node *const singles[] = {node->ref, node->then_schema, node->else_schema, node->not_schema, node->if_schema};
    static const weir__edge single_edges[] = {WEIR__EDGE_ALWAYS, WEIR__EDGE_MAYBE, WEIR__EDGE_MAYBE, WEIR__EDGE_TEST,
                                              WEIR__EDGE_TEST};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        *edge = i == 0 ? WEIR__EDGE_ALWAYS : WEIR__EDGE_MAYBE;
        if (index < lists[i]->count)
            return lists[i]->items[index];
        index -= lists[i]->count;
    }
    *edge = WEIR__EDGE_MAYBE;
    if (index < node->dependent_schemas.count)
        return node->dependent_schemas.items[index].node;
    index -= node->dependent_schemas.count;
    for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
        *edge = single_edges[i];
        if (singles[i] && index-- == 0)
            return singles[i];
    }
    return NULL;
}

static unsigned kinds_of_values(const json_t *values)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < json_array_size(values); i++)
        kinds |= weir__kind_of(json_array_get(values, i));
    return kinds;
}

static unsigned kinds_of_alternatives(const weir__nodes *nodes)
{
    unsigned kinds = nodes->count ? 0 : WEIR__KIND_ANY;
    for (size_t i = 0; i < nodes->count; i++)
        kinds |= nodes->items[i]->accepts;
    return kinds;
}

/* All that applies in the same place is finished when this is called. */
static void conclude(weir__node *node)
{
    weir__edge edge;
    const weir__node *other;
    node->accepts = node->never ? 0 : node->kinds;
    if (node->enum_values)
        node->accepts &= kinds_of_values(node->enum_values);
    if (node->const_value)
        node->accepts &= weir__kind_of(node->const_value);
    node->accepts &= kinds_of_alternatives(&node->any_of) & kinds_of_alternatives(&node->one_of);
    node->secret = node->write_only;
    for (size_t i = 0; (other = weir__node_in_place(node, i, &edge)) != NULL; i++) {
        if (edge == WEIR__EDGE_ALWAYS)
            node->accepts &= other->accepts;
        node->secret = node->secret || (edge != WEIR__EDGE_TEST && other->secret);
        if (node->height <= other->height)
            node->height = other->height + 1;
    }
    if (node->height == 0)
        node->height = 1;
}

static void refuse(weir__compiler *compiler, const weir__node *node, const char *why)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "%s", why);
    weir__compile_fault(compiler, node->location, &message);
}

static void visit(weir__compiler *compiler, weir__node *node, unsigned depth)
{
    weir__edge edge;
    weir__node *other;
    if (compiler->faulty)
        return;
    if (node->visiting) {
        refuse(compiler, node, "refers to itself for the same value: checking it would never end");
        return;
    }
    if (depth + node->height > HEIGHT_MOST) {
        refuse(compiler, node, "more than 64 schemas apply to the same value within each other");
        return;
    }
    if (node->height > 0)
        return;
    node->visiting = true;
    for (size_t i = 0; (other = weir__node_in_place(node, i, &edge)) != NULL; i++)
        visit(compiler, other, depth + 1);
    node->visiting = false;
    if (!compiler->faulty)
        conclude(node);
}

void weir__compile_finish(weir__compiler *compiler)
{
    for (weir__node *node = compiler->schema->nodes; node; node = node->next)
        visit(compiler, node, 0);
}
