/* SPDX-License-Identifier: MIT */
/* A mount namespace of the test program's own, where its files stand in the place of the system's: for its children, too. */
#ifndef WEIR_TEST_MOUNTS_H
#define WEIR_TEST_MOUNTS_H

/*
 * Enters one; whoever is not root is root in a user namespace. Before there are other threads. 0; or -1, where that is not
 * allowed, and mounts_why_not says why.
 */
int mounts_enter(void);

/* Puts a file in the place of one of the system's, which must be there; and takes the last one put there away. 0 or -1. */
int mounts_put(const char *path, const char *system);
int mounts_take_away(const char *system);

/* Writes a file that is there, from its beginning: as settings of the kernel are written, in one go. 0 or -1. */
int mounts_write(const char *path, const char *text);

const char *mounts_why_not(void);

#endif
