/* SPDX-License-Identifier: MIT */
/* The program `weir`, or another one, as a child of the test: what it is given, what it prints, how it ends. No loop is
 * needed. */
#ifndef WEIR_TEST_CHILD_H
#define WEIR_TEST_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/* Descriptors of the child's: at least 0 is one of the test's own (borrowed), or one of these. */
enum {
    CHILD_PIPE = -1,  /* a pipe to or from the test */
    CHILD_CLOSED = -2 /* closed */
};

typedef struct child {
    pid_t pid;
    int in;         /* to its standard input; -1: none */
    int out;        /* from its standard output */
    int err;        /* from its standard error, always a pipe */
    char *out_text; /* what child_finish and child_line have read; ended by NUL */
    size_t out_size;
    size_t out_room;
    char *err_text;
    size_t err_size;
    size_t err_room;
    size_t lines_read; /* where child_line goes on in out_text */
} child;

/* Starts `weir ARGUMENTS...` (ended by NULL), with all plugins of the build at hand. */
child *child_start(int in, int out, const char *const *arguments);
#define CHILD(in, out, ...) child_start((in), (out), (const char *const[]){__VA_ARGS__, NULL})

/* The same with another program of the system's, found along PATH: arguments[0]. Skips the test where it is not there. */
child *child_start_other(int in, int out, const char *const *arguments);
#define OTHER(in, out, ...) child_start_other((in), (out), (const char *const[]){__VA_ARGS__, NULL})

/* 1 where a program of that name stands along PATH, else 0. */
int child_is_there(const char *program);

/* The next line of its standard output, without the line feed; fails the test when there is none. Valid until the next
 * call. */
const char *child_line(child *self);

/*
 * Writes all of it to its standard input, and reads what it prints meanwhile: a child that cannot go on printing may not
 * go on reading either.
 */
void child_write(child *self, const char *bytes, size_t size);

/* Closes its standard input. */
void child_close_in(child *self);

/* Closes its input, reads all it prints, waits for its end: the exit code, or 256 + the signal that ended it. */
int child_finish(child *self);
void child_free(child *self);

/* child_start without input, child_finish; the texts are there until child_free. `*code` may be NULL. */
child *child_run(int *code, const char *const *arguments);
#define CHILD_RUN(code, ...) child_run((code), (const char *const[]){__VA_ARGS__, NULL})

/* cmocka's setup: ends the test program when a test takes more than two minutes. */
int child_setup(void **state);

/* A terminal: the test's end of it, and `*side`, the end for a child; both are the test's to close. Where the system has
 * none (no /dev/pts is mounted) the test is skipped. */
int child_terminal(int *side);

/* Writes a file in a folder that is removed with the test program's; gives its path (static, for the next call too). */
const char *child_file(const char *name, const char *text);

#endif
