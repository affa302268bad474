/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite on the layer tls with its fake engine, over every transport, over itself, and over a layer that
 * does everything a link may do: what any engine's layer does is proved here.
 */
#include "suite.h"

#define CA   "-----BEGIN FAKE CERTIFICATE-----\\nsubject=ca\\nissuer=ca\\n"
#define CERT "-----BEGIN FAKE CERTIFICATE-----\\nsubject=server\\nissuer=ca\\nname=localhost\\n"
#define KEY  "-----BEGIN FAKE KEY-----\\nsubject=server\\n"

#define LISTENS  "{\"tls-fake\": {\"cert\": \"" CERT "\", \"key\": \"" KEY "\"}}"
#define CONNECTS "{\"tls-fake\": {\"ca\": \"" CA "\", \"servername\": \"localhost\"}}"

static const char *layers(fixture *f, int listens)
{
    (void)f;
    return listens ? LISTENS : CONNECTS;
}

static const char *layers_twice(fixture *f, int listens)
{
    (void)f;
    return listens ? LISTENS ", " LISTENS : CONNECTS ", " CONNECTS;
}

static const char *layers_over_chaos(fixture *f, int listens)
{
    return fixture_text(f, "{\"chaos\": {\"seed\": %u}}, %s", 7 + suite_variant_of(f)->seed,
                        listens ? LISTENS : CONNECTS);
}

static const char *query(fixture *f)
{
    (void)f;
    return "?servername=localhost&ca=-----BEGIN%20FAKE%20CERTIFICATE-----%0Asubject=ca%0Aissuer=ca%0A";
}

/* ---- what it stands on ---- */

static const char *tcp_component(fixture *f, const weir_server *server, int index)
{
    weir_address address;
    (void)index;
    if (!server)
        return "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}}";
    assert_int_equal(weir_server_address(server, &address), 0);
    return fixture_text(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}}", address.port);
}

static const char *ipc_component(fixture *f, const weir_server *server, int index)
{
    weir_address address;
    char path[WEIR_ADDRESS_TEXT_SIZE];
    if (!server)
        return fixture_text(f, "{\"ipc\": {\"path\": \"%s/%d.sock\"}}", f->folder, index);
    assert_int_equal(weir_server_address(server, &address), 0);
    weir_address_ip(&address, path, sizeof(path));
    return fixture_text(f, "{\"ipc\": {\"path\": \"%s\"}}", path);
}

static const char *mem_component(fixture *f, const weir_server *server, int index)
{
    weir_address address;
    char name[WEIR_ADDRESS_TEXT_SIZE] = "name"; /* also where others have it: names are a runtime's own */
    (void)index;
    if (server) {
        assert_int_equal(weir_server_address(server, &address), 0);
        weir_address_ip(&address, name, sizeof(name));
    }
    return fixture_text(f, "{\"mem\": {\"path\": \"%s\", \"pipeSize\": 4099}}", name);
}

/* What each layer holds on either side is far less than this much. */
#define HELD ((size_t)512 * 1024)

int main(void)
{
    static const suite_transport over_tcp = {.name = "tls-fake+tcp",
                                             .component = tcp_component,
                                             .layers = layers,
                                             .query = query,
                                             .can_reset = 1,
                                             .holds_at_least = 65536,
                                             .holds_at_most = (size_t)16 * 1024 * 1024 + HELD};
    static const suite_transport over_ipc = {.name = "tls-fake+ipc",
                                             .component = ipc_component,
                                             .layers = layers,
                                             .query = query,
                                             .holds_at_least = 65536,
                                             .holds_at_most = (size_t)1024 * 1024 + HELD};
    static const suite_transport twice = {.name = "tls-fake+tls-fake+tcp",
                                          .component = tcp_component,
                                          .layers = layers_twice,
                                          .query = NULL,
                                          .can_reset = 1,
                                          .holds_at_least = 65536,
                                          .holds_at_most = (size_t)16 * 1024 * 1024 + 2 * HELD};
    static const suite_transport over_chaos = {.name = "tls-fake+chaos+mem",
                                               .component = mem_component,
                                               .layers = layers_over_chaos,
                                               .can_reset = 1,
                                               .holds_at_least = 3000, /* and headers, and the end */
                                               .holds_at_most = HELD};
    fixture_preload("tls-fake");
    return suite_run_bare(&over_tcp) + suite_run_bare(&over_ipc) + suite_run_bare(&twice) + suite_run(&over_chaos);
}
