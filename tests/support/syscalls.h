/* SPDX-License-Identifier: MIT */
/*
 * System calls, and functions of libuv and Jansson, that fail where a test tells them to. A program that includes this header
 * exports functions of these names, which libweir, its plugins and libuv find before the system's; each asks whether it
 * is to fail, and otherwise calls the true one.
 *
 *     syscalls_fail(&(syscall_fault){.call = "accept4", .error = ECONNABORTED, .after = 1, .times = 2});
 *     ... the second and the third accept4 fail, the others do not ...
 *     syscalls_restore();
 *
 * Only calls of the thread that gave the order are meant, unless `any_thread` says so. The order holds until
 * syscalls_restore; a test that gives one begins or ends with that. The calls:
 *
 *   sockets     accept4 bind connect getpeername getsockname getsockopt listen recv recvmsg send sendmsg setsockopt
 *               shutdown socket socketpair splice
 *   files       access chmod close fchmod fchownat fcntl fdopen fopen fstat getcwd lstat mkdir mmap open opendir pipe2
 *               pread read readlink realpath stat unlink write
 *   others      dlopen dlinfo dladdr1 getgrnam_r getpwnam_r if_indextoname if_nametoindex newlocale open_memstream
 *               regcomp regexec
 *   libuv's     uv_async_init uv_async_send uv_fs_event_init uv_fs_event_start uv_getaddrinfo uv_idle_init
 *               uv_idle_start uv_loop_init uv_mutex_init
 *               uv_poll_init uv_poll_start uv_prepare_init uv_prepare_start uv_thread_create uv_timer_init uv_timer_start
 *   Jansson's   json_array json_array_append_new json_array_set_new json_copy json_deep_copy json_dumps json_integer
 *               json_loadb json_loads json_object json_object_iter_set_new json_object_set_new json_pack json_sprintf
 *               json_string json_string_nocheck json_stringn json_stringn_nocheck, each as without memory (Jansson's own
 *               reader does not bear it when an allocation fails, so these fail as a whole)
 *
 * A failing close closes all the same, as Linux does. libuv's own calls of these are met too (close, socket, read of its
 * wake-up descriptor ...), its calls of fstat, open and pread are not (it has the 64 bit names). What libuv does without
 * telling (epoll) is not here.
 */
#ifndef WEIR_TEST_SYSCALLS_H
#define WEIR_TEST_SYSCALLS_H

#include <stddef.h>

typedef struct syscall_fault {
    const char *call; /* one of the names above */
    /* errno then; of uv_... the code below 0; of getpwnam_r, getgrnam_r, regcomp and regexec what they return; of json_...
     * anything. Not 0, unless at_most or nothing is given. */
    int error;
    unsigned after;          /* so many calls go through first */
    unsigned times;          /* so many fail then; 0: all from there on */
    int any_thread;          /* 1: calls of all threads are meant */
    int (*concerns)(int fd); /* only calls on such a descriptor; NULL: on any */
    const char *path;        /* only calls with this text in their path; NULL: any */
    /* 1: this one is meant. Of socket its domain, type and protocol; of getsockopt and setsockopt level and name; of
     * fcntl the command, of open the flags. NULL: any. */
    int (*of)(int first, int second, int third);
    /* No failure: send, sendmsg, recv, recvmsg, read, pread and write move so many bytes at most, or say 0. */
    size_t at_most;
    int nothing;
} syscall_fault;

/* Gives an order. Several may hold; the first that concerns a call decides. Fails the test when `call` is none above. */
void syscalls_fail(const syscall_fault *fault);

/* The same in short: the next `call` of this thread, whatever its descriptor, fails once. */
void syscalls_fail_next(const char *call, int error);

/* Takes all orders back. */
void syscalls_restore(void);

/* How many calls have been made to fail (or cut short) since the last syscalls_restore. */
unsigned syscalls_failures(void);

/*
 * Runs `body` again and again: the first time the first of its calls of `call` fails with `error`, then the second ...
 * until it runs through without meeting the one that fails. `call` NULL: of all calls above but close and Jansson's, each with an error
 * that is usual for it (`error` is not looked at then). `body` judges for itself what a failure must look like; it may
 * look at syscalls_failures. Returns the number of runs.
 */
unsigned syscalls_fail_each(const char *call, int error, void (*body)(void *arg), void *arg);

/* For `concerns`: sockets, of a kind. Sockets that listen; that do not; of AF_UNIX; anything that is no socket. */
int syscalls_listener(int fd);
int syscalls_connection(int fd);
int syscalls_unix(int fd);
int syscalls_no_socket(int fd);

#endif
