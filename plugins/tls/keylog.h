/* SPDX-License-Identifier: MIT */
/* The file of a key log: whether it can be written, and its lines (TLS-16). */
#ifndef WEIR_TLS_KEYLOG_H
#define WEIR_TLS_KEYLOG_H

#include "settings.h"

/*
 * Warns, at "/keylog", when no line could be appended to the file, and it could not be made; and when there is one that
 * everybody may read. Makes nothing.
 */
void weir__tls_keylog_check(const char *path, tls_report *report);

/* Appends a line, as one write, so that processes may share the file. 0, or why it could not be. */
int weir__tls_keylog_append(const char *path, const char *line);

#endif
