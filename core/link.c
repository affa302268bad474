/* SPDX-License-Identifier: MIT */
/*
 * What stands between any two links: every operation down and every report up passes here, so that one place knows who
 * is open, who is closing and who owes what. In debug builds a broken law ends the program at the place that broke it;
 * in release builds a report that comes too late or too often is dropped.
 */
#include <unistd.h>

#include "blocklist_use.h"
#include "plugin_check.h"
#include "runtime_private.h"
#include "server_private.h"
#include "stream_private.h"

#ifdef WEIR_DEBUG
#include <assert.h>
#define LAW(number, condition) assert((condition) && "law " #number " of weir/link.h")
#else
#define LAW(number, condition) ((void)sizeof(condition))
#endif

enum {
    LINK_OPENING = 1 << 0,
    LINK_OPEN = 1 << 1,
    LINK_READING = 1 << 2,
    LINK_WRITING = 1 << 3, /* a write is outstanding */
    LINK_SHUTTING = 1 << 4,
    LINK_SHUT = 1 << 5,
    LINK_ENDED = 1 << 6, /* has reported end */
    LINK_HUNG_UP = 1 << 7,
    LINK_FAILED = 1 << 8,
    LINK_CLOSING = 1 << 9,
    LINK_CLOSED = 1 << 10,
    LINK_FDS = 1 << 11,      /* has reported descriptors: the data they came with follows, wanted or not */
    LINK_IN_CLOSE = 1 << 12, /* inside its close operation */
    LINK_GONE_KEPT = 1 << 13 /* a hang-up from below has come this far, and waits until nobody above reads */
};

#define HELD_MOST ((size_t)1024 * 1024) /* law 5: a few TLS records are far less */

/* Reports of a link that has failed or is closing go nowhere, but for written and closed (laws 7, 8). */
static int is_mute(const weir_link *link)
{
    return (link->state & (LINK_FAILED | LINK_CLOSING | LINK_CLOSED)) != 0;
}

/* For a link that reports: not once it has failed (law 7), nor once it was closed (law 9). */
static int may_report(const weir_link *link)
{
    LAW(7, (link->state & LINK_FAILED) == 0);
    LAW(9, (link->state & (LINK_CLOSING | LINK_CLOSED)) == 0);
    return !is_mute(link);
}

/* Not inside the call that makes it due (law 2). */
static void tell_kept_hangup(const weir_link *link)
{
    if ((link->state & LINK_GONE_KEPT) != 0) {
        weir__stream_step(link->stream, STEP_HANGUP);
    }
}

weir_runtime *weir_link_runtime(const weir_link *link)
{
    return link->stream->runtime;
}

int weir_link_closing(const weir_link *link)
{
    return (link->state & (LINK_CLOSING | LINK_CLOSED)) != 0;
}

int weir_link_failed(const weir_link *link)
{
    return (link->state & LINK_FAILED) != 0;
}

int weir_link_reading(const weir_link *link)
{
    return (link->state & LINK_READING) != 0;
}

int weir_link_wants_fds(const weir_link *link)
{
    return link->upper == NULL && link->stream->listeners != NULL &&
           weir_stream_listener_count(link->stream, WEIR_EVENT_FD) > 0;
}

int weir_link_permits(const weir_link *link, const weir_address *address)
{
    const weir_stream *stream = link->stream;
    const weir_blocklist *own = stream->extras != NULL ? stream->extras->block_list : NULL;
    const weir_blocklist *given = stream->endpoint != NULL ? stream->endpoint->block_list : NULL;
    int blocked = weir__blocklist_names(own, address) || weir__blocklist_names(given, address);
    return blocked ? WEIR_EIP_BLOCKED : 0;
}

/* ---- the stack ---- */

int weir__link_check(weir_runtime *runtime, const weir_plugin *plugin, weir_link *link, int bottom)
{
    if (link == NULL) {
        return UV_ENOMEM;
    }
    const char *missing = weir__link_ops_missing(link->ops, bottom != 0);
    if (missing == NULL) {
        return 0;
    }
    weir_log(runtime, WEIR_LOG_ERROR, "plugin %s: its link cannot be used: the table lacks '%s'", plugin->name,
             missing);
    if (link->ops != NULL && link->ops->free != NULL) {
        link->ops->free(link);
    }
    return WEIR_EPLUGIN;
}

/* Puts a link on top of what is there. */
void weir__link_attach(weir_stream *stream, weir_link *link)
{
    link->stream = stream;
    link->upper = NULL;
    link->lower = stream->top;
    link->state = 0;
    if (stream->top != NULL) {
        stream->top->upper = link;
    } else {
        stream->bottom = link;
    }
    stream->top = link;
    if (link->ops->held != NULL) {
        stream->links_hold = 1;
    }
}

static void open_link(weir_link *link)
{
    link->state |= LINK_OPENING;
    if (link->ops->open != NULL) {
        link->ops->open(link);
    } else {
        weir_up_opened(link);
    }
}

void weir__links_open_from(weir_link *link)
{
    open_link(link);
}

void weir__links_open(weir_stream *stream)
{
    open_link(stream->bottom);
}

/* The bottom link of an arrival is open when it comes; the layers above it are not. */
void weir__links_arrived(weir_stream *stream, weir_link *link)
{
    link->state |= LINK_OPEN;
    weir__stream_link_opened(stream, link);
    if (link->upper != NULL && !is_mute(link)) {
        open_link(link->upper);
    }
}

void weir__links_adopted(weir_stream *stream)
{
    stream->bottom->state |= LINK_OPEN;
}

void weir_up_opened(weir_link *link)
{
    LAW(1, (link->state & LINK_OPENING) != 0 && (link->state & LINK_OPEN) == 0);
    if (!may_report(link) || (link->state & LINK_OPENING) == 0) {
        return;
    }
    LAW(1, link->lower == NULL || (link->lower->state & LINK_OPEN) != 0);
    link->state &= ~(uint32_t)LINK_OPENING;
    link->state |= LINK_OPEN;
    weir_stream *stream = link->stream;
    weir__stream_link_opened(stream, link);
    if (link->upper != NULL && !is_mute(link)) {
        open_link(link->upper);
    }
    tell_kept_hangup(link);
}

/* ---- reading ---- */

/* Tells the links from `link` downwards, up to the first that has an op of its own for it. */
static void read_on(weir_link *link, int on)
{
    for (; link != NULL; link = link->lower) {
        if (weir_link_closing(link) || ((link->state & LINK_READING) != 0) == (on != 0)) {
            return;
        }
        if (on) {
            link->state |= LINK_READING;
        } else {
            link->state &= ~(uint32_t)LINK_READING;
            tell_kept_hangup(link);
        }
        void (*op)(weir_link *) = on ? link->ops->read_start : link->ops->read_stop;
        if (op != NULL) {
            if ((link->state & LINK_FAILED) == 0) {
                op(link);
            }
            return;
        }
    }
}

void weir__links_read(weir_stream *stream, int on)
{
    read_on(stream->top, on);
}

void weir_down_read_start(weir_link *link)
{
    read_on(link->lower, 1);
}

void weir_down_read_stop(weir_link *link)
{
    read_on(link->lower, 0);
}

weir_buf *weir_up_buffer(weir_link *link, size_t suggested)
{
    int straight = 1; /* to the stream: no layer looks at what is read, and keeps it perhaps */
    for (weir_link *upper = link->upper; upper != NULL; upper = upper->upper) {
        if (upper->ops->on_buffer != NULL) {
            return upper->ops->on_buffer(upper, suggested);
        }
        straight = straight && upper->ops->on_data == NULL;
    }
    if (straight && link->stream->onread && !is_mute(link)) {
        return weir__onread_buffer(link->stream);
    }
    return weir__slab_view(link->stream->runtime);
}

void weir_up_data(weir_link *link, weir_buf *buf)
{
    if (!may_report(link) || buf->size == 0) {
        return;
    }
    LAW(2, (link->state & (LINK_READING | LINK_FDS)) != 0);
    LAW(3, (link->state & LINK_ENDED) == 0);
    if ((link->state & LINK_ENDED) != 0) {
        return;
    }
    link->state &= ~(uint32_t)LINK_FDS;
    weir_buf_retain(buf);
    weir_link *upper = link->upper;
    while (upper != NULL && upper->ops->on_data == NULL) {
        upper = upper->upper;
    }
    if (upper == NULL) {
        weir__stream_on_data(link->stream, buf);
    } else if (!is_mute(upper)) {
        upper->ops->on_data(upper, buf);
    }
    weir_buf_release(buf);
}

/* Law 1: a layer that is not open fails, in its own words where it has any: it knows best what was cut short. */
static void ended_early(weir_link *link)
{
    if (link->ops->on_end != NULL) {
        link->ops->on_end(link);
    }
    if (is_mute(link)) {
        return;
    }
    weir_error *error = weir_error_newf(UV_ECONNRESET, "open", NULL, -1,
                                        "%s: the peer ended the connection before the layer was open", link->ops->name);
    weir_up_failed(link, error);
    weir_error_release(error);
}

void weir_up_end(weir_link *link)
{
    LAW(3, (link->state & LINK_ENDED) == 0);
    if (!may_report(link) || (link->state & LINK_ENDED) != 0) {
        return;
    }
    if (link->lower != NULL && (link->state & LINK_OPEN) == 0) {
        return; /* it passes on what is its own failure: ended_early sees to that */
    }
    LAW(2, (link->state & LINK_READING) != 0);
    link->state |= LINK_ENDED;
    for (weir_link *upper = link->upper; upper != NULL; upper = upper->upper) {
        if (is_mute(upper)) {
            return;
        }
        if ((upper->state & LINK_OPEN) == 0) {
            ended_early(upper);
            return;
        }
        if (upper->ops->on_end != NULL) {
            upper->ops->on_end(upper);
            return;
        }
        upper->state |= LINK_ENDED;
    }
    weir__stream_on_end(link->stream);
}

/*
 * Law 2 for layers that have no word of their own on it: such a one may be read from while it does not read itself, since
 * it holds bytes still, or while it opens. Then the hang-up waits there.
 */
static void pass_hangup(weir_link *link)
{
    for (weir_link *upper = link->upper; upper != NULL; upper = upper->upper) {
        if (is_mute(upper) || (upper->state & LINK_ENDED) != 0) {
            return;
        }
        if (upper->ops->on_hangup != NULL) {
            upper->ops->on_hangup(upper);
            return;
        }
        if ((upper->state & LINK_OPEN) == 0 || (upper->state & LINK_READING) != 0) {
            upper->state |= LINK_GONE_KEPT;
            return;
        }
    }
    weir_stream *stream = link->stream;
    if (!stream->peer_close_seen) {
        stream->peer_close_seen = 1;
        weir__stream_step(stream, STEP_PEER_CLOSE);
    }
}

void weir_up_hangup(weir_link *link)
{
    if (!may_report(link) || (link->state & LINK_HUNG_UP) != 0) {
        return;
    }
    LAW(1, (link->state & LINK_OPEN) != 0);
    LAW(2, (link->state & LINK_READING) == 0);
    LAW(3, (link->state & LINK_ENDED) == 0);
    if ((link->state & (LINK_OPEN | LINK_READING | LINK_ENDED)) != LINK_OPEN) {
        return;
    }
    link->state |= LINK_HUNG_UP;
    pass_hangup(link);
}

static int may_pass_hangup(const weir_link *link)
{
    const uint32_t bits = LINK_GONE_KEPT | LINK_OPEN | LINK_READING | LINK_ENDED;
    return !is_mute(link) && (link->state & bits) == (LINK_GONE_KEPT | LINK_OPEN);
}

void weir__step_hangup(weir_stream *stream)
{
    for (weir_link *link = stream->bottom; link != NULL; link = link->upper) {
        if (may_pass_hangup(link)) {
            link->state &= ~(uint32_t)LINK_GONE_KEPT;
            pass_hangup(link);
        }
    }
}

/* A layer is not asked to take data that nobody wants any more (law 2), so below one there is no 'fd'. */
void weir_up_fds(weir_link *link, const int *fds, size_t fd_count)
{
    link->state |= link->upper == NULL ? LINK_FDS : 0;
    for (size_t i = 0; i < fd_count; i++) {
        weir_event event = {.type = WEIR_EVENT_FD, .fd = fds[i]};
        if (is_mute(link) || link->upper != NULL || weir__stream_emit_event(link->stream, &event) == 0) {
            close(fds[i]); /* unwanted descriptors must not leak (SOCM-59) */
        }
    }
}

/* ---- writing ---- */

/* The link from `link` downwards that takes writes; those that let them pass are marked on the way. */
static weir_link *writer(weir_link *link, uint32_t mark)
{
    while (link != NULL && link->ops->write == NULL) {
        link->state |= mark;
        link = link->lower;
    }
    return link;
}

static ssize_t try_write_on(weir_link *link, const struct iovec *bufs, size_t count)
{
    link = writer(link, 0);
    if (link == NULL || link->ops->try_write == NULL) {
        return UV_EAGAIN;
    }
    LAW(4, (link->state & LINK_WRITING) == 0);
    LAW(6, (link->state & LINK_SHUTTING) == 0);
    if ((link->state & LINK_OPEN) == 0 || is_mute(link)) {
        return UV_EAGAIN;
    }
    return link->ops->try_write(link, bufs, count);
}

static int write_on(weir_link *link, const struct iovec *bufs, size_t count)
{
    weir_link *target = writer(link, 0);
    LAW(4, target != NULL && (target->state & LINK_WRITING) == 0);
    LAW(6, target != NULL && (target->state & LINK_SHUTTING) == 0);
    if (target == NULL || (target->state & LINK_OPEN) == 0 || is_mute(target)) {
        return UV_EPIPE;
    }
    int status = target->ops->write(target, bufs, count);
    if (status == 0) {
        writer(link, LINK_WRITING);
        target->state |= LINK_WRITING;
    }
    return status;
}

void weir_up_written(weir_link *link, int status)
{
    LAW(4, (link->state & LINK_WRITING) != 0);
    LAW(8, (link->state & LINK_CLOSED) == 0);
    if ((link->state & LINK_WRITING) == 0 || (link->state & LINK_CLOSED) != 0) {
        return;
    }
    link->state &= ~(uint32_t)LINK_WRITING;
    for (weir_link *upper = link->upper; upper != NULL; upper = upper->upper) {
        if (upper->ops->on_written != NULL && (upper->state & LINK_CLOSED) == 0) {
            upper->ops->on_written(upper, status);
            return;
        }
        if ((upper->state & LINK_WRITING) == 0) { /* a write of its own, of which nobody above knows */
            return;
        }
        upper->state &= ~(uint32_t)LINK_WRITING;
    }
    weir__stream_on_written(link->stream, status);
}

ssize_t weir__links_try_write(weir_stream *stream, const struct iovec *bufs, size_t count)
{
    return try_write_on(stream->top, bufs, count);
}

int weir__links_write(weir_stream *stream, const struct iovec *bufs, size_t count)
{
    return write_on(stream->top, bufs, count);
}

int weir__links_pass_fds(const weir_stream *stream)
{
    return !stream->adding && stream->bottom != NULL && stream->bottom == stream->top &&
           stream->bottom->ops->write_fds != NULL;
}

int weir__links_owe_data(const weir_stream *stream)
{
    return (stream->bottom->state & LINK_FDS) != 0;
}

int weir__links_write_fds(weir_stream *stream, const struct iovec *bufs, size_t count, const weir__fds *fds)
{
    weir_link *link = stream->bottom;
    LAW(4, (link->state & LINK_WRITING) == 0);
    LAW(6, (link->state & LINK_SHUTTING) == 0);
    LAW(1, (link->state & LINK_OPEN) != 0 && !is_mute(link)); /* or the stream would not write */
    int status = link->ops->write_fds(link, bufs, count, fds->fds, fds->count);
    if (status == 0) {
        link->state |= LINK_WRITING;
    }
    return status;
}

ssize_t weir_down_try_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    return try_write_on(link->lower, bufs, count);
}

int weir_down_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    return write_on(link->lower, bufs, count);
}

static void flush_on(weir_link *link)
{
    for (; link != NULL; link = link->lower) {
        if (link->ops->flush != NULL) {
            if ((link->state & LINK_OPEN) != 0 && !is_mute(link)) {
                link->ops->flush(link);
            }
            return;
        }
    }
}

void weir__links_flush(weir_stream *stream)
{
    flush_on(stream->top);
}

void weir_down_flush(weir_link *link)
{
    flush_on(link->lower);
}

static int shutdown_on(weir_link *link)
{
    for (; link != NULL; link = link->lower) {
        if ((link->state & LINK_OPEN) == 0 || is_mute(link)) {
            return UV_ENOTCONN;
        }
        LAW(6, (link->state & (LINK_SHUTTING | LINK_WRITING)) == 0);
        if (link->ops->shutdown != NULL) {
            int status = link->ops->shutdown(link);
            if (status == 0) {
                link->state |= LINK_SHUTTING; /* behind the call: a shut inside it breaks the law */
            }
            return status;
        }
        link->state |= LINK_SHUTTING;
    }
    return UV_ENOTSUP;
}

int weir__links_shutdown(weir_stream *stream)
{
    return shutdown_on(stream->top);
}

int weir_down_shutdown(weir_link *link)
{
    return shutdown_on(link->lower);
}

void weir_up_shut(weir_link *link, int status)
{
    LAW(6, (link->state & (LINK_SHUTTING | LINK_SHUT)) == LINK_SHUTTING);
    if (!may_report(link) || (link->state & (LINK_SHUTTING | LINK_SHUT)) != LINK_SHUTTING) {
        return;
    }
    link->state |= LINK_SHUT;
    for (weir_link *upper = link->upper; upper != NULL; upper = upper->upper) {
        if (is_mute(upper)) {
            return;
        }
        if (upper->ops->on_shut != NULL) {
            upper->ops->on_shut(upper, status);
            return;
        }
        upper->state |= LINK_SHUT;
    }
    weir__stream_on_shut(link->stream, status);
}

/* ---- ending ---- */

void weir_up_failed(weir_link *link, const weir_error *error)
{
    if (!may_report(link)) {
        return;
    }
    link->state |= LINK_FAILED;
    for (weir_link *upper = link->upper; upper != NULL; upper = upper->upper) {
        if (is_mute(upper)) {
            return;
        }
        if (upper->ops->on_failed != NULL) {
            upper->ops->on_failed(upper, error);
            return;
        }
    }
    weir__stream_link_failed(link->stream, error);
}

/* The first link that is not open says it in its own words, as if the one below it had failed; or else the stream does. */
void weir__links_open_failed(weir_stream *stream, const weir_error *error)
{
    weir_link *link = stream->bottom;
    while (link != NULL && (link->state & LINK_OPEN) != 0) {
        link = link->upper;
    }
    if (link != NULL && link->ops->on_failed != NULL && !is_mute(link)) {
        link->ops->on_failed(link, error);
    }
    if (link == NULL || !is_mute(link)) {
        weir__stream_link_failed(stream, error);
    }
}

void weir__links_close(weir_stream *stream, weir_close_mode mode)
{
    weir__lookup_cancel(stream);
    for (weir_link *link = stream->top; link != NULL; link = link->lower) {
        link->state |= LINK_CLOSING;
        link->state &= ~(uint32_t)LINK_READING;
        if (link->ops->close == NULL) {
            link->state |= LINK_CLOSED;
        } else {
            link->state |= LINK_IN_CLOSE;
            link->ops->close(link, mode);
            link->state &= ~(uint32_t)LINK_IN_CLOSE;
        }
    }
}

void weir_up_closed(weir_link *link)
{
    LAW(8, (link->state & LINK_CLOSING) != 0 && (link->state & (LINK_CLOSED | LINK_IN_CLOSE)) == 0);
    LAW(4,
        (link->state & LINK_WRITING) == 0 || link->ops->write == NULL); /* its own write; not one that it lets pass */
    if ((link->state & LINK_CLOSING) == 0 || (link->state & LINK_CLOSED) != 0) {
        return;
    }
    link->state |= LINK_CLOSED;
    weir__stream_links_closed(link->stream);
}

int weir__links_all_closed(const weir_stream *stream)
{
    for (const weir_link *link = stream->top; link != NULL; link = link->lower) {
        if ((link->state & LINK_CLOSED) == 0) {
            return 0;
        }
    }
    return 1;
}

void weir__links_free(weir_stream *stream)
{
    weir_link *link = stream->top;
    stream->top = NULL;
    stream->bottom = NULL;
    stream->links_hold = 0;
    while (link != NULL) {
        weir_link *lower = link->lower;
        link->ops->free(link);
        link = lower;
    }
}

/* ---- facts, events, the loop ---- */

/* What a layer knows it knows until it is freed; a transport that is closed is about nothing any more. */
static int get_on(weir_link *link, const char *name, weir_value *value)
{
    for (; link != NULL; link = link->lower) {
        if (link->lower == NULL && weir_link_closing(link)) {
            return UV_ENOTCONN;
        }
        int status = link->ops->get == NULL ? UV_ENOENT : link->ops->get(link, name, value);
        if (status != UV_ENOENT) {
            return status;
        }
    }
    return UV_ENOENT;
}

static int set_on(weir_link *link, const char *name, const weir_value *value)
{
    for (; link != NULL; link = link->lower) {
        int status = link->ops->set == NULL ? UV_ENOENT : link->ops->set(link, name, value);
        if (status != UV_ENOENT) {
            return status;
        }
    }
    return UV_ENOENT;
}

int weir__links_get(const weir_stream *stream, const char *name, weir_value *value)
{
    return get_on(stream->top, name, value);
}

int weir__links_set(const weir_stream *stream, const char *name, const weir_value *value)
{
    return set_on(stream->top, name, value);
}

int weir_down_get(weir_link *link, const char *name, weir_value *value)
{
    return get_on(link->lower, name, value);
}

int weir_down_set(weir_link *link, const char *name, const weir_value *value)
{
    return set_on(link->lower, name, value);
}

size_t weir__links_held(const weir_stream *stream)
{
    size_t sum = 0;
    for (const weir_link *link = stream->top; link != NULL; link = link->lower) {
        if (link->ops->held != NULL) {
            size_t to_write = 0;
            size_t to_read = 0;
            link->ops->held(link, &to_write, &to_read);
            LAW(5, to_write <= HELD_MOST && to_read <= HELD_MOST);
            sum += to_write;
        }
    }
    return sum;
}

void weir__links_ref(const weir_stream *stream, int on)
{
    for (weir_link *link = stream->top; link != NULL; link = link->lower) {
        if (link->ops->ref != NULL) {
            link->ops->ref(link, on);
        }
    }
}

void weir_up_notify(weir_link *link, const char *event_name, const void *payload, size_t size)
{
    if (!may_report(link)) {
        return;
    }
    weir_layer_event layer = {.layer = link->ops->name, .name = event_name, .payload = payload, .size = size};
    weir_event event = {.type = WEIR_EVENT_LAYER, .layer = &layer};
    weir__stream_emit_event(link->stream, &event);
}

void weir_up_attempt(weir_link *link, weir_event_type type, const weir_address *address, const weir_error *error,
                     const char *host)
{
    LAW(1, (link->state & LINK_OPENING) != 0 || is_mute(link));
    if (is_mute(link) || (link->state & LINK_OPENING) == 0) {
        return;
    }
    if (type == WEIR_EVENT_LOOKUP && error == NULL) {
        weir__attempts_found(link->stream);
    } else if (type == WEIR_EVENT_CONNECTION_ATTEMPT) {
        weir__attempts_add(link->stream, address);
    }
    weir_event event = {.type = type, .error = error, .address = address, .host = host};
    weir__stream_emit_event(link->stream, &event);
}

void weir_up_activity(weir_link *link)
{
    if (!may_report(link)) {
        return;
    }
    weir__stream_touch(link->stream);
    weir__stream_check_drain(link->stream);
}
