/* SPDX-License-Identifier: MIT */
/*
 * What openssl says besides the usual: keys instead of certificates, another group asked for, keys that change, wishes to
 * negotiate again, early data. A test of TLS 1.3 is skipped where the engine has none.
 */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "tls_service.h"

static void need_13(void)
{
    if (!tls_has_13())
        skip();
}

/* s_client that tells of every message, and takes letters at the beginning of a line as commands. */
#define TALKATIVE(service, ...)                                                                     \
    OTHER(CHILD_PIPE, CHILD_PIPE, "openssl", "s_client", "-connect", tls_where(service), "-CAfile", \
          tls_cert("ca.pem"), "-verify_return_error", "-msg", __VA_ARGS__)

static void say(child *to, const char *text)
{
    assert_int_equal(write(to->in, text, strlen(text)), (ssize_t)strlen(text));
}

/* Says hello and gets it back, and ends; what s_client told is there until child_free. */
static void greet(child *client)
{
    say(client, "hello\n");
    tls_line_with(client, "hello");
    int code = child_finish(client);
    if (code != 0)
        fail_msg("ended with %d: %s", code, client->err_text);
}

/* `weir connect`, which trusts ca.pem, to s_server. */
static child *connect_to(const char *port)
{
    char url[64];
    snprintf(url, sizeof(url), "tls+tcp://localhost:%s", port);
    return CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--human", "--ca", tls_cert("ca.pem"), url);
}

/* ---- keys that both know ---- */

#define KEY     "00112233445566778899aabbccddeeff"
#define BAD_KEY "00112233445566778899aabbccddeef0"

static void TLS_17_TLS_22_s_client_has_a_key(void **state)
{
    (void)state;
    TLS_EACH_VERSION
    {
        tls_need();
        tls_service *service = tls_serve_with("\"pskIdentity\": \"somebody\", \"psk\": \"" KEY "\"", "\"echo\"");
        static const char *const wrong[][2] = {{"somebody", BAD_KEY}, {"nobody", KEY}};
        child *client = TALKATIVE(service, "-psk_identity", "somebody", "-psk", KEY, tls_openssl_versions[i]);
        greet(client);
        assert_null(strstr(client->out_text, ", Certificate\n"));
        child_free(client);
        for (size_t k = 0; k < 2; k++) {
            client = TALKATIVE(service, "-psk_identity", wrong[k][0], "-psk", wrong[k][1], tls_openssl_versions[i]);
            assert_int_not_equal(tls_finish_open(client), 0);
            tls_expect(client->err_text, "alert");
            child_free(client);
        }
        child *weir = tls_stop(service);
        assert_int_equal(tls_count(weir->err_text, "could not be served"), 2);
        child_free(weir);
    }
}

static void TLS_17_TLS_22_connect_has_a_key_of_s_server(void **state)
{
    (void)state;
    static const char *const keys[] = {KEY, BAD_KEY};
    char port[8], endpoint[256];
    TLS_EACH_VERSION
    {
        child *server =
            tls_s_server(tls_openssl_versions[i], "-psk_identity somebody -psk " KEY " -rev", port, sizeof(port));
        for (size_t k = 0; k < 2; k++) {
            snprintf(endpoint, sizeof(endpoint),
                     "{\"tcp\": {\"host\": \"localhost\", \"port\": %s}, \"layers\": [{\"tls\": {\"pskIdentity\": "
                     "\"somebody\", \"psk\": \"%s\"}}]}",
                     port, keys[k]);
            child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "connect", "--human", "-v", endpoint);
            if (k == 0) {
                say(weir, "hello\n");
                assert_string_equal(tls_line_with(weir, "o"), "olleh");
                assert_int_equal(child_finish(weir), 0);
                tls_expect(weir->err_text, tls_versions[i]);
                tls_expect(weir->err_text, "without a certificate");
            } else {
                assert_int_equal(tls_finish_open(weir), 1);
            }
            child_free(weir);
        }
        child_free(server);
    }
}

/* ---- another group (HelloRetryRequest) ---- */

/* The first ClientHello has a share of a group that is not spoken here. Who is asked for stands in both. */
static void TLS_10_TLS_13_TLS_22_s_client_is_asked_for_another_group(void **state)
{
    (void)state;
    char options[1024];
    need_13();
    snprintf(
        options, sizeof(options),
        "\"groups\": [\"x25519\", \"secp256r1\"], \"SNI\": {\"other.example\": {\"cert\": \"%s\", \"key\": \"%s\", "
        "\"ALPNProtocols\": [\"one\"]}}",
        tls_cert("other.pem"), tls_cert("other.key"));
    tls_service *service = tls_serve(options);
    child *client =
        TALKATIVE(service, "-tls1_3", "-groups", "P-384:X25519", "-servername", "other.example", "-alpn", "two,one");
    greet(client);
    assert_int_equal(tls_count(client->out_text, ", ClientHello\n"), 2);
    assert_int_equal(tls_count(client->out_text, ", ServerHello\n"), 2);
    tls_expect(client->out_text, "ALPN protocol: one\n");
    tls_expect(client->out_text, "other.example\n");
    tls_expect(client->out_text, "X25519, 253 bits");
    child_free(client);
    tls_stop_quietly(service);
}

static void TLS_13_TLS_22_connect_is_asked_for_another_group(void **state)
{
    (void)state;
    char port[8];
    need_13();
    child *server = tls_s_server("-tls1_3", "-groups P-384 -msg -naccept 1", port, sizeof(port));
    child *weir = connect_to(port);
    say(weir, "hello\n");
    tls_line_with(server, "hello");
    tls_good_end(weir);
    child_finish(server);
    assert_int_equal(tls_count(server->out_text, ", ClientHello\n"), 2);
    child_free(server);
}

/* ---- a ChangeCipherSpec that means nothing ---- */

static void TLS_22_middleboxes_may_be_pleased_or_not(void **state)
{
    (void)state;
    char port[8];
    need_13();
    tls_service *service = tls_serve("");
    child *client = TALKATIVE(service, "-tls1_3");
    greet(client);
    assert_int_equal(tls_count(client->out_text, ">>> TLS 1.3, ChangeCipherSpec"), 1);
    child_free(client);
    client = TALKATIVE(service, "-tls1_3", "-no_middlebox");
    greet(client);
    assert_int_equal(tls_count(client->out_text, ">>> TLS 1.3, ChangeCipherSpec"), 0);
    child_free(client);
    tls_stop_quietly(service);
    child *server = tls_s_server("-tls1_3", "-no_middlebox -rev", port, sizeof(port));
    child *weir = connect_to(port);
    say(weir, "hello\n");
    assert_string_equal(tls_line_with(weir, "o"), "olleh");
    tls_good_end(weir);
    child_free(server);
}

/* ---- other keys (KeyUpdate) ---- */

/* mbedTLS knows no such message: the connection is over, and both sides are told why, once. */
static void TLS_22_s_client_changes_its_keys(void **state)
{
    (void)state;
    static const char *const commands[] = {"k\n", "K\n"};
    need_13();
    tls_service *service = tls_serve("");
    for (size_t k = 0; k < 2; k++) {
        child *client = TALKATIVE(service, "-tls1_3");
        say(client, "hello\n");
        tls_line_with(client, "hello");
        say(client, commands[k]);
        assert_int_not_equal(tls_finish_open(client), 0);
        tls_expect(client->out_text, "fatal unexpected_message");
        child_free(client);
    }
    child *weir = tls_stop(service);
    assert_int_equal(tls_count(weir->err_text, "(KeyUpdate)"), 2);
    assert_int_equal(tls_count(weir->err_text, "\n"), 2);
    child_free(weir);
}

static void TLS_22_s_server_changes_its_keys(void **state)
{
    (void)state;
    char port[8];
    need_13();
    child *server = tls_s_server("-tls1_3", "-naccept 1", port, sizeof(port));
    child *weir = connect_to(port);
    say(weir, "hello\n");
    tls_line_with(server, "hello");
    say(server, "behind\n");
    assert_string_equal(child_line(weir), "behind");
    say(server, "k\n");
    assert_int_equal(tls_finish_open(weir), 1);
    tls_expect(weir->err_text, "(KeyUpdate)");
    assert_int_equal(tls_count(weir->err_text, "weir: "), 1);
    child_free(weir);
    child_free(server);
}

/* ---- once more from the beginning (renegotiation) ---- */

static void TLS_20_TLS_22_s_client_wishes_to_negotiate_again(void **state)
{
    (void)state;
    tls_service *service = tls_serve("");
    child *client = TALKATIVE(service, "-tls1_2");
    say(client, "hello\n");
    tls_line_with(client, "hello");
    say(client, "R\n");
    assert_int_not_equal(tls_finish_open(client), 0); /* it takes no for an answer, but leaves */
    assert_int_equal(tls_count(client->out_text, ", ClientHello\n"), 2);
    assert_int_equal(tls_count(client->out_text, ", ServerHello\n"), 1);
    tls_expect(client->out_text, "warning no_renegotiation");
    child_free(client);
    child_free(tls_stop(service));
}

/* With and without the wish for a certificate. */
static void TLS_20_TLS_22_s_server_wishes_to_negotiate_again(void **state)
{
    (void)state;
    static const char *const commands[] = {"r\n", "R\n"};
    char port[8];
    for (size_t k = 0; k < 2; k++) {
        child *server = tls_s_server("-tls1_2", "-msg -naccept 1", port, sizeof(port));
        child *weir = connect_to(port);
        say(weir, "hello\n");
        tls_line_with(server, "hello");
        say(server, commands[k]);
        /* It is told no by a warning, and gives up: one error, which is its. */
        assert_int_equal(tls_finish_open(weir), 1);
        tls_expect(weir->err_text, "the peer refused by the alert handshake_failure");
        assert_int_equal(tls_count(weir->err_text, "weir: "), 1);
        child_free(weir);
        child_finish(server);
        tls_expect(server->out_text, ", HelloRequest\n");
        tls_expect(server->out_text, "warning no_renegotiation");
        assert_int_equal(tls_count(server->out_text, ", ClientHello\n"), 1);
        child_free(server);
    }
}

/* After the handshake of TLS 1.3 a server may ask for a certificate only of a client that offers it: ours does not. */
static void TLS_20_TLS_22_s_server_wishes_for_a_certificate_afterwards(void **state)
{
    (void)state;
    char port[8];
    need_13();
    child *server = tls_s_server("-tls1_3", "-naccept 1", port, sizeof(port));
    child *weir = connect_to(port);
    say(weir, "hello\n");
    tls_line_with(server, "hello");
    say(server, "c\n");
    say(weir, "again\n");
    tls_line_with(server, "again"); /* it has read its command by then */
    say(server, "still here\n");
    assert_string_equal(child_line(weir), "still here");
    tls_good_end(weir);
    child_finish(server);
    tls_expect(server->err_text, "extension not received");
    child_free(server);
}

/* ---- early data (0-RTT) ---- */

static void TLS_20_TLS_22_s_client_is_offered_no_early_data(void **state)
{
    (void)state;
    char kept[256], early[256];
    need_13();
    tls_folder(kept, sizeof(kept), "early-session");
    snprintf(early, sizeof(early), "%s", child_file("early", "too early\n"));
    tls_service *service = tls_serve("");
    child *client = TALKATIVE(service, "-tls1_3", "-sess_out", kept);
    greet(client);
    tls_expect(client->out_text, "Max Early Data: 0\n");
    child_free(client);
    client = TALKATIVE(service, "-tls1_3", "-sess_in", kept, "-early_data", early);
    greet(client);
    tls_expect(client->out_text, "\nReused, TLSv1.3");
    tls_expect(client->out_text, "Early data was not sent");
    assert_null(strstr(client->out_text, "too early"));
    child_free(client);
    tls_stop_quietly(service);
}

/*
 * Whoever comes with a ticket of another server (one that was here before, say) may send early data that nobody asked for:
 * all of it is skipped, also where another group has to be asked for, and what comes afterwards counts.
 */
static void TLS_20_TLS_22_early_data_that_another_server_promised_is_skipped(void **state)
{
    (void)state;
    static const char *const groups[] = {"X25519", "P-384:X25519"};
    static char too_early[16001];
    char kept[256], early[256], port[8], where[32];
    need_13();
    tls_folder(kept, sizeof(kept), "promised-session");
    memset(too_early, 'x', sizeof(too_early) - 1);
    snprintf(early, sizeof(early), "%s", child_file("too-early", too_early));
    child *server = tls_s_server("-tls1_3", "-early_data -naccept 1", port, sizeof(port));
    snprintf(where, sizeof(where), "127.0.0.1:%s", port);
    child *client = OTHER(CHILD_PIPE, CHILD_PIPE, "openssl", "s_client", "-connect", where, "-CAfile",
                          tls_cert("ca.pem"), "-tls1_3", "-sess_out", kept);
    say(server, "hello\n"); /* behind the tickets */
    tls_line_with(client, "hello");
    child_finish(client);
    tls_expect(client->out_text, "Max Early Data: 16384\n");
    child_free(client);
    child_free(server);
    tls_service *service = tls_serve("\"groups\": [\"x25519\", \"secp256r1\"]");
    for (size_t k = 0; k < 2; k++) {
        client = TALKATIVE(service, "-tls1_3", "-sess_in", kept, "-early_data", early, "-groups", groups[k]);
        greet(client);
        tls_expect(client->out_text, "\nNew, TLSv1.3");
        tls_expect(client->out_text, "Early data was rejected");
        assert_null(strstr(client->out_text, "xxxx"));
        child_free(client);
    }
    tls_stop_quietly(service);
}

static void TLS_20_TLS_22_connect_sends_no_early_data(void **state)
{
    (void)state;
    char port[8];
    need_13();
    child *server = tls_s_server("-tls1_3", "-early_data -naccept 1", port, sizeof(port));
    child *weir = connect_to(port);
    say(weir, "hello\n");
    tls_line_with(server, "No early data received");
    tls_line_with(server, "hello");
    tls_good_end(weir);
    child_finish(server);
    child_free(server);
}

#define MESSAGE_TEST(function) cmocka_unit_test_setup(function, child_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MESSAGE_TEST(TLS_17_TLS_22_s_client_has_a_key),
        MESSAGE_TEST(TLS_17_TLS_22_connect_has_a_key_of_s_server),
        MESSAGE_TEST(TLS_10_TLS_13_TLS_22_s_client_is_asked_for_another_group),
        MESSAGE_TEST(TLS_13_TLS_22_connect_is_asked_for_another_group),
        MESSAGE_TEST(TLS_22_middleboxes_may_be_pleased_or_not),
        MESSAGE_TEST(TLS_22_s_client_changes_its_keys),
        MESSAGE_TEST(TLS_22_s_server_changes_its_keys),
        MESSAGE_TEST(TLS_20_TLS_22_s_client_wishes_to_negotiate_again),
        MESSAGE_TEST(TLS_20_TLS_22_s_server_wishes_to_negotiate_again),
        MESSAGE_TEST(TLS_20_TLS_22_s_server_wishes_for_a_certificate_afterwards),
        MESSAGE_TEST(TLS_20_TLS_22_s_client_is_offered_no_early_data),
        MESSAGE_TEST(TLS_20_TLS_22_early_data_that_another_server_promised_is_skipped),
        MESSAGE_TEST(TLS_20_TLS_22_connect_sends_no_early_data),
    };
    return cmocka_run_group_tests_name("service.tls_messages", tests, NULL, NULL);
}
