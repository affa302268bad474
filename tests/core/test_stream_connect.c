/* SPDX-License-Identifier: MIT */
/* Connecting, row by row: the forms of connect(), second lives, and time-outs of setting up. */
#include <stdlib.h>
#include <string.h>

#include "../transports/raw_peer.h"
#include "over.h"

/* ---- connect ---- */

static void SOCM_04_CONN_01_CONN_07_every_form_connects(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    weir_endpoint *endpoint = NULL;
    int connected = 0;
    int error = 1;
    assert_code(weir_endpoint_parse(f->runtime, url, WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    weir_stream *first = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_connect_endpoint(first, endpoint, fixture_count, &connected), 0);
    weir_endpoint_release(endpoint);
    weir_stream *second = weir_connect(f->runtime, url, NULL, fixture_count, &connected, &error);
    assert_code(error, 0);
    weir_stream *third = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_connect(third, url, fixture_count, &connected), 0);
    assert_int_equal(connected, 0); /* CONN-02 */
    fixture_accepted(f, server, 2);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(connected, 3);
    weir_stream_release(first);
    weir_stream_release(second);
    weir_stream_release(third);
}

static void CONN_02_bad_endpoints_leave_the_stream_as_it_was(void **state)
{
    fixture *f = *state;
    int error = 0;
    recorder *r = over_fresh(f, NULL);
    assert_code(recorder_connect(r, "nonsense"), WEIR_EINVALID_ENDPOINT);
    assert_code(recorder_connect(r, "nosuchtransport://127.0.0.1:1"), WEIR_ENOPLUGIN);
    assert_code(recorder_connect(r, "tcp://127.0.0.1:1?noSuchOption=1"), WEIR_EINVALID_CONFIG);
    assert_code(weir_stream_connect(NULL, "tcp://127.0.0.1:1", NULL, NULL), UV_EINVAL);
    assert_null(weir_connect(f->runtime, "nonsense", NULL, NULL, NULL, &error));
    assert_code(error, WEIR_EINVALID_ENDPOINT);
    fixture_turns(f, OVER_TURNS);
    recorder_expect(r, "");
    assert_int_equal(weir_stream_destroyed(r->stream), 0);
    assert_int_equal(weir_stream_listener_count(r->stream, WEIR_EVENT_CONNECT), 1); /* the recorder's own */
}

static void CONN_04_the_connect_listener_runs_once_and_not_on_failure(void **state)
{
    fixture *f = *state;
    int connected = 0;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    recorder *failing = over_fresh(f, NULL);
    assert_code(weir_stream_connect(failing->stream, over_nowhere(f), fixture_count, &connected), 0);
    over_wait_closed(failing);
    assert_int_equal(connected, 0);
    recorder *r = over_fresh(f, NULL);
    assert_code(weir_stream_connect(r->stream, url, fixture_count, &connected), 0);
    recorder_wait(r, WEIR_EVENT_READY);
    assert_int_equal(connected, 1);
    recorder_destroy(r, NULL);
    over_wait_closed(r);
    assert_code(recorder_connect(r, url), 0);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(r->counts[WEIR_EVENT_CONNECT], 2);
    assert_int_equal(connected, 1);
}

static void note_connecting(const weir_event *event, void *arg)
{
    int *seen = arg;
    *seen = 10 + weir_stream_connecting(event->target_stream) * 2 + weir_stream_pending(event->target_stream);
}

static void SOCP_07_SOCP_14_SOCP_22_connecting_is_over_before_connect(void **state)
{
    fixture *f = *state;
    int seen = 0;
    weir_server *server = over_listen(f, NULL);
    recorder *fresh_one = over_fresh(f, NULL);
    assert_int_equal(weir_stream_pending(fresh_one->stream), 1);
    assert_int_equal(weir_stream_ready_state(fresh_one->stream), WEIR_READY_OPEN);
    recorder *client = over_connecting(f, server, NULL);
    assert_int_equal(weir_stream_connecting(client->stream), 1);
    assert_int_equal(weir_stream_pending(client->stream), 1);
    assert_int_equal(weir_stream_ready_state(client->stream), WEIR_READY_OPENING);
    weir_stream_prepend(client->stream, WEIR_EVENT_CONNECT, note_connecting, &seen);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_int_equal(seen, 10);
}

static void CONN_06_a_closed_stream_connects_again(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    f->record = RECORD_DATA;
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_write(p.client, "one", 3);
    recorder_wait_data(p.accepted, 3);
    over_destroy_with(p.client, UV_EPROTO);
    assert_code(recorder_connect(p.client, url), WEIR_ESTREAM_DESTROYED); /* not closed yet */
    over_wait_closed(p.client);
    assert_code(recorder_connect(p.client, url), 0);
    assert_int_equal(weir_stream_destroyed(p.client->stream), 0);
    assert_null(weir_stream_errored(p.client->stream));
    assert_int_equal(weir_stream_bytes_written(p.client->stream), 0);
    recorder *again = fixture_accepted(f, server, 1);
    recorder_write(again, "hello", 5);
    recorder_wait_data(p.client, 5);
    recorder_end(p.client);
    over_wait_closed(again);
}

static void CONN_06_a_readable_listener_works_in_the_second_life(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_add(p.client, RECORD_READABLE);
    recorder_end(p.accepted);
    over_wait_closed(p.client);
    size_t before = p.client->counts[WEIR_EVENT_READABLE];
    assert_code(recorder_connect(p.client, fixture_url(f, server)), 0);
    recorder *again = fixture_accepted(f, server, 1);
    recorder_write(again, "hello", 5);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->counts[WEIR_EVENT_READABLE], before + 1);
    weir_buf *buf = weir_stream_read(p.client->stream, 0);
    assert_non_null(buf);
    assert_int_equal(buf->size, 5);
    weir_buf_release(buf);
}

/* Between two lives nothing flows that a listener could start or stop: the second one looks who is there. */
static void CONN_06_RD_09_listeners_that_came_between_two_lives(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    recorder_add(p.client, RECORD_DATA); /* of a stream that nobody read from */
    assert_code(recorder_connect(p.client, fixture_url(f, server)), 0);
    recorder *second = fixture_accepted(f, server, 1);
    recorder_write(second, "hello", 5);
    recorder_wait_data(p.client, 5);
    recorder_destroy(p.client, NULL);
    fixture_turns(f, OVER_TURNS);
    recorder_add(p.client, RECORD_READABLE); /* of one that was flowing */
    assert_code(recorder_connect(p.client, fixture_url(f, server)), 0);
    recorder *third = fixture_accepted(f, server, 2);
    recorder_write(third, "there", 5);
    recorder_wait(p.client, WEIR_EVENT_READABLE);
    assert_int_equal(p.client->data_size, 5);
    weir_buf_release(weir_stream_read(p.client->stream, 0));
    recorder_expect_data(p.client, "hellothere", 10);
}

typedef struct lives {
    recorder *client;
    const char *url;
    int left;
} lives;

static void connect_here(const weir_event *event, void *arg)
{
    lives *more = arg;
    (void)event;
    if (more->left > 0) {
        more->left--;
        assert_code(recorder_connect(more->client, more->url), 0);
    }
}

static void CONN_06_a_stream_connects_again_from_its_close_listener(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    f->record = RECORD_DATA;
    pair p = fixture_connect(f, server, NULL, NULL);
    lives more = {.client = p.client, .url = fixture_url(f, server), .left = 3};
    weir_stream_on(p.client->stream, WEIR_EVENT_CLOSE, connect_here, &more);
    for (size_t i = 0; i < 4; i++) {
        recorder *accepted = fixture_accepted(f, server, i);
        recorder_write(accepted, "x", 1);
        recorder_wait_data(p.client, i + 1);
        recorder_end(accepted);
        over_wait_closed(accepted);
    }
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(p.client->counts[WEIR_EVENT_CLOSE], 4);
    assert_int_equal(p.client->counts[WEIR_EVENT_CONNECT], 4);
}

static void BN_21_connect_twice_is_an_error_and_changes_nothing(void **state)
{
    fixture *f = *state;
    int connected = 0;
    weir_server *server = over_listen(f, NULL);
    const char *url = fixture_url(f, server);
    recorder *client = over_connecting(f, server, NULL);
    assert_code(weir_stream_connect(client->stream, url, fixture_count, &connected), UV_EALREADY);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_code(weir_stream_connect(client->stream, url, fixture_count, &connected), UV_EISCONN);
    recorder *accepted = fixture_accepted(f, server, 0);
    assert_code(recorder_connect(accepted, url), UV_EISCONN);
    recorder_add(client, RECORD_DATA);
    recorder_write(accepted, "x", 1);
    recorder_wait_data(client, 1);
    assert_int_equal(connected, 0);
    over_expect(client, "connect ready resume data:1");
}

/* ---- time-outs of setting up ---- */

static void BN_14_connect_timeout(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int silent = raw_listen(&port, 0);
    int waiting = raw_connect(port); /* fills the queue: the next one is not answered */
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.connect_timeout = 20;
    recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%u", port), &options);
    recorder_write(client, "never", 5);
    over_wait_closed(client);
    assert_int_equal(client->counts[WEIR_EVENT_CONNECT], 0);
    over_expect_tail(client, "w1:ETIMEDOUT error:ETIMEDOUT close:error");
    assert_non_null(strstr(weir_stream_errored(client->stream)->message, "20 ms"));
    close(waiting);
    close(silent);
}

static void BN_14_handshake_timeout(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.handshake_timeout = 20;
    f->record = 0;
    recorder *client = fixture_client(f, fixture_text(f, "chaos+%s?handshake=true", fixture_url(f, server)), &options);
    over_wait_alive(f, client, WEIR_EVENT_CLOSE);
    over_expect(client, "connect error:ETIMEDOUT close:error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(SOCM_04_CONN_01_CONN_07_every_form_connects),
        FIXTURE_TEST(CONN_02_bad_endpoints_leave_the_stream_as_it_was),
        OVER_ALL(CONN_04_the_connect_listener_runs_once_and_not_on_failure),
        OVER_ALL(SOCP_07_SOCP_14_SOCP_22_connecting_is_over_before_connect),
        OVER_ALL(CONN_06_a_closed_stream_connects_again),
        OVER_ALL(CONN_06_a_readable_listener_works_in_the_second_life),
        OVER_ALL(CONN_06_RD_09_listeners_that_came_between_two_lives),
        OVER_ALL(CONN_06_a_stream_connects_again_from_its_close_listener),
        OVER_ALL(BN_21_connect_twice_is_an_error_and_changes_nothing),
        FIXTURE_TEST(BN_14_connect_timeout),
        OVER_ALL(BN_14_handshake_timeout),
    };
    return cmocka_run_group_tests_name("stream_connect", tests, NULL, NULL);
}
