/* SPDX-License-Identifier: MIT */
/* A thread of clients that come one after the other. */
#define _GNU_SOURCE

#include "visitors.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct visitors {
    fixture *fixture;
    pthread_t thread;
    union {
        struct sockaddr any;
        struct sockaddr_in tcp;
        struct sockaddr_un ipc;
    } address;
    socklen_t size;
    atomic_size_t served;
    atomic_int enough; /* asked to end */
    atomic_int over;   /* has ended; `failure` holds */
    char failure[128];
};

static int went_wrong(visitors *self, const char *what)
{
    snprintf(self->failure, sizeof(self->failure), "%s: %s", what, strerror(errno));
    return -1;
}

/* The loop may be waiting for nothing else. */
static void wake(void *arg)
{
    (void)arg;
}

static int talk(visitors *self, int fd)
{
    char text[64];
    size_t size = 0;
    ssize_t more;
    if (connect(fd, &self->address.any, self->size) != 0)
        return went_wrong(self, "connect");
    if (send(fd, "hello", 5, MSG_NOSIGNAL) != 5)
        return went_wrong(self, "send");
    if (shutdown(fd, SHUT_WR) != 0)
        return went_wrong(self, "shutdown");
    while ((more = recv(fd, text + size, sizeof(text) - 1 - size, 0)) > 0)
        size += (size_t)more;
    if (more < 0)
        return went_wrong(self, "recv");
    text[size] = '\0';
    errno = 0;
    return size > 6 && strcmp(text + size - 6, ".hello") == 0 ? 0 : went_wrong(self, text);
}

static void *visit(void *arg)
{
    visitors *self = arg;
    int status = 0;
    while (status == 0 && !atomic_load(&self->enough)) {
        int fd = socket(self->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        status = fd < 0 ? went_wrong(self, "socket") : talk(self, fd);
        if (fd >= 0)
            close(fd);
        if (status == 0)
            atomic_fetch_add(&self->served, 1);
        weir_runtime_post(self->fixture->runtime, wake, NULL);
    }
    atomic_store(&self->over, 1);
    weir_runtime_post(self->fixture->runtime, wake, NULL);
    return NULL;
}

visitors *visitors_start(fixture *f, const char *url)
{
    visitors *self = calloc(1, sizeof(*self));
    assert_non_null(self);
    self->fixture = f;
    if (strncmp(url, "ipc:", 4) == 0) {
        self->address.ipc.sun_family = AF_UNIX;
        assert_true(strlen(url + 4) < sizeof(self->address.ipc.sun_path));
        strcpy(self->address.ipc.sun_path, url + 4);
        self->size = sizeof(self->address.ipc);
    } else {
        self->address.tcp.sin_family = AF_INET;
        self->address.tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        self->address.tcp.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
        self->size = sizeof(self->address.tcp);
    }
    assert_int_equal(pthread_create(&self->thread, NULL, visit, self), 0);
    return self;
}

static int is_over(const void *arg)
{
    return atomic_load(&((visitors *)(uintptr_t)arg)->over);
}

static void turn(visitors *self)
{
    fixture_turn(self->fixture, is_over, self);
    if (self->fixture->expired)
        fail_msg("the time is over");
}

void visitors_wait(visitors *self, size_t more)
{
    size_t wanted = atomic_load(&self->served) + more;
    while (atomic_load(&self->served) < wanted && !is_over(self))
        turn(self);
    if (is_over(self))
        fail_msg("after %zu: %s", atomic_load(&self->served), self->failure);
}

size_t visitors_end(visitors *self)
{
    atomic_store(&self->enough, 1);
    while (!is_over(self))
        turn(self);
    pthread_join(self->thread, NULL);
    size_t served = atomic_load(&self->served);
    char failure[sizeof(self->failure)];
    strcpy(failure, self->failure);
    free(self);
    if (failure[0])
        fail_msg("after %zu: %s", served, failure);
    return served;
}
