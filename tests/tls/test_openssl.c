/* SPDX-License-Identifier: MIT */
/* The engine with openssl at the other end of a socket: what two of ours could agree on and both have wrong. */
#define _GNU_SOURCE

#include "child.h"
#include "engine_world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a session over a socket ---- */

typedef struct wire {
    int socket;
    unsigned char in[32768];
    size_t at;
    size_t size;
    unsigned char blob[16384];
    size_t blob_size;
} wire;

static size_t receive(void *arg, void *data, size_t size)
{
    wire *self = arg;
    size_t part = size < self->size - self->at ? size : self->size - self->at;
    memcpy(data, self->in + self->at, part);
    self->at += part;
    return part;
}

static int send_bytes(void *arg, const void *data, size_t size)
{
    const wire *self = arg;
    assert_int_equal(send(self->socket, data, size, MSG_NOSIGNAL), size);
    return 0;
}

static void new_session(void *arg, const void *blob, size_t size)
{
    wire *self = arg;
    assert_true(size <= sizeof(self->blob));
    memcpy(self->blob, blob, size);
    self->blob_size = size;
}

static const tls_host over_socket = {.receive = receive, .send = send_bytes, .new_session = new_session};

static void wait_for_more(wire *self)
{
    struct pollfd ready = {.fd = self->socket, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 20000), 1);
    ssize_t got = read(self->socket, self->in, sizeof(self->in));
    assert_true(got > 0);
    self->at = 0;
    self->size = (size_t)got;
}

static tls_session *connect_to(world *w, wire *self, const char *port, const tls_settings *settings)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    const tls_session_options options = {
        .name = "localhost", .resume = self->blob_size ? self->blob : NULL, .resume_size = self->blob_size};
    weir_error *error = NULL;
    tls_result result;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self->at = self->size = 0;
    self->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(self->socket, (const struct sockaddr *)(const void *)&at, sizeof(at)), 0);
    tls_session *session = weir__tls_engine.session_new(world_credentials(w, settings), &options, &over_socket, self);
    assert_non_null(session);
    while ((result = weir__tls_engine.handshake(session, &error)) == TLS_WANT_READ)
        wait_for_more(self);
    if (result != TLS_DONE)
        fail_msg("%s", error ? error->message : "");
    return session;
}

/* On TLS 1.3 it comes behind the handshake. */
static void wait_for_session(wire *self, tls_session *session)
{
    weir_error *error = NULL;
    unsigned char byte;
    size_t done;
    while (self->blob_size == 0) {
        assert_int_equal(weir__tls_engine.read(session, &byte, 1, &done, &error), TLS_WANT_READ);
        if (self->blob_size == 0)
            wait_for_more(self);
    }
}

/* ---- openssl s_server ---- */

static child *s_server(world *w, const char *version, char *port, size_t size)
{
    const mbed_cert *made = world_issue(w, &(wish){.host = "localhost", .subject = "CN=server"});
    world_write(w, "server.pem", made->cert);
    world_write(w, "server.key", made->key);
    child *server = OTHER(CHILD_PIPE, CHILD_PIPE, "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                          fixture_path(w->f, "server.pem"), "-key", fixture_path(w->f, "server.key"), version,
                          "-keymatexport", "EXPERIMENTAL weir", "-keymatexportlen", "40");
    const char *line = child_line(server);
    while (!strstr(line, "ACCEPT "))
        line = child_line(server);
    snprintf(port, size, "%d", atoi(strrchr(line, ':') + 1));
    return server;
}

static const char *exported(world *w, tls_session *session)
{
    unsigned char key[40];
    char text[2 * sizeof(key) + 1];
    assert_code(weir__tls_engine.export_keys(session, "EXPERIMENTAL weir", NULL, 0, key, sizeof(key)), 0);
    for (size_t i = 0; i < sizeof(key); i++)
        snprintf(text + 2 * i, 3, "%02X", key[i]);
    return fixture_text(w->f, "%s", text);
}

static const char *line_with(child *from, const char *text)
{
    const char *line = child_line(from);
    while (!strstr(line, text))
        line = child_line(from);
    return strstr(line, text) + strlen(text);
}

static const char *const versions[] = {"-tls1_2", "-tls1_3"};

static void TLS_16_openssl_exports_the_same_keys(void **state)
{
    world *w = world_of(*state);
    char port[8];
    WORLD_VERSIONS(w)
    {
        static wire self;
        const tls_settings client = world_client(w);
        child *server = s_server(w, versions[w->now_version - TLS_VERSION_12], port, sizeof(port));
        memset(&self, 0, sizeof(self));
        /* The second time by a resumed session, which has secrets of its own. */
        for (int i = 0; i < 2; i++) {
            weir_value resumed = {0};
            tls_session *session = connect_to(w, &self, port, &client);
            assert_code(weir__tls_engine.fact(session, "tls.resumed", &resumed), 0);
            assert_int_equal(resumed.number, i);
            assert_string_equal(line_with(server, "Keying material: "), exported(w, session));
            wait_for_session(&self, session);
            weir__tls_engine.session_free(session);
            close(self.socket);
        }
        kill(server->pid, SIGTERM);
        child_finish(server);
        child_free(server);
    }
}

static void TLS_16_openssl_finds_the_same_fingerprint(void **state)
{
    world *w = world_of(*state);
    char port[8];
    static wire self;
    weir_value value = {0};
    const tls_settings client = world_client(w);
    w->now_version = 0;
    child *server = s_server(w, "-tls1_2", port, sizeof(port));
    tls_session *session = connect_to(w, &self, port, &client);
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in",
                           fixture_path(w->f, "server.pem"));
    assert_code(weir__tls_engine.fact(session, "tls.peer.fingerprint256", &value), 0);
    assert_string_equal(line_with(openssl, "Fingerprint="), value.text);
    child_finish(openssl);
    child_free(openssl);
    weir__tls_engine.session_free(session);
    close(self.socket);
    kill(server->pid, SIGTERM);
    child_finish(server);
    child_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_16_openssl_exports_the_same_keys),
        WORLD_TEST(TLS_16_openssl_finds_the_same_fingerprint),
    };
    return cmocka_run_group_tests_name("openssl", tests, NULL, NULL);
}
