/* SPDX-License-Identifier: MIT */
/* Names in certificates that want to be taken for others, and certificates that are broken anywhere. */
#define _GNU_SOURCE

#include "engine_world.h"
#include "plugins/tls/mbedtls/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A certificate by openssl, in DER, with this subject and this value of subjectAltName (NULL: none). */
static unsigned char *certificate(world *w, const char *subject, const char *names, size_t *size)
{
    world_write(w, "it.cnf",
                fixture_text(w->f,
                             "[req]\ndistinguished_name = dn\nstring_mask = utf8only\n[dn]\n[ext]\nbasicConstraints = "
                             "CA:FALSE\n%s%s\n",
                             names ? "subjectAltName = " : "", names ? names : ""));
    world_openssl(w, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config",
                  "it.cnf", "-extensions", "ext", "-subj", subject, "-keyout", "it.key", "-outform", "DER", "-out",
                  "it.der", "-days", "2");
    return (unsigned char *)world_read(w, "it.der", size);
}

typedef struct found {
    int is_read;
    int matches;
    char san[256];
    char subject[256];
} found;

static found look(const unsigned char *der, size_t size, const char *name, int is_address)
{
    mbedtls_x509_crt parsed;
    found result = {0};
    mbedtls_x509_crt_init(&parsed);
    if (mbedtls_x509_crt_parse_der(&parsed, der, size) == 0) {
        char *san = weir__mbed_san_text(&parsed);
        char *subject = weir__mbed_subject(&parsed);
        result.is_read = 1;
        result.matches = weir__mbed_names(&parsed, name, is_address);
        snprintf(result.san, sizeof(result.san), "%s", san ? san : "");
        snprintf(result.subject, sizeof(result.subject), "%s", subject ? subject : "");
        weir_free(san);
        weir_free(subject);
    }
    mbedtls_x509_crt_free(&parsed);
    return result;
}

static int matches(world *w, const char *subject, const char *names, const char *name, int is_address)
{
    size_t size;
    const unsigned char *der = certificate(w, subject, names, &size);
    found result = look(der, size, name, is_address);
    return result.matches;
}

/* What an authority signs without a look at it: the name up to the NUL is another one's. */
static void TLS_08_a_NUL_ends_no_name(void **state)
{
    world *w = world_of(*state);
    size_t size;
    for (int common = 0; common <= 1; common++) {
        unsigned char *der = common ? certificate(w, "/CN=localhost_evil.example", NULL, &size)
                                    : certificate(w, "/CN=x", "DNS:localhost_evil.example", &size);
        unsigned char *at = memmem(der, size, "localhost_", 10);
        assert_non_null(at);
        at[9] = '\0';
        found result = look(der, size, "localhost", 0);
        assert_int_equal(result.matches, 0);
        if (result.is_read && !common)
            assert_string_equal(result.san, "DNS:\"localhost\\u0000evil.example\"");
        if (result.is_read && common)
            assert_null(strstr(result.subject, "CN=localhost,"));
    }
}

static void TLS_08_one_kind_of_name_is_no_other(void **state)
{
    world *w = world_of(*state);
    assert_int_equal(matches(w, "/CN=x", "IP:127.0.0.1", "127.0.0.1", 1), 1);
    assert_int_equal(matches(w, "/CN=x", "IP:127.0.0.1", "127.0.0.1", 0), 0);
    assert_int_equal(matches(w, "/CN=x", "DNS:127.0.0.1", "127.0.0.1", 1), 0);
    assert_int_equal(matches(w, "/CN=x", "DNS:*.0.0.1", "127.0.0.1", 1), 0);
    assert_int_equal(matches(w, "/CN=x", "IP:::ffff:127.0.0.1", "127.0.0.1", 1), 0);
    assert_int_equal(matches(w, "/CN=localhost", "URI:localhost, email:localhost", "localhost", 0), 0);
    assert_int_equal(matches(w, "/CN=localhost", "otherName:1.2.3.4;UTF8:localhost", "localhost", 0), 0);
    /* Addresses that are none, and a list with nothing in it. */
    assert_int_equal(matches(w, "/CN=x", "DER:30:07:87:05:7f:00:00:01:00", "127.0.0.1", 1), 0);
    assert_int_equal(matches(w, "/CN=x", "DER:30:05:87:03:7f:00:00", "127.0.0.1", 1), 0);
    assert_int_equal(matches(w, "/CN=localhost", "DER:30:00", "localhost", 0), 0);
    assert_int_equal(matches(w, "/CN=localhost", "DER:30:02:82:00", "localhost", 0), 0);
    assert_int_equal(matches(w, "/CN=x", "DER:30:02:82:00", "", 0), 0);
    /* The last one of several. */
    assert_int_equal(matches(w, "/CN=x", "DNS:a.example, IP:::1, URI:b, DNS:LocalHost", "localhost", 0), 1);
    assert_int_equal(matches(w, "/CN=x", "DNS:a.example, IP:127.0.0.1, IP:::1", "0:0::1", 1), 1);
}

static void TLS_08_wildcards_stand_for_one_whole_label_in_front(void **state)
{
    static const char *const no[] = {"*",
                                     "*.",
                                     "*.org",
                                     "*.org.",
                                     "a*.example.org",
                                     "*a.example.org",
                                     "a.*.org",
                                     "*.*.org",
                                     "**.example.org",
                                     "xn--*.example.org",
                                     ".example.org",
                                     "*.example.org.x"};
    world *w = world_of(*state);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        const char *names = fixture_text(w->f, "DNS:%s", no[i]);
        if (matches(w, "/CN=a.example.org", names, "a.example.org", 0))
            fail_msg("%s", no[i]);
    }
    assert_int_equal(matches(w, "/CN=x", "DNS:*.example.org.", "a.example.org", 0), 1);
    assert_int_equal(matches(w, "/CN=x", "DNS:*.EXAMPLE.org", "a.example.org.", 0), 1);
}

/* An O that tries to be a CN: whoever looks for ", CN=" in the text is not to be fooled. */
static void TLS_16_a_subject_is_not_mistaken_for_two(void **state)
{
    world *w = world_of(*state);
    size_t size;
    unsigned char *der = certificate(w, "/O=a, CN=boss/CN=nobody", NULL, &size);
    found result = look(der, size, "x", 0);
    assert_int_equal(result.is_read, 1);
    assert_string_equal(result.subject, "O=a\\, CN\\=boss, CN=nobody");
}

/* Cut off or changed anywhere: it is read as it stands or not at all, and never beyond its end. */
static void TLS_08_certificates_that_are_broken(void **state)
{
    static const unsigned char values[] = {0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF, 0x30, 0x82};
    world *w = world_of(*state);
    size_t size;
    size_t taken = 0;
    const unsigned char *whole =
        certificate(w, "/O=weir/CN=a.example", "DNS:b.example, IP:127.0.0.1, URI:c, DNS:*.example.org", &size);
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j <= sizeof(values); j++) {
            size_t length = j < sizeof(values) ? size : i;
            unsigned char *bytes = malloc(length ? length : 1);
            assert_non_null(bytes);
            memcpy(bytes, whole, length);
            if (j < sizeof(values))
                bytes[i] = values[j];
            found result = look(bytes, length, "localhost", 0);
            taken += (size_t)result.is_read;
            assert_int_equal(result.matches, 0);
            look(bytes, length, "127.0.0.2", 1);
            free(bytes);
        }
    }
    assert_true(taken > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_08_a_NUL_ends_no_name),
        WORLD_TEST(TLS_08_one_kind_of_name_is_no_other),
        WORLD_TEST(TLS_08_wildcards_stand_for_one_whole_label_in_front),
        WORLD_TEST(TLS_16_a_subject_is_not_mistaken_for_two),
        WORLD_TEST(TLS_08_certificates_that_are_broken),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
