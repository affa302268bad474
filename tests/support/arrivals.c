/* SPDX-License-Identifier: MIT */
/* Datagrams to oneself, behind what else was sent over the loopback interface. */
#define _GNU_SOURCE

#include "arrivals.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE 100 /* datagrams that are lost, one after the other, until a way is given up */

static int open_way(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_usec = 100000};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, size) || getsockname(fd, (struct sockaddr *)&address, &size) ||
        connect(fd, (struct sockaddr *)&address, size) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience))) {
        close(fd);
        return -1;
    }
    return fd;
}

void arrivals_open(arrivals *self)
{
    self->last = 0;
    for (size_t i = 0; i < ARRIVALS_WAYS; i++) {
        self->fds[i] = open_way();
        self->lost[i] = 0;
    }
}

/* sendto and recvfrom, because tests make send and recv fail. */
static void send_one(int fd, uint32_t number)
{
    (void)sendto(fd, &number, sizeof(number), MSG_NOSIGNAL, NULL, 0);
}

/* 0: it has not come, though it was sent again and again. */
static int wait_for(int fd, uint32_t number)
{
    for (int lost = 0; lost < PATIENCE;) {
        uint32_t come = 0;
        if (recvfrom(fd, &come, sizeof(come), 0, NULL, NULL) == sizeof(come)) {
            if (come == number)
                return 1;
        } else {
            lost++;
            send_one(fd, number);
        }
    }
    return 0;
}

void arrivals_wait(arrivals *self)
{
    self->last++;
    for (size_t i = 0; i < ARRIVALS_WAYS; i++) {
        if (self->fds[i] >= 0 && !self->lost[i])
            send_one(self->fds[i], self->last);
    }
    for (size_t i = 0; i < ARRIVALS_WAYS; i++) {
        if (self->fds[i] >= 0 && !self->lost[i] && !wait_for(self->fds[i], self->last)) {
            self->lost[i] = 1; /* still open: a test counts its descriptors */
        }
    }
}

void arrivals_close(arrivals *self)
{
    for (size_t i = 0; i < ARRIVALS_WAYS; i++) {
        if (self->fds[i] >= 0)
            close(self->fds[i]);
    }
}
