/* SPDX-License-Identifier: MIT */
/* Start, ask, measure and end the processes of a benchmark. */
#include "process.h"

#include "complain.h"
#include "isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn static void become(char *const argv[], int cpu, int in, int out, const char *log)
{
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (in < 0) {
        in = open("/dev/null", O_RDONLY | O_CLOEXEC);
        out = file;
    }
    if (file < 0 || in < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || bench_pin(cpu) < 0 ||
        dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0) {
        _exit(127);
    }
    execv(argv[0], argv);
    bench_complain("%s: %s", argv[0], strerror(errno));
    _exit(127);
}

int bench_start(struct bench_process *process, char *const argv[], int cpu, int talks, const char *log)
{
    int to[2] = {-1, -1};
    int from[2] = {-1, -1};
    *process = (struct bench_process){-1, -1, -1};
    if (talks && (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)) {
        return bench_complain("pipe: %s", strerror(errno));
    }
    process->pid = fork();
    if (process->pid < 0) {
        return bench_complain("fork: %s", strerror(errno));
    }
    if (process->pid == 0) {
        become(argv, cpu, to[0], from[1], log);
    }
    if (talks) {
        close(to[0]);
        close(from[1]);
    }
    process->to = to[1];
    process->from = from[0];
    return 0;
}

int bench_alive(const struct bench_process *process)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

int bench_hear(struct bench_process *process, char *line, size_t size, int milliseconds)
{
    size_t length = 0;
    struct pollfd wait = {.fd = process->from, .events = POLLIN};
    for (;;) {
        int ready = poll(&wait, 1, milliseconds);
        if (ready < 0) {
            return bench_complain("interrupted");
        }
        if (ready == 0) {
            return bench_complain("the load generator says nothing for %d seconds", milliseconds / 1000);
        }
        /* Lines are short and rare, and the sender waits after each. */
        ssize_t count = read(process->from, line + length, size - 1 - length);
        if (count <= 0) {
            return bench_complain("the load generator ended");
        }
        length += (size_t)count;
        line[length] = '\0';
        if (line[length - 1] == '\n') {
            line[length - 1] = '\0';
            return 0;
        }
        if (length == size - 1) {
            return bench_complain("the load generator talks too much: %s", line);
        }
    }
}

int bench_tell(struct bench_process *process, const char *line)
{
    return dprintf(process->to, "%s\n", line) > 0 ? 0 : bench_complain("write: %s", strerror(errno));
}

int bench_cpu_time(const struct bench_process *process, uint64_t *nanoseconds)
{
    clockid_t clock;
    struct timespec time;
    int error = clock_getcpuclockid(process->pid, &clock);
    if (error != 0) {
        return bench_complain("clock_getcpuclockid: %s", strerror(error));
    }
    if (clock_gettime(clock, &time) != 0) {
        return bench_complain("the server's CPU clock: %s", strerror(errno));
    }
    *nanoseconds = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    return 0;
}

int bench_resident(const struct bench_process *process, uint64_t *bytes)
{
    char path[64];
    char line[128];
    uint64_t kib = 0;
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)process->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return bench_complain("open %s: %s", path, strerror(errno));
    }
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = sscanf(line, "Anonymous: %" SCNu64, &kib) == 1;
    }
    fclose(file);
    *bytes = kib * 1024;
    return found ? 0 : bench_complain("%s does not tell the anonymous memory", path);
}

static void close_pipes(struct bench_process *process)
{
    int *const ends[] = {&process->to, &process->from};
    for (size_t i = 0; i < 2; i++) {
        if (*ends[i] >= 0) {
            close(*ends[i]);
            *ends[i] = -1;
        }
    }
}

int bench_stop(struct bench_process *process, int signal)
{
    int status = -1;
    close_pipes(process);
    if (process->pid <= 0) {
        return 0;
    }
    int handle = pidfd_open(process->pid, 0);
    if (handle < 0) {
        return bench_complain("pidfd_open: %s", strerror(errno));
    }
    if (signal != 0) {
        kill(process->pid, signal);
    }
    struct pollfd wait = {.fd = handle, .events = POLLIN};
    if (poll(&wait, 1, 5000) != 1) {
        kill(process->pid, SIGKILL);
    }
    close(handle);
    if (waitpid(process->pid, &status, 0) != process->pid) {
        return bench_complain("waitpid: %s", strerror(errno));
    }
    process->pid = -1;
    return status;
}
