/* SPDX-License-Identifier: MIT */
/* What receiving looks like from outside, after Node's socket: 'data', 'end', back pressure, marks, what can be asked. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/layer.h>

#include "over.h"
#include "plain_plugin.h"

#define GIBIBYTE ((size_t)1024 * 1024 * 1024)

/* ---- 'data' ---- */

static void SOCK_25_data_is_what_the_peer_wrote(void **state)
{
    static char bytes[100000];
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_fill(bytes, sizeof(bytes), 25);
    recorder_write(p.client, bytes, sizeof(bytes));
    recorder_wait_data(p.accepted, sizeof(bytes));
    recorder_expect_data(p.accepted, bytes, sizeof(bytes));
}

static void SOCK_26_flowing_without_a_listener_data_is_lost(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    recorder_resume(p.accepted);
    over_send_text(f, p.client, "lost");
    recorder_add(p.accepted, RECORD_DATA);
    over_send_text(f, p.client, "kept");
    recorder_expect_data(p.accepted, "kept", 4);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 8);
}

static void SOCK_26_without_consumer_nothing_flows_and_nothing_is_lost(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    size_t size = over_stall(f, p.client);
    recorder_expect(p.accepted, "");
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, size);
    over_expect_stalled_data(p.accepted, size);
}

/* ---- 'end' ---- */

static void SOCK_28_end_comes_when_the_peer_has_ended_and_all_is_consumed(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    over_send_text(f, p.client, "last words");
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    recorder_pause(p.accepted);
    recorder_write(p.client, "!", 1);
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    recorder_resume(p.accepted);
    over_wait_both_closed(p);
    recorder_expect(p.accepted, "resume data:10 pause peerClose resume data:1 end finish close");
    assert_int_equal(weir_stream_readable_ended(p.accepted->stream), 1);
}

/* More than the kernel takes is still to be sent when the peer's end comes. */
static void SOCK_29_our_end_follows_after_what_is_still_to_be_sent(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    pair p = over_pair_with(f, 0, &options, RECORD_DATA, NULL);
    size_t size = over_stall(f, p.accepted);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_writable_ended(p.accepted->stream), 1);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_FINISH], 0);
    recorder_add(p.client, RECORD_DATA);
    over_wait_both_closed(p);
    assert_int_equal(p.client->data_size, size);
    over_expect_stalled_data(p.client, size);
    over_expect_tail(p.accepted, "finish close");
}

static void SOCK_30_half_open_nothing_is_ended_by_itself(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    pair p = over_pair_with(f, RECORD_DATA, NULL, RECORD_DATA, &options);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_writable(p.accepted->stream), 1);
    over_send_text(f, p.accepted, "as much ");
    over_send_text(f, p.accepted, "as we like");
    assert_int_equal(p.accepted->counts[WEIR_EVENT_CLOSE], 0);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
    recorder_expect_data(p.client, "as much as we like", 18);
}

/* ---- pause() and resume() ---- */

static void SOCM_19_SOCM_21_pause_stops_data_and_resume_goes_on(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    over_send_text(f, p.client, "one");
    recorder_pause(p.accepted);
    over_send_text(f, p.client, "two");
    over_send_text(f, p.client, "three");
    recorder_expect_data(p.accepted, "one", 3);
    recorder_resume(p.accepted);
    recorder_wait_data(p.accepted, 11);
    recorder_expect_data(p.accepted, "onetwothree", 11);
    recorder_expect(p.accepted, "resume data:3 pause resume data:8");
}

static void SOCM_20_a_paused_reader_is_felt_by_the_peer(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    recorder_pause(p.accepted);
    size_t size = over_stall(f, p.client);
    assert_true(weir_stream_writable_length(p.client->stream) > 0);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 0); /* the descriptor itself is not read */
    recorder_resume(p.accepted);
    recorder_wait_data(p.accepted, size);
    over_expect_stalled_data(p.accepted, size);
}

/* ---- marks ---- */

static void SOCK_17_marks_pass_through_to_the_stream(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    weir_stream_options options;
    f->record = 0;
    weir_stream_options_init(&options);
    options.readable_high_water_mark = 1000;
    options.writable_high_water_mark = 2000;
    pair p = fixture_connect(f, server, NULL, &options);
    assert_int_equal(weir_stream_readable_high_water_mark(p.client->stream), 1000);
    assert_int_equal(weir_stream_writable_high_water_mark(p.client->stream), 2000);
    p = fixture_connect(f, server, fixture_text(f, "%s?highWaterMark=3000", url), &options);
    assert_int_equal(weir_stream_readable_high_water_mark(p.client->stream), 3000);
    assert_int_equal(weir_stream_writable_high_water_mark(p.client->stream), 3000);
    p = fixture_connect(f, server, fixture_text(f, "%s?readableHighWaterMark=1&writableHighWaterMark=2", url), NULL);
    assert_int_equal(weir_stream_readable_high_water_mark(p.client->stream), 1);
    assert_int_equal(weir_stream_writable_high_water_mark(p.client->stream), 2);
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_connect(stream, fixture_text(f, "%s?objectMode=true", url), NULL, NULL),
                WEIR_EINVALID_CONFIG);
    weir_stream_release(stream);
}

static void RD_13_the_mark_is_raised_to_a_gibibyte_at_most(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_null(weir_stream_read(stream, 16385));
    assert_int_equal(weir_stream_readable_high_water_mark(stream), 32768);
    assert_null(weir_stream_read(stream, 32768));
    assert_int_equal(weir_stream_readable_high_water_mark(stream), 32768);
    assert_null(weir_stream_read(stream, GIBIBYTE / 2 + 1));
    assert_int_equal(weir_stream_readable_high_water_mark(stream), GIBIBYTE);
    assert_null(weir_stream_read(stream, SIZE_MAX));
    assert_int_equal(weir_stream_readable_high_water_mark(stream), GIBIBYTE);
    weir_stream_release(stream);
    weir_stream_options_init(&options);
    options.readable_high_water_mark = GIBIBYTE + 1;
    stream = weir_stream_new(f->runtime, &options);
    assert_null(weir_stream_read(stream, SIZE_MAX));
    assert_int_equal(weir_stream_readable_high_water_mark(stream), GIBIBYTE + 1); /* never lowered */
    weir_stream_release(stream);
}

/* ---- what can be asked ---- */

static void RD_21_aborted_is_destroyed_before_the_end(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_int_equal(weir_stream_readable_aborted(p.accepted->stream), 0);
    recorder_end(p.client);
    over_wait_both_closed(p);
    assert_int_equal(weir_stream_readable_aborted(p.accepted->stream), 0);
    p = over_pair(f, 0, 0);
    recorder_destroy(p.accepted, NULL);
    assert_int_equal(weir_stream_readable_aborted(p.accepted->stream), 1);
    over_wait_closed(p.accepted);
    assert_int_equal(weir_stream_readable_aborted(p.accepted->stream), 1);
    over_destroy_with(p.client, UV_EPROTO);
    over_wait_closed(p.client);
    assert_int_equal(weir_stream_readable_aborted(p.client->stream), 1);
}

static void RD_21_did_read_is_true_once_data_has_gone_out(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, RECORD_DATA, RECORD_READABLE);
    over_send_text(f, p.client, "hello");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 5);
    assert_int_equal(weir_stream_readable_did_read(p.accepted->stream), 0);
    assert_null(weir_stream_read(p.accepted->stream, 6));
    assert_int_equal(weir_stream_readable_did_read(p.accepted->stream), 0);
    weir_buf_release(weir_stream_read(p.accepted->stream, 1));
    assert_int_equal(weir_stream_readable_did_read(p.accepted->stream), 1);
    assert_int_equal(weir_stream_readable_did_read(p.client->stream), 0);
    over_send_text(f, p.accepted, "hello");
    assert_int_equal(weir_stream_readable_did_read(p.client->stream), 1);
    recorder_end(p.client);
    weir_buf_release(weir_stream_read(p.accepted->stream, 0));
    over_wait_both_closed(p);
    assert_int_equal(weir_stream_readable_did_read(p.client->stream), 1);
}

/* ---- a link that does not stop ---- */

typedef struct late {
    weir_link link;
    weir_task closing;
} late;

static void tell_closed(weir_task *task)
{
    weir_up_closed(&((late *)(void *)((char *)task - offsetof(late, closing)))->link);
}

static void late_open(weir_link *link)
{
    weir_up_opened(link);
}

static void late_close(weir_link *link, weir_close_mode mode)
{
    (void)mode;
    weir_runtime_defer(weir_link_runtime(link), &((late *)(void *)link)->closing);
}

/* Reports the end, and then, against law 3, data and one more end. */
static void late_end(weir_link *link)
{
    weir_buf *buf = weir_buf_copy("late", 4);
    weir_up_end(link);
    if (!weir_link_closing(link)) {
        weir_up_data(link, buf);
    }
    if (!weir_link_closing(link)) {
        weir_up_end(link);
    }
    weir_buf_release(buf);
}

static void late_free(weir_link *link)
{
    weir_free(link);
}

static const weir_link_ops late_ops = {.size = sizeof(weir_link_ops),
                                       .name = "late",
                                       .open = late_open,
                                       .close = late_close,
                                       .free = late_free,
                                       .on_end = late_end};

static weir_link *late_create(void *context, weir_runtime *runtime, weir_role role)
{
    late *self = weir_calloc(1, sizeof(*self));
    (void)context;
    (void)runtime;
    (void)role;
    if (self != NULL) {
        self->link.ops = &late_ops;
        self->closing.run = tell_closed;
    }
    return &self->link;
}

static const weir_layer late_layer = {
    .size = sizeof(weir_layer), .configure = plain_configure, .context_free = weir_free, .create = late_create};

static const weir_plugin late_plugin = {
    WEIR_PLUGIN_HEADER, .name = "late",       .version = "1.0.0", .description = "goes on after its end, for tests",
    .schema = "{}",     .layer = &late_layer,
};

static void listen_to_a_late_link(fixture *f)
{
    assert_code(weir_runtime_register_plugin(f->runtime, &late_plugin, NULL), 0);
    f->record = RECORD_DATA;
    weir_server *server = over_listen(f, NULL);
    pair p = fixture_connect(f, server, fixture_text(f, "late+%s", fixture_url(f, server)), NULL);
    recorder_write(p.accepted, "in time", 7);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
    recorder_expect_data(p.client, "in time", 7);
    assert_int_equal(weir_stream_bytes_read(p.client->stream), 7);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 1);
}

/* A build that asserts the laws ends at the place that breaks them. */
static void RD_24_data_after_the_end_reaches_nobody(void **state)
{
    fixture *f = *state;
#ifdef WEIR_DEBUG
    static const struct rlimit no_core;
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        uv_loop_fork(&f->loop);
        if (freopen("/dev/null", "w", stderr) != NULL) {
            listen_to_a_late_link(f);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
#else
    listen_to_a_late_link(f);
#endif
}

/* ---- a layer that keeps what it is given ---- */

typedef struct keeper {
    weir_link link;
    weir_task hand_on;
    weir_task closing;
    weir_buf *kept[64]; /* a reference each, and no copy */
    size_t count;
    int ended;
} keeper;

static keeper *keeper_of(weir_link *link)
{
    return (keeper *)(void *)link;
}

static void hand_on(weir_task *task)
{
    keeper *self = (keeper *)(void *)((char *)task - offsetof(keeper, hand_on));
    while (self->count > 0 && weir_link_reading(&self->link)) {
        weir_buf *first = self->kept[0];
        memmove(self->kept, self->kept + 1, --self->count * sizeof(self->kept[0]));
        weir_up_data(&self->link, first);
        weir_buf_release(first);
    }
    if (self->count == 0 && self->ended && weir_link_reading(&self->link)) {
        self->ended = 0;
        weir_up_end(&self->link);
    }
}

static void later(weir_link *link)
{
    weir_runtime_defer(weir_link_runtime(link), &keeper_of(link)->hand_on);
}

static void keeper_data(weir_link *link, weir_buf *buf)
{
    keeper *self = keeper_of(link);
    assert_true(self->count < sizeof(self->kept) / sizeof(self->kept[0]));
    self->kept[self->count++] = weir_buf_retain(buf);
    later(link);
}

static void keeper_end(weir_link *link)
{
    keeper_of(link)->ended = 1;
    later(link);
}

static void keeper_read_start(weir_link *link)
{
    weir_down_read_start(link);
    later(link);
}

static void keeper_closed(weir_task *task)
{
    weir_up_closed(&((keeper *)(void *)((char *)task - offsetof(keeper, closing)))->link);
}

static void keeper_close(weir_link *link, weir_close_mode mode)
{
    (void)mode;
    weir_runtime_cancel(weir_link_runtime(link), &keeper_of(link)->hand_on);
    weir_runtime_defer(weir_link_runtime(link), &keeper_of(link)->closing);
}

static void keeper_free(weir_link *link)
{
    keeper *self = keeper_of(link);
    while (self->count > 0) {
        weir_buf_release(self->kept[--self->count]);
    }
    weir_free(self);
}

static const weir_link_ops keeper_ops = {.size = sizeof(weir_link_ops),
                                         .name = "keeper",
                                         .open = late_open,
                                         .read_start = keeper_read_start,
                                         .read_stop = weir_down_read_stop,
                                         .close = keeper_close,
                                         .free = keeper_free,
                                         .on_data = keeper_data,
                                         .on_end = keeper_end};

static weir_link *keeper_create(void *context, weir_runtime *runtime, weir_role role)
{
    keeper *self = weir_calloc(1, sizeof(*self));
    (void)context;
    (void)runtime;
    (void)role;
    if (self != NULL) {
        self->link.ops = &keeper_ops;
        self->hand_on.run = hand_on;
        self->closing.run = keeper_closed;
    }
    return &self->link;
}

static const weir_layer keeper_layer = {
    .size = sizeof(weir_layer), .configure = plain_configure, .context_free = weir_free, .create = keeper_create};

static const weir_plugin keeper_plugin = {
    WEIR_PLUGIN_HEADER, .name = "keeper",       .version = "1.0.0", .description = "keeps what it gets, for tests",
    .schema = "{}",     .layer = &keeper_layer,
};

typedef struct block {
    char memory[1000];
    char data[100000];
    size_t size;
} block;

static weir_onread_result take_block(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    block *b = arg;
    (void)stream;
    assert_ptr_equal(buffer, b->memory);
    assert_in_range(count, 1, sizeof(b->data) - b->size);
    memcpy(b->data + b->size, buffer, count);
    b->size += count;
    return WEIR_ONREAD_CONTINUE;
}

/* The application's block is no memory for it: it is used again before the layer has done with it. */
static void SOCK_11_a_layer_below_may_keep_what_is_read(void **state)
{
    static block b;
    static char bytes[sizeof(b.data)];
    fixture *f = *state;
    weir_server_options options;
    b.size = 0;
    weir_server_options_init(&options);
    options.stream.onread = (weir_onread){b.memory, sizeof(b.memory), NULL, take_block, &b};
    assert_code(weir_runtime_register_plugin(f->runtime, &keeper_plugin, NULL), 0);
    f->record = 0;
    weir_server *server = fixture_listen(f, fixture_text(f, "keeper+%s", over_here(f)), &options);
    pair p = fixture_connect(f, server, NULL, NULL);
    fixture_fill(bytes, sizeof(bytes), 11);
    recorder_write(p.client, bytes, sizeof(bytes));
    recorder_end(p.client);
    over_wait_closed(p.accepted);
    assert_int_equal(b.size, sizeof(bytes));
    assert_memory_equal(b.data, bytes, sizeof(bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(SOCK_25_data_is_what_the_peer_wrote),
        OVER_ALL(SOCK_26_flowing_without_a_listener_data_is_lost),
        OVER_ALL(SOCK_26_without_consumer_nothing_flows_and_nothing_is_lost),
        OVER_ALL(SOCK_28_end_comes_when_the_peer_has_ended_and_all_is_consumed),
        OVER_ALL(SOCK_29_our_end_follows_after_what_is_still_to_be_sent),
        OVER_ALL(SOCK_30_half_open_nothing_is_ended_by_itself),
        OVER_ALL(SOCM_19_SOCM_21_pause_stops_data_and_resume_goes_on),
        OVER_ALL(SOCM_20_a_paused_reader_is_felt_by_the_peer),
        OVER_ALL(SOCK_17_marks_pass_through_to_the_stream),
        FIXTURE_TEST(RD_13_the_mark_is_raised_to_a_gibibyte_at_most),
        OVER_ALL(RD_21_aborted_is_destroyed_before_the_end),
        OVER_ALL(RD_21_did_read_is_true_once_data_has_gone_out),
        OVER_ALL(SOCK_11_a_layer_below_may_keep_what_is_read),
        OVER_ALL(RD_24_data_after_the_end_reaches_nobody),
    };
    return cmocka_run_group_tests_name("stream_receiving", tests, NULL, NULL);
}
