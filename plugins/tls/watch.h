/* SPDX-License-Identifier: MIT */
/* Watching a context's files: when one changes, the context is reloaded (TLS-15). */
#ifndef WEIR_TLS_WATCH_H
#define WEIR_TLS_WATCH_H

#include "context.h"

/*
 * For every new connection, of the context that listens and of the one that a callback chose. Begins, where the settings
 * say `watch` and it has not begun: what has changed since the files were read is seen at once then. Later it looks now
 * and then for what no event told. What cannot be watched is a line of the log.
 */
void weir__tls_watch_start(weir_tls_context *holder);

void weir__tls_watch_stop(weir_tls_context *holder);

#endif
