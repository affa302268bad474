/* SPDX-License-Identifier: MIT */
/* The servers of a service in one runtime: bound together, accepting together, stopped together. */
#define _GNU_SOURCE

#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "server_private.h"
#include "service_private.h"

/* ---- what is inherited ---- */

weir__inherited *weir__inherited_new(size_t count)
{
    return weir__calloc(count, sizeof(weir__inherited));
}

int weir__inherited_add(weir__inherited *inherited, int fd)
{
    int *fds = weir__realloc(inherited->fds, (inherited->count + 1) * sizeof(*fds));
    if (!fds) {
        close(fd);
        return UV_ENOMEM;
    }
    inherited->fds = fds;
    fds[inherited->count++] = fd;
    return 0;
}

void weir__inherited_free(weir__inherited *inherited, size_t count)
{
    for (size_t i = 0; inherited && i < count; i++) {
        for (size_t k = 0; k < inherited[i].count; k++)
            if (inherited[i].fds[k] >= 0)
                close(inherited[i].fds[k]);
        weir__free(inherited[i].fds);
    }
    weir__free(inherited);
}

/* ---- connections ---- */

/* An idle connection nobody else looks after is closed: that is what a service's `timeout` says. */
static void on_idle(const weir_event *event, void *arg)
{
    (void)arg;
    if (weir_stream_listener_count(event->stream, WEIR_EVENT_TIMEOUT) == 1)
        weir_stream_destroy(event->stream, NULL);
}

static void on_connection(const weir_event *event, void *arg)
{
    weir__site_server *server = arg;
    const weir_handler *handler = server->handler.plugin->handler;
    if (weir_stream_timeout(event->stream) > 0 &&
        weir_stream_on(event->stream, WEIR_EVENT_TIMEOUT, on_idle, NULL) != 0) {
        weir_stream_destroy(event->stream, NULL);
        return;
    }
    handler->connection(server->handler.context, event->stream);
}

static void on_client_error(const weir_event *event, void *arg)
{
    weir__site_server *server = arg;
    weir__client_errors_refused(&server->refused, server->site->runtime, event->address, event->error);
}

static void on_drop(const weir_event *event, void *arg)
{
    weir__site_server *server = arg;
    weir__drops_note(&server->drops, server->site->runtime, server->name, event->drop);
}

/* ---- waiting for the servers ---- */

static void begin_all(weir__site *site, bool on_inherited);

static void forget_server(weir__site_server *server);

static bool any_failed(const weir__site *site)
{
    for (size_t i = 0; i < site->count; i++)
        if (site->servers[i].failure)
            return true;
    return false;
}

/* Each of them once. */
static void tell_handlers(weir__site *site)
{
    for (size_t i = 0; i < site->count; i++) {
        weir__site_server *server = &site->servers[i];
        const weir_handler *handler = server->handler.plugin->handler;
        if (server->stopping_due && handler->stopping)
            handler->stopping(server->handler.context, server->server);
        server->stopping_due = false;
    }
}

static void on_all_bound(weir__site *site)
{
    if (site->takes_over && !any_failed(site)) {
        site->takes_over = false;
        begin_all(site, true);
        return;
    }
    site->inherited = NULL;
    site->state = WEIR__SITE_BOUND;
    site->bound(site);
}

static void on_all_closed(weir__site *site)
{
    tell_handlers(site);
    site->state = WEIR__SITE_IDLE;
    weir_timer_stop(site->runtime, &site->grace);
    for (size_t i = 0; i < site->count; i++) {
        weir__drops_end(&site->servers[i].drops);
        weir__client_errors_end(&site->servers[i].refused);
        weir__client_errors_end(&site->servers[i].unheard);
        weir_error_release(site->servers[i].failure);
        site->servers[i].failure = NULL;
        forget_server(&site->servers[i]);
    }
    site->count = site->of_file; /* bound again, it inherits nothing */
    site->stopped(site);
}

static void tell_owner(weir_task *task)
{
    weir__site *site = (weir__site *)((char *)task - offsetof(weir__site, task));
    if (site->state == WEIR__SITE_BINDING)
        on_all_bound(site);
    else
        on_all_closed(site);
}

/* A server has said what was waited for. */
static void arrived(weir__site_server *server)
{
    weir__site *site = server->site;
    if (!server->waited_for)
        return;
    server->waited_for = false;
    if (--site->waiting == 0)
        weir_runtime_defer(site->runtime, &site->task);
}

static void on_listening(const weir_event *event, void *arg)
{
    (void)event;
    arrived(arg);
}

static void on_error(const weir_event *event, void *arg)
{
    weir__site_server *server = arg;
    if (server->site->state != WEIR__SITE_BINDING) {
        weir_log(server->site->runtime, WEIR_LOG_ERROR, "%s: %s", server->name, event->error->message);
        return;
    }
    if (!server->failure)
        server->failure = weir_error_retain(event->error);
    arrived(server);
}

static void on_close(const weir_event *event, void *arg)
{
    weir__site_server *server = arg;
    (void)event;
    if (server->site->state == WEIR__SITE_STOPPING)
        arrived(server);
}

/* ---- binding ---- */

static const struct {
    weir_event_type type;
    weir_listener listener;
} listeners_of_a_server[] = {
    {WEIR_EVENT_LISTENING, on_listening},
    {WEIR_EVENT_ERROR, on_error},
    {WEIR_EVENT_CLOSE, on_close},
    {WEIR_EVENT_CONNECTION, on_connection},
    {WEIR_EVENT_CLIENT_ERROR, on_client_error},
    {WEIR_EVENT_DROP, on_drop},
};

static int make_server(weir__site_server *server)
{
    server->server = weir_server_new(server->site->runtime, &server->options);
    if (!server->server)
        return UV_ENOMEM;
    server->server->total = server->site->connections;
    server->refused.server = server->name;
    server->unheard.server = server->name;
    server->server->unheard = &server->unheard;
    weir__server_hold(server->server, 1);
    for (size_t i = 0; i < sizeof(listeners_of_a_server) / sizeof(listeners_of_a_server[0]); i++) {
        int status =
            weir_server_on(server->server, listeners_of_a_server[i].type, listeners_of_a_server[i].listener, server);
        if (status != 0)
            return status;
    }
    return 0;
}

/* Others may hold it, and listen with it. */
static void forget_server(weir__site_server *server)
{
    for (size_t i = 0; server->server && i < sizeof(listeners_of_a_server) / sizeof(listeners_of_a_server[0]); i++)
        weir_server_off(server->server, listeners_of_a_server[i].type, listeners_of_a_server[i].listener, server);
    if (server->server)
        server->server->unheard = NULL;
    weir_server_release(server->server);
    server->server = NULL;
}

/* The descriptor that a server is to listen on; NULL: it makes a socket. */
static int *descriptor_of(const weir__site_server *server)
{
    const weir__inherited *inherited = server->site->inherited;
    if (!inherited || server->lane >= inherited[server->original].count)
        return NULL;
    return &inherited[server->original].fds[server->lane];
}

static void begin_to_listen(weir__site_server *server, int *fd)
{
    server->waited_for = true;
    server->site->waiting++;
    int status = weir_server_listen_fd(server->server, server->endpoint, fd ? *fd : -1, NULL, NULL);
    if (status == 0 && fd)
        *fd = -1;
    if (status == 0)
        return;
    char where[WEIR_ADDRESS_TEXT_SIZE + 128];
    weir_endpoint_format(server->endpoint, where, sizeof(where));
    server->failure = weir_error_newf(status, "listen", NULL, -1, "listen %s: %s (%s)", where, weir_error_text(status),
                                      weir_error_name(status));
    arrived(server);
}

static void begin_all(weir__site *site, bool on_inherited)
{
    /* One more than there are, so that the owner is not told before all have begun. */
    site->waiting = 1;
    for (size_t i = 0; i < site->count; i++) {
        int *fd = descriptor_of(&site->servers[i]);
        if ((fd != NULL) == on_inherited)
            begin_to_listen(&site->servers[i], fd);
    }
    if (--site->waiting == 0)
        weir_runtime_defer(site->runtime, &site->task);
}

/* Adds the servers that listen beside those of the file, on the other descriptors that these inherit. */
static int add_beside(weir__site *site)
{
    size_t more = 0;
    for (size_t i = 0; site->inherited && i < site->of_file; i++)
        more += site->inherited[i].count > 1 ? site->inherited[i].count - 1 : 0;
    if (more == 0)
        return 0;
    weir__site_server *servers = weir__realloc(site->servers, (site->of_file + more) * sizeof(*servers));
    if (!servers)
        return UV_ENOMEM;
    site->servers = servers;
    for (size_t i = 0; i < site->of_file; i++) {
        for (size_t lane = 1; lane < site->inherited[i].count; lane++) {
            weir__site_server *beside = &servers[site->count++];
            *beside = servers[i];
            beside->lane = lane;
            beside->predecessor = NULL;
        }
    }
    return 0;
}

static int make_servers(weir__site *site)
{
    int status = add_beside(site);
    for (size_t i = 0; i < site->count && status == 0; i++)
        status = make_server(&site->servers[i]);
    return status;
}

int weir__site_bind(weir__site *site, weir__inherited *inherited)
{
    site->inherited = inherited;
    int status = make_servers(site);
    if (status != 0) {
        for (size_t i = 0; i < site->count; i++)
            forget_server(&site->servers[i]);
        site->count = site->of_file;
        site->inherited = NULL;
        return status;
    }
    for (size_t i = 0; i < site->of_file; i++)
        if (!descriptor_of(&site->servers[i]))
            site->servers[i].socket_reuses_port = site->servers[i].reuses_port;
    site->state = WEIR__SITE_BINDING;
    site->takes_over = inherited != NULL;
    site->destroyed = 0;
    site->task.run = tell_owner;
    begin_all(site, false);
    return 0;
}

static void succeed(weir__site_server *server)
{
    if (server->lane > 0 || !server->predecessor)
        return;
    int status = weir__server_succeed(server->server, server->predecessor->server);
    server->predecessor = NULL;
    if (status != 0)
        weir_log(server->site->runtime, WEIR_LOG_WARN,
                 "%s: what the new file says of the place it listens at could not be done: %s (%s)", server->name,
                 weir_error_text(status), weir_error_name(status));
}

void weir__site_accept(weir__site *site)
{
    for (size_t i = 0; i < site->count; i++) {
        succeed(&site->servers[i]);
        weir__server_hold(site->servers[i].server, 0);
    }
}

/* ---- stopping ---- */

static void cut(weir_stream *stream, void *arg)
{
    weir__site *site = arg;
    if (weir_stream_destroyed(stream))
        return;
    site->destroyed++;
    weir_stream_destroy(stream, NULL);
}

static void cut_all(weir__site *site)
{
    for (size_t i = 0; i < site->count; i++)
        weir_server_each(site->servers[i].server, cut, site);
}

static void on_grace_over(weir_timer *timer)
{
    cut_all((weir__site *)((char *)timer - offsetof(weir__site, grace)));
}

static void stop_server(weir__site_server *server)
{
    /* One that failed after it listened may have connections, which end like those of any other. */
    bool ends = weir__server_await_close(server->server) != 0;
    if (!ends && !weir_server_listening(server->server))
        return;
    server->waited_for = true;
    server->stopping_due = true;
    server->site->waiting++;
    if (!ends)
        (void)weir_server_close(server->server, NULL, NULL); /* without a callback there is nothing to fail */
}

void weir__site_stop(weir__site *site, uint64_t grace)
{
    if (site->state == WEIR__SITE_BOUND) {
        site->state = WEIR__SITE_STOPPING;
        site->waiting = 1;
        for (size_t i = 0; i < site->count; i++)
            stop_server(&site->servers[i]);
        if (--site->waiting == 0)
            weir_runtime_defer(site->runtime, &site->task);
    }
    if (site->state != WEIR__SITE_STOPPING || grace == WEIR__SITE_DRAIN)
        return;
    tell_handlers(site);
    site->grace.run = on_grace_over;
    if (grace == 0 || weir_timer_start(site->runtime, &site->grace, grace) != 0)
        cut_all(site);
}

/* ---- life ---- */

void weir__site_free(weir__site *site)
{
    if (!site)
        return;
    /* Those beside them have nothing of their own. */
    for (size_t i = 0; i < site->of_file; i++) {
        weir__component_free(WEIR__HANDLER, &site->servers[i].handler);
        weir_endpoint_release(site->servers[i].endpoint);
        weir_error_release(site->servers[i].failure);
        weir_blocklist_release(site->servers[i].block_list);
        weir__free(site->servers[i].name);
    }
    weir__free(site->servers);
    weir__free(site);
}
