/* SPDX-License-Identifier: MIT */
/* The sets of addresses below block lists: what they keep, and what they give back. */
#include "allocator.h"
#include "blocklist_tree.h"
#include "fixture.h"

static weir__tree empty(unsigned width)
{
    allocator_install();
    return (weir__tree){.width = width};
}

static weir__ip narrow(uint32_t address)
{
    return (weir__ip){(uint64_t)address << 32, 0};
}

/* What is reserved for so many prefixes is enough, whatever is there already. */
static void add(weir__tree *tree, weir__ip first, weir__ip last)
{
    size_t prefixes = weir__tree_prefixes(tree, first, last);
    assert_code(weir__tree_reserve(tree, prefixes), 0);
    uint32_t nodes = tree->node_count, keys = tree->key_count;
    weir__tree_add(tree, first, last);
    assert_true(tree->node_count - nodes <= prefixes * WEIR__TREE_FAN);
    assert_true(tree->node_count <= tree->node_room);
    assert_true(tree->key_count - keys <= prefixes);
    assert_true(tree->key_count <= tree->key_room);
}

static void add_subnet(weir__tree *tree, weir__ip address, unsigned length)
{
    weir__ip last;
    weir__tree_bounds(tree->width, length, &address, &last);
    add(tree, address, last);
}

static size_t keys_used(const weir__tree *tree)
{
    return tree->key_count - tree->keys_free;
}

static void an_empty_set_has_nothing(void **state)
{
    (void)state;
    weir__tree tree = empty(32);
    assert_int_equal(weir__tree_has(&tree, narrow(0)), 0);
    assert_code(weir__tree_reserve(&tree, 1), 0);
    assert_int_equal(weir__tree_has(&tree, narrow(0)), 0);
    weir__tree_clear(&tree);
    assert_int_equal(weir__tree_has(&tree, narrow(0)), 0);
}

static void ranges_consist_of_so_many_prefixes(void **state)
{
    (void)state;
    const weir__tree four = empty(32), six = empty(128);
    const weir__ip zero = {0, 0}, most = {UINT64_MAX, UINT64_MAX}, last = {UINT64_MAX, UINT64_MAX - 1}, one = {0, 1};
    assert_int_equal(weir__tree_prefixes(&four, narrow(7), narrow(7)), 1);
    assert_int_equal(weir__tree_prefixes(&four, narrow(0), narrow(UINT32_MAX)), 1);
    assert_int_equal(weir__tree_prefixes(&four, narrow(1), narrow(10)), 5); /* 1, 2-3, 4-7, 8-9, 10 */
    assert_int_equal(weir__tree_prefixes(&four, narrow(1), narrow(UINT32_MAX - 1)), 62);
    assert_int_equal(weir__tree_prefixes(&six, zero, most), 1);
    assert_int_equal(weir__tree_prefixes(&six, one, most), 128);
    assert_int_equal(weir__tree_prefixes(&six, zero, last), 128);
    assert_int_equal(weir__tree_prefixes(&six, one, last), 254);
}

static void the_widest_range_has_its_ends_alone_outside(void **state)
{
    (void)state;
    weir__tree tree = empty(128);
    const weir__ip zero = {0, 0}, most = {UINT64_MAX, UINT64_MAX}, last = {UINT64_MAX, UINT64_MAX - 1}, one = {0, 1};
    const weir__ip below = {0, UINT64_MAX}, above = {1, 0};
    add(&tree, one, last);
    assert_int_equal(weir__tree_has(&tree, zero), 0);
    assert_int_equal(weir__tree_has(&tree, most), 0);
    assert_int_equal(weir__tree_has(&tree, one), 1);
    assert_int_equal(weir__tree_has(&tree, last), 1);
    assert_int_equal(weir__tree_has(&tree, below), 1);
    assert_int_equal(weir__tree_has(&tree, above), 1);
    assert_int_equal(keys_used(&tree), 254);
    weir__tree_clear(&tree);
}

static void add_neighbours(weir__tree *four, weir__tree *six, uint32_t net)
{
    for (uint32_t i = 0; i < 65536; i++) {
        uint32_t turned = (i * 40503u) & 65535u; /* each once, in no order */
        const weir__ip wide = {(uint64_t)0x20010db8 << 32, net | turned};
        add(four, narrow(net | turned), narrow(net | turned));
        add(six, wide, wide);
    }
}

static void neighbours_become_one_and_give_back_their_room(void **state)
{
    (void)state;
    weir__tree four = empty(32), six = empty(128);
    add_neighbours(&four, &six, 0x0a000000u);
    assert_int_equal(keys_used(&six), 1);
    assert_int_equal(weir__tree_has(&four, narrow(0x0a000000u)), 1);
    assert_int_equal(weir__tree_has(&four, narrow(0x0a00ffffu)), 1);
    assert_int_equal(weir__tree_has(&four, narrow(0x0a010000u)), 0);
    assert_int_equal(weir__tree_has(&four, narrow(0x09ffffffu)), 0);
    /* what they had, others have, but for the branch that both are on */
    uint32_t narrow_nodes = four.node_count, wide_nodes = six.node_count, keys = six.key_count;
    add_neighbours(&four, &six, 0x0b000000u);
    assert_true(four.node_count <= narrow_nodes + WEIR__TREE_FAN);
    assert_true(six.node_count <= wide_nodes + WEIR__TREE_FAN);
    assert_true(six.key_count <= keys + 1);
    assert_int_equal(keys_used(&six), 2);
    weir__tree_clear(&four);
    weir__tree_clear(&six);
}

static void what_lies_in_another_is_not_kept(void **state)
{
    (void)state;
    weir__tree tree = empty(128);
    const weir__ip net = {(uint64_t)0x20010db8 << 32, 0}, end = {net.high | UINT32_MAX, UINT64_MAX};
    for (uint64_t i = 0; i < 1000; i++) {
        const weir__ip address = {net.high | (i * 7919 & 0xffff), i * i};
        add(&tree, address, address);
    }
    assert_int_equal(keys_used(&tree), 1000);
    add(&tree, net, end);
    assert_int_equal(keys_used(&tree), 1);
    const weir__ip inside = {net.high, 77};
    add(&tree, inside, inside);
    assert_int_equal(keys_used(&tree), 1);
    /* what was given back is used again */
    uint32_t nodes = tree.node_count, keys = tree.key_count;
    for (uint64_t i = 0; i < 1000; i++) {
        const weir__ip address = {((uint64_t)0xfd00 << 48) | (i * 7919 & 0xffff), i * i};
        add(&tree, address, address);
    }
    assert_true(tree.node_count <= nodes + WEIR__TREE_FAN);
    assert_true(tree.key_count <= keys + 1);
    assert_int_equal(keys_used(&tree), 1001);
    weir__tree_clear(&tree);
}

/* Every prefix of two digits, within one that has a child of it for each digit that begins alike. */
static void prefixes_within_a_digit_swallow_and_join(void **state)
{
    (void)state;
    for (unsigned length = 8; length <= 12; length++) {
        weir__tree tree = empty(128);
        weir__ip first = {(uint64_t)0xab << 56, 0}, last;
        weir__ip deep = {((uint64_t)0xab0 << 52) | 5, 5}, other = {(uint64_t)0xabf << 52, 7};
        add(&tree, deep, deep);
        add(&tree, other, other);
        weir__tree_bounds(128, length, &first, &last);
        add(&tree, first, last);
        assert_int_equal(keys_used(&tree), length == 8 ? 1 : 2);
        assert_int_equal(weir__tree_has(&tree, first), 1);
        assert_int_equal(weir__tree_has(&tree, last), 1);
        assert_int_equal(weir__tree_has(&tree, deep), 1);
        assert_int_equal(weir__tree_has(&tree, other), 1);
        const weir__ip behind = {last.high + 1, 0};
        assert_int_equal(weir__tree_has(&tree, behind), 0);
        for (unsigned half = length; half > 8; half--) { /* the other halves, up to the whole */
            weir__ip begin = {((uint64_t)0xab << 56) | ((uint64_t)1 << (64 - half)), 0}, end;
            weir__tree_bounds(128, half, &begin, &end);
            add(&tree, begin, end);
        }
        assert_int_equal(keys_used(&tree), 1);
        assert_int_equal(weir__tree_has(&tree, (weir__ip){((uint64_t)0xac << 56) - 1, UINT64_MAX}), 1);
        assert_int_equal(weir__tree_has(&tree, (weir__ip){(uint64_t)0xac << 56, 0}), 0);
        weir__tree_clear(&tree);
    }
}

/* Two large ones below one branch: the most nodes that a prefix can ask for at once. */
static void one_prefix_needs_one_run_of_nodes(void **state)
{
    (void)state;
    for (unsigned one = 1; one <= 5; one++) {
        for (unsigned two = 1; two <= 5; two++) {
            weir__tree four = empty(32), six = empty(128);
            add_subnet(&four, narrow(0x80000000u), one);
            add_subnet(&four, narrow(0x20000000u), two);
            add_subnet(&four, narrow(0x10000000u), 3);
            add_subnet(&six, narrow(0x80000000u), one);
            add_subnet(&six, narrow(0x20000000u), two);
            add_subnet(&six, narrow(0x10000000u), 3);
            assert_int_equal(weir__tree_has(&four, narrow(0x80000001u)), 1);
            assert_int_equal(weir__tree_has(&six, narrow(0x20000001u)), 1);
            weir__tree_clear(&four);
            weir__tree_clear(&six);
        }
    }
}

static void without_memory_the_set_stays(void **state)
{
    (void)state;
    weir__tree tree = empty(128);
    const weir__ip one = {0, 1}, two = {0, 2};
    for (size_t nth = 1; nth <= 2; nth++) {
        allocator_fail(nth, 1);
        assert_code(weir__tree_reserve(&tree, 1), UV_ENOMEM);
        allocator_fail(0, 0);
    }
    assert_int_equal(weir__tree_has(&tree, one), 0);
    add(&tree, one, one);
    allocator_fail(1, 1);
    assert_code(weir__tree_reserve(&tree, 100), UV_ENOMEM);
    assert_code(weir__tree_reserve(&tree, SIZE_MAX / 2), UV_ENOMEM);
    allocator_fail(0, 0);
    assert_int_equal(weir__tree_has(&tree, one), 1);
    assert_int_equal(weir__tree_has(&tree, two), 0);
    weir__tree_clear(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_nothing),
        cmocka_unit_test(ranges_consist_of_so_many_prefixes),
        cmocka_unit_test(the_widest_range_has_its_ends_alone_outside),
        cmocka_unit_test(neighbours_become_one_and_give_back_their_room),
        cmocka_unit_test(what_lies_in_another_is_not_kept),
        cmocka_unit_test(prefixes_within_a_digit_swallow_and_join),
        cmocka_unit_test(one_prefix_needs_one_run_of_nodes),
        cmocka_unit_test(without_memory_the_set_stays),
    };
    return cmocka_run_group_tests_name("the sets of block lists", tests, NULL, NULL);
}
