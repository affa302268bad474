/* SPDX-License-Identifier: MIT */
/* Servers that a signal closes. */
#include <weir/abort.h>

#include "diary.h"
#include "linked.h"
#include "server_private.h"

static void turns(fixture *f)
{
    fixture_turns(f, OVER_TURNS);
}

/* A server that listens until the signal is fired. */
static weir_server *listen_with(fixture *f, diary *d, const char *here, weir_abort *signal)
{
    weir_server *server = diary_fresh(f, d, NULL);
    assert_code(weir__server_set_signal(server, signal), 0);
    assert_code(weir_server_listen(server, here, NULL, NULL), 0);
    return server;
}

static void SRV_60_firing_closes(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_abort *signal = weir_abort_new();
    weir_server *server = listen_with(f, &d, over_here(f), signal);
    assert_int_equal(weir_abort_listener_count(signal), 1);
    turns(f);
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    turns(f);
    weir_abort_fire(signal, NULL);
    assert_int_equal(weir_server_listening(server), 0);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    diary_expect(&d, "listening connection");
    turns(f);
    diary_expect(&d, "listening connection"); /* as close(): connections stay */
    assert_code(weir_server_close_all(server, 0, NULL, NULL), 0);
    turns(f);
    diary_expect(&d, "listening connection close");
    weir_abort_release(signal);
    weir_server_release(server);
}

static void SRV_60_SRV_27_firing_right_after_listen(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_abort *signal = weir_abort_new();
    weir_server *server = listen_with(f, &d, over_here(f), signal);
    weir_abort_fire(signal, NULL);
    weir_abort_release(signal);
    turns(f);
    diary_expect(&d, "close");
    weir_server_release(server);
}

static void SRV_60_fired_before_nothing_is_bound(void **state)
{
    fixture *f = *state;
    static diary d;
    const char *here = over_here(f);
    weir_abort *signal = weir_abort_new();
    weir_abort_fire(signal, NULL);
    int descriptors = fixture_descriptors();
    weir_server *server = diary_fresh(f, &d, NULL);
    assert_code(weir__server_set_signal(server, signal), WEIR_EABORTED);
    assert_int_equal(weir_server_listening(server), 0);
    assert_int_equal(fixture_descriptors(), descriptors);
    diary_expect(&d, "");
    turns(f);
    diary_expect(&d, "close");
    assert_code(weir_server_listen(server, here, NULL, NULL), 0); /* the next listen() has none */
    turns(f);
    diary_expect(&d, "close listening");
    weir_abort_release(signal);
    weir_server_release(server);
}

static void SRV_60_a_signal_is_for_one_listen_cycle(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_abort *signal = weir_abort_new();
    weir_server *server = listen_with(f, &d, over_here(f), signal);
    assert_code(weir__server_set_signal(server, NULL), WEIR_ESERVER_ALREADY_LISTEN);
    assert_int_equal(weir_abort_listener_count(signal), 1);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    weir_abort_fire(signal, NULL);
    turns(f);
    diary_expect(&d, "close listening");
    weir_abort_release(signal);
    weir_server_release(server);
}

static void SRV_60_SRV_10_a_listen_that_fails_waits_for_no_signal(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *taken = over_listen(f, NULL);
    weir_abort *signal = weir_abort_new();
    weir_server *server = listen_with(f, &d, fixture_url(f, taken), signal);
    turns(f);
    diary_expect(&d, "error:EADDRINUSE");
    assert_int_equal(weir_abort_listener_count(signal), 0);
    assert_code(weir__server_set_signal(server, signal), 0); /* a listen() that is refused at once */
    assert_code(weir_server_listen(server, "nonsense", NULL, NULL), WEIR_EINVALID_ENDPOINT);
    assert_code(weir__server_set_signal(server, NULL), 0);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_release(signal);
    weir_server_release(server);
}

static void fire(const weir_event *event, void *arg)
{
    (void)event;
    weir_abort_fire(arg, NULL);
}

static void SRV_60_firing_inside_of_listeners(void **state)
{
    static const weir_event_type whens[] = {WEIR_EVENT_LISTENING, WEIR_EVENT_CONNECTION};
    fixture *f = *state;
    static diary diaries[2];
    for (size_t i = 0; i < 2; i++) {
        diary *d = &diaries[i];
        weir_abort *signal = weir_abort_new();
        weir_server *server = listen_with(f, d, over_here(f), signal);
        weir_server_on(server, whens[i], fire, signal);
        turns(f);
        if (i == 1) {
            fixture_client(f, fixture_url(f, server), NULL);
            turns(f);
            diary_expect(d, "listening connection");
            weir_server_close_all(server, 0, NULL, NULL);
            turns(f);
        }
        diary_expect(d, i == 1 ? "listening connection close" : "listening close");
        weir_abort_release(signal);
        weir_server_release(server);
    }
}

static void SRV_60_one_signal_for_many_servers_and_the_runtimes_end(void **state)
{
    fixture *f = *state;
    static diary diaries[3];
    weir_abort *signal = weir_abort_new();
    for (size_t i = 0; i < 3; i++) {
        weir_server_release(listen_with(f, &diaries[i], over_here(f), signal));
    }
    turns(f);
    assert_int_equal(weir_abort_listener_count(signal), 3);
    assert_code(weir_server_close(diaries[1].server, NULL, NULL), 0);
    fixture_end(f);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    weir_abort_fire(signal, NULL);
    weir_abort_release(signal);
    for (size_t i = 0; i < 3; i++) {
        diary_expect(&diaries[i], "listening close");
    }
}

static void SRV_60_without_memory_nothing_is_done(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_abort *signal = weir_abort_new();
    weir_server *server = diary_fresh(f, &d, NULL);
    weir_abort_fire(signal, NULL);
    allocator_fail(1, 0);
    assert_code(weir__server_set_signal(server, signal), UV_ENOMEM);
    allocator_fail(0, 0);
    turns(f);
    diary_expect(&d, "");
    weir_abort_release(signal);
    weir_server_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ALL(SRV_60_firing_closes),
        ON_ALL(SRV_60_SRV_27_firing_right_after_listen),
        ON_ALL(SRV_60_fired_before_nothing_is_bound),
        ON_ALL(SRV_60_a_signal_is_for_one_listen_cycle),
        ON_ALL(SRV_60_SRV_10_a_listen_that_fails_waits_for_no_signal),
        ON_ALL(SRV_60_firing_inside_of_listeners),
        ON_ALL(SRV_60_one_signal_for_many_servers_and_the_runtimes_end),
        ON(SRV_60_without_memory_nothing_is_done, mem),
    };
    return cmocka_run_group_tests_name("server_signal", tests, NULL, NULL);
}
