/* SPDX-License-Identifier: MIT */
/*
 * anyOf, oneOf and not. That no alternative fits says little, so what is reported is what keeps the value from the one
 * it was most likely meant for.
 */
#define _GNU_SOURCE

#include <string.h>

#include "schema_node.h"

#define APART __attribute__((noinline))

#define MERGED_MOST 32 /* lists of values put together into one message */

/* How far a value is from an alternative. */
typedef struct {
    size_t shallow, faults;
} misfit;

static misfit measure(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    weir__check before = *check;
    check->faults = 0;
    check->shallow = 0;
    check->base = at->depth;
    check->telling = false;
    check->first_only = false;
    weir__check_node(check, node, value, at);
    misfit found = {check->shallow, check->faults};
    check->faults = before.faults;
    check->shallow = before.shallow;
    check->base = before.base;
    check->telling = before.telling;
    check->first_only = before.first_only;
    return found;
}

/*
 * The alternative whose own level has the fewest faults: a value that has the right members, and a wrong value deep in
 * one of them, is told about that value.
 */
static const weir__node *nearest(weir__check *check, const weir__nodes *nodes, json_t *value, unsigned kind,
                                 const weir__step *at)
{
    const weir__node *best = NULL;
    misfit least = {0, 0};
    for (size_t i = 0; i < nodes->count && !weir__check_done(check); i++) {
        if (!(nodes->items[i]->accepts & kind))
            continue;
        misfit now = measure(check, nodes->items[i], value, at);
        if (!best || now.shallow < least.shallow || (now.shallow == least.shallow && now.faults < least.faults)) {
            best = nodes->items[i];
            least = now;
        }
    }
    return best;
}

/* Alternatives that only list values are one list to people. False when one of them says more. */
static APART bool tell_values(weir__check *check, const weir__nodes *nodes, json_t *value, unsigned kind,
                              const weir__step *at)
{
    json_t *lists[MERGED_MOST];
    size_t count = 0;
    for (size_t i = 0; i < nodes->count; i++) {
        const weir__node *node = nodes->items[i];
        json_t *values = node->enum_values ? node->enum_values : node->const_value;
        if (!(node->accepts & kind))
            continue;
        if (!values || count == MERGED_MOST || (json_is_array(values) && values == node->const_value))
            return false;
        lists[count++] = values;
    }
    if (count == 0)
        return false;
    weir__check_tell_choice(check, at, value, lists, count);
    return true;
}

/* A scalar has no depth to go by: what each alternative of its kind has against it is said. */
static APART void tell_all(weir__check *check, const weir__nodes *nodes, json_t *value, unsigned kind,
                           const weir__step *at)
{
    weir__message joined;
    weir__message *outer = check->joined;
    size_t faults = check->faults;
    weir__message_start(&joined);
    check->joined = &joined;
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->items[i]->accepts & kind)
            weir__check_node(check, nodes->items[i], value, at);
    check->joined = outer;
    check->faults = faults;
    if (!weir__check_done(check))
        weir__check_tell(check, at, false, &joined);
}

static void tell_none(weir__check *check, const weir__nodes *nodes, json_t *value, const weir__step *at)
{
    unsigned kind = weir__kind_of(value), kinds = 0;
    for (size_t i = 0; i < nodes->count; i++)
        kinds |= nodes->items[i]->accepts;
    if (kinds && !(kinds & kind)) {
        weir__check_tell_kinds(check, at, kinds, value);
        return;
    }
    const weir__node *best = nearest(check, nodes, value, kind, at);
    if (weir__check_done(check))
        return;
    if (!best)
        best = nodes->items[0];
    if (tell_values(check, nodes, value, kind, at))
        return;
    if (kind == WEIR__KIND_ARRAY || kind == WEIR__KIND_OBJECT || !kinds) {
        /* The fault was counted once by the caller; the ones told in its place count for themselves. */
        check->faults--;
        weir__check_node(check, best, value, at);
    } else {
        tell_all(check, nodes, value, kind, at);
    }
}

static void add_alternative(weir__message *message, const weir__node *node, size_t index)
{
    if (node->title)
        weir__message_quote(message, node->title, strlen(node->title));
    else
        weir__message_add(message, "alternative %zu", index + 1);
}

static APART void tell_both(weir__check *check, const weir__nodes *nodes, size_t first, size_t second,
                            const weir__step *at)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "fits both ");
    add_alternative(&message, nodes->items[first], first);
    weir__message_add(&message, " and ");
    add_alternative(&message, nodes->items[second], second);
    weir__message_add(&message, "; it must fit one alone");
    weir__check_tell(check, at, false, &message);
}

/* ---- not ---- */

static APART void tell_not(weir__check *check, const weir__node *node, const json_t *value, const weir__step *at)
{
    weir__message message;
    const char *said = node->title ? node->title : node->description;
    weir__message_start(&message);
    if (said) {
        weir__message_add(&message, "must not be: ");
        weir__message_plain(&message, said, strlen(said));
    } else if (node->required && json_is_object(value)) {
        size_t count = json_array_size(node->required);
        weir__message_add(&message, "must not have the member%s ", count == 1 ? "" : "s");
        for (size_t i = 0; i < count; i++) {
            weir__message_add(&message, i == 0 ? "" : i + 1 < count ? ", " : " and ");
            weir__message_value(&message, json_array_get(node->required, i));
        }
        weir__message_add(&message, count == 1 ? "" : " together");
    } else if (node->const_value || node->enum_values) {
        weir__check_value(check, at, &message, value);
        weir__message_add(&message, " is not allowed here");
    } else if (node->kinds != WEIR__KIND_ANY && !node->pattern) {
        weir__message_add(&message, "must not be ");
        weir__message_kinds(&message, node->kinds);
    } else {
        weir__check_value(check, at, &message, value);
        weir__message_add(&message, " is what the schema excludes at %s",
                          node->location[0] ? node->location : "its root");
    }
    weir__check_tell(check, at, false, &message);
}

/* ---- all three ---- */

static void check_any(weir__check *check, const weir__nodes *nodes, json_t *value, const weir__step *at)
{
    for (size_t i = 0; i < nodes->count; i++) {
        if (weir__check_fits(check, nodes->items[i], value, at) || weir__check_done(check))
            return;
    }
    if (weir__check_fault(check, at, false))
        tell_none(check, nodes, value, at);
}

static void check_one(weir__check *check, const weir__nodes *nodes, json_t *value, const weir__step *at)
{
    size_t fitting = 0, first = 0;
    for (size_t i = 0; i < nodes->count; i++) {
        bool fits = weir__check_fits(check, nodes->items[i], value, at);
        if (weir__check_done(check))
            return;
        if (!fits)
            continue;
        if (fitting++ == 0) {
            first = i;
            continue;
        }
        if (weir__check_fault(check, at, false))
            tell_both(check, nodes, first, i, at);
        return;
    }
    if (fitting == 0 && weir__check_fault(check, at, false))
        tell_none(check, nodes, value, at);
}

void weir__check_alternatives(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    if (node->any_of.count)
        check_any(check, &node->any_of, value, at);
    if (node->one_of.count && !weir__check_done(check))
        check_one(check, &node->one_of, value, at);
    if (!node->not_schema || weir__check_done(check))
        return;
    bool fits = weir__check_fits(check, node->not_schema, value, at);
    if (fits && !weir__check_done(check) && weir__check_fault(check, at, false))
        tell_not(check, node->not_schema, value, at);
}
