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

#ifdef __cplusplus
}
#endif
#endif
