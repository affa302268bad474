/* SPDX-License-Identifier: MIT */
/* Connecting where the network is to blame: black holes, slow ways, dead ends. Names come from a real resolver. */
#define _GNU_SOURCE

#include <netinet/tcp.h>
#include <stdio.h>

#include "peers.h"

#define SILENT_PORT 4000 /* whatever is sent there is lost */

/* Once a host, every SYN to this address is lost the first time, and arrives when it is repeated a second later. */
static void slow_down(const char *family, const char *address)
{
    netns_filter("out", "%s daddr %s tcp flags & (syn|ack) == syn numgen inc mod 100 == 0 drop", family, address);
}

static void use_names(void)
{
    netns_hosts(NETNS_FAR_IPV6 " both.test\n" NETNS_FAR_IPV4 " both.test\n"
                               "::1 here.test\n127.0.0.1 here.test\n" NETNS_FAR_IPV6 " all.test\n" NETNS_FAR_IPV4
                               " all.test\n" NETNS_NOBODY " all.test\n" NETNS_NO_ROUTE " all.test\n");
}

/* The near host soon knows that nobody has an address, and soon gives up asking. */
static void lose_hope_soon(void)
{
    netns_set("ipv4/neigh/near/retrans_time_ms", "20");
    netns_set("ipv4/neigh/near/mcast_solicit", "1");
    netns_set("ipv4/neigh/near/ucast_solicit", "1");
    netns_set("ipv4/tcp_syn_retries", "1");
    netns_set("ipv4/tcp_syn_linear_timeouts", "0");
}

typedef struct pending {
    size_t ipv6; /* attempts over IPv6 that are under way when one over IPv4 begins */
    int seen;
} pending;

static void on_attempt(const weir_event *event, void *arg)
{
    pending *found = arg;
    if (event->address->family == WEIR_FAMILY_IPV4) {
        found->ipv6 = netns_count(TCP_SYN_SENT, NETNS_FAR_IPV6);
        found->seen = 1;
    }
}

static void net_BN_01_a_black_hole_goes_on_while_the_next_address_wins(void **state)
{
    fixture *f = *state;
    pending found = {0};
    weir_server *server = far_server(f, NULL);
    netns_filter("out", "ip6 daddr " NETNS_FAR_IPV6 " meta l4proto tcp drop");
    recorder *client = fixture_client(
        f, fixture_text(f, "tcp://both.test:%u?autoSelectFamilyAttemptTimeout=20", raw_port_of(server)), NULL);
    weir_stream_on(client->stream, WEIR_EVENT_CONNECTION_ATTEMPT, on_attempt, &found);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_expect(client, "resume lookup:ok lookup:ok connectionAttempt connectionAttemptTimeout connectionAttempt "
                            "connect ready");
    assert_int_equal(found.seen, 1);
    assert_int_equal(found.ipv6, 1);
    fixture_turns(f, 2);
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV6), 0);
}

/* Who gives an attempt up when its time has passed never gets there: the only way that works takes a second. */
static void net_BN_01_a_slow_address_wins_when_the_next_is_a_black_hole(void **state)
{
    fixture *f = *state;
    weir_address remote;
    weir_server *server = far_server(f, NULL);
    slow_down("ip6", NETNS_FAR_IPV6);
    netns_filter("out", "ip daddr " NETNS_FAR_IPV4 " meta l4proto tcp drop");
    recorder *client = fixture_client(
        f, fixture_text(f, "tcp://both.test:%u?autoSelectFamilyAttemptTimeout=20", raw_port_of(server)), NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_expect(client, "resume lookup:ok lookup:ok connectionAttempt connectionAttemptTimeout connectionAttempt "
                            "connect ready");
    assert_code(weir_stream_remote_address(client->stream, &remote), 0);
    assert_int_equal(remote.family, WEIR_FAMILY_IPV6);
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV4), 0);
    recorder_write(client, "hello", 5);
    recorder_wait_data(fixture_accepted(f, server, 0), 5);
}

static void net_BN_01_two_slow_addresses_give_one_connection(void **state)
{
    fixture *f = *state;
    weir_server *server = far_server(f, NULL);
    slow_down("ip6", NETNS_FAR_IPV6);
    slow_down("ip", NETNS_FAR_IPV4);
    recorder *client = fixture_client(
        f, fixture_text(f, "tcp://both.test:%u?autoSelectFamilyAttemptTimeout=10", raw_port_of(server)), NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_write(client, "hello", 5);
    recorder_wait_writes(client, 1);
    recorder_expect(client, "resume lookup:ok lookup:ok connectionAttempt connectionAttemptTimeout connectionAttempt "
                            "connect ready w1");
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV6) + netns_count(TCP_SYN_SENT, NETNS_FAR_IPV4), 0);
}

/* Every address but the last is given its time; the last one has as long as the whole connect has. */
static void net_CONN_28_the_last_attempt_has_no_time_of_its_own(void **state)
{
    fixture *f = *state;
    netns_filter("out", "tcp dport %d drop", SILENT_PORT);
    recorder *client =
        fixture_client(f, fixture_text(f, "tcp://both.test:%d?autoSelectFamilyAttemptTimeout=10", SILENT_PORT), NULL);
    recorder_wait(client, WEIR_EVENT_CONNECTION_ATTEMPT_TIMEOUT);
    let_pass(f, 60);
    recorder_expect(client, "resume lookup:ok lookup:ok connectionAttempt connectionAttemptTimeout connectionAttempt");
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV6), 1);
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV4), 1);
    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV6), 0);
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV4), 0);
}

static void net_BN_14_connect_timeout_ends_all_attempts_in_a_black_hole(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.connect_timeout = 300;
    netns_filter("out", "tcp dport %d drop", SILENT_PORT);
    recorder *client = fixture_client(
        f, fixture_text(f, "tcp://both.test:%d?autoSelectFamilyAttemptTimeout=10", SILENT_PORT), &options);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_code(weir_stream_errored(client->stream)->code, UV_ETIMEDOUT);
    assert_non_null(strstr(weir_stream_errored(client->stream)->message, "both.test"));
    assert_int_equal(client->counts[WEIR_EVENT_CONNECT], 0);
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV6), 0);
    assert_int_equal(netns_count(TCP_SYN_SENT, NETNS_FAR_IPV4), 0);
}

/* ---- what the system answers ---- */

static void expect_answer(const recorder *client, int code, const char *address)
{
    const weir_error *error = weir_stream_errored(client->stream);
    assert_non_null(error);
    assert_code(error->code, code);
    assert_string_equal(error->syscall, "connect");
    assert_string_equal(error->address, address);
    assert_int_equal(error->error_count, 0);
}

static void net_CONN_45_unreachable_and_silent_hosts(void **state)
{
    fixture *f = *state;
    lose_hope_soon();
    netns_filter("out", "tcp dport %d drop", SILENT_PORT);
    recorder *silent = fixture_client(f, fixture_text(f, "tcp://" NETNS_FAR_IPV4 ":%d", SILENT_PORT), NULL);
    recorder *silent6 = fixture_client(f, fixture_text(f, "tcp://[" NETNS_FAR_IPV6 "]:%d", SILENT_PORT), NULL);
    recorder *nobody = fixture_client(f, "tcp://" NETNS_NOBODY ":80", NULL);
    recorder *no_route = fixture_client(f, "tcp://" NETNS_NO_ROUTE ":80", NULL);
    recorder_wait(no_route, WEIR_EVENT_CLOSE);
    expect_answer(no_route, UV_ENETUNREACH, NETNS_NO_ROUTE);
    recorder_wait(nobody, WEIR_EVENT_CLOSE);
    expect_answer(nobody, UV_EHOSTUNREACH, NETNS_NOBODY);
    recorder_wait(silent, WEIR_EVENT_CLOSE);
    expect_answer(silent, UV_ETIMEDOUT, NETNS_FAR_IPV4);
    recorder_wait(silent6, WEIR_EVENT_CLOSE);
    expect_answer(silent6, UV_ETIMEDOUT, NETNS_FAR_IPV6);
}

/* A router that says so is believed at once. */
static void net_CONN_45_answers_of_routers(void **state)
{
    static const struct {
        const char *kind;
        int code;
    } answers[] = {{"host-unreachable", UV_EHOSTUNREACH},
                   {"net-unreachable", UV_ENETUNREACH},
                   {"port-unreachable", UV_ECONNREFUSED}};
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        unsigned port = SILENT_PORT + 1 + (unsigned)i;
        netns_go(NETNS_FAR);
        netns_filter("in", "tcp dport %u reject with icmp type %s", port, answers[i].kind);
        netns_go(NETNS_NEAR);
        recorder *client = fixture_client(f, fixture_text(f, "tcp://" NETNS_FAR_IPV4 ":%u", port), NULL);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        expect_answer(client, answers[i].code, NETNS_FAR_IPV4);
    }
}

static int code_of(const weir_error *error, const char *address)
{
    for (size_t i = 0; i < error->error_count; i++) {
        if (strcmp(error->errors[i]->address, address) == 0)
            return error->errors[i]->code;
    }
    return 0;
}

/* userTimeout bounds the connect too: its second SYN is the last. */
static void net_BN_02_the_error_names_every_address_and_its_answer(void **state)
{
    fixture *f = *state;
    lose_hope_soon();
    netns_filter("out", "ip daddr " NETNS_FAR_IPV4 " tcp dport %d drop", SILENT_PORT);
    recorder *client = fixture_client(
        f, fixture_text(f, "tcp://all.test:%d?autoSelectFamilyAttemptTimeout=10&userTimeout=100", SILENT_PORT), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    const weir_error *error = weir_stream_errored(client->stream);
    assert_int_equal(error->error_count, 4);
    assert_code(error->code, error->errors[0]->code);
    assert_string_equal(error->errors[0]->address, NETNS_FAR_IPV6);
    assert_code(code_of(error, NETNS_FAR_IPV6), UV_ECONNREFUSED);
    assert_code(code_of(error, NETNS_FAR_IPV4), UV_ETIMEDOUT);
    assert_code(code_of(error, NETNS_NOBODY), UV_EHOSTUNREACH);
    assert_code(code_of(error, NETNS_NO_ROUTE), UV_ENETUNREACH);
    assert_string_equal(error->message, fixture_text(f, "connect tcp://all.test:%d: %s; %s; %s; %s", SILENT_PORT,
                                                     error->errors[0]->message, error->errors[1]->message,
                                                     error->errors[2]->message, error->errors[3]->message));
}

/* ---- descriptors ---- */

#define REFUSED_MOST    1000
#define REFUSED_AT_ONCE 20

typedef struct refusals {
    fixture *fixture;
    weir_endpoint *endpoint;
    int begun;
    int closed;
    int other; /* not refused by both addresses */
    int done;
} refusals;

static void connect_once(refusals *all);

static void on_refused(const weir_event *event, void *arg)
{
    refusals *all = arg;
    all->other += event->error->code != UV_ECONNREFUSED || event->error->error_count != 2;
}

static void on_closed(const weir_event *event, void *arg)
{
    refusals *all = arg;
    (void)event;
    all->closed++;
    all->done = all->closed == REFUSED_MOST;
    if (all->begun < REFUSED_MOST)
        connect_once(all);
}

static void connect_once(refusals *all)
{
    weir_stream *stream = weir_stream_new(all->fixture->runtime, NULL);
    assert_non_null(stream);
    all->begun++;
    assert_code(weir_stream_on(stream, WEIR_EVENT_ERROR, on_refused, all), 0);
    assert_code(weir_stream_on(stream, WEIR_EVENT_CLOSE, on_closed, all), 0);
    assert_code(weir_stream_connect_endpoint(stream, all->endpoint, NULL, NULL), 0);
    weir_stream_release(stream);
}

static void net_BN_03_a_thousand_refused_connects_leave_no_descriptor(void **state)
{
    fixture *f = *state;
    refusals all = {.fixture = f};
    int before = fixture_descriptors();
    assert_code(weir_endpoint_parse(f->runtime, "tcp://here.test:1", WEIR_CLIENT, NULL, &all.endpoint, NULL), 0);
    for (int i = 0; i < REFUSED_AT_ONCE; i++)
        connect_once(&all);
    fixture_until(f, &all.done);
    weir_endpoint_release(all.endpoint);
    assert_int_equal(all.other, 0);
    assert_int_equal(fixture_descriptors(), before);
}

static int setup(void **state)
{
    int status = netns_setup(state);
    use_names();
    return status;
}

#define NAMES_TEST(function) cmocka_unit_test_setup_teardown(function, setup, netns_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES_TEST(net_BN_01_a_black_hole_goes_on_while_the_next_address_wins),
        NAMES_TEST(net_BN_01_a_slow_address_wins_when_the_next_is_a_black_hole),
        NAMES_TEST(net_BN_01_two_slow_addresses_give_one_connection),
        NAMES_TEST(net_CONN_28_the_last_attempt_has_no_time_of_its_own),
        NAMES_TEST(net_BN_14_connect_timeout_ends_all_attempts_in_a_black_hole),
        NAMES_TEST(net_CONN_45_unreachable_and_silent_hosts),
        NAMES_TEST(net_CONN_45_answers_of_routers),
        NAMES_TEST(net_BN_02_the_error_names_every_address_and_its_answer),
        NAMES_TEST(net_BN_03_a_thousand_refused_connects_leave_no_descriptor),
    };
    return NETNS_RUN_TESTS("happy_eyeballs", tests);
}
