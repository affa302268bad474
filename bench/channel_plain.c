/* SPDX-License-Identifier: MIT */
/* Nothing but the socket. */
#include "channel.h"
#include "complain.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int channel_prepare(bool resume)
{
    return resume ? bench_complain("there is nothing to come back with over a plain socket") : 0;
}

int channel_begin(struct channel *channel)
{
    channel->open = true;
    return 0;
}

int channel_go_on(struct channel *channel)
{
    (void)channel;
    return 0;
}

static ssize_t failed(const char *what)
{
    if (errno == EAGAIN) {
        return CHANNEL_AGAIN;
    }
    bench_complain("%s: %s", what, strerror(errno));
    return CHANNEL_FAILED;
}

ssize_t channel_send(struct channel *channel, const void *bytes, size_t size)
{
    ssize_t taken = send(channel->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return taken < 0 ? failed("send") : taken;
}

ssize_t channel_receive(struct channel *channel, void *bytes, size_t size)
{
    ssize_t count = recv(channel->fd, bytes, size, MSG_DONTWAIT);
    return count < 0 ? failed("recv") : count;
}

int channel_end(struct channel *channel)
{
    return shutdown(channel->fd, SHUT_WR) == 0 ? 0 : bench_complain("shutdown: %s", strerror(errno));
}

void channel_close(struct channel *channel)
{
    close(channel->fd);
}
