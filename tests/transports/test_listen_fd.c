/* SPDX-License-Identifier: MIT */
/* Listening on sockets that somebody else bound, and handing a listening socket on. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>

#include "socket_file.h"

/* ---- what the tests share ---- */

#define TCP_HERE "{\"tcp\": {}}"

static void on_done(const weir_event *event, void *arg)
{
    (void)event;
    *(int *)arg = 1;
}

/* Counts the connections that no test has asked for yet. */
static void on_served(const weir_event *event, void *arg)
{
    (void)arg;
    *(int *)weir_server_data(event->target_server) += 1;
    weir_stream_resume(event->stream);
}

static weir_server *begin(fixture *f, const char *text, int fd, int *done)
{
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_endpoint *endpoint = NULL;

    weir_server_on(server, WEIR_EVENT_CONNECTION, on_served, NULL); /* one may wait already */
    assert_code(weir_endpoint_parse(f->runtime, text, WEIR_SERVER, NULL, &endpoint, NULL), 0);
    assert_code(weir_server_listen_fd(server, endpoint, fd, on_done, done), 0);
    weir_endpoint_release(endpoint);
    return server;
}

/* A server that listens on it, with its count of connections; the caller's to end. */
static weir_server *listen_on(fixture *f, const char *text, int fd, int *served)
{
    int done = 0;
    weir_server *server = begin(f, text, fd, &done);

    *served = 0;
    weir_server_set_data(server, served);
    fixture_until(f, &done);
    assert_int_equal(weir_server_listening(server), 1);
    return server;
}

static void end_server(weir_server *server)
{
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

/* The error that listening ends with; 'listening' does not come. The descriptor is the server's, and is closed. */
static socket_file_refusal refused_on(fixture *f, const char *text, int fd)
{
    socket_file_refusal refused = {0};
    int done = 0;
    weir_server *server = begin(f, text, fd, &done);

    weir_server_on(server, WEIR_EVENT_ERROR, socket_file_on_error, &refused);
    fixture_until(f, &refused.done);
    assert_int_equal(done, 0);
    assert_int_equal(weir_server_listening(server), 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    weir_server_release(server);
    return refused;
}

static void expect_refused(fixture *f, const char *text, int fd, int code)
{
    assert_code(refused_on(f, text, fd).code, code);
}

/* A connection made by `peer` comes to the server. */
static void expect_served(fixture *f, int *served, int peer)
{
    assert_true(peer >= 0);
    if (!*served)
        fixture_until(f, served);
    *served -= 1;
    close(peer);
}

static int bound_tcp(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = raw_loopback(*port);
    socklen_t size = sizeof(address);
    int on = 1;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* ---- tcp ---- */

static void net_SRV_44_SRV_46_bound_and_not_listening(void **state)
{
    fixture *f = *state;
    int served;
    uint16_t port = 0;
    int fd = bound_tcp(&port);
    weir_server *server = listen_on(f, TCP_HERE, fd, &served);
    weir_address address;

    assert_code(weir_server_address(server, &address), 0);
    assert_int_equal(address.port, port);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    expect_served(f, &served, raw_connect(port));
    end_server(server);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* it was the server's */
}

static void net_SRV_47_listening_already(void **state)
{
    fixture *f = *state;
    int served;
    uint16_t port = 0;
    int fd = raw_listen(&port, 8);
    int early = raw_connect(port); /* waits in the queue */
    weir_server *server = listen_on(f, TCP_HERE, fd, &served);

    expect_served(f, &served, early);
    expect_served(f, &served, raw_connect(port));
    end_server(server);
}

static void net_SRV_45_another_servers_socket(void **state)
{
    fixture *f = *state;
    int served;
    weir_server *first = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    uint16_t port = raw_port_of(first);
    int shared = weir_server_export_fd(first);
    weir_server *second = listen_on(f, TCP_HERE, shared, &served);
    int peer;

    assert_int_equal(raw_port_of(second), port);
    assert_code(weir_server_close_wait(first), 0); /* the other one goes on */
    peer = raw_connect(port);
    expect_served(f, &served, peer);
    end_server(second);
}

static void net_SRV_46_what_is_no_socket_to_listen_on(void **state)
{
    fixture *f = *state;
    int pipes[2];
    int gone = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uint16_t port = 0;
    int listener = raw_listen(&port, 1);

    assert_int_equal(pipe(pipes), 0);
    close(gone);
    expect_refused(f, TCP_HERE, gone, UV_EINVAL);
    expect_refused(f, TCP_HERE, open(fixture_path(f, "file"), O_RDWR | O_CREAT, 0600), UV_EINVAL);
    expect_refused(f, TCP_HERE, pipes[0], UV_EINVAL);
    expect_refused(f, TCP_HERE, socket(AF_INET, SOCK_DGRAM, 0), UV_EINVAL);
    expect_refused(f, TCP_HERE, socket(AF_UNIX, SOCK_STREAM, 0), UV_EINVAL);
    expect_refused(f, TCP_HERE, raw_connect(port), UV_EINVAL); /* a connection, by listen(2) */
    close(pipes[1]);
    close(listener);
}

/* Bound twice, which SO_REUSEADDR allows: only one of them can listen. */
static void net_SRV_42_a_handle_whose_port_is_listened_on(void **state)
{
    fixture *f = *state;
    int served;
    uint16_t port = 0;
    int first = bound_tcp(&port);
    int second = bound_tcp(&port);
    weir_server *server = listen_on(f, TCP_HERE, first, &served);

    expect_refused(f, TCP_HERE, second, UV_EADDRINUSE);
    expect_served(f, &served, raw_connect(port));
    end_server(server);
}

/* A socket without a name: Linux binds it to any port when it listens. */
static void net_SRV_46_not_even_bound(void **state)
{
    fixture *f = *state;
    int served;
    weir_server *server = listen_on(f, TCP_HERE, socket(AF_INET, SOCK_STREAM, 0), &served);

    assert_int_not_equal(raw_port_of(server), 0);
    end_server(server);
}

static void net_SRV_40_a_server_that_listens_takes_no_descriptor(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int fd = bound_tcp(&port);
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    weir_endpoint *endpoint = NULL;

    assert_code(weir_endpoint_parse(f->runtime, TCP_HERE, WEIR_SERVER, NULL, &endpoint, NULL), 0);
    assert_code(weir_server_listen_fd(server, endpoint, fd, NULL, NULL), WEIR_ESERVER_ALREADY_LISTEN);
    assert_true(fcntl(fd, F_GETFD) >= 0); /* the caller's still */
    weir_endpoint_release(endpoint);
    close(fd);
}

/* ---- ipc ---- */

static const char *ipc_at(fixture *f, const char *path, const char *options)
{
    return fixture_text(f, "ipc:%s%s", path, options);
}

static void net_SRV_44_PATH_08_a_bound_unix_socket(void **state)
{
    fixture *f = *state;
    int served;
    const char *path = fixture_path(f, "sock");
    weir_server *server = listen_on(f, ipc_at(f, path, ""), raw_bind_path(path), &served);
    weir_address address;

    assert_code(weir_server_address(server, &address), 0);
    assert_memory_equal(address.bytes, path, strlen(path));
    expect_served(f, &served, raw_connect_path(path));
    end_server(server);
    assert_true(socket_file_exists(path)); /* made by others, removed by others */
}

static void net_SRV_47_a_unix_socket_that_listens_already(void **state)
{
    fixture *f = *state;
    int served;
    const char *path = fixture_path(f, "sock");
    int fd = raw_bind_path(path);
    weir_server *server;
    int early;

    assert_int_equal(listen(fd, 4), 0);
    early = raw_connect_path(path);
    server = listen_on(f, ipc_at(f, path, ""), fd, &served);
    expect_served(f, &served, early);
    end_server(server);
}

static void net_SRV_46_what_is_no_unix_socket_to_listen_on(void **state)
{
    fixture *f = *state;
    const char *text = ipc_at(f, fixture_path(f, "sock"), "");
    uint16_t port = 0;
    int fds[2];
    socket_file_refusal refused;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    refused = refused_on(f, text, bound_tcp(&port));
    assert_code(refused.code, UV_EINVAL);
    assert_non_null(strstr(refused.message, "the descriptor must be a bound unix socket"));
    expect_refused(f, text, socket(AF_UNIX, SOCK_DGRAM, 0), UV_EINVAL);
    expect_refused(f, text, socket(AF_UNIX, SOCK_STREAM, 0), UV_EINVAL); /* not bound */
    expect_refused(f, text, fds[0], UV_EINVAL);                          /* a connection */
    close(fds[1]);
}

/* ---- handing over ---- */

static void net_SRV_45_BN_11_a_hand_over_keeps_the_file(void **state)
{
    fixture *f = *state;
    int served;
    const char *path = fixture_path(f, "sock");
    weir_server *first = fixture_listen(f, ipc_at(f, path, "?unlinkOnClose=false"), NULL);
    int shared = weir_server_export_fd(first);
    weir_server *second;
    int early;

    assert_true(shared >= 0);
    assert_code(weir_server_close_wait(first), 0);
    assert_true(socket_file_exists(path));
    early = raw_connect_path(path); /* between the two */
    second = listen_on(f, ipc_at(f, path, ""), shared, &served);
    expect_served(f, &served, early);
    expect_served(f, &served, raw_connect_path(path));
    end_server(second);
    assert_true(socket_file_exists(path));
    assert_int_equal(raw_connect_path(path), -ECONNREFUSED);
}

static void net_PATH_07_without_it_the_file_goes_though_the_socket_stays(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *first = fixture_listen(f, ipc_at(f, path, "?unlinkOnClose=true"), NULL);
    int shared = weir_server_export_fd(first);

    assert_code(weir_server_close_wait(first), 0);
    assert_false(socket_file_exists(path));
    close(shared);
}

/* What could not be listened on is nobody's: the file goes all the same. */
static void net_BN_11_a_listen_that_fails_leaves_no_file(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = weir_server_new(f->runtime, NULL);
    int done = 0;
    size_t nth;

    assert_code(weir_runtime_load_plugin(f->runtime, "ipc", NULL, NULL), 0);
    weir_server_on(server, WEIR_EVENT_ERROR, on_done, &done);
    for (nth = 1; !weir_server_listening(server); nth++) {
        int status;

        done = 0;
        allocator_fail(nth, 0);
        status = weir_server_listen(server, ipc_at(f, path, "?unlinkOnClose=false"), NULL, NULL);
        if (status == 0 && !weir_server_listening(server))
            fixture_until(f, &done);
        allocator_fail(0, 0);
        if (!weir_server_listening(server))
            assert_false(socket_file_exists(path));
    }
    assert_true(nth > 3);
    end_server(server);
    assert_true(socket_file_exists(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_SRV_44_SRV_46_bound_and_not_listening),
        FIXTURE_TEST(net_SRV_47_listening_already),
        FIXTURE_TEST(net_SRV_45_another_servers_socket),
        FIXTURE_TEST(net_SRV_46_what_is_no_socket_to_listen_on),
        FIXTURE_TEST(net_SRV_42_a_handle_whose_port_is_listened_on),
        FIXTURE_TEST(net_SRV_46_not_even_bound),
        FIXTURE_TEST(net_SRV_40_a_server_that_listens_takes_no_descriptor),
        FIXTURE_TEST(net_SRV_44_PATH_08_a_bound_unix_socket),
        FIXTURE_TEST(net_SRV_47_a_unix_socket_that_listens_already),
        FIXTURE_TEST(net_SRV_46_what_is_no_unix_socket_to_listen_on),
        FIXTURE_TEST(net_SRV_45_BN_11_a_hand_over_keeps_the_file),
        FIXTURE_TEST(net_PATH_07_without_it_the_file_goes_though_the_socket_stays),
        FIXTURE_TEST(net_BN_11_a_listen_that_fails_leaves_no_file),
    };

    return cmocka_run_group_tests_name("listen_fd", tests, NULL, NULL);
}
