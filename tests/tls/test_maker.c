/* SPDX-License-Identifier: MIT */
/* The maker of certificates: files in a folder, as programs ask for them, that openssl finds good and that serve. */
#define _GNU_SOURCE

#include "engine_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const weir_tls_cert *maker(void)
{
    const weir_tls_cert *table = weir__tls_engine.interface("tls-cert", WEIR_TLS_CERT_VERSION);
    assert_non_null(table);
    assert_null(weir__tls_engine.interface("tls-cert", WEIR_TLS_CERT_VERSION + 1));
    assert_null(weir__tls_engine.interface("other", 1));
    assert_true(table->size >= sizeof(weir_tls_cert));
    return table;
}

static void make(world *w, weir_tls_cert_options options)
{
    weir_error *error = NULL;
    options.size = sizeof(options);
    if (!options.folder)
        options.folder = w->f->folder;
    if (maker()->make(&options, &error) != 0)
        fail_msg("%s", error->message);
    assert_null(error);
}

static const char *refused(world *w, weir_tls_cert_options options, int code)
{
    weir_error *error = NULL;
    options.size = sizeof(options);
    assert_code(maker()->make(&options, &error), code);
    assert_non_null(error);
    assert_code(error->code, code);
    const char *text = fixture_text(w->f, "%s", error->message);
    weir_error_release(error);
    assert_code(maker()->make(&options, NULL), code);
    return text;
}

#define HOSTS(...)                               \
    .hosts = (const char *const[]){__VA_ARGS__}, \
    .host_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static unsigned mode_of(world *w, const char *name)
{
    struct stat found;
    assert_int_equal(stat(fixture_path(w->f, name), &found), 0);
    return found.st_mode & 07777;
}

static void files_that_openssl_finds_good(void **state)
{
    world *w = world_of(*state);
    make(w, (weir_tls_cert_options){HOSTS("localhost", "*.example.org", "127.0.0.1", "::1")});
    assert_int_equal(mode_of(w, "ca.key"), 0600);
    assert_int_equal(mode_of(w, "server.key"), 0600);
    assert_int_equal(mode_of(w, "server.pem") & 0600, 0600);
    world_openssl(w, "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "-verify_hostname",
                  "localhost", "server.pem");
    world_openssl(w, "verify", "-x509_strict", "-CAfile", "ca.pem", "-verify_hostname", "a.example.org", "server.pem");
    world_openssl(w, "verify", "-x509_strict", "-CAfile", "ca.pem", "-verify_ip", "127.0.0.1", "server.pem");
    world_openssl(w, "verify", "-x509_strict", "-CAfile", "ca.pem", "-verify_ip", "::1", "server.pem");
    world_openssl(w, "x509", "-in", "server.pem", "-noout", "-checkend", "34000000");
    world_openssl(w, "ec", "-in", "server.key", "-check", "-noout");
}

static void files_that_serve(void **state)
{
    world *w = world_of(*state);
    make(w, (weir_tls_cert_options){HOSTS("localhost")});
    make(w, (weir_tls_cert_options){HOSTS("somebody"), .client = 1});
    world_openssl(w, "verify", "-purpose", "sslclient", "-CAfile", "ca.pem", "client.pem");
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "elsewhere");
        tls_settings client = world_client(w);
        server.cert = world_material(w, world_read(w, "server.pem", NULL), "/cert");
        server.key = world_material(w, world_read(w, "server.key", NULL), "/key");
        client.cert = world_material(w, world_read(w, "client.pem", NULL), "/cert");
        client.key = world_material(w, world_read(w, "client.key", NULL), "/key");
        client.ca = server.ca = world_materials(w, world_read(w, "ca.pem", NULL), "/ca");
        client.ca_count = server.ca_count = 1;
        server.request_cert = 1;
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 1);
        assert_string_equal(end_text(&t->server, "tls.peer.subject"), "CN=somebody");
    }
}

static void an_authority_stays_what_it_signs_is_replaced(void **state)
{
    world *w = world_of(*state);
    const char *folder = fixture_path(w->f, "certs");
    make(w, (weir_tls_cert_options){.folder = folder, .name = "one", HOSTS("a")});
    const char *authority = world_read(w, "certs/ca.pem", NULL);
    const char *first = world_read(w, "certs/one.pem", NULL);
    make(w, (weir_tls_cert_options){.folder = folder, .name = "one", HOSTS("a"), .days = 3});
    make(w, (weir_tls_cert_options){.folder = folder, .name = "two", HOSTS("b")});
    assert_string_equal(world_read(w, "certs/ca.pem", NULL), authority);
    assert_string_not_equal(world_read(w, "certs/one.pem", NULL), first);
    world_openssl(w, "verify", "-CAfile", "certs/ca.pem", "certs/one.pem", "certs/two.pem");
    assert_int_equal(mode_of(w, "certs/one.key"), 0600);
    struct stat found;
    assert_int_not_equal(stat(fixture_path(w->f, "certs/one.pem~"), &found), 0);
}

static const char label[] = "a234567890b234567890c234567890d234567890e234567890f234567890123"; /* 63 of them */

static void hosts_that_are_none_are_told(void **state)
{
    static const char *const odd[] = {"",     "a b", "a,b", "CN=a", "a.*.b", "*",         "*.",
                                      "a..b", ".a",  "a.",  "/",    "a\"",   "b\xC3\xBC", "::1%lo"};
    static const char wildcard[] = "is a wildcard that clients refuse: two labels have to stand behind the star";
    static const char number[] = "is no address, though it ends in a number: ";
    static const char hyphen[] = "begins or ends with '-', or a part between two dots does";
    world *w = world_of(*state);
    const char *folder = w->f->folder;
    assert_string_equal(refused(w, (weir_tls_cert_options){.folder = folder}, UV_EINVAL),
                        "at least one host is wanted");
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        const char *expected = fixture_text(w->f, "\"%s\" is neither a name ", odd[i]);
        assert_non_null(
            strstr(refused(w, (weir_tls_cert_options){.folder = folder, HOSTS("a", odd[i])}, UV_EINVAL), expected));
    }
    const char *const refusals[][2] = {
        {"127.0.0.256", number},
        {"300.1.1.1", number},
        {"1.2.3", number},
        {"1.2.3.4.5", number},
        {"*.2.3", number},
        {"example.7", number},
        {"17", number},
        {"0x7f.1", number},
        {"a.0x7F", number},
        {"a.0X", number},
        {"-x-", hyphen},
        {"-x", hyphen},
        {"x-", hyphen},
        {"a.-x.b", hyphen},
        {"a.x-.b", hyphen},
        {"*.-x.b", hyphen},
        {"-", hyphen},
        {"*.com", wildcard},
        {"*.localhost", wildcard},
        {fixture_text(w->f, "%s4", label), "has more than 63 letters between two dots"},
        {fixture_text(w->f, "a.%s4.org", label), "has more than 63 letters between two dots"},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        assert_non_null(strstr(refused(w, (weir_tls_cert_options){.folder = folder, HOSTS(refusals[i][0])}, UV_EINVAL),
                               fixture_text(w->f, "\"%s\" %s", refusals[i][0], refusals[i][1])));
    /* Nothing was begun: no authority is left behind. */
    struct stat found;
    assert_int_not_equal(stat(fixture_path(w->f, "ca.pem"), &found), 0);
}

static void names_of_hosts_may_be_long_and_odd(void **state)
{
    world *w = world_of(*state);
    make(w, (weir_tls_cert_options){.folder = fixture_path(w->f, "long"),
                                    HOSTS(fixture_text(w->f, "%s.%s", label, label))});
    make(w, (weir_tls_cert_options){.folder = fixture_path(w->f, "odd"),
                                    .name = "\xC3\xA4",
                                    HOSTS("x--y.1a", "*.a-b.c1", "_a.b", "0xg", "1.2.3.4")});
}

static void names_of_files_that_are_none_are_told(void **state)
{
    static const char rule[] =
        "the files' name is one without '/' and quotes, with a letter or a digit in it, and not \"ca\"";
    static const char *const names[] = {"",  "\"\"", "''",   "\"x\"", "it's", "..", ".",
                                        "-", " ",    "a\nb", "a\x7f", "../x", "ca"};
    world *w = world_of(*state);
    const char *folder = w->f->folder;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_string_equal(
            refused(w, (weir_tls_cert_options){.folder = folder, .name = names[i], HOSTS("a")}, UV_EINVAL), rule);
    assert_string_equal(refused(w, (weir_tls_cert_options){HOSTS("a")}, UV_EINVAL), "a folder is wanted");
    assert_string_equal(refused(w, (weir_tls_cert_options){.folder = "\"\"", HOSTS("a")}, UV_EINVAL),
                        "a folder is wanted");
    const char *nowhere = fixture_path(w->f, "no/where");
    assert_non_null(strstr(refused(w, (weir_tls_cert_options){.folder = nowhere, HOSTS("a")}, UV_ENOENT),
                           "cannot make the folder "));
}

static void sizes_that_are_wrong_are_told(void **state)
{
    world *w = world_of(*state);
    const weir_tls_cert_options sizeless = {.folder = w->f->folder, HOSTS("a")};
    weir_tls_cert_options lasting = sizeless;
    lasting.days = 100000;
    assert_string_equal(refused(w, lasting, UV_EINVAL), "a hundred years are enough");
    assert_code(maker()->make(&sizeless, NULL), UV_EINVAL);
    struct {
        weir_tls_cert_options options;
        void *more;
    } newer = {.options = sizeless, .more = w};
    newer.options.size = sizeof(newer);
    assert_code(maker()->make(&newer.options, NULL), UV_E2BIG);
    assert_code(maker()->make(NULL, NULL), UV_EINVAL);
}

static void files_that_others_have_made_are_not_replaced(void **state)
{
    world *w = world_of(*state);
    const weir_tls_cert_options options = {.folder = w->f->folder, .name = "mine", HOSTS("a")};
    const mbed_cert *other = world_issue(w, &(wish){.host = "a"});
    static const char refusal[] = "mine.pem stands there, and was not made by this folder's authority";
    world_write(w, "mine.pem", other->cert);
    world_write(w, "mine.key", other->key);
    assert_non_null(strstr(refused(w, options, UV_EEXIST), refusal));
    assert_string_equal(world_read(w, "mine.key", NULL), other->key);
    assert_string_equal(world_read(w, "mine.pem", NULL), other->cert);
    /* Nor a key alone, nor what is no certificate. */
    assert_int_equal(remove(fixture_path(w->f, "mine.pem")), 0);
    assert_non_null(strstr(refused(w, options, UV_EEXIST), "mine.key stands there, and was not made by this folder"));
    assert_string_equal(world_read(w, "mine.key", NULL), other->key);
    world_write(w, "mine.pem", "hello");
    assert_non_null(strstr(refused(w, options, UV_EEXIST), refusal));
    /* One of an authority that only has the same name. */
    assert_int_equal(remove(fixture_path(w->f, "mine.pem")) | remove(fixture_path(w->f, "mine.key")), 0);
    make(w, options);
    make(w, options);
    assert_int_equal(remove(fixture_path(w->f, "ca.pem")) | remove(fixture_path(w->f, "ca.key")), 0);
    assert_non_null(strstr(refused(w, options, UV_EEXIST), refusal));
}

static void what_is_no_authority_signs_nothing(void **state)
{
    world *w = world_of(*state);
    const weir_tls_cert_options options = {.folder = w->f->folder, HOSTS("a")};
    const mbed_cert *leaf = world_issue(w, &(wish){.host = "a"});
    world_write(w, "ca.pem", leaf->cert);
    world_write(w, "ca.key", leaf->key);
    assert_non_null(strstr(refused(w, options, UV_EINVAL),
                           "the certificate cannot be made: the authority's certificate is not one of an authority"));
    const mbed_cert *old = world_issue(
        w, &(wish){.subject = "CN=old", .is_authority = 1, .self_signed = 1, .from = -2000, .until = -1000});
    world_write(w, "ca.pem", old->cert);
    world_write(w, "ca.key", old->key);
    assert_non_null(
        strstr(refused(w, options, UV_EINVAL), "the certificate cannot be made: the authority has expired"));
    struct stat found;
    assert_int_not_equal(stat(fixture_path(w->f, "server.pem"), &found), 0);
}

static void half_an_authority_is_no_authority(void **state)
{
    world *w = world_of(*state);
    const weir_tls_cert_options options = {.folder = w->f->folder, HOSTS("a")};
    make(w, options);
    const char *key = world_read(w, "ca.key", NULL);
    assert_int_equal(remove(fixture_path(w->f, "ca.key")), 0);
    assert_non_null(strstr(refused(w, options, UV_ENOENT), "cannot read the authority's key "));
    const char *folder = w->f->folder;
    static const char begins[] = "the certificate cannot be made: ";
    world_write(w, "ca.key", world_issue(w, &(wish){.host = "x"})->key);
    const char *strange = fixture_text(w->f, "%s%s/ca.key is not the private key of %s/ca.pem", begins, folder, folder);
    assert_string_equal(refused(w, options, UV_EINVAL), strange);
    world_openssl(w, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "ca.key");
    assert_string_equal(refused(w, options, UV_EINVAL), strange);
    world_write(w, "ca.key", "hello");
    assert_non_null(strstr(refused(w, options, UV_EINVAL),
                           fixture_text(w->f, "%s%s/ca.key holds no private key that can be read: ", begins, folder)));
    world_write(w, "ca.key", key);
    assert_int_equal(remove(fixture_path(w->f, "ca.pem")), 0);
    assert_non_null(strstr(refused(w, options, UV_ENOENT), "cannot read the authority's certificate "));
    world_write(w, "ca.pem", "hello");
    assert_non_null(strstr(refused(w, options, UV_EINVAL),
                           fixture_text(w->f, "%s%s/ca.pem holds no certificate that can be read: ", begins, folder)));
}

static void try_make(void *arg)
{
    world *w = arg;
    weir_error *error = NULL;
    const weir_tls_cert_options options = {.size = sizeof(options), .folder = w->f->folder, HOSTS("a")};
    int status = maker()->make(&options, &error);
    assert_true(status == 0 || (status == UV_ENOMEM && allocator_failures() > 0));
    assert_int_equal(status != 0, error != NULL);
    weir_error_release(error);
}

static void without_memory_nothing_is_made(void **state)
{
    assert_true(allocator_fail_each(try_make, *state) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(files_that_openssl_finds_good),
        WORLD_TEST(files_that_serve),
        WORLD_TEST(an_authority_stays_what_it_signs_is_replaced),
        WORLD_TEST(hosts_that_are_none_are_told),
        WORLD_TEST(names_of_hosts_may_be_long_and_odd),
        WORLD_TEST(names_of_files_that_are_none_are_told),
        WORLD_TEST(sizes_that_are_wrong_are_told),
        WORLD_TEST(files_that_others_have_made_are_not_replaced),
        WORLD_TEST(what_is_no_authority_signs_nothing),
        WORLD_TEST(half_an_authority_is_no_authority),
        WORLD_TEST(without_memory_nothing_is_made),
    };
    return cmocka_run_group_tests_name("maker", tests, NULL, NULL);
}
