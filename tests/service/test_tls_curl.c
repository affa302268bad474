/* SPDX-License-Identifier: MIT */
/* curl as a client of services over TLS: of an echo, and of HTTP behind a weir that takes the TLS off. */
#define _GNU_SOURCE

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "tls_service.h"

/* With the two switches that hold it to a version; `from` and `to` as text of each. */
static const char *const newest[] = {"1.2", "1.3"};
static const char *const oldest[] = {"--tlsv1.2", "--tlsv1.3"};

/* Arguments: the index of the version, an authority, and more of them, the URL among them. */
#define CURL(version, ca, ...)                                                                                        \
    OTHER(CHILD_CLOSED, CHILD_PIPE, "curl", "--silent", "--show-error", "--no-buffer", "--noproxy", "*", "--verbose", \
          oldest[version], "--tls-max", newest[version], "--cacert", ca, __VA_ARGS__)

static const char *url_of(const tls_service *service, const char *host)
{
    static char url[64];
    snprintf(url, sizeof(url), "https://%s:%s/something", host, service->port);
    return url;
}

/* Reads its output up to the end of a head of HTTP. */
static void read_head(child *curl, char *head, size_t size)
{
    size_t got = 0;
    do {
        assert_true(got + 1 < size);
        assert_int_equal(read(curl->out, head + got, 1), 1);
        head[++got] = '\0';
    } while (!strstr(head, "\r\n\r\n"));
}

/* What an echo answers is the request: to curl, which may call that HTTP 0.9, a body that goes on while it uploads. */
static void TLS_22_curl_exchanges_64_MiB_with_an_echo(void **state)
{
    (void)state;
    char name[64], head[4096];
    static char piece[65536];
    char *bytes = tls_payload(TLS_MUCH);
    snprintf(name, sizeof(name), "curl-%d", (int)getpid());
    char *path = strdup(child_file(name, ""));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, TLS_MUCH, file), TLS_MUCH);
    assert_int_equal(fclose(file), 0);
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *curl = CURL(i, tls_cert("ca.pem"), "--no-verbose", "--http0.9", "--header", "Expect:", "--upload-file",
                           path, url_of(service, "localhost"));
        read_head(curl, head, sizeof(head));
        assert_ptr_equal(strstr(head, "PUT /something HTTP/1.1\r\n"), head);
        for (size_t got = 0; got < TLS_MUCH;) {
            ssize_t more = read(curl->out, piece, sizeof(piece));
            assert_true(more > 0);
            assert_true((size_t)more <= TLS_MUCH - got);
            assert_memory_equal(piece, bytes + got, (size_t)more);
            got += (size_t)more;
        }
        kill(curl->pid, SIGTERM); /* it would wait for an end */
        child_finish(curl);
        child_free(curl);
        child_free(tls_stop(service));
    }
    unlink(path);
    free(path);
    free(bytes);
}

/* ---- HTTP behind a weir that takes the TLS off ---- */

typedef struct backend {
    int listener;
    tls_service *service;
} backend;

/* `more`: further options of the layer. */
static backend serve_http(const char *more)
{
    backend self;
    char url[64], handler[160], options[1024];
    self.listener = tls_listen_plainly(url, sizeof(url));
    snprintf(handler, sizeof(handler), "{\"forward\": {\"to\": \"%s\"}}", url);
    snprintf(options, sizeof(options), "\"cert\": \"%s\", \"key\": \"%s\"%s%s", tls_cert("server.pem"),
             tls_cert("server.key"), *more ? ", " : "", more);
    self.service = tls_serve_with(options, handler);
    return self;
}

/* The next request, to be answered. */
static int take_request(const backend *self)
{
    char request[4096];
    size_t got = 0;
    int peer = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(peer >= 0);
    do {
        ssize_t more = recv(peer, request + got, sizeof(request) - 1 - got, 0);
        assert_true(more > 0);
        got += (size_t)more;
        request[got] = '\0';
    } while (!strstr(request, "\r\n\r\n"));
    assert_ptr_equal(strstr(request, "GET /something HTTP/1.1\r\n"), request);
    return peer;
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

/* A body that is as long as the connection lasts. */
static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

/* The next request is answered by "hi", as often as that. */
static void answer(const backend *self, int times)
{
    for (int i = 0; i < times; i++) {
        int peer = take_request(self);
        send_all(peer, head, strlen(head));
        send_all(peer, "hi", 2);
        close(peer);
    }
}

/* It has got all, and seen the end by close_notify: without that it fails. Its messages are its err_text. */
static void expect_answer(child *curl, const char *text)
{
    int code = child_finish(curl);
    if (code != 0)
        fail_msg("ended with %d: %s", code, curl->err_text);
    assert_string_equal(curl->out_text, text);
}

static void stop_http(backend *self)
{
    tls_stop_quietly(self->service);
    close(self->listener);
}

static void TLS_22_curl_reads_64_MiB_through_a_terminator(void **state)
{
    (void)state;
    char *bytes = tls_payload(TLS_MUCH);
    TLS_EACH_VERSION
    {
        backend self = serve_http("");
        child *curl = CURL(i, tls_cert("ca.pem"), "--no-verbose", url_of(self.service, "localhost"));
        int peer = take_request(&self);
        send_all(peer, head, strlen(head));
        /* Its output has to be taken while it comes. */
        for (size_t sent = 0; sent < TLS_MUCH;) {
            char piece[16384];
            size_t size = TLS_MUCH - sent < sizeof(piece) ? TLS_MUCH - sent : sizeof(piece);
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
        expect_answer(curl, "");
        child_free(curl);
        stop_http(&self);
    }
    free(bytes);
}

static void TLS_11_TLS_22_curl_and_the_servers_choice_of_ALPN(void **state)
{
    (void)state;
    TLS_EACH_VERSION
    {
        backend self = serve_http("\"ALPNProtocols\": [\"unheard-of\", \"http/1.1\"]");
        child *curl = CURL(i, tls_cert("ca.pem"), url_of(self.service, "localhost"));
        answer(&self, 1);
        expect_answer(curl, "hi");
        tls_expect(curl->err_text, "ALPN: server accepted http/1.1");
        tls_expect(curl->err_text, tls_versions[i]);
        child_free(curl);
        stop_http(&self);
    }
}

static void TLS_10_TLS_22_curl_chooses_a_context_by_name(void **state)
{
    (void)state;
    char options[512], resolve[64];
    snprintf(options, sizeof(options), "\"SNI\": {\"other.example\": {\"cert\": \"%s\", \"key\": \"%s\"}}",
             tls_cert("other.pem"), tls_cert("other.key"));
    TLS_EACH_VERSION
    {
        backend self = serve_http(options);
        snprintf(resolve, sizeof(resolve), "other.example:%s:127.0.0.1", self.service->port);
        child *curl = CURL(i, tls_cert("ca.pem"), "--resolve", resolve, url_of(self.service, "other.example"));
        answer(&self, 1);
        expect_answer(curl, "hi");
        tls_expect(curl->err_text, "subject: CN=other.example\n");
        child_free(curl);
        stop_http(&self);
    }
}

static void TLS_09_TLS_22_curl_is_asked_for_a_certificate(void **state)
{
    (void)state;
    char options[512];
    snprintf(options, sizeof(options), "\"requestCert\": true, \"ca\": \"%s\"", tls_cert("ca.pem"));
    TLS_EACH_VERSION
    {
        backend self = serve_http(options);
        child *curl = CURL(i, tls_cert("ca.pem"), "--cert", tls_cert("client.pem"), "--key", tls_cert("client.key"),
                           url_of(self.service, "localhost"));
        answer(&self, 1);
        expect_answer(curl, "hi");
        child_free(curl);
        curl = CURL(i, tls_cert("ca.pem"), url_of(self.service, "localhost"));
        assert_int_not_equal(child_finish(curl), 0);
        tls_expect(curl->err_text, "alert");
        child_free(curl);
        curl = CURL(i, tls_cert("ca.pem"), "--cert", tls_cert("stranger.pem"), "--key", tls_cert("stranger.key"),
                    url_of(self.service, "localhost"));
        assert_int_not_equal(child_finish(curl), 0);
        tls_expect(curl->err_text, "alert");
        child_free(curl);
        child *weir = tls_stop(self.service);
        assert_int_equal(tls_count(weir->err_text, "could not be served"), 2);
        child_free(weir);
        close(self.listener);
    }
}

static void TLS_12_TLS_22_curl_comes_back_by_its_session(void **state)
{
    (void)state;
    TLS_EACH_VERSION
    {
        backend self = serve_http("");
        const char *url = url_of(self.service, "localhost");
        child *curl = CURL(i, tls_cert("ca.pem"), url, url, url);
        answer(&self, 3);
        expect_answer(curl, "hihihi");
        /* "SSL re-using session ID", or "SSL reusing session" */
        assert_int_equal(tls_count(curl->err_text, "using session"), 2);
        assert_int_equal(tls_count(curl->err_text, "SSL connection using "), 3);
        child_free(curl);
        stop_http(&self);
    }
}

static void TLS_22_curl_refuses_what_nothing_vouches_for(void **state)
{
    (void)state;
    TLS_EACH_VERSION
    {
        tls_service *service = tls_serve("");
        child *curl = CURL(i, tls_cert("stranger-ca.pem"), url_of(service, "localhost"));
        assert_int_equal(child_finish(curl), 60);
        child_free(curl);
        child *weir = tls_stop(service);
        tls_expect(weir->err_text, "unknown_ca");
        child_free(weir);
    }
}

#define CURL_TEST(function) cmocka_unit_test_setup(function, child_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CURL_TEST(TLS_22_curl_exchanges_64_MiB_with_an_echo),
        CURL_TEST(TLS_22_curl_reads_64_MiB_through_a_terminator),
        CURL_TEST(TLS_11_TLS_22_curl_and_the_servers_choice_of_ALPN),
        CURL_TEST(TLS_10_TLS_22_curl_chooses_a_context_by_name),
        CURL_TEST(TLS_09_TLS_22_curl_is_asked_for_a_certificate),
        CURL_TEST(TLS_12_TLS_22_curl_comes_back_by_its_session),
        CURL_TEST(TLS_22_curl_refuses_what_nothing_vouches_for),
    };
    return cmocka_run_group_tests_name("service.tls_curl", tests, NULL, NULL);
}
