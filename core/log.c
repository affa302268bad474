/* SPDX-License-Identifier: MIT */
/* The log, and what becomes of an 'error' nobody listens for. */
#include <stdarg.h>
#include <stdio.h>

#include "client_errors.h"
#include "log.h"
#include "runtime_private.h"
#include "server_private.h"
#include "stream_private.h"

#define LINE_SIZE 2048

static void log_to_stderr(weir_log_level level, const char *message)
{
    if (level >= WEIR_LOG_WARN) {
        fprintf(stderr, "weir: %s: %s\n", weir_log_level_name(level), message);
    }
}

const char *weir_log_level_name(weir_log_level level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    return (unsigned)level < sizeof(names) / sizeof(names[0]) ? names[level] : "unknown";
}

void weir_log(weir_runtime *runtime, weir_log_level level, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (runtime != NULL && runtime->log != NULL) {
        runtime->log(level, line, runtime->log_arg);
    } else {
        log_to_stderr(level, line);
    }
}

void weir_runtime_on_log(weir_runtime *runtime, weir_log_function function, void *arg)
{
    runtime->log = function;
    runtime->log_arg = arg;
}

void weir_runtime_on_unhandled(weir_runtime *runtime, weir_unhandled_function function, void *arg)
{
    runtime->unhandled = function;
    runtime->unhandled_arg = arg;
}

void weir__unhandled(weir_runtime *runtime, const weir_event *event)
{
    if (runtime->unhandled != NULL) {
        runtime->unhandled(event, runtime->unhandled_arg);
    } else if (event->target_stream != NULL && event->target_stream->server != NULL &&
               event->target_stream->server->unheard != NULL) {
        weir__client_errors_unheard(event->target_stream->server->unheard, event->target_stream, event->error);
    } else if (event->target_stream != NULL) {
        weir_log(runtime, WEIR_LOG_ERROR, "stream %llu: nobody listens for this error: %s",
                 (unsigned long long)weir_stream_id(event->target_stream), event->error->message);
    } else {
        weir_log(runtime, WEIR_LOG_ERROR, "server: nobody listens for this error: %s", event->error->message);
    }
}
