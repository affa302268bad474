/* SPDX-License-Identifier: MIT */
/* System calls that fail where a test tells them to: the orders, and which call they concern. */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "syscalls.h"
#include "syscalls_private.h"

enum { MOST_FAULTS = 16, MOST_RUNS = 10000 };

typedef struct order {
    syscall_fault fault;
    const char *call; /* NULL: any but close and Jansson's */
    unsigned met;
    unsigned failed;
    pthread_t thread;
} order;

/* What usually goes wrong with a call. */
static const struct usual {
    const char *call;
    int error;
} usual[] = {
#define USUAL(call, error) {#call, error},
    SYSCALLS(USUAL)
#undef USUAL
};

/* The orders are read by any thread that makes a call, and given by one. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static order orders[MOST_FAULTS];
static size_t order_count;
static unsigned failures;
/* Looking at a descriptor is a call of its own, which must not be looked at. */
static _Thread_local int looking;

static int usual_error(const char *call)
{
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (!strcmp(usual[i].call, call))
            return usual[i].error;
    return 0;
}

static int concerns(const order *self, const syscall_made *made)
{
    const syscall_fault *fault = &self->fault;
    if (self->call ? strcmp(self->call, made->call) != 0
                   : !strcmp(made->call, "close") || !strncmp(made->call, "json_", 5))
        return 0;
    if (!fault->any_thread && !pthread_equal(self->thread, pthread_self()))
        return 0;
    if (fault->path && (!made->path || !strstr(made->path, fault->path)))
        return 0;
    if (fault->concerns && (made->fd < 0 || !fault->concerns(made->fd)))
        return 0;
    return !fault->of || fault->of(made->numbers[0], made->numbers[1], made->numbers[2]);
}

int syscalls__verdict(const syscall_made *made, size_t *at_most)
{
    int error = 0;
    if (looking)
        return 0;
    looking = 1;
    int errno_before = errno;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < order_count; i++) {
        order *self = &orders[i];
        if (!concerns(self, made))
            continue;
        if (self->met++ < self->fault.after || (self->fault.times && self->failed >= self->fault.times))
            continue;
        if ((self->fault.at_most || self->fault.nothing) && !at_most)
            continue;
        self->failed++;
        failures++;
        if (self->fault.at_most || self->fault.nothing)
            *at_most = self->fault.nothing ? 0 : self->fault.at_most;
        else
            error = self->call ? self->fault.error : usual_error(made->call);
        break;
    }
    pthread_mutex_unlock(&lock);
    errno = errno_before;
    looking = 0;
    return error;
}

static void give(const syscall_fault *fault, const char *call)
{
    pthread_mutex_lock(&lock);
    if (order_count < MOST_FAULTS)
        orders[order_count++] = (order){.fault = *fault, .call = call, .thread = pthread_self()};
    pthread_mutex_unlock(&lock);
}

void syscalls_fail(const syscall_fault *fault)
{
    if (!usual_error(fault->call))
        fail_msg("syscalls: there is no %s", fault->call);
    if (!fault->error && !fault->at_most && !fault->nothing)
        fail_msg("syscalls: with which error is %s to fail?", fault->call);
    if (order_count == MOST_FAULTS)
        fail_msg("syscalls: more than %d orders", MOST_FAULTS);
    give(fault, fault->call);
}

void syscalls_fail_next(const char *call, int error)
{
    syscalls_fail(&(syscall_fault){.call = call, .error = error, .times = 1});
}

void syscalls_restore(void)
{
    pthread_mutex_lock(&lock);
    order_count = 0;
    failures = 0;
    pthread_mutex_unlock(&lock);
}

unsigned syscalls_failures(void)
{
    pthread_mutex_lock(&lock);
    unsigned count = failures;
    pthread_mutex_unlock(&lock);
    return count;
}

unsigned syscalls_fail_each(const char *call, int error, void (*body)(void *arg), void *arg)
{
    if (call && !usual_error(call))
        fail_msg("syscalls: there is no %s", call);
    for (unsigned run = 0; run < MOST_RUNS; run++) {
        syscalls_restore();
        give(&(syscall_fault){.error = error, .after = run, .times = 1}, call);
        body(arg);
        unsigned failed = syscalls_failures();
        syscalls_restore();
        if (!failed)
            return run + 1;
    }
    fail_msg("after %d runs there is still a call left to fail", (int)MOST_RUNS);
    return 0;
}

/* ---- Which descriptors ---- */

static int is_socket(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

static int socket_fact(int fd, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

int syscalls_listener(int fd)
{
    return is_socket(fd) && socket_fact(fd, SO_ACCEPTCONN) == 1;
}

int syscalls_connection(int fd)
{
    return is_socket(fd) && socket_fact(fd, SO_ACCEPTCONN) == 0;
}

int syscalls_unix(int fd)
{
    return is_socket(fd) && socket_fact(fd, SO_DOMAIN) == AF_UNIX;
}

int syscalls_no_socket(int fd)
{
    return !is_socket(fd);
}
