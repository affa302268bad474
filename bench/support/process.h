/* SPDX-License-Identifier: MIT */
/* The processes of a benchmark: started on a CPU, looked at while they run, ended. */
#ifndef WEIR_BENCH_PROCESS_H
#define WEIR_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct bench_process {
    pid_t pid;
    /* Its standard input and output where it was started to talk, else -1. */
    int to;
    int from;
};

/* Start `argv` on `cpu`. Its standard error, and its output too unless it is to talk (`talks`), are appended to the
 * file `log`. It ends with us. 0, or -1 after saying why. */
int bench_start(struct bench_process *process, char *const argv[], int cpu, int talks, const char *log);

/* Whether it has not ended of itself. */
int bench_alive(const struct bench_process *process);

/* The next line it says, without the line feed, waiting `milliseconds` at most; -1 after saying why. */
int bench_hear(struct bench_process *process, char *line, size_t size, int milliseconds);

/* Say a line. */
int bench_tell(struct bench_process *process, const char *line);

/* CPU time in nanoseconds, of all threads, user and system; -1 after saying why. */
int bench_cpu_time(const struct bench_process *process, uint64_t *nanoseconds);

/* Bytes of anonymous memory that are resident (heap, stacks, written data; no mapped files); -1 after saying why. */
int bench_resident(const struct bench_process *process, uint64_t *bytes);

/* End it: `signal` first (0: only wait for it), SIGKILL after five seconds. Its wait status; -1 after saying why. */
int bench_stop(struct bench_process *process, int signal);

#endif
