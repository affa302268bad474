/* SPDX-License-Identifier: MIT */
/* What is asked of a plugin before anything of it is called, and how a refusal is worded. */
#ifndef WEIR_PLUGIN_CHECK_H
#define WEIR_PLUGIN_CHECK_H

#include <stdbool.h>

#include <weir/link.h>
#include <weir/plugin.h>

/* A plugin's and so an endpoint's name: [a-z][a-z0-9-]*, at most 64 characters. */
bool weir__plugin_name_valid(const char *name);

/*
 * The first members of a weir_plugin, which every version of it has in the same place: whether this weir understands
 * what follows them. `where` begins the message: a file, or what else the plugin is called.
 */
int weir__plugin_check_abi(uint32_t major, uint32_t minor, size_t size, const char *where, weir_error **error);

/*
 * All of it: ABI, sizes, texts, the libraries it is bound to, and the members its tables must have. Reads the plugin,
 * calls nothing of it. 0, or WEIR_EPLUGIN with the reason in `*error` (where error is not NULL; the caller's).
 */
int weir__plugin_check(const weir_plugin *plugin, const char *where, weir_error **error);

/*
 * The same for the operations of a link that a plugin made: NULL when all is there, or the name of what is missing
 * ("write"; "ops", "size": it is another than this weir's).
 */
const char *weir__link_ops_missing(const weir_link_ops *ops, bool transport);

/* "transport, layer, handler": what there is of it in a plugin, in static text; "" for none. */
const char *weir__plugin_kinds(const weir_plugin *plugin);

/* Sets `*error` (where error is not NULL) to "WHERE: ..." in one line, and returns `code` (UV_ENOMEM: no memory for
 * that). */
int weir__plugin_refuse(weir_error **error, int code, const char *where, const char *format, ...) WEIR_PRINTF(4, 5);

#endif
