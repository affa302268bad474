/* SPDX-License-Identifier: MIT */
/* The forward handler: bytes, back pressure, half-close each way, and what one side's end means for the other. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "served.h"

#define MIB ((size_t)1024 * 1024)

/* An upstream of the test's own, a forward to it, and a client of that; with both ends' streams half-open. */
typedef struct bridge {
    served *service;
    weir_server *server;
    recorder *client;
    recorder *upstream; /* the forward's connection, as the upstream sees it */
} bridge;

static weir_stream_options half_open(void)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    return options;
}

static weir_server *start_upstream(fixture *f, const char *listen)
{
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    return fixture_listen(f, listen, &options);
}

static served *start_forward(fixture *f, const char *listen, const char *options)
{
    return served_start(f, fixture_text(f,
                                        "{\"servers\": [{\"name\": \"bridge\", \"listen\": \"%s\", "
                                        "\"handler\": {\"forward\": %s}}]}",
                                        listen, options));
}

static bridge make_bridge(fixture *f, const char *listen, const char *upstream)
{
    bridge b = {0};
    weir_stream_options options = half_open();
    b.server = start_upstream(f, upstream);
    b.service = start_forward(f, listen, fixture_text(f, "{\"to\": [\"%s\"]}", fixture_url(f, b.server)));
    b.client = fixture_client(f, served_url(b.service, "bridge"), &options);
    b.upstream = fixture_accepted(f, b.server, 0);
    return b;
}

static bridge make_tcp_bridge(fixture *f)
{
    return make_bridge(f, "tcp://127.0.0.1:0", "tcp://127.0.0.1:0");
}

static void close_bridge(bridge *b)
{
    recorder_wait(b->client, WEIR_EVENT_CLOSE);
    recorder_wait(b->upstream, WEIR_EVENT_CLOSE);
    assert_int_equal(served_stop(b->service, 0), 0);
}

/* ---- bytes ---- */

static void exchange(fixture *f, const char *listen, const char *upstream)
{
    bridge b = make_bridge(f, listen, upstream);
    recorder_write(b.client, "request", 7);
    recorder_wait_data(b.upstream, 7);
    recorder_write(b.upstream, "response", 8);
    recorder_wait_data(b.client, 8);
    recorder_end(b.client);
    recorder_wait(b.upstream, WEIR_EVENT_END);
    recorder_end(b.upstream);
    close_bridge(&b);
    recorder_expect_data(b.upstream, "request", 7);
    recorder_expect_data(b.client, "response", 8);
    assert_null(strstr(fixture_log(f), "warning: "));
    assert_null(strstr(fixture_log(f), "error: "));
}

static void bytes_pass_both_ways_tcp_to_tcp(void **state)
{
    exchange(*state, "tcp://127.0.0.1:0", "tcp://127.0.0.1:0");
}

static void bytes_pass_both_ways_tcp_to_ipc(void **state)
{
    fixture *f = *state;
    exchange(f, "tcp://127.0.0.1:0", fixture_text(f, "ipc:%s/up.sock", f->folder));
}

static void bytes_pass_both_ways_ipc_to_tcp(void **state)
{
    fixture *f = *state;
    exchange(f, fixture_text(f, "ipc:%s/in.sock", f->folder), "tcp://127.0.0.1:0");
}

/* All that a client sends at once, end included, arrives although the upstream is connected only after. */
static void bytes_sent_before_the_upstream_is_connected(void **state)
{
    fixture *f = *state;
    const size_t size = 4 * MIB;
    char *bytes = malloc(size);
    weir_stream_options options = half_open();
    assert_non_null(bytes);
    fixture_fill(bytes, size, 3);
    weir_server *server = start_upstream(f, "tcp://127.0.0.1:0");
    served *service =
        start_forward(f, "tcp://127.0.0.1:0", fixture_text(f, "{\"to\": \"%s\"}", fixture_url(f, server)));
    recorder *client = fixture_client(f, served_url(service, "bridge"), &options);
    recorder_write(client, bytes, size);
    recorder_end(client);
    recorder *upstream = fixture_accepted(f, server, 0);
    recorder_wait(upstream, WEIR_EVENT_END);
    recorder_expect_data(upstream, bytes, size);
    recorder_end(upstream);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    served_stop(service, 0);
    free(bytes);
}

/* ---- half-close ---- */

static void client_half_closes_first(void **state)
{
    bridge b = make_tcp_bridge(*state);
    recorder_write(b.client, "all I have to say", 17);
    recorder_end(b.client);
    recorder_wait(b.upstream, WEIR_EVENT_END);
    fixture_turns(*state, 50);
    assert_false(recorder_saw(b.client, "end"));
    recorder_write(b.upstream, "a late answer", 13);
    recorder_wait_data(b.client, 13);
    recorder_end(b.upstream);
    close_bridge(&b);
    recorder_expect_data(b.upstream, "all I have to say", 17);
    assert_true(recorder_saw(b.client, "end"));
}

static void upstream_half_closes_first(void **state)
{
    bridge b = make_tcp_bridge(*state);
    recorder_write(b.upstream, "bye", 3);
    recorder_end(b.upstream);
    recorder_wait(b.client, WEIR_EVENT_END);
    recorder_expect_data(b.client, "bye", 3);
    recorder_write(b.client, "but I have more", 15);
    recorder_wait_data(b.upstream, 15);
    recorder_end(b.client);
    recorder_wait(b.upstream, WEIR_EVENT_END);
    close_bridge(&b);
    recorder_expect_data(b.upstream, "but I have more", 15);
}

/* ---- back pressure ---- */

/* One that does not read holds back the one that writes: bounded by what sockets hold, far less than is to be sent. */
static void held_back(fixture *f, recorder *writer, recorder *reader)
{
    const size_t size = 16 * MIB;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    fixture_fill(bytes, size, 4);
    recorder_pause(reader);
    recorder_write(writer, bytes, size);
    fixture_turns(f, 2000);
    assert_int_equal(writer->writes_done, 0);
    assert_true(weir_stream_writable_length(writer->stream) > 8 * MIB);
    recorder_resume(reader);
    recorder_wait_data(reader, size);
    recorder_expect_data(reader, bytes, size);
    free(bytes);
}

static void upstream_that_does_not_read(void **state)
{
    fixture *f = *state;
    bridge b = make_bridge(f, fixture_text(f, "ipc:%s/in.sock", f->folder), fixture_text(f, "ipc:%s/up", f->folder));
    held_back(f, b.client, b.upstream);
    recorder_end(b.client);
    recorder_end(b.upstream);
    close_bridge(&b);
}

static void client_that_does_not_read(void **state)
{
    fixture *f = *state;
    bridge b = make_bridge(f, fixture_text(f, "ipc:%s/in.sock", f->folder), fixture_text(f, "ipc:%s/up", f->folder));
    held_back(f, b.upstream, b.client);
    recorder_end(b.client);
    recorder_end(b.upstream);
    close_bridge(&b);
}

/* ---- what goes wrong ---- */

/* A port that nobody listens at: bound, so that nobody else gets it meanwhile. */
static int dead_port(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void upstream_that_refuses(void **state)
{
    fixture *f = *state;
    int fd;
    int port = dead_port(&fd);
    served *service =
        start_forward(f, "tcp://127.0.0.1:0", fixture_text(f, "{\"to\": [\"tcp://127.0.0.1:%d\"]}", port));
    recorder *client = fixture_client(f, served_url(service, "bridge"), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(client->data_size, 0);
    assert_non_null(strstr(fixture_log(f), fixture_text(f, "warning: forward to tcp://127.0.0.1:%d: ", port)));
    assert_non_null(strstr(fixture_log(f), "connection refused (ECONNREFUSED); client 127.0.0.1:"));
    assert_non_null(strstr(fixture_log(f), ") closed\n"));
    served_stop(service, 0);
    close(fd);
}

static void upstream_that_stays_down_is_a_few_lines(void **state)
{
    fixture *f = *state;
    int fd;
    int port = dead_port(&fd);
    served *service =
        start_forward(f, "tcp://127.0.0.1:0", fixture_text(f, "{\"to\": [\"tcp://127.0.0.1:%d\"]}", port));
    /* Of those that are told five come first; how many follow depends on the time that this takes. */
    size_t clients = 0, counted = 0;
    while (clients < 100 && counted < 3) {
        recorder_wait(fixture_client(f, served_url(service, "bridge"), NULL), WEIR_EVENT_CLOSE);
        clients++;
        counted = fixture_times(fixture_log(f), "debug: forward to ");
    }
    assert_int_equal(counted, 3);
    assert_true(clients >= 8);
    assert_int_equal(fixture_times(fixture_log(f), "(ECONNREFUSED); client 127.0.0.1:"), clients);
    served_stop(service, 0);
    assert_non_null(strstr(fixture_log(f), fixture_text(f, "warning: forward to tcp://127.0.0.1:%d: ", port)));
    assert_true(fixture_times(fixture_log(f), " failed, the last one: connect ") > 0);
    assert_int_equal(fixture_sum_more(fixture_log(f)), counted);
    close(fd);
}

static void upstream_path_that_is_not_there(void **state)
{
    fixture *f = *state;
    served *service =
        start_forward(f, "tcp://127.0.0.1:0", fixture_text(f, "{\"to\": [\"ipc:%s/none.sock\"]}", f->folder));
    recorder *client = fixture_client(f, served_url(service, "bridge"), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_non_null(strstr(fixture_log(f), "/none.sock"));
    assert_non_null(strstr(fixture_log(f), "(ENOENT); client "));
    served_stop(service, 0);
}

/* A listener whose queue is full answers no further connect: it takes until the timeout. */
static void upstream_that_does_not_answer(void **state)
{
    fixture *f = *state;
    int fd, waiting[4];
    int port = dead_port(&fd);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    assert_int_equal(listen(fd, 0), 0);
    for (size_t i = 0; i < 4; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(waiting[i], (struct sockaddr *)&address, sizeof(address));
    }
    served *service =
        start_forward(f, fixture_text(f, "ipc:%s/in.sock", f->folder),
                      fixture_text(f, "{\"to\": [\"tcp://127.0.0.1:%d\"], \"connectTimeout\": 300}", port));
    recorder *client = fixture_client(f, served_url(service, "bridge"), NULL);
    const size_t size = 16 * MIB;
    char *bytes = calloc(1, size);
    assert_non_null(bytes);
    recorder_write(client, bytes, size);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    /* Nobody has read it while there was nobody to give it to. */
    assert_true(recorder_saw(client, "w1") == 0);
    assert_non_null(strstr(fixture_log(f), "(ETIMEDOUT); client "));
    served_stop(service, 0);
    free(bytes);
    for (size_t i = 0; i < 4; i++)
        close(waiting[i]);
    close(fd);
}

static void upstream_that_resets(void **state)
{
    fixture *f = *state;
    bridge b = make_tcp_bridge(f);
    recorder_write(b.upstream, "half an ans", 11);
    recorder_wait_data(b.client, 11);
    recorder_reset(b.upstream);
    close_bridge(&b);
    assert_true(recorder_saw(b.client, "error:ECONNRESET"));
    assert_false(recorder_saw(b.client, "end"));
    assert_non_null(strstr(fixture_log(f), "warning: forward to tcp://127.0.0.1:"));
    assert_non_null(strstr(fixture_log(f), "(ECONNRESET); client 127.0.0.1:"));
    assert_non_null(strstr(fixture_log(f), ") reset\n"));
}

/* What the client got before must not be torn by the reset that its own bytes bring about. */
static void upstream_that_dies_after_its_end(void **state)
{
    fixture *f = *state;
    bridge b = make_tcp_bridge(f);
    recorder_write(b.upstream, "go away", 7);
    recorder_end(b.upstream);
    recorder_wait(b.client, WEIR_EVENT_END);
    recorder_destroy(b.upstream, NULL);
    recorder_wait(b.upstream, WEIR_EVENT_CLOSE);
    /* Answered by resets. */
    while (!f->expired && strstr(fixture_log(f), "gets what had arrived") == NULL) {
        recorder_write(b.client, "more", 4);
        fixture_turns(f, 5);
    }
    assert_false(f->expired);
    recorder_end(b.client);
    close_bridge(&b);
    recorder_expect_data(b.client, "go away", 7);
    assert_false(recorder_saw(b.client, "error:ECONNRESET"));
}

/* Where there are no resets, going away is all there is. */
static void client_that_goes_away_over_ipc(void **state)
{
    fixture *f = *state;
    bridge b = make_bridge(f, fixture_text(f, "ipc:%s/in.sock", f->folder), fixture_text(f, "ipc:%s/up", f->folder));
    recorder_write(b.client, "half a req", 10);
    recorder_wait_data(b.upstream, 10);
    recorder_write(b.upstream, "unread", 6);
    recorder_wait_writes(b.upstream, 1);
    recorder_destroy(b.client, NULL);
    recorder_wait(b.client, WEIR_EVENT_CLOSE);
    while (!f->expired && b.upstream->counts[WEIR_EVENT_CLOSE] + b.upstream->counts[WEIR_EVENT_END] == 0) {
        fixture_turns(f, 1);
    }
    assert_false(f->expired);
    recorder_end(b.upstream);
    close_bridge(&b);
    recorder_expect_data(b.upstream, "half a req", 10);
}

static void upstream_that_goes_away_over_ipc(void **state)
{
    fixture *f = *state;
    bridge b = make_bridge(f, fixture_text(f, "ipc:%s/in.sock", f->folder), fixture_text(f, "ipc:%s/up", f->folder));
    recorder_pause(b.upstream);
    recorder_write(b.client, "not read", 8);
    recorder_wait_writes(b.client, 1);
    fixture_turns(f, 20);
    recorder_destroy(b.upstream, NULL); /* with unread bytes: the kernel calls it a reset */
    recorder_wait(b.client, WEIR_EVENT_END);
    recorder_end(b.client);
    close_bridge(&b);
    assert_non_null(strstr(fixture_log(f), "warning: forward to ipc:"));
    assert_non_null(strstr(fixture_log(f), "(ECONNRESET); client (connection "));
    assert_non_null(strstr(fixture_log(f), ") closed\n"));
}

static void client_that_resets(void **state)
{
    fixture *f = *state;
    bridge b = make_tcp_bridge(f);
    recorder_write(b.client, "half a req", 10);
    recorder_wait_data(b.upstream, 10);
    recorder_reset(b.client);
    close_bridge(&b);
    assert_true(recorder_saw(b.upstream, "error:ECONNRESET"));
    assert_false(recorder_saw(b.upstream, "end"));
    assert_null(strstr(fixture_log(f), "warning: "));
    assert_non_null(strstr(fixture_log(f), "debug: forward to tcp://127.0.0.1:"));
    assert_non_null(strstr(fixture_log(f), ": client (connection "));
    assert_non_null(strstr(fixture_log(f), "(ECONNRESET); upstream reset\n"));
}

/* One that is not open yet cannot be reset, and is not waited for either. */
static void client_that_goes_away_while_the_upstream_opens(void **state)
{
    fixture *f = *state;
    weir_address address;
    weir_server *server = start_upstream(f, "tcp://127.0.0.1:0");
    assert_int_equal(weir_server_address(server, &address), 0);
    served *service = start_forward(f, "tcp://127.0.0.1:0",
                                    fixture_text(f,
                                                 "{\"to\": [{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}, "
                                                 "\"layers\": [{\"chaos\": {\"handshake\": true}}]}]}",
                                                 address.port));
    recorder *client = fixture_client(f, served_url(service, "bridge"), NULL);
    recorder *upstream = fixture_accepted(f, server, 0);
    recorder_wait_data(upstream, 1); /* its word, which nobody answers */
    assert_int_equal(served_stop(service, 1), 1);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    if (upstream->counts[WEIR_EVENT_END] == 0) {
        recorder_wait(upstream, WEIR_EVENT_END);
    }
    recorder_end(upstream);
    recorder_wait(upstream, WEIR_EVENT_CLOSE);
}

/* The upstream's own stream options: one that is silent for too long is closed, and the client with it. */
static void upstream_that_is_silent(void **state)
{
    fixture *f = *state;
    weir_server *server = start_upstream(f, "tcp://127.0.0.1:0");
    served *service = start_forward(f, "tcp://127.0.0.1:0",
                                    fixture_text(f, "{\"to\": [\"%s?timeout=100\"]}", fixture_url(f, server)));
    recorder *client = fixture_client(f, served_url(service, "bridge"), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_non_null(strstr(fixture_log(f), "no bytes for 100 ms (ETIMEDOUT); client "));
    served_stop(service, 0);
}

/* ---- without memory ---- */

static void any_allocation_of_its_options_may_fail(void **state)
{
    assert_true(served_load_each(*state, "{\"servers\": [{\"name\": \"bridge\", \"listen\": \"tcp://127.0.0.1:0\", "
                                         "\"handler\": {\"forward\": {\"to\": [\"tcp://127.0.0.1:1\"]}}}]}") > 10);
}

static int plain_client(const char *url)
{
    int port;
    assert_int_equal(sscanf(url, "tcp://127.0.0.1:%d", &port), 1);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Runs the loop until the client has got an answer (1) or was closed (0). */
static int answered(fixture *f, int fd)
{
    char answer[8];
    for (;;) {
        ssize_t length = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (length > 0)
            return 1;
        if (length == 0 || errno != EAGAIN)
            return 0;
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
}

/*
 * Whichever allocation fails while a connection is made and carries its first bytes: it works all the same, or the
 * client is closed; nothing is left of it (the teardown counts), and the next client is served.
 */
static void any_allocation_may_fail(void **state)
{
    fixture *f = *state;
    served *echo = served_start(f, fixture_text(f,
                                                "{\"servers\": [{\"name\": \"echo\", \"listen\": \"ipc:%s/e.sock\", "
                                                "\"handler\": \"echo\"}, {\"name\": \"bridge\", \"listen\": "
                                                "\"tcp://127.0.0.1:0\", \"handler\": {\"forward\": "
                                                "{\"to\": \"ipc:%s/e.sock\"}}}]}",
                                                f->folder, f->folder));
    size_t failed = 0;
    for (size_t nth = 1;; nth++) {
        int fd = plain_client(served_url(echo, "bridge"));
        assert_int_equal(send(fd, "hello", 5, 0), 5);
        allocator_fail(nth, 0);
        int alive = answered(f, fd);
        size_t met = allocator_failures();
        allocator_fail(0, 0);
        close(fd);
        while (!f->expired && weir_service_connections(echo->service) > 0)
            fixture_turns(f, 1);
        assert_false(f->expired);
        if (met == 0) {
            assert_true(alive);
            break;
        }
        failed += !alive;
    }
    assert_true(failed > 0);
    served_stop(echo, 0);
}

/* ---- stopping ---- */

/* Both halves are done before the server is: not only the client's. */
static void stop_waits_for_both_halves(void **state)
{
    fixture *f = *state;
    bridge b = make_tcp_bridge(f);
    recorder_pause(b.upstream);
    const size_t size = 16 * MIB;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    fixture_fill(bytes, size, 5);
    recorder_write(b.client, bytes, size);
    recorder_end(b.client);
    recorder_end(b.upstream);
    recorder_wait(b.client, WEIR_EVENT_END);
    assert_code(weir_service_stop(b.service->service, 0), 0);
    fixture_until(f, &b.service->stopping);
    fixture_turns(f, 50);
    assert_false(b.service->stopped);
    recorder_resume(b.upstream);
    recorder_wait(b.upstream, WEIR_EVENT_END);
    recorder_expect_data(b.upstream, bytes, size);
    close_bridge(&b);
    free(bytes);
}

static void stop_that_cuts_resets_the_upstream(void **state)
{
    fixture *f = *state;
    bridge b = make_tcp_bridge(f);
    recorder_write(b.client, "x", 1);
    recorder_wait_data(b.upstream, 1);
    assert_int_equal(served_stop(b.service, 1), 1);
    recorder_wait(b.upstream, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(b.upstream, "error:ECONNRESET"));
    recorder_end(b.client);
    recorder_wait(b.client, WEIR_EVENT_CLOSE);
}

/* ---- configuration ---- */

static void check_fault(fixture *f, const char *options, const char *fault)
{
    served *service = served_load(f, fixture_text(f,
                                                  "{\"servers\": [{\"name\": \"b\", \"listen\": \"tcp://127.0.0.1:0\", "
                                                  "\"handler\": {\"forward\": %s}}]}",
                                                  options));
    if (service->service != NULL || strstr(service->faults, fault) == NULL)
        fail_msg("expected a fault with %s, found: %s", fault, service->faults);
    served_stop(service, 0);
}

static void faults_say_where(void **state)
{
    fixture *f = *state;
    check_fault(f, "{}", "/servers/0/handler/forward: ");
    check_fault(f, "{\"to\": \"nonsense\"}", "/servers/0/handler/forward/to: ");
    check_fault(f, "{\"to\": [\"tcp://127.0.0.1:99999\"]}", "/servers/0/handler/forward/to/0");
    check_fault(f, "{\"to\": [{\"tcp\": {\"port\": 99999}}]}", "/servers/0/handler/forward/to/0/tcp/port: ");
    check_fault(f, "{\"to\": []}", "/servers/0/handler/forward/to: ");
    check_fault(f, "{\"to\": [\"tcp://127.0.0.1:1\", \"tcp://127.0.0.1:2\"]}", "/servers/0/handler/forward/to: ");
    check_fault(f, "{\"to\": 7}", "/servers/0/handler/forward/to: ");
    check_fault(f, "{\"to\": \"tcp://127.0.0.1:1\", \"connectTimeout\": -1}",
                "/servers/0/handler/forward/connectTimeout: ");
    check_fault(f, "{\"to\": \"tcp://127.0.0.1:1\", \"conectTimeout\": 1}",
                "/servers/0/handler/forward/conectTimeout: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(bytes_pass_both_ways_tcp_to_tcp),
        FIXTURE_TEST(bytes_pass_both_ways_tcp_to_ipc),
        FIXTURE_TEST(bytes_pass_both_ways_ipc_to_tcp),
        FIXTURE_TEST(bytes_sent_before_the_upstream_is_connected),
        FIXTURE_TEST(client_half_closes_first),
        FIXTURE_TEST(upstream_half_closes_first),
        FIXTURE_TEST(upstream_that_does_not_read),
        FIXTURE_TEST(client_that_does_not_read),
        FIXTURE_TEST(upstream_that_refuses),
        FIXTURE_TEST(upstream_that_stays_down_is_a_few_lines),
        FIXTURE_TEST(upstream_path_that_is_not_there),
        FIXTURE_TEST(upstream_that_does_not_answer),
        FIXTURE_TEST(upstream_that_resets),
        FIXTURE_TEST(upstream_that_dies_after_its_end),
        FIXTURE_TEST(client_that_goes_away_over_ipc),
        FIXTURE_TEST(upstream_that_goes_away_over_ipc),
        FIXTURE_TEST(client_that_resets),
        FIXTURE_TEST(client_that_goes_away_while_the_upstream_opens),
        FIXTURE_TEST(upstream_that_is_silent),
        FIXTURE_TEST(any_allocation_may_fail),
        FIXTURE_TEST(any_allocation_of_its_options_may_fail),
        FIXTURE_TEST(stop_waits_for_both_halves),
        FIXTURE_TEST(stop_that_cuts_resets_the_upstream),
        FIXTURE_TEST(faults_say_where),
    };
    fixture_preload("forward");
    fixture_preload("echo");
    return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
