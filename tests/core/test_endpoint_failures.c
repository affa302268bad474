/* SPDX-License-Identifier: MIT */
/* Endpoints where there is no memory, and where the system refuses: nothing is left behind. */
#include "endpoint_world.h"

#include <errno.h>
#include <stdlib.h>

#include "support/allocator.h"
#include "support/syscalls.h"

typedef struct {
    const world *w;
    const char *text;
    int expected;
} attempt;

static void parse_once(void *arg)
{
    const attempt *a = arg;
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    int status = weir_endpoint_parse(a->w->runtime, a->text, WEIR_CLIENT, a->w->folder, &endpoint, &error);
    if (status != a->expected) {
        if (allocator_failures() + syscalls_failures() == 0)
            fail_msg("%s: %s", a->text, weir_error_name(status));
        assert_int_equal(status, UV_ENOMEM);
    }
    assert_int_equal(endpoint == NULL, status != 0);
    assert_int_equal(error == NULL, status == 0);
    weir_error_release(error);
    weir_endpoint_release(endpoint);
    assert_int_equal(contexts_alive, 0);
}

static void every_failing_allocation_leaves_nothing_behind(void **state)
{
    const world *w = *state;
    write_secret(w, "s", 1);
    const attempt attempts[] = {
        {w, "wrap+count+net://[fe80::1%25lo]:5433?net.noDelay=true&mood=good&allowHalfOpen=true&tags=a,b", 0},
        {w,
         "{\"net\": {\"port\": 1}, \"layers\": [\"count\", {\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}, "
         "{\"chain\": {\"next\": \"file:a\"}}], \"stream\": {\"timeout\": 1}}",
         0},
        {w, "{\"net\": {\"port\": -1}, \"layers\": [{\"wrap\": {\"mood\": \"fault\"}}, {\"x\": 1}]}",
         WEIR_EINVALID_ENDPOINT},
        {w, "wrap+file:a?timeout=1&moood=x", WEIR_EINVALID_CONFIG},
        {w, "{\"net\": {\"port\": 1}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"nowhere\"}}}]}",
         WEIR_EINVALID_CONFIG},
        {w, "net://h", WEIR_EINVALID_CONFIG},
    };
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        attempt now = attempts[i];
        assert_true(allocator_fail_each(parse_once, &now) > 10);
    }
}

static void every_value_that_cannot_be_made_leaves_nothing_behind(void **state)
{
    static const char *const calls[] = {
        "json_array",           "json_array_append_new", "json_array_set_new",  "json_deep_copy",
        "json_integer",         "json_object",           "json_object_set_new", "json_string",
        "json_stringn_nocheck", "json_stringn",          "json_string_nocheck", "json_loadb",
    };
    const world *w = *state;
    write_secret(w, "s", 1);
    assert_int_equal(setenv("WEIR_TEST_PHRASE", "p", 1), 0);
    const attempt attempts[] = {
        {w, "wrap+count+net://[fe80::1%25lo]:5433?net.noDelay=true&mood=good&allowHalfOpen=true&tags=a,b", 0},
        {w,
         "{\"net\": {\"port\": 1}, \"layers\": [\"count\", {\"wrap\": {\"phrase\": {\"env\": \"WEIR_TEST_PHRASE\"}, "
         "\"words\": [{\"file\": \"secret\"}, \"w\"]}}], \"stream\": {\"timeout\": 1}}",
         0},
        {w, "wrap+file:a?timeout=1&moood=x", WEIR_EINVALID_CONFIG},
        {w, "net://h:1?limit=x&limit=y", WEIR_EINVALID_ENDPOINT},
        {w, "wrap+file:a?timeout=abc", WEIR_EINVALID_CONFIG},
        {w, "wrap+file:a?noDelay=maybe", WEIR_EINVALID_CONFIG},
    };
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        attempt now = attempts[i];
        parse_once(&now);
        for (size_t j = 0; j < sizeof(calls) / sizeof(calls[0]); j++)
            syscalls_fail_each(calls[j], ENOMEM, parse_once, &now);
    }
    unsetenv("WEIR_TEST_PHRASE");
}

/* Where the working folder has no name, relative names stay relative. */
static void working_folder_without_a_name(void **state)
{
    const world *w = *state;
    weir_endpoint *endpoint = NULL;
    syscalls_fail(&(syscall_fault){.call = "getcwd", .error = ENOENT});
    assert_int_equal(weir_endpoint_parse(w->runtime, "file:a", WEIR_CLIENT, NULL, &endpoint, NULL), 0);
    weir_endpoint_release(endpoint);
    assert_int_equal(weir_endpoint_parse(w->runtime, "file:a", WEIR_CLIENT, "b", &endpoint, NULL), 0);
    weir_endpoint_release(endpoint);
    assert_true(syscalls_failures() >= 2);
    syscalls_restore();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_failing_allocation_leaves_nothing_behind),
        TEST(every_value_that_cannot_be_made_leaves_nothing_behind),
        TEST(working_folder_without_a_name),
    };
    return cmocka_run_group_tests_name("endpoint_failures", tests, NULL, NULL);
}
