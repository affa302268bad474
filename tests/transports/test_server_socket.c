/* SPDX-License-Identifier: MIT */
/* A server's socket in the kernel: where it is, how long its queue is, and what may be bound beside it. */
#define _GNU_SOURCE

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "raw_peer.h"

#define LOCAL "tcp://127.0.0.1:0"

/* ---- the address ---- */

static void net_SRV_16_SRV_17_the_address_of_an_ip_server(void **state)
{
    fixture_skip_without_ipv6();
    static const struct {
        const char *endpoint, *host, *family;
    } cases[] = {{"tcp://127.0.0.1:0", "127.0.0.1", "IPv4"}, {"tcp://[::1]:0", "::1", "IPv6"}};
    fixture *f = *state;
    size_t i;

    for (i = 0; i < 2; i++) {
        weir_server *server = fixture_listen(f, cases[i].endpoint, NULL);
        weir_address address;
        char text[WEIR_ADDRESS_TEXT_SIZE];

        assert_code(weir_server_address(server, &address), 0);
        weir_address_ip(&address, text, sizeof(text));
        assert_string_equal(text, cases[i].host);
        assert_true(address.port > 0);
        assert_string_equal(weir_family_name(address.family), cases[i].family);
    }
}

static void net_SRV_18_the_address_of_an_ipc_server_is_its_name(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "here.sock");
    weir_server *servers[2];
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];

    servers[0] = fixture_listen(f, fixture_text(f, "ipc:%s", path), NULL);
    assert_code(weir_server_address(servers[0], &address), 0);
    assert_int_equal(address.family, WEIR_FAMILY_PATH);
    weir_address_format(&address, text, sizeof(text));
    assert_string_equal(text, path);
    servers[1] = fixture_listen(f, fixture_text(f, "ipc:@weir-test-%d", (int)getpid()), NULL);
    assert_code(weir_server_address(servers[1], &address), 0);
    weir_address_format(&address, text, sizeof(text));
    assert_string_equal(text, fixture_text(f, "@weir-test-%d", (int)getpid()));
}

/* ---- the queue ---- */

/* The longest that the queue of a listening TCP socket may become, as the kernel has it. */
static unsigned backlog_of(const weir_server *server)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);
    int fd = weir_server_export_fd(server);

    assert_true(fd >= 0);
    memset(&info, 0, sizeof(info));
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    close(fd);
    return info.tcpi_sacked; /* of a listener it is this */
}

static unsigned most_in_a_queue(void)
{
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "re");
    unsigned most = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%u", &most), 1);
    assert_int_equal(fclose(file), 0);
    return most;
}

static void net_SRV_36_the_backlog_is_511_unless_told_otherwise(void **state)
{
    fixture *f = *state;
    unsigned most = most_in_a_queue();

    assert_int_equal(backlog_of(fixture_listen(f, LOCAL, NULL)), most < 511 ? most : 511);
    assert_int_equal(backlog_of(fixture_listen(f, LOCAL "?backlog=7", NULL)), most < 7 ? most : 7);
    assert_int_equal(backlog_of(fixture_listen(f, "{\"tcp\": {\"port\": 0, \"backlog\": 3}}", NULL)), 3);
}

static void net_SRV_37_the_kernel_clips_the_backlog(void **state)
{
    fixture *f = *state;
    unsigned most = most_in_a_queue();
    weir_server *server = fixture_listen(f, fixture_text(f, LOCAL "?backlog=%u", most + 1000), NULL);

    assert_int_equal(backlog_of(server), most);
    fixture_connect(f, server, NULL, NULL); /* and it serves all the same */
}

/* Arrivals beyond the queue find it full: of a unix socket the kernel says so at once. */
static void net_SRV_36_the_backlog_of_a_path(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "short.sock");
    weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s?backlog=2", path), NULL);
    struct sockaddr_un address = raw_path(path);
    int peers[8];
    int refused = 0;
    size_t i;

    for (i = 0; i < 8; i++) {
        peers[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(peers[i] >= 0);
        if (connect(peers[i], (struct sockaddr *)&address, sizeof(address))) {
            assert_int_equal(errno, EAGAIN);
            refused++;
        }
    }
    assert_int_equal(refused, 8 - 3); /* Linux takes one more than it was told */
    fixture_accepted(f, server, 2);
    for (i = 0; i < 8; i++)
        close(peers[i]);
    fixture_turns(f, 10);
}

/* ---- what may be bound ---- */

/* Binds without SO_REUSEADDR: 0, or the error. */
static int bind_plainly(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = raw_loopback(port);
    int code = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;

    assert_true(fd >= 0);
    close(fd);
    return code;
}

static void net_SRV_38_SRV_39_listening_again_on_a_port_in_TIME_WAIT(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    const char *url = fixture_url(f, server);
    uint16_t port = raw_port_of(server);
    pair p = fixture_connect(f, server, NULL, NULL);

    recorder_end(p.accepted); /* the side that ends first keeps the port in TIME_WAIT */
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_code(weir_server_close_wait(server), 0);
    assert_int_equal(bind_plainly(port), EADDRINUSE); /* there it is */
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    fixture_connect(f, server, url, NULL);
    assert_int_equal(raw_port_of(server), port);
}

/* The same while a connection of before is open still. */
static void net_SRV_38_SRV_39_listening_again_beside_a_connection(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    const char *url = fixture_url(f, server);
    pair first = fixture_connect(f, server, NULL, NULL);

    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    fixture_connect(f, server, url, NULL);
    recorder_write(first.client, "still here", 10);
    recorder_wait_data(first.accepted, 10);
    assert_int_equal(weir_server_connections(server), 2);
}

static void on_code(const weir_event *event, void *arg)
{
    *(int *)arg = event->error->code;
}

static void net_SRV_38_SRV_42_two_that_live_conflict(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    weir_server *other = weir_server_new(f->runtime, NULL);
    int code = 0;

    weir_server_on(other, WEIR_EVENT_ERROR, on_code, &code);
    assert_code(weir_server_listen(other, fixture_url(f, server), NULL, NULL), 0);
    fixture_until(f, &code);
    assert_code(code, UV_EADDRINUSE);
    weir_server_release(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_SRV_16_SRV_17_the_address_of_an_ip_server),
        FIXTURE_TEST(net_SRV_18_the_address_of_an_ipc_server_is_its_name),
        FIXTURE_TEST(net_SRV_36_the_backlog_is_511_unless_told_otherwise),
        FIXTURE_TEST(net_SRV_37_the_kernel_clips_the_backlog),
        FIXTURE_TEST(net_SRV_36_the_backlog_of_a_path),
        FIXTURE_TEST(net_SRV_38_SRV_39_listening_again_on_a_port_in_TIME_WAIT),
        FIXTURE_TEST(net_SRV_38_SRV_39_listening_again_beside_a_connection),
        FIXTURE_TEST(net_SRV_38_SRV_42_two_that_live_conflict),
    };

    return cmocka_run_group_tests_name("server_socket", tests, NULL, NULL);
}
