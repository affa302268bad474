/* SPDX-License-Identifier: MIT */
/* The conformance suite on unix domain sockets. */
#include "suite.h"

int main(void)
{
    static const suite_transport ipc = {.name = "ipc",
                                        .component = suite_ipc,
                                        .can_reset = 0,
                                        .holds_at_least = 65536,
                                        .holds_at_most = (size_t)4 * 1024 * 1024};
    return suite_run(&ipc);
}
