/* SPDX-License-Identifier: MIT */
/* A stream that is watched: every event and callback of it goes through the recogniser, every byte through the reader. */
#include "soak.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder.h"

_Thread_local const actor *soak_acting;

/* A call that waits for its callback. */
typedef struct issued {
    actor *actor;
    unsigned long number;
    char kind; /* w or e, or l: of adding layers */
    char late; /* the stream was destroyed when the call came */
} issued;

/* ---- the text ---- */

void actor_note(actor *self, const char *format, ...)
{
    char word[160];
    va_list values;
    va_start(values, format);
    int printed = vsnprintf(word, sizeof(word), format, values);
    va_end(values);
    size_t size = printed < (int)sizeof(word) ? (size_t)printed : sizeof(word) - 1;
    if (self->text_size + size + 2 > ACTOR_TEXT) {
        size_t kept = ACTOR_TEXT / 2;
        memmove(self->text, self->text + self->text_size - kept, kept);
        memcpy(self->text, "... ", 4);
        self->text_size = kept;
    }
    memcpy(self->text + self->text_size, word, size);
    self->text_size += size;
    self->text[self->text_size++] = ' ';
    self->text[self->text_size] = '\0';
}

/* A word of its life. */
void actor_judge(actor *self, const char *word)
{
    actor_note(self, "%s", word);
    atomic_fetch_add(&soak_total.judged, 1);
    const char *fault = recogniser_word(&self->rules, word);
    if (fault)
        soak_breach(self->world, self, "%s (at '%s')", fault, word);
}

/* ---- calls and their callbacks ---- */

static void on_done(weir_stream *stream, int status, void *arg)
{
    issued *call = arg;
    actor *self = call->actor;
    char word[80];
    soak_acting = self;
    snprintf(word, sizeof(word), "%s%c%lu%s%s", call->late ? "~" : "", call->kind, call->number, status ? ":" : "",
             status ? weir_error_name(status) : "");
    actor_judge(self, word);
    if (self->world->inside)
        soak_breach(self->world, self, "no callback comes inside a call (at '%s')", word);
    if (self->stream && stream != self->stream)
        soak_breach(self->world, self, "a callback's stream is the one of the call (at '%s')", word);
    if (call->late)
        self->late--;
    else
        self->waiting--;
    self->failures += !call->late && status != 0 && call->kind != 'l';
    free(call);
}

static issued *issue(actor *self, char kind)
{
    issued *call = malloc(sizeof(*call));
    if (!call)
        abort();
    *call = (issued){.actor = self,
                     .kind = kind,
                     .number = kind == 'w'   ? ++self->writes
                               : kind == 'e' ? ++self->ends
                                             : ++self->layers,
                     .late = weir_stream_destroyed(self->stream) != 0};
    if (call->late)
        self->late++;
    else
        self->waiting++;
    return call;
}

/* The call was refused: there is no callback. */
static void take_back(actor *self, issued *call)
{
    if (call->late)
        self->late--;
    else
        self->waiting--;
    free(call);
}

/* May bytes that are written now count as sent? */
static int may_send(const actor *self)
{
    return self->live && !weir_stream_destroyed(self->stream) && !weir_stream_writable_ended(self->stream);
}

static int write_bytes(actor *self, const char *bytes, size_t size, unsigned how)
{
    issued *call = how & 1 ? issue(self, 'w') : NULL;
    weir_write_callback callback = call ? on_done : NULL;
    int counts = may_send(self);
    int status;
    if (counts)
        self->flow->written += size;
    if (how & 2) {
        weir_buf *buf = weir_buf_copy(bytes, size);
        if (!buf)
            abort();
        ASK(self->world, status, weir_stream_write_buf(self->stream, buf, callback, call));
        weir_buf_release(buf);
    } else {
        ASK(self->world, status, weir_stream_write(self->stream, bytes, size, callback, call));
    }
    actor_note(self, "[write %zu=%d]", size, status);
    if (status < 0 && counts)
        self->flow->written -= size;
    if (status < 0 && call)
        take_back(self, call);
    return status;
}

/* `how`: 1 with a callback, 2 as a buffer. */
int actor_write(actor *self, size_t size, unsigned how)
{
    if (self->passes)
        self->flow->kind = FLOW_OPAQUE;
    if (self->flow->kind == FLOW_PATTERN)
        flow_fill(self->flow, self->flow->written - FLOW_HEADER, self->world->scratch, size);
    return write_bytes(self, self->world->scratch, size, how);
}

/* As actor_write, with descriptors, where the stream can do that. */
void actor_write_fds(actor *self, size_t size)
{
    int fds[4] = {self->world->fd, self->world->fd, self->world->fd, self->world->fd};
    size_t count = 1 + dice_below(&self->dice, 4);
    int counts = may_send(self) && self->flow->kind == FLOW_PATTERN;
    int status;
    if (!counts)
        return;
    flow_fill(self->flow, self->flow->written - FLOW_HEADER, self->world->scratch, size);
    issued *call = issue(self, 'w');
    self->flow->written += size;
    self->flow->fds += count;
    ASK(self->world, status, weir_stream_write_fd(self->stream, self->world->scratch, size, fds, count, on_done, call));
    actor_note(self, "[write %zu with %zu=%d]", size, count, status);
    if (status >= 0)
        return;
    self->flow->written -= size;
    self->flow->fds -= count;
    take_back(self, call);
}

static void write_header(actor *self)
{
    unsigned char header[FLOW_HEADER];
    flow_header(self->flow, header);
    write_bytes(self, (const char *)header, sizeof(header), 1);
}

void actor_end(actor *self, size_t last_bytes)
{
    issued *call = dice_percent(&self->dice, 70) ? issue(self, 'e') : NULL;
    weir_write_callback callback = call ? on_done : NULL;
    int counts = may_send(self);
    int status;
    actor_cuts(self);
    if (last_bytes && !self->passes) {
        flow_fill(self->flow, self->flow->written - FLOW_HEADER, self->world->scratch, last_bytes);
        self->flow->written += counts ? last_bytes : 0;
        ASK(self->world, status, weir_stream_end_with(self->stream, self->world->scratch, last_bytes, callback, call));
        if (status < 0 && counts)
            self->flow->written -= last_bytes;
    } else {
        ASK(self->world, status, weir_stream_end(self->stream, callback, call));
    }
    actor_note(self, "[end %zu=%d]", last_bytes, status);
    self->corks = 0;
    if (status < 0 && call)
        take_back(self, call);
}

int actor_add_layers(actor *self, need what)
{
    weir_endpoint *endpoint = soak_added_layers(self, what);
    issued *call = issue(self, 'l');
    int status;
    ASK(self->world, status, weir_stream_add_layer(self->stream, endpoint, on_done, call));
    weir_endpoint_release(endpoint);
    actor_note(self, "[layers %d=%d]", (int)what, status);
    self->reader.takes_fds = 0;
    if (status)
        take_back(self, call);
    return status;
}

void actors_cut_all(soak_world *world)
{
    for (size_t i = 0; i < world->actor_count; i++)
        actor_cuts(world->actors[i]);
}

void actor_cuts(actor *self)
{
    if (self->passes && self->flow)
        self->flow->cut = 1;
}

/* ---- pipes ---- */

int actor_is_source(const actor *self)
{
    return !self->onread && !self->decoder.kind;
}

void actor_pipe(actor *from, actor *to)
{
    weir_pipe_options options = {.size = sizeof(options), .no_end = dice_percent(&from->dice, 5)};
    int whole = to->flow->written == FLOW_HEADER && to->flow->kind == FLOW_PATTERN && !to->passes &&
                from->reader.received == 0 && !from->reader.lost && from->live;
    int status;
    ASK(from->world, status, weir_stream_pipe(from->stream, to->stream, &options));
    actor_note(from, "[pipe to #%u=%d]", to->number, status);
    actor_note(to, "[pipe from #%u=%d]", from->number, status);
    if (status)
        return;
    to->flow->kind = whole ? FLOW_NESTED : FLOW_OPAQUE;
    to->flow->cut |= options.no_end;
    to->passes = 1;
    if (!(from->mode & READ_DATA))
        from->reader.lost = 1; /* the bytes pass by */
    from->piped = 1;
    from->partner = to;
}

/* ---- what every event must be ---- */

void actor_check_event(actor *self, const weir_event *event, const char *word)
{
    if (event->target_stream != self->stream || event->target_server)
        soak_breach(self->world, self, "an event's target is the stream it is of (at '%s')", word);
    if (self->world->inside)
        soak_breach(self->world, self, "no listener runs inside a call (at '%s')", word);
    if (event->type == WEIR_EVENT_DRAIN && weir_stream_writable_ended(self->stream))
        soak_breach(self->world, self, "'drain' never comes after our own end()");
    if ((event->type == WEIR_EVENT_ERROR || event->type == WEIR_EVENT_CLOSE) && self->waiting)
        soak_breach(self->world, self, "%u outstanding callbacks come before '%s'", self->waiting, word);
}

/* ---- events ---- */

static void on_finish(actor *self)
{
    if (self->failures)
        soak_breach(self->world, self, "'finish' means that every write went well; %u did not", self->failures);
    self->flow->finished = 1;
    if (self->discards || self->passes)
        self->reader.lost = 1; /* from here on what comes may be dropped */
    if (self->discards && self->piped)
        actors_cut_all(self->world); /* and is not passed on */
}

static void on_end(actor *self)
{
    self->reader.ended = 1;
    if (!self->reader.lost && !decoder_is_whole(&self->decoder))
        soak_breach(self->world, self, "the end cuts the %s in two", text_name(self->decoder.kind));
    /* Its own side is ended by that, whatever it has still to pass on; not where it is its own source. */
    if (self->passes && self->partner != self)
        actor_cuts(self);
}

/* Only TLS can tell that an end was cut short; and nobody here changes what it sends. */
static void on_error(actor *self, const weir_error *error)
{
    if (error->code == WEIR_ETLSTRUNCATED && !self->reader.secure)
        soak_breach(self->world, self, "there is no TLS: %s", error->message);
    if (error->code == WEIR_EIP_BLOCKED && !(self->blocks && self->is_tcp))
        soak_breach(self->world, self, "nobody is on a list: %s", error->message);
    if (error->code == UV_EPROTO)
        soak_breach(self->world, self, "nobody breaks the protocol: %s", error->message);
    self->reader.truncated = error->code == WEIR_ETLSTRUNCATED;
}

static void on_close(actor *self)
{
    self->live = 0;
    self->flow->over = 1;
    self->flow->ended = weir_stream_writable_ended(self->stream);
    self->world->open--;
    atomic_fetch_sub(&soak_total.open, 1);
    if (!weir_stream_closed(self->stream) || weir_stream_readable_length(self->stream) > 0)
        soak_breach(self->world, self, "a closed stream has closed, and holds nothing");
    if (!self->world->resting && self->lives && dice_percent(&self->dice, 50))
        actor_connect_again(self);
    if (self->live || self->held)
        return;
    self->stream = NULL; /* goes with the runtime's reference */
}

/* One of ours, and open. */
static void on_fd(const weir_event *event, void *arg)
{
    actor *self = arg;
    struct stat sent, came;
    soak_acting = self;
    actor_judge(self, "fd");
    actor_check_event(self, event, "fd");
    if (fstat(self->world->fd, &sent) || fstat(event->fd, &came) || sent.st_dev != came.st_dev ||
        sent.st_ino != came.st_ino)
        soak_breach(self->world, self, "a descriptor came that nobody sent");
    close(event->fd);
    self->reader.fds++;
    atomic_fetch_add(&soak_total.fds, 1);
    actor_after_event(self);
}

static void on_event(const weir_event *event, void *arg)
{
    actor *self = arg;
    char word[160];
    soak_acting = self;
    recorder_describe(event, word, sizeof(word));
    actor_judge(self, word);
    actor_check_event(self, event, word);
    if (event->type == WEIR_EVENT_FINISH)
        on_finish(self);
    if (event->type == WEIR_EVENT_CONNECT && self->blocks && self->is_tcp)
        soak_breach(self->world, self, "it connects to whom its block list names");
    if (event->type == WEIR_EVENT_END)
        on_end(self);
    if (event->type == WEIR_EVENT_ERROR)
        on_error(self, event->error);
    if (event->type == WEIR_EVENT_PEER_CLOSE && self->upgrade)
        CALL(self->world, weir_stream_destroy(self->stream, NULL)); /* or what came is read, by nobody */
    if (event->type == WEIR_EVENT_CLOSE)
        on_close(self);
    else
        actor_after_event(self);
}

/* Everything may be called from inside any listener (law 9), on this stream and on others. */
void actor_after_event(actor *self)
{
    soak_world *world = self->world;
    if (world->resting || world->depth >= 4 || !dice_percent(&self->dice, self->polite ? 8 : 20))
        return;
    world->depth++;
    actor *chosen = self;
    if (dice_percent(&self->dice, 20))
        chosen = world->actors[dice_below(&self->dice, (uint32_t)world->actor_count)];
    actor_act(chosen);
    soak_acting = self;
    world->depth--;
}

void actor_listen(actor *self, weir_event_type type, weir_listener listener, int on)
{
    int status = 0;
    if (on)
        ASK(self->world, status, weir_stream_on(self->stream, type, listener, self));
    else
        CALL(self->world, weir_stream_off(self->stream, type, listener, self));
    if (status)
        soak_breach(self->world, self, "a listener: %s", weir_error_name(status));
}

static void listen_to(actor *self)
{
    for (int type = 0; type < WEIR_EVENT_LISTENING; type++) {
        if (type != WEIR_EVENT_DATA && type != WEIR_EVENT_READABLE && type != WEIR_EVENT_FD)
            actor_listen(self, (weir_event_type)type, on_event, 1);
    }
    self->takes_fds = dice_percent(&self->dice, 60); /* for others they are closed */
    if (self->takes_fds)
        actor_listen(self, WEIR_EVENT_FD, on_fd, 1);
}

/* ---- lives ---- */

/* No layer of its own: only such a stream gets descriptors. */
static int is_bare(const char *endpoint)
{
    return strstr(endpoint, "\"layers\": []") != NULL;
}

static actor *actor_new(soak_world *world, weir_stream *stream, int accepted)
{
    actor *self = calloc(1, sizeof(*self));
    if (world->actor_count == world->actor_capacity) {
        world->actor_capacity = world->actor_capacity * 2 + 64;
        world->actors = realloc(world->actors, world->actor_capacity * sizeof(actor *));
    }
    if (!self || !world->actors)
        abort();
    self->world = world;
    self->place = world->actor_count;
    self->number = ++world->next_actor;
    self->dice = dice_new(world->seed * 0x9e3779b97f4a7c15u + world->number * 1000003u + self->number);
    self->stream = stream;
    self->accepted = accepted;
    self->polite = dice_percent(&self->dice, 55);
    recogniser_begin(&self->rules, accepted);
    world->actors[world->actor_count++] = self;
    soak_acting = self;
    return self;
}

static void begin_life(actor *self, need what, int upgrades)
{
    self->live = 1;
    self->need = what;
    self->upgrade = upgrades ? what : NEED_NOTHING;
    self->passes = 0;
    self->partner = NULL;
    self->piped = 0;
    self->failures = 0;
    self->layers = 0;
    self->farewell = 0;
    self->corks = 0;
    self->budget = 3 + dice_below(&self->dice, self->polite ? 60 : 120);
    self->world->open++;
    atomic_fetch_add(&soak_total.open, 1);
    atomic_fetch_add(&soak_total.streams, 1);
    reader_begin(&self->reader, &self->world->book, soak_is_secure(what));
    self->reader.takes_fds = self->takes_fds && self->bare;
    decoder_begin(&self->decoder, self->decoder.kind);
    self->flow = flow_new(&self->world->book);
    if (!self->upgrade)
        write_header(self);
}

static unsigned first_mode(soak_dice *dice)
{
    unsigned roll = dice_below(dice, 100);
    if (roll < 70)
        return READ_DATA;
    if (roll < 88)
        return READ_READABLE;
    return roll < 92 ? READ_DATA | READ_READABLE : READ_NOTHING;
}

static void choose_options(actor *self, weir_stream_options *options)
{
    static const size_t marks[] = {0, 1, 100, 16384, 200000};
    soak_dice *dice = &self->dice;
    options->allow_half_open = dice_percent(dice, 50);
    options->no_auto_destroy = dice_percent(dice, 5);
    options->discard_on_end = dice_percent(dice, 5);
    options->readable_high_water_mark = marks[dice_below(dice, 5)];
    options->writable_high_water_mark = marks[dice_below(dice, 5)];
    options->max_write_queue = dice_percent(dice, 10) ? 100000 : 0;
    options->timeout = dice_percent(dice, 5) ? 1 + dice_below(dice, 50) : 0;
    options->connect_timeout = dice_percent(dice, 5) ? 1 + dice_below(dice, 50) : 0;
    options->half_close_timeout = dice_percent(dice, 10) ? 1 + dice_below(dice, 100) : 0;
    options->pause_on_connect = dice_percent(dice, 5);
    options->no_delay = dice_percent(dice, 10);
    options->keep_alive = dice_percent(dice, 5);
    options->signal = dice_percent(dice, 5) ? self->world->signal : NULL;
    self->discards = options->discard_on_end;
    self->blocks = dice_percent(dice, 4);
    options->block_list = self->blocks ? self->world->loopback : NULL;
    if (self->onread)
        memory_options(self->world, &options->onread);
}

actor *actor_connect(soak_world *world, const route *to, int reads)
{
    weir_stream_options options;
    actor *self = actor_new(world, NULL, 0);
    weir_stream_options_init(&options);
    self->onread = reads && !to->upgrades && dice_percent(&self->dice, 12);
    choose_options(self, &options);
    self->stream = weir_stream_new(world->runtime, &options);
    if (!self->stream)
        soak_breach(world, self, "no stream");
    self->held = 1;
    self->lives = dice_below(&self->dice, 4);
    self->bare = is_bare(to->endpoint);
    listen_to(self);
    if (reads)
        actor_choose_encoding(self, to->upgrades);
    int status;
    ASK(world, status, weir_stream_connect(self->stream, to->endpoint, NULL, NULL));
    if (status)
        soak_breach(world, self, "connect %s: %s", to->endpoint, weir_error_name(status));
    actor_note(self, "[connect %s]", to->endpoint);
    actor_judge(self, "|");
    begin_life(self, to->need, to->upgrades);
    self->is_tcp = to->is_tcp;
    self->deaf = !reads;
    if (reads && !self->upgrade)
        actor_set_mode(self, first_mode(&self->dice));
    if (dice_percent(&self->dice, 30)) {
        self->held = 0;
        weir_stream_release(self->stream);
    }
    return self;
}

static void count_whole(const actor *self)
{
    atomic_fetch_add(&soak_total.whole, 1);
    if (self->need == NEED_NOTHING)
        atomic_fetch_add(&soak_total.whole_plain, 1);
    else if (self->need == NEED_TLS_FAKE)
        atomic_fetch_add(&soak_total.whole_fake, 1);
    else if (soak_is_secure(self->need))
        atomic_fetch_add(&soak_total.whole_tls, 1);
    if (self->decoder.kind)
        atomic_fetch_add(&soak_total.whole_text, 1);
    if (self->onread)
        atomic_fetch_add(&soak_total.whole_onread, 1);
}

/* What it has read, now that nothing changes any more of where it came from. */
static void judge_reader(actor *self)
{
    int whole;
    const char *fault = reader_judge(&self->reader, &whole);
    if (fault)
        soak_breach(self->world, self, "%s", fault);
    if (whole)
        count_whole(self);
}

void actor_connect_again(actor *self)
{
    route to;
    soak_world *world = self->world;
    int status;
    if (!reader_settled(&self->reader))
        return;
    site_route(world->sites[dice_below(&self->dice, SITES)], &self->dice, &to);
    if (to.upgrades)
        return; /* it may be read from before that */
    judge_reader(self);
    ASK(world, status, weir_stream_connect(self->stream, to.endpoint, NULL, NULL));
    actor_note(self, "[connect %s]", to.endpoint);
    if (status)
        soak_breach(world, self, "connect again: %s", weir_error_name(status));
    self->lives--;
    self->bare = is_bare(to.endpoint);
    actor_judge(self, "|");
    begin_life(self, to.need, 0);
    self->is_tcp = to.is_tcp;
    if (!self->mode && !self->onread && weir_stream_readable_flowing(self->stream) == 1)
        self->reader.lost = 1; /* it was resumed in its former life, and flows to nobody */
}

/* What a connection is to its server. */
static void take_part(actor *self)
{
    soak_world *world = self->world;
    unsigned roll = dice_below(&self->dice, 100);
    route to;
    if (roll < 20 && actor_is_source(self)) { /* an echo */
        actor_pipe(self, self);
        return;
    }
    if (roll < 30 && actor_is_source(self) && world->open < ACTORS_MOST && !world->resting) {
        site_route(world->sites[dice_below(&self->dice, SITES)], &self->dice, &to);
        if (!to.upgrades) {
            actor *onwards = actor_connect(world, &to, 0); /* a forwarder */
            actor_pipe(self, onwards);
            actor_pipe(onwards, self);
            return;
        }
    }
    actor_set_mode(self, first_mode(&self->dice));
}

void actor_accept(const site *from, weir_stream *stream)
{
    actor *self = actor_new(from->world, stream, 1);
    self->discards = from->discards;
    self->onread = from->onread;
    self->held = dice_percent(&self->dice, 50);
    if (self->held)
        weir_stream_retain(stream);
    listen_to(self);
    self->bare = is_bare(from->endpoint);
    actor_note(self, "[accepted]");
    actor_choose_encoding(self, from->upgrades);
    begin_life(self, from->need, from->upgrades);
    if (!self->upgrade)
        take_part(self);
}

/* Both ends do so, each in its time, and what one is too early with waits at the other. */
void actor_upgrade(actor *self)
{
    unsigned roll = dice_below(&self->dice, 100);
    if (weir_stream_ready_state(self->stream) == WEIR_READY_OPENING || roll < 20)
        return;
    if (roll < 50) {
        CALL(self->world, weir_stream_refill(self->stream));
        actor_note(self, "[refill]");
        return;
    }
    if (actor_add_layers(self, self->upgrade)) {
        CALL(self->world, weir_stream_destroy(self->stream, NULL));
        return;
    }
    self->upgrade = NEED_NOTHING;
    write_header(self);
    if (self->accepted)
        take_part(self);
    else if (!self->deaf)
        actor_set_mode(self, first_mode(&self->dice));
}

/* ---- their end ---- */

static void forget(soak_world *world, actor *self)
{
    actor *last = world->actors[--world->actor_count];
    world->actors[self->place] = last;
    last->place = self->place;
    for (size_t i = 0; i < world->actor_count; i++) {
        if (world->actors[i]->partner == self)
            world->actors[i]->partner = NULL;
    }
    if (soak_acting == self)
        soak_acting = NULL;
    memory_take_back(self);
    free(self);
}

void actors_sweep(soak_world *world, int all)
{
    for (size_t i = world->actor_count; i-- > 0;) {
        actor *self = world->actors[i];
        if (self->live || self->waiting || self->late || (!all && !reader_settled(&self->reader)))
            continue;
        const char *fault = recogniser_over(&self->rules);
        if (fault)
            soak_breach(world, self, "%s", fault);
        judge_reader(self);
        if (self->held)
            weir_stream_release(self->stream);
        forget(world, self);
    }
}
