/* SPDX-License-Identifier: MIT */
/* The conformance suite on TCP. */
#include "suite.h"

int main(void)
{
    /* The system's buffers of both ends grow to several MiB each. */
    static const suite_transport tcp = {.name = "tcp",
                                        .component = suite_tcp,
                                        .can_reset = 1,
                                        .holds_at_least = 65536,
                                        .holds_at_most = (size_t)16 * 1024 * 1024};
    return suite_run(&tcp);
}
