/* SPDX-License-Identifier: MIT */
/* Streams without memory, without a runtime, without what they ask for: which code comes back, and what is told. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weir/net.h>

#include "../transports/raw_peer.h"
#include "blocks.h"
#include "syscalls.h"

static int tear_down(void **state)
{
    allocator_fail(0, 0);
    syscalls_restore();
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, over_tcp, tear_down)

/* From here to the next `enough` nothing can be allocated. */
static void scarce(void)
{
    allocator_fail(1, 1);
}

static void enough(void)
{
    allocator_fail(0, 0);
}

static void on_called_back(weir_stream *stream, int status, void *arg)
{
    int *called = arg;
    (void)stream;
    called[0]++;
    called[1] = status;
}

/* ---- writing ---- */

/* A failed write waits for data that came before it, unless there is no memory to wait with. */
static void WR_09_a_failed_write_without_memory(void **state)
{
    fixture *f = *state;
    for (size_t nth = 1, failed = 1; failed > 0; nth++) {
        pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
        syscalls_fail(&(syscall_fault){.call = "send", .error = EPIPE});
        allocator_fail(nth, 1);
        int status = weir_stream_write(p.client->stream, "lost", 4, NULL, NULL);
        failed = allocator_failures();
        enough();
        syscalls_restore();
        if (status != 0) {
            assert_code(status, UV_ENOMEM);
            assert_true(failed > 0);
            recorder_destroy(p.client, NULL);
        } else {
            recorder_destroy(p.accepted, NULL); /* what is read to the end is told at once */
        }
        recorder_wait(p.client, WEIR_EVENT_CLOSE);
        assert_int_equal(recorder_saw(p.client, "error:EPIPE") || recorder_saw(p.client, "error:ENOMEM"), status == 0);
        over_wait_closed(p.accepted);
        assert_true(nth < 100);
    }
}

static void refused_writes_without_memory(void **state)
{
    fixture *f = *state;
    int called[2] = {0, 0};
    pair p = over_pair(f, 0, 0);
    weir_stream *stream = p.client->stream;
    scarce();
    assert_code(weir_stream_end(stream, on_called_back, called), UV_ENOMEM);
    assert_code(weir_stream_end_with(stream, "x", 1, on_called_back, called), UV_ENOMEM);
    assert_code(weir_stream_write(stream, "x", 1, on_called_back, called), UV_ENOMEM);
    enough();
    assert_int_equal(weir_stream_writable_ended(stream), 0);
    recorder_destroy(p.client, NULL);
    scarce();
    assert_code(weir_stream_write(stream, "x", 1, on_called_back, called), UV_ENOMEM);
    assert_code(weir_stream_end(stream, on_called_back, called), UV_ENOMEM);
    assert_code(weir_stream_write(stream, "x", 1, NULL, NULL), 0); /* nobody is to be told */
    enough();
    assert_code(weir_stream_write(stream, "x", 1, on_called_back, called), 0);
    over_wait_closed(p.client);
    assert_int_equal(called[0], 1);
    assert_code(called[1], WEIR_ESTREAM_DESTROYED);
}

/* The write has failed and waits for data; the first end was in time, and the others come behind it. */
static void WR_18_ends_of_a_failed_stream_without_memory(void **state)
{
    fixture *f = *state;
    int called[2] = {0, 0};
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_stream *stream = p.client->stream;
    weir_stream_cork(stream);
    assert_true(weir_stream_write(stream, "lost", 4, NULL, NULL) >= 0);
    syscalls_fail(&(syscall_fault){.call = "send", .error = EPIPE});
    assert_code(weir_stream_end(stream, on_called_back, called), 0);
    fixture_turns(f, 2);
    assert_int_equal(syscalls_failures(), 1);
    syscalls_restore();
    assert_int_equal(weir_stream_destroyed(stream), 0);
    scarce();
    assert_code(weir_stream_end(stream, on_called_back, called), UV_ENOMEM);
    assert_code(weir_stream_end_with(stream, "x", 1, on_called_back, called), UV_ENOMEM);
    enough();
    assert_code(weir_stream_end_with(stream, NULL, 1, on_called_back, called), WEIR_ESTREAM_NULL_VALUES);
    recorder_destroy(p.accepted, NULL);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_int_equal(called[0], 1);
    assert_code(called[1], UV_EPIPE);
    over_wait_closed(p.accepted);
}

static void SOCM_57_after_the_runtime_nobody_calls_back(void **state)
{
    fixture *f = *state;
    int called[2] = {0, 0};
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    fixture_end(f);
    assert_code(weir_stream_write(stream, "x", 1, on_called_back, called), UV_ECANCELED);
    assert_code(weir_stream_end(stream, on_called_back, called), UV_ECANCELED);
    assert_code(weir_stream_write(stream, "x", 1, NULL, NULL), 0);
    assert_int_equal(called[0], 0);
    weir_stream_release(stream);
}

static void BN_07_a_buffer_that_is_too_much_for_the_queue(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.max_write_queue = 4;
    pair p = over_pair_with(f, 0, &options, RECORD_DATA, NULL);
    weir_buf *five = weir_buf_copy("12345", 5);
    assert_code(weir_stream_write_buf(p.client->stream, five, NULL, NULL), WEIR_EWRITEQUEUEFULL);
    assert_code(weir_stream_write_buf(NULL, five, NULL, NULL), UV_EINVAL);
    five->size = 4;
    assert_code(weir_stream_write_buf(p.client->stream, five, NULL, NULL), 1);
    weir_buf_release(five);
    recorder_wait_data(p.accepted, 4);
    recorder_expect_data(p.accepted, "1234", 4);
}

/* ---- timers ---- */

static void on_scarce(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
    scarce();
}

static void on_enough(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
    enough();
}

/* After 'finish' the peer's end is waited for, by a timer. */
static void BN_04_a_half_closed_stream_without_memory_for_its_timer(void **state)
{
    fixture *f = *state;
    weir_stream_options options = over_half_open();
    options.half_close_timeout = 3600000;
    weir_server_options half_open;
    weir_server_options_init(&half_open);
    half_open.stream = over_half_open();
    pair p = over_pair_with(f, RECORD_DATA, &options, RECORD_DATA, &half_open);
    assert_code(weir_stream_on(p.client->stream, WEIR_EVENT_FINISH, on_scarce, NULL), 0);
    assert_code(weir_stream_on(p.client->stream, WEIR_EVENT_ERROR, on_enough, NULL), 0);
    recorder_end(p.client);
    over_wait_closed(p.client);
    over_expect_tail(p.client, "e1 finish error:ENOMEM close:error");
    recorder_end(p.accepted);
    over_wait_closed(p.accepted);
}

enum { DUMMIES = 100000 };

static void do_nothing(weir_timer *timer)
{
    (void)timer;
}

/* The runtime has timers as many as it has room for; then there is memory again. */
static weir_timer *use_up_timers(fixture *f)
{
    weir_timer *dummies = calloc(DUMMIES, sizeof(*dummies));
    size_t count = 0;
    assert_non_null(dummies);
    scarce();
    while (count < DUMMIES) {
        dummies[count].run = do_nothing;
        if (weir_timer_start(f->runtime, &dummies[count], 3600000) != 0) {
            break;
        }
        count++;
    }
    enough();
    assert_true(count < DUMMIES);
    return dummies;
}

static void free_timers(fixture *f, weir_timer *dummies)
{
    for (size_t i = 0; i < DUMMIES; i++) {
        weir_timer_stop(f->runtime, &dummies[i]);
    }
    free(dummies);
}

/* The first activity after 'timeout' begins a new idle time. */
static void SOCM_41_an_idle_time_that_cannot_begin_anew(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_set_timeout(p.client->stream, 1, NULL, NULL), 0);
    recorder_wait(p.client, WEIR_EVENT_TIMEOUT);
    weir_timer *dummies = use_up_timers(f);
    scarce();
    assert_true(weir_stream_write(p.client->stream, "gone all the same", 17, NULL, NULL) >= 0);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 1);
    enough();
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    over_expect_tail(p.client, "timeout error:ENOMEM close:error");
    recorder_wait_data(p.accepted, 17);
    free_timers(f, dummies);
    over_wait_closed(p.accepted);
}

/* ---- connecting ---- */

typedef struct connecting {
    fixture *f;
    const char *endpoint;
    int listener;
    int over;
    int connected;
    int code;
} connecting;

static void on_outcome(const weir_event *event, void *arg)
{
    connecting *c = arg;
    if (event->type == WEIR_EVENT_CONNECT) {
        c->connected = 1;
        weir_stream_destroy(event->target_stream, NULL);
    } else if (event->type == WEIR_EVENT_ERROR) {
        c->code = event->error->code;
    } else {
        c->over = 1;
    }
}

static void connect_once(void *arg)
{
    connecting *c = arg;
    c->over = c->connected = c->code = 0;
    weir_stream *stream = weir_stream_new(c->f->runtime, NULL);
    int begun = stream != NULL && weir_stream_on(stream, WEIR_EVENT_CLOSE, on_outcome, c) == 0 &&
                weir_stream_on(stream, WEIR_EVENT_ERROR, on_outcome, c) == 0 &&
                weir_stream_on(stream, WEIR_EVENT_CONNECT, on_outcome, c) == 0;
    int status = begun ? weir_stream_connect(stream, c->endpoint, NULL, NULL) : UV_ENOMEM;
    if (status == 0) {
        fixture_until(c->f, &c->over);
        assert_int_not_equal(c->connected, c->code == UV_ENOMEM);
    } else {
        assert_code(status, UV_ENOMEM);
    }
    assert_true(c->connected || allocator_failures() > 0);
    if (c->connected) {
        close(accept(c->listener, NULL, NULL));
    }
    weir_stream_release(stream);
    fixture_turns(c->f, 10);
}

static void CONN_03_every_allocation_of_a_connect_with_options_fails(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    connecting c = {.f = f, .listener = raw_listen(&port, 5)};
    c.endpoint = fixture_text(f,
                              "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %d}, \"stream\": {\"timeout\": 3600000, "
                              "\"connectTimeout\": 3600000, \"blockList\": [\"192.0.2.0/24\"]}}",
                              port);
    connect_once(&c);
    assert_int_equal(c.connected, 1);
    assert_true(allocator_fail_each(connect_once, &c) > 10);
    close(c.listener);
}

static void CONN_01_what_cannot_be_connected(void **state)
{
    fixture *f = *state;
    int code = 0;
    weir_endpoint *endpoint = NULL;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_null(weir_connect(NULL, "tcp://127.0.0.1:1", NULL, NULL, NULL, &code));
    assert_code(code, UV_EINVAL);
    assert_null(weir_stream_adopt(NULL, 0, NULL, NULL, &code));
    assert_code(code, UV_EINVAL);
    assert_code(weir_endpoint_parse(f->runtime, "tcp://127.0.0.1:0", WEIR_SERVER, NULL, &endpoint, NULL), 0);
    assert_code(weir_stream_connect_endpoint(stream, endpoint, NULL, NULL), UV_EINVAL);
    assert_code(weir_stream_connect_endpoint(stream, NULL, NULL, NULL), UV_EINVAL);
    assert_code(weir_stream_connect_endpoint(NULL, endpoint, NULL, NULL), UV_EINVAL);
    weir_endpoint_release(endpoint);
    assert_int_equal(weir_stream_pending(stream), 1);
    weir_stream_release(stream);
}

typedef struct late {
    weir_runtime *runtime;
    int asked;
    int codes[3];
} late;

static void connect_at_the_end(const weir_event *event, void *arg)
{
    late *l = arg;
    weir_connect_options options;
    (void)event;
    weir_connect_options_init(&options);
    options.port = 1;
    assert_null(weir_connect(l->runtime, "tcp://127.0.0.1:1", NULL, NULL, NULL, &l->codes[0]));
    assert_null(weir_stream_adopt(l->runtime, 0, NULL, NULL, &l->codes[1]));
    assert_null(weir_create_connection(l->runtime, &options, NULL, NULL, NULL, &l->codes[2]));
    l->asked = 1;
}

static void CONN_36_SOCK_04_no_stream_begins_while_the_runtime_ends(void **state)
{
    fixture *f = *state;
    late l = {.runtime = f->runtime};
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_on(p.client->stream, WEIR_EVENT_CLOSE, connect_at_the_end, &l), 0);
    fixture_end(f);
    assert_int_equal(l.asked, 1);
    for (int i = 0; i < 3; i++) {
        assert_code(l.codes[i], UV_ECANCELED);
    }
}

/* ---- reading ---- */

/* Both pieces are there before the first is looked at. */
static void read_all_of_more_than_the_limit(void **state)
{
    fixture *f = *state;
    weir_buf *all = NULL;
    pair p = over_pair(f, 0, 0);
    weir_stream_pause(p.accepted->stream);
    weir_stream_refill(p.accepted->stream);
    recorder_write(p.client, "first ", 6);
    fixture_turns(f, OVER_TURNS);
    recorder_write(p.client, "second", 6);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 12);
    assert_code(weir_stream_read_all(p.accepted->stream, 5, &all), UV_ENOBUFS);
    assert_null(all);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
}

/* What the old decoder holds is not lost where there is no memory for the new one. */
static void SOCM_28_an_encoding_that_cannot_be_changed_stays(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    weir_stream *stream = p.accepted->stream;
    int status = UV_ENOMEM;
    assert_code(weir_stream_set_encoding(stream, "utf16le"), 0);
    recorder_write(p.client, "a", 1);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_bytes_read(stream), 1);
    for (size_t nth = 1; status != 0; nth++) {
        allocator_fail(nth, 0);
        status = weir_stream_set_encoding(stream, "hex");
        int failed = allocator_failures() > 0;
        enough();
        assert_code(status, failed ? UV_ENOMEM : 0);
        assert_string_equal(weir_stream_encoding(stream), failed ? "utf16le" : "hex");
    }
    recorder_write(p.client, "b", 1);
    recorder_wait_data(p.accepted, 4);
    recorder_expect_data(p.accepted, "6162", 4);
}

static void pause_when_asked(weir_stream *stream, blocks *r)
{
    weir_stream_pause(stream);
    r->act_asked = NULL;
}

/* What came through a layer waits in the buffer, and the block is asked for it. */
static void SOCK_12_reading_that_stops_while_a_block_is_asked_for(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    blocks_begin(&r, 16);
    options.stream.onread = blocks_two(&r);
    f->record = 0;
    weir_server *server = fixture_listen(f, fixture_text(f, "chaos+%s?seed=1", over_here(f)), &options);
    pair p = fixture_connect(f, server, fixture_text(f, "chaos+%s?seed=2", fixture_url(f, server)), NULL);
    r.act_asked = pause_when_asked;
    recorder_write(p.client, "waits", 5);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(r.asked, 1);
    assert_int_equal(r.data_size, 0);
    assert_int_equal(weir_stream_is_paused(p.accepted->stream), 1);
    recorder_resume(p.accepted);
    blocks_wait(f, &r, 5);
    blocks_expect(&r, "waits", 5);
    blocks_begin(&r, 1);
}

static void what_links_are_asked_where_there_are_none(void **state)
{
    fixture *f = *state;
    weir_value value = {.type = WEIR_VALUE_BOOLEAN, .number = 1};
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_get(NULL, "noDelay", &value), UV_EINVAL);
    assert_code(weir_stream_get(stream, NULL, &value), UV_EINVAL);
    assert_code(weir_stream_set(NULL, "noDelay", &value), UV_EINVAL);
    assert_code(weir_stream_set(stream, "noDelay", NULL), UV_EINVAL);
    assert_code(weir_stream_set(stream, "noDelay", &value), UV_ENOTCONN);
    assert_code(weir_stream_get(stream, "noDelay", &value), UV_ENOTCONN);
    weir_stream_release(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(WR_09_a_failed_write_without_memory),
        TEST(refused_writes_without_memory),
        TEST(WR_18_ends_of_a_failed_stream_without_memory),
        TEST(SOCM_57_after_the_runtime_nobody_calls_back),
        TEST(BN_07_a_buffer_that_is_too_much_for_the_queue),
        TEST(BN_04_a_half_closed_stream_without_memory_for_its_timer),
        TEST(SOCM_41_an_idle_time_that_cannot_begin_anew),
        TEST(CONN_03_every_allocation_of_a_connect_with_options_fails),
        TEST(CONN_01_what_cannot_be_connected),
        TEST(CONN_36_SOCK_04_no_stream_begins_while_the_runtime_ends),
        TEST(read_all_of_more_than_the_limit),
        TEST(SOCM_28_an_encoding_that_cannot_be_changed_stays),
        TEST(SOCK_12_reading_that_stops_while_a_block_is_asked_for),
        TEST(what_links_are_asked_where_there_are_none),
    };
    return cmocka_run_group_tests_name("stream failures", tests, NULL, NULL);
}
