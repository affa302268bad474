/* SPDX-License-Identifier: MIT */
/* Lines that others cause: of a flood a few now and then, and every one of it counted. */
#include <stddef.h>

#include <weir/runtime.h>

/* In which as many lines are logged as the owner says. */
#define PERIOD_MS 10000

static void tell_more(weir_log_bound *bound)
{
    uint64_t more = bound->more;
    bound->more = 0;
    bound->tell(bound, more);
}

/* The line that counts is one of those of the time that begins. */
static void on_time(weir_timer *timer)
{
    weir_log_bound *bound = (weir_log_bound *)(void *)((char *)timer - offsetof(weir_log_bound, timer));
    bound->shown = bound->more > 0;
    if (bound->more == 0) {
        return;
    }
    if (weir_timer_start(bound->runtime, timer, PERIOD_MS) != 0) {
        bound->shown = 0; /* without a timer each is logged */
    }
    tell_more(bound); /* last: what it calls may end the bound */
}

int weir_log_bound_pass(weir_runtime *runtime, weir_log_bound *bound)
{
    if (bound->shown > 0 && bound->shown >= bound->most) {
        bound->more++;
        return 0;
    }
    bound->runtime = runtime;
    bound->timer.run = on_time;
    bound->timer.unref = 1;
    if (weir_timer_active(&bound->timer) || weir_timer_start(runtime, &bound->timer, PERIOD_MS) == 0) {
        bound->shown++;
    }
    return 1;
}

void weir_log_bound_end(weir_log_bound *bound)
{
    if (bound->runtime == NULL) {
        return;
    }
    weir_timer_stop(bound->runtime, &bound->timer);
    bound->shown = 0;
    if (bound->more > 0) {
        tell_more(bound);
    }
}
