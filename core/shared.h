/* SPDX-License-Identifier: MIT */
/* The core's side of weir/shared.h. */
#ifndef WEIR_CORE_SHARED_H
#define WEIR_CORE_SHARED_H

#include <weir/shared.h>

/* `runtime` has no store yet, and takes that of `other`, which runs in this thread. 0 or UV_ENOMEM. */
int weir__runtime_share(weir_runtime *runtime, weir_runtime *other);

/* One reference less; the last one frees the store and its objects. NULL is let pass. */
void weir__shared_release(weir_shared *shared);

#endif
