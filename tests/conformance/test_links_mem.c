/* SPDX-License-Identifier: MIT */
/* The conformance suite on the transport of the tests, mem. */
#include "suite.h"

static const char *component(fixture *f, const weir_server *server, int index)
{
    (void)index;
    return suite_mem(f, server, 65536);
}

static const char *narrow_component(fixture *f, const weir_server *server, int index)
{
    (void)index;
    return suite_mem(f, server, 97);
}

int main(void)
{
    static const suite_transport mem = {.name = "mem",
                                        .component = component,
                                        .can_reset = 1,
                                        .holds_at_least = 65536,
                                        .holds_at_most = (size_t)256 * 1024};
    static const suite_transport narrow = {.name = "mem with narrow pipes",
                                           .component = narrow_component,
                                           .can_reset = 1,
                                           .holds_at_least = 97,
                                           .holds_at_most = 65536};
    return suite_run(&mem) + suite_run_bare(&narrow);
}
