/* SPDX-License-Identifier: MIT */
/*
 * Memory: what paused streams cost, what an echo to a slow reader holds, and what becomes of every stream when an
 * allocation fails, whichever it is.
 */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../transports/raw_peer.h"
#include "over.h"
#include "sanitized.h"

#define MEBIBYTE ((size_t)1024 * 1024)
#define SLAB     ((size_t)256 * 1024)

/* Resident memory means something only where nobody else's bookkeeping is in it. */
static int can_measure(void)
{
    return !SANITIZED && getenv("WEIR_TEST_VALGRIND") == NULL;
}

static size_t resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) {
        abort();
    }
    fclose(file);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- a thousand paused streams ---- */

enum { PAUSED = 1000 };

#define BUSY ((size_t)64 * 1024) /* what goes over another connection between two of those bytes */

typedef struct keeper {
    size_t unread; /* streams with one unread byte */
    size_t arrived;
} keeper;

static void pause_with_a_byte(const weir_event *event, void *arg)
{
    keeper *k = arg;
    weir_stream_pause(event->target_stream);
    if (weir_stream_readable_length(event->target_stream) == 1) {
        k->unread++;
    }
}

/* The first one is read all the time: what the others keep must not keep more than itself. */
static void keep_paused(const weir_event *event, void *arg)
{
    keeper *k = arg;
    if (k->arrived++ == 0) {
        weir_stream_resume(event->stream);
    } else if (weir_stream_on(event->stream, WEIR_EVENT_READABLE, pause_with_a_byte, k) != 0) {
        abort();
    }
}

/*
 * The program as a child of itself: a server whose streams stop with one byte unread. It prints its port, and when all
 * are there, by how much it has grown since it began to listen.
 */
static int serve_paused(void)
{
    keeper k = {0};
    uv_loop_t loop;
    weir_address address;
    if (uv_loop_init(&loop) != 0) {
        return 1;
    }
    weir_runtime *runtime = fixture_new_runtime(&loop);
    weir_server *server = weir_server_new(runtime, NULL);
    weir_server_on(server, WEIR_EVENT_CONNECTION, keep_paused, &k);
    if (weir_server_listen(server, "tcp://127.0.0.1:0", NULL, NULL) != 0) {
        return 1;
    }
    while (weir_server_address(server, &address) != 0) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    size_t before = resident();
    printf("%u\n", address.port);
    fflush(stdout);
    while (k.unread < PAUSED) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    printf("%zu\n", resident() - before);
    fflush(stdout);
    weir_runtime_free(runtime);
    weir_server_release(server);
    return uv_loop_close(&loop) != 0;
}

static pid_t start_child(FILE **out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        alarm(120);
        execl("/proc/self/exe", "test_memory", "serve-paused", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *out = fdopen(ends[0], "r");
    assert_non_null(*out);
    return pid;
}

static void memory_RD_17_a_thousand_paused_streams_with_an_unread_byte(void **state)
{
    static int clients[PAUSED];
    static char bytes[BUSY];
    struct rlimit limit;
    unsigned port = 0;
    size_t growth = 0;
    FILE *out;
    int status = 0;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (!can_measure() || limit.rlim_cur < PAUSED + 100) {
        skip();
    }
    pid_t pid = start_child(&out);
    assert_int_equal(fscanf(out, "%u", &port), 1);
    int busy = raw_connect((uint16_t)port);
    for (int i = 0; i < PAUSED; i++) {
        for (size_t sent = 0; sent < sizeof(bytes);) {
            ssize_t more = send(busy, bytes + sent, sizeof(bytes) - sent, MSG_NOSIGNAL);
            assert_true(more > 0);
            sent += (size_t)more;
        }
        clients[i] = raw_connect((uint16_t)port);
        assert_int_equal(send(clients[i], "x", 1, MSG_NOSIGNAL), 1);
    }
    assert_int_equal(fscanf(out, "%zu", &growth), 1);
    print_message("a thousand paused streams: %zu bytes\n", growth);
    for (int i = 0; i < PAUSED; i++) {
        close(clients[i]);
    }
    close(busy);
    fclose(out);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(growth < 2 * MEBIBYTE);
}

/* ---- an echo to a slow reader ---- */

#define ECHOED (64 * MEBIBYTE)

typedef struct slow_reader {
    fixture *f;
    weir_stream *client;
    weir_stream *accepted;
    weir_task again;
    size_t size; /* to be sent in all */
    size_t sent;
    size_t received;
    size_t most; /* bytes that both streams held at once */
    size_t peak; /* resident memory */
    int done;
} slow_reader;

static void send_more(slow_reader *r)
{
    static char bytes[65536];
    while (r->sent < r->size) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = over_byte(r->sent + i);
        }
        int go_on = weir_stream_write(r->client, bytes, sizeof(bytes), NULL, NULL);
        assert_true(go_on >= 0);
        r->sent += sizeof(bytes);
        if (go_on == 0) {
            return;
        }
    }
    assert_code(weir_stream_end(r->client, NULL, NULL), 0);
}

static void on_drain(const weir_event *event, void *arg)
{
    (void)event;
    send_more(arg);
}

static void read_on(weir_task *task)
{
    slow_reader *r = (slow_reader *)(void *)((char *)task - offsetof(slow_reader, again));
    weir_stream_resume(r->client);
}

static void read_a_little(const weir_event *event, void *arg)
{
    slow_reader *r = arg;
    for (size_t i = 0; i < event->buffer->size; i++) {
        if (event->buffer->data[i] != over_byte(r->received + i)) {
            fail_msg("byte %zu is not the one that was sent", r->received + i);
        }
    }
    r->received += event->buffer->size;
    size_t held = weir_stream_writable_length(r->client) + weir_stream_readable_length(r->client) +
                  weir_stream_writable_length(r->accepted) + weir_stream_readable_length(r->accepted);
    if (held > r->most) {
        r->most = held;
    }
    size_t now = resident();
    if (now > r->peak) {
        r->peak = now;
    }
    weir_stream_pause(r->client);
    weir_runtime_next_turn(r->f->runtime, &r->again);
}

static void on_over(const weir_event *event, void *arg)
{
    slow_reader *r = arg;
    assert_int_equal(event->had_error, 0);
    r->done = 1;
}

static void memory_PIPE_07_an_echo_of_64_MiB_to_a_slow_reader(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.allow_half_open = 1; /* the pipe ends it, behind the last byte */
    pair p = over_pair_with(f, 0, NULL, 0, &options);
    size_t size = getenv("WEIR_TEST_VALGRIND") == NULL ? ECHOED : ECHOED / 16;
    slow_reader r = {
        .f = f, .size = size, .client = p.client->stream, .accepted = p.accepted->stream, .again = {.run = read_on}};
    assert_code(weir_stream_pipe(r.accepted, r.accepted, NULL), 0);
    weir_stream_on(r.client, WEIR_EVENT_DRAIN, on_drain, &r);
    weir_stream_on(r.client, WEIR_EVENT_DATA, read_a_little, &r);
    weir_stream_on(r.client, WEIR_EVENT_CLOSE, on_over, &r);
    size_t before = resident();
    send_more(&r);
    fixture_until(f, &r.done);
    assert_int_equal(r.received, r.size);
    assert_true(r.most <= 4 * SLAB);
    if (can_measure()) {
        assert_true(r.peak < before + 8 * MEBIBYTE);
    }
}

/* ---- allocations that fail ---- */

/* recorder.h's text, kept without an allocation of weir's that must not fail. */
typedef struct witness {
    weir_stream *stream;
    char text[4096];
    char data[65536]; /* the first of what came */
    size_t data_size;
    int partial; /* a listener could not be added: the text has gaps */
    int accepted;
    int connects; /* it has a life: was accepted, or connect() did not fail */
    unsigned writes;
    unsigned ends;
    unsigned writes_done;
    unsigned ends_done;
    unsigned late;
} witness;

typedef struct stage {
    fixture *f;
    uv_loop_t loop;
    weir_runtime *runtime;
    weir_server *server;
    char url[256];
    witness client;
    witness accepted[4];
    size_t accepted_count;
    weir_stream_options options; /* of the client */
    int pipes;                   /* accepted streams are piped into themselves */
    int unheard;                 /* 'error' of a server */
} stage;

static void add_word(witness *w, const char *word)
{
    size_t length = strlen(w->text);
    if (length + strlen(word) + 2 > sizeof(w->text)) {
        fail_msg("too much happened: %s", w->text);
    }
    snprintf(w->text + length, sizeof(w->text) - length, "%s%s", length > 0 ? " " : "", word);
}

static void testify(const weir_event *event, void *arg)
{
    witness *w = arg;
    char word[96];
    if (event->type == WEIR_EVENT_DATA) {
        size_t room = sizeof(w->data) - w->data_size;
        size_t size = event->buffer->size < room ? event->buffer->size : room;
        memcpy(w->data + w->data_size, event->buffer->data, size);
        w->data_size += size;
        snprintf(word, sizeof(word), "data:%zu", event->buffer->size);
    } else if (event->type == WEIR_EVENT_ERROR) {
        snprintf(word, sizeof(word), "error:%s", event->error->name);
    } else {
        snprintf(word, sizeof(word), "%s%s", weir_event_name(event->type),
                 event->type == WEIR_EVENT_CLOSE && event->had_error ? ":error" : "");
    }
    add_word(w, word);
}

static void call_witness(witness *w, weir_stream *stream, int accepted)
{
    w->stream = weir_stream_retain(stream);
    w->accepted = accepted;
    w->connects = accepted;
    for (int type = 0; type < WEIR_EVENT_LISTENING; type++) {
        if (type != WEIR_EVENT_READABLE && type != WEIR_EVENT_FD &&
            weir_stream_on(stream, (weir_event_type)type, testify, w) != 0) {
            w->partial = 1;
        }
    }
}

static void called_back(witness *w, char kind, unsigned number, int status)
{
    char word[80];
    snprintf(word, sizeof(word), "%s%c%u%s%s", w->late ? "~" : "", kind, number, status != 0 ? ":" : "",
             status != 0 ? weir_error_name(status) : "");
    add_word(w, word);
}

static void on_written(weir_stream *stream, int status, void *arg)
{
    witness *w = arg;
    (void)stream;
    called_back(w, 'w', ++w->writes_done, status);
}

static void on_ended(weir_stream *stream, int status, void *arg)
{
    witness *w = arg;
    (void)stream;
    called_back(w, 'e', ++w->ends_done, status);
}

/* A call that may fail for want of memory, and for nothing else. */
static int judge_call(int status)
{
    if (status < 0 && status != UV_ENOMEM) {
        fail_msg("a failed allocation became %s", weir_error_name(status));
    }
    return status >= 0;
}

static void write_some(witness *w, const char *bytes, size_t size)
{
    w->late = weir_stream_destroyed(w->stream) != 0;
    w->writes += judge_call(weir_stream_write(w->stream, bytes, size, on_written, w)) != 0;
}

static void end_it(witness *w)
{
    w->late = weir_stream_destroyed(w->stream) != 0;
    w->ends += judge_call(weir_stream_end(w->stream, on_ended, w)) != 0;
}

static void take_arrival(const weir_event *event, void *arg)
{
    stage *s = arg;
    assert_true(s->accepted_count < 4);
    witness *w = &s->accepted[s->accepted_count++];
    call_witness(w, event->stream, 1);
    if (s->pipes) {
        int status = weir_stream_pipe(event->stream, event->stream, NULL);
        if (!judge_call(status)) {
            weir_stream_destroy(event->stream, NULL);
        }
    }
}

static void hear(const weir_event *event, void *arg)
{
    stage *s = arg;
    (void)event;
    s->unheard++;
}

static void turn(stage *s, int count)
{
    for (int i = 0; i < count; i++) {
        if (i % 5 == 0) {
            fixture_arrive(s->f);
        }
        uv_run(&s->loop, UV_RUN_NOWAIT);
    }
}

static void quiet(weir_log_level level, const char *message, void *arg)
{
    (void)level;
    (void)message;
    (void)arg;
}

/* 1: a server listens at `here`, and s->url reaches it. 0: the failing allocation was in the way. */
static int open_stage(stage *s, fixture *f, const char *here)
{
    memset(s, 0, sizeof(*s));
    s->f = f;
    weir_stream_options_init(&s->options);
    assert_int_equal(uv_loop_init(&s->loop), 0);
    s->runtime = fixture_new_runtime(&s->loop);
    if (s->runtime == NULL) {
        return 0;
    }
    weir_runtime_on_log(s->runtime, quiet, NULL);
    s->server = weir_server_new(s->runtime, NULL);
    if (s->server == NULL || weir_server_on(s->server, WEIR_EVENT_CONNECTION, take_arrival, s) != 0 ||
        weir_server_on(s->server, WEIR_EVENT_ERROR, hear, s) != 0) {
        return 0;
    }
    /* what names a folder of plugins may be what could not be kept: then there is no such plugin */
    int status = weir_server_listen(s->server, here, NULL, NULL);
    if (status != 0 && allocator_failures() == 0) {
        fail_msg("listen %s: %s", here, weir_error_name(status));
    }
    turn(s, 20);
    if (!weir_server_listening(s->server)) {
        assert_true(allocator_failures() > 0);
        return 0;
    }
    assert_true(weir_server_format(s->server, s->url, sizeof(s->url)) < sizeof(s->url));
    return 1;
}

static int begin_to_connect(stage *s)
{
    weir_stream *stream = weir_stream_new(s->runtime, &s->options);
    if (stream == NULL) {
        return 0;
    }
    call_witness(&s->client, stream, 0);
    int status = weir_stream_connect(stream, s->url, NULL, NULL);
    weir_stream_release(stream);
    s->client.connects = judge_call(status);
    return s->client.connects;
}

static void judge_witness(witness *w)
{
    char fault[256];
    if (w->stream == NULL) {
        return;
    }
    assert_int_equal(w->writes, w->writes_done);
    assert_int_equal(w->ends, w->ends_done);
    weir_stream_release(w->stream);
    if (!w->partial && recorder_check_text(w->text, w->accepted, w->connects, fault, sizeof(fault)) != NULL) {
        fail_msg("%s, in: %s", fault, w->text);
    }
}

static void close_stage(stage *s)
{
    assert_int_equal(weir_runtime_free(s->runtime), 0);
    judge_witness(&s->client);
    for (size_t i = 0; i < s->accepted_count; i++) {
        judge_witness(&s->accepted[i]);
    }
    weir_server_release(s->server);
    while (uv_loop_alive(&s->loop)) {
        uv_run(&s->loop, UV_RUN_ONCE);
    }
    assert_int_equal(uv_loop_close(&s->loop), 0);
}

/* ---- scenes ---- */

typedef struct scene {
    fixture *f;
    stage stage;
    char bytes[40000];
} scene;

/* What came is what was sent, as far as it came. */
static void expect_prefix(const witness *w, const char *bytes, size_t size)
{
    assert_true(w->data_size <= size);
    assert_memory_equal(w->data, bytes, w->data_size);
}

static void scene_listen(void *arg)
{
    scene *on = arg;
    stage *s = &on->stage;
    if (open_stage(s, on->f, over_here(on->f))) {
        weir_server_close(s->server, NULL, NULL);
        turn(s, 20);
    }
    close_stage(s);
}

/* Connect, a write from either side, both end. */
static void scene_talk(void *arg)
{
    scene *on = arg;
    stage *s = &on->stage;
    if (open_stage(s, on->f, over_here(on->f)) && begin_to_connect(s)) {
        write_some(&s->client, on->bytes, 100);
        turn(s, 40);
        for (size_t i = 0; i < s->accepted_count; i++) {
            write_some(&s->accepted[i], on->bytes, sizeof(on->bytes));
        }
        turn(s, 40);
        end_it(&s->client);
        turn(s, 40);
        expect_prefix(&s->client, on->bytes, sizeof(on->bytes));
        if (allocator_failures() == 0) {
            assert_int_equal(s->client.data_size, sizeof(on->bytes));
            assert_int_equal(s->accepted[0].data_size, 100);
            assert_int_equal(weir_stream_closed(s->client.stream), 1);
        }
    }
    close_stage(s);
}

/* An echo by pipe, of more than goes at once. */
static void scene_pipe(void *arg)
{
    scene *on = arg;
    stage *s = &on->stage;
    if (open_stage(s, on->f, over_here(on->f))) {
        s->pipes = 1;
        if (begin_to_connect(s)) {
            weir_stream_cork(s->client.stream);
            for (size_t at = 0; at < sizeof(on->bytes); at += 4000) {
                write_some(&s->client, on->bytes + at, 4000);
            }
            weir_stream_uncork(s->client.stream);
            turn(s, 40);
            end_it(&s->client);
            turn(s, 40);
            if (s->client.writes == 10) { /* otherwise one is missing, as its caller was told */
                expect_prefix(&s->client, on->bytes, sizeof(on->bytes));
            }
            if (allocator_failures() == 0) {
                assert_int_equal(s->client.data_size, sizeof(on->bytes));
                assert_int_equal(weir_stream_closed(s->client.stream), 1);
            }
        }
    }
    close_stage(s);
}

/* A reader that does not flow: the buffer, read(), unshift(), and a queue that waits for it. */
static void scene_read(void *arg)
{
    scene *on = arg;
    stage *s = &on->stage;
    if (open_stage(s, on->f, over_here(on->f)) && begin_to_connect(s)) {
        weir_stream *client = s->client.stream;
        weir_stream_pause(client);
        turn(s, 40);
        for (size_t i = 0; i < s->accepted_count; i++) {
            write_some(&s->accepted[i], on->bytes, 1000);
            turn(s, 10);
            write_some(&s->accepted[i], on->bytes + 1000, 1000);
        }
        weir_stream_refill(client);
        turn(s, 20);
        judge_call(weir_stream_set_timeout(client, 3600000, NULL, NULL));
        weir_buf *buf = weir_stream_read(client, 1500);
        if (buf != NULL) {
            assert_memory_equal(buf->data, on->bytes, 1500);
            int status = weir_stream_unshift(client, buf->data, buf->size);
            assert_true(status == 0 || status == UV_ENOMEM || status == WEIR_ESTREAM_DESTROYED);
        }
        weir_buf_release(buf);
        weir_stream_resume(client);
        turn(s, 20);
        weir_stream_destroy(client, NULL);
    }
    close_stage(s);
}

/* A refused connect, a taken place, a reset, a second life. */
static void scene_errors(void *arg)
{
    scene *on = arg;
    stage *s = &on->stage;
    if (open_stage(s, on->f, over_here(on->f)) && begin_to_connect(s)) {
        weir_server *second = weir_server_new(s->runtime, NULL);
        if (second != NULL) {
            weir_server_listen(second, s->url, NULL, NULL);
        }
        turn(s, 40);
        write_some(&s->client, on->bytes, 10);
        weir_error *error = weir_error_new(UV_EPROTO, "test", NULL, -1); /* never NULL */
        weir_stream_destroy(s->client.stream, error);
        weir_error_release(error);
        turn(s, 40);
        weir_server_close(s->server, NULL, NULL);
        turn(s, 40);
        weir_stream *refused = weir_connect(s->runtime, s->url, NULL, NULL, NULL, NULL);
        weir_stream_release(refused);
        turn(s, 40);
        weir_server_release(second);
    }
    close_stage(s);
}

/* An encoding set over a buffer, text that is made, and a remainder at the end: of zeros, in base64. */
static void scene_text(void *arg)
{
    static const char zeros[1000];
    scene *on = arg;
    stage *s = &on->stage;
    if (open_stage(s, on->f, over_here(on->f)) && begin_to_connect(s)) {
        weir_stream *client = s->client.stream;
        weir_stream_pause(client);
        turn(s, 20);
        weir_stream_refill(client);
        for (size_t i = 0; i < s->accepted_count; i++) {
            write_some(&s->accepted[i], zeros, sizeof(zeros));
        }
        turn(s, 20);
        int set = judge_call(weir_stream_set_encoding(client, "base64"));
        weir_stream_resume(client);
        for (size_t i = 0; i < s->accepted_count; i++) {
            write_some(&s->accepted[i], zeros, sizeof(zeros));
            end_it(&s->accepted[i]);
        }
        turn(s, 40);
        for (size_t i = 0; i < s->client.data_size; i++) {
            int padding = s->client.data[i] == '=' && s->client.data_size - i <= 2;
            assert_int_equal(s->client.data[i], !set ? 0 : padding ? '=' : 'A');
        }
        if (allocator_failures() == 0) {
            assert_int_equal(s->client.data_size, 2668);
        }
    }
    close_stage(s);
}

typedef struct blocks {
    char block[64];
    char data[512];
    size_t size;
} blocks;

static void *next_block(weir_stream *stream, size_t *size, void *arg)
{
    blocks *b = arg;
    (void)stream;
    *size = sizeof(b->block);
    return b->block;
}

/* Stops at every other piece, and goes on at once. */
static weir_onread_result take_block(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    blocks *b = arg;
    (void)stream;
    assert_true(b->size + count <= sizeof(b->data));
    memcpy(b->data + b->size, buffer, count);
    b->size += count;
    return b->size % 2 != 0 ? WEIR_ONREAD_PAUSE : WEIR_ONREAD_CONTINUE;
}

/* Blocks of the application's, which a layer's data is copied to. */
static void scene_onread(void *arg)
{
    scene *on = arg;
    stage *s = &on->stage;
    blocks b = {.size = 0};
    if (open_stage(s, on->f, over_here(on->f))) {
        char url[sizeof(s->url)];
        memcpy(url, s->url, sizeof(url));
        assert_true(snprintf(s->url, sizeof(s->url), "chaos+%.200s?seed=6", url) < (int)sizeof(s->url));
        s->options.onread = (weir_onread){.block = next_block, .callback = take_block, .arg = &b};
        if (begin_to_connect(s)) {
            turn(s, 20);
            for (size_t i = 0; i < s->accepted_count; i++) {
                write_some(&s->accepted[i], on->bytes, 300);
                end_it(&s->accepted[i]);
            }
            for (int i = 0; i < 60; i++) {
                turn(s, 1);
                weir_stream_resume(s->client.stream);
            }
            assert_true(b.size <= 300);
            assert_memory_equal(b.data, on->bytes, b.size);
            assert_int_equal(s->client.data_size, 0);
            if (allocator_failures() == 0) {
                assert_int_equal(b.size, 300);
            }
        }
    }
    close_stage(s);
}

static void sweep(void **state, void (*play)(void *arg))
{
    fixture *f = *state;
    if (getenv("WEIR_TEST_VALGRIND") != NULL) {
        skip(); /* thousands of lives; the sanitizers see them */
    }
    scene *on = calloc(1, sizeof(*on));
    assert_non_null(on);
    on->f = f;
    fixture_fill(on->bytes, sizeof(on->bytes), 1);
    fixture_end(f); /* its runtime would only be in the way of the counts */
    size_t runs = allocator_fail_each(play, on);
    assert_true(runs > 10);
    free(on);
}

static void memory_SRV_11_every_allocation_of_listen_may_fail(void **state)
{
    sweep(state, scene_listen);
}

static void memory_LIFE_04_every_allocation_of_a_talk_may_fail(void **state)
{
    sweep(state, scene_talk);
}

static void memory_PIPE_09_every_allocation_of_a_pipe_may_fail(void **state)
{
    sweep(state, scene_pipe);
}

static void memory_RD_10_every_allocation_of_a_reader_may_fail(void **state)
{
    sweep(state, scene_read);
}

static void memory_SOCM_28_every_allocation_of_an_encoding_may_fail(void **state)
{
    sweep(state, scene_text);
}

static void memory_SOCK_11_every_allocation_of_onread_may_fail(void **state)
{
    sweep(state, scene_onread);
}

static void memory_LIFE_05_every_allocation_among_errors_may_fail(void **state)
{
    sweep(state, scene_errors);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve-paused") == 0) {
        return serve_paused();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_RD_17_a_thousand_paused_streams_with_an_unread_byte),
        OVER_ALL(memory_PIPE_07_an_echo_of_64_MiB_to_a_slow_reader),
        OVER_ALL(memory_SRV_11_every_allocation_of_listen_may_fail),
        OVER_ALL(memory_LIFE_04_every_allocation_of_a_talk_may_fail),
        OVER_ALL(memory_PIPE_09_every_allocation_of_a_pipe_may_fail),
        OVER_ALL(memory_RD_10_every_allocation_of_a_reader_may_fail),
        OVER_ALL(memory_SOCM_28_every_allocation_of_an_encoding_may_fail),
        OVER_ALL(memory_SOCK_11_every_allocation_of_onread_may_fail),
        OVER_ALL(memory_LIFE_05_every_allocation_among_errors_may_fail),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
