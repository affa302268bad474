/* SPDX-License-Identifier: MIT */
/*
 * One body of a test over several transports: OVER_ALL(f) stands in a list of tests for f_over_tcp, f_over_ipc and
 * f_over_mem. The body takes its ends of a connection from over_pair and never asks which transport it is.
 */
#ifndef WEIR_TEST_OVER_H
#define WEIR_TEST_OVER_H

#include "fixture.h"

int over_tcp(void **state);
int over_ipc(void **state);
int over_mem(void **state);

/* clang-format off */
#define OVER_TCP(function) {#function "_over_tcp", function, over_tcp, fixture_teardown, NULL}
#define OVER_IPC(function) {#function "_over_ipc", function, over_ipc, fixture_teardown, NULL}
#define OVER_MEM(function) {#function "_over_mem", function, over_mem, fixture_teardown, NULL}
/* clang-format on */
#define OVER_SOCKETS(function) OVER_TCP(function), OVER_IPC(function)
#define OVER_ALL(function)     OVER_TCP(function), OVER_IPC(function), OVER_MEM(function)

/* What happens by itself within a process has happened after so many turns of the loop. */
#define OVER_TURNS 40

/* 1 if the test runs over this transport. */
int over_is(const fixture *f, const char *transport);

/* An endpoint to listen at, another one at each call. */
const char *over_here(fixture *f);

/* Where nobody listens. */
const char *over_nowhere(fixture *f);

weir_server *over_listen(fixture *f, const weir_server_options *options);

/*
 * Both ends of a connection, recorded with these flags (RECORD_...); options may be NULL. The recorders' own listeners
 * for 'data' and the like come when the connection stands, so that 0 is a stream that nobody has asked for data.
 */
pair over_pair(fixture *f, unsigned client, unsigned accepted);
pair over_pair_with(fixture *f, unsigned client, const weir_stream_options *client_options, unsigned accepted,
                    const weir_server_options *server_options);

/*
 * Writes until the transport takes no more, while nobody reads at the other end: returns how many bytes were written,
 * over_byte(0), over_byte(1) and so on.
 */
size_t over_stall(fixture *f, recorder *writer);
char over_byte(size_t position);

/* Fails the test unless the first `size` bytes that came are what over_stall wrote. */
void over_expect_stalled_data(const recorder *r, size_t size);

/* recorder_expect, leaving out 'connectionAttempt', which only some transports have. */
#define over_expect(r, expected) over_assert_text((r), (expected), __FILE__, __LINE__)
void over_assert_text(const recorder *r, const char *expected, const char *file, int line);

/* The text ends with this one. */
void over_expect_tail(const recorder *r, const char *tail);

/* A recorder of a new stream that is not connected; and of one that begins to connect, without listeners for data. */
recorder *over_fresh(fixture *f, const weir_stream_options *options);
recorder *over_connecting(fixture *f, weir_server *server, const weir_stream_options *options);

weir_stream_options over_half_open(void);

/* recorder_destroy with an error of this code. */
void over_destroy_with(recorder *r, int code);

/* Writes a text; what comes of it by itself has happened then. */
void over_send_text(fixture *f, recorder *from, const char *text);

/* Takes `size` bytes by read() and compares; `text` NULL: read() gives nothing. */
void over_expect_read(recorder *r, size_t size, const char *text);

/* Runs the loop for so long. */
void over_wait_for(fixture *f, uint64_t milliseconds);

/* fixture_until and recorder_wait where nothing else keeps the loop alive. */
void over_until(fixture *f, const int *done);
void over_wait_alive(fixture *f, recorder *r, weir_event_type type);

/* Runs the loop until the stream's 'close' has come; and for both of a pair. */
void over_wait_closed(recorder *r);
void over_wait_both_closed(pair p);

#endif
