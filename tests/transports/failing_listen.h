/* SPDX-License-Identifier: MIT */
/* Servers that cannot listen because a system call fails, and what they leave. */
#ifndef WEIR_TEST_FAILING_LISTEN_H
#define WEIR_TEST_FAILING_LISTEN_H

#include "refusal.h"
#include "syscalls.h"

/*
 * Listens while the orders for system calls that were given hold, and takes them back: 'error' with this code and call
 * is all that comes, no descriptor is left, and the same server listens at `after` then.
 */
static inline void failing_listen(fixture *f, const char *endpoint, int code, const char *syscall, const char *after)
{
    refusal refused = {0};
    weir_server *server = weir_server_new(f->runtime, NULL);
    int descriptors = fixture_descriptors();

    assert_code(weir_server_on(server, WEIR_EVENT_ERROR, refusal_on_error, &refused), 0);
    assert_code(weir_server_listen(server, endpoint, NULL, NULL), 0);
    fixture_until(f, &refused.done);
    assert_true(syscalls_failures() > 0);
    syscalls_restore();
    assert_code(refused.code, code);
    assert_string_equal(refused.syscall, syscall);
    assert_int_equal(weir_server_listening(server), 0);
    assert_int_equal(fixture_descriptors(), descriptors);
    assert_code(weir_server_listen(server, after, NULL, NULL), 0);
    fixture_turns(f, 3);
    assert_int_equal(weir_server_listening(server), 1);
    assert_code(weir_server_close_wait(server), 0);
    weir_server_release(server);
}

#endif
