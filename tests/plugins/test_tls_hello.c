/* SPDX-License-Identifier: MIT */
/* The ClientHello as the layer tls reads it: whole, cut anywhere, and damaged in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/tls/hello.h"
#include "tls_wire.h"

/* What a browser says, but for its key share: GREASE and all. */
static const unsigned char captured[] = {
    0x16, 0x03, 0x01, 0x00, 0x9e, 0x01, 0x00, 0x00, 0x9a, 0x03, 0x03, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a,
    0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a,
    0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x00, 0x00, 0x0a, 0xda, 0xda, 0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b, 0xc0, 0x2f, 0x01,
    0x00, 0x00, 0x67,
    /* GREASE, empty */
    0x6a, 0x6a, 0x00, 0x00,
    /* server_name: WWW.Example.org */
    0x00, 0x00, 0x00, 0x14, 0x00, 0x12, 0x00, 0x00, 0x0f, 'W', 'W', 'W', '.', 'E', 'x', 'a', 'm', 'p', 'l', 'e', '.',
    'o', 'r', 'g',
    /* extended_master_secret, renegotiation_info */
    0x00, 0x17, 0x00, 0x00, 0xff, 0x01, 0x00, 0x01, 0x00,
    /* supported_groups */
    0x00, 0x0a, 0x00, 0x08, 0x00, 0x06, 0xba, 0xba, 0x00, 0x1d, 0x00, 0x17,
    /* application_layer_protocol_negotiation: h2, http/1.1 */
    0x00, 0x10, 0x00, 0x0e, 0x00, 0x0c, 0x02, 'h', '2', 0x08, 'h', 't', 't', 'p', '/', '1', '.', '1',
    /* session_ticket, signature_algorithms */
    0x00, 0x23, 0x00, 0x00, 0x00, 0x0d, 0x00, 0x06, 0x00, 0x04, 0x04, 0x03, 0x08, 0x04,
    /* supported_versions: GREASE, 1.3, 1.2 */
    0x00, 0x2b, 0x00, 0x07, 0x06, 0x1a, 0x1a, 0x03, 0x04, 0x03, 0x03,
    /* psk_key_exchange_modes, GREASE */
    0x00, 0x2d, 0x00, 0x02, 0x01, 0x01, 0x2a, 0x2a, 0x00, 0x01, 0x00};

static void expect_captured(const tls_hello *hello)
{
    assert_string_equal(hello->server_name, "www.example.org");
    assert_int_equal(hello->versions, TLS_HELLO_VERSION(0x0303) | TLS_HELLO_VERSION(0x0304));
    assert_int_equal(hello->alpn_count, 2);
    assert_int_equal(hello->alpn_size, 12);
    assert_memory_equal(hello->alpn, "\x02h2\x08http/1.1", 12);
}

static void TLS_10_names_protocols_and_versions_are_read(void **state)
{
    tls_hello hello;
    (void)state;
    assert_int_equal(weir__tls_hello_read(captured, sizeof(captured), &hello), TLS_HELLO_DONE);
    expect_captured(&hello);
}

static void what_follows_is_not_looked_at(void **state)
{
    unsigned char more[sizeof(captured) + 7] = {0};
    tls_hello hello;
    (void)state;
    memcpy(more, captured, sizeof(captured));
    memset(more + sizeof(captured), 0xff, 7);
    assert_int_equal(weir__tls_hello_read(more, sizeof(more), &hello), TLS_HELLO_DONE);
    expect_captured(&hello);
}

/* In memory of its own size each time, so that a read past the end is seen. */
static tls_hello_verdict read_exactly(const unsigned char *data, size_t size, tls_hello *hello)
{
    unsigned char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    tls_hello_verdict verdict = weir__tls_hello_read(copy, size, hello);
    free(copy);
    return verdict;
}

static void TLS_05_cut_off_at_any_byte_it_asks_for_more(void **state)
{
    tls_hello hello;
    (void)state;
    for (size_t size = 0; size < sizeof(captured); size++)
        assert_int_equal(read_exactly(captured, size, &hello), TLS_HELLO_MORE);
}

static wire plain_hello(const char *name, size_t cut)
{
    static const char *const alpn[] = {"h2", "http/1.1"};
    wire out = {0};
    const wire_hello hello = {.name = name, .alpn = alpn, .alpn_count = 2};
    wire_client_hello(&out, &hello, cut);
    assert_false(out.failed);
    return out;
}

static void TLS_10_split_over_records_it_is_the_same(void **state)
{
    tls_hello hello;
    (void)state;
    for (size_t cut = 1; cut < 160; cut++) {
        wire whole = plain_hello("example.org", cut);
        for (size_t size = 0; size < whole.size; size += 1 + size % 7)
            assert_int_equal(read_exactly(whole.data, size, &hello), TLS_HELLO_MORE);
        assert_int_equal(read_exactly(whole.data, whole.size, &hello), TLS_HELLO_DONE);
        assert_string_equal(hello.server_name, "example.org");
        assert_int_equal(hello.alpn_count, 2);
        wire_free(&whole);
    }
}

/* What an engine is given that reads no ClientHello of several records. */
static void TLS_10_records_are_joined_to_one(void **state)
{
    unsigned char record[1024];
    tls_hello hello;
    (void)state;
    wire whole = plain_hello("example.org", 0);
    assert_int_equal(read_exactly(whole.data, whole.size, &hello), TLS_HELLO_DONE);
    assert_int_equal(hello.records, 1);
    assert_int_equal(hello.size, whole.size);
    for (size_t cut = 1; cut < 160; cut++) {
        wire parts = plain_hello("example.org", cut);
        size_t size = parts.size;
        wire_data(&parts, "what follows", 12);
        assert_int_equal(read_exactly(parts.data, parts.size, &hello), TLS_HELLO_DONE);
        assert_int_equal(hello.size, size);
        assert_int_equal(hello.records, (whole.size - WIRE_HEADER + cut - 1) / cut);
        assert_int_equal(weir__tls_hello_join(parts.data, &hello, record), whole.size);
        assert_memory_equal(record, whole.data, whole.size);
        wire_free(&parts);
    }
    /* something else in the record in which it ends: it stays as it is */
    whole.data[4] = (unsigned char)(whole.data[4] + 1);
    wire_put(&whole, "x", 1);
    assert_int_equal(read_exactly(whole.data, whole.size, &hello), TLS_HELLO_DONE);
    assert_int_equal(hello.size, 0);
    wire_free(&whole);
}

static void without_extensions_there_is_no_name(void **state)
{
    static const unsigned char old[] = {22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3,  4, 5,
                                        6,  7, 8, 9, 1,  2, 3, 4, 5,  6, 7, 8, 9, 1, 2, 3, 4, 5, 0, 0, 2, 0, 47, 1, 0};
    tls_hello hello;
    (void)state;
    assert_int_equal(weir__tls_hello_read(old, sizeof(old), &hello), TLS_HELLO_DONE);
    assert_string_equal(hello.server_name, "");
    assert_int_equal(hello.versions, TLS_HELLO_VERSION(0x0300) | TLS_HELLO_VERSION(0x0301));
    assert_int_equal(hello.alpn_count, 0);
}

/* ---- who speaks something else ---- */

static void expect_verdict(const void *data, size_t size, tls_hello_verdict verdict)
{
    tls_hello hello;
    assert_int_equal(read_exactly(data, size, &hello), verdict);
    if (verdict != TLS_HELLO_MORE)
        assert_true(strlen(weir__tls_hello_reason(verdict)) > 10);
}

static void TLS_05_plain_http_is_called_so(void **state)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\n", "POST /a HTTP/1.0\r\n", "PRI * HTTP/2.0\r\n",
                                        "CONNECT a:1 HTTP/1.1\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t method = strcspn(texts[i], " ") + 1;
        for (size_t size = 0; size < method; size++)
            expect_verdict(texts[i], size, TLS_HELLO_MORE);
        for (size_t size = method; size <= strlen(texts[i]); size++)
            expect_verdict(texts[i], size, TLS_HELLO_HTTP);
    }
}

static void TLS_05_rubbish_is_called_so_at_its_first_bytes(void **state)
{
    static const unsigned char high[] = {0x93, 0x00, 0xff};
    static const unsigned char other_version[] = {22, 2, 0};
    (void)state;
    expect_verdict("SSH-2.0-x", 9, TLS_HELLO_NOT_TLS);
    expect_verdict("\0\0\0\0", 4, TLS_HELLO_NOT_TLS);
    expect_verdict("GOT", 3, TLS_HELLO_NOT_TLS);
    expect_verdict(high, 2, TLS_HELLO_MORE);
    expect_verdict(high, sizeof(high), TLS_HELLO_NOT_TLS);
    expect_verdict(other_version, 1, TLS_HELLO_MORE);
    expect_verdict(other_version, 2, TLS_HELLO_NOT_TLS);
}

/* What asks for SSL 2, and what asks for more in the form of SSL 2. */
static void TLS_05_ssl_2_is_called_so(void **state)
{
    static const unsigned char versions[][5] = {{0x80, 0x2e, 1, 0, 2}, {0x80, 0x2e, 1, 3, 1}};
    static const unsigned char others[][5] = {{0x80, 0x2e, 1, 0, 3}, {0x80, 0x2e, 1, 7, 2}, {0x80, 0x2e, 4, 0, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        for (size_t size = 1; size < 5; size++)
            expect_verdict(versions[i], size, TLS_HELLO_MORE);
        expect_verdict(versions[i], 5, TLS_HELLO_SSL2);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        expect_verdict(others[i], 5, TLS_HELLO_NOT_TLS);
}

/* Of somebody who gives up, or hangs up politely: it speaks TLS. */
static void TLS_05_an_alert_first_is_called_so(void **state)
{
    static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 48};
    static const unsigned char other_version[] = {21, 2, 0};
    (void)state;
    expect_verdict(alert, 1, TLS_HELLO_MORE);
    for (size_t size = 2; size <= sizeof(alert); size++)
        expect_verdict(alert, size, TLS_HELLO_ALERT);
    expect_verdict(other_version, sizeof(other_version), TLS_HELLO_NOT_TLS);
}

static void TLS_05_malformed_records_are_refused(void **state)
{
    static const unsigned char empty_record[] = {22, 3, 1, 0, 0};
    static const unsigned char long_record[] = {22, 3, 1, 0x40, 1};
    static const unsigned char other_message[] = {22, 3, 1, 0, 4, 2, 0, 0, 0};
    static const unsigned char other_record_behind[] = {22, 3, 1, 0, 1, 1, 21, 3, 1, 0, 1, 0};
    static const unsigned char short_body[] = {22, 3, 1, 0, 5, 1, 0, 0, 1, 3};
    (void)state;
    expect_verdict(empty_record, sizeof(empty_record), TLS_HELLO_MALFORMED);
    expect_verdict(long_record, sizeof(long_record), TLS_HELLO_MALFORMED);
    expect_verdict(other_message, sizeof(other_message), TLS_HELLO_MALFORMED);
    expect_verdict(other_message, 6, TLS_HELLO_MALFORMED);
    expect_verdict(other_record_behind, sizeof(other_record_behind), TLS_HELLO_MALFORMED);
    expect_verdict(short_body, sizeof(short_body), TLS_HELLO_MALFORMED);
}

static void TLS_05_more_than_is_looked_at_is_refused(void **state)
{
    static const unsigned char announced[] = {22, 3, 1, 0x40, 0, 1, 0, 0x40, 0};
    static const unsigned char enormous[] = {22, 3, 1, 0x40, 0, 1, 1, 0, 0};
    (void)state;
    expect_verdict(announced, sizeof(announced), TLS_HELLO_TOO_LONG);
    expect_verdict(enormous, sizeof(enormous), TLS_HELLO_TOO_LONG);
    /* and one that never says how long it is going to be: one byte a record */
    unsigned char *drops = calloc(TLS_HELLO_MOST + 6, 1);
    assert_non_null(drops);
    for (size_t at = 0; at < TLS_HELLO_MOST; at += 6) {
        static const unsigned char drop[] = {22, 3, 1, 0, 1, 0};
        memcpy(drops + at, drop, sizeof(drop));
    }
    drops[5] = 1;
    drops[17] = 0x3f;
    expect_verdict(drops, TLS_HELLO_MOST / 2, TLS_HELLO_MORE);
    expect_verdict(drops, TLS_HELLO_MOST, TLS_HELLO_TOO_LONG);
    free(drops);
}

/* ---- names and extensions that nobody may send ---- */

/* A ClientHello of these extensions; the lengths are right. */
static void read_extensions(const void *extensions, size_t size, tls_hello_verdict verdict, tls_hello *hello)
{
    wire body = {0}, message = {0}, out = {0};
    static const unsigned char fixed[] = {0, 0, 2, 0x13, 1, 1, 0}; /* session, ciphers, compression */
    static const unsigned char random[32];
    wire_number(&body, 0x0303, 2);
    wire_put(&body, random, sizeof(random));
    wire_put(&body, fixed, sizeof(fixed));
    wire_number(&body, size, 2);
    wire_put(&body, extensions, size);
    wire_number(&message, 1, 1);
    wire_number(&message, body.size, 3);
    wire_put(&message, body.data, body.size);
    wire_record(&out, WIRE_HANDSHAKE, message.data, message.size);
    assert_int_equal(read_exactly(out.data, out.size, hello), verdict);
    wire_free(&body);
    wire_free(&message);
    wire_free(&out);
}

static void expect_extensions(const void *extensions, size_t size, tls_hello_verdict verdict, const char *name)
{
    tls_hello hello;
    read_extensions(extensions, size, verdict, &hello);
    if (name)
        assert_string_equal(hello.server_name, name);
}

static void TLS_20_early_data_that_is_offered_is_noted(void **state)
{
    tls_hello hello;
    (void)state;
    read_extensions("\0\52\0\0", 4, TLS_HELLO_DONE, &hello);
    assert_int_equal(hello.early_data, 1);
    read_extensions("\0\27\0\0", 4, TLS_HELLO_DONE, &hello);
    assert_int_equal(hello.early_data, 0);
}

#define EXTENSIONS(bytes, verdict, name) expect_extensions(bytes, sizeof(bytes) - 1, verdict, name)

static void odd_names_are_refused(void **state)
{
    (void)state;
    EXTENSIONS("\0\0\0\6\0\4\0\0\1a", TLS_HELLO_DONE, "a");
    EXTENSIONS("\0\0\0\7\0\5\0\0\2a.", TLS_HELLO_DONE, "a");
    EXTENSIONS("\0\0\0\7\0\5\0\0\2_b", TLS_HELLO_DONE, "_b");
    EXTENSIONS("\0\0\0\10\0\6\0\0\3::1", TLS_HELLO_DONE, "");              /* no name, but no reason to be refused */
    EXTENSIONS("\0\0\0\5\0\3\0\0\0", TLS_HELLO_MALFORMED, NULL);           /* empty */
    EXTENSIONS("\0\0\0\7\0\5\0\0\2a\0", TLS_HELLO_ODD_NAME, NULL);         /* a NUL */
    EXTENSIONS("\0\0\0\10\0\6\0\0\3a b", TLS_HELLO_ODD_NAME, NULL);        /* a blank */
    EXTENSIONS("\0\0\0\7\0\5\0\0\2a/", TLS_HELLO_ODD_NAME, NULL);          /* no host */
    EXTENSIONS("\0\0\0\7\0\5\0\0\2\xc3\xa4", TLS_HELLO_ODD_NAME, NULL);    /* not in its ASCII form */
    EXTENSIONS("\0\0\0\12\0\10\0\0\1a\0\0\1b", TLS_HELLO_MALFORMED, NULL); /* two */
    EXTENSIONS("\0\0\0\12\0\10\1\0\1a\0\0\1b", TLS_HELLO_DONE, "b");       /* one of another kind before it */
    EXTENSIONS("\0\0\0\6\0\4\0\0\2a", TLS_HELLO_MALFORMED, NULL);          /* shorter than it says */
}

static void a_name_has_a_limit(void **state)
{
    (void)state;
    for (size_t length = 254; length <= 256; length++) {
        wire list = {0}, extension = {0};
        char name[256];
        memset(name, 'n', sizeof(name));
        wire_number(&list, length + 3, 2);
        wire_number(&list, 0, 1);
        wire_number(&list, length, 2);
        wire_put(&list, name, length);
        wire_number(&extension, 0, 2);
        wire_number(&extension, list.size, 2);
        wire_put(&extension, list.data, list.size);
        expect_extensions(extension.data, extension.size, length <= 255 ? TLS_HELLO_DONE : TLS_HELLO_MALFORMED, NULL);
        wire_free(&list);
        wire_free(&extension);
    }
}

static void odd_extensions_are_refused(void **state)
{
    (void)state;
    EXTENSIONS("\0\27\0\0\0\27\0\0", TLS_HELLO_DONE, "");                /* twice, but none that is read */
    EXTENSIONS("\0\0\0\0", TLS_HELLO_MALFORMED, NULL);                   /* a list that is not there */
    EXTENSIONS("\0\20\0\2\0\0\0\20\0\2\0\0", TLS_HELLO_MALFORMED, NULL); /* twice */
    EXTENSIONS("\0\20\0\3\0\1\0", TLS_HELLO_MALFORMED, NULL);            /* a protocol without a name */
    EXTENSIONS("\0\20\0\4\0\2\5h", TLS_HELLO_MALFORMED, NULL);
    EXTENSIONS("\0\53\0\3\2\3", TLS_HELLO_MALFORMED, NULL);
    EXTENSIONS("\0\52\0\1\0", TLS_HELLO_MALFORMED, NULL); /* early data here */
    EXTENSIONS("\0\27\0\5", TLS_HELLO_MALFORMED, NULL);
    EXTENSIONS("\0\27\0", TLS_HELLO_MALFORMED, NULL);
}

/* ---- what is chosen ---- */

static void TLS_11_the_servers_order_of_protocols_decides(void **state)
{
    static const char *const first[] = {"http/1.1", "h2"};
    static const char *const other[] = {"spdy/3", "h"};
    tls_hello hello;
    (void)state;
    assert_int_equal(weir__tls_hello_read(captured, sizeof(captured), &hello), TLS_HELLO_DONE);
    assert_int_equal(weir__tls_hello_choose(&hello, first, 2), 0);
    assert_int_equal(weir__tls_hello_choose(&hello, first + 1, 1), 0);
    assert_int_equal(weir__tls_hello_choose(&hello, other, 2), -1);
    assert_int_equal(weir__tls_hello_choose(&hello, NULL, 0), -1);
}

/* More names than are kept: whole ones stay. */
static void many_protocols_are_cut_at_a_name(void **state)
{
    char names[200][10];
    const char *list[200];
    wire out = {0};
    tls_hello hello;
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        snprintf(names[i], sizeof(names[i]), "proto%zu", i);
        list[i] = names[i];
    }
    const wire_hello said = {.alpn = list, .alpn_count = 200};
    wire_client_hello(&out, &said, 0);
    assert_int_equal(read_exactly(out.data, out.size, &hello), TLS_HELLO_DONE);
    assert_true(hello.alpn_count > 100 && hello.alpn_count < 200);
    assert_int_equal(weir__tls_hello_choose(&hello, list, 1), 0);
    size_t sum = 0, count = 0;
    for (size_t at = 0; at < hello.alpn_size; at += hello.alpn[at] + 1u, count++)
        sum += hello.alpn[at] + 1u;
    assert_int_equal(sum, hello.alpn_size);
    assert_int_equal(count, hello.alpn_count);
    wire_free(&out);
}

/* ---- damage ---- */

static uint32_t dice = 1;

static uint32_t roll(uint32_t most)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % most;
}

/* The verdict may be any: what is looked at under the sanitizers is that nothing else is read or written. */
static void damaged_in_any_way_it_ends_in_a_verdict(void **state)
{
    unsigned counts[TLS_HELLO_TOO_LONG + 1] = {0};
    (void)state;
    for (int run = 0; run < 40000; run++) {
        wire whole = plain_hello(run % 3 ? "www.example.org" : NULL, run % 5 ? 0 : 1 + roll(60));
        tls_hello hello;
        size_t size = roll(4) ? whole.size : roll((uint32_t)whole.size);
        for (uint32_t damage = roll(6); damage > 0; damage--)
            whole.data[roll((uint32_t)whole.size)] = (unsigned char)(roll(3) ? roll(256) : roll(2) * 255);
        tls_hello_verdict verdict = read_exactly(whole.data, size, &hello);
        counts[verdict]++;
        if (verdict == TLS_HELLO_DONE) {
            assert_true(strlen(hello.server_name) <= TLS_NAME_MOST);
            assert_true(hello.alpn_size <= sizeof(hello.alpn));
        }
        wire_free(&whole);
    }
    assert_true(counts[TLS_HELLO_DONE] > 1000 && counts[TLS_HELLO_MALFORMED] > 1000 && counts[TLS_HELLO_MORE] > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TLS_10_names_protocols_and_versions_are_read),
        cmocka_unit_test(what_follows_is_not_looked_at),
        cmocka_unit_test(TLS_05_cut_off_at_any_byte_it_asks_for_more),
        cmocka_unit_test(TLS_10_split_over_records_it_is_the_same),
        cmocka_unit_test(TLS_10_records_are_joined_to_one),
        cmocka_unit_test(without_extensions_there_is_no_name),
        cmocka_unit_test(TLS_05_plain_http_is_called_so),
        cmocka_unit_test(TLS_05_rubbish_is_called_so_at_its_first_bytes),
        cmocka_unit_test(TLS_05_ssl_2_is_called_so),
        cmocka_unit_test(TLS_05_an_alert_first_is_called_so),
        cmocka_unit_test(TLS_05_malformed_records_are_refused),
        cmocka_unit_test(TLS_05_more_than_is_looked_at_is_refused),
        cmocka_unit_test(TLS_20_early_data_that_is_offered_is_noted),
        cmocka_unit_test(odd_names_are_refused),
        cmocka_unit_test(a_name_has_a_limit),
        cmocka_unit_test(odd_extensions_are_refused),
        cmocka_unit_test(TLS_11_the_servers_order_of_protocols_decides),
        cmocka_unit_test(many_protocols_are_cut_at_a_name),
        cmocka_unit_test(damaged_in_any_way_it_ends_in_a_verdict),
    };
    return cmocka_run_group_tests_name("tls_hello", tests, NULL, NULL);
}
