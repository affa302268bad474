/* SPDX-License-Identifier: MIT */
/* How a stream gets its links: of an endpoint that it connects to, or around an arrival of a server. */
#include "runtime_private.h"
#include "stream_private.h"

static void free_unattached(weir_stream *stream)
{
    weir__links_free(stream);
    weir_endpoint_release(stream->endpoint);
    stream->endpoint = NULL;
}

static int attach_layers(weir_stream *stream, const weir_endpoint *endpoint, weir_role role)
{
    for (size_t i = 0; i < endpoint->layer_count; i++) {
        const weir__component *component = &endpoint->layers[i];
        weir_link *link = component->plugin->layer->create(component->context, stream->runtime, role);
        int status = weir__link_check(stream->runtime, component->plugin, link, 0);
        if (status != 0) {
            return status;
        }
        weir__link_attach(stream, link);
    }
    return 0;
}

static void set_boolean(const weir_stream *stream, const char *name, int on)
{
    weir_value value = {.type = WEIR_VALUE_BOOLEAN, .number = on};
    weir__links_set(stream, name, &value);
}

/* What was asked for before there was a connection (SOCM-23, SOCM-36, SOCM-40). */
void weir__stream_apply_remembered(weir_stream *stream)
{
    if (stream->no_delay != 0) {
        set_boolean(stream, "noDelay", stream->no_delay == 2);
    }
    if (stream->keep_alive != 0) {
        weir_value delay = {.type = WEIR_VALUE_NUMBER, .number = (int64_t)stream->keep_alive_delay};
        weir__links_set(stream, "keepAliveInitialDelay", &delay);
        set_boolean(stream, "keepAlive", stream->keep_alive == 2);
    }
    if (stream->unref) {
        weir__links_ref(stream, 0);
    }
}

/*
 * Its signal was fired before it was ever connected, and 'error' and 'close' are on their way: connect() adds nothing to
 * that, and is no mistake (BN-18).
 */
static int was_aborted_when_new(const weir_stream *stream)
{
    return stream->life == LIFE_CLOSING && stream->endpoint == NULL && stream->server == NULL &&
           weir__stream_is_aborted(stream) && stream->errored == weir_abort_error(stream->extras->signal);
}

static int may_connect(const weir_stream *stream)
{
    if (stream->runtime == NULL || stream->runtime->ending) {
        return UV_ECANCELED;
    }
    switch ((weir__life)stream->life) {
    case LIFE_NEW:
    case LIFE_CLOSED:
        return 0;
    case LIFE_CONNECTING:
    case LIFE_OPENING:
        return UV_EALREADY;
    case LIFE_OPEN:
        return UV_EISCONN;
    case LIFE_CLOSING:
        break;
    }
    return was_aborted_when_new(stream) ? 0 : WEIR_ESTREAM_DESTROYED;
}

static int make_links(weir_stream *stream, weir_endpoint *endpoint)
{
    const weir__component *transport = &endpoint->transport;
    weir_link *link = transport->plugin->transport->create(transport->context, stream->runtime);
    int status = weir__link_check(stream->runtime, transport->plugin, link, 1);
    if (status != 0) {
        return status;
    }
    weir__link_attach(stream, link);
    return attach_layers(stream, endpoint, WEIR_CLIENT);
}

int weir_stream_connect_endpoint(weir_stream *stream, weir_endpoint *endpoint, weir_listener listener, void *arg)
{
    if (stream == NULL || endpoint == NULL || endpoint->runtime != stream->runtime || endpoint->role != WEIR_CLIENT) {
        return UV_EINVAL;
    }
    int status = may_connect(stream);
    if (status != 0 || stream->life == LIFE_CLOSING) {
        return status;
    }
    if (listener != NULL) {
        status = weir_stream_once(stream, WEIR_EVENT_CONNECT, listener, arg);
        if (status != 0) {
            return status;
        }
    }
    weir_endpoint_retain(endpoint);
    weir_endpoint_release(stream->endpoint);
    stream->endpoint = endpoint;
    status = weir__stream_is_aborted(stream) ? 0 : make_links(stream, endpoint);
    if (status != 0) {
        free_unattached(stream);
        if (listener != NULL) {
            weir_stream_off(stream, WEIR_EVENT_CONNECT, listener, arg);
        }
        return status;
    }
    weir__stream_begin_connecting(stream);
    return 0;
}

int weir_stream_connect(weir_stream *stream, const char *text, weir_listener listener, void *arg)
{
    if (stream == NULL || text == NULL) {
        return UV_EINVAL;
    }
    int status = may_connect(stream);
    if (status != 0) {
        return status;
    }
    weir_endpoint *endpoint = NULL;
    status = weir_endpoint_parse(stream->runtime, text, WEIR_CLIENT, NULL, &endpoint, NULL);
    if (status == 0) {
        status = weir_stream_connect_endpoint(stream, endpoint, listener, arg);
        weir_endpoint_release(endpoint);
    }
    return status;
}

int weir__stream_refusal(const weir_runtime *runtime, const weir_stream_options *options)
{
    if (runtime == NULL) {
        return UV_EINVAL;
    }
    if (runtime->ending) {
        return UV_ECANCELED;
    }
    weir_stream_options known;
    weir_stream_options_init(&known);
    int status = options != NULL ? weir_options_take(&known, sizeof(known), options) : 0;
    if (status != 0) {
        return status;
    }
    return weir__onread_check(&known.onread) != 0 ? WEIR_EINVALIDARGVALUE : UV_ENOMEM;
}

weir_stream *weir_connect(weir_runtime *runtime, const char *endpoint, const weir_stream_options *options,
                          weir_listener listener, void *arg, int *error)
{
    weir_stream *stream = weir__stream_make(runtime, options);
    int status =
        stream != NULL ? weir_stream_connect(stream, endpoint, listener, arg) : weir__stream_refusal(runtime, options);
    if (status != 0) {
        weir_stream_release(stream);
        stream = NULL;
    }
    if (error != NULL) {
        *error = status;
    }
    return stream;
}

weir_stream *weir__stream_accept(weir_runtime *runtime, weir_server *server, const weir_stream_options *options,
                                 const weir_endpoint *endpoint, weir_link *link)
{
    weir_stream *stream = weir__stream_make(runtime, options);
    if (stream == NULL) {
        return NULL;
    }
    weir__link_attach(stream, link);
    if (attach_layers(stream, endpoint, WEIR_SERVER) != 0) {
        /* the arrival's own link goes back to its maker, the layers' end here */
        weir_link *layers = link->upper;
        link->upper = NULL;
        if (layers != NULL) {
            layers->lower = NULL;
        } else {
            stream->top = NULL;
        }
        weir__links_free(stream);
        weir_stream_release(stream);
        return NULL;
    }
    stream->server = server;
    weir__stream_apply_remembered(stream); /* of the options it was made with (SOCK-18) */
    weir__stream_activate(stream);
    weir_stream_release(stream); /* the runtime's reference is the only one */
    weir__stream_heed_signal(stream);
    return stream;
}
