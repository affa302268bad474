/* SPDX-License-Identifier: MIT */
/* onread: blocks of the application's own, how reading stops and goes on, and what everything else makes of it. */
#include <stdlib.h>

#include "blocks.h"

#define KIBIBYTE ((size_t)1024)
#define MEBIBYTE (KIBIBYTE * KIBIBYTE)

/* The accepted side reads so. */
static pair onread_pair(fixture *f, unsigned flags, weir_onread onread)
{
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.onread = onread;
    return over_pair_with(f, 0, NULL, flags, &options);
}

/* The same with layers that cut, join and keep, so that nothing is read into the block by the transport. */
static pair chaos_pair(fixture *f, const char *query, weir_onread onread)
{
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.onread = onread;
    f->record = 0;
    weir_server *server = fixture_listen(f, fixture_text(f, "chaos+%s?%s", over_here(f), query), &options);
    return fixture_connect(f, server, fixture_text(f, "chaos+%s?seed=3&cut=false", fixture_url(f, server)), NULL);
}

/* ---- blocks ---- */

static void SOCK_11_SOCK_13_bytes_come_in_the_block(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 16);
    pair p = onread_pair(f, 0, blocks_one(&r));
    over_send_text(f, p.client, "hello");
    blocks_expect(&r, "hello", 5);
    over_send_text(f, p.client, "0123456789012345678901234567890123456789");
    blocks_expect(&r, "hello0123456789012345678901234567890123456789", 45);
    assert_int_equal(r.calls, 1 + 3);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 45);
    assert_int_equal(weir_stream_readable_did_read(p.accepted->stream), 1);
    recorder_expect(p.accepted, "");
}

static void SOCK_12_the_block_is_asked_before_each_read(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 1000);
    pair p = onread_pair(f, 0, blocks_two(&r));
    blocks_transfer(f, p, &r, 100 * KIBIBYTE);
    assert_true(r.asked >= r.calls);
    assert_true(r.calls >= 100 * KIBIBYTE / 1000);
    assert_int_equal(r.largest, 1000);
}

static void SOCK_12_no_block_fails_the_stream(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 100);
    r.empty = 1;
    pair p = onread_pair(f, 0, blocks_two(&r));
    over_send_text(f, p.client, "hello");
    over_wait_closed(p.accepted);
    over_expect_tail(p.accepted, "error:ENOBUFS close:error");
    assert_int_equal(r.calls, 0);
}

static void SOCK_12_a_block_without_room_fails_the_stream(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 0);
    pair p = onread_pair(f, 0, blocks_two(&r));
    over_send_text(f, p.client, "hello");
    over_wait_closed(p.accepted);
    over_expect_tail(p.accepted, "error:ENOBUFS close:error");
}

static void destroy_it(weir_stream *stream, blocks *r)
{
    (void)r;
    weir_stream_destroy(stream, NULL);
}

static void pause_it(weir_stream *stream, blocks *r)
{
    (void)r;
    weir_stream_pause(stream);
}

static void SOCK_12_the_stream_may_go_while_the_block_is_asked(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 100);
    r.act_asked = destroy_it;
    pair p = onread_pair(f, 0, blocks_two(&r));
    over_send_text(f, p.client, "hello");
    over_wait_closed(p.accepted);
    recorder_expect(p.accepted, "close");
    assert_int_equal(r.calls, 0);
}

static void SOCK_12_SOCK_16_paused_while_the_block_is_asked_nothing_is_lost(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 100);
    r.act_asked = pause_it;
    pair p = onread_pair(f, 0, blocks_two(&r));
    over_send_text(f, p.client, "hello");
    assert_int_equal(r.calls, 0);
    r.act_asked = NULL;
    recorder_resume(p.accepted);
    blocks_wait(f, &r, 5);
    blocks_expect(&r, "hello", 5);
}

/* Reading into the block needs nothing else: that is what it is for. */
static void SOCK_11_reading_allocates_nothing(void **state)
{
    static blocks r;
    fixture *f = *state;
    static char bytes[60000];
    blocks_begin(&r, 4096);
    pair p = onread_pair(f, 0, blocks_one(&r));
    over_send_text(f, p.client, "warm");
    r.data_size = 0;
    r.data = realloc(r.data, sizeof(bytes));
    assert_true(weir_stream_write(p.client->stream, bytes, sizeof(bytes), NULL, NULL) >= 0);
    size_t before = allocator_calls();
    blocks_wait(f, &r, sizeof(bytes));
    assert_int_equal(allocator_calls(), before);
}

/* ---- stopping ---- */

static void SOCK_14_false_stops_the_reading_until_resume(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 4096);
    r.result = WEIR_ONREAD_PAUSE;
    pair p = onread_pair(f, 0, blocks_one(&r));
    size_t size = over_stall(f, p.client); /* the writer feels it */
    assert_int_equal(r.calls, 1);
    assert_int_equal(weir_stream_is_paused(p.accepted->stream), 0);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), 1);
    size_t read = weir_stream_bytes_read(p.accepted->stream);
    assert_true(read <= 4096);
    recorder_resume(p.accepted);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(r.calls, 2);
    r.result = WEIR_ONREAD_CONTINUE;
    recorder_resume(p.accepted);
    blocks_wait(f, &r, size);
    for (size_t i = 0; i < size; i++) {
        if (r.data[i] != over_byte(i)) {
            fail_msg("byte %zu is not the one that was written", i);
        }
    }
    recorder_expect(p.accepted, ""); /* neither 'pause' nor 'resume' */
}

static void SOCK_14_what_a_layer_had_waits_and_comes_in_order(void **state)
{
    static blocks r;
    fixture *f = *state;
    static char bytes[5000];
    blocks_begin(&r, 7);
    r.result = WEIR_ONREAD_PAUSE;
    pair p = chaos_pair(f, "seed=5&cut=false", blocks_two(&r));
    fixture_fill(bytes, sizeof(bytes), 14);
    recorder_write(p.client, bytes, sizeof(bytes));
    for (size_t calls = 0; r.data_size < sizeof(bytes); calls++) {
        blocks_wait(f, &r, r.data_size + 1);
        fixture_turns(f, 3);
        assert_int_equal(r.calls, calls + 1); /* one piece a resume */
        recorder_resume(p.accepted);
    }
    blocks_expect(&r, bytes, sizeof(bytes));
    assert_int_equal(r.largest, 7);
}

static void SOCK_14_a_stop_outlives_no_connection(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_stream_options options;
    blocks_begin(&r, 64);
    r.result = WEIR_ONREAD_PAUSE;
    weir_stream_options_init(&options);
    options.onread = blocks_one(&r);
    f->record = 0;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, &options);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait(client, WEIR_EVENT_READY);
    over_send_text(f, accepted, "first");
    recorder_destroy(client, NULL);
    over_wait_closed(client);
    assert_int_equal(weir_stream_readable_did_read(client->stream), 1);
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    assert_int_equal(weir_stream_readable_did_read(client->stream), 0);
    accepted = fixture_accepted(f, server, 1);
    recorder_wait(client, WEIR_EVENT_READY);
    over_send_text(f, accepted, "second");
    blocks_expect(&r, "firstsecond", 11);
    recorder_destroy(client, NULL);
    over_wait_closed(client);
}

/* ---- no stream data ---- */

static void SOCK_15_no_data_no_readable_nothing_to_read(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 64);
    pair p = onread_pair(f, RECORD_DATA | RECORD_READABLE, blocks_one(&r));
    over_send_text(f, p.client, "hello");
    recorder_end(p.client);
    assert_null(weir_stream_read(p.accepted->stream, 0));
    assert_null(weir_stream_read(p.accepted->stream, 1));
    weir_stream_refill(p.accepted->stream);
    weir_stream_remove_all(p.accepted->stream, WEIR_EVENT_READABLE);
    over_wait_closed(p.accepted);
    blocks_expect(&r, "hello", 5);
    recorder_expect(p.accepted, "end finish close");
}

static void SOCK_15_listeners_change_nothing_about_a_stop(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 64);
    r.result = WEIR_ONREAD_PAUSE;
    pair p = onread_pair(f, 0, blocks_one(&r));
    over_send_text(f, p.client, "one");
    over_send_text(f, p.client, "two");
    recorder_add(p.accepted, RECORD_DATA | RECORD_READABLE);
    weir_stream_refill(p.accepted->stream);
    weir_stream_remove_all(p.accepted->stream, WEIR_EVENT_READABLE);
    fixture_turns(f, OVER_TURNS);
    blocks_expect(&r, "one", 3);
    recorder_resume(p.accepted);
    blocks_wait(f, &r, 6);
    blocks_expect(&r, "onetwo", 6);
}

static void PIPE_18_no_marks_no_encoding_no_pipe(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_server_options options;
    weir_buf *all = NULL;
    blocks_begin(&r, 64);
    weir_server_options_init(&options);
    options.stream.onread = blocks_one(&r);
    options.stream.readable_high_water_mark = 1;
    pair p = over_pair_with(f, 0, NULL, 0, &options);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "hex"), WEIR_EINVALIDARGVALUE);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "klingon"), WEIR_EUNKNOWN_ENCODING);
    assert_null(weir_stream_encoding(p.accepted->stream));
    assert_code(weir_stream_pipe(p.accepted->stream, p.client->stream, NULL), UV_EINVAL);
    assert_code(weir_stream_pipe(p.accepted->stream, p.accepted->stream, NULL), UV_EINVAL);
    assert_code(weir_stream_read_all(p.accepted->stream, 0, &all), UV_EINVAL);
    over_send_text(f, p.client, "0123456789");
    blocks_expect(&r, "0123456789", 10);
    assert_code(weir_stream_pipe(p.client->stream, p.accepted->stream, NULL), 0); /* into it: why not */
    recorder_end(p.client);
    over_wait_closed(p.accepted);
}

/* ---- all else is as ever ---- */

static void SOCK_16_pause_and_resume(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 64);
    pair p = onread_pair(f, 0, blocks_one(&r));
    recorder_pause(p.accepted);
    assert_int_equal(weir_stream_is_paused(p.accepted->stream), 1);
    over_send_text(f, p.client, "hello");
    assert_int_equal(r.calls, 0);
    recorder_resume(p.accepted);
    blocks_wait(f, &r, 5);
    blocks_expect(&r, "hello", 5);
    recorder_expect(p.accepted, "pause resume");
    r.act = pause_it;
    over_send_text(f, p.client, "one");
    over_send_text(f, p.client, "two");
    blocks_expect(&r, "helloone", 8);
    r.result = WEIR_ONREAD_PAUSE; /* both at once: one resume() is enough */
    recorder_resume(p.accepted);
    blocks_wait(f, &r, 11);
    recorder_resume(p.accepted);
    over_send_text(f, p.client, "three");
    blocks_expect(&r, "helloonetwothree", 16);
}

static void SOCK_16_end_and_close_come_as_usual(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 3);
    pair p = onread_pair(f, 0, blocks_one(&r));
    recorder_add(p.client, RECORD_DATA);
    recorder_write(p.client, "hello", 5);
    recorder_end(p.client);
    over_wait_both_closed(p);
    blocks_expect(&r, "hello", 5);
    recorder_expect(p.accepted, "end finish close");
}

static void SOCK_16_end_waits_for_what_waits(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 3);
    r.result = WEIR_ONREAD_PAUSE;
    pair p = chaos_pair(f, "seed=2&cut=false", blocks_one(&r));
    recorder_write(p.client, "hello", 5);
    recorder_end(p.client);
    blocks_wait(f, &r, 3);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(r.calls, 1);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    r.result = WEIR_ONREAD_CONTINUE;
    recorder_resume(p.accepted);
    over_wait_closed(p.accepted);
    blocks_expect(&r, "hello", 5);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

static void SOCK_16_an_error_comes_as_usual(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 64);
    pair p = onread_pair(f, 0, blocks_one(&r));
    over_send_text(f, p.client, "hello");
    recorder_reset(p.client);
    over_wait_closed(p.accepted);
    blocks_expect(&r, "hello", 5);
    over_expect_tail(p.accepted, "error:ECONNRESET close:error");
    assert_int_equal(weir_stream_readable_aborted(p.accepted->stream), 1);
}

static void SOCK_16_destroyed_in_its_callback(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 3);
    r.act = destroy_it;
    pair p = onread_pair(f, 0, blocks_one(&r));
    over_send_text(f, p.client, "hello");
    over_wait_closed(p.accepted);
    recorder_expect(p.accepted, "close");
    blocks_expect(&r, "hel", 3);
}

static void SOCK_16_destroyed_in_its_callback_while_more_waits(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 3);
    r.act = destroy_it;
    pair p = chaos_pair(f, "seed=2&cut=false", blocks_two(&r));
    over_send_text(f, p.client, "hello");
    over_wait_closed(p.accepted);
    blocks_expect(&r, "hel", 3);
}

static void put_back_once(weir_stream *stream, blocks *r)
{
    if (r->calls == 1) {
        assert_code(weir_stream_unshift(stream, "lo", 2), 0);
    }
}

static void SOCK_16_RD_14_what_is_put_back_comes_again_first(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 5);
    r.act = put_back_once;
    pair p = onread_pair(f, 0, blocks_one(&r));
    over_send_text(f, p.client, "hello world");
    blocks_wait(f, &r, 13);
    blocks_expect(&r, "hellolo world", 13);
}

static void SOCK_16_RD_14_also_before_what_a_layer_had(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 5);
    r.act = put_back_once;
    pair p = chaos_pair(f, "seed=4&cut=false", blocks_two(&r));
    over_send_text(f, p.client, "hello world");
    blocks_wait(f, &r, 13);
    blocks_expect(&r, "hellolo world", 13);
}

static void SOCK_16_half_open_writes_go_on(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_server_options options;
    blocks_begin(&r, 64);
    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    options.stream.onread = blocks_one(&r);
    pair p = over_pair_with(f, RECORD_DATA, NULL, 0, &options);
    recorder_write(p.client, "question", 8);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    recorder_write(p.accepted, "answer", 6);
    recorder_end(p.accepted);
    over_wait_both_closed(p);
    blocks_expect(&r, "question", 8);
    recorder_expect_data(p.client, "answer", 6);
}

static void BN_04_after_our_end_the_callback_is_left_alone(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_server_options options;
    blocks_begin(&r, 64);
    r.result = WEIR_ONREAD_PAUSE;
    weir_server_options_init(&options);
    options.stream.discard_on_end = 1;
    options.stream.onread = blocks_two(&r);
    pair p = over_pair_with(f, RECORD_DATA, NULL, 0, &options);
    over_send_text(f, p.client, "seen");
    over_send_text(f, p.client, "stopped at");
    recorder_end(p.accepted);
    recorder_wait(p.accepted, WEIR_EVENT_FINISH);
    over_send_text(f, p.client, "dropped");
    recorder_end(p.client);
    over_wait_both_closed(p);
    blocks_expect(&r, "seen", 4);
}

static void BN_05_a_stopped_stream_is_told_that_its_peer_left(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 64);
    r.result = WEIR_ONREAD_PAUSE;
    pair p = onread_pair(f, 0, blocks_one(&r));
    over_send_text(f, p.client, "hello");
    recorder_destroy(p.client, NULL);
    recorder_wait(p.accepted, WEIR_EVENT_PEER_CLOSE);
    recorder_resume(p.accepted);
    over_wait_closed(p.accepted);
    recorder_expect(p.accepted, "peerClose end finish close");
}

/* ---- all at once ---- */

static void stop_at_random(weir_stream *stream, blocks *r)
{
    uint32_t dice = (uint32_t)(r->calls * 2654435761u) >> 28;
    r->result = dice < 5 ? WEIR_ONREAD_PAUSE : WEIR_ONREAD_CONTINUE;
    if (dice == 5 || dice == 3) {
        weir_stream_pause(stream);
    } else if (dice == 6) {
        weir_stream_pause(stream);
        weir_stream_resume(stream);
    }
}

static void SOCK_14_SOCK_16_stops_at_random_lose_nothing(void **state)
{
    static blocks r;
    fixture *f = *state;
    size_t size = 200 * KIBIBYTE;
    char *bytes = malloc(size);
    fixture_fill(bytes, size, 16);
    for (unsigned seed = 1; seed <= 4; seed++) {
        blocks_begin(&r, 1 + 97 * seed);
        r.act = stop_at_random;
        pair p = chaos_pair(f, fixture_text(f, "seed=%u&cut=true&delay=%u", seed, seed % 3), blocks_two(&r));
        recorder_write(p.client, bytes, size);
        recorder_end(p.client);
        while (p.accepted->counts[WEIR_EVENT_CLOSE] == 0) {
            fixture_turns(f, 1);
            recorder_resume(p.accepted);
            assert_int_equal(f->expired, 0);
        }
        blocks_expect(&r, bytes, size);
        recorder_destroy(p.client, NULL);
    }
    free(bytes);
}

static void SOCK_11_a_mebibyte_in_blocks(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 4096);
    pair p = onread_pair(f, 0, blocks_two(&r));
    blocks_transfer(f, p, &r, MEBIBYTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(SOCK_11_SOCK_13_bytes_come_in_the_block),
        OVER_ALL(SOCK_12_the_block_is_asked_before_each_read),
        OVER_ALL(SOCK_12_no_block_fails_the_stream),
        OVER_ALL(SOCK_12_a_block_without_room_fails_the_stream),
        OVER_ALL(SOCK_12_the_stream_may_go_while_the_block_is_asked),
        OVER_ALL(SOCK_12_SOCK_16_paused_while_the_block_is_asked_nothing_is_lost),
        OVER_ALL(SOCK_11_reading_allocates_nothing),
        OVER_ALL(SOCK_14_false_stops_the_reading_until_resume),
        OVER_ALL(SOCK_14_what_a_layer_had_waits_and_comes_in_order),
        OVER_ALL(SOCK_14_a_stop_outlives_no_connection),
        OVER_ALL(SOCK_15_no_data_no_readable_nothing_to_read),
        OVER_ALL(SOCK_15_listeners_change_nothing_about_a_stop),
        OVER_ALL(PIPE_18_no_marks_no_encoding_no_pipe),
        OVER_ALL(SOCK_16_pause_and_resume),
        OVER_ALL(SOCK_16_end_and_close_come_as_usual),
        OVER_ALL(SOCK_16_end_waits_for_what_waits),
        OVER_TCP(SOCK_16_an_error_comes_as_usual),
        OVER_MEM(SOCK_16_an_error_comes_as_usual),
        OVER_ALL(SOCK_16_destroyed_in_its_callback),
        OVER_ALL(SOCK_16_destroyed_in_its_callback_while_more_waits),
        OVER_ALL(SOCK_16_RD_14_what_is_put_back_comes_again_first),
        OVER_ALL(SOCK_16_RD_14_also_before_what_a_layer_had),
        OVER_ALL(SOCK_16_half_open_writes_go_on),
        OVER_ALL(BN_04_after_our_end_the_callback_is_left_alone),
        OVER_ALL(BN_05_a_stopped_stream_is_told_that_its_peer_left),
        OVER_ALL(SOCK_14_SOCK_16_stops_at_random_lose_nothing),
        OVER_ALL(SOCK_11_a_mebibyte_in_blocks),
    };
    return cmocka_run_group_tests_name("stream_onread", tests, NULL, NULL);
}
