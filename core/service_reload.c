/* SPDX-License-Identifier: MIT */
/* Reloading: a new generation of a service takes over the sockets of the one that serves, which then only drains. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "service_private.h"

#define WHERE_SIZE 1024 /* of an address' text */

/* ---- where servers listen ---- */

/* A place where a server of the running generation listens. */
typedef struct place {
    char *text; /* as the transport prints it */
    const weir_plugin *transport;
    size_t server;
    bool by_name; /* only a server of the same name listens there again: any free port is meant */
} place;

typedef struct places {
    const weir_service *service;
    const weir__site *site;
    place *items; /* sorted */
    size_t count;
    bool *taken; /* of each server: a new one has its sockets */
} places;

/* A path that was left relative is so to the file's folder: the working folder may have been that, and be no more. */
static bool is_relative(const weir_transport *transport, const char *text)
{
    return transport->body == WEIR_BODY_PATH && text[0] != '/' && text[0] != '@' && text[0] != '\0';
}

/* In new memory. NULL: none. */
static char *place_text(const weir_service *service, const weir_endpoint *endpoint)
{
    const weir_transport *transport = endpoint->transport.plugin->transport;
    char text[WHERE_SIZE] = "";
    if (transport->format)
        transport->format(endpoint->transport.context, text, sizeof(text));
    bool relative = is_relative(transport, text);
    size_t size = strlen(service->folder) + 1 + strlen(text) + 1;
    char *whole = weir__malloc(size);
    if (whole)
        snprintf(whole, size, "%s%s%s", relative ? service->folder : "", relative ? "/" : "", text);
    return whole;
}

static bool is_any_port(const weir_plugin *transport, const char *text)
{
    size_t length = strlen(text);
    return transport->transport->body == WEIR_BODY_HOST_PORT && length >= 2 && strcmp(text + length - 2, ":0") == 0;
}

static int compare(const void *one, const void *other)
{
    const place *a = one, *b = other;
    if (a->transport != b->transport)
        return (uintptr_t)a->transport < (uintptr_t)b->transport ? -1 : 1;
    return strcmp(a->text, b->text);
}

/* Takes the text. */
static int add_place(places *all, char *text, size_t server)
{
    const weir_plugin *transport = all->site->servers[server].endpoint->transport.plugin;
    if (!text)
        return UV_ENOMEM;
    all->items[all->count++] =
        (place){.text = text, .transport = transport, .server = server, .by_name = is_any_port(transport, text)};
    return 0;
}

/* As it is written, and with the address that it came to, where that is another one. */
static int add_places(places *all, size_t index)
{
    const weir__site_server *server = &all->site->servers[index];
    const weir_transport *transport = server->endpoint->transport.plugin->transport;
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE] = "";
    if (!transport->export_fd || !weir_server_listening(server->server))
        return 0;
    int status = add_place(all, place_text(all->service, server->endpoint), index);
    if (status != 0 || transport->body != WEIR_BODY_HOST_PORT || weir_server_address(server->server, &address) != 0)
        return status;
    weir_address_format(&address, text, sizeof(text));
    return strcmp(text, all->items[all->count - 1].text) == 0 ? 0 : add_place(all, weir__strdup(text), index);
}

static void free_places(places *all)
{
    for (size_t i = 0; i < all->count; i++)
        weir__free(all->items[i].text);
    weir__free(all->items);
    weir__free(all->taken);
}

/* To be freed in any case. 0 or UV_ENOMEM. */
static int find_places(const weir_service *service, places *all)
{
    const weir__site *site = service->current->site;
    *all = (places){.service = service, .site = site};
    all->items = weir__calloc(2 * site->of_file, sizeof(*all->items));
    all->taken = weir__calloc(site->of_file, sizeof(*all->taken));
    int status = all->items && all->taken ? 0 : UV_ENOMEM;
    for (size_t i = 0; i < site->of_file && status == 0; i++)
        status = add_places(all, i);
    if (status == 0)
        qsort(all->items, all->count, sizeof(*all->items), compare);
    return status;
}

/* The first of those that are equal to the key; where there is none, any. */
static size_t lower_bound(const places *all, const place *key)
{
    size_t low = 0, high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&all->items[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Who listens already where this server is to listen; taken, if there is one. */
static const weir__site_server *take(places *all, const weir__site_server *server, const place *key, bool same_name)
{
    for (size_t i = lower_bound(all, key); i < all->count && compare(&all->items[i], key) == 0; i++) {
        const place *item = &all->items[i];
        const weir__site_server *other = &all->site->servers[item->server];
        if (all->taken[item->server] || (same_name ? strcmp(other->name, server->name) != 0 : item->by_name))
            continue;
        all->taken[item->server] = true;
        return other;
    }
    return NULL;
}

static int match_some(const weir__site *site, places *all, bool same_name)
{
    for (size_t i = 0; i < site->of_file; i++) {
        weir__site_server *server = &site->servers[i];
        if (server->predecessor)
            continue;
        place key = {.text = place_text(all->service, server->endpoint),
                     .transport = server->endpoint->transport.plugin};
        if (!key.text)
            return UV_ENOMEM;
        server->predecessor = take(all, server, &key, same_name);
        weir__free(key.text);
        server->keeps_socket = server->predecessor != NULL;
        if (server->keeps_socket)
            server->socket_reuses_port = server->predecessor->socket_reuses_port;
    }
    return 0;
}

/* Those that keep their names come first, so that none is taken from them. */
static int match(const weir__site *site, places *all)
{
    int status = match_some(site, all, true);
    return status == 0 ? match_some(site, all, false) : status;
}

/* ---- what is inherited ---- */

/* The sockets of one server go to the workers in turn. */
typedef struct dealing {
    weir__generation *fresh;
    size_t server; /* of the fresh one's */
    size_t dealt;
} dealing;

/* Takes the descriptor. */
static int deal(dealing *out, int fd)
{
    if (fd < 0)
        return fd;
    weir__inherited *inherited = out->fresh->inherited[out->dealt % out->fresh->plan.workers];
    out->dealt++;
    return weir__inherited_add(&inherited[out->server], fd);
}

static int deal_duplicate(int fd, void *arg)
{
    int own = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && own < 0)
        own = uv_translate_sys_error(errno);
    return deal(arg, own);
}

/* The sockets that the predecessor has in any worker. */
static int deal_sockets(weir__generation *fresh, const weir__generation *serving, size_t index)
{
    const weir__site_server *predecessor = fresh->site->servers[index].predecessor;
    dealing out = {.fresh = fresh, .server = index};
    int status = deal(&out, weir_server_export_fd(predecessor->server));
    if (status == 0)
        status = weir__workers_sockets(serving, predecessor->original, deal_duplicate, &out);
    for (size_t i = serving->site->of_file; i < serving->site->count && status == 0; i++)
        if (serving->site->servers[i].original == predecessor->original)
            status = deal(&out, weir_server_export_fd(serving->site->servers[i].server));
    return status;
}

static int make_room(weir__generation *fresh)
{
    fresh->inherited = weir__calloc(fresh->plan.workers, sizeof(*fresh->inherited));
    for (unsigned i = 0; fresh->inherited && i < fresh->plan.workers; i++) {
        fresh->inherited[i] = weir__inherited_new(fresh->site->of_file);
        if (!fresh->inherited[i])
            return UV_ENOMEM;
    }
    return fresh->inherited ? 0 : UV_ENOMEM;
}

static int inherit(weir__generation *fresh, const weir__generation *serving)
{
    places all;
    int status = find_places(serving->service, &all);
    if (status == 0)
        status = match(fresh->site, &all);
    free_places(&all);
    if (status == 0)
        status = make_room(fresh);
    for (size_t i = 0; i < fresh->site->of_file && status == 0; i++)
        if (fresh->site->servers[i].predecessor)
            status = deal_sockets(fresh, serving, i);
    return status;
}

/* ---- the change ---- */

void weir__reload_bound(weir__generation *fresh)
{
    weir_service *service = fresh->service;
    weir__generation *before = service->current;
    if (fresh->failed) {
        weir__generation_stop(fresh, WEIR__STOP_NOW, 0);
        return;
    }
    service->fresh = NULL;
    service->current = fresh;
    before->next = service->old;
    service->old = before;
    service->leaving = before;
    weir__generation_accept(fresh);
    weir__generation_stop(before, WEIR__STOP_DRAIN, 0);
    if (before->workers_accepting == 0)
        weir__reload_closed(service);
}

/* Nobody who comes from now on is served as before. */
void weir__reload_closed(weir_service *service)
{
    const weir__site *site = service->current->site;
    service->leaving = NULL;
    for (size_t i = 0; i < site->of_file; i++)
        if (!site->servers[i].keeps_socket)
            weir__service_emit(service, WEIR_SERVICE_LISTENING, &site->servers[i], NULL);
    weir__service_emit(service, WEIR_SERVICE_RELOADED, NULL, NULL);
}

/* It served nobody. Where a stop has come between, that is all that is told. */
void weir__reload_gone(weir__generation *fresh)
{
    weir_service *service = fresh->service;
    service->fresh = NULL; /* from now on another one may be made */
    for (size_t i = 0; i < fresh->site->of_file; i++)
        if (fresh->failures[i] && service->state == WEIR__SERVICE_RUNNING)
            weir__service_emit(service, WEIR_SERVICE_RELOAD_FAILED, &fresh->site->servers[i], fresh->failures[i]);
    weir__generation_free(fresh);
}

/* ---- the public way ---- */

/* Where the file is whatever the working folder has become. NULL: no memory. */
static char *path_of(const weir_service *service)
{
    const char *slash = strrchr(service->file, '/');
    const char *name = slash ? slash + 1 : service->file;
    size_t size = strlen(service->folder) + 1 + strlen(name) + 1;
    char *path = weir__malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", service->folder, name);
    return path;
}

static int load(weir_service *service, weir_fault_function fault, void *arg, weir__generation **fresh)
{
    char *path = path_of(service);
    if (!path)
        return UV_ENOMEM;
    service->loading = true; /* whoever is told of a fault may call us */
    int status = weir__generation_load(service, path, fault, arg, fresh);
    service->loading = false;
    weir__free(path);
    return status;
}

int weir_service_reload(weir_service *service, weir_fault_function fault, void *arg)
{
    weir__generation *fresh = NULL;
    if (!service)
        return UV_EINVAL;
    if (service->state == WEIR__SERVICE_IDLE || service->state == WEIR__SERVICE_STOPPING || service->stop_asked)
        return UV_ENOTCONN;
    if (service->state == WEIR__SERVICE_BINDING || service->fresh || service->leaving || service->loading)
        return UV_EALREADY;
    int status = load(service, fault, arg, &fresh);
    if (status == 0)
        status = inherit(fresh, service->current);
    if (status == 0)
        status = weir__generation_bind(fresh);
    if (status == 0)
        service->fresh = fresh;
    else
        weir__generation_free(fresh);
    return status;
}
