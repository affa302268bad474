/* SPDX-License-Identifier: MIT */
/*
 * TLS and the system it runs on: the bundle of certificates that everybody trusts, what the environment says, and what a check
 * of a service file warns of.
 */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "mounts.h"
#include "tls_service.h"

/* ---- the bundle ---- */

static const char *bundle; /* of this system; NULL: none, or it cannot be replaced */
static char no_bundle[600];

static void find_bundle(void)
{
    static const char *const known[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    size_t i = 0;
    while (i < 4 && access(known[i], R_OK) != 0)
        i++;
    if (i == 4)
        snprintf(no_bundle, sizeof(no_bundle), "this system has no bundle (ca-certificates)");
    else if (mounts_enter())
        snprintf(no_bundle, sizeof(no_bundle), "%s", mounts_why_not());
    else
        bundle = known[i];
}

static void need_bundle(void)
{
    tls_need();
    if (bundle)
        return;
    print_message("no bundle can be put in the place of the system's: %s\n", no_bundle);
    skip();
}

static void put_bundle(const char *path)
{
    if (mounts_put(path, bundle))
        fail_msg("%s", mounts_why_not());
}

static void take_bundle_away(void)
{
    if (mounts_take_away(bundle))
        fail_msg("%s", mounts_why_not());
}

static weir_server *serve(fixture *f, const char *options)
{
    return fixture_listen(
        f,
        fixture_text(f,
                     "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"tls\": {\"cert\": "
                     "\"%s\", \"key\": \"%s\"%s}}]}",
                     tls_cert("server.pem"), tls_cert("server.key"), options),
        NULL);
}

static const char *url_of(fixture *f, const weir_server *server, const char *options)
{
    weir_address address;
    assert_code(weir_server_address(server, &address), 0);
    return fixture_text(f, "tls+tcp://127.0.0.1:%u?tickets=false&%s", address.port, options);
}

/* A client without "ca" comes to its end: by this error, or "" where it was let through. */
static void expect_verdict(fixture *f, const weir_server *server, const char *name, const char *code)
{
    weir_value value;
    recorder *client = fixture_client(f, url_of(f, server, fixture_text(f, "servername=%s", name)), NULL);
    if (*code) {
        recorder_wait(client, WEIR_EVENT_CLOSE);
        const weir_error *error = weir_stream_errored(client->stream);
        assert_non_null(error);
        if (!strstr(error->message, code))
            fail_msg("%s", error->message);
        return;
    }
    recorder_wait(client, WEIR_EVENT_READY);
    assert_code(weir_stream_get(client->stream, "tls.authorized", &value), 0);
    assert_int_equal(value.number, 1);
    assert_code(weir_stream_get(client->stream, "tls.authorizationError", &value), UV_ENOENT);
    recorder_destroy(client, NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
}

/* In one runtime: what the bundle says now counts. */
static void TLS_07_the_bundle_of_the_system_is_trusted(void **state)
{
    static const char unknown[] = "tls: UNABLE_TO_";
    fixture *f = *state;
    need_bundle();
    weir_server *server = serve(f, "");
    expect_verdict(f, server, "localhost", unknown);
    put_bundle(tls_cert("ca.pem"));
    expect_verdict(f, server, "localhost", "");
    expect_verdict(f, server, "other.example", "tls: ERR_TLS_CERT_ALTNAME_INVALID");
    put_bundle(tls_cert("stranger-ca.pem"));
    expect_verdict(f, server, "localhost", unknown);
    take_bundle_away();
    expect_verdict(f, server, "localhost", "");
    take_bundle_away();
    expect_verdict(f, server, "localhost", unknown);
}

static void TLS_07_connect_trusts_the_bundle_of_the_system(void **state)
{
    (void)state;
    char url[64];
    need_bundle();
    tls_service *service = tls_serve("");
    snprintf(url, sizeof(url), "tls+tcp://localhost:%s", service->port);
    put_bundle(tls_cert("ca.pem"));
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--human", url);
    assert_int_equal(write(weir->in, "hello\n", 6), 6);
    tls_line_with(weir, "hello");
    tls_good_end(weir);
    take_bundle_away();
    weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--human", url);
    assert_int_not_equal(child_finish(weir), 0);
    tls_expect(weir->err_text, "UNABLE_TO_");
    child_free(weir);
    child_free(tls_stop(service));
}

/* ---- the environment ---- */

static int has_lines(const char *path)
{
    char line[512] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int has = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    return has;
}

static void exchange(fixture *f, weir_server *server, const char *options, size_t nth)
{
    recorder *client = fixture_client(
        f, url_of(f, server, fixture_text(f, "servername=localhost&ca=%s%s", tls_cert("ca.pem"), options)), NULL);
    recorder *accepted = fixture_accepted(f, server, nth);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_write(client, "hello", 5);
    recorder_wait_data(accepted, 5);
    assert_int_equal(recorder_saw(client, "layer:tls.keylog"), *options != '\0');
    recorder_destroy(client, NULL);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
}

/* Nobody who can set a variable for a service gets its secrets by that. */
static void TLS_16_SSLKEYLOGFILE_counts_for_nothing(void **state)
{
    fixture *f = *state;
    const char *by_environment = fixture_path(f, "environment.log"), *by_option = fixture_path(f, "option.log");
    tls_need();
    setenv("SSLKEYLOGFILE", by_environment, 1);
    weir_server *server = serve(f, "");
    exchange(f, server, "", 0);
    assert_int_not_equal(access(by_environment, F_OK), 0);
    exchange(f, server, "&keylog=true", 1); /* as events, and in no file */
    assert_int_not_equal(access(by_environment, F_OK), 0);
    exchange(f, server, fixture_text(f, "&keylog=%s", by_option), 2);
    assert_true(has_lines(by_option));
    assert_int_not_equal(access(by_environment, F_OK), 0);
    unsetenv("SSLKEYLOGFILE");
}

/* ---- what a check warns of ---- */

static void TLS_14_check_warns_of_what_serves_and_is_no_good(void **state)
{
    static const char *const expected[] = {
        "2:15: warning: /servers/0/listen/layers/0/tls/servername: this decides nothing: it is for connecting",
        "3:9: warning: /servers/0/listen/layers/0/tls/cert: certificate 1 of ",
        "6:16: warning: /servers/0/listen/layers/0/tls/SNI/www.example: the certificate in ",
    };
    char text[2048], line[512], key[512], cert[512];
    int code;
    (void)state;
    tls_need();
    snprintf(key, sizeof(key), "%s", child_file("small.key", ""));
    snprintf(cert, sizeof(cert), "%s", child_file("small.pem", ""));
    child *openssl = OTHER(CHILD_CLOSED, CHILD_PIPE, "openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes",
                           "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", cert);
    assert_int_equal(child_finish(openssl), 0);
    child_free(openssl);
    assert_int_equal(chmod(key, 0600), 0);
    snprintf(
        text, sizeof(text),
        "{\"servers\": [{\"name\": \"tls\", \"handler\": \"echo\", \"listen\": {\"tcp\": {\"port\": 0}, \"layers\": "
        "[{\"tls\": {\n\"servername\": \"localhost\",\n\"cert\": \"%s\",\n\"key\": \"%s\",\n\"SNI\": "
        "{\n\"www.example\": "
        "{}}}}]}}]}",
        cert, key);
    const char *file = child_file("warned.json", text);
    child *weir = CHILD_RUN(&code, "check", "--human", file);
    assert_int_equal(code, 0);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        snprintf(line, sizeof(line), "%s:%s", file, expected[i]);
        tls_expect(weir->err_text, line);
    }
    assert_int_equal(tls_count(weir->err_text, "warning: "), 3); /* what is wrong with a certificate is said once */
    child_free(weir);
}

/* One list: those of the schema, and those of what the schema has nothing against. */
static void TLS_14_check_tells_all_faults_in_one_go(void **state)
{
    static const struct {
        const char *options;
        const char *expected[4];
    } cases[] = {
        {"\"cert\": \"nope.pem\", \"key\": \"nope.key\", \"requestCerts\": true",
         {"/tls/cert: cannot read ", "/tls/key: cannot read ", "did you mean \"requestCert\"?"}},
        /* A member of the stream: all of what is known here is listed. */
        {"\"handshakeTimeout\": 1", {"known are \"cert\", "}},
        {"\"handshakeTimeout\": 1", {"\"watch\", \"context\""}},
        {"\"cert\": \"nope.pem\", \"ky\": 1", {"/tls/cert: cannot read ", "did you mean \"key\"?"}},
        {"\"key\": \"nope.key\", \"cert\": 1", {"/tls/key: cannot read ", "/tls/cert: expected a string"}},
        {"\"psk\": \"short\", \"pskIdentity\": \"i\", \"ca\": \"nope.pem\"", {"/tls/psk: ", "/tls/ca: cannot read "}},
        {"\"passphrase\": {\"file\": \"nope\"}, \"ca\": \"nope.pem\"",
         {"/tls/passphrase: the secret's file ", "/tls/ca: cannot read "}},
        {"\"SNI\": {\"a.example\": {\"cert\": \"nope.pem\", \"kei\": \"x\"}}, \"ca\": \"nope.pem\"",
         {"/SNI/a.example/cert: cannot read ", "/SNI/a.example/kei: unknown member", "/tls/ca: cannot read "}},
    };
    char text[1024];
    int code;
    (void)state;
    tls_need();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t faults = 0;
        snprintf(text, sizeof(text),
                 "{\"servers\": [{\"name\": \"tls\", \"handler\": \"echo\", \"listen\": {\"tcp\": {\"port\": 0}, "
                 "\"layers\": [{\"tls\": {%s}}]}}]}",
                 cases[i].options);
        child *weir = CHILD_RUN(&code, "check", "--human", child_file("faulty.json", text));
        assert_int_equal(code, 2);
        for (; faults < 4 && cases[i].expected[faults]; faults++)
            tls_expect(weir->err_text, cases[i].expected[faults]);
        assert_int_equal(tls_count(weir->err_text, "\n"), faults);
        child_free(weir);
    }
}

/* What is connected to has no name, unless it is said. */
static void TLS_08_check_misses_whose_certificate_is_to_be_shown(void **state)
{
#define IPC(layers) "{\"ipc\": {\"path\": \"s\"}, \"layers\": [" layers "]}"
    static const struct {
        const char *to;
        size_t faults, warnings;
    } cases[] = {
        {IPC("\"tls\""), 1, 0},
        {"\"tls+ipc:s\"", 1, 0},
        {IPC("{\"tls\": {\"servername\": \"a\"}}, \"tls\""), 0, 1},
        {IPC("{\"tls\": {\"servername\": \"a\"}}"), 0, 0},
        {IPC("{\"tls\": {\"rejectUnauthorized\": false}}"), 0, 0},
        {IPC("{\"tls\": {\"pinSha256\": \"n5dWZ5SNxKHBbJyLFYqgv9jpNQ6YIBt0ecrF9dcmQjA=\"}}"), 0, 0},
        {IPC("{\"tls\": {\"pskIdentity\": \"i\", \"psk\": \"00112233445566778899aabbccddeeff\"}}"), 0, 0},
        {"\"tls+tcp://127.0.0.1:1\"", 0, 0},
    };
    char text[1024];
    int code;
    (void)state;
    need_bundle();
    put_bundle(tls_cert("ca.pem"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text),
                 "{\"servers\": [{\"name\": \"f\", \"listen\": \"tcp://127.0.0.1:0\", "
                 "\"handler\": {\"forward\": {\"to\": %s}}}]}",
                 cases[i].to);
        child *weir = CHILD_RUN(&code, "check", "--human", child_file("hostless.json", text));
        if (cases[i].faults + cases[i].warnings > 0)
            tls_expect(weir->err_text, "there is no host whose name the certificate could bear");
        assert_int_equal(tls_count(weir->err_text, "warning: "), cases[i].warnings);
        assert_int_equal(tls_count(weir->err_text, "\n"), cases[i].faults + cases[i].warnings);
        assert_int_equal(code, cases[i].faults ? 2 : 0);
        child_free(weir);
    }
    take_bundle_away();
#undef IPC
}

static int group_setup(void **state)
{
    child_setup(NULL);
    find_bundle();
    return tls_group_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_07_the_bundle_of_the_system_is_trusted),
        FIXTURE_TEST(TLS_07_connect_trusts_the_bundle_of_the_system),
        FIXTURE_TEST(TLS_16_SSLKEYLOGFILE_counts_for_nothing),
        FIXTURE_TEST(TLS_14_check_warns_of_what_serves_and_is_no_good),
        FIXTURE_TEST(TLS_14_check_tells_all_faults_in_one_go),
        FIXTURE_TEST(TLS_08_check_misses_whose_certificate_is_to_be_shown),
    };
    return cmocka_run_group_tests_name("service.tls_system", tests, group_setup, NULL);
}
