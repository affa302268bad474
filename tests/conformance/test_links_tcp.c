/* SPDX-License-Identifier: MIT */
/* The conformance suite on TCP. */
#include "suite.h"

static const char *component(fixture *f, const weir_server *server, int index)
{
    weir_address address;
    (void)index;
    if (!server)
        return "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}}";
    assert_int_equal(weir_server_address(server, &address), 0);
    return fixture_text(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}}", address.port);
}

int main(void)
{
    /* The system's buffers of both ends grow to several MiB each. */
    static const suite_transport tcp = {.name = "tcp",
                                        .component = component,
                                        .can_reset = 1,
                                        .holds_at_least = 65536,
                                        .holds_at_most = (size_t)16 * 1024 * 1024};
    return suite_run(&tcp);
}
