/* SPDX-License-Identifier: MIT */
/* Handlers: what does the work of a service's server. For authors of handlers. */
#ifndef WEIR_HANDLER_H
#define WEIR_HANDLER_H

#include <weir/plugin.h>
#include <weir/server.h>
#include <weir/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_handler {
    size_t size; /* sizeof(weir_handler) */

    /* See weir_configure. 0 with `*context`, WEIR_EINVALID_CONFIG after faults were reported, UV_ENOMEM. */
    int (*configure)(weir_configure *configure, void **context);
    void (*context_free)(void *context);

    /*
     * A connection of the server: add listeners, pipe it, write to it. The stream is the runtime's; state of the
     * handler's own goes with its 'close'. The context lives longer than any stream given to it.
     */
    void (*connection)(void *context, weir_stream *stream);

    /*
     * Sets the stream options that a server with this handler needs, before the configuration's own are applied. May be
     * NULL. `options` is the library's own struct, filled in already, and need not be as long as the one that the
     * handler was compiled with: do not call an ..._init on it or on its `stream`, leave their sizes as they are, and
     * touch nothing at or behind `options->size`. What would move its members (a longer weir_stream_options in the
     * middle) comes with a new WEIR_PLUGIN_ABI_MAJOR.
     */
    void (*prepare)(void *context, weir_server_options *options);

    /*
     * The server begins to shut down: connections may end within its grace. May be NULL. A handler whose connections
     * never end by themselves ends them here. Called once for each server of the context, of which there may be several.
     * After a reload of the service it is not called before the last connection has gone, or the service is stopped.
     */
    void (*stopping)(void *context, weir_server *server);
};

#ifdef __cplusplus
}
#endif
#endif
