/* SPDX-License-Identifier: MIT */
/* The list of listeners that streams and servers have: rows EMT-01 to EMT-10 and the rules in weir/event.h. */
#ifndef WEIR_CORE_LISTENERS_H
#define WEIR_CORE_LISTENERS_H

#include <stddef.h>
#include <stdint.h>

#include <weir/event.h>

/*
 * All listeners of one object, of every event. The object holds a pointer, NULL while there are none. Everything may be
 * called from inside a listener; the object itself must outlive an emit (EMT-15), and so the pointer stays in place.
 */
typedef struct weir__listeners weir__listeners;

/*
 * INTERNAL: weir's own (of finished, pipeline, close callbacks), which remove_all leaves and count does not see (EMT-06).
 * It runs in its place among the others, and an emit that it ran in has been heard. A stream's mode does not change by
 * an internal reader ('data', 'readable'): who adds one resumes the stream.
 */
enum { WEIR__LISTENER_ONCE = 1, WEIR__LISTENER_PREPEND = 2, WEIR__LISTENER_INTERNAL = 4 };

/* 0, UV_EINVAL (NULL listener, no such event) or UV_ENOMEM with the list as it was. */
int weir__listeners_add(weir__listeners **list, weir_event_type type, weir_listener listener, void *arg,
                        unsigned flags);

/* Removes the most recently added one with this function and argument, internal or not, if there is one. */
void weir__listeners_off(weir__listeners **list, weir_event_type type, weir_listener listener, void *arg);

/* Removes those of one event, or (WEIR_EVENT_COUNT) of all, but for internal ones. */
void weir__listeners_remove_all(weir__listeners **list, weir_event_type type);

/* At the object's end, outside of an emit: all, internal ones too. */
void weir__listeners_free(weir__listeners **list);

/* Without internal ones. */
size_t weir__listeners_count(const weir__listeners *list, weir_event_type type);

/* With them: does anybody listen? */
int weir__listeners_any(const weir__listeners *list, weir_event_type type);

/*
 * Runs the event's listeners in order; how many ran (EMT-03). Allocates nothing. Those added during it do not run in
 * it, those removed do not run any more, one-time listeners are removed before they run.
 */
size_t weir__listeners_emit(weir__listeners **list, const weir_event *event);

#endif
