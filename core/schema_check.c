/* SPDX-License-Identifier: MIT */
/* Checking a value against a compiled schema: every assertion, every fault, bounded work. */
#define _GNU_SOURCE

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "memory.h"
#include "schema_node.h"

#define STEPS_MOST ((size_t)50 * 1000 * 1000)
#define DEPTH_MOST 1000

/* Reporting needs large buffers; these functions stay out of the frames that a deep value stacks up. */
#define APART __attribute__((noinline))

bool weir__check_done(const weir__check *check)
{
    return check->status != 0 || check->gave_up != NULL || (check->first_only && check->faults > 0);
}

static bool spend(weir__check *check, size_t cost)
{
    if (check->steps < cost) {
        check->steps = 0;
        check->gave_up = "too large or too intricate: checking it would take too long";
        return false;
    }
    check->steps -= cost;
    return true;
}

bool weir__check_fault(weir__check *check, const weir__step *at, bool tag)
{
    check->faults++;
    if (at->depth <= check->base + (tag ? 1 : 0))
        check->shallow++;
    return check->telling;
}

bool weir__check_fits(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    size_t faults = check->faults, shallow = check->shallow;
    bool telling = check->telling, first_only = check->first_only;
    check->faults = 0;
    check->telling = false;
    check->first_only = true;
    weir__check_node(check, node, value, at);
    bool fits = check->faults == 0;
    check->faults = faults;
    check->shallow = shallow;
    check->telling = telling;
    check->first_only = first_only;
    return fits;
}

static int matches(weir__check *check, const weir__pattern *pattern, const char *text, size_t length)
{
    if (!spend(check, weir__pattern_cost(pattern, length)))
        return 1;
    int found = weir__pattern_match(pattern, text, length);
    if (found < 0)
        check->status = found;
    return found;
}

/* ---- any kind of value ---- */

static void check_const(weir__check *check, const weir__node *node, const json_t *value, const weir__step *at)
{
    weir__message message;
    if (!node->const_value || weir__json_equals(value, node->const_value, &check->steps) ||
        !weir__check_fault(check, at, true))
        return;
    weir__message_start(&message);
    weir__message_add(&message, "expected ");
    weir__message_value(&message, node->const_value);
    weir__message_add(&message, ", found ");
    weir__check_value(check, at, &message, value);
    weir__check_tell(check, at, false, &message);
}

static void check_enum(weir__check *check, const weir__node *node, const json_t *value, const weir__step *at)
{
    for (size_t i = 0; i < json_array_size(node->enum_values); i++)
        if (weir__json_equals(value, json_array_get(node->enum_values, i), &check->steps))
            return;
    if (weir__check_fault(check, at, true))
        weir__check_tell_choice(check, at, value, &node->enum_values, 1);
}

static void check_format(weir__check *check, const weir__node *node, const json_t *value, const weir__step *at)
{
    weir__message message;
    const char *expected = weir__format_fault(node->format, value);
    if (!expected || !weir__check_fault(check, at, false))
        return;
    weir__message_start(&message);
    weir__message_add(&message, "expected %s, found ", expected);
    weir__check_value(check, at, &message, value);
    weir__check_tell(check, at, false, &message);
}

/* ---- numbers ---- */

static void tell_number(weir__check *check, const weir__step *at, const json_t *value, const char *relation,
                        const json_t *limit)
{
    weir__message message;
    if (!weir__check_fault(check, at, false))
        return;
    weir__message_start(&message);
    weir__check_value(check, at, &message, value);
    weir__message_add(&message, " %s ", relation);
    weir__message_value(&message, limit);
    weir__check_tell(check, at, false, &message);
}

/* `value` is what stands there and is quoted, `number` what it comes to. */
static APART void check_number(weir__check *check, const weir__node *node, const json_t *value, const json_t *number,
                               const weir__step *at)
{
    if (node->maximum && weir__compare_numbers(number, node->maximum) > 0)
        tell_number(check, at, value, "is more than the maximum of", node->maximum);
    if (node->exclusive_maximum && weir__compare_numbers(number, node->exclusive_maximum) >= 0)
        tell_number(check, at, value, "is not less than", node->exclusive_maximum);
    if (node->minimum && weir__compare_numbers(number, node->minimum) < 0)
        tell_number(check, at, value, "is less than the minimum of", node->minimum);
    if (node->exclusive_minimum && weir__compare_numbers(number, node->exclusive_minimum) <= 0)
        tell_number(check, at, value, "is not more than", node->exclusive_minimum);
    if (node->multiple_of && !weir__is_multiple(number, node->multiple_of))
        tell_number(check, at, value, "is not a multiple of", node->multiple_of);
}

/* "2h" is bound as 7200000 is. */
static APART void check_quantity(weir__check *check, const weir__node *node, const json_t *value, const weir__step *at)
{
    uint64_t amount = 0;
    int status =
        node->format == WEIR__FORMAT_DURATION ? weir__duration_of(value, &amount) : weir__size_of(value, &amount);
    if (status != 0)
        return;
    json_t *number = json_integer(amount > INT64_MAX ? INT64_MAX : (json_int_t)amount);
    if (number)
        check_number(check, node, value, number, at);
    else
        check->status = -ENOMEM;
    json_decref(number);
}

/* ---- counts: characters, items, members ---- */

static void check_count(weir__check *check, const weir__limit *least, const weir__limit *most, uint64_t count,
                        const char *what, const weir__step *at)
{
    weir__message message;
    bool few = least->given && count < least->value;
    bool many = most->given && count > most->value;
    if ((!few && !many) || !weir__check_fault(check, at, false))
        return;
    uint64_t limit = few ? least->value : most->value;
    weir__message_start(&message);
    if (count == 0 && least->value == 1)
        weir__message_add(&message, "must not be empty");
    else
        weir__message_add(&message, "has %llu %s%s, %s than the %s of %llu", (unsigned long long)count, what,
                          count == 1 ? "" : "s", few ? "fewer" : "more", few ? "minimum" : "maximum",
                          (unsigned long long)limit);
    weir__check_tell(check, at, false, &message);
}

static void tell_pattern(weir__check *check, const weir__node *node, const json_t *value, const weir__step *at)
{
    weir__message message;
    weir__message_start(&message);
    weir__check_value(check, at, &message, value);
    if (node->pattern_words) {
        weir__message_add(&message, ": %s", node->pattern_words);
    } else {
        weir__message_add(&message, " does not match the pattern ");
        weir__message_quote(&message, node->pattern->text, strlen(node->pattern->text));
    }
    weir__check_tell(check, at, false, &message);
}

static APART void check_string(weir__check *check, const weir__node *node, const json_t *value, const weir__step *at)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if ((node->min_length.given || node->max_length.given) && spend(check, length / 16))
        check_count(check, &node->min_length, &node->max_length, weir__code_points(text, length), "character", at);
    if (node->pattern && matches(check, node->pattern, text, length) == 0 && weir__check_fault(check, at, false))
        tell_pattern(check, node, value, at);
    if (node->format == WEIR__FORMAT_DURATION || node->format == WEIR__FORMAT_SIZE)
        check_quantity(check, node, value, at);
}

/* ---- arrays ---- */

typedef struct {
    weir__check *check;
    const weir__step *at;
} repetition;

static void tell_repeated(void *arg, const json_t *value, size_t first, size_t again)
{
    repetition *found = arg;
    weir__message message;
    weir__step at = {.outer = found->at, .index = again, .depth = found->at->depth + 1};
    if (weir__check_done(found->check) || !weir__check_fault(found->check, &at, false))
        return;
    weir__message_start(&message);
    weir__check_value(found->check, &at, &message, value);
    weir__message_add(&message, " is there already, as item %zu; items must differ", first);
    weir__check_tell(found->check, &at, false, &message);
}

static APART void check_unique(weir__check *check, json_t *value, const weir__step *at)
{
    repetition found = {check, at};
    int status = weir__find_repeated(value, &check->steps, tell_repeated, &found);
    if (status != 0)
        check->status = status;
    else if (check->steps == 0)
        spend(check, 1);
}

static APART void tell_contains(weir__check *check, const weir__node *node, size_t count, const weir__step *at)
{
    weir__message message;
    const char *title = node->contains->title;
    bool few = count < (node->min_contains.given ? node->min_contains.value : 1);
    weir__message_start(&message);
    weir__message_add(&message, "%zu item%s %s ", count, count == 1 ? "" : "s", count == 1 ? "is" : "are");
    weir__message_add(&message, "%s", title ? title : "of the kind that this array must contain");
    if (few)
        weir__message_add(&message, ", fewer than the minimum of %llu",
                          (unsigned long long)(node->min_contains.given ? node->min_contains.value : 1));
    else
        weir__message_add(&message, ", more than the maximum of %llu", (unsigned long long)node->max_contains.value);
    weir__check_tell(check, at, false, &message);
}

static void check_contains(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(value) && !weir__check_done(check); i++) {
        weir__step item = {.outer = at, .index = i, .depth = at->depth + 1};
        count += weir__check_fits(check, node->contains, json_array_get(value, i), &item);
    }
    uint64_t least = node->min_contains.given ? node->min_contains.value : 1;
    bool wrong = count < least || (node->max_contains.given && count > node->max_contains.value);
    if (wrong && !weir__check_done(check) && weir__check_fault(check, at, false))
        tell_contains(check, node, count, at);
}

/* "items": false is said once, not for each item too many. */
static APART void tell_too_many(weir__check *check, size_t count, size_t most, const weir__step *at)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "has %zu item%s, more than the maximum of %zu", count, count == 1 ? "" : "s", most);
    weir__check_tell(check, at, false, &message);
}

static void check_array(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    size_t count = json_array_size(value), prefix = node->prefix_items.count;
    check_count(check, &node->min_items, &node->max_items, count, "item", at);
    if (node->items && node->items->never && count > prefix) {
        if (weir__check_fault(check, at, false))
            tell_too_many(check, count, prefix, at);
        count = prefix;
    }
    /* Of too many the rest is not looked at: that they are too many has been said. */
    if (node->max_items.given && count > node->max_items.value)
        count = (size_t)node->max_items.value;
    for (size_t i = 0; i < count && !weir__check_done(check); i++) {
        weir__step item = {.outer = at, .index = i, .depth = at->depth + 1};
        const weir__node *schema = i < prefix ? node->prefix_items.items[i] : node->items;
        if (!schema)
            break;
        weir__check_node(check, schema, json_array_get(value, i), &item);
    }
    if (node->contains && !weir__check_done(check))
        check_contains(check, node, value, at);
    if (node->unique_items && !weir__check_done(check))
        check_unique(check, value, at);
}

/* ---- objects ---- */

static APART void tell_missing(weir__check *check, const char *name, const char *because, const weir__step *at)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "the member ");
    weir__message_quote(&message, name, strlen(name));
    weir__message_add(&message, " is missing");
    if (because) {
        weir__message_add(&message, "; ");
        weir__message_quote(&message, because, strlen(because));
        weir__message_add(&message, " needs it beside it");
    }
    weir__check_tell(check, at, false, &message);
}

static void check_names_present(weir__check *check, const json_t *names, const char *because, const json_t *value,
                                const weir__step *at)
{
    for (size_t i = 0; i < json_array_size(names) && !weir__check_done(check); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!json_object_get(value, name) && weir__check_fault(check, at, false))
            tell_missing(check, name, because, at);
    }
}

/* The name as a value of its own, which it is to propertyNames. */
static APART void check_member_name(weir__check *check, const weir__node *node, const char *name, const weir__step *at)
{
    json_t *text = json_string_nocheck(name);
    bool on_name = check->on_name;
    if (!text) {
        check->status = -ENOMEM;
        return;
    }
    check->on_name = true;
    weir__check_node(check, node->property_names, text, at);
    check->on_name = on_name;
    json_decref(text);
}

static void check_member(weir__check *check, const weir__node *node, const char *name, json_t *value,
                         const weir__step *at)
{
    const weir__node *schema = weir__members_find(&node->properties, name);
    bool known = schema != NULL;
    if (node->property_names)
        check_member_name(check, node, name, at);
    if (schema)
        weir__check_node(check, schema, value, at);
    for (size_t i = 0; i < node->pattern_properties.count && !weir__check_done(check); i++) {
        const weir__pattern_node *member = &node->pattern_properties.items[i];
        if (matches(check, member->pattern, name, strlen(name)) != 1)
            continue;
        known = true;
        weir__check_node(check, member->node, value, at);
    }
    if (known || !node->additional || weir__check_done(check))
        return;
    if (!node->additional->never)
        weir__check_node(check, node->additional, value, at);
    else if (weir__check_fault(check, at->outer, false))
        weir__check_tell_unknown(check, node, at);
}

static void check_dependents(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    json_t *dependent = node->dependent_required;
    for (void *i = json_object_iter(dependent); i; i = json_object_iter_next(dependent, i))
        if (json_object_get(value, json_object_iter_key(i)))
            check_names_present(check, json_object_iter_value(i), json_object_iter_key(i), value, at);
    for (size_t i = 0; i < node->dependent_schemas.count && !weir__check_done(check); i++)
        if (json_object_get(value, node->dependent_schemas.items[i].name))
            weir__check_node(check, node->dependent_schemas.items[i].node, value, at);
}

static void check_object(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    check_count(check, &node->min_properties, &node->max_properties, json_object_size(value), "member", at);
    check_names_present(check, node->required, NULL, value, at);
    if (node->properties.count || node->pattern_properties.count || node->additional || node->property_names) {
        for (void *i = json_object_iter(value); i && !weir__check_done(check); i = json_object_iter_next(value, i)) {
            const char *name = json_object_iter_key(i);
            weir__step member = {.outer = at, .name = name, .depth = at->depth + 1};
            check_member(check, node, name, json_object_iter_value(i), &member);
        }
    }
    check_dependents(check, node, value, at);
}

/* ---- a schema ---- */

static APART void tell_never(weir__check *check, const weir__step *at)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "not allowed here");
    weir__check_tell(check, at, at->name != NULL, &message);
}

static APART void check_leaf(weir__check *check, const weir__node *node, const json_t *value, const weir__step *at)
{
    check_const(check, node, value, at);
    if (node->enum_values)
        check_enum(check, node, value, at);
    if (node->format != WEIR__FORMAT_NONE)
        check_format(check, node, value, at);
}

static void check_in_place(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    if (node->ref)
        weir__check_node(check, node->ref, value, at);
    for (size_t i = 0; i < node->all_of.count && !weir__check_done(check); i++)
        weir__check_node(check, node->all_of.items[i], value, at);
    if ((node->any_of.count || node->one_of.count || node->not_schema) && !weir__check_done(check))
        weir__check_alternatives(check, node, value, at);
    if (node->if_schema && (node->then_schema || node->else_schema) && !weir__check_done(check)) {
        bool fits = weir__check_fits(check, node->if_schema, value, at);
        const weir__node *branch = fits ? node->then_schema : node->else_schema;
        if (branch)
            weir__check_node(check, branch, value, at);
    }
}

void weir__check_node(weir__check *check, const weir__node *node, json_t *value, const weir__step *at)
{
    if (weir__check_done(check) || !spend(check, 1))
        return;
    if (check->depth == DEPTH_MOST) {
        check->gave_up = "nested too deep to be checked";
        return;
    }
    if (node->never) {
        if (weir__check_fault(check, at, false))
            tell_never(check, at);
        return;
    }
    unsigned kind = weir__kind_of(value);
    check->depth++;
    if (!(node->kinds & kind)) {
        /* Nothing else about a value of the wrong kind is worth saying. */
        if (weir__check_fault(check, at, false))
            weir__check_tell_kinds(check, at, node->kinds, value);
        check->depth--;
        return;
    }
    if (node->const_value || node->enum_values || node->format != WEIR__FORMAT_NONE)
        check_leaf(check, node, value, at);
    if (kind & (WEIR__KIND_INTEGER | WEIR__KIND_REAL))
        check_number(check, node, value, value, at);
    else if (kind == WEIR__KIND_STRING)
        check_string(check, node, value, at);
    else if (kind == WEIR__KIND_ARRAY)
        check_array(check, node, value, at);
    else if (kind == WEIR__KIND_OBJECT)
        check_object(check, node, value, at);
    check_in_place(check, node, value, at);
    check->depth--;
}

/* ---- the whole ---- */

int weir__schema_check(const weir__schema *schema, json_t *instance, weir__schema_sink sink, void *arg)
{
    weir__step root = {.depth = 0};
    weir__check check = {
        .schema = schema, .sink = sink, .arg = arg, .telling = sink != NULL, .first_only = !sink, .steps = STEPS_MOST};
    weir__check_node(&check, schema->root, instance, &root);
    if (check.gave_up && !check.status) {
        weir__schema_fault fault = {.pointer = "", .message = check.gave_up};
        check.faults++;
        if (sink)
            check.status = sink(&fault, arg);
    }
    if (check.status)
        return check.status;
    return check.faults > INT_MAX ? INT_MAX : (int)check.faults;
}

typedef struct {
    const weir__document *document;
    const char *base;
    weir__faults *faults;
    size_t told;
} noting;

static int note(const weir__schema_fault *fault, void *arg)
{
    noting *to = arg;
    size_t base = strlen(to->base), length = strlen(fault->pointer);
    char *pointer = weir__malloc(base + length + 1);
    if (!pointer) {
        to->faults->out_of_memory = true;
        return -ENOMEM;
    }
    memcpy(pointer, to->base, base);
    memcpy(pointer + base, fault->pointer, length + 1);
    if (!weir__faults_know(to->faults, pointer))
        weir__document_fault(to->document, to->faults, pointer, fault->on_name, fault->message);
    weir__free(pointer);
    to->told++;
    return 0;
}

int weir__schema_check_document(const weir__schema *schema, const weir__document *document, const char *base,
                                json_t *instance, weir__faults *faults)
{
    noting to = {.document = document, .base = base, .faults = faults};
    int found = weir__schema_check(schema, instance, note, &to);
    if (found > 0 && (size_t)found > to.told)
        faults->more += (size_t)found - to.told;
    if (found == -ENOMEM)
        faults->out_of_memory = true;
    return found;
}
