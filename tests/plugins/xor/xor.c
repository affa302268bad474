/* SPDX-License-Identifier: MIT */
/*
 * A small layer that transforms: each end first sends its key in clear (its handshake), then every byte goes out and comes
 * in turned over with it. A byte that did not pass it, or passed it twice, shows.
 */
#include <string.h>

#include <uv.h>

#include <weir/layer.h>

#include "xor_schema.h"

typedef struct xor_link {
    weir_link link;
    unsigned char key;
    struct iovec greeting;
    weir_buf *out; /* what is with the link below, as that one gets it */
    struct iovec one;
    weir_buf *kept;            /* turned back, and not asked for yet */
    weir_task task;            /* hands it out */
    unsigned greeting_out : 1; /* with the link below */
    unsigned writing : 1;      /* a write of the link above */
    unsigned greeted : 1;
    unsigned end_kept : 1; /* the end came behind what is kept */
} xor_link;

static void fail(xor_link *self, int code, const char *why)
{
    weir_error *error = weir_error_newf(code, "open", NULL, -1, "xor: %s (%s)", why, weir_error_name(code));

    weir_up_failed(&self->link, error);
    weir_error_release(error);
}

static weir_buf *turned(unsigned char key, const char *data, size_t size)
{
    weir_buf *buf = weir_buf_copy(data, size);
    size_t i;

    for (i = 0; buf && i < size; i++)
        buf->data[i] = (char)(buf->data[i] ^ key);
    return buf;
}

/* ---- in ---- */

static void open_link(weir_link *link)
{
    xor_link *self = (xor_link *)link;
    int status;

    self->greeting.iov_base = &self->key;
    self->greeting.iov_len = 1;
    self->greeting_out = 1;
    status = weir_down_write(link, &self->greeting, 1);
    if (status)
        fail(self, status, "the greeting cannot be sent");
    else
        weir_down_read_start(link);
}

static void keep(xor_link *self, const char *data, size_t size)
{
    size_t before = self->kept ? self->kept->size : 0;
    weir_buf *all = weir_buf_new(before + size);
    size_t i;

    if (!all) {
        fail(self, UV_ENOMEM, "no memory");
        return;
    }
    if (self->kept)
        memcpy(all->data, self->kept->data, before);
    for (i = 0; i < size; i++)
        all->data[before + i] = (char)(data[i] ^ self->key);
    weir_buf_release(self->kept);
    self->kept = all;
}

static void hand_out(weir_task *task)
{
    xor_link *self = (xor_link *)(void *)((char *)task - offsetof(xor_link, task));
    weir_buf *kept = self->kept;

    if (kept && weir_link_reading(&self->link)) {
        self->kept = NULL;
        weir_up_data(&self->link, kept);
        weir_buf_release(kept);
    }
    if (weir_link_closing(&self->link) || self->kept || !weir_link_reading(&self->link))
        return;
    if (self->end_kept) {
        self->end_kept = 0;
        weir_up_end(&self->link);
    }
}

static void on_data(weir_link *link, weir_buf *buf)
{
    xor_link *self = (xor_link *)link;
    size_t from = 0;

    if (!self->greeted) {
        if ((unsigned char)buf->data[0] != self->key) {
            fail(self, UV_EPROTO, "the peer has another key");
            return;
        }
        self->greeted = 1;
        from = 1;
        weir_down_read_stop(link);
    }
    if (buf->size > from)
        keep(self, buf->data + from, buf->size - from);
    if (weir_link_closing(link))
        return;
    if (from) {
        if (!self->greeting_out)
            weir_up_opened(link);
    } else {
        hand_out(&self->task);
    }
}

static void on_end(weir_link *link)
{
    xor_link *self = (xor_link *)link;

    if (self->kept || !weir_link_reading(link))
        self->end_kept = 1;
    else
        weir_up_end(link);
}

static void read_start(weir_link *link)
{
    xor_link *self = (xor_link *)link;

    if (self->kept || self->end_kept)
        weir_runtime_defer(weir_link_runtime(link), &self->task);
    weir_down_read_start(link);
}

static void read_stop(weir_link *link)
{
    weir_down_read_stop(link);
}

/* ---- out ---- */

static int write_link(weir_link *link, const struct iovec *bufs, size_t count)
{
    xor_link *self = (xor_link *)link;
    size_t size = 0;
    size_t i;
    int status;

    for (i = 0; i < count; i++)
        size += bufs[i].iov_len;
    self->out = weir_buf_new(size);
    if (!self->out)
        return UV_ENOMEM;
    for (size = 0, i = 0; i < count; i++) {
        weir_buf *part = turned(self->key, bufs[i].iov_base, bufs[i].iov_len);

        if (part)
            memcpy(self->out->data + size, part->data, part->size);
        weir_buf_release(part);
        if (!part) {
            weir_buf_release(self->out);
            self->out = NULL;
            return UV_ENOMEM;
        }
        size += bufs[i].iov_len;
    }
    self->one.iov_base = self->out->data;
    self->one.iov_len = size;
    status = weir_down_write(link, &self->one, 1);
    if (status) {
        weir_buf_release(self->out);
        self->out = NULL;
    } else {
        self->writing = 1;
    }
    return status;
}

static void on_written(weir_link *link, int status)
{
    xor_link *self = (xor_link *)link;

    if (self->greeting_out) {
        self->greeting_out = 0;
        if (!weir_link_closing(link) && status)
            fail(self, status, "the greeting was not sent");
        else if (!weir_link_closing(link) && self->greeted)
            weir_up_opened(link);
        return;
    }
    weir_buf_release(self->out);
    self->out = NULL;
    self->writing = 0;
    weir_up_written(link, status);
}

static void free_link(weir_link *link)
{
    xor_link *self = (xor_link *)link;

    if (weir_link_runtime(link))
        weir_runtime_cancel(weir_link_runtime(link), &self->task);
    weir_buf_release(self->out);
    weir_buf_release(self->kept);
    weir_free(self);
}

/* ---- tables ---- */

static const weir_link_ops ops = {
    .size = sizeof(weir_link_ops),
    .name = "xor",
    .open = open_link,
    .read_start = read_start,
    .read_stop = read_stop,
    .write = write_link,
    .free = free_link,
    .on_data = on_data,
    .on_end = on_end,
    .on_written = on_written,
};

static int configure(weir_configure *configure, void **context)
{
    unsigned char *key = weir_malloc(1);

    if (!key)
        return UV_ENOMEM;
    *key = (unsigned char)json_integer_value(json_object_get(configure->options, "key"));
    *context = key;
    return 0;
}

static weir_link *create(void *context, weir_runtime *runtime, weir_role role)
{
    xor_link *self = weir_calloc(1, sizeof(*self));

    (void)runtime;
    (void)role;
    if (!self)
        return NULL;
    self->link.ops = &ops;
    self->key = *(unsigned char *)context;
    self->task.run = hand_out;
    return &self->link;
}

static const weir_layer layer = {
    .size = sizeof(weir_layer), .configure = configure, .context_free = weir_free, .create = create};

WEIR_PLUGIN(xor) = {
    WEIR_PLUGIN_HEADER,   .name = "xor",   .version = WEIR_VERSION, .description = "Turns bytes over (for tests)",
    .schema = xor_schema, .layer = &layer,
};
