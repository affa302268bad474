/* SPDX-License-Identifier: MIT */
/* Medians and the table. */
#include "report.h"

#include "complain.h"

#include <stdio.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

enum quantity { COST, RATE, LOAD };

static double quantity_of(const struct bench_sample *sample, enum quantity which)
{
    return which == COST ? sample->cost : which == RATE ? sample->rate : sample->load;
}

static double median_of(const struct bench_sample *samples, size_t count, enum quantity which, double *room)
{
    for (size_t i = 0; i < count; i++) {
        room[i] = quantity_of(&samples[i], which);
    }
    return bench_median(room, count);
}

void bench_print_head(const char *subject, const char *peer)
{
    printf("%-26s %-12s %-19s %-18s  %-21s  %-17s %s\n", "", "", "cost (median)", "ratio of cost", "rate (median)",
           "load's CPU", "");
    printf("%-26s %-12s %9.9s %9.9s %-18s %7.7s %7.7s %5s  %8.8s %8.8s %s\n", "row", "unit", subject, peer,
           "median (min-max)", subject, peer, "", subject, peer, "target");
}

/* A rate is printed short: 123k, 4567. */
static const char *short_rate(double rate, char *text, size_t size)
{
    snprintf(text, size, rate >= 10000 ? "%.1fk" : "%.0f", rate >= 10000 ? rate / 1000 : rate);
    return text;
}

static void short_share(double share, char *text, size_t size)
{
    snprintf(text, size, "%.0f%%", 100 * share);
}

int bench_print_row(const struct bench_series *series)
{
    const struct bench_row *row = series->row;
    size_t rounds = series->rounds;
    double *room = calloc(rounds, sizeof *room);
    if (room == NULL) {
        return bench_complain("out of memory");
    }
    double subject = median_of(series->subject, rounds, COST, room);
    double peer = median_of(series->peer, rounds, COST, room);
    char ratio[48];
    char rates[2][24] = {"", ""};
    char loads[2][24] = {"", ""};
    for (size_t i = 0; i < rounds; i++) {
        room[i] = series->subject[i].cost / series->peer[i].cost;
    }
    double middle = bench_median(room, rounds);
    snprintf(ratio, sizeof ratio, "%.2f (%.2f-%.2f)", middle, room[0], room[rounds - 1]);
    int met = (row->relative ? middle : subject) <= row->target;
    if (row->rate_unit[0] != '\0') {
        short_rate(median_of(series->subject, rounds, RATE, room), rates[0], sizeof rates[0]);
        short_rate(median_of(series->peer, rounds, RATE, room), rates[1], sizeof rates[1]);
        short_share(median_of(series->subject, rounds, LOAD, room), loads[0], sizeof loads[0]);
        short_share(median_of(series->peer, rounds, LOAD, room), loads[1], sizeof loads[1]);
    }
    printf("%-26s %-12s %9.2f %9.2f %-18s %7s %7s %-6s %8s %8s <= %.*f%s %s\n", row->name, row->unit, subject, peer,
           ratio, rates[0], rates[1], row->rate_unit, loads[0], loads[1], row->relative ? 2 : 0, row->target,
           row->relative ? "" : " bytes", met ? "met" : "MISSED");
    free(room);
    return met;
}
