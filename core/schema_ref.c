/* SPDX-License-Identifier: MIT */
/* What a $ref leads to: URIs (RFC 3986, section 5), $id, $anchor and JSON pointers, all inside of one schema. */
#define _GNU_SOURCE

#include <errno.h>
#include <string.h>

#include "memory.h"
#include "schema_node.h"

/* ---- URIs ---- */

typedef struct {
    const char *text;
    size_t length;
    bool given;
} part;

typedef struct {
    part scheme, authority, path, query, fragment;
} uri;

static part part_until(const char **at, const char *stops)
{
    part found = {.text = *at, .length = strcspn(*at, stops), .given = true};
    *at += found.length;
    return found;
}

static uri split(const char *text)
{
    uri result = {0};
    size_t scheme = strcspn(text, ":/?#");
    if (scheme > 0 && text[scheme] == ':') {
        result.scheme = (part){text, scheme, true};
        text += scheme + 1;
    }
    if (text[0] == '/' && text[1] == '/') {
        text += 2;
        result.authority = part_until(&text, "/?#");
    }
    result.path = part_until(&text, "?#");
    if (*text == '?') {
        text++;
        result.query = part_until(&text, "#");
    }
    if (*text == '#')
        result.fragment = (part){text + 1, strlen(text + 1), true};
    return result;
}

static void put(char **out, const char *text, size_t length)
{
    memcpy(*out, text, length);
    *out += length;
}

/* Removes "." and ".." segments from the path that begins at start and ends at *end. */
static void remove_dots(char *start, char **end)
{
    char *out = start;
    char *in = start;
    while (in < *end) {
        size_t length = 1;
        while (in + length < *end && in[length] != '/')
            length++;
        bool last = in + length == *end;
        bool dot = length == 2 && memcmp(in, "/.", 2) == 0;
        bool dots = length == 3 && memcmp(in, "/..", 3) == 0;
        if (dots) {
            while (out > start && *--out != '/')
                continue;
        }
        if (dot || dots) {
            if (last)
                *out++ = '/';
        } else {
            memmove(out, in, length);
            out += length;
        }
        in += length;
    }
    *end = out;
}

/* The path of a reference that has one, against the base's. */
static void put_path(char **out, const uri *base, const uri *reference)
{
    char *start = *out;
    const part *from = &base->path;
    if (reference->path.length == 0) {
        put(out, from->text, from->length);
        return;
    }
    if (reference->path.text[0] != '/' && base->authority.given && from->length == 0)
        put(out, "/", 1);
    else if (reference->path.text[0] != '/') {
        size_t length = from->length;
        while (length > 0 && from->text[length - 1] != '/')
            length--;
        put(out, from->text, length);
    }
    put(out, reference->path.text, reference->path.length);
    if (*start == '/')
        remove_dots(start, out);
}

/* The reference made absolute, without its fragment. NULL without memory. */
static char *resolve(const char *base_text, const char *reference_text)
{
    uri base = split(base_text), reference = split(reference_text);
    char *result = weir__malloc(strlen(base_text) + strlen(reference_text) + 8);
    char *out = result;
    if (!result)
        return NULL;
    bool absolute = reference.scheme.given;
    const uri *authority = absolute || reference.authority.given ? &reference : &base;
    const part *scheme = absolute ? &reference.scheme : &base.scheme;
    if (scheme->given) {
        put(&out, scheme->text, scheme->length);
        put(&out, ":", 1);
    }
    if (authority->authority.given) {
        put(&out, "//", 2);
        put(&out, authority->authority.text, authority->authority.length);
    }
    if (authority == &reference)
        put(&out, reference.path.text, reference.path.length);
    else
        put_path(&out, &base, &reference);
    bool inherits = authority == &base && reference.path.length == 0 && !reference.query.given;
    const part *query = inherits ? &base.query : &reference.query;
    if (query->given) {
        put(&out, "?", 1);
        put(&out, query->text, query->length);
    }
    *out = '\0';
    return result;
}

/* ---- $id and $anchor ---- */

weir__resource *weir__compile_resource(weir__compiler *compiler, json_t *source, const char *location,
                                       weir__resource *outer)
{
    const json_t *id = json_object_get(source, "$id");
    const char *text = json_string_value(id);
    uri parts = split(text ? text : "");
    if (id && (!text || parts.fragment.length > 0)) {
        weir__message message;
        weir__message_start(&message);
        weir__message_add(&message, "$id: expected a URI without a fragment, found ");
        weir__message_value(&message, id);
        weir__compile_fault(compiler, location, &message);
        text = NULL;
    }
    if (outer && !text)
        return outer;
    weir__resource *resource = weir__calloc(1, sizeof(*resource));
    char *absolute = resolve(outer ? outer->uri : "", text ? text : "");
    if (!resource || !absolute) {
        weir__compile_out_of_memory(compiler);
        weir__free(resource);
        weir__free(absolute);
        return NULL;
    }
    resource->uri = absolute;
    resource->json = source;
    resource->next = compiler->schema->resources;
    compiler->schema->resources = resource;
    return resource;
}

int weir__compile_anchor(weir__compiler *compiler, weir__node *node, const char *name)
{
    weir__anchor *anchor = weir__calloc(1, sizeof(*anchor));
    if (!anchor)
        return -ENOMEM;
    *anchor = (weir__anchor){compiler->anchors, node->resource, name, node};
    compiler->anchors = anchor;
    return 0;
}

void weir__compiler_free_anchors(weir__compiler *compiler)
{
    while (compiler->anchors) {
        weir__anchor *next = compiler->anchors->next;
        weir__free(compiler->anchors);
        compiler->anchors = next;
    }
}

/* ---- $ref ---- */

static int hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* %41 to A, in place. */
static void decode_percent(char *text)
{
    char *out = text;
    for (; *text; text++) {
        int high = *text == '%' ? hex(text[1]) : -1;
        int low = high >= 0 ? hex(text[2]) : -1;
        if (low >= 0 && (high || low)) {
            *out++ = (char)(high << 4 | low);
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static json_t *step_into(json_t *value, const char *token)
{
    char *end;
    if (json_is_object(value))
        return json_object_get(value, token);
    if (!json_is_array(value) || token[0] < '0' || token[0] > '9' || (token[0] == '0' && token[1]))
        return NULL;
    unsigned long index = strtoul(token, &end, 10);
    return *end ? NULL : json_array_get(value, index);
}

/* The schema at a pointer into a resource; pointer is changed. */
static weir__node *follow_pointer(weir__compiler *compiler, weir__resource *resource, char *pointer)
{
    json_t *value = resource->json;
    weir__pointer location = {0};
    if (resource->root && resource->root->location[0]) {
        location.text = weir__strdup(resource->root->location);
        location.failed = !location.text;
        location.length = location.capacity = strlen(resource->root->location);
    }
    for (char *token = pointer + 1; value;) {
        char *end = strchrnul(token, '/');
        bool last = !*end;
        *end = '\0';
        char *out = token;
        for (char *in = token; *in; in++)
            *out++ = *in == '~' && (in[1] == '0' || in[1] == '1') ? (*++in == '0' ? '~' : '/') : *in;
        *out = '\0';
        value = step_into(value, token);
        weir__pointer_add_name(&location, token, strlen(token));
        const weir__node *known = json_is_object(value) ? weir__compiled_node(compiler->schema, value) : NULL;
        if (known)
            resource = known->resource;
        if (last)
            break;
        token = end + 1;
    }
    weir__node *node = NULL;
    if (location.failed)
        weir__compile_out_of_memory(compiler);
    else if (value)
        node = weir__compile_node(compiler, value, location.text ? location.text : "", resource);
    weir__free(location.text);
    return node;
}

static weir__node *follow_anchor(const weir__compiler *compiler, const weir__resource *resource, const char *name)
{
    for (const weir__anchor *anchor = compiler->anchors; anchor; anchor = anchor->next)
        if (anchor->resource == resource && strcmp(anchor->name, name) == 0)
            return anchor->node;
    return NULL;
}

static weir__resource *find_resource(const weir__schema *schema, const char *absolute)
{
    weir__resource *found = NULL;
    /* The list runs backwards; of two with one URI the first written counts. */
    for (weir__resource *resource = schema->resources; resource; resource = resource->next)
        if (strcmp(resource->uri, absolute) == 0)
            found = resource;
    return found;
}

static void refuse_reference(weir__compiler *compiler, const weir__node *node, bool outside)
{
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "$ref ");
    weir__message_quote(&message, node->ref_text, strlen(node->ref_text));
    weir__message_add(&message, outside ? " leads out of this schema, which is not followed" : " leads to no schema");
    weir__compile_fault(compiler, node->location, &message);
}

static void follow(weir__compiler *compiler, weir__node *node)
{
    uri reference = split(node->ref_text);
    char *absolute = resolve(node->resource->uri, node->ref_text);
    char *fragment = weir__strndup(reference.fragment.given ? reference.fragment.text : "", reference.fragment.length);
    if (!absolute || !fragment) {
        weir__compile_out_of_memory(compiler);
    } else {
        weir__resource *resource = find_resource(compiler->schema, absolute);
        decode_percent(fragment);
        if (resource && fragment[0] == '/')
            node->ref = follow_pointer(compiler, resource, fragment);
        else if (resource)
            node->ref = fragment[0] ? follow_anchor(compiler, resource, fragment) : resource->root;
        if (!node->ref && !compiler->status)
            refuse_reference(compiler, node, !resource);
    }
    weir__free(absolute);
    weir__free(fragment);
}

void weir__compile_references(weir__compiler *compiler)
{
    /* A pointer may lead to a place where no schema was looked for; its node then joins the end of the list. */
    for (weir__node *node = compiler->schema->nodes; node && !compiler->status; node = node->next)
        if (node->ref_text)
            follow(compiler, node);
}
