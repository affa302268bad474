/* SPDX-License-Identifier: MIT */
/*
 * Writing standard output, whatever it is: in a thread, where it may wait for a slow reader without making the
 * descriptor non-blocking for others, and without holding up the loop.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "connect.h"

static void write_in_thread(uv_work_t *work)
{
    sink *self = work->data;
    const char *bytes = self->buf->data;
    size_t left = self->buf->size;
    self->result = 0;
    while (left > 0) {
        ssize_t written = write(self->fd, bytes, left);
        if (written >= 0) {
            bytes += written;
            left -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {.fd = self->fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            self->result = -errno;
            return;
        }
    }
}

static void on_written_in_thread(uv_work_t *work, int status)
{
    sink *self = work->data;
    weir_runtime_enter(self->runtime);
    self->working = 0;
    weir_buf_release(self->buf);
    self->buf = NULL;
    self->on_written(self->arg, status < 0 ? status : self->result);
    weir_runtime_leave(self->runtime);
}

void sink_init(sink *self, weir_runtime *runtime, int fd, void (*on_written)(void *arg, int status), void *arg)
{
    memset(self, 0, sizeof(*self));
    self->runtime = runtime;
    self->fd = fd;
    self->work.data = self;
    self->on_written = on_written;
    self->arg = arg;
}

int sink_write(sink *self, weir_buf *buf)
{
    if (self->working) {
        return UV_EBUSY;
    }
    /* Before the call: the thread may begin inside of it. */
    self->buf = weir_buf_retain(buf);
    int status = uv_queue_work(weir_runtime_loop(self->runtime), &self->work, write_in_thread, on_written_in_thread);
    if (status < 0) {
        weir_buf_release(self->buf);
        self->buf = NULL;
        return status;
    }
    self->working = 1;
    return 0;
}
