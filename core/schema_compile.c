/* SPDX-License-Identifier: MIT */
/* Compiling a schema: each keyword's value is checked and stored by the reader that a table names for it. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "schema_node.h"

#define DEPTH_MOST 128 /* subschemas written within each other */

/* ---- reporting ---- */

void weir__compile_out_of_memory(weir__compiler *compiler)
{
    compiler->status = -ENOMEM;
    compiler->faults->out_of_memory = true;
}

void weir__compile_fault(weir__compiler *compiler, const char *location, const weir__message *message)
{
    compiler->faulty = true;
    if (compiler->document)
        weir__document_fault(compiler->document, compiler->faults, location, false, message->text);
    else
        weir__faults_add(compiler->faults, compiler->name, 0, 0, location, message->text);
}

/* The location of a subschema or value below a node; NULL without memory, which is noted. */
static char *locate(weir__compiler *compiler, const char *location, const char *name)
{
    weir__pointer pointer = {0};
    size_t length = strlen(location) + strlen(name) * 2 + 2;
    pointer.text = weir__malloc(length);
    if (!pointer.text) {
        weir__compile_out_of_memory(compiler);
        return NULL;
    }
    pointer.capacity = length;
    pointer.length = strlen(location);
    memcpy(pointer.text, location, pointer.length + 1);
    /* There is room for it, escapes and all: nothing is allocated. */
    weir__pointer_add_name(&pointer, name, strlen(name));
    return pointer.text;
}

static char *locate_index(weir__compiler *compiler, const char *location, size_t index)
{
    weir__message digits;
    weir__message_start(&digits);
    weir__message_add(&digits, "%zu", index);
    return locate(compiler, location, digits.text);
}

/* "expected WHAT, found ..." at a keyword of a node. */
static void expect(weir__compiler *compiler, const char *location, const char *what, const json_t *found)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "expected %s, found ", what);
    weir__message_value(&message, found);
    weir__compile_fault(compiler, location, &message);
}

/* ---- readers: one a kind of keyword ---- */

typedef struct keyword keyword;

/* Where a keyword's value stands while it is read. */
typedef struct {
    weir__compiler *compiler;
    weir__node *node;
    const keyword *word;
    json_t *value;
    char *location;
} reading;

struct keyword {
    const char *name;
    void (*read)(reading *r);
    size_t offset; /* of the member of weir__node that it fills */
};

#define FIELD(r, type) ((type *)(void *)((char *)(r)->node + (r)->word->offset))

static void read_schema(reading *r)
{
    *FIELD(r, weir__node *) = weir__compile_node(r->compiler, r->value, r->location, r->node->resource);
}

static void read_schemas(reading *r)
{
    weir__nodes *nodes = FIELD(r, weir__nodes);
    size_t count = json_array_size(r->value);
    if (count == 0) {
        expect(r->compiler, r->location, "an array with at least one schema", r->value);
        return;
    }
    nodes->items = weir__calloc(count, sizeof(weir__node *));
    if (!nodes->items) {
        weir__compile_out_of_memory(r->compiler);
        return;
    }
    nodes->count = count;
    for (size_t i = 0; i < count && !r->compiler->status; i++) {
        char *location = locate_index(r->compiler, r->location, i);
        if (location)
            nodes->items[i] = weir__compile_node(r->compiler, json_array_get(r->value, i), location, r->node->resource);
        weir__free(location);
    }
}

static int by_name(const void *left, const void *right)
{
    const weir__named_node *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static weir__node *read_member(reading *r, const char *name, json_t *value)
{
    char *location = locate(r->compiler, r->location, name);
    weir__node *node = NULL;
    if (location)
        node = weir__compile_node(r->compiler, value, location, r->node->resource);
    weir__free(location);
    return node;
}

static void read_members(reading *r)
{
    weir__members *members = FIELD(r, weir__members);
    const char *name;
    json_t *value;
    if (!json_is_object(r->value)) {
        expect(r->compiler, r->location, "an object of schemas", r->value);
        return;
    }
    members->items = weir__calloc(json_object_size(r->value), sizeof(weir__named_node));
    if (!members->items) {
        weir__compile_out_of_memory(r->compiler);
        return;
    }
    json_object_foreach(r->value, name, value)
    {
        weir__node *node = read_member(r, name, value);
        members->items[members->count++] = (weir__named_node){name, node};
    }
    qsort(members->items, members->count, sizeof(weir__named_node), by_name);
}

/* $defs: compiled for their faults, anchors and ids; who refers to them finds them by their source. */
static void read_definitions(reading *r)
{
    const char *name;
    json_t *value;
    if (!json_is_object(r->value))
        expect(r->compiler, r->location, "an object of schemas", r->value);
    json_object_foreach(r->value, name, value) read_member(r, name, value);
}

static weir__pattern *compile_pattern(reading *r, const char *text, size_t length, const char *location)
{
    weir__message why, message;
    weir__pattern *pattern = NULL;
    weir__message_start(&why);
    locale_t locale = r->compiler->schema->locale;
    int status = locale ? weir__pattern_compile(text, length, locale, &pattern, &why) : -EINVAL;
    if (!locale)
        weir__message_add(&why, "this system has no locale C.UTF-8");
    if (status == -ENOMEM)
        weir__compile_out_of_memory(r->compiler);
    else if (status != 0) {
        weir__message_start(&message);
        weir__message_add(&message, "the pattern ");
        weir__message_quote(&message, text, length);
        weir__message_add(&message, " cannot be used: %s", why.text);
        weir__compile_fault(r->compiler, location, &message);
    }
    return pattern;
}

static void read_pattern_members(reading *r)
{
    weir__pattern_members *members = FIELD(r, weir__pattern_members);
    const char *name;
    json_t *value;
    if (!json_is_object(r->value)) {
        expect(r->compiler, r->location, "an object of schemas", r->value);
        return;
    }
    members->items = weir__calloc(json_object_size(r->value), sizeof(weir__pattern_node));
    if (!members->items) {
        weir__compile_out_of_memory(r->compiler);
        return;
    }
    json_object_foreach(r->value, name, value)
    {
        weir__pattern_node *member = &members->items[members->count];
        member->pattern = compile_pattern(r, name, strlen(name), r->location);
        members->count += member->pattern != NULL;
        weir__node *node = read_member(r, name, value);
        if (member->pattern)
            member->node = node;
    }
}

static void read_pattern(reading *r)
{
    if (!json_is_string(r->value)) {
        expect(r->compiler, r->location, "a pattern", r->value);
        return;
    }
    *FIELD(r, weir__pattern *) =
        compile_pattern(r, json_string_value(r->value), json_string_length(r->value), r->location);
}

static void read_number(reading *r)
{
    if (json_is_number(r->value))
        *FIELD(r, json_t *) = r->value;
    else
        expect(r->compiler, r->location, "a number", r->value);
}

static void read_divisor(reading *r)
{
    if (json_is_number(r->value) && json_number_value(r->value) > 0)
        *FIELD(r, json_t *) = r->value;
    else
        expect(r->compiler, r->location, "a number above 0", r->value);
}

static void read_limit(reading *r)
{
    weir__limit *limit = FIELD(r, weir__limit);
    double real = json_is_real(r->value) ? json_real_value(r->value) : -1.0;
    if (json_is_integer(r->value) && json_integer_value(r->value) >= 0)
        *limit = (weir__limit){(uint64_t)json_integer_value(r->value), true};
    else if (real >= 0 && real < 18446744073709551616.0 && weir__is_whole(real))
        *limit = (weir__limit){(uint64_t)real, true};
    else
        expect(r->compiler, r->location, "an integer that is not negative", r->value);
}

static void read_boolean(reading *r)
{
    if (json_is_boolean(r->value))
        *FIELD(r, bool) = json_is_true(r->value);
    else
        expect(r->compiler, r->location, "true or false", r->value);
}

static void read_text(reading *r)
{
    if (json_is_string(r->value))
        *FIELD(r, const char *) = json_string_value(r->value);
    else
        expect(r->compiler, r->location, "a string", r->value);
}

static void read_any(reading *r)
{
    *FIELD(r, json_t *) = r->value;
}

static void read_enum(reading *r)
{
    if (json_is_array(r->value))
        *FIELD(r, json_t *) = r->value;
    else
        expect(r->compiler, r->location, "an array of values", r->value);
}

static bool is_name_list(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_string(json_array_get(value, i)))
            return false;
    return json_is_array(value);
}

static void read_names(reading *r)
{
    if (is_name_list(r->value))
        *FIELD(r, json_t *) = r->value;
    else
        expect(r->compiler, r->location, "an array of member names", r->value);
}

static void read_dependent_names(reading *r)
{
    const char *name;
    json_t *value;
    if (!json_is_object(r->value)) {
        expect(r->compiler, r->location, "an object of arrays of member names", r->value);
        return;
    }
    json_object_foreach(r->value, name, value)
    {
        if (is_name_list(value))
            continue;
        char *location = locate(r->compiler, r->location, name);
        if (location)
            expect(r->compiler, location, "an array of member names", value);
        weir__free(location);
        return;
    }
    *FIELD(r, json_t *) = r->value;
}

static unsigned kinds_of_type(const json_t *name)
{
    static const struct {
        const char *name;
        unsigned kinds;
    } types[] = {
        {"null", WEIR__KIND_NULL},       {"boolean", WEIR__KIND_BOOLEAN},
        {"integer", WEIR__KIND_INTEGER}, {"number", WEIR__KIND_INTEGER | WEIR__KIND_REAL},
        {"string", WEIR__KIND_STRING},   {"array", WEIR__KIND_ARRAY},
        {"object", WEIR__KIND_OBJECT},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && json_is_string(name); i++)
        if (strcmp(types[i].name, json_string_value(name)) == 0)
            return types[i].kinds;
    return 0;
}

static void read_type(reading *r)
{
    static const char expected[] =
        "a type (null, boolean, integer, number, string, array or object) or an array of them";
    unsigned kinds = kinds_of_type(r->value);
    bool fine = kinds != 0;
    if (json_array_size(r->value) > 0) {
        fine = true;
        for (size_t i = 0; i < json_array_size(r->value); i++) {
            unsigned more = kinds_of_type(json_array_get(r->value, i));
            fine = fine && more != 0;
            kinds |= more;
        }
    }
    if (fine)
        r->node->kinds = kinds;
    else
        expect(r->compiler, r->location, expected, r->value);
}

static void read_format(reading *r)
{
    weir__message message;
    read_text(r);
    const char *name = r->node->format_name;
    if (!name || weir__format_find(name, &r->node->format) || strncmp(name, "weir-", 5) != 0)
        return;
    const char *nearest = weir__format_nearest(name);
    weir__message_start(&message);
    weir__message_add(&message, "unknown format ");
    weir__message_quote(&message, name, strlen(name));
    if (nearest)
        weir__message_add(&message, "; did you mean \"%s\"?", nearest);
    weir__compile_fault(r->compiler, r->location, &message);
}

static void read_anchor(reading *r)
{
    const char *name = json_string_value(r->value);
    static const char begin[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char inside[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789-.";
    if (!name || !*name || !strchr(begin, *name) || strspn(name, inside) != strlen(name))
        expect(r->compiler, r->location, "a name of letters, digits, '-', '_' and '.'", r->value);
    else if (weir__compile_anchor(r->compiler, r->node, name) != 0)
        weir__compile_out_of_memory(r->compiler);
}

static void read_dialect(reading *r)
{
    static const char dialect[] = "https://json-schema.org/draft/2020-12/schema";
    const char *name = json_string_value(r->value);
    size_t length = sizeof(dialect) - 1;
    if (!name || strncmp(name, dialect, length) != 0 || (name[length] && strcmp(name + length, "#") != 0))
        expect(r->compiler, r->location, "\"https://json-schema.org/draft/2020-12/schema\", the only dialect here",
               r->value);
}

static void refuse_keyword(reading *r)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "the keyword \"%s\" is not available here", r->word->name);
    weir__compile_fault(r->compiler, r->location, &message);
}

#define WORD(name, reader, field)                 \
    {                                             \
        name, reader, offsetof(weir__node, field) \
    }

/* Sorted by name. What is not in it is an annotation. $id is read before all others. */
static const keyword keywords[] = {
    WORD("$anchor", read_anchor, source),
    WORD("$defs", read_definitions, source),
    WORD("$dynamicAnchor", read_anchor, source),
    WORD("$dynamicRef", refuse_keyword, source),
    WORD("$ref", read_text, ref_text),
    WORD("$schema", read_dialect, source),
    WORD("additionalProperties", read_schema, additional),
    WORD("allOf", read_schemas, all_of),
    WORD("anyOf", read_schemas, any_of),
    WORD("const", read_any, const_value),
    WORD("contains", read_schema, contains),
    WORD("default", read_any, default_value),
    WORD("dependentRequired", read_dependent_names, dependent_required),
    WORD("dependentSchemas", read_members, dependent_schemas),
    WORD("description", read_text, description),
    WORD("else", read_schema, else_schema),
    WORD("enum", read_enum, enum_values),
    WORD("exclusiveMaximum", read_number, exclusive_maximum),
    WORD("exclusiveMinimum", read_number, exclusive_minimum),
    WORD("format", read_format, format_name),
    WORD("if", read_schema, if_schema),
    WORD("items", read_schema, items),
    WORD("maxContains", read_limit, max_contains),
    WORD("maxItems", read_limit, max_items),
    WORD("maxLength", read_limit, max_length),
    WORD("maxProperties", read_limit, max_properties),
    WORD("maximum", read_number, maximum),
    WORD("minContains", read_limit, min_contains),
    WORD("minItems", read_limit, min_items),
    WORD("minLength", read_limit, min_length),
    WORD("minProperties", read_limit, min_properties),
    WORD("minimum", read_number, minimum),
    WORD("multipleOf", read_divisor, multiple_of),
    WORD("not", read_schema, not_schema),
    WORD("oneOf", read_schemas, one_of),
    WORD("pattern", read_pattern, pattern),
    WORD("patternErrorMessage", read_text, pattern_words),
    WORD("patternProperties", read_pattern_members, pattern_properties),
    WORD("prefixItems", read_schemas, prefix_items),
    WORD("properties", read_members, properties),
    WORD("propertyNames", read_schema, property_names),
    WORD("required", read_names, required),
    WORD("then", read_schema, then_schema),
    WORD("title", read_text, title),
    WORD("type", read_type, kinds),
    WORD("unevaluatedItems", refuse_keyword, source),
    WORD("unevaluatedProperties", refuse_keyword, source),
    WORD("uniqueItems", read_boolean, unique_items),
    WORD("writeOnly", read_boolean, write_only),
};

static int keyword_order(const void *name, const void *word)
{
    return strcmp(name, ((const keyword *)word)->name);
}

/* ---- nodes ---- */

static size_t bucket_of(const json_t *source)
{
    return (size_t)((uintptr_t)source >> 4) * 2654435761U % WEIR__SCHEMA_BUCKETS;
}

weir__node *weir__compiled_node(const weir__schema *schema, const json_t *source)
{
    weir__node *node = schema->buckets[bucket_of(source)];
    while (node && node->source != source)
        node = node->next_in_bucket;
    return node;
}

static weir__node *new_node(weir__compiler *compiler, json_t *source, const char *location, weir__resource *resource)
{
    weir__schema *schema = compiler->schema;
    weir__node *node = weir__calloc(1, sizeof(*node));
    char *copy = weir__strdup(location);
    if (!node || !copy) {
        weir__compile_out_of_memory(compiler);
        weir__free(node);
        weir__free(copy);
        return NULL;
    }
    node->source = source;
    node->location = copy;
    node->resource = resource;
    node->kinds = WEIR__KIND_ANY;
    node->never = json_is_false(source);
    *schema->last_node = node;
    schema->last_node = &node->next;
    if (json_is_object(source)) {
        size_t bucket = bucket_of(source);
        node->next_in_bucket = schema->buckets[bucket];
        schema->buckets[bucket] = node;
    }
    return node;
}

static void read_keywords(weir__compiler *compiler, weir__node *node)
{
    const char *name;
    json_t *value;
    json_object_foreach(node->source, name, value)
    {
        const keyword *word =
            bsearch(name, keywords, sizeof(keywords) / sizeof(keywords[0]), sizeof(keyword), keyword_order);
        if (!word)
            continue;
        reading r = {.compiler = compiler, .node = node, .word = word, .value = value};
        r.location = locate(compiler, node->location, name);
        if (r.location)
            word->read(&r);
        weir__free(r.location);
        if (compiler->status)
            return;
    }
}

weir__node *weir__compile_node(weir__compiler *compiler, json_t *source, const char *location, weir__resource *resource)
{
    if (!json_is_object(source) && !json_is_boolean(source)) {
        expect(compiler, location, "a schema (an object, true or false)", source);
        return NULL;
    }
    weir__node *node = json_is_object(source) ? weir__compiled_node(compiler->schema, source) : NULL;
    if (node)
        return node;
    if (compiler->depth == DEPTH_MOST) {
        weir__message message;
        weir__message_start(&message);
        weir__message_add(&message, "schemas are nested more than %d levels deep", DEPTH_MOST);
        weir__compile_fault(compiler, location, &message);
        return NULL;
    }
    resource = weir__compile_resource(compiler, source, location, resource);
    if (!resource)
        return NULL;
    node = new_node(compiler, source, location, resource);
    if (!node)
        return NULL;
    if (resource->json == source)
        resource->root = node;
    compiler->depth++;
    read_keywords(compiler, node);
    compiler->depth--;
    return node;
}

/* ---- schemas ---- */

static void free_members(weir__node *node)
{
    weir__nodes *lists[] = {&node->prefix_items, &node->all_of, &node->any_of, &node->one_of};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        weir__free(lists[i]->items);
    for (size_t i = 0; i < node->pattern_properties.count; i++)
        weir__pattern_free(node->pattern_properties.items[i].pattern);
    weir__free(node->pattern_properties.items);
    weir__free(node->properties.items);
    weir__free(node->dependent_schemas.items);
    weir__pattern_free(node->pattern);
}

void weir__schema_free(weir__schema *schema)
{
    if (!schema)
        return;
    for (weir__node *node = schema->nodes, *next; node; node = next) {
        next = node->next;
        free_members(node);
        weir__free(node->location);
        weir__free(node);
    }
    for (weir__resource *resource = schema->resources, *next; resource; resource = next) {
        next = resource->next;
        weir__free(resource->uri);
        weir__free(resource);
    }
    if (schema->locale)
        freelocale(schema->locale);
    json_decref(schema->json);
    weir__free(schema);
}

static weir__schema *compile(json_t *source, const char *name, const weir__document *document, weir__faults *faults)
{
    weir__compiler compiler = {.name = name, .faults = faults, .document = document};
    weir__schema *schema = weir__calloc(1, sizeof(*schema));
    if (!schema) {
        faults->out_of_memory = true;
        return NULL;
    }
    compiler.schema = schema;
    schema->json = json_incref(source);
    schema->last_node = &schema->nodes;
    /* Patterns must not change their meaning with the locale of the program. */
    schema->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    schema->root = weir__compile_node(&compiler, source, "", NULL);
    if (schema->root && !compiler.status)
        weir__compile_references(&compiler);
    weir__compiler_free_anchors(&compiler);
    if (schema->root && !compiler.status && !compiler.faulty)
        weir__compile_finish(&compiler);
    if (!schema->root || compiler.status || compiler.faulty) {
        weir__schema_free(schema);
        return NULL;
    }
    return schema;
}

weir__schema *weir__schema_compile(json_t *schema, const char *name, weir__faults *faults)
{
    return compile(schema, name, NULL, faults);
}

weir__schema *weir__schema_parse(const char *text, size_t length, const char *name, weir__faults *faults)
{
    weir__document *document = weir__document_parse(name, text, length, faults);
    weir__schema *schema = document ? compile(document->root, name, document, faults) : NULL;
    weir__document_free(document);
    return schema;
}

const json_t *weir__schema_json(const weir__schema *schema)
{
    return schema->json;
}
