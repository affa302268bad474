/* SPDX-License-Identifier: MIT */
/* SIGHUP, as a user of `weir run` sees it: what is served, what is told, and what a terminal that has gone means. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"

#define SERVER(name)     "{\"name\": \"" name "\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"echo\"}"
#define SERVICE(servers) "{\"shutdownGrace\": \"1h\", \"servers\": [" servers "]}"

/* The next line is this event's; `server` and `endpoint` as they stand in it. */
static void expect_event(child *weir, const char *event, const char *server, char *endpoint, size_t size)
{
    json_t *line = json_loads(child_line(weir), 0, NULL);
    const char *told = json_string_value(json_object_get(line, "event"));
    assert_non_null(told);
    assert_string_equal(told, event);
    if (server)
        assert_string_equal(json_string_value(json_object_get(line, "server")), server);
    if (endpoint)
        snprintf(endpoint, size, "%s", json_string_value(json_object_get(line, "endpoint")));
    json_decref(line);
}

/* The service file's path. */
static char live[512];

static const char *write_live(const char *json)
{
    snprintf(live, sizeof(live), "%s", child_file("reload.json", json));
    return live;
}

static child *start(const char *json, char *endpoint, size_t size)
{
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "run", write_live(json));
    expect_event(weir, "listening", "a", endpoint, size);
    expect_event(weir, "running", NULL, NULL, 0);
    return weir;
}

/* The file is never half of one: it is read whenever that pleases. */
static void hang_up(child *weir, const char *json)
{
    assert_int_equal(rename(child_file("fresh.json", json), live), 0);
    assert_int_equal(kill(weir->pid, SIGHUP), 0);
}

static int try_to_connect(const char *endpoint)
{
    int port;
    assert_int_equal(sscanf(endpoint, "tcp://127.0.0.1:%d", &port), 1);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void exchange(int fd)
{
    char answer[5];
    assert_int_equal(send(fd, "hello", 5, MSG_NOSIGNAL), 5);
    assert_int_equal(recv(fd, answer, 5, MSG_WAITALL), 5);
    assert_memory_equal(answer, "hello", 5);
}

static void stop(child *weir, int signal)
{
    assert_int_equal(kill(weir->pid, signal), 0);
    assert_int_equal(child_finish(weir), 0);
}

static void sighup_reloads(void **state)
{
    (void)state;
    char a[128], b[128];
    child *weir = start(SERVICE(SERVER("a")), a, sizeof(a));
    int fd = try_to_connect(a);
    exchange(fd);
    hang_up(weir, SERVICE(SERVER("a") ", " SERVER("b")));
    expect_event(weir, "listening", "b", b, sizeof(b));
    expect_event(weir, "reloaded", NULL, NULL, 0);
    int at_a = try_to_connect(a), at_b = try_to_connect(b);
    exchange(at_a);
    exchange(at_b);
    exchange(fd);
    close(at_a);
    hang_up(weir, SERVICE(SERVER("b")));
    expect_event(weir, "reloaded", NULL, NULL, 0);
    assert_int_equal(try_to_connect(a), -1);
    exchange(fd);
    exchange(at_b);
    close(fd);
    close(at_b);
    stop(weir, SIGTERM);
    assert_string_equal(weir->err_text, "");
    child_free(weir);
}

static void a_reload_that_cannot_be_is_told_and_all_goes_on(void **state)
{
    (void)state;
    char a[128], b[256];
    child *weir = start(SERVICE(SERVER("a")), a, sizeof(a));
    int fd = try_to_connect(a);
    /* Faults of the file, each in a line; the signals are answered one after the other. */
    hang_up(weir, SERVICE("{\"name\": \"a\", \"listen\": 1, \"handler\": 2}"));
    char line[4096];
    size_t length = 0;
    while (!memmem(line, length, "not reloaded", 12)) {
        ssize_t more = read(weir->err, line + length, sizeof(line) - 1 - length);
        assert_true(more > 0);
        length += (size_t)more;
    }
    line[length] = '\0';
    assert_non_null(strstr(line, "\"event\":\"fault\""));
    assert_non_null(strstr(line, "\"pointer\":\"/servers/0/listen\""));
    assert_non_null(strstr(line, "\"pointer\":\"/servers/0/handler\""));
    assert_non_null(strstr(line, "\"message\":\"not reloaded: the file is invalid; all goes on as before\""));
    exchange(fd);
    /* A place that somebody else has. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(other, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(other, 1), 0);
    assert_int_equal(getsockname(other, (struct sockaddr *)&address, &size), 0);
    snprintf(b, sizeof(b),
             "{\"servers\": [" SERVER(
                 "a") ", {\"name\": \"b\", \"listen\": \"tcp://127.0.0.1:%d\", \"handler\": \"echo\"}]}",
             ntohs(address.sin_port));
    hang_up(weir, b);
    for (length = 0; !memmem(line, length, "reloadFailed", 12) || line[length - 1] != '\n'; length += (size_t)size) {
        ssize_t more = read(weir->err, line + length, sizeof(line) - 1 - length);
        assert_true(more > 0);
        size = (socklen_t)more;
    }
    line[length] = '\0';
    assert_non_null(strstr(line, "\"server\":\"b\""));
    assert_non_null(strstr(line, "\"code\":\"EADDRINUSE\""));
    exchange(fd);
    hang_up(weir, SERVICE(SERVER("a")));
    expect_event(weir, "reloaded", NULL, NULL, 0);
    exchange(fd);
    close(fd);
    close(other);
    stop(weir, SIGTERM);
    child_free(weir);
}

/* However many come, the file is as it was read after the last of them. */
static void a_sighup_in_a_reload_is_not_lost(void **state)
{
    (void)state;
    char a[128];
    child *weir = start(SERVICE(SERVER("a")), a, sizeof(a));
    for (int i = 0; i < 20; i++)
        hang_up(weir, i < 19 ? SERVICE(SERVER("a")) : SERVICE(SERVER("a") ", " SERVER("b")));
    const char *line = child_line(weir);
    while (strstr(line, "\"event\":\"reloaded\""))
        line = child_line(weir);
    assert_non_null(strstr(line, "\"event\":\"listening\""));
    assert_non_null(strstr(line, "\"server\":\"b\""));
    expect_event(weir, "reloaded", NULL, NULL, 0);
    stop(weir, SIGINT);
    assert_string_equal(weir->err_text, "");
    child_free(weir);
}

static void a_terminal_that_has_gone_stops_it(void **state)
{
    (void)state;
    int side;
    int terminal = child_terminal(&side);
    char text[512] = "";
    size_t length = 0;
    child *weir = CHILD(CHILD_PIPE, side, "run", write_live(SERVICE(SERVER("a"))));
    close(side);
    while (!strstr(text, "running") && length < sizeof(text) - 1) {
        ssize_t got = read(terminal, text + length, sizeof(text) - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        text[length] = '\0';
    }
    /* While it is there it is a signal like any other. */
    assert_int_equal(kill(weir->pid, SIGHUP), 0);
    while (!strstr(text, "reloaded") && length < sizeof(text) - 1) {
        ssize_t got = read(terminal, text + length, sizeof(text) - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        text[length] = '\0';
    }
    close(terminal);
    assert_int_equal(kill(weir->pid, SIGHUP), 0);
    assert_int_equal(child_finish(weir), 0);
    child_free(weir);
}

#define CLI_TEST(function) cmocka_unit_test_setup(function, child_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(sighup_reloads),
        CLI_TEST(a_reload_that_cannot_be_is_told_and_all_goes_on),
        CLI_TEST(a_sighup_in_a_reload_is_not_lost),
        CLI_TEST(a_terminal_that_has_gone_stops_it),
    };
    return cmocka_run_group_tests_name("cli reload", tests, NULL, NULL);
}
