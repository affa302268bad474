/* SPDX-License-Identifier: MIT */
/* weir run: serves what a file describes, until a signal ends it; another one has the file read anew. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct {
    int number;
    const char *name;
} signals[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};
#define SIGNAL_COUNT (sizeof(signals) / sizeof(signals[0]))

typedef struct run {
    cli_session session;
    weir_service *service;
    uv_signal_t signals[SIGNAL_COUNT];
    size_t signal_count; /* of them initialised */
    int signalled;       /* the signal that stopped it, or 0 */
    int terminal;        /* a descriptor of the terminal that it was started at; -1: none */
    int reload_due;      /* the file is to be read once more, when this can be */
    int ran;             /* all servers listened */
    int failed;
} run;

static const char *signal_name(int number)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (signals[i].number == number) {
            return signals[i].name;
        }
    }
    return NULL;
}

/* ---- reloading ---- */

/* While it starts or is reloaded it cannot be, and is when it has been: the file may have changed since it was read. */
static void reload(run *self)
{
    int status = weir_service_reload(self->service, session_fault, &self->session);
    self->reload_due = status == UV_EALREADY;
    /* One that stops has no use for it. */
    if (status == 0 || status == UV_EALREADY || status == UV_ENOTCONN) {
        return;
    }
    if (status == WEIR_EINVALID_CONFIG) {
        session_error(&self->session, "not reloaded: the file is invalid; all goes on as before");
    } else {
        session_error(&self->session, "not reloaded: %s (%s); all goes on as before", weir_error_text(status),
                      weir_error_name(status));
    }
}

static void reload_if_due(run *self)
{
    if (self->reload_due) {
        reload(self);
    }
}

/* ---- what the service tells ---- */

static void print_listening(run *self, const weir_service_event *event)
{
    char people[1024];
    json_t *record = record_event("listening");
    record_text(record, "server", event->server);
    record_text(record, "handler", event->handler);
    record_text(record, "endpoint", event->endpoint);
    snprintf(people, sizeof(people), "listening  %s  %s", event->server, event->endpoint);
    output_line(&self->session.out, people, record);
}

static void print_running(run *self, const weir_service_event *event)
{
    (void)event;
    self->ran = 1;
    output_line(&self->session.out, "running", record_event("running"));
    reload_if_due(self);
}

static void print_reloaded(run *self, const weir_service_event *event)
{
    (void)event;
    output_line(&self->session.out, "reloaded", record_event("reloaded"));
    reload_if_due(self);
}

static void print_failure(run *self, const weir_service_event *event, const char *name, const char *before)
{
    char people[2048];
    const char *message = event->error != NULL ? event->error->message : "unknown";
    json_t *record = record_event(name);
    record_text(record, "level", weir_log_level_name(WEIR_LOG_ERROR));
    record_text(record, "server", event->server);
    record_text(record, "endpoint", event->endpoint);
    record_text(record, "code", event->error != NULL ? event->error->name : NULL);
    record_text(record, "message", message);
    snprintf(people, sizeof(people), "weir: %sserver %s: %s", before, event->server != NULL ? event->server : "?",
             message);
    output_line(&self->session.err, people, record);
}

static void print_failed(run *self, const weir_service_event *event)
{
    self->failed = 1;
    print_failure(self, event, "failed", "");
}

static void print_reload_failed(run *self, const weir_service_event *event)
{
    print_failure(self, event, "reloadFailed", "not reloaded: ");
    reload_if_due(self);
}

static void print_stopping(run *self, const weir_service_event *event)
{
    char people[128];
    size_t connections = weir_service_connections(event->service);
    const char *name = signal_name(self->signalled);
    json_t *record = record_event("stopping");
    record_text(record, "signal", name);
    record_number(record, "connections", (json_int_t)connections);
    snprintf(people, sizeof(people), "stopping  %s  %zu connections", name != NULL ? name : "", connections);
    output_line(&self->session.out, people, record);
}

/* A second signal is of use as long as anything runs, so the handles stay but hold the loop no longer. */
static void print_stopped(run *self, const weir_service_event *event)
{
    char people[128] = "stopped";
    json_t *record = record_event("stopped");
    record_number(record, "connectionsDestroyed", (json_int_t)event->connections_destroyed);
    if (event->connections_destroyed > 0) {
        snprintf(people, sizeof(people), "stopped  %zu connections cut", event->connections_destroyed);
    }
    /* What never ran and was not told to stop has failed, and that has been said. */
    if (self->ran || self->signalled != 0) {
        output_line(&self->session.out, people, record);
    } else {
        json_decref(record);
    }
    for (size_t i = 0; i < self->signal_count; i++) {
        uv_unref((uv_handle_t *)&self->signals[i]);
    }
}

static void on_service(const weir_service_event *event, void *arg)
{
    static void (*const printers[])(run *, const weir_service_event *) = {
        [WEIR_SERVICE_LISTENING] = print_listening,
        [WEIR_SERVICE_RUNNING] = print_running,
        [WEIR_SERVICE_FAILED] = print_failed,
        [WEIR_SERVICE_STOPPING] = print_stopping,
        [WEIR_SERVICE_STOPPED] = print_stopped,
        [WEIR_SERVICE_RELOADED] = print_reloaded,
        [WEIR_SERVICE_RELOAD_FAILED] = print_reload_failed,
    };
    if ((size_t)event->type < sizeof(printers) / sizeof(printers[0])) {
        printers[event->type](arg, event);
    }
}

/* ---- signals ---- */

/* The first one begins to stop; the next one waits for nobody any more. */
static void stop(run *self, int number)
{
    int again = self->signalled != 0;
    self->signalled = number;
    if (weir_service_stop(self->service, again) < 0) {
        uv_stop(&self->session.loop);
    }
}

/* SIGHUP is also how a terminal says that it has gone: who was started there is not to stay behind. */
static int terminal_has_gone(const run *self)
{
    return self->terminal >= 0 && !isatty(self->terminal);
}

static void on_signal(uv_signal_t *handle, int number)
{
    run *self = handle->data;
    weir_runtime_enter(self->session.runtime);
    if (number == SIGHUP && !terminal_has_gone(self)) {
        reload(self);
    } else {
        stop(self, number);
    }
    weir_runtime_leave(self->session.runtime);
}

static void find_terminal(run *self)
{
    self->terminal = -1;
    for (int fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--) {
        if (isatty(fd)) {
            self->terminal = fd;
        }
    }
}

static int start_signals(run *self)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        int status = uv_signal_init(&self->session.loop, &self->signals[i]);
        if (status == 0) {
            self->signal_count++;
            self->signals[i].data = self;
            status = uv_signal_start(&self->signals[i], on_signal, signals[i].number);
        }
        if (status < 0) {
            session_error(&self->session, "%s: %s (%s)", signals[i].name, uv_strerror(status), uv_err_name(status));
            return status;
        }
    }
    return 0;
}

static void close_signals(run *self)
{
    for (size_t i = 0; i < self->signal_count; i++) {
        uv_close((uv_handle_t *)&self->signals[i], NULL);
    }
}

/* ---- the command ---- */

/* Signals are listened for before anything serves: from the first accepted connection on none is cut by surprise. */
static int serve(run *self)
{
    find_terminal(self);
    if (start_signals(self) < 0) {
        return CLI_FAILED;
    }
    int status = weir_service_start(self->service, on_service, self);
    if (status < 0) {
        session_error(&self->session, "start: %s (%s)", weir_error_text(status), weir_error_name(status));
        return CLI_FAILED;
    }
    uv_run(&self->session.loop, UV_RUN_DEFAULT);
    return self->failed ? CLI_FAILED : CLI_OK;
}

static int run_file(run *self, const char *file)
{
    int status = weir_service_load(self->session.runtime, file, session_fault, &self->session, &self->service);
    if (status < 0) {
        if (status != WEIR_EINVALID_CONFIG) {
            session_error(&self->session, "run %s: %s (%s)", file, weir_error_text(status), weir_error_name(status));
        }
        return status == WEIR_EINVALID_CONFIG ? CLI_USAGE : CLI_FAILED;
    }
    int result = serve(self);
    close_signals(self);
    weir_service_free(self->service);
    return result;
}

static int run_command(const cli_options *options, int count, char **arguments)
{
    run self;
    (void)count;
    memset(&self, 0, sizeof(self));
    if (session_open(&self.session, options) != CLI_OK) {
        return CLI_FAILED;
    }
    int result = run_file(&self, arguments[0]);
    /* Who read the lines of a service may have gone long ago; that is no failure of the service. */
    self.session.out.error = 0;
    return session_close(&self.session, result);
}

const cli_command command_run = {
    .name = "run",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .switches = "pljHh",
    .summary = "serve what a service file describes",
    .details =
        "Starts all servers of a service file, and serves until it is told to stop. Nothing is served unless the\n"
        "whole file is valid and all servers can listen.\n"
        "\n"
        "SIGINT and SIGTERM stop accepting and let connections end, for as long as the file's shutdownGrace\n"
        "says (10 s); what is left then is cut. A second signal ends at once.\n"
        "\n"
        "SIGHUP reads the file anew, with all that it refers to, certificates too, and serves what it says now:\n"
        "nobody is refused meanwhile, open connections go on as they were, and addresses that stay keep their\n"
        "sockets. Where anything is wrong, that is said, and all goes on as before. When the terminal has gone\n"
        "that it was started at, SIGHUP stops it.\n"
        "\n"
        "What happens is a line on standard output, the log one on standard error: for people on a terminal,\n"
        "otherwise one JSON object a line.\n"
        "\n"
        "Exit codes: 0 stopped by a signal, 1 failed (a server could not listen), 2 the file is invalid.\n"
        "\n"
        "Examples:\n"
        "  weir run service.json\n"
        "  weir run --log-level debug service.json 2>weir.log\n"
        "\n"
        "A service file:\n"
        "  { \"servers\": [\n"
        "    { \"name\": \"echo\", \"listen\": \"tcp://127.0.0.1:8124\", \"handler\": \"echo\" },\n"
        "    { \"name\": \"redis\", \"listen\": \"tcp://127.0.0.1:7000\",\n"
        "      \"handler\": { \"forward\": { \"to\": [ \"ipc:/run/redis/redis.sock\" ] } } } ] }\n",
    .run = run_command,
};
