/* SPDX-License-Identifier: MIT */
/* Descriptors that cross weir's border: streams and endpoints for those made elsewhere, and duplicates given away. */
#define _GNU_SOURCE

#include "adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <weir/net.h>

#include "component.h"
#include "memory.h"
#include "plugin_registry.h"
#include "stream_private.h"

/* ---- whose it is ---- */

/* What the transport calls it, or NULL. A table from before there were descriptors may end earlier. */
static const char *type_by(const weir_plugin *plugin, int fd)
{
    const weir_transport *transport = plugin->transport;
    if (transport == NULL || transport->size < offsetof(weir_transport, adopt) + sizeof(transport->adopt) ||
        transport->recognizes == NULL || transport->adopt == NULL) {
        return NULL;
    }
    return transport->recognizes(fd);
}

/* Those that run are asked first: a stranger's may know better. */
static const weir__loaded *find_running(const weir_runtime *runtime, int fd, const char **type)
{
    for (const weir__loaded *loaded = weir__registry_newest(runtime); loaded != NULL; loaded = loaded->earlier) {
        *type = type_by(loaded->plugin, fd);
        if (*type != NULL) {
            return loaded;
        }
    }
    return NULL;
}

static int is_socket(int fd)
{
    struct stat found;
    return fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode);
}

/* The transports that Node knows (weir/net.h). */
static int find_by_name(weir_runtime *runtime, int fd, const weir__loaded **found, const char **type)
{
    static const char *const names[] = {"tcp", "ipc"};
    int status = WEIR_EINVALIDFDTYPE;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        weir__loaded *loaded = NULL;
        int loading = weir__registry_find(runtime, names[i], &loaded, NULL);
        if (loading != 0) {
            status = loading; /* it might have been this one's */
            continue;
        }
        *type = type_by(loaded->plugin, fd);
        if (*type != NULL) {
            *found = loaded;
            return 0;
        }
    }
    return status;
}

static int find_transport(weir_runtime *runtime, int fd, const weir__loaded **found, const char **type)
{
    if (fcntl(fd, F_GETFD) < 0) {
        return UV_EBADF;
    }
    *found = find_running(runtime, fd, type);
    if (*found != NULL) {
        return 0;
    }
    return is_socket(fd) ? find_by_name(runtime, fd, found, type) : WEIR_EINVALIDFDTYPE;
}

/* ---- an endpoint for it ---- */

static int make_endpoint(weir_runtime *runtime, const weir__loaded *found, weir_role role, const json_t *options,
                         weir_endpoint **made)
{
    weir_endpoint *endpoint = weir__calloc(1, sizeof(*endpoint));
    char *folder = weir__folder_absolute(NULL);
    weir__faults faults = {0};
    weir__place place = {.runtime = runtime, .folder = folder, .faults = &faults};
    int status = endpoint != NULL && folder != NULL
                     ? weir__component_adopt(&place, found, options, role, &endpoint->transport)
                     : UV_ENOMEM;
    weir__faults_free(&faults);
    weir__free(folder);
    if (status != 0) {
        weir__free(endpoint);
        return status;
    }
    endpoint->refs = 1;
    endpoint->runtime = runtime;
    endpoint->role = role;
    *made = endpoint;
    return 0;
}

int weir__endpoint_of_descriptor(weir_runtime *runtime, int fd, weir_role role, const json_t *options,
                                 weir_endpoint **endpoint, const char **type)
{
    const weir__loaded *found = NULL;
    const char *found_type = NULL;
    *endpoint = NULL;
    int status = find_transport(runtime, fd, &found, &found_type);
    if (status == 0 && role == WEIR_SERVER && found->plugin->transport->acceptor_create == NULL) {
        status = UV_ENOTSUP;
    }
    if (status == 0) {
        status = make_endpoint(runtime, found, role, options, endpoint);
    }
    if (status == 0 && type != NULL) {
        *type = found_type;
    }
    return status;
}

/* ---- a stream around it ---- */

/* 0 with the stream's bottom link, open; otherwise the descriptor is as it was. */
static int make_link(weir_stream *stream, int fd, const char *wanted)
{
    weir_link *link = NULL;
    const char *type = NULL;
    int status = weir__endpoint_of_descriptor(stream->runtime, fd, WEIR_CLIENT, NULL, &stream->endpoint, &type);
    if (status != 0) {
        return status;
    }
    if (wanted != NULL && strcmp(wanted, type) != 0) { /* SOCK-06 */
        return WEIR_EINVALIDFDTYPE;
    }
    const weir__component *component = &stream->endpoint->transport;
    status = component->plugin->transport->adopt(component->context, stream->runtime, fd, &link);
    if (status == 0) {
        status = weir__link_check(stream->runtime, component->plugin, link, 1);
    }
    if (status == 0) {
        weir__link_attach(stream, link);
    }
    return status;
}

static int may_adopt(const weir_runtime *runtime, int fd)
{
    if (runtime == NULL) {
        return UV_EINVAL;
    }
    if (runtime->ending) {
        return UV_ECANCELED;
    }
    return fd < 0 ? WEIR_EOUTOFRANGE : 0;
}

weir_stream *weir_stream_adopt(weir_runtime *runtime, int fd, const weir_adopt_options *adopt,
                               const weir_stream_options *options, int *error)
{
    weir_adopt_options known;
    weir_options_init(&known, sizeof(known)); /* both ways */
    int status = may_adopt(runtime, fd);
    if (status == 0 && adopt != NULL) {
        status = weir_options_take(&known, sizeof(known), adopt);
    }
    weir_stream *stream = status == 0 ? weir__stream_make(runtime, options) : NULL;
    if (status == 0) {
        status = stream == NULL ? weir__stream_refusal(runtime, options) : make_link(stream, fd, known.type);
    }
    if (status == 0) {
        int both = !known.readable == !known.writable;
        weir__stream_adopted(stream, both || known.readable, both || known.writable);
        weir__stream_heed_signal(stream);
    } else {
        weir_stream_release(stream);
        stream = NULL;
    }
    if (error != NULL) {
        *error = status;
    }
    return stream;
}

/* ---- given away ---- */

int weir_stream_export_fd(const weir_stream *stream)
{
    weir_value value;
    if (stream == NULL || stream->top == NULL || weir__stream_is_destroyed(stream)) {
        return UV_ENOTCONN;
    }
    int status = weir__links_get(stream, "fd", &value);
    if (status != 0) {
        return status == UV_ENOENT ? UV_ENOTSUP : status;
    }
    int fd = fcntl((int)value.number, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? uv_translate_sys_error(errno) : fd;
}
