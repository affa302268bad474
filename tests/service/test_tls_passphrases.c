/* SPDX-License-Identifier: MIT */
/* Passphrases of keys: read again with the files they open, watched as they are, and in memory no longer than they have to be. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "heap.h"
#include "tls_renewal.h"
#include "tls_service.h"

/* A pair's key, encrypted by openssl. */
static void encrypt(fixture *f, size_t which, const char *passphrase, const char *path)
{
    const char *from = pair_file(f, which, "key"), *by = fixture_text(f, "pass:%s", passphrase);
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", from,
                           "-passout", by, "-out", path);
    assert_int_equal(child_finish(openssl), 0);
    child_free(openssl);
}

static void TLS_15_a_reload_reads_the_passphrase_again(void **state)
{
    fixture *f = *state;
    pair_place at = {.f = f};
    tls_load self;
    make_pairs();
    prepare_plainly(&at, 0);
    encrypt(f, 0, "first", at.key);
    write_over(in_folder(&at, "pass"), "first\n");
    tls_site site =
        site_serve(f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\", \"passphrase\": {\"file\": \"%s\"}}",
                                   at.cert, at.key, in_folder(&at, "pass")));
    load_start(&self, f, site.server);
    tls_load_turns(&self, tls_fewer(4, 1));
    copy_file(f, pair_file(f, 1, "pem"), at.cert);
    encrypt(f, 1, "second", at.key);
    site_refuse(&site, "passphrase");
    assert_int_equal(serves(&self), 0);
    write_over(in_folder(&at, "pass"), "second\n");
    site_reload(&site);
    assert_int_equal(serves(&self), 1);
    assert_int_equal(unlink(in_folder(&at, "pass")), 0);
    site_refuse(&site, "does not exist");
    assert_int_equal(serves(&self), 1);
    tls_load_end(&self);
    site.tls->context_release(site.context);
}

/* The passphrase comes last, and its file is watched like the others. */
static void TLS_15_a_passphrase_is_watched(void **state)
{
    fixture *f = *state;
    pair_place at = {.f = f};
    tls_load self;
    make_pairs();
    prepare_plainly(&at, 0);
    assert_int_equal(mkdir(in_folder(&at, "secrets"), 0700), 0);
    encrypt(f, 0, "first", at.key);
    write_over(in_folder(&at, "secrets/pass"), "first\n");
    const char *more = fixture_text(f, ", \"passphrase\": {\"file\": \"%s\"}", in_folder(&at, "secrets/pass"));
    load_start(&self, f, site_watching(&at, more));
    tls_load_turns(&self, tls_fewer(4, 1));
    encrypt(f, 1, "second", in_folder(&at, "fresh.key"));
    copy_file(f, pair_file(f, 1, "pem"), at.cert);
    assert_int_equal(rename(in_folder(&at, "fresh.key"), at.key), 0);
    load_until(&self, WAS_REFUSED, 1);
    assert_int_equal(serves(&self), 0);
    write_over(in_folder(&at, "secrets/pass"), "second\n");
    load_until(&self, WAS_READ, 1);
    assert_int_equal(serves(&self), 1);
    tls_load_end(&self);
}

/* A passphrase that stands in the options as text: a reload has it still. */
static void TLS_15_a_reload_keeps_a_passphrase_given_as_text(void **state)
{
    fixture *f = *state;
    pair_place at = {.f = f};
    tls_load self;
    make_pairs();
    prepare_plainly(&at, 0);
    encrypt(f, 0, "one for all", at.key);
    tls_site site = site_serve(
        f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\", \"passphrase\": \"one for all\"}", at.cert, at.key));
    load_start(&self, f, site.server);
    tls_load_turns(&self, tls_fewer(4, 1));
    encrypt(f, 1, "one for all", at.key);
    copy_file(f, pair_file(f, 1, "pem"), at.cert);
    site_reload(&site);
    site_reload(&site);
    assert_int_equal(serves(&self), 1);
    tls_load_end(&self);
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

static void TLS_15_a_passphrase_in_a_file_is_in_memory_no_more(void **state)
{
    fixture *f = *state;
    pair_place at = {.f = f};
    char secret[24];
    make_pairs();
    prepare_plainly(&at, 0);
    make_secret(secret);
    const char *pass = in_folder(&at, "pass"), *by = fixture_text(f, "file:%s", pass);
    write_over(pass, secret);
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in",
                           pair_file(f, 0, "key"), "-passout", by, "-out", at.key);
    assert_int_equal(child_finish(openssl), 0);
    child_free(openssl);
    const char *options = fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\", \"passphrase\": {\"file\": \"%s\"}}",
                                       at.cert, at.key, pass);
    void *here = malloc(sizeof(secret));
    memcpy(here, secret, sizeof(secret));
    size_t seen = heap_holds(secret, strlen(secret)); /* 1, where it can be seen at all */
    explicit_bzero(here, sizeof(secret));
    free(here);
    assert_int_equal(heap_holds(secret, strlen(secret)), 0);
    tls_site site = site_serve(f, options);
    assert_int_equal(heap_holds(secret, strlen(secret)), 0);
    site_reload(&site);
    assert_int_equal(heap_holds(secret, strlen(secret)), 0);
    site.tls->context_release(site.context);
    assert_int_equal(heap_holds(secret, strlen(secret)), 0);
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
    assert_int_equal(heap_holds(part, strlen(part)), 0);
    tls_site site = site_make(f, fixture_text(f, "{\"cert\": \"%s\", \"key\": \"%s\"}", cert, key));
    size_t seen =
        heap_holds(part, strlen(part)); /* as long as it may be needed; nothing where it cannot be seen at all */
    site.tls->context_release(site.context);
    assert_int_equal(heap_holds(part, strlen(part)), 0);
    if (seen == 0)
        skip();
}

/* ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_15_a_reload_reads_the_passphrase_again),
        FIXTURE_TEST(TLS_15_a_passphrase_is_watched),
        FIXTURE_TEST(TLS_15_a_reload_keeps_a_passphrase_given_as_text),
        FIXTURE_TEST(TLS_15_a_passphrase_in_a_file_is_in_memory_no_more),
        FIXTURE_TEST(TLS_14_a_private_key_is_in_memory_no_more),
    };
    return cmocka_run_group_tests_name("service.tls_passphrases", tests, tls_group_setup, NULL);
}
