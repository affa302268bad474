/* SPDX-License-Identifier: MIT */
/* The transport `mem`: connections between streams of one runtime, through memory. Its names are its runtime's own. */
#include <uv.h>

#include "mem.h"
#include "mem_schema.h"

static int start(weir_runtime *runtime, void **instance, weir_error **error)
{
    (void)runtime;
    (void)error;
    *instance = weir_calloc(1, sizeof(mem_instance));
    return *instance ? 0 : UV_ENOMEM;
}

static void stop(weir_runtime *runtime, void *instance)
{
    (void)runtime;
    weir_free(instance);
}

static int configure(weir_configure *configure, void **context)
{
    json_t *path = json_object_get(configure->options, "path");
    mem_context *made = weir_calloc(1, sizeof(*made));
    if (!made)
        return UV_ENOMEM;
    made->instance = configure->instance;
    made->pipe_size = (size_t)json_integer_value(json_object_get(configure->options, "pipeSize"));
    made->can_reset = json_is_true(json_object_get(configure->options, "canReset"));
    int status = weir_address_from_path(&made->name, json_string_value(path), json_string_length(path), 0);
    if (status) {
        weir_configure_fault(configure, "/path", "not a name: %s", weir_error_text(status));
        weir_free(made);
        return WEIR_EINVALID_CONFIG;
    }
    *context = made;
    return 0;
}

static void context_free(void *context)
{
    weir_free(context);
}

static size_t format(const void *context, char *text, size_t size)
{
    const mem_context *self = context;
    return weir_address_format(&self->name, text, size);
}

static weir_link *create(void *context, weir_runtime *runtime)
{
    return mem_link_connecting(context, runtime);
}

static const weir_transport transport = {
    .size = sizeof(weir_transport),
    .body = WEIR_BODY_PATH,
    .configure = configure,
    .context_free = context_free,
    .format = format,
    .create = create,
    .acceptor_create = mem_acceptor_create,
    .listen = mem_acceptor_listen,
    .accepting = mem_acceptor_accepting,
    .address = mem_acceptor_address,
    .accept = mem_acceptor_accept,
    .acceptor_ref = mem_acceptor_ref,
    .acceptor_close = mem_acceptor_close,
    .acceptor_free = mem_acceptor_free,
};

WEIR_PLUGIN(mem) = {
    WEIR_PLUGIN_HEADER,   .name = "mem", .version = "1.0.0", .description = "connections within one runtime, for tests",
    .schema = mem_schema, .init = start, .exit = stop,       .transport = &transport,
};
