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

static void the_plugin_is_not_built(void **state)
{
    (void)state;
    skip(); /* without the library that it stands on */
}

int main(void)
{
    const struct CMUnitTest none[] = {cmocka_unit_test(the_plugin_is_not_built)};
    if (access(WEIR_TEST_PLUGINS "/tls.so", R_OK) != 0)
        return cmocka_run_group_tests_name("tls", none, NULL, NULL);
    fixture_preload("tls");
    return suite_run_tls("tls", LISTENS, CONNECTS, "?servername=localhost&ca=" CA_IN_URL);
}
