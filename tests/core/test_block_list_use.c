/* SPDX-License-Identifier: MIT */
/* Block lists at work: servers that drop whom they name, streams that do not connect there, and services. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator.h"
#include "block_lists.h"
#include "diary.h"
#include "served.h"

static void turns(fixture *f)
{
    fixture_turns(f, OVER_TURNS);
}

static weir_blocklist *all_of_it(void)
{
    weir_blocklist *list = list_of("0.0.0.0/0");
    assert_code(weir_blocklist_add_rule(list, "::/0"), 0);
    return list;
}

/* ---- servers ---- */

/* A server that listens there, with a diary and this list, which it alone keeps. */
static weir_server *guarded(fixture *f, diary *d, const char *endpoint, weir_blocklist *list)
{
    weir_server_options options;
    weir_server_options_init(&options);
    options.block_list = list;
    weir_server *server = fixture_listen(f, endpoint, &options);
    diary_keep(d, f, server);
    weir_blocklist_release(list);
    return server;
}

/* Connects, and waits until both sides know what became of it. */
static recorder *try_to_connect(fixture *f, const char *url)
{
    f->record = RECORD_DATA;
    recorder *client = fixture_client(f, url, NULL);
    over_wait_closed(client);
    return client;
}

static void BN_09_a_blocked_arrival_is_dropped_and_told_of(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_address where, who = {.family = WEIR_FAMILY_NONE};
    weir_server *server = guarded(f, &d, "tcp://127.0.0.1:0", list_of("127.0.0.0/8"));
    recorder *client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(client, WEIR_EVENT_CONNECT);
    assert_code(weir_stream_local_address(client->stream, &who), 0);
    over_wait_closed(client);
    diary_expect(&d, "drop");
    assert_int_equal(d.drop.reason, WEIR_DROP_BLOCK_LIST);
    assert_true(weir_address_equal(&d.drop.remote, &who));
    assert_code(weir_server_address(server, &where), 0);
    assert_true(weir_address_equal(&d.drop.local, &where));
    assert_int_equal(d.drop.peer_pid, -1);
    assert_int_equal(d.drop.peer_uid, -1);
    assert_int_equal(d.drop.peer_gid, -1);
    assert_int_equal(weir_server_connections(server), 0);
    assert_int_equal(client->data_size, 0);
}

static void BN_09_whoever_is_not_named_is_served(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = guarded(f, &d, "tcp://127.0.0.1:0", list_of("127.0.0.2-127.255.255.255"));
    fixture_connect(f, server, NULL, NULL);
    diary_expect(&d, "connection");
    try_to_connect(f, fixture_text(f, "%s?localAddress=127.0.0.2", fixture_url(f, server)));
    diary_expect(&d, "connection drop");
}

static void BN_09_the_list_is_asked_before_the_limit(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = guarded(f, &d, "tcp://127.0.0.1:0", list_of("127.0.0.2"));
    weir_server_set_max_connections(server, 1);
    fixture_connect(f, server, NULL, NULL);
    try_to_connect(f, fixture_text(f, "%s?localAddress=127.0.0.2", fixture_url(f, server)));
    diary_expect(&d, "connection drop");
    assert_int_equal(d.drop.reason, WEIR_DROP_BLOCK_LIST);
    try_to_connect(f, fixture_url(f, server));
    assert_int_equal(d.drop.reason, WEIR_DROP_MAX_CONNECTIONS);
}

static void BN_09_BL_16_an_ipv4_rule_holds_on_a_dual_stack_socket(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    static diary d;
    weir_server *server = guarded(f, &d, "tcp://[::]:0", list_of("127.0.0.1"));
    const char *port = strrchr(fixture_url(f, server), ':') + 1;
    try_to_connect(f, fixture_text(f, "tcp://127.0.0.1:%s", port));
    diary_expect(&d, "drop");
    assert_int_equal(d.drop.remote.family, WEIR_FAMILY_IPV6); /* mapped */
    recorder *client = fixture_client(f, fixture_text(f, "tcp://[::1]:%s", port), NULL);
    fixture_accepted(f, server, 0);
    recorder_wait(client, WEIR_EVENT_READY);
    diary_expect(&d, "drop connection");
}

static void BN_09_paths_are_on_no_list(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.block_list = all_of_it();
    weir_server *server = guarded(f, &d, over_here(f), all_of_it());
    fixture_connect(f, server, NULL, &options);
    diary_expect(&d, "connection");
    weir_blocklist_release(options.block_list);
}

static void BN_09_the_list_changes_at_run_time(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = guarded(f, &d, "tcp://127.0.0.1:0", NULL);
    assert_null(weir_server_block_list(server));
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_blocklist *list = list_of("10.0.0.0/8");
    weir_server_set_block_list(server, list);
    weir_server_set_block_list(server, weir_server_block_list(server)); /* itself again */
    weir_blocklist_release(list);
    assert_ptr_equal(weir_server_block_list(server), list);
    assert_code(weir_blocklist_add_rule(list, "127.0.0.1"), 0); /* rules may come later */
    try_to_connect(f, fixture_url(f, server));
    diary_expect(&d, "connection drop");
    assert_int_equal(weir_stream_ready_state(p.accepted->stream), WEIR_READY_OPEN); /* who is there stays */
    weir_server_set_block_list(server, NULL);
    assert_null(weir_server_block_list(server));
    f->record = 0;
    fixture_connect(f, server, NULL, NULL);
    diary_expect(&d, "connection drop connection");
}

/* A listener that takes the list away and closes the server, from inside of the drop. */
static void clear_and_close(const weir_event *event, void *arg)
{
    (void)arg;
    weir_server_set_block_list(event->target_server, NULL);
    assert_code(weir_server_close(event->target_server, NULL, NULL), 0);
}

static void BN_09_a_drop_listener_may_do_anything(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = guarded(f, &d, "tcp://127.0.0.1:0", list_of("127.0.0.1"));
    weir_server_prepend(server, WEIR_EVENT_DROP, clear_and_close, NULL);
    try_to_connect(f, fixture_url(f, server));
    turns(f);
    diary_expect(&d, "drop close");
}

static void BN_09_an_endpoint_to_listen_at_may_bring_a_list(void **state)
{
    fixture *f = *state;
    static diary d;
    weir_server *server = guarded(f, &d, "tcp://127.0.0.1:0?blockList=127.0.0.1,127.0.0.3", list_of("127.0.0.2"));
    const char *url = fixture_url(f, server);
    try_to_connect(f, url);
    try_to_connect(f, fixture_text(f, "%s?localAddress=127.0.0.2", url));
    try_to_connect(f, fixture_text(f, "%s?localAddress=127.0.0.3", url));
    diary_expect(&d, "drop drop drop");
    fixture_client(f, fixture_text(f, "%s?localAddress=127.0.0.4", url), NULL);
    fixture_accepted(f, server, 0);
    diary_expect(&d, "drop drop drop connection");
}

/* ---- connecting ---- */

#define REFUSED "connectionAttempt connectionAttemptFailed:ERR_IP_BLOCKED error:ERR_IP_BLOCKED close:error"

static weir_stream_options without(weir_blocklist *list)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.block_list = list;
    return options;
}

typedef struct {
    int code;
    int port;
    char address[64];
    char message[256];
} refusal;

static void keep_error(const weir_event *event, void *arg)
{
    refusal *kept = arg;
    kept->code = event->error->code;
    kept->port = event->error->port;
    snprintf(kept->address, sizeof(kept->address), "%s", event->error->address);
    snprintf(kept->message, sizeof(kept->message), "%s", event->error->message);
}

static void BL_02_a_blocked_address_is_not_connected_to(void **state)
{
    fixture *f = *state;
    static diary d;
    refusal kept = {0};
    weir_server *server = guarded(f, &d, "tcp://127.0.0.1:0", NULL);
    weir_stream_options options = without(list_of("127.0.0.0/8"));
    recorder *client = fixture_client(f, fixture_url(f, server), &options);
    weir_blocklist_release(options.block_list); /* the stream keeps it */
    weir_stream_on(client->stream, WEIR_EVENT_ERROR, keep_error, &kept);
    over_wait_closed(client);
    recorder_expect(client, "resume " REFUSED);
    const char *port = strrchr(fixture_url(f, server), ':') + 1;
    assert_code(kept.code, WEIR_EIP_BLOCKED);
    assert_string_equal(kept.address, "127.0.0.1");
    assert_int_equal(kept.port, strtol(port, NULL, 10));
    assert_string_equal(
        kept.message,
        fixture_text(f, "connect tcp://127.0.0.1:%s: the address is on the block list (ERR_IP_BLOCKED)", port));
    turns(f);
    diary_expect(&d, ""); /* nobody came */
}

static void BL_02_other_addresses_are(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    weir_stream_options options = without(list_of("127.0.0.2"));
    fixture_connect(f, server, NULL, &options);
    weir_blocklist_release(options.block_list);
}

static void BL_16_a_mapped_address_is_blocked_as_the_one_it_stands_for(void **state)
{
    fixture *f = *state;
    weir_stream_options options = without(list_of("127.0.0.1"));
    recorder *client = fixture_client(f, "tcp://[::ffff:127.0.0.1]:9", &options);
    weir_blocklist_release(options.block_list);
    over_wait_closed(client);
    recorder_expect(client, "resume " REFUSED);
}

static void BL_02_an_endpoint_s_list_comes_on_top(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    const char *url = fixture_url(f, server);
    const char *const blocked[] = {
        fixture_text(f, "%s?blockList=10.0.0.0/8,127.0.0.1", url),
        fixture_text(f, "%s?stream.blockList=127.0.0.1-127.0.0.9", url),
        fixture_text(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %s}, \"stream\": {\"blockList\": [\"::/0\"]}}",
                     strrchr(url, ':') + 1),
    };
    for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++) {
        recorder *client = try_to_connect(f, blocked[i]);
        recorder_expect(client, "resume " REFUSED);
    }
    /* a text that somebody else has written cannot take away what the application blocks */
    weir_stream_options options = without(list_of("127.0.0.1"));
    recorder *client = fixture_client(f, fixture_text(f, "%s?blockList=10.0.0.1", url), &options);
    weir_blocklist_release(options.block_list);
    over_wait_closed(client);
    recorder_expect(client, "resume " REFUSED);
}

static void BL_02_CONN_06_a_second_life_has_the_stream_s_list_and_its_own_endpoint_s(void **state)
{
    fixture *f = *state;
    weir_server *one = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    weir_server *two = fixture_listen(f, "tcp://127.0.0.2:0", NULL);
    weir_stream_options options = without(list_of("127.0.0.2"));
    recorder *client = fixture_client(f, fixture_text(f, "%s?blockList=127.0.0.1", fixture_url(f, one)), &options);
    weir_blocklist_release(options.block_list);
    over_wait_closed(client);
    recorder_expect(client, "resume " REFUSED);
    assert_code(recorder_connect(client, fixture_url(f, two)), 0);
    while (client->counts[WEIR_EVENT_CLOSE] < 2 && !f->expired)
        fixture_turns(f, 1);
    recorder_expect(client, "resume " REFUSED " | " REFUSED);
    assert_code(recorder_connect(client, fixture_url(f, one)), 0);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_expect(client, "resume " REFUSED " | " REFUSED " | connectionAttempt connect ready");
    recorder_destroy(client, NULL);
    over_wait_closed(client);
}

static void BL_02_a_stream_of_a_server_keeps_the_list_it_was_made_with(void **state)
{
    fixture *f = *state;
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.block_list = list_of("127.0.0.0/8");
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", &options);
    weir_blocklist_release(options.stream.block_list);
    pair p = fixture_connect(f, server, NULL, NULL); /* it is for connecting, not for arrivals */
    recorder_destroy(p.client, NULL);
    recorder_destroy(p.accepted, NULL);
    over_wait_both_closed(p);
}

static void try_a_stream(void *arg)
{
    fixture *f = arg;
    weir_stream_options options = without(weir_blocklist_new());
    weir_stream *stream = weir_stream_new(f->runtime, &options);
    assert_int_equal(stream == NULL, options.block_list != NULL && allocator_failures() > 0);
    weir_stream_release(stream);
    weir_blocklist_release(options.block_list);
    weir_endpoint *endpoint = NULL;
    size_t before = allocator_failures();
    int status = weir_endpoint_parse(
        f->runtime, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 9}, \"stream\": {\"blockList\": [\"::1\"]}}",
        WEIR_CLIENT, NULL, &endpoint, NULL);
    if (allocator_failures() == before) {
        assert_code(status, 0);
    } else {
        assert_int_equal(endpoint == NULL, status != 0);
    }
    weir_endpoint_release(endpoint);
}

static void without_memory_there_is_no_stream_rather_than_one_without_its_list(void **state)
{
    try_a_stream(*state); /* what the runtime keeps of a plugin is there from now on */
    assert_true(allocator_fail_each(try_a_stream, *state) > 4);
}

/* ---- services ---- */

#define SERVICE(options) \
    "{\"servers\": [{\"name\": \"a\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"echo\", " options "}]}"

/* It is served. */
static void echo_once(recorder *client)
{
    recorder_write(client, "x", 1);
    recorder_wait_data(client, 1);
}

static size_t lines_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void BN_09_a_service_drops_whom_its_file_names(void **state)
{
    fixture *f = *state;
    served *service = served_start(f, SERVICE("\"blockList\": [\"10.0.0.0/8\", \"127.0.0.2-127.0.0.9\", \"::1\"]"));
    const char *url = served_url(service, "a");
    recorder *client = try_to_connect(f, fixture_text(f, "%s?localAddress=127.0.0.5", url));
    assert_int_equal(client->data_size, 0);
    assert_int_equal(lines_of(fixture_log(f), "info: a: a connection from 127.0.0.5:"), 1);
    assert_int_equal(lines_of(fixture_log(f), " was dropped (blockList)\n"), 1);
    recorder *other = fixture_client(f, url, NULL);
    echo_once(other);
    served_stop(service, 1);
    over_wait_closed(other);
}

static void BN_09_a_flood_of_drops_is_a_few_lines_that_count_them(void **state)
{
    fixture *f = *state;
    served *service = served_start(f, SERVICE("\"blockList\": [\"127.0.0.2\"], \"maxConnections\": 1"));
    const char *url = served_url(service, "a");
    recorder *served_one = fixture_client(f, url, NULL);
    echo_once(served_one);
    for (int i = 0; i < 20; i++)
        try_to_connect(f, fixture_text(f, "%s?localAddress=127.0.0.2", url));
    try_to_connect(f, url); /* for another reason: a line of its own */
    try_to_connect(f, url);
    assert_int_equal(lines_of(fixture_log(f), "dropped (blockList)"), 1);
    assert_int_equal(lines_of(fixture_log(f), "dropped (maxConnections)"), 1);
    served_stop(service, 1);
    over_wait_closed(served_one);
    assert_int_equal(
        lines_of(fixture_log(f), "info: a: 19 more connections were dropped (blockList), the last one from 127.0.0.2:"),
        1);
    assert_int_equal(lines_of(fixture_log(f),
                              "info: a: 1 more connection was dropped (maxConnections), the last one from 127.0.0.1:"),
                     1);
    assert_int_equal(lines_of(fixture_log(f), "dropped ("), 4);
}

static void load_once(void *arg)
{
    fixture *f = arg;
    weir_service *service = NULL;
    int status = weir_service_load(f->runtime, fixture_path(f, "service.json"), NULL, NULL, &service);
    if (status != 0)
        assert_code(status, UV_ENOMEM);
    assert_int_equal(service == NULL, status != 0);
    assert_code(weir_service_free(service), 0);
}

static void a_service_with_a_list_survives_every_failing_allocation(void **state)
{
    fixture *f = *state;
    served *service = served_load(f, SERVICE("\"blockList\": [\"10.0.0.0/8\", \"::1-::9\"]"));
    assert_string_equal(service->faults, "");
    served_stop(service, 1);
    assert_true(allocator_fail_each(load_once, f) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(BN_09_a_blocked_arrival_is_dropped_and_told_of),
        FIXTURE_TEST(BN_09_whoever_is_not_named_is_served),
        FIXTURE_TEST(BN_09_the_list_is_asked_before_the_limit),
        FIXTURE_TEST(BN_09_BL_16_an_ipv4_rule_holds_on_a_dual_stack_socket),
        OVER_IPC(BN_09_paths_are_on_no_list),
        OVER_MEM(BN_09_paths_are_on_no_list),
        FIXTURE_TEST(BN_09_the_list_changes_at_run_time),
        FIXTURE_TEST(BN_09_a_drop_listener_may_do_anything),
        FIXTURE_TEST(BN_09_an_endpoint_to_listen_at_may_bring_a_list),
        FIXTURE_TEST(BL_02_a_blocked_address_is_not_connected_to),
        FIXTURE_TEST(BL_02_other_addresses_are),
        FIXTURE_TEST(BL_16_a_mapped_address_is_blocked_as_the_one_it_stands_for),
        FIXTURE_TEST(BL_02_an_endpoint_s_list_comes_on_top),
        FIXTURE_TEST(BL_02_CONN_06_a_second_life_has_the_stream_s_list_and_its_own_endpoint_s),
        FIXTURE_TEST(BL_02_a_stream_of_a_server_keeps_the_list_it_was_made_with),
        FIXTURE_TEST(without_memory_there_is_no_stream_rather_than_one_without_its_list),
        FIXTURE_TEST(BN_09_a_service_drops_whom_its_file_names),
        FIXTURE_TEST(BN_09_a_flood_of_drops_is_a_few_lines_that_count_them),
        FIXTURE_TEST(a_service_with_a_list_survives_every_failing_allocation),
    };
    fixture_preload("echo");
    return cmocka_run_group_tests_name("block lists at work", tests, NULL, NULL);
}
