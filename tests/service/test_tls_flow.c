/* SPDX-License-Identifier: MIT */
/*
 * 64 MiB each way at once between readers that take 4 KiB a turn: every byte arrives, memory stays bounded, and the counters
 * are of what was written, not of what it became on the wire.
 */
#define _GNU_SOURCE

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "tls_service.h"

enum { PIECE = 60000, MARK = 4096 };

/* More than a queue of ciphertext and a record or two at each end, and the slab; far less than what goes through. */
#define HELD_MOST ((size_t)512 * 1024)

static size_t amount(void)
{
    return (size_t)1024 * 1024 * (getenv("WEIR_TEST_VALGRIND") ? 2 : 64);
}

/* ---- one end ---- */

typedef struct side {
    weir_stream *stream;
    unsigned char seed;
    unsigned char peers_seed;
    size_t to_write;
    size_t written;
    size_t got;
    size_t pauses;
    size_t largest; /* report of data */
    int paused;
    int ended;
    int closed;
    int wrong; /* a byte was not the one that was written */
} side;

/* A pattern whose period divides no size of a buffer or a record. */
static unsigned char byte_at(size_t at, unsigned char seed)
{
    return (unsigned char)((at % 65521) * 31 + seed);
}

static void write_on(side *self)
{
    static unsigned char piece[PIECE];
    while (self->written < self->to_write) {
        size_t size = self->to_write - self->written < PIECE ? self->to_write - self->written : PIECE;
        for (size_t i = 0; i < size; i++)
            piece[i] = byte_at(self->written + i, self->seed);
        self->written += size;
        int more = weir_stream_write(self->stream, piece, size, NULL, NULL);
        assert_true(more >= 0);
        if (self->written == self->to_write)
            assert_int_equal(weir_stream_end(self->stream, NULL, NULL), 0);
        if (!more)
            return;
    }
}

static void on_drain(const weir_event *event, void *arg)
{
    (void)event;
    write_on(arg);
}

static void on_data(const weir_event *event, void *arg)
{
    side *self = arg;
    const weir_buf *buf = event->buffer;
    for (size_t i = 0; i < buf->size; i++)
        self->wrong |= (unsigned char)buf->data[i] != byte_at(self->got + i, self->peers_seed);
    self->got += buf->size;
    self->largest = buf->size > self->largest ? buf->size : self->largest;
    weir_stream_pause(self->stream);
    self->paused = 1;
    self->pauses++;
}

static void on_end(const weir_event *event, void *arg)
{
    (void)event;
    ((side *)arg)->ended = 1;
}

static void on_error(const weir_event *event, void *arg)
{
    (void)arg;
    fail_msg("%s", event->error->message);
}

static void on_close(const weir_event *event, void *arg)
{
    side *self = arg;
    self->closed = 1;
    weir_stream_release(event->target_stream);
}

static void side_begin(side *self, weir_stream *stream, unsigned char seed, unsigned char peers_seed, size_t to_write)
{
    self->stream = weir_stream_retain(stream);
    self->seed = seed;
    self->peers_seed = peers_seed;
    self->to_write = to_write;
    weir_stream_on(stream, WEIR_EVENT_ERROR, on_error, self);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, on_close, self);
}

static void side_reads(side *self)
{
    weir_stream_on(self->stream, WEIR_EVENT_END, on_end, self);
    weir_stream_on(self->stream, WEIR_EVENT_DATA, on_data, self);
}

static void side_writes(side *self)
{
    weir_stream_on(self->stream, WEIR_EVENT_DRAIN, on_drain, self);
    write_on(self);
}

/* A slow reader: one report of data, and then nothing until the loop has turned. */
static void side_turn(side *self)
{
    if (self->paused && !self->closed) {
        self->paused = 0;
        weir_stream_resume(self->stream);
    }
}

/* ---- both ---- */

typedef struct flow {
    fixture *f;
    side client;
    side server;
    int accepted;
    int pipes; /* the server gives everything back */
    size_t bytes_read;
    size_t bytes_written;
} flow;

/* 'end' and 'finish' have been: the counters are whole, and the stream is still there. */
static void note_counters(const weir_event *event, void *arg)
{
    flow *self = arg;
    self->bytes_read = weir_stream_bytes_read(event->target_stream);
    self->bytes_written = weir_stream_bytes_written(event->target_stream);
}

static void on_connection(const weir_event *event, void *arg)
{
    flow *self = arg;
    self->accepted = 1;
    side_begin(&self->server, event->stream, 101, 7, self->pipes ? 0 : amount());
    weir_stream_on(event->stream, WEIR_EVENT_CLOSE, note_counters, self);
    if (self->pipes) {
        assert_int_equal(weir_stream_pipe(event->stream, event->stream, NULL), 0);
    } else {
        side_reads(&self->server);
        side_writes(&self->server);
    }
}

static const char *options_of(fixture *f, const char *more)
{
    return fixture_text(
        f, "\"stream\": {\"highWaterMark\": %d, \"allowHalfOpen\": true}, \"layers\": [{\"tls\": {%s}}]}", MARK, more);
}

static void begin(flow *self, fixture *f, int pipes)
{
    weir_address address;
    memset(self, 0, sizeof(*self));
    self->f = f;
    self->pipes = pipes;
    f->record = 0;
    const char *own =
        fixture_text(f, "\"cert\": \"%s\", \"key\": \"%s\"", tls_cert("server.pem"), tls_cert("server.key"));
    weir_server *server = fixture_listen(
        f, fixture_text(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, %s", options_of(f, own)), NULL);
    assert_int_equal(weir_server_on(server, WEIR_EVENT_CONNECTION, on_connection, self), 0);
    assert_int_equal(weir_server_address(server, &address), 0);
    const char *trust = fixture_text(f, "\"ca\": \"%s\"", tls_cert("ca.pem"));
    const char *endpoint =
        fixture_text(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}, %s", address.port, options_of(f, trust));
    weir_stream *stream = weir_connect(f->runtime, endpoint, NULL, NULL, NULL, NULL);
    assert_non_null(stream);
    side_begin(&self->client, stream, 7, pipes ? 7 : 101, amount());
    weir_stream_release(stream);
    while (!self->accepted)
        fixture_turns(f, 1);
}

/* All of the process, the engine's library included; nothing where the C library does not tell. */
static size_t in_use(void)
{
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void run(flow *self)
{
    size_t before = in_use(), most = 0, held = allocator_bytes();
    allocator_peak_begin();
    while (!self->client.closed || !self->server.closed) {
        fixture_turns(self->f, 1);
        side_turn(&self->client);
        side_turn(&self->server);
        size_t now = in_use();
        most = now > before && now - before > most ? now - before : most;
        if (self->f->expired)
            fail_msg("the client got %zu of %zu, the server %zu", self->client.got, amount(), self->server.got);
    }
    if (allocator_peak() - held > HELD_MOST || most > HELD_MOST)
        fail_msg("while %zu bytes went each way, %zu were held, and %zu by the process", amount(),
                 allocator_peak() - held, most);
}

static void check_read(const side *self)
{
    assert_int_equal(self->got, amount());
    assert_int_equal(self->wrong, 0);
    assert_int_equal(self->ended, 1);
    assert_true(self->pauses >= amount() / self->largest);
}

static void TLS_18_both_ways_at_once_through_slow_readers(void **state)
{
    fixture *f = *state;
    flow self;
    tls_need();
    begin(&self, f, 0);
    side_reads(&self.client);
    side_writes(&self.client);
    run(&self);
    check_read(&self.client);
    check_read(&self.server);
    assert_int_equal(self.bytes_read, amount());
    assert_int_equal(self.bytes_written, amount());
}

/* By a pipe, which stops reading where the client does not take back what it sent. */
static void TLS_18_through_a_pipe_and_back_to_a_slow_reader(void **state)
{
    fixture *f = *state;
    flow self;
    tls_need();
    begin(&self, f, 1);
    side_reads(&self.client);
    side_writes(&self.client);
    run(&self);
    check_read(&self.client);
    assert_int_equal(self.bytes_read, amount());
    assert_int_equal(self.bytes_written, amount());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_18_both_ways_at_once_through_slow_readers),
        FIXTURE_TEST(TLS_18_through_a_pipe_and_back_to_a_slow_reader),
    };
    return cmocka_run_group_tests_name("service.tls_flow", tests, tls_group_setup, NULL);
}
