/* SPDX-License-Identifier: MIT */
/*
 * Links that are legal and odd, below streams: layers that lack half of their table, that fail inside of a call or before
 * anybody could be told; and a whole life, over the bare transport and over such layers, of which one allocation fails.
 */
#include <string.h>

#include <weir/layer.h>

#include "counted.h"
#include "linked.h"
#include "plain_plugin.h"
#include "stream_private.h"

/* ---- layers with tables that are legal and odd ---- */

typedef struct odd_link {
    weir_link link;
    weir_runtime *runtime;
    weir_task task;
    char kept[64];
    size_t kept_size;
} odd_link;

static odd_link *self_of(weir_link *link)
{
    return (odd_link *)(void *)link;
}

static weir_link *odd_create(weir_runtime *runtime, const weir_link_ops *ops)
{
    odd_link *self = weir_calloc(1, sizeof(*self));
    if (self == NULL) {
        return NULL;
    }
    self->link.ops = ops;
    self->runtime = runtime;
    return &self->link;
}

static void odd_free(weir_link *link)
{
    weir_free(link);
}

static void tell_closed(weir_task *task)
{
    odd_link *self = (odd_link *)(void *)((char *)task - offsetof(odd_link, task));
    weir_up_closed(&self->link);
}

static void close_on_the_next_tick(weir_link *link, weir_close_mode mode)
{
    (void)mode;
    self_of(link)->task.run = tell_closed;
    weir_runtime_defer(self_of(link)->runtime, &self_of(link)->task);
}

/* Has something to close, and lets writes pass. */
static const weir_link_ops closing_ops = {
    .size = sizeof(weir_link_ops), .name = "closing", .close = close_on_the_next_tick, .free = odd_free};

static void pass_written(weir_link *link, int status)
{
    weir_up_written(link, status);
}

/* Hears of writes that it lets pass, and has nothing to close. */
static const weir_link_ops hearing_ops = {
    .size = sizeof(weir_link_ops), .name = "hearing", .on_written = pass_written, .free = odd_free};

static void keeping_flush(weir_link *link)
{
    odd_link *self = self_of(link);
    struct iovec all = {.iov_base = self->kept, .iov_len = self->kept_size};
    if (self->kept_size > 0) {
        assert_int_equal(weir_down_try_write(link, &all, 1), self->kept_size);
        self->kept_size = 0;
    }
}

static ssize_t keeping_try_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    odd_link *self = self_of(link);
    (void)count;
    size_t room = sizeof(self->kept) - self->kept_size;
    size_t size = bufs->iov_len < room ? bufs->iov_len : room;
    if (size == 0) {
        return UV_EAGAIN;
    }
    memcpy(self->kept + self->kept_size, bufs->iov_base, size);
    self->kept_size += size;
    return (ssize_t)size;
}

static int keeping_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    keeping_flush(link);
    return weir_down_write(link, bufs, count);
}

static void keeping_held(const weir_link *link, size_t *to_write, size_t *to_read)
{
    *to_write = ((const odd_link *)(const void *)link)->kept_size;
    *to_read = 0;
}

/* Collects small writes until it hears that no more are coming. */
static const weir_link_ops keeping_ops = {
    .size = sizeof(weir_link_ops),
    .name = "keeping",
    .try_write = keeping_try_write,
    .write = keeping_write,
    .flush = keeping_flush,
    .held = keeping_held,
    .free = odd_free,
};

static void fail_link(weir_link *link, int code)
{
    weir_error *error = weir_error_new(code, "odd", NULL, -1);
    weir_up_failed(link, error);
    weir_error_release(error);
}

static int breaking_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    (void)bufs;
    (void)count;
    fail_link(link, UV_EIO);
    return UV_EIO;
}

/* Says twice that it is broken: by a report, and by what the call returns. */
static const weir_link_ops breaking_ops = {
    .size = sizeof(weir_link_ops), .name = "breaking", .write = breaking_write, .free = odd_free};

static void hasty_open(weir_link *link)
{
    weir_up_opened(link);
    fail_link(link, UV_EIO);
}

/* Open, and broken before anybody could be told. */
static const weir_link_ops hasty_ops = {
    .size = sizeof(weir_link_ops), .name = "hasty", .open = hasty_open, .free = odd_free};

#define ODD_LAYER(identifier)                                                                              \
    static weir_link *create_##identifier(void *context, weir_runtime *runtime, weir_role role)            \
    {                                                                                                      \
        (void)context;                                                                                     \
        (void)role;                                                                                        \
        return odd_create(runtime, &identifier##_ops);                                                     \
    }                                                                                                      \
    static const weir_layer identifier##_layer = {.size = sizeof(weir_layer),                              \
                                                  .configure = plain_configure,                            \
                                                  .context_free = weir_free,                               \
                                                  .create = create_##identifier};                          \
    static const weir_plugin identifier##_plugin = {WEIR_PLUGIN_HEADER,   .name = #identifier,             \
                                                    .version = "1.0.0",   .description = "odd, for tests", \
                                                    .schema = NO_OPTIONS, .layer = &identifier##_layer}

ODD_LAYER(closing);
ODD_LAYER(hearing);
ODD_LAYER(keeping);
ODD_LAYER(breaking);
ODD_LAYER(hasty);

/* A connection whose client stands on this layer. */
static pair odd_pair(fixture *f, const weir_plugin *layer, unsigned client, unsigned accepted)
{
    assert_code(weir_runtime_register_plugin(f->runtime, layer, NULL), 0);
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    pair p = fixture_connect(f, server, fixture_text(f, "%s+%s", layer->name, fixture_url(f, server)), NULL);
    recorder_add(p.client, client);
    recorder_add(p.accepted, accepted);
    return p;
}

/* ---- callbacks ---- */

static void WR_09_a_layer_without_write_may_close_before_the_transport(void **state)
{
    fixture *f = *state;
    pair p = odd_pair(f, &closing_plugin, RECORD_DATA, 0);
    over_stall(f, p.client);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
}

static void WR_09_a_layer_without_close_does_not_swallow_callbacks(void **state)
{
    fixture *f = *state;
    pair p = odd_pair(f, &hearing_plugin, RECORD_DATA, 0);
    over_stall(f, p.client);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
}

static void WR_09_a_layer_that_fails_inside_write_loses_no_callback(void **state)
{
    fixture *f = *state;
    pair p = odd_pair(f, &breaking_plugin, RECORD_DATA, RECORD_DATA);
    recorder_write(p.client, "abc", 3);
    recorder_write(p.client, "def", 3);
    over_wait_both_closed(p);
    assert_int_equal(p.client->writes_done, 2);
    assert_true(recorder_saw(p.client, "error:EIO"));
}

static void WR_02_a_layer_that_collects_is_told_when_nothing_follows(void **state)
{
    fixture *f = *state;
    pair p = odd_pair(f, &keeping_plugin, 0, RECORD_DATA);
    over_send_text(f, p.client, "hello");
    recorder_expect_data(p.accepted, "hello", 5);
    weir_stream_cork(p.client->stream);
    recorder_write(p.client, "ab", 2);
    recorder_write(p.client, "cd", 2);
    weir_stream_uncork(p.client->stream);
    fixture_turns(f, OVER_TURNS);
    recorder_expect_data(p.accepted, "helloabcd", 9);
}

/* ---- failures that meet ---- */

static void answer(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_write(event->target_stream, "echo", 4, NULL, NULL);
}

static void finish(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_end(event->target_stream, NULL, NULL);
}

/* Data stands before a failure: its listener acts on a stream that is broken already, and the failure stays the first. */
static void BN_06_the_first(fixture *f, weir_listener listener)
{
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, listener, NULL), 0);
    weir_runtime_enter(f->runtime);
    assert_code(weir_stream_unshift(p.accepted->stream, "abc", 3), 0);
    fail_link(p.accepted->stream->top, UV_ECONNRESET);
    weir_runtime_leave(f->runtime);
    over_wait_closed(p.accepted);
    recorder_expect_data(p.accepted, "abc", 3);
    assert_true(recorder_saw(p.accepted, "error:ECONNRESET"));
}

static void BN_06_a_write_behind_a_reset_does_not_hide_it(void **state)
{
    BN_06_the_first(*state, answer);
}

static void BN_06_an_end_behind_a_reset_does_not_hide_it(void **state)
{
    BN_06_the_first(*state, finish);
}

static void TLS_05_an_arrival_that_breaks_before_it_is_told_is_a_client_error(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    assert_code(weir_runtime_register_plugin(f->runtime, &hasty_plugin, NULL), 0);
    weir_server *server = fixture_listen(f, fixture_text(f, "hasty+%s", over_here(f)), NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, counted_event, &noted), 0);
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_add(client, RECORD_DATA);
    over_wait_closed(client);
    assert_int_equal(noted.calls, 1);
    assert_code(noted.status, UV_EIO);
}

/* ---- no memory anywhere ---- */

typedef struct sweep {
    fixture *f;
    const char *here;
    int connected;
} sweep;

static void answer_and_read(const weir_event *event, void *arg)
{
    weir_stream *stream = event->target_stream;
    (void)arg;
    weir_buf *buf = weir_stream_read(stream, 3);
    if (buf != NULL) {
        (void)weir_stream_unshift(stream, buf->data, 1);
        weir_buf_release(buf);
    }
    weir_buf_release(weir_stream_read(stream, 0));
}

static void use_arrival(const weir_event *event, void *arg)
{
    sweep *self = arg;
    self->connected = 1;
    (void)weir_stream_set_timeout(event->stream, 100000, NULL, NULL);
    (void)weir_stream_on(event->stream, WEIR_EVENT_READABLE, answer_and_read, self);
    (void)weir_stream_write(event->stream, "hello", 5, NULL, NULL);
    (void)weir_stream_pipe(event->stream, event->stream, NULL);
}

static void ignore(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

static weir_stream *use_client(sweep *self, const weir_server *server)
{
    char url[256] = ""; /* it may not listen */
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.half_close_timeout = 100000;
    options.connect_timeout = 100000;
    weir_server_format(server, url, sizeof(url));
    weir_stream *client = weir_connect(self->f->runtime, url, &options, NULL, NULL, NULL);
    if (client != NULL) {
        (void)weir_stream_on(client, WEIR_EVENT_ERROR, ignore, self);
        weir_stream_cork(client);
        (void)weir_stream_write(client, "abc", 3, NULL, NULL);
        (void)weir_stream_write(client, "defg", 4, NULL, NULL);
        weir_stream_uncork(client);
        weir_stream_resume(client);
    }
    return client;
}

/* A whole life, of which one allocation fails. */
static void live(void *arg)
{
    sweep *self = arg;
    self->connected = 0;
    weir_server *server = weir_server_new(self->f->runtime, NULL);
    if (server == NULL) {
        return;
    }
    (void)weir_server_on(server, WEIR_EVENT_ERROR, ignore, self);
    (void)weir_server_on(server, WEIR_EVENT_CONNECTION, use_arrival, self);
    (void)weir_server_listen(server, self->here, NULL, NULL);
    fixture_turns(self->f, OVER_TURNS);
    weir_stream *client = use_client(self, server);
    fixture_turns(self->f, OVER_TURNS);
    if (client != NULL) {
        (void)weir_stream_end(client, NULL, NULL);
        fixture_turns(self->f, OVER_TURNS);
        weir_stream_destroy(client, NULL);
        weir_stream_release(client);
    }
    (void)weir_server_close_all(server, 0, NULL, NULL);
    weir_server_release(server);
    fixture_run(self->f);
}

static void LIFE_15_any_allocation_may_fail_in_a_life(void **state)
{
    fixture *f = *state;
    sweep self = {.f = f, .here = over_here(f)};
    live(&self); /* what is made once is made now */
    assert_int_equal(self.connected, 1);
    int descriptors = fixture_descriptors();
    size_t runs = allocator_fail_each(live, &self);
    assert_true(runs > 20);
    assert_int_equal(self.connected, 1);
    assert_int_equal(fixture_descriptors(), descriptors);
}

static void LIFE_15_any_allocation_may_fail_in_a_life_with_layers(void **state)
{
    fixture *f = *state;
    assert_code(weir_runtime_register_plugin(f->runtime, &closing_plugin, NULL), 0);
    assert_code(weir_runtime_register_plugin(f->runtime, &hearing_plugin, NULL), 0);
    sweep self = {.f = f, .here = fixture_text(f, "hearing+closing+%s", over_here(f))};
    live(&self);
    assert_int_equal(self.connected, 1);
    int descriptors = fixture_descriptors();
    allocator_fail_each(live, &self);
    assert_int_equal(self.connected, 1);
    assert_int_equal(fixture_descriptors(), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ALL(WR_09_a_layer_without_close_does_not_swallow_callbacks),
        ON_ALL(WR_09_a_layer_that_fails_inside_write_loses_no_callback),
        ON_ALL(WR_02_a_layer_that_collects_is_told_when_nothing_follows),
        ON_ALL(BN_06_a_write_behind_a_reset_does_not_hide_it),
        ON_ALL(BN_06_an_end_behind_a_reset_does_not_hide_it),
        ON_ALL(TLS_05_an_arrival_that_breaks_before_it_is_told_is_a_client_error),
        ON_ALL(LIFE_15_any_allocation_may_fail_in_a_life),
        ON_ALL(LIFE_15_any_allocation_may_fail_in_a_life_with_layers),
        ON_ALL(WR_09_a_layer_without_write_may_close_before_the_transport),
    };
    return cmocka_run_group_tests_name("stream_odd_links", tests, NULL, NULL);
}
