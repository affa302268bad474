/* SPDX-License-Identifier: MIT */
/* Chains of certificates that somebody put together wrongly, or wickedly: who is no authority, whose list of revocations. */
#define _GNU_SOURCE

#include "engine_world.h"

#include <stdio.h>
#include <string.h>

/* ---- made by openssl, which makes anything ---- */

/*
 * NAME.pem and NAME.key in the test's folder, signed by ISSUER.pem (NULL: by itself), with these lines of extensions and
 * nothing else.
 */
static void sign_by(world *w, const char *name, const char *issuer, const char *extensions, const char *digest)
{
    const char *cert = fixture_text(w->f, "%s.pem", name);
    const char *key = fixture_text(w->f, "%s.key", name);
    const char *subject = fixture_text(w->f, "/CN=%s", name);
    const char *number = fixture_text(w->f, "%zu", w->kept_count + 4096);
    world_write(w, "it.cnf", fixture_text(w->f, "[req]\ndistinguished_name = dn\n[dn]\n[ext]\n%s", extensions));
    world_openssl(w, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config",
                  "it.cnf", "-subj", subject, "-keyout", key, "-out", "it.csr");
    if (issuer)
        world_openssl(w, "x509", "-req", "-in", "it.csr", "-CA", fixture_text(w->f, "%s.pem", issuer), "-CAkey",
                      fixture_text(w->f, "%s.key", issuer), "-extfile", "it.cnf", "-extensions", "ext", "-days", "2",
                      digest, "-set_serial", number, "-out", cert);
    else
        world_openssl(w, "x509", "-req", "-in", "it.csr", "-signkey", key, "-extfile", "it.cnf", "-extensions", "ext",
                      "-days", "2", digest, "-set_serial", number, "-out", cert);
}

static void sign(world *w, const char *name, const char *issuer, const char *extensions)
{
    sign_by(w, name, issuer, extensions, "-sha256");
}

#define AUTHORITY "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n"
#define LEAF      "basicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost\n"

static const char *cert_of(world *w, const char *name)
{
    return world_read(w, fixture_text(w->f, "%s.pem", name), NULL);
}

/* A server that shows "leaf" and these behind it; a client that trusts `trusted`. One such pair at a time. */
static talk *try(world *w, const char *behind, const char *trusted, const tls_settings *like)
{
    static tls_settings server;
    static tls_settings client;
    server = world_server(w, "localhost");
    client = like ? *like : world_client(w);
    server.cert = world_material(w, fixture_text(w->f, "%s%s", cert_of(w, "leaf"), behind), "/cert");
    server.key = world_material(w, world_read(w, "leaf.key", NULL), "/key");
    client.ca = world_materials(w, trusted, "/ca");
    client.ca_count = 1;
    return world_talk(w, &client, &server, NULL, NULL);
}

static void refused(talk *t, const char *text)
{
    talk_refused(t);
    if (!strstr(end_error(&t->client), text))
        fail_msg("\"%s\" is not in \"%s\"", text, end_error(&t->client));
}

/* ---- who may sign ---- */

static void TLS_07_an_intermediate_that_is_no_authority(void **state)
{
    static const char *const wrong[] = {
        "basicConstraints = CA:FALSE\n",
        "keyUsage = digitalSignature\n",
        "basicConstraints = critical, CA:TRUE\nkeyUsage = digitalSignature\n",
    };
    world *w = world_of(*state);
    sign(w, "root", NULL, AUTHORITY);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        sign(w, "middle", "root", wrong[i]);
        sign(w, "leaf", "middle", LEAF);
        WORLD_VERSIONS(w)
        {
            talk *t = try(w, cert_of(w, "middle"), cert_of(w, "root"), NULL);
            refused(t, "INVALID_CA: the certificate of CN=leaf was issued by CN=middle, which is no authority");
            assert_string_equal(end_text(&t->client, "tls.authorizationError"), "INVALID_CA");
            assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=leaf");
        }
    }
    /* And one that is trusted by mistake. */
    w->now_version = 0;
    talk *t = try(w, "", cert_of(w, "middle"), NULL);
    refused(t, "INVALID_CA: the certificate of CN=leaf was issued by CN=middle, which is no authority");
}

static void TLS_07_a_chain_that_is_longer_than_allowed(void **state)
{
    world *w = world_of(*state);
    sign(w, "root", NULL, "basicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, keyCertSign\n");
    sign(w, "middle", "root", AUTHORITY);
    sign(w, "leaf", "middle", LEAF);
    WORLD_VERSIONS(w)
    {
        talk *t = try(w, cert_of(w, "middle"), cert_of(w, "root"), NULL);
        refused(t, "PATH_LENGTH_EXCEEDED: the certificate of CN=middle was issued by CN=root, which");
        assert_string_equal(end_text(&t->client, "tls.authorizationError"), "PATH_LENGTH_EXCEEDED");
    }
    sign(w, "leaf", "root", LEAF);
    WORLD_VERSIONS(w)
    {
        talk_handshake(try(w, "", cert_of(w, "root"), NULL));
    }
}

/* Nobody has to go through as many certificates as a peer likes to send. */
static void TLS_07_a_chain_without_end(void **state)
{
    world *w = world_of(*state);
    const char *behind = "";
    sign(w, "c0", NULL, AUTHORITY);
    for (int i = 1; i <= 10; i++) {
        sign(w, fixture_text(w->f, "c%d", i), fixture_text(w->f, "c%d", i - 1), AUTHORITY);
        behind = fixture_text(w->f, "%s%s", cert_of(w, fixture_text(w->f, "c%d", i)), behind);
    }
    sign(w, "leaf", "c10", LEAF);
    WORLD_VERSIONS(w)
    {
        tls_settings careless = world_client(w);
        refused(try(w, behind, cert_of(w, "c0"), NULL), "the chain is too long");
        careless.reject_unauthorized = 0;
        refused(try(w, behind, cert_of(w, "c0"), &careless), "the chain is too long");
    }
}

static void TLS_07_hashes_and_keys_that_are_too_weak(void **state)
{
    world *w = world_of(*state);
    sign(w, "root", NULL, AUTHORITY);
    sign_by(w, "leaf", "root", LEAF, "-sha1");
    WORLD_VERSIONS(w)
    {
        refused(try(w, "", cert_of(w, "root"), NULL),
                "CA_MD_TOO_WEAK: the certificate of CN=leaf is signed with a hash that is too weak");
    }
    world_openssl(w, "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=leaf", "-addext",
                  "subjectAltName = DNS:localhost", "-days", "2", "-keyout", "leaf.key", "-out", "leaf.pem");
    WORLD_VERSIONS(w)
    {
        refused(try(w, "", cert_of(w, "leaf"), NULL), "EE_KEY_TOO_SMALL: the certificate of CN=leaf has a key that is");
    }
}

/* No client could be served by such a one: that is found when the context is made. A client's is told of. */
static void TLS_14_a_certificate_that_is_for_something_else(void **state)
{
    static const struct {
        const char *extensions;
        const char *lacks;
    } wrong[] = {
        {LEAF "extendedKeyUsage = codeSigning\n", "extendedKeyUsage lacks"},
        {LEAF "keyUsage = critical, keyAgreement\n", "keyUsage lacks digitalSignature"},
    };
    world *w = world_of(*state);
    sign(w, "root", NULL, AUTHORITY);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        sign(w, "leaf", "root", wrong[i].extensions);
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        server.cert = client.cert = world_material(w, cert_of(w, "leaf"), "/cert");
        server.key = client.key = world_material(w, world_read(w, "leaf.key", NULL), "/key");
        const char *text = world_refusal(w, &server);
        assert_ptr_equal(strstr(text, "/cert: the certificate in the text is not meant for servers, no client"), text);
        assert_non_null(strstr(text, wrong[i].lacks));
        text = world_warning(w, &client);
        assert_non_null(
            strstr(text, "/cert: the certificate in the text is not meant for clients, servers may refuse"));
        assert_non_null(strstr(text, wrong[i].lacks));
    }
}

static void TLS_09_a_purpose_that_is_not_a_clients(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        server.request_cert = 1;
        server.ca = client.ca;
        server.ca_count = 1;
        world_identify(w, &client, &(wish){.subject = "CN=client", .uses = MBED_FOR_SERVER});
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "INVALID_PURPOSE");
        assert_non_null(strstr(end_error(&t->server), "INVALID_PURPOSE: the certificate of "));
        server.reject_unauthorized = 0;
        t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "INVALID_PURPOSE");
    }
}

/* ---- whose list of revocations ---- */

/* A list of ISSUER's that revokes NAME.pem (NULL: nobody), in force from then to then. */
static const char *list_of(world *w, const char *issuer, const char *name, const char *from, const char *until)
{
    const char *cert = fixture_text(w->f, "%s.pem", issuer);
    const char *key = fixture_text(w->f, "%s.key", issuer);
    world_write(w, "index.txt", "");
    world_write(w, "number", "01\n");
    world_write(w, "ca.cnf",
                "[ca]\ndefault_ca = it\n[it]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha256\n");
    if (name)
        world_openssl(w, "ca", "-config", "ca.cnf", "-cert", cert, "-keyfile", key, "-revoke",
                      fixture_text(w->f, "%s.pem", name));
    world_openssl(w, "ca", "-config", "ca.cnf", "-cert", cert, "-keyfile", key, "-gencrl", "-crl_lastupdate", from,
                  "-crl_nextupdate", until, "-out", "crl.pem");
    return world_read(w, "crl.pem", NULL);
}

#define PAST   "20200101000000Z"
#define FUTURE "20991231000000Z"

/* A chain of leaf, middle and root, looked at with these lists. */
static talk *with_lists(world *w, const char *lists)
{
    static tls_settings client;
    client = world_client(w);
    client.crl = world_materials(w, lists, "/crl");
    client.crl_count = 1;
    return try(w, cert_of(w, "middle"), cert_of(w, "root"), &client);
}

static void make_chain(world *w)
{
    sign(w, "root", NULL, AUTHORITY);
    sign(w, "middle", "root", AUTHORITY);
    sign(w, "leaf", "middle", LEAF);
}

static void TLS_07_revoked_anywhere_in_the_chain(void **state)
{
    world *w = world_of(*state);
    make_chain(w);
    const char *of_root = list_of(w, "root", NULL, PAST, FUTURE);
    const char *of_middle = list_of(w, "middle", NULL, PAST, FUTURE);
    const char *no_middle = list_of(w, "root", "middle", PAST, FUTURE);
    const char *no_leaf = list_of(w, "middle", "leaf", PAST, FUTURE);
    WORLD_VERSIONS(w)
    {
        talk_handshake(with_lists(w, fixture_text(w->f, "%s%s", of_root, of_middle)));
        refused(with_lists(w, no_middle), "CERT_REVOKED: the certificate of CN=middle was revoked by its issuer");
        refused(with_lists(w, no_leaf), "CERT_REVOKED: the certificate of CN=leaf was revoked by its issuer");
        refused(with_lists(w, fixture_text(w->f, "%s%s", of_root, no_leaf)),
                "CERT_REVOKED: the certificate of CN=leaf");
    }
}

static void TLS_07_lists_that_are_not_to_be_believed(void **state)
{
    world *w = world_of(*state);
    make_chain(w);
    const char *early = list_of(w, "root", NULL, "20980101000000Z", FUTURE);
    /* Somebody else of the same name. */
    const char *root_cert = cert_of(w, "root");
    const char *root_key = world_read(w, "root.key", NULL);
    sign(w, "root", NULL, AUTHORITY);
    const char *forged = list_of(w, "root", NULL, PAST, FUTURE);
    world_write(w, "root.pem", root_cert);
    world_write(w, "root.key", root_key);
    WORLD_VERSIONS(w)
    {
        refused(with_lists(w, early), "CRL_NOT_YET_VALID: the certificate of CN=middle is checked against a list");
        refused(with_lists(w, forged), "CRL_SIGNATURE_FAILURE: the certificate of CN=middle is checked against a list");
    }
    /* An authority that may not sign lists. */
    sign(w, "root", NULL, "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n");
    sign(w, "middle", "root", AUTHORITY);
    sign(w, "leaf", "middle", LEAF);
    const char *unasked = list_of(w, "root", NULL, PAST, FUTURE);
    w->now_version = 0;
    refused(with_lists(w, unasked), "CRL_SIGNATURE_FAILURE: the certificate of CN=middle is checked against a list");
}

/* It says nothing about others: who gave it by mistake had better be told. */
static void TLS_07_TLS_14_a_list_of_another_issuer(void **state)
{
    world *w = world_of(*state);
    make_chain(w);
    sign(w, "other", NULL, AUTHORITY);
    const char *list = list_of(w, "other", NULL, PAST, FUTURE);
    talk_handshake(with_lists(w, list));
    tls_settings client = world_client(w);
    client.crl = world_materials(w, list, "/crl");
    client.crl_count = 1;
    assert_non_null(
        strstr(world_warning(w, &client),
               "/crl: the list of revoked certificates of CN=other is in force only where a peer sends that "
               "authority along: it is not in \"ca\""));
    client.crl = world_materials(w, list, "/crl");
    client.ca = world_materials(w, cert_of(w, "other"), "/ca");
    assert_string_equal(world_warning(w, &client), "");
}

/* ---- what fails later ---- */

static void TLS_07_TLS_09_errors_after_the_verdict_are_their_own(void **state)
{
    world *w = world_of(*state);
    char byte;
    size_t done;
    weir_error *error = NULL;
    sign(w, "leaf", NULL, LEAF);
    WORLD_VERSIONS(w)
    {
        tls_settings careless = world_client(w);
        careless.reject_unauthorized = 0;
        talk *t = try(w, "", world_authority()->cert, &careless);
        talk_handshake(t);
        assert_string_equal(end_text(&t->client, "tls.authorizationError"), "DEPTH_ZERO_SELF_SIGNED_CERT");
        assert_int_equal(weir__tls_engine.write(t->server.session, "hello", 5, &done, &error), TLS_DONE);
        t->client.in[t->client.in_size - 1] ^= 1;
        assert_int_equal(end_reads(&t->client, &byte, 1, &done), TLS_FAILED);
        assert_string_equal(end_error(&t->client),
                            "reading failed: a record cannot be decrypted: it was changed on its "
                            "way, or the keys differ");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_07_an_intermediate_that_is_no_authority),
        WORLD_TEST(TLS_07_a_chain_that_is_longer_than_allowed),
        WORLD_TEST(TLS_07_a_chain_without_end),
        WORLD_TEST(TLS_07_hashes_and_keys_that_are_too_weak),
        WORLD_TEST(TLS_14_a_certificate_that_is_for_something_else),
        WORLD_TEST(TLS_09_a_purpose_that_is_not_a_clients),
        WORLD_TEST(TLS_07_revoked_anywhere_in_the_chain),
        WORLD_TEST(TLS_07_lists_that_are_not_to_be_believed),
        WORLD_TEST(TLS_07_TLS_14_a_list_of_another_issuer),
        WORLD_TEST(TLS_07_TLS_09_errors_after_the_verdict_are_their_own),
    };
    return cmocka_run_group_tests_name("chains", tests, NULL, NULL);
}
