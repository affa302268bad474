/* SPDX-License-Identifier: MIT */
/* A shared object that is no plugin, or one whose symbol is no table. What it does when it is loaded must not be seen.
 */
#include <stdlib.h>

#include <weir/plugin.h>

__attribute__((constructor)) static void loaded(void)
{
    setenv("WEIR_TEST_LOADED", "1", 1);
}

#if defined(SYMBOL_IS_FUNCTION)
WEIR_EXPORT int weir_plugin_main(void);
int weir_plugin_main(void)
{
    return 0;
}
#elif defined(SYMBOL_IS_SHORT)
WEIR_EXPORT extern const int weir_plugin_main;
const int weir_plugin_main = 1;
#elif defined(SYMBOL_IS_CUT)
/* The beginning of a weir_plugin that says how long it is, and ends before that. */
typedef struct cut_plugin {
    uint32_t abi_major;
    uint32_t abi_minor;
    size_t size;
    const char *name;
    const char *version;
} cut_plugin;
WEIR_EXPORT extern const cut_plugin weir_plugin_main;
const cut_plugin weir_plugin_main = {WEIR_PLUGIN_ABI_MAJOR, WEIR_PLUGIN_ABI_MINOR, sizeof(weir_plugin), "cut", "1.0.0"};
#else
WEIR_EXPORT extern const int something_else;
const int something_else = 1;
#endif
