/* SPDX-License-Identifier: MIT */
/* Encodings of streams: where bytes become text, what the buffer, the end, pipes and a second life make of it. */
#include <stdlib.h>
#include <string.h>

#include "over.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

#define KIBIBYTE ((size_t)1024)

static void expect_data(const recorder *r, const char *text)
{
    recorder_expect_data(r, text, strlen(text));
}

/* ---- as it comes in ---- */

static void SOCM_28_ENC_01_ENC_11_a_character_cut_by_reads_comes_whole(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_null(weir_stream_encoding(p.accepted->stream));
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    assert_string_equal(weir_stream_encoding(p.accepted->stream), "utf8");
    over_send_text(f, p.client, "\xe2\x82");
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 2);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_DATA], 0);
    over_send_text(f, p.client, "\xac");
    recorder_expect(p.accepted, "resume data:3");
    expect_data(p.accepted, "\xe2\x82\xac");
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 3);
}

static void ENC_11_nothing_whole_is_no_readable_either(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    over_send_text(f, p.client, "\xf0\x9f");
    recorder_expect(p.accepted, "");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    over_expect_read(p.accepted, 0, NULL);
    over_send_text(f, p.client, "\x98\x80");
    recorder_expect(p.accepted, "readable");
    over_expect_read(p.accepted, 0, "\xf0\x9f\x98\x80");
}

static void SOCM_29_SOCK_25_data_is_text_in_the_encodings_of_0_6(void **state)
{
    static const char *const texts[][2] = {
        {"ascii", "ab\x7f"}, {"utf8", "ab" BAD}, {"base64", "YWL/"}, {NULL, "ab\xff"}};
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        f->record = 0;
        pair p = fixture_connect(f, server, NULL, NULL);
        if (texts[i][0] != NULL) {
            assert_code(weir_stream_set_encoding(p.accepted->stream, texts[i][0]), 0);
        }
        recorder_add(p.accepted, RECORD_DATA);
        over_send_text(f, p.client, "ab\xff");
        recorder_end(p.client);
        over_wait_closed(p.accepted);
        expect_data(p.accepted, texts[i][1]);
    }
}

static void ENC_04_ENC_06_ENC_10_every_encoding_goes_through_a_stream(void **state)
{
    static const struct {
        const char *encoding;
        const char *text;
    } rows[] = {{"utf8", "\xef\xbb\xbf" BAD},
                {"latin1", "\xc3\xaf\xc2\xbb\xc2\xbf\xc3\xa9"},
                {"ucs2", "\xeb\xaf\xaf\xee\xa6\xbf"},
                {"base64url", "77u_6Q"},
                {"hex", "efbbbfe9"}};
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->record = 0;
        pair p = fixture_connect(f, server, NULL, NULL);
        assert_code(weir_stream_set_encoding(p.accepted->stream, rows[i].encoding), 0);
        recorder_add(p.accepted, RECORD_DATA);
        over_send_text(f, p.client, "\xef\xbb\xbf");
        over_send_text(f, p.client, "\xe9");
        recorder_end(p.client);
        over_wait_closed(p.accepted);
        expect_data(p.accepted, rows[i].text);
    }
}

/* Text of which no piece of a read is whole, through layers that cut as they like. */
static void ENC_01_a_long_text_through_a_layer_that_cuts(void **state)
{
    static const char unit[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    enum { UNIT = sizeof(unit) - 1, COUNT = 20000 };
    fixture *f = *state;
    char *bytes = malloc((size_t)UNIT * COUNT);
    f->record = 0;
    weir_server *server = fixture_listen(f, fixture_text(f, "chaos+%s?seed=7&cut=true&delay=1", over_here(f)), NULL);
    pair p = fixture_connect(f, server, fixture_text(f, "chaos+%s?seed=8&cut=true", fixture_url(f, server)), NULL);
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(bytes + i * UNIT, unit, UNIT);
    }
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_write(p.client, bytes, (size_t)UNIT * COUNT);
    recorder_end(p.client);
    over_wait_closed(p.accepted);
    recorder_expect_data(p.accepted, bytes, (size_t)UNIT * COUNT);
    free(bytes);
}

/* ---- the end ---- */

static void ENC_12_ENC_02_what_is_held_back_is_data_before_end(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    over_send_text(f, p.client, "\xe2\x82");
    recorder_expect(p.accepted, "resume");
    recorder_end(p.client);
    over_wait_closed(p.accepted);
    recorder_expect(p.accepted, "resume data:3 end finish close");
    expect_data(p.accepted, BAD);
}

static void ENC_12_readers_by_read_get_it_too(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "base64"), 0);
    over_send_text(f, p.client, "\x01\x02\x03\x04");
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    over_expect_read(p.accepted, 5, "AQIDB");
    over_expect_read(p.accepted, 5, "A==");
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

static void ENC_12_a_reader_is_woken_by_it_alone(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    over_send_text(f, p.client, "\xe2");
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_READABLE);
    over_expect_read(p.accepted, 0, BAD);
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

static void pause_here(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_pause(event->target_stream);
}

static void ENC_12_it_waits_for_resume_like_all_data(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "base64"), 0);
    recorder_pause(p.accepted);
    recorder_write(p.client, "\x01", 1);
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->data_size, 0);
    recorder_resume(p.accepted);
    over_wait_closed(p.accepted);
    expect_data(p.accepted, "AQ==");
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

static void ENC_12_its_listener_may_pause_or_destroy(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "hex"), 0);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "base64url"), 0);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, pause_here, NULL);
    over_send_text(f, p.client, "\x01");
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_DATA);
    expect_data(p.accepted, "AQ");
    fixture_turns(f, OVER_TURNS);
    recorder_destroy(p.accepted, NULL);
    over_wait_closed(p.accepted);
}

static void destroy_here(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_destroy(event->target_stream, NULL);
}

static void ENC_12_destroyed_by_it_there_is_no_end(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "base64"), 0);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, destroy_here, NULL);
    recorder_write(p.client, "\x01", 1);
    recorder_end(p.client);
    over_wait_closed(p.accepted);
    recorder_expect(p.accepted, "resume data:4 close");
}

static void ENC_12_LIFE_03_a_destroyed_stream_flushes_nothing(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    over_send_text(f, p.client, "\xe2\x82");
    recorder_destroy(p.accepted, NULL);
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->data_size, 0);
}

/* ---- what is buffered ---- */

static void ENC_13_what_is_buffered_becomes_text(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_send_text(f, p.client, "x\xc3\xa9\xe2");
    over_send_text(f, p.client, "\x82");
    over_expect_read(p.accepted, 1, "x"); /* the first chunk is not whole any more */
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 4);
    assert_code(weir_stream_set_encoding(p.accepted->stream, NULL), 0);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 2);
    over_send_text(f, p.client, "\xac!");
    over_expect_read(p.accepted, 0, "\xc3\xa9\xe2\x82\xac!");
}

static void ENC_13_a_buffer_behind_which_the_end_stands_is_flushed(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_send_text(f, p.client, "ab\xe2\x82");
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    over_expect_read(p.accepted, 0, "ab" BAD);
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

static void ENC_13_ENC_10_a_buffer_that_comes_to_nothing_lets_the_end_come(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_send_text(f, p.client, "a");
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 0);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf16le"), 0);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    over_wait_closed(p.accepted);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_END], 1);
}

static void ENC_13_a_paused_stream_gives_the_text_when_it_resumes(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_unshift(p.accepted->stream, "\xe2\x82", 2), 0);
    recorder_pause(p.accepted);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_resume(p.accepted);
    over_send_text(f, p.client, "\xac");
    expect_data(p.accepted, "\xe2\x82\xac");
}

static void ENC_13_before_the_connection_too(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_fresh(f, NULL);
    assert_code(weir_stream_unshift(client->stream, "\xe2\x82", 2), 0);
    assert_code(weir_stream_set_encoding(client->stream, "utf8"), 0);
    recorder_add(client, RECORD_DATA);
    f->record = 0;
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait(client, WEIR_EVENT_READY);
    over_send_text(f, accepted, "\xac");
    expect_data(client, "\xe2\x82\xac");
    recorder_destroy(client, NULL);
    over_wait_closed(client);
}

static void ENC_14_sizes_are_bytes_of_the_text(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.readable_high_water_mark = 6;
    pair p = over_pair_with(f, 0, NULL, RECORD_READABLE, &options);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "hex"), 0);
    over_send_text(f, p.client, "\x01\x02");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 4);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 2);
    over_expect_read(p.accepted, 5, NULL);
    over_expect_read(p.accepted, 3, "010");
    over_send_text(f, p.client, "\x03\x04\x05");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 7);
    over_send_text(f, p.client, "\x06");
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 7); /* at the mark, in text */
    over_expect_read(p.accepted, 6, "203040");
    fixture_turns(f, OVER_TURNS);
    over_expect_read(p.accepted, 0, "506");
}

static void ENC_14_RD_14_unshift_takes_text_as_it_is(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "hex"), 0);
    over_send_text(f, p.client, "\x01");
    assert_code(weir_stream_unshift(p.accepted->stream, "\xff", 1), 0);
    over_expect_read(p.accepted, 0,
                     "\xff"
                     "01");
}

/* ---- set again ---- */

static void set_latin1(const weir_event *event, void *arg)
{
    (void)arg;
    assert_code(weir_stream_set_encoding(event->target_stream, "latin1"), 0);
}

static void ENC_13_text_stays_text_when_the_encoding_changes(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf8"), 0);
    over_send_text(f, p.client, "\xc3\xa9\xe2\x82");
    assert_code(weir_stream_set_encoding(p.accepted->stream, "utf-8"), 0);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "hex"), 0);
    assert_string_equal(weir_stream_encoding(p.accepted->stream), "hex");
    over_expect_read(p.accepted, 0,
                     "\xc3\xa9"
                     "e282"); /* what was held back was no text yet */
    over_send_text(f, p.client, "\xac");
    over_expect_read(p.accepted, 0, "ac");
}

static void ENC_13_set_inside_a_data_listener_it_holds_for_what_follows(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_unshift(p.accepted->stream, "\xe9", 1), 0);
    assert_code(weir_stream_unshift(p.accepted->stream, "\xff", 1), 0);
    recorder_add(p.accepted, RECORD_DATA);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, set_latin1, NULL);
    over_send_text(f, p.client, "\xe9");
    recorder_end(p.client);
    over_wait_closed(p.accepted);
    expect_data(p.accepted, "\xff\xc3\xa9\xc3\xa9");
    recorder_expect(p.accepted, "resume data:5 end finish close");
}

/* ---- pipes ---- */

static void ENC_12_a_pipe_passes_the_text_on_to_its_end(void **state)
{
    fixture *f = *state;
    pair in = over_pair(f, 0, 0);
    pair out = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_set_encoding(in.accepted->stream, "base64"), 0);
    assert_code(weir_stream_pipe(in.accepted->stream, out.client->stream, NULL), 0);
    over_send_text(f, in.client, "\x01\x02");
    over_send_text(f, in.client, "\x03\x04");
    recorder_end(in.client);
    over_wait_closed(out.accepted);
    expect_data(out.accepted, "AQIDBA==");
    assert_int_equal(out.accepted->counts[WEIR_EVENT_END], 1);
}

/* ---- lives ---- */

static void ENC_01_CONN_06_a_second_life_keeps_the_encoding_and_nothing_held(void **state)
{
    fixture *f = *state;
    f->record = 0;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_connecting(f, server, NULL);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_add(client, RECORD_DATA);
    assert_code(weir_stream_set_encoding(client->stream, "utf8"), 0);
    recorder_wait(client, WEIR_EVENT_READY);
    over_send_text(f, accepted, "\xe2\x82");
    assert_int_equal(weir_stream_bytes_read(client->stream), 2);
    recorder_destroy(client, NULL);
    over_wait_closed(client);
    assert_string_equal(weir_stream_encoding(client->stream), "utf8");
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    accepted = fixture_accepted(f, server, 1);
    over_send_text(f, accepted, "\xac!");
    recorder_wait_data(client, 4);
    expect_data(client, BAD "!");
    recorder_destroy(client, NULL);
    over_wait_closed(client);
}

static void SOCM_30_ENC_15_what_can_be_set_and_what_cannot(void **state)
{
    fixture *f = *state;
    recorder *r = over_fresh(f, NULL);
    assert_code(weir_stream_set_encoding(NULL, "utf8"), UV_EINVAL);
    assert_code(weir_stream_set_encoding(r->stream, "klingon"), WEIR_EUNKNOWN_ENCODING);
    assert_null(weir_stream_encoding(r->stream));
    assert_code(weir_stream_set_encoding(r->stream, "UCS-2"), 0);
    assert_string_equal(weir_stream_encoding(r->stream), "utf16le");
    assert_code(weir_stream_set_encoding(r->stream, "klingon"), WEIR_EUNKNOWN_ENCODING);
    assert_string_equal(weir_stream_encoding(r->stream), "utf16le");
    assert_code(weir_stream_set_encoding(r->stream, NULL), 0);
    assert_string_equal(weir_stream_encoding(r->stream), "utf8");
    recorder_destroy(r, NULL);
    assert_code(weir_stream_set_encoding(r->stream, "Binary"), 0); /* it may live again */
    over_wait_closed(r);
    assert_string_equal(weir_stream_encoding(r->stream), "latin1");
}

/* ---- without memory ---- */

static void ENC_13_without_memory_nothing_has_changed(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    over_send_text(f, p.client, "\xe2\x82");
    over_send_text(f, p.client, "\xac\xff");
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    size_t failed = 0;
    for (size_t nth = 1;; nth++) {
        allocator_fail(nth, 0);
        int status = weir_stream_set_encoding(p.accepted->stream, "base64");
        allocator_fail(0, 0);
        if (status == 0) {
            break;
        }
        failed++;
        assert_code(status, UV_ENOMEM);
        assert_null(weir_stream_encoding(p.accepted->stream));
        assert_int_equal(weir_stream_readable_length(p.accepted->stream), 4);
    }
    assert_true(failed >= 5);
    over_expect_read(p.accepted, 0, "4oKs/w==");
    over_wait_closed(p.accepted);
}

/* A text that has to be made, at a reader that keeps it. */
static void ENC_11_LIFE_04_without_memory_for_the_text_the_stream_fails(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    char *bytes = malloc(64 * KIBIBYTE);
    memset(bytes, 'x', 64 * KIBIBYTE);
    assert_code(weir_stream_set_encoding(p.accepted->stream, "hex"), 0);
    over_send_text(f, p.client, "x"); /* what reading itself needs is there now */
    over_expect_read(p.accepted, 0, "78");
    recorder_write(p.client, bytes, 64 * KIBIBYTE);
    allocator_fail(1, 1);
    for (int i = 0; i < OVER_TURNS && !weir_stream_destroyed(p.accepted->stream); i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    allocator_fail(0, 0);
    assert_int_equal(weir_stream_destroyed(p.accepted->stream), 1);
    over_wait_closed(p.accepted);
    over_expect_tail(p.accepted, "error:ENOMEM close:error");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(SOCM_28_ENC_01_ENC_11_a_character_cut_by_reads_comes_whole),
        OVER_ALL(ENC_11_nothing_whole_is_no_readable_either),
        OVER_ALL(SOCM_29_SOCK_25_data_is_text_in_the_encodings_of_0_6),
        OVER_ALL(ENC_04_ENC_06_ENC_10_every_encoding_goes_through_a_stream),
        OVER_ALL(ENC_01_a_long_text_through_a_layer_that_cuts),
        OVER_ALL(ENC_12_ENC_02_what_is_held_back_is_data_before_end),
        OVER_ALL(ENC_12_readers_by_read_get_it_too),
        OVER_ALL(ENC_12_a_reader_is_woken_by_it_alone),
        OVER_ALL(ENC_12_it_waits_for_resume_like_all_data),
        OVER_ALL(ENC_12_its_listener_may_pause_or_destroy),
        OVER_ALL(ENC_12_destroyed_by_it_there_is_no_end),
        OVER_ALL(ENC_12_LIFE_03_a_destroyed_stream_flushes_nothing),
        OVER_ALL(ENC_13_what_is_buffered_becomes_text),
        OVER_ALL(ENC_13_a_buffer_behind_which_the_end_stands_is_flushed),
        OVER_ALL(ENC_13_ENC_10_a_buffer_that_comes_to_nothing_lets_the_end_come),
        OVER_ALL(ENC_13_a_paused_stream_gives_the_text_when_it_resumes),
        OVER_ALL(ENC_13_before_the_connection_too),
        OVER_ALL(ENC_14_sizes_are_bytes_of_the_text),
        OVER_ALL(ENC_14_RD_14_unshift_takes_text_as_it_is),
        OVER_ALL(ENC_13_text_stays_text_when_the_encoding_changes),
        OVER_ALL(ENC_13_set_inside_a_data_listener_it_holds_for_what_follows),
        OVER_ALL(ENC_12_a_pipe_passes_the_text_on_to_its_end),
        OVER_ALL(ENC_01_CONN_06_a_second_life_keeps_the_encoding_and_nothing_held),
        FIXTURE_TEST(SOCM_30_ENC_15_what_can_be_set_and_what_cannot),
        OVER_ALL(ENC_13_without_memory_nothing_has_changed),
        OVER_ALL(ENC_11_LIFE_04_without_memory_for_the_text_the_stream_fails),
    };
    return cmocka_run_group_tests_name("stream_encoding", tests, NULL, NULL);
}
