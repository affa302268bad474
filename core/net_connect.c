/* SPDX-License-Identifier: MIT */
/* Node's own forms of connect: a port, a path or a struct of options becomes an endpoint of tcp or ipc. */
#include <limits.h>
#include <netdb.h>

#include <uv.h>

#include <weir/net.h>

#include "net_private.h"
#include "stream_private.h"

#define HINTS_KNOWN (AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL)

/* ---- what is refused before anything is done ---- */

static int is_port(int port)
{
    return port >= 0 && port <= WEIR__PORT_MOST;
}

/* The address alone: whether it goes with the family is the transport's to say. */
static int is_local_address(const char *text)
{
    weir_address address;
    return text == NULL || *text == '\0' || weir_address_from_ip(&address, text, 0) == 0;
}

static int check_tcp(const weir_connect_options *options)
{
    if (options->port == -1) {
        return WEIR_EMISSINGARGS;
    }
    if (!is_port(options->port) || !is_port(options->local_port)) {
        return WEIR_ESOCKETBADPORT;
    }
    if (!is_local_address(options->local_address)) {
        return WEIR_EINVALIDIPADDRESS;
    }
    int family = options->family;
    if ((family != 0 && family != 4 && family != 6) || (options->hints & ~HINTS_KNOWN) != 0 ||
        !weir__net_is_text(options->host)) {
        return WEIR_EINVALIDARGVALUE;
    }
    int64_t timeout = options->auto_select_family_attempt_timeout;
    return timeout < 0 || timeout > INT_MAX ? WEIR_EOUTOFRANGE : 0;
}

/* ---- endpoints ---- */

static int tcp_endpoint(weir_runtime *runtime, const weir_connect_options *options, weir_endpoint **endpoint)
{
    int status = check_tcp(options);
    if (status != 0) {
        return status;
    }
    json_t *members = json_object();
    int failed = weir__net_set_number(members, "port", options->port);
    failed |= weir__net_set_text(members, "host", options->host);
    failed |= weir__net_set_text(members, "localAddress", options->local_address);
    failed |= weir__net_set_number(members, "localPort", options->local_port);
    failed |= weir__net_set_number(members, "family", options->family);
    failed |= weir__net_set_number(members, "hints", options->hints);
    if (options->auto_select_family >= 0) {
        failed |= weir__net_set_switch(members, "autoSelectFamily", options->auto_select_family);
    }
    if (options->auto_select_family_attempt_timeout > 0) {
        failed |= weir__net_set_number(members, "autoSelectFamilyAttemptTimeout",
                                       options->auto_select_family_attempt_timeout);
    }
    return weir__net_endpoint(runtime, "tcp", members, failed, WEIR_CLIENT, endpoint);
}

static int ipc_endpoint(weir_runtime *runtime, const weir_connect_options *options, weir_endpoint **endpoint)
{
    weir__net_path path;
    int status = weir__net_read_path(options->path, options->path_length, &path);
    if (status != 0) {
        return status;
    }
    json_t *members = json_object();
    int failed = weir__net_set_path(members, &path);
    return weir__net_endpoint(runtime, "ipc", members, failed, WEIR_CLIENT, endpoint);
}

/* ---- the forms ---- */

int weir_stream_connect_with(weir_stream *stream, const weir_connect_options *options, weir_listener listener,
                             void *arg)
{
    weir_connect_options known;
    if (stream == NULL || options == NULL) {
        return UV_EINVAL;
    }
    weir_connect_options_init(&known);
    int status = weir_options_take(&known, sizeof(known), options);
    if (status == 0 && (stream->runtime == NULL || stream->runtime->ending)) {
        status = UV_ECANCELED;
    }
    if (status != 0) {
        return status;
    }
    weir_endpoint *endpoint = NULL;
    status = known.path != NULL ? ipc_endpoint(stream->runtime, &known, &endpoint)
                                : tcp_endpoint(stream->runtime, &known, &endpoint);
    if (status == 0) {
        status = weir_stream_connect_endpoint(stream, endpoint, listener, arg);
        weir_endpoint_release(endpoint);
    }
    return status;
}

int weir_stream_connect_port(weir_stream *stream, int port, const char *host, weir_listener listener, void *arg)
{
    weir_connect_options options;
    weir_connect_options_init(&options);
    options.port = port == -1 ? INT_MIN : port; /* it was given, and is none */
    options.host = host;
    return weir_stream_connect_with(stream, &options, listener, arg);
}

int weir_stream_connect_path(weir_stream *stream, const char *path, weir_listener listener, void *arg)
{
    weir_connect_options options;
    weir_connect_options_init(&options);
    options.path = path;
    return weir_stream_connect_with(stream, &options, listener, arg);
}

weir_stream *weir_create_connection(weir_runtime *runtime, const weir_connect_options *options,
                                    const weir_stream_options *stream_options, weir_listener listener, void *arg,
                                    int *error)
{
    int status = UV_EINVAL;
    weir_stream *stream = NULL;
    if (runtime != NULL && options != NULL) {
        stream = weir__stream_make(runtime, stream_options);
        status = weir__stream_refusal(runtime, stream_options);
    }
    if (stream != NULL) {
        status = weir_stream_connect_with(stream, options, listener, arg);
    }
    if (status != 0) {
        weir_stream_release(stream);
        stream = NULL;
    }
    if (error != NULL) {
        *error = status;
    }
    return stream;
}
