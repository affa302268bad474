/* SPDX-License-Identifier: MIT */
/* The runtime: its life, and time in it: brackets, ticks, turns, and work posted by other threads. */
#include "runtime_private.h"

#include <limits.h>

#include <weir/net.h>

#include "memory.h"
#include "plugin_registry.h"
#include "server_private.h"
#include "shared.h"
#include "stream_private.h"

/* Of attempts to connect (MOD-11, MOD-12). */
#define ATTEMPT_TIMEOUT_DEFAULT 250
#define ATTEMPT_TIMEOUT_LEAST   10

enum { QUEUE_NONE, QUEUE_DEFERRED, QUEUE_NEXT_TURN, QUEUE_SETTLING };

/* ---- queues of tasks ---- */

static void queue_init(weir__task_queue *queue)
{
    queue->head.next = &queue->head;
    queue->head.previous = &queue->head;
}

static int queue_empty(const weir__task_queue *queue)
{
    return queue->head.next == &queue->head;
}

static void queue_put(weir__task_queue *queue, weir_task *task, int number)
{
    task->queue = number;
    task->previous = queue->head.previous;
    task->next = &queue->head;
    task->previous->next = task;
    queue->head.previous = task;
}

static void task_unlink(weir_task *task)
{
    task->previous->next = task->next;
    task->next->previous = task->previous;
    task->next = NULL;
    task->previous = NULL;
    task->queue = QUEUE_NONE;
}

static void queue_run_one(weir__task_queue *queue)
{
    weir_task *task = queue->head.next;
    task_unlink(task);
    task->run(task);
}

/* Runs what is in the queue now; what is added meanwhile waits for the next turn. */
static void queue_run_present(weir__task_queue *queue)
{
    weir_task mark = {0};
    queue_put(queue, &mark, QUEUE_NEXT_TURN);
    while (queue->head.next != &mark) {
        queue_run_one(queue);
    }
    task_unlink(&mark);
}

/* ---- brackets ---- */

void weir_runtime_enter(weir_runtime *runtime)
{
    runtime->depth++;
}

void weir_runtime_leave(weir_runtime *runtime)
{
    if (runtime->depth == 1) {
        for (;;) {
            if (!queue_empty(&runtime->deferred)) {
                queue_run_one(&runtime->deferred);
            } else if (!queue_empty(&runtime->settling)) {
                queue_run_one(&runtime->settling);
            } else {
                break;
            }
        }
    }
    runtime->depth--;
}

int weir_runtime_inside(const weir_runtime *runtime)
{
    return runtime->depth != 0;
}

/* Work that waits while nothing of weir is on the call stack needs the loop to turn. */
static void wake(weir_runtime *runtime);

static void on_idle(uv_idle_t *handle)
{
    weir_runtime *runtime = handle->data;
    uv_idle_stop(handle);
    weir_runtime_enter(runtime);
    queue_run_present(&runtime->next_turn);
    weir_runtime_leave(runtime);
    if (!queue_empty(&runtime->next_turn)) {
        wake(runtime);
    }
}

static void wake(weir_runtime *runtime)
{
    const uv_handle_t *handle = (const uv_handle_t *)&runtime->idle;
    if (!uv_is_active(handle) && !uv_is_closing(handle)) {
        uv_idle_start(&runtime->idle, on_idle);
    }
}

void weir__runtime_call_begin(weir_runtime *runtime)
{
    runtime->depth++;
}

void weir__runtime_call_end(weir_runtime *runtime)
{
    runtime->depth--;
    if (runtime->depth == 0 && (!queue_empty(&runtime->deferred) || !queue_empty(&runtime->settling))) {
        wake(runtime);
    }
}

void weir_runtime_defer(weir_runtime *runtime, weir_task *task)
{
    if (task->queue != QUEUE_NONE) {
        return;
    }
    queue_put(&runtime->deferred, task, QUEUE_DEFERRED);
    if (runtime->depth == 0) {
        wake(runtime);
    }
}

void weir_runtime_next_turn(weir_runtime *runtime, weir_task *task)
{
    if (task->queue != QUEUE_NONE) {
        return;
    }
    queue_put(&runtime->next_turn, task, QUEUE_NEXT_TURN);
    wake(runtime);
}

void weir_runtime_settle(weir_runtime *runtime, weir_task *settle)
{
    if (settle->queue != QUEUE_NONE) {
        return;
    }
    queue_put(&runtime->settling, settle, QUEUE_SETTLING);
    if (runtime->depth == 0) {
        wake(runtime);
    }
}

void weir_runtime_cancel(weir_runtime *runtime, weir_task *task)
{
    (void)runtime;
    if (task->queue != QUEUE_NONE) {
        task_unlink(task);
    }
}

/* ---- posts from other threads ---- */

static void run_posts(weir_runtime *runtime)
{
    uv_mutex_lock(&runtime->post_mutex);
    weir__post *post = runtime->posts;
    runtime->posts = NULL;
    runtime->posts_tail = NULL;
    uv_mutex_unlock(&runtime->post_mutex);
    while (post != NULL) {
        weir__post now = *post;
        if (now.owned) {
            uv_mutex_lock(&runtime->post_mutex);
            post->queued = 0;
            uv_mutex_unlock(&runtime->post_mutex);
        } else {
            weir__free(post);
        }
        weir_runtime_enter(runtime); /* each its own: what one of them defers runs before the next (EMT-16) */
        now.run(now.arg);
        weir_runtime_leave(runtime);
        post = now.next;
    }
}

static void on_async(uv_async_t *handle)
{
    run_posts(handle->data);
}

void weir__runtime_hold(weir_runtime *runtime, int on)
{
    runtime->holds = on ? runtime->holds + 1 : runtime->holds - 1;
    if (runtime->holds > 0) {
        uv_ref((uv_handle_t *)&runtime->async);
    } else {
        uv_unref((uv_handle_t *)&runtime->async);
    }
}

int weir__runtime_post(weir_runtime *runtime, weir__post *post)
{
    uv_mutex_lock(&runtime->post_mutex);
    int ending = runtime->ending;
    if (!ending && !post->queued) {
        post->next = NULL;
        post->queued = 1;
        if (runtime->posts_tail != NULL) {
            runtime->posts_tail->next = post;
        } else {
            runtime->posts = post;
        }
        runtime->posts_tail = post;
        /* inside the lock: the handle cannot be closed before the lock is free again */
        uv_async_send(&runtime->async);
    }
    uv_mutex_unlock(&runtime->post_mutex);
    return ending ? UV_ECANCELED : 0;
}

int weir_runtime_post(weir_runtime *runtime, void (*run)(void *arg), void *arg)
{
    if (runtime == NULL || run == NULL) {
        return UV_EINVAL;
    }
    weir__post *post = weir__malloc(sizeof(*post));
    if (post == NULL) {
        return UV_ENOMEM;
    }
    *post = (weir__post){.run = run, .arg = arg};
    int status = weir__runtime_post(runtime, post);
    if (status != 0) {
        weir__free(post);
    }
    return status;
}

/* ---- life ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    weir_runtime *runtime = handle->data;
    runtime->handles--;
}

/* Stands between the loop's timers and tasks and its wait: what they brought about is not waited for any more. */
static void on_prepare(uv_prepare_t *handle)
{
    const weir_runtime *runtime = handle->data;
    if (runtime->over(runtime)) {
        uv_stop(runtime->loop);
    }
}

/* One turn of the loop, which may wait for something to happen as long as it is not over. */
static int turn_until(weir_runtime *runtime, int (*over)(const weir_runtime *runtime))
{
    runtime->over = over;
    uv_prepare_start(&runtime->prepare, on_prepare);
    int alive = uv_run(runtime->loop, UV_RUN_ONCE);
    uv_prepare_stop(&runtime->prepare);
    return alive;
}

static void close_handles(weir_runtime *runtime)
{
    uv_close((uv_handle_t *)&runtime->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&runtime->idle, on_handle_closed);
    uv_close((uv_handle_t *)&runtime->timer, on_handle_closed);
    uv_close((uv_handle_t *)&runtime->async, on_handle_closed);
    while (runtime->handles > 0) {
        uv_run(runtime->loop, UV_RUN_ONCE);
    }
}

static int open_handles(weir_runtime *runtime)
{
    if (uv_async_init(runtime->loop, &runtime->async, on_async) != 0) {
        return -1;
    }
    uv_idle_init(runtime->loop, &runtime->idle);
    uv_prepare_init(runtime->loop, &runtime->prepare);
    uv_timer_init(runtime->loop, &runtime->timer);
    runtime->async.data = runtime;
    runtime->idle.data = runtime;
    runtime->prepare.data = runtime;
    runtime->timer.data = runtime;
    runtime->handles = 4;
    uv_unref((uv_handle_t *)&runtime->async);
    uv_unref((uv_handle_t *)&runtime->prepare);
    uv_unref((uv_handle_t *)&runtime->timer); /* as long as no timer wants otherwise */
    return 0;
}

static void free_memory(weir_runtime *runtime)
{
    weir_buf_release(runtime->view);
    weir_buf_release(runtime->slab);
    weir__free(runtime->timers);
    uv_mutex_destroy(&runtime->post_mutex);
    weir__free(runtime);
}

weir_runtime *weir_runtime_new(uv_loop_t *loop)
{
    if (loop == NULL) {
        return NULL;
    }
    weir_runtime *runtime = weir__calloc(1, sizeof(*runtime));
    if (runtime == NULL) {
        return NULL;
    }
    runtime->loop = loop;
    runtime->default_high_water_mark = 16384;
    runtime->auto_select_family = 1;
    runtime->auto_select_family_attempt_timeout = ATTEMPT_TIMEOUT_DEFAULT;
    queue_init(&runtime->deferred);
    queue_init(&runtime->next_turn);
    queue_init(&runtime->settling);
    if (uv_mutex_init(&runtime->post_mutex) != 0) {
        weir__free(runtime);
        return NULL;
    }
    runtime->registry = weir__registry_new(runtime);
    if (runtime->registry == NULL || open_handles(runtime) != 0) {
        weir__registry_free(runtime->registry);
        free_memory(runtime);
        return NULL;
    }
    return runtime;
}

static void end_objects(weir_runtime *runtime)
{
    weir_runtime_enter(runtime);
    weir__servers_end(runtime);
    weir__streams_end(runtime);
    weir_runtime_leave(runtime);
}

static int is_quiet(const weir_runtime *runtime)
{
    return !weir__servers_active(runtime) && !weir__streams_active(runtime);
}

int weir_runtime_free(weir_runtime *runtime)
{
    if (runtime == NULL) {
        return 0;
    }
    if (runtime->depth != 0 || runtime->ending) {
        return UV_EBUSY;
    }
    uv_mutex_lock(&runtime->post_mutex);
    runtime->ending = 1;
    uv_mutex_unlock(&runtime->post_mutex);
    weir_runtime_enter(runtime);
    run_posts(runtime);
    weir_runtime_leave(runtime);

    /* listeners may connect and listen again while they are told of the end: go on until all is quiet */
    for (;;) {
        end_objects(runtime);
        if (is_quiet(runtime)) {
            break;
        }
        turn_until(runtime, is_quiet);
    }
    weir__streams_orphan(runtime);
    weir__servers_orphan(runtime);
    weir__registry_free(runtime->registry); /* behind the last context that its plugins made */
    runtime->registry = NULL;
    weir__shared_release(runtime->shared);
    runtime->shared = NULL;
    weir__timers_forget(runtime);
    close_handles(runtime);
    free_memory(runtime);
    return 0;
}

static int is_done(const weir_runtime *runtime)
{
    return *runtime->until != 0;
}

int weir_runtime_run_until(weir_runtime *runtime, const int *done)
{
    if (runtime->depth != 0) {
        return UV_EBUSY;
    }
    while (!*done) {
        runtime->until = done;
        if (turn_until(runtime, is_done) == 0 && !*done) {
            return UV_ECANCELED;
        }
    }
    return 0;
}

uv_loop_t *weir_runtime_loop(const weir_runtime *runtime)
{
    return runtime->loop;
}

void weir_runtime_set_data(weir_runtime *runtime, void *data)
{
    runtime->data = data;
}

void *weir_runtime_data(const weir_runtime *runtime)
{
    return runtime->data;
}

size_t weir_runtime_default_high_water_mark(const weir_runtime *runtime)
{
    return runtime->default_high_water_mark;
}

int weir_runtime_set_default_high_water_mark(weir_runtime *runtime, size_t bytes)
{
    if (bytes == 0) {
        return UV_EINVAL;
    }
    runtime->default_high_water_mark = bytes;
    return 0;
}

int weir_default_auto_select_family(const weir_runtime *runtime)
{
    return runtime->auto_select_family;
}

void weir_set_default_auto_select_family(weir_runtime *runtime, int on)
{
    runtime->auto_select_family = on != 0;
}

int64_t weir_default_auto_select_family_attempt_timeout(const weir_runtime *runtime)
{
    return runtime->auto_select_family_attempt_timeout;
}

int weir_set_default_auto_select_family_attempt_timeout(weir_runtime *runtime, int64_t milliseconds)
{
    if (milliseconds < 1 || milliseconds > INT_MAX) {
        return WEIR_EOUTOFRANGE;
    }
    runtime->auto_select_family_attempt_timeout =
        milliseconds < ATTEMPT_TIMEOUT_LEAST ? ATTEMPT_TIMEOUT_LEAST : milliseconds;
    return 0;
}
