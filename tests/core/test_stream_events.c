/* SPDX-License-Identifier: MIT */
/* Listeners of streams and of servers, row by row, and errors that nobody listens for. */
#include <stdlib.h>
#include <string.h>

#include "over.h"

/* ---- one body over both kinds of object: a stream that is paused, a server that is closed ---- */

typedef struct subject {
    fixture *f;
    weir_stream *stream;
    weir_server *server; /* one of the two is NULL */
    weir_event_type type;
    char text[64]; /* what the listeners have noted */
} subject;

static int on(subject *s, weir_listener listener, void *arg)
{
    return s->stream != NULL ? weir_stream_on(s->stream, s->type, listener, arg)
                             : weir_server_on(s->server, s->type, listener, arg);
}

static int once(subject *s, weir_listener listener, void *arg)
{
    return s->stream != NULL ? weir_stream_once(s->stream, s->type, listener, arg)
                             : weir_server_once(s->server, s->type, listener, arg);
}

static int prepend(subject *s, weir_listener listener, void *arg)
{
    return s->stream != NULL ? weir_stream_prepend(s->stream, s->type, listener, arg)
                             : weir_server_prepend(s->server, s->type, listener, arg);
}

static int prepend_once(subject *s, weir_listener listener, void *arg)
{
    return s->stream != NULL ? weir_stream_prepend_once(s->stream, s->type, listener, arg)
                             : weir_server_prepend_once(s->server, s->type, listener, arg);
}

static void off(subject *s, weir_listener listener, void *arg)
{
    if (s->stream != NULL) {
        weir_stream_off(s->stream, s->type, listener, arg);
    } else {
        weir_server_off(s->server, s->type, listener, arg);
    }
}

static void remove_all(subject *s, weir_event_type type)
{
    if (s->stream != NULL) {
        weir_stream_remove_all(s->stream, type);
    } else {
        weir_server_remove_all(s->server, type);
    }
}

static size_t count_of(const subject *s, weir_event_type type)
{
    return s->stream != NULL ? weir_stream_listener_count(s->stream, type)
                             : weir_server_listener_count(s->server, type);
}

/* Makes the event happen: 'pause' of the stream, 'close' of the server. */
static void happen(subject *s)
{
    if (s->stream != NULL) {
        weir_stream_resume(s->stream);
        weir_stream_pause(s->stream);
        fixture_turns(s->f, OVER_TURNS);
        return;
    }
    assert_code(weir_server_listen(s->server, fixture_text(s->f, "mem:%p", (void *)s), NULL, NULL), 0);
    fixture_turns(s->f, OVER_TURNS);
    assert_code(weir_server_close(s->server, NULL, NULL), 0);
    fixture_turns(s->f, OVER_TURNS);
}

static void note(subject *s, char name)
{
    size_t length = strlen(s->text);
    s->text[length] = name;
    s->text[length + 1] = '\0';
}

static void expect_text(subject *s, const char *text)
{
    assert_string_equal(s->text, text);
    s->text[0] = '\0';
}

static void note_a(const weir_event *event, void *arg)
{
    subject *s = arg;
    assert_ptr_equal(event->target_stream, s->stream);
    assert_ptr_equal(event->target_server, s->server);
    assert_int_equal(event->type, s->type);
    note(s, 'a');
}

static void note_b(const weir_event *event, void *arg)
{
    (void)event;
    note(arg, 'b');
}

static void note_c(const weir_event *event, void *arg)
{
    (void)event;
    note(arg, 'c');
}

static void both(fixture *f, void (*body)(subject *s))
{
    subject of_stream = {.f = f, .stream = weir_stream_new(f->runtime, NULL), .type = WEIR_EVENT_PAUSE};
    body(&of_stream);
    weir_stream_release(of_stream.stream);
    subject of_server = {.f = f, .server = weir_server_new(f->runtime, NULL), .type = WEIR_EVENT_CLOSE};
    body(&of_server);
    weir_server_release(of_server.server);
}

static void body_on(subject *s)
{
    assert_code(on(s, note_a, s), 0);
    assert_code(on(s, note_b, s), 0);
    assert_code(on(s, note_a, s), 0);
    assert_code(on(s, NULL, s), UV_EINVAL);
    happen(s);
    expect_text(s, "aba");
    happen(s);
    expect_text(s, "aba");
}

static void EMT_01_EMT_02_listeners_run_in_order_as_often_as_they_were_added(void **state)
{
    both(*state, body_on);
}

static void EMT_01_there_is_no_such_event(void **state)
{
    fixture *f = *state;
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_code(weir_stream_on(stream, WEIR_EVENT_COUNT, note_a, NULL), UV_EINVAL);
    assert_code(weir_stream_once(stream, (weir_event_type)1000, note_a, NULL), UV_EINVAL);
    assert_code(weir_server_on(server, WEIR_EVENT_COUNT, note_a, NULL), UV_EINVAL);
    assert_code(weir_server_prepend(server, (weir_event_type)1000, note_a, NULL), UV_EINVAL);
    assert_code(weir_stream_on(NULL, WEIR_EVENT_DATA, note_a, NULL), UV_EINVAL);
    assert_code(weir_server_on(NULL, WEIR_EVENT_CLOSE, note_a, NULL), UV_EINVAL);
    assert_int_equal(weir_stream_listener_count(stream, WEIR_EVENT_COUNT), 0);
    weir_stream_release(stream);
    weir_server_release(server);
}

static void body_once(subject *s)
{
    assert_code(once(s, note_a, s), 0);
    assert_code(on(s, note_b, s), 0);
    happen(s);
    expect_text(s, "ab");
    happen(s);
    expect_text(s, "b");
}

static void EMT_04_once_runs_once(void **state)
{
    both(*state, body_once);
}

static void body_off(subject *s)
{
    on(s, note_a, s);
    on(s, note_b, s);
    on(s, note_a, s);
    once(s, note_c, s);
    off(s, note_a, s); /* the later of the two */
    off(s, note_c, s);
    off(s, note_c, s);    /* none any more */
    off(s, note_a, NULL); /* another argument, another listener */
    happen(s);
    expect_text(s, "ab");
}

static void EMT_05_off_takes_the_latest_one(void **state)
{
    both(*state, body_off);
}

static void body_remove_all(subject *s)
{
    on(s, note_a, s);
    on(s, note_b, s);
    if (s->stream != NULL) {
        weir_stream_on(s->stream, WEIR_EVENT_END, note_c, s);
    } else {
        weir_server_on(s->server, WEIR_EVENT_LISTENING, note_c, s);
    }
    remove_all(s, s->type);
    assert_int_equal(count_of(s, s->type), 0);
    assert_int_equal(count_of(s, WEIR_EVENT_END) + count_of(s, WEIR_EVENT_LISTENING), 1);
    remove_all(s, WEIR_EVENT_COUNT);
    assert_int_equal(count_of(s, WEIR_EVENT_END) + count_of(s, WEIR_EVENT_LISTENING), 0);
    on(s, note_b, s);
    happen(s);
    expect_text(s, "b");
}

static void EMT_06_remove_all_of_one_event_or_of_all(void **state)
{
    both(*state, body_remove_all);
}

static void body_prepend(subject *s)
{
    on(s, note_b, s);
    prepend(s, note_a, s);
    prepend_once(s, note_c, s);
    happen(s);
    expect_text(s, "cab");
    happen(s);
    expect_text(s, "ab");
}

static void EMT_07_prepend_puts_in_front(void **state)
{
    both(*state, body_prepend);
}

static void body_count(subject *s)
{
    assert_int_equal(count_of(s, s->type), 0);
    on(s, note_a, s);
    on(s, note_a, s);
    once(s, note_b, s);
    assert_int_equal(count_of(s, s->type), 3);
    assert_int_equal(count_of(s, WEIR_EVENT_ERROR), 0);
    happen(s);
    assert_int_equal(count_of(s, s->type), 2);
}

static void EMT_08_listeners_are_counted(void **state)
{
    both(*state, body_count);
}

static void remove_others(const weir_event *event, void *arg)
{
    subject *s = arg;
    (void)event;
    note(s, 'r');
    off(s, note_b, s);
    on(s, note_c, s);
}

static void body_change(subject *s)
{
    on(s, remove_others, s);
    on(s, note_b, s);
    on(s, note_a, s);
    happen(s);
    expect_text(s, "ra");
    off(s, remove_others, s);
    happen(s);
    expect_text(s, "ac");
}

static void EMT_09_EMT_10_what_is_removed_or_added_meanwhile_does_not_run(void **state)
{
    both(*state, body_change);
}

static void remove_everything(const weir_event *event, void *arg)
{
    subject *s = arg;
    (void)event;
    note(s, 'x');
    remove_all(s, WEIR_EVENT_COUNT);
}

static void body_remove_everything(subject *s)
{
    on(s, remove_everything, s);
    on(s, note_a, s);
    happen(s);
    expect_text(s, "x");
    happen(s);
    expect_text(s, "");
}

static void EMT_09_all_listeners_are_removed_by_the_first(void **state)
{
    both(*state, body_remove_everything);
}

/* ---- what weir relies on is no listener ---- */

static void EMT_06_a_stream_lives_on_without_its_listeners(void **state)
{
    fixture *f = *state;
    f->record = RECORD_DATA;
    weir_server *server = over_listen(f, NULL);
    int error = 0;
    weir_stream *client = weir_connect(f->runtime, fixture_url(f, server), NULL, note_a, NULL, &error);
    weir_stream_remove_all(client, WEIR_EVENT_COUNT);
    weir_stream_end_with(client, "hello", 5, NULL, NULL);
    weir_stream_resume(client);
    recorder *accepted = fixture_accepted(f, server, 0);
    over_wait_closed(accepted);
    recorder_expect_data(accepted, "hello", 5);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_closed(client), 1);
    weir_stream_release(client);
}

static void EMT_06_a_server_closes_without_its_listeners(void **state)
{
    fixture *f = *state;
    weir_server *server = over_listen(f, NULL);
    weir_server_remove_all(server, WEIR_EVENT_COUNT);
    assert_code(weir_server_close_wait(server), 0);
    assert_int_equal(weir_server_listening(server), 0);
}

/* ---- nobody listens for 'error' ---- */

static void note_closed(const weir_event *event, void *arg)
{
    int *had_error = arg;
    *had_error = 10 + event->had_error;
}

static void EMT_12_an_unheard_error_is_logged_and_the_stream_closes(void **state)
{
    fixture *f = *state;
    int closed = 0;
    const char *nowhere = over_nowhere(f);
    weir_stream *stream = weir_connect(f->runtime, nowhere, NULL, NULL, NULL, NULL);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, note_closed, &closed);
    fixture_until(f, &closed);
    assert_int_equal(closed, 11);
    const char *log = fixture_log(f);
    assert_non_null(strstr(log, weir_stream_errored(stream)->name));
    assert_non_null(strstr(log, "connect"));
    assert_non_null(strstr(log, strchr(nowhere, ':') + (over_is(f, "tcp") ? 3 : 1)));
    assert_non_null(strstr(log, fixture_text(f, "%llu", (unsigned long long)weir_stream_id(stream))));
    assert_ptr_equal(strchr(log, '\n'), log + strlen(log) - 1); /* one line */
    weir_stream_release(stream);
}

typedef struct unheard {
    int count;
    int code;
    weir_stream *stream;
    weir_server *server;
} unheard;

static void note_unheard(const weir_event *event, void *arg)
{
    unheard *seen = arg;
    seen->count++;
    assert_int_equal(event->type, WEIR_EVENT_ERROR);
    seen->code = event->error->code;
    seen->stream = event->target_stream;
    seen->server = event->target_server;
}

static void EMT_12_the_application_may_take_unheard_errors(void **state)
{
    fixture *f = *state;
    unheard seen = {0};
    int closed = 0;
    weir_error *error = weir_error_new(UV_EPROTO, "test", NULL, -1);
    weir_runtime_on_unhandled(f->runtime, note_unheard, &seen);
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, note_closed, &closed);
    weir_stream_destroy(stream, error);
    weir_error_release(error);
    fixture_until(f, &closed);
    assert_int_equal(seen.count, 1);
    assert_code(seen.code, UV_EPROTO);
    assert_ptr_equal(seen.stream, stream);
    assert_null(seen.server);
    assert_string_equal(fixture_log(f), "");
    weir_stream_release(stream);
    weir_runtime_on_unhandled(f->runtime, NULL, NULL);
}

static void EMT_12_a_servers_unheard_error(void **state)
{
    fixture *f = *state;
    unheard seen = {0};
    weir_runtime_on_unhandled(f->runtime, note_unheard, &seen);
    weir_server *taken = over_listen(f, NULL);
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_code(weir_server_listen(server, fixture_url(f, taken), NULL, NULL), 0);
    fixture_until(f, &seen.count);
    assert_code(seen.code, UV_EADDRINUSE);
    assert_ptr_equal(seen.server, server);
    assert_null(seen.stream);
    weir_server_release(server);
}

static void EMT_12_an_error_that_is_heard_is_not_logged(void **state)
{
    fixture *f = *state;
    recorder *r = fixture_client(f, over_nowhere(f), NULL);
    over_wait_closed(r);
    assert_int_equal(r->counts[WEIR_EVENT_ERROR], 1);
    assert_string_equal(fixture_log(f), "");
}

/* ---- objects that go while a listener runs ---- */

static void release_stream(const weir_event *event, void *arg)
{
    int *done = arg;
    *done = 1;
    weir_stream_release(event->target_stream);
    assert_int_equal(weir_stream_closed(event->target_stream), 1);
}

static void note_still_there(const weir_event *event, void *arg)
{
    int *seen = arg;
    *seen = weir_stream_closed(event->target_stream);
}

static void EMT_15_the_last_reference_goes_in_a_listener(void **state)
{
    fixture *f = *state;
    int done = 0;
    int seen = 0;
    weir_server *server = over_listen(f, NULL);
    weir_stream *stream = weir_connect(f->runtime, fixture_url(f, server), NULL, NULL, NULL, NULL);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, release_stream, &done);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, note_still_there, &seen);
    weir_stream_destroy(stream, NULL);
    fixture_until(f, &done);
    assert_int_equal(seen, 1);
}

static void destroy_stream(const weir_event *event, void *arg)
{
    int *done = arg;
    *done = 1;
    weir_stream_destroy(event->stream, NULL);
}

static void EMT_15_an_accepted_stream_nobody_keeps(void **state)
{
    fixture *f = *state;
    int done = 0;
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_server_on(server, WEIR_EVENT_CONNECTION, destroy_stream, &done);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    f->record = RECORD_DATA;
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    over_wait_closed(client);
    assert_int_equal(done, 1);
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

static void release_server(const weir_event *event, void *arg)
{
    int *done = arg;
    *done = 1;
    weir_server_release(event->target_server);
    assert_int_equal(weir_server_listening(event->target_server), 0);
}

static void EMT_15_a_server_goes_in_its_close_listener(void **state)
{
    fixture *f = *state;
    int done = 0;
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_server_on(server, WEIR_EVENT_CLOSE, release_server, &done);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    fixture_until(f, &done);
}

static void EMT_15_a_server_whose_reference_was_given_up_goes_on(void **state)
{
    fixture *f = *state;
    int done = 0;
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_server_on(server, WEIR_EVENT_CONNECTION, destroy_stream, &done);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    const char *url = fixture_url(f, server);
    weir_server_release(server);
    f->record = RECORD_DATA;
    over_wait_closed(fixture_client(f, url, NULL));
    assert_int_equal(done, 1);
}

/* ---- ticks ---- */

static void pause_other(const weir_event *event, void *arg)
{
    subject *s = arg;
    (void)event;
    note(s, '1');
    weir_stream_pause(s->stream); /* its 'pause' is queued behind what is due already */
}

static void EMT_16_events_come_in_the_order_of_their_causes(void **state)
{
    fixture *f = *state;
    weir_stream *streams[3];
    subject s = {.f = f, .type = WEIR_EVENT_PAUSE};
    for (int i = 0; i < 3; i++) {
        streams[i] = weir_stream_new(f->runtime, NULL);
    }
    s.stream = streams[2];
    weir_stream_on(streams[0], WEIR_EVENT_PAUSE, pause_other, &s);
    weir_stream_on(streams[1], WEIR_EVENT_PAUSE, note_b, &s);
    weir_stream_on(streams[2], WEIR_EVENT_PAUSE, note_c, &s);
    weir_runtime_enter(f->runtime);
    weir_stream_pause(streams[0]);
    weir_stream_pause(streams[1]);
    assert_string_equal(s.text, "");
    weir_runtime_leave(f->runtime);
    assert_string_equal(s.text, "1bc");
    for (int i = 0; i < 3; i++) {
        weir_stream_release(streams[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(EMT_01_EMT_02_listeners_run_in_order_as_often_as_they_were_added),
        FIXTURE_TEST(EMT_01_there_is_no_such_event),
        FIXTURE_TEST(EMT_04_once_runs_once),
        FIXTURE_TEST(EMT_05_off_takes_the_latest_one),
        FIXTURE_TEST(EMT_06_remove_all_of_one_event_or_of_all),
        OVER_ALL(EMT_06_a_stream_lives_on_without_its_listeners),
        OVER_ALL(EMT_06_a_server_closes_without_its_listeners),
        FIXTURE_TEST(EMT_07_prepend_puts_in_front),
        FIXTURE_TEST(EMT_08_listeners_are_counted),
        FIXTURE_TEST(EMT_09_EMT_10_what_is_removed_or_added_meanwhile_does_not_run),
        FIXTURE_TEST(EMT_09_all_listeners_are_removed_by_the_first),
        OVER_ALL(EMT_12_an_unheard_error_is_logged_and_the_stream_closes),
        FIXTURE_TEST(EMT_12_the_application_may_take_unheard_errors),
        OVER_ALL(EMT_12_a_servers_unheard_error),
        OVER_ALL(EMT_12_an_error_that_is_heard_is_not_logged),
        OVER_ALL(EMT_15_the_last_reference_goes_in_a_listener),
        OVER_ALL(EMT_15_an_accepted_stream_nobody_keeps),
        OVER_ALL(EMT_15_a_server_goes_in_its_close_listener),
        OVER_ALL(EMT_15_a_server_whose_reference_was_given_up_goes_on),
        FIXTURE_TEST(EMT_16_events_come_in_the_order_of_their_causes),
    };
    return cmocka_run_group_tests_name("stream_events", tests, NULL, NULL);
}
