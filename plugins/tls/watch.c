/* SPDX-License-Identifier: MIT */
/*
 * The folders are watched, not the files: a file is often replaced by a rename, or by turning a link over, which may stand
 * anywhere on the way to it. What an event names does not matter; whether any of the files is another one than was read
 * does. A pair is written one after the other: a little time is let pass, and what does not go together is tried again when
 * more changes. Where no event tells (folders of other machines, a folder above that was renamed), new connections are what
 * makes one look, now and then.
 */
#include "watch.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "material.h"
#include "way.h"

#define SETTLE_TIME 100  /* ms without a change before the files are read */
#define SETTLE_MOST 500  /* ms after the first change: a folder may never come to rest */
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
    uint64_t since;   /* ms, of the first change that was not looked at yet; 0: there is none */
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

    weir__tls_holder_each_file(watch->holder, compare, &result);
    pause = (uv_hrtime() - begun) * LOOK_SHARE;
    watch->next = begun + (pause > LOOK_TIME * 1000000ull ? pause : LOOK_TIME * 1000000ull);
    return result.changed && result.sum != watch->refused ? result.sum : 0;
}

static void settle(tls_watch *watch)
{
    uint64_t now = uv_now(weir_runtime_loop(watch->holder->instance->runtime));

    if (watch->since && now - watch->since >= SETTLE_MOST)
        return; /* the timer runs */
    if (!watch->since)
        watch->since = now ? now : 1;
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

static void close_folders(watched_folder *first)
{
    while (first) {
        watched_folder *folder = first;

        first = folder->next;
        uv_close((uv_handle_t *)&folder->handle, on_closed);
    }
}

/* 0, or why not. */
static int watch_folder(tls_watch *watch, const char *path)
{
    size_t size = strlen(path) + 1;
    watched_folder *folder = weir_calloc(1, sizeof(*folder) + size);
    int status;

    if (!folder)
        return UV_ENOMEM;
    memcpy(folder->path, path, size);
    folder->handle.data = folder;
    status = uv_fs_event_init(weir_runtime_loop(watch->holder->instance->runtime), &folder->handle);
    if (status) {
        weir_free(folder);
        return status;
    }
    uv_unref((uv_handle_t *)&folder->handle);
    status = uv_fs_event_start(&folder->handle, on_event, folder->path, 0);
    if (status) {
        uv_close((uv_handle_t *)&folder->handle, on_closed);
        return status;
    }
    folder->watch = watch;
    folder->next = watch->folders;
    watch->folders = folder;
    return 0;
}

/* What could not be watched is told at the end: in a line of its log the program may do anything. */
typedef struct opening {
    tls_watch *watch;
    int status; /* of the last one that could not be */
    char path[PATH_MAX];
} opening;

/* Where there is no folder of that name, the one in which it may appear. */
static void want_folder(const char *wanted, void *arg)
{
    opening *self = arg;
    const watched_folder *folder = self->watch->folders;
    char path[PATH_MAX];
    int status;

    while (folder && strcmp(folder->path, wanted) != 0)
        folder = folder->next;
    if (folder)
        return;
    snprintf(path, sizeof(path), "%s", wanted);
    while ((status = watch_folder(self->watch, path)) == UV_ENOENT || status == UV_ENOTDIR) {
        char *slash = strrchr(path, '/');

        if (slash == path)
            slash++; /* the root stays */
        if (!*slash)
            break;
        *slash = '\0';
    }
    if (!status)
        return;
    self->status = status;
    snprintf(self->path, sizeof(self->path), "%s", wanted);
}

static void want_file(const tls_material *material, void *arg)
{
    weir__tls_way_folders(material->path, want_folder, arg);
}

/* All anew: links may lead elsewhere now, and a name may be that of another folder. */
static void open_folders(tls_watch *watch)
{
    weir_runtime *runtime = watch->holder->instance->runtime;
    watched_folder *before = watch->folders;
    opening self;

    self.watch = watch;
    self.status = 0;
    watch->folders = NULL;
    weir__tls_holder_each_file(watch->holder, want_file, &self);
    close_folders(before);
    if (self.status)
        weir_log(runtime, WEIR_LOG_WARN, "%s: %s cannot be watched: %s (%s)", weir__tls_name, self.path,
                 weir_error_text(self.status), weir_error_name(self.status));
}

/* ---- reading again ---- */

static void read_again(weir_tls_context *holder, uint64_t sum)
{
    weir_runtime *runtime = holder->instance->runtime;
    weir_error *error = NULL;
    int status = weir__tls_holder_reload(holder, NULL, &error);
    const char *cert = holder->current->settings->cert.path;

    if (holder->watch)
        holder->watch->refused = status && status != UV_ENOMEM ? sum : 0;
    if (status)
        weir_log(runtime, WEIR_LOG_WARN,
                 "%s: the files have changed and cannot be used; what was read before serves on: %s", weir__tls_name,
                 error ? error->message : weir_error_text(status));
    else
        weir_log(runtime, WEIR_LOG_INFO, "%s: the files have changed and were read again%s%s", weir__tls_name,
                 cert ? "; the certificate is that in " : "", cert ? cert : "");
    weir_error_release(error);
}

/* The program may give the context up in any line of its log: it lives until this is done. */
static void look(weir_tls_context *holder)
{
    uint64_t sum;

    weir__tls_holder_retain(holder);
    open_folders(holder->watch); /* first: what changes after the look is an event */
    sum = holder->watch ? changed(holder->watch) : 0;
    if (sum)
        read_again(holder, sum);
    weir__tls_holder_release(holder);
}

static void on_settled(weir_timer *timer)
{
    tls_watch *watch = (tls_watch *)(void *)((char *)timer - offsetof(tls_watch, timer));

    watch->since = 0;
    look(watch->holder);
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
    look(holder);
}

void weir__tls_watch_stop(weir_tls_context *holder)
{
    tls_watch *watch = holder->watch;

    if (!watch)
        return;
    holder->watch = NULL;
    weir_timer_stop(holder->instance->runtime, &watch->timer);
    close_folders(watch->folders);
    weir_free(watch);
}
