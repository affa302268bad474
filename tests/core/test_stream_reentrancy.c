/* SPDX-License-Identifier: MIT */
/*
 * What a listener, a callback or a layer may do at the worst moment: calls inside 'close', releases before events that
 * name the released, layers that lack half of their table, failures that meet other failures.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/layer.h>

#include "linked.h"
#include "runtime_private.h"
#include "server_private.h"
#include "stream_private.h"

/* ---- layers with tables that are legal and odd ---- */

typedef struct odd_link {
    weir_link link;
    weir_runtime *runtime;
    weir_task task;
    char kept[64];
    size_t kept_size;
} odd_link;

static odd_link *self_of(weir_link *link)
{
    return (odd_link *)(void *)link;
}

static int odd_configure(weir_configure *configure, void **context)
{
    (void)configure;
    *context = weir_malloc(1);
    return *context == NULL ? UV_ENOMEM : 0;
}

static weir_link *odd_create(weir_runtime *runtime, const weir_link_ops *ops)
{
    odd_link *self = weir_calloc(1, sizeof(*self));
    if (self == NULL) {
        return NULL;
    }
    self->link.ops = ops;
    self->runtime = runtime;
    return &self->link;
}

static void odd_free(weir_link *link)
{
    weir_free(link);
}

static void tell_closed(weir_task *task)
{
    odd_link *self = (odd_link *)(void *)((char *)task - offsetof(odd_link, task));
    weir_up_closed(&self->link);
}

static void close_on_the_next_tick(weir_link *link, weir_close_mode mode)
{
    (void)mode;
    self_of(link)->task.run = tell_closed;
    weir_runtime_defer(self_of(link)->runtime, &self_of(link)->task);
}

/* Has something to close, and lets writes pass. */
static const weir_link_ops closing_ops = {
    .size = sizeof(weir_link_ops), .name = "closing", .close = close_on_the_next_tick, .free = odd_free};

static void pass_written(weir_link *link, int status)
{
    weir_up_written(link, status);
}

/* Hears of writes that it lets pass, and has nothing to close. */
static const weir_link_ops hearing_ops = {
    .size = sizeof(weir_link_ops), .name = "hearing", .on_written = pass_written, .free = odd_free};

static void keeping_flush(weir_link *link)
{
    odd_link *self = self_of(link);
    struct iovec all = {.iov_base = self->kept, .iov_len = self->kept_size};
    if (self->kept_size > 0) {
        assert_int_equal(weir_down_try_write(link, &all, 1), self->kept_size);
        self->kept_size = 0;
    }
}

static ssize_t keeping_try_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    odd_link *self = self_of(link);
    (void)count;
    size_t room = sizeof(self->kept) - self->kept_size;
    size_t size = bufs->iov_len < room ? bufs->iov_len : room;
    if (size == 0) {
        return UV_EAGAIN;
    }
    memcpy(self->kept + self->kept_size, bufs->iov_base, size);
    self->kept_size += size;
    return (ssize_t)size;
}

static int keeping_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    keeping_flush(link);
    return weir_down_write(link, bufs, count);
}

static void keeping_held(const weir_link *link, size_t *to_write, size_t *to_read)
{
    *to_write = ((const odd_link *)(const void *)link)->kept_size;
    *to_read = 0;
}

/* Collects small writes until it hears that no more are coming. */
static const weir_link_ops keeping_ops = {
    .size = sizeof(weir_link_ops),
    .name = "keeping",
    .try_write = keeping_try_write,
    .write = keeping_write,
    .flush = keeping_flush,
    .held = keeping_held,
    .free = odd_free,
};

static void fail_link(weir_link *link, int code)
{
    weir_error *error = weir_error_new(code, "odd", NULL, -1);
    weir_up_failed(link, error);
    weir_error_release(error);
}

static int breaking_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    (void)bufs;
    (void)count;
    fail_link(link, UV_EIO);
    return UV_EIO;
}

/* Says twice that it is broken: by a report, and by what the call returns. */
static const weir_link_ops breaking_ops = {
    .size = sizeof(weir_link_ops), .name = "breaking", .write = breaking_write, .free = odd_free};

static void hasty_open(weir_link *link)
{
    weir_up_opened(link);
    fail_link(link, UV_EIO);
}

/* Open, and broken before anybody could be told. */
static const weir_link_ops hasty_ops = {
    .size = sizeof(weir_link_ops), .name = "hasty", .open = hasty_open, .free = odd_free};

#define ODD_LAYER(identifier)                                                                                         \
    static weir_link *create_##identifier(void *context, weir_runtime *runtime, weir_role role)                       \
    {                                                                                                                 \
        (void)context;                                                                                                \
        (void)role;                                                                                                   \
        return odd_create(runtime, &identifier##_ops);                                                                \
    }                                                                                                                 \
    static const weir_layer identifier##_layer = {.size = sizeof(weir_layer),                                         \
                                                  .configure = odd_configure,                                         \
                                                  .context_free = weir_free,                                          \
                                                  .create = create_##identifier};                                     \
    static const weir_plugin identifier##_plugin = {WEIR_PLUGIN_HEADER,                                               \
                                                    .name = #identifier,                                              \
                                                    .version = "1.0.0",                                               \
                                                    .description = "odd, for tests",                                  \
                                                    .schema = "{\"type\":\"object\",\"additionalProperties\":false}", \
                                                    .layer = &identifier##_layer}

ODD_LAYER(closing);
ODD_LAYER(hearing);
ODD_LAYER(keeping);
ODD_LAYER(breaking);
ODD_LAYER(hasty);

/* A connection whose client stands on this layer. */
static pair odd_pair(fixture *f, const weir_plugin *layer, unsigned client, unsigned accepted)
{
    assert_code(weir_runtime_register_plugin(f->runtime, layer, NULL), 0);
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    pair p = fixture_connect(f, server, fixture_text(f, "%s+%s", layer->name, fixture_url(f, server)), NULL);
    recorder_add(p.client, client);
    recorder_add(p.accepted, accepted);
    return p;
}

/* ---- small things ---- */

typedef struct counted {
    fixture *f;
    weir_stream *stream;
    int calls;
    int status;
    int other;
} counted;

static void count_event(const weir_event *event, void *arg)
{
    counted *noted = arg;
    noted->calls++;
    if (event->error != NULL) {
        noted->status = event->error->code;
    }
}

static void count_callback(weir_stream *stream, int status, void *arg)
{
    counted *noted = arg;
    (void)stream;
    noted->calls++;
    noted->status = status;
}

static void send_text(fixture *f, recorder *from, const char *text)
{
    recorder_write(from, text, strlen(text));
    fixture_turns(f, OVER_TURNS);
}

/* ---- reading ---- */

static void RD_08_a_one_time_readable_listener_gives_the_flow_back(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    pair p = over_pair(f, 0, 0);
    assert_code(weir_stream_once(p.accepted->stream, WEIR_EVENT_READABLE, count_event, &noted), 0);
    send_text(f, p.client, "a");
    assert_int_equal(noted.calls, 1);
    assert_int_equal(weir_stream_readable_flowing(p.accepted->stream), -1);
    recorder_add(p.accepted, RECORD_DATA);
    send_text(f, p.client, "bc");
    recorder_expect_data(p.accepted, "abc", 3);
}

static void RD_07_data_flows_on_when_a_one_time_readable_listener_has_run(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    pair p = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_once(p.accepted->stream, WEIR_EVENT_READABLE, count_event, &noted), 0);
    send_text(f, p.client, "abc");
    assert_int_equal(noted.calls, 1);
    recorder_expect_data(p.accepted, "abc", 3);
}

static void RD_09_PIPE_01_a_pipe_gets_what_read_takes(void **state)
{
    fixture *f = *state;
    pair in = over_pair(f, 0, RECORD_READABLE);
    pair out = over_pair(f, 0, RECORD_DATA);
    assert_code(weir_stream_pipe(in.accepted->stream, out.client->stream, NULL), 0);
    send_text(f, in.client, "hello");
    assert_int_equal(out.accepted->data_size, 0);
    weir_buf_release(weir_stream_read(in.accepted->stream, 0));
    fixture_turns(f, OVER_TURNS);
    recorder_expect_data(out.accepted, "hello", 5);
}

typedef struct inside {
    fixture *f;
    weir_task task;
    int was_inside;
    int freeing;
    int ran;
} inside;

static void run_inside_task(weir_task *task)
{
    inside *self = (inside *)(void *)((char *)task - offsetof(inside, task));
    self->ran = 1;
}

static void look_inside(const weir_event *event, void *arg)
{
    inside *self = arg;
    (void)event;
    self->was_inside = weir_runtime_inside(self->f->runtime);
    self->freeing = weir_runtime_free(self->f->runtime);
    weir_runtime_defer(self->f->runtime, &self->task);
}

static void EMT_16_a_data_listener_under_read_is_inside_too(void **state)
{
    fixture *f = *state;
    inside self = {.f = f, .task = {.run = run_inside_task}};
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    weir_stream_pause(stream);
    assert_code(weir_stream_on(stream, WEIR_EVENT_DATA, look_inside, &self), 0);
    assert_code(weir_stream_unshift(stream, "abc", 3), 0);
    fixture_turns(f, OVER_TURNS);
    weir_buf_release(weir_stream_read(stream, 0));
    assert_int_equal(self.was_inside, 1);
    assert_code(self.freeing, UV_EBUSY);
    assert_int_equal(self.ran, 0);
    assert_int_equal(weir_runtime_inside(f->runtime), 0);
    fixture_until(f, &self.ran);
    weir_stream_release(stream);
}

/* Sends a byte, and a descriptor with it, over a connection of bare system calls; returns that connection. */
static int send_a_descriptor(const char *path)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } space = {.bytes = {0}};
    char byte = 'x';
    struct iovec one = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof(space.bytes)};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(strlen(path) < sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof(address)), 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &peer, sizeof(int));
    assert_int_equal(sendmsg(peer, &message, MSG_NOSIGNAL), 1);
    return peer;
}

static void close_and_pause(const weir_event *event, void *arg)
{
    counted *noted = arg;
    noted->calls++;
    close(event->fd);
    weir_stream_pause(event->target_stream);
}

static void close_and_destroy(const weir_event *event, void *arg)
{
    counted *noted = arg;
    noted->calls++;
    close(event->fd);
    weir_stream_destroy(event->target_stream, NULL);
}

static recorder *receive_a_descriptor(fixture *f, weir_listener listener, counted *noted, int *peer)
{
    weir_server *server = over_listen(f, NULL);
    f->record = 0;
    *peer = send_a_descriptor(fixture_url(f, server) + strlen("ipc:"));
    recorder *r = fixture_accepted(f, server, 0);
    assert_code(weir_stream_on(r->stream, WEIR_EVENT_FD, listener, noted), 0);
    recorder_add(r, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    return r;
}

static void SOCM_59_pause_inside_fd_holds_at_once(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    int peer;
    recorder *r = receive_a_descriptor(f, close_and_pause, &noted, &peer);
    assert_int_equal(noted.calls, 1);
    assert_int_equal(r->data_size, 0);
    recorder_resume(r);
    recorder_wait_data(r, 1);
    close(peer);
}

static void SOCM_59_destroy_inside_fd(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    int peer;
    recorder *r = receive_a_descriptor(f, close_and_destroy, &noted, &peer);
    over_wait_closed(r);
    assert_int_equal(noted.calls, 1);
    assert_int_equal(r->data_size, 0);
    close(peer);
}

/* ---- callbacks ---- */

static void write_in_it(const weir_event *event, void *arg)
{
    counted *noted = arg;
    noted->other++;
    assert_code(weir_stream_write(event->target_stream, "x", 1, count_callback, noted), 0);
    assert_code(weir_stream_end(event->target_stream, count_callback, noted), 0);
}

static void SOCM_57_callbacks_of_calls_inside_error_and_close_come(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    int status = 0;
    weir_stream *stream = weir_connect(f->runtime, over_nowhere(f), NULL, NULL, NULL, &status);
    assert_code(status, 0);
    assert_code(weir_stream_on(stream, WEIR_EVENT_ERROR, write_in_it, &noted), 0);
    assert_code(weir_stream_on(stream, WEIR_EVENT_CLOSE, write_in_it, &noted), 0);
    weir_stream_release(stream);
    fixture_run(f);
    assert_int_equal(noted.other, 2);
    assert_int_equal(noted.calls, 4);
    assert_code(noted.status, WEIR_ESTREAM_DESTROYED);
}

typedef struct eager {
    char *order;
    char name;
    int more;
} eager;

static void write_more(weir_stream *stream, int status, void *arg)
{
    eager *self = arg;
    (void)status;
    size_t length = strlen(self->order);
    self->order[length] = self->name;
    self->order[length + 1] = '\0';
    if (self->more-- > 0) {
        weir_stream_write(stream, "x", 1, write_more, self);
    }
}

static void WR_08_who_writes_in_its_callbacks_lets_others_have_theirs(void **state)
{
    fixture *f = *state;
    char order[16] = "";
    eager many = {order, 'a', 3};
    eager one = {order, 'b', 0};
    pair first = over_pair(f, 0, 0);
    pair second = over_pair(f, 0, 0);
    weir_stream_write(first.client->stream, "x", 1, write_more, &many);
    weir_stream_write(second.client->stream, "x", 1, write_more, &one);
    fixture_turns(f, OVER_TURNS);
    assert_string_equal(order, "abaaa");
}

static void WR_09_a_layer_without_write_may_close_before_the_transport(void **state)
{
    fixture *f = *state;
    pair p = odd_pair(f, &closing_plugin, RECORD_DATA, 0);
    over_stall(f, p.client);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
}

static void WR_09_a_layer_without_close_does_not_swallow_callbacks(void **state)
{
    fixture *f = *state;
    pair p = odd_pair(f, &hearing_plugin, RECORD_DATA, 0);
    over_stall(f, p.client);
    recorder_destroy(p.client, NULL);
    over_wait_closed(p.client);
}

static void WR_09_a_layer_that_fails_inside_write_loses_no_callback(void **state)
{
    fixture *f = *state;
    pair p = odd_pair(f, &breaking_plugin, RECORD_DATA, RECORD_DATA);
    recorder_write(p.client, "abc", 3);
    recorder_write(p.client, "def", 3);
    over_wait_both_closed(p);
    assert_int_equal(p.client->writes_done, 2);
    assert_true(recorder_saw(p.client, "error:EIO"));
}

static void WR_02_a_layer_that_collects_is_told_when_nothing_follows(void **state)
{
    fixture *f = *state;
    pair p = odd_pair(f, &keeping_plugin, 0, RECORD_DATA);
    send_text(f, p.client, "hello");
    recorder_expect_data(p.accepted, "hello", 5);
    weir_stream_cork(p.client->stream);
    recorder_write(p.client, "ab", 2);
    recorder_write(p.client, "cd", 2);
    weir_stream_uncork(p.client->stream);
    fixture_turns(f, OVER_TURNS);
    recorder_expect_data(p.accepted, "helloabcd", 9);
}

/* ---- failures that meet ---- */

static void answer(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_write(event->target_stream, "echo", 4, NULL, NULL);
}

static void finish(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_end(event->target_stream, NULL, NULL);
}

/* Data stands before a failure: its listener acts on a stream that is broken already, and the failure stays the first. */
static void BN_06_the_first(fixture *f, weir_listener listener)
{
    pair p = over_pair(f, 0, RECORD_DATA);
    fixture_turns(f, OVER_TURNS);
    assert_code(weir_stream_on(p.accepted->stream, WEIR_EVENT_DATA, listener, NULL), 0);
    weir_runtime_enter(f->runtime);
    assert_code(weir_stream_unshift(p.accepted->stream, "abc", 3), 0);
    fail_link(p.accepted->stream->top, UV_ECONNRESET);
    weir_runtime_leave(f->runtime);
    over_wait_closed(p.accepted);
    recorder_expect_data(p.accepted, "abc", 3);
    assert_true(recorder_saw(p.accepted, "error:ECONNRESET"));
}

static void BN_06_a_write_behind_a_reset_does_not_hide_it(void **state)
{
    BN_06_the_first(*state, answer);
}

static void BN_06_an_end_behind_a_reset_does_not_hide_it(void **state)
{
    BN_06_the_first(*state, finish);
}

static void TLS_05_an_arrival_that_breaks_before_it_is_told_is_a_client_error(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    assert_code(weir_runtime_register_plugin(f->runtime, &hasty_plugin, NULL), 0);
    weir_server *server = fixture_listen(f, fixture_text(f, "hasty+%s", over_here(f)), NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, count_event, &noted), 0);
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_add(client, RECORD_DATA);
    over_wait_closed(client);
    assert_int_equal(noted.calls, 1);
    assert_code(noted.status, UV_EIO);
}

/* ---- life ---- */

static void WR_19_end_before_connect_in_one_tick_waits_for_it(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    weir_server *server = over_listen(f, NULL);
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    recorder *r = record_stream(f, stream, 0);
    weir_stream_release(stream);
    assert_code(weir_stream_end(stream, count_callback, &noted), 0);
    assert_code(weir_stream_connect(stream, fixture_url(f, server), NULL, NULL), 0);
    recorder_add(r, RECORD_DATA);
    over_wait_closed(r);
    over_expect(r, "resume connect ready finish end close");
    assert_int_equal(noted.calls, 1);
    assert_code(noted.status, 0);
}

static void PIPE_05_nobody_is_told_inside_release(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    weir_stream *source = weir_stream_new(f->runtime, NULL);
    weir_stream *destination = weir_stream_new(f->runtime, NULL);
    assert_code(weir_stream_on(destination, WEIR_EVENT_PIPE, count_event, &noted), 0);
    assert_code(weir_stream_pipe(source, destination, NULL), 0);
    weir_stream_release(destination);
    assert_int_equal(noted.calls, 0);
    weir_stream_release(source);
    fixture_run(f);
    assert_int_equal(noted.calls, 0);
}

/* A destination that goes takes with it the last that held the next one. */
static void PIPE_09_a_destination_that_fails_may_take_the_next_one_along(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, RECORD_READABLE);
    weir_stream *source = p.accepted->stream;
    weir_stream *first = weir_stream_new(f->runtime, NULL);
    weir_stream *second = weir_stream_new(f->runtime, NULL);
    counted noted = {0};
    assert_code(weir_stream_on(first, WEIR_EVENT_ERROR, count_event, &noted), 0);
    send_text(f, p.client, "hello");
    assert_code(weir_stream_pipe(source, first, NULL), 0);
    assert_code(weir_stream_pipe(second, first, NULL), 0);
    assert_code(weir_stream_pipe(source, second, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    weir_stream_unpipe(second, first); /* 'unpipe' names it, and has not come yet */
    weir_stream_release(second);
    weir_buf_release(weir_stream_read(source, 0));
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(noted.calls, 1);
    assert_code(noted.status, WEIR_ESOCKET_CLOSED);
    weir_stream_release(first);
}

static void SOCM_41_a_time_out_that_was_refused_does_not_run(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    size_t refused = 0;
    for (size_t nth = 1;; nth++) {
        weir_stream *stream = weir_stream_new(f->runtime, NULL);
        allocator_fail(nth, 0);
        int status = weir_stream_set_timeout(stream, 1000, count_event, &noted);
        size_t failures = allocator_failures();
        allocator_fail(0, 0);
        if (failures > 0) {
            assert_code(status, UV_ENOMEM);
            assert_int_equal(f->runtime->timer_count, 0);
            assert_int_equal(weir_stream_timeout(stream), -1);
            assert_int_equal(weir_stream_listener_count(stream, WEIR_EVENT_TIMEOUT), 0);
            refused++;
        }
        weir_stream_release(stream);
        if (failures == 0) {
            break;
        }
    }
    assert_true(refused >= 2);
}

/* ---- servers ---- */

static void SRV_08_close_wait_leaves_nothing_behind_when_it_gives_up(void **state)
{
    fixture *f = *state;
    pair p = over_pair(f, 0, 0);
    weir_server *server = weir_stream_server(p.accepted->stream);
    weir_stream_unref(p.client->stream);
    weir_stream_unref(p.accepted->stream);
    assert_code(weir_server_close_wait(server), UV_ECANCELED);
    assert_null(server->close_callbacks);
    assert_null(server->other_callbacks);
}

static void SRV_10_a_server_that_fails_with_connections_is_let_go(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_server *server = weir_stream_server(p.accepted->stream);
    assert_code(weir_server_on(server, WEIR_EVENT_ERROR, count_event, &noted), 0);
    weir_error *error = weir_error_new(UV_EIO, "accept", NULL, -1);
    weir_runtime_enter(f->runtime);
    weir_acceptor_failed(server->current->acceptor, error);
    weir_runtime_leave(f->runtime);
    weir_error_release(error);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(noted.calls, 1);
    recorder_end(p.client);
    over_wait_both_closed(p);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(server->active, 0);
}

static void count_server_callback(weir_server *server, int status, void *arg)
{
    counted *noted = arg;
    (void)server;
    noted->calls++;
    noted->status = status;
}

static void BN_26_close_all_without_memory_does_nothing(void **state)
{
    fixture *f = *state;
    counted noted = {0};
    pair p = over_pair(f, RECORD_DATA, RECORD_DATA);
    weir_server *server = weir_stream_server(p.accepted->stream);
    for (size_t nth = 1;; nth++) {
        allocator_fail(nth, 0);
        int status = weir_server_close_all(server, 1000, count_server_callback, &noted);
        size_t failures = allocator_failures();
        allocator_fail(0, 0);
        if (failures == 0) {
            assert_code(status, 0);
            break;
        }
        assert_code(status, UV_ENOMEM);
        assert_int_equal(weir_server_listening(server), 1);
        assert_int_equal(weir_stream_writable(p.accepted->stream), 1);
        assert_int_equal(f->runtime->timer_count, 0);
    }
    over_wait_both_closed(p);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(noted.calls, 1);
    assert_code(noted.status, 0);
}

/* ---- no memory anywhere ---- */

typedef struct sweep {
    fixture *f;
    const char *here;
    int connected;
} sweep;

static void answer_and_read(const weir_event *event, void *arg)
{
    weir_stream *stream = event->target_stream;
    (void)arg;
    weir_buf *buf = weir_stream_read(stream, 3);
    if (buf != NULL) {
        (void)weir_stream_unshift(stream, buf->data, 1);
        weir_buf_release(buf);
    }
    weir_buf_release(weir_stream_read(stream, 0));
}

static void use_arrival(const weir_event *event, void *arg)
{
    sweep *self = arg;
    self->connected = 1;
    (void)weir_stream_set_timeout(event->stream, 100000, NULL, NULL);
    (void)weir_stream_on(event->stream, WEIR_EVENT_READABLE, answer_and_read, self);
    (void)weir_stream_write(event->stream, "hello", 5, NULL, NULL);
    (void)weir_stream_pipe(event->stream, event->stream, NULL);
}

static void ignore(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

static weir_stream *use_client(sweep *self, const weir_server *server)
{
    char url[256] = ""; /* it may not listen */
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.half_close_timeout = 100000;
    options.connect_timeout = 100000;
    weir_server_format(server, url, sizeof(url));
    weir_stream *client = weir_connect(self->f->runtime, url, &options, NULL, NULL, NULL);
    if (client != NULL) {
        (void)weir_stream_on(client, WEIR_EVENT_ERROR, ignore, self);
        weir_stream_cork(client);
        (void)weir_stream_write(client, "abc", 3, NULL, NULL);
        (void)weir_stream_write(client, "defg", 4, NULL, NULL);
        weir_stream_uncork(client);
        weir_stream_resume(client);
    }
    return client;
}

/* A whole life, of which one allocation fails. */
static void live(void *arg)
{
    sweep *self = arg;
    self->connected = 0;
    weir_server *server = weir_server_new(self->f->runtime, NULL);
    if (server == NULL) {
        return;
    }
    (void)weir_server_on(server, WEIR_EVENT_ERROR, ignore, self);
    (void)weir_server_on(server, WEIR_EVENT_CONNECTION, use_arrival, self);
    (void)weir_server_listen(server, self->here, NULL, NULL);
    fixture_turns(self->f, OVER_TURNS);
    weir_stream *client = use_client(self, server);
    fixture_turns(self->f, OVER_TURNS);
    if (client != NULL) {
        (void)weir_stream_end(client, NULL, NULL);
        fixture_turns(self->f, OVER_TURNS);
        weir_stream_destroy(client, NULL);
        weir_stream_release(client);
    }
    (void)weir_server_close_all(server, 0, NULL, NULL);
    weir_server_release(server);
    fixture_run(self->f);
}

static void LIFE_15_any_allocation_may_fail_in_a_life(void **state)
{
    fixture *f = *state;
    sweep self = {.f = f, .here = over_here(f)};
    live(&self); /* what is made once is made now */
    assert_int_equal(self.connected, 1);
    int descriptors = fixture_descriptors();
    size_t runs = allocator_fail_each(live, &self);
    assert_true(runs > 20);
    assert_int_equal(self.connected, 1);
    assert_int_equal(fixture_descriptors(), descriptors);
}

static void LIFE_15_any_allocation_may_fail_in_a_life_with_layers(void **state)
{
    fixture *f = *state;
    assert_code(weir_runtime_register_plugin(f->runtime, &closing_plugin, NULL), 0);
    assert_code(weir_runtime_register_plugin(f->runtime, &hearing_plugin, NULL), 0);
    sweep self = {.f = f, .here = fixture_text(f, "hearing+closing+%s", over_here(f))};
    live(&self);
    assert_int_equal(self.connected, 1);
    int descriptors = fixture_descriptors();
    allocator_fail_each(live, &self);
    assert_int_equal(self.connected, 1);
    assert_int_equal(fixture_descriptors(), descriptors);
}

/* ---- the runtime ---- */

typedef struct again {
    weir_timer timer;
    weir_runtime *runtime;
    int fired;
} again;

static void start_again(weir_timer *timer)
{
    again *self = (again *)(void *)timer;
    if (++self->fired < 1000) {
        weir_timer_start(self->runtime, timer, 0);
    }
}

static void runtime_a_timer_of_no_time_lets_the_loop_turn(void **state)
{
    fixture *f = *state;
    again self = {.timer = {.run = start_again}, .runtime = f->runtime};
    assert_code(weir_timer_start(f->runtime, &self.timer, 0), 0);
    fixture_until(f, &self.fired);
    assert_true(self.fired < 1000);
    weir_timer_stop(f->runtime, &self.timer);
}

typedef struct visitor {
    uv_prepare_t handle;
    weir_runtime *runtime;
    weir_task task;
    int visits;
    int freed;
    int made;
} visitor;

static void run_nothing(weir_task *task)
{
    (void)task;
}

/* The application's own handle, which the loop calls while the runtime ends. */
static void visit(uv_prepare_t *handle)
{
    visitor *self = handle->data;
    self->visits++;
    self->freed = weir_runtime_free(self->runtime);
    weir_stream *stream = weir_stream_new(self->runtime, NULL);
    weir_server *server = weir_server_new(self->runtime, NULL);
    self->made += stream != NULL || server != NULL;
    weir_stream_release(stream);
    weir_server_release(server);
    weir_runtime_defer(self->runtime, &self->task);
    weir_runtime_cancel(self->runtime, &self->task);
}

static void runtime_the_end_is_not_disturbed_by_who_comes_meanwhile(void **state)
{
    fixture *f = *state;
    visitor self = {.task = {.run = run_nothing}, .runtime = fixture_new_runtime(&f->loop)};
    assert_non_null(self.runtime);
    uv_prepare_init(&f->loop, &self.handle);
    self.handle.data = &self;
    uv_prepare_start(&self.handle, visit);
    assert_code(weir_runtime_free(self.runtime), 0);
    assert_true(self.visits > 0);
    assert_code(self.freed, UV_EBUSY);
    assert_int_equal(self.made, 0);
    uv_prepare_stop(&self.handle);
    uv_close((uv_handle_t *)&self.handle, NULL);
    fixture_run(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ALL(RD_08_a_one_time_readable_listener_gives_the_flow_back),
        ON_ALL(RD_07_data_flows_on_when_a_one_time_readable_listener_has_run),
        ON_ALL(RD_09_PIPE_01_a_pipe_gets_what_read_takes),
        ON_ALL(SOCM_57_callbacks_of_calls_inside_error_and_close_come),
        ON(SOCM_59_pause_inside_fd_holds_at_once, ipc),
        ON(SOCM_59_destroy_inside_fd, ipc),
        ON_ALL(WR_08_who_writes_in_its_callbacks_lets_others_have_theirs),
        ON_ALL(WR_09_a_layer_without_close_does_not_swallow_callbacks),
        ON_ALL(WR_09_a_layer_that_fails_inside_write_loses_no_callback),
        ON_ALL(WR_02_a_layer_that_collects_is_told_when_nothing_follows),
        ON_ALL(BN_06_a_write_behind_a_reset_does_not_hide_it),
        ON_ALL(BN_06_an_end_behind_a_reset_does_not_hide_it),
        ON_ALL(TLS_05_an_arrival_that_breaks_before_it_is_told_is_a_client_error),
        ON_ALL(WR_19_end_before_connect_in_one_tick_waits_for_it),
        FIXTURE_TEST(PIPE_05_nobody_is_told_inside_release),
        ON_ALL(PIPE_09_a_destination_that_fails_may_take_the_next_one_along),
        FIXTURE_TEST(SOCM_41_a_time_out_that_was_refused_does_not_run),
        ON_ALL(SRV_08_close_wait_leaves_nothing_behind_when_it_gives_up),
        ON_ALL(SRV_10_a_server_that_fails_with_connections_is_let_go),
        ON_ALL(BN_26_close_all_without_memory_does_nothing),
        ON_ALL(LIFE_15_any_allocation_may_fail_in_a_life),
        ON_ALL(LIFE_15_any_allocation_may_fail_in_a_life_with_layers),
        FIXTURE_TEST(runtime_a_timer_of_no_time_lets_the_loop_turn),
        FIXTURE_TEST(EMT_16_a_data_listener_under_read_is_inside_too),
        FIXTURE_TEST(runtime_the_end_is_not_disturbed_by_who_comes_meanwhile),
        ON_ALL(WR_09_a_layer_without_write_may_close_before_the_transport),
    };
    return cmocka_run_group_tests_name("stream_reentrancy", tests, NULL, NULL);
}
