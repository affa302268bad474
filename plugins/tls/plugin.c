/* SPDX-License-Identifier: MIT */
/* The plugin tls: the layer half with the engine that it is linked with. */
#include "layer.h"
#include "tls_schema.h"

const char weir__tls_name[] = "tls";

/* clang-format off */
WEIR_PLUGIN(tls) = {
    WEIR_PLUGIN_HEADER,
    .name = weir__tls_name,
    .version = WEIR_VERSION,
    .description = "TLS 1.2 and 1.3 over any transport or layer",
    .schema = tls_schema,
    .init = weir__tls_init,
    .exit = weir__tls_exit,
    .layer = &weir__tls_layer,
    .interface = weir__tls_interface,
};
/* clang-format on */
