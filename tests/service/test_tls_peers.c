/* SPDX-License-Identifier: MIT */
/*
 * Programs with other implementations of TLS, as clients of a service and as servers of `weir connect`: openssl, curl,
 * node. A test whose program is not installed is skipped, and so is TLS 1.3 where the engine has none.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "tls_service.h"

#define MIB  ((size_t)1024 * 1024)
#define MUCH much()

/* 64 MiB; under valgrind, which takes minutes for that, fewer. */
static size_t much(void)
{
    return getenv("WEIR_TEST_VALGRIND") ? 2 * MIB : 64 * MIB;
}

static char *payload(size_t size)
{
    char *bytes = malloc(size);
    assert_non_null(bytes);
    fixture_fill(bytes, size, 22);
    return bytes;
}

/* The child ends by itself, well. */
static void expect_good_end(child *self)
{
    int code = child_finish(self);
    if (code != 0)
        fail_msg("ended with %d: %s", code, self->err_text);
    child_free(self);
}

static void expect_text(const char *where, const char *text)
{
    if (!strstr(where, text))
        fail_msg("expected %s, found: %s", text, where);
}

/* Nothing went wrong while it served. */
static void expect_quiet(tls_service *service)
{
    child *weir = tls_stop(service);
    assert_string_equal(weir->err_text, "");
    child_free(weir);
}

/* For each version that the engine speaks. */
static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
static const char *const openssl_versions[] = {"-tls1_2", "-tls1_3"};
#define EACH_VERSION for (int i = 0; i < 2 && i <= tls_has_13(); i++)

/* ---- openssl s_client ---- */

static const char *where(const tls_service *service)
{
    static char text[32];
    snprintf(text, sizeof(text), "127.0.0.1:%s", service->port);
    return text;
}

/* Speaks plainly: what it prints is what came, and the end of its input is its close_notify. */
#define S_CLIENT(service, ...)                                                                                      \
    OTHER(CHILD_PIPE, CHILD_PIPE, "openssl", "s_client", "-connect", where(service), "-CAfile", tls_cert("ca.pem"), \
          "-verify_return_error", "-nocommands", "-nbio", __VA_ARGS__)

static void TLS_22_s_client_exchanges_64_MiB(void **state)
{
    (void)state;
    char *bytes = payload(MUCH);
    EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *client = S_CLIENT(service, "-quiet", "-no_ign_eof", openssl_versions[i]);
        tls_exchange(client, client, bytes, MUCH);
        expect_good_end(client);
        expect_quiet(service); /* its close_notify was seen: an end without one would be told */
    }
    free(bytes);
}

/* Says hello and gets it back; all that s_client tells is the caller's to child_free. */
static child *s_client_hello(child *client)
{
    assert_int_equal(write(client->in, "hello\n", 6), 6);
    tls_line_with(client, "hello");
    int code = child_finish(client);
    if (code != 0)
        fail_msg("ended with %d: %s", code, client->err_text);
    return client;
}

static void TLS_11_TLS_22_s_client_and_the_servers_choice_of_ALPN(void **state)
{
    (void)state;
    EACH_VERSION
    {
        tls_service *service = tls_serve("\"ALPNProtocols\": [\"h2\", \"http/1.1\"]");
        child *client = s_client_hello(S_CLIENT(service, "-alpn", "spdy/3,http/1.1,h2", openssl_versions[i]));
        expect_text(client->out_text, "ALPN protocol: h2\n");
        expect_text(client->out_text, versions[i]);
        child_free(client);
        client = s_client_hello(S_CLIENT(service, openssl_versions[i]));
        expect_text(client->out_text, "No ALPN negotiated\n");
        child_free(client);
        client = S_CLIENT(service, "-alpn", "spdy/3", openssl_versions[i]);
        assert_int_not_equal(child_finish(client), 0);
        expect_text(client->err_text, "no application protocol");
        child_free(client);
        child *weir = tls_stop(service);
        expect_text(weir->err_text, "(ALPN)");
        child_free(weir);
    }
}

static void TLS_10_TLS_22_s_client_chooses_a_context_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *subject;
    } cases[] = {{"localhost", "CN = localhost\n"},
                 {"other.example", "CN = other.example\n"},
                 {"OTHER.example", "CN = other.example\n"},
                 {"www.wild.example", "CN = other.example\n"},
                 {"a.b.wild.example", "CN = localhost\n"}};
    char options[1024];
    snprintf(options, sizeof(options),
             "\"SNI\": {\"other.example\": {\"cert\": \"%s\", \"key\": \"%s\", \"ALPNProtocols\": [\"one\"]},"
             " \"*.wild.example\": {\"cert\": \"%s\", \"key\": \"%s\"}}",
             tls_cert("other.pem"), tls_cert("other.key"), tls_cert("other.pem"), tls_cert("other.key"));
    EACH_VERSION
    {
        tls_service *service = tls_serve(options);
        for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
            child *client = S_CLIENT(service, "-servername", cases[k].name, "-alpn", "two,one", openssl_versions[i]);
            s_client_hello(client);
            expect_text(client->out_text, cases[k].subject);
            int first = strcasecmp(cases[k].name, "other.example") == 0; /* the whole context, ALPN too */
            expect_text(client->out_text, first ? "ALPN protocol: one\n" : "No ALPN negotiated\n");
            child_free(client);
        }
        expect_quiet(service);
    }
}

static void TLS_09_TLS_22_s_client_is_asked_for_a_certificate(void **state)
{
    (void)state;
    char options[512];
    snprintf(options, sizeof(options), "\"requestCert\": true, \"ca\": \"%s\"", tls_cert("ca.pem"));
    EACH_VERSION
    {
        tls_service *service = tls_serve(options);
        child *client =
            S_CLIENT(service, "-cert", tls_cert("client.pem"), "-key", tls_cert("client.key"), openssl_versions[i]);
        child_free(s_client_hello(client));
        /* Without one, and with one of somebody nobody knows. */
        client = S_CLIENT(service, "-quiet", openssl_versions[i]);
        assert_int_not_equal(child_finish(client), 0);
        assert_int_equal(client->out_size, 0);
        expect_text(client->err_text, "alert");
        child_free(client);
        client = S_CLIENT(service, "-quiet", openssl_versions[i], "-cert", tls_cert("stranger.pem"), "-key",
                          tls_cert("stranger.key"));
        assert_int_not_equal(child_finish(client), 0);
        assert_int_equal(client->out_size, 0);
        expect_text(client->err_text, "alert");
        child_free(client);
        child *weir = tls_stop(service);
        expect_text(weir->err_text, "certificate");
        expect_text(weir->err_text, "CERT_SIGNATURE_FAILURE"); /* two authorities of one name */
        child_free(weir);
    }
}

/* How often a text has another one in it. */
static int count_of(const char *text, const char *what)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

/* By a ticket, and by the session's number where the client wants no tickets. */
static void TLS_12_TLS_22_s_client_reconnects_over_TLS_12(void **state)
{
    (void)state;
    static const char *const tickets[] = {"-quiet", "-no_ticket"}; /* the first one says nothing of tickets */
    for (int i = 0; i < 2; i++) {
        tls_service *service = tls_serve("");
        child *client = OTHER(CHILD_PIPE, CHILD_PIPE, "openssl", "s_client", "-connect", where(service), "-CAfile",
                              tls_cert("ca.pem"), "-tls1_2", "-reconnect", i == 0 ? "-nocommands" : tickets[i]);
        child_finish(client);
        assert_int_equal(count_of(client->out_text, "\nNew, TLSv1.2"), 1);
        assert_int_equal(count_of(client->out_text, "\nReused, TLSv1.2"), 5);
        child_free(client);
        child_free(tls_stop(service));
    }
}

static void TLS_12_TLS_22_s_client_resumes_a_session_it_kept(void **state)
{
    (void)state;
    char kept[256];
    tls_folder(kept, sizeof(kept), "session");
    EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *client = s_client_hello(S_CLIENT(service, openssl_versions[i], "-sess_out", kept));
        expect_text(client->out_text, "\nNew, TLSv1.");
        child_free(client);
        client = s_client_hello(S_CLIENT(service, openssl_versions[i], "-sess_in", kept));
        expect_text(client->out_text, "\nReused, TLSv1.");
        child_free(client);
        expect_quiet(service);
        /* Other keys for tickets: a full handshake, and all is well. */
        service = tls_serve("");
        client = s_client_hello(S_CLIENT(service, openssl_versions[i], "-sess_in", kept));
        expect_text(client->out_text, "\nNew, TLSv1.");
        child_free(client);
        expect_quiet(service);
    }
}

/* ---- curl, with a peer behind a weir that takes the TLS off ---- */

static int listen_plainly(char *url, size_t size)
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

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void TLS_22_curl_is_served_through_a_terminator(void **state)
{
    (void)state;
    char backend[64], handler[160], options[1024], url[64], request[4096];
    char *bytes = payload(MUCH);
    int listener = listen_plainly(backend, sizeof(backend));
    size_t got = 0;
    snprintf(handler, sizeof(handler), "{\"forward\": {\"to\": \"%s\"}}", backend);
    snprintf(options, sizeof(options), "\"cert\": \"%s\", \"key\": \"%s\", \"ALPNProtocols\": [\"http/1.1\"]",
             tls_cert("server.pem"), tls_cert("server.key"));
    tls_service *service = tls_serve_with(options, handler);
    snprintf(url, sizeof(url), "https://localhost:%s/something", service->port);
    child *curl = OTHER(CHILD_CLOSED, CHILD_PIPE, "curl", "--silent", "--show-error", "--no-buffer", "--noproxy", "*",
                        "--cacert", tls_cert("ca.pem"), url);
    int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(peer >= 0);
    do {
        ssize_t more = recv(peer, request + got, sizeof(request) - 1 - got, 0);
        assert_true(more > 0);
        got += (size_t)more;
        request[got] = '\0';
    } while (!strstr(request, "\r\n\r\n"));
    assert_ptr_equal(strstr(request, "GET /something HTTP/1.1\r\n"), request);
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"; /* as long as the connection lasts */
    send_all(peer, head, strlen(head));
    /* curl's output has to be taken while it comes. */
    size_t sent = 0;
    while (sent < MUCH) {
        char piece[16384];
        size_t size = MUCH - sent < sizeof(piece) ? MUCH - sent : sizeof(piece);
        send_all(peer, bytes + sent, size);
        sent += size;
        for (size_t back = 0; back < size;) {
            ssize_t more = read(curl->out, piece, size - back);
            assert_true(more > 0);
            assert_memory_equal(piece, bytes + sent - size + back, (size_t)more);
            back += (size_t)more;
        }
    }
    close(peer);
    int code = child_finish(curl); /* curl fails where the end is not close_notify's */
    if (code != 0)
        fail_msg("ended with %d: %s", code, curl->err_text);
    assert_int_equal(curl->out_size, 0);
    child_free(curl);
    expect_quiet(service);
    close(listener);
    free(bytes);
}

static void TLS_22_curl_refuses_what_nothing_vouches_for(void **state)
{
    (void)state;
    char url[64];
    tls_service *service = tls_serve("");
    snprintf(url, sizeof(url), "https://localhost:%s/", service->port);
    child *curl = OTHER(CHILD_CLOSED, CHILD_PIPE, "curl", "--silent", "--show-error", "--noproxy", "*", "--cacert",
                        tls_cert("stranger-ca.pem"), url);
    assert_int_equal(child_finish(curl), 60);
    child_free(curl);
    child *weir = tls_stop(service);
    expect_text(weir->err_text, "unknown_ca");
    child_free(weir);
}

/* ---- node as a client ---- */

/* Arguments: port, CA, a version; then name, ALPN, cert, key, or "". */
static const char node_client[] =
    "const [port, ca, version, servername, alpn, cert, key] = process.argv.slice(1);"
    "const read = require('fs').readFileSync;"
    "const socket = require('tls').connect({host: '127.0.0.1', port, ca: read(ca), minVersion: version,"
    "  maxVersion: version, servername: servername || undefined, ALPNProtocols: alpn ? alpn.split(',') : undefined,"
    "  cert: cert ? read(cert) : undefined, key: key ? read(key) : undefined, allowHalfOpen: true}, () => {"
    "  process.stderr.write([socket.getProtocol(), socket.alpnProtocol, socket.authorized,"
    "    socket.getPeerCertificate().subject.CN].join(' ') + '\\n');"
    "});"
    "socket.on('error', (error) => { console.error(error.code); process.exitCode = 1; });"
    "process.stdin.pipe(socket); socket.pipe(process.stdout);";

#define NODE(service, ...) \
    OTHER(CHILD_PIPE, CHILD_PIPE, "node", "-e", node_client, (service)->port, tls_cert("ca.pem"), __VA_ARGS__)

static void TLS_22_node_exchanges_64_MiB(void **state)
{
    (void)state;
    char *bytes = payload(MUCH), expected[64];
    EACH_VERSION
    {
        tls_service *service = tls_serve("\"ALPNProtocols\": [\"b\", \"a\"]");
        child *client = NODE(service, versions[i], "localhost", "a,b");
        tls_exchange(client, client, bytes, MUCH);
        assert_int_equal(child_finish(client), 0);
        snprintf(expected, sizeof(expected), "%s b true localhost\n", versions[i]);
        assert_string_equal(client->err_text, expected);
        child_free(client);
        expect_quiet(service);
    }
    free(bytes);
}

/* node's end is a half-close: what is on its way comes back, and then weir's own end. */
static void TLS_03_TLS_22_node_ends_its_side_first(void **state)
{
    (void)state;
    const size_t size = 300000;
    char *bytes = payload(size);
    EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *client = NODE(service, versions[i], "localhost");
        for (size_t sent = 0; sent < size; sent += 60000)
            assert_int_equal(write(client->in, bytes + sent, 60000), 60000);
        assert_int_equal(child_finish(client), 0);
        assert_int_equal(client->out_size, size);
        assert_memory_equal(client->out_text, bytes, size);
        child_free(client);
        expect_quiet(service);
    }
    free(bytes);
}

static void TLS_09_TLS_22_node_is_asked_for_a_certificate(void **state)
{
    (void)state;
    char options[512];
    snprintf(options, sizeof(options), "\"requestCert\": true, \"ca\": \"%s\"", tls_cert("ca.pem"));
    EACH_VERSION
    {
        tls_service *service = tls_serve(options);
        child *client = NODE(service, versions[i], "localhost", "", tls_cert("client.pem"), tls_cert("client.key"));
        tls_exchange(client, client, "hello", 5);
        assert_int_equal(child_finish(client), 0);
        child_free(client);
        client = NODE(service, versions[i], "localhost");
        assert_int_equal(child_finish(client), 1);
        assert_int_equal(client->out_size, 0);
        child_free(client);
        child *weir = tls_stop(service);
        assert_int_equal(count_of(weir->err_text, "was refused"), 1);
        child_free(weir);
    }
}

/* ---- weir connect to servers of others ---- */

/* Standard input is a shell's, which goes to the folder first: s_server -WWW gives files of it. */
static child *s_server(const char *version, const char *more, char *port, size_t size)
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

static child *connect_to(const char *port, const char *options)
{
    char url[1024];
    snprintf(url, sizeof(url), "tls+tcp://localhost:%s%s%s", port, *options ? "?" : "", options);
    return CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--human", "-v", "--ca", tls_cert("ca.pem"), url);
}

static void TLS_22_connect_reads_64_MiB_from_s_server(void **state)
{
    (void)state;
    char *bytes = payload(MUCH), port[8], name[64], request[128];
    snprintf(name, sizeof(name), "peers-%d", (int)getpid());
    const char *path = child_file(name, "");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, MUCH, file), MUCH);
    assert_int_equal(fclose(file), 0);
    int length = snprintf(request, sizeof(request), "GET /%s HTTP/1.0\r\n\r\n", strrchr(path, '/') + 1);
    EACH_VERSION
    {
        child *server = s_server(openssl_versions[i], "-WWW", port, sizeof(port));
        child *weir = connect_to(port, "");
        assert_int_equal(write(weir->in, request, (size_t)length), length);
        char *end = NULL;
        int in = weir->in;
        weir->in = -1; /* s_server would take an end for a wish to leave */
        int code = child_finish(weir);
        close(in);
        if (code != 0)
            fail_msg("ended with %d: %s", code, weir->err_text);
        expect_text(weir->err_text, versions[i]);
        expect_text(weir->err_text, "verified: CN=localhost\n");
        end = strstr(weir->out_text, "\r\n\r\n");
        assert_non_null(end);
        end += 4;
        assert_int_equal(weir->out_size - (size_t)(end - weir->out_text), MUCH);
        assert_memory_equal(end, bytes, MUCH);
        child_free(weir);
        child_free(server);
    }
    unlink(path);
    free(bytes);
}

static void TLS_22_connect_sends_64_MiB_to_s_server(void **state)
{
    (void)state;
    char *bytes = payload(MUCH), port[8];
    EACH_VERSION
    {
        child *server = s_server(openssl_versions[i], "-naccept 1", port, sizeof(port));
        child *weir = connect_to(port, "");
        /* It tells of the session before what came. */
        char told[65536];
        size_t size = 0;
        char *at = NULL;
        assert_int_equal(write(weir->in, bytes, 4096), 4096);
        while (at == NULL) {
            ssize_t more = read(server->out, told + size, sizeof(told) - size);
            assert_true(more > 0);
            size += (size_t)more;
            at = memmem(told, size, bytes, 64);
        }
        size_t have = size - (size_t)(at - told);
        assert_memory_equal(at, bytes, have);
        while (have < 4096) {
            ssize_t more = read(server->out, told, 4096 - have);
            assert_true(more > 0);
            assert_memory_equal(told, bytes + have, (size_t)more);
            have += (size_t)more;
        }
        tls_exchange(weir, server, bytes + 4096, MUCH - 4096);
        child_close_in(weir);
        /* By close_notify: an end without it is an error to it. */
        tls_line_with(server, "DONE");
        expect_good_end(weir);
        child_finish(server);
        assert_null(strstr(server->err_text, "error"));
        child_free(server);
    }
    free(bytes);
}

static void TLS_09_TLS_22_connect_is_asked_for_a_certificate_by_s_server(void **state)
{
    (void)state;
    char port[8], more[512], options[512];
    snprintf(more, sizeof(more), "-Verify 2 -verify_return_error -CAfile '%s' -rev", tls_cert("ca.pem"));
    EACH_VERSION
    {
        child *server = s_server(openssl_versions[i], more, port, sizeof(port));
        snprintf(options, sizeof(options), "cert=%s&key=%s", tls_cert("client.pem"), tls_cert("client.key"));
        child *weir = connect_to(port, options);
        assert_int_equal(write(weir->in, "hello\n", 6), 6);
        assert_string_equal(tls_line_with(weir, "o"), "olleh");
        expect_good_end(weir);
        weir = connect_to(port, "");
        int in = weir->in;
        weir->in = -1;
        assert_int_equal(child_finish(weir), 1);
        close(in);
        expect_text(weir->err_text, "alert");
        child_free(weir);
        child_free(server);
    }
}

/* s_server shows a client's certificate, which weir itself would not. */
static void TLS_07_TLS_22_connect_refuses_a_server_with_a_clients_certificate(void **state)
{
    (void)state;
    char port[8], more[1100], folder[512];
    int code;
    snprintf(folder, sizeof(folder), "%s", tls_cert("ca.pem"));
    *strrchr(folder, '/') = '\0';
    child_free(CHILD_RUN(&code, "cert", "--client", "--host", "localhost", "--out", folder, "--file", "purpose"));
    assert_int_equal(code, 0);
    snprintf(more, sizeof(more), "-cert '%s/purpose.pem' -key '%s/purpose.key' -rev", folder, folder);
    EACH_VERSION
    {
        child *server = s_server(openssl_versions[i], more, port, sizeof(port));
        child *weir = connect_to(port, "");
        assert_int_equal(child_finish(weir), 1);
        expect_text(weir->err_text, "INVALID_PURPOSE: the certificate of");
        child_free(weir);
        weir = connect_to(port, "rejectUnauthorized=false");
        assert_int_equal(write(weir->in, "hello\n", 6), 6);
        assert_string_equal(tls_line_with(weir, "o"), "olleh");
        child_finish(weir);
        expect_text(weir->err_text, "NOT verified: INVALID_PURPOSE");
        child_free(weir);
        child_free(server);
    }
}

static void TLS_11_TLS_22_connect_and_the_choice_of_s_server(void **state)
{
    (void)state;
    char port[8], more[512];
    snprintf(more, sizeof(more), "-rev -alpn one,two -servername other.example -cert2 '%s' -key2 '%s'",
             tls_cert("other.pem"), tls_cert("other.key"));
    EACH_VERSION
    {
        child *server = s_server(openssl_versions[i], more, port, sizeof(port));
        static const struct {
            const char *options;
            const char *told;
        } cases[] = {{"ALPNProtocols=two", "  ALPN two  verified: CN=localhost\n"},
                     {"servername=other.example", "  verified: CN=other.example\n"}};
        for (size_t k = 0; k < 2; k++) {
            child *weir = connect_to(port, cases[k].options);
            assert_int_equal(write(weir->in, "hello\n", 6), 6);
            assert_string_equal(tls_line_with(weir, "o"), "olleh");
            assert_int_equal(child_finish(weir), 0);
            expect_text(weir->err_text, cases[k].told);
            child_free(weir);
        }
        child_free(server);
    }
}

/* Arguments: cert, key, ca, a version. An echo that tells of each client. */
static const char node_server[] =
    "const [cert, key, ca, version] = process.argv.slice(1);"
    "const read = require('fs').readFileSync;"
    "const server = require('tls').createServer({cert: read(cert), key: read(key), ca: read(ca), requestCert: true,"
    "  rejectUnauthorized: false, minVersion: version, maxVersion: version, ALPNProtocols: ['a', 'b'],"
    "  allowHalfOpen: true}, (socket) => {"
    "  console.log([socket.getProtocol(), socket.alpnProtocol, socket.servername, socket.authorized].join(' '));"
    "  socket.on('error', (error) => console.log(error.code));"
    "  socket.on('end', () => console.log('end'));"
    "  socket.pipe(socket);"
    "});"
    "server.on('tlsClientError', (error) => console.log(error.code));"
    "server.listen(0, '127.0.0.1', () => console.log(':' + server.address().port));";

static void TLS_22_connect_exchanges_64_MiB_with_node(void **state)
{
    (void)state;
    char *bytes = payload(MUCH), options[512], expected[64], port[8];
    snprintf(options, sizeof(options), "ALPNProtocols=b&cert=%s&key=%s", tls_cert("client.pem"),
             tls_cert("client.key"));
    EACH_VERSION
    {
        child *server = OTHER(CHILD_PIPE, CHILD_PIPE, "node", "-e", node_server, tls_cert("server.pem"),
                              tls_cert("server.key"), tls_cert("ca.pem"), versions[i]);
        snprintf(port, sizeof(port), "%s", tls_line_with(server, ":") + 1);
        child *weir = connect_to(port, options);
        tls_exchange(weir, weir, bytes, MUCH);
        snprintf(expected, sizeof(expected), "%s b localhost true", versions[i]);
        assert_string_equal(child_line(server), expected);
        child_close_in(weir);
        assert_string_equal(child_line(server), "end"); /* by close_notify */
        expect_good_end(weir);
        /* And a client that does not trust it: its alert reaches the other side. */
        char url[64];
        int code;
        snprintf(url, sizeof(url), "tls+tcp://localhost:%s", port);
        weir = CHILD_RUN(&code, "connect", "--human", "--ca", tls_cert("stranger-ca.pem"), url);
        assert_int_equal(code, 1);
        expect_text(weir->err_text, "SELF_SIGNED_CERT_IN_CHAIN"); /* node sends the authority along */
        child_free(weir);
        expect_text(child_line(server), "ERR_SSL_");
        kill(server->pid, SIGTERM);
        child_finish(server);
        child_free(server);
    }
    free(bytes);
}

#define PEER_TEST(function) cmocka_unit_test_setup(function, child_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEER_TEST(TLS_22_s_client_exchanges_64_MiB),
        PEER_TEST(TLS_11_TLS_22_s_client_and_the_servers_choice_of_ALPN),
        PEER_TEST(TLS_10_TLS_22_s_client_chooses_a_context_by_name),
        PEER_TEST(TLS_09_TLS_22_s_client_is_asked_for_a_certificate),
        PEER_TEST(TLS_12_TLS_22_s_client_reconnects_over_TLS_12),
        PEER_TEST(TLS_12_TLS_22_s_client_resumes_a_session_it_kept),
        PEER_TEST(TLS_22_curl_is_served_through_a_terminator),
        PEER_TEST(TLS_22_curl_refuses_what_nothing_vouches_for),
        PEER_TEST(TLS_22_node_exchanges_64_MiB),
        PEER_TEST(TLS_03_TLS_22_node_ends_its_side_first),
        PEER_TEST(TLS_09_TLS_22_node_is_asked_for_a_certificate),
        PEER_TEST(TLS_22_connect_reads_64_MiB_from_s_server),
        PEER_TEST(TLS_22_connect_sends_64_MiB_to_s_server),
        PEER_TEST(TLS_09_TLS_22_connect_is_asked_for_a_certificate_by_s_server),
        PEER_TEST(TLS_07_TLS_22_connect_refuses_a_server_with_a_clients_certificate),
        PEER_TEST(TLS_11_TLS_22_connect_and_the_choice_of_s_server),
        PEER_TEST(TLS_22_connect_exchanges_64_MiB_with_node),
    };
    return cmocka_run_group_tests_name("service.tls_peers", tests, NULL, NULL);
}
