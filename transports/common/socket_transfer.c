/* SPDX-License-Identifier: MIT */
/* Bytes in and out of a connected socket, bounded by callback, and the descriptors that travel with them. */
#define _GNU_SOURCE

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "socket_error.h"
#include "socket_link.h"

/* The loop is not fair inside a callback: after so many rounds the others have their turn. */
#define READ_ROUNDS  4
#define WRITE_ROUNDS 4

/* What libuv suggests as well. Nobody has to follow it. */
#define READ_SUGGESTED 65536

#define DESCRIPTORS_MOST 253 /* SCM_MAX_FD of Linux */
#define WINDOW           64

typedef union descriptor_space {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(DESCRIPTORS_MOST * sizeof(int))];
} descriptor_space;

/* ---- in ---- */

/* What a message brought beside its bytes. */
typedef struct beside {
    int fds[DESCRIPTORS_MOST];
    size_t count;
    int lost; /* there were more than the process has room for */
} beside;

static void take_descriptors(struct msghdr *message, beside *arrived)
{
    struct cmsghdr *header;

    arrived->lost = (message->msg_flags & MSG_CTRUNC) != 0;
    for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        if (count > DESCRIPTORS_MOST - arrived->count)
            count = DESCRIPTORS_MOST - arrived->count;
        memcpy(arrived->fds + arrived->count, CMSG_DATA(header), count * sizeof(int));
        arrived->count += count;
    }
}

static ssize_t receive_with_descriptors(int fd, weir_buf *buf, beside *arrived)
{
    descriptor_space space;
    struct iovec vector = {buf->data, buf->size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t got;

    message.msg_control = space.bytes;
    message.msg_controllen = sizeof(space.bytes);
    do
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got >= 0 && (message.msg_controllen || message.msg_flags & MSG_CTRUNC))
        take_descriptors(&message, arrived);
    return got;
}

static ssize_t receive_plain(int fd, weir_buf *buf)
{
    ssize_t got;

    do
        got = recv(fd, buf->data, buf->size, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Of a path only one end has a name, that of whoever listens: the peer's, or, once accepted, our own. */
static void name_socket(int fd, weir_address *address)
{
    struct sockaddr_storage storage;
    struct sockaddr *name = (struct sockaddr *)&storage;
    socklen_t size = sizeof(storage);

    if (fd < 0)
        return;
    if (!getpeername(fd, name, &size) && !weir_address_from_sockaddr(address, name, size) && address->length)
        return;
    size = sizeof(storage);
    if (getsockname(fd, name, &size) || weir_address_from_sockaddr(address, name, size) || !address->length)
        address->family = WEIR_FAMILY_NONE;
}

void weir__socket_fail_reading(socket_link *socket, int code, const char *syscall)
{
    weir_address remote = {.family = WEIR_FAMILY_NONE};

    if (socket->remote.any.sa_family != AF_UNSPEC)
        (void)weir_address_from_sockaddr(&remote, &socket->remote.any, sizeof(socket->remote));
    else if (socket->context->kind->family == SOCKET_IPC && socket->poll)
        name_socket(socket->poll->fd, &remote);
    weir__socket_link_fail(socket, weir__socket_error(code, syscall, socket->context->kind->scheme, &remote));
}

/*
 * The kernel reports the end. After send took the socket's error away it reports it in that error's place, and the end
 * of the data is not known to be the peer's (BN-06).
 */
static void end_reading(socket_link *socket)
{
    if (socket->broken) {
        weir__socket_fail_reading(socket, socket->broken, "write");
        return;
    }
    socket->ended = 1;
    weir__socket_link_watch(socket);
    weir_up_end(&socket->link);
}

static int may_read(const socket_link *socket)
{
    return socket->reading && !socket->ended && !socket->closing && !socket->failed;
}

static void deliver(socket_link *socket, weir_buf *buf, size_t size, const beside *arrived)
{
    buf->size = size;
    if (arrived->count)
        weir_up_fds(&socket->link, arrived->fds, arrived->count);
    if (socket->closing || socket->failed)
        return; /* by a listener of 'fd' */
    weir_up_data(&socket->link, buf);
    if (arrived->lost && !socket->closing && !socket->failed)
        weir__socket_fail_reading(socket, UV_EMFILE, "recvmsg");
}

/* One read: 1 there may be more, 0 not now. */
static int receive_once(socket_link *socket, int until_end, int error)
{
    weir_buf *buf = weir_up_buffer(&socket->link, READ_SUGGESTED);
    beside arrived;
    size_t room;
    ssize_t got;
    int code;

    if (!buf)
        return 0; /* no memory: the descriptor stays readable, so the next turn tries again */
    arrived.count = 0;
    arrived.lost = 0;
    room = buf->size;
    if (socket->context->kind->descriptors && weir_link_wants_fds(&socket->link))
        got = receive_with_descriptors(socket->poll->fd, buf, &arrived);
    else
        got = receive_plain(socket->poll->fd, buf);
    if (got > 0) {
        deliver(socket, buf, (size_t)got, &arrived);
        return (size_t)got == room || until_end;
    }
    if (got == 0) {
        end_reading(socket);
        return 0;
    }
    code = uv_translate_sys_error(errno);
    if (code == UV_EAGAIN && error)
        code = weir__socket_take_error(socket->poll->fd); /* all is read: now it can be asked */
    if (code && code != UV_EAGAIN)
        weir__socket_fail_reading(socket, code, "read");
    return 0;
}

void weir__socket_receive(socket_link *socket, int hung_up, int error)
{
    int round;

    for (round = 0; round < READ_ROUNDS && may_read(socket); round++)
        if (!receive_once(socket, hung_up || error, error))
            return;
}

/* ---- out ---- */

ssize_t weir__socket_send_some(int fd, const struct iovec *bufs, size_t count)
{
    ssize_t sent;

    do {
        if (count == 1) {
            sent = send(fd, bufs->iov_base, bufs->iov_len, MSG_NOSIGNAL);
        } else {
            struct msghdr message = {0};

            /* sendmsg only reads the vectors; its struct is shared with recvmsg. */
            message.msg_iov = (struct iovec *)(uintptr_t)bufs;
            message.msg_iovlen = count < IOV_MAX ? count : IOV_MAX;
            sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        }
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? uv_translate_sys_error(errno) : sent;
}

static ssize_t send_with_descriptors(socket_link *socket, const struct iovec *bufs, size_t count)
{
    descriptor_space space;
    struct msghdr message = {0};
    struct cmsghdr *header;
    size_t size = socket->fd_count * sizeof(int);
    ssize_t sent;

    memset(&space, 0, sizeof(space));
    message.msg_iov = (struct iovec *)(uintptr_t)bufs;
    message.msg_iovlen = count < IOV_MAX ? count : IOV_MAX;
    message.msg_control = space.bytes;
    message.msg_controllen = CMSG_SPACE(size);
    header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), socket->fds, size);
    do
        sent = sendmsg(socket->poll->fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return uv_translate_sys_error(errno);
    socket->fd_count = 0;
    return sent;
}

/* What is still to be sent: the caller's own vectors, or a copy of the first of them when one is sent in part. */
static const struct iovec *remaining(const socket_link *socket, struct iovec *window, size_t *count)
{
    size_t i;

    *count = socket->count;
    if (!socket->done)
        return socket->bufs;
    if (*count > WINDOW)
        *count = WINDOW;
    for (i = 0; i < *count; i++)
        window[i] = socket->bufs[i];
    window[0].iov_base = (char *)window[0].iov_base + socket->done;
    window[0].iov_len -= socket->done;
    return window;
}

static size_t total(const struct iovec *bufs, size_t count)
{
    size_t sum = 0;
    size_t i;

    for (i = 0; i < count && i < IOV_MAX; i++)
        sum += bufs[i].iov_len;
    return sum;
}

/* `sent` bytes have gone; empty buffers go with those before them. */
static void advance(socket_link *socket, size_t sent)
{
    while (socket->count && sent >= socket->bufs->iov_len - socket->done) {
        sent -= socket->bufs->iov_len - socket->done;
        socket->done = 0;
        socket->bufs++;
        socket->count--;
    }
    if (socket->count)
        socket->done += sent;
}

int weir__socket_send(socket_link *socket)
{
    struct iovec window[WINDOW];
    int round;

    advance(socket, 0);
    for (round = 0; round < WRITE_ROUNDS && socket->count; round++) {
        size_t count;
        const struct iovec *bufs = remaining(socket, window, &count);
        size_t wanted = total(bufs, count);
        ssize_t sent;

        if (socket->fd_count)
            sent = send_with_descriptors(socket, bufs, count);
        else
            sent = weir__socket_send_some(socket->poll->fd, bufs, count);
        if (sent == UV_EAGAIN)
            return 0;
        if (sent < 0)
            return (int)sent;
        advance(socket, (size_t)sent);
        if ((size_t)sent < wanted)
            return 0; /* the kernel is full: asking again would only cost a call */
    }
    return socket->count == 0;
}
