/* SPDX-License-Identifier: MIT */
/*
 * Programs with other implementations of TLS, as clients of a service and as servers of `weir connect`: openssl and
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

/* ---- openssl s_client ---- */

static void TLS_22_s_client_exchanges_64_MiB(void **state)
{
    (void)state;
    char *bytes = tls_payload(TLS_MUCH);
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *client = S_CLIENT(service, "-quiet", "-no_ign_eof", tls_openssl_versions[i]);
        tls_exchange(client, client, bytes, TLS_MUCH);
        tls_good_end(client);
        tls_stop_quietly(service); /* its close_notify was seen: an end without one would be told */
    }
    free(bytes);
}

/* Whoever stands behind weir ends first. */
static void TLS_03_TLS_22_s_client_is_told_the_end(void **state)
{
    (void)state;
    char backend[64], handler[160], options[1024];
    int listener = tls_listen_plainly(backend, sizeof(backend));
    snprintf(handler, sizeof(handler), "{\"forward\": {\"to\": \"%s\"}}", backend);
    snprintf(options, sizeof(options), "\"cert\": \"%s\", \"key\": \"%s\"", tls_cert("server.pem"),
             tls_cert("server.key"));
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve_with(options, handler);
        child *client = S_CLIENT(service, "-msg", tls_openssl_versions[i]);
        int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(peer >= 0);
        assert_int_equal(send(peer, "goodbye\n", 8, MSG_NOSIGNAL), 8);
        close(peer);
        tls_finish_open(client);
        const char *last = strstr(client->out_text, "goodbye\n");
        assert_non_null(last);
        tls_expect(last, "Alert [length 0002], warning close_notify");
        child_free(client);
        child_free(tls_stop(service));
    }
    close(listener);
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
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("\"ALPNProtocols\": [\"h2\", \"http/1.1\"]");
        child *client = s_client_hello(S_CLIENT(service, "-alpn", "spdy/3,http/1.1,h2", tls_openssl_versions[i]));
        tls_expect(client->out_text, "ALPN protocol: h2\n");
        tls_expect(client->out_text, tls_versions[i]);
        child_free(client);
        client = s_client_hello(S_CLIENT(service, tls_openssl_versions[i]));
        tls_expect(client->out_text, "No ALPN negotiated\n");
        child_free(client);
        client = S_CLIENT(service, "-alpn", "spdy/3", tls_openssl_versions[i]);
        assert_int_not_equal(child_finish(client), 0);
        tls_expect(client->err_text, "no application protocol");
        child_free(client);
        child *weir = tls_stop(service);
        tls_expect(weir->err_text, "(ALPN)");
        child_free(weir);
    }
}

/* Releases differ in their blanks. */
static void expect_subject(const child *client, const char *name)
{
    char text[64];
    const char *at = strstr(client->out_text, "subject=CN");
    assert_non_null(at);
    at += strlen("subject=CN");
    at += strspn(at, " =");
    snprintf(text, sizeof(text), "%s\n", name);
    if (strncmp(at, text, strlen(text)) != 0)
        fail_msg("expected %s, found: %s", name, client->out_text);
}

/* Some clients cut it small, so that nobody on the way reads the name in it. */
static void TLS_10_TLS_22_s_client_says_hello_in_several_records(void **state)
{
    (void)state;
    char protocols[1024];
    size_t size = 0;
    for (int i = 0; i < 12; i++)
        size += (size_t)snprintf(protocols + size, sizeof(protocols) - size, "%060d,", i);
    snprintf(protocols + size, sizeof(protocols) - size, "http/1.1");
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("\"ALPNProtocols\": [\"http/1.1\"]");
        child *client =
            s_client_hello(S_CLIENT(service, "-max_send_frag", "512", "-alpn", protocols, tls_openssl_versions[i]));
        tls_expect(client->out_text, "ALPN protocol: http/1.1\n");
        child_free(client);
        tls_stop_quietly(service);
    }
}

/*
 * Certificate, ALPN, cipher suites and groups; what is not said there is as usual (TLS-13: X25519, AES-GCM). On TLS 1.3 mbedTLS
 * goes by the client's order of suites, where AES-256 comes first.
 */
static void TLS_10_TLS_13_TLS_22_s_client_chooses_a_context_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *chosen;
    } cases[] = {{"localhost", "localhost"},
                 {"other.example", "other.example"},
                 {"OTHER.example", "other.example"},
                 {"www.wild.example", "other.example"},
                 {"a.b.wild.example", "localhost"}};
    static const char *const suites[][2] = {
        {"Cipher is ECDHE-ECDSA-AES128-GCM-SHA256\n", "Cipher is ECDHE-ECDSA-AES256-GCM-SHA384\n"},
        {"Cipher is TLS_AES_256_GCM_SHA384\n", "Cipher is TLS_AES_128_GCM_SHA256\n"}};
    char options[1536];
    snprintf(options, sizeof(options),
             "\"SNI\": {\"other.example\": {\"cert\": \"%s\", \"key\": \"%s\", \"ALPNProtocols\": [\"one\"],"
             " \"groups\": [\"secp384r1\", \"secp256r1\"], \"ciphers\": [%s"
             " \"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\"]},"
             " \"*.wild.example\": {\"cert\": \"%s\", \"key\": \"%s\"}}",
             tls_cert("other.pem"), tls_cert("other.key"), tls_has_13() ? "\"TLS_AES_128_GCM_SHA256\"," : "",
             tls_cert("other.pem"), tls_cert("other.key"));
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve(options);
        for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
            child *client =
                S_CLIENT(service, "-servername", cases[k].name, "-alpn", "two,one", tls_openssl_versions[i]);
            s_client_hello(client);
            expect_subject(client, cases[k].chosen);
            int first = strcasecmp(cases[k].name, "other.example") == 0; /* the whole context, ALPN too */
            tls_expect(client->out_text, first ? "ALPN protocol: one\n" : "No ALPN negotiated\n");
            tls_expect(client->out_text, suites[i][first]);
            tls_expect(client->out_text, first ? "Temp Key: ECDH," : "Temp Key: X25519,");
            child_free(client);
        }
        tls_stop_quietly(service);
    }
}

static void TLS_09_TLS_22_s_client_is_asked_for_a_certificate(void **state)
{
    (void)state;
    char options[512];
    snprintf(options, sizeof(options), "\"requestCert\": true, \"ca\": \"%s\"", tls_cert("ca.pem"));
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve(options);
        child *client =
            S_CLIENT(service, "-cert", tls_cert("client.pem"), "-key", tls_cert("client.key"), tls_openssl_versions[i]);
        child_free(s_client_hello(client));
        /* Without one, and with one of somebody nobody knows. */
        client = S_CLIENT(service, "-quiet", tls_openssl_versions[i]);
        assert_int_not_equal(child_finish(client), 0);
        assert_int_equal(client->out_size, 0);
        tls_expect(client->err_text, "alert");
        child_free(client);
        client = S_CLIENT(service, "-quiet", tls_openssl_versions[i], "-cert", tls_cert("stranger.pem"), "-key",
                          tls_cert("stranger.key"));
        assert_int_not_equal(child_finish(client), 0);
        assert_int_equal(client->out_size, 0);
        tls_expect(client->err_text, "alert");
        child_free(client);
        child *weir = tls_stop(service);
        tls_expect(weir->err_text, "certificate");
        tls_expect(weir->err_text, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
        child_free(weir);
    }
}

/* By a ticket, and by the session's number where the client wants no tickets. */
static void TLS_12_TLS_22_s_client_reconnects_over_TLS_12(void **state)
{
    (void)state;
    static const char *const tickets[] = {"-quiet", "-no_ticket"}; /* the first one says nothing of tickets */
    for (int i = 0; i < 2; i++) {
        tls_service *service = tls_serve("");
        child *client = OTHER(CHILD_PIPE, CHILD_PIPE, "openssl", "s_client", "-connect", tls_where(service), "-CAfile",
                              tls_cert("ca.pem"), "-tls1_2", "-reconnect", i == 0 ? "-nocommands" : tickets[i]);
        child_finish(client);
        assert_int_equal(tls_count(client->out_text, "\nNew, TLSv1.2"), 1);
        assert_int_equal(tls_count(client->out_text, "\nReused, TLSv1.2"), 5);
        child_free(client);
        child_free(tls_stop(service));
    }
}

static void TLS_12_TLS_22_s_client_resumes_a_session_it_kept(void **state)
{
    (void)state;
    char kept[256];
    tls_folder(kept, sizeof(kept), "session");
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *client = s_client_hello(S_CLIENT(service, tls_openssl_versions[i], "-sess_out", kept));
        tls_expect(client->out_text, "\nNew, TLSv1.");
        child_free(client);
        client = s_client_hello(S_CLIENT(service, tls_openssl_versions[i], "-sess_in", kept));
        tls_expect(client->out_text, "\nReused, TLSv1.");
        child_free(client);
        tls_stop_quietly(service);
        /* Other keys for tickets: a full handshake, and all is well. */
        service = tls_serve("");
        client = s_client_hello(S_CLIENT(service, tls_openssl_versions[i], "-sess_in", kept));
        tls_expect(client->out_text, "\nNew, TLSv1.");
        child_free(client);
        tls_stop_quietly(service);
    }
}

/* A certificate has been served with another one before: what it says now counts, for all its tickets. */
static void TLS_12_TLS_22_s_client_is_told_the_lifetime_of_the_last_reload(void **state)
{
    static const char *const options[] = {"\"ticketLifetime\": \"2h\"", "\"ticketLifetime\": \"10m\"", ""};
    static const char *const hints[] = {"hint: 7200 (seconds)", "hint: 600 (seconds)", "hint: 7200 (seconds)"};
    (void)state;
    tls_service *service = tls_serve(options[0]);
    for (size_t at = 0; at < sizeof(hints) / sizeof(hints[0]); at++) {
        if (at > 0)
            tls_reload(service, options[at]);
        TLS_EACH_VERSION
        {
            child *client = s_client_hello(S_CLIENT(service, tls_openssl_versions[i]));
            tls_expect(client->out_text, hints[at]);
            child_free(client);
        }
    }
    child_free(tls_stop(service));
}

/* The other context has the same ticket keys, and demands a certificate. */
static void TLS_12_TLS_22_s_clients_ticket_is_no_certificate(void **state)
{
    (void)state;
    char kept[256], options[1024];
    tls_folder(kept, sizeof(kept), "open-session");
    snprintf(options, sizeof(options),
             "\"SNI\": {\"other.example\": {\"cert\": \"%s\", \"key\": \"%s\", \"requestCert\": true, \"ca\": \"%s\"}}",
             tls_cert("other.pem"), tls_cert("other.key"), tls_cert("ca.pem"));
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve(options);
        child_free(
            s_client_hello(S_CLIENT(service, tls_openssl_versions[i], "-servername", "localhost", "-sess_out", kept)));
        child *client =
            S_CLIENT(service, tls_openssl_versions[i], "-servername", "other.example", "-sess_in", kept, "-quiet");
        assert_int_not_equal(tls_finish_open(client), 0);
        assert_int_equal(client->out_size, 0);
        tls_expect(client->err_text, "alert");
        child_free(client);
        client =
            s_client_hello(S_CLIENT(service, tls_openssl_versions[i], "-servername", "localhost", "-sess_in", kept));
        tls_expect(client->out_text, "\nReused, TLSv1.");
        child_free(client);
        child *weir = tls_stop(service);
        tls_expect(weir->err_text, "the client showed no certificate");
        child_free(weir);
    }
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
    char *bytes = tls_payload(TLS_MUCH), expected[64];
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("\"ALPNProtocols\": [\"b\", \"a\"]");
        child *client = NODE(service, tls_versions[i], "localhost", "a,b");
        tls_exchange(client, client, bytes, TLS_MUCH);
        assert_int_equal(child_finish(client), 0);
        snprintf(expected, sizeof(expected), "%s b true localhost\n", tls_versions[i]);
        assert_string_equal(client->err_text, expected);
        child_free(client);
        tls_stop_quietly(service);
    }
    free(bytes);
}

/* node's end is a half-close: what is on its way comes back, and then weir's own end. */
static void TLS_03_TLS_22_node_ends_its_side_first(void **state)
{
    (void)state;
    const size_t size = 300000;
    char *bytes = tls_payload(size);
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *client = NODE(service, tls_versions[i], "localhost");
        child_write(client, bytes, size);
        assert_int_equal(child_finish(client), 0);
        assert_int_equal(client->out_size, size);
        assert_memory_equal(client->out_text, bytes, size);
        child_free(client);
        tls_stop_quietly(service);
    }
    free(bytes);
}

static void TLS_09_TLS_22_node_is_asked_for_a_certificate(void **state)
{
    (void)state;
    char options[512];
    snprintf(options, sizeof(options), "\"requestCert\": true, \"ca\": \"%s\"", tls_cert("ca.pem"));
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve(options);
        child *client = NODE(service, tls_versions[i], "localhost", "", tls_cert("client.pem"), tls_cert("client.key"));
        tls_exchange(client, client, "hello", 5);
        assert_int_equal(child_finish(client), 0);
        child_free(client);
        client = NODE(service, tls_versions[i], "localhost");
        assert_int_equal(tls_finish_open(client), 1);
        assert_int_equal(client->out_size, 0);
        /* On TLS 1.3 it has connected by then. */
        tls_expect(client->err_text, i == 0 ? "ERR_SSL_" : "TLSv1.3 false true localhost\nERR_SSL_");
        child_free(client);
        client = NODE(service, tls_versions[i], "localhost", "", tls_cert("stranger.pem"), tls_cert("stranger.key"));
        assert_int_equal(tls_finish_open(client), 1);
        assert_int_equal(client->out_size, 0);
        child_free(client);
        child *weir = tls_stop(service);
        assert_int_equal(tls_count(weir->err_text, "could not be served"), 2);
        child_free(weir);
    }
}

static void TLS_10_TLS_22_node_chooses_a_context_by_name(void **state)
{
    (void)state;
    char options[512];
    snprintf(options, sizeof(options), "\"SNI\": {\"other.example\": {\"cert\": \"%s\", \"key\": \"%s\"}}",
             tls_cert("other.pem"), tls_cert("other.key"));
    TLS_EACH_VERSION
    {
        static const char *const names[] = {"localhost", "other.example"};
        tls_service *service = tls_serve(options);
        for (size_t k = 0; k < 2; k++) {
            char expected[64];
            child *client = NODE(service, tls_versions[i], names[k]);
            tls_exchange(client, client, "hello", 5);
            assert_int_equal(child_finish(client), 0);
            snprintf(expected, sizeof(expected), "%s false true %s\n", tls_versions[i], names[k]);
            assert_string_equal(client->err_text, expected);
            child_free(client);
        }
        tls_stop_quietly(service);
    }
}

/* Arguments: port, CA, a version. Connects, and then again by what the connection before gave, twice. */
static const char node_comes_back[] =
    "const [port, ca, version] = process.argv.slice(1);"
    "const again = (session, left) => {"
    "  let kept;"
    "  const socket = require('tls').connect({host: '127.0.0.1', port, ca: require('fs').readFileSync(ca),"
    "    servername: 'localhost', minVersion: version, maxVersion: version, session});"
    "  socket.on('session', (given) => { kept = given; });"
    "  socket.on('secureConnect', () => {"
    "    console.log([socket.isSessionReused(), socket.authorized].join(' '));"
    "    socket.write('hello');"
    "  });"
    "  socket.on('data', () => socket.end());"
    "  socket.on('close', () => { if (left) again(kept || session, left - 1); });"
    "};"
    "again(undefined, 2);";

static void TLS_12_TLS_22_node_resumes_a_session_it_kept(void **state)
{
    (void)state;
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *client = OTHER(CHILD_CLOSED, CHILD_PIPE, "node", "-e", node_comes_back, service->port,
                              tls_cert("ca.pem"), tls_versions[i]);
        assert_int_equal(child_finish(client), 0);
        assert_string_equal(client->out_text, "false true\ntrue true\ntrue true\n");
        child_free(client);
        tls_stop_quietly(service);
    }
}

/* ---- weir connect to servers of others ---- */

static child *connect_to(const char *port, const char *options)
{
    char url[1024];
    snprintf(url, sizeof(url), "tls+tcp://localhost:%s%s%s", port, *options ? "?" : "", options);
    return CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--human", "-v", "--ca", tls_cert("ca.pem"), url);
}

static void TLS_22_connect_reads_64_MiB_from_s_server(void **state)
{
    (void)state;
    char *bytes = tls_payload(TLS_MUCH), port[8], name[64], request[128];
    snprintf(name, sizeof(name), "peers-%d", (int)getpid());
    const char *path = child_file(name, "");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, TLS_MUCH, file), TLS_MUCH);
    assert_int_equal(fclose(file), 0);
    int length = snprintf(request, sizeof(request), "GET /%s HTTP/1.0\r\n\r\n", strrchr(path, '/') + 1);
    TLS_EACH_VERSION
    {
        child *server = tls_s_server(tls_openssl_versions[i], "-WWW", port, sizeof(port));
        child *weir = connect_to(port, "");
        assert_int_equal(write(weir->in, request, (size_t)length), length);
        char *end = NULL;
        int code = tls_finish_open(weir); /* s_server would take an end for a wish to leave */
        if (code != 0)
            fail_msg("ended with %d: %s", code, weir->err_text);
        tls_expect(weir->err_text, tls_versions[i]);
        tls_expect(weir->err_text, "verified: CN=localhost\n");
        end = strstr(weir->out_text, "\r\n\r\n");
        assert_non_null(end);
        end += 4;
        assert_int_equal(weir->out_size - (size_t)(end - weir->out_text), TLS_MUCH);
        assert_memory_equal(end, bytes, TLS_MUCH);
        child_free(weir);
        child_free(server);
    }
    unlink(path);
    free(bytes);
}

static void TLS_22_connect_sends_64_MiB_to_s_server(void **state)
{
    (void)state;
    char *bytes = tls_payload(TLS_MUCH), port[8];
    TLS_EACH_VERSION
    {
        child *server = tls_s_server(tls_openssl_versions[i], "-naccept 1", port, sizeof(port));
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
        tls_exchange(weir, server, bytes + 4096, TLS_MUCH - 4096);
        child_close_in(weir);
        /* By close_notify: an end without it is an error to it. */
        tls_line_with(server, "DONE");
        tls_good_end(weir);
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
    TLS_EACH_VERSION
    {
        child *server = tls_s_server(tls_openssl_versions[i], more, port, sizeof(port));
        snprintf(options, sizeof(options), "cert=%s&key=%s", tls_cert("client.pem"), tls_cert("client.key"));
        child *weir = connect_to(port, options);
        assert_int_equal(write(weir->in, "hello\n", 6), 6);
        assert_string_equal(tls_line_with(weir, "o"), "olleh");
        tls_good_end(weir);
        weir = connect_to(port, "");
        assert_int_equal(tls_finish_open(weir), 1);
        tls_expect(weir->err_text, "alert");
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
    TLS_EACH_VERSION
    {
        child *server = tls_s_server(tls_openssl_versions[i], more, port, sizeof(port));
        child *weir = connect_to(port, "");
        assert_int_equal(child_finish(weir), 1);
        tls_expect(weir->err_text, "INVALID_PURPOSE: the certificate of");
        child_free(weir);
        weir = connect_to(port, "rejectUnauthorized=false");
        assert_int_equal(write(weir->in, "hello\n", 6), 6);
        assert_string_equal(tls_line_with(weir, "o"), "olleh");
        child_finish(weir);
        tls_expect(weir->err_text, "NOT verified: INVALID_PURPOSE");
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
    TLS_EACH_VERSION
    {
        child *server = tls_s_server(tls_openssl_versions[i], more, port, sizeof(port));
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
            tls_expect(weir->err_text, cases[k].told);
            child_free(weir);
        }
        child_free(server);
    }
}

/* Arguments: cert, key, ca, a version, whether to refuse; cert and key of other.example. An echo that tells of each client. */
static const char node_server[] =
    "const [cert, key, ca, version, strict, cert2, key2] = process.argv.slice(1);"
    "const read = require('fs').readFileSync;"
    "const server = require('tls').createServer({cert: read(cert), key: read(key), ca: read(ca), requestCert: true,"
    "  rejectUnauthorized: strict === 'strict', minVersion: version, maxVersion: version, ALPNProtocols: ['a', 'b'],"
    "  allowHalfOpen: true}, (socket) => {"
    "  console.log([socket.getProtocol(), socket.alpnProtocol, socket.servername, socket.authorized].join(' '));"
    "  socket.on('error', (error) => console.log(error.code));"
    "  socket.on('end', () => console.log('end'));"
    "  socket.pipe(socket);"
    "});"
    "server.addContext('other.example', {cert: read(cert2), key: read(key2), ca: read(ca)});"
    "server.on('tlsClientError', (error) => console.log(error.code));"
    "server.listen(0, '127.0.0.1', () => console.log(':' + server.address().port));";

static child *start_node_server(const char *version, const char *strict, char *port, size_t size)
{
    child *server =
        OTHER(CHILD_PIPE, CHILD_PIPE, "node", "-e", node_server, tls_cert("server.pem"), tls_cert("server.key"),
              tls_cert("ca.pem"), version, strict, tls_cert("other.pem"), tls_cert("other.key"));
    snprintf(port, size, "%s", tls_line_with(server, ":") + 1);
    return server;
}

static void TLS_22_connect_exchanges_64_MiB_with_node(void **state)
{
    (void)state;
    char *bytes = tls_payload(TLS_MUCH), options[512], expected[64], port[8];
    snprintf(options, sizeof(options), "ALPNProtocols=b&cert=%s&key=%s", tls_cert("client.pem"),
             tls_cert("client.key"));
    TLS_EACH_VERSION
    {
        child *server = start_node_server(tls_versions[i], "lenient", port, sizeof(port));
        child *weir = connect_to(port, options);
        tls_exchange(weir, weir, bytes, TLS_MUCH);
        snprintf(expected, sizeof(expected), "%s b localhost true", tls_versions[i]);
        assert_string_equal(child_line(server), expected);
        child_close_in(weir);
        assert_string_equal(child_line(server), "end"); /* by close_notify */
        tls_good_end(weir);
        /* And a client that does not trust it: its alert reaches the other side. */
        char url[64];
        int code;
        snprintf(url, sizeof(url), "tls+tcp://localhost:%s", port);
        weir = CHILD_RUN(&code, "connect", "--human", "--ca", tls_cert("stranger-ca.pem"), url);
        assert_int_equal(code, 1);
        tls_expect(weir->err_text, "SELF_SIGNED_CERT_IN_CHAIN"); /* node sends the authority along */
        child_free(weir);
        tls_expect(child_line(server), "ERR_SSL_");
        kill(server->pid, SIGTERM);
        child_finish(server);
        child_free(server);
    }
    free(bytes);
}

static void TLS_09_TLS_22_connect_is_asked_for_a_certificate_by_node(void **state)
{
    (void)state;
    char port[8], options[512];
    TLS_EACH_VERSION
    {
        child *server = start_node_server(tls_versions[i], "strict", port, sizeof(port));
        snprintf(options, sizeof(options), "cert=%s&key=%s", tls_cert("client.pem"), tls_cert("client.key"));
        child *weir = connect_to(port, options);
        tls_exchange(weir, weir, "hello", 5);
        tls_good_end(weir);
        tls_expect(child_line(server), "localhost true");
        assert_string_equal(child_line(server), "end");
        snprintf(options, sizeof(options), "cert=%s&key=%s", tls_cert("stranger.pem"), tls_cert("stranger.key"));
        for (size_t k = 0; k < 2; k++) {
            weir = connect_to(port, k == 0 ? "" : options);
            assert_int_equal(tls_finish_open(weir), 1);
            assert_int_equal(tls_count(weir->err_text, "weir: "), 1);
            child_free(weir);
        }
        child_free(server);
    }
}

static void TLS_10_TLS_22_connect_and_the_choice_of_node(void **state)
{
    (void)state;
    char port[8];
    TLS_EACH_VERSION
    {
        child *server = start_node_server(tls_versions[i], "lenient", port, sizeof(port));
        child *weir = connect_to(port, "servername=other.example&ALPNProtocols=b");
        tls_exchange(weir, weir, "hello", 5);
        tls_expect(child_line(server), "b other.example false");
        child_close_in(weir);
        assert_int_equal(child_finish(weir), 0);
        tls_expect(weir->err_text, "  ALPN b  verified: CN=other.example\n");
        child_free(weir);
        child_free(server);
    }
}

#define PEER_TEST(function) cmocka_unit_test_setup(function, child_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEER_TEST(TLS_22_s_client_exchanges_64_MiB),
        PEER_TEST(TLS_03_TLS_22_s_client_is_told_the_end),
        PEER_TEST(TLS_11_TLS_22_s_client_and_the_servers_choice_of_ALPN),
        PEER_TEST(TLS_10_TLS_22_s_client_says_hello_in_several_records),
        PEER_TEST(TLS_10_TLS_13_TLS_22_s_client_chooses_a_context_by_name),
        PEER_TEST(TLS_09_TLS_22_s_client_is_asked_for_a_certificate),
        PEER_TEST(TLS_12_TLS_22_s_client_reconnects_over_TLS_12),
        PEER_TEST(TLS_12_TLS_22_s_client_resumes_a_session_it_kept),
        PEER_TEST(TLS_12_TLS_22_s_client_is_told_the_lifetime_of_the_last_reload),
        PEER_TEST(TLS_12_TLS_22_s_clients_ticket_is_no_certificate),
        PEER_TEST(TLS_22_node_exchanges_64_MiB),
        PEER_TEST(TLS_03_TLS_22_node_ends_its_side_first),
        PEER_TEST(TLS_09_TLS_22_node_is_asked_for_a_certificate),
        PEER_TEST(TLS_10_TLS_22_node_chooses_a_context_by_name),
        PEER_TEST(TLS_12_TLS_22_node_resumes_a_session_it_kept),
        PEER_TEST(TLS_22_connect_reads_64_MiB_from_s_server),
        PEER_TEST(TLS_22_connect_sends_64_MiB_to_s_server),
        PEER_TEST(TLS_09_TLS_22_connect_is_asked_for_a_certificate_by_s_server),
        PEER_TEST(TLS_07_TLS_22_connect_refuses_a_server_with_a_clients_certificate),
        PEER_TEST(TLS_11_TLS_22_connect_and_the_choice_of_s_server),
        PEER_TEST(TLS_22_connect_exchanges_64_MiB_with_node),
        PEER_TEST(TLS_09_TLS_22_connect_is_asked_for_a_certificate_by_node),
        PEER_TEST(TLS_10_TLS_22_connect_and_the_choice_of_node),
    };
    return cmocka_run_group_tests_name("service.tls_peers", tests, NULL, NULL);
}
