/* SPDX-License-Identifier: MIT */
/* Servers, row by row: listening, accepting, counting, dropping. */
#include <string.h>
#include <unistd.h>

#include "diary.h"

static void turns(fixture *f)
{
    fixture_turns(f, OVER_TURNS);
}

/* ---- making ---- */

static void SRV_02_SRV_03_a_new_server_opens_nothing(void **state)
{
    fixture *f = *state;
    weir_address address;
    int descriptors = fixture_descriptors();
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_int_equal(fixture_descriptors(), descriptors);
    assert_int_equal(weir_server_listening(server), 0);
    assert_int_equal(weir_server_connections(server), 0);
    assert_true(weir_server_max_connections(server) < 1);
    assert_code(weir_server_address(server, &address), UV_ENOTCONN);
    assert_code(weir_server_export_fd(server), UV_ENOTCONN);
    assert_ptr_equal(weir_server_runtime(server), f->runtime);
    weir_server_release(server);
    assert_null(weir_server_new(NULL, NULL));
}

/* ---- listening ---- */

static void SRV_04_SRV_34_SRV_35_listening_comes_once_and_later(void **state)
{
    fixture *f = *state;
    static diary d; /* servers are closed, and told of it, in the teardown */
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, over_here(f), diary_event, &d), 0);
    diary_expect(&d, "");
    turns(f);
    diary_expect(&d, "listening listening"); /* the diary's own, and the one-time listener */
    assert_int_equal(weir_server_listening(server), 1);
    assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_LISTENING), 1);
    weir_server_release(server);
}

static void SRV_33_bad_endpoints_are_refused_at_once(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, "nonsense", diary_event, &d), WEIR_EINVALID_ENDPOINT);
    assert_code(weir_server_listen(server, "nosuchtransport:x", diary_event, &d), WEIR_ENOPLUGIN);
    assert_code(weir_server_listen(server, "mem:x?noSuchOption=1", diary_event, &d), WEIR_EINVALID_CONFIG);
    assert_code(weir_server_listen(server, NULL, NULL, NULL), UV_EINVAL);
    assert_code(weir_server_listen(NULL, "mem:x", NULL, NULL), UV_EINVAL);
    turns(f);
    diary_expect(&d, "");
    assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_LISTENING), 1);
    assert_code(weir_server_listen(server, "mem:x", NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "listening");
    weir_server_release(server);
}

static void note_address(const weir_event *event, void *arg)
{
    int *code = arg;
    weir_address address;
    *code = weir_server_address(event->target_server, &address);
}

static void SRV_19_SRV_20_address_from_listening_to_close(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_address address;
    int in_listening = 1;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, over_here(f), note_address, &in_listening), 0);
    assert_code(weir_server_address(server, &address), UV_ENOTCONN);
    turns(f);
    assert_code(in_listening, 0);
    assert_code(weir_server_address(server, &address), 0);
    assert_int_equal(address.family, over_is(f, "tcp") ? WEIR_FAMILY_IPV4 : WEIR_FAMILY_PATH);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_address(server, &address), UV_ENOTCONN);
    turns(f);
    assert_code(weir_server_address(server, &address), UV_ENOTCONN);
    weir_server_release(server);
}

static void SRV_67_listening_is_a_fact(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_int_equal(weir_server_listening(server), 0);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    turns(f);
    assert_int_equal(weir_server_listening(server), 1);
    weir_server_close(server, NULL, NULL);
    assert_int_equal(weir_server_listening(server), 0);
    weir_server_release(server);
}

/* ---- errors of listen ---- */

static void SRV_09_SRV_10_SRV_11_SRV_42_a_taken_place_is_an_error_without_close(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *taken = over_listen(f, NULL);
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, fixture_url(f, taken), NULL, NULL), 0);
    diary_expect(&d, "");
    turns(f);
    diary_expect(&d, "error:EADDRINUSE");
    assert_int_equal(weir_server_listening(server), 0);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "error:EADDRINUSE listening");
    weir_server_release(server);
}

static void SRV_35_on_failure_the_listener_waits_for_the_next_listen(void **state)
{
    fixture *f = *state;
    static diary d;
    int heard = 1;
    weir_server *taken = over_listen(f, NULL);
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, fixture_url(f, taken), note_address, &heard), 0);
    turns(f);
    assert_int_equal(heard, 1);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    turns(f);
    assert_code(heard, 0);
    assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_LISTENING), 1);
    weir_server_release(server);
}

typedef struct retry {
    const char *endpoint;
    int close_first;
    int left;
    int code;
} retry;

static void listen_here(const weir_event *event, void *arg)
{
    retry *again = arg;
    if (again->left-- > 0) {
        if (again->close_first) {
            assert_code(weir_server_close(event->target_server, NULL, NULL), 0);
        }
        again->code = weir_server_listen(event->target_server, again->endpoint, NULL, NULL);
    }
}

static void SRV_39_SRV_43_listening_again_in_the_error_listener(void **state)
{
    fixture *f = *state;
    static diary diaries[2];
    for (int close_first = 0; close_first < 2; close_first++) {
        diary *d = &diaries[close_first];
        weir_server *taken = over_listen(f, NULL);
        weir_server *server = diary_fresh(f, d, NULL);
        retry again = {.endpoint = over_here(f), .close_first = close_first, .left = 1, .code = 1};
        weir_server_on(server, WEIR_EVENT_ERROR, listen_here, &again);
        assert_code(weir_server_listen(server, fixture_url(f, taken), NULL, NULL), 0);
        turns(f);
        assert_code(again.code, 0);
        diary_expect(d, "error:EADDRINUSE listening");
        assert_int_equal(weir_server_listening(server), 1);
        weir_server_release(server);
    }
}

static void SRV_39_listening_again_in_the_close_listener(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    retry again = {.endpoint = fixture_url(f, server), .left = 2, .code = 1};
    weir_server_on(server, WEIR_EVENT_CLOSE, listen_here, &again);
    for (int i = 0; i < 3; i++) {
        assert_code(weir_server_close(server, diary_closed, &d), 0);
        turns(f);
    }
    diary_expect(&d, "close closed listening close closed listening close closed");
    assert_int_equal(weir_server_listening(server), 0);
}

static void SRV_39_listening_again_serves_again(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_destroy(p.accepted, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    turns(f);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    fixture_connect(f, server, NULL, NULL);
    diary_expect(&d, "connection close listening connection");
}

static void SRV_40_listening_twice_is_refused(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    assert_code(weir_server_listen(server, over_here(f), diary_event, &d), WEIR_ESERVER_ALREADY_LISTEN);
    turns(f);
    assert_code(weir_server_listen(server, over_here(f), diary_event, &d), WEIR_ESERVER_ALREADY_LISTEN);
    turns(f);
    diary_expect(&d, "listening");
    weir_server_release(server);
}

/* ---- connections ---- */

typedef struct arrival {
    diary *d;
    weir_stream *stream;
    int seen;
} arrival;

static void look_at_connection(const weir_event *event, void *arg)
{
    arrival *a = arg;
    weir_address address;
    a->stream = event->stream;
    a->seen = 1;
    assert_int_equal(weir_stream_ready_state(event->stream), WEIR_READY_OPEN);
    assert_int_equal(weir_stream_connecting(event->stream), 0);
    assert_int_equal(weir_stream_pending(event->stream), 0);
    assert_ptr_equal(weir_stream_server(event->stream), event->target_server);
    assert_int_equal(weir_server_connections(event->target_server), 1);
    if (over_is(a->d->f, "tcp")) {
        assert_code(weir_stream_remote_address(event->stream, &address), 0);
        assert_int_equal(address.family, WEIR_FAMILY_IPV4);
        assert_true(address.port != 0);
        assert_code(weir_stream_local_address(event->stream, &address), 0);
        assert_true(address.port != 0);
    }
}

static void SRV_05_SRV_06_connection_brings_an_open_stream(void **state)
{
    fixture *f = *state;
    static diary d;
    arrival a = {.d = &d};
    weir_server *server = diary_listening(f, &d, NULL);
    weir_server_prepend(server, WEIR_EVENT_CONNECTION, look_at_connection, &a);
    pair p = fixture_connect(f, server, NULL, NULL);
    turns(f);
    assert_int_equal(a.seen, 1);
    assert_ptr_equal(p.accepted->stream, a.stream);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_CONNECT], 0);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_READY], 0);
    diary_expect(&d, "connection");
}

static void SRV_05_every_client_gets_its_connection(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    for (int i = 0; i < 30; i++) {
        recorder *client = fixture_client(f, fixture_url(f, server), NULL);
        recorder_write(client, "x", 1);
    }
    for (size_t i = 0; i < 30; i++) {
        recorder *accepted = fixture_accepted(f, server, i);
        recorder_add(accepted, RECORD_DATA);
        recorder_wait_data(accepted, 1);
    }
    assert_int_equal(weir_server_connections(server), 30);
}

static void SRV_29_SRV_31_connections_are_counted(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    assert_int_equal(weir_server_connections(server), 2);
    assert_code(weir_server_get_connections(server, diary_counted, &d), 0);
    diary_expect(&d, "connection connection");
    turns(f);
    diary_expect(&d, "connection connection counted");
    assert_int_equal(d.count, 2);
    recorder_destroy(p.accepted, NULL);
    over_wait_closed(p.accepted);
    assert_int_equal(weir_server_connections(server), 1);
    assert_code(weir_server_get_connections(server, NULL, NULL), UV_EINVAL);
}

static void SRV_31_a_server_that_is_released_still_counts(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_get_connections(server, diary_counted, &d), 0);
    weir_server_release(server);
    turns(f);
    diary_expect(&d, "counted");
}

static void SRV_24_a_server_that_is_released_still_calls_back(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    weir_server_release(server);
    turns(f);
    diary_expect(&d, "ERR_SERVER_NOT_RUNNING");
}

static void destroy_it(weir_stream *stream, void *arg)
{
    size_t *count = arg;
    ++*count;
    weir_stream_destroy(stream, NULL);
}

static void SRV_31_each_visits_every_connection(void **state)
{
    fixture *f = *state;
    static diary d;
    size_t count = 0;
    weir_server *server = diary_listening(f, &d, NULL);
    for (int i = 0; i < 5; i++) {
        fixture_connect(f, server, NULL, NULL);
    }
    weir_server_each(server, destroy_it, &count);
    assert_int_equal(count, 5);
    turns(f);
    assert_int_equal(weir_server_connections(server), 0);
}

/* ---- drop ---- */

static weir_server_options at_most(int64_t count)
{
    weir_server_options options;
    weir_server_options_init(&options);
    options.max_connections = count;
    return options;
}

static void SRV_12_SRV_15_SRV_68_one_too_many_is_dropped(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server_options options = at_most(2);
    weir_server *server = diary_listening(f, &d, &options);
    fixture_connect(f, server, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    f->record = RECORD_DATA;
    recorder *third = fixture_client(f, fixture_url(f, server), NULL);
    over_wait_closed(third);
    assert_int_equal(third->counts[WEIR_EVENT_CONNECT], 1); /* the kernel had let it in */
    if (!over_is(f, "mem")) {                               /* which resets */
        over_expect_tail(third, "end finish close");
    }
    diary_expect(&d, "connection connection drop");
    assert_int_equal(weir_server_connections(server), 2);
    assert_int_equal(d.drop.reason, WEIR_DROP_MAX_CONNECTIONS);
}

static void SRV_13_SRV_14_drop_says_who_it_was(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_address where;
    weir_address who;
    weir_server_options options = at_most(1);
    weir_server *server = diary_listening(f, &d, &options);
    fixture_connect(f, server, NULL, NULL);
    recorder *second = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(second, WEIR_EVENT_READY);
    if (over_is(f, "tcp")) {
        assert_code(weir_stream_local_address(second->stream, &who), 0);
        assert_code(weir_server_address(server, &where), 0);
    }
    turns(f);
    diary_expect(&d, "connection drop");
    if (over_is(f, "tcp")) {
        assert_true(weir_address_equal(&d.drop.remote, &who));
        assert_true(weir_address_equal(&d.drop.local, &where));
        assert_int_equal(d.drop.peer_pid, -1);
    } else {
        assert_true(d.drop.remote.family == WEIR_FAMILY_NONE || d.drop.remote.family == WEIR_FAMILY_PATH);
    }
    if (over_is(f, "ipc")) { /* BN-09 */
        assert_int_equal(d.drop.peer_pid, getpid());
        assert_int_equal(d.drop.peer_uid, getuid());
        assert_int_equal(d.drop.peer_gid, getgid());
    }
}

static void SRV_69_the_limit_changes_at_run_time(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    weir_server_set_max_connections(server, 1);
    assert_int_equal(weir_server_max_connections(server), 1);
    turns(f);
    assert_int_equal(weir_server_connections(server), 2); /* those that are there stay */
    fixture_client(f, fixture_url(f, server), NULL);
    turns(f);
    diary_expect(&d, "connection connection drop");
    weir_server_set_max_connections(server, 0); /* no limit */
    fixture_connect(f, server, NULL, NULL);
    weir_server_set_max_connections(server, 2);
    recorder_destroy(p.accepted, NULL);
    over_wait_closed(p.accepted);
    fixture_client(f, fixture_url(f, server), NULL);
    turns(f);
    diary_expect(&d, "connection connection drop connection drop");
    weir_server_set_max_connections(server, 3);
    fixture_connect(f, server, NULL, NULL);
}

/* ---- the loop ---- */

static void SRV_71_SRV_72_SRV_73_SRV_74_ref_and_unref(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    assert_true(uv_loop_alive(&f->loop));
    weir_server_unref(server);
    weir_server_unref(server);
    fixture_run(f);
    assert_int_equal(weir_server_listening(server), 1);
    weir_server_ref(server); /* not counted */
    assert_true(uv_loop_alive(&f->loop));
    weir_server_ref(server);
    weir_server_unref(server);
    fixture_run(f);
    weir_server_ref(server);
    assert_true(uv_loop_alive(&f->loop));
}

static void SRV_73_unref_before_listen_is_remembered(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    weir_server_unref(server);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    fixture_run(f);
    diary_expect(&d, "listening");
    assert_int_equal(weir_server_listening(server), 1);
    weir_server_release(server);
}

static void SRV_21_the_runtimes_end_closes_servers(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = weir_server_retain(diary_listening(f, &d, NULL));
    fixture_connect(f, server, NULL, NULL);
    fixture_end(f);
    diary_expect(&d, "connection close");
    assert_int_equal(weir_server_listening(server), 0);
    assert_null(weir_server_runtime(server));
    assert_code(weir_server_listen(server, "mem:x", NULL, NULL), UV_ECANCELED);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_close_wait(server), WEIR_ESERVER_NOT_RUNNING);
    weir_server_release(server);
}

/* ---- options for accepted streams ---- */

static void CSRV_02_CSRV_04_CSRV_10_options_of_accepted_streams(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.allow_half_open = 1;
    options.stream.pause_on_connect = 1;
    options.stream.readable_high_water_mark = 11;
    options.stream.writable_high_water_mark = 12;
    pair p = over_pair_with(f, RECORD_DATA, NULL, RECORD_DATA, &options);
    assert_int_equal(weir_stream_readable_high_water_mark(p.accepted->stream), 11);
    assert_int_equal(weir_stream_writable_high_water_mark(p.accepted->stream), 12);
    assert_int_equal(weir_stream_is_paused(p.accepted->stream), 1);
    recorder_write(p.client, "hello", 5);
    recorder_end(p.client);
    turns(f);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 0); /* CSRV-05 */
    recorder_resume(p.accepted);
    recorder_wait(p.accepted, WEIR_EVENT_END);
    turns(f);
    assert_int_equal(weir_stream_writable(p.accepted->stream), 1);
}

/* ---- arrivals that wait in the queue together ---- */

#define CROWD 3

/* Clients that connect at once; what listeners do with the first of them is done before the next is looked at. */
static void crowd(fixture *f, weir_server *server, recorder **clients)
{
    f->record = RECORD_DATA;
    for (size_t i = 0; i < CROWD; i++) {
        clients[i] = fixture_client(f, fixture_url(f, server), NULL);
    }
}

static void wait_crowd_closed(recorder **clients, size_t first)
{
    for (size_t i = first; i < CROWD; i++) {
        over_wait_closed(clients[i]);
    }
}

static void SRV_12_a_drop_is_told_behind_the_connections_before_it(void **state)
{
    fixture *f = *state;
    static diary d;
    recorder *clients[CROWD];
    weir_server_options options = at_most(1);
    crowd(f, diary_listening(f, &d, &options), clients);
    turns(f);
    diary_expect(&d, "connection drop drop");
}

static void destroy_arrival(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_destroy(event->stream, NULL);
}

static void SRV_08_SRV_69_who_is_destroyed_at_once_leaves_room_for_the_next(void **state)
{
    fixture *f = *state;
    static diary d;
    recorder *clients[CROWD];
    weir_server_options options = at_most(1);
    weir_server *server = diary_listening(f, &d, &options);
    weir_server_on(server, WEIR_EVENT_CONNECTION, destroy_arrival, NULL);
    crowd(f, server, clients);
    wait_crowd_closed(clients, 0);
    diary_expect(&d, "connection connection connection");
}

static void close_server(const weir_event *event, void *arg)
{
    weir_server_close(event->target_server, NULL, NULL);
    (void)arg;
}

static void SRV_21_close_in_a_connection_listener_takes_nobody_else(void **state)
{
    fixture *f = *state;
    static diary d;
    recorder *clients[CROWD];
    weir_server *server = diary_listening(f, &d, NULL);
    weir_server_on(server, WEIR_EVENT_CONNECTION, close_server, NULL);
    crowd(f, server, clients);
    turns(f);
    size_t closed = 0;
    for (size_t i = 0; i < CROWD; i++) {
        closed += clients[i]->counts[WEIR_EVENT_CLOSE];
    }
    diary_expect(&d, "connection");
    assert_int_equal(closed, CROWD - 1);
}

static void SRV_08_LIFE_16_a_destroyed_stream_is_not_counted(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair first = fixture_connect(f, server, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    assert_int_equal(weir_server_connections(server), 2);
    recorder_destroy(first.accepted, NULL);
    assert_int_equal(weir_server_connections(server), 1);
    over_wait_closed(first.accepted);
    assert_int_equal(weir_server_connections(server), 1);
}

static void note_server(const weir_event *event, void *arg)
{
    *(weir_server **)arg = weir_stream_server(event->stream);
}

static void SRV_05_a_stream_knows_its_server_in_close_too(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *seen = NULL;
    weir_server *server = diary_listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_CLOSE, note_server, &seen);
    recorder_destroy(p.accepted, NULL);
    over_wait_closed(p.accepted);
    assert_ptr_equal(seen, server);
    assert_null(weir_stream_server(p.accepted->stream)); /* which may have gone by now */
    assert_null(weir_stream_server(p.client->stream));
}

static void SRV_19_the_text_of_a_server_that_never_listened_is_empty(void **state)
{
    fixture *f = *state;
    char text[8] = "before";
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_int_equal(weir_server_format(server, text, sizeof(text)), 0);
    assert_string_equal(text, "");
    assert_int_equal(weir_server_format(server, NULL, 0), 0);
    weir_server_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(SRV_19_the_text_of_a_server_that_never_listened_is_empty),
        FIXTURE_TEST(SRV_02_SRV_03_a_new_server_opens_nothing),
        OVER_ALL(SRV_04_SRV_34_SRV_35_listening_comes_once_and_later),
        FIXTURE_TEST(SRV_33_bad_endpoints_are_refused_at_once),
        OVER_ALL(SRV_19_SRV_20_address_from_listening_to_close),
        OVER_ALL(SRV_67_listening_is_a_fact),
        OVER_ALL(SRV_09_SRV_10_SRV_11_SRV_42_a_taken_place_is_an_error_without_close),
        OVER_ALL(SRV_35_on_failure_the_listener_waits_for_the_next_listen),
        OVER_ALL(SRV_39_SRV_43_listening_again_in_the_error_listener),
        OVER_ALL(SRV_39_listening_again_in_the_close_listener),
        OVER_ALL(SRV_39_listening_again_serves_again),
        OVER_ALL(SRV_40_listening_twice_is_refused),
        OVER_ALL(SRV_05_SRV_06_connection_brings_an_open_stream),
        OVER_ALL(SRV_05_every_client_gets_its_connection),
        OVER_ALL(SRV_29_SRV_31_connections_are_counted),
        FIXTURE_TEST(SRV_31_a_server_that_is_released_still_counts),
        FIXTURE_TEST(SRV_24_a_server_that_is_released_still_calls_back),
        OVER_ALL(SRV_31_each_visits_every_connection),
        OVER_ALL(SRV_12_SRV_15_SRV_68_one_too_many_is_dropped),
        OVER_ALL(SRV_13_SRV_14_drop_says_who_it_was),
        OVER_ALL(SRV_69_the_limit_changes_at_run_time),
        OVER_ALL(SRV_12_a_drop_is_told_behind_the_connections_before_it),
        OVER_ALL(SRV_08_SRV_69_who_is_destroyed_at_once_leaves_room_for_the_next),
        OVER_SOCKETS(SRV_21_close_in_a_connection_listener_takes_nobody_else),
        OVER_ALL(SRV_08_LIFE_16_a_destroyed_stream_is_not_counted),
        OVER_ALL(SRV_05_a_stream_knows_its_server_in_close_too),
        OVER_SOCKETS(SRV_71_SRV_72_SRV_73_SRV_74_ref_and_unref),
        OVER_SOCKETS(SRV_73_unref_before_listen_is_remembered),
        OVER_ALL(SRV_21_the_runtimes_end_closes_servers),
        OVER_ALL(CSRV_02_CSRV_04_CSRV_10_options_of_accepted_streams),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
