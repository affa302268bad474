/* SPDX-License-Identifier: MIT */
/* Rules of block lists: made of addresses or of text, checked, and told as text. */
#ifndef WEIR_CORE_BLOCKLIST_RULE_H
#define WEIR_CORE_BLOCKLIST_RULE_H

#include <weir/blocklist.h>
#include <weir/error.h>

typedef enum weir__rule_kind { WEIR__RULE_ADDRESS, WEIR__RULE_RANGE, WEIR__RULE_SUBNET } weir__rule_kind;

/* Addresses as they were given, without ports, labels and zones, which play no part. */
typedef struct weir__rule {
    weir__rule_kind kind;
    weir_family family;      /* IPV4 or IPV6 */
    unsigned prefix;         /* of a subnet */
    unsigned char first[16]; /* the address, the start, the net */
    unsigned char last[16];  /* of a range */
} weir__rule;

/* 0, or the codes of weir_blocklist_add_...; `last` and `prefix` are for the kinds that have them. */
int weir__rule_make(weir__rule *rule, weir__rule_kind kind, const weir_address *first, const weir_address *last,
                    int prefix);

/* As weir_blocklist_add_rule takes them. */
int weir__rule_read(weir__rule *rule, const char *text);

/* What should stand in the place of a text of so many bytes, ended by NUL; NULL: it is a rule. Static text. */
const char *weir__rule_expected(const char *text, size_t length);

/* As weir_blocklist_rule gives them. */
size_t weir__rule_text(const weir__rule *rule, char *text, size_t size);

#endif
