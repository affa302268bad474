/* SPDX-License-Identifier: MIT */
/* Block lists: which addresses are not welcome. Node's net.BlockList. */
#ifndef WEIR_BLOCKLIST_H
#define WEIR_BLOCKLIST_H

#include <stddef.h>

#include <weir/address.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Rules that name single addresses, ranges and subnets (BL-01, BL-02). Rules are added, never removed (BL-23). Counted;
 * a list that several threads check must not be added to meanwhile, its references may be taken and given up in any
 * thread. Checking takes well under a microsecond whatever the number of rules (docs/benchmarks.md).
 *
 * Servers drop who is on their list (weir_server_options), and streams do not connect to who is on theirs
 * (weir_stream_options); for both there is "blockList" in JSON. Zones ("%lo") say nothing of an address and are dropped.
 *
 * `type` is "ipv4" or "ipv6" (any case), NULL is "ipv4": how the text of an address is to be read; it is never guessed
 * (BL-03). Functions with _of take parsed addresses, whose own family counts (BL-04, ADDR-12).
 */
typedef struct weir_blocklist weir_blocklist;

WEIR_EXPORT weir_blocklist *weir_blocklist_new(void); /* NULL: no memory */
WEIR_EXPORT weir_blocklist *weir_blocklist_retain(weir_blocklist *list);
WEIR_EXPORT void weir_blocklist_release(weir_blocklist *list);

/*
 * Each adds one rule. 0, or the list stays as it was: UV_EINVAL (NULL), UV_ENOMEM, WEIR_EINVALIDADDRESS (a text that is
 * no address of that family, BL-20), WEIR_EINVALIDARGVALUE (an unknown type; a range whose start is behind its end,
 * BL-07; ends of two families, BL-08), WEIR_EOUTOFRANGE (a prefix outside 0..32 or 0..128, BL-10, BL-11).
 */
WEIR_EXPORT int weir_blocklist_add_address(weir_blocklist *list, const char *address, const char *type);
WEIR_EXPORT int weir_blocklist_add_range(weir_blocklist *list, const char *start, const char *end, const char *type);
WEIR_EXPORT int weir_blocklist_add_subnet(weir_blocklist *list, const char *net, int prefix, const char *type);
WEIR_EXPORT int weir_blocklist_add_address_of(weir_blocklist *list, const weir_address *address);
WEIR_EXPORT int weir_blocklist_add_range_of(weir_blocklist *list, const weir_address *start, const weir_address *end);
WEIR_EXPORT int weir_blocklist_add_subnet_of(weir_blocklist *list, const weir_address *net, int prefix);

/*
 * A rule as it stands in a configuration: "10.0.0.1", "10.0.0.1-10.0.0.9", "10.0.0.0/8", "2001:db8::/32". The same codes,
 * the family being the text's own: WEIR_EINVALIDADDRESS is also what is none of these forms, WEIR_EINVALIDARGVALUE also
 * a prefix that is no plain number.
 */
WEIR_EXPORT int weir_blocklist_add_rule(weir_blocklist *list, const char *rule);

/*
 * 1: some rule matches; 0: none (BL-15). IPv4 rules match IPv4 addresses in IPv6 clothes too, mapped (::ffff:0:0/96,
 * BL-16) and NAT64's (64:ff9b::/96), and rules for such addresses match the IPv4 address (BL-17): the three are one
 * address. So 0.0.0.0/0 is every IPv4 address in any of its forms, and ::/0, ::/64 or 64:ff9b::/96 too (BL-13). What
 * cannot be read is not "not blocked": WEIR_EINVALIDADDRESS (also a path), WEIR_EINVALIDARGVALUE (type), UV_EINVAL
 * (NULL) (BN-20).
 */
WEIR_EXPORT int weir_blocklist_check(const weir_blocklist *list, const char *address, const char *type);
WEIR_EXPORT int weir_blocklist_check_of(const weir_blocklist *list, const weir_address *address);

/*
 * The rules as text, newest first (BL-21, BL-22): "Address: IPv4 1.2.3.4", "Range: IPv4 10.0.0.1-10.0.0.10", "Subnet:
 * IPv6 2001:db8::/32". weir_blocklist_rule writes at most `size` bytes, ends with NUL when size > 0, and returns the
 * length that the whole text has, 0 where there is no such rule.
 */
WEIR_EXPORT size_t weir_blocklist_rule_count(const weir_blocklist *list);
WEIR_EXPORT size_t weir_blocklist_rule(const weir_blocklist *list, size_t index, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
