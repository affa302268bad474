/* SPDX-License-Identifier: MIT */
/* What programs call on streams and servers beside their life: all there is to read, pointers of their own, states. */
#include <string.h>

#include "fixture.h"

#define LOCAL "tcp://127.0.0.1:0"

/* ---- weir_stream_read_all ---- */

/* A read_all runs the loop itself: what the peer is to do in the middle of it, a listener does. */
static void reset_peer(const weir_event *event, void *arg)
{
    (void)event;
    recorder_reset(arg);
}

static pair quiet_pair(fixture *f, const weir_stream_options *options)
{
    f->record = 0;
    return fixture_connect(f, fixture_listen(f, LOCAL, NULL), NULL, options);
}

static void assert_all(weir_stream *stream, size_t limit, const void *bytes, size_t size)
{
    weir_buf *all = NULL;
    assert_code(weir_stream_read_all(stream, limit, &all), 0);
    assert_non_null(all);
    assert_int_equal(all->size, size);
    if (size)
        assert_memory_equal(all->data, bytes, size);
    weir_buf_release(all);
}

static void RD_19_read_all_gives_what_came_until_the_end(void **state)
{
    fixture *f = *state;
    static char bytes[100000];
    pair p = quiet_pair(f, NULL);
    fixture_fill(bytes, sizeof(bytes), 7);
    recorder_write(p.client, bytes, sizeof(bytes));
    recorder_end(p.client);
    assert_all(p.accepted->stream, 0, bytes, sizeof(bytes));
    assert_int_equal(weir_stream_listener_count(p.accepted->stream, WEIR_EVENT_DATA), 0);
}

static void remove_everything(const weir_event *event, void *arg)
{
    int *done = arg;
    *done = 1;
    weir_stream_remove_all(event->target_stream, WEIR_EVENT_COUNT);
}

static void EMT_06_read_all_does_not_mind_what_is_removed_meanwhile(void **state)
{
    fixture *f = *state;
    int done = 0;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    f->record = 0;
    weir_stream *client = weir_connect(f->runtime, fixture_url(f, server), NULL, remove_everything, &done, NULL);
    assert_code(weir_stream_on(client, WEIR_EVENT_READABLE, remove_everything, &done), 0); /* keeps it from flowing */
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_write(accepted, "all of it", 9);
    recorder_end(accepted);
    assert_all(client, 0, "all of it", 9);
    assert_int_equal(done, 1);
    weir_stream_destroy(client, NULL);
    weir_stream_release(client);
}

static void RD_19_read_all_of_an_end_alone_is_empty(void **state)
{
    fixture *f = *state;
    pair p = quiet_pair(f, NULL);
    recorder_end(p.client);
    assert_all(p.accepted->stream, 0, NULL, 0);
}

static void RD_19_read_all_takes_just_its_limit(void **state)
{
    fixture *f = *state;
    pair p = quiet_pair(f, NULL);
    recorder_write(p.client, "hello", 5);
    recorder_end(p.client);
    assert_all(p.accepted->stream, 5, "hello", 5);
}

static void RD_19_read_all_refuses_more_than_its_limit(void **state)
{
    fixture *f = *state;
    weir_buf *all = (weir_buf *)(void *)f;
    pair p = quiet_pair(f, NULL);
    recorder_write(p.client, "hello!", 6);
    assert_code(weir_stream_read_all(p.accepted->stream, 5, &all), UV_ENOBUFS); /* without waiting for the end */
    assert_null(all);
    assert_false(weir_stream_destroyed(p.accepted->stream));
    assert_int_equal(weir_stream_listener_count(p.accepted->stream, WEIR_EVENT_DATA), 0);
}

static void RD_19_read_all_of_a_stream_that_has_ended_already(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    pair p = quiet_pair(f, &options);
    recorder_add(p.client, RECORD_DATA);
    recorder_write(p.accepted, "gone", 4);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    assert_all(p.client->stream, 0, NULL, 0); /* what others have read is theirs */
}

static void RD_19_read_all_tells_the_streams_error(void **state)
{
    fixture *f = *state;
    weir_buf *all = (weir_buf *)(void *)f;
    pair p = quiet_pair(f, NULL);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, reset_peer, p.client), 0);
    weir_stream_pause(p.accepted->stream);
    recorder_write(p.client, "half", 4);
    assert_code(weir_stream_read_all(p.accepted->stream, 0, &all), UV_ECONNRESET);
    assert_null(all);
    /* and again, now that it is over */
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_code(weir_stream_read_all(p.accepted->stream, 0, &all), UV_ECONNRESET);
    assert_null(all);
}

static void destroy_it(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_destroy(event->target_stream, NULL);
}

static void LIFE_17_read_all_of_a_stream_that_closes_before_its_end(void **state)
{
    fixture *f = *state;
    weir_buf *all = NULL;
    pair p = quiet_pair(f, NULL);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, destroy_it, NULL), 0);
    weir_stream_pause(p.accepted->stream);
    recorder_write(p.client, "half", 4);
    assert_code(weir_stream_read_all(p.accepted->stream, 0, &all), WEIR_EPREMATURE_CLOSE);
    assert_null(all);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_code(weir_stream_read_all(p.accepted->stream, 0, &all), WEIR_ESTREAM_DESTROYED);
}

typedef struct inside {
    int status;
    int calls;
} inside;

static void read_inside(const weir_event *event, void *arg)
{
    inside *self = arg;
    weir_buf *all = NULL;
    self->status = weir_stream_read_all(event->target_stream, 0, &all);
    self->calls++;
    assert_null(all);
}

static void EMT_15_read_all_cannot_wait_inside_a_callback(void **state)
{
    fixture *f = *state;
    inside seen = {0, 0};
    pair p = quiet_pair(f, NULL);
    assert_code(weir_stream_once(p.accepted->stream, WEIR_EVENT_DATA, read_inside, &seen), 0);
    recorder_write(p.client, "hello", 5);
    fixture_until(f, &seen.calls);
    assert_code(seen.status, UV_EBUSY);
    weir_stream_pause(p.accepted->stream);
    recorder_write(p.client, "again", 5);
    recorder_end(p.client);
    assert_all(p.accepted->stream, 0, "again", 5); /* outside of it is as good as before */
}

static void SOCK_02_read_all_of_a_stream_that_nothing_can_come_to(void **state)
{
    fixture *f = *state;
    weir_buf *all = (weir_buf *)(void *)f;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_read_all(NULL, 0, &all), UV_EINVAL);
    assert_code(weir_stream_read_all(stream, 0, NULL), UV_EINVAL);
    assert_code(weir_stream_read_all(stream, 0, &all), UV_ECANCELED);
    assert_null(all);
    assert_int_equal(weir_stream_listener_count(stream, WEIR_EVENT_CLOSE), 0);
    weir_stream_release(stream);
}

typedef struct starved {
    fixture *fixture;
    weir_server *server;
    int sent; /* the server has said what it has to say */
} starved;

/* One connection of which everything is read; one allocation of it all fails. */
static void read_starved(void *arg)
{
    starved *self = arg;
    weir_buf *all = NULL;
    char url[128];
    self->sent = 0;
    weir_server_format(self->server, url, sizeof(url));
    weir_stream *client = weir_connect(self->fixture->runtime, url, NULL, NULL, NULL, NULL);
    if (!client)
        return;
    int status = weir_stream_read_all(client, 0, &all);
    if (status)
        assert_null(all);
    else
        assert_true(all->size == 5 || (all->size == 0 && !self->sent));
    weir_buf_release(all);
    weir_stream_destroy(client, NULL);
    weir_stream_release(client);
    while (weir_server_connections(self->server) > 0 && !self->fixture->expired)
        fixture_turns(self->fixture, 1);
    fixture_turns(self->fixture, 4);
}

static void on_sent(weir_stream *stream, int status, void *arg)
{
    starved *self = arg;
    (void)stream;
    self->sent = status == 0;
}

static void say_hello(const weir_event *event, void *arg)
{
    weir_stream_resume(event->stream);
    if (weir_stream_write(event->stream, "hello", 5, on_sent, arg) < 0 || weir_stream_end(event->stream, NULL, NULL))
        weir_stream_destroy(event->stream, NULL);
}

static void ignore(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

static void LIFE_15_any_allocation_of_read_all_may_fail(void **state)
{
    fixture *f = *state;
    starved self = {.fixture = f, .server = weir_server_new(f->runtime, NULL)};
    assert_code(weir_server_on(self.server, WEIR_EVENT_CONNECTION, say_hello, &self), 0);
    assert_code(weir_server_on(self.server, WEIR_EVENT_CLIENT_ERROR, ignore, NULL), 0);
    assert_code(weir_server_listen(self.server, "mem:all", NULL, NULL), 0);
    while (!weir_server_listening(self.server))
        fixture_turns(f, 1);
    read_starved(&self);
    assert_true(allocator_fail_each(read_starved, &self) > 5);
    weir_server_release(self.server);
}

/* ---- pointers of the application's own ---- */

static void SOCK_02_streams_and_servers_carry_a_pointer(void **state)
{
    fixture *f = *state;
    int one, two;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    weir_server *other = weir_server_new(f->runtime, NULL);
    f->record = 0;
    pair p = fixture_connect(f, server, NULL, NULL);
    assert_null(weir_stream_data(p.client->stream));
    assert_null(weir_stream_data(p.accepted->stream));
    assert_null(weir_server_data(server));
    weir_stream_set_data(p.client->stream, &one);
    weir_server_set_data(server, &two);
    assert_ptr_equal(weir_stream_data(p.client->stream), &one);
    assert_ptr_equal(weir_server_data(server), &two);
    assert_null(weir_stream_data(p.accepted->stream)); /* each its own */
    assert_null(weir_server_data(other));
    assert_ptr_equal(weir_server_data(weir_stream_server(p.accepted->stream)), &two);
    weir_stream_set_data(p.client->stream, NULL);
    assert_null(weir_stream_data(p.client->stream));
    weir_server_release(other);
}

static void CONN_06_the_pointer_stays_through_a_life(void **state)
{
    fixture *f = *state;
    int mine;
    pair p = quiet_pair(f, NULL);
    weir_stream_set_data(p.client->stream, &mine);
    recorder_destroy(p.client, NULL);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_ptr_equal(weir_stream_data(p.client->stream), &mine);
    fixture_end(f);
    assert_ptr_equal(weir_stream_data(p.client->stream), &mine);
}

/* ---- listening at an endpoint that was parsed before ---- */

static weir_endpoint *parsed(fixture *f, const char *text, weir_role role)
{
    weir_endpoint *endpoint = NULL;
    assert_code(weir_endpoint_parse(f->runtime, text, role, NULL, &endpoint, NULL), 0);
    return endpoint;
}

static void SRV_35_listen_endpoint_listens_again_and_again(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = parsed(f, LOCAL, WEIR_SERVER);
    weir_server *server = weir_server_new(f->runtime, NULL);
    int calls = 0;
    for (int round = 1; round <= 2; round++) {
        assert_code(weir_server_listen_endpoint(server, endpoint, fixture_count, &calls), 0);
        assert_int_equal(calls, round - 1); /* never inside the call (SRV-04) */
        assert_code(weir_server_listen_endpoint(server, endpoint, fixture_count, &calls), WEIR_ESERVER_ALREADY_LISTEN);
        while (!calls || calls < round)
            assert_int_not_equal(fixture_turn(f, NULL, NULL), 0);
        assert_int_equal(weir_server_listening(server), 1);
        assert_code(weir_server_close_wait(server), 0);
    }
    assert_int_equal(calls, 2); /* the refused call has left no listener */
    weir_endpoint_release(endpoint);
    weir_server_release(server);
}

static void SRV_35_listen_endpoint_keeps_the_endpoint(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = parsed(f, "mem:api", WEIR_SERVER);
    weir_server *server = weir_server_new(f->runtime, NULL);
    char text[64];
    assert_code(weir_server_listen_endpoint(server, endpoint, NULL, NULL), 0);
    weir_endpoint_release(endpoint);
    fixture_turns(f, 2);
    assert_true(weir_server_format(server, text, sizeof(text)) < sizeof(text));
    assert_string_equal(text, "mem:api");
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

static void SRV_52_listen_endpoint_refuses_what_is_not_for_it(void **state)
{
    fixture *f = *state;
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_endpoint *client = parsed(f, "tcp://127.0.0.1:9", WEIR_CLIENT);
    weir_endpoint *good = parsed(f, LOCAL, WEIR_SERVER);
    weir_runtime *other = fixture_new_runtime(&f->loop);
    weir_server *stranger = weir_server_new(other, NULL);
    assert_code(weir_server_listen_endpoint(server, NULL, NULL, NULL), UV_EINVAL);
    assert_code(weir_server_listen_endpoint(NULL, good, NULL, NULL), UV_EINVAL);
    assert_code(weir_server_listen_endpoint(server, client, NULL, NULL), UV_EINVAL);
    assert_code(weir_server_listen_endpoint(stranger, good, NULL, NULL), UV_EINVAL);
    assert_int_equal(weir_server_listening(server), 0);
    weir_endpoint_release(client);
    weir_endpoint_release(good);
    weir_server_release(server);
    weir_server_release(stranger);
    assert_code(weir_runtime_free(other), 0);
}

/* ---- the name of a state ---- */

#define assert_state(stream, state)                                            \
    do {                                                                       \
        assert_int_equal(weir_stream_ready_state(stream), WEIR_READY_##state); \
        ready_name = weir_ready_state_name(weir_stream_ready_state(stream));   \
    } while (0)

static void SOCP_22_SOCP_23_opening_then_open(void **state)
{
    fixture *f = *state;
    const char *ready_name;
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    recorder *client = record_stream(f, weir_stream_new(f->runtime, NULL), 0);
    weir_stream *stream = client->stream;
    weir_stream_release(stream);
    assert_state(stream, OPEN); /* not connected yet, as Node has it */
    assert_string_equal(ready_name, "open");
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    assert_state(stream, OPENING);
    assert_string_equal(ready_name, "opening");
    recorder_wait(client, WEIR_EVENT_READY);
    assert_state(stream, OPEN);
    assert_string_equal(ready_name, "open");
}

static void SOCP_24_read_only_after_our_end(void **state)
{
    const char *ready_name;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    pair p = quiet_pair(*state, &options);
    recorder_end(p.client);
    assert_state(p.client->stream, READ_ONLY);
    assert_string_equal(ready_name, "readOnly");
    recorder_wait(p.client, WEIR_EVENT_FINISH);
    assert_state(p.client->stream, READ_ONLY);
}

static void SOCP_25_write_only_after_the_peers_end(void **state)
{
    const char *ready_name;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    pair p = quiet_pair(*state, &options);
    recorder_add(p.client, RECORD_DATA);
    recorder_end(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_END);
    assert_state(p.client->stream, WRITE_ONLY);
    assert_string_equal(ready_name, "writeOnly");
}

static void SOCP_26_closed_once_destroyed(void **state)
{
    const char *ready_name;
    pair p = quiet_pair(*state, NULL);
    recorder_destroy(p.client, NULL);
    assert_state(p.client->stream, CLOSED); /* before 'close' already */
    assert_string_equal(ready_name, "closed");
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_state(p.client->stream, CLOSED);
}

static void SOCP_22_to_26_a_number_that_is_no_state(void **state)
{
    (void)state;
    assert_string_equal(weir_ready_state_name((weir_ready_state)5), "unknown");
    assert_string_equal(weir_ready_state_name((weir_ready_state)-1), "unknown");
}

/* ---- the loop ---- */

static void EMT_16_a_runtime_knows_its_loop(void **state)
{
    fixture *f = *state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *other = weir_runtime_new(&loop);
    assert_ptr_equal(weir_runtime_loop(f->runtime), &f->loop);
    assert_ptr_equal(weir_runtime_loop(other), &loop);
    weir_server *server = weir_server_new(other, NULL);
    assert_ptr_equal(weir_runtime_loop(weir_server_runtime(server)), &loop);
    weir_server_release(server);
    assert_code(weir_runtime_free(other), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(RD_19_read_all_gives_what_came_until_the_end),
        FIXTURE_TEST(EMT_06_read_all_does_not_mind_what_is_removed_meanwhile),
        FIXTURE_TEST(RD_19_read_all_of_an_end_alone_is_empty),
        FIXTURE_TEST(RD_19_read_all_takes_just_its_limit),
        FIXTURE_TEST(RD_19_read_all_refuses_more_than_its_limit),
        FIXTURE_TEST(RD_19_read_all_of_a_stream_that_has_ended_already),
        FIXTURE_TEST(RD_19_read_all_tells_the_streams_error),
        FIXTURE_TEST(LIFE_17_read_all_of_a_stream_that_closes_before_its_end),
        FIXTURE_TEST(EMT_15_read_all_cannot_wait_inside_a_callback),
        FIXTURE_TEST(SOCK_02_read_all_of_a_stream_that_nothing_can_come_to),
        FIXTURE_TEST(LIFE_15_any_allocation_of_read_all_may_fail),
        FIXTURE_TEST(SOCK_02_streams_and_servers_carry_a_pointer),
        FIXTURE_TEST(CONN_06_the_pointer_stays_through_a_life),
        FIXTURE_TEST(SRV_35_listen_endpoint_listens_again_and_again),
        FIXTURE_TEST(SRV_35_listen_endpoint_keeps_the_endpoint),
        FIXTURE_TEST(SRV_52_listen_endpoint_refuses_what_is_not_for_it),
        FIXTURE_TEST(SOCP_22_SOCP_23_opening_then_open),
        FIXTURE_TEST(SOCP_24_read_only_after_our_end),
        FIXTURE_TEST(SOCP_25_write_only_after_the_peers_end),
        FIXTURE_TEST(SOCP_26_closed_once_destroyed),
        FIXTURE_TEST(SOCP_22_to_26_a_number_that_is_no_state),
        FIXTURE_TEST(EMT_16_a_runtime_knows_its_loop),
    };
    return cmocka_run_group_tests_name("api of streams", tests, NULL, NULL);
}
