/* SPDX-License-Identifier: MIT */
/* One run of a benchmark that puts servers under load: what it is told, where it takes place, and one measurement. */
#ifndef WEIR_BENCH_RUN_H
#define WEIR_BENCH_RUN_H

#include "process.h"
#include "report.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_CONGESTION "reno"

enum {
    BENCH_LOAD_SECONDS = 60,
    BENCH_QUICKER = 8,
};

struct bench_workload {
    struct bench_row row;
    const char *mode; /* of the load generator */
    unsigned connections;
    unsigned size;
    uint64_t warm;
    uint64_t work;
    /* How much of the work one unit of cost is. */
    uint64_t unit;
};

struct bench_run {
    /* what it is told */
    unsigned rounds;
    bool quick;
    const char *only;
    FILE *samples;
    /* where it takes place */
    int server_cpu;
    int load_cpu;
    char folder[64];
    char log[96];
    unsigned next_port;
};

/* The options that all have: 'q', 'r', 'o' and 'f' (--quick, --rounds, --only, --samples). 0, or -1 after saying why. */
int bench_take_option(struct bench_run *run, int letter, const char *value);

/* A network, a CPU for the servers and one for us, `files` descriptors, a folder. 0, or -1 after saying why. */
int bench_begin(struct bench_run *run, unsigned files);

/* Removes the folder, which is empty but for the log, and closes the samples: -1 where they could not be written. */
int bench_end(struct bench_run *run);

/* From bench_begin on: it is to end. */
bool bench_interrupted(void);

/* A port that had nobody yet: the closed connections of an earlier server are not in the way of the next. */
unsigned bench_next_port(struct bench_run *run);

/* Wait until somebody takes connections at "tcp:PORT" or "ipc:PATH"; -1 after saying why, also when `server` ends. */
int bench_wait_until_it_listens(const struct bench_process *server, const char *address);

/* How much work the load generator is given. */
uint64_t bench_work(const struct bench_run *run, const struct bench_workload *workload);

/* Put `server`, which listens at `address`, under the load of `program`: 0 with the sample, -1 after saying why. */
int bench_measure(struct bench_run *run, const struct bench_workload *workload, const char *program,
                  const char *address, const struct bench_process *server, struct bench_sample *sample);

/* End a server by a signal: `result`, or -1 after saying so when another one has ended it. */
int bench_stop_server(struct bench_process *server, int signal, int result);

/* What the processes of the last measurement wrote. */
void bench_show_log(const struct bench_run *run);

/* "round N of M" for people who wait, and nothing any more after the last (round == rounds). */
void bench_show_round(const struct bench_run *run, unsigned round);

#endif
