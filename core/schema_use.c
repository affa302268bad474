/* SPDX-License-Identifier: MIT */
/* What a schema tells its users besides faults: its members, their defaults, and the values that text stands for. */
#define _GNU_SOURCE

#include <errno.h>
#include <string.h>

#include "memory.h"
#include "schema_node.h"

#define WORK_MOST 100000 /* nodes that a look-up may pass: schemas can name each other very often */

/* ---- members ---- */

static weir__node *find_member(const weir__node *node, const char *name, weir__edge want, size_t *work)
{
    weir__edge edge;
    const weir__node *other;
    weir__node *found = weir__members_find(&node->properties, name);
    if (*work)
        --*work;
    for (size_t i = 0; !found && *work && (other = weir__node_in_place(node, i, &edge)) != NULL; i++)
        if (edge <= want)
            found = find_member(other, name, want, work);
    return found;
}

/* What always holds comes before what holds in one of several cases. */
static weir__node *member_of(const weir__node *node, const char *name)
{
    size_t work = WORK_MOST;
    weir__node *found = find_member(node, name, WEIR__EDGE_ALWAYS, &work);
    return found ? found : find_member(node, name, WEIR__EDGE_MAYBE, &work);
}

static bool requires(const weir__node *node, const char *name, size_t *work)
{
    weir__edge edge;
    const weir__node *other;
    if (*work == 0)
        return false;
    --*work;
    for (size_t i = 0; i < json_array_size(node->required); i++)
        if (strcmp(json_string_value(json_array_get(node->required, i)), name) == 0)
            return true;
    for (size_t i = 0; (other = weir__node_in_place(node, i, &edge)) != NULL; i++)
        if (edge == WEIR__EDGE_ALWAYS && requires(other, name, work))
            return true;
    return false;
}

/* The nearest of $ref and allOf that says it, the node itself first. */
static const weir__node *saying(const weir__node *node, bool (*says)(const weir__node *), size_t *work)
{
    weir__edge edge;
    const weir__node *other, *found = says(node) ? node : NULL;
    if (*work)
        --*work;
    for (size_t i = 0; !found && *work && (other = weir__node_in_place(node, i, &edge)) != NULL; i++)
        if (edge == WEIR__EDGE_ALWAYS)
            found = saying(other, says, work);
    return found;
}

static bool says_default(const weir__node *node)
{
    return node->default_value != NULL;
}

static bool says_format(const weir__node *node)
{
    return node->format_name != NULL;
}

static bool says_description(const weir__node *node)
{
    return node->description != NULL;
}

static bool says_items(const weir__node *node)
{
    return node->items != NULL;
}

int weir__schema_property(const weir__schema *schema, const char *name, weir__schema_member *member)
{
    size_t work = WORK_MOST;
    const weir__node *node = member_of(schema->root, name), *found;
    if (!node)
        return -ENOENT;
    *member = (weir__schema_member){.kinds = node->accepts, .secret = node->secret, .source = node->source};
    member->required = requires(schema->root, name, &work);
    if ((found = saying(node, says_format, &work)) != NULL)
        member->format = found->format_name;
    if ((found = saying(node, says_description, &work)) != NULL)
        member->description = found->description;
    if ((found = saying(node, says_default, &work)) != NULL)
        member->default_value = found->default_value;
    return 0;
}

typedef struct {
    const char **names;
    size_t most, count, work;
} listing;

static void list_names(listing *list, const weir__node *node)
{
    const char *name;
    json_t *value;
    weir__edge edge;
    const weir__node *other;
    if (list->work == 0)
        return;
    list->work--;
    json_object_foreach(json_object_get(node->source, "properties"), name, value)
    {
        size_t i = 0;
        while (i < list->count && i < list->most && strcmp(list->names[i], name) != 0)
            i++;
        if (i < list->count && i < list->most)
            continue;
        if (list->count < list->most)
            list->names[list->count] = name;
        list->count++;
    }
    for (size_t i = 0; (other = weir__node_in_place(node, i, &edge)) != NULL; i++)
        if (edge != WEIR__EDGE_TEST)
            list_names(list, other);
}

size_t weir__schema_property_names(const weir__schema *schema, const char **names, size_t most)
{
    listing list = {.names = names, .most = most, .work = WORK_MOST};
    list_names(&list, schema->root);
    return list.count;
}

/* ---- defaults ---- */

/* Shares the limits of a check, which it needs anyway to tell which alternatives a value fits. */
static void fill(weir__check *check, const weir__node *node, json_t *value, const weir__step *at);

static void fill_absent(weir__check *check, const weir__node *node, json_t *value)
{
    const char *name;
    json_t *unused;
    /* In the schema's order, so that the same members always come out in the same order. */
    json_object_foreach(json_object_get(node->source, "properties"), name, unused)
    {
        size_t work = WORK_MOST;
        const weir__node *member = weir__members_find(&node->properties, name);
        if (json_object_get(value, name))
            continue;
        const weir__node *found = saying(member, says_default, &work);
        if (found && json_object_set_new(value, name, json_deep_copy(found->default_value)) != 0)
            check->status = -ENOMEM;
        if (check->status)
            return;
    }
}

static void fill_member(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    const weir__node *member = weir__members_find(&node->properties, at->name);
    bool known = member != NULL;
    if (member)
        fill(check, member, value, at);
    for (size_t i = 0; i < node->pattern_properties.count; i++) {
        const weir__pattern_node *other = &node->pattern_properties.items[i];
        int found = weir__pattern_match(other->pattern, at->name, strlen(at->name));
        if (found < 0)
            check->status = found;
        if (found != 1)
            continue;
        known = true;
        fill(check, other->node, value, at);
    }
    if (!known && node->additional)
        fill(check, node->additional, value, at);
}

static void fill_inside(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    if (json_is_object(value) && node->properties.count)
        fill_absent(check, node, value);
    for (void *i = json_object_iter(value); i && !check->status; i = json_object_iter_next(value, i)) {
        weir__step member = {.outer = at, .name = json_object_iter_key(i), .depth = at->depth + 1};
        json_t *inner = json_object_iter_value(i);
        if (json_is_object(inner) || json_is_array(inner))
            fill_member(check, node, inner, &member);
    }
    for (size_t i = 0; i < json_array_size(value) && !check->status; i++) {
        weir__step item = {.outer = at, .index = i, .depth = at->depth + 1};
        size_t prefix = node->prefix_items.count;
        const weir__node *schema = i < prefix ? node->prefix_items.items[i] : node->items;
        if (schema)
            fill(check, schema, json_array_get(value, i), &item);
    }
}

static void fill_alternatives(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    const weir__nodes *lists[] = {&node->any_of, &node->one_of};
    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; i < lists[list]->count; i++)
            if (weir__check_fits(check, lists[list]->items[i], value, at)) {
                fill(check, lists[list]->items[i], value, at);
                break;
            }
    if (node->if_schema && (node->then_schema || node->else_schema)) {
        bool fits = weir__check_fits(check, node->if_schema, value, at);
        const weir__node *branch = fits ? node->then_schema : node->else_schema;
        if (branch)
            fill(check, branch, value, at);
    }
}

#define FILL_DEPTH_MOST 1000

static void fill(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    if (check->status || check->gave_up || check->steps == 0 || check->depth == FILL_DEPTH_MOST)
        return;
    if (!json_is_object(value) && !json_is_array(value))
        return;
    check->steps--;
    check->depth++;
    if (node->ref)
        fill(check, node->ref, value, at);
    for (size_t i = 0; i < node->all_of.count; i++)
        fill(check, node->all_of.items[i], value, at);
    fill_alternatives(check, node, value, at);
    fill_inside(check, node, value, at);
    check->depth--;
}

int weir__schema_fill_defaults(const weir__schema *schema, json_t *instance)
{
    weir__step root = {.depth = 0};
    weir__check check = {.schema = schema, .steps = (size_t)50 * 1000 * 1000};
    fill(&check, schema->root, instance, &root);
    return check.status;
}

/* ---- text to values ---- */

typedef struct {
    const weir__schema *schema;
    int status;
} coercion;

/* A JSON number and nothing else, or NULL. Jansson reads it: its reading does not depend on the locale. */
static json_t *number_of(coercion *c, const char *text, size_t length)
{
    json_error_t error = {.line = 0}; /* Jansson sets its code only for some errors */
    if (length == 0 || weir__json_number_fault(text, length))
        return NULL;
    json_t *number = json_loadb(text, length, JSON_DECODE_ANY, &error);
    if (!number && json_error_code(&error) != json_error_numeric_overflow)
        c->status = -ENOMEM;
    return number;
}

/* NULL for what is not UTF-8, too. */
static json_t *string_of(coercion *c, const char *text, size_t length)
{
    for (size_t at = 0, size; at < length; at += size) {
        size = weir__utf8_sequence(text + at, length - at);
        if (size == 0)
            return NULL;
    }
    json_t *string = json_stringn_nocheck(text, length);
    if (!string)
        c->status = -ENOMEM;
    return string;
}

static json_t *coerce(coercion *c, const weir__node *node, const char *text, size_t length, bool nested);

static json_t *array_of(coercion *c, const weir__node *node, const char *text, size_t length)
{
    size_t work = WORK_MOST;
    const weir__node *list = saying(node, says_items, &work);
    json_t *array = json_array();
    bool more = length > 0;
    if (!array)
        c->status = -ENOMEM;
    while (array && more) {
        const char *comma = memchr(text, ',', length);
        size_t size = comma ? (size_t)(comma - text) : length;
        json_t *item = list ? coerce(c, list->items, text, size, true) : string_of(c, text, size);
        if (item && json_array_append_new(array, item) != 0)
            c->status = -ENOMEM;
        if (!item || c->status) {
            json_decref(array);
            return NULL;
        }
        more = comma != NULL;
        text += size + 1;
        length -= size + (comma ? 1 : 0);
    }
    return array;
}

static json_t *value_of_kind(coercion *c, const weir__node *node, const char *text, size_t length, unsigned kind)
{
    json_t *value = NULL;
    switch (kind) {
    case WEIR__KIND_INTEGER:
    case WEIR__KIND_REAL:
        value = number_of(c, text, length);
        if (value && kind == WEIR__KIND_INTEGER && !json_is_integer(value)) {
            json_decref(value);
            value = NULL;
        }
        return value;
    case WEIR__KIND_BOOLEAN:
        if (length == 4 && memcmp(text, "true", 4) == 0)
            return json_true();
        return length == 5 && memcmp(text, "false", 5) == 0 ? json_false() : NULL;
    case WEIR__KIND_ARRAY:
        return array_of(c, node, text, length);
    default:
        return string_of(c, text, length);
    }
}

static bool fits(coercion *c, const weir__node *node, json_t *value)
{
    weir__step root = {.depth = 0};
    weir__check check = {.schema = c->schema, .steps = 1000 * 1000, .first_only = true};
    weir__check_node(&check, node, value, &root);
    if (check.status)
        c->status = check.status;
    return check.faults == 0 && !check.gave_up && !check.status;
}

/* A comma makes an array only where a string could not have one, or no string is meant. */
static json_t *coerce(coercion *c, const weir__node *node, const char *text, size_t length, bool nested)
{
    static const unsigned order[] = {WEIR__KIND_INTEGER, WEIR__KIND_REAL, WEIR__KIND_BOOLEAN, WEIR__KIND_ARRAY,
                                     WEIR__KIND_STRING};
    json_t *first = NULL;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && !c->status; i++) {
        bool single = (node->accepts & WEIR__KIND_STRING) && !memchr(text, ',', length);
        if (!(node->accepts & order[i]) || (order[i] == WEIR__KIND_ARRAY && (nested || single)))
            continue;
        json_t *value = value_of_kind(c, node, text, length, order[i]);
        if (!value)
            continue;
        if (fits(c, node, value)) {
            json_decref(first);
            return value;
        }
        if (first)
            json_decref(value);
        else
            first = value;
    }
    if (c->status) {
        json_decref(first);
        return NULL;
    }
    return first;
}

static void say_unknown(const weir__schema *schema, const char *name, weir__message *message)
{
    const char *names[64];
    size_t count = weir__schema_property_names(schema, names, 64);
    const char *nearest = weir__nearest_name(name, names, count < 64 ? count : 64);
    weir__message_add(message, "unknown option ");
    weir__message_quote(message, name, strlen(name));
    if (nearest) {
        weir__message_add(message, "; did you mean ");
        weir__message_quote(message, nearest, strlen(nearest));
        weir__message_add(message, "?");
    }
}

/* JSON's way to write an array, which would be one odd element. */
static bool is_json_array(const char *text)
{
    size_t length = strlen(text);
    if (length < 2 || text[0] != '[' || text[length - 1] != ']')
        return false;
    json_t *array = json_loads(text, 0, NULL);
    json_decref(array);
    return array != NULL;
}

static void say_unfit(const weir__node *node, const char *name, const char *text, weir__message *message)
{
    const unsigned spoken = node->accepts & ~(unsigned)(WEIR__KIND_OBJECT | WEIR__KIND_NULL);
    weir__message_quote(message, name, strlen(name));
    if (!spoken) {
        weir__message_add(message, " cannot be written as text; use the JSON form");
        return;
    }
    if ((node->accepts & WEIR__KIND_ARRAY) && is_json_array(text)) {
        weir__message_add(message, ": an array is written as A,B here, without brackets and quotes");
        return;
    }
    weir__message_add(message, ": expected ");
    weir__message_kinds(message, spoken);
    weir__message_add(message, ", found ");
    if (node->secret)
        weir__message_add(message, "a secret that is not shown");
    else
        weir__message_quote(message, text, strlen(text));
}

int weir__schema_coerce(const weir__schema *schema, const char *name, const char *text, json_t **out,
                        weir__message *message)
{
    weir__message unused;
    coercion c = {.schema = schema};
    const weir__node *node = member_of(schema->root, name);
    if (!message)
        message = &unused;
    weir__message_start(message);
    if (!node) {
        say_unknown(schema, name, message);
        return -ENOENT;
    }
    bool odd = (node->accepts & WEIR__KIND_ARRAY) && is_json_array(text);
    json_t *value = odd ? NULL : coerce(&c, node, text, strlen(text), false);
    if (c.status) {
        weir__message_add(message, "out of memory");
        return c.status;
    }
    if (!value) {
        say_unfit(node, name, text, message);
        return -EINVAL;
    }
    *out = value;
    return 0;
}
