/* SPDX-License-Identifier: MIT */
/* The library's version as text; also how a plugin's loader tells two copies of the library apart, by its address. */
#include <weir/export.h>
#include <weir/runtime.h>

const char *weir_version(void)
{
    return WEIR_VERSION;
}
