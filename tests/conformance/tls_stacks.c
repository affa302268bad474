/* SPDX-License-Identifier: MIT */
/* The conformance suite on a layer of TLS: over every transport, over itself, and over chaos. */
#include "suite.h"

#include <stdio.h>

/* The layer that is looked at. */
static const suite_tls *looked_at;

static const char *layers(fixture *f, int listens)
{
    (void)f;
    return listens ? looked_at->listens : looked_at->connects;
}

static const char *layers_twice(fixture *f, int listens)
{
    return fixture_text(f, "%s, %s", layers(f, listens), layers(f, listens));
}

static const char *layers_over_chaos(fixture *f, int listens)
{
    return fixture_text(f, "{\"chaos\": {\"seed\": %u}}, %s", 7 + suite_variant_of(f)->seed, layers(f, listens));
}

static const char *query(fixture *f)
{
    (void)f;
    return looked_at->query;
}

static const char *narrow_mem(fixture *f, const weir_server *server, int index)
{
    (void)index;
    return suite_mem(f, server, 4099);
}

/* What each layer holds on either side is far less than this much. */
#define HELD ((size_t)512 * 1024)

/* All that differs but the name. */
static const suite_transport stacks[] = {
    [SUITE_TLS_OVER_TCP] = {.name = "tcp",
                            .component = suite_tcp,
                            .layers = layers,
                            .query = query,
                            .can_reset = 1,
                            .holds_at_least = 65536,
                            .holds_at_most = (size_t)16 * 1024 * 1024 + HELD},
    [SUITE_TLS_OVER_IPC] = {.name = "ipc",
                            .component = suite_ipc,
                            .layers = layers,
                            .query = query,
                            .holds_at_least = 65536,
                            .holds_at_most = (size_t)1024 * 1024 + HELD},
    [SUITE_TLS_OVER_TLS] = {.name = "tcp",
                            .component = suite_tcp,
                            .layers = layers_twice,
                            .can_reset = 1,
                            .holds_at_least = 65536,
                            .holds_at_most = (size_t)16 * 1024 * 1024 + 2 * HELD},
    [SUITE_TLS_OVER_CHAOS] = {.name = "chaos+mem",
                              .component = narrow_mem,
                              .layers = layers_over_chaos,
                              .can_reset = 1,
                              .holds_at_least = 3000, /* and headers, and the end */
                              .holds_at_most = HELD},
};

int suite_run_tls(const suite_tls *tls, suite_tls_stack stack)
{
    char name[64];
    suite_transport transport = stacks[stack];
    if (stack == SUITE_TLS_OVER_TLS)
        snprintf(name, sizeof(name), "%s+%s+%s", tls->plugin, tls->plugin, transport.name);
    else
        snprintf(name, sizeof(name), "%s+%s", tls->plugin, transport.name);
    transport.name = name;
    looked_at = tls;
    return stack == SUITE_TLS_OVER_CHAOS ? suite_run(&transport) : suite_run_bare(&transport);
}
