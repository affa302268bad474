/* SPDX-License-Identifier: MIT */
/* Buffers: counted bytes of their own, over foreign memory, and parts of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <weir/buffer.h>

#include "allocator.h"

typedef struct released {
    int count;
    void *data;
    size_t size;
} released;

static void on_release(void *data, size_t size, void *arg)
{
    released *seen = arg;
    seen->count++;
    seen->data = data;
    seen->size = size;
}

static void buffer_is_one_block(void **state)
{
    (void)state;
    size_t live = allocator_live();
    size_t calls = allocator_calls();
    weir_buf *buf = weir_buf_new(1000);
    assert_int_equal(allocator_calls() - calls, 1);
    assert_int_equal(buf->size, 1000);
    memset(buf->data, 7, 1000);
    weir_buf_release(buf);
    assert_int_equal(allocator_live(), live);
}

static void buffer_may_be_empty(void **state)
{
    (void)state;
    weir_buf *buf = weir_buf_new(0);
    assert_non_null(buf);
    assert_int_equal(buf->size, 0);
    weir_buf_release(buf);
    buf = weir_buf_copy(NULL, 0);
    assert_non_null(buf);
    weir_buf_release(buf);
}

static void buffer_copy_has_its_own_bytes(void **state)
{
    char bytes[] = "bytes";
    (void)state;
    weir_buf *buf = weir_buf_copy(bytes, 5);
    bytes[0] = '#';
    assert_int_equal(buf->size, 5);
    assert_memory_equal(buf->data, "bytes", 5);
    weir_buf_release(buf);
}

static void net_RD_05_last_reference_frees(void **state)
{
    (void)state;
    size_t live = allocator_live();
    weir_buf *buf = weir_buf_copy("abc", 3);
    assert_ptr_equal(weir_buf_retain(buf), buf);
    weir_buf_release(buf);
    assert_memory_equal(buf->data, "abc", 3);
    weir_buf_release(buf);
    assert_int_equal(allocator_live(), live);
    assert_null(weir_buf_retain(NULL));
    weir_buf_release(NULL);
}

static void buffer_over_foreign_memory_gives_it_back_once(void **state)
{
    char bytes[8] = "foreign";
    released seen = {0};
    (void)state;
    weir_buf *buf = weir_buf_wrap(bytes, sizeof(bytes), on_release, &seen);
    assert_ptr_equal(buf->data, bytes);
    weir_buf_retain(buf);
    buf->size = 3; /* what a reader does */
    weir_buf_release(buf);
    assert_int_equal(seen.count, 0);
    weir_buf_release(buf);
    assert_int_equal(seen.count, 1);
    assert_ptr_equal(seen.data, bytes);
    assert_int_equal(seen.size, sizeof(bytes));
}

static void buffer_over_static_memory_needs_no_release(void **state)
{
    static char bytes[] = "static";
    (void)state;
    size_t live = allocator_live();
    weir_buf_release(weir_buf_wrap(bytes, 6, NULL, NULL));
    assert_int_equal(allocator_live(), live);
    assert_string_equal(bytes, "static");
}

static void buffer_slice_keeps_the_bytes_alive(void **state)
{
    char bytes[] = "0123456789";
    released seen = {0};
    (void)state;
    weir_buf *buf = weir_buf_wrap(bytes, 10, on_release, &seen);
    weir_buf *slice = weir_buf_slice(buf, 2, 5);
    weir_buf *part = weir_buf_slice(slice, 1, 3);
    weir_buf *tiny = weir_buf_slice(part, 1, 1);
    weir_buf_release(buf);
    weir_buf_release(slice);
    weir_buf_release(part);
    assert_int_equal(seen.count, 0);
    assert_int_equal(tiny->size, 1);
    assert_memory_equal(tiny->data, "4", 1);
    weir_buf_release(tiny);
    assert_int_equal(seen.count, 1);
}

/* The read slab's view is handed out again when nobody holds it: holding a part of it must hold the view. */
static void net_RD_05_slice_of_a_view_holds_the_view(void **state)
{
    (void)state;
    weir_buf *slab = weir_buf_new(100);
    weir_buf *view = weir_buf_slice(slab, 0, 50);
    weir_buf *slice = weir_buf_slice(view, 10, 10);
    weir_buf *part = weir_buf_slice(slice, 1, 2);
    weir_buf_release(slice);
    assert_int_equal(view->refs, 2);
    weir_buf_release(part);
    assert_int_equal(view->refs, 1);
    weir_buf_release(view);
    assert_int_equal(slab->refs, 1);
    weir_buf_release(slab);
}

static void buffer_slices_of_slices_do_not_pile_up(void **state)
{
    (void)state;
    size_t live = allocator_live();
    weir_buf *rest = weir_buf_new(1000);
    while (rest->size) {
        weir_buf *next = weir_buf_slice(rest, 1, rest->size - 1);
        weir_buf_release(rest);
        rest = next;
        assert_true(allocator_live() - live <= 3);
    }
    weir_buf_release(rest);
    assert_int_equal(allocator_live(), live);
}

static void buffer_slice_must_lie_inside(void **state)
{
    (void)state;
    weir_buf *buf = weir_buf_new(10);
    assert_null(weir_buf_slice(buf, 11, 0));
    assert_null(weir_buf_slice(buf, 5, 6));
    assert_null(weir_buf_slice(buf, SIZE_MAX, 2));
    assert_null(weir_buf_slice(buf, 2, SIZE_MAX));
    assert_null(weir_buf_slice(NULL, 0, 0));
    weir_buf *all = weir_buf_slice(buf, 0, 10);
    weir_buf *none = weir_buf_slice(buf, 10, 0);
    assert_int_equal(all->size, 10);
    assert_int_equal(none->size, 0);
    weir_buf_release(all);
    weir_buf_release(none);
    weir_buf_release(buf);
}

static void buffer_size_that_no_block_can_have(void **state)
{
    (void)state;
    assert_null(weir_buf_new(SIZE_MAX));
    assert_null(weir_buf_new(SIZE_MAX - 8));
}

static void make_all(void *arg)
{
    released *seen = arg;
    seen->count = 0;
    weir_buf *made = weir_buf_new(10);
    weir_buf *copy = weir_buf_copy("abc", 3);
    weir_buf *wrapped = weir_buf_wrap(seen, sizeof(*seen), on_release, seen);
    weir_buf *slice = made ? weir_buf_slice(made, 1, 2) : NULL;
    size_t missing = (size_t)!made + (size_t)!copy + (size_t)!wrapped + (size_t)!slice;
    assert_int_equal(missing, allocator_failures() + (made ? 0 : 1));
    if (made)
        assert_int_equal(made->refs, slice ? 2 : 1);
    weir_buf_release(slice);
    weir_buf_release(made);
    weir_buf_release(copy);
    weir_buf_release(wrapped);
    assert_int_equal(seen->count, wrapped ? 1 : 0);
}

static void buffer_without_memory_is_NULL_and_nothing_is_released(void **state)
{
    released seen = {0};
    (void)state;
    assert_int_equal(allocator_fail_each(make_all, &seen), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_is_one_block),
        cmocka_unit_test(buffer_may_be_empty),
        cmocka_unit_test(buffer_copy_has_its_own_bytes),
        cmocka_unit_test(net_RD_05_last_reference_frees),
        cmocka_unit_test(buffer_over_foreign_memory_gives_it_back_once),
        cmocka_unit_test(buffer_over_static_memory_needs_no_release),
        cmocka_unit_test(buffer_slice_keeps_the_bytes_alive),
        cmocka_unit_test(net_RD_05_slice_of_a_view_holds_the_view),
        cmocka_unit_test(buffer_slices_of_slices_do_not_pile_up),
        cmocka_unit_test(buffer_slice_must_lie_inside),
        cmocka_unit_test(buffer_size_that_no_block_can_have),
        cmocka_unit_test(buffer_without_memory_is_NULL_and_nothing_is_released),
    };
    return cmocka_run_group_tests_name("buffer", tests, allocator_setup, NULL);
}
