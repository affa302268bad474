/* SPDX-License-Identifier: MIT */
/* Runs of benchmarks: set up once, then server after server under the load generator. */
#include "run.h"

#include "complain.h"
#include "isolation.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024u * 1024u)

enum {
    FIRST_PORT = 2000,
    LAST_PORT = 30000,
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

bool bench_interrupted(void)
{
    return interrupted != 0;
}

/* ---- what it is told ---- */

static int take_rounds(struct bench_run *run, const char *text)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > 1000) {
        return bench_complain("--rounds %s: 1 to 1000", text);
    }
    run->rounds = (unsigned)value;
    return 0;
}

int bench_take_option(struct bench_run *run, int letter, const char *value)
{
    switch (letter) {
    case 'q':
        run->quick = true;
        run->rounds = run->rounds == 0 ? 3 : run->rounds;
        return 0;
    case 'r':
        return take_rounds(run, value);
    case 'o':
        run->only = value;
        return 0;
    case 'f':
        run->samples = fopen(value, "we");
        return run->samples != NULL ? 0 : bench_complain("open %s: %s", value, strerror(errno));
    default:
        return -1;
    }
}

/* ---- where it takes place ---- */

static int raise_file_limit(unsigned needed)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return bench_complain("getrlimit: %s", strerror(errno));
    }
    if (files.rlim_max < needed) {
        return bench_complain("the idle connections need a limit of %u open files; it is %ju", needed,
                              (uintmax_t)files.rlim_max);
    }
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) == 0 ? 0 : bench_complain("setrlimit: %s", strerror(errno));
}

static int make_folder(struct bench_run *run)
{
    snprintf(run->folder, sizeof run->folder, "/tmp/weir-bench-XXXXXX");
    if (mkdtemp(run->folder) == NULL) {
        return bench_complain("mkdtemp %s: %s", run->folder, strerror(errno));
    }
    snprintf(run->log, sizeof run->log, "%s/log", run->folder);
    return 0;
}

int bench_begin(struct bench_run *run, unsigned files)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    run->next_port = FIRST_PORT;
    if (bench_two_cpus(&run->server_cpu, &run->load_cpu) < 0 || raise_file_limit(files) < 0 ||
        bench_private_network(BENCH_CONGESTION) < 0 || bench_pin(run->load_cpu) < 0) {
        return -1;
    }
    return make_folder(run);
}

int bench_end(struct bench_run *run)
{
    unlink(run->log);
    rmdir(run->folder);
    if (run->samples != NULL && fclose(run->samples) != 0) {
        return bench_complain("the samples could not be written: %s", strerror(errno));
    }
    return 0;
}

unsigned bench_next_port(struct bench_run *run)
{
    unsigned port = run->next_port;
    run->next_port = port == LAST_PORT ? FIRST_PORT : port + 1;
    return port;
}

void bench_show_round(const struct bench_run *run, unsigned round)
{
    if (!isatty(STDERR_FILENO)) {
        return;
    }
    if (round < run->rounds) {
        fprintf(stderr, "\rround %u of %u ", round + 1, run->rounds);
    } else {
        fputs("\r                    \r", stderr);
    }
}

/* ---- a server ---- */

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

int bench_wait_until_it_listens(const struct bench_process *server, const char *address)
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

int bench_stop_server(struct bench_process *server, int signal, int result)
{
    int status = bench_stop(server, signal);
    if (result == 0 && WIFSIGNALED(status) && WTERMSIG(status) != signal) {
        return bench_complain("the server was ended by signal %d", WTERMSIG(status));
    }
    return result;
}

void bench_show_log(const struct bench_run *run)
{
    char line[512];
    FILE *file = fopen(run->log, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        fprintf(stderr, "  %s", line);
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* ---- one measurement ---- */

uint64_t bench_work(const struct bench_run *run, const struct bench_workload *workload)
{
    return run->quick && workload->connections > 0 ? workload->work / BENCH_QUICKER : workload->work;
}

static int start_load(struct bench_run *run, const struct bench_workload *workload, const char *program,
                      const char *address, struct bench_process *load)
{
    char words[8][512];
    snprintf(words[0], sizeof words[0], "%s", program);
    snprintf(words[1], sizeof words[1], "--connections=%u", workload->connections);
    snprintf(words[2], sizeof words[2], "--size=%u", workload->size);
    snprintf(words[3], sizeof words[3], "--warm=%" PRIu64, workload->warm);
    snprintf(words[4], sizeof words[4], "--work=%" PRIu64, bench_work(run, workload));
    snprintf(words[5], sizeof words[5], "--seconds=%d", BENCH_LOAD_SECONDS);
    snprintf(words[6], sizeof words[6], "%s", workload->mode);
    snprintf(words[7], sizeof words[7], "%s", address);
    char *const argv[] = {words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7], NULL};
    return bench_start(load, argv, run->load_cpu, 1, run->log);
}

static int cost_so_far(const struct bench_workload *workload, const struct bench_process *server, uint64_t *cost)
{
    return workload->row.relative ? bench_cpu_time(server, cost) : bench_resident(server, cost);
}

static int run_load(struct bench_run *run, const struct bench_workload *workload, const struct bench_process *server,
                    struct bench_process *load, struct bench_sample *sample)
{
    char line[128];
    uint64_t before;
    uint64_t after;
    uint64_t wall;
    uint64_t cpu;
    int patience = (BENCH_LOAD_SECONDS + 5) * 1000;
    if (bench_hear(load, line, sizeof line, patience) < 0 || cost_so_far(workload, server, &before) < 0 ||
        bench_tell(load, "go") < 0 || bench_hear(load, line, sizeof line, patience) < 0 ||
        cost_so_far(workload, server, &after) < 0) {
        return -1;
    }
    if (sscanf(line, "done %" SCNu64 " %" SCNu64, &wall, &cpu) != 2 || wall == 0) {
        return bench_complain("the load generator says: %s", line);
    }
    double work = (double)bench_work(run, workload);
    double units = work / (double)workload->unit;
    double seconds = (double)wall / 1e9;
    double cost = after > before ? (double)(after - before) : 0;
    sample->cost = workload->row.relative ? cost / 1000 / units : cost / units;
    sample->rate = workload->unit == 1 ? units / seconds : work / MIB / seconds;
    sample->load = (double)cpu / (double)wall;
    return bench_tell(load, "end");
}

int bench_measure(struct bench_run *run, const struct bench_workload *workload, const char *program,
                  const char *address, const struct bench_process *server, struct bench_sample *sample)
{
    struct bench_process load = {-1, -1, -1};
    int result = start_load(run, workload, program, address, &load);
    if (result == 0) {
        result = run_load(run, workload, server, &load, sample);
    }
    int status = bench_stop(&load, result == 0 ? 0 : SIGTERM);
    if (result == 0 && status != 0) {
        result = bench_complain("the load generator failed (wait status %d)", status);
    }
    return result;
}
