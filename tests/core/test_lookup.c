/* SPDX-License-Identifier: MIT */
/* Names that the application resolves: every way to answer, the addresses tried, and answers that nobody waits for. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../transports/raw_peer.h"
#include "over.h"

#define ANSWERS_MOST 4

/* The application's resolver: notes what it is asked, and answers in the call, or keeps the question. */
typedef struct resolver {
    const char *answers[ANSWERS_MOST]; /* up to a NULL */
    int keep;
    int asked;
    char host[64];
    weir_lookup_options options;
    weir_lookup *question; /* kept */
    weir_stream *destroy;  /* in the call, before the answer */
} resolver;

static size_t read_answers(const resolver *r, weir_address *addresses)
{
    size_t count = 0;
    while (count < ANSWERS_MOST && r->answers[count] != NULL) {
        assert_code(weir_address_from_ip(&addresses[count], r->answers[count], 9), 0); /* the port counts for nothing */
        count++;
    }
    return count;
}

static void answer(const resolver *r, weir_lookup *lookup)
{
    weir_address addresses[ANSWERS_MOST];
    weir_lookup_answer(lookup, addresses, read_answers(r, addresses));
}

static void resolve(weir_lookup *lookup, const char *host, const weir_lookup_options *options, void *arg)
{
    resolver *r = arg;
    r->asked++;
    r->options = *options;
    snprintf(r->host, sizeof(r->host), "%s", host);
    assert_int_equal(weir_lookup_cancelled(lookup), 0);
    if (r->destroy != NULL) {
        weir_stream_destroy(r->destroy, NULL);
        assert_int_equal(weir_lookup_cancelled(lookup), 1);
    }
    if (r->keep) {
        r->question = lookup;
    } else {
        answer(r, lookup);
    }
}

static recorder *client_of(fixture *f, resolver *r, const char *endpoint)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.lookup = resolve;
    options.lookup_arg = r;
    return fixture_client(f, endpoint, &options);
}

static weir_server *local_server(fixture *f)
{
    return fixture_listen_alone(f, "127.0.0.1");
}

static const char *named(fixture *f, const weir_server *server, const char *options)
{
    return fixture_text(f, "tcp://some.test:%d%s", raw_port_of(server), options);
}

/* Turns until the question has been asked and kept. */
static void wait_for_question(fixture *f, const resolver *r)
{
    for (int i = 0; i < OVER_TURNS && r->question == NULL; i++) {
        fixture_turns(f, 1);
    }
    assert_non_null(r->question);
}

/* ---- asking ---- */

static void CONN_18_CONN_20_CONN_17_what_is_asked(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *options;
        weir_lookup_options expected;
    } cases[] = {
        {"", {0, AI_ADDRCONFIG, 1}},
        {"?autoSelectFamily=false", {0, AI_ADDRCONFIG, 0}},
        {"?family=4", {4, 0, 0}},
        {"?family=4&autoSelectFamily=true&hints=8", {4, AI_V4MAPPED, 0}},
        {"?hints=24", {0, AI_V4MAPPED | AI_ALL, 1}},
        {"?localAddress=127.0.0.1", {4, 0, 0}},
    };
    weir_server *server = local_server(f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        resolver r = {.answers = {"127.0.0.1"}};
        recorder *client = client_of(f, &r, named(f, server, cases[i].options));
        recorder_wait(client, WEIR_EVENT_READY);
        assert_int_equal(r.asked, 1);
        assert_string_equal(r.host, "some.test");
        assert_int_equal(r.options.family, cases[i].expected.family);
        assert_int_equal(r.options.hints, cases[i].expected.hints);
        assert_int_equal(r.options.all, cases[i].expected.all);
    }
}

static void CONN_19_asked_once_and_not_for_an_address(void **state)
{
    fixture *f = *state;
    weir_server *server = local_server(f);
    resolver r = {.answers = {"127.0.0.1"}};
    recorder *client = client_of(f, &r, fixture_url(f, server));
    recorder_wait(client, WEIR_EVENT_READY);
    assert_int_equal(r.asked, 0);
    assert_int_equal(client->counts[WEIR_EVENT_LOOKUP], 0); /* SOCK-41 */
    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_code(recorder_connect(client, named(f, server, "")), 0); /* the second life has the resolver still */
    while (client->counts[WEIR_EVENT_READY] < 2) {
        fixture_turns(f, 1);
    }
    assert_int_equal(r.asked, 1);
}

/* ---- answering ---- */

typedef struct seen {
    char text[256];
} seen;

static void note_lookup(const weir_event *event, void *arg)
{
    seen *s = arg;
    char address[WEIR_ADDRESS_TEXT_SIZE];
    size_t length = strlen(s->text);
    weir_address_format(event->address, address, sizeof(address));
    snprintf(s->text + length, sizeof(s->text) - length, "%s %d %s;", address, (int)event->address->family,
             event->host);
}

/* SOCK-47: the recorder's listeners and this one are attached after the call. */
static void SOCK_47_SOCK_36_SOCK_38_SOCK_39_SOCK_40_an_answer_inside_the_call(void **state)
{
    fixture *f = *state;
    weir_server *server = local_server(f);
    resolver r = {.answers = {"127.0.0.1"}};
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.lookup = resolve;
    options.lookup_arg = &r;
    int error = 1;
    seen lookups = {""};
    weir_stream *stream = weir_connect(f->runtime, named(f, server, ""), &options, NULL, NULL, &error);
    assert_code(error, 0);
    recorder *client = record_stream(f, stream, RECORD_DATA);
    weir_stream_on(stream, WEIR_EVENT_LOOKUP, note_lookup, &lookups);
    weir_stream_release(stream);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_expect(client, "resume lookup:ok connectionAttempt connect ready");
    assert_string_equal(lookups.text, fixture_text(f, "127.0.0.1:%d 4 some.test;", raw_port_of(server)));
}

static void CONN_18_an_answer_later_and_no_event_inside_it(void **state)
{
    fixture *f = *state;
    weir_server *server = local_server(f);
    resolver r = {.answers = {"127.0.0.1"}, .keep = 1};
    recorder *client = client_of(f, &r, named(f, server, ""));
    wait_for_question(f, &r);
    recorder_expect(client, "resume");
    assert_int_equal(weir_stream_connecting(client->stream), 1);
    answer(&r, r.question);
    recorder_expect(client, "resume");
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_expect(client, "resume lookup:ok connectionAttempt connect ready");
}

static void answer_posted(void *arg)
{
    const resolver *r = arg;
    answer(r, r->question);
}

typedef struct worker {
    resolver *resolver;
    weir_runtime *runtime;
} worker;

static void work(void *arg)
{
    const worker *w = arg;
    if (weir_runtime_post(w->runtime, answer_posted, w->resolver) != 0) {
        abort();
    }
}

/* While a question is open the loop goes on, though nothing in it waits for anything. */
static void CONN_18_an_answer_from_a_thread(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int listener = raw_listen(&port, 4);
    resolver r = {.answers = {"127.0.0.1"}, .keep = 1};
    recorder *client = client_of(f, &r, fixture_text(f, "tcp://some.test:%d", port));
    wait_for_question(f, &r);
    assert_true(uv_loop_alive(&f->loop));
    worker w = {&r, f->runtime};
    uv_thread_t thread;
    assert_int_equal(uv_thread_create(&thread, work, &w), 0);
    recorder_wait(client, WEIR_EVENT_READY);
    uv_thread_join(&thread);
    close(listener);
}

static void answer_bad(const resolver *r, weir_lookup *lookup, int family)
{
    weir_address addresses[ANSWERS_MOST + 1];
    size_t count = read_answers(r, addresses);
    memset(&addresses[count], 0, sizeof(addresses[count]));
    addresses[count].family = (weir_family)family;
    weir_lookup_answer(lookup, addresses, count + 1);
}

/* A good address does not help where one is bad. */
static void CONN_21_bad_answers_fail_the_stream(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *options;
        const char *first; /* a good one before it */
        int family;
        int code;
    } cases[] = {
        {"", NULL, WEIR_FAMILY_NONE, WEIR_EINVALIDIPADDRESS},
        {"", NULL, WEIR_FAMILY_PATH, WEIR_EINVALIDIPADDRESS},
        {"", "127.0.0.1", WEIR_FAMILY_PATH, WEIR_EINVALIDIPADDRESS},
        {"", "::1", 5, WEIR_EINVALIDADDRESSFAMILY},
        {"?family=4", NULL, WEIR_FAMILY_IPV6, WEIR_EINVALIDADDRESSFAMILY},
        {"?family=6", NULL, WEIR_FAMILY_IPV4, WEIR_EINVALIDADDRESSFAMILY},
        {"?localAddress=127.0.0.1", NULL, WEIR_FAMILY_IPV6, WEIR_EINVALIDADDRESSFAMILY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        resolver r = {.answers = {cases[i].first}, .keep = 1};
        recorder *client = client_of(f, &r, fixture_text(f, "tcp://some.test:80%s", cases[i].options));
        wait_for_question(f, &r);
        answer_bad(&r, r.question, cases[i].family);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        const weir_error *error = weir_stream_errored(client->stream);
        assert_code(error->code, cases[i].code);
        assert_string_equal(error->syscall, "lookup");
        assert_string_equal(error->address, "some.test");
        recorder_expect(client, fixture_text(f, "resume lookup:%s error:%s close:error", error->name, error->name));
    }
}

static void CONN_21_the_others_are_not_looked_at_where_one_is_enough(void **state)
{
    fixture *f = *state;
    weir_server *server = local_server(f);
    resolver r = {.answers = {"127.0.0.1"}, .keep = 1};
    recorder *client = client_of(f, &r, named(f, server, "?autoSelectFamily=false"));
    wait_for_question(f, &r);
    answer_bad(&r, r.question, 5);
    recorder_wait(client, WEIR_EVENT_READY);
    assert_int_equal(client->counts[WEIR_EVENT_LOOKUP], 1);
}

static void CONN_21_no_address_is_ENOTFOUND(void **state)
{
    fixture *f = *state;
    for (int empty = 0; empty < 2; empty++) {
        resolver r = {.keep = 1};
        recorder *client = client_of(f, &r, "tcp://some.test:80");
        wait_for_question(f, &r);
        if (empty) {
            weir_lookup_answer(r.question, NULL, 0);
        } else {
            weir_lookup_fail(r.question, NULL);
        }
        recorder_wait(client, WEIR_EVENT_CLOSE);
        recorder_expect(client, "resume lookup:ENOTFOUND error:ENOTFOUND close:error");
        const weir_error *error = weir_stream_errored(client->stream);
        assert_code(error->code, UV_EAI_NONAME);
        assert_string_equal(error->syscall, "getaddrinfo"); /* as the system's resolver has it */
        assert_string_equal(error->message, "getaddrinfo some.test: no such host name (ENOTFOUND)");
    }
}

static void CONN_21_SOCK_37_the_resolvers_own_error(void **state)
{
    fixture *f = *state;
    resolver r = {.keep = 1};
    recorder *client = client_of(f, &r, "tcp://some.test:80");
    weir_error *own = weir_error_newf(UV_EAI_AGAIN, "dig", "some.test", -1, "the oracle sleeps");
    wait_for_question(f, &r);
    weir_lookup_fail(r.question, own);
    recorder_expect(client, "resume");
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume lookup:EAI_AGAIN error:EAI_AGAIN close:error");
    assert_ptr_equal(weir_stream_errored(client->stream), own);
    weir_error_release(own);
}

/* ---- several addresses ---- */

static const char *tried_of(fixture *f, const weir_stream *stream)
{
    const weir_address *tried = NULL;
    size_t count = weir_stream_attempted_addresses(stream, &tried);
    const char *text = "";
    for (size_t i = 0; i < count; i++) {
        char address[WEIR_ADDRESS_TEXT_SIZE];
        weir_address_ip(&tried[i], address, sizeof(address));
        text = fixture_text(f, "%s%s%s", text, i > 0 ? " " : "", address);
    }
    return text;
}

static void note_tried(const weir_event *event, void *arg)
{
    *(size_t *)arg = weir_stream_attempted_addresses(event->target_stream, NULL);
}

static void CONN_26_CONN_27_CONN_31_SOCP_01_all_are_tried_ipv6_first(void **state)
{
    fixture_skip_without_ipv6();
    fixture *f = *state;
    resolver r = {.answers = {"127.0.0.1", "127.0.0.2", "::1"}};
    size_t before_first = 0;
    recorder *client = client_of(f, &r, fixture_text(f, "tcp://some.test:%d", fixture_port(f)));
    weir_stream_once(client->stream, WEIR_EVENT_CONNECTION_ATTEMPT, note_tried, &before_first);
    assert_string_equal(tried_of(f, client->stream), "");
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(before_first, 1); /* the one that is being told of */
    assert_string_equal(tried_of(f, client->stream), "::1 127.0.0.1 127.0.0.2");
    assert_int_equal(client->counts[WEIR_EVENT_CONNECTION_ATTEMPT], 3);
    assert_int_equal(client->counts[WEIR_EVENT_CONNECTION_ATTEMPT_FAILED], 3);
    const weir_error *error = weir_stream_errored(client->stream);
    assert_code(error->code, UV_ECONNREFUSED);
    assert_int_equal(error->error_count, 3);
    assert_string_equal(error->errors[0]->address, "::1");
}

static void SOCP_02_CONN_30_the_last_one_tried_is_the_peer(void **state)
{
    fixture *f = *state;
    weir_server *server = local_server(f);
    resolver r = {.answers = {"127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.4"}};
    recorder *client = client_of(f, &r, named(f, server, ""));
    recorder_wait(client, WEIR_EVENT_READY);
    assert_string_equal(tried_of(f, client->stream), "127.0.0.2 127.0.0.3 127.0.0.1");
    const weir_address *tried = NULL;
    weir_address peer;
    assert_int_equal(weir_stream_attempted_addresses(client->stream, &tried), 3);
    assert_code(weir_stream_remote_address(client->stream, &peer), 0);
    assert_true(weir_address_equal(&tried[2], &peer));
    assert_false(recorder_saw(client, "error:ECONNREFUSED"));

    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(weir_stream_attempted_addresses(client->stream, NULL), 3); /* until it is connected again */
    assert_code(recorder_connect(client, fixture_url(f, server)), 0);
    assert_int_equal(weir_stream_attempted_addresses(client->stream, &tried), 0);
    assert_null(tried);
}

static void SOCP_01_CONN_25_CONN_29_no_list_where_nothing_was_selected(void **state)
{
    fixture *f = *state;
    static const char *const options[] = {"?autoSelectFamily=false", "?family=4", "?localAddress=127.0.0.1"};
    weir_server *server = local_server(f);
    for (size_t i = 0; i < 3; i++) {
        resolver r = {.answers = {"127.0.0.1", "127.0.0.2"}};
        recorder *client = client_of(f, &r, named(f, server, options[i]));
        recorder_wait(client, WEIR_EVENT_READY);
        assert_int_equal(client->counts[WEIR_EVENT_LOOKUP], 1);
        assert_int_equal(weir_stream_attempted_addresses(client->stream, NULL), 0);
    }
    resolver r = {.answers = {"127.0.0.1"}};
    recorder *one = client_of(f, &r, named(f, server, ""));
    recorder *literal = client_of(f, &r, fixture_url(f, server));
    recorder_wait(one, WEIR_EVENT_READY);
    recorder_wait(literal, WEIR_EVENT_READY);
    assert_int_equal(weir_stream_attempted_addresses(one->stream, NULL), 0);
    assert_int_equal(weir_stream_attempted_addresses(literal->stream, NULL), 0);
}

/* ---- answers that nobody waits for ---- */

static void CONN_18_an_answer_after_destroy_finds_nobody(void **state)
{
    fixture *f = *state;
    for (int fails = 0; fails < 2; fails++) {
        resolver r = {.answers = {"127.0.0.1"}, .keep = 1};
        recorder *client = client_of(f, &r, "tcp://some.test:80");
        wait_for_question(f, &r);
        assert_int_equal(weir_lookup_cancelled(r.question), 0);
        recorder_destroy(client, NULL);
        assert_int_equal(weir_lookup_cancelled(r.question), 1);
        fixture_run(f); /* nothing holds the loop any more */
        assert_int_equal(weir_lookup_cancelled(r.question), 1);
        if (fails) {
            weir_lookup_fail(r.question, NULL);
        } else {
            answer(&r, r.question);
        }
        fixture_turns(f, OVER_TURNS);
        recorder_expect(client, "resume close");
    }
}

static void CONN_18_destroyed_between_the_answer_and_its_tick(void **state)
{
    fixture *f = *state;
    resolver r = {.answers = {"127.0.0.1", "127.0.0.2"}, .keep = 1};
    recorder *client = client_of(f, &r, "tcp://some.test:80");
    wait_for_question(f, &r);
    answer(&r, r.question);
    recorder_destroy(client, NULL);
    fixture_run(f);
    recorder_expect(client, "resume close");
}

static void CONN_18_destroyed_inside_the_resolver(void **state)
{
    fixture *f = *state;
    for (int keep = 0; keep < 2; keep++) {
        resolver r = {.answers = {"127.0.0.1"}, .keep = keep};
        recorder *client = client_of(f, &r, "tcp://some.test:80");
        r.destroy = client->stream;
        recorder_wait(client, WEIR_EVENT_CLOSE);
        recorder_expect(client, "resume close");
        if (keep) {
            answer(&r, r.question);
        }
    }
}

static void destroy_it(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_destroy(event->target_stream, NULL);
}

static void CONN_18_SOCK_36_destroyed_in_a_lookup_listener(void **state)
{
    fixture *f = *state;
    resolver r = {.answers = {"127.0.0.1", "127.0.0.2"}};
    recorder *client = client_of(f, &r, "tcp://some.test:80");
    weir_stream_on(client->stream, WEIR_EVENT_LOOKUP, destroy_it, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, "resume lookup:ok close");
    assert_int_equal(weir_stream_attempted_addresses(client->stream, NULL), 0);
}

static void CONN_18_BN_14_an_answer_after_connectTimeout(void **state)
{
    fixture *f = *state;
    resolver r = {.answers = {"127.0.0.1"}, .keep = 1};
    /* A loop that is held up for so long does not even ask: then again, with more time. */
    for (int patience = 10; r.question == NULL; patience *= 2) {
        assert_true(patience < 5000);
        recorder *client = client_of(f, &r, fixture_text(f, "tcp://some.test:80?connectTimeout=%d", patience));
        recorder_wait(client, WEIR_EVENT_CLOSE);
        recorder_expect(client, "resume error:ETIMEDOUT close:error");
    }
    answer(&r, r.question);
}

static void CONN_18_an_answer_after_the_runtimes_end(void **state)
{
    fixture *f = *state;
    resolver r = {.answers = {"127.0.0.1"}, .keep = 1};
    client_of(f, &r, "tcp://some.test:80");
    wait_for_question(f, &r);
    fixture_end(f);
    assert_int_equal(weir_lookup_cancelled(r.question), 1);
    answer(&r, r.question);
}

/* The first question's answer is not taken for the second's. */
static void CONN_18_CONN_06_an_answer_to_the_life_before(void **state)
{
    fixture *f = *state;
    weir_server *server = local_server(f);
    resolver r = {.answers = {"127.0.0.1"}, .keep = 1};
    recorder *client = client_of(f, &r, "tcp://some.test:80");
    wait_for_question(f, &r);
    weir_lookup *old = r.question;
    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    r.question = NULL;
    assert_code(recorder_connect(client, named(f, server, "")), 0);
    wait_for_question(f, &r);
    weir_lookup_fail(old, NULL);
    fixture_turns(f, OVER_TURNS);
    assert_int_equal(weir_stream_connecting(client->stream), 1);
    answer(&r, r.question);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_expect(client, "resume close | lookup:ok connectionAttempt connect ready");
}

/* ---- without memory ---- */

typedef struct sweep {
    fixture *f;
    const char *endpoint;
    int connected;
} sweep;

static void forget(const weir_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

/* Either it connects, or it is told why not; what is only noted by the way costs no connection. */
static void connect_or_fail(void *arg)
{
    sweep *s = arg;
    resolver r = {.answers = {"127.0.0.2", "127.0.0.1"}};
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.lookup = resolve;
    options.lookup_arg = &r;
    int error = 0;
    int closed = 0;
    int connected = 0;
    weir_stream *stream = weir_connect(s->f->runtime, s->endpoint, &options, NULL, NULL, &error);
    if (stream == NULL) {
        assert_code(error, UV_ENOMEM);
        return;
    }
    int status = weir_stream_on(stream, WEIR_EVENT_CLOSE, fixture_count, &closed);
    status |= weir_stream_on(stream, WEIR_EVENT_ERROR, forget, NULL);
    status |= weir_stream_on(stream, WEIR_EVENT_CONNECT, fixture_count, &connected);
    status |= weir_stream_on(stream, WEIR_EVENT_CONNECT, destroy_it, NULL);
    if (status != 0) {
        weir_stream_destroy(stream, NULL);
    }
    while (!weir_stream_closed(stream)) {
        fixture_turns(s->f, 1);
    }
    s->connected += connected;
    assert_true(connected || weir_stream_errored(stream) != NULL || status != 0);
    weir_stream_release(stream);
}

static void CONN_18_SOCP_01_every_allocation_of_a_lookup_may_fail(void **state)
{
    fixture *f = *state;
    uint16_t port = 0;
    int listener = raw_listen(&port, 1000);
    sweep s = {.f = f, .endpoint = fixture_text(f, "tcp://some.test:%d", port)};
    connect_or_fail(&s);
    assert_int_equal(s.connected, 1);
    allocator_fail_each(connect_or_fail, &s);
    assert_true(s.connected > 2); /* the last run, and those that only lost the list */
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(CONN_18_CONN_20_CONN_17_what_is_asked),
        FIXTURE_TEST(CONN_19_asked_once_and_not_for_an_address),
        FIXTURE_TEST(SOCK_47_SOCK_36_SOCK_38_SOCK_39_SOCK_40_an_answer_inside_the_call),
        FIXTURE_TEST(CONN_18_an_answer_later_and_no_event_inside_it),
        FIXTURE_TEST(CONN_18_an_answer_from_a_thread),
        FIXTURE_TEST(CONN_21_bad_answers_fail_the_stream),
        FIXTURE_TEST(CONN_21_the_others_are_not_looked_at_where_one_is_enough),
        FIXTURE_TEST(CONN_21_no_address_is_ENOTFOUND),
        FIXTURE_TEST(CONN_21_SOCK_37_the_resolvers_own_error),
        FIXTURE_TEST(CONN_26_CONN_27_CONN_31_SOCP_01_all_are_tried_ipv6_first),
        FIXTURE_TEST(SOCP_02_CONN_30_the_last_one_tried_is_the_peer),
        FIXTURE_TEST(SOCP_01_CONN_25_CONN_29_no_list_where_nothing_was_selected),
        FIXTURE_TEST(CONN_18_an_answer_after_destroy_finds_nobody),
        FIXTURE_TEST(CONN_18_destroyed_between_the_answer_and_its_tick),
        FIXTURE_TEST(CONN_18_destroyed_inside_the_resolver),
        FIXTURE_TEST(CONN_18_SOCK_36_destroyed_in_a_lookup_listener),
        FIXTURE_TEST(CONN_18_BN_14_an_answer_after_connectTimeout),
        FIXTURE_TEST(CONN_18_an_answer_after_the_runtimes_end),
        FIXTURE_TEST(CONN_18_CONN_06_an_answer_to_the_life_before),
        FIXTURE_TEST(CONN_18_SOCP_01_every_allocation_of_a_lookup_may_fail),
    };
    return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
