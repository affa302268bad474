/* SPDX-License-Identifier: MIT */
/* Node's own forms of listen: a port, a path or a struct of options becomes an endpoint of tcp or ipc. */
#include <limits.h>
#include <string.h>

#include <uv.h>

#include <weir/net.h>

#include "endpoint_private.h"
#include "net_private.h"
#include "runtime_private.h"
#include "server_private.h"

void weir_listen_options_init(weir_listen_options *options)
{
    memset(options, 0, sizeof(*options));
    options->size = sizeof(*options);
    options->fd = -1;
    options->port = -1;
}

/* ---- endpoints ---- */

/* Without one the transport has its own (SRV-36). */
static int set_backlog(json_t *members, const weir_listen_options *options)
{
    return options->backlog == 0 ? 0 : weir__net_set_number(members, "backlog", options->backlog);
}

static int tcp_endpoint(weir_runtime *runtime, const weir_listen_options *options, weir_endpoint **endpoint)
{
    int port = options->port == -1 ? 0 : options->port; /* SRV-62 */
    if (port < 0 || port > WEIR__PORT_MOST) {
        return WEIR_ESOCKETBADPORT;
    }
    if (!weir__net_is_text(options->host)) {
        return WEIR_EINVALIDARGVALUE;
    }
    json_t *members = json_object();
    int failed = weir__net_set_number(members, "port", port);
    failed |= weir__net_set_text(members, "host", options->host);
    failed |= set_backlog(members, options);
    failed |= weir__net_set_switch(members, "exclusive", options->exclusive);
    failed |= weir__net_set_switch(members, "ipv6Only", options->ipv6_only);
    return weir__net_endpoint(runtime, "tcp", members, failed, WEIR_SERVER, endpoint);
}

static int ipc_endpoint(weir_runtime *runtime, const weir_listen_options *options, weir_endpoint **endpoint)
{
    weir__net_path path;
    int status = weir__net_read_path(options->path, options->path_length, &path);
    if (status == 0 && path.abstract && (options->readable_all || options->writable_all)) {
        status = WEIR_EINVALIDARGVALUE; /* PATH-13: there is no file to permit anything on */
    }
    if (status != 0) {
        return status;
    }
    json_t *members = json_object();
    int failed = weir__net_set_path(members, &path);
    failed |= set_backlog(members, options);
    failed |= weir__net_set_switch(members, "exclusive", options->exclusive);
    failed |= weir__net_set_switch(members, "readableAll", options->readable_all);
    failed |= weir__net_set_switch(members, "writableAll", options->writable_all);
    return weir__net_endpoint(runtime, "ipc", members, failed, WEIR_SERVER, endpoint);
}

/* SRV-52: something was asked for that says where, and it does not say where. */
static int is_incomplete(const weir_listen_options *options)
{
    return options->host != NULL || options->ipv6_only || options->readable_all || options->writable_all;
}

static int make_endpoint(weir_runtime *runtime, const weir_listen_options *options, weir_endpoint **endpoint)
{
    if (options->backlog < 0) {
        return WEIR_EINVALIDARGVALUE;
    }
    if (options->port != -1) { /* SRV-50 */
        return tcp_endpoint(runtime, options, endpoint);
    }
    if (options->path != NULL) {
        return ipc_endpoint(runtime, options, endpoint);
    }
    return is_incomplete(options) ? WEIR_EINVALIDARGVALUE : tcp_endpoint(runtime, options, endpoint);
}

/* ---- the forms ---- */

static int listen_known(weir_server *server, const weir_listen_options *options, weir_listener listener, void *arg)
{
    weir_endpoint *endpoint = NULL;
    int status = make_endpoint(server->runtime, options, &endpoint);
    if (status == 0) {
        status = weir_server_listen_endpoint(server, endpoint, listener, arg);
        weir_endpoint_release(endpoint);
    }
    return status;
}

int weir_server_listen_with(weir_server *server, const weir_listen_options *options, weir_listener listener, void *arg)
{
    weir_listen_options known;
    weir_listen_options_init(&known);
    if (server == NULL) {
        return UV_EINVAL;
    }
    int status = options == NULL ? 0 : weir__net_take(&known, sizeof(known), options);
    if (status == 0 && (server->runtime == NULL || server->runtime->ending)) {
        status = UV_ECANCELED;
    }
    return status != 0 ? status : listen_known(server, &known, listener, arg);
}

int weir_server_listen_port(weir_server *server, int port, const char *host, int backlog, weir_listener listener,
                            void *arg)
{
    weir_listen_options options;
    weir_listen_options_init(&options);
    options.port = port == -1 ? INT_MIN : port; /* it was given, and is none */
    options.host = host;
    options.backlog = backlog;
    return weir_server_listen_with(server, &options, listener, arg);
}

int weir_server_listen_path(weir_server *server, const char *path, int backlog, weir_listener listener, void *arg)
{
    weir_listen_options options;
    weir_listen_options_init(&options);
    options.path = path == NULL ? "" : path; /* it was given, and is none */
    options.backlog = backlog;
    return weir_server_listen_with(server, &options, listener, arg);
}

weir_server *weir_create_server(weir_runtime *runtime, const weir_server_options *options, weir_listener listener,
                                void *arg)
{
    weir_server *server = weir_server_new(runtime, options);
    if (server != NULL && listener != NULL && weir_server_on(server, WEIR_EVENT_CONNECTION, listener, arg) != 0) {
        weir_server_release(server);
        return NULL;
    }
    return server;
}
