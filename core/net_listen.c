/* SPDX-License-Identifier: MIT */
/*
 * Node's own forms of listen: a port, a path or a struct of options becomes an endpoint of tcp or ipc; a socket that is
 * bound already, one of whatever transport knows it.
 */
#include <limits.h>
#include <unistd.h>

#include <uv.h>

#include <weir/net.h>

#include "adopt.h"
#include "endpoint_private.h"
#include "net_private.h"
#include "runtime_private.h"
#include "server_private.h"

/* ---- endpoints ---- */

/* Without one the transport has its own (SRV-36). */
static int set_backlog(json_t *members, const weir_listen_options *options)
{
    return options->backlog == 0 ? 0 : weir__net_set_number(members, "backlog", options->backlog);
}

static int tcp_endpoint(weir_runtime *runtime, const weir_listen_options *options, weir_endpoint **endpoint)
{
    if (options->port < 0 || options->port > WEIR__PORT_MOST) {
        return WEIR_ESOCKETBADPORT;
    }
    if (!weir__net_is_text(options->host)) {
        return WEIR_EINVALIDARGVALUE;
    }
    json_t *members = json_object();
    int failed = weir__net_set_number(members, "port", options->port);
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

static int make_endpoint(weir_runtime *runtime, const weir_listen_options *options, weir_endpoint **endpoint)
{
    if (options->port != -1) { /* SRV-50 */
        return tcp_endpoint(runtime, options, endpoint);
    }
    return options->path != NULL ? ipc_endpoint(runtime, options, endpoint) : WEIR_EINVALIDARGVALUE; /* SRV-52 */
}

/* ---- sockets that are there already ---- */

/* What is to be listened at: an endpoint, and a socket or none. */
typedef struct place {
    weir_endpoint *endpoint;
    int fd;        /* -1: the transport makes one */
    int duplicate; /* the socket is ours until the server has it */
} place;

static int is_given(const weir_listen_options *options)
{
    return options->server != NULL || options->stream != NULL || options->fd != -1;
}

/* A duplicate of the socket that a stream stands on, or an error: of a transport without sockets it is no socket. */
static int socket_of(const weir_stream *stream)
{
    int fd = weir_stream_export_fd(stream);
    return fd == UV_ENOTSUP ? WEIR_EINVALIDFDTYPE : fd;
}

static int find_socket(const weir_listen_options *options, place *where)
{
    where->duplicate = options->server != NULL || options->stream != NULL;
    if (options->server != NULL) {
        where->fd = weir_server_export_fd(options->server);
    } else if (options->stream != NULL) {
        where->fd = socket_of(options->stream);
    } else {
        where->fd = options->fd < 0 ? UV_EBADF : options->fd;
    }
    return where->fd < 0 ? where->fd : 0;
}

/* No transport knows the descriptor: any may say so, and does when it is to listen on it (SRV-46). */
static int is_no_socket(int status)
{
    return status == UV_EBADF || status == WEIR_EINVALIDFDTYPE;
}

static int socket_endpoint(weir_runtime *runtime, const weir_listen_options *options, place *where)
{
    int status = find_socket(options, where);
    if (status != 0) {
        return status;
    }
    json_t *members = json_object();
    status = members == NULL || set_backlog(members, options) != 0 ? UV_ENOMEM : 0;
    if (status == 0) {
        status = weir__endpoint_of_descriptor(runtime, where->fd, WEIR_SERVER, members, &where->endpoint, NULL);
    }
    json_decref(members);
    if (!where->duplicate && is_no_socket(status)) {
        status = weir__net_endpoint(runtime, "tcp", json_object(), 0, WEIR_SERVER, &where->endpoint);
    }
    return status;
}

/* ---- the forms ---- */

/* A signal that was fired before ends it all with 'close' and no 'listening' (SRV-60). */
static int listen_there(weir_server *server, const weir_listen_options *options, place *where, weir_listener listener,
                        void *arg)
{
    int status = options->signal == NULL ? 0 : weir__server_set_signal(server, options->signal);
    if (status == WEIR_EABORTED) {
        if (where->fd >= 0) {
            close(where->fd);
        }
        return 0;
    }
    if (status != 0) {
        return status;
    }
    status = weir_server_listen_fd(server, where->endpoint, where->fd, listener, arg);
    if (status != 0 && options->signal != NULL) {
        (void)weir__server_set_signal(server, NULL);
    }
    return status;
}

static int listen_known(weir_server *server, const weir_listen_options *options, weir_listener listener, void *arg)
{
    place where = {.fd = -1};
    if (options->backlog < 0) {
        return WEIR_EINVALIDARGVALUE;
    }
    int status = is_given(options) ? socket_endpoint(server->runtime, options, &where)
                                   : make_endpoint(server->runtime, options, &where.endpoint);
    if (status == 0) {
        status = listen_there(server, options, &where, listener, arg);
    }
    weir_endpoint_release(where.endpoint);
    if (status != 0 && where.duplicate && where.fd >= 0) {
        close(where.fd);
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
    int status = 0;
    if (options == NULL) {
        known.port = 0; /* SRV-62 */
    } else {
        status = weir_options_take(&known, sizeof(known), options);
    }
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
