/* SPDX-License-Identifier: MIT */
/* The conformance suite on a layer of TLS: over every transport, over itself, and over a layer that does everything a link may do. */
#include "suite.h"

#include <stdio.h>

/* Of the layer that is looked at. */
static const char *listening, *connecting, *in_url;

static const char *layers(fixture *f, int listens)
{
    (void)f;
    return listens ? listening : connecting;
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
    return in_url;
}

static const char *narrow_mem(fixture *f, const weir_server *server, int index)
{
    (void)index;
    return suite_mem(f, server, 4099);
}

/* What each layer holds on either side is far less than this much. */
#define HELD ((size_t)512 * 1024)

int suite_run_tls(const char *plugin, const char *listens, const char *connects, const char *url_query)
{
    static char names[4][64];
    listening = listens;
    connecting = connects;
    in_url = url_query;
    snprintf(names[0], sizeof(names[0]), "%s+tcp", plugin);
    snprintf(names[1], sizeof(names[1]), "%s+ipc", plugin);
    snprintf(names[2], sizeof(names[2]), "%s+%s+tcp", plugin, plugin);
    snprintf(names[3], sizeof(names[3]), "%s+chaos+mem", plugin);
    const suite_transport over_tcp = {.name = names[0],
                                      .component = suite_tcp,
                                      .layers = layers,
                                      .query = query,
                                      .can_reset = 1,
                                      .holds_at_least = 65536,
                                      .holds_at_most = (size_t)16 * 1024 * 1024 + HELD};
    const suite_transport over_ipc = {.name = names[1],
                                      .component = suite_ipc,
                                      .layers = layers,
                                      .query = query,
                                      .holds_at_least = 65536,
                                      .holds_at_most = (size_t)1024 * 1024 + HELD};
    const suite_transport twice = {.name = names[2],
                                   .component = suite_tcp,
                                   .layers = layers_twice,
                                   .query = NULL,
                                   .can_reset = 1,
                                   .holds_at_least = 65536,
                                   .holds_at_most = (size_t)16 * 1024 * 1024 + 2 * HELD};
    const suite_transport over_chaos = {.name = names[3],
                                        .component = narrow_mem,
                                        .layers = layers_over_chaos,
                                        .can_reset = 1,
                                        .holds_at_least = 3000, /* and headers, and the end */
                                        .holds_at_most = HELD};
    return suite_run_bare(&over_tcp) + suite_run_bare(&over_ipc) + suite_run_bare(&twice) + suite_run(&over_chaos);
}
