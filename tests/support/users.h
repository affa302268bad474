/* SPDX-License-Identifier: MIT */
/* Other users, whom tests give files to and act as. */
#ifndef WEIR_TEST_USERS_H
#define WEIR_TEST_USERS_H

/*
 * Skips a test that needs this user and this group where they are not to be had, and says so: it takes root,
 * and a user namespace that knows them. Before the test opens anything.
 */
void users_skip_without(unsigned user, unsigned group);

#endif
