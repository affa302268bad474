/* SPDX-License-Identifier: MIT */
/* The options of a socket: one table says for each what it is called, where it is kept and how the kernel is told. */
#define _GNU_SOURCE

#include "socket_options.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

/* What Node sets whenever keep-alive is switched on and nothing else was asked for (SOCM-35, A-19). */
#define KEEP_ALIVE_COUNT       10
#define KEEP_ALIVE_INTERVAL_MS 1000

typedef struct socket_option {
    const char *name;
    size_t place; /* in socket_settings */
    weir_value_type type;
    int least;
    int most;
    int families; /* socket_family, ored */
    int level;    /* of setsockopt */
    int option;
    int unit; /* what the kernel counts in: 1, or 1000 for seconds */
    /* Where one setsockopt is not all of it. */
    int (*put)(const socket_settings *settings, int fd, int value);
    int (*take)(int fd, int *value);
} socket_option;

static int put_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) ? uv_translate_sys_error(errno) : 0;
}

static int take_int(int fd, int level, int option, int *value)
{
    socklen_t size = sizeof(*value);

    return getsockopt(fd, level, option, value, &size) ? uv_translate_sys_error(errno) : 0;
}

/* The kernel counts seconds: cut, but never down to 0, which would mean something else. */
static int seconds(int milliseconds)
{
    return milliseconds < 1000 ? 1 : milliseconds / 1000;
}

/* 0 leaves the delay as it is (SOCM-34). */
static int put_initial_delay(const socket_settings *settings, int fd, int value)
{
    (void)settings;
    return value > 0 ? put_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(value)) : 0;
}

static int put_keep_alive(const socket_settings *settings, int fd, int value)
{
    int status = put_int(fd, SOL_SOCKET, SO_KEEPALIVE, value);
    int interval = settings->keep_alive_interval;
    int count = settings->keep_alive_count;

    if (!value || status)
        return status;
    status = put_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(interval > 0 ? interval : KEEP_ALIVE_INTERVAL_MS));
    return status ? status : put_int(fd, IPPROTO_TCP, TCP_KEEPCNT, count > 0 ? count : KEEP_ALIVE_COUNT);
}

static int domain_of(int fd)
{
    int domain = AF_UNSPEC;

    (void)take_int(fd, SOL_SOCKET, SO_DOMAIN, &domain);
    return domain;
}

/* IPv6 sockets carry both: the class of IPv6, and that of IPv4 for peers with a mapped address. */
static int put_tos(const socket_settings *settings, int fd, int value)
{
    (void)settings;
    if (domain_of(fd) != AF_INET6)
        return put_int(fd, IPPROTO_IP, IP_TOS, value);
    (void)put_int(fd, IPPROTO_IP, IP_TOS, value);
    return put_int(fd, IPPROTO_IPV6, IPV6_TCLASS, value);
}

static int take_tos(int fd, int *value)
{
    if (domain_of(fd) != AF_INET6)
        return take_int(fd, IPPROTO_IP, IP_TOS, value);
    return take_int(fd, IPPROTO_IPV6, IPV6_TCLASS, value);
}

static int put_linger(const socket_settings *settings, int fd, int value)
{
    struct linger linger = {value >= 0, value};

    (void)settings;
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) ? uv_translate_sys_error(errno) : 0;
}

static int take_linger(int fd, int *value)
{
    struct linger linger = {0, 0};
    socklen_t size = sizeof(linger);

    if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size))
        return uv_translate_sys_error(errno);
    *value = linger.l_onoff ? linger.l_linger : -1;
    return 0;
}

/* Linux gives back the double of what it was told, its own bookkeeping included. */
static int take_buffer(int fd, int option, int *value)
{
    int status = take_int(fd, SOL_SOCKET, option, value);

    *value /= 2;
    return status;
}

static int take_recv_buffer(int fd, int *value)
{
    return take_buffer(fd, SO_RCVBUF, value);
}

static int take_send_buffer(int fd, int *value)
{
    return take_buffer(fd, SO_SNDBUF, value);
}

#define PLACE(member) offsetof(socket_settings, member)
#define BOTH          (SOCKET_TCP | SOCKET_IPC)

/*
 * keepAlive stands before what refines it, so that an explicit interval and count win. linger is 0 or nothing: with a
 * longer one close(2) would block the loop, and the kernel sends on after close(2) anyway.
 */
/* clang-format off */
static const socket_option options_known[] = {
    {"noDelay", PLACE(no_delay), WEIR_VALUE_BOOLEAN, 0, 1, SOCKET_TCP, IPPROTO_TCP, TCP_NODELAY, 1, NULL, NULL},
    {"keepAlive", PLACE(keep_alive), WEIR_VALUE_BOOLEAN, 0, 1, SOCKET_TCP, SOL_SOCKET, SO_KEEPALIVE, 1,
     put_keep_alive, NULL},
    {"keepAliveInitialDelay", PLACE(keep_alive_initial_delay), WEIR_VALUE_NUMBER, 0, 32767999, SOCKET_TCP,
     IPPROTO_TCP, TCP_KEEPIDLE, 1000, put_initial_delay, NULL},
    {"keepAliveInterval", PLACE(keep_alive_interval), WEIR_VALUE_NUMBER, 1, 32767999, SOCKET_TCP, IPPROTO_TCP,
     TCP_KEEPINTVL, 1000, NULL, NULL},
    {"keepAliveCount", PLACE(keep_alive_count), WEIR_VALUE_NUMBER, 1, 127, SOCKET_TCP, IPPROTO_TCP, TCP_KEEPCNT, 1,
     NULL, NULL},
    {"userTimeout", PLACE(user_timeout), WEIR_VALUE_NUMBER, 0, INT_MAX, SOCKET_TCP, IPPROTO_TCP, TCP_USER_TIMEOUT, 1,
     NULL, NULL},
    {"tos", PLACE(tos), WEIR_VALUE_NUMBER, 0, 255, SOCKET_TCP, IPPROTO_IP, IP_TOS, 1, put_tos, take_tos},
    {"linger", PLACE(linger), WEIR_VALUE_NUMBER, -1, 0, SOCKET_TCP, SOL_SOCKET, SO_LINGER, 1, put_linger, take_linger},
    {"recvBufferSize", PLACE(recv_buffer_size), WEIR_VALUE_NUMBER, 1, INT_MAX / 2, BOTH, SOL_SOCKET, SO_RCVBUF, 1,
     NULL, take_recv_buffer},
    {"sendBufferSize", PLACE(send_buffer_size), WEIR_VALUE_NUMBER, 1, INT_MAX / 2, BOTH, SOL_SOCKET, SO_SNDBUF, 1,
     NULL, take_send_buffer},
};
/* clang-format on */

#define OPTIONS (sizeof(options_known) / sizeof(options_known[0]))

static const socket_option *find(const char *name)
{
    size_t i;

    for (i = 0; i < OPTIONS; i++)
        if (strcmp(options_known[i].name, name) == 0)
            return &options_known[i];
    return NULL;
}

static int *place_of(socket_settings *settings, const socket_option *option)
{
    return (int *)(void *)((char *)settings + option->place);
}

static int value_of(const socket_settings *settings, const socket_option *option)
{
    int value;

    memcpy(&value, (const char *)settings + option->place, sizeof(value));
    return value;
}

static int put(const socket_settings *settings, int fd, const socket_option *option, int value)
{
    if (option->put)
        return option->put(settings, fd, value);
    return put_int(fd, option->level, option->option, option->unit == 1 ? value : seconds(value));
}

void weir__socket_settings_init(socket_settings *settings)
{
    size_t i;

    for (i = 0; i < OPTIONS; i++)
        *place_of(settings, &options_known[i]) = -1;
}

int64_t weir__socket_duration(const json_t *value)
{
    static const struct {
        const char *suffix;
        int64_t milliseconds;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const char *text = json_string_value(value);
    char *suffix;
    long long number;
    size_t i;

    if (!text)
        return json_integer_value(value);
    number = strtoll(text, &suffix, 10); /* LLONG_MAX where it does not fit */
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(suffix, units[i].suffix) == 0 && number <= INT64_MAX / units[i].milliseconds)
            return number * units[i].milliseconds;
    return INT64_MAX;
}

void weir__socket_settings_read(socket_settings *settings, const json_t *options, socket_family family)
{
    size_t i;

    for (i = 0; i < OPTIONS; i++) {
        const socket_option *option = &options_known[i];
        const json_t *value = json_object_get(options, option->name);

        if (value && (option->families & (int)family))
            *place_of(settings, option) =
                json_is_boolean(value) ? json_is_true(value) : (int)weir__socket_duration(value);
    }
}

int weir__socket_settings_apply(const socket_settings *settings, int fd, socket_family family, const char **failed)
{
    size_t i;

    for (i = 0; i < OPTIONS; i++) {
        const socket_option *option = &options_known[i];
        int value = value_of(settings, option);
        int status;

        /* A new socket has every switch off. */
        if (value < 0 || !(option->families & (int)family) || (option->type == WEIR_VALUE_BOOLEAN && !value))
            continue;
        status = put(settings, fd, option, value);
        if (status) {
            *failed = option->name;
            return status;
        }
    }
    return 0;
}

/* The number in a value, fit for the option. */
static int checked(const socket_option *option, const weir_value *value, int *number)
{
    int64_t given = value->number;

    if (value->type != option->type)
        return WEIR_EINVALIDARGTYPE;
    if (option->type == WEIR_VALUE_BOOLEAN)
        given = given != 0;
    if (given < 0 && option->place == PLACE(keep_alive_initial_delay))
        given = 0; /* CONN-24 */
    if (given < option->least || given > option->most)
        return WEIR_EOUTOFRANGE;
    *number = (int)given;
    return 0;
}

int weir__socket_option_remember(socket_settings *settings, socket_family family, const char *name,
                                 const weir_value *value)
{
    const socket_option *option = find(name);
    int number = 0;
    int status;

    if (!option)
        return UV_ENOENT;
    status = checked(option, value, &number);
    if (!status && (option->families & (int)family))
        *place_of(settings, option) = number;
    return status;
}

int weir__socket_option_set(const socket_settings *settings, int fd, socket_family family, const char *name,
                            const weir_value *value)
{
    const socket_option *option = find(name);
    int number = 0;
    int status;

    if (!option)
        return UV_ENOENT;
    status = checked(option, value, &number);
    if (status || !(option->families & (int)family))
        return status;
    return put(settings, fd, option, number);
}

static int answer(const socket_option *option, int number, weir_value *value)
{
    memset(value, 0, sizeof(*value));
    value->type = option->type;
    value->number = option->type == WEIR_VALUE_BOOLEAN ? number > 0 : number;
    return 0;
}

int weir__socket_option_recall(const socket_settings *settings, socket_family family, const char *name,
                               weir_value *value)
{
    const socket_option *option = find(name);
    int number;

    if (!option || !(option->families & (int)family))
        return UV_ENOENT;
    number = value_of(settings, option);
    if (number < 0 && option->type != WEIR_VALUE_BOOLEAN && option->least >= 0)
        return UV_ENOTCONN; /* what the system will do is not known before there is a socket */
    return answer(option, number, value);
}

int weir__socket_option_get(int fd, socket_family family, const char *name, weir_value *value)
{
    const socket_option *option = find(name);
    int number = 0;
    int status;

    if (!option || !(option->families & (int)family))
        return UV_ENOENT;
    if (option->take)
        status = option->take(fd, &number);
    else
        status = take_int(fd, option->level, option->option, &number);
    if (status)
        return status;
    return answer(option, option->unit == 1 ? number : number * option->unit, value);
}
