/* SPDX-License-Identifier: MIT */
/* One component: a plugin found by its name, its options checked, completed and configured, every fault at its place.
 */
#define _GNU_SOURCE

#include "component.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "configure_private.h"
#include "endpoint_url.h"
#include "memory.h"

/* ---- faults ---- */

void weir__place_fault(weir__place *place, int code, const char *pointer, bool on_name, const weir__message *message)
{
    if (place->code == 0)
        place->code = code;
    if (place->document)
        weir__document_fault(place->document, place->faults, pointer, on_name, message->text);
    else
        weir__faults_add(place->faults, place->label, 0, 0, pointer, message->text);
}

void weir__place_faultf(weir__place *place, int code, const char *pointer, const char *format, ...)
{
    char text[WEIR__MESSAGE_SIZE];
    weir__message message;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    weir__message_start(&message);
    weir__message_add(&message, "%s", text);
    weir__place_fault(place, code, pointer, false, &message);
}

int weir__place_out_of_memory(weir__place *place)
{
    place->faults->out_of_memory = true;
    return UV_ENOMEM;
}

static char *finish_pointer(weir__place *place, const char *base, weir__pointer *inner)
{
    size_t length = strlen(base);
    char *whole = inner->failed ? NULL : weir__malloc(length + inner->length + 1);
    if (whole) {
        memcpy(whole, base, length);
        memcpy(whole + length, inner->text, inner->length + 1);
    } else {
        weir__place_out_of_memory(place);
    }
    weir__free(inner->text);
    return whole;
}

char *weir__place_member(weir__place *place, const char *pointer, const char *name)
{
    weir__pointer inner = {0};
    weir__pointer_add_name(&inner, name, strlen(name));
    return finish_pointer(place, pointer, &inner);
}

char *weir__place_element(weir__place *place, const char *pointer, size_t index)
{
    weir__pointer inner = {0};
    weir__pointer_add_index(&inner, index);
    return finish_pointer(place, pointer, &inner);
}

/* ---- the form ---- */

static int refuse_form(weir__place *place, const char *pointer, const char *what, const char *found)
{
    weir__place_faultf(place, WEIR_EINVALID_ENDPOINT, pointer,
                       "expected %s: \"NAME\" or {\"NAME\": {options}}, found %s", what, found);
    return WEIR_EINVALID_ENDPOINT;
}

static int read_options(weir__place *place, const char *name, json_t *options, const char *pointer)
{
    if (json_is_object(options))
        return 0;
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "the options of ");
    weir__message_quote(&message, name, strlen(name));
    weir__message_add(&message, " are an object; expected {...} (or {} for none)");
    weir__place_fault(place, WEIR_EINVALID_ENDPOINT, pointer, false, &message);
    return WEIR_EINVALID_ENDPOINT;
}

int weir__component_read(weir__place *place, const json_t *value, const char *pointer, const char *what,
                         const char **name, json_t **options, char **options_pointer)
{
    *options = NULL;
    *options_pointer = NULL;
    if (json_is_string(value)) {
        *name = json_string_value(value);
        *options_pointer = weir__strdup(pointer);
        return *options_pointer ? 0 : weir__place_out_of_memory(place);
    }
    if (!json_is_object(value))
        return refuse_form(place, pointer, what, "neither text nor an object");
    if (json_object_size(value) == 0)
        return refuse_form(place, pointer, what, "an empty object");
    if (json_object_size(value) > 1)
        return refuse_form(place, pointer, what, "an object of several members");
    /* Jansson's iteration wants the object writable, though it changes nothing. */
    void *member = json_object_iter((json_t *)(uintptr_t)value);
    *name = json_object_iter_key(member);
    *options = json_object_iter_value(member);
    *options_pointer = weir__place_member(place, pointer, *name);
    if (!*options_pointer)
        return UV_ENOMEM;
    int status = read_options(place, *name, *options, *options_pointer);
    if (status != 0) {
        weir__free(*options_pointer);
        *options_pointer = NULL;
    }
    return status;
}

/* ---- finding ---- */

static const char *const kind_names[] = {"transport", "layer", "handler"};
static const char *const kind_articles[] = {"a transport", "a layer", "a handler"};

static bool has_kind(const weir_plugin *plugin, weir__component_kind kind)
{
    if (kind == WEIR__TRANSPORT)
        return plugin->transport != NULL;
    return kind == WEIR__LAYER ? plugin->layer != NULL : plugin->handler != NULL;
}

/* "tcp" is a transport, not a handler. */
static void refuse_kind(weir__place *place, weir__component_kind kind, const weir_plugin *plugin, const char *pointer,
                        bool on_name)
{
    weir__message message;
    unsigned known = 0;
    weir__message_start(&message);
    weir__message_quote(&message, plugin->name, strlen(plugin->name));
    for (unsigned other = WEIR__TRANSPORT; other <= WEIR__HANDLER; other++)
        if (has_kind(plugin, (weir__component_kind)other))
            weir__message_add(&message, "%s %s", known++ ? " and" : " is", kind_articles[other]);
    weir__message_add(&message, "%s %s", known ? ", not" : " is not", kind_articles[kind]);
    weir__place_fault(place, WEIR_EINVALID_ENDPOINT, pointer, on_name, &message);
}

int weir__component_find(weir__place *place, weir__component_kind kind, const char *name, const char *pointer,
                         bool on_name, const weir__loaded **found)
{
    weir__message message;
    weir__message_start(&message);
    if (!weir__component_name_valid(name, strlen(name))) {
        weir__message_quote(&message, name, strlen(name));
        weir__message_add(&message,
                          " is no name of a %s; names begin with a lower-case letter and go on with lower-case "
                          "letters, digits and dashes",
                          kind_names[kind]);
        weir__place_fault(place, WEIR_EINVALID_ENDPOINT, pointer, on_name, &message);
        return WEIR_EINVALID_ENDPOINT;
    }
    weir__loaded *loaded;
    weir_error *error = NULL;
    int status = weir__registry_find(place->runtime, name, &loaded, &error);
    if (status != 0) {
        if (status == UV_ENOMEM) {
            weir__place_out_of_memory(place);
        } else {
            weir__message_add(&message, "%s", error ? error->message : weir_error_text(status));
            weir__place_fault(place, status, pointer, on_name, &message);
        }
        weir_error_release(error);
        return status;
    }
    if (!has_kind(loaded->plugin, kind)) {
        refuse_kind(place, kind, loaded->plugin, pointer, on_name);
        return WEIR_EINVALID_ENDPOINT;
    }
    *found = loaded;
    return 0;
}

/* ---- checking ---- */

typedef struct {
    weir__place *place;
    const char *base;
} checking;

static int note_schema_fault(const weir__schema_fault *fault, void *arg)
{
    checking *state = arg;
    size_t outer = strlen(state->base), inner = strlen(fault->pointer);
    char *pointer = weir__malloc(outer + inner + 1);
    if (!pointer)
        return weir__place_out_of_memory(state->place);
    memcpy(pointer, state->base, outer);
    memcpy(pointer + outer, fault->pointer, inner + 1);
    if (!weir__faults_know(state->place->faults, pointer))
        weir__faults_add(state->place->faults, state->place->label, 0, 0, pointer, fault->message);
    weir__free(pointer);
    return 0;
}

int weir__component_check(weir__place *place, const weir__schema *schema, json_t *options, const char *pointer)
{
    checking state = {.place = place, .base = pointer};
    int faults = place->document ? weir__schema_check_document(schema, place->document, pointer, options, place->faults)
                                 : weir__schema_check(schema, options, note_schema_fault, &state);
    if (faults < 0)
        return weir__place_out_of_memory(place);
    if (faults == 0)
        return 0;
    if (place->code == 0)
        place->code = WEIR_EINVALID_CONFIG;
    return WEIR_EINVALID_CONFIG;
}

/* ---- configuring ---- */

typedef int (*configure_function)(weir_configure *configure, void **context);
typedef void (*free_function)(void *context);

static void table_of(weir__component_kind kind, const weir_plugin *plugin, configure_function *configure,
                     free_function *context_free)
{
    if (kind == WEIR__TRANSPORT) {
        *configure = plugin->transport->configure;
        *context_free = plugin->transport->context_free;
    } else if (kind == WEIR__LAYER) {
        *configure = plugin->layer->configure;
        *context_free = plugin->layer->context_free;
    } else {
        *configure = plugin->handler->configure;
        *context_free = plugin->handler->context_free;
    }
}

static size_t fault_count(const weir__faults *faults)
{
    return faults->count + faults->more + faults->out_of_memory;
}

void weir__component_free(weir__component_kind kind, weir__component *component)
{
    configure_function configure;
    free_function context_free;
    if (!component->plugin)
        return;
    table_of(kind, component->plugin, &configure, &context_free);
    if (component->context)
        context_free(component->context);
    memset(component, 0, sizeof(*component));
}

/* What a plugin's configure is called with. */
typedef struct {
    weir__component_kind kind;
    const weir__loaded *found;
    json_t *options;     /* valid and complete */
    const json_t *given; /* as they were written */
    weir_role role;
    const char *pointer; /* of the options */
    int adopts, partial;
} configuring;

/* Has the plugin read its options. */
static int run_configure(weir__place *place, const configuring *what, weir__component *component)
{
    configure_function configure;
    free_function context_free;
    table_of(what->kind, what->found->plugin, &configure, &context_free);
    weir__configure whole = {.document = place->document,
                             .pointer = what->pointer,
                             .faults = place->faults,
                             .warnings = place->warnings,
                             .label = place->label};
    whole.public = (weir_configure){.size = sizeof(weir_configure),
                                    .runtime = place->runtime,
                                    .instance = what->found->instance,
                                    .options = what->options,
                                    .role = what->role,
                                    .folder = place->folder,
                                    .adopts = what->adopts,
                                    .extra = place->extra,
                                    .given = what->given,
                                    .partial = what->partial,
                                    .hostless = place->hostless};
    place->faults->known_from = place->faults->known_to = 0; /* those of an endpoint inside are others */
    size_t before = fault_count(place->faults);
    component->plugin = what->found->plugin;
    component->context = NULL;
    int status = configure(&whole.public, &component->context);
    if (status == 0 && !what->partial && fault_count(place->faults) == before)
        return 0;
    if (status == 0)
        weir__component_free(what->kind, component);
    memset(component, 0, sizeof(*component));
    if (status == UV_ENOMEM)
        return weir__place_out_of_memory(place);
    /* A plugin that says no more than that it failed. */
    if (fault_count(place->faults) == before && !what->partial)
        weir__place_faultf(place, WEIR_EINVALID_CONFIG, what->pointer, "%s cannot use these options: %s",
                           what->found->plugin->name, weir_error_text(status));
    if (place->code == 0)
        place->code = WEIR_EINVALID_CONFIG;
    return WEIR_EINVALID_CONFIG;
}

/* A member that is faulty is no reason to be silent about what the plugin has against the others. */
static int check_sound(weir__place *place, configuring *what, weir__component *component)
{
    int status = weir__faults_full(place->faults)
                     ? UV_ENOENT
                     : weir__component_keep_sound(place->faults, what->found->schema, what->pointer, what->options);
    if (status == 0 && json_object_size(what->options) == 0)
        return WEIR_EINVALID_CONFIG;
    if (status == 0)
        status = weir__schema_fill_defaults(what->found->schema, what->options);
    if (status == UV_ENOMEM)
        return weir__place_out_of_memory(place);
    what->partial = 1;
    return status == 0 ? run_configure(place, what, component) : WEIR_EINVALID_CONFIG;
}

int weir__component_make(weir__place *place, weir__component_kind kind, const weir__loaded *found,
                         const json_t *options, weir_role role, const char *pointer, weir__component *component)
{
    json_t *complete = options ? json_deep_copy(options) : json_object();
    configuring what = {
        .kind = kind, .found = found, .options = complete, .given = options, .role = role, .pointer = pointer};
    if (!complete)
        return weir__place_out_of_memory(place);
    /* A secret that could not be read is no reason to be silent about the other options. */
    place->faults->known_from = place->faults->count;
    int secrets = weir__component_resolve_secrets(place, found->schema, complete, pointer);
    int status = secrets;
    place->faults->known_to = place->faults->count;
    if (secrets != UV_ENOMEM)
        status = weir__component_check(place, found->schema, complete, pointer);
    if (status == 0)
        status = secrets;
    if (status == 0 && weir__schema_fill_defaults(found->schema, complete) != 0)
        status = weir__place_out_of_memory(place);
    if (status == 0)
        status = run_configure(place, &what, component);
    else if (status != UV_ENOMEM)
        status = check_sound(place, &what, component);
    place->faults->known_from = place->faults->known_to = 0;
    weir__component_wipe_secrets(found->schema, complete);
    json_decref(complete);
    return status;
}

int weir__component_adopt(weir__place *place, const weir__loaded *found, const json_t *options, weir_role role,
                          weir__component *component)
{
    json_t *given = options ? json_deep_copy(options) : json_object();
    const configuring what = {.kind = WEIR__TRANSPORT,
                              .found = found,
                              .options = given,
                              .given = options,
                              .role = role,
                              .pointer = "",
                              .adopts = 1};
    if (!given)
        return weir__place_out_of_memory(place);
    int status = run_configure(place, &what, component);
    json_decref(given);
    return status;
}

/* ---- folders ---- */

char *weir__folder_absolute(const char *folder)
{
    char working[4096];
    if (folder && folder[0] == '/')
        return weir__strdup(folder);
    if (!getcwd(working, sizeof(working)))
        return weir__strdup(folder ? folder : ".");
    size_t base = strlen(working), length = folder ? strlen(folder) : 0;
    char *absolute = weir__malloc(base + length + 2);
    if (!absolute)
        return NULL;
    memcpy(absolute, working, base + 1);
    if (length) {
        absolute[base] = '/';
        memcpy(absolute + base + 1, folder, length + 1);
    }
    return absolute;
}
