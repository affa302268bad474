/* SPDX-License-Identifier: MIT */
/* Who the peer is: every verdict by its X509 code name, names and addresses, client certificates, revocation, pins. */
#define _GNU_SOURCE

#include "engine_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

/* ---- verdicts ---- */

typedef struct verdict {
    const char *code;
    const char *text; /* in the error */
} verdict;

/* Refused with this verdict, and let in with it where rejectUnauthorized is off. */
static void judge(world *w, const tls_settings *server, tls_settings client, const tls_session_options *options,
                  verdict expected)
{
    client.reject_unauthorized = 1;
    talk *t = world_talk(w, &client, server, options, NULL);
    talk_refused(t);
    assert_int_equal(t->client.result, TLS_FAILED);
    assert_code(t->client.error->code, UV_EPROTO);
    size_t length = strlen(expected.code);
    if (strncmp(end_error(&t->client), expected.code, length) != 0 || end_error(&t->client)[length] != ':' ||
        !strstr(end_error(&t->client), expected.text))
        fail_msg("%s", end_error(&t->client));
    assert_string_equal(end_text(&t->client, "tls.authorizationError"), expected.code);
    assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=server");
    assert_string_equal(end_text(&t->client, "tls.peer.pem"), server->cert.data);
    assert_int_equal(end_flag(&t->client, "tls.authorized"), -1);
    assert_int_equal(t->client.blobs, 0);
    if (!strstr(end_error(&t->server), "the peer refused by the alert "))
        fail_msg("%s", end_error(&t->server));

    client.reject_unauthorized = 0;
    t = world_talk(w, &client, server, options, NULL);
    talk_handshake(t);
    end_says(&t->client, "hello", 5);
    assert_int_equal(end_flag(&t->client, "tls.authorized"), 0);
    assert_string_equal(end_text(&t->client, "tls.authorizationError"), expected.code);
    assert_string_equal(end_text(&t->client, "tls.peer.pem"), server->cert.data);
}

static tls_settings server_of(world *w, const wish *what)
{
    tls_settings server = world_server(w, "localhost");
    world_identify(w, &server, what);
    return server;
}

static void TLS_07_times(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings server =
            server_of(w, &(wish){.host = "localhost", .subject = "CN=server", .from = -3 * DAY, .until = -2 * DAY});
        judge(w, &server, client, NULL, (verdict){"CERT_HAS_EXPIRED", "the certificate of CN=server expired on 20"});
        server = server_of(w, &(wish){.host = "localhost", .subject = "CN=server", .from = 2 * DAY, .until = 3 * DAY});
        judge(w, &server, client, NULL,
              (verdict){"CERT_NOT_YET_VALID", "the certificate of CN=server is not valid before 20"});
    }
}

static void TLS_07_unknown_issuers(void **state)
{
    world *w = world_of(*state);
    const mbed_cert *other =
        world_issue(w, &(wish){.subject = "CN=other authority", .is_authority = 1, .self_signed = 1});
    const mbed_cert *twin =
        world_issue(w, &(wish){.subject = "CN=test authority", .is_authority = 1, .self_signed = 1});
    const mbed_cert *middle = world_issue(w, &(wish){.subject = "CN=middle", .is_authority = 1, .issuer = other});
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        const wish self_signed = {.host = "localhost", .subject = "CN=server", .self_signed = 1};
        tls_settings server = server_of(w, &self_signed);
        judge(w, &server, client, NULL, (verdict){"DEPTH_ZERO_SELF_SIGNED_CERT", "CN=server is signed by itself"});
        server = server_of(w, &(wish){.host = "localhost", .subject = "CN=server", .issuer = other});
        judge(w, &server, client, NULL,
              (verdict){"UNABLE_TO_VERIFY_LEAF_SIGNATURE", "issued by CN=other authority, which is neither"});
        server = server_of(w, &(wish){.host = "localhost", .subject = "CN=server", .issuer = twin});
        judge(w, &server, client, NULL,
              (verdict){"CERT_SIGNATURE_FAILURE", "not signed by the CN=test authority that is trusted"});

        /* The whole chain, its root included; and without it. */
        const mbed_cert *leaf = world_issue(w, &(wish){.host = "localhost", .subject = "CN=server", .issuer = middle});
        server.key = world_material(w, leaf->key, "/key");
        server.cert = world_material(w, fixture_text(w->f, "%s%s%s", leaf->cert, middle->cert, other->cert), "/cert");
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        assert_non_null(strstr(end_error(&t->client), "SELF_SIGNED_CERT_IN_CHAIN: the certificate of CN=other auth"));
        server.cert = world_material(w, fixture_text(w->f, "%s%s", leaf->cert, middle->cert), "/cert");
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        assert_non_null(strstr(end_error(&t->client), "UNABLE_TO_GET_ISSUER_CERT_LOCALLY: the certificate of CN=mid"));
        assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=server");

        /* And trusted, by the root of the chain. */
        client.ca = world_materials(w, other->cert, "/ca");
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
    }
}

/* The gravest of several findings is told. */
static void TLS_07_several_faults_at_once(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings server = server_of(w, &(wish){.host = "other.example",
                                                   .subject = "CN=server",
                                                   .self_signed = 1,
                                                   .from = -3 * DAY,
                                                   .until = -2 * DAY});
        judge(w, &server, client, NULL, (verdict){"CERT_HAS_EXPIRED", "expired on"});
    }
}

static void TLS_07_a_self_signed_certificate_that_is_trusted(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings server = server_of(w, &(wish){.host = "localhost", .self_signed = 1});
        client.ca = world_materials(w, server.cert.data, "/ca");
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
    }
}

static void TLS_07_a_client_that_trusts_nobody(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings server = world_server(w, "localhost");
        client.ca = NULL;
        client.ca_count = 0;
        judge(w, &server, client, NULL, (verdict){"UNABLE_TO_VERIFY_LEAF_SIGNATURE", "trusted (ca)"});
    }
}

/* ---- names ---- */

static int named(world *w, const wish *what, const char *name, int is_address)
{
    tls_settings client = world_client(w);
    tls_settings server = server_of(w, what);
    const tls_session_options options = {.name = name, .name_is_address = is_address};
    talk *t = world_talk(w, &client, &server, &options, NULL);
    talk_run(t);
    if (t->client.result == TLS_DONE) {
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
        return 1;
    }
    if (strncmp(end_error(&t->client), "ERR_TLS_CERT_ALTNAME_INVALID: ", 30) != 0)
        fail_msg("%s", end_error(&t->client));
    assert_string_equal(end_text(&t->client, "tls.authorizationError"), "ERR_TLS_CERT_ALTNAME_INVALID");
    return 0;
}

static void TLS_08_names(void **state)
{
    static const struct {
        const char *host; /* of the certificate */
        const char *name;
        int matches;
    } cases[] = {
        {"a.example.org", "a.example.org", 1}, {"A.Example.ORG", "a.example.org", 1},
        {"a.example.org", "b.example.org", 0}, {"a.example.org", "a.example.or", 0},
        {"a.example.org", "example.org", 0},   {"a.example.org.", "a.example.org", 1},
        {"*.example.org", "a.example.org", 1}, {"*.example.org", "xn--a-1ga.example.org", 1},
        {"*.example.org", "example.org", 0},   {"*.example.org", "a.b.example.org", 0},
        {"*.example.org", ".example.org", 0},  {"*.org", "example.org", 0},
        {"*.example.org", "a.example.com", 0},
    };
    world *w = world_of(*state);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (named(w, &(wish){.host = cases[i].host}, cases[i].name, 0) != cases[i].matches)
            fail_msg("%s and %s", cases[i].host, cases[i].name);
    }
}

static void TLS_08_addresses(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        const wish both = {.host = "127.0.0.1", .second = "2001:db8::17"};
        assert_int_equal(named(w, &both, "127.0.0.1", 1), 1);
        assert_int_equal(named(w, &both, "127.0.0.2", 1), 0);
        assert_int_equal(named(w, &both, "2001:db8::17", 1), 1);
        assert_int_equal(named(w, &both, "2001:db8:0:0::17", 1), 1);
        assert_int_equal(named(w, &both, "2001:db8::17%eth0", 1), 1);
        assert_int_equal(named(w, &both, "2001:db8::18", 1), 0);
        assert_int_equal(named(w, &both, "localhost", 0), 0);
        /* An address is no name, and a common name no address. */
        assert_int_equal(named(w, &(wish){.host = "localhost", .subject = "CN=127.0.0.1"}, "127.0.0.1", 1), 0);
        assert_int_equal(named(w, &(wish){.subject = "CN=127.0.0.1"}, "127.0.0.1", 1), 0);
    }
}

static void TLS_08_an_address_is_not_sent_as_a_name(void **state)
{
    world *w = world_of(*state);
    tls_settings client = world_client(w);
    tls_settings server = server_of(w, &(wish){.host = "127.0.0.1", .second = "localhost"});
    const tls_session_options address = {.name = "127.0.0.1", .name_is_address = 1};
    weir_error *error = NULL;
    talk *t = world_talk(w, &client, &server, &address, NULL);
    assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_WANT_READ);
    assert_null(memmem(t->server.in, t->server.in_size, "127.0.0.1", 9));
    talk_handshake(t);
    t = world_talk(w, &client, &server, NULL, NULL);
    assert_int_equal(weir__tls_engine.handshake(t->client.session, &error), TLS_WANT_READ);
    assert_non_null(memmem(t->server.in, t->server.in_size, "localhost", 9));
    talk_handshake(t);
}

static void TLS_08_the_common_name_counts_only_without_alternatives(void **state)
{
    world *w = world_of(*state);
    assert_int_equal(named(w, &(wish){.subject = "CN=a.example.org"}, "a.example.org", 0), 1);
    assert_int_equal(named(w, &(wish){.subject = "O=weir,CN=*.example.org"}, "a.example.org", 0), 1);
    assert_int_equal(named(w, &(wish){.subject = "O=a.example.org,CN=weir"}, "a.example.org", 0), 0);
    assert_int_equal(named(w, &(wish){.subject = "CN=a.example.org", .host = "b.example.org"}, "a.example.org", 0), 0);
    assert_int_equal(named(w, &(wish){.subject = "CN=a.example.org", .host = "127.0.0.1"}, "a.example.org", 0), 0);
}

static void TLS_08_the_error_names_both_sides(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server =
            server_of(w, &(wish){.host = "a.example.org", .second = "10.0.0.1", .subject = "CN=server"});
        judge(w, &server, world_client(w), NULL,
              (verdict){"ERR_TLS_CERT_ALTNAME_INVALID",
                        "the certificate is not for localhost, but for DNS:a.example.org, IP Address:10.0.0.1"});
    }
}

/* ---- client certificates ---- */

static void TLS_09_a_client_that_is_known(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_asking_server(w, 1);
        tls_settings client = world_client(w);
        world_identify(w, &client, &(wish){.host = "me", .subject = "CN=client,O=weir", .uses = MBED_FOR_CLIENT});
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        end_says(&t->client, "hello", 5);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 1);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "");
        assert_string_equal(end_text(&t->server, "tls.peer.subject"), "CN=client, O=weir");
        assert_string_equal(end_text(&t->server, "tls.peer.pem"), client.cert.data);
    }
}

static void TLS_09_a_client_that_is_refused(void **state)
{
    world *w = world_of(*state);
    const mbed_cert *other =
        world_issue(w, &(wish){.subject = "CN=other authority", .is_authority = 1, .self_signed = 1});
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_asking_server(w, 1);
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        assert_int_equal(t->server.result, TLS_FAILED);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"),
                            "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE");
        assert_non_null(strstr(end_error(&t->server), "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: the client showed"));
        if (w->now_version == TLS_VERSION_12)
            assert_string_equal(end_error(&t->client),
                                "the TLS handshake failed: the peer refused by the alert handshake_failure (40); "
                                "perhaps it wants a certificate (\"cert\" and \"key\")");

        world_identify(w, &client, &(wish){.subject = "CN=client", .issuer = other});
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        assert_int_equal(t->server.result, TLS_FAILED);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
        assert_string_equal(end_text(&t->server, "tls.peer.subject"), "CN=client");
        /* On TLS 1.3 the client was done before it was refused. */
        if (!strstr(end_error(&t->client), "unknown_ca"))
            fail_msg("%s", end_error(&t->client));
    }
}

static void TLS_09_a_client_that_is_let_in_all_the_same(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_asking_server(w, 0);
        tls_settings client = world_client(w);
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"),
                            "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE");
        world_identify(w, &client, &(wish){.subject = "CN=client", .self_signed = 1});
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        end_says(&t->client, "hello", 5);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "DEPTH_ZERO_SELF_SIGNED_CERT");
        assert_string_equal(end_text(&t->server, "tls.peer.subject"), "CN=client");
    }
}

static void TLS_09_a_server_that_does_not_ask(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        world_identify(w, &client, &(wish){.subject = "CN=client"});
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "");
        assert_string_equal(end_text(&t->server, "tls.peer.subject"), "");
    }
}

/* ---- revocation ---- */

/* A list of the world's authority that revokes these certificates, in force until then. */
static const char *list_of_revoked(world *w, const char *const *certificates, size_t count, const char *until)
{
    world_write(w, "ca.pem", world_authority()->cert);
    world_write(w, "ca.key", world_authority()->key);
    world_write(w, "index.txt", "");
    world_write(w, "number", "01\n");
    world_write(w, "ca.cnf",
                "[ca]\ndefault_ca = it\n[it]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha256\n");
    for (size_t i = 0; i < count; i++) {
        world_write(w, "revoked.pem", certificates[i]);
        world_openssl(w, "ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-revoke", "revoked.pem");
    }
    world_openssl(w, "ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-gencrl", "-crl_lastupdate",
                  "20200101000000Z", "-crl_nextupdate", until, "-out", "crl.pem");
    return world_read(w, "crl.pem", NULL);
}

static void TLS_07_TLS_09_a_revoked_certificate(void **state)
{
    world *w = world_of(*state);
    tls_settings revoked = server_of(w, &(wish){.host = "localhost", .subject = "CN=server"});
    tls_settings good = server_of(w, &(wish){.host = "localhost", .subject = "CN=server"});
    const char *const certificates[] = {revoked.cert.data};
    const char *list = list_of_revoked(w, certificates, 1, "20991231000000Z");
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        client.crl = world_materials(w, list, "/crl");
        client.crl_count = 1;
        judge(w, &revoked, client, NULL, (verdict){"CERT_REVOKED", "CN=server was revoked by its issuer"});
        talk_handshake(world_talk(w, &client, &good, NULL, NULL));

        tls_settings server = world_asking_server(w, 1);
        server.crl = client.crl;
        server.crl_count = 1;
        client.crl_count = 0;
        client.cert = revoked.cert;
        client.key = revoked.key;
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "CERT_REVOKED");
        client.cert = good.cert;
        client.key = good.key;
        talk_handshake(world_talk(w, &client, &server, NULL, NULL));
    }
}

static void TLS_07_a_list_of_revocations_that_is_too_old(void **state)
{
    world *w = world_of(*state);
    tls_settings server = server_of(w, &(wish){.host = "localhost", .subject = "CN=server"});
    const char *list = list_of_revoked(w, NULL, 0, "20200201000000Z");
    tls_settings client = world_client(w);
    client.crl = world_materials(w, list, "/crl");
    client.crl_count = 1;
    judge(w, &server, client, NULL, (verdict){"CRL_HAS_EXPIRED", "list of revocations that is too old"});
    /* What is trusted already is not read again: another copy is. */
    client.crl = world_materials(w, list, "/crl");
    assert_non_null(
        strstr(world_warning(w, &client), "a list of revoked certificates was to be renewed on 2020-02-01"));
}

/* ---- pins ---- */

/* The key of a certificate, as openssl tells it. */
static void pin_of(world *w, const char *cert, unsigned char pin[TLS_DIGEST_SIZE])
{
    size_t size;
    world_write(w, "pinned.pem", cert);
    world_openssl(w, "x509", "-in", "pinned.pem", "-noout", "-pubkey", "-out", "pinned.pub");
    world_openssl(w, "pkey", "-pubin", "-in", "pinned.pub", "-outform", "DER", "-out", "pinned.der");
    const char *der = world_read(w, "pinned.der", &size);
    const tls_bytes all = {der, size};
    assert_code(weir__tls_engine.digest(w->instance, &all, 1, pin), 0);
}

static void TLS_21_any_pin_of_a_list_will_do(void **state)
{
    static unsigned char pins[2][TLS_DIGEST_SIZE];
    world *w = world_of(*state);
    tls_settings pinned = server_of(w, &(wish){.host = "localhost", .subject = "CN=server"});
    pin_of(w, pinned.cert.data, pins[1]);
    WORLD_VERSIONS(w)
    {
        tls_settings other = server_of(w, &(wish){.host = "localhost", .subject = "CN=server"});
        tls_settings client = world_client(w);
        client.pins = pins;
        client.pin_count = 2;
        pinned.min_version = pinned.max_version = w->now_version;
        talk *t = world_talk(w, &client, &pinned, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
        t = world_talk(w, &client, &other, NULL, NULL);
        talk_refused(t);
        assert_non_null(strstr(end_error(&t->client), "ERR_TLS_CERT_PIN_MISMATCH: the certificate of CN=server has a"));
        assert_string_equal(end_text(&t->client, "tls.authorizationError"), "ERR_TLS_CERT_PIN_MISMATCH");
        /* A pin stands in for a name. */
        const tls_session_options unnamed = {.name = NULL};
        talk_handshake(world_talk(w, &client, &pinned, &unnamed, NULL));
        client.pin_count = 0;
        talk_refused(world_talk(w, &client, &pinned, &unnamed, NULL));
    }
}

static void TLS_21_a_pin_holds_where_nothing_else_does(void **state)
{
    static unsigned char pins[1][TLS_DIGEST_SIZE];
    world *w = world_of(*state);
    tls_settings pinned = server_of(w, &(wish){.host = "elsewhere", .self_signed = 1});
    pin_of(w, pinned.cert.data, pins[0]);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        client.reject_unauthorized = 0;
        client.pins = pins;
        client.pin_count = 1;
        pinned.min_version = pinned.max_version = w->now_version;
        talk *t = world_talk(w, &client, &pinned, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->client, "tls.authorizationError"), "DEPTH_ZERO_SELF_SIGNED_CERT");
        tls_settings other = server_of(w, &(wish){.host = "localhost"});
        t = world_talk(w, &client, &other, NULL, NULL);
        talk_refused(t);
        assert_non_null(strstr(end_error(&t->client), "ERR_TLS_CERT_PIN_MISMATCH: "));

        /* A server whose clients are to have a key takes none without. */
        tls_settings server = world_asking_server(w, 0);
        server.pins = pins;
        server.pin_count = 1;
        client.pin_count = 0;
        talk_refused(world_talk(w, &client, &server, NULL, NULL));
        client.cert = pinned.cert;
        client.key = pinned.key;
        talk_handshake(world_talk(w, &client, &server, NULL, NULL));
    }
}

/* ---- names that want to be something else ---- */

static void TLS_16_alternative_names_are_quoted_where_they_must(void **state)
{
    world *w = world_of(*state);
    world_write(w, "odd.cnf",
                "[req]\ndistinguished_name = dn\nprompt = no\nx509_extensions = ext\n[dn]\nCN = odd\n[ext]\n"
                "subjectAltName = @names\n[names]\nDNS.1 = localhost\nURI.1 = http://a/?b\nemail.1 = me@example.org\n"
                "DNS.2 = \"a, DNS:b\"\nIP.1 = ::1\n");
    world_openssl(w, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config",
                  "odd.cnf", "-keyout", "odd.key", "-out", "odd.pem", "-days", "2");
    tls_settings server = world_server(w, "localhost");
    server.cert = world_material(w, world_read(w, "odd.pem", NULL), "/cert");
    server.key = world_material(w, world_read(w, "odd.key", NULL), "/key");
    tls_settings client = world_client(w);
    client.ca = world_materials(w, server.cert.data, "/ca");
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    talk_handshake(t);
    assert_string_equal(end_text(&t->client, "tls.peer.san"),
                        "DNS:localhost, URI:http://a/?b, email:me@example.org, DNS:\"a, DNS:b\", IP Address:::1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_07_times),
        WORLD_TEST(TLS_07_unknown_issuers),
        WORLD_TEST(TLS_07_several_faults_at_once),
        WORLD_TEST(TLS_07_a_self_signed_certificate_that_is_trusted),
        WORLD_TEST(TLS_07_a_client_that_trusts_nobody),
        WORLD_TEST(TLS_08_names),
        WORLD_TEST(TLS_08_addresses),
        WORLD_TEST(TLS_08_an_address_is_not_sent_as_a_name),
        WORLD_TEST(TLS_08_the_common_name_counts_only_without_alternatives),
        WORLD_TEST(TLS_08_the_error_names_both_sides),
        WORLD_TEST(TLS_09_a_client_that_is_known),
        WORLD_TEST(TLS_09_a_client_that_is_refused),
        WORLD_TEST(TLS_09_a_client_that_is_let_in_all_the_same),
        WORLD_TEST(TLS_09_a_server_that_does_not_ask),
        WORLD_TEST(TLS_07_TLS_09_a_revoked_certificate),
        WORLD_TEST(TLS_07_a_list_of_revocations_that_is_too_old),
        WORLD_TEST(TLS_21_any_pin_of_a_list_will_do),
        WORLD_TEST(TLS_21_a_pin_holds_where_nothing_else_does),
        WORLD_TEST(TLS_16_alternative_names_are_quoted_where_they_must),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
