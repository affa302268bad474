/* SPDX-License-Identifier: MIT */
/* bench_tls: the TLS layer against mbedTLS alone, and against other servers and terminators, interleaved in one run.
 * docs/benchmarks.md says what each row is and how to read the tables. */
#include "complain.h"
#include "run.h"
#include "tls_sides.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define KIB 1024u
#define MIB (1024u * 1024u)

enum {
    IDLE_CONNECTIONS = 1000,
    FILES_NEEDED = 2 * IDLE_CONNECTIONS + 500,
    /* Memory does not vary: so many rounds tell it. */
    IDLE_ROUNDS = 3,
};

enum { FULL, RESUMED, EXCHANGE, STREAM, STREAMS, IDLE, ROWS };

static const struct bench_workload workloads[ROWS] = {
    [FULL] = {{"full handshake", "us/conn", "conn/s", 0, 1}, "connect", 16, 64, 32, 256, 1},
    [RESUMED] = {{"resumed handshake", "us/conn", "conn/s", 0, 1}, "reconnect", 16, 64, 128, 2048, 1},
    [EXCHANGE] = {{"ping-pong 64 x 64 B", "us/request", "req/s", 0, 1}, "ping-pong", 64, 64, 5000, 50000, 1},
    [STREAM] = {{"stream 1", "us/64 KiB", "MiB/s", 0, 1}, "stream", 1, 256 * KIB, 16 * MIB, 128 * MIB, 64 * KIB},
    [STREAMS] = {{"stream 8", "us/64 KiB", "MiB/s", 0, 1}, "stream", 8, 256 * KIB, 16 * MIB, 128 * MIB, 64 * KIB},
    [IDLE] = {{"idle memory", "bytes/conn", "", 0, 0}, "idle", 0, 64, 100, IDLE_CONNECTIONS, 1},
};

/* What one row of one round came to, of all that take part. */
struct tls_round {
    struct bench_sample sides[TLS_SIDES];
    double buffers; /* row "idle memory": of what mbedTLS keeps for a session, its two record buffers */
};

struct bench {
    struct bench_run run;
    bool takes_part[TLS_SIDES];
    struct tls_round *all;
};

/* The columns of the tables, in their order. LIMIT: mbedTLS alone and weir without TLS. */
enum { LIMIT = TLS_SIDES };
static const unsigned columns[] = {TLS_WEIR,    LIMIT,     TLS_MBEDTLS, TLS_PLAIN,  TLS_NODE,
                                   TLS_FORWARD, TLS_NGINX, TLS_HAPROXY, TLS_STUNNEL};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* ---- rounds ---- */

static struct tls_round *round_of(const struct bench *bench, size_t row, size_t round)
{
    return bench->all + row * bench->run.rounds + round;
}

static unsigned rounds_of(const struct bench *bench, size_t row)
{
    return row == IDLE && bench->run.rounds > IDLE_ROUNDS ? IDLE_ROUNDS : bench->run.rounds;
}

static bool chosen(const struct bench *bench, size_t row)
{
    return bench->run.only == NULL || strstr(workloads[row].row.name, bench->run.only) != NULL;
}

static int measure(struct bench *bench, enum tls_side side, size_t row, struct tls_round *round)
{
    struct bench_workload workload = workloads[row];
    struct tls_server server;
    const char *load = side == TLS_PLAIN ? WEIR_BENCH_LOAD : WEIR_BENCH_TLS_LOAD;
    if (side == TLS_MBEDTLS) {
        return tls_ask_mbedtls(&bench->run, &workload, &round->sides[side], &round->buffers);
    }
    /* Without TLS there is nothing to be resumed. */
    if (side == TLS_PLAIN && row == RESUMED) {
        workload.mode = "connect";
    }
    int result = tls_start(&bench->run, side, &server);
    if (result == 0) {
        result = bench_measure(&bench->run, &workload, load, server.address, &server.server, &round->sides[side]);
    }
    result = tls_stop(side, &server, result);
    if (result < 0) {
        bench_complain("this was \"%s\" with %s; what it wrote:", workload.row.name, tls_kinds[side].name);
        bench_show_log(&bench->run);
    }
    return result;
}

static void note(const struct bench *bench, unsigned round, size_t row, enum tls_side side)
{
    const struct bench_sample *sample = &round_of(bench, row, round)->sides[side];
    if (bench->run.samples != NULL) {
        fprintf(bench->run.samples, "%u\t%s\t%s\t%.4f\t%.2f\t%.3f\n", round + 1, workloads[row].row.name,
                tls_kinds[side].name, sample->cost, sample->rate, sample->load);
    }
}

static int run_row(struct bench *bench, size_t row, unsigned round)
{
    for (size_t turn = 0; turn < TLS_SIDES; turn++) {
        /* Who goes first changes with every round and row. */
        enum tls_side side = (enum tls_side)((turn + round + row) % TLS_SIDES);
        if (!bench->takes_part[side]) {
            continue;
        }
        if (bench_interrupted() || measure(bench, side, row, round_of(bench, row, round)) < 0) {
            return -1;
        }
        note(bench, round, row, side);
    }
    return 0;
}

static int run_rounds(struct bench *bench)
{
    for (unsigned round = 0; round < bench->run.rounds; round++) {
        bench_show_round(&bench->run, round);
        for (size_t row = 0; row < ROWS; row++) {
            if (chosen(bench, row) && round < rounds_of(bench, row) && run_row(bench, row, round) < 0) {
                return -1;
            }
        }
    }
    bench_show_round(&bench->run, bench->run.rounds);
    return 0;
}

/* ---- tables ---- */

static bool has_column(const struct bench *bench, unsigned column)
{
    return column == LIMIT ? bench->takes_part[TLS_MBEDTLS] && bench->takes_part[TLS_PLAIN] : bench->takes_part[column];
}

static double cost_of(const struct tls_round *round, unsigned column)
{
    return column == LIMIT ? round->sides[TLS_MBEDTLS].cost + round->sides[TLS_PLAIN].cost : round->sides[column].cost;
}

static double median_of(const struct bench *bench, size_t row, unsigned column, bool rate, double *room)
{
    unsigned rounds = rounds_of(bench, row);
    for (unsigned i = 0; i < rounds; i++) {
        const struct tls_round *round = round_of(bench, row, i);
        room[i] = rate ? round->sides[column].rate : cost_of(round, column);
    }
    return bench_median(room, rounds);
}

static void print_number(double value)
{
    printf(" %9.*f", value < 1000 ? 2 : 0, value);
}

static void print_head(const struct bench *bench, const char *what)
{
    printf("\n%-20s %-11s", what, "unit");
    for (size_t i = 0; i < COLUMNS; i++) {
        if (has_column(bench, columns[i])) {
            printf(" %9s", columns[i] == LIMIT ? "limit" : tls_kinds[columns[i]].name);
        }
    }
    putchar('\n');
}

static void print_costs(const struct bench *bench, double *room)
{
    print_head(bench, "cost (median)");
    for (size_t row = 0; row < ROWS; row++) {
        if (!chosen(bench, row)) {
            continue;
        }
        printf("%-20s %-11s", workloads[row].row.name, workloads[row].row.unit);
        for (size_t i = 0; i < COLUMNS; i++) {
            if (has_column(bench, columns[i])) {
                print_number(median_of(bench, row, columns[i], false, room));
            }
        }
        putchar('\n');
    }
}

static void print_rates(const struct bench *bench, double *room)
{
    print_head(bench, "rate (median)");
    for (size_t row = 0; row < IDLE; row++) {
        if (!chosen(bench, row)) {
            continue;
        }
        printf("%-20s %-11s", workloads[row].row.name, workloads[row].row.rate_unit);
        for (size_t i = 0; i < COLUMNS; i++) {
            if (!has_column(bench, columns[i])) {
                continue;
            }
            if (columns[i] == LIMIT || columns[i] == TLS_MBEDTLS) {
                printf(" %9s", "-");
            } else {
                print_number(median_of(bench, row, columns[i], true, room));
            }
        }
        putchar('\n');
    }
}

/* ---- targets ---- */

struct goal {
    size_t row;
    unsigned subject;
    unsigned peer;
    double most; /* times the peer's */
    const char *text;
};

static const struct goal goals[] = {
    {STREAM, TLS_WEIR, LIMIT, 1.10, "weir by limit"},
    {STREAMS, TLS_WEIR, LIMIT, 1.10, "weir by limit"},
    {RESUMED, TLS_WEIR, TLS_STUNNEL, 1, "weir by stunnel"},
    {RESUMED, TLS_FORWARD, TLS_STUNNEL, 1, "weir fwd by stunnel"},
    {EXCHANGE, TLS_WEIR, TLS_NODE, 1, "weir by node"},
    {EXCHANGE, TLS_WEIR, TLS_STUNNEL, 1, "weir by stunnel"},
    {EXCHANGE, TLS_FORWARD, TLS_STUNNEL, 1, "weir fwd by stunnel"},
};

/* Bytes a connection may keep beside what the library keeps for it. */
#define MEMORY_MOST 4096.0

static void print_goal(const struct bench *bench, const struct goal *goal, double *room)
{
    unsigned rounds = rounds_of(bench, goal->row);
    for (unsigned i = 0; i < rounds; i++) {
        const struct tls_round *round = round_of(bench, goal->row, i);
        room[i] = cost_of(round, goal->subject) / cost_of(round, goal->peer);
    }
    double middle = bench_median(room, rounds);
    printf("%-20s %-20s %6.2f (%.2f-%.2f)  at most %.2f  %s\n", workloads[goal->row].row.name, goal->text, middle,
           room[0], room[rounds - 1], goal->most, middle <= goal->most ? "met" : "MISSED");
}

static void print_memory_goal(const struct bench *bench, double *room)
{
    double weir = median_of(bench, IDLE, TLS_WEIR, false, room);
    double session = median_of(bench, IDLE, TLS_MBEDTLS, false, room);
    double buffers = round_of(bench, IDLE, 0)->buffers;
    printf("%-20s %-20s %6.0f bytes over what mbedTLS keeps (%.0f; %.0f in its two buffers)  at most %.0f  %s\n",
           workloads[IDLE].row.name, "weir", weir - session, session, buffers, MEMORY_MOST,
           weir - session <= MEMORY_MOST ? "met" : "MISSED");
}

static void print_goals(const struct bench *bench, double *room)
{
    printf("\n%-20s %-20s %s\n", "target", "", "cost by cost, of the same round: median (min-max)");
    for (size_t i = 0; i < sizeof goals / sizeof goals[0]; i++) {
        if (chosen(bench, goals[i].row) && has_column(bench, goals[i].subject) && has_column(bench, goals[i].peer)) {
            print_goal(bench, &goals[i], room);
        }
    }
    if (chosen(bench, IDLE) && has_column(bench, TLS_WEIR) && has_column(bench, TLS_MBEDTLS)) {
        print_memory_goal(bench, room);
    }
}

static int print_tables(const struct bench *bench)
{
    struct utsname kernel;
    double *room = calloc(bench->run.rounds, sizeof *room);
    if (room == NULL) {
        return bench_complain("out of memory");
    }
    uname(&kernel);
    printf("tls: TLS 1.2, ECDHE-ECDSA-AES128-GCM-SHA256, P-256, certificate P-256; %u interleaved rounds%s\n"
           "%s %s, server on CPU %d, load and plain backend on CPU %d; TCP congestion control " BENCH_CONGESTION
           " (private network)\n"
           "cost: CPU time of the server's process, or its resident memory; limit: mbedTLS alone + plain (weir's echo "
           "without TLS)\n"
           "weir, node: echo servers; weir fwd, nginx, haproxy, stunnel: terminators before a plain echo server\n",
           bench->run.rounds, bench->run.quick ? " of an eighth of the work" : "", kernel.sysname, kernel.release,
           bench->run.server_cpu, bench->run.load_cpu);
    print_costs(bench, room);
    print_rates(bench, room);
    print_goals(bench, room);
    if (bench->run.rounds < 15) {
        puts("\nFewer than 15 rounds: for trying, not for judging.");
    }
    free(room);
    return 0;
}

static int run(struct bench *bench)
{
    bench->all = calloc((size_t)ROWS * bench->run.rounds, sizeof *bench->all);
    if (bench->all == NULL) {
        return bench_complain("out of memory");
    }
    int result = tls_make_certificate(&bench->run);
    if (result == 0) {
        result = run_rounds(bench);
    }
    if (result == 0) {
        result = print_tables(bench);
    }
    tls_clean(&bench->run);
    free(bench->all);
    return result;
}

/* ---- the command line ---- */

static const char usage[] =
    "usage: bench_tls [OPTION]...\n"
    "Compare the CPU time and memory of TLS servers, in rounds that alternate between them.\n"
    "  --quick            3 rounds of an eighth of the work, for trying\n"
    "  --rounds N         rounds (15)\n"
    "  --only TEXT        only rows whose name contains TEXT\n"
    "  --sides LIST       only these, separated by commas: weir,node,plain,mbedTLS,weir fwd,nginx,haproxy,stunnel\n"
    "  --samples FILE     every round's values, tab separated: round, row, side, cost, rate, the load's CPU\n"
    "Who is not installed does not take part, and is named.\n";

static int choose_sides(struct bench *bench, const char *list)
{
    memset(bench->takes_part, 0, sizeof bench->takes_part);
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        size_t side = 0;
        while (side < TLS_SIDES &&
               (strlen(tls_kinds[side].name) != length || strncmp(list, tls_kinds[side].name, length) != 0)) {
            side++;
        }
        if (side == TLS_SIDES) {
            return bench_complain("--sides %s: not one of the sides (--help)", list);
        }
        bench->takes_part[side] = true;
        list += length + (list[length] == ',');
    }
    return 0;
}

/* 0, -1 after saying why, 1 when all was said. */
static int parse_options(struct bench *bench, int argc, char **argv)
{
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"sides", required_argument, NULL, 's'},
                                            {"samples", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int letter;
    memset(bench->takes_part, 1, sizeof bench->takes_part);
    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'h') {
            fputs(usage, stdout);
            return 1;
        }
        int result = letter == 's' ? choose_sides(bench, optarg) : bench_take_option(&bench->run, letter, optarg);
        if (result < 0) {
            return -1;
        }
    }
    bench->run.rounds = bench->run.rounds == 0 ? 15 : bench->run.rounds;
    return optind == argc ? 0 : bench_complain("%s: not understood (--help)", argv[optind]);
}

static int some_row_is_chosen(const struct bench *bench)
{
    for (size_t row = 0; row < ROWS; row++) {
        if (chosen(bench, row)) {
            return 0;
        }
    }
    return bench_complain("no row has this name; the rows are named as in the table");
}

static void leave_out_who_is_missing(struct bench *bench)
{
    for (size_t side = 0; side < TLS_SIDES; side++) {
        if (bench->takes_part[side] && !tls_is_there((enum tls_side)side)) {
            bench->takes_part[side] = false;
            printf("%s is not installed and takes no part: apt-get install %s\n", tls_kinds[side].name,
                   tls_kinds[side].packages);
        }
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct bench bench = {.all = NULL};
    int result = parse_options(&bench, argc, argv);
    if (result != 0) {
        return result < 0 ? 2 : 0;
    }
    leave_out_who_is_missing(&bench);
    if (some_row_is_chosen(&bench) < 0 || bench_begin(&bench.run, FILES_NEEDED) < 0) {
        return 1;
    }
    result = run(&bench);
    return bench_end(&bench.run) < 0 || result < 0 ? 1 : 0;
}
