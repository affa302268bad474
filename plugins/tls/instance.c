/* SPDX-License-Identifier: MIT */
/* The plugin's instance: made before any context, ended behind the last one. */
#include "instance.h"

#include <string.h>

#include <uv.h>

#include "engine.h"
#include "material.h"

int weir__tls_init(weir_runtime *runtime, void **instance, weir_error **error)
{
    tls_instance *made = weir_calloc(1, sizeof(*made));
    int status;

    if (!made)
        return UV_ENOMEM;
    made->runtime = runtime;
    status = weir__tls_engine.init(&made->engine, error);
    if (status) {
        weir_free(made);
        return status;
    }
    *instance = made;
    return 0;
}

void weir__tls_exit(weir_runtime *runtime, void *instance)
{
    tls_instance *self = instance;

    (void)runtime;
    weir__tls_sessions_free(&self->sessions);
    weir__tls_pool_free(&self->pool);
    weir__tls_material_free(&self->system_ca);
    weir__tls_engine.exit(self->engine);
    weir_free(self);
}
