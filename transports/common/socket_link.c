/* SPDX-License-Identifier: MIT */
/* The link of tcp and ipc: its state, the events it waits for, and the operations and reports that follow from both. */
#define _GNU_SOURCE

#include "socket_link.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "socket_connect.h"
#include "socket_error.h"

static socket_link *of(weir_link *link)
{
    return (socket_link *)link;
}

/* ---- what is waited for ---- */

void weir__socket_link_watch(socket_link *socket)
{
    int events = 0;

    if (!socket->poll)
        return;
    if (!socket->failed && !socket->closing) {
        /* After the end nothing is read, and readable or hung up it would be for ever. */
        if (!socket->ended && socket->reading)
            events = UV_READABLE | UV_DISCONNECT;
        else if (!socket->ended && !socket->hung_up)
            events = UV_DISCONNECT;
        if (socket->writing && !socket->written)
            events |= UV_WRITABLE;
        /* Urgent bytes are none of ours: it is for the error, which comes unasked to whoever waits for anything. */
        if (socket->ended && !socket->over && !events)
            events = UV_PRIORITIZED;
    }
    weir__socket_poll_want(socket->poll, events);
}

static void report_written(socket_link *socket, int status)
{
    socket->writing = 0;
    socket->written = 0;
    weir__socket_link_watch(socket);
    weir_up_written(&socket->link, status);
}

/* The socket takes bytes again, or has an error to tell. */
static void on_writable(socket_link *socket, int error)
{
    const struct iovec *bufs = socket->bufs;
    size_t done = socket->done;
    int status = weir__socket_send(socket);

    if (!status && error)
        status = weir__socket_take_error(socket->poll->fd);
    socket->blocked = !status;
    if (status < 0)
        socket->broken = status;
    if (status)
        report_written(socket, status < 0 ? status : 0);
    else if (socket->bufs != bufs || socket->done != done)
        weir_up_activity(&socket->link);
}

/*
 * The peer ended, we may write still, and something is the matter. Looked at once: an error is told, and what is none (a
 * unix socket whose peer has gone, urgent bytes from before the end) would be reported for ever.
 */
static void after_end(socket_link *socket)
{
    int code = weir__socket_take_error(socket->poll->fd);

    socket->over = 1;
    weir__socket_link_watch(socket);
    /* Linux words a reset that comes after the peer's end as a broken pipe. */
    if (code)
        weir__socket_fail_reading(socket, code == UV_EPIPE ? UV_ECONNRESET : code, "read");
}

/* Reading comes before writing: send would take away the error that the data is followed by. */
static void on_ready(void *owner, int events, int error)
{
    socket_link *socket = owner;
    int ended = socket->ended;

    if (socket->reading && (error || events & (UV_READABLE | UV_DISCONNECT))) {
        weir__socket_receive(socket, events & UV_DISCONNECT, error);
    } else if (!socket->reading && !socket->ended && !socket->hung_up && (error || events & UV_DISCONNECT)) {
        socket->hung_up = 1;
        weir__socket_link_watch(socket);
        weir_up_hangup(&socket->link);
    }
    if (socket->closing || socket->failed)
        return;
    if (socket->writing && !socket->written) {
        if (error || events & UV_WRITABLE)
            on_writable(socket, error);
    } else if (ended && !socket->over && (error || events & UV_PRIORITIZED)) {
        after_end(socket);
    }
}

/* ---- the end ---- */

/* Everything is closed: the last reports. Nothing of the link is touched after them. */
static void finish(socket_link *socket)
{
    if (socket->writing) {
        int status = socket->broken ? socket->broken : UV_ECANCELED;

        report_written(socket, socket->written ? socket->write_status : status);
    }
    socket->closed = 1;
    weir_up_closed(&socket->link);
}

void weir__socket_link_handle(socket_link *socket, int delta)
{
    socket->handles += (unsigned)delta;
    if (!socket->handles && socket->closing && !socket->closed)
        finish(socket);
}

static void on_poll_closed(void *owner)
{
    weir__socket_link_handle(owner, -1);
}

static const socket_poll_ops open_poll = {on_ready, on_poll_closed};

void weir__socket_link_drop_poll(socket_link *socket, socket_poll *poll)
{
    weir__socket_poll_give(poll, &open_poll, socket);
    weir__socket_poll_close(poll);
}

void weir__socket_link_fail(socket_link *socket, weir_error *error)
{
    if (!socket->failed && !socket->closing) {
        socket->failed = 1;
        weir__socket_link_watch(socket);
        weir_up_failed(&socket->link, error);
    }
    weir_error_release(error);
}

/* Reports that were earned inside an operation. */
static void run_later(weir_task *task)
{
    socket_link *socket = (socket_link *)((char *)task - offsetof(socket_link, later));

    if (socket->closing) {
        if (!socket->handles && !socket->closed)
            finish(socket);
        return;
    }
    if (socket->written) {
        report_written(socket, socket->write_status);
    } else if (socket->shut) {
        socket->shut = 0;
        weir_up_shut(&socket->link, 0);
    }
}

/* ---- the beginning ---- */

static socket_link *make(const socket_context *context, weir_runtime *runtime, size_t size)
{
    socket_link *socket = weir_calloc(1, size);

    if (!socket)
        return NULL;
    socket->link.ops = context->kind->ops;
    socket->context = context;
    socket->runtime = runtime;
    socket->later.run = run_later;
    return socket;
}

static void set_remote(socket_link *socket, const weir_address *remote)
{
    size_t size = sizeof(socket->remote);

    if (remote->family == WEIR_FAMILY_IPV4 || remote->family == WEIR_FAMILY_IPV6)
        (void)weir_address_to_sockaddr(remote, &socket->remote, &size);
}

weir_link *weir__socket_link_new(const socket_context *context, weir_runtime *runtime, size_t size)
{
    socket_link *socket = make(context, runtime, size);

    if (!socket)
        return NULL;
    socket->connect = weir__socket_connect_new(socket);
    if (!socket->connect) {
        weir_free(socket);
        return NULL;
    }
    return &socket->link;
}

int weir__socket_link_take(const socket_context *context, weir_runtime *runtime, int fd, const weir_address *remote,
                           weir_link **link)
{
    socket_link *socket = make(context, runtime, sizeof(*socket));
    int status;

    if (!socket)
        return UV_ENOMEM;
    status = weir__socket_poll_new(runtime, fd, &open_poll, socket, &socket->poll);
    if (status) {
        weir_free(socket);
        return status;
    }
    socket->handles = 1;
    set_remote(socket, remote);
    weir__socket_link_watch(socket);
    *link = &socket->link;
    return 0;
}

void weir__socket_link_opened(socket_link *socket, socket_poll *poll, const weir_address *remote)
{
    weir__socket_poll_give(poll, &open_poll, socket);
    socket->poll = poll;
    set_remote(socket, remote);
    weir__socket_link_watch(socket);
    weir_up_opened(&socket->link);
}

/* ---- operations ---- */

void weir__socket_read_start(weir_link *link)
{
    of(link)->reading = 1;
    weir__socket_link_watch(of(link));
}

void weir__socket_read_stop(weir_link *link)
{
    of(link)->reading = 0;
    weir__socket_link_watch(of(link));
}

ssize_t weir__socket_try_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    socket_link *socket = of(link);
    ssize_t sent;

    if (socket->broken)
        return socket->broken;
    sent = weir__socket_send_some(socket->poll->fd, bufs, count);
    /* A part taken does not count: the peer reads meanwhile, and asking once more costs less than arming for it. */
    socket->blocked = sent == UV_EAGAIN;
    if (sent < 0 && sent != UV_EAGAIN)
        socket->broken = (int)sent;
    /* Nothing but empty buffers: there is no such thing as 0 bytes taken. */
    return sent == 0 ? UV_EAGAIN : sent;
}

int weir__socket_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    return weir__socket_write_fds(link, bufs, count, NULL, 0);
}

int weir__socket_write_fds(weir_link *link, const struct iovec *bufs, size_t count, const int *fds, size_t fd_count)
{
    socket_link *socket = of(link);
    int status = 0;

    if (socket->broken)
        return socket->broken;
    socket->bufs = bufs;
    socket->count = count;
    socket->done = 0;
    socket->fds = fds;
    socket->fd_count = fd_count;
    socket->writing = 1;
    /* When try_write has just been refused, so would this be: wait for the socket instead. */
    if (!socket->blocked)
        status = weir__socket_send(socket);
    if (status) {
        if (status < 0)
            socket->broken = status;
        socket->write_status = status < 0 ? status : 0;
        socket->written = 1;
        weir_runtime_defer(socket->runtime, &socket->later);
    }
    weir__socket_link_watch(socket);
    return 0;
}

int weir__socket_shutdown(weir_link *link)
{
    socket_link *socket = of(link);

    /* ENOTCONN: the peer has reset the connection, and reading tells so. */
    if (socket->ended)
        weir__socket_poll_shut_soon(socket->poll);
    else if (shutdown(socket->poll->fd, SHUT_WR) && errno != ENOTCONN)
        return uv_translate_sys_error(errno);
    socket->over = 1; /* both have ended, or will have when the peer does */
    weir__socket_link_watch(socket);
    socket->shut = 1;
    weir_runtime_defer(socket->runtime, &socket->later);
    return 0;
}

void weir__socket_close(weir_link *link, weir_close_mode mode)
{
    socket_link *socket = of(link);

    socket->closing = 1;
    if (socket->connect)
        weir__socket_connect_free(socket);
    if (socket->poll) {
        socket_poll *poll = socket->poll;
        struct linger linger = {1, 0};

        if (mode == WEIR_CLOSE_RESET && socket->context->kind->resets)
            (void)setsockopt(poll->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        socket->poll = NULL;
        weir__socket_link_drop_poll(socket, poll);
    }
    if (!socket->handles)
        weir_runtime_defer(socket->runtime, &socket->later);
}

void weir__socket_ref(weir_link *link, int on)
{
    socket_link *socket = of(link);

    socket->unref = !on;
    if (socket->poll)
        weir__socket_poll_ref(socket->poll, on);
    if (socket->connect)
        weir__socket_connect_ref(socket->connect, on);
}

static void on_orphan_closed(void *owner)
{
    (void)owner;
}

/* Of a socket whose link never got a stream: nobody is left to hear of it. It is closed at once, and never ready. */
static const socket_poll_ops orphan_poll = {NULL, on_orphan_closed};

void weir__socket_free(weir_link *link)
{
    socket_link *socket = of(link);

    weir_runtime_cancel(socket->runtime, &socket->later);
    if (socket->connect)
        weir__socket_connect_free(socket);
    if (socket->poll) {
        weir__socket_poll_give(socket->poll, &orphan_poll, NULL);
        weir__socket_poll_close(socket->poll);
    }
    weir_free(socket);
}

/* ---- facts and options ---- */

int weir__socket_get(weir_link *link, const char *name, weir_value *value)
{
    const socket_link *socket = of(link);
    const socket_kind *kind = socket->context->kind;
    int fd = socket->poll ? socket->poll->fd : -1;
    int status;

    if (strcmp(name, "fd") == 0 || strcmp(name, "canReset") == 0) {
        memset(value, 0, sizeof(*value));
        value->type = *name == 'f' ? WEIR_VALUE_NUMBER : WEIR_VALUE_BOOLEAN;
        value->number = *name == 'f' ? fd : kind->resets;
        return *name == 'f' && fd < 0 ? UV_ENOTCONN : 0;
    }
    status = kind->fact(socket, fd, name, value);
    if (status != UV_ENOENT)
        return status;
    if (socket->connect)
        return weir__socket_option_recall(weir__socket_connect_settings(socket->connect), kind->family, name, value);
    return fd >= 0 ? weir__socket_option_get(fd, kind->family, name, value) : UV_ENOTCONN;
}

/* The settings that keepAlive is switched on with: what was set on the live socket is kept. */
static void current_settings(const socket_link *socket, int fd, socket_settings *settings)
{
    weir_value value;

    *settings = socket->context->settings;
    if (socket->interval_set && !weir__socket_option_get(fd, SOCKET_TCP, "keepAliveInterval", &value))
        settings->keep_alive_interval = (int)value.number;
    if (socket->count_set && !weir__socket_option_get(fd, SOCKET_TCP, "keepAliveCount", &value))
        settings->keep_alive_count = (int)value.number;
}

int weir__socket_set(weir_link *link, const char *name, const weir_value *value)
{
    socket_link *socket = of(link);
    socket_family family = socket->context->kind->family;
    socket_settings settings;
    int status;

    if (socket->connect)
        return weir__socket_option_remember(weir__socket_connect_settings(socket->connect), family, name, value);
    if (!socket->poll) {
        settings = socket->context->settings;
        status = weir__socket_option_remember(&settings, family, name, value);
        return status ? status : UV_ENOTCONN;
    }
    current_settings(socket, socket->poll->fd, &settings);
    status = weir__socket_option_set(&settings, socket->poll->fd, family, name, value);
    if (!status && strcmp(name, "keepAliveInterval") == 0)
        socket->interval_set = 1;
    if (!status && strcmp(name, "keepAliveCount") == 0)
        socket->count_set = 1;
    return status;
}
