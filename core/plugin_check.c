/* SPDX-License-Identifier: MIT */
/* Whether a plugin's tables are such that this weir can use them: the checks that need no file. */
#define _GNU_SOURCE

#include "plugin_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include <weir/handler.h>
#include <weir/layer.h>
#include <weir/transport.h>

#include "faults.h"

#define NAME_MOST 64

/* A member that must not be NULL: all pointers, to data and to functions, have one form on what weir runs on. */
typedef struct {
    size_t offset;
    const char *name;
} member;

#define MEMBER(type, name)          \
    {                               \
        offsetof(type, name), #name \
    }

static const member transport_members[] = {
    MEMBER(weir_transport, configure),
    MEMBER(weir_transport, context_free),
    MEMBER(weir_transport, format),
    MEMBER(weir_transport, create),
};

/* All or none: a transport that listens needs every one of them. */
static const member listening_members[] = {
    MEMBER(weir_transport, acceptor_create), MEMBER(weir_transport, listen),
    MEMBER(weir_transport, accepting),       MEMBER(weir_transport, address),
    MEMBER(weir_transport, accept),          MEMBER(weir_transport, acceptor_ref),
    MEMBER(weir_transport, acceptor_close),  MEMBER(weir_transport, acceptor_free),
};

static const member layer_members[] = {
    MEMBER(weir_layer, configure),
    MEMBER(weir_layer, context_free),
    MEMBER(weir_layer, create),
};

static const member handler_members[] = {
    MEMBER(weir_handler, configure),
    MEMBER(weir_handler, context_free),
    MEMBER(weir_handler, connection),
};

static const member bottom_ops[] = {
    MEMBER(weir_link_ops, open),  MEMBER(weir_link_ops, read_start), MEMBER(weir_link_ops, read_stop),
    MEMBER(weir_link_ops, write), MEMBER(weir_link_ops, shutdown),   MEMBER(weir_link_ops, close),
    MEMBER(weir_link_ops, free),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int weir__plugin_refuse(weir_error **error, int code, const char *where, const char *format, ...)
{
    char text[WEIR__MESSAGE_SIZE];
    weir__message message;
    if (!error)
        return code;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    /* Paths and what a plugin says of itself may hold anything; the refusal stays one line. */
    weir__message_start(&message);
    weir__message_plain(&message, where, strlen(where));
    weir__message_add(&message, ": ");
    weir__message_plain(&message, text, strlen(text));
    *error = weir_error_newf(code, NULL, where, -1, "%s", message.text);
    return (*error)->code; /* UV_ENOMEM without memory for the message */
}

bool weir__plugin_name_valid(const char *name)
{
    size_t length = strnlen(name, NAME_MOST + 1);
    if (length == 0 || length > NAME_MOST || name[0] < 'a' || name[0] > 'z')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* By minor: how long the struct is in that version of the ABI. A minor that appends a member appends a line. */
static const size_t plugin_sizes[] = {sizeof(weir_plugin)};
_Static_assert(sizeof(plugin_sizes) / sizeof(plugin_sizes[0]) == WEIR_PLUGIN_ABI_MINOR + 1, "a size for every minor");

int weir__plugin_check_abi(uint32_t major, uint32_t minor, size_t size, const char *where, weir_error **error)
{
    if (major != WEIR_PLUGIN_ABI_MAJOR)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where, "built for plugin ABI %u, this weir speaks %u",
                                   (unsigned)major, (unsigned)WEIR_PLUGIN_ABI_MAJOR);
    if (minor > WEIR_PLUGIN_ABI_MINOR)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                   "built for plugin ABI %u.%u, this weir speaks %u.%u: update weir, or build the "
                                   "plugin with this weir's headers",
                                   (unsigned)major, (unsigned)minor, (unsigned)WEIR_PLUGIN_ABI_MAJOR,
                                   (unsigned)WEIR_PLUGIN_ABI_MINOR);
    if (size != plugin_sizes[minor])
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                   "its weir_plugin has a size of %zu, plugin ABI %u.%u has %zu: begin it with "
                                   "WEIR_PLUGIN_HEADER and build it anew",
                                   size, (unsigned)major, (unsigned)minor, plugin_sizes[minor]);
    return 0;
}

static int check_texts(const weir_plugin *plugin, const char *where, weir_error **error)
{
    static const member texts[] = {
        MEMBER(weir_plugin, name),
        MEMBER(weir_plugin, version),
        MEMBER(weir_plugin, description),
        MEMBER(weir_plugin, schema),
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text;
        memcpy(&text, (const char *)plugin + texts[i].offset, sizeof(text));
        if (!text || !text[0])
            return weir__plugin_refuse(error, WEIR_EPLUGIN, where, "its weir_plugin has no %s", texts[i].name);
    }
    if (!weir__plugin_name_valid(plugin->name))
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                   "its name \"%.*s\" is none: a plugin's name is [a-z][a-z0-9-]*, at most %d "
                                   "characters",
                                   NAME_MOST, plugin->name, NAME_MOST);
    /* What an endpoint's object calls something else can be no component there. */
    if (strcmp(plugin->name, "layers") == 0 || strcmp(plugin->name, "stream") == 0)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                   "its name \"%s\" is a reserved word of endpoints: call it something else",
                                   plugin->name);
    return 0;
}

/* ---- the libraries it is bound to ---- */

typedef struct {
    const char *library;
    bool same;      /* it is the one that libweir uses */
    unsigned built; /* major << 16 | minor << 8 | patch */
    unsigned present;
} binding;

static unsigned jansson_present(void)
{
    const char *text = jansson_version_str();
    char *rest;
    unsigned long major = strtoul(text, &rest, 10);
    unsigned long minor = *rest == '.' ? strtoul(rest + 1, &rest, 10) : 0;
    unsigned long micro = *rest == '.' ? strtoul(rest + 1, &rest, 10) : 0;
    return (unsigned)(major << 16 | minor << 8 | micro);
}

static int check_binding(const binding *bound, const char *where, weir_error **error)
{
    char built[32], present[32];
    if (!bound->same)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                   "brings a second %s into the process: link the plugin to the shared %s that this "
                                   "program uses",
                                   bound->library, bound->library);
    snprintf(built, sizeof(built), "%u.%u.%u", bound->built >> 16, bound->built >> 8 & 0xFF, bound->built & 0xFF);
    snprintf(present, sizeof(present), "%u.%u.%u", bound->present >> 16, bound->present >> 8 & 0xFF,
             bound->present & 0xFF);
    if (bound->built > bound->present)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                   "built with %s %s, this process has only %s: update %s, or build the plugin here",
                                   bound->library, built, present, bound->library);
    if (bound->built >> 16 != bound->present >> 16)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                   "built with %s %s, this process has %s: build the plugin anew", bound->library,
                                   built, present);
    return 0;
}

static int check_stamps(const weir_plugin_stamps *stamps, const char *where, weir_error **error)
{
    const binding bindings[] = {
        {"libweir", stamps->weir_version_address == weir_version, stamps->weir_version,
         WEIR_VERSION_MAJOR << 16 | WEIR_VERSION_MINOR << 8 | WEIR_VERSION_PATCH},
        {"libuv", stamps->uv_version_address == uv_version_string, stamps->uv_version, uv_version()},
        {"Jansson", stamps->jansson_address == json_object, stamps->jansson_version, jansson_present()},
    };
    int status = 0;
    for (size_t i = 0; i < COUNT(bindings) && status == 0; i++)
        status = check_binding(&bindings[i], where, error);
    return status;
}

/* ---- the tables ---- */

static bool has(const void *table, const member *wanted)
{
    void (*value)(void);
    memcpy(&value, (const char *)table + wanted->offset, sizeof(value));
    return value != NULL;
}

static const char *first_missing(const void *table, const member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!has(table, &members[i]))
            return members[i].name;
    return NULL;
}

/* `least`: how long the table was at first; what was appended since may be missing. */
static int check_table(const char *kind, const void *table, size_t least, size_t size, const member *members,
                       size_t count, const char *where, weir_error **error)
{
    size_t said;
    memcpy(&said, table, sizeof(said)); /* every table begins with its size */
    if (said < least || said > size)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                   "its weir_%s has a size of %zu, plugin ABI %u.%u has %zu: set .size = "
                                   "sizeof(weir_%s) and build it anew",
                                   kind, said, (unsigned)WEIR_PLUGIN_ABI_MAJOR, (unsigned)WEIR_PLUGIN_ABI_MINOR, size,
                                   kind);
    const char *missing = first_missing(table, members, count);
    if (missing)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where, "its weir_%s has no %s", kind, missing);
    return 0;
}

static int check_transport(const weir_transport *transport, const char *where, weir_error **error)
{
    int status = check_table("transport", transport, offsetof(weir_transport, recognizes), sizeof(*transport),
                             transport_members, COUNT(transport_members), where, error);
    if (status != 0)
        return status;
    if ((int)transport->body < WEIR_BODY_NONE || (int)transport->body > WEIR_BODY_PATH)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, where, "its weir_transport has no body of that number: %d",
                                   (int)transport->body);
    const char *missing = first_missing(transport, listening_members, COUNT(listening_members));
    for (size_t i = 0; i < COUNT(listening_members) && missing; i++)
        if (has(transport, &listening_members[i]))
            return weir__plugin_refuse(error, WEIR_EPLUGIN, where,
                                       "its weir_transport has %s but no %s: one that listens needs both, one that "
                                       "only connects neither",
                                       listening_members[i].name, missing);
    return 0;
}

int weir__plugin_check(const weir_plugin *plugin, const char *where, weir_error **error)
{
    int status = weir__plugin_check_abi(plugin->abi_major, plugin->abi_minor, plugin->size, where, error);
    if (status == 0)
        status = check_texts(plugin, where, error);
    if (status == 0)
        status = check_stamps(&plugin->stamps, where, error);
    if (status == 0 && plugin->transport)
        status = check_transport(plugin->transport, where, error);
    if (status == 0 && plugin->layer)
        status = check_table("layer", plugin->layer, sizeof(weir_layer), sizeof(weir_layer), layer_members,
                             COUNT(layer_members), where, error);
    if (status == 0 && plugin->handler)
        status = check_table("handler", plugin->handler, sizeof(weir_handler), sizeof(weir_handler), handler_members,
                             COUNT(handler_members), where, error);
    return status;
}

const char *weir__link_ops_missing(const weir_link_ops *ops, bool transport)
{
    if (!ops)
        return "ops";
    if (ops->size != sizeof(*ops))
        return "size";
    if (!ops->name)
        return "name";
    /* In a layer every operation may be left out: it is passed through. */
    if (transport)
        return first_missing(ops, bottom_ops, COUNT(bottom_ops));
    return ops->free ? NULL : "free";
}

const char *weir__plugin_kinds(const weir_plugin *plugin)
{
    static const char *const kinds[] = {
        "",        "transport",          "layer",          "transport, layer",
        "handler", "transport, handler", "layer, handler", "transport, layer, handler",
    };
    return kinds[(plugin->transport ? 1 : 0) | (plugin->layer ? 2 : 0) | (plugin->handler ? 4 : 0)];
}
