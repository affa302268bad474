/* SPDX-License-Identifier: MIT */
/* Where parts meet that were made apart: layers, descriptors, onread, signals, block lists, pipelines, servers. */
#include <string.h>

#include "blocks.h"
#include "diary.h"

typedef struct told {
    int count;
    int code;
} told;

static void tell_status(weir_stream *stream, int status, void *arg)
{
    told *t = arg;
    (void)stream;
    t->count++;
    t->code = status;
}

static void tell_error(const weir_error *error, void *arg)
{
    told *t = arg;
    t->count++;
    t->code = error == NULL ? 0 : error->code;
}

static weir_endpoint *xor_layer(fixture *f, weir_role role)
{
    weir_endpoint *endpoint = NULL;
    assert_code(weir_endpoint_parse(f->runtime, "xor+tcp://127.0.0.1:1", role, NULL, &endpoint, NULL), 0);
    return endpoint;
}

/* As the layer would send them: its greeting, and what it turned. */
static size_t through_xor(const char *text, char *bytes)
{
    size_t size = strlen(text);
    bytes[0] = 85;
    for (size_t i = 0; i < size; i++) {
        bytes[1 + i] = (char)(text[i] ^ 85);
    }
    return 1 + size;
}

/* ---- layers and descriptors ---- */

typedef struct upgrade {
    weir_endpoint *layer;
    told added;
    int status;
} upgrade;

static void upgrade_in_listener(const weir_event *event, void *arg)
{
    upgrade *u = arg;
    u->status = weir_stream_add_layer(event->target_stream, u->layer, tell_status, &u->added);
}

/* The bytes that came with a descriptor came before the call, and must not get past the layer. */
static void TLS_19_SOCM_59_no_layer_between_a_descriptor_and_its_data(void **state)
{
    fixture *f = *state;
    upgrade u = {.layer = xor_layer(f, WEIR_SERVER), .status = 1};
    pair p = over_pair(f, RECORD_DATA, RECORD_FD | RECORD_DATA);
    int fd = 0;
    weir_stream_on(p.accepted->stream, WEIR_EVENT_FD, upgrade_in_listener, &u);
    assert_true(weir_stream_write_fd(p.client->stream, "in clear", 8, &fd, 1, NULL, NULL) >= 0);
    recorder_wait_data(p.accepted, 8);
    assert_code(u.status, UV_EBUSY);
    assert_int_equal(u.added.count, 0);
    recorder_expect(p.accepted, "resume fd data:8");
    weir_endpoint_release(u.layer);
}

/* ---- layers and onread ---- */

static upgrade onread_upgrade;

/* A line ends the talk in clear; what follows it is put back, and belongs to the layer. */
static void upgrade_in_onread(weir_stream *stream, blocks *r)
{
    upgrade *u = &onread_upgrade;
    const char *line = memchr(r->data, '\n', r->data_size);
    if (u->layer == NULL || line == NULL) {
        return;
    }
    size_t rest = r->data_size - (size_t)(line + 1 - r->data);
    assert_code(weir_stream_unshift(stream, line + 1, rest), 0);
    r->data_size -= rest;
    u->status = weir_stream_add_layer(stream, u->layer, tell_status, &u->added);
    weir_endpoint_release(u->layer);
    u->layer = NULL;
}

static void TLS_19_SOCK_11_a_layer_added_in_the_callback_of_onread(void **state)
{
    static blocks r;
    static const size_t sizes[] = {1, 3, 5, 64};
    fixture *f = *state;
    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        char bytes[64] = "go\n";
        weir_server_options options;
        weir_server_options_init(&options);
        onread_upgrade = (upgrade){.layer = xor_layer(f, WEIR_SERVER), .status = 1};
        blocks_begin(&r, sizes[i / 2]);
        r.act = upgrade_in_onread;
        options.stream.onread = i % 2 == 0 ? blocks_one(&r) : blocks_two(&r);
        pair p = over_pair_with(f, RECORD_DATA, NULL, 0, &options);
        recorder_write(p.client, bytes, 3 + through_xor("hello", bytes + 3));
        blocks_wait(f, &r, 8);
        blocks_expect(&r, "go\nhello", 8);
        assert_code(onread_upgrade.status, 0);
        assert_int_equal(onread_upgrade.added.count, 1);
        assert_code(onread_upgrade.added.code, 0);
        assert_int_equal(weir_stream_bytes_read(p.accepted->stream), 8);
        recorder_write(p.client, "\x33\x3c", 2); /* "fi" */
        blocks_wait(f, &r, 10);
        blocks_expect(&r, "go\nhellofi", 10);
        recorder_destroy(p.client, NULL);
        over_wait_both_closed(p);
    }
}

/* ---- all options of a stream, in a first and a second life ---- */

static void answer_local(weir_lookup *lookup, const char *host, const weir_lookup_options *options, void *arg)
{
    weir_address addresses[2];
    (void)host;
    (void)options;
    (void)arg;
    assert_code(weir_address_from_ip(&addresses[0], "127.0.0.2", 0), 0);
    assert_code(weir_address_from_ip(&addresses[1], "127.0.0.1", 0), 0);
    weir_lookup_answer(lookup, addresses, 2);
}

typedef struct whole {
    fixture *f;
    weir_server *server;
    weir_abort *signal;
    weir_blocklist *list;
    const char *url;
    blocks *blocks;
} whole;

static weir_stream_options whole_options(const whole *w)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.onread = blocks_two(w->blocks);
    options.signal = w->signal;
    options.lookup = answer_local;
    options.block_list = w->list;
    options.no_delay = 1;
    options.keep_alive = 1;
    options.timeout = 60000;
    options.connect_timeout = 60000;
    return options;
}

static void whole_begin(whole *w, fixture *f, blocks *r)
{
    weir_address address;
    blocks_begin(r, 8);
    f->record = 0;
    *w = (whole){.f = f, .blocks = r, .signal = weir_abort_new(), .list = weir_blocklist_new()};
    assert_code(weir_blocklist_add_rule(w->list, "127.0.0.2"), 0);
    w->server = over_listen(f, NULL);
    while (weir_server_address(w->server, &address) != 0) {
        fixture_turns(f, 1);
    }
    w->url = fixture_text(f, "tcp://some.test:%d", address.port);
}

static void whole_end(whole *w)
{
    weir_abort_release(w->signal);
    weir_blocklist_release(w->list);
}

static void CONN_06_SOCK_10_BN_09_SOCP_01_every_option_holds_in_every_life(void **state)
{
    static blocks r;
    fixture *f = *state;
    whole w;
    whole_begin(&w, f, &r);
    weir_stream_options options = whole_options(&w);
    recorder *client = fixture_client(f, w.url, &options);
    for (size_t life = 0; life < 3; life++) {
        const weir_address *tried = NULL;
        if (life > 0) {
            assert_int_equal(recorder_connect(client, w.url), 0);
            assert_int_equal(weir_stream_attempted_addresses(client->stream, &tried), 0);
            assert_null(tried);
        }
        assert_int_equal(weir_abort_listener_count(w.signal), 1);
        recorder *accepted = fixture_accepted(f, w.server, life);
        recorder_write(accepted, "in blocks of eight", 18);
        blocks_wait(f, &r, 18 * (life + 1));
        assert_int_equal(weir_stream_attempted_addresses(client->stream, &tried), 2);
        assert_string_equal(weir_stream_errored(client->stream) == NULL ? "" : "error", "");
        assert_int_equal(weir_stream_bytes_read(client->stream), 18);
        recorder_destroy(client, NULL);
        assert_int_equal(weir_abort_listener_count(w.signal), 0);
        recorder_destroy(accepted, NULL);
        over_wait_closed(accepted);
        while (!weir_stream_closed(client->stream)) {
            fixture_turns(f, 1);
        }
    }
    assert_int_equal(r.largest, 8);
    weir_abort_fire(w.signal, NULL);
    assert_int_equal(recorder_connect(client, w.url), 0);
    assert_int_equal(weir_stream_destroyed(client->stream), 1);
    fixture_turns(f, OVER_TURNS);
    over_expect_tail(client, "| error:ABORT_ERR close:error");
    whole_end(&w);
}

static void write_and_end(const weir_event *event, void *arg)
{
    (void)arg;
    (void)weir_stream_write(event->stream, "in blocks of eight", 18, NULL, NULL);
    weir_stream_destroy_soon(event->stream);
}

static void connect_whole(void *arg)
{
    const whole *w = arg;
    weir_stream_options options = whole_options(w);
    int error = 0;
    weir_stream *stream = weir_connect(w->f->runtime, w->url, &options, NULL, NULL, &error);
    if (stream == NULL) {
        assert_true(allocator_failures() > 0);
        assert_code(error, UV_ENOMEM);
        return;
    }
    assert_code(error, 0);
    weir_stream_on(stream, WEIR_EVENT_ERROR, fixture_count, &error);
    fixture_turns(w->f, OVER_TURNS);
    assert_true(weir_stream_ready_state(stream) == WEIR_READY_OPEN || weir_stream_destroyed(stream));
    weir_stream_destroy(stream, NULL);
    fixture_turns(w->f, OVER_TURNS);
    weir_stream_release(stream);
}

static void SOCK_02_any_allocation_of_a_connect_with_every_option_may_fail(void **state)
{
    static blocks r;
    fixture *f = *state;
    whole w;
    whole_begin(&w, f, &r);
    weir_server_remove_all(w.server, WEIR_EVENT_CONNECTION); /* nothing of the test's own needs memory meanwhile */
    weir_server_on(w.server, WEIR_EVENT_CONNECTION, write_and_end, NULL);
    for (size_t nth = 1;; nth++) {
        allocator_fail(nth, 0);
        connect_whole(&w);
        if (allocator_failures() == 0) {
            break;
        }
        allocator_fail(0, 0);
    }
    allocator_fail(0, 0);
    assert_int_equal(weir_abort_listener_count(w.signal), 0);
    whole_end(&w);
}

/* ---- servers that end with what their streams are part of ---- */

static told echoes[4];

static void echo_connection(const weir_event *event, void *arg)
{
    told *next = arg;
    weir_stream *both[2] = {event->stream, event->stream};
    while (next->count >= 0) {
        next++;
    }
    next->count = 0;
    assert_code(weir_pipeline(both, 2, NULL, tell_error, next), 0);
}

static void echo_server(fixture *f, diary *d, const weir_server_options *options, const weir_listen_options *listen)
{
    memset(echoes, 0, sizeof(echoes));
    for (size_t i = 0; i < 4; i++) {
        echoes[i].count = -1;
    }
    weir_server *server = diary_fresh(f, d, options);
    weir_server_on(server, WEIR_EVENT_CONNECTION, echo_connection, echoes);
    assert_code(weir_server_listen_with(server, listen, NULL, NULL), 0);
    weir_address address;
    while (weir_server_address(server, &address) != 0) {
        fixture_turns(f, 1);
    }
    f->record = RECORD_DATA;
    for (size_t i = 0; i < 4; i++) {
        recorder *client = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", address.port), NULL);
        recorder_write(client, "to and fro", 10);
        recorder_wait_data(client, 10);
    }
}

static void PIPE_11_BN_26_pipelines_end_with_their_server(void **state)
{
    fixture *f = *state;
    static diary d;
    static const uint64_t graces[] = {0, 60000};
    for (size_t i = 0; i < 2; i++) {
        weir_listen_options here;
        weir_listen_options_init(&here);
        here.host = "127.0.0.1";
        here.port = 0;
        echo_server(f, &d, NULL, &here);
        assert_code(weir_server_close_all(d.server, graces[i], diary_closed, &d), 0);
        diary_wait_closed(&d);
        assert_int_equal(weir_server_connections(d.server), 0);
        for (size_t n = 0; n < 4; n++) {
            assert_int_equal(echoes[n].count, 1);
            assert_code(echoes[n].code, WEIR_EPREMATURE_CLOSE);
        }
        fixture_turns(f, OVER_TURNS);
        weir_server_release(d.server);
    }
}

/* One signal for the server and for its streams. */
static void SRV_60_SOCK_10_one_signal_ends_a_server_and_its_connections(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_abort *signal = weir_abort_new();
    weir_listen_options here;
    weir_server_options options;
    weir_listen_options_init(&here);
    weir_server_options_init(&options);
    here.host = "127.0.0.1";
    here.port = 0;
    here.signal = signal;
    options.stream.signal = signal;
    echo_server(f, &d, &options, &here);
    weir_abort_fire(signal, NULL);
    assert_int_equal(weir_abort_listener_count(signal), 0);
    assert_int_equal(weir_server_listening(d.server), 0);
    diary_wait_closed(&d);
    for (size_t n = 0; n < 4; n++) {
        assert_int_equal(echoes[n].count, 1);
        assert_code(echoes[n].code, WEIR_EABORTED);
    }
    /* and the next cycle has neither a socket nor a connection */
    d.text[0] = '\0';
    assert_code(weir_server_listen_with(d.server, &here, NULL, NULL), 0);
    fixture_turns(f, OVER_TURNS);
    diary_expect(&d, "close");
    weir_server_release(d.server);
    weir_abort_release(signal);
}

/* ---- what a listener does while more arrivals wait ---- */

typedef struct crowd {
    weir_server *server;
    weir_abort *signal;
    const char *here;
    size_t seen;
    void (*act)(struct crowd *c);
} crowd;

static void crowd_fire(crowd *c)
{
    weir_abort_fire(c->signal, NULL);
}

static void crowd_close_all(crowd *c)
{
    assert_code(weir_server_close_all(c->server, 0, NULL, NULL), 0);
}

static void crowd_give_up(crowd *c)
{
    assert_code(weir_server_close_all(c->server, 0, NULL, NULL), 0);
    weir_server_release(c->server);
    c->server = NULL;
}

static void crowd_listen_elsewhere(crowd *c)
{
    assert_code(weir_server_close(c->server, NULL, NULL), 0);
    assert_code(weir_server_listen(c->server, c->here, NULL, NULL), 0);
}

static void on_first_of_crowd(const weir_event *event, void *arg)
{
    crowd *c = arg;
    (void)event;
    if (c->seen++ == 0) {
        c->act(c);
    }
}

static void SRV_21_SRV_60_SRV_39_what_the_first_connection_does_holds_for_the_next(void **state)
{
    static void (*const acts[])(crowd * c) = {crowd_fire, crowd_close_all, crowd_give_up, crowd_listen_elsewhere};
    enum { CROWD = 5 };
    fixture *f = *state;
    f->record = 0;
    for (size_t i = 0; i < 2 * sizeof(acts) / sizeof(acts[0]); i++) {
        weir_server_options options;
        weir_address address;
        static crowd c;
        c = (crowd){.act = acts[i / 2], .here = "tcp://127.0.0.1:0", .signal = weir_abort_new()};
        weir_server_options_init(&options);
        options.stream.signal = c.signal;
        weir_listen_options here;
        weir_listen_options_init(&here);
        here.port = 0;
        here.host = "127.0.0.1";
        here.signal = c.signal;
        if (i % 2 == 1) {
            options.block_list = weir_blocklist_new(); /* then it is a 'drop', inside of the arrival */
            assert_code(weir_blocklist_add_rule(options.block_list, "127.0.0.0/8"), 0);
        }
        c.server = weir_server_new(f->runtime, &options);
        weir_blocklist_release(options.block_list);
        weir_server_on(c.server, i % 2 == 1 ? WEIR_EVENT_DROP : WEIR_EVENT_CONNECTION, on_first_of_crowd, &c);
        assert_code(weir_server_listen_with(c.server, &here, NULL, NULL), 0);
        while (weir_server_address(c.server, &address) != 0) {
            fixture_turns(f, 1);
        }
        recorder *clients[CROWD];
        for (size_t n = 0; n < CROWD; n++) {
            clients[n] = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", address.port), NULL);
        }
        fixture_turns(f, OVER_TURNS);
        assert_int_equal(c.seen, 1);
        for (size_t n = 0; n < CROWD; n++) {
            recorder_destroy(clients[n], NULL);
        }
        if (c.server != NULL) {
            weir_server_close_all(c.server, 0, NULL, NULL);
            weir_server_release(c.server);
        }
        fixture_turns(f, OVER_TURNS);
        assert_int_equal(weir_abort_listener_count(c.signal), 0);
        weir_abort_release(c.signal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_IPC(TLS_19_SOCM_59_no_layer_between_a_descriptor_and_its_data),
        OVER_ALL(TLS_19_SOCK_11_a_layer_added_in_the_callback_of_onread),
        OVER_TCP(CONN_06_SOCK_10_BN_09_SOCP_01_every_option_holds_in_every_life),
        OVER_TCP(SOCK_02_any_allocation_of_a_connect_with_every_option_may_fail),
        FIXTURE_TEST(PIPE_11_BN_26_pipelines_end_with_their_server),
        FIXTURE_TEST(SRV_60_SOCK_10_one_signal_ends_a_server_and_its_connections),
        FIXTURE_TEST(SRV_21_SRV_60_SRV_39_what_the_first_connection_does_holds_for_the_next),
    };
    fixture_preload("xor");
    return cmocka_run_group_tests_name("seams", tests, NULL, NULL);
}
