/* SPDX-License-Identifier: MIT */
/* What the program's files share: its commands, their switches, and the session they work in. */
#ifndef WEIR_CLI_H
#define WEIR_CLI_H

#include <stddef.h>

#include <uv.h>

#include <weir/weir.h>

#include "output.h"

/* How the program ends. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2 /* wrong usage, or an invalid configuration */
};

/* What the switches said. */
typedef struct cli_options {
    output_form form;
    weir_log_level log_level;
    int half_open;
    int verbose;
    int help;
    const char **plugin_paths; /* as many as fit the command line */
    size_t plugin_path_count;
    const char *ca;     /* of connect */
    const char **hosts; /* of cert, from here on; as many as fit the command line */
    size_t host_count;
    const char *out;
    const char *file;
    unsigned days;
    int client;
} cli_options;

typedef struct cli_command {
    const char *name;
    const char *arguments; /* "FILE", as the usage line shows it; "" for none */
    int least, most;       /* how many of them */
    const char *switches;  /* the letters of those it takes */
    const char *summary;   /* one line */
    const char *details;   /* what --help says further: what it does, exit codes, examples */
    int (*run)(const cli_options *options, int count, char **arguments);
} cli_command;

/* Ends with a NULL. */
extern const cli_command *const cli_commands[];
extern const cli_command command_run, command_check, command_schema, command_plugins, command_connect, command_cert;

/* ---- help.c ---- */

/* 0 or CLI_FAILED, said in this form. */
int help_program(output_form form);
int help_command(const cli_command *command, output_form form);
int help_version(output_form form);

/* ---- options.c ---- */

/* The form that the arguments ask for, wherever it stands among them, for what is wrong with them. */
output_form options_form(int count, char **arguments);

typedef struct cli_switch {
    char letter;
    const char *name;
    const char *argument; /* "DIR", or NULL: takes none */
    const char *summary;
} cli_switch;

/* Ends with a letter of 0. */
extern const cli_switch cli_switches[];

/*
 * Reads the switches of a command; arguments[0] is the command's name. The other arguments come to stand at the end,
 * from `*first` on. 0, CLI_USAGE or CLI_FAILED (said why, on stderr). The caller frees options->plugin_paths
 * and options->hosts.
 */
int options_read(const cli_command *command, int count, char **arguments, cli_options *options, int *first);

/* ---- session.c ---- */

/* A loop with a runtime, and where lines go. */
typedef struct cli_session {
    uv_loop_t loop;
    weir_runtime *runtime;
    output out;
    output err;
    weir_log_level log_level;
} cli_session;

/* 0 or CLI_FAILED (said why); then there is nothing to close. */
int session_open(cli_session *self, const cli_options *options);

/* Ends the runtime and the loop. `result`, or CLI_FAILED when it was CLI_OK and stdout could not take all. */
int session_close(cli_session *self, int result);

/* A line of the log's form on stderr: "weir: MESSAGE", or a JSON object. */
void session_error(cli_session *self, const char *format, ...) WEIR_PRINTF(2, 3);

/* A weir_fault_function whose argument is a session: one line a fault. */
void session_fault(const weir_fault *fault, void *arg);

#endif
