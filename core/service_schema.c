/* SPDX-License-Identifier: MIT */
/*
 * The schema of service files for editors: service.schema.json with the schemas of all plugins merged in. Checking does
 * not use it: it goes component by component, because a fault in one big alternative can only be worded uselessly.
 */
#include <string.h>

#include <weir/handler.h>
#include <weir/plugin.h>
#include <weir/service.h>

#include "memory.h"
#include "service_schema.h"
#include "stream_schema.h"

#define STREAM_FILE "stream.schema.json"

/* Where the parts come together. A member that could not be made, for want of memory, sets `failed`. */
typedef struct merge {
    json_t *root;
    json_t *definitions;                                   /* root's $defs */
    json_t *transports, *layers, *handlers;                /* names with references to their options */
    json_t *transport_names, *layer_names, *handler_names; /* arrays; the first as {"required": [name]} */
    int failed;
} merge;

static void put(merge *self, json_t *object, const char *name, json_t *value)
{
    if (value == NULL || json_object_set_new(object, name, value) != 0) {
        self->failed = 1;
    }
}

static void append(merge *self, json_t *array, json_t *value)
{
    if (value == NULL || json_array_append_new(array, value) != 0) {
        self->failed = 1;
    }
}

/* ---- moving a schema into $defs ---- */

/* `reference` of a schema that now stands at `place`; NULL: it may stay. */
static json_t *moved_reference(const char *reference, const char *place)
{
    if (reference[0] == '#' && (reference[1] == '/' || reference[1] == '\0')) {
        return json_sprintf("#%s%s", place, reference + 1);
    }
    if (strncmp(reference, STREAM_FILE "#", strlen(STREAM_FILE) + 1) == 0) {
        return json_sprintf("#/$defs/stream%s", reference + strlen(STREAM_FILE) + 1);
    }
    return json_string(reference);
}

/* Members whose value is no schema, whatever it looks like. */
static int holds_plain_values(const char *name)
{
    static const char *const names[] = {"default", "examples", "enum", "const"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* References follow to where the schema stands now. Depth is bounded by Jansson's parser. */
static void move_references(merge *self, json_t *value, const char *place)
{
    const char *name;
    json_t *member;
    size_t i;
    json_array_foreach(value, i, member)
    {
        move_references(self, member, place);
    }
    void *iterator = json_object_iter(value);
    while (iterator != NULL) {
        name = json_object_iter_key(iterator);
        member = json_object_iter_value(iterator);
        if (strcmp(name, "$ref") == 0 && json_is_string(member)) {
            json_t *moved = moved_reference(json_string_value(member), place);
            if (moved == NULL || json_object_iter_set_new(value, iterator, moved) != 0) {
                self->failed = 1;
            }
        } else if (!holds_plain_values(name)) {
            move_references(self, member, place);
        }
        iterator = json_object_iter_next(value, iterator);
    }
}

/* A secret may be given as {"file": ...} or {"env": ...} too, which the core resolves before a plugin's schema is
 * asked. */
static void admit_secret_forms(merge *self, json_t *schema)
{
    json_t *properties = json_object_get(schema, "properties");
    void *iterator = json_object_iter(properties);
    while (iterator != NULL) {
        json_t *member = json_object_iter_value(iterator);
        if (json_is_true(json_object_get(member, "writeOnly"))) {
            json_t *wrapped = json_pack("{s:[O,{s:s}]}", "anyOf", member, "$ref", "#/$defs/secret");
            if (wrapped == NULL || json_object_iter_set_new(properties, iterator, wrapped) != 0) {
                self->failed = 1;
            }
        }
        iterator = json_object_iter_next(properties, iterator);
    }
}

/* Puts the schema that stands in `text` into $defs under `name`. */
static void define(merge *self, const char *name, const char *text)
{
    json_t *place = json_sprintf("/$defs/%s", name);
    json_t *schema = json_loads(text, 0, NULL);
    if (place == NULL || !json_is_object(schema)) {
        /* Nothing useful to say of it: anything goes. */
        json_decref(schema);
        schema = json_object();
    }
    if (place != NULL) {
        json_object_del(schema, "$schema");
        json_object_del(schema, "$id");
        move_references(self, schema, json_string_value(place));
        admit_secret_forms(self, schema);
    } else {
        self->failed = 1;
    }
    json_decref(place);
    put(self, self->definitions, name, schema);
}

/* ---- plugins ---- */

static void take_plugin(const weir_plugin_info *info, void *arg)
{
    merge *self = arg;
    char name[128];
    if (info->plugin == NULL || strlen(info->plugin->name) > 100) {
        return;
    }
    memcpy(name, "plugin-", 7);
    strcpy(name + 7, info->plugin->name);
    define(self, name, info->plugin->schema);
    if (info->plugin->transport != NULL) {
        put(self, self->transports, info->plugin->name, json_pack("{s:s+}", "$ref", "#/$defs/", name));
        append(self, self->transport_names, json_pack("{s:[s]}", "required", info->plugin->name));
    }
    if (info->plugin->layer != NULL) {
        put(self, self->layers, info->plugin->name, json_pack("{s:s+}", "$ref", "#/$defs/", name));
        append(self, self->layer_names, json_string(info->plugin->name));
    }
    if (info->plugin->handler != NULL) {
        put(self, self->handlers, info->plugin->name, json_pack("{s:s+}", "$ref", "#/$defs/", name));
        append(self, self->handler_names, json_string(info->plugin->name));
    }
}

/* ---- formats ---- */

/* Editors know no format of ours, and check no format: what it says of text stands there as a pattern too. */
static void spell_out_formats(merge *self, json_t *value)
{
    static const char *const patterns[][2] = {
        {"weir-port", "^[0-9]{1,5}$"},
        {"weir-duration", "^[0-9]+(ms|s|m|h)?$"},
        {"weir-size", "^[0-9]+(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$"},
    };
    const char *name, *format = json_string_value(json_object_get(value, "format"));
    json_t *member;
    size_t i;
    for (i = 0; format != NULL && i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (strcmp(format, patterns[i][0]) == 0 && json_object_get(value, "pattern") == NULL) {
            put(self, value, "pattern", json_string(patterns[i][1]));
        }
    }
    json_array_foreach(value, i, member)
    {
        spell_out_formats(self, member);
    }
    json_object_foreach(value, name, member)
    {
        if (!holds_plain_values(name)) {
            spell_out_formats(self, member);
        }
    }
}

/* ---- what endpoints and handlers look like with these plugins ---- */

/* A name, or an object of one name and its options. */
static json_t *component(const char *description, json_t *names, json_t *options)
{
    return json_pack("{s:s,s:[{s:O},{s:s,s:i,s:i,s:b,s:O}]}", "description", description, "anyOf", "enum", names,
                     "type", "object", "minProperties", 1, "maxProperties", 1, "additionalProperties", 0, "properties",
                     options);
}

static void define_endpoint(merge *self)
{
    put(self, self->transports, "layers",
        json_pack("{s:s,s:s,s:{s:s}}", "description", "Layers above the transport, from the wire inwards.", "type",
                  "array", "items", "$ref", "#/$defs/layer"));
    put(self, self->transports, "stream", json_pack("{s:s}", "$ref", "#/$defs/stream"));
    put(self, self->definitions, "endpoint",
        json_pack("{s:s,s:[{s:s,s:s},{s:s,s:O,s:b,s:O}]}", "description",
                  "A URL, or an object with one transport, and with layers and options of the stream where wanted.",
                  "anyOf", "type", "string", "pattern", "^[a-z][a-z0-9+-]*:", "type", "object", "properties",
                  self->transports, "additionalProperties", 0, "oneOf", self->transport_names));
}

static void define_secret(merge *self)
{
    put(self, self->definitions, "secret",
        json_pack("{s:s,s:s,s:b,s:i,s:i,s:{s:{s:s,s:s},s:{s:s,s:s}}}", "description",
                  "A secret that stands elsewhere: in a file, or in a variable of the environment.", "type", "object",
                  "additionalProperties", 0, "minProperties", 1, "maxProperties", 1, "properties", "file", "type",
                  "string", "description", "A file whose text it is.", "env", "type", "string", "description",
                  "A variable of the environment whose text it is."));
}

/* The member `name` of a server says no more what kind of value it is, but which. */
static void refine(merge *self, const char *name)
{
    json_t *server = json_object_get(json_object_get(self->definitions, "server"), "properties");
    json_t *member = json_object_get(server, name);
    json_object_del(member, "type");
    put(self, member, "$ref", json_sprintf("#/$defs/%s", strcmp(name, "listen") == 0 ? "endpoint" : name));
}

/* Where no plugin of a kind is found, an editor is told no more than that file says: a choice of nothing fits nothing.
 */
static void build(merge *self, weir_runtime *runtime)
{
    move_references(self, self->root, "");
    define(self, "stream", stream_schema);
    if (weir_runtime_each_plugin(runtime, take_plugin, self) < 0) {
        self->failed = 1;
    }
    define_secret(self);
    put(self, self->definitions, "layer",
        component("A layer plugin's name, or an object of its name and its options.", self->layer_names, self->layers));
    if (json_array_size(self->transport_names) > 0) {
        define_endpoint(self);
        refine(self, "listen");
    }
    if (json_array_size(self->handler_names) > 0) {
        put(self, self->definitions, "handler",
            component("A handler plugin's name, or an object of its name and its options.", self->handler_names,
                      self->handlers));
        refine(self, "handler");
    }
    spell_out_formats(self, self->root);
}

char *weir_service_schema(weir_runtime *runtime)
{
    merge self = {
        .root = json_loads(service_schema, 0, NULL),
        .transports = json_object(),
        .layers = json_object(),
        .handlers = json_object(),
        .transport_names = json_array(),
        .layer_names = json_array(),
        .handler_names = json_array(),
    };
    char *text = NULL;
    self.definitions = json_object_get(self.root, "$defs");
    if (self.definitions != NULL && self.transports != NULL && self.layers != NULL && self.handlers != NULL &&
        self.transport_names != NULL && self.layer_names != NULL && self.handler_names != NULL) {
        build(&self, runtime);
        char *dumped = self.failed ? NULL : json_dumps(self.root, JSON_INDENT(2));
        if (dumped != NULL) {
            text = weir__strdup(dumped);
            json_free_t release;
            json_get_alloc_funcs(NULL, &release);
            release(dumped);
        }
    }
    json_t *const parts[] = {self.root,        self.transports,   self.layers, self.handlers, self.transport_names,
                             self.layer_names, self.handler_names};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        json_decref(parts[i]);
    }
    return text;
}
