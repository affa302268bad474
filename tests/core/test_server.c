/* SPDX-License-Identifier: MIT */
/* Servers, row by row: listening, accepting, counting, dropping, and closing in every order. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "over.h"

/* ---- helpers ---- */

/* Everything that happened to a server, as text: "listening connection close". */
typedef struct diary {
    fixture *f;
    weir_server *server;
    char text[512];
    int code; /* of the last 'error' or callback */
    size_t count;
    weir_drop drop;
} diary;

static void write_down(diary *d, const char *word)
{
    size_t length = strlen(d->text);
    snprintf(d->text + length, sizeof(d->text) - length, "%s%s", length == 0 ? "" : " ", word);
}

static void on_event(const weir_event *event, void *arg)
{
    diary *d = arg;
    assert_ptr_equal(event->target_server, d->server);
    assert_null(event->target_stream);
    if (event->type == WEIR_EVENT_ERROR) {
        d->code = event->error->code;
        write_down(d, fixture_text(d->f, "error:%s", event->error->name));
        return;
    }
    if (event->type == WEIR_EVENT_DROP) {
        d->drop = *event->drop;
    }
    write_down(d, weir_event_name(event->type));
}

static void keep_diary(diary *d, fixture *f, weir_server *server)
{
    static const weir_event_type types[] = {WEIR_EVENT_LISTENING, WEIR_EVENT_CONNECTION, WEIR_EVENT_CLOSE,
                                            WEIR_EVENT_ERROR, WEIR_EVENT_DROP};
    memset(d, 0, sizeof(*d));
    d->f = f;
    d->server = server;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_code(weir_server_on(server, types[i], on_event, d), 0);
    }
}

static void expect_diary(const diary *d, const char *text)
{
    assert_string_equal(d->text, text);
}

static void on_closed(weir_server *server, int status, void *arg)
{
    diary *d = arg;
    assert_ptr_equal(server, d->server);
    d->code = status;
    write_down(d, status == 0 ? "closed" : weir_error_name(status));
}

static void on_count(weir_server *server, int count, void *arg)
{
    diary *d = arg;
    assert_ptr_equal(server, d->server);
    d->count = (size_t)count;
    write_down(d, "counted");
}

/* A server with a diary that does not listen; give it back. */
static weir_server *fresh(fixture *f, diary *d, const weir_server_options *options)
{
    weir_server *server = weir_server_new(f->runtime, options);
    keep_diary(d, f, server);
    return server;
}

/* Streams of 'connection' that nobody reads, so that they stay. */
static weir_server *listening(fixture *f, diary *d, const weir_server_options *options)
{
    f->record = 0;
    weir_server *server = over_listen(f, options);
    keep_diary(d, f, server);
    return server;
}

static int has_closed(const diary *d)
{
    return strstr(d->text, " close") != NULL;
}

static void wait_for_close(const diary *d)
{
    while (!has_closed(d)) {
        int alive = uv_run(&d->f->loop, UV_RUN_ONCE);
        assert_true(alive || has_closed(d));
    }
}

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
    weir_server *server = fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, over_here(f), on_event, &d), 0);
    expect_diary(&d, "");
    turns(f);
    expect_diary(&d, "listening listening"); /* the diary's own, and the one-time listener */
    assert_int_equal(weir_server_listening(server), 1);
    assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_LISTENING), 1);
    weir_server_release(server);
}

static void SRV_33_bad_endpoints_are_refused_at_once(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, "nonsense", on_event, &d), WEIR_EINVALID_ENDPOINT);
    assert_code(weir_server_listen(server, "nosuchtransport:x", on_event, &d), WEIR_ENOPLUGIN);
    assert_code(weir_server_listen(server, "mem:x?noSuchOption=1", on_event, &d), WEIR_EINVALID_CONFIG);
    assert_code(weir_server_listen(server, NULL, NULL, NULL), UV_EINVAL);
    assert_code(weir_server_listen(NULL, "mem:x", NULL, NULL), UV_EINVAL);
    turns(f);
    expect_diary(&d, "");
    assert_int_equal(weir_server_listener_count(server, WEIR_EVENT_LISTENING), 1);
    assert_code(weir_server_listen(server, "mem:x", NULL, NULL), 0);
    turns(f);
    expect_diary(&d, "listening");
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
    weir_server *server = fresh(f, &d, NULL);
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
    weir_server *server = fresh(f, &d, NULL);
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
    weir_server *server = fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, fixture_url(f, taken), NULL, NULL), 0);
    expect_diary(&d, "");
    turns(f);
    expect_diary(&d, "error:EADDRINUSE");
    assert_int_equal(weir_server_listening(server), 0);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    turns(f);
    expect_diary(&d, "error:EADDRINUSE listening");
    weir_server_release(server);
}

static void SRV_35_on_failure_the_listener_waits_for_the_next_listen(void **state)
{
    fixture *f = *state;
    static diary d;
    int heard = 1;
    weir_server *taken = over_listen(f, NULL);
    weir_server *server = fresh(f, &d, NULL);
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
        weir_server *server = fresh(f, d, NULL);
        retry again = {.endpoint = over_here(f), .close_first = close_first, .left = 1, .code = 1};
        weir_server_on(server, WEIR_EVENT_ERROR, listen_here, &again);
        assert_code(weir_server_listen(server, fixture_url(f, taken), NULL, NULL), 0);
        turns(f);
        assert_code(again.code, 0);
        expect_diary(d, "error:EADDRINUSE listening");
        assert_int_equal(weir_server_listening(server), 1);
        weir_server_release(server);
    }
}

static void SRV_39_listening_again_in_the_close_listener(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    retry again = {.endpoint = fixture_url(f, server), .left = 2, .code = 1};
    weir_server_on(server, WEIR_EVENT_CLOSE, listen_here, &again);
    for (int i = 0; i < 3; i++) {
        assert_code(weir_server_close(server, on_closed, &d), 0);
        turns(f);
    }
    expect_diary(&d, "closed close listening closed close listening closed close");
    assert_int_equal(weir_server_listening(server), 0);
}

static void SRV_39_listening_again_serves_again(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_destroy(p.accepted, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    turns(f);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    fixture_connect(f, server, NULL, NULL);
    expect_diary(&d, "connection close listening connection");
}

static void SRV_40_listening_twice_is_refused(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    assert_code(weir_server_listen(server, over_here(f), on_event, &d), WEIR_ESERVER_ALREADY_LISTEN);
    turns(f);
    assert_code(weir_server_listen(server, over_here(f), on_event, &d), WEIR_ESERVER_ALREADY_LISTEN);
    turns(f);
    expect_diary(&d, "listening");
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
    weir_server *server = listening(f, &d, NULL);
    weir_server_prepend(server, WEIR_EVENT_CONNECTION, look_at_connection, &a);
    pair p = fixture_connect(f, server, NULL, NULL);
    turns(f);
    assert_int_equal(a.seen, 1);
    assert_ptr_equal(p.accepted->stream, a.stream);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_CONNECT], 0);
    assert_int_equal(p.accepted->counts[WEIR_EVENT_READY], 0);
    expect_diary(&d, "connection");
}

static void SRV_05_every_client_gets_its_connection(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
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
    weir_server *server = listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    assert_int_equal(weir_server_connections(server), 2);
    assert_code(weir_server_get_connections(server, on_count, &d), 0);
    expect_diary(&d, "connection connection");
    turns(f);
    expect_diary(&d, "connection connection counted");
    assert_int_equal(d.count, 2);
    recorder_destroy(p.accepted, NULL);
    over_wait_closed(p.accepted);
    assert_int_equal(weir_server_connections(server), 1);
    assert_code(weir_server_get_connections(server, NULL, NULL), UV_EINVAL);
}

static void SRV_31_a_server_that_is_released_still_calls_back(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = fresh(f, &d, NULL);
    assert_code(weir_server_get_connections(server, on_count, &d), 0);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    weir_server_release(server);
    turns(f);
    expect_diary(&d, "counted ERR_SERVER_NOT_RUNNING");
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
    weir_server *server = listening(f, &d, NULL);
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
    weir_server *server = listening(f, &d, &options);
    fixture_connect(f, server, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    f->record = RECORD_DATA;
    recorder *third = fixture_client(f, fixture_url(f, server), NULL);
    over_wait_closed(third);
    expect_diary(&d, "connection connection drop");
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
    weir_server *server = listening(f, &d, &options);
    fixture_connect(f, server, NULL, NULL);
    recorder *second = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(second, WEIR_EVENT_READY);
    if (over_is(f, "tcp")) {
        assert_code(weir_stream_local_address(second->stream, &who), 0);
        assert_code(weir_server_address(server, &where), 0);
    }
    turns(f);
    expect_diary(&d, "connection drop");
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
    weir_server *server = listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    fixture_connect(f, server, NULL, NULL);
    weir_server_set_max_connections(server, 1);
    assert_int_equal(weir_server_max_connections(server), 1);
    turns(f);
    assert_int_equal(weir_server_connections(server), 2); /* those that are there stay */
    fixture_client(f, fixture_url(f, server), NULL);
    turns(f);
    expect_diary(&d, "connection connection drop");
    weir_server_set_max_connections(server, 0); /* no limit */
    fixture_connect(f, server, NULL, NULL);
    weir_server_set_max_connections(server, 2);
    recorder_destroy(p.accepted, NULL);
    over_wait_closed(p.accepted);
    fixture_client(f, fixture_url(f, server), NULL);
    turns(f);
    expect_diary(&d, "connection connection drop connection drop");
    weir_server_set_max_connections(server, 3);
    fixture_connect(f, server, NULL, NULL);
}

/* ---- close ---- */

static void SRV_21_SRV_23_close_without_connections(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    expect_diary(&d, "");
    turns(f);
    expect_diary(&d, "closed close");
    assert_int_equal(d.code, 0);
}

static void SRV_07_SRV_08_close_waits_for_the_connections(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    pair first = fixture_connect(f, server, NULL, NULL);
    pair second = fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    turns(f);
    expect_diary(&d, "connection connection");
    recorder_add(first.accepted, RECORD_DATA);
    recorder_write(first.client, "still served", 12);
    recorder_wait_data(first.accepted, 12);
    recorder_destroy(first.accepted, NULL);
    turns(f);
    expect_diary(&d, "connection connection");
    recorder_destroy(second.accepted, NULL);
    turns(f);
    expect_diary(&d, "connection connection closed close");
}

static void SRV_22_after_close_nobody_is_let_in(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    recorder *late = fixture_client(f, url, NULL);
    over_wait_closed(late);
    assert_int_equal(late->counts[WEIR_EVENT_CONNECT], 0);
    expect_diary(&d, "connection");
}

static void SRV_24_closing_what_is_not_open(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = fresh(f, &d, NULL);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    expect_diary(&d, "");
    turns(f);
    expect_diary(&d, "ERR_SERVER_NOT_RUNNING"); /* no 'close' */
    assert_code(weir_server_close(server, NULL, NULL), 0);
    turns(f);
    expect_diary(&d, "ERR_SERVER_NOT_RUNNING");
    assert_code(weir_server_close(NULL, NULL, NULL), UV_EINVAL);
    weir_server_release(server);
}

static void SRV_26_closing_twice(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    turns(f);
    expect_diary(&d, "connection ERR_SERVER_NOT_RUNNING");
    recorder_destroy(p.accepted, NULL);
    turns(f);
    expect_diary(&d, "connection ERR_SERVER_NOT_RUNNING closed close");
    assert_code(weir_server_close(server, on_closed, &d), 0);
    turns(f);
    expect_diary(&d, "connection ERR_SERVER_NOT_RUNNING closed close ERR_SERVER_NOT_RUNNING");
}

static void SRV_27_close_right_after_listen(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = fresh(f, &d, NULL);
    const char *here = over_here(f);
    assert_code(weir_server_listen(server, here, NULL, NULL), 0);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    turns(f);
    expect_diary(&d, "closed close");
    assert_int_equal(weir_server_listening(server), 0);
    assert_code(weir_server_listen(server, here, NULL, NULL), 0); /* the place is free */
    turns(f);
    expect_diary(&d, "closed close listening");
    weir_server_release(server);
}

static void SRV_27_close_while_a_name_is_looked_up(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, "tcp://localhost:0", NULL, NULL), 0);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    weir_server_release(weir_server_retain(server));
    fixture_run(f);
    expect_diary(&d, "closed close");
    assert_int_equal(weir_server_listening(server), 0);
    weir_server_release(server);
}

static void close_here(const weir_event *event, void *arg)
{
    (void)event;
    diary *d = arg;
    assert_code(weir_server_close(d->server, on_closed, d), 0);
}

static void SRV_27_close_in_the_listening_listener(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, over_here(f), close_here, &d), 0);
    turns(f);
    expect_diary(&d, "listening closed close");
    weir_server_release(server);
}

static void SRV_08_close_in_the_connection_listener(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    weir_server_once(server, WEIR_EVENT_CONNECTION, close_here, &d);
    pair p = fixture_connect(f, server, NULL, NULL);
    turns(f);
    expect_diary(&d, "connection");
    recorder_destroy(p.accepted, NULL);
    turns(f);
    expect_diary(&d, "connection closed close");
}

static void write_down_stream_close(const weir_event *event, void *arg)
{
    diary *d = arg;
    (void)event;
    write_down(d, "streamClose");
}

static void BN_22_close_comes_after_the_last_connections_close(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    pair first = fixture_connect(f, server, NULL, NULL);
    pair second = fixture_connect(f, server, NULL, NULL);
    weir_stream_on(first.accepted->stream, WEIR_EVENT_CLOSE, write_down_stream_close, &d);
    weir_stream_on(second.accepted->stream, WEIR_EVENT_CLOSE, write_down_stream_close, &d);
    recorder_destroy(first.accepted, NULL);
    recorder_destroy(second.accepted, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    turns(f);
    expect_diary(&d, "connection connection streamClose streamClose close");
}

static void BN_22_close_before_and_the_streams_go_later(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_CLOSE, write_down_stream_close, &d);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_CLOSE, close_here, &d);
    recorder_destroy(p.accepted, NULL);
    turns(f);
    expect_diary(&d, "connection streamClose closed close");
}

static void BN_22_the_servers_last_reference_goes_before_its_connections(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = fresh(f, &d, NULL);
    arrival a = {.d = &d};
    weir_server_on(server, WEIR_EVENT_CONNECTION, look_at_connection, &a);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    turns(f);
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    fixture_until(f, &a.seen);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    weir_server_release(server);
    turns(f);
    expect_diary(&d, "listening connection");
    recorder_destroy(client, NULL);
    weir_stream_resume(a.stream);
    wait_for_close(&d);
    turns(f);
    expect_diary(&d, "listening connection closed close");
}

static void SRV_28_close_wait_runs_the_loop(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_runtime_enter(f->runtime);
    assert_code(weir_server_close_wait(server), UV_EBUSY);
    weir_runtime_leave(f->runtime);
    recorder_add(p.accepted, RECORD_DATA);
    recorder_end(p.client);
    recorder_add(p.client, RECORD_DATA);
    assert_code(weir_server_close_wait(server), 0);
    expect_diary(&d, "connection close");
    assert_code(weir_server_close_wait(server), WEIR_ESERVER_NOT_RUNNING);
    assert_code(weir_server_close_wait(NULL), WEIR_ESERVER_NOT_RUNNING);
}

/* ---- closing everything ---- */

static void BN_26_close_all_ends_and_cuts_what_is_left(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    pair willing = fixture_connect(f, server, NULL, NULL);
    pair stubborn = fixture_connect(f, server, NULL, NULL);
    recorder_add(willing.client, RECORD_DATA);
    recorder_add(willing.accepted, RECORD_DATA);
    recorder_write(willing.accepted, "last words", 10);
    assert_code(weir_server_close_all(server, 20, on_closed, &d), 0);
    wait_for_close(&d);
    over_wait_closed(willing.client);
    recorder_expect_data(willing.client, "last words", 10);
    assert_true(recorder_saw(willing.accepted, "end"));
    assert_int_equal(stubborn.accepted->counts[WEIR_EVENT_END], 0);
    assert_int_equal(stubborn.accepted->counts[WEIR_EVENT_CLOSE], 1);
    expect_diary(&d, "connection connection closed close");
}

static void BN_26_without_grace_everything_is_cut(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    over_stall(f, p.accepted);
    assert_code(weir_server_close_all(server, 0, on_closed, &d), 0);
    assert_int_equal(weir_stream_destroyed(p.accepted->stream), 1);
    turns(f);
    expect_diary(&d, "connection closed close");
}

static void BN_26_close_all_after_close(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, on_closed, &d), 0);
    turns(f);
    assert_code(weir_server_close_all(server, 0, on_closed, &d), 0);
    turns(f);
    assert_true(strstr(d.text, "connection") == d.text);
    assert_non_null(strstr(d.text, "ERR_SERVER_NOT_RUNNING"));
    assert_non_null(strstr(d.text, "closed close"));
}

static void BN_26_a_server_listens_again_after_close_all(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_add(p.client, RECORD_DATA);
    recorder_add(p.accepted, RECORD_DATA);
    assert_code(weir_server_close_all(server, 3600000, on_closed, &d), 0);
    turns(f);
    expect_diary(&d, "connection closed close"); /* no need to wait for the grace */
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    fixture_connect(f, server, NULL, NULL);
    turns(f);
    assert_int_equal(weir_server_connections(server), 1);
}

/* ---- the loop ---- */

static void SRV_71_SRV_72_SRV_73_SRV_74_ref_and_unref(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = listening(f, &d, NULL);
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
    weir_server *server = fresh(f, &d, NULL);
    weir_server_unref(server);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    fixture_run(f);
    expect_diary(&d, "listening");
    assert_int_equal(weir_server_listening(server), 1);
    weir_server_release(server);
}

static void SRV_21_the_runtimes_end_closes_servers(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = weir_server_retain(listening(f, &d, NULL));
    fixture_connect(f, server, NULL, NULL);
    fixture_end(f);
    expect_diary(&d, "connection close");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        FIXTURE_TEST(SRV_31_a_server_that_is_released_still_calls_back),
        OVER_ALL(SRV_31_each_visits_every_connection),
        OVER_ALL(SRV_12_SRV_15_SRV_68_one_too_many_is_dropped),
        OVER_ALL(SRV_13_SRV_14_drop_says_who_it_was),
        OVER_ALL(SRV_69_the_limit_changes_at_run_time),
        OVER_ALL(SRV_21_SRV_23_close_without_connections),
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
        OVER_SOCKETS(SRV_71_SRV_72_SRV_73_SRV_74_ref_and_unref),
        OVER_SOCKETS(SRV_73_unref_before_listen_is_remembered),
        OVER_ALL(SRV_21_the_runtimes_end_closes_servers),
        OVER_ALL(CSRV_02_CSRV_04_CSRV_10_options_of_accepted_streams),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
