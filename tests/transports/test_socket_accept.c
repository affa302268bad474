/* SPDX-License-Identifier: MIT */
/*
 * Accepting when the kernel refuses. accept4 is the test's own: the transport finds the one below, which fails as often
 * as it is told to and does the real thing otherwise. So nothing has to run out for it.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <sys/syscall.h>

#include "raw_peer.h"

#define LOCAL "tcp://127.0.0.1:0"

/* The next `fail` calls give this code, or only every other of them. */
static struct {
    int fail;
    int code;
    int calls;                /* so far */
    int spares;               /* those in between do the real thing */
    void (*first)(void *arg); /* is called in the first of them */
    void *arg;
} accepts;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the names in the C library are reserved ones */
WEIR_EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    accepts.calls++;
    if (accepts.calls == 1 && accepts.first)
        accepts.first(accepts.arg);
    if (accepts.calls <= accepts.fail && (!accepts.spares || accepts.calls % 2)) {
        errno = accepts.code;
        return -1;
    }
    return (int)syscall(SYS_accept4, fd, address, size, flags);
}

static void fail_accepts(int times, int code)
{
    memset(&accepts, 0, sizeof(accepts));
    accepts.fail = times;
    accepts.code = code;
}

/* What a server has told of but its connections. */
typedef struct told {
    int drops;
    weir_drop last;
    int others;
} told;

static void on_told(const weir_event *event, void *arg)
{
    told *seen = arg;

    if (event->type == WEIR_EVENT_DROP) {
        seen->drops++;
        seen->last = *event->drop;
    } else {
        seen->others++;
    }
}

static weir_server *listen_told(fixture *f, told *seen)
{
    static const weir_event_type types[] = {WEIR_EVENT_DROP, WEIR_EVENT_ERROR, WEIR_EVENT_CLOSE,
                                            WEIR_EVENT_CLIENT_ERROR};
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    size_t i;

    memset(seen, 0, sizeof(*seen));
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        assert_code(weir_server_on(server, types[i], on_told, seen), 0);
    return server;
}

static void unlisten(weir_server *server, told *seen)
{
    static const weir_event_type types[] = {WEIR_EVENT_DROP, WEIR_EVENT_ERROR, WEIR_EVENT_CLOSE,
                                            WEIR_EVENT_CLIENT_ERROR};
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        weir_server_off(server, types[i], on_told, seen);
}

/* ---- connections that were lost before they were accepted ---- */

static void net_SRV_75_a_lost_arrival_costs_nobody_else(void **state)
{
    static const int codes[] = {ECONNABORTED, EPROTO, EPERM, EINTR, ENETDOWN, EHOSTUNREACH, ENETUNREACH, EOPNOTSUPP};
    fixture *f = *state;
    told seen;
    weir_server *server = listen_told(f, &seen);
    size_t i;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        fail_accepts(3, codes[i]);
        fixture_connect(f, server, NULL, NULL);
        assert_true(accepts.calls > 3);
    }
    assert_int_equal(weir_server_connections(server), i);
    assert_int_equal(weir_server_listening(server), 1);
    assert_int_equal(seen.drops + seen.others, 0);
    assert_string_equal(fixture_log(f), "");
    unlisten(server, &seen);
}

/* ---- descriptors run out ---- */

/* Looks how often the listener has tried, some time after the first try. */
typedef struct look {
    uv_timer_t timer;
    uint64_t after;
    uint64_t begun;
    int late; /* so late that another drop may have been told */
    int calls;
    int drops;
    const told *seen;
} look;

static void on_look(uv_timer_t *timer)
{
    look *self = timer->data;

    self->late = uv_now(timer->loop) - self->begun >= 1000;
    self->calls = accepts.calls;
    self->drops = self->seen->drops;
}

/* Started with the listener's own pause, in the same turn: timers run in the order of their times, however late. */
static void start_looks(void *arg)
{
    look *looks = arg;
    size_t i;

    for (i = 0; i < 2; i++) {
        looks[i].begun = uv_now(looks[i].timer.loop);
        uv_timer_start(&looks[i].timer, on_look, looks[i].after, 0);
    }
}

/*
 * Tries after 100 and 200 ms more, with nobody looking in between: at 0 and 100 one is shed, of which one is told, at
 * 300 descriptors are there again.
 */
static void shortage(void **state, int code)
{
    fixture *f = *state;
    told seen;
    weir_server *server = listen_told(f, &seen);
    look looks[2] = {{.after = 50, .seen = &seen}, {.after = 250, .seen = &seen}};
    int peers[3];
    char byte;
    size_t i;

    for (i = 0; i < 3; i++)
        peers[i] = raw_connect(raw_port_of(server));
    for (i = 0; i < 2; i++) {
        uv_timer_init(&f->loop, &looks[i].timer);
        looks[i].timer.data = &looks[i];
    }
    fail_accepts(4, code);
    accepts.spares = 1;
    accepts.first = start_looks;
    accepts.arg = looks;
    fixture_accepted(f, server, 0); /* by itself */
    assert_int_equal(looks[0].calls, 2);
    assert_int_equal(looks[0].drops, 1);
    assert_int_equal(looks[1].calls, 4);
    if (!looks[1].late)
        assert_int_equal(looks[1].drops, 1);
    assert_int_equal(seen.last.reason, WEIR_DROP_DESCRIPTORS);
    assert_int_equal(seen.last.remote.family, WEIR_FAMILY_IPV4);
    assert_int_equal(seen.last.local.port, raw_port_of(server));
    for (i = 0; i < 2; i++)
        assert_int_equal(recv(peers[i], &byte, 1, 0), 0); /* those that had waited longest */
    assert_int_equal(weir_server_listening(server), 1);
    assert_int_equal(weir_server_connections(server), 1);
    assert_int_equal(seen.others, 0);
    for (i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&looks[i].timer, NULL);
    for (i = 0; i < 3; i++)
        close(peers[i]);
    fixture_turns(f, 2);
    unlisten(server, &seen);
}

static void net_SRV_75_BN_08_EMFILE_sheds_one_and_pauses(void **state)
{
    shortage(state, EMFILE);
}

static void net_SRV_75_BN_08_ENFILE_sheds_one_and_pauses(void **state)
{
    shortage(state, ENFILE);
}

/* ---- the kernel has no memory ---- */

static void net_SRV_75_without_memory_accepting_goes_on_later(void **state)
{
    fixture *f = *state;
    told seen;
    weir_server *server = listen_told(f, &seen);

    fail_accepts(2, ENOBUFS);
    fixture_connect(f, server, NULL, NULL);
    assert_true(accepts.calls >= 3);
    assert_int_equal(weir_server_listening(server), 1);
    assert_int_equal(seen.drops + seen.others, 0);
    assert_string_equal(fixture_log(f), "warning: accept: no buffer space available (ENOBUFS); trying again later\n");
    unlisten(server, &seen);
}

static void net_SRV_75_closing_while_accepting_is_paused(void **state)
{
    fixture *f = *state;
    told seen;
    weir_server *server = listen_told(f, &seen);
    int peer = raw_connect(raw_port_of(server));

    fail_accepts(1000, EMFILE);
    while (accepts.calls == 0)
        fixture_turns(f, 1);
    assert_code(weir_server_close_wait(server), 0);
    fail_accepts(0, 0);
    assert_int_equal(seen.drops, 0);
    assert_int_equal(seen.others, 1); /* 'close' */
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_SRV_75_a_lost_arrival_costs_nobody_else),
        FIXTURE_TEST(net_SRV_75_BN_08_EMFILE_sheds_one_and_pauses),
        FIXTURE_TEST(net_SRV_75_BN_08_ENFILE_sheds_one_and_pauses),
        FIXTURE_TEST(net_SRV_75_without_memory_accepting_goes_on_later),
        FIXTURE_TEST(net_SRV_75_closing_while_accepting_is_paused),
    };

    return cmocka_run_group_tests_name("socket_accept", tests, NULL, NULL);
}
