/* SPDX-License-Identifier: MIT */
/* The list of listeners of a stream or a server, and the names of events. */
#include <string.h>

#include <uv.h>

#include "listeners.h"
#include "memory.h"

/* Most streams have one listener or none, and there are many streams. */
#define GROWTH 1

typedef struct entry {
    weir_listener run;
    void *arg;
    uint64_t sequence : 53; /* of adding, as the position says nothing about it once some were prepended */
    uint64_t type : 8;
    uint64_t once : 1;
    uint64_t internal : 1;
    uint64_t removed : 1; /* during an emit: its place stays until the outermost emit is over */
} entry;

/* One running emit, on its own stack: which places it still has to look at. */
typedef struct emission {
    struct emission *outer;
    size_t at;  /* next */
    size_t end; /* what was added behind this is not for this emit */
} emission;

/*
 * One block for all, since most objects have a handful of listeners for four or five events. It may move or go when a
 * listener adds or removes, so nothing but `emissions` points into it, and those are places, not addresses.
 */
struct weir__listeners {
    uint64_t next_sequence;
    uint64_t types; /* a bit for each event that may have listeners */
    uint32_t count;
    uint32_t capacity;
    uint32_t removed;
    emission *emissions; /* innermost first */
    entry entries[];
};

static int is_event(weir_event_type type)
{
    return (unsigned)type < WEIR_EVENT_COUNT;
}

_Static_assert(WEIR_EVENT_COUNT <= 64, "the set of events with listeners is one word");

static uint64_t type_bit(weir_event_type type)
{
    return UINT64_C(1) << type;
}

static int reserve(weir__listeners **list)
{
    weir__listeners *old = *list;
    if (old && old->count < old->capacity)
        return 0;
    size_t capacity = old ? old->capacity + (old->capacity < 2 * GROWTH ? GROWTH : old->capacity) : GROWTH;
    if (capacity > UINT32_MAX)
        return UV_ENOMEM; /* COVERAGE: takes a hundred gigabytes of listeners */
    weir__listeners *grown = weir__realloc(old, sizeof(*grown) + capacity * sizeof(entry));
    if (!grown)
        return UV_ENOMEM;
    if (!old)
        memset(grown, 0, sizeof(*grown));
    grown->capacity = (uint32_t)capacity;
    *list = grown;
    return 0;
}

int weir__listeners_add(weir__listeners **list, weir_event_type type, weir_listener listener, void *arg, unsigned flags)
{
    if (!listener || !is_event(type))
        return UV_EINVAL;
    int status = reserve(list);
    if (status)
        return status;
    weir__listeners *here = *list;
    entry *place = here->entries + here->count;
    if (flags & WEIR__LISTENER_PREPEND) {
        place = here->entries;
        memmove(place + 1, place, here->count * sizeof(*place));
        for (emission *running = here->emissions; running; running = running->outer) {
            running->at++;
            running->end++;
        }
    }
    *place = (entry){.run = listener, .arg = arg, .type = (unsigned)type & 0xff};
    place->sequence = here->next_sequence++ & ((UINT64_C(1) << 53) - 1);
    if (flags & WEIR__LISTENER_ONCE)
        place->once = 1;
    if (flags & WEIR__LISTENER_INTERNAL)
        place->internal = 1;
    here->count++;
    here->types |= type_bit(type);
    return 0;
}

/* Drops what was removed, and the block itself when nothing is left. Not while anybody counts places. */
static void tidy(weir__listeners **list)
{
    weir__listeners *here = *list;
    if (here->emissions || !here->removed)
        return;
    uint32_t kept = 0;
    here->types = 0;
    for (uint32_t i = 0; i < here->count; i++) {
        if (here->entries[i].removed)
            continue;
        here->types |= type_bit((weir_event_type)here->entries[i].type);
        here->entries[kept++] = here->entries[i];
    }
    here->count = kept;
    here->removed = 0;
    if (!kept) {
        weir__free(here);
        *list = NULL;
    }
}

static void mark_removed(weir__listeners *list, entry *place)
{
    place->removed = 1;
    list->removed++;
}

void weir__listeners_off(weir__listeners **list, weir_event_type type, weir_listener listener, void *arg)
{
    weir__listeners *here = *list;
    entry *latest = NULL;
    for (uint32_t i = 0; here && i < here->count; i++) {
        entry *place = here->entries + i;
        if (place->removed || place->type != (unsigned)type || place->run != listener || place->arg != arg)
            continue;
        if (!latest || place->sequence > latest->sequence)
            latest = place;
    }
    if (!latest)
        return;
    mark_removed(here, latest);
    tidy(list);
}

void weir__listeners_remove_all(weir__listeners **list, weir_event_type type)
{
    weir__listeners *here = *list;
    if (!here)
        return;
    for (uint32_t i = 0; i < here->count; i++) {
        entry *place = here->entries + i;
        if (!place->removed && !place->internal && (type == WEIR_EVENT_COUNT || place->type == (unsigned)type))
            mark_removed(here, place);
    }
    tidy(list);
}

void weir__listeners_free(weir__listeners **list)
{
    weir__free(*list);
    *list = NULL;
}

size_t weir__listeners_count(const weir__listeners *list, weir_event_type type)
{
    if (!list || !is_event(type) || !(list->types & type_bit(type)))
        return 0;
    size_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const entry *place = list->entries + i;
        count += !place->removed && !place->internal && place->type == (unsigned)type;
    }
    return count;
}

int weir__listeners_any(const weir__listeners *list, weir_event_type type)
{
    if (!list || !is_event(type) || !(list->types & type_bit(type)))
        return 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!list->entries[i].removed && list->entries[i].type == (unsigned)type)
            return 1;
    }
    return 0;
}

size_t weir__listeners_emit(weir__listeners **list, const weir_event *event)
{
    weir__listeners *here = *list;
    if (!here || !is_event(event->type) || !(here->types & type_bit(event->type)))
        return 0;
    emission running = {.outer = here->emissions, .end = here->count};
    here->emissions = &running;
    size_t run = 0;
    while (running.at < running.end) {
        entry *place = (*list)->entries + running.at++;
        if (place->removed || place->type != (unsigned)event->type)
            continue;
        weir_listener listener = place->run;
        void *arg = place->arg;
        if (place->once)
            mark_removed(*list, place);
        run++;
        listener(event, arg);
    }
    (*list)->emissions = running.outer;
    tidy(list);
    return run;
}

const char *weir_event_name(weir_event_type type)
{
    static const char *const names[] = {
#define NAME(id, name) name,
        WEIR_EVENT_MAP(NAME)
#undef NAME
    };
    return is_event(type) ? names[type] : NULL;
}
