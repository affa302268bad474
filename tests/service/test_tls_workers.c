/* SPDX-License-Identifier: MIT */
/*
 * One service with four workers, each with contexts of its own, and tickets that all of them open: one client that comes
 * again and again is resumed by whichever it meets, while keys change.
 */
#define _GNU_SOURCE

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/handler.h>
#include <weir/tls.h>

#include "fixture.h"
#include "plain_plugin.h"
#include "served.h"
#include "tls_service.h"

enum { WORKERS = 4, SEEN_MOST = 2000, EACH = 6 };

/* ---- a clock that can be put forward ---- */

static atomic_uint_fast64_t ahead; /* nanoseconds */

/* In the place of libuv's own, for whoever asks it from outside: by this one the age of a ticket's key is told. */
WEIR_EXPORT uint64_t uv_hrtime(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + atomic_load(&ahead);
}

static void pass_minutes(unsigned minutes)
{
    atomic_fetch_add(&ahead, (uint64_t)minutes * 60 * 1000000000);
}

/* ---- a handler that says who it is, and what its worker's context has counted ---- */

static const weir_tls *tls; /* its table: the same in all threads */

static void tell(void *context, weir_stream *stream)
{
    weir_value value;
    weir_tls_counters counters = {.size = sizeof(counters)};
    char line[128];
    (void)context;
    int resumed = weir_stream_get(stream, "tls.resumed", &value) == 0 && value.number;
    tls->context_counters(tls->stream_context(stream), &counters);
    int length =
        snprintf(line, sizeof(line), "%p %d %llu %llu\n", (void *)weir_stream_runtime(stream), resumed,
                 (unsigned long long)counters.handshakes_full, (unsigned long long)counters.handshakes_resumed);
    weir_stream_resume(stream);
    weir_stream_end_with(stream, line, (size_t)length, NULL, NULL);
}

static const weir_handler handler = {
    .size = sizeof(weir_handler), .configure = plain_configure, .context_free = weir_free, .connection = tell};

static const weir_plugin plugin = {
    WEIR_PLUGIN_HEADER, .name = "teller",    .version = "1.0.0", .description = "says who it is, for tests",
    .schema = "{}",     .handler = &handler,
};

/* ---- a client that comes again and again ---- */

typedef struct worker {
    void *who;
    size_t met;
    unsigned long long full; /* as its context told last */
    unsigned long long resumed;
} worker;

typedef struct visits {
    fixture *f;
    const char *url;
    worker workers[WORKERS];
    size_t met; /* how many of them */
    size_t full;
    size_t resumed;
    /* one of them */
    char line[128];
    size_t size;
    int over;
    int was_resumed;
} visits;

static void on_data(const weir_event *event, void *arg)
{
    visits *self = arg;
    size_t room = sizeof(self->line) - 1 - self->size;
    size_t size = event->buffer->size < room ? event->buffer->size : room;
    memcpy(self->line + self->size, event->buffer->data, size);
    self->size += size;
}

static void on_ready(const weir_event *event, void *arg)
{
    visits *self = arg;
    weir_value value;
    self->was_resumed = weir_stream_get(event->stream, "tls.resumed", &value) == 0 && value.number;
}

static void on_error(const weir_event *event, void *arg)
{
    (void)arg;
    fail_msg("%s", event->error->message);
}

static void on_close(const weir_event *event, void *arg)
{
    (void)event;
    ((visits *)arg)->over = 1;
}

static worker *worker_of(visits *self, void *who)
{
    for (size_t i = 0; i < self->met; i++) {
        if (self->workers[i].who == who)
            return &self->workers[i];
    }
    assert_true(self->met < WORKERS);
    self->workers[self->met].who = who;
    return &self->workers[self->met++];
}

/* One connection; whether it was resumed, on which both ends agree. */
static int visit(visits *self)
{
    unsigned long long full, resumed;
    void *who;
    int was_resumed;
    self->size = 0;
    self->over = 0;
    weir_stream *stream = weir_connect(self->f->runtime, self->url, NULL, NULL, NULL, NULL);
    assert_non_null(stream);
    weir_stream_on(stream, WEIR_EVENT_READY, on_ready, self);
    weir_stream_on(stream, WEIR_EVENT_DATA, on_data, self);
    weir_stream_on(stream, WEIR_EVENT_ERROR, on_error, self);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, on_close, self);
    fixture_until(self->f, &self->over);
    weir_stream_release(stream);
    self->line[self->size] = '\0';
    assert_int_equal(sscanf(self->line, "%p %d %llu %llu", &who, &was_resumed, &full, &resumed), 4);
    assert_int_equal(was_resumed, self->was_resumed);
    worker *met = worker_of(self, who);
    met->met++;
    met->full = full;
    met->resumed = resumed;
    self->full += !was_resumed;
    self->resumed += (size_t)was_resumed;
    return was_resumed;
}

/* The kernel deals the connections out; until every worker has had so many more. */
static void meet_all(visits *self, size_t times, int resumed)
{
    size_t before[WORKERS], least = 0;
    for (size_t i = 0; i < WORKERS; i++)
        before[i] = self->workers[i].met;
    for (size_t count = 0; least < times; count++) {
        if (count == SEEN_MOST)
            fail_msg("in %d connections %zu of %d workers were met", SEEN_MOST, self->met, WORKERS);
        int was = visit(self);
        if (resumed && !was)
            fail_msg("connection %zu was not resumed", count);
        least = times;
        for (size_t i = 0; i < WORKERS; i++) {
            size_t met = self->workers[i].met - before[i];
            least = met < least ? met : least;
        }
    }
}

static served *serve(fixture *f, visits *self, const char *version)
{
    const weir_plugin *found;
    memset(self, 0, sizeof(*self));
    self->f = f;
    f->record = 0;
    assert_code(weir_runtime_load_plugin(f->runtime, "tls", &found, NULL), 0);
    tls = weir_tls_of(found);
    assert_code(weir_runtime_register_plugin(f->runtime, &plugin, NULL), 0);
    served *service = served_start(
        f, fixture_text(
               f,
               "{\"workers\": %d, \"servers\": [{\"name\": \"t\", \"handler\": \"teller\", \"listen\": {\"tcp\": "
               "{\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"tls\": {\"cert\": \"%s\", \"key\": \"%s\", "
               "\"maxVersion\": \"%s\"}}]}}]}",
               WORKERS, tls_cert("server.pem"), tls_cert("server.key"), version));
    self->url = fixture_text(f, "%s?ca=%s", served_url(service, "t"), tls_cert("ca.pem"));
    return service;
}

/* What each worker's context counts is what came to it. */
static void check_counters(const visits *self)
{
    unsigned long long full = 0, resumed = 0;
    for (size_t i = 0; i < self->met; i++) {
        assert_int_equal(self->workers[i].full + self->workers[i].resumed, self->workers[i].met);
        full += self->workers[i].full;
        resumed += self->workers[i].resumed;
    }
    assert_int_equal(full, self->full);
    assert_int_equal(resumed, self->resumed);
}

/* ---- the tests ---- */

static void resume_everywhere(fixture *f, const char *version)
{
    visits client;
    tls_need();
    served *service = serve(f, &client, version);
    assert_int_equal(visit(&client), 0);
    meet_all(&client, EACH, 1);
    assert_int_equal(client.met, WORKERS);
    assert_int_equal(client.full, 1);
    assert_true(client.resumed >= WORKERS * EACH - 1);
    check_counters(&client);
    served_stop(service, 1);
}

static void TLS_12_every_worker_resumes_over_TLS_12(void **state)
{
    resume_everywhere(*state, "TLSv1.2");
}

static void TLS_12_every_worker_resumes_over_TLS_13(void **state)
{
    tls_need();
    if (!tls_has_13())
        skip();
    resume_everywhere(*state, "TLSv1.3");
}

/* Keys change in half of the two hours that a ticket lives, and open for as long as what they sealed. */
static void TLS_12_workers_change_keys_by_the_clock(void **state)
{
    fixture *f = *state;
    visits client;
    tls_need();
    served *service = serve(f, &client, "TLSv1.2");
    assert_int_equal(visit(&client), 0);
    meet_all(&client, 1, 1);
    pass_minutes(70); /* another key seals now, and the old one opens */
    meet_all(&client, 1, 1);
    pass_minutes(200); /* the old one is too old */
    assert_int_equal(visit(&client), 0);
    meet_all(&client, 2, 1);
    pass_minutes(59);
    meet_all(&client, 1, 1);
    assert_int_equal(client.full, 2);
    check_counters(&client);
    served_stop(service, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_12_every_worker_resumes_over_TLS_12),
        FIXTURE_TEST(TLS_12_every_worker_resumes_over_TLS_13),
        FIXTURE_TEST(TLS_12_workers_change_keys_by_the_clock),
    };
    return cmocka_run_group_tests_name("service.tls_workers", tests, tls_group_setup, NULL);
}
