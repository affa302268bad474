/* SPDX-License-Identifier: MIT */
/*
 * Certificates that are replaced while clients come all the time, in all the ways that people do it, by call and by the
 * files alone: no handshake fails, and the next one that begins is served the new one.
 */
#define _GNU_SOURCE

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls_renewal.h"
#include "tls_service.h"

/* ---- ways of replacing a pair ---- */

static void link_to(const char *target, const char *path)
{
    assert_int_equal(symlink(target, path), 0);
}

static void relink(const pair_place *at, const char *target, const char *path)
{
    link_to(target, in_folder(at, "fresh-link"));
    assert_int_equal(rename(in_folder(at, "fresh-link"), path), 0);
}

/* The key first. */
static void in_place(const pair_place *at, size_t which)
{
    copy_file(at->f, pair_file(at->f, which, "key"), at->key);
    copy_file(at->f, pair_file(at->f, which, "pem"), at->cert);
}

/* As volumes of secrets are made: tls.crt -> ..data/tls.crt, ..data -> ..NUMBER, and that link is turned over. */
static void turn_data(const pair_place *at, size_t which)
{
    const char *folder = fixture_text(at->f, "..%zu", which);
    assert_int_equal(mkdir(in_folder(at, folder), 0700), 0);
    copy_file(at->f, pair_file(at->f, which, "key"), in_folder(at, fixture_text(at->f, "%s/tls.key", folder)));
    copy_file(at->f, pair_file(at->f, which, "pem"), in_folder(at, fixture_text(at->f, "%s/tls.crt", folder)));
    relink(at, folder, in_folder(at, "..data"));
}

static void prepare_data(pair_place *at, size_t which)
{
    turn_data(at, which);
    link_to("..data/tls.crt", in_folder(at, "tls.crt"));
    link_to("..data/tls.key", in_folder(at, "tls.key"));
    at->cert = in_folder(at, "tls.crt");
    at->key = in_folder(at, "tls.key");
}

/* As certbot does: live/site/privkey.pem -> ../../archive/site/privkey1.pem, with a higher number each time. */
static void next_in_archive(const pair_place *at, size_t which)
{
    const char *key = fixture_text(at->f, "../../archive/site/privkey%zu.pem", which);
    const char *cert = fixture_text(at->f, "../../archive/site/fullchain%zu.pem", which);
    copy_file(at->f, pair_file(at->f, which, "key"),
              in_folder(at, fixture_text(at->f, "archive/site/privkey%zu.pem", which)));
    copy_file(at->f, pair_file(at->f, which, "pem"),
              in_folder(at, fixture_text(at->f, "archive/site/fullchain%zu.pem", which)));
    unlink(at->key);
    link_to(key, at->key);
    unlink(at->cert);
    link_to(cert, at->cert);
}

static void prepare_archive(pair_place *at, size_t which)
{
    static const char *const folders[] = {"archive", "archive/site", "live", "live/site"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mkdir(in_folder(at, folders[i]), 0700), 0);
    at->cert = in_folder(at, "live/site/fullchain.pem");
    at->key = in_folder(at, "live/site/privkey.pem");
    next_in_archive(at, which);
}

/* What the link leads to is overwritten, in a folder of which the path says nothing. */
static void in_archive(const pair_place *at, size_t which)
{
    copy_file(at->f, pair_file(at->f, which, "key"), in_folder(at, "archive/site/privkey0.pem"));
    copy_file(at->f, pair_file(at->f, which, "pem"), in_folder(at, "archive/site/fullchain0.pem"));
}

/* current -> release-NUMBER, in the middle of the path. */
static void turn_folder(const pair_place *at, size_t which)
{
    const char *folder = fixture_text(at->f, "release-%zu", which);
    assert_int_equal(mkdir(in_folder(at, folder), 0700), 0);
    copy_file(at->f, pair_file(at->f, which, "key"), in_folder(at, fixture_text(at->f, "%s/site.key", folder)));
    copy_file(at->f, pair_file(at->f, which, "pem"), in_folder(at, fixture_text(at->f, "%s/site.pem", folder)));
    relink(at, folder, in_folder(at, "current"));
}

static void prepare_folder(pair_place *at, size_t which)
{
    turn_folder(at, which);
    at->cert = in_folder(at, "current/site.pem");
    at->key = in_folder(at, "current/site.key");
}

typedef struct way {
    const char *name;
    void (*prepare)(pair_place *at, size_t which);
    void (*replace)(const pair_place *at, size_t which);
} way;

static const way ways[] = {
    {"renamed", prepare_plainly, by_rename},        {"in place", prepare_plainly, in_place},
    {"a secret's volume", prepare_data, turn_data}, {"certbot", prepare_archive, next_in_archive},
    {"behind a link", prepare_archive, in_archive}, {"a folder's link", prepare_folder, turn_folder},
};

/* ---- by call ---- */

static void replace_by_call(fixture *f, const way *how)
{
    pair_place at = {.f = f};
    tls_load self;
    weir_tls_counters counters = {.size = sizeof(counters)};
    make_pairs();
    how->prepare(&at, 0);
    tls_site site = site_serve(f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\"}", at.cert, at.key));
    load_start(&self, f, site.server);
    tls_load_turns(&self, tls_fewer(8, 1));
    assert_int_equal(self.others, 0);
    for (size_t which = 1; which < tls_fewer(PAIRS, 2); which++) {
        how->replace(&at, which);
        site_reload(&site);
        assert_int_equal(serves(&self), which);
        tls_load_turns(&self, tls_fewer(8, 1));
    }
    site.tls->context_counters(site.context, &counters);
    assert_int_equal(counters.reloads, tls_fewer(PAIRS, 2) - 1);
    assert_int_equal(counters.reloads_refused, 0);
    assert_int_equal(counters.handshakes_failed, 0);
    tls_load_end(&self);
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
    pair_place at = {.f = f};
    tls_load self;
    make_pairs();
    prepare_plainly(&at, 0);
    tls_site site = site_serve(f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\"}", at.cert, at.key));
    load_start(&self, f, site.server);
    tls_load_turns(&self, tls_fewer(4, 1));
    copy_file(f, pair_file(f, 1, "key"), at.key); /* half of a pair */
    site_refuse(&site, at.key);
    assert_int_equal(serves(&self), 0);
    write_over(at.cert, "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n");
    site_refuse(&site, at.cert);
    assert_int_equal(unlink(at.cert), 0);
    site_refuse(&site, at.cert);
    tls_load_turns(&self, tls_fewer(8, 1));
    assert_int_equal(self.others, 0);
    copy_file(f, pair_file(f, 1, "pem"), at.cert);
    site_reload(&site);
    assert_int_equal(serves(&self), 1);
    tls_load_end(&self);
    site.tls->context_release(site.context);
}

/* ---- by the files alone ---- */

static void replace_watched(fixture *f, const way *how)
{
    pair_place at = {.f = f};
    tls_load self;
    make_pairs();
    how->prepare(&at, 0);
    weir_server *server = site_watching(&at, "");
    load_start(&self, f, server);
    tls_load_turns(&self, tls_fewer(8, 1));
    assert_int_equal(self.others, 0);
    for (size_t which = 1; which < tls_fewer(PAIRS, 2); which++) {
        how->replace(&at, which);
        load_until(&self, WAS_READ, which);
        assert_int_equal(serves(&self), which);
    }
    tls_load_end(&self);
    assert_int_equal(fixture_times(fixture_log(f), "cannot be watched"), 0);
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
    pair_place at = {.f = f};
    tls_load self;
    make_pairs();
    prepare_plainly(&at, 0);
    load_start(&self, f, site_watching(&at, ""));
    tls_load_turns(&self, tls_fewer(4, 1));
    copy_file(f, pair_file(f, 1, "key"), at.key);
    load_until(&self, WAS_REFUSED, 1);
    assert_int_equal(serves(&self), 0);
    copy_file(f, pair_file(f, 1, "pem"), at.cert);
    load_until(&self, WAS_READ, 1);
    assert_int_equal(serves(&self), 1);
    assert_int_equal(fixture_times(fixture_log(f), WAS_REFUSED), 1);
    tls_load_end(&self);
}

/* A folder that goes, and comes again with everything in it. */
static void TLS_15_watched_while_its_folder_is_away(void **state)
{
    fixture *f = *state;
    pair_place at = {.f = f};
    tls_load self;
    make_pairs();
    turn_folder(&at, 0);
    at.cert = in_folder(&at, "release-0/site.pem");
    at.key = in_folder(&at, "release-0/site.key");
    load_start(&self, f, site_watching(&at, ""));
    tls_load_turns(&self, tls_fewer(4, 1));
    turn_folder(&at, 1);
    assert_int_equal(rename(in_folder(&at, "release-0"), in_folder(&at, "away")), 0);
    load_until(&self, WAS_REFUSED, 1);
    assert_int_equal(serves(&self), 0);
    assert_int_equal(rename(in_folder(&at, "release-1"), in_folder(&at, "release-0")), 0);
    load_until(&self, WAS_READ, 1);
    assert_int_equal(serves(&self), 1);
    copy_file(f, pair_file(f, 2, "key"), at.key);
    copy_file(f, pair_file(f, 2, "pem"), at.cert);
    load_until(&self, WAS_READ, 2);
    assert_int_equal(serves(&self), 2);
    tls_load_end(&self);
}

/* A folder in which somebody writes without a pause: the look is not put off for ever. */
static void TLS_15_watched_in_a_folder_that_never_rests(void **state)
{
    fixture *f = *state;
    pair_place at = {.f = f};
    tls_load self;
    make_pairs();
    prepare_plainly(&at, 0);
    load_start(&self, f, site_watching(&at, ""));
    tls_load_turns(&self, tls_fewer(4, 1));
    by_rename(&at, 1);
    while (fixture_times(fixture_log(f), WAS_READ) == 0) {
        write_over(in_folder(&at, "noise"), "noise");
        tls_load_turns(&self, 1);
    }
    assert_int_equal(serves(&self), 1);
    tls_load_end(&self);
}

/* ---- */

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
    };
    return cmocka_run_group_tests_name("service.tls_renewal", tests, tls_group_setup, NULL);
}
