/* SPDX-License-Identifier: MIT */
/*
 * Certificates that are replaced while clients come all the time, in all the ways that people do it, by call and by the
 * files alone: no handshake fails, and the next one that begins is served the new one. Passphrases that change with them.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/tls.h>

#include "child.h"
#include "fixture.h"
#include "tls_service.h"

/* ---- pairs: three of one authority ---- */

enum { PAIRS = 3, CLIENTS = 4 };

static char made[256]; /* the folder that has them: 0.pem, 0.key ... ca.pem */

static const char *of_pair(fixture *f, size_t which, const char *end)
{
    return fixture_text(f, "%s/%zu.%s", made, which, end);
}

static void make_pairs(void)
{
    int code;
    tls_need();
    if (made[0])
        return;
    tls_folder(made, sizeof(made), "renewed");
    for (int i = 0; i < PAIRS; i++) {
        const char name[] = {(char)('0' + i), '\0'};
        child_free(CHILD_RUN(&code, "cert", "--host", "localhost", "--out", made, "--file", name));
        assert_int_equal(code, 0);
    }
}

static const char *content(fixture *f, const char *path)
{
    char bytes[16384];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    ssize_t size = read(file, bytes, sizeof(bytes) - 1);
    assert_true(size > 0);
    close(file);
    bytes[size] = '\0';
    return fixture_text(f, "%s", bytes);
}

/* In place: what stood there is overwritten. */
static void put(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

static void copy(fixture *f, const char *from, const char *to)
{
    put(to, content(f, from));
}

/* ---- clients that come all the time ---- */

/* Under valgrind a handshake takes a tenth of a second. */
static size_t fewer(size_t many, size_t few)
{
    return getenv("WEIR_TEST_VALGRIND") ? few : many;
}

typedef struct load {
    fixture *f;
    const char *url;
    const char *pems[PAIRS];
    weir_stream *streams[CLIENTS];
    size_t handshakes;
    size_t of_pair[PAIRS];
    size_t failures;
    char failure[512];
    int stop;
    size_t running;
} load;

/* Which pair a stream was served; the last certificate of the file may be the authority's. */
static size_t pair_of(const load *self, weir_stream *stream)
{
    weir_value value;
    assert_int_equal(weir_stream_get(stream, "tls.peer.pem", &value), 0);
    for (size_t i = 0; i < PAIRS; i++) {
        if (strncmp(self->pems[i], value.text, strlen(value.text)) == 0)
            return i;
    }
    fail_msg("a certificate of nobody's:\n%s", value.text);
    return PAIRS;
}

static void load_start(load *self, size_t i);

static void on_ready(const weir_event *event, void *arg)
{
    load *self = arg;
    self->handshakes++;
    self->of_pair[pair_of(self, event->stream)]++;
    weir_stream_destroy(event->stream, NULL);
}

static void on_error(const weir_event *event, void *arg)
{
    load *self = arg;
    self->failures++;
    snprintf(self->failure, sizeof(self->failure), "%s", event->error->message);
}

static void on_close(const weir_event *event, void *arg)
{
    load *self = arg;
    size_t i = 0;
    while (self->streams[i] != event->stream)
        i++;
    weir_stream_release(event->stream);
    self->streams[i] = NULL;
    self->running--;
    if (!self->stop)
        load_start(self, i);
}

static void load_start(load *self, size_t i)
{
    weir_stream *stream = weir_stream_new(self->f->runtime, NULL);
    assert_non_null(stream);
    self->streams[i] = stream;
    self->running++;
    weir_stream_on(stream, WEIR_EVENT_READY, on_ready, self);
    weir_stream_on(stream, WEIR_EVENT_ERROR, on_error, self);
    weir_stream_on(stream, WEIR_EVENT_CLOSE, on_close, self);
    assert_int_equal(weir_stream_connect(stream, self->url, NULL, NULL), 0);
}

static void load_check(const load *self)
{
    if (self->failures > 0)
        fail_msg("a handshake failed: %s", self->failure);
    if (self->f->expired)
        fail_msg("after %zu handshakes nothing more came; the log:\n%s", self->handshakes, fixture_log(self->f));
}

static void load_turns(load *self, size_t handshakes)
{
    size_t wanted = self->handshakes + handshakes;
    while (self->handshakes < wanted) {
        fixture_turns(self->f, 1);
        load_check(self);
    }
}

static void load_begin(load *self, fixture *f, const char *port_of)
{
    memset(self, 0, sizeof(*self));
    self->f = f;
    f->record = 0;
    for (size_t i = 0; i < PAIRS; i++)
        self->pems[i] = content(f, of_pair(f, i, "pem"));
    self->url =
        fixture_text(f, "tls+tcp://127.0.0.1:%s?servername=localhost&tickets=false&ca=%s/ca.pem", port_of, made);
    for (size_t i = 0; i < fewer(CLIENTS, 2); i++)
        load_start(self, i);
}

static void load_end(load *self)
{
    self->stop = 1;
    while (self->running > 0) {
        fixture_turns(self->f, 1);
        load_check(self);
    }
    assert_int_equal(self->failures, 0);
}

static void on_served(const weir_event *event, void *arg)
{
    int *served = arg;
    (void)event;
    *served = 1;
}

/* One handshake that begins now, among the others: which pair it is served. */
static size_t serves(load *self)
{
    int served = 0;
    weir_stream *stream = weir_connect(self->f->runtime, self->url, NULL, NULL, NULL, NULL);
    assert_non_null(stream);
    weir_stream_on(stream, WEIR_EVENT_READY, on_served, &served);
    weir_stream_on(stream, WEIR_EVENT_ERROR, on_error, self);
    while (!served) {
        fixture_turns(self->f, 1);
        load_check(self);
    }
    size_t which = pair_of(self, stream);
    weir_stream_destroy(stream, NULL);
    weir_stream_release(stream);
    return which;
}

/* Until the log has one more line with this in it. */
static size_t lines_with(const fixture *f, const char *text)
{
    size_t count = 0;
    for (const char *at = fixture_log(f); (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

static const char was_read[] = "the files have changed and were read again";
static const char was_refused[] = "cannot be used; what was read before serves on";

static void load_until(load *self, const char *line, size_t count)
{
    while (lines_with(self->f, line) < count)
        load_turns(self, 1);
}

/* ---- ways of replacing a pair ---- */

typedef struct place {
    fixture *f;
    const char *cert;
    const char *key;
} place;

static const char *in(const place *at, const char *name)
{
    return fixture_path(at->f, name);
}

static void link_to(const char *target, const char *path)
{
    assert_int_equal(symlink(target, path), 0);
}

static void relink(const place *at, const char *target, const char *path)
{
    link_to(target, in(at, "fresh-link"));
    assert_int_equal(rename(in(at, "fresh-link"), path), 0);
}

/* Under another name first, and then renamed: the usual way. */
static void by_rename(const place *at, size_t which)
{
    copy(at->f, of_pair(at->f, which, "key"), in(at, "fresh.key"));
    copy(at->f, of_pair(at->f, which, "pem"), in(at, "fresh.pem"));
    assert_int_equal(rename(in(at, "fresh.key"), at->key), 0);
    assert_int_equal(rename(in(at, "fresh.pem"), at->cert), 0);
}

static void prepare_plainly(place *at, size_t which)
{
    at->cert = in(at, "site.pem");
    at->key = in(at, "site.key");
    by_rename(at, which);
}

/* The key first. */
static void in_place(const place *at, size_t which)
{
    copy(at->f, of_pair(at->f, which, "key"), at->key);
    copy(at->f, of_pair(at->f, which, "pem"), at->cert);
}

/* As volumes of secrets are made: tls.crt -> ..data/tls.crt, ..data -> ..NUMBER, and that link is turned over. */
static void turn_data(const place *at, size_t which)
{
    const char *folder = fixture_text(at->f, "..%zu", which);
    assert_int_equal(mkdir(in(at, folder), 0700), 0);
    copy(at->f, of_pair(at->f, which, "key"), in(at, fixture_text(at->f, "%s/tls.key", folder)));
    copy(at->f, of_pair(at->f, which, "pem"), in(at, fixture_text(at->f, "%s/tls.crt", folder)));
    relink(at, folder, in(at, "..data"));
}

static void prepare_data(place *at, size_t which)
{
    turn_data(at, which);
    link_to("..data/tls.crt", in(at, "tls.crt"));
    link_to("..data/tls.key", in(at, "tls.key"));
    at->cert = in(at, "tls.crt");
    at->key = in(at, "tls.key");
}

/* As certbot does: live/site/privkey.pem -> ../../archive/site/privkey1.pem, with a higher number each time. */
static void next_in_archive(const place *at, size_t which)
{
    const char *key = fixture_text(at->f, "../../archive/site/privkey%zu.pem", which);
    const char *cert = fixture_text(at->f, "../../archive/site/fullchain%zu.pem", which);
    copy(at->f, of_pair(at->f, which, "key"), in(at, fixture_text(at->f, "archive/site/privkey%zu.pem", which)));
    copy(at->f, of_pair(at->f, which, "pem"), in(at, fixture_text(at->f, "archive/site/fullchain%zu.pem", which)));
    unlink(at->key);
    link_to(key, at->key);
    unlink(at->cert);
    link_to(cert, at->cert);
}

static void prepare_archive(place *at, size_t which)
{
    static const char *const folders[] = {"archive", "archive/site", "live", "live/site"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mkdir(in(at, folders[i]), 0700), 0);
    at->cert = in(at, "live/site/fullchain.pem");
    at->key = in(at, "live/site/privkey.pem");
    next_in_archive(at, which);
}

/* What the link leads to is overwritten, in a folder of which the path says nothing. */
static void in_archive(const place *at, size_t which)
{
    copy(at->f, of_pair(at->f, which, "key"), in(at, "archive/site/privkey0.pem"));
    copy(at->f, of_pair(at->f, which, "pem"), in(at, "archive/site/fullchain0.pem"));
}

/* current -> release-NUMBER, in the middle of the path. */
static void turn_folder(const place *at, size_t which)
{
    const char *folder = fixture_text(at->f, "release-%zu", which);
    assert_int_equal(mkdir(in(at, folder), 0700), 0);
    copy(at->f, of_pair(at->f, which, "key"), in(at, fixture_text(at->f, "%s/site.key", folder)));
    copy(at->f, of_pair(at->f, which, "pem"), in(at, fixture_text(at->f, "%s/site.pem", folder)));
    relink(at, folder, in(at, "current"));
}

static void prepare_folder(place *at, size_t which)
{
    turn_folder(at, which);
    at->cert = in(at, "current/site.pem");
    at->key = in(at, "current/site.key");
}

typedef struct way {
    const char *name;
    void (*prepare)(place *at, size_t which);
    void (*replace)(const place *at, size_t which);
} way;

static const way ways[] = {
    {"renamed", prepare_plainly, by_rename},        {"in place", prepare_plainly, in_place},
    {"a secret's volume", prepare_data, turn_data}, {"certbot", prepare_archive, next_in_archive},
    {"behind a link", prepare_archive, in_archive}, {"a folder's link", prepare_folder, turn_folder},
};

/* ---- by call ---- */

typedef struct called {
    const weir_tls *tls;
    weir_tls_context *context;
    weir_server *server;
} called;

static const weir_tls *interface_of(fixture *f)
{
    const weir_plugin *plugin;
    assert_code(weir_runtime_load_plugin(f->runtime, "tls", &plugin, NULL), 0);
    const weir_tls *tls = weir_tls_of(plugin);
    assert_non_null(tls);
    assert_int_equal(tls->size, sizeof(weir_tls));
    return tls;
}

static const char *port_of(fixture *f, const weir_server *server)
{
    weir_address address;
    assert_int_equal(weir_server_address(server, &address), 0);
    return fixture_text(f, "%u", address.port);
}

static called make_by_call(fixture *f, const char *options)
{
    called self = {.tls = interface_of(f)};
    const weir_tls_options wanted = {.size = sizeof(wanted), .role = WEIR_SERVER, .options = options};
    weir_error *error = NULL;
    if (self.tls->context_new(f->runtime, &wanted, &self.context, &error) != 0)
        fail_msg("%s", error->message);
    return self;
}

static called serve_by_call(fixture *f, const char *options)
{
    called self = make_by_call(f, options);
    assert_code(self.tls->context_register(self.context, "site"), 0);
    self.server = fixture_listen(f, "tls+tcp://127.0.0.1:0?context=site", NULL);
    return self;
}

static void reload(const called *self)
{
    weir_error *error = NULL;
    if (self->tls->context_reload(self->context, NULL, &error) != 0)
        fail_msg("%s", error->message);
}

static void refuse_reload(const called *self, const char *why)
{
    weir_error *error = NULL;
    assert_code(self->tls->context_reload(self->context, NULL, &error), WEIR_EINVALID_CONFIG);
    if (!strstr(error->message, why))
        fail_msg("%s", error->message);
    weir_error_release(error);
}

static void replace_by_call(fixture *f, const way *how)
{
    place at = {.f = f};
    load self;
    weir_tls_counters counters = {.size = sizeof(counters)};
    make_pairs();
    how->prepare(&at, 0);
    called site = serve_by_call(f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\"}", at.cert, at.key));
    load_begin(&self, f, port_of(f, site.server));
    load_turns(&self, fewer(8, 1));
    assert_int_equal(self.of_pair[0], self.handshakes);
    for (size_t which = 1; which < fewer(PAIRS, 2); which++) {
        how->replace(&at, which);
        reload(&site);
        assert_int_equal(serves(&self), which);
        load_turns(&self, fewer(8, 1));
    }
    site.tls->context_counters(site.context, &counters);
    assert_int_equal(counters.reloads, fewer(PAIRS, 2) - 1);
    assert_int_equal(counters.reloads_refused, 0);
    assert_int_equal(counters.handshakes_failed, 0);
    load_end(&self);
    site.tls->context_release(site.context);
}

static void TLS_15_by_call_the_next_handshake_has_the_new_one(void **state)
{
    replace_by_call(*state, &ways[0]);
}

static void TLS_15_by_call_written_in_place(void **state)
{
    replace_by_call(*state, &ways[1]);
}

static void TLS_15_by_call_links_turned_over(void **state)
{
    replace_by_call(*state, &ways[2]);
}

static void TLS_15_by_call_a_bad_pair_is_refused_under_load(void **state)
{
    fixture *f = *state;
    place at = {.f = f};
    load self;
    make_pairs();
    prepare_plainly(&at, 0);
    called site = serve_by_call(f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\"}", at.cert, at.key));
    load_begin(&self, f, port_of(f, site.server));
    load_turns(&self, fewer(4, 1));
    copy(f, of_pair(f, 1, "key"), at.key); /* half of a pair */
    refuse_reload(&site, at.key);
    assert_int_equal(serves(&self), 0);
    put(at.cert, "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n");
    refuse_reload(&site, at.cert);
    assert_int_equal(unlink(at.cert), 0);
    refuse_reload(&site, at.cert);
    load_turns(&self, fewer(8, 1));
    assert_int_equal(self.of_pair[0], self.handshakes);
    copy(f, of_pair(f, 1, "pem"), at.cert);
    reload(&site);
    assert_int_equal(serves(&self), 1);
    load_end(&self);
    site.tls->context_release(site.context);
}

/* ---- by the files alone ---- */

static weir_server *serve_watching(const place *at, const char *more)
{
    return fixture_listen(at->f,
                          fixture_text(at->f,
                                       "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"tls\": {"
                                       "\"cert\": \"%s\", \"key\": \"%s\", \"watch\": true%s}}]}",
                                       at->cert, at->key, more),
                          NULL);
}

static void replace_watched(fixture *f, const way *how)
{
    place at = {.f = f};
    load self;
    make_pairs();
    how->prepare(&at, 0);
    weir_server *server = serve_watching(&at, "");
    load_begin(&self, f, port_of(f, server));
    load_turns(&self, fewer(8, 1));
    assert_int_equal(self.of_pair[0], self.handshakes);
    for (size_t which = 1; which < fewer(PAIRS, 2); which++) {
        how->replace(&at, which);
        load_until(&self, was_read, which);
        assert_int_equal(serves(&self), which);
    }
    load_end(&self);
    assert_int_equal(lines_with(f, "cannot be watched"), 0);
}

static void TLS_15_watched_and_renamed(void **state)
{
    replace_watched(*state, &ways[0]);
}

static void TLS_15_watched_and_written_in_place(void **state)
{
    replace_watched(*state, &ways[1]);
}

static void TLS_15_watched_as_a_volume_of_secrets(void **state)
{
    replace_watched(*state, &ways[2]);
}

static void TLS_15_watched_as_certbot_leaves_them(void **state)
{
    replace_watched(*state, &ways[3]);
}

static void TLS_15_watched_behind_a_link(void **state)
{
    replace_watched(*state, &ways[4]);
}

static void TLS_15_watched_in_a_folder_that_is_a_link(void **state)
{
    replace_watched(*state, &ways[5]);
}

/* The key long before its certificate: what does not go together is refused, and tried again with the next change. */
static void TLS_15_watched_half_of_a_pair_waits_for_the_other(void **state)
{
    fixture *f = *state;
    place at = {.f = f};
    load self;
    make_pairs();
    prepare_plainly(&at, 0);
    load_begin(&self, f, port_of(f, serve_watching(&at, "")));
    load_turns(&self, fewer(4, 1));
    copy(f, of_pair(f, 1, "key"), at.key);
    load_until(&self, was_refused, 1);
    assert_int_equal(serves(&self), 0);
    copy(f, of_pair(f, 1, "pem"), at.cert);
    load_until(&self, was_read, 1);
    assert_int_equal(serves(&self), 1);
    assert_int_equal(lines_with(f, was_refused), 1);
    load_end(&self);
}

/* A folder that goes, and comes again with everything in it. */
static void TLS_15_watched_while_its_folder_is_away(void **state)
{
    fixture *f = *state;
    place at = {.f = f};
    load self;
    make_pairs();
    turn_folder(&at, 0);
    at.cert = in(&at, "release-0/site.pem");
    at.key = in(&at, "release-0/site.key");
    load_begin(&self, f, port_of(f, serve_watching(&at, "")));
    load_turns(&self, fewer(4, 1));
    turn_folder(&at, 1);
    assert_int_equal(rename(in(&at, "release-0"), in(&at, "away")), 0);
    load_until(&self, was_refused, 1);
    assert_int_equal(serves(&self), 0);
    assert_int_equal(rename(in(&at, "release-1"), in(&at, "release-0")), 0);
    load_until(&self, was_read, 1);
    assert_int_equal(serves(&self), 1);
    copy(f, of_pair(f, 2, "key"), at.key);
    copy(f, of_pair(f, 2, "pem"), at.cert);
    load_until(&self, was_read, 2);
    assert_int_equal(serves(&self), 2);
    load_end(&self);
}

/* A folder in which somebody writes without a pause: the look is not put off for ever. */
static void TLS_15_watched_in_a_folder_that_never_rests(void **state)
{
    fixture *f = *state;
    place at = {.f = f};
    load self;
    make_pairs();
    prepare_plainly(&at, 0);
    load_begin(&self, f, port_of(f, serve_watching(&at, "")));
    load_turns(&self, fewer(4, 1));
    by_rename(&at, 1);
    while (lines_with(f, was_read) == 0) {
        put(in(&at, "noise"), "noise");
        load_turns(&self, 1);
    }
    assert_int_equal(serves(&self), 1);
    load_end(&self);
}

/* ---- passphrases ---- */

/* A pair's key, encrypted by openssl. */
static void encrypt(fixture *f, size_t which, const char *passphrase, const char *path)
{
    const char *from = of_pair(f, which, "key"), *by = fixture_text(f, "pass:%s", passphrase);
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", from,
                           "-passout", by, "-out", path);
    assert_int_equal(child_finish(openssl), 0);
    child_free(openssl);
}

static void TLS_15_a_reload_reads_the_passphrase_again(void **state)
{
    fixture *f = *state;
    place at = {.f = f};
    load self;
    make_pairs();
    prepare_plainly(&at, 0);
    encrypt(f, 0, "first", at.key);
    put(in(&at, "pass"), "first\n");
    called site =
        serve_by_call(f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\", \"passphrase\": {\"file\": \"%s\"}}",
                                      at.cert, at.key, in(&at, "pass")));
    load_begin(&self, f, port_of(f, site.server));
    load_turns(&self, fewer(4, 1));
    copy(f, of_pair(f, 1, "pem"), at.cert);
    encrypt(f, 1, "second", at.key);
    refuse_reload(&site, "passphrase");
    assert_int_equal(serves(&self), 0);
    put(in(&at, "pass"), "second\n");
    reload(&site);
    assert_int_equal(serves(&self), 1);
    assert_int_equal(unlink(in(&at, "pass")), 0);
    refuse_reload(&site, "does not exist");
    assert_int_equal(serves(&self), 1);
    load_end(&self);
    site.tls->context_release(site.context);
}

/* The passphrase comes last, and its file is watched like the others. */
static void TLS_15_a_passphrase_is_watched(void **state)
{
    fixture *f = *state;
    place at = {.f = f};
    load self;
    make_pairs();
    prepare_plainly(&at, 0);
    assert_int_equal(mkdir(in(&at, "secrets"), 0700), 0);
    encrypt(f, 0, "first", at.key);
    put(in(&at, "secrets/pass"), "first\n");
    const char *more = fixture_text(f, ", \"passphrase\": {\"file\": \"%s\"}", in(&at, "secrets/pass"));
    load_begin(&self, f, port_of(f, serve_watching(&at, more)));
    load_turns(&self, fewer(4, 1));
    encrypt(f, 1, "second", in(&at, "fresh.key"));
    copy(f, of_pair(f, 1, "pem"), at.cert);
    assert_int_equal(rename(in(&at, "fresh.key"), at.key), 0);
    load_until(&self, was_refused, 1);
    assert_int_equal(serves(&self), 0);
    put(in(&at, "secrets/pass"), "second\n");
    load_until(&self, was_read, 1);
    assert_int_equal(serves(&self), 1);
    load_end(&self);
}

/* A passphrase that stands in the options as text: a reload has it still. */
static void TLS_15_a_reload_keeps_a_passphrase_given_as_text(void **state)
{
    fixture *f = *state;
    place at = {.f = f};
    load self;
    make_pairs();
    prepare_plainly(&at, 0);
    encrypt(f, 0, "one for all", at.key);
    called site = serve_by_call(
        f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\", \"passphrase\": \"one for all\"}", at.cert, at.key));
    load_begin(&self, f, port_of(f, site.server));
    load_turns(&self, fewer(4, 1));
    encrypt(f, 1, "one for all", at.key);
    copy(f, of_pair(f, 1, "pem"), at.cert);
    reload(&site);
    reload(&site);
    assert_int_equal(serves(&self), 1);
    load_end(&self);
    site.tls->context_release(site.context);
}

/* ---- what is left of a passphrase ---- */

/* Made while the program runs, so that it stands nowhere else than where it is put. */
static void make_secret(char secret[24])
{
    for (int i = 0; i < 23; i++)
        secret[i] = (char)('A' + (i * 7 + 11) % 26);
    secret[23] = '\0';
}

/* Looks into the memory that malloc gives; into none where that is somewhere else (valgrind, sanitizers). */
static size_t found_in_heap(const char *wanted)
{
    char line[512], bytes[4096];
    size_t found = 0, length = strlen(wanted), from, to;
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof(line), maps)) {
        if (!strstr(line, "[heap]") || sscanf(line, "%zx-%zx", &from, &to) != 2)
            continue;
        for (; from < to; from += sizeof(bytes) - 64) {
            ssize_t got = pread(memory, bytes, sizeof(bytes), (off_t)from);
            found += got > 0 && memmem(bytes, (size_t)got, wanted, length) != NULL;
        }
    }
    fclose(maps);
    close(memory);
    explicit_bzero(bytes, sizeof(bytes));
    return found;
}

static void TLS_15_a_passphrase_in_a_file_is_in_memory_no_more(void **state)
{
    fixture *f = *state;
    place at = {.f = f};
    char secret[24];
    make_pairs();
    prepare_plainly(&at, 0);
    make_secret(secret);
    const char *pass = in(&at, "pass"), *by = fixture_text(f, "file:%s", pass);
    put(pass, secret);
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in",
                           of_pair(f, 0, "key"), "-passout", by, "-out", at.key);
    assert_int_equal(child_finish(openssl), 0);
    child_free(openssl);
    const char *options = fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\", \"passphrase\": {\"file\": \"%s\"}}",
                                       at.cert, at.key, pass);
    void *here = malloc(sizeof(secret));
    memcpy(here, secret, sizeof(secret));
    size_t seen = found_in_heap(secret); /* 1, where it can be seen at all */
    explicit_bzero(here, sizeof(secret));
    free(here);
    assert_int_equal(found_in_heap(secret), 0);
    called site = serve_by_call(f, options);
    assert_int_equal(found_in_heap(secret), 0);
    reload(&site);
    assert_int_equal(found_in_heap(secret), 0);
    site.tls->context_release(site.context);
    assert_int_equal(found_in_heap(secret), 0);
    if (seen == 0)
        skip();
}

/* A key that this process has never seen but by the layer. */
static void TLS_14_a_private_key_is_in_memory_no_more(void **state)
{
    enum { WITHIN = 80 }; /* the first line of base64, behind what all keys begin with */
    fixture *f = *state;
    char part[12] = {0};
    const char *cert = fixture_path(f, "unseen.pem"), *key = fixture_path(f, "unseen.key");
    make_pairs();
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a", "-keyout", key, "-out", cert);
    assert_int_equal(child_finish(openssl), 0);
    child_free(openssl);
    int file = open(key, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(file, part, sizeof(part) - 1, WITHIN), sizeof(part) - 1);
    close(file);
    assert_null(strpbrk(part, "-\n"));
    assert_int_equal(found_in_heap(part), 0);
    called site = make_by_call(f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\"}", cert, key));
    size_t seen = found_in_heap(part); /* as long as it may be needed; nothing where it cannot be seen at all */
    site.tls->context_release(site.context);
    assert_int_equal(found_in_heap(part), 0);
    if (seen == 0)
        skip();
}

/* ---- */

static int group_setup(void **state)
{
    (void)state;
    if (access(WEIR_TEST_PLUGINS "/tls.so", R_OK) == 0)
        fixture_preload("tls");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_15_by_call_the_next_handshake_has_the_new_one),
        FIXTURE_TEST(TLS_15_by_call_written_in_place),
        FIXTURE_TEST(TLS_15_by_call_links_turned_over),
        FIXTURE_TEST(TLS_15_by_call_a_bad_pair_is_refused_under_load),
        FIXTURE_TEST(TLS_15_watched_and_renamed),
        FIXTURE_TEST(TLS_15_watched_and_written_in_place),
        FIXTURE_TEST(TLS_15_watched_as_a_volume_of_secrets),
        FIXTURE_TEST(TLS_15_watched_as_certbot_leaves_them),
        FIXTURE_TEST(TLS_15_watched_behind_a_link),
        FIXTURE_TEST(TLS_15_watched_in_a_folder_that_is_a_link),
        FIXTURE_TEST(TLS_15_watched_half_of_a_pair_waits_for_the_other),
        FIXTURE_TEST(TLS_15_watched_while_its_folder_is_away),
        FIXTURE_TEST(TLS_15_watched_in_a_folder_that_never_rests),
        FIXTURE_TEST(TLS_15_a_reload_reads_the_passphrase_again),
        FIXTURE_TEST(TLS_15_a_passphrase_is_watched),
        FIXTURE_TEST(TLS_15_a_reload_keeps_a_passphrase_given_as_text),
        FIXTURE_TEST(TLS_15_a_passphrase_in_a_file_is_in_memory_no_more),
        FIXTURE_TEST(TLS_14_a_private_key_is_in_memory_no_more),
    };
    return cmocka_run_group_tests_name("service.tls_renewal", tests, group_setup, NULL);
}
