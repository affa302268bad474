/* SPDX-License-Identifier: MIT */
/* Holders: the layer's contexts, which have a current snapshot, and a name perhaps; made, reloaded, given up. */
#include <stdint.h>
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
    weir__tls_written_free(&holder->given);
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

static int build(weir_tls_context *holder, const weir_configure *configure, tls_report *report)
{
    const weir_tls_options *callbacks = &holder->callbacks;
    const tls_source source = {.options = configure->options,
                               .folder = holder->given.folder,
                               .role = holder->role,
                               .psk_callback =
                                   holder->role == WEIR_SERVER ? callbacks->psk != NULL : callbacks->client_psk != NULL,
                               .partial = configure->partial,
                               .hostless = configure->hostless,
                               .given = configure->given};

    return weir__tls_context_build(holder->instance, &source, report, &holder->current);
}

/* The option `context`: one that a program has registered decides about everything. */
static int use_named(weir_configure *configure, const char *name, void **context)
{
    weir_tls_context *holder = find_named(configure->instance, name);
    json_t *given = (json_t *)(uintptr_t)configure->given; /* Jansson's iterators take nothing that is const */
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
    /* As they were written: what the schema fills in was not said. */
    json_object_foreach(given, other, value)
    {
        if (strcmp(other, "context") != 0) {
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

static void tell(const tls_report *report, int warning, const char *pointer, const char *message)
{
    if (warning)
        weir_configure_warning(report->arg, pointer, "%s", message);
    else
        weir_configure_fault(report->arg, pointer, "%s", message);
}

int weir__tls_configure(weir_configure *configure, void **context)
{
    const char *name = json_string_value(json_object_get(configure->options, "context"));
    tls_report report = {.tell = tell, .arg = configure};
    weir_tls_context *holder;
    int status;

    if (name)
        return use_named(configure, name, context);
    holder = weir_calloc(1, sizeof(*holder));
    if (!holder)
        return UV_ENOMEM;
    holder->refs = 1;
    holder->instance = configure->instance;
    holder->role = configure->role;
    take_callbacks(holder, configure->extra);
    status = weir__tls_written_take(&holder->given, configure);
    if (status == 0)
        status = build(holder, configure, &report);
    weir__tls_report_end(&report);
    if (status) {
        weir__tls_holder_release(holder);
        return status;
    }
    *context = holder;
    return 0;
}

/* ---- reloading ---- */

/* Another holder, made of what this one was made of or of other options: nothing of this one has changed by then. */
static int make_fresh(const weir_tls_context *holder, const weir_tls_options *options, weir_tls_context **fresh,
                      weir_error **error)
{
    weir_runtime *runtime = holder->instance->runtime;
    weir_tls_options callbacks = holder->callbacks;
    json_t *given = json_incref(holder->given.options); /* in a line of the log the program may reload, too */
    void *made = NULL;
    int status;

    if (options)
        status = weir_layer_configure(runtime, weir__tls_name, options->options ? options->options : "{}",
                                      options->folder, holder->role, &callbacks, &made, error);
    else
        status = weir_layer_configure_again(runtime, weir__tls_name, given, holder->given.folder, holder->role,
                                            &callbacks, &made, error);
    json_decref(given);
    *fresh = made;
    return status;
}

static void swap(weir_tls_context *holder, weir_tls_context *fresh)
{
    const weir_tls_context before = *holder;

    holder->current = fresh->current;
    holder->given = fresh->given;
    fresh->current = before.current;
    fresh->given = before.given;
}

int weir__tls_holder_reload(weir_tls_context *holder, const weir_tls_options *options, weir_error **error)
{
    weir_tls_context *fresh;
    int status = make_fresh(holder, options, &fresh, error);

    if (status == 0 && fresh == holder) { /* the options name itself */
        weir__tls_holder_release(fresh);
        return weir__tls_holder_reload(holder, NULL, error);
    }
    if (status == 0 && fresh->name) { /* or another one, which is no copy */
        weir__tls_holder_release(fresh);
        *error = weir_error_newf(UV_EINVAL, NULL, NULL, -1, "%s: a context cannot become another one (\"context\")",
                                 weir__tls_name);
        status = UV_EINVAL;
    }
    if (status) {
        holder->counters.reloads_refused++;
        return status;
    }
    swap(holder, fresh);
    weir__tls_holder_release(fresh);
    holder->counters.reloads++;
    holder->has_others |= options != NULL; /* other files are watched from the next connection on */
    return 0;
}

/* ---- files ---- */

static void each_of(const tls_material *all, size_t count, void (*visit)(const tls_material *material, void *arg),
                    void *arg)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (all[i].path)
            visit(&all[i], arg);
}

static void each_of_context(const tls_context *context, void (*visit)(const tls_material *material, void *arg),
                            void *arg)
{
    const tls_settings *settings = context->settings;
    size_t i;

    each_of(&settings->cert, 1, visit, arg);
    each_of(&settings->key, 1, visit, arg);
    if (!settings->ca_is_system)
        each_of(settings->ca, settings->ca_count, visit, arg);
    each_of(settings->crl, settings->crl_count, visit, arg);
    for (i = 0; i < context->name_count; i++)
        each_of_context(context->names[i].context, visit, arg);
}

void weir__tls_holder_each_file(const weir_tls_context *holder, void (*visit)(const tls_material *material, void *arg),
                                void *arg)
{
    each_of_context(holder->current, visit, arg);
    each_of(holder->given.secrets, holder->given.secret_count, visit, arg);
}
