/* SPDX-License-Identifier: MIT */
/* The conformance suite on the layer tls, over every transport, over itself, and over a layer that does everything a link may do.
 */
#include "suite.h"

#include <unistd.h>

/* An authority and a certificate of localhost, made for this test and good for nothing else, until 2125. */
#define CA                                                                \
    "-----BEGIN CERTIFICATE-----\\n"                                      \
    "MIIBlDCCATmgAwIBAgIUBKs2ecONbg2yBdPBUWjDUaNmI28wCgYIKoZIzj0EAwIw\\n" \
    "HjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjExMjU3MDda\\n" \
    "GA8yMTI2MTAyODEyNTcwN1owHjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0\\n" \
    "eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABK79PVvxNld9BAX1OoWWEeItV2wj\\n" \
    "Hu+XwVzAk4H4Hwjpr8AmpGiqofCeNDJDlNOzfhiiZ+yhljbu55T70e7OISSjUzBR\\n" \
    "MB0GA1UdDgQWBBTI7kJveGUMqz3FttjrUjtDjw3WDjAfBgNVHSMEGDAWgBTI7kJv\\n" \
    "eGUMqz3FttjrUjtDjw3WDjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kA\\n" \
    "MEYCIQCKuIC4lO63LZ3YrAFQwFA5Nb1MSYqQ1McKdDsY0CsSngIhANavvMJr3YSO\\n" \
    "YHLVHHTuPSuwvEqW3Ugb8SsEExYM+OY/\\n"                                 \
    "-----END CERTIFICATE-----\\n"

#define CERT                                                              \
    "-----BEGIN CERTIFICATE-----\\n"                                      \
    "MIIBnzCCAUWgAwIBAgIUOmfxVYcxLsY5F1W5sFCd7nKkQMAwCgYIKoZIzj0EAwIw\\n" \
    "HjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjExMjU3MDda\\n" \
    "GA8yMTI2MTAyODEyNTcwN1owFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZI\\n" \
    "zj0CAQYIKoZIzj0DAQcDQgAEJkW/e6oiV579ygJENc0KrxYGnqFIPUdc/ViyY1gw\\n" \
    "fWjRFZO06AOYrTbow7io0YRYZpr2gK1VMAYe4XUzZQioyKNpMGcwGgYDVR0RBBMw\\n" \
    "EYIJbG9jYWxob3N0hwR/AAABMAkGA1UdEwQCMAAwHQYDVR0OBBYEFEJz/8oF0S0X\\n" \
    "MN3yNKAoq/pkyAnjMB8GA1UdIwQYMBaAFMjuQm94ZQyrPcW22OtSO0OPDdYOMAoG\\n" \
    "CCqGSM49BAMCA0gAMEUCID1gbGiuyEega9R9/+eBS3I3WBt+Ii5NA3eBiGGcZ8Gk\\n" \
    "AiEA8TIkmeWmkkDRblozxBgEsZ3pzAZjFvEkuQGweByjpcQ=\\n"                 \
    "-----END CERTIFICATE-----\\n"

#define KEY                                                               \
    "-----BEGIN PRIVATE KEY-----\\n"                                      \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1Khx26IgrzcMcKX/\\n" \
    "ud76TMK0ZK9JpPc0uOEpm/3VTGWhRANCAAQmRb97qiJXnv3KAkQ1zQqvFgaeoUg9\\n" \
    "R1z9WLJjWDB9aNEVk7ToA5itNujDuKjRhFhmmvaArVUwBh7hdTNlCKjI\\n"         \
    "-----END PRIVATE KEY-----\\n"

#define CA_IN_URL                                                                                      \
    "-----BEGIN%20CERTIFICATE-----%0AMIIBlDCCATmgAwIBAgIUBKs2ecONbg2yBdPBUWjDUaNmI28wCgYIKoZIzj0EAwIw" \
    "%0AHjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjExMjU3MDda%0AGA8yMTI2MTAyODEyNTcwN1owHj" \
    "EcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0%0AeTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABK79PVvxNld9BAX1OoW" \
    "WEeItV2wj%0AHu%2BXwVzAk4H4Hwjpr8AmpGiqofCeNDJDlNOzfhiiZ%2Byhljbu55T70e7OISSjUzBR%0AMB0GA1UdDgQWB" \
    "BTI7kJveGUMqz3FttjrUjtDjw3WDjAfBgNVHSMEGDAWgBTI7kJv%0AeGUMqz3FttjrUjtDjw3WDjAPBgNVHRMBAf8EBTADAQ" \
    "H%2FMAoGCCqGSM49BAMCA0kA%0AMEYCIQCKuIC4lO63LZ3YrAFQwFA5Nb1MSYqQ1McKdDsY0CsSngIhANavvMJr3YSO%0AYH" \
    "LVHHTuPSuwvEqW3Ugb8SsEExYM%2BOY%2F%0A-----END%20CERTIFICATE-----%0A"

#define LISTENS  "{\"tls\": {\"cert\": \"" CERT "\", \"key\": \"" KEY "\"}}"
#define CONNECTS "{\"tls\": {\"ca\": \"" CA "\", \"servername\": \"localhost\"}}"

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
    return "?servername=localhost&ca=" CA_IN_URL;
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

static void the_plugin_is_not_built(void **state)
{
    (void)state;
    skip(); /* without the library that it stands on */
}

int main(void)
{
    const struct CMUnitTest none[] = {cmocka_unit_test(the_plugin_is_not_built)};
    static const suite_transport over_tcp = {.name = "tls+tcp",
                                             .component = tcp_component,
                                             .layers = layers,
                                             .query = query,
                                             .can_reset = 1,
                                             .holds_at_least = 65536,
                                             .holds_at_most = (size_t)16 * 1024 * 1024 + HELD};
    static const suite_transport over_ipc = {.name = "tls+ipc",
                                             .component = ipc_component,
                                             .layers = layers,
                                             .query = query,
                                             .holds_at_least = 65536,
                                             .holds_at_most = (size_t)1024 * 1024 + HELD};
    static const suite_transport twice = {.name = "tls+tls+tcp",
                                          .component = tcp_component,
                                          .layers = layers_twice,
                                          .query = NULL,
                                          .can_reset = 1,
                                          .holds_at_least = 65536,
                                          .holds_at_most = (size_t)16 * 1024 * 1024 + 2 * HELD};
    static const suite_transport over_chaos = {.name = "tls+chaos+mem",
                                               .component = mem_component,
                                               .layers = layers_over_chaos,
                                               .can_reset = 1,
                                               .holds_at_least = 3000, /* and headers, and the end */
                                               .holds_at_most = HELD};
    if (access(WEIR_TEST_PLUGINS "/tls.so", R_OK) != 0)
        return cmocka_run_group_tests_name("tls", none, NULL, NULL);
    fixture_preload("tls");
    return suite_run_bare(&over_tcp) + suite_run_bare(&over_ipc) + suite_run_bare(&twice) + suite_run(&over_chaos);
}
