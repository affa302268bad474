/* SPDX-License-Identifier: MIT */
/* `weir cert`, and `weir connect` as it tells what TLS agreed on: --ca, --verbose. */
#define _GNU_SOURCE

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "tls_service.h"

static mode_t mode_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        fail_msg("%s: %s", path, strerror(errno));
    return status.st_mode & 0777;
}

static json_t *line_of(const char *text)
{
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
    if (!json_is_object(line))
        fail_msg("not a JSON object: %s", text);
    return line;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* ---- weir cert ---- */

static void certificates_are_made_for_names_and_addresses(void **state)
{
    (void)state;
    char folder[256], text[512];
    int code;
    tls_need();
    child *weir = CHILD_RUN(&code, "cert", "--host", "localhost", "127.0.0.1", "*.example.org", "--out",
                            tls_folder(folder, sizeof(folder), "made"));
    if (code != 0)
        fail_msg("ended with %d: %s", code, weir->err_text);
    assert_string_equal(weir->err_text, "");
    json_t *line = line_of(weir->out_text);
    assert_string_equal(member(line, "event"), "certificate");
    assert_int_equal(json_array_size(json_object_get(line, "hosts")), 3);
    snprintf(text, sizeof(text), "%s/server.pem", folder);
    assert_string_equal(member(line, "cert"), text);
    assert_int_equal(mode_of(text), 0644);
    assert_int_equal(mode_of(member(line, "key")), 0600);
    assert_int_equal(mode_of(member(line, "ca")), 0644);
    snprintf(text, sizeof(text), "%s/ca.key", folder);
    assert_int_equal(mode_of(text), 0600);
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "verify", "-CAfile", member(line, "ca"), "-purpose",
                           "sslserver", "-verify_hostname", "www.example.org", member(line, "cert"));
    code = child_finish(openssl);
    if (code != 0)
        fail_msg("openssl verify ended with %d: %s", code, openssl->err_text);
    child_free(openssl);
    openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "x509", "-noout", "-ext", "subjectAltName", "-in",
                    member(line, "cert"));
    assert_int_equal(child_finish(openssl), 0);
    assert_non_null(strstr(openssl->out_text, "DNS:localhost, IP Address:127.0.0.1, DNS:*.example.org\n"));
    child_free(openssl);
    json_decref(line);
    child_free(weir);
}

static char *contents(const char *path)
{
    char *text = calloc(1, 8192);
    FILE *file = fopen(path, "r");
    assert_true(text != NULL && file != NULL);
    assert_true(fread(text, 1, 8191, file) > 0);
    fclose(file);
    return text;
}

static char *subject_of(const char *cert)
{
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "x509", "-noout", "-subject", "-in", cert);
    assert_int_equal(child_finish(openssl), 0);
    char *subject = strdup(openssl->out_text);
    child_free(openssl);
    return subject;
}

/* Two authorities beside one another in what is trusted, and neither is taken for the other. */
static void every_authority_has_a_name_of_its_own(void **state)
{
    (void)state;
    char folder[2][256], path[300], both[20000], *authority[2], *subject[2];
    int code;
    tls_need();
    for (int i = 0; i < 2; i++) {
        tls_folder(folder[i], sizeof(folder[i]), i == 0 ? "one" : "other");
        child_free(CHILD_RUN(&code, "cert", "--host", "localhost", "--out", folder[i]));
        assert_int_equal(code, 0);
        snprintf(path, sizeof(path), "%s/ca.pem", folder[i]);
        authority[i] = contents(path);
        subject[i] = subject_of(path);
        assert_non_null(strstr(subject[i], "weir authority "));
    }
    assert_string_not_equal(subject[0], subject[1]);
    for (int i = 0; i < 2; i++) {
        snprintf(both, sizeof(both), "%s%s", authority[0], authority[1]);
        snprintf(path, sizeof(path), "%s/server.pem", folder[i]);
        child *openssl =
            OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "verify", "-CAfile", child_file("both.pem", both), path);
        code = child_finish(openssl);
        if (code != 0)
            fail_msg("openssl verify ended with %d: %s", code, openssl->err_text);
        child_free(openssl);
    }
    for (int i = 0; i < 2; i++) {
        free(authority[i]);
        free(subject[i]);
    }
}

static void authority_is_kept_and_certificates_are_replaced(void **state)
{
    (void)state;
    char folder[256], path[2][512];
    char *before[2], *after[2];
    int code;
    tls_need();
    tls_folder(folder, sizeof(folder), "again");
    child_free(CHILD_RUN(&code, "cert", "--host", "a", "--out", folder, "--file", "front"));
    assert_int_equal(code, 0);
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/%s", folder, i == 0 ? "ca.pem" : "front.pem");
        before[i] = contents(path[i]);
    }
    child_free(CHILD_RUN(&code, "cert", "--host", "a", "--out", folder, "--file", "front"));
    assert_int_equal(code, 0);
    for (int i = 0; i < 2; i++)
        after[i] = contents(path[i]);
    assert_string_equal(before[0], after[0]);
    assert_string_not_equal(before[1], after[1]);
    /* A certificate that is no authority signs nothing: a mistake, which is told. */
    FILE *file = fopen(path[0], "w");
    assert_non_null(file);
    fputs(after[1], file);
    fclose(file);
    child *weir = CHILD_RUN(&code, "cert", "--host", "a", "--out", folder);
    assert_int_equal(code, 2);
    assert_non_null(strstr(weir->err_text, "ca"));
    child_free(weir);
    for (int i = 0; i < 2; i++) {
        free(before[i]);
        free(after[i]);
    }
}

static void certificates_that_cannot_be_made_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[8];
        int code;
        const char *message;
    } cases[] = {
        {{"cert", "--host", "a=b", "--out", "/nonexistent/folder"}, 2, "\\\"a=b\\\" is neither a name"},
        {{"cert", "--host", "a", "--out", "/nonexistent/folder"}, 1, "/nonexistent/folder"},
        {{"cert", "--host", "a", "--out", "/nonexistent", "--file", "ca"}, 2, "not \\\"ca\\\""},
        {{"cert", "--host", "a", "--out", "/nonexistent", "--file", "../x"}, 2, "without '/'"},
        {{"cert", "--host", "a", "--out", "/nonexistent", "-f", "\"\""}, 2, "a letter or a digit"},
        {{"cert", "--host", "a", "--out", "/nonexistent", "-f", ""}, 2, "a letter or a digit"},
        {{"cert", "--host", "a", "--out", ""}, 2, "a folder is wanted"},
        {{"cert", "--host", "127.0.0.256", "--out", "/nonexistent"}, 2, "is no address"},
        {{"cert", "--host", "-x-", "--out", "/nonexistent"}, 2, "begins or ends with '-'"},
    };
    tls_need();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int code;
        child *weir = child_run(&code, cases[i].arguments);
        assert_int_equal(code, cases[i].code);
        assert_string_equal(weir->out_text, "");
        if (!strstr(weir->err_text, cases[i].message))
            fail_msg("expected %s, found: %s", cases[i].message, weir->err_text);
        child_free(weir);
    }
}

static void TLS_14_an_authority_that_everybody_may_read_is_warned_about(void **state)
{
    (void)state;
    char folder[256], key[300];
    int code;
    tls_need();
    tls_folder(folder, sizeof(folder), "open");
    snprintf(key, sizeof(key), "%s/ca.key", folder);
    for (int i = 0; i < 3; i++) {
        child *weir = CHILD_RUN(&code, "cert", "--host", "a", "--out", folder);
        assert_int_equal(code, 0);
        if (i < 2) {
            assert_string_equal(weir->err_text, "");
        } else {
            tls_expect(weir->err_text, "\"level\":\"warning\"");
            tls_expect(weir->err_text, "everybody may read the private key in ");
            tls_expect(weir->err_text, key);
        }
        child_free(weir);
        assert_int_equal(chmod(key, i == 0 ? 0640 : 0644), 0);
    }
}

/* ---- weir connect ---- */

static void TLS_07_connect_verifies_by_ca_and_tells(void **state)
{
    (void)state;
    tls_service *service = tls_serve("\"ALPNProtocols\": [\"echo\"]");
    char url[128];
    int code;
    snprintf(url, sizeof(url), "tls+tcp://localhost:%s?ALPNProtocols=echo", service->port);
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "-v", "--ca", tls_cert("ca.pem"), url);
    assert_int_equal(write(weir->in, "hello", 5), 5);
    code = child_finish(weir);
    if (code != 0)
        fail_msg("ended with %d: %s", code, weir->err_text);
    assert_string_equal(weir->out_text, "hello");
    json_t *line = line_of(weir->err_text);
    assert_string_equal(member(line, "event"), "connected");
    assert_ptr_equal(strstr(member(line, "version"), "TLSv1."), member(line, "version"));
    assert_ptr_equal(strstr(member(line, "cipher"), "TLS_"), member(line, "cipher"));
    assert_string_equal(member(line, "alpn"), "echo");
    assert_string_equal(member(line, "peer"), "CN=localhost");
    assert_true(json_is_true(json_object_get(line, "authorized")));
    json_decref(line);
    child_free(weir);
    /* For people. */
    weir = CHILD_RUN(&code, "connect", "--human", "-v", "--ca", tls_cert("ca.pem"), url);
    assert_int_equal(code, 0);
    assert_ptr_equal(strstr(weir->err_text, "connected  tls+tcp://localhost:"), weir->err_text);
    assert_non_null(strstr(weir->err_text, "  ALPN echo  verified: CN=localhost\n"));
    child_free(weir);
    child_free(tls_stop(service));
}

static void TLS_07_connect_refuses_whom_nothing_vouches_for(void **state)
{
    (void)state;
    tls_service *service = tls_serve("");
    char url[128], lenient[160];
    int code;
    snprintf(url, sizeof(url), "tls+tcp://localhost:%s", service->port);
    child *weir = CHILD_RUN(&code, "connect", "--human", "-v", url); /* trusts the system's authorities */
    assert_int_equal(code, 1);
    assert_null(strstr(weir->err_text, "connected"));
    assert_non_null(strstr(weir->err_text, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"));
    child_free(weir);
    snprintf(lenient, sizeof(lenient), "%s?rejectUnauthorized=false", url);
    weir = CHILD_RUN(&code, "connect", "--human", "-v", lenient);
    assert_int_equal(code, 0);
    assert_non_null(strstr(weir->err_text, "NOT verified: UNABLE_TO_VERIFY_LEAF_SIGNATURE\n"));
    child_free(weir);
    snprintf(lenient, sizeof(lenient), "%s?servername=elsewhere", url);
    weir = CHILD_RUN(&code, "connect", "--human", "--ca", tls_cert("ca.pem"), lenient);
    assert_int_equal(code, 1);
    assert_non_null(strstr(weir->err_text, "ERR_TLS_CERT_ALTNAME_INVALID"));
    child_free(weir);
    child_free(tls_stop(service));
}

static void ca_that_is_none_is_2(void **state)
{
    (void)state;
    int code;
    tls_need();
    child *weir = CHILD_RUN(&code, "connect", "--ca", "/nonexistent/ca.pem", "tls+tcp://127.0.0.1:1");
    assert_int_equal(code, 2);
    assert_non_null(strstr(weir->err_text, "/nonexistent/ca.pem"));
    child_free(weir);
    weir = CHILD_RUN(&code, "connect", "--ca", "/nonexistent/a b&c.pem", "tls+tcp://127.0.0.1:1?minVersion=TLSv1.2");
    assert_int_equal(code, 2);
    assert_non_null(strstr(weir->err_text, "/nonexistent/a b&c.pem"));
    child_free(weir);
    weir = CHILD_RUN(&code, "connect", "--ca", tls_cert("ca.pem"), "tcp://127.0.0.1:1");
    assert_int_equal(code, 2);
    assert_non_null(strstr(weir->err_text, "ca"));
    child_free(weir);
}

/* The usual mask, whatever it is here. */
static mode_t mask_before;

static int mask_setup(void **state)
{
    mask_before = umask(022);
    return child_setup(state);
}

static int mask_teardown(void **state)
{
    (void)state;
    umask(mask_before);
    return 0;
}

#define CERT_TEST(function) cmocka_unit_test_setup(function, child_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(certificates_are_made_for_names_and_addresses, mask_setup, mask_teardown),
        CERT_TEST(every_authority_has_a_name_of_its_own),
        CERT_TEST(authority_is_kept_and_certificates_are_replaced),
        CERT_TEST(certificates_that_cannot_be_made_say_why),
        CERT_TEST(TLS_14_an_authority_that_everybody_may_read_is_warned_about),
        CERT_TEST(TLS_07_connect_verifies_by_ca_and_tells),
        CERT_TEST(TLS_07_connect_refuses_whom_nothing_vouches_for),
        CERT_TEST(ca_that_is_none_is_2),
    };
    return cmocka_run_group_tests_name("service.cert", tests, NULL, NULL);
}
