/* SPDX-License-Identifier: MIT */
/* Contexts of the layer tls that change: reloaded by call, by other options, by files that are watched. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "syscalls.h"
#include "tls_contexts.h"

static void write_file(fixture *f, const char *name, const char *text)
{
    FILE *file = fopen(fixture_path(f, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* A certificate and its key in two files. */
static void write_pair_in(fixture *f, const char *folder, const char *subject)
{
    write_file(
        f, fixture_text(f, "%scert.pem", folder),
        fixture_text(f, "-----BEGIN FAKE CERTIFICATE-----\nsubject=%s\nissuer=ca\naddress=127.0.0.1\n", subject));
    write_file(f, fixture_text(f, "%skey.pem", folder),
               fixture_text(f, "-----BEGIN FAKE KEY-----\nsubject=%s\n", subject));
}

static void write_pair(fixture *f, const char *subject)
{
    write_pair_in(f, "", subject);
}

#define FILES_IN(f, in) \
    fixture_text(f, "\"cert\": \"%s/%scert.pem\", \"key\": \"%s/%skey.pem\"", (f)->folder, in, (f)->folder, in)
#define FILES(f) FILES_IN(f, "")

/* ---- reloading ---- */

static void TLS_15_a_reload_is_for_new_handshakes_only(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    write_pair(f, "first");
    const weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    recorder *before = tls_client(f, server, TRUSTS);
    recorder_wait(before, WEIR_EVENT_READY);
    write_pair(f, "second");
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.peer.subject"), "first");
    assert_code(tls->context_reload(context, NULL, &error), 0);
    assert_null(error);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
    assert_string_equal(fact_of(f, before, "tls.peer.subject"), "first");
    recorder_write(before, "still there", 11);
    recorder *accepted = fixture_accepted(f, server, 0);
    recorder_wait_data(accepted, 11);
    recorder_end(before);
    recorder_wait(before, WEIR_EVENT_CLOSE);
    tls->context_release(context);
}

static void TLS_15_a_bad_pair_is_refused_and_the_old_one_serves_on(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    weir_tls_counters counters = {.size = sizeof(counters)};
    write_pair(f, "first");
    const weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    write_file(f, "key.pem", "-----BEGIN FAKE KEY-----\nsubject=second\n");
    assert_code(tls->context_reload(context, NULL, &error), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "/key: it is not the key of the certificate"));
    weir_error_release(error);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    assert_int_equal(unlink(fixture_path(f, "cert.pem")), 0);
    assert_code(tls->context_reload(context, NULL, &error), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "cert.pem"));
    weir_error_release(error);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    tls->context_counters(context, &counters);
    assert_int_equal(counters.reloads, 0);
    assert_int_equal(counters.reloads_refused, 2);
    tls->context_release(context);
}

static void TLS_15_a_reload_may_bring_other_options(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    options.options = "{\"cert\": \"" FAKE_CERT "\", \"keys\": 1}";
    assert_code(tls->context_reload(context, &options, &error), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "keys"));
    weir_error_release(error);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    options.options = "{\"cert\": \"" OTHER_CERT "address=127.0.0.1\\n\", \"key\": \"" OTHER_KEY "\"}";
    assert_code(tls->context_reload(context, &options, &error), 0);
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.peer.subject"), "other");
    assert_code(tls->context_reload(context, NULL, NULL), 0);
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.peer.subject"), "other");
    tls->context_release(context);
}

/* A certificate a day, for ever: what never sealed a ticket goes with its certificate. */
static void TLS_12_TLS_15_certificates_that_were_replaced_leave_no_keys(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    write_pair(f, "one that is as long");
    const weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    weir_tls_context *context = make_context(f, tls, &options);
    assert_code(tls->context_reload(context, NULL, NULL), 0);
    size_t live = allocator_live();
    for (int day = 100; day < 120; day++) {
        write_pair(f, fixture_text(f, "the one of day %d", day));
        assert_code(tls->context_reload(context, NULL, NULL), 0);
    }
    assert_int_equal(allocator_live(), live);
    tls->context_release(context);
}

/* Also by options that name the context itself. */
static void TLS_15_a_reload_by_its_own_name_changes_nothing(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    options.options = "{\"context\": \"front\"}";
    assert_code(tls->context_reload(context, &options, NULL), 0);
    assert_code(tls->context_reload(context, NULL, NULL), 0);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    tls->context_release(context);
}

static void TLS_15_a_context_does_not_become_another_one(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_error *error = NULL;
    weir_tls_counters counters = {.size = sizeof(counters)};
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    weir_tls_context *other = make_context(f, tls, &options);
    assert_code(tls->context_register(other, "other"), 0);
    options.options = "{\"context\": \"other\"}";
    assert_code(tls->context_reload(context, &options, &error), UV_EINVAL);
    assert_non_null(strstr(error->message, "cannot become another one"));
    weir_error_release(error);
    tls->context_counters(context, &counters);
    assert_int_equal(counters.reloads_refused, 1);
    tls->context_release(other);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    tls->context_release(context);
}

typedef struct letting_go {
    const weir_tls *tls;
    weir_tls_context *context;
} letting_go;

static void let_go(weir_log_level level, const char *message, void *arg)
{
    letting_go *self = arg;
    weir_tls_context *context = self->context;
    (void)level;
    (void)message;
    self->context = NULL;
    self->tls->context_release(context);
}

static void TLS_15_a_context_may_be_given_up_in_a_line_of_the_log(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    for (int with = 0; with < 2; with++) {
        write_pair(f, "first");
        letting_go self = {tls, make_context(f, tls, &options)};
        assert_int_equal(chmod(fixture_path(f, "key.pem"), 0644), 0); /* is warned about */
        weir_runtime_on_log(f->runtime, let_go, &self);
        assert_code(tls->context_reload(self.context, with ? &options : NULL, NULL), 0);
        assert_null(self.context);
        weir_runtime_on_log(f->runtime, quiet, NULL);
        assert_int_equal(chmod(fixture_path(f, "key.pem"), 0600), 0);
    }
}

static int log_has(const void *arg)
{
    const char *const *what = arg;
    return strstr(fixture_log((const fixture *)(const void *)what[0]), what[1]) != NULL;
}

static void wait_log(fixture *f, const char *line)
{
    const char *const what[] = {(const char *)(const void *)f, line};
    while (!log_has(what)) {
        assert_false(f->expired);
        fixture_turn(f, log_has, what);
    }
}

static void until_served(fixture *f, weir_server *server, const char *subject)
{
    while (strcmp(ask(f, server, TRUSTS, "tls.peer.subject"), subject) != 0)
        assert_false(f->expired);
}

static void TLS_15_files_that_change_are_read_again(void **state)
{
    fixture *f = *state;
    write_pair(f, "first");
    weir_server *server = polite_server(f, fixture_text(f, "%s, \"watch\": true", FILES(f)));
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    write_pair(f, "second");
    wait_log(f, fixture_text(
                    f, "info: tls-fake: the files have changed and were read again; the certificate is that in %s\n",
                    fixture_path(f, "cert.pem")));
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
    /* replaced by a rename, and first by half of a pair */
    write_file(f, "new.pem", "-----BEGIN FAKE CERTIFICATE-----\nsubject=third\nissuer=ca\naddress=127.0.0.1\n");
    assert_int_equal(rename(fixture_path(f, "new.pem"), fixture_path(f, "cert.pem")), 0);
    wait_log(f, "cannot be used; what was read before serves on: invalid options: tls-fake: /key: it is not the key");
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
    write_file(f, "key.pem", "-----BEGIN FAKE KEY-----\nsubject=third\n");
    until_served(f, server, "third");
}

/* Before the first connection nothing is watched: what has changed until then is seen then. */
static void TLS_15_what_changed_before_the_first_connection_is_seen(void **state)
{
    fixture *f = *state;
    write_pair(f, "first");
    weir_server *server = polite_server(f, fixture_text(f, "%s, \"watch\": true", FILES(f)));
    write_pair(f, "newer than that"); /* of another size: where clocks are coarse, time alone does not tell */
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "newer than that");
}

/* Folders that are links, turned over; links to files elsewhere; a folder that goes and comes again: what stands at the path
 * counts, however it got there. */
static void TLS_15_watched_files_may_be_reached_by_links(void **state)
{
    fixture *f = *state;
    const char *now = fixture_path(f, "now");
    const char *next = fixture_path(f, "next");
    assert_int_equal(mkdir(fixture_path(f, "one"), 0700), 0);
    assert_int_equal(mkdir(fixture_path(f, "two"), 0700), 0);
    write_pair_in(f, "one/", "first");
    write_pair_in(f, "two/", "second");
    assert_int_equal(symlink("one", now), 0);
    weir_server *server = polite_server(
        f, fixture_text(f, "\"cert\": \"%s/cert.pem\", \"key\": \"%s/key.pem\", \"watch\": true", now, now));
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    assert_int_equal(symlink("two", next), 0);
    assert_int_equal(rename(next, now), 0);
    until_served(f, server, "second");
    /* the folder itself, away and back */
    assert_int_equal(rename(fixture_path(f, "two"), fixture_path(f, "away")), 0);
    wait_log(f, "cannot be used; what was read before serves on");
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
    assert_int_equal(mkdir(fixture_path(f, "two"), 0700), 0);
    write_pair_in(f, "two/", "third");
    until_served(f, server, "third");
}

static void TLS_10_TLS_15_files_of_a_name_are_watched_too(void **state)
{
    static const char asks[] = TRUSTS ", \"servername\": \"a.example\", \"rejectUnauthorized\": false";
    fixture *f = *state;
    assert_int_equal(mkdir(fixture_path(f, "one"), 0700), 0);
    write_pair_in(f, "one/", "first");
    weir_server *server = polite_server(
        f, fixture_text(f, SERVES ", \"watch\": true, \"SNI\": {\"a.example\": {%s}}", FILES_IN(f, "one/")));
    assert_string_equal(ask(f, server, asks, "tls.peer.subject"), "first");
    write_pair_in(f, "one/", "second");
    while (strcmp(ask(f, server, asks, "tls.peer.subject"), "second") != 0)
        assert_false(f->expired);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
}

/* A reload in a line of the log, while what is watched is looked at. */
typedef struct reloading {
    const weir_tls *tls;
    weir_tls_context *context;
    weir_tls_options options;
    int done;
} reloading;

static void reload_in_log(weir_log_level level, const char *message, void *arg)
{
    reloading *self = arg;
    (void)level;
    if (self->done || !strstr(message, "cannot be used"))
        return;
    self->done = 1;
    assert_code(self->tls->context_reload(self->context, &self->options, NULL), 0);
}

static void TLS_15_other_files_are_watched_after_a_reload(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    reloading self = {.tls = tls};
    assert_int_equal(mkdir(fixture_path(f, "one"), 0700), 0);
    assert_int_equal(mkdir(fixture_path(f, "two"), 0700), 0);
    write_pair_in(f, "one/", "first");
    write_pair_in(f, "two/", "second");
    weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s, \"watch\": true}", FILES_IN(f, "one/")));
    self.context = make_context(f, tls, &options);
    self.options = options_of(WEIR_SERVER, fixture_text(f, "{%s, \"watch\": true}", FILES_IN(f, "two/")));
    weir_server *server = named_server(f, tls, self.context);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    /* nothing there any more, which is a line of the log */
    weir_runtime_on_log(f->runtime, reload_in_log, &self);
    assert_int_equal(rename(fixture_path(f, "one"), fixture_path(f, "away")), 0);
    fixture_until(f, &self.done);
    weir_runtime_on_log(f->runtime, quiet, NULL);
    until_served(f, server, "second");
    write_pair_in(f, "two/", "third");
    until_served(f, server, "third");
    tls->context_release(self.context);
}

static int is_reloaded(const void *arg)
{
    const reloading *self = arg;
    weir_tls_counters counters = {.size = sizeof(counters)};
    self->tls->context_counters(self->context, &counters);
    return counters.reloads == 2;
}

/* Nobody connects when they change: nothing but an event tells. */
static void TLS_15_a_change_of_other_files_is_an_event(void **state)
{
    fixture *f = *state;
    reloading self = {.tls = interface_of(f)};
    assert_int_equal(mkdir(fixture_path(f, "one"), 0700), 0);
    assert_int_equal(mkdir(fixture_path(f, "two"), 0700), 0);
    write_pair_in(f, "one/", "first");
    write_pair_in(f, "two/", "second");
    weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s, \"watch\": true}", FILES_IN(f, "one/")));
    self.context = make_context(f, self.tls, &options);
    weir_server *server = named_server(f, self.tls, self.context);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    options = options_of(WEIR_SERVER, fixture_text(f, "{%s, \"watch\": true}", FILES_IN(f, "two/")));
    assert_code(self.tls->context_reload(self.context, &options, NULL), 0);
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.peer.subject"), "second");
    write_pair_in(f, "two/", "third");
    while (!is_reloaded(&self)) {
        assert_false(f->expired);
        fixture_turn(f, is_reloaded, &self);
    }
    assert_string_equal(ask(f, server, TRUSTS ", \"tickets\": false", "tls.peer.subject"), "third");
    self.tls->context_release(self.context);
}

static unsigned looks;

/* Of a call that is not made to fail. */
static int count_look(int first, int second, int third)
{
    (void)first;
    (void)second;
    (void)third;
    looks++;
    return 0;
}

/* Files may be far away: every connection would wait for that. */
static void TLS_15_files_are_not_looked_at_for_every_connection(void **state)
{
    enum { CONNECTIONS = 40, SECOND = 1000000000 };
    fixture *f = *state;
    write_pair(f, "first");
    weir_server *server = polite_server(f, fixture_text(f, "%s, \"watch\": true", FILES(f)));
    uint64_t begun = uv_hrtime();
    looks = 0;
    syscalls_fail(&(syscall_fault){.call = "stat", .error = EIO, .path = "/cert.pem", .of = count_look});
    for (int i = 0; i < CONNECTIONS; i++)
        assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    syscalls_restore();
    /* one a second, however long that took */
    uint64_t most = 2 + (uv_hrtime() - begun) / SECOND;
    if (looks == 0 || looks > most)
        fail_msg("%u looks, not %u", looks, (unsigned)most);
}

static int has_looked(const void *arg)
{
    return looks > *(const unsigned *)arg;
}

/* What cannot be used is told once, however often something else makes one look; and again when it is other files. */
static void TLS_15_what_cannot_be_used_is_told_once(void **state)
{
    static const char refused[] = "cannot be used; what was read before serves on";
    fixture *f = *state;
    write_pair(f, "first");
    weir_server *server = polite_server(f, fixture_text(f, "%s, \"watch\": true", FILES(f)));
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    for (size_t nth = 1; nth <= 2; nth++) { /* each is another file than all before */
        write_file(f, "new.pem", nth == 1 ? "no certificate" : "no certificate either");
        assert_int_equal(rename(fixture_path(f, "new.pem"), fixture_path(f, "cert.pem")), 0);
        while (fixture_times(fixture_log(f), refused) < nth) {
            assert_false(f->expired);
            fixture_turns(f, 1);
        }
        syscalls_fail(&(syscall_fault){.call = "stat", .error = EIO, .path = "/cert.pem", .of = count_look});
        for (int i = 0; i < 3; i++) {
            unsigned before = looks;
            write_file(f, "noise", "noise");
            while (!has_looked(&before)) {
                assert_false(f->expired);
                fixture_turn(f, has_looked, &before);
            }
        }
        syscalls_restore();
        assert_int_equal(fixture_times(fixture_log(f), refused), nth);
    }
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
}

/* The clock of timers, where it is not 0: it stands still, so that it does not matter how long a turn takes. */
static uint64_t clock_at;

uint64_t uv_now(const uv_loop_t *loop)
{
    union {
        void *found;
        uint64_t (*call)(const uv_loop_t *);
    } real = {.found = dlsym(RTLD_NEXT, "uv_now")};
    assert_non_null(real.found);
    return clock_at != 0 ? clock_at : real.call(loop);
}

/* So late something changes in the folder; the event is there at once. */
static void noise_at(fixture *f, uint64_t when)
{
    clock_at = when;
    write_file(f, "noise", "noise");
    fixture_turns(f, 4);
}

typedef struct later {
    weir_timer timer;
    int came;
} later;

static void on_later(weir_timer *timer)
{
    ((later *)(void *)timer)->came = 1;
}

/* Each change puts the look off for a moment, but not for ever: half a second after the first one it is not put off again. */
static void TLS_15_a_folder_that_never_rests_is_read(void **state)
{
    static const char read_again[] = "the files have changed and were read again";
    enum { PAUSE = 90, LAST = 6 * PAUSE }; /* less than a moment; more than half a second */
    fixture *f = *state;
    write_pair(f, "first");
    weir_server *server = polite_server(f, fixture_text(f, "%s, \"watch\": true", FILES(f)));
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "first");
    fixture_turns(f, 4);
    uint64_t begun = uv_now(&f->loop);
    clock_at = begun;
    write_pair(f, "second");
    for (uint64_t passed = 0; passed <= LAST; passed += PAUSE)
        noise_at(f, begun + passed);
    assert_int_equal(fixture_times(fixture_log(f), read_again), 0);
    /* a moment after the last change but one that one may wait for; not after the last change */
    later self = {.timer.run = on_later};
    assert_code(weir_timer_start(f->runtime, &self.timer, PAUSE / 3), 0);
    clock_at = begun + LAST + PAUSE / 2;
    fixture_until(f, &self.came);
    clock_at = 0;
    assert_int_equal(fixture_times(fixture_log(f), read_again), 1);
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "second");
}

static weir_tls_context *give(const weir_tls_hello *hello, void *arg)
{
    (void)hello;
    return arg;
}

/* It has no listener of its own that would begin it. */
static void TLS_10_TLS_15_a_context_that_a_callback_chose_is_watched(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    write_pair(f, "first");
    weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s, \"watch\": true}", FILES(f)));
    weir_tls_context *chosen = make_context(f, tls, &options);
    options.options = "{" SERVES "}";
    options.server_name = give;
    options.arg = chosen;
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    write_pair(f, "newer than that"); /* before it serves for the first time */
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "newer than that");
    write_pair(f, "third");
    wait_log(f, fixture_text(f, "were read again; the certificate is that in %s\n", fixture_path(f, "cert.pem")));
    until_served(f, server, "third");
    tls->context_release(chosen);
    tls->context_release(context);
}

static void TLS_15_a_pair_replaced_under_load_fails_no_handshake(void **state)
{
    enum { CLIENTS = 60 };
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    recorder *clients[CLIENTS];
    write_pair(f, "first");
    const weir_tls_options options = options_of(WEIR_SERVER, fixture_text(f, "{%s}", FILES(f)));
    weir_tls_context *context = make_context(f, tls, &options);
    weir_server *server = named_server(f, tls, context);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = tls_client(f, server, TRUSTS ", \"tickets\": false");
        fixture_turns(f, (int)(i % 4));
        if (i % 10 == 5) {
            write_pair(f, i % 20 == 5 ? "second" : "first");
            assert_code(tls->context_reload(context, NULL, NULL), 0);
        }
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        recorder_wait(clients[i], WEIR_EVENT_READY);
        recorder_end(clients[i]);
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
        assert_int_equal(clients[i]->counts[WEIR_EVENT_ERROR], 0);
    }
    tls->context_release(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_15_a_reload_is_for_new_handshakes_only),
        FIXTURE_TEST(TLS_15_what_cannot_be_used_is_told_once),
        FIXTURE_TEST(TLS_15_a_folder_that_never_rests_is_read),
        FIXTURE_TEST(TLS_15_a_bad_pair_is_refused_and_the_old_one_serves_on),
        FIXTURE_TEST(TLS_15_a_reload_may_bring_other_options),
        FIXTURE_TEST(TLS_12_TLS_15_certificates_that_were_replaced_leave_no_keys),
        FIXTURE_TEST(TLS_15_a_reload_by_its_own_name_changes_nothing),
        FIXTURE_TEST(TLS_15_a_context_does_not_become_another_one),
        FIXTURE_TEST(TLS_15_a_context_may_be_given_up_in_a_line_of_the_log),
        FIXTURE_TEST(TLS_15_files_that_change_are_read_again),
        FIXTURE_TEST(TLS_15_what_changed_before_the_first_connection_is_seen),
        FIXTURE_TEST(TLS_15_watched_files_may_be_reached_by_links),
        FIXTURE_TEST(TLS_10_TLS_15_files_of_a_name_are_watched_too),
        FIXTURE_TEST(TLS_15_other_files_are_watched_after_a_reload),
        FIXTURE_TEST(TLS_15_a_change_of_other_files_is_an_event),
        FIXTURE_TEST(TLS_15_files_are_not_looked_at_for_every_connection),
        FIXTURE_TEST(TLS_10_TLS_15_a_context_that_a_callback_chose_is_watched),
        FIXTURE_TEST(TLS_15_a_pair_replaced_under_load_fails_no_handshake),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_changes", tests, NULL, NULL);
}
