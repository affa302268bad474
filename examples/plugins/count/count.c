/* SPDX-License-Identifier: MIT */
/* A layer: counts the bytes that pass, and tells when it is asked. Everything else goes through it untouched. */
#include <string.h>

#include <uv.h>

#include <weir/layer.h>

#include "count_schema.h"

typedef struct count {
    weir_link link; /* the first member: the core's pointer to it is one to all of this */
    uint64_t bytes_read;
    uint64_t bytes_written;
} count;

static count *count_of(weir_link *link)
{
    return (count *)(void *)link;
}

/* ---- the two ways ---- */

static void on_data(weir_link *link, weir_buf *buf)
{
    count_of(link)->bytes_read += buf->size;
    weir_up_data(link, buf);
}

static int count_write(weir_link *link, const struct iovec *bufs, size_t number)
{
    /* 0: the link below has taken it on, and its report of the end passes us by. Below 0: nothing was done. */
    int status = weir_down_write(link, bufs, number);
    for (size_t i = 0; status == 0 && i < number; i++)
        count_of(link)->bytes_written += bufs[i].iov_len;
    return status;
}

/* ---- the facts ---- */

static int count_get(weir_link *link, const char *name, weir_value *value)
{
    const count *self = count_of(link);
    if (strcmp(name, "count.bytesRead") == 0)
        value->number = (int64_t)self->bytes_read;
    else if (strcmp(name, "count.bytesWritten") == 0)
        value->number = (int64_t)self->bytes_written;
    else
        return UV_ENOENT; /* not ours: whoever stands below is asked */
    value->type = WEIR_VALUE_NUMBER;
    return 0;
}

/* ---- life ---- */

static void count_free(weir_link *link)
{
    weir_free(count_of(link));
}

static const weir_link_ops ops = {
    .size = sizeof(weir_link_ops),
    .name = "count",
    .write = count_write,
    .on_data = on_data,
    .get = count_get,
    .free = count_free,
};

static weir_link *count_create(void *context, weir_runtime *runtime, weir_role role)
{
    (void)context;
    (void)runtime;
    (void)role;
    count *self = weir_calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->link.ops = &ops;
    return &self->link;
}

static int count_configure(weir_configure *configure, void **context)
{
    (void)configure;
    *context = NULL; /* nothing to configure, so nothing to keep */
    return 0;
}

static void count_context_free(void *context)
{
    (void)context;
}

static const weir_layer count_layer = {
    .size = sizeof(weir_layer),
    .configure = count_configure,
    .context_free = count_context_free,
    .create = count_create,
};

WEIR_PLUGIN(count) = {
    WEIR_PLUGIN_HEADER,     .name = "count",       .version = "1.0.0", .description = "counts the bytes that pass",
    .schema = count_schema, .layer = &count_layer,
};
