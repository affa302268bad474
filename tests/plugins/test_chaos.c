/* SPDX-License-Identifier: MIT */
/* The layer of the tests, chaos: that it does what it is there for, and the same again for the same seed. */
#define _GNU_SOURCE

#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define BYTES ((size_t)200000)

static const char *stack(fixture *f, const char *options)
{
    return fixture_text(f,
                        "{\"mem\": {\"path\": \"name\"}, \"layers\": [{\"probe\": {\"name\": \"low\"}}, "
                        "{\"chaos\": {%s}}, {\"probe\": {\"name\": \"high\"}}]}",
                        options);
}

/* What the probes saw of a conversation, which is all that the dice decided. */
static char *converse(fixture *f, const char *options)
{
    char *bytes = malloc(BYTES);
    assert_non_null(bytes);
    fixture_fill(bytes, BYTES, 7);
    size_t begin = strlen(fixture_log(f));
    weir_server *server = fixture_listen(f, stack(f, options), NULL);
    pair p = fixture_connect(f, server, stack(f, options), NULL);
    recorder_write(p.client, bytes, BYTES);
    recorder_write(p.accepted, bytes, BYTES);
    recorder_wait_data(p.client, BYTES);
    recorder_wait_data(p.accepted, BYTES);
    recorder_end(p.client);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, bytes, BYTES);
    recorder_expect_data(p.accepted, bytes, BYTES);
    free(bytes);
    assert_code(weir_server_close_wait(server), 0);
    char *seen = strdup(fixture_log(f) + begin);
    assert_non_null(seen);
    return seen;
}

static void the_same_seed_does_the_same(void **state)
{
    fixture *f = *state;
    char *first = converse(f, "\"seed\": 5");
    char *second = converse(f, "\"seed\": 5");
    assert_non_null(strstr(first, "probe high client: open"));
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void another_seed_does_something_else(void **state)
{
    fixture *f = *state;
    char *first = converse(f, "\"seed\": 5");
    char *second = converse(f, "\"seed\": 6");
    assert_string_not_equal(first, second);
    free(first);
    free(second);
}

static void it_cuts_and_refuses(void **state)
{
    fixture *f = *state;
    char *seen = converse(f, "\"seed\": 1, \"again\": 100");
    assert_null(strstr(seen, "took"));
    free(seen);
    seen = converse(f, "\"seed\": 1, \"again\": 0, \"cut\": false, \"delay\": 0");
    assert_non_null(strstr(seen, "took:65536"));
    free(seen);
    unsigned whole = 0;
    for (unsigned seed = 1; seed <= 8; seed++) {
        seen = converse(f, fixture_text(f, "\"seed\": %u, \"again\": 0, \"delay\": 0", seed));
        whole += strstr(seen, "took:65536") != NULL;
        free(seen);
    }
    assert_true(whole < 8);
}

static void delays_are_turns(void **state)
{
    fixture *f = *state;
    size_t turns[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        weir_server *server = fixture_listen(f, "mem:name", NULL);
        const char *url = i ? "chaos+mem:name?delay=500&seed=3" : "chaos+mem:name?delay=0&seed=3";
        recorder *client = fixture_client(f, url, NULL);
        while (!client->counts[WEIR_EVENT_READY]) {
            fixture_turns(f, 1);
            turns[i]++;
        }
        recorder_destroy(client, NULL);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_code(weir_server_close_wait(server), 0);
    }
    assert_true(turns[0] < 20);
    assert_true(turns[1] > turns[0] + 20);
}

/* How often it held a part of what came, which was then what had not gone up yet. */
static unsigned hold(fixture *f, unsigned seed)
{
    enum { SIZE = 5000 };
    static char bytes[SIZE];
    unsigned parts = 0;
    int is_all = 0;
    weir_server *server = fixture_listen(f, stack(f, fixture_text(f, "\"seed\": %u, \"delay\": 9", seed)), NULL);
    pair p = fixture_connect(f, server, "mem:name", NULL);
    fixture_fill(bytes, SIZE, seed);
    recorder_write(p.client, bytes, SIZE);
    while (p.accepted->data_size < SIZE || !is_all) {
        weir_value held = {0};
        assert_code(weir_stream_get(p.accepted->stream, "probe.below.to_read", &held), 0);
        size_t now = (size_t)held.number;
        is_all = is_all || now + p.accepted->data_size == SIZE;
        if (is_all)
            assert_int_equal(now, SIZE - p.accepted->data_size);
        assert_true(now <= SIZE - p.accepted->data_size);
        parts += now > 0 && p.accepted->data_size > 0;
        fixture_turns(f, 1);
        assert_false(f->expired);
    }
    recorder_expect_data(p.accepted, bytes, SIZE);
    recorder_destroy(p.client, NULL);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_code(weir_server_close_wait(server), 0);
    return parts;
}

static void it_says_how_much_it_holds(void **state)
{
    unsigned parts = 0;
    for (unsigned seed = 1; seed <= 8; seed++)
        parts += hold(*state, seed);
    assert_true(parts > 8);
}

static void it_fails_with_the_code_it_was_given(void **state)
{
    static const char *const codes[] = {"EIO", "ECONNRESET", "EPIPE", "ETIMEDOUT"};
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "mem:name", NULL);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        recorder *client =
            fixture_client(f, fixture_text(f, "chaos+mem:name?failAt=open:1&failCode=%s", codes[i]), NULL);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_true(recorder_saw(client, fixture_text(f, "error:%s", codes[i])));
    }
    assert_true(weir_server_listening(server));
}

static void it_fails_at_the_count_it_was_given(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "mem:name", NULL);
    pair p = fixture_connect(f, server, "chaos+mem:name?failAt=read:3&cut=false&delay=0", NULL);
    for (size_t i = 1; i <= 2; i++) {
        recorder_write(p.accepted, "x", 1);
        recorder_wait_data(p.client, i);
    }
    recorder_write(p.accepted, "x", 1);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.client, "xx", 2);
    assert_true(recorder_saw(p.client, "error:EIO"));
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_same_seed_does_the_same),
        FIXTURE_TEST(another_seed_does_something_else),
        FIXTURE_TEST(it_cuts_and_refuses),
        FIXTURE_TEST(delays_are_turns),
        FIXTURE_TEST(it_says_how_much_it_holds),
        FIXTURE_TEST(it_fails_with_the_code_it_was_given),
        FIXTURE_TEST(it_fails_at_the_count_it_was_given),
    };
    return cmocka_run_group_tests_name("chaos", tests, NULL, NULL);
}
