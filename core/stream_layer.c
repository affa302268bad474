/* SPDX-License-Identifier: MIT */
/*
 * Layers put on a stream that is open already (STARTTLS). What was written before goes out below them, then they open, as
 * those of a connect do, and what was written since goes through them. What was received and is not read yet goes
 * through them too: it stands in a link of the core's own beneath them, which hands it out before it lets its lower link
 * read on, and lets everything else pass.
 */
#include "memory.h"
#include "runtime_private.h"
#include "stream_private.h"

/* The link with what was received before. It also keeps the endpoint, whose contexts the layers above it use. */
typedef struct carry_link {
    weir_link link;
    weir_task task;
    weir__chunk *chunks;
    weir_endpoint *endpoint;
} carry_link;

struct weir__layering {
    weir_link *first; /* the carry link, not attached yet, and above it the layers; NULL: they are opening */
    weir_write_callback callback;
    void *arg;
};

/* ---- the link ---- */

static void fail_carrying(carry_link *carry)
{
    weir_error *error = weir_error_new(UV_ENOMEM, "read", NULL, -1);
    weir_up_failed(&carry->link, error);
    weir_error_release(error);
}

static int carry_is_read(const carry_link *carry)
{
    return !weir_link_closing(&carry->link) && weir_link_reading(&carry->link);
}

static void hand_out(weir_task *task)
{
    carry_link *carry = (carry_link *)(void *)((char *)task - offsetof(carry_link, task));
    while (carry->chunks != NULL && carry_is_read(carry)) {
        weir_buf *buf = weir__chunks_take(&carry->chunks);
        if (buf == NULL) {
            fail_carrying(carry);
            return;
        }
        weir_up_data(&carry->link, buf);
        weir_buf_release(buf);
    }
    if (carry->chunks == NULL && carry_is_read(carry)) {
        weir_down_read_start(&carry->link);
    }
}

static void carry_read_start(weir_link *link)
{
    carry_link *carry = (carry_link *)link;
    if (carry->chunks != NULL) {
        weir_runtime_defer(link->stream->runtime, &carry->task); /* not inside the call */
    } else {
        weir_down_read_start(link);
    }
}

static void carry_read_stop(weir_link *link)
{
    weir_runtime_cancel(link->stream->runtime, &((carry_link *)link)->task);
    weir_down_read_stop(link);
}

static void carry_free(weir_link *link)
{
    carry_link *carry = (carry_link *)link;
    if (link->stream->runtime != NULL) {
        weir_runtime_cancel(link->stream->runtime, &carry->task);
    }
    weir__chunks_free(carry->chunks);
    weir_endpoint_release(carry->endpoint);
    weir__free(carry);
}

static const weir_link_ops carry_ops = {
    .size = sizeof(weir_link_ops),
    .name = "carry",
    .read_start = carry_read_start,
    .read_stop = carry_read_stop,
    .free = carry_free,
};

/* ---- making ---- */

/* Links that are not attached: the layers, then the carry link, whose endpoint holds the contexts they use. */
static void free_links(weir_link *carry)
{
    if (carry == NULL) {
        return;
    }
    for (weir_link *link = carry->upper, *upper; link != NULL; link = upper) {
        upper = link->upper;
        link->ops->free(link);
    }
    carry->ops->free(carry);
}

static weir_link *make_carry(weir_stream *stream, weir_endpoint *endpoint)
{
    carry_link *carry = weir__calloc(1, sizeof(*carry));
    if (carry == NULL) {
        return NULL;
    }
    carry->link.ops = &carry_ops;
    carry->link.stream = stream;
    carry->task.run = hand_out;
    carry->endpoint = weir_endpoint_retain(endpoint);
    return &carry->link;
}

/* The carry link and the layers above it, chained by `upper`. 0, UV_ENOMEM, WEIR_EPLUGIN: nothing is made. */
static int make_links(weir_stream *stream, weir_endpoint *endpoint, weir_link **first)
{
    weir_link *last = make_carry(stream, endpoint);
    *first = last;
    if (last == NULL) {
        return UV_ENOMEM;
    }
    for (size_t i = 0; i < endpoint->layer_count; i++) {
        const weir__component *component = &endpoint->layers[i];
        weir_link *link = component->plugin->layer->create(component->context, stream->runtime, endpoint->role);
        int status = weir__link_check(stream->runtime, component->plugin, link, 0);
        if (status != 0) {
            free_links(*first);
            return status;
        }
        link->stream = stream;
        link->upper = NULL;
        last->upper = link;
        last = link;
    }
    return 0;
}

/* What nobody has read goes through the layers, and is then no longer what this stream has received. */
static void move_input(weir_stream *stream, carry_link *carry)
{
    carry->chunks = stream->chunks;
    stream->bytes_read -= stream->readable_length < stream->bytes_read ? stream->readable_length : stream->bytes_read;
    stream->chunks = NULL;
    stream->last_chunk = NULL;
    stream->readable_length = 0;
}

/* ---- adding ---- */

static int may_add(const weir_stream *stream, const weir_endpoint *endpoint)
{
    if (endpoint == NULL || endpoint->runtime != stream->runtime || endpoint->layer_count == 0) {
        return UV_EINVAL;
    }
    if (weir__stream_is_destroyed(stream)) {
        return WEIR_ESTREAM_DESTROYED;
    }
    if (stream->adding) {
        return UV_EALREADY;
    }
    if (stream->life != LIFE_OPEN || !stream->may_read) {
        return UV_ENOTCONN;
    }
    if (stream->ending || stream->pending_error != NULL) {
        return UV_EPIPE;
    }
    if (stream->eof) {
        return UV_EOF;
    }
    if (stream->corked > 0 || stream->pipes_out != NULL || stream->pipes_in != NULL) {
        return UV_EBUSY;
    }
    if (weir__links_owe_data(stream)) {
        return UV_EBUSY; /* what is about to come was received before, and would get past the layers */
    }
    return weir__stream_gives_text(stream) ? UV_EINVAL : 0;
}

int weir_stream_add_layer(weir_stream *stream, weir_endpoint *endpoint, weir_write_callback callback, void *arg)
{
    if (stream == NULL) {
        return UV_EINVAL;
    }
    int status = may_add(stream, endpoint);
    if (status != 0) {
        return status;
    }
    weir__extras *extras = weir__stream_extras(stream);
    weir__layering *layering = extras == NULL ? NULL : weir__calloc(1, sizeof(*layering));
    status = layering == NULL ? UV_ENOMEM : make_links(stream, endpoint, &layering->first);
    if (status != 0) {
        weir__free(layering);
        return status;
    }
    layering->callback = callback;
    layering->arg = arg;
    extras->layering = layering;
    stream->adding = 1;
    stream->writes_before_layer = weir__stream_queued_writes(stream);
    weir__stream_update_reading(stream);
    move_input(stream, (carry_link *)layering->first);
    weir__stream_layer_when_due(stream);
    return 0;
}

void weir__stream_layer_when_due(weir_stream *stream)
{
    if (stream->adding && stream->writes_before_layer == 0 && !stream->writing && stream->life == LIFE_OPEN) {
        weir__stream_step(stream, STEP_LAYER);
    }
}

/* What was written before is with the kernel: the layers are attached, and open. */
static void attach(weir_stream *stream, weir__layering *layering)
{
    weir_link *carry = layering->first;
    layering->first = NULL;
    weir__links_flush(stream);
    for (weir_link *link = carry, *upper; link != NULL; link = upper) {
        upper = link->upper;
        weir__link_attach(stream, link);
    }
    if (stream->unref) {
        weir__links_ref(stream, 0);
    }
    weir__stream_opens_again(stream);
    if (!weir__stream_is_destroyed(stream)) {
        weir__links_open_from(carry);
    }
}

/* The end of it, either way: the callback, once. */
void weir__stream_end_layering(weir_stream *stream, int status)
{
    weir__layering *layering = stream->adding ? stream->extras->layering : NULL;
    if (layering == NULL) {
        return;
    }
    stream->adding = 0;
    stream->extras->layering = NULL;
    free_links(layering->first);
    weir_write_callback callback = layering->callback;
    void *arg = layering->arg;
    weir__free(layering);
    if (callback != NULL) {
        callback(stream, status, arg);
    }
}

void weir__step_layer(weir_stream *stream)
{
    if (stream->extras->layering->first != NULL) {
        attach(stream, stream->extras->layering);
        return;
    }
    weir__stream_end_layering(stream, 0);
    weir__stream_goes_on(stream);
}
