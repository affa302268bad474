/* SPDX-License-Identifier: MIT */
/*
 * The writing track: try the kernel first, queue the rest, one batch with the links at a time. writableLength is what is
 * queued and what links still hold; 'drain' comes when it is 0 again.
 */
#include <limits.h>

#include "memory.h"
#include "stream_private.h"

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

#define BATCH_MOST     IOV_MAX
#define FDS_MOST       253  /* SCM_MAX_FD of Linux */
#define LAST_READ_TIME 1000 /* ms that a failed write waits for readable data (law 7) */

/* ---- one write ---- */

static size_t unsent(const weir__write *write)
{
    return write->buf == NULL ? 0 : write->buf->size - write->offset;
}

weir__write *weir__write_new(weir_write_callback callback, void *arg, int status)
{
    weir__write *write = weir__calloc(1, sizeof(*write));
    if (write != NULL) {
        write->callback = callback;
        write->arg = arg;
        write->status = status;
    }
    return write;
}

/* What was to be sent goes; the callback stays. */
static void write_empty(weir__write *write)
{
    weir_buf_release(write->buf);
    weir__fds_close(write->fds);
    write->buf = NULL;
    write->fds = NULL;
}

void weir__write_free(weir__write *write)
{
    write_empty(write);
    weir__free(write);
}

/* The write is over: its callback waits for the next tick, its memory goes now. */
static void write_done(weir_stream *stream, weir__write *write)
{
    write_empty(write);
    if (write->callback == NULL) {
        weir__free(write);
        return;
    }
    weir__writes_put(&stream->done, write);
    if (!weir__stream_is_destroyed(stream)) {
        weir__stream_step(stream, STEP_WRITTEN);
    }
}

void weir__stream_run_callbacks(weir_stream *stream, weir__write_list *list)
{
    weir__write *write;
    weir__write_list present = *list;
    list->last = NULL;
    while ((write = weir__writes_take(&present)) != NULL) {
        if (write->callback != NULL) {
            write->callback(stream, write->status, write->arg);
        }
        weir__write_free(write);
    }
}

/* ---- the batch with the links ---- */

uint32_t weir__stream_queued_writes(const weir_stream *stream)
{
    uint32_t count = 0;
    for (const weir__write *write = weir__writes_first(&stream->queue); write != NULL;
         write = weir__writes_next(&stream->queue, write)) {
        count++;
    }
    return count;
}

static void drop_batch(weir_stream *stream)
{
    if (stream->batch_allocated) {
        weir__free(stream->batch);
    }
    stream->batch = NULL;
    stream->batch_allocated = 0;
}

/* A write leaves the queue in good order: one less that has to go out below a layer that is being added. */
static weir__write *take_from_queue(weir_stream *stream)
{
    if (stream->writes_before_layer > 0) {
        stream->writes_before_layer--;
    }
    return weir__writes_take(&stream->queue);
}

/* How many of the queue may go in one write: descriptors travel with its first byte, so those that have some begin one. */
static uint32_t batch_size(const weir_stream *stream)
{
    uint32_t count = 0;
    uint32_t most =
        stream->adding && stream->writes_before_layer < BATCH_MOST ? stream->writes_before_layer : BATCH_MOST;
    for (const weir__write *write = weir__writes_first(&stream->queue); write != NULL && count < most;
         write = weir__writes_next(&stream->queue, write)) {
        if (count > 0 && write->fds != NULL) {
            break;
        }
        count++;
    }
    return count;
}

/* Lays out up to BATCH_MOST queued buffers for one write; without memory for so many, one. */
static uint32_t make_batch(weir_stream *stream)
{
    uint32_t count = batch_size(stream);
    weir__write *write = weir__writes_first(&stream->queue);
    stream->batch = &write->one;
    if (count > 1) {
        struct iovec *many = weir__malloc(count * sizeof(*many));
        if (many != NULL) {
            stream->batch = many;
            stream->batch_allocated = 1;
        } else {
            count = 1;
        }
    }
    for (uint32_t i = 0; i < count; i++, write = write->next) {
        stream->batch[i].iov_len = unsent(write);
        stream->batch[i].iov_base = write->buf == NULL ? NULL : write->buf->data + write->offset;
    }
    return count;
}

/* A write failed for good. Callbacks are told; whether the stream waits for readable data is law 7's decision. */
static void on_last_read_time(weir_stream *stream)
{
    weir_stream_destroy(stream, stream->pending_error);
}

static weir_error *write_error(weir_stream *stream, int status)
{
    char where[WEIR_ADDRESS_TEXT_SIZE];
    weir_address remote;
    if (weir__stream_peer(stream, &remote) != 0 || remote.length == 0) {
        return weir_error_new(status, "write", NULL, -1);
    }
    weir_address_ip(&remote, where, sizeof(where));
    return weir_error_new(status, "write", where, remote.family == WEIR_FAMILY_PATH ? -1 : remote.port);
}

static void fail_writing(weir_stream *stream, int status)
{
    if (weir__stream_is_destroyed(stream) || stream->pending_error != NULL) {
        return; /* what failed first counts */
    }
    weir_error *error = write_error(stream, status);
    int may_be_data = stream->flowing == 1 && stream->life == LIFE_OPEN && !stream->eof;
    if (!may_be_data) {
        weir_stream_destroy(stream, error);
        weir_error_release(error);
        return;
    }
    stream->pending_error = error;
    weir__stream_fail_queue(stream, status);
    weir__stream_fail_ends(stream, status);
    if (weir__clock_phase(stream, LAST_READ_TIME, on_last_read_time) != 0) {
        weir_stream_destroy(stream, error);
    }
}

static int may_send(const weir_stream *stream)
{
    return stream->life == LIFE_OPEN && stream->may_read && !stream->writing && stream->corked == 0 &&
           stream->pending_error == NULL && (!stream->adding || stream->writes_before_layer > 0);
}

static void shut_when_empty(weir_stream *stream)
{
    if (!stream->ending || stream->shutting || stream->queue.last != NULL || !may_send(stream)) {
        return;
    }
    stream->shutting = 1;
    weir__links_flush(stream);
    int status = weir__links_shutdown(stream);
    if (status != 0) {
        weir__stream_on_shut(stream, status);
    }
}

/* Empty writes at the head of the queue have nothing to wait for (WR-24). */
static void pass_empty(weir_stream *stream)
{
    while (stream->queue.last != NULL && unsent(weir__writes_first(&stream->queue)) == 0) {
        write_done(stream, take_from_queue(stream));
        if (!may_send(stream)) {
            return;
        }
    }
}

/* Sends what is queued, as far as the stream's state allows; then the end, if that was asked for. */
void weir__stream_flush(weir_stream *stream)
{
    if (!may_send(stream)) {
        return;
    }
    pass_empty(stream);
    weir__stream_layer_when_due(stream);
    if (!may_send(stream)) {
        return;
    }
    if (stream->queue.last != NULL) {
        const weir__fds *fds = weir__writes_first(&stream->queue)->fds;
        stream->in_flight = make_batch(stream);
        stream->writing = 1;
        int status = fds == NULL ? weir__links_write(stream, stream->batch, stream->in_flight)
                                 : weir__links_write_fds(stream, stream->batch, stream->in_flight, fds);
        if (status != 0) {
            stream->writing = 0;
            stream->in_flight = 0;
            drop_batch(stream);
            fail_writing(stream, status);
        }
        return;
    }
    shut_when_empty(stream);
}

/* The batch is with the kernel: its callbacks are due. */
static void finish_batch(weir_stream *stream)
{
    for (; stream->in_flight > 0; stream->in_flight--) {
        weir__write *write = take_from_queue(stream);
        stream->writable_length -= unsent(write);
        write_done(stream, write);
    }
    drop_batch(stream);
}

/* The last report on a destroyed stream's batch. What the kernel took all the same is no failure (LIFE-03). */
static void finish_destroyed(weir_stream *stream, int status)
{
    weir__write *write = weir__writes_first(&stream->queue);
    for (; stream->in_flight > 0; stream->in_flight--, write = write->next) {
        if (status == 0) {
            write->status = 0;
        }
    }
    drop_batch(stream);
    while ((write = weir__writes_take(&stream->queue)) != NULL) {
        write_done(stream, write);
    }
}

void weir__stream_on_written(weir_stream *stream, int status)
{
    stream->writing = 0;
    if (weir__stream_is_destroyed(stream)) {
        finish_destroyed(stream, status);
        return;
    }
    if (status != 0) {
        stream->in_flight = 0;
        drop_batch(stream);
        fail_writing(stream, status);
        return;
    }
    weir__stream_touch(stream);
    finish_batch(stream);
    weir__stream_check_drain(stream);
    if (stream->queue.last == NULL) {
        weir__links_flush(stream);
    }
    weir__stream_layer_when_due(stream);
    weir__stream_flush(stream);
}

void weir__stream_check_drain(weir_stream *stream)
{
    if (stream->need_drain && weir_stream_writable_length(stream) == 0 && !stream->ending &&
        !weir__stream_is_destroyed(stream) && stream->pending_error == NULL) {
        weir__stream_step(stream, STEP_DRAIN);
    }
}

/* The callbacks of all that is queued get `status`; memory goes at once, but for what the links still read from. */
void weir__stream_fail_queue(weir_stream *stream, int status)
{
    size_t kept = stream->in_flight;
    stream->writable_length = 0;
    for (weir__write *write = weir__writes_first(&stream->queue); write != NULL;
         write = weir__writes_next(&stream->queue, write)) {
        write->status = status;
        if (kept > 0) {
            kept--;
        } else {
            write_empty(write);
        }
    }
    if (stream->in_flight > 0) {
        return;
    }
    weir__write *write;
    while ((write = weir__writes_take(&stream->queue)) != NULL) {
        write_done(stream, write);
    }
}

void weir__stream_abandon_queue(weir_stream *stream, int status)
{
    stream->writing = 0;
    stream->in_flight = 0;
    drop_batch(stream);
    weir__stream_fail_queue(stream, status);
}

/* ---- callbacks that are due ---- */

void weir__stream_owe(weir_stream *stream)
{
    if ((!stream->active || weir__stream_is_destroyed(stream)) && !stream->owes) {
        stream->owes = 1;
        weir_stream_retain(stream);
    }
}

void weir__stream_tell_later(weir_stream *stream, weir__write *write)
{
    if (stream->queue.last != NULL) {
        weir__writes_put(&stream->queue, write); /* behind those that are told first */
        return;
    }
    weir__writes_put(&stream->done, write);
    weir__stream_owe(stream);
    weir__stream_step(stream, STEP_WRITTEN);
}

int weir__stream_refuse(weir_stream *stream, int code, weir_write_callback callback, void *arg)
{
    if (callback == NULL) {
        return 0;
    }
    if (stream->runtime == NULL) {
        return UV_ECANCELED;
    }
    weir__write *write = weir__write_new(callback, arg, code);
    if (write == NULL) {
        return UV_ENOMEM;
    }
    weir__stream_tell_later(stream, write);
    return 0;
}

/* ---- write() ---- */

/* Rows SOCM-55 to SOCM-57: what write() means in the states in which nothing can be written any more. 1: go on. */
static int check_state(weir_stream *stream, weir_write_callback callback, void *arg)
{
    if (weir__stream_is_destroyed(stream)) {
        return weir__stream_refuse(stream, WEIR_ESTREAM_DESTROYED, callback, arg);
    }
    int code = 0;
    if (stream->life == LIFE_NEW) {
        code = WEIR_ESOCKET_CLOSED;
    } else if (stream->ending) {
        code = stream->ended_by_peer ? UV_EPIPE : WEIR_EWRITE_AFTER_END;
    } else if (stream->pending_error != NULL) {
        return weir__stream_refuse(stream, stream->pending_error->code, callback, arg);
    }
    if (code == 0) {
        return 1;
    }
    int status = weir__stream_refuse(stream, code, callback, arg);
    if (status == 0) {
        weir__stream_destroy_code(stream, code, "write");
    }
    return status;
}

static int queue_is_full(const weir_stream *stream, size_t size)
{
    return stream->max_write_queue != 0 &&
           (size > stream->max_write_queue || weir_stream_writable_length(stream) > stream->max_write_queue - size);
}

static int after_write(weir_stream *stream)
{
    if (weir_stream_writable_length(stream) >= stream->writable_high_water_mark) {
        stream->need_drain = 1;
        return 0;
    }
    return 1;
}

/* What the kernel takes at once, from the caller's memory. Only when nothing older waits. */
static ssize_t try_first(weir_stream *stream, const char *data, size_t size)
{
    struct iovec whole = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    ssize_t taken = weir__links_try_write(stream, &whole, 1);
    return taken == UV_EAGAIN ? 0 : taken;
}

/* Queues what the kernel did not take; `buf` is NULL when it is to be copied. */
static int queue_rest(weir_stream *stream, const char *data, size_t size, weir_buf *buf, size_t taken,
                      weir__write *write)
{
    if (size == 0) {
        weir__writes_put(&stream->queue, write);
        return 0;
    }
    if (buf != NULL) {
        write->buf = weir_buf_retain(buf);
        write->offset = taken;
    } else {
        write->buf = weir_buf_copy(data + taken, size - taken);
        if (write->buf == NULL) {
            return UV_ENOMEM;
        }
    }
    weir__writes_put(&stream->queue, write);
    stream->writable_length += size - taken;
    return 0;
}

/* The kernel has half of it and there is no memory for the rest: the stream cannot go on without a hole in it. */
static int lose(weir_stream *stream, weir__write *write, size_t taken)
{
    weir__free(write);
    if (taken > 0) {
        weir__stream_destroy_code(stream, UV_ENOMEM, "write");
    }
    return UV_ENOMEM;
}

static int write_bytes(weir_stream *stream, const char *data, size_t size, weir_buf *buf, weir_write_callback callback,
                       void *arg)
{
    weir__write *write = NULL;
    if (callback != NULL && (write = weir__write_new(callback, arg, 0)) == NULL) {
        return UV_ENOMEM;
    }
    int at_once = stream->queue.last == NULL && may_send(stream);
    ssize_t first = at_once && size > 0 ? try_first(stream, data, size) : 0;
    size_t taken = first > 0 ? (size_t)first : 0;
    weir__stream_touch(stream);
    if (at_once && first >= 0 && taken == size) {
        stream->bytes_written += size;
        if (write != NULL) {
            write_done(stream, write);
        }
        weir__links_flush(stream); /* nothing is queued: what a link collects has nothing to wait for */
        return after_write(stream);
    }
    if (write == NULL && (write = weir__write_new(NULL, NULL, 0)) == NULL) {
        return lose(stream, NULL, taken);
    }
    int status = queue_rest(stream, data, size, buf, taken, write);
    if (status != 0) {
        return lose(stream, write, taken);
    }
    stream->bytes_written += size;
    if (first < 0) {
        fail_writing(stream, (int)first);
        return 0;
    }
    weir__stream_flush(stream);
    return after_write(stream);
}

int weir_stream_write(weir_stream *stream, const void *data, size_t size, weir_write_callback callback, void *arg)
{
    if (stream == NULL) {
        return UV_EINVAL;
    }
    if (data == NULL && size > 0) {
        return WEIR_ESTREAM_NULL_VALUES;
    }
    int go_on = check_state(stream, callback, arg);
    if (go_on == 1 && queue_is_full(stream, size)) {
        return WEIR_EWRITEQUEUEFULL;
    }
    return go_on == 1 ? write_bytes(stream, data, size, NULL, callback, arg) : go_on;
}

/* What a pipe writes is bounded by its back pressure, a single read over the mark, and must not be lost to maxWriteQueue. */
int weir__stream_write_piped(weir_stream *stream, const weir_buf *buf)
{
    int go_on = check_state(stream, NULL, NULL);
    return go_on == 1 ? write_bytes(stream, buf->data, buf->size, NULL, NULL, NULL) : go_on;
}

int weir_stream_write_buf(weir_stream *stream, weir_buf *buf, weir_write_callback callback, void *arg)
{
    if (stream == NULL) {
        return UV_EINVAL;
    }
    if (buf == NULL) {
        return WEIR_ESTREAM_NULL_VALUES;
    }
    int go_on = check_state(stream, callback, arg);
    if (go_on == 1 && queue_is_full(stream, buf->size)) {
        return WEIR_EWRITEQUEUEFULL;
    }
    return go_on == 1 ? write_bytes(stream, buf->data, buf->size, buf, callback, arg) : go_on;
}

/* The descriptors go with the queued bytes, whether or not the kernel would take them at once. */
static int queue_with_fds(weir_stream *stream, const char *data, size_t size, const int *fds, size_t fd_count,
                          weir_write_callback callback, void *arg)
{
    weir__write *write = weir__write_new(callback, arg, 0);
    if (write == NULL) {
        return UV_ENOMEM;
    }
    int status = weir__fds_duplicate(fds, fd_count, &write->fds);
    if (status == 0) {
        status = queue_rest(stream, data, size, NULL, 0, write);
    }
    if (status != 0) {
        weir__write_free(write);
        return status;
    }
    stream->bytes_written += size;
    weir__stream_touch(stream);
    weir__stream_flush(stream);
    return after_write(stream);
}

int weir_stream_write_fd(weir_stream *stream, const void *data, size_t size, const int *fds, size_t fd_count,
                         weir_write_callback callback, void *arg)
{
    if (stream == NULL || size == 0 || fds == NULL || fd_count == 0 || fd_count > FDS_MOST) {
        return UV_EINVAL;
    }
    if (data == NULL) {
        return WEIR_ESTREAM_NULL_VALUES;
    }
    /* What has gone has no transport any more, and a destroyed stream's write is that (SOCM-57). */
    if (!weir__links_pass_fds(stream) && !weir__stream_is_destroyed(stream)) {
        return WEIR_EINVALIDHANDLETYPE;
    }
    int go_on = check_state(stream, callback, arg);
    if (go_on == 1 && queue_is_full(stream, size)) {
        return WEIR_EWRITEQUEUEFULL;
    }
    return go_on == 1 ? queue_with_fds(stream, data, size, fds, fd_count, callback, arg) : go_on;
}

void weir_stream_cork(weir_stream *stream)
{
    if (stream->corked < UINT32_MAX) {
        stream->corked++;
    }
}

void weir_stream_uncork(weir_stream *stream)
{
    if (stream->corked > 0 && --stream->corked == 0) {
        weir__stream_flush(stream);
    }
}

/* ---- steps ---- */

void weir__step_written(weir_stream *stream)
{
    weir__stream_run_callbacks(stream, &stream->done);
}

void weir__step_drain(weir_stream *stream)
{
    if (weir__stream_is_destroyed(stream) || !stream->need_drain || stream->ending ||
        weir_stream_writable_length(stream) > 0) {
        return;
    }
    stream->need_drain = 0;
    weir__stream_emit(stream, WEIR_EVENT_DRAIN);
    if (!weir__stream_is_destroyed(stream)) {
        weir__pipe_drained(stream);
    }
}
