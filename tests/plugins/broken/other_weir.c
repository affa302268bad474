/* SPDX-License-Identifier: MIT */
/* What a second libweir looks like from outside, for a plugin that depends on one. */
#include <weir/runtime.h>

const char *weir_version(void)
{
    static const char text[] = "0.0.0";
    return text;
}
