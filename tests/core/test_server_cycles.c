/* SPDX-License-Identifier: MIT */
/* Servers that listen again: every listen cycle has an end of its own. */
#include <string.h>

#include "diary.h"

static void turns(fixture *f)
{
    fixture_turns(f, OVER_TURNS);
}

/* ---- listen() behind close() ---- */

static void SRV_39_listening_again_right_after_close(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0); /* the very same place */
    assert_code(weir_server_listen(server, url, NULL, NULL), WEIR_ESERVER_ALREADY_LISTEN);
    diary_expect(&d, "");
    turns(f);
    diary_expect(&d, "close closed listening");
    assert_int_equal(weir_server_listening(server), 1);
    fixture_connect(f, server, url, NULL);
    diary_expect(&d, "close closed listening connection");
}

static void SRV_39_A_14_the_earlier_cycle_closes_by_itself(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    pair first = fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "connection listening");
    pair second = fixture_connect(f, server, url, NULL);
    assert_int_equal(weir_server_connections(server), 2);
    recorder_destroy(first.accepted, NULL);
    turns(f);
    diary_expect(&d, "connection listening connection close closed");
    assert_int_equal(weir_server_listening(server), 1);
    assert_int_equal(weir_server_connections(server), 1);
    recorder_destroy(second.accepted, NULL);
    turns(f);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    turns(f);
    diary_expect(&d, "connection listening connection close closed close closed");
}

static void diary_stream_close(const weir_event *event, void *arg)
{
    (void)event;
    diary_write(arg, "streamClose");
}

static void BN_22_A_14_cycles_end_in_the_order_of_their_connections(void **state)
{
    fixture *f = *state;
    static diary d;
    static diary first_closed, second_closed;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    first_closed = (diary){.f = f, .server = server};
    second_closed = first_closed;
    pair first = fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, diary_closed, &first_closed), 0);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    pair second = fixture_connect(f, server, url, NULL);
    assert_code(weir_server_close(server, diary_closed, &second_closed), 0);
    turns(f);
    diary_expect(&d, "connection listening connection");
    weir_stream_on(first.accepted->stream, WEIR_EVENT_CLOSE, diary_stream_close, &d);
    weir_stream_on(second.accepted->stream, WEIR_EVENT_CLOSE, diary_stream_close, &d);
    recorder_destroy(second.accepted, NULL);
    turns(f);
    diary_expect(&d, "connection listening connection streamClose close");
    diary_expect(&second_closed, "closed");
    diary_expect(&first_closed, ""); /* it waits for another 'close' */
    recorder_destroy(first.accepted, NULL);
    turns(f);
    diary_expect(&d, "connection listening connection streamClose close streamClose close");
    diary_expect(&second_closed, "closed");
    diary_expect(&first_closed, "closed");
}

static void SRV_27_SRV_39_listen_and_close_again_and_again_in_one_turn(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    const char *here = over_here(f);
    for (int i = 0; i < 3; i++) {
        assert_code(weir_server_listen(server, here, NULL, NULL), 0);
        assert_code(weir_server_close(server, NULL, NULL), 0);
    }
    assert_code(weir_server_listen(server, here, NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "close close close listening");
    weir_server_release(server);
}

static void SRV_27_SRV_39_listening_again_while_a_name_was_looked_up(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    weir_server_unref(server); /* the loop turns until the look-up's late answer has come */
    assert_code(weir_server_listen(server, "tcp://localhost:0", NULL, NULL), 0);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_listen(server, "mem:again", NULL, NULL), 0);
    fixture_run(f);
    turns(f);
    diary_expect(&d, "close listening");
    weir_server_release(server);
}

static void SRV_10_SRV_39_a_failing_listen_behind_close(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *taken = over_listen(f, NULL);
    weir_server *server = diary_listening(f, &d, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_listen(server, fixture_url(f, taken), NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "close error:EADDRINUSE");
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "close error:EADDRINUSE listening");
}

/* The application does not know yet that it has failed, and must not have to. */
static void SRV_24_SRV_39_closed_and_listening_again_before_the_error_is_told(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *taken = over_listen(f, NULL);
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir_server_listen(server, fixture_url(f, taken), NULL, NULL), 0);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "error:EADDRINUSE listening ERR_SERVER_NOT_RUNNING");
    weir_server_release(server);
}

typedef struct recipe {
    weir_timer timer;
    weir_server *server;
    weir_server *taken;
    const char *endpoint;
    int close_first;
} recipe;

static void on_retry(weir_timer *timer)
{
    recipe *self = (recipe *)(void *)timer;
    assert_code(weir_server_close(self->taken, NULL, NULL), 0); /* the place becomes free meanwhile */
    if (self->close_first) {
        assert_code(weir_server_close(self->server, NULL, NULL), 0);
    }
    assert_code(weir_server_listen(self->server, self->endpoint, NULL, NULL), 0);
}

static void retry_later(const weir_event *event, void *arg)
{
    recipe *self = arg;
    assert_code(event->error->code, UV_EADDRINUSE);
    assert_code(weir_timer_start(weir_server_runtime(self->taken), &self->timer, 5), 0);
}

static void SRV_43_the_recipe_for_a_place_that_is_taken(void **state)
{
    fixture *f = *state;
    static diary diaries[2];
    for (int i = 0; i < 2; i++) {
        diary *d = &diaries[i];
        recipe self = {.timer = {.run = on_retry}, .taken = over_listen(f, NULL), .close_first = i};
        self.endpoint = fixture_url(f, self.taken);
        self.server = diary_fresh(f, d, NULL);
        weir_server_on(self.server, WEIR_EVENT_ERROR, retry_later, &self);
        assert_code(weir_server_listen(self.server, self.endpoint, NULL, NULL), 0);
        while (!weir_server_listening(self.server)) {
            fixture_turns(f, 1);
            assert_false(f->expired);
        }
        turns(f);
        diary_expect(d, "error:EADDRINUSE listening");
        weir_server_close(self.server, NULL, NULL);
        weir_server_release(self.server);
        turns(f);
    }
}

/* ---- limits and counts are the server's, not the cycle's ---- */

static void SRV_68_SRV_39_connections_of_all_cycles_count(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server_options options;
    weir_server_options_init(&options);
    options.max_connections = 1;
    weir_server *server = diary_listening(f, &d, &options);
    const char *url = fixture_url(f, server);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    fixture_client(f, url, NULL);
    turns(f);
    diary_expect(&d, "connection listening drop");
}

static void read_it(weir_stream *stream, void *arg)
{
    (void)arg;
    weir_stream_resume(stream);
}

static void SRV_39_a_cycle_has_the_options_of_its_own_endpoint(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_fresh(f, &d, NULL);
    const char *here = over_here(f);
    assert_code(weir_server_listen(server, fixture_text(f, "%s?allowHalfOpen=true", here), NULL, NULL), 0);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_listen(server, here, NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "close listening");
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    turns(f);
    recorder_end(client);
    recorder_add(client, RECORD_DATA);
    weir_server_each(server, read_it, NULL);
    over_wait_closed(client); /* the other side ended by itself */
    weir_server_release(server);
}

/* ---- closing everything ---- */

static void BN_26_SRV_39_close_all_leaves_the_next_cycle_alone(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    pair stubborn = fixture_connect(f, server, NULL, NULL);
    recorder_pause(stubborn.client); /* it is not even told of the end */
    assert_code(weir_server_close_all(server, 20, diary_closed, &d), 0);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    pair next = fixture_connect(f, server, url, NULL);
    recorder_wait(stubborn.accepted, WEIR_EVENT_CLOSE); /* by the grace's end */
    turns(f);
    /* The other one where the grace was over before the next one had come. */
    assert_true(strcmp(d.text, "connection listening connection close closed") == 0 ||
                strcmp(d.text, "connection listening close closed connection") == 0);
    assert_int_equal(weir_stream_writable(next.accepted->stream), 1);
    assert_int_equal(weir_server_connections(server), 1);
    assert_int_equal(weir_server_listening(server), 1);
}

static void BN_26_SRV_39_close_all_ends_the_connections_of_all_cycles(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *url = fixture_url(f, server);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    fixture_connect(f, server, url, NULL);
    assert_code(weir_server_close_all(server, 0, diary_closed, &d), 0);
    turns(f);
    assert_int_equal(weir_server_connections(server), 0);
    diary_expect(&d, "connection listening connection close close closed");
}

static void BN_26_close_all_on_a_closing_server_cuts_what_is_left(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder_pause(p.client); /* it is not even told of the end */
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_code(weir_server_close_all(server, 20, diary_closed, &d), 0);
    turns(f);
    assert_ptr_equal(strstr(d.text, "connection ERR_SERVER_NOT_RUNNING"), d.text); /* at once */
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    turns(f);
    diary_expect(&d, "connection ERR_SERVER_NOT_RUNNING close");
}

/* ---- the runtime's end ---- */

static void SRV_21_SRV_39_the_runtimes_end_closes_every_cycle(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = weir_server_retain(diary_listening(f, &d, NULL));
    const char *url = fixture_url(f, server);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, diary_closed, &d), 0);
    assert_code(weir_server_listen(server, url, NULL, NULL), 0);
    turns(f);
    fixture_connect(f, server, url, NULL);
    fixture_end(f);
    assert_int_equal(weir_server_connections(server), 0);
    assert_true(strcmp(d.text, "connection listening connection close closed close") == 0 ||
                strcmp(d.text, "connection listening connection close close closed") == 0);
    weir_server_release(server);
}

static void close_and_listen(const weir_event *event, void *arg)
{
    int *left = arg;
    weir_server *server = event->target_server;
    if ((*left)-- > 0) {
        weir_server_close(server, NULL, NULL);
        weir_server_listen(server, "mem:once-more", NULL, NULL);
    }
}

static void SRV_39_listening_again_while_the_runtime_ends_is_refused(void **state)
{
    fixture *f = *state;
    static diary d;
    int left = 3;
    weir_server *server = weir_server_retain(diary_listening(f, &d, NULL));
    weir_server_on(server, WEIR_EVENT_CLOSE, close_and_listen, &left);
    fixture_end(f);
    diary_expect(&d, "close");
    assert_int_equal(left, 2);
    weir_server_release(server);
}

/* ---- no memory ---- */

/* close() and listen() behind it, of which the `nth` allocation fails; returns 0 when it never came to that. */
static size_t without_memory(fixture *f, size_t nth)
{
    static diary d;
    weir_server *server = diary_listening(f, &d, NULL);
    const char *here = over_here(f);
    allocator_fail(nth, 0);
    int closed = weir_server_close(server, diary_closed, &d);
    int begun = closed == 0 ? weir_server_listen(server, here, NULL, NULL) : UV_ECANCELED;
    turns(f);
    size_t failures = allocator_failures();
    allocator_fail(0, 0);
    if (closed != 0) {
        assert_code(closed, UV_ENOMEM);
        diary_expect(&d, "");
        assert_int_equal(weir_server_listening(server), 1);
    } else if (begun != 0) {
        assert_code(begun, UV_ENOMEM);
        diary_expect(&d, "close closed");
        assert_code(weir_server_listen(server, here, NULL, NULL), 0);
    } else if (failures > 0) {
        diary_expect(&d, "close closed error:ENOMEM");
        assert_code(weir_server_listen(server, here, NULL, NULL), 0);
    } else {
        diary_expect(&d, "close closed listening");
    }
    assert_code(weir_server_close_wait(server), 0);
    return failures;
}

static void SRV_39_SRV_25_any_allocation_of_closing_and_listening_may_fail(void **state)
{
    size_t nth = 1;
    while (without_memory(*state, nth) > 0) {
        nth++;
    }
    assert_true(nth > 3);
}

/* ---- everything inside of every listener ---- */

typedef struct history {
    fixture *f;
    const char *here;
    void (*act)(struct history *h, weir_server *server);
    int left; /* how often it acts */
    int begun, opened, failed, closed;
    int callbacks, refusals;
    int asked; /* callbacks that must come */
} history;

static void on_history(const weir_event *event, void *arg)
{
    history *h = arg;
    h->opened += event->type == WEIR_EVENT_LISTENING;
    h->failed += event->type == WEIR_EVENT_ERROR;
    h->closed += event->type == WEIR_EVENT_CLOSE;
}

static void on_callback(weir_server *server, int status, void *arg)
{
    history *h = arg;
    (void)server;
    h->callbacks++;
    h->refusals += status == WEIR_ESERVER_NOT_RUNNING;
}

static void act_listen(history *h, weir_server *server)
{
    int status = weir_server_listen(server, h->here, NULL, NULL);
    assert_true(status == 0 || status == WEIR_ESERVER_ALREADY_LISTEN);
    h->begun += status == 0;
}

static void act_close(history *h, weir_server *server)
{
    assert_code(weir_server_close(server, on_callback, h), 0);
    h->asked++;
}

static void act_close_and_listen(history *h, weir_server *server)
{
    act_close(h, server);
    act_listen(h, server);
}

static void act_listen_and_close(history *h, weir_server *server)
{
    act_listen(h, server);
    act_close(h, server);
    act_close(h, server);
}

static void act_close_all(history *h, weir_server *server)
{
    assert_code(weir_server_close_all(server, 0, on_callback, h), 0);
    h->asked++;
}

static void act_close_all_later(history *h, weir_server *server)
{
    assert_code(weir_server_close_all(server, 10, on_callback, h), 0);
    h->asked++;
    act_listen(h, server);
}

static void act_forget_listeners(history *h, weir_server *server)
{
    act_close(h, server);
    weir_server_remove_all(server, WEIR_EVENT_DROP);
    act_close_and_listen(h, server);
}

static void act_now(const weir_event *event, void *arg)
{
    history *h = arg;
    if (h->left-- > 0) {
        h->act(h, event->target_server);
    }
}

static void destroy_arrival(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_destroy(event->stream, NULL);
}

static void destroy_it(weir_stream *stream, void *arg)
{
    (void)arg;
    weir_stream_destroy(stream, NULL);
}

/* A life with every event in it, an action inside of one of them. */
static void live(fixture *f, weir_event_type when, void (*act)(history *h, weir_server *server))
{
    static const weir_event_type told[] = {WEIR_EVENT_LISTENING, WEIR_EVENT_ERROR, WEIR_EVENT_CLOSE};
    history h = {.f = f, .here = over_here(f), .act = act, .left = 2};
    weir_server_options options;
    weir_server_options_init(&options);
    options.max_connections = 1;
    weir_server *taken = over_listen(f, NULL);
    weir_server *server = weir_server_new(f->runtime, &options);
    weir_server_on(server, when, act_now, &h);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        weir_server_on(server, told[i], on_history, &h);
    }
    h.begun += weir_server_listen(server, fixture_url(f, taken), NULL, NULL) == 0; /* 'error' */
    turns(f);
    act_listen(&h, server); /* 'listening', unless its listener did that already */
    turns(f);
    if (weir_server_listening(server)) {
        h.here = fixture_url(f, server);
        fixture_client(f, h.here, NULL); /* 'connection' */
        fixture_client(f, h.here, NULL); /* 'drop' */
        turns(f);
    }
    weir_server_on(server, WEIR_EVENT_CONNECTION, destroy_arrival, NULL);
    act_close(&h, server); /* 'close' */
    weir_server_each(server, destroy_it, NULL);
    turns(f);
    assert_true(h.left < 2); /* it has acted */
    h.left = 0;
    weir_server_close_all(server, 0, NULL, NULL);
    while (h.failed + h.closed < h.begun) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    turns(f);
    assert_int_equal(h.failed + h.closed, h.begun);
    assert_true(h.opened <= h.begun);
    assert_int_equal(h.callbacks, h.asked);
    assert_true(h.callbacks - h.refusals <= h.closed);
    assert_int_equal(weir_server_connections(server), 0);
    weir_server_release(server);
    assert_code(weir_server_close_wait(taken), 0);
}

static void SRV_39_A_14_any_call_inside_of_any_listener_ends_every_cycle_once(void **state)
{
    static void (*const acts[])(history *, weir_server *) = {act_listen,           act_close,     act_close_and_listen,
                                                             act_listen_and_close, act_close_all, act_close_all_later,
                                                             act_forget_listeners};
    static const weir_event_type whens[] = {WEIR_EVENT_LISTENING, WEIR_EVENT_CONNECTION, WEIR_EVENT_DROP,
                                            WEIR_EVENT_ERROR, WEIR_EVENT_CLOSE};
    fixture *f = *state;
    f->record = 0;
    for (size_t when = 0; when < sizeof(whens) / sizeof(whens[0]); when++) {
        for (size_t act = 0; act < sizeof(acts) / sizeof(acts[0]); act++) {
            live(f, whens[when], acts[act]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(SRV_39_listening_again_right_after_close),
        OVER_ALL(SRV_39_A_14_the_earlier_cycle_closes_by_itself),
        OVER_ALL(BN_22_A_14_cycles_end_in_the_order_of_their_connections),
        OVER_ALL(SRV_27_SRV_39_listen_and_close_again_and_again_in_one_turn),
        FIXTURE_TEST(SRV_27_SRV_39_listening_again_while_a_name_was_looked_up),
        OVER_ALL(SRV_10_SRV_39_a_failing_listen_behind_close),
        OVER_ALL(SRV_24_SRV_39_closed_and_listening_again_before_the_error_is_told),
        OVER_ALL(SRV_43_the_recipe_for_a_place_that_is_taken),
        OVER_ALL(SRV_68_SRV_39_connections_of_all_cycles_count),
        OVER_ALL(SRV_39_a_cycle_has_the_options_of_its_own_endpoint),
        OVER_ALL(BN_26_SRV_39_close_all_leaves_the_next_cycle_alone),
        OVER_ALL(BN_26_SRV_39_close_all_ends_the_connections_of_all_cycles),
        OVER_ALL(BN_26_close_all_on_a_closing_server_cuts_what_is_left),
        OVER_ALL(SRV_21_SRV_39_the_runtimes_end_closes_every_cycle),
        OVER_ALL(SRV_39_listening_again_while_the_runtime_ends_is_refused),
        OVER_ALL(SRV_39_SRV_25_any_allocation_of_closing_and_listening_may_fail),
        OVER_ALL(SRV_39_A_14_any_call_inside_of_any_listener_ends_every_cycle_once),
    };
    return cmocka_run_group_tests_name("server_cycles", tests, NULL, NULL);
}
