/* SPDX-License-Identifier: MIT */
/* Laws 1 to 6: opening, reading and holding still, the end, writes, what is held, shutdown. */
#include "suite.h"

#include <string.h>

/* ---- law 1 ---- */

static void law_01_opens_from_the_bottom_up(void **state)
{
    fixture *f = *state;
    weir_value record = {0};
    pair p = suite_pair(f, 0);
    assert_int_equal(p.client->counts[WEIR_EVENT_CONNECT], 1);
    assert_int_equal(p.client->counts[WEIR_EVENT_READY], 1);
    assert_code(weir_stream_get(p.client->stream, "probe.record", &record), 0);
    assert_int_equal(strncmp(record.text, "open", 4), 0);
    assert_code(weir_stream_get(p.accepted->stream, "probe.record", &record), 0);
    assert_int_equal(strncmp(record.text, "open", 4), 0);
}

static void law_01_end_before_opened_is_the_layers_failure(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, suite_bare_listen_text(f), NULL);
    recorder *client = fixture_client(f, suite_connect_text(f, server, "\"handshake\": true"), NULL);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait_data(accepted, 1);
    recorder_end(accepted);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(client->counts[WEIR_EVENT_CONNECT], 1);
    assert_int_equal(client->counts[WEIR_EVENT_READY], 0);
    assert_true(recorder_saw(client, "error:ECONNRESET"));
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
}

static void law_01_end_before_opened_is_no_connection_of_the_server(void **state)
{
    fixture *f = *state;
    int errors = 0;
    weir_server *server = fixture_listen(f, suite_listen_text(f, "\"handshake\": true", 0), NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, fixture_count, &errors), 0);
    recorder *client = fixture_client(f, suite_bare_connect_text(f, server), NULL);
    recorder_wait_data(client, 1);
    recorder_end(client);
    fixture_until(f, &errors);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    fixture_turns(f, 20);
    assert_int_equal(errors, 1);
    assert_int_equal(weir_server_connections(server), 0);
}

static void law_01_layers_that_talk_first_open_on_both_sides(void **state)
{
    fixture *f = *state;
    const char *options = fixture_text(f, "\"handshake\": true, \"seed\": %u", suite_variant_of(f)->seed);
    weir_server *server = fixture_listen(f, suite_listen_text(f, options, 0), NULL);
    pair p = suite_connect(f, server, 0, options);
    recorder_write(p.client, suite_bytes, 1000);
    recorder_write(p.accepted, suite_bytes, 2000);
    recorder_wait_data(p.accepted, 1000);
    recorder_wait_data(p.client, 2000);
    recorder_expect_data(p.accepted, suite_bytes, 1000);
    recorder_expect_data(p.client, suite_bytes, 2000);
}

/* ---- law 2 ---- */

typedef struct pauser {
    int paused;
    int faults;
    int events;
} pauser;

static void pause_inside(const weir_event *event, void *arg)
{
    pauser *self = arg;
    self->faults += self->paused;
    self->events++;
    self->paused = 1;
    weir_stream_pause(event->target_stream);
}

static void law_02_read_stop_holds_inside_data(void **state)
{
    fixture *f = *state;
    pauser pausing = {0};
    f->record = 0;
    pair p = suite_pair(f, 0);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, pause_inside, &pausing), 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_write(p.client, suite_bytes, SUITE_BYTES);
    while (p.accepted->data_size < SUITE_BYTES) {
        fixture_until(f, &pausing.paused);
        fixture_turns(f, 10);
        assert_int_equal(pausing.faults, 0);
        pausing.paused = 0;
        recorder_resume(p.accepted);
    }
    recorder_expect_data(p.accepted, suite_bytes, SUITE_BYTES);
}

static void law_02_what_was_read_before_comes_after_the_resume_by_itself(void **state)
{
    fixture *f = *state;
    size_t few = suite_few(f);
    pair p = suite_pair(f, 0);
    recorder_pause(p.accepted);
    recorder_write(p.client, suite_bytes, few);
    recorder_wait_writes(p.client, 1);
    fixture_turns(f, 50);
    assert_int_equal(p.accepted->data_size, 0);
    recorder_resume(p.accepted);
    recorder_wait_data(p.accepted, few);
    recorder_expect_data(p.accepted, suite_bytes, few);
}

static void law_02_end_waits_behind_the_data_while_paused(void **state)
{
    fixture *f = *state;
    size_t few = suite_few(f);
    pair p = suite_pair(f, 0);
    recorder_pause(p.accepted);
    recorder_write(p.client, suite_bytes, few);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    fixture_turns(f, 50);
    assert_int_equal(p.accepted->data_size, 0);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    recorder_resume(p.accepted);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, suite_bytes, few);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

/* BN-05: the peer is gone, and nobody reads. */
static void law_02_BN_05_hangup_is_told_once_while_reading_is_stopped(void **state)
{
    fixture *f = *state;
    size_t few = suite_few(f);
    pair p = suite_pair(f, 0);
    recorder_pause(p.accepted);
    fixture_turns(f, 5);
    recorder_write(p.client, suite_bytes, few);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_PEER_CLOSE);
    fixture_turns(f, 50);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_PEER_CLOSE], 1);
    assert_int_equal(p.accepted->data_size, 0);
    recorder_resume(p.accepted);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, suite_bytes, few);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_PEER_CLOSE], 1);
}

/* ---- law 3 ---- */

static void law_03_end_comes_once_after_all_data(void **state)
{
    fixture *f = *state;
    pair p = suite_pair(f, 1);
    recorder_write(p.client, suite_bytes, SUITE_BYTES);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    fixture_turns(f, 50);
    recorder_expect_data(p.accepted, suite_bytes, SUITE_BYTES);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 1);
    assert_int_equal(p.client->data_size, 0);
}

/* ---- law 4 ---- */

static void law_04_writes_complete_once_each_in_order(void **state)
{
    enum { WRITES = 60 };
    fixture *f = *state;
    size_t size = 0;
    pair p = suite_pair(f, 0);
    for (size_t i = 0; i < WRITES; i++) {
        size_t length = 1 + i * 7919 % 12000;
        assert_true(recorder_write(p.client, suite_bytes + size, length) >= 0);
        size += length;
    }
    recorder_wait_writes(p.client, WRITES);
    recorder_wait_data(p.accepted, size);
    recorder_expect_data(p.accepted, suite_bytes, size);
    fixture_turns(f, 20);
    assert_int_equal(p.client->writes_done, WRITES);
    assert_true(recorder_saw(p.client, "w1"));
    assert_true(recorder_saw(p.client, "w60"));
}

static void law_04_close_completes_the_writes_it_cancels(void **state)
{
    fixture *f = *state;
    size_t total = suite_variant_of(f)->transport->holds_at_most + 4 * SUITE_BYTES;
    unsigned writes = 0;
    f->record = 0;
    pair p = suite_pair(f, 0);
    weir_buf *buf = weir_buf_copy(suite_bytes, SUITE_BYTES);
    for (size_t size = 0; size < total; size += SUITE_BYTES, writes++)
        assert_true(recorder_write_buf(p.client, buf) >= 0);
    weir_buf_release(buf);
    fixture_turns(f, 20);
    recorder_destroy(p.client, NULL);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_int_equal(p.client->writes_done, writes);
    assert_false(recorder_saw(p.client, fixture_text(f, "w%u", writes)));
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0);
}

/* ---- law 5 ---- */

/* Lets things go on until nothing moves any more. */
static size_t settled_length(fixture *f, const weir_stream *stream)
{
    size_t length;
    do {
        length = weir_stream_writable_length(stream);
        fixture_turns(f, 100);
    } while (weir_stream_writable_length(stream) != length);
    return length;
}

static void law_05_what_links_hold_is_bounded(void **state)
{
    fixture *f = *state;
    size_t most = suite_variant_of(f)->transport->holds_at_most;
    size_t total = 0;
    f->record = 0;
    pair p = suite_pair(f, 0);
    weir_buf *buf = weir_buf_copy(suite_bytes, SUITE_BYTES);
    while (total < most + 4 * SUITE_BYTES) {
        assert_true(recorder_write_buf(p.client, buf) >= 0);
        total += SUITE_BYTES;
    }
    weir_buf_release(buf);
    assert_true(settled_length(f, p.client->stream) >= total - most);
    assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, total);
    if (!p.client->counts[WEIR_EVENT_DRAIN])
        recorder_wait(p.client, WEIR_EVENT_DRAIN);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
    assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], 1);
    for (size_t at = 0; at < total; at += SUITE_BYTES)
        assert_memory_equal(p.accepted->data + at, suite_bytes, SUITE_BYTES);
}

/* ---- law 6 ---- */

static void law_06_shutdown_after_the_writes_and_reading_goes_on(void **state)
{
    fixture *f = *state;
    pair p = suite_pair(f, 1);
    recorder_write(p.client, suite_bytes, SUITE_BYTES);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    recorder_expect_data(p.accepted, suite_bytes, SUITE_BYTES);
    recorder_write(p.accepted, suite_bytes, SUITE_BYTES);
    recorder_wait_data(p.client, SUITE_BYTES);
    assert_int_equal(p.client->counts[WEIR_EVENT_END], 0);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, suite_bytes, SUITE_BYTES);
    assert_int_equal(p.client->counts[WEIR_EVENT_ERROR], 0);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_ERROR], 0);
}

static void law_06_both_ways_at_once_both_ended_at_once(void **state)
{
    fixture *f = *state;
    pair p = suite_pair(f, 1);
    recorder_write(p.client, suite_bytes, SUITE_BYTES);
    recorder_end(p.client);
    recorder_write(p.accepted, suite_bytes, SUITE_BYTES);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, suite_bytes, SUITE_BYTES);
    recorder_expect_data(p.accepted, suite_bytes, SUITE_BYTES);
}

const suite_test suite_flow_tests[] = {
    SUITE_TEST(law_01_opens_from_the_bottom_up),
    SUITE_TEST_BARE(law_01_end_before_opened_is_the_layers_failure),
    SUITE_TEST_BARE(law_01_end_before_opened_is_no_connection_of_the_server),
    SUITE_TEST(law_01_layers_that_talk_first_open_on_both_sides),
    SUITE_TEST(law_02_read_stop_holds_inside_data),
    SUITE_TEST(law_02_what_was_read_before_comes_after_the_resume_by_itself),
    SUITE_TEST(law_02_end_waits_behind_the_data_while_paused),
    SUITE_TEST(law_02_BN_05_hangup_is_told_once_while_reading_is_stopped),
    SUITE_TEST(law_03_end_comes_once_after_all_data),
    SUITE_TEST(law_04_writes_complete_once_each_in_order),
    SUITE_TEST(law_04_close_completes_the_writes_it_cancels),
    SUITE_TEST(law_05_what_links_hold_is_bounded),
    SUITE_TEST(law_06_shutdown_after_the_writes_and_reading_goes_on),
    SUITE_TEST(law_06_both_ways_at_once_both_ended_at_once),
    {0},
};
