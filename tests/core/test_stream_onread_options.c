/* SPDX-License-Identifier: MIT */
/* Where onread can be asked for, with every way to a stream; and layers that are put on one that has it. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blocks.h"

#define KIBIBYTE ((size_t)1024)

static void CONN_34_CONN_42_a_connect_with_a_block_of_4_KiB(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_stream_options options;
    int error = 0;
    int connected = 0;
    blocks_begin(&r, 4096);
    weir_stream_options_init(&options);
    options.onread = blocks_one(&r);
    f->record = 0;
    weir_server *server = over_listen(f, NULL);
    weir_stream *stream = weir_connect(f->runtime, fixture_url(f, server), &options, fixture_count, &connected, &error);
    assert_non_null(stream);
    recorder *client = record_stream(f, stream, 0);
    weir_stream_release(stream);
    recorder *accepted = fixture_accepted(f, server, 0);
    pair p = {.client = accepted, .accepted = client};
    blocks_transfer(f, p, &r, 20 * KIBIBYTE);
    assert_int_equal(connected, 1);
    assert_true(r.largest <= 4096);
    recorder_destroy(client, NULL);
    over_wait_closed(client);
}

static void CONN_42_create_connection_keeps_port_and_onread_apart(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_connect_options where;
    weir_stream_options options;
    weir_address address;
    int error = 0;
    f->record = 0;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    assert_code(weir_server_address(server, &address), 0);
    weir_connect_options_init(&where);
    where.host = "127.0.0.1";
    where.port = address.port;
    blocks_begin(&r, 4096);
    weir_stream_options_init(&options);
    options.onread = blocks_one(&r);
    weir_stream *stream = weir_create_connection(f->runtime, &where, &options, NULL, NULL, &error);
    assert_non_null(stream);
    recorder *client = record_stream(f, stream, 0);
    weir_stream_release(stream);
    recorder *accepted = fixture_accepted(f, server, 0);
    blocks_transfer(f, (pair){.client = accepted, .accepted = client}, &r, 10 * KIBIBYTE);
    recorder_destroy(client, NULL);
    over_wait_closed(client);
    options.onread.size = 0;
    assert_null(weir_create_connection(f->runtime, &where, &options, NULL, NULL, &error));
    assert_code(error, WEIR_EINVALIDARGVALUE);
}

/* Node 17 had it as an option of connect(): a stream that connects later is the same here. */
static void CONN_34_a_stream_that_connects_later(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_stream_options options;
    blocks_begin(&r, 100);
    weir_stream_options_init(&options);
    options.onread = blocks_two(&r);
    f->record = 0;
    weir_server *server = over_listen(f, NULL);
    recorder *client = over_fresh(f, &options);
    assert_int_equal(r.asked, 0);
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait(client, WEIR_EVENT_READY);
    over_send_text(f, accepted, "hello");
    blocks_expect(&r, "hello", 5);
    recorder_destroy(client, NULL);
    over_wait_closed(client);
}

typedef struct account {
    const weir_stream *stream;
    char block[8];
    char text[32];
    size_t size;
} account;

static account accounts[3];

static account *account_of(const weir_stream *stream)
{
    account *of = accounts;
    while (of->stream != NULL && of->stream != stream) {
        of++;
    }
    of->stream = stream;
    return of;
}

static void *block_of_account(weir_stream *stream, size_t *size, void *arg)
{
    (void)arg;
    *size = sizeof(accounts[0].block);
    return account_of(stream)->block;
}

static weir_onread_result to_account(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    account *of = account_of(stream);
    (void)arg;
    assert_ptr_equal(buffer, of->block);
    memcpy(of->text + of->size, buffer, count);
    of->size += count;
    return WEIR_ONREAD_CONTINUE;
}

static void SOCK_12_each_stream_of_a_server_may_have_its_block(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    memset(accounts, 0, sizeof(accounts));
    weir_server_options_init(&options);
    options.stream.onread = (weir_onread){.block = block_of_account, .callback = to_account};
    f->record = 0;
    weir_server *server = over_listen(f, &options);
    pair one = fixture_connect(f, server, NULL, NULL);
    pair two = fixture_connect(f, server, NULL, NULL);
    over_send_text(f, one.client, "the first one");
    over_send_text(f, two.client, "the second one");
    over_send_text(f, one.client, "!");
    assert_string_equal(account_of(one.accepted->stream)->text, "the first one!");
    assert_string_equal(account_of(two.accepted->stream)->text, "the second one");
}

static void SOCK_16_CSRV_04_paused_on_connect_nothing_is_read_before_resume(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_server_options options;
    blocks_begin(&r, 64);
    weir_server_options_init(&options);
    options.stream.pause_on_connect = 1;
    options.stream.onread = blocks_two(&r);
    pair p = over_pair_with(f, 0, NULL, 0, &options);
    over_send_text(f, p.client, "hello");
    assert_int_equal(r.asked, 0);
    recorder_resume(p.accepted);
    blocks_wait(f, &r, 5);
    blocks_expect(&r, "hello", 5);
}

static void SOCK_11_a_callback_without_memory_is_refused(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_server_options options;
    int error = 0;
    blocks_begin(&r, 64);
    weir_server_options_init(&options);
    options.stream.onread = (weir_onread){.callback = blocks_one(&r).callback, .arg = &r};
    assert_null(weir_stream_new(f->runtime, &options.stream));
    assert_null(weir_server_new(f->runtime, &options));
    assert_null(weir_connect(f->runtime, "tcp://127.0.0.1:1", &options.stream, NULL, NULL, &error));
    assert_code(error, WEIR_EINVALIDARGVALUE);
    options.stream.onread.buffer = r.blocks[0]; /* without a size */
    assert_null(weir_stream_new(f->runtime, &options.stream));
    options.stream.onread = (weir_onread){.buffer = r.blocks[0], .size = 1}; /* nobody to tell: no onread */
    weir_stream *stream = weir_stream_new(f->runtime, &options.stream);
    assert_int_equal(weir_stream_readable_flowing(stream), -1);
    weir_stream_release(stream);
}

/* ---- of descriptors ---- */

static void SOCK_11_SOCK_04_a_descriptor_is_read_at_once(void **state)
{
    static blocks r;
    fixture *f = *state;
    weir_stream_options options;
    int ends[2];
    int error = 0;
    blocks_begin(&r, 64);
    weir_stream_options_init(&options);
    options.onread = blocks_one(&r);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    weir_stream *stream = weir_stream_adopt(f->runtime, ends[0], NULL, &options, &error);
    assert_code(error, 0);
    recorder *adopted = record_stream(f, stream, 0);
    weir_stream_release(stream);
    assert_int_equal(send(ends[1], "hello", 5, MSG_NOSIGNAL), 5);
    close(ends[1]);
    recorder_wait(adopted, WEIR_EVENT_CLOSE);
    blocks_expect(&r, "hello", 5);
    recorder_expect(adopted, "end finish close");
    options.onread = (weir_onread){.callback = options.onread.callback};
    assert_null(weir_stream_adopt(f->runtime, 0, NULL, &options, &error));
    assert_code(error, WEIR_EINVALIDARGVALUE);
}

/* ---- layers put on it ---- */

typedef struct adding {
    weir_endpoint *endpoint;
    int added;
} adding;

static adding plan;

static weir_endpoint *chaos(fixture *f, weir_role role)
{
    weir_endpoint *endpoint = NULL;
    const char *text = "chaos+tcp://127.0.0.1:1?seed=9&handshake=true";
    assert_code(weir_endpoint_parse(f->runtime, text, role, NULL, &endpoint, NULL), 0);
    return endpoint;
}

static void on_added(weir_stream *stream, int status, void *arg)
{
    int *done = arg;
    (void)stream;
    assert_code(status, 0);
    *done = 1;
}

/* Once: what is read from then on goes through the layer. */
static void add_here(weir_stream *stream, blocks *r)
{
    (void)r;
    if (plan.endpoint == NULL) {
        return;
    }
    assert_code(weir_stream_add_layer(stream, plan.endpoint, on_added, &plan.added), 0);
    weir_endpoint_release(plan.endpoint);
    plan.endpoint = NULL;
}

static pair plan_layer(fixture *f, blocks *r)
{
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.onread = blocks_two(r);
    plan = (adding){.endpoint = chaos(f, WEIR_SERVER)};
    return over_pair_with(f, 0, NULL, 0, &options);
}

/* The client's side of it, and a text through both. */
static void talk_through_layers(fixture *f, pair p, blocks *r)
{
    int added = 0;
    weir_endpoint *endpoint = chaos(f, WEIR_CLIENT);
    assert_code(weir_stream_add_layer(p.client->stream, endpoint, on_added, &added), 0);
    weir_endpoint_release(endpoint);
    recorder_write(p.client, "through both", 12);
    blocks_wait(f, r, r->data_size + 12);
    assert_int_equal(added, 1);
    assert_int_equal(plan.added, 1);
}

static void SOCK_11_TLS_19_a_layer_is_added_in_the_callback(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 64);
    r.act = add_here;
    pair p = plan_layer(f, &r);
    recorder_write(p.client, "!", 1);
    blocks_wait(f, &r, 1);
    assert_null(plan.endpoint);
    talk_through_layers(f, p, &r);
    blocks_expect(&r, "!through both", 13);
}

static void SOCK_12_TLS_19_a_layer_is_added_while_the_block_is_asked(void **state)
{
    static blocks r;
    fixture *f = *state;
    blocks_begin(&r, 64);
    r.act_asked = add_here;
    pair p = plan_layer(f, &r);
    talk_through_layers(f, p, &r);
    blocks_expect(&r, "through both", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_ALL(CONN_34_CONN_42_a_connect_with_a_block_of_4_KiB),
        OVER_ALL(CONN_34_a_stream_that_connects_later),
        OVER_ALL(SOCK_12_each_stream_of_a_server_may_have_its_block),
        OVER_ALL(SOCK_16_CSRV_04_paused_on_connect_nothing_is_read_before_resume),
        FIXTURE_TEST(SOCK_11_a_callback_without_memory_is_refused),
        FIXTURE_TEST(CONN_42_create_connection_keeps_port_and_onread_apart),
        FIXTURE_TEST(SOCK_11_SOCK_04_a_descriptor_is_read_at_once),
        OVER_ALL(SOCK_11_TLS_19_a_layer_is_added_in_the_callback),
        OVER_ALL(SOCK_12_TLS_19_a_layer_is_added_while_the_block_is_asked),
    };
    return cmocka_run_group_tests_name("stream_onread_options", tests, NULL, NULL);
}
