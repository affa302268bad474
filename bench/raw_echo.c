/* SPDX-License-Identifier: MIT */
/* The peer that weir is measured against: an echo server of plain libuv, written as well as one can in two
 * hundred lines. One buffer for all connections, uv_try_write first, and only what the kernel refused is copied. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct connection {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } peer;
};

/* The rest of an answer that the kernel did not take at once. */
struct remainder {
    uv_write_t request;
    char bytes[];
};

static char *buffer;
static size_t buffer_size = 64 * 1024;

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream)) {
        uv_close((uv_handle_t *)stream, on_closed);
    }
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *result)
{
    (void)handle;
    (void)suggested;
    *result = uv_buf_init(buffer, (unsigned)buffer_size);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *read);

static void on_written(uv_write_t *request, int status)
{
    uv_stream_t *stream = request->handle;
    free(request->data);
    if (status < 0 || uv_read_start(stream, lend_buffer, on_read) < 0) {
        drop(stream);
    }
}

static void write_later(uv_stream_t *stream, const char *bytes, size_t size)
{
    struct remainder *rest = malloc(sizeof *rest + size);
    if (rest == NULL) {
        drop(stream);
        return;
    }
    memcpy(rest->bytes, bytes, size);
    rest->request.data = rest;
    uv_buf_t part = uv_buf_init(rest->bytes, (unsigned)size);
    if (uv_write(&rest->request, stream, &part, 1, on_written) < 0) {
        free(rest);
        drop(stream);
        return;
    }
    uv_read_stop(stream);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *read)
{
    if (count == 0) {
        return;
    }
    if (count < 0) {
        drop(stream);
        return;
    }
    uv_buf_t whole = uv_buf_init(read->base, (unsigned)count);
    int taken = uv_try_write(stream, &whole, 1);
    if (taken == count) {
        return;
    }
    if (taken < 0 && taken != UV_EAGAIN) {
        drop(stream);
        return;
    }
    size_t done = taken < 0 ? 0 : (size_t)taken;
    write_later(stream, read->base + done, (size_t)count - done);
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status < 0) {
        return;
    }
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return;
    }
    if (listener->type == UV_TCP) {
        uv_tcp_init(listener->loop, &connection->peer.tcp);
    } else {
        uv_pipe_init(listener->loop, &connection->peer.pipe, 0);
    }
    connection->peer.handle.data = connection;
    if (uv_accept(listener, &connection->peer.stream) < 0 ||
        uv_read_start(&connection->peer.stream, lend_buffer, on_read) < 0) {
        drop(&connection->peer.stream);
    }
}

static int listen_tcp(uv_tcp_t *tcp, int port)
{
    struct sockaddr_storage bound;
    int length = (int)sizeof bound;
    struct sockaddr_in address;
    int result = uv_ip4_addr("127.0.0.1", port, &address);
    if (result == 0) {
        result = uv_tcp_init(uv_default_loop(), tcp);
    }
    if (result == 0) {
        result = uv_tcp_bind(tcp, (const struct sockaddr *)&address, 0);
    }
    if (result == 0) {
        result = uv_listen((uv_stream_t *)tcp, 511, on_connection);
    }
    if (result == 0) {
        result = uv_tcp_getsockname(tcp, (struct sockaddr *)&bound, &length);
    }
    if (result == 0) {
        memcpy(&address, &bound, sizeof address);
        printf("%d\n", ntohs(address.sin_port));
    }
    return result;
}

static int listen_ipc(uv_pipe_t *pipe, const char *path)
{
    int result = uv_pipe_init(uv_default_loop(), pipe, 0);
    if (result == 0) {
        result = uv_pipe_bind(pipe, path);
    }
    if (result == 0) {
        result = uv_listen((uv_stream_t *)pipe, 511, on_connection);
    }
    if (result == 0) {
        printf("%s\n", path);
    }
    return result;
}

static int usage(void)
{
    fputs("usage: bench_raw_echo tcp:PORT|ipc:PATH [BUFFER-KIB]\n"
          "Echo on 127.0.0.1 (port 0: any) or a path; prints the port or path once it listens. BUFFER-KIB: 64.\n",
          stderr);
    return 2;
}

/* A number between least and most, or -1. */
static long number(const char *text, long least, long most)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || value < least || value > most ? -1 : value;
}

int main(int argc, char **argv)
{
    static union {
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } listener;
    int result;

    if (argc < 2 || argc > 3 || (strncmp(argv[1], "tcp:", 4) != 0 && strncmp(argv[1], "ipc:", 4) != 0)) {
        return usage();
    }
    if (argc == 3) {
        long kib = number(argv[2], 1, 64 * 1024);
        if (kib < 0) {
            return usage();
        }
        buffer_size = (size_t)kib * 1024;
    }
    buffer = malloc(buffer_size);
    if (buffer == NULL) {
        fputs("bench_raw_echo: out of memory\n", stderr);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    if (argv[1][0] == 't') {
        long port = number(argv[1] + 4, 0, 65535);
        if (port < 0) {
            return usage();
        }
        result = listen_tcp(&listener.tcp, (int)port);
    } else {
        result = listen_ipc(&listener.pipe, argv[1] + 4);
    }
    if (result < 0) {
        fprintf(stderr, "bench_raw_echo: listen %s: %s\n", argv[1], uv_strerror(result));
        return 1;
    }
    fflush(stdout);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
