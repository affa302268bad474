/* SPDX-License-Identifier: MIT */
/* Endpoints: made of a plan by configuring its components, counted, printed; and the public ways to one. */
#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/layer.h>

#include "blocklist_use.h"
#include "component.h"
#include "configure_private.h"
#include "endpoint_build.h"
#include "endpoint_plan.h"
#include "memory.h"

/* ---- life ---- */

static void free_endpoint(weir_endpoint *endpoint)
{
    for (size_t i = endpoint->layer_count; i-- > 0;)
        weir__component_free(WEIR__LAYER, &endpoint->layers[i]);
    weir__component_free(WEIR__TRANSPORT, &endpoint->transport);
    json_decref(endpoint->stream_options);
    weir_blocklist_release(endpoint->block_list);
    weir__free(endpoint->layers);
    weir__free(endpoint);
}

weir_endpoint *weir_endpoint_retain(weir_endpoint *endpoint)
{
    if (endpoint)
        endpoint->refs++;
    return endpoint;
}

void weir_endpoint_release(weir_endpoint *endpoint)
{
    if (endpoint && --endpoint->refs == 0)
        free_endpoint(endpoint);
}

const char *weir_endpoint_transport(const weir_endpoint *endpoint)
{
    return endpoint->transport.plugin->name;
}

/* ---- printing ---- */

/* Text into a buffer that may be too small, counting all of it. */
typedef struct {
    char *text;
    size_t size, length;
} printing;

static void print(printing *out, const char *text, size_t length)
{
    if (out->length + 1 < out->size) {
        size_t room = out->size - 1 - out->length;
        size_t taken = length < room ? length : room;
        memcpy(out->text + out->length, text, taken);
        out->text[out->length + taken] = '\0';
    }
    out->length += length;
}

static void print_text(printing *out, const char *text)
{
    print(out, text, strlen(text));
}

size_t weir_endpoint_format(const weir_endpoint *endpoint, char *text, size_t size)
{
    printing out = {.text = text, .size = size};
    const weir_transport *transport = endpoint->transport.plugin->transport;
    if (size > 0)
        text[0] = '\0';
    for (size_t i = endpoint->layer_count; i-- > 0;) {
        print_text(&out, endpoint->layers[i].plugin->name);
        print_text(&out, "+");
    }
    print_text(&out, endpoint->transport.plugin->name);
    print_text(&out, transport->body == WEIR_BODY_HOST_PORT ? "://" : ":");
    if (transport->format) {
        size_t room = out.length < size ? size - out.length : 0;
        out.length += transport->format(endpoint->transport.context, room ? text + out.length : NULL, room);
    }
    return out.length;
}

/* ---- making ---- */

/* What a service's worker wants of the transport, over and under what the text gave. */
static int apply_wishes(weir__place *place, const weir__wishes *wishes, weir__part *part)
{
    weir__schema_member member;
    if (!wishes)
        return 0;
    /* A copy: the options may be the document's own. */
    json_t *own = part->options ? json_copy(part->options) : json_object();
    json_decref(part->options);
    part->options = own;
    int status = own ? 0 : -1;
    if (status == 0 && wishes->reuse_port && !json_object_get(part->options, WEIR__REUSE_PORT) &&
        weir__schema_property(part->found->schema, WEIR__REUSE_PORT, &member) == 0)
        status = json_object_set_new(part->options, WEIR__REUSE_PORT, json_true());
    if (status == 0 && wishes->port > 0)
        status = json_object_set_new(part->options, "port", json_integer(wishes->port));
    return status == 0 ? 0 : weir__place_out_of_memory(place);
}

/* What layer `at` stands on, as far as its host is concerned. */
static weir_hostless hostless_of(const weir__place *place, const weir__plan *plan, size_t at)
{
    const weir__loaded *transport = plan->parts[0].found;
    if (!place->connects || at == 0 || !transport || transport->plugin->transport->body != WEIR_BODY_PATH)
        return WEIR_HOST_UNKNOWN;
    return at == 1 ? WEIR_HOST_NONE : WEIR_HOST_OF_A_LAYER;
}

static int make_parts(weir__place *place, weir__plan *plan, weir_role role, weir_endpoint *endpoint)
{
    int result = 0;
    for (size_t i = 0; i < plan->count; i++) {
        weir__part *part = &plan->parts[i];
        weir__component *component = i == 0 ? &endpoint->transport : &endpoint->layers[endpoint->layer_count];
        if (!part->found)
            continue;
        place->hostless = hostless_of(place, plan, i);
        int status =
            weir__component_make(place, part->kind, part->found, part->options, role, part->pointer, component);
        if (status == 0 && i > 0)
            endpoint->layer_count++;
        if (result == 0 || status == UV_ENOMEM)
            result = status;
    }
    return result;
}

static int refuse_role(weir__place *place, weir_role role, const weir__part *part)
{
    if (role == WEIR_CLIENT || !part->found || part->found->plugin->transport->acceptor_create)
        return 0;
    weir__place_faultf(place, WEIR_EINVALID_ENDPOINT, part->pointer, "the transport %s can only connect, not listen",
                       part->name);
    return WEIR_EINVALID_ENDPOINT;
}

/* Options that passed their check. The list is read here once, and not kept as text. */
static int take_stream_options(weir__place *place, const json_t *options, weir_endpoint *endpoint)
{
    const json_t *rules = json_object_get(options, WEIR__BLOCK_LIST);
    endpoint->stream_options = json_deep_copy(options);
    int status = endpoint->stream_options ? 0 : UV_ENOMEM;
    if (status == 0 && rules) {
        json_object_del(endpoint->stream_options, WEIR__BLOCK_LIST);
        status = weir__blocklist_of_json(rules, &endpoint->block_list);
    }
    return status == 0 ? 0 : weir__place_out_of_memory(place);
}

/* `planned`: what became of the plan. Where that is a fault, the components that are there are only checked. */
static int make_endpoint(weir__place *place, weir__plan *plan, int planned, weir_role role, weir_endpoint **made)
{
    weir_endpoint *endpoint = weir__calloc(1, sizeof(*endpoint));
    if (!endpoint)
        return weir__place_out_of_memory(place);
    endpoint->refs = 1;
    endpoint->runtime = place->runtime;
    endpoint->role = role;
    endpoint->layers = weir__calloc(plan->count, sizeof(weir__component));
    int status = endpoint->layers ? refuse_role(place, role, &plan->parts[0]) : weir__place_out_of_memory(place);
    if (status == 0)
        status = make_parts(place, plan, role, endpoint);
    if (status == 0)
        status = planned;
    if (status == 0 && plan->stream)
        status = take_stream_options(place, plan->stream, endpoint);
    if (status == 0)
        *made = endpoint;
    else
        free_endpoint(endpoint);
    return status;
}

static bool is_true(const json_t *options, const char *name)
{
    return json_is_true(json_object_get(options, name));
}

/* Where faults and warnings of a URL's options are put. An endpoint may stand in another one's options. */
static void say_url(weir__place *place, const char *url, const char *warned)
{
    place->faults->url = url;
    if (place->warnings)
        place->warnings->url = warned;
}

int weir__endpoint_build(weir__place *place, json_t *value, weir_role role, const char *pointer, weir__wishes *wishes,
                         weir_endpoint **endpoint)
{
    weir__plan plan;
    const char *label = place->label;
    const char *url = place->faults->url, *url_warned = place->warnings ? place->warnings->url : NULL;
    *endpoint = NULL;
    say_url(place, json_is_string(value) ? pointer : NULL, json_is_string(value) ? pointer : NULL);
    int status = weir__plan_from_json(place, value, pointer, &plan);
    if (status == 0)
        status = apply_wishes(place, wishes, &plan.parts[0]);
    if (status == 0 || (plan.is_object && status != UV_ENOMEM))
        status = make_endpoint(place, &plan, status, role, endpoint);
    if (wishes)
        wishes->reuses_port = status == 0 && is_true(plan.parts[0].options, WEIR__REUSE_PORT);
    weir__plan_free(&plan);
    say_url(place, url, url_warned);
    place->label = label;
    if (status != 0 && place->faults->out_of_memory)
        status = UV_ENOMEM;
    return status;
}

weir_endpoint *weir_configure_endpoint(weir_configure *configure, const char *pointer, json_t *value, weir_role role)
{
    weir__configure *whole = weir__configure_of(configure);
    weir_endpoint *endpoint = NULL;
    weir__place place = {.runtime = configure->runtime,
                         .folder = configure->folder,
                         .document = whole->document,
                         .label = whole->label,
                         .faults = whole->faults,
                         .warnings = whole->warnings,
                         .connects = role == WEIR_CLIENT};
    char *full = weir__configure_pointer(whole, pointer);
    if (full)
        weir__endpoint_build(&place, value, role, full, NULL, &endpoint);
    else
        weir__place_out_of_memory(&place);
    weir__free(full);
    return endpoint;
}

/* ---- from text ---- */

/* All faults in one line. */
static weir_error *error_of(int code, const char *what, weir__faults *faults)
{
    char *text = code == UV_ENOMEM ? NULL : weir__faults_text(faults);
    size_t length = text ? strlen(text) : 0, lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    char *line = text ? weir__malloc(length + lines + 1) : NULL;
    size_t filled = 0;
    for (size_t i = 0; line && i < length; i++) {
        if (text[i] != '\n') {
            line[filled++] = text[i];
        } else if (i + 1 < length) {
            line[filled++] = ';';
            line[filled++] = ' ';
        }
    }
    if (line)
        line[filled] = '\0';
    weir_error *error = line ? weir_error_newf(code, NULL, NULL, -1, "invalid %s: %s", what, line)
                             : weir_error_new(UV_ENOMEM, NULL, NULL, -1);
    weir__free(line);
    weir__free(text);
    return error;
}

static bool is_json(const char *text)
{
    text += strspn(text, " \t\r\n");
    return *text == '{' || *text == '"';
}

static int parse(weir__place *place, const char *text, weir_role role, weir_endpoint **endpoint)
{
    weir__document *document = NULL;
    json_t *value;
    if (is_json(text)) {
        document = weir__document_parse("endpoint", text, strlen(text), place->faults);
        if (!document)
            return place->faults->out_of_memory ? UV_ENOMEM : WEIR_EINVALID_ENDPOINT;
        place->document = document;
        value = json_incref(document->root);
    } else {
        /* Whatever it is: the URL's reader says what is wrong with it. */
        value = json_string_nocheck(text);
    }
    int status = value ? weir__endpoint_build(place, value, role, "", NULL, endpoint) : UV_ENOMEM;
    json_decref(value);
    weir__document_free(document);
    return status;
}

int weir__endpoint_of(weir_runtime *runtime, json_t *value, weir_role role, weir_endpoint **endpoint)
{
    weir__faults faults = {0};
    char *folder = weir__folder_absolute(NULL);
    weir__place place = {.runtime = runtime, .folder = folder, .label = "endpoint", .faults = &faults};
    *endpoint = NULL;
    int status = folder ? weir__endpoint_build(&place, value, role, "", NULL, endpoint) : UV_ENOMEM;
    if (status != 0 && status != UV_ENOMEM && place.code != 0)
        status = place.code;
    weir__faults_free(&faults);
    weir__free(folder);
    return status;
}

/* What it came to, with all that is wrong in one error; the place's faults are freed. */
static int conclude(weir__place *place, const char *what, int status, weir_error **error)
{
    /* The first fault says which kind of failure it is. */
    if (status != 0 && status != UV_ENOMEM && place->code != 0)
        status = place->code;
    weir_error *why = status != 0 ? error_of(status, what, place->faults) : NULL;
    /* Without memory to say what is wrong, that is what is wrong. */
    if (why && why->code == UV_ENOMEM)
        status = UV_ENOMEM;
    if (error)
        *error = why;
    else
        weir_error_release(why);
    weir__faults_free(place->faults);
    return status;
}

int weir_endpoint_parse(weir_runtime *runtime, const char *text, weir_role role, const char *folder,
                        weir_endpoint **endpoint, weir_error **error)
{
    if (error)
        *error = NULL;
    if (!runtime || !text || !endpoint || (role != WEIR_CLIENT && role != WEIR_SERVER)) {
        if (error)
            *error = weir_error_new(UV_EINVAL, "endpoint", NULL, -1);
        return UV_EINVAL;
    }
    *endpoint = NULL;
    weir__faults faults = {0};
    char *absolute = weir__folder_absolute(folder);
    weir__place place = {.runtime = runtime, .folder = absolute, .faults = &faults};
    int status = absolute ? parse(&place, text, role, endpoint) : UV_ENOMEM;
    status = conclude(&place, "endpoint", status, error);
    weir__free(absolute);
    return status;
}

/* ---- a layer alone ---- */

typedef struct layer_options {
    const char *text;    /* in JSON; NULL: */
    const json_t *given; /* as weir_configure has it */
} layer_options;

static int configure_text(weir__place *place, const weir__loaded *found, const char *text, weir_role role,
                          weir__component *component)
{
    int status = WEIR_EINVALID_CONFIG;
    weir__document *document = weir__document_parse("options", text, strlen(text), place->faults);
    if (!document)
        return place->faults->out_of_memory ? UV_ENOMEM : WEIR_EINVALID_CONFIG;
    place->document = document;
    if (json_is_object(document->root))
        status = weir__component_make(place, WEIR__LAYER, found, document->root, role, "", component);
    else
        weir__place_faultf(place, WEIR_EINVALID_CONFIG, "", "expected an object of options");
    weir__component_wipe_secrets(NULL, document->root);
    weir__document_free(document);
    return status;
}

static int configure_layer(weir__place *place, const char *layer, const layer_options *options, weir_role role,
                           void **context)
{
    const weir__loaded *found;
    weir__component component = {0};
    int status = weir__component_find(place, WEIR__LAYER, layer, "", false, &found);
    if (status == 0 && options->text)
        status = configure_text(place, found, options->text, role, &component);
    else if (status == 0)
        status = weir__component_make(place, WEIR__LAYER, found, options->given, role, "", &component);
    if (status == 0)
        *context = component.context;
    return status;
}

static int make_layer_context(weir_runtime *runtime, const char *layer, const layer_options *options,
                              const char *folder, weir_role role, const void *extra, void **context, weir_error **error)
{
    if (error)
        *error = NULL;
    if (!runtime || !layer || !context || (role != WEIR_CLIENT && role != WEIR_SERVER) ||
        (options->given && !json_is_object(options->given))) {
        if (error)
            *error = weir_error_new(UV_EINVAL, layer, NULL, -1);
        return UV_EINVAL;
    }
    weir__faults faults = {0};
    char *absolute = weir__folder_absolute(folder);
    weir__place place = {.runtime = runtime, .folder = absolute, .label = layer, .faults = &faults, .extra = extra};
    int status = absolute ? configure_layer(&place, layer, options, role, context) : UV_ENOMEM;
    status = conclude(&place, "options", status, error);
    weir__free(absolute);
    return status;
}

int weir_layer_configure(weir_runtime *runtime, const char *layer, const char *options, const char *folder,
                         weir_role role, const void *extra, void **context, weir_error **error)
{
    const layer_options text = {.text = options};
    return make_layer_context(options ? runtime : NULL, layer, &text, folder, role, extra, context, error);
}

int weir_layer_configure_again(weir_runtime *runtime, const char *layer, const json_t *given, const char *folder,
                               weir_role role, const void *extra, void **context, weir_error **error)
{
    const layer_options options = {.given = given};
    return make_layer_context(runtime, layer, &options, folder, role, extra, context, error);
}
