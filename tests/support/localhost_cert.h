/* SPDX-License-Identifier: MIT */
/*
 * An authority and a certificate of localhost as they stand in JSON, made for tests and good for nothing else. Valid from
 * 2000 to 2126, so that a clock that is wrong by years does no harm. What stands on them works with any engine of the plugin tls.
 */
#ifndef WEIR_TEST_LOCALHOST_CERT_H
#define WEIR_TEST_LOCALHOST_CERT_H

#define LOCALHOST_CA                                                      \
    "-----BEGIN CERTIFICATE-----\\n"                                      \
    "MIIBkjCCATmgAwIBAgIUQQHAxKq59sI1htC+hK1jCYmVOqAwCgYIKoZIzj0EAwIw\\n" \
    "HjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0eTAgFw0wMDAxMDEwMDAwMDBa\\n" \
    "GA8yMTI2MDEwMTAwMDAwMFowHjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0\\n" \
    "eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLYl3vRak624vs73tmAoZklXMZsm\\n" \
    "Q2UH5XUDkPQntFv4AnTNyHY4RbM4NbJJq+2kppwWHc6UEIsM+POdEN4JR3mjUzBR\\n" \
    "MB0GA1UdDgQWBBRVH2Lb9f6YtbeIarADlF8+b/sYdjAfBgNVHSMEGDAWgBRVH2Lb\\n" \
    "9f6YtbeIarADlF8+b/sYdjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cA\\n" \
    "MEQCIAxEAlwyWm15Jx5IeF5lZBxvjnDd3zdBXE2JT6ia8lWPAiAuoNCHsUz3YkNF\\n" \
    "HQz4KDOMqcimt/qv/6FE9vnKEK/zzQ==\\n"                                 \
    "-----END CERTIFICATE-----\\n"

#define LOCALHOST_CERT                                                    \
    "-----BEGIN CERTIFICATE-----\\n"                                      \
    "MIIBnjCCAUWgAwIBAgIUSSKyCCAYp1bzfcqGrwusFDbc6R0wCgYIKoZIzj0EAwIw\\n" \
    "HjEcMBoGA1UEAwwTd2VpciB0ZXN0IGF1dGhvcml0eTAgFw0wMDAxMDEwMDAwMDBa\\n" \
    "GA8yMTI2MDEwMTAwMDAwMFowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZI\\n" \
    "zj0CAQYIKoZIzj0DAQcDQgAEv+QoGKxCnTt7bz/8nRUrm4IUAnwbsZEp5wKycsiq\\n" \
    "K3U2QZNrFqkBqszCNrAAIwA4igtIz6KknNQ4fAHX2cYwCqNpMGcwGgYDVR0RBBMw\\n" \
    "EYIJbG9jYWxob3N0hwR/AAABMAkGA1UdEwQCMAAwHQYDVR0OBBYEFN+pXqWTJ99a\\n" \
    "g3Hf+97oyrNKfJsqMB8GA1UdIwQYMBaAFFUfYtv1/pi1t4hqsAOUXz5v+xh2MAoG\\n" \
    "CCqGSM49BAMCA0cAMEQCICB3g7Tk62qenADwB+CYSo4OmhEjdOUX9IJZN9Y8KT7Y\\n" \
    "AiBXYEZwXAIvGJl8pwxpWsMj4y/oG5Pd6ZuGT84Zn8rV0Q==\\n"                 \
    "-----END CERTIFICATE-----\\n"

#define LOCALHOST_KEY                                                     \
    "-----BEGIN PRIVATE KEY-----\\n"                                      \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkeIaSXZeZuRVyKfi\\n" \
    "ZAYgh2vhYJHt7DhAAkDKqdkR4euhRANCAAS/5CgYrEKdO3tvP/ydFSubghQCfBux\\n" \
    "kSnnArJyyKordTZBk2sWqQGqzMI2sAAjADiKC0jPoqSc1Dh8AdfZxjAK\\n"         \
    "-----END PRIVATE KEY-----\\n"

#endif
