/* SPDX-License-Identifier: MIT */
/* The program `weir`, or another one, as a child of the test. */
#define _GNU_SOURCE

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#define ARGUMENTS_MOST 32

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

int child_setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    alarm(getenv("WEIR_TEST_VALGRIND") ? 1200 : 120);
    return 0;
}

const char *child_file(const char *name, const char *text)
{
    static char paths[2][256];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof(paths[0]), "%s/cli-%d-%s", folder && *folder ? folder : "/tmp", (int)getpid(), name);
    FILE *file = need(fopen(path, "w"));
    if (fputs(text, file) < 0 || fclose(file))
        abort();
    return path;
}

int child_terminal(int *side)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const char *path = terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal) ? ptsname(terminal) : NULL;
    *side = path ? open(path, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (*side < 0) {
        if (terminal >= 0)
            close(terminal);
        skip();
    }
    return terminal;
}

/* ---- starting ---- */

/* In the child: `fd` becomes `number`, or `number` is closed. */
static void place(int fd, int number)
{
    if (fd == CHILD_CLOSED)
        close(number);
    else if (dup2(fd, number) < 0)
        _exit(126);
}

static void run_program(const char *program, const char *const *arguments, const int *fds)
{
    /* Not onto each other: all are moved out of the way first. */
    int moved[3];
    char *argv[ARGUMENTS_MOST + 2] = {strdup(program)};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that gives up leaves nobody behind */
    for (int i = 0; i < 3; i++)
        moved[i] = fds[i] < 0 ? fds[i] : fcntl(fds[i], F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; i++)
        place(moved[i], i);
    for (size_t i = 0; arguments[i] && i < ARGUMENTS_MOST; i++)
        argv[i + 1] = strdup(arguments[i]);
    setenv("WEIR_PLUGIN_PATH", WEIR_TEST_PLUGINS, 1);
    signal(SIGPIPE, SIG_DFL);
    if (strcmp(program, "weir") == 0)
        execv(WEIR_TEST_PROGRAM, argv);
    else
        execvp(program, argv);
    _exit(127);
}

static void make_pipe(int *ends)
{
    if (pipe2(ends, O_CLOEXEC))
        abort();
}

static child *start(const char *program, int in, int out, const char *const *arguments)
{
    child *self = need(calloc(1, sizeof(*self)));
    int in_pipe[2] = {in, -1}, out_pipe[2] = {-1, out}, err_pipe[2];
    if (in == CHILD_PIPE)
        make_pipe(in_pipe);
    if (out == CHILD_PIPE)
        make_pipe(out_pipe);
    make_pipe(err_pipe);
    const int fds[] = {in_pipe[0], out_pipe[1], err_pipe[1]};
    self->pid = fork();
    if (self->pid < 0)
        abort();
    if (self->pid == 0)
        run_program(program, arguments, fds);
    if (in == CHILD_PIPE)
        close(in_pipe[0]);
    if (out == CHILD_PIPE)
        close(out_pipe[1]);
    close(err_pipe[1]);
    self->in = in_pipe[1];
    self->out = out_pipe[0];
    self->err = err_pipe[0];
    self->out_text = need(calloc(1, 1));
    self->err_text = need(calloc(1, 1));
    return self;
}

child *child_start(int in, int out, const char *const *arguments)
{
    if ((in == CHILD_CLOSED || out == CHILD_CLOSED) && getenv("WEIR_TEST_VALGRIND") != NULL)
        skip(); /* valgrind opens files of its own in their place */
    return start("weir", in, out, arguments);
}

int child_is_there(const char *program)
{
    const char *folder = getenv("PATH");
    while (folder && *folder) {
        char path[PATH_MAX];
        size_t length = strcspn(folder, ":");
        snprintf(path, sizeof(path), "%.*s/%s", (int)length, folder, program);
        if (access(path, X_OK) == 0)
            return 1;
        folder += length + (folder[length] == ':');
    }
    return 0;
}

child *child_start_other(int in, int out, const char *const *arguments)
{
    if (!child_is_there(arguments[0]))
        skip();
    return start(arguments[0], in, out, arguments + 1);
}

/* ---- reading ---- */

/* Some more of a text; 0: it has ended, and the descriptor is closed. */
static int read_more(int *fd, char **text, size_t *size, size_t *room)
{
    const size_t step = 65536;
    if (*room < *size + step + 1) {
        *room = 2 * (*size + step);
        *text = need(realloc(*text, *room));
    }
    ssize_t length = read(*fd, *text + *size, step);
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return 1;
    if (length > 0)
        *size += (size_t)length;
    (*text)[*size] = '\0';
    if (length > 0)
        return 1;
    close(*fd);
    *fd = -1;
    return 0;
}

/*
 * Waits for any, so that a child that prints much on one is not stuck because the other is being read. 1: `into`, unless
 * it is -1, can be written to.
 */
static int read_until_writable(child *self, int into)
{
    struct pollfd fds[] = {
        {.fd = self->out, .events = POLLIN}, {.fd = self->err, .events = POLLIN}, {.fd = into, .events = POLLOUT}};
    if (poll(fds, 3, -1) < 0) {
        if (errno != EINTR)
            abort();
        return 0;
    }
    if (fds[0].revents)
        read_more(&self->out, &self->out_text, &self->out_size, &self->out_room);
    if (fds[1].revents)
        read_more(&self->err, &self->err_text, &self->err_size, &self->err_room);
    return fds[2].revents != 0;
}

static int read_either(child *self)
{
    if (self->out < 0 && self->err < 0)
        return 0;
    read_until_writable(self, -1);
    return 1;
}

const char *child_line(child *self)
{
    static char line[4096];
    for (;;) {
        const char *begin = self->out_text + self->lines_read;
        size_t length = strcspn(begin, "\n");
        if (begin[length] == '\n') {
            self->lines_read += length + 1;
            snprintf(line, sizeof(line), "%.*s", (int)length, begin);
            return line;
        }
        if (self->out < 0)
            fail_msg("no more lines; standard error says: %s", self->err_text);
        read_either(self);
    }
}

void child_write(child *self, const char *bytes, size_t size)
{
    int flags = fcntl(self->in, F_GETFL);
    fcntl(self->in, F_SETFL, flags | O_NONBLOCK);
    for (size_t sent = 0; sent < size;) {
        if (!read_until_writable(self, self->in))
            continue;
        ssize_t more = write(self->in, bytes + sent, size - sent);
        if (more < 0 && errno != EAGAIN && errno != EINTR)
            fail_msg("writing to a child: %s; it says: %s", strerror(errno), self->err_text);
        sent += more > 0 ? (size_t)more : 0;
    }
    fcntl(self->in, F_SETFL, flags);
}

void child_close_in(child *self)
{
    if (self->in >= 0)
        close(self->in);
    self->in = -1;
}

int child_finish(child *self)
{
    int status;
    child_close_in(self);
    while (read_either(self)) {
    }
    while (waitpid(self->pid, &status, 0) < 0) {
        if (errno != EINTR)
            abort();
    }
    self->pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

void child_free(child *self)
{
    if (self->pid > 0) {
        kill(self->pid, SIGKILL);
        child_finish(self);
    }
    free(self->out_text);
    free(self->err_text);
    free(self);
}

child *child_run(int *code, const char *const *arguments)
{
    child *self = child_start(CHILD_PIPE, CHILD_PIPE, arguments);
    int ended = child_finish(self);
    if (code)
        *code = ended;
    return self;
}
