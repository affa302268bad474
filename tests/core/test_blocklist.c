/* SPDX-License-Identifier: MIT */
/* Block lists, row by row: rules of every kind, what they match, how they read, and what is refused. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "allocator.h"
#include "block_lists.h"

typedef struct {
    const char *address;
    const char *type;
    int expected;
} question;

static void ask(const weir_blocklist *list, const question *questions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status = weir_blocklist_check(list, questions[i].address, questions[i].type);
        if (status != questions[i].expected)
            fail_msg("%s gives %d and not %d", questions[i].address, status, questions[i].expected);
    }
}

#define ASK(list, ...)                                     \
    do {                                                   \
        static const question questions[] = {__VA_ARGS__}; \
        ask((list), questions, COUNT(questions));          \
    } while (0)

static void expect_rule(const weir_blocklist *list, size_t index, const char *expected)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    size_t length = weir_blocklist_rule(list, index, text, sizeof(text));
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

/* ---- what it is ---- */

static void BL_01_BL_02_an_empty_list_blocks_nobody(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    assert_int_equal(weir_blocklist_rule_count(list), 0);
    ASK(list, {"0.0.0.0", NULL, 0}, {"123.123.123.123", NULL, 0}, {"::", "ipv6", 0}, {"::ffff:1.2.3.4", "ipv6", 0});
    weir_blocklist_release(list);
}

static void BL_03_the_type_says_how_a_text_is_read(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    assert_code(weir_blocklist_add_address(list, "10.0.0.1", NULL), 0);
    assert_code(weir_blocklist_add_address(list, "10.0.0.2", "ipv4"), 0);
    assert_code(weir_blocklist_add_address(list, "10.0.0.3", "IPv4"), 0);
    assert_code(weir_blocklist_add_address(list, "2001:db8::1", "ipv6"), 0);
    assert_code(weir_blocklist_add_address(list, "2001:db8::2", "IPV6"), 0);
    assert_code(weir_blocklist_add_address(list, "2001:db8::3", NULL), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_address(list, "10.0.0.4", "ipv6"), WEIR_EINVALIDADDRESS);
    assert_int_equal(weir_blocklist_rule_count(list), 5);
    ASK(list, {"10.0.0.1", NULL, 1}, {"10.0.0.2", "ipv4", 1}, {"10.0.0.3", NULL, 1}, {"2001:db8::1", "ipv6", 1},
        {"2001:db8::2", "IPv6", 1}, {"2001:db8::2", NULL, WEIR_EINVALIDADDRESS},
        {"10.0.0.1", "ipv6", WEIR_EINVALIDADDRESS});
    weir_blocklist_release(list);
}

static void BL_04_ADDR_12_parsed_addresses_bring_their_own_family(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    weir_address address = ip("10.0.0.1"), start = ip("10.1.0.0"), end = ip("10.1.0.9"), net = ip("2001:db8::5");
    address.port = 80; /* neither plays a part */
    net.flowlabel = 7;
    net.scope = 1;
    assert_code(weir_blocklist_add_address_of(list, &address), 0);
    assert_code(weir_blocklist_add_range_of(list, &start, &end), 0);
    assert_code(weir_blocklist_add_subnet_of(list, &net, 64), 0);
    expect_rule(list, 2, "Address: IPv4 10.0.0.1");
    expect_rule(list, 1, "Range: IPv4 10.1.0.0-10.1.0.9");
    expect_rule(list, 0, "Subnet: IPv6 2001:db8::5/64");
    address.port = 443;
    assert_code(weir_blocklist_check_of(list, &address), 1);
    assert_code(weir_blocklist_check_of(list, &end), 1);
    weir_address inside = ip("2001:db8::ffff"), outside = ip("2001:db8:0:1::");
    inside.port = 1;
    inside.flowlabel = 9;
    assert_code(weir_blocklist_check_of(list, &inside), 1);
    assert_code(weir_blocklist_check_of(list, &outside), 0);
    weir_blocklist_release(list);
}

static void BL_05_an_address_rule_is_that_address_alone(void **state)
{
    (void)state;
    weir_blocklist *list = list_of("123.123.123.123");
    assert_code(weir_blocklist_add_address(list, "2001:db8::1", "ipv6"), 0);
    ASK(list, {"123.123.123.123", NULL, 1}, {"123.123.123.122", NULL, 0}, {"123.123.123.124", NULL, 0},
        {"123.123.122.123", NULL, 0}, {"2001:db8::1", "ipv6", 1}, {"2001:db8::", "ipv6", 0}, {"2001:db8::2", "ipv6", 0},
        {"2001:db8:0:0:1::1", "ipv6", 0});
    weir_blocklist_release(list);
}

static void BL_06_both_ends_of_a_range_are_in_it(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    assert_code(weir_blocklist_add_range(list, "10.0.0.1", "10.0.0.10", NULL), 0);
    assert_code(weir_blocklist_add_range(list, "192.168.255.250", "192.169.0.5", "ipv4"), 0);
    assert_code(weir_blocklist_add_range(list, "2001:db8::fffe", "2001:db8::2:1", "ipv6"), 0);
    ASK(list, {"10.0.0.1", NULL, 1}, {"10.0.0.10", NULL, 1}, {"10.0.0.5", NULL, 1}, {"10.0.0.0", NULL, 0},
        {"10.0.0.11", NULL, 0}, {"192.168.255.249", NULL, 0}, {"192.168.255.250", NULL, 1}, {"192.169.0.0", NULL, 1},
        {"192.169.0.5", NULL, 1}, {"192.169.0.6", NULL, 0}, {"2001:db8::fffd", "ipv6", 0},
        {"2001:db8::fffe", "ipv6", 1}, {"2001:db8::1:8000", "ipv6", 1}, {"2001:db8::2:1", "ipv6", 1},
        {"2001:db8::2:2", "ipv6", 0});
    weir_blocklist_release(list);
}

static void BL_07_a_range_goes_upwards(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    assert_code(weir_blocklist_add_range(list, "10.0.0.2", "10.0.0.1", NULL), WEIR_EINVALIDARGVALUE);
    assert_code(weir_blocklist_add_range(list, "9.0.0.255", "9.0.0.254", NULL), WEIR_EINVALIDARGVALUE);
    assert_code(weir_blocklist_add_range(list, "::2", "::1", "ipv6"), WEIR_EINVALIDARGVALUE);
    assert_int_equal(weir_blocklist_rule_count(list), 0);
    ASK(list, {"10.0.0.1", NULL, 0}, {"10.0.0.2", NULL, 0});
    assert_code(weir_blocklist_add_range(list, "10.0.0.7", "10.0.0.7", NULL), 0);
    ASK(list, {"10.0.0.6", NULL, 0}, {"10.0.0.7", NULL, 1}, {"10.0.0.8", NULL, 0});
    weir_blocklist_release(list);
}

static void BL_08_a_range_has_one_family(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    weir_address low = ip("10.0.0.1"), high = ip("ffff::"), mapped = ip("::ffff:10.0.0.9");
    assert_code(weir_blocklist_add_range_of(list, &low, &high), WEIR_EINVALIDARGVALUE);
    assert_code(weir_blocklist_add_range_of(list, &low, &mapped), WEIR_EINVALIDARGVALUE);
    assert_code(weir_blocklist_add_range_of(list, &mapped, &low), WEIR_EINVALIDARGVALUE);
    assert_code(weir_blocklist_add_rule(list, "10.0.0.1-ffff::"), WEIR_EINVALIDARGVALUE);
    assert_int_equal(weir_blocklist_rule_count(list), 0);
    weir_blocklist_release(list);
}

static void BL_09_a_subnet_is_what_begins_with_its_prefix(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    assert_code(weir_blocklist_add_subnet(list, "10.0.0.0", 8, NULL), 0);
    assert_code(weir_blocklist_add_subnet(list, "8592:757c:efae:4e45::", 64, "ipv6"), 0);
    ASK(list, {"10.0.0.0", NULL, 1}, {"10.255.255.255", NULL, 1}, {"9.255.255.255", NULL, 0}, {"11.0.0.0", NULL, 0},
        {"8592:757c:efae:4e45::", "ipv6", 1}, {"8592:757c:efae:4e45:ffff:ffff:ffff:ffff", "ipv6", 1},
        {"8592:757c:efae:4e46::", "ipv6", 0}, {"8592:757c:efae:4e44:ffff::", "ipv6", 0});
    weir_blocklist_release(list);
}

static void BL_10_BL_11_prefixes_have_limits(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    static const int bad_narrow[] = {-1, 33, 128, 1000000, -2147483647};
    static const int bad_wide[] = {-1, 129, 1000000};
    for (size_t i = 0; i < COUNT(bad_narrow); i++)
        assert_code(weir_blocklist_add_subnet(list, "10.0.0.0", bad_narrow[i], NULL), WEIR_EOUTOFRANGE);
    for (size_t i = 0; i < COUNT(bad_wide); i++)
        assert_code(weir_blocklist_add_subnet(list, "2001:db8::", bad_wide[i], "ipv6"), WEIR_EOUTOFRANGE);
    assert_int_equal(weir_blocklist_rule_count(list), 0);
    assert_code(weir_blocklist_add_subnet(list, "10.0.0.1", 32, NULL), 0);
    assert_code(weir_blocklist_add_subnet(list, "2001:db8::1", 128, "ipv6"), 0);
    ASK(list, {"10.0.0.1", NULL, 1}, {"10.0.0.0", NULL, 0}, {"2001:db8::1", "ipv6", 1}, {"2001:db8::", "ipv6", 0});
    weir_blocklist_release(list);
}

static void BL_12_host_bits_show_and_do_not_count(void **state)
{
    (void)state;
    weir_blocklist *list = list_of("192.168.1.77/24");
    assert_code(weir_blocklist_add_rule(list, "2001:DB8::77/32"), 0);
    ASK(list, {"192.168.1.0", NULL, 1}, {"192.168.1.77", NULL, 1}, {"192.168.1.255", NULL, 1},
        {"192.168.0.255", NULL, 0}, {"192.168.2.0", NULL, 0}, {"2001:db8::", "ipv6", 1}, {"2001:db8:ffff::", "ipv6", 1},
        {"2001:db9::", "ipv6", 0});
    expect_rule(list, 1, "Subnet: IPv4 192.168.1.77/24");
    expect_rule(list, 0, "Subnet: IPv6 2001:db8::77/32");
    weir_blocklist_release(list);
}

static void BL_13_a_prefix_of_nothing_is_the_whole_family(void **state)
{
    (void)state;
    weir_blocklist *narrow = list_of("0.0.0.0/0");
    ASK(narrow, {"0.0.0.0", NULL, 1}, {"255.255.255.255", NULL, 1}, {"1.2.3.4", NULL, 1}, {"::ffff:1.2.3.4", "ipv6", 1},
        {"64:ff9b::1.2.3.4", "ipv6", 1}, {"::1.2.3.4", "ipv6", 0}, {"::", "ipv6", 0}, {"2001:db8::1", "ipv6", 0},
        {"64:ff9b:1::1.2.3.4", "ipv6", 0}, {"64:ff9b::1:0:0", "ipv6", 0}, {"::fffe:1.2.3.4", "ipv6", 0},
        {"::1:ffff:1.2.3.4", "ipv6", 0});
    weir_blocklist_release(narrow);
    weir_blocklist *wide = list_of("::/0");
    ASK(wide, {"::", "ipv6", 1}, {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ipv6", 1}, {"2001:db8::1", "ipv6", 1},
        {"::ffff:1.2.3.4", "ipv6", 1}, {"64:ff9b::1.2.3.4", "ipv6", 1}, {"0.0.0.0", NULL, 1},
        {"255.255.255.255", NULL, 1});
    weir_blocklist_release(wide);
}

static void BL_14_odd_prefixes_compare_single_bits(void **state)
{
    (void)state;
    weir_blocklist *list = list_of("10.0.0.32/27");
    assert_code(weir_blocklist_add_rule(list, "2001:db8:0:0:8000::/65"), 0);
    assert_code(weir_blocklist_add_rule(list, "172.16.0.0/12"), 0);
    assert_code(weir_blocklist_add_rule(list, "fe80::/10"), 0);
    assert_code(weir_blocklist_add_rule(list, "2001:db9::2/127"), 0);
    ASK(list, {"10.0.0.31", NULL, 0}, {"10.0.0.32", NULL, 1}, {"10.0.0.63", NULL, 1}, {"10.0.0.64", NULL, 0},
        {"2001:db8::7fff:ffff:ffff:ffff", "ipv6", 0}, {"2001:db8::8000:0:0:0", "ipv6", 1},
        {"2001:db8::ffff:ffff:ffff:ffff", "ipv6", 1}, {"2001:db8:0:1::", "ipv6", 0}, {"172.15.255.255", NULL, 0},
        {"172.16.0.0", NULL, 1}, {"172.31.255.255", NULL, 1}, {"172.32.0.0", NULL, 0}, {"fe7f:ffff::", "ipv6", 0},
        {"fe80::1", "ipv6", 1}, {"febf::1", "ipv6", 1}, {"fec0::", "ipv6", 0}, {"2001:db9::1", "ipv6", 0},
        {"2001:db9::2", "ipv6", 1}, {"2001:db9::3", "ipv6", 1}, {"2001:db9::4", "ipv6", 0});
    weir_blocklist_release(list);
}

static void BL_15_checking_changes_nothing(void **state)
{
    (void)state;
    weir_blocklist *list = list_of("10.0.0.0/8");
    size_t calls = allocator_calls();
    for (int i = 0; i < 3; i++)
        ASK(list, {"10.1.2.3", NULL, 1}, {"11.1.2.3", NULL, 0}, {"2001:db8::1", "ipv6", 0});
    assert_int_equal(allocator_calls(), calls);
    assert_int_equal(weir_blocklist_rule_count(list), 1);
    weir_blocklist_release(list);
}

/* ---- IPv4 in IPv6 clothes ---- */

static void BL_16_BN_20_ipv4_rules_match_mapped_and_nat64_addresses(void **state)
{
    (void)state;
    static const char *const rules[] = {"123.123.123.123", "123.123.123.100-123.123.123.130", "123.123.0.0/16"};
    for (size_t i = 0; i < COUNT(rules); i++) {
        weir_blocklist *list = list_of(rules[i]);
        ASK(list, {"123.123.123.123", NULL, 1}, {"::ffff:7b7b:7b7b", "ipv6", 1}, {"::ffff:123.123.123.123", "ipv6", 1},
            {"64:ff9b::123.123.123.123", "ipv6", 1}, {"64:ff9b::7b7b:7b7b", "ipv6", 1}, {"::7b7b:7b7b", "ipv6", 0},
            {"::ffff:0:7b7b:7b7b", "ipv6", 0}, {"64:ff9b:0:0:0:1:7b7b:7b7b", "ipv6", 0},
            {"::ffff:124.123.123.123", "ipv6", 0}, {"64:ff9b::124.123.123.123", "ipv6", 0});
        weir_blocklist_release(list);
    }
}

static void BL_17_rules_for_mapped_addresses_match_ipv4(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        int range;
    } rules[] = {
        {"::ffff:1.2.3.4", 0},     {"::ffff:1.2.3.4-::ffff:1.2.3.9", 1},     {"::ffff:1.2.3.4/128", 0},
        {"64:ff9b::1.2.3.4", 0},   {"64:ff9b::1.2.3.4-64:ff9b::1.2.3.9", 1}, {"64:ff9b::102:304/128", 0},
        {"::ffff:1.2.3.0/120", 1},
    };
    for (size_t i = 0; i < COUNT(rules); i++) {
        weir_blocklist *list = list_of(rules[i].rule);
        ASK(list, {"1.2.3.4", NULL, 1}, {"::ffff:1.2.3.4", "ipv6", 1}, {"64:ff9b::1.2.3.4", "ipv6", 1},
            {"1.2.4.4", NULL, 0}, {"::1.2.3.4", "ipv6", 0}, {"::ffff:1.2.4.4", "ipv6", 0});
        assert_int_equal(weir_blocklist_check(list, "1.2.3.9", NULL), rules[i].range);
        assert_int_equal(weir_blocklist_rule_count(list), 1);
        weir_blocklist_release(list);
    }
}

static void BL_17_a_range_that_only_touches_them_matches_that_part(void **state)
{
    (void)state;
    /* from within the mapped addresses to behind them, and from before the NAT64 ones to within */
    weir_blocklist *list = list_of("::ffff:255.0.0.0-::1:0:0:0:0");
    assert_code(weir_blocklist_add_rule(list, "64:ff9a::-64:ff9b::1.0.0.0"), 0);
    ASK(list, {"254.255.255.255", NULL, 0}, {"255.0.0.0", NULL, 1}, {"255.255.255.255", NULL, 1},
        {"::1:0:0:0", "ipv6", 1}, {"::1:0:0:0:0", "ipv6", 1}, {"::1:0:0:0:1", "ipv6", 0}, {"0.0.0.0", NULL, 1},
        {"1.0.0.0", NULL, 1}, {"1.0.0.1", NULL, 0}, {"64:ff9b::1.0.0.1", "ipv6", 0}, {"64:ff9a:ffff::", "ipv6", 1},
        {"64:ff99:ffff::", "ipv6", 0});
    weir_blocklist_release(list);
}

/* ---- what is refused ---- */

static void BL_18_BN_20_what_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    weir_blocklist *list = list_of("0.0.0.0/0");
    ASK(list, {"junk", NULL, WEIR_EINVALIDADDRESS}, {"", NULL, WEIR_EINVALIDADDRESS},
        {"1.2.3", NULL, WEIR_EINVALIDADDRESS}, {"1.2.3.4:80", NULL, WEIR_EINVALIDADDRESS},
        {"01.2.3.4", NULL, WEIR_EINVALIDADDRESS}, {" 1.2.3.4", NULL, WEIR_EINVALIDADDRESS},
        {"::1", NULL, WEIR_EINVALIDADDRESS}, {"1.2.3.4", "ipv6", WEIR_EINVALIDADDRESS},
        {"[::1]", "ipv6", WEIR_EINVALIDADDRESS}, {"::1%", "ipv6", WEIR_EINVALIDADDRESS},
        {"1.2.3.4", "ipv5", WEIR_EINVALIDARGVALUE}, {"1.2.3.4", "", WEIR_EINVALIDARGVALUE});
    weir_address path, none = {.family = WEIR_FAMILY_NONE};
    assert_code(weir_address_from_path(&path, "/run/x.sock", 11, 0), 0);
    assert_code(weir_blocklist_check_of(list, &path), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_check_of(list, &none), WEIR_EINVALIDADDRESS);
    weir_blocklist_release(list);
}

static void BL_19_no_argument_is_an_error(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    weir_address address = ip("1.2.3.4");
    assert_code(weir_blocklist_add_address(list, NULL, NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_address(NULL, "1.2.3.4", NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_range(list, NULL, "1.2.3.4", NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_range(list, "1.2.3.4", NULL, NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_range(NULL, "1.2.3.4", "1.2.3.4", NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_subnet(list, NULL, 8, NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_subnet(NULL, "10.0.0.0", 8, NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_rule(list, NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_rule(NULL, "1.2.3.4"), UV_EINVAL);
    assert_code(weir_blocklist_add_address_of(list, NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_range_of(list, &address, NULL), UV_EINVAL);
    assert_code(weir_blocklist_add_range_of(list, NULL, &address), UV_EINVAL);
    assert_code(weir_blocklist_add_subnet_of(list, NULL, 8), UV_EINVAL);
    assert_code(weir_blocklist_check(list, NULL, NULL), UV_EINVAL);
    assert_code(weir_blocklist_check(NULL, "1.2.3.4", NULL), UV_EINVAL);
    assert_code(weir_blocklist_check_of(list, NULL), UV_EINVAL);
    assert_code(weir_blocklist_check_of(NULL, &address), UV_EINVAL);
    assert_int_equal(weir_blocklist_rule_count(list), 0);
    assert_null(weir_blocklist_retain(NULL));
    weir_blocklist_release(NULL);
    weir_blocklist_release(list);
}

static void BL_20_unreadable_rules_add_nothing(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    weir_address path, address = ip("1.2.3.4");
    assert_code(weir_blocklist_add_address(list, "junk", NULL), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_address(list, "::1", NULL), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_address(list, "1.2.3.4", "ipx"), WEIR_EINVALIDARGVALUE);
    assert_code(weir_blocklist_add_range(list, "1.2.3.4", "junk", NULL), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_range(list, "junk", "1.2.3.4", NULL), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_range(list, "1.2.3.4", "::1", NULL), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_range(list, "1.2.3.4", "1.2.3.5", "ipx"), WEIR_EINVALIDARGVALUE);
    assert_code(weir_blocklist_add_subnet(list, "10.0.0", 8, NULL), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_subnet(list, "10.0.0.0/8", 8, NULL), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_subnet(list, "10.0.0.0", 8, "ipx"), WEIR_EINVALIDARGVALUE);
    assert_code(weir_address_from_path(&path, "/run/x.sock", 11, 0), 0);
    assert_code(weir_blocklist_add_address_of(list, &path), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_range_of(list, &address, &path), WEIR_EINVALIDADDRESS);
    assert_code(weir_blocklist_add_subnet_of(list, &path, 8), WEIR_EINVALIDADDRESS);
    assert_int_equal(weir_blocklist_rule_count(list), 0);
    weir_blocklist_release(list);
}

/* ---- the rules as text ---- */

static void BL_21_BL_22_BL_23_rules_read_newest_first(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    char text[WEIR_ADDRESS_TEXT_SIZE];
    assert_code(weir_blocklist_add_address(list, "1.2.3.4", NULL), 0);
    assert_code(weir_blocklist_add_range(list, "10.0.0.1", "10.0.0.10", NULL), 0);
    assert_code(weir_blocklist_add_subnet(list, "8592:757c:efae:4e45::", 64, "ipv6"), 0);
    assert_code(weir_blocklist_add_address(list, "1.2.3.4", NULL), 0); /* once more: kept */
    assert_code(weir_blocklist_add_range(list, "::1", "::9", "ipv6"), 0);
    assert_code(weir_blocklist_add_subnet(list, "0.0.0.0", 0, NULL), 0); /* swallows the others, which still read */
    assert_code(weir_blocklist_add_address(list, "::FFFF:1.2.3.4", "ipv6"), 0);
    assert_int_equal(weir_blocklist_rule_count(list), 7);
    expect_rule(list, 0, "Address: IPv6 ::ffff:1.2.3.4");
    expect_rule(list, 1, "Subnet: IPv4 0.0.0.0/0");
    expect_rule(list, 2, "Range: IPv6 ::1-::9");
    expect_rule(list, 3, "Address: IPv4 1.2.3.4");
    expect_rule(list, 4, "Subnet: IPv6 8592:757c:efae:4e45::/64");
    expect_rule(list, 5, "Range: IPv4 10.0.0.1-10.0.0.10");
    expect_rule(list, 6, "Address: IPv4 1.2.3.4");
    assert_int_equal(weir_blocklist_rule(list, 7, text, sizeof(text)), 0);
    assert_string_equal(text, "");
    memset(text, '#', sizeof(text));
    assert_int_equal(weir_blocklist_rule(list, 6, text, 8), 21);
    assert_string_equal(text, "Address");
    assert_int_equal(text[8], '#');
    assert_int_equal(weir_blocklist_rule(list, 6, NULL, 0), 21);
    weir_blocklist_release(list);
}

static void BL_24_the_documented_example(void **state)
{
    (void)state;
    weir_blocklist *list = new_list();
    assert_code(weir_blocklist_add_address(list, "123.123.123.123", NULL), 0);
    assert_code(weir_blocklist_add_range(list, "10.0.0.1", "10.0.0.10", NULL), 0);
    assert_code(weir_blocklist_add_subnet(list, "8592:757c:efae:4e45::", 64, "ipv6"), 0);
    ASK(list, {"123.123.123.123", NULL, 1}, {"10.0.0.3", NULL, 1}, {"222.111.111.222", NULL, 0},
        {"::ffff:7b7b:7b7b", "ipv6", 1}, {"::ffff:123.123.123.123", "ipv6", 1});
    weir_blocklist_release(list);
}

static void block_list_rules_of_configurations(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *text;
    } good[] = {
        {"10.0.0.1", "Address: IPv4 10.0.0.1"},
        {"2001:DB8::1", "Address: IPv6 2001:db8::1"},
        {"fe80::1%eth0", "Address: IPv6 fe80::1"},
        {"fe80::1%br-lan", "Address: IPv6 fe80::1"},
        {"10.0.0.1-10.0.0.9", "Range: IPv4 10.0.0.1-10.0.0.9"},
        {"::1-::2", "Range: IPv6 ::1-::2"},
        {"::1-::ffff:1.2.3.4", "Range: IPv6 ::1-::ffff:1.2.3.4"},
        {"10.0.0.0/8", "Subnet: IPv4 10.0.0.0/8"},
        {"10.0.0.0/0", "Subnet: IPv4 10.0.0.0/0"},
        {"2001:db8::/32", "Subnet: IPv6 2001:db8::/32"},
    };
    static const struct {
        const char *rule;
        int code;
    } bad[] = {
        {"", WEIR_EINVALIDADDRESS},
        {"all", WEIR_EINVALIDADDRESS},
        {"10.0.0.1 ", WEIR_EINVALIDADDRESS},
        {"10.0.0.1 - 10.0.0.9", WEIR_EINVALIDADDRESS},
        {"10.0.0.1-", WEIR_EINVALIDADDRESS},
        {"-10.0.0.1", WEIR_EINVALIDADDRESS},
        {"10.0.0.1-10.0.0.9-10.0.0.11", WEIR_EINVALIDADDRESS},
        {"10.0.0.0-10.0.0.0/8", WEIR_EINVALIDADDRESS},
        {"10.0.0/8", WEIR_EINVALIDADDRESS},
        {"/8", WEIR_EINVALIDADDRESS},
        {"10.0.0.0/", WEIR_EINVALIDARGVALUE},
        {"10.0.0.0/08", WEIR_EINVALIDARGVALUE},
        {"10.0.0.0/+8", WEIR_EINVALIDARGVALUE},
        {"10.0.0.0/8.5", WEIR_EINVALIDARGVALUE},
        {"10.0.0.0/-1", WEIR_EINVALIDARGVALUE},
        {"10.0.0.0/255.0.0.0", WEIR_EINVALIDARGVALUE},
        {"10.0.0.0/33", WEIR_EOUTOFRANGE},
        {"10.0.0.0/4294967304", WEIR_EOUTOFRANGE},
        {"10.0.0.0/99999999999999999999999", WEIR_EOUTOFRANGE},
        {"::/129", WEIR_EOUTOFRANGE},
        {"10.0.0.9-10.0.0.1", WEIR_EINVALIDARGVALUE},
        {"10.0.0.1-::1", WEIR_EINVALIDARGVALUE},
        {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8",
         WEIR_EINVALIDADDRESS},
    };
    weir_blocklist *list = new_list();
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_code(weir_blocklist_add_rule(list, good[i].rule), 0);
        expect_rule(list, 0, good[i].text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        int status = weir_blocklist_add_rule(list, bad[i].rule);
        if (status != bad[i].code)
            fail_msg("'%s' gives %s", bad[i].rule, weir_error_name(status));
    }
    assert_int_equal(weir_blocklist_rule_count(list), COUNT(good));
    weir_blocklist_release(list);
}

static void many_rules_are_all_kept_and_all_matched(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    weir_blocklist *list = new_list();
    char text[WEIR_ADDRESS_TEXT_SIZE], expected[WEIR_ADDRESS_TEXT_SIZE];
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), i % 2 ? "10.%u.%u.%u" : "2001:db8:%x:%x::%x", i & 255, i >> 8, i % 251);
        assert_code(weir_blocklist_add_rule(list, text), 0);
    }
    assert_int_equal(weir_blocklist_rule_count(list), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), i % 2 ? "10.%u.%u.%u" : "2001:db8:%x:%x::%x", i & 255, i >> 8, i % 251);
        assert_int_equal(weir_blocklist_check(list, text, i % 2 ? "ipv4" : "ipv6"), 1);
        snprintf(text, sizeof(text), i % 2 ? "10.%u.%u.%u" : "2001:db8:%x:%x::%x", i & 255, i >> 8, 251 + i % 3);
        assert_int_equal(weir_blocklist_check(list, text, i % 2 ? "ipv4" : "ipv6"), 0);
    }
    snprintf(expected, sizeof(expected), "Address: IPv4 10.%u.%u.%u", 1u, 0u, 1u);
    expect_rule(list, MANY - 2, expected);
    weir_blocklist_release(list);
}

/* ---- memory and threads ---- */

static const char *const sweep_rules[] = {
    "10.0.0.1", "10.0.0.3-10.9.8.7",         "192.168.0.0/16", "2001:db8::1-2001:db9::ffff",
    "::/1",     "::ffff:1.2.3.4-64:ff9b::7", "2001:db8::5",    "1.1.1.1",
    "fe80::/10"};

static void add_all(void *arg)
{
    (void)arg;
    weir_blocklist *list = weir_blocklist_new();
    if (list == NULL) {
        assert_int_equal(allocator_failures(), 1);
        return;
    }
    for (size_t i = 0; i < COUNT(sweep_rules); i++) {
        size_t before = allocator_failures();
        int blocked = weir_blocklist_check(list, "fe80::77", "ipv6");
        int status = weir_blocklist_add_rule(list, sweep_rules[i]);
        if (allocator_failures() != before) {
            assert_code(status, UV_ENOMEM);
            assert_int_equal(weir_blocklist_rule_count(list), i);
            assert_int_equal(weir_blocklist_check(list, "fe80::77", "ipv6"), blocked);
            status = weir_blocklist_add_rule(list, sweep_rules[i]);
        }
        assert_code(status, 0);
        assert_int_equal(weir_blocklist_rule_count(list), i + 1);
    }
    ASK(list, {"10.0.0.1", NULL, 1}, {"10.0.0.2", NULL, 1}, {"10.9.8.7", NULL, 1}, {"1.2.3.4", NULL, 1},
        {"fe80::77", "ipv6", 1}, {"fec0::77", "ipv6", 0}, {"2001:db9::ffff", "ipv6", 1}, {"8000::", "ipv6", 0});
    weir_blocklist_release(list);
}

static void without_memory_a_rule_is_added_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_true(allocator_fail_each(add_all, NULL) > 6);
}

enum { THREADS = 4, TURNS = 2000 };

static void *check_in_a_thread(void *arg)
{
    weir_blocklist *list = arg;
    size_t wrong = 0;
    for (int i = 0; i < TURNS; i++) {
        weir_blocklist *mine = weir_blocklist_retain(list);
        wrong += weir_blocklist_check(mine, "10.1.2.3", NULL) != 1;
        wrong += weir_blocklist_check(mine, "64:ff9b::10.1.2.3", "ipv6") != 1;
        wrong += weir_blocklist_check(mine, "11.1.2.3", NULL) != 0;
        weir_blocklist_release(mine);
    }
    weir_blocklist_release(list);
    return wrong ? arg : NULL;
}

static void threads_check_one_list(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    weir_blocklist *list = list_of("10.0.0.0/8");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check_in_a_thread, weir_blocklist_retain(list)), 0);
    weir_blocklist_release(list); /* the last one of them frees it */
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIST_TEST(BL_01_BL_02_an_empty_list_blocks_nobody),
        LIST_TEST(BL_03_the_type_says_how_a_text_is_read),
        LIST_TEST(BL_04_ADDR_12_parsed_addresses_bring_their_own_family),
        LIST_TEST(BL_05_an_address_rule_is_that_address_alone),
        LIST_TEST(BL_06_both_ends_of_a_range_are_in_it),
        LIST_TEST(BL_07_a_range_goes_upwards),
        LIST_TEST(BL_08_a_range_has_one_family),
        LIST_TEST(BL_09_a_subnet_is_what_begins_with_its_prefix),
        LIST_TEST(BL_10_BL_11_prefixes_have_limits),
        LIST_TEST(BL_12_host_bits_show_and_do_not_count),
        LIST_TEST(BL_13_a_prefix_of_nothing_is_the_whole_family),
        LIST_TEST(BL_14_odd_prefixes_compare_single_bits),
        LIST_TEST(BL_15_checking_changes_nothing),
        LIST_TEST(BL_16_BN_20_ipv4_rules_match_mapped_and_nat64_addresses),
        LIST_TEST(BL_17_rules_for_mapped_addresses_match_ipv4),
        LIST_TEST(BL_17_a_range_that_only_touches_them_matches_that_part),
        LIST_TEST(BL_18_BN_20_what_cannot_be_read_is_an_error),
        LIST_TEST(BL_19_no_argument_is_an_error),
        LIST_TEST(BL_20_unreadable_rules_add_nothing),
        LIST_TEST(BL_21_BL_22_BL_23_rules_read_newest_first),
        LIST_TEST(BL_24_the_documented_example),
        LIST_TEST(block_list_rules_of_configurations),
        LIST_TEST(many_rules_are_all_kept_and_all_matched),
        LIST_TEST(without_memory_a_rule_is_added_whole_or_not_at_all),
        LIST_TEST(threads_check_one_list),
    };
    return cmocka_run_group_tests_name("block lists", tests, NULL, NULL);
}
