/* SPDX-License-Identifier: MIT */
/* tcp and ipc without memory: every allocation of a whole exchange fails once; nothing hangs, nothing is left. */
#define _GNU_SOURCE

#include "raw_peer.h"

typedef struct exchange {
    fixture *f;
    const char *listen; /* where to */
    const char *connect;
    size_t received;
    int closed;
    int server_closed;
} exchange;

#define SIZE ((size_t)100000)

static void on_connection(const weir_event *event, void *arg)
{
    (void)arg;
    if (weir_stream_pipe(event->stream, event->stream, NULL))
        weir_stream_destroy(event->stream, NULL);
}

static void on_data(const weir_event *event, void *arg)
{
    ((exchange *)arg)->received += event->buffer->size;
}

static void on_closed(const weir_event *event, void *arg)
{
    (void)event;
    *(int *)arg = 1;
}

static void on_error(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

/* The client of one exchange; without memory it may not come far. */
static void run_client(exchange *x)
{
    static char bytes[SIZE];
    weir_stream *client = weir_stream_new(x->f->runtime, NULL);
    int active;

    if (!client)
        return;
    active = weir_stream_on(client, WEIR_EVENT_CLOSE, on_closed, &x->closed) == 0 &&
             weir_stream_on(client, WEIR_EVENT_ERROR, on_error, NULL) == 0 &&
             weir_stream_on(client, WEIR_EVENT_DATA, on_data, x) == 0 &&
             weir_stream_connect(client, x->connect, NULL, NULL) == 0;
    if (active && (weir_stream_write(client, bytes, SIZE, NULL, NULL) < 0 || weir_stream_end(client, NULL, NULL)))
        weir_stream_destroy(client, NULL);
    if (active)
        fixture_until(x->f, &x->closed);
    weir_stream_release(client);
}

static void run_exchange(void *arg)
{
    exchange *x = arg;
    weir_server *server = weir_server_new(x->f->runtime, NULL);

    x->received = 0;
    x->closed = 0;
    x->server_closed = 0;
    if (!server)
        return;
    if (weir_server_on(server, WEIR_EVENT_CONNECTION, on_connection, x) == 0 &&
        weir_server_on(server, WEIR_EVENT_ERROR, on_error, NULL) == 0 &&
        weir_server_on(server, WEIR_EVENT_CLOSE, on_closed, &x->server_closed) == 0 &&
        weir_server_listen(server, x->listen, NULL, NULL) == 0) {
        fixture_turns(x->f, 3);
        if (weir_server_listening(server)) {
            run_client(x);
            if (weir_server_close(server, NULL, NULL) == 0)
                fixture_until(x->f, &x->server_closed);
        }
    }
    weir_server_release(server);
    fixture_turns(x->f, 5);
    assert_true(x->received == SIZE || allocator_failures() > 0);
}

static void every_allocation_of_an_exchange_over_ipc_fails(void **state)
{
    fixture *f = *state;
    exchange x = {.f = f};

    x.listen = fixture_text(f, "ipc:%s?mode=0600", fixture_path(f, "sock"));
    x.connect = fixture_text(f, "ipc:%s", fixture_path(f, "sock"));
    run_exchange(&x); /* what the runtime keeps, it has then */
    assert_true(allocator_fail_each(run_exchange, &x) > 20);
}

static void every_allocation_of_an_exchange_over_tcp_fails(void **state)
{
    fixture *f = *state;
    exchange x = {.f = f};

    x.listen = fixture_text(f, "tcp://127.0.0.1:%d", fixture_port(f));
    x.connect = x.listen;
    run_exchange(&x); /* what the runtime keeps, it has then */
    assert_true(allocator_fail_each(run_exchange, &x) > 20);
}

/* Through the resolver, and with an error in the end. */
static void refuse_once(void *arg)
{
    exchange *x = arg;

    x->closed = 0;
    run_client(x);
    fixture_turns(x->f, 5);
    assert_true(x->received == 0);
    assert_true(x->closed || allocator_failures() > 0);
}

static void every_allocation_of_a_refused_connect_fails(void **state)
{
    fixture *f = *state;
    exchange x = {.f = f};

    x.connect = fixture_text(f, "tcp://localhost:%d", fixture_port(f));
    refuse_once(&x);
    assert_true(allocator_fail_each(refuse_once, &x) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_allocation_of_an_exchange_over_ipc_fails),
        FIXTURE_TEST(every_allocation_of_an_exchange_over_tcp_fails),
        FIXTURE_TEST(every_allocation_of_a_refused_connect_fails),
    };

    return cmocka_run_group_tests_name("transport_memory", tests, NULL, NULL);
}
