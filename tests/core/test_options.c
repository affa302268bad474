/* SPDX-License-Identifier: MIT */
/* Structs of options that are smaller or larger than those that the library was compiled with. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define UNKNOWN 24 /* bytes of members that the library does not have */

/* A copy of these options as another program has them, in memory of just that size: what is read behind it is seen. */
static void *of_size(const void *options, size_t known, size_t size)
{
    unsigned char *copy = calloc(1, size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, options, size < known ? size : known);
    if (size >= sizeof(size))
        memcpy(copy, &size, sizeof(size));
    return copy;
}

/* ---- the rule itself ---- */

typedef struct sample {
    size_t size;
    int first;
    int second;
    void *third;
} sample;

static void what_an_older_program_does_not_have_stays_as_it_was(void **state)
{
    const sample given = {.size = sizeof(given), .first = 1, .second = 2, .third = *state};
    sample known = {.first = 7, .second = 8, .third = &known};
    sample *older = of_size(&given, sizeof(given), offsetof(sample, third));
    assert_code(weir_options_take(&known, sizeof(known), older), 0);
    assert_int_equal(known.size, sizeof(known));
    assert_int_equal(known.first, 1);
    assert_int_equal(known.second, 2);
    assert_ptr_equal(known.third, &known);
    free(older);
    older = of_size(&given, sizeof(given), sizeof(size_t));
    known.first = 7;
    assert_code(weir_options_take(&known, sizeof(known), older), 0);
    assert_int_equal(known.first, 7);
    free(older);
}

static void what_a_newer_program_wants_beyond_is_refused(void **state)
{
    const sample given = {.size = sizeof(given), .first = 1};
    sample known = {.first = 7};
    (void)state;
    for (size_t i = 0; i < UNKNOWN; i++) {
        unsigned char *newer = of_size(&given, sizeof(given), sizeof(given) + UNKNOWN);
        newer[sizeof(given) + i] = 1;
        assert_code(weir_options_take(&known, sizeof(known), newer), UV_E2BIG);
        assert_int_equal(known.first, 7);
        free(newer);
    }
    void *newer = of_size(&given, sizeof(given), sizeof(given) + UNKNOWN);
    assert_code(weir_options_take(&known, sizeof(known), newer), 0);
    assert_int_equal(known.first, 1);
    assert_int_equal(known.size, sizeof(known));
    free(newer);
}

static void a_struct_without_a_size_is_refused(void **state)
{
    sample given = {.first = 1};
    sample known = {.first = 7};
    (void)state;
    for (given.size = 0; given.size < sizeof(size_t); given.size++)
        assert_code(weir_options_take(&known, sizeof(known), &given), UV_EINVAL);
    assert_int_equal(known.first, 7);
}

/* ---- whoever is given options ---- */

typedef struct taking {
    fixture *f;
    weir_server *server; /* listens */
    pair pair;
} taking;

static int let_go(weir_stream *stream, int status)
{
    assert_int_equal(stream == NULL, status != 0);
    if (stream) {
        weir_stream_destroy(stream, NULL);
        weir_stream_release(stream);
    }
    return status;
}

static int take_new(taking *t, const void *options)
{
    weir_stream *stream = weir_stream_new(t->f->runtime, options);
    if (!stream)
        return 1;
    weir_stream_release(stream);
    return 0;
}

static int take_connect(taking *t, const void *options)
{
    int status = 0;
    weir_stream *stream = weir_connect(t->f->runtime, fixture_url(t->f, t->server), options, NULL, NULL, &status);
    return let_go(stream, status);
}

static int take_create(taking *t, const void *options)
{
    weir_address where;
    weir_connect_options connect;
    int status = 0;
    weir_connect_options_init(&connect);
    assert_code(weir_server_address(t->server, &where), 0);
    connect.port = (int)where.port;
    connect.host = "127.0.0.1";
    weir_stream *stream = weir_create_connection(t->f->runtime, &connect, options, NULL, NULL, &status);
    return let_go(stream, status);
}

static int take_connect_with(taking *t, const void *options)
{
    int status = 0;
    weir_stream *stream = weir_create_connection(t->f->runtime, options, NULL, NULL, NULL, &status);
    return let_go(stream, status);
}

static int adopt(taking *t, const weir_adopt_options *how, const weir_stream_options *options)
{
    int ends[2], status = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    weir_stream *stream = weir_stream_adopt(t->f->runtime, ends[0], how, options, &status);
    let_go(stream, status);
    if (status != 0)
        assert_int_equal(close(ends[0]), 0); /* it is the caller's still */
    close(ends[1]);
    return status;
}

static int take_adopt(taking *t, const void *options)
{
    return adopt(t, options, NULL);
}

static int take_adopt_stream(taking *t, const void *options)
{
    return adopt(t, NULL, options);
}

static int take_server(taking *t, const void *options)
{
    weir_server *server = weir_server_new(t->f->runtime, options);
    if (!server)
        return 1;
    weir_server_release(server);
    return 0;
}

static int take_listen(taking *t, const void *options)
{
    weir_server *server = weir_server_new(t->f->runtime, NULL);
    int status = weir_server_listen_with(server, options, NULL, NULL);
    if (status == 0)
        assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
    return status;
}

static int take_address(taking *t, const void *options)
{
    weir_address address;
    (void)t;
    return weir_address_from_options(&address, options);
}

static void on_finished(const weir_error *error, void *arg)
{
    (void)error;
    (void)arg;
    fail();
}

static int take_finished(taking *t, const void *options)
{
    weir_finished *finished = NULL;
    int status = weir_stream_finished(t->pair.client->stream, options, on_finished, NULL, &finished);
    weir_finished_cancel(finished);
    return status;
}

static int take_pipe(taking *t, const void *options)
{
    int status = weir_stream_pipe(t->pair.client->stream, t->pair.client->stream, options);
    weir_stream_unpipe(t->pair.client->stream, NULL);
    return status;
}

static int take_pipeline(taking *t, const void *options)
{
    pair p = fixture_connect(t->f, t->server, NULL, NULL);
    weir_stream *const streams[] = {p.client->stream, p.client->stream};
    int status = weir_pipeline(streams, 2, options, NULL, NULL);
    recorder_destroy(p.client, NULL);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    return status;
}

typedef union any_options {
    size_t size;
    weir_stream_options stream;
    weir_server_options server;
    weir_connect_options connect;
    weir_listen_options listen;
    weir_adopt_options adopt;
    weir_address_options address;
    weir_finished_options finished;
    weir_pipe_options pipe;
    weir_pipeline_options pipeline;
} any_options;

static void every_function_takes_options_of_any_size(void **state)
{
    any_options stream, server, connect, listen, other;
    taking t = {.f = *state};
    weir_address where;
    t.server = fixture_listen(t.f, "tcp://127.0.0.1:0", NULL);
    t.pair = fixture_connect(t.f, t.server, NULL, NULL);
    weir_stream_options_init(&stream.stream);
    weir_server_options_init(&server.server);
    weir_connect_options_init(&connect.connect);
    weir_listen_options_init(&listen.listen);
    memset(&other, 0, sizeof(other));
    assert_code(weir_server_address(t.server, &where), 0);
    connect.connect.port = (int)where.port;
    listen.listen.port = 0;
    const struct {
        const any_options *options;
        size_t known, older;
        int (*take)(taking *t, const void *options);
        int says_why;
    } cases[] = {
        {&stream, sizeof(stream.stream), offsetof(weir_stream_options, timeout), take_new, 0},
        {&stream, sizeof(stream.stream), offsetof(weir_stream_options, timeout), take_connect, 1},
        {&stream, sizeof(stream.stream), offsetof(weir_stream_options, timeout), take_create, 1},
        {&stream, sizeof(stream.stream), offsetof(weir_stream_options, timeout), take_adopt_stream, 1},
        {&server, sizeof(server.server), offsetof(weir_server_options, max_connections), take_server, 0},
        {&connect, sizeof(connect.connect), offsetof(weir_connect_options, path), take_connect_with, 1},
        {&listen, sizeof(listen.listen), offsetof(weir_listen_options, host), take_listen, 1},
        {&other, sizeof(other.adopt), offsetof(weir_adopt_options, readable), take_adopt, 1},
        {&other, sizeof(other.address), offsetof(weir_address_options, family), take_address, 1},
        {&other, sizeof(other.finished), offsetof(weir_finished_options, signal), take_finished, 1},
        {&other, sizeof(other.pipe), offsetof(weir_pipe_options, no_end), take_pipe, 1},
        {&other, sizeof(other.pipeline), offsetof(weir_pipeline_options, signal), take_pipeline, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t known = cases[i].known;
        const struct {
            size_t size;
            int wants_more;
            int expected;
        } sizes[] = {{known, 0, 0},
                     {cases[i].older, 0, 0},
                     {known + UNKNOWN, 0, 0},
                     {known + UNKNOWN, 1, UV_E2BIG},
                     {0, 0, UV_EINVAL}};
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            unsigned char *options = of_size(cases[i].options, known, sizes[k].size ? sizes[k].size : known);
            memcpy(options, &sizes[k].size, sizeof(size_t));
            if (sizes[k].wants_more)
                options[known + UNKNOWN - 1] = 1;
            int status = cases[i].take(&t, options);
            if (status != (cases[i].says_why ? sizes[k].expected : sizes[k].expected != 0))
                fail_msg("case %zu, size %zu: %d", i, sizes[k].size, status);
            free(options);
        }
    }
}

/* ---- what holds then ---- */

static void an_older_stream_has_the_default_of_what_it_does_not_name(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.readable_high_water_mark = 777;
    options.writable_high_water_mark = 888;
    weir_stream_options *older =
        of_size(&options, sizeof(options), offsetof(weir_stream_options, writable_high_water_mark));
    weir_stream *stream = weir_stream_new(f->runtime, older);
    assert_int_equal(weir_stream_readable_high_water_mark(stream), 777);
    assert_int_equal(weir_stream_writable_high_water_mark(stream), 16384);
    weir_stream_release(stream);
    free(older);
}

/* A server's options, those of its streams being `stream_size` bytes, and `rest` bytes behind them. */
static weir_server *made_of(fixture *f, size_t stream_size, size_t rest, size_t unknown)
{
    const size_t head = offsetof(weir_server_options, stream);
    const size_t tail = offsetof(weir_server_options, max_connections);
    const size_t size = head + stream_size + rest;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.readable_high_water_mark = 777;
    options.max_connections = 3;
    options.no_delay = 1;
    unsigned char *given = calloc(1, size);
    assert_non_null(given);
    memcpy(given, &size, sizeof(size));
    void *stream = of_size(&options.stream, sizeof(options.stream), stream_size);
    memcpy(given + head, stream, stream_size);
    free(stream);
    memcpy(given + head + stream_size, (const char *)&options + tail,
           rest < sizeof(options) - tail ? rest : sizeof(options) - tail);
    if (unknown)
        given[unknown] = 1;
    weir_server *server = weir_server_new(f->runtime, (const weir_server_options *)(const void *)given);
    free(given);
    return server;
}

/* The two structs grow each by itself. */
static void what_is_behind_the_streams_of_a_server_is_found(void **state)
{
    fixture *f = *state;
    const size_t known = sizeof(weir_stream_options), head = offsetof(weir_server_options, stream);
    const size_t rest = sizeof(weir_server_options) - head - known;
    const size_t stream_sizes[] = {known, offsetof(weir_stream_options, writable_high_water_mark), known + UNKNOWN};
    const size_t rests[] = {rest, sizeof(int64_t), rest + UNKNOWN};
    for (size_t i = 0; i < 9; i++) {
        weir_server *server = made_of(f, stream_sizes[i / 3], rests[i % 3], 0);
        assert_non_null(server);
        assert_int_equal(weir_server_max_connections(server), 3);
        weir_server_release(server);
    }
    assert_null(made_of(f, known + UNKNOWN, rest, head + known));
    assert_null(made_of(f, known, rest + UNKNOWN, head + known + rest));
}

static void the_streams_of_a_server_do_not_end_behind_it(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.size = sizeof(options);
    assert_null(weir_server_new(f->runtime, &options));
    options.stream.size = 0;
    assert_null(weir_server_new(f->runtime, &options));
    options.size = offsetof(weir_server_options, stream); /* none of them is looked at */
    weir_server *server = weir_server_new(f->runtime, &options);
    assert_non_null(server);
    weir_server_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_an_older_program_does_not_have_stays_as_it_was),
        FIXTURE_TEST(what_a_newer_program_wants_beyond_is_refused),
        FIXTURE_TEST(a_struct_without_a_size_is_refused),
        FIXTURE_TEST(every_function_takes_options_of_any_size),
        FIXTURE_TEST(an_older_stream_has_the_default_of_what_it_does_not_name),
        FIXTURE_TEST(what_is_behind_the_streams_of_a_server_is_found),
        FIXTURE_TEST(the_streams_of_a_server_do_not_end_behind_it),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
