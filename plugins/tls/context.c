/* SPDX-License-Identifier: MIT */
/* Snapshots: settings read, credentials made, names sorted; all of it or nothing. */
#define _GNU_SOURCE

#include "context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

/* ---- what a client's sessions are kept under ---- */

static int sum_list(const tls_context *context, const tls_list *list, unsigned char sum[TLS_DIGEST_SIZE])
{
    int status = 0;
    size_t i;

    for (i = 0; i < list->count && status == 0; i++) {
        const tls_bytes pieces[] = {{sum, TLS_DIGEST_SIZE}, {list->items[i], strlen(list->items[i]) + 1}};

        status = weir__tls_engine.digest(context->instance->engine, pieces, 2, sum);
    }
    return status;
}

/* Everything by which two connections to one server could come to something else. */
static int name_client(tls_context *context)
{
    const tls_settings *settings = context->settings;
    const tls_list *const lists[] = {&settings->alpn, &settings->ciphers, &settings->groups};
    const int versions[] = {settings->min_version, settings->max_version};
    const char *identity = settings->psk_identity ? settings->psk_identity : "";
    unsigned char sum[TLS_DIGEST_SIZE] = {0};
    const tls_bytes pieces[] = {{settings->binding, sizeof(settings->binding)},
                                {versions, sizeof(versions)},
                                {sum, sizeof(sum)},
                                {identity, strlen(identity) + 1},
                                {settings->cert.data, settings->cert.size}};
    int status = 0;
    size_t i;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]) && status == 0; i++) {
        status = sum_list(context, lists[i], sum);
        sum[i] ^= 1; /* where one list ends and the next begins */
    }
    if (status == 0)
        status = weir__tls_engine.digest(context->instance->engine, pieces, 5, sum);
    for (i = 0; i + 1 < sizeof(context->client_name) / 2; i++)
        snprintf(context->client_name + 2 * i, 3, "%02x", sum[i]);
    return status;
}

/* Tickets of one certificate are good in every worker that serves it. */
static int find_tickets(tls_context *context)
{
    const tls_settings *settings = context->settings;
    const char *identity = settings->psk_identity ? settings->psk_identity : "";
    const tls_bytes pieces[] = {{settings->cert.data, settings->cert.size}, {identity, strlen(identity)}};
    weir_shared *shared = weir_runtime_shared(context->instance->runtime);
    unsigned char sum[TLS_DIGEST_SIZE];
    int status = shared ? weir__tls_engine.digest(context->instance->engine, pieces, 2, sum) : UV_ENOMEM;

    if (status)
        return status;
    context->tickets = weir__tls_tickets_get(shared, sum, settings->ticket_lifetime, weir__tls_tickets_now());
    return context->tickets ? 0 : UV_ENOMEM;
}

/* ---- the table of names ---- */

static int compare_names(const void *one, const void *other)
{
    return strcmp(((const tls_named *)one)->name, ((const tls_named *)other)->name);
}

static char *lower_case(const char *name)
{
    size_t length = strlen(name);
    char *lower = weir_malloc(length + 1);
    size_t i;

    for (i = 0; lower && i <= length; i++)
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    return lower;
}

static int build_name(tls_context *context, const tls_source *around, const char *name, const json_t *options,
                      tls_report *report)
{
    tls_named *named = &context->names[context->name_count];
    tls_source source = *around;
    const char *base = report->base;
    char inner[300];
    int status;

    source.options = options;
    source.around = context->settings;
    source.name = name;
    snprintf(inner, sizeof(inner), "%s/SNI/%s", base ? base : "", name);
    report->base = inner;
    report->own = options;
    status = weir__tls_context_build(context->instance, &source, report, &named->context);
    report->base = base;
    report->own = NULL;
    if (status)
        return status;
    named->name = lower_case(name);
    if (!named->name) {
        weir__tls_context_release(named->context);
        named->context = NULL;
        return UV_ENOMEM;
    }
    context->name_count++;
    return 0;
}

/* Faults of one name do not hide those of the next. */
static int build_names(tls_context *context, const tls_source *source, tls_report *report)
{
    const json_t *table = json_object_get(source->options, "SNI");
    union {
        const json_t *borrowed;
        json_t *object;
    } names = {.borrowed = table}; /* only gone through */
    const char *name;
    json_t *options;
    int status = 0;
    size_t i;

    if (!table || source->around)
        return 0;
    if (source->role == WEIR_CLIENT) {
        weir__tls_fault(report, "/SNI", "this is for listening; a client asks for \"servername\"");
        return WEIR_EINVALID_CONFIG;
    }
    context->names = weir_calloc(json_object_size(table) + 1, sizeof(*context->names));
    if (!context->names)
        return UV_ENOMEM;
    json_object_foreach(names.object, name, options)
    {
        int one =
            status == 0 || status == WEIR_EINVALID_CONFIG ? build_name(context, source, name, options, report) : status;

        status = one ? one : status;
    }
    qsort(context->names, context->name_count, sizeof(*context->names), compare_names);
    for (i = 1; i < context->name_count && status == 0; i++) {
        if (strcmp(context->names[i - 1].name, context->names[i].name) == 0) {
            weir__tls_fault(report, "/SNI", "%s stands there twice, in other cases of its letters",
                            context->names[i].name);
            status = WEIR_EINVALID_CONFIG;
        }
    }
    return status;
}

static tls_context *find_name(const tls_context *context, const char *name)
{
    union {
        const char *borrowed;
        char *name;
    } key = {.borrowed = name}; /* only compared */
    const tls_named wanted = {.name = key.name};
    const tls_named *found = context->name_count ? bsearch(&wanted, context->names, context->name_count,
                                                           sizeof(*context->names), compare_names)
                                                 : NULL;

    return found ? found->context : NULL;
}

tls_context *weir__tls_context_of_name(tls_context *context, const char *name)
{
    char wildcard[TLS_NAME_MOST + 2];
    const char *rest = strchr(name, '.');
    tls_context *found = *name ? find_name(context, name) : NULL;

    if (!found && rest && rest > name) {
        snprintf(wildcard, sizeof(wildcard), "*%s", rest);
        found = find_name(context, wildcard);
    }
    return found ? found : context;
}

/* ---- life ---- */

static int finish(tls_context *context, const tls_source *source, tls_report *report)
{
    int status =
        weir__tls_engine.credentials_new(context->instance->engine, context->settings, report, &context->credentials);

    if (status == 0 && source->role == WEIR_CLIENT)
        status = name_client(context);
    if (status == 0 && source->role == WEIR_SERVER && context->settings->tickets)
        status = find_tickets(context);
    return status;
}

static int worse(int one, int other)
{
    return one == 0 || (one == WEIR_EINVALID_CONFIG && other != 0) ? other : one;
}

int weir__tls_context_build(tls_instance *instance, const tls_source *source, tls_report *report, tls_context **context)
{
    tls_context *made = weir_calloc(1, sizeof(*made));
    int status;

    if (!made)
        return UV_ENOMEM;
    made->refs = 1;
    made->instance = instance;
    status = weir__tls_settings_read(source, instance, report, &made->settings);
    if (made->settings) {
        /* All that is wrong is told in one go: what was read is looked at though some of it is missing. */
        status = worse(status, finish(made, source, report));
        made->settings->incomplete = status != 0;
        if (status == 0 || status == WEIR_EINVALID_CONFIG)
            status = worse(status, build_names(made, source, report));
        weir__tls_settings_forget(made->settings);
    }
    if (status) {
        weir__tls_context_release(made);
        return status;
    }
    *context = made;
    return 0;
}

tls_context *weir__tls_context_retain(tls_context *context)
{
    context->refs++;
    return context;
}

void weir__tls_context_release(tls_context *context)
{
    size_t i;

    if (!context || --context->refs > 0)
        return;
    for (i = 0; i < context->name_count; i++) {
        weir_free(context->names[i].name);
        weir__tls_context_release(context->names[i].context);
    }
    weir_free(context->names);
    weir__tls_tickets_release(context->tickets, weir__tls_tickets_now());
    weir__tls_engine.credentials_free(context->credentials);
    weir__tls_settings_free(context->settings);
    weir_free(context);
}
