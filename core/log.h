/* SPDX-License-Identifier: MIT */
/* What the core reports when an 'error' has no listener. */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <weir/event.h>

/* Row EMT-12: the application's function, or one line in the log. */
void weir__unhandled(weir_runtime *runtime, const weir_event *event);

#endif
