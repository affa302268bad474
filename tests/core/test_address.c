/* SPDX-License-Identifier: MIT */
/* Addresses: the isIP family, texts, paths, and the system's form. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include <weir/address.h>
#include <weir/error.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct text_case {
    const char *text;
    int expected;
} text_case;

static void check_is_ip(const text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int family = weir_is_ip(cases[i].text);
        if (family != cases[i].expected)
            fail_msg("'%s' is %d and not %d", cases[i].text ? cases[i].text : "NULL", family, cases[i].expected);
        assert_int_equal(weir_is_ipv4(cases[i].text), family == 4);
        assert_int_equal(weir_is_ipv6(cases[i].text), family == 6);
    }
}

static void net_MOD_03_MOD_07_MOD_08_kinds(void **state)
{
    static const text_case cases[] = {
        {"::1", 6}, {"127.0.0.1", 4}, {"fhqwhgads", 0}, {"0.0.0.0", 4}, {"1.2.3.4:80", 0}};
    (void)state;
    check_is_ip(cases, COUNT(cases));
}

static void net_MOD_04_ipv4_is_four_plain_numbers(void **state)
{
    static const text_case cases[] = {
        {"127.000.000.001", 0}, {"127.0.0.1/24", 0}, {"255.255.255.255", 4}, {"256.0.0.1", 0},
        {"1.2.3.04", 0},        {"1.2.3.4.5", 0},    {"1.2.3.4%lo", 0},      {"1.2.3.-4", 0},
    };
    (void)state;
    check_is_ip(cases, COUNT(cases));
}

static void net_MOD_05_ipv6_vectors(void **state)
{
    static const text_case cases[] = {
        {"::1", 6},
        {"::", 6},
        {"1::", 6},
        {"1:2:3:4:5:6:7:8", 6},
        {"1:2:3:4:5:6:7::", 6},
        {"::1.2.3.4", 6},
        {"::ffff:1.2.3.4", 6},
        {"::ffff:0:1.2.3.4", 6},
        {"fe80::1%eth0", 6},
        {"fe80::1%br_lan", 6},
        {"2001:DB8:0:0::1", 6},
        {":::", 0},
        {"12345::", 0},
        {"1::2::3", 0},
        {"1:2:3:4:5:6:7:8:9", 0},
        {"1::2:3:4:5:6:7:8", 0},
        {"::256.1.1.1", 0},
        {"[::1]", 0},
        {"fe80::1%", 0},
        {"fe80::1%lo%lo", 0},
        {"fe80::1%lo:80", 0},
        {"fe80::1%a b", 0},
        {"fe80::1%sixteen-letters-", 0},
        {"", 0},
    };
    (void)state;
    check_is_ip(cases, COUNT(cases));
}

static void net_MOD_06_strictness(void **state)
{
    static const text_case cases[] = {
        {NULL, 0},
        {" 127.0.0.1", 0},
        {"127.0.0.1 ", 0},
        {"127.0.0.1\n", 0},
        {"127.1", 0},
        {"1.2.3", 0},
        {"0x7f.0.0.1", 0},
        {"0177.0.0.1", 0},
        {" ::1", 0},
        {"::1 ", 0},
        {"1.2.3.4.", 0},
        {".1.2.3.4", 0},
        {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", 0},
    };
    (void)state;
    check_is_ip(cases, COUNT(cases));
}

static void expect_format(const weir_address *address, const char *expected)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    size_t length = weir_address_format(address, text, sizeof(text));
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void expect_ip(const weir_address *address, const char *expected)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    size_t length = weir_address_ip(address, text, sizeof(text));
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void net_ADDR_07_ADDR_10_from_ip_reads_back_canonically(void **state)
{
    weir_address address;
    (void)state;
    assert_int_equal(weir_address_from_ip(&address, "127.0.0.1", 8124), 0);
    assert_int_equal(address.family, WEIR_FAMILY_IPV4);
    assert_int_equal(address.port, 8124);
    expect_ip(&address, "127.0.0.1");
    expect_format(&address, "127.0.0.1:8124");
    assert_int_equal(weir_address_from_ip(&address, "2001:DB8:0:0::1", 80), 0);
    assert_int_equal(address.family, WEIR_FAMILY_IPV6);
    expect_ip(&address, "2001:db8::1");
    expect_format(&address, "[2001:db8::1]:80");
}

static void net_ADDR_11_from_ip_refuses_and_leaves_the_address(void **state)
{
    weir_address address;
    weir_address before;
    (void)state;
    assert_int_equal(weir_address_from_ip(&address, "10.0.0.1", 1), 0);
    before = address;
    assert_int_equal(weir_address_from_ip(&address, "10.0.0.256", 2), WEIR_EINVALIDADDRESS);
    assert_int_equal(weir_address_from_ip(&address, "fe80::1%nosuchif", 2), WEIR_EINVALIDADDRESS);
    assert_int_equal(weir_address_from_ip(&address, "fe80::1%4294967295", 2), WEIR_EINVALIDADDRESS);
    assert_int_equal(weir_address_from_ip(&address, "fe80::1%0", 2), WEIR_EINVALIDADDRESS);
    assert_int_equal(weir_address_from_ip(&address, NULL, 2), UV_EINVAL);
    assert_int_equal(weir_address_from_ip(NULL, "::1", 2), UV_EINVAL);
    assert_memory_equal(&address, &before, sizeof(address));
}

static void net_BN_19_zones_by_name_and_number(void **state)
{
    weir_address address;
    weir_address by_number;
    (void)state;
    assert_int_equal(weir_address_from_ip(&address, "fe80::1%lo", 80), 0);
    assert_int_equal(address.scope, 1);
    expect_ip(&address, "fe80::1%lo");
    expect_format(&address, "[fe80::1%lo]:80");
    assert_int_equal(weir_address_from_ip(&by_number, "fe80::1%1", 80), 0);
    assert_true(weir_address_equal(&address, &by_number));
}

static void net_BN_19_an_interface_that_is_gone_prints_as_its_number(void **state)
{
    weir_address address;
    (void)state;
    assert_int_equal(weir_address_from_ip(&address, "fe80::1%lo", 80), 0);
    address.scope = 4000000000u;
    expect_ip(&address, "fe80::1%4000000000");
}

static void net_BN_19_parse_takes_these(void **state)
{
    static const struct {
        const char *text;
        const char *formatted;
    } cases[] = {
        {"1.2.3.4:80", "1.2.3.4:80"},
        {"1.2.3.4", "1.2.3.4:0"},
        {"1.2.3.4:0", "1.2.3.4:0"},
        {"1.2.3.4:65535", "1.2.3.4:65535"},
        {"[::1]:80", "[::1]:80"},
        {"[::1]", "[::1]:0"},
        {"::1", "[::1]:0"},
        {"::", "[::]:0"},
        {"[fe80::1%lo]:80", "[fe80::1%lo]:80"},
        {"[::1%lo]:80", "[::1%lo]:80"},
        {"fe80::1%lo", "[fe80::1%lo]:0"},
        {"::ffff:1.2.3.4", "[::ffff:1.2.3.4]:0"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir_address address;
        if (weir_address_parse(&address, cases[i].text))
            fail_msg("'%s' is an address", cases[i].text);
        expect_format(&address, cases[i].formatted);
    }
}

static void net_BN_19_parse_refuses_all_else(void **state)
{
    static const char *const cases[] = {
        "",
        "user@1.2.3.4:80",
        "1.2.3.4:80/x",
        "1.2.3.4:",
        "1.2.3.4:65536",
        "1.2.3.4:080",
        "1.2.3.4:-1",
        "1.2.3.4:+1",
        "1.2.3.4: 80",
        "1.2.3.4:80 ",
        " 1.2.3.4:80",
        "1.2.3.4:8a",
        "01.2.3.4",
        "[1.2.3.4]:80",
        "[::1",
        "::1]:80",
        "[::1]80",
        "[::1]:",
        "[::1]:x",
        "[[::1]]:80",
        "[]:80",
        ":80",
        "localhost:80",
        "fe80::1%lo:80",
        "[::1%]:80",
        "1.2.3.4:99999999999",
        "[::1]:4294967376",
        "http://1.2.3.4:80",
        "/run/x.sock",
        "@name",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80",
    };
    (void)state;
    weir_address address = {.family = WEIR_FAMILY_NONE, .port = 77};
    for (size_t i = 0; i < COUNT(cases); i++) {
        int status = weir_address_parse(&address, cases[i]);
        if (status != WEIR_EINVALIDADDRESS)
            fail_msg("'%s' gave %d", cases[i], status);
        assert_int_equal(address.port, 77);
    }
    assert_int_equal(weir_address_parse(&address, NULL), UV_EINVAL);
    assert_int_equal(weir_address_parse(NULL, "::1"), UV_EINVAL);
}

static void net_PATH_05_BN_12_paths_up_to_107_bytes(void **state)
{
    weir_address address;
    char path[WEIR_PATH_MAX + 1];
    (void)state;
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    assert_int_equal(weir_address_from_path(&address, path, WEIR_PATH_MAX, 0), 0);
    assert_int_equal(address.length, WEIR_PATH_MAX);
    assert_int_equal(weir_address_from_path(&address, path, WEIR_PATH_MAX + 1, 0), UV_ENAMETOOLONG);
    assert_int_equal(weir_address_from_path(&address, path, WEIR_PATH_MAX, 1), 0);
    assert_int_equal(weir_address_from_path(&address, path, WEIR_PATH_MAX + 1, 1), UV_ENAMETOOLONG);
    assert_int_equal(weir_address_from_path(&address, "", 0, 0), UV_EINVAL);
    assert_int_equal(weir_address_from_path(&address, "", 0, 1), UV_EINVAL);
    assert_int_equal(weir_address_from_path(&address, "a\0b", 3, 0), UV_EINVAL);
    assert_int_equal(weir_address_from_path(&address, NULL, 3, 0), UV_EINVAL);
    assert_int_equal(weir_address_from_path(NULL, "abc", 3, 0), UV_EINVAL);
}

static void net_BN_13_texts_of_paths_are_exact(void **state)
{
    static const struct {
        const char *path;
        size_t length;
        int abstract;
        const char *text;
    } cases[] = {
        {"/run/x.sock", 11, 0, "/run/x.sock"},
        {"rel/a b", 7, 0, "rel/a b"},
        {"name", 4, 1, "@name"},
        {"a\0b", 3, 1, "@a%00b"},
        {"\0", 1, 1, "@%00"},
        {"@x", 2, 0, "./@x"},
        {"/a\nb", 4, 0, "/a%0Ab"},
        {"/100%", 5, 0, "/100%25"},
        {"/\xc3\xa9", 3, 0, "/%C3%A9"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        weir_address address;
        assert_int_equal(weir_address_from_path(&address, cases[i].path, cases[i].length, cases[i].abstract), 0);
        expect_ip(&address, cases[i].text);
        expect_format(&address, cases[i].text);
    }
}

static void address_texts_are_cut_to_the_room_there_is(void **state)
{
    weir_address address;
    char text[8];
    (void)state;
    assert_int_equal(weir_address_from_ip(&address, "127.0.0.1", 80), 0);
    memset(text, '#', sizeof(text));
    assert_int_equal(weir_address_format(&address, text, 5), 12);
    assert_string_equal(text, "127.");
    assert_int_equal(text[5], '#');
    assert_int_equal(weir_address_format(&address, NULL, 0), 12);
    assert_int_equal(weir_address_format(&address, text, 1), 12);
    assert_string_equal(text, "");
}

static void address_text_size_is_enough_for_the_worst_path(void **state)
{
    weir_address address = {.family = WEIR_FAMILY_PATH, .length = 108, .abstract = 1};
    (void)state;
    memset(address.bytes, 0x80, sizeof(address.bytes));
    assert_true(weir_address_format(&address, NULL, 0) < WEIR_ADDRESS_TEXT_SIZE);
    address.length = UINT16_MAX;
    assert_true(weir_address_format(&address, NULL, 0) < WEIR_ADDRESS_TEXT_SIZE);
}

static void roundtrip(const weir_address *address)
{
    struct sockaddr_storage storage;
    size_t size = sizeof(storage);
    weir_address back;
    assert_int_equal(weir_address_to_sockaddr(address, &storage, &size), 0);
    assert_int_equal(weir_address_from_sockaddr(&back, (const struct sockaddr *)&storage, size), 0);
    assert_true(weir_address_equal(address, &back));
    size--;
    assert_int_equal(weir_address_to_sockaddr(address, &storage, &size), UV_ENOBUFS);
}

static void address_goes_to_the_systems_form_and_back(void **state)
{
    weir_address address;
    (void)state;
    assert_int_equal(weir_address_from_ip(&address, "1.2.3.4", 80), 0);
    roundtrip(&address);
    assert_int_equal(weir_address_from_ip(&address, "fe80::2%lo", 443), 0);
    address.flowlabel = 0xabcde;
    roundtrip(&address);
    assert_int_equal(weir_address_from_path(&address, "/run/x.sock", 11, 0), 0);
    roundtrip(&address);
    assert_int_equal(weir_address_from_path(&address, "a\0b", 3, 1), 0);
    roundtrip(&address);
}

static void net_PATH_14_BN_13_the_system_names_an_abstract_socket_the_same(void **state)
{
    weir_address address;
    weir_address back;
    struct sockaddr_storage storage;
    struct sockaddr_un bound;
    socklen_t bound_size = sizeof(bound);
    size_t size = sizeof(storage);
    char name[32];
    (void)state;
    int length = snprintf(name, sizeof(name), "weir%cunit%d", 0, (int)getpid());
    assert_int_equal(weir_address_from_path(&address, name, (size_t)length, 1), 0);
    assert_int_equal(weir_address_to_sockaddr(&address, &storage, &size), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&storage, (socklen_t)size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &bound_size), 0);
    close(fd);
    assert_int_equal(weir_address_from_sockaddr(&back, (const struct sockaddr *)&bound, bound_size), 0);
    assert_true(weir_address_equal(&address, &back));
}

static void address_of_an_unnamed_socket_is_an_empty_path(void **state)
{
    int fds[2];
    struct sockaddr_un name;
    socklen_t size = sizeof(name);
    weir_address address;
    size_t back = sizeof(name);
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&name, &size), 0);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(weir_address_from_sockaddr(&address, (const struct sockaddr *)&name, size), 0);
    assert_int_equal(address.family, WEIR_FAMILY_PATH);
    assert_int_equal(address.length, 0);
    expect_format(&address, "");
    assert_int_equal(weir_address_to_sockaddr(&address, &name, &back), 0);
    assert_int_equal(back, size);
}

static void address_of_a_path_without_room_for_its_nul(void **state)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    weir_address address;
    (void)state;
    memset(name.sun_path, 'p', sizeof(name.sun_path));
    /* the system counts the NUL although it is not there */
    assert_int_equal(weir_address_from_sockaddr(&address, (const struct sockaddr *)&name, sizeof(name) + 1), 0);
    assert_int_equal(address.length, 108);
    roundtrip(&address);
}

static void address_from_sockaddr_refuses_what_it_does_not_know(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr other = {.sa_family = AF_PACKET};
    weir_address address;
    (void)state;
    assert_int_equal(weir_address_from_sockaddr(&address, &other, sizeof(other)), WEIR_EINVALIDADDRESSFAMILY);
    assert_int_equal(weir_address_from_sockaddr(&address, (const struct sockaddr *)&in, sizeof(in) - 1),
                     WEIR_EINVALIDADDRESSFAMILY);
    assert_int_equal(weir_address_from_sockaddr(&address, &other, 0), WEIR_EINVALIDADDRESSFAMILY);
    assert_int_equal(weir_address_from_sockaddr(&address, NULL, sizeof(other)), WEIR_EINVALIDADDRESSFAMILY);
}

static void address_to_sockaddr_refuses_what_is_none(void **state)
{
    struct sockaddr_storage storage;
    size_t size = sizeof(storage);
    weir_address none = {.family = WEIR_FAMILY_NONE};
    weir_address too_long = {.family = WEIR_FAMILY_PATH, .length = 109};
    (void)state;
    assert_int_equal(weir_address_to_sockaddr(&none, &storage, &size), UV_EINVAL);
    assert_int_equal(weir_address_to_sockaddr(&too_long, &storage, &size), UV_EINVAL);
    too_long.length = 108;
    too_long.abstract = 1;
    assert_int_equal(weir_address_to_sockaddr(&too_long, &storage, &size), UV_EINVAL);
    assert_int_equal(weir_address_to_sockaddr(NULL, &storage, &size), UV_EINVAL);
    assert_int_equal(weir_address_to_sockaddr(&none, NULL, &size), UV_EINVAL);
    assert_int_equal(weir_address_to_sockaddr(&none, &storage, NULL), UV_EINVAL);
}

static void net_SRV_16_SOCP_12_names_of_families(void **state)
{
    (void)state;
    assert_string_equal(weir_family_name(WEIR_FAMILY_IPV4), "IPv4");
    assert_string_equal(weir_family_name(WEIR_FAMILY_IPV6), "IPv6");
    assert_string_equal(weir_family_name(WEIR_FAMILY_PATH), "path");
    assert_string_equal(weir_family_name(WEIR_FAMILY_NONE), "none");
    assert_string_equal(weir_family_name((weir_family)77), "none");
}

static void net_ADDR_09_equality_counts_every_part(void **state)
{
    weir_address a;
    weir_address b;
    (void)state;
    assert_int_equal(weir_address_from_ip(&a, "::1", 80), 0);
    b = a;
    assert_true(weir_address_equal(&a, &b));
    b.port = 81;
    assert_false(weir_address_equal(&a, &b));
    b = a;
    b.flowlabel = 1;
    assert_false(weir_address_equal(&a, &b));
    b = a;
    b.scope = 1;
    assert_false(weir_address_equal(&a, &b));
    b = a;
    b.bytes[15] = 2;
    assert_false(weir_address_equal(&a, &b));
    assert_int_equal(weir_address_from_path(&a, "name", 4, 0), 0);
    assert_int_equal(weir_address_from_path(&b, "name", 4, 1), 0);
    assert_false(weir_address_equal(&a, &b));
    /* bytes behind the length do not count */
    b = a;
    b.bytes[100] = 7;
    assert_true(weir_address_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_MOD_03_MOD_07_MOD_08_kinds),
        cmocka_unit_test(net_MOD_04_ipv4_is_four_plain_numbers),
        cmocka_unit_test(net_MOD_05_ipv6_vectors),
        cmocka_unit_test(net_MOD_06_strictness),
        cmocka_unit_test(net_ADDR_07_ADDR_10_from_ip_reads_back_canonically),
        cmocka_unit_test(net_ADDR_11_from_ip_refuses_and_leaves_the_address),
        cmocka_unit_test(net_BN_19_zones_by_name_and_number),
        cmocka_unit_test(net_BN_19_an_interface_that_is_gone_prints_as_its_number),
        cmocka_unit_test(net_BN_19_parse_takes_these),
        cmocka_unit_test(net_BN_19_parse_refuses_all_else),
        cmocka_unit_test(net_PATH_05_BN_12_paths_up_to_107_bytes),
        cmocka_unit_test(net_BN_13_texts_of_paths_are_exact),
        cmocka_unit_test(address_texts_are_cut_to_the_room_there_is),
        cmocka_unit_test(address_text_size_is_enough_for_the_worst_path),
        cmocka_unit_test(address_goes_to_the_systems_form_and_back),
        cmocka_unit_test(net_PATH_14_BN_13_the_system_names_an_abstract_socket_the_same),
        cmocka_unit_test(address_of_an_unnamed_socket_is_an_empty_path),
        cmocka_unit_test(address_of_a_path_without_room_for_its_nul),
        cmocka_unit_test(address_from_sockaddr_refuses_what_it_does_not_know),
        cmocka_unit_test(address_to_sockaddr_refuses_what_is_none),
        cmocka_unit_test(net_SRV_16_SOCP_12_names_of_families),
        cmocka_unit_test(net_ADDR_09_equality_counts_every_part),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
