/* SPDX-License-Identifier: MIT */
/* Reading standard input, whatever it is, without making it non-blocking for others. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "connect.h"

#define READ_SIZE ((size_t)64 * 1024)

static ssize_t read_once(const input *self)
{
    ssize_t length;
    do {
        length = read(self->fd, self->bytes, READ_SIZE);
    } while (length < 0 && errno == EINTR);
    return length < 0 ? -errno : length;
}

static void report(input *self, ssize_t result)
{
    if (self->closed || result == -EAGAIN) {
        return;
    }
    if (result <= 0) {
        input_close(self);
        self->on_read(self->arg, NULL, 0, (int)result);
    } else {
        self->on_read(self->arg, self->bytes, (size_t)result, 0);
    }
}

/* ---- what can be waited for ---- */

static void on_readable(uv_poll_t *handle, int status, int events)
{
    input *self = handle->data;
    (void)events;
    weir_runtime_enter(self->runtime);
    /* Something is there, or the end, so this read does not wait. */
    report(self, status < 0 ? status : read_once(self));
    weir_runtime_leave(self->runtime);
}

/* libuv makes what it watches non-blocking: let that be an epoll descriptor of our own, with the input inside. */
static int watch(input *self)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = self->fd};
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll < 0) {
        return -errno;
    }
    int status = 0;
    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->fd, &event) < 0) {
        status = -errno;
    } else {
        status = uv_poll_init(weir_runtime_loop(self->runtime), &self->poll, self->epoll);
    }
    if (status < 0) {
        close(self->epoll);
        self->epoll = -1;
        return status;
    }
    self->poll.data = self;
    return 0;
}

/* ---- what is read in a thread ---- */

static void read_in_thread(uv_work_t *work)
{
    input *self = work->data;
    self->result = read_once(self);
}

static void start_reading(input *self);

static void on_read_in_thread(uv_work_t *work, int status)
{
    input *self = work->data;
    self->working = 0;
    weir_runtime_enter(self->runtime);
    report(self, status < 0 ? status : self->result);
    start_reading(self);
    weir_runtime_leave(self->runtime);
}

static void start_reading(input *self)
{
    if (self->working || !self->wanted || self->closed) {
        return;
    }
    int status = uv_queue_work(weir_runtime_loop(self->runtime), &self->work, read_in_thread, on_read_in_thread);
    if (status < 0) {
        report(self, status);
        return;
    }
    self->working = 1;
}

/* ---- both ---- */

int input_open(input *self, weir_runtime *runtime, int fd, void (*on_read)(void *, const char *, size_t, int),
               void *arg)
{
    memset(self, 0, sizeof(*self));
    self->runtime = runtime;
    self->fd = fd;
    self->work.data = self;
    self->on_read = on_read;
    self->arg = arg;
    self->kind = isatty(fd) ? INPUT_TERMINAL : INPUT_PIPE;
    int status = watch(self);
    if (status == UV_EPERM) {
        /* A file (or /dev/null): there is nothing to wait for. */
        self->kind = INPUT_FILE;
        status = 0;
    }
    if (status < 0) {
        return status;
    }
    self->bytes = weir_malloc(READ_SIZE);
    if (self->bytes == NULL) {
        input_close(self);
        return UV_ENOMEM;
    }
    return 0;
}

void input_start(input *self)
{
    if (self->closed || self->wanted) {
        return;
    }
    self->wanted = 1;
    if (self->kind == INPUT_FILE) {
        start_reading(self);
        return;
    }
    int status = uv_poll_start(&self->poll, UV_READABLE, on_readable);
    if (status < 0) {
        report(self, status);
    }
}

void input_stop(input *self)
{
    if (self->closed || !self->wanted) {
        return;
    }
    self->wanted = 0;
    if (self->kind != INPUT_FILE) {
        uv_poll_stop(&self->poll);
    }
}

static void on_poll_closed(uv_handle_t *handle)
{
    input *self = handle->data;
    close(self->epoll);
    self->epoll = -1;
}

void input_close(input *self)
{
    if (self->closed) {
        return;
    }
    self->closed = 1;
    if (self->kind != INPUT_FILE) {
        uv_close((uv_handle_t *)&self->poll, on_poll_closed);
    }
}

void input_free(input *self)
{
    weir_free(self->bytes);
    self->bytes = NULL;
}

size_t input_left(const input *self)
{
    int left = 0;
    if (self->kind != INPUT_PIPE || ioctl(self->fd, FIONREAD, &left) < 0 || left < 0) {
        return 0;
    }
    return (size_t)left;
}
