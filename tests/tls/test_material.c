/* SPDX-License-Identifier: MIT */
/* Keys, certificates and lists as people have them: every form that is read, and a clear word for each that is not. */
#define _GNU_SOURCE

#include "engine_world.h"
#include "plugins/tls/mbedtls/library.h"
#include "plugins/tls/mbedtls/pbes2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* The certificate and key in these files of the test's folder serve a client. */
static void serves(world *w, const char *cert, const char *key, char *passphrase)
{
    size_t cert_size;
    size_t key_size;
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    const char *cert_data = world_read(w, cert, &cert_size);
    const char *key_data = world_read(w, key, &key_size);
    server.cert = world_bytes(w, cert_data, cert_size, "/cert");
    server.key = world_bytes(w, key_data, key_size, "/key");
    server.passphrase = passphrase;
    client.reject_unauthorized = 0;
    talk_handshake(world_talk(w, &client, &server, NULL, NULL));
}

static const char *refuses(world *w, const char *key, char *passphrase)
{
    size_t size;
    tls_settings server = world_server(w, "localhost");
    const char *data = world_read(w, key, &size);
    static char path[] = "/somewhere/server.key";
    server.key = world_bytes(w, data, size, "/key");
    server.key.path = path;
    server.passphrase = passphrase;
    return world_refusal(w, &server);
}

static void write_identity(world *w)
{
    const mbed_cert *made = world_issue(w, &(wish){.host = "localhost"});
    world_write(w, "cert.pem", made->cert);
    world_write(w, "key.pem", made->key);
}

static char right[] = "open sesame";
static char wrong[] = "open barley";

/* ---- keys that are read ---- */

static void TLS_14_keys_under_a_passphrase(void **state)
{
    static const char *const ciphers[] = {"aes-256-cbc", "aes-192-cbc", "aes-128-cbc", "des3"};
    static const char *const hashes[] = {"hmacWithSHA256", "hmacWithSHA1", "hmacWithSHA512", "hmacWithSHA384",
                                         "hmacWithSHA224"};
    world *w = world_of(*state);
    write_identity(w);
    for (size_t i = 0; i < 8; i++) {
        world_openssl(w, "pkcs8", "-topk8", "-in", "key.pem", "-out", "locked.pem", "-v2", ciphers[i < 4 ? i : 0],
                      "-v2prf", hashes[i < 4 ? 0 : i - 3], "-passout", "pass:open sesame");
        serves(w, "cert.pem", "locked.pem", right);
        expect(refuses(w, "locked.pem", wrong),
               "/key: the passphrase does not open the private key in /somewhere/server.key");
        expect(refuses(w, "locked.pem", NULL),
               "/key: the private key in /somewhere/server.key is encrypted: \"passphrase\" is missing");
    }
    world_openssl(w, "pkcs8", "-topk8", "-in", "key.pem", "-outform", "DER", "-out", "locked.der", "-passout",
                  "pass:open sesame");
    serves(w, "cert.pem", "locked.der", right);
    expect(refuses(w, "locked.der", wrong), "the passphrase does not open");
}

static void TLS_14_keys_of_the_old_form_under_a_passphrase(void **state)
{
    world *w = world_of(*state);
    write_identity(w);
    world_openssl(w, "ec", "-in", "key.pem", "-aes256", "-out", "locked.pem", "-passout", "pass:open sesame");
    serves(w, "cert.pem", "locked.pem", right);
    expect(refuses(w, "locked.pem", wrong), "/key: the passphrase does not open");
    expect(refuses(w, "locked.pem", NULL), "is encrypted: \"passphrase\" is missing");
}

static void TLS_14_plain_keys_of_every_form(void **state)
{
    world *w = world_of(*state);
    write_identity(w);
    world_openssl(w, "pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-out", "pkcs8.pem");
    world_openssl(w, "pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER", "-out", "pkcs8.der");
    world_openssl(w, "ec", "-in", "key.pem", "-outform", "DER", "-out", "sec1.der");
    world_openssl(w, "x509", "-in", "cert.pem", "-outform", "DER", "-out", "cert.der");
    serves(w, "cert.pem", "key.pem", NULL);
    serves(w, "cert.pem", "pkcs8.pem", NULL);
    serves(w, "cert.pem", "pkcs8.der", NULL);
    serves(w, "cert.der", "sec1.der", NULL);
    /* A passphrase that nothing asks for is no fault. */
    serves(w, "cert.pem", "pkcs8.pem", right);
    /* One file holds both, with words of people between. */
    world_write(w, "both.pem",
                fixture_text(w->f, "the certificate\n%s\nand its key\n%s", world_read(w, "cert.pem", NULL),
                             world_read(w, "pkcs8.pem", NULL)));
    serves(w, "both.pem", "both.pem", NULL);
    /* openssl ecparam puts parameters before the key. */
    world_openssl(w, "ecparam", "-name", "prime256v1", "-genkey", "-out", "params.pem");
    world_openssl(w, "req", "-x509", "-key", "params.pem", "-subj", "/CN=localhost", "-days", "2", "-out",
                  "params-cert.pem");
    expect(world_read(w, "params.pem", NULL), "-----BEGIN EC PARAMETERS-----");
    serves(w, "params-cert.pem", "params.pem", NULL);
}

static void TLS_14_RSA_keys(void **state)
{
    world *w = world_of(*state);
    world_openssl(w, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2", "-keyout",
                  "key.pem", "-out", "cert.pem");
    world_openssl(w, "rsa", "-in", "key.pem", "-traditional", "-out", "old.pem");
    world_openssl(w, "pkcs8", "-topk8", "-in", "key.pem", "-out", "locked.pem", "-passout", "pass:open sesame");
    WORLD_VERSIONS(w)
    {
        serves(w, "cert.pem", "key.pem", NULL);
        serves(w, "cert.pem", "old.pem", NULL);
        serves(w, "cert.pem", "locked.pem", right);
    }
}

/* ---- keys that are not ---- */

static void TLS_14_keys_of_other_kinds_name_what_helps(void **state)
{
    world *w = world_of(*state);
    world_openssl(w, "genpkey", "-algorithm", "ED25519", "-out", "ed25519.pem");
    expect(refuses(w, "ed25519.pem", NULL),
           "/key: /somewhere/server.key holds an Ed25519 key, which mbedTLS cannot use; make another key, and a "
           "certificate for it: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out NEW.key");
    world_openssl(w, "genpkey", "-algorithm", "ED448", "-out", "ed448.pem");
    expect(refuses(w, "ed448.pem", NULL), "holds an Ed448 key, which mbedTLS cannot use");
    world_openssl(w, "genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "pss.pem");
    expect(refuses(w, "pss.pem", NULL), "holds a key for RSA-PSS alone, which mbedTLS cannot use; make another");
    world_openssl(w, "pkcs8", "-topk8", "-in", "ed25519.pem", "-out", "locked.pem", "-passout", "pass:open sesame");
    expect(refuses(w, "locked.pem", right), "holds an Ed25519 key");
    world_openssl(w, "pkcs8", "-topk8", "-in", "ed25519.pem", "-scrypt", "-out", "scrypt.pem", "-passout",
                  "pass:open sesame");
    expect(refuses(w, "scrypt.pem", right),
           "is encrypted in a way that cannot be undone here; convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in");
    world_write(w, "ssh.pem", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n");
    expect(refuses(w, "ssh.pem", NULL), "OpenSSH's own form; convert it: ssh-keygen -p -m PEM -f FILE");
    world_write(w, "dsa.pem", "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n");
    expect(refuses(w, "dsa.pem", NULL), "a private key of a kind that mbedTLS cannot use");
}

static void TLS_14_what_is_no_key(void **state)
{
    world *w = world_of(*state);
    write_identity(w);
    world_write(w, "text.pem", "hello\n");
    expect(refuses(w, "text.pem", NULL),
           "/key: /somewhere/server.key holds no private key: there is no line -----BEGIN PRIVATE KEY-----");
    world_write(w, "empty.pem", "");
    expect(refuses(w, "empty.pem", NULL), "holds no private key: there is no line");
    expect(refuses(w, "cert.pem", NULL), "holds a certificate and no private key: there is no line");
    world_write(w, "cut.pem", "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n");
    expect(refuses(w, "cut.pem", NULL), "holds no private key that can be read: ");
    world_write(w, "bad.pem", "-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n");
    expect(refuses(w, "bad.pem", NULL), "holds no private key that can be read: ");
    world_write(w, "der.key", "0\x82\x01");
    expect(refuses(w, "der.key", NULL), "holds no private key that can be read: ");
    world_openssl(w, "pkcs12", "-export", "-in", "cert.pem", "-inkey", "key.pem", "-out", "both.p12", "-passout",
                  "pass:x");
    expect(refuses(w, "both.p12", NULL), "is a PKCS #12 container; convert it: openssl pkcs12 -nodes -in FILE -out");
}

/* PBES2 cut off or changed anywhere: refused, and nothing worse. */
static void TLS_14_broken_encrypted_keys(void **state)
{
    world *w = world_of(*state);
    size_t size;
    write_identity(w);
    world_openssl(w, "pkcs8", "-topk8", "-in", "key.pem", "-outform", "DER", "-out", "locked.der", "-passout",
                  "pass:open sesame", "-iter", "10");
    const char *whole = world_read(w, "locked.der", &size);
    tls_settings server = world_server(w, "localhost");
    server.cert = world_material(w, world_read(w, "cert.pem", NULL), "/cert");
    server.passphrase = right;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 1; i < 2 * size; i += i < 130 ? 1 : 9) {
        memcpy(bytes, whole, size);
        bytes[i % size] = (char)(bytes[i % size] ^ (i < size ? 0x5A : 0x01));
        tls_report report = world_report(w);
        tls_credentials *made = NULL;
        server.key = (tls_material){.data = bytes, .size = i < size ? i : size, .pointer = server.cert.pointer};
        int status = weir__tls_engine.credentials_new(w->instance, &server, &report, &made);
        assert_true(status == 0 || status == WEIR_EINVALID_CONFIG);
        weir__tls_engine.credentials_free(made);
        weir__tls_report_end(&report);
    }
    free(bytes);
}

/* The same in memory of just this size, so that a look beyond the end is seen: each length, each byte by what breaks DER. */
static void TLS_14_encrypted_keys_are_read_within_their_bounds(void **state)
{
    static const unsigned char values[] = {0x00, 0x01, 0x02, 0x04, 0x06, 0x30, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF};
    world *w = world_of(*state);
    size_t size;
    size_t outcomes[5] = {0};
    write_identity(w);
    world_openssl(w, "pkcs8", "-topk8", "-in", "key.pem", "-outform", "DER", "-out", "locked.der", "-passout",
                  "pass:open sesame", "-iter", "10");
    const char *whole = world_read(w, "locked.der", &size);
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j <= sizeof(values); j++) {
            size_t length = j < sizeof(values) ? size : i;
            unsigned char *bytes = malloc(length ? length : 1);
            unsigned char *plain = NULL;
            size_t plain_size = 0;
            assert_non_null(bytes);
            memcpy(bytes, whole, length);
            if (j < sizeof(values))
                bytes[i] = values[j];
            /* With the passphrase now and then: what says how often may have become large. */
            mbed_pbes2 result = weir__mbed_pbes2(bytes, length, j % 4 ? NULL : right, &plain, &plain_size);
            outcomes[result]++;
            assert_true(plain == NULL || (result == MBED_PBES2_DONE && plain_size <= length));
            weir_free(plain);
            free(bytes);
        }
    }
    for (size_t i = 0; i < 5; i++)
        assert_true((outcomes[i] > 0) == (i != MBED_PBES2_NO_MEMORY));
}

/* ---- certificates ---- */

static void TLS_14_a_key_of_another_certificate(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    const mbed_cert *other = world_issue(w, &(wish){.host = "localhost"});
    static char cert_path[] = "/somewhere/server.pem";
    static char key_path[] = "/somewhere/other.key";
    server.key = world_material(w, other->key, "/key");
    server.cert.path = cert_path;
    server.key.path = key_path;
    assert_string_equal(world_refusal(w, &server), "/key: the private key in /somewhere/other.key is not that of the "
                                                   "certificate in /somewhere/server.pem");
}

static void TLS_14_what_is_no_certificate(void **state)
{
    static char path[] = "/somewhere/server.pem";
    world *w = world_of(*state);
    size_t size;
    tls_settings server = world_server(w, "localhost");
    server.cert = world_material(w, "hello", "/cert");
    server.cert.path = path;
    expect(world_refusal(w, &server),
           "/cert: /somewhere/server.pem holds no certificate: there is no line -----BEGIN CERTIFICATE-----");
    server.cert = world_material(w, "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n", "/cert");
    server.cert.path = path;
    expect(world_refusal(w, &server), "/cert: certificate 1 of /somewhere/server.pem cannot be read: ");
    world_openssl(w, "req", "-x509", "-newkey", "ED25519", "-nodes", "-subj", "/CN=localhost", "-keyout", "ed.key",
                  "-out", "ed.pem");
    const mbed_cert *good = world_issue(w, &(wish){.host = "localhost"});
    server.cert = world_material(w, fixture_text(w->f, "%s%s", good->cert, world_read(w, "ed.pem", NULL)), "/cert");
    server.cert.path = path;
    expect(world_refusal(w, &server),
           "certificate 2 of /somewhere/server.pem has an Ed25519 key, which mbedTLS cannot use; it has to be one");
    server.cert = world_material(w, world_read(w, "ed.pem", NULL), "/cert");
    expect(world_refusal(w, &server),
           "/cert: certificate 1 of the text has an Ed25519 key, which mbedTLS cannot use; it has to be one with an "
           "elliptic curve's key (P-256) or an RSA key; make another key, and a certificate for it: openssl genpkey "
           "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out NEW.key");
    world_write(w, "good.pem", good->cert);
    world_write(w, "good.key", good->key);
    world_openssl(w, "pkcs12", "-export", "-in", "good.pem", "-inkey", "good.key", "-out", "both.p12", "-passout",
                  "pass:x");
    const char *container = world_read(w, "both.p12", &size);
    server.cert = world_bytes(w, container, size, "/cert");
    expect(world_refusal(w, &server), "/cert: the text is a PKCS #12 container; convert it: openssl pkcs12 -nodes");
}

static void TLS_14_every_fault_is_told_at_once(void **state)
{
    static char unknown[] = "TLS_NONSENSE";
    static char curve[] = "x25518";
    char *ciphers[] = {unknown};
    char *groups[] = {curve};
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    server.cert = world_material(w, "hello", "/cert");
    server.ca = world_materials(w, "hello", "/ca");
    server.ca_count = 1;
    server.crl = world_materials(w, "hello", "/crl");
    server.crl_count = 1;
    server.ciphers = (tls_list){.items = ciphers, .count = 1};
    server.groups = (tls_list){.items = groups, .count = 1};
    const char *text = world_refusal(w, &server);
    expect(text, "/cert: the text holds no certificate");
    expect(text, "/ca: the text holds no certificate");
    expect(text, "/crl: the text holds no list of revoked certificates: there is no line -----BEGIN X509 CRL-----");
    expect(text, "/ciphers: TLS_NONSENSE is no cipher suite that is known by this IANA name");
    expect(text, "/groups: x25518 is no group that mbedTLS ");
    expect(text, "did you mean x25519");
}

/* A certificate that cannot be used does not hide what is wrong with the key. */
static void TLS_14_faults_of_a_pair_are_told_together(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    write_identity(w);
    world_openssl(w, "ec", "-in", "key.pem", "-aes256", "-out", "locked.pem", "-passout", "pass:open sesame");
    server.cert = world_material(w, "hello", "/cert");
    server.key = world_material(w, "hello", "/key");
    const char *text = world_refusal(w, &server);
    expect(text, "/cert: the text holds no certificate");
    expect(text, "/key: the text holds no private key");
    server.key = world_material(w, world_read(w, "locked.pem", NULL), "/key");
    server.passphrase = wrong;
    text = world_refusal(w, &server);
    expect(text, "/cert: the text holds no certificate");
    expect(text, "/key: the passphrase does not open the private key");
    /* where one file is to hold both, it is told once */
    server.key = server.cert;
    text = world_refusal(w, &server);
    expect(text, "/cert: the text holds no certificate");
    assert_null(strstr(text, "private key"));
}

static void TLS_14_certificates_and_keys_in_each_others_place(void **state)
{
    static char cert_path[] = "/somewhere/server.key", key_path[] = "/somewhere/server.pem";
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    write_identity(w);
    const char *cert = world_read(w, "cert.pem", NULL), *key = world_read(w, "key.pem", NULL);
    server.cert = world_material(w, key, "/cert");
    server.key = world_material(w, cert, "/key");
    server.cert.path = cert_path;
    server.key.path = key_path;
    assert_string_equal(world_refusal(w, &server),
                        "/cert: /somewhere/server.key holds a private key, and "
                        "/somewhere/server.pem a certificate: \"cert\" and \"key\" are swapped");
    server.key = world_material(w, key, "/key");
    assert_string_equal(world_refusal(w, &server),
                        "/cert: /somewhere/server.key holds a private key and no certificate: there is no line "
                        "-----BEGIN CERTIFICATE-----");
    server.cert = world_material(w, cert, "/cert");
    server.key = world_material(w, world_read(w, "cert.pem", NULL), "/key");
    expect(world_refusal(w, &server), "/key: the text holds a certificate and no private key: there is no line");
    server.key = server.cert; /* as where no key is given */
    assert_string_equal(world_refusal(w, &server),
                        "/cert: \"key\" is missing, and the text holds no private key: there is "
                        "no line -----BEGIN PRIVATE KEY-----");
}

/* What could not be read has been told: it is not missed, and nothing else passes because of it. */
static void TLS_14_incomplete_settings_are_looked_through(void **state)
{
    static char unknown[] = "TLS_NONSENSE";
    char *ciphers[] = {unknown};
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    tls_report report = world_report(w);
    tls_credentials *made = NULL;
    server.incomplete = 1;
    assert_code(weir__tls_engine.credentials_new(w->instance, &server, &report, &made), WEIR_EINVALID_CONFIG);
    server.key = (tls_material){0};
    assert_code(weir__tls_engine.credentials_new(w->instance, &server, &report, &made), WEIR_EINVALID_CONFIG);
    server.cert = (tls_material){0};
    assert_code(weir__tls_engine.credentials_new(w->instance, &server, &report, &made), WEIR_EINVALID_CONFIG);
    server.cert_is_around = 1; /* where it was told */
    assert_code(weir__tls_engine.credentials_new(w->instance, &server, &report, &made), WEIR_EINVALID_CONFIG);
    server.cert_is_around = 0;
    assert_int_equal(report.faults, 0);
    weir__tls_report_end(&report);
    server.ciphers = (tls_list){.items = ciphers, .count = 1};
    server.key = world_material(w, "hello", "/key");
    const char *text = world_refusal(w, &server);
    expect(text, "/key: the text holds no private key");
    expect(text, "/ciphers: TLS_NONSENSE is no cipher suite");
    assert_null(strstr(text, "/cert"));
}

static void TLS_14_a_server_without_anything_to_show(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    server.cert = server.key = (tls_material){0};
    expect(world_refusal(w, &server), "/cert: a server needs \"cert\" and \"key\", or a pre-shared key");
}

static void TLS_14_dates_and_orders_are_warned_of(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    assert_string_equal(world_warning(w, &server), "");
    world_identify(w, &server, &(wish){.host = "localhost", .from = -200000, .until = -100000});
    expect(world_warning(w, &server), "/cert: the certificate in the text expired on 20");
    world_identify(w, &server, &(wish){.host = "localhost", .from = 100000, .until = 200000});
    expect(world_warning(w, &server), "/cert: the certificate in the text is not valid before 20");
    const mbed_cert *leaf = world_issue(w, &(wish){.host = "localhost"});
    const mbed_cert *stranger = world_issue(w, &(wish){.subject = "CN=stranger", .is_authority = 1});
    server.cert = world_material(w, fixture_text(w->f, "%s%s", leaf->cert, stranger->cert), "/cert");
    server.key = world_material(w, leaf->key, "/key");
    expect(world_warning(w, &server), "/cert: certificate 2 of the text is not the issuer of the one before it");
}

/* Others refuse it; and so would this one. */
static void TLS_14_a_small_RSA_key_is_warned_of(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    world_openssl(w, "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=small", "-days", "2", "-keyout",
                  "small.key", "-out", "small.pem");
    world_openssl(w, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=large", "-days", "2", "-keyout",
                  "large.key", "-out", "large.pem");
    const char *small = world_read(w, "small.pem", NULL), *large = world_read(w, "large.pem", NULL);
    server.cert = world_material(w, small, "/cert");
    server.key = world_material(w, world_read(w, "small.key", NULL), "/key");
    expect(world_warning(w, &server),
           "/cert: certificate 1 of the text has an RSA key of 1024 bits: peers refuse fewer "
           "than 2048; make another key");
    server.cert = world_material(w, fixture_text(w->f, "%s%s", large, small), "/cert");
    server.key = world_material(w, world_read(w, "large.key", NULL), "/key");
    const char *text = world_warning(w, &server);
    expect(text, "/cert: certificate 2 of the text has an RSA key of 1024 bits");
    assert_null(strstr(text, "certificate 1 of the text has"));
}

static void TLS_10_a_certificate_that_does_not_bear_its_name(void **state)
{
    static const struct {
        const char *bears;
        const char *served;
        int good;
    } tried[] = {{"www.example.org", "WWW.example.org", 1},
                 {"*.example.org", "www.example.org", 1},
                 {"*.example.org", "*.example.org", 1},
                 {"www.example.org", "*.example.org", 0},
                 {"www.example.org", "ftp.example.org", 0}};
    world *w = world_of(*state);
    for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
        tls_settings server = world_server(w, tried[i].bears);
        char served[32];
        snprintf(served, sizeof(served), "%s", tried[i].served);
        server.served = served;
        const char *text = world_warning(w, &server);
        if (tried[i].good)
            assert_string_equal(text, "");
        else
            expect(text, fixture_text(w->f,
                                      ": the certificate in the text is not for %s, but for DNS:www.example.org: who "
                                      "verifies it refuses it; give \"cert\" and \"key\" of this name",
                                      served));
    }
    tls_settings server = world_server(w, NULL); /* it bears none */
    char served[] = "a.example";
    server.served = served;
    expect(world_warning(w, &server), ": the certificate in the text is not for a.example: who verifies it refuses it");
}

static void TLS_14_a_system_bundle_may_hold_what_cannot_be_read(void **state)
{
    world *w = world_of(*state);
    tls_settings client = world_client(w);
    const char *bundle = fixture_text(w->f, "%s-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n%s",
                                      "words\n", world_authority()->cert);
    client.ca = world_materials(w, bundle, "/ca");
    expect(world_refusal(w, &client), "/ca: certificate 1 of the text cannot be read");
    client.ca_is_system = 1;
    tls_settings server = world_server(w, "localhost");
    talk_handshake(world_talk(w, &client, &server, NULL, NULL));
}

/* ---- lists ---- */

static tls_list list_of(world *w, const char *const *names, size_t count)
{
    tls_list list = {.items = malloc(count * sizeof(char *)), .count = count};
    assert_non_null(list.items);
    w->kept[w->kept_count++] = list.items;
    for (size_t i = 0; i < count; i++)
        list.items[i] = (char *)(uintptr_t)fixture_text(w->f, "%s", names[i]);
    return list;
}

#define LIST(w, ...) \
    list_of((w), (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void TLS_13_unknown_suites_name_the_nearest(void **state)
{
    static const char *const cases[][2] = {
        {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265", "did you mean TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
        {"ECDHE-RSA-AES128-GCM-SHA256", "did you mean TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256?"},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", "did you mean TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
        {"TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384", "did you mean TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384?"},
        {"tls_aes_128_gcm_sha256", "did you mean TLS_AES_128_GCM_SHA256"},
        {"CHACHA20", "did you mean TLS_CHACHA20_POLY1305_SHA256 or TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256?"},
        {"HIGH", "; usual are TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and "
                 "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, and the README of tls lists all"},
        {"TLS_NULL_WITH_NULL_NULL", "; usual are TLS_AES_128_GCM_SHA256"},
    };
    world *w = world_of(*state);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tls_settings server = world_server(w, "localhost");
        server.ciphers = LIST(w, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", cases[i][0]);
        expect(world_refusal(w, &server), cases[i][1]);
    }
    tls_settings server = world_server(w, "localhost");
    /* A name that is longer than any. */
    char longest[400];
    memset(longest, 'A', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    server.ciphers = LIST(w, longest);
    expect(world_refusal(w, &server), "is no cipher suite");
}

#define FIRST_GROUPS "x25519 (X25519), secp256r1 (P-256, prime256v1), secp384r1 (P-384), secp521r1 (P-521), "

static void TLS_13_unknown_groups_name_all(void **state)
{
    static const char *const cases[][2] = {
        {"p384", " knows; known are " FIRST_GROUPS},
        {"p384", "secp256k1; did you mean P-384?"},
        {"secp384", "; did you mean secp384r1"},
        {"brainpool", "; did you mean brainpoolP256r1 or brainpoolP384r1?"},
        {"foo", " knows; known are " FIRST_GROUPS},
        {"foo", "brainpoolP256r1, brainpoolP384r1, brainpoolP512r1, secp256k1"},
    };
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        server.groups = LIST(w, "secp256r1", cases[i][0]);
        expect(world_refusal(w, &server), cases[i][1]);
    }
#if !MBED_3
    /* Only what is known is suggested. */
    server.groups = LIST(w, "x448");
    assert_null(strstr(world_refusal(w, &server), "X448"));
#endif
}

static void TLS_13_faults_stand_at_the_element(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    server.ciphers = LIST(w, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "BLAH");
    server.groups = LIST(w, "foo", "secp256r1", "bar");
    const char *text = world_refusal(w, &server);
    expect(text, "/ciphers: BLAH is no");
    expect(text, "/groups: bar is no");
    server.ciphers.is_array = server.groups.is_array = 1;
    text = world_refusal(w, &server);
    expect(text, "/ciphers/1: BLAH is no");
    expect(text, "/groups/0: foo is no");
    expect(text, "/groups/2: bar is no");
}

/* Each that the README lists is known. */
static void TLS_13_the_README_lists_the_suites(void **state)
{
    enum { SUITES = 41 };
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    char text[65536] = {0};
    size_t listed = 0;
    FILE *file = fopen(WEIR_TEST_SOURCE "/plugins/tls/README.md", "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    char *from = strstr(text, "`ciphers` knows these"), *rest = NULL;
    assert_non_null(from);
    char *end = strstr(from, "## Codes");
    assert_non_null(end);
    *end = '\0';
    for (const char *word = strtok_r(from, "`", &rest); word; word = strtok_r(NULL, "`", &rest)) {
        if (strncmp(word, "TLS_", 4) != 0)
            continue;
        server.ciphers = LIST(w, word, "NONSENSE");
        assert_null(strstr(world_refusal(w, &server), fixture_text(w->f, "%s is no cipher suite", word)));
        listed++;
    }
    assert_int_equal(listed, SUITES);
}

static void TLS_13_the_first_suite_of_the_list_is_used(void **state)
{
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    server.ciphers =
        LIST(w, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    talk_handshake(t);
    assert_string_equal(end_text(&t->client, "tls.cipher"), "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    client.ciphers = LIST(w, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    talk_refused(world_talk(w, &client, &server, NULL, NULL));
}

static void TLS_13_suites_that_do_not_go_with_the_key(void **state)
{
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    tls_settings server = world_server(w, "localhost");
    server.ciphers = LIST(w, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    expect(world_refusal(w, &server),
           "/ciphers: none of these cipher suites goes with the certificate, which has an elliptic curve's key");
    server.ciphers = LIST(w, "TLS_PSK_WITH_AES_128_GCM_SHA256");
    expect(world_refusal(w, &server), "none of these cipher suites goes with the certificate");
}

static void TLS_13_suites_and_versions(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    server.ciphers = LIST(w, "TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    if (w->newest == TLS_VERSION_12) {
        expect(world_warning(w, &server), "/ciphers: TLS_AES_256_GCM_SHA384 is passed over: mbedTLS 2.28");
        server.ciphers = LIST(w, "TLS_AES_256_GCM_SHA384");
        expect(world_refusal(w, &server), "/ciphers: none of these cipher suites is left");
        server.ciphers.count = 0;
        server.min_version = TLS_VERSION_13;
        expect(world_refusal(w, &server), "/minVersion: TLS 1.3 is not in mbedTLS 2.28");
        return;
    }
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    talk_handshake(t);
    assert_string_equal(end_text(&t->client, "tls.cipher"), "TLS_AES_256_GCM_SHA384");
    /* Without a suite of a version that version is not spoken. */
    server.ciphers = LIST(w, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    t = world_talk(w, &client, &server, NULL, NULL);
    talk_handshake(t);
    assert_string_equal(end_text(&t->client, "tls.version"), "TLSv1.2");
    server.min_version = TLS_VERSION_13;
    expect(world_refusal(w, &server), "/ciphers: none of these cipher suites is of TLS 1.3, which alone is allowed");
    server.min_version = TLS_VERSION_12;
    server.ciphers = LIST(w, "TLS_CHACHA20_POLY1305_SHA256");
    t = world_talk(w, &client, &server, NULL, NULL);
    talk_handshake(t);
    assert_string_equal(end_text(&t->server, "tls.cipher"), "TLS_CHACHA20_POLY1305_SHA256");
    server.max_version = TLS_VERSION_12;
    expect(world_refusal(w, &server), "/ciphers: none of these cipher suites is of TLS 1.2, which alone is allowed");
}

static void TLS_13_versions_that_contradict_each_other(void **state)
{
    world *w = world_of(*state);
    if (w->newest == TLS_VERSION_12)
        skip();
    tls_settings server = world_server(w, "localhost");
    server.min_version = TLS_VERSION_13;
    server.max_version = TLS_VERSION_12;
    expect(world_refusal(w, &server), "/maxVersion: this is below minVersion");
}

static void TLS_13_groups(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings server = world_server(w, "localhost");
        tls_settings client = world_client(w);
        client.groups = LIST(w, "secp384r1", "secp256r1");
        server.groups = LIST(w, "P-256", "secp384r1");
        talk_handshake(world_talk(w, &client, &server, NULL, NULL));
        client.groups = LIST(w, "secp521r1");
        talk_refused(world_talk(w, &client, &server, NULL, NULL));
    }
}

static void TLS_13_groups_that_leave_no_curve_for_the_certificate(void **state)
{
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    tls_settings server = world_server(w, "localhost");
    tls_settings client = world_client(w);
    server.groups = LIST(w, "x25519");
    expect(world_warning(w, &server), "/groups: the certificate's own curve, secp256r1, is not among these: with TLS "
                                      "1.2 it may not be taken");
    client.groups = LIST(w, "x25519");
    expect(world_warning(w, &client), "/groups: none of these is a curve of certificates");
    server = world_server(w, "localhost");
    talk_refused(world_talk(w, &client, &server, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_14_keys_under_a_passphrase),
        WORLD_TEST(TLS_14_keys_of_the_old_form_under_a_passphrase),
        WORLD_TEST(TLS_14_plain_keys_of_every_form),
        WORLD_TEST(TLS_14_RSA_keys),
        WORLD_TEST(TLS_14_keys_of_other_kinds_name_what_helps),
        WORLD_TEST(TLS_14_what_is_no_key),
        WORLD_TEST(TLS_14_broken_encrypted_keys),
        WORLD_TEST(TLS_14_encrypted_keys_are_read_within_their_bounds),
        WORLD_TEST(TLS_14_a_key_of_another_certificate),
        WORLD_TEST(TLS_14_what_is_no_certificate),
        WORLD_TEST(TLS_14_every_fault_is_told_at_once),
        WORLD_TEST(TLS_14_faults_of_a_pair_are_told_together),
        WORLD_TEST(TLS_14_certificates_and_keys_in_each_others_place),
        WORLD_TEST(TLS_14_incomplete_settings_are_looked_through),
        WORLD_TEST(TLS_14_a_server_without_anything_to_show),
        WORLD_TEST(TLS_14_dates_and_orders_are_warned_of),
        WORLD_TEST(TLS_14_a_small_RSA_key_is_warned_of),
        WORLD_TEST(TLS_10_a_certificate_that_does_not_bear_its_name),
        WORLD_TEST(TLS_14_a_system_bundle_may_hold_what_cannot_be_read),
        WORLD_TEST(TLS_13_unknown_suites_name_the_nearest),
        WORLD_TEST(TLS_13_unknown_groups_name_all),
        WORLD_TEST(TLS_13_faults_stand_at_the_element),
        WORLD_TEST(TLS_13_the_README_lists_the_suites),
        WORLD_TEST(TLS_13_the_first_suite_of_the_list_is_used),
        WORLD_TEST(TLS_13_suites_that_do_not_go_with_the_key),
        WORLD_TEST(TLS_13_suites_and_versions),
        WORLD_TEST(TLS_13_versions_that_contradict_each_other),
        WORLD_TEST(TLS_13_groups),
        WORLD_TEST(TLS_13_groups_that_leave_no_curve_for_the_certificate),
    };
    return cmocka_run_group_tests_name("material", tests, NULL, NULL);
}
