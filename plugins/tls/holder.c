/* SPDX-License-Identifier: MIT */
/* Holders: the layer's contexts, which have a current snapshot, and a name perhaps; made, reloaded, given up. */
#include <string.h>

#include <uv.h>

#include "context.h"
#include "material.h"
#include "watch.h"

/* ---- life ---- */

weir_tls_context *weir__tls_holder_retain(weir_tls_context *holder)
{
    holder->refs++;
    return holder;
}

static void unregister(weir_tls_context *holder)
{
    weir_tls_context **at = &holder->instance->named;

    if (!holder->name)
        return;
    while (*at != holder)
        at = &(*at)->next;
    *at = holder->next;
    weir_free(holder->name);
    holder->name = NULL;
}

void weir__tls_holder_release(weir_tls_context *holder)
{
    if (!holder || --holder->refs > 0)
        return;
    weir__tls_watch_stop(holder);
    unregister(holder);
    weir__tls_context_release(holder->current);
    json_decref(holder->options);
    weir_free(holder->folder);
    weir_free(holder);
}

void weir__tls_context_free(void *context)
{
    weir__tls_holder_release(context);
}

static weir_tls_context *find_named(const tls_instance *instance, const char *name)
{
    weir_tls_context *holder = instance->named;

    while (holder && strcmp(holder->name, name) != 0)
        holder = holder->next;
    return holder;
}

int weir__tls_holder_register(weir_tls_context *holder, const char *name)
{
    weir_tls_context *other = name ? find_named(holder->instance, name) : NULL;
    char *copy;

    if (other)
        return other == holder ? 0 : UV_EEXIST;
    copy = name ? weir__tls_text_copy(name) : NULL;
    if (name && !copy)
        return UV_ENOMEM;
    unregister(holder);
    if (copy) {
        holder->name = copy;
        holder->next = holder->instance->named;
        holder->instance->named = holder;
    }
    return 0;
}

/* ---- making ---- */

static int build(weir_tls_context *holder, const json_t *options, const char *folder, tls_report *report,
                 tls_context **context)
{
    const weir_tls_options *callbacks = &holder->callbacks;
    const tls_source source = {.options = options,
                               .folder = folder,
                               .role = holder->role,
                               .psk_callback = holder->role == WEIR_SERVER ? callbacks->psk != NULL
                                                                           : callbacks->client_psk != NULL};

    return weir__tls_context_build(holder->instance, &source, report, context);
}

/* What the schema fills in is not to be told from what was said so. */
static const struct said {
    const char *name;
    json_type type;
    json_int_t number;
    const char *text;
} defaults[] = {
    {"minVersion", JSON_STRING, 0, "TLSv1.2"},
    {"requestCert", JSON_FALSE, 0, NULL},
    {"rejectUnauthorized", JSON_TRUE, 0, NULL},
    {"tickets", JSON_TRUE, 0, NULL},
    {"ticketLifetime", JSON_INTEGER, 7200000, NULL},
    {"sessionTimeout", JSON_INTEGER, 300000, NULL},
    {"allowTruncation", JSON_FALSE, 0, NULL},
    {"keylog", JSON_FALSE, 0, NULL},
    {"watch", JSON_FALSE, 0, NULL},
};

static int is_default(const char *name, const json_t *value)
{
    size_t i;

    for (i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        const struct said *by = &defaults[i];

        if (strcmp(by->name, name) == 0)
            return json_typeof(value) == by->type && json_integer_value(value) == by->number &&
                   (!by->text || strcmp(json_string_value(value), by->text) == 0);
    }
    return strcmp(name, "context") == 0;
}

/* The option `context`: one that a program has registered decides about everything. */
static int use_named(weir_configure *configure, const char *name, void **context)
{
    weir_tls_context *holder = find_named(configure->instance, name);
    const char *other;
    json_t *value;

    if (!holder) {
        weir_configure_fault(configure, "/context", "no context is registered under the name %s", name);
        return WEIR_EINVALID_CONFIG;
    }
    if (holder->role != configure->role) {
        weir_configure_fault(configure, "/context", "the context %s is for %s", name,
                             holder->role == WEIR_SERVER ? "listening" : "connecting");
        return WEIR_EINVALID_CONFIG;
    }
    json_object_foreach(configure->options, other, value)
    {
        if (!is_default(other, value)) {
            weir_configure_fault(configure, "/context", "a context has its own \"%s\": it cannot stand beside it",
                                 other);
            return WEIR_EINVALID_CONFIG;
        }
    }
    *context = weir__tls_holder_retain(holder);
    return 0;
}

/* A context that a program makes brings its callbacks. */
static void take_callbacks(weir_tls_context *holder, const weir_tls_options *options)
{
    if (!options)
        return;
    holder->callbacks = *options;
    holder->callbacks.options = NULL;
    holder->callbacks.folder = NULL;
}

int weir__tls_configure(weir_configure *configure, void **context)
{
    const char *name = json_string_value(json_object_get(configure->options, "context"));
    tls_report report = {.configure = configure, .runtime = configure->runtime};
    weir_tls_context *holder;
    int status = UV_ENOMEM;

    if (name)
        return use_named(configure, name, context);
    holder = weir_calloc(1, sizeof(*holder));
    if (!holder)
        return UV_ENOMEM;
    holder->refs = 1;
    holder->instance = configure->instance;
    holder->role = configure->role;
    take_callbacks(holder, configure->extra);
    holder->folder = weir__tls_text_copy(configure->folder);
    holder->options = json_deep_copy(configure->options);
    if (holder->folder && holder->options)
        status = build(holder, holder->options, holder->folder, &report, &holder->current);
    weir__tls_report_end(&report);
    if (status) {
        weir__tls_holder_release(holder);
        return status;
    }
    *context = holder;
    return 0;
}

/* ---- reloading ---- */

static int take_options(weir_tls_context *holder, weir_tls_context *fresh)
{
    char *folder = weir__tls_text_copy(fresh->folder);

    if (!folder)
        return UV_ENOMEM;
    weir_free(holder->folder);
    holder->folder = folder;
    json_incref(fresh->options); /* which may be the holder's own */
    json_decref(holder->options);
    holder->options = fresh->options;
    holder->has_others = 1; /* other files are watched from the next connection on */
    return 0;
}

int weir__tls_holder_reload(weir_tls_context *holder, weir_tls_context *fresh, weir_error **error)
{
    tls_report report = {.runtime = holder->instance->runtime};
    weir_tls_context *from = fresh ? fresh : holder;
    tls_context *context = NULL;
    int status = build(holder, from->options, from->folder, &report, &context);

    if (status == 0 && fresh)
        status = take_options(holder, fresh);
    *error = NULL;
    if (status) {
        *error = weir__tls_report_error(&report, "reload");
        if (!*error)
            *error = weir_error_new(status, "reload", NULL, -1);
        weir__tls_context_release(context);
        holder->counters.reloads_refused++;
    } else {
        weir__tls_context_release(holder->current);
        holder->current = context;
        holder->counters.reloads++;
    }
    weir__tls_report_end(&report);
    return status;
}
