/* SPDX-License-Identifier: MIT */
/* Resumption: tickets, the cache of TLS 1.2, and that nobody is more authorized by it than at first (TLS-12). */
#define _GNU_SOURCE

#include "engine_world.h"
#include "plain_client.h"
#include "plugins/tls/mbedtls/mbed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The clock of the engine and of its library, which a test sets forward. */
static time_t ahead;

WEIR_EXPORT time_t time(time_t *timer)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (timer)
        *timer = now.tv_sec + ahead;
    return now.tv_sec + ahead;
}

static int reset_clock(void **state)
{
    ahead = 0;
    return world_teardown(state);
}

#define CLOCK_TEST(function) cmocka_unit_test_setup_teardown(function, world_setup, reset_clock)

/* A ticket of TLS 1.3 comes after the handshake, and is read like data. */
static void read_tickets(talk *t)
{
    char byte;
    size_t done;
    assert_int_equal(end_reads(&t->client, &byte, 1, &done), TLS_WANT_READ);
}

static tls_session_options first(world *w, const tls_settings *client, const tls_settings *server)
{
    talk *t = world_talk(w, client, server, NULL, NULL);
    talk_handshake(t);
    read_tickets(t);
    assert_int_equal(end_flag(&t->client, "tls.resumed"), 0);
    assert_int_equal(end_flag(&t->server, "tls.resumed"), 0);
    return end_resume(&t->client, "localhost");
}

/* 1: resumed, 0: a full handshake; at both ends the same. */
static int again(talk *t)
{
    talk_handshake(t);
    read_tickets(t);
    end_says(&t->client, "hello", 5);
    end_says(&t->server, "hello", 5);
    int resumed = end_flag(&t->client, "tls.resumed");
    assert_int_equal(end_flag(&t->server, "tls.resumed"), resumed);
    return resumed;
}

static int comes_back(world *w, const tls_settings *client, const tls_settings *server, tls_session_options options)
{
    return again(world_talk(w, client, server, &options, NULL));
}

static void TLS_12_a_ticket_resumes(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        tls_session_options options = first(w, &client, &server);
        talk *t = world_talk(w, &client, &server, &options, NULL);
        assert_int_equal(again(t), 1);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=server");
        assert_string_equal(end_text(&t->client, "tls.peer.san"), "DNS:localhost");
        assert_string_equal(end_text(&t->client, "tls.peer.pem"), server.cert.data);
        unsigned char ours[32];
        unsigned char theirs[32];
        assert_code(weir__tls_engine.export_keys(t->client.session, "EXPERIMENTAL x", NULL, 0, ours, 32), 0);
        assert_code(weir__tls_engine.export_keys(t->server.session, "EXPERIMENTAL x", NULL, 0, theirs, 32), 0);
        assert_memory_equal(ours, theirs, 32);
        /* And what a resumed one gives resumes again. */
        assert_int_equal(comes_back(w, &client, &server, end_resume(&t->client, "localhost")), 1);
    }
}

static void TLS_12_session_get_gives_what_new_session_told(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        void *blob = NULL;
        size_t size = 0;
        assert_code(weir__tls_engine.session_get(t->client.session, &blob, &size), UV_ENOENT);
        talk_handshake(t);
        if (w->now_version == TLS_VERSION_13)
            assert_code(weir__tls_engine.session_get(t->client.session, &blob, &size), UV_ENOENT);
        read_tickets(t);
        assert_int_equal(t->client.blobs, 1);
        assert_code(weir__tls_engine.session_get(t->client.session, &blob, &size), 0);
        const tls_session_options options = {.name = "localhost", .resume = blob, .resume_size = size};
        assert_int_equal(comes_back(w, &client, &server, options), 1);
        weir_free(blob);
        assert_code(weir__tls_engine.session_get(t->server.session, &blob, &size), UV_ENOENT);
    }
}

static void TLS_12_keys_rotate(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        w->key_count = 1;
        tls_session_options options = first(w, &client, &server);
        /* Another key seals now, the old one opens still. */
        w->keys[1] = w->keys[0];
        memset(w->keys[1].name, 2, sizeof(w->keys[1].name));
        memset(w->keys[1].key, 2, sizeof(w->keys[1].key));
        w->key_count = 2;
        assert_int_equal(comes_back(w, &client, &server, options), 1);
        /* The old one is gone; and then it has the name, but is another one. */
        tls_ticket_key old = w->keys[0];
        w->keys[0] = w->keys[1];
        w->key_count = 1;
        assert_int_equal(comes_back(w, &client, &server, options), 0);
        memcpy(w->keys[0].name, old.name, sizeof(old.name));
        assert_int_equal(comes_back(w, &client, &server, options), 0);
        w->keys[0] = old;
    }
}

static void shake_once(talk_end *end)
{
    weir_error *error = NULL;
    end->result = weir__tls_engine.handshake(end->session, &error);
    assert_null(error);
}

/* mbedTLS asks for what it cannot open as for the identity of a pre-shared key: that is not what is wrong with it then. */
static void TLS_12_TLS_17_a_ticket_that_is_gone_is_no_strange_identity(void **state)
{
    static unsigned char key[32] = "0123456789abcdef0123456789abcde";
    static char identity[] = "somebody";
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        server.psk_identity = identity;
        server.psk = key;
        server.psk_size = sizeof(key);
        tls_session_options options = first(w, &client, &server);
        tls_ticket_key kept = w->keys[0];
        memset(w->keys[0].name, 2, sizeof(w->keys[0].name));
        talk *t = world_talk(w, &client, &server, &options, NULL);
        shake_once(&t->client);
        shake_once(&t->server);
        shake_once(&t->client);
        assert_true(t->server.in_at < t->server.in_size);
        t->server.in[t->server.in_size - 1] ^= 1; /* of the client's Finished */
        talk_run(t);
        assert_int_equal(t->server.result, TLS_FAILED);
        assert_int_equal(t->server.psk_asked, w->now_version == TLS_VERSION_13);
        assert_non_null(strstr(end_error(&t->server), "a record cannot be decrypted"));
        assert_null(strstr(end_error(&t->server), "identity"));
        w->keys[0] = kept;
    }
}

static void TLS_12_without_a_key_to_seal_there_is_no_ticket(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        server.session_timeout = 0;
        w->key_count = 0;
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        read_tickets(t);
        end_says(&t->server, "hello", 5);
        assert_true(t->server.keys_asked > 0);
        if (t->client.blobs > 0)
            assert_int_equal(comes_back(w, &client, &server, end_resume(&t->client, "localhost")), 0);
        w->key_count = 1;
    }
}

static void TLS_12_tickets_off(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        tls_session_options options = first(w, &client, &server);
        client.tickets = 0;
        talk *t = world_talk(w, &client, &server, &options, NULL);
        assert_int_equal(again(t), 0);
        assert_int_equal(t->client.blobs, 0);
        client.tickets = 1;
        server.tickets = 0;
        t = world_talk(w, &client, &server, &options, NULL);
        assert_int_equal(again(t), 0);
        assert_int_equal(t->server.keys_asked, 0);
    }
}

/* ---- who is let in ---- */

/* mbedTLS takes a ticket of a context without client authentication in one that demands it. */
static void TLS_12_a_ticket_counts_only_where_the_same_clients_are_let_in(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings open = world_server(w, "localhost");
        tls_settings closed = open;
        tls_session_options options = first(w, &client, &open);
        closed.request_cert = 1;
        closed.ca = client.ca;
        closed.ca_count = 1;
        memset(closed.binding, 1, sizeof(closed.binding));
        talk *t = world_talk(w, &client, &closed, &options, NULL);
        talk_refused(t);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"),
                            "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE");
        /* Nor by an oversight of who computes the bindings. */
        memcpy(closed.binding, open.binding, sizeof(closed.binding));
        t = world_talk(w, &client, &closed, &options, NULL);
        talk_refused(t);
        assert_int_equal(t->server.result, TLS_FAILED);
        /* Where nothing else tells the two apart, their bindings do: with two lists of revocations, say. */
        tls_settings other = open;
        memset(other.binding, 1, sizeof(other.binding));
        assert_int_equal(comes_back(w, &client, &other, options), 0);
        assert_int_equal(comes_back(w, &client, &open, options), 1);
    }
}

/* Name, nonce, what is sealed, tag: whichever is changed, it is no ticket any more. */
static void TLS_12_tickets_that_were_changed_are_none(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        tls_session_options options = first(w, &client, &server);
        const unsigned char *ticket =
            memmem(options.resume, options.resume_size, w->keys[0].name, sizeof(w->keys[0].name));
        assert_non_null(ticket);
        size_t at = (size_t)(ticket - (const unsigned char *)options.resume);
        const size_t places[] = {0, 15, 16, 27, 28, 60, 200};
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            unsigned char *bytes = malloc(options.resume_size);
            assert_non_null(bytes);
            memcpy(bytes, options.resume, options.resume_size);
            bytes[at + places[i]] ^= 1;
            const tls_session_options changed = {
                .name = "localhost", .resume = bytes, .resume_size = options.resume_size};
            assert_int_equal(comes_back(w, &client, &server, changed), 0);
            free(bytes);
        }
        assert_int_equal(comes_back(w, &client, &server, options), 1);
    }
}

/*
 * After a reload, or in a context of another name. A session has one suite: where another one would be chosen for it, some
 * clients give up, and where it is none of the list any more, so does mbedTLS 3.6.
 */
static void TLS_12_other_cipher_suites_mean_a_full_handshake(void **state)
{
    static char aes128[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    static char aes256[] = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    static char newer128[] = "TLS_AES_128_GCM_SHA256";
    static char newer256[] = "TLS_AES_256_GCM_SHA384";
    static char *before[][2] = {{aes128, aes256}, {newer128, newer256}};
    static char *after[][2] = {{aes256, aes128}, {newer256, newer128}};
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        int newer = w->now_version == TLS_VERSION_13;
        tls_settings client = world_client(w);
        tls_settings server = world_server(w, "localhost");
        server.ciphers = (tls_list){.items = before[newer], .count = 2};
        tls_session_options options = first(w, &client, &server);
        assert_int_equal(comes_back(w, &client, &server, options), 1);
        server.ciphers.items = after[newer];
        assert_int_equal(comes_back(w, &client, &server, options), 0);
        server.ciphers.count = 1;
        assert_int_equal(comes_back(w, &client, &server, options), 0);
        /* Nor does a client offer what it does not speak any more. */
        server.ciphers.count = 0;
        client.ciphers = (tls_list){.items = after[newer], .count = 1};
        assert_int_equal(comes_back(w, &client, &server, options), 0);
    }
}

/* After a resumption on TLS 1.3 mbedTLS reports an untrusted client as verified. */
static void TLS_12_a_resumed_session_is_as_authorized_as_its_first_handshake(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        static const char *const expected[] = {"DEPTH_ZERO_SELF_SIGNED_CERT", ""};
        tls_settings client = world_client(w);
        tls_settings server = world_asking_server(w, 0);
        for (int trusted = 0; trusted <= 1; trusted++) {
            world_identify(w, &client, &(wish){.subject = "CN=client", .self_signed = !trusted});
            tls_session_options options = first(w, &client, &server);
            for (int i = 0; i < 3; i++) {
                talk *t = world_talk(w, &client, &server, &options, NULL);
                assert_int_equal(again(t), 1);
                assert_int_equal(end_flag(&t->server, "tls.authorized"), trusted);
                assert_string_equal(end_text(&t->server, "tls.authorizationError"), expected[trusted]);
                assert_string_equal(end_text(&t->server, "tls.peer.subject"), "CN=client");
                assert_string_equal(end_text(&t->server, "tls.peer.pem"), client.cert.data);
                options = end_resume(&t->client, "localhost");
            }
        }
        /* One that showed nothing stays nobody. */
        client.cert = client.key = (tls_material){0};
        tls_session_options options = first(w, &client, &server);
        talk *t = world_talk(w, &client, &server, &options, NULL);
        assert_int_equal(again(t), 1);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"),
                            "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE");
        assert_string_equal(end_text(&t->server, "tls.peer.pem"), "");
    }
}

static void TLS_12_a_ticket_does_not_outlive_the_certificate_behind_it(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        ahead = 0;
        tls_settings client = world_client(w);
        tls_settings server = world_asking_server(w, 1);
        world_identify(w, &client, &(wish){.subject = "CN=client", .from = -100, .until = 600});
        tls_session_options options = first(w, &client, &server);
        ahead = 500;
        assert_int_equal(comes_back(w, &client, &server, options), 1);
        ahead = 700;
        talk *t = world_talk(w, &client, &server, &options, NULL);
        talk_refused(t);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "CERT_HAS_EXPIRED");
    }
}

/* However often it is renewed: a week after the first handshake there is another one. */
static void TLS_12_no_chain_of_tickets_is_longer_than_a_week(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        ahead = 0;
        tls_settings client = world_client(w);
        tls_settings server = world_asking_server(w, 1);
        world_identify(w, &server, &(wish){.host = "localhost", .from = -100, .until = 86400 * 30});
        world_identify(w, &client, &(wish){.subject = "CN=client", .from = -100, .until = 86400 * 30});
        w->keys[0].lifetime = 86400 * 5;
        tls_session_options options = first(w, &client, &server);
        ahead = 86400 * 4;
        talk *t = world_talk(w, &client, &server, &options, NULL);
        assert_int_equal(again(t), 1);
        options = end_resume(&t->client, "localhost");
        ahead = 86400 * 8;
        assert_int_equal(comes_back(w, &client, &server, options), 0);
        w->keys[0].lifetime = 3600;
    }
}

static void TLS_12_a_ticket_ends_with_its_lifetime(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        ahead = 0;
        tls_settings client = world_client(w);
        tls_settings server = world_server(w, "localhost");
        tls_session_options options = first(w, &client, &server);
        ahead = 3500;
        assert_int_equal(comes_back(w, &client, &server, options), 1);
        ahead = 3700;
        assert_int_equal(comes_back(w, &client, &server, options), 0);
        /* A clock that was set back proves nothing. */
        ahead = -60;
        assert_int_equal(comes_back(w, &client, &server, options), 0);
    }
}

/* ---- the client ---- */

static void TLS_12_a_client_resumes_only_what_its_settings_let_in(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings careless = world_client(w);
        tls_settings careful = world_client(w);
        tls_settings server = world_server(w, "elsewhere");
        careless.reject_unauthorized = 0;
        tls_session_options options = first(w, &careless, &server);
        /* The careless one comes back, as little authorized as before. */
        talk *t = world_talk(w, &careless, &server, &options, NULL);
        assert_int_equal(again(t), 1);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->client, "tls.authorizationError"), "ERR_TLS_CERT_ALTNAME_INVALID");
        /* The careful one does not go by that, whatever it is told. */
        t = world_talk(w, &careful, &server, &options, NULL);
        talk_refused(t);
        assert_string_equal(end_text(&t->client, "tls.authorizationError"), "ERR_TLS_CERT_ALTNAME_INVALID");
        /* Nor does one with other settings of whom to trust. */
        memset(careless.binding, 7, sizeof(careless.binding));
        assert_int_equal(comes_back(w, &careless, &server, options), 0);
    }
}

static void TLS_12_a_session_is_for_one_name(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings server = world_server(w, "localhost");
        world_identify(w, &server, &(wish){.host = "localhost", .second = "127.0.0.1"});
        tls_session_options options = first(w, &client, &server);
        assert_int_equal(comes_back(w, &client, &server, options), 1);
        options.name = "127.0.0.1";
        options.name_is_address = 1;
        assert_int_equal(comes_back(w, &client, &server, options), 0);
    }
}

static void TLS_12_blobs_that_were_changed_are_ignored(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings server = world_server(w, "localhost");
        tls_credentials *of_client = world_credentials(w, &client);
        tls_credentials *of_server = world_credentials(w, &server);
        tls_session_options options = first(w, &client, &server);
        unsigned char *bytes = malloc(options.resume_size);
        assert_non_null(bytes);
        /* Cut off anywhere: every length of the envelope, and some of what is in it. */
        for (size_t size = 0; size < options.resume_size; size += size < 160 ? 1 : 61) {
            memcpy(bytes, options.resume, size);
            const tls_session_options cut = {.name = "localhost", .resume = bytes, .resume_size = size};
            talk t = {.w = w};
            t.client.session = weir__tls_engine.session_new(of_client, &cut, &world_host, &t.client);
            assert_non_null(t.client.session);
            weir__tls_engine.session_free(t.client.session);
        }
        /* Changed anywhere, what is inside included: no more comes of it than of none. */
        for (size_t i = 0; i < options.resume_size; i += 5) {
            const tls_session_options changed = {
                .name = "localhost", .resume = bytes, .resume_size = options.resume_size};
            weir_error *error = NULL;
            talk t = {.w = w};
            t.client.talk = &t;
            t.client.other = &t.server;
            memcpy(bytes, options.resume, options.resume_size);
            bytes[i] ^= 0xFF;
            t.client.session = weir__tls_engine.session_new(of_client, &changed, &world_host, &t.client);
            assert_non_null(t.client.session);
            tls_result result = weir__tls_engine.handshake(t.client.session, &error);
            assert_true(result == TLS_WANT_READ || result == TLS_FAILED);
            weir_error_release(error);
            weir__tls_engine.session_free(t.client.session);
            free(t.server.in);
        }
        /* Every byte of the envelope changed: then it is full, or, where nothing depends on it, resumed; never broken. */
        for (size_t i = 0; i < 80; i += 7) {
            memcpy(bytes, options.resume, options.resume_size);
            bytes[i] ^= 0xFF;
            const tls_session_options changed = {
                .name = "localhost", .resume = bytes, .resume_size = options.resume_size};
            if (w->talk_count > 60)
                break;
            again(world_talk_with(w, of_client, &client, of_server, &server, &changed, NULL));
        }
        free(bytes);
    }
}

/* ---- the cache ---- */

/* One connection to the server end of `t`, by what was kept of the one before. */
static void plain_come_back(talk *t, const mbed_cert *identity, mbedtls_ssl_session *kept, int resume)
{
    plain_client client;
    plain_begin(&client, t, identity);
    if (resume)
        assert_int_equal(mbedtls_ssl_set_session(&client.ssl, kept), 0);
    plain_handshake(&client);
    if (!resume)
        assert_int_equal(mbedtls_ssl_get_session(&client.ssl, kept), 0);
    plain_end(&client);
}

static void TLS_12_clients_without_tickets_come_back_by_their_ids(void **state)
{
    static const char *const expected[] = {"DEPTH_ZERO_SELF_SIGNED_CERT", ""};
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    tls_settings client = world_client(w);
    tls_settings server = world_asking_server(w, 0);
    tls_credentials *of_client = world_credentials(w, &client);
    tls_credentials *of_server = world_credentials(w, &server);
    for (int trusted = 0; trusted <= 1; trusted++) {
        const mbed_cert *identity = world_issue(w, &(wish){.subject = "CN=client", .self_signed = !trusted});
        mbedtls_ssl_session kept;
        mbedtls_ssl_session_init(&kept);
        ahead = 0;
        for (int i = 0; i < 4; i++) {
            /* The last time it is too late; and a server with another cache knows nobody. */
            ahead = i == 3 ? 400 : 0;
            talk *t = world_talk_with(w, of_client, &client, i == 2 ? world_credentials(w, &server) : of_server,
                                      &server, NULL, NULL);
            plain_come_back(t, identity, &kept, i > 0);
            assert_int_equal(end_flag(&t->server, "tls.resumed"), i == 1);
            assert_int_equal(end_flag(&t->server, "tls.authorized"), trusted);
            assert_string_equal(end_text(&t->server, "tls.authorizationError"), expected[trusted]);
            assert_string_equal(end_text(&t->server, "tls.peer.subject"), "CN=client");
        }
        mbedtls_ssl_session_free(&kept);
    }
}

/* A server's session that the library has made, which goes into the cache by other ids, too. */
static tls_session *cached(world *w)
{
    w->now_version = TLS_VERSION_12;
    tls_settings *server = calloc(1, sizeof(*server)); /* outlives this function, as its credentials do */
    assert_non_null(server);
    w->kept[w->kept_count++] = server;
    *server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    mbedtls_ssl_session kept;
    mbedtls_ssl_session_init(&kept);
    talk *t = world_talk(w, &client, server, NULL, NULL);
    plain_come_back(t, world_issue(w, &(wish){.subject = "CN=client"}), &kept, 0);
    mbedtls_ssl_session_free(&kept);
    return t->server.session;
}

static void put_number(unsigned char id[32], unsigned number)
{
    memset(id, 0xA5, 32);
    id[0] = (unsigned char)number;
    id[1] = (unsigned char)(number >> 8);
}

/* As the library does it: 0, or it was not taken. */
static int put_in_cache(const tls_session *session, unsigned number)
{
    const mbedtls_ssl_config *config = &session->config;
    mbedtls_ssl_session *state = session->ssl.session;
    unsigned char id[32];
    put_number(id, number);
#if MBED_3
    return config->f_set_cache(config->p_cache, id, sizeof(id), state);
#else
    memcpy(state->id, id, sizeof(id));
    state->id_len = sizeof(id);
    return config->f_set_cache(config->p_cache, state);
#endif
}

static int is_in_cache(const tls_session *session, unsigned number)
{
    const mbedtls_ssl_config *config = &session->config;
    mbedtls_ssl_session state;
    unsigned char id[32];
    put_number(id, number);
    mbedtls_ssl_session_init(&state);
#if MBED_3
    int result = config->f_get_cache(config->p_cache, id, sizeof(id), &state);
#else
    memcpy(state.id, id, sizeof(id));
    state.id_len = sizeof(id);
    int result = config->f_get_cache(config->p_cache, &state);
#endif
    mbedtls_ssl_session_free(&state);
    return result == 0;
}

/* However many clients come: the oldest goes, and its memory. */
static void TLS_12_the_cache_has_a_bound(void **state)
{
    enum { MORE = 100, LAST = MBED_CACHE_MOST + MORE - 1 };
    size_t full = 0;
    const tls_session *session = cached(world_of(*state));
    for (unsigned i = 0; i <= LAST; i++) {
        if (i == MBED_CACHE_MOST)
            full = allocator_live();
        assert_int_equal(put_in_cache(session, i), 0);
    }
    assert_int_equal(allocator_live(), full);
    assert_false(is_in_cache(session, MORE - 1));
    assert_true(is_in_cache(session, MORE));
    assert_true(is_in_cache(session, LAST));
}

/* Not only are they refused: their secrets go, when the next one comes. */
static void TLS_12_sessions_that_are_too_old_leave_the_cache(void **state)
{
    const tls_session *session = cached(world_of(*state));
    size_t live = allocator_live(); /* with the one of the handshake */
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(put_in_cache(session, i), 0);
    assert_true(allocator_live() > live);
    assert_true(is_in_cache(session, 0));
    ahead = 301;
    assert_int_equal(put_in_cache(session, 10), 0);
    assert_int_equal(allocator_live(), live);
    assert_false(is_in_cache(session, 0));
    assert_true(is_in_cache(session, 10));
}

static void TLS_12_a_cache_that_is_off(void **state)
{
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    tls_settings client = world_client(w);
    tls_settings server = world_server(w, "localhost");
    server.session_timeout = 0;
    const mbed_cert *identity = world_issue(w, &(wish){.subject = "CN=client"});
    tls_credentials *of_client = world_credentials(w, &client);
    tls_credentials *of_server = world_credentials(w, &server);
    mbedtls_ssl_session kept;
    mbedtls_ssl_session_init(&kept);
    for (int i = 0; i < 2; i++) {
        talk *t = world_talk_with(w, of_client, &client, of_server, &server, NULL, NULL);
        plain_come_back(t, identity, &kept, i > 0);
        assert_int_equal(end_flag(&t->server, "tls.resumed"), 0);
    }
    mbedtls_ssl_session_free(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_12_a_ticket_resumes),
        WORLD_TEST(TLS_12_session_get_gives_what_new_session_told),
        WORLD_TEST(TLS_12_keys_rotate),
        WORLD_TEST(TLS_12_TLS_17_a_ticket_that_is_gone_is_no_strange_identity),
        WORLD_TEST(TLS_12_without_a_key_to_seal_there_is_no_ticket),
        WORLD_TEST(TLS_12_tickets_off),
        WORLD_TEST(TLS_12_a_ticket_counts_only_where_the_same_clients_are_let_in),
        WORLD_TEST(TLS_12_tickets_that_were_changed_are_none),
        WORLD_TEST(TLS_12_other_cipher_suites_mean_a_full_handshake),
        WORLD_TEST(TLS_12_a_resumed_session_is_as_authorized_as_its_first_handshake),
        CLOCK_TEST(TLS_12_a_ticket_does_not_outlive_the_certificate_behind_it),
        CLOCK_TEST(TLS_12_no_chain_of_tickets_is_longer_than_a_week),
        CLOCK_TEST(TLS_12_a_ticket_ends_with_its_lifetime),
        WORLD_TEST(TLS_12_a_client_resumes_only_what_its_settings_let_in),
        WORLD_TEST(TLS_12_a_session_is_for_one_name),
        WORLD_TEST(TLS_12_blobs_that_were_changed_are_ignored),
        CLOCK_TEST(TLS_12_clients_without_tickets_come_back_by_their_ids),
        WORLD_TEST(TLS_12_the_cache_has_a_bound),
        CLOCK_TEST(TLS_12_sessions_that_are_too_old_leave_the_cache),
        WORLD_TEST(TLS_12_a_cache_that_is_off),
    };
    return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
