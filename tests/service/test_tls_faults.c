/* SPDX-License-Identifier: MIT */
/*
 * Clients that do not mean it: rubbish, plain HTTP, half a ClientHello, nothing, a reset; one of each, and ten thousand.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "tls_service.h"

/* ---- a server that takes down what is told ---- */

typedef struct told {
    weir_server *server;
    weir_address address;
    size_t errors;      /* 'clientError' */
    size_t connections; /* 'connection' */
    size_t unnamed;     /* errors without the layer's name or an address */
    int code;           /* of the last one */
    char letters[64];
    char message[512];
} told;

static void on_client_error(const weir_event *event, void *arg)
{
    told *self = arg;
    weir_value value;
    self->errors++;
    self->code = event->error->code;
    self->unnamed += strncmp(event->error->message, "tls: ", 5) != 0 || event->address == NULL;
    snprintf(self->message, sizeof(self->message), "%s", event->error->message);
    snprintf(self->letters, sizeof(self->letters), "%s",
             weir_stream_get(event->stream, "tls.error", &value) == 0 ? value.text : "-");
}

static void on_connection(const weir_event *event, void *arg)
{
    told *self = arg;
    (void)event;
    self->connections++;
}

static const char *endpoint_of(fixture *f, const char *cert, const char *key, const char *more, const char *stream)
{
    return fixture_text(f,
                        "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"stream\": {%s},"
                        " \"layers\": [{\"tls\": {\"cert\": \"%s\", \"key\": \"%s\"%s}}]}",
                        stream, cert, key, more);
}

static void told_listen_with(fixture *f, told *self, const char *more, const char *stream)
{
    memset(self, 0, sizeof(*self));
    f->record = 0;
    self->server =
        fixture_listen(f, endpoint_of(f, tls_cert("server.pem"), tls_cert("server.key"), more, stream), NULL);
    assert_int_equal(weir_server_on(self->server, WEIR_EVENT_CLIENT_ERROR, on_client_error, self), 0);
    assert_int_equal(weir_server_on(self->server, WEIR_EVENT_CONNECTION, on_connection, self), 0);
    assert_int_equal(weir_server_address(self->server, &self->address), 0);
}

static void told_listen(fixture *f, told *self, const char *stream)
{
    told_listen_with(f, self, "", stream);
}

/* ---- clients ---- */

static int connect_plainly(const told *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)server->address.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void close_by_reset(int fd)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
}

/* A ClientHello as the layer's own client sends it. */
static size_t get_hello(fixture *f, char *hello, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    recorder *client = fixture_client(f,
                                      fixture_text(f, "tls+tcp://127.0.0.1:%d?servername=localhost&ca=%s",
                                                   ntohs(address.sin_port), tls_cert("ca.pem")),
                                      NULL);
    recorder_wait(client, WEIR_EVENT_CONNECT);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ssize_t got = 0;
    while ((got = recv(fd, hello, size, MSG_DONTWAIT)) <= 0)
        fixture_turns(f, 1);
    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    close(fd);
    close(listener);
    return (size_t)got;
}

/* When a client leaves. */
typedef enum leaving {
    AT_ONCE_CLOSED,
    AT_ONCE_RESET,
    ANSWERED_ENDED, /* once the server has said something */
    ANSWERED_RESET
} leaving;

/* What a client does: it sends some of this, and leaves. */
typedef struct mischief {
    const char *name;
    const char *bytes; /* NULL: the ClientHello */
    size_t size;       /* of them; with bytes NULL: so much of it as percentage */
    leaving leaves;
    int code; /* what 'clientError' says, as a number and in letters */
    const char *letters;
    const char *message;
} mischief;

static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char rubbish[] = "\x93\x00\xff\x17 none of this is TLS, and it goes on for a while \x01\x02\x03";
/* The end of a TLS 1.2 alert record, close_notify: somebody who hangs up politely. */
static const char goodbye[] = "\x15\x03\x03\x00\x02\x01\x00";
static const char ssl2[] = "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x03\x00\x80\x07\x00\xc0";
/* A scanner's ClientHello of TLS 1.0, with a name. */
static const char tls10[] = "\x16\x03\x01\x00\x45\x01\x00\x00\x41\x03\x01"
                            "0123456789abcdef0123456789abcdef"
                            "\x00\x00\x02\x00\x2f\x01\x00\x00\x16\x00\x00\x00\x12\x00\x10\x00\x00\x0d"
                            "old.localhost";
static const char blank[] = "\x16\x03\x01\x00\x45\x01\x00\x00\x41\x03\x03"
                            "0123456789abcdef0123456789abcdef"
                            "\x00\x00\x02\x00\x2f\x01\x00\x00\x16\x00\x00\x00\x12\x00\x10\x00\x00\x0d"
                            "old localhost";
/* A record that says it is a handshake, with a message in it that no client begins with. */
static const char odd[] = "\x16\x03\x01\x00\x04\x02\x00\x00\x00";

#define TEXT(text)     (text), sizeof(text) - 1
#define HELLO(percent) NULL, (percent)
#define MID_HELLO      "left in the middle of its ClientHello"

/* The first five are the ones that come by the thousand. */
static const mischief mischiefs[] = {
    {"rubbish", TEXT(rubbish), AT_ONCE_CLOSED, UV_EPROTO, "ERR_SSL_UNKNOWN_PROTOCOL", "does not speak TLS"},
    {"plain HTTP", TEXT(http), AT_ONCE_CLOSED, UV_EPROTO, "ERR_SSL_HTTP_REQUEST", "speaks plain HTTP"},
    {"half a ClientHello", HELLO(50), AT_ONCE_CLOSED, UV_ECONNRESET, "ERR_TLS_EARLY_END", MID_HELLO},
    {"nothing", "", 0, AT_ONCE_CLOSED, UV_ECONNRESET, "ERR_TLS_EARLY_END", "left without a word"},
    {"a reset", "", 0, AT_ONCE_RESET, UV_ECONNRESET, "ECONNRESET", "connection reset by peer"},
    {"one byte", TEXT("\x16"), AT_ONCE_CLOSED, UV_ECONNRESET, "ERR_TLS_EARLY_END", MID_HELLO ", after 1 byte"},
    {"half a ClientHello and a reset", HELLO(50), AT_ONCE_RESET, UV_ECONNRESET, "ECONNRESET", "reset by peer"},
    {"SSL 2", TEXT(ssl2), AT_ONCE_CLOSED, UV_EPROTO, "ERR_SSL_UNSUPPORTED_PROTOCOL", "SSL 2"},
    {"TLS 1.0", TEXT(tls10), ANSWERED_ENDED, UV_EPROTO, "ERR_SSL_UNSUPPORTED_PROTOCOL",
     "TLS 1.0 at most, and \"minVersion\" is higher; the client asked for old.localhost"},
    {"an alert first", TEXT(goodbye), AT_ONCE_CLOSED, UV_EPROTO, "ERR_SSL_BAD_CLIENT_HELLO", "begins with an alert"},
    {"a name with a blank", TEXT(blank), ANSWERED_ENDED, UV_EPROTO, "ERR_SSL_BAD_CLIENT_HELLO",
     "asks for a name (SNI)"},
    {"no ClientHello", TEXT(odd), ANSWERED_ENDED, UV_EPROTO, "ERR_SSL_BAD_CLIENT_HELLO", "is no ClientHello"},
    {"an end in the middle of the handshake", HELLO(100), ANSWERED_ENDED, UV_ECONNRESET, "ERR_TLS_EARLY_END",
     "left in the middle of the handshake; the client asked for localhost"},
    {"a reset in the middle of the handshake", HELLO(100), ANSWERED_RESET, UV_ECONNRESET, "ECONNRESET",
     "reset by peer (ECONNRESET); the client asked for localhost"},
};
#define MISCHIEFS (sizeof(mischiefs) / sizeof(mischiefs[0]))
enum { COMMON = 5 };

typedef struct hello {
    char bytes[4096];
    size_t size;
} hello;

/* Sends; a client that leaves at once has left then, and -1 is returned. */
static int make_mischief(const mischief *what, const told *server, const hello *real)
{
    int fd = connect_plainly(server);
    const char *bytes = what->bytes ? what->bytes : real->bytes;
    size_t size = what->bytes ? what->size : real->size * what->size / 100;
    if (size > 0)
        assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
    if (what->leaves == ANSWERED_ENDED || what->leaves == ANSWERED_RESET)
        return fd;
    if (what->leaves == AT_ONCE_RESET)
        close_by_reset(fd);
    else
        close(fd);
    return -1;
}

static void until_told(fixture *f, const told *self, size_t errors)
{
    while (self->errors < errors) {
        fixture_turns(f, 1);
        if (f->expired)
            fail_msg("%zu errors of %zu were told", self->errors, errors);
    }
}

/* A client that waits for an answer, and then leaves; the server closes its end. */
static void leave_answered(fixture *f, const told *self, int fd, leaving leaves, size_t errors)
{
    char answer[4096];
    ssize_t got;
    while ((got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) < 0) {
        assert_int_equal(errno, EAGAIN);
        fixture_turns(f, 1);
        assert_false(f->expired);
    }
    assert_true(got > 0);
    if (leaves == ANSWERED_RESET) {
        close_by_reset(fd);
        until_told(f, self, errors);
        return;
    }
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    until_told(f, self, errors);
    fixture_turns(f, 10);
    do
        got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
    while (got > 0);
    assert_true(got == 0 || errno == ECONNRESET);
    close(fd);
}

static void TLS_05_each_mischief_is_one_clear_error(void **state)
{
    fixture *f = *state;
    hello real;
    told server;
    tls_need(); /* before anything is open */
    real.size = get_hello(f, real.bytes, sizeof(real.bytes));
    told_listen(f, &server, "");
    int descriptors = fixture_descriptors();
    for (size_t i = 0; i < MISCHIEFS; i++) {
        const mischief *what = &mischiefs[i];
        int fd = make_mischief(what, &server, &real);
        if (fd >= 0)
            leave_answered(f, &server, fd, what->leaves, i + 1);
        until_told(f, &server, i + 1);
        fixture_turns(f, 10);
        assert_int_equal(server.errors, i + 1);
        assert_code(server.code, what->code);
        if (strcmp(server.letters, what->letters) != 0)
            fail_msg("%s is %s: %s", what->name, server.letters, server.message);
        if (!strstr(server.message, what->message))
            fail_msg("%s: %s", what->name, server.message);
        if (server.unnamed > 0)
            fail_msg("%s is told without the layer's name or the address: %s", what->name, server.message);
        assert_int_equal(fixture_descriptors(), descriptors);
    }
    assert_int_equal(server.connections, 0);
    assert_int_equal(weir_server_connections(server.server), 0);
}

static void TLS_05_TLS_13_a_client_of_the_newest_version_alone(void **state)
{
    fixture *f = *state;
    static const char tls13[] = "\x16\x03\x01\x00\x4c\x01\x00\x00\x48\x03\x03"
                                "0123456789abcdef0123456789abcdef"
                                "\x00\x00\x02\x13\x01\x01\x00\x00\x1d"
                                "\x00\x2b\x00\x03\x02\x03\x04"
                                "\x00\x00\x00\x12\x00\x10\x00\x00\x0dnew.localhost";
    static const mischief what = {.bytes = tls13, .size = sizeof(tls13) - 1, .leaves = ANSWERED_ENDED};
    char alert[7] = {0};
    told server;
    told_listen_with(f, &server, ", \"maxVersion\": \"TLSv1.2\"", "");
    int fd = make_mischief(&what, &server, NULL);
    until_told(f, &server, 1);
    assert_string_equal(server.letters, "ERR_SSL_UNSUPPORTED_PROTOCOL");
    assert_non_null(strstr(server.message,
                           "nothing as old as TLS 1.2, the newest that is spoken here; the client asked "
                           "for new.localhost"));
    assert_int_equal(recv(fd, alert, sizeof(alert), 0), sizeof(alert));
    assert_memory_equal(alert, "\x15\x03\x03\x00\x02\x02\x46", sizeof(alert)); /* protocol_version */
    close(fd);
    assert_int_equal(server.connections, 0);
}

static void TLS_05_TLS_06_a_silent_client_is_closed(void **state)
{
    fixture *f = *state;
    char byte;
    told server;
    told_listen(f, &server, "\"handshakeTimeout\": 50");
    int fd = connect_plainly(&server);
    until_told(f, &server, 1);
    assert_code(server.code, UV_ETIMEDOUT);
    assert_string_equal(server.letters, "ETIMEDOUT");
    assert_non_null(strstr(server.message, "within 50 ms (ETIMEDOUT); the client had said nothing"));
    fixture_turns(f, 10);
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
    assert_int_equal(server.errors, 1);
    assert_int_equal(server.unnamed, 0);
    assert_int_equal(server.connections, 0);
}

/* It says whom it wants, and then nothing more. */
static void TLS_05_TLS_06_a_client_that_falls_silent_is_told_with_its_name(void **state)
{
    fixture *f = *state;
    hello real;
    int named = 0;
    tls_need(); /* before anything is open */
    real.size = get_hello(f, real.bytes, sizeof(real.bytes));
    /* A loop that is held up for so long reads no name: then again, with more time. */
    for (int patience = 50; !named; patience *= 2) {
        told server;
        assert_true(patience < 10000);
        told_listen(f, &server, fixture_text(f, "\"handshakeTimeout\": %d", patience));
        int fd = connect_plainly(&server);
        assert_int_equal(send(fd, real.bytes, real.size, MSG_NOSIGNAL), (ssize_t)real.size);
        until_told(f, &server, 1);
        assert_code(server.code, UV_ETIMEDOUT);
        assert_int_equal(server.unnamed, 0);
        assert_non_null(
            strstr(server.message, fixture_text(f, "tls: open layers: not open within %d ms (ETIMEDOUT); ", patience)));
        named = strstr(server.message, "; the TLS handshake was not over; the client asked for localhost") != NULL;
        close(fd);
        assert_code(weir_server_close_wait(server.server), 0);
    }
}

/* ---- many ---- */

enum { OF_EACH = 2000, AT_ONCE = 40 };

/* `count` is a multiple of AT_ONCE. */
static void many(fixture *f, told *server, const hello *real, size_t count)
{
    size_t before = server->errors;
    for (size_t i = 0; i < count; i += AT_ONCE) {
        for (size_t k = 0; k < AT_ONCE; k++)
            make_mischief(&mischiefs[(i + k) % COMMON], server, real);
        until_told(f, server, before + i + AT_ONCE);
    }
    fixture_turns(f, 20);
    assert_int_equal(server->errors, before + count);
}

/* The engine's library takes its memory from the C library: that of the whole process, where that one tells. */
static size_t in_use(void)
{
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void TLS_05_ten_thousand_leave_everything_as_it_was(void **state)
{
    fixture *f = *state;
    size_t of_each = getenv("WEIR_TEST_VALGRIND") ? OF_EACH / 25 : OF_EACH;
    hello real;
    told server;
    tls_need(); /* before anything is open */
    real.size = get_hello(f, real.bytes, sizeof(real.bytes));
    told_listen(f, &server, "");
    many(f, &server, &real, 5 * AT_ONCE); /* pools are filled, tables have grown */
    size_t live = allocator_live(), held = allocator_bytes(), bytes = in_use();
    int descriptors = fixture_descriptors();
    many(f, &server, &real, of_each * COMMON);
    assert_int_equal(allocator_live(), live);
    if (allocator_bytes() > held + live * sizeof(max_align_t)) /* what a block takes may differ by that much */
        fail_msg("%zu bytes were held in as many blocks, and now %zu", held, allocator_bytes());
    assert_int_equal(fixture_descriptors(), descriptors);
    if (in_use() > bytes + 16384)
        fail_msg("%zu bytes were in use, and now %zu", bytes, in_use());
    assert_int_equal(server.connections, 0);
    assert_int_equal(server.unnamed, 0);
    assert_int_equal(weir_server_connections(server.server), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_05_each_mischief_is_one_clear_error),
        FIXTURE_TEST(TLS_05_TLS_13_a_client_of_the_newest_version_alone),
        FIXTURE_TEST(TLS_05_TLS_06_a_silent_client_is_closed),
        FIXTURE_TEST(TLS_05_TLS_06_a_client_that_falls_silent_is_told_with_its_name),
        FIXTURE_TEST(TLS_05_ten_thousand_leave_everything_as_it_was),
    };
    return cmocka_run_group_tests_name("service.tls_faults", tests, tls_group_setup, NULL);
}
