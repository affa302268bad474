/* SPDX-License-Identifier: MIT */
/* From a list of addresses to one connected socket. */
#define _GNU_SOURCE

#include "socket_connect.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "socket_error.h"

/* A unix socket whose queue is full says EAGAIN and gives no event when there is room: ask again, ever more rarely. */
#define RETRY_FIRST_MS 1
#define RETRY_MOST_MS  128

typedef struct connect_attempt {
    socket_connect *connect;
    socket_poll *poll; /* while it runs */
    weir_error *error; /* why it failed */
    weir_address address;
} connect_attempt;

struct socket_connect {
    socket_link *socket;
    socket_settings settings;
    weir_timer timer; /* until the next address is tried, or the newest one again */
    uint64_t due;
    unsigned attempt_delay; /* ms until the next address is tried; 0: only after those before */
    unsigned retry_delay;
    int retrying;
    size_t count;
    size_t started;
    size_t running;
    connect_attempt *attempts;
    char *what;
};

static void on_timer(weir_timer *timer);

socket_connect *weir__socket_connect_new(socket_link *socket)
{
    socket_connect *connect = weir_calloc(1, sizeof(*connect));

    if (!connect)
        return NULL;
    connect->socket = socket;
    connect->settings = socket->context->settings;
    connect->timer.run = on_timer;
    return connect;
}

socket_settings *weir__socket_connect_settings(socket_connect *connect)
{
    return &connect->settings;
}

static uint64_t now(const socket_connect *connect)
{
    return uv_now(weir_runtime_loop(connect->socket->runtime));
}

static int start_timer(socket_connect *connect, uint64_t delay)
{
    connect->due = now(connect) + delay;
    return weir_timer_start(connect->socket->runtime, &connect->timer, delay);
}

void weir__socket_connect_ref(socket_connect *connect, int on)
{
    int active = weir_timer_active(&connect->timer);
    size_t i;

    for (i = 0; i < connect->started; i++)
        if (connect->attempts[i].poll)
            weir__socket_poll_ref(connect->attempts[i].poll, on);
    /* Whether a timer keeps the loop alive is settled when it starts. */
    if (active)
        weir_timer_stop(connect->socket->runtime, &connect->timer);
    connect->timer.unref = !on;
    if (active)
        (void)start_timer(connect, connect->due > now(connect) ? connect->due - now(connect) : 0);
}

void weir__socket_connect_free(socket_link *socket)
{
    socket_connect *connect = socket->connect;
    size_t i;

    socket->connect = NULL;
    weir_timer_stop(socket->runtime, &connect->timer);
    for (i = 0; i < connect->started; i++) {
        if (connect->attempts[i].poll)
            weir__socket_link_drop_poll(socket, connect->attempts[i].poll);
        weir_error_release(connect->attempts[i].error);
    }
    weir_free(connect->attempts);
    weir_free(connect->what);
    weir_free(connect);
}

/* ---- outcomes ---- */

static void succeed(connect_attempt *attempt)
{
    socket_link *socket = attempt->connect->socket;
    socket_poll *poll = attempt->poll;
    weir_address address = attempt->address;

    attempt->poll = NULL;
    weir__socket_connect_free(socket);
    weir__socket_link_opened(socket, poll, &address);
}

static weir_error *aggregate(const socket_connect *connect)
{
    const weir_error **errors = weir_malloc(connect->started * sizeof(*errors));
    weir_error *error;
    size_t i;

    if (!errors)
        return weir_error_retain(connect->attempts[0].error);
    for (i = 0; i < connect->started; i++)
        errors[i] = connect->attempts[i].error;
    error = weir_error_new_aggregate(errors, connect->started, connect->what);
    weir_free(errors);
    return error;
}

/* Every address has failed: one error as it is, several as an aggregate (CONN-31, BN-02). */
static void give_up(socket_connect *connect)
{
    socket_link *socket = connect->socket;
    weir_error *error = connect->started == 1 ? weir_error_retain(connect->attempts[0].error) : aggregate(connect);

    weir__socket_connect_free(socket);
    weir__socket_link_fail(socket, error);
}

/* Runs the application's listeners. 0: they have closed everything, `attempt` is gone. */
static int tell(const connect_attempt *attempt, weir_event_type type)
{
    socket_link *socket = attempt->connect->socket;
    weir_address address = attempt->address;
    weir_error *error = weir_error_retain(attempt->error);

    if (socket->context->kind->attempts)
        weir_up_attempt(&socket->link, type, &address, error, NULL);
    weir_error_release(error);
    return !socket->closing;
}

/* Row SOCK-35: of connect(2), with the local end, where that was given. */
static weir_error *failure_of(const connect_attempt *attempt, int code, const char *syscall, const weir_address *where)
{
    const socket_context *context = attempt->connect->socket->context;
    weir_error *error = weir__socket_error(code, syscall, context->kind->scheme, where);
    weir_error *named;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address local = {.family = WEIR_FAMILY_NONE};

    if (context->kind->local && strcmp(syscall, "connect") == 0)
        context->kind->local(context, &attempt->address, &local);
    if (local.family == WEIR_FAMILY_NONE)
        return error;
    weir_address_ip(&local, text, sizeof(text));
    named = weir_error_new_from(error, text, local.port ? local.port : -1);
    weir_error_release(error);
    return named;
}

static int fail(connect_attempt *attempt, int code, const char *syscall, const weir_address *where)
{
    attempt->error = failure_of(attempt, code, syscall, where);
    return tell(attempt, WEIR_EVENT_CONNECTION_ATTEMPT_FAILED);
}

/* ---- attempts ---- */

static void start_next(socket_connect *connect);

/* The answer. Without an error signalled the connection stands: asking for one might take it from later reads. */
static void on_answer(void *owner, int events, int error)
{
    connect_attempt *attempt = owner;
    socket_connect *connect = attempt->connect;
    socket_poll *poll = attempt->poll;
    int code = error ? weir__socket_take_error(poll->fd) : 0;
    int newest = attempt == &connect->attempts[connect->started - 1];

    (void)events;
    if (!code) {
        succeed(attempt);
        return;
    }
    attempt->poll = NULL;
    connect->running--;
    weir__socket_link_drop_poll(connect->socket, poll);
    if (!fail(attempt, code, "connect", &attempt->address))
        return;
    /* While a newer one is under way, its own time decides when the next one starts. */
    if (newest || !connect->running)
        start_next(connect);
}

/* Every attempt's poll is given to the link before it closes. */
static void on_closed(void *owner)
{
    (void)owner;
}

static const socket_poll_ops attempt_poll = {on_answer, on_closed};

/* Not repeated after EINTR: the connecting goes on by itself, and the poll tells its end. */
static int connect_to(int fd, const struct sockaddr_storage *address, size_t size, int *pending)
{
    if (connect(fd, (const struct sockaddr *)address, (socklen_t)size) == 0)
        return 0;
    *pending = errno == EINPROGRESS || errno == EINTR;
    return *pending ? 0 : uv_translate_sys_error(errno);
}

/*
 * A socket for the attempt's address (unless that is on a block list), and connect(2). 0: it stands, or (`*pending`) an
 * answer will come; UV_EAGAIN: the peer's queue is full; else why not, with the call that failed and the address it was
 * about.
 */
static int begin(connect_attempt *attempt, int *pending, const char **syscall, weir_address *where)
{
    socket_link *socket = attempt->connect->socket;
    struct sockaddr_storage storage;
    size_t size = sizeof(storage);
    int status = weir_link_permits(&socket->link, &attempt->address);
    int fd;

    *syscall = "connect";
    *where = attempt->address;
    if (!status)
        status = weir_address_to_sockaddr(&attempt->address, &storage, &size);
    if (status)
        return status;
    fd = socket->context->kind->make(socket->context, &attempt->connect->settings, &attempt->address, syscall, where);
    if (fd < 0)
        return fd;
    status = connect_to(fd, &storage, size, pending);
    /* libuv hears of the socket only now: polled before connect(2) it would be hung up. */
    if (!status)
        status = weir__socket_poll_new(socket->runtime, fd, &attempt_poll, attempt, &attempt->poll);
    if (status) {
        close(fd);
        return status;
    }
    weir__socket_link_handle(socket, 1);
    if (socket->unref)
        weir__socket_poll_ref(attempt->poll, 0);
    return 0;
}

static int retry_later(socket_connect *connect)
{
    unsigned delay = connect->retry_delay ? connect->retry_delay * 2 : RETRY_FIRST_MS;

    connect->retry_delay = delay < RETRY_MOST_MS ? delay : RETRY_MOST_MS;
    connect->retrying = 1;
    return start_timer(connect, connect->retry_delay);
}

/* 1: this attempt has failed, the next one is due. 0: it runs, or all is over. */
static int try_address(connect_attempt *attempt)
{
    socket_connect *connect = attempt->connect;
    const char *syscall;
    weir_address where;
    int pending = 0;
    int status = begin(attempt, &pending, &syscall, &where);

    if (status == UV_EAGAIN && attempt->address.family == WEIR_FAMILY_PATH)
        status = retry_later(connect);
    else if (!status && !pending)
        succeed(attempt);
    else if (!status) {
        connect->running++;
        weir__socket_poll_want(attempt->poll, UV_WRITABLE);
        if (connect->started < connect->count && connect->attempt_delay)
            (void)start_timer(connect, connect->attempt_delay);
    }
    return status && fail(attempt, status, syscall, &where);
}

static void start_next(socket_connect *connect)
{
    weir_timer_stop(connect->socket->runtime, &connect->timer);
    while (connect->started < connect->count) {
        connect_attempt *attempt = &connect->attempts[connect->started++];

        if (!tell(attempt, WEIR_EVENT_CONNECTION_ATTEMPT) || !try_address(attempt))
            return;
    }
    if (!connect->running)
        give_up(connect);
}

static void on_timer(weir_timer *timer)
{
    socket_connect *connect = (socket_connect *)((char *)timer - offsetof(socket_connect, timer));
    connect_attempt *newest = &connect->attempts[connect->started - 1];
    weir_runtime *runtime = connect->socket->runtime;

    weir_runtime_enter(runtime);
    if (connect->retrying) {
        connect->retrying = 0;
        if (try_address(newest))
            start_next(connect);
    } else if (tell(newest, WEIR_EVENT_CONNECTION_ATTEMPT_TIMEOUT)) {
        start_next(connect);
    }
    weir_runtime_leave(runtime);
}

void weir__socket_connect_start(socket_link *socket, const weir_address *addresses, size_t count, unsigned delay,
                                const char *what)
{
    socket_connect *connect = socket->connect;
    size_t length = strlen(what) + 1;
    size_t i;

    connect->attempts = weir_calloc(count, sizeof(*connect->attempts));
    connect->what = weir_malloc(length);
    if (!connect->attempts || !connect->what) {
        weir__socket_link_fail(socket,
                               weir__socket_error(UV_ENOMEM, "connect", socket->context->kind->scheme, addresses));
        return;
    }
    memcpy(connect->what, what, length);
    for (i = 0; i < count; i++) {
        connect->attempts[i].connect = connect;
        connect->attempts[i].address = addresses[i];
    }
    connect->count = count;
    connect->attempt_delay = delay;
    start_next(connect);
}
