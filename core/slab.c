/* SPDX-License-Identifier: MIT */
/*
 * The read slab: one buffer of 256 KiB a runtime that every link reads into. What listeners consume at once costs
 * neither an allocation nor a copy; what somebody keeps a reference of stays where it is, and the next read goes behind
 * it.
 */
#include "memory.h"
#include "runtime_private.h"

#define SLAB_SIZE  ((size_t)256 * 1024)
#define ROOM_LEAST ((size_t)64 * 1024)
#define ALIGNMENT  ((size_t)64)

static void forget_view(weir_runtime *runtime)
{
    weir_buf_release(runtime->view);
    runtime->view = NULL;
}

/* Gives up a view that somebody else holds: its bytes are taken from now on. */
static void part_with_view(weir_runtime *runtime)
{
    size_t end = (size_t)(runtime->view->data - runtime->slab->data) + runtime->view->size;
    end = (end + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (end > runtime->slab_used) {
        runtime->slab_used = end;
    }
    forget_view(runtime);
}

static int take_slab(weir_runtime *runtime)
{
    if (runtime->slab != NULL && runtime->slab->refs == (runtime->view != NULL ? 2u : 1u)) {
        runtime->slab_used = 0;
    }
    if (runtime->slab != NULL && SLAB_SIZE - runtime->slab_used >= ROOM_LEAST) {
        return 0;
    }
    /* There is no view: it would have had room when it was made, and since then nothing was used. */
    weir_buf_release(runtime->slab);
    runtime->slab_used = 0;
    runtime->slab = weir_buf_new(SLAB_SIZE);
    return runtime->slab == NULL ? UV_ENOMEM : 0;
}

weir_buf *weir__slab_view(weir_runtime *runtime)
{
    if (runtime->view != NULL && runtime->view->refs > 1) {
        part_with_view(runtime);
    }
    if (take_slab(runtime) != 0) {
        return NULL;
    }
    if (runtime->view == NULL) {
        runtime->view = weir_buf_slice(runtime->slab, runtime->slab_used, SLAB_SIZE - runtime->slab_used);
        return runtime->view;
    }
    runtime->view->data = runtime->slab->data + runtime->slab_used;
    runtime->view->size = SLAB_SIZE - runtime->slab_used;
    return runtime->view;
}

weir_buf *weir__buf_keep(weir_buf *buf)
{
    const weir_buf *memory = buf;
    while (memory->parent != NULL) {
        memory = memory->parent;
    }
    if (buf->size < memory->capacity / 4) {
        return weir_buf_copy(buf->data, buf->size);
    }
    return weir_buf_retain(buf);
}
