/* SPDX-License-Identifier: MIT */
/*
 * What happened to a server, as text, one word an event: "listening connection drop error:EADDRINUSE close", and for
 * callbacks "closed" or the code of the error, and "counted". A diary is static: a server may be told of its end in the
 * teardown.
 */
#ifndef WEIR_TEST_DIARY_H
#define WEIR_TEST_DIARY_H

#include "over.h"

typedef struct diary {
    fixture *f;
    weir_server *server;
    char text[512];
    int code; /* of the last 'error' or callback */
    size_t count;
    weir_drop drop; /* of the last 'drop' */
} diary;

/* Begins anew, for this server. */
void diary_keep(diary *d, fixture *f, weir_server *server);

/* A server with a diary that does not listen; the caller's to release. */
weir_server *diary_fresh(fixture *f, diary *d, const weir_server_options *options);

/* One that listens, over the test's transport; streams of its 'connection' are read by nobody, and so they stay. */
weir_server *diary_listening(fixture *f, diary *d, const weir_server_options *options);

void diary_write(diary *d, const char *word);
void diary_expect(const diary *d, const char *text);

/* Runs the loop until 'close' has come. */
void diary_wait_closed(const diary *d);

/* A listener, and callbacks of close and getConnections; the argument is the diary. */
void diary_event(const weir_event *event, void *arg);
void diary_closed(weir_server *server, int status, void *arg);
void diary_counted(weir_server *server, int count, void *arg);

#endif
