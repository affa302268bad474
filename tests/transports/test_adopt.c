/* SPDX-License-Identifier: MIT */
/* Streams around sockets that somebody else made, and descriptors of streams that are given away. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include <weir/plugin.h>
#include <weir/transport.h>

#include "raw_peer.h"

/* ---- what the tests share ---- */

typedef struct ends {
    int ours; /* to be adopted */
    int peer;
} ends;

static ends tcp_ends(void)
{
    uint16_t port = 0;
    int listener = raw_listen(&port, 1);
    ends made = {.peer = raw_connect(port)};

    made.ours = accept(listener, NULL, NULL);
    assert_true(made.ours >= 0);
    close(listener);
    return made;
}

static ends unix_ends(void)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    return (ends){fds[0], fds[1]};
}

static int code_of_adopt(fixture *f, int fd, const weir_adopt_options *adopt)
{
    int code = 0;
    weir_stream *stream = weir_stream_adopt(f->runtime, fd, adopt, NULL, &code);

    assert_null(stream);
    return code;
}

static recorder *adopt_with(fixture *f, int fd, const weir_adopt_options *adopt, const weir_stream_options *options,
                            unsigned flags)
{
    int code = 1;
    weir_stream *stream = weir_stream_adopt(f->runtime, fd, adopt, options, &code);
    recorder *r;

    assert_code(code, 0);
    assert_non_null(stream);
    r = record_stream(f, stream, flags);
    weir_stream_release(stream); /* the runtime's reference holds it */
    return r;
}

static recorder *adopted(fixture *f, int fd)
{
    return adopt_with(f, fd, NULL, NULL, RECORD_DATA);
}

static void expect_text(int fd, const char *text)
{
    char bytes[64];

    assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), strlen(text));
    assert_memory_equal(bytes, text, strlen(text));
}

static void expect_end(int fd)
{
    char byte;

    assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

/* ---- it is a stream like any other ---- */

static void expect_a_stream(fixture *f, ends e)
{
    recorder *r = adopted(f, e.ours);

    assert_int_equal(weir_stream_ready_state(r->stream), WEIR_READY_OPEN);
    assert_int_equal(weir_stream_pending(r->stream), 0);
    assert_int_equal(fcntl(e.ours, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_int_equal(fcntl(e.ours, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(raw_fd_of(r->stream), e.ours);
    assert_code(recorder_write(r, "hello", 5), 1); /* at once */
    expect_text(e.peer, "hello");
    raw_send(e.peer, "world");
    recorder_wait_data(r, 5);
    recorder_expect_data(r, "world", 5);
    assert_int_not_equal(uv_loop_alive(&f->loop), 0);
    shutdown(e.peer, SHUT_WR);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    recorder_expect(r, "resume w1 data:5 end finish close"); /* neither 'connect' nor 'ready' */
    expect_end(e.peer);
    assert_int_equal(fcntl(e.ours, F_GETFD), -1);
    close(e.peer);
}

static void net_SOCK_04_a_stream_around_a_tcp_socket(void **state)
{
    expect_a_stream(*state, tcp_ends());
}

static void net_SOCK_04_a_stream_around_a_unix_socket(void **state)
{
    expect_a_stream(*state, unix_ends());
}

static void net_SOCK_04_data_waits_for_a_reader(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    recorder *r = adopt_with(f, e.ours, NULL, NULL, 0);

    raw_send(e.peer, "early");
    fixture_turns(f, 10);
    assert_int_equal(weir_stream_bytes_read(r->stream), 0);
    recorder_add(r, RECORD_DATA);
    recorder_wait_data(r, 5);
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    close(e.peer);
}

static void net_SOCK_04_SOCP_10_SOCP_15_facts_are_the_sockets(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    recorder *r = adopted(f, e.ours);
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof(peer);
    weir_address address;
    weir_value value;

    assert_int_equal(getsockname(e.peer, (struct sockaddr *)&peer, &size), 0);
    assert_code(weir_stream_remote_address(r->stream, &address), 0);
    assert_int_equal(address.family, WEIR_FAMILY_IPV4);
    assert_int_equal(address.port, ntohs(peer.sin_port));
    assert_code(weir_stream_local_address(r->stream, &address), 0);
    assert_int_not_equal(address.port, 0);
    assert_code(weir_stream_get(r->stream, "remoteFamily", &value), 0);
    assert_string_equal(value.text, "IPv4");
    assert_null(weir_stream_server(r->stream));
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    close(e.peer);
}

/* What somebody has set on the socket is nobody's to change. */
static void net_SOCK_04_options_of_the_socket_stay(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    int on = 1;
    recorder *r;

    assert_int_equal(setsockopt(e.ours, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    assert_int_equal(setsockopt(e.ours, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
    r = adopted(f, e.ours);
    assert_int_equal(raw_option(e.ours, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(raw_option(e.ours, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_code(weir_stream_set_no_delay(r->stream, 0), 0);
    assert_int_equal(raw_option(e.ours, IPPROTO_TCP, TCP_NODELAY), 0);
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    close(e.peer);
}

static void net_SOCK_04_SOCM_24_a_reset_of_an_adopted_socket(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    recorder *r = adopted(f, e.ours);
    char byte;

    assert_code(recorder_reset(r), 0);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_int_equal(recv(e.peer, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(e.peer);
    e = unix_ends();
    r = adopted(f, e.ours);
    assert_code(recorder_reset(r), WEIR_EINVALIDHANDLETYPE);
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    close(e.peer);
}

static void net_SOCK_04_CONN_06_it_connects_anew_after_close(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    ends e = unix_ends();
    recorder *r = adopted(f, e.ours);

    close(e.peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_code(recorder_connect(r, fixture_url(f, server)), 0);
    recorder_wait(r, WEIR_EVENT_READY);
    assert_int_equal(weir_stream_ready_state(r->stream), WEIR_READY_OPEN);
    recorder_destroy(r, NULL);
}

static void net_SOCK_04_BN_21_it_is_connected_already(void **state)
{
    fixture *f = *state;
    ends e = unix_ends();
    recorder *r = adopted(f, e.ours);

    assert_code(weir_stream_connect(r->stream, "tcp://127.0.0.1:1", NULL, NULL), UV_EISCONN);
    recorder_write(r, "x", 1);
    expect_text(e.peer, "x");
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    close(e.peer);
}

static void net_SOCK_04_SOCM_23_it_keeps_the_loop_alive_until_unref(void **state)
{
    fixture *f = *state;
    ends e = unix_ends();
    recorder *r = adopted(f, e.ours);

    fixture_turns(f, 3);
    assert_int_not_equal(uv_loop_alive(&f->loop), 0);
    weir_stream_unref(r->stream);
    fixture_run(f);
    weir_stream_ref(r->stream);
    close(e.peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
}

static void net_SOCK_04_the_runtimes_end_closes_it(void **state)
{
    fixture *f = *state;
    ends e = unix_ends();
    recorder *r = adopted(f, e.ours);

    recorder_write(r, "last", 4);
    fixture_end(f);
    expect_text(e.peer, "last");
    expect_end(e.peer);
    close(e.peer);
}

static void destroy_it(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_destroy(event->target_stream, NULL);
}

static void net_SOCK_04_LIFE_01_destroyed_in_its_first_data(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    recorder *r = adopt_with(f, e.ours, NULL, NULL, 0);

    raw_send(e.peer, "first");
    assert_code(weir_stream_on(r->stream, WEIR_EVENT_DATA, destroy_it, NULL), 0);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_false(recorder_saw(r, "close:error"));
    close(e.peer);
}

/* Made by whoever bound it: nobody else's to remove. */
static void net_PATH_08_a_file_behind_an_adopted_socket_stays(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    int listener = raw_bind_path(path);
    ends e;
    recorder *r;

    assert_int_equal(listen(listener, 1), 0);
    e.peer = raw_connect_path(path);
    e.ours = accept(listener, NULL, NULL);
    r = adopted(f, e.ours);
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    close(e.peer);
    close(listener);
    assert_int_equal(access(path, F_OK), 0);
}

static void net_SOCK_04_two_are_piped_into_each_other(void **state)
{
    fixture *f = *state;
    ends left = tcp_ends();
    ends right = unix_ends();
    weir_stream_options options;
    recorder *from;
    recorder *to;

    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    from = adopt_with(f, left.ours, NULL, &options, 0);
    to = adopt_with(f, right.ours, NULL, &options, 0);
    assert_code(weir_stream_pipe(from->stream, to->stream, NULL), 0);
    assert_code(weir_stream_pipe(to->stream, from->stream, NULL), 0);
    raw_send(left.peer, "over");
    shutdown(left.peer, SHUT_WR);
    recorder_wait(from, WEIR_EVENT_END);
    fixture_turns(f, 10);
    expect_text(right.peer, "over");
    close(right.peer);
    recorder_wait(from, WEIR_EVENT_CLOSE);
    recorder_wait(to, WEIR_EVENT_CLOSE);
    close(left.peer);
}

static void net_SOCK_07_allow_half_open(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    weir_stream_options options;
    recorder *r;

    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    r = adopt_with(f, e.ours, NULL, &options, RECORD_DATA);
    shutdown(e.peer, SHUT_WR);
    recorder_wait(r, WEIR_EVENT_END);
    fixture_turns(f, 10);
    assert_int_equal(weir_stream_ready_state(r->stream), WEIR_READY_WRITE_ONLY);
    recorder_write(r, "still", 5);
    expect_text(e.peer, "still");
    recorder_end(r);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    expect_end(e.peer);
    close(e.peer);
}

/* ---- one side only ---- */

static void net_SOCK_08_A_09_readable_only(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    weir_adopt_options only = {.size = sizeof(only), .readable = 1};
    recorder *r = adopt_with(f, e.ours, &only, NULL, RECORD_DATA);
    char byte;

    assert_int_equal(weir_stream_ready_state(r->stream), WEIR_READY_READ_ONLY);
    assert_int_equal(weir_stream_writable(r->stream), 0);
    assert_int_equal(weir_stream_writable_ended(r->stream), 1);
    raw_send(e.peer, "in");
    recorder_wait_data(r, 2);
    fixture_turns(f, 10);
    assert_int_equal(recv(e.peer, &byte, 1, MSG_DONTWAIT), -1); /* nothing tells the peer of it */
    assert_int_equal(errno, EAGAIN);
    shutdown(e.peer, SHUT_WR);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    recorder_expect(r, "resume data:2 end close"); /* no 'finish' */
    close(e.peer);
}

static void net_SOCK_08_writing_to_what_is_readable_only(void **state)
{
    fixture *f = *state;
    ends e = unix_ends();
    weir_adopt_options only = {.size = sizeof(only), .readable = 1};
    recorder *r = adopt_with(f, e.ours, &only, NULL, RECORD_DATA);

    recorder_write(r, "x", 1);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(r, "error:ERR_STREAM_WRITE_AFTER_END"));
    expect_end(e.peer);
    close(e.peer);
    e = unix_ends();
    r = adopt_with(f, e.ours, &only, NULL, RECORD_DATA);
    recorder_end(r); /* what is over already */
    fixture_turns(f, 5);
    assert_true(recorder_saw(r, "e1:ERR_STREAM_ALREADY_FINISHED"));
    weir_stream_destroy_soon(r->stream);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    close(e.peer);
}

static void net_SOCK_09_A_09_writable_only(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    weir_adopt_options only = {.size = sizeof(only), .writable = 1};
    recorder *r = adopt_with(f, e.ours, &only, NULL, RECORD_DATA);

    assert_int_equal(weir_stream_ready_state(r->stream), WEIR_READY_WRITE_ONLY);
    assert_int_equal(weir_stream_readable(r->stream), 0);
    raw_send(e.peer, "unheard");
    fixture_turns(f, 10);
    assert_int_equal(weir_stream_bytes_read(r->stream), 0);
    assert_code(weir_stream_unshift(r->stream, "x", 1), WEIR_EUNSHIFT_AFTER_END);
    recorder_write(r, "out", 3);
    expect_text(e.peer, "out");
    recorder_end(r);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    recorder_expect(r, "resume w1 e1 finish close"); /* no 'end' */
    close(e.peer);
}

static void net_SOCK_09_a_peer_that_leaves_what_is_writable_only(void **state)
{
    fixture *f = *state;
    ends e = unix_ends();
    weir_adopt_options only = {.size = sizeof(only), .writable = 1};
    recorder *r = adopt_with(f, e.ours, &only, NULL, 0);

    close(e.peer);
    recorder_wait(r, WEIR_EVENT_PEER_CLOSE);
    recorder_write(r, "x", 1);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(r, "error:EPIPE"));
}

static void net_SOCK_08_SOCK_09_both_flags_are_both_ways(void **state)
{
    fixture *f = *state;
    ends e = unix_ends();
    weir_adopt_options both = {.size = sizeof(both), .readable = 1, .writable = 1};
    recorder *r = adopt_with(f, e.ours, &both, NULL, RECORD_DATA);

    assert_int_equal(weir_stream_ready_state(r->stream), WEIR_READY_OPEN);
    close(e.peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    recorder_expect(r, "resume end finish close");
}

/* ---- what is refused ---- */

static void net_SOCK_05_what_is_no_stream_socket(void **state)
{
    fixture *f = *state;
    int file = open(fixture_path(f, "file"), O_RDWR | O_CREAT, 0600);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
    int packets[2];
    int pipes[2];
    uint16_t port = 0;
    int listening = raw_listen(&port, 1);
    int fresh = socket(AF_INET6, SOCK_STREAM, 0);
    int gone = dup(file);
    int before;

    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets), 0);
    close(gone);
    before = fixture_descriptors();
    assert_code(code_of_adopt(f, -1, NULL), WEIR_EOUTOFRANGE);
    assert_code(code_of_adopt(f, gone, NULL), UV_EBADF);
    assert_code(code_of_adopt(f, file, NULL), WEIR_EINVALIDFDTYPE);
    assert_code(code_of_adopt(f, pipes[0], NULL), WEIR_EINVALIDFDTYPE);
    assert_code(code_of_adopt(f, udp, NULL), WEIR_EINVALIDFDTYPE);
    assert_code(code_of_adopt(f, datagram, NULL), WEIR_EINVALIDFDTYPE);
    assert_code(code_of_adopt(f, packets[0], NULL), WEIR_EINVALIDFDTYPE);
    assert_code(code_of_adopt(f, listening, NULL), UV_ENOTCONN);
    assert_code(code_of_adopt(f, fresh, NULL), UV_ENOTCONN);
    assert_null(weir_stream_adopt(NULL, file, NULL, NULL, NULL));
    /* all of them are still there, and as they were */
    assert_int_equal(fixture_descriptors(), before);
    assert_int_equal(fcntl(listening, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(fresh, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(fresh, F_GETFD) & FD_CLOEXEC, 0);
    close(file);
    close(udp);
    close(datagram);
    close(packets[0]);
    close(packets[1]);
    close(pipes[0]);
    close(pipes[1]);
    close(listening);
    close(fresh);
}

static void net_SOCK_06_the_type_is_checked(void **state)
{
    fixture *f = *state;
    static const char *const types[] = {"tcp4", "tcp6", "unix", "pipe"};
    ends made[2] = {tcp_ends(), unix_ends()};
    static const char *const right[2] = {"tcp4", "unix"};
    size_t i;
    size_t j;

    for (i = 0; i < 2; i++) {
        weir_adopt_options adopt = {.size = sizeof(adopt)};
        recorder *r;

        for (j = 0; j < 4; j++) {
            adopt.type = types[j];
            if (strcmp(types[j], right[i]) != 0)
                assert_code(code_of_adopt(f, made[i].ours, &adopt), WEIR_EINVALIDFDTYPE);
        }
        adopt.type = right[i];
        r = adopt_with(f, made[i].ours, &adopt, NULL, RECORD_DATA);
        close(made[i].peer);
        recorder_wait(r, WEIR_EVENT_CLOSE);
    }
}

static void net_SOCK_06_a_socket_of_ipv6(void **state)
{
    fixture *f = *state;
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof(address);
    weir_adopt_options adopt = {.size = sizeof(adopt), .type = "tcp6"};
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int peer = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    weir_address remote;
    recorder *r;

    if (bind(listener, (struct sockaddr *)&address, size)) {
        close(listener);
        close(peer);
        skip(); /* no IPv6 here */
    }
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, size), 0);
    r = adopt_with(f, accept(listener, NULL, NULL), &adopt, NULL, RECORD_DATA);
    assert_code(weir_stream_remote_address(r->stream, &remote), 0);
    assert_int_equal(remote.family, WEIR_FAMILY_IPV6);
    close(listener);
    close(peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
}

static void net_SOCK_05_one_that_is_adopted_already(void **state)
{
    fixture *f = *state;
    ends e = unix_ends();
    recorder *r = adopted(f, e.ours);

    fixture_turns(f, 3);
    assert_code(code_of_adopt(f, e.ours, NULL), UV_EEXIST);
    recorder_write(r, "goes on", 7);
    expect_text(e.peer, "goes on");
    close(e.peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
}

/* One allocation after the other fails: then the socket is as it was, and in the end it is a stream's. */
static void net_SOCK_04_without_memory_it_stays_the_callers(void **state)
{
    fixture *f = *state;
    ends e = tcp_ends();
    weir_stream *stream = NULL;
    weir_stream_options options;
    int code = UV_ENOMEM;
    recorder *r;
    size_t nth;

    assert_code(weir_runtime_load_plugin(f->runtime, "tcp", NULL, NULL), 0);
    weir_stream_options_init(&options);
    options.timeout = 10000;
    for (nth = 1; !stream; nth++) {
        allocator_fail(nth, 0);
        stream = weir_stream_adopt(f->runtime, e.ours, NULL, &options, &code);
        allocator_fail(0, 0);
        if (stream)
            break;
        assert_code(code, UV_ENOMEM);
        assert_int_equal(fcntl(e.ours, F_GETFL) & O_NONBLOCK, 0);
        assert_int_equal(fcntl(e.ours, F_GETFD) & FD_CLOEXEC, 0);
    }
    assert_true(nth > 3);
    r = record_stream(f, stream, RECORD_DATA);
    weir_stream_release(stream);
    close(e.peer);
    recorder_wait(r, WEIR_EVENT_CLOSE);
}

/* ---- transports of others ---- */

static int odd_configure(weir_configure *configure, void **context)
{
    *context = configure->adopts && json_object_size(configure->options) == 0 ? configure : NULL;
    return 0;
}

static void odd_context_free(void *context)
{
    (void)context;
}

static size_t odd_format(const void *context, char *text, size_t size)
{
    (void)context;
    return (size_t)snprintf(text, size, "odd");
}

static weir_link *odd_create(void *context, weir_runtime *runtime)
{
    (void)context;
    (void)runtime;
    return NULL;
}

/* It wants FIFOs, and never gets one open. */
static const char *odd_recognizes(int fd)
{
    return lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE && send(fd, "", 0, MSG_NOSIGNAL) < 0 && errno == ENOTSOCK
               ? "fifo"
               : NULL;
}

static int odd_adopt(void *context, weir_runtime *runtime, int fd, weir_link **link)
{
    (void)runtime;
    (void)fd;
    (void)link;
    return context ? UV_ENETDOWN : UV_EINVAL;
}

#define ODD_TRANSPORT \
    .configure = odd_configure, .context_free = odd_context_free, .format = odd_format, .create = odd_create

static const weir_transport odd_transport = {
    .size = sizeof(weir_transport), ODD_TRANSPORT, .recognizes = odd_recognizes, .adopt = odd_adopt};
/* Built before there were descriptors: what stands behind its end is not its own. */
static const weir_transport older_transport = {
    .size = offsetof(weir_transport, recognizes), ODD_TRANSPORT, .recognizes = odd_recognizes, .adopt = odd_adopt};

static void expect_of_a_stranger(fixture *f, const char *name, const weir_transport *transport, int expected)
{
    const weir_plugin plugin = {WEIR_PLUGIN_HEADER,
                                .name = name,
                                .version = "1.0.0",
                                .description = "odd",
                                .schema = "{\"required\": [\"path\"]}",
                                .transport = transport};
    weir_adopt_options adopt = {.size = sizeof(adopt), .type = "fifo"};
    int pipes[2];
    weir_error *error = NULL;

    assert_int_equal(pipe(pipes), 0);
    assert_code(weir_runtime_register_plugin(f->runtime, &plugin, &error), 0);
    assert_code(code_of_adopt(f, pipes[0], &adopt), expected);
    fixture_end(f);
    close(pipes[0]);
    close(pipes[1]);
}

static void net_SOCK_04_a_strangers_transport_is_asked_first(void **state)
{
    expect_of_a_stranger(*state, "odd", &odd_transport, UV_ENETDOWN);
}

static void net_SOCK_04_a_strangers_older_transport_is_not_asked(void **state)
{
    expect_of_a_stranger(*state, "older", &older_transport, WEIR_EINVALIDFDTYPE);
}

/* ---- given away ---- */

static void net_SRV_45_a_streams_descriptor_is_duplicated(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    weir_stream *fresh = weir_stream_new(f->runtime, NULL);
    pair tcp = fixture_connect(f, server, fixture_text(f, "probe+%s", fixture_url(f, server)), NULL);
    pair mem = fixture_connect(f, fixture_listen(f, "mem:here", NULL), NULL, NULL);
    int fd = weir_stream_export_fd(tcp.client->stream);

    assert_true(fd >= 0);
    assert_int_not_equal(fd, raw_fd_of(tcp.client->stream));
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    raw_send(fd, "by its other end");
    recorder_wait_data(tcp.accepted, 16);
    recorder_destroy(tcp.client, NULL);
    assert_code(weir_stream_export_fd(tcp.client->stream), UV_ENOTCONN);
    recorder_wait(tcp.client, WEIR_EVENT_CLOSE);
    raw_send(fd, "!"); /* the duplicate is its holder's */
    recorder_wait_data(tcp.accepted, 17);
    close(fd);
    assert_code(weir_stream_export_fd(fresh), UV_ENOTCONN);
    assert_code(weir_stream_export_fd(NULL), UV_ENOTCONN);
    assert_code(weir_stream_export_fd(mem.client->stream), UV_ENOTSUP);
    weir_stream_release(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_SOCK_04_a_stream_around_a_tcp_socket),
        FIXTURE_TEST(net_SOCK_04_a_stream_around_a_unix_socket),
        FIXTURE_TEST(net_SOCK_04_data_waits_for_a_reader),
        FIXTURE_TEST(net_SOCK_04_SOCP_10_SOCP_15_facts_are_the_sockets),
        FIXTURE_TEST(net_SOCK_04_options_of_the_socket_stay),
        FIXTURE_TEST(net_SOCK_04_SOCM_24_a_reset_of_an_adopted_socket),
        FIXTURE_TEST(net_SOCK_04_CONN_06_it_connects_anew_after_close),
        FIXTURE_TEST(net_SOCK_04_BN_21_it_is_connected_already),
        FIXTURE_TEST(net_SOCK_04_SOCM_23_it_keeps_the_loop_alive_until_unref),
        FIXTURE_TEST(net_SOCK_04_the_runtimes_end_closes_it),
        FIXTURE_TEST(net_SOCK_04_LIFE_01_destroyed_in_its_first_data),
        FIXTURE_TEST(net_PATH_08_a_file_behind_an_adopted_socket_stays),
        FIXTURE_TEST(net_SOCK_04_two_are_piped_into_each_other),
        FIXTURE_TEST(net_SOCK_07_allow_half_open),
        FIXTURE_TEST(net_SOCK_08_A_09_readable_only),
        FIXTURE_TEST(net_SOCK_08_writing_to_what_is_readable_only),
        FIXTURE_TEST(net_SOCK_09_A_09_writable_only),
        FIXTURE_TEST(net_SOCK_09_a_peer_that_leaves_what_is_writable_only),
        FIXTURE_TEST(net_SOCK_08_SOCK_09_both_flags_are_both_ways),
        FIXTURE_TEST(net_SOCK_05_what_is_no_stream_socket),
        FIXTURE_TEST(net_SOCK_06_the_type_is_checked),
        FIXTURE_TEST(net_SOCK_06_a_socket_of_ipv6),
        FIXTURE_TEST(net_SOCK_05_one_that_is_adopted_already),
        FIXTURE_TEST(net_SOCK_04_without_memory_it_stays_the_callers),
        FIXTURE_TEST(net_SOCK_04_a_strangers_transport_is_asked_first),
        FIXTURE_TEST(net_SOCK_04_a_strangers_older_transport_is_not_asked),
        FIXTURE_TEST(net_SRV_45_a_streams_descriptor_is_duplicated),
    };

    return cmocka_run_group_tests_name("adopt", tests, NULL, NULL);
}
