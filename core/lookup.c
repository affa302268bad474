/* SPDX-License-Identifier: MIT */
/*
 * Name resolution of the application's own. A question belongs to the application until it is answered: whoever asked
 * may go before, and then the answer finds nobody. Answers are carried out on the next tick, so that no listener runs
 * inside the call that answers.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include <weir/lookup.h>

#include "memory.h"
#include "stream_private.h"

struct weir_lookup {
    weir_link *link; /* who asks; NULL: nobody any more */
    weir_link_lookup_callback done;
    weir_lookup_options options;
    weir_task task; /* queued: it was answered */
    const weir_error *error;
    weir_address *addresses;
    size_t count;
    char host[];
};

/* ---- answers ---- */

static void free_lookup(weir_lookup *lookup)
{
    weir_error_release(lookup->error);
    weir__free(lookup->addresses);
    weir__free(lookup);
}

static weir_error *no_such_host(const char *host)
{
    /* in the words of the system's resolver: who asks need not know who answered */
    return weir_error_newf(UV_EAI_NONAME, "getaddrinfo", host, -1, "getaddrinfo %s: %s (%s)", host,
                           weir_error_text(UV_EAI_NONAME), weir_error_name(UV_EAI_NONAME));
}

static const char *what_family(const weir_lookup *lookup)
{
    if (lookup->options.family == 0) {
        return "IPv4 or IPv6";
    }
    return lookup->options.family == 6 ? "IPv6" : "IPv4";
}

/* 0, or what is wrong with it (CONN-21). */
static int fault_of(const weir_lookup *lookup, const weir_address *address)
{
    int family = (int)address->family;
    if (family == WEIR_FAMILY_NONE || family == WEIR_FAMILY_PATH) {
        return WEIR_EINVALIDIPADDRESS;
    }
    int is_ip = family == WEIR_FAMILY_IPV4 || family == WEIR_FAMILY_IPV6;
    int is_wanted = lookup->options.family == 0 || lookup->options.family == family;
    return is_ip && is_wanted ? 0 : WEIR_EINVALIDADDRESSFAMILY;
}

/* NULL: it is what was asked for. */
static weir_error *refuse(const weir_lookup *lookup, const weir_address *address)
{
    int code = fault_of(lookup, address);
    if (code == 0) {
        return NULL;
    }
    return weir_error_newf(code, "lookup", lookup->host, -1,
                           "lookup %s: the answer has an address of family %d, %s: expected %s (%s)", lookup->host,
                           (int)address->family, weir_error_text(code), what_family(lookup), weir_error_name(code));
}

/* Of one who wants one address the others are not looked at. */
static size_t wanted(const weir_lookup *lookup, size_t count)
{
    return count > 1 && !lookup->options.all ? 1 : count;
}

static weir_error *take_addresses(weir_lookup *lookup, const weir_address *addresses, size_t count)
{
    if (count == 0 || addresses == NULL) {
        return no_such_host(lookup->host);
    }
    for (size_t i = 0; i < count; i++) {
        weir_error *error = refuse(lookup, &addresses[i]);
        if (error != NULL) {
            return error;
        }
    }
    lookup->addresses = weir__calloc(count, sizeof(*addresses));
    if (lookup->addresses == NULL) {
        return weir_error_new(UV_ENOMEM, "lookup", lookup->host, -1);
    }
    memcpy(lookup->addresses, addresses, count * sizeof(*addresses));
    lookup->count = count;
    return NULL;
}

static void on_tick(weir_task *task)
{
    weir_lookup *lookup = (weir_lookup *)(void *)((char *)task - offsetof(weir_lookup, task));
    weir_link *link = lookup->link;
    link->stream->extras->question = NULL;
    lookup->done(link, lookup->error, lookup->addresses, lookup->count);
    free_lookup(lookup);
}

static void answered(weir_lookup *lookup, const weir_error *error)
{
    weir_runtime *runtime = lookup->link->stream->runtime;
    lookup->error = error;
    weir__runtime_hold(runtime, 0);
    weir_runtime_defer(runtime, &lookup->task);
}

void weir_lookup_answer(weir_lookup *lookup, const weir_address *addresses, size_t count)
{
    if (lookup == NULL) {
        return;
    }
    if (lookup->link == NULL) {
        free_lookup(lookup);
        return;
    }
    answered(lookup, take_addresses(lookup, addresses, wanted(lookup, count)));
}

void weir_lookup_fail(weir_lookup *lookup, const weir_error *error)
{
    if (lookup == NULL) {
        return;
    }
    if (lookup->link == NULL) {
        free_lookup(lookup);
        return;
    }
    answered(lookup, error != NULL ? weir_error_retain(error) : no_such_host(lookup->host));
}

int weir_lookup_cancelled(const weir_lookup *lookup)
{
    return lookup->link == NULL;
}

/* ---- questions ---- */

int weir__stream_take_lookup(weir_stream *stream, const weir_stream_options *options)
{
    if (options->lookup == NULL) {
        return 0;
    }
    weir__extras *extras = weir__stream_extras(stream);
    if (extras == NULL) {
        return UV_ENOMEM;
    }
    extras->lookup = options->lookup;
    extras->lookup_arg = options->lookup_arg;
    return 0;
}

static weir_lookup *new_lookup(weir_link *link, const char *host, const weir_lookup_options *options,
                               weir_link_lookup_callback done)
{
    size_t size = strlen(host) + 1;
    weir_lookup *lookup = weir__calloc(1, sizeof(*lookup) + size);
    if (lookup != NULL) {
        lookup->link = link;
        lookup->done = done;
        lookup->options = *options;
        lookup->task.run = on_tick;
        memcpy(lookup->host, host, size);
    }
    return lookup;
}

int weir_link_lookup(weir_link *link, const char *host, const weir_lookup_options *options,
                     weir_link_lookup_callback done)
{
    weir_stream *stream = link->stream;
    weir__extras *extras = stream->extras;
    if (extras == NULL || extras->lookup == NULL) {
        return 0;
    }
    if (weir_link_closing(link)) {
        return UV_ECANCELED;
    }
    if (extras->question != NULL) {
        return UV_EALREADY;
    }
    weir_lookup *lookup = new_lookup(link, host, options, done);
    if (lookup == NULL) {
        return UV_ENOMEM;
    }
    extras->question = lookup;
    weir__runtime_hold(stream->runtime, 1);
    weir__runtime_call_begin(stream->runtime);
    extras->lookup(lookup, lookup->host, &lookup->options, extras->lookup_arg);
    weir__runtime_call_end(stream->runtime);
    return 1;
}

void weir__lookup_cancel(weir_stream *stream)
{
    weir_lookup *lookup = stream->extras != NULL ? stream->extras->question : NULL;
    if (lookup == NULL) {
        return;
    }
    stream->extras->question = NULL;
    if (lookup->task.queue != 0) { /* answered: the application has it no more */
        weir_runtime_cancel(stream->runtime, &lookup->task);
        free_lookup(lookup);
    } else {
        weir__runtime_hold(stream->runtime, 0);
        lookup->link = NULL;
    }
}
