/* SPDX-License-Identifier: MIT */
/* Layers put on an open stream: what goes out below them, what goes through them, and what can go wrong. */
#include <string.h>

#include "over.h"

typedef struct adding {
    fixture *f;
    weir_endpoint *client; /* layers for either side */
    weir_endpoint *server;
    recorder *accepted;
    int client_status;
    int server_status;
    int client_done;
    int server_done;
} adding;

static weir_endpoint *layers(fixture *f, const char *options, weir_role role)
{
    weir_endpoint *endpoint = NULL;
    const char *text = fixture_text(f, "xor+tcp://127.0.0.1:1%s", options);
    assert_code(weir_endpoint_parse(f->runtime, text, role, NULL, &endpoint, NULL), 0);
    return endpoint;
}

static void begin(adding *a, fixture *f, const char *client_options, const char *server_options)
{
    memset(a, 0, sizeof(*a));
    a->f = f;
    a->client = layers(f, client_options, WEIR_CLIENT);
    a->server = layers(f, server_options, WEIR_SERVER);
    a->client_status = 1;
    a->server_status = 1;
}

static void end(adding *a)
{
    weir_endpoint_release(a->client);
    weir_endpoint_release(a->server);
}

static void client_added(weir_stream *stream, int status, void *arg)
{
    adding *a = arg;
    (void)stream;
    a->client_status = status;
    a->client_done++;
}

static void server_added(weir_stream *stream, int status, void *arg)
{
    adding *a = arg;
    (void)stream;
    a->server_status = status;
    a->server_done++;
}

static void add_both(adding *a, pair p)
{
    assert_code(weir_stream_add_layer(p.client->stream, a->client, client_added, a), 0);
    assert_code(weir_stream_add_layer(p.accepted->stream, a->server, server_added, a), 0);
    assert_int_equal(a->client_done + a->server_done, 0); /* not inside the calls */
    fixture_until(a->f, &a->client_done);
    fixture_until(a->f, &a->server_done);
    assert_code(a->client_status, 0);
    assert_code(a->server_status, 0);
}

static void bytes_go_through_a_layer_that_was_added(void **state)
{
    fixture *f = *state;
    adding a;
    begin(&a, f, "", "");
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    recorder_write(p.client, "before", 6);
    recorder_wait_data(p.accepted, 6);
    add_both(&a, p);
    recorder_write(p.client, " after", 6);
    recorder_write(p.accepted, "answer", 6);
    recorder_wait_data(p.accepted, 12);
    recorder_wait_data(p.client, 6);
    recorder_expect_data(p.accepted, "before after", 12);
    recorder_expect_data(p.client, "answer", 6);
    assert_int_equal(p.client->counts[WEIR_EVENT_READY], 1);
    recorder_end(p.client);
    over_wait_both_closed(p);
    end(&a);
}

/* The other end adds its layer late: what was written behind the call comes to it as unread bytes. */
static void what_was_not_read_goes_through_the_layer(void **state)
{
    fixture *f = *state;
    adding a;
    begin(&a, f, "", "");
    pair p = over_pair(f, RECORD_DATA, RECORD_READABLE);
    assert_code(weir_stream_add_layer(p.client->stream, a.client, client_added, &a), 0);
    recorder_write(p.client, "through", 7);
    recorder_wait(p.accepted, WEIR_EVENT_READABLE); /* the greeting, in clear, in the buffer */
    assert_true(weir_stream_readable_length(p.accepted->stream) > 0);
    assert_code(weir_stream_add_layer(p.accepted->stream, a.server, server_added, &a), 0);
    assert_int_equal(weir_stream_readable_length(p.accepted->stream), 0);
    assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 0);
    fixture_until(f, &a.server_done);
    assert_code(a.server_status, 0);
    recorder_add(p.accepted, RECORD_DATA);
    weir_buf *got = NULL;
    while ((got = weir_stream_read(p.accepted->stream, 7)) == NULL) {
        fixture_turns(f, 1);
        assert_false(f->expired);
    }
    weir_buf_release(got);
    recorder_expect_data(p.accepted, "through", 7);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    end(&a);
}

static void queued_writes_go_out_below_the_layer(void **state)
{
    fixture *f = *state;
    adding a;
    begin(&a, f, "", "");
    pair p = over_pair(f, RECORD_DATA, 0);
    size_t size = over_stall(f, p.client);
    assert_code(weir_stream_add_layer(p.client->stream, a.client, client_added, &a), 0);
    assert_int_equal(recorder_write(p.client, "through", 7), 0);
    recorder_end(p.client);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(a.client_done, 0); /* earlier writes are in the way */
    recorder_add(p.accepted, RECORD_DATA);
    recorder_wait_data(p.accepted, size);
    recorder_pause(p.accepted);
    over_expect_stalled_data(p.accepted, size);
    if (p.accepted->data_size == size) { /* unless the greeting was read behind it in one go */
        assert_code(weir_stream_add_layer(p.accepted->stream, a.server, server_added, &a), 0);
        recorder_resume(p.accepted);
        recorder_wait_data(p.accepted, size + 7);
        assert_memory_equal(p.accepted->data + size, "through", 7);
        over_wait_both_closed(p);
        assert_code(a.client_status, 0);
    } else {
        assert_int_equal(p.accepted->data[size], 85);
        recorder_destroy(p.client, NULL);
        recorder_destroy(p.accepted, NULL);
        over_wait_both_closed(p);
        assert_int_equal(a.client_done, 1);
    }
    end(&a);
}

static void add_in_data(const weir_event *event, void *arg)
{
    adding *a = arg;
    if (a->server_done == 0 && a->server_status == 1) {
        a->server_status = 2;
        /* a line ends the talk in clear; what follows it in this chunk belongs to the layer */
        assert_memory_equal(event->buffer->data, "go\n", 3);
        assert_code(weir_stream_unshift(event->target_stream, event->buffer->data + 3, event->buffer->size - 3), 0);
        assert_code(weir_stream_add_layer(event->target_stream, a->server, server_added, a), 0);
    }
}

static void a_layer_is_added_inside_data_with_the_rest_of_the_chunk(void **state)
{
    fixture *f = *state;
    adding a;
    begin(&a, f, "", "");
    pair p = over_pair(f, RECORD_DATA, 0);
    weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, add_in_data, &a);
    recorder_write(p.client, "go\n\x55", 4); /* the greeting of the layer, by hand */
    fixture_until(f, &a.server_done);
    assert_code(a.server_status, 0);
    recorder_wait_data(p.client, 1);
    recorder_expect_data(p.client, "\x55", 1);
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    end(&a);
}

static void a_layer_that_fails_to_open_ends_the_stream(void **state)
{
    fixture *f = *state;
    adding a;
    begin(&a, f, "?key=1", "?key=2");
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_code(weir_stream_add_layer(p.client->stream, a.client, client_added, &a), 0);
    assert_code(weir_stream_add_layer(p.accepted->stream, a.server, server_added, &a), 0);
    recorder_write(p.client, "never", 5);
    over_wait_both_closed(p);
    assert_int_equal(a.client_done, 1);
    assert_int_equal(a.server_done, 1);
    assert_true(a.client_status < 0 && a.server_status < 0);
    assert_int_equal(p.accepted->data_size, 0);
    assert_true(recorder_saw(p.client, "error:EPROTO") || recorder_saw(p.accepted, "error:EPROTO"));
    end(&a);
}

static void the_callback_comes_when_the_stream_is_destroyed_first(void **state)
{
    fixture *f = *state;
    adding a;
    begin(&a, f, "", "");
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    assert_code(weir_stream_add_layer(p.client->stream, a.client, client_added, &a), 0);
    recorder_destroy(p.client, NULL);
    assert_int_equal(a.client_done, 0);
    over_wait_closed(p.client);
    assert_int_equal(a.client_done, 1);
    assert_code(a.client_status, WEIR_ESTREAM_DESTROYED);
    assert_code(weir_stream_add_layer(p.client->stream, a.client, NULL, NULL), WEIR_ESTREAM_DESTROYED);
    /* and while the layer waits for the other end's greeting */
    pair second = over_pair(f, 0, 0);
    assert_code(weir_stream_add_layer(second.accepted->stream, a.server, server_added, &a), 0);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(a.server_done, 0);
    over_destroy_with(second.accepted, UV_ECONNABORTED);
    over_wait_closed(second.accepted);
    assert_int_equal(a.server_done, 1);
    assert_code(a.server_status, UV_ECONNABORTED);
    end(&a);
}

/* The call keeps the endpoint for as long as its layers live: the probe looks at its settings when it goes. */
static void layers_that_never_came_to_be_outlive_their_callers_endpoint(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;
    pair p = over_pair(f, RECORD_DATA, 0);
    over_stall(f, p.client); /* so that they have to wait */
    assert_code(
        weir_endpoint_parse(f->runtime, "probe+tcp://127.0.0.1:1?name=waiting", WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    assert_code(weir_stream_add_layer(p.client->stream, endpoint, NULL, NULL), 0);
    weir_endpoint_release(endpoint);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
    assert_non_null(strstr(fixture_log(f), "probe waiting client"));
}

static void a_silent_peer_is_given_up_after_the_handshake_time(void **state)
{
    fixture *f = *state;
    adding a;
    begin(&a, f, "", "");
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.handshake_timeout = 20;
    pair p = over_pair_with(f, RECORD_DATA, &options, 0, NULL);
    assert_code(weir_stream_add_layer(p.client->stream, a.client, client_added, &a), 0);
    over_wait_closed(p.client);
    assert_code(a.client_status, UV_ETIMEDOUT);
    assert_true(recorder_saw(p.client, "error:ETIMEDOUT"));
    end(&a);
}

static void it_is_refused_where_it_cannot_be(void **state)
{
    fixture *f = *state;
    adding a;
    begin(&a, f, "", "");
    recorder *fresh = over_fresh(f, NULL);
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_stream *stream = p.client->stream;
    weir_endpoint *bare = NULL;
    assert_code(weir_endpoint_parse(f->runtime, "tcp://127.0.0.1:1", WEIR_CLIENT, NULL, &bare, NULL), 0);
    assert_code(weir_stream_add_layer(stream, bare, NULL, NULL), UV_EINVAL);
    weir_endpoint_release(bare);
    assert_code(weir_stream_add_layer(stream, NULL, NULL, NULL), UV_EINVAL);
    assert_code(weir_stream_add_layer(fresh->stream, a.client, NULL, NULL), UV_ENOTCONN);
    weir_stream_cork(stream);
    assert_code(weir_stream_add_layer(stream, a.client, NULL, NULL), UV_EBUSY);
    weir_stream_uncork(stream);
    assert_code(weir_stream_pipe(stream, stream, NULL), 0);
    assert_code(weir_stream_add_layer(stream, a.client, NULL, NULL), UV_EBUSY);
    weir_stream_unpipe(stream, NULL);
    assert_code(weir_stream_add_layer(stream, a.client, NULL, NULL), 0);
    assert_code(weir_stream_add_layer(stream, a.client, NULL, NULL), UV_EALREADY);
    recorder_end(p.accepted);
    assert_code(weir_stream_add_layer(p.accepted->stream, a.server, NULL, NULL), UV_EPIPE);
    recorder_destroy(p.client, NULL);
    over_wait_both_closed(p);
    end(&a);
}

int main(void)
{
    fixture_preload("xor");
    const struct CMUnitTest tests[] = {
        OVER_ALL(bytes_go_through_a_layer_that_was_added),
        OVER_ALL(what_was_not_read_goes_through_the_layer),
        OVER_ALL(queued_writes_go_out_below_the_layer),
        OVER_ALL(a_layer_is_added_inside_data_with_the_rest_of_the_chunk),
        OVER_ALL(a_layer_that_fails_to_open_ends_the_stream),
        OVER_ALL(the_callback_comes_when_the_stream_is_destroyed_first),
        OVER_ALL(layers_that_never_came_to_be_outlive_their_callers_endpoint),
        OVER_ALL(a_silent_peer_is_given_up_after_the_handshake_time),
        OVER_ALL(it_is_refused_where_it_cannot_be),
    };
    return cmocka_run_group_tests_name("stream_layer", tests, NULL, NULL);
}
