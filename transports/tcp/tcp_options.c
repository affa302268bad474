/* SPDX-License-Identifier: MIT */
/* The options of a TCP endpoint, from JSON that the schema has passed to a context. */
#define _GNU_SOURCE

#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <uv.h>

#include "tcp.h"

#define ATTEMPT_DELAY_LEAST_MS 10 /* CONN-32 */

#define BACKLOG_DEFAULT 511 /* SRV-36 */

/* Of Linux, where <netdb.h> has the same ones. */
#define HINTS_KNOWN (AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG)

static int integer_of(const json_t *options, const char *name, int fallback)
{
    const json_t *value = json_object_get(options, name);

    return json_is_integer(value) ? (int)json_integer_value(value) : fallback;
}

static bool is_on(const json_t *options, const char *name)
{
    return json_is_true(json_object_get(options, name));
}

/* A copy of a text that is not empty. */
static int take_text(const json_t *options, const char *name, char **text)
{
    const char *given = json_string_value(json_object_get(options, name));
    size_t size;

    if (!given || !*given)
        return 0;
    size = strlen(given) + 1;
    *text = weir_malloc(size);
    if (!*text)
        return UV_ENOMEM;
    memcpy(*text, given, size);
    return 0;
}

static int64_t read_attempt_delay(const json_t *options)
{
    const json_t *value = json_object_get(options, "autoSelectFamilyAttemptTimeout");
    int64_t delay = value ? weir__socket_duration(value) : 0;

    return value && delay < ATTEMPT_DELAY_LEAST_MS ? ATTEMPT_DELAY_LEAST_MS : delay;
}

/* -1: not given. Where one family is asked for there is nothing to select (CONN-29). */
static int read_auto_select(const tcp_context *tcp, const json_t *options)
{
    const json_t *value = json_object_get(options, "autoSelectFamily");

    if (tcp->family)
        return 0;
    return value ? json_is_true(value) : -1;
}

/* CONN-13, CONN-29: a local address leaves one family, and then there is nothing to select. */
static int read_local(tcp_context *tcp, weir_configure *configure)
{
    const char *text = json_string_value(json_object_get(configure->options, "localAddress"));
    uint16_t port = (uint16_t)integer_of(configure->options, "localPort", 0);

    tcp->local.port = port;
    if (!text || !*text)
        return 0;
    if (weir_address_from_ip(&tcp->local, text, port)) {
        weir_configure_fault(configure, "/localAddress", "\"%s\" is not an IP address", text);
        return WEIR_EINVALID_CONFIG;
    }
    if (tcp->family == 0)
        tcp->family = (int)tcp->local.family;
    if (tcp->family == (int)tcp->local.family)
        return 0;
    weir_configure_fault(configure, "/localAddress", "\"%s\" is not of the family that is asked for, %d", text,
                         tcp->family);
    return WEIR_EINVALID_CONFIG;
}

static int check_port(tcp_context *tcp, weir_configure *configure)
{
    if (tcp->port >= 0)
        return 0;
    tcp->port = 0;
    if (configure->role == WEIR_SERVER || configure->adopts || configure->partial)
        return 0;                                                                        /* SRV-62 */
    weir_configure_fault(configure, "", "a port is missing: connecting needs \"port\""); /* CONN-10, CONN-11 */
    return WEIR_EINVALID_CONFIG;
}

static int check_hints(const tcp_context *tcp, weir_configure *configure)
{
    if (!(tcp->hints & ~HINTS_KNOWN))
        return 0;
    weir_configure_fault(configure, "/hints", "%d has bits that are none of %d (V4MAPPED), %d (ALL), %d (ADDRCONFIG)",
                         tcp->hints, AI_V4MAPPED, AI_ALL, AI_ADDRCONFIG);
    return WEIR_EINVALID_CONFIG;
}

static int check_device(const tcp_context *tcp, weir_configure *configure)
{
    if (!tcp->device || strlen(tcp->device) < IFNAMSIZ)
        return 0;
    weir_configure_fault(configure, "/bindToDevice", "\"%s\" is too long for the name of an interface", tcp->device);
    return WEIR_EINVALID_CONFIG;
}

/* Every fault is reported, not only the first. */
static int read_options(tcp_context *tcp, weir_configure *configure)
{
    const json_t *options = configure->options;
    int status = 0;

    tcp->port = integer_of(options, "port", -1);
    tcp->family = integer_of(options, "family", 0);
    tcp->hints = integer_of(options, "hints", 0);
    tcp->backlog = integer_of(options, "backlog", BACKLOG_DEFAULT);
    tcp->ipv6_only = is_on(options, "ipv6Only");
    tcp->reuse_port = is_on(options, "reusePort");
    tcp->free_bind = is_on(options, "freeBind");
    tcp->fast_open = is_on(options, "fastOpen");
    tcp->mptcp = is_on(options, "mptcp");
    tcp->connects = configure->role == WEIR_CLIENT && !configure->adopts;
    status |= check_port(tcp, configure);
    status |= check_hints(tcp, configure);
    status |= check_device(tcp, configure);
    status |= read_local(tcp, configure);
    weir__socket_settings_read(&tcp->socket.settings, options, SOCKET_TCP);
    tcp->auto_select = read_auto_select(tcp, options);
    tcp->attempt_delay = read_attempt_delay(options);
    return status ? WEIR_EINVALID_CONFIG : 0;
}

int weir__tcp_configure(weir_configure *configure, void **context)
{
    tcp_context *tcp = weir_calloc(1, sizeof(*tcp));
    int status;

    if (!tcp)
        return UV_ENOMEM;
    tcp->socket.kind = &weir__tcp_kind;
    weir__socket_settings_init(&tcp->socket.settings);
    status = take_text(configure->options, "host", &tcp->host);
    if (!status)
        status = take_text(configure->options, "bindToDevice", &tcp->device);
    if (!status)
        status = read_options(tcp, configure);
    if (status) {
        weir__tcp_context_free(tcp);
        return status;
    }
    *context = tcp;
    return 0;
}

void weir__tcp_context_free(void *context)
{
    tcp_context *tcp = context;

    weir_free(tcp->host);
    weir_free(tcp->device);
    weir_free(tcp);
}
