/* SPDX-License-Identifier: MIT */
/* The options of a socket by Node's names: remembered before there is a connection, asked and changed on a live one. */
#ifndef WEIR_SOCKET_OPTIONS_H
#define WEIR_SOCKET_OPTIONS_H

#include <weir/endpoint.h>
#include <weir/plugin.h>

/* Which sockets an option means anything to. */
typedef enum socket_family { SOCKET_TCP = 1, SOCKET_IPC = 2 } socket_family;

/* What is wanted of a socket. -1: whatever the system does by itself. Times are in milliseconds, sizes in bytes. */
typedef struct socket_settings {
    int no_delay;
    int keep_alive;
    int keep_alive_initial_delay;
    int keep_alive_interval;
    int keep_alive_count;
    int user_timeout;
    int tos;
    int linger;
    int recv_buffer_size;
    int send_buffer_size;
} socket_settings;

void weir__socket_settings_init(socket_settings *settings);

/* Takes over what of the table stands in a component's options, which its schema has passed and whose bounds it knows. */
void weir__socket_settings_read(socket_settings *settings, const json_t *options, socket_family family);

/* Milliseconds of a number or of text like "10s", in the form of the schema's weir-duration; INT64_MAX: too long. */
int64_t weir__socket_duration(const json_t *value);

/*
 * Gives a socket, which need not be connected, all that is set. 0, or an error and in `*failed` the option's name.
 * TCP sockets that a listener accepts inherit what the listener has, those of IPC do not.
 */
int weir__socket_settings_apply(const socket_settings *settings, int fd, socket_family family, const char **failed);

/*
 * One option by name. 0; UV_ENOENT (there is none of that name); WEIR_EINVALIDARGTYPE, WEIR_EOUTOFRANGE; or what the
 * system says. An option that exists but means nothing to this family is taken without effect (SOCM-36, SOCM-40), and
 * not known when asked for.
 *   remember/recall  in settings, for a socket to come
 *   set/get          on a live socket; `settings` are those it was made with
 */
int weir__socket_option_remember(socket_settings *settings, socket_family family, const char *name,
                                 const weir_value *value);
int weir__socket_option_recall(const socket_settings *settings, socket_family family, const char *name,
                               weir_value *value);
int weir__socket_option_set(const socket_settings *settings, int fd, socket_family family, const char *name,
                            const weir_value *value);
int weir__socket_option_get(int fd, socket_family family, const char *name, weir_value *value);

#endif
