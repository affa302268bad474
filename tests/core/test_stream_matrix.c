/* SPDX-License-Identifier: MIT */
/*
 * The matrix: in every scene that a stream can be in, in the listener of every event, every call is made that could
 * upset it. Each stream's history must still be a life of two tracks, and nothing may be left of it (LIFE-15, EMT-15).
 *
 * A combination is transport x scene x whose event x action; each runs all events, one connection each. At the end the
 * program checks that every event was met by every action somewhere: a scene that no longer happens does not go unseen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define BULK (4u * 1024 * 1024)

typedef struct play play;

typedef struct scene_of {
    const char *name;
    void (*run)(play *on);
} scene_of;

typedef struct action_of {
    const char *name;
    void (*act)(play *on, recorder *victim);
    int first;
} action_of;

typedef struct combination_of {
    char name[96];
    const char *transport;
    const scene_of *scene;
    const action_of *action;
    size_t action_number;
    int of_client;
} combination_of;

struct play {
    fixture *f;
    const combination_of *combination;
    weir_event_type type;
    weir_server *server;
    const char *url;
    recorder *client;
    recorder *accepted;
    recorder *victim;
    int acted;
};

static const combination_of *current;

/* ---- actions ---- */

static void act_destroy(play *on, recorder *victim)
{
    (void)on;
    recorder_destroy(victim, NULL);
}

static void act_destroy_error(play *on, recorder *victim)
{
    weir_error *error = weir_error_new(UV_EPROTO, "test", NULL, -1);
    (void)on;
    recorder_destroy(victim, error);
    weir_error_release(error);
}

static void act_reset(play *on, recorder *victim)
{
    (void)on;
    recorder_reset(victim);
}

static void act_end(play *on, recorder *victim)
{
    (void)on;
    recorder_end(victim);
}

static void act_write(play *on, recorder *victim)
{
    (void)on;
    recorder_write(victim, "x", 1);
}

static void act_write_end_write(play *on, recorder *victim)
{
    (void)on;
    recorder_write(victim, "x", 1);
    recorder_end(victim);
    recorder_write(victim, "y", 1);
}

static void act_pause(play *on, recorder *victim)
{
    (void)on;
    recorder_pause(victim);
}

static void act_pause_resume(play *on, recorder *victim)
{
    (void)on;
    recorder_pause(victim);
    recorder_resume(victim);
    recorder_pause(victim);
    recorder_resume(victim);
}

static void act_read(play *on, recorder *victim)
{
    (void)on;
    weir_buf_release(weir_stream_read(victim->stream, 1));
    weir_buf_release(weir_stream_read(victim->stream, 0));
    weir_stream_refill(victim->stream);
}

static void act_unshift(play *on, recorder *victim)
{
    (void)on;
    weir_stream_unshift(victim->stream, "again", 5);
}

static void act_connect(play *on, recorder *victim)
{
    recorder_connect(victim, on->url);
}

static void act_listen(play *on, recorder *victim)
{
    (void)victim;
    if (weir_server_listening(on->server)) {
        assert_code(weir_server_listen(on->server, on->url, NULL, NULL), WEIR_ESERVER_ALREADY_LISTEN);
    }
    weir_server_close(on->server, NULL, NULL);
}

static void act_destroy_soon(play *on, recorder *victim)
{
    (void)on;
    weir_stream_destroy_soon(victim->stream);
}

static void act_pipe_to_itself(play *on, recorder *victim)
{
    (void)on;
    weir_stream_pipe(victim->stream, victim->stream, NULL);
    weir_stream_unpipe(victim->stream, NULL);
    weir_stream_pipe(victim->stream, victim->stream, NULL);
}

static void act_cork(play *on, recorder *victim)
{
    (void)on;
    weir_stream_cork(victim->stream);
    recorder_write(victim, "corked", 6);
    weir_stream_cork(victim->stream);
    weir_stream_uncork(victim->stream);
}

static void act_settings(play *on, recorder *victim)
{
    weir_address address;
    (void)on;
    weir_stream_unref(victim->stream);
    weir_stream_ref(victim->stream);
    weir_stream_set_timeout(victim->stream, 3600000, NULL, NULL);
    weir_stream_set_no_delay(victim->stream, 1);
    weir_stream_set_keep_alive(victim->stream, 1, 1000);
    weir_stream_local_address(victim->stream, &address);
    weir_stream_set_timeout(victim->stream, 0, NULL, NULL);
}

static void act_destroy_both(play *on, recorder *victim)
{
    if (on->client != NULL) {
        recorder_destroy(on->client, NULL);
    }
    if (on->accepted != NULL) {
        recorder_destroy(on->accepted, NULL);
    }
    recorder_destroy(victim, NULL);
}

static const action_of actions[] = {
    {"destroy", act_destroy, 1},
    {"destroy_error", act_destroy_error, 1},
    {"reset", act_reset, 1},
    {"end", act_end, 0},
    {"write", act_write, 0},
    {"write_end_write", act_write_end_write, 0},
    {"pause", act_pause, 0},
    {"pause_resume", act_pause_resume, 0},
    {"read", act_read, 0},
    {"unshift", act_unshift, 0},
    {"connect", act_connect, 0},
    {"listen_close", act_listen, 0},
    {"destroy_soon", act_destroy_soon, 0},
    {"pipe_to_itself", act_pipe_to_itself, 0},
    {"cork", act_cork, 0},
    {"settings", act_settings, 0},
    {"destroy_both", act_destroy_both, 1},
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

/* ---- the saboteur ---- */

static int met[WEIR_EVENT_COUNT][ACTIONS];

static void sabotage(const weir_event *event, void *arg)
{
    play *on = arg;
    (void)event;
    if (on->acted) {
        return;
    }
    on->acted = 1;
    met[on->type][on->combination->action_number] = 1;
    on->combination->action->act(on, on->victim);
}

static void place(play *on, recorder *victim)
{
    on->victim = victim;
    /* destroyers come before the recorder's own listener, so that it runs on a stream that is gone; what else changes
     * what may follow comes behind it, or it would be written down in the wrong order */
    if (on->combination->action->first) {
        assert_code(weir_stream_prepend(victim->stream, on->type, sabotage, on), 0);
    } else {
        assert_code(weir_stream_on(victim->stream, on->type, sabotage, on), 0);
    }
}

/* ---- scenes: each goes as far as what was done to it lets it ---- */

static void turns(play *on)
{
    fixture_turns(on->f, 12);
}

static void on_arrival(const weir_event *event, void *arg)
{
    play *on = arg;
    on->accepted = record_stream(on->f, event->stream, on->f->record);
    if (!on->combination->of_client) {
        place(on, on->accepted);
    }
}

/* Client and server's end, connected unless the saboteur is against it. */
static void open_pair(play *on, unsigned flags, const weir_stream_options *options)
{
    on->f->record = flags;
    weir_stream *stream = weir_stream_new(on->f->runtime, options);
    on->client = record_stream(on->f, stream, flags);
    weir_stream_release(stream);
    if (on->combination->of_client) {
        place(on, on->client);
    }
    assert_code(recorder_connect(on->client, on->url), 0);
    turns(on);
}

/* One byte after the other goes over, then both end. */
static void play_talk(play *on)
{
    open_pair(on, RECORD_DATA, NULL);
    recorder_write(on->client, "hello", 5);
    if (on->accepted != NULL) {
        recorder_write(on->accepted, "hi", 2);
    }
    turns(on);
    recorder_end(on->client);
    turns(on);
}

static void play_refused(play *on)
{
    weir_server_close(on->server, NULL, NULL);
    turns(on);
    open_pair(on, RECORD_DATA, NULL);
}

static void play_half_open(play *on)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    open_pair(on, RECORD_DATA, &options);
    if (on->accepted != NULL) {
        recorder_end(on->accepted);
        turns(on);
    }
    recorder_write(on->client, "late", 4);
    turns(on);
    recorder_end(on->client);
    turns(on);
}

static void play_peer_resets(play *on)
{
    open_pair(on, RECORD_DATA, NULL);
    recorder *peer = on->combination->of_client ? on->accepted : on->client;
    recorder_write(on->client, "hello", 5);
    turns(on);
    if (peer != NULL) {
        recorder_write(peer, "bye", 3);
        recorder_reset(peer);
    }
    turns(on);
    recorder_write(on->client, "into the void", 13);
    turns(on);
}

static void play_back_pressure(play *on)
{
    static char bulk[BULK];
    open_pair(on, RECORD_DATA, NULL);
    recorder *writer = on->combination->of_client ? on->client : on->accepted;
    recorder *reader = on->combination->of_client ? on->accepted : on->client;
    if (reader == NULL || writer == NULL) {
        return;
    }
    recorder_pause(reader);
    recorder_write(writer, bulk, sizeof(bulk));
    turns(on);
    recorder_resume(reader);
    turns(on);
    turns(on);
    recorder_end(writer);
    turns(on);
}

static void play_readable(play *on)
{
    open_pair(on, RECORD_READABLE, NULL);
    recorder *writer = on->combination->of_client ? on->accepted : on->client;
    recorder *reader = on->combination->of_client ? on->client : on->accepted;
    if (writer == NULL || reader == NULL) {
        return;
    }
    recorder_write(writer, "abcdef", 6);
    turns(on);
    weir_buf_release(weir_stream_read(reader->stream, 2));
    turns(on);
    recorder_end(writer);
    turns(on);
    weir_buf_release(weir_stream_read(reader->stream, 0));
    turns(on);
}

static void play_pipe(play *on)
{
    open_pair(on, 0, NULL);
    if (on->accepted == NULL) {
        return;
    }
    weir_stream_pipe(on->accepted->stream, on->accepted->stream, NULL);
    recorder_add(on->client, RECORD_DATA);
    recorder_write(on->client, "echo", 4);
    turns(on);
    weir_stream_unpipe(on->accepted->stream, NULL);
    turns(on);
    weir_stream_pipe(on->client->stream, on->client->stream, NULL);
    weir_stream_pipe(on->accepted->stream, on->accepted->stream, NULL);
    turns(on);
    weir_stream_unpipe(on->client->stream, NULL);
    turns(on);
    recorder_end(on->client);
    turns(on);
}

static void play_peer_leaves_paused(play *on)
{
    open_pair(on, 0, NULL);
    recorder *peer = on->combination->of_client ? on->accepted : on->client;
    recorder *stays = on->combination->of_client ? on->client : on->accepted;
    if (peer == NULL || stays == NULL) {
        return;
    }
    recorder_pause(stays);
    recorder_write(peer, "unread", 6);
    recorder_end(peer);
    turns(on);
    recorder_resume(stays);
    turns(on);
}

static void keep_alive(weir_timer *timer)
{
    (void)timer;
}

static void on_victim_timeout(const weir_event *event, void *arg)
{
    int *over = arg;
    (void)event;
    *over = 1;
}

static void play_idle(play *on)
{
    open_pair(on, RECORD_DATA, NULL);
    recorder *idle = on->combination->of_client ? on->client : on->accepted;
    int over = 0;
    if (idle == NULL || weir_stream_destroyed(idle->stream)) {
        return;
    }
    weir_stream_on(idle->stream, WEIR_EVENT_TIMEOUT, on_victim_timeout, &over);
    weir_stream_on(idle->stream, WEIR_EVENT_CLOSE, on_victim_timeout, &over);
    weir_stream_set_timeout(idle->stream, 1, NULL, NULL);
    weir_timer stays = {.run = keep_alive}; /* an idle timer does not keep the loop (SOCM-47), nor does mem */
    weir_timer_start(on->f->runtime, &stays, 3600000);
    fixture_until(on->f, &over);
    weir_timer_stop(on->f->runtime, &stays);
    weir_stream_off(idle->stream, WEIR_EVENT_TIMEOUT, on_victim_timeout, &over);
    weir_stream_off(idle->stream, WEIR_EVENT_CLOSE, on_victim_timeout, &over);
    weir_stream_set_timeout(idle->stream, 0, NULL, NULL);
    turns(on);
}

static const scene_of scenes[] = {
    {"talk", play_talk},
    {"refused", play_refused},
    {"half_open", play_half_open},
    {"peer_resets", play_peer_resets},
    {"back_pressure", play_back_pressure},
    {"readable", play_readable},
    {"pipe", play_pipe},
    {"peer_leaves_paused", play_peer_leaves_paused},
    {"idle", play_idle},
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

/* ---- one combination ---- */

static const weir_event_type events[] = {
    WEIR_EVENT_CONNECTION_ATTEMPT,
    WEIR_EVENT_CONNECTION_ATTEMPT_FAILED,
    WEIR_EVENT_CONNECT,
    WEIR_EVENT_READY,
    WEIR_EVENT_DATA,
    WEIR_EVENT_READABLE,
    WEIR_EVENT_END,
    WEIR_EVENT_DRAIN,
    WEIR_EVENT_FINISH,
    WEIR_EVENT_PAUSE,
    WEIR_EVENT_RESUME,
    WEIR_EVENT_PIPE,
    WEIR_EVENT_UNPIPE,
    WEIR_EVENT_TIMEOUT,
    WEIR_EVENT_PEER_CLOSE,
    WEIR_EVENT_ERROR,
    WEIR_EVENT_CLOSE,
};

#define EVENTS (sizeof(events) / sizeof(events[0]))

/* Whatever is left of a stream goes, and its history is judged. */
static void judge(play *on, recorder *r)
{
    if (r == NULL) {
        return;
    }
    for (int life = 0; life < 4 && !weir_stream_closed(r->stream); life++) {
        recorder_destroy(r, NULL); /* a 'close' listener may connect it again, once */
        turns(on);
    }
    const char *fault = recorder_fault(r, 1);
    if (fault != NULL) {
        fail_msg("%s in '%s': %s\n  history: %s", current->name, weir_event_name(on->type), fault, r->text);
    }
}

static void play_one(fixture *f, const combination_of *combination, weir_event_type type, size_t number)
{
    play on = {.f = f, .combination = combination, .type = type};
    on.server = weir_server_new(f->runtime, NULL);
    weir_server_on(on.server, WEIR_EVENT_CONNECTION, on_arrival, &on);
    const char *at =
        strcmp(combination->transport, "tcp") == 0
            ? "tcp://127.0.0.1:0"
            : fixture_text(f, "%s:%s%zu", combination->transport,
                           strcmp(combination->transport, "ipc") == 0 ? fixture_path(f, "s") : "s", number);
    assert_code(weir_server_listen(on.server, at, NULL, NULL), 0);
    turns(&on);
    on.url = fixture_url(f, on.server);
    combination->scene->run(&on);
    judge(&on, on.client);
    judge(&on, on.accepted);
    weir_server_close(on.server, NULL, NULL);
    if (on.client != NULL) {
        weir_stream_off(on.client->stream, type, sabotage, &on);
    }
    if (on.accepted != NULL) {
        weir_stream_off(on.accepted->stream, type, sabotage, &on);
    }
    weir_server_close_all(on.server, 0, NULL, NULL);
    turns(&on);
    weir_server_remove_all(on.server, WEIR_EVENT_COUNT);
    weir_server_release(on.server);
}

static void play_combination(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < EVENTS; i++) {
        play_one(f, current, events[i], i);
    }
}

static int set_up(void **state)
{
    current = *state;
    return fixture_setup(state);
}

static int tear_down(void **state)
{
    return fixture_teardown(state);
}

static void every_event_was_met_by_every_action(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENTS; i++) {
        for (size_t j = 0; j < ACTIONS; j++) {
            if (!met[events[i]][j]) {
                fail_msg("no scene has '%s' met by %s", weir_event_name(events[i]), actions[j].name);
            }
        }
    }
}

int main(void)
{
    static const char *const transports[] = {"tcp", "ipc", "mem"};
    static combination_of combinations[3 * SCENES * ACTIONS * 2];
    static struct CMUnitTest tests[3 * SCENES * ACTIONS * 2 + 1];
    size_t count = 0;
    for (size_t t = 0; t < 3; t++) {
        for (size_t s = 0; s < SCENES; s++) {
            for (size_t a = 0; a < ACTIONS; a++) {
                for (int of_client = 0; of_client < 2; of_client++) {
                    combination_of *c = &combinations[count];
                    *c = (combination_of){.transport = transports[t],
                                          .scene = &scenes[s],
                                          .action = &actions[a],
                                          .action_number = a,
                                          .of_client = of_client};
                    snprintf(c->name, sizeof(c->name), "matrix_LIFE_15_%s_%s_%s_%s", transports[t], scenes[s].name,
                             of_client ? "client" : "accepted", actions[a].name);
                    tests[count++] = (struct CMUnitTest){c->name, play_combination, set_up, tear_down, c};
                }
            }
        }
    }
    tests[count] = (struct CMUnitTest){"matrix_EMT_15_every_event_was_met_by_every_action",
                                       every_event_was_met_by_every_action, NULL, NULL, NULL};
    return cmocka_run_group_tests_name("stream_matrix", tests, NULL, NULL);
}
