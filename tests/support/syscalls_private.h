/* SPDX-License-Identifier: MIT */
/* Between the orders (syscalls.c) and the functions that ask about them (syscalls_calls.c). */
#ifndef WEIR_TEST_SYSCALLS_PRIVATE_H
#define WEIR_TEST_SYSCALLS_PRIVATE_H

#include <stddef.h>

/* Every call, and the error that is usual for it. */
/* clang-format off */
#define SYSCALLS(X)                                                                                                  \
    X(accept4, ECONNABORTED) X(bind, EADDRINUSE) X(connect, ECONNREFUSED) X(getpeername, ENOBUFS)                    \
    X(getsockname, ENOBUFS) X(getsockopt, ENOBUFS) X(listen, EADDRINUSE) X(recv, ECONNRESET)                         \
    X(recvmsg, ECONNRESET) X(send, EPIPE) X(sendmsg, EPIPE) X(setsockopt, ENOMEM) X(shutdown, ENOTCONN)              \
    X(socket, EMFILE) X(socketpair, EMFILE) X(splice, EIO)                                                           \
    X(access, EACCES) X(chmod, EPERM) X(close, EIO) X(fchmod, EPERM) X(fchownat, EPERM) X(fcntl, EMFILE)             \
    X(fdopen, ENOMEM) X(fopen, EMFILE) X(fstat, EIO) X(getcwd, ENOENT) X(lstat, EACCES) X(mkdir, EACCES)             \
    X(mmap, ENOMEM) X(open, EMFILE) X(opendir, EMFILE) X(pipe2, EMFILE) X(pread, EIO) X(read, EIO)                   \
    X(readlink, EIO) X(realpath, EIO) X(stat, EACCES) X(unlink, EPERM) X(write, EIO)                                 \
    X(dlopen, ENOMEM) X(dlinfo, ENOMEM) X(dladdr1, ENOMEM) X(getgrnam_r, EIO) X(getpwnam_r, EIO)                     \
    X(if_indextoname, ENXIO) X(if_nametoindex, ENODEV) X(newlocale, ENOMEM) X(open_memstream, ENOMEM)                \
    X(regcomp, REG_ESPACE) X(regexec, REG_ESPACE)                                                                    \
    X(uv_async_init, UV_EMFILE) X(uv_async_send, UV_EINVAL) X(uv_fs_event_init, UV_EMFILE)                           \
    X(uv_fs_event_start, UV_ENOSPC) X(uv_getaddrinfo, UV_ENOMEM) X(uv_idle_init, UV_ENOMEM)                          \
    X(uv_idle_start, UV_EINVAL) X(uv_loop_init, UV_EMFILE) X(uv_mutex_init, UV_ENOMEM) X(uv_poll_init, UV_EMFILE)    \
    X(uv_poll_start, UV_EINVAL) X(uv_prepare_init, UV_EINVAL) X(uv_prepare_start, UV_EINVAL)                         \
    X(uv_thread_create, UV_EAGAIN) X(uv_timer_init, UV_EINVAL) X(uv_timer_start, UV_EINVAL)                          \
    X(json_array, ENOMEM) X(json_array_append_new, ENOMEM) X(json_array_set_new, ENOMEM) X(json_copy, ENOMEM)        \
    X(json_deep_copy, ENOMEM) X(json_dumps, ENOMEM) X(json_integer, ENOMEM) X(json_loadb, ENOMEM)                    \
    X(json_loads, ENOMEM) X(json_object, ENOMEM) X(json_object_iter_set_new, ENOMEM) X(json_object_set_new, ENOMEM)  \
    X(json_pack, ENOMEM) X(json_sprintf, ENOMEM) X(json_string, ENOMEM) X(json_string_nocheck, ENOMEM)               \
    X(json_stringn, ENOMEM) X(json_stringn_nocheck, ENOMEM)
/* clang-format on */

/* A call as it is made. */
typedef struct syscall_made {
    const char *call;
    int fd;           /* -1: it has none */
    const char *path; /* NULL: it has none */
    int numbers[3];
} syscall_made;

/* 0: make it, with at most `*at_most` bytes (may be NULL; otherwise set beforehand); or the error it is to fail with. */
int syscalls__verdict(const syscall_made *made, size_t *at_most);

#endif
