/* SPDX-License-Identifier: MIT */
/* One body of a test over several transports. */
#include <stdlib.h>
#include <string.h>

#include "over.h"

#define STALL_CHUNK  ((size_t)256 * 1024)
#define STALL_CHUNKS 256

static int set_up(void **state, const char *transport)
{
    int status = fixture_setup(state);
    if (status == 0) {
        fixture *f = *state;
        f->data = transport;
    }
    return status;
}

int over_tcp(void **state)
{
    return set_up(state, "tcp");
}

int over_ipc(void **state)
{
    return set_up(state, "ipc");
}

int over_mem(void **state)
{
    return set_up(state, "mem");
}

int over_is(const fixture *f, const char *transport)
{
    return strcmp(f->data, transport) == 0;
}

static const char *name_new(fixture *f)
{
    static unsigned last;
    return fixture_text(f, "s%u", ++last);
}

const char *over_here(fixture *f)
{
    if (over_is(f, "tcp")) {
        return "tcp://127.0.0.1:0";
    }
    if (over_is(f, "ipc")) {
        return fixture_text(f, "ipc:%s", fixture_path(f, name_new(f)));
    }
    return fixture_text(f, "mem:%s", name_new(f));
}

const char *over_nowhere(fixture *f)
{
    return over_is(f, "tcp") ? "tcp://127.0.0.1:1" : over_here(f);
}

weir_server *over_listen(fixture *f, const weir_server_options *options)
{
    return fixture_listen(f, over_here(f), options);
}

pair over_pair_with(fixture *f, unsigned client, const weir_stream_options *client_options, unsigned accepted,
                    const weir_server_options *server_options)
{
    f->record = 0;
    pair p = fixture_connect(f, over_listen(f, server_options), NULL, client_options);
    recorder_add(p.client, client);
    recorder_add(p.accepted, accepted);
    return p;
}

pair over_pair(fixture *f, unsigned client, unsigned accepted)
{
    return over_pair_with(f, client, NULL, accepted, NULL);
}

char over_byte(size_t position)
{
    return (char)(position * 31 + position / 256 * 7 + position / 65536);
}

size_t over_stall(fixture *f, recorder *writer)
{
    char *chunk = malloc(STALL_CHUNK);
    size_t written = 0;
    if (chunk == NULL) {
        abort();
    }
    for (int i = 0; i < STALL_CHUNKS && weir_stream_writable_length(writer->stream) == 0; i++) {
        for (size_t at = 0; at < STALL_CHUNK; at++) {
            chunk[at] = over_byte(written + at);
        }
        assert_true(recorder_write(writer, chunk, STALL_CHUNK) >= 0);
        written += STALL_CHUNK;
        fixture_turns(f, OVER_TURNS);
    }
    free(chunk);
    assert_true(weir_stream_writable_length(writer->stream) > 0);
    return written;
}

void over_expect_stalled_data(const recorder *r, size_t size)
{
    assert_true(r->data_size >= size);
    for (size_t at = 0; at < size; at++) {
        if (r->data[at] != over_byte(at)) {
            fail_msg("byte %zu is not the one that was written", at);
        }
    }
}

void over_assert_text(const recorder *r, const char *expected, const char *file, int line)
{
    static const char word[] = "connectionAttempt ";
    const char *text = r->text;
    if (strncmp(text, word, sizeof(word) - 1) == 0) {
        text += sizeof(word) - 1;
    }
    if (strcmp(text, expected) != 0) {
        print_error("the stream's events were\n    %s\nand not\n    %s\n", text, expected);
        _fail(file, line);
    }
}

void over_wait_closed(recorder *r)
{
    recorder_wait(r, WEIR_EVENT_CLOSE);
}

void over_wait_both_closed(pair p)
{
    over_wait_closed(p.client);
    over_wait_closed(p.accepted);
}

void over_expect_tail(const recorder *r, const char *tail)
{
    size_t length = strlen(r->text);
    size_t wanted = strlen(tail);
    if (length < wanted || strcmp(r->text + length - wanted, tail) != 0) {
        fail_msg("the events are '%s', which does not end with '%s'", r->text, tail);
    }
}

recorder *over_fresh(fixture *f, const weir_stream_options *options)
{
    weir_stream *stream = weir_stream_new(f->runtime, options);
    recorder *r = record_stream(f, stream, 0);
    weir_stream_release(stream);
    return r;
}

recorder *over_connecting(fixture *f, weir_server *server, const weir_stream_options *options)
{
    f->record = 0;
    return fixture_client(f, fixture_url(f, server), options);
}

weir_stream_options over_half_open(void)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    return options;
}

void over_destroy_with(recorder *r, int code)
{
    weir_error *error = weir_error_new(code, "test", NULL, -1);
    recorder_destroy(r, error);
    weir_error_release(error);
}

void over_send_text(fixture *f, recorder *from, const char *text)
{
    recorder_write(from, text, strlen(text));
    fixture_turns(f, OVER_TURNS);
}

void over_expect_read(recorder *r, size_t size, const char *text)
{
    weir_buf *buf = weir_stream_read(r->stream, size);
    if (text == NULL) {
        assert_null(buf);
        return;
    }
    assert_non_null(buf);
    assert_int_equal(buf->size, strlen(text));
    assert_memory_equal(buf->data, text, buf->size);
    weir_buf_release(buf);
}

/* ---- time ---- */

typedef struct clock_of {
    weir_timer timer;
    int over;
} clock_of;

static void on_clock(weir_timer *timer)
{
    clock_of *clock = (clock_of *)(void *)timer;
    clock->over = 1;
}

static void start_clock(fixture *f, clock_of *clock, uint64_t milliseconds)
{
    *clock = (clock_of){.timer = {.run = on_clock}};
    assert_code(weir_timer_start(f->runtime, &clock->timer, milliseconds), 0);
}

void over_wait_for(fixture *f, uint64_t milliseconds)
{
    clock_of clock;
    start_clock(f, &clock, milliseconds);
    fixture_until(f, &clock.over);
}

void over_until(fixture *f, const int *done)
{
    clock_of clock;
    start_clock(f, &clock, 3600000);
    fixture_until(f, done);
    weir_timer_stop(f->runtime, &clock.timer);
}

void over_wait_alive(fixture *f, recorder *r, weir_event_type type)
{
    clock_of clock;
    start_clock(f, &clock, 3600000);
    recorder_wait(r, type);
    weir_timer_stop(f->runtime, &clock.timer);
}
