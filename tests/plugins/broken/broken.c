/* SPDX-License-Identifier: MIT */
/*
 * A plugin that does nothing, and of which the build makes many: a sound one, and one for everything that a plugin can
 * have wrong. What is wrong is given as a definition; the members' names are those of weir_plugin.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <uv.h>

#include <weir/handler.h>
#include <weir/layer.h>
#include <weir/transport.h>

#include "record.h"

/* What one of the variants leaves out. */
#define SOMETIMES __attribute__((unused))

#ifndef BROKEN_NAME
#define BROKEN_NAME BROKEN_FILE
#endif
#ifndef BROKEN_DESCRIPTION
#define BROKEN_DESCRIPTION "does nothing, for tests"
#endif
#ifndef BROKEN_SCHEMA
#define BROKEN_SCHEMA "{\"type\": \"object\", \"properties\": {\"size\": {\"type\": \"integer\"}}}"
#endif

#ifdef BROKEN_CHANGES_ITSELF
/* Between the look at the file and the look at what was loaded from it. */
__attribute__((constructor)) static void change(void)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    const char *path = getenv("WEIR_TEST_CHANGE");
    if (path)
        utimensat(AT_FDCWD, path, times, 0);
}
#endif

typedef struct instance {
    record *seen;
} instance;

static int start(weir_runtime *runtime, void **made, weir_error **error)
{
    record *seen = weir_runtime_data(runtime);
#ifdef BROKEN_INIT_CODE
    (void)made;
    (void)error;
    if (seen)
        seen->inits++;
#ifdef BROKEN_INIT_MESSAGE
    *error = weir_error_newf(BROKEN_INIT_CODE, NULL, NULL, -1, "%s", BROKEN_INIT_MESSAGE);
#endif
    return BROKEN_INIT_CODE;
#else
#ifdef BROKEN_INIT_LOADS
    int status = weir_runtime_load_plugin(runtime, BROKEN_INIT_LOADS, NULL, error);
    if (status != 0)
        return status;
#else
    (void)error;
#endif
    instance *mine = weir_calloc(1, sizeof(*mine));
    if (!mine)
        return UV_ENOMEM;
    mine->seen = seen;
    if (seen) {
        seen->inits++;
        seen->instances++;
    }
    *made = mine;
    return 0;
#endif
}

static void end(weir_runtime *runtime, void *made)
{
    instance *mine = made;
    (void)runtime;
    if (mine->seen) {
        if (mine->seen->exits < 8)
            mine->seen->order[mine->seen->exits] = BROKEN_NAME;
        mine->seen->exits++;
        mine->seen->instances--;
    }
    weir_free(mine);
}

static int configure(weir_configure *with, void **context)
{
    weir_configure_fault(with, "", "nothing can be made of it");
    *context = NULL;
    return WEIR_EINVALID_CONFIG;
}

static void context_free(void *context)
{
    (void)context;
}

SOMETIMES static size_t format(const void *context, char *text, size_t size)
{
    (void)context;
    return (size_t)snprintf(text, size, "nowhere");
}

static weir_link *transport_create(void *context, weir_runtime *runtime)
{
    (void)context;
    (void)runtime;
    return NULL;
}

SOMETIMES static weir_link *layer_create(void *context, weir_runtime *runtime, weir_role role)
{
    (void)context;
    (void)runtime;
    (void)role;
    return NULL;
}

SOMETIMES static void connection(void *context, weir_stream *stream)
{
    (void)context;
    weir_stream_destroy(stream, NULL);
}

SOMETIMES static const weir_transport transport = {
#ifdef BROKEN_TRANSPORT_SIZE
    .size = BROKEN_TRANSPORT_SIZE,
#else
    .size = sizeof(weir_transport),
#endif
#ifdef BROKEN_TRANSPORT_BODY
    .body = (weir_body)BROKEN_TRANSPORT_BODY,
#else
    .body = WEIR_BODY_NONE,
#endif
    .configure = configure,
    .context_free = context_free,
#ifndef BROKEN_TRANSPORT_FORMAT
    .format = format,
#endif
    .create = transport_create,
};

static const weir_layer layer = {
#ifdef BROKEN_LAYER_SIZE
    .size = BROKEN_LAYER_SIZE,
#else
    .size = sizeof(weir_layer),
#endif
    .configure = configure,
    .context_free = context_free,
#ifndef BROKEN_LAYER_CREATE
    .create = layer_create,
#endif
};

static const weir_handler handler = {
#ifdef BROKEN_HANDLER_SIZE
    .size = BROKEN_HANDLER_SIZE,
#else
    .size = sizeof(weir_handler),
#endif
    .configure = configure,
    .context_free = context_free,
#ifndef BROKEN_HANDLER_CONNECTION
    .connection = connection,
#endif
};

#ifdef BROKEN_SECOND
SOMETIMES static const char *second_version(void)
{
    return "9.9.9";
}
SOMETIMES static json_t *second_object(void)
{
    return NULL;
}
#endif

#ifdef BROKEN_TRANSPORT_LISTENS
static void half_listen(weir_acceptor *acceptor, int fd)
{
    (void)fd;
    weir_acceptor_closed(acceptor);
}
static const weir_transport half = {.size = sizeof(weir_transport),
                                    .configure = configure,
                                    .context_free = context_free,
                                    .format = format,
                                    .create = transport_create,
                                    .listen = half_listen};
#define TRANSPORT half
#else
#define TRANSPORT transport
#endif

#ifdef BROKEN_UNDEFINED
extern int weir_of_the_future(void);
#endif

#ifndef BROKEN_STAMPS
#define BROKEN_STAMPS WEIR_PLUGIN_STAMPS
#endif
#ifndef BROKEN_ABI_MAJOR
#define BROKEN_ABI_MAJOR WEIR_PLUGIN_ABI_MAJOR
#endif
#ifndef BROKEN_ABI_MINOR
#define BROKEN_ABI_MINOR WEIR_PLUGIN_ABI_MINOR
#endif
#ifndef BROKEN_SIZE
#define BROKEN_SIZE sizeof(weir_plugin)
#endif

WEIR_PLUGIN(broken) = {
    .abi_major = BROKEN_ABI_MAJOR,
    .abi_minor = BROKEN_ABI_MINOR,
    .size = BROKEN_SIZE,
    .stamps = BROKEN_STAMPS,
    .name = BROKEN_NAME,
    .version = "1.0.0",
    .description = BROKEN_DESCRIPTION,
    .schema = BROKEN_SCHEMA,
    .init = start,
    .exit = end,
    .transport = &TRANSPORT,
    .layer = &layer,
    .handler = &handler,
};

#ifdef BROKEN_UNDEFINED
/* Something that is called, in whatever way the plugin is built. */
WEIR_EXPORT int broken_call(void);
int broken_call(void)
{
    return weir_of_the_future();
}
#endif
