/* SPDX-License-Identifier: MIT */
/*
 * What happened to a stream, as text, and the recogniser of the two tracks that every stream's life keeps to.
 *
 * The text: one word an event, in order, blanks between: Node's name, with what matters behind a colon.
 *     data:12               twelve bytes; neighbouring 'data' are one word with their sum
 *     error:ECONNRESET      and likewise connectionAttemptFailed:, lookup: (ok or the code)
 *     close                 or close:error
 *     layer:tls.session     the layer and its event
 *     w1 or w1:ECANCELED    the callback of the first recorder_write, with its code unless it is 0; e1 likewise of the
 *                           first recorder_end
 *     ~w1                   the same, of a call that came when the stream was destroyed already
 *     |                     recorder_connect: a new life begins
 *
 * A life: (others) connect ready, then the tracks (data | readable)* end? and drain* finish?, then error? close; other
 * events anywhere before close. 'end' never after 'error', 'drain' never after end(), 'error' at most once, 'close'
 * once and last. Callbacks of writes and ends once each, in order, before 'error' and 'close'. No event but 'data'
 * inside a call of recorder_... that caused it.
 */
#ifndef WEIR_TEST_RECORDER_H
#define WEIR_TEST_RECORDER_H

#include <stddef.h>

#include <weir/weir.h>

struct fixture;

typedef struct recorder {
    weir_stream *stream; /* retained until the teardown */
    char *text;
    char *data; /* all bytes of 'data' */
    size_t data_size;
    size_t counts[WEIR_EVENT_COUNT]; /* of each event */
    size_t writes_done;              /* callbacks that have come */
    size_t ends_done;

    /* the recorder's own */
    struct recorder_state *own;
} recorder;

enum {
    RECORD_DATA = 1,     /* listen for 'data': the stream flows */
    RECORD_READABLE = 2, /* listen for 'readable' */
    RECORD_FD = 4        /* listen for 'fd', and close what comes */
};

/* Records a stream from now on; `flags` say which of the events to listen for that change what a stream does. */
recorder *record_stream(struct fixture *f, weir_stream *stream, unsigned flags);

/* Begins to listen for 'data' (RECORD_DATA) and so on. */
void recorder_add(recorder *r, unsigned flags);

/* ---- Acting on the stream, with an eye on what must not happen inside the call ---- */

/* weir_stream_write with a callback that is recorded as wN. Returns what it returns. */
int recorder_write(recorder *r, const void *data, size_t size);
int recorder_write_buf(recorder *r, weir_buf *buf);
/* weir_stream_end with a callback that is recorded as eN. */
int recorder_end(recorder *r);
/* weir_stream_connect, for a stream that is to live (again). */
int recorder_connect(recorder *r, const char *endpoint);
void recorder_destroy(recorder *r, const weir_error *error);
int recorder_reset(recorder *r);
void recorder_pause(recorder *r);
void recorder_resume(recorder *r);

/* ---- Waiting: these run the loop, and fail the test with the text so far when it cannot come any more ---- */

/* Until the event has come at least once since the recording began. */
void recorder_wait(recorder *r, weir_event_type type);
/* Until at least that many bytes of data have come. */
void recorder_wait_data(recorder *r, size_t size);
/* Until so many callbacks of recorder_write have come. */
void recorder_wait_writes(recorder *r, size_t count);

/* ---- Judging ---- */

/* Fails the test unless the text is this one. */
#define recorder_expect(r, expected) recorder_assert_text((r), (expected), __FILE__, __LINE__)
void recorder_assert_text(const recorder *r, const char *expected, const char *file, int line);

/* Fails the test unless the data that came is these bytes. */
#define recorder_expect_data(r, bytes, size) recorder_assert_data((r), (bytes), (size), __FILE__, __LINE__)
void recorder_assert_data(const recorder *r, const void *bytes, size_t size, const char *file, int line);

/* 1 if the word is in the text, else 0: recorder_saw(r, "error:ECONNRESET"). */
int recorder_saw(const recorder *r, const char *word);

/*
 * What breaks the rules in what was recorded so far, or NULL. `over`: the stream must have had its 'close', or never
 * have lived. The teardown asks this of every recorder.
 */
const char *recorder_fault(const recorder *r, int over);

/* The word of an event, but for 'data', whose bytes are summed up. */
void recorder_describe(const weir_event *event, char *word, size_t size);

/* The recogniser (recogniser.h) alone, on a text; `accepted`: the stream was open when the recording began. */
const char *recorder_check_text(const char *text, int accepted, int over, char *fault, size_t size);

#endif
