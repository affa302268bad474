/* SPDX-License-Identifier: MIT */
/* Block lists of random rules: each answer is what looking at the rules one after the other gives. */
#include <string.h>

#include "block_lists.h"

/* The same numbers in every run (xorshift). */
static uint32_t random_number(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 16);
}

/* What each rule says, to be looked at one after the other. */
typedef struct {
    unsigned char first[16], last[16]; /* IPv4 is mapped */
} plain_rule;

static void put_mapped(unsigned char *bytes, const weir_address *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (address->family == WEIR_FAMILY_IPV6) {
        memcpy(bytes, address->bytes, 16);
    } else {
        memcpy(bytes, mapped, 12);
        memcpy(bytes + 12, address->bytes, 4);
    }
}

static int plain_has(const plain_rule *rules, size_t count, const unsigned char *address)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(rules[i].first, address, 16) <= 0 && memcmp(address, rules[i].last, 16) <= 0)
            return 1;
    return 0;
}

/* An address is blocked when it is, or (of an IPv4 one in any form) when any of its forms is. */
static int plain_check(const plain_rule *rules, size_t count, const weir_address *address)
{
    static const unsigned char heads[2][12] = {{[10] = 0xff, [11] = 0xff}, {0, 0x64, 0xff, 0x9b}};
    unsigned char bytes[16], form[16];
    put_mapped(bytes, address);
    if (plain_has(rules, count, bytes))
        return 1;
    if (memcmp(bytes, heads[0], 12) != 0 && memcmp(bytes, heads[1], 12) != 0)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        memcpy(form, heads[i], 12);
        memcpy(form + 12, bytes + 12, 4);
        if (plain_has(rules, count, form))
            return 1;
    }
    return 0;
}

/* Addresses that lie close together in a few places, so that rules meet: IPv4, mapped, NAT64, compatible, and others. */
static weir_address random_address(uint64_t *seed)
{
    static const char *const places[] = {"10.0.0.0",
                                         "10.0.255.0",
                                         "255.255.255.0",
                                         "0.0.0.0",
                                         "::ffff:10.0.0.0",
                                         "64:ff9b::10.0.255.0",
                                         "::ffff:0:0",
                                         "64:ff9b::ffff:ff00",
                                         "2001:db8::",
                                         "2001:db8:0:0:ff00::",
                                         "::",
                                         "ffff:ffff:ffff:ffff::",
                                         "::10.0.0.0",
                                         "::fffe:ffff:ff00",
                                         "::1:0:0:0",
                                         "64:ff9a:ffff::"};
    weir_address address = ip(places[random_number(seed) % COUNT(places)]);
    unsigned bits = random_number(seed) % (address.length * 8u + 1);
    if (random_number(seed) % 4 != 0)
        bits %= 13; /* mostly near */
    for (unsigned bit = 0; bit < bits; bit++)
        if (random_number(seed) & 1)
            address.bytes[address.length - 1u - bit / 8] ^= (unsigned char)(1u << bit % 8);
    return address;
}

static void random_subnet(uint64_t *seed, weir_blocklist *list, plain_rule *plain)
{
    weir_address net = random_address(seed);
    unsigned width = net.length * 8u, head = net.family == WEIR_FAMILY_IPV4 ? 96 : 0;
    unsigned prefix =
        random_number(seed) % 3 != 0 ? width - random_number(seed) % 12 : random_number(seed) % (width + 1);
    if (random_number(seed) % 8 != 0 && prefix < width / 2)
        prefix = width - prefix; /* or all would be blocked soon */
    assert_code(weir_blocklist_add_subnet_of(list, &net, (int)prefix), 0);
    put_mapped(plain->first, &net);
    memcpy(plain->last, plain->first, 16);
    for (unsigned bit = head + prefix; bit < 128; bit++) {
        plain->first[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
        plain->last[bit / 8] |= (unsigned char)(0x80u >> bit % 8);
    }
}

static void random_range(uint64_t *seed, weir_blocklist *list, plain_rule *plain)
{
    weir_address start = random_address(seed), end = start;
    for (unsigned bit = random_number(seed) % 11; bit-- > 0;)
        if (random_number(seed) & 1)
            end.bytes[end.length - 1u - bit / 8] ^= (unsigned char)(1u << bit % 8);
    if (random_number(seed) % 64 == 0)
        do
            end = random_address(seed); /* a long one */
        while (end.family != start.family);
    if (memcmp(start.bytes, end.bytes, start.length) > 0) {
        weir_address other = start;
        start = end;
        end = other;
    }
    assert_code(weir_blocklist_add_range_of(list, &start, &end), 0);
    put_mapped(plain->first, &start);
    put_mapped(plain->last, &end);
}

static void random_rule(uint64_t *seed, weir_blocklist *list, plain_rule *plain)
{
    switch (random_number(seed) % 3) {
    case 0:
        random_subnet(seed, list, plain);
        return;
    case 1:
        random_range(seed, list, plain);
        return;
    default: {
        weir_address address = random_address(seed);
        assert_code(weir_blocklist_add_address_of(list, &address), 0);
        put_mapped(plain->first, &address);
        memcpy(plain->last, plain->first, 16);
    }
    }
}

static void compare(const weir_blocklist *list, const plain_rule *rules, size_t count, const weir_address *address,
                    size_t *hits)
{
    int expected = plain_check(rules, count, address);
    int found = weir_blocklist_check_of(list, address);
    if (found != expected) {
        char text[WEIR_ADDRESS_TEXT_SIZE];
        weir_address_ip(address, text, sizeof(text));
        fail_msg("with %zu rules %s gives %d and not %d", count, text, found, expected);
    }
    *hits += (size_t)found;
}

static weir_address address_of(const unsigned char *bytes)
{
    weir_address address = {.family = WEIR_FAMILY_IPV6, .length = 16};
    memcpy(address.bytes, bytes, 16);
    return address;
}

/* A bit on, or back: who is a neighbour of a rule's end. */
static weir_address neighbour(const unsigned char *bytes, int on)
{
    weir_address address = address_of(bytes);
    unsigned char wraps = on ? 0xff : 0;
    size_t i = 15;
    while (i > 0 && address.bytes[i] == wraps)
        address.bytes[i--] = (unsigned char)~wraps;
    address.bytes[i] = (unsigned char)(address.bytes[i] + (on ? 1 : -1));
    return address;
}

static void BL_05_BL_06_BL_09_BL_14_BL_16_BL_17_random_rules_match_as_looked_at_one_by_one(void **state)
{
    (void)state;
    enum { LISTS = 1000, RULES = 60, QUESTIONS = 100 };
    size_t hits = 0, asked = 0;
    for (uint64_t round = 1; round <= LISTS; round++) {
        uint64_t seed = round * 0x9e3779b97f4a7c15u;
        weir_blocklist *list = new_list();
        plain_rule rules[RULES];
        size_t count = 1 + random_number(&seed) % RULES;
        for (size_t i = 0; i < count; i++) {
            random_rule(&seed, list, &rules[i]);
            weir_address edges[4] = {address_of(rules[i].first), address_of(rules[i].last),
                                     neighbour(rules[i].first, 0), neighbour(rules[i].last, 1)};
            for (size_t j = 0; j < COUNT(edges); j++)
                compare(list, rules, i + 1, &edges[j], &hits);
            asked += COUNT(edges);
        }
        for (size_t i = 0; i < QUESTIONS; i++, asked++) {
            weir_address address = random_address(&seed);
            compare(list, rules, count, &address, &hits);
        }
        assert_int_equal(weir_blocklist_rule_count(list), count);
        weir_blocklist_release(list);
    }
    /* of both kinds there were enough to mean something */
    assert_true(hits > asked / 10 && hits < asked - asked / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIST_TEST(BL_05_BL_06_BL_09_BL_14_BL_16_BL_17_random_rules_match_as_looked_at_one_by_one),
    };
    return cmocka_run_group_tests_name("blocklist_random", tests, NULL, NULL);
}
