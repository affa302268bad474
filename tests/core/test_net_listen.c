/* SPDX-License-Identifier: MIT */
/* Node's own forms of listen: ports, hosts, paths and their options, and what is refused at once. */
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../transports/raw_peer.h"
#include "diary.h"

static weir_listen_options nothing(void)
{
    weir_listen_options options;
    memset(&options, 0xff, sizeof(options));
    weir_listen_options_init(&options);
    return options;
}

static weir_listen_options at_port(int port)
{
    weir_listen_options options = nothing();
    options.port = port;
    options.host = "127.0.0.1";
    return options;
}

static weir_listen_options at_path(const char *path)
{
    weir_listen_options options = nothing();
    options.path = path;
    return options;
}

/* A server with these options, listening. */
static weir_server *listening(fixture *f, const weir_listen_options *options)
{
    int done = 0;
    weir_server *server = weir_create_server(f->runtime, NULL, NULL, NULL);
    assert_code(weir_server_listen_with(server, options, fixture_count, &done), 0);
    assert_int_equal(done, 0); /* SRV-34 */
    fixture_until(f, &done);
    return server;
}

static void end(weir_server *server)
{
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

/* The same for a server with connections, which nobody reads. */
static void cut(fixture *f, weir_server *server)
{
    assert_code(weir_server_close_all(server, 0, NULL, NULL), 0);
    weir_server_release(server);
    fixture_run(f);
}

static const char *address_of(fixture *f, const weir_server *server)
{
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    assert_code(weir_server_address(server, &address), 0);
    weir_address_format(&address, text, sizeof(text));
    return fixture_text(f, "%s", text);
}

static const char *ip_of(fixture *f, const weir_server *server)
{
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    assert_code(weir_server_address(server, &address), 0);
    assert_int_not_equal(address.port, 0);
    weir_address_ip(&address, text, sizeof(text));
    return fixture_text(f, "%s", text);
}

static const char *any_address(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0 ? "::" : "0.0.0.0";
}

/* ---- the forms ---- */

static void SRV_33_SRV_49_SRV_51_SRV_61_every_form_of_listen(void **state)
{
    fixture *f = *state;
    const char *paths[] = {fixture_path(f, "a"), fixture_path(f, "b")};
    int ports[] = {fixture_port(f), fixture_port(f)};
    weir_listen_options by_port = at_port(ports[1]);
    weir_listen_options by_path = at_path(paths[1]);
    weir_server *servers[4];
    int done[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        servers[i] = weir_create_server(f->runtime, NULL, NULL, NULL);
    }
    assert_code(weir_server_listen_port(servers[0], ports[0], "127.0.0.1", 0, fixture_count, &done[0]), 0);
    assert_code(weir_server_listen_path(servers[1], paths[0], 0, fixture_count, &done[1]), 0);
    assert_code(weir_server_listen_with(servers[2], &by_port, fixture_count, &done[2]), 0);
    assert_code(weir_server_listen_with(servers[3], &by_path, fixture_count, &done[3]), 0);
    for (size_t i = 0; i < 4; i++) {
        fixture_until(f, &done[i]);
    }
    assert_string_equal(address_of(f, servers[0]), fixture_text(f, "127.0.0.1:%d", ports[0]));
    assert_string_equal(address_of(f, servers[1]), paths[0]);
    assert_string_equal(address_of(f, servers[2]), fixture_text(f, "127.0.0.1:%d", ports[1]));
    assert_string_equal(address_of(f, servers[3]), paths[1]);
    for (size_t i = 0; i < 4; i++) {
        end(servers[i]);
    }
}

static void SRV_62_SRV_63_port_0_and_no_options_at_all(void **state)
{
    fixture *f = *state;
    weir_listen_options zero = nothing();
    zero.port = 0;
    const weir_listen_options *ways[] = {&zero, NULL};
    for (size_t i = 0; i < 2; i++) {
        weir_server *server = listening(f, ways[i]);
        assert_string_equal(ip_of(f, server), any_address());
        end(server);
    }
}

static void keep_remote(const weir_event *event, void *arg)
{
    assert_code(weir_stream_remote_address(event->stream, arg), 0);
}

static void SRV_63_SRV_65_SRV_59_no_host_takes_both_families(void **state)
{
    fixture *f = *state;
    if (strcmp(any_address(), "::") != 0) {
        skip();
    }
    for (int only = 0; only < 2; only++) {
        weir_listen_options options = nothing();
        weir_address remote = {.family = WEIR_FAMILY_NONE};
        options.port = 0;
        options.ipv6_only = only;
        weir_server *server = listening(f, &options);
        weir_server_on(server, WEIR_EVENT_CONNECTION, keep_remote, &remote);
        recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", raw_port_of(server)), NULL);
        recorder_wait(client, only ? WEIR_EVENT_CLOSE : WEIR_EVENT_READY);
        fixture_turns(f, OVER_TURNS);
        char text[WEIR_ADDRESS_TEXT_SIZE];
        weir_address_ip(&remote, text, sizeof(text));
        if (only) {
            assert_code(weir_stream_errored(client->stream)->code, UV_ECONNREFUSED);
            assert_int_equal(remote.family, WEIR_FAMILY_NONE);
        } else {
            assert_string_equal(text, "::ffff:127.0.0.1");
        }
        recorder_destroy(client, NULL);
        cut(f, server);
    }
}

static void SRV_66_a_host_is_bound(void **state)
{
    fixture *f = *state;
    weir_listen_options options = at_port(0);
    options.host = "127.0.0.2";
    weir_server *server = listening(f, &options);
    assert_string_equal(ip_of(f, server), "127.0.0.2");
    end(server);
    options.host = ""; /* as good as none */
    server = listening(f, &options);
    assert_string_equal(ip_of(f, server), any_address());
    end(server);
}

/* 192.0.2.1 is for documentation: no machine has it. */
static void SRV_66_a_host_of_nobodys(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen_port(server, 0, "192.0.2.1", 0, NULL, NULL), 0);
    fixture_run(f);
    diary_expect(&d, "error:EADDRNOTAVAIL");
    weir_server_release(server);
}

static void SRV_50_with_a_port_the_path_is_not_looked_at(void **state)
{
    fixture *f = *state;
    static const char *const paths[] = {"", "nowhere/at/all"};
    for (size_t i = 0; i < 2; i++) {
        weir_listen_options options = at_port(0);
        options.path = paths[i];
        options.readable_all = 1;
        weir_server *server = listening(f, &options);
        assert_string_equal(ip_of(f, server), "127.0.0.1");
        end(server);
    }
}

/* ---- what is refused at once ---- */

typedef struct refused {
    const char *what;
    weir_listen_options options;
    int code;
} refused;

static void expect_refused(fixture *f, const refused *cases, size_t count)
{
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    for (size_t i = 0; i < count; i++) {
        int status = weir_server_listen_with(server, &cases[i].options, fixture_count, NULL);
        if (status != cases[i].code) {
            fail_msg("%s: %s instead of %s", cases[i].what, weir_error_name(status), weir_error_name(cases[i].code));
        }
    }
    fixture_turns(f, OVER_TURNS);
    diary_expect(&d, "");
    assert_int_equal(weir_server_listening(server), 0);
    assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_LISTENING), 1); /* the diary's own */
    weir_server_release(server);
}

static void SRV_53_bad_ports_are_refused(void **state)
{
    fixture *f = *state;
    refused cases[] = {{"65536", at_port(65536), WEIR_ESOCKETBADPORT},
                       {"-2", at_port(-2), WEIR_ESOCKETBADPORT},
                       {"the most", at_port(INT_MAX), WEIR_ESOCKETBADPORT}};
    expect_refused(f, cases, sizeof(cases) / sizeof(cases[0]));
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_code(weir_server_listen_port(server, -1, NULL, 0, NULL, NULL), WEIR_ESOCKETBADPORT);
    weir_server_release(server);
}

static void SRV_52_no_place_or_half_a_place(void **state)
{
    fixture *f = *state;
    refused cases[] = {{"an empty path", at_path(""), WEIR_EINVALIDARGVALUE},
                       {"a host alone", nothing(), WEIR_EINVALIDARGVALUE},
                       {"ipv6_only alone", nothing(), WEIR_EINVALIDARGVALUE},
                       {"readable_all alone", nothing(), WEIR_EINVALIDARGVALUE},
                       {"writable_all alone", nothing(), WEIR_EINVALIDARGVALUE},
                       {"nothing", nothing(), WEIR_EINVALIDARGVALUE},
                       {"exclusive alone", nothing(), WEIR_EINVALIDARGVALUE},
                       {"a backlog alone", nothing(), WEIR_EINVALIDARGVALUE},
                       {"a size alone", nothing(), WEIR_EINVALIDARGVALUE},
                       {"no size", nothing(), UV_EINVAL}};
    cases[1].options.host = "127.0.0.1";
    cases[2].options.ipv6_only = 1;
    cases[3].options.readable_all = 1;
    cases[4].options.writable_all = 1;
    cases[6].options.exclusive = 1;
    cases[7].options.backlog = 5;
    cases[8].options.size = sizeof(cases[8].options.size);
    cases[9].options.size = 0;
    expect_refused(f, cases, sizeof(cases) / sizeof(cases[0]));
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_code(weir_server_listen_path(server, NULL, 0, NULL, NULL), WEIR_EINVALIDARGVALUE);
    assert_code(weir_server_listen_path(server, "", 0, NULL, NULL), WEIR_EINVALIDARGVALUE);
    assert_code(weir_server_listen_with(NULL, NULL, NULL, NULL), UV_EINVAL);
    weir_server_release(server);
}

static void SRV_51_PATH_13_BN_12_bad_paths_and_backlogs_are_refused(void **state)
{
    fixture *f = *state;
    char too_long[WEIR_PATH_MAX + 2];
    memset(too_long, 'a', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    refused cases[] = {{"too long", at_path(too_long), UV_ENAMETOOLONG},
                       {"a NUL within", at_path("a\0b"), WEIR_EINVALIDARGVALUE},
                       {"readable_all of an abstract name", at_path("\0weir"), WEIR_EINVALIDARGVALUE},
                       {"writable_all of an abstract name", at_path("\0weir"), WEIR_EINVALIDARGVALUE},
                       {"a backlog below 0", at_port(0), WEIR_EINVALIDARGVALUE},
                       {"a host that is no UTF-8", at_port(0), WEIR_EINVALIDARGVALUE}};
    cases[1].options.path_length = 3;
    cases[2].options.path_length = 5;
    cases[2].options.readable_all = 1;
    cases[3].options.path_length = 5;
    cases[3].options.writable_all = 1;
    cases[4].options.backlog = -1;
    cases[5].options.host = "\xff";
    expect_refused(f, cases, sizeof(cases) / sizeof(cases[0]));
}

static void SRV_40_a_server_that_listens_refuses_another_place(void **state)
{
    fixture *f = *state;
    weir_listen_options options = at_port(0);
    weir_server *server = listening(f, &options);
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), WEIR_ESERVER_ALREADY_LISTEN);
    weir_server_retain(server);
    fixture_end(f);
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), UV_ECANCELED);
    weir_server_release(server);
    weir_server_release(server);
}

/* ---- what the options do ---- */

/* Of a socket that listens the kernel gives its backlog as what would be the packets acknowledged selectively. */
static unsigned backlog_of(const weir_server *server)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);
    int fd = weir_server_export_fd(server);
    assert_true(fd >= 0);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    close(fd);
    return info.tcpi_sacked;
}

static unsigned system_limit(void)
{
    unsigned limit = 0;
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "r");
    if (file == NULL || fscanf(file, "%u", &limit) != 1) {
        limit = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return limit;
}

static void SRV_36_SRV_37_SRV_49_the_backlog(void **state)
{
    fixture *f = *state;
    unsigned limit = system_limit();
    static const int given[] = {0, 7, INT_MAX};
    static const unsigned expected[] = {511, 7, INT_MAX};
    if (limit == 0) {
        skip();
    }
    for (size_t i = 0; i < 3; i++) {
        weir_listen_options options = at_port(0);
        options.backlog = given[i];
        weir_server *server = listening(f, &options);
        assert_int_equal(backlog_of(server), expected[i] < limit ? expected[i] : limit);
        end(server);
    }
}

static void SRV_49_SRV_54_exclusive_is_taken_and_means_nothing(void **state)
{
    fixture *f = *state;
    weir_listen_options ways[] = {at_port(0), at_path(fixture_path(f, "sock"))};
    for (size_t i = 0; i < 2; i++) {
        ways[i].exclusive = 1;
        end(listening(f, &ways[i]));
    }
}

static void SRV_49_SRV_56_SRV_57_permissions_of_the_file(void **state)
{
    fixture *f = *state;
    static const struct {
        int readable;
        int writable;
        mode_t mode;
    } cases[] = {{0, 0, 0700}, {1, 0, 0744}, {0, 1, 0722}, {1, 1, 0766}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = fixture_path(f, fixture_text(f, "sock%zu", i));
        weir_listen_options options = at_path(path);
        struct stat found;
        options.readable_all = cases[i].readable;
        options.writable_all = cases[i].writable;
        mode_t before = umask(077);
        weir_server *server = listening(f, &options);
        umask(before);
        assert_int_equal(stat(path, &found), 0);
        assert_int_equal(found.st_mode & 0777, cases[i].mode);
        end(server);
        assert_int_not_equal(stat(path, &found), 0);
    }
}

/* Names that mean something in a URL are a file's like any other; and both ends name the same. */
static void SRV_51_SRV_61_paths_are_taken_to_the_byte(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"%41", "@a", "a b?c=d#e", "\xc3\xa9", "\xff\xfe", "a\n\"\\"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *path = fixture_path(f, names[i]);
        weir_listen_options options = at_path(path);
        struct stat found;
        int connected = 0;
        weir_server *server = listening(f, &options);
        assert_int_equal(stat(path, &found), 0);
        weir_stream *stream = weir_stream_new(f->runtime, NULL);
        assert_code(weir_stream_connect_path(stream, path, fixture_count, &connected), 0);
        fixture_until(f, &connected);
        weir_stream_destroy(stream, NULL);
        weir_stream_release(stream);
        fixture_turns(f, OVER_TURNS);
        cut(f, server);
    }
}

static void SRV_51_PATH_11_PATH_12_an_abstract_name_by_its_length(void **state)
{
    fixture *f = *state;
    char name[64] = "";
    int length = snprintf(name + 1, sizeof(name) - 1, "weir-listen-%ld", (long)getpid()) + 1;
    name[length++] = '\0';
    name[length++] = '%';
    weir_listen_options options = at_path(name);
    weir_address address;
    options.path_length = (size_t)length;
    for (int again = 0; again < 2; again++) {
        weir_server *server = listening(f, &options);
        assert_code(weir_server_address(server, &address), 0);
        assert_int_equal(address.abstract, 1);
        assert_int_equal(address.length, length - 1);
        assert_memory_equal(address.bytes, name + 1, (size_t)length - 1);
        end(server);
    }
}

/* ---- sockets that are there already ---- */

/* The caller's still, and no other. */
static void expect_open(int fd)
{
    assert_int_not_equal(fcntl(fd, F_GETFD), -1);
}

static void SRV_44_SRV_45_SRV_49_a_servers_socket_is_shared(void **state)
{
    fixture *f = *state;
    weir_listen_options ways[] = {at_port(0), at_path(fixture_path(f, "sock"))};
    for (size_t i = 0; i < 2; i++) {
        weir_server *first = listening(f, &ways[i]);
        weir_listen_options options = nothing();
        const char *where = address_of(f, first);
        int connections = 0;
        options.server = first;
        options.fd = 12345; /* what comes after it is not looked at */
        options.port = 70000;
        options.path = "";
        weir_server *second = listening(f, &options);
        weir_server_on(first, WEIR_EVENT_CONNECTION, fixture_count,
                       &connections); /* it is either's that accepts first */
        weir_server_on(second, WEIR_EVENT_CONNECTION, fixture_count, &connections);
        assert_string_equal(address_of(f, second), where);
        weir_stream *stream = weir_stream_new(f->runtime, NULL);
        uint16_t port = i == 0 ? raw_port_of(second) : 0;
        if (i == 0) {
            end(first); /* the other one goes on */
        }
        assert_code(i == 0 ? weir_stream_connect_port(stream, port, "127.0.0.1", NULL, NULL)
                           : weir_stream_connect_path(stream, where, NULL, NULL),
                    0);
        fixture_turns(f, OVER_TURNS);
        assert_int_equal(connections, 1);
        weir_stream_destroy(stream, NULL);
        weir_stream_release(stream);
        if (i == 1) {
            weir_server_close_all(first, 0, NULL, NULL);
            weir_server_release(first);
        }
        cut(f, second);
    }
}

static void SRV_45_what_has_no_socket_is_refused(void **state)
{
    fixture *f = *state;
    weir_server *deaf = weir_server_new(f->runtime, NULL);
    weir_stream *fresh = weir_stream_new(f->runtime, NULL);
    pair p = fixture_connect(f, fixture_listen(f, "mem:here", NULL), NULL, NULL);
    refused cases[] = {{"a server that does not listen", nothing(), UV_ENOTCONN},
                       {"a stream without a connection", nothing(), UV_ENOTCONN},
                       {"a stream without a socket", nothing(), WEIR_EINVALIDFDTYPE}};
    cases[0].options.server = deaf;
    cases[1].options.stream = fresh;
    cases[2].options.stream = p.client->stream;
    expect_refused(f, cases, sizeof(cases) / sizeof(cases[0]));
    weir_stream_release(fresh);
    weir_server_release(deaf);
}

/* A connection's socket can be named, and the system says that it listens to nobody; the stream does not feel it. */
static void SRV_45_a_streams_socket(void **state)
{
    fixture *f = *state;
    static diary d;
    pair p = fixture_connect(f, fixture_listen(f, "tcp://127.0.0.1:0", NULL), NULL, NULL);
    weir_server *server = diary_fresh(f, &d, NULL);
    weir_listen_options options = nothing();
    options.stream = p.client->stream;
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    diary_expect(&d, "error:EINVAL");
    recorder_write(p.client, "x", 1);
    recorder_wait_data(p.accepted, 1);
    weir_server_release(server);
}

static void SRV_46_SRV_36_a_descriptor_with_a_backlog(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    weir_listen_options options = nothing();
    options.fd = raw_listen(&port, 1);
    options.backlog = 7;
    weir_server *server = listening(f, &options);
    assert_int_equal(raw_port_of(server), port);
    assert_int_equal(backlog_of(server), 7);
    end(server);
    assert_int_equal(fcntl(options.fd, F_GETFD), -1); /* it was the server's */
}

static void SRV_46_SRV_11_listening_on_what_is_no_socket_is_an_error_of_the_server(void **state)
{
    fixture *f = *state;
    static diary d;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    close(pipes[1]);
    for (int i = 0; i < 2; i++) { /* one that is open, one that is not */
        weir_server *server = diary_fresh(f, &d, NULL);
        weir_listen_options options = nothing();
        options.fd = pipes[i];
        assert_code(weir_server_listen_with(server, &options, NULL, NULL), 0);
        diary_expect(&d, "");
        fixture_turns(f, OVER_TURNS);
        diary_expect(&d, "error:EINVAL");
        assert_int_equal(fcntl(pipes[i], F_GETFD), -1); /* it was the server's */
        options = at_port(0);
        assert_code(weir_server_listen_with(server, &options, NULL, NULL), 0);
        assert_code(weir_server_close_wait(server), 0);
        weir_server_release(server);
    }
}

static void SRV_46_what_is_refused_at_once_stays_the_callers(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int listener = raw_listen(&port, 1);
    refused cases[] = {{"-2", nothing(), UV_EBADF}, {"a backlog below 0", nothing(), WEIR_EINVALIDARGVALUE}};
    cases[0].options.fd = -2;
    cases[1].options.fd = listener;
    cases[1].options.backlog = -1;
    expect_refused(f, cases, sizeof(cases) / sizeof(cases[0]));
    expect_open(listener);
    weir_listen_options options = at_port(0);
    weir_server *server = listening(f, &options);
    options = nothing();
    options.fd = listener;
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), WEIR_ESERVER_ALREADY_LISTEN);
    expect_open(listener);
    end(server);
    close(listener);
}

/* ---- signals ---- */

static void SRV_60_SRV_49_a_signal_closes_the_server(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_abort *signal = weir_abort_new();
    weir_listen_options options = at_port(0);
    options.signal = signal;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    diary_expect(&d, "listening");
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), WEIR_ESERVER_ALREADY_LISTEN);
    assert_int_equal(weir_abort_listener_count(signal), 1);
    weir_abort_fire(signal, NULL);
    fixture_run(f);
    diary_expect(&d, "listening close");
    weir_server_release(server);
    weir_abort_release(signal);
}

static void SRV_60_fired_before_it_closes_and_never_listens(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    weir_abort *signal = weir_abort_new();
    weir_listen_options ways[] = {at_port(0), nothing()};
    ways[1].fd = raw_listen(&port, 1);
    weir_abort_fire(signal, NULL);
    for (size_t i = 0; i < 2; i++) {
        static diary d;
        weir_server *server = diary_fresh(f, &d, NULL);
        ways[i].signal = signal;
        assert_code(weir_server_listen_with(server, &ways[i], NULL, NULL), 0);
        fixture_run(f);
        diary_expect(&d, "close");
        weir_server_release(server);
    }
    assert_int_equal(fcntl(ways[1].fd, F_GETFD), -1); /* it was the server's */
    weir_abort_release(signal);
}

/* What is refused waits for no signal. */
static void SRV_60_SRV_53_a_refused_listen_leaves_the_signal(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_listen_options options = at_port(65536);
    options.signal = signal;
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_code(weir_server_listen_with(server, &options, NULL, NULL), WEIR_ESOCKETBADPORT);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_fire(signal, NULL);
    options = at_port(0);
    int done = 0;
    assert_code(weir_server_listen_with(server, &options, fixture_count, &done), 0);
    fixture_until(f, &done);
    end(server);
    weir_abort_release(signal);
}

/* ---- createServer ---- */

static void CSRV_01_create_server(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_listen_options ways[] = {at_port(0), at_path(path)};
    weir_server_options server_options;
    weir_server_options_init(&server_options);
    server_options.max_connections = 7;
    for (size_t i = 0; i < 2; i++) {
        int connections = 0;
        int done = 0;
        weir_server *server =
            weir_create_server(f->runtime, i == 0 ? NULL : &server_options, fixture_count, &connections);
        assert_non_null(server);
        assert_int_equal(weir_server_listening(server), 0);
        assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_CONNECTION), 1);
        assert_int_equal(weir_server_max_connections(server), i == 0 ? 0 : 7);
        assert_code(weir_server_listen_with(server, &ways[i], fixture_count, &done), 0);
        fixture_until(f, &done);
        weir_stream *stream = weir_stream_new(f->runtime, NULL);
        assert_code(i == 0 ? weir_stream_connect_port(stream, raw_port_of(server), "127.0.0.1", NULL, NULL)
                           : weir_stream_connect_path(stream, path, NULL, NULL),
                    0);
        fixture_until(f, &connections);
        weir_stream_destroy(stream, NULL);
        weir_stream_release(stream);
        cut(f, server);
    }
    assert_null(weir_create_server(NULL, NULL, fixture_count, NULL));
}

/* ---- without memory ---- */

typedef struct sweep {
    fixture *f;
    weir_listen_options options;
    int listened;
} sweep;

static void forget(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

static void listen_or_fail(void *arg)
{
    sweep *s = arg;
    weir_server *server = weir_create_server(s->f->runtime, NULL, forget, NULL);
    if (server == NULL) {
        return;
    }
    int status = weir_server_on(server, WEIR_EVENT_ERROR, forget, NULL);
    if (status == 0) {
        status = weir_server_listen_with(server, &s->options, fixture_count, &s->listened);
    }
    if (status != 0) {
        assert_code(status, UV_ENOMEM);
        assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_LISTENING), 0);
    }
    fixture_turns(s->f, OVER_TURNS);
    weir_server_close(server, NULL, NULL);
    fixture_turns(s->f, OVER_TURNS);
    weir_server_release(server);
}

static void CSRV_01_SRV_33_every_allocation_of_a_form_may_fail(void **state)
{
    fixture *f = *state;
    weir_abort *signal = weir_abort_new();
    weir_listen_options options = at_port(0);
    weir_server *other = listening(f, &options);
    sweep ways[] = {{f, at_port(0), 0}, {f, at_path(fixture_path(f, "sock")), 0}, {f, nothing(), 0}};
    ways[1].options.signal = signal;
    ways[2].options.server = other;
    ways[2].options.backlog = 5;
    for (size_t i = 0; i < 3; i++) {
        listen_or_fail(&ways[i]); /* loads the plugin, which stays */
        assert_int_equal(ways[i].listened, 1);
        assert_true(allocator_fail_each(listen_or_fail, &ways[i]) > 5);
        assert_true(ways[i].listened > 1);
        assert_int_equal(weir_abort_listener_count(signal), 0);
    }
    end(other);
    weir_abort_release(signal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(SRV_33_SRV_49_SRV_51_SRV_61_every_form_of_listen),
        FIXTURE_TEST(SRV_62_SRV_63_port_0_and_no_options_at_all),
        FIXTURE_TEST(SRV_63_SRV_65_SRV_59_no_host_takes_both_families),
        FIXTURE_TEST(SRV_66_a_host_is_bound),
        FIXTURE_TEST(SRV_66_a_host_of_nobodys),
        FIXTURE_TEST(SRV_50_with_a_port_the_path_is_not_looked_at),
        FIXTURE_TEST(SRV_53_bad_ports_are_refused),
        FIXTURE_TEST(SRV_52_no_place_or_half_a_place),
        FIXTURE_TEST(SRV_51_PATH_13_BN_12_bad_paths_and_backlogs_are_refused),
        FIXTURE_TEST(SRV_40_a_server_that_listens_refuses_another_place),
        FIXTURE_TEST(SRV_36_SRV_37_SRV_49_the_backlog),
        FIXTURE_TEST(SRV_49_SRV_54_exclusive_is_taken_and_means_nothing),
        FIXTURE_TEST(SRV_49_SRV_56_SRV_57_permissions_of_the_file),
        FIXTURE_TEST(SRV_51_SRV_61_paths_are_taken_to_the_byte),
        FIXTURE_TEST(SRV_51_PATH_11_PATH_12_an_abstract_name_by_its_length),
        FIXTURE_TEST(SRV_44_SRV_45_SRV_49_a_servers_socket_is_shared),
        FIXTURE_TEST(SRV_45_what_has_no_socket_is_refused),
        FIXTURE_TEST(SRV_45_a_streams_socket),
        FIXTURE_TEST(SRV_46_SRV_36_a_descriptor_with_a_backlog),
        FIXTURE_TEST(SRV_46_SRV_11_listening_on_what_is_no_socket_is_an_error_of_the_server),
        FIXTURE_TEST(SRV_46_what_is_refused_at_once_stays_the_callers),
        FIXTURE_TEST(SRV_60_SRV_49_a_signal_closes_the_server),
        FIXTURE_TEST(SRV_60_fired_before_it_closes_and_never_listens),
        FIXTURE_TEST(SRV_60_SRV_53_a_refused_listen_leaves_the_signal),
        FIXTURE_TEST(CSRV_01_create_server),
        FIXTURE_TEST(CSRV_01_SRV_33_every_allocation_of_a_form_may_fail),
    };
    return cmocka_run_group_tests_name("net_listen", tests, NULL, NULL);
}
