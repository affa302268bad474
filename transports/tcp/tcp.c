/* SPDX-License-Identifier: MIT */
/* The TCP transport: its tables, and links that connect: from a host to addresses, and on to the shared socket link. */
#define _GNU_SOURCE

#include "tcp.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include <weir/net.h>

#include "socket_connect.h"
#include "socket_error.h"
#include "socket_listener.h"
#include "tcp_schema.h"

#define HOST_DEFAULT "localhost" /* CONN-12 */

/* A link that connects; an accepted one is a socket_link alone. */
typedef struct tcp_link {
    socket_link socket;
    tcp_resolve *resolve;
} tcp_link;

static const tcp_context *context_of(const socket_link *socket)
{
    return (const tcp_context *)socket->context;
}

static const char *host_of(const tcp_context *tcp)
{
    return tcp->host ? tcp->host : HOST_DEFAULT;
}

size_t weir__tcp_format(const void *context, char *text, size_t size)
{
    const tcp_context *tcp = context;
    int bracket = tcp->host && strchr(tcp->host, ':') != NULL;
    int length = snprintf(text, size, "%s%s%s:%d", bracket ? "[" : "", tcp->host ? tcp->host : "", bracket ? "]" : "",
                          tcp->port);

    return length < 0 ? 0 : (size_t)length;
}

/* ---- names to addresses ---- */

static int selects_family(const socket_link *socket)
{
    const tcp_context *tcp = context_of(socket);

    return tcp->auto_select < 0 ? weir_default_auto_select_family(socket->runtime) : tcp->auto_select;
}

/* IPv6 and IPv4 in turn, IPv6 first, each in the resolver's order (CONN-27, A-10). */
static void order_answers(const weir_address *answers, size_t count, weir_address *ordered)
{
    static const weir_family families[2] = {WEIR_FAMILY_IPV6, WEIR_FAMILY_IPV4};
    size_t next[2] = {0, 0};
    size_t filled = 0;
    int turn;

    for (turn = 0; filled < count; turn = !turn) {
        while (next[turn] < count && answers[next[turn]].family != families[turn])
            next[turn]++;
        if (next[turn] < count)
            ordered[filled++] = answers[next[turn]++];
    }
}

/* Takes the error. */
static void fail_lookup(socket_link *socket, weir_error *error)
{
    weir_up_attempt(&socket->link, WEIR_EVENT_LOOKUP, NULL, error, host_of(context_of(socket)));
    weir__socket_link_fail(socket, error);
}

static void fail_lookup_code(socket_link *socket, int code)
{
    fail_lookup(socket, weir__tcp_resolve_error(code, host_of(context_of(socket))));
}

static void connect_to(socket_link *socket, const weir_address *addresses, size_t count)
{
    const tcp_context *tcp = context_of(socket);
    int64_t delay =
        tcp->attempt_delay ? tcp->attempt_delay : weir_default_auto_select_family_attempt_timeout(socket->runtime);
    char where[WEIR_ADDRESS_TEXT_SIZE];
    char what[WEIR_ADDRESS_TEXT_SIZE + 32];

    weir__tcp_format(tcp, where, sizeof(where));
    snprintf(what, sizeof(what), "connect " TCP_SCHEME "://%s%s", tcp->host ? "" : HOST_DEFAULT, where);
    weir__socket_connect_start(socket, addresses, count, (unsigned)delay, what);
}

/* IP addresses, at least one; their ports are not looked at. */
static void use_answers(socket_link *socket, const weir_address *answers, size_t count)
{
    const tcp_context *tcp = context_of(socket);
    weir_address *addresses = weir_calloc(count, sizeof(*addresses));
    size_t i;

    if (!addresses) {
        fail_lookup_code(socket, UV_ENOMEM);
        return;
    }
    if (!selects_family(socket))
        count = 1;
    order_answers(answers, count, addresses);
    /* SOCK-41: all of them before the first attempt. Any listener may end the connecting. */
    for (i = 0; i < count && !socket->closing; i++) {
        addresses[i].port = (uint16_t)tcp->port;
        weir_up_attempt(&socket->link, WEIR_EVENT_LOOKUP, &addresses[i], NULL, host_of(tcp));
    }
    if (!socket->closing)
        connect_to(socket, addresses, count);
    weir_free(addresses);
}

static int is_ip(const struct addrinfo *answer)
{
    return answer->ai_family == AF_INET || answer->ai_family == AF_INET6;
}

/* How many IP addresses a list has; `addresses`, where not NULL, gets them. */
static size_t take_answers(const struct addrinfo *list, weir_address *addresses)
{
    size_t count = 0;

    for (; list; list = list->ai_next) {
        if (is_ip(list) &&
            (!addresses || !weir_address_from_sockaddr(&addresses[count], list->ai_addr, list->ai_addrlen)))
            count++;
    }
    return count;
}

static void on_resolved(void *owner, int status, const struct addrinfo *list)
{
    tcp_link *link = owner;
    socket_link *socket = &link->socket;
    size_t most = take_answers(list, NULL);
    weir_address *answers;
    size_t count;

    link->resolve = NULL;
    if (status || !most) {
        fail_lookup_code(socket, status ? status : UV_EAI_NONAME);
        return;
    }
    answers = weir_calloc(most, sizeof(*answers));
    count = answers ? take_answers(list, answers) : 0;
    if (count)
        use_answers(socket, answers, count);
    else
        fail_lookup_code(socket, answers ? UV_EAI_NONAME : UV_ENOMEM);
    weir_free(answers);
}

/* What the application's own resolver says (CONN-18). */
static void on_looked_up(weir_link *link, const weir_error *error, const weir_address *addresses, size_t count)
{
    socket_link *socket = (socket_link *)link;

    if (error)
        fail_lookup(socket, weir_error_retain(error));
    else
        use_answers(socket, addresses, count);
}

/* ---- operations ---- */

static void look_up(tcp_link *opening)
{
    socket_link *socket = &opening->socket;
    const tcp_context *tcp = context_of(socket);
    weir_lookup_options options = {tcp->family, tcp->hints, selects_family(socket)};
    int status;

    if (!options.family && !options.hints)
        options.hints = AI_ADDRCONFIG; /* CONN-17 */
    status = weir_link_lookup(&socket->link, host_of(tcp), &options, on_looked_up);
    if (status > 0)
        return;
    if (!status)
        status = weir__tcp_resolve_start(socket->runtime, host_of(tcp), tcp->family, tcp->hints, on_resolved, opening,
                                         &opening->resolve);
    if (status)
        fail_lookup_code(socket, status);
}

static void open_link(weir_link *link)
{
    socket_link *socket = (socket_link *)link;
    const tcp_context *tcp = context_of(socket);
    weir_address address;
    int status;

    if (!weir_is_ip(host_of(tcp))) {
        look_up((tcp_link *)link);
        return;
    }
    status = weir_address_from_ip(&address, host_of(tcp), (uint16_t)tcp->port);
    if (status)
        fail_lookup_code(socket, status);
    else
        connect_to(socket, &address, 1);
}

/* Only a link that is not connected yet can be waiting for a name. */
static void stop_resolving(weir_link *link)
{
    tcp_link *opening = (tcp_link *)link;

    if (!opening->socket.connect || !opening->resolve)
        return;
    weir__tcp_resolve_cancel(opening->resolve);
    opening->resolve = NULL;
}

static void close_link(weir_link *link, weir_close_mode mode)
{
    stop_resolving(link);
    weir__socket_close(link, mode);
}

static void free_link(weir_link *link)
{
    stop_resolving(link);
    weir__socket_free(link);
}

/* ---- facts: SOCP-10 to SOCP-20 ---- */

static int local_address(int fd, weir_address *address)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);

    if (fd < 0 || getsockname(fd, (struct sockaddr *)&storage, &size))
        return UV_ENOTCONN;
    return weir_address_from_sockaddr(address, (struct sockaddr *)&storage, size);
}

static int remote_address(const socket_link *socket, weir_address *address)
{
    if (socket->remote.any.sa_family == AF_UNSPEC)
        return UV_ENOTCONN;
    return weir_address_from_sockaddr(address, &socket->remote.any, sizeof(socket->remote));
}

/* "Address", "Port" or "Family" of an address. */
static int part_of(const weir_address *address, const char *part, weir_value *value)
{
    memset(value, 0, sizeof(*value));
    if (strcmp(part, "Address") == 0) {
        value->type = WEIR_VALUE_ADDRESS;
        value->address = *address;
    } else if (strcmp(part, "Port") == 0) {
        value->type = WEIR_VALUE_NUMBER;
        value->number = address->port;
    } else {
        value->type = WEIR_VALUE_TEXT;
        value->text = weir_family_name(address->family);
    }
    return 0;
}

static int is_part(const char *part)
{
    return strcmp(part, "Address") == 0 || strcmp(part, "Port") == 0 || strcmp(part, "Family") == 0;
}

/* What was asked for by name, which a layer may have to find in the peer's certificate. */
static int host_fact(const tcp_context *tcp, weir_value *value)
{
    if (!tcp->connects)
        return UV_ENOENT;
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_TEXT;
    value->text = host_of(tcp);
    return 0;
}

static int fact(const socket_link *socket, int fd, const char *name, weir_value *value)
{
    weir_address address;
    const char *part;
    int status;

    if (strcmp(name, "host") == 0)
        return host_fact(context_of(socket), value);
    if (strncmp(name, "local", 5) == 0 && is_part(part = name + 5))
        status = local_address(fd, &address);
    else if (strncmp(name, "remote", 6) == 0 && is_part(part = name + 6))
        status = remote_address(socket, &address);
    else
        return UV_ENOENT;
    return status ? status : part_of(&address, part, value);
}

/* ---- descriptors made elsewhere ---- */

static const char *recognizes(int fd)
{
    int domain = weir__socket_domain(fd);
    int protocol = 0;
    socklen_t size = sizeof(protocol);

    if ((domain != AF_INET && domain != AF_INET6) || getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) ||
        (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP))
        return NULL;
    return domain == AF_INET ? "tcp4" : "tcp6";
}

static int adopt(void *context, weir_runtime *runtime, int fd, weir_link **link)
{
    const tcp_context *tcp = context;

    return weir__socket_link_adopt(&tcp->socket, runtime, fd, link);
}

/* ---- tables ---- */

static const weir_link_ops link_ops = {
    .size = sizeof(weir_link_ops),
    .name = TCP_SCHEME,
    .open = open_link,
    .read_start = weir__socket_read_start,
    .read_stop = weir__socket_read_stop,
    .try_write = weir__socket_try_write,
    .write = weir__socket_write,
    .shutdown = weir__socket_shutdown,
    .close = close_link,
    .get = weir__socket_get,
    .set = weir__socket_set,
    .ref = weir__socket_ref,
    .free = free_link,
};

const socket_kind weir__tcp_kind = {
    .scheme = TCP_SCHEME,
    .family = SOCKET_TCP,
    .ops = &link_ops,
    .attempts = 1,
    .resets = 1,
    .make = weir__tcp_make,
    .local = weir__tcp_local,
    .fact = fact,
};

static weir_link *create(void *context, weir_runtime *runtime)
{
    const tcp_context *tcp = context;

    return weir__socket_link_new(&tcp->socket, runtime, sizeof(tcp_link));
}

static const weir_transport transport = {
    .size = sizeof(weir_transport),
    .body = WEIR_BODY_HOST_PORT,
    .configure = weir__tcp_configure,
    .context_free = weir__tcp_context_free,
    .format = weir__tcp_format,
    .create = create,
    .acceptor_create = weir__tcp_acceptor_create,
    .listen = weir__tcp_listen,
    .accepting = weir__socket_listener_accepting,
    .address = weir__socket_listener_address,
    .export_fd = weir__socket_listener_export,
    .describe = weir__tcp_describe,
    .accept = weir__socket_listener_accept,
    .acceptor_ref = weir__socket_listener_ref,
    .acceptor_close = weir__tcp_acceptor_close,
    .acceptor_free = weir__socket_listener_free,
    .recognizes = recognizes,
    .adopt = adopt,
};

WEIR_PLUGIN(tcp) = {
    WEIR_PLUGIN_HEADER,   .name = TCP_SCHEME,      .version = WEIR_VERSION, .description = "TCP over IPv4 and IPv6",
    .schema = tcp_schema, .transport = &transport,
};
