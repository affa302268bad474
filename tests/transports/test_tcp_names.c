/* SPDX-License-Identifier: MIT */
/*
 * TCP and host names. The resolver is the test's own: libuv calls getaddrinfo, and finds the one below. So a name has
 * the addresses that a test wants, and an answer comes when the test lets it.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "raw_peer.h"
#include "refusal.h"
#include "resolver.h"

#define ANSWERS_MOST 4

typedef struct name_entry {
    const char *name;
    int code; /* of getaddrinfo */
    const char *answers[ANSWERS_MOST];
} name_entry;

static const name_entry names[] = {
    {"both.test", 0, {"127.0.0.1", "::1"}}, {"four.test", 0, {"127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"}},
    {"one.test", 0, {"127.0.0.1"}},         {"nothing.test", EAI_NONAME, {NULL}},
    {"later.test", EAI_AGAIN, {NULL}},      {NULL, EAI_NONAME, {NULL}},
};

static uv_mutex_t lock;
static uv_cond_t changed;
static int held;          /* answers wait */
static int asked;         /* questions that have come */
static int last_flags;    /* of the last question */
static int empty_by_flag; /* AI_ADDRCONFIG leaves nothing */

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the names in the C library are reserved ones */
WEIR_EXPORT int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                            struct addrinfo **result)
{
    const name_entry *entry = names;
    size_t i;

    (void)service;
    uv_mutex_lock(&lock);
    asked++;
    last_flags = hints->ai_flags;
    uv_cond_broadcast(&changed);
    while (held)
        uv_cond_wait(&changed, &lock);
    i = (size_t)(empty_by_flag && hints->ai_flags & AI_ADDRCONFIG);
    uv_mutex_unlock(&lock);
    *result = NULL;
    while (entry->name && strcmp(entry->name, node) != 0)
        entry++;
    if (i || entry->code)
        return i ? EAI_NONAME : entry->code;
    for (; i < ANSWERS_MOST && entry->answers[i]; i++)
        resolver_answer(result, entry->answers[i], hints->ai_family);
    return *result ? 0 : EAI_NONAME;
}

static void hold_answers(int on)
{
    uv_mutex_lock(&lock);
    held = on;
    uv_cond_broadcast(&changed);
    uv_mutex_unlock(&lock);
}

/* Until a thread is inside the resolver: from then on the question cannot be taken back. */
static void wait_for_question(int count)
{
    uv_mutex_lock(&lock);
    while (asked < count)
        uv_cond_wait(&changed, &lock);
    uv_mutex_unlock(&lock);
}

static int setup(void **state)
{
    held = 0;
    asked = 0;
    empty_by_flag = 0;
    return fixture_setup(state);
}

#define NAMES_TEST(function) cmocka_unit_test_setup_teardown(function, setup, fixture_teardown)

/* ---- */

static void net_SOCK_36_to_41_look_up_then_attempt_then_connect(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen_alone(f, "127.0.0.1");
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://one.test:%d", raw_port_of(server)), NULL);

    recorder_expect(p.client, "resume lookup:ok connectionAttempt connect ready");
    assert_int_equal(asked, 1); /* CONN-19 */
}

static void net_SOCK_41_no_look_up_for_an_address(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen_alone(f, "127.0.0.1");
    pair p = fixture_connect(f, server, NULL, NULL);

    recorder_expect(p.client, "resume connectionAttempt connect ready");
    assert_int_equal(asked, 0);
}

typedef struct attempts {
    char text[512];
    char host[64];
} attempts;

static void on_attempt(const weir_event *event, void *arg)
{
    attempts *seen = arg;
    size_t length = strlen(seen->text);
    char address[WEIR_ADDRESS_TEXT_SIZE];

    weir_address_ip(event->address, address, sizeof(address));
    snprintf(seen->text + length, sizeof(seen->text) - length, "%s%s", length ? " " : "", address);
}

static void on_lookup(const weir_event *event, void *arg)
{
    attempts *seen = arg;

    snprintf(seen->host, sizeof(seen->host), "%s", event->host);
}

/* Nobody listens on the port: every address is refused in turn. */
static recorder *refused_client(fixture *f, const char *host, uint16_t port, attempts *seen)
{
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    recorder *client = record_stream(f, stream, RECORD_DATA);

    weir_stream_release(stream);
    weir_stream_on(stream, WEIR_EVENT_CONNECTION_ATTEMPT, on_attempt, seen);
    weir_stream_on(stream, WEIR_EVENT_LOOKUP, on_lookup, seen);
    assert_code(recorder_connect(client, fixture_text(f, "tcp://%s:%d", host, port)), 0);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    return client;
}

static void net_CONN_27_A_10_families_alternate_ipv6_first(void **state)
{
    attempts seen = {"", ""};
    recorder *client = refused_client(*state, "four.test", fixture_port(*state), &seen);

    assert_string_equal(seen.text, "::1 127.0.0.1 127.0.0.2 127.0.0.3");
    assert_string_equal(seen.host, "four.test");
    assert_int_equal(client->counts[WEIR_EVENT_LOOKUP], 4);
}

static void net_CONN_31_BN_02_the_error_names_every_address(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    attempts seen = {"", ""};
    uint16_t port = fixture_port(f);
    recorder *client = refused_client(f, "both.test", port, &seen);
    const weir_error *error = weir_stream_errored(client->stream);

    assert_code(error->code, UV_ECONNREFUSED);
    assert_int_equal(error->error_count, 2);
    assert_string_equal(error->errors[0]->address, "::1");
    assert_string_equal(error->errors[1]->address, "127.0.0.1");
    assert_string_equal(
        error->message,
        fixture_text(f,
                     "connect tcp://both.test:%d: connect tcp://[::1]:%d: connection refused (ECONNREFUSED); "
                     "connect tcp://127.0.0.1:%d: connection refused (ECONNREFUSED)",
                     port, port, port));
}

static void net_CONN_31_one_address_gives_its_plain_error(void **state)
{
    attempts seen = {"", ""};
    recorder *client = refused_client(*state, "one.test", fixture_port(*state), &seen);
    const weir_error *error = weir_stream_errored(client->stream);

    assert_int_equal(error->error_count, 0);
    assert_string_equal(error->syscall, "connect");
}

static void net_CONN_26_CONN_30_the_next_address_is_tried(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    weir_server *server = fixture_listen_alone(f, "127.0.0.1");
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://both.test:%d", raw_port_of(server)), NULL);

    recorder_expect(p.client, "resume lookup:ok lookup:ok connectionAttempt connectionAttemptFailed:ECONNREFUSED "
                              "connectionAttempt connect ready");
}

static weir_stream_options without(const char *first, const char *second)
{
    weir_stream_options options;

    weir_stream_options_init(&options);
    options.block_list = weir_blocklist_new();
    assert_code(weir_blocklist_add_rule(options.block_list, first), 0);
    assert_code(weir_blocklist_add_rule(options.block_list, second), 0);
    return options;
}

static void net_BL_02_CONN_26_blocked_addresses_are_passed_over(void **state)
{
    fixture *f = *state;
    weir_stream_options options = without("::1", "127.0.0.1-127.0.0.2");
    weir_server *server = fixture_listen_alone(f, "127.0.0.3");
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://four.test:%d", raw_port_of(server)), &options);

    recorder_expect(p.client, "resume lookup:ok lookup:ok lookup:ok lookup:ok "
                              "connectionAttempt connectionAttemptFailed:ERR_IP_BLOCKED "
                              "connectionAttempt connectionAttemptFailed:ERR_IP_BLOCKED "
                              "connectionAttempt connectionAttemptFailed:ERR_IP_BLOCKED "
                              "connectionAttempt connect ready");
    weir_blocklist_release(options.block_list);
}

static void net_BL_02_CONN_31_all_addresses_are_blocked(void **state)
{
    fixture *f = *state;
    weir_stream_options options = without("127.0.0.0/8", "::1");
    recorder *client = fixture_client(f, "tcp://both.test:80", &options);
    const weir_error *error;

    weir_blocklist_release(options.block_list);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    error = weir_stream_errored(client->stream);
    assert_code(error->code, WEIR_EIP_BLOCKED);
    assert_int_equal(error->error_count, 2);
    assert_string_equal(error->message,
                        "connect tcp://both.test:80: connect tcp://[::1]:80: the address is on the block "
                        "list (ERR_IP_BLOCKED); connect tcp://127.0.0.1:80: the address is on the block "
                        "list (ERR_IP_BLOCKED)");
}

static void net_CONN_25_CONN_29_only_the_first_address(void **state)
{
    fixture *f = *state;
    static const char *const options[] = {"autoSelectFamily=false", "family=4", "localAddress=127.0.0.1"};
    weir_server *server = fixture_listen_alone(f, "127.0.0.2");
    size_t i;

    for (i = 0; i < 3; i++) {
        recorder *client =
            fixture_client(f, fixture_text(f, "tcp://four.test:%d?%s", raw_port_of(server), options[i]), NULL);

        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_int_equal(client->counts[WEIR_EVENT_CONNECTION_ATTEMPT], 1);
        assert_int_equal(client->counts[WEIR_EVENT_LOOKUP], 1);
        assert_true(recorder_saw(client, "error:ECONNREFUSED"));
    }
}

static void net_BN_01_CONN_28_a_silent_address_does_not_hold_up_the_next(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    weir_server *server = fixture_listen_alone(f, "127.0.0.1");
    uint16_t port = raw_port_of(server);
    raw_silent silent = raw_silence("::1", port);
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://both.test:%d?autoSelectFamilyAttemptTimeout=20ms", port),
                             NULL);

    recorder_expect(p.client, "resume lookup:ok lookup:ok connectionAttempt connectionAttemptTimeout "
                              "connectionAttempt connect ready");
    raw_end_silence(&silent);
}

static void net_SOCM_09_destroyed_with_an_attempt_and_its_timer_under_way(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    uint16_t port = fixture_port(f);
    raw_silent silent = raw_silence("::1", port);
    recorder *client =
        fixture_client(f, fixture_text(f, "tcp://both.test:%d?autoSelectFamilyAttemptTimeout=60000", port), NULL);

    recorder_wait(client, WEIR_EVENT_CONNECTION_ATTEMPT);
    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    fixture_turns(f, 20);
    recorder_expect(client, "resume lookup:ok lookup:ok connectionAttempt close");
    assert_int_equal(client->counts[WEIR_EVENT_CONNECTION_ATTEMPT], 1);
    raw_end_silence(&silent);
}

static void net_SOCK_37_CONN_21_a_name_that_is_not_known(void **state)
{
    fixture *f = *state;
    recorder *client = fixture_client(f, "tcp://nothing.test:80", NULL);
    const weir_error *error;

    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume lookup:ENOTFOUND error:ENOTFOUND close:error");
    error = weir_stream_errored(client->stream);
    assert_string_equal(error->syscall, "getaddrinfo");
    assert_string_equal(error->message, "getaddrinfo nothing.test: no such host name (ENOTFOUND)");
}

static void net_SOCK_37_a_resolver_that_is_out_of_order(void **state)
{
    recorder *client = fixture_client(*state, "tcp://later.test:80", NULL);

    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_code(weir_stream_errored(client->stream)->code, UV_EAI_AGAIN);
    assert_int_equal(asked, 1);
}

static void net_A_26_ADDRCONFIG_is_given_up_when_it_leaves_nothing(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen_alone(f, "127.0.0.1");

    empty_by_flag = 1;
    fixture_connect(f, server, fixture_text(f, "tcp://one.test:%d", raw_port_of(server)), NULL);
    assert_int_equal(asked, 2);
    assert_int_equal(last_flags & AI_ADDRCONFIG, 0);
}

static void net_CONN_17_hints_are_passed_on(void **state)
{
    fixture *f = *state;
    recorder *client = fixture_client(f, "tcp://nothing.test:80?hints=8", NULL);
    weir_endpoint *endpoint = NULL;

    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(last_flags, AI_V4MAPPED);
    assert_int_equal(asked, 1);
    assert_code(weir_endpoint_parse(f->runtime, "tcp://nothing.test:80?hints=4", WEIR_CLIENT, NULL, &endpoint, NULL),
                WEIR_EINVALID_CONFIG);
}

/* ---- answers that come late ---- */

static void net_law_8_close_does_not_wait_for_the_resolver(void **state)
{
    fixture *f = *state;
    recorder *client = fixture_client(f, "tcp://one.test:80", NULL);

    hold_answers(1);
    fixture_turns(f, 1);
    wait_for_question(1);
    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume close");
    hold_answers(0);
    fixture_run(f);
}

static void net_law_8_an_answer_after_the_runtimes_end_finds_nothing(void **state)
{
    fixture *f = *state;

    hold_answers(1);
    fixture_client(f, "tcp://one.test:80", NULL);
    fixture_turns(f, 1);
    wait_for_question(1);
    fixture_end(f);
    hold_answers(0);
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void on_closed(const weir_event *event, void *arg)
{
    (void)event;
    *(int *)arg = 1;
}

static void on_never(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
    fail_msg("a closed server must not listen");
}

static void net_SRV_27_closed_while_its_name_is_looked_up(void **state)
{
    fixture *f = *state;
    weir_server *server = weir_server_new(f->runtime, NULL);
    int closed = 0;

    hold_answers(1);
    weir_server_on(server, WEIR_EVENT_CLOSE, on_closed, &closed);
    assert_code(weir_server_listen(server, "tcp://one.test:0", on_never, NULL), 0);
    wait_for_question(1);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    fixture_until(f, &closed);
    hold_answers(0);
    fixture_run(f);
    weir_server_release(server);
}

static void net_SRV_66_a_server_on_a_name(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://four.test:0", NULL);
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];

    assert_code(weir_server_address(server, &address), 0);
    weir_address_ip(&address, text, sizeof(text));
    assert_string_equal(text, "127.0.0.1");
}

static void net_SRV_66_SRV_11_a_server_on_a_name_that_is_not_known(void **state)
{
    fixture *f = *state;
    weir_server *server = weir_server_new(f->runtime, NULL);
    refusal refused = {0};

    weir_server_on(server, WEIR_EVENT_ERROR, refusal_on_error, &refused);
    assert_code(weir_server_listen(server, "tcp://nothing.test:0", NULL, NULL), 0);
    fixture_until(f, &refused.done);
    assert_string_equal(weir_error_name(refused.code), "ENOTFOUND");
    assert_string_equal(refused.syscall, "getaddrinfo");
    weir_server_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES_TEST(net_SOCK_36_to_41_look_up_then_attempt_then_connect),
        NAMES_TEST(net_SOCK_41_no_look_up_for_an_address),
        NAMES_TEST(net_CONN_27_A_10_families_alternate_ipv6_first),
        NAMES_TEST(net_CONN_31_BN_02_the_error_names_every_address),
        NAMES_TEST(net_CONN_31_one_address_gives_its_plain_error),
        NAMES_TEST(net_CONN_26_CONN_30_the_next_address_is_tried),
        NAMES_TEST(net_BL_02_CONN_26_blocked_addresses_are_passed_over),
        NAMES_TEST(net_BL_02_CONN_31_all_addresses_are_blocked),
        NAMES_TEST(net_CONN_25_CONN_29_only_the_first_address),
        NAMES_TEST(net_BN_01_CONN_28_a_silent_address_does_not_hold_up_the_next),
        NAMES_TEST(net_SOCM_09_destroyed_with_an_attempt_and_its_timer_under_way),
        NAMES_TEST(net_SOCK_37_CONN_21_a_name_that_is_not_known),
        NAMES_TEST(net_SOCK_37_a_resolver_that_is_out_of_order),
        NAMES_TEST(net_A_26_ADDRCONFIG_is_given_up_when_it_leaves_nothing),
        NAMES_TEST(net_CONN_17_hints_are_passed_on),
        NAMES_TEST(net_law_8_close_does_not_wait_for_the_resolver),
        NAMES_TEST(net_law_8_an_answer_after_the_runtimes_end_finds_nothing),
        NAMES_TEST(net_SRV_27_closed_while_its_name_is_looked_up),
        NAMES_TEST(net_SRV_66_a_server_on_a_name),
        NAMES_TEST(net_SRV_66_SRV_11_a_server_on_a_name_that_is_not_known),
    };

    uv_mutex_init(&lock);
    uv_cond_init(&changed);
    return cmocka_run_group_tests_name("tcp_names", tests, NULL, NULL);
}
