/* SPDX-License-Identifier: MIT */
/* Data through a TLS layer: counters, writes that are done when they have left, and bounds of memory and of a turn. */
#include <stdlib.h>

#include "allocator.h"
#include "tls_world.h"

static void TLS_18_counters_are_of_the_plaintext(void **state)
{
    fixture *f = *state;
    static char bytes[100000];
    pair p = tls_pair(f, SERVES, TRUSTS ", \"ciphers\": [\"FAKE_RECORD=100\"]");
    fixture_fill(bytes, sizeof(bytes), 1);
    recorder_write(p.client, bytes, sizeof(bytes));
    recorder_wait_data(p.accepted, sizeof(bytes));
    recorder_expect_data(p.accepted, bytes, sizeof(bytes));
    recorder_wait_writes(p.client, 1);
    assert_int_equal(weir_stream_bytes_written(p.client->stream), sizeof(bytes));
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), sizeof(bytes));
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

/* A write is only done when the kernel has it: what is written before a destroy and was called done arrives. */
static void TLS_18_a_write_is_done_when_it_has_left(void **state)
{
    fixture *f = *state;
    static char bytes[60000];
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "done", 9000, SERVES), NULL);
    pair p =
        fixture_connect(f, server, tls_mem_endpoint(f, "done", 9000, TRUSTS ", \"servername\": \"localhost\""), NULL);
    recorder_pause(p.accepted);
    fixture_turns(f, TURNS);
    recorder_write(p.client, bytes, sizeof(bytes));
    fixture_turns(f, TURNS);
    assert_false(recorder_saw(p.client, "w1"));
    size_t length = weir_stream_writable_length(p.client->stream);
    assert_true(length > sizeof(bytes) - 9000 && length < sizeof(bytes) + 1000);
    recorder_resume(p.accepted);
    recorder_wait_writes(p.client, 1);
    recorder_destroy(p.client, NULL);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, bytes, sizeof(bytes));
}

static void TLS_18_both_ways_at_once_through_a_slow_reader_memory_is_bounded(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    fixture *f = *state;
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    fixture_fill(bytes, SIZE, 9);
    weir_stream_options slow;
    weir_stream_options_init(&slow);
    slow.readable_high_water_mark = 4096;
    slow.allow_half_open = 1;
    f->record = 0;
    weir_server *server = tls_server(f, SERVES);
    pair p = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), &slow);
    assert_code(weir_stream_pipe(p.accepted->stream, p.accepted->stream, NULL), 0);
    recorder_write(p.client, bytes, SIZE);
    recorder_end(p.client);
    size_t got = 0;
    while (got < SIZE) {
        fixture_turns(f, 1);
        assert_false(f->expired);
        /* what waits at the server is what a pipe lets wait: the mark and a few records */
        assert_true(weir_stream_writable_length(p.accepted->stream) < (size_t)512 * 1024);
        weir_buf *buf = weir_stream_read(p.client->stream, 0);
        if (!buf)
            continue;
        assert_true(buf->size <= SIZE - got);
        assert_memory_equal(buf->data, bytes + got, buf->size);
        got += buf->size;
        weir_buf_release(buf);
    }
    recorder_add(p.client, RECORD_DATA);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    free(bytes);
}

/* Of one large write no more is encrypted than may wait in the queue: the rest waits as it was given. */
static void TLS_18_a_large_write_is_not_encrypted_ahead(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    fixture *f = *state;
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    f->record = 0;
    weir_server *server = tls_server(f, SERVES);
    pair p = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), NULL);
    weir_stream_pause(p.accepted->stream);
    size_t before = allocator_bytes();
    allocator_peak_begin();
    recorder_write(p.client, bytes, SIZE);
    fixture_turns(f, 20);
    assert_true(weir_stream_writable_length(p.client->stream) > SIZE / 4); /* it does wait */
    assert_true(allocator_peak() - before < (size_t)SIZE + 1024 * 1024);
    recorder_end(p.client);
    recorder_end(p.accepted);
    weir_stream_resume(p.accepted->stream);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    free(bytes);
}

/* A link below that takes whatever it is given does not make the layer encrypt for as long as that: others have their turn. */
static void TLS_18_writing_has_a_bound_in_a_turn(void **state)
{
    enum { SIZE = 1024 * 1024, IN_A_TURN = SIZE / 2 };
    fixture *f = *state;
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    fixture_fill(bytes, SIZE, 4);
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "wide", SIZE, SERVES), NULL);
    const char *client = tls_mem_endpoint(f, "wide", SIZE, TRUSTS ", \"servername\": \"localhost\"");
    pair p = fixture_connect(f, server, client, NULL);
    recorder_write(p.client, bytes, SIZE);
    size_t waits = weir_stream_writable_length(p.client->stream);
    if (waits == SIZE || waits < SIZE - IN_A_TURN)
        fail_msg("%zu of %d wait", waits, (int)SIZE);
    recorder_wait_data(p.accepted, SIZE);
    recorder_expect_data(p.accepted, bytes, SIZE);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
    free(bytes);
}

/* A raw client that is through, of a server that answers whatever it reads with 10000 bytes, through a narrow pipe. */
static pair chatty_pair(fixture *f)
{
    size_t seen = 0;
    wire out = {0};
    const char *chatty = SERVES ", \"ciphers\": [\"FAKE_CHATTY=10000\"], \"tickets\": false";
    weir_server *server = fixture_listen(f, tls_mem_endpoint(f, "chat", 4096, chatty), NULL);
    pair p = {.client = fixture_client(f, plain_mem_endpoint(f, "chat", 4096), NULL)};
    raw_hello(p.client, NULL, NULL);
    raw_wait_record(p.client, &seen);
    raw_finished(&out);
    raw_send(p.client, &out);
    p.accepted = fixture_accepted(f, server, 0);
    return p;
}

/* The peer asks and asks, and does not read what it is answered: answers are not heaped up for it. */
static void TLS_18_answers_of_the_engine_have_a_bound_too(void **state)
{
    enum { RECORDS = 200 };
    fixture *f = *state;
    wire out = {0};
    pair p = chatty_pair(f);
    recorder_pause(p.client);
    for (int i = 0; i < RECORDS; i++)
        wire_data(&out, "?", 1);
    raw_send(p.client, &out);
    fixture_turns(f, 4 * RECORDS);
    if (p.accepted->data_size <= 5 || p.accepted->data_size >= 40)
        fail_msg("%zu records were read", p.accepted->data_size);
    recorder_resume(p.client);
    recorder_wait_data(p.accepted, RECORDS);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

/* What asked for them has no data behind it, so that nothing but their leaving makes reading go on. */
static void TLS_18_answers_that_have_left_let_reading_go_on(void **state)
{
    fixture *f = *state;
    wire out = {0};
    pair p = chatty_pair(f);
    fixture_turns(f, TURNS);
    recorder_pause(p.client);
    for (int i = 0; i < 20; i++)
        wire_data(&out, "", 0);
    raw_send(p.client, &out);
    fixture_turns(f, TURNS);
    recorder_resume(p.client);
    wire_data(&out, "data", 4);
    raw_send(p.client, &out);
    recorder_wait_data(p.accepted, 4);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

typedef struct sipping {
    char byte;
    size_t count;
} sipping;

static weir_onread_result sip(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    sipping *self = arg;
    (void)stream;
    (void)buffer;
    self->count += count;
    return WEIR_ONREAD_CONTINUE;
}

/* A reader of single bytes, who is called once for each, does not hold up the others for thousands of them. */
static void TLS_18_reports_have_a_bound_in_a_turn(void **state)
{
    static char bytes[30000];
    fixture *f = *state;
    sipping self = {0};
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.onread.callback = sip;
    options.onread.buffer = &self.byte;
    options.onread.size = 1;
    options.onread.arg = &self;
    f->record = 0;
    weir_server *server = tls_server(f, SERVES);
    pair p = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), &options);
    recorder_write(p.accepted, bytes, sizeof(bytes));
    while (self.count < sizeof(bytes)) {
        size_t before = self.count;
        fixture_turns(f, 1);
        assert_false(f->expired);
        if (self.count - before > 2000)
            fail_msg("%zu in one turn", self.count - before);
    }
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

/* ---- what the layer says that it holds ---- */

/* Over a probe, which looks up at it. */
static const char *watched(fixture *f, const char *options)
{
    return fixture_text(f,
                        "{\"mem\": {\"path\": \"held\", \"pipeSize\": 9000}, \"layers\": [{\"probe\": {}}, "
                        "{\"tls-fake\": {%s}}]}",
                        options);
}

static size_t held(const recorder *r, const char *fact)
{
    weir_value value = {0};
    assert_code(weir_stream_get(r->stream, fact, &value), 0);
    return (size_t)value.number;
}

/* Takes 100 bytes at a time, and no more until it is resumed. */
typedef struct stopping {
    char some[100];
    size_t count;
    int came;
} stopping;

static weir_onread_result stop(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    stopping *self = arg;
    (void)stream;
    (void)buffer;
    self->count += count;
    self->came = 1;
    return WEIR_ONREAD_PAUSE;
}

/* A record is decoded as a whole: what its reader does not want yet is here, and comes when it does. */
static void TLS_18_what_is_held_to_read_comes_after_the_resume(void **state)
{
    enum { SIZE = 1000 };
    static char bytes[SIZE];
    fixture *f = *state;
    stopping self = {.count = 0};
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.onread.callback = stop;
    options.onread.buffer = self.some;
    options.onread.size = sizeof(self.some);
    options.onread.arg = &self;
    f->record = 0;
    weir_server *server = fixture_listen(f, watched(f, SERVES), NULL);
    pair p = fixture_connect(f, server, watched(f, TRUSTS ", \"servername\": \"localhost\""), &options);
    assert_int_equal(held(p.client, "probe.above.to_read"), 0);
    recorder_write(p.accepted, bytes, SIZE);
    for (size_t taken = sizeof(self.some); taken <= SIZE; taken += sizeof(self.some)) {
        fixture_until(f, &self.came);
        fixture_turns(f, TURNS);
        assert_int_equal(self.count, taken);
        assert_int_equal(held(p.client, "probe.above.to_read"), SIZE - taken);
        self.came = 0;
        recorder_resume(p.client);
    }
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

/* Of a write that was taken, with the head of its record: all that is not in the pipe. */
static void TLS_18_what_is_held_to_write_goes_when_the_peer_reads(void **state)
{
    enum { SIZE = 16000, HEAD = 5, PIPE = 9000 };
    static char bytes[SIZE];
    fixture *f = *state;
    weir_server *server = fixture_listen(f, watched(f, SERVES), NULL);
    pair p = fixture_connect(f, server, watched(f, TRUSTS ", \"servername\": \"localhost\""), NULL);
    fixture_turns(f, TURNS);
    recorder_pause(p.accepted);
    assert_int_equal(held(p.client, "probe.above.to_write"), 0);
    recorder_write(p.client, bytes, SIZE);
    fixture_turns(f, TURNS);
    assert_int_equal(held(p.client, "probe.above.to_write"), SIZE + HEAD - PIPE);
    recorder_resume(p.accepted);
    recorder_wait_writes(p.client, 1);
    assert_int_equal(held(p.client, "probe.above.to_write"), 0);
    recorder_wait_data(p.accepted, SIZE);
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_18_counters_are_of_the_plaintext),
        FIXTURE_TEST(TLS_18_a_write_is_done_when_it_has_left),
        FIXTURE_TEST(TLS_18_both_ways_at_once_through_a_slow_reader_memory_is_bounded),
        FIXTURE_TEST(TLS_18_a_large_write_is_not_encrypted_ahead),
        FIXTURE_TEST(TLS_18_writing_has_a_bound_in_a_turn),
        FIXTURE_TEST(TLS_18_answers_of_the_engine_have_a_bound_too),
        FIXTURE_TEST(TLS_18_answers_that_have_left_let_reading_go_on),
        FIXTURE_TEST(TLS_18_reports_have_a_bound_in_a_turn),
        FIXTURE_TEST(TLS_18_what_is_held_to_read_comes_after_the_resume),
        FIXTURE_TEST(TLS_18_what_is_held_to_write_goes_when_the_peer_reads),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_flow", tests, NULL, NULL);
}
