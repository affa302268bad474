/* SPDX-License-Identifier: MIT */
/* What a check says: the wording of faults, where they are, and what must not be quoted. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "schema_node.h"

#define CHOICES_MOST 12 /* values that a message lists */

/* ---- where ---- */

static void build_pointer(const weir__step *at, weir__pointer *pointer)
{
    if (!at->outer)
        return;
    build_pointer(at->outer, pointer);
    if (at->name)
        weir__pointer_add_name(pointer, at->name, strlen(at->name));
    else
        weir__pointer_add_index(pointer, at->index);
}

void weir__check_tell(weir__check *check, const weir__step *at, bool on_name, const weir__message *message)
{
    weir__pointer pointer = {0};
    if (check->joined) {
        if (!strstr(check->joined->text, message->text))
            weir__message_add(check->joined, "%s%s", check->joined->length ? "; or " : "", message->text);
        return;
    }
    if (check->faults > WEIR__SCHEMA_FAULTS_MOST)
        return;
    build_pointer(at, &pointer);
    if (pointer.failed) {
        check->status = -ENOMEM;
    } else {
        weir__message named;
        weir__schema_fault fault = {.pointer = pointer.text ? pointer.text : "",
                                    .on_name = on_name || check->on_name,
                                    .message = message->text};
        if (check->on_name) {
            weir__message_start(&named);
            weir__message_add(&named, "the member's name: %s", message->text);
            fault.message = named.text;
        }
        check->status = check->sink(&fault, check->arg);
    }
    weir__free(pointer.text);
}

/* ---- secrets ---- */

typedef struct {
    const char *const *names; /* from the root inwards */
    size_t count;
    size_t work; /* still allowed */
} path;

static bool secret_below(path *way, const weir__node *node, size_t at);

static bool is_index(const char *name)
{
    return *name && strspn(name, "0123456789") == strlen(name);
}

static bool secret_in_element(path *way, const weir__node *node, const char *name, size_t next)
{
    const weir__node *element = weir__members_find(&node->properties, name);
    bool known = element != NULL;
    if (element && secret_below(way, element, next))
        return true;
    for (size_t i = 0; i < node->pattern_properties.count; i++) {
        const weir__pattern_node *member = &node->pattern_properties.items[i];
        if (weir__pattern_match(member->pattern, name, strlen(name)) == 0)
            continue;
        known = true;
        if (secret_below(way, member->node, next))
            return true;
    }
    if (!known && node->additional && secret_below(way, node->additional, next))
        return true;
    if (!is_index(name))
        return false;
    size_t index = strlen(name) < 10 ? strtoul(name, NULL, 10) : SIZE_MAX;
    element = index < node->prefix_items.count ? node->prefix_items.items[index] : node->items;
    return (element && secret_below(way, element, next)) || (node->contains && secret_below(way, node->contains, next));
}

static bool secret_below(path *way, const weir__node *node, size_t at)
{
    weir__edge edge;
    const weir__node *other;
    /* Saying too little is better than giving a secret away. */
    if (way->work == 0 || node->secret)
        return true;
    way->work--;
    if (at == way->count)
        return false;
    if (secret_in_element(way, node, way->names[at], at + 1))
        return true;
    for (size_t i = 0; (other = weir__node_in_place(node, i, &edge)) != NULL; i++)
        if (edge != WEIR__EDGE_TEST && secret_below(way, other, at))
            return true;
    return false;
}

#define WORK_MOST 100000
#define PATH_MOST 256

bool weir__secret_at(const weir__schema *schema, const weir__step *at)
{
    const char *names[PATH_MOST];
    char digits[PATH_MOST][12];
    path way = {.names = names, .work = WORK_MOST, .count = at->depth};
    if (at->depth > PATH_MOST)
        return true;
    for (size_t i = at->depth; i-- > 0; at = at->outer) {
        snprintf(digits[i], sizeof(digits[i]), "%zu", at->name ? 0 : at->index % 1000000000);
        names[i] = at->name ? at->name : digits[i];
    }
    return secret_below(&way, schema->root, 0);
}

/* ~0 and ~1, in place. */
static void resolve_escapes(char *token)
{
    char *out = token;
    for (; *token; token++)
        *out++ = *token == '~' && (token[1] == '0' || token[1] == '1') ? (*++token == '0' ? '~' : '/') : *token;
    *out = '\0';
}

bool weir__schema_is_secret(const weir__schema *schema, const char *pointer)
{
    const char *names[PATH_MOST];
    path way = {.names = names, .work = WORK_MOST};
    char *copy = weir__strdup(pointer);
    if (!copy)
        return true;
    for (char *token = copy, *end; token && *token == '/' && way.work; token = end) {
        end = strchr(token + 1, '/');
        if (way.count == PATH_MOST)
            way.work = 0;
        else
            names[way.count++] = token + 1;
        *token = '\0';
    }
    for (size_t i = 0; i < way.count; i++)
        resolve_escapes(copy + (names[i] - copy));
    bool secret = secret_below(&way, schema->root, 0);
    weir__free(copy);
    return secret;
}

/* ---- wording ---- */

void weir__check_value(const weir__check *check, const weir__step *at, weir__message *message, const json_t *value)
{
    if (json_is_object(value) || json_is_array(value) || check->on_name || !weir__secret_at(check->schema, at))
        weir__message_value(message, value);
    else
        weir__message_add(message, "a secret that is not shown");
}

void weir__check_tell_kinds(weir__check *check, const weir__step *at, unsigned kinds, const json_t *value)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "expected ");
    weir__message_kinds(&message, kinds);
    weir__message_add(&message, ", found ");
    if (json_is_string(value) || json_is_number(value)) {
        weir__message_kinds(&message,
                            json_is_number(value) ? WEIR__KIND_INTEGER | WEIR__KIND_REAL : (unsigned)WEIR__KIND_STRING);
        weir__message_add(&message, " (");
        weir__check_value(check, at, &message, value);
        weir__message_add(&message, ")");
    } else {
        weir__message_value(&message, value);
    }
    weir__check_tell(check, at, false, &message);
}

void weir__check_tell_unknown(weir__check *check, const weir__node *node, const weir__step *at)
{
    const char *names[64];
    weir__message message;
    size_t count = 0, all = 0;
    const char *name;
    json_t *unused;
    json_object_foreach(json_object_get(node->source, "properties"), name, unused)
    {
        all++;
        if (count < sizeof(names) / sizeof(names[0]))
            names[count++] = name;
    }
    const char *nearest = weir__nearest_name(at->name, names, count);
    weir__message_start(&message);
    weir__message_add(&message, "unknown member ");
    weir__message_quote(&message, at->name, strlen(at->name));
    if (nearest) {
        weir__message_add(&message, "; did you mean ");
        weir__message_quote(&message, nearest, strlen(nearest));
        weir__message_add(&message, "?");
    } else if (count > 0) {
        /* Not only a few, as what is looked for may be the last one: as many as `names` and the message can hold. */
        weir__message_add(&message, "; known %s ", all == 1 ? "is" : "are");
        for (size_t i = 0; i < count; i++) {
            weir__message_add(&message, i ? ", " : "");
            weir__message_quote(&message, names[i], strlen(names[i]));
        }
        weir__message_add(&message, count < all ? ", ..." : "");
    } else if (node->pattern_properties.count == 0) {
        weir__message_add(&message, "; there are none here");
    }
    weir__check_tell(check, at, true, &message);
}

static const char *nearest_choice(const json_t *value, json_t *const *lists, size_t count)
{
    const char *names[64];
    size_t used = 0;
    if (!json_is_string(value))
        return NULL;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < json_array_size(lists[i]) && used < sizeof(names) / sizeof(names[0]); j++) {
            const char *name = json_string_value(json_array_get(lists[i], j));
            if (name)
                names[used++] = name;
        }
    return weir__nearest_name(json_string_value(value), names, used);
}

void weir__check_tell_choice(weir__check *check, const weir__step *at, const json_t *value, json_t *const *lists,
                             size_t count)
{
    weir__message message;
    size_t all = 0, shown = 0;
    weir__message_start(&message);
    weir__check_value(check, at, &message, value);
    for (size_t i = 0; i < count; i++)
        all += json_is_array(lists[i]) ? json_array_size(lists[i]) : 1;
    weir__message_add(&message, all == 1 ? " is not " : " is not one of ");
    for (size_t i = 0; i < count; i++) {
        size_t length = json_is_array(lists[i]) ? json_array_size(lists[i]) : 1;
        for (size_t j = 0; j < length && shown < CHOICES_MOST; j++, shown++) {
            weir__message_add(&message, shown ? ", " : "");
            weir__message_value(&message, json_is_array(lists[i]) ? json_array_get(lists[i], j) : lists[i]);
        }
    }
    weir__message_add(&message, shown < all ? ", ..." : "");
    /* A word near to a secret would give part of it away. */
    const char *nearest = weir__secret_at(check->schema, at) ? NULL : nearest_choice(value, lists, count);
    if (nearest) {
        weir__message_add(&message, "; did you mean ");
        weir__message_quote(&message, nearest, strlen(nearest));
        weir__message_add(&message, "?");
    }
    weir__check_tell(check, at, false, &message);
}
