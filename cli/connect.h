/* SPDX-License-Identifier: MIT */
/* The two ends that `weir connect` has on this side, standard input and standard output; and what it asks and tells of the
 * other one. */
#ifndef WEIR_CLI_CONNECT_H
#define WEIR_CLI_CONNECT_H

#include <stddef.h>

#include <uv.h>

#include <weir/buffer.h>
#include <weir/runtime.h>

#include "cli.h"

/* What a descriptor is, as far as it matters here. */
typedef enum input_kind {
    INPUT_FILE,     /* never waits, has an end: read in a thread */
    INPUT_TERMINAL, /* somebody types */
    INPUT_PIPE      /* or a socket: another program writes */
} input_kind;

/*
 * Reads a descriptor without changing it: O_NONBLOCK belongs to everybody who shares it, a shell and its other programs
 * among them. All members are its own.
 */
typedef struct input {
    weir_runtime *runtime;
    int fd;
    input_kind kind;
    int epoll; /* watches fd, and is itself watched by `poll`; -1 for a file */
    uv_poll_t poll;
    uv_work_t work;
    int working;
    int wanted; /* between input_start and input_stop */
    int closed;
    ssize_t result; /* of the read in the thread: bytes or an errno below 0 */
    char *bytes;
    /* Bytes, or the end: size 0 with status 0, or what reading failed with. Nothing more after the end. */
    void (*on_read)(void *arg, const char *bytes, size_t size, int status);
    void *arg;
} input;

/* 0, or an error; then there is nothing to close. */
int input_open(input *self, weir_runtime *runtime, int fd, void (*on_read)(void *, const char *, size_t, int),
               void *arg);
void input_start(input *self);
void input_stop(input *self);
void input_close(input *self); /* also twice; nothing is read any more, handles go with the loop's next turns */
void input_free(input *self);  /* when the loop has run out */

/* Bytes that wait in a pipe, unread. */
size_t input_left(const input *self);

/* Writes to a descriptor in a thread, where it may wait: one buffer at a time. */
typedef struct sink {
    weir_runtime *runtime;
    int fd;
    uv_work_t work;
    int working;
    int result; /* 0 or an errno below 0 */
    weir_buf *buf;
    void (*on_written)(void *arg, int status);
    void *arg;
} sink;

void sink_init(sink *self, weir_runtime *runtime, int fd, void (*on_written)(void *arg, int status), void *arg);

/* Takes a reference of the buffer's until it is written. 0, UV_EBUSY (the last one is not written yet), or an error. */
int sink_write(sink *self, weir_buf *buf);

/* ---- connect_facts.c ---- */

/* Is it JSON? Otherwise it is a URL. */
int endpoint_is_object(const char *text);

/* The URL with one more option, ca; the caller frees it. NULL: no memory. */
char *endpoint_with_ca(const char *url, const char *ca);

/* One line on standard error: where it is connected to, and what the layers say that was agreed on. */
void facts_print(cli_session *session, weir_stream *stream, const weir_endpoint *endpoint);

#endif
