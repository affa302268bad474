/* SPDX-License-Identifier: MIT */
/* OVER_ALL for programs that see the core from inside: they have the transports linked to them. */
#ifndef WEIR_TEST_LINKED_H
#define WEIR_TEST_LINKED_H

#include <weir/plugin.h>

#include "over.h"

extern const weir_plugin weir_plugin_tcp, weir_plugin_ipc, weir_plugin_mem;

static inline int with_transports(void **state, int status)
{
    static const weir_plugin *const plugins[] = {&weir_plugin_tcp, &weir_plugin_ipc, &weir_plugin_mem};
    fixture *f = *state;
    for (size_t i = 0; status == 0 && i < sizeof(plugins) / sizeof(plugins[0]); i++) {
        status = weir_runtime_register_plugin(f->runtime, plugins[i], NULL);
    }
    return status;
}

static inline int on_tcp(void **state)
{
    return with_transports(state, over_tcp(state));
}

static inline int on_ipc(void **state)
{
    return with_transports(state, over_ipc(state));
}

static inline int on_mem(void **state)
{
    return with_transports(state, over_mem(state));
}

/* clang-format off */
#define ON(function, transport) {#function "_over_" #transport, function, on_##transport, fixture_teardown, NULL}
/* clang-format on */
#define ON_ALL(function) ON(function, tcp), ON(function, ipc), ON(function, mem)

#endif
