/* SPDX-License-Identifier: MIT */
/* Errors: names and texts of codes, and the object that an 'error' event carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include <weir/error.h>
#include <weir/runtime.h>

#include "allocator.h"

static void net_LIFE_17_SRV_40_names_of_weirs_own_codes(void **state)
{
    (void)state;
    assert_string_equal(weir_error_name(WEIR_ESERVER_ALREADY_LISTEN), "ERR_SERVER_ALREADY_LISTEN");
    assert_string_equal(weir_error_name(WEIR_EINVALIDHANDLETYPE), "ERR_INVALID_HANDLE_TYPE");
    assert_string_equal(weir_error_name(WEIR_EABORTED), "ABORT_ERR");
    assert_string_equal(weir_error_text(WEIR_ESTREAM_DESTROYED), "the stream was destroyed");
}

static void error_table_has_every_code_once(void **state)
{
    static const int codes[] = {
#define CODE(id, value, name, text) (value),
        WEIR_ERROR_MAP(CODE)
#undef CODE
#define CODE(id, text) UV_##id,
            UV_ERRNO_MAP(CODE)
#undef CODE
    };
    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_true(codes[i] < 0);
        assert_true(weir_error_text(codes[i])[0] != '\0');
        if (codes[i] != UV_UNKNOWN)
            assert_string_not_equal(weir_error_name(codes[i]), "UNKNOWN");
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(codes[i], codes[j]);
    }
}

static void net_SOCK_35_names_of_system_codes_are_errno_names(void **state)
{
    (void)state;
    assert_string_equal(weir_error_name(UV_ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(weir_error_name(UV_EOF), "EOF");
    assert_string_equal(weir_error_text(UV_ECONNRESET), "connection reset by peer");
    assert_string_equal(weir_error_text(UV_EACCES), uv_strerror(UV_EACCES));
}

static void net_SOCK_37_SRV_66_no_such_host_is_ENOTFOUND(void **state)
{
    (void)state;
    assert_string_equal(weir_error_name(UV_EAI_NONAME), "ENOTFOUND");
    assert_string_equal(weir_error_name(UV_EAI_NODATA), "ENOTFOUND");
    assert_string_equal(weir_error_name(UV_EAI_AGAIN), "EAI_AGAIN");
}

static void error_unknown_codes_have_a_name_and_a_text_too(void **state)
{
    (void)state;
    assert_string_equal(weir_error_name(-19999), "UNKNOWN");
    assert_string_equal(weir_error_text(-19999), "unknown error");
    assert_string_equal(weir_error_name(0), "UNKNOWN");
    assert_string_equal(weir_error_name(17), "UNKNOWN");
}

static void net_SOCK_35_fields_and_message(void **state)
{
    (void)state;
    size_t before = allocator_live();
    weir_error *error = weir_error_new(UV_ECONNREFUSED, "connect", "127.0.0.1", 9);
    assert_int_equal(error->code, UV_ECONNREFUSED);
    assert_int_equal(error->port, 9);
    assert_string_equal(error->name, "ECONNREFUSED");
    assert_string_equal(error->syscall, "connect");
    assert_string_equal(error->address, "127.0.0.1");
    assert_string_equal(error->message, "connect 127.0.0.1:9: connection refused (ECONNREFUSED)");
    assert_int_equal(error->error_count, 0);
    assert_null(error->errors);
    weir_error_release(error);
    assert_int_equal(allocator_live(), before);
}

static void expect_message(int code, const char *syscall, const char *address, int port, const char *expected)
{
    weir_error *error = weir_error_new(code, syscall, address, port);
    assert_string_equal(error->message, expected);
    weir_error_release(error);
}

static void error_message_of_what_is_known(void **state)
{
    (void)state;
    expect_message(UV_EPIPE, "write", NULL, -1, "write: broken pipe (EPIPE)");
    expect_message(UV_EPIPE, NULL, NULL, -1, "broken pipe (EPIPE)");
    expect_message(UV_EACCES, "listen", "/run/x.sock", -1, "listen /run/x.sock: permission denied (EACCES)");
    expect_message(UV_EACCES, "listen", NULL, 80, "listen port 80: permission denied (EACCES)");
    expect_message(UV_EAI_NONAME, "getaddrinfo", "no.such", 80,
                   "getaddrinfo no.such:80: no such host name (ENOTFOUND)");
    expect_message(UV_EACCES, NULL, "1.2.3.4", 80, "1.2.3.4:80: permission denied (EACCES)");
    expect_message(WEIR_EABORTED, "connect", NULL, -1, "connect: the operation was aborted (ABORT_ERR)");
}

static void error_message_puts_ipv6_in_brackets_before_a_port(void **state)
{
    (void)state;
    expect_message(UV_EADDRINUSE, "listen", "::1", 80, "listen [::1]:80: address already in use (EADDRINUSE)");
    expect_message(UV_EADDRINUSE, "listen", "fe80::1%lo", 80,
                   "listen [fe80::1%lo]:80: address already in use (EADDRINUSE)");
    expect_message(UV_EADDRINUSE, "listen", "::1", -1, "listen ::1: address already in use (EADDRINUSE)");
    expect_message(UV_EADDRINUSE, "listen", "/a:b", 80, "listen /a:b:80: address already in use (EADDRINUSE)");
}

static void error_texts_are_copies(void **state)
{
    char syscall[] = "connect";
    char address[] = "10.0.0.1";
    (void)state;
    weir_error *error = weir_error_new(UV_ETIMEDOUT, syscall, address, 1);
    memset(syscall, '#', sizeof(syscall) - 1);
    memset(address, '#', sizeof(address) - 1);
    assert_string_equal(error->syscall, "connect");
    assert_string_equal(error->address, "10.0.0.1");
    weir_error_release(error);
}

static void error_with_a_message_of_the_callers_own(void **state)
{
    (void)state;
    weir_error *error = weir_error_newf(UV_EINVAL, "read", NULL, -1, "%s of %d bytes", "a message", 12);
    assert_string_equal(error->message, "a message of 12 bytes");
    assert_string_equal(error->name, "EINVAL");
    assert_null(error->address);
    weir_error_release(error);
}

static void error_of_a_code_that_is_none_is_one_all_the_same(void **state)
{
    (void)state;
    weir_error *error = weir_error_new(0, "read", NULL, -1);
    assert_int_equal(error->code, UV_UNKNOWN);
    assert_string_equal(error->message, "read: unknown error (UNKNOWN)");
    weir_error_release(error);
}

static void error_references_are_counted(void **state)
{
    (void)state;
    size_t before = allocator_live();
    weir_error *error = weir_error_new(UV_EIO, "read", NULL, -1);
    assert_ptr_equal(weir_error_retain(error), error);
    weir_error_release(error);
    assert_string_equal(error->name, "EIO");
    weir_error_release(error);
    assert_int_equal(allocator_live(), before);
    assert_null(weir_error_retain(NULL));
    weir_error_release(NULL);
}

static void net_CONN_31_BN_02_aggregate_names_every_error(void **state)
{
    (void)state;
    size_t before = allocator_live();
    weir_error *first = weir_error_new(UV_ECONNREFUSED, "connect", "::1", 9);
    weir_error *second = weir_error_new(UV_ENETUNREACH, "connect", "10.0.0.1", 9);
    const weir_error *const both[] = {first, second};
    weir_error *all = weir_error_new_aggregate(both, 2, "connect tcp://host:9");
    weir_error_release(first);
    weir_error_release(second);
    assert_int_equal(all->code, UV_ECONNREFUSED);
    assert_string_equal(all->name, "ECONNREFUSED");
    assert_int_equal(all->error_count, 2);
    assert_ptr_equal(all->errors[0], first);
    assert_ptr_equal(all->errors[1], second);
    assert_null(all->syscall);
    assert_int_equal(all->port, -1);
    assert_string_equal(all->message, "connect tcp://host:9: connect [::1]:9: connection refused (ECONNREFUSED); "
                                      "connect 10.0.0.1:9: network is unreachable (ENETUNREACH)");
    weir_error_release(all);
    assert_int_equal(allocator_live(), before);
}

static void expect_from(const weir_error *error, const char *address, int port, const char *tail)
{
    weir_error *named = weir_error_new_from(error, address, port);
    assert_int_equal(named->code, error->code);
    assert_string_equal(named->syscall, error->syscall);
    assert_string_equal(named->address, error->address);
    assert_int_equal(named->port, error->port);
    assert_string_equal(named->local_address, address);
    assert_int_equal(named->local_port, port);
    assert_memory_equal(named->message, error->message, strlen(error->message));
    assert_string_equal(named->message + strlen(error->message), tail);
    weir_error_release(named);
}

static void net_SOCK_35_the_local_end_of_an_error(void **state)
{
    (void)state;
    size_t before = allocator_live();
    weir_error *error = weir_error_new(UV_ECONNREFUSED, "connect", "::1", 9);
    assert_null(error->local_address);
    assert_int_equal(error->local_port, -1);
    expect_from(error, "127.0.0.1", 10, "; from 127.0.0.1:10");
    expect_from(error, "::1", 65535, "; from [::1]:65535");
    expect_from(error, "::1", -1, "; from ::1");
    const weir_error *const both[] = {error, error};
    weir_error *all = weir_error_new_aggregate(both, 2, NULL);
    assert_ptr_equal(weir_error_new_from(all, "::1", 1), all);
    assert_ptr_equal(weir_error_new_from(error, NULL, 1), error);
    assert_null(weir_error_new_from(NULL, "::1", 1));
    weir_error_release(all);
    weir_error_release(all);
    weir_error_release(error);
    weir_error_release(error);
    assert_int_equal(allocator_live(), before);
}

static void make_from(void *arg)
{
    weir_error *named = weir_error_new_from(arg, "::1", 1);
    if (allocator_failures()) {
        assert_ptr_equal(named, arg);
    }
    weir_error_release(named);
}

static void error_without_memory_for_its_local_end_stays_what_it_is(void **state)
{
    (void)state;
    weir_error *error = weir_error_new(UV_EIO, "connect", "::1", 9);
    assert_int_equal(allocator_fail_each(make_from, error), 2);
    weir_error_release(error);
}

static void error_aggregate_of_nothing(void **state)
{
    (void)state;
    weir_error *none = weir_error_new_aggregate(NULL, 0, "connect");
    assert_int_equal(none->code, UV_UNKNOWN);
    assert_int_equal(none->error_count, 0);
    assert_string_equal(none->message, "connect: no error is known");
    weir_error_release(none);
}

static void use_no_memory(weir_error *error, int code)
{
    if (allocator_failures()) {
        assert_int_equal(error->code, UV_ENOMEM);
        assert_string_equal(error->name, "ENOMEM");
        assert_int_equal(error->port, -1);
        assert_ptr_equal(weir_error_retain(error), error);
        weir_error_release(error);
    } else {
        assert_int_equal(error->code, code);
    }
    weir_error_release(error);
}

static void make_one(void *arg)
{
    (void)arg;
    use_no_memory(weir_error_new(UV_EIO, "read", "x", 1), UV_EIO);
}

static void make_formatted(void *arg)
{
    (void)arg;
    use_no_memory(weir_error_newf(UV_EIO, "read", "x", 1, "%d", 1), UV_EIO);
}

static void make_aggregate(void *arg)
{
    const weir_error *const *errors = arg;
    use_no_memory(weir_error_new_aggregate(errors, 2, "all"), errors[0]->code);
}

static void error_without_memory_is_a_static_one(void **state)
{
    (void)state;
    assert_int_equal(allocator_fail_each(make_one, NULL), 2);
    assert_int_equal(allocator_fail_each(make_formatted, NULL), 2);
    weir_error *first = weir_error_new(UV_EIO, NULL, NULL, -1);
    weir_error *second = weir_error_new(UV_EPIPE, NULL, NULL, -1);
    const weir_error *both[] = {first, second};
    assert_int_equal(allocator_fail_each(make_aggregate, both), 3);
    weir_error_release(first);
    weir_error_release(second);
}

static void net_MOD_01_version_is_the_headers(void **state)
{
    (void)state;
    assert_string_equal(weir_version(), WEIR_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_LIFE_17_SRV_40_names_of_weirs_own_codes),
        cmocka_unit_test(error_table_has_every_code_once),
        cmocka_unit_test(net_SOCK_35_names_of_system_codes_are_errno_names),
        cmocka_unit_test(net_SOCK_37_SRV_66_no_such_host_is_ENOTFOUND),
        cmocka_unit_test(error_unknown_codes_have_a_name_and_a_text_too),
        cmocka_unit_test(net_SOCK_35_fields_and_message),
        cmocka_unit_test(error_message_of_what_is_known),
        cmocka_unit_test(error_message_puts_ipv6_in_brackets_before_a_port),
        cmocka_unit_test(error_texts_are_copies),
        cmocka_unit_test(error_with_a_message_of_the_callers_own),
        cmocka_unit_test(error_of_a_code_that_is_none_is_one_all_the_same),
        cmocka_unit_test(error_references_are_counted),
        cmocka_unit_test(net_CONN_31_BN_02_aggregate_names_every_error),
        cmocka_unit_test(net_SOCK_35_the_local_end_of_an_error),
        cmocka_unit_test(error_without_memory_for_its_local_end_stays_what_it_is),
        cmocka_unit_test(error_aggregate_of_nothing),
        cmocka_unit_test(error_without_memory_is_a_static_one),
        cmocka_unit_test(net_MOD_01_version_is_the_headers),
    };
    return cmocka_run_group_tests_name("error", tests, allocator_setup, NULL);
}
