/* SPDX-License-Identifier: MIT */
/* The program `weir`, as a user runs it: run, check, schema, plugins, --help, --version; lines, exit codes, signals. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
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

#define ECHO_SERVER "{\"name\": \"echo\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"echo\"}"

static json_t *parse(const char *line)
{
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object))
        fail_msg("not a JSON object: %s", line);
    return object;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* The next line, which tells this event. */
static json_t *expect_event(child *weir, const char *event)
{
    json_t *line = parse(child_line(weir));
    assert_string_equal(member(line, "event"), event);
    assert_true(strlen(member(line, "time")) == strlen("2026-01-01T00:00:00.000Z"));
    return line;
}

static int connect_to(const char *endpoint)
{
    int port;
    assert_int_equal(sscanf(endpoint, "tcp://127.0.0.1:%d", &port), 1);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void exchange(int fd)
{
    char answer[5];
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    assert_int_equal(recv(fd, answer, 5, MSG_WAITALL), 5);
    assert_memory_equal(answer, "hello", 5);
}

/* A running service with one echo server, and the endpoint of that. */
static child *start_echo(const char *json, char *endpoint, size_t size)
{
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "run", child_file("service.json", json));
    json_t *line = expect_event(weir, "listening");
    assert_string_equal(member(line, "server"), "echo");
    assert_string_equal(member(line, "handler"), "echo");
    snprintf(endpoint, size, "%s", member(line, "endpoint"));
    json_decref(line);
    json_decref(expect_event(weir, "running"));
    return weir;
}

/* ---- help and usage ---- */

static void version_names_the_libraries(void **state)
{
    (void)state;
    int code;
    child *weir = CHILD_RUN(&code, "--version");
    assert_int_equal(code, 0);
    assert_string_equal(weir->err_text, "");
    char expected[128];
    snprintf(expected, sizeof(expected), "weir %s ", weir_version());
    assert_ptr_equal(strstr(weir->out_text, expected), weir->out_text);
    snprintf(expected, sizeof(expected), "libuv %s\nJansson %s\n", uv_version_string(), jansson_version_str());
    assert_non_null(strstr(weir->out_text, expected));
    child_free(weir);
}

static void help_of_every_command_has_examples(void **state)
{
    (void)state;
    static const char *const commands[] = {"run", "check", "schema", "plugins", "connect", "cert"};
    int code;
    child *weir = CHILD_RUN(&code, "--help");
    assert_int_equal(code, 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        char usage[64];
        assert_non_null(strstr(weir->out_text, commands[i]));
        child *help = CHILD_RUN(&code, commands[i], "--help");
        assert_int_equal(code, 0);
        assert_string_equal(help->err_text, "");
        snprintf(usage, sizeof(usage), "usage: weir %s ", commands[i]);
        assert_ptr_equal(strstr(help->out_text, usage), help->out_text);
        assert_non_null(strstr(help->out_text, "Examples:\n"));
        child *same = CHILD_RUN(&code, "help", commands[i]);
        assert_int_equal(code, 0);
        assert_string_equal(same->out_text, help->out_text);
        child_free(same);
        child_free(help);
    }
    child_free(weir);
}

static void wrong_usage_is_2_and_says_what(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[4];
        const char *message;
    } cases[] = {
        {{NULL}, "usage: weir COMMAND"},
        {{"bogus"}, "unknown command bogus"},
        {{"--bogus"}, "unknown switch --bogus"},
        {{"run"}, "an argument is missing"},
        {{"run", "a", "b"}, "too many arguments"},
        {{"check", "--bogus", "a"}, "unknown switch --bogus"},
        {{"check", "-q", "a"}, "unknown switch -q"},
        {{"cert", "--hosts", "a"}, "unknown switch --hosts; did you mean --host?; weir cert --help"},
        {{"cert", "--hots=a", "a"}, "unknown switch --hots=a; did you mean --host?; weir cert --help"},
        {{"cert", "--domain", "a"}, "unknown switch --domain; weir cert --help"},
        {{"check", "--hosts", "a"}, "unknown switch --hosts; weir check --help"},
        {{"schema", "--json"}, "unknown switch --json"},
        {{"run", "a", "--log-level"}, "--log-level needs an argument"},
        {{"run", "a", "--log-level=loud"}, "loud: no such level"},
        {{"run", "a", "--json=yes"}, "--json=yes: this switch takes no argument"},
        {{"connect"}, "an argument is missing"},
        {{"connect", "{\"tcp\": {\"port\": 1}}", "--ca", "ca.pem"}, "--ca goes with a URL"},
        {{"cert"}, "whom is it for?"},
        {{"cert", "--host", "localhost"}, "where is it to go?"},
        {{"cert", "--days=0"}, "--days 0: this is no number from 1 to 36500"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int code;
        child *weir = child_run(&code, cases[i].arguments);
        assert_int_equal(code, 2);
        assert_string_equal(weir->out_text, "");
        json_t *line = parse(weir->err_text);
        assert_string_equal(member(line, "level"), "error");
        if (!strstr(member(line, "message"), cases[i].message))
            fail_msg("expected %s, found: %s", cases[i].message, weir->err_text);
        json_decref(line);
        child_free(weir);
    }
    int code;
    child *weir = CHILD_RUN(&code, "run", "--human");
    assert_int_equal(code, 2);
    assert_string_equal(weir->err_text, "weir: run: an argument is missing; usage: weir run [SWITCH...] FILE\n");
    child_free(weir);
}

/* Text that nobody takes is a failure: a full disk, a closed pipe. */
static void output_that_fails_is_1(void **state)
{
    (void)state;
    static const char *const commands[] = {"--version", "--help", "schema", "plugins"};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        assert_true(full >= 0);
        child *weir = CHILD(CHILD_PIPE, full, commands[i]);
        assert_int_equal(child_finish(weir), 1);
        assert_non_null(strstr(weir->err_text, "write standard output: "));
        assert_non_null(strstr(weir->err_text, "ENOSPC"));
        child_free(weir);
        close(full);
        weir = CHILD(CHILD_CLOSED, CHILD_CLOSED, commands[i]);
        assert_int_equal(child_finish(weir), 1);
        assert_non_null(strstr(weir->err_text, "EBADF"));
        child_free(weir);
    }
}

/* ---- check ---- */

static void check_of_a_valid_file(void **state)
{
    (void)state;
    int code;
    const char *file = child_file("valid.json", "{\"servers\": [" ECHO_SERVER "]}");
    child *weir = CHILD_RUN(&code, "check", file);
    assert_int_equal(code, 0);
    assert_string_equal(weir->err_text, "");
    json_t *line = parse(weir->out_text);
    assert_string_equal(member(line, "event"), "valid");
    assert_string_equal(member(line, "file"), file);
    json_decref(line);
    child_free(weir);
}

static void check_tells_every_fault_with_its_place(void **state)
{
    (void)state;
    int code;
    const char *file = child_file("invalid.json", "{\"servers\": [\n"
                                                  " {\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\",\n"
                                                  "  \"handler\": {\"echo\": {\"x\": 1}}},\n"
                                                  " {\"name\": \"b\", \"listen\": {\"tcp\": {\"port\": 70000}},\n"
                                                  "  \"handlr\": \"echo\"}]}");
    char expected[512];
    child *people = CHILD_RUN(&code, "check", "--human", file);
    assert_int_equal(code, 2);
    snprintf(expected, sizeof(expected), "%s:4:43: /servers/1/listen/tcp/port: ", file);
    assert_non_null(strstr(people->err_text, expected));
    snprintf(expected, sizeof(expected), "%s:3:24: /servers/0/handler/echo/x: ", file);
    assert_non_null(strstr(people->err_text, expected));
    assert_non_null(strstr(people->err_text, "did you mean \"handler\"?"));
    assert_non_null(strstr(people->out_text, "invalid  "));
    child_free(people);

    child *weir = CHILD_RUN(&code, "check", file);
    assert_int_equal(code, 2);
    int found = 0;
    for (char *text = strtok(weir->err_text, "\n"); text; text = strtok(NULL, "\n")) {
        json_t *fault = parse(text);
        assert_string_equal(member(fault, "file"), file);
        if (strcmp(member(fault, "pointer"), "/servers/1/listen/tcp/port") == 0) {
            assert_int_equal(json_integer_value(json_object_get(fault, "line")), 4);
            assert_int_equal(json_integer_value(json_object_get(fault, "column")), 43);
            assert_non_null(strstr(member(fault, "message"), "70000"));
            found = 1;
        }
        json_decref(fault);
    }
    assert_true(found);
    child_free(weir);
}

static void check_of_no_file(void **state)
{
    (void)state;
    int code;
    child *weir = CHILD_RUN(&code, "check", "--human", "/nonexistent/service.json");
    assert_int_equal(code, 2);
    assert_non_null(strstr(weir->err_text, "/nonexistent/service.json"));
    child_free(weir);
}

/* It is what run does, but for listening: a port that is taken is no fault. */
static void check_does_not_listen(void **state)
{
    (void)state;
    char endpoint[128], json[512];
    int code;
    child *running = start_echo("{\"servers\": [" ECHO_SERVER "]}", endpoint, sizeof(endpoint));
    snprintf(json, sizeof(json), "{\"servers\": [{\"name\": \"e\", \"listen\": \"%s\", \"handler\": \"echo\"}]}",
             endpoint);
    child *weir = CHILD_RUN(&code, "check", child_file("taken.json", json));
    assert_int_equal(code, 0);
    child_free(weir);
    kill(running->pid, SIGTERM);
    assert_int_equal(child_finish(running), 0);
    child_free(running);
}

/* ---- run ---- */

static void stop_by(int number, const char *name)
{
    char endpoint[128];
    child *weir = start_echo("{\"servers\": [" ECHO_SERVER "]}", endpoint, sizeof(endpoint));
    int fd = connect_to(endpoint);
    exchange(fd);
    kill(weir->pid, number);
    json_t *line = expect_event(weir, "stopping");
    assert_string_equal(member(line, "signal"), name);
    assert_int_equal(json_integer_value(json_object_get(line, "connections")), 1);
    json_decref(line);
    /* The connection goes on, within the grace, and its end is the end of the service. */
    exchange(fd);
    close(fd);
    line = expect_event(weir, "stopped");
    assert_int_equal(json_integer_value(json_object_get(line, "connectionsDestroyed")), 0);
    json_decref(line);
    assert_int_equal(child_finish(weir), 0);
    child_free(weir);
}

static void run_stops_at_sigint(void **state)
{
    (void)state;
    stop_by(SIGINT, "SIGINT");
}

static void run_stops_at_sigterm(void **state)
{
    (void)state;
    stop_by(SIGTERM, "SIGTERM");
}

static void second_signal_ends_at_once(void **state)
{
    (void)state;
    char endpoint[128], byte;
    child *weir = start_echo("{\"shutdownGrace\": \"1h\", \"servers\": [" ECHO_SERVER "]}", endpoint, sizeof(endpoint));
    int fd = connect_to(endpoint);
    exchange(fd);
    kill(weir->pid, SIGTERM);
    json_decref(expect_event(weir, "stopping"));
    kill(weir->pid, SIGINT);
    json_t *line = expect_event(weir, "stopped");
    assert_int_equal(json_integer_value(json_object_get(line, "connectionsDestroyed")), 1);
    json_decref(line);
    assert_int_equal(child_finish(weir), 0);
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
    child_free(weir);
}

static void grace_ends_by_itself(void **state)
{
    (void)state;
    char endpoint[128];
    child *weir = start_echo("{\"shutdownGrace\": 50, \"servers\": [" ECHO_SERVER "]}", endpoint, sizeof(endpoint));
    int fd = connect_to(endpoint);
    exchange(fd);
    kill(weir->pid, SIGTERM);
    json_decref(expect_event(weir, "stopping"));
    json_t *line = expect_event(weir, "stopped");
    assert_int_equal(json_integer_value(json_object_get(line, "connectionsDestroyed")), 1);
    json_decref(line);
    assert_int_equal(child_finish(weir), 0);
    close(fd);
    child_free(weir);
}

static void several_workers_serve(void **state)
{
    (void)state;
    char endpoint[128];
    int fds[16];
    child *weir = start_echo("{\"workers\": 3, \"servers\": [" ECHO_SERVER "]}", endpoint, sizeof(endpoint));
    for (size_t i = 0; i < 16; i++) {
        fds[i] = connect_to(endpoint);
        exchange(fds[i]);
    }
    kill(weir->pid, SIGTERM);
    json_t *line = expect_event(weir, "stopping");
    assert_int_equal(json_integer_value(json_object_get(line, "connections")), 16);
    json_decref(line);
    for (size_t i = 0; i < 16; i++)
        close(fds[i]);
    json_decref(expect_event(weir, "stopped"));
    assert_int_equal(child_finish(weir), 0);
    assert_string_equal(weir->err_text, "");
    child_free(weir);
}

static void port_that_is_taken_is_1(void **state)
{
    (void)state;
    char endpoint[128], json[512];
    int code;
    child *running = start_echo("{\"servers\": [" ECHO_SERVER "]}", endpoint, sizeof(endpoint));
    snprintf(json, sizeof(json),
             "{\"servers\": [" ECHO_SERVER ", {\"name\": \"second\", \"listen\": \"%s\", \"handler\": \"echo\"}]}",
             endpoint);
    child *weir = CHILD_RUN(&code, "run", child_file("taken.json", json));
    assert_int_equal(code, 1);
    json_t *line = parse(weir->err_text);
    assert_string_equal(member(line, "event"), "failed");
    assert_string_equal(member(line, "server"), "second");
    assert_string_equal(member(line, "code"), "EADDRINUSE");
    assert_non_null(strstr(member(line, "message"), "address already in use"));
    json_decref(line);
    /* The other server could have listened; none does. */
    assert_null(strstr(weir->out_text, "\"listening\""));
    assert_null(strstr(weir->out_text, "\"running\""));
    /* Nor did anything stop that had not begun. */
    assert_string_equal(weir->out_text, "");
    child_free(weir);
    kill(running->pid, SIGTERM);
    assert_int_equal(child_finish(running), 0);
    child_free(running);
}

static void run_of_an_invalid_file_is_2(void **state)
{
    (void)state;
    int code;
    child *weir = CHILD_RUN(&code, "run", child_file("empty.json", "{\"servers\": []}"));
    assert_int_equal(code, 2);
    assert_string_equal(weir->out_text, "");
    assert_non_null(strstr(weir->err_text, "\"/servers\""));
    child_free(weir);
}

/* Who reads a service's lines may go: the service does not. */
static void run_survives_its_reader(void **state)
{
    (void)state;
    char endpoint[128];
    child *weir = start_echo("{\"servers\": [" ECHO_SERVER "]}", endpoint, sizeof(endpoint));
    close(weir->out);
    weir->out = -1;
    int fd = connect_to(endpoint);
    exchange(fd);
    close(fd);
    kill(weir->pid, SIGTERM);
    assert_int_equal(child_finish(weir), 0);
    child_free(weir);
}

static void terminal_gets_lines_for_people(void **state)
{
    (void)state;
    int side;
    int terminal = child_terminal(&side);
    child *weir = CHILD(CHILD_PIPE, side, "run", child_file("pty.json", "{\"servers\": [" ECHO_SERVER "]}"));
    char text[512] = "";
    size_t length = 0;
    while (!strstr(text, "running") && length < sizeof(text) - 1) {
        ssize_t got = read(terminal, text + length, sizeof(text) - 1 - length);
        assert_true(got > 0);
        length += (size_t)got;
        text[length] = '\0';
    }
    assert_ptr_equal(strstr(text, "listening  echo  tcp://127.0.0.1:"), text);
    kill(weir->pid, SIGTERM);
    assert_int_equal(child_finish(weir), 0);
    child_free(weir);
    close(side);
    close(terminal);
}

static void log_level_is_kept(void **state)
{
    (void)state;
    char endpoint[128];
    const char *json = "{\"servers\": [{\"name\": \"echo\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": "
                       "\"echo\"}, {\"name\": \"sink\", \"listen\": \"ipc:@weir-test-cli-sink\", \"handler\": "
                       "\"discard\"}]}";
    static const char *const levels[] = {"info", "warning"};
    for (size_t i = 0; i < 2; i++) {
        child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "run", "--log-level", levels[i], child_file("level.json", json));
        json_t *line = expect_event(weir, "listening");
        snprintf(endpoint, sizeof(endpoint), "%s", member(line, "endpoint"));
        json_decref(line);
        json_decref(expect_event(weir, "listening"));
        json_decref(expect_event(weir, "running"));
        kill(weir->pid, SIGTERM);
        assert_int_equal(child_finish(weir), 0);
        assert_int_equal(strstr(weir->err_text, "0 bytes of 0 connections dropped") != NULL, i == 0);
        child_free(weir);
    }
}

/* ---- schema ---- */

static void schema_holds_every_plugin(void **state)
{
    (void)state;
    int code;
    child *weir = CHILD_RUN(&code, "schema");
    assert_int_equal(code, 0);
    json_t *schema = parse(weir->out_text);
    const json_t *definitions = json_object_get(schema, "$defs");
    assert_non_null(json_object_get(definitions, "plugin-tcp"));
    assert_non_null(json_object_get(definitions, "plugin-forward"));
    assert_null(strstr(weir->out_text, "stream.schema.json#"));
    json_decref(schema);
    child_free(weir);
    weir = CHILD_RUN(&code, "schema", "forward");
    assert_int_equal(code, 0);
    schema = parse(weir->out_text);
    assert_non_null(json_object_get(json_object_get(schema, "properties"), "connectTimeout"));
    json_decref(schema);
    child_free(weir);
    weir = CHILD_RUN(&code, "schema", "nonesuch");
    assert_int_equal(code, 1);
    assert_string_equal(weir->out_text, "");
    assert_non_null(strstr(weir->err_text, "nonesuch"));
    child_free(weir);
}

/* ---- plugins ---- */

static void plugins_are_listed_with_those_that_are_broken(void **state)
{
    (void)state;
    int code, seen = 0;
    const char *broken = child_file("junk.so", "not a shared object\n");
    char folder[256];
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(broken, '/') - broken), broken);
    child *weir = CHILD_RUN(&code, "plugins", "--plugin-path", folder);
    assert_int_equal(code, 0);
    for (char *text = strtok(weir->out_text, "\n"); text; text = strtok(NULL, "\n")) {
        json_t *plugin = parse(text);
        if (strcmp(member(plugin, "name"), "tcp") == 0) {
            assert_string_equal(json_string_value(json_array_get(json_object_get(plugin, "kinds"), 0)), "transport");
            assert_string_equal(member(plugin, "abi"), "1.0");
            assert_non_null(strstr(member(plugin, "path"), "/tcp.so"));
            assert_true(json_is_object(json_object_get(plugin, "options")));
            seen |= 1;
        } else if (strcmp(member(plugin, "path"), broken) == 0) {
            assert_ptr_equal(strstr(member(plugin, "reason"), broken), member(plugin, "reason"));
            assert_null(json_object_get(plugin, "version"));
            seen |= 2;
        }
        json_decref(plugin);
    }
    assert_int_equal(seen, 3);
    child_free(weir);
    weir = CHILD_RUN(&code, "plugins", "--human", "-p", folder);
    assert_int_equal(code, 0);
    assert_ptr_equal(strstr(weir->out_text, "NAME"), weir->out_text);
    assert_non_null(strstr(weir->out_text, "\nunusable: "));
    child_free(weir);
    weir = CHILD_RUN(&code, "plugins", broken);
    assert_int_equal(code, 1);
    child_free(weir);
}

static void plugins_that_do_not_start_are_broken(void **state)
{
    (void)state;
    static const char broken[] = WEIR_TEST_ODD_PLUGINS "/broken";
    int code;
    child *weir = CHILD_RUN(&code, "plugins", "--human", "-p", broken);
    assert_int_equal(code, 0);
    assert_non_null(strstr(weir->out_text, "/init-silent.so: cannot start: permission denied (EACCES)\n"));
    assert_null(strstr(weir->out_text, "\ninit-silent "));
    child_free(weir);
}

static void table_has_columns_for_kinds_and_options(void **state)
{
    (void)state;
    int code;
    child *weir = CHILD_RUN(&code, "plugins", "--human");
    assert_int_equal(code, 0);
    const char *end = strchr(weir->out_text, '\n'), *echo = strstr(weir->out_text, "\necho ");
    assert_non_null(echo);
    assert_memory_equal(end - 7, "OPTIONS", 7);
    /* The columns stand below their titles. */
    assert_memory_equal(echo + 1 + (strstr(weir->out_text, "KIND") - weir->out_text), "handler", 7);
    assert_memory_equal(echo + 1 + (strstr(weir->out_text, "PATH") - weir->out_text), "/", 1);
    const char *tcp = strstr(weir->out_text, "\ntcp ");
    assert_non_null(tcp);
    assert_non_null(strstr(tcp, "noDelay, "));
    assert_true(strstr(tcp, "noDelay, ") < strchr(tcp + 1, '\n'));
    child_free(weir);
}

static void one_plugin_is_shown_with_its_options(void **state)
{
    (void)state;
    int code;
    child *weir = CHILD_RUN(&code, "plugins", "--human", "forward");
    assert_int_equal(code, 0);
    assert_non_null(strstr(weir->out_text, "kind         handler\n"));
    assert_non_null(strstr(weir->out_text, "  connectTimeout  (integer or string, default 10000)\n"));
    child_free(weir);
    char path[512];
    snprintf(path, sizeof(path), "%s/echo.so", WEIR_TEST_PLUGINS);
    weir = CHILD_RUN(&code, "plugins", path);
    assert_int_equal(code, 0);
    assert_non_null(strstr(weir->out_text, "\"name\":\"echo\""));
    child_free(weir);
    weir = CHILD_RUN(&code, "plugins", "nonesuch");
    assert_int_equal(code, 1);
    assert_string_equal(weir->out_text, "");
    assert_non_null(strstr(weir->err_text, "nonesuch"));
    child_free(weir);
}

#define CLI_TEST(function) cmocka_unit_test_setup(function, child_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(version_names_the_libraries),
        CLI_TEST(help_of_every_command_has_examples),
        CLI_TEST(wrong_usage_is_2_and_says_what),
        CLI_TEST(output_that_fails_is_1),
        CLI_TEST(check_of_a_valid_file),
        CLI_TEST(check_tells_every_fault_with_its_place),
        CLI_TEST(check_of_no_file),
        CLI_TEST(check_does_not_listen),
        CLI_TEST(run_stops_at_sigint),
        CLI_TEST(run_stops_at_sigterm),
        CLI_TEST(second_signal_ends_at_once),
        CLI_TEST(grace_ends_by_itself),
        CLI_TEST(several_workers_serve),
        CLI_TEST(port_that_is_taken_is_1),
        CLI_TEST(run_of_an_invalid_file_is_2),
        CLI_TEST(run_survives_its_reader),
        CLI_TEST(terminal_gets_lines_for_people),
        CLI_TEST(log_level_is_kept),
        CLI_TEST(schema_holds_every_plugin),
        CLI_TEST(plugins_are_listed_with_those_that_are_broken),
        CLI_TEST(plugins_that_do_not_start_are_broken),
        CLI_TEST(table_has_columns_for_kinds_and_options),
        CLI_TEST(one_plugin_is_shown_with_its_options),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
