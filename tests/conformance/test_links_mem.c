/* SPDX-License-Identifier: MIT */
/* The conformance suite on the transport of the tests, mem. */
#include "suite.h"

static const char *component(fixture *f, const weir_server *server, int index)
{
    weir_address address;
    char name[WEIR_ADDRESS_TEXT_SIZE];
    (void)index;
    if (!server)
        return "{\"mem\": {\"path\": \"name\"}}"; /* also where others have it: names are a runtime's own */
    assert_int_equal(weir_server_address(server, &address), 0);
    weir_address_ip(&address, name, sizeof(name));
    return fixture_text(f, "{\"mem\": {\"path\": \"%s\"}}", name);
}

int main(void)
{
    static const suite_transport mem = {
        .name = "mem", .component = component, .can_reset = 1, .holds_at_most = (size_t)256 * 1024};
    return suite_run(&mem);
}
