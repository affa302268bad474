/* SPDX-License-Identifier: MIT */
/* The recorder: every event of a stream as a word of a text. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_private.h"

/* One recorded call that waits for its callback. */
typedef struct issued {
    struct issued *next;
    recorder *recorder;
    char kind; /* w or e */
    unsigned number;
    int late; /* the stream was destroyed when the call came */
    int done;
} issued;

struct recorder_state {
    fixture *fixture;
    recorder *next;
    unsigned flags;
    int accepted;
    int inside; /* depth of calls of recorder_... */
    size_t text_capacity;
    size_t data_capacity;
    size_t last_data; /* where the number of a trailing data: begins in the text, 0: there is none */
    size_t last_data_size;
    unsigned writes;
    unsigned ends;
    issued *issued;
    char fault[256];
};

/* The tests' own memory must not count as weir's; without it a test cannot go on. */
static void *grow(void *memory, size_t *capacity, size_t wanted)
{
    if (wanted <= *capacity)
        return memory;
    *capacity = wanted * 2;
    memory = realloc(memory, *capacity);
    if (!memory)
        abort();
    return memory;
}

static void note_fault(recorder *r, const char *text, const char *what)
{
    if (!r->own->fault[0])
        snprintf(r->own->fault, sizeof(r->own->fault), "%s (%s)", text, what);
}

static void add_word(recorder *r, const char *word)
{
    size_t length = strlen(r->text);
    size_t more = strlen(word);
    r->text = grow(r->text, &r->own->text_capacity, length + more + 2);
    if (length)
        r->text[length++] = ' ';
    memcpy(r->text + length, word, more + 1);
    r->own->last_data = 0;
}

static void add_data(recorder *r, const weir_buf *buf)
{
    char word[40];
    struct recorder_state *own = r->own;
    r->data = grow(r->data, &own->data_capacity, r->data_size + buf->size);
    memcpy(r->data + r->data_size, buf->data, buf->size);
    r->data_size += buf->size;
    if (own->last_data) {
        own->last_data_size += buf->size;
        r->text = grow(r->text, &own->text_capacity, own->last_data + sizeof(word));
        snprintf(r->text + own->last_data, sizeof(word), "%zu", own->last_data_size);
        return;
    }
    snprintf(word, sizeof(word), "data:%zu", buf->size);
    add_word(r, word);
    own->last_data = strlen(r->text) - strlen(word) + sizeof("data:") - 1;
    own->last_data_size = buf->size;
}

void recorder_describe(const weir_event *event, char *word, size_t size)
{
    const char *name = weir_event_name(event->type);
    switch (event->type) {
    case WEIR_EVENT_ERROR:
    case WEIR_EVENT_CONNECTION_ATTEMPT_FAILED:
        snprintf(word, size, "%s:%s", name, event->error ? event->error->name : "none");
        break;
    case WEIR_EVENT_LOOKUP:
        snprintf(word, size, "%s:%s", name, event->error ? event->error->name : "ok");
        break;
    case WEIR_EVENT_CLOSE:
        snprintf(word, size, "%s%s", name, event->had_error ? ":error" : "");
        break;
    case WEIR_EVENT_LAYER:
        snprintf(word, size, "%s:%s.%s", name, event->layer->layer, event->layer->name);
        break;
    default:
        snprintf(word, size, "%s", name);
        break;
    }
}

/* What the text alone cannot tell: it is asked of the stream while the event runs. */
static void check_state(recorder *r, const weir_event *event)
{
    const char *name = weir_event_name(event->type);
    if (event->target_stream != r->stream || event->target_server)
        note_fault(r, "an event's target is the stream it is of", name);
    if (r->own->inside && event->type != WEIR_EVENT_DATA)
        note_fault(r, "no listener runs inside the call that caused it", name);
    if (event->type == WEIR_EVENT_DRAIN && weir_stream_writable_ended(r->stream))
        note_fault(r, "'drain' never comes after our own end()", name);
    if (event->type == WEIR_EVENT_DATA && (!event->buffer || !event->buffer->size))
        note_fault(r, "'data' has bytes", name);
    if (event->type != WEIR_EVENT_ERROR && event->type != WEIR_EVENT_CLOSE)
        return;
    for (const issued *each = r->own->issued; each; each = each->next) {
        if (!each->done && !each->late)
            note_fault(r, "outstanding callbacks come before 'error' and 'close'", name);
    }
}

static void on_event(const weir_event *event, void *arg)
{
    recorder *r = arg;
    char word[160];
    check_state(r, event);
    r->counts[event->type]++;
    if (event->type == WEIR_EVENT_DATA) {
        add_data(r, event->buffer);
        return;
    }
    if (event->type == WEIR_EVENT_FD)
        close(event->fd);
    recorder_describe(event, word, sizeof(word));
    add_word(r, word);
}

static void listen_for(recorder *r, weir_event_type type)
{
    assert_int_equal(weir_stream_on(r->stream, type, on_event, r), 0);
}

void recorder_add(recorder *r, unsigned flags)
{
    unsigned fresh = flags & ~r->own->flags;
    r->own->flags |= fresh;
    if (fresh & RECORD_READABLE)
        listen_for(r, WEIR_EVENT_READABLE);
    if (fresh & RECORD_FD)
        listen_for(r, WEIR_EVENT_FD);
    if (fresh & RECORD_DATA)
        listen_for(r, WEIR_EVENT_DATA);
}

recorder *record_stream(fixture *f, weir_stream *stream, unsigned flags)
{
    recorder *r = calloc(1, sizeof(*r));
    struct recorder_state *own = calloc(1, sizeof(*own));
    if (!r || !own)
        abort();
    r->own = own;
    r->stream = weir_stream_retain(stream);
    r->text = grow(NULL, &own->text_capacity, 64);
    r->text[0] = '\0';
    own->fixture = f;
    own->accepted = !weir_stream_pending(stream) && !weir_stream_connecting(stream) && !weir_stream_destroyed(stream);
    fixture_adopt(f, r);
    for (int type = 0; type < WEIR_EVENT_COUNT; type++) {
        if (type != WEIR_EVENT_DATA && type != WEIR_EVENT_READABLE && type != WEIR_EVENT_FD &&
            type < WEIR_EVENT_LISTENING)
            listen_for(r, (weir_event_type)type);
    }
    recorder_add(r, flags);
    return r;
}

/* ---- acting ---- */

static issued *issue(recorder *r, char kind)
{
    issued *made = calloc(1, sizeof(*made));
    if (!made)
        abort();
    made->recorder = r;
    made->kind = kind;
    made->number = kind == 'w' ? ++r->own->writes : ++r->own->ends;
    made->late = weir_stream_destroyed(r->stream);
    made->next = r->own->issued;
    r->own->issued = made;
    r->own->inside++;
    return made;
}

/* A call that took nothing has no callback: its number is free again. */
static int issued_status(recorder *r, issued *made, int status)
{
    r->own->inside--;
    if (status >= 0)
        return status;
    if (made->done)
        note_fault(r, "a call that returns an error has no callback", weir_error_name(status));
    if (made->kind == 'w')
        r->own->writes--;
    else
        r->own->ends--;
    issued **link = &r->own->issued;
    while (*link != made)
        link = &(*link)->next;
    *link = made->next;
    free(made);
    return status;
}

static void on_done(weir_stream *stream, int status, void *arg)
{
    issued *made = arg;
    recorder *r = made->recorder;
    char word[80];
    snprintf(word, sizeof(word), "%s%c%u%s%s", made->late ? "~" : "", made->kind, made->number, status ? ":" : "",
             status ? weir_error_name(status) : "");
    if (made->done)
        note_fault(r, "a callback comes once", word);
    if (r->own->inside)
        note_fault(r, "no callback comes inside the call", word);
    if (stream != r->stream)
        note_fault(r, "a callback's stream is the one of the call", word);
    made->done = 1;
    if (made->kind == 'w')
        r->writes_done++;
    else
        r->ends_done++;
    add_word(r, word);
}

int recorder_write(recorder *r, const void *data, size_t size)
{
    issued *made = issue(r, 'w');
    return issued_status(r, made, weir_stream_write(r->stream, data, size, on_done, made));
}

int recorder_write_buf(recorder *r, weir_buf *buf)
{
    issued *made = issue(r, 'w');
    return issued_status(r, made, weir_stream_write_buf(r->stream, buf, on_done, made));
}

int recorder_end(recorder *r)
{
    issued *made = issue(r, 'e');
    return issued_status(r, made, weir_stream_end(r->stream, on_done, made));
}

int recorder_connect(recorder *r, const char *endpoint)
{
    r->own->inside++;
    int status = weir_stream_connect(r->stream, endpoint, NULL, NULL);
    r->own->inside--;
    if (status == 0) {
        add_word(r, "|"); /* a new life; one that was refused changes nothing */
    }
    return status;
}

void recorder_destroy(recorder *r, const weir_error *error)
{
    r->own->inside++;
    weir_stream_destroy(r->stream, error);
    r->own->inside--;
}

int recorder_reset(recorder *r)
{
    r->own->inside++;
    int status = weir_stream_reset_and_destroy(r->stream);
    r->own->inside--;
    return status;
}

void recorder_pause(recorder *r)
{
    r->own->inside++;
    weir_stream_pause(r->stream);
    r->own->inside--;
}

void recorder_resume(recorder *r)
{
    r->own->inside++;
    weir_stream_resume(r->stream);
    r->own->inside--;
}

/* ---- waiting ---- */

typedef struct wanted {
    const recorder *recorder;
    weir_event_type type;
    size_t size;
} wanted;

static const char *text_so_far(const void *arg)
{
    const wanted *want = arg;
    return want->recorder->text;
}

static int event_came(const void *arg)
{
    const wanted *want = arg;
    return want->recorder->counts[want->type] > 0;
}

static int data_came(const void *arg)
{
    const wanted *want = arg;
    return want->recorder->data_size >= want->size;
}

static int writes_came(const void *arg)
{
    const wanted *want = arg;
    return want->recorder->writes_done >= want->size;
}

void recorder_wait(recorder *r, weir_event_type type)
{
    wanted want = {.recorder = r, .type = type};
    fixture_wait(r->own->fixture, event_came, &want, weir_event_name(type), text_so_far);
}

void recorder_wait_data(recorder *r, size_t size)
{
    char what[64];
    wanted want = {.recorder = r, .size = size};
    snprintf(what, sizeof(what), "%zu bytes of data", size);
    fixture_wait(r->own->fixture, data_came, &want, what, text_so_far);
}

void recorder_wait_writes(recorder *r, size_t count)
{
    char what[64];
    wanted want = {.recorder = r, .size = count};
    snprintf(what, sizeof(what), "%zu callbacks of writes", count);
    fixture_wait(r->own->fixture, writes_came, &want, what, text_so_far);
}

/* ---- judging ---- */

void recorder_assert_text(const recorder *r, const char *expected, const char *file, int line)
{
    if (strcmp(r->text, expected) == 0)
        return;
    print_error("the stream's events were\n    %s\nand not\n    %s\n", r->text, expected);
    _fail(file, line);
}

void recorder_assert_data(const recorder *r, const void *bytes, size_t size, const char *file, int line)
{
    size_t common = r->data_size < size ? r->data_size : size;
    const char *wanted_bytes = bytes;
    size_t same = 0;
    while (same < common && r->data[same] == wanted_bytes[same])
        same++;
    if (same == size && r->data_size == size)
        return;
    print_error("%zu bytes came, %zu were wanted; the first %zu are the same. Events: %s\n", r->data_size, size, same,
                r->text);
    _fail(file, line);
}

int recorder_saw(const recorder *r, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = r->text; (at = strstr(at, word)); at += length) {
        if ((at == r->text || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return 1;
    }
    return 0;
}

const char *recorder_fault(const recorder *r, int over)
{
    struct recorder_state *own = r->own;
    if (own->fault[0])
        return own->fault;
    for (const issued *each = own->issued; each && over; each = each->next) {
        if (!each->done)
            return "a write or end never got its callback";
    }
    return recorder_check_text(r->text, own->accepted, over, own->fault, sizeof(own->fault));
}

/* ---- for the fixture ---- */

recorder *recorder_next(const recorder *r)
{
    return r->own->next;
}

void recorder_link(recorder *r, recorder *next)
{
    r->own->next = next;
}

void recorder_free(recorder *r)
{
    weir_stream_release(r->stream);
    while (r->own->issued) {
        issued *next = r->own->issued->next;
        free(r->own->issued);
        r->own->issued = next;
    }
    free(r->text);
    free(r->data);
    free(r->own);
    free(r);
}
