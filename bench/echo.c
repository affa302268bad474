/* SPDX-License-Identifier: MIT */
/* bench_echo: `weir run` with the echo handler against a plain libuv echo server, interleaved in one run.
 * docs/benchmarks.md says what each row is and how to read the table. */
#include "complain.h"
#include "isolation.h"
#include "process.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONGESTION "reno"

enum {
    IDLE_CONNECTIONS = 5000,
    /* Descriptors: the idle connections and what a program needs besides. */
    FILES_NEEDED = IDLE_CONNECTIONS + 500,
    FIRST_PORT = 2000,
    LAST_PORT = 30000,
    LOAD_SECONDS = 60,
    QUICKER = 8,
};

struct workload {
    struct bench_row row;
    const char *mode;
    unsigned connections;
    unsigned size;
    uint64_t warm;
    uint64_t work;
    /* How much of the work one unit of cost is. */
    uint64_t unit;
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

static const struct workload workloads[] = {
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
    struct side sides[2];
    unsigned rounds;
    bool quick;
    const char *only;
    const char *transport;
    FILE *samples;
    int server_cpu;
    int load_cpu;
    char folder[64];
    char log[96];
    char service[96];
    unsigned next_port;
};

static const char *const transports[] = {"tcp", "ipc"};
enum { TRANSPORTS = 2, SIDES = 2 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

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

static int connects(const char *address)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_un un;
    } to;
    memset(&to, 0, sizeof to);
    socklen_t length = sizeof to.in;
    if (strncmp(address, "tcp:", 4) == 0) {
        to.in.sin_family = AF_INET;
        to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.in.sin_port = htons((uint16_t)atoi(address + 4));
    } else {
        length = sizeof to.un;
        to.un.sun_family = AF_UNIX;
        memcpy(to.un.sun_path, address + 4, strnlen(address + 4, sizeof to.un.sun_path - 1));
    }
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = fd >= 0 && connect(fd, &to.any, length) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

static int wait_until_it_listens(const struct bench_process *server, const char *address)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    for (int i = 0; i < 5000 && !interrupted; i++) {
        if (connects(address)) {
            return 0;
        }
        if (!bench_alive(server)) {
            return bench_complain("the server ended before it listened on %s", address);
        }
        nanosleep(&pause, NULL);
    }
    return bench_complain("the server does not listen on %s", address);
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
        unlink(bench->log);
        result = bench_start(server, side->raw ? raw : weir, bench->server_cpu, 0, bench->log);
    }
    if (result == 0) {
        result = wait_until_it_listens(server, address);
    }
    free(where);
    free(buffer);
    return result;
}

/* ---- one measurement: a server, and one load on it ---- */

static int start_load(struct bench *bench, const struct workload *workload, const char *address,
                      struct bench_process *load)
{
    char words[6][32];
    uint64_t work = bench->quick && workload->connections > 0 ? workload->work / QUICKER : workload->work;
    snprintf(words[0], sizeof words[0], "--connections=%u", workload->connections);
    snprintf(words[1], sizeof words[1], "--size=%u", workload->size);
    snprintf(words[2], sizeof words[2], "--warm=%" PRIu64, workload->warm);
    snprintf(words[3], sizeof words[3], "--work=%" PRIu64, work);
    snprintf(words[4], sizeof words[4], "--seconds=%d", LOAD_SECONDS);
    snprintf(words[5], sizeof words[5], "%s", workload->mode);
    static char program[] = WEIR_BENCH_LOAD;
    char where[160];
    snprintf(where, sizeof where, "%s", address);
    char *const argv[] = {program, words[0], words[1], words[2], words[3], words[4], words[5], where, NULL};
    return bench_start(load, argv, bench->load_cpu, 1, bench->log);
}

static int cost_so_far(const struct workload *workload, const struct bench_process *server, uint64_t *cost)
{
    return workload->row.relative ? bench_cpu_time(server, cost) : bench_resident(server, cost);
}

static int run_load(struct bench *bench, const struct workload *workload, const struct bench_process *server,
                    struct bench_process *load, struct bench_sample *sample)
{
    char line[128];
    uint64_t before;
    uint64_t after;
    uint64_t wall;
    uint64_t cpu;
    int patience = (LOAD_SECONDS + 5) * 1000;
    if (bench_hear(load, line, sizeof line, patience) < 0 || cost_so_far(workload, server, &before) < 0 ||
        bench_tell(load, "go") < 0 || bench_hear(load, line, sizeof line, patience) < 0 ||
        cost_so_far(workload, server, &after) < 0) {
        return -1;
    }
    if (sscanf(line, "done %" SCNu64 " %" SCNu64, &wall, &cpu) != 2 || wall == 0) {
        return bench_complain("the load generator says: %s", line);
    }
    uint64_t work = bench->quick && workload->connections > 0 ? workload->work / QUICKER : workload->work;
    double units = (double)work / (double)workload->unit;
    double seconds = (double)wall / 1e9;
    double cost = after > before ? (double)(after - before) : 0;
    sample->cost = workload->row.relative ? cost / 1000 / units : cost / units;
    sample->rate = workload->unit == 1 ? units / seconds : (double)work / MIB / seconds;
    sample->load = (double)cpu / (double)wall;
    return bench_tell(load, "end");
}

static void show_log(const struct bench *bench)
{
    char line[512];
    FILE *file = fopen(bench->log, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        fprintf(stderr, "  %s", line);
    }
    if (file != NULL) {
        fclose(file);
    }
}

static int measure(struct bench *bench, const struct workload *workload, const char *transport, struct side *side,
                   struct bench_sample *sample)
{
    struct bench_process server = {-1, -1, -1};
    struct bench_process load = {-1, -1, -1};
    char address[160];
    /* A port of its own for each server: the closed connections of the one before are not in its way. */
    unsigned port = bench->next_port;
    bench->next_port = port == LAST_PORT ? FIRST_PORT : port + 1;
    if (strcmp(transport, "tcp") == 0) {
        snprintf(address, sizeof address, "tcp:%u", port);
    } else {
        snprintf(address, sizeof address, "ipc:%s/%u.sock", bench->folder, port);
    }
    int result = start_server(bench, side, address, &server);
    if (result == 0) {
        result = start_load(bench, workload, address, &load);
    }
    if (result == 0) {
        result = run_load(bench, workload, &server, &load, sample);
    }
    int status = bench_stop(&load, result == 0 ? 0 : SIGTERM);
    if (result == 0 && status != 0) {
        result = bench_complain("the load generator failed (wait status %d)", status);
    }
    status = bench_stop(&server, SIGTERM);
    if (result == 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM) {
        result = bench_complain("the server was ended by signal %d", WTERMSIG(status));
    }
    if (strcmp(transport, "ipc") == 0) {
        unlink(address + 4);
    }
    if (result < 0) {
        bench_complain("this was \"%s %s\" with %s; what it wrote:", transport, workload->row.name, side->name);
        show_log(bench);
    }
    return result;
}

/* ---- all rounds ---- */

static bool chosen(const struct bench *bench, const struct workload *workload, const char *transport)
{
    return (bench->transport == NULL || strcmp(bench->transport, transport) == 0) &&
           (bench->only == NULL || strstr(workload->row.name, bench->only) != NULL);
}

static struct bench_sample *samples_of(struct bench_sample *all, const struct bench *bench, size_t transport,
                                       size_t workload, size_t side)
{
    return all + ((transport * WORKLOADS + workload) * SIDES + side) * bench->rounds;
}

static void note(const struct bench *bench, unsigned round, const char *transport, const struct workload *workload,
                 const struct side *side, const struct bench_sample *sample)
{
    if (bench->samples != NULL) {
        fprintf(bench->samples, "%u\t%s\t%s\t%s\t%.4f\t%.2f\t%.3f\n", round + 1, transport, workload->row.name,
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
                if (interrupted || measure(bench, &workloads[w], transports[t], &bench->sides[s], sample) < 0) {
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
    printf("echo: %s against %s; %u interleaved rounds%s; TCP congestion control " CONGESTION " (private network)\n"
           "%s %s, server on CPU %d, load on CPU %d; cost: CPU time of the server, or its resident memory\n\n",
           bench->sides[0].name, bench->sides[1].name, bench->rounds, bench->quick ? " of an eighth of the work" : "",
           kernel.sysname, kernel.release, bench->server_cpu, bench->load_cpu);
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
                                          bench->rounds};
            bench_print_row(&series);
        }
    }
    if (bench->rounds < 15) {
        puts("\nFewer than 15 rounds: for trying, not for judging.");
    }
}

static int run(struct bench *bench)
{
    struct bench_sample *all = calloc((size_t)TRANSPORTS * WORKLOADS * SIDES * bench->rounds, sizeof *all);
    if (all == NULL) {
        return bench_complain("out of memory");
    }
    int result = 0;
    for (unsigned round = 0; round < bench->rounds && result == 0; round++) {
        if (isatty(STDERR_FILENO)) {
            fprintf(stderr, "\rround %u of %u ", round + 1, bench->rounds);
        }
        result = run_round(bench, all, round);
    }
    if (isatty(STDERR_FILENO)) {
        fputs("\r                    \r", stderr);
    }
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

static int parse_rounds(const char *text, unsigned *rounds)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > 1000) {
        return bench_complain("--rounds %s: 1 to 1000", text);
    }
    *rounds = (unsigned)value;
    return 0;
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
        case 'q':
            bench->quick = true;
            bench->rounds = bench->rounds == 0 ? 3 : bench->rounds;
            break;
        case 'r':
            if (parse_rounds(optarg, &bench->rounds) < 0) {
                return -1;
            }
            break;
        case 'o':
            bench->only = optarg;
            break;
        case 't':
            bench->transport = optarg;
            break;
        case 's':
            subject = optarg;
            break;
        case 'p':
            peer = optarg;
            break;
        case 'f':
            bench->samples = fopen(optarg, "we");
            if (bench->samples == NULL) {
                return bench_complain("open %s: %s", optarg, strerror(errno));
            }
            break;
        case 'h':
            fputs(usage, stdout);
            return 1;
        default:
            return -1;
        }
    }
    if (optind != argc) {
        return bench_complain("%s: not understood (--help)", argv[optind]);
    }
    bench->rounds = bench->rounds == 0 ? 15 : bench->rounds;
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

static int raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return bench_complain("getrlimit: %s", strerror(errno));
    }
    if (files.rlim_max < FILES_NEEDED) {
        return bench_complain("%d idle connections need a limit of %d open files; it is %ju", IDLE_CONNECTIONS,
                              FILES_NEEDED, (uintmax_t)files.rlim_max);
    }
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) == 0 ? 0 : bench_complain("setrlimit: %s", strerror(errno));
}

static int make_folder(struct bench *bench)
{
    snprintf(bench->folder, sizeof bench->folder, "/tmp/weir-bench-XXXXXX");
    if (mkdtemp(bench->folder) == NULL) {
        return bench_complain("mkdtemp %s: %s", bench->folder, strerror(errno));
    }
    snprintf(bench->log, sizeof bench->log, "%s/log", bench->folder);
    snprintf(bench->service, sizeof bench->service, "%s/service.json", bench->folder);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {.next_port = FIRST_PORT};
    int result = parse_options(&bench, argc, argv);
    if (result != 0) {
        return result < 0 ? 2 : 0;
    }
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (some_row_is_chosen(&bench) < 0 || bench_two_cpus(&bench.server_cpu, &bench.load_cpu) < 0 ||
        raise_file_limit() < 0 || bench_private_network(CONGESTION) < 0 || bench_pin(bench.load_cpu) < 0 ||
        make_folder(&bench) < 0) {
        return 1;
    }
    result = run(&bench);
    unlink(bench.log);
    unlink(bench.service);
    rmdir(bench.folder);
    if (bench.samples != NULL && fclose(bench.samples) != 0) {
        result = bench_complain("the samples could not be written: %s", strerror(errno));
    }
    return result < 0 ? 1 : 0;
}
