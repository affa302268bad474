/* SPDX-License-Identifier: MIT */
/*
 * What becomes of links that do what weir/link.h forbids: a layer `outlaw` lets everything pass, and a test reports in its
 * name. In a build that asserts the laws the program ends there; in any other nobody notices.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/layer.h>

#include "fixture.h"
#include "plain_plugin.h"
#include "syscalls.h"

/* ---- the layer ---- */

typedef struct outlaw {
    weir_link link;
    weir_task closing;
    int closes; /* how often it says closed */
    int holds;  /* it is read from, and does not read itself */
} outlaw;

/* The last one that was made, a client's. */
static outlaw *last;
static int opens_late; /* when the test says so */

static void outlaw_open(weir_link *link)
{
    if (!opens_late) {
        weir_up_opened(link);
    }
}

static void outlaw_read_start(weir_link *link)
{
    if (!((outlaw *)(void *)link)->holds) {
        weir_down_read_start(link);
    }
}

static void tell_closed(weir_task *task)
{
    outlaw *self = (outlaw *)(void *)((char *)task - offsetof(outlaw, closing));
    while (self->closes-- > 0) {
        weir_up_closed(&self->link);
    }
}

static void outlaw_close(weir_link *link, weir_close_mode mode)
{
    (void)mode;
    weir_runtime_defer(weir_link_runtime(link), &((outlaw *)(void *)link)->closing);
}

static int outlaw_get(weir_link *link, const char *name, weir_value *value)
{
    if (strcmp(name, "remoteAddress") != 0) {
        return weir_down_get(link, name, value);
    }
    value->type = WEIR_VALUE_TEXT;
    value->text = "under the bridge";
    return 0;
}

static void outlaw_free(weir_link *link)
{
    last = NULL;
    weir_free(link);
}

static const weir_link_ops outlaw_ops = {
    .size = sizeof(weir_link_ops),
    .name = "outlaw",
    .open = outlaw_open,
    .read_start = outlaw_read_start,
    .close = outlaw_close,
    .get = outlaw_get,
    .free = outlaw_free,
};

static weir_link *outlaw_create(void *context, weir_runtime *runtime, weir_role role)
{
    outlaw *self = weir_calloc(1, sizeof(*self));
    (void)context;
    (void)runtime;
    if (self == NULL) {
        return NULL;
    }
    self->link.ops = &outlaw_ops;
    self->closing.run = tell_closed;
    self->closes = 1;
    if (role == WEIR_CLIENT) {
        last = self;
    }
    return &self->link;
}

static const weir_layer outlaw_layer = {
    .size = sizeof(weir_layer), .configure = plain_configure, .context_free = weir_free, .create = outlaw_create};

static const weir_plugin outlaw_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "outlaw",
    .version = "1.0.0",   .description = "breaks the laws of links, for tests",
    .schema = NO_OPTIONS, .layer = &outlaw_layer,
};

/* ---- layers whose table is not whole ---- */

static int freed;

static void count_free(weir_link *link)
{
    freed++;
    weir_free(link);
}

static const weir_link_ops nameless_ops = {.size = sizeof(weir_link_ops), .free = count_free};
static const weir_link_ops endless_ops = {.size = sizeof(weir_link_ops), .name = "endless"};

static weir_link *nameless_create(void *context, weir_runtime *runtime, weir_role role)
{
    weir_link *link = weir_calloc(1, sizeof(*link));
    (void)context;
    (void)runtime;
    (void)role;
    if (link != NULL) {
        link->ops = &nameless_ops;
    }
    return link;
}

static weir_link *endless_create(void *context, weir_runtime *runtime, weir_role role)
{
    static weir_link link;
    (void)context;
    (void)runtime;
    (void)role;
    link.ops = &endless_ops;
    return &link;
}

static const weir_layer nameless_layer = {
    .size = sizeof(weir_layer), .configure = plain_configure, .context_free = weir_free, .create = nameless_create};
static const weir_layer endless_layer = {
    .size = sizeof(weir_layer), .configure = plain_configure, .context_free = weir_free, .create = endless_create};

static const weir_plugin nameless_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "nameless",       .version = "1.0.0", .description = "makes links without a name",
    .schema = NO_OPTIONS, .layer = &nameless_layer,
};
static const weir_plugin endless_plugin = {
    WEIR_PLUGIN_HEADER,   .name = "endless",       .version = "1.0.0", .description = "makes links that cannot go",
    .schema = NO_OPTIONS, .layer = &endless_layer,
};

/* ---- a test's world ---- */

static int begin(void **state)
{
    static const weir_plugin *const plugins[] = {&outlaw_plugin, &nameless_plugin, &endless_plugin};
    int status = fixture_setup(state);
    fixture *f = *state;
    for (size_t i = 0; status == 0 && i < sizeof(plugins) / sizeof(plugins[0]); i++) {
        status = weir_runtime_register_plugin(f->runtime, plugins[i], NULL);
    }
    return status;
}

static int end(void **state)
{
    syscalls_restore();
    opens_late = 0;
    return fixture_teardown(state);
}

#define LAW_TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

static pair outlaw_pair(fixture *f, const weir_stream_options *options)
{
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    return fixture_connect(f, server, fixture_text(f, "outlaw+%s", fixture_url(f, server)), options);
}

/* Runs `crime`, which nobody must notice; a build that asserts the laws must end at it. */
static void commit(fixture *f, void (*crime)(fixture *f, const void *arg), const void *arg)
{
#ifdef WEIR_DEBUG
    static const struct rlimit no_core;
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        uv_loop_fork(&f->loop);
        if (freopen("/dev/null", "w", stderr) != NULL) {
            crime(f, arg);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
#else
    crime(f, arg);
#endif
}

/* ---- reports ---- */

static void report_opened(weir_link *link)
{
    weir_up_opened(link);
}

static void report_data(weir_link *link)
{
    weir_buf *buf = weir_buf_copy("stolen", 6);
    assert_non_null(buf);
    weir_up_data(link, buf);
    weir_buf_release(buf);
}

static void report_end(weir_link *link)
{
    weir_up_end(link);
}

static void report_hangup(weir_link *link)
{
    weir_up_hangup(link);
}

static void report_written(weir_link *link)
{
    weir_up_written(link, 0);
}

static void report_shut(weir_link *link)
{
    weir_up_shut(link, 0);
}

static void report_failed(weir_link *link)
{
    weir_error *error = weir_error_new(UV_EPROTO, "test", NULL, -1);
    weir_up_failed(link, error);
    weir_error_release(error);
}

static void report_notify(weir_link *link)
{
    weir_up_notify(link, "robbery", NULL, 0);
}

static void report_activity(weir_link *link)
{
    weir_up_activity(link);
}

static void report_attempt(weir_link *link)
{
    weir_up_attempt(link, WEIR_EVENT_CONNECTION_ATTEMPT, NULL, NULL, NULL);
}

static void report_closed(weir_link *link)
{
    weir_up_closed(link);
}

typedef struct report {
    void (*run)(weir_link *link);
} report;

/* ---- after it was closed ---- */

static void report_while_closing(fixture *f, const void *arg)
{
    const report *late = arg;
    pair p = outlaw_pair(f, NULL);
    weir_runtime_enter(f->runtime);
    recorder_destroy(p.client, NULL);
    late->run(&last->link);
    weir_runtime_leave(f->runtime);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect(p.client, "resume connectionAttempt connect ready close");
    assert_int_equal(p.client->data_size, 0);
    assert_null(last);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
}

static void law_9_a_link_that_is_closing_reports_to_nobody(void **state)
{
    static const report late[] = {{report_opened}, {report_data},   {report_end},    {report_hangup},  {report_written},
                                  {report_shut},   {report_failed}, {report_notify}, {report_activity}};
    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        commit(*state, report_while_closing, &late[i]);
    }
}

static void say_closed_twice(fixture *f, const void *arg)
{
    (void)arg;
    pair p = outlaw_pair(f, NULL);
    last->closes = 2;
    recorder_destroy(p.client, NULL);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect(p.client, "resume connectionAttempt connect ready close");
}

static void law_8_closed_comes_once(void **state)
{
    commit(*state, say_closed_twice, NULL);
}

/* A link is only closing, so it may do this in any build. */
static void what_a_closing_link_asks_of_the_one_below(void **state)
{
    fixture *f = *state;
    pair p = outlaw_pair(f, NULL);
    char text[] = "late";
    struct iovec bytes = {.iov_base = text, .iov_len = 4};
    weir_value value = {.type = WEIR_VALUE_NUMBER, .number = 300};
    weir_runtime_enter(f->runtime);
    recorder_destroy(p.client, NULL);
    assert_int_equal(weir_link_closing(&last->link), 1);
    assert_code(weir_down_try_write(&last->link, &bytes, 1), UV_EAGAIN);
    assert_code(weir_down_write(&last->link, &bytes, 1), UV_EPIPE);
    assert_code(weir_down_shutdown(&last->link), UV_ENOTCONN);
    weir_down_read_start(&last->link);
    weir_down_flush(&last->link);
    assert_code(weir_down_set(&last->link, "tos", &value), WEIR_EOUTOFRANGE);
    value.number = 0;
    assert_code(weir_down_set(&last->link, "tos", &value), UV_ENOTCONN);
    assert_code(weir_down_get(&last->link, "tos", &value), UV_ENOTCONN);
    assert_code(weir_down_get(&last->link, "nonsense", &value), UV_ENOTCONN); /* it is not asked */
    report_attempt(&last->link);
    weir_runtime_leave(f->runtime);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect(p.client, "resume connectionAttempt connect ready close");
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    assert_int_equal(p.accepted->data_size, 0);
}

/* ---- too often, or unasked ---- */

static void report_on_an_open_link(fixture *f, const void *arg)
{
    const report *wrong = arg;
    pair p = outlaw_pair(f, NULL);
    fixture_turns(f, 3);
    weir_runtime_enter(f->runtime);
    wrong->run(&last->link);
    weir_runtime_leave(f->runtime);
    fixture_turns(f, 3);
    recorder_write(p.client, "and on it goes", 14);
    recorder_wait_data(p.accepted, 14);
    recorder_expect(p.client, "resume connectionAttempt connect ready w1");
    recorder_destroy(p.client, NULL);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
}

static void laws_1_2_4_6_8_reports_that_nobody_has_asked_for(void **state)
{
    static const report wrong[] = {{report_opened},  {report_written}, {report_shut},
                                   {report_attempt}, {report_closed},  {report_hangup}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        commit(*state, report_on_an_open_link, &wrong[i]);
    }
}

static void report_after_end(fixture *f, const void *arg)
{
    const report *wrong = arg;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    pair p = outlaw_pair(f, &options);
    fixture_turns(f, 3);
    weir_runtime_enter(f->runtime);
    weir_up_end(&last->link);
    wrong->run(&last->link);
    weir_runtime_leave(f->runtime);
    fixture_turns(f, 3);
    recorder_expect(p.client, "resume connectionAttempt connect ready end");
    assert_int_equal(p.client->data_size, 0);
    recorder_destroy(p.client, NULL);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
}

static void law_3_after_the_end_comes_nothing(void **state)
{
    static const report wrong[] = {{report_data}, {report_end}, {report_hangup}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        commit(*state, report_after_end, &wrong[i]);
    }
}

/* ---- a peer that has gone ---- */

static void hang_up(fixture *f, weir_link *link)
{
    weir_runtime_enter(f->runtime);
    weir_up_hangup(link);
    weir_runtime_leave(f->runtime);
}

static void BN_05_a_peer_is_told_to_have_gone_once(void **state)
{
    fixture *f = *state;
    f->record = 0;
    pair p = outlaw_pair(f, NULL);
    fixture_turns(f, 3);
    recorder_pause(p.client);
    hang_up(f, &last->link);
    hang_up(f, &last->link);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 1);
}

/* The layer has bytes still, so the application reads from it while the socket's link is at rest. */
static void law_2_BN_05_a_hangup_waits_while_a_layer_is_read(void **state)
{
    fixture *f = *state;
    pair p = outlaw_pair(f, NULL);
    recorder_pause(p.client);
    fixture_turns(f, 3);
    last->holds = 1;
    recorder_resume(p.client);
    fixture_turns(f, 3);
    hang_up(f, last->link.lower);
    fixture_turns(f, 3);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 0);
    recorder_pause(p.client);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 0); /* not inside the call */
    recorder_resume(p.client);                                    /* nor was that long enough */
    fixture_turns(f, 3);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 0);
    recorder_pause(p.client);
    fixture_turns(f, 3);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 1);
    recorder_resume(p.client);
    recorder_pause(p.client);
    fixture_turns(f, 3);
    assert_int_equal(p.client->counts[WEIR_EVENT_PEER_CLOSE], 1);
}

static void law_2_BN_05_behind_the_end_a_hangup_is_no_news(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    pair p = outlaw_pair(f, &options);
    recorder_pause(p.client);
    fixture_turns(f, 3);
    last->holds = 1;
    recorder_resume(p.client);
    fixture_turns(f, 3);
    hang_up(f, last->link.lower);
    weir_runtime_enter(f->runtime);
    weir_up_end(&last->link);
    weir_runtime_leave(f->runtime);
    fixture_turns(f, 3);
    recorder_expect(p.client, "resume connectionAttempt connect ready pause resume end");
}

/* The link above has a word of its own on it, and holds the end still when the one below it is read from no more. */
static void law_2_BN_05_a_hangup_that_was_kept_is_no_news_to_a_layer_behind_the_end(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    const char *url = fixture_text(f, "chaos+outlaw+%s?seed=1&delay=0", fixture_url(f, server));
    pair p = fixture_connect(f, server, url, &options);
    recorder_pause(p.client);
    fixture_turns(f, 3);
    last->holds = 1;
    recorder_resume(p.client);
    fixture_turns(f, 3);
    hang_up(f, last->link.lower);
    weir_runtime_enter(f->runtime);
    weir_up_end(&last->link);
    recorder_pause(p.client);
    weir_runtime_leave(f->runtime);
    fixture_turns(f, 5);
    recorder_resume(p.client);
    recorder_wait(p.client, WEIR_EVENT_END);
    recorder_expect(p.client, "resume connectionAttempt connect ready pause resume pause resume end");
}

static void law_1_BN_05_a_hangup_waits_until_a_layer_is_open(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    recorder *r = record_stream(f, weir_stream_new(f->runtime, NULL), 0);
    weir_stream_release(r->stream);
    opens_late = 1;
    assert_code(recorder_connect(r, fixture_text(f, "outlaw+%s", fixture_url(f, server))), 0);
    recorder_wait(r, WEIR_EVENT_CONNECT);
    hang_up(f, last->link.lower);
    fixture_turns(f, 3);
    assert_int_equal(r->counts[WEIR_EVENT_PEER_CLOSE], 0);
    weir_runtime_enter(f->runtime);
    weir_up_opened(&last->link);
    weir_runtime_leave(f->runtime);
    recorder_wait(r, WEIR_EVENT_PEER_CLOSE);
    assert_int_equal(r->counts[WEIR_EVENT_READY], 1);
}

static void hang_up_before_it_is_open(fixture *f, const void *arg)
{
    (void)arg;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    recorder *r = record_stream(f, weir_stream_new(f->runtime, NULL), 0);
    weir_stream_release(r->stream);
    opens_late = 1;
    assert_code(recorder_connect(r, fixture_text(f, "outlaw+%s", fixture_url(f, server))), 0);
    recorder_wait(r, WEIR_EVENT_CONNECT);
    hang_up(f, &last->link);
    fixture_turns(f, 3);
    weir_runtime_enter(f->runtime);
    weir_up_opened(&last->link);
    weir_runtime_leave(f->runtime);
    recorder_wait(r, WEIR_EVENT_READY);
    fixture_turns(f, 3);
    assert_int_equal(r->counts[WEIR_EVENT_PEER_CLOSE], 0);
    recorder_destroy(r, NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
}

static void law_1_no_hangup_comes_from_what_is_not_open(void **state)
{
    commit(*state, hang_up_before_it_is_open, NULL);
}

/* ---- one of two has failed ---- */

static void fail_above(const weir_event *event, void *arg)
{
    weir_stream *stream = event->target_stream;
    (void)arg;
    if (event->buffer->size == 5) {
        weir_link *below = last->link.lower;
        assert_code(weir_stream_unshift(stream, "rest", 4), 0);
        assert_code(weir_down_shutdown(&last->link), 0); /* its answer comes later */
        report_failed(&last->link);
        weir_down_read_stop(&last->link);
        weir_up_hangup(below); /* nobody is there who could pass it on */
        weir_down_read_start(&last->link);
        weir_up_end(below);
        report_failed(below);
    }
}

/* What came before the failure is delivered; what comes from below meanwhile goes nowhere. */
static void law_7_reports_end_at_a_link_that_has_failed(void **state)
{
    fixture *f = *state;
    pair p = outlaw_pair(f, NULL);
    assert_code(weir_stream_on(p.client->stream, WEIR_EVENT_DATA, fail_above, NULL), 0);
    recorder_write(p.accepted, "first", 5);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect(p.client, "resume connectionAttempt connect ready data:9 error:EPROTO close:error");
    recorder_expect_data(p.client, "firstrest", 9);
}

/* ---- what a link may ask for, and when ---- */

static int answers;

static void on_answer(weir_link *link, const weir_error *error, const weir_address *addresses, size_t count)
{
    (void)addresses;
    (void)count;
    assert_ptr_equal(link, &last->link);
    assert_code(error->code, UV_EAI_NONAME);
    answers++;
}

static weir_lookup *question;

static void keep_question(weir_lookup *lookup, const char *host, const weir_lookup_options *options, void *arg)
{
    (void)options;
    (void)arg;
    assert_string_equal(host, "depot.test");
    question = lookup;
}

static void CONN_18_CONN_19_one_question_at_a_time(void **state)
{
    fixture *f = *state;
    weir_stream_options options;
    weir_lookup_options how = {0, 0, 1};
    weir_stream_options_init(&options);
    options.lookup = keep_question;
    pair p = outlaw_pair(f, &options);
    weir_link *link = &last->link;
    answers = 0;
    assert_code(weir_link_lookup(link, "depot.test", &how, on_answer), 1);
    assert_code(weir_link_lookup(link, "depot.test", &how, on_answer), UV_EALREADY);
    weir_lookup_answer(NULL, NULL, 0);
    weir_lookup_fail(NULL, NULL);
    weir_lookup_fail(question, NULL);
    fixture_turns(f, 2);
    assert_int_equal(answers, 1);
    weir_runtime_enter(f->runtime);
    recorder_destroy(p.client, NULL);
    assert_code(weir_link_lookup(link, "depot.test", &how, on_answer), UV_ECANCELED);
    weir_runtime_leave(f->runtime);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
}

static void below_a_transport_there_is_nothing(void **state)
{
    outlaw_pair(*state, NULL);
    weir_link *bottom = last->link.lower;
    char text[] = "deep";
    struct iovec bytes = {.iov_base = text, .iov_len = 4};
    weir_value value;
    assert_code(weir_down_try_write(bottom, &bytes, 1), UV_EAGAIN);
    assert_code(weir_down_shutdown(bottom), UV_ENOTSUP);
    assert_code(weir_down_get(bottom, "fd", &value), UV_ENOENT);
}

/* Law 7: the socket's link says again what it has said once, to whoever asks. */
static void law_7_a_write_that_failed_fails_for_good(void **state)
{
    fixture *f = *state;
    pair p = outlaw_pair(f, NULL);
    char text[] = "lost";
    struct iovec bytes = {.iov_base = text, .iov_len = 4};
    syscalls_fail_next("send", EPIPE);
    assert_code(weir_down_try_write(&last->link, &bytes, 1), UV_EPIPE);
    syscalls_restore();
    assert_code(weir_down_try_write(&last->link, &bytes, 1), UV_EPIPE);
    assert_code(weir_down_write(&last->link, &bytes, 1), UV_EPIPE);
    recorder_write(p.client, "x", 1); /* the application's own learns of it too */
    recorder_wait_writes(p.client, 1);
    assert_true(recorder_saw(p.client, "w1:EPIPE"));
}

static void SOCP_15_an_address_that_is_none(void **state)
{
    pair p = outlaw_pair(*state, NULL);
    weir_address address = {.family = WEIR_FAMILY_PATH};
    assert_code(weir_stream_remote_address(p.client->stream, &address), UV_ENOENT);
    assert_int_equal(address.family, WEIR_FAMILY_PATH);
    assert_code(weir_stream_local_address(p.client->stream, &address), 0);
}

/* ---- tables that are not whole ---- */

static void expect_no_link(fixture *f, const char *layer, const char *missing)
{
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    const char *endpoint = fixture_text(f, "%s+%s", layer, fixture_url(f, server));
    recorder *r = record_stream(f, weir_stream_new(f->runtime, NULL), 0);
    weir_stream_release(r->stream);
    assert_code(recorder_connect(r, endpoint), WEIR_EPLUGIN);
    assert_non_null(
        strstr(fixture_log(f),
               fixture_text(f, "error: plugin %s: its link cannot be used: the table lacks '%s'\n", layer, missing)));
    assert_code(recorder_connect(r, fixture_url(f, server)), 0); /* the stream is none the worse */
    recorder_wait(r, WEIR_EVENT_READY);
}

static void a_link_whose_table_is_not_whole_is_not_used(void **state)
{
    fixture *f = *state;
    freed = 0;
    expect_no_link(f, "nameless", "name");
    assert_int_equal(freed, 1);
    expect_no_link(f, "endless", "free");
}

static void a_layer_that_is_not_whole_is_not_added(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_endpoint *endpoint = NULL;
    assert_code(
        weir_endpoint_parse(f->runtime, "nameless+outlaw+tcp://127.0.0.1:1", WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    freed = 0;
    assert_code(weir_stream_add_layer(p.client->stream, endpoint, NULL, NULL), WEIR_EPLUGIN);
    assert_int_equal(freed, 1);
    assert_null(last); /* made before it, and given back */
    weir_endpoint_release(endpoint);
    recorder_write(p.client, "bare", 4);
    recorder_wait_data(p.accepted, 4);
}

static void an_arrival_whose_layer_is_not_whole_is_closed(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "nameless+tcp://127.0.0.1:0", NULL);
    weir_address address;
    freed = 0;
    assert_code(weir_server_address(server, &address), 0);
    recorder *r = fixture_client(f, fixture_text(f, "tcp://127.0.0.1:%d", address.port), NULL);
    recorder_wait(r, WEIR_EVENT_CLOSE);
    assert_int_equal(freed, 1);
    assert_int_equal(weir_server_connections(server), 0);
    assert_int_equal(weir_server_listening(server), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAW_TEST(law_9_a_link_that_is_closing_reports_to_nobody),
        LAW_TEST(law_8_closed_comes_once),
        LAW_TEST(what_a_closing_link_asks_of_the_one_below),
        LAW_TEST(laws_1_2_4_6_8_reports_that_nobody_has_asked_for),
        LAW_TEST(law_3_after_the_end_comes_nothing),
        LAW_TEST(BN_05_a_peer_is_told_to_have_gone_once),
        LAW_TEST(law_2_BN_05_a_hangup_waits_while_a_layer_is_read),
        LAW_TEST(law_2_BN_05_behind_the_end_a_hangup_is_no_news),
        LAW_TEST(law_2_BN_05_a_hangup_that_was_kept_is_no_news_to_a_layer_behind_the_end),
        LAW_TEST(law_1_BN_05_a_hangup_waits_until_a_layer_is_open),
        LAW_TEST(law_1_no_hangup_comes_from_what_is_not_open),
        LAW_TEST(law_7_reports_end_at_a_link_that_has_failed),
        LAW_TEST(CONN_18_CONN_19_one_question_at_a_time),
        LAW_TEST(below_a_transport_there_is_nothing),
        LAW_TEST(law_7_a_write_that_failed_fails_for_good),
        LAW_TEST(SOCP_15_an_address_that_is_none),
        LAW_TEST(a_link_whose_table_is_not_whole_is_not_used),
        LAW_TEST(a_layer_that_is_not_whole_is_not_added),
        LAW_TEST(an_arrival_whose_layer_is_not_whole_is_closed),
    };
    return cmocka_run_group_tests_name("link laws", tests, NULL, NULL);
}
