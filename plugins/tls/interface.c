/* SPDX-License-Identifier: MIT */
/* The table for C programs: weir/tls.h says what each function does. */
#include <string.h>

#include <uv.h>

#include "layer.h"

/* ---- contexts ---- */

static int refuse(weir_error **error, int code)
{
    if (error)
        *error = weir_error_new(code, weir__tls_name, NULL, -1);
    return code;
}

/* Through the core, so that the options are checked and completed as those of an endpoint. */
static int make(weir_runtime *runtime, weir_role role, const weir_tls_options *options, weir_tls_context **context,
                weir_error **error)
{
    void *made = NULL;
    int status = weir_layer_configure(runtime, weir__tls_name, options->options ? options->options : "{}",
                                      options->folder, role, options, &made, error);

    if (status)
        return status;
    if (((weir_tls_context *)made)->name) { /* it is one that is there, whose callbacks are not these */
        weir__tls_holder_release(made);
        if (error)
            *error =
                weir_error_newf(UV_EINVAL, NULL, NULL, -1,
                                "%s: a new context cannot be one that is registered (\"context\")", weir__tls_name);
        return UV_EINVAL;
    }
    *context = made;
    return 0;
}

static int context_new(weir_runtime *runtime, const weir_tls_options *options, weir_tls_context **context,
                       weir_error **error)
{
    weir_tls_options known;
    int status = UV_EINVAL;

    weir_options_init(&known, sizeof(known));
    if (runtime && options && context)
        status = weir_options_take(&known, sizeof(known), options);
    if (status)
        return refuse(error, status);
    return make(runtime, known.role, &known, context, error);
}

static weir_tls_context *context_retain(weir_tls_context *context)
{
    return context ? weir__tls_holder_retain(context) : NULL;
}

static int context_register(weir_tls_context *context, const char *name)
{
    if (!context || (name && !*name))
        return UV_EINVAL;
    return weir__tls_holder_register(context, name);
}

static int context_reload(weir_tls_context *context, const weir_tls_options *options, weir_error **error)
{
    weir_tls_options known;
    weir_error *why = NULL;
    int status = context ? 0 : UV_EINVAL;

    weir_options_init(&known, sizeof(known));
    if (status == 0 && options)
        status = weir_options_take(&known, sizeof(known), options);
    if (status)
        return refuse(error, status);
    weir__tls_holder_retain(context); /* the program may give it up in any line of its log */
    status = weir__tls_holder_reload(context, options ? &known : NULL, &why);
    weir__tls_holder_release(context);
    if (error)
        *error = why;
    else
        weir_error_release(why);
    return status;
}

static void context_counters(const weir_tls_context *context, weir_tls_counters *counters)
{
    size_t size = counters->size < sizeof(*counters) ? counters->size : sizeof(*counters);

    memcpy(counters, &context->counters, size);
    counters->size = size;
}

/* ---- streams ---- */

static weir_tls_context *stream_context(weir_stream *stream)
{
    const tls_link *self = weir__tls_link_of(stream);

    return self ? self->holder : NULL;
}

static int stream_peer(weir_stream *stream, const void **der, size_t *size)
{
    tls_link *self = weir__tls_link_of(stream);

    if (!self || !self->session)
        return UV_ENOTCONN;
    return weir__tls_engine.peer_der(self->session, der, size);
}

static int stream_session(weir_stream *stream, void **session, size_t *size)
{
    tls_link *self = weir__tls_link_of(stream);

    if (!self || !self->session || self->role != WEIR_CLIENT)
        return UV_ENOTCONN;
    if (!self->fresh)
        return weir__tls_engine.session_get(self->session, session, size);
    *session = weir_malloc(self->fresh->size ? self->fresh->size : 1);
    if (!*session)
        return UV_ENOMEM;
    memcpy(*session, self->fresh->bytes, self->fresh->size);
    *size = self->fresh->size;
    return 0;
}

static int stream_set_session(weir_stream *stream, const void *session, size_t size)
{
    tls_link *self = weir__tls_link_of(stream);
    void *copy;

    if (!self || self->role != WEIR_CLIENT || weir__tls_gone(self))
        return UV_ENOTCONN;
    if (self->state != TLS_NEW)
        return UV_EALREADY;
    if ((size && !session) || size > TLS_SESSION_BLOB_MOST)
        return UV_EINVAL;
    copy = weir_malloc(size ? size : 1);
    if (!copy)
        return UV_ENOMEM;
    if (size)
        memcpy(copy, session, size);
    weir__tls_free_secret(self->offered, self->offered_size);
    self->offered = copy;
    self->offered_size = size;
    self->offered_set = 1;
    return 0;
}

static int stream_export(weir_stream *stream, const char *label, const void *context, size_t context_size, void *out,
                         size_t size)
{
    tls_link *self = weir__tls_link_of(stream);

    if (!label || !out || size == 0 || (!context && context_size > 0))
        return UV_EINVAL;
    if (!self || !self->session)
        return UV_ENOTCONN;
    return weir__tls_engine.export_keys(self->session, label, context, context_size, out, size);
}

/* ---- the table ---- */

static const weir_tls table = {
    .size = sizeof(weir_tls),
    .context_new = context_new,
    .context_retain = context_retain,
    .context_release = weir__tls_holder_release,
    .context_register = context_register,
    .context_reload = context_reload,
    .context_counters = context_counters,
    .stream_context = stream_context,
    .stream_peer = stream_peer,
    .stream_session = stream_session,
    .stream_set_session = stream_set_session,
    .stream_export = stream_export,
};

const void *weir__tls_interface(const char *name, unsigned version)
{
    if (strcmp(name, "tls") == 0)
        return version == WEIR_TLS_VERSION ? &table : NULL;
    return weir__tls_engine.interface ? weir__tls_engine.interface(name, version) : NULL;
}
