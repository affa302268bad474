/* SPDX-License-Identifier: MIT */
/* Readiness of one descriptor: the events that are wanted against those that libuv was told. */
#include "socket_poll.h"

#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_poll(uv_poll_t *handle, int status, int events)
{
    socket_poll *poll = handle->data;
    weir_runtime *runtime = poll->runtime;
    int error = status < 0;

    weir_runtime_enter(runtime);
    if (error) {
        /* libuv has stopped the handle; the end of the bracket starts it again if it is still wanted. */
        poll->armed = 0;
        if (poll->wanted)
            weir_runtime_settle(runtime, &poll->settle);
    }
    events &= poll->wanted;
    if (error || events)
        poll->ops->ready(poll->owner, events, error);
    weir_runtime_leave(runtime);
}

/* Every start or stop costs two epoll_ctl, the same mask included: only a difference reaches libuv. */
static void settle(weir_task *task)
{
    socket_poll *poll = (socket_poll *)((char *)task - offsetof(socket_poll, settle));

    if (poll->shut_due) {
        poll->shut_due = 0;
        (void)shutdown(poll->fd, SHUT_WR); /* ENOTCONN: the peer has reset it, and there is nothing to end */
    }
    if (poll->wanted == poll->armed)
        return;
    poll->armed = poll->wanted;
    /* Neither can fail on a handle that is not closing. */
    if (poll->armed)
        (void)uv_poll_start(&poll->handle, poll->armed, on_poll);
    else
        (void)uv_poll_stop(&poll->handle);
}

int weir__socket_poll_new(weir_runtime *runtime, int fd, const socket_poll_ops *ops, void *owner, socket_poll **poll)
{
    socket_poll *made = weir_calloc(1, sizeof(*made));
    int status;

    if (!made)
        return UV_ENOMEM;
    status = uv_poll_init(weir_runtime_loop(runtime), &made->handle, fd);
    if (status) {
        weir_free(made);
        return status;
    }
    made->handle.data = made;
    made->settle.run = settle;
    made->runtime = runtime;
    made->ops = ops;
    made->owner = owner;
    made->fd = fd;
    *poll = made;
    return 0;
}

void weir__socket_poll_give(socket_poll *poll, const socket_poll_ops *ops, void *owner)
{
    poll->ops = ops;
    poll->owner = owner;
}

void weir__socket_poll_want(socket_poll *poll, int events)
{
    poll->wanted = (unsigned char)events;
    if (poll->wanted != poll->armed)
        weir_runtime_settle(poll->runtime, &poll->settle);
}

void weir__socket_poll_shut_soon(socket_poll *poll)
{
    poll->shut_due = 1;
    weir_runtime_settle(poll->runtime, &poll->settle);
}

void weir__socket_poll_ref(socket_poll *poll, int on)
{
    if (on)
        uv_ref((uv_handle_t *)&poll->handle);
    else
        uv_unref((uv_handle_t *)&poll->handle);
}

static void on_closed(uv_handle_t *handle)
{
    socket_poll *poll = handle->data;
    weir_runtime *runtime = poll->runtime;

    weir_runtime_enter(runtime);
    poll->ops->closed(poll->owner);
    weir_free(poll);
    weir_runtime_leave(runtime);
}

void weir__socket_poll_close(socket_poll *poll)
{
    weir_runtime_cancel(poll->runtime, &poll->settle);
    poll->wanted = 0;
    /* In this order: a descriptor closed first could be another one's before libuv lets go of it. */
    uv_close((uv_handle_t *)&poll->handle, on_closed);
    close(poll->fd);
    poll->fd = -1;
}
