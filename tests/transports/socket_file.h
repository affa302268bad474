/* SPDX-License-Identifier: MIT */
/* What tests ask of the files of unix sockets, and of servers that cannot make them. */
#ifndef WEIR_TEST_SOCKET_FILE_H
#define WEIR_TEST_SOCKET_FILE_H

#include <stdio.h>
#include <sys/stat.h>

#include "raw_peer.h"

static inline int socket_file_exists(const char *path)
{
    struct stat found;

    return lstat(path, &found) == 0;
}

/* The permissions of what must be a socket. */
static inline int socket_file_mode(const char *path)
{
    struct stat found;

    assert_int_equal(lstat(path, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    return (int)(found.st_mode & 07777);
}

/* Why a server could not listen. */
typedef struct socket_file_refusal {
    int done;
    int code;
    char message[1024];
} socket_file_refusal;

static inline void socket_file_on_error(const weir_event *event, void *arg)
{
    socket_file_refusal *refused = arg;

    refused->done = 1;
    refused->code = event->error->code;
    assert_string_equal(event->error->syscall, "listen");
    snprintf(refused->message, sizeof(refused->message), "%s", event->error->message);
}

static inline socket_file_refusal socket_file_refused(fixture *f, const char *endpoint)
{
    socket_file_refusal refused = {0};
    weir_server *server = weir_server_new(f->runtime, NULL);

    weir_server_on(server, WEIR_EVENT_ERROR, socket_file_on_error, &refused);
    assert_code(weir_server_listen(server, endpoint, NULL, NULL), 0);
    fixture_until(f, &refused.done);
    weir_server_release(server);
    return refused;
}

#endif
