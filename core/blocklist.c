/* SPDX-License-Identifier: MIT */
/* Block lists: the rules as they were given, packed, and two sets of addresses that are asked instead of them. */
#define _GNU_SOURCE

#include <stdatomic.h>
#include <string.h>

#include <uv.h>

#include "blocklist_rule.h"
#include "blocklist_tree.h"
#include "memory.h"

/*
 * An IPv4 address, its mapped form and its NAT64 form are one and the same here: all three are looked up among the
 * `narrow` ones, and what a rule for IPv6 addresses says of such forms is added to those.
 */
struct weir_blocklist {
    atomic_size_t refs;
    weir__tree narrow;
    weir__tree wide;
    unsigned char *log; /* the rules, oldest first: kind and family, prefix, addresses */
    size_t log_size;
    size_t log_room;
    uint32_t *places; /* where each begins */
    size_t count;
    size_t place_room;
};

#define PACKED_MOST 33 /* a range of IPv6 addresses */

/* Addresses of one set, from one rule. */
typedef struct span {
    weir__tree *tree;
    weir__ip first;
    weir__ip last;
} span;

#define SPANS_MOST 3 /* IPv6 addresses, mapped ones among them, NAT64's among them */

/* ---- life ---- */

weir_blocklist *weir_blocklist_new(void)
{
    weir_blocklist *list = weir__calloc(1, sizeof(*list));
    if (list == NULL)
        return NULL;
    atomic_init(&list->refs, 1);
    list->narrow.width = 32;
    list->wide.width = 128;
    return list;
}

weir_blocklist *weir_blocklist_retain(weir_blocklist *list)
{
    if (list != NULL)
        atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
    return list;
}

void weir_blocklist_release(weir_blocklist *list)
{
    if (list == NULL || atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) > 1)
        return;
    weir__tree_clear(&list->narrow);
    weir__tree_clear(&list->wide);
    weir__free(list->log);
    weir__free(list->places);
    weir__free(list);
}

/* ---- addresses in the sets ---- */

static weir__ip narrow_ip(uint32_t address)
{
    return (weir__ip){(uint64_t)address << 32, 0};
}

static uint64_t number_of(const unsigned char *bytes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

static weir__ip wide_ip(const unsigned char *bytes)
{
    return (weir__ip){number_of(bytes, 8), number_of(bytes + 8, 8)};
}

/* The IPv6 addresses that stand for IPv4 ones: ::ffff:0:0/96 (BL-16) and 64:ff9b::/96 (BN-20). */
static const weir__ip clothes[] = {{0, (uint64_t)0xffff << 32}, {(uint64_t)0x0064ff9b << 32, 0}};

#define CLOTHES (sizeof(clothes) / sizeof(clothes[0]))

/* Is this an IPv4 address in one of these clothes? */
static int wears(weir__ip address, size_t which)
{
    return address.high == clothes[which].high && address.low >> 32 == clothes[which].low >> 32;
}

static int is_before(weir__ip a, weir__ip b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

/* The IPv4 addresses that those from `first` to `last` stand for in these clothes. 0: none. */
static int undress(weir__ip first, weir__ip last, size_t which, span *made)
{
    weir__ip begin = clothes[which], end = clothes[which];
    end.low |= UINT32_MAX;
    if (is_before(last, begin) || is_before(end, first))
        return 0;
    if (is_before(begin, first))
        begin = first;
    if (is_before(last, end))
        end = last;
    made->first = narrow_ip((uint32_t)begin.low);
    made->last = narrow_ip((uint32_t)end.low);
    return 1;
}

/* From the first to the last address of a rule, in a set of that width. */
static void bounds(const weir__rule *rule, weir__ip *first, weir__ip *last)
{
    unsigned width = rule->family == WEIR_FAMILY_IPV4 ? 32 : 128;
    *first = width == 32 ? narrow_ip((uint32_t)number_of(rule->first, 4)) : wide_ip(rule->first);
    *last = *first;
    if (rule->kind == WEIR__RULE_RANGE)
        *last = width == 32 ? narrow_ip((uint32_t)number_of(rule->last, 4)) : wide_ip(rule->last);
    if (rule->kind == WEIR__RULE_SUBNET)
        weir__tree_bounds(width, rule->prefix, first, last);
}

static size_t spans_of(weir_blocklist *list, const weir__rule *rule, span spans[SPANS_MOST])
{
    size_t count = 0;
    weir__ip first, last;
    bounds(rule, &first, &last);
    if (rule->family == WEIR_FAMILY_IPV4) {
        spans[0] = (span){&list->narrow, first, last};
        return 1;
    }
    int all_dressed = 0;
    for (size_t i = 0; i < CLOTHES; i++) {
        spans[count].tree = &list->narrow;
        count += (size_t)undress(first, last, i, &spans[count]);
        all_dressed |= wears(first, i) && wears(last, i);
    }
    if (!all_dressed)
        spans[count++] = (span){&list->wide, first, last};
    return count;
}

/* ---- the rules as they were given ---- */

static size_t ip_size(const weir__rule *rule)
{
    return rule->family == WEIR_FAMILY_IPV4 ? 4 : 16;
}

static size_t pack(const weir__rule *rule, unsigned char *packed)
{
    size_t length = 1;
    packed[0] = (unsigned char)(rule->kind << 4 | rule->family);
    if (rule->kind == WEIR__RULE_SUBNET)
        packed[length++] = (unsigned char)rule->prefix;
    memcpy(packed + length, rule->first, ip_size(rule));
    length += ip_size(rule);
    if (rule->kind == WEIR__RULE_RANGE) {
        memcpy(packed + length, rule->last, ip_size(rule));
        length += ip_size(rule);
    }
    return length;
}

static void unpack(const unsigned char *packed, weir__rule *rule)
{
    *rule = (weir__rule){.kind = (weir__rule_kind)(packed[0] >> 4), .family = (weir_family)(packed[0] & 15)};
    packed++;
    if (rule->kind == WEIR__RULE_SUBNET)
        rule->prefix = *packed++;
    memcpy(rule->first, packed, ip_size(rule));
    if (rule->kind == WEIR__RULE_RANGE)
        memcpy(rule->last, packed + ip_size(rule), ip_size(rule));
}

/* A larger block for `count` elements and `more`; where there is room the same one. NULL: no memory. */
static void *grown(void *memory, size_t count, size_t more, size_t *room, size_t size)
{
    if (*room - count >= more)
        return memory;
    size_t wanted = *room + *room / 2 + 8 * more;
    void *larger = wanted > SIZE_MAX / 2 / size ? NULL : weir__realloc(memory, wanted * size);
    if (larger != NULL)
        *room = wanted;
    return larger;
}

static int reserve_log(weir_blocklist *list)
{
    if (list->log_size > UINT32_MAX - PACKED_MOST)
        return UV_ENOMEM; /* COVERAGE: that is 4 GiB of rules */
    unsigned char *log = grown(list->log, list->log_size, PACKED_MOST, &list->log_room, 1);
    if (log == NULL)
        return UV_ENOMEM;
    list->log = log;
    uint32_t *places = grown(list->places, list->count, 1, &list->place_room, sizeof(*places));
    if (places == NULL)
        return UV_ENOMEM;
    list->places = places;
    return 0;
}

/* ---- adding ---- */

static int reserve_sets(weir_blocklist *list, const span *spans, size_t count)
{
    size_t narrow = 0, wide = 0;
    for (size_t i = 0; i < count; i++) {
        size_t prefixes = weir__tree_prefixes(spans[i].tree, spans[i].first, spans[i].last);
        if (spans[i].tree == &list->narrow)
            narrow += prefixes;
        else
            wide += prefixes;
    }
    int status = narrow ? weir__tree_reserve(&list->narrow, narrow) : 0;
    return status == 0 && wide ? weir__tree_reserve(&list->wide, wide) : status;
}

/* All the memory first: then nothing can go wrong half way. */
static int add(weir_blocklist *list, const weir__rule *rule)
{
    span spans[SPANS_MOST];
    size_t count = spans_of(list, rule, spans);
    int status = reserve_log(list);
    if (status == 0)
        status = reserve_sets(list, spans, count);
    if (status != 0)
        return status;
    for (size_t i = 0; i < count; i++)
        weir__tree_add(spans[i].tree, spans[i].first, spans[i].last);
    list->places[list->count++] = (uint32_t)list->log_size;
    list->log_size += pack(rule, list->log + list->log_size);
    return 0;
}

static int make_and_add(weir_blocklist *list, weir__rule_kind kind, const weir_address *first, const weir_address *last,
                        int prefix)
{
    weir__rule rule;
    int status = list == NULL ? UV_EINVAL : weir__rule_make(&rule, kind, first, last, prefix);
    return status ? status : add(list, &rule);
}

int weir_blocklist_add_address_of(weir_blocklist *list, const weir_address *address)
{
    return make_and_add(list, WEIR__RULE_ADDRESS, address, NULL, 0);
}

int weir_blocklist_add_range_of(weir_blocklist *list, const weir_address *start, const weir_address *end)
{
    return make_and_add(list, WEIR__RULE_RANGE, start, end, 0);
}

int weir_blocklist_add_subnet_of(weir_blocklist *list, const weir_address *net, int prefix)
{
    return make_and_add(list, WEIR__RULE_SUBNET, net, NULL, prefix);
}

/* ---- texts ---- */

static int read_ip(const char *text, const char *type, weir_address *address)
{
    weir_address_options options;
    if (text == NULL)
        return UV_EINVAL;
    weir_address_options_init(&options);
    options.address = text;
    options.family = type;
    return weir_address_from_options(address, &options);
}

int weir_blocklist_add_address(weir_blocklist *list, const char *address, const char *type)
{
    weir_address ip;
    int status = read_ip(address, type, &ip);
    return status ? status : weir_blocklist_add_address_of(list, &ip);
}

int weir_blocklist_add_range(weir_blocklist *list, const char *start, const char *end, const char *type)
{
    weir_address first, last;
    int status = read_ip(start, type, &first);
    if (status == 0)
        status = read_ip(end, type, &last);
    return status ? status : weir_blocklist_add_range_of(list, &first, &last);
}

int weir_blocklist_add_subnet(weir_blocklist *list, const char *net, int prefix, const char *type)
{
    weir_address ip;
    int status = read_ip(net, type, &ip);
    return status ? status : weir_blocklist_add_subnet_of(list, &ip, prefix);
}

int weir_blocklist_add_rule(weir_blocklist *list, const char *text)
{
    weir__rule rule;
    int status = list == NULL ? UV_EINVAL : weir__rule_read(&rule, text);
    return status ? status : add(list, &rule);
}

/* ---- asking ---- */

int weir_blocklist_check_of(const weir_blocklist *list, const weir_address *address)
{
    if (list == NULL || address == NULL)
        return UV_EINVAL;
    if (address->family == WEIR_FAMILY_IPV4)
        return weir__tree_has(&list->narrow, narrow_ip((uint32_t)number_of(address->bytes, 4)));
    if (address->family != WEIR_FAMILY_IPV6)
        return WEIR_EINVALIDADDRESS;
    weir__ip ip = wide_ip(address->bytes);
    for (size_t i = 0; i < CLOTHES; i++)
        if (wears(ip, i))
            return weir__tree_has(&list->narrow, narrow_ip((uint32_t)ip.low));
    return weir__tree_has(&list->wide, ip);
}

int weir_blocklist_check(const weir_blocklist *list, const char *address, const char *type)
{
    weir_address ip;
    int status = read_ip(address, type, &ip);
    return status ? status : weir_blocklist_check_of(list, &ip);
}

size_t weir_blocklist_rule_count(const weir_blocklist *list)
{
    return list->count;
}

size_t weir_blocklist_rule(const weir_blocklist *list, size_t index, char *text, size_t size)
{
    weir__rule rule;
    if (size > 0)
        text[0] = '\0';
    if (index >= list->count)
        return 0;
    unpack(list->log + list->places[list->count - 1 - index], &rule);
    return weir__rule_text(&rule, text, size);
}
