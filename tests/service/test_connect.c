/* SPDX-License-Identifier: MIT */
/* `weir connect`: standard input and output over an endpoint, whatever they are, and whoever ends first. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"

#define MIB ((size_t)1024 * 1024)

/* The peer is a plain socket of the test's own: nothing of weir is on that side. */
typedef struct peer {
    int listener;
    int fd;
    char url[64];
} peer;

static void peer_listen(peer *self)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    self->fd = -1;
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(self->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(self->listener, 8), 0);
    assert_int_equal(getsockname(self->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(self->url, sizeof(self->url), "tcp://127.0.0.1:%d", ntohs(address.sin_port));
}

static void peer_accept(peer *self)
{
    self->fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(self->fd >= 0);
}

static void peer_close(peer *self)
{
    if (self->fd >= 0)
        close(self->fd);
    close(self->listener);
}

static void peer_send(const peer *self, const char *text)
{
    assert_int_equal(send(self->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All of a text, and, with `end`, nothing after it. */
static void peer_expect(const peer *self, const char *text, int end)
{
    char got[256];
    size_t length = strlen(text);
    assert_int_equal(recv(self->fd, got, length, MSG_WAITALL), (ssize_t)length);
    assert_memory_equal(got, text, length);
    if (end)
        assert_int_equal(recv(self->fd, got, 1, 0), 0);
}

static void expect_end(child *weir, int code, const char *out, const char *err)
{
    int ended = child_finish(weir);
    if (ended != code)
        fail_msg("ended with %d: %s", ended, weir->err_text);
    if (out != NULL)
        assert_string_equal(weir->out_text, out);
    assert_string_equal(weir->err_text, err);
    child_free(weir);
}

/* ---- what is carried ---- */

static void input_and_answer(void **state)
{
    (void)state;
    peer p;
    peer_listen(&p);
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", p.url);
    peer_accept(&p);
    assert_int_equal(write(weir->in, "hello", 5), 5);
    peer_expect(&p, "hello", 0);
    peer_send(&p, "good ");
    child_close_in(weir);
    /* The end of input is the end of sending only. */
    peer_expect(&p, "", 1);
    peer_send(&p, "morning");
    shutdown(p.fd, SHUT_WR);
    expect_end(weir, 0, "good morning", "");
    peer_close(&p);
}

/* `in` is an input that is empty, or as good as. */
static void empty_input(int in)
{
    peer p;
    peer_listen(&p);
    child *weir = CHILD(in, CHILD_PIPE, "connect", p.url);
    peer_accept(&p);
    peer_expect(&p, "", 1);
    peer_send(&p, "answer");
    close(p.fd);
    p.fd = -1;
    expect_end(weir, 0, "answer", "");
    peer_close(&p);
}

static void input_is_dev_null(void **state)
{
    (void)state;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    empty_input(null);
    close(null);
}

static void input_is_closed(void **state)
{
    (void)state;
    empty_input(CHILD_CLOSED);
}

/* A file is sent to its end also after the peer's end. */
static void input_and_output_are_files(void **state)
{
    (void)state;
    peer p;
    char text[64] = "";
    const size_t size = 3 * MIB + 17;
    char *bytes = malloc(size), *got = malloc(size + 1);
    assert_true(bytes != NULL && got != NULL);
    fixture_fill(bytes, size, 6);
    int in = open(child_file("in", ""), O_RDWR | O_CLOEXEC);
    int out = open(child_file("out", ""), O_RDWR | O_CLOEXEC);
    assert_int_equal(write(in, bytes, size), (ssize_t)size);
    assert_int_equal(lseek(in, 0, SEEK_SET), 0);
    peer_listen(&p);
    child *weir = CHILD(in, out, "connect", p.url);
    peer_accept(&p);
    peer_send(&p, "short answer");
    shutdown(p.fd, SHUT_WR);
    assert_int_equal(recv(p.fd, got, size + 1, MSG_WAITALL), (ssize_t)size);
    assert_memory_equal(bytes, got, size);
    expect_end(weir, 0, NULL, "");
    assert_int_equal(pread(out, text, sizeof(text), 0), 12);
    assert_string_equal(text, "short answer");
    peer_close(&p);
    close(in);
    close(out);
    free(bytes);
    free(got);
}

static void path_as_endpoint(void **state)
{
    (void)state;
    char service[256];
    snprintf(service, sizeof(service),
             "{\"servers\": [{\"name\": \"e\", \"listen\": \"ipc:@weir-test-connect-%d\", \"handler\": \"echo\"}]}",
             (int)getpid());
    child *server = CHILD(CHILD_PIPE, CHILD_PIPE, "run", child_file("ipc.json", service));
    while (!strstr(child_line(server), "\"running\"")) {
    }
    char url[64];
    snprintf(url, sizeof(url), "ipc:@weir-test-connect-%d", (int)getpid());
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", url);
    assert_int_equal(write(weir->in, "hello", 5), 5);
    expect_end(weir, 0, "hello", "");
    kill(server->pid, SIGTERM);
    assert_int_equal(child_finish(server), 0);
    child_free(server);
}

/* ---- who ends first ---- */

static void peer_ends_while_input_is_open(void **state)
{
    (void)state;
    peer p;
    peer_listen(&p);
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", p.url);
    peer_accept(&p);
    peer_send(&p, "bye");
    close(p.fd);
    p.fd = -1;
    int in = weir->in;
    weir->in = -1; /* stays open until after the end */
    expect_end(weir, 0, "bye", "");
    close(in);
    peer_close(&p);
}

static void peer_ends_while_a_terminal_is_input(void **state)
{
    (void)state;
    peer p;
    int side;
    int terminal = child_terminal(&side);
    peer_listen(&p);
    child *weir = CHILD(side, CHILD_PIPE, "connect", p.url);
    peer_accept(&p);
    assert_int_equal(write(terminal, "typed\n", 6), 6);
    peer_expect(&p, "typed\n", 0);
    peer_send(&p, "bye");
    close(p.fd);
    p.fd = -1;
    expect_end(weir, 0, "bye", "");
    peer_close(&p);
    close(side);
    close(terminal);
}

static void half_open_goes_on_sending(void **state)
{
    (void)state;
    peer p;
    peer_listen(&p);
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--half-open", p.url);
    peer_accept(&p);
    peer_send(&p, "bye");
    shutdown(p.fd, SHUT_WR);
    while (weir->out_size < 3) {
        char bytes[4];
        ssize_t got = read(weir->out, bytes, 3);
        assert_true(got > 0);
        weir->out_size += (size_t)got;
    }
    assert_int_equal(write(weir->in, "late", 4), 4);
    peer_expect(&p, "late", 0);
    child_close_in(weir);
    peer_expect(&p, "", 1);
    assert_int_equal(child_finish(weir), 0);
    child_free(weir);
    peer_close(&p);
}

/* ---- what goes wrong ---- */

static void refused(void **state)
{
    (void)state;
    peer p;
    int code;
    char expected[256];
    peer_listen(&p);
    peer_close(&p);
    child *weir = CHILD_RUN(&code, "connect", "--human", p.url);
    assert_int_equal(code, 1);
    snprintf(expected, sizeof(expected), "weir: connect %s: connection refused (ECONNREFUSED)\n", p.url);
    assert_string_equal(weir->err_text, expected);
    child_free(weir);
    weir = CHILD_RUN(&code, "connect", p.url); /* no terminal: a JSON object */
    assert_int_equal(code, 1);
    assert_int_equal(weir->err_text[0], '{');
    assert_non_null(strstr(weir->err_text, "(ECONNREFUSED)"));
    child_free(weir);
}

/* Input is left alone: it may be meant for the next one who tries. */
static void refused_leaves_input_alone(void **state)
{
    (void)state;
    peer p;
    char text[8] = "";
    int in = open(child_file("input", "hello"), O_RDONLY | O_CLOEXEC);
    peer_listen(&p);
    peer_close(&p);
    child *weir = CHILD(in, CHILD_PIPE, "connect", p.url);
    assert_int_equal(child_finish(weir), 1);
    child_free(weir);
    assert_int_equal(read(in, text, sizeof(text)), 5);
    assert_string_equal(text, "hello");
    close(in);
}

static void endpoint_that_is_none_is_2(void **state)
{
    (void)state;
    static const char *const endpoints[] = {"nonsense", "tcp://127.0.0.1:99999", "none://x", "tcp://127.0.0.1:1?x=1"};
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        int code;
        child *weir = CHILD_RUN(&code, "connect", "--human", endpoints[i]);
        assert_int_equal(code, 2);
        assert_ptr_equal(strstr(weir->err_text, "weir: "), weir->err_text);
        child_free(weir);
    }
}

static void peer_resets(void **state)
{
    (void)state;
    peer p;
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    peer_listen(&p);
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--human", p.url);
    peer_accept(&p);
    peer_send(&p, "half of");
    char bytes[7];
    assert_int_equal(read(weir->out, bytes, 7), 7);
    setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(p.fd);
    p.fd = -1;
    assert_int_equal(child_finish(weir), 1);
    assert_non_null(strstr(weir->err_text, "connection reset by peer (ECONNRESET)\n"));
    child_free(weir);
    peer_close(&p);
}

static void output_that_is_not_read_any_more(void **state)
{
    (void)state;
    peer p;
    peer_listen(&p);
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--human", p.url);
    peer_accept(&p);
    close(weir->out);
    weir->out = -1;
    peer_send(&p, "to nobody");
    assert_int_equal(child_finish(weir), 1);
    assert_string_equal(weir->err_text, "weir: write standard output: broken pipe (EPIPE)\n");
    child_free(weir);
    peer_close(&p);
}

static void output_that_is_full_or_closed(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    const int outs[] = {full, CHILD_CLOSED};
    static const char *const names[] = {"(ENOSPC)\n", "(EBADF)\n"};
    for (size_t i = 0; i < 2; i++) {
        peer p;
        peer_listen(&p);
        child *weir = CHILD(CHILD_PIPE, outs[i], "connect", "--human", p.url);
        peer_accept(&p);
        peer_send(&p, "to nobody");
        assert_int_equal(child_finish(weir), 1);
        assert_non_null(strstr(weir->err_text, "weir: write standard output: "));
        assert_non_null(strstr(weir->err_text, names[i]));
        child_free(weir);
        peer_close(&p);
    }
    close(full);
}

/* ---- descriptors that others share ---- */

static void shared_descriptors_keep_their_flags(void **state)
{
    (void)state;
    peer p;
    int in[2], out[2];
    char text[8] = "";
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    peer_listen(&p);
    child *weir = CHILD(in[0], out[1], "connect", p.url);
    peer_accept(&p);
    assert_int_equal(write(in[1], "hello", 5), 5);
    peer_expect(&p, "hello", 0);
    peer_send(&p, "answer");
    assert_int_equal(read(out[0], text, 6), 6);
    /* While it runs, and whatever way it may end. */
    assert_int_equal(fcntl(in[0], F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(out[1], F_GETFL) & O_NONBLOCK, 0);
    close(p.fd);
    p.fd = -1;
    expect_end(weir, 0, "", "");
    peer_close(&p);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
}

/* Whoever shares them may have made them non-blocking. */
static void non_blocking_descriptors(void **state)
{
    (void)state;
    peer p;
    int out[2];
    const size_t size = 4 * MIB;
    char *bytes = malloc(size), *got = malloc(size);
    size_t sent = 0, received = 0;
    assert_true(bytes != NULL && got != NULL);
    fixture_fill(bytes, size, 7);
    assert_int_equal(pipe2(out, O_CLOEXEC | O_NONBLOCK), 0);
    peer_listen(&p);
    child *weir = CHILD(CHILD_PIPE, out[1], "connect", p.url);
    close(out[1]);
    peer_accept(&p);
    fcntl(p.fd, F_SETFL, O_NONBLOCK);
    while (received < size) {
        struct pollfd fds[] = {{.fd = out[0], .events = POLLIN}, {.fd = sent < size ? p.fd : -1, .events = POLLOUT}};
        assert_true(poll(fds, 2, -1) > 0);
        if (fds[1].revents) {
            ssize_t more = send(p.fd, bytes + sent, size - sent, MSG_NOSIGNAL);
            assert_true(more > 0);
            sent += (size_t)more;
        }
        if (fds[0].revents) {
            ssize_t more = read(out[0], got + received, size - received);
            assert_true(more > 0);
            received += (size_t)more;
        }
    }
    assert_memory_equal(bytes, got, size);
    peer_close(&p);
    assert_int_equal(child_finish(weir), 0);
    child_free(weir);
    close(out[0]);
    free(bytes);
    free(got);
}

/* ---- back pressure ---- */

/* Sends until nothing more goes for a while; more than is sent then may only go when somebody reads. */
static size_t send_until_stuck(int fd, const char *bytes, size_t size)
{
    size_t sent = 0;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    while (sent < size && poll(&ready, 1, 300) > 0) {
        ssize_t more = write(fd, bytes + sent, size - sent);
        assert_true(more > 0);
        sent += (size_t)more;
    }
    return sent;
}

/*
 * 64 MiB to an echo server and back, to a reader that begins only when nothing moves any more. What was taken until
 * then stands in pipes, sockets and the two programs' queues: bounded, and far from all of it.
 */
static void slow_reader_holds_back_everything(void **state)
{
    (void)state;
    const size_t size = 64 * MIB;
    char *bytes = malloc(size), *got = malloc(size), service[256], url[64];
    size_t received = 0;
    assert_true(bytes != NULL && got != NULL);
    fixture_fill(bytes, size, 8);
    snprintf(service, sizeof(service),
             "{\"servers\": [{\"name\": \"e\", \"listen\": \"ipc:@weir-test-slow-%d\", \"handler\": \"echo\"}]}",
             (int)getpid());
    snprintf(url, sizeof(url), "ipc:@weir-test-slow-%d", (int)getpid());
    child *server = CHILD(CHILD_PIPE, CHILD_PIPE, "run", child_file("slow.json", service));
    while (!strstr(child_line(server), "\"running\"")) {
    }
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", url);
    fcntl(weir->in, F_SETFL, O_NONBLOCK);
    size_t sent = send_until_stuck(weir->in, bytes, size);
    assert_true(sent < 8 * MIB);
    while (received < size) {
        struct pollfd fds[] = {{.fd = weir->out, .events = POLLIN}, {.fd = weir->in, .events = POLLOUT}};
        assert_true(poll(fds, 2, -1) > 0);
        if (fds[1].fd >= 0 && fds[1].revents) {
            ssize_t more = write(weir->in, bytes + sent, size - sent);
            assert_true(more > 0);
            sent += (size_t)more;
            if (sent == size)
                child_close_in(weir);
        }
        if (fds[0].revents) {
            ssize_t more = read(weir->out, got + received, size - received);
            assert_true(more > 0);
            received += (size_t)more;
        }
    }
    assert_memory_equal(bytes, got, size);
    expect_end(weir, 0, "", "");
    kill(server->pid, SIGTERM);
    assert_int_equal(child_finish(server), 0);
    child_free(server);
    free(bytes);
    free(got);
}

#define CLI_TEST(function) cmocka_unit_test_setup(function, child_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(input_and_answer),
        CLI_TEST(input_is_dev_null),
        CLI_TEST(input_is_closed),
        CLI_TEST(input_and_output_are_files),
        CLI_TEST(path_as_endpoint),
        CLI_TEST(peer_ends_while_input_is_open),
        CLI_TEST(peer_ends_while_a_terminal_is_input),
        CLI_TEST(half_open_goes_on_sending),
        CLI_TEST(refused),
        CLI_TEST(refused_leaves_input_alone),
        CLI_TEST(endpoint_that_is_none_is_2),
        CLI_TEST(peer_resets),
        CLI_TEST(output_that_is_not_read_any_more),
        CLI_TEST(output_that_is_full_or_closed),
        CLI_TEST(shared_descriptors_keep_their_flags),
        CLI_TEST(non_blocking_descriptors),
        CLI_TEST(slow_reader_holds_back_everything),
    };
    return cmocka_run_group_tests_name("connect", tests, NULL, NULL);
}
