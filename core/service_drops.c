/* SPDX-License-Identifier: MIT */
/* What a service logs of connections that its servers drop: of a flood a few lines, and every one of it counted. */
#include "service_drops.h"

#include <inttypes.h>
#include <stddef.h>

/* How often a server tells of drops for one reason. */
#define TELL_EVERY_MS 10000

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

static void tell_more(weir__drops *drops, weir_drop_reason reason)
{
    struct weir__drop_count *count = &drops->counts[reason];
    char from[WEIR_ADDRESS_TEXT_SIZE];
    const char *before = origin(&count->last, ", the last one from ", from);
    weir_log(drops->runtime, reasons[reason].level, "%s: %" PRIu64 " more connection%s dropped (%s)%s%s", drops->server,
             count->more, count->more == 1 ? " was" : "s were", reasons[reason].name, before, from);
    count->more = 0;
}

/* The reasons that were still met since the last time are met again: they wait once more. */
static void on_time(weir_timer *timer)
{
    weir__drops *drops = (weir__drops *)(void *)((char *)timer - offsetof(weir__drops, timer));
    int waits = 0;
    for (int i = 0; i < WEIR__DROP_REASONS; i++) {
        drops->counts[i].told = drops->counts[i].more > 0;
        if (drops->counts[i].told) {
            waits = 1;
            tell_more(drops, (weir_drop_reason)i);
        }
    }
    if (waits && weir_timer_start(drops->runtime, timer, TELL_EVERY_MS) != 0) {
        for (int i = 0; i < WEIR__DROP_REASONS; i++)
            drops->counts[i].told = 0; /* without a timer each is told of by itself */
    }
}

void weir__drops_note(weir__drops *drops, weir_runtime *runtime, const char *server, const weir_drop *drop)
{
    struct weir__drop_count *count = &drops->counts[drop->reason];
    char from[WEIR_ADDRESS_TEXT_SIZE];
    drops->runtime = runtime;
    drops->server = server;
    if (count->told) {
        count->more++;
        count->last = drop->remote;
        return;
    }
    const char *before = origin(&drop->remote, " from ", from);
    weir_log(runtime, reasons[drop->reason].level, "%s: a connection%s%s was dropped (%s)", server, before, from,
             reasons[drop->reason].name);
    drops->timer.run = on_time;
    drops->timer.unref = 1;
    count->told = weir_timer_active(&drops->timer) || weir_timer_start(runtime, &drops->timer, TELL_EVERY_MS) == 0;
}

void weir__drops_end(weir__drops *drops)
{
    if (drops->runtime == NULL)
        return;
    weir_timer_stop(drops->runtime, &drops->timer);
    for (int i = 0; i < WEIR__DROP_REASONS; i++) {
        drops->counts[i].told = 0;
        if (drops->counts[i].more > 0)
            tell_more(drops, (weir_drop_reason)i);
    }
}
