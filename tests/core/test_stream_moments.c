/* SPDX-License-Identifier: MIT */
/*
 * Every call that ends or changes a stream, inside every kind of call that weir makes to the application: what the
 * listeners' own tests show of one part is shown here of all of them together.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "over.h"

/* One stream, and what is to be done to it once, in the moment that a test is about. */
typedef struct scene {
    fixture *f;
    recorder *recorder;
    weir_stream *stream; /* the recorder's */
    weir_abort *signal;
    weir_endpoint *layer;
    const char *url; /* where it can be connected to */
    void (*act)(struct scene *s);
    int acted;
    char block[64];
    weir_lookup *question;
} scene;

/* ---- what is done ---- */

static void ignore_status(weir_stream *stream, int status, void *arg)
{
    (void)stream;
    (void)status;
    (void)arg;
}

static void ignore_closed(weir_server *server, int status, void *arg)
{
    (void)server;
    (void)status;
    (void)arg;
}

static void ignore_error(const weir_error *error, void *arg)
{
    (void)error;
    (void)arg;
}

static void do_destroy(scene *s)
{
    weir_stream_destroy(s->stream, NULL);
    assert_int_equal(weir_stream_destroyed(s->stream), 1);
}

static void do_abort(scene *s)
{
    weir_abort_fire(s->signal, NULL);
    assert_int_equal(weir_abort_fired(s->signal), 1);
}

static void do_reset(scene *s)
{
    (void)weir_stream_reset_and_destroy(s->stream);
}

static void do_end(scene *s)
{
    (void)weir_stream_end(s->stream, ignore_status, s);
}

static void do_add_layer(scene *s)
{
    (void)weir_stream_add_layer(s->stream, s->layer, ignore_status, s);
}

static void do_add_layer_and_destroy(scene *s)
{
    (void)weir_stream_add_layer(s->stream, s->layer, ignore_status, s);
    weir_stream_destroy(s->stream, NULL);
}

static void do_set_encoding(scene *s)
{
    (void)weir_stream_set_encoding(s->stream, "hex");
}

static void do_connect(scene *s)
{
    (void)recorder_connect(s->recorder, s->url);
}

static void do_write_and_destroy_soon(scene *s)
{
    (void)weir_stream_write(s->stream, "last", 4, ignore_status, s);
    weir_stream_destroy_soon(s->stream);
}

static void do_pause_and_unshift(scene *s)
{
    weir_stream_pause(s->stream);
    (void)weir_stream_unshift(s->stream, "back", 4);
    weir_stream_resume(s->stream);
}

static void do_wait_for_its_end(scene *s)
{
    weir_stream *both[2] = {s->stream, s->stream};
    weir_finished_options finished;
    weir_pipeline_options through = {.size = sizeof(through), .signal = s->signal};
    weir_finished_options_init(&finished);
    finished.signal = s->signal;
    assert_code(weir_stream_finished(s->stream, &finished, ignore_error, s, NULL), 0);
    (void)weir_pipeline(both, 2, &through, ignore_error, s);
    weir_abort_fire(s->signal, NULL);
}

static void do_free_the_runtime(scene *s)
{
    assert_code(weir_runtime_free(s->f->runtime), UV_EBUSY);
    weir_stream_destroy(s->stream, NULL);
}

static void (*const acts[])(scene *s) = {
    do_destroy,
    do_abort,
    do_reset,
    do_end,
    do_add_layer,
    do_add_layer_and_destroy,
    do_set_encoding,
    do_connect,
    do_write_and_destroy_soon,
    do_pause_and_unshift,
    do_wait_for_its_end,
    do_free_the_runtime,
};

#define ACTS (sizeof(acts) / sizeof(acts[0]))

static void act(scene *s)
{
    if (!s->acted) {
        s->acted = 1;
        s->act(s);
    }
}

/* ---- the moments ---- */

static void on_event(const weir_event *event, void *arg)
{
    (void)event;
    act(arg);
}

static void on_status(weir_stream *stream, int status, void *arg)
{
    (void)stream;
    (void)status;
    act(arg);
}

static void on_finished(const weir_error *error, void *arg)
{
    (void)error;
    act(arg);
}

static void on_abort(weir_abort *signal, void *arg)
{
    (void)signal;
    act(arg);
}

static weir_onread_result on_read(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    (void)stream;
    assert_true(count > 0 && buffer != NULL);
    act(arg);
    return WEIR_ONREAD_CONTINUE;
}

static weir_onread_result on_read_only(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    (void)stream;
    (void)arg;
    assert_true(count > 0 && buffer != NULL);
    return WEIR_ONREAD_CONTINUE;
}

static void *on_block(weir_stream *stream, size_t *size, void *arg)
{
    scene *s = arg;
    (void)stream;
    act(s);
    *size = sizeof(s->block);
    return s->block;
}

static void on_lookup(weir_lookup *lookup, const char *host, const weir_lookup_options *options, void *arg)
{
    weir_address address;
    (void)host;
    (void)options;
    act(arg);
    assert_code(weir_address_from_ip(&address, "127.0.0.1", 0), 0);
    weir_lookup_answer(lookup, &address, 1);
}

/* ---- scenes ---- */

static void scene_begin(scene *s, fixture *f, void (*todo)(scene *s))
{
    memset(s, 0, sizeof(*s));
    s->f = f;
    s->act = todo;
    s->signal = weir_abort_new();
    assert_code(weir_endpoint_parse(f->runtime, "xor+tcp://127.0.0.1:1", WEIR_CLIENT, NULL, &s->layer, NULL), 0);
}

static weir_stream_options scene_options(const scene *s)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.signal = s->signal;
    return options;
}

static pair scene_pair(scene *s, const weir_stream_options *options)
{
    s->f->record = 0;
    weir_server *server = over_listen(s->f, NULL);
    pair p = fixture_connect(s->f, server, NULL, options);
    s->url = fixture_url(s->f, server);
    s->recorder = p.client;
    s->stream = p.client->stream;
    return p;
}

static void scene_end(scene *s)
{
    fixture_turns(s->f, OVER_TURNS);
    assert_int_equal(s->acted, 1);
    weir_stream_destroy(s->stream, NULL);
    fixture_turns(s->f, OVER_TURNS);
    weir_abort_release(s->signal);
    weir_endpoint_release(s->layer);
}

static void in_the_callback_of_onread(void **state)
{
    for (size_t i = 0; i < ACTS; i++) {
        static scene s;
        scene_begin(&s, *state, acts[i]);
        weir_stream_options options = scene_options(&s);
        options.onread = (weir_onread){.buffer = s.block, .size = 5, .callback = on_read, .arg = &s};
        pair p = scene_pair(&s, &options);
        recorder_write(p.accepted, "more than a block", 17);
        scene_end(&s);
    }
}

static void while_a_block_is_asked(void **state)
{
    for (size_t i = 0; i < ACTS; i++) {
        static scene s;
        scene_begin(&s, *state, acts[i]);
        weir_stream_options options = scene_options(&s);
        options.onread = (weir_onread){.block = on_block, .callback = on_read_only, .arg = &s};
        pair p = scene_pair(&s, &options);
        recorder_write(p.accepted, "more than a block", 17);
        scene_end(&s);
    }
}

static void in_the_callbacks_of_write_and_end(void **state)
{
    for (size_t i = 0; i < 2 * ACTS; i++) {
        static scene s;
        scene_begin(&s, *state, acts[i / 2]);
        weir_stream_options options = scene_options(&s);
        pair p = scene_pair(&s, &options);
        recorder_add(p.accepted, RECORD_DATA);
        if (i % 2 == 0) {
            assert_true(weir_stream_write(s.stream, "text", 4, on_status, &s) >= 0);
            assert_true(weir_stream_write(s.stream, "text", 4, ignore_status, &s) >= 0);
        } else {
            assert_code(weir_stream_end(s.stream, on_status, &s), 0);
        }
        scene_end(&s);
    }
}

/* Called when the layer is open, or, where the other end says something else, when it will never be. */
static void in_the_callback_of_a_layer(void **state)
{
    for (size_t i = 0; i < 2 * ACTS; i++) {
        static scene s;
        scene_begin(&s, *state, acts[i / 2]);
        weir_stream_options options = scene_options(&s);
        pair p = scene_pair(&s, &options);
        assert_code(weir_stream_add_layer(s.stream, s.layer, on_status, &s), 0);
        recorder_write(p.accepted, i % 2 == 0 ? "\x55more" : "other", 5);
        scene_end(&s);
    }
}

static void in_listeners(void **state)
{
    static const weir_event_type types[] = {WEIR_EVENT_DATA,   WEIR_EVENT_END,   WEIR_EVENT_FINISH,
                                            WEIR_EVENT_RESUME, WEIR_EVENT_ERROR, WEIR_EVENT_CLOSE};
    for (size_t i = 0; i < ACTS * sizeof(types) / sizeof(types[0]); i++) {
        static scene s;
        scene_begin(&s, *state, acts[i % ACTS]);
        weir_stream_options options = scene_options(&s);
        pair p = scene_pair(&s, &options);
        weir_stream_set_encoding(s.stream, i % 2 == 0 ? "base64" : "utf8");
        weir_stream_on(s.stream, types[i / ACTS], on_event, &s);
        recorder_add(p.client, RECORD_DATA);
        recorder_write(p.accepted, "\xc3", 1); /* comes out as the last 'data', at the end */
        if (types[i / ACTS] == WEIR_EVENT_ERROR) {
            over_destroy_with(p.client, UV_EIO);
        } else {
            recorder_end(p.accepted);
        }
        scene_end(&s);
    }
}

static void while_a_name_is_looked_up(void **state)
{
    for (size_t i = 0; i < ACTS; i++) {
        static scene s;
        fixture *f = *state;
        scene_begin(&s, f, acts[i]);
        weir_stream_options options = scene_options(&s);
        options.lookup = on_lookup;
        options.lookup_arg = &s;
        weir_server *server = over_listen(f, NULL);
        weir_address address;
        while (weir_server_address(server, &address) != 0) {
            fixture_turns(f, 1);
        }
        s.url = fixture_text(f, "tcp://some.test:%d", address.port);
        s.recorder = fixture_client(f, s.url, &options);
        s.stream = s.recorder->stream;
        scene_end(&s);
    }
}

/* Before the stream's own listener of the same signal, and behind it. */
static void in_a_listener_of_the_signal(void **state)
{
    for (size_t i = 0; i < 2 * ACTS; i++) {
        static scene s;
        scene_begin(&s, *state, acts[i / 2]);
        if (i % 2 == 0) {
            assert_code(weir_abort_on(s.signal, on_abort, &s), 0);
        }
        weir_stream_options options = scene_options(&s);
        scene_pair(&s, &options);
        if (i % 2 == 1) {
            assert_code(weir_abort_on(s.signal, on_abort, &s), 0);
        }
        if (s.act != do_free_the_runtime) { /* nothing of weir is on the stack: it may be freed here */
            weir_abort_fire(s.signal, NULL);
        } else {
            s.acted = 1;
        }
        scene_end(&s);
    }
}

static void in_the_callback_of_finished(void **state)
{
    for (size_t i = 0; i < ACTS; i++) {
        static scene s;
        scene_begin(&s, *state, acts[i]);
        weir_stream_options options = scene_options(&s);
        pair p = scene_pair(&s, &options);
        weir_finished_options one;
        weir_finished_options_init(&one);
        one.writable = 0;
        assert_code(weir_stream_finished(s.stream, &one, on_finished, &s, NULL), 0);
        recorder_add(p.client, RECORD_DATA);
        recorder_end(p.accepted);
        scene_end(&s);
    }
}

static void in_the_callback_of_a_pipeline(void **state)
{
    for (size_t i = 0; i < ACTS; i++) {
        static scene s;
        scene_begin(&s, *state, acts[i]);
        weir_stream_options options = scene_options(&s);
        pair p = scene_pair(&s, &options);
        weir_stream *both[2] = {s.stream, s.stream};
        assert_code(weir_pipeline(both, 2, NULL, on_finished, &s), 0);
        recorder_add(p.accepted, RECORD_DATA);
        recorder_write(p.accepted, "to and fro", 10);
        recorder_end(p.accepted);
        scene_end(&s);
    }
}

/* With the data that comes with the descriptor still to be told. */
static void in_a_listener_of_fd(void **state)
{
    for (size_t i = 0; i < 2 * ACTS; i++) {
        static scene s;
        scene_begin(&s, *state, acts[i / 2]);
        weir_stream_options options = scene_options(&s);
        if (i % 2 == 1) {
            options.onread = (weir_onread){.block = on_block, .callback = on_read_only, .arg = &s};
        }
        pair p = scene_pair(&s, &options);
        recorder_add(p.client, i % 2 == 1 ? RECORD_FD : RECORD_FD | RECORD_DATA);
        s.acted = 0;
        weir_stream_on(s.stream, WEIR_EVENT_FD, on_event, &s);
        int fds[2] = {0, 0};
        assert_true(weir_stream_write_fd(p.accepted->stream, "text", 4, fds, 2, NULL, NULL) >= 0);
        scene_end(&s);
    }
}

/* ---- the end of the runtime, with everything on its way ---- */

typedef struct told {
    int count;
    int code;
} told;

static void tell_error(const weir_error *error, void *arg)
{
    told *t = arg;
    t->count++;
    t->code = error == NULL ? 0 : error->code;
}

static void tell_status(weir_stream *stream, int status, void *arg)
{
    told *t = arg;
    (void)stream;
    t->count++;
    t->code = status;
}

static void keep_question(weir_lookup *lookup, const char *host, const weir_lookup_options *options, void *arg)
{
    scene *s = arg;
    (void)host;
    (void)options;
    s->question = lookup;
}

/* What can be asked of a stream that has outlived its runtime, and what it answers. */
static void expect_orphan(const scene *s, weir_stream *stream)
{
    weir_stream *both[2] = {stream, stream};
    const weir_address *tried = NULL;
    int error = 0;
    assert_int_equal(weir_stream_destroyed(stream), 1);
    assert_code(weir_stream_connect(stream, "tcp://127.0.0.1:1", NULL, NULL), UV_ECANCELED);
    assert_code(weir_stream_connect_port(stream, 1, NULL, NULL, NULL), UV_ECANCELED);
    assert_code(weir_stream_finished(stream, NULL, ignore_error, NULL, NULL), UV_ECANCELED);
    assert_code(weir_pipeline(both, 2, NULL, NULL, NULL), UV_ECANCELED);
    assert_code(weir_stream_add_layer(stream, NULL, NULL, NULL), UV_EINVAL);
    assert_code(weir_stream_export_fd(stream), UV_ENOTCONN);
    assert_code(weir_stream_write(stream, "x", 1, NULL, NULL), 0);
    assert_code(weir_stream_write(stream, "x", 1, ignore_status, NULL), UV_ECANCELED);
    assert_code(weir_stream_end(stream, ignore_status, NULL), UV_ECANCELED);
    assert_code(weir_stream_set_timeout(stream, 1, NULL, NULL), 0);
    (void)weir_stream_set_encoding(stream, "hex");
    weir_stream_attempted_addresses(stream, &tried);
    weir_stream_destroy(stream, NULL);
    assert_null(weir_stream_adopt(NULL, 0, NULL, NULL, &error));
    assert_code(error, UV_EINVAL);
    weir_abort_fire(s->signal, NULL);
}

static void the_runtimes_end_with_all_on_its_way(void **state)
{
    static scene s;
    fixture *f = *state;
    static told finished, aborted, through, layer, written;
    scene_begin(&s, f, do_destroy);
    weir_stream_options options = scene_options(&s);
    weir_abort *other = weir_abort_new();
    memset(&finished, 0, sizeof(finished));
    memset(&layer, 0, sizeof(layer));
    aborted = through = written = finished;

    options.lookup = keep_question;
    options.lookup_arg = &s;
    recorder *asking = fixture_client(f, "tcp://some.test:1", &options);
    fixture_turns(f, OVER_TURNS);
    assert_non_null(s.question);

    options.lookup = NULL;
    pair added = scene_pair(&s, &options);
    assert_code(weir_stream_add_layer(added.client->stream, s.layer, tell_status, &layer), 0);
    fixture_turns(f, OVER_TURNS);
    assert_true(weir_stream_write(added.client->stream, "through", 7, tell_status, &written) >= 0);

    pair piped = scene_pair(&s, &options);
    weir_stream *both[2] = {piped.client->stream, piped.client->stream};
    weir_pipeline_options through_options = {.size = sizeof(through_options), .signal = s.signal};
    assert_code(weir_pipeline(both, 2, &through_options, tell_error, &through), 0);

    weir_server *server = weir_server_retain(over_listen(f, NULL));
    weir_finished_options waiting;
    weir_finished_options_init(&waiting);
    waiting.signal = s.signal;
    recorder *never = over_fresh(f, &options);
    assert_code(weir_stream_finished(never->stream, &waiting, tell_error, &finished, NULL), 0);
    waiting.signal = other;
    assert_code(weir_stream_finished(never->stream, &waiting, tell_error, &aborted, NULL), 0);
    weir_abort_fire(other, NULL); /* told on a tick that only the runtime's end brings */

    fixture_end(f);
    assert_int_equal(finished.count + aborted.count + through.count + layer.count + written.count, 5);
    assert_code(finished.code, WEIR_EPREMATURE_CLOSE);
    assert_code(aborted.code, WEIR_EABORTED);
    assert_code(through.code, WEIR_EPREMATURE_CLOSE);
    assert_code(layer.code, WEIR_ESTREAM_DESTROYED);
    assert_code(written.code, WEIR_ESTREAM_DESTROYED);
    assert_int_equal(weir_lookup_cancelled(s.question), 1);
    weir_lookup_fail(s.question, NULL);
    assert_int_equal(weir_abort_listener_count(s.signal), 0);
    assert_code(weir_server_listen(server, over_here(f), NULL, NULL), UV_ECANCELED);
    assert_code(weir_server_listen_with(server, NULL, NULL, NULL), UV_ECANCELED);
    assert_code(weir_server_close(server, ignore_closed, NULL), UV_ECANCELED);
    assert_code(weir_server_get_connections(server, ignore_closed, NULL), UV_ECANCELED);
    assert_code(weir_server_close_wait(server), WEIR_ESERVER_NOT_RUNNING);
    assert_int_equal(weir_server_connections(server), 0);
    weir_server_release(server);
    expect_orphan(&s, asking->stream);
    expect_orphan(&s, added.client->stream);
    expect_orphan(&s, piped.client->stream);
    expect_orphan(&s, never->stream);
    weir_abort_release(other);
    weir_abort_release(s.signal);
    weir_endpoint_release(s.layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(in_the_callback_of_onread),
        OVER_ALL(while_a_block_is_asked),
        OVER_ALL(in_the_callbacks_of_write_and_end),
        OVER_ALL(in_the_callback_of_a_layer),
        OVER_ALL(in_listeners),
        OVER_TCP(while_a_name_is_looked_up),
        OVER_ALL(in_a_listener_of_the_signal),
        OVER_ALL(in_the_callback_of_finished),
        OVER_ALL(in_the_callback_of_a_pipeline),
        OVER_IPC(in_a_listener_of_fd),
        OVER_ALL(the_runtimes_end_with_all_on_its_way),
    };
    fixture_preload("xor");
    return cmocka_run_group_tests_name("stream moments", tests, NULL, NULL);
}
