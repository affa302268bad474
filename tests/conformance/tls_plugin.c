/* SPDX-License-Identifier: MIT */
/* The plugin tls for the conformance suite, with a certificate; one program each runs it on one of its stacks. */
#include "suite.h"

#include <unistd.h>

#include "localhost_cert.h"

/* The authority once more. */
#define CA_IN_URL                                                                                      \
    "-----BEGIN%20CERTIFICATE-----%0AMIIBlDCCATmgAwIBAgIUBKs2ecONbg2yBdPBUWjDUaNmI28wCgYIKoZIzj0EAwIw" \
    "%0AHjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjExMjU3MDda%0AGA8yMTI2MTAyODEyNTcwN1owHj" \
    "EcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0%0AeTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABK79PVvxNld9BAX1OoW" \
    "WEeItV2wj%0AHu%2BXwVzAk4H4Hwjpr8AmpGiqofCeNDJDlNOzfhiiZ%2Byhljbu55T70e7OISSjUzBR%0AMB0GA1UdDgQWB" \
    "BTI7kJveGUMqz3FttjrUjtDjw3WDjAfBgNVHSMEGDAWgBTI7kJv%0AeGUMqz3FttjrUjtDjw3WDjAPBgNVHRMBAf8EBTADAQ" \
    "H%2FMAoGCCqGSM49BAMCA0kA%0AMEYCIQCKuIC4lO63LZ3YrAFQwFA5Nb1MSYqQ1McKdDsY0CsSngIhANavvMJr3YSO%0AYH" \
    "LVHHTuPSuwvEqW3Ugb8SsEExYM%2BOY%2F%0A-----END%20CERTIFICATE-----%0A"

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
