/* SPDX-License-Identifier: MIT */
/* bench_echo: `weir run` with the echo handler against a plain libuv echo server, interleaved in one run.
 * docs/benchmarks.md says what each row is and how to read the table. */
#include "complain.h"
#include "run.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    IDLE_CONNECTIONS = 5000,
    /* Descriptors: the idle connections and what a program needs besides. */
    FILES_NEEDED = IDLE_CONNECTIONS + 500,
};

#define KIB 1024u
#define MIB (1024u * 1024u)
#define EXCHANGE(name, most)                 \
    {                                        \
        name, "us/request", "req/s", most, 1 \
    }
#define BULK(name)                             \
    {                                          \
        name, "us/64 KiB", "MiB/s", 1 / 1.3, 1 \
    }

static const struct bench_workload workloads[] = {
    {EXCHANGE("ping-pong 1 x 64 B", 1.10), "ping-pong", 1, 64, 2000, 20000, 1},
    {EXCHANGE("ping-pong 64 x 64 B", 1.10), "ping-pong", 64, 64, 10000, 100000, 1},
    {EXCHANGE("ping-pong 1000 x 64 B", 1.15), "ping-pong", 1000, 64, 10000, 100000, 1},
    {EXCHANGE("ping-pong 64 x 16 KiB", 1.10), "ping-pong", 64, 16 * KIB, 4000, 40000, 1},
    {BULK("stream 1"), "stream", 1, 256 * KIB, 128 * MIB, 1536ull * MIB, 64 * KIB},
    {BULK("stream 8"), "stream", 8, 256 * KIB, 128 * MIB, 1536ull * MIB, 64 * KIB},
    {{"connect, 64 B, close", "us/conn", "conn/s", 1.15, 1}, "connect", 64, 64, 1000, 10000, 1},
    {{"idle memory", "bytes/conn", "", 1024, 0}, "idle", 0, 64, 100, IDLE_CONNECTIONS, 1},
};

enum { WORKLOADS = sizeof workloads / sizeof workloads[0] };

/* One of the two that are compared. */
struct side {
    const char *name;
    bool raw;
    const char *buffer; /* of a raw server, KiB as text */
    char program[512];
    char plugins[512];
};

struct bench {
    struct bench_run run;
    struct side sides[2];
    const char *transport;
    char service[96];
};

static const char *const transports[] = {"tcp", "ipc"};
enum { TRANSPORTS = 2, SIDES = 2 };

/* ---- a server ---- */

static int write_service(const struct bench *bench, const char *address)
{
    char url[256];
    FILE *file = fopen(bench->service, "we");
    if (file == NULL) {
        return bench_complain("open %s: %s", bench->service, strerror(errno));
    }
    if (strncmp(address, "tcp:", 4) == 0) {
        snprintf(url, sizeof url, "tcp://127.0.0.1:%s", address + 4);
    } else {
        snprintf(url, sizeof url, "%s", address);
    }
    fprintf(file, "{ \"servers\": [ { \"name\": \"echo\", \"listen\": \"%s\", \"handler\": \"echo\" } ] }\n", url);
    return fclose(file) == 0 ? 0 : bench_complain("write %s: %s", bench->service, strerror(errno));
}

static int start_server(struct bench *bench, struct side *side, const char *address, struct bench_process *server)
{
    static char run[] = "run";
    char *where = strdup(address);
    char *buffer = strdup(side->raw ? side->buffer : "");
    if (where == NULL || buffer == NULL) {
        free(where);
        free(buffer);
        return bench_complain("out of memory");
    }
    char *const raw[] = {side->program, where, buffer, NULL};
    char *const weir[] = {side->program, run, bench->service, NULL};
    int result = side->raw ? 0 : write_service(bench, address);
    if (result == 0 && !side->raw && setenv("WEIR_PLUGIN_PATH", side->plugins, 1) != 0) {
        result = bench_complain("setenv: %s", strerror(errno));
    }
    if (result == 0) {
        unlink(bench->run.log);
        result = bench_start(server, side->raw ? raw : weir, bench->run.server_cpu, 0, bench->run.log);
    }
    if (result == 0) {
        result = bench_wait_until_it_listens(server, address);
    }
    free(where);
    free(buffer);
    return result;
}

/* ---- one measurement: a server, and one load on it ---- */

static int measure(struct bench *bench, const struct bench_workload *workload, const char *transport, struct side *side,
                   struct bench_sample *sample)
{
    struct bench_process server = {-1, -1, -1};
    char address[160];
    unsigned port = bench_next_port(&bench->run);
    if (strcmp(transport, "tcp") == 0) {
        snprintf(address, sizeof address, "tcp:%u", port);
    } else {
        snprintf(address, sizeof address, "ipc:%s/%u.sock", bench->run.folder, port);
    }
    int result = start_server(bench, side, address, &server);
    if (result == 0) {
        result = bench_measure(&bench->run, workload, WEIR_BENCH_LOAD, address, &server, sample);
    }
    result = bench_stop_server(&server, SIGTERM, result);
    if (strcmp(transport, "ipc") == 0) {
        unlink(address + 4);
    }
    if (result < 0) {
        bench_complain("this was \"%s %s\" with %s; what it wrote:", transport, workload->row.name, side->name);
        bench_show_log(&bench->run);
    }
    return result;
}

/* ---- all rounds ---- */

static bool chosen(const struct bench *bench, const struct bench_workload *workload, const char *transport)
{
    return (bench->transport == NULL || strcmp(bench->transport, transport) == 0) &&
           (bench->run.only == NULL || strstr(workload->row.name, bench->run.only) != NULL);
}

static struct bench_sample *samples_of(struct bench_sample *all, const struct bench *bench, size_t transport,
                                       size_t workload, size_t side)
{
    return all + ((transport * WORKLOADS + workload) * SIDES + side) * bench->run.rounds;
}

static void note(const struct bench *bench, unsigned round, const char *transport,
                 const struct bench_workload *workload, const struct side *side, const struct bench_sample *sample)
{
    if (bench->run.samples != NULL) {
        fprintf(bench->run.samples, "%u\t%s\t%s\t%s\t%.4f\t%.2f\t%.3f\n", round + 1, transport, workload->row.name,
                side->name, sample->cost, sample->rate, sample->load);
    }
}

static int run_round(struct bench *bench, struct bench_sample *all, unsigned round)
{
    for (size_t t = 0; t < TRANSPORTS; t++) {
        for (size_t w = 0; w < WORKLOADS; w++) {
            if (!chosen(bench, &workloads[w], transports[t])) {
                continue;
            }
            for (size_t turn = 0; turn < SIDES; turn++) {
                /* Who goes first changes with every round and row. */
                size_t s = (turn + round + w) % SIDES;
                struct bench_sample *sample = samples_of(all, bench, t, w, s) + round;
                if (bench_interrupted() || measure(bench, &workloads[w], transports[t], &bench->sides[s], sample) < 0) {
                    return -1;
                }
                note(bench, round, transports[t], &workloads[w], &bench->sides[s], sample);
            }
        }
    }
    return 0;
}

static void print_table(const struct bench *bench, struct bench_sample *all)
{
    struct utsname kernel;
    uname(&kernel);
    printf("echo: %s against %s; %u interleaved rounds%s; TCP congestion control " BENCH_CONGESTION
           " (private network)\n"
           "%s %s, server on CPU %d, load on CPU %d; cost: CPU time of the server, or its resident memory\n\n",
           bench->sides[0].name, bench->sides[1].name, bench->run.rounds,
           bench->run.quick ? " of an eighth of the work" : "", kernel.sysname, kernel.release, bench->run.server_cpu,
           bench->run.load_cpu);
    bench_print_head(bench->sides[0].name, bench->sides[1].name);
    for (size_t t = 0; t < TRANSPORTS; t++) {
        for (size_t w = 0; w < WORKLOADS; w++) {
            if (!chosen(bench, &workloads[w], transports[t])) {
                continue;
            }
            char name[64];
            struct bench_row row = workloads[w].row;
            snprintf(name, sizeof name, "%s %s", transports[t], row.name);
            row.name = name;
            struct bench_series series = {&row, samples_of(all, bench, t, w, 0), samples_of(all, bench, t, w, 1),
                                          bench->run.rounds};
            bench_print_row(&series);
        }
    }
    if (bench->run.rounds < 15) {
        puts("\nFewer than 15 rounds: for trying, not for judging.");
    }
}

static int run(struct bench *bench)
{
    struct bench_sample *all = calloc((size_t)TRANSPORTS * WORKLOADS * SIDES * bench->run.rounds, sizeof *all);
    if (all == NULL) {
        return bench_complain("out of memory");
    }
    int result = 0;
    for (unsigned round = 0; round < bench->run.rounds && result == 0; round++) {
        bench_show_round(&bench->run, round);
        result = run_round(bench, all, round);
    }
    bench_show_round(&bench->run, bench->run.rounds);
    if (result == 0) {
        print_table(bench, all);
    }
    free(all);
    return result;
}

/* ---- the command line, and what has to be so before we begin ---- */

static const char usage[] =
    "usage: bench_echo [OPTION]...\n"
    "Compare the CPU time and memory of two echo servers, in rounds that alternate between them.\n"
    "  --quick            3 rounds of an eighth of the work, for trying\n"
    "  --rounds N         rounds (15)\n"
    "  --only TEXT        only rows whose name contains TEXT\n"
    "  --transport NAME   only tcp or only ipc\n"
    "  --subject SIDE     who is measured (weir)\n"
    "  --peer SIDE        against whom (raw)\n"
    "  --samples FILE     every round's values, tab separated: round, transport, row, side, cost, rate,\n"
    "                     the load's CPU\n"
    "A SIDE is weir, weir:BUILD-FOLDER (another build of it), raw (plain libuv with a buffer of 64 KiB) or raw:KIB.\n";

static int parse_side(struct side *side, const char *text)
{
    const char *detail = strchr(text, ':');
    size_t length = detail == NULL ? strlen(text) : (size_t)(detail - text);
    side->name = text;
    side->raw = length == 3 && strncmp(text, "raw", 3) == 0;
    if (!side->raw && !(length == 4 && strncmp(text, "weir", 4) == 0)) {
        return bench_complain("%s: a side is weir, weir:BUILD-FOLDER, raw or raw:KIB", text);
    }
    if (side->raw) {
        side->buffer = detail == NULL ? "64" : detail + 1;
        snprintf(side->program, sizeof side->program, "%s", WEIR_BENCH_RAW);
    } else if (detail == NULL) {
        snprintf(side->program, sizeof side->program, "%s", WEIR_BENCH_PROGRAM);
        snprintf(side->plugins, sizeof side->plugins, "%s", WEIR_BENCH_PLUGINS);
    } else {
        side->name = "weir:..";
        snprintf(side->program, sizeof side->program, "%.400s/cli/weir", detail + 1);
        snprintf(side->plugins, sizeof side->plugins, "%.400s/plugins", detail + 1);
    }
    return access(side->program, X_OK) == 0 ? 0 : bench_complain("%s: %s", side->program, strerror(errno));
}

/* 0, -1 after saying why, 1 when all was said. */
static int parse_options(struct bench *bench, int argc, char **argv)
{
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"transport", required_argument, NULL, 't'},
                                            {"subject", required_argument, NULL, 's'},
                                            {"peer", required_argument, NULL, 'p'},
                                            {"samples", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *subject = "weir";
    const char *peer = "raw";
    int letter;
    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (letter) {
        case 't':
            bench->transport = optarg;
            break;
        case 's':
            subject = optarg;
            break;
        case 'p':
            peer = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 1;
        default:
            if (bench_take_option(&bench->run, letter, optarg) < 0) {
                return -1;
            }
        }
    }
    if (optind != argc) {
        return bench_complain("%s: not understood (--help)", argv[optind]);
    }
    bench->run.rounds = bench->run.rounds == 0 ? 15 : bench->run.rounds;
    return parse_side(&bench->sides[0], subject) < 0 || parse_side(&bench->sides[1], peer) < 0 ? -1 : 0;
}

static int some_row_is_chosen(const struct bench *bench)
{
    for (size_t i = 0; i < (size_t)TRANSPORTS * WORKLOADS; i++) {
        if (chosen(bench, &workloads[i % WORKLOADS], transports[i / WORKLOADS])) {
            return 0;
        }
    }
    return bench_complain("no row has this name and transport; the rows are, over tcp and ipc, named as in the table");
}

int main(int argc, char **argv)
{
    struct bench bench = {.transport = NULL};
    int result = parse_options(&bench, argc, argv);
    if (result != 0) {
        return result < 0 ? 2 : 0;
    }
    if (some_row_is_chosen(&bench) < 0 || bench_begin(&bench.run, FILES_NEEDED) < 0) {
        return 1;
    }
    snprintf(bench.service, sizeof bench.service, "%s/service.json", bench.run.folder);
    result = run(&bench);
    unlink(bench.service);
    return bench_end(&bench.run) < 0 || result < 0 ? 1 : 0;
}
