/* SPDX-License-Identifier: MIT */
/* weir connect: standard input and standard output over any endpoint. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "connect.h"

/*
 * What is in memory at any time is bounded: one read of input and the stream's queue one way, one buffer that is being
 * printed the other way; each side waits for the other.
 */
typedef struct connection {
    cli_session session;
    weir_stream *stream;
    input input;
    sink sink;
    const weir_endpoint *endpoint;
    int half_open;
    int verbose;
    int result;
} connection;

/* The first failure is the one to tell: what comes after it comes from it. */
static void fail(connection *self, const char *what, const char *why)
{
    if (self->result == CLI_OK) {
        session_error(&self->session, "%s%s%s", what, what[0] == '\0' ? "" : ": ", why);
        self->result = CLI_FAILED;
    }
    input_close(&self->input);
}

static void fail_with(connection *self, const char *what, int status)
{
    char why[256];
    snprintf(why, sizeof(why), "%s (%s)", weir_error_text(status), weir_error_name(status));
    fail(self, what, why);
    weir_stream_destroy(self->stream, NULL);
}

/* ---- standard input to the peer ---- */

static void on_read(void *arg, const char *bytes, size_t size, int status)
{
    connection *self = arg;
    if (status < 0) {
        fail_with(self, "read standard input", status);
        return;
    }
    int more =
        size > 0 ? weir_stream_write(self->stream, bytes, size, NULL, NULL) : weir_stream_end(self->stream, NULL, NULL);
    if (more < 0) {
        fail_with(self, "send", more);
    } else if (more == 0) {
        input_stop(&self->input); /* until 'drain'; at the end it is closed anyway */
    }
}

static void on_drain(const weir_event *event, void *arg)
{
    connection *self = arg;
    (void)event;
    input_start(&self->input);
}

/* Input is not touched before there is somebody to send it to: another program may want it then. */
static void on_ready(const weir_event *event, void *arg)
{
    connection *self = arg;
    (void)event;
    if (self->verbose) {
        facts_print(&self->session, self->stream, self->endpoint);
    }
    input_start(&self->input);
}

/* ---- the peer to standard output ---- */

static void on_data(const weir_event *event, void *arg)
{
    connection *self = arg;
    int status = sink_write(&self->sink, event->buffer);
    if (status < 0) {
        fail_with(self, "write standard output", status);
        return;
    }
    weir_stream_pause(self->stream);
}

static void on_written(void *arg, int status)
{
    connection *self = arg;
    if (status < 0) {
        fail_with(self, "write standard output", status);
        return;
    }
    weir_stream_resume(self->stream);
}

/*
 * The peer has ended, and all it sent is printed or being printed. A file is still sent to its end. Nobody knows how
 * long a terminal or another program will go on, and a peer that has only half-closed looks just like one that has
 * gone: they are waited for on demand only.
 */
static void on_end(const weir_event *event, void *arg)
{
    connection *self = arg;
    (void)event;
    if (self->half_open || self->input.kind == INPUT_FILE || self->input.closed) {
        return;
    }
    if (input_left(&self->input) > 0) {
        fail(self, "", "the peer has ended; input that was left is not sent (--half-open sends it)");
    }
    input_close(&self->input);
    int status = weir_stream_end(self->stream, NULL, NULL);
    if (status < 0) {
        fail_with(self, "end", status);
    }
}

static void on_error(const weir_event *event, void *arg)
{
    connection *self = arg;
    fail(self, "", event->error->message);
}

static void on_close(const weir_event *event, void *arg)
{
    connection *self = arg;
    (void)event;
    input_close(&self->input);
}

/* ---- the command ---- */

static int add_listeners(connection *self)
{
    static const struct {
        weir_event_type type;
        weir_listener listener;
    } listeners[] = {
        {WEIR_EVENT_READY, on_ready}, {WEIR_EVENT_DATA, on_data},   {WEIR_EVENT_DRAIN, on_drain},
        {WEIR_EVENT_END, on_end},     {WEIR_EVENT_ERROR, on_error}, {WEIR_EVENT_CLOSE, on_close},
    };
    for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
        int status = weir_stream_on(self->stream, listeners[i].type, listeners[i].listener, self);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

static int start(connection *self, weir_endpoint *endpoint)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    self->stream = weir_stream_new(self->session.runtime, &options);
    if (self->stream == NULL) {
        return UV_ENOMEM;
    }
    int status = add_listeners(self);
    if (status == 0) {
        status = weir_stream_connect_endpoint(self->stream, endpoint, NULL, NULL);
    }
    return status;
}

static void carry(connection *self, weir_endpoint *endpoint)
{
    sink_init(&self->sink, self->session.runtime, STDOUT_FILENO, on_written, self);
    int status = input_open(&self->input, self->session.runtime, STDIN_FILENO, on_read, self);
    if (status < 0) {
        session_error(&self->session, "open standard input: %s (%s)", weir_error_text(status), weir_error_name(status));
        self->result = CLI_FAILED;
    } else {
        status = start(self, endpoint);
        if (status < 0) {
            session_error(&self->session, "connect: %s (%s)", weir_error_text(status), weir_error_name(status));
            self->result = CLI_FAILED;
            input_close(&self->input);
        }
    }
    /* Runs out when the stream is closed, all is printed, and input is no longer read. */
    uv_run(&self->session.loop, UV_RUN_DEFAULT);
    if (self->result == CLI_OK && self->stream != NULL && !weir_stream_closed(self->stream)) {
        session_error(&self->session, "the connection is still open, but nothing is left to wait for");
        self->result = CLI_FAILED;
    }
    weir_stream_release(self->stream);
    input_free(&self->input);
}

/* What is wrong with the endpoint's text is wrong usage; what is wrong with a plugin is a failure. */
static int parse(connection *self, const char *text, const char *ca, weir_endpoint **endpoint)
{
    weir_error *error = NULL;
    char *with_ca = NULL;
    if (ca != NULL) {
        if (endpoint_is_object(text)) {
            session_error(&self->session, "--ca goes with a URL; in an object it is the option ca of a layer");
            return CLI_USAGE;
        }
        with_ca = endpoint_with_ca(text, ca);
        if (with_ca == NULL) {
            session_error(&self->session, "no memory");
            return CLI_FAILED;
        }
        text = with_ca;
    }
    int status = weir_endpoint_parse(self->session.runtime, text, WEIR_CLIENT, NULL, endpoint, &error);
    free(with_ca);
    if (status == 0) {
        return CLI_OK;
    }
    session_error(&self->session, "%s", error != NULL ? error->message : weir_error_text(status));
    weir_error_release(error);
    return status == WEIR_EPLUGIN || status == UV_ENOMEM ? CLI_FAILED : CLI_USAGE;
}

static int connect_command(const cli_options *options, int count, char **arguments)
{
    connection self;
    weir_endpoint *endpoint = NULL;
    (void)count;
    memset(&self, 0, sizeof(self));
    self.half_open = options->half_open;
    if (session_open(&self.session, options) != CLI_OK) {
        return CLI_FAILED;
    }
    self.verbose = options->verbose;
    self.result = parse(&self, arguments[0], options->ca, &endpoint);
    if (self.result == CLI_OK) {
        self.endpoint = endpoint;
        carry(&self, endpoint);
        weir_endpoint_release(endpoint);
    }
    return session_close(&self.session, self.result);
}

const cli_command command_connect = {
    .name = "connect",
    .arguments = "ENDPOINT",
    .least = 1,
    .most = 1,
    .switches = "avpkljHh",
    .summary = "carry standard input and standard output over an endpoint",
    .details =
        "Connects to an endpoint (a URL, or an object as in a service file), sends standard input to it and\n"
        "prints what comes back. When standard input ends, the sending side is ended and the rest of the answer\n"
        "waited for. When the peer ends, the program ends after the last byte is printed; before that, a file\n"
        "as standard input is sent to its end, and with --half-open anything else is too.\n"
        "\n"
        "--ca names whose certificates a layer like tls trusts, instead of the system's. --verbose tells what was\n"
        "agreed on: TLS version, cipher suite, application protocol, and whether the peer's certificate was verified.\n"
        "\n"
        "Messages go to standard error: for people on a terminal, otherwise one JSON object a line.\n"
        "\n"
        "Exit codes: 0 all was carried, 1 failed, 2 the endpoint is invalid.\n"
        "\n"
        "Examples:\n"
        "  printf hello | weir connect tcp://127.0.0.1:8124\n"
        "  weir connect --ca certs/ca.pem --verbose tls+tcp://localhost:8443\n"
        "  weir connect ipc:/run/redis/redis.sock\n"
        "  weir connect 'tcp://127.0.0.1:8124?connectTimeout=2000' <request >answer\n",
    .run = connect_command,
};
