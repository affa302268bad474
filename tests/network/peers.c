/* SPDX-License-Identifier: MIT */
/* Servers and bare sockets on the far host. */
#define _GNU_SOURCE

#include "peers.h"

weir_server *far_server(fixture *f, const weir_server_options *options)
{
    netns_go(NETNS_FAR);
    weir_server *server = fixture_listen(f, "tcp://[::]:0", options);
    netns_go(NETNS_NEAR);
    return server;
}

int far_listen(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    netns_go(NETNS_FAR);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    netns_go(NETNS_NEAR);
    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, NETNS_FAR_IPV4, &address.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

recorder *far_client(fixture *f, const weir_stream_options *options, const char *query, int *peer)
{
    uint16_t port;
    int listener = far_listen(&port);
    recorder *client = fixture_client(f, fixture_text(f, "tcp://%s:%u%s", NETNS_FAR_IPV4, port, query), options);
    recorder_wait(client, WEIR_EVENT_READY);
    *peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(*peer >= 0);
    close(listener);
    return client;
}

static void on_time(uv_timer_t *timer)
{
    *(int *)timer->data = 1;
}

static void on_timer_closed(uv_handle_t *timer)
{
    *(int *)timer->data = 1;
}

void let_pass(fixture *f, unsigned milliseconds)
{
    uv_timer_t timer;
    int done = 0;
    uv_timer_init(&f->loop, &timer);
    timer.data = &done;
    uv_timer_start(&timer, on_time, milliseconds, 0);
    fixture_until(f, &done);
    done = 0;
    uv_close((uv_handle_t *)&timer, on_timer_closed);
    while (!done)
        fixture_turns(f, 1);
}
