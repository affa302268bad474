/* SPDX-License-Identifier: MIT */
/* The store that runtimes share: objects made once, whoever asks, and freed with the last runtime. */
#include <stdlib.h>

#include "fixture.h"

#include <weir/shared.h>

#include "core/shared.h"

typedef struct counts {
    int made;
    int destroyed;
    int refuse;
} counts;

static counts seen;

static void *create(void *arg)
{
    counts *c = arg;
    if (c->refuse) {
        return NULL;
    }
    c->made++;
    return c;
}

static void destroy(void *object)
{
    ((counts *)object)->destroyed++;
}

static void an_object_is_made_once_and_freed_with_the_runtime(void **state)
{
    fixture *f = *state;
    weir_shared *shared = weir_runtime_shared(f->runtime);
    seen = (counts){0};
    assert_non_null(shared);
    assert_ptr_equal(weir_runtime_shared(f->runtime), shared);
    assert_ptr_equal(weir_shared_get(shared, "test.one", create, destroy, &seen), &seen);
    assert_ptr_equal(weir_shared_get(shared, "test.one", create, destroy, &seen), &seen);
    assert_int_equal(seen.made, 1);
    assert_ptr_equal(weir_shared_get(shared, "test.two", create, NULL, &seen), &seen);
    assert_int_equal(seen.made, 2);
    fixture_end(f);
    assert_int_equal(seen.destroyed, 1);
}

static void an_object_that_could_not_be_made_is_tried_again(void **state)
{
    fixture *f = *state;
    weir_shared *shared = weir_runtime_shared(f->runtime);
    seen = (counts){.refuse = 1};
    assert_null(weir_shared_get(shared, "test.one", create, destroy, &seen));
    seen.refuse = 0;
    assert_non_null(weir_shared_get(shared, "test.one", create, destroy, &seen));
}

typedef struct asker {
    weir_shared *shared;
    void *object;
} asker;

static void ask(void *arg)
{
    asker *a = arg;
    a->object = weir_shared_get(a->shared, "test.thread", create, destroy, &seen);
    weir_shared_lock(a->shared);
    seen.refuse++; /* what the lock is for: no increment is lost */
    weir_shared_unlock(a->shared);
}

static void two_runtimes_in_two_threads_share_one_object(void **state)
{
    fixture *f = *state;
    uv_loop_t loop;
    enum { THREADS = 4 };
    uv_thread_t threads[THREADS];
    asker askers[THREADS];
    seen = (counts){0};
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *second = fixture_new_runtime(&loop);
    assert_non_null(second);
    assert_int_equal(weir__runtime_share(second, f->runtime), 0);
    assert_ptr_equal(weir_runtime_shared(second), weir_runtime_shared(f->runtime));
    assert_non_null(weir_shared_get(weir_runtime_shared(f->runtime), "test.thread", create, destroy, &seen));
    for (int i = 0; i < THREADS; i++) {
        askers[i].shared = weir_runtime_shared(second);
        assert_int_equal(uv_thread_create(&threads[i], ask, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        uv_thread_join(&threads[i]);
        assert_ptr_equal(askers[i].object, &seen);
    }
    assert_int_equal(seen.made, 1);
    assert_int_equal(seen.refuse, THREADS);
    weir_runtime_free(second);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(seen.destroyed, 0); /* the first runtime has it still */
    fixture_end(f);
    assert_int_equal(seen.destroyed, 1);
}

static void without_memory_there_is_no_store_and_no_object(void **state)
{
    fixture *f = *state;
    seen = (counts){0};
    allocator_fail(1, 0);
    assert_null(weir_runtime_shared(f->runtime));
    allocator_fail(0, 0);
    weir_shared *shared = weir_runtime_shared(f->runtime);
    assert_non_null(shared);
    allocator_fail(1, 0);
    assert_null(weir_shared_get(shared, "test.one", create, destroy, &seen));
    allocator_fail(0, 0);
    assert_int_equal(seen.made, 0);
    assert_non_null(weir_shared_get(shared, "test.one", create, destroy, &seen));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_object_is_made_once_and_freed_with_the_runtime),
        FIXTURE_TEST(an_object_that_could_not_be_made_is_tried_again),
        FIXTURE_TEST(two_runtimes_in_two_threads_share_one_object),
        FIXTURE_TEST(without_memory_there_is_no_store_and_no_object),
    };
    return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
