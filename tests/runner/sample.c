/* SPDX-License-Identifier: MIT */
/* A cmocka program that goes wrong in the way its argument names: what tests/run-one is tried on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 256

static void passes(void **state)
{
    (void)state;
}

static void is_skipped(void **state)
{
    (void)state;
    skip();
}

/* The text imitates the report itself: what a test prints must not change the verdict. */
static void fails(void **state)
{
    (void)state;
    assert_string_equal("]]>", "<skipped/>\n</testsuites>\n      <skipped/>\n    <testcase name=\"x\" time=\"0\" >");
}

static void aborts(void **state)
{
    (void)state;
    abort();
}

static void exits(void **state)
{
    (void)state;
    exit(0);
}

static int broken(void **state)
{
    (void)state;
    return -1;
}

static int many(void (*test)(void **))
{
    struct CMUnitTest tests[MANY];
    memset(tests, 0, sizeof(tests));
    for (size_t i = 0; i < MANY; i++) {
        tests[i].name = "one of many";
        tests[i].test_func = test;
    }
    return _cmocka_run_group_tests("many", tests, MANY, NULL, NULL);
}

static int group(const char *name, void (*first)(void **), void (*second)(void **), CMFixtureFunction setup)
{
    const struct CMUnitTest tests[] = {{"first", first, NULL, NULL, NULL}, {"second", second, NULL, NULL, NULL}};
    return _cmocka_run_group_tests(name, tests, 2, setup, NULL);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    if (strcmp(way, "passes") == 0)
        return group("all", passes, is_skipped, NULL);
    if (strcmp(way, "one-fails") == 0)
        return group("all", passes, fails, NULL);
    if (strcmp(way, "all-skipped") == 0)
        return group("all", is_skipped, is_skipped, NULL);
    if (strcmp(way, "second-group-fails") == 0)
        return group("one", passes, passes, NULL) + group("two", fails, passes, NULL);
    if (strcmp(way, "namesake-group-fails") == 0)
        return group("one", passes, passes, NULL) + group("one", fails, passes, NULL);
    if (strcmp(way, "failure-not-in-status") == 0)
        return many(fails) & 0xff;
    if (strcmp(way, "setup-fails") == 0)
        return group("all", passes, passes, broken);
    if (strcmp(way, "runs-nothing") == 0) {
        cmocka_set_test_filter("no such test");
        return group("all", passes, passes, NULL);
    }
    if (strcmp(way, "no-report") == 0)
        return 0;
    if (strcmp(way, "aborts") == 0)
        return group("all", passes, aborts, NULL);
    if (strcmp(way, "aborts-in-second-group") == 0)
        return group("one", passes, passes, NULL) + group("two", passes, aborts, NULL);
    if (strcmp(way, "exits") == 0)
        return group("all", passes, exits, NULL);
    if (strcmp(way, "passes-but-status") == 0) {
        group("all", passes, passes, NULL);
        return 3;
    }
    return 2;
}
