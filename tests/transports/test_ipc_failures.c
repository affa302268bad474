/* SPDX-License-Identifier: MIT */
/* Unix sockets while system calls fail: the file of a listener, names of users, and who is admitted. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "failing_listen.h"
#include "raw_peer.h"
#include "socket_file.h"
#include "syscalls.h"

static int tear_down(void **state)
{
    syscalls_restore();
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, tear_down)

/* ---- the file ---- */

/* What was bound a moment ago goes again, and the place is free. */
static void expect_refused(fixture *f, const char *path, const char *query, int code, const char *syscall)
{
    const char *plain = fixture_text(f, "ipc:%s", path);

    failing_listen(f, fixture_text(f, "%s%s", plain, query), code, syscall, plain);
    assert_false(socket_file_exists(path));
}

static int is_path(int flags, int second, int third)
{
    (void)second;
    (void)third;
    return (flags & O_PATH) != 0;
}

static void net_BN_10_each_call_that_makes_the_file_ours_fails(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");

    syscalls_fail_next("socket", EMFILE);
    expect_refused(f, path, "", UV_EMFILE, "socket");
    syscalls_fail_next("bind", EACCES);
    expect_refused(f, path, "", UV_EACCES, "listen");
    syscalls_fail_next("listen", EADDRINUSE);
    expect_refused(f, path, "", UV_EADDRINUSE, "listen");
    syscalls_fail(&(syscall_fault){.call = "open", .error = EMFILE, .of = is_path});
    expect_refused(f, path, "?writableAll=true", UV_EMFILE, "listen");
    syscalls_fail_next("fstat", EIO);
    expect_refused(f, path, "?writableAll=true", UV_EIO, "listen");
    syscalls_fail_next("fchownat", EPERM);
    expect_refused(f, path, fixture_text(f, "?user=%u", (unsigned)geteuid()), UV_EPERM, "chown");
    syscalls_fail(&(syscall_fault){.call = "chmod", .error = EPERM});
    expect_refused(f, path, "?writableAll=true", UV_EPERM, "chmod");
}

/* Where /proc is missing only the name leads to the file. */
static void net_BN_10_permissions_without_proc(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");

    syscalls_fail(&(syscall_fault){.call = "chmod", .error = ENOENT, .path = "/proc/self/fd/"});
    fixture_listen(f, fixture_text(f, "ipc:%s?readableAll=true&writableAll=true", path), NULL);
    assert_int_equal(syscalls_failures(), 1);
    assert_int_equal(socket_file_mode(path) & 0666, 0666);
}

/* ---- somebody else is quicker ---- */

static const char *taken;

/* Another socket in the place of the one that was bound. */
static void replace(void)
{
    if (taken && unlink(taken) == 0)
        close(raw_bind_path(taken));
    taken = NULL;
}

static int replace_when_opened(int flags, int second, int third)
{
    if (is_path(flags, second, third))
        replace();
    return 0;
}

static void net_BN_11_a_file_that_is_replaced_while_listening_is_left_alone(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    socket_file_refusal refused;

    taken = path;
    syscalls_fail(&(syscall_fault){.call = "open", .error = EIO, .of = replace_when_opened});
    refused = socket_file_refused(f, fixture_text(f, "ipc:%s?writableAll=true", path));
    assert_null(taken);
    assert_code(refused.code, UV_EADDRINUSE);
    assert_true(socket_file_exists(path)); /* the other one's */
    assert_int_equal(raw_connect_path(path), -ECONNREFUSED);
    syscalls_restore();
    fixture_listen(f, fixture_text(f, "ipc:%s?unlinkStale=true", path), NULL);
}

static void net_BN_11_a_file_that_cannot_be_looked_at_is_not_ours(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");

    syscalls_fail(&(syscall_fault){.call = "lstat", .error = EACCES, .path = path, .times = 1});
    assert_code(socket_file_refused(f, fixture_text(f, "ipc:%s", path)).code, UV_EADDRINUSE);
    assert_true(socket_file_exists(path)); /* nobody knows whose it is */
}

static void net_BN_11_unlinkStale_that_cannot_ask_removes_nothing(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    const char *endpoint = fixture_text(f, "ipc:%s?unlinkStale=true", path);

    close(raw_bind_path(path));
    syscalls_fail(&(syscall_fault){.call = "socket", .error = EMFILE, .after = 1, .times = 1});
    assert_code(socket_file_refused(f, endpoint).code, UV_EADDRINUSE);
    assert_int_equal(syscalls_failures(), 1);
    syscalls_restore();
    assert_true(socket_file_exists(path));
    syscalls_fail_next("connect", EAGAIN); /* somebody is there, who is busy */
    assert_code(socket_file_refused(f, endpoint).code, UV_EADDRINUSE);
    syscalls_restore();
    assert_true(socket_file_exists(path));
    syscalls_fail_next("unlink", EPERM);
    assert_code(socket_file_refused(f, endpoint).code, UV_EADDRINUSE);
    syscalls_restore();
    fixture_listen(f, endpoint, NULL);
}

/* ---- relative paths ---- */

static void listen_here(void *arg)
{
    fixture *f = arg;
    weir_server *server = weir_server_new(f->runtime, NULL);
    int peer;

    assert_code(weir_server_listen(server, "ipc:sock", NULL, NULL), 0);
    fixture_turns(f, 3);
    assert_int_equal(weir_server_listening(server), 1);
    peer = raw_connect_path("sock");
    assert_true(peer >= 0);
    close(peer);
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
    assert_false(socket_file_exists("sock"));
}

static void net_PATH_03_where_we_are_is_not_known(void **state)
{
    fixture *f = *state;
    char before[4096];

    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(f->folder), 0);
    assert_true(syscalls_fail_each("getcwd", ENOENT, listen_here, f) > 2);
    assert_int_equal(chdir(before), 0);
}

/* ---- options ---- */

static void parse_once(void *arg)
{
    fixture *f = arg;
    weir_endpoint *endpoint = NULL;
    int status =
        weir_endpoint_parse(f->runtime,
                            "{\"ipc\": {\"path\": \"x\", \"user\": \"root\", \"group\": \"root\", \"allowUsers\": "
                            "[\"root\", 7], \"allowGroups\": [\"root\", \"8\"]}}",
                            WEIR_SERVER, f->folder, &endpoint, NULL);

    assert_true(status == 0 || (status == UV_ENOMEM && allocator_failures() > 0));
    assert_int_equal(endpoint == NULL, status != 0);
    weir_endpoint_release(endpoint);
}

static void net_BN_10_BN_24_every_allocation_of_an_endpoint_fails(void **state)
{
    fixture *f = *state;

    parse_once(f);
    assert_true(allocator_fail_each(parse_once, f) > 10);
}

static void expect_fault(fixture *f, const char *text, const char *fault)
{
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;

    assert_code(weir_endpoint_parse(f->runtime, text, WEIR_SERVER, NULL, &endpoint, &error), WEIR_EINVALID_CONFIG);
    assert_null(endpoint);
    assert_non_null(strstr(error->message, fault));
    weir_error_release(error);
}

static void net_BN_24_a_user_who_cannot_be_looked_up(void **state)
{
    fixture *f = *state;

    syscalls_fail_next("getpwnam_r", EIO);
    expect_fault(f, "{\"ipc\": {\"path\": \"x\", \"user\": \"root\"}}", "there is no user \"root\"");
    syscalls_fail_next("getgrnam_r", EIO);
    expect_fault(f, "{\"ipc\": {\"path\": \"x\", \"allowGroups\": [\"root\"]}}", "there is no group \"root\"");
}

static void net_BN_12_a_percent_sign_without_a_number(void **state)
{
    static const char *const paths[] = {"%zz", "a%4", "%4g", "%", "@%zz"};
    fixture *f = *state;
    size_t i;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        expect_fault(f, fixture_text(f, "{\"ipc\": {\"path\": \"%s\"}}", paths[i]),
                     "two hexadecimal digits must follow a %");
}

/* ---- who is admitted ---- */

static int is_peer(int level, int option, int third)
{
    (void)third;
    return level == SOL_SOCKET && option == SO_PEERCRED;
}

static int is_not_peer(int level, int option, int third)
{
    return level == SOL_SOCKET && !is_peer(level, option, third);
}

static void expect_turned_away(fixture *f, weir_server *server, const char *path)
{
    int peer = raw_connect_path(path);
    char byte;

    assert_true(peer >= 0);
    while (syscalls_failures() == 0)
        fixture_turns(f, 1);
    fixture_turns(f, 3);
    syscalls_restore();
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    assert_int_equal(weir_server_connections(server), 0);
    close(peer);
}

static void net_BN_24_whom_the_kernel_does_not_name_is_turned_away(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    const char *options =
        fixture_text(f, "{\"ipc\": {\"path\": \"%s\", \"allowUsers\": [%u]}}", path, (unsigned)geteuid());
    weir_server *server = fixture_listen(f, options, NULL);

    syscalls_fail(&(syscall_fault){.call = "getsockopt", .error = ENOBUFS, .of = is_peer});
    expect_turned_away(f, server, path);
    fixture_connect(f, server, fixture_text(f, "ipc:%s", path), NULL);
}

static void net_BN_24_whose_groups_the_kernel_does_not_tell_is_turned_away(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server =
        fixture_listen(f, fixture_text(f, "{\"ipc\": {\"path\": \"%s\", \"allowGroups\": [4294967000]}}", path), NULL);

    syscalls_fail(&(syscall_fault){.call = "getsockopt", .error = ENOBUFS, .of = is_not_peer});
    expect_turned_away(f, server, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(net_BN_10_each_call_that_makes_the_file_ours_fails),
        TEST(net_BN_10_permissions_without_proc),
        TEST(net_BN_11_a_file_that_is_replaced_while_listening_is_left_alone),
        TEST(net_BN_11_a_file_that_cannot_be_looked_at_is_not_ours),
        TEST(net_BN_11_unlinkStale_that_cannot_ask_removes_nothing),
        TEST(net_PATH_03_where_we_are_is_not_known),
        TEST(net_BN_10_BN_24_every_allocation_of_an_endpoint_fails),
        TEST(net_BN_24_a_user_who_cannot_be_looked_up),
        TEST(net_BN_12_a_percent_sign_without_a_number),
        TEST(net_BN_24_whom_the_kernel_does_not_name_is_turned_away),
        TEST(net_BN_24_whose_groups_the_kernel_does_not_tell_is_turned_away),
    };

    return cmocka_run_group_tests_name("ipc_failures", tests, NULL, NULL);
}
