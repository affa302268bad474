/* SPDX-License-Identifier: MIT */
/* What every command works in: a loop with a runtime, and where lines go. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define MESSAGE_SIZE 4096

static void log_line(cli_session *self, weir_log_level level, const char *message)
{
    char people[MESSAGE_SIZE + 32];
    const char *name = weir_log_level_name(level);
    if (level == WEIR_LOG_ERROR) {
        snprintf(people, sizeof(people), "weir: %s", message);
    } else {
        snprintf(people, sizeof(people), "weir: %s: %s", name, message);
    }
    json_t *record = record_event("log");
    record_text(record, "level", name);
    record_text(record, "message", message);
    output_line(&self->err, people, record);
}

/* Called by the library, with several workers in the thread of any of them. */
static void on_log(weir_log_level level, const char *message, void *arg)
{
    cli_session *self = arg;
    if (level >= self->log_level) {
        log_line(self, level, message);
    }
}

void session_error(cli_session *self, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    log_line(self, WEIR_LOG_ERROR, message);
}

void session_fault(const weir_fault *fault, void *arg)
{
    cli_session *self = arg;
    json_t *record = record_event("fault");
    record_text(record, "level", fault->warning ? "warning" : "error");
    record_text(record, "file", fault->file);
    if (fault->line > 0) {
        record_number(record, "line", fault->line);
        record_number(record, "column", fault->column);
    }
    record_text(record, "pointer", fault->pointer);
    record_text(record, "message", fault->message);
    output_line(&self->err, fault->text, record);
}

/*
 * A program that runs where it was built finds the plugins that were built with it, behind those of WEIR_PLUGIN_PATH. An
 * installed one does not look: it has no CMakeCache.txt beside its folder.
 */
static void name_built_plugins(void)
{
    char program[PATH_MAX];
    char path[2 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length <= 0) {
        return;
    }
    program[length] = '\0';
    for (int up = 0; up < 2; up++) { /* BUILD/cli/weir */
        char *slash = strrchr(program, '/');
        if (slash == NULL) {
            return;
        }
        *slash = '\0';
    }
    snprintf(path, sizeof(path), "%s/CMakeCache.txt", program);
    if (access(path, F_OK) != 0) {
        return;
    }
    const char *named = getenv("WEIR_PLUGIN_PATH");
    int more = named != NULL && named[0] != '\0';
    int size = snprintf(path, sizeof(path), "%s%s%s/plugins", more ? named : "", more ? ":" : "", program);
    if (size > 0 && (size_t)size < sizeof(path)) {
        setenv("WEIR_PLUGIN_PATH", path, 1);
    }
}

static int add_plugin_paths(cli_session *self, const cli_options *options)
{
    int status = 0;
    for (size_t i = 0; i < options->plugin_path_count && status == 0; i++) {
        status = weir_runtime_add_plugin_path(self->runtime, options->plugin_paths[i]);
        if (status < 0) {
            session_error(self, "plugin path %s: %s (%s)", options->plugin_paths[i], weir_error_text(status),
                          weir_error_name(status));
        }
    }
    return status;
}

int session_open(cli_session *self, const cli_options *options)
{
    memset(self, 0, sizeof(*self));
    self->log_level = options->log_level;
    output_init(&self->out, STDOUT_FILENO, options->form);
    output_init(&self->err, STDERR_FILENO, options->form);
    name_built_plugins();
    int status = uv_loop_init(&self->loop);
    if (status < 0) {
        session_error(self, "no event loop: %s (%s)", uv_strerror(status), uv_err_name(status));
        return CLI_FAILED;
    }
    self->runtime = weir_runtime_new(&self->loop);
    if (self->runtime == NULL) {
        session_error(self, "no runtime: not enough memory or file descriptors");
        uv_loop_close(&self->loop);
        return CLI_FAILED;
    }
    weir_runtime_on_log(self->runtime, on_log, self);
    if (add_plugin_paths(self, options) < 0) {
        return session_close(self, CLI_FAILED);
    }
    return CLI_OK;
}

int session_close(cli_session *self, int result)
{
    weir_runtime_free(self->runtime);
    uv_loop_close(&self->loop);
    if (self->out.error != 0 && result == CLI_OK) {
        session_error(self, "write standard output: %s (%s)", uv_strerror(-self->out.error),
                      uv_err_name(-self->out.error));
        result = CLI_FAILED;
    }
    return result;
}
