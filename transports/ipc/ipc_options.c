/* SPDX-License-Identifier: MIT */
/* The options of an endpoint over a unix socket, from JSON that the schema has passed to a context. */
#define _GNU_SOURCE

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "ipc.h"

#define BACKLOG_DEFAULT 511 /* SRV-36 */

static int fault(weir_configure *configure, const char *pointer, const char *text)
{
    weir_configure_fault(configure, pointer, "%s", text);
    return WEIR_EINVALID_CONFIG;
}

static bool is_on(const json_t *options, const char *name)
{
    return json_is_true(json_object_get(options, name));
}

/* ---- the path ---- */

static int digit_of(char sign)
{
    if (sign >= '0' && sign <= '9')
        return sign - '0';
    if (sign >= 'a' && sign <= 'f')
        return sign - 'a' + 10;
    if (sign >= 'A' && sign <= 'F')
        return sign - 'A' + 10;
    return -1;
}

/* %XX to bytes, into `bytes` with room for all of the text and a NUL. The length, or -1: not well-formed. */
static ssize_t decode(const char *text, size_t length, char *bytes)
{
    size_t count = 0;
    size_t i;

    for (i = 0; i < length; i++) {
        int high = 0;
        int low = 0;

        if (text[i] != '%') {
            bytes[count++] = text[i];
            continue;
        }
        if (length - i >= 3) {
            high = digit_of(text[i + 1]);
            low = digit_of(text[i + 2]);
        }
        if (length - i < 3 || high < 0 || low < 0)
            return -1;
        bytes[count++] = (char)(high * 16 + low);
        i += 2;
    }
    bytes[count] = '\0';
    return (ssize_t)count;
}

/* What a socket's name has no room for is cut if that was asked for, and refused otherwise (BN-12, PATH-05). */
static int fit(weir_configure *configure, const char *what, size_t *length)
{
    if (*length > WEIR_PATH_MAX && !is_on(configure->options, "truncatePath") && !configure->partial) {
        weir_configure_fault(configure, "/path",
                             "%s (%s); %s has %zu bytes, the name of a socket at most %d: shorten it, or cut it with "
                             "truncatePath",
                             weir_error_text(UV_ENAMETOOLONG), weir_error_name(UV_ENAMETOOLONG), what, *length,
                             WEIR_PATH_MAX);
        return WEIR_EINVALID_CONFIG;
    }
    if (*length > WEIR_PATH_MAX)
        *length = WEIR_PATH_MAX;
    return 0;
}

static int set_abstract(ipc_context *ipc, weir_configure *configure, const char *name, size_t length)
{
    if (!length)
        return fault(configure, "/path", "a name must follow the @ of an abstract socket");
    if (ipc->readable_all || ipc->writable_all || ipc->mode >= 0 || ipc->user >= 0 || ipc->group >= 0)
        return fault(
            configure, "/path",
            "an abstract socket is no file: mode, user, group, readableAll and writableAll mean nothing to it");
    if (fit(configure, "the abstract name", &length))
        return WEIR_EINVALID_CONFIG;
    return weir_address_from_path(&ipc->address, name, length, 1);
}

/* Relative to where we are already: then the path is left as it was given, for it may be short only so (PATH-03). */
static bool is_here(const char *folder)
{
    char here[PATH_MAX];

    return getcwd(here, sizeof(here)) && strcmp(here, folder) == 0;
}

static int set_file(ipc_context *ipc, weir_configure *configure, const char *path, size_t length)
{
    if (memchr(path, '\0', length))
        return fault(configure, "/path", "a file's path cannot have a NUL in it");
    if (*path != '/' && is_here(configure->folder)) {
        ipc->path = weir_malloc(length + 1);
        if (ipc->path)
            memcpy(ipc->path, path, length + 1);
    } else {
        ipc->path = weir_configure_path(configure, path);
    }
    if (!ipc->path)
        return UV_ENOMEM;
    length = strlen(ipc->path);
    if (fit(configure, "the path", &length))
        return WEIR_EINVALID_CONFIG;
    ipc->path[length] = '\0';
    return weir_address_from_path(&ipc->address, ipc->path, length, 0);
}

static int read_path(ipc_context *ipc, weir_configure *configure)
{
    const json_t *value = json_object_get(configure->options, "path");
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    int abstract = length && (*text == '@' || *text == '\0'); /* PATH-11 has the NUL, BN-13 the @ */
    ssize_t count;
    char *bytes;
    int status;

    if (!length) /* the schema wants one, but was not asked: a descriptor has a name, or none */
        return 0;
    bytes = weir_malloc(length + 1);
    if (!bytes)
        return UV_ENOMEM;
    count = decode(text + abstract, length - (size_t)abstract, bytes);
    if (count < 0)
        status = fault(configure, "/path", "two hexadecimal digits must follow a %; a percent sign itself is %25");
    else if (abstract)
        status = set_abstract(ipc, configure, bytes, (size_t)count);
    else
        status = set_file(ipc, configure, bytes, (size_t)count);
    weir_free(bytes);
    return status;
}

/* ---- all of them ---- */

static int worse(int status, int other)
{
    return status == UV_ENOMEM || other == UV_ENOMEM ? UV_ENOMEM : status ? status : other;
}

static int read_options(ipc_context *ipc, weir_configure *configure)
{
    const json_t *options = configure->options;
    const json_t *backlog = json_object_get(options, "backlog");
    const char *mode = json_string_value(json_object_get(options, "mode"));
    int status = 0;

    ipc->backlog = json_is_integer(backlog) ? (int)json_integer_value(backlog) : BACKLOG_DEFAULT;
    ipc->mode = mode ? (int)strtol(mode, NULL, 8) & 0777 : -1;
    ipc->readable_all = is_on(options, "readableAll");
    ipc->writable_all = is_on(options, "writableAll");
    ipc->unlink_stale = is_on(options, "unlinkStale");
    ipc->unlink_on_close = !json_is_false(json_object_get(options, "unlinkOnClose"));
    status = worse(status, weir__ipc_read_owner(configure, false, &ipc->user));
    status = worse(status, weir__ipc_read_owner(configure, true, &ipc->group));
    status = worse(status, weir__ipc_read_list(configure, false, &ipc->users));
    status = worse(status, weir__ipc_read_list(configure, true, &ipc->groups));
    weir__socket_settings_read(&ipc->socket.settings, options, SOCKET_IPC);
    return worse(status, read_path(ipc, configure));
}

int weir__ipc_configure(weir_configure *configure, void **context)
{
    ipc_context *ipc = weir_calloc(1, sizeof(*ipc));
    int status;

    if (!ipc)
        return UV_ENOMEM;
    ipc->socket.kind = &weir__ipc_kind;
    weir__socket_settings_init(&ipc->socket.settings);
    status = read_options(ipc, configure);
    if (status) {
        weir__ipc_context_free(ipc);
        return status;
    }
    *context = ipc;
    return 0;
}

void weir__ipc_context_free(void *context)
{
    ipc_context *ipc = context;

    weir_free(ipc->path);
    weir_free(ipc->users.ids);
    weir_free(ipc->groups.ids);
    weir_free(ipc);
}
