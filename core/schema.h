/* SPDX-License-Identifier: MIT */
/*
 * JSON Schema, draft 2020-12, over Jansson: compiled once, then asked as often as wanted, from any thread.
 *
 * Asserted: type, enum, const, multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum, maxLength, minLength,
 * pattern, maxItems, minItems, uniqueItems, maxContains, minContains, maxProperties, minProperties, required,
 * dependentRequired, properties, patternProperties, additionalProperties, propertyNames, items, prefixItems, contains,
 * allOf, anyOf, oneOf, not, if/then/else, dependentSchemas, and $ref to anything inside the same schema ($defs, JSON
 * pointers, $anchor, $id). `default` fills in; `writeOnly` marks a secret; title and description help the wording.
 *
 * Refused when compiled, because ignoring them would let through what the schema's author wants kept out:
 * unevaluatedItems, unevaluatedProperties, $dynamicRef, a $ref that leaves the schema, a $schema of another dialect,
 * and every keyword above with a value it cannot have. Any other keyword is an annotation and is passed over.
 *
 * Formats are asserted for ours only (all others are annotations); each takes an integer too, so that `type` decides:
 *   weir-port      0 to 65535, a number or its digits
 *   weir-duration  milliseconds as a number, or "250", "250ms", "10s", "5m", "1h"
 *   weir-size      bytes as a number, or "65536", "512B", "4kB", "64KiB", "16MiB", "1GiB" (kB, MB, GB, TB are powers of
 *                  1000; KiB, MiB, GiB, TiB of 1024)
 *   weir-path      text that is not empty and has no NUL
 *   weir-block-rule  text that weir_blocklist_add_rule takes
 *
 * What bounds a number (minimum, maximum and so on) bounds a duration's milliseconds and a size's bytes written as text,
 * too.
 *
 * The dialect of `pattern` and `patternProperties` is POSIX extended regular expressions (regcomp), unanchored, over
 * UTF-8 whatever the locale of the process is. What ECMAScript writes otherwise is translated: the classes d w s D W S
 * behind a backslash (d and w are ASCII; inside of a set only d w s, and the pair of s and S for any character), the
 * escapes t n r f v xHH uHHHH cX b B, any escaped sign, groups that begin with (?: and lazy quantifiers. A set
 * may hold [:alpha:] and its kind. Not available, and a fault when compiled: back references, look-ahead, look-behind,
 * named groups, the escapes p{...} and 0, and ranges in a set that are not between two ASCII characters. '.' matches a
 * line feed, but no NUL.
 *
 * Numbers compare exactly: integers have 64 bits, others are doubles, and multipleOf works on their shortest decimals.
 * maxLength and minLength count code points.
 *
 * Checking is bounded: a value that takes more than some fifty million steps, or more than a thousand schemas within
 * each other, is refused with a fault that says so.
 */
#ifndef WEIR_CORE_SCHEMA_H
#define WEIR_CORE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "faults.h"
#include "json_scan.h"

typedef struct weir__schema weir__schema;

/*
 * Compiles a schema, of which a reference is kept: it must not be changed any more. name labels the faults, whose
 * pointers point into the schema. NULL with faults when the schema is malformed or memory runs out.
 */
weir__schema *weir__schema_compile(json_t *schema, const char *name, weir__faults *faults);

/* The same from text, so that faults have lines. */
weir__schema *weir__schema_parse(const char *text, size_t length, const char *name, weir__faults *faults);

void weir__schema_free(weir__schema *schema); /* NULL passes */

/* The schema's JSON, borrowed. */
const json_t *weir__schema_json(const weir__schema *schema);

/* ---- checking ---- */

#define WEIR__SCHEMA_FAULTS_MOST 1000 /* told; the ones after these are only counted */

typedef struct weir__schema_fault {
    const char *pointer; /* JSON pointer into the instance, "" for all of it */
    bool on_name;        /* the fault is the name of the member that pointer ends in, not its value */
    const char *message; /* one line, no secret in it; both texts last only for the call */
} weir__schema_fault;

/* Returns 0 to go on, or an error below 0 that ends the check. */
typedef int (*weir__schema_sink)(const weir__schema_fault *fault, void *arg);

/*
 * Checks an instance and tells every fault to sink (NULL: none is told, and the check ends at the first). Gives the
 * number of faults, 0 when valid, or an error below 0: UV_ENOMEM, or what sink returned.
 */
int weir__schema_check(const weir__schema *schema, json_t *instance, weir__schema_sink sink, void *arg);

/*
 * Checks a part of a document, which stands at the pointer base ("" for all of it), with its faults going to faults at
 * their lines. instance is usually the value at base. The same result.
 */
int weir__schema_check_document(const weir__schema *schema, const weir__document *document, const char *base,
                                json_t *instance, weir__faults *faults);

/* ---- asking a schema ---- */

/* Kinds of values, as bits. An integer is a number without a fraction, 1.0 too. */
enum {
    WEIR__KIND_NULL = 1,
    WEIR__KIND_BOOLEAN = 2,
    WEIR__KIND_INTEGER = 4,
    WEIR__KIND_REAL = 8, /* "number" is WEIR__KIND_INTEGER | WEIR__KIND_REAL */
    WEIR__KIND_STRING = 16,
    WEIR__KIND_ARRAY = 32,
    WEIR__KIND_OBJECT = 64,
    WEIR__KIND_ANY = 127,
};

/*
 * What the schema says of one of its members. All of it is borrowed from the schema.
 */
typedef struct weir__schema_member {
    unsigned kinds;              /* the kinds of values it can have, unions and enums taken into account */
    bool required, secret;       /* secret: writeOnly */
    const char *format;          /* NULL without */
    const char *description;     /* NULL without */
    const json_t *default_value; /* NULL without */
    const json_t *source;        /* the subschema's JSON */
} weir__schema_member;

/*
 * Looks up a member of the instance's root by name, through $ref, allOf and, if it is not there, the alternatives.
 * 0 or UV_ENOENT.
 */
int weir__schema_property(const weir__schema *schema, const char *name, weir__schema_member *member);

/*
 * The names of the members that the schema knows at its root, each once, in the schema's order. Fills at most most of
 * names (borrowed from the schema) and gives how many there are.
 */
size_t weir__schema_property_names(const weir__schema *schema, const char **names, size_t most);

/*
 * True when the value at a JSON pointer is a secret, or lies inside of one: writeOnly in any subschema that may apply
 * there. A member of the root is "/name". Also true when that cannot be told without too much work.
 */
bool weir__schema_is_secret(const weir__schema *schema, const char *pointer);

/*
 * Adds the defaults of members that are absent, in the root and in what is present below it (members, elements),
 * through $ref, allOf, and of anyOf, oneOf and if those branches that the instance fits. An absent object is not made
 * for the defaults inside of it. To be used on a valid instance. 0, or UV_ENOMEM: the instance may be filled in part.
 */
int weir__schema_fill_defaults(const weir__schema *schema, json_t *instance);

/*
 * Turns text (from a URL's query) into a value of the kind that the member declares: what an integer, a number, true or
 * false, an array ("a,b": split at commas, each by the items' schema) or a string takes; of several kinds the first
 * that the member's schema accepts, tried in that order. A value that has the right kind and breaks another rule is
 * given all the same: the check words that better. 0 with a new reference in *out, UV_ENOENT (no such member),
 * UV_EINVAL (the text is of none of the kinds, or the member is an object) or UV_ENOMEM; message, unless NULL, then
 * says why, and quotes no secret.
 */
int weir__schema_coerce(const weir__schema *schema, const char *name, const char *text, json_t **out,
                        weir__message *message);

/* ---- formats ---- */

/* Text to milliseconds or bytes, as weir-duration and weir-size write them. 0, or UV_EINVAL with *value untouched. */
int weir__parse_duration(const char *text, uint64_t *milliseconds);
int weir__parse_size(const char *text, uint64_t *bytes);

/* The same from a value that has passed its format's check: an integer or text. */
int weir__duration_of(const json_t *value, uint64_t *milliseconds);
int weir__size_of(const json_t *value, uint64_t *bytes);

#endif
