/* SPDX-License-Identifier: MIT */
/*
 * What a context was made of, as it was written: kept so that a reload can read everything again, secrets included. Of a
 * secret that stands in a file no more is kept than that file's name.
 */
#ifndef WEIR_TLS_WRITTEN_H
#define WEIR_TLS_WRITTEN_H

#include <weir/plugin.h>

#include "settings.h"

typedef struct tls_written {
    json_t *options;       /* secrets as {"file"} and {"env"}, or as text, which is wiped in the end */
    char *folder;          /* what relative files are relative to */
    tls_material *secrets; /* files of passphrases and pre-shared keys: path and stamp alone */
    size_t secret_count;
} tls_written;

/* 0 or UV_ENOMEM: then what was taken so far is given up by weir__tls_written_free. */
int weir__tls_written_take(tls_written *given, const weir_configure *configure);

void weir__tls_written_free(tls_written *given);

#endif
