/* SPDX-License-Identifier: MIT */
/* The conformance suite: its variants, the endpoints of its tests, and the programs' main loop. */
#define _GNU_SOURCE

#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TESTS_MOST 64
#define NAME_MOST  192

static const unsigned seeds[] = {1, 2, 3, 4, 5, 6};

static char bytes[SUITE_BYTES];
const char *suite_bytes = bytes;

const suite_variant *suite_variant_of(const fixture *f)
{
    return f->data;
}

size_t suite_few(const fixture *f)
{
    enum { FEW = 5000 };
    size_t least = suite_variant_of(f)->transport->holds_at_least;
    return least < FEW ? least : FEW;
}

/* ---- endpoints ---- */

static const char *layers_text(fixture *f, const char *options)
{
    const suite_variant *variant = suite_variant_of(f);
    if (!options && !variant->chaos)
        return "{\"probe\": {\"name\": \"low\"}}";
    if (!options)
        options = fixture_text(f, "\"seed\": %u", variant->seed);
    return fixture_text(f, "{\"probe\": {\"name\": \"low\"}}, {\"chaos\": {%s}}, {\"probe\": {\"name\": \"high\"}}",
                        options);
}

/* {"tcp": {...}} and layers, the transport's own below the others, in one object. `layers` NULL: no others. */
static const char *join(fixture *f, const weir_server *server, int index, const char *layers)
{
    const suite_transport *transport = suite_variant_of(f)->transport;
    const char *component = transport->component(f, server, index);
    const char *own = transport->layers ? transport->layers(f, server == NULL) : NULL;
    size_t length = strlen(component);
    assert_true(length && component[length - 1] == '}');
    return fixture_text(f, "%.*s, \"layers\": [%s%s%s]}", (int)length - 1, component, own ? own : "",
                        own && layers ? ", " : "", layers ? layers : "");
}

const char *suite_query(fixture *f)
{
    const suite_transport *transport = suite_variant_of(f)->transport;
    if (transport->layers && !transport->query)
        skip();
    return transport->query ? transport->query(f) : "";
}

const char *suite_listen_text(fixture *f, const char *options, int index)
{
    return join(f, NULL, index, layers_text(f, options));
}

const char *suite_connect_text(fixture *f, const weir_server *server, const char *options)
{
    return join(f, server, 0, layers_text(f, options));
}

const char *suite_bare_listen_text(fixture *f)
{
    return join(f, NULL, 0, NULL);
}

const char *suite_bare_connect_text(fixture *f, const weir_server *server)
{
    return join(f, server, 0, NULL);
}

const char *suite_fail_at(fixture *f, const char *point)
{
    return fixture_text(f, "\"seed\": %u, \"delay\": 0, \"cut\": false, \"again\": 50, \"failAt\": \"%s\"",
                        suite_variant_of(f)->seed, point);
}

weir_server *suite_server(fixture *f, int half_open)
{
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream.allow_half_open = half_open;
    return fixture_listen(f, suite_listen_text(f, NULL, 0), &options);
}

pair suite_connect(fixture *f, weir_server *server, int half_open, const char *chaos)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = half_open;
    return fixture_connect(f, server, suite_connect_text(f, server, chaos), &options);
}

pair suite_pair(fixture *f, int half_open)
{
    return suite_connect(f, suite_server(f, half_open), half_open, NULL);
}

/* ---- running ---- */

static int setup(void **state)
{
    const suite_variant *variant = *state;
    int status = fixture_setup(state);
    if (status == 0)
        ((fixture *)*state)->data = variant;
    return status;
}

static int is_in_scope(const suite_test *test, const suite_variant *variant)
{
    return !variant->chaos || test->scope == SUITE_ALL || (test->scope == SUITE_ONE_SEED && variant->first_seed);
}

/* One group a variant; the tests' names carry it, so that a failure says with what seed to run it again. */
static int run_variant(suite_variant *variant)
{
    static const suite_test *const lists[] = {suite_flow_tests, suite_end_tests, suite_inside_tests,
                                              suite_memory_tests};
    struct CMUnitTest tests[TESTS_MOST];
    char names[TESTS_MOST][NAME_MOST];
    char group[96];
    size_t count = 0;
    if (variant->chaos)
        snprintf(group, sizeof(group), "%s, chaos seed %u", variant->transport->name, variant->seed);
    else
        snprintf(group, sizeof(group), "%s, bare", variant->transport->name);
    for (size_t list = 0; list < sizeof(lists) / sizeof(lists[0]); list++) {
        for (const suite_test *test = lists[list]; test->name; test++) {
            if (!is_in_scope(test, variant))
                continue;
            assert_true(count < TESTS_MOST);
            snprintf(names[count], NAME_MOST, "%s (%s)", test->name, group);
            tests[count] = (struct CMUnitTest){names[count], test->run, setup, fixture_teardown, variant};
            count++;
        }
    }
    return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}

int suite_run_bare(const suite_transport *transport)
{
    suite_variant variant = {.transport = transport};
    fixture_fill(bytes, sizeof(bytes), 1);
    return run_variant(&variant);
}

int suite_run(const suite_transport *transport)
{
    const char *only = getenv("WEIR_TEST_SEED");
    suite_variant variant = {.transport = transport, .chaos = 1};
    int failed = suite_run_bare(transport);
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        variant.seed = only ? (unsigned)strtoul(only, NULL, 10) : seeds[i];
        variant.first_seed = i == 0;
        failed += run_variant(&variant);
        if (only)
            break;
    }
    return failed;
}
