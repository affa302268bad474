/* SPDX-License-Identifier: MIT */
/* The plugin tls for the conformance suite, with a certificate; one program each runs it on one of its stacks. */
#include "suite.h"

#include <unistd.h>

#include "localhost_cert.h"

/* The authority once more. */
#define CA_IN_URL                                                                                       \
    "-----BEGIN%20CERTIFICATE-----%0AMIIBkjCCATmgAwIBAgIUQQHAxKq59sI1htC%2BhK1jCYmVOqAwCgYIKoZIzj0EAwI" \
    "w%0AHjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0eTAgFw0wMDAxMDEwMDAwMDBa%0AGA8yMTI2MDEwMTAwMDAwMFowHj" \
    "EcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0%0AeTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLYl3vRak624vs73tmAo" \
    "ZklXMZsm%0AQ2UH5XUDkPQntFv4AnTNyHY4RbM4NbJJq%2B2kppwWHc6UEIsM%2BPOdEN4JR3mjUzBR%0AMB0GA1UdDgQWBBR" \
    "VH2Lb9f6YtbeIarADlF8%2Bb%2FsYdjAfBgNVHSMEGDAWgBRVH2Lb%0A9f6YtbeIarADlF8%2Bb%2FsYdjAPBgNVHRMBAf8EB" \
    "TADAQH%2FMAoGCCqGSM49BAMCA0cA%0AMEQCIAxEAlwyWm15Jx5IeF5lZBxvjnDd3zdBXE2JT6ia8lWPAiAuoNCHsUz3YkNF%" \
    "0AHQz4KDOMqcimt%2Fqv%2F6FE9vnKEK%2FzzQ==%0A-----END%20CERTIFICATE-----%0A"

#define LISTENS  "{\"tls\": {\"cert\": \"" LOCALHOST_CERT "\", \"key\": \"" LOCALHOST_KEY "\"}}"
#define CONNECTS "{\"tls\": {\"ca\": \"" LOCALHOST_CA "\", \"servername\": \"localhost\"}}"

static void the_plugin_is_not_built(void **state)
{
    (void)state;
    skip(); /* without the library that it stands on */
}

int suite_run_plugin_tls(suite_tls_stack stack)
{
    static const suite_tls tls = {
        .plugin = "tls", .listens = LISTENS, .connects = CONNECTS, .query = "?servername=localhost&ca=" CA_IN_URL};
    const struct CMUnitTest none[] = {cmocka_unit_test(the_plugin_is_not_built)};
    if (access(WEIR_TEST_PLUGINS "/tls.so", R_OK) != 0)
        return cmocka_run_group_tests_name("tls", none, NULL, NULL);
    fixture_preload("tls");
    return suite_run_tls(&tls, stack);
}
