/* SPDX-License-Identifier: MIT */
/* The load generator: asks an echo server on loopback for a fixed amount of work over epoll and checks every byte
 * that comes back. Between its phases it waits for whoever measures (docs/benchmarks.md tells the protocol). */
#include "channel.h"
#include "complain.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    /* The pattern repeats after a prime number of bytes, so that no loss or swap of a power of two goes unseen. */
    PATTERN_PERIOD = 65521,
    LARGEST_SEND = 1024 * 1024,
    READ_SIZE = 256 * 1024,
    GREETING = 64,
    OPENED_AT_ONCE = 64,
    EVENTS_AT_ONCE = 512,
};

enum mode { PING_PONG, STREAM, CONNECT, RECONNECT, IDLE };

struct connection {
    struct channel channel;
    uint32_t events;
    bool ending;
    /* Where in the pattern this connection begins: other connections' bytes are wrong bytes. */
    uint64_t offset;
    uint64_t sent;
    uint64_t received;
    /* Bytes to send, and to get back, until the next step. */
    uint64_t goal;
};

struct load {
    enum mode mode;
    struct sockaddr_storage address;
    socklen_t address_length;
    uint64_t connections;
    uint64_t size;
    uint64_t warm;
    uint64_t work;
    bool at_once;

    int epoll;
    struct connection *slots;
    uint64_t slots_used;
    uint64_t connected;
    unsigned char *pattern;
    unsigned char *bytes;

    /* The phase that runs: what answered() does, and how many of its tasks are begun and done. */
    bool opening;
    uint64_t tasks;
    uint64_t begun;
    uint64_t done;
};

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int make_buffers(struct load *load)
{
    load->pattern = malloc(PATTERN_PERIOD + LARGEST_SEND);
    load->bytes = malloc(READ_SIZE);
    load->slots = calloc(load->connections, sizeof *load->slots);
    if (load->pattern == NULL || load->bytes == NULL || load->slots == NULL) {
        return bench_complain("out of memory");
    }
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < PATTERN_PERIOD; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        load->pattern[i] = (unsigned char)(state >> 32);
    }
    for (size_t i = PATTERN_PERIOD; i < PATTERN_PERIOD + LARGEST_SEND; i++) {
        load->pattern[i] = load->pattern[i - PATTERN_PERIOD];
    }
    return 0;
}

static const unsigned char *expected(const struct load *load, const struct connection *connection, uint64_t position)
{
    return load->pattern + (connection->offset + position) % PATTERN_PERIOD;
}

static int watch(struct load *load, struct connection *connection)
{
    bool waits = connection->channel.open && connection->sent < connection->goal;
    uint32_t wanted = EPOLLIN | (waits ? (uint32_t)EPOLLOUT : 0u);
    if (wanted == connection->events) {
        return 0;
    }
    struct epoll_event event = {.events = wanted, .data = {.ptr = connection}};
    int how = connection->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    connection->events = wanted;
    return epoll_ctl(load->epoll, how, connection->channel.fd, &event) == 0
               ? 0
               : bench_complain("epoll_ctl: %s", strerror(errno));
}

/* Send once, as much as the size of a send allows and the kernel takes. */
static int push(struct load *load, struct connection *connection)
{
    uint64_t left = connection->goal - connection->sent;
    if (left == 0 || !connection->channel.open) {
        return 0;
    }
    size_t size = (size_t)(left < load->size ? left : load->size);
    ssize_t taken = channel_send(&connection->channel, expected(load, connection, connection->sent), size);
    if (taken == CHANNEL_FAILED) {
        return bench_complain("after %" PRIu64 " bytes that were sent", connection->sent);
    }
    connection->sent += taken == CHANNEL_AGAIN ? 0 : (uint64_t)taken;
    return 0;
}

/* Ask for more on a connection that is at rest: `bytes` out, and the same bytes back. */
static int ask(struct load *load, struct connection *connection, uint64_t bytes)
{
    load->begun++;
    connection->goal += bytes;
    return push(load, connection) < 0 ? -1 : watch(load, connection);
}

static int begin_connection(struct load *load, struct connection *connection)
{
    int fd = socket(load->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return bench_complain("socket: %s", strerror(errno));
    }
    /* It may wait for a place in the server's queue; the deadline bounds that. */
    if (connect(fd, (const struct sockaddr *)&load->address, load->address_length) != 0) {
        return bench_complain("connect: %s", strerror(errno));
    }
    *connection = (struct connection){.channel = {.fd = fd}, .offset = load->connected++ * 7919};
    return channel_begin(&connection->channel) < 0 ? -1 : ask(load, connection, GREETING);
}

static int begin_exchange(struct load *load, struct connection *connection)
{
    return load->begun < load->tasks ? ask(load, connection, load->size) : watch(load, connection);
}

/* All that was asked for has come back, each byte as it should be. */
static int answered(struct load *load, struct connection *connection)
{
    if (!load->opening && (load->mode == CONNECT || load->mode == RECONNECT)) {
        /* An orderly end on both sides belongs to the work. */
        connection->ending = true;
        return channel_end(&connection->channel);
    }
    load->done++;
    if (load->opening) {
        if (watch(load, connection) < 0) {
            return -1;
        }
        return load->begun < load->tasks ? begin_connection(load, &load->slots[load->slots_used++]) : 0;
    }
    return load->mode == PING_PONG ? begin_exchange(load, connection) : watch(load, connection);
}

static int ended(struct load *load, struct connection *connection)
{
    if (!connection->ending) {
        return bench_complain("the server closed a connection after %" PRIu64 " bytes", connection->received);
    }
    channel_close(&connection->channel);
    load->done++;
    return load->begun < load->tasks ? begin_connection(load, connection) : 0;
}

static int check(const struct load *load, const struct connection *connection, size_t count)
{
    if (count > connection->sent - connection->received) {
        return bench_complain("%zu bytes came back where %" PRIu64 " were awaited", count,
                              (connection->sent - connection->received));
    }
    const unsigned char *right = expected(load, connection, connection->received);
    if (memcmp(load->bytes, right, count) == 0) {
        return 0;
    }
    size_t at = 0;
    while (load->bytes[at] == right[at]) {
        at++;
    }
    return bench_complain("byte %" PRIu64 " of an echo is 0x%02x and not 0x%02x", connection->received + at,
                          load->bytes[at], right[at]);
}

static int pull(struct load *load, struct connection *connection)
{
    do {
        ssize_t count = channel_receive(&connection->channel, load->bytes, READ_SIZE);
        if (count == CHANNEL_AGAIN) {
            return 0;
        }
        if (count == CHANNEL_FAILED) {
            return bench_complain("after %" PRIu64 " bytes that came back", connection->received);
        }
        if (count == 0) {
            return ended(load, connection);
        }
        if (check(load, connection, (size_t)count) < 0) {
            return -1;
        }
        connection->received += (uint64_t)count;
        if (connection->received == connection->goal && answered(load, connection) < 0) {
            return -1;
        }
    } while (connection->channel.more);
    return 0;
}

static int serve(struct load *load, struct connection *connection, uint32_t events)
{
    if (!connection->channel.open) {
        if (channel_go_on(&connection->channel) < 0) {
            return -1;
        }
        return push(load, connection) < 0 ? -1 : watch(load, connection);
    }
    if ((events & EPOLLOUT) != 0 && (push(load, connection) < 0 || watch(load, connection) < 0)) {
        return -1;
    }
    return (events & ~(uint32_t)EPOLLOUT) != 0 ? pull(load, connection) : 0;
}

static int work_until_done(struct load *load)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    while (load->done < load->tasks) {
        int count = epoll_wait(load->epoll, events, EVENTS_AT_ONCE, -1);
        if (count < 0 && errno != EINTR) {
            return bench_complain("epoll_wait: %s", strerror(errno));
        }
        for (int i = 0; i < count; i++) {
            if (serve(load, events[i].data.ptr, events[i].events) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int open_connections(struct load *load, uint64_t count)
{
    load->opening = true;
    load->tasks = count;
    load->begun = load->done = 0;
    while (load->begun < load->tasks && load->begun < OPENED_AT_ONCE) {
        if (begin_connection(load, &load->slots[load->slots_used++]) < 0) {
            return -1;
        }
    }
    return work_until_done(load);
}

/* A phase of `work`: requests, bytes over all connections, or connections, as the mode has it. */
static int run_phase(struct load *load, uint64_t work)
{
    if (load->mode == IDLE) {
        return open_connections(load, work);
    }
    load->opening = false;
    load->begun = load->done = 0;
    load->tasks = load->mode == STREAM ? load->connections : work;
    for (uint64_t i = 0; i < load->connections && load->begun < load->tasks; i++) {
        struct connection *connection = &load->slots[i];
        int result;
        if (load->mode == CONNECT || load->mode == RECONNECT) {
            result = begin_connection(load, connection);
        } else {
            result = ask(load, connection, load->mode == STREAM ? work / load->connections : load->size);
        }
        if (result < 0) {
            return -1;
        }
    }
    return work_until_done(load);
}

/* Say where we are, and wait for a line from whoever measures. */
static int report(const struct load *load, const char *line)
{
    char answer[16];
    printf("%s\n", line);
    fflush(stdout);
    return load->at_once || fgets(answer, sizeof answer, stdin) != NULL ? 0
                                                                        : bench_complain("nobody measures any more");
}

static int run(struct load *load)
{
    char line[128];
    bool connects = load->mode == CONNECT || load->mode == RECONNECT || load->mode == IDLE;
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll < 0) {
        return bench_complain("epoll_create1: %s", strerror(errno));
    }
    if (make_buffers(load) < 0 || (!connects && open_connections(load, load->connections) < 0) ||
        (load->warm > 0 && run_phase(load, load->warm) < 0) || report(load, "ready") < 0) {
        return -1;
    }
    uint64_t wall = now(CLOCK_MONOTONIC);
    uint64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    if (run_phase(load, load->work) < 0) {
        return -1;
    }
    snprintf(line, sizeof line, "done %" PRIu64 " %" PRIu64, now(CLOCK_MONOTONIC) - wall,
             now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    return report(load, line);
}

static int parse_address(struct load *load, const char *text)
{
    if (strncmp(text, "tcp:", 4) == 0) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
        int port = atoi(text + 4);
        if (port <= 0 || port > 65535) {
            return bench_complain("%s: a port is 1 to 65535", text);
        }
        address.sin_port = htons((uint16_t)port);
        memcpy(&load->address, &address, sizeof address);
        load->address_length = sizeof address;
        return 0;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strncmp(text, "ipc:", 4) != 0 || strlen(text + 4) >= sizeof address.sun_path) {
        return bench_complain("%s: an address is tcp:PORT or ipc:PATH", text);
    }
    memcpy(address.sun_path, text + 4, strlen(text + 4));
    memcpy(&load->address, &address, sizeof address);
    load->address_length = sizeof address;
    return 0;
}

static int parse_mode(struct load *load, const char *text)
{
    static const char *const names[] = {"ping-pong", "stream", "connect", "reconnect", "idle"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            load->mode = (enum mode)i;
            return 0;
        }
    }
    return bench_complain("%s: a mode is ping-pong, stream, connect, reconnect or idle", text);
}

static int parse_options(struct load *load, int argc, char **argv, unsigned *seconds)
{
    static const struct option options[] = {{"connections", required_argument, NULL, 'c'},
                                            {"size", required_argument, NULL, 's'},
                                            {"warm", required_argument, NULL, 'w'},
                                            {"work", required_argument, NULL, 'n'},
                                            {"seconds", required_argument, NULL, 't'},
                                            {"at-once", no_argument, NULL, 'a'},
                                            {NULL, 0, NULL, 0}};
    int letter;
    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint64_t value = letter == 'a' || letter == '?' ? 0 : strtoull(optarg, NULL, 10);
        switch (letter) {
        case 'c':
            load->connections = value;
            break;
        case 's':
            load->size = value;
            break;
        case 'w':
            load->warm = value;
            break;
        case 'n':
            load->work = value;
            break;
        case 't':
            *seconds = (unsigned)value;
            break;
        case 'a':
            load->at_once = true;
            break;
        default:
            return -1;
        }
    }
    if (argc - optind != 2) {
        return bench_complain("usage: bench_load ping-pong|stream|connect|reconnect|idle tcp:PORT|ipc:PATH "
                              "[--connections N] [--size BYTES] "
                              "[--warm N] [--work N] [--seconds N] [--at-once]");
    }
    if (parse_mode(load, argv[optind]) < 0 || parse_address(load, argv[optind + 1]) < 0) {
        return -1;
    }
    if (load->mode == IDLE) {
        load->connections = load->warm + load->work;
    }
    if (load->size < 1 || load->size > LARGEST_SEND || load->connections < 1 || load->connections > 100000) {
        return bench_complain("sizes are 1 to %d bytes, connections 1 to 100000", LARGEST_SEND);
    }
    return load->mode == IDLE || load->work >= load->connections
               ? 0
               : bench_complain("--work: there is less than connections");
}

static void out_of_time(int number)
{
    static const char text[] = "bench_load: the server did not finish in time\n";
    (void)number;
    _exit(write(STDERR_FILENO, text, sizeof text - 1) < 0 ? 2 : 1);
}

int main(int argc, char **argv)
{
    struct load load = {.connections = 1, .size = 64, .work = 10000};
    unsigned seconds = 60;
    if (parse_options(&load, argc, argv, &seconds) < 0) {
        return 2;
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, out_of_time);
    alarm(seconds);
    int result = channel_prepare(load.mode == RECONNECT);
    if (result == 0) {
        result = run(&load);
    }
    free(load.pattern);
    free(load.bytes);
    free(load.slots);
    return result < 0 ? 1 : 0;
}
