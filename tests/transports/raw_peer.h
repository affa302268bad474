/* SPDX-License-Identifier: MIT */
/*
 * Peers made of bare system calls, for what a stream of weir would never do: reset in the middle, never accept, send
 * descriptors. All are blocking: on one host the kernel answers without the test's loop.
 */
#ifndef WEIR_TEST_RAW_PEER_H
#define WEIR_TEST_RAW_PEER_H

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "users.h"

/* The port that a server listens on. */
static inline uint16_t raw_port_of(const weir_server *server)
{
    weir_address address;

    assert_int_equal(weir_server_address(server, &address), 0);
    return address.port;
}

static inline struct sockaddr_in raw_loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* Before bind(2): this socket may be bound to a port of fixture_port. */
static inline void raw_share_port(int fd)
{
    const int on = 1;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
}

/* A listener on 127.0.0.1; `*port` 0 is filled in. */
static inline int raw_listen(uint16_t *port, int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = raw_loopback(*port);
    socklen_t size = sizeof(address);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* A listener that answers nothing at all, since its queue is full. */
typedef struct raw_silent {
    int fd;
    int fillers[4];
} raw_silent;

/* At `host`, an address, and a port of fixture_port or of a server that has one of those. */
static inline raw_silent raw_silence(const char *host, uint16_t port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int is_six = inet_pton(AF_INET6, host, &six.sin6_addr) == 1;
    const struct sockaddr *address = is_six ? (const struct sockaddr *)&six : (const struct sockaddr *)&four;
    socklen_t size = is_six ? sizeof(six) : sizeof(four);
    raw_silent made = {.fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    assert_true(is_six || inet_pton(AF_INET, host, &four.sin_addr) == 1);
    raw_share_port(made.fd);
    assert_int_equal(bind(made.fd, address, size), 0);
    assert_int_equal(listen(made.fd, 0), 0);
    for (size_t i = 0; i < sizeof(made.fillers) / sizeof(made.fillers[0]); i++) {
        /* The first one's waits, so that the queue is full for whoever comes later. */
        made.fillers[i] = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | (i == 0 ? 0 : SOCK_NONBLOCK), 0);
        (void)connect(made.fillers[i], address, size);
    }
    return made;
}

static inline void raw_end_silence(const raw_silent *of)
{
    for (size_t i = 0; i < sizeof(of->fillers) / sizeof(of->fillers[0]); i++)
        close(of->fillers[i]);
    close(of->fd);
}

static inline int raw_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = raw_loopback(port);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static inline struct sockaddr_un raw_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_true(strlen(path) < sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    return address;
}

/* The connect of a unix socket: its descriptor, or minus errno. */
static inline int raw_connect_path(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = raw_path(path);

    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int code = errno;
    close(fd);
    return -code;
}

static inline int raw_bind_path(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = raw_path(path);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static inline void raw_send(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* At most 8 descriptors, with the first byte of a text. */
static inline void raw_send_descriptors(int peer, const char *text, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } space;
    struct iovec vector = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    struct cmsghdr *header;

    memset(&space, 0, sizeof(space));
    message.msg_control = space.bytes;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    assert_int_equal(sendmsg(peer, &message, MSG_NOSIGNAL), strlen(text));
}

/*
 * One recvmsg: how many bytes came, how many descriptors with them (at most 8, in `fds`).
 */
static inline ssize_t raw_receive_descriptors(int peer, char *bytes, size_t size, int *fds, size_t *count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } space;
    struct iovec vector = {bytes, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    struct cmsghdr *header;
    ssize_t got;

    message.msg_control = space.bytes;
    message.msg_controllen = sizeof(space.bytes);
    got = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
    *count = 0;
    header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header) {
        assert_int_equal(header->cmsg_type, SCM_RIGHTS);
        *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), *count * sizeof(int));
    }
    return got;
}

/*
 * Runs `body` in a child with another user's and group's rights and none of root's, a member of `other` too (0: of no
 * other group): what it returned, 0 to 125. Where that cannot be done the test is skipped.
 */
static inline int raw_as_user(unsigned user, unsigned group, gid_t other, int (*body)(const char *path),
                              const char *path)
{
    int status = -1;
    pid_t forked;

    users_skip_without(user, group);
    forked = fork();
    assert_true(forked >= 0);
    if (forked == 0)
        _exit(setgroups(other != 0, &other) || setgid(group) || setuid(user) ? 126 : body(path));
    assert_int_equal(waitpid(forked, &status, 0), forked);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 126);
    return WEXITSTATUS(status);
}

/* Closes with a reset instead of an end. */
static inline void raw_reset(int fd)
{
    struct linger linger = {1, 0};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    close(fd);
}

/* An option of a socket, as the kernel has it. */
static inline int raw_option(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);

    assert_int_equal(getsockopt(fd, level, option, &value, &size), 0);
    return value;
}

/* Valgrind plays the limit on descriptors itself: the kernel has never too few of them there. */
static inline void raw_skip_where_descriptors_never_lack(void)
{
    if (getenv("WEIR_TEST_VALGRIND"))
        skip();
}

/* The descriptor under a stream. */
static inline int raw_fd_of(weir_stream *stream)
{
    weir_value value;

    assert_int_equal(weir_stream_get(stream, "fd", &value), 0);
    return (int)value.number;
}

#endif
