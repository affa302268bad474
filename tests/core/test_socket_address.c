/* SPDX-License-Identifier: MIT */
/* SocketAddress, row by row: addresses of options. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static weir_address_options defaults(void)
{
    weir_address_options options;
    memset(&options, '#', sizeof(options));
    weir_address_options_init(&options);
    return options;
}

static weir_address made(const weir_address_options *options)
{
    weir_address address;
    assert_code(weir_address_from_options(&address, options), 0);
    return address;
}

static void expect_ip(const weir_address *address, const char *expected)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address_ip(address, text, sizeof(text));
    assert_string_equal(text, expected);
}

/* Refused with this code, and the address stays as it was. */
static void expect_refusal(const weir_address_options *options, int code)
{
    weir_address address = {.family = WEIR_FAMILY_IPV4, .port = 77, .length = 4, .bytes = {1, 2, 3, 4}};
    const weir_address before = address;
    assert_code(weir_address_from_options(&address, options), code);
    assert_memory_equal(&address, &before, sizeof(address));
}

static void ADDR_01_ADDR_02_everything_is_optional(void **state)
{
    (void)state;
    weir_address_options options = defaults();
    assert_int_equal(options.size, sizeof(options));
    const weir_address addresses[] = {made(NULL), made(&options)};
    for (size_t i = 0; i < COUNT(addresses); i++) {
        expect_ip(&addresses[i], "127.0.0.1");
        assert_int_equal(addresses[i].family, WEIR_FAMILY_IPV4);
        assert_int_equal(addresses[i].port, 0);
        assert_int_equal(addresses[i].flowlabel, 0);
        assert_int_equal(addresses[i].scope, 0);
    }
    assert_code(weir_address_from_options(NULL, &options), UV_EINVAL);
}

static void ADDR_03_the_default_of_ipv6_is_any_address(void **state)
{
    (void)state;
    weir_address_options options = defaults();
    options.family = "ipv6";
    weir_address address = made(&options);
    expect_ip(&address, "::");
    assert_int_equal(address.family, WEIR_FAMILY_IPV6);
}

static void ADDR_04_ADDR_08_families_by_their_words(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        weir_family family;
    } good[] = {{"ipv4", WEIR_FAMILY_IPV4}, {"IPv4", WEIR_FAMILY_IPV4}, {"IPV4", WEIR_FAMILY_IPV4},
                {"ipv6", WEIR_FAMILY_IPV6}, {"IPv6", WEIR_FAMILY_IPV6}, {"IPV6", WEIR_FAMILY_IPV6}};
    static const char *const bad[] = {"", "4", "ip", "ipv", "ipv5", "ipv4 ", " ipv4", "inet", "path", "none"};
    weir_address_options options = defaults();
    for (size_t i = 0; i < COUNT(good); i++) {
        options.family = good[i].word;
        weir_address address = made(&options);
        assert_int_equal(address.family, good[i].family);
        assert_string_equal(weir_family_word(address.family), good[i].family == WEIR_FAMILY_IPV4 ? "ipv4" : "ipv6");
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        options.family = bad[i];
        expect_refusal(&options, WEIR_EINVALIDARGVALUE);
    }
    /* streams and servers say it otherwise */
    assert_string_equal(weir_family_name(WEIR_FAMILY_IPV4), "IPv4");
    assert_string_equal(weir_family_word(WEIR_FAMILY_PATH), "path");
    assert_string_equal(weir_family_word(WEIR_FAMILY_NONE), "none");
}

static void ADDR_05_ADDR_09_flow_labels_are_for_ipv6(void **state)
{
    (void)state;
    static const int64_t good[] = {0, 1, 0xfffff, 0x100000, UINT32_MAX};
    static const int64_t bad[] = {-1, (int64_t)UINT32_MAX + 1, INT64_MAX, INT64_MIN};
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        weir_address_options options = defaults();
        options.family = ipv6 ? "ipv6" : "ipv4";
        for (size_t i = 0; i < COUNT(good); i++) {
            options.flowlabel = good[i];
            assert_int_equal(made(&options).flowlabel, ipv6 ? good[i] : 0);
        }
        for (size_t i = 0; i < COUNT(bad); i++) {
            options.flowlabel = bad[i];
            expect_refusal(&options, WEIR_EOUTOFRANGE);
        }
    }
}

static void ADDR_06_ADDR_10_ports_are_16_bits(void **state)
{
    (void)state;
    static const int64_t good[] = {0, 1, 80, 65535};
    static const int64_t bad[] = {-1, 65536, 65536 + 80, INT64_MAX, INT64_MIN};
    weir_address_options options = defaults();
    for (size_t i = 0; i < COUNT(good); i++) {
        options.port = good[i];
        assert_int_equal(made(&options).port, good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        options.port = bad[i];
        expect_refusal(&options, WEIR_ESOCKETBADPORT);
    }
}

static void ADDR_07_addresses_read_back_canonically_and_without_a_zone(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *read;
    } cases[] = {
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"::FFFF:1.2.3.4", "::ffff:1.2.3.4"},
        {"fe80::1%lo", "fe80::1"},
        {"fe80::1%1", "fe80::1"},
        {"fe80::1%nosuchif", "fe80::1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir_address_options options = defaults();
        options.address = cases[i].text;
        options.family = "ipv6";
        weir_address address = made(&options);
        expect_ip(&address, cases[i].read);
        assert_int_equal(address.scope, 0);
    }
    weir_address_options options = defaults();
    options.address = "123.123.123.123";
    weir_address address = made(&options);
    expect_ip(&address, "123.123.123.123");
}

static void ADDR_11_a_text_is_read_in_its_family_alone(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *family;
    } cases[] = {
        {"::1", NULL},        {"::1", "ipv4"},         {"1.2.3.4", "ipv6"}, {"", NULL},
        {"", "ipv6"},         {"junk", NULL},          {"1.2.3.256", NULL}, {"1.2.3.4:80", NULL},
        {"01.2.3.4", NULL},   {"1.2.3.4%lo", NULL},    {"[::1]", "ipv6"},   {"[::1]:80", "ipv6"},
        {"fe80::1%", "ipv6"}, {"fe80::1%a b", "ipv6"}, {"1::2::3", "ipv6"}, {"localhost", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir_address_options options = defaults();
        options.address = cases[i].text;
        options.family = cases[i].family;
        expect_refusal(&options, WEIR_EINVALIDADDRESS);
    }
}

static void ADDR_01_all_of_it_reaches_the_system_and_comes_back(void **state)
{
    (void)state;
    struct sockaddr_storage storage;
    size_t size = sizeof(storage);
    weir_address_options options = defaults();
    options.address = "2001:db8::1";
    options.family = "ipv6";
    options.port = 8124;
    options.flowlabel = 0xabcde;
    weir_address address = made(&options), back;
    assert_code(weir_address_to_sockaddr(&address, &storage, &size), 0);
    assert_code(weir_address_from_sockaddr(&back, (const struct sockaddr *)&storage, size), 0);
    assert_true(weir_address_equal(&address, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ADDR_01_ADDR_02_everything_is_optional),
        cmocka_unit_test(ADDR_03_the_default_of_ipv6_is_any_address),
        cmocka_unit_test(ADDR_04_ADDR_08_families_by_their_words),
        cmocka_unit_test(ADDR_05_ADDR_09_flow_labels_are_for_ipv6),
        cmocka_unit_test(ADDR_06_ADDR_10_ports_are_16_bits),
        cmocka_unit_test(ADDR_07_addresses_read_back_canonically_and_without_a_zone),
        cmocka_unit_test(ADDR_11_a_text_is_read_in_its_family_alone),
        cmocka_unit_test(ADDR_01_all_of_it_reaches_the_system_and_comes_back),
    };
    return cmocka_run_group_tests_name("socket addresses", tests, NULL, NULL);
}
