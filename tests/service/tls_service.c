/* SPDX-License-Identifier: MIT */
/* Certificates, services and streams of bytes for the tests of TLS with programs. */
#define _GNU_SOURCE

#include "tls_service.h"

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

#include "fixture.h"

void tls_need(void)
{
    if (access(WEIR_TEST_PLUGINS "/tls.so", R_OK) != 0)
        skip();
}

int tls_group_setup(void **state)
{
    (void)state;
    if (access(WEIR_TEST_PLUGINS "/tls.so", R_OK) == 0)
        fixture_preload("tls");
    return 0;
}

const char *tls_folder(char *at, size_t size, const char *name)
{
    const char *folder = getenv("TMPDIR");
    snprintf(at, size, "%s/cli-%d-%s", folder && *folder ? folder : "/tmp", (int)getpid(), name);
    return at;
}

/* ---- certificates ---- */

static void make(const char *const *arguments)
{
    int code;
    child *weir = child_run(&code, arguments);
    if (code != 0)
        fail_msg("weir cert ended with %d: %s", code, weir->err_text);
    child_free(weir);
}

#define MAKE(...) make((const char *const[]){"cert", __VA_ARGS__, NULL})

const char *tls_cert(const char *file)
{
    static char folder[256], paths[16][320];
    static int count;
    char stranger[280], path[320];
    tls_need();
    if (folder[0] == '\0') {
        tls_folder(folder, sizeof(folder), "tls");
        snprintf(stranger, sizeof(stranger), "%s-stranger", folder);
        MAKE("--host", "localhost", "127.0.0.1", "::1", "--out", folder);
        MAKE("--host", "other.example", "*.wild.example", "--out", folder, "--file", "other");
        MAKE("--client", "--host", "somebody", "--out", folder);
        MAKE("--client", "--host", "stranger", "--out", stranger);
    }
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    if (strncmp(file, "stranger", 8) == 0)
        snprintf(path, sizeof(path), "%s-stranger/%s%s", folder, file[8] == '-' ? "ca" : "client", strchr(file, '.'));
    for (int i = 0; i < count; i++) {
        if (strcmp(paths[i], path) == 0)
            return paths[i];
    }
    assert_true(count < 16);
    assert_int_equal(access(path, R_OK), 0);
    return strcpy(paths[count++], path);
}

/* ---- services ---- */

static const char service_text[] =
    "{\"servers\": [{\"name\": \"tls\", \"handler\": %s, \"listen\": {\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0},"
    " \"layers\": [{\"tls\": {%s}}]}}]}";

int tls_has_13(void)
{
    static int has = -1;
    char text[1024], options[512];
    if (has < 0) {
        int code;
        snprintf(options, sizeof(options), "\"cert\": \"%s\", \"key\": \"%s\", \"minVersion\": \"TLSv1.3\"",
                 tls_cert("server.pem"), tls_cert("server.key"));
        snprintf(text, sizeof(text), service_text, "\"echo\"", options);
        child_free(CHILD_RUN(&code, "check", child_file("newest.json", text)));
        has = code == 0;
    }
    return has;
}

tls_service *tls_serve_with(const char *options, const char *handler)
{
    static const char before[] = "\"endpoint\":\"tls+tcp://127.0.0.1:";
    tls_service *self = calloc(1, sizeof(*self));
    char text[4096];
    const char *line;
    assert_non_null(self);
    snprintf(text, sizeof(text), service_text, handler, options);
    self->weir = CHILD(CHILD_PIPE, CHILD_PIPE, "run", "--log-level", "debug", child_file("tls.json", text));
    while (!strstr(line = child_line(self->weir), "\"event\":\"running\"")) {
        const char *at = strstr(line, before);
        if (at)
            snprintf(self->port, sizeof(self->port), "%d", atoi(at + strlen(before)));
    }
    return self;
}

static void with_pair(char *text, size_t size, const char *options)
{
    snprintf(text, size, "\"cert\": \"%s\", \"key\": \"%s\"%s%s", tls_cert("server.pem"), tls_cert("server.key"),
             *options ? ", " : "", options);
}

tls_service *tls_serve(const char *options)
{
    char text[3072];
    with_pair(text, sizeof(text), options);
    return tls_serve_with(text, "\"echo\"");
}

void tls_reload(tls_service *self, const char *options)
{
    char members[3072], text[4096];
    with_pair(members, sizeof(members), options);
    snprintf(text, sizeof(text), service_text, "\"echo\"", members);
    child_file("tls.json", text);
    assert_int_equal(kill(self->weir->pid, SIGHUP), 0);
    tls_line_with(self->weir, "\"event\":\"reloaded\"");
}

child *tls_stop(tls_service *self)
{
    child *weir = self->weir;
    kill(weir->pid, SIGTERM);
    int code = child_finish(weir);
    if (code != 0)
        fail_msg("weir ended with %d: %s%s", code, weir->out_text, weir->err_text);
    free(self);
    return weir;
}

void tls_stop_quietly(tls_service *self)
{
    child *weir = tls_stop(self);
    assert_string_equal(weir->err_text, "");
    child_free(weir);
}

const char *tls_where(const tls_service *self)
{
    static char text[32];
    snprintf(text, sizeof(text), "127.0.0.1:%s", self->port);
    return text;
}

/* ---- other programs ---- */

const char *const tls_versions[2] = {"TLSv1.2", "TLSv1.3"};
const char *const tls_openssl_versions[2] = {"-tls1_2", "-tls1_3"};

child *tls_s_server(const char *version, const char *more, char *port, size_t size)
{
    char command[1536];
    const char *folder = getenv("TMPDIR");
    child_free(OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "version"));
    snprintf(
        command, sizeof(command), "cd '%s' && exec openssl s_server -accept 127.0.0.1:0 -cert '%s' -key '%s' %s %s",
        folder != NULL && *folder ? folder : "/tmp", tls_cert("server.pem"), tls_cert("server.key"), version, more);
    child *server = OTHER(CHILD_PIPE, CHILD_PIPE, "sh", "-c", command);
    snprintf(port, size, "%d", atoi(strrchr(tls_line_with(server, "ACCEPT "), ':') + 1));
    return server;
}

int tls_finish_open(child *self)
{
    int in = self->in;
    self->in = -1;
    int code = child_finish(self);
    if (in >= 0)
        close(in);
    return code;
}

int tls_listen_plainly(char *url, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    snprintf(url, size, "tcp://127.0.0.1:%d", ntohs(address.sin_port));
    return listener;
}

/* ---- texts ---- */

void tls_expect(const char *where, const char *text)
{
    if (!strstr(where, text))
        fail_msg("expected %s, found: %s", text, where);
}

int tls_count(const char *text, const char *what)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

void tls_good_end(child *self)
{
    int code = child_finish(self);
    if (code != 0)
        fail_msg("ended with %d: %s", code, self->err_text);
    child_free(self);
}

/* ---- bytes ---- */

size_t tls_much(void)
{
    return (getenv("WEIR_TEST_VALGRIND") ? (size_t)2 : (size_t)64) * 1024 * 1024;
}

char *tls_payload(size_t size)
{
    char *bytes = malloc(size);
    assert_non_null(bytes);
    fixture_fill(bytes, size, 22);
    return bytes;
}

static size_t send_more(int fd, const char *bytes, size_t size)
{
    ssize_t more = write(fd, bytes, size);
    assert_true(more > 0);
    return (size_t)more;
}

/* Reads what is to be the same as `bytes`. */
static size_t compare_more(child *from, const char *bytes, size_t size)
{
    static char got[65536];
    ssize_t more = read(from->out, got, size < sizeof(got) ? size : sizeof(got));
    if (more <= 0) {
        child_finish(from);
        fail_msg("ended before all had come: %s", from->err_text);
    }
    assert_memory_equal(got, bytes, (size_t)more);
    return (size_t)more;
}

void tls_exchange(child *into, child *from, const char *bytes, size_t size)
{
    size_t sent = 0, received = 0;
    int flags = fcntl(into->in, F_GETFL);
    fcntl(into->in, F_SETFL, flags | O_NONBLOCK);
    while (received < size) {
        struct pollfd fds[] = {{.fd = sent < size ? into->in : -1, .events = POLLOUT},
                               {.fd = from->out, .events = POLLIN}};
        assert_true(poll(fds, 2, -1) > 0);
        if (fds[0].revents)
            sent += send_more(into->in, bytes + sent, size - sent);
        if (fds[1].revents)
            received += compare_more(from, bytes + received, size - received);
    }
    fcntl(into->in, F_SETFL, flags);
}

const char *tls_line_with(child *from, const char *text)
{
    const char *line = child_line(from);
    while (!strstr(line, text))
        line = child_line(from);
    return line;
}
