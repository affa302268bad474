/* SPDX-License-Identifier: MIT */
/* What a plugin of a test's own has where nothing is asked of it. */
#ifndef WEIR_TEST_PLAIN_PLUGIN_H
#define WEIR_TEST_PLAIN_PLUGIN_H

#include <uv.h>

#include <weir/plugin.h>

/* The schema of a plugin without options. */
#define NO_OPTIONS "{\"type\":\"object\",\"additionalProperties\":false}"

/* A configure whose context, of which nothing is known, weir_free frees. */
static inline int plain_configure(weir_configure *configure, void **context)
{
    (void)configure;
    *context = weir_malloc(1);
    return *context != NULL ? 0 : UV_ENOMEM;
}

#endif
