/* SPDX-License-Identifier: MIT */
/* What comes damaged, cut off or contradicting itself: keys, certificates, lists, sessions, alerts. Each is told, or passed over. */
#define _GNU_SOURCE

#include "engine_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/tls/mbedtls/mbed.h"
#include "plugins/tls/mbedtls/pbes2.h"

static void expect(const char *says, const char *wanted)
{
    if (!strstr(says, wanted))
        fail_msg("%s", says);
}

/* ---- DER ---- */

typedef struct der {
    unsigned char bytes[2048];
    size_t size;
} der;

static der join(der one, der other)
{
    assert_true(one.size + other.size <= sizeof(one.bytes));
    memcpy(one.bytes + one.size, other.bytes, other.size);
    one.size += other.size;
    return one;
}

static der element(int tag, der content)
{
    const size_t size = content.size;
    der made = {.bytes = {(unsigned char)tag, 0x82, (unsigned char)(size >> 8), (unsigned char)size}, .size = 4};
    return join(made, content);
}

static der raw(const void *bytes, size_t size)
{
    der made = {.size = size};
    memcpy(made.bytes, bytes, size);
    return made;
}

#define RAW(text)          raw((text), sizeof(text) - 1)
#define ELEMENT(tag, text) element((tag), RAW(text))

enum { INTEGER = 0x02, OCTETS = 0x04, NOTHING = 0x05, NAME = 0x06, SEQUENCE = 0x30 };

/* ---- keys under a passphrase ---- */

/* Of an EncryptedPrivateKeyInfo by PBES2. */
typedef struct locked {
    der scheme;
    der derivation;
    der salt;
    der iterations;
    der length; /* of the key; nothing: not said */
    der hash;
    der cipher;
    der vector;
} locked;

static locked sound(void)
{
    return (locked){
        .scheme = ELEMENT(NAME, "\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D"),
        .derivation = ELEMENT(NAME, "\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C"),
        .salt = ELEMENT(OCTETS, "saltsalt"),
        .iterations = ELEMENT(INTEGER, "\x0A"),
        .length = ELEMENT(INTEGER, "\x20"),
        .hash = element(SEQUENCE, join(ELEMENT(NAME, "\x2A\x86\x48\x86\xF7\x0D\x02\x09"), ELEMENT(NOTHING, ""))),
        .cipher = ELEMENT(NAME, "\x60\x86\x48\x01\x65\x03\x04\x01\x2A"),
        .vector = ELEMENT(OCTETS, "0123456789abcdef")};
}

static der spell(locked from)
{
    der parameters = element(SEQUENCE, join(join(from.salt, from.iterations), join(from.length, from.hash)));
    der derivation = element(SEQUENCE, join(from.derivation, parameters));
    der cipher = element(SEQUENCE, join(from.cipher, from.vector));
    der scheme = element(SEQUENCE, join(from.scheme, element(SEQUENCE, join(derivation, cipher))));
    return element(SEQUENCE, join(scheme, ELEMENT(OCTETS, "sixteen bytes in two blocks here")));
}

static const char *refuses_key(world *w, der key)
{
    static char passphrase[] = "open sesame";
    tls_settings server = world_server(w, "localhost");
    server.key = world_bytes(w, key.bytes, key.size, "/key");
    server.passphrase = passphrase;
    return world_refusal(w, &server);
}

static const char unknown[] = "/key: the private key in the text is encrypted in a way that cannot be undone here; "
                              "convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.key -out NEW.key";

static void TLS_14_encrypted_keys_with_odd_parts(void **state)
{
    world *w = world_of(*state);
    locked odd[14];
    size_t count = sizeof(odd) / sizeof(odd[0]);
    for (size_t i = 0; i < count; i++)
        odd[i] = sound();
    odd[0].salt = ELEMENT(INTEGER, "\x01");
    odd[1].iterations = ELEMENT(OCTETS, "\x0A");
    odd[2].iterations = ELEMENT(INTEGER, "\x00");
    odd[3].iterations = ELEMENT(INTEGER, "\x05\xF5\xE1\x01"); /* one more than is tried */
    odd[4].length = ELEMENT(INTEGER, "\x01\x02\x03\x04\x05\x06\x07\x08\x09");
    odd[5].hash = ELEMENT(OCTETS, "SHA-256");
    odd[6].hash = element(SEQUENCE, ELEMENT(NOTHING, ""));
    odd[7].hash = element(SEQUENCE, ELEMENT(NAME, "\x2A\x03"));
    odd[8].derivation = ELEMENT(NAME, "\x2A\x03");
    odd[9].cipher = ELEMENT(NAME, "\x2A\x03");
    odd[10].cipher = ELEMENT(OCTETS, "AES");
    odd[11].vector = ELEMENT(OCTETS, "01234567"); /* of another block */
    odd[12].vector = ELEMENT(INTEGER, "\x01");
    odd[13].cipher = ELEMENT(NAME, "\x2A\x86\x48\x86\xF7\x0D\x03\x07"); /* DES, and AES's vector */
    for (size_t i = 0; i < count; i++) {
        if (strcmp(refuses_key(w, spell(odd[i])), unknown) != 0)
            fail_msg("part %zu: %s", i, refuses_key(w, spell(odd[i])));
    }
    assert_string_equal(refuses_key(w, spell(sound())),
                        "/key: the passphrase does not open the private key in the text");
}

static void TLS_14_encrypted_keys_whose_parts_are_no_sequences(void **state)
{
    world *w = world_of(*state);
    const der text = ELEMENT(OCTETS, "encrypted");
    const der scheme = sound().scheme;
    const der derivation = element(SEQUENCE, sound().derivation);
    const der inside[] = {
        ELEMENT(OCTETS, "no sequence"),
        element(SEQUENCE, ELEMENT(OCTETS, "no derivation")),
        element(SEQUENCE, join(derivation, ELEMENT(OCTETS, "no cipher"))),
        element(SEQUENCE, join(derivation, element(SEQUENCE, sound().cipher))),
    };
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        const der whole = element(SEQUENCE, join(element(SEQUENCE, join(scheme, inside[i])), text));
        assert_string_equal(refuses_key(w, whole), unknown);
    }
}

/* Two keys, one of them is not given: the certificate alone does not do. */
static void TLS_14_a_certificate_without_its_key(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    server.key = (tls_material){.data = NULL};
    assert_string_equal(world_refusal(w, &server), "/key: a certificate without its private key");
}

static void try_locked(void *arg)
{
    const der key = spell(sound());
    unsigned char *plain = NULL;
    size_t size = 0;
    (void)arg;
    mbed_pbes2 found = weir__mbed_pbes2(key.bytes, key.size, "open sesame", &plain, &size);
    assert_int_equal(found, allocator_failures() ? MBED_PBES2_NO_MEMORY : MBED_PBES2_WRONG);
    assert_null(plain);
}

static void try_key(void *arg)
{
    const world_attempt *attempt = arg;
    tls_report report = world_report(attempt->w);
    tls_credentials *made = NULL;
    int status = weir__tls_engine.credentials_new(attempt->w->instance, &attempt->server, &report, &made);
    assert_null(made);
    int failed = allocator_failures() > 0;
    assert_true(status == WEIR_EINVALID_CONFIG || (status == UV_ENOMEM && failed));
    assert_true(status == UV_ENOMEM || report.faults == 1);
    weir__tls_report_end(&report);
}

static void TLS_14_an_encrypted_key_without_memory(void **state)
{
    static char passphrase[] = "open sesame";
    const der key = spell(sound());
    world *w = world_of(*state);
    world_attempt attempt = {.w = w, .server = world_server(w, "localhost")};
    attempt.server.key = world_bytes(w, key.bytes, key.size, "/key");
    attempt.server.passphrase = passphrase;
    assert_int_equal(allocator_fail_each(try_locked, NULL), 2);
    assert_true(allocator_fail_each(try_key, &attempt) > 3);
}

/* ---- lists, versions ---- */

static void TLS_09_a_list_of_revocations_that_cannot_be_read(void **state)
{
    static const char list[] = "-----BEGIN X509 CRL-----\nMAAA\n-----END X509 CRL-----\n";
    static const unsigned char binary[] = {0x30, 0x03, 0x02, 0x01, 0x01};
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    server.crl = world_materials(w, list, "/crl");
    server.crl_count = 1;
    expect(world_refusal(w, &server), "/crl: the text is no list of revoked certificates that can be read: ");
    *server.crl = world_bytes(w, binary, sizeof(binary), "/crl");
    expect(world_refusal(w, &server), "/crl: the text is no list of revoked certificates that can be read: ");
}

/* Of an authority whose name is longer than can be told, and which nobody trusts. */
static void TLS_09_a_list_of_revocations_whose_issuer_cannot_be_told(void **state)
{
    enum { UTF8 = 0x0C, TIME = 0x17, BITS = 0x03, SET = 0x31, PARTS = 4, LENGTH = 200 };
    world *w = world_of(*state);
    const der algorithm = element(SEQUENCE, ELEMENT(NAME, "\x2A\x86\x48\xCE\x3D\x04\x03\x02"));
    der part = {.size = LENGTH};
    der issuer = {.size = 0};
    memset(part.bytes, 'a', LENGTH);
    part = element(SET, element(SEQUENCE, join(ELEMENT(NAME, "\x55\x04\x0A"), element(UTF8, part))));
    for (int i = 0; i < PARTS; i++)
        issuer = join(issuer, part);
    const der times = join(ELEMENT(TIME, "200101000000Z"), ELEMENT(TIME, "491231235959Z"));
    const der inside = element(SEQUENCE, join(join(algorithm, element(SEQUENCE, issuer)), times));
    const der list = element(SEQUENCE, join(join(inside, algorithm), ELEMENT(BITS, "\0signature")));
    tls_settings client = world_client(w);
    tls_material crl = world_bytes(w, list.bytes, list.size, "/crl");
    client.crl = &crl;
    client.crl_count = 1;
    expect(world_warning(w, &client), "the list of revoked certificates of its issuer is in force only where a peer");
}

static void TLS_13_a_version_that_the_library_has_no_more(void **state)
{
    world *w = world_of(*state);
    tls_settings server = world_server(w, "localhost");
    server.max_version = TLS_VERSION_12 - 1;
    assert_string_equal(world_refusal(w, &server), "/maxVersion: this is below minVersion");
}

static void TLS_13_suites_without_a_name(void **state)
{
    (void)state;
    assert_string_equal(weir__mbed_suite_name("unknown"), "");
    assert_string_equal(weir__mbed_suite_name(NULL), "");
    assert_int_equal(weir__mbed_suite_is_psk("unknown"), 0);
}

/* ---- certificates ---- */

/* Of the first version, which has no extensions; signed by itself. */
static char *old_certificate(world *w, char *pem, size_t room)
{
    const mbed_cert *any = world_issue(w, &(wish){.subject = "CN=localhost"});
    const unsigned char *text = (const unsigned char *)any->key;
    mbedtls_x509write_cert writer;
    mbedtls_pk_context key;
    unsigned char serial[] = {1};
    mbedtls_pk_init(&key);
    mbedtls_x509write_crt_init(&writer);
#if MBED_3
    assert_int_equal(mbedtls_pk_parse_key(&key, text, strlen(any->key) + 1, NULL, 0, weir__mbed_random, w->instance),
                     0);
    assert_int_equal(mbedtls_x509write_crt_set_serial_raw(&writer, serial, sizeof(serial)), 0);
#else
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    assert_int_equal(mbedtls_pk_parse_key(&key, text, strlen(any->key) + 1, NULL, 0), 0);
    assert_int_equal(mbedtls_mpi_lset(&number, serial[0]), 0);
    assert_int_equal(mbedtls_x509write_crt_set_serial(&writer, &number), 0);
    mbedtls_mpi_free(&number);
#endif
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_1);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, &key);
    mbedtls_x509write_crt_set_issuer_key(&writer, &key);
    assert_int_equal(mbedtls_x509write_crt_set_subject_name(&writer, "CN=localhost"), 0);
    assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&writer, "CN=localhost"), 0);
    assert_int_equal(mbedtls_x509write_crt_set_validity(&writer, "20200101000000", "20491231235959"), 0);
    assert_int_equal(mbedtls_x509write_crt_pem(&writer, (unsigned char *)pem, room, weir__mbed_random, w->instance), 0);
    mbedtls_x509write_crt_free(&writer);
    mbedtls_pk_free(&key);
    return any->key;
}

static void TLS_08_a_certificate_without_extensions_has_its_common_name(void **state)
{
    char pem[4096];
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        const tls_session_options other = {.name = "example.org"};
        tls_settings client = world_client(w);
        tls_settings server = world_server(w, "localhost");
        server.key = world_material(w, old_certificate(w, pem, sizeof(pem)), "/key");
        server.cert = world_material(w, pem, "/cert");
        client.ca = world_materials(w, pem, "/ca");
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->client, "tls.authorized"), 1);
        assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=localhost");
        assert_string_equal(end_text(&t->client, "tls.peer.san"), "");
        t = world_talk(w, &client, &server, &other, NULL);
        talk_refused(t);
        assert_string_equal(end_text(&t->client, "tls.authorizationError"), "ERR_TLS_CERT_ALTNAME_INVALID");
    }
}

/* The names are read by the engine itself, whatever the library has let pass: no damage is a name that nobody wrote. */
static void TLS_08_damaged_names_are_nobodys(void **state)
{
    world *w = world_of(*state);
    const mbed_cert *issued =
        world_issue(w, &(wish){.host = "a.example.org", .second = "127.0.0.1", .subject = "CN=b.example.org"});
    mbedtls_x509_crt parsed;
    unsigned refused = 0;
    mbedtls_x509_crt_init(&parsed);
    assert_int_equal(mbedtls_x509_crt_parse(&parsed, (const unsigned char *)issued->cert, strlen(issued->cert) + 1), 0);
    assert_int_equal(weir__mbed_names(&parsed, "a.example.org", 0), 1);
    assert_int_equal(weir__mbed_names(&parsed, "b.example.org", 0), 0);
    for (size_t i = 0; i < parsed.v3_ext.len; i++) {
        const unsigned char whole = parsed.v3_ext.p[i];
        for (unsigned value = 0; value < 256; value += 5) {
            parsed.v3_ext.p[i] = (unsigned char)value;
            refused += !weir__mbed_names(&parsed, "a.example.org", 0);
            assert_int_equal(weir__mbed_names(&parsed, "c.example.org", 0), 0);
            weir_free(weir__mbed_san_text(&parsed));
        }
        parsed.v3_ext.p[i] = whole;
    }
    for (size_t size = parsed.v3_ext.len; size-- > 0;) { /* cut off anywhere */
        parsed.v3_ext.len = size;
        assert_int_equal(weir__mbed_names(&parsed, "c.example.org", 0), 0);
        weir_free(weir__mbed_san_text(&parsed));
    }
    assert_true(refused > 0);
    mbedtls_x509_crt_free(&parsed);
}

/* The library writes no more of a name than fits: then it goes without. */
static void TLS_07_an_issuer_whose_name_is_too_long_to_be_told(void **state)
{
    static const char *const kinds[] = {"O", "OU", "L", "ST"};
    char subject[1024] = "CN=long";
    world *w = world_of(*state);
    for (size_t i = 0; i < 4; i++) {
        size_t length = strlen(subject);
        snprintf(subject + length, sizeof(subject) - length, ",%s=%0150d", kinds[i], 0);
    }
    const mbed_cert *issuer = world_issue(w, &(wish){.subject = subject, .is_authority = 1, .self_signed = 1});
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings server = world_server(w, "localhost");
        world_identify(w, &server, &(wish){.host = "localhost", .subject = "CN=server", .issuer = issuer});
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_refused(t);
        assert_string_equal(end_error(&t->client),
                            "UNABLE_TO_VERIFY_LEAF_SIGNATURE: the certificate of CN=server was issued by its issuer, "
                            "which is neither sent along nor trusted (ca)");
    }
}

/* Found behind the chain: whoever lets everybody in still knows why somebody should not have been. */
static void TLS_07_a_purpose_that_is_another_one_is_known_where_it_does_not_count(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        tls_settings client = world_client(w);
        tls_settings server = world_server(w, "localhost");
        const mbed_cert *identity = world_issue(w, &(wish){.subject = "CN=client", .uses = MBED_FOR_SERVER});
        client.cert = world_material(w, identity->cert, "/cert");
        client.key = world_material(w, identity->key, "/key");
        server.ca = world_materials(w, world_authority()->cert, "/ca");
        server.ca_count = 1;
        server.request_cert = 1;
        server.reject_unauthorized = 0;
        talk *t = world_talk(w, &client, &server, NULL, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->server, "tls.authorized"), 0);
        assert_string_equal(end_text(&t->server, "tls.authorizationError"), "INVALID_PURPOSE");
        assert_string_equal(end_text(&t->server, "tls.peer.subject"), "CN=client");
    }
}

/* ---- sessions ---- */

static void TLS_16_who_has_shown_nothing_has_no_certificate(void **state)
{
    world *w = world_of(*state);
    const void *bytes = NULL;
    size_t size = 0;
    const tls_settings client = world_client(w);
    const tls_settings server = world_server(w, "localhost");
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    assert_code(weir__tls_engine.peer_der(t->client.session, &bytes, &size), UV_ENOENT);
    talk_handshake(t);
    assert_code(weir__tls_engine.peer_der(t->client.session, &bytes, &size), 0);
    assert_true(size > 100);
    assert_code(weir__tls_engine.peer_der(t->server.session, &bytes, &size), UV_ENOENT);
}

static void an_alert_without_a_name_is_told_by_its_number(void **state)
{
    static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 99};
    world *w = world_of(*state);
    const tls_settings client = world_client(w);
    const tls_settings server = world_server(w, "localhost");
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    assert_int_equal(world_host.send(&t->server, alert, sizeof(alert)), 0);
    t->server.result = TLS_DONE; /* it says nothing more */
    talk_run(t);
    assert_int_equal(t->client.result, TLS_FAILED);
    assert_code(t->client.error->code, UV_EPROTO);
    assert_string_equal(end_error(&t->client), "the TLS handshake failed: the peer refused by the alert 99");
}

/* A client that has changed its keys already, and refuses the server without using them. */
static void an_alert_in_the_clear_is_told_though_it_should_be_sealed(void **state)
{
    static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 42};
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    const tls_settings client = world_client(w);
    const tls_settings server = world_server(w, "localhost");
    talk *t = world_talk(w, &client, &server, NULL, NULL);
    talk_end *ends[] = {&t->client, &t->server, &t->client};
    weir_error *error = NULL;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(weir__tls_engine.handshake(ends[i]->session, &error), TLS_WANT_READ);
    size_t at = t->server.in_at;
    while (t->server.in[at] != 20) /* ChangeCipherSpec */
        at += 5 + ((size_t)t->server.in[at + 3] << 8 | t->server.in[at + 4]);
    t->server.in_size = at + 6; /* in place of its Finished: */
    assert_int_equal(world_host.send(&t->client, alert, sizeof(alert)), 0);
    assert_int_equal(weir__tls_engine.handshake(t->server.session, &error), TLS_FAILED);
    assert_code(error->code, UV_EPROTO);
    assert_string_equal(error->message, "the TLS handshake failed: the peer refused by the alert bad_certificate (42)");
    weir_error_release(error);
}

/* A blob of TLS 1.3 brings the server's certificate; in one of 1.2, where it is the session's own, a place is left for it. */
static tls_session_options with_certificate(world *w, talk_end *end, const tls_settings *server)
{
    const tls_session_options kept = end_resume(end, "localhost");
    const unsigned char *bytes = kept.resume;
    /* format, release, three times, a flag, the binding, the suites, the name, no code */
    const size_t at = 6 * 8 + 2 * TLS_DIGEST_SIZE + 8 + strlen("localhost") + 8;
    assert_memory_equal(bytes + at - 8 - strlen("localhost"), "localhost", strlen("localhost"));
    static unsigned char changed[WORLD_TEXT];
    mbedtls_x509_crt parsed;
    (void)w;
    mbedtls_x509_crt_init(&parsed);
    assert_int_equal(mbedtls_x509_crt_parse(&parsed, (const unsigned char *)server->cert.data, server->cert.size + 1),
                     0);
    if (bytes[at + 6] != 0 || bytes[at + 7] != 0) {
        mbedtls_x509_crt_free(&parsed);
        return kept;
    }
    memcpy(changed, bytes, at + 8);
    changed[at + 6] = (unsigned char)(parsed.raw.len >> 8);
    changed[at + 7] = (unsigned char)parsed.raw.len;
    memcpy(changed + at + 8, parsed.raw.p, parsed.raw.len);
    memcpy(changed + at + 8 + parsed.raw.len, bytes + at + 8, kept.resume_size - at - 8);
    const size_t size = kept.resume_size + parsed.raw.len;
    mbedtls_x509_crt_free(&parsed);
    return (tls_session_options){.name = "localhost", .resume = changed, .resume_size = size};
}

static void TLS_12_a_session_whose_certificate_cannot_be_kept_is_not_resumed(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        const tls_settings client = world_client(w);
        const tls_settings server = world_server(w, "localhost");
        tls_credentials *of_client = world_credentials(w, &client);
        tls_credentials *of_server = world_credentials(w, &server);
        char byte;
        size_t done;
        talk *t = world_talk_with(w, of_client, &client, of_server, &server, NULL, NULL);
        talk_handshake(t);
        end_reads(&t->client, &byte, 1, &done);
        const tls_session_options options = with_certificate(w, &t->client, &server);
        unsigned resumed[2] = {0, 0};
        size_t failures = 1;
        for (size_t nth = 1; failures > 0; nth++) {
            talk_end end = {.talk = t};
            allocator_fail(nth, 0);
            end.session = weir__tls_engine.session_new(of_client, &options, &world_host, &end);
            failures = allocator_failures();
            allocator_fail(0, 0);
            if (end.session) {
                resumed[failures > 0] += weir__mbed_is_resumed(end.session) != 0;
            }
            weir__tls_engine.session_free(end.session);
        }
        assert_int_equal(resumed[0], 1);
        assert_int_equal(resumed[1], 0);
        t = world_talk_with(w, of_client, &client, of_server, &server, &options, NULL);
        talk_handshake(t);
        assert_int_equal(end_flag(&t->client, "tls.resumed"), 1);
        assert_string_equal(end_text(&t->client, "tls.peer.subject"), "CN=server");
    }
}

static void try_talk(void *arg)
{
    assert_true(world_try(arg) || allocator_failures() > 0);
}

/* Sessions in a server's cache, and protocols that a client offers. */
static void TLS_11_TLS_12_conversations_by_ids_without_memory(void **state)
{
    static char protocol[] = "h2";
    char *protocols[] = {protocol};
    world *w = world_of(*state);
    w->now_version = TLS_VERSION_12;
    world_attempt attempt = {.w = w, .server = world_server(w, "localhost"), .client = world_client(w)};
    attempt.client.tickets = 0;
    attempt.client.alpn = (tls_list){.items = protocols, .count = 1};
    attempt.resume = (tls_session_options){.name = "localhost"};
    assert_true(allocator_fail_each(try_talk, &attempt) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(TLS_14_encrypted_keys_with_odd_parts),
        WORLD_TEST(TLS_14_encrypted_keys_whose_parts_are_no_sequences),
        WORLD_TEST(TLS_14_a_certificate_without_its_key),
        WORLD_TEST(TLS_14_an_encrypted_key_without_memory),
        WORLD_TEST(TLS_09_a_list_of_revocations_that_cannot_be_read),
        WORLD_TEST(TLS_09_a_list_of_revocations_whose_issuer_cannot_be_told),
        WORLD_TEST(TLS_13_a_version_that_the_library_has_no_more),
        WORLD_TEST(TLS_13_suites_without_a_name),
        WORLD_TEST(TLS_08_a_certificate_without_extensions_has_its_common_name),
        WORLD_TEST(TLS_08_damaged_names_are_nobodys),
        WORLD_TEST(TLS_07_an_issuer_whose_name_is_too_long_to_be_told),
        WORLD_TEST(TLS_07_a_purpose_that_is_another_one_is_known_where_it_does_not_count),
        WORLD_TEST(TLS_16_who_has_shown_nothing_has_no_certificate),
        WORLD_TEST(an_alert_without_a_name_is_told_by_its_number),
        WORLD_TEST(an_alert_in_the_clear_is_told_though_it_should_be_sealed),
        WORLD_TEST(TLS_12_a_session_whose_certificate_cannot_be_kept_is_not_resumed),
        WORLD_TEST(TLS_11_TLS_12_conversations_by_ids_without_memory),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
