/* SPDX-License-Identifier: MIT */
/* Private keys under a passphrase as OpenSSL 3 writes them (PKCS #8, PBES2), which mbedTLS 2.28 cannot read. */
#ifndef WEIR_TLS_PBES2_H
#define WEIR_TLS_PBES2_H

#include <stddef.h>

typedef enum mbed_pbes2 {
    MBED_PBES2_DONE,    /* `*plain` is new memory, a secret: a PKCS #8 key if the passphrase was the right one */
    MBED_PBES2_OTHER,   /* not encrypted, or by another scheme than PBES2 */
    MBED_PBES2_UNKNOWN, /* PBES2 with a derivation or a cipher that is not known here */
    MBED_PBES2_WRONG,   /* the passphrase does not open it */
    MBED_PBES2_NO_MEMORY
} mbed_pbes2;

/* `der` is an EncryptedPrivateKeyInfo; `passphrase` NULL: only looked at, DONE then with `*plain` NULL. */
mbed_pbes2 weir__mbed_pbes2(const unsigned char *der, size_t size, const char *passphrase, unsigned char **plain,
                            size_t *plain_size);

#endif
