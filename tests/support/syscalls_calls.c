/* SPDX-License-Identifier: MIT */
/*
 * The functions that stand before the system's: each asks whether it is to fail, then calls the next one of its name.
 * They are spelled call_NAME here and NAME for the linker, so that they need not agree with the headers in qualifiers
 * and attributes.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <regex.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <jansson.h>
#include <uv.h>

#include "syscalls_private.h"

#define MADE(...) (&(const syscall_made){__VA_ARGS__})

/* The next function of this name, remembered. All threads come to the same answer. */
static void *next(void *_Atomic *remembered, const char *name)
{
    void *found = *remembered;
    if (!found) {
        found = dlsym(RTLD_NEXT, name);
        if (!found)
            abort();
        *remembered = found;
    }
    return found;
}

#define EXPORTED(result, name, params)        \
    result call_##name params __asm__(#name); \
    __attribute__((visibility("default"))) result call_##name params

/* NOLINTBEGIN(bugprone-macro-parentheses): `params` brings its own */
/* `real` is the function of this name that comes next. */
#define NEXT(result, name, params)   \
    static void *_Atomic remembered; \
    result(*real) params;            \
    *(void **)&real = next(&remembered, #name)
/* NOLINTEND(bugprone-macro-parentheses) */

/* A function that tells its failure by `failure` and errno; `...` says more about the call than its name. */
#define BY_ERRNO(result, failure, name, params, args, ...)                     \
    EXPORTED(result, name, params)                                             \
    {                                                                          \
        NEXT(result, name, params);                                            \
        int error = syscalls__verdict(MADE(.call = #name, __VA_ARGS__), NULL); \
        if (!error)                                                            \
            return real args;                                                  \
        errno = error;                                                         \
        return failure;                                                        \
    }

/* One that returns the error itself. */
#define BY_CODE(name, params, args)                                         \
    EXPORTED(int, name, params)                                             \
    {                                                                       \
        NEXT(int, name, params);                                            \
        int error = syscalls__verdict(MADE(.call = #name, .fd = -1), NULL); \
        return error ? error : real args;                                   \
    }

/* One that moves `size` bytes, or fewer. */
#define MOVING(name, params, args)                                              \
    EXPORTED(ssize_t, name, params)                                             \
    {                                                                           \
        NEXT(ssize_t, name, params);                                            \
        size_t at_most = size;                                                  \
        int error = syscalls__verdict(MADE(.call = #name, .fd = fd), &at_most); \
        if (at_most < size && !(size = at_most))                                \
            return 0;                                                           \
        if (!error)                                                             \
            return real args;                                                   \
        errno = error;                                                          \
        return -1;                                                              \
    }

/* ---- Sockets ---- */

BY_ERRNO(int, -1, accept4, (int fd, void *address, socklen_t *size, int flags), (fd, address, size, flags), .fd = fd)
BY_ERRNO(int, -1, bind, (int fd, const void *address, socklen_t size), (fd, address, size), .fd = fd)
BY_ERRNO(int, -1, connect, (int fd, const void *address, socklen_t size), (fd, address, size), .fd = fd)
BY_ERRNO(int, -1, getpeername, (int fd, void *address, socklen_t *size), (fd, address, size), .fd = fd)
BY_ERRNO(int, -1, getsockname, (int fd, void *address, socklen_t *size), (fd, address, size), .fd = fd)
BY_ERRNO(int, -1, getsockopt, (int fd, int level, int name, void *value, socklen_t *size),
         (fd, level, name, value, size), .fd = fd, .numbers = {level, name})
BY_ERRNO(int, -1, setsockopt, (int fd, int level, int name, const void *value, socklen_t size),
         (fd, level, name, value, size), .fd = fd, .numbers = {level, name})
BY_ERRNO(int, -1, listen, (int fd, int backlog), (fd, backlog), .fd = fd)
BY_ERRNO(int, -1, shutdown, (int fd, int how), (fd, how), .fd = fd)
BY_ERRNO(int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol), .fd = -1,
         .numbers = {domain, type, protocol})
BY_ERRNO(int, -1, socketpair, (int domain, int type, int protocol, int *fds), (domain, type, protocol, fds), .fd = -1,
         .numbers = {domain, type, protocol})
BY_ERRNO(ssize_t, -1, splice, (int from, void *from_at, int to, void *to_at, size_t size, unsigned flags),
         (from, from_at, to, to_at, size, flags), .fd = from)

MOVING(recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
MOVING(send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))

/* recvmsg and sendmsg: cut short by a message of fewer and shorter pieces. */
typedef ssize_t message_call(int fd, struct msghdr *message, int flags);

static ssize_t message_passes(const char *name, message_call *real, int fd, struct msghdr *message, int flags)
{
    size_t at_most = (size_t)-1;
    int error = syscalls__verdict(MADE(.call = name, .fd = fd), &at_most);
    if (error) {
        errno = error;
        return -1;
    }
    if (!at_most)
        return 0;
    if (at_most == (size_t)-1 || !message->msg_iovlen)
        return real(fd, message, flags);
    struct iovec *pieces = message->msg_iov;
    size_t count = message->msg_iovlen;
    size_t last = 0;
    while (last + 1 < count && at_most > pieces[last].iov_len)
        at_most -= pieces[last++].iov_len;
    size_t whole = pieces[last].iov_len;
    if (at_most < whole)
        pieces[last].iov_len = at_most;
    message->msg_iovlen = last + 1;
    ssize_t moved = real(fd, message, flags);
    pieces[last].iov_len = whole;
    message->msg_iovlen = count;
    return moved;
}

EXPORTED(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags))
{
    NEXT(ssize_t, recvmsg, (int, struct msghdr *, int));
    return message_passes("recvmsg", real, fd, message, flags);
}

EXPORTED(ssize_t, sendmsg, (int fd, struct msghdr *message, int flags))
{
    NEXT(ssize_t, sendmsg, (int, struct msghdr *, int));
    return message_passes("sendmsg", real, fd, message, flags);
}

/* ---- Files ---- */

BY_ERRNO(int, -1, access, (const char *path, int mode), (path, mode), .fd = -1, .path = path)
BY_ERRNO(int, -1, chmod, (const char *path, mode_t mode), (path, mode), .fd = -1, .path = path)
BY_ERRNO(int, -1, fchmod, (int fd, mode_t mode), (fd, mode), .fd = fd)
BY_ERRNO(int, -1, fchownat, (int folder, const char *path, uid_t user, gid_t group, int flags),
         (folder, path, user, group, flags), .fd = -1, .path = path)
BY_ERRNO(void *, NULL, fdopen, (int fd, const char *mode), (fd, mode), .fd = fd)
BY_ERRNO(void *, NULL, fopen, (const char *path, const char *mode), (path, mode), .fd = -1, .path = path)
BY_ERRNO(int, -1, fstat, (int fd, struct stat *status), (fd, status), .fd = fd)
BY_ERRNO(int, -1, stat, (const char *path, struct stat *status), (path, status), .fd = -1, .path = path)
BY_ERRNO(int, -1, lstat, (const char *path, struct stat *status), (path, status), .fd = -1, .path = path)
BY_ERRNO(char *, NULL, getcwd, (char *folder, size_t size), (folder, size), .fd = -1)
BY_ERRNO(int, -1, mkdir, (const char *path, mode_t mode), (path, mode), .fd = -1, .path = path)
BY_ERRNO(void *, MAP_FAILED, mmap, (void *at, size_t size, int protection, int flags, int fd, off_t offset),
         (at, size, protection, flags, fd, offset), .fd = fd)
BY_ERRNO(void *, NULL, opendir, (const char *path), (path), .fd = -1, .path = path)
BY_ERRNO(int, -1, pipe2, (int *fds, int flags), (fds, flags), .fd = -1)
BY_ERRNO(ssize_t, -1, readlink, (const char *path, char *text, size_t size), (path, text, size), .fd = -1, .path = path)
BY_ERRNO(char *, NULL, realpath, (const char *path, char *text), (path, text), .fd = -1, .path = path)
BY_ERRNO(int, -1, unlink, (const char *path), (path), .fd = -1, .path = path)

MOVING(read, (int fd, void *data, size_t size), (fd, data, size))
MOVING(write, (int fd, const void *data, size_t size), (fd, data, size))
MOVING(pread, (int fd, void *data, size_t size, off_t offset), (fd, data, size, offset))

EXPORTED(int, close, (int fd))
{
    NEXT(int, close, (int));
    int error = syscalls__verdict(MADE(.call = "close", .fd = fd), NULL);
    int result = real(fd);
    if (!error)
        return result;
    errno = error;
    return -1;
}

/* The third argument of these is a number or a pointer, or not there at all: it is handed on as it came. */
EXPORTED(int, fcntl, (int fd, int command, ...))
{
    NEXT(int, fcntl, (int, int, ...));
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int error = syscalls__verdict(MADE(.call = "fcntl", .fd = fd, .numbers = {command}), NULL);
    if (!error)
        return real(fd, command, argument);
    errno = error;
    return -1;
}

EXPORTED(int, open, (const char *path, int flags, ...))
{
    NEXT(int, open, (const char *, int, ...));
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    int error = syscalls__verdict(MADE(.call = "open", .fd = -1, .path = path, .numbers = {flags}), NULL);
    if (!error)
        return real(path, flags, mode);
    errno = error;
    return -1;
}

/* ---- Others ---- */

BY_ERRNO(void *, NULL, dlopen, (const char *path, int flags), (path, flags), .fd = -1, .path = path)
BY_ERRNO(int, -1, dlinfo, (void *handle, int request, void *answer), (handle, request, answer), .fd = -1)
BY_ERRNO(int, 0, dladdr1, (const void *address, void *info, void **more, int flags), (address, info, more, flags),
         .fd = -1)
BY_ERRNO(char *, NULL, if_indextoname, (unsigned index, char *name), (index, name), .fd = -1)
BY_ERRNO(unsigned, 0, if_nametoindex, (const char *name), (name), .fd = -1)
BY_ERRNO(void *, NULL, newlocale, (int mask, const char *name, void *base), (mask, name, base), .fd = -1)
BY_ERRNO(void *, NULL, open_memstream, (char **text, size_t *size), (text, size), .fd = -1)
BY_CODE(getgrnam_r, (const char *name, void *entry, char *text, size_t size, void **found),
        (name, entry, text, size, found))
BY_CODE(getpwnam_r, (const char *name, void *entry, char *text, size_t size, void **found),
        (name, entry, text, size, found))
BY_CODE(regexec, (const void *compiled, const char *text, size_t size, void *matches, int flags),
        (compiled, text, size, matches, flags))
BY_CODE(regcomp, (void *compiled, const char *pattern, int flags), (compiled, pattern, flags))

/* ---- libuv's ---- */

BY_CODE(uv_async_init, (uv_loop_t * loop, uv_async_t *async, uv_async_cb callback), (loop, async, callback))
BY_CODE(uv_async_send, (uv_async_t * async), (async))
BY_CODE(uv_fs_event_init, (uv_loop_t * loop, uv_fs_event_t *handle), (loop, handle))
BY_CODE(uv_fs_event_start, (uv_fs_event_t * handle, uv_fs_event_cb callback, const char *path, unsigned flags),
        (handle, callback, path, flags))
BY_CODE(uv_getaddrinfo,
        (uv_loop_t * loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb callback, const char *node, const char *service,
         const struct addrinfo *hints),
        (loop, request, callback, node, service, hints))
BY_CODE(uv_idle_init, (uv_loop_t * loop, uv_idle_t *idle), (loop, idle))
BY_CODE(uv_idle_start, (uv_idle_t * idle, uv_idle_cb callback), (idle, callback))
BY_CODE(uv_loop_init, (uv_loop_t * loop), (loop))
BY_CODE(uv_mutex_init, (uv_mutex_t * mutex), (mutex))
BY_CODE(uv_poll_init, (uv_loop_t * loop, uv_poll_t *poll, int fd), (loop, poll, fd))
BY_CODE(uv_poll_start, (uv_poll_t * poll, int events, uv_poll_cb callback), (poll, events, callback))
BY_CODE(uv_prepare_init, (uv_loop_t * loop, uv_prepare_t *prepare), (loop, prepare))
BY_CODE(uv_prepare_start, (uv_prepare_t * prepare, uv_prepare_cb callback), (prepare, callback))
BY_CODE(uv_thread_create, (uv_thread_t * thread, uv_thread_cb run, void *arg), (thread, run, arg))
BY_CODE(uv_timer_init, (uv_loop_t * loop, uv_timer_t *timer), (loop, timer))
BY_CODE(uv_timer_start, (uv_timer_t * timer, uv_timer_cb callback, uint64_t timeout, uint64_t repeat),
        (timer, callback, timeout, repeat))

/* ---- Jansson's ---- */

#define BY_NULL(name, params, args) BY_ERRNO(void *, NULL, name, params, args, .fd = -1)

/* One that takes over the reference to its last argument, also when it fails. */
#define TAKING(name, params, args)                                   \
    EXPORTED(int, name, params)                                      \
    {                                                                \
        NEXT(int, name, params);                                     \
        if (!syscalls__verdict(MADE(.call = #name, .fd = -1), NULL)) \
            return real args;                                        \
        json_decref(value);                                          \
        return -1;                                                   \
    }

BY_NULL(json_array, (void), ())
BY_NULL(json_object, (void), ())
BY_NULL(json_copy, (json_t * value), (value))
BY_NULL(json_deep_copy, (const json_t *value), (value))
BY_NULL(json_dumps, (const json_t *value, size_t flags), (value, flags))
BY_NULL(json_integer, (json_int_t value), (value))
BY_NULL(json_loadb, (const char *text, size_t size, size_t flags, json_error_t *fault), (text, size, flags, fault))
BY_NULL(json_loads, (const char *text, size_t flags, json_error_t *fault), (text, flags, fault))
BY_NULL(json_string, (const char *text), (text))
BY_NULL(json_string_nocheck, (const char *text), (text))
BY_NULL(json_stringn, (const char *text, size_t size), (text, size))
BY_NULL(json_stringn_nocheck, (const char *text, size_t size), (text, size))
TAKING(json_array_append_new, (json_t * array, json_t *value), (array, value))
TAKING(json_array_set_new, (json_t * array, size_t index, json_t *value), (array, index, value))
TAKING(json_object_set_new, (json_t * object, const char *name, json_t *value), (object, name, value))
TAKING(json_object_iter_set_new, (json_t * object, void *at, json_t *value), (object, at, value))

/* Those with any number of arguments have a twin that takes a list of them. */
EXPORTED(json_t *, json_pack, (const char *format, ...))
{
    if (syscalls__verdict(MADE(.call = "json_pack", .fd = -1), NULL))
        return NULL;
    va_list arguments;
    va_start(arguments, format);
    json_t *made = json_vpack_ex(NULL, 0, format, arguments);
    va_end(arguments);
    return made;
}

__attribute__((format(printf, 1, 2))) EXPORTED(json_t *, json_sprintf, (const char *format, ...))
{
    if (syscalls__verdict(MADE(.call = "json_sprintf", .fd = -1), NULL))
        return NULL;
    va_list arguments;
    va_start(arguments, format);
    json_t *made = json_vsprintf(format, arguments);
    va_end(arguments);
    return made;
}
