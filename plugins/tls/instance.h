/* SPDX-License-Identifier: MIT */
/* What the plugin has in one runtime: the engine's instance, pooled memory, kept sessions, registered contexts. */
#ifndef WEIR_TLS_INSTANCE_H
#define WEIR_TLS_INSTANCE_H

#include "sessions.h"
#include "settings.h"
#include "transfer.h"

struct weir_tls_context;

typedef struct tls_instance {
    weir_runtime *runtime;
    void *engine; /* what weir__tls_engine.init made */
    tls_pool pool;
    tls_sessions sessions;
    tls_material system_ca;         /* read once, and again when the file has changed */
    struct weir_tls_context *named; /* contexts that programs have registered */
} tls_instance;

/* The plugin's init and exit. */
int weir__tls_init(weir_runtime *runtime, void **instance, weir_error **error);
void weir__tls_exit(weir_runtime *runtime, void *instance);

/* The plugin's name, which the file that says WEIR_PLUGIN defines: "tls". */
extern const char weir__tls_name[];

#endif
