/* SPDX-License-Identifier: MIT */
/* The plugins of one runtime. */
#ifndef WEIR_PLUGIN_REGISTRY_H
#define WEIR_PLUGIN_REGISTRY_H

#include <weir/plugin.h>

#include "runtime_private.h"
#include "schema.h"

/* A plugin that runs in a runtime. It stays where it is until the runtime ends. */
typedef struct weir__loaded weir__loaded;
struct weir__loaded {
    const weir_plugin *plugin;
    void *instance;        /* of its init */
    weir__schema *schema;  /* its options', compiled */
    const char *path;      /* as it was asked for; NULL: it is linked into the program */
    weir__loaded *earlier; /* the one whose init ended before this one's */
};

/* NULL: no memory. */
weir__registry *weir__registry_new(weir_runtime *runtime);

/*
 * Ends the instances, the last started first, and frees the registry. From the call on the runtime has no more plugins:
 * what asks for one gets UV_ECANCELED. NULL passes.
 */
void weir__registry_free(weir__registry *registry);

/*
 * The plugin of that name, or in that file when there is a slash in it: the one that runs already, or else it is loaded
 * and its init called. `*found` is the registry's. 0, WEIR_ENOPLUGIN, WEIR_EPLUGIN, UV_EINVAL (an empty name),
 * UV_ENOMEM, UV_ECANCELED; `*error`, where error is not NULL, is then set and the caller's.
 */
int weir__registry_find(weir_runtime *runtime, const char *name_or_path, weir__loaded **found, weir_error **error);

/* The plugin whose init ended last; NULL: there is none, or the runtime is ending. */
const weir__loaded *weir__registry_newest(const weir_runtime *runtime);

/*
 * Gives a new runtime what another one has: its configured folders, and its plugins, whose init is called for this one.
 * The other is not used by its own thread meanwhile. The same codes and error.
 */
int weir__registry_inherit(weir_runtime *runtime, const weir_runtime *other, weir_error **error);

#endif
