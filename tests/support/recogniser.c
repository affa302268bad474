/* SPDX-License-Identifier: MIT */
/* The recogniser: whether words are the life of a stream, one after the other or as a recorder's text. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recogniser.h"
#include "recorder.h"

enum phase { PHASE_NEW, PHASE_CONNECTED, PHASE_READY, PHASE_FAILED, PHASE_CLOSED };

typedef struct rule {
    const char *word; /* up to the colon */
    const char *(*judge)(recogniser *life, const char *detail);
} rule;

static const char *connect_rule(recogniser *life, const char *detail)
{
    (void)detail;
    if (life->phase != PHASE_NEW)
        return "'connect' comes once, before all that flows";
    life->phase = PHASE_CONNECTED;
    return NULL;
}

static const char *ready_rule(recogniser *life, const char *detail)
{
    (void)detail;
    if (life->phase != PHASE_CONNECTED)
        return "'ready' comes once, right after 'connect'";
    life->phase = PHASE_READY;
    return NULL;
}

static const char *reading_rule(recogniser *life, const char *detail)
{
    (void)detail;
    if (life->phase < PHASE_READY)
        return "the reading track begins with 'ready'";
    if (life->phase > PHASE_READY)
        return "the reading track is over with 'error' and 'close'";
    if (life->ended)
        return "nothing is read after 'end'";
    return NULL;
}

static const char *end_rule(recogniser *life, const char *detail)
{
    const char *fault = reading_rule(life, detail);
    life->ended = 1;
    return fault;
}

static const char *writing_rule(recogniser *life, const char *detail)
{
    (void)detail;
    if (life->phase < PHASE_READY)
        return "the writing track begins with 'ready'";
    if (life->phase > PHASE_READY)
        return "the writing track is over with 'error' and 'close'";
    if (life->finished)
        return "nothing is written after 'finish'";
    return NULL;
}

static const char *finish_rule(recogniser *life, const char *detail)
{
    const char *fault = writing_rule(life, detail);
    life->finished = 1;
    return fault;
}

static const char *error_rule(recogniser *life, const char *detail)
{
    (void)detail;
    if (life->failed)
        return "'error' comes at most once";
    if (life->phase >= PHASE_FAILED)
        return "'error' comes before 'close'";
    life->failed = 1;
    life->phase = PHASE_FAILED;
    return NULL;
}

static const char *close_rule(recogniser *life, const char *detail)
{
    if (life->phase == PHASE_CLOSED)
        return "'close' comes once";
    life->phase = PHASE_CLOSED;
    if ((strcmp(detail, "error") == 0) != life->failed)
        return "'close' tells whether there was an 'error'";
    return NULL;
}

static const char *new_life_rule(recogniser *life, const char *detail)
{
    (void)detail;
    int fresh = !life->began;
    if (life->phase != PHASE_CLOSED && !fresh)
        return "a new life begins after 'close'";
    long writes = life->writes;
    long ends = life->ends;
    memset(life, 0, sizeof(*life));
    life->writes = writes;
    life->ends = ends;
    return NULL;
}

static const char *other_rule(recogniser *life, const char *detail)
{
    (void)detail;
    return life->phase == PHASE_CLOSED ? "nothing comes after 'close'" : NULL;
}

static const rule rules[] = {
    {"connect", connect_rule}, {"ready", ready_rule},       {"data", reading_rule},  {"readable", reading_rule},
    {"end", end_rule},         {"peerClose", reading_rule}, {"drain", writing_rule}, {"finish", finish_rule},
    {"error", error_rule},     {"close", close_rule},       {"|", new_life_rule},
};

/* "w12", "e3:ECANCELED": the callback of a write or an end. */
static int is_callback(const char *word)
{
    return (word[0] == 'w' || word[0] == 'e') && word[1] >= '0' && word[1] <= '9';
}

static const char *judge_callback(recogniser *life, const char *word)
{
    long number = strtol(word + 1, NULL, 10);
    long *last = word[0] == 'w' ? &life->writes : &life->ends;
    if (number <= *last)
        return "callbacks come once each, in the order of the calls";
    *last = number;
    if (life->phase >= PHASE_FAILED)
        return "outstanding callbacks come before 'error' and 'close'";
    return NULL;
}

void recogniser_begin(recogniser *self, int accepted)
{
    *self = (recogniser){.phase = accepted ? PHASE_READY : PHASE_NEW, .began = accepted};
}

const char *recogniser_word(recogniser *self, const char *word)
{
    size_t length = strcspn(word, ":");
    const char *detail = word[length] ? word + length + 1 : "";
    const char *(*judge)(recogniser *, const char *) = other_rule;
    if (is_callback(word))
        return judge_callback(self, word);
    if (word[0] == '~')
        return NULL;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strlen(rules[i].word) == length && strncmp(rules[i].word, word, length) == 0)
            judge = rules[i].judge;
    }
    const char *fault = judge(self, detail);
    self->began = 1;
    return fault;
}

const char *recogniser_over(const recogniser *self)
{
    return self->began && self->phase != PHASE_CLOSED ? "a life ends with 'close'" : NULL;
}

const char *recorder_check_text(const char *text, int accepted, int over, char *fault, size_t size)
{
    recogniser life;
    char *copy = strdup(text);
    char *rest = NULL;
    const char *found = NULL;
    if (!copy)
        abort();
    recogniser_begin(&life, accepted);
    for (char *word = strtok_r(copy, " ", &rest); word && !found; word = strtok_r(NULL, " ", &rest)) {
        found = recogniser_word(&life, word);
        if (found)
            snprintf(fault, size, "%s (at '%s')", found, word);
    }
    if (!found && over && recogniser_over(&life)) {
        found = recogniser_over(&life);
        snprintf(fault, size, "%s", found);
    }
    free(copy);
    return found ? fault : NULL;
}
