/* SPDX-License-Identifier: MIT */
/* Pipes, row by row: what goes through, back pressure, ends, errors, and how a pipe is taken off again. */
#include <stdlib.h>

#include "over.h"

#define MEBIBYTE ((size_t)1024 * 1024)

/* A source that `from` writes to, and a destination that `to` reads from; nothing is piped yet. */
typedef struct plumbing {
    recorder *from;
    recorder *source;
    recorder *destination;
    recorder *to;
} plumbing;

static plumbing lay(fixture *f)
{
    pair in = over_pair(f, 0, 0);
    pair out = over_pair(f, 0, 0);
    return (plumbing){.from = in.client, .source = in.accepted, .destination = out.client, .to = out.accepted};
}

/* The limit is for writers who ignore write()'s 0; a pipe does not, and one read of it may be larger than the limit. */
static void PIPE_02_BN_07_maxWriteQueue_does_not_break_a_pipe(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.max_write_queue = 64 * 1024;
    pair in = over_pair(f, 0, 0);
    pair out = over_pair_with(f, 0, &options, 0, NULL);
    assert_code(weir_stream_pipe(in.accepted->stream, out.client->stream, NULL), 0);
    size_t size = over_stall(f, in.client);
    assert_false(weir_stream_destroyed(out.client->stream));
    assert_true(weir_stream_writable_length(out.client->stream) <= 2 * 256 * 1024);
    recorder_add(out.accepted, RECORD_DATA);
    recorder_wait_data(out.accepted, size);
    over_expect_stalled_data(out.accepted, size);
}

static plumbing lay_and_pipe(fixture *f)
{
    plumbing p = lay(f);
    recorder_add(p.to, RECORD_DATA);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    return p;
}

static void PIPE_01_every_byte_goes_over(void **state)
{
    fixture *f = *state;
    char *bytes = malloc(4 * MEBIBYTE);
    fixture_fill(bytes, 4 * MEBIBYTE, 1);
    plumbing p = lay_and_pipe(f);
    assert_int_equal(weir_stream_readable_flowing(p.source->stream), 1);
    recorder_write(p.from, bytes, 4 * MEBIBYTE);
    recorder_wait_data(p.to, 4 * MEBIBYTE);
    recorder_expect_data(p.to, bytes, 4 * MEBIBYTE);
    assert_int_equal(weir_stream_bytes_read(p.source->stream), 4 * MEBIBYTE);
    assert_int_equal(weir_stream_bytes_written(p.destination->stream), 4 * MEBIBYTE);
    free(bytes);
}

static void PIPE_01_a_paused_source_starts_and_listeners_hear_it_too(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    recorder_pause(p.source);
    recorder_add(p.source, RECORD_DATA);
    recorder_add(p.to, RECORD_DATA);
    over_send_text(f, p.from, "early");
    assert_int_equal(p.source->data_size, 0);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    recorder_wait_data(p.to, 5);
    recorder_expect_data(p.source, "early", 5);
}

static void PIPE_02_a_slow_destination_stalls_the_source(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    size_t size = over_stall(f, p.from);
    assert_true(weir_stream_writable_need_drain(p.destination->stream));
    assert_true(weir_stream_writable_length(p.destination->stream) <= 2 * 256 * 1024);
    assert_true(weir_stream_readable_length(p.source->stream) <= 2 * 256 * 1024);
    uint64_t read = weir_stream_bytes_read(p.source->stream);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_bytes_read(p.source->stream), read);
    recorder_add(p.to, RECORD_DATA);
    recorder_wait_data(p.to, size);
    over_expect_stalled_data(p.to, size);
}

static void PIPE_03_the_sources_end_ends_the_destination(void **state)
{
    fixture *f = *state;
    plumbing p = lay_and_pipe(f);
    recorder_add(p.destination, RECORD_DATA);
    recorder_add(p.from, RECORD_DATA);
    recorder_write(p.from, "last words", 10);
    recorder_end(p.from);
    over_wait_closed(p.to);
    over_wait_closed(p.destination);
    over_wait_closed(p.source);
    recorder_expect_data(p.to, "last words", 10);
    over_expect(p.destination, "connect ready pipe resume finish unpipe end close");
}

static void PIPE_03_an_end_behind_a_stalled_destination(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    size_t size = over_stall(f, p.from);
    recorder_end(p.from);
    fixture_turns(f, OVER_TURNS);
    recorder_add(p.to, RECORD_DATA);
    recorder_wait(p.to, WEIR_EVENT_END);
    over_expect_stalled_data(p.to, size);
    assert_int_equal(p.to->data_size, size);
}

static void PIPE_04_with_no_end_the_destination_stays_open(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    weir_pipe_options options = {.size = sizeof(options), .no_end = 1};
    recorder_add(p.to, RECORD_DATA);
    recorder_add(p.from, RECORD_DATA);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, &options), 0);
    recorder_write(p.from, "one", 3);
    recorder_end(p.from);
    over_wait_closed(p.source);
    assert_int_equal(weir_stream_writable(p.destination->stream), 1);
    recorder_write(p.destination, "two", 3);
    recorder_wait_data(p.to, 6);
    recorder_expect_data(p.to, "onetwo", 6);
    assert_int_equal(p.destination->counts[WEIR_EVENT_UNPIPE], 1);
}

typedef struct told {
    weir_stream *pipe;
    weir_stream *unpipe;
} told;

static void note_told(const weir_event *event, void *arg)
{
    told *seen = arg;
    if (event->type == WEIR_EVENT_PIPE) {
        seen->pipe = event->stream;
    } else {
        seen->unpipe = event->stream;
    }
}

static void PIPE_05_the_destination_is_told_of_its_source(void **state)
{
    fixture *f = *state;
    told seen = {NULL, NULL};
    plumbing p = lay(f);
    weir_stream_on(p.destination->stream, WEIR_EVENT_PIPE, note_told, &seen);
    weir_stream_on(p.destination->stream, WEIR_EVENT_UNPIPE, note_told, &seen);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    assert_null(seen.pipe);
    fixture_turns(f, OVER_TURNS);
    assert_ptr_equal(seen.pipe, p.source->stream);
    assert_null(seen.unpipe);
    weir_stream_unpipe(p.source->stream, p.destination->stream);
    fixture_turns(f, OVER_TURNS);
    assert_ptr_equal(seen.unpipe, p.source->stream);
    assert_int_equal(p.destination->counts[WEIR_EVENT_PIPE], 1);
    assert_int_equal(p.destination->counts[WEIR_EVENT_UNPIPE], 1);
}

static void PIPE_06_the_slowest_of_several_destinations_governs(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    pair fast = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    assert_code(weir_stream_pipe(p.source->stream, fast.client->stream, NULL), 0);
    size_t size = over_stall(f, p.from);
    assert_true(fast.accepted->data_size < size);
    size_t so_far = fast.accepted->data_size;
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(fast.accepted->data_size, so_far);
    recorder_add(p.to, RECORD_DATA);
    recorder_wait_data(p.to, size);
    recorder_wait_data(fast.accepted, size);
    over_expect_stalled_data(p.to, size);
    over_expect_stalled_data(fast.accepted, size);
}

static void PIPE_06_when_the_slowest_leaves_the_others_go_on(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    pair fast = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    assert_code(weir_stream_pipe(p.source->stream, fast.client->stream, NULL), 0);
    size_t size = over_stall(f, p.from);
    recorder_destroy(p.destination, NULL);
    recorder_wait_data(fast.accepted, size);
    over_expect_stalled_data(fast.accepted, size);
    assert_int_equal(weir_stream_destroyed(p.source->stream), 0);
}

static void PIPE_07_a_stream_into_itself_is_an_echo(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_pipe(p.accepted->stream, p.accepted->stream, NULL), 0);
    size_t size = over_stall(f, p.client);
    assert_true(weir_stream_writable_length(p.accepted->stream) <= 2 * 256 * 1024);
    recorder_add(p.client, RECORD_DATA);
    recorder_end(p.client);
    over_wait_both_closed(p);
    assert_int_equal(p.client->data_size, size);
    over_expect_stalled_data(p.client, size);
}

static void PIPE_08_unpipe_pauses_and_loses_nothing(void **state)
{
    fixture *f = *state;
    plumbing p = lay_and_pipe(f);
    over_send_text(f, p.from, "piped");
    weir_stream_unpipe(p.source->stream, p.destination->stream);
    assert_int_equal(weir_stream_readable_flowing(p.source->stream), 0);
    over_send_text(f, p.from, "kept");
    recorder_expect_data(p.to, "piped", 5);
    recorder_add(p.source, RECORD_DATA);
    recorder_resume(p.source);
    recorder_wait_data(p.source, 4);
    recorder_expect_data(p.source, "kept", 4);
}

static void PIPE_08_unpipe_of_one_leaves_the_others(void **state)
{
    fixture *f = *state;
    plumbing p = lay_and_pipe(f);
    pair other = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_pipe(p.source->stream, other.client->stream, NULL), 0);
    weir_stream_unpipe(p.source->stream, p.destination->stream);
    weir_stream_unpipe(p.source->stream, p.destination->stream); /* none such */
    assert_int_equal(weir_stream_readable_flowing(p.source->stream), 1);
    over_send_text(f, p.from, "text");
    recorder_expect_data(other.accepted, "text", 4);
    assert_int_equal(p.to->data_size, 0);
    weir_stream_unpipe(p.source->stream, NULL);
    assert_int_equal(weir_stream_readable_flowing(p.source->stream), 0);
}

static void unpipe_here(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_unpipe(event->target_stream, NULL);
}

static void PIPE_08_unpipe_inside_data(void **state)
{
    fixture *f = *state;
    plumbing p = lay_and_pipe(f);
    fixture_turns(f, OVER_TURNS);
    weir_stream_on(p.source->stream, WEIR_EVENT_DATA, unpipe_here, NULL);
    over_send_text(f, p.from, "text");
    assert_int_equal(weir_stream_readable_flowing(p.source->stream), 0);
    assert_int_equal(p.to->data_size, 0); /* this chunk was the listeners' */
    over_send_text(f, p.from, "more");
    assert_int_equal(weir_stream_bytes_read(p.source->stream), 4);
}

static void PIPE_08_unpipe_of_a_stalled_destination(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    size_t size = over_stall(f, p.from);
    weir_stream_unpipe(p.source->stream, p.destination->stream);
    uint64_t handed_over = weir_stream_bytes_written(p.destination->stream);
    recorder_add(p.to, RECORD_DATA);
    recorder_wait_data(p.to, handed_over);
    recorder_add(p.source, RECORD_DATA);
    recorder_resume(p.source);
    recorder_wait_data(p.source, size - handed_over);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.to->data_size + p.source->data_size, size);
    over_expect_stalled_data(p.to, p.to->data_size);
    for (size_t at = 0; at < p.source->data_size; at++) {
        assert_true(p.source->data[at] == over_byte(p.to->data_size + at));
    }
}

static void PIPE_09_a_failing_destination_leaves_the_source_paused(void **state)
{
    fixture *f = *state;
    plumbing p = lay_and_pipe(f);
    weir_error *error = weir_error_new(UV_EPROTO, "test", NULL, -1);
    over_send_text(f, p.from, "piped");
    recorder_destroy(p.destination, error);
    weir_error_release(error);
    over_wait_closed(p.destination);
    assert_int_equal(weir_stream_destroyed(p.source->stream), 0);
    assert_int_equal(weir_stream_readable_flowing(p.source->stream), 0);
    over_send_text(f, p.from, "kept");
    recorder_add(p.source, RECORD_DATA);
    recorder_resume(p.source);
    recorder_wait_data(p.source, 4);
    recorder_expect_data(p.source, "kept", 4);
    assert_true(recorder_saw(p.destination, "error:EPROTO"));
}

static void PIPE_09_a_destination_whose_peer_has_gone(void **state)
{
    fixture *f = *state;
    plumbing p = lay_and_pipe(f);
    recorder_pause(p.destination); /* it learns of it by writing only */
    recorder_destroy(p.to, NULL);
    over_wait_closed(p.to);
    for (int i = 0; i < 100 && !weir_stream_destroyed(p.destination->stream); i++) {
        recorder_write(p.from, "into the void", 13);
        fixture_turns(f, 2);
    }
    over_wait_closed(p.destination);
    assert_int_equal(p.destination->counts[WEIR_EVENT_ERROR], 1);
    assert_int_equal(weir_stream_destroyed(p.source->stream), 0);
    assert_int_equal(weir_stream_readable_flowing(p.source->stream), 0);
}

static void PIPE_09_a_destination_that_has_ended(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    recorder_end(p.destination);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    recorder_wait(p.destination, WEIR_EVENT_FINISH);
    fixture_turns(f, OVER_TURNS);
    over_send_text(f, p.from, "kept");
    assert_int_equal(weir_stream_destroyed(p.source->stream), 0);
    assert_int_equal(weir_stream_readable_flowing(p.source->stream), 0);
}

static void PIPE_10_a_failing_source_leaves_the_destination_open(void **state)
{
    fixture *f = *state;
    plumbing p = lay_and_pipe(f);
    weir_error *error = weir_error_new(UV_EPROTO, "test", NULL, -1);
    over_send_text(f, p.from, "piped");
    recorder_destroy(p.source, error);
    weir_error_release(error);
    over_wait_closed(p.source);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_writable(p.destination->stream), 1);
    assert_int_equal(weir_stream_destroyed(p.destination->stream), 0);
    recorder_write(p.destination, " and more", 9);
    recorder_wait_data(p.to, 14);
    recorder_expect_data(p.to, "piped and more", 14);
    assert_int_equal(p.destination->counts[WEIR_EVENT_UNPIPE], 1);
}

/* ---- what pipe() takes ---- */

static void PIPE_01_what_cannot_be_piped_is_refused(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), UV_EEXIST);
    assert_code(weir_stream_pipe(NULL, p.destination->stream, NULL), UV_EINVAL);
    assert_code(weir_stream_pipe(p.source->stream, NULL, NULL), UV_EINVAL);
    recorder_destroy(p.destination, NULL);
    assert_code(weir_stream_pipe(p.from->stream, p.destination->stream, NULL), UV_EINVAL);
    assert_code(weir_stream_pipe(p.destination->stream, p.from->stream, NULL), UV_EINVAL);
}

static void PIPE_03_a_source_that_has_ended_already_ends_the_destination(void **state)
{
    fixture *f = *state;
    weir_stream_options half_open;
    weir_stream_options_init(&half_open);
    half_open.allow_half_open = 1;
    pair in = over_pair_with(f, RECORD_DATA, &half_open, 0, NULL);
    pair out = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_end(in.accepted);
    recorder_wait(in.client, WEIR_EVENT_END);
    assert_code(weir_stream_pipe(in.client->stream, out.client->stream, NULL), 0);
    over_wait_both_closed(out);
    assert_true(recorder_saw(out.accepted, "end"));
}

static void PIPE_01_into_a_stream_that_is_still_connecting(void **state)
{
    fixture *f = *state;
    pair in = over_pair(f, 0, 0);
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    recorder *destination = fixture_client(f, fixture_url(f, server), NULL);
    assert_code(weir_stream_pipe(in.accepted->stream, destination->stream, NULL), 0);
    recorder_write(in.client, "early", 5);
    recorder *to = fixture_accepted(f, server, 0);
    recorder_add(to, RECORD_DATA);
    recorder_wait_data(to, 5);
}

static void pipe_here(const weir_event *event, void *arg)
{
    assert_code(weir_stream_pipe(event->target_stream, arg, NULL), 0);
}

/* Whoever reads a head itself and leaves the rest to a pipe does not want the head twice. */
static void PIPE_01_EMT_10_a_pipe_made_inside_data_begins_behind_that_data(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    recorder_add(p.to, RECORD_DATA);
    assert_code(weir_stream_once(p.source->stream, WEIR_EVENT_DATA, pipe_here, p.destination->stream), 0);
    over_send_text(f, p.from, "head");
    over_send_text(f, p.from, "rest");
    recorder_wait_data(p.to, 4);
    fixture_turns(f, OVER_TURNS);
    recorder_expect_data(p.to, "rest", 4);
}

static void read_here(const weir_event *event, void *arg)
{
    int *done = arg;
    if (!*done) {
        *done = 1;
        weir_buf_release(weir_stream_read(event->target_stream, 0));
    }
}

static void pipe_and_read_here(const weir_event *event, void *arg)
{
    weir_stream_off(event->target_stream, WEIR_EVENT_DATA, pipe_and_read_here, arg);
    assert_code(weir_stream_pipe(event->target_stream, arg, NULL), 0);
    weir_buf_release(
        weir_stream_read(event->target_stream, 0)); /* is told within, and is behind the pipe's beginning */
}

static void PIPE_01_RD_09_EMT_10_a_pipe_made_inside_data_gets_what_is_read_behind_it(void **state)
{
    fixture *f = *state;
    plumbing p = lay(f);
    recorder_add(p.to, RECORD_DATA);
    assert_code(weir_stream_unshift(p.source->stream, "second", 6), 0);
    assert_code(weir_stream_unshift(p.source->stream, "first", 5), 0);
    assert_code(weir_stream_on(p.source->stream, WEIR_EVENT_DATA, pipe_and_read_here, p.destination->stream), 0);
    recorder_wait_data(p.to, 6);
    over_send_text(f, p.from, "third");
    recorder_wait_data(p.to, 11);
    recorder_expect_data(p.to, "secondthird", 11);
}

static void PIPE_01_RD_09_what_a_listener_reads_itself_does_not_overtake(void **state)
{
    fixture *f = *state;
    int done = 0;
    plumbing p = lay(f);
    recorder_add(p.to, RECORD_DATA);
    assert_code(weir_stream_unshift(p.source->stream, "second", 6), 0);
    assert_code(weir_stream_unshift(p.source->stream, "first", 5), 0);
    assert_code(weir_stream_on(p.source->stream, WEIR_EVENT_DATA, read_here, &done), 0);
    assert_code(weir_stream_pipe(p.source->stream, p.destination->stream, NULL), 0);
    recorder_wait_data(p.to, 11);
    assert_int_equal(done, 1);
    recorder_expect_data(p.to, "firstsecond", 11);
}

/* The pipe went with the former life; the new one does not flow before somebody wants its data. */
static void PIPE_10_CONN_06_a_source_that_lives_again_does_not_flow_for_nobody(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    pair in = fixture_connect(f, server, NULL, NULL);
    pair out = over_pair(f, 0, 0);
    assert_code(weir_stream_pipe(in.client->stream, out.client->stream, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    recorder_destroy(in.client, NULL);
    over_wait_closed(in.client);
    assert_code(recorder_connect(in.client, fixture_url(f, server)), 0);
    recorder *accepted = fixture_accepted(f, server, 1);
    over_send_text(f, accepted, "kept");
    recorder_add(in.client, RECORD_DATA);
    recorder_wait_data(in.client, 4);
    recorder_expect_data(in.client, "kept", 4);
}

static void EMT_06_removing_listeners_leaves_pipes_alone(void **state)
{
    fixture *f = *state;
    plumbing p = lay_and_pipe(f);
    for (int type = 0; type < WEIR_EVENT_CLOSE; type++) { /* the recorders want to hear of 'close' */
        weir_stream_remove_all(p.source->stream, (weir_event_type)type);
        weir_stream_remove_all(p.destination->stream, (weir_event_type)type);
    }
    char *bytes = malloc(4 * MEBIBYTE); /* more than fits without back pressure */
    fixture_fill(bytes, 4 * MEBIBYTE, 6);
    recorder_write(p.from, bytes, 4 * MEBIBYTE);
    recorder_wait_data(p.to, 4 * MEBIBYTE);
    recorder_expect_data(p.to, bytes, 4 * MEBIBYTE);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(PIPE_01_every_byte_goes_over),
        OVER_ALL(PIPE_01_a_paused_source_starts_and_listeners_hear_it_too),
        OVER_ALL(PIPE_01_what_cannot_be_piped_is_refused),
        OVER_ALL(PIPE_01_into_a_stream_that_is_still_connecting),
        OVER_ALL(PIPE_01_EMT_10_a_pipe_made_inside_data_begins_behind_that_data),
        OVER_ALL(PIPE_01_RD_09_EMT_10_a_pipe_made_inside_data_gets_what_is_read_behind_it),
        OVER_ALL(PIPE_01_RD_09_what_a_listener_reads_itself_does_not_overtake),
        OVER_ALL(PIPE_10_CONN_06_a_source_that_lives_again_does_not_flow_for_nobody),
        OVER_ALL(PIPE_02_a_slow_destination_stalls_the_source),
        OVER_ALL(PIPE_02_BN_07_maxWriteQueue_does_not_break_a_pipe),
        OVER_ALL(PIPE_03_the_sources_end_ends_the_destination),
        OVER_ALL(PIPE_03_an_end_behind_a_stalled_destination),
        OVER_ALL(PIPE_03_a_source_that_has_ended_already_ends_the_destination),
        OVER_ALL(PIPE_04_with_no_end_the_destination_stays_open),
        OVER_ALL(PIPE_05_the_destination_is_told_of_its_source),
        OVER_ALL(PIPE_06_the_slowest_of_several_destinations_governs),
        OVER_ALL(PIPE_06_when_the_slowest_leaves_the_others_go_on),
        OVER_ALL(PIPE_07_a_stream_into_itself_is_an_echo),
        OVER_ALL(PIPE_08_unpipe_pauses_and_loses_nothing),
        OVER_ALL(PIPE_08_unpipe_of_one_leaves_the_others),
        OVER_ALL(PIPE_08_unpipe_inside_data),
        OVER_ALL(PIPE_08_unpipe_of_a_stalled_destination),
        OVER_ALL(PIPE_09_a_failing_destination_leaves_the_source_paused),
        OVER_ALL(PIPE_09_a_destination_whose_peer_has_gone),
        OVER_ALL(PIPE_09_a_destination_that_has_ended),
        OVER_ALL(PIPE_10_a_failing_source_leaves_the_destination_open),
        OVER_ALL(EMT_06_removing_listeners_leaves_pipes_alone),
    };
    return cmocka_run_group_tests_name("stream_pipe", tests, NULL, NULL);
}
