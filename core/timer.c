/* SPDX-License-Identifier: MIT */
/*
 * Timers: a binary heap over one uv_timer_t. The handle is armed for the earliest timer and left alone when that one is
 * stopped or moved: it then fires for nothing, which costs less than arming it at every byte.
 */
#include "memory.h"
#include "runtime_private.h"

/* Timers of one moment fire in the order in which they were started. */
static int is_before(const weir__timer_place *one, const weir__timer_place *other)
{
    return one->timer->due != other->timer->due ? one->timer->due < other->timer->due : one->sequence < other->sequence;
}

static void place(weir_runtime *runtime, size_t index, weir__timer_place what)
{
    runtime->timers[index] = what;
    what.timer->position = index + 1;
}

static void sift_up(weir_runtime *runtime, size_t index, weir__timer_place what)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (!is_before(&what, &runtime->timers[parent])) {
            break;
        }
        place(runtime, index, runtime->timers[parent]);
        index = parent;
    }
    place(runtime, index, what);
}

static void sift_down(weir_runtime *runtime, size_t index, weir__timer_place what)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= runtime->timer_count) {
            break;
        }
        if (child + 1 < runtime->timer_count && is_before(&runtime->timers[child + 1], &runtime->timers[child])) {
            child++;
        }
        if (!is_before(&runtime->timers[child], &what)) {
            break;
        }
        place(runtime, index, runtime->timers[child]);
        index = child;
    }
    place(runtime, index, what);
}

static void heap_remove(weir_runtime *runtime, weir_timer *timer)
{
    size_t index = timer->position - 1;
    weir__timer_place last = runtime->timers[--runtime->timer_count];
    timer->position = 0;
    if (last.timer == timer) {
        return;
    }
    if (index > 0 && is_before(&last, &runtime->timers[(index - 1) / 2])) {
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
    uint64_t due = runtime->timers[0].timer->due;
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
    while (runtime->timer_count > 0 && runtime->timers[0].timer->due <= now) {
        weir_timer *timer = runtime->timers[0].timer;
        weir_runtime_enter(runtime); /* each its own: what one of them defers runs before the next (EMT-16) */
        weir_timer_stop(runtime, timer);
        timer->run(timer);
        weir_runtime_leave(runtime);
    }
    arm(runtime);
}

static int reserve(weir_runtime *runtime)
{
    if (runtime->timer_count < runtime->timer_capacity) {
        return 0;
    }
    size_t capacity = runtime->timer_capacity == 0 ? 64 : 2 * runtime->timer_capacity;
    weir__timer_place *timers = weir__realloc(runtime->timers, capacity * sizeof(*timers));
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
    weir__timer_place what = {.timer = timer, .sequence = runtime->timer_sequence++};
    sift_up(runtime, runtime->timer_count - 1, what);
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
        weir_timer_stop(runtime, runtime->timers[0].timer);
    }
}
