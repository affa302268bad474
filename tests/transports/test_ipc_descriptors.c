/* SPDX-License-Identifier: MIT */
/* Descriptors that travel over unix sockets: with which byte, how many, whose they are, and that none is lost. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "raw_peer.h"

/* ---- what the tests share ---- */

typedef struct received {
    int fds[16];
    size_t count;
    recorder *of;
    size_t data_at_first; /* how much data had come when the first one did */
} received;

static void on_fd(const weir_event *event, void *arg)
{
    received *got = arg;

    assert_true(got->count < 16);
    if (got->count == 0 && got->of)
        got->data_at_first = got->of->data_size;
    got->fds[got->count++] = event->fd;
}

static void listen_for_fds(received *got, recorder *of)
{
    memset(got, 0, sizeof(*got));
    got->of = of;
    assert_code(weir_stream_on(of->stream, WEIR_EVENT_FD, on_fd, got), 0);
}

static void close_all(const int *fds, size_t count)
{
    while (count)
        close(fds[--count]);
}

typedef struct told {
    int count;
    int status;
} told;

static void on_written(weir_stream *stream, int status, void *arg)
{
    told *tell = arg;

    (void)stream;
    tell->count++;
    tell->status = status;
}

/* Whether `other` is the writing end of a pipe whose reading end is `reader`. */
static int leads_to(int other, int reader)
{
    char byte = 0;

    return write(other, "y", 1) == 1 && read(reader, &byte, 1) == 1 && byte == 'y';
}

static weir_server *listen_here(fixture *f)
{
    return fixture_listen(f, fixture_text(f, "ipc:%s", fixture_path(f, "sock")), NULL);
}

/* A stream that a raw socket is at the other end of; nothing of the test's keeps it but the fixture. */
static recorder *stream_to_raw(fixture *f, int *peer)
{
    int ends[2];
    weir_stream *stream;
    recorder *r;
    int error = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    stream = weir_stream_adopt(f->runtime, ends[0], NULL, NULL, &error);
    assert_code(error, 0);
    r = record_stream(f, stream, RECORD_DATA);
    weir_stream_release(stream);
    *peer = ends[1];
    return r;
}

/* The peer closes, and the stream has its 'close'. */
static void part(recorder *r, int peer)
{
    close(peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
}

/* ---- sending ---- */

static void net_SOCM_58_BN_25_several_descriptors_in_one_write(void **state)
{
    fixture *f = *state;
    pair p = fixture_connect(f, listen_here(f), NULL, NULL);
    received got;
    told tell = {0};
    int ways[2];

    assert_int_equal(pipe(ways), 0);
    listen_for_fds(&got, p.accepted);
    assert_code(weir_stream_write_fd(p.client->stream, "hello", 5, ways, 2, on_written, &tell), 1);
    close(ways[1]); /* duplicated in the call */
    assert_int_equal(tell.count, 0);
    recorder_wait_data(p.accepted, 5);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.data_at_first, 0);
    assert_int_equal(fcntl(got.fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(got.fds[1], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_true(leads_to(got.fds[1], ways[0]));
    recorder_expect_data(p.accepted, "hello", 5);
    fixture_until(f, &tell.count);
    assert_int_equal(tell.count, 1);
    assert_code(tell.status, 0);
    assert_int_equal(weir_stream_bytes_written(p.client->stream), 5);
    close(ways[0]);
    close_all(got.fds, 2);
}

/* Byte by byte, so that the kernel says with which of them the descriptors come. */
static void expect_bytes(int peer, const char *bytes, const size_t *counts)
{
    size_t i;

    for (i = 0; bytes[i]; i++) {
        int fds[8];
        size_t count;
        char byte = 0;

        assert_int_equal(raw_receive_descriptors(peer, &byte, 1, fds, &count), 1);
        assert_int_equal(byte, bytes[i]);
        assert_int_equal(count, counts[i]);
        close_all(fds, count);
    }
}

static void write_a_mixture(weir_stream *stream)
{
    int fds[3] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO};

    assert_true(weir_stream_write(stream, "a", 1, NULL, NULL) >= 0);
    assert_true(weir_stream_write_fd(stream, "bc", 2, fds, 1, NULL, NULL) >= 0);
    assert_true(weir_stream_write(stream, "d", 1, NULL, NULL) >= 0);
    assert_true(weir_stream_write(stream, "", 0, NULL, NULL) >= 0);
    assert_true(weir_stream_write_fd(stream, "e", 1, fds, 3, NULL, NULL) >= 0);
    assert_true(weir_stream_write_fd(stream, "f", 1, fds, 2, NULL, NULL) >= 0);
    assert_true(weir_stream_write(stream, "g", 1, NULL, NULL) >= 0);
}

static const size_t mixture[] = {0, 1, 0, 0, 3, 2, 0};

static void net_SOCM_59_descriptors_travel_with_the_first_byte_of_their_write(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *r = stream_to_raw(f, &peer);

    write_a_mixture(r->stream);
    fixture_turns(f, 20);
    expect_bytes(peer, "abcdefg", mixture);
    part(r, peer);
}

static void net_SOCM_59_corked_and_queued_writes_keep_their_order(void **state)
{
    fixture *f = *state;
    int before = fixture_descriptors();
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    char byte;

    weir_stream_cork(r->stream);
    write_a_mixture(r->stream);
    fixture_turns(f, 20);
    assert_int_equal(recv(peer, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(weir_stream_writable_length(r->stream), 7);
    assert_int_equal(fixture_descriptors(), before + 2 + 6);
    weir_stream_uncork(r->stream);
    fixture_turns(f, 20);
    assert_int_equal(fixture_descriptors(), before + 2);
    expect_bytes(peer, "abcdefg", mixture);
    part(r, peer);
}

static void net_SOCM_59_writes_before_the_connection_wait_for_it(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "raw");
    int listener = raw_bind_path(path);
    recorder *client;
    int peer;

    assert_int_equal(listen(listener, 1), 0);
    client = fixture_client(f, fixture_text(f, "ipc:%s", path), NULL);
    assert_int_equal(weir_stream_connecting(client->stream), 1);
    write_a_mixture(client->stream);
    recorder_wait(client, WEIR_EVENT_READY);
    fixture_turns(f, 20);
    peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(peer >= 0);
    expect_bytes(peer, "abcdefg", mixture);
    close(listener);
    part(client, peer);
}

#define MANY ((size_t)2 * 1024 * 1024)

/* Far more than the kernel takes at once: the descriptors go once all the same. */
static void net_SOCM_59_a_write_in_parts_sends_its_descriptors_once(void **state)
{
    fixture *f = *state;
    pair p = fixture_connect(f, listen_here(f), NULL, NULL);
    char *bytes = malloc(MANY);
    int fds[2] = {STDERR_FILENO, STDERR_FILENO};
    told tell = {0};
    received got;

    assert_non_null(bytes);
    fixture_fill(bytes, MANY, 3);
    listen_for_fds(&got, p.accepted);
    assert_code(weir_stream_write_fd(p.client->stream, bytes, MANY, fds, 2, on_written, &tell), 0);
    assert_int_equal(weir_stream_writable_length(p.client->stream), MANY);
    assert_int_equal(weir_stream_writable_need_drain(p.client->stream), 1);
    recorder_wait_data(p.accepted, MANY);
    recorder_wait(p.client, WEIR_EVENT_DRAIN);
    recorder_expect_data(p.accepted, bytes, MANY);
    assert_int_equal(got.count, 2);
    assert_int_equal(tell.count, 1);
    close_all(got.fds, got.count);
    free(bytes);
}

/* ---- what does not get through ---- */

static void stall(weir_stream *stream)
{
    static const char block[4096];

    while (weir_stream_write(stream, block, sizeof(block), NULL, NULL) == 1) {
    }
}

static void net_SOCM_59_destroy_closes_what_is_queued(void **state)
{
    fixture *f = *state;
    int before = fixture_descriptors();
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    int fds[3] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO};
    told tell = {0};

    stall(r->stream);
    assert_code(weir_stream_write_fd(r->stream, "x", 1, fds, 3, on_written, &tell), 0);
    assert_code(weir_stream_write_fd(r->stream, "y", 1, fds, 1, on_written, &tell), 0);
    assert_int_equal(fixture_descriptors(), before + 2 + 4);
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_int_equal(tell.count, 2);
    assert_code(tell.status, WEIR_ESTREAM_DESTROYED);
    assert_int_equal(fixture_descriptors(), before + 1);
    close(peer);
}

/* What waits with the links, not in the stream's own queue, goes as well. */
static void net_SOCM_59_destroy_closes_what_is_on_its_way(void **state)
{
    fixture *f = *state;
    int before = fixture_descriptors();
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    int fds[2] = {STDERR_FILENO, STDERR_FILENO};
    static const char block[65536];

    while (weir_stream_write_fd(r->stream, block, sizeof(block), fds, 2, NULL, NULL) >= 0 &&
           weir_stream_writable_length(r->stream) < 40 * sizeof(block)) {
    }
    fixture_turns(f, 5);
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_int_equal(fixture_descriptors(), before + 1);
    close(peer);
}

static void net_SOCM_59_a_peer_that_has_gone(void **state)
{
    fixture *f = *state;
    int before = fixture_descriptors();
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    int fd = STDERR_FILENO;
    told tell = {0};

    close(peer);
    assert_true(weir_stream_write_fd(r->stream, "x", 1, &fd, 1, on_written, &tell) >= 0);
    assert_true(weir_stream_write_fd(r->stream, "y", 1, &fd, 1, on_written, &tell) >= 0);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_int_equal(tell.count, 2);
    assert_code(tell.status, UV_EPIPE);
    assert_int_equal(fixture_descriptors(), before);
}

static void net_SOCM_58_what_is_refused(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    int before = fixture_descriptors();
    int fds[254];
    int bad[3] = {STDERR_FILENO, STDERR_FILENO, 1 << 20};
    told tell = {0};
    size_t i;

    for (i = 0; i < 254; i++)
        fds[i] = STDERR_FILENO;
    assert_code(weir_stream_write_fd(r->stream, "x", 0, fds, 1, on_written, &tell), UV_EINVAL);
    assert_code(weir_stream_write_fd(r->stream, "x", 1, fds, 0, on_written, &tell), UV_EINVAL);
    assert_code(weir_stream_write_fd(r->stream, "x", 1, NULL, 1, on_written, &tell), UV_EINVAL);
    assert_code(weir_stream_write_fd(r->stream, "x", 1, fds, 254, on_written, &tell), UV_EINVAL);
    assert_code(weir_stream_write_fd(r->stream, NULL, 1, fds, 1, on_written, &tell), WEIR_ESTREAM_NULL_VALUES);
    assert_code(weir_stream_write_fd(NULL, "x", 1, fds, 1, on_written, &tell), UV_EINVAL);
    assert_code(weir_stream_write_fd(r->stream, "x", 1, bad, 3, on_written, &tell), UV_EBADF);
    assert_int_equal(fixture_descriptors(), before);
    assert_int_equal(weir_stream_bytes_written(r->stream), 0);
    fixture_turns(f, 5);
    assert_int_equal(tell.count, 0);
    part(r, peer);
}

static void net_BN_25_as_many_as_the_kernel_takes(void **state)
{
    fixture *f = *state;
    pair p = fixture_connect(f, listen_here(f), NULL, NULL);
    int before = fixture_descriptors();
    int fds[253];
    size_t i;

    for (i = 0; i < 253; i++)
        fds[i] = STDERR_FILENO;
    recorder_add(p.accepted, RECORD_FD);
    assert_code(weir_stream_write_fd(p.client->stream, "x", 1, fds, 253, NULL, NULL), 1);
    recorder_wait_data(p.accepted, 1);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_FD], 253);
    fixture_turns(f, 5);
    assert_int_equal(fixture_descriptors(), before);
}

static void net_BN_07_the_limit_of_the_queue_counts(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    int fd = STDERR_FILENO;
    pair p;
    int before;

    weir_stream_options_init(&options);
    options.max_write_queue = 4;
    p = fixture_connect(f, listen_here(f), NULL, &options);
    before = fixture_descriptors();
    weir_stream_cork(p.client->stream);
    assert_code(weir_stream_write_fd(p.client->stream, "abc", 3, &fd, 1, NULL, NULL), 1);
    assert_code(weir_stream_write_fd(p.client->stream, "de", 2, &fd, 1, NULL, NULL), WEIR_EWRITEQUEUEFULL);
    assert_int_equal(fixture_descriptors(), before + 1);
    weir_stream_uncork(p.client->stream);
    recorder_wait_data(p.accepted, 3);
    recorder_expect_data(p.accepted, "abc", 3);
}

static void net_SOCM_58_other_streams_cannot(void **state)
{
    fixture *f = *state;
    int fd = STDERR_FILENO;
    int before;
    weir_stream *fresh = weir_stream_new(f->runtime, NULL);
    pair tcp = fixture_connect(f, fixture_listen(f, "tcp://127.0.0.1:0", NULL), NULL, NULL);
    pair mem = fixture_connect(f, fixture_listen(f, "mem:here", NULL), NULL, NULL);
    weir_server *server = listen_here(f);
    pair layered = fixture_connect(f, server, fixture_text(f, "probe+%s", fixture_url(f, server)), NULL);
    weir_stream *const streams[] = {fresh, tcp.client->stream, mem.client->stream, layered.client->stream};
    told tell = {0};
    size_t i;

    before = fixture_descriptors();
    for (i = 0; i < 4; i++) {
        assert_code(weir_stream_write_fd(streams[i], "x", 1, &fd, 1, on_written, &tell), WEIR_EINVALIDHANDLETYPE);
        assert_int_equal(weir_stream_destroyed(streams[i]), 0);
    }
    assert_int_equal(fixture_descriptors(), before);
    recorder_write(tcp.client, "goes on", 7);
    recorder_wait_data(tcp.accepted, 7);
    assert_int_equal(tell.count, 0);
    weir_stream_release(fresh);
}

static void net_SOCM_56_SOCM_57_after_the_end_and_after_destroy(void **state)
{
    fixture *f = *state;
    int fd = STDERR_FILENO;
    int peers[2];
    recorder *ended = stream_to_raw(f, &peers[0]);
    recorder *gone = stream_to_raw(f, &peers[1]);
    told late = {0};
    told dead = {0};

    recorder_end(ended);
    assert_code(weir_stream_write_fd(ended->stream, "x", 1, &fd, 1, on_written, &late), 0);
    recorder_wait(ended, WEIR_EVENT_CLOSE);
    assert_code(late.status, WEIR_EWRITE_AFTER_END);
    assert_true(recorder_saw(ended, "error:ERR_STREAM_WRITE_AFTER_END"));
    recorder_destroy(gone, NULL);
    assert_code(weir_stream_write_fd(gone->stream, "x", 1, &fd, 1, on_written, &dead), 0);
    recorder_wait(gone, WEIR_EVENT_CLOSE);
    assert_code(weir_stream_write_fd(gone->stream, "x", 1, &fd, 1, on_written, &dead), 0);
    fixture_turns(f, 5);
    assert_int_equal(dead.count, 2);
    assert_code(dead.status, WEIR_ESTREAM_DESTROYED);
    close_all(peers, 2);
}

static void net_BN_25_a_process_without_room_for_duplicates(void **state)
{
    fixture *f = *state;
    int fds[4] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO, STDERR_FILENO};
    struct rlimit before;
    struct rlimit limit;
    recorder *r;
    int count;
    int peer;

    raw_skip_where_descriptors_never_lack();
    r = stream_to_raw(f, &peer);
    count = fixture_descriptors();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)peer + 2;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_code(weir_stream_write_fd(r->stream, "x", 1, fds, 4, NULL, NULL), UV_EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(fixture_descriptors(), count);
    part(r, peer);
}

/* One allocation after the other fails: nothing is written then, and no duplicate is left. */
static void net_BN_25_without_memory_nothing_is_done(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    int fds[2] = {STDERR_FILENO, STDERR_FILENO};
    int before = fixture_descriptors();
    char bytes[4];
    size_t nth;
    int status = UV_ENOMEM;

    for (nth = 1; status == UV_ENOMEM; nth++) {
        allocator_fail(nth, 0);
        status = weir_stream_write_fd(r->stream, "x", 1, fds, 2, NULL, NULL);
        allocator_fail(0, 0);
        if (status == UV_ENOMEM)
            assert_int_equal(fixture_descriptors(), before);
    }
    assert_code(status, 1);
    assert_true(nth > 3);
    fixture_turns(f, 5);
    assert_int_equal(recv(peer, bytes, sizeof(bytes), 0), 1);
    part(r, peer);
}

/* ---- receiving ---- */

static void net_BN_25_SOCK_44_descriptors_come_close_on_exec(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    received got;
    int ways[2];

    assert_int_equal(pipe(ways), 0);
    listen_for_fds(&got, r);
    raw_send_descriptors(peer, "x", ways, 2);
    recorder_wait_data(r, 1);
    assert_int_equal(got.count, 2);
    assert_int_equal(fcntl(got.fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_true(leads_to(got.fds[1], ways[0]));
    close_all(got.fds, 2);
    close_all(ways, 2);
    part(r, peer);
}

/* The fixture sees to it that none is left open. */
static void net_SOCK_44_SOCM_59_descriptors_nobody_wants_are_closed(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    int before = fixture_descriptors();

    raw_send_descriptors(peer, "x", &peer, 1);
    recorder_wait_data(r, 1);
    assert_int_equal(fixture_descriptors(), before);
    part(r, peer);
}

/* Layers pass on bytes alone: what is beside them belongs to nobody there, and could not be kept in order. */
static void net_SOCM_58_SOCM_59_below_a_layer_descriptors_are_closed(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, fixture_text(f, "probe+ipc:%s?name=low", fixture_path(f, "sock")), NULL);
    pair p = fixture_connect(f, server, fixture_text(f, "ipc:%s", fixture_path(f, "sock")), NULL);
    received got;
    int before;

    listen_for_fds(&got, p.accepted);
    recorder_pause(p.accepted);
    before = fixture_descriptors();
    assert_code(weir_stream_write_fd(p.client->stream, "one", 3, (int[]){STDIN_FILENO}, 1, NULL, NULL), 1);
    recorder_resume(p.accepted);
    recorder_wait_data(p.accepted, 3);
    assert_int_equal(got.count, 0);
    assert_int_equal(fixture_descriptors(), before);
}

static void net_SOCK_44_every_message_brings_its_own(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    received got;
    int ways[2];

    assert_int_equal(pipe(ways), 0);
    listen_for_fds(&got, r);
    raw_send_descriptors(peer, "one", &ways[1], 1);
    raw_send(peer, "two");
    raw_send_descriptors(peer, "three", &ways[0], 1);
    recorder_wait_data(r, 11);
    recorder_expect_data(r, "onetwothree", 11);
    assert_int_equal(got.count, 2);
    assert_true(leads_to(got.fds[0], got.fds[1]));
    close_all(got.fds, 2);
    close_all(ways, 2);
    part(r, peer);
}

static void expect_one(const weir_event *event, void *arg)
{
    (void)event;
    assert_int_equal(((const received *)arg)->count, 1);
}

/* Read on demand: 'fd' comes when the bytes are taken from the kernel, which is before anybody can have them. */
static void net_SOCM_59_fd_comes_before_buffered_data(void **state)
{
    fixture *f = *state;
    int ends[2];
    received got;
    recorder *r;
    weir_buf *buf;
    weir_stream *stream;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    stream = weir_stream_adopt(f->runtime, ends[0], NULL, NULL, NULL);
    r = record_stream(f, stream, RECORD_READABLE);
    weir_stream_release(stream);
    listen_for_fds(&got, r);
    assert_code(weir_stream_prepend_once(r->stream, WEIR_EVENT_READABLE, expect_one, &got), 0);
    raw_send_descriptors(ends[1], "x", ends, 1);
    recorder_wait(r, WEIR_EVENT_READABLE);
    buf = weir_stream_read(r->stream, 0);
    assert_non_null(buf);
    weir_buf_release(buf);
    close_all(got.fds, got.count);
    close(ends[1]);
    recorder_wait(r, WEIR_EVENT_READABLE);
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
}

static void net_SOCM_59_a_paused_stream_leaves_them_in_the_kernel(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    received got;

    listen_for_fds(&got, r);
    recorder_pause(r);
    raw_send_descriptors(peer, "x", &peer, 1);
    fixture_turns(f, 10);
    assert_int_equal(got.count, 0);
    recorder_resume(r);
    recorder_wait_data(r, 1);
    assert_int_equal(got.count, 1);
    close_all(got.fds, 1);
    part(r, peer);
}

static void close_and_destroy(const weir_event *event, void *arg)
{
    (*(int *)arg)++;
    close(event->fd);
    weir_stream_destroy(event->target_stream, NULL);
}

static void net_SOCM_59_destroyed_in_the_first_listener_the_rest_is_closed(void **state)
{
    fixture *f = *state;
    int peer;
    recorder *r = stream_to_raw(f, &peer);
    int before = fixture_descriptors();
    int fds[3] = {peer, peer, peer};
    int calls = 0;

    assert_code(weir_stream_on(r->stream, WEIR_EVENT_FD, close_and_destroy, &calls), 0);
    raw_send_descriptors(peer, "x", fds, 3);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_int_equal(calls, 1);
    assert_int_equal(r->data_size, 0);
    assert_int_equal(fixture_descriptors(), before - 1);
    close(peer);
}

static void send_it_back(const weir_event *event, void *arg)
{
    int fd = event->fd;

    (void)arg;
    assert_true(weir_stream_write_fd(event->target_stream, "back", 4, &fd, 1, NULL, NULL) >= 0);
    close(fd);
}

static void net_BN_25_a_descriptor_is_sent_on_inside_fd(void **state)
{
    fixture *f = *state;
    pair p = fixture_connect(f, listen_here(f), NULL, NULL);
    received got;
    int ways[2];

    assert_int_equal(pipe(ways), 0);
    listen_for_fds(&got, p.client);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_FD, send_it_back, NULL), 0);
    assert_code(weir_stream_write_fd(p.client->stream, "there", 5, &ways[1], 1, NULL, NULL), 1);
    recorder_wait_data(p.client, 4);
    assert_int_equal(got.count, 1);
    assert_true(leads_to(got.fds[0], ways[0]));
    close_all(got.fds, 1);
    close_all(ways, 2);
}

/* Half of them would be worse than none: which byte did the others belong to? */
static void net_BN_25_descriptors_the_process_has_no_room_for(void **state)
{
    fixture *f = *state;
    int fds[4] = {1, 1, 1, 1};
    struct rlimit before;
    struct rlimit limit;
    recorder *r;
    int peer;

    raw_skip_where_descriptors_never_lack();
    r = stream_to_raw(f, &peer);
    recorder_add(r, RECORD_FD); /* nobody else's would be received at all */
    raw_send_descriptors(peer, "x", fds, 4);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)peer + 3; /* room for two, or for one */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(r->data_size, 1);
    assert_true(recorder_saw(r, "error:EMFILE"));
    assert_true(r->counts[WEIR_EVENT_FD] < 4);
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_SOCM_58_BN_25_several_descriptors_in_one_write),
        FIXTURE_TEST(net_SOCM_59_descriptors_travel_with_the_first_byte_of_their_write),
        FIXTURE_TEST(net_SOCM_59_corked_and_queued_writes_keep_their_order),
        FIXTURE_TEST(net_SOCM_59_writes_before_the_connection_wait_for_it),
        FIXTURE_TEST(net_SOCM_59_a_write_in_parts_sends_its_descriptors_once),
        FIXTURE_TEST(net_SOCM_59_destroy_closes_what_is_queued),
        FIXTURE_TEST(net_SOCM_59_destroy_closes_what_is_on_its_way),
        FIXTURE_TEST(net_SOCM_59_a_peer_that_has_gone),
        FIXTURE_TEST(net_SOCM_58_what_is_refused),
        FIXTURE_TEST(net_BN_25_as_many_as_the_kernel_takes),
        FIXTURE_TEST(net_BN_07_the_limit_of_the_queue_counts),
        FIXTURE_TEST(net_SOCM_58_other_streams_cannot),
        FIXTURE_TEST(net_SOCM_56_SOCM_57_after_the_end_and_after_destroy),
        FIXTURE_TEST(net_BN_25_a_process_without_room_for_duplicates),
        FIXTURE_TEST(net_BN_25_without_memory_nothing_is_done),
        FIXTURE_TEST(net_BN_25_SOCK_44_descriptors_come_close_on_exec),
        FIXTURE_TEST(net_SOCK_44_SOCM_59_descriptors_nobody_wants_are_closed),
        FIXTURE_TEST(net_SOCM_58_SOCM_59_below_a_layer_descriptors_are_closed),
        FIXTURE_TEST(net_SOCK_44_every_message_brings_its_own),
        FIXTURE_TEST(net_SOCM_59_fd_comes_before_buffered_data),
        FIXTURE_TEST(net_SOCM_59_a_paused_stream_leaves_them_in_the_kernel),
        FIXTURE_TEST(net_SOCM_59_destroyed_in_the_first_listener_the_rest_is_closed),
        FIXTURE_TEST(net_BN_25_a_descriptor_is_sent_on_inside_fd),
        FIXTURE_TEST(net_BN_25_descriptors_the_process_has_no_room_for),
    };

    return cmocka_run_group_tests_name("ipc_descriptors", tests, NULL, NULL);
}
