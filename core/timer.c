/* SPDX-License-Identifier: MIT */
/*
 * Timers: a binary heap over one uv_timer_t. The handle is armed for the earliest timer and left alone when that one is
 * stopped or moved: it then fires for nothing, which costs less than arming it at every byte.
 */
#include "memory.h"
#include "runtime_private.h"

static void place(weir_runtime *runtime, size_t index, weir_timer *timer)
{
    runtime->timers[index] = timer;
    timer->position = index + 1;
}

static void sift_up(weir_runtime *runtime, size_t index, weir_timer *timer)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (runtime->timers[parent]->due <= timer->due) {
            break;
        }
        place(runtime, index, runtime->timers[parent]);
        index = parent;
    }
    place(runtime, index, timer);
}

static void sift_down(weir_runtime *runtime, size_t index, weir_timer *timer)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= runtime->timer_count) {
            break;
        }
        if (child + 1 < runtime->timer_count && runtime->timers[child + 1]->due < runtime->timers[child]->due) {
            child++;
        }
        if (runtime->timers[child]->due >= timer->due) {
            break;
        }
        place(runtime, index, runtime->timers[child]);
        index = child;
    }
    place(runtime, index, timer);
}

static void heap_remove(weir_runtime *runtime, weir_timer *timer)
{
    size_t index = timer->position - 1;
    weir_timer *last = runtime->timers[--runtime->timer_count];
    timer->position = 0;
    if (last == timer) {
        return;
    }
    if (index > 0 && runtime->timers[(index - 1) / 2]->due > last->due) {
        sift_up(runtime, index, last);
    } else {
        sift_down(runtime, index, last);
    }
}

static void on_timer(uv_timer_t *handle);

static void arm(weir_runtime *runtime)
{
    if (runtime->timer_count == 0) {
        uv_timer_stop(&runtime->timer);
        return;
    }
    uint64_t due = runtime->timers[0]->due;
    if (!uv_is_active((const uv_handle_t *)&runtime->timer) || runtime->timer_due > due) {
        uint64_t now = uv_now(runtime->loop);
        runtime->timer_due = due;
        uv_timer_start(&runtime->timer, on_timer, due > now ? due - now : 0, 0);
    }
}

static void count_reference(weir_runtime *runtime, const weir_timer *timer, int on)
{
    if (timer->unref) {
        return;
    }
    if (on) {
        runtime->timers_referenced++;
    } else {
        runtime->timers_referenced--;
    }
    if (runtime->timers_referenced > 0) {
        uv_ref((uv_handle_t *)&runtime->timer);
    } else {
        uv_unref((uv_handle_t *)&runtime->timer);
    }
}

static void on_timer(uv_timer_t *handle)
{
    weir_runtime *runtime = handle->data;
    uint64_t now = uv_now(runtime->loop);
    weir_runtime_enter(runtime);
    while (runtime->timer_count > 0 && runtime->timers[0]->due <= now) {
        weir_timer *timer = runtime->timers[0];
        weir_timer_stop(runtime, timer);
        timer->run(timer);
    }
    weir_runtime_leave(runtime);
    arm(runtime);
}

static int reserve(weir_runtime *runtime)
{
    if (runtime->timer_count < runtime->timer_capacity) {
        return 0;
    }
    size_t capacity = runtime->timer_capacity == 0 ? 64 : 2 * runtime->timer_capacity;
    weir_timer **timers = weir__realloc(runtime->timers, capacity * sizeof(weir_timer *));
    if (timers == NULL) {
        return UV_ENOMEM;
    }
    runtime->timers = timers;
    runtime->timer_capacity = capacity;
    return 0;
}

int weir_timer_start(weir_runtime *runtime, weir_timer *timer, uint64_t timeout)
{
    if (runtime->depth == 0) {
        uv_update_time(runtime->loop); /* outside of the loop its clock may be old */
    }
    uint64_t now = uv_now(runtime->loop);
    if (timeout == 0) {
        timeout = 1; /* as in Node: one that starts itself again in its own callback must let the loop turn */
    }
    if (timer->position == 0) {
        int status = reserve(runtime);
        if (status != 0) {
            return status;
        }
    } else {
        weir_timer_stop(runtime, timer);
    }
    timer->due = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
    runtime->timer_count++;
    sift_up(runtime, runtime->timer_count - 1, timer);
    count_reference(runtime, timer, 1);
    arm(runtime);
    return 0;
}

void weir_timer_stop(weir_runtime *runtime, weir_timer *timer)
{
    if (timer->position == 0) {
        return;
    }
    heap_remove(runtime, timer);
    count_reference(runtime, timer, 0);
    if (runtime->timer_count == 0) {
        uv_timer_stop(&runtime->timer);
    }
}

int weir_timer_active(const weir_timer *timer)
{
    return timer->position != 0;
}

void weir__timer_set_reference(weir_runtime *runtime, weir_timer *timer, int on)
{
    if (timer->position != 0) {
        count_reference(runtime, timer, 0);
    }
    timer->unref = !on;
    if (timer->position != 0) {
        count_reference(runtime, timer, 1);
    }
}

void weir__timers_forget(weir_runtime *runtime)
{
    while (runtime->timer_count > 0) {
        weir_timer_stop(runtime, runtime->timers[0]);
    }
}
