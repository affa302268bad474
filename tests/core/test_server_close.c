/* SPDX-License-Identifier: MIT */
/* Servers, row by row: closing in every order. */
#include <string.h>
#include <unistd.h>

#include "diary.h"

static void turns(fixture *f)
{
    fixture_turns(f, OVER_TURNS);
}

typedef struct arrival {
    weir_stream *stream;
    int seen;
} arrival;

static void take_arrival(const weir_event *event, void *arg)
{
    arrival *a = arg;
    a->stream = event->stream;
    a->seen = 1;
}

/* ---- close ---- */

static void SRV_21_SRV_23_close_without_connections(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    diary_expect(&d, "");
    turns(f);
    diary_expect(&d, "close closed");
    assert_int_equal(d.code, 0);
}

static void diary_a(const weir_event *event, void *arg)
{
    (void)event;
    diary_write(arg, "a");
}

static void diary_b(const weir_event *event, void *arg)
{
    (void)event;
    diary_write(arg, "b");
}

static void SRV_25_the_callback_has_its_place_among_the_listeners(void **state)
{
    fixture *f = *state;
    static diary d;
    f->record = 0;
    weir_server *server = over_listen(f, NULL);
    d = (diary){.f = f, .server = server};
    weir_server_on(server, WEIR_EVENT_CLOSE, diary_a, &d);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    weir_server_on(server, WEIR_EVENT_CLOSE, diary_b, &d);
    weir_server_prepend(server, WEIR_EVENT_CLOSE, diary_b, &d);
    assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_CLOSE), 3);
    turns(f);
    diary_expect(&d, "b a closed b");
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "b a closed b b a b"); /* once */
}

static void SRV_25_EMT_06_removing_all_listeners_does_not_lose_the_callback(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    weir_server_remove_all(server, WEIR_EVENT_CLOSE);
    weir_server_remove_all(server, WEIR_EVENT_COUNT);
    turns(f);
    diary_expect(&d, "closed");
}

static void SRV_07_SRV_08_close_waits_for_the_connections(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair first = fixture_connect(f, server, NULL, NULL);
    pair second = fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    turns(f);
    diary_expect(&d, "connection connection");
    recorder_add(first.accepted, RECORD_DATA);
    recorder_write(first.client, "still served", 12);
    recorder_wait_data(first.accepted, 12);
    recorder_destroy(first.accepted, NULL);
    turns(f);
    diary_expect(&d, "connection connection");
    recorder_destroy(second.accepted, NULL);
    turns(f);
    diary_expect(&d, "connection connection close closed");
}

static void SRV_22_after_close_nobody_is_let_in(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    recorder *late = fixture_client(f, url, NULL);
    over_wait_closed(late);
    assert_int_equal(late->counts[WEIR_EVENT_CONNECT], 0);
    diary_expect(&d, "connection");
}

static void SRV_24_closing_what_is_not_open(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    diary_expect(&d, "");
    turns(f);
    diary_expect(&d, "ERR_SERVER_NOT_RUNNING"); /* no 'close' */
    assert_code(weir_server_close(server, NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "ERR_SERVER_NOT_RUNNING");
    assert_code(weir_server_close(NULL, NULL, NULL), UV_EINVAL);
    weir_server_release(server);
}

static void SRV_26_closing_twice(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    turns(f);
    diary_expect(&d, "connection ERR_SERVER_NOT_RUNNING");
    recorder_destroy(p.accepted, NULL);
    turns(f);
    diary_expect(&d, "connection ERR_SERVER_NOT_RUNNING close closed");
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    turns(f);
    diary_expect(&d, "connection ERR_SERVER_NOT_RUNNING close closed ERR_SERVER_NOT_RUNNING");
}

static void SRV_27_close_right_after_listen(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    const char *here = over_here(f);
    assert_code(weir_server_listen(server, here, NULL, NULL), 0);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    turns(f);
    diary_expect(&d, "close closed");
    assert_int_equal(weir_server_listening(server), 0);
    assert_code(weir_server_listen(server, here, NULL, NULL), 0); /* the place is free */
    turns(f);
    diary_expect(&d, "close closed listening");
    weir_server_release(server);
}

static void SRV_27_close_while_a_name_is_looked_up(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, "tcp://localhost:0", NULL, NULL), 0);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    weir_server_release(weir_server_retain(server));
    fixture_run(f);
    diary_expect(&d, "close closed");
    assert_int_equal(weir_server_listening(server), 0);
    weir_server_release(server);
}

static void close_here(const weir_event *event, void *arg)
{
    (void)event;
    diary *d = arg;
    assert_code(weir_server_close(d->server, diary_closed, d), 0);
}

static void SRV_27_close_in_the_listening_listener(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, over_here(f), close_here, &d), 0);
    turns(f);
    diary_expect(&d, "listening close closed");
    weir_server_release(server);
}

static void SRV_08_close_in_the_connection_listener(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    weir_server_once(server, WEIR_EVENT_CONNECTION, close_here, &d);
    pair p = fixture_connect(f, server, NULL, NULL);
    turns(f);
    diary_expect(&d, "connection");
    recorder_destroy(p.accepted, NULL);
    turns(f);
    diary_expect(&d, "connection close closed");
}

static void diary_stream_close(const weir_event *event, void *arg)
{
    diary *d = arg;
    (void)event;
    diary_write(d, "streamClose");
}

static void BN_22_close_comes_after_the_last_connections_close(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair first = fixture_connect(f, server, NULL, NULL);
    pair second = fixture_connect(f, server, NULL, NULL);
    weir_stream_on(first.accepted->stream, WEIR_EVENT_CLOSE, diary_stream_close, &d);
    weir_stream_on(second.accepted->stream, WEIR_EVENT_CLOSE, diary_stream_close, &d);
    recorder_destroy(first.accepted, NULL);
    recorder_destroy(second.accepted, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "connection connection streamClose streamClose close");
}

static void BN_22_close_before_and_the_streams_go_later(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_CLOSE, diary_stream_close, &d);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_CLOSE, close_here, &d);
    recorder_destroy(p.accepted, NULL);
    turns(f);
    diary_expect(&d, "connection streamClose close closed");
}

static void BN_22_the_servers_last_reference_goes_before_its_connections(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    arrival a = {NULL, 0};
    weir_server_on(server, WEIR_EVENT_CONNECTION, take_arrival, &a);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    turns(f);
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    fixture_until(f, &a.seen);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    weir_server_release(server);
    turns(f);
    diary_expect(&d, "listening connection");
    recorder_destroy(client, NULL);
    weir_stream_resume(a.stream);
    diary_wait_closed(&d);
    turns(f);
    diary_expect(&d, "listening connection close closed");
}

static void SRV_28_close_wait_runs_the_loop(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_runtime_enter(f->runtime);
    assert_code(weir_server_close_wait(server), UV_EBUSY);
    weir_runtime_leave(f->runtime);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_end(p.client);
    recorder_add(p.client, RECORD_DATA);
    assert_code(weir_server_close_wait(server), 0);
    diary_expect(&d, "connection close");
    assert_code(weir_server_close_wait(server), WEIR_ESERVER_NOT_RUNNING);
    assert_code(weir_server_close_wait(NULL), WEIR_ESERVER_NOT_RUNNING);
}

/* ---- closing everything ---- */

/* 0: the grace was over before the willing one could end. */
static int ends_and_cuts(fixture *f, uint64_t grace)
{
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair willing = fixture_connect(f, server, NULL, NULL);
    pair stubborn = fixture_connect(f, server, NULL, NULL);
    recorder_add(willing.client, RECORD_DATA);
    recorder_add(willing.accepted, RECORD_DATA);
    recorder_pause(stubborn.client); /* it is not even told of the end */
    recorder_write(willing.accepted, "last words", 10);
    assert_code(weir_server_close_all(server, grace, diary_closed, &d), 0);
    diary_wait_closed(&d);
    over_wait_closed(willing.client);
    if (!recorder_saw(willing.accepted, "end")) {
        return 0;
    }
    recorder_expect_data(willing.client, "last words", 10);
    assert_int_equal(stubborn.accepted->counts[WEIR_EVENT_END], 0);
    assert_int_equal(stubborn.accepted->counts[WEIR_EVENT_CLOSE], 1);
    diary_expect(&d, "connection connection close closed");
    return 1;
}

/* A loop that is held up for as long as the grace cuts the willing one too: then with more of it. */
static void BN_26_close_all_ends_and_cuts_what_is_left(void **state)
{
    uint64_t grace = 20;
    while (!ends_and_cuts(*state, grace)) {
        grace *= 2;
        assert_true(grace < 5000);
    }
}

static void BN_26_without_grace_everything_is_cut(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    over_stall(f, p.accepted);
    assert_code(weir_server_close_all(server, 0, diary_closed, &d), 0);
    assert_int_equal(weir_stream_destroyed(p.accepted->stream), 1);
    turns(f);
    diary_expect(&d, "connection close closed");
}

static void BN_26_close_all_after_close(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    turns(f);
    assert_code(weir_server_close_all(server, 0, diary_closed, &d), 0);
    turns(f);
    assert_true(strstr(d.text, "connection") == d.text);
    assert_non_null(strstr(d.text, "ERR_SERVER_NOT_RUNNING"));
    assert_non_null(strstr(d.text, "close closed"));
}

static void BN_26_a_server_listens_again_after_close_all(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_add(p.client, RECORD_DATA);
    recorder_add(p.accepted, RECORD_DATA);
    assert_code(weir_server_close_all(server, 3600000, diary_closed, &d), 0);
    turns(f);
    diary_expect(&d, "connection close closed"); /* no need to wait for the grace */
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    fixture_connect(f, server, NULL, NULL);
    turns(f);
    assert_int_equal(weir_server_connections(server), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(SRV_21_SRV_23_close_without_connections),
        OVER_ALL(SRV_25_the_callback_has_its_place_among_the_listeners),
        OVER_ALL(SRV_25_EMT_06_removing_all_listeners_does_not_lose_the_callback),
        OVER_ALL(SRV_07_SRV_08_close_waits_for_the_connections),
        OVER_ALL(SRV_22_after_close_nobody_is_let_in),
        FIXTURE_TEST(SRV_24_closing_what_is_not_open),
        OVER_ALL(SRV_26_closing_twice),
        OVER_ALL(SRV_27_close_right_after_listen),
        FIXTURE_TEST(SRV_27_close_while_a_name_is_looked_up),
        OVER_ALL(SRV_27_close_in_the_listening_listener),
        OVER_ALL(SRV_08_close_in_the_connection_listener),
        OVER_ALL(BN_22_close_comes_after_the_last_connections_close),
        OVER_ALL(BN_22_close_before_and_the_streams_go_later),
        OVER_SOCKETS(BN_22_the_servers_last_reference_goes_before_its_connections),
        OVER_ALL(SRV_28_close_wait_runs_the_loop),
        OVER_ALL(BN_26_close_all_ends_and_cuts_what_is_left),
        OVER_ALL(BN_26_without_grace_everything_is_cut),
        OVER_ALL(BN_26_close_all_after_close),
        OVER_ALL(BN_26_a_server_listens_again_after_close_all),
    };
    return cmocka_run_group_tests_name("server_close", tests, NULL, NULL);
}
