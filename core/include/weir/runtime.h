/* SPDX-License-Identifier: MIT */
/* The runtime: everything one event loop needs. */
#ifndef WEIR_RUNTIME_H
#define WEIR_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include <weir/error.h>
#include <weir/event.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_plugin;
struct uv_loop_s; /* libuv's uv_loop_t */

/*
 * Memory. All memory of weir comes from this table; the default is the C library's. Replace it before anything else of
 * weir is called, once, in one thread. 0 or UV_EINVAL (a member is NULL).
 */
typedef struct weir_allocator {
    void *(*malloc)(size_t size);
    void *(*realloc)(void *memory, size_t size);
    void *(*calloc)(size_t count, size_t size);
    void (*free)(void *memory);
} weir_allocator;
WEIR_EXPORT int weir_set_allocator(const weir_allocator *allocator);

/* From that table; for plugins. NULL without memory; free lets NULL pass. */
WEIR_EXPORT void *weir_malloc(size_t size);
WEIR_EXPORT void *weir_calloc(size_t count, size_t size);
WEIR_EXPORT void *weir_realloc(void *memory, size_t size);
WEIR_EXPORT void weir_free(void *memory);

/* "0.1.0". Static text. */
WEIR_EXPORT const char *weir_version(void);

/*
 * A runtime on a loop: loaded plugins, ticks, timers, the read buffer, defaults, log. One a thread; everything of it is
 * used in that thread only, but for weir_runtime_post. The loop is the caller's and must outlive the runtime. NULL: no
 * memory, or the loop refused a handle.
 */
WEIR_EXPORT weir_runtime *weir_runtime_new(struct uv_loop_s *loop);

/*
 * Destroys every stream and server that is left, runs the loop until weir's handles are closed (their 'close' events
 * come), ends the plugins' instances and frees the runtime. 0, or UV_EBUSY when called from inside a callback of weir
 * or while it ends already: nothing is done then. Objects the application still holds a reference of stay valid until
 * it releases them, but can do no more than be asked and released. NULL is let pass.
 */
WEIR_EXPORT int weir_runtime_free(weir_runtime *runtime);

WEIR_EXPORT struct uv_loop_s *weir_runtime_loop(const weir_runtime *runtime);

/* A pointer of the application's own; NULL at first. */
WEIR_EXPORT void weir_runtime_set_data(weir_runtime *runtime, void *data);
WEIR_EXPORT void *weir_runtime_data(const weir_runtime *runtime);

/*
 * A piece of work for later: embed it, set `run`, keep it in place until it ran or was cancelled. Zero it first.
 */
typedef struct weir_task weir_task;
struct weir_task {
    void (*run)(weir_task *task);
    weir_task *next; /* the runtime's own, like the following */
    weir_task *previous;
    int queue;
};

/*
 * Runs the task when the callback that is running now has returned, before the loop polls again: Node's next tick, in
 * the order of the calls (row EMT-16). Outside of a callback of weir it keeps the loop alive until it ran. A task that
 * waits already stays where it is.
 */
WEIR_EXPORT void weir_runtime_defer(weir_runtime *runtime, weir_task *task);

/* Runs the task in the loop's next iteration: for work that goes on in portions without starving the rest. */
WEIR_EXPORT void weir_runtime_next_turn(weir_runtime *runtime, weir_task *task);

/* Takes a waiting task out of its queue; one that does not wait stays as it is. */
WEIR_EXPORT void weir_runtime_cancel(weir_runtime *runtime, weir_task *task);

/*
 * The one function that other threads may call: runs `run(arg)` in the runtime's thread, soon, in the order of one
 * thread's calls. Not from signal handlers. 0, UV_ENOMEM, or UV_ECANCELED when the runtime is ending (run is not called
 * then). The caller sees to it that the runtime exists. Work that waits when the runtime ends is run by that end.
 */
WEIR_EXPORT int weir_runtime_post(weir_runtime *runtime, void (*run)(void *arg), void *arg);

/*
 * Brackets around every entry from libuv into weir: a plugin's own uv callbacks begin with enter and end with leave,
 * and an application may bracket its own. When the outermost leave comes, the deferred tasks run.
 */
WEIR_EXPORT void weir_runtime_enter(weir_runtime *runtime);
WEIR_EXPORT void weir_runtime_leave(weir_runtime *runtime);

/* Inside a bracket: 1, else 0. What waits by running the loop must not be called then. */
WEIR_EXPORT int weir_runtime_inside(const weir_runtime *runtime);

/*
 * Runs the loop until `*done` is not 0 or nothing is left to do. 0, or UV_EBUSY inside a callback, or UV_ECANCELED when
 * the loop has nothing left to do and *done is still 0.
 */
WEIR_EXPORT int weir_runtime_run_until(weir_runtime *runtime, const int *done);

/*
 * Timers: one queue a runtime over one uv_timer_t. Embed, zero, set `run`. `start` fires once, `timeout` milliseconds
 * after now (the loop's clock; 0 is 1, as in Node); started again it moves. Those of one moment fire in the order of
 * their starts, and what one of them deferred runs before the next (EMT-16). `stop` of one that does not run does
 * nothing. A timer keeps the loop alive unless `unref` is 1. The callback may start and stop any timer and free this
 * one.
 */
typedef struct weir_timer weir_timer;
struct weir_timer {
    void (*run)(weir_timer *timer);
    int unref;
    uint64_t due; /* the runtime's own, like the following */
    size_t position;
};
/* 0 or UV_ENOMEM */
WEIR_EXPORT int weir_timer_start(weir_runtime *runtime, weir_timer *timer, uint64_t timeout);
WEIR_EXPORT void weir_timer_stop(weir_runtime *runtime, weir_timer *timer);
WEIR_EXPORT int weir_timer_active(const weir_timer *timer);

/* Defaults of streams made later: bytes, at least 1. 16384 at first. */
WEIR_EXPORT size_t weir_runtime_default_high_water_mark(const weir_runtime *runtime);
WEIR_EXPORT int weir_runtime_set_default_high_water_mark(weir_runtime *runtime, size_t bytes);

/* The log. The library prints nothing but through this; without a function, lines go to stderr. */
typedef enum weir_log_level { WEIR_LOG_DEBUG, WEIR_LOG_INFO, WEIR_LOG_WARN, WEIR_LOG_ERROR } weir_log_level;
typedef void (*weir_log_function)(weir_log_level level, const char *message, void *arg);
/* NULL: back to the default, which prints warnings and errors to stderr. */
WEIR_EXPORT void weir_runtime_on_log(weir_runtime *runtime, weir_log_function function, void *arg);
WEIR_EXPORT void weir_log(weir_runtime *runtime, weir_log_level level, const char *format, ...) WEIR_PRINTF(3, 4);
WEIR_EXPORT const char *weir_log_level_name(weir_log_level level);

/*
 * Lines that others cause (clients, scanners, a server that is down) must not fill a log: at most `most` of one kind in
 * a period of ten seconds, which the first line begins. The others are counted, and when there are any the next period
 * follows at once: their count is its first line, and `most` - 1 others may come after it. So the lines of two periods
 * may stand close together where they meet. Without memory for its timer nothing is held back.
 *
 * Embed one where the lines of a kind are written, zero it, set `most` (at least 1) and `tell`, and keep it in place
 * until it was ended, which must be before its runtime is freed. One bound is for one runtime.
 */
typedef struct weir_log_bound weir_log_bound;
struct weir_log_bound {
    unsigned most;
    /*
     * Logs one line that counts the `more` that were not to be logged; what is said of the last one is the owner's to
     * keep. Called when the period is over, and inside weir_log_bound_end.
     */
    void (*tell)(weir_log_bound *bound, uint64_t more);
    weir_runtime *runtime; /* the runtime's own, like the following */
    weir_timer timer;
    unsigned shown;
    uint64_t more;
};
/* 1: the line is to be logged. 0: it was counted; log it at WEIR_LOG_DEBUG, or not at all. */
WEIR_EXPORT int weir_log_bound_pass(weir_runtime *runtime, weir_log_bound *bound);
/* Counted lines are told of now, by `tell`, and nothing follows. One that never passed anything may be ended too. */
WEIR_EXPORT void weir_log_bound_end(weir_log_bound *bound);

/*
 * What becomes of an 'error' nobody listens for (row EMT-12). The default logs one line with code, call, address and
 * the stream's number, those of a service's connections within a weir_log_bound of five for each server. The function,
 * where there is one, is told of each. The stream closes as always. NULL: back to the default.
 */
typedef void (*weir_unhandled_function)(const weir_event *event, void *arg);
WEIR_EXPORT void weir_runtime_on_unhandled(weir_runtime *runtime, weir_unhandled_function function, void *arg);

/*
 * Where plugins are looked for, before WEIR_PLUGIN_PATH and the installed folder: each call adds one folder to the end.
 * 0, UV_EINVAL, UV_ENOMEM.
 */
WEIR_EXPORT int weir_runtime_add_plugin_path(weir_runtime *runtime, const char *folder);

/*
 * Makes a plugin known that is linked into the program (built with WEIR_PLUGIN_STATIC). It is found by its name before
 * any file. 0, UV_EINVAL, UV_ENOMEM, UV_EEXIST (one of that name is there), WEIR_EPLUGIN (ABI, sizes, name; or its init
 * failed). `*error`, where error is not NULL, is then the caller's to release.
 */
WEIR_EXPORT int weir_runtime_register_plugin(weir_runtime *runtime, const struct weir_plugin *plugin,
                                             weir_error **error);

/*
 * Loads a plugin by name ("tcp") or by path (with a slash in it), unless it is loaded already, and starts its instance
 * for this runtime. 0, WEIR_ENOPLUGIN, WEIR_EPLUGIN, UV_EINVAL, UV_ENOMEM, UV_ECANCELED (the runtime is ending);
 * `*error` says which file and why. A file is refused when everybody may write to it or to its folder, or when its
 * owner is neither root, nor the running user, nor the owner of the running program.
 */
WEIR_EXPORT int weir_runtime_load_plugin(weir_runtime *runtime, const char *name, const struct weir_plugin **plugin,
                                         weir_error **error);

#ifdef __cplusplus
}
#endif
#endif
