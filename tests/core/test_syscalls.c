/* SPDX-License-Identifier: MIT */
/* The failing system calls of the tests: which calls fail, and that libweir, its plugins and libuv meet them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "syscalls.h"

static int restore(void **state)
{
    (void)state;
    syscalls_restore();
    return 0;
}

static void a_call_fails_so_often_after_so_many(void **state)
{
    (void)state;
    syscalls_fail(&(syscall_fault){.call = "access", .error = ELOOP, .after = 2, .times = 2});
    const int expected[] = {0, 0, ELOOP, ELOOP, 0};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        errno = 0;
        assert_int_equal(access("/", F_OK), expected[i] ? -1 : 0);
        assert_int_equal(errno, expected[i]);
    }
    assert_int_equal(syscalls_failures(), 2);
    syscalls_restore();
    assert_int_equal(syscalls_failures(), 0);
}

static void a_call_is_chosen_by_its_path_and_its_descriptor(void **state)
{
    (void)state;
    syscalls_fail(&(syscall_fault){.call = "access", .error = EIO, .path = "null"});
    assert_int_equal(access("/dev/zero", F_OK), 0);
    assert_int_equal(access("/dev/null", F_OK), -1);

    int both[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, both), 0);
    int file = open("/dev/zero", O_RDONLY);
    assert_true(file >= 0);
    char byte = 'x';
    syscalls_fail(&(syscall_fault){.call = "read", .error = EIO, .concerns = syscalls_no_socket});
    syscalls_fail(&(syscall_fault){.call = "write", .error = EPIPE, .concerns = syscalls_unix});
    assert_int_equal(read(file, &byte, 1), -1);
    assert_int_equal(write(both[0], &byte, 1), -1);
    assert_int_equal(send(both[0], &byte, 1, 0), 1);
    assert_int_equal(read(both[1], &byte, 1), 1);
    assert_true(syscalls_connection(both[0]));
    assert_false(syscalls_listener(both[0]));
    close(file);
    close(both[0]);
    close(both[1]);
}

static int is_send_buffer(int level, int name, int unused)
{
    (void)unused;
    return level == SOL_SOCKET && name == SO_SNDBUF;
}

static void a_call_is_chosen_by_its_numbers(void **state)
{
    (void)state;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int value = 4096;
    syscalls_fail(&(syscall_fault){.call = "setsockopt", .error = EPERM, .of = is_send_buffer});
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof value), -1);
    close(fd);
}

static void fewer_bytes_are_moved(void **state)
{
    (void)state;
    int both[2];
    char text[8] = "12345678";
    struct iovec pieces[3] = {{text, 3}, {text + 3, 3}, {text + 6, 2}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, both), 0);
    syscalls_fail(&(syscall_fault){.call = "send", .at_most = 3, .times = 1});
    syscalls_fail(&(syscall_fault){.call = "sendmsg", .at_most = 5, .times = 1});
    syscalls_fail(&(syscall_fault){.call = "recv", .at_most = 2, .times = 1});
    assert_int_equal(send(both[0], text, 8, 0), 3);
    assert_int_equal(sendmsg(both[0], &message, 0), 5);
    assert_int_equal(pieces[1].iov_len, 3);
    assert_int_equal(sendmsg(both[0], &message, 0), 8);
    char got[32];
    assert_int_equal(recv(both[1], got, sizeof got, 0), 2);
    assert_int_equal(recv(both[1], got + 2, sizeof got - 2, 0), 14);
    assert_memory_equal(got, "1231234512345678", 16);
    syscalls_fail(&(syscall_fault){.call = "recv", .nothing = 1, .times = 1});
    assert_int_equal(recv(both[1], got, sizeof got, MSG_DONTWAIT), 0);
    close(both[0]);
    close(both[1]);
}

static void a_failing_close_closes(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY);
    syscalls_fail_next("close", EIO);
    assert_int_equal(close(fd), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void *look(void *arg)
{
    *(int *)arg = access("/", F_OK);
    return NULL;
}

static int look_elsewhere(void)
{
    pthread_t thread;
    int result = 1;
    assert_int_equal(pthread_create(&thread, NULL, look, &result), 0);
    pthread_join(thread, NULL);
    return result;
}

static void other_threads_are_meant_only_on_demand(void **state)
{
    (void)state;
    syscalls_fail(&(syscall_fault){.call = "access", .error = EIO});
    assert_int_equal(look_elsewhere(), 0);
    syscalls_restore();
    syscalls_fail(&(syscall_fault){.call = "access", .error = EIO, .any_thread = 1});
    assert_int_equal(look_elsewhere(), -1);
}

static void look_and_open(void *arg)
{
    int *seen = arg;
    *seen += access("/", F_OK) < 0;
    int fd = open("/dev/null", O_RDONLY);
    *seen += fd < 0;
    if (fd >= 0)
        close(fd);
}

static void each_call_fails_once(void **state)
{
    (void)state;
    int seen = 0;
    assert_int_equal(syscalls_fail_each("open", ENFILE, look_and_open, &seen), 2);
    assert_int_equal(seen, 1);
    seen = 0;
    assert_int_equal(syscalls_fail_each(NULL, 0, look_and_open, &seen), 3);
    assert_int_equal(seen, 2);
}

static void the_library_its_plugins_and_libuv_meet_them(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    syscalls_fail_next("socket", EMFILE);
    recorder *refused = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(refused, WEIR_EVENT_CLOSE);
    assert_code(weir_stream_errored(refused->stream)->code, UV_EMFILE);
    assert_int_equal(syscalls_failures(), 1);

    uv_tcp_t tcp;
    syscalls_fail_next("socket", ENFILE);
    assert_code(uv_tcp_init_ex(&f->loop, &tcp, AF_INET), UV_ENFILE);

    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    syscalls_fail_next("uv_async_init", UV_ENOMEM);
    assert_null(weir_runtime_new(&loop));
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(syscalls_failures(), 3);
    syscalls_restore();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_call_fails_so_often_after_so_many, restore),
        cmocka_unit_test_teardown(a_call_is_chosen_by_its_path_and_its_descriptor, restore),
        cmocka_unit_test_teardown(a_call_is_chosen_by_its_numbers, restore),
        cmocka_unit_test_teardown(fewer_bytes_are_moved, restore),
        cmocka_unit_test_teardown(a_failing_close_closes, restore),
        cmocka_unit_test_teardown(other_threads_are_meant_only_on_demand, restore),
        cmocka_unit_test_teardown(each_call_fails_once, restore),
        FIXTURE_TEST(the_library_its_plugins_and_libuv_meet_them),
    };
    return cmocka_run_group_tests_name("syscalls", tests, NULL, NULL);
}
