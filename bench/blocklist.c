/* SPDX-License-Identifier: MIT */
/* bench_blocklist: what a check of a block list costs, and what its rules do, for lists of several sizes.
 * docs/benchmarks.md says what the columns are. */
#include "complain.h"
#include "report.h"

#include <getopt.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uv.h>

#include <weir/weir.h>

enum {
    QUESTIONS = 200000, /* of each kind: more than caches hold of the larger lists */
    ROUNDS = 15,
    ROUNDS_MOST = 1000,
};

static const size_t sizes[] = {1000, 100000, 1000000};

/* ---- memory ---- */

static size_t held; /* bytes that the list has allocated, as the allocator rounds them */

static void *count_in(void *memory)
{
    if (memory)
        held += malloc_usable_size(memory);
    return memory;
}

static void *counting_malloc(size_t size)
{
    return count_in(malloc(size));
}

static void *counting_calloc(size_t count, size_t size)
{
    return count_in(calloc(count, size));
}

static void *counting_realloc(void *memory, size_t size)
{
    size_t before = memory ? malloc_usable_size(memory) : 0;
    void *moved = realloc(memory, size);
    if (moved)
        held -= before;
    return count_in(moved);
}

static void counting_free(void *memory)
{
    if (memory)
        held -= malloc_usable_size(memory);
    free(memory);
}

/* ---- rules ---- */

static uint64_t state;

/* xorshift: the same rules and the same questions in every run. */
static uint64_t next_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static unsigned below(unsigned most)
{
    return (unsigned)((next_number() >> 20) % most);
}

/* Anywhere in IPv4, or in the part of IPv6 that is given out: 2000::/3. */
static void random_address(weir_address *address, bool ipv6)
{
    memset(address, 0, sizeof *address);
    address->family = ipv6 ? WEIR_FAMILY_IPV6 : WEIR_FAMILY_IPV4;
    address->length = ipv6 ? 16 : 4;
    for (size_t i = 0; i < address->length; i++)
        address->bytes[i] = (unsigned char)(next_number() >> 24);
    if (ipv6)
        address->bytes[0] = (unsigned char)(0x20 | (address->bytes[0] & 0x1f));
}

/* Sets the bits behind a prefix at random. */
static void scatter(weir_address *address, unsigned prefix)
{
    for (unsigned bit = prefix; bit < address->length * 8u; bit++)
        if (below(2))
            address->bytes[bit / 8] ^= (unsigned char)(0x80u >> bit % 8);
}

/*
 * One rule in two is for IPv6. Of both: half single addresses, three in ten subnets (a /24 to /31, a /32 to /64), two in
 * ten ranges of up to 256 addresses that begin and end anywhere. `inside` is an address that it names.
 */
static int add_rule(weir_blocklist *list, weir_address *inside)
{
    weir_address end;
    bool ipv6 = below(2) != 0;
    unsigned kind = below(10);
    random_address(inside, ipv6);
    if (kind < 5)
        return weir_blocklist_add_address_of(list, inside);
    if (kind < 8) {
        unsigned prefix = ipv6 ? 32 + below(33) : 24 + below(8);
        int status = weir_blocklist_add_subnet_of(list, inside, (int)prefix);
        scatter(inside, prefix);
        return status;
    }
    end = *inside;
    end.bytes[end.length - 1] = (unsigned char)(end.bytes[end.length - 1] | below(256));
    return weir_blocklist_add_range_of(list, inside, &end);
}

/* `hits` gets addresses of rules that are evenly spread over the list. */
static weir_blocklist *build(size_t count, weir_address *hits)
{
    weir_blocklist *list = weir_blocklist_new();
    int status = list ? 0 : UV_ENOMEM;
    size_t step = count > QUESTIONS ? count / QUESTIONS : 1, kept = 0;
    for (size_t i = 0; i < count && status == 0; i++) {
        weir_address inside;
        status = add_rule(list, &inside);
        if (i % step == 0 && kept < QUESTIONS)
            hits[kept++] = inside;
    }
    if (status == 0)
        return list;
    bench_complain("building a list of %zu rules: %s", count, weir_error_text(status));
    weir_blocklist_release(list);
    return NULL;
}

/* Of few rules each is asked for again and again; in no order. */
static void spread(weir_address *hits, size_t count)
{
    for (size_t i = count; i < QUESTIONS; i++)
        hits[i] = hits[i - count];
    for (unsigned i = QUESTIONS - 1; i > 0; i--) {
        unsigned other = below(i + 1);
        weir_address kept = hits[i];
        hits[i] = hits[other];
        hits[other] = kept;
    }
}

static void find_misses(const weir_blocklist *list, weir_address *misses)
{
    for (size_t i = 0; i < QUESTIONS; i++)
        do
            random_address(&misses[i], i % 2 != 0);
        while (weir_blocklist_check_of(list, &misses[i]) != 0);
}

/* ---- time ---- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Nanoseconds of CPU a check; below 0 when an answer is wrong. */
static double measure(const weir_blocklist *list, const weir_address *addresses, size_t expected)
{
    size_t found = 0;
    double begin = seconds();
    for (size_t i = 0; i < QUESTIONS; i++)
        found += weir_blocklist_check_of(list, &addresses[i]) == 1;
    double spent = seconds() - begin;
    if (found != expected)
        return bench_complain("%zu of %d checks were hits, and not %zu", found, QUESTIONS, expected);
    return spent * 1e9 / QUESTIONS;
}

/* What is asked of every list, and room for what came of it. */
struct questions {
    weir_address *hits;
    weir_address *misses;
    double *hit_costs;
    double *miss_costs;
    unsigned rounds;
};

static int run_size(size_t count, const struct questions *asked)
{
    state = 0x9e3779b97f4a7c15u;
    size_t before = held;
    double begin = seconds();
    weir_blocklist *list = build(count, asked->hits);
    double spent = seconds() - begin;
    if (!list)
        return -1;
    spread(asked->hits, count);
    find_misses(list, asked->misses);
    int status = 0;
    for (unsigned i = 0; i < asked->rounds && status == 0; i++) {
        asked->hit_costs[i] = measure(list, asked->hits, QUESTIONS);
        asked->miss_costs[i] = measure(list, asked->misses, 0);
        status = asked->hit_costs[i] < 0 || asked->miss_costs[i] < 0 ? -1 : 0;
    }
    if (status == 0)
        printf("| %zu | %.0f | %.0f | %.0f | %.0f |\n", count, bench_median(asked->hit_costs, asked->rounds),
               bench_median(asked->miss_costs, asked->rounds), (double)(held - before) / (double)count,
               spent * 1e9 / (double)count);
    fflush(stdout);
    weir_blocklist_release(list);
    return status;
}

static int run(const struct questions *asked)
{
    int status = 0;
    printf("| rules | hit, ns/check | miss, ns/check | bytes/rule | adding, ns/rule |\n|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && status == 0; i++)
        status = run_size(sizes[i], asked);
    return status;
}

/* `rounds` is at most ROUNDS_MOST. */
static int ask_all(unsigned rounds)
{
    static weir_address hits[QUESTIONS], misses[QUESTIONS];
    static double hit_costs[ROUNDS_MOST], miss_costs[ROUNDS_MOST];
    static const weir_allocator counting = {counting_malloc, counting_realloc, counting_calloc, counting_free};
    const struct questions asked = {hits, misses, hit_costs, miss_costs, rounds};
    return weir_set_allocator(&counting) == 0 ? run(&asked) : -1;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"rounds", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    unsigned long rounds = ROUNDS;
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h') {
            printf("bench blocklist [--rounds N]   N rounds (%d) of %d checks that hit and as many that miss, for each "
                   "size of list\n",
                   ROUNDS, QUESTIONS);
            return 0;
        }
        char *end = NULL;
        rounds = option == 'r' ? strtoul(optarg, &end, 10) : 0;
        if (rounds < 1 || rounds > ROUNDS_MOST || !end || *end) {
            bench_complain("--rounds takes a number from 1 to %d; --help tells the options", ROUNDS_MOST);
            return 2;
        }
    }
    if (optind < argc) {
        bench_complain("what is '%s'? --help tells the options", argv[optind]);
        return 2;
    }
    return ask_all((unsigned)rounds) == 0 ? 0 : 1;
}
