/* SPDX-License-Identifier: MIT */
/* The listener that tcp and ipc share: bounded accepts, drops, exhausted descriptors, handing the socket on. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "raw_peer.h"

#define LOCAL "tcp://127.0.0.1:0"

/* Counts what happens between two looks at the kernel. */
typedef struct turns {
    uv_prepare_t prepare;
    int turns;
    int now;
    int most;
} turns;

static void on_turn(uv_prepare_t *handle)
{
    turns *count = handle->data;

    count->turns++;
    count->now = 0;
}

static void on_connection(const weir_event *event, void *arg)
{
    turns *count = arg;

    (void)event;
    if (++count->now > count->most)
        count->most = count->now;
}

static void turns_start(fixture *f, turns *count)
{
    memset(count, 0, sizeof(*count));
    uv_prepare_init(&f->loop, &count->prepare);
    count->prepare.data = count;
    uv_prepare_start(&count->prepare, on_turn);
}

#define CROWD 200

static void net_accepts_of_one_turn_are_bounded(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    int peers[CROWD];
    turns count;
    size_t i;

    for (i = 0; i < CROWD; i++)
        peers[i] = raw_connect(raw_port_of(server));
    turns_start(f, &count);
    weir_server_on(server, WEIR_EVENT_CONNECTION, on_connection, &count);
    fixture_accepted(f, server, CROWD - 1);
    assert_true(count.most > 1);
    assert_true(count.most <= 64);
    uv_close((uv_handle_t *)&count.prepare, NULL);
    for (i = 0; i < CROWD; i++)
        close(peers[i]);
    fixture_turns(f, 10);
}

static void on_drop(const weir_event *event, void *arg)
{
    *(weir_drop *)arg = *event->drop;
}

static void net_SRV_12_SRV_13_a_drop_has_both_addresses(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    weir_drop drop = {.peer_pid = 0};
    recorder *client;

    weir_server_set_max_connections(server, 1);
    weir_server_on(server, WEIR_EVENT_DROP, on_drop, &drop);
    fixture_connect(f, server, NULL, NULL);
    client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(drop.reason, WEIR_DROP_MAX_CONNECTIONS);
    assert_int_equal(drop.local.port, raw_port_of(server));
    assert_int_equal(drop.remote.family, WEIR_FAMILY_IPV4);
    assert_true(drop.remote.port > 0);
    assert_int_equal(drop.peer_pid, -1);
    assert_int_equal(weir_server_connections(server), 1);
}

/* ---- no descriptors left ---- */

#define HELD_MOST 64

/* Takes all descriptors the process may have, but `spare`. */
typedef struct shortage {
    struct rlimit before;
    int held[HELD_MOST];
    size_t count;
} shortage;

static void shortage_begin(shortage *lack)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &lack->before), 0);
    limit = lack->before;
    limit.rlim_cur = (rlim_t)fixture_descriptors() + HELD_MOST / 2;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (lack->count = 0; lack->count < HELD_MOST; lack->count++) {
        lack->held[lack->count] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (lack->held[lack->count] < 0)
            break;
    }
    assert_true(lack->count < HELD_MOST);
    assert_int_equal(errno, EMFILE);
}

static void shortage_end(shortage *lack)
{
    while (lack->count)
        close(lack->held[--lack->count]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &lack->before), 0);
}

typedef struct drops {
    int count;
    weir_drop last;
} drops;

static void on_descriptors_drop(const weir_event *event, void *arg)
{
    drops *seen = arg;

    seen->count++;
    seen->last = *event->drop;
}

static void on_timer(uv_timer_t *timer)
{
    *(int *)timer->data = 1;
}

static void wait_for(fixture *f, uint64_t milliseconds)
{
    uv_timer_t timer;
    int over = 0;

    uv_timer_init(&f->loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_timer, milliseconds, 0);
    fixture_until(f, &over);
    uv_close((uv_handle_t *)&timer, NULL);
    fixture_turns(f, 1);
}

static void net_BN_08_without_descriptors_one_is_shed_and_the_loop_sleeps(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    drops seen = {0};
    int peers[4];
    char byte;
    shortage lack;
    turns count;
    uint64_t begun;
    size_t i;

    raw_skip_where_descriptors_never_lack();
    weir_server_on(server, WEIR_EVENT_DROP, on_descriptors_drop, &seen);
    for (i = 0; i < 4; i++)
        peers[i] = raw_connect(raw_port_of(server));
    shortage_begin(&lack);
    turns_start(f, &count);
    begun = uv_now(&f->loop);
    wait_for(f, 350);
    /* at most at 0, 100 and 300 ms, and the timers around them; a loop that spun would have turned thousands of times
     */
    assert_true(count.turns < 30);
    assert_true(seen.count >= 1);
    if (uv_now(&f->loop) - begun < 1000) /* unless the test was held up */
        assert_int_equal(seen.count, 1); /* however many were shed */
    assert_int_equal(seen.last.reason, WEIR_DROP_DESCRIPTORS);
    assert_int_equal(seen.last.local.port, raw_port_of(server));
    assert_int_equal(recv(peers[0], &byte, 1, 0), 0); /* the one that waited longest */
    assert_int_equal(weir_server_connections(server), 0);
    uv_close((uv_handle_t *)&count.prepare, NULL);
    shortage_end(&lack);
    /* accepting resumes by itself: those that still wait are served, and new ones */
    fixture_accepted(f, server, 0);
    fixture_connect(f, server, NULL, NULL);
    for (i = 0; i < 4; i++)
        close(peers[i]);
    fixture_turns(f, 10);
}

static void net_BN_08_closing_while_descriptors_are_short(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    drops seen = {0};
    shortage lack;
    int peer;
    int waiting;

    raw_skip_where_descriptors_never_lack();
    peer = raw_connect(raw_port_of(server));
    waiting = raw_connect(raw_port_of(server));
    weir_server_on(server, WEIR_EVENT_DROP, on_descriptors_drop, &seen);
    shortage_begin(&lack);
    while (seen.count == 0) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    fixture_turns(f, 10);
    assert_int_equal(seen.count, 1);
    assert_code(weir_server_close_wait(server), 0);
    shortage_end(&lack);
    close(peer);
    close(waiting);
}

/* ---- the socket in other hands ---- */

static void on_served(const weir_event *event, void *arg)
{
    weir_stream_resume(event->stream);
    *(int *)arg = 1;
}

static void net_SRV_44_a_listening_socket_is_handed_on(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    uint16_t port = raw_port_of(server);
    weir_server *successor = weir_server_new(f->runtime, NULL);
    weir_endpoint *endpoint = NULL;
    int fd = weir_server_export_fd(server);
    int done = 0;
    int peer;

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_code(weir_endpoint_parse(f->runtime, "{\"tcp\": {}}", WEIR_SERVER, NULL, &endpoint, NULL), 0);
    assert_code(weir_server_close_wait(server), 0);
    peer = raw_connect(port); /* between the two servers: it waits in the queue */
    assert_code(weir_server_listen_fd(successor, endpoint, fd, NULL, NULL), 0);
    weir_server_on(successor, WEIR_EVENT_CONNECTION, on_served, &done);
    fixture_until(f, &done);
    assert_int_equal(raw_port_of(successor), port);
    assert_code(weir_server_export_fd(server), UV_ENOTCONN);
    weir_endpoint_release(endpoint);
    close(peer);
    assert_code(weir_server_close_wait(successor), 0);
    weir_server_release(successor);
}

static void net_SRV_71_SRV_73_an_unreferenced_server_keeps_no_loop_alive(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, LOCAL, NULL);

    weir_server_unref(server);
    fixture_run(f);
    assert_int_equal(weir_server_listening(server), 1);
    weir_server_ref(server);
    assert_int_not_equal(uv_loop_alive(&f->loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_accepts_of_one_turn_are_bounded),
        FIXTURE_TEST(net_SRV_12_SRV_13_a_drop_has_both_addresses),
        FIXTURE_TEST(net_BN_08_without_descriptors_one_is_shed_and_the_loop_sleeps),
        FIXTURE_TEST(net_BN_08_closing_while_descriptors_are_short),
        FIXTURE_TEST(net_SRV_44_a_listening_socket_is_handed_on),
        FIXTURE_TEST(net_SRV_71_SRV_73_an_unreferenced_server_keeps_no_loop_alive),
    };

    return cmocka_run_group_tests_name("socket_listener", tests, NULL, NULL);
}
