/* SPDX-License-Identifier: MIT */
/* The engine of TLS: handshakes, bytes, the end, ALPN, keys that both know, exported keys, and all that without memory. */
#define _GNU_SOURCE

#include "engine_world.h"
#include "plain_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1024 * 1024)

/* ---- handshake and bytes ---- */

static void TLS_13_TLS_16_usual_settings_and_their_facts(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    assert_string_equal(end_text(&t->client, "tls.version"), "");
    assert_int_equal(end_flag(&t->client, "tls.authorized"), -1);
    talk_handshake(t);
    int newest = w->newest == TLS_VERSION_13;
    assert_string_equal(end_text(&t->client, "tls.version"), newest ? "TLSv1.3" : "TLSv1.2");
    assert_string_equal(end_text(&t->server, "tls.version"), newest ? "TLSv1.3" : "TLSv1.2");
    const char *suite = newest ? "TLS_AES_128_GCM_SHA256" : "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    assert_string_equal(end_text(&t->client, "tls.cipher"), suite);
    assert_string_equal(end_text(&t->server, "tls.cipher"), suite);
    assert_string_equal(end_text(&t->client, "tls.alpn"), "");
    assert_int_equal(end_flag(&t->client, "tls.resumed"), 0);
    assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
    assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
    assert_string_equal(end_text(&t->client, "tls.authorizationError"), "");
    assert_string_equal(end_text(&t->server, "tls.authorizationError"), "");
    assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=server");
    assert_string_equal(end_text(&t->client, "tls.peer.san"), "DNS:localhost");
    assert_string_equal(end_text(&t->client, "tls.peer.pem"), server.cert.data);
    assert_int_equal(strlen(end_text(&t->client, "tls.peer.fingerprint256")), 95);
    assert_string_equal(end_text(&t->server, "tls.peer.subject"), "");
    assert_string_equal(end_text(&t->server, "tls.peer.pem"), "");
    assert_string_equal(end_text(&t->client, "tls.servername"), "");
}

static void bytes_of_every_size_arrive(void **state)
{
    static const size_t sizes[] = {1, 2, 15, 16, 100, 4096, 16383, 16384, 16385, 100000, MIB};
    world *w = world_of(*state);
    char *bytes = malloc(MIB);
    assert_non_null(bytes);
    fixture_fill(bytes, MIB, 3);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            end_says(&t->client, bytes, sizes[i]);
            end_says(&t->server, bytes, sizes[i]);
        }
    }
    free(bytes);
}

static void ciphertext_may_come_byte_by_byte(void **state)
{
    world *w = world_of(*state);
    char bytes[40000];
    fixture_fill(bytes, sizeof(bytes), 4);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        t->client.piece = t->server.piece = 1;
        talk_handshake(t);
        end_says(&t->client, bytes, sizeof(bytes));
        end_says(&t->server, bytes, sizeof(bytes));
    }
}

static void pending_is_what_read_gives_without_receiving(void **state)
{
    world *w = world_of(*state);
    char bytes[1000];
    char got[1000];
    size_t done;
    weir_error *error = NULL;
    fixture_fill(bytes, sizeof(bytes), 5);
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    assert_int_equal(weir__tls_engine.pending(t->server.session), 0);
    talk_handshake(t);
    assert_int_equal(weir__tls_engine.write(t->client.session, bytes, sizeof(bytes), &done, &error), TLS_DONE);
    assert_int_equal(weir__tls_engine.pending(t->server.session), 0);
    assert_int_equal(end_reads(&t->server, got, 1, &done), TLS_DONE);
    assert_int_equal(weir__tls_engine.pending(t->server.session), 999);
    assert_int_equal(end_reads(&t->server, got + 1, 999, &done), TLS_DONE);
    assert_int_equal(done, 999);
    assert_int_equal(weir__tls_engine.pending(t->server.session), 0);
    assert_memory_equal(got, bytes, sizeof(bytes));
    assert_int_equal(end_reads(&t->server, got, 1, &done), TLS_WANT_READ);
}

/* ---- the end ---- */

static void TLS_03_close_notify_closes_one_direction(void **state)
{
    world *w = world_of(*state);
    char byte;
    size_t done;
    weir_error *error = NULL;
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(weir__tls_engine.write(t->client.session, "last", 4, &done, &error), TLS_DONE);
        assert_int_equal(weir__tls_engine.close_notify(t->client.session, &error), TLS_DONE);
        size_t sent = t->client.sent;
        assert_int_equal(weir__tls_engine.close_notify(t->client.session, &error), TLS_DONE);
        assert_int_equal(t->client.sent, sent);
        for (int i = 0; i < 4; i++)
            assert_int_equal(end_reads(&t->server, &byte, 1, &done), TLS_DONE);
        assert_int_equal(end_reads(&t->server, &byte, 1, &done), TLS_CLOSED);
        assert_int_equal(end_reads(&t->server, &byte, 1, &done), TLS_CLOSED);
        assert_int_equal(weir__tls_engine.write(t->client.session, "x", 1, &done, &error), TLS_FAILED);
        assert_code(error->code, UV_EPIPE);
        weir_error_release(error);
        error = NULL;
        end_says(&t->server, "still here", 10);
        assert_int_equal(weir__tls_engine.close_notify(t->server.session, &error), TLS_DONE);
        assert_int_equal(end_reads(&t->client, &byte, 1, &done), TLS_CLOSED);
    }
}

static void close_notify_within_the_handshake_is_a_failure(void **state)
{
    static const unsigned char close_notify[] = {21, 3, 3, 0, 2, 1, 0};
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    t->client.in = malloc(sizeof(close_notify));
    memcpy(t->client.in, close_notify, sizeof(close_notify));
    t->client.in_size = t->client.in_room = sizeof(close_notify);
    weir_error *error = NULL;
    assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_FAILED);
    assert_code(error->code, UV_EPROTO);
    assert_non_null(strstr(error->message, "close_notify"));
    weir_error_release(error);
    error = NULL;
    assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_FAILED);
    assert_non_null(strstr(error->message, "close_notify"));
    weir_error_release(error);
}

/* That came and were not received yet. */
static size_t records_waiting(const talk_end *end)
{
    size_t count = 0;
    for (size_t at = end->in_at; at + 5 <= end->in_size; count++)
        at += 5 + ((size_t)end->in[at + 3] << 8 | end->in[at + 4]);
    return count;
}

static void changed_bytes_are_refused_and_the_peer_is_told(void **state)
{
    world *w = world_of(*state);
    char byte;
    size_t done;
    weir_error *error = NULL;
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(weir__tls_engine.write(t->client.session, "hello", 5, &done, &error), TLS_DONE);
        t->server.in[t->server.in_size - 1] ^= 1;
        size_t before = records_waiting(&t->client);
        assert_int_equal(end_reads(&t->server, &byte, 1, &done), TLS_FAILED);
        assert_int_equal(records_waiting(&t->client), before + 1); /* once */
        assert_non_null(strstr(end_error(&t->server), "cannot be decrypted"));
        assert_int_equal(end_reads(&t->server, &byte, 1, &done), TLS_FAILED);
        assert_int_equal(end_reads(&t->client, &byte, 1, &done), TLS_FAILED);
        assert_non_null(strstr(end_error(&t->client), "bad_record_mac"));
        assert_int_equal(weir__tls_engine.write(t->server.session, "x", 1, &done, &error), TLS_FAILED);
        weir_error_release(error);
        error = NULL;
    }
}

static void a_client_that_finds_no_tls_says_so(void **state)
{
    world *w = world_of(*state);
    static const unsigned char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    t->client.in = malloc(sizeof(http));
    memcpy(t->client.in, http, sizeof(http));
    t->client.in_size = t->client.in_room = sizeof(http);
    weir_error *error = NULL;
    assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_FAILED);
    assert_non_null(strstr(error->message, "no TLS"));
    weir_error_release(error);
}

static void a_send_without_memory_breaks_the_session(void **state)
{
    world *w = world_of(*state);
    size_t done;
    weir_error *error = NULL;
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    talk_handshake(t);
    t->client.send_fails = 1;
    assert_int_equal(weir__tls_engine.write(t->client.session, "x", 1, &done, &error), TLS_FAILED);
    assert_code(error->code, UV_ENOMEM);
    weir_error_release(error);
    error = NULL;
    assert_int_equal(weir__tls_engine.close_notify(t->client.session, &error), TLS_FAILED);
    assert_code(error->code, UV_ENOMEM);
    weir_error_release(error);
}

/* ---- renegotiation ---- */

/* By a warning; the connection goes on, and its data with it. */
static void TLS_20_renegotiation_is_refused(void **state)
{
    world *w = world_of(*state);
    plain_client client;
    char bytes[16];
    size_t done;
    weir_error *error = NULL;
    w->now_version = TLS_VERSION_12;
    tls_settings server = world_server(w, "localhost");
    tls_settings unused = world_client(w);
    talk *t = world_talk(w, &unused, &server, NULL, NULL);
    plain_begin(&client, t, world_issue(w, &(wish){.host = "me"}));
    plain_handshake(&client);
    assert_int_equal(mbedtls_ssl_renegotiate(&client.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    size_t sent = t->server.sent;
    assert_int_equal(end_reads(&t->server, bytes, sizeof(bytes), &done), TLS_WANT_READ);
    /* What comes is an alert, and no ServerHello: a handful of bytes. */
    assert_true(t->server.sent > sent && t->server.sent < sent + 64);
    assert_int_not_equal(mbedtls_ssl_renegotiate(&client.ssl), 0);
    assert_int_equal(weir__tls_engine.write(t->server.session, "still here", 10, &done, &error), TLS_DONE);
    /* The warning is read first. */
    int got = MBEDTLS_ERR_SSL_WANT_READ;
    for (int i = 0; i < 3 && got == MBEDTLS_ERR_SSL_WANT_READ; i++)
        got = mbedtls_ssl_read(&client.ssl, (unsigned char *)bytes, sizeof(bytes));
    assert_int_equal(got, 10);
    assert_memory_equal(bytes, "still here", 10);
    plain_end(&client);
}

/* ---- early data ---- */

/* As many bytes in records of application data, which nobody here has the keys for. */
static void say_early(talk_end *end, size_t size)
{
    unsigned char record[5 + 1000] = {23, 3, 3, 1000 >> 8, 1000 & 255};
    fixture_fill(record + 5, 1000, 20);
    for (size_t said = 0; said < size; said += 1000)
        assert_int_equal(world_host.send(end, record, sizeof(record)), 0);
}

/* The client's first flight and the server's answer, and early data on its way. */
static talk *talk_early(world *w, const tls_settings *client, const tls_settings *server, int offered, size_t size)
{
    const tls_session_options options = {.early_data = offered};
    weir_error *error = NULL;
    talk *t = world_talk(w, client, server, NULL, &options);
    t->server.piece = 700;
    assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_WANT_READ);
    assert_int_equal(weir__tls_engine.handshake(t->server.session, &error), TLS_WANT_READ);
    say_early(&t->client, size);
    return t;
}

static void TLS_20_early_data_is_skipped_whatever_the_cipher(void **state)
{
    static char names[][32] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                               "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"};
    world *w = world_of(*state);
    if (w->newest == TLS_VERSION_12)
        skip();
    for (size_t i = 0; i < 5; i++) {
        char *ciphers[] = {names[i]};
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        server.ciphers = client.ciphers = (tls_list){.items = ciphers, .count = 1};
        server.keylog = i == 0;
        talk *t = talk_early(w, &client, &server, 1, i == 0 ? 0 : 60000);
        talk_handshake(t);
        assert_string_equal(end_text(&t->server, "tls.cipher"), names[i]);
        assert_int_equal(t->server.log[0] != '\0', i == 0);
        end_says(&t->client, "hello", 5);
        end_says(&t->server, "hello", 5);
    }
}

static void TLS_20_early_data_is_skipped_before_another_hello(void **state)
{
    static char x25519[] = "x25519";
    static char secp384r1[] = "secp384r1";
    char *first[] = {x25519, secp384r1};
    char *only[] = {secp384r1};
    world *w = world_of(*state);
    if (w->newest == TLS_VERSION_12)
        skip();
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    client.groups = (tls_list){.items = first, .count = 2};
    server.groups = (tls_list){.items = only, .count = 1};
    talk *t = talk_early(w, &client, &server, 1, 16000);
    talk_handshake(t);
    end_says(&t->client, "hello", 5);
}

/* Nor without end, nor where none was offered. */
static void TLS_20_early_data_is_skipped_up_to_a_bound(void **state)
{
    world *w = world_of(*state);
    if (w->newest == TLS_VERSION_12)
        skip();
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    talk *t = talk_early(w, &client, &server, 1, 80000);
    talk_refused(t);
    assert_non_null(strstr(end_error(&t->server), "cannot be decrypted"));
    t = talk_early(w, &client, &server, 0, 1000);
    talk_refused(t);
    assert_non_null(strstr(end_error(&t->server), "cannot be decrypted"));
}

/* ---- ALPN ---- */

static void TLS_11_the_servers_choice_is_read_at_both_ends(void **state)
{
    static char h2[] = "h2";
    static char http[] = "http/1.1";
    char *offered[] = {h2, http};
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        client.alpn = (tls_list){.items = offered, .count = 2};
        const tls_session_options chosen = {.alpn = "http/1.1"};
        talk *t = world_talk(w, &client, &server, NULL, &chosen);
        talk_handshake(t);
        assert_string_equal(end_text(&t->client, "tls.alpn"), "http/1.1");
        assert_string_equal(end_text(&t->server, "tls.alpn"), "http/1.1");
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_string_equal(end_text(&t->client, "tls.alpn"), "");
        const tls_session_options foreign = {.alpn = "smtp"};
        t = world_talk(w, &client, &server, NULL, &foreign);
        talk_refused(t);
    }
}

/* ---- versions ---- */

static void TLS_13_versions_without_overlap_are_refused(void **state)
{
    world *w = world_of(*state);
    if (w->newest == TLS_VERSION_12)
        skip();
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    client.min_version = TLS_VERSION_13;
    server.max_version = TLS_VERSION_12;
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    talk_refused(t);
    assert_non_null(strstr(end_error(&t->client), "the peer refused by the alert "));
}

/* One alert, and a hint at what it means here. */
static void TLS_05_TLS_13_nothing_in_common_is_told_with_the_alert(void **state)
{
    char gcm[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", chacha[] = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
    char *offered[] = {gcm}, *spoken[] = {chacha};
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    client.ciphers = (tls_list){.items = offered, .count = 1};
    server.ciphers = (tls_list){.items = spoken, .count = 1};
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    talk_refused(t);
    assert_string_equal(
        end_error(&t->client),
        "the TLS handshake failed: the peer refused by the alert handshake_failure (40); perhaps the two "
        "ends have no cipher suite or group in common");
}

/* In the ClientHello, X25519 stands first, then P-256; so do suites with AES-GCM, before all others. */
static void TLS_13_what_is_usual_is_offered_in_this_order(void **state)
{
    static const unsigned char groups[] = {0x00, 0x0A, 0x00, 0x0A, 0x00, 0x08, 0x00,
                                           0x1D, 0x00, 0x17, 0x00, 0x18, 0x00, 0x19};
    static const unsigned char newer[] = {0x13, 0x01, 0x13, 0x02, 0x13, 0x03};
    static const unsigned char suites[] = {0xC0, 0x2B, 0xC0, 0x2F, 0xC0, 0x2C, 0xC0, 0x30, 0xCC, 0xA9, 0xCC, 0xA8};
    world *w = world_of(*state);
    weir_error *error = NULL;
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_WANT_READ);
    assert_non_null(memmem(t->server.in, t->server.in_size, groups, sizeof(groups)));
    const unsigned char *at = memmem(t->server.in, t->server.in_size, suites, sizeof(suites));
    assert_non_null(at);
    if (w->newest == TLS_VERSION_13)
        assert_memory_equal(at - sizeof(newer), newer, sizeof(newer));
}

/* ---- pre-shared keys ---- */

static unsigned char key[32] = "0123456789abcdef0123456789abcde";
static char identity[] = "somebody";

static void TLS_17_a_key_that_both_know(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        server.cert = server.key = (tls_material){0};
        server.psk_identity = client.psk_identity = identity;
        server.psk = client.psk = key;
        server.psk_size = client.psk_size = sizeof(key);
        const tls_session_options unnamed = {.name = NULL};
        talk *t = world_talk(w, &client, &server, &unnamed, NULL);
        talk_handshake(t);
        end_says(&t->client, "hello", 5);
        end_says(&t->server, "hello", 5);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 1);
        assert_int_equal(end_flag(&t->client, "tls.psk"), 1);
        assert_int_equal(end_flag(&t->server, "tls.psk"), 1);
        assert_string_equal(end_text(&t->client, "tls.authorizationError"), "");
        assert_string_equal(end_text(&t->client, "tls.peer.subject"), "");
        assert_int_equal(t->client.blobs, 0);
        void *blob;
        size_t size;
        assert_code(weir__tls_engine.session_get(t->client.session, &blob, &size), UV_ENOENT);
    }
}

static void TLS_17_another_key_or_identity_is_refused(void **state)
{
    static unsigned char other[32] = "another key";
    static char stranger[] = "stranger", odd[] = "a\033[2J", longest[100];
    world *w = world_of(*state);
    memset(longest, 'a', sizeof(longest) - 1);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        server.cert = server.key = (tls_material){0};
        server.psk_identity = identity;
        server.psk = client.psk = key;
        server.psk_size = client.psk_size = sizeof(key);
        client.psk_identity = stranger;
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        if (!strstr(end_error(&t->server), "no pre-shared key is known for the identity \"stranger\""))
            fail_msg("%s", end_error(&t->server));
        client.psk_identity = odd;
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        if (!strstr(end_error(&t->server), "for the identity of 5 bytes that are no plain text"))
            fail_msg("%s", end_error(&t->server));
        client.psk_identity = longest;
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        if (!strstr(end_error(&t->server), "for the identity \"aaaaaaaa") || !strstr(end_error(&t->server), "aaa...\""))
            fail_msg("%s", end_error(&t->server));
        client.psk_identity = identity;
        client.psk = other;
        talk_refused(world_talk(w, &client, &server, NULL, NULL));
    }
}

static void TLS_17_a_key_of_the_session_goes_instead(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        server.psk_identity = identity;
        server.psk = key;
        server.psk_size = sizeof(key);
        const tls_session_options with_key = {
            .name = "localhost", .psk_identity = identity, .psk = key, .psk_size = sizeof(key)};
        talk *t = world_talk(w, &client, &server, &with_key, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 1);
        assert_string_equal(end_text(&t->client, "tls.peer.subject"), "");
        /* One without a key is served by the certificate. */
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
        assert_int_equal(end_flag(&t->client, "tls.psk"), 0);
        assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=server");
    }
}

/* Whoever relies on the key names nobody: then no certificate will do instead. */
static void TLS_17_a_certificate_does_not_stand_in_for_the_key(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        client.psk_identity = identity;
        client.psk = key;
        client.psk_size = sizeof(key);
        const tls_session_options unnamed = {.name = NULL};
        talk *t = world_talk(w, &client, &server, &unnamed, NULL);
        talk_refused(t);
        assert_non_null(strstr(end_error(&t->client), "ERR_TLS_CERT_ALTNAME_INVALID: there is no name"));
    }
}

static void TLS_17_a_key_that_is_too_long_is_told(void **state)
{
    static unsigned char lengthy[TLS_PSK_MOST];
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    client.psk_identity = identity;
    client.psk = lengthy;
    client.psk_size = sizeof(lengthy);
    assert_non_null(strstr(world_refusal(w, &client), "/psk: 64 bytes: mbedTLS"));
    client.psk = NULL;
    client.psk_size = 0;
    const tls_session_options with_key = {
        .name = "localhost", .psk_identity = identity, .psk = lengthy, .psk_size = sizeof(lengthy)};
    talk *t = world_talk(w, &client, &server, &with_key, NULL);
    talk_run(t);
    assert_int_equal(t->client.result, TLS_FAILED);
    assert_code(t->client.error->code, UV_EPROTO);
}

/* ---- exported keys ---- */

static void TLS_16_exported_keys_are_the_same_at_both_ends(void **state)
{
    world *w = world_of(*state);
    unsigned char ours[64];
    unsigned char theirs[64];
    unsigned char with_empty[64];
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        tls_session *a = t->client.session;
        tls_session *b = t->server.session;
        assert_code(weir__tls_engine.export_keys(a, "EXPERIMENTAL weir", NULL, 0, ours, 64), UV_ENOTCONN);
        talk_handshake(t);
        assert_code(weir__tls_engine.export_keys(a, "EXPERIMENTAL weir", NULL, 0, ours, 64), 0);
        assert_code(weir__tls_engine.export_keys(b, "EXPERIMENTAL weir", NULL, 0, theirs, 64), 0);
        assert_memory_equal(ours, theirs, 64);
        assert_code(weir__tls_engine.export_keys(a, "EXPERIMENTAL weir", "", 0, with_empty, 64), 0);
        assert_int_equal(memcmp(ours, with_empty, 64) == 0, w->now_version == TLS_VERSION_13);
        assert_code(weir__tls_engine.export_keys(a, "EXPERIMENTAL weir", "context", 7, ours, 64), 0);
        assert_code(weir__tls_engine.export_keys(b, "EXPERIMENTAL weir", "context", 7, theirs, 64), 0);
        assert_memory_equal(ours, theirs, 64);
        assert_code(weir__tls_engine.export_keys(b, "EXPERIMENTAL other", "context", 7, theirs, 64), 0);
        assert_memory_not_equal(ours, theirs, 64);
        assert_code(weir__tls_engine.export_keys(a, "", NULL, 0, ours, 64), UV_EINVAL);
        assert_code(weir__tls_engine.export_keys(a, NULL, NULL, 0, ours, 64), UV_EINVAL);
        assert_code(weir__tls_engine.export_keys(a, "EXPERIMENTAL weir", NULL, 0, ours, 0), UV_EINVAL);
        assert_code(weir__tls_engine.export_keys(a, "EXPERIMENTAL weir", NULL, 0, ours, 100000), UV_EINVAL);
    }
}

static void TLS_16_a_key_log_only_where_it_is_wanted(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        client.keylog = 1;
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_string_equal(t->server.log, "");
        char random[65];
        if (w->now_version == TLS_VERSION_12) {
            char secret[128];
            assert_int_equal(sscanf(t->client.log, "CLIENT_RANDOM %64[0-9a-f] %96[0-9a-f]\n", random, secret), 2);
            assert_int_equal(strlen(random), 64);
            assert_int_equal(strlen(secret), 96);
            continue;
        }
        assert_non_null(strstr(t->client.log, "CLIENT_HANDSHAKE_TRAFFIC_SECRET "));
        assert_non_null(strstr(t->client.log, "SERVER_HANDSHAKE_TRAFFIC_SECRET "));
        assert_non_null(strstr(t->client.log, "CLIENT_TRAFFIC_SECRET_0 "));
        assert_non_null(strstr(t->client.log, "SERVER_TRAFFIC_SECRET_0 "));
    }
}

/* ---- random bytes and digests ---- */

static void random_bytes_and_digests(void **state)
{
    static const char expected[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const tls_bytes pieces[] = {{"a", 1}, {NULL, 0}, {"bc", 2}};
    world *w = world_of(*state);
    unsigned char out[TLS_DIGEST_SIZE];
    char text[65];
    unsigned char one[3000];
    unsigned char other[3000];
    assert_code(weir__tls_engine.digest(w->instance, pieces, 3, out), 0);
    for (size_t i = 0; i < sizeof(out); i++)
        snprintf(text + 2 * i, 3, "%02x", out[i]);
    assert_string_equal(text, expected);
    assert_code(weir__tls_engine.random(w->instance, one, sizeof(one)), 0);
    assert_code(weir__tls_engine.random(w->instance, other, sizeof(other)), 0);
    assert_memory_not_equal(one, other, sizeof(one));
}

/* ---- without memory ---- */

static const tls_host silent;

/* Credentials whose every allocation of weir's may fail: all or nothing, and nothing stays. */
static void try_credentials(void *arg)
{
    const world_attempt *a = arg;
    tls_report report = world_report(a->w);
    tls_credentials *made = NULL;
    int status = weir__tls_engine.credentials_new(a->w->instance, &a->server, &report, &made);
    assert_int_equal(status == 0, made != NULL);
    if (status != 0) {
        assert_code(status, UV_ENOMEM);
        assert_true(allocator_failures() > 0);
    } else {
        const tls_session_options options = {.alpn = "h2"};
        tls_session *session = weir__tls_engine.session_new(made, &options, &silent, NULL);
        assert_true(session != NULL || allocator_failures() > 0);
        weir__tls_engine.session_free(session);
    }
    weir__tls_engine.credentials_free(made);
    weir__tls_report_end(&report);
}

static void credentials_without_memory(void **state)
{
    world *w = world_of(*state);
    world_attempt a = {.w = w, .server = world_server(w, "localhost")};
    a.server.ca = world_materials(w, world_authority()->cert, "/ca");
    a.server.ca_count = 1;
    assert_true(allocator_fail_each(try_credentials, &a) > 5);
}

static void try_talk(void *arg)
{
    assert_true(world_try(arg) || allocator_failures() > 0);
}

static void conversations_without_memory(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        world_attempt a = {.w = w, .server = world_server(w, "localhost"), .client = world_client(w)};
        char byte;
        size_t done;
        world_identify(w, &a.client, &(wish){.subject = "CN=client"});
        a.server.ca = world_materials(w, world_authority()->cert, "/ca");
        a.server.ca_count = 1;
        a.server.request_cert = 1;
        talk *t = world_talk(w, &a.client, &a.server, NULL, NULL);
        talk_handshake(t);
        end_reads(&t->client, &byte, 1, &done);
        a.resume = (tls_session_options){.name = "localhost"};
        assert_true(allocator_fail_each(try_talk, &a) > 10);
        a.resume = end_resume(&t->client, "localhost");
        assert_true(allocator_fail_each(try_talk, &a) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_13_TLS_16_usual_settings_and_their_facts),
        WORLD_TEST(bytes_of_every_size_arrive),
        WORLD_TEST(ciphertext_may_come_byte_by_byte),
        WORLD_TEST(pending_is_what_read_gives_without_receiving),
        WORLD_TEST(TLS_03_close_notify_closes_one_direction),
        WORLD_TEST(close_notify_within_the_handshake_is_a_failure),
        WORLD_TEST(changed_bytes_are_refused_and_the_peer_is_told),
        WORLD_TEST(a_client_that_finds_no_tls_says_so),
        WORLD_TEST(a_send_without_memory_breaks_the_session),
        WORLD_TEST(TLS_20_renegotiation_is_refused),
        WORLD_TEST(TLS_20_early_data_is_skipped_whatever_the_cipher),
        WORLD_TEST(TLS_20_early_data_is_skipped_before_another_hello),
        WORLD_TEST(TLS_20_early_data_is_skipped_up_to_a_bound),
        WORLD_TEST(TLS_11_the_servers_choice_is_read_at_both_ends),
        WORLD_TEST(TLS_13_versions_without_overlap_are_refused),
        WORLD_TEST(TLS_05_TLS_13_nothing_in_common_is_told_with_the_alert),
        WORLD_TEST(TLS_13_what_is_usual_is_offered_in_this_order),
        WORLD_TEST(TLS_17_a_key_that_both_know),
        WORLD_TEST(TLS_17_another_key_or_identity_is_refused),
        WORLD_TEST(TLS_17_a_key_of_the_session_goes_instead),
        WORLD_TEST(TLS_17_a_certificate_does_not_stand_in_for_the_key),
        WORLD_TEST(TLS_17_a_key_that_is_too_long_is_told),
        WORLD_TEST(TLS_16_exported_keys_are_the_same_at_both_ends),
        WORLD_TEST(TLS_16_a_key_log_only_where_it_is_wanted),
        WORLD_TEST(random_bytes_and_digests),
        WORLD_TEST(credentials_without_memory),
        WORLD_TEST(conversations_without_memory),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
