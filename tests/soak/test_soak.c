/* SPDX-License-Identifier: MIT */
/* The soak: with SECONDS [SEED [WORLDS]] it runs as long as that; without, as a test, for a few seconds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fixture.h"
#include "soak.h"

#define WORLDS_MOST 8

static void everything_at_random_breaks_no_rule_and_leaves_nothing(void **state)
{
    const soak_options options = {.seconds = 3, .seed = 1, .worlds = 2};
    (void)state;
    assert_int_equal(soak_run(&options), 0);
}

/* Digits only; anything else is not meant to be a number. */
static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < least || value > most) {
        fprintf(stderr, "soak: '%s' is no number from %llu to %llu\n", text, (unsigned long long)least,
                (unsigned long long)most);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_at_random_breaks_no_rule_and_leaves_nothing),
    };
    if (argc < 2)
        return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
    const soak_options options = {
        .seconds = (unsigned)number(argv[1], 1, 10000000),
        .seed = argc > 2 ? number(argv[2], 0, UINT64_MAX) : (uint64_t)time(NULL),
        .worlds = argc > 3 ? (unsigned)number(argv[3], 1, WORLDS_MOST) : 2,
    };
    return soak_run(&options);
}
