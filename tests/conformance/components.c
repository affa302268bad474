/* SPDX-License-Identifier: MIT */
/* What the suite runs on, as it stands in an endpoint. */
#include "suite.h"

const char *suite_tcp(fixture *f, const weir_server *server, int index)
{
    weir_address address;
    (void)index;
    if (!server)
        return "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}}";
    assert_int_equal(weir_server_address(server, &address), 0);
    return fixture_text(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}}", address.port);
}

const char *suite_ipc(fixture *f, const weir_server *server, int index)
{
    weir_address address;
    char path[WEIR_ADDRESS_TEXT_SIZE];
    if (!server)
        return fixture_text(f, "{\"ipc\": {\"path\": \"%s/%d.sock\"}}", f->folder, index);
    assert_int_equal(weir_server_address(server, &address), 0);
    weir_address_ip(&address, path, sizeof(path));
    return fixture_text(f, "{\"ipc\": {\"path\": \"%s\"}}", path);
}

const char *suite_mem(fixture *f, const weir_server *server, unsigned pipe_size)
{
    weir_address address;
    char name[WEIR_ADDRESS_TEXT_SIZE] = "name"; /* also where others have it: names are a runtime's own */
    if (server) {
        assert_int_equal(weir_server_address(server, &address), 0);
        weir_address_ip(&address, name, sizeof(name));
    }
    return fixture_text(f, "{\"mem\": {\"path\": \"%s\", \"pipeSize\": %u}}", name, pipe_size);
}
