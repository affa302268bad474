/* SPDX-License-Identifier: MIT */
/* Block lists as endpoints, streams and servers use them. */
#ifndef WEIR_CORE_BLOCKLIST_USE_H
#define WEIR_CORE_BLOCKLIST_USE_H

#include <jansson.h>

#include <weir/blocklist.h>

#define WEIR__BLOCK_LIST "blockList" /* the option */

/*
 * A list of an array of texts. 0 with the caller's reference, UV_ENOMEM, or the code of the first text that is no rule
 * (which stream.schema.json lets none be); `*list` is NULL then.
 */
int weir__blocklist_of_json(const json_t *rules, weir_blocklist **list);

/* 1: the address is on the list. 0: it is not; there is no list; or it is no IP address, which no rule can name. */
int weir__blocklist_names(const weir_blocklist *list, const weir_address *address);

#endif
