/* SPDX-License-Identifier: MIT */
/* The end of a stream, told once. What is known already, and what a signal brings, is told on the next tick. */

#include <weir/pipeline.h>

#include "abort_private.h"
#include "memory.h"
#include "stream_private.h"
#include "watch.h"

struct weir_finished {
    weir__watch watch;
    weir_finished_callback callback;
    void *arg;
    weir_abort *signal;
    weir__abort_wait wait;
    weir_runtime *runtime;
    weir_task task;
    int settled; /* the task is on its way, with the outcome */
    const weir_error *outcome;
};

void weir_finished_cancel(weir_finished *finished)
{
    if (finished == NULL) {
        return;
    }
    weir_runtime_cancel(finished->runtime, &finished->task);
    weir__abort_leave(&finished->wait);
    weir_abort_release(finished->signal);
    weir__watch_stop(&finished->watch);
    weir_error_release(finished->outcome);
    weir__free(finished);
}

/* `error` is released. */
static void tell(weir_finished *finished, const weir_error *error)
{
    weir_finished_callback callback = finished->callback;
    void *arg = finished->arg;
    weir_finished_cancel(finished);
    callback(error, arg);
    weir_error_release(error);
}

static void on_told(weir__watch *watch)
{
    weir_finished *finished = (weir_finished *)(void *)watch;
    const weir_error *error;
    if (!finished->settled && weir__watch_over(watch, &error)) {
        tell(finished, error);
    }
}

static void run_task(weir_task *task)
{
    weir_finished *finished = (weir_finished *)(void *)((char *)task - offsetof(weir_finished, task));
    tell(finished, weir_error_retain(finished->outcome));
}

static void tell_later(weir_finished *finished, const weir_error *outcome)
{
    finished->settled = 1;
    finished->outcome = outcome;
    weir_runtime_defer(finished->runtime, &finished->task);
}

static void on_abort(weir_abort *signal, void *arg)
{
    tell_later(arg, weir_error_retain(weir_abort_error(signal)));
}

static int begin(weir_finished *finished)
{
    const weir_error *error;
    if (weir_abort_fired(finished->signal)) {
        tell_later(finished, weir_error_retain(weir_abort_error(finished->signal)));
        return 0;
    }
    int over = weir__watch_over(&finished->watch, &error);
    if (over && (error == NULL || finished->watch.closed)) {
        tell_later(finished, error);
        return 0;
    }
    weir_error_release(error); /* it is told when its 'error' comes, which has been heard then (EMT-12) */
    int status = weir__watch_listen(&finished->watch);
    if (status == 0 && finished->signal != NULL) {
        finished->wait.run = on_abort;
        finished->wait.arg = finished;
        weir__abort_join(finished->signal, &finished->wait);
    }
    return status;
}

int weir_stream_finished(weir_stream *stream, const weir_finished_options *options, weir_finished_callback callback,
                         void *arg, weir_finished **handle)
{
    weir_finished_options known;
    weir_finished_options_init(&known);
    if (stream == NULL || callback == NULL) {
        return UV_EINVAL;
    }
    int status = options != NULL ? weir_options_take(&known, sizeof(known), options) : 0;
    if (status != 0) {
        return status;
    }
    if (stream->runtime == NULL) {
        return UV_ECANCELED;
    }
    weir_finished *finished = weir__calloc(1, sizeof(*finished));
    if (finished == NULL) {
        return UV_ENOMEM;
    }
    finished->callback = callback;
    finished->arg = arg;
    finished->runtime = stream->runtime;
    finished->task.run = run_task;
    finished->signal = weir_abort_retain(known.signal);
    finished->watch.told = on_told;
    finished->watch.reading = known.readable != 0;
    finished->watch.writing = known.writable != 0;
    weir__watch_begin(&finished->watch, stream);
    status = begin(finished);
    if (status != 0) {
        weir_finished_cancel(finished);
        return status;
    }
    if (handle != NULL) {
        *handle = finished;
    }
    return 0;
}
