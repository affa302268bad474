/* SPDX-License-Identifier: MIT */
/*
 * A chain of streams that ends together: each is piped to the next, and every one has a watch that tells of its end. All
 * has gone well when every source has ended and every destination has finished. The first failure destroys them all; the
 * watches stay until they have closed, so that the 'error' of each is heard.
 */
#include <weir/pipeline.h>

#include "abort_private.h"
#include "memory.h"
#include "stream_private.h"
#include "watch.h"

typedef struct chain chain;

/* A stream's place in the chain: a stream that stands in it twice has two. */
typedef struct place {
    weir__watch watch;
    chain *chain;
    weir__pipe *pipe; /* to the next place, until it is attached */
} place;

struct chain {
    weir_runtime *runtime;
    weir_finished_callback callback;
    void *arg;
    weir_abort *signal;
    weir__abort_wait wait;
    weir_task task;
    const weir_error *error; /* the outcome */
    int settled;             /* it stands, and is told by the task */
    int told;
    size_t count;
    place places[];
};

/* ---- freeing ---- */

static void chain_free(chain *self)
{
    weir__abort_leave(&self->wait);
    weir_abort_release(self->signal);
    for (size_t i = 0; i < self->count; i++) {
        weir__watch_stop(&self->places[i].watch);
        weir__free(self->places[i].pipe);
    }
    weir_error_release(self->error);
    weir__free(self);
}

static void free_when_over(chain *self)
{
    size_t watching = 0;
    for (size_t i = 0; i < self->count; i++) {
        watching += self->places[i].watch.stream != NULL;
    }
    if (self->told && watching == 0) {
        chain_free(self);
    }
}

/* ---- the outcome ---- */

static void run_task(weir_task *task)
{
    chain *self = (chain *)(void *)((char *)task - offsetof(chain, task));
    if (self->callback != NULL) {
        self->callback(self->error, self->arg);
    }
    self->told = 1;
    free_when_over(self);
}

static void settle(chain *self, const weir_error *error)
{
    self->settled = 1;
    self->error = weir_error_retain(error);
    weir__abort_leave(&self->wait);
    for (size_t i = 0; i < self->count; i++) {
        weir__watch *watch = &self->places[i].watch;
        if (error != NULL && !watch->closed) { /* one that has closed may have begun its next life */
            weir_stream_destroy(watch->stream, error);
        }
        if (error == NULL || watch->closed || !watch->listening) {
            weir__watch_stop(watch);
        }
    }
    weir_runtime_defer(self->runtime, &self->task);
}

static void on_abort(weir_abort *signal, void *arg)
{
    settle(arg, weir_abort_error(signal));
}

static int has_gone_through(const chain *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const weir__watch *watch = &self->places[i].watch;
        if ((watch->reading && !watch->ended) || (watch->writing && !watch->finished)) {
            return 0;
        }
    }
    return 1;
}

/* A destination that has finished, or closed, before its source has ended cannot get the rest. */
static int is_premature(const chain *self, size_t i)
{
    const weir__watch *watch = &self->places[i].watch;
    return i > 0 && (watch->finished || watch->closed) && !self->places[i - 1].watch.ended;
}

/* Why it cannot go well any more, as this place sees it: the caller's to release; NULL: it still can. */
static const weir_error *failure_at(const chain *self, size_t i)
{
    const weir_error *error;
    weir__watch_over(&self->places[i].watch, &error);
    if (error == NULL && is_premature(self, i)) {
        error = weir_error_new(WEIR_EPREMATURE_CLOSE, NULL, NULL, -1);
    }
    return error;
}

static void on_told(weir__watch *watch)
{
    const place *here = (const place *)(const void *)watch;
    chain *self = here->chain;
    if (!self->settled) {
        const weir_error *error = failure_at(self, (size_t)(here - self->places));
        if (error != NULL || has_gone_through(self)) {
            settle(self, error);
        }
        weir_error_release(error);
    }
    if (watch->closed) {
        weir__watch_stop(watch);
        free_when_over(self);
    }
}

/* ---- making ---- */

static int check(weir_stream *const *streams, size_t count)
{
    if (streams == NULL || count < 2 || streams[0] == NULL) {
        return UV_EINVAL;
    }
    const weir_runtime *runtime = streams[0]->runtime;
    for (size_t i = 1; i < count; i++) {
        if (streams[i] == NULL || streams[i]->runtime != runtime || streams[i - 1]->onread) {
            return UV_EINVAL;
        }
        for (size_t j = 1; j < i; j++) {
            if (streams[j - 1] == streams[i - 1] && streams[j] == streams[i]) {
                return UV_EEXIST;
            }
        }
        if (weir__pipe_exists(streams[i - 1], streams[i])) {
            return UV_EEXIST;
        }
    }
    return runtime == NULL ? UV_ECANCELED : 0;
}

/* All the memory that is needed: behind this nothing is refused any more. */
static int prepare(chain *self, weir_stream *const *streams, int no_end)
{
    size_t last = self->count - 1;
    for (size_t i = 0; i <= last; i++) {
        place *here = &self->places[i];
        here->chain = self;
        here->watch.told = on_told;
        here->watch.reading = i < last;
        here->watch.writing = i > 0 && !(no_end && i == last);
        weir__watch_begin(&here->watch, streams[i]);
        if (!here->watch.closed && weir__watch_listen(&here->watch) != 0) {
            return UV_ENOMEM;
        }
        if (i < last) {
            here->pipe = weir__pipe_new(streams[i], streams[i + 1], no_end && i + 1 == last);
            if (here->pipe == NULL) {
                return UV_ENOMEM;
            }
        }
    }
    return 0;
}

/* What is over already: the first failure, or NULL. A stream that is destroyed takes nothing any more. */
static const weir_error *failure_at_first(const chain *self)
{
    const weir_error *error = NULL;
    for (size_t i = 0; i < self->count && error == NULL; i++) {
        const weir__watch *watch = &self->places[i].watch;
        int over = weir__stream_is_destroyed(watch->stream);
        error = failure_at(self, i);
        if (error == NULL && over && (i > 0 || !watch->ended)) {
            error = weir_error_new(WEIR_EPREMATURE_CLOSE, NULL, NULL, -1);
        }
    }
    return error;
}

static void attach(place *from, weir_stream *to)
{
    weir__pipe *pipe = from->pipe;
    from->pipe = NULL;
    if (weir__stream_is_destroyed(to)) {
        weir__free(pipe); /* meanwhile; its 'close' tells */
    } else if (!weir__stream_is_destroyed(from->watch.stream)) {
        weir__pipe_attach(pipe);
    } else { /* it has ended, and closed */
        if (!pipe->no_end) {
            weir_stream_end(to, NULL, NULL);
        }
        weir__free(pipe);
    }
}

static void begin(chain *self)
{
    if (weir_abort_fired(self->signal)) {
        settle(self, weir_abort_error(self->signal));
        return;
    }
    const weir_error *error = failure_at_first(self);
    if (error != NULL) {
        settle(self, error);
        weir_error_release(error);
        return;
    }
    if (self->signal != NULL) {
        self->wait.run = on_abort;
        self->wait.arg = self;
        weir__abort_join(self->signal, &self->wait);
    }
    for (size_t i = 0; i + 1 < self->count && !self->settled; i++) {
        attach(&self->places[i], self->places[i + 1].watch.stream);
    }
    if (!self->settled && has_gone_through(self)) {
        settle(self, NULL);
    }
}

int weir_pipeline(weir_stream *const *streams, size_t count, const weir_pipeline_options *options,
                  weir_finished_callback callback, void *arg)
{
    weir_pipeline_options known;
    weir_options_init(&known, sizeof(known));
    int status = check(streams, count);
    if (status == 0 && options != NULL) {
        status = weir_options_take(&known, sizeof(known), options);
    }
    if (status != 0) {
        return status;
    }
    chain *self = weir__calloc(1, sizeof(*self) + count * sizeof(place));
    if (self == NULL) {
        return UV_ENOMEM;
    }
    self->runtime = streams[0]->runtime;
    self->callback = callback;
    self->arg = arg;
    self->task.run = run_task;
    self->count = count;
    self->signal = weir_abort_retain(known.signal);
    status = prepare(self, streams, known.no_end);
    if (status != 0) {
        chain_free(self);
        return status;
    }
    begin(self);
    return 0;
}
