/* SPDX-License-Identifier: MIT */
/*
 * Pipes: what a source reads is written to its destinations, the slowest of which governs (PIPE-01 to PIPE-10). A pipe
 * is no listener, so removing listeners leaves it alone; its back pressure is a reason of its own not to read, apart
 * from the application's pause().
 */
#include "memory.h"
#include "stream_private.h"

/* ---- 'pipe' and 'unpipe' ---- */

static void queue_event(weir__pipe *pipe)
{
    weir_stream *destination = pipe->destination;
    if (pipe->event_queued) {
        return;
    }
    pipe->event_queued = 1;
    pipe->next_event = NULL;
    weir_stream_retain(pipe->source); /* the listener is told who it was */
    weir__pipe **end = &destination->pipe_events;
    while (*end != NULL) {
        end = &(*end)->next_event;
    }
    *end = pipe;
    weir__stream_step(destination, STEP_PIPE);
}

static void emit_about(weir_stream *destination, weir_event_type type, weir_stream *source)
{
    weir_event event = {.type = type, .stream = source};
    weir__stream_emit_event(destination, &event);
}

/* Takes the first of a destination's events out: the source, whose reference goes to the caller. */
static weir_stream *take_event(weir_stream *destination, int *piped, int *unpiped)
{
    weir__pipe *pipe = destination->pipe_events;
    weir_stream *source = pipe->source;
    *piped = pipe->event_pipe;
    *unpiped = pipe->event_unpipe;
    destination->pipe_events = pipe->next_event;
    pipe->event_queued = 0;
    pipe->event_pipe = 0;
    pipe->event_unpipe = 0;
    if (!pipe->attached) {
        weir__free(pipe);
    }
    return source;
}

void weir__step_pipe(weir_stream *destination)
{
    while (destination->pipe_events != NULL) {
        int piped;
        int unpiped;
        weir_stream *source = take_event(destination, &piped, &unpiped);
        if (piped && !weir__stream_is_destroyed(destination)) {
            emit_about(destination, WEIR_EVENT_PIPE, source);
        }
        if (unpiped && !weir__stream_is_destroyed(destination)) {
            emit_about(destination, WEIR_EVENT_UNPIPE, source);
        }
        weir_stream_release(source);
    }
}

/* Nobody is told any more. */
static void drop_events(weir_stream *destination)
{
    int piped;
    int unpiped;
    destination->refs++; /* its own reference may be among those that the events hold */
    while (destination->pipe_events != NULL) {
        weir_stream_release(take_event(destination, &piped, &unpiped));
    }
    destination->refs--;
}

/* ---- attaching and detaching ---- */

static void unlink_pipe(weir__pipe *pipe)
{
    weir__pipe **out = &pipe->source->pipes_out;
    while (*out != pipe) {
        out = &(*out)->next_of_source;
    }
    *out = pipe->next_of_source;
    for (weir__delivery *delivery = pipe->source->delivery; delivery != NULL; delivery = delivery->outer) {
        delivery->at = delivery->at == pipe ? NULL : delivery->at;
        delivery->next = delivery->next == pipe ? pipe->next_of_source : delivery->next;
    }
    weir__pipe **in = &pipe->destination->pipes_in;
    while (*in != pipe) {
        in = &(*in)->next_of_destination;
    }
    *in = pipe->next_of_destination;
    pipe->attached = 0;
}

/* PIPE-08. One that is destroyed has nothing to pause, but its next life must not flow for a pipe that it had in this. */
static void stop_flowing(weir_stream *source)
{
    if (!weir__stream_is_destroyed(source)) {
        weir_stream_pause(source);
    } else if (source->flowing == 1 && !weir__stream_has_reader(source)) {
        source->flowing = -1;
    }
}

/* `tell`: the destination lives on and hears 'unpipe'. */
static void detach(weir__pipe *pipe, int tell)
{
    weir_stream *source = pipe->source;
    unlink_pipe(pipe);
    if (pipe->waiting) {
        pipe->waiting = 0;
        source->pipes_waiting--;
    }
    if (tell && pipe->destination->runtime != NULL && !weir__stream_is_destroyed(pipe->destination)) {
        pipe->event_unpipe = 1;
        queue_event(pipe);
    } else if (!pipe->event_queued) {
        weir__free(pipe);
    }
    if (source->pipes_out == NULL) {
        stop_flowing(source);
    } else if (source->pipes_waiting == 0 && source->flowing == 1) {
        weir__stream_step(source, STEP_FLOW); /* the slowest one has gone */
    }
}

static weir__pipe *find(const weir_stream *source, const weir_stream *destination)
{
    weir__pipe *pipe = source->pipes_out;
    while (pipe != NULL && pipe->destination != destination) {
        pipe = pipe->next_of_source;
    }
    return pipe;
}

static void link_pipe(weir__pipe *pipe)
{
    weir__pipe **out = &pipe->source->pipes_out;
    while (*out != NULL) {
        out = &(*out)->next_of_source;
    }
    *out = pipe;
    weir__pipe **in = &pipe->destination->pipes_in;
    while (*in != NULL) {
        in = &(*in)->next_of_destination;
    }
    *in = pipe;
    pipe->attached = 1;
}

static void wait_for_drain(weir__pipe *pipe)
{
    if (!pipe->waiting) {
        pipe->waiting = 1;
        pipe->source->pipes_waiting++;
    }
}

weir__pipe *weir__pipe_new(weir_stream *source, weir_stream *destination, int no_end)
{
    weir__pipe *pipe = weir__calloc(1, sizeof(*pipe));
    if (pipe != NULL) {
        pipe->source = source;
        pipe->destination = destination;
        pipe->no_end = no_end != 0;
    }
    return pipe;
}

int weir__pipe_exists(const weir_stream *source, const weir_stream *destination)
{
    return find(source, destination) != NULL;
}

void weir__pipe_attach(weir__pipe *pipe)
{
    weir_stream *source = pipe->source;
    weir_stream *destination = pipe->destination;
    int no_end = pipe->no_end;
    pipe->not_for_it = source->delivery;
    link_pipe(pipe);
    pipe->event_pipe = 1;
    queue_event(pipe);
    if (destination->need_drain) {
        wait_for_drain(pipe);
    }
    if (!source->end_emitted) {
        weir_stream_resume(source);
    } else if (!no_end) {
        weir_stream_end(destination, NULL, NULL); /* without a callback it needs no memory */
    }
}

int weir_stream_pipe(weir_stream *source, weir_stream *destination, const weir_pipe_options *options)
{
    if (source == NULL || destination == NULL || source->runtime == NULL || source->runtime != destination->runtime ||
        weir__stream_is_destroyed(source) || weir__stream_is_destroyed(destination) || source->onread) {
        return UV_EINVAL;
    }
    weir_pipe_options known;
    weir_options_init(&known, sizeof(known));
    int status = options != NULL ? weir_options_take(&known, sizeof(known), options) : 0;
    if (status != 0) {
        return status;
    }
    if (weir__pipe_exists(source, destination)) {
        return UV_EEXIST;
    }
    weir__pipe *pipe = weir__pipe_new(source, destination, known.no_end);
    if (pipe == NULL) {
        return UV_ENOMEM;
    }
    weir__pipe_attach(pipe);
    return 0;
}

void weir_stream_unpipe(weir_stream *source, weir_stream *destination)
{
    if (destination != NULL) {
        weir__pipe *pipe = find(source, destination);
        if (pipe != NULL) {
            detach(pipe, 1);
        }
        return;
    }
    while (source->pipes_out != NULL) {
        detach(source->pipes_out, 1);
    }
}

/* The stream is destroyed or goes: it is nobody's source and nobody's destination any more. */
void weir__pipe_detach_all(weir_stream *stream)
{
    while (stream->pipes_out != NULL) {
        detach(stream->pipes_out, stream->pipes_out->destination != stream);
    }
    while (stream->pipes_in != NULL) {
        detach(stream->pipes_in, 0);
    }
    drop_events(stream);
}

/* ---- moving ---- */

void weir__delivery_begin(weir_stream *source, weir__delivery *delivery)
{
    delivery->outer = source->delivery;
    source->delivery = delivery;
}

void weir__delivery_end(weir_stream *source, weir__delivery *delivery)
{
    source->delivery = delivery->outer;
    for (weir__pipe *pipe = source->pipes_out; pipe != NULL; pipe = pipe->next_of_source) {
        if (pipe->not_for_it == delivery) {
            pipe->not_for_it = delivery->outer;
        }
    }
}

static weir__pipe *walk_on(weir__delivery *delivery)
{
    delivery->at = delivery->next;
    if (delivery->at != NULL) {
        delivery->next = delivery->at->next_of_source;
    }
    return delivery->at;
}

/* As with listeners: a pipe that was added while 'data' is emitted gets the next. */
static int is_for(const weir__pipe *pipe, const weir__delivery *delivery)
{
    const weir__delivery *other = pipe->not_for_it;
    while (other != NULL && other != delivery) {
        other = other->outer;
    }
    return other == NULL;
}

void weir__pipe_data(weir_stream *source, weir__delivery *delivery)
{
    if (weir__stream_is_destroyed(source)) {
        return;
    }
    delivery->next = source->pipes_out;
    while (walk_on(delivery) != NULL) {
        if (!is_for(delivery->at, delivery)) {
            continue;
        }
        int go_on = weir__stream_write_piped(delivery->at->destination, delivery->buf);
        if (delivery->at == NULL) {
            continue; /* the destination is destroyed, or the source: then there is no next */
        }
        if (go_on < 0) { /* rather than a hole in what it gets */
            weir__stream_destroy_code(delivery->at->destination, go_on, "write");
        } else if (go_on == 0) {
            wait_for_drain(delivery->at);
        }
    }
    weir__stream_update_reading(source);
}

void weir__pipe_drained(weir_stream *destination)
{
    weir__pipe *next;
    for (weir__pipe *pipe = destination->pipes_in; pipe != NULL; pipe = next) {
        next = pipe->next_of_destination;
        if (!pipe->waiting) {
            continue;
        }
        pipe->waiting = 0;
        if (--pipe->source->pipes_waiting == 0) {
            weir__stream_step(pipe->source, STEP_FLOW);
        }
    }
}

/* The source has ended (PIPE-03, PIPE-04). */
void weir__pipe_end(weir_stream *source)
{
    weir__delivery end = {.next = source->pipes_out, .piped = 1};
    weir__delivery_begin(source, &end);
    while (walk_on(&end) != NULL) {
        if (end.at->no_end) {
            detach(end.at, 1);
        } else {
            weir_stream_end(end.at->destination, NULL, NULL); /* without a callback it needs no memory */
        }
    }
    weir__delivery_end(source, &end);
}

/*
 * The destination has ended its writing: nothing can be piped into it any more. A stream that was piped into itself has
 * nobody left to read for; what still comes is dropped, so that the peer's end is seen and the stream can close (BN-04).
 */
void weir__pipe_finished(weir_stream *destination)
{
    int to_itself = find(destination, destination) != NULL;
    while (destination->pipes_in != NULL) {
        detach(destination->pipes_in, 1);
    }
    if (to_itself && destination->pipes_out == NULL && !weir__stream_has_reader(destination)) {
        destination->discarding = 1;
        weir__stream_drop_input(destination);
        weir_stream_resume(destination);
    }
}
