/* SPDX-License-Identifier: MIT */
/*
 * The folders are watched, not the files: a file is often replaced by a rename, or by turning a link over. What an event
 * names does not matter; whether any of the files is another one than was read does. A pair is written one after the other: a
 * little time is let pass, and what does not go together is tried again when more changes. No event tells of a folder above
 * that is turned over, of one that went and came again, of a file behind a link to elsewhere: for these, new connections
 * are what makes one look, now and then.
 */
#include "watch.h"

#include <stddef.h>
#include <string.h>

#include <uv.h>

#include "material.h"

#define SETTLE_TIME 100  /* ms without a change before the files are read */
#define LOOK_TIME   1000 /* ms between two looks that nothing but connections asks for, */
#define LOOK_SHARE  100  /* and so many times as long as one look takes */

typedef struct watched_folder {
    uv_fs_event_t handle;
    struct watched_folder *next;
    struct tls_watch *watch;
    char path[];
} watched_folder;

typedef struct tls_watch {
    weir_tls_context *holder;
    weir_timer timer;
    watched_folder *folders;
    uint64_t refused; /* the files that were tried and could not be used; 0: none */
    uint64_t next;    /* ns: no look without an event before */
} tls_watch;

/* ---- what has changed ---- */

typedef struct comparison {
    int changed;
    uint64_t sum;
} comparison;

static void compare(const tls_material *material, void *arg)
{
    comparison *result = arg;
    uint64_t stamp = weir__tls_material_stamp(material->path);

    result->changed |= stamp != material->stamp;
    result->sum = result->sum * 31 + stamp;
}

/* The sum of the files where they are others than were read, and not those that could not be used; or 0. */
static uint64_t changed(tls_watch *watch)
{
    uint64_t begun = uv_hrtime();
    comparison result = {0, 1};
    uint64_t pause;

    weir__tls_context_each_file(watch->holder->current, compare, &result);
    pause = (uv_hrtime() - begun) * LOOK_SHARE;
    watch->next = begun + (pause > LOOK_TIME * 1000000ull ? pause : LOOK_TIME * 1000000ull);
    return result.changed && result.sum != watch->refused ? result.sum : 0;
}

static void settle(tls_watch *watch)
{
    weir_timer_start(watch->holder->instance->runtime, &watch->timer, SETTLE_TIME);
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    const watched_folder *folder = handle->data;
    weir_runtime *runtime;

    (void)name;
    (void)events;
    (void)status;
    runtime = folder->watch->holder->instance->runtime;
    weir_runtime_enter(runtime);
    settle(folder->watch);
    weir_runtime_leave(runtime);
}

/* ---- folders ---- */

static void on_closed(uv_handle_t *handle)
{
    weir_free(handle->data);
}

static void complain(const tls_watch *watch, const char *path, size_t length, int status)
{
    weir_log(watch->holder->instance->runtime, WEIR_LOG_WARN, "%s: %.*s cannot be watched: %s (%s)", weir__tls_name,
             (int)length, path, weir_error_text(status), weir_error_name(status));
}

static void watch_folder(tls_watch *watch, const char *path, size_t length)
{
    weir_runtime *runtime = watch->holder->instance->runtime;
    watched_folder *folder = weir_calloc(1, sizeof(*folder) + length + 1);
    int status;

    if (!folder) {
        complain(watch, path, length, UV_ENOMEM);
        return;
    }
    memcpy(folder->path, path, length);
    folder->handle.data = folder;
    status = uv_fs_event_init(weir_runtime_loop(runtime), &folder->handle);
    if (status) {
        weir_free(folder);
        complain(watch, path, length, status);
        return;
    }
    uv_unref((uv_handle_t *)&folder->handle);
    folder->watch = watch;
    folder->next = watch->folders;
    watch->folders = folder;
    status = uv_fs_event_start(&folder->handle, on_event, folder->path, 0);
    if (status)
        complain(watch, path, length, status);
}

static void visit(const tls_material *material, void *arg)
{
    tls_watch *watch = arg;
    const char *slash = strrchr(material->path, '/');
    size_t length = slash && slash > material->path ? (size_t)(slash - material->path) : 1;
    const watched_folder *folder = watch->folders;

    while (folder && (strlen(folder->path) != length || memcmp(folder->path, material->path, length) != 0))
        folder = folder->next;
    if (!folder)
        watch_folder(watch, material->path, length);
}

/* A line of the log may be the moment at which the program reloads the context. */
static void open_folders(tls_watch *watch)
{
    tls_context *current = weir__tls_context_retain(watch->holder->current);

    weir__tls_context_each_file(current, visit, watch);
    weir__tls_context_release(current);
}

static void close_folders(tls_watch *watch)
{
    while (watch->folders) {
        watched_folder *folder = watch->folders;

        watch->folders = folder->next;
        folder->watch = NULL;
        uv_close((uv_handle_t *)&folder->handle, on_closed);
    }
}

/* ---- reading again ---- */

static void read_again(weir_tls_context *holder, uint64_t sum)
{
    weir_runtime *runtime = holder->instance->runtime;
    weir_error *error = NULL;
    int status = weir__tls_holder_reload(holder, NULL, &error);

    if (holder->watch) {
        holder->watch->refused = status && status != UV_ENOMEM ? sum : 0;
        close_folders(holder->watch); /* others may stand at their paths now */
        open_folders(holder->watch);
    }
    if (status)
        weir_log(runtime, WEIR_LOG_WARN,
                 "%s: the files have changed and cannot be used; what was read before serves on: %s", weir__tls_name,
                 error ? error->message : weir_error_text(status));
    else
        weir_log(runtime, WEIR_LOG_INFO, "%s: the files have changed and were read again", weir__tls_name);
    weir_error_release(error);
}

/* The program may give the context up in any line of its log: it lives until this is done. */
static void look(tls_watch *watch)
{
    weir_tls_context *holder = watch->holder;
    uint64_t sum = changed(watch);

    if (!sum)
        return;
    weir__tls_holder_retain(holder);
    read_again(holder, sum);
    weir__tls_holder_release(holder);
}

static void on_settled(weir_timer *timer)
{
    look((tls_watch *)(void *)((char *)timer - offsetof(tls_watch, timer)));
}

/* ---- life ---- */

void weir__tls_watch_start(weir_tls_context *holder)
{
    tls_watch *watch = holder->watch;

    if (watch && holder->has_others)
        weir__tls_watch_stop(holder);
    else if (watch && uv_hrtime() >= watch->next && changed(watch))
        settle(watch);
    if (holder->watch || !holder->current->settings->watch)
        return;
    watch = weir_calloc(1, sizeof(*watch));
    if (!watch)
        return; /* the next connection tries again */
    holder->has_others = 0;
    watch->holder = holder;
    watch->timer.run = on_settled;
    watch->timer.unref = 1;
    holder->watch = watch;
    open_folders(watch);
    look(watch);
}

void weir__tls_watch_stop(weir_tls_context *holder)
{
    tls_watch *watch = holder->watch;

    if (!watch)
        return;
    holder->watch = NULL;
    weir_timer_stop(holder->instance->runtime, &watch->timer);
    close_folders(watch);
    weir_free(watch);
}
