/* SPDX-License-Identifier: MIT */
/* Block lists of given rules, and the addresses that they are asked for. */
#ifndef WEIR_TEST_BLOCK_LISTS_H
#define WEIR_TEST_BLOCK_LISTS_H

#include "fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An empty list; and one of a single rule, as configurations write it. They fail the test when they cannot be made. */
weir_blocklist *new_list(void);
weir_blocklist *list_of(const char *rule);

/* The address of such a text. */
weir_address ip(const char *text);

/* cmocka's setup and teardown, for tests without a fixture: they count memory alone. */
int list_setup(void **state);
int list_teardown(void **state);

#define LIST_TEST(function) cmocka_unit_test_setup_teardown(function, list_setup, list_teardown)

#endif
