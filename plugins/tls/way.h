/* SPDX-License-Identifier: MIT */
/* The way to a file: which folders decide what stands at its path. */
#ifndef WEIR_TLS_WAY_H
#define WEIR_TLS_WAY_H

/*
 * Calls `visit` with the folder of every symbolic link on the way to an absolute path, and with the folder of the file
 * that it comes to, there or not; in this order, a folder perhaps more than once.
 */
void weir__tls_way_folders(const char *file, void (*visit)(const char *folder, void *arg), void *arg);

#endif
