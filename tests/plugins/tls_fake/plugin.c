/* SPDX-License-Identifier: MIT */
/* The plugin tls-fake: the layer half of tls with the fake engine. */
#include "layer.h"
#include "tls_fake_schema.h"

const char weir__tls_name[] = "tls-fake";

/* clang-format off */
WEIR_PLUGIN(tls_fake) = {
    WEIR_PLUGIN_HEADER,
    .name = weir__tls_name,
    .version = WEIR_VERSION,
    .description = "the layer tls with an engine without cryptography, for tests",
    .schema = tls_fake_schema,
    .init = weir__tls_init,
    .exit = weir__tls_exit,
    .layer = &weir__tls_layer,
    .interface = weir__tls_interface,
};
/* clang-format on */
