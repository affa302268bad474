/* SPDX-License-Identifier: MIT */
/* What the rounds of a benchmark come to: medians, ratios of the same round, and a table of them. */
#ifndef WEIR_BENCH_REPORT_H
#define WEIR_BENCH_REPORT_H

#include <stddef.h>

/* One row on one side in one round. */
struct bench_sample {
    double cost; /* microseconds of CPU a request, or bytes a connection: less is better */
    double rate; /* requests, MiB or connections a second; 0 where there is none */
    double load; /* the load generator's CPU time by wall time, 0 to 1 */
};

struct bench_row {
    const char *name;
    const char *unit;      /* of the cost */
    const char *rate_unit; /* of the rate, "" where there is none */
    /* The subject's cost is to be at most this: times the peer's (`relative`), or as it stands. */
    double target;
    int relative;
};

/* Results of the rounds so far: `subject` and `peer` hold `rounds` samples each. */
struct bench_series {
    const struct bench_row *row;
    const struct bench_sample *subject;
    const struct bench_sample *peer;
    size_t rounds;
};

/* The median of `count` values (at least one), which it sorts. */
double bench_median(double *values, size_t count);

/* The table's head, for the two sides of that name. */
void bench_print_head(const char *subject, const char *peer);

/* One line of it. Whether the target is met; -1 when memory is short. */
int bench_print_row(const struct bench_series *series);

#endif
