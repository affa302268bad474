/* SPDX-License-Identifier: MIT */
/* Endpoints in their spellings, a URL and a JSON object, brought into one form: components with options. */
#define _GNU_SOURCE

#include "endpoint_plan.h"

#include <string.h>

#include <uv.h>

#include "endpoint_url.h"
#include "memory.h"
#include "stream_schema.h"

#define STREAM     "stream" /* the core's own component */
#define NAMES_MOST 512      /* of options, in a search for what was meant */

static int worse(int status, int other)
{
    return status == UV_ENOMEM || other == UV_ENOMEM ? UV_ENOMEM : status ? status : other;
}

/* ---- parts ---- */

/* Takes the pointer. */
static int add_part(weir__place *place, weir__plan *plan, weir__component_kind kind, const char *name, json_t *options,
                    char *pointer)
{
    weir__part *part = &plan->parts[plan->count++];
    part->kind = kind;
    part->pointer = pointer;
    part->name = weir__strdup(name);
    part->options = json_incref(options);
    return part->name && pointer ? 0 : weir__place_out_of_memory(place);
}

static int need_stream_schema(weir__place *place, weir__plan *plan)
{
    if (!plan->stream_schema)
        plan->stream_schema =
            weir__schema_parse(stream_schema, sizeof(stream_schema) - 1, "stream.schema.json", place->faults);
    return plan->stream_schema ? 0 : weir__place_out_of_memory(place);
}

void weir__plan_free(weir__plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        weir__free(plan->parts[i].name);
        weir__free(plan->parts[i].pointer);
        json_decref(plan->parts[i].options);
    }
    weir__schema_free(plan->stream_schema);
    json_decref(plan->stream);
    weir__free(plan->label);
    memset(plan, 0, sizeof(*plan));
}

/* ---- JSON ---- */

static bool is_reserved(const char *name)
{
    return strcmp(name, "layers") == 0 || strcmp(name, STREAM) == 0;
}

static int read_layer(weir__place *place, weir__plan *plan, const json_t *value, const char *pointer)
{
    const char *name;
    json_t *options;
    char *options_pointer;
    if (plan->count == WEIR__PARTS_MOST) {
        weir__place_faultf(place, WEIR_EINVALID_ENDPOINT, pointer, "more than %d layers", WEIR__PARTS_MOST - 1);
        return WEIR_EINVALID_ENDPOINT;
    }
    int status = weir__component_read(place, value, pointer, "a layer", &name, &options, &options_pointer);
    if (status != 0)
        return status;
    status = add_part(place, plan, WEIR__LAYER, name, options, options_pointer);
    if (status != 0)
        return status;
    return weir__component_find(place, WEIR__LAYER, name, options ? options_pointer : pointer, options != NULL,
                                &plan->parts[plan->count - 1].found);
}

static int read_layers(weir__place *place, weir__plan *plan, json_t *layers, const char *outer)
{
    int result = 0;
    size_t index;
    json_t *value;
    char *pointer = weir__place_member(place, outer, "layers");
    if (!pointer)
        return UV_ENOMEM;
    if (!json_is_array(layers)) {
        weir__place_faultf(place, WEIR_EINVALID_ENDPOINT, pointer,
                           "expected an array of layers, from the wire inwards");
        result = WEIR_EINVALID_ENDPOINT;
    }
    json_array_foreach(layers, index, value)
    {
        char *element = weir__place_element(place, pointer, index);
        int status = element ? read_layer(place, plan, value, element) : UV_ENOMEM;
        weir__free(element);
        result = worse(result, status);
        if (plan->count == WEIR__PARTS_MOST && status != 0)
            break;
    }
    weir__free(pointer);
    return result;
}

static int read_stream(weir__place *place, weir__plan *plan, json_t *options, const char *outer)
{
    char *pointer = weir__place_member(place, outer, STREAM);
    plan->stream = json_incref(options);
    int status = pointer ? need_stream_schema(place, plan) : UV_ENOMEM;
    if (status == 0)
        status = weir__component_check(place, plan->stream_schema, options, pointer);
    weir__free(pointer);
    return status;
}

/* The member that is the transport: the one that is not reserved. A second one is a fault. */
static int read_transport(weir__place *place, weir__plan *plan, json_t *object, const char *outer)
{
    int result = 0;
    const char *name, *first = NULL;
    json_t *options;
    json_object_foreach(object, name, options)
    {
        if (is_reserved(name))
            continue;
        char *pointer = weir__place_member(place, outer, name);
        weir__message message;
        weir__message_start(&message);
        int status = pointer ? 0 : UV_ENOMEM;
        if (pointer && first) {
            weir__message_add(&message, "an endpoint has one transport, and that is ");
            weir__message_quote(&message, first, strlen(first));
            weir__message_add(&message, " already; layers stand in \"layers\", options of the stream in \"stream\"");
            weir__place_fault(place, WEIR_EINVALID_ENDPOINT, pointer, true, &message);
            status = WEIR_EINVALID_ENDPOINT;
        } else if (pointer) {
            first = name;
            status = weir__component_find(place, WEIR__TRANSPORT, name, pointer, true, &plan->parts[0].found);
            if (status == 0 && !json_is_object(options)) {
                weir__place_faultf(place, WEIR_EINVALID_ENDPOINT, pointer,
                                   "the options of a transport are an object; expected {...} (or {} for none)");
                plan->parts[0].found = NULL;
                status = WEIR_EINVALID_ENDPOINT;
            }
            plan->parts[0].kind = WEIR__TRANSPORT;
            plan->parts[0].name = weir__strdup(name);
            plan->parts[0].options = json_incref(options);
            plan->parts[0].pointer = pointer;
            pointer = NULL;
            if (!plan->parts[0].name)
                status = weir__place_out_of_memory(place);
        }
        weir__free(pointer);
        result = worse(result, status);
    }
    if (!first && result == 0) {
        weir__place_faultf(place, WEIR_EINVALID_ENDPOINT, outer,
                           "no transport; expected {\"TRANSPORT\": {options}} or a URL");
        result = WEIR_EINVALID_ENDPOINT;
    }
    return result;
}

int weir__plan_from_json(weir__place *place, json_t *value, const char *pointer, weir__plan *plan)
{
    memset(plan, 0, sizeof(*plan));
    if (json_is_string(value))
        return weir__plan_from_url(place, json_string_value(value), pointer, plan);
    if (!json_is_object(value)) {
        weir__place_faultf(place, WEIR_EINVALID_ENDPOINT, pointer,
                           "expected an endpoint: a URL as text, or {\"TRANSPORT\": {options}}");
        return WEIR_EINVALID_ENDPOINT;
    }
    plan->is_object = true;
    plan->count = 1;
    int status = read_transport(place, plan, value, pointer);
    json_t *layers = json_object_get(value, "layers"), *stream = json_object_get(value, STREAM);
    if (layers)
        status = worse(status, read_layers(place, plan, layers, pointer));
    if (stream)
        status = worse(status, read_stream(place, plan, stream, pointer));
    return status;
}

/* ---- URL: who an option belongs to ---- */

typedef struct {
    weir__place *place;
    weir__plan *plan;
    const char *pointer; /* of the URL */
} url_reading;

/* The parts as a URL's reader sees them: top layer first, the transport, then the stream. */
static size_t target_count(const weir__plan *plan)
{
    return plan->count + 1;
}

static const char *target_name(const weir__plan *plan, size_t index)
{
    return index == plan->count ? STREAM : plan->parts[plan->count - 1 - index].name;
}

static const weir__schema *target_schema(const weir__plan *plan, size_t index)
{
    return index == plan->count ? plan->stream_schema : plan->parts[plan->count - 1 - index].found->schema;
}

static json_t **target_options(weir__plan *plan, size_t index)
{
    return index == plan->count ? &plan->stream : &plan->parts[plan->count - 1 - index].options;
}

static int refuse_url(const url_reading *reading, int code, const weir__message *message)
{
    weir__place_fault(reading->place, code, reading->pointer, false, message);
    return code;
}

static void say_option(weir__message *message, const char *name)
{
    weir__message_start(message);
    weir__message_add(message, "the option ");
    weir__message_quote(message, name, strlen(name));
}

/* No component knows it: what may have been meant? Only the target's names count where one is named. */
static int refuse_unknown(const url_reading *reading, const char *written, const char *name, size_t first, size_t last)
{
    const char *names[NAMES_MOST] = {NULL};
    size_t count = 0;
    weir__message message;
    for (size_t i = first; i <= last && count < NAMES_MOST; i++) {
        size_t room = NAMES_MOST - count;
        size_t all = weir__schema_property_names(target_schema(reading->plan, i), names + count, room);
        count += all < room ? all : room;
    }
    const char *nearest = weir__nearest_name(name, names, count);
    say_option(&message, written);
    weir__message_add(&message, " is not known to ");
    for (size_t i = first; i <= last; i++)
        weir__message_add(&message, "%s%s", target_name(reading->plan, i),
                          i + 1 < last ? ", "
                          : i < last   ? " or "
                                       : "");
    if (nearest)
        weir__message_add(&message, "; did you mean \"%s\"?", nearest);
    return refuse_url(reading, WEIR_EINVALID_CONFIG, &message);
}

static int refuse_ambiguous(const url_reading *reading, const char *name, const bool *declares)
{
    weir__message message;
    unsigned told = 0;
    size_t count = target_count(reading->plan);
    say_option(&message, name);
    weir__message_add(&message, " could belong to several parts; write");
    for (size_t i = 0; i < count; i++)
        if (declares[i])
            weir__message_add(&message, "%s \"%s.%s=\"", told++ ? " or" : "", target_name(reading->plan, i), name);
    return refuse_url(reading, WEIR_EINVALID_CONFIG, &message);
}

/* Finds the one target of an option; *name is then the option's name in it. */
static int find_target(const url_reading *reading, const char *written, size_t *target, const char **name)
{
    const weir__plan *plan = reading->plan;
    const char *dot = strchr(written, '.');
    size_t count = target_count(plan), found = 0;
    bool declares[WEIR__PARTS_MOST + 1] = {false};
    weir__schema_member member;
    for (size_t i = 0; dot && i < count; i++) {
        const char *prefix = target_name(plan, i);
        if (strlen(prefix) != (size_t)(dot - written) || strncmp(prefix, written, (size_t)(dot - written)) != 0)
            continue;
        *target = i;
        *name = dot + 1;
        return weir__schema_property(target_schema(plan, i), *name, &member) == 0
                   ? 0
                   : refuse_unknown(reading, written, *name, i, i);
    }
    *name = written;
    for (size_t i = 0; i < count; i++) {
        declares[i] = weir__schema_property(target_schema(plan, i), written, &member) == 0;
        if (declares[i]) {
            *target = i;
            found++;
        }
    }
    if (found == 1)
        return 0;
    return found ? refuse_ambiguous(reading, written, declares)
                 : refuse_unknown(reading, written, written, 0, count - 1);
}

/* PEM of a key that is not public, among other things or alone. */
static bool holds_private_key(const char *text)
{
    static const char begins[] = "-----BEGIN";
    while ((text = strstr(text, begins))) {
        text += strlen(begins);
        size_t length = strcspn(text, "-\r\n");
        const char *key = memmem(text, length, "KEY", 3);
        if (key && !memmem(text, length, "PUBLIC", 6))
            return true;
    }
    return false;
}

/* Everybody can see a command line, and its URLs with it. 0, or the fault has been told. */
static int refuse_secret(const url_reading *reading, const weir__schema_member *member, const char *written,
                         const char *name, const char *text)
{
    weir__message message;
    say_option(&message, written);
    if (member->secret)
        weir__message_add(&message,
                          " is a secret, and those may not stand in a URL; write the endpoint as a JSON object, "
                          "with \"%s\": {\"file\": ...} or {\"env\": ...}",
                          name);
    else if (holds_private_key(text))
        weir__message_add(&message, " holds a private key, and no secret may stand in a URL: give the name of its file "
                                    "there, or write the endpoint as a JSON object");
    else
        return 0;
    return refuse_url(reading, WEIR_EINVALID_CONFIG, &message);
}

/* Types a text by the schema and puts it with the options of a target. */
static int set_option(const url_reading *reading, size_t target, const char *written, const char *name,
                      const char *text)
{
    weir__plan *plan = reading->plan;
    const weir__schema *schema = target_schema(plan, target);
    json_t **options = target_options(plan, target), *value = NULL;
    weir__schema_member member;
    weir__message message, why;
    if (weir__schema_property(schema, name, &member) == 0) {
        int status = refuse_secret(reading, &member, written, name, text);
        if (status != 0)
            return status;
    }
    if (!*options)
        *options = json_object();
    if (*options && json_object_get(*options, name)) {
        say_option(&message, written);
        weir__message_add(&message, " is given twice");
        return refuse_url(reading, WEIR_EINVALID_ENDPOINT, &message);
    }
    weir__message_start(&why);
    int status = *options ? weir__schema_coerce(schema, name, text, &value, &why) : UV_ENOMEM;
    if (status == 0 && json_object_set_new(*options, name, value) != 0)
        status = UV_ENOMEM;
    /* Of a text that is refused the name is kept: the option may be there once more, which is a fault of its own. */
    if (status != 0 && status != UV_ENOMEM && json_object_set_new(*options, name, json_null()) != 0)
        status = UV_ENOMEM;
    if (status == UV_ENOMEM)
        return weir__place_out_of_memory(reading->place);
    if (status == 0)
        return 0;
    weir__message_start(&message);
    weir__message_add(&message, "the option %s", why.text);
    return refuse_url(reading, WEIR_EINVALID_CONFIG, &message);
}

static int read_options(const url_reading *reading, const weir__url *url)
{
    int result = url->option_count ? need_stream_schema(reading->place, reading->plan) : 0;
    for (size_t i = 0; i < url->option_count && result != UV_ENOMEM; i++) {
        size_t target = 0;
        const char *name;
        int status = find_target(reading, url->options[i].name, &target, &name);
        if (status == 0)
            status = set_option(reading, target, url->options[i].name, name, url->options[i].value);
        result = worse(result, status);
    }
    if (result == 0 && reading->plan->stream)
        result = weir__component_check(reading->place, reading->plan->stream_schema, reading->plan->stream,
                                       reading->pointer);
    return result;
}

/* ---- URL: the body ---- */

static int read_body(const url_reading *reading, const weir__url *url)
{
    weir__url_body body;
    weir__message fault;
    size_t transport = reading->plan->count - 1;
    weir_body kind = reading->plan->parts[0].found->plugin->transport->body;
    int status = weir__url_read_body(url, kind, &body, &fault);
    if (status == UV_ENOMEM)
        return weir__place_out_of_memory(reading->place);
    if (status != 0)
        return refuse_url(reading, WEIR_EINVALID_ENDPOINT, &fault);
    if (body.host)
        status = set_option(reading, transport, "host", "host", body.host);
    if (body.port)
        status = worse(status, set_option(reading, transport, "port", "port", body.port));
    if (body.path)
        status = worse(status, set_option(reading, transport, "path", "path", body.path));
    weir__url_body_free(&body);
    return status;
}

static int find_parts(const url_reading *reading, const weir__url *url)
{
    int result = 0;
    for (size_t i = url->name_count; i-- > 0;) {
        weir__component_kind kind = i + 1 == url->name_count ? WEIR__TRANSPORT : WEIR__LAYER;
        char *pointer = weir__strdup(reading->pointer);
        int status = add_part(reading->place, reading->plan, kind, url->names[i], NULL, pointer);
        if (status == 0 && is_reserved(url->names[i])) {
            weir__place_faultf(reading->place, WEIR_EINVALID_ENDPOINT, reading->pointer,
                               "\"%s\" is a reserved word and no name of a component", url->names[i]);
            status = WEIR_EINVALID_ENDPOINT;
        } else if (status == 0) {
            status = weir__component_find(reading->place, kind, url->names[i], reading->pointer, false,
                                          &reading->plan->parts[reading->plan->count - 1].found);
        }
        result = worse(result, status);
    }
    return result;
}

int weir__plan_from_url(weir__place *place, const char *text, const char *pointer, weir__plan *plan)
{
    weir__url url;
    weir__message fault;
    url_reading reading = {.place = place, .plan = plan, .pointer = pointer};
    memset(plan, 0, sizeof(*plan));
    int status = weir__url_split(text, &url, &fault);
    if (status == UV_ENOMEM) {
        weir__place_out_of_memory(place);
    } else if (status != 0) {
        status = refuse_url(&reading, WEIR_EINVALID_ENDPOINT, &fault);
    } else {
        plan->label = url.shown;
        url.shown = NULL;
        if (!place->label)
            place->label = plan->label;
        status = find_parts(&reading, &url);
        if (status == 0)
            status = worse(read_body(&reading, &url), read_options(&reading, &url));
    }
    weir__url_free(&url);
    return status;
}
