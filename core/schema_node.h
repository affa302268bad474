/* SPDX-License-Identifier: MIT */
/* The compiled form of a schema, and what the schema_*.c files share. */
#ifndef WEIR_CORE_SCHEMA_NODE_H
#define WEIR_CORE_SCHEMA_NODE_H

#include <locale.h>
#include <regex.h>

#include "schema.h"

typedef struct weir__node weir__node;

/* ---- patterns (schema_pattern.c) ---- */

typedef struct weir__pattern {
    const char *text; /* as the schema writes it, borrowed */
    regex_t regex;
    locale_t locale; /* UTF-8 whatever the program's is; borrowed from the schema */
    bool anchored;   /* only ever tried at the start of a string */
} weir__pattern;

/* 0 and a pattern for weir__pattern_free, UV_ENOMEM, or UV_EINVAL and why says what is wrong. */
int weir__pattern_compile(const char *text, size_t length, locale_t locale, weir__pattern **result, weir__message *why);
void weir__pattern_free(weir__pattern *pattern);
/* 1 when text (which may hold NULs) matches somewhere, 0 when not, UV_ENOMEM. */
int weir__pattern_match(const weir__pattern *pattern, const char *text, size_t length);
/* How many steps of a check a match on text of this length may cost. */
size_t weir__pattern_cost(const weir__pattern *pattern, size_t length);

/* ---- nodes ---- */

typedef struct weir__nodes {
    weir__node **items;
    size_t count;
} weir__nodes;

typedef struct weir__named_node {
    const char *name;
    weir__node *node;
} weir__named_node;

typedef struct weir__members {
    weir__named_node *items; /* sorted by name */
    size_t count;
} weir__members;

typedef struct weir__pattern_node {
    weir__pattern *pattern;
    weir__node *node;
} weir__pattern_node;

typedef struct weir__pattern_members {
    weir__pattern_node *items;
    size_t count;
} weir__pattern_members;

typedef struct weir__limit {
    uint64_t value;
    bool given;
} weir__limit;

typedef enum weir__format {
    WEIR__FORMAT_NONE, /* none, or one that is an annotation */
    WEIR__FORMAT_PORT,
    WEIR__FORMAT_DURATION,
    WEIR__FORMAT_SIZE,
    WEIR__FORMAT_PATH,
    WEIR__FORMAT_BLOCK_RULE,
} weir__format;

/* A schema with a URI of its own: the root, and every subschema with $id. */
typedef struct weir__resource {
    struct weir__resource *next;
    char *uri; /* without a fragment */
    weir__node *root;
    json_t *json;
} weir__resource;

struct weir__node {
    weir__node *next;           /* all of a schema's nodes */
    weir__node *next_in_bucket; /* those whose source hashes alike */
    json_t *source;             /* borrowed; objects are unique to a node, true and false are not */
    char *location;             /* JSON pointer of where it was first met */
    weir__resource *resource;

    bool never; /* false */
    bool unique_items, write_only;
    bool secret;      /* write_only here or in a schema that applies in the same place */
    unsigned kinds;   /* what `type` allows */
    unsigned accepts; /* the kinds that can pass everything that applies in place */
    unsigned height;  /* schemas within each other that apply in place; 0: not visited yet */
    bool visiting;
    weir__format format;
    const char *format_name, *title, *description, *ref_text;
    const char *pattern_words; /* what is said instead of the pattern, for people */

    json_t *enum_values, *const_value, *default_value; /* all borrowed from source */
    json_t *minimum, *maximum, *exclusive_minimum, *exclusive_maximum, *multiple_of;
    json_t *required, *dependent_required;
    weir__limit min_length, max_length, min_items, max_items, min_contains, max_contains, min_properties,
        max_properties;
    weir__pattern *pattern;

    weir__members properties, dependent_schemas;
    weir__pattern_members pattern_properties;
    weir__nodes prefix_items, all_of, any_of, one_of;
    weir__node *ref, *additional, *property_names, *items, *contains, *not_schema, *if_schema, *then_schema,
        *else_schema;
};

#define WEIR__SCHEMA_BUCKETS 256

struct weir__schema {
    json_t *json;
    weir__node *root;
    weir__node *nodes, **last_node;
    weir__node *buckets[WEIR__SCHEMA_BUCKETS];
    weir__resource *resources;
    locale_t locale;
};

/* How a schema that applies to the same value is tied to the node that names it. */
typedef enum weir__edge {
    WEIR__EDGE_ALWAYS, /* $ref, allOf */
    WEIR__EDGE_MAYBE,  /* anyOf, oneOf, then, else, dependentSchemas */
    WEIR__EDGE_TEST,   /* not, if: says nothing of a valid value */
} weir__edge;

/* The schemas that apply to the same value, one by one; NULL behind the last. */
weir__node *weir__node_in_place(const weir__node *node, size_t index, weir__edge *edge);

weir__node *weir__members_find(const weir__members *members, const char *name);

/* ---- compiling (schema_compile.c, schema_ref.c) ---- */

typedef struct weir__anchor {
    struct weir__anchor *next;
    const weir__resource *resource;
    const char *name;
    weir__node *node;
} weir__anchor;

typedef struct weir__compiler {
    weir__schema *schema;
    const char *name;
    weir__faults *faults;
    const weir__document *document; /* gives faults their lines; may be NULL */
    weir__anchor *anchors;
    unsigned depth;
    bool faulty;
    int status; /* UV_ENOMEM ends the work */
} weir__compiler;

void weir__compile_fault(weir__compiler *compiler, const char *location, const weir__message *message);
void weir__compile_out_of_memory(weir__compiler *compiler);
/* The node of a subschema: the one that is there already, or a new one with all below it. NULL after a fault. */
weir__node *weir__compile_node(weir__compiler *compiler, json_t *source, const char *location,
                               weir__resource *resource);
weir__node *weir__compiled_node(const weir__schema *schema, const json_t *source);

/* Makes source a resource of its own when it has an $id; gives the resource that holds inside of it, or NULL. */
weir__resource *weir__compile_resource(weir__compiler *compiler, json_t *source, const char *location,
                                       weir__resource *outer);
int weir__compile_anchor(weir__compiler *compiler, weir__node *node, const char *name);
/* Finds what every $ref leads to. */
void weir__compile_references(weir__compiler *compiler);
void weir__compiler_free_anchors(weir__compiler *compiler);
/* What follows from the whole: heights, loops, kinds, secrets (schema_finish.c). */
void weir__compile_finish(weir__compiler *compiler);

/* ---- values (schema_value.c) ---- */

/* One of WEIR__KIND_*. */
unsigned weir__kind_of(const json_t *value);
bool weir__is_whole(double value);
/* Below 0, 0, above 0; exact between integers and doubles. */
int weir__compare_numbers(const json_t *a, const json_t *b);
/* In decimal: 0.0075 is a multiple of 0.0001. divisor is above 0. */
bool weir__is_multiple(const json_t *value, const json_t *divisor);
/* As JSON Schema has it: 1 equals 1.0. steps is lowered by the work; with none left the answer is false. */
bool weir__json_equals(const json_t *a, const json_t *b, size_t *steps);
/* Calls found for each element that equals an earlier one. 0 or UV_ENOMEM. */
int weir__find_repeated(const json_t *array, size_t *steps,
                        void (*found)(void *arg, const json_t *value, size_t first, size_t again), void *arg);
/* Adds 42, 1.5, "text" (cut), true, null, or "an array", "an object". */
void weir__message_value(weir__message *message, const json_t *value);
/* Adds "a string or an integer". */
void weir__message_kinds(weir__message *message, unsigned kinds);
size_t weir__code_points(const char *text, size_t length);
/* The shortest text that reads back as the same double, with a '.' in any locale. */
void weir__real_text(double value, char text[40]);

/* ---- formats (schema_format.c) ---- */

bool weir__format_find(const char *name, weir__format *format);
const char *weir__format_nearest(const char *name);
/* NULL when value is fine, or what is expected instead ("a port from 0 to 65535"). */
const char *weir__format_fault(weir__format format, const json_t *value);

/* ---- checking (schema_check.c, schema_report.c, schema_alternatives.c) ---- */

/* One step from the root of the instance to a value. */
typedef struct weir__step {
    const struct weir__step *outer;
    const char *name; /* NULL: index */
    size_t index;
    unsigned depth; /* 0: the root, which has no outer */
} weir__step;

typedef struct weir__check {
    const weir__schema *schema;
    weir__schema_sink sink;
    void *arg;
    weir__message *joined; /* collects messages in place of sink */
    bool telling;          /* words faults; else they are only counted */
    bool first_only;       /* nothing is done after the first fault */
    bool on_name;          /* what is checked is a member's name */
    unsigned depth;
    size_t steps;           /* still allowed */
    size_t faults, shallow; /* so far; shallow: those that tell that a value is meant for another alternative */
    unsigned base;          /* the depth that shallow counts from */
    const char *gave_up;
    int status;
} weir__check;

void weir__check_node(weir__check *check, const weir__node *node, json_t *value, const weir__step *at);
/* Whether a value passes, without a word. */
bool weir__check_fits(weir__check *check, const weir__node *node, json_t *value, const weir__step *at);
/* True when there is nothing left to do. */
bool weir__check_done(const weir__check *check);
/* Counts a fault at a place; true when it is to be worded. tag: a const or enum, which tells alternatives apart. */
bool weir__check_fault(weir__check *check, const weir__step *at, bool tag);
void weir__check_tell(weir__check *check, const weir__step *at, bool on_name, const weir__message *message);
/* Adds a value unless it is a secret. */
void weir__check_value(const weir__check *check, const weir__step *at, weir__message *message, const json_t *value);
/* "expected a string, found a number (42)". */
void weir__check_tell_kinds(weir__check *check, const weir__step *at, unsigned kinds, const json_t *value);
void weir__check_tell_unknown(weir__check *check, const weir__node *node, const weir__step *at);
/* "is not one of ...", over all values in the arrays of lists. */
void weir__check_tell_choice(weir__check *check, const weir__step *at, const json_t *value, json_t *const *lists,
                             size_t count);
void weir__check_alternatives(weir__check *check, const weir__node *node, json_t *value, const weir__step *at);

bool weir__secret_at(const weir__schema *schema, const weir__step *at);

#endif
