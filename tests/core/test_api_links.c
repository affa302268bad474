/* SPDX-License-Identifier: MIT */
/*
 * What authors of layers and transports call: a layer `courier` that keeps what is written until it is told to hand it
 * on, and a transport `turnstile` that only listens, and sheds who comes.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/layer.h>
#include <weir/transport.h>

#include "fixture.h"
#include "plain_plugin.h"
#include "served.h"

#define LOCAL "tcp://127.0.0.1:0"
#define ROOM  65536

/* What the plugins of a runtime have seen, which they find as its data. */
typedef struct world {
    const weir_runtime *runtime; /* of their last link or acceptor */
    int flushes;
    int wants_fds; /* what the last write was told */
    int sheds_for; /* the reason it gives */
    int arrives;   /* one more comes, which the server may refuse */
    int drops;
    weir_drop drop;
    char layer[32];
    char event[32];
    char payload[32];
    size_t payload_size;
    int layer_events;
    char host[32];
    weir_address attempt;
    int lookups;
    weir_acceptor *acceptor;
} world;

static world *world_of(const weir_link *link)
{
    return weir_runtime_data(weir_link_runtime(link));
}

/* ---- the layer ---- */

typedef struct courier {
    weir_link link;
    weir_task later;   /* reports the write that was taken */
    weir_task closing; /* reports closed */
    int owes;          /* a write is to be reported */
    struct iovec vector;
    size_t kept; /* of `bytes`: not handed on, or not gone yet */
    char bytes[ROOM];
} courier;

static courier *courier_of(weir_link *link)
{
    return (courier *)(void *)link;
}

static void tell_written(weir_task *task)
{
    courier *self = (courier *)(void *)((char *)task - offsetof(courier, later));
    self->owes = 0;
    weir_up_written(&self->link, 0);
}

static void tell_closed(weir_task *task)
{
    courier *self = (courier *)(void *)((char *)task - offsetof(courier, closing));
    if (self->owes)
        weir_up_written(&self->link, UV_ECANCELED);
    weir_up_closed(&self->link);
}

static void courier_open(weir_link *link)
{
    weir_address address;
    assert_code(weir_address_from_ip(&address, "192.0.2.7", 77), 0);
    world_of(link)->runtime = weir_link_runtime(link);
    weir_up_attempt(link, WEIR_EVENT_LOOKUP, &address, NULL, "depot.test");
    weir_up_attempt(link, WEIR_EVENT_CONNECTION_ATTEMPT, &address, NULL, NULL);
    weir_up_opened(link);
    if (!weir_link_closing(link))
        weir_up_notify(link, "hired", "by you", sizeof("by you"));
}

static int courier_write(weir_link *link, const struct iovec *bufs, size_t count)
{
    courier *self = courier_of(link);
    world_of(link)->wants_fds = weir_link_wants_fds(link);
    for (size_t i = 0; i < count; i++) {
        assert_true(bufs[i].iov_len <= ROOM - self->kept);
        memcpy(self->bytes + self->kept, bufs[i].iov_base, bufs[i].iov_len);
        self->kept += bufs[i].iov_len;
    }
    self->owes = 1;
    weir_runtime_defer(weir_link_runtime(link), &self->later);
    return 0;
}

/* All that was kept has gone: whoever waits for 'drain' can be told. */
static void courier_written(weir_link *link, int status)
{
    courier *self = courier_of(link);
    char sent[32];
    if (status != 0 || weir_link_closing(link))
        return;
    self->kept = 0;
    weir_up_activity(link);
    if (weir_link_closing(link))
        return;
    snprintf(sent, sizeof(sent), "%zu", self->vector.iov_len);
    weir_up_notify(link, "delivered", sent, strlen(sent));
}

static void courier_flush(weir_link *link)
{
    world_of(link)->flushes++;
    weir_down_flush(link);
}

static int courier_set(weir_link *link, const char *name, const weir_value *value)
{
    courier *self = courier_of(link);
    if (strcmp(name, "courier.quick") == 0)
        return weir_down_set(link, "noDelay", value);
    if (strcmp(name, "courier.unknown") == 0)
        return weir_down_set(link, "nobody.knows", value);
    if (strcmp(name, "courier.go") != 0)
        return UV_ENOENT;
    self->vector = (struct iovec){self->bytes, self->kept};
    return weir_down_write(link, &self->vector, 1);
}

static int courier_get(weir_link *link, const char *name, weir_value *value)
{
    return strcmp(name, "courier.quick") == 0 ? weir_down_get(link, "noDelay", value) : UV_ENOENT;
}

static void courier_held(const weir_link *link, size_t *to_write, size_t *to_read)
{
    const courier *self = (const courier *)(const void *)link;
    *to_write = self->owes ? 0 : self->kept;
    *to_read = 0;
}

static void courier_close(weir_link *link, weir_close_mode mode)
{
    courier *self = courier_of(link);
    (void)mode;
    weir_runtime_cancel(weir_link_runtime(link), &self->later);
    weir_runtime_defer(weir_link_runtime(link), &self->closing);
}

static void courier_free(weir_link *link)
{
    weir_free(link);
}

static const weir_link_ops courier_ops = {
    .size = sizeof(weir_link_ops),
    .name = "courier",
    .open = courier_open,
    .write = courier_write,
    .flush = courier_flush,
    .close = courier_close,
    .get = courier_get,
    .set = courier_set,
    .held = courier_held,
    .free = courier_free,
    .on_written = courier_written,
};

static weir_link *courier_create(void *context, weir_runtime *runtime, weir_role role)
{
    courier *self = weir_calloc(1, sizeof(*self));
    (void)context;
    (void)runtime;
    (void)role;
    if (!self)
        return NULL;
    self->link.ops = &courier_ops;
    self->later.run = tell_written;
    self->closing.run = tell_closed;
    return &self->link;
}

static const weir_layer courier_layer = {
    .size = sizeof(weir_layer), .configure = plain_configure, .context_free = weir_free, .create = courier_create};

static const weir_plugin courier_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "courier",
    .version = "1.0.0",   .description = "keeps what is written, for tests",
    .schema = NO_OPTIONS, .layer = &courier_layer,
};

/* The same under another name, for two of them in one stack. */
static const weir_plugin porter_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "porter",        .version = "1.0.0", .description = "as courier, for tests",
    .schema = NO_OPTIONS, .layer = &courier_layer,
};

/* ---- the transport ---- */

typedef struct turnstile {
    weir_acceptor acceptor;
    weir_task turn;
    weir_task closing;
} turnstile;

static turnstile *turnstile_of(weir_acceptor *acceptor)
{
    return (turnstile *)(void *)acceptor;
}

static void shed(weir_acceptor *acceptor)
{
    const world *seen = weir_runtime_data(weir_acceptor_runtime(acceptor));
    weir_drop drop = {.peer_pid = 17, .peer_uid = -1, .peer_gid = -1};
    drop.reason = (weir_drop_reason)seen->sheds_for;
    weir_arrival arrival = {.fd = -1};
    assert_code(weir_address_from_ip(&drop.remote, "192.0.2.9", 99), 0);
    weir_acceptor_dropped(acceptor, &drop);
    arrival.remote = drop.remote;
    if (seen->arrives)
        assert_true(weir_acceptor_arrival(acceptor, &arrival) < 0);
}

static void run_turn(weir_task *task)
{
    shed((weir_acceptor *)(void *)((char *)task - offsetof(turnstile, turn)));
}

/* By now nobody hears of it any more. */
static void run_closing(weir_task *task)
{
    weir_acceptor *acceptor = (weir_acceptor *)(void *)((char *)task - offsetof(turnstile, closing));
    shed(acceptor);
    weir_acceptor_closed(acceptor);
}

static size_t turnstile_format(const void *context, char *text, size_t size)
{
    (void)context;
    if (size)
        text[0] = '\0';
    return 0;
}

static weir_link *turnstile_create(void *context, weir_runtime *runtime)
{
    (void)context;
    (void)runtime;
    return NULL;
}

static weir_acceptor *turnstile_acceptor(void *context, weir_runtime *runtime)
{
    turnstile *self = weir_calloc(1, sizeof(*self));
    (void)context;
    (void)runtime;
    if (!self)
        return NULL;
    self->turn.run = run_turn;
    self->closing.run = run_closing;
    return &self->acceptor;
}

static void turnstile_listen(weir_acceptor *acceptor, int fd)
{
    weir_runtime *runtime = weir_acceptor_runtime(acceptor);
    world *seen = weir_runtime_data(runtime);
    (void)fd;
    seen->runtime = runtime;
    seen->acceptor = acceptor;
    weir_acceptor_listening(acceptor);
}

static void turnstile_accepting(weir_acceptor *acceptor, int on)
{
    if (on)
        weir_runtime_defer(weir_acceptor_runtime(acceptor), &turnstile_of(acceptor)->turn);
}

static int turnstile_address(const weir_acceptor *acceptor, weir_address *address)
{
    (void)acceptor;
    (void)address;
    return UV_ENOTCONN;
}

/* Says more than it was asked. */
static void turnstile_describe(const weir_acceptor *acceptor, const weir_arrival *arrival, weir_drop *drop)
{
    const world *seen = weir_runtime_data(weir_acceptor_runtime(acceptor));
    (void)arrival;
    drop->reason = (weir_drop_reason)seen->sheds_for;
}

static weir_link *turnstile_accept(weir_acceptor *acceptor, const weir_arrival *arrival)
{
    (void)acceptor;
    (void)arrival;
    return NULL;
}

static void turnstile_ref(weir_acceptor *acceptor, int on)
{
    (void)acceptor;
    (void)on;
}

static void turnstile_close(weir_acceptor *acceptor)
{
    weir_runtime_cancel(weir_acceptor_runtime(acceptor), &turnstile_of(acceptor)->turn);
    weir_runtime_defer(weir_acceptor_runtime(acceptor), &turnstile_of(acceptor)->closing);
}

static void turnstile_free(weir_acceptor *acceptor)
{
    weir_free(acceptor);
}

static const weir_transport turnstile_transport = {
    .size = sizeof(weir_transport),
    .body = WEIR_BODY_NONE,
    .configure = plain_configure,
    .context_free = weir_free,
    .format = turnstile_format,
    .create = turnstile_create,
    .acceptor_create = turnstile_acceptor,
    .listen = turnstile_listen,
    .accepting = turnstile_accepting,
    .address = turnstile_address,
    .describe = turnstile_describe,
    .accept = turnstile_accept,
    .acceptor_ref = turnstile_ref,
    .acceptor_close = turnstile_close,
    .acceptor_free = turnstile_free,
};

static const weir_plugin turnstile_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "turnstile",
    .version = "1.0.0",   .description = "sheds who comes, for tests",
    .schema = NO_OPTIONS, .transport = &turnstile_transport,
};

/* ---- a test's world ---- */

static int begin(void **state)
{
    static const weir_plugin *const plugins[] = {&courier_plugin, &porter_plugin, &turnstile_plugin};
    int status = fixture_setup(state);
    fixture *f = *state;
    world *seen;
    if (status)
        return status;
    seen = calloc(1, sizeof(*seen));
    if (!seen)
        return -1;
    f->data = seen;
    weir_runtime_set_data(f->runtime, seen);
    for (size_t i = 0; status == 0 && i < sizeof(plugins) / sizeof(plugins[0]); i++)
        status = weir_runtime_register_plugin(f->runtime, plugins[i], NULL);
    return status;
}

static int end(void **state)
{
    fixture *f = *state;
    void *seen = (void *)(uintptr_t)f->data;
    int status = fixture_teardown(state);
    free(seen);
    return status;
}

#define LINKS_TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

static void on_layer(const weir_event *event, void *arg)
{
    world *seen = arg;
    snprintf(seen->layer, sizeof(seen->layer), "%s", event->layer->layer);
    snprintf(seen->event, sizeof(seen->event), "%s", event->layer->name);
    assert_true(event->layer->size <= sizeof(seen->payload));
    memcpy(seen->payload, event->layer->payload, event->layer->size);
    seen->payload_size = event->layer->size;
    seen->layer_events++;
}

static void on_lookup(const weir_event *event, void *arg)
{
    world *seen = arg;
    assert_null(event->error);
    snprintf(seen->host, sizeof(seen->host), "%s", event->host);
    seen->attempt = *event->address;
    seen->lookups++;
}

/* A connection whose client stands on the layer. */
static pair courier_pair(fixture *f, const char *layers, const weir_stream_options *options)
{
    world *seen = weir_runtime_data(f->runtime);
    weir_server *server = fixture_listen(f, LOCAL, NULL);
    f->record = 0;
    recorder *client = record_stream(f, weir_stream_new(f->runtime, options), 0);
    weir_stream_release(client->stream);
    assert_code(weir_stream_on(client->stream, WEIR_EVENT_LAYER, on_layer, seen), 0);
    assert_code(weir_stream_on(client->stream, WEIR_EVENT_LOOKUP, on_lookup, seen), 0);
    assert_code(recorder_connect(client, fixture_text(f, "%s+%s", layers, fixture_url(f, server))), 0);
    recorder_wait(client, WEIR_EVENT_READY);
    pair made = {.client = client, .accepted = fixture_accepted(f, server, 0)};
    recorder_add(made.accepted, RECORD_DATA);
    fixture_turns(f, 2);
    return made;
}

static int set(pair p, const char *name, int64_t number)
{
    weir_value value = {.type = WEIR_VALUE_BOOLEAN, .number = number};
    return weir_stream_set(p.client->stream, name, &value);
}

/* ---- the tests of layers ---- */

static void SOCK_22_SOCK_36_a_layer_tells_of_its_opening(void **state)
{
    fixture *f = *state;
    world *seen = weir_runtime_data(f->runtime);
    pair p = courier_pair(f, "courier", NULL);
    char text[WEIR_ADDRESS_TEXT_SIZE];
    assert_ptr_equal(seen->runtime, f->runtime);
    assert_int_equal(p.client->counts[WEIR_EVENT_CONNECTION_ATTEMPT], 2); /* tcp's, and the layer's own */
    assert_int_equal(seen->lookups, 1);
    assert_string_equal(seen->host, "depot.test");
    weir_address_ip(&seen->attempt, text, sizeof(text));
    assert_string_equal(text, "192.0.2.7");
    assert_int_equal(seen->attempt.port, 77);
}

static void a_layers_event_has_its_name_and_payload(void **state)
{
    fixture *f = *state;
    world *seen = weir_runtime_data(f->runtime);
    pair p = courier_pair(f, "courier", NULL);
    assert_int_equal(seen->layer_events, 1);
    assert_string_equal(seen->layer, "courier");
    assert_string_equal(seen->event, "hired");
    assert_int_equal(seen->payload_size, sizeof("by you"));
    assert_string_equal(seen->payload, "by you");
    recorder_write(p.client, "hello", 5);
    recorder_wait_writes(p.client, 1);
    assert_code(set(p, "courier.go", 1), 0);
    recorder_wait_data(p.accepted, 5);
    fixture_turns(f, 2);
    assert_int_equal(seen->layer_events, 2);
    assert_string_equal(seen->event, "delivered");
    assert_int_equal(seen->payload_size, 1);
    assert_memory_equal(seen->payload, "5", 1);
    recorder_expect_data(p.accepted, "hello", 5);
}

/* 'drain' waits for what the layer still holds, though its writes are done, and comes when the layer says so. */
static void SOCK_27_activity_of_a_layer_brings_drain(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.writable_high_water_mark = 4;
    pair p = courier_pair(f, "courier", &options);
    assert_int_equal(recorder_write(p.client, "hello", 5), 0);
    recorder_wait_writes(p.client, 1);
    fixture_turns(f, 4);
    assert_int_equal(p.client->counts[WEIR_EVENT_DRAIN], 0);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 5);
    assert_code(set(p, "courier.go", 1), 0);
    recorder_wait(p.client, WEIR_EVENT_DRAIN);
    assert_int_equal(weir_stream_writable_length(p.client->stream), 0);
    recorder_wait_data(p.accepted, 5);
}

/* From layer to layer: each hears of it because the one above has passed it on. */
static void WR_02_a_flush_goes_down_from_layer_to_layer(void **state)
{
    fixture *f = *state;
    world *seen = weir_runtime_data(f->runtime);
    pair p = courier_pair(f, "porter+courier", NULL);
    int before = seen->flushes;
    recorder_write(p.client, "hello", 5);
    recorder_wait_writes(p.client, 1);
    fixture_turns(f, 2);
    assert_true(seen->flushes >= before + 2);
    assert_int_equal((seen->flushes - before) % 2, 0);
}

static int64_t no_delay_of(pair p, const char *name)
{
    weir_value value;
    assert_code(weir_stream_get(p.client->stream, name, &value), 0);
    return value.number;
}

static void SOCM_32_what_a_layer_does_not_know_goes_below(void **state)
{
    pair p = courier_pair(*state, "courier", NULL);
    weir_value value;
    assert_int_equal(no_delay_of(p, "noDelay"), 0);
    assert_code(set(p, "noDelay", 1), 0); /* past the layer */
    assert_int_equal(no_delay_of(p, "noDelay"), 1);
    assert_code(set(p, "courier.quick", 0), 0); /* by the layer itself */
    assert_int_equal(no_delay_of(p, "noDelay"), 0);
    assert_int_equal(no_delay_of(p, "courier.quick"), 0);
    assert_code(set(p, "nobody.knows", 1), UV_ENOENT);
    assert_code(set(p, "courier.unknown", 1), UV_ENOENT);
    assert_code(weir_stream_get(p.client->stream, "nobody.knows", &value), UV_ENOENT);
}

static void nothing_comes(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

static void SOCK_44_a_link_knows_whether_somebody_wants_descriptors(void **state)
{
    fixture *f = *state;
    world *seen = weir_runtime_data(f->runtime);
    pair p = courier_pair(f, "courier", NULL);
    weir_stream *stream = p.client->stream;
    seen->wants_fds = -1;
    recorder_write(p.client, "a", 1);
    recorder_wait_writes(p.client, 1);
    assert_int_equal(seen->wants_fds, 0);
    assert_code(weir_stream_on(stream, WEIR_EVENT_FD, nothing_comes, NULL), 0);
    recorder_write(p.client, "b", 1);
    recorder_wait_writes(p.client, 2);
    assert_int_equal(seen->wants_fds, 1);
    weir_stream_off(stream, WEIR_EVENT_FD, nothing_comes, NULL);
    recorder_write(p.client, "c", 1);
    recorder_wait_writes(p.client, 3);
    assert_int_equal(seen->wants_fds, 0);
}

/* What a layer still owes when it is closed is cancelled before 'close'. */
static void law_4_a_write_that_a_layer_owes_is_cancelled(void **state)
{
    pair p = courier_pair(*state, "courier", NULL);
    weir_runtime *runtime = weir_stream_runtime(p.client->stream);
    weir_runtime_enter(runtime);
    recorder_write(p.client, "hello", 5);
    recorder_destroy(p.client, NULL);
    weir_runtime_leave(runtime);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    assert_int_equal(p.client->writes_done, 1);
    assert_false(recorder_saw(p.client, "w1"));
}

/* ---- the tests of acceptors ---- */

static void on_drop(const weir_event *event, void *arg)
{
    world *seen = arg;
    seen->drops++;
    seen->drop = *event->drop;
}

static void BN_08_BN_09_an_acceptor_tells_of_what_it_has_shed(void **state)
{
    fixture *f = *state;
    world *seen = weir_runtime_data(f->runtime);
    weir_server *server = weir_server_new(f->runtime, NULL);
    char text[WEIR_ADDRESS_TEXT_SIZE];
    seen->sheds_for = WEIR_DROP_DESCRIPTORS;
    assert_code(weir_server_on(server, WEIR_EVENT_DROP, on_drop, seen), 0);
    assert_code(weir_server_listen(server, "turnstile:", NULL, NULL), 0);
    fixture_turns(f, 4);
    assert_int_equal(weir_server_listening(server), 1);
    assert_ptr_equal(seen->runtime, f->runtime);
    assert_ptr_equal(weir_acceptor_runtime(seen->acceptor), f->runtime);
    assert_int_equal(seen->drops, 1);
    assert_int_equal(seen->drop.reason, WEIR_DROP_DESCRIPTORS);
    assert_int_equal(seen->drop.peer_pid, 17);
    assert_int_equal(seen->drop.local.family, WEIR_FAMILY_NONE);
    weir_address_ip(&seen->drop.remote, text, sizeof(text));
    assert_string_equal(text, "192.0.2.9");
    assert_int_equal(weir_server_connections(server), 0);
    assert_code(weir_server_close_wait(server), 0);
    assert_int_equal(seen->drops, 1); /* the one that was shed while closing is not told */
    weir_server_release(server);
}

static void BN_09_a_reason_that_there_is_not_is_told_as_the_one_of_transports(void **state)
{
    static const int wild[] = {WEIR_DROP_DESCRIPTORS + 1, -1, INT_MAX, INT_MIN};
    fixture *f = *state;
    world *seen = weir_runtime_data(f->runtime);
    weir_server *server = weir_server_new(f->runtime, NULL);
    assert_code(weir_server_on(server, WEIR_EVENT_DROP, on_drop, seen), 0);
    for (int i = 0; i < (int)(sizeof(wild) / sizeof(wild[0])); i++) {
        seen->sheds_for = wild[i];
        assert_code(weir_server_listen(server, "turnstile:", NULL, NULL), 0);
        fixture_turns(f, 4);
        assert_int_equal(seen->drops, i + 1);
        assert_int_equal(seen->drop.reason, WEIR_DROP_DESCRIPTORS);
        assert_code(weir_server_close_wait(server), 0);
    }
    weir_server_release(server);
}

static void BN_09_the_reason_is_the_servers_whatever_a_transport_says(void **state)
{
    fixture *f = *state;
    world *seen = weir_runtime_data(f->runtime);
    weir_server_options options;
    weir_server_options_init(&options);
    options.block_list = weir_blocklist_new();
    assert_code(weir_blocklist_add_rule(options.block_list, "192.0.2.9"), 0);
    weir_server *server = weir_server_new(f->runtime, &options);
    seen->sheds_for = INT_MAX;
    seen->arrives = 1;
    assert_code(weir_server_on(server, WEIR_EVENT_DROP, on_drop, seen), 0);
    assert_code(weir_server_listen(server, "turnstile:", NULL, NULL), 0);
    fixture_turns(f, 4);
    assert_int_equal(seen->drops, 2);
    assert_int_equal(seen->drop.reason, WEIR_DROP_BLOCK_LIST);
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
    weir_blocklist_release(options.block_list);
}

/* A service counts what it tells of by the reason. */
static void BN_09_a_service_bears_any_reason(void **state)
{
    fixture *f = *state;
    world *seen = weir_runtime_data(f->runtime);
    seen->sheds_for = INT_MAX;
    served *service =
        served_start(f, "{\"servers\": [{\"name\": \"a\", \"listen\": {\"turnstile\": {}}, \"handler\": \"echo\"}]}");
    fixture_turns(f, 4);
    assert_non_null(strstr(fixture_log(f), "a: a connection from 192.0.2.9:99 was dropped (descriptors)"));
    served_stop(service, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINKS_TEST(SOCK_22_SOCK_36_a_layer_tells_of_its_opening),
        LINKS_TEST(a_layers_event_has_its_name_and_payload),
        LINKS_TEST(SOCK_27_activity_of_a_layer_brings_drain),
        LINKS_TEST(WR_02_a_flush_goes_down_from_layer_to_layer),
        LINKS_TEST(SOCM_32_what_a_layer_does_not_know_goes_below),
        LINKS_TEST(SOCK_44_a_link_knows_whether_somebody_wants_descriptors),
        LINKS_TEST(law_4_a_write_that_a_layer_owes_is_cancelled),
        LINKS_TEST(BN_08_BN_09_an_acceptor_tells_of_what_it_has_shed),
        LINKS_TEST(BN_09_a_reason_that_there_is_not_is_told_as_the_one_of_transports),
        LINKS_TEST(BN_09_the_reason_is_the_servers_whatever_a_transport_says),
        LINKS_TEST(BN_09_a_service_bears_any_reason),
    };
    fixture_preload("echo");
    return cmocka_run_group_tests_name("api of links", tests, NULL, NULL);
}
