/* SPDX-License-Identifier: MIT */
/* The conformance suite on unix domain sockets. */
#include "suite.h"

static const char *component(fixture *f, const weir_server *server, int index)
{
    weir_address address;
    char path[WEIR_ADDRESS_TEXT_SIZE];
    if (!server)
        return fixture_text(f, "{\"ipc\": {\"path\": \"%s/socket-%d\"}}", f->folder, index);
    assert_int_equal(weir_server_address(server, &address), 0);
    weir_address_ip(&address, path, sizeof(path));
    return fixture_text(f, "{\"ipc\": {\"path\": \"%s\"}}", path);
}

int main(void)
{
    static const suite_transport ipc = {.name = "ipc",
                                        .component = component,
                                        .can_reset = 0,
                                        .holds_at_least = 65536,
                                        .holds_at_most = (size_t)4 * 1024 * 1024};
    return suite_run(&ipc);
}
