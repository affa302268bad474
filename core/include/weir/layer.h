/* SPDX-License-Identifier: MIT */
/* Layers: what transforms bytes between a stream and its transport. For authors of layers. Read weir/link.h first. */
#ifndef WEIR_LAYER_H
#define WEIR_LAYER_H

#include <weir/link.h>
#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_layer {
    size_t size; /* sizeof(weir_layer) */

    /* See weir_configure. 0 with `*context`, WEIR_EINVALID_CONFIG after faults were reported, UV_ENOMEM. */
    int (*configure)(weir_configure *configure, void **context);
    void (*context_free)(void *context);

    /* A link for one stream; `role` says which side of it. NULL: no memory. The context lives longer than the link. */
    weir_link *(*create)(void *context, weir_runtime *runtime, weir_role role);
};

/*
 * A context of the layer's own kind outside of any endpoint, for what a layer offers C programs by its plugin's
 * `interface`: the plugin is loaded, `options` (the text of a JSON object) are checked by its schema, completed and given
 * to its configure, exactly as those of an endpoint are; `extra` comes there with them. `folder` is what relative files
 * are relative to (NULL: the working folder). 0 with `*context`, which the layer frees before the runtime ends; or below 0 with `*error` (where error
 * is not NULL; the caller's) that names every fault: WEIR_EINVALID_CONFIG, WEIR_EINVALID_ENDPOINT (no such layer),
 * WEIR_ENOPLUGIN, WEIR_EPLUGIN, UV_EINVAL, UV_ENOMEM.
 */
WEIR_EXPORT int weir_layer_configure(weir_runtime *runtime, const char *layer, const char *options, const char *folder,
                                     weir_role role, const void *extra, void **context, weir_error **error);

/*
 * The same with options as a configure was given them (weir_configure.given; NULL: none): all files and secrets are read
 * again, and the layer makes one more context. `folder` is that of the configure.
 */
WEIR_EXPORT int weir_layer_configure_again(weir_runtime *runtime, const char *layer, const json_t *given,
                                           const char *folder, weir_role role, const void *extra, void **context,
                                           weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
