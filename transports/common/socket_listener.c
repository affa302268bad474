/* SPDX-License-Identifier: MIT */
/* The acceptor of tcp and ipc: bounded accepts, accepting on and off, and what happens when descriptors run out. */
#define _GNU_SOURCE

#include "socket_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "socket_error.h"

/* An eager accept loop starves the connections that are open already. */
#define ACCEPTS_A_TURN 64

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS  1000

/* However many are shed, the application hears of it this often. */
#define TELL_EVERY_MS 1000

static socket_listener *of(weir_acceptor *acceptor)
{
    return (socket_listener *)acceptor;
}

static void watch(socket_listener *listener)
{
    if (listener->poll)
        weir__socket_poll_want(listener->poll, listener->accepting && !listener->paused ? UV_READABLE : 0);
}

/* ---- descriptors run out ---- */

static void take_reserve(socket_listener *listener)
{
    if (listener->reserve < 0)
        listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int accept_one(int fd, struct sockaddr_storage *address, socklen_t *size)
{
    *size = sizeof(*address);
    return accept4(fd, (struct sockaddr *)address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void on_pause_over(weir_timer *timer)
{
    socket_listener *listener = (socket_listener *)((char *)timer - offsetof(socket_listener, pause));

    weir_runtime_enter(listener->runtime);
    listener->paused = 0;
    take_reserve(listener);
    watch(listener);
    weir_runtime_leave(listener->runtime);
}

/* Not to look at the queue for a while, and for longer the more often that happens. */
static void pause_accepting(socket_listener *listener)
{
    unsigned delay = listener->delay ? listener->delay : PAUSE_FIRST_MS;

    listener->delay = delay * 2 < PAUSE_MOST_MS ? delay * 2 : PAUSE_MOST_MS;
    listener->pause.unref = listener->unref;
    /* Without memory for the timer the queue is looked at again at once: a loop that spins, but no dead listener. */
    listener->paused = weir_timer_start(listener->runtime, &listener->pause, delay) == 0;
    watch(listener);
}

static void tell_drop(socket_listener *listener, weir_drop *drop)
{
    uint64_t now = uv_now(weir_runtime_loop(listener->runtime));

    if (listener->told && now - listener->told_at < TELL_EVERY_MS)
        return;
    listener->told = 1;
    listener->told_at = now;
    weir_acceptor_dropped(&listener->acceptor, drop);
}

/* Closes an arrival of which only this is known; does not tell. */
static void turn_away(socket_listener *listener, const weir_arrival *arrival, weir_drop *drop)
{
    const weir_transport *transport = listener->acceptor.transport;

    drop->remote = arrival->remote;
    drop->peer_pid = drop->peer_uid = drop->peer_gid = -1;
    if (transport->describe)
        transport->describe(&listener->acceptor, arrival, drop);
    close(arrival->fd);
}

/* Closes the connection that waits longest: it would otherwise wait for as long as descriptors are short. */
static void shed_one(socket_listener *listener)
{
    weir_drop drop = {.reason = WEIR_DROP_DESCRIPTORS};
    weir_arrival arrival = {.fd = -1};
    struct sockaddr_storage address;
    socklen_t size;

    if (listener->reserve < 0)
        return;
    close(listener->reserve);
    listener->reserve = -1;
    arrival.fd = accept_one(listener->poll->fd, &address, &size);
    if (arrival.fd >= 0) {
        (void)weir_address_from_sockaddr(&arrival.remote, (struct sockaddr *)&address, size);
        turn_away(listener, &arrival, &drop);
    }
    take_reserve(listener);
    if (arrival.fd >= 0)
        tell_drop(listener, &drop);
}

/* ---- arrivals ---- */

/* 1: this connection is lost, the next one may be fine. 0: nothing (more) can be accepted now. */
static int after_error(socket_listener *listener, int code)
{
    switch (code) {
    case EAGAIN:
        return 0;
    case EMFILE:
    case ENFILE:
        pause_accepting(listener);
        shed_one(listener);
        return 0;
    /* Linux hands over errors that the new connection has met already. */
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return 1;
    default:
        /* No memory in the kernel, or the socket was shut down by another process that has it: not to spin on it. */
        if (!listener->delay)
            weir_log(listener->runtime, WEIR_LOG_WARN, "accept: %s (%s); trying again later",
                     weir_error_text(uv_translate_sys_error(code)), weir_error_name(uv_translate_sys_error(code)));
        pause_accepting(listener);
        return 0;
    }
}

/* To the core, which decides on it; or not at all. */
static void hand_over(socket_listener *listener, const weir_arrival *arrival)
{
    weir_drop drop = {.reason = WEIR_DROP_BLOCK_LIST};

    if (!listener->admits || listener->admits(listener, arrival->fd)) {
        if (weir_acceptor_arrival(&listener->acceptor, arrival) < 0)
            close(arrival->fd);
        return;
    }
    turn_away(listener, arrival, &drop);
    weir_acceptor_dropped(&listener->acceptor, &drop);
}

/*
 * Before the next one is looked at, so that 'connection' and 'drop' come in the order of the arrivals, and what the
 * listeners do, closing the server or connections of it, holds for the next (SRV-12, SRV-21). The listener outlives it:
 * a closed one is gone no earlier than its poll handle.
 */
static void let_it_be_told(const socket_listener *listener)
{
    weir_runtime *runtime = listener->runtime;

    weir_runtime_leave(runtime);
    weir_runtime_enter(runtime);
}

static void on_ready(void *owner, int events, int error)
{
    socket_listener *listener = owner;
    int taken;

    (void)events;
    if (error)
        (void)weir__socket_take_error(listener->poll->fd); /* or it would be signalled for ever */
    for (taken = 0; taken < ACCEPTS_A_TURN && listener->accepting && !listener->paused; taken++) {
        struct sockaddr_storage address;
        socklen_t size;
        weir_arrival arrival = {.fd = accept_one(listener->poll->fd, &address, &size)};

        if (arrival.fd < 0) {
            if (!after_error(listener, errno))
                return;
            continue;
        }
        listener->delay = 0;
        (void)weir_address_from_sockaddr(&arrival.remote, (struct sockaddr *)&address, size);
        hand_over(listener, &arrival);
        let_it_be_told(listener);
    }
}

static void on_poll_closed(void *owner)
{
    socket_listener *listener = owner;

    weir_acceptor_closed(&listener->acceptor);
}

static const socket_poll_ops listening_poll = {on_ready, on_poll_closed};

static void run_later(weir_task *task)
{
    socket_listener *listener = (socket_listener *)((char *)task - offsetof(socket_listener, later));

    weir_acceptor_closed(&listener->acceptor);
}

weir_link *weir__socket_listener_accept(weir_acceptor *acceptor, const weir_arrival *arrival)
{
    socket_listener *listener = of(acceptor);

    weir_link *link = NULL;

    (void)weir__socket_link_take(listener->context, listener->runtime, arrival->fd, &arrival->remote, &link);
    return link;
}

void weir__socket_listener_accepting(weir_acceptor *acceptor, int on)
{
    of(acceptor)->accepting = on != 0;
    watch(of(acceptor));
}

/* ---- the beginning ---- */

void weir__socket_listener_init(socket_listener *listener, const socket_context *context, weir_runtime *runtime)
{
    listener->context = context;
    listener->runtime = runtime;
    listener->pause.run = on_pause_over;
    listener->later.run = run_later;
    listener->reserve = -1;
}

int weir__socket_listener_start(socket_listener *listener, int fd, int backlog, const char **syscall)
{
    int status;

    *syscall = "listen";
    if (listen(fd, backlog))
        return uv_translate_sys_error(errno);
    *syscall = "epoll";
    status = weir__socket_poll_new(listener->runtime, fd, &listening_poll, listener, &listener->poll);
    if (status)
        return status;
    take_reserve(listener);
    if (listener->unref)
        weir__socket_poll_ref(listener->poll, 0);
    watch(listener);
    weir_acceptor_listening(&listener->acceptor);
    return 0;
}

int weir__socket_listener_adopt(int fd, int domain, int other_domain)
{
    int found = weir__socket_domain(fd);
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || found < 0 || (found != domain && found != other_domain))
        return UV_EINVAL;
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
        return UV_EINVAL;
    return 0;
}

void weir__socket_listener_fail(socket_listener *listener, weir_error *error)
{
    if (!listener->closing)
        weir_acceptor_failed(&listener->acceptor, error);
    weir_error_release(error);
}

/* ---- the rest of the table ---- */

int weir__socket_listener_address(const weir_acceptor *acceptor, weir_address *address)
{
    const socket_listener *listener = (const socket_listener *)acceptor;
    struct sockaddr_storage storage;
    socklen_t size = sizeof(storage);

    if (!listener->poll || getsockname(listener->poll->fd, (struct sockaddr *)&storage, &size))
        return UV_ENOTCONN;
    return weir_address_from_sockaddr(address, (struct sockaddr *)&storage, size);
}

int weir__socket_listener_export(const weir_acceptor *acceptor)
{
    const socket_listener *listener = (const socket_listener *)acceptor;
    int fd;

    fd = fcntl(listener->poll->fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? uv_translate_sys_error(errno) : fd;
}

void weir__socket_listener_ref(weir_acceptor *acceptor, int on)
{
    socket_listener *listener = of(acceptor);

    listener->unref = !on;
    if (listener->poll)
        weir__socket_poll_ref(listener->poll, on);
    if (weir_timer_active(&listener->pause)) {
        weir_timer_stop(listener->runtime, &listener->pause);
        listener->pause.unref = !on;
        listener->paused = weir_timer_start(listener->runtime, &listener->pause, PAUSE_FIRST_MS) == 0;
        watch(listener);
    }
}

void weir__socket_listener_close(weir_acceptor *acceptor)
{
    socket_listener *listener = of(acceptor);
    socket_poll *poll = listener->poll;

    listener->closing = 1;
    listener->accepting = 0;
    listener->poll = NULL;
    weir_timer_stop(listener->runtime, &listener->pause);
    if (listener->reserve >= 0)
        close(listener->reserve);
    listener->reserve = -1;
    if (poll)
        weir__socket_poll_close(poll);
    else
        weir_runtime_defer(listener->runtime, &listener->later);
}

void weir__socket_listener_free(weir_acceptor *acceptor)
{
    weir_runtime_cancel(of(acceptor)->runtime, &of(acceptor)->later);
    weir_free(acceptor);
}
