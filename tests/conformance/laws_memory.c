/* SPDX-License-Identifier: MIT */
/* Any allocation may fail: nothing crashes, leaks or waits for ever, and whoever began a life gets his 'close'. */
#include "suite.h"

static void converse_without_memory(void *arg)
{
    suite_conversation talk = *(const suite_conversation *)arg;
    int descriptors = fixture_descriptors();
    suite_conversation_open(&talk);
    suite_conversation_run(&talk);
    suite_conversation_close(&talk);
    size_t failed = allocator_failures();
    if (!failed && (talk.status || talk.received != SUITE_BYTES))
        fail_msg("without a failure: status %d, %zu bytes", talk.status, talk.received);
    if (talk.closed != talk.connected)
        fail_msg("%d lives, %d closes; status %s", talk.connected, talk.closed, weir_error_name(talk.status));
    assert_int_equal(talk.wrong, 0);
    assert_int_equal(talk.left_behind, 0);
    assert_int_equal(fixture_descriptors(), descriptors);
}

static void law_09_any_allocation_may_fail(void **state)
{
    fixture *f = *state;
    suite_conversation talk = {.listen = suite_listen_text(f, NULL, 0), .query = suite_query(f)};
    assert_true(allocator_fail_each(converse_without_memory, &talk) > 20);
}

const suite_test suite_memory_tests[] = {
    SUITE_TEST_ONE_SEED(law_09_any_allocation_may_fail),
    {0},
};
