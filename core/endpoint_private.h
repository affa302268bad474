/* SPDX-License-Identifier: MIT */
/* What an endpoint is made of, for the parser that makes it and for streams and servers that use it. */
#ifndef WEIR_ENDPOINT_PRIVATE_H
#define WEIR_ENDPOINT_PRIVATE_H

#include <jansson.h>

#include <weir/blocklist.h>
#include <weir/handler.h>
#include <weir/layer.h>
#include <weir/transport.h>

#include "json_scan.h"

/* One plugin's part in an endpoint: its table and the context that its configure made of the options. */
typedef struct weir__component {
    const weir_plugin *plugin;
    void *context;
} weir__component;

struct weir_endpoint {
    size_t refs;
    weir_runtime *runtime;
    weir_role role;
    weir__component transport;
    size_t layer_count;         /* may be 0 */
    weir__component *layers;    /* from the wire inwards: layers[0] stands on the transport */
    json_t *stream_options;     /* those of the stream that were given, an object; NULL: none */
    weir_blocklist *block_list; /* and their "blockList"; NULL: none */
};

/* Options of the stream that the endpoint's text gave, over those in `options`. */
void weir__endpoint_apply(const weir_endpoint *endpoint, weir_stream_options *options);

/* The same for an object that is valid by stream.schema.json, such as a member of a service file. */
void weir__stream_options_from_json(const json_t *object, weir_stream_options *options);

#endif
