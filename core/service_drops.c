/* SPDX-License-Identifier: MIT */
/* What a service logs of connections that its servers drop: of a flood a few lines, and every one of it counted. */
#include "service_drops.h"

#include <inttypes.h>

static const struct {
    const char *name;
    weir_log_level level;
} reasons[WEIR__DROP_REASONS] = {
    [WEIR_DROP_MAX_CONNECTIONS] = {"maxConnections", WEIR_LOG_INFO},
    [WEIR_DROP_BLOCK_LIST] = {"blockList", WEIR_LOG_INFO},
    [WEIR_DROP_DESCRIPTORS] = {"descriptors", WEIR_LOG_WARN},
};

/* " from ADDRESS", or nothing where that is not known. */
static const char *origin(const weir_address *address, const char *before, char text[WEIR_ADDRESS_TEXT_SIZE])
{
    text[0] = '\0';
    if (address->family != WEIR_FAMILY_NONE)
        weir_address_format(address, text, WEIR_ADDRESS_TEXT_SIZE);
    return text[0] ? before : "";
}

static void tell_more(weir_log_bound *bound, uint64_t more)
{
    const struct weir__drop_count *count = (struct weir__drop_count *)(void *)bound; /* its first member */
    char from[WEIR_ADDRESS_TEXT_SIZE];
    const char *before = origin(&count->last, ", the last one from ", from);
    weir_log(bound->runtime, reasons[count->reason].level, "%s: %" PRIu64 " more connection%s dropped (%s)%s%s",
             count->server, more, more == 1 ? " was" : "s were", reasons[count->reason].name, before, from);
}

/* Those not told of are nowhere, not even at level debug: to drop one is to cost next to nothing. */
void weir__drops_note(weir__drops *drops, weir_runtime *runtime, const char *server, const weir_drop *drop)
{
    struct weir__drop_count *count = &drops->counts[drop->reason];
    char from[WEIR_ADDRESS_TEXT_SIZE];
    count->bound.most = 1;
    count->bound.tell = tell_more;
    count->server = server;
    count->reason = drop->reason;
    if (!weir_log_bound_pass(runtime, &count->bound)) {
        count->last = drop->remote;
        return;
    }
    const char *before = origin(&drop->remote, " from ", from);
    weir_log(runtime, reasons[drop->reason].level, "%s: a connection%s%s was dropped (%s)", server, before, from,
             reasons[drop->reason].name);
}

void weir__drops_end(weir__drops *drops)
{
    for (int i = 0; i < WEIR__DROP_REASONS; i++)
        weir_log_bound_end(&drops->counts[i].bound);
}
