/* SPDX-License-Identifier: MIT */
/*
 * An authority and a certificate of localhost as they stand in JSON, made for tests and good for nothing else, until 2125.
 * What stands on them works with any engine of the plugin tls.
 */
#ifndef WEIR_TEST_LOCALHOST_CERT_H
#define WEIR_TEST_LOCALHOST_CERT_H

#define LOCALHOST_CA                                                      \
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

#define LOCALHOST_CERT                                                    \
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

#define LOCALHOST_KEY                                                     \
    "-----BEGIN PRIVATE KEY-----\\n"                                      \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1Khx26IgrzcMcKX/\\n" \
    "ud76TMK0ZK9JpPc0uOEpm/3VTGWhRANCAAQmRb97qiJXnv3KAkQ1zQqvFgaeoUg9\\n" \
    "R1z9WLJjWDB9aNEVk7ToA5itNujDuKjRhFhmmvaArVUwBh7hdTNlCKjI\\n"         \
    "-----END PRIVATE KEY-----\\n"

#endif
