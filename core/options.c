/* SPDX-License-Identifier: MIT */
/* Options of programs that were compiled with other headers than the library. */
#include "options.h"

#include <uv.h>

static int is_nothing(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return 0;
        }
    }
    return 1;
}

int weir__options_lay(void *known, size_t known_size, const void *given, size_t size)
{
    if (size > known_size && !is_nothing((const unsigned char *)given + known_size, size - known_size)) {
        return UV_E2BIG;
    }
    memcpy(known, given, size < known_size ? size : known_size);
    return 0;
}

int weir_options_take(void *known, size_t known_size, const void *given)
{
    size_t size;
    memcpy(&size, given, sizeof(size));
    if (size < sizeof(size)) {
        return UV_EINVAL;
    }
    int status = weir__options_lay(known, known_size, given, size);
    if (status == 0) {
        memcpy(known, &known_size, sizeof(known_size));
    }
    return status;
}
