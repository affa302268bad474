/* SPDX-License-Identifier: MIT */
/* The options of the layer tls: what may stand there, what must go together, and what is said of what cannot be used. */
#define _GNU_SOURCE

#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls_world.h"

static void write_file(fixture *f, const char *name, const char *text, mode_t mode)
{
    const char *path = fixture_path(f, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

#define CERT_TEXT "-----BEGIN FAKE CERTIFICATE-----\nsubject=server\nissuer=ca\nname=localhost\n"
#define KEY_TEXT  "-----BEGIN FAKE KEY-----\nsubject=server\n"
#define CA_TEXT   "-----BEGIN FAKE CERTIFICATE-----\nsubject=ca\nissuer=ca\n"

static void write_files(fixture *f)
{
    write_file(f, "cert.pem", CERT_TEXT, 0644);
    write_file(f, "key.pem", KEY_TEXT, 0600);
    write_file(f, "ca.pem", CA_TEXT, 0644);
    write_file(f, "both.pem", CERT_TEXT KEY_TEXT, 0600);
    write_file(f, "other.key", "-----BEGIN FAKE KEY-----\nsubject=other\n", 0600);
    write_file(f, "nothing.pem", "", 0600);
    write_file(f, "rubbish.pem", "rubbish\n", 0600);
}

#define FILES "\"cert\": \"cert.pem\", \"key\": \"key.pem\""

/* ---- material ---- */

static void TLS_14_material_comes_from_files_texts_and_the_environment(void **state)
{
    fixture *f = *state;
    write_files(f);
    setenv("WEIR_TEST_TLS_KEY", KEY_TEXT, 1);
    expect_good(f, FILES, WEIR_SERVER);
    expect_good(f, fixture_text(f, "\"cert\": \"%s\", \"key\": {\"file\": \"key.pem\"}", fixture_path(f, "cert.pem")),
                WEIR_SERVER);
    expect_good(f, "\"cert\": \"cert.pem\", \"key\": {\"env\": \"WEIR_TEST_TLS_KEY\"}", WEIR_SERVER);
    expect_good(f, "\"cert\": \"both.pem\"", WEIR_SERVER);
    expect_good(f, SERVES, WEIR_SERVER);
    expect_good(f, "\"ca\": \"ca.pem\"", WEIR_CLIENT);
    expect_good(f, "\"ca\": [\"ca.pem\", \"" FAKE_CA "\"], \"crl\": [\"cert.pem\"], \"cert\": \"both.pem\"",
                WEIR_CLIENT);
    assert_string_equal(fixture_log(f), "");
    unsetenv("WEIR_TEST_TLS_KEY");
}

static void TLS_14_bad_material_is_found_when_the_context_is_made(void **state)
{
    fixture *f = *state;
    write_files(f);
    expect_fault(f, "\"cert\": \"missing.pem\", \"key\": \"key.pem\"", WEIR_SERVER,
                 fixture_text(f, "/cert: |cannot read %s|ENOENT", fixture_path(f, "missing.pem")));
    expect_fault(f, "\"cert\": \"cert.pem\", \"key\": \"other.key\"", WEIR_SERVER,
                 "/key: |not the key of the certificate");
    expect_fault(f, "\"cert\": \"nothing.pem\", \"key\": \"key.pem\"", WEIR_SERVER, "/cert: |nothing.pem is empty");
    expect_fault(f, "\"cert\": \"rubbish.pem\", \"key\": \"key.pem\"", WEIR_SERVER,
                 "/cert: |rubbish.pem holds nothing");
    expect_fault(f, "\"cert\": \".\", \"key\": \"key.pem\"", WEIR_SERVER, "/cert: |EISDIR");
    expect_fault(f, "\"cert\": \"/dev/null\", \"key\": \"key.pem\"", WEIR_SERVER, "/dev/null is not a regular file");
    expect_fault(f, FILES ", \"ca\": [\"ca.pem\", \"missing.pem\"]", WEIR_SERVER, "/ca/1: |missing.pem|ENOENT");
    expect_fault(f, "\"key\": \"key.pem\"", WEIR_SERVER, "/key: |\"cert\" is missing");
    expect_fault(f, "\"cert\": \"cert.pem\", \"key\": {\"env\": \"WEIR_TEST_NO_SUCH\"}", WEIR_SERVER,
                 "/key: |WEIR_TEST_NO_SUCH of the environment is not set");
    /* all of it in one go */
    expect_fault(f, "\"cert\": \"missing.pem\", \"key\": \"gone.pem\", \"crl\": \"lost.pem\"", WEIR_SERVER,
                 "/cert: |missing.pem|/key: |gone.pem|/crl: |lost.pem");
}

/* What cannot be read hides nothing that the engine or a name finds, and is not missed a second time. */
static void TLS_14_faults_of_files_do_not_hide_those_of_what_was_read(void **state)
{
    fixture *f = *state;
    write_files(f);
    weir_error *error =
        tls_refusal(f,
                    "\"cert\": \"missing.pem\", \"key\": \"rubbish.pem\", \"ciphers\": \"FAKE_NONSENSE\", "
                    "\"minVersion\": \"TLSv1.3\", \"maxVersion\": \"TLSv1.2\", \"ca\": \"rubbish.pem\", "
                    "\"SNI\": {\"a.example\": {\"cert\": \"gone.pem\"}, \"b.example\": {\"ciphers\": \"FAKE_CHATTY\", "
                    "\"ca\": \"ca.pem\", \"minVersion\": \"TLSv1.2\"}}",
                    WEIR_SERVER);
    static const char *const told[] = {"/cert: cannot read ",
                                       "missing.pem",
                                       "/key: ",
                                       "rubbish.pem holds nothing",
                                       "FAKE_NONSENSE",
                                       "/minVersion: it is higher",
                                       "/ca: ",
                                       "/SNI/a.example/cert: cannot read "};
    assert_non_null(error);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        if (!strstr(error->message, told[i]))
            fail_msg("'%s' is not in '%s'", told[i], error->message);
    }
    assert_null(strstr(error->message, "listening needs"));
    assert_null(strstr(error->message, "/SNI/b.example"));
    static const char *const inherited[] = {"key", "ciphers", "minVersion", "maxVersion", "ca"};
    for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++)
        assert_null(strstr(error->message, fixture_text(f, "/SNI/a.example/%s", inherited[i])));
    weir_error_release(error);
    expect_fault(f, "\"cert\": \"cert.pem\", \"key\": \"gone.pem\", \"ciphers\": \"FAKE_NONSENSE\"", WEIR_SERVER,
                 "/key: |gone.pem|/ciphers: |FAKE_NONSENSE");
}

/* A key that stands in the options, though not quite as it should, is no path, and in no message. */
static void TLS_14_a_key_in_the_options_is_never_quoted(void **state)
{
    static const char *const keys[] = {
        "c2VjcmV0c2VjcmV0\\nc2VjcmV0c2VjcmV0\\n",
        "MHcCAQEEIOG7cQmbc2V+c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0/c2VjcmV0oAoGCCqGSM49",
        "MHcCAQEEIOG7cQmbc2V-c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0_c2VjcmV0oAoGCCqGSM49",
        "AQEEIOG7cQmbc2V+c2VjcmV0c2VjcmV0c2VjcmV0",
        "c2ec0de0c2ec0de0c2ec0de0c2ec0de0c2ec0de0c2ec0de0",
    };
    fixture *f = *state;
    char *longer = malloc(5001);
    write_files(f);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        weir_error *error =
            tls_refusal(f, fixture_text(f, "\"cert\": \"cert.pem\", \"key\": \"%s\"", keys[i]), WEIR_SERVER);
        assert_non_null(strstr(error->message, "/key: this is neither the name of a file nor PEM text"));
        assert_null(strstr(error->message, "c2VjcmV0"));
        assert_null(strstr(error->message, "c2ec0de0"));
        weir_error_release(error);
    }
    /* A file may have any name. */
    write_file(f, keys[3], KEY_TEXT, 0600);
    expect_good(f, fixture_text(f, "\"cert\": \"cert.pem\", \"key\": \"%s\"", keys[3]), WEIR_SERVER);
    for (size_t i = 0; i < 6; i++) {
        static const char *const named[] = {
            FAKE_KEY, "MHcCAQEEIOG7cQmbc2V+ c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0/c2VjcmV0oAoGCCqGSM49",
            "BEGIN PRIVATE KEY subject=server"};
        weir_error *error = tls_refusal(
            f,
            fixture_text(f, "\"cert\": \"cert.pem\", \"key\": {\"%s\": \"%s\"}", i % 2 ? "env" : "file", named[i / 2]),
            WEIR_SERVER);
        assert_non_null(strstr(error->message, i % 2 ? "/key: \"env\" takes the name of a variable"
                                                     : "/key: \"file\" takes the name of a file"));
        assert_null(strstr(error->message, "subject=server"));
        assert_null(strstr(error->message, "c2VjcmV0"));
        weir_error_release(error);
    }
    memset(longer, 'x', 5000);
    memcpy(longer + 4996, ".pem", sizeof(".pem")); /* or it could be a key */
    weir_error *error = tls_refusal(f, fixture_text(f, "\"cert\": \"cert.pem\", \"key\": \"%s\"", longer), WEIR_SERVER);
    assert_non_null(strstr(error->message, "/key: no file can have a name of 5000 bytes"));
    assert_null(strstr(error->message, "xxx"));
    weir_error_release(error);
    free(longer);
    /* lines in front of it are those of tools */
    expect_good(f, "\"cert\": \"cert.pem\", \"key\": \"\\nBag Attributes: none\\n" FAKE_KEY "\"", WEIR_SERVER);
}

static void TLS_14_a_file_that_is_too_large_is_not_read(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "large.pem");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 5 * 1024 * 1024), 0);
    fclose(file);
    expect_fault(f, "\"cert\": \"large.pem\"", WEIR_SERVER, "/cert: |large.pem is larger than 4 MiB");
}

static void TLS_14_a_key_that_everybody_may_read_is_warned_about(void **state)
{
    fixture *f = *state;
    write_files(f);
    assert_int_equal(chmod(fixture_path(f, "key.pem"), 0640), 0);
    expect_good(f, FILES, WEIR_SERVER);
    assert_string_equal(fixture_log(f), "");
    assert_int_equal(chmod(fixture_path(f, "key.pem"), 0644), 0);
    expect_good(f, FILES, WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f), "everybody may read the private key"));
    assert_non_null(strstr(fixture_log(f), fixture_path(f, "key.pem")));
}

/* Nor is what opens the key for everybody, or stands in for it. */
static void TLS_14_TLS_17_secrets_that_everybody_may_read_are_warned_about(void **state)
{
    static const char options[] = SERVES ", \"pskIdentity\": \"a\", \"psk\": {\"file\": \"psk\"}, "
                                         "\"SNI\": {\"localhost\": {\"passphrase\": {\"file\": \"pass\"}, " SERVES "}}";
    fixture *f = *state;
    write_file(f, "psk", "00112233445566778899aabbccddeeff\n", 0640);
    write_file(f, "pass", "open sesame\n", 0600);
    expect_good(f, options, WEIR_SERVER);
    assert_string_equal(fixture_log(f), "");
    assert_int_equal(chmod(fixture_path(f, "psk"), 0644), 0);
    assert_int_equal(chmod(fixture_path(f, "pass"), 0604), 0);
    expect_good(f, options, WEIR_SERVER);
    static const char *const places[][2] = {{"psk", "psk"}, {"SNI/localhost/passphrase", "pass"}};
    for (size_t i = 0; i < 2; i++)
        assert_non_null(strstr(
            fixture_log(f), fixture_text(f,
                                         "/layers/0/tls-fake/%s: everybody may read the secret in %s: let nobody but "
                                         "its owner (chmod 600)\n",
                                         places[i][0], fixture_path(f, places[i][1]))));
}

static void TLS_14_a_certificate_in_the_place_of_a_key_may_be_read(void **state)
{
    fixture *f = *state;
    write_files(f);
    assert_int_equal(chmod(fixture_path(f, "cert.pem"), 0644), 0);
    expect_good(f, "\"cert\": \"cert.pem\", \"key\": \"cert.pem\"", WEIR_SERVER); /* the engine's to refuse */
    assert_string_equal(fixture_log(f), "");
    assert_int_equal(chmod(fixture_path(f, "both.pem"), 0644), 0);
    expect_good(f, "\"cert\": \"both.pem\"", WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f), "everybody may read the private key"));
}

static void TLS_14_an_expired_certificate_is_a_warning(void **state)
{
    fixture *f = *state;
    expect_good(f, "\"cert\": \"" FAKE_CERT "expired=1\\n\", \"key\": \"" FAKE_KEY "\"", WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f), "the certificate has expired"));
}

static void TLS_16_a_key_log_that_cannot_be_written_is_a_warning(void **state)
{
    fixture *f = *state;
    expect_good(f, SERVES ", \"keylog\": \"keys.log\"", WEIR_SERVER);
    assert_int_equal(access(fixture_path(f, "keys.log"), F_OK), -1); /* only looked at */
    write_file(f, "keys.log", "", 0600);
    expect_good(f, SERVES ", \"keylog\": \"keys.log\"", WEIR_SERVER);
    assert_string_equal(fixture_log(f), "");
    expect_good(f, SERVES ", \"keylog\": \"nowhere/keys.log\", \"SNI\": {\"a.b\": {}}", WEIR_SERVER);
    const char *first = strstr(fixture_log(f), "/keylog: the key log ");
    assert_non_null(first);
    assert_non_null(strstr(first, "nowhere/keys.log cannot be written: no such file or directory (ENOENT)"));
    assert_null(strstr(first + 1, "/keylog: "));
    expect_good(f, TRUSTS ", \"keylog\": \".\"", WEIR_CLIENT);
    assert_non_null(strstr(fixture_log(f), "(EISDIR)"));
}

static void TLS_14_TLS_16_a_key_log_that_everybody_may_read_is_warned_about(void **state)
{
    static const mode_t modes[] = {0600, 0640, 0622};
    fixture *f = *state;
    write_file(f, "keys.log", "", 0600);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(fixture_path(f, "keys.log"), modes[i]), 0);
        expect_good(f, SERVES ", \"keylog\": \"keys.log\"", WEIR_SERVER);
    }
    expect_good(f, SERVES ", \"keylog\": \"/dev/null\"", WEIR_SERVER);
    assert_string_equal(fixture_log(f), "");
    assert_int_equal(chmod(fixture_path(f, "keys.log"), 0644), 0);
    expect_good(f, TRUSTS ", \"keylog\": \"keys.log\"", WEIR_CLIENT);
    assert_non_null(strstr(
        fixture_log(f), fixture_text(f, "/keylog: everybody may read the key log %s, ", fixture_path(f, "keys.log"))));
    assert_non_null(strstr(fixture_log(f), "(chmod 600)"));
}

/* ---- what must be together ---- */

static void what_does_not_go_together_is_a_fault(void **state)
{
    fixture *f = *state;
    expect_fault(f, "", WEIR_SERVER, "listening needs a certificate");
    expect_fault(f, SERVES ", \"minVersion\": \"TLSv1.3\", \"maxVersion\": \"TLSv1.2\"", WEIR_SERVER,
                 "/minVersion: |no version is left");
    expect_fault(f, SERVES ", \"requestCert\": true", WEIR_SERVER, "/requestCert: |\"ca\"");
    expect_good(f, SERVES ", \"requestCert\": true, \"rejectUnauthorized\": false", WEIR_SERVER);
    expect_fault(f, SERVES ", \"pinSha256\": \"n5dWZ5SNxKHBbJyLFYqgv9jpNQ6YIBt0ecrF9dcmQjA=\"", WEIR_SERVER,
                 "/pinSha256: |requestCert");
    expect_fault(f, TRUSTS ", \"SNI\": {}", WEIR_CLIENT, "/SNI: |listening");
    expect_fault(f, TRUSTS ", \"psk\": \"00112233445566778899aabbccddeeff\"", WEIR_CLIENT, "pskIdentity");
    expect_good(f, TRUSTS ", \"pskIdentity\": \"me\", \"psk\": \"00112233445566778899aabbccddeeff\"", WEIR_CLIENT);
    expect_fault(f, SERVES ", \"context\": \"nobody\"", WEIR_SERVER, "/context: |nobody");
}

#define PINS ", \"pinSha256\": \"n5dWZ5SNxKHBbJyLFYqgv9jpNQ6YIBt0ecrF9dcmQjA=\""

static void TLS_09_TLS_21_what_decides_about_clients_needs_them_to_be_asked(void **state)
{
    fixture *f = *state;
    expect_good(f, SERVES PINS ", \"requestCert\": true, \"ca\": \"" FAKE_CA "\"", WEIR_SERVER);
    expect_good(f, SERVES PINS ", \"SNI\": {\"localhost\": {\"requestCert\": true, \"ca\": \"" FAKE_CA "\"}}",
                WEIR_SERVER);
    expect_good(f, TRUSTS PINS, WEIR_CLIENT);
    assert_string_equal(fixture_log(f), "");
    expect_fault(f, SERVES PINS, WEIR_SERVER, "/pinSha256: |requestCert");
    expect_good(f, SERVES ", \"SNI\": {\"a.b\": {\"crl\": \"" FAKE_CA "\"}}", WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f), "/SNI/a.b/crl: this decides nothing"));
    expect_fault(f, SERVES PINS ", \"SNI\": {\"a.b\": {\"requestCert\": false}}", WEIR_SERVER,
                 "/pinSha256: |requestCert");
}

/* Who gives it means to let in some clients only. */
static void TLS_09_an_authority_without_a_request_lets_everybody_in(void **state)
{
#define CA ", \"ca\": \"" FAKE_CA "\""
    static const char says[] =
        "/ca: this decides nothing: without \"requestCert\" no client is asked for a certificate";
    fixture *f = *state;
    expect_good(f, SERVES CA ", \"requestCert\": true", WEIR_SERVER);
    expect_good(f, SERVES CA ", \"requestCert\": true, \"rejectUnauthorized\": false", WEIR_SERVER);
    expect_good(f, SERVES CA ", \"SNI\": {\"localhost\": {\"requestCert\": true}}", WEIR_SERVER);
    expect_good(f, SERVES CA, WEIR_CLIENT);
    assert_string_equal(fixture_log(f), "");
    expect_good(f, SERVES CA, WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f), fixture_text(f, "%s, and everybody is let in\n", says)));
    size_t length = strlen(fixture_log(f));
    expect_good(f, "\"pskIdentity\": \"me\", \"psk\": \"00112233445566778899aabbccddeeff\"" CA, WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f) + length, fixture_text(f, "%s\n", says)));
    length = strlen(fixture_log(f));
    expect_good(f, SERVES ", \"SNI\": {\"localhost\": {\"requestCert\": false" CA "}}", WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f) + length, "/SNI/localhost/ca: this decides nothing"));
#undef CA
}

/* Which a letter may have several of. */
static void TLS_11_a_protocol_has_at_most_255_bytes(void **state)
{
    fixture *f = *state;
    char name[261];
    for (size_t i = 0; i < 128; i++)
        memcpy(name + 2 * i, "\xc3\xa9", 3);
    expect_fault(f, fixture_text(f, SERVES ", \"ALPNProtocols\": [\"h2\", \"%s\"]", name), WEIR_SERVER,
                 "/ALPNProtocols/1: |at most 255 bytes");
    name[254] = '\0';
    expect_good(f, fixture_text(f, SERVES ", \"ALPNProtocols\": [\"h2\", \"%s\"]", name), WEIR_SERVER);
}

static void TLS_13_lists_are_arrays_or_texts_with_colons(void **state)
{
    fixture *f = *state;
    expect_good(f, TRUSTS ", \"ciphers\": \"FAKE_CHATTY=1:FAKE_RECORD=5\"", WEIR_CLIENT);
    expect_good(f, TRUSTS ", \"ciphers\": [\"FAKE_CHATTY=1\"], \"groups\": \"x25519:secp256r1\"", WEIR_CLIENT);
    expect_fault(f, TRUSTS ", \"ciphers\": \"FAKE_CHATTY=1:RC4-SHA\"", WEIR_CLIENT, "/ciphers: |RC4-SHA");
    expect_fault(f, TRUSTS ", \"ciphers\": [\"FAKE_CHATTY=1\", \"RC4-SHA\"]", WEIR_CLIENT, "/ciphers/1: |RC4-SHA");
    expect_fault(f, TRUSTS ", \"groups\": \"x25519::secp256r1\"", WEIR_CLIENT, "/groups: |empty name");
}

static void options_that_are_misspelled_are_faults_of_the_schema(void **state)
{
    fixture *f = *state;
    expect_fault(f, SERVES ", \"ALPNProtocol\": [\"h2\"]", WEIR_SERVER, "ALPNProtocols");
    expect_fault(f, SERVES ", \"minVersion\": \"TLSv1.1\"", WEIR_SERVER, "/minVersion|TLSv1.2");
    expect_fault(f, SERVES ", \"psk\": \"xyz\", \"pskIdentity\": \"a\"", WEIR_SERVER, "/psk: |hexadecimal digits");
    expect_fault(f, SERVES ", \"pinSha256\": \"short\"", WEIR_SERVER, "/pinSha256: \"short\": expected |44 characters");
    expect_fault(f, SERVES ", \"SNI\": {\"a..b\": {}}", WEIR_SERVER, "a..b|expected a name ");
    expect_fault(f, SERVES ", \"SNI\": {\"m\u00fcnchen.de\": {}}", WEIR_SERVER, "nchen.de\": expected |punycode");
    expect_fault(f, SERVES ", \"SNI\": {\"a.b\": {\"watch\": true}}", WEIR_SERVER, "/SNI/a.b|watch");
    expect_fault(f, SERVES ", \"ticketLifetime\": \"8d\"", WEIR_SERVER, "/ticketLifetime");
}

/* A text that is a duration is bound as a number is. */
static void TLS_12_lifetimes_are_bound_in_any_form(void **state)
{
    static const char *const wrong[][2] = {
        {"ticketLifetime", "\"0s\""},    {"ticketLifetime", "\"1s\""},       {"ticketLifetime", "\"500ms\""},
        {"ticketLifetime", "1999"},      {"ticketLifetime", "\"1999\""},     {"ticketLifetime", "\"169h\""},
        {"ticketLifetime", "604800001"}, {"ticketLifetime", "\"1193047h\""}, {"ticketLifetime", "\"99999999h\""},
        {"sessionTimeout", "\"25h\""},   {"sessionTimeout", "86400001"},
    };
    static const char *const right[][2] = {
        {"ticketLifetime", "\"2s\""}, {"ticketLifetime", "\"168h\""}, {"ticketLifetime", "2000"},
        {"sessionTimeout", "\"0\""},  {"sessionTimeout", "\"24h\""},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect_fault(f, fixture_text(f, SERVES ", \"%s\": %s", wrong[i][0], wrong[i][1]), WEIR_SERVER,
                     fixture_text(f, "/%s: %s is |than the m|imum of ", wrong[i][0], wrong[i][1]));
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        expect_good(f, fixture_text(f, SERVES ", \"%s\": %s", right[i][0], right[i][1]), WEIR_SERVER);
}

static void secrets_are_not_quoted(void **state)
{
    fixture *f = *state;
    static const char key[] = "deadbeefdeadbeefdeadbeefdeadbeef";
    for (size_t i = 0; i < 2; i++) {
        weir_error *hidden = tls_refusal(
            f, fixture_text(f, SERVES ", \"pskIdentity\": \"a\", \"psk\": {\"%s\": \"%s\"}", i ? "env" : "file", key),
            WEIR_SERVER);
        assert_non_null(hidden);
        assert_null(strstr(hidden->message, key));
        assert_null(strstr(hidden->message, "pattern")); /* one fault is enough */
        weir_error_release(hidden);
    }
    weir_error *error = tls_refusal(f, SERVES ", \"pskIdentity\": \"a\", \"psk\": \"not-hexadecimal\"", WEIR_SERVER);
    assert_non_null(error);
    assert_null(strstr(error->message, "not-hexadecimal"));
    weir_error_release(error);
    error = tls_refusal(f, "\"cert\": \"" FAKE_CERT "\", \"key\": \"" OTHER_KEY "\"", WEIR_SERVER);
    assert_non_null(error);
    assert_null(strstr(error->message, "subject=other"));
    weir_error_release(error);
}

/* Jansson's memory is nothing but zeros at first: all of it may be looked at later. */
static void *zeros(size_t size)
{
    return calloc(1, size);
}

static size_t left_behind;

/* In the place of the one that Jansson frees its memory with. */
static void free_and_look(void *memory)
{
    if (memory && memmem(memory, malloc_usable_size(memory), "deadbeef", 8))
        left_behind++;
    free(memory);
}

/* What a file holds is not to stay in freed memory because it was an option for a while. */
static void secrets_out_of_files_are_wiped(void **state)
{
    static const char options[] =
        SERVES ", \"pskIdentity\": \"a\", \"psk\": {\"file\": \"psk\"}, \"passphrase\": {\"file\": "
               "\"psk\"}, \"SNI\": {\"a.b\": {\"passphrase\": {\"file\": \"psk\"}, " SERVES "}}";
    fixture *f = *state;
    write_file(f, "psk", "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef\n", 0600);
    json_set_alloc_funcs(zeros, free_and_look);
    expect_good(f, options, WEIR_SERVER);
    json_set_alloc_funcs(zeros, free);
    assert_int_equal(left_behind, 0);
}

static void options_stand_in_a_url_but_for_secrets(void **state)
{
    fixture *f = *state;
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    write_files(f);
    assert_code(weir_endpoint_parse(f->runtime,
                                    "tls-fake+tcp://127.0.0.1:0?cert=cert.pem&key=key.pem&ALPNProtocols=h2,http/1.1",
                                    WEIR_SERVER, f->folder, &endpoint, &error),
                0);
    char text[100];
    weir_endpoint_format(endpoint, text, sizeof(text));
    assert_string_equal(text, "tls-fake+tcp://127.0.0.1:0");
    weir_endpoint_release(endpoint);
    assert_code(weir_endpoint_parse(f->runtime, "tls-fake+tcp://127.0.0.1:0?cert=both.pem&passphrase=x", WEIR_SERVER,
                                    f->folder, &endpoint, &error),
                WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(error->message, "secret"));
    weir_error_release(error);
}

/* ---- contexts under SNI ---- */

static void TLS_10_faults_of_contexts_under_SNI_say_where(void **state)
{
    fixture *f = *state;
    write_files(f);
    expect_good(f,
                FILES ", \"SNI\": {\"a.example\": "
                      "{\"cert\": \"both.pem\"}, \"*.b.example\": {}}",
                WEIR_SERVER);
    expect_fault(f,
                 FILES ", \"SNI\": {\"a.example\": {\"cert\": \"missing.pem\"}, \"b.example\": {\"key\": \"key.pem\"}}",
                 WEIR_SERVER, "/SNI/a.example/cert: |missing.pem|/SNI/b.example/key: |\"cert\" is missing");
    expect_fault(f, FILES ", \"SNI\": {\"a.example\": {}, \"A.example\": {}}", WEIR_SERVER, "/SNI: |twice");
    expect_fault(f, FILES ", \"maxVersion\": \"TLSv1.2\", \"SNI\": {\"a\": {\"minVersion\": \"TLSv1.3\"}}", WEIR_SERVER,
                 "/SNI/a/minVersion: ");
}

static void TLS_10_a_certificate_that_does_not_bear_its_name_is_warned_of(void **state)
{
    fixture *f = *state;
    expect_good(f, SERVES ", \"SNI\": {\"localhost\": {\"minVersion\": \"TLSv1.3\"}}", WEIR_SERVER);
    assert_string_equal(fixture_log(f), "");
    /* its own, and the one from around it */
    expect_good(f,
                SERVES ", \"SNI\": {\"a.example\": {\"cert\": \"" OTHER_CERT "\", \"key\": \"" OTHER_KEY
                       "\"}, \"*.b.example\": {}}",
                WEIR_SERVER);
    assert_non_null(
        strstr(fixture_log(f), ": /layers/0/tls-fake/SNI/a.example: the certificate is not for a.example\n"));
    assert_non_null(strstr(fixture_log(f), "/SNI/*.b.example: the certificate is not for *.b.example\n"));
    expect_good(f, "\"pskIdentity\": \"me\", \"psk\": \"00112233445566778899aabbccddeeff\", \"SNI\": {\"c\": {}}",
                WEIR_SERVER);
    assert_null(strstr(fixture_log(f), "/SNI/c"));
}

static void TLS_08_a_name_to_ask_for_is_not_for_listening(void **state)
{
    fixture *f = *state;
    expect_good(f, TRUSTS ", \"servername\": \"localhost\"", WEIR_CLIENT);
    assert_string_equal(fixture_log(f), "");
    expect_good(f, SERVES ", \"servername\": \"localhost\", \"SNI\": {\"localhost\": {}}", WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f), "/servername: this decides nothing: it is for connecting"));
}

/* The schema says of which role an option is; the other one says that it has no use for it. */
static void TLS_08_an_option_of_the_other_role_is_told_of(void **state)
{
    static const struct {
        const char *begins; /* the option's description */
        weir_role other;
        const char *own;
    } roles[] = {{"Listening: ", WEIR_CLIENT, TRUSTS}, {"Connecting: ", WEIR_SERVER, SERVES}};
    fixture *f = *state;
    size_t tried = 0;
    json_t *schema = json_load_file(WEIR_TEST_SOURCE "/schemas/tls.schema.json", 0, NULL), *member;
    const char *name;
    json_object_foreach(json_object_get(schema, "properties"), name, member)
    {
        const char *says = json_string_value(json_object_get(member, "description"));
        const char *value = strcmp(name, "servername") == 0    ? "\"localhost\""
                            : strcmp(name, "requestCert") == 0 ? "true"
                                                               : "3000";
        for (size_t i = 0; i < 2; i++) {
            if (strncmp(says, roles[i].begins, strlen(roles[i].begins)) != 0)
                continue;
            tried++;
            if (strcmp(name, "SNI") == 0) {
                expect_fault(f, TRUSTS ", \"SNI\": {}", WEIR_CLIENT, "/SNI: this is for listening");
                continue;
            }
            size_t length = strlen(fixture_log(f));
            expect_good(f, fixture_text(f, "%s, \"%s\": %s", roles[i].own, name, value), roles[i].other);
            if (!strstr(fixture_log(f) + length, fixture_text(f, "/%s: this decides nothing: it is for", name)))
                fail_msg("%s says nothing", name);
            length = strlen(fixture_log(f));
            expect_good(f, roles[i].own, roles[i].other); /* what has its default is not told of */
            assert_null(strstr(fixture_log(f) + length, "it is for"));
        }
    }
    assert_int_equal(tried, 5);
    json_decref(schema);
}

static void TLS_09_what_nobody_is_checked_by_is_told_once(void **state)
{
    fixture *f = *state;
    expect_good(f, SERVES ", \"crl\": \"" FAKE_CA "\", \"rejectUnauthorized\": false, \"ca\": \"" FAKE_CA "\"",
                WEIR_SERVER);
    const char *first = strstr(fixture_log(f), "/ca: this decides nothing: without \"requestCert\"");
    assert_non_null(first);
    assert_null(strstr(first + strlen("/ca: this decides nothing"), "decides nothing"));
    size_t length = strlen(fixture_log(f));
    expect_good(f, SERVES ", \"rejectUnauthorized\": false", WEIR_SERVER);
    assert_non_null(strstr(fixture_log(f) + length, "/rejectUnauthorized: this decides nothing"));
}

/* ---- memory ---- */

static void quiet(weir_log_level level, const char *message, void *arg)
{
    (void)level;
    (void)message;
    (void)arg;
}

typedef struct configuring {
    const fixture *f;
    const char *options;
    int code; /* that they come to */
} configuring;

static void configure_without_memory(void *arg)
{
    const configuring *self = arg;
    uv_loop_t loop;
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *runtime = fixture_new_runtime(&loop);
    if (runtime) {
        weir_runtime_on_log(runtime, quiet, NULL);
        int status = weir_endpoint_parse(runtime, self->options, WEIR_SERVER, self->f->folder, &endpoint, &error);
        if (!allocator_failures() && status != self->code)
            fail_msg("without a failure: %s", error ? error->message : "no fault");
        /* the fixture's runtime may have missed a folder of plugins, too */
        if (status && status != UV_ENOMEM && status != WEIR_ENOPLUGIN && status != self->code)
            fail_msg("out of memory is %s: %s", weir_error_name(status), error ? error->message : "");
        weir_error_release(error);
        weir_endpoint_release(endpoint);
        weir_runtime_free(runtime);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void any_allocation_of_a_context_may_fail(void **state)
{
    fixture *f = *state;
    write_files(f);
    write_file(f, "psk", "00112233445566778899aabbccddeeff\n", 0644);
    configuring good = {f,
                        "{\"tcp\": {\"port\": 0}, \"layers\": [{\"tls-fake\": {" FILES
                        ", \"ca\": [\"ca.pem\"], \"crl\": [\"cert.pem\"], \"requestCert\": true,"
                        "\"ALPNProtocols\": [\"h2\"], \"ciphers\": \"FAKE_CHATTY=0\","
                        "\"pskIdentity\": \"me\", \"psk\": {\"file\": \"psk\"}, \"ticketLifetime\": \"2h\","
                        "\"pinSha256\": \"n5dWZ5SNxKHBbJyLFYqgv9jpNQ6YIBt0ecrF9dcmQjA=\","
                        "\"keylog\": \"log\","
                        "\"SNI\": {\"a.b\": {\"cert\": \"both.pem\"}, \"b.b\": {}}}}]}",
                        0};
    assert_true(allocator_fail_each(configure_without_memory, &good) > 100);
}

/* Nor is anything left behind of what is only looked through for faults. */
static void any_allocation_of_a_faulty_context_may_fail(void **state)
{
    fixture *f = *state;
    write_files(f);
    configuring faulty = {
        f,
        "{\"tcp\": {\"port\": 0}, \"layers\": [{\"tls-fake\": {\"cert\": \"cert.pem\", "
        "\"key\": \"missing.pem\", \"ca\": [\"ca.pem\", \"rubbish.pem\"], \"requestCert\": true,"
        "\"ciphers\": [\"FAKE_NONSENSE\"], "
        "\"SNI\": {\"a.b\": {\"cert\": \"gone.pem\"}, \"b.b\": {}, \"c.b\": {\"cert\": \"both.pem\"}}}}]}",
        WEIR_EINVALID_CONFIG};
    assert_true(allocator_fail_each(configure_without_memory, &faulty) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_10_a_certificate_that_does_not_bear_its_name_is_warned_of),
        FIXTURE_TEST(TLS_08_an_option_of_the_other_role_is_told_of),
        FIXTURE_TEST(TLS_09_what_nobody_is_checked_by_is_told_once),
        FIXTURE_TEST(TLS_08_a_name_to_ask_for_is_not_for_listening),
        FIXTURE_TEST(TLS_14_material_comes_from_files_texts_and_the_environment),
        FIXTURE_TEST(TLS_14_bad_material_is_found_when_the_context_is_made),
        FIXTURE_TEST(TLS_14_faults_of_files_do_not_hide_those_of_what_was_read),
        FIXTURE_TEST(TLS_14_a_key_in_the_options_is_never_quoted),
        FIXTURE_TEST(TLS_14_a_file_that_is_too_large_is_not_read),
        FIXTURE_TEST(TLS_14_a_key_that_everybody_may_read_is_warned_about),
        FIXTURE_TEST(TLS_14_TLS_17_secrets_that_everybody_may_read_are_warned_about),
        FIXTURE_TEST(TLS_14_a_certificate_in_the_place_of_a_key_may_be_read),
        FIXTURE_TEST(TLS_14_an_expired_certificate_is_a_warning),
        FIXTURE_TEST(TLS_16_a_key_log_that_cannot_be_written_is_a_warning),
        FIXTURE_TEST(TLS_14_TLS_16_a_key_log_that_everybody_may_read_is_warned_about),
        FIXTURE_TEST(what_does_not_go_together_is_a_fault),
        FIXTURE_TEST(TLS_09_TLS_21_what_decides_about_clients_needs_them_to_be_asked),
        FIXTURE_TEST(TLS_09_an_authority_without_a_request_lets_everybody_in),
        FIXTURE_TEST(TLS_11_a_protocol_has_at_most_255_bytes),
        FIXTURE_TEST(TLS_13_lists_are_arrays_or_texts_with_colons),
        FIXTURE_TEST(options_that_are_misspelled_are_faults_of_the_schema),
        FIXTURE_TEST(TLS_12_lifetimes_are_bound_in_any_form),
        FIXTURE_TEST(secrets_are_not_quoted),
        FIXTURE_TEST(secrets_out_of_files_are_wiped),
        FIXTURE_TEST(options_stand_in_a_url_but_for_secrets),
        FIXTURE_TEST(TLS_10_faults_of_contexts_under_SNI_say_where),
        FIXTURE_TEST(any_allocation_of_a_context_may_fail),
        FIXTURE_TEST(any_allocation_of_a_faulty_context_may_fail),
    };
    json_set_alloc_funcs(zeros, free);
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_settings", tests, NULL, NULL);
}
