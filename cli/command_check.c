/* SPDX-License-Identifier: MIT */
/* weir check: all that `weir run` does before it listens. */
#include <stdio.h>

#include "cli.h"

typedef struct counting {
    cli_session *session;
    size_t faults;
} counting;

static void on_fault(const weir_fault *fault, void *arg)
{
    counting *self = arg;
    self->faults += !fault->warning;
    session_fault(fault, self->session);
}

static int check_file(cli_session *session, const char *file)
{
    counting faults = {.session = session};
    weir_service *service = NULL;
    char people[4096];
    int status = weir_service_load(session->runtime, file, on_fault, &faults, &service);
    if (status < 0 && status != WEIR_EINVALID_CONFIG) {
        session_error(session, "check %s: %s (%s)", file, weir_error_text(status), weir_error_name(status));
        return CLI_FAILED;
    }
    weir_service_free(service);
    json_t *record = record_event(status == 0 ? "valid" : "invalid");
    record_text(record, "file", file);
    record_number(record, "faults", (json_int_t)faults.faults);
    if (status == 0) {
        snprintf(people, sizeof(people), "valid  %s", file);
    } else {
        snprintf(people, sizeof(people), "invalid  %s  %zu fault%s", file, faults.faults,
                 faults.faults == 1 ? "" : "s");
    }
    output_line(&session->out, people, record);
    return status == 0 ? CLI_OK : CLI_USAGE;
}

static int check(const cli_options *options, int count, char **arguments)
{
    cli_session session;
    (void)count;
    if (session_open(&session, options) != CLI_OK) {
        return CLI_FAILED;
    }
    return session_close(&session, check_file(&session, arguments[0]));
}

const cli_command command_check = {
    .name = "check",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .switches = "pljHh",
    .summary = "check a service file, and everything it refers to, without listening",
    .details = "Reads a service file as `weir run` does: its syntax, every plugin's options against that plugin's\n"
               "schema, and all that they refer to (certificates, keys ...). No socket is made. Every fault is a line\n"
               "on standard error, with file, line, column and JSON pointer.\n"
               "\n"
               "Exit codes: 0 valid, 1 the check itself failed, 2 invalid.\n"
               "\n"
               "Examples:\n"
               "  weir check service.json\n"
               "  weir check --json service.json 2>faults.jsonl\n",
    .run = check,
};
