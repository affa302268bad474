/* SPDX-License-Identifier: MIT */
/*
 * The layer `probe`: lets everything pass, writes it down, and checks both neighbours against the laws of weir/link.h.
 * The core checks itself in debug builds; this one also watches the core.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/layer.h>

#include "probe_schema.h"
#include "record.h"

typedef struct probe_context {
    char name[64];
} probe_context;

typedef struct probe {
    weir_link link;
    const probe_context *context;
    weir_runtime *runtime;
    weir_task closed_task;
    probe_record record;
    int opened;
    int reading; /* what the link above wants */
    int ended;
    int hung_up;
    int failed;
    int closing;
    int closed;
    int shutting;
    int shut;
    int writing;
    int calling; /* inside an operation of the link below */
    int latched; /* a write has failed */
    const struct iovec *bufs;
    size_t count;
    uint32_t sum; /* of the bytes of the outstanding write */
} probe;

static probe *self_of(weir_link *link)
{
    return (probe *)(void *)link;
}

static void broken(probe *self, int number, const char *text)
{
    weir_log(self->runtime, WEIR_LOG_ERROR, "probe %s: law %d: %s; so far: %s", self->context->name, number, text,
             probe_text(&self->record));
}

#define LAW(self, number, condition, text)    \
    do {                                      \
        if (!(condition))                     \
            broken((self), (number), (text)); \
    } while (0)

/* What holds for every operation from above but close. */
static void check_operation(probe *self, const char *word)
{
    probe_note_plain(&self->record, word);
    LAW(self, 1, self->opened, "an operation comes after opened");
    LAW(self, 7, !self->failed, "after failed only close is called");
    LAW(self, 8, !self->closing, "after close nothing is called");
}

/* What holds for every report from below but written. */
static void check_report(probe *self)
{
    LAW(self, 7, !self->failed, "after failed only written and closed are reported");
    LAW(self, 9, !self->closing, "a link that is closing gets no report but written");
}

static uint32_t checksum(const struct iovec *bufs, size_t count)
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *bytes = bufs[i].iov_base;
        for (size_t j = 0; j < bufs[i].iov_len; j++)
            sum = (sum ^ bytes[j]) * 16777619u;
    }
    return sum;
}

static size_t size_of(const struct iovec *bufs, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += bufs[i].iov_len;
    return size;
}

/* ---- operations ---- */

static void probe_open(weir_link *link)
{
    probe *self = self_of(link);
    probe_note_plain(&self->record, "open");
    LAW(self, 1, !self->opened, "open is called once");
    self->opened = 1;
    weir_up_opened(link);
}

static void probe_read_start(weir_link *link)
{
    probe *self = self_of(link);
    check_operation(self, "read_start");
    LAW(self, 2, !self->reading, "read_start is never called twice in a row");
    self->reading = 1;
    weir_down_read_start(link);
}

static void probe_read_stop(weir_link *link)
{
    probe *self = self_of(link);
    check_operation(self, "read_stop");
    LAW(self, 2, self->reading, "read_stop follows a read_start");
    self->reading = 0;
    weir_down_read_stop(link);
}

static void check_write(probe *self, const char *word, const struct iovec *bufs, size_t count)
{
    check_operation(self, word);
    LAW(self, 4, !self->writing, "one write is outstanding at a time");
    LAW(self, 6, !self->shutting, "nothing is written after shutdown");
    LAW(self, 4, bufs && count >= 1, "a write has buffers");
    LAW(self, 4, size_of(bufs, count) > 0, "a write has bytes");
}

static ssize_t probe_try_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    probe *self = self_of(link);
    check_write(self, "try", bufs, count);
    size_t size = size_of(bufs, count);
    self->calling++;
    ssize_t taken = weir_down_try_write(link, bufs, count);
    self->calling--;
    LAW(self, 4, taken != 0, "try_write takes at least a byte, or says EAGAIN");
    LAW(self, 4, taken < 0 || (size_t)taken <= size, "try_write takes no more than there is");
    if (taken > 0)
        probe_note(&self->record, "took", (size_t)taken);
    return taken;
}

static int probe_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    probe *self = self_of(link);
    check_write(self, "write", bufs, count);
    self->sum = checksum(bufs, count);
    self->bufs = bufs;
    self->count = count;
    self->calling++;
    int status = weir_down_write(link, bufs, count);
    self->calling--;
    LAW(self, 4, status <= 0, "write returns 0 or an error");
    if (status == 0)
        self->writing = 1;
    else
        probe_note_plain(&self->record, weir_error_name(status));
    return status;
}

static int probe_shutdown(weir_link *link)
{
    probe *self = self_of(link);
    check_operation(self, "shutdown");
    LAW(self, 6, !self->writing, "shutdown comes after the writes");
    LAW(self, 6, !self->shutting, "shutdown is called once");
    self->shutting = 1;
    self->calling++;
    int status = weir_down_shutdown(link);
    self->calling--;
    return status;
}

static void report_closed(probe *self)
{
    self->closed = 1;
    probe_note_plain(&self->record, "closed");
    weir_up_closed(&self->link);
}

static void run_closed(weir_task *task)
{
    report_closed((probe *)(void *)((char *)task - offsetof(probe, closed_task)));
}

static void probe_close(weir_link *link, weir_close_mode mode)
{
    probe *self = self_of(link);
    probe_note_plain(&self->record, mode == WEIR_CLOSE_RESET ? "close:reset" : "close");
    LAW(self, 8, !self->closing, "close is called once");
    self->closing = 1;
    self->reading = 0;
    if (!self->writing)
        weir_runtime_defer(self->runtime, &self->closed_task);
}

static void probe_free(weir_link *link)
{
    probe *self = self_of(link);
    weir_runtime_cancel(self->runtime, &self->closed_task);
    LAW(self, 8, self->closed || !self->opened, "free comes after closed");
    LAW(self, 4, !self->writing, "every write completes before free");
    weir_log(self->runtime, WEIR_LOG_DEBUG, "probe %s: %s", self->context->name, probe_text(&self->record));
    probe_record_free(&self->record);
    weir_free(self);
}

/* "above.to_read" and so on: what a neighbour says that it holds, 0 where there is none or it says nothing. */
static int held_by(const weir_link *link, const char *what, weir_value *value)
{
    size_t to_write = 0;
    size_t to_read = 0;
    const weir_link *neighbour = strncmp(what, "above.", 6) == 0 ? link->upper : link->lower;
    if (neighbour && neighbour->ops->held)
        neighbour->ops->held(neighbour, &to_write, &to_read);
    value->type = WEIR_VALUE_NUMBER;
    value->number = (int64_t)(strcmp(what + 6, "to_write") == 0 ? to_write : to_read);
    return 0;
}

static int probe_get(weir_link *link, const char *name, weir_value *value)
{
    if (strncmp(name, "probe.above.", 12) == 0 || strncmp(name, "probe.below.", 12) == 0)
        return held_by(link, name + 6, value);
    if (strcmp(name, "probe.record") != 0)
        return weir_down_get(link, name, value);
    value->type = WEIR_VALUE_TEXT;
    value->text = probe_text(&self_of(link)->record);
    return 0;
}

/* ---- reports ---- */

static void probe_on_data(weir_link *link, weir_buf *buf)
{
    probe *self = self_of(link);
    probe_note(&self->record, "data", buf->size);
    check_report(self);
    LAW(self, 2, buf->size > 0, "data has bytes");
    LAW(self, 2, self->reading, "data comes between read_start and read_stop");
    LAW(self, 2, !self->calling, "nothing is reported inside a call");
    LAW(self, 3, !self->ended, "no data comes after end");
    weir_up_data(link, buf);
}

static void probe_on_end(weir_link *link)
{
    probe *self = self_of(link);
    probe_note_plain(&self->record, "end");
    check_report(self);
    LAW(self, 2, self->reading, "end comes between read_start and read_stop");
    LAW(self, 2, !self->calling, "nothing is reported inside a call");
    LAW(self, 3, !self->ended, "end comes once");
    self->ended = 1;
    weir_up_end(link);
}

static void probe_on_hangup(weir_link *link)
{
    probe *self = self_of(link);
    probe_note_plain(&self->record, "hangup");
    check_report(self);
    LAW(self, 1, self->opened, "a hang-up comes after open");
    LAW(self, 2, !self->reading, "a hang-up is told while reading is stopped");
    LAW(self, 2, !self->hung_up, "a hang-up is told once");
    LAW(self, 3, !self->ended, "no hang-up comes after end");
    self->hung_up = 1;
    weir_up_hangup(link);
}

static void probe_on_written(weir_link *link, int status)
{
    probe *self = self_of(link);
    probe_note_plain(&self->record, status ? weir_error_name(status) : "written");
    LAW(self, 4, self->writing, "a write completes once");
    LAW(self, 4, !self->calling, "a write never completes inside the call");
    LAW(self, 4, status <= 0, "a write's status is 0 or an error");
    LAW(self, 4, !self->latched || status, "after a failed write all others fail");
    LAW(self, 4, checksum(self->bufs, self->count) == self->sum, "a write's bytes stay as they are until it completes");
    self->writing = 0;
    self->bufs = NULL;
    if (status)
        self->latched = 1;
    weir_up_written(link, status);
    if (self->closing && !self->closed && !self->writing)
        weir_runtime_defer(self->runtime, &self->closed_task);
}

static void probe_on_shut(weir_link *link, int status)
{
    probe *self = self_of(link);
    probe_note_plain(&self->record, status ? weir_error_name(status) : "shut");
    check_report(self);
    LAW(self, 6, self->shutting, "shut answers a shutdown");
    LAW(self, 6, !self->shut, "shut comes once");
    LAW(self, 6, !self->calling, "nothing is reported inside a call");
    self->shut = 1;
    weir_up_shut(link, status);
}

static void probe_on_failed(weir_link *link, const weir_error *error)
{
    probe *self = self_of(link);
    probe_note_plain(&self->record, "failed");
    check_report(self);
    LAW(self, 7, error && error->code < 0, "failed comes with an error");
    self->failed = 1;
    weir_up_failed(link, error);
}

static const weir_link_ops ops = {
    .size = sizeof(weir_link_ops),
    .name = "probe",
    .open = probe_open,
    .read_start = probe_read_start,
    .read_stop = probe_read_stop,
    .try_write = probe_try_write,
    .write = probe_write,
    .shutdown = probe_shutdown,
    .close = probe_close,
    .get = probe_get,
    .free = probe_free,
    .on_data = probe_on_data,
    .on_end = probe_on_end,
    .on_hangup = probe_on_hangup,
    .on_written = probe_on_written,
    .on_shut = probe_on_shut,
    .on_failed = probe_on_failed,
};

/* ---- the plugin ---- */

static int configure(weir_configure *configure, void **context)
{
    probe_context *made = weir_calloc(1, sizeof(*made));
    if (!made)
        return UV_ENOMEM;
    snprintf(made->name, sizeof(made->name), "%s %s", json_string_value(json_object_get(configure->options, "name")),
             configure->role == WEIR_SERVER ? "server" : "client");
    *context = made;
    return 0;
}

static void context_free(void *context)
{
    weir_free(context);
}

static weir_link *create(void *context, weir_runtime *runtime, weir_role role)
{
    probe *self = weir_calloc(1, sizeof(*self));
    (void)role;
    if (!self)
        return NULL;
    self->link.ops = &ops;
    self->context = context;
    self->runtime = runtime;
    self->closed_task.run = run_closed;
    return &self->link;
}

static const weir_layer layer = {
    .size = sizeof(weir_layer), .configure = configure, .context_free = context_free, .create = create};

WEIR_PLUGIN(probe) = {
    WEIR_PLUGIN_HEADER,     .name = "probe",
    .version = "1.0.0",     .description = "writes down what passes and checks the laws of links, for tests",
    .schema = probe_schema, .layer = &layer,
};
